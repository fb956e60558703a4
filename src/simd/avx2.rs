//! AVX2: one 256-bit register is a vector of bytes.

use core::arch::x86_64::{__m128i, __m256, __m256i};

use pulp::cast;
use pulp::x86::V3;

use super::lanes::Lanes;

/// What several of the operations share. (Not closures: those are not inlined for certain, see
/// [`map_eight`](super::lanes::map_eight).)
trait Parts {
    /// Sums of neighbouring i16 lanes.
    fn pairs(self, a: __m256i) -> __m256i;
    /// Sums of neighbouring i16 lanes as i16, those of `a` and of `b` by turns, four each.
    fn pack_pairs(self, a: __m256i, b: __m256i) -> __m256i;
    /// Sums of neighbouring i32 lanes of four vectors, twice.
    fn add_four(self, vectors: [__m256i; 4]) -> __m256i;
    /// 4 x 4 lanes of 32 bits transposed in each half of the registers.
    fn transpose_four(self, vectors: [__m256i; 4]) -> [__m256i; 4];
    /// The sums of the halves of `a`, then those of `b`, each in one half.
    fn add_halves(self, a: __m256i, b: __m256i) -> __m256i;
}

impl Parts for V3 {
    #[inline(always)]
    fn pairs(self, a: __m256i) -> __m256i {
        self.avx2._mm256_madd_epi16(a, self.avx._mm256_set1_epi16(1))
    }
    #[inline(always)]
    fn pack_pairs(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_packs_epi32(self.pairs(a), self.pairs(b))
    }
    #[inline(always)]
    fn add_four(self, [a, b, c, d]: [__m256i; 4]) -> __m256i {
        let (ab, cd) = (self.avx2._mm256_hadd_epi32(a, b), self.avx2._mm256_hadd_epi32(c, d));
        self.avx2._mm256_hadd_epi32(ab, cd)
    }
    #[inline(always)]
    fn transpose_four(self, [a, b, c, d]: [__m256i; 4]) -> [__m256i; 4] {
        let i = self.avx2;
        let (ab, cd) = (i._mm256_unpacklo_epi32(a, b), i._mm256_unpacklo_epi32(c, d));
        let (ab2, cd2) = (i._mm256_unpackhi_epi32(a, b), i._mm256_unpackhi_epi32(c, d));
        [
            i._mm256_unpacklo_epi64(ab, cd),
            i._mm256_unpackhi_epi64(ab, cd),
            i._mm256_unpacklo_epi64(ab2, cd2),
            i._mm256_unpackhi_epi64(ab2, cd2),
        ]
    }
    #[inline(always)]
    fn add_halves(self, a: __m256i, b: __m256i) -> __m256i {
        let low = self.avx2._mm256_permute2x128_si256::<0x20>(a, b);
        let high = self.avx2._mm256_permute2x128_si256::<0x31>(a, b);
        self.avx2._mm256_add_epi32(low, high)
    }
}

