//! Several fits from different starts, of which the best is kept.

use crate::Error;
use crate::workspace::{Carver, Layout};

use super::fit::{Fit, FitOptions, check, copy, fit, fit_workspace_size};
use super::partial::check_k;
use super::points::Points;
use super::seed::{Seeding, seed, seed_workspace_size};

/// How to start, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Restarts {
    /// How first centres are chosen.
    pub seeding: Seeding,
    /// Fits to choose from, at least 1 (scikit-learn's `n_init`).
    pub count: usize,
    /// Seed of the first start; the next ones follow it.
    pub seed: u64,
}

fn layout(
    rows: usize,
    cols: usize,
    k: usize,
    options: &FitOptions,
    seeding: Seeding,
) -> Result<Layout, Error> {
    check_k(k)?;
    // The two are never needed at once.
    let scratch = fit_workspace_size(rows, cols, k, options)?.max(seed_workspace_size(seeding, rows, k)?);
    Layout::EMPTY
        .array::<f32>(k.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<u32>(rows)?
        .array::<u32>(k)?
        .array::<u8>(scratch)
}

/// Bytes of scratch that [`fit_seeded`] needs.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn fit_seeded_workspace_size(
    rows: usize,
    cols: usize,
    k: usize,
    options: &FitOptions,
    restarts: &Restarts,
) -> Result<usize, Error> {
    Ok(layout(rows, cols, k, options, restarts.seeding)?.size())
}

/// [`fit`] from `restarts.count` starts that [`seed`] chooses; the result with the least inertia, of equal ones the
/// first. The same on every machine.
///
/// `centers` has room for `k * cols` values and is only written; all else is as for [`fit`].
///
/// # Errors
/// As [`fit`]; [`Error::InvalidArgument`] for a `count` of 0. With [`Empty::Error`](super::Empty::Error) starts that fail
/// after one that did not are passed over. The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{
///     FitOptions, Points, Restarts, Seeding, fit_seeded, fit_seeded_workspace_size,
/// };
/// let points = Points::new(5, 1, &[0.0, 1.0, 10.0, 12.0, 2.0])?;
/// let options = FitOptions::default();
/// let restarts = Restarts { seeding: Seeding::PlusPlus { trials: 0 }, count: 10, seed: 1 };
/// let mut scratch = vec![0; fit_seeded_workspace_size(5, 1, 2, &options, &restarts)?];
/// let (mut centers, mut labels) = ([0.0; 2], [0; 5]);
/// let found = fit_seeded(&points, 2, &options, &restarts, &mut centers, &mut labels, &mut scratch)?;
/// assert_eq!((found.inertia, labels[0] == labels[2]), (4.0, false));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit_seeded(
    points: &Points<'_>,
    k: usize,
    options: &FitOptions,
    restarts: &Restarts,
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let needed = layout(rows, cols, k, options, restarts.seeding)?.size();
    let len = k.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    if restarts.count == 0 {
        return Err(Error::InvalidArgument);
    }
    let centers = centers.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let own_centers = carver.take::<f32>(len)?;
    let own_labels = carver.take::<u32>(rows)?;
    let chosen = carver.take::<u32>(k)?;
    let rest =
        fit_workspace_size(rows, cols, k, options)?.max(seed_workspace_size(restarts.seeding, rows, k)?);
    let rest = carver.take::<u8>(rest)?;
    own_centers.fill(0.0);
    let labels = check(points, k, options, own_centers, labels)?;

    let mut best: Option<Fit> = None;
    let mut number = restarts.seed;
    for _ in 0..restarts.count {
        seed(points, k, restarts.seeding, number, chosen, own_centers, rest)?;
        number = number.wrapping_add(1);
        // After the first fit nothing can go wrong but an empty cluster; outputs are written only then.
        let found = match fit(points, k, options, own_centers, own_labels, rest) {
            Err(_) if best.is_some() => continue,
            found => found?,
        };
        if best.is_none_or(|best| found.inertia < best.inertia) {
            best = Some(found);
            copy(own_centers, centers);
            copy(own_labels, labels);
        }
    }
    best.ok_or(Error::InvalidArgument)
}
