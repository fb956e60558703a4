//! How many clusters.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{Candidate, ChooseOptions, choose_k, choose_k_workspace_size};

use super::fit::{hq_kmeans_options, options, points};

const _: () = {
    assert!(size_of::<hq_kmeans_candidate>() == 24 && size_of::<Candidate>() == 24);
    assert!(size_of::<hq_kmeans_choice>() == 24);
};

/// One number of clusters, and what the criteria say of it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_candidate {
    /// Clusters.
    pub k: u32,
    /// Sum of weight * squared distance to the nearest centre.
    pub inertia: f32,
    /// Calinski and Harabasz (1974): variance between clusters over that within. 0 for one cluster.
    pub calinski_harabasz: f32,
    /// The Bayesian information criterion (Pelleg and Moore 2000) less that of one cluster.
    pub bic: f32,
    /// The simplified silhouette: mean of 1 - (distance to the nearest centre) / (distance to the second nearest). 0 for
    /// one cluster.
    pub silhouette: f32,
    /// The inertia over that of points which fill a box with the same principal components evenly; its negative
    /// logarithm is the gap of Tibshirani, Walther and Hastie (2001). Near 1 or above without structure.
    pub concentration: f32,
}

/// What the criteria want, and what is made of it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_choice {
    /// The number of clusters; 1 if the data show no structure.
    pub k: u32,
    /// The number with the largest Calinski-Harabasz index.
    pub calinski_harabasz: u32,
    /// The number with the largest Bayesian information criterion; may be 1.
    pub bic: u32,
    /// The number with the largest simplified silhouette.
    pub silhouette: u32,
    /// The number with the least concentration; 1 if none is below 0.7.
    pub concentration: u32,
    /// Entries of the curve: fewer than `max_k` if fewer rows differ.
    pub candidates: u32,
}

/// # Safety
/// `fit` is NULL, or valid.
unsafe fn choose_options(
    max_k: usize,
    seed: u64,
    fit: *const hq_kmeans_options,
) -> Result<ChooseOptions, Error> {
    // SAFETY: the caller vouches for the memory.
    Ok(ChooseOptions { max_k, seed, fit: unsafe { options(fit) }? })
}

/// Bytes of scratch that `hq_kmeans_choose_k` needs. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// # Safety
/// `fit` is valid, or NULL: the usual options.
///
/// ```c
/// hq_kmeans_options fit;
/// assert(hq_kmeans_options_default(&fit) == HQ_OK);
/// assert(hq_kmeans_choose_k_workspace_size(1000, 2, 8, &fit) < 128 * 1024);
/// assert(hq_kmeans_choose_k_workspace_size(1000, 2, 0, &fit) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_choose_k_workspace_size(
    n: usize,
    d: usize,
    max_k: usize,
    fit: *const hq_kmeans_options,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| choose_k_workspace_size(n, d, &unsafe { choose_options(max_k, 0, fit) }?))
}

/// Looks for the number of clusters: one nested run from one cluster upwards, and what four published criteria make of the
/// sums of squares. "No structure" is an answer: 1. The result is the same on every machine.
///
/// Begins with the mean of all points and adds one centre after the other, the best of ten rows drawn in proportion to
/// their squared distances; then Lloyd's algorithm from there. The number with most votes is taken, of equal ones that with
/// the least concentration; 1 if the concentration shows no structure.
///
/// - `x`: `x_len` = `n * d` finite values, row after row, the largest magnitude 0 or within 2^-40 to 2^40.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1. A weight of 2
///   counts as two points.
/// - `max_k`: the most clusters that are tried, 1 to `n`.
/// - `seed`: for the draws.
/// - `fit`: how each number is fitted; NULL: as usual.
/// - `curve`: at least `max_k` entries; `choice->candidates` of them are written, for 1, 2, ... clusters.
/// - `centers`: at least `max_k * d` floats; those of the chosen number are written.
/// - `labels`: at least `n` numbers: for each row one of these centres.
/// - `choice`: the number, and what each criterion wants.
/// - `scratch`: at least `hq_kmeans_choose_k_workspace_size(n, d, max_k, fit)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: that of fitting every number up to `max_k`, and once more up to
/// the chosen one.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `max_k` 0, `max_k` above `n`, a tolerance out of range, a negative weight,
/// no weight above 0, a magnitude out of range: scale the data), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only
/// with `HQ_EMPTY_ERROR`). The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// float x[60], centers[8];
/// uint32_t labels[60];
/// hq_kmeans_candidate curve[8];
/// hq_kmeans_choice choice;
/// hq_kmeans_options fit;
/// static uint8_t scratch[65536];
/// for (int i = 0; i < 60; i++) x[i] = 100.0f * (float)(i % 3) + (float)(i / 3);
/// assert(hq_kmeans_options_default(&fit) == HQ_OK);
/// assert(hq_kmeans_choose_k_workspace_size(60, 1, 8, &fit) <= sizeof scratch);
/// assert(hq_kmeans_choose_k(60, 1, x, 60, NULL, 0, 8, 1, &fit, curve, 8, centers, 8, labels, 60, &choice, scratch,
///                           sizeof scratch) == HQ_OK);
/// assert(choice.k == 3 && choice.candidates == 8 && curve[2].k == 3);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_choose_k(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    max_k: usize,
    seed: u64,
    fit: *const hq_kmeans_options,
    curve: *mut hq_kmeans_candidate,
    curve_len: usize,
    centers: *mut f32,
    centers_len: usize,
    labels: *mut u32,
    labels_len: usize,
    choice: *mut hq_kmeans_choice,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { choose_options(max_k, seed, fit) }?;
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let curve = Output::new(curve.cast::<Candidate>(), curve_len)?;
        let centers = Output::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let choice = Output::new(choice, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let outputs = [curve.span(), centers.span(), labels.span(), choice.span(), scratch.span()];
        disjoint(&outputs, &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (curve, scratch) = unsafe { (curve.slice(), scratch.slice()) };
        // SAFETY: as above.
        let (centers, labels) = unsafe { (centers.slice(), labels.slice()) };
        let points = points(n, d, x, weights)?;
        let found = choose_k(&points, &options, curve, centers, labels, scratch)?;
        let value = hq_kmeans_choice {
            k: found.k,
            calinski_harabasz: found.calinski_harabasz,
            bic: found.bic,
            silhouette: found.silhouette,
            concentration: found.concentration,
            candidates: found.candidates,
        };
        // SAFETY: as above.
        unsafe { choice.write(value) };
        Ok(())
    })
}
