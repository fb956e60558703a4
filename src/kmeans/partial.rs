//! One step of Lloyd's algorithm in parts: `accumulate` rows into a partial, `merge` partials, `update` the centres.
//!
//! A partial is one slice of `i64`: whoever holds a part of the data (a thread, a rank, a device that is interrupted)
//! fills its own, and adding them up element by element (`MPI_SUM` on 64-bit integers) is a correct merge in any order. All
//! must use the same [`Frame`] and the same centres; the bits of the new centres are then the same for every split.
//!
//! Layout for `k` centres of `cols` features: sums (`k * cols`, units of the frame), weights (`k`), counts of rows (`k`),
//! and 13 digits of 32 bits of the inertia, lowest first (exact, from 2^-149 up).

use crate::math::{Compensated, sqrt};
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::empty::{self, Empty};
use super::frame::{Divisor, Frame, Scale};
use super::panels::{Panels, panels_len};
use super::pass::{Survey, block_len};
use super::points::{Points, magnitude_bits, row};
use super::score::{distance, guard, scaled_distance};
use super::shard::Prepare;
use super::sums::{self, Sums, sums_len};

/// `i64` of a partial for `k` centres: `k * (cols + 2) + 13`.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn partial_len(k: usize, cols: usize) -> Result<usize, Error> {
    sums_len(k, cols).ok_or(Error::SizeOverflow)
}

/// Labels are `u32`, and one bit is kept for marks.
pub(super) fn check_k(k: usize) -> Result<(), Error> {
    match k {
        0 => Err(Error::InvalidArgument),
        _ if k > Points::MAX_ROWS => Err(Error::SizeOverflow),
        _ => Ok(()),
    }
}

fn layout(k: usize, cols: usize) -> Result<Layout, Error> {
    check_k(k)?;
    Layout::EMPTY
        .array::<f32>(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(block_len(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(cols)
}

/// Bytes of scratch that [`accumulate`] and [`assign`] need: about `4 * cols * (k + 16)` (up to 16 KB more for few
/// columns), whatever the number of rows.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn assign_workspace_size(k: usize, cols: usize) -> Result<usize, Error> {
    Ok(layout(k, cols)?.size())
}

/// The nearest of `k` centres (`k` x `cols`) for every point, by the canonical distance (see the room's page), and, if
/// asked for, that squared distance.
///
/// `labels` and `distances` have room for one value a row, of which just those are written.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::Shape`] if `centers` has not exactly `k * cols` values,
/// [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`], [`Error::SizeOverflow`]. The outputs are
/// untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, assign, assign_workspace_size};
/// let points = Points::new(4, 2, &[0.0, 0.0, 0.5, 0.0, 9.0, 9.0, 9.0, 8.0])?;
/// let mut scratch = vec![0; assign_workspace_size(2, 2)?];
/// let (mut labels, mut distances) = ([0; 4], [0.0; 4]);
/// assign(&points, 2, &[9.0, 9.0, 0.0, 0.0], &mut labels, Some(&mut distances), &mut scratch)?;
/// assert_eq!((labels, distances), ([1, 1, 0, 0], [0.0, 0.25, 0.0, 1.0]));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn assign(
    points: &Points<'_>,
    k: usize,
    centers: &[f32],
    labels: &mut [u32],
    distances: Option<&mut [f32]>,
    scratch: &mut [u8],
) -> Result<(), Error> {
    let cols = points.cols();
    let needed = layout(k, cols)?.size();
    check_centers(k, cols, centers)?;
    let labels = labels.get_mut(..points.rows()).ok_or(Error::OutputTooSmall)?;
    let distances = match distances {
        Some(distances) => distances.get_mut(..points.rows()).ok_or(Error::OutputTooSmall)?,
        None => &mut [],
    };
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    points.check()?;
    let mut carver = Carver::new(scratch);
    let memory = carver.take(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let block = carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?;
    label(points, k, centers, labels, memory, block);
    if !distances.is_empty() {
        floats::run(simd::active(), OwnDistances { points, centers, labels, distances });
    }
    Ok(())
}

/// Panels of the centres, and a block, out of scratch of [`assign_workspace_size`].
pub(super) fn panels<'a>(
    points: &Points<'_>,
    k: usize,
    centers: &'a [f32],
    scratch: &'a mut [u8],
) -> Result<(Panels<'a>, &'a mut [f32]), Error> {
    let cols = points.cols();
    let mut carver = Carver::new(scratch);
    let memory = carver.take(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let block = carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?;
    let magnitude = magnitude_bits(points.data());
    let prepare = Prepare { k, cols, centers, magnitude, grouped: false, memory };
    Ok((floats::run(simd::active(), prepare), block))
}

pub(super) fn check_centers(k: usize, cols: usize, centers: &[f32]) -> Result<(), Error> {
    if k.checked_mul(cols).ok_or(Error::SizeOverflow)? != centers.len() {
        return Err(Error::Shape);
    }
    if !super::points::finite(centers) {
        return Err(Error::NonFinite);
    }
    Ok(())
}

/// Labels points; `memory` and `block` are what `layout` has for them.
fn label(
    points: &Points<'_>,
    k: usize,
    centers: &[f32],
    labels: &mut [u32],
    memory: &mut [f32],
    block: &mut [f32],
) {
    let tier = simd::active();
    let magnitude = magnitude_bits(points.data());
    let panels =
        floats::run(tier, Prepare { k, cols: points.cols(), centers, magnitude, grouped: false, memory });
    let (data, rows) = (points.data(), points.rows());
    floats::run(tier, Survey { data, rows, panels: &panels, block, labels, far: &mut [] });
}

/// Works out the distance of every point to the centre of its label.
pub(super) struct OwnDistances<'a> {
    pub(super) points: &'a Points<'a>,
    pub(super) centers: &'a [f32],
    pub(super) labels: &'a [u32],
    pub(super) distances: &'a mut [f32],
}

impl FloatKernel for OwnDistances<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let (cols, magnitude) = (self.points.cols(), magnitude_bits(self.centers));
        for ((x, &label), to) in self.points.iter().zip(self.labels).zip(self.distances) {
            *to = canonical(f, x, magnitude, row(self.centers, cols, label as usize)).1;
        }
    }
}

