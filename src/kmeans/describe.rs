//! What is asked of a clustering once it stands: distances to all centres, the two nearest ones, and a summary of
//! each cluster.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::{Compensated, sqrt};
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::panels::Panels;
use super::partial::{canonical, check_centers, check_k};
use super::pass::{Pairs, two};
use super::points::{Points, magnitude_bits};
use super::score::{Nearest, guard, nearest};

/// The squared distance of every point to every one of `k` centres (`k` x `cols`): `rows` x `k`, row after row. The largest
/// float stands for what is beyond it.
///
/// `distances` has room for `rows * k` values, of which just those are written. The least of a row, of equal ones the
/// first, is at its label.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::NonFinite`],
/// [`Error::SizeOverflow`]. `distances` is untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, transform};
/// let points = Points::new(2, 2, &[0.0, 0.0, 3.0, 4.0])?;
/// let mut distances = [0.0; 4];
/// transform(&points, 2, &[0.0, 0.0, 3.0, 0.0], &mut distances)?;
/// assert_eq!(distances, [0.0, 9.0, 25.0, 16.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn transform(points: &Points<'_>, k: usize, centers: &[f32], distances: &mut [f32]) -> Result<(), Error> {
    check_k(k)?;
    check_centers(k, points.cols(), centers)?;
    let len = points.rows().checked_mul(k).ok_or(Error::SizeOverflow)?;
    let distances = distances.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    points.check()?;
    floats::run(crate::simd::active(), Transform { points, k, centers, distances });
    Ok(())
}

struct Transform<'a> {
    points: &'a Points<'a>,
    k: usize,
    centers: &'a [f32],
    distances: &'a mut [f32],
}

impl FloatKernel for Transform<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let magnitude = magnitude_bits(self.centers);
        for (x, distances) in self.points.iter().zip(split_rows_mut(self.distances, self.k)) {
            for (c, to) in split_rows(self.centers, x.len()).zip(distances) {
                *to = canonical(f, x, magnitude, c).1;
            }
        }
    }
}

/// The two nearest centres of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Top2 {
    /// The nearest, its label.
    pub label: u32,
    /// The one after it; the same as the first if there is no other.
    pub second_label: u32,
    /// The squared distance to the nearest.
    pub distance: f32,
    /// The squared distance to the second; infinite if there is none.
    pub second: f32,
}

/// The two nearest of `k` centres for every point, out of one pass: for silhouettes, and to see which points are in doubt.
///
/// `found` has room for one value a row, of which just those are written. `scratch` is what
/// [`assign_workspace_size`](super::assign_workspace_size) says.
///
/// # Errors
/// As [`transform`], and [`Error::WorkspaceTooSmall`].
///
/// ```
/// use hybridq::kmeans::{Points, Top2, assign_workspace_size, top2};
/// let points = Points::new(1, 1, &[3.0])?;
/// let mut found = [Top2::default()];
/// top2(&points, 3, &[0.0, 4.0, 9.0], &mut found, &mut vec![0; assign_workspace_size(3, 1)?])?;
/// assert_eq!(found, [Top2 { label: 1, second_label: 0, distance: 1.0, second: 9.0 }]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn top2(
    points: &Points<'_>,
    k: usize,
    centers: &[f32],
    found: &mut [Top2],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let needed = super::assign_workspace_size(k, points.cols())?;
    check_centers(k, points.cols(), centers)?;
    let found = found.get_mut(..points.rows()).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    points.check()?;
    let (panels, block) = super::partial::panels(points, k, centers, scratch)?;
    floats::run(crate::simd::active(), Nearest2 { points, panels: &panels, block, found });
    Ok(())
}

struct Nearest2<'a> {
    points: &'a Points<'a>,
    panels: &'a Panels<'a>,
    block: &'a mut [f32],
    found: &'a mut [Top2],
}

struct Found<'a>(&'a mut [Top2]);

impl Pairs for Found<'_> {
    #[inline(always)]
    fn put(&mut self, row: usize, near: Nearest) {
        if let Some(to) = self.0.get_mut(row) {
            let Nearest { label, second_label, distance, second } = near;
            *to = Top2 { label, second_label, distance, second };
        }
    }
}

