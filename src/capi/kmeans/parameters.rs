//! Room `kmeans`: labels of one-dimensional values, and clusters of parameters.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::kmeans::{
    ParameterCluster, cluster_parameters, cluster_parameters_workspace_size, label_1d, suggest_bits,
    suggest_bits_workspace_size,
};

use super::exact_1d::options;

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// One cluster of parameters; 24 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_parameter_cluster {
    /// The mean of its values, or 0 if pinned.
    pub center: f32,
    /// Mean of |value - center|; 0 if it has no values.
    pub mean_distance: f32,
    /// Sum of (value - center)^2.
    pub inertia: f32,
    /// d / (d + mean_distance), d being the mean distance of all values from their mean: 1 for a cluster without spread,
    /// 0.5 for one as spread as the whole layer.
    pub cohesion: f32,
    /// Share of size times cohesion; those of all clusters add up to 1.
    pub importance: f32,
    /// How many values.
    pub size: u32,
}

const _: () = assert!(size_of::<hq_parameter_cluster>() == size_of::<ParameterCluster>());

/// What `hq_suggest_bits` found; 16 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_suggested_bits {
    /// Bits of all values together.
    pub total: u64,
    /// The error that is left.
    pub error: f32,
    /// No allotment within the budget leaves less. Equal to `error` where that one is proved to be the best.
    pub bound: f32,
}

const _: () = assert!(size_of::<hq_suggested_bits>() == 16);