/// The canonical distance with its scale `s`, and in the units of the data.
#[inline(always)]
pub(super) fn canonical<F: Floats>(f: F, x: &[f32], magnitude: u32, c: &[f32]) -> ((f32, f32), f32) {
    let s = guard(x, magnitude);
    if s == 1.0 {
        let d = distance(f, x, c);
        return ((d, 1.0), d);
    }
    let d = scaled_distance(s, x, c);
    ((d, s), (d / s / s).min(f32::MAX))
}

/// Assigns the points to the nearest centres, as [`assign`] does, and adds them to a partial, which the caller has filled
/// with zeros before the first call.
///
/// `frame` is that of all the data, of which `points` must be a part. `partial` has exactly [`partial_len`] values.
///
/// # Errors
/// As [`assign`]; [`Error::InvalidArgument`] if a point lies outside the frame, or has a weight where the frame knows of
/// none. `labels` and `partial` are untouched then.
///
/// ```
/// use hybridq::kmeans::*;
/// // Two parts of the data, say on two machines.
/// let parts = [Points::new(2, 1, &[0.0, 1.0])?, Points::new(3, 1, &[10.0, 12.0, 2.0])?];
/// let mut limits = vec![0.0; limits_len(1)?];
/// limits_clear(&mut limits);
/// for part in &parts {
///     limits_add(part, &mut limits)?; // merged by `limits_merge`, or MPI_MAX
/// }
/// let frame = Frame::new(5, &limits)?;
/// let (k, mut centers) = (2, [0.0, 12.0]);
/// let mut scratch = vec![0; assign_workspace_size(k, 1)?];
/// let mut total = vec![0; partial_len(k, 1)?];
/// for part in &parts {
///     let mut own = vec![0; partial_len(k, 1)?];
///     let mut labels = vec![0; part.rows()];
///     accumulate(part, &frame, k, &centers, &mut labels, &mut own, &mut scratch)?;
///     merge(&mut total, &own)?; // or MPI_SUM
/// }
/// let step = update(&frame, k, &total, Empty::Keep, &mut centers)?;
/// assert_eq!((centers, step.inertia), ([1.0, 11.0], 9.0)); // that of the labels, before the update
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn accumulate(
    points: &Points<'_>,
    frame: &Frame<'_>,
    k: usize,
    centers: &[f32],
    labels: &mut [u32],
    partial: &mut [i64],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let cols = points.cols();
    let needed = layout(k, cols)?.size();
    check_centers(k, cols, centers)?;
    let labels = labels.get_mut(..points.rows()).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let sums = Sums::split(k, cols, partial).ok_or(Error::Shape)?;
    points.check()?;
    if !frame.covers(points) {
        return Err(Error::InvalidArgument);
    }
    let mut carver = Carver::new(scratch);
    let memory = carver.take(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let block = carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?;
    let factors = carver.take(cols)?;
    frame.factors(factors);
    let scale = frame.scale();
    label(points, k, centers, labels, memory, block);
    let all = AddAll { points, centers, labels, scale, factors, sums };
    floats::run(simd::active(), all);
    Ok(())
}

/// Adds every point to the sums of its label, and its distance to the inertia.
pub(super) struct AddAll<'a> {
    pub(super) points: &'a Points<'a>,
    pub(super) centers: &'a [f32],
    pub(super) labels: &'a [u32],
    pub(super) scale: Scale,
    pub(super) factors: &'a [f32],
    pub(super) sums: Sums<'a>,
}

