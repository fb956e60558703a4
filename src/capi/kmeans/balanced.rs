//! k-means with bounds on the sizes of the clusters.

use core::ffi::c_void;

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{self, Size, Sizes, assign_balanced_workspace_size, fit_balanced_workspace_size};

use super::fit::{hq_kmeans_options, hq_kmeans_result, options, points};

/// The bounds that arrays of length 0, 1 or `k` stand for.
fn sizes<'a>(k: usize, least: &'a [u32], most: &'a [u32]) -> Result<Sizes<'a>, Error> {
    let bound = |sizes: &'a [u32]| match sizes {
        [] => Ok(Size::Any),
        [all] => Ok(Size::All(*all as usize)),
        each if each.len() == k => Ok(Size::Each(each)),
        _ => Err(Error::Shape),
    };
    if least.is_empty() && most.is_empty() {
        return Ok(Sizes::BALANCED);
    }
    Ok(Sizes { least: bound(least)?, most: bound(most)? })
}

/// Bytes of scratch that `hq_kmeans_assign_balanced` needs: 4 for each row and cluster, and some for each row and each pair of
/// clusters. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_assign_balanced_workspace_size(1000, 2, 8) < 96 * 1024);
/// assert(hq_kmeans_assign_balanced_workspace_size(1000, 2, 0) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_assign_balanced_workspace_size(n: usize, d: usize, k: usize) -> usize {
    size(|| assign_balanced_workspace_size(n, d, k))
}

/// The clusters of all points that have the least sum of weight * squared distance to `k` given centres while their sizes
/// stay within bounds. This is the exact optimum; of equally good ones it is the one whose labels come first, compared row by
/// row. The same labels on every machine.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1. They count in the
///   sum, not in the sizes, which are numbers of rows.
/// - `k`: 1 to 32768.
/// - `centers`: `centers_len` = `k * d` finite values.
/// - `least`, `most`: the bounds of the sizes. A length of `k`: a bound for each cluster; 1: the same for all; 0: none. Both lengths
///   0: balanced, `n / k` rows each, rounded up or down.
/// - `labels`: at least `n` numbers, of which just those are written.
/// - `distances`: at least `n` floats for the squared distances to the centres of these labels, or NULL with
///   `distances_len` 0.
/// - `scratch`: at least `hq_kmeans_assign_balanced_workspace_size(n, d, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INFEASIBLE` (no assignment keeps the sizes), `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0, a negative
/// weight, no weight above 0), `HQ_ERROR_SHAPE` (also: neither 0, 1 nor `k` bounds), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
/// `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
/// `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.0f, 1.0f, 2.0f, 9.0f}, centers[2] = {0.0f, 8.0f};
/// const uint32_t most = 3;
/// uint32_t labels[4];
/// uint8_t scratch[4096];
/// assert(hq_kmeans_assign_balanced_workspace_size(4, 1, 2) <= sizeof scratch);
/// assert(hq_kmeans_assign_balanced(4, 1, x, 4, NULL, 0, 2, centers, 2, NULL, 0, NULL, 0, labels, 4, NULL, 0, scratch,
///                                  sizeof scratch) == HQ_OK);
/// assert(labels[1] == 0 && labels[2] == 1 && labels[3] == 1); // two each
/// assert(hq_kmeans_assign_balanced(4, 1, x, 4, NULL, 0, 2, centers, 2, NULL, 0, &most, 1, labels, 4, NULL, 0, scratch,
///                                  sizeof scratch) == HQ_OK);
/// assert(labels[2] == 0 && labels[3] == 1); // three at most
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_assign_balanced(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    least: *const u32,
    least_len: usize,
    most: *const u32,
    most_len: usize,
    labels: *mut u32,
    labels_len: usize,
    distances: *mut f32,
    distances_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let centers = Input::new(centers, centers_len)?;
        let least = Input::new(least, least_len)?;
        let most = Input::new(most, most_len)?;
        let labels = Output::new(labels, labels_len)?;
        let distances = Output::new(distances, distances_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let inputs = [x.span(), weights.span(), centers.span(), least.span(), most.span()];
        disjoint(&[labels.span(), distances.span(), scratch.span()], &inputs)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights, centers) = unsafe { (x.slice(), weights.slice(), centers.slice()) };
        // SAFETY: as above.
        let (least, most) = unsafe { (least.slice(), most.slice()) };
        // SAFETY: as above.
        let (labels, distances, scratch) = unsafe { (labels.slice(), distances.slice(), scratch.slice()) };
        let distances = if distances_len == 0 { None } else { Some(distances) };
        let (points, sizes) = (points(n, d, x, weights)?, sizes(k, least, most)?);
        kmeans::assign_balanced(&points, k, centers, &sizes, labels, distances, scratch)
    })
}