/// The label of each value: the index of the nearest of ascending centres, the lower one at the midpoint (as float rounds
/// it); of equal centres the first.
///
/// - `x`: `len` finite values.
/// - `centers`: `centers_len` finite values, ascending, 1 to 256 of them: those of `hq_kmeans_exact_1d` or
///   `hq_kmeans_bins_cluster`.
/// - `labels`: at least `len` bytes, of which just those are written.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (no centres, more than 256, not ascending), `HQ_ERROR_NON_FINITE`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`. `labels` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.4f, 3.0f, -9.0f, 1.6f};
/// const float centers[3] = {0.0f, 1.0f, 2.0f};
/// uint8_t labels[4];
/// assert(hq_kmeans_label_1d(x, 4, centers, 3, labels, 4) == HQ_OK);
/// assert(labels[0] == 0 && labels[1] == 2 && labels[2] == 0 && labels[3] == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_label_1d(
    x: *const f32,
    len: usize,
    centers: *const f32,
    centers_len: usize,
    labels: *mut u8,
    labels_len: usize,
) -> hq_status {
    status(|| {
        let (x, centers) = (Input::new(x, len)?, Input::new(centers, centers_len)?);
        let labels = Output::new(labels, labels_len)?;
        disjoint(&[labels.span()], &[x.span(), centers.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (x, centers, labels) = unsafe { (x.slice(), centers.slice(), labels.slice()) };
        label_1d(x, centers, labels)
    })
}

/// Bytes of scratch that `hq_cluster_parameters` needs: that of `hq_kmeans_exact_1d`, and 4 a centre. `SIZE_MAX` for
/// arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_cluster_parameters_workspace_size(1000, 4, 0) < 1000 * 90);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_cluster_parameters_workspace_size(len: usize, k: usize, pin_zero: i32) -> usize {
    size(|| cluster_parameters_workspace_size(len, &options(k, pin_zero)?))
}

/// Clusters the parameters of one layer by exact one-dimensional k-means: what each value belongs to, and size, spread,
/// cohesion and importance of each cluster.
///
/// - `x`: `len` finite values, at least one.
/// - `k`: clusters, 1 to 256; `pin_zero`: 1 if one of the centres shall be 0, else 0.
/// - `labels`: at least `len` bytes: the cluster of each value.
/// - `clusters`: at least `k` structs, ascending by centre; as many are written as there are clusters.
/// - `found`: one number: how many clusters. Fewer than `k` if there are fewer different values.
/// - `scratch`: at least `hq_cluster_parameters_workspace_size(len, k, pin_zero)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. The same input gives the same bits on every target.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0 or above 256, another `pin_zero`, no values), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `labels`, `clusters` and `found` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `found` points to one `size_t`.
///
/// ```c
/// const float x[6] = {-1.0f, 0.5f, -1.0f, 1.0f, 0.0f, 0.5f};
/// hq_parameter_cluster clusters[2];
/// uint8_t labels[6], scratch[1024];
/// size_t found;
/// assert(hq_cluster_parameters_workspace_size(6, 2, 0) <= sizeof scratch);
/// assert(hq_cluster_parameters(x, 6, 2, 0, labels, 6, clusters, 2, &found, scratch, sizeof scratch) == HQ_OK);
/// assert(found == 2 && labels[0] == 0 && labels[1] == 1);
/// assert(clusters[0].size == 2 && clusters[0].cohesion == 1.0f && clusters[1].mean_distance == 0.25f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_cluster_parameters(
    x: *const f32,
    len: usize,
    k: usize,
    pin_zero: i32,
    labels: *mut u8,
    labels_len: usize,
    clusters: *mut hq_parameter_cluster,
    clusters_len: usize,
    found: *mut usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let options = options(k, pin_zero)?;
        let x = Input::new(x, len)?;
        let labels = Output::new(labels, labels_len)?;
        let clusters = Output::new(clusters, clusters_len)?;
        let found = Output::new(found, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[found.span(), labels.span(), clusters.span(), scratch.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, labels, clusters, scratch) =
            unsafe { (x.slice(), labels.slice(), clusters.slice(), scratch.slice()) };
        let clusters = bytemuck::must_cast_slice_mut::<hq_parameter_cluster, ParameterCluster>(clusters);
        let count = cluster_parameters(x, &options, labels, clusters, scratch)?;
        // SAFETY: as above.
        unsafe { found.write(count) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_suggest_bits` needs: about 650 a cluster. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_suggest_bits_workspace_size(16) < 11000);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_suggest_bits_workspace_size(clusters: usize) -> usize {
    size(|| suggest_bits_workspace_size(clusters))
}

/// Allots bits to the clusters of a layer: for what each value differs from its centre, so that the values have `average`
/// bits at most on average and the sum of weight * inertia * 4^-bits is least. (Without bits every value becomes the
/// centre; each bit quarters the squared error.)
///
/// - `clusters`: `count` structs; `size` and `inertia` of each are read.
/// - `weights`: `weights_len` = `count` factors >= 0, or NULL with `weights_len` 0: all 1. Curvatures, or `importance / size`.
/// - `average` >= 0; `most`: most bits of one cluster, 0 to 16.
/// - `bits`: at least `count` bytes, of which just those are written.
/// - `scratch`: at least `hq_suggest_bits_workspace_size(count)` bytes at any alignment.
/// - `result`: one struct.
///
/// Buffers must not overlap. Callable from any thread. Time as `hq_mixed_select`, whose proof it has.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`average`, `most`, a weight or an inertia outside its range), `HQ_ERROR_SHAPE`
/// (`weights_len`), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `bits` and `result` are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `result` points to one struct.
///
/// ```c
/// // A wide cluster of 10 values, a narrow one of 30; 1 bit on average, so 40 bits.
/// const hq_parameter_cluster clusters[2] = {{0.0f, 2.0f, 64.0f, 0.5f, 0.3f, 10}, {9.0f, 0.2f, 3.0f, 0.9f, 0.7f, 30}};
/// uint8_t bits[2], scratch[1400];
/// hq_suggested_bits found;
/// assert(hq_suggest_bits_workspace_size(2) <= sizeof scratch);
/// assert(hq_suggest_bits(clusters, 2, NULL, 0, 1.0f, 8, bits, 2, scratch, sizeof scratch, &found) == HQ_OK);
/// assert(bits[0] == 4 && bits[1] == 0 && found.total == 40 && found.error == 3.25f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_suggest_bits(
    clusters: *const hq_parameter_cluster,
    count: usize,
    weights: *const f32,
    weights_len: usize,
    average: f32,
    most: u8,
    bits: *mut u8,
    bits_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    result: *mut hq_suggested_bits,
) -> hq_status {
    status(|| {
        let (clusters, weights) = (Input::new(clusters, count)?, Input::new(weights, weights_len)?);
        let bits = Output::new(bits, bits_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span(), bits.span(), scratch.span()], &[clusters.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (clusters, weights, bits, scratch) =
            unsafe { (clusters.slice(), weights.slice(), bits.slice(), scratch.slice()) };
        let clusters = bytemuck::must_cast_slice::<hq_parameter_cluster, ParameterCluster>(clusters);
        let weights = if weights.is_empty() { None } else { Some(weights) };
        let found = suggest_bits(clusters, weights, average, most, bits, scratch)?;
        let found = hq_suggested_bits { total: found.total, error: found.error, bound: found.bound };
        // SAFETY: as above.
        unsafe { result.write(found) };
        Ok(())
    })
}
