//! Greedy k-means++ (Arthur and Vassilvitskii 2007, section 7): every centre is the best of several rows drawn in
//! proportion to the squared distance to the centres before. Rows that a candidate cannot come closer to, by the
//! triangle inequality, are not looked at (as Raff 2021, "Exact acceleration of k-means++ and k-means||"); the result
//! is the same without.

use crate::math::Random;
use crate::simd;
use crate::simd::floats::{self, FloatKernel, Floats};

use super::super::points::Points;
use super::distance::Distance;
use super::masses::{Masses, Unit, Values};
use super::weighing::Weighing;

/// The state of a run.
pub(super) struct Run<'a, 's> {
    pub(super) points: Points<'a>,
    pub(super) weighing: Weighing<'a>,
    pub(super) distance: Distance,
    /// Of each row the squared distance to its nearest centre, and that centre.
    pub(super) nearest: &'s mut [f32],
    pub(super) owner: &'s mut [u32],
    /// Squared distances from a candidate to the centres.
    pub(super) across: &'s mut [f32],
    pub(super) trials: usize,
}

impl Run<'_, '_> {
    /// Chooses a row for each of `chosen`.
    pub(super) fn choose(mut self, masses: &mut Masses<'_>, random: &mut Random, chosen: &mut [u32]) {
        self.nearest.fill(f32::INFINITY);
        self.owner.fill(0);
        self.across.fill(0.0);
        self.weighing.measure(masses);
        let first = self.weighing.draw(masses, random);
        self.take(first, 0, chosen);
        for done in 1..chosen.len() {
            let rows = Values { values: self.nearest, weighing: self.weighing };
            masses.measure(rows);
            let mut best: Option<(u64, usize)> = None;
            for _ in 0..self.trials {
                // No masses: every row with a weight lies on a centre, and nothing tells them apart.
                let Some(row) = masses.draw(rows, random) else { break };
                measure_across(self.points, self.distance, row, chosen, done, self.across);
                let gain = self.gain(row, masses.unit);
                if best.is_none_or(|(most, _)| gain > most) {
                    best = Some((gain, row));
                }
            }
            let row = best.map(|(_, row)| row).unwrap_or_else(|| {
                self.weighing.measure(masses);
                self.weighing.draw(masses, random)
            });
            self.take(row, done, chosen);
        }
    }

    /// What the sum of the distances loses if `row` becomes a centre, in units.
    fn gain(&self, row: usize, unit: Unit) -> u64 {
        let (points, distance, weighing) = (self.points, self.distance, self.weighing);
        let (nearest, owner, across) = (&*self.nearest, &*self.owner, &*self.across);
        let gain = Gain { points, distance, weighing, nearest, owner, across, row, unit };
        floats::run(simd::active(), gain)
    }

    /// Makes `row` the centre number `done`.
    fn take(&mut self, row: usize, done: usize, chosen: &mut [u32]) {
        if let Some(slot) = chosen.get_mut(done) {
            *slot = row as u32;
        }
        measure_across(self.points, self.distance, row, chosen, done, self.across);
        let (points, distance) = (self.points, self.distance);
        let (nearest, owners, across) = (&mut *self.nearest, &mut *self.owner, &*self.across);
        floats::run(simd::active(), Take { points, distance, nearest, owners, across, row, done });
    }
}

/// [`Run::gain`] on a tier.
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

/// [`Run::take`] on a tier.
struct Take<'a> {
    points: Points<'a>,
    distance: Distance,
    nearest: &'a mut [f32],
    owners: &'a mut [u32],
    across: &'a [f32],
    row: usize,
    done: usize,
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
                (*near, *owner) = (here, done as u32);
            }
        }
    }
}

/// Squared distances from `row` to the first `done` of the chosen rows.
fn measure_across(
    points: Points<'_>,
    distance: Distance,
    row: usize,
    chosen: &[u32],
    done: usize,
    across: &mut [f32],
) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            let center = points.row(row);
            for (across, &other) in across.iter_mut().zip(chosen.iter().take(done)) {
                *across = distance.squared(center, points.row(other as usize));
            }
        },
    );
}
