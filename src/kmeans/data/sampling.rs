//! Clusters drawn by chance, and batches from them.
//!
//! Chances are whole numbers, *tickets*: a cluster with t of T tickets is drawn with probability t / T, exactly. [`sampling`]
//! writes tickets that go by size; any others do as well.

use crate::Error;
use crate::math::Random;

use super::power::ratio_power;
use super::shuffle::Shuffle;
use super::{DataClusters, Purpose};

/// Writes tickets in proportion to the size of each cluster to the power of `exponent` (1 / temperature, where that is what you have): 1 by size, as rows are; 0 all
/// clusters alike; in between, as 0.5, rare clusters more often than their rows. Clusters without rows get none.
///
/// With 1 and 0 the tickets are exact: the sizes, or 1. Otherwise they are parts of 2^30 of the most likely cluster, 1 at least, within 2^-17 of
/// the exact power for exponents from -4 to 4.
///
/// # Errors
/// [`Error::Shape`] unless there is a ticket for each cluster, [`Error::NonFinite`] for the exponent. `tickets` is untouched then.
///
/// ```
/// use hybridq::kmeans::{DataClusters, probabilities, sampling};
/// let rows: Vec<u32> = (0..20).collect();
/// let clusters = DataClusters::new(&[0, 16, 16, 20], &rows)?;
/// let (mut tickets, mut chances) = ([0; 3], [0.0; 3]);
/// sampling(&clusters, 1.0, &mut tickets)?;
/// assert_eq!(tickets, [16, 0, 4]);
/// sampling(&clusters, 0.5, &mut tickets)?;
/// probabilities(&clusters, &tickets, &mut chances)?;
/// assert!((chances[0] - 2.0 / 3.0).abs() < 1e-5 && chances[1] == 0.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn sampling(clusters: &DataClusters<'_>, exponent: f32, tickets: &mut [u64]) -> Result<(), Error> {
    if tickets.len() != clusters.clusters() {
        return Err(Error::Shape);
    }
    if !exponent.is_finite() {
        return Err(Error::NonFinite);
    }
    let full = || clusters.sizes().filter(|&size| size > 0);
    // The likeliest has a power of 1.
    let likeliest = if exponent > 0.0 { full().max() } else { full().min() };
    for (ticket, size) in tickets.iter_mut().zip(clusters.sizes()) {
        *ticket = match likeliest {
            Some(likeliest) if size > 0 => {
                if exponent == 1.0 {
                    size as u64
                } else if exponent == 0.0 {
                    1
                } else {
                    let part = ratio_power(size, likeliest, exponent).min(1.0);
                    ((part * (1u32 << 30) as f32 + 0.5) as u64).max(1)
                }
            }
            _ => 0,
        };
    }
    Ok(())
}

/// The tickets of clusters that have rows, added up.
fn total(clusters: &DataClusters<'_>, tickets: &[u64]) -> Result<u64, Error> {
    if tickets.len() != clusters.clusters() {
        return Err(Error::Shape);
    }
    let mut total = 0u64;
    for (&ticket, size) in tickets.iter().zip(clusters.sizes()) {
        total = total.checked_add(if size > 0 { ticket } else { 0 }).ok_or(Error::SizeOverflow)?;
    }
    if total == 0 { Err(Error::InvalidArgument) } else { Ok(total) }
}

/// The probability of each cluster that tickets stand for: a share of all tickets, 0 for a cluster without rows.
///
/// # Errors
/// [`Error::Shape`] unless there is one ticket and one probability for each cluster, [`Error::InvalidArgument`] if no cluster with rows has a
/// ticket, [`Error::SizeOverflow`] if the tickets add up to 2^64 or more. `probabilities` is untouched then.
pub fn probabilities(
    clusters: &DataClusters<'_>,
    tickets: &[u64],
    probabilities: &mut [f32],
) -> Result<(), Error> {
    let total = total(clusters, tickets)?;
    if probabilities.len() != clusters.clusters() {
        return Err(Error::Shape);
    }
    for ((to, &ticket), size) in probabilities.iter_mut().zip(tickets).zip(clusters.sizes()) {
        *to = if size > 0 { ticket as f32 / total as f32 } else { 0.0 };
    }
    Ok(())
}

/// The cluster with ticket number `number`, how many tickets it has, and its rows.
fn holder<'a>(clusters: &DataClusters<'a>, tickets: &[u64], number: u64) -> (usize, u64, &'a [u32]) {
    let mut left = number;
    for (j, (&ticket, size)) in tickets.iter().zip(clusters.sizes()).enumerate() {
        let ticket = if size > 0 { ticket } else { 0 };
        if left < ticket {
            return (j, ticket, clusters.rows_of(j));
        }
        left -= ticket;
    }
    (0, 0, &[])
}

/// How much rarer a row is drawn than in proportion: its share of all rows over its share of the tickets.
fn weight(clusters: &DataClusters<'_>, size: usize, ticket: u64, total: u64) -> f32 {
    let (rows, tickets) = (clusters.rows() as f32, total as f32);
    // Exactly 1 if tickets are sizes.
    if size as u64 == ticket && total == clusters.rows() as u64 {
        return 1.0;
    }
    (size as f32 / rows) * (tickets / ticket as f32)
}

