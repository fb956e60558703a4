//! Fixed-point sums of the points of each cluster, and the inertia: what threads and ranks add up.

use crate::simd::floats::{Floats, round};

use super::frame::Scale;
use super::points::row_mut;

/// 32-bit digits of the inertia, one to an i64, so that 2^31 numbers can be added before a carry is due.
pub(super) const DIGITS: usize = 13;
/// The weight of the lowest bit: the least float is 2^-149.
const LOWEST: i32 = -149;

/// The parts of a partial: sums (`k` x `cols`), weights (`k`), counts (`k`), inertia ([`DIGITS`]).
pub(super) struct Sums<'a> {
    pub(super) sums: &'a mut [i64],
    pub(super) weights: &'a mut [i64],
    pub(super) counts: &'a mut [i64],
    pub(super) inertia: &'a mut [i64],
}

/// i64 of a partial.
pub(super) fn sums_len(k: usize, cols: usize) -> Option<usize> {
    cols.checked_add(2)?.checked_mul(k)?.checked_add(DIGITS)
}

impl<'a> Sums<'a> {
    /// The parts of [`sums_len`] values.
    pub(super) fn split(k: usize, cols: usize, partial: &'a mut [i64]) -> Option<Sums<'a>> {
        let (sums, rest) = partial.split_at_mut_checked(k.checked_mul(cols)?)?;
        let (weights, rest) = rest.split_at_mut_checked(k)?;
        let (counts, inertia) = rest.split_at_mut_checked(k)?;
        (inertia.len() == DIGITS).then_some(Sums { sums, weights, counts, inertia })
    }

    /// Adds a point of weight `w` to a cluster, if `sign` is 1, or takes it out again, if it is -1.
    #[inline(always)]
    pub(super) fn change<F: Floats>(
        &mut self,
        f: F,
        scale: &Scale,
        factors: &[f32],
        x: &[f32],
        w: i32,
        (label, sign): (u32, i32),
    ) {
        let j = label as usize;
        let sums = row_mut(self.sums, x.len(), j);
        if w == 1 {
            change(f, scale.guard, factors, x, sign, sums);
        } else {
            change_weighted(scale.guard, factors, x, sign as i64 * w as i64, sums);
        }
        count(self.weights, j, sign as i64 * w as i64);
        count(self.counts, j, sign as i64);
    }

    /// Adds `w` times a squared distance, which is `distance / s^2` (`s` from the canonical distance), exactly but for
    /// what is below 2^-149.
    #[inline(always)]
    pub(super) fn add_inertia(&mut self, distance: f32, s: f32, w: i32) {
        let bits = distance.to_bits();
        let exponent = (bits >> 23) as i32;
        let mantissa = if exponent == 0 { bits } else { bits & 0x7F_FFFF | 0x80_0000 };
        let s = (s.to_bits() >> 23) as i32 - 127;
        // Below 2^48, of this weight.
        let value = mantissa as u64 * w as u64;
        let place = exponent.max(1) - 127 - 23 - 2 * s - LOWEST;
        let (value, place) = if place < 0 {
            (value.checked_shr(place.unsigned_abs()).unwrap_or(0), 0)
        } else {
            (value, place as u32)
        };
        let (low, high) = ((value & 0xFFFF_FFFF) << (place % 32), (value >> 32) << (place % 32));
        let (first, second) = ((low >> 32) + (high & 0xFFFF_FFFF), high >> 32);
        let digits = self.inertia.get_mut((place / 32) as usize..).unwrap_or_default();
        for (digit, part) in digits.iter_mut().zip([low & 0xFFFF_FFFF, first, second]) {
            *digit = digit.wrapping_add(part as i64);
        }
    }
}

#[inline(always)]
fn count(counts: &mut [i64], j: usize, by: i64) {
    if let Some(count) = counts.get_mut(j) {
        *count = count.wrapping_add(by);
    }
}

/// `sums += sign x`, in units.
#[inline(always)]
fn change<F: Floats>(f: F, guard: f32, factors: &[f32], x: &[f32], sign: i32, sums: &mut [i64]) {
    // Rounding is symmetric, so the sign can be put on the value.
    let guard = guard * sign as f32;
    let vector = f.splat(guard);
    let ((x, x_rest), (factors, factors_rest)) = (x.as_chunks::<16>(), factors.as_chunks::<16>());
    let (sums, sums_rest) = sums.as_chunks_mut::<16>();
    for ((sums, x), factors) in sums.iter_mut().zip(x).zip(factors) {
        f.add_wide(sums, f.round(f.mul(f.mul(f.load(x), vector), f.load(factors))));
    }
    for ((sum, &x), &factor) in sums_rest.iter_mut().zip(x_rest).zip(factors_rest) {
        *sum = sum.wrapping_add(round(x * guard * factor) as i64);
    }
}

/// `sums += w x`, in units. Weights are rare: this is the same code on every tier.
#[inline(never)]
fn change_weighted(guard: f32, factors: &[f32], x: &[f32], w: i64, sums: &mut [i64]) {
    for ((sum, &x), &factor) in sums.iter_mut().zip(x).zip(factors) {
        *sum = sum.wrapping_add(w.wrapping_mul(round(x * guard * factor) as i64));
    }
}

/// The inertia that digits stand for; the largest float if it is beyond.
pub(super) fn inertia(digits: &[i64], scale: &Scale) -> f32 {
    // Carry: from the lowest digit up.
    let mut carry = 0i64;
    let mut whole = [0u32; DIGITS + 1];
    for (to, &digit) in whole.iter_mut().zip(digits.iter().chain(&[0])) {
        let sum = digit.wrapping_add(carry);
        (*to, carry) = (sum as u32, sum >> 32);
    }
    // The uppermost three digits that are not all zero are more than a float holds.
    let top = whole.iter().rposition(|&digit| digit != 0).unwrap_or(0);
    let digit = |i: usize| whole.get(i).copied().unwrap_or(0) as u64;
    let (value, place) = if top == 0 {
        (digit(0), 0)
    } else {
        let below = if top >= 2 { digit(top - 2) } else { 0 };
        // What is cut off only matters as "more than half".
        (digit(top) << 32 | digit(top - 1) | u64::from(below != 0), 32 * (top as i32 - 1))
    };
    let (guard, factor) = scale.weight_unit();
    (scaled(value as f32, place + LOWEST) / factor / guard).min(f32::MAX)
}

/// `x 2^e`, in steps that stay floats; the largest float if it is beyond.
fn scaled(x: f32, mut e: i32) -> f32 {
    let mut x = x;
    while e != 0 && x != 0.0 {
        let step = e.clamp(-100, 100);
        x *= f32::from_bits(((step + 127) as u32) << 23);
        e -= step;
    }
    x.min(f32::MAX)
}
