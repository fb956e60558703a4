//! What it costs to put a row into a cluster, as an integer.
//!
//! The cost is weight times squared distance: the canonical distance ([`score`](crate::kmeans::score)) with one `s` for all
//! rows, times the integer weight of the frame, rounded to f32. As an integer it is a multiple of a unit that all costs
//! of a call share, cut off: the largest of them is just below 2^B, so that those within 2^(B - 24) of the largest are
//! exact. With k clusters B is 57 less the bits of k + 1 (50 for k = 100): no path through the clusters and no price
//! ([`paths`](super::paths)) leaves an i64.

use crate::math::guard_scale;
use crate::simd::floats::{FloatKernel, Floats};
use crate::workspace::{split_rows, split_rows_mut};

use super::super::frame::Scale;
use super::super::points::Points;
use super::super::score::{distance, scaled_distance};

/// Costs of all rows in all clusters.
#[derive(Clone, Copy)]
pub(super) struct Costs<'a> {
    pub(super) k: usize,
    values: &'a [f32],
    /// Exponent bits of the largest.
    top: u32,
    /// Bits of the largest.
    bits: u32,
}

impl<'a> Costs<'a> {
    /// Of `values`, `k` a row, the largest of which has these bits.
    pub(super) fn new(k: usize, values: &'a [f32], largest: u32) -> Costs<'a> {
        Costs { k, values, top: (largest >> 23).max(1), bits: 57 - (usize::BITS - (k + 1).leading_zeros()) }
    }

    /// The costs of a row, to be read by [`Costs::integer`].
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [f32] {
        let start = i.wrapping_mul(self.k);
        self.values.get(start..start.wrapping_add(self.k)).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn integer(&self, value: f32) -> i64 {
        let bits = value.to_bits();
        let exponent = bits >> 23;
        let mantissa = if exponent == 0 { bits } else { bits & 0x7F_FFFF | 0x80_0000 };
        let down = self.top.wrapping_sub(exponent.max(1));
        ((mantissa as u64) << (self.bits.wrapping_sub(24) & 63) >> down.min(63)) as i64
    }

    #[inline(always)]
    pub(super) fn at(&self, i: usize, j: usize) -> i64 {
        self.integer(self.row(i).get(j).copied().unwrap_or_default())
    }

    /// Where the unit stands: the exponent of the largest.
    pub(super) fn exponent(&self) -> u32 {
        self.top
    }
}

/// Works out the costs of all rows; returns the bits of the largest.
pub(super) struct Fill<'a> {
    pub(super) points: &'a Points<'a>,
    pub(super) k: usize,
    pub(super) centers: &'a [f32],
    /// Bits of the largest magnitude of points and centres.
    pub(super) magnitude: u32,
    pub(super) scale: &'a Scale,
    pub(super) values: &'a mut [f32],
}

impl FloatKernel for Fill<'_> {
    type Output = u32;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> u32 {
        let s = if self.magnitude == 0 { 1.0 } else { guard_scale(f32::from_bits(self.magnitude)) };
        let weights = self.points.weights();
        let mut largest = 0;
        for (i, (x, values)) in self.points.iter().zip(split_rows_mut(self.values, self.k)).enumerate() {
            let w = self.scale.weight(weights, i) as f32;
            for (c, to) in split_rows(self.centers, x.len()).zip(values) {
                let d = if s == 1.0 { distance(f, x, c) } else { scaled_distance(s, x, c) };
                let cost = (d * w).min(f32::MAX);
                largest = largest.max(cost.to_bits());
                *to = cost;
            }
        }
        largest
    }
}
