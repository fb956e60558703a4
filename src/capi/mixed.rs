//! Room `quant`: mixed precision.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::quant;

use super::hq_status;
use super::pointers::{Input, Output, disjoint, size, status};

/// What `hq_mixed_select` found; 16 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_mixed {
    /// Bytes of the chosen formats; at most the budget.
    pub bytes: u64,
    /// The sum of their errors.
    pub error: f32,
    /// No choice within the budget has a smaller error. Equal to `error` where the choice is proved to be the best.
    pub bound: f32,
}

const _: () = assert!(size_of::<hq_mixed>() == 16);

/// Bytes of scratch that `hq_mixed_select` needs: 24 for each of `tensors * candidates`, 16 for each tensor, and
/// padding. `SIZE_MAX` if that does not fit `size_t`.
///
/// ```c
/// assert(hq_mixed_workspace_size(300, 6) <= 24 * 300 * 6 + 16 * 300 + 16);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_mixed_workspace_size(tensors: usize, candidates: usize) -> usize {
    size(|| quant::mixed_workspace_size(tensors, candidates))
}

/// The smallest budget for which `hq_mixed_select` has an answer.
///
/// - `bytes`, `errors`: as for `hq_mixed_select`, `cells` of each.
/// - `result`: one number of bytes.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT`. `result` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `result` points to one `uint64_t`.
///
/// ```c
/// const uint64_t bytes[4] = {10, 20, 30, 60};
/// const float errors[4] = {5.0f, 1.0f, 7.0f, 1.0f};
/// uint64_t least;
/// assert(hq_mixed_smallest(2, 2, bytes, errors, 4, &least) == HQ_OK && least == 40);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_mixed_smallest(
    tensors: usize,
    candidates: usize,
    bytes: *const u64,
    errors: *const f32,
    cells: usize,
    result: *mut u64,
) -> hq_status {
    status(|| {
        let (bytes, errors) = (Input::new(bytes, cells)?, Input::new(errors, cells)?);
        let result = Output::new(result, 1)?;
        disjoint(&[result.span()], &[bytes.span(), errors.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps no input.
        let (bytes, errors) = unsafe { (bytes.slice(), errors.slice()) };
        let least = quant::mixed_smallest(tensors, candidates, bytes, errors)?;
        // SAFETY: as above.
        unsafe { result.write(least) };
        Ok(())
    })
}

/// Chooses one of several formats for each tensor (or row group): within a budget of bytes, with the least sum of
/// errors.
///
/// - `tensors`, `candidates`: how many tensors, and how many formats each can have (65536 at most).
/// - `bytes`, `errors`: `cells` = `tensors * candidates` of each, those of the first tensor first: what the tensor
///   takes in that format, and its squared error there, weighted as you see fit. `INFINITY` as the error: the tensor
///   cannot have this format.
/// - `budget`: bytes of all tensors together.
/// - `choices`: at least `tensors` numbers, of which just those are written: the index of the format of each.
/// - `scratch`: at least `hq_mixed_workspace_size(tensors, candidates)` bytes at any alignment.
/// - `result`: one struct.
///
/// The result is the best that there is where `bound` equals `error`, else within `error - bound` of it. Takes about
/// `32 * tensors * candidates` steps, and a search of four million steps at most. Buffers must not overlap. Callable
/// from any thread.
///
/// Errors: `HQ_ERROR_BUDGET` (`hq_mixed_smallest` tells the least budget), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_INVALID_ARGUMENT` (an error that is negative or NaN, a tensor without a format),
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. `choices` and `result` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `result` points to one struct.
///
/// ```c
/// const uint64_t bytes[6] = {10, 20, 40, 10, 20, 40}; // two tensors, each in 10, 20 or 40 bytes
/// const float errors[6] = {9.0f, 4.0f, 0.0f, 100.0f, 30.0f, 1.0f};
/// uint16_t choices[2];
/// uint8_t scratch[192];
/// hq_mixed found;
/// assert(hq_mixed_workspace_size(2, 3) <= sizeof scratch);
/// assert(hq_mixed_select(2, 3, bytes, errors, 6, 50, choices, 2, scratch, sizeof scratch, &found) == HQ_OK);
/// assert(choices[0] == 0 && choices[1] == 2 && found.bytes == 50);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_mixed_select(
    tensors: usize,
    candidates: usize,
    bytes: *const u64,
    errors: *const f32,
    cells: usize,
    budget: u64,
    choices: *mut u16,
    choices_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
    result: *mut hq_mixed,
) -> hq_status {
    status(|| {
        let (bytes, errors) = (Input::new(bytes, cells)?, Input::new(errors, cells)?);
        let choices = Output::new(choices, choices_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        let result = Output::new(result, 1)?;
        disjoint(&[result.span(), choices.span(), scratch.span()], &[bytes.span(), errors.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (bytes, errors, choices, scratch) =
            unsafe { (bytes.slice(), errors.slice(), choices.slice(), scratch.slice()) };
        let found = quant::mixed_select(tensors, candidates, bytes, errors, budget, choices, scratch)?;
        let found = hq_mixed { bytes: found.bytes, error: found.error, bound: found.bound };
        // SAFETY: as above.
        unsafe { result.write(found) };
        Ok(())
    })
}
