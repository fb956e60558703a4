//! Room `kmeans`: first centres.

use core::ffi::c_void;

use crate::Error;
use crate::kmeans::{self, Points, Seeding, seed_workspace_size};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// Greedy k-means++: each centre is the best of several rows drawn in proportion to weight times squared distance to the
/// nearest centre so far. `effort`: how many; 0: 2 + floor(ln k).
pub const HQ_SEEDING_PLUS_PLUS: i32 = 0;
/// k-means++ approximated by Markov chains (AFK-MC2): for many rows. `effort`: steps per centre; 0: 200.
pub const HQ_SEEDING_AFK_MC2: i32 = 1;
/// Rows in proportion to their weights, none twice. `effort` is not read.
pub const HQ_SEEDING_RANDOM: i32 = 2;

/// The method of these numbers.
pub(super) fn seeding(method: i32, effort: usize) -> Result<Seeding, Error> {
    match method {
        HQ_SEEDING_PLUS_PLUS => Ok(Seeding::PlusPlus { trials: effort }),
        HQ_SEEDING_AFK_MC2 => Ok(Seeding::AfkMc2 { chain: effort }),
        HQ_SEEDING_RANDOM => Ok(Seeding::Random),
        _ => Err(Error::UnknownEnum),
    }
}

/// Bytes of scratch that `hq_kmeans_seed` needs for `n` rows and `k` centres: about 8 n for `HQ_SEEDING_PLUS_PLUS`, 4 n
/// otherwise. `SIZE_MAX` for an unknown `method`, and on overflow.
///
/// ```c
/// assert(hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, 1000, 8) < 9000);
/// assert(hq_kmeans_seed_workspace_size(7, 1000, 8) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_seed_workspace_size(method: i32, n: usize, k: usize) -> usize {
    size(|| seed_workspace_size(seeding(method, 0)?, n, k))
}

/// Chooses `k` of `n` rows as first centres of k-means. The same seed gives the same rows on every machine.
///
/// - `x`: `x_len` = `n * d` finite values, row after row.
/// - `weights`: `weights_len` = `n` weights >= 0, at least one above, or NULL with `weights_len` 0: all the same.
/// - `method`, `effort`: `HQ_SEEDING_*`.
/// - `rows`: at least `k` numbers: which rows. If fewer than `k` rows differ, rows repeat.
/// - `centers`: at least `k * d` floats: their values.
/// - `scratch`: at least `hq_kmeans_seed_workspace_size(method, n, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (`k` 0 or above `n`, `d` 0, a negative weight, no weight above 0),
/// `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW` (also for more than 2^31 rows), `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`,
/// `HQ_ERROR_NON_FINITE`. `rows` and `centers` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[6] = {0.0f, 0.1f, 9.0f, 9.1f, 0.2f, 9.2f};
/// uint32_t rows[2];
/// float centers[2];
/// uint8_t scratch[256];
/// assert(hq_kmeans_seed_workspace_size(HQ_SEEDING_PLUS_PLUS, 6, 2) <= sizeof scratch);
/// assert(hq_kmeans_seed(6, 1, x, 6, NULL, 0, 2, HQ_SEEDING_PLUS_PLUS, 0, 1, rows, 2, centers, 2, scratch,
///                       sizeof scratch) == HQ_OK);
/// assert((centers[0] < 5.0f) != (centers[1] < 5.0f) && centers[0] == x[rows[0]]);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_seed(
    n: usize,
    d: usize,
    x: *const f32,
    x_len: usize,
    weights: *const f32,
    weights_len: usize,
    k: usize,
    method: i32,
    effort: usize,
    seed: u64,
    rows: *mut u32,
    rows_len: usize,
    centers: *mut f32,
    centers_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let seeding = seeding(method, effort)?;
        let x = Input::new(x, x_len)?;
        let weights = Input::new(weights, weights_len)?;
        let rows = Output::new(rows, rows_len)?;
        let centers = Output::new(centers, centers_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[rows.span(), centers.span(), scratch.span()], &[x.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, weights) = unsafe { (x.slice(), weights.slice()) };
        // SAFETY: as above.
        let (rows, centers, scratch) = unsafe { (rows.slice(), centers.slice(), scratch.slice()) };
        let points =
            if weights.is_empty() { Points::new(n, d, x)? } else { Points::weighted(n, d, x, weights)? };
        kmeans::seed(&points, k, seeding, seed, rows, centers, scratch)
    })
}
