//! Room `kmeans`: int8 points.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::kmeans::Empty;
use crate::kmeans::int8::{self, Options, Seeding};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};

/// Centres by greedy k-means++ from `seed`.
pub const HQ_KMEANS_INT8_SEEDING_PLUS_PLUS: i32 = 0;
/// Centres are what the caller has put into `centers`.
pub const HQ_KMEANS_INT8_SEEDING_GIVEN: i32 = 1;

/// What `hq_kmeans_int8_fit` shall do; 24 bytes. Fill it with `hq_kmeans_int8_options_init`, then change what you need.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_int8_options {
    /// For k-means++: the same seed gives the same centres on every machine.
    pub seed: u64,
    /// How often centres are moved at most; with 0 rows are only assigned.
    pub max_iterations: u32,
    /// `HQ_KMEANS_INT8_SEEDING_*`.
    pub seeding: i32,
    /// `HQ_EMPTY_FARTHEST`, `HQ_EMPTY_KEEP` or `HQ_EMPTY_ERROR`: what happens to clusters without rows.
    pub empty: i32,
    /// 0.
    pub reserved: i32,
}

/// What `hq_kmeans_int8_fit` has found; 24 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_int8_result {
    /// The sum of squared distances of rows to their centres, in sixteenths: 256 for a distance of 1.
    pub inertia: u64,
    /// How often the centres were worked out anew.
    pub iterations: u32,
    /// 1 if they no longer move, else 0.
    pub converged: u32,
    /// Clusters without a row.
    pub empty: u32,
    /// 0.
    pub reserved: u32,
}

/// What `hq_kmeans_int8_update` has found; 24 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_kmeans_int8_step {
    /// The inertia of the rows for the centres that they were assigned to, as in `hq_kmeans_int8_result`.
    pub inertia: u64,
    /// How many rows there were.
    pub rows: u64,
    /// Clusters without a row; their centres stay.
    pub empty: u32,
    /// 1 if a centre moved, else 0.
    pub moved: u32,
}

const _: () = {
    assert!(size_of::<hq_kmeans_int8_options>() == 24);
    assert!(size_of::<hq_kmeans_int8_result>() == 24);
    assert!(size_of::<hq_kmeans_int8_step>() == 24);
};

/// The options at `ptr`, or the defaults for NULL.
///
/// # Safety
/// `ptr` is NULL or points to options that nobody writes meanwhile.
unsafe fn options(ptr: *const hq_kmeans_int8_options, k: usize) -> Result<Options, Error> {
    if ptr.is_null() {
        return Ok(Options::new(k, 0));
    }
    // SAFETY: the caller vouches for the memory.
    let one = unsafe { Input::new(ptr, 1)?.slice() };
    let o = one.first().ok_or(Error::NullPointer)?;
    let seeding = match o.seeding {
        HQ_KMEANS_INT8_SEEDING_PLUS_PLUS => Seeding::PlusPlus { seed: o.seed },
        HQ_KMEANS_INT8_SEEDING_GIVEN => Seeding::Given,
        _ => return Err(Error::UnknownEnum),
    };
    let empty = Empty::from_i32(o.empty)?;
    if o.reserved != 0 {
        return Err(Error::InvalidArgument);
    }
    Ok(Options { k, max_iterations: o.max_iterations, seeding, empty })
}

/// Refuses a length that is not that of the shape.
fn exactly(len: usize, rows: usize, cols: usize) -> Result<(), Error> {
    match rows.checked_mul(cols) {
        Some(n) if n == len => Ok(()),
        Some(_) => Err(Error::Shape),
        None => Err(Error::SizeOverflow),
    }
}

