//! First centres for k-means: rows of the data. Distances are computed in one order and drawn from by integers, so that the
//! same seed gives the same rows on every machine.

mod afk_mc2;
mod distance;
mod greedy;
mod masses;
mod plus_plus;
mod random;
mod weighing;

use crate::Error;
use crate::math::Random;
use crate::workspace::{Carver, Layout, split_rows_mut};

use super::points::{Points, magnitude_bits};
pub(super) use distance::Distance;
pub(super) use greedy::Greedy;
pub(super) use masses::Masses;
pub(super) use weighing::Weighing;

/// How first centres are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seeding {
    /// Greedy k-means++ (Arthur and Vassilvitskii 2007): each centre is the best of `trials` rows (0: 2 + floor(ln k), as
    /// scikit-learn has it) drawn in proportion to weight times squared distance to
    /// the nearest centre so far. n k d trials operations at most, far fewer where the data are clustered.
    PlusPlus {
        /// Candidates per centre.
        trials: usize,
    },
    /// Assumption-free K-MC^2 (Bachem et al. 2016): k-means++ approximated by Markov chains of `chain` steps (0: 200).
    /// n d + k^2 d chain / 2 operations: for many rows.
    AfkMc2 {
        /// Steps per centre.
        chain: usize,
    },
    /// Rows drawn in proportion to their weights, none twice.
    Random,
}

/// Distinguishes these draws from others with the same seed.
const STREAM: u64 = 0x7365_6564;

impl Seeding {
    fn layout(self, n: usize, k: usize) -> Result<Layout, Error> {
        let (values, owners, across, sums) = match self {
            Seeding::PlusPlus { .. } => (n, n, k, 1),
            Seeding::AfkMc2 { .. } => (n, 0, 0, 2),
            Seeding::Random => (n, 0, 0, 1),
        };
        let sums = Masses::blocks(n).checked_mul(sums).ok_or(Error::SizeOverflow)?;
        Layout::EMPTY.array::<u64>(sums)?.array::<f32>(values)?.array::<u32>(owners)?.array::<f32>(across)
    }
}

/// Bytes of scratch that [`seed`] needs: about 8 n for [`Seeding::PlusPlus`], 4 n otherwise.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn seed_workspace_size(seeding: Seeding, n: usize, k: usize) -> Result<usize, Error> {
    Ok(seeding.layout(n, k)?.size())
}

/// Chooses a row of `points` for each of `k` centres and copies it.
///
/// - `rows`: at least `k` numbers: which rows.
/// - `centers`: at least `k * d` values: their values.
/// - `scratch`: at least [`seed_workspace_size`] bytes at any alignment.
///
/// The same seed gives the same rows on every machine. If fewer than `k` rows differ, rows repeat. Values of any finite
/// magnitude are in order.
///
/// # Errors
/// [`Error::InvalidArgument`] if `k` is 0 or above `n`, a weight is below 0, or no weight is above;
/// [`Error::NonFinite`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. `rows`
/// and `centers` are untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, Seeding, seed, seed_workspace_size};
///
/// # fn main() -> Result<(), hybridq::Error> {
/// let x = [0.0, 0.1, 9.0, 9.1, 0.2, 9.2f32]; // six rows of one value
/// let points = Points::new(6, 1, &x)?;
/// let seeding = Seeding::PlusPlus { trials: 0 };
/// let mut scratch = vec![0; seed_workspace_size(seeding, 6, 2)?];
/// let (mut rows, mut centers) = ([0; 2], [0.0; 2]);
/// seed(&points, 2, seeding, 1, &mut rows, &mut centers, &mut scratch)?;
/// assert_ne!(centers[0] < 5.0, centers[1] < 5.0); // one of each group
/// # Ok(())
/// # }
/// ```
pub fn seed(
    points: &Points<'_>,
    k: usize,
    seeding: Seeding,
    seed: u64,
    rows: &mut [u32],
    centers: &mut [f32],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let (points, n) = (*points, points.rows());
    if k == 0 || k > n {
        return Err(Error::InvalidArgument);
    }
    let len = k.checked_mul(points.cols()).ok_or(Error::SizeOverflow)?;
    let rows = rows.get_mut(..k).ok_or(Error::OutputTooSmall)?;
    let centers = centers.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    points.check()?;
    let weighing = Weighing::new(points)?;
    let max = f32::from_bits(magnitude_bits(points.data()));
    let distance = Distance::new(max, points.cols());
    let mut carver = Carver::new(scratch);
    let mut masses = Masses::new(carver.take(Masses::blocks(n))?);
    let mut random = Random::new(seed, STREAM);
    match seeding {
        Seeding::PlusPlus { trials } => {
            let trials = if trials == 0 { 2 + libm::logf(k as f32) as usize } else { trials };
            let (nearest, owner, across) = (carver.take(n)?, carver.take(n)?, carver.take(k)?);
            let greedy = Greedy { points, weighing, distance, nearest, owner, across };
            plus_plus::choose(greedy, trials, &mut masses, &mut random, rows, centers);
            return Ok(());
        }
        Seeding::AfkMc2 { chain } => {
            let chain = if chain == 0 { 200 } else { chain };
            let (weight_sums, first) = (carver.take(Masses::blocks(n))?, carver.take(n)?);
            let run = afk_mc2::Run { points, weighing, distance, first, weight_sums, chain };
            run.choose(&mut masses, &mut random, rows);
        }
        Seeding::Random if points.weights().is_none() => random::uniform(n, &mut random, rows),
        Seeding::Random => random::weighted(weighing, carver.take(n)?, &mut masses, &mut random, rows),
    }
    for (center, &row) in split_rows_mut(centers, points.cols()).zip(&*rows) {
        center.iter_mut().zip(points.row(row as usize)).for_each(|(to, &from)| *to = from);
    }
    Ok(())
}