/// Bytes of scratch that `hq_kmeans_fit_balanced` needs: 4 for each row and cluster, and some for each row and each pair of
/// clusters. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_fit_balanced_workspace_size(1000, 2, 8) < 96 * 1024);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_fit_balanced_workspace_size(n: usize, d: usize, k: usize) -> usize {
    size(|| fit_balanced_workspace_size(n, d, k))
}

/// Lloyd's algorithm from given centres, with clusters whose sizes stay within bounds: labels as from
/// `hq_kmeans_assign_balanced`, then centres at their means, until no label changes. The inertia does not rise from one iteration to the next
/// (but for the rounding of the means). The same result on every machine.
///
/// - `x`, `weights`: as for `hq_kmeans_assign_balanced`.
/// - `k`: 1 to `n`, at most 32768.
/// - `least`, `most`: as for `hq_kmeans_assign_balanced`.
/// - `options`: NULL for the usual ones. `bounds` has no part in it. `HQ_EMPTY_SPLIT_LARGEST` is not offered; with a least
///   size of 1 no cluster is empty.
/// - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
/// - `labels`: at least `n` numbers, of which just those are written: what `hq_kmeans_assign_balanced` gives for the
///   returned centres.
/// - `result`: inertia (of these labels), iterations, why it stopped.
/// - `scratch`: at least `hq_kmeans_fit_balanced_workspace_size(n, d, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INFEASIBLE` (no assignment keeps the sizes), `HQ_ERROR_INVALID_ARGUMENT` (as `hq_kmeans_fit`),
/// `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_SPLIT_LARGEST`), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE` (also: neither 0, 1 nor `k` bounds),
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only with
/// `HQ_EMPTY_ERROR`). The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[6] = {0.0f, 1.0f, 2.0f, 3.0f, 8.0f, 10.0f};
/// float centers[2] = {0.0f, 9.0f};
/// uint32_t labels[6];
/// uint8_t scratch[4096];
/// hq_kmeans_result result;
/// assert(hq_kmeans_fit_balanced_workspace_size(6, 1, 2) <= sizeof scratch);
/// assert(hq_kmeans_fit_balanced(6, 1, x, 6, NULL, 0, 2, NULL, 0, NULL, 0, NULL, centers, 2, labels, 6, &result,
///                               scratch, sizeof scratch) == HQ_OK);
/// assert(centers[0] == 1.0f && centers[1] == 7.0f && labels[3] == 1 && result.inertia == 28.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_fit_balanced(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    least: *const u32,
    least_len: usize,
    most: *const u32,
    most_len: usize,
    options: *const hq_kmeans_options,
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
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let least = Input::new(least, least_len)?;
        let most = Input::new(most, most_len)?;
        let centers = Output::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let result = Output::new(result, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let outputs = [centers.span(), labels.span(), result.span(), scratch.span()];
        disjoint(&outputs, &[x.span(), weights.span(), least.span(), most.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights, least, most) = unsafe { (x.slice(), weights.slice(), least.slice(), most.slice()) };
        // SAFETY: as above.
        let (centers, labels, scratch) = unsafe { (centers.slice(), labels.slice(), scratch.slice()) };
        let (points, sizes) = (points(n, d, x, weights)?, sizes(k, least, most)?);
        let found = kmeans::fit_balanced(&points, k, &sizes, &options, centers, labels, scratch)?;
        // SAFETY: as above.
        unsafe { result.write(found.into()) };
        Ok(())
    })
}
