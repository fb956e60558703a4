//! What a tier must be able to do: a handful of block products, each with one fixed result.
//!
//! Integer functions are exact, so all tiers agree to the bit. Float functions fix the order: 16 lanes
//! (value `i` goes to lane `i mod 16`), multiply then add, reduced by [`tree_sum`](crate::math::tree_sum),
//! so they agree to the bit too.

use crate::quant::{ActBlock, five_level, q35p, tq1_0, tq2_0};
use crate::simd::Tier;

use super::Packed;
use super::table::ActTable;

/// The products of one tier. The token behind `self` is the proof that the CPU has the instructions.
///
/// Codes are *unsigned digits* here (trit + 1, level + 2): a caller subtracts the sum of the activations once
/// (twice for five levels). Activations may be any i8, -128 included.
pub(crate) trait Ops: Copy {
    /// Whether the tier has the function of eight rows below. Where they would not be faster than one row after the
    /// other, their code would only take flash.
    const EIGHT_ROWS: bool = false;

    /// Sum of `a[i] * b[i]`. At most 2^16 values: |sum| <= 2^16 * 2^14 = 2^30.
    fn dot_i8(self, a: &[i8], b: &[i8]) -> i32;

    /// `TQ1_0` digits times activations. |sum| <= 256 * 2 * 128 = 2^16.
    fn tq1_0(self, q: &[u8; tq1_0::CODE_BYTES], a: &[i8; 256]) -> i32;

    /// `TQ2_0` codes (0..=3) times activations. |sum| <= 256 * 3 * 128 < 2^17.
    fn tq2_0(self, q: &[u8; tq2_0::CODE_BYTES], a: &[i8; 256]) -> i32;

    /// `y += W a` for the rows that `data` holds, as many as come out even with eight: the bits of
    /// [`rows::dot`](super::rows::dot) where `y` was zero. `tables` are those of `acts`, or none.
    #[inline(always)]
    fn eight_rows(
        self,
        _weights: &Packed<'_>,
        _data: &[u8],
        _acts: &[ActBlock],
        _tables: &[ActTable],
        _y: &mut [f32],
    ) {
    }

    /// Weights times a batch of vectors of `per_vector` blocks each, as many rows as come out
    /// even; returns how many.
    #[inline(always)]
    fn batch(self, _weights: &Packed<'_>, _acts: &[ActBlock], _per_vector: usize, _y: &mut [f32]) -> usize {
        0
    }

    /// `y = W a` of prepared bytes; `y` has as many values as there are rows.
    #[inline(always)]
    fn prepared(self, data: &[u8], acts: &[ActBlock], y: &mut [f32]) {
        super::prepared::scalar(data, acts, y);
    }

    /// [`Ops::batch`] of prepared bytes.
    #[inline(always)]
    fn batch_prepared(
        self,
        _data: &[u8],
        _rows: usize,
        _acts: &[ActBlock],
        _per_vector: usize,
        _y: &mut [f32],
    ) -> usize {
        0
    }

    /// Base-3 digits of 32 bytes, plane by plane, times 32 activations each: one sum per plane.
    fn base3(self, q: &[u8; 32], a: &[&[i8; 32]; 5]) -> [i32; 5];

    /// Five-level digits of a block, plane by plane, times 64 activations each: one sum per plane.
    fn five_level(self, q: &[u8; five_level::CODE_BYTES], a: &[&[i8; 64]; 3]) -> [i32; 3];

    /// All products of a `Q35B` matrix with int8 activations.
    fn q35b(self, job: super::q35b::Matmul<'_, '_>);

    /// `Q35P` codes (0..=105) of a full group times activations. |sum| <= 256 * 105 * 128 < 2^22.
    fn q35p(self, group: &[u8; q35p::GROUP_BYTES], a: &[i8; 256]) -> i32;

    /// Sum of `value(code[i]) * x[i]` in the fixed float order.
    fn dot_affine(self, codes: &[i8], affine: q35p::Affine, x: &[f32]) -> f32;

    /// Sum of `code[i] * x[i]` in the fixed float order.
    fn dot_codes(self, codes: &[i8], x: &[f32]) -> f32;

    /// Sum of `a[i] * b[i]` in the fixed float order.
    fn dot_f32(self, a: &[f32], b: &[f32]) -> f32;

    /// `y[i] += alpha * x[i]`, product rounded before the sum.
    fn axpy(self, alpha: f32, x: &[f32], y: &mut [f32]);
}

/// A computation that is generic over the tier.
pub(crate) trait Kernel {
    type Output;
    fn run<O: Ops>(self, ops: O) -> Self::Output;
}

/// Runs a kernel on a tier. A tier that this machine lacks runs as scalar: the results are the same.
#[inline]
pub(crate) fn run<K: Kernel>(tier: Tier, kernel: K) -> K::Output {
    match tier {
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => {
            if let Some(token) = pulp::x86::V3::try_new() {
                return token.vectorize(crate::simd::Call(
                    #[inline(always)]
                    || kernel.run(super::wide::Wide(token)),
                ));
            }
        }
        #[cfg(target_arch = "x86_64")]
        Tier::Sse42 => {
            if let Some(token) = pulp::x86::V2::try_new() {
                return token.vectorize(crate::simd::Call(
                    #[inline(always)]
                    || kernel.run(super::wide::Wide(token)),
                ));
            }
        }
        #[cfg(target_arch = "aarch64")]
        Tier::Neon => {
            if let Some(token) = pulp::aarch64::Neon::try_new() {
                return token.vectorize(crate::simd::Call(
                    #[inline(always)]
                    || kernel.run(super::wide::Wide(token)),
                ));
            }
        }
        _ => {}
    }
    kernel.run(super::scalar::Scalar)
}
