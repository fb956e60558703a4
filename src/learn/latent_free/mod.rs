//! Ternary weights that learn without a float copy of themselves: the packed trits, and a small signed integer of *inertia*
//! for each, are all the state there is.
//!
//! # The rule
//!
//! Inertia is pressure on a trit. Each step, for a trit `t` with inertia `m` and gradient `g` (of the loss, for the weight
//! `t * scale`), in exact arithmetic:
//!
//! ```text
//! v = m (1 - decay) - rate g - weight_decay t
//! ```
//!
//! `v` is rounded to an integer at random, up with the probability of its fraction, so that its mean is `v`: pressures far
//! below one unit add up over many steps as they should. At `threshold` the trit moves: up by one from `v >= threshold` on,
//! down by one from `v <= -threshold` on, and what is left beyond the threshold stays as inertia. A trit that is at the end
//! already stays there, its inertia just below the threshold.
//!
//! Helwegen et al., "Latent weights do not exist" (Bop, 2019) flip binary weights by a threshold on a running mean of the
//! gradient; DQT (Zhao et al. 2024) rounds updates of low-bit weights at random; BOLD (Nguyen et al. 2024) has integer
//! accumulators for Boolean weights. This is their common core for trits: an integer accumulator that may forget (`decay`),
//! fed by random rounding, with a threshold.
//!
//! # Bits
//!
//! | state | bytes |
//! |---|---|
//! | trits, in place | those of the format: 2.0625 bits a weight in [`Format::Tq2_0`], 1.6875 in [`Format::Tq1_0`], 1.6 and a scale a row in [`Format::DenseTernary`] |
//! | inertia | 1 a weight ([`update`], [`inertia_len`]), or half of one ([`update_int4`], [`int4_len`]) |
//! | everything else | the seed and the number of the step: 16 |
//!
//! A weight with its state takes 9.6 to 10.1 bits, or 5.6 to 6.1 with inertia in 4 bits, where the usual training with Adam holds 96 beside the packed weight
//! (latent weight and two moments in f32). All three ternary formats are unpacked in blocks to registers and written back
//! at once; `Tq2_0` is the fastest, as its trits are shifted out and not multiplied.
//!
//! Inertia in 4 bits is the same rule with a threshold of at most 8: below it everything fits, so [`update_int4`] takes the
//! decisions of [`update`] with the same options, bit for bit. What few bits cost is the low threshold: evidence is counted
//! in eighths of a flip, and the random rounding is coarser.
//!
//! # Determinism
//!
//! The random numbers are a function of (seed, step, row, column) alone: Philox ([`crate::math::Random`]). Rows may be
//! updated in any order, one at a time or all at once, on any thread, tier or target; a run that was interrupted and goes
//! on from its stored state ends with the same bits. The decisions are made in integers; the one float operation before
//! them is the product `rate * g`. The trits and the inertia are the same for every format. Every tensor needs a
//! seed of its own.

mod held;
mod noise;
mod rows;
mod rule;

pub mod network;

use crate::Error;
use crate::quant::{Format, NonFinite};

use held::{Bytes, Halves, Held};

/// How [`update`] learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Units of inertia for a gradient of 1; at least 0, finite. A step moves inertia by at most 127 units: `threshold /
    /// rate` is the sum of gradients that moves a trit.
    pub rate: f32,
    /// The part of the inertia that is forgotten each step, 0 to 1, rounded to a multiple of 2^-15.
    pub decay: f32,
    /// The inertia that moves a trit, 1 to 127; 1 to 8 for [`update_int4`].
    pub threshold: i32,
    /// Pressure towards zero on trits that are not, in units of inertia a step; 0 to 16, rounded to a multiple of 2^-15.
    pub weight_decay: f32,
    /// The learning rate of the stored scales; 0 leaves them alone. At least 0, finite. Each scale of the format (of a
    /// block, or of a row for [`Format::DenseTernary`]) moves by `-scale_rate * sum(g t)` over its weights, is rounded to
    /// f16 at random, and stays within 2^-14 and 65504.
    pub scale_rate: f32,
    /// [`NonFinite::Error`] looks at all gradients of a call before anything is written. [`NonFinite::Saturate`] reads them
    /// once: NaN counts as 0, an infinity as the largest step.
    pub non_finite: NonFinite,
}

impl Default for Options {
    /// Rate 1, no decay, threshold 64, no weight decay, fixed scales, non-finite gradients refused.
    fn default() -> Options {
        Options {
            rate: 1.0,
            decay: 0.0,
            threshold: 64,
            weight_decay: 0.0,
            scale_rate: 0.0,
            non_finite: NonFinite::Error,
        }
    }
}

