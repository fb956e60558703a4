//! Data clustering for training: rows grouped by cluster, and batches drawn from the groups.
//!
//! Three ways to make batches, all of them functions of seed and step: nothing is kept from one batch to the next, so training
//! goes on anywhere from the number of the step alone, and any rank can make any batch.
//!
//! - [`balanced_batch`]: every batch has its share of every cluster, and every row comes once an epoch.
//! - [`cluster_batch`]: a cluster is drawn, by size or otherwise, and a batch from it.
//! - [`sample_rows`]: each row of a batch is drawn by itself, so that rare clusters can be had more often.
//!
//! Where rows come more or less often than their number says, weights make up for it: a mean of weighted losses has the
//! expectation of the plain mean over all rows.

mod balanced;
mod power;
mod sampling;
mod shuffle;

pub use balanced::{Batches, balanced_batch, batches_per_epoch};
pub use sampling::{ClusterBatch, cluster_batch, probabilities, sample_rows, sampling};

use crate::Error;

use super::points::Points;

/// Rows grouped by cluster: those of cluster `j` are `rows[starts[j]..starts[j + 1]]`.
#[derive(Clone, Copy, Debug)]
pub struct DataClusters<'a> {
    starts: &'a [u32],
    rows: &'a [u32],
}

impl<'a> DataClusters<'a> {
    /// Groups the rows by their labels; within a cluster they keep their order. `starts` has one value more than there are clusters,
    /// `rows` one for each label. Takes time in proportion to rows and clusters.
    ///
    /// # Errors
    /// [`Error::Shape`] if `starts` is empty or `rows` has another length than `labels`, [`Error::InvalidArgument`] for a label
    /// without a cluster, [`Error::SizeOverflow`] for more than 2^31 rows. `starts` and `rows` are untouched then.
    ///
    /// ```
    /// use hybridq::kmeans::DataClusters;
    /// let (mut starts, mut rows) = ([0; 4], [0; 5]);
    /// let clusters = DataClusters::group(&[2, 0, 2, 2, 0], &mut starts, &mut rows)?;
    /// assert_eq!((clusters.rows_of(0), clusters.rows_of(1), clusters.rows_of(2)), (&[1, 4][..], &[][..], &[0, 2, 3][..]));
    /// # Ok::<(), hybridq::Error>(())
    /// ```
    pub fn group(
        labels: &[u32],
        starts: &'a mut [u32],
        rows: &'a mut [u32],
    ) -> Result<DataClusters<'a>, Error> {
        let k = starts.len().checked_sub(1).ok_or(Error::Shape)?;
        if rows.len() != labels.len() {
            return Err(Error::Shape);
        }
        if labels.len() > Points::MAX_ROWS {
            return Err(Error::SizeOverflow);
        }
        if labels.iter().any(|&label| label as usize >= k) {
            return Err(Error::InvalidArgument);
        }
        starts.fill(0);
        for &label in labels {
            if let Some(count) = starts.get_mut(label as usize) {
                *count = count.wrapping_add(1);
            }
        }
        let mut next = 0u32;
        for start in starts.iter_mut() {
            next = next.wrapping_add(core::mem::replace(start, next));
        }
        for (i, &label) in labels.iter().enumerate() {
            let Some(place) = starts.get_mut(label as usize) else { continue };
            if let Some(to) = rows.get_mut(*place as usize) {
                *to = i as u32;
            }
            *place = place.wrapping_add(1);
        }
        // Every start has become the start of the next cluster.
        let mut start = 0;
        for to in starts.iter_mut() {
            start = core::mem::replace(to, start);
        }
        Ok(DataClusters { starts, rows })
    }

    /// A grouping that has been made before. `rows` may be any numbers, as those of a part of the data.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `starts` goes from 0 to the number of rows, and [`Error::InvalidArgument`] unless it rises,
    /// [`Error::SizeOverflow`] for more than 2^31 rows.
    pub fn new(starts: &'a [u32], rows: &'a [u32]) -> Result<DataClusters<'a>, Error> {
        if rows.len() > Points::MAX_ROWS {
            return Err(Error::SizeOverflow);
        }
        if starts.first() != Some(&0) || starts.last().is_none_or(|&last| last as usize != rows.len()) {
            return Err(Error::Shape);
        }
        if starts.iter().zip(starts.iter().skip(1)).any(|(start, end)| start > end) {
            return Err(Error::InvalidArgument);
        }
        Ok(DataClusters { starts, rows })
    }

    /// How many clusters there are.
    #[must_use]
    pub fn clusters(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// How many rows there are in all.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// How many rows a cluster has; 0 if there is no such cluster.
    #[must_use]
    pub fn size(&self, cluster: usize) -> usize {
        self.rows_of(cluster).len()
    }

    /// The rows of a cluster.
    #[must_use]
    pub fn rows_of(&self, cluster: usize) -> &'a [u32] {
        match (self.starts.get(cluster), self.starts.get(cluster.saturating_add(1))) {
            (Some(&start), Some(&end)) => self.rows.get(start as usize..end as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// The sizes of all clusters.
    fn sizes(&self) -> impl Iterator<Item = u32> + '_ {
        self.starts.iter().zip(self.starts.iter().skip(1)).map(|(&start, &end)| end.wrapping_sub(start))
    }
}

/// What random numbers are drawn for: streams of one seed that never meet.
#[derive(Clone, Copy)]
#[repr(u64)]
enum Purpose {
    /// The order of the rows of a cluster in an epoch.
    Epoch = 1,
    /// The order of the batches of an epoch.
    Order = 2,
    /// The rows that an epoch leaves out.
    Leave = 3,
    /// The cluster of a step.
    Pick = 4,
    /// The rows of a cluster in a step.
    Rows = 5,
    /// Rows that are drawn one by one.
    Sample = 6,
}

impl Purpose {
    /// The stream for a number below 2^56.
    fn stream(self, number: u64) -> u64 {
        (self as u64) << 56 | number & (u64::MAX >> 8)
    }
}
