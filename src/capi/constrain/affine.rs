//! Systems of linear equations, factored for `HQ_SET_AFFINE`.

use core::ffi::c_void;

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::constrain::{affine_factor_len, affine_prepare, affine_prepare_workspace_size};

/// Floats of the factor of a `rows x cols` system: `rows * (cols + 1)`. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_affine_factor_len(2, 10) == 22);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_affine_factor_len(rows: usize, cols: usize) -> usize {
    size(|| affine_factor_len(rows, cols))
}

/// Bytes of scratch that `hq_affine_prepare` needs: those of the factor, and 3 for alignment. `SIZE_MAX` on overflow.
///
/// ```c
/// assert(hq_affine_prepare_workspace_size(2, 10) == 91);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_affine_prepare_workspace_size(rows: usize, cols: usize) -> usize {
    size(|| affine_prepare_workspace_size(rows, cols))
}

/// Factors the system `A x = b` once, for any number of projections onto `HQ_SET_AFFINE`: an orthonormal basis of the rows
/// of A, by Gram-Schmidt with every row orthogonalised twice.
///
/// - `a`: `a_len` = `rows * cols` finite values, row after row.
/// - `b`: `b_len` = `rows` finite values.
/// - `factor`: at least `hq_affine_factor_len(rows, cols)` floats, of which just those are written: `a_len` of an `hq_set`
///   is that number, not more.
/// - `scratch`: at least `hq_affine_prepare_workspace_size(rows, cols)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: 2 rows^2 cols multiplications.
///
/// Errors: `HQ_ERROR_RANK_DEFICIENT` (a row follows from those before it to within 2^-16 of its norm; more rows than
/// columns), `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE` (also where a plane is farther from the origin than `float` reaches),
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `factor` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float a[3] = {1.0f, 1.0f, 1.0f}, b[1] = {6.0f}; // values that sum to 6
/// float factor[4], x[3] = {1.0f, 1.0f, 1.0f};
/// uint8_t scratch[32];
/// assert(hq_affine_prepare(1, 3, a, 3, b, 1, factor, 4, scratch, sizeof scratch) == HQ_OK);
/// hq_set set = {0};
/// set.kind = HQ_SET_AFFINE;
/// set.a = factor;
/// set.a_len = 4;
/// set.count = 1;
/// assert(hq_set_project_inplace(&set, x, 3, scratch, sizeof scratch, NULL) == HQ_OK);
/// assert(x[0] > 1.99999f && x[0] < 2.00001f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_affine_prepare(
    rows: usize,
    cols: usize,
    a: *const f32,
    a_len: usize,
    b: *const f32,
    b_len: usize,
    factor: *mut f32,
    factor_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let (a, b) = (Input::new(a, a_len)?, Input::new(b, b_len)?);
        let factor = Output::new(factor, factor_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[factor.span(), scratch.span()], &[a.span(), b.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (a, b, factor, scratch) = unsafe { (a.slice(), b.slice(), factor.slice(), scratch.slice()) };
        affine_prepare(rows, cols, a, b, factor, scratch)
    })
}
