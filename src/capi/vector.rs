//! Room `linear`: f32 vector kernels.

use crate::linear::vector;

use super::hq_status;
use super::pointers::{Input, Output, disjoint, status};

/// Sum of `a[i] * b[i]` over `len` floats; 0 for none.
///
/// |error| <= (len / 16 + 6) * 2^-24 * (sum of |a b|), short of overflow. Same bits on every tier and target.
/// `a` and `b` may be the same array; `result` (one float) must not overlap them. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OVERLAP`; `result`
/// is untouched then.
///
/// # Safety
/// `a` and `b` are valid for `len` floats, `result` for one.
///
/// ```c
/// const float a[3] = {1.0f, 2.0f, 3.0f}, b[3] = {4.0f, 5.0f, 6.0f};
/// float result;
/// assert(hq_vec_dot(3, a, b, &result) == HQ_OK && result == 32.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_vec_dot(len: usize, a: *const f32, b: *const f32, result: *mut f32) -> hq_status {
    status(|| {
        let (a, b) = (Input::new(a, len)?, Input::new(b, len)?);
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[a.span(), b.span()])?;
        // SAFETY: the caller vouches for the memory; the result overlaps nothing.
        let (a, b) = unsafe { (a.slice(), b.slice()) };
        let value = vector::dot(a, b)?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// Sum of `(a[i] - b[i])^2` over `len` floats; 0 for none. No cancellation, unlike `|a|^2 - 2 a b + |b|^2`.
///
/// Relative error <= (len / 16 + 8) * 2^-24, short of overflow and underflow. Same bits on every tier and target.
/// `a` and `b` may be the same array; `result` (one float) must not overlap them. Callable from any thread.
/// Errors: as `hq_vec_dot`; `result` is untouched then.
///
/// # Safety
/// `a` and `b` are valid for `len` floats, `result` for one.
///
/// ```c
/// const float a[3] = {1.0f, 2.0f, 3.0f}, b[3] = {4.0f, 6.0f, 3.0f};
/// float result;
/// assert(hq_vec_squared_distance(3, a, b, &result) == HQ_OK && result == 25.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_vec_squared_distance(
    len: usize,
    a: *const f32,
    b: *const f32,
    result: *mut f32,
) -> hq_status {
    status(|| {
        let (a, b) = (Input::new(a, len)?, Input::new(b, len)?);
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[a.span(), b.span()])?;
        // SAFETY: the caller vouches for the memory; the result overlaps nothing.
        let (a, b) = unsafe { (a.slice(), b.slice()) };
        let value = vector::squared_distance(a, b)?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// Euclidean norm of `len` floats; 0 for none. Values of 1e30 and of 1e-30 give the right norm too; an infinity
/// gives infinity, a NaN gives NaN.
///
/// |error| <= (len / 32 + 6) * 2^-24 * norm. Same bits on every tier and target. `result` (one float) must not
/// overlap `x`. Callable from any thread. Errors: as `hq_vec_dot`; `result` is untouched then.
///
/// # Safety
/// `x` is valid for `len` floats, `result` for one.
///
/// ```c
/// const float x[2] = {3.0f, -4.0f};
/// float result;
/// assert(hq_vec_norm(2, x, &result) == HQ_OK && result == 5.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_vec_norm(len: usize, x: *const f32, result: *mut f32) -> hq_status {
    status(|| {
        let x = Input::new(x, len)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; the result overlaps nothing.
        let value = vector::norm(unsafe { x.slice() });
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// `y[i] += alpha * x[i]` over `len` floats: the product is rounded, then the sum. Same bits on every tier and
/// target.
///
/// `y` must not overlap `x`. Callable from any thread. Errors: as `hq_vec_dot`; `y` is untouched then.
///
/// # Safety
/// `x` and `y` are valid for `len` floats.
///
/// ```c
/// const float x[2] = {2.0f, 4.0f};
/// float y[2] = {1.0f, 2.0f};
/// assert(hq_vec_axpy(2, 0.5f, x, y) == HQ_OK && y[0] == 2.0f && y[1] == 4.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_vec_axpy(len: usize, alpha: f32, x: *const f32, y: *mut f32) -> hq_status {
    status(|| {
        let x = Input::new(x, len)?;
        let y = Output::new(y, len)?;
        disjoint(&[y.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; the buffers do not overlap.
        let (x, y) = unsafe { (x.slice(), y.slice()) };
        vector::axpy(alpha, x, y)
    })
}
