//! Room `learn`: ternary weights that learn without a float copy.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::learn::latent_free::{
    Clock, Options, Report, inertia_len, int4_len, state_bytes, state_bytes_int4, update, update_int4,
};
use crate::quant::{Format, NonFinite};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// How `hq_latent_free_update` learns; 24 bytes. Fill it with `hq_latent_free_options_init`, then change what you need.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_latent_free_options {
    /// Units of inertia for a gradient of 1; at least 0, finite. `threshold / rate` is the sum of gradients that moves a
    /// trit. A step moves inertia by at most 127 units.
    pub rate: f32,
    /// The part of the inertia that is forgotten each step, 0 to 1, rounded to a multiple of 2^-15.
    pub decay: f32,
    /// Pressure towards zero, in units of inertia a step; 0 to 16, rounded to a multiple of 2^-15.
    pub weight_decay: f32,
    /// The learning rate of the stored scales; 0 leaves them alone.
    pub scale_rate: f32,
    /// The inertia that moves a trit, 1 to 127; 1 to 8 for inertia in 4 bits.
    pub threshold: i32,
    /// `HQ_NON_FINITE_ERROR`, or `HQ_NON_FINITE_SATURATE`: NaN counts as 0, an infinity as the largest step.
    pub non_finite: i32,
}

/// What `hq_latent_free_update` did; 40 bytes. Reports of parts are added up, field by field.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_latent_free_report {
    /// Weights seen.
    pub weights: u64,
    /// Trits that went up by one.
    pub raised: u64,
    /// Trits that went down by one; `(raised + lowered) / weights` is the flip rate.
    pub lowered: u64,
    /// Trits that are zero now.
    pub zeros: u64,
    /// Weights whose `rate * gradient` was beyond 127 units and was cut: many of them say that the rate is too high.
    pub clipped: u64,
}

const _: () = {
    assert!(size_of::<hq_latent_free_options>() == 24);
    assert!(size_of::<hq_latent_free_report>() == 40);
};

fn chosen(options: Option<&hq_latent_free_options>) -> Result<Options, Error> {
    let Some(o) = options else { return Ok(Options::default()) };
    Ok(Options {
        rate: o.rate,
        decay: o.decay,
        threshold: o.threshold,
        weight_decay: o.weight_decay,
        scale_rate: o.scale_rate,
        non_finite: NonFinite::from_i32(o.non_finite)?,
    })
}

fn reported(done: Report) -> hq_latent_free_report {
    hq_latent_free_report {
        weights: done.weights,
        raised: done.raised,
        lowered: done.lowered,
        zeros: done.zeros,
        clipped: done.clipped,
    }
}

/// Fills `options` with the defaults, which NULL stands for: rate 1, threshold 64, no decay, no weight decay, fixed scales,
/// NaN and infinity refused.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then. Callable from any thread.
///
/// # Safety
/// `options` points to one writable struct.
///
/// ```c
/// hq_latent_free_options options;
/// assert(hq_latent_free_options_init(&options) == HQ_OK && options.threshold == 64);
/// options.rate = 100.0f;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_latent_free_options_init(options: *mut hq_latent_free_options) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let o = Options::default();
        let value = hq_latent_free_options {
            rate: o.rate,
            decay: o.decay,
            weight_decay: o.weight_decay,
            scale_rate: o.scale_rate,
            threshold: o.threshold,
            non_finite: o.non_finite as i32,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(value) };
        Ok(())
    })
}

/// Values (bytes) of inertia for `rows` x `cols` weights; they start as zeros. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_latent_free_inertia_len(10, 65) == 650);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_latent_free_inertia_len(rows: usize, cols: usize) -> usize {
    size(|| inertia_len(rows, cols))
}

