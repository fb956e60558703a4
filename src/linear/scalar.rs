//! The reference tier: portable Rust, written to be read. Every other tier must give its bits.

use crate::math::tree_sum;
use crate::quant::{five_level, q35p, tq1_0, tq2_0};

use super::ops::Ops;

/// The portable tier.
#[derive(Clone, Copy)]
pub(crate) struct Scalar;

impl Ops for Scalar {
    #[inline(always)]
    fn dot_i8(self, a: &[i8], b: &[i8]) -> i32 {
        a.iter().zip(b).map(|(&a, &b)| a as i32 * b as i32).sum()
    }

    #[inline(always)]
    fn tq1_0(self, q: &[u8; tq1_0::CODE_BYTES], a: &[i8; 256]) -> i32 {
        let mut codes = [0i8; 256];
        tq1_0::unpack_codes(q, &mut codes);
        digits_dot(&codes, 1, a)
    }

    #[inline(always)]
    fn tq2_0(self, q: &[u8; tq2_0::CODE_BYTES], a: &[i8; 256]) -> i32 {
        let mut codes = [0i8; 256];
        tq2_0::unpack_codes(q, &mut codes);
        digits_dot(&codes, 1, a)
    }

    #[inline(always)]
    fn base3(self, q: &[u8; 32], a: &[&[i8; 32]; 5]) -> [i32; 5] {
        let mut codes = [0i8; 160];
        crate::quant::dense_ternary::unpack_group(q, &mut codes);
        let planes: &[[i8; 32]; 5] = bytemuck::must_cast_ref(&codes);
        let mut sums = [0; 5];
        for (sum, (plane, a)) in sums.iter_mut().zip(planes.iter().zip(a)) {
            *sum = digits_dot(plane, 1, *a);
        }
        sums
    }

    #[inline(always)]
    fn five_level(self, q: &[u8; five_level::CODE_BYTES], a: &[&[i8; 64]; 3]) -> [i32; 3] {
        let mut codes = [0i8; five_level::BLOCK_LEN];
        five_level::unpack_codes(q, &mut codes);
        let planes: &[[i8; 64]; 3] = bytemuck::must_cast_ref(&codes);
        let mut sums = [0; 3];
        for (sum, (plane, a)) in sums.iter_mut().zip(planes.iter().zip(a)) {
            *sum = digits_dot(plane, 2, *a);
        }
        sums
    }

    #[inline(always)]
    fn q35b(self, job: super::q35b::Matmul<'_, '_>) {
        super::q35b::matmul(job);
    }

    #[inline(always)]
    fn q35p(self, group: &[u8; q35p::GROUP_BYTES], a: &[i8; 256]) -> i32 {
        super::q35p::sum_scalar(group, a)
    }

    #[inline(always)]
    fn dot_affine(self, codes: &[i8], affine: q35p::Affine, x: &[f32]) -> f32 {
        dot_lanes(codes, x, |c| affine.value(c))
    }

    #[inline(always)]
    fn dot_codes(self, codes: &[i8], x: &[f32]) -> f32 {
        dot_lanes(codes, x, |c| c as f32)
    }

    #[inline(always)]
    fn dot_f32(self, a: &[f32], b: &[f32]) -> f32 {
        dot_lanes(a, b, |a| a)
    }

    #[inline(always)]
    fn axpy(self, alpha: f32, x: &[f32], y: &mut [f32]) {
        for (y, &x) in y.iter_mut().zip(x) {
            *y += alpha * x;
        }
    }
}

#[inline(always)]
fn digits_dot(codes: &[i8], offset: i32, a: &[i8]) -> i32 {
    codes.iter().zip(a).map(|(&c, &a)| (c as i32 + offset) * a as i32).sum()
}

#[inline(always)]
fn dot_lanes<T: Copy>(a: &[T], b: &[f32], to_f32: impl Fn(T) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a, a_rest) = a.as_chunks::<16>();
    let (b, b_rest) = b.as_chunks::<16>();
    for (a, b) in a.iter().zip(b) {
        for (lane, (&a, &b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += to_f32(a) * b;
        }
    }
    for (lane, (&a, &b)) in lanes.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *lane += to_f32(a) * b;
    }
    tree_sum(lanes)
}
