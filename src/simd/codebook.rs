//! The vector operations of codebook formats: table look-ups, sums per 16-bit lane, packed scales.
//!
//! All of them keep neighbouring bytes together: 16-bit lane `g` of a vector is about bytes `2g` and `2g + 1`.

use super::lanes::Lanes;

/// What a tier has beside [`Lanes`] for codebook formats.
pub(crate) trait CodebookLanes: Lanes {
    /// 16 lanes of 16 bits.
    type Pairs: Copy;

    fn or(self, a: Self::Bytes, b: Self::Bytes) -> Self::Bytes;
    /// Half of every byte; all bytes must be even.
    fn half(self, a: Self::Bytes) -> Self::Bytes;
    /// `table[index & 15]`; the table stands in both halves; bit 7 of every index must be clear, bits 4-6 may be anything.
    fn look_up(self, table: Self::Bytes, index: Self::Bytes) -> Self::Bytes;
    /// `value` in both bytes of the lanes whose bit is set, 0 in the others.
    fn spread(self, bits: u16, value: u8) -> Self::Bytes;

    fn load_shorts(self, values: &[i16; 16]) -> Self::Pairs;
    /// Adds to lane `g` the products of bytes `2g` and `2g + 1`: digits 0..=62 unsigned, activations signed. Wraps; a
    /// sum of two products is at most 2 * 62 * 128 = 15,872 in magnitude.
    fn add_pairs(self, sum: Self::Pairs, digits: Self::Bytes, acts: Self::Bytes) -> Self::Pairs;
    /// Sixteen signed 6-bit numbers that stand in bits 16.. of the little-endian integer. `windows` are
    /// [`WINDOWS`], which the caller loads once.
    fn six_bits(self, fields: &[u8; 16], windows: Self::Bytes) -> Self::Pairs;
    /// The products `a * b`, every two or so of them added.
    fn products(self, a: Self::Pairs, b: Self::Pairs) -> Self::Ints;
    fn add_ints(self, a: Self::Ints, b: Self::Ints) -> Self::Ints;
    /// Exact conversion of the bits of four `f16`.
    #[inline(always)]
    fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
        crate::math::f16_to_f32(halves)
    }
    /// [`Lanes::total`] of four at once.
    fn total_four(self, sums: [Self::Ints; 4]) -> [i32; 4];
}

/// In which of its 16 bytes number `g` of [`CodebookLanes::six_bits`] starts, and the next one.
pub(crate) const WINDOWS: [u8; 32] = {
    let mut windows = [0u8; 32];
    let mut g = 0;
    while g < 16 {
        windows[2 * g] = (2 + 6 * g / 8) as u8;
        windows[2 * g + 1] = (3 + 6 * g / 8) as u8;
        g += 1;
    }
    windows
};

/// Factors that bring the six bits of number `g` to the top of their 16-bit window.
const TO_TOP: [i16; 16] = {
    let mut factors = [0i16; 16];
    let mut g = 0;
    while g < 16 {
        factors[g] = 1 << (10 - 6 * g % 8);
        g += 1;
    }
    factors
};