/// Fills `options` with the defaults, which NULL stands for: k-means++ from seed 0, at most 100 iterations, farthest
/// rows for empty clusters.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then.
///
/// # Safety
/// `options` points to one writable struct.
///
/// ```c
/// hq_kmeans_int8_options options;
/// assert(hq_kmeans_int8_options_init(&options) == HQ_OK);
/// options.seed = 7;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_options_init(options: *mut hq_kmeans_int8_options) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let defaults = hq_kmeans_int8_options {
            seed: 0,
            max_iterations: Options::new(1, 0).max_iterations,
            seeding: HQ_KMEANS_INT8_SEEDING_PLUS_PLUS,
            empty: Empty::Farthest as i32,
            reserved: 0,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(defaults) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_kmeans_int8_fit` needs: about `2 cols (k + 4) + 4 cols k` (`k` a multiple of 8), or `4 rows` for
/// k-means++ if that is more. For `rows` up to 2^24 and a policy other than `HQ_EMPTY_ERROR`,
/// `HQ_KMEANS_INT8_FIT_SIZE(rows, cols, k)` is that, and `HQ_KMEANS_INT8_LLOYD_SIZE(cols, k)` with given centres.
///
/// `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// # Safety
/// `options` is NULL (the defaults) or points to one struct.
///
/// ```c
/// assert(hq_kmeans_int8_fit_workspace_size(1500, 32, 16, NULL) == HQ_KMEANS_INT8_FIT_SIZE(1500, 32, 16));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_fit_workspace_size(
    rows: usize,
    cols: usize,
    k: usize,
    options: *const hq_kmeans_int8_options,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| int8::fit_workspace_size(rows, cols, &unsafe { self::options(options, k) }?))
}

/// Clusters int8 points with Lloyd's algorithm, in integers alone: the same labels and centres on every machine.
///
/// - `points`: `points_len` = `rows * cols` codes; a row is a point.
/// - `k`: number of clusters, 1..=65535, at most `rows`. `cols`: 1..=5461.
/// - `options`: NULL for the defaults.
/// - `centers`: at least `k * cols` numbers, of which just those are written: centres in sixteenths of a code
///   (`hq_kmeans_int8_round_centers` makes codes of them). With `HQ_KMEANS_INT8_SEEDING_GIVEN` they are read first,
///   -2048..=2032 each.
/// - `labels`: at least `rows` numbers, of which just those are written: the nearest of the centres returned, the lowest
///   number among equally near ones.
/// - `result`: one struct.
/// - `scratch`: at least `hq_kmeans_int8_fit_workspace_size(rows, cols, k, options)` bytes at any alignment.
///
/// The inertia never rises from one iteration to the next. Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (`HQ_EMPTY_SPLIT_LARGEST`), `HQ_ERROR_INVALID_ARGUMENT` (`cols` or `k` 0, `k` above 65535 or `rows`, a given centre out of
/// range, `reserved`), `HQ_ERROR_EMPTY_CLUSTER`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
/// `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for `cols` above 5461 and more than 2^39 codes),
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int8_t points[8] = {1, 2, 3, 4, 101, 100, 99, 98};
/// int16_t centers[4];
/// uint16_t labels[4];
/// uint8_t scratch[HQ_KMEANS_INT8_FIT_SIZE(4, 2, 2)];
/// hq_kmeans_int8_result found;
/// assert(hq_kmeans_int8_fit(4, 2, points, 8, 2, NULL, centers, 4, labels, 4, &found, scratch, sizeof scratch) == HQ_OK);
/// assert(found.converged && labels[0] == labels[1] && labels[0] != labels[2]);
/// assert(centers[2 * labels[0]] == 16 * 2); // the mean of 1 and 3
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_fit(
    rows: usize,
    cols: usize,
    points: *const i8,
    points_len: usize,
    k: usize,
    options: *const hq_kmeans_int8_options,
    centers: *mut i16,
    centers_len: usize,
    labels: *mut u16,
    labels_len: usize,
    result: *mut hq_kmeans_int8_result,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options, k) }?;
        let points = Input::new(points, points_len)?;
        let centers = Output::new(centers, centers_len)?;
        let labels = Output::new(labels, labels_len)?;
        let result = Output::new(result, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[result.span(), centers.span(), labels.span(), scratch.span()], &[points.span()])?;
        exactly(points_len, rows, cols)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (points, centers, labels, scratch) =
            unsafe { (points.slice(), centers.slice(), labels.slice(), scratch.slice()) };
        let found = int8::fit(points, cols, &options, centers, labels, scratch)?;
        let found = hq_kmeans_int8_result {
            inertia: found.inertia,
            iterations: found.iterations,
            converged: found.converged as u32,
            empty: found.empty as u32,
            reserved: 0,
        };
        // SAFETY: as above.
        unsafe { result.write(found) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_kmeans_int8_plus_plus` needs: `4 rows`, and padding.
///
/// `SIZE_MAX` for arguments that the function would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_int8_plus_plus_workspace_size(1500, 32, 16) < 4 * 1500 + 4);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_int8_plus_plus_workspace_size(rows: usize, cols: usize, k: usize) -> usize {
    size(|| int8::plus_plus_workspace_size(rows, cols, k))
}

/// Greedy k-means++: `k` of the rows as centres, far from each other, as `hq_kmeans_int8_fit` begins. For fits by parts.
///
/// - `points`: `points_len` = `rows * cols` codes, `rows` at least `k`.
/// - `centers`: at least `k * cols` numbers, of which just those are written, in sixteenths.
/// - `scratch`: at least `hq_kmeans_int8_plus_plus_workspace_size(rows, cols, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Time: `3 + ln k` passes over the rows for each centre.
///
/// Errors: those of `hq_kmeans_int8_fit`; `centers` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int8_t points[4] = {0, 1, 100, 101};
/// int16_t centers[2];
/// uint8_t scratch[19];
/// assert(hq_kmeans_int8_plus_plus_workspace_size(4, 1, 2) <= sizeof scratch);
/// assert(hq_kmeans_int8_plus_plus(4, 1, points, 4, 2, 7, centers, 2, scratch, sizeof scratch) == HQ_OK);
/// assert((centers[0] < 800) != (centers[1] < 800));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_plus_plus(
    rows: usize,
    cols: usize,
    points: *const i8,
    points_len: usize,
    k: usize,
    seed: u64,
    centers: *mut i16,
    centers_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let points = Input::new(points, points_len)?;
        let centers = Output::new(centers, centers_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[centers.span(), scratch.span()], &[points.span()])?;
        exactly(points_len, rows, cols)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (points, centers, scratch) = unsafe { (points.slice(), centers.slice(), scratch.slice()) };
        int8::plus_plus(points, cols, k, seed, centers, scratch)
    })
}

