//! What is kept between steps, how many bytes it takes, and where it lies.

use bytemuck::{Pod, Zeroable};

use crate::Error;

use super::options::{Group, Options, Storage};
use super::store::{BLOCK, Kind, run_bytes};
use super::trits;

/// The few numbers of an optimizer beside its memory. Plain: save and restore it with the memory, and the run goes on
/// with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct State {
    /// Steps taken.
    pub steps: u64,
    /// What base, forms and groups the memory was laid out for.
    pub layout: u64,
    /// `momentum ^ steps`, of [`Base::NadamW`](super::Base::NadamW).
    pub moment_power: f32,
    /// `beta2 ^ steps`.
    pub second_power: f32,
    /// No momentum is larger than this.
    pub moment_bound: f32,
    /// No residual is larger than this.
    pub residual_bound: f32,
    /// By how much the last step should have lowered the loss, to first order.
    pub predicted: f32,
    /// Zero.
    pub reserved: u32,
}

impl State {
    /// Refuses what cannot come from a step with these options.
    pub(super) fn check(&self, options: &Options, groups: &[Group]) -> Result<(), Error> {
        let share = |x: f32| (0.0..=1.0).contains(&x);
        let bound = |x: f32| (0.0..=f32::MAX).contains(&x);
        let good = share(self.moment_power)
            && share(self.second_power)
            && bound(self.moment_bound)
            && bound(self.residual_bound)
            && self.predicted.is_finite();
        if !good {
            return Err(Error::Corrupt);
        }
        if self.layout == layout(options, groups)? { Ok(()) } else { Err(Error::Shape) }
    }
}

/// A number that differs when memory is laid out in another way (64-bit FNV-1a).
pub(super) fn layout(options: &Options, groups: &[Group]) -> Result<u64, Error> {
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    let mut add = |x: u64| {
        for byte in x.to_le_bytes() {
            hash = (hash ^ byte as u64).wrapping_mul(0x0100_0000_01B3);
        }
    };
    add(options.base as u64);
    add(options.moment as u64);
    add(options.second_storage() as u64);
    add(options.residual as u64);
    for group in groups {
        add(group.len()? as u64);
    }
    Ok(hash)
}

/// Bytes held between steps and bytes in transit, part by part; nothing else is held but the 40 bytes of [`State`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BytesHeld {
    /// The momentum.
    pub moment: usize,
    /// The second moment of [`Base::NadamW`](super::Base::NadamW).
    pub second: usize,
    /// The memory of error feedback. What error feedback needs is the very numbers that quantization drops, so this part
    /// cannot be 20 times smaller than FP32.
    pub residual: usize,
    /// The three above with their padding: the length of the memory.
    pub memory: usize,
    /// The gradient as packed trits.
    pub gradient: usize,
    /// The parameters, packed.
    pub packed: usize,
    /// The parameters in f32 that steps are added to (the latent ones).
    pub latent: usize,
}

/// Where the parts of the memory lie, in bytes; each begins at a multiple of 4.
#[derive(Clone, Copy)]
pub(super) struct Sections {
    pub(super) moment: usize,
    pub(super) second: usize,
    pub(super) residual: usize,
    pub(super) total: usize,
}

fn section(storage: Storage, kind: Kind, groups: &[Group]) -> Result<usize, Error> {
    groups.iter().try_fold(0usize, |sum, group| {
        sum.checked_add(run_bytes(storage, kind, group.len()?)?).ok_or(Error::SizeOverflow)
    })
}

impl Sections {
    pub(super) fn new(options: &Options, groups: &[Group]) -> Result<Sections, Error> {
        let moment = section(options.moment, Kind::Signed, groups)?;
        let second = section(options.second_storage(), Kind::Root, groups)?;
        let residual = section(options.residual, Kind::Signed, groups)?;
        let mut total = 0usize;
        for part in [moment, second, residual] {
            let padded = part.checked_next_multiple_of(4).ok_or(Error::SizeOverflow)?;
            total = total.checked_add(padded).ok_or(Error::SizeOverflow)?;
        }
        Ok(Sections { moment, second, residual, total })
    }

    /// Cuts the memory into its parts.
    pub(super) fn split<'a>(&self, memory: &'a mut [u8]) -> Result<[&'a mut [u8]; 3], Error> {
        let (moment, rest) =
            memory.split_at_mut_checked(self.moment.next_multiple_of(4)).ok_or(Error::Shape)?;
        let (second, rest) =
            rest.split_at_mut_checked(self.second.next_multiple_of(4)).ok_or(Error::Shape)?;
        let (residual, _) = rest.split_at_mut_checked(self.residual).ok_or(Error::Shape)?;
        Ok([moment, second, residual])
    }
}

