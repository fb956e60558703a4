//! The next centre, greedily: the best of several rows drawn in proportion to weight times squared distance to the nearest
//! centre. Rows that a candidate cannot come closer to, by the triangle inequality, are not looked at (as Raff 2021, "Exact
//! acceleration of k-means++ and k-means||"); the result is the same without.

use crate::math::Random;
use crate::simd;
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::split_rows;

use super::super::points::Points;
use super::distance::Distance;
use super::masses::{Masses, Unit, Values};
use super::weighing::Weighing;

/// Points and their distances to the centres there are.
pub(in super::super) struct Greedy<'a, 's> {
    pub(in super::super) points: Points<'a>,
    pub(in super::super) weighing: Weighing<'a>,
    pub(in super::super) distance: Distance,
    /// Of each row the squared distance to its nearest centre, and that centre.
    pub(in super::super) nearest: &'s mut [f32],
    pub(in super::super) owner: &'s mut [u32],
    /// Squared distances from a candidate to the centres: room for one per centre.
    pub(in super::super) across: &'s mut [f32],
}

impl Greedy<'_, '_> {
    /// The best of `trials` rows to be a centre beside `centers`; `None` where every row with a weight lies on a centre.
    pub(in super::super) fn next(
        &mut self,
        trials: usize,
        masses: &mut Masses<'_>,
        random: &mut Random,
        centers: &[f32],
    ) -> Option<usize> {
        let rows = Values { values: self.nearest, weighing: self.weighing };
        masses.measure(rows);
        let mut best: Option<(u64, usize)> = None;
        for _ in 0..trials {
            let row = masses.draw(rows, random)?;
            measure_across(self.points, self.distance, row, centers, self.across);
            let gain = self.gain(row, masses.unit);
            if best.is_none_or(|(most, _)| gain > most) {
                best = Some((gain, row));
            }
        }
        best.map(|(_, row)| row)
    }

    /// What the sum of the distances loses if `row` becomes a centre, in units.
    fn gain(&self, row: usize, unit: Unit) -> u64 {
        let (points, distance, weighing) = (self.points, self.distance, self.weighing);
        let (nearest, owner, across) = (&*self.nearest, &*self.owner, &*self.across);
        floats::run(simd::active(), Gain { points, distance, weighing, nearest, owner, across, row, unit })
    }

    /// Makes `row` the centre after `centers`.
    pub(in super::super) fn take(&mut self, row: usize, centers: &[f32]) {
        measure_across(self.points, self.distance, row, centers, self.across);
        let done = (centers.len() / self.points.cols().max(1)) as u32;
        let (points, distance) = (self.points, self.distance);
        let (nearest, owners, across) = (&mut *self.nearest, &mut *self.owner, &*self.across);
        floats::run(simd::active(), Take { points, distance, nearest, owners, across, row, done });
    }
}

/// [`Greedy::gain`] on a tier.
struct Gain<'a> {
    points: Points<'a>,
    distance: Distance,
    weighing: Weighing<'a>,
    nearest: &'a [f32],
    owner: &'a [u32],
    across: &'a [f32],
    row: usize,
    unit: Unit,
}

impl FloatKernel for Gain<'_> {
    type Output = u64;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> u64 {
        let Gain { points, distance, weighing, nearest, owner, across, row, unit } = self;
        let center = points.row(row);
        let mut gain = 0;
        for (i, ((row, &near), &owner)) in points.iter().zip(nearest).zip(owner).enumerate() {
            if distance.cannot_be_nearer(across.get(owner as usize).copied().unwrap_or(0.0), near) {
                continue;
            }
            let here = distance.squared_on(f, row, center);
            if here < near {
                gain += (unit.of(weighing.weighed(i, near)) - unit.of(weighing.weighed(i, here))) as u64;
            }
        }
        gain
    }
}

/// [`Greedy::take`] on a tier.
struct Take<'a> {
    points: Points<'a>,
    distance: Distance,
    nearest: &'a mut [f32],
    owners: &'a mut [u32],
    across: &'a [f32],
    row: usize,
    done: u32,
}

impl FloatKernel for Take<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Take { points, distance, nearest, owners, across, row, done } = self;
        let center = points.row(row);
        for ((row, near), owner) in points.iter().zip(nearest).zip(owners) {
            if distance.cannot_be_nearer(across.get(*owner as usize).copied().unwrap_or(0.0), *near) {
                continue;
            }
            let here = distance.squared_on(f, row, center);
            if here < *near {
                (*near, *owner) = (here, done);
            }
        }
    }
}

/// Squared distances from `row` to the centres.
fn measure_across(points: Points<'_>, distance: Distance, row: usize, centers: &[f32], across: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            let row = points.row(row);
            for (across, center) in across.iter_mut().zip(split_rows(centers, points.cols())) {
                *across = distance.squared(row, center);
            }
        },
    );
}