/// Bytes of scratch that `hq_kmeans_int8_assign` and `hq_kmeans_int8_accumulate` need: about `2 cols (k + 4)`, `k` a multiple
/// of 8. `HQ_KMEANS_INT8_ASSIGN_SIZE(cols, k)` is the same number.
///
/// `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_int8_assign_workspace_size(32, 16) == HQ_KMEANS_INT8_ASSIGN_SIZE(32, 16));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_int8_assign_workspace_size(cols: usize, k: usize) -> usize {
    size(|| int8::assign_workspace_size(cols, k))
}

/// The nearest centre of every row, the lowest number among equally near ones.
///
/// - `points`: `points_len` = `rows * cols` codes.
/// - `centers`: `centers_len` = `k * cols` numbers in sixteenths, -2048..=2032.
/// - `labels`: at least `rows` numbers, of which just those are written.
/// - `inertia`: one number, the sum of squared distances in sixteenths (256 for a distance of 1).
/// - `scratch`: at least `hq_kmeans_int8_assign_workspace_size(cols, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_kmeans_int8_fit`; the outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int8_t points[3] = {1, -3, 99};
/// const int16_t centers[2] = {0, 16 * 100};
/// uint16_t labels[3];
/// uint64_t inertia;
/// uint8_t scratch[HQ_KMEANS_INT8_ASSIGN_SIZE(1, 2)];
/// assert(hq_kmeans_int8_assign(3, 1, points, 3, 2, centers, 2, labels, 3, &inertia, scratch, sizeof scratch) == HQ_OK);
/// assert(labels[1] == 0 && labels[2] == 1 && inertia == 256 * (1 + 9 + 1));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_assign(
    rows: usize,
    cols: usize,
    points: *const i8,
    points_len: usize,
    k: usize,
    centers: *const i16,
    centers_len: usize,
    labels: *mut u16,
    labels_len: usize,
    inertia: *mut u64,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let (points, centers) = (Input::new(points, points_len)?, Input::new(centers, centers_len)?);
        let labels = Output::new(labels, labels_len)?;
        let inertia = Output::new(inertia, 1)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[inertia.span(), labels.span(), scratch.span()], &[points.span(), centers.span()])?;
        exactly(points_len, rows, cols)?;
        exactly(centers_len, k, cols)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (points, centers, labels, scratch) =
            unsafe { (points.slice(), centers.slice(), labels.slice(), scratch.slice()) };
        let found = int8::assign(points, cols, centers, labels, scratch)?;
        // SAFETY: as above.
        unsafe { inertia.write(found) };
        Ok(())
    })
}