/// A batch from one cluster.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClusterBatch {
    /// Which cluster.
    pub cluster: usize,
    /// How many rows were written.
    pub rows: usize,
    /// The share of the cluster among all rows, over its probability: times this, the mean of a quantity over the batch has the expectation of the mean
    /// over all rows. 1 if clusters are drawn by size.
    pub weight: f32,
}

/// Draws a cluster, by its tickets, and different rows from it: as many as `batch` has room for, or all of them if there are fewer.
///
/// A function of seed and step: steps are independent of each other, and of the other functions of this module with the same seed.
///
/// # Errors
/// [`Error::Shape`] unless there is a ticket for each cluster, [`Error::InvalidArgument`] if `batch` is empty or no cluster with rows has a
/// ticket, [`Error::SizeOverflow`] if the tickets add up to 2^64 or more, or for a step beyond 2^56. `batch` is untouched then.
///
/// ```
/// use hybridq::kmeans::{ClusterBatch, DataClusters, cluster_batch};
/// let (mut starts, mut rows) = ([0; 3], [0; 6]);
/// let clusters = DataClusters::group(&[0, 1, 0, 0, 1, 0], &mut starts, &mut rows)?;
/// let mut batch = [0; 3];
/// // By size: sizes are tickets.
/// let found = cluster_batch(&clusters, &[4, 2], 7, 1000, &mut batch)?;
/// assert_eq!((found, batch), (ClusterBatch { cluster: 0, rows: 3, weight: 1.0 }, [3, 2, 0]));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn cluster_batch(
    clusters: &DataClusters<'_>,
    tickets: &[u64],
    seed: u64,
    step: u64,
    batch: &mut [u32],
) -> Result<ClusterBatch, Error> {
    let total = total(clusters, tickets)?;
    if batch.is_empty() {
        return Err(Error::InvalidArgument);
    }
    if step >> 56 != 0 {
        return Err(Error::SizeOverflow);
    }
    let number = Random::new(seed, Purpose::Pick.stream(step)).below(total);
    let (cluster, ticket, rows) = holder(clusters, tickets, number);
    let shuffle = Shuffle::new(seed, Purpose::Rows.stream(cluster as u64), step, rows.len() as u32);
    let mut written = 0;
    for (i, to) in batch.iter_mut().enumerate().take(rows.len()) {
        *to = rows.get(shuffle.at(i as u32) as usize).copied().unwrap_or_default();
        written = i + 1;
    }
    Ok(ClusterBatch { cluster, rows: written, weight: weight(clusters, rows.len(), ticket, total) })
}

/// Draws every row of a batch by itself, with replacement: a cluster by its tickets, then any of its rows. `weights`, if asked for,
/// receives for each row how much rarer it is drawn than in proportion: the mean of weight times a quantity has the expectation of the
/// mean over all rows.
///
/// A function of seed and step, as [`cluster_batch`].
///
/// # Errors
/// As [`cluster_batch`]; [`Error::Shape`] unless there are as many weights as rows. The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{DataClusters, sample_rows};
/// let (mut starts, mut rows) = ([0; 3], [0; 6]);
/// let clusters = DataClusters::group(&[0, 0, 0, 0, 1, 0], &mut starts, &mut rows)?;
/// let (mut batch, mut weights) = ([0; 8], [0.0; 8]);
/// // The rare cluster as often as the other: 1/6 of the rows for 1/2 of the draws.
/// sample_rows(&clusters, &[1, 1], 7, 0, &mut batch, Some(&mut weights))?;
/// for (row, weight) in batch.into_iter().zip(weights) {
///     assert_eq!((weight * 3.0).round(), if row == 4 { 1.0 } else { 5.0 });
/// }
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn sample_rows(
    clusters: &DataClusters<'_>,
    tickets: &[u64],
    seed: u64,
    step: u64,
    batch: &mut [u32],
    weights: Option<&mut [f32]>,
) -> Result<(), Error> {
    let total = total(clusters, tickets)?;
    if batch.is_empty() {
        return Err(Error::InvalidArgument);
    }
    if step >> 56 != 0 {
        return Err(Error::SizeOverflow);
    }
    let weights =
        weights.map_or(Ok(None), |w| if w.len() == batch.len() { Ok(Some(w)) } else { Err(Error::Shape) })?;
    let mut weights = weights.unwrap_or_default().iter_mut();
    let mut random = Random::new(seed, Purpose::Sample.stream(step));
    for to in batch {
        let (_, ticket, rows) = holder(clusters, tickets, random.below(total));
        let i = random.below(rows.len() as u64) as usize;
        *to = rows.get(i).copied().unwrap_or_default();
        if let Some(to) = weights.next() {
            *to = weight(clusters, rows.len(), ticket, total);
        }
    }
    Ok(())
}
