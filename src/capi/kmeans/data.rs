//! Data clustering for training: rows grouped by cluster, and batches drawn from the groups.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::kmeans::{self, Batches, ClusterBatch, DataClusters, batches_per_epoch};

/// A batch from one cluster.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_data_batch {
    /// Which cluster.
    pub cluster: u32,
    /// How many rows were written.
    pub rows: u32,
    /// The share of the cluster among all rows, over its probability: times this, the mean over the batch has the
    /// expectation of the mean over all rows. 1 if clusters are drawn by size.
    pub weight: f32,
}

const _: () = assert!(size_of::<hq_data_batch>() == 12);

/// Groups rows by cluster: those of cluster `j` are `rows[starts[j]]` to `rows[starts[j + 1] - 1]`, in their order.
///
/// - `labels`: `n` numbers below `k`, as `hq_kmeans_fit` or `hq_kmeans_fit_balanced` gives them.
/// - `starts`: `starts_len` = `k + 1` numbers.
/// - `rows`: `rows_len` = `n` numbers.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_SHAPE` (also: `starts_len` 0), `HQ_ERROR_INVALID_ARGUMENT` (a label that is not below `k`), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW` (also for more than 2^31 rows). The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t labels[5] = {1, 0, 1, 1, 0};
/// uint32_t starts[3], rows[5];
/// assert(hq_data_group(labels, 5, starts, 3, rows, 5) == HQ_OK);
/// assert(starts[1] == 2 && rows[0] == 1 && rows[1] == 4 && rows[2] == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_data_group(
    labels: *const u32,
    n: usize,
    starts: *mut u32,
    starts_len: usize,
    rows: *mut u32,
    rows_len: usize,
) -> hq_status {
    status(|| {
        let labels = Input::new(labels, n)?;
        let starts = Output::new(starts, starts_len)?;
        let rows = Output::new(rows, rows_len)?;
        disjoint(&[starts.span(), rows.span()], &[labels.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (labels, starts, rows) = unsafe { (labels.slice(), starts.slice(), rows.slice()) };
        DataClusters::group(labels, starts, rows).map(|_| ())
    })
}

/// Writes how likely each cluster is to be drawn: tickets in proportion to its size to the power of `exponent`, and the probabilities
/// that they stand for.
///
/// A cluster with t of T tickets is drawn with probability t / T. Tickets may also be any other numbers whose sum is below 2^64.
///
/// - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
/// - `exponent`: 1 by size, as rows are; 0: all clusters that have rows alike; between: rare clusters more often than their rows.
/// - `tickets`: `tickets_len` = `k` numbers; 0 for clusters without rows.
/// - `probabilities`: `probabilities_len` = `k` floats, or NULL with length 0.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise; no rows, where probabilities are asked for),
/// `HQ_ERROR_NON_FINITE`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. The outputs are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t starts[3] = {0, 4, 5}, rows[5] = {0, 1, 3, 4, 2};
/// uint64_t tickets[2];
/// float probabilities[2];
/// assert(hq_data_sampling(starts, 3, rows, 5, 1.0f, tickets, 2, probabilities, 2) == HQ_OK);
/// assert(tickets[0] == 4 && tickets[1] == 1 && probabilities[0] == 0.8f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_data_sampling(
    starts: *const u32,
    starts_len: usize,
    rows: *const u32,
    rows_len: usize,
    exponent: f32,
    tickets: *mut u64,
    tickets_len: usize,
    probabilities: *mut f32,
    probabilities_len: usize,
) -> hq_status {
    status(|| {
        let starts = Input::new(starts, starts_len)?;
        let rows = Input::new(rows, rows_len)?;
        let tickets = Output::new(tickets, tickets_len)?;
        let probabilities = Output::new(probabilities, probabilities_len)?;
        disjoint(&[tickets.span(), probabilities.span()], &[starts.span(), rows.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (starts, rows) = unsafe { (starts.slice(), rows.slice()) };
        // SAFETY: as above.
        let (tickets, probabilities) = unsafe { (tickets.slice(), probabilities.slice()) };
        let clusters = DataClusters::new(starts, rows)?;
        if probabilities_len != 0 {
            if probabilities_len != clusters.clusters() {
                return Err(Error::Shape);
            }
            // Refused before the tickets are written.
            if rows.is_empty() {
                return Err(Error::InvalidArgument);
            }
        }
        kmeans::sampling(&clusters, exponent, tickets)?;
        if probabilities_len == 0 { Ok(()) } else { kmeans::probabilities(&clusters, tickets, probabilities) }
    })
}

/// Draws a cluster, by its tickets, and different rows from it: `batch_len` of them, or all if there are fewer.
///
/// A function of seed and step: nothing is kept between steps, so any step can be had again, by anybody.
///
/// - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
/// - `tickets`: `tickets_len` = `k` numbers (`hq_data_sampling`). Those of clusters without rows are not looked at.
/// - `step`: below 2^56.
/// - `batch`: `batch_len` numbers, 1 at least; as many are written as `found->rows` says.
/// - `found`: which cluster, how many rows, and the weight that makes up for its probability.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise, no cluster with rows has a ticket, `batch_len` 0),
/// `HQ_ERROR_SIZE_OVERFLOW` (also: the tickets add up to 2^64 or more, the step), `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`,
/// `HQ_ERROR_OVERLAP`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t starts[3] = {0, 4, 6}, rows[6] = {0, 2, 3, 5, 1, 4};
/// const uint64_t tickets[2] = {4, 2}; // by size
/// uint32_t batch[3];
/// hq_data_batch found;
/// assert(hq_data_cluster_batch(starts, 3, rows, 6, tickets, 2, 7, 1000, batch, 3, &found) == HQ_OK);
/// assert(found.cluster == 0 && found.rows == 3 && found.weight == 1.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_data_cluster_batch(
    starts: *const u32,
    starts_len: usize,
    rows: *const u32,
    rows_len: usize,
    tickets: *const u64,
    tickets_len: usize,
    seed: u64,
    step: u64,
    batch: *mut u32,
    batch_len: usize,
    found: *mut hq_data_batch,
) -> hq_status {
    status(|| {
        let starts = Input::new(starts, starts_len)?;
        let rows = Input::new(rows, rows_len)?;
        let tickets = Input::new(tickets, tickets_len)?;
        let batch = Output::new(batch, batch_len)?;
        let found = Output::new(found, 1)?;
        disjoint(&[batch.span(), found.span()], &[starts.span(), rows.span(), tickets.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (starts, rows, tickets) = unsafe { (starts.slice(), rows.slice(), tickets.slice()) };
        let clusters = DataClusters::new(starts, rows)?;
        // SAFETY: as above.
        let drawn = kmeans::cluster_batch(&clusters, tickets, seed, step, unsafe { batch.slice() })?;
        let ClusterBatch { cluster, rows, weight } = drawn;
        // SAFETY: as above.
        unsafe { found.write(hq_data_batch { cluster: cluster as u32, rows: rows as u32, weight }) };
        Ok(())
    })
}

/// Draws every row of a batch by itself, with replacement: a cluster by its tickets, then any of its rows. A function of seed and
/// step.
///
/// - `starts`, `rows`, `tickets`, `step`: as for `hq_data_cluster_batch`.
/// - `batch`: `batch_len` numbers, 1 at least; all are written.
/// - `weights`: `weights_len` = `batch_len` floats, or NULL with length 0: how much rarer each row is drawn than in proportion. The mean of
///   weight times a quantity has the expectation of the mean over all rows.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: as `hq_data_cluster_batch`.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t starts[3] = {0, 5, 6}, rows[6] = {0, 1, 2, 3, 5, 4};
/// const uint64_t tickets[2] = {1, 1}; // the rare cluster as often as the other
/// uint32_t batch[8];
/// float weights[8];
/// assert(hq_data_sample(starts, 3, rows, 6, tickets, 2, 7, 0, batch, 8, weights, 8) == HQ_OK);
/// for (int i = 0; i < 8; i++)
///     assert(batch[i] == 4 ? weights[i] < 0.4f : weights[i] > 1.6f); // 1/6 over 1/2, 5/6 over 1/2
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_data_sample(
    starts: *const u32,
    starts_len: usize,
    rows: *const u32,
    rows_len: usize,
    tickets: *const u64,
    tickets_len: usize,
    seed: u64,
    step: u64,
    batch: *mut u32,
    batch_len: usize,
    weights: *mut f32,
    weights_len: usize,
) -> hq_status {
    status(|| {
        let starts = Input::new(starts, starts_len)?;
        let rows = Input::new(rows, rows_len)?;
        let tickets = Input::new(tickets, tickets_len)?;
        let batch = Output::new(batch, batch_len)?;
        let weights = Output::new(weights, weights_len)?;
        disjoint(&[batch.span(), weights.span()], &[starts.span(), rows.span(), tickets.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (starts, rows, tickets) = unsafe { (starts.slice(), rows.slice(), tickets.slice()) };
        // SAFETY: as above.
        let (batch, weights) = unsafe { (batch.slice(), weights.slice()) };
        let weights = if weights_len == 0 { None } else { Some(weights) };
        kmeans::sample_rows(&DataClusters::new(starts, rows)?, tickets, seed, step, batch, weights)
    })
}

/// Batches of an epoch of `n` rows: `n / batch_size`, rounded down with `drop_last` 1, up with 0. `SIZE_MAX` if `batch_size` is 0,
/// no batch is left, or `drop_last` is neither.
///
/// ```c
/// assert(hq_data_batches(100, 32, 0) == 4 && hq_data_batches(100, 32, 1) == 3);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_data_batches(n: usize, batch_size: usize, drop_last: i32) -> usize {
    size(|| batches_per_epoch(n, batch_size, self::drop_last(drop_last)?))
}

fn drop_last(value: i32) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::InvalidArgument),
    }
}

/// The rows of a balanced batch: batch `step mod T` of epoch `step / T`, T = `hq_data_batches(n, batch_size, drop_last)`. Every batch of an
/// epoch has the size of a cluster over T rows of it, rounded up or down, and every row comes once an epoch. Epochs differ in
/// order. A function of seed and step.
///
/// - `starts`, `rows`: what `hq_data_group` has written; `starts_len` = `k + 1`.
/// - `batch_size`: rows of a batch at most.
/// - `drop_last`: 1: all batches are full, and an epoch leaves out what fills none: of every cluster its share, other rows each time.
///   0: no row is left out, and sizes differ by one at most.
/// - `batch`: at least `batch_size` numbers (or `n`, if that is less).
/// - `count`: how many were written.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_INVALID_ARGUMENT` (`starts` does not rise, `batch_size` 0, no batch is left, another `drop_last`),
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. The outputs
/// are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint32_t starts[3] = {0, 4, 6}, rows[6] = {0, 2, 3, 5, 1, 4};
/// uint32_t batch[3];
/// size_t count;
/// for (uint64_t step = 0; step < 2; step++) { // one epoch: two rows of the first cluster each, one of the second
///     assert(hq_data_balanced_batch(starts, 3, rows, 6, 3, 0, 7, step, batch, 3, &count) == HQ_OK && count == 3);
///     assert(batch[2] == 1 || batch[2] == 4);
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_data_balanced_batch(
    starts: *const u32,
    starts_len: usize,
    rows: *const u32,
    rows_len: usize,
    batch_size: usize,
    drop_last: i32,
    seed: u64,
    step: u64,
    batch: *mut u32,
    batch_len: usize,
    count: *mut usize,
) -> hq_status {
    status(|| {
        let starts = Input::new(starts, starts_len)?;
        let rows = Input::new(rows, rows_len)?;
        let batch = Output::new(batch, batch_len)?;
        let count = Output::new(count, 1)?;
        disjoint(&[batch.span(), count.span()], &[starts.span(), rows.span()])?;
        let batches = Batches { size: batch_size, drop_last: self::drop_last(drop_last)?, seed };
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (starts, rows) = unsafe { (starts.slice(), rows.slice()) };
        let clusters = DataClusters::new(starts, rows)?;
        // SAFETY: as above.
        let written = kmeans::balanced_batch(&clusters, &batches, step, unsafe { batch.slice() })?;
        // SAFETY: as above.
        unsafe { count.write(written) };
        Ok(())
    })
}
