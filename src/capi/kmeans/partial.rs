//! One iteration in parts that merge: for ranks, threads, and devices that are interrupted.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{
    self, Empty, Frame, Step, limits_add, limits_clear, limits_len, limits_merge, partial_len,
};

use super::fit::points;

/// What `hq_kmeans_update` has found.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_step {
    /// The largest distance that a centre has moved.
    pub shift: f32,
    /// The sum of weighted squared distances to the centres before the update, those that the labels belong to.
    pub inertia: f32,
    /// Clusters without weight, before the policy was applied.
    pub empty: u32,
}

const _: () = assert!(size_of::<hq_kmeans_step>() == 12);

/// Floats of the limits of `d` features: `2 d + 2`. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_kmeans_limits_len(3) == 8);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_limits_len(d: usize) -> usize {
    size(|| limits_len(d))
}

/// Makes limits empty, to add points to.
///
/// - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`.
///
/// # Safety
/// The pointer is valid for the length given with it.
///
/// ```c
/// float limits[4];
/// assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_limits_clear(limits: *mut f32, limits_len: usize) -> hq_status {
    status(|| {
        let limits = Output::new(limits, limits_len)?;
        // SAFETY: the caller vouches for the memory.
        limits_clear(unsafe { limits.slice() });
        Ok(())
    })
}

/// Adds points to limits: where the data lie, which fixes the units of all sums.
///
/// Limits of parts of the data are merged by `hq_kmeans_limits_merge`; over MPI by `MPI_Allreduce` with `MPI_MAX` and
/// `MPI_FLOAT`, in place. NaN, infinity and negative weights are refused here.
///
/// - `x`: `x_len` = `n * d` values, row after row; `d` at least 1.
/// - `weights`: `weights_len` = `n` weights >= 0, or NULL with `weights_len` 0: all 1.
/// - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` 0, a negative weight), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `limits` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[3] = {1.0f, -2.0f, 0.5f};
/// float limits[4];
/// assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
/// assert(hq_kmeans_limits_add(3, 1, x, 3, NULL, 0, limits, 4) == HQ_OK);
/// assert(limits[0] == 1.0f && limits[1] == 2.0f); // the largest value, and the largest negated one
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_limits_add(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    limits: *mut f32,
    limits_len: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let limits = Output::new(limits, limits_len)?;
        disjoint(&[limits.span()], &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        let (x, weights, limits) = unsafe { (x.slice(), weights.slice(), limits.slice()) };
        limits_add(&points(n, d, x, weights)?, limits)
    })
}

