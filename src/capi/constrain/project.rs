//! What can be done with any set.

use core::ffi::c_void;

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, size, status};
use crate::constrain::Project;

use super::set::{hq_set, with_set};

/// Bytes of scratch that the functions of a set need for vectors of `len` values; 0 for most. `SIZE_MAX` for a set that
/// they would refuse, and on overflow.
///
/// # Safety
/// `set` is valid, and so are its arrays.
///
/// ```c
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_workspace_size(&ball, 1000) == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_workspace_size(set: *const hq_set, len: usize) -> usize {
    // SAFETY: the caller vouches for the memory; nothing is written.
    size(|| unsafe { with_set(set, &[], &[], |set| set.workspace_size(len)) })
}

/// The nearest point of a set: `out` is the projection of `x`.
///
/// - `x`: `len` finite values.
/// - `out`: `len` floats. An input inside the set, or outside by no more than rounding, is copied bit for bit.
/// - `scratch`: at least `hq_set_workspace_size(set, len)` bytes at any alignment.
/// - `active`: 1 if the point was outside and has been moved, else 0; may be NULL.
///
/// Same bits on every tier and target. Buffers must not overlap, nor the arrays of the set. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM` (the kind), `HQ_ERROR_INVALID_ARGUMENT` (a parameter out of the range that the kind
/// states), `HQ_ERROR_SHAPE` (an array of the set does not fit `len`), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. The outputs are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `set` and `active` point to one of theirs.
///
/// ```c
/// const float x[2] = {3.0f, -4.0f};
/// float out[2];
/// int32_t active;
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_project(&ball, x, out, 2, NULL, 0, &active) == HQ_OK);
/// assert(active == 1 && out[0] == 0.6f && out[1] == -0.8f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_project(
    set: *const hq_set,
    x: *const f32,
    out: *mut f32,
    len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    active: *mut i32,
) -> hq_status {
    status(|| {
        let (x, out) = (Input::new(x, len)?, Output::new(out, len)?);
        let (scratch, active) = (Output::bytes(scratch, scratch_size)?, Output::optional(active)?);
        // SAFETY: the caller vouches for the memory; the work begins when no output overlaps another buffer.
        unsafe {
            with_set(set, &[out.span(), scratch.span(), active.span()], &[x.span()], |set| {
                let done = set.project(x.slice(), out.slice(), scratch.slice())?;
                active.write_if_wanted(i32::from(done.active));
                Ok(())
            })
        }
    })
}

/// `hq_set_project` that overwrites its input.
///
/// - `x`: `len` finite values, replaced by their projection; not written at all if they are inside.
/// - `scratch`, `active`, errors: as for `hq_set_project`.
///
/// # Safety
/// Each pointer is valid for the length given with it; `set` and `active` point to one of theirs.
///
/// ```c
/// float x[2] = {0.3f, 0.4f};
/// int32_t active;
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_project_inplace(&ball, x, 2, NULL, 0, &active) == HQ_OK);
/// assert(active == 0 && x[0] == 0.3f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_project_inplace(
    set: *const hq_set,
    x: *mut f32,
    len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    active: *mut i32,
) -> hq_status {
    status(|| {
        let x = Output::new(x, len)?;
        let (scratch, active) = (Output::bytes(scratch, scratch_size)?, Output::optional(active)?);
        // SAFETY: the caller vouches for the memory; the work begins when no output overlaps another buffer.
        unsafe {
            with_set(set, &[x.span(), scratch.span(), active.span()], &[], |set| {
                let done = set.project_inplace(x.slice(), scratch.slice())?;
                active.write_if_wanted(i32::from(done.active));
                Ok(())
            })
        }
    })
}

/// How far outside a set a point is, in the measure that the kind states; 0 inside, at most `FLT_MAX`.
///
/// - `x`: `len` finite values.
/// - `violation`: one float.
///
/// Callable from any thread. Errors: as `hq_set_project`; `violation` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `set` and `violation` point to one of theirs.
///
/// ```c
/// const float x[2] = {3.0f, -4.0f};
/// float violation;
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_violation(&ball, x, 2, &violation) == HQ_OK && violation == 4.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_violation(
    set: *const hq_set,
    x: *const f32,
    len: usize,
    violation: *mut f32,
) -> hq_status {
    status(|| {
        let (x, violation) = (Input::new(x, len)?, Output::new(violation, 1)?);
        // SAFETY: the caller vouches for the memory; the work begins when the output overlaps nothing.
        unsafe {
            with_set(set, &[violation.span()], &[x.span()], |set| {
                violation.write(set.violation(x.slice())?);
                Ok(())
            })
        }
    })
}

/// Whether a point violates a set by at most `tolerance`.
///
/// - `x`: `len` finite values.
/// - `tolerance`: at least 0. A projected point is feasible within the rounding of its values, not always within 0.
/// - `feasible`: one number, 1 or 0.
///
/// Callable from any thread. Errors: as `hq_set_project`, and `HQ_ERROR_INVALID_ARGUMENT` for the tolerance; `feasible` is
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `set` and `feasible` point to one of theirs.
///
/// ```c
/// const float x[2] = {0.6f, -0.8f};
/// int32_t feasible;
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_is_feasible(&ball, x, 2, 1e-6f, &feasible) == HQ_OK && feasible == 1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_is_feasible(
    set: *const hq_set,
    x: *const f32,
    len: usize,
    tolerance: f32,
    feasible: *mut i32,
) -> hq_status {
    status(|| {
        let (x, feasible) = (Input::new(x, len)?, Output::new(feasible, 1)?);
        // SAFETY: the caller vouches for the memory; the work begins when the output overlaps nothing.
        unsafe {
            with_set(set, &[feasible.span()], &[x.span()], |set| {
                feasible.write(i32::from(set.is_feasible(x.slice(), tolerance)?));
                Ok(())
            })
        }
    })
}

/// The vector-Jacobian product of a projection: `out` is `v` times the derivative at `x`, what backpropagation needs. Where
/// the projection has a kink, the derivative from inside is taken.
///
/// - `x`: `len` finite values, the input of the projection.
/// - `v`: `len` finite values, the gradient with respect to its output.
/// - `out`: `len` floats.
/// - `scratch`: at least `hq_set_workspace_size(set, len)` bytes at any alignment.
///
/// Buffers must not overlap, nor the arrays of the set. Callable from any thread. Errors: as `hq_set_project`, and
/// `HQ_ERROR_UNSUPPORTED` where there is no derivative; `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `set` points to one.
///
/// ```c
/// const float x[2] = {2.0f, 0.0f}, v[2] = {5.0f, 6.0f};
/// float out[2];
/// hq_set ball = {0};
/// ball.kind = HQ_SET_L2_BALL;
/// ball.radius = 1.0f;
/// assert(hq_set_vjp(&ball, x, v, out, 2, NULL, 0) == HQ_OK);
/// assert(out[0] == 0.0f && out[1] == 3.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_set_vjp(
    set: *const hq_set,
    x: *const f32,
    v: *const f32,
    out: *mut f32,
    len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let (x, v, out) = (Input::new(x, len)?, Input::new(v, len)?, Output::new(out, len)?);
        let scratch = Output::bytes(scratch, scratch_size)?;
        // SAFETY: the caller vouches for the memory; the work begins when no output overlaps another buffer.
        unsafe {
            with_set(set, &[out.span(), scratch.span()], &[x.span(), v.span()], |set| {
                set.vjp(x.slice(), v.slice(), out.slice(), scratch.slice())
            })
        }
    })
}
