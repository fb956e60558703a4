//! Room `kmeans`: one-dimensional, from counts in bins.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::kmeans::{Bins, cluster_bins, cluster_bins_workspace_size, merge_bins};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// What `hq_kmeans_bins_cluster` found; 16 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_bins {
    /// Sum of squared distances of the binned values, in 1/256 of a squared bin width; the same on every target.
    pub cost: u64,
    /// The same in squared units of the values.
    pub inertia: f32,
    /// How many of the centres are different clusters; the rest repeat the last one.
    pub clusters: u32,
}

const _: () = assert!(size_of::<hq_kmeans_bins>() == 16);

/// Counts values in equal bins from `low` to `high`: adds to `counts`. Start with zeros; call it as values come.
///
/// - `x`: `len` finite values. Those outside the range count in the bin at that end.
/// - `counts`: `bins` numbers, 1 to 65536.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (an empty or overflowing range, no bins, too many), `HQ_ERROR_NON_FINITE`,
/// `HQ_ERROR_SIZE_OVERFLOW` (more than 2^32 - 1 values together; with 2^b bins, b above 11, more than 2^(54 - 2 b) - 1),
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `counts` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.1f, 0.9f, 0.2f, 7.0f};
/// uint32_t counts[2] = {0, 0};
/// assert(hq_kmeans_bins_add(x, 4, 0.0f, 1.0f, counts, 2) == HQ_OK);
/// assert(counts[0] == 2 && counts[1] == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_bins_add(
    x: *const f32,
    len: usize,
    low: f32,
    high: f32,
    counts: *mut u32,
    bins: usize,
) -> hq_status {
    status(|| {
        let (x, counts) = (Input::new(x, len)?, Output::new(counts, bins)?);
        disjoint(&[counts.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (x, counts) = unsafe { (x.slice(), counts.slice()) };
        Bins { low, high }.add(x, counts)
    })
}

/// Adds the counts of another part of the data, in the same bins, to `counts`: in any order, with the same result.
///
/// - `counts`, `other`: `bins` numbers each.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (no bins, too many), `HQ_ERROR_SIZE_OVERFLOW` (too many values together, see
/// `hq_kmeans_bins_add`), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. `counts` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t other[2] = {3, 4};
/// uint32_t counts[2] = {1, 0};
/// assert(hq_kmeans_bins_merge(counts, other, 2) == HQ_OK);
/// assert(counts[0] == 4 && counts[1] == 4);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_bins_merge(counts: *mut u32, other: *const u32, bins: usize) -> hq_status {
    status(|| {
        let (counts, other) = (Output::new(counts, bins)?, Input::new(other, bins)?);
        disjoint(&[counts.span()], &[other.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (counts, other) = unsafe { (counts.slice(), other.slice()) };
        merge_bins(counts, other)
    })
}

/// Bytes of scratch that `hq_kmeans_bins_cluster` needs: about 48 a bin, and 4 a centre. `SIZE_MAX` for no bins or
/// centres, and for more than 65536 bins.
///
/// ```c
/// assert(hq_kmeans_bins_workspace_size(256, 16) < 13000);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_bins_workspace_size(bins: usize, k: usize) -> usize {
    size(|| cluster_bins_workspace_size(bins, k))
}

/// Exact one-dimensional k-means of binned values, in integers: the `k` centres with the least sum of squared distances
/// to the values as their bins count them, each at the middle of its bin. For devices: memory is fixed by the number of
/// bins, and parts merge.
///
/// - `counts`: `bins` numbers, as `hq_kmeans_bins_add` made them; `low`, `high` as given there.
/// - `centers`: at least `k` floats, of which just those are written, ascending; without values the middle of the first
///   bin.
/// - `scratch`: at least `hq_kmeans_bins_workspace_size(bins, k)` bytes at any alignment.
/// - `result`: one struct.
///
/// If no value was outside the range, the root mean square distance of the values themselves to these centres exceeds
/// the least possible by at most one bin width. Buffers must not overlap. Callable from any thread. Time: k bins
/// log(bins).
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (no centres, no bins, too many, an empty range), `HQ_ERROR_NON_FINITE` (the range),
/// `HQ_ERROR_SIZE_OVERFLOW` (too many values), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `centers` and `result` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `result` points to one struct.
///
/// ```c
/// // 2 values in the first of ten bins, 1 in the fourth, 5 in the last.
/// const uint32_t counts[10] = {2, 0, 0, 1, 0, 0, 0, 0, 0, 5};
/// float centers[2];
/// hq_kmeans_bins found;
/// uint8_t scratch[640];
/// assert(hq_kmeans_bins_workspace_size(10, 2) <= sizeof scratch);
/// assert(hq_kmeans_bins_cluster(counts, 10, 0.0f, 10.0f, 2, centers, 2, scratch, sizeof scratch, &found) == HQ_OK);
/// assert(centers[0] == 1.5f && centers[1] == 9.5f && found.cost == 6 * 256 && found.clusters == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_bins_cluster(
    counts: *const u32,
    bins: usize,
    low: f32,
    high: f32,
    k: usize,
    centers: *mut f32,
    centers_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    result: *mut hq_kmeans_bins,
) -> hq_status {
    status(|| {
        let counts = Input::new(counts, bins)?;
        let centers = Output::new(centers, centers_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span(), centers.span(), scratch.span()], &[counts.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (counts, centers, scratch) = unsafe { (counts.slice(), centers.slice(), scratch.slice()) };
        let found = cluster_bins(&Bins { low, high }, counts, k, centers, scratch)?;
        let found =
            hq_kmeans_bins { cost: found.cost, inertia: found.inertia, clusters: found.clusters as u32 };
        // SAFETY: as above.
        unsafe { result.write(found) };
        Ok(())
    })
}
