//! SSE4.2: four registers. No fused operation.

use core::arch::x86_64::{__m128, __m128i};

use pulp::cast;
use pulp::x86::V2;

use super::{Floats, Values};

/// An operation on all quarters. A macro, because a closure is not inlined for certain.
macro_rules! all {
    ($a:ident, $b:ident, |$x:ident, $y:ident| $op:expr) => {{
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = ($a, $b);
        [
            {
                let ($x, $y) = (a0, b0);
                $op
            },
            {
                let ($x, $y) = (a1, b1);
                $op
            },
            {
                let ($x, $y) = (a2, b2);
                $op
            },
            {
                let ($x, $y) = (a3, b3);
                $op
            },
        ]
    }};
}

impl Values for V2 {
    type V = [__m128; 4];
    type Mask = [__m128; 4];

    #[inline(always)]
    fn splat(self, x: f32) -> [__m128; 4] {
        [self.sse._mm_set1_ps(x); 4]
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> [__m128; 4] {
        cast(*x)
    }
    #[inline(always)]
    fn put(self, x: Self::V, to: &mut [f32; 16]) {
        *to = self.store(x);
    }
    #[inline(always)]
    fn add(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_add_ps(x, y))
    }
    #[inline(always)]
    fn sub(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_sub_ps(x, y))
    }
    #[inline(always)]
    fn mul(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_mul_ps(x, y))
    }
    #[inline(always)]
    fn div(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_div_ps(x, y))
    }
    #[inline(always)]
    fn max(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_max_ps(x, y))
    }
    #[inline(always)]
    fn min(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_min_ps(x, y))
    }
    #[inline(always)]
    fn sqrt(self, [a, b, c, d]: [__m128; 4]) -> [__m128; 4] {
        let sse = self.sse;
        [sse._mm_sqrt_ps(a), sse._mm_sqrt_ps(b), sse._mm_sqrt_ps(c), sse._mm_sqrt_ps(d)]
    }
    #[inline(always)]
    fn greater(self, a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        all!(a, b, |x, y| self.sse._mm_cmpgt_ps(x, y))
    }
    #[inline(always)]
    fn select(self, m: [__m128; 4], a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        let ([m0, m1, m2, m3], [a0, a1, a2, a3], [b0, b1, b2, b3]) = (m, a, b);
        let sse = self.sse4_1;
        [
            sse._mm_blendv_ps(b0, a0, m0),
            sse._mm_blendv_ps(b1, a1, m1),
            sse._mm_blendv_ps(b2, a2, m2),
            sse._mm_blendv_ps(b3, a3, m3),
        ]
    }
}

impl Floats for V2 {
    const TILE: usize = 3;
    type Ints = [__m128i; 4];

    #[inline(always)]
    fn store(self, x: [__m128; 4]) -> [f32; 16] {
        cast(x)
    }
    #[inline(always)]
    fn mul_add(self, a: [__m128; 4], b: [__m128; 4], c: [__m128; 4]) -> [__m128; 4] {
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn root(self, x: f32) -> f32 {
        let [root, ..]: [f32; 4] = cast(self.sse._mm_sqrt_ps(self.sse._mm_set1_ps(x)));
        root
    }
    #[inline(always)]
    fn bits(self, [a, b, c, d]: [__m128; 4]) -> u32 {
        let sse = self.sse;
        let low = sse._mm_movemask_ps(a) | sse._mm_movemask_ps(b) << 4;
        (low | sse._mm_movemask_ps(c) << 8 | sse._mm_movemask_ps(d) << 12) as u32
    }
    #[inline(always)]
    fn largest(self, [a, b, c, d]: [__m128; 4]) -> f32 {
        let sse = self.sse;
        let four = sse._mm_max_ps(sse._mm_max_ps(a, b), sse._mm_max_ps(c, d));
        let two = sse._mm_max_ps(four, sse._mm_movehl_ps(four, four));
        let [most, ..]: [f32; 4] = cast(sse._mm_max_ps(two, sse._mm_shuffle_ps::<1>(two, two)));
        most
    }
    #[inline(always)]
    fn transpose(self, rows: &[&[f32; 16]; 16], out: &mut [[f32; 16]; 16]) {
        let sse = self.sse;
        for (quarter, rows) in rows.as_chunks::<4>().0.iter().enumerate() {
            let [a, b, c, d] = *rows;
            let (a, b, c, d) = (self.load(a), self.load(b), self.load(c), self.load(d));
            let fours = a.into_iter().zip(b).zip(c.into_iter().zip(d));
            for (((a, b), (c, d)), out) in fours.zip(out.as_chunks_mut::<4>().0) {
                let (p, q) = (sse._mm_unpacklo_ps(a, b), sse._mm_unpackhi_ps(a, b));
                let (s, t) = (sse._mm_unpacklo_ps(c, d), sse._mm_unpackhi_ps(c, d));
                let columns = [
                    sse._mm_movelh_ps(p, s),
                    sse._mm_movehl_ps(s, p),
                    sse._mm_movelh_ps(q, t),
                    sse._mm_movehl_ps(t, q),
                ];
                for (column, out) in columns.into_iter().zip(out) {
                    if let Some(to) = out.as_chunks_mut::<4>().0.get_mut(quarter) {
                        *to = cast(column);
                    }
                }
            }
        }
    }
    #[inline(always)]
    fn prefetch(self, x: &[f32]) {
        super::prefetch(x);
    }
    #[inline(always)]
    fn round(self, [a, b, c, d]: [__m128; 4]) -> [__m128i; 4] {
        let sse2 = self.sse2;
        [sse2._mm_cvtps_epi32(a), sse2._mm_cvtps_epi32(b), sse2._mm_cvtps_epi32(c), sse2._mm_cvtps_epi32(d)]
    }
    #[inline(always)]
    fn add_wide(self, sums: &mut [i64; 16], x: [__m128i; 4]) {
        for (sums, four) in sums.as_chunks_mut::<4>().0.iter_mut().zip(x) {
            let [low, high]: [__m128i; 2] = cast(*sums);
            let (a, b) = wide(self, four);
            *sums = cast([self.sse2._mm_add_epi64(low, a), self.sse2._mm_add_epi64(high, b)]);
        }
    }
}

/// Four i32 as i64.
#[inline(always)]
fn wide(token: V2, x: __m128i) -> (__m128i, __m128i) {
    let upper = token.sse2._mm_shuffle_epi32::<0xEE>(x);
    (token.sse4_1._mm_cvtepi32_epi64(x), token.sse4_1._mm_cvtepi32_epi64(upper))
}
