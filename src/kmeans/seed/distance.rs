//! Squared distances of rows whose magnitudes are known, and what the triangle inequality says about them.

use crate::math::{guard_scale, squared_distance, tree_sum};
use crate::simd::floats::Floats;

#[derive(Clone, Copy)]
pub(in super::super) struct Distance {
    /// A power of two that keeps squares inside the range of floats; 1 for ordinary magnitudes.
    guard: f32,
    /// How many times the distance between two centres must exceed the distance to one of them, both squared.
    ratio: f32,
}

/// Below this, underflow may have cost a squared distance more than rounding.
const SMALLEST: f32 = f32::from_bits((127 - 90) << 23);

impl Distance {
    /// For rows of `d` values up to `max` in magnitude.
    pub(in super::super) fn new(max: f32, d: usize) -> Distance {
        // A computed square s is within s (1 +- e) of the true one, e = (d / 16 + 8) 2^-24. From across >= ratio near,
        // both computed, the true distance to the other centre is at least
        // sqrt(near) (2 sqrt((1 + 8 e) / (1 + e)) - 1 / sqrt(1 - e)) > sqrt(near) (1 + 5 e) for e < 2^-6, so that what
        // would be computed for it, less than a factor 1 - e in the square away, is above `near` too.
        let e = (d / 16 + 8) as f32 * f32::from_bits((127 - 24) << 23);
        let ratio = if e < 0.015 { 4.0 * (1.0 + 8.0 * e) } else { f32::INFINITY };
        Distance { guard: guard_scale(max), ratio }
    }

    /// [`Distance::squared`] on a tier: the same bits.
    #[inline(always)]
    pub(in super::super) fn squared_on<F: Floats>(self, f: F, a: &[f32], b: &[f32]) -> f32 {
        if self.guard == 1.0 { crate::kmeans::score::distance(f, a, b) } else { self.guarded(a, b) }
    }

    #[inline(always)]
    pub(in super::super) fn squared(self, a: &[f32], b: &[f32]) -> f32 {
        if self.guard == 1.0 { squared_distance(a, b) } else { self.guarded(a, b) }
    }

    /// [`squared_distance`] of scaled values, in its order.
    fn guarded(self, a: &[f32], b: &[f32]) -> f32 {
        let mut lanes = [0.0f32; 16];
        for (a, b) in a.chunks(16).zip(b.chunks(16)) {
            for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
                let difference = a * self.guard - b * self.guard;
                *lane += difference * difference;
            }
        }
        tree_sum(lanes)
    }

    /// Whether a row at squared distance `near` from its centre cannot be nearer to another one at squared distance
    /// `across` from that centre, nor be computed to be.
    #[inline(always)]
    pub(in super::super) fn cannot_be_nearer(self, across: f32, near: f32) -> bool {
        near == 0.0 || (near > SMALLEST && across >= near * self.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Random;

    /// Points on a line through the centre: where the inequality is tight.
    #[test]
    fn what_is_skipped_is_not_nearer() {
        let mut random = Random::new(5, 0);
        let mut skipped = 0;
        for case in 0..20_000 {
            let d = 1 + case % 40;
            let distance = Distance::new(1.0, d);
            let center: Vec<f32> = (0..d).map(|_| random.unit() - 0.5).collect();
            let step: Vec<f32> = (0..d).map(|_| random.unit() - 0.5).collect();
            let at = |t: f32| -> Vec<f32> { center.iter().zip(&step).map(|(c, s)| c + t * s).collect() };
            let (row, other) = (at(0.5), at(1.0 + random.unit() * 1e-5));
            let (near, across) = (distance.squared(&row, &center), distance.squared(&other, &center));
            if distance.cannot_be_nearer(across, near) {
                skipped += 1;
                assert!(distance.squared(&row, &other) >= near);
            }
        }
        assert!(skipped > 500, "{skipped}");
    }

    #[test]
    fn magnitudes_at_both_ends_have_distances() {
        for scale in [1e-44f32, 1e-38, 1e-20, 1.0, 1e20, 3e38] {
            let distance = Distance::new(scale, 2);
            let s = distance.squared(&[scale, 0.0], &[0.0, scale]);
            assert!(s > 0.0 && s.is_finite(), "{scale}: {s}");
        }
    }
}
