//! Room `linear`: packed weights times int8 and f32 activations.

use crate::linear::{self, Packed};
use crate::quant::{ActBlock, Format};

use super::hq_status;
use super::pointers::{Input, Output, disjoint, status};
use super::quant::hq_act_block;

/// One packed row times int8 activations.
///
/// - `row`: exactly `hq_row_size(format, cols)` bytes, any alignment.
/// - `acts`: at least `hq_act_count(cols)` blocks; `acts_len` counts blocks.
/// - `result`: one float.
///
/// Same bits on every tier and target. `result` must not overlap the inputs. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`. `result` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five weights of 1.0
/// const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
/// float result;
/// assert(hq_dot(HQ_FORMAT_DENSE_TERNARY, 5, row, sizeof row, acts, 1, &result) == HQ_OK);
/// assert(result == 15.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_dot(
    format: i32,
    cols: usize,
    row: *const u8,
    row_size: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    result: *mut f32,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let row = Input::new(row, row_size)?;
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[row.span(), acts.span()])?;
        // SAFETY: the caller vouches for the memory; the result overlaps nothing.
        let (row, acts) = unsafe { (row.slice(), acts.slice()) };
        let value = linear::dot(&Packed::new(format, 1, cols, row)?, acts)?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// `y = W a`: a packed `rows` x `cols` matrix times int8 activations.
///
/// - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
/// - `acts`: at least `hq_act_count(cols)` blocks of the vector; `acts_len` counts blocks.
/// - `y`: at least `rows` floats, of which just those are written; `y_len` counts floats.
///
/// Sums of codes are exact 32-bit integers; each of the n = `hq_act_count(cols)` blocks adds one rounded float
/// term, so |error| <= (n + 4) * 2^-24 * (sum of the terms' magnitudes). Same bits on every tier and target.
///
/// Buffers must not overlap. Callable from any thread; threads that share a product take a range of rows each
/// (`weights + r * hq_row_size(format, cols)`).
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float w[6] = {1.0f, 0.0f, -1.0f, 0.0f, 1.0f, 1.0f}; // 2 x 3
/// const float x[3] = {127.0f, 5.0f, 27.0f};
/// uint8_t packed[2 * HQ_TQ2_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
/// hq_act_block acts[HQ_ACT_COUNT(3)];
/// float y[2];
/// assert(hq_quantize(HQ_FORMAT_TQ2_0, NULL, 2, 3, w, 6, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
/// assert(hq_matvec(HQ_FORMAT_TQ2_0, 2, 3, packed, sizeof packed, acts, HQ_ACT_COUNT(3), y, 2) == HQ_OK);
/// assert(y[0] == 100.0f && y[1] == 32.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matvec(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    // SAFETY: the contract is the same.
    unsafe { hq_matmul(format, rows, cols, weights, weights_size, 1, acts, acts_len, y, y_len) }
}

/// `Y = A W^T`: a packed `rows` x `cols` matrix times `batch` vectors of int8 activations.
///
/// - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
/// - `acts`: at least `batch * hq_act_count(cols)` blocks, one vector after the other.
/// - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
///   `y[b * rows + r]`, with exactly the bits of `hq_matvec`.
///
/// Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t w[2 * 3] = {0xFF, 0x00, 0x3C, 0x00, 0x00, 0x3C}; // 2 x 5: ones; minus ones
/// const hq_act_block acts[2] = {{1.0f, {1, 1}, {2}}, {0.5f, {4}, {4}}};
/// float y[2 * 2];
/// assert(hq_matmul(HQ_FORMAT_DENSE_TERNARY, 2, 5, w, sizeof w, 2, acts, 2, y, 4) == HQ_OK);
/// assert(y[0] == 2.0f && y[1] == -2.0f && y[2] == 2.0f && y[3] == -2.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matmul(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    batch: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let weights = Input::new(weights, weights_size)?;
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let y = Output::new(y, y_len)?;
        disjoint(&[y.span()], &[weights.span(), acts.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (weights, acts, y) = unsafe { (weights.slice(), acts.slice(), y.slice()) };
        linear::matmul(&Packed::new(format, rows, cols, weights)?, batch, acts, y)
    })
}

/// One packed row times f32 activations.
///
/// - `row`: exactly `hq_row_size(format, cols)` bytes, any alignment.
/// - `x`: exactly `cols` floats.
/// - `result`: one float.
///
/// Same bits on every tier and target. `result` must not overlap the inputs. Callable from any thread.
///
/// Errors: those of `hq_dot`; `result` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five weights of 1.0
/// const float x[5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
/// float result;
/// assert(hq_dot_f32(HQ_FORMAT_DENSE_TERNARY, 5, row, sizeof row, x, 5, &result) == HQ_OK);
/// assert(result == 15.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_dot_f32(
    format: i32,
    cols: usize,
    row: *const u8,
    row_size: usize,
    x: *const f32,
    x_len: usize,
    result: *mut f32,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let row = Input::new(row, row_size)?;
        let x = Input::new(x, x_len)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[row.span(), x.span()])?;
        // SAFETY: the caller vouches for the memory; the result overlaps nothing.
        let (row, x) = unsafe { (row.slice(), x.slice()) };
        let value = linear::dot_f32(&Packed::new(format, 1, cols, row)?, x)?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// `y = W x`: a packed `rows` x `cols` matrix times f32 activations.
///
/// - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
/// - `x`: exactly `cols` floats. They follow IEEE: a zero weight times an infinity is NaN.
/// - `y`: at least `rows` floats, of which just those are written.
///
/// |error| <= (cols / 16 + cols / 128 + 8) * 2^-24 * (sum of |w x|). Same bits on every tier and target.
///
/// Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t w[2 * 3] = {0xFF, 0x00, 0x3C, 0x00, 0x00, 0x3C}; // 2 x 5: ones; minus ones
/// const float x[5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
/// float y[2];
/// assert(hq_matvec_f32(HQ_FORMAT_DENSE_TERNARY, 2, 5, w, sizeof w, x, 5, y, 2) == HQ_OK);
/// assert(y[0] == 15.0f && y[1] == -15.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matvec_f32(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    x: *const f32,
    x_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    // SAFETY: the contract is the same.
    unsafe { hq_matmul_f32(format, rows, cols, weights, weights_size, 1, x, x_len, y, y_len) }
}

/// `Y = X W^T`: a packed `rows` x `cols` matrix times `batch` vectors of floats.
///
/// - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
/// - `x`: exactly `batch * cols` floats, one vector after the other.
/// - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
///   `y[b * rows + r]`, with exactly the bits of `hq_matvec_f32`.
///
/// Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`; `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t w[3] = {0xFF, 0x00, 0x3C}; // 1 x 5: ones
/// const float x[2 * 5] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
/// float y[2];
/// assert(hq_matmul_f32(HQ_FORMAT_DENSE_TERNARY, 1, 5, w, sizeof w, 2, x, 10, y, 2) == HQ_OK);
/// assert(y[0] == 15.0f && y[1] == 5.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matmul_f32(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    batch: usize,
    x: *const f32,
    x_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let weights = Input::new(weights, weights_size)?;
        let x = Input::new(x, x_len)?;
        let y = Output::new(y, y_len)?;
        disjoint(&[y.span()], &[weights.span(), x.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (weights, x, y) = unsafe { (weights.slice(), x.slice(), y.slice()) };
        linear::matmul_f32(&Packed::new(format, rows, cols, weights)?, batch, x, y)
    })
}