/// Numbers in a partial for `k` centres of `cols` features: `k * cols` sums of codes, `k` counts, the inertia.
///
/// `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
///
/// ```c
/// assert(hq_kmeans_int8_partial_len(32, 16) == 16 * 32 + 16 + 1);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_kmeans_int8_partial_len(cols: usize, k: usize) -> usize {
    size(|| int8::partial_len(cols, k))
}

/// Assigns rows to the nearest centres and adds them to a partial: the part of an iteration that threads, ranks or slices of
/// time can share. Any split of the rows, in any order, gives the same numbers.
///
/// - `points`: `points_len` = `rows * cols` codes.
/// - `centers`: `centers_len` = `k * cols` numbers in sixteenths, -2048..=2032.
/// - `labels`: at least `rows` numbers, of which just those are written; or NULL with `labels_len` 0.
/// - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers, zero before the first call of an iteration.
/// - `scratch`: at least `hq_kmeans_int8_assign_workspace_size(cols, k)` bytes at any alignment.
///
/// Buffers must not overlap. Callable from any thread. Every call prepares the centres, which takes as long as a dozen
/// rows or so; slices should have more.
///
/// Errors: those of `hq_kmeans_int8_fit`; the outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int8_t points[4] = {1, 2, 4, 100};
/// int16_t centers[2] = {0, 1600};
/// int64_t partial[5] = {0};
/// uint8_t scratch[HQ_KMEANS_INT8_ASSIGN_SIZE(1, 2)];
/// hq_kmeans_int8_step step;
/// assert(hq_kmeans_int8_accumulate(1, 1, points, 1, 2, centers, 2, NULL, 0, partial, 5, scratch, sizeof scratch) == HQ_OK);
/// assert(hq_kmeans_int8_accumulate(3, 1, points + 1, 3, 2, centers, 2, NULL, 0, partial, 5, scratch, sizeof scratch) == HQ_OK);
/// assert(partial[0] == 7 && partial[2] == 3 && partial[4] == 256 * (1 + 4 + 16));
/// assert(hq_kmeans_int8_update(1, 2, partial, 5, centers, 2, &step) == HQ_OK && step.moved && step.rows == 4);
/// assert(centers[0] == 37 && centers[1] == 1600); // 16 * 7 / 3
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_accumulate(
    rows: usize,
    cols: usize,
    points: *const i8,
    points_len: usize,
    k: usize,
    centers: *const i16,
    centers_len: usize,
    labels: *mut u16,
    labels_len: usize,
    partial: *mut i64,
    partial_len: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let (points, centers) = (Input::new(points, points_len)?, Input::new(centers, centers_len)?);
        let labels = Output::new(labels, labels_len)?;
        let partial = Output::new(partial, partial_len)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[partial.span(), labels.span(), scratch.span()], &[points.span(), centers.span()])?;
        exactly(points_len, rows, cols)?;
        exactly(centers_len, k, cols)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (points, centers, labels, scratch) =
            unsafe { (points.slice(), centers.slice(), labels.slice(), scratch.slice()) };
        // SAFETY: as above.
        let partial = unsafe { partial.slice() };
        int8::accumulate(points, cols, centers, labels, partial, scratch)
    })
}

/// Adds a partial to another one, number by number; an `MPI_Allreduce` of `MPI_INT64_T` with `MPI_SUM` does the same.
///
/// - `partial`, `other`: `len` numbers each.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`.
///
/// # Safety
/// Each pointer is valid for `len` numbers.
///
/// ```c
/// int64_t a[5] = {7, 0, 3, 0, 21};
/// const int64_t b[5] = {100, 5, 1, 1, 9};
/// assert(hq_kmeans_int8_merge(a, b, 5) == HQ_OK && a[0] == 107 && a[4] == 30);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_merge(partial: *mut i64, other: *const i64, len: usize) -> hq_status {
    status(|| {
        let (partial, other) = (Output::new(partial, len)?, Input::new(other, len)?);
        disjoint(&[partial.span()], &[other.span()])?;
        // SAFETY: the caller vouches for the memory; they do not overlap.
        let (partial, other) = unsafe { (partial.slice(), other.slice()) };
        int8::merge(partial, other)
    })
}

