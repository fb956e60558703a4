//! Centres that follow a stream of batches.

use core::ffi::c_void;

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{
    self, Frame, Step, stream_fit_workspace_size, stream_len, stream_reassign_workspace_size,
};

use super::fit::points;
use super::partial::hq_kmeans_step;

/// Floats of the state of a stream: `k * (2 d + 1)`. `SIZE_MAX` for `k` 0, and on overflow.
///
/// In order: the centres (`k * d`, to be used as such), what rounding left over of them (`k * d`), and what each centre
/// weighs (`k`). Nothing else: to save a stream is to save these floats.
///
/// ```c
/// assert(hq_kmeans_stream_len(4, 2) == 20 && hq_kmeans_stream_len(0, 2) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_stream_len(k: usize, d: usize) -> usize {
    size(|| stream_len(k, d))
}

/// Begins a stream at given centres.
///
/// - `centers`: `centers_len` = `k * d` finite values; `hq_kmeans_seed` finds some in a first batch.
/// - `weights`: `weights_len` = `k` values >= 0, if the centres shall weigh as much as so many points of weight 1; or NULL
///   with `weights_len` 0: nothing, so that the first points that a centre gets are its mean.
/// - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `d` 0, a negative weight), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `state` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float centers[2] = {0.0f, 10.0f};
/// float state[6];
/// assert(hq_kmeans_stream_start(2, 1, centers, 2, NULL, 0, state, 6) == HQ_OK && state[1] == 10.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_stream_start(
    k: usize,
    d: usize,
    centers: *const f32,
    centers_len: usize,
    weights: *const f32,
    weights_len: usize,
    state: *mut f32,
    state_len: usize,
) -> hq_status {
    status(|| {
        let centers = Input::new(centers, centers_len)?;
        let weights = Input::new(weights, weights_len)?;
        let state = Output::new(state, state_len)?;
        disjoint(&[state.span()], &[centers.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        let (centers, weights, state) = unsafe { (centers.slice(), weights.slice(), state.slice()) };
        let weights = if weights.is_empty() { None } else { Some(weights) };
        kmeans::stream_start(k, d, centers, weights, state)
    })
}

/// Moves the centres of a stream by one batch, of which `partial` is the merged partial.
///
/// With `w` the weight of the batch in a cluster, `m` the mean of its points there and `W` what the centre weighs,
/// `W` becomes `decay * W`, the centre moves by `(m - c) * w / (W + w)`, and `W` grows by `w` (Sculley 2010; the decay of
/// Spark's streaming k-means). With `decay` 1 a centre is the mean of all points it was ever given; with `decay` d half of
/// the memory is the last `ln 2 / -ln d` batches. A cluster without weight in this batch keeps its centre. The result is
/// the same on every machine, however the batch was split.
///
/// - `rows`, `limits`: how many rows the batch has in all its parts, and their merged limits, as for
///   `hq_kmeans_accumulate`. Every batch may have limits of its own.
/// - `partial`: `partial_len` = `hq_kmeans_partial_len(k, d)` numbers, accumulated with the centres of `state`.
/// - `decay`: 0 (forget all that was) to 1 (forget nothing).
/// - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, moved in place.
/// - `step`: how far the centres moved, the inertia of the batch before, and how many clusters got nothing.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` or `rows` 0, `decay` outside its range, no weight above 0, a weight of `state`
/// below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_NON_FINITE`. `state` and `step` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float limits[4] = {3.0f, 0.0f, 1.0f, 0.0f}; // three values from 0 to 3, no weights
/// const int64_t partial[1 + 2 + 13] = {0, 3, 3}; // their sum is 0
/// float state[3] = {1.0f, 0.0f, 6.0f}; // a centre at 1 that weighs 6
/// hq_kmeans_step step;
/// assert(hq_kmeans_stream_update(3, limits, 4, 1, partial, 16, 0.5f, state, 3, &step) == HQ_OK);
/// assert(state[0] == 0.5f && state[2] == 6.0f && step.shift == 0.5f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_stream_update(
    rows: usize,
    limits: *const f32,
    limits_len: usize,
    k: usize,
    partial: *const i64,
    partial_len: usize,
    decay: f32,
    state: *mut f32,
    state_len: usize,
    step: *mut hq_kmeans_step,
) -> hq_status {
    status(|| {
        let limits = Input::new(limits, limits_len)?;
        let partial = Input::new(partial, partial_len)?;
        let state = Output::new(state, state_len)?;
        let step = Output::new(step, 1)?;
        disjoint(&[state.span(), step.span()], &[limits.span(), partial.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (limits, partial, state) = unsafe { (limits.slice(), partial.slice(), state.slice()) };
        let frame = Frame::new(rows, limits)?;
        let found = kmeans::stream_update(&frame, k, partial, decay, state)?;
        // SAFETY: as above.
        unsafe { step.write(outcome(&found)) };
        Ok(())
    })
}

fn outcome(step: &Step) -> hq_kmeans_step {
    hq_kmeans_step { shift: step.shift, inertia: step.inertia, empty: step.empty as u32 }
}

/// Bytes of scratch that `hq_kmeans_stream_fit` needs: about `4 * d * (3 * k + 16)`, whatever the number of rows.
/// `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_stream_fit_workspace_size(8, 2) < 32 * 1024);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_stream_fit_workspace_size(k: usize, d: usize) -> usize {
    size(|| stream_fit_workspace_size(k, d))
}

/// One batch of a stream in one call: labels it, and moves the centres as `hq_kmeans_stream_update` does. (Others call
/// this `partial_fit`.)
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `n` and `d` at least 1. They may lie anywhere.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
/// - `decay`: 0 (forget all that was) to 1 (forget nothing).
/// - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, moved in place.
/// - `labels`: at least `n` numbers, of which just those are written: the nearest of the centres before the update.
/// - `step`: how far the centres moved, the inertia of the batch before, and how many clusters got nothing.
/// - `scratch`: at least `hq_kmeans_stream_fit_workspace_size(k, d)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`n`, `d` or `k` 0, `decay` outside its range, a negative weight, no weight above 0, a
/// weight of `state` below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The
/// outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float batches[2][3] = {{1.0f, 3.0f, 11.0f}, {2.0f, 10.0f, 12.0f}};
/// float state[6] = {0.0f, 10.0f}; // two centres that weigh nothing yet
/// uint32_t labels[3];
/// uint8_t scratch[16384];
/// hq_kmeans_step step;
/// assert(hq_kmeans_stream_fit_workspace_size(2, 1) <= sizeof scratch);
/// for (int i = 0; i < 2; i++)
///     assert(hq_kmeans_stream_fit(3, 1, batches[i], 3, NULL, 0, 2, 1.0f, state, 6, labels, 3, &step, scratch,
///                                 sizeof scratch) == HQ_OK);
/// assert(state[0] == 2.0f && state[1] == 11.0f && state[4] == 3.0f && labels[2] == 1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_stream_fit(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    decay: f32,
    state: *mut f32,
    state_len: usize,
    labels: *mut u32,
    labels_len: usize,
    step: *mut hq_kmeans_step,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let state = Output::new(state, state_len)?;
        let labels = Output::new(labels, labels_len)?;
        let step = Output::new(step, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let outputs = [state.span(), labels.span(), step.span(), scratch.span()];
        disjoint(&outputs, &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (state, labels, scratch) = unsafe { (state.slice(), labels.slice(), scratch.slice()) };
        let points = points(n, d, x, weights)?;
        let found = kmeans::stream_fit(&points, k, decay, state, labels, scratch)?;
        // SAFETY: as above.
        unsafe { step.write(outcome(&found)) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_kmeans_stream_reassign` needs for a batch of `n` rows. `SIZE_MAX` for `k` 0, and on overflow.
///
/// ```c
/// assert(hq_kmeans_stream_reassign_workspace_size(1000, 2, 8) < 8 * 1024);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_stream_reassign_workspace_size(n: usize, d: usize, k: usize) -> usize {
    size(|| stream_reassign_workspace_size(n, d, k))
}

/// Gives centres of a stream that have fallen behind a new place: those that weigh less than `ratio` times the heaviest
/// move to rows of a recent batch, drawn in proportion to their weights, and weigh as much as the lightest of the others.
/// At most `n / 2` move, the lightest first. (`reassignment_ratio` of scikit-learn, where it is 0.01.)
///
/// Call it now and then, not for every batch: a centre that has just been placed needs time to gain weight.
/// Over ranks, one calls it with rows of its own and broadcasts the state.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `n` and `d` at least 1.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
/// - `ratio`: 0 (none moves) to 1.
/// - `seed`: the same seed draws the same rows on every machine.
/// - `state`: `state_len` = `hq_kmeans_stream_len(k, d)` floats, changed in place.
/// - `moved`: one number: how many centres have moved.
/// - `scratch`: at least `hq_kmeans_stream_reassign_workspace_size(n, d, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`n`, `d` or `k` 0, `ratio` outside its range, a negative weight, no weight above 0, a
/// weight of `state` below 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `state` and `moved` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {1.0f, 2.0f, 8.0f, 9.0f};
/// float state[6] = {0.0f, 1e6f, 0.0f, 0.0f, 100.0f, 0.5f}; // the second centre is far from all there is
/// uint8_t scratch[256];
/// size_t moved;
/// assert(hq_kmeans_stream_reassign_workspace_size(4, 1, 2) <= sizeof scratch);
/// assert(hq_kmeans_stream_reassign(4, 1, x, 4, NULL, 0, 2, 0.01f, 7, state, 6, &moved, scratch, sizeof scratch) ==
///        HQ_OK);
/// assert(moved == 1 && state[0] == 0.0f && state[1] <= 9.0f && state[5] == 100.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_stream_reassign(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    ratio: f32,
    seed: u64,
    state: *mut f32,
    state_len: usize,
    moved: *mut usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let state = Output::new(state, state_len)?;
        let moved = Output::new(moved, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[state.span(), moved.span(), scratch.span()], &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (state, scratch) = unsafe { (state.slice(), scratch.slice()) };
        let points = points(n, d, x, weights)?;
        let count = kmeans::stream_reassign(&points, k, ratio, seed, state, scratch)?;
        // SAFETY: as above.
        unsafe { moved.write(count) };
        Ok(())
    })
}
