//! Lloyd's algorithm on f32 points, and labels for given centres.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{
    self, Bounds, Empty, Fit, FitOptions, Points, Stop, assign_workspace_size, fit_workspace_size,
};

/// An empty cluster takes the point that is farthest from its centre, as long as there is one not on its centre.
pub const HQ_EMPTY_FARTHEST: i32 = 0;
/// The cluster with the largest weight is split.
pub const HQ_EMPTY_SPLIT_LARGEST: i32 = 1;
/// The centre of an empty cluster stays where it is.
pub const HQ_EMPTY_KEEP: i32 = 2;
/// An empty cluster is an error: `HQ_ERROR_EMPTY_CLUSTER`.
pub const HQ_EMPTY_ERROR: i32 = 3;

/// Bounds are used where they pay: `HQ_BOUNDS_YINYANG` if `k * cols` is at least 16,384 and they take no more memory than the
/// points, else `HQ_BOUNDS_HAMERLY`.
pub const HQ_BOUNDS_AUTO: i32 = 0;
/// Every point is compared with every centre in every iteration; takes no memory for bounds.
pub const HQ_BOUNDS_OFF: i32 = 1;
/// One lower bound a point (Hamerly's): 12 bytes a point in all.
pub const HQ_BOUNDS_HAMERLY: i32 = 2;
/// Beside it one for every 16 centres (Yinyang's), whatever memory they take: 4 bytes each, their number a multiple of 16.
pub const HQ_BOUNDS_YINYANG: i32 = 3;

/// No label changed: a fixed point of the algorithm.
pub const HQ_STOP_LABELS: i32 = 0;
/// The centres moved no farther than the tolerance.
pub const HQ_STOP_SHIFT: i32 = 1;
/// The inertia fell by no more than the tolerance.
pub const HQ_STOP_INERTIA: i32 = 2;
/// The most iterations that were allowed.
pub const HQ_STOP_ITERATIONS: i32 = 3;

const _: () = {
    assert!(HQ_EMPTY_FARTHEST == Empty::Farthest as i32);
    assert!(HQ_EMPTY_SPLIT_LARGEST == Empty::SplitLargest as i32);
    assert!(HQ_EMPTY_KEEP == Empty::Keep as i32);
    assert!(HQ_EMPTY_ERROR == Empty::Error as i32);
    assert!(HQ_BOUNDS_AUTO == Bounds::Auto as i32);
    assert!(HQ_BOUNDS_OFF == Bounds::Off as i32);
    assert!(HQ_BOUNDS_HAMERLY == Bounds::Hamerly as i32);
    assert!(HQ_BOUNDS_YINYANG == Bounds::Yinyang as i32);
    assert!(HQ_STOP_LABELS == Stop::Labels as i32);
    assert!(HQ_STOP_SHIFT == Stop::Shift as i32);
    assert!(HQ_STOP_INERTIA == Stop::Inertia as i32);
    assert!(HQ_STOP_ITERATIONS == Stop::Iterations as i32);
    assert!(size_of::<hq_kmeans_options>() == 24);
    assert!(size_of::<hq_kmeans_result>() == 20);
};

/// How to fit; `hq_kmeans_options_default` fills it. All fields 0 means no iteration at all.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_options {
    /// Updates of the centres at most.
    pub max_iterations: u32,
    /// `HQ_EMPTY_*`.
    pub empty: i32,
    /// `HQ_BOUNDS_*`: whether time may be saved; the result is the same.
    pub bounds: i32,
    /// 1: spherical k-means, for rows of length 1 (`hq_kmeans_normalize_rows`): centres are brought to length 1 after every
    /// update. Else 0.
    pub spherical: i32,
    /// Stop once no centre moves farther than this in one update; >= 0.
    pub shift_tolerance: f32,
    /// Stop once an update lowers the inertia by no more than this part of it; >= 0, 0: never.
    pub inertia_tolerance: f32,
}

