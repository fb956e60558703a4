//! How many clusters: one nested run from one cluster upwards, the curve of its sums of squares, and what four published
//! criteria make of it.

mod criteria;
mod nested;
mod silhouette;
mod spread;
mod votes;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::guard_scale;
use crate::workspace::{Carver, Layout};

use super::fit::{FitOptions, fit_workspace_size};
use super::points::{Points, magnitude_bits};
use super::seed::{Distance, Masses, Weighing};
use criteria::{AXES, EvenBox};
use nested::Nested;
use spread::Spread;

/// How to look for the number of clusters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChooseOptions {
    /// The most clusters that are tried: at least 1, at most as many as there are rows.
    pub max_k: usize,
    /// For the rows that new centres begin at.
    pub seed: u64,
    /// How each number of clusters is fitted, from the centres of the one before and one more.
    pub fit: FitOptions,
}

/// One point of the curve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Candidate {
    /// Clusters.
    pub k: u32,
    /// The sum of weight times squared distance to the nearest centre.
    pub inertia: f32,
    /// Calinski and Harabasz (1974): variance between clusters over that within. 0 for one cluster.
    pub calinski_harabasz: f32,
    /// The Bayesian information criterion (Pelleg and Moore 2000) less that of one cluster.
    pub bic: f32,
    /// The simplified silhouette (Hruschka et al. 2006): the weighted mean over points of (b - a) / max(a, b), `a` and `b`
    /// the distances to the nearest and the second nearest centre. 0 for one cluster.
    pub silhouette: f32,
    /// The inertia over what k-means would leave of points that fill a box with the same principal components evenly; its
    /// negative logarithm is the gap of Tibshirani, Walther and Hastie (2001). 1 for one cluster; near 1 or above without
    /// structure.
    pub concentration: f32,
}

/// What the criteria want, and what is made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Choice {
    /// The number of clusters; 1 if the data show no structure.
    pub k: u32,
    /// The number with the largest Calinski-Harabasz index.
    pub calinski_harabasz: u32,
    /// The number with the largest Bayesian information criterion; may be 1.
    pub bic: u32,
    /// The number with the largest simplified silhouette.
    pub silhouette: u32,
    /// The number with the least concentration; 1 if none is below 0.7.
    pub concentration: u32,
    /// Points of the curve: fewer than were asked for if the rows differ less.
    pub candidates: u32,
}

