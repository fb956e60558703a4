//! Room `kmeans`.

use core::ffi::c_void;

use crate::Error;
use crate::kmeans::{Exact1d, exact_1d, exact_1d_workspace_size};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

pub(super) fn options(k: usize, pin_zero: i32) -> Result<Exact1d, Error> {
    match pin_zero {
        0 | 1 => Ok(Exact1d { k, pin_zero: pin_zero == 1 }),
        _ => Err(Error::InvalidArgument),
    }
}

/// Bytes of scratch that `hq_kmeans_exact_1d` needs for `len` values: about `82 * len`; above 2048 values
/// `24 * len + 32 k (1024 + 8 k)` more, the last part at most `128 * len` and twice with `pin_zero`.
///
/// `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_exact_1d_workspace_size(1000, 8, 0) < 1000 * 90);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_exact_1d_workspace_size(len: usize, k: usize, pin_zero: i32) -> usize {
    size(|| exact_1d_workspace_size(len, &options(k, pin_zero)?))
}

/// Exact one-dimensional k-means: the `k` centres with the least sum of weighted squared distances, ascending. For
/// codebooks, levels and thresholds.
///
/// - `x`: `len` finite values in any order.
/// - `weights`: `weights_len` = `len` weights >= 0, or NULL with `weights_len` 0: all 1.
/// - `pin_zero`: 1 if one of the centres shall be 0, else 0.
/// - `centers`: at least `k` floats, of which just those are written. If there are fewer different values than
///   centres, the rest repeat the last one.
/// - `inertia`: one float, the sum of weighted squared distances.
/// - `scratch`: at least `hq_kmeans_exact_1d_workspace_size(len, k, pin_zero)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: about that of sorting, if `k` is small beside `len`; k len log(len) at worst.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0, another `pin_zero`, a negative weight), `HQ_ERROR_SHAPE` (`weights_len`),
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. `centers` and `inertia` are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[5] = {9.0f, 1.0f, 1.5f, 9.5f, 0.5f};
/// float centers[2], inertia;
/// uint8_t scratch[1024];
/// assert(hq_kmeans_exact_1d_workspace_size(5, 2, 0) <= sizeof scratch);
/// assert(hq_kmeans_exact_1d(x, 5, NULL, 0, 2, 0, centers, 2, &inertia, scratch, sizeof scratch) == HQ_OK);
/// assert(centers[0] > 0.99f && centers[0] < 1.01f && centers[1] > 9.24f && centers[1] < 9.26f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_exact_1d(
    x: *const f32,
    len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    pin_zero: i32,
    centers: *mut f32,
    centers_len: usize,
    inertia: *mut f32,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let options = options(k, pin_zero)?;
        let x = Input::new(x, len)?;
        let weights = Input::new(weights, weights_len)?;
        let centers = Output::new(centers, centers_len)?;
        let inertia = Output::new(inertia, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[inertia.span(), centers.span(), scratch.span()], &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (centers, scratch) = unsafe { (centers.slice(), scratch.slice()) };
        let weights = if weights.is_empty() { None } else { Some(weights) };
        let found = exact_1d(x, weights, &options, centers, scratch)?;
        // SAFETY: as above.
        unsafe { inertia.write(found.inertia) };
        Ok(())
    })
}