/// What a fit has found, beside centres and labels.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_result {
    /// Sum of weight * squared distance to the centre of the label.
    pub inertia: f32,
    /// The largest distance that a centre moved in the last update; 0 if there was none.
    pub shift: f32,
    /// Updates of the centres.
    pub iterations: u32,
    /// `HQ_STOP_*`.
    pub stop: i32,
    /// Clusters without weight at the end.
    pub empty: u32,
}

impl From<Fit> for hq_kmeans_result {
    fn from(found: Fit) -> hq_kmeans_result {
        hq_kmeans_result {
            inertia: found.inertia,
            shift: found.shift,
            iterations: found.iterations as u32,
            stop: found.stop as i32,
            empty: found.empty as u32,
        }
    }
}

/// # Safety
/// NULL, or valid.
pub(super) unsafe fn options(options: *const hq_kmeans_options) -> Result<FitOptions, Error> {
    if options.is_null() {
        return Ok(FitOptions::DEFAULT);
    }
    let options = Input::new(options, 1)?;
    // SAFETY: the caller vouches for the memory.
    let [options] = (unsafe { options.slice() }) else { return Err(Error::NullPointer) };
    Ok(FitOptions {
        max_iterations: options.max_iterations as usize,
        empty: Empty::from_i32(options.empty)?,
        bounds: Bounds::from_i32(options.bounds)?,
        shift_tolerance: options.shift_tolerance,
        inertia_tolerance: options.inertia_tolerance,
        spherical: match options.spherical {
            0 => false,
            1 => true,
            _ => return Err(Error::InvalidArgument),
        },
    })
}

/// Writes the usual options, which NULL stands for: 300 iterations at most, until no label changes; empty clusters take
/// the farthest point.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
///
/// # Safety
/// `options` is valid.
///
/// ```c
/// hq_kmeans_options options;
/// assert(hq_kmeans_options_default(&options) == HQ_OK && options.max_iterations == 300);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_options_default(options: *mut hq_kmeans_options) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let usual = FitOptions::DEFAULT;
        let value = hq_kmeans_options {
            max_iterations: usual.max_iterations as u32,
            empty: usual.empty as i32,
            bounds: usual.bounds as i32,
            spherical: usual.spherical as i32,
            shift_tolerance: usual.shift_tolerance,
            inertia_tolerance: usual.inertia_tolerance,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(value) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_kmeans_fit` needs. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// # Safety
/// `options` is valid, or NULL: the usual ones.
///
/// ```c
/// hq_kmeans_options options;
/// assert(hq_kmeans_options_default(&options) == HQ_OK);
/// assert(hq_kmeans_fit_workspace_size(1000, 2, 8, &options) < 64 * 1024);
/// assert(hq_kmeans_fit_workspace_size(1000, 2, 0, &options) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_fit_workspace_size(
    n: usize,
    d: usize,
    k: usize,
    options: *const hq_kmeans_options,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| fit_workspace_size(n, d, k, &unsafe { self::options(options) }?))
}

/// Lloyd's algorithm from given centres. The result is the same on every machine.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
/// - `k`: 1 to `n`.
/// - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
/// - `options`: NULL for the usual ones.
/// - `labels`: at least `n` numbers, of which just those are written: for each row the nearest of the returned centres,
///   of equally near ones the first.
/// - `result`: inertia (of these labels), iterations, why it stopped.
/// - `scratch`: at least `hq_kmeans_fit_workspace_size(n, d, k, options)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: at most `n d k` multiply-adds an iteration.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0, `k` above `n`, another `spherical`, a tolerance that is negative or not finite, a
/// negative weight, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_EMPTY_CLUSTER` (only with `HQ_EMPTY_ERROR`). The
/// outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[5] = {0.0f, 1.0f, 10.0f, 12.0f, 2.0f};
/// float centers[2] = {0.0f, 1.0f};
/// uint32_t labels[5];
/// uint8_t scratch[16384];
/// hq_kmeans_options options;
/// hq_kmeans_result result;
/// assert(hq_kmeans_options_default(&options) == HQ_OK);
/// assert(hq_kmeans_fit_workspace_size(5, 1, 2, &options) <= sizeof scratch);
/// assert(hq_kmeans_fit(5, 1, x, 5, NULL, 0, 2, &options, centers, 2, labels, 5, &result, scratch,
///                      sizeof scratch) == HQ_OK);
/// assert(centers[0] == 1.0f && centers[1] == 11.0f && labels[3] == 1 && labels[4] == 0);
/// assert(result.inertia == 4.0f && result.stop == HQ_STOP_LABELS);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_fit(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
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
        let found = kmeans::fit(&points, k, &options, centers, labels, scratch)?;
        // SAFETY: as above.
        unsafe { result.write(found.into()) };
        Ok(())
    })
}

