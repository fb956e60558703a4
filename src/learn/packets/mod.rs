//! Gradients on the wire: trits with error feedback in packets that merge in integers.
//!
//! # What is sent
//!
//! A *shard* is a part of a batch with a fixed number. Its gradient `g` becomes a packet ([`encode`]): the residual of the
//! shard is added, `u = g + e`, and 1280 values at a time become trits times a scale, by the rule of the
//! [optimizer](super::optimizer) (magnitudes clipped at [`Options::sigma`] root mean squares, two turns of Lloyd's
//! iteration). What is lost is the new residual, which the sender keeps: error feedback (Seide et al. 2014; Karimireddy et
//! al., arXiv:1901.09847).
//!
//! Scales are whole multiples of `2^unit`, so packets add up in i64 ([`merge`]), to the same sums in any order, on any number
//! of threads or ranks. [`finish`] makes the mean of them, weighted by samples.
//!
//! # The same parameters on any number of ranks
//!
//! The unit of quantization is the shard, not the rank: cut each batch into a fixed number of shards (8, say), let each rank have
//! some of them, with the residual of each. Then packets, sums, mean and parameters are the same bits on 1, 2, 4 or 8 ranks.
//! The number of shards is part of the run, the number of ranks is not.
//!
//! # Bytes
//!
//! A packet of `n` values, all little-endian:
//!
//! | bytes | contents |
//! |---|---|
//! | 0..4 | `HQGP` |
//! | 4, 5 | version, 1; 0 |
//! | 6..8 | unit, i16, -100 to 60 |
//! | 8..16 | step |
//! | 16..24 | number of the first value among the parameters |
//! | 24..28 | `n` |
//! | 28..32 | shard |
//! | 32..36 | weight: samples of the shard, 1 to 2^19 |
//! | 36..40 | CRC-32 (zlib's) of bytes 0..36 and of the body |
//! | 40.. | body |
//!
//! The body is a block for each 1280 values, the last one shorter: an f32 scale, finite, not negative, a whole multiple of
//! `2^unit` below `2^(unit + 44)`; then `p = ceil(n / 5)` bytes, where trit `i` (0, 1, 2 for -1, 0, 1) is digit `i / p` in base 3
//! of byte `i mod p`, the first digit the least; no byte is above 242. That is the packed gradient of the optimizer: the body
//! can be stepped from as it is.
//!
//! 1.625 bits a value and 40 bytes: 19.7 times fewer than f32, 16 times from 880 values on.
//!
//! # Bounds
//!
//! A scale is below `2^44` units and all weights in a sum are at most [`MAX_WEIGHT`] = 2^19 together, so no sum leaves
//! `+-2^63`. [`merge`] and [`join`] refuse what would go beyond. With weight 1 that is half a million shards.

mod encode;
mod sums;
mod wire;

use crate::Error;
use crate::math::sqrt;
use crate::workspace::Layout;

use super::optimizer::Storage;
use super::optimizer::store::{BLOCK, Kind, run_bytes};

pub use sums::{Sums, finish, join, merge};
pub use wire::{Info, body, decode, inspect};

/// Bytes before the body of a packet.
pub const HEADER_BYTES: usize = 40;
/// All weights of a sum together.
pub const MAX_WEIGHT: u32 = 1 << 19;

/// How gradients become packets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Root mean squares at which magnitudes are clipped when the scale is fitted; above 0, infinity: never.
    pub sigma: f32,
    /// Scales are multiples of `2^unit`, -100 to 60; the same for all packets of a run. Gradients with their residual must
    /// stay below `2^(unit + 44)`; what is below `2^(unit - 1)` waits in the residual until it has added up.
    pub unit: i32,
    /// How the residual is held: [`Storage::F32`], [`Storage::Int8`], [`Storage::Int4`], or [`Storage::None`]: what is lost
    /// is lost for good (then training does not reach what FP32 does).
    pub residual: Storage,
    /// Of the random rounding of residuals in few bits.
    pub seed: u64,
}

impl Default for Options {
    /// 2.5 root mean squares, units of 2^-34 (gradients below 1024), residual in f32.
    fn default() -> Options {
        Options { sigma: 2.5, unit: -34, residual: Storage::F32, seed: 0 }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        if self.residual == Storage::Ternary {
            return Err(Error::Unsupported); // the trits of a residual would lose most of it
        }
        if self.sigma > 0.0 && wire::UNITS.contains(&self.unit) {
            Ok(())
        } else {
            Err(Error::InvalidArgument)
        }
    }
}

/// What a packet is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The step of the run.
    pub step: u64,
    /// Where the values begin among all parameters: a gradient may be sent in slices.
    pub first: u64,
    /// The shard of the batch.
    pub shard: u32,
    /// Samples of the shard, 1 to [`MAX_WEIGHT`]; 1 for all where shards are of equal size.
    pub weight: u32,
}

/// What [`encode`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Report {
    /// Trits that are not zero.
    pub nonzero: u64,
    /// The norm of what was lost (and kept as residual) over that of gradient with residual; 0 for zeros.
    pub error: f32,
}

