//! Lloyd's algorithm from given centres to convergence.

use crate::math::sqrt;
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::empty::{self, Empty};
use super::frame::{Frame, Scale, limits_add, limits_clear, limits_len};
use super::panels::{Panels, panels_len};
use super::partial::{canonical, check_centers, check_k, move_center};
use super::pass::{Rows, Sink, block_len, pass};
use super::points::{Points, magnitude_bits, row};
use super::sums::{self, Sums, sums_len};

/// How to fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitOptions {
    /// Updates of the centres at most. With 0 the points are labelled and the centres stay.
    pub max_iterations: usize,
    /// Stop once no centre moves farther than this in one update (units of the data); at least 0.
    pub shift_tolerance: f32,
    /// Stop once an update lowers the inertia by no more than this part of it; at least 0, and 0 means never. Otherwise the
    /// inertia is worked out in every iteration, which takes a little time.
    pub inertia_tolerance: f32,
    /// What becomes of clusters without weight.
    pub empty: Empty,
}

impl FitOptions {
    /// 300 iterations at most, until the labels stay the same.
    pub const DEFAULT: FitOptions = FitOptions {
        max_iterations: 300,
        shift_tolerance: 0.0,
        inertia_tolerance: 0.0,
        empty: Empty::Farthest,
    };
}

impl Default for FitOptions {
    fn default() -> FitOptions {
        FitOptions::DEFAULT
    }
}

/// Why a fit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stop {
    /// No label changed: this is a fixed point of the algorithm.
    Labels = 0,
    /// The centres moved no farther than the tolerance.
    Shift = 1,
    /// The inertia fell by no more than the tolerance.
    Inertia = 2,
    /// The most iterations that were allowed.
    Iterations = 3,
}

/// What a fit has found, beside centres and labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Sum of weight * squared distance to the centre of the label.
    pub inertia: f32,
    /// Updates of the centres.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// The largest distance that a centre moved in the last update; 0 if there was none.
    pub shift: f32,
    /// Clusters without weight at the end.
    pub empty: usize,
}

fn layout(rows: usize, cols: usize, k: usize, options: &FitOptions) -> Result<Layout, Error> {
    check_k(k)?;
    if rows > Points::MAX_ROWS {
        return Err(Error::SizeOverflow);
    }
    Layout::EMPTY
        .array::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(limits_len(cols)?)?
        .array::<f32>(cols)?
        .array::<f32>(k.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(block_len(cols).ok_or(Error::SizeOverflow)?)?
        .array::<u32>(rows)?
        .array::<f32>(distances_len(rows, options))
}

/// Distances are kept where empty clusters look for the farthest point.
fn distances_len(rows: usize, options: &FitOptions) -> usize {
    if options.empty == Empty::Farthest { rows } else { 0 }
}

/// Bytes of scratch that [`fit`] needs.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn fit_workspace_size(rows: usize, cols: usize, k: usize, options: &FitOptions) -> Result<usize, Error> {
    Ok(layout(rows, cols, k, options)?.size())
}

