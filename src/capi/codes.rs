//! Room `quant`: codes without packing, and int8 activations.

use core::ffi::c_void;

use crate::Error;
use crate::quant::{self, ActBlock, NonFinite};

use super::hq_status;
use super::pointers::{Input, Output, disjoint, size, status};
use super::quant::{fit, hq_act_block, hq_quantize_options, hq_ternary};

/// Bytes of scratch that `hq_fit_ternary`, `hq_ternary_codes` and `hq_five_level_codes` need for `len` values: 0
/// for fits that do not sort (absmean, absmax, fixed), else at most `HQ_FIT_SCRATCH_SIZE(len)`.
///
/// `SIZE_MAX` for options that those functions would refuse, and on overflow. `options` may be NULL: the
/// defaults (mse; NaN and infinity refused). Its `granularity` is not read: all values share one scale.
///
/// # Safety
/// `options` is NULL or points to one readable struct.
///
/// ```c
/// assert(hq_codes_workspace_size(NULL, 1000) == HQ_FIT_SCRATCH_SIZE(1000));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_codes_workspace_size(options: *const hq_quantize_options, len: usize) -> usize {
    size(|| {
        // SAFETY: the caller vouches for the memory.
        let (fit, _) = unsafe { fit(options)? };
        quant::codes_workspace_size(fit, len)
    })
}

/// Fits trits to `len` floats without encoding them: for a tensor in slices, whose parts are then encoded with
/// `HQ_FIT_FIXED` and the numbers found.
///
/// - `options`: as `hq_codes_workspace_size`.
/// - `scratch`: at least `hq_codes_workspace_size(options, len)` bytes at any alignment.
/// - `result`: one struct.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_INVALID_ARGUMENT`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
/// `HQ_ERROR_NON_FINITE`. `result` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {1.0f, -3.0f, 0.1f, 3.0f};
/// uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
/// hq_ternary found;
/// assert(hq_fit_ternary(NULL, x, 4, scratch, sizeof scratch, &found) == HQ_OK);
/// assert(found.scale == 3.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_fit_ternary(
    options: *const hq_quantize_options,
    x: *const f32,
    len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    result: *mut hq_ternary,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let (fit, non_finite) = unsafe { fit(options)? };
        let x = Input::new(x, len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span(), scratch.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, scratch) = unsafe { (x.slice(), scratch.slice()) };
        let found = quant::fit_ternary(fit, non_finite, x, scratch)?;
        // SAFETY: as above.
        unsafe { result.write(found.into()) };
        Ok(())
    })
}

/// Writes one trit (-1, 0, 1) per float, and the scale in 32 bits: for gradients, whose magnitudes a packed
/// format's 16-bit scale could not hold. All values share one scale.
///
/// - `options`: as `hq_codes_workspace_size`. `HQ_FIT_NORM_PRESERVING` keeps the length of a gradient.
/// - `codes`: at least `len` bytes, of which just those are written.
/// - `scratch`: at least `hq_codes_workspace_size(options, len)` bytes at any alignment.
/// - `result`: one struct.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_fit_ternary`, and `HQ_ERROR_OUTPUT_TOO_SMALL`. `codes` and `result` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float gradient[4] = {3e-9f, -1e-10f, -3e-9f, 0.0f};
/// int8_t codes[4];
/// uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
/// hq_ternary found;
/// assert(hq_ternary_codes(NULL, gradient, 4, codes, 4, scratch, sizeof scratch, &found) == HQ_OK);
/// assert(codes[0] == 1 && codes[1] == 0 && codes[2] == -1 && codes[3] == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_ternary_codes(
    options: *const hq_quantize_options,
    x: *const f32,
    len: usize,
    codes: *mut i8,
    codes_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    result: *mut hq_ternary,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let (fit, non_finite) = unsafe { fit(options)? };
        let x = Input::new(x, len)?;
        let codes = Output::new(codes, codes_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span(), codes.span(), scratch.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, codes, scratch) = unsafe { (x.slice(), codes.slice(), scratch.slice()) };
        let found = quant::ternary_codes(fit, non_finite, x, codes, scratch)?;
        // SAFETY: as above.
        unsafe { result.write(found.into()) };
        Ok(())
    })
}