/// Bytes of a packet of `len` values.
///
/// ```
/// use hybridq::learn::packets::packet_size;
/// assert_eq!(packet_size(1_280_000)?, 40 + 1000 * 260); // f32: 5_120_000
/// # Ok::<(), hybridq::Error>(())
/// ```
///
/// # Errors
/// [`Error::SizeOverflow`], also from 2^32 values on.
pub fn packet_size(len: usize) -> Result<usize, Error> {
    u32::try_from(len).map_err(|_| Error::SizeOverflow)?;
    run_bytes(Storage::Ternary, Kind::Signed, len)?.checked_add(HEADER_BYTES).ok_or(Error::SizeOverflow)
}

/// Bytes of the residual of `len` values, which the sender keeps for each shard; zeros before the first step.
///
/// # Errors
/// [`Error::InvalidArgument`], [`Error::Unsupported`], [`Error::SizeOverflow`].
pub fn residual_size(options: &Options, len: usize) -> Result<usize, Error> {
    options.check()?;
    run_bytes(options.residual, Kind::Signed, len)
}

/// Bytes of scratch for [`encode`]: 12 for each value of a block, at most 15 KB.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn workspace_size(len: usize) -> Result<usize, Error> {
    let mut layout = Layout::EMPTY;
    for _ in 0..encode::ARRAYS {
        layout = layout.array::<f32>(padded(len))?;
    }
    Ok(layout.size())
}

/// Values of a block, whole vectors.
fn padded(len: usize) -> usize {
    len.min(BLOCK).next_multiple_of(16)
}

/// Makes a packet of a gradient.
///
/// - `gradient`: `n` values: the mean over the samples of the shard.
/// - `residual`: [`residual_size`] bytes: what this shard has lost so far, in this slice of the parameters.
/// - `packet`: [`packet_size`] bytes, all written.
/// - `scratch`: at least [`workspace_size`] bytes.
///
/// The same bits on every tier and target.
///
/// # Errors
/// [`Error::Shape`] for another length of `residual` or `packet`; [`Error::NonFinite`] if a gradient, or its sum with the
/// residual, is NaN or infinite; [`Error::ScaleRange`] if one reaches `2^(unit + 44)`; [`Error::InvalidArgument`] for an
/// option or a weight out of range, [`Error::Unsupported`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. Residual
/// and packet are untouched then.
///
/// ```
/// use hybridq::learn::packets::{Options, Sums, Tag, encode, finish, merge, packet_size, residual_size, workspace_size};
///
/// // Two shards of a batch; what one packet loses, the next one brings.
/// let options = Options::default();
/// let gradients = [[1.0f32, -1.0, 0.0, 0.25], [1.0, 1.0, 0.0, -0.25]];
/// let mut residuals = vec![vec![0; residual_size(&options, 4)?]; 2];
/// let mut scratch = vec![0; workspace_size(4)?];
/// let mut sent = [0.0f32; 4];
/// for step in 0..8 {
///     let mut sums = Sums::new(step, 0, options.unit);
///     let mut values = [0i64; 4];
///     for (shard, (gradient, residual)) in gradients.iter().zip(&mut residuals).enumerate() {
///         let tag = Tag { step, first: 0, shard: shard as u32, weight: 1 };
///         let mut packet = vec![0; packet_size(4)?];
///         encode(&options, &tag, gradient, residual, &mut packet, &mut scratch)?;
///         merge(&packet, &mut sums, &mut values)?; // on another machine
///     }
///     let mut mean = [0.0; 4];
///     finish(&sums, &values, &mut mean)?;
///     sent.iter_mut().zip(mean).for_each(|(s, m)| *s += m / 8.0);
/// }
/// // the mean of the two, but for what is still in the residuals
/// assert!((sent[0] - 1.0).abs() < 0.1 && sent[1..] == [0.0; 3]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn encode(
    options: &Options,
    tag: &Tag,
    gradient: &[f32],
    residual: &mut [u8],
    packet: &mut [u8],
    scratch: &mut [u8],
) -> Result<Report, Error> {
    let held = residual_size(options, gradient.len())?;
    if !(1..=MAX_WEIGHT).contains(&tag.weight) {
        return Err(Error::InvalidArgument);
    }
    if residual.len() != held || packet.len() != packet_size(gradient.len())? {
        return Err(Error::Shape);
    }
    if scratch.len() < workspace_size(gradient.len())? {
        return Err(Error::WorkspaceTooSmall);
    }
    let (head, body) = packet.split_first_chunk_mut::<HEADER_BYTES>().ok_or(Error::Shape)?;
    let sent = encode::encode(options, tag, gradient, residual, body, scratch)?;
    let info = Info {
        step: tag.step,
        first: tag.first,
        len: gradient.len(),
        shard: tag.shard,
        weight: tag.weight,
        unit: options.unit,
    };
    wire::write(&info, head, body);
    let error = if sent.whole > 0.0 { sqrt(sent.lost / sent.whole) } else { 0.0 };
    Ok(Report { nonzero: sent.nonzero, error })
}