/// Lloyd's algorithm: moves `k` centres (`k` x `cols`) to where no point wants another one, or until it is told to stop.
///
/// `centers` holds the start and receives the outcome; `labels` receives, for every row, the centre that is nearest
/// to it among those returned, and the inertia of the result is theirs: [`assign`](super::assign) with the returned centres gives the
/// same labels. The result does not depend on the tier.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres, more centres than rows, a negative or non-finite tolerance, a negative weight,
/// no weight above 0), [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`],
/// [`Error::SizeOverflow`], [`Error::EmptyCluster`] (only with [`Empty::Error`]). The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{FitOptions, Points, Stop, fit, fit_workspace_size};
/// let points = Points::new(5, 1, &[0.0, 1.0, 10.0, 12.0, 2.0])?;
/// let options = FitOptions::default();
/// let mut scratch = vec![0; fit_workspace_size(5, 1, 2, &options)?];
/// let (mut centers, mut labels) = ([0.0, 1.0], [0; 5]);
/// let found = fit(&points, 2, &options, &mut centers, &mut labels, &mut scratch)?;
/// assert_eq!((centers, labels), ([1.0, 11.0], [0, 0, 1, 1, 0]));
/// assert_eq!((found.inertia, found.stop), (4.0, Stop::Labels));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit(
    points: &Points<'_>,
    k: usize,
    options: &FitOptions,
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let needed = layout(rows, cols, k, options)?.size();
    let tolerances = [options.shift_tolerance, options.inertia_tolerance];
    if k > rows || tolerances.iter().any(|t| !(0.0..=f32::MAX).contains(t)) {
        return Err(Error::InvalidArgument);
    }
    check_centers(k, cols, centers)?;
    let labels = labels.get_mut(..rows).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let partial = carver.take::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let limits = carver.take(limits_len(cols)?)?;
    let factors = carver.take(cols)?;
    let own_centers = carver.take(k * cols)?;
    let memory = carver.take(panels_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let block = carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?;
    let own_labels = carver.take::<u32>(rows)?;
    let distances = carver.take(distances_len(rows, options))?;

    limits_clear(limits);
    limits_add(points, limits)?;
    let frame = Frame::new(rows, limits)?;
    frame.factors(factors);
    own_centers.copy_from_slice(centers);
    own_labels.fill(u32::MAX);
    partial.fill(0);
    let lloyd = Lloyd {
        points,
        magnitude: magnitude_bits(limits.get(..2 * cols).unwrap_or_default()),
        k,
        options,
        frame: &frame,
        scale: frame.scale(),
        factors,
        centers: &mut *own_centers,
        labels: &mut *own_labels,
        partial,
        distances,
        memory,
        block,
    };
    let found = floats::run(simd::active(), lloyd)?;
    centers.copy_from_slice(own_centers);
    labels.copy_from_slice(own_labels);
    Ok(found)
}

/// All that one fit works with.
struct Lloyd<'a> {
    points: &'a Points<'a>,
    /// Bits of the largest magnitude of the points.
    magnitude: u32,
    k: usize,
    options: &'a FitOptions,
    frame: &'a Frame<'a>,
    scale: Scale,
    factors: &'a [f32],
    centers: &'a mut [f32],
    /// `u32::MAX` before the first pass.
    labels: &'a mut [u32],
    partial: &'a mut [i64],
    /// Distances to the own centre, for [`Empty::Farthest`].
    distances: &'a mut [f32],
    memory: &'a mut [f32],
    block: &'a mut [f32],
}

impl FloatKernel for Lloyd<'_> {
    type Output = Result<Fit, Error>;
    #[inline(always)]
    fn run<F: Floats>(mut self, f: F) -> Result<Fit, Error> {
        let mut policy = self.options.empty;
        let (mut iterations, mut shift, mut last) = (0, 0.0, f32::INFINITY);
        let (mut split, mut settled) = (false, false);
        let stop = loop {
            let changed = self.assign(f);
            if changed == 0 && iterations > 0 {
                if !split {
                    break Stop::Labels;
                }
                // Splitting brought nothing: back to the means.
                policy = Empty::Keep;
            } else if settled {
                break Stop::Shift;
            }
            if iterations >= self.options.max_iterations {
                break Stop::Iterations;
            }
            if self.options.inertia_tolerance > 0.0 {
                let now = self.inertia(f);
                if last - now <= self.options.inertia_tolerance * last {
                    break Stop::Inertia;
                }
                last = now;
            }
            let empty = self.empty();
            let mended = match policy {
                _ if empty == 0 => false,
                Empty::Error => return Err(Error::EmptyCluster),
                Empty::Farthest => self.relocate(f),
                Empty::SplitLargest => true,
                Empty::Keep => false,
            };
            shift = self.update();
            split = mended && policy == Empty::SplitLargest;
            if split && let Some(sums) = Sums::split(self.k, self.points.cols(), self.partial) {
                empty::split_largest(self.frame, sums.weights, self.centers);
            }
            iterations += 1;
            settled = !mended && shift <= self.options.shift_tolerance;
        };
        let inertia = self.inertia(f);
        Ok(Fit { inertia, iterations, stop, shift, empty: self.empty() })
    }
}

