//! Lloyd's algorithm within sizes.

use crate::math::sqrt;
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::super::empty::Empty;
use super::super::fit::{Fit, FitOptions, Stop, check, copy};
use super::super::frame::{Frame, Scale, limits_add, limits_clear, limits_len};
use super::super::partial::{AddAll, OwnDistances, move_center};
use super::super::points::Points;
use super::super::sums::{self, DIGITS, Sums, sums_len};
use super::{Problem, Room, Sizes, at, put};

fn layout(rows: usize, cols: usize, k: usize) -> Result<Layout, Error> {
    let layout = Layout::EMPTY
        .array::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(limits_len(cols)?)?
        .array::<f32>(cols)?
        .array::<f32>(k.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(rows)?
        .array::<u32>(rows)?;
    super::layout(layout, rows, k)
}

/// Bytes of scratch that [`fit_balanced`] needs: 4 bytes for each row and cluster, some for each row and for each pair of
/// clusters.
///
/// # Errors
/// As [`assign_balanced_workspace_size`](super::assign_balanced_workspace_size).
pub fn fit_balanced_workspace_size(rows: usize, cols: usize, k: usize) -> Result<usize, Error> {
    Ok(layout(rows, cols, k)?.size())
}

/// Lloyd's algorithm with clusters whose sizes stay within bounds: every iteration assigns the points as
/// [`assign_balanced`](super::assign_balanced) does, and moves the centres to their means. Neither raises the inertia (but for the rounding of the means).
///
/// Everything is as for [`fit`](crate::kmeans::fit), with these differences. The labels are those that [`assign_balanced`](super::assign_balanced)
/// gives for the returned centres, not the nearest. `options.bounds` has no part in it. Clusters without weight, which only
/// a least size of 0 or weights of 0 leave, take the farthest point that may leave its cluster ([`Empty::Farthest`]), stay ([`Empty::Keep`]) or are refused
/// ([`Empty::Error`]); [`Empty::SplitLargest`] is not offered.
///
/// # Errors
/// As [`fit`](crate::kmeans::fit); [`Error::Infeasible`] if no assignment keeps the sizes, [`Error::Shape`] if there is not one bound for each
/// cluster, [`Error::Unsupported`] for [`Empty::SplitLargest`], [`Error::SizeOverflow`] for more than
/// [`MAX_BALANCED`](super::MAX_BALANCED) clusters. The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{FitOptions, Points, Sizes, fit_balanced, fit_balanced_workspace_size};
/// let points = Points::new(6, 1, &[0.0, 1.0, 2.0, 3.0, 8.0, 10.0])?;
/// let mut scratch = vec![0; fit_balanced_workspace_size(6, 1, 2)?];
/// let (mut centers, mut labels) = ([0.0, 9.0], [0; 6]);
/// let options = FitOptions::default();
/// let found = fit_balanced(&points, 2, &Sizes::BALANCED, &options, &mut centers, &mut labels, &mut scratch)?;
/// assert_eq!((centers, labels), ([1.0, 7.0], [0, 0, 0, 1, 1, 1]));
/// assert_eq!(found.inertia, 28.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit_balanced(
    points: &Points<'_>,
    k: usize,
    sizes: &Sizes<'_>,
    options: &FitOptions,
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let needed = fit_balanced_workspace_size(rows, cols, k)?;
    let labels = check(points, k, options, centers, labels)?;
    sizes.check(rows, k)?;
    if options.empty == Empty::SplitLargest {
        return Err(Error::Unsupported);
    }
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let partial = carver.take::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let limits = carver.take(limits_len(cols)?)?;
    let factors = carver.take(cols)?;
    let own_centers = carver.take(k * cols)?;
    let distances = carver.take(rows)?;
    let before = carver.take::<u32>(rows)?;
    let room = Room::carve(&mut carver, rows, k)?;
    limits_clear(limits);
    limits_add(points, limits)?;
    let frame = Frame::new(rows, limits)?;
    frame.factors(factors);
    copy(centers, own_centers);
    before.fill(u32::MAX);
    let mut lloyd = Lloyd {
        points,
        k,
        sizes,
        options,
        frame: &frame,
        scale: frame.scale(),
        factors,
        partial,
        centers: &mut *own_centers,
        distances,
        before: &mut *before,
        room,
    };
    let found = lloyd.run()?;
    copy(own_centers, centers);
    copy(before, labels);
    Ok(found)
}

struct Lloyd<'a> {
    points: &'a Points<'a>,
    k: usize,
    sizes: &'a Sizes<'a>,
    options: &'a FitOptions,
    frame: &'a Frame<'a>,
    scale: Scale,
    factors: &'a [f32],
    partial: &'a mut [i64],
    centers: &'a mut [f32],
    distances: &'a mut [f32],
    /// The labels that the sums belong to.
    before: &'a mut [u32],
    room: Room<'a>,
}

