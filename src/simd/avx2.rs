//! AVX2: one 256-bit register is a vector of bytes.

use core::arch::x86_64::{__m128i, __m256, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::lanes::Lanes;

impl Lanes for V3 {
    type Bytes = __m256i;
    type Shorts = __m256i;
    type Ints = __m256i;
    type Floats = [__m256; 2];

    #[inline(always)]
    fn load(self, bytes: &[u8; 32]) -> __m256i {
        cast(*bytes)
    }
    #[inline(always)]
    fn splat(self, byte: u8) -> __m256i {
        self.avx._mm256_set1_epi8(byte as i8)
    }
    #[inline(always)]
    fn add(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi8(a, b)
    }
    #[inline(always)]
    fn sub(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_sub_epi8(a, b)
    }
    #[inline(always)]
    fn and(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_and_si256(a, b)
    }
    #[inline(always)]
    fn upper_halves(self, a: __m256i) -> __m256i {
        self.avx2._mm256_srli_epi16::<4>(a)
    }
    #[inline(always)]
    fn at_least(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_cmpeq_epi8(self.avx2._mm256_max_epu8(a, b), a)
    }

    #[inline(always)]
    fn no_shorts(self) -> __m256i {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_digits(self, sum: __m256i, digits: __m256i, acts: __m256i) -> __m256i {
        self.avx2._mm256_add_epi16(sum, self.avx2._mm256_maddubs_epi16(digits, acts))
    }
    #[inline(always)]
    fn four_times_plus(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi16(self.avx2._mm256_slli_epi16::<2>(a), b)
    }
    #[inline(always)]
    fn widen_four(self, [a, b, c, d]: [__m256i; 4]) -> [i32; 4] {
        // Pairwise sums of two registers land in one: 15 operations for four sums where `widen` takes 7 each.
        let one = self.avx._mm256_set1_epi16(1);
        let wide = |v| self.avx2._mm256_madd_epi16(v, one);
        let ab = self.avx2._mm256_hadd_epi32(wide(a), wide(b));
        let cd = self.avx2._mm256_hadd_epi32(wide(c), wide(d));
        let [low, high]: [__m128i; 2] = cast(self.avx2._mm256_hadd_epi32(ab, cd));
        cast(self.sse2._mm_add_epi32(low, high))
    }
    #[inline(always)]
    fn widen(self, sum: __m256i) -> i32 {
        self.total(self.avx2._mm256_madd_epi16(sum, self.avx._mm256_set1_epi16(1)))
    }

    #[inline(always)]
    fn no_ints(self) -> __m256i {
        cast([0u8; 32])
    }
    #[inline(always)]
    fn add_products(self, sum: __m256i, a: __m256i, b: __m256i) -> __m256i {
        let wide = |v: __m256i| -> [__m256i; 2] {
            let [low, high]: [__m128i; 2] = cast(v);
            [self.avx2._mm256_cvtepi8_epi16(low), self.avx2._mm256_cvtepi8_epi16(high)]
        };
        let ([a0, a1], [b0, b1]) = (wide(a), wide(b));
        let products = self
            .avx2
            ._mm256_add_epi32(self.avx2._mm256_madd_epi16(a0, b0), self.avx2._mm256_madd_epi16(a1, b1));
        self.avx2._mm256_add_epi32(sum, products)
    }
    #[inline(always)]
    fn total(self, sum: __m256i) -> i32 {
        let lanes: [i32; 8] = cast(sum);
        lanes.iter().sum()
    }

    #[inline(always)]
    fn halves_to_floats(self, halves: [u16; 4]) -> [f32; 4] {
        super::halves_to_floats(*self, halves)
    }
    #[inline(always)]
    fn no_floats(self) -> [__m256; 2] {
        cast([0f32; 16])
    }
    #[inline(always)]
    fn load_floats(self, values: &[f32; 16]) -> [__m256; 2] {
        cast(*values)
    }
    #[inline(always)]
    fn codes_to_floats(self, codes: &[i8; 16]) -> [__m256; 2] {
        let [low, high]: [[i8; 8]; 2] = cast(*codes);
        let wide = |half: [i8; 8]| -> __m256 {
            let register: __m128i = cast([half, [0; 8]]);
            self.avx._mm256_cvtepi32_ps(self.avx2._mm256_cvtepi8_epi32(register))
        };
        [wide(low), wide(high)]
    }
    #[inline(always)]
    fn add_product(self, sum: [__m256; 2], a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        let ([s0, s1], [a0, a1], [b0, b1]) = (sum, a, b);
        let step = |s, a, b| self.avx._mm256_add_ps(s, self.avx._mm256_mul_ps(a, b));
        [step(s0, a0, b0), step(s1, a1, b1)]
    }
    #[inline(always)]
    fn store_floats(self, a: [__m256; 2]) -> [f32; 16] {
        cast(a)
    }
}
