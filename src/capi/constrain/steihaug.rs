//! Room `constrain`: steps of a trust region by conjugate gradients.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::constrain::{
    DenseHessian, HessianVector, SteihaugOptions, SteihaugStop, steihaug, steihaug_workspace_size,
};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// The step is that of Newton's method, within the tolerance.
pub const HQ_STEIHAUG_CONVERGED: i32 = 0;
/// The next iterate would leave the region: the step ends on the boundary.
pub const HQ_STEIHAUG_BOUNDARY: i32 = 1;
/// No positive curvature along the direction: the step follows it to the boundary.
pub const HQ_STEIHAUG_NEGATIVE_CURVATURE: i32 = 2;
/// The iterations are used up; the step is the last iterate.
pub const HQ_STEIHAUG_ITERATIONS: i32 = 3;
/// The callback failed or gave NaN or infinity; the step is the last iterate before that, zeros if there is none.
pub const HQ_STEIHAUG_HESSIAN: i32 = 4;

const _: () = {
    assert!(HQ_STEIHAUG_CONVERGED == SteihaugStop::Converged as i32);
    assert!(HQ_STEIHAUG_BOUNDARY == SteihaugStop::Boundary as i32);
    assert!(HQ_STEIHAUG_NEGATIVE_CURVATURE == SteihaugStop::NegativeCurvature as i32);
    assert!(HQ_STEIHAUG_ITERATIONS == SteihaugStop::Iterations as i32);
    assert!(HQ_STEIHAUG_HESSIAN == SteihaugStop::Hessian as i32);
};

/// The product of a symmetric matrix with a vector: writes `H v` to `out`, both of `len` floats, and returns 0; anything
/// else ends the search. `context` is what the caller of `hq_steihaug` has passed. It must return (no `longjmp`, no
/// exception) and must not write `v`.
pub type hq_hessian_vector =
    Option<unsafe extern "C" fn(context: *mut c_void, v: *const f32, out: *mut f32, len: usize) -> i32>;

/// When `hq_steihaug` stops; 8 bytes. NULL stands for a tolerance of 0.1 and 100 iterations.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_steihaug_options {
    /// Stop when the norm of `g + H p` is at most this part of that of `g`; 0 to 1.
    pub tolerance: f32,
    /// Stop after so many products.
    pub max_iterations: u32,
}

/// What `hq_steihaug` has found; 20 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_steihaug_result {
    /// By how much the model falls: at least 0, finite.
    pub predicted: f32,
    /// The norm of the step; the radius, exactly, if the step ends on the boundary.
    pub norm: f32,
    /// The norm of `g + H p` over that of `g`, of the last iterate inside the region.
    pub residual: f32,
    /// Products with the Hessian.
    pub iterations: u32,
    /// `HQ_STEIHAUG_*`.
    pub stop: i32,
}

/// The `context` of `hq_hessian_dense`: a symmetric `len` x `len` matrix, row after row.
#[repr(C)]
pub struct hq_dense_hessian {
    /// Its values.
    pub values: *const f32,
    /// How many: `len * len`.
    pub values_len: usize,
}

const _: () = {
    assert!(size_of::<hq_steihaug_options>() == 8);
    assert!(size_of::<hq_steihaug_result>() == 20);
    assert!(size_of::<hq_dense_hessian>() == 2 * size_of::<usize>());
};

/// A C callback as [`HessianVector`].
struct Callback {
    function: unsafe extern "C" fn(*mut c_void, *const f32, *mut f32, usize) -> i32,
    context: *mut c_void,
}

impl HessianVector for Callback {
    fn apply(&mut self, v: &[f32], out: &mut [f32]) -> Result<(), Error> {
        // SAFETY: both slices have that length; the caller of `hq_steihaug` vouches for the function and its context.
        match unsafe { (self.function)(self.context, v.as_ptr(), out.as_mut_ptr(), out.len()) } {
            0 => Ok(()),
            _ => Err(Error::InvalidArgument),
        }
    }
}

