//! NEON of ARMv8.0 (no dotprod): two 128-bit registers are a vector of bytes.

use core::arch::aarch64::{float32x4_t, int8x16_t, int16x8_t, int32x4_t, uint8x16_t};

use pulp::aarch64::Neon;
use pulp::cast;

use super::lanes::Lanes;

/// Applies an operation to both halves.
#[inline(always)]
fn both<A: Copy, B: Copy, C>(a: [A; 2], b: [B; 2], op: impl Fn(A, B) -> C) -> [C; 2] {
    let ([a0, a1], [b0, b1]) = (a, b);
    [op(a0, b0), op(a1, b1)]
}

impl Lanes for Neon {
    type Bytes = [uint8x16_t; 2];
    type Shorts = [int16x8_t; 2];
    type Ints = [int32x4_t; 2];
    type Floats = [float32x4_t; 4];

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
    fn at_least(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
        both(a, b, |a, b| self.neon.vcgeq_u8(a, b))
    }

    #[inline(always)]
    fn no_shorts(self) -> [int16x8_t; 2] {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_digits(
        self,
        sum: [int16x8_t; 2],
        digits: [uint8x16_t; 2],
        acts: [uint8x16_t; 2],
    ) -> [int16x8_t; 2] {
        let products = both(digits, acts, |digits, acts| {
            // digits are at most 127, so they are the same as signed bytes
            let (d, a): (int8x16_t, int8x16_t) = (cast(digits), cast(acts));
            let low = self.neon.vmull_s8(self.neon.vget_low_s8(d), self.neon.vget_low_s8(a));
            self.neon.vmlal_high_s8(low, d, a)
        });
        both(sum, products, |s, p| self.neon.vaddq_s16(s, p))
    }
    #[inline(always)]
    fn four_times_plus(self, a: [int16x8_t; 2], b: [int16x8_t; 2]) -> [int16x8_t; 2] {
        both(a, b, |a, b| self.neon.vaddq_s16(self.neon.vshlq_n_s16::<2>(a), b))
    }
    #[inline(always)]
    fn widen(self, sum: [int16x8_t; 2]) -> i32 {
        let [low, high] = sum;
        self.neon.vaddlvq_s16(low) + self.neon.vaddlvq_s16(high)
    }

    #[inline(always)]
    fn no_ints(self) -> [int32x4_t; 2] {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_products(self, sum: [int32x4_t; 2], a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [int32x4_t; 2] {
        // Two products of -128 * -128 would overflow an i16, so each half is widened by itself.
        let products = both(a, b, |a, b| {
            let (a, b): (int8x16_t, int8x16_t) = (cast(a), cast(b));
            let low = self.neon.vmull_s8(self.neon.vget_low_s8(a), self.neon.vget_low_s8(b));
            let high = self.neon.vmull_high_s8(a, b);
            self.neon.vpadalq_s16(self.neon.vpaddlq_s16(low), high)
        });
        both(sum, products, |s, p| self.neon.vaddq_s32(s, p))
    }
    #[inline(always)]
    fn total(self, sum: [int32x4_t; 2]) -> i32 {
        let [low, high] = sum;
        self.neon.vaddvq_s32(self.neon.vaddq_s32(low, high))
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
