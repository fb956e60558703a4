//! SSE4.2 (with SSSE3 and SSE4.1): two 128-bit registers are a vector of bytes.

use core::arch::x86_64::{__m128, __m128i};

use pulp::cast;
use pulp::x86::V2;

use super::lanes::Lanes;

/// Applies an operation to both halves.
#[inline(always)]
fn both(a: [__m128i; 2], b: [__m128i; 2], op: impl Fn(__m128i, __m128i) -> __m128i) -> [__m128i; 2] {
    let ([a0, a1], [b0, b1]) = (a, b);
    [op(a0, b0), op(a1, b1)]
}

impl Lanes for V2 {
    type Bytes = [__m128i; 2];
    type Shorts = [__m128i; 2];
    type Ints = [__m128i; 2];
    type Floats = [__m128; 4];

    #[inline(always)]
    fn load(self, bytes: &[u8; 32]) -> [__m128i; 2] {
        cast(*bytes)
    }
    #[inline(always)]
    fn splat(self, byte: u8) -> [__m128i; 2] {
        [self.sse2._mm_set1_epi8(byte as i8); 2]
    }
    #[inline(always)]
    fn add(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_add_epi8(a, b))
    }
    #[inline(always)]
    fn sub(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_sub_epi8(a, b))
    }
    #[inline(always)]
    fn and(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_and_si128(a, b))
    }
    #[inline(always)]
    fn upper_halves(self, [low, high]: [__m128i; 2]) -> [__m128i; 2] {
        [self.sse2._mm_srli_epi16::<4>(low), self.sse2._mm_srli_epi16::<4>(high)]
    }
    #[inline(always)]
    fn at_least(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_cmpeq_epi8(self.sse2._mm_max_epu8(a, b), a))
    }

    #[inline(always)]
    fn no_shorts(self) -> [__m128i; 2] {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_digits(self, sum: [__m128i; 2], digits: [__m128i; 2], acts: [__m128i; 2]) -> [__m128i; 2] {
        let products = both(digits, acts, |d, a| self.ssse3._mm_maddubs_epi16(d, a));
        both(sum, products, |s, p| self.sse2._mm_add_epi16(s, p))
    }
    #[inline(always)]
    fn four_times_plus(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_add_epi16(self.sse2._mm_slli_epi16::<2>(a), b))
    }
    #[inline(always)]
    fn widen_four(self, sums: [[__m128i; 2]; 4]) -> [i32; 4] {
        let one = self.sse2._mm_set1_epi16(1);
        let [a, b, c, d] = sums.map(
            #[inline(always)]
            |[low, high]| {
                let (low, high) = (self.sse2._mm_madd_epi16(low, one), self.sse2._mm_madd_epi16(high, one));
                self.sse2._mm_add_epi32(low, high)
            },
        );
        let (ab, cd) = (self.ssse3._mm_hadd_epi32(a, b), self.ssse3._mm_hadd_epi32(c, d));
        cast(self.ssse3._mm_hadd_epi32(ab, cd))
    }
    #[inline(always)]
    fn widen(self, sum: [__m128i; 2]) -> i32 {
        let ones = [self.sse2._mm_set1_epi16(1); 2];
        self.total(both(sum, ones, |s, one| self.sse2._mm_madd_epi16(s, one)))
    }

    #[inline(always)]
    fn no_ints(self) -> [__m128i; 2] {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_products(self, sum: [__m128i; 2], a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        let wide = |v: __m128i| {
            let high = self.sse2._mm_srli_si128::<8>(v);
            [self.sse4_1._mm_cvtepi8_epi16(v), self.sse4_1._mm_cvtepi8_epi16(high)]
        };
        let products = both(a, b, |a, b| {
            let ([a0, a1], [b0, b1]) = (wide(a), wide(b));
            self.sse2._mm_add_epi32(self.sse2._mm_madd_epi16(a0, b0), self.sse2._mm_madd_epi16(a1, b1))
        });
        both(sum, products, |s, p| self.sse2._mm_add_epi32(s, p))
    }
    #[inline(always)]
    fn total(self, sum: [__m128i; 2]) -> i32 {
        let lanes: [i32; 8] = cast(sum);
        lanes.iter().sum()
    }

    #[inline(always)]
    fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
        super::halves_to_floats(self, halves)
    }
    #[inline(always)]
    fn no_floats(self) -> [__m128; 4] {
        cast([0f32; 16])
    }
    #[inline(always)]
    fn load_floats(self, values: &[f32; 16]) -> [__m128; 4] {
        cast(*values)
    }
    #[inline(always)]
    fn codes_to_floats(self, codes: &[i8; 16]) -> [__m128; 4] {
        let quarters: [i32; 4] = cast(*codes);
        quarters.map(|four| {
            self.sse2._mm_cvtepi32_ps(self.sse4_1._mm_cvtepi8_epi32(self.sse2._mm_cvtsi32_si128(four)))
        })
    }
    #[inline(always)]
    fn add_product(self, sum: [__m128; 4], a: [__m128; 4], b: [__m128; 4]) -> [__m128; 4] {
        let ([s0, s1, s2, s3], [a0, a1, a2, a3], [b0, b1, b2, b3]) = (sum, a, b);
        let step = |s, a, b| self.sse._mm_add_ps(s, self.sse._mm_mul_ps(a, b));
        [step(s0, a0, b0), step(s1, a1, b1), step(s2, a2, b2), step(s3, a3, b3)]
    }
    #[inline(always)]
    fn store_floats(self, a: [__m128; 4]) -> [f32; 16] {
        cast(a)
    }
}
