//! k-means by small random batches.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{self, Draw, MiniBatchOptions, mini_batch_workspace_size};

use super::fit::{hq_kmeans_result, points};

/// A batch is drawn from all rows, whatever has been drawn before.
pub const HQ_DRAW_REPLACE: i32 = 0;
/// Every row comes once, in random order, before any comes again. Takes 4 bytes a row.
pub const HQ_DRAW_SHUFFLE: i32 = 1;

const _: () = {
    assert!(HQ_DRAW_REPLACE == Draw::Replace as i32);
    assert!(HQ_DRAW_SHUFFLE == Draw::Shuffle as i32);
    assert!(size_of::<hq_kmeans_batch_options>() == 32);
};

/// How to fit by batches. `hq_kmeans_batch_options_default` gives a good start, which NULL stands for, too.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_batch_options {
    /// The same seed draws the same batches on every machine.
    pub seed: u64,
    /// Rows of a batch, at least 1; more than there are count as so many.
    pub batch: u32,
    /// Batches at most.
    pub max_steps: u32,
    /// Stop once this many batches in a row have not lowered the smoothed inertia; 0: never.
    pub max_no_improvement: u32,
    /// `HQ_DRAW_*`.
    pub draw: i32,
    /// Stop once no centre moves farther than this for a batch; >= 0, 0: never.
    pub shift_tolerance: f32,
    /// Centres that weigh less than this part of the heaviest get a new place now and then; 0 to 1, 0: never.
    pub reassignment_ratio: f32,
}

/// # Safety
/// NULL, or valid.
unsafe fn options(options: *const hq_kmeans_batch_options) -> Result<MiniBatchOptions, Error> {
    if options.is_null() {
        return Ok(MiniBatchOptions::DEFAULT);
    }
    let options = Input::new(options, 1)?;
    // SAFETY: the caller vouches for the memory.
    let [options] = (unsafe { options.slice() }) else { return Ok(MiniBatchOptions::DEFAULT) };
    Ok(MiniBatchOptions {
        batch: options.batch as usize,
        max_steps: options.max_steps as usize,
        max_no_improvement: options.max_no_improvement as usize,
        shift_tolerance: options.shift_tolerance,
        reassignment_ratio: options.reassignment_ratio,
        draw: Draw::from_i32(options.draw)?,
        seed: options.seed,
    })
}

/// Writes the usual options: batches of 1024 rows, 1000 at most, until 10 in a row bring nothing; centres below 1 % of
/// the heaviest are moved.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
///
/// # Safety
/// `options` is valid.
///
/// ```c
/// hq_kmeans_batch_options options;
/// assert(hq_kmeans_batch_options_default(&options) == HQ_OK && options.batch == 1024);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_batch_options_default(options: *mut hq_kmeans_batch_options) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let usual = MiniBatchOptions::DEFAULT;
        let value = hq_kmeans_batch_options {
            seed: usual.seed,
            batch: usual.batch as u32,
            max_steps: usual.max_steps as u32,
            max_no_improvement: usual.max_no_improvement as u32,
            draw: usual.draw as i32,
            shift_tolerance: usual.shift_tolerance,
            reassignment_ratio: usual.reassignment_ratio,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(value) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_kmeans_mini_batch` needs: about `4 * d * (batch + 5 * k + 16)`, and 4 a row with
/// `HQ_DRAW_SHUFFLE`. `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// # Safety
/// `options` is valid or NULL.
///
/// ```c
/// hq_kmeans_batch_options options;
/// assert(hq_kmeans_batch_options_default(&options) == HQ_OK);
/// assert(hq_kmeans_mini_batch_workspace_size(1000000, 2, 8, &options) < 64 * 1024);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_mini_batch_workspace_size(
    n: usize,
    d: usize,
    k: usize,
    options: *const hq_kmeans_batch_options,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| mini_batch_workspace_size(n, d, k, &unsafe { self::options(options) }?))
}

/// Mini-batch k-means from given centres: most of the way to Lloyd's result for a small part of its work, where rows are
/// many. The result is the same on every machine.
///
/// - `x`: `x_len` = `n * d` finite values, row after row; `d` at least 1, `n` at most 2^31.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all 1.
/// - `k`: 1 to `n`.
/// - `options`: NULL for the usual ones.
/// - `centers`: `centers_len` = `k * d` floats: in, the start (`hq_kmeans_seed` finds one); out, the outcome.
/// - `labels`: at least `n` numbers, of which just those are written: for each row the nearest of the returned centres.
/// - `result`: inertia (of these labels, over all rows), `iterations` (batches), `stop` (`HQ_STOP_SHIFT`,
///   `HQ_STOP_INERTIA` or `HQ_STOP_ITERATIONS`), `shift` for the last batch.
/// - `scratch`: at least `hq_kmeans_mini_batch_workspace_size(n, d, k, options)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: `batch * d * k` multiply-adds a batch, and `n * d * k`.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`d`, `k` or `batch` 0, `k` above `n`, a tolerance that is negative or not finite, a
/// ratio outside its range, a negative weight, no weight above 0), `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// float x[100], centers[2] = {0.0f, 1.0f};
/// uint32_t labels[100];
/// uint8_t scratch[32768];
/// hq_kmeans_batch_options options;
/// hq_kmeans_result result;
/// for (int i = 0; i < 100; i++) x[i] = (float)(i % 2 * 10);
/// assert(hq_kmeans_batch_options_default(&options) == HQ_OK);
/// options.batch = 20;
/// assert(hq_kmeans_mini_batch_workspace_size(100, 1, 2, &options) <= sizeof scratch);
/// assert(hq_kmeans_mini_batch(100, 1, x, 100, NULL, 0, 2, &options, centers, 2, labels, 100, &result, scratch,
///                             sizeof scratch) == HQ_OK);
/// assert(centers[0] == 0.0f && centers[1] == 10.0f && labels[3] == 1 && result.inertia == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_mini_batch(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    options: *const hq_kmeans_batch_options,
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
        let found = kmeans::mini_batch(&points, k, &options, centers, labels, scratch)?;
        let value = hq_kmeans_result {
            inertia: found.inertia,
            shift: found.shift,
            iterations: found.iterations as u32,
            stop: found.stop as i32,
            empty: found.empty as u32,
        };
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}