/// Adds limits to limits: the larger of each.
///
/// - `limits`, `other`: the same length. They must not overlap.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`. `limits` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// float limits[4] = {1.0f, 2.0f, 1.0f, 0.0f};
/// const float other[4] = {0.0f, 3.0f, 1.0f, 0.0f};
/// assert(hq_kmeans_limits_merge(limits, 4, other, 4) == HQ_OK && limits[0] == 1.0f && limits[1] == 3.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_limits_merge(
    limits: *mut f32,
    limits_len: usize,
    other: *const f32,
    other_len: usize,
) -> hq_status {
    status(|| {
        let limits = Output::new(limits, limits_len)?;
        let other = Input::new(other, other_len)?;
        disjoint(&[limits.span()], &[other.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        limits_merge(unsafe { limits.slice() }, unsafe { other.slice() })
    })
}

/// `int64_t` of a partial for `k` centres: `k * (d + 2) + 13`. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_kmeans_partial_len(4, 2) == 4 * 4 + 13);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_partial_len(k: usize, d: usize) -> usize {
    size(|| partial_len(k, d))
}

/// Labels points and adds them to a partial.
///
/// A partial is an array of `int64_t`, which the caller fills with zeros at the start of an iteration. Those of parts of
/// the data are merged by adding them up, in any order: by `hq_kmeans_merge`, or over MPI by `MPI_Allreduce` with `MPI_SUM` and
/// `MPI_INT64_T`, in place. The bits of what `hq_kmeans_update` makes of the sum do not depend on how the data were
/// split. The function may be called for one row range after the other.
///
/// - `rows`: how many rows there are in all, in all parts.
/// - `limits`: `limits_len` = `hq_kmeans_limits_len(d)` floats, merged from all parts.
/// - `x`: `x_len` = `n * d` values, row after row, which have been added to the limits.
/// - `weights`: `weights_len` = `n` weights, or NULL with `weights_len` 0: all 1. All parts have weights, or none.
/// - `centers`: `centers_len` = `k * d` finite values, the same in all parts.
/// - `labels`: at least `n` numbers, of which just those are written.
/// - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, added to.
/// - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `rows` 0, a point or weight outside the limits, no weight above 0),
/// `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for
/// more than 2^31 rows), `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
/// float limits[4], centers[2] = {0.0f, 12.0f};
/// int64_t partial[2 * 3 + 13] = {0};
/// uint32_t labels[5];
/// uint8_t scratch[16384];
/// hq_kmeans_step step;
/// assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
/// assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
/// assert(hq_kmeans_limits_add(5, 1, x, 5, NULL, 0, limits, 4) == HQ_OK);
/// for (size_t i = 0; i < 5; i++) // row by row, as an interrupt would have it
///     assert(hq_kmeans_accumulate(5, limits, 4, 1, 1, x + i, 1, NULL, 0, 2, centers, 2, labels + i, 1, partial, 19,
///                                 scratch, sizeof scratch) == HQ_OK);
/// assert(hq_kmeans_update(5, limits, 4, 2, partial, 19, HQ_EMPTY_KEEP, centers, 2, &step) == HQ_OK);
/// assert(centers[0] == 1.0f && centers[1] == 11.0f && step.inertia == 9.0f && step.shift == 1.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_accumulate(
    rows: usize,
    limits: *const f32,
    limits_len: usize,
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    labels: *mut u32,
    labels_len: usize,
    partial: *mut i64,
    partial_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let limits = Input::new(limits, limits_len)?;
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let centers = Input::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let partial = Output::new(partial, partial_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let inputs = [limits.span(), x.span(), weights.span(), centers.span()];
        disjoint(&[labels.span(), partial.span(), scratch.span()], &inputs)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (limits, x, weights) = unsafe { (limits.slice(), x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (centers, labels) = unsafe { (centers.slice(), labels.slice()) };
        // SAFETY: as above.
        let (partial, scratch) = unsafe { (partial.slice(), scratch.slice()) };
        let frame = Frame::new(rows, limits)?;
        kmeans::accumulate(&points(n, d, x, weights)?, &frame, k, centers, labels, partial, scratch)
    })
}

/// Adds a partial to a partial, element by element.
///
/// - `partial`, `other`: the same length. They must not overlap.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`. `partial` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// int64_t partial[2] = {1, 2};
/// const int64_t other[2] = {10, -2};
/// assert(hq_kmeans_merge(partial, 2, other, 2) == HQ_OK && partial[0] == 11 && partial[1] == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_merge(
    partial: *mut i64,
    partial_len: usize,
    other: *const i64,
    other_len: usize,
) -> hq_status {
    status(|| {
        let partial = Output::new(partial, partial_len)?;
        let other = Input::new(other, other_len)?;
        disjoint(&[partial.span()], &[other.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        kmeans::merge(unsafe { partial.slice() }, unsafe { other.slice() })
    })
}

/// Moves the centres to the means that a merged partial of all the data stands for.
///
/// - `rows`, `limits`: as for `hq_kmeans_accumulate`.
/// - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers.
/// - `empty`: `HQ_EMPTY_*`, what becomes of a cluster without weight; `HQ_EMPTY_FARTHEST` is refused: see
///   `hq_kmeans_update_farthest`.
/// - `centers`: `centers_len` = `k * d` floats: in, those that the partial was accumulated with; out, the new ones.
/// - `step`: how far they moved, and the inertia before.
///
/// Buffers must not overlap. Callable from any thread. Iterate until `step.shift` is 0, or small enough.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`,
/// `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_FARTHEST`), `HQ_ERROR_EMPTY_CLUSTER` (only with `HQ_EMPTY_ERROR`), `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_NON_FINITE`. `centers` and `step` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
/// const int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
/// float center = 1.0f;
/// hq_kmeans_step step;
/// assert(hq_kmeans_update(3, limits, 4, 1, partial, 16, HQ_EMPTY_KEEP, &center, 1, &step) == HQ_OK);
/// assert(center == 0.0f && step.shift == 1.0f && step.empty == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_update(
    rows: usize,
    limits: *const f32,
    limits_len: usize,
    k: usize,
    partial: *const i64,
    partial_len: usize,
    empty: i32,
    centers: *mut f32,
    centers_len: usize,
    step: *mut hq_kmeans_step,
) -> hq_status {
    status(|| {
        let empty = Empty::from_i32(empty)?;
        let limits = Input::new(limits, limits_len)?;
        let partial = Input::new(partial, partial_len)?;
        let centers = Output::new(centers, centers_len)?;
        let step = Output::new(step, 1)?;
        disjoint(&[centers.span(), step.span()], &[limits.span(), partial.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (limits, partial, centers) = unsafe { (limits.slice(), partial.slice(), centers.slice()) };
        let frame = Frame::new(rows, limits)?;
        let Step { shift, inertia, empty } = kmeans::update(&frame, k, partial, empty, centers)?;
        // SAFETY: as above.
        unsafe { step.write(hq_kmeans_step { shift, inertia, empty: empty as u32 }) };
        Ok(())
    })
}