/// Moves centres to the means that a partial tells, to the nearest sixteenth, ties towards the greater. Centres of clusters
/// without rows stay. If the partial holds several batches, each assigned to the centres of its time, this is mini-batch
/// k-means with a rate of 1 / count.
///
/// - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers.
/// - `centers`: `centers_len` = `k * cols` numbers, in and out.
/// - `step`: one struct.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (also for a partial that no rows make), `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int64_t partial[5] = {7, 0, 3, 0, 0};
/// int16_t centers[2] = {0, 1600};
/// hq_kmeans_int8_step step;
/// assert(hq_kmeans_int8_update(1, 2, partial, 5, centers, 2, &step) == HQ_OK);
/// assert(step.empty == 1 && centers[0] == 37 && centers[1] == 1600);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_update(
    cols: usize,
    k: usize,
    partial: *const i64,
    partial_len: usize,
    centers: *mut i16,
    centers_len: usize,
    step: *mut hq_kmeans_int8_step,
) -> hq_status {
    status(|| {
        let partial = Input::new(partial, partial_len)?;
        let centers = Output::new(centers, centers_len)?;
        let step = Output::new(step, 1)?;
        disjoint(&[step.span(), centers.span()], &[partial.span()])?;
        exactly(centers_len, k, cols)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (partial, centers) = unsafe { (partial.slice(), centers.slice()) };
        let found = int8::update(partial, cols, centers)?;
        let found = hq_kmeans_int8_step {
            inertia: found.inertia,
            rows: found.rows,
            empty: found.empty as u32,
            moved: found.moved as u32,
        };
        // SAFETY: as above.
        unsafe { step.write(found) };
        Ok(())
    })
}

/// Forgets: every number of a partial becomes `keep / 65536` of itself, with the same means. Between batches of a stream, so
/// that centres follow what changes.
///
/// - `partial`: `partial_len` = `hq_kmeans_int8_partial_len(cols, k)` numbers, in and out.
///
/// Callable from any thread.
///
/// Errors: as `hq_kmeans_int8_update`; `partial` is untouched then.
///
/// # Safety
/// `partial` is valid for `partial_len` numbers.
///
/// ```c
/// int64_t partial[5] = {300, -40, 3, 4, 1000};
/// assert(hq_kmeans_int8_decay(1, 2, partial, 5, 32768) == HQ_OK);
/// assert(partial[0] == 100 && partial[2] == 1 && partial[1] == -20 && partial[3] == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_decay(
    cols: usize,
    k: usize,
    partial: *mut i64,
    partial_len: usize,
    keep: u16,
) -> hq_status {
    status(|| {
        let partial = Output::new(partial, partial_len)?;
        // SAFETY: the caller vouches for the memory.
        int8::decay(unsafe { partial.slice() }, cols, k, keep)
    })
}

/// Centres as int8 codes: each number of sixteenths to the nearest code, ties towards the greater. For codebooks.
///
/// - `centers`: `len` numbers, -2048..=2032.
/// - `codes`: at least `len` codes, of which just those are written.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT`, `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
/// `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `codes` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const int16_t centers[3] = {-2048, 8, 23};
/// int8_t codes[3];
/// assert(hq_kmeans_int8_round_centers(centers, 3, codes, 3) == HQ_OK);
/// assert(codes[0] == -128 && codes[1] == 1 && codes[2] == 1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_kmeans_int8_round_centers(
    centers: *const i16,
    len: usize,
    codes: *mut i8,
    codes_len: usize,
) -> hq_status {
    status(|| {
        let (centers, codes) = (Input::new(centers, len)?, Output::new(codes, codes_len)?);
        disjoint(&[codes.span()], &[centers.span()])?;
        // SAFETY: the caller vouches for the memory; they do not overlap.
        let (centers, codes) = unsafe { (centers.slice(), codes.slice()) };
        int8::round_centers(centers, codes)
    })
}
