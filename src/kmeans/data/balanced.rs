//! Batches that each have their share of every cluster.
//!
//! The rows stand in one line, cluster after cluster, each cluster in an order of its own that changes from epoch to epoch. Batch b of T takes
//! the places b, b + T, b + 2 T, ... of the line (systematic sampling), so that it has a cluster's size over T rows of it, rounded up or down,
//! and no row is in two batches. The batches come in an order that changes from epoch to epoch, too.

use crate::Error;
use crate::math::Random;

use super::shuffle::Shuffle;
use super::{DataClusters, Purpose};

/// How an epoch is cut into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batches {
    /// Rows of a batch at most; exactly, if `drop_last`.
    pub size: usize,
    /// What becomes of the rows that fill no batch. True: an epoch leaves them out, other ones each time, of every cluster
    /// its share; all batches are full. False: one batch more, and sizes that differ by one at most, rather than a small last batch.
    pub drop_last: bool,
    /// The seed of all orders.
    pub seed: u64,
}

/// Batches of an epoch of `rows` rows.
///
/// # Errors
/// [`Error::InvalidArgument`] if `size` is 0, or no batch is left.
///
/// ```
/// use hybridq::kmeans::batches_per_epoch;
/// assert_eq!((batches_per_epoch(100, 32, false)?, batches_per_epoch(100, 32, true)?), (4, 3));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn batches_per_epoch(rows: usize, size: usize, drop_last: bool) -> Result<usize, Error> {
    let whole = rows.checked_div(size).ok_or(Error::InvalidArgument)?;
    let batches = if drop_last || whole.wrapping_mul(size) == rows { whole } else { whole + 1 };
    if batches == 0 { Err(Error::InvalidArgument) } else { Ok(batches) }
}

/// The rows of a step: batch `step mod T` of epoch `step / T`, where T is what [`batches_per_epoch`] says. Returns how many they are.
///
/// Every batch of an epoch has the size of a cluster over T rows of it, rounded up or down (without the rows that `drop_last` leaves out), and
/// every row comes once an epoch (at most once with `drop_last`). Rows of one cluster stand side by side in `rows`, which has room for
/// `size` of them. A function of seed and step.
///
/// # Errors
/// As [`batches_per_epoch`]; [`Error::OutputTooSmall`]. `rows` is untouched then.
///
/// ```
/// use hybridq::kmeans::{Batches, DataClusters, balanced_batch, batches_per_epoch};
/// let (mut starts, mut rows) = ([0; 3], [0; 9]);
/// let clusters = DataClusters::group(&[0, 1, 0, 0, 1, 0, 1, 0, 0], &mut starts, &mut rows)?;
/// let batches = Batches { size: 4, drop_last: false, seed: 1 };
/// let per_epoch = batches_per_epoch(9, 4, false)?;
/// let mut seen = vec![];
/// for step in 0..per_epoch as u64 {
///     let mut batch = [0; 4];
///     let found = balanced_batch(&clusters, &batches, step, &mut batch)?;
///     // Of 6 and 3 rows: 2 and 1 in each of 3 batches.
///     assert_eq!(found, 3);
///     seen.extend_from_slice(&batch[..found]);
/// }
/// seen.sort();
/// assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn balanced_batch(
    clusters: &DataClusters<'_>,
    batches: &Batches,
    step: u64,
    rows: &mut [u32],
) -> Result<usize, Error> {
    let (all, size, seed) = (clusters.rows(), batches.size, batches.seed);
    let count = batches_per_epoch(all, size, batches.drop_last)?;
    let rows = rows.get_mut(..size.min(all)).ok_or(Error::OutputTooSmall)?;
    let epoch = step.checked_div(count as u64).unwrap_or(0);
    let order = Shuffle::new(seed, Purpose::Order.stream(0), epoch, count as u32);
    let first = order.at((step - epoch * count as u64) as u32) as usize;
    let kept = if batches.drop_last { count.wrapping_mul(size) } else { all };
    let mut left_out = LeftOut::new(seed, epoch, all, all.wrapping_sub(kept));
    let mut written = 0;
    // The cluster that the line is in: its number, where it begins and ends, and its order.
    let (mut cluster, mut start, mut end) = (0usize, 0usize, clusters.size(0));
    let mut shuffle = Shuffle::new(seed, Purpose::Epoch.stream(0), epoch, end as u32);
    for (place, to) in (first..kept).step_by(count.max(1)).zip(rows) {
        let place = left_out.skip(place);
        if place >= end {
            while place >= end && cluster < clusters.clusters() {
                cluster += 1;
                (start, end) = (end, end + clusters.size(cluster));
            }
            shuffle = Shuffle::new(seed, Purpose::Epoch.stream(cluster as u64), epoch, (end - start) as u32);
        }
        let i = shuffle.at(place.wrapping_sub(start) as u32) as usize;
        *to = clusters.rows_of(cluster).get(i).copied().unwrap_or_default();
        written += 1;
    }
    Ok(written)
}

/// The places of the line that an epoch leaves out: every so many, from a place that is drawn.
struct LeftOut {
    all: u64,
    count: u64,
    offset: u64,
    /// How many have been passed.
    passed: u64,
}

impl LeftOut {
    fn new(seed: u64, epoch: u64, all: usize, count: usize) -> LeftOut {
        let [a, b, ..] = Random::block(seed, Purpose::Leave.stream(0), epoch);
        let random = (a as u64) << 32 | b as u64;
        // 0 to all - 1.
        let offset = ((random as u128 * all as u128) >> 64) as u64;
        LeftOut { all: all as u64, count: count as u64, offset, passed: 0 }
    }

    /// The place of the line that is number `place` of those that stay; places are asked for in rising order.
    fn skip(&mut self, place: usize) -> usize {
        while self.passed < self.count {
            let next = (self.passed * self.all + self.offset).checked_div(self.count).unwrap_or(0);
            if next - self.passed > place as u64 {
                break;
            }
            self.passed += 1;
        }
        place.wrapping_add(self.passed as usize)
    }
}
