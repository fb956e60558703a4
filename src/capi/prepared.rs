//! Room `linear`: what a caller makes once, of weights at load and of a vector before many products.

use core::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use crate::linear::{self, ActTable, Packed, Prepared};
use crate::quant::{ActBlock, Format};

use super::hq_status;
use super::pointers::{Input, Output, disjoint, size, status};
use super::quant::hq_act_block;

/// What a block of activations costs once in products with base-3 weights; 516 bytes. Made by `hq_act_tables`.
///
/// A form in memory, in the byte order of the machine: not for files.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_act_table {
    /// Sum of the codes.
    pub sum: i32,
    /// In an order of the library's own.
    pub coefficients: [[i16; 16]; 16],
}

const _: () = {
    assert!(size_of::<hq_act_table>() == 516 && size_of::<ActTable>() == 516);
    assert!(align_of::<hq_act_table>() == align_of::<ActTable>() && align_of::<ActTable>() == 4);
    assert!(offset_of!(hq_act_table, coefficients) == 4);
};

/// Bytes of a prepared `rows` x `cols` matrix: `528 * ceil(rows / 8) * ceil(cols / 256)`, 2.0625 bits a weight.
/// `HQ_PREPARED_SIZE(rows, cols)` is the same as a constant expression.
///
/// `SIZE_MAX` if that overflows.
///
/// ```c
/// assert(hq_prepared_size(2, 3) == 528 && hq_prepared_size(9, 257) == 4 * 528);
/// assert(hq_prepared_size(9, 257) == HQ_PREPARED_SIZE(9, 257));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_prepared_size(rows: usize, cols: usize) -> usize {
    size(|| linear::prepared_size(rows, cols))
}

/// Interleaves the rows of a ternary matrix by eights, once at load, for faster products: `hq_matvec_prepared` and
/// `hq_matmul_prepared`. The packed bytes are not needed afterwards.
///
/// - `format`: `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_TQ2_0`; both give the same bytes for the same trits and scales.
/// - `weights`: exactly `hq_matrix_size(format, rows, cols)` bytes, any alignment.
/// - `out`: at least `hq_prepared_size(rows, cols)` bytes, of which just those are written; any alignment, 64 is fastest.
///
/// The layout is a form in memory of this version of the library, the same on every machine: not for files. Threads
/// that share the work take a multiple of eight rows each. `out` must not overlap `weights`.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (another format), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float w[6] = {1.0f, 0.0f, -1.0f, 0.0f, 1.0f, 1.0f}; // 2 x 3
/// const float x[3] = {127.0f, 5.0f, 27.0f};
/// uint8_t packed[2 * HQ_TQ1_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
/// static uint8_t prepared[HQ_PREPARED_SIZE(2, 3)];
/// hq_act_block acts[HQ_ACT_COUNT(3)];
/// float y[2];
/// assert(hq_quantize(HQ_FORMAT_TQ1_0, NULL, 2, 3, w, 6, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_prepare(HQ_FORMAT_TQ1_0, 2, 3, packed, sizeof packed, prepared, sizeof prepared) == HQ_OK);
/// assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, HQ_ACT_COUNT(3)) == HQ_OK);
/// assert(hq_matvec_prepared(2, 3, prepared, sizeof prepared, acts, HQ_ACT_COUNT(3), y, 2) == HQ_OK);
/// assert(y[0] == 100.0f && y[1] == 32.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_prepare(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    out: *mut u8,
    out_size: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let weights = Input::new(weights, weights_size)?;
        let out = Output::new(out, out_size)?;
        disjoint(&[out.span()], &[weights.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (weights, out) = unsafe { (weights.slice(), out.slice()) };
        linear::prepare(&Packed::new(format, rows, cols, weights)?, out).map(|_| ())
    })
}

/// `y = W a` of a prepared matrix: `hq_matvec` with the same bits as the packed matrix gives.
///
/// - `prepared`: exactly `hq_prepared_size(rows, cols)` bytes that `hq_prepare` wrote for this shape.
/// - `acts`: at least `hq_act_count(cols)` blocks of the vector; `acts_len` counts blocks.
/// - `y`: at least `rows` floats, of which just those are written; `y_len` counts floats.
///
/// Buffers must not overlap. Callable from any thread; threads that share a product take a multiple of eight rows each
/// (`prepared + r / 8 * hq_prepared_size(8, cols)`).
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_SHAPE`, `HQ_ERROR_OUTPUT_TOO_SMALL`. `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const uint8_t zeros[HQ_PREPARED_SIZE(3, 5)]; // scales of zero
/// const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
/// float y[3];
/// assert(hq_matvec_prepared(3, 5, zeros, sizeof zeros, acts, 1, y, 3) == HQ_OK);
/// assert(y[0] == 0.0f && y[1] == 0.0f && y[2] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matvec_prepared(
    rows: usize,
    cols: usize,
    prepared: *const u8,
    prepared_size: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    // SAFETY: the contract is the same.
    unsafe { hq_matmul_prepared(rows, cols, prepared, prepared_size, 1, acts, acts_len, y, y_len) }
}