/// Bytes of the whole training state of `rows` x `cols` weights, packed trits and inertia: 1.2 to 1.26 a weight, where a
/// latent float with the two moments of Adam takes 12. `SIZE_MAX` on overflow and for formats that are not ternary.
///
/// ```c
/// assert(hq_latent_free_state_size(HQ_FORMAT_TQ2_0, 512, 512) == 512 * 512 + 512 * HQ_TQ2_0_ROW_SIZE(512));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_latent_free_state_size(format: i32, rows: usize, cols: usize) -> usize {
    size(|| state_bytes(Format::from_i32(format)?, rows, cols))
}

/// One step of learning for rows `first_row` to `first_row + rows - 1` of a ternary matrix that has no float copy: trits
/// and inertia are changed in place. No scratch.
///
/// In exact arithmetic the inertia becomes `inertia * (1 - decay) - rate * gradient - weight_decay * trit`; it is rounded
/// to an integer at random, and from `threshold` on (or `-threshold`) it moves the trit by one and starts again from what is
/// left. The random numbers are a function of `seed`, `step`, row and column alone: rows may be updated in any order, one
/// at a time, in any thread, and a run that goes on from its stored bytes ends with the same bits. Same bits on every tier
/// and target; the same trits for every format.
///
/// - `format`: `HQ_FORMAT_TQ2_0`, `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_DENSE_TERNARY`.
/// - `options`: NULL for the usual ones.
/// - `seed`: one for each tensor of a run. `step`: another one each time.
/// - `gradient`: `gradient_len` = `rows * cols` values. With `HQ_NON_FINITE_ERROR` they are read twice, so give slices that
///   fit the cache: a row at a time will do.
/// - `weights`: `weights_size` = `hq_matrix_size(format, rows, cols)` bytes: these rows, packed.
/// - `inertia`: `inertia_len` = `rows * cols` values: those of these rows.
/// - `report`: what happened.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (another format), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range), `HQ_ERROR_SHAPE` (a
/// length), `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. Weights, inertia and report are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static uint8_t weights[HQ_TQ2_0_ROW_SIZE(4)], scratch[64];
/// static int8_t inertia[4];
/// const float zeros[4] = {0.0f}, gradient[4] = {0.5f, 0.0f, -0.6f, 0.0f};
/// hq_latent_free_options options;
/// hq_latent_free_report report;
/// uint64_t step, flips = 0;
/// assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 1, 4, zeros, 4, weights, sizeof weights, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_latent_free_options_init(&options) == HQ_OK);
/// options.rate = 10.0f;
/// options.threshold = 20;
/// for (step = 0; step < 4; step++) {
///     assert(hq_latent_free_update(HQ_FORMAT_TQ2_0, &options, 1, step, 0, 1, 4, gradient, 4, weights, sizeof weights,
///                                  inertia, 4, &report) == HQ_OK);
///     flips += report.raised + report.lowered;
/// }
/// assert(flips == 2 && report.zeros == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_latent_free_update(
    format: i32,
    options: *const hq_latent_free_options,
    seed: u64,
    step: u64,
    first_row: usize,
    rows: usize,
    cols: usize,
    gradient: *const f32,
    gradient_len: usize,
    weights: *mut u8,
    weights_size: usize,
    inertia: *mut i8,
    inertia_len: usize,
    report: *mut hq_latent_free_report,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let options = Input::optional(options)?;
        let gradient = Input::new(gradient, gradient_len)?;
        let weights = Output::new(weights, weights_size)?;
        let inertia = Output::new(inertia, inertia_len)?;
        let report = Output::new(report, 1)?;
        let outputs = [weights.span(), inertia.span(), report.span()];
        disjoint(&outputs, &[gradient.span(), options.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (gradient, options) = unsafe { (gradient.slice(), options.slice()) };
        // SAFETY: as above.
        let (weights, inertia) = unsafe { (weights.slice(), inertia.slice()) };
        let options = chosen(options.first())?;
        let clock = Clock { seed, step };
        let done = update(format, &options, clock, first_row, rows, cols, gradient, weights, inertia)?;
        // SAFETY: as above.
        unsafe { report.write(reported(done)) };
        Ok(())
    })
}