impl Lanes for V3 {
    const TILES: usize = 6;
    const FOLDS: bool = true;
    const BIAS: u8 = 128;
    type Bytes = __m256i;
    type Shorts = __m256i;
    type Ints = __m256i;
    type Floats = [__m256; 2];
    type Quads = __m256i;
    type Packs = __m256i;
    type Rows = __m256;
    /// Codes 0 and 2 of each row as i16, then codes 1 and 3.
    type Step = [[i16; 16]; 2];
    type Four = [[i16; 2]; 2];
    type Codes = [i16; 16];
    type Acts = [i16; 2];
    type CodeSums = __m256i;

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
    fn quarters(self, a: __m256i) -> __m256i {
        self.avx2._mm256_srli_epi16::<2>(a)
    }
    #[inline(always)]
    fn at_least(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_cmpeq_epi8(self.avx2._mm256_max_epu8(a, b), a)
    }
    #[inline(always)]
    fn above(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_cmpgt_epi8(a, b)
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
    fn plus_quarter(self, a: __m256i, b: __m256i) -> __m256i {
        self.avx2._mm256_add_epi16(a, self.avx2._mm256_srai_epi16::<2>(b))
    }
    #[inline(always)]
    fn widen_eight(self, [a, b, c, d, e, f, g, h]: [__m256i; 8]) -> __m256i {
        // Twice into 16 bits, then once into 32, each half of the registers by itself. (A horizontal addition takes as
        // many operations and is slower on some processors.)
        let (abcd, efgh) = (
            self.pack_pairs(self.pack_pairs(a, b), self.pack_pairs(c, d)),
            self.pack_pairs(self.pack_pairs(e, f), self.pack_pairs(g, h)),
        );
        self.add_halves(self.pairs(abcd), self.pairs(efgh))
    }
    #[inline(always)]
    fn four_bytes(self, bytes: &[u8; 4]) -> __m256i {
        self.avx._mm256_set1_epi32(i32::from_ne_bytes(*bytes))
    }
    #[inline(always)]
    fn no_quads(self) -> __m256i {
        self.no_shorts()
    }
    #[inline(always)]
    fn add_group_digits(self, sum: __m256i, digits: __m256i, acts: __m256i) -> __m256i {
        self.add_digits(sum, digits, acts)
    }
    #[inline(always)]
    fn quads_plus_quarter(self, a: __m256i, b: __m256i) -> __m256i {
        self.plus_quarter(a, b)
    }
    #[inline(always)]
    fn add_quads_times(self, sum: __m256i, quads: __m256i, by: i8) -> __m256i {
        self.add_shorts_times(sum, quads, by)
    }
    #[inline(always)]
    fn add_group_products(self, sum: __m256i, acts: __m256i, trits: __m256i) -> __m256i {
        self.avx2._mm256_add_epi16(sum, self.avx2._mm256_maddubs_epi16(acts, trits))
    }
    #[inline(always)]
    fn sub_quads(self, sum: __m256i, quads: __m256i) -> __m256i {
        self.avx2._mm256_sub_epi32(sum, self.pairs(quads))
    }
    #[inline(always)]
    fn add_quads(self, sum: __m256i, quads: __m256i) -> __m256i {
        let groups = self.pairs(quads);
        self.avx2._mm256_add_epi32(sum, groups)
    }
    #[inline(always)]
    fn transpose(self, rows: [__m256i; 8]) -> [__m256i; 8] {
        let i = self.avx2;
        let [a, b, c, d, e, f, g, h] = rows;
        let [a, b, c, d] = self.transpose_four([a, b, c, d]);
        let [e, f, g, h] = self.transpose_four([e, f, g, h]);
        let low = |a, b| i._mm256_permute2x128_si256::<0x20>(a, b);
        let high = |a, b| i._mm256_permute2x128_si256::<0x31>(a, b);
        [low(a, e), low(b, f), low(c, g), low(d, h), high(a, e), high(b, f), high(c, g), high(d, h)]
    }
    #[inline(always)]
    fn store(self, bytes: __m256i) -> [u8; 32] {
        cast(bytes)
    }

    #[inline(always)]
    fn top_bits(self, bytes: __m256i) -> u32 {
        self.avx2._mm256_movemask_epi8(bytes) as u32
    }
    #[inline(always)]
    fn even_packs(self, bytes: __m256i) -> __m256i {
        // The byte in the upper half of a lane, so that the upper half of a product is its integer part.
        self.avx2._mm256_slli_epi16::<8>(bytes)
    }
    #[inline(always)]
    fn odd_packs(self, bytes: __m256i) -> __m256i {
        self.avx2._mm256_and_si256(bytes, self.avx._mm256_set1_epi16(0xFF00u16 as i16))
    }
    #[inline(always)]
    fn packs(self, bytes: &[u8; 16]) -> __m256i {
        self.avx2._mm256_slli_epi16::<8>(self.avx2._mm256_cvtepu8_epi16(cast(*bytes)))
    }
    #[inline(always)]
    fn add_digit_sums(self, sum: __m256i, packs: __m256i, powers: &[u16; 16], by: &[i16; 16]) -> __m256i {
        let parts = self.avx2._mm256_mulhi_epu16(packs, cast(*powers));
        self.avx2._mm256_add_epi32(sum, self.avx2._mm256_madd_epi16(parts, cast(*by)))
    }

    #[inline(always)]
    fn widen(self, sum: __m256i) -> i32 {
        self.total(self.avx2._mm256_madd_epi16(sum, self.avx._mm256_set1_epi16(1)))
    }

    #[inline(always)]
    fn step(self, bytes: __m256i) -> [[i16; 16]; 2] {
        let even = self.avx2._mm256_srai_epi16::<8>(self.avx2._mm256_slli_epi16::<8>(bytes));
        cast([even, self.avx2._mm256_srai_epi16::<8>(bytes)])
    }
    #[inline(always)]
    fn four(self, [a, b, c, d]: [i8; 4]) -> [[i16; 2]; 2] {
        [[a as i16, c as i16], [b as i16, d as i16]]
    }
    #[inline(always)]
    fn no_code_sums(self) -> __m256i {
        self.no_ints()
    }
    #[inline(always)]
    fn add_codes(self, sum: __m256i, acts: &[i16; 2], codes: &[i16; 16]) -> __m256i {
        let acts = self.avx._mm256_set1_epi32(cast(*acts));
        self.avx2._mm256_add_epi32(sum, self.avx2._mm256_madd_epi16(acts, cast(*codes)))
    }
    #[inline(always)]
    fn code_sums(self, sum: __m256i) -> __m256i {
        sum
    }
    #[inline(always)]
    fn add_shorts_times(self, sum: __m256i, shorts: __m256i, by: i8) -> __m256i {
        let products = self.avx2._mm256_madd_epi16(shorts, self.avx._mm256_set1_epi16(by as i16));
        self.avx2._mm256_add_epi32(sum, products)
    }
    #[inline(always)]
    fn code_products(self, codes: __m256i, acts: __m256i) -> __m256i {
        // |code| is an unsigned byte, 128 too; the sign goes to the activation.
        let acts = self.avx2._mm256_sign_epi8(acts, codes);
        self.pairs(self.avx2._mm256_maddubs_epi16(self.avx2._mm256_abs_epi8(codes), acts))
    }
    #[inline(always)]
    fn ints_to_bytes(self, ints: __m256i) -> __m256i {
        ints
    }
    #[inline(always)]
    fn bytes_to_ints(self, bytes: __m256i) -> __m256i {
        bytes
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
    fn total_eight(self, [a, b, c, d, e, f, g, h]: [__m256i; 8]) -> __m256i {
        self.add_halves(self.add_four([a, b, c, d]), self.add_four([e, f, g, h]))
    }
    #[inline(always)]
    fn trit_sums(self, a: __m256i, b: __m256i) -> __m256i {
        let three = self.avx2._mm256_add_epi32(a, self.avx2._mm256_add_epi32(a, a));
        self.avx2._mm256_srai_epi32::<8>(self.avx2._mm256_sub_epi32(three, b))
    }
    #[inline(always)]
    fn total(self, sum: __m256i) -> i32 {
        let lanes: [i32; 8] = cast(sum);
        lanes.iter().sum()
    }

    #[inline(always)]
    fn load_rows(self, values: &[f32; 8]) -> __m256 {
        cast(*values)
    }
    #[inline(always)]
    fn store_rows(self, rows: __m256) -> [f32; 8] {
        cast(rows)
    }
    #[inline(always)]
    fn halves_to_rows(self, halves: &[u16; 8]) -> __m256 {
        // As `halves_to_floats`, twice as wide.
        let (avx, avx2) = (self.avx, self.avx2);
        let splat = |x: u32| avx._mm256_set1_epi32(x as i32);
        let h = avx2._mm256_cvtepu16_epi32(cast(*halves));
        let sign = avx2._mm256_slli_epi32::<16>(avx2._mm256_and_si256(h, splat(0x8000)));
        let magnitude = avx2._mm256_and_si256(h, splat(0x7FFF));
        let normal = avx2._mm256_add_epi32(avx2._mm256_slli_epi32::<13>(magnitude), splat((127 - 15) << 23));
        let unit = f32::from_bits((127 - 24) << 23);
        let small = avx._mm256_mul_ps(avx._mm256_cvtepi32_ps(magnitude), avx._mm256_set1_ps(unit));
        let special = avx2._mm256_add_epi32(normal, splat((127 - 15) << 23));
        let is_small = avx2._mm256_cmpgt_epi32(splat(0x0400), magnitude);
        let bits = avx2._mm256_blendv_epi8(normal, cast(small), is_small);
        let is_special = avx2._mm256_cmpgt_epi32(magnitude, splat(0x7BFF));
        let bits = avx2._mm256_blendv_epi8(bits, special, is_special);
        cast(avx2._mm256_or_si256(sign, bits))
    }
    #[inline(always)]
    fn add_scaled(self, totals: __m256, by: f32, scales: __m256, sums: __m256i, offset: i32) -> __m256 {
        let avx = self.avx;
        let sums = self.avx2._mm256_add_epi32(sums, avx._mm256_set1_epi32(offset));
        let inner = avx._mm256_mul_ps(scales, avx._mm256_cvtepi32_ps(sums));
        avx._mm256_add_ps(totals, avx._mm256_mul_ps(avx._mm256_set1_ps(by), inner))
    }

    #[inline(always)]
    fn add_times(self, totals: __m256, by: f32, rows: __m256) -> __m256 {
        self.avx._mm256_add_ps(totals, self.avx._mm256_mul_ps(self.avx._mm256_set1_ps(by), rows))
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
