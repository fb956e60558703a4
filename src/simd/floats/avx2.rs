//! AVX2 and FMA: two registers.

use core::arch::x86_64::{__m128, __m128i, __m256, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::{Floats, Values};

/// An operation on both halves. A macro, because a closure is not inlined for certain.
macro_rules! both {
    ($a:ident, $b:ident, |$x:ident, $y:ident| $op:expr) => {{
        let ([a0, a1], [b0, b1]) = ($a, $b);
        [
            {
                let ($x, $y) = (a0, b0);
                $op
            },
            {
                let ($x, $y) = (a1, b1);
                $op
            },
        ]
    }};
}

impl Values for V3 {
    type V = [__m256; 2];
    type Mask = [__m256; 2];

    #[inline(always)]
    fn splat(self, x: f32) -> [__m256; 2] {
        [self.avx._mm256_set1_ps(x); 2]
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> [__m256; 2] {
        cast(*x)
    }
    #[inline(always)]
    fn put(self, x: Self::V, to: &mut [f32; 16]) {
        *to = self.store(x);
    }
    #[inline(always)]
    fn add(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_add_ps(x, y))
    }
    #[inline(always)]
    fn sub(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_sub_ps(x, y))
    }
    #[inline(always)]
    fn mul(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_mul_ps(x, y))
    }
    #[inline(always)]
    fn div(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_div_ps(x, y))
    }
    #[inline(always)]
    fn max(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_max_ps(x, y))
    }
    #[inline(always)]
    fn min(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        both!(a, b, |x, y| self.avx._mm256_min_ps(x, y))
    }
    #[inline(always)]
    fn sqrt(self, [a0, a1]: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_sqrt_ps(a0), self.avx._mm256_sqrt_ps(a1)]
    }
    #[inline(always)]
    fn greater(self, a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        const GT_OQ: i32 = core::arch::x86_64::_CMP_GT_OQ;
        both!(a, b, |x, y| self.avx._mm256_cmp_ps::<GT_OQ>(x, y))
    }
    #[inline(always)]
    fn select(self, [m0, m1]: [__m256; 2], [a0, a1]: [__m256; 2], [b0, b1]: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_blendv_ps(b0, a0, m0), self.avx._mm256_blendv_ps(b1, a1, m1)]
    }
}

impl Floats for V3 {
    const TILE: usize = 6;
    type Ints = [__m256i; 2];

    #[inline(always)]
    fn store(self, x: [__m256; 2]) -> [f32; 16] {
        cast(x)
    }
    #[inline(always)]
    fn mul_add(self, [a0, a1]: [__m256; 2], [b0, b1]: [__m256; 2], [c0, c1]: [__m256; 2]) -> [__m256; 2] {
        [self.fma._mm256_fmadd_ps(a0, b0, c0), self.fma._mm256_fmadd_ps(a1, b1, c1)]
    }
    #[inline(always)]
    fn root(self, x: f32) -> f32 {
        let [root, ..]: [f32; 8] = cast(self.avx._mm256_sqrt_ps(self.avx._mm256_set1_ps(x)));
        root
    }
    #[inline(always)]
    fn bits(self, [m0, m1]: [__m256; 2]) -> u32 {
        (self.avx._mm256_movemask_ps(m0) | self.avx._mm256_movemask_ps(m1) << 8) as u32
    }
    #[inline(always)]
    fn transpose(self, rows: &[&[f32; 16]; 16], out: &mut [[f32; 16]; 16]) {
        let [r0, r1, r2, r3, r4, r5, r6, r7, s0, s1, s2, s3, s4, s5, s6, s7] = *rows;
        let (top, bottom) = ([r0, r1, r2, r3, r4, r5, r6, r7], [s0, s1, s2, s3, s4, s5, s6, s7]);
        for (half, rows) in [top, bottom].into_iter().enumerate() {
            eight(self, &rows, half, out);
        }
    }
    #[inline(always)]
    fn largest(self, [x0, x1]: [__m256; 2]) -> f32 {
        let [low, high]: [__m128; 2] = cast(self.avx._mm256_max_ps(x0, x1));
        let sse = self.sse;
        let four = sse._mm_max_ps(low, high);
        let two = sse._mm_max_ps(four, sse._mm_movehl_ps(four, four));
        let [most, ..]: [f32; 4] = cast(sse._mm_max_ps(two, sse._mm_shuffle_ps::<1>(two, two)));
        most
    }
    #[inline(always)]
    fn prefetch(self, x: &[f32]) {
        super::prefetch(x);
    }
    #[inline(always)]
    fn round(self, [a0, a1]: [__m256; 2]) -> [__m256i; 2] {
        [self.avx._mm256_cvtps_epi32(a0), self.avx._mm256_cvtps_epi32(a1)]
    }
    #[inline(always)]
    fn add_wide(self, sums: &mut [i64; 16], x: [__m256i; 2]) {
        let quarters: [__m128i; 4] = cast(x);
        for (sums, quarter) in sums.as_chunks_mut::<4>().0.iter_mut().zip(quarters) {
            let wide = self.avx2._mm256_cvtepi32_epi64(quarter);
            *sums = cast(self.avx2._mm256_add_epi64(cast(*sums), wide));
        }
    }
}

/// Eight rows turned over into half of the columns of `out`.
#[inline(always)]
fn eight(token: V3, rows: &[&[f32; 16]; 8], half: usize, out: &mut [[f32; 16]; 16]) {
    let avx = token.avx;
    let [a, b, c, d, e, f, g, h] = *rows;
    for (part, out) in out.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        // Four values of a row, and of the row four below it, in one register.
        macro_rules! load {
            ($low:ident, $high:ident, $at:expr) => {{
                let take = |row: &[f32; 16]| {
                    let (parts, _) = row.as_chunks::<4>();
                    parts.get(2 * part + $at).copied().unwrap_or_default()
                };
                let both: __m256 = cast([take($low), take($high)]);
                both
            }};
        }
        macro_rules! four {
            ($at:expr) => {{
                let (r0, r1, r2, r3) =
                    (load!(a, e, $at), load!(b, f, $at), load!(c, g, $at), load!(d, h, $at));
                let (p, q) = (avx._mm256_unpacklo_ps(r0, r1), avx._mm256_unpackhi_ps(r0, r1));
                let (s, t) = (avx._mm256_unpacklo_ps(r2, r3), avx._mm256_unpackhi_ps(r2, r3));
                [
                    avx._mm256_shuffle_ps::<0x44>(p, s),
                    avx._mm256_shuffle_ps::<0xEE>(p, s),
                    avx._mm256_shuffle_ps::<0x44>(q, t),
                    avx._mm256_shuffle_ps::<0xEE>(q, t),
                ]
            }};
        }
        let (low, high) = (four!(0), four!(1));
        for (column, out) in low.into_iter().chain(high).zip(out) {
            if let Some(to) = out.as_chunks_mut::<8>().0.get_mut(half) {
                *to = cast(column);
            }
        }
    }
}
