//! f32-only mathematics of the core. No double precision anywhere: soft-double helpers would cost a
//! microcontroller kilobytes of flash.

mod elementary;
mod exponential;
mod random;

use half::f16;

pub use elementary::{ln_quotient, tanh};
pub use exponential::{exp, ln};
pub use random::Random;

/// Largest finite `f16`.
pub const F16_MAX: f32 = 65504.0;

/// Square root, correctly rounded on every target.
#[must_use]
pub fn sqrt(x: f32) -> f32 {
    libm::sqrtf(x)
}

/// Rounds to the nearest integer, ties to even, for |x| < 2^22; the one rounding rule of activations.
///
/// Adding 1.5 * 2^23 leaves no fraction bits, so the IEEE addition itself does the rounding: two
/// operations that vectorise on every tier and are exact on soft float too.
#[inline(always)]
#[must_use]
pub fn round_ties_even(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0;
    (x + MAGIC) - MAGIC
}

/// An `f16` from its two little-endian bytes.
#[inline(always)]
#[must_use]
pub fn f16_from_le(bytes: [u8; 2]) -> f32 {
    f16_bits_to_f32(u16::from_le_bytes(bytes))
}

/// Exact conversion of `f16` bits to `f32`, without a table and without a branch.
///
/// Written out here, not taken from `half`, so that every tier and target runs the same few integer
/// operations (`half` chooses between F16C and software at run time in std builds).
#[inline(always)]
#[must_use]
pub fn f16_bits_to_f32(h: u16) -> f32 {
    let [value] = f16_to_f32([h]);
    value
}

/// [`f16_bits_to_f32`] of several at once. All three cases are worked out and selected from, so that this stays
/// vector code.
#[inline(always)]
#[must_use]
pub fn f16_to_f32<const N: usize>(h: [u16; N]) -> [f32; N] {
    const REBIAS: u32 = (127 - 15) << 23;
    h.map(
        #[inline(always)]
        |h| {
            let sign = (h as u32 & 0x8000) << 16;
            let magnitude = h as u32 & 0x7FFF;
            // zero and subnormals: magnitude * 2^-24, an exact product
            let small = (magnitude as i32 as f32 * f32::from_bits((127 - 24) << 23)).to_bits();
            let normal = (magnitude << 13) + REBIAS;
            // infinity and NaN: the exponent goes on to all ones
            let special = normal + REBIAS;
            let bits = if magnitude < 0x0400 { small } else { normal };
            let bits = if magnitude < 0x7C00 { bits } else { special };
            f32::from_bits(sign | bits)
        },
    )
}

/// Rounds to the nearest `f16`, ties to even; overflow gives infinity.
#[inline(always)]
#[must_use]
pub fn f32_to_f16(x: f32) -> f16 {
    f16::from_f32_const(x)
}

/// Sum of `f(x)` over a slice, in an order that does not depend on the tier: 16 lanes in chunks of
/// 256, each chunk reduced by a fixed tree, chunks added with Neumaier compensation.
///
/// The relative error against exact arithmetic is below 20 machine epsilons for terms of one sign,
/// whatever the length.
#[inline(always)]
pub(crate) fn sum_by(x: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let mut total = Compensated::default();
    for chunk in x.chunks(256) {
        let mut lanes = [0.0f32; 16];
        let (groups, rest) = chunk.as_chunks::<16>();
        for group in groups {
            for (lane, &v) in lanes.iter_mut().zip(group) {
                *lane += f(v);
            }
        }
        for (lane, &v) in lanes.iter_mut().zip(rest) {
            *lane += f(v);
        }
        total.add(tree_sum(lanes));
    }
    total.value()
}

/// Sum of `(a[i] - b[i])^2` in the library's order: 16 lanes (value `i` goes to lane `i mod 16`), subtract, multiply,
/// then add, reduced by [`tree_sum`]. Of slices of different lengths the shorter one counts.
#[inline(always)]
#[must_use]
pub(crate) fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, &a), &b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += (a - b) * (a - b);
        }
    }
    for ((lane, &a), &b) in lanes.iter_mut().zip(rest_a).zip(rest_b) {
        *lane += (a - b) * (a - b);
    }
    tree_sum(lanes)
}

/// The fixed reduction tree of 16 lanes: halves are added until one lane is left. The SIMD tiers
/// follow the same order.
#[inline(always)]
#[must_use]
pub(crate) fn tree_sum(l: [f32; 16]) -> f32 {
    let [a0, a1, a2, a3, a4, a5, a6, a7, b0, b1, b2, b3, b4, b5, b6, b7] = l;
    let (c0, c1, c2, c3) = (a0 + b0, a1 + b1, a2 + b2, a3 + b3);
    let (c4, c5, c6, c7) = (a4 + b4, a5 + b5, a6 + b6, a7 + b7);
    let (d0, d1, d2, d3) = (c0 + c4, c1 + c5, c2 + c6, c3 + c7);
    (d0 + d2) + (d1 + d3)
}

/// Neumaier's compensated sum.
#[derive(Clone, Copy, Default)]
pub(crate) struct Compensated {
    sum: f32,
    carry: f32,
}

impl Compensated {
    /// Goes on where [`Compensated::parts`] left off.
    #[inline(always)]
    pub(crate) fn resume([sum, carry]: [f32; 2]) -> Compensated {
        Compensated { sum, carry }
    }

    #[inline(always)]
    pub(crate) fn parts(self) -> [f32; 2] {
        [self.sum, self.carry]
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, x: f32) {
        let t = self.sum + x;
        self.carry += if self.sum.abs() >= x.abs() { (self.sum - t) + x } else { (x - t) + self.sum };
        self.sum = t;
    }

    #[inline(always)]
    pub(crate) fn value(self) -> f32 {
        self.sum + self.carry
    }
}

/// The power of two that brings `max` (positive, finite) near one where its own scale would overflow
/// or lose bits in sums and squares; 1 for ordinary magnitudes, so that they are untouched.
#[inline(always)]
#[must_use]
pub(crate) fn guard_scale(max: f32) -> f32 {
    const UP: f32 = f32::from_bits((127 + 96) << 23); // 2^96
    const DOWN: f32 = f32::from_bits((127 - 100) << 23); // 2^-100
    if max < f32::from_bits((127 - 40) << 23) {
        UP
    } else if max > f32::from_bits((127 + 40) << 23) {
        DOWN
    } else {
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_f16_bit_pattern_converts_as_half_does() {
        for bits in 0..=u16::MAX {
            let ours = f16_bits_to_f32(bits);
            let theirs = f16::from_bits(bits).to_f32_const();
            assert!(ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan()), "{bits:#06x}");
        }
    }

    #[test]
    fn rounding_is_ties_even_over_every_eighth() {
        for i in -4096..4096 {
            let x = i as f32 / 8.0;
            assert_eq!(round_ties_even(x), x.round_ties_even(), "{x}");
        }
    }

    #[test]
    fn compensated_sums_keep_small_terms() {
        let mut x = vec![1.0f32];
        x.extend(core::iter::repeat_n(1e-8, 1_000_000));
        assert!((sum_by(&x, |v| v) - 1.01).abs() < 2e-7);
    }
}