impl Lloyd<'_> {
    fn run(&mut self) -> Result<Fit, Error> {
        let (mut iterations, mut shift, mut last) = (0, 0.0, f32::INFINITY);
        let (mut settled, mut exponent) = (false, None);
        loop {
            let Lloyd { points, k, sizes, scale, .. } = *self;
            let problem = Problem { points, k, centers: self.centers, scale: &scale, sizes };
            exponent = Some(self.room.solve(&problem, exponent));
            let changed = self.before.iter().zip(self.room.labels.iter()).any(|(a, b)| a != b);
            copy(self.room.labels, self.before);
            let (inertia, empty) = (self.add_up(), self.empty());
            let stop = if !changed && iterations > 0 {
                Some(Stop::Labels)
            } else if settled {
                Some(Stop::Shift)
            } else if iterations >= self.options.max_iterations {
                Some(Stop::Iterations)
            } else if self.options.inertia_tolerance > 0.0
                && last - inertia <= self.options.inertia_tolerance * last
            {
                Some(Stop::Inertia)
            } else {
                None
            };
            if let Some(stop) = stop {
                return Ok(Fit { inertia, iterations, stop, shift, empty });
            }
            last = inertia;
            if empty > 0 && self.options.empty == Empty::Error {
                return Err(Error::EmptyCluster);
            }
            let relocated = empty > 0 && self.options.empty == Empty::Farthest && self.relocate();
            shift = self.update();
            iterations += 1;
            settled = !relocated && shift <= self.options.shift_tolerance;
        }
    }

    /// Sums of the labels; returns their inertia.
    fn add_up(&mut self) -> f32 {
        self.partial.fill(0);
        let Some(sums) = Sums::split(self.k, self.points.cols(), self.partial) else { return 0.0 };
        let Lloyd { points, scale, factors, .. } = *self;
        let all = AddAll { points, centers: self.centers, labels: self.before, scale, factors, sums };
        floats::run(simd::active(), all);
        let digits = self.partial.last_chunk::<DIGITS>();
        digits.map_or(0.0, |digits| sums::inertia(digits, &self.scale))
    }

    /// What the clusters weigh.
    fn weights(&self) -> &[i64] {
        let len = self.k * self.points.cols();
        self.partial.get(len..len + self.k).unwrap_or_default()
    }

    fn empty(&self) -> usize {
        self.weights().iter().filter(|&&w| w <= 0).count()
    }

    /// Moves all centres to their means; returns the largest distance.
    fn update(&mut self) -> f32 {
        let cols = self.points.cols();
        let (sums, rest) = self.partial.split_at_checked(self.k * cols).unwrap_or_default();
        let mut largest = 0.0f32;
        let each = split_rows_mut(self.centers, cols).zip(split_rows(sums, cols)).zip(rest);
        for ((center, sums), &weight) in each {
            let spherical = self.options.spherical;
            largest = largest.max(move_center(self.frame, &self.scale, spherical, (sums, weight), center));
        }
        sqrt(largest)
    }

    /// Gives every cluster without weight the point that is farthest from its centre, of equally far ones the first, among those that
    /// may leave their clusters; true if there was one.
    fn relocate(&mut self) -> bool {
        let (points, centers, labels) = (self.points, &*self.centers, &*self.before);
        floats::run(simd::active(), OwnDistances { points, centers, labels, distances: self.distances });
        let (rows, cols, k) = (points.rows(), points.cols(), self.k);
        let mut any = false;
        for j in 0..k {
            let Some(counts) = self.partial.get(k * (cols + 1)..).and_then(|rest| rest.get(..k)) else {
                break;
            };
            let weights = self.weights();
            let full = at(counts, j) >= self.sizes.of(j, rows, k).1 as i64;
            if at(weights, j) > 0 || full {
                continue;
            }
            let mut best: Option<(usize, f32)> = None;
            for (i, (&distance, &label)) in self.distances.iter().zip(self.before.iter()).enumerate() {
                if distance > best.map_or(0.0, |(_, distance)| distance) {
                    let (w, label) = (self.scale.weight(points.weights(), i) as i64, label as usize);
                    let least = self.sizes.of(label, rows, k).0 as i64;
                    if w > 0 && at(weights, label) > w && at(counts, label) > least {
                        best = Some((i, distance));
                    }
                }
            }
            let Some((i, _)) = best else { break };
            let from = at(self.before, i);
            put(self.before, i, j as u32);
            put(self.distances, i, 0.0);
            let Some(sums) = Sums::split(k, cols, self.partial) else { break };
            let (scale, factors) = (self.scale, self.factors);
            floats::run(simd::active(), Relabel { points, i, from, to: j as u32, scale, factors, sums });
            any = true;
        }
        any
    }
}

/// Takes a point from one cluster's sums to another's.
struct Relabel<'a> {
    points: &'a Points<'a>,
    i: usize,
    from: u32,
    to: u32,
    scale: Scale,
    factors: &'a [f32],
    sums: Sums<'a>,
}

impl FloatKernel for Relabel<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(mut self, f: F) {
        let (x, w) = (self.points.row(self.i), self.scale.weight(self.points.weights(), self.i));
        for change in [(self.from, -1), (self.to, 1)] {
            self.sums.change(f, &self.scale, self.factors, x, w, change);
        }
    }
}
