//! NEON: four registers, fused multiply-add.

use core::arch::aarch64::{float32x4_t, int32x4_t, int64x2_t, uint32x4_t};

use pulp::aarch64::Neon;
use pulp::cast;

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

impl Values for Neon {
    type V = [float32x4_t; 4];
    type Mask = [uint32x4_t; 4];

    #[inline(always)]
    fn splat(self, x: f32) -> [float32x4_t; 4] {
        [self.neon.vdupq_n_f32(x); 4]
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> [float32x4_t; 4] {
        cast(*x)
    }
    #[inline(always)]
    fn put(self, x: Self::V, to: &mut [f32; 16]) {
        *to = self.store(x);
    }
    #[inline(always)]
    fn add(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vaddq_f32(x, y))
    }
    #[inline(always)]
    fn sub(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vsubq_f32(x, y))
    }
    #[inline(always)]
    fn mul(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vmulq_f32(x, y))
    }
    #[inline(always)]
    fn div(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vdivq_f32(x, y))
    }
    #[inline(always)]
    fn max(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vmaxq_f32(x, y))
    }
    #[inline(always)]
    fn min(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vminq_f32(x, y))
    }
    #[inline(always)]
    fn sqrt(self, [a, b, c, d]: [float32x4_t; 4]) -> [float32x4_t; 4] {
        let neon = self.neon;
        [neon.vsqrtq_f32(a), neon.vsqrtq_f32(b), neon.vsqrtq_f32(c), neon.vsqrtq_f32(d)]
    }
    #[inline(always)]
    fn greater(self, a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [uint32x4_t; 4] {
        all!(a, b, |x, y| self.neon.vcgtq_f32(x, y))
    }
    #[inline(always)]
    fn select(self, m: [uint32x4_t; 4], a: [float32x4_t; 4], b: [float32x4_t; 4]) -> [float32x4_t; 4] {
        let ([m0, m1, m2, m3], [a0, a1, a2, a3], [b0, b1, b2, b3]) = (m, a, b);
        let neon = self.neon;
        [
            neon.vbslq_f32(m0, a0, b0),
            neon.vbslq_f32(m1, a1, b1),
            neon.vbslq_f32(m2, a2, b2),
            neon.vbslq_f32(m3, a3, b3),
        ]
    }
}

impl Floats for Neon {
    const TILE: usize = 6;
    type Ints = [int32x4_t; 4];

    #[inline(always)]
    fn store(self, x: [float32x4_t; 4]) -> [f32; 16] {
        cast(x)
    }
    #[inline(always)]
    fn mul_add(self, a: [float32x4_t; 4], b: [float32x4_t; 4], c: [float32x4_t; 4]) -> [float32x4_t; 4] {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3], [c0, c1, c2, c3]) = (a, b, c);
        let neon = self.neon;
        [
            neon.vfmaq_f32(c0, a0, b0),
            neon.vfmaq_f32(c1, a1, b1),
            neon.vfmaq_f32(c2, a2, b2),
            neon.vfmaq_f32(c3, a3, b3),
        ]
    }
    #[inline(always)]
    fn root(self, x: f32) -> f32 {
        let [root, ..]: [f32; 4] = cast(self.neon.vsqrtq_f32(self.neon.vdupq_n_f32(x)));
        root
    }
    #[inline(always)]
    fn bits(self, mask: [uint32x4_t; 4]) -> u32 {
        let weights: uint32x4_t = cast([1u32, 2, 4, 8]);
        let mut bits = 0;
        for (i, quarter) in mask.into_iter().enumerate() {
            bits |= self.neon.vaddvq_u32(self.neon.vandq_u32(quarter, weights)) << (4 * i);
        }
        bits
    }
    #[inline(always)]
    fn largest(self, [a, b, c, d]: [float32x4_t; 4]) -> f32 {
        let neon = self.neon;
        neon.vmaxvq_f32(neon.vmaxq_f32(neon.vmaxq_f32(a, b), neon.vmaxq_f32(c, d)))
    }
    #[inline(always)]
    fn transpose(self, rows: &[&[f32; 16]; 16], out: &mut [[f32; 16]; 16]) {
        let neon = self.neon;
        for (quarter, rows) in rows.as_chunks::<4>().0.iter().enumerate() {
            let [a, b, c, d] = *rows;
            let (a, b, c, d) = (self.load(a), self.load(b), self.load(c), self.load(d));
            let fours = a.into_iter().zip(b).zip(c.into_iter().zip(d));
            for (((a, b), (c, d)), out) in fours.zip(out.as_chunks_mut::<4>().0) {
                let (p, q) = (neon.vzip1q_f32(a, c), neon.vzip2q_f32(a, c));
                let (s, t) = (neon.vzip1q_f32(b, d), neon.vzip2q_f32(b, d));
                let columns = [
                    neon.vzip1q_f32(p, s),
                    neon.vzip2q_f32(p, s),
                    neon.vzip1q_f32(q, t),
                    neon.vzip2q_f32(q, t),
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
    fn round(self, [a, b, c, d]: [float32x4_t; 4]) -> [int32x4_t; 4] {
        let neon = self.neon;
        [neon.vcvtnq_s32_f32(a), neon.vcvtnq_s32_f32(b), neon.vcvtnq_s32_f32(c), neon.vcvtnq_s32_f32(d)]
    }
    #[inline(always)]
    fn add_wide(self, sums: &mut [i64; 16], x: [int32x4_t; 4]) {
        for (sums, four) in sums.as_chunks_mut::<4>().0.iter_mut().zip(x) {
            let [low, high]: [int64x2_t; 2] = cast(*sums);
            let low = self.neon.vaddw_s32(low, self.neon.vget_low_s32(four));
            *sums = cast([low, self.neon.vaddw_high_s32(high, four)]);
        }
    }
}
