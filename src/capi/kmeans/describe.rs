//! The best of several starts, and what is asked of a clustering once it stands.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{
    self, Points, Restarts, Summary, Top2, fit_seeded_workspace_size, summarize_workspace_size,
};

use super::fit::{hq_kmeans_options, hq_kmeans_result, options, points};
use super::seed::seeding;

/// The two nearest centres of a point.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_top2 {
    /// The nearest, its label.
    pub label: u32,
    /// The one after it; the same as the first if there is no other.
    pub second_label: u32,
    /// The squared distance to the nearest.
    pub distance: f32,
    /// The squared distance to the second; infinite if there is none.
    pub second: f32,
}

/// One cluster in numbers.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_summary {
    /// How many points it has.
    pub points: u32,
    /// What they weigh.
    pub weight: f32,
    /// Their weighted mean distance to the centre; 0 without weight.
    pub mean_distance: f32,
    /// Their weighted mean squared distance to the centre, the smaller the tighter; 0 without weight.
    pub cohesion: f32,
    /// The largest distance of a point to the centre.
    pub radius: f32,
}

const _: () = {
    assert!(size_of::<hq_kmeans_top2>() == 16 && size_of::<Top2>() == 16);
    assert!(size_of::<hq_kmeans_summary>() == 20 && size_of::<Summary>() == 20);
};

/// Bytes of scratch that `hq_kmeans_fit_seeded` needs. `SIZE_MAX` for arguments that the function would refuse, and on
/// overflow.
///
/// # Safety
/// `options` is valid, or NULL: the usual ones.
///
/// ```c
/// hq_kmeans_options options;
/// assert(hq_kmeans_options_default(&options) == HQ_OK);
/// assert(hq_kmeans_fit_seeded_workspace_size(100, 2, 8, &options, HQ_SEEDING_PLUS_PLUS) < 64 * 1024);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_fit_seeded_workspace_size(
    n: usize,
    d: usize,
    k: usize,
    options: *const hq_kmeans_options,
    method: i32,
) -> usize {
    size(|| {
        let restarts = Restarts { seeding: seeding(method, 0)?, count: 1, seed: 0 };
        // SAFETY: the caller vouches for the memory.
        fit_seeded_workspace_size(n, d, k, &unsafe { self::options(options) }?, &restarts)
    })
}

/// `hq_kmeans_fit` from `starts` starts that `hq_kmeans_seed` chooses with the seeds `seed`, `seed + 1`, ...; the result
/// with the least inertia. The same on every machine.
///
/// - `x`, `weights`, `k`, `options`, `labels`, `result`: as for `hq_kmeans_fit`.
/// - `method`, `effort`: as for `hq_kmeans_seed`.
/// - `starts`: at least 1.
/// - `centers`: at least `k * d` floats, of which just those are written.
/// - `scratch`: at least `hq_kmeans_fit_seeded_workspace_size(n, d, k, options, method)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: as `hq_kmeans_fit`, and `HQ_ERROR_INVALID_ARGUMENT` for no `starts`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
/// float centers[2];
/// uint32_t labels[5];
/// uint8_t scratch[32768];
/// hq_kmeans_options options;
/// hq_kmeans_result result;
/// assert(hq_kmeans_options_default(&options) == HQ_OK);
/// assert(hq_kmeans_fit_seeded_workspace_size(5, 1, 2, &options, HQ_SEEDING_PLUS_PLUS) <= sizeof scratch);
/// assert(hq_kmeans_fit_seeded(5, 1, x, 5, NULL, 0, 2, &options, HQ_SEEDING_PLUS_PLUS, 0, 10, 1, centers, 2, labels, 5,
///                             &result, scratch, sizeof scratch) == HQ_OK);
/// assert(result.inertia == 4.0f && labels[0] == labels[4] && labels[0] != labels[2]);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_fit_seeded(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    options: *const hq_kmeans_options,
    method: i32,
    effort: usize,
    starts: usize,
    seed: u64,
    centers: *mut f32,
    centers_len: usize,
    labels: *mut u32,
    labels_len: usize,
    result: *mut hq_kmeans_result,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let restarts = Restarts { seeding: seeding(method, effort)?, count: starts, seed };
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let centers = Output::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let result = Output::new(result, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let outputs = [centers.span(), labels.span(), result.span(), scratch.span()];
        disjoint(&outputs, &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (centers, labels, scratch) = unsafe { (centers.slice(), labels.slice(), scratch.slice()) };
        let points = points(n, d, x, weights)?;
        let found = kmeans::fit_seeded(&points, k, &options, &restarts, centers, labels, scratch)?;
        // SAFETY: as above.
        unsafe { result.write(found.into()) };
        Ok(())
    })
}