impl Lloyd<'_> {
    /// Labels all points and keeps the sums up to date; returns how many labels changed.
    #[inline(always)]
    fn assign<F: Floats>(&mut self, f: F) -> usize {
        let (points, cols) = (self.points, self.points.cols());
        let panels = Panels::new(f, self.k, cols, self.centers, self.magnitude, self.memory);
        let Some(sums) = Sums::split(self.k, cols, self.partial) else { return 0 };
        let (scale, factors) = (&self.scale, self.factors);
        let mut mover = Mover { f, points, labels: self.labels, scale, factors, sums, changed: 0 };
        pass(f, points.data(), Rows::First(points.rows()), &panels, self.block, &mut mover);
        mover.changed
    }

    /// The inertia of the labels.
    #[inline(always)]
    fn inertia<F: Floats>(&mut self, f: F) -> f32 {
        let (cols, magnitude) = (self.points.cols(), magnitude_bits(self.centers));
        let Some(mut sums) = Sums::split(self.k, cols, self.partial) else { return 0.0 };
        sums.inertia.fill(0);
        for (i, (x, &label)) in self.points.iter().zip(self.labels.iter()).enumerate() {
            let w = self.scale.weight(self.points.weights(), i);
            let ((distance, s), _) = canonical(f, x, magnitude, row(self.centers, cols, label as usize));
            sums.add_inertia(distance, s, w);
        }
        sums::inertia(sums.inertia, &self.scale)
    }

    /// Clusters without weight.
    fn empty(&self) -> usize {
        let weights = self.partial.get(self.k * self.points.cols()..).unwrap_or_default();
        weights.iter().take(self.k).filter(|&&w| w <= 0).count()
    }

    /// Moves all centres to their means; returns the largest distance.
    #[inline(always)]
    fn update(&mut self) -> f32 {
        let cols = self.points.cols();
        let Some(sums) = Sums::split(self.k, cols, self.partial) else { return 0.0 };
        let mut largest = 0.0f32;
        let centers = split_rows_mut(self.centers, cols).zip(split_rows(sums.sums, cols));
        for ((center, sums), &weight) in centers.zip(sums.weights.iter()) {
            let moved = move_center(self.frame, &self.scale, sums, weight, center);
            largest = if moved > largest { moved } else { largest };
        }
        sqrt(largest)
    }

    /// Gives every cluster without weight the point that is farthest from its centre, of equally far ones the first; true
    /// if there was one.
    #[inline(always)]
    fn relocate<F: Floats>(&mut self, f: F) -> bool {
        let (points, cols, magnitude) = (self.points, self.points.cols(), magnitude_bits(self.centers));
        let Some(mut sums) = Sums::split(self.k, cols, self.partial) else { return false };
        for ((x, &label), to) in points.iter().zip(self.labels.iter()).zip(self.distances.iter_mut()) {
            *to = canonical(f, x, magnitude, row(self.centers, cols, label as usize)).1;
        }
        let mut any = false;
        for j in 0..self.k {
            if sums.weights.get(j).is_none_or(|&w| w > 0) {
                continue;
            }
            let mut best: Option<(usize, f32)> = None;
            for (i, (&distance, &label)) in self.distances.iter().zip(self.labels.iter()).enumerate() {
                if distance > best.map_or(0.0, |(_, distance)| distance) {
                    let w = self.scale.weight(points.weights(), i) as i64;
                    // It must not leave its own cluster without weight.
                    if w > 0 && sums.weights.get(label as usize).is_some_and(|&all| all > w) {
                        best = Some((i, distance));
                    }
                }
            }
            let Some((i, _)) = best else { break };
            let (Some(label), Some(distance)) = (self.labels.get_mut(i), self.distances.get_mut(i)) else {
                break;
            };
            let (x, w) = (points.row(i), self.scale.weight(points.weights(), i));
            sums.remove(f, &self.scale, self.factors, x, w, *label as usize);
            sums.add(f, &self.scale, self.factors, x, w, j);
            (*label, *distance) = (j as u32, 0.0);
            any = true;
        }
        any
    }
}

/// Keeps labels and sums.
struct Mover<'a, F> {
    f: F,
    points: &'a Points<'a>,
    labels: &'a mut [u32],
    scale: &'a Scale,
    factors: &'a [f32],
    sums: Sums<'a>,
    changed: usize,
}

impl<F: Floats> Sink for Mover<'_, F> {
    #[inline(always)]
    fn put(&mut self, row: usize, label: u32, _: f32, _: f32) {
        let Some(to) = self.labels.get_mut(row) else { return };
        let before = core::mem::replace(to, label);
        if before == label {
            return;
        }
        self.changed += 1;
        let (x, w) = (self.points.row(row), self.scale.weight(self.points.weights(), row));
        self.sums.add(self.f, self.scale, self.factors, x, w, label as usize);
        if before != u32::MAX {
            self.sums.remove(self.f, self.scale, self.factors, x, w, before as usize);
        }
    }
}
