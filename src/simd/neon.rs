//! NEON: two 128-bit registers are a vector of bytes.
//!
//! Products of bytes have a file for each sub-tier: ARMv8.0's widening multiplications, or `sdot` where the build may
//! assume it (`target_feature = "dotprod"`).

#[cfg(not(target_feature = "dotprod"))]
mod baseline;
#[cfg(target_feature = "dotprod")]
mod dotprod;

use core::arch::aarch64::{
    float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t, uint16x8_t, uint32x4_t, uint64x2_t,
};

use pulp::aarch64::Neon;
use pulp::cast;

use super::lanes::{Lanes, map_eight};
#[cfg(not(target_feature = "dotprod"))]
use baseline as products;
#[cfg(target_feature = "dotprod")]
use dotprod as products;

/// Applies an operation to both halves.
#[inline(always)]
pub(super) fn both<A: Copy, B: Copy, C>(a: [A; 2], b: [B; 2], op: impl Fn(A, B) -> C) -> [C; 2] {
    let ([a0, a1], [b0, b1]) = (a, b);
    [op(a0, b0), op(a1, b1)]
}

impl Lanes for Neon {
    const TILES: usize = products::TILES;
    const DOT: bool = products::DOT;
    const FOLDS: bool = false;
    const BIAS: u8 = 0;
    type Bytes = [uint8x16_t; 2];
    type Shorts = products::Shorts;
    type Ints = [int32x4_t; 2];
    type Floats = [float32x4_t; 4];
    type Quads = products::Quads;
    type Packs = [uint16x8_t; 2];
    type Rows = [float32x4_t; 2];
    type Step = [u8; 32];
    type Four = [i8; 4];
    type Codes = [u8; 32];
    type Acts = [i8; 4];
    type CodeSums = products::CodeSums;