/// Bytes of the memory that steps with these options need.
///
/// # Errors
/// [`Error::InvalidArgument`], [`Error::Unsupported`], [`Error::SizeOverflow`].
pub fn memory_size(options: &Options, groups: &[Group]) -> Result<usize, Error> {
    options.check()?;
    Ok(Sections::new(options, groups)?.total)
}

/// Bytes of the packed trits of the gradient.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn gradient_size(groups: &[Group]) -> Result<usize, Error> {
    section(Storage::Ternary, Kind::Signed, groups)
}

/// Bytes of the packed parameters: the matrices of the groups, one after the other, each as
/// [`Format::matrix_bytes`](crate::quant::Format::matrix_bytes) says.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn packed_size(options: &Options, groups: &[Group]) -> Result<usize, Error> {
    groups.iter().try_fold(0usize, |sum, group| {
        sum.checked_add(options.format.matrix_bytes(group.rows, group.cols)?).ok_or(Error::SizeOverflow)
    })
}

/// Reads the packed trits of a gradient that a step has written: `out` has a number for each parameter of all groups.
///
/// # Errors
/// [`Error::Shape`] if the packed trits or `out` are not those of the groups; [`Error::SizeOverflow`].
pub fn unpack_gradient(groups: &[Group], packed: &[u8], out: &mut [f32]) -> Result<(), Error> {
    if out.len() != super::options::total(groups)? || packed.len() != gradient_size(groups)? {
        return Err(Error::Shape);
    }
    let (mut packed, mut out) = (packed, out);
    for group in groups {
        let mut left = group.len()?;
        while left > 0 {
            let n = left.min(BLOCK);
            let (values, later) = core::mem::take(&mut out).split_at_mut_checked(n).ok_or(Error::Shape)?;
            let (scale, rest) = packed.split_first_chunk::<4>().ok_or(Error::Shape)?;
            let (codes, rest) = rest.split_at_checked(n.div_ceil(5)).ok_or(Error::Shape)?;
            trits::unpack(codes, f32::from_le_bytes(*scale), values);
            (out, packed, left) = (later, rest, left - n);
        }
    }
    Ok(())
}

/// The bytes of every part.
///
/// ```
/// use hybridq::learn::optimizer::{GradientForm, Group, Options, Storage, bytes_held};
/// let group = Group { rows: 1000, cols: 1280, learning_rate: 0.1, radius: f32::INFINITY };
/// let options = Options { moment: Storage::Ternary, gradient: GradientForm::Ternary, ..Options::DEFAULT };
/// let held = bytes_held(&options, &[group])?;
/// assert_eq!(held.moment, 260_000); // FP32: 5_120_000
/// assert_eq!((held.gradient, held.residual), (260_000, 0));
/// # Ok::<(), hybridq::Error>(())
/// ```
///
/// # Errors
/// As [`memory_size`].
pub fn bytes_held(options: &Options, groups: &[Group]) -> Result<BytesHeld, Error> {
    let memory = memory_size(options, groups)?;
    let sections = Sections::new(options, groups)?;
    Ok(BytesHeld {
        moment: sections.moment,
        second: sections.second,
        residual: sections.residual,
        memory,
        gradient: gradient_size(groups)?,
        packed: packed_size(options, groups)?,
        latent: super::options::total(groups)?.checked_mul(4).ok_or(Error::SizeOverflow)?,
    })
}

/// The state before the first step; `memory` is cleared.
///
/// # Errors
/// [`Error::OutputTooSmall`] if the memory is shorter than [`memory_size`]; [`Error::InvalidArgument`],
/// [`Error::Unsupported`], [`Error::SizeOverflow`].
pub fn start(options: &Options, groups: &[Group], memory: &mut [u8]) -> Result<State, Error> {
    let size = memory_size(options, groups)?;
    let memory = memory.get_mut(..size).ok_or(Error::OutputTooSmall)?;
    let layout = layout(options, groups)?;
    memory.fill(0);
    Ok(State {
        steps: 0,
        layout,
        moment_power: 1.0,
        second_power: 1.0,
        moment_bound: 0.0,
        residual_bound: 0.0,
        predicted: 0.0,
        reserved: 0,
    })
}
