//! Sums of products of pairs of 16-bit numbers in eight 32-bit lanes, and the greatest of them: what clustering of int8
//! points is made of. An addition to [`Lanes`], with the same widths on every tier.

use super::lanes::Lanes;

/// See the module.
pub(crate) trait Pairs: Lanes {
    /// Whether eight sums, what two of them are multiplied with and one vector more fit the registers.
    const EIGHT_SUMS: bool;

    fn load_ints(self, values: &[i32; 8]) -> Self::Ints;
    fn store_ints(self, values: Self::Ints) -> [i32; 8];
    fn splat_int(self, value: i32) -> Self::Ints;
    /// `sum[i] + a[2 i] * b[2 i] + a[2 i + 1] * b[2 i + 1]`, `a` and `b` being 16 numbers of 16 bits. Wraps; both products
    /// of a lane must not be of -32768 and -32768.
    fn add_pairs(self, sum: Self::Ints, a: Self::Bytes, b: Self::Bytes) -> Self::Ints;
    /// `(value, mark)` in the lanes where `value` is greater than the best one so far, `best` in the others.
    fn keep_greater(
        self,
        best: (Self::Ints, Self::Ints),
        value: Self::Ints,
        mark: Self::Ints,
    ) -> (Self::Ints, Self::Ints);
}

/// Eight words as the bytes that [`Lanes::load`] takes.
#[inline(always)]
pub(crate) fn bytes_of(words: &[u32; 8]) -> &[u8; 32] {
    bytemuck::must_cast_ref(words)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{__m128i, __m256i};

    use pulp::cast;
    use pulp::x86::{V2, V3};

    use super::Pairs;
    use crate::simd::sse42::both;

    impl Pairs for V3 {
        const EIGHT_SUMS: bool = true;

        #[inline(always)]
        fn load_ints(self, values: &[i32; 8]) -> __m256i {
            cast(*values)
        }
        #[inline(always)]
        fn store_ints(self, values: __m256i) -> [i32; 8] {
            cast(values)
        }
        #[inline(always)]
        fn splat_int(self, value: i32) -> __m256i {
            self.avx._mm256_set1_epi32(value)
        }
        #[inline(always)]
        fn add_pairs(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
            self.avx2._mm256_add_epi32(sum, self.avx2._mm256_madd_epi16(a, b))
        }
        #[inline(always)]
        fn keep_greater(
            self,
            (best, at): (__m256i, __m256i),
            value: __m256i,
            mark: __m256i,
        ) -> (__m256i, __m256i) {
            let greater = self.avx2._mm256_cmpgt_epi32(value, best);
            (self.avx2._mm256_max_epi32(value, best), self.avx2._mm256_blendv_epi8(at, mark, greater))
        }
    }

    impl Pairs for V2 {
        const EIGHT_SUMS: bool = false;

        #[inline(always)]
        fn load_ints(self, values: &[i32; 8]) -> [__m128i; 2] {
            cast(*values)
        }
        #[inline(always)]
        fn store_ints(self, values: [__m128i; 2]) -> [i32; 8] {
            cast(values)
        }
        #[inline(always)]
        fn splat_int(self, value: i32) -> [__m128i; 2] {
            [self.sse2._mm_set1_epi32(value); 2]
        }
        #[inline(always)]
        fn add_pairs(self, sum: [__m128i; 2], a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
            let products = both(a, b, |a, b| self.sse2._mm_madd_epi16(a, b));
            both(sum, products, |s, p| self.sse2._mm_add_epi32(s, p))
        }
        #[inline(always)]
        fn keep_greater(
            self,
            (best, at): ([__m128i; 2], [__m128i; 2]),
            value: [__m128i; 2],
            mark: [__m128i; 2],
        ) -> ([__m128i; 2], [__m128i; 2]) {
            let [g0, g1] = both(value, best, |v, b| self.sse2._mm_cmpgt_epi32(v, b));
            let ([a0, a1], [m0, m1]) = (at, mark);
            let at = [self.sse4_1._mm_blendv_epi8(a0, m0, g0), self.sse4_1._mm_blendv_epi8(a1, m1, g1)];
            (both(value, best, |v, b| self.sse4_1._mm_max_epi32(v, b)), at)
        }
    }
}

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use core::arch::aarch64::{int16x8_t, int32x4_t, uint8x16_t};

    use pulp::aarch64::Neon;
    use pulp::cast;

    use super::Pairs;
    use crate::simd::neon::both;

    impl Pairs for Neon {
        const EIGHT_SUMS: bool = true;

        #[inline(always)]
        fn load_ints(self, values: &[i32; 8]) -> [int32x4_t; 2] {
            cast(*values)
        }
        #[inline(always)]
        fn store_ints(self, values: [int32x4_t; 2]) -> [i32; 8] {
            cast(values)
        }
        #[inline(always)]
        fn splat_int(self, value: i32) -> [int32x4_t; 2] {
            [self.neon.vdupq_n_s32(value); 2]
        }
        #[inline(always)]
        fn add_pairs(self, sum: [int32x4_t; 2], a: [uint8x16_t; 2], b: [uint8x16_t; 2]) -> [int32x4_t; 2] {
            let products = both(a, b, |a, b| {
                let (a, b): (int16x8_t, int16x8_t) = (cast(a), cast(b));
                let low = self.neon.vmull_s16(self.neon.vget_low_s16(a), self.neon.vget_low_s16(b));
                self.neon.vpaddq_s32(low, self.neon.vmull_high_s16(a, b))
            });
            both(sum, products, |s, p| self.neon.vaddq_s32(s, p))
        }
        #[inline(always)]
        fn keep_greater(
            self,
            (best, at): ([int32x4_t; 2], [int32x4_t; 2]),
            value: [int32x4_t; 2],
            mark: [int32x4_t; 2],
        ) -> ([int32x4_t; 2], [int32x4_t; 2]) {
            let [g0, g1] = both(value, best, |v, b| self.neon.vcgtq_s32(v, b));
            let ([a0, a1], [m0, m1]) = (at, mark);
            let at = [self.neon.vbslq_s32(g0, m0, a0), self.neon.vbslq_s32(g1, m1, a1)];
            (both(value, best, |v, b| self.neon.vmaxq_s32(v, b)), at)
        }
    }
}