    #[inline(always)]
    fn load(self, bytes: &[u8; 32]) -> [uint8x16_t; 2] {
        cast(*bytes)
    }
    #[inline(always)]
    fn splat(self, byte: u8) -> [uint8x16_t; 2] {
        [self.neon.vdupq_n_u8(byte); 2]
    }
    #[inline(always)]
    fn add(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vaddq_u8(a, b))
    }
    #[inline(always)]
    fn sub(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vsubq_u8(a, b))
    }
    #[inline(always)]
    fn and(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vandq_u8(a, b))
    }
    #[inline(always)]
    fn upper_halves(self, [low, high]: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        [self.neon.vshrq_n_u8::<4>(low), self.neon.vshrq_n_u8::<4>(high)]
    }
    #[inline(always)]
    fn quarters(self, [low, high]: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        [self.neon.vshrq_n_u8::<2>(low), self.neon.vshrq_n_u8::<2>(high)]
    }
    #[inline(always)]
    fn at_least(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vcgeq_u8(a, b))
    }
    #[inline(always)]
    fn above(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vcgtq_s8(cast(a), cast(b)))
    }

    #[inline(always)]
    fn no_shorts(self) -> products::Shorts {
        products::no_shorts()
    }
    #[inline(always)]
    fn add_digits(
        self,
        sum: products::Shorts,
        digits: [uint8x16_t; 2],
        acts: [uint8x16_t; 2],
    ) -> products::Shorts {
        products::add_digits(self, sum, digits, acts)
    }
    #[inline(always)]
    fn four_times_plus(self, a: products::Shorts, b: products::Shorts) -> products::Shorts {
        products::four_times_plus(self, a, b)
    }
    #[inline(always)]
    fn plus_quarter(self, a: products::Shorts, b: products::Shorts) -> products::Shorts {
        products::plus_quarter(self, a, b)
    }
    #[inline(always)]
    fn widen_eight(self, sums: [products::Shorts; 8]) -> [int32x4_t; 2] {
        products::widen_eight(self, sums)
    }
    #[inline(always)]
    fn four_bytes(self, bytes: &[u8; 4]) -> [uint8x16_t; 2] {
        [cast(self.neon.vdupq_n_u32(u32::from_ne_bytes(*bytes))); 2]
    }
    #[inline(always)]
    fn no_quads(self) -> products::Quads {
        products::no_quads()
    }
    #[inline(always)]
    fn add_group_digits(
        self,
        sum: products::Quads,
        digits: [uint8x16_t; 2],
        acts: [uint8x16_t; 2],
    ) -> products::Quads {
        // digits are at most 12, so they are the same as signed bytes
        products::add_group_products(self, sum, acts, digits)
    }
    #[inline(always)]
    fn quads_plus_quarter(self, a: products::Quads, b: products::Quads) -> products::Quads {
        products::quads_plus_quarter(self, a, b)
    }
    #[inline(always)]
    fn add_quads_times(self, sum: [int32x4_t; 2], quads: products::Quads, by: i8) -> [int32x4_t; 2] {
        products::add_quads_times(self, sum, quads, by)
    }
    #[inline(always)]
    fn add_group_products(
        self,
        sum: products::Quads,
        acts: [uint8x16_t; 2],
        trits: [uint8x16_t; 2],
    ) -> products::Quads {
        products::add_group_products(self, sum, acts, trits)
    }
    #[inline(always)]
    fn sub_quads(self, sum: [int32x4_t; 2], quads: products::Quads) -> [int32x4_t; 2] {
        products::sub_quads(self, sum, quads)
    }
    #[inline(always)]
    fn add_quads(self, sum: [int32x4_t; 2], quads: products::Quads) -> [int32x4_t; 2] {
        products::add_quads(self, sum, quads)
    }
    #[inline(always)]
    fn transpose(self, rows: [[uint8x16_t; 2]; 8]) -> [[uint8x16_t; 2]; 8] {
        let i = self.neon;
        let four = |rows: [uint8x16_t; 4]| -> [uint8x16_t; 4] {
            let [a, b, c, d]: [uint32x4_t; 4] = cast(rows);
            let wide = |v: uint32x4_t| -> uint64x2_t { cast(v) };
            let (ab, cd) = (wide(i.vtrn1q_u32(a, b)), wide(i.vtrn1q_u32(c, d)));
            let (ab2, cd2) = (wide(i.vtrn2q_u32(a, b)), wide(i.vtrn2q_u32(c, d)));
            cast([i.vtrn1q_u64(ab, cd), i.vtrn1q_u64(ab2, cd2), i.vtrn2q_u64(ab, cd), i.vtrn2q_u64(ab2, cd2)])
        };
        let [[a0, a1], [b0, b1], [c0, c1], [d0, d1], [e0, e1], [f0, f1], [g0, g1], [h0, h1]] = rows;
        let ([a, b, c, d], [a2, b2, c2, d2]) = (four([a0, b0, c0, d0]), four([e0, f0, g0, h0]));
        let ([e, f, g, h], [e2, f2, g2, h2]) = (four([a1, b1, c1, d1]), four([e1, f1, g1, h1]));
        [[a, a2], [b, b2], [c, c2], [d, d2], [e, e2], [f, f2], [g, g2], [h, h2]]
    }
    #[inline(always)]
    fn store(self, bytes: [uint8x16_t; 2]) -> [u8; 32] {
        cast(bytes)
    }

    #[inline(always)]
    fn top_bits(self, [low, high]: [uint8x16_t; 2]) -> u32 {
        let bits: uint8x16_t = cast([1u8, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128]);
        let set = |v: uint8x16_t| self.neon.vandq_u8(cast(self.neon.vshrq_n_s8::<7>(cast(v))), bits);
        let pairs = self.neon.vpaddq_u8(set(low), set(high));
        let fours = self.neon.vpaddq_u8(pairs, pairs);
        let [mask, ..]: [u32; 4] = cast(self.neon.vpaddq_u8(fours, fours));
        mask
    }
    #[inline(always)]
    fn even_packs(self, bytes: [uint8x16_t; 2]) -> [uint16x8_t; 2] {
        let [low, high]: [uint16x8_t; 2] = cast(bytes);
        let lower = self.neon.vdupq_n_u16(0x00FF);
        [self.neon.vandq_u16(low, lower), self.neon.vandq_u16(high, lower)]
    }
    #[inline(always)]
    fn odd_packs(self, bytes: [uint8x16_t; 2]) -> [uint16x8_t; 2] {
        let [low, high]: [uint16x8_t; 2] = cast(bytes);
        [self.neon.vshrq_n_u16::<8>(low), self.neon.vshrq_n_u16::<8>(high)]
    }
    #[inline(always)]
    fn packs(self, bytes: &[u8; 16]) -> [uint16x8_t; 2] {
        let bytes: uint8x16_t = cast(*bytes);
        [self.neon.vmovl_u8(self.neon.vget_low_u8(bytes)), self.neon.vmovl_high_u8(bytes)]
    }
    #[inline(always)]
    fn add_digit_sums(
        self,
        sum: [int32x4_t; 2],
        packs: [uint16x8_t; 2],
        powers: &[u16; 16],
        coefficients: &[i16; 16],
    ) -> [int32x4_t; 2] {
        // 255 * 243 fits 16 bits.
        let parts = both(packs, cast(*powers), |q, p| self.neon.vshrq_n_u16::<8>(self.neon.vmulq_u16(q, p)));
        let ([n0, n1], [b0, b1]): ([int16x8_t; 2], [int16x8_t; 2]) = (cast(parts), cast(*coefficients));
        let [low, high] = sum;
        let add = |sum, n, b| {
            let sum = self.neon.vmlal_s16(sum, self.neon.vget_low_s16(n), self.neon.vget_low_s16(b));
            self.neon.vmlal_high_s16(sum, n, b)
        };
        [add(low, n0, b0), add(high, n1, b1)]
    }

    #[inline(always)]
    fn widen(self, sum: products::Shorts) -> i32 {
        products::widen(self, sum)
    }

    #[inline(always)]
    fn step(self, bytes: [uint8x16_t; 2]) -> [u8; 32] {
        cast(bytes)
    }
    #[inline(always)]
    fn four(self, codes: [i8; 4]) -> [i8; 4] {
        codes
    }
    #[inline(always)]
    fn no_code_sums(self) -> products::CodeSums {
        products::no_code_sums()
    }
    #[inline(always)]
    fn add_codes(self, sum: products::CodeSums, acts: &[i8; 4], codes: &[u8; 32]) -> products::CodeSums {
        products::add_codes(self, sum, cast(self.neon.vdupq_n_u32(cast(*acts))), cast(*codes))
    }
    #[inline(always)]
    fn code_sums(self, sum: products::CodeSums) -> [int32x4_t; 2] {
        products::code_sums(self, sum)
    }
    #[inline(always)]
    fn add_shorts_times(self, sum: [int32x4_t; 2], shorts: products::Shorts, by: i8) -> [int32x4_t; 2] {
        products::add_shorts_times(self, sum, shorts, by)
    }
    #[inline(always)]
    fn code_products(self, codes: [uint8x16_t; 2], acts: [uint8x16_t; 2]) -> [int32x4_t; 2] {
        products::code_products(self, codes, acts)
    }
    #[inline(always)]
    fn ints_to_bytes(self, ints: [int32x4_t; 2]) -> [uint8x16_t; 2] {
        cast(ints)
    }
    #[inline(always)]
    fn bytes_to_ints(self, bytes: [uint8x16_t; 2]) -> [int32x4_t; 2] {
        cast(bytes)
    }
    #[inline(always)]
    fn no_ints(self) -> [int32x4_t; 2] {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_products(self, sum: [int32x4_t; 2], a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [int32x4_t; 2] {
        products::add_products(self, sum, a, b)
    }
    #[inline(always)]
    fn total_eight(self, sums: [[int32x4_t; 2]; 8]) -> [int32x4_t; 2] {
        let [a, b, c, d, e, f, g, h] = map_eight(
            sums,
            #[inline(always)]
            |[low, high]| self.neon.vaddq_s32(low, high),
        );
        let add = |a, b| self.neon.vpaddq_s32(a, b);
        [add(add(a, b), add(c, d)), add(add(e, f), add(g, h))]
    }
    #[inline(always)]
    fn trit_sums(self, a: [int32x4_t; 2], b: [int32x4_t; 2]) -> [int32x4_t; 2] {
        both(a, b, |a, b| {
            let three = self.neon.vaddq_s32(a, self.neon.vaddq_s32(a, a));
            self.neon.vshrq_n_s32::<8>(self.neon.vsubq_s32(three, b))
        })
    }
    #[inline(always)]
    fn total(self, sum: [int32x4_t; 2]) -> i32 {
        let [low, high] = sum;
        self.neon.vaddvq_s32(self.neon.vaddq_s32(low, high))
    }

    #[inline(always)]
    fn load_rows(self, values: &[f32; 8]) -> [float32x4_t; 2] {
        cast(*values)
    }
    #[inline(always)]
    fn store_rows(self, rows: [float32x4_t; 2]) -> [f32; 8] {
        cast(rows)
    }
    #[inline(always)]
    fn halves_to_rows(self, halves: &[u16; 8]) -> [float32x4_t; 2] {
        cast(crate::math::f16_to_f32(*halves))
    }
    #[inline(always)]
    fn add_scaled(
        self,
        totals: [float32x4_t; 2],
        by: f32,
        scales: [float32x4_t; 2],
        sums: [int32x4_t; 2],
        offset: i32,
    ) -> [float32x4_t; 2] {
        let i = self.neon;
        let (by, offset) = (i.vdupq_n_f32(by), i.vdupq_n_s32(offset));
        let step = |total, scale, sum| {
            let inner = i.vmulq_f32(scale, i.vcvtq_f32_s32(i.vaddq_s32(sum, offset)));
            i.vaddq_f32(total, i.vmulq_f32(by, inner))
        };
        let ([t0, t1], [c0, c1], [s0, s1]) = (totals, scales, sums);
        [step(t0, c0, s0), step(t1, c1, s1)]
    }

    #[inline(always)]
    fn add_times(self, totals: [float32x4_t; 2], by: f32, rows: [float32x4_t; 2]) -> [float32x4_t; 2] {
        let by = self.neon.vdupq_n_f32(by);
        both(totals, rows, |t, r| self.neon.vaddq_f32(t, self.neon.vmulq_f32(by, r)))
    }
    #[inline(always)]
    fn no_floats(self) -> [float32x4_t; 4] {
        cast([0f32; 16])
    }
    #[inline(always)]
    fn load_floats(self, values: &[f32; 16]) -> [float32x4_t; 4] {
        cast(*values)
    }
    #[inline(always)]
    fn codes_to_floats(self, codes: &[i8; 16]) -> [float32x4_t; 4] {
        let codes: int8x16_t = cast(*codes);
        let low = self.neon.vmovl_s8(self.neon.vget_low_s8(codes));
        let high = self.neon.vmovl_high_s8(codes);
        let first = |v| self.neon.vcvtq_f32_s32(self.neon.vmovl_s16(self.neon.vget_low_s16(v)));
        let second = |v| self.neon.vcvtq_f32_s32(self.neon.vmovl_high_s16(v));
        [first(low), second(low), first(high), second(high)]
    }
    #[inline(always)]
    fn add_product(
        self,
        sum: [float32x4_t; 4],
        a: [float32x4_t; 4],
        b: [float32x4_t; 4],
    ) -> [float32x4_t; 4] {
        let ([s0, s1, s2, s3], [a0, a1, a2, a3], [b0, b1, b2, b3]) = (sum, a, b);
        let step = |s, a, b| self.neon.vaddq_f32(s, self.neon.vmulq_f32(a, b));
        [step(s0, a0, b0), step(s1, a1, b1), step(s2, a2, b2), step(s3, a3, b3)]
    }
    #[inline(always)]
    fn store_floats(self, a: [float32x4_t; 4]) -> [f32; 16] {
        cast(a)
    }
}