impl Options {
    fn check(&self, most: i32) -> Result<(), Error> {
        let fine = (0.0..=f32::MAX).contains(&self.rate)
            && (0.0..=1.0).contains(&self.decay)
            && (1..=most).contains(&self.threshold)
            && (0.0..=16.0).contains(&self.weight_decay)
            && (0.0..=f32::MAX).contains(&self.scale_rate);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

/// Which random numbers a call uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// One for each tensor of a run.
    pub seed: u64,
    /// The number of the step: another one each time.
    pub step: u64,
}

/// What a call of [`update`] did. Reports of parts [merge](Report::merge) to that of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Weights seen.
    pub weights: u64,
    /// Trits that went up by one.
    pub raised: u64,
    /// Trits that went down by one.
    pub lowered: u64,
    /// Trits that are zero now.
    pub zeros: u64,
    /// Weights whose `rate * g` was beyond 127 units, and was cut: many of them say that the rate is too high.
    pub clipped: u64,
}

impl Report {
    /// The part of the trits that moved; 0 for no weights.
    #[must_use]
    pub fn flip_rate(&self) -> f32 {
        let flips = self.raised.saturating_add(self.lowered);
        if self.weights == 0 { 0.0 } else { flips as f32 / self.weights as f32 }
    }

    /// The report of both parts.
    #[must_use]
    pub fn merge(self, other: Report) -> Report {
        Report {
            weights: self.weights.saturating_add(other.weights),
            raised: self.raised.saturating_add(other.raised),
            lowered: self.lowered.saturating_add(other.lowered),
            zeros: self.zeros.saturating_add(other.zeros),
            clipped: self.clipped.saturating_add(other.clipped),
        }
    }
}

/// Values of inertia, one byte each, for `rows` x `cols` weights, row after row without padding. They start as zeros.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn inertia_len(rows: usize, cols: usize) -> Result<usize, Error> {
    held::len::<Bytes>(rows, cols)
}

/// Bytes of inertia in 4 bits for `rows` x `cols` weights: `ceil(cols / 2)` a row. They start as zeros.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn int4_len(rows: usize, cols: usize) -> Result<usize, Error> {
    held::len::<Halves>(rows, cols)
}

/// Bytes of the whole training state of `rows` x `cols` weights: packed trits and inertia.
///
/// # Errors
/// [`Error::Unsupported`] for a format that is not ternary, [`Error::SizeOverflow`].
///
/// ```
/// use hybridq::learn::latent_free::state_bytes;
/// use hybridq::quant::Format;
/// // 1.26 bytes a weight; a latent f32 weight with the two moments of Adam takes 12
/// assert_eq!(state_bytes(Format::Tq2_0, 512, 512)?, 512 * 512 + 512 * 132);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn state_bytes(format: Format, rows: usize, cols: usize) -> Result<usize, Error> {
    ternary(format)?;
    inertia_len(rows, cols)?.checked_add(format.matrix_bytes(rows, cols)?).ok_or(Error::SizeOverflow)
}

/// [`state_bytes`] with inertia in 4 bits.
///
/// # Errors
/// [`Error::Unsupported`] for a format that is not ternary, [`Error::SizeOverflow`].
///
/// ```
/// use hybridq::learn::latent_free::state_bytes_int4;
/// use hybridq::quant::Format;
/// // 0.76 bytes a weight; 0.71 in TQ1_0, 0.70 in dense ternary
/// assert_eq!(state_bytes_int4(Format::Tq2_0, 512, 512)?, 512 * 256 + 512 * 132);
/// assert_eq!(state_bytes_int4(Format::Tq1_0, 512, 512)?, 512 * 256 + 512 * 108);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn state_bytes_int4(format: Format, rows: usize, cols: usize) -> Result<usize, Error> {
    ternary(format)?;
    int4_len(rows, cols)?.checked_add(format.matrix_bytes(rows, cols)?).ok_or(Error::SizeOverflow)
}

fn ternary(format: Format) -> Result<(), Error> {
    match format {
        Format::Tq1_0 | Format::Tq2_0 | Format::DenseTernary => Ok(()),
        _ => Err(Error::Unsupported),
    }
}