/// Bit `g` in lane `g`.
const BITS: [u16; 16] = {
    let mut bits = [0u16; 16];
    let mut g = 0;
    while g < 16 {
        bits[g] = 1 << g;
        g += 1;
    }
    bits
};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{__m128i, __m256i};

    use pulp::cast;
    use pulp::x86::{V2, V3};

    use super::super::lanes::{map_four, map_two};
    use super::{BITS, CodebookLanes, Lanes, TO_TOP};

    impl CodebookLanes for V3 {
        type Pairs = __m256i;

        #[inline(always)]
        fn or(self, a: __m256i, b: __m256i) -> __m256i {
            self.avx2._mm256_or_si256(a, b)
        }
        #[inline(always)]
        fn half(self, a: __m256i) -> __m256i {
            self.avx2._mm256_srli_epi16::<1>(a)
        }
        #[inline(always)]
        fn look_up(self, table: __m256i, index: __m256i) -> __m256i {
            self.avx2._mm256_shuffle_epi8(table, index)
        }
        #[inline(always)]
        fn spread(self, bits: u16, value: u8) -> __m256i {
            let each: __m256i = cast(BITS);
            let set = self.avx2._mm256_and_si256(self.avx._mm256_set1_epi16(bits as i16), each);
            self.avx2._mm256_and_si256(self.avx2._mm256_cmpeq_epi16(set, each), self.splat(value))
        }
        #[inline(always)]
        fn load_shorts(self, values: &[i16; 16]) -> __m256i {
            cast(*values)
        }
        #[inline(always)]
        fn add_pairs(self, sum: __m256i, digits: __m256i, acts: __m256i) -> __m256i {
            self.avx2._mm256_add_epi16(sum, self.avx2._mm256_maddubs_epi16(digits, acts))
        }
        #[inline(always)]
        fn six_bits(self, fields: &[u8; 16], windows: __m256i) -> __m256i {
            let windows = self.avx2._mm256_shuffle_epi8(cast([*fields; 2]), windows);
            self.avx2._mm256_srai_epi16::<10>(self.avx2._mm256_mullo_epi16(windows, cast(TO_TOP)))
        }
        #[inline(always)]
        fn products(self, a: __m256i, b: __m256i) -> __m256i {
            self.avx2._mm256_madd_epi16(a, b)
        }
        #[inline(always)]
        fn add_ints(self, a: __m256i, b: __m256i) -> __m256i {
            self.avx2._mm256_add_epi32(a, b)
        }
        #[inline(always)]
        fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
            crate::simd::halves_to_floats(*self, halves)
        }
        #[inline(always)]
        fn total_four(self, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
            let (ab, cd) = (self.avx2._mm256_hadd_epi32(a, b), self.avx2._mm256_hadd_epi32(c, d));
            let [low, high]: [__m128i; 2] = cast(self.avx2._mm256_hadd_epi32(ab, cd));
            cast(self.sse2._mm_add_epi32(low, high))
        }
    }

    /// Applies an operation to both halves.
    #[inline(always)]
    fn both(a: [__m128i; 2], b: [__m128i; 2], op: impl Fn(__m128i, __m128i) -> __m128i) -> [__m128i; 2] {
        let ([a0, a1], [b0, b1]) = (a, b);
        [op(a0, b0), op(a1, b1)]
    }

    impl CodebookLanes for V2 {
        type Pairs = [__m128i; 2];

        #[inline(always)]
        fn or(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
            both(a, b, |a, b| self.sse2._mm_or_si128(a, b))
        }
        #[inline(always)]
        fn half(self, [low, high]: [__m128i; 2]) -> [__m128i; 2] {
            [self.sse2._mm_srli_epi16::<1>(low), self.sse2._mm_srli_epi16::<1>(high)]
        }
        #[inline(always)]
        fn look_up(self, [table, _]: [__m128i; 2], [low, high]: [__m128i; 2]) -> [__m128i; 2] {
            [self.ssse3._mm_shuffle_epi8(table, low), self.ssse3._mm_shuffle_epi8(table, high)]
        }
        #[inline(always)]
        fn spread(self, bits: u16, value: u8) -> [__m128i; 2] {
            let each: [__m128i; 2] = cast(BITS);
            let all = [self.sse2._mm_set1_epi16(bits as i16); 2];
            let set = both(all, each, |a, b| self.sse2._mm_and_si128(a, b));
            let masks = both(set, each, |a, b| self.sse2._mm_cmpeq_epi16(a, b));
            both(masks, self.splat(value), |a, b| self.sse2._mm_and_si128(a, b))
        }
        #[inline(always)]
        fn load_shorts(self, values: &[i16; 16]) -> [__m128i; 2] {
            cast(*values)
        }
        #[inline(always)]
        fn add_pairs(self, sum: [__m128i; 2], digits: [__m128i; 2], acts: [__m128i; 2]) -> [__m128i; 2] {
            let products = both(digits, acts, |d, a| self.ssse3._mm_maddubs_epi16(d, a));
            both(sum, products, |s, p| self.sse2._mm_add_epi16(s, p))
        }
        #[inline(always)]
        fn six_bits(self, fields: &[u8; 16], windows: [__m128i; 2]) -> [__m128i; 2] {
            let fields = cast(*fields);
            let windows = map_two(
                windows,
                #[inline(always)]
                |w| self.ssse3._mm_shuffle_epi8(fields, w),
            );
            let top = both(windows, cast(TO_TOP), |w, f| self.sse2._mm_mullo_epi16(w, f));
            map_two(
                top,
                #[inline(always)]
                |t| self.sse2._mm_srai_epi16::<10>(t),
            )
        }
        #[inline(always)]
        fn products(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
            both(a, b, |a, b| self.sse2._mm_madd_epi16(a, b))
        }
        #[inline(always)]
        fn add_ints(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
            both(a, b, |a, b| self.sse2._mm_add_epi32(a, b))
        }
        #[inline(always)]
        fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
            crate::simd::halves_to_floats(self, halves)
        }
        #[inline(always)]
        fn total_four(self, sums: [[__m128i; 2]; 4]) -> [i32; 4] {
            let [a, b, c, d] = map_four(
                sums,
                #[inline(always)]
                |[low, high]| self.sse2._mm_add_epi32(low, high),
            );
            let (ab, cd) = (self.ssse3._mm_hadd_epi32(a, b), self.ssse3._mm_hadd_epi32(c, d));
            cast(self.ssse3._mm_hadd_epi32(ab, cd))
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use core::arch::aarch64::{int8x16_t, int16x8_t, int32x4_t, uint8x16_t, uint16x8_t};

    use pulp::aarch64::Neon;
    use pulp::cast;

    use super::super::lanes::{map_four, map_two};
    use super::{BITS, CodebookLanes, Lanes, TO_TOP};

    /// Applies an operation to both halves.
    #[inline(always)]
    fn both<A: Copy, B: Copy, C>(a: [A; 2], b: [B; 2], op: impl Fn(A, B) -> C) -> [C; 2] {
        let ([a0, a1], [b0, b1]) = (a, b);
        [op(a0, b0), op(a1, b1)]
    }

    impl CodebookLanes for Neon {
        type Pairs = [int16x8_t; 2];

        #[inline(always)]
        fn or(self, a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
            both(a, b, |a, b| self.neon.vorrq_u8(a, b))
        }
        #[inline(always)]
        fn half(self, [low, high]: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
            [self.neon.vshrq_n_u8::<1>(low), self.neon.vshrq_n_u8::<1>(high)]
        }
        #[inline(always)]
        fn look_up(self, [table, _]: [uint8x16_t; 2], index: [uint8x16_t; 2]) -> [uint8x16_t; 2] {
            // An index above 15 would give 0.
            let index = self.and(index, self.splat(15));
            map_two(
                index,
                #[inline(always)]
                |i| self.neon.vqtbl1q_u8(table, i),
            )
        }
        #[inline(always)]
        fn spread(self, bits: u16, value: u8) -> [uint8x16_t; 2] {
            let each: [uint16x8_t; 2] = cast(BITS);
            let all = self.neon.vdupq_n_u16(bits);
            let masks: [uint8x16_t; 2] = map_two(
                each,
                #[inline(always)]
                |e| cast(self.neon.vtstq_u16(all, e)),
            );
            self.and(masks, self.splat(value))
        }
        #[inline(always)]
        fn load_shorts(self, values: &[i16; 16]) -> [int16x8_t; 2] {
            cast(*values)
        }
        #[inline(always)]
        fn add_pairs(
            self,
            sum: [int16x8_t; 2],
            digits: [uint8x16_t; 2],
            acts: [uint8x16_t; 2],
        ) -> [int16x8_t; 2] {
            let products = both(digits, acts, |digits, acts| {
                // digits are at most 62, so they are the same as signed bytes
                let (d, a): (int8x16_t, int8x16_t) = (cast(digits), cast(acts));
                let low = self.neon.vmull_s8(self.neon.vget_low_s8(d), self.neon.vget_low_s8(a));
                self.neon.vpaddq_s16(low, self.neon.vmull_high_s8(d, a))
            });
            both(sum, products, |s, p| self.neon.vaddq_s16(s, p))
        }
        #[inline(always)]
        fn six_bits(self, fields: &[u8; 16], windows: [uint8x16_t; 2]) -> [int16x8_t; 2] {
            let fields: uint8x16_t = cast(*fields);
            let windows: [int16x8_t; 2] = map_two(
                windows,
                #[inline(always)]
                |w| cast(self.neon.vqtbl1q_u8(fields, w)),
            );
            let factors: [int16x8_t; 2] = cast(TO_TOP);
            let top = both(windows, factors, |w, f| self.neon.vmulq_s16(w, f));
            map_two(
                top,
                #[inline(always)]
                |t| self.neon.vshrq_n_s16::<10>(t),
            )
        }
        #[inline(always)]
        fn products(self, a: [int16x8_t; 2], b: [int16x8_t; 2]) -> [int32x4_t; 2] {
            both(a, b, |a, b| {
                let low = self.neon.vmull_s16(self.neon.vget_low_s16(a), self.neon.vget_low_s16(b));
                self.neon.vmlal_high_s16(low, a, b)
            })
        }
        #[inline(always)]
        fn add_ints(self, a: [int32x4_t; 2], b: [int32x4_t; 2]) -> [int32x4_t; 2] {
            both(a, b, |a, b| self.neon.vaddq_s32(a, b))
        }
        #[inline(always)]
        fn total_four(self, sums: [[int32x4_t; 2]; 4]) -> [i32; 4] {
            let [a, b, c, d] = map_four(
                sums,
                #[inline(always)]
                |[low, high]| self.neon.vaddq_s32(low, high),
            );
            let (ab, cd) = (self.neon.vpaddq_s32(a, b), self.neon.vpaddq_s32(c, d));
            cast(self.neon.vpaddq_s32(ab, cd))
        }
    }
}