/// Bytes of inertia in 4 bits for `rows` x `cols` weights, `ceil(cols / 2)` a row; they start as zeros. `SIZE_MAX` on
/// overflow.
///
/// ```c
/// assert(hq_latent_free_int4_size(10, 65) == 330);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_latent_free_int4_size(rows: usize, cols: usize) -> usize {
    size(|| int4_len(rows, cols))
}

/// Bytes of the whole training state of `rows` x `cols` weights with inertia in 4 bits: 0.7 to 0.76 a weight. `SIZE_MAX` on
/// overflow and for formats that are not ternary.
///
/// ```c
/// assert(hq_latent_free_int4_state_size(HQ_FORMAT_TQ2_0, 512, 512) == 512 * 256 + 512 * HQ_TQ2_0_ROW_SIZE(512));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_latent_free_int4_state_size(format: i32, rows: usize, cols: usize) -> usize {
    size(|| state_bytes_int4(Format::from_i32(format)?, rows, cols))
}

/// `hq_latent_free_update` with inertia in 4 bits, two values a byte: half the state, for thresholds of 1 to 8.
///
/// Trits and report are those of `hq_latent_free_update` with the same options.
///
/// - `inertia`: `inertia_size` = `hq_latent_free_int4_size(rows, cols)` bytes: those of these rows. 64 values of a row are 32
///   bytes (what is left at its end fewer), byte `j` with value `j` in its low half and value `32 + j` in its high half.
/// - all others: as there. `options` must not be NULL, as the usual threshold is 64.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: as `hq_latent_free_update`; `HQ_ERROR_INVALID_ARGUMENT` for a threshold above 8. Weights, inertia and report are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static uint8_t weights[HQ_TQ2_0_ROW_SIZE(4)], inertia[2], scratch[64];
/// const float zeros[4] = {0.0f}, gradient[4] = {0.5f, 0.0f, -0.75f, 0.0f};
/// hq_latent_free_options options;
/// hq_latent_free_report report;
/// uint64_t step, flips = 0;
/// assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 1, 4, zeros, 4, weights, sizeof weights, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_latent_free_options_init(&options) == HQ_OK);
/// options.rate = 4.0f;
/// options.threshold = 8;
/// for (step = 0; step < 4; step++) {
///     assert(hq_latent_free_update_int4(HQ_FORMAT_TQ2_0, &options, 1, step, 0, 1, 4, gradient, 4, weights,
///                                       sizeof weights, inertia, sizeof inertia, &report) == HQ_OK);
///     flips += report.raised + report.lowered;
/// }
/// assert(flips == 2 && report.zeros == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_latent_free_update_int4(
    format: i32,
    options: *const hq_latent_free_options,
    seed: u64,
    step: u64,
    first_row: usize,
    rows: usize,
    cols: usize,
    gradient: *const f32,
    gradient_len: usize,
    weights: *mut u8,
    weights_size: usize,
    inertia: *mut u8,
    inertia_size: usize,
    report: *mut hq_latent_free_report,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let options = Input::new(options, 1)?;
        let gradient = Input::new(gradient, gradient_len)?;
        let weights = Output::new(weights, weights_size)?;
        let inertia = Output::new(inertia, inertia_size)?;
        let report = Output::new(report, 1)?;
        let outputs = [weights.span(), inertia.span(), report.span()];
        disjoint(&outputs, &[gradient.span(), options.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (gradient, options) = unsafe { (gradient.slice(), options.slice()) };
        // SAFETY: as above.
        let (weights, inertia) = unsafe { (weights.slice(), inertia.slice()) };
        let options = chosen(options.first())?;
        let clock = Clock { seed, step };
        let done = update_int4(format, &options, clock, first_row, rows, cols, gradient, weights, inertia)?;
        // SAFETY: as above.
        unsafe { report.write(reported(done)) };
        Ok(())
    })
}
