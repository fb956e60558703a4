//! The canonical distance: what decides labels, on every tier.
//!
//! The squared distance of a point `x` and a centre `c` is worked out in f32, multiply then add, in the fixed order of
//! this library: `t = x[i] s - c[i] s` is rounded once, `t * t` is rounded, and added to lane `i mod 16`; the lanes are added by
//! [`tree_sum`]. The label of a point is the centre with the least such number, of equal ones the one that comes first.
//!
//! `s` is 1, but for values of extreme magnitude, whose squares would overflow or vanish: with the largest magnitude of the
//! point and of all centres above 2^40 it is 2^-100, below 2^-40 it is 2^96 ([`guard_scale`]). Both are powers of two.
//!
//! With n features the number is within a factor `1 +- (n/16 + 7) 2^-24` of the exact one ([`relative_error`]): two
//! roundings of `t` count once each, one of the square, n/16 of a lane and 4 of the tree. Below 2^-126 a square may lose
//! more, 2^-149 at most.

use crate::math::{guard_scale, tree_sum};
use crate::simd::floats::Floats;
use crate::workspace::split_rows;

use super::points::magnitude_bits;

/// 2^-24
pub(super) const UNIT: f32 = f32::from_bits((127 - 24) << 23);

/// The squared distance of two points of the same length, for `s` = 1.
#[inline(always)]
pub(super) fn distance<F: Floats>(f: F, x: &[f32], c: &[f32]) -> f32 {
    let ((xs, x_rest), (cs, c_rest)) = (x.as_chunks::<16>(), c.as_chunks::<16>());
    let mut sum = f.splat(0.0);
    for (x, c) in xs.iter().zip(cs) {
        let t = f.sub(f.load(x), f.load(c));
        sum = f.add(sum, f.mul(t, t));
    }
    let mut lanes = f.store(sum);
    for ((lane, x), c) in lanes.iter_mut().zip(x_rest).zip(c_rest) {
        let t = x - c;
        *lane += t * t;
    }
    tree_sum(lanes)
}

/// [`distance`] for any `s`.
pub(super) fn scaled_distance(s: f32, x: &[f32], c: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    for (x, c) in x.chunks(16).zip(c.chunks(16)) {
        for ((lane, x), c) in lanes.iter_mut().zip(x).zip(c) {
            let t = x * s - c * s;
            *lane += t * t;
        }
    }
    tree_sum(lanes)
}

/// `s` of a point beside centres whose largest magnitude has these bits.
#[inline(always)]
pub(super) fn guard(x: &[f32], centers: u32) -> f32 {
    let bits = magnitude_bits(x).max(centers);
    // All zero: nothing to bring up.
    if bits == 0 { 1.0 } else { guard_scale(f32::from_bits(bits)) }
}

/// The largest relative error of [`distance`] for points of `cols` values.
pub(super) fn relative_error(cols: usize) -> f32 {
    (cols.div_ceil(16) as f32 + 8.0) * UNIT
}

/// The nearest of several centres, and how far it and the next one are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nearest {
    pub(super) label: u32,
    pub(super) distance: f32,
    pub(super) second_label: u32,
    pub(super) second: f32,
}

impl Nearest {
    pub(super) const NONE: Nearest =
        Nearest { label: 0, distance: f32::INFINITY, second_label: 0, second: f32::INFINITY };

    /// Looks at the next centre; they come in rising order.
    #[inline(always)]
    pub(super) fn see(&mut self, label: u32, distance: f32) {
        if distance < self.distance {
            (self.second, self.second_label) = (self.distance, self.label);
            (self.distance, self.label) = (distance, label);
        } else if distance < self.second {
            (self.second, self.second_label) = (distance, label);
        }
    }
}

/// The definition, written out: all distances, one after the other.
#[inline(always)]
pub(super) fn nearest<F: Floats>(f: F, s: f32, x: &[f32], centers: &[f32]) -> Nearest {
    let mut nearest = Nearest::NONE;
    for (label, c) in split_rows(centers, x.len()).enumerate() {
        let distance = if s == 1.0 { distance(f, x, c) } else { scaled_distance(s, x, c) };
        nearest.see(label as u32, distance);
    }
    nearest
}