impl FloatKernel for AddAll<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(mut self, f: F) {
        let magnitude = magnitude_bits(self.centers);
        for (i, (x, &label)) in self.points.iter().zip(self.labels).enumerate() {
            let w = self.scale.weight(self.points.weights(), i);
            self.sums.change(f, &self.scale, self.factors, x, w, (label, 1));
            let center = row(self.centers, x.len(), label as usize);
            let ((distance, s), _) = canonical(f, x, magnitude, center);
            self.sums.add_inertia(distance, s, w);
        }
    }
}

/// Adds a partial to a partial, element by element. Over MPI: `MPI_SUM` on 64-bit integers.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ; nothing is changed then.
pub fn merge(partial: &mut [i64], other: &[i64]) -> Result<(), Error> {
    if partial.len() != other.len() {
        return Err(Error::Shape);
    }
    for (to, &from) in partial.iter_mut().zip(other) {
        *to = to.wrapping_add(from);
    }
    Ok(())
}

/// What [`update`] has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The largest distance that a centre has moved.
    pub shift: f32,
    /// The sum of weighted squared distances to the centres *before* the update, those that the labels belong to.
    pub inertia: f32,
    /// Clusters without weight, before the policy was applied.
    pub empty: usize,
}

/// Moves the centres to the means that a merged partial of all the data stands for.
///
/// `centers` are those with which the partial was accumulated. A cluster without weight is treated by `empty`;
/// [`Empty::Farthest`] needs more than sums and is refused here: [`update_farthest`](super::update_farthest) takes the candidates for it,
/// which merge like partials.
///
/// # Errors
/// [`Error::Shape`], [`Error::Unsupported`] for [`Empty::Farthest`], [`Error::EmptyCluster`] for [`Empty::Error`].
/// `centers` are untouched then.
pub fn update(
    frame: &Frame<'_>,
    k: usize,
    partial: &[i64],
    empty: Empty,
    centers: &mut [f32],
) -> Result<Step, Error> {
    let cols = frame.cols();
    check_k(k)?;
    check_centers(k, cols, centers)?;
    if partial.len() != partial_len(k, cols)? {
        return Err(Error::Shape);
    }
    let (sums, rest) = partial.split_at_checked(k * cols).ok_or(Error::Shape)?;
    let (weights, rest) = rest.split_at_checked(k).ok_or(Error::Shape)?;
    let (_, digits) = rest.split_at_checked(k).ok_or(Error::Shape)?;
    let empties = weights.iter().filter(|&&w| w <= 0).count();
    match empty {
        Empty::Farthest => return Err(Error::Unsupported),
        Empty::Error if empties > 0 => return Err(Error::EmptyCluster),
        _ => {}
    }
    let scale = frame.scale();
    let mut largest = 0.0f32;
    for ((center, sums), &weight) in split_rows_mut(centers, cols).zip(split_rows(sums, cols)).zip(weights) {
        let moved = move_center(frame, &scale, false, (sums, weight), center);
        largest = largest.max(moved);
    }
    if empty == Empty::SplitLargest && empties > 0 {
        empty::split_largest(frame, weights, centers);
    }
    Ok(Step { shift: sqrt(largest), inertia: sums::inertia(digits, &scale), empty: empties })
}

/// Moves a centre to its mean, if it has any weight, or to the point of the sphere in its direction; returns the square
/// of how far (the largest float if it is more).
#[inline(always)]
pub(super) fn move_center(
    frame: &Frame<'_>,
    scale: &Scale,
    spherical: bool,
    (sums, weight): (&[i64], i64),
    center: &mut [f32],
) -> f32 {
    if weight <= 0 {
        return 0.0;
    }
    let weight = Divisor::new(weight as u64);
    if spherical {
        return move_on_sphere(frame, scale, (sums, weight), center);
    }
    let mut moved = 0.0;
    for (feature, (c, &sum)) in center.iter_mut().zip(sums).enumerate() {
        let mean = frame.mean(scale, feature, sum, weight);
        moved += (mean - *c) * (mean - *c);
        *c = mean;
    }
    moved.min(f32::MAX)
}

/// [`move_center`] for spherical k-means. Points of length 1 have means whose squares are ordinary; where they are not, the
/// centre stays.
fn move_on_sphere(
    frame: &Frame<'_>,
    scale: &Scale,
    (sums, weight): (&[i64], Divisor),
    center: &mut [f32],
) -> f32 {
    let mean = |feature, sum| frame.mean(scale, feature, sum, weight);
    // The length of the mean first, as there is no room for a copy.
    let mut squares = Compensated::default();
    for (feature, &sum) in sums.iter().enumerate() {
        let mean = mean(feature, sum);
        squares.add(mean * mean);
    }
    let norm = sqrt(squares.value());
    if !(f32::MIN_POSITIVE..=f32::MAX).contains(&norm) {
        return 0.0;
    }
    let mut moved = 0.0;
    for (feature, (c, &sum)) in center.iter_mut().zip(sums).enumerate() {
        let mean = mean(feature, sum) / norm;
        moved += (mean - *c) * (mean - *c);
        *c = mean;
    }
    moved.min(f32::MAX)
}