/// Writes one code -2..2 per float; code c stands for `c * scale / 2`. All values share one scale.
///
/// - `options`, `codes`, `scratch`: as `hq_ternary_codes`.
/// - `scale`: one float, the value of code 2.
///
/// Buffers must not overlap. Callable from any thread. Errors: those of `hq_ternary_codes`; `codes` and `scale`
/// are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {2.0f, -1.0f, 0.0f, -2.0f};
/// int8_t codes[4];
/// uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
/// float scale;
/// assert(hq_five_level_codes(NULL, x, 4, codes, 4, scratch, sizeof scratch, &scale) == HQ_OK);
/// assert(scale == 2.0f && codes[0] == 2 && codes[1] == -1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_five_level_codes(
    options: *const hq_quantize_options,
    x: *const f32,
    len: usize,
    codes: *mut i8,
    codes_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    scale: *mut f32,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let (fit, non_finite) = unsafe { fit(options)? };
        let x = Input::new(x, len)?;
        let codes = Output::new(codes, codes_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let scale = Output::new(scale, 1)?;
        disjoint(&[scale.span(), codes.span(), scratch.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, codes, scratch) = unsafe { (x.slice(), codes.slice(), scratch.slice()) };
        let found = quant::five_level_codes(fit, non_finite, x, codes, scratch)?;
        // SAFETY: as above.
        unsafe { scale.write(found.scale) };
        Ok(())
    })
}

/// Blocks that a vector of `cols` activations takes: `cols / 256`, rounded up. `HQ_ACT_COUNT(cols)` is the same
/// for static buffers.
///
/// ```c
/// assert(hq_act_count(0) == 0 && hq_act_count(257) == 2 && hq_act_count(257) == HQ_ACT_COUNT(257));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_act_count(cols: usize) -> usize {
    ActBlock::count(cols)
}

/// Quantizes `batch` vectors of `cols` floats to int8, blocks of 256: code = x * (127 / max |x|), to nearest,
/// ties to even.
///
/// - `x`: exactly `batch * cols` floats, one vector after the other; `x_len` counts floats.
/// - `non_finite`: `HQ_NON_FINITE_*`.
/// - `out`: at least `batch * hq_act_count(cols)` blocks, of which just those are written; `out_len` counts
///   blocks.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `out` is
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[3] = {0.5f, -1.0f, 0.25f};
/// hq_act_block acts[HQ_ACT_COUNT(3)];
/// assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
/// assert(acts[0].codes[1] == -127);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize_activations(
    batch: usize,
    cols: usize,
    x: *const f32,
    x_len: usize,
    non_finite: i32,
    out: *mut hq_act_block,
    out_len: usize,
) -> hq_status {
    status(|| {
        let non_finite = NonFinite::from_i32(non_finite)?;
        let x = Input::new(x, x_len)?;
        let out = Output::<ActBlock>::new(out.cast(), out_len)?;
        disjoint(&[out.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; the buffers do not overlap.
        let (x, out) = unsafe { (x.slice(), out.slice()) };
        quant::quantize_activations(batch, cols, x, non_finite, out)
    })
}

/// Decodes `cols` activations from their blocks: code * scale.
///
/// - `acts`: at least `hq_act_count(cols)` blocks; `acts_len` counts blocks.
/// - `out`: at least `cols` floats, of which just those are written.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_SHAPE` (too few blocks), `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// hq_act_block acts[1] = {{0.5f, {2, -4}, {-2}}};
/// float x[2];
/// assert(hq_dequantize_activations(2, acts, 1, x, 2) == HQ_OK);
/// assert(x[0] == 1.0f && x[1] == -2.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_dequantize_activations(
    cols: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    out: *mut f32,
    out_len: usize,
) -> hq_status {
    status(|| {
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let out = Output::new(out, out_len)?;
        disjoint(&[out.span()], &[acts.span()])?;
        // SAFETY: the caller vouches for the memory; the buffers do not overlap.
        let (acts, out) = unsafe { (acts.slice(), out.slice()) };
        quant::dequantize_activations(acts, out.get_mut(..cols).ok_or(Error::OutputTooSmall)?)
    })
}