/// A ready-made `hq_hessian_vector` for a small matrix in memory; `context` points to an `hq_dense_hessian`.
///
/// Returns `HQ_OK` (0), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_OVERLAP`, or
/// `HQ_ERROR_SHAPE` if `values_len` is not `len * len`; `out` is untouched then. Callable from any thread.
///
/// # Safety
/// `context` points to one struct whose `values` are valid; `v` and `out` are valid for `len` floats.
///
/// ```c
/// const float values[4] = {2.0f, 1.0f, 1.0f, 3.0f}, v[2] = {1.0f, 2.0f};
/// hq_dense_hessian hessian = {values, 4};
/// float out[2];
/// assert(hq_hessian_dense(&hessian, v, out, 2) == HQ_OK && out[0] == 4.0f && out[1] == 7.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hessian_dense(
    context: *mut c_void,
    v: *const f32,
    out: *mut f32,
    len: usize,
) -> hq_status {
    status(|| {
        let context: *const hq_dense_hessian = context.cast();
        if context.is_null() {
            return Err(Error::NullPointer);
        }
        if !context.is_aligned() {
            return Err(Error::Misaligned);
        }
        // SAFETY: not NULL, aligned; the caller vouches for the rest.
        let (values, values_len) = unsafe { ((*context).values, (*context).values_len) };
        let values = Input::new(values, values_len)?;
        let (v, out) = (Input::new(v, len)?, Output::new(out, len)?);
        disjoint(&[out.span()], &[v.span(), values.span()])?;
        // SAFETY: the caller vouches for the memory; `out` overlaps nothing.
        let (values, v, out) = unsafe { (values.slice(), v.slice(), out.slice()) };
        DenseHessian::new(values, len)?.apply(v, out)
    })
}

/// Bytes of scratch that `hq_steihaug` needs: three vectors of `len` floats, and 9 bytes. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_steihaug_workspace_size(100) == 3 * 400 + 9);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_steihaug_workspace_size(len: usize) -> usize {
    size(|| steihaug_workspace_size(len))
}

/// The step of a trust region: minimises the model `g . p + p . H p / 2` over `|p| <= radius`, approximately, by conjugate
/// gradients that stop at the boundary (Steihaug 1983, Toint 1981). `H` is known only by its products with vectors.
/// Gradients, curvatures and radii of 1e-30 to 1e30 neither overflow nor get lost.
///
/// - `gradient`: `gradient_len` finite values.
/// - `hessian`, `context`: the products; called at most `max_iterations` times from this thread, with vectors in `scratch`
///   whose values are of the order of 1.
/// - `radius`: above 0, finite.
/// - `options`: NULL for the usual ones.
/// - `step`: `step_len` = `gradient_len` floats.
/// - `result`: how long the step is, what it promises (for `hq_trust_region_update`), why the search stopped. A callback
///   that fails is a reason to stop (`HQ_STEIHAUG_HESSIAN`), no error: `step` is good then, if perhaps zero.
/// - `scratch`: at least `hq_steihaug_workspace_size(gradient_len)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER` (the callback too), `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_INVALID_ARGUMENT` (radius, tolerance), `HQ_ERROR_SHAPE`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
/// `HQ_ERROR_NON_FINITE` (of the gradient or its norm). The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `hessian` may be called with `context`.
///
/// ```c
/// const float values[4] = {2.0f, 0.5f, 0.5f, 2.0f}, gradient[2] = {-2.0f, -3.0f};
/// hq_dense_hessian hessian = {values, 4};
/// hq_steihaug_options options = {1e-6f, 10};
/// hq_steihaug_result result;
/// float step[2];
/// uint8_t scratch[64];
/// assert(hq_steihaug(gradient, 2, hq_hessian_dense, &hessian, 10.0f, &options, step, 2, &result, scratch,
///                    sizeof scratch) == HQ_OK);
/// assert(result.stop == HQ_STEIHAUG_CONVERGED && step[0] > 0.6666f && step[0] < 0.6667f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_steihaug(
    gradient: *const f32,
    gradient_len: usize,
    hessian: hq_hessian_vector,
    context: *mut c_void,
    radius: f32,
    options: *const hq_steihaug_options,
    step: *mut f32,
    step_len: usize,
    result: *mut hq_steihaug_result,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let function = hessian.ok_or(Error::NullPointer)?;
        let gradient = Input::new(gradient, gradient_len)?;
        let options = Input::optional(options)?;
        let step = Output::new(step, step_len)?;
        let result = Output::new(result, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[step.span(), result.span(), scratch.span()], &[gradient.span(), options.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (gradient, options) = unsafe { (gradient.slice(), options.slice()) };
        // SAFETY: as above.
        let (step, scratch) = unsafe { (step.slice(), scratch.slice()) };
        let options = options.first().map_or(SteihaugOptions::default(), |o| SteihaugOptions {
            tolerance: o.tolerance,
            max_iterations: o.max_iterations,
        });
        let found = steihaug(gradient, &mut Callback { function, context }, radius, &options, step, scratch)?;
        let value = hq_steihaug_result {
            predicted: found.predicted,
            norm: found.norm,
            residual: found.residual,
            iterations: found.iterations,
            stop: found.stop as i32,
        };
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}