/// The squared distance of every point to every centre.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `centers`: `centers_len` = `k * d` finite values; `k` at least 1.
/// - `distances`: at least `n * k` floats, of which just those are written: row after row.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
/// `HQ_ERROR_NON_FINITE`. `distances` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.0f, 0.0f, 3.0f, 4.0f}, centers[4] = {0.0f, 0.0f, 3.0f, 0.0f};
/// float distances[4];
/// assert(hq_kmeans_transform(2, 2, x, 4, 2, centers, 4, distances, 4) == HQ_OK);
/// assert(distances[1] == 9.0f && distances[2] == 25.0f && distances[3] == 16.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_transform(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    distances: *mut f32,
    distances_len: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let centers = Input::new(centers, centers_len)?;
        let distances = Output::new(distances, distances_len)?;
        disjoint(&[distances.span()], &[x.span(), centers.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no other buffer.
        let (x, centers, distances) = unsafe { (x.slice(), centers.slice(), distances.slice()) };
        kmeans::transform(&Points::new(n, d, x)?, k, centers, distances)
    })
}

/// The two nearest centres of every point, out of one pass.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `centers`: `centers_len` = `k * d` finite values; `k` at least 1.
/// - `found`: at least `n` structs, of which just those are written.
/// - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes, of any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: as `hq_kmeans_transform`, and `HQ_ERROR_WORKSPACE_TOO_SMALL`. `found` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[1] = {3.0f}, centers[3] = {0.0f, 4.0f, 9.0f};
/// uint8_t scratch[1024];
/// hq_kmeans_top2 found;
/// assert(hq_kmeans_assign_workspace_size(3, 1) <= sizeof scratch);
/// assert(hq_kmeans_nearest_two(1, 1, x, 1, 3, centers, 3, &found, 1, scratch, sizeof scratch) == HQ_OK);
/// assert(found.label == 1 && found.second_label == 0 && found.distance == 1.0f && found.second == 9.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_nearest_two(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    found: *mut hq_kmeans_top2,
    found_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let centers = Input::new(centers, centers_len)?;
        // The same four fields of four bytes.
        let found = Output::<Top2>::new(found.cast(), found_len)?;
        let scratch = Output::new(scratch.cast::<u8>(), scratch_size)?;
        disjoint(&[found.span(), scratch.span()], &[x.span(), centers.span()])?;
        // SAFETY: the caller vouches for the memory; the outputs overlap no other buffer.
        let (x, centers, found, scratch) =
            unsafe { (x.slice(), centers.slice(), found.slice(), scratch.slice()) };
        kmeans::top2(&Points::new(n, d, x)?, k, centers, found, scratch)
    })
}

/// Bytes of scratch that `hq_kmeans_summarize` needs: `24 k + 3`. `SIZE_MAX` for `k` 0, and on overflow.
///
/// ```c
/// assert(hq_kmeans_summarize_workspace_size(4) == 99);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_summarize_workspace_size(k: usize) -> usize {
    size(|| summarize_workspace_size(k))
}

/// Each cluster in numbers: size, weight, mean distance, cohesion, radius.
///
/// - `n`: how many points there are.
/// - `weights`: `weights_len` = `n` weights >= 0, or NULL with `weights_len` 0: all 1.
/// - `labels`: `labels_len` = `n` labels below `k`.
/// - `distances`: `distances_len` = `n` squared distances to the centres of the labels, from `hq_kmeans_predict`.
/// - `summaries`: at least `k` structs, of which just those are written.
/// - `scratch`: at least `hq_kmeans_summarize_workspace_size(k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0, a label of `k` or more, a negative weight or distance), `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `summaries` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t labels[3] = {0, 0, 1};
/// const float distances[3] = {4.0f, 4.0f, 0.0f};
/// hq_kmeans_summary summaries[2];
/// uint8_t scratch[51];
/// assert(hq_kmeans_summarize(3, NULL, 0, 2, labels, 3, distances, 3, summaries, 2, scratch, sizeof scratch) == HQ_OK);
/// assert(summaries[0].points == 2 && summaries[0].mean_distance == 2.0f && summaries[0].cohesion == 4.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_summarize(
    n: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    labels: *const u32,
    labels_len: usize,
    distances: *const f32,
    distances_len: usize,
    summaries: *mut hq_kmeans_summary,
    summaries_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let weights = Input::new(weights, weights_len)?;
        let labels = Input::new(labels, labels_len)?;
        let distances = Input::new(distances, distances_len)?;
        // The same five fields of four bytes.
        let summaries = Output::<Summary>::new(summaries.cast(), summaries_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let inputs = [weights.span(), labels.span(), distances.span()];
        disjoint(&[summaries.span(), scratch.span()], &inputs)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (weights, labels, distances) = unsafe { (weights.slice(), labels.slice(), distances.slice()) };
        // SAFETY: as above.
        let (summaries, scratch) = unsafe { (summaries.slice(), scratch.slice()) };
        if labels.len() != n {
            return Err(crate::Error::Shape);
        }
        // The values of the points are not needed: the distances stand for them.
        let points = points(n, 1, distances, weights)?;
        kmeans::summarize(&points, k, labels, distances, summaries, scratch)
    })
}
