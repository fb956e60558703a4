//! `HQ_EMPTY_FARTHEST` in parts: candidates that merge.

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{self, Frame, Step};

use super::fit::points;
use super::partial::hq_kmeans_step;

/// `uint32_t` of the candidates for empty clusters: `k * (d + 4)`. `SIZE_MAX` for `k` 0, and on overflow.
///
/// ```c
/// assert(hq_kmeans_farthest_len(3, 10) == 42);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_farthest_len(k: usize, d: usize) -> usize {
    size(|| kmeans::farthest_len(k, d))
}

/// Adds the rows of a part of the data to the candidates for empty clusters, after `hq_kmeans_accumulate`.
///
/// Candidates are an array of `uint32_t` with the `k` rows that are farthest from their centres; the caller fills it with zeros at the
/// start of an iteration. Those of parts of the data are merged by `hq_kmeans_farthest_merge` (over MPI: gather them, and merge one
/// after the other), in any order.
///
/// - `rows`, `limits`: as for `hq_kmeans_accumulate`.
/// - `first`: the number of the part's first row in all the data: every row has a number of its own, below 2^31.
/// - `x`, `weights`, `centers`: as for `hq_kmeans_accumulate`.
/// - `labels`: `labels_len` = `n` numbers, as `hq_kmeans_accumulate` gave them for these centres.
/// - `farthest`: `farthest_len` = `hq_kmeans_farthest_len(k, d)` numbers, added to.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `rows` 0, a point or weight outside the limits, a label that is not below `k`, no weight above 0),
/// `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_NON_FINITE`. `farthest` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.0f, 1.0f, 2.0f, 9.0f};
/// float limits[4], centers[2] = {1.0f, 100.0f}; // nobody is near the second
/// int64_t partial[2 * 3 + 13] = {0};
/// uint32_t labels[4], farthest[2 * 5] = {0};
/// uint8_t scratch[16384];
/// hq_kmeans_step step;
/// assert(hq_kmeans_limits_clear(limits, 4) == HQ_OK);
/// assert(hq_kmeans_limits_add(4, 1, x, 4, NULL, 0, limits, 4) == HQ_OK);
/// assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
/// assert(hq_kmeans_accumulate(4, limits, 4, 4, 1, x, 4, NULL, 0, 2, centers, 2, labels, 4, partial, 19, scratch,
///                             sizeof scratch) == HQ_OK);
/// assert(hq_kmeans_farthest_add(4, limits, 4, 0, 4, 1, x, 4, NULL, 0, 2, centers, 2, labels, 4, farthest, 10) == HQ_OK);
/// assert(hq_kmeans_update_farthest(4, limits, 4, 2, partial, 19, farthest, 10, centers, 2, &step) == HQ_OK);
/// assert(centers[0] == 1.0f && centers[1] == 9.0f && step.empty == 1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_farthest_add(
    rows: usize,
    limits: *const f32,
    limits_len: usize,
    first: usize,
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    labels: *const u32,
    labels_len: usize,
    farthest: *mut u32,
    farthest_len: usize,
) -> hq_status {
    status(|| {
        let limits = Input::new(limits, limits_len)?;
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let centers = Input::new(centers, centers_len)?;
        let labels = Input::new(labels, labels_len)?;
        let farthest = Output::new(farthest, farthest_len)?;
        let inputs = [limits.span(), x.span(), weights.span(), centers.span(), labels.span()];
        disjoint(&[farthest.span()], &inputs)?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        let (limits, x, weights) = unsafe { (limits.slice(), x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (centers, labels, farthest) = unsafe { (centers.slice(), labels.slice(), farthest.slice()) };
        let frame = Frame::new(rows, limits)?;
        kmeans::farthest_add(&points(n, d, x, weights)?, &frame, first, k, centers, labels, farthest)
    })
}

/// Merges the candidates of two parts of the data, which have no row in common, in any order.
///
/// - `farthest`, `other`: `hq_kmeans_farthest_len(k, d)` numbers each. They must not overlap.
///
/// Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
/// `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `farthest` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// uint32_t farthest[5] = {0};
/// const uint32_t other[5] = {0x3F800000, 7, 0, 1, 0x40000000}; // row 7, at distance 1
/// assert(hq_kmeans_farthest_merge(1, 1, farthest, 5, other, 5) == HQ_OK && farthest[1] == 7);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_farthest_merge(
    k: usize,
    d: usize,
    farthest: *mut u32,
    farthest_len: usize,
    other: *const u32,
    other_len: usize,
) -> hq_status {
    status(|| {
        let farthest = Output::new(farthest, farthest_len)?;
        let other = Input::new(other, other_len)?;
        disjoint(&[farthest.span()], &[other.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        kmeans::farthest_merge(k, d, unsafe { farthest.slice() }, unsafe { other.slice() })
    })
}

/// As `hq_kmeans_update` with `HQ_EMPTY_FARTHEST`: every cluster without weight gets the row that is farthest from its centre, among
/// those that do not leave their own cluster without weight; then the centres move to their means. This is the step that `hq_kmeans_fit`
/// takes, to the bit.
///
/// - `rows`, `limits`: as for `hq_kmeans_accumulate`.
/// - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, of all the data; the rows are moved to their new clusters in it.
/// - `farthest`: `farthest_len` = `hq_kmeans_farthest_len(k, d)` numbers, of all the data; records that are used are taken away. Not
///   looked at if no cluster is empty (`partial[k * d + j]` is the weight of cluster `j`), and may be NULL with length 0 then.
/// - `centers`: `centers_len` = `k * d` floats: in, those that the partial was accumulated with; out, the new ones.
/// - `step`: how far they moved, the inertia before, and how many clusters were empty.
///
/// Buffers must not overlap. Callable from any thread. The example of `hq_kmeans_farthest_add` shows all steps.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, a label or value in `farthest` that cannot be, no weight above 0),
/// `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
/// int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
/// float center = 1.0f;
/// hq_kmeans_step step;
/// assert(hq_kmeans_update_farthest(3, limits, 4, 1, partial, 16, NULL, 0, &center, 1, &step) == HQ_OK);
/// assert(center == 0.0f && step.empty == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_update_farthest(
    rows: usize,
    limits: *const f32,
    limits_len: usize,
    k: usize,
    partial: *mut i64,
    partial_len: usize,
    farthest: *mut u32,
    farthest_len: usize,
    centers: *mut f32,
    centers_len: usize,
    step: *mut hq_kmeans_step,
) -> hq_status {
    status(|| {
        let limits = Input::new(limits, limits_len)?;
        let partial = Output::new(partial, partial_len)?;
        let farthest = Output::new(farthest, farthest_len)?;
        let centers = Output::new(centers, centers_len)?;
        let step = Output::new(step, 1)?;
        let outputs = [partial.span(), farthest.span(), centers.span(), step.span()];
        disjoint(&outputs, &[limits.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (limits, partial) = unsafe { (limits.slice(), partial.slice()) };
        // SAFETY: as above.
        let (farthest, centers) = unsafe { (farthest.slice(), centers.slice()) };
        let frame = Frame::new(rows, limits)?;
        let Step { shift, inertia, empty } = kmeans::update_farthest(&frame, k, partial, farthest, centers)?;
        // SAFETY: as above.
        unsafe { step.write(hq_kmeans_step { shift, inertia, empty: empty as u32 }) };
        Ok(())
    })
}