/// One step of learning for rows `first_row..first_row + rows` of a matrix: gradients in, trits and inertia changed in
/// place. No scratch.
///
/// - `weights`: [`Format::matrix_bytes`] bytes of those rows, [`Format::Tq2_0`], [`Format::Tq1_0`] or
///   [`Format::DenseTernary`]. The trits may come from [`crate::quant::quantize`]. (Code 3 of `TQ2_0`, which no encoder
///   writes, counts as 1; a stored scale that is NaN or infinite counts as 2^-14, where scales are learnt.)
/// - `gradient`: `rows * cols` values, the gradient of the loss for each weight.
/// - `inertia`: as many values, all zeros before the first step. Any values are valid: what is beyond the threshold moves
///   its trit at the next step.
///
/// `rows` is what a caller has at hand: a whole layer, or one row whose gradient was just made and is forgotten after the
/// call. With [`NonFinite::Error`] gradients are read twice, so give slices that fit the cache.
///
/// # Errors
/// [`Error::Unsupported`] for another format, [`Error::InvalidArgument`] for an option out of range, [`Error::Shape`] for
/// another length, [`Error::SizeOverflow`], [`Error::NonFinite`]. Nothing is changed then.
///
/// ```
/// use hybridq::learn::latent_free::{Clock, Options, inertia_len, update};
/// use hybridq::quant::{Fit, Format, dequantize, quantize};
///
/// // Four weights, all zero, of scale 1.
/// let (format, rows, cols) = (Format::Tq2_0, 1, 4);
/// let options = hybridq::quant::Options::new(format).fit(Fit::Fixed { threshold: 0.5, scale: 1.0 });
/// let mut weights = vec![0; format.matrix_bytes(rows, cols)?];
/// quantize(format, &options, rows, cols, &[0.0; 4], &mut weights, &mut [0; 64])?;
/// let mut inertia = vec![0; inertia_len(rows, cols)?];
///
/// // A gradient that stays the same moves two weights, against it.
/// let options = Options { rate: 10.0, threshold: 20, ..Options::default() };
/// for step in 0..4 {
///     let clock = Clock { seed: 1, step };
///     update(format, &options, clock, 0, rows, cols, &[0.5, 0.0, -0.6, 0.0], &mut weights, &mut inertia)?;
/// }
/// let mut w = [0.0; 4];
/// dequantize(format, rows, cols, &weights, &mut w)?;
/// assert_eq!(w, [-1.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[expect(clippy::too_many_arguments)] // a matrix, its gradient and its state
pub fn update(
    format: Format,
    options: &Options,
    clock: Clock,
    first_row: usize,
    rows: usize,
    cols: usize,
    gradient: &[f32],
    weights: &mut [u8],
    inertia: &mut [i8],
) -> Result<Report, Error> {
    run::<Bytes>(format, options, clock, first_row, rows, cols, gradient, weights, inertia)
}

/// [`update`] with inertia in 4 bits, two values a byte: half the state, for thresholds of at most 8.
///
/// `inertia`: [`int4_len`] bytes, zeros before the first step; the bytes of a row are described in `held.rs`: 64 values in 32
/// bytes, byte `j` with value `j` in its low half and value `32 + j` in its high half, in two's complement. Trits, inertia
/// and report are those of [`update`] with the same options.
///
/// # Errors
/// As [`update`]; [`Error::InvalidArgument`] for a threshold above 8.
///
/// ```
/// use hybridq::learn::latent_free::{Clock, Options, int4_len, update_int4};
/// use hybridq::quant::{Fit, Format, dequantize, quantize};
///
/// let format = Format::Tq1_0;
/// let options = hybridq::quant::Options::new(format).fit(Fit::Fixed { threshold: 0.5, scale: 1.0 });
/// let mut weights = vec![0; format.matrix_bytes(1, 4)?];
/// quantize(format, &options, 1, 4, &[0.0; 4], &mut weights, &mut [0; 64])?;
/// let mut inertia = vec![0; int4_len(1, 4)?];
///
/// let options = Options { rate: 4.0, threshold: 8, ..Options::default() };
/// for step in 0..4 {
///     let clock = Clock { seed: 1, step };
///     update_int4(format, &options, clock, 0, 1, 4, &[0.5, 0.0, -0.75, 0.0], &mut weights, &mut inertia)?;
/// }
/// let mut w = [0.0; 4];
/// dequantize(format, 1, 4, &weights, &mut w)?;
/// assert_eq!(w, [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(inertia, [0x40, 0]); // the third weight, in a high half, has 4 left over: half a flip
/// # Ok::<(), hybridq::Error>(())
/// ```
#[expect(clippy::too_many_arguments)] // as `update`
pub fn update_int4(
    format: Format,
    options: &Options,
    clock: Clock,
    first_row: usize,
    rows: usize,
    cols: usize,
    gradient: &[f32],
    weights: &mut [u8],
    inertia: &mut [u8],
) -> Result<Report, Error> {
    run::<Halves>(format, options, clock, first_row, rows, cols, gradient, weights, inertia)
}

#[expect(clippy::too_many_arguments)] // as `update`
fn run<H: Held>(
    format: Format,
    options: &Options,
    clock: Clock,
    first_row: usize,
    rows: usize,
    cols: usize,
    gradient: &[f32],
    weights: &mut [u8],
    inertia: &mut [H::Cell],
) -> Result<Report, Error> {
    ternary(format)?;
    options.check(H::MOST)?;
    let cells = rows.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    let held = held::len::<H>(rows, cols)?;
    let bytes = format.matrix_bytes(rows, cols)?;
    if gradient.len() != cells || inertia.len() != held || weights.len() != bytes {
        return Err(Error::Shape);
    }
    noise::check(first_row, rows, cols)?;
    if options.non_finite == NonFinite::Error && !rows::all_finite(gradient) {
        return Err(Error::NonFinite);
    }
    let job = rows::Job { format, options, clock, first_row: first_row as u64, cols };
    Ok(rows::update::<H>(&job, gradient, weights, inertia))
}