/// Points with weights, if there are any.
pub(super) fn points<'a>(n: usize, d: usize, x: &'a [f32], weights: &'a [f32]) -> Result<Points<'a>, Error> {
    if weights.is_empty() { Points::new(n, d, x) } else { Points::weighted(n, d, x, weights) }
}

/// Scales every row to length 1, for spherical k-means; rows of zeros stay.
///
/// - `x`: `x_len` finite values, rows of `d`; `d` at least 1.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` 0), `HQ_ERROR_SHAPE` (no whole number of rows), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`. `x` is untouched then.
///
/// # Safety
/// The pointer is valid for the length given with it.
///
/// ```c
/// float x[4] = {0.0f, -2.0f, 0.0f, 0.0f};
/// assert(hq_kmeans_normalize_rows(2, x, 4) == HQ_OK && x[1] == -1.0f && x[3] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_normalize_rows(d: usize, x: *mut f32, x_len: usize) -> hq_status {
    status(|| {
        let x = Output::new(x, x_len)?;
        // SAFETY: the caller vouches for the memory.
        kmeans::normalize_rows(d, unsafe { x.slice() })
    })
}

/// Bytes of scratch that `hq_kmeans_predict` and `hq_kmeans_accumulate` need: about `4 * d * (k + 16)`, whatever the
/// number of rows. `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_assign_workspace_size(8, 2) < 32 * 1024);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_assign_workspace_size(k: usize, d: usize) -> usize {
    size(|| assign_workspace_size(k, d))
}

/// The nearest of `k` centres for every point.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `centers`: `centers_len` = `k * d` finite values.
/// - `labels`: at least `n` numbers, of which just those are written. Of equally near centres it is the first.
/// - `distances`: at least `n` floats for the squared distances to these centres, or NULL with `distances_len` 0.
/// - `scratch`: at least `hq_kmeans_assign_workspace_size(k, d)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d` or `k` 0), `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[4] = {0.0f, 4.0f, 9.0f, 6.0f}, centers[2] = {9.0f, 1.0f};
/// uint32_t labels[4];
/// float distances[4];
/// uint8_t scratch[16384];
/// assert(hq_kmeans_assign_workspace_size(2, 1) <= sizeof scratch);
/// assert(hq_kmeans_predict(4, 1, x, 4, 2, centers, 2, labels, 4, distances, 4, scratch, sizeof scratch) == HQ_OK);
/// assert(labels[0] == 1 && labels[2] == 0 && distances[1] == 9.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_predict(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    k: usize,
    centers: *const f32,
    centers_len: usize,
    labels: *mut u32,
    labels_len: usize,
    distances: *mut f32,
    distances_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let x = Input::new(x, x_len)?;
        let centers = Input::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let distances = Output::new(distances, distances_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[labels.span(), distances.span(), scratch.span()], &[x.span(), centers.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, centers) = unsafe { (x.slice(), centers.slice()) };
        // SAFETY: as above.
        let (labels, distances, scratch) = unsafe { (labels.slice(), distances.slice(), scratch.slice()) };
        let distances = if distances_len == 0 { None } else { Some(distances) };
        kmeans::assign(&Points::new(n, d, x)?, k, centers, labels, distances, scratch)
    })
}
