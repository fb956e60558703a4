//! Assumption-free K-MC^2 (Bachem, Lucic, Hassani, Krause: "Fast and provably good seedings for k-means", 2016): the
//! draws of k-means++ approximated by a Markov chain, whose length and not the number of rows sets the cost of a centre.

use crate::math::Random;
use crate::simd;

use super::super::points::Points;
use super::distance::Distance;
use super::masses::{Masses, Values};
use super::weighing::Weighing;

/// The state of a run.
pub(super) struct Run<'a, 's> {
    pub(super) points: Points<'a>,
    pub(super) weighing: Weighing<'a>,
    pub(super) distance: Distance,
    /// Of each row the squared distance to the first centre.
    pub(super) first: &'s mut [f32],
    /// Sums for the masses of weights.
    pub(super) weight_sums: &'s mut [u64],
    pub(super) chain: usize,
}

impl Run<'_, '_> {
    /// Chooses a row for each of `chosen`; `masses` become those of the distances to the first one.
    pub(super) fn choose(self, masses: &mut Masses<'_>, random: &mut Random, chosen: &mut [u32]) {
        let (points, distance, weighing) = (self.points, self.distance, self.weighing);
        let mut by_weight = Masses::new(self.weight_sums);
        weighing.measure(&mut by_weight);
        let first = weighing.draw(&by_weight, random);
        if let Some(slot) = chosen.first_mut() {
            *slot = first as u32;
        }
        let far = &mut *self.first;
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                let center = points.row(first);
                far.iter_mut().zip(points.iter()).for_each(|(far, row)| *far = distance.squared(row, center));
            },
        );
        let rows = Values { values: far, weighing };
        masses.measure(rows);
        // Half from the distances to the first centre, half from the weights alone.
        let propose = |random: &mut Random| {
            let by_distance = random.next_u32() & 1 == 1;
            let row = if by_distance { masses.draw(rows, random) } else { None };
            row.unwrap_or_else(|| weighing.draw(&by_weight, random))
        };
        let odds_of = |row: usize| {
            let far = rows.values.get(row).copied().unwrap_or(0.0);
            masses.share(weighing.weighed(row, far)) + weighing.probability(row, &by_weight)
        };
        for done in 1..chosen.len() {
            let Some((before, [slot, ..])) = chosen.split_at_mut_checked(done) else { return };
            let nearest = |row: usize| weighing.weighed(row, nearest(points, distance, row, before));
            let mut at = propose(random);
            let (mut near, mut odds) = (nearest(at), odds_of(at));
            for _ in 1..self.chain {
                let next = propose(random);
                let (next_near, next_odds) = (nearest(next), odds_of(next));
                // near / odds in proportion: accepted with probability min(1, next's / this one's)
                if random.unit() * (near * next_odds) < next_near * odds {
                    (at, near, odds) = (next, next_near, next_odds);
                }
            }
            *slot = at as u32;
        }
    }
}

/// The least squared distance to one of the centres.
fn nearest(points: Points<'_>, distance: Distance, row: usize, chosen: &[u32]) -> f32 {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            let row = points.row(row);
            chosen.iter().fold(f32::INFINITY, |least, &center| {
                let here = distance.squared(row, points.row(center as usize));
                if here < least { here } else { least }
            })
        },
    )
}