impl FloatKernel for Nearest2<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Nearest2 { points, panels, block, found } = self;
        if F::TILE > 0 && panels.tile > 0 && panels.k > 1 {
            return two(f, points.data(), points.rows(), panels, block, &mut Found(found));
        }
        for (x, to) in points.iter().zip(found) {
            let s = guard(x, panels.magnitude);
            let near = nearest(f, s, x, panels.centers);
            let second =
                if near.second.is_finite() { (near.second / s / s).min(f32::MAX) } else { near.second };
            let second_label = if near.second.is_finite() { near.second_label } else { near.label };
            let distance = (near.distance / s / s).min(f32::MAX);
            *to = Top2 { label: near.label, second_label, distance, second };
        }
    }
}

/// One cluster in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Summary {
    /// How many points it has.
    pub points: u32,
    /// What they weigh; the same for weights of 1.
    pub weight: f32,
    /// Their weighted mean distance to the centre; 0 without weight.
    pub mean_distance: f32,
    /// Its cohesion: their weighted mean *squared* distance to the centre, the smaller the tighter; 0 without weight.
    pub cohesion: f32,
    /// The largest distance of a point to the centre.
    pub radius: f32,
}

/// Summarizes the clusters that labels and squared distances (both from [`assign`](super::assign)) stand for.
///
/// `summaries` has room for `k` values, of which just those are written; `scratch` at least [`summarize_workspace_size`] bytes. Sums are compensated floats in the order of the
/// rows, within 2^-20 of themselves.
///
/// # Errors
/// [`Error::Shape`] if `labels` or `distances` has not one value a row, [`Error::InvalidArgument`] for `k` 0, a label that is
/// not below `k`, or a negative distance, [`Error::NonFinite`], [`Error::OutputTooSmall`],
/// [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. `summaries` is untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, Summary, summarize};
/// let points = Points::new(3, 1, &[0.0, 4.0, 9.0])?;
/// let mut summaries = [Summary::default(); 2];
/// summarize(&points, 2, &[0, 0, 1], &[4.0, 4.0, 0.0], &mut summaries, &mut [0; 51])?;
/// assert_eq!(summaries[0], Summary { points: 2, weight: 2.0, mean_distance: 2.0, cohesion: 4.0, radius: 2.0 });
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn summarize(
    points: &Points<'_>,
    k: usize,
    labels: &[u32],
    distances: &[f32],
    summaries: &mut [Summary],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let needed = summarize_workspace_size(k)?;
    if labels.len() != points.rows() || distances.len() != points.rows() {
        return Err(Error::Shape);
    }
    let summaries = summaries.get_mut(..k).ok_or(Error::OutputTooSmall)?;
    if labels.iter().any(|&label| label as usize >= k) || distances.iter().any(|&d| d < 0.0) {
        return Err(Error::InvalidArgument);
    }
    if !super::points::finite(distances) {
        return Err(Error::NonFinite);
    }
    points.check()?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let sums = Carver::new(scratch).take::<Sums>(k)?;
    sums.fill([[0.0; 2]; 3]);
    summaries.fill(Summary::default());
    for (i, (&label, &distance)) in labels.iter().zip(distances).enumerate() {
        let w = points.weights().map_or(1.0, |weights| weights.get(i).copied().unwrap_or_default());
        let j = label as usize;
        let (Some(sums), Some(summary)) = (sums.get_mut(j), summaries.get_mut(j)) else { continue };
        for (sum, x) in sums.iter_mut().zip([w, w * sqrt(distance), w * distance]) {
            let mut all = Compensated::resume(*sum);
            all.add(x);
            *sum = all.parts();
        }
        summary.points += 1;
        summary.radius = summary.radius.max(distance);
    }
    for (summary, sums) in summaries.iter_mut().zip(sums.iter()) {
        let [weight, first, square] = sums.map(|sum| Compensated::resume(sum).value());
        let mean = |sum: f32| if weight > 0.0 { sum / weight } else { 0.0 };
        summary.weight = weight;
        summary.mean_distance = mean(first);
        summary.cohesion = mean(square);
        summary.radius = sqrt(summary.radius);
    }
    Ok(())
}

/// Compensated sums of the weights, the distances and the squared distances of a cluster.
type Sums = [[f32; 2]; 3];

/// Bytes of scratch that [`summarize`] needs: `24 k`, and 3 for alignment.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn summarize_workspace_size(k: usize) -> Result<usize, Error> {
    check_k(k)?;
    Ok(Layout::EMPTY.array::<Sums>(k)?.size())
}