fn layout(rows: usize, cols: usize, options: &ChooseOptions) -> Result<Layout, Error> {
    let k = options.max_k;
    let fit = fit_workspace_size(rows, cols, k, &options.fit)?;
    Layout::EMPTY
        .array::<f32>(cols)?
        .array::<f32>(cols)?
        .array::<f32>(cols)?
        .array::<f32>(cols)?
        .array::<f32>(cols.checked_mul(AXES).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(k.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(rows)?
        .array::<u32>(rows)?
        .array::<f32>(k)?
        .array::<u64>(k)?
        .array::<Candidate>(k)?
        .array::<u64>(Masses::blocks(rows))?
        .array::<u8>(fit)
}

/// Bytes of scratch that [`choose_k`] needs.
///
/// # Errors
/// [`Error::InvalidArgument`] for `max_k` 0, [`Error::SizeOverflow`].
pub fn choose_k_workspace_size(rows: usize, cols: usize, options: &ChooseOptions) -> Result<usize, Error> {
    Ok(layout(rows, cols, options)?.size())
}

/// Looks for the number of clusters.
///
/// Begins with the mean of all points and adds one centre after the other: the best of ten rows drawn in proportion to
/// their squared distances; then Lloyd's algorithm from there. So every point of the curve stands on the one before, and
/// the inertia never rises (short of what tolerances of [`FitOptions`] leave). Four criteria vote: see [`Candidate`]. The result
/// is 1, "no structure", if the concentration shows none; otherwise the number with most votes, of equal ones that with the
/// least concentration. (Groups on a line or a plane that overlap may count as no structure.)
///
/// - `curve`: at least `max_k` values; [`Choice::candidates`] of them are written, for 1, 2, ... clusters.
/// - `centers`: at least `max_k * cols` values; those of the chosen number are written.
/// - `labels`: at least one a row, for these centres.
///
/// The same input gives the same bits on every machine. Takes about as long as fitting every number up to `max_k` and once
/// more up to the chosen one.
///
/// # Errors
/// [`Error::InvalidArgument`] (`max_k` 0 or above the number of rows, options out of range, a negative weight, no weight
/// above 0, or a largest magnitude outside 2^-40 to 2^40, about 1e-12 to 1e12, where sums of squares soon are no floats: scale
/// the data), [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`], [`Error::SizeOverflow`],
/// [`Error::EmptyCluster`] (only with `Empty::Error`). `curve`, `centers` and `labels` are untouched then.
///
/// ```
/// use hybridq::kmeans::{Candidate, ChooseOptions, FitOptions, Points, choose_k, choose_k_workspace_size};
///
/// # fn main() -> Result<(), hybridq::Error> {
/// // three groups on a line
/// let x: Vec<f32> = (0..60).map(|i| 100.0 * (i % 3) as f32 + (i / 3) as f32).collect();
/// let options = ChooseOptions { max_k: 8, seed: 1, fit: FitOptions::DEFAULT };
/// let mut scratch = vec![0; choose_k_workspace_size(60, 1, &options)?];
/// let (mut curve, mut centers, mut labels) = ([Candidate::default(); 8], [0.0; 8], [0; 60]);
/// let found = choose_k(&Points::new(60, 1, &x)?, &options, &mut curve, &mut centers, &mut labels, &mut scratch)?;
/// assert_eq!(found.k, 3);
/// # Ok(())
/// # }
/// ```
pub fn choose_k(
    points: &Points<'_>,
    options: &ChooseOptions,
    curve: &mut [Candidate],
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Choice, Error> {
    let (rows, cols, max_k) = (points.rows(), points.cols(), options.max_k);
    let needed = layout(rows, cols, options)?.size();
    if max_k > rows {
        return Err(Error::InvalidArgument);
    }
    let curve = curve.get_mut(..max_k).ok_or(Error::OutputTooSmall)?;
    let labels = labels.get_mut(..rows).ok_or(Error::OutputTooSmall)?;
    let centers = centers.get_mut(..max_k * cols).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    points.check()?;
    let weighing = Weighing::new(*points)?;
    let max = f32::from_bits(magnitude_bits(points.data()));
    if max > 0.0 && guard_scale(max) != 1.0 {
        return Err(Error::InvalidArgument);
    }
    let mut carver = Carver::new(scratch);
    let (mean, direction) = (carver.take(cols)?, carver.take(cols)?);
    let (block, total) = (carver.take(cols)?, carver.take(cols)?);
    let own_centers = carver.take::<f32>(max_k * cols)?;
    let (nearest, owner) = (carver.take::<f32>(rows)?, carver.take::<u32>(rows)?);
    let (across, sizes) = (carver.take(max_k)?, carver.take(max_k)?);
    let own_curve = carver.take::<Candidate>(max_k)?;
    let sums = carver.take::<u64>(Masses::blocks(rows))?;
    let fit_scratch = carver.take::<u8>(fit_workspace_size(rows, cols, max_k, &options.fit)?)?;

    let found = carver.take::<f32>(AXES * cols)?;
    let spread = Spread { points: *points, mean, direction, block, total, found };
    let even = EvenBox::new(spread.measure(), cols);
    let bounds = options.fit.bounds.for_up_to(cols, max_k);
    let options = ChooseOptions { fit: FitOptions { bounds, ..options.fit }, ..*options };
    let mut nested = Nested {
        points,
        options: &options,
        even,
        weighing,
        distance: Distance::new(max, cols),
        centers: own_centers,
        nearest,
        owner,
        across,
        sizes,
        sums,
        scratch: fit_scratch,
    };
    let candidates = nested.run(max_k, own_curve)?;
    let choice = votes::choice(own_curve.get(..candidates).unwrap_or_default());
    if (choice.k as usize) < candidates {
        // Once more, which leaves the centres behind, and the same curve.
        nested.run(choice.k as usize, own_curve)?;
    }
    curve.iter_mut().zip(&*own_curve).take(candidates).for_each(|(to, &from)| *to = from);
    centers
        .iter_mut()
        .zip(&*nested.centers)
        .take(choice.k as usize * cols)
        .for_each(|(to, &from)| *to = from);
    labels.iter_mut().zip(&*nested.owner).for_each(|(to, &from)| *to = from);
    Ok(choice)
}