/// `Y = A W^T` of a prepared matrix: `hq_matmul` with the same bits as the packed matrix gives.
///
/// - `prepared`: exactly `hq_prepared_size(rows, cols)` bytes that `hq_prepare` wrote for this shape.
/// - `acts`: at least `batch * hq_act_count(cols)` blocks, one vector after the other.
/// - `y`: at least `batch * rows` floats, of which just those are written: output of row `r` for vector `b` is
///   `y[b * rows + r]`.
///
/// Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec_prepared`; `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// static const uint8_t zeros[HQ_PREPARED_SIZE(1, 5)]; // scales of zero
/// const hq_act_block acts[2] = {{1.0f, {1, 1}, {2}}, {0.5f, {4}, {4}}};
/// float y[2];
/// assert(hq_matmul_prepared(1, 5, zeros, sizeof zeros, 2, acts, 2, y, 2) == HQ_OK);
/// assert(y[0] == 0.0f && y[1] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matmul_prepared(
    rows: usize,
    cols: usize,
    prepared: *const u8,
    prepared_size: usize,
    batch: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    status(|| {
        let prepared = Input::new(prepared, prepared_size)?;
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let y = Output::new(y, y_len)?;
        disjoint(&[y.span()], &[prepared.span(), acts.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (prepared, acts, y) = unsafe { (prepared.slice(), acts.slice(), y.slice()) };
        linear::matmul_prepared(&Prepared::new(rows, cols, prepared)?, batch, acts, y)
    })
}

/// Makes the tables of `acts_len` activation blocks, one each: for `hq_matvec_with_tables`.
///
/// - `tables`: at least `acts_len` tables, of which just those are written; `tables_len` counts tables.
///
/// Buffers must not overlap. Callable from any thread. Same bits on every tier and target.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`. `tables` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const hq_act_block acts[1] = {{1.0f, {1, 2, 3, 4, 5}, {15}}};
/// hq_act_table tables[1];
/// assert(hq_act_tables(acts, 1, tables, 1) == HQ_OK);
/// assert(tables[0].sum == 15);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_act_tables(
    acts: *const hq_act_block,
    acts_len: usize,
    tables: *mut hq_act_table,
    tables_len: usize,
) -> hq_status {
    status(|| {
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let tables = Output::<ActTable>::new(tables.cast(), tables_len)?;
        disjoint(&[tables.span()], &[acts.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (acts, tables) = unsafe { (acts.slice(), tables.slice()) };
        linear::act_tables(acts, tables)
    })
}

/// `hq_matvec` with the tables of the activations made before: a caller who multiplies many matrices, or threads that
/// share one, with the same vector pay for them once. Of use for `HQ_FORMAT_TQ1_0`; other formats do not look at them.
///
/// - `weights`, `acts`, `y`: as for `hq_matvec`.
/// - `tables`: at least `hq_act_count(cols)` tables, made by `hq_act_tables` of those `acts`.
///
/// Same bits as `hq_matvec`. Buffers must not overlap. Callable from any thread. Errors: those of `hq_matvec`,
/// `HQ_ERROR_SHAPE` too for too few tables; `y` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float w[3] = {1.0f, 0.0f, -1.0f}, x[3] = {127.0f, 5.0f, 27.0f};
/// uint8_t packed[HQ_TQ1_0_ROW_SIZE(3)], scratch[HQ_FIT_SCRATCH_SIZE(3)];
/// hq_act_block acts[HQ_ACT_COUNT(3)];
/// hq_act_table tables[HQ_ACT_COUNT(3)];
/// float y[1];
/// assert(hq_quantize(HQ_FORMAT_TQ1_0, NULL, 1, 3, w, 3, packed, sizeof packed, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_quantize_activations(1, 3, x, 3, HQ_NON_FINITE_ERROR, acts, 1) == HQ_OK);
/// assert(hq_act_tables(acts, 1, tables, 1) == HQ_OK);
/// assert(hq_matvec_with_tables(HQ_FORMAT_TQ1_0, 1, 3, packed, sizeof packed, acts, 1, tables, 1, y, 1) == HQ_OK);
/// assert(y[0] == 100.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_matvec_with_tables(
    format: i32,
    rows: usize,
    cols: usize,
    weights: *const u8,
    weights_size: usize,
    acts: *const hq_act_block,
    acts_len: usize,
    tables: *const hq_act_table,
    tables_len: usize,
    y: *mut f32,
    y_len: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let weights = Input::new(weights, weights_size)?;
        let acts = Input::<ActBlock>::new(acts.cast(), acts_len)?;
        let tables = Input::<ActTable>::new(tables.cast(), tables_len)?;
        let y = Output::new(y, y_len)?;
        disjoint(&[y.span()], &[weights.span(), acts.span(), tables.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (weights, acts, tables, y) =
            unsafe { (weights.slice(), acts.slice(), tables.slice(), y.slice()) };
        linear::matvec_with_tables(&Packed::new(format, rows, cols, weights)?, acts, tables, y)
    })
}
