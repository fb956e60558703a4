//! SSE4.2 (with SSSE3 and SSE4.1): two 128-bit registers are a vector of bytes.

use core::arch::x86_64::{__m128, __m128i};

use pulp::cast;
use pulp::x86::V2;

use super::lanes::{Lanes, map_eight, map_four};

/// Applies an operation to both halves.
#[inline(always)]
pub(super) fn both(
    a: [__m128i; 2],
    b: [__m128i; 2],
    op: impl Fn(__m128i, __m128i) -> __m128i,
) -> [__m128i; 2] {
    let ([a0, a1], [b0, b1]) = (a, b);
    [op(a0, b0), op(a1, b1)]
}

/// What several of the operations share. (Not closures: those are not inlined for certain, see
/// [`map_eight`](super::lanes::map_eight).)
trait Parts {
    /// Sums of neighbouring i16 lanes.
    fn pairs(self, a: __m128i) -> __m128i;
    /// Sums of neighbouring i16 lanes as i16, those of `a`, then those of `b`.
    fn pack_pairs(self, a: __m128i, b: __m128i) -> __m128i;
    /// The sums of the lanes of four vectors.
    fn add_four(self, vectors: [__m128i; 4]) -> __m128i;
    /// 4 x 4 lanes of 32 bits transposed.
    fn transpose_four(self, vectors: [__m128i; 4]) -> [__m128i; 4];
}

impl Parts for V2 {
    #[inline(always)]
    fn pairs(self, a: __m128i) -> __m128i {
        self.sse2._mm_madd_epi16(a, self.sse2._mm_set1_epi16(1))
    }
    #[inline(always)]
    fn pack_pairs(self, a: __m128i, b: __m128i) -> __m128i {
        self.sse2._mm_packs_epi32(self.pairs(a), self.pairs(b))
    }
    #[inline(always)]
    fn add_four(self, [a, b, c, d]: [__m128i; 4]) -> __m128i {
        let (ab, cd) = (self.ssse3._mm_hadd_epi32(a, b), self.ssse3._mm_hadd_epi32(c, d));
        self.ssse3._mm_hadd_epi32(ab, cd)
    }
    #[inline(always)]
    fn transpose_four(self, [a, b, c, d]: [__m128i; 4]) -> [__m128i; 4] {
        let i = self.sse2;
        let (ab, cd) = (i._mm_unpacklo_epi32(a, b), i._mm_unpacklo_epi32(c, d));
        let (ab2, cd2) = (i._mm_unpackhi_epi32(a, b), i._mm_unpackhi_epi32(c, d));
        [
            i._mm_unpacklo_epi64(ab, cd),
            i._mm_unpackhi_epi64(ab, cd),
            i._mm_unpacklo_epi64(ab2, cd2),
            i._mm_unpackhi_epi64(ab2, cd2),
        ]
    }
}

impl Lanes for V2 {
    const TILES: usize = 2;
    const FOLDS: bool = true;
    const BIAS: u8 = 128;
    type Bytes = [__m128i; 2];
    type Shorts = [__m128i; 2];
    type Ints = [__m128i; 2];
    type Floats = [__m128; 4];
    type Quads = [__m128i; 2];
    type Packs = [__m128i; 2];
    type Rows = [__m128; 2];
    /// Codes 0 and 2 of each row as i16, then codes 1 and 3.
    type Step = [[[i16; 8]; 2]; 2];
    type Four = [[i16; 2]; 2];
    type Codes = [[i16; 8]; 2];
    type Acts = [i16; 2];
    type CodeSums = [__m128i; 2];

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
    fn quarters(self, [low, high]: [__m128i; 2]) -> [__m128i; 2] {
        [self.sse2._mm_srli_epi16::<2>(low), self.sse2._mm_srli_epi16::<2>(high)]
    }
    #[inline(always)]
    fn at_least(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_cmpeq_epi8(self.sse2._mm_max_epu8(a, b), a))
    }
    #[inline(always)]
    fn above(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_cmpgt_epi8(a, b))
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
    fn plus_quarter(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        both(a, b, |a, b| self.sse2._mm_add_epi16(a, self.sse2._mm_srai_epi16::<2>(b)))
    }
    #[inline(always)]
    fn widen_eight(self, sums: [[__m128i; 2]; 8]) -> [__m128i; 2] {
        let [a, b, c, d, e, f, g, h] = map_eight(
            sums,
            #[inline(always)]
            |[low, high]| self.sse2._mm_add_epi16(low, high),
        );
        // Once more in 16 bits, then in 32.
        let (ab, cd) = (self.pairs(self.pack_pairs(a, b)), self.pairs(self.pack_pairs(c, d)));
        let (ef, gh) = (self.pairs(self.pack_pairs(e, f)), self.pairs(self.pack_pairs(g, h)));
        [self.ssse3._mm_hadd_epi32(ab, cd), self.ssse3._mm_hadd_epi32(ef, gh)]
    }
    #[inline(always)]
    fn four_bytes(self, bytes: &[u8; 4]) -> [__m128i; 2] {
        [self.sse2._mm_set1_epi32(i32::from_ne_bytes(*bytes)); 2]
    }
    #[inline(always)]
    fn no_quads(self) -> [__m128i; 2] {
        self.no_shorts()
    }
    #[inline(always)]
    fn add_group_digits(self, sum: [__m128i; 2], digits: [__m128i; 2], acts: [__m128i; 2]) -> [__m128i; 2] {
        self.add_digits(sum, digits, acts)
    }
    #[inline(always)]
    fn quads_plus_quarter(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        self.plus_quarter(a, b)
    }
    #[inline(always)]
    fn add_quads_times(self, sum: [__m128i; 2], quads: [__m128i; 2], by: i8) -> [__m128i; 2] {
        self.add_shorts_times(sum, quads, by)
    }
    #[inline(always)]
    fn add_group_products(self, sum: [__m128i; 2], acts: [__m128i; 2], trits: [__m128i; 2]) -> [__m128i; 2] {
        let products = both(acts, trits, |a, t| self.ssse3._mm_maddubs_epi16(a, t));
        both(sum, products, |s, p| self.sse2._mm_add_epi16(s, p))
    }
    #[inline(always)]
    fn sub_quads(self, sum: [__m128i; 2], quads: [__m128i; 2]) -> [__m128i; 2] {
        both(sum, quads, |s, q| self.sse2._mm_sub_epi32(s, self.pairs(q)))
    }
    #[inline(always)]
    fn add_quads(self, sum: [__m128i; 2], quads: [__m128i; 2]) -> [__m128i; 2] {
        let one = self.sse2._mm_set1_epi16(1);
        both(sum, quads, |s, q| self.sse2._mm_add_epi32(s, self.sse2._mm_madd_epi16(q, one)))
    }
    #[inline(always)]
    fn transpose(self, rows: [[__m128i; 2]; 8]) -> [[__m128i; 2]; 8] {
        let [[a0, a1], [b0, b1], [c0, c1], [d0, d1], [e0, e1], [f0, f1], [g0, g1], [h0, h1]] = rows;
        let [a, b, c, d] = self.transpose_four([a0, b0, c0, d0]);
        let [e, f, g, h] = self.transpose_four([a1, b1, c1, d1]);
        let [a2, b2, c2, d2] = self.transpose_four([e0, f0, g0, h0]);
        let [e2, f2, g2, h2] = self.transpose_four([e1, f1, g1, h1]);
        [[a, a2], [b, b2], [c, c2], [d, d2], [e, e2], [f, f2], [g, g2], [h, h2]]
    }
    #[inline(always)]
    fn store(self, bytes: [__m128i; 2]) -> [u8; 32] {
        cast(bytes)
    }

    #[inline(always)]
    fn top_bits(self, [low, high]: [__m128i; 2]) -> u32 {
        self.sse2._mm_movemask_epi8(low) as u32 | (self.sse2._mm_movemask_epi8(high) as u32) << 16
    }
    #[inline(always)]
    fn even_packs(self, [low, high]: [__m128i; 2]) -> [__m128i; 2] {
        // The byte in the upper half of a lane, so that the upper half of a product is its integer part.
        [self.sse2._mm_slli_epi16::<8>(low), self.sse2._mm_slli_epi16::<8>(high)]
    }
    #[inline(always)]
    fn odd_packs(self, [low, high]: [__m128i; 2]) -> [__m128i; 2] {
        let upper = self.sse2._mm_set1_epi16(0xFF00u16 as i16);
        [self.sse2._mm_and_si128(low, upper), self.sse2._mm_and_si128(high, upper)]
    }
    #[inline(always)]
    fn packs(self, bytes: &[u8; 16]) -> [__m128i; 2] {
        let (bytes, zero) = (cast(*bytes), self.sse2._mm_setzero_si128());
        [self.sse2._mm_unpacklo_epi8(zero, bytes), self.sse2._mm_unpackhi_epi8(zero, bytes)]
    }
    #[inline(always)]
    fn add_digit_sums(
        self,
        sum: [__m128i; 2],
        packs: [__m128i; 2],
        powers: &[u16; 16],
        coefficients: &[i16; 16],
    ) -> [__m128i; 2] {
        let parts = both(packs, cast(*powers), |q, p| self.sse2._mm_mulhi_epu16(q, p));
        let products = both(parts, cast(*coefficients), |n, b| self.sse2._mm_madd_epi16(n, b));
        both(sum, products, |s, p| self.sse2._mm_add_epi32(s, p))
    }

    #[inline(always)]
    fn widen(self, sum: [__m128i; 2]) -> i32 {
        let ones = [self.sse2._mm_set1_epi16(1); 2];
        self.total(both(sum, ones, |s, one| self.sse2._mm_madd_epi16(s, one)))
    }

    #[inline(always)]
    fn step(self, [low, high]: [__m128i; 2]) -> [[[i16; 8]; 2]; 2] {
        let even = |v| self.sse2._mm_srai_epi16::<8>(self.sse2._mm_slli_epi16::<8>(v));
        let odd = |v| self.sse2._mm_srai_epi16::<8>(v);
        cast([even(low), even(high), odd(low), odd(high)])
    }
    #[inline(always)]
    fn four(self, [a, b, c, d]: [i8; 4]) -> [[i16; 2]; 2] {
        [[a as i16, c as i16], [b as i16, d as i16]]
    }
    #[inline(always)]
    fn no_code_sums(self) -> [__m128i; 2] {
        self.no_ints()
    }
    #[inline(always)]
    fn add_codes(self, sum: [__m128i; 2], acts: &[i16; 2], codes: &[[i16; 8]; 2]) -> [__m128i; 2] {
        let acts = self.sse2._mm_set1_epi32(cast(*acts));
        let products = both([acts; 2], cast(*codes), |a, c| self.sse2._mm_madd_epi16(a, c));
        both(sum, products, |s, p| self.sse2._mm_add_epi32(s, p))
    }
    #[inline(always)]
    fn code_sums(self, sum: [__m128i; 2]) -> [__m128i; 2] {
        sum
    }
    #[inline(always)]
    fn add_shorts_times(self, sum: [__m128i; 2], shorts: [__m128i; 2], by: i8) -> [__m128i; 2] {
        let by = self.sse2._mm_set1_epi16(by as i16);
        both(sum, shorts, |s, q| self.sse2._mm_add_epi32(s, self.sse2._mm_madd_epi16(q, by)))
    }
    #[inline(always)]
    fn code_products(self, codes: [__m128i; 2], acts: [__m128i; 2]) -> [__m128i; 2] {
        // |code| is an unsigned byte, 128 too; the sign goes to the activation.
        both(codes, acts, |c, a| {
            let products =
                self.ssse3._mm_maddubs_epi16(self.ssse3._mm_abs_epi8(c), self.ssse3._mm_sign_epi8(a, c));
            self.pairs(products)
        })
    }
    #[inline(always)]
    fn ints_to_bytes(self, ints: [__m128i; 2]) -> [__m128i; 2] {
        ints
    }
    #[inline(always)]
    fn bytes_to_ints(self, bytes: [__m128i; 2]) -> [__m128i; 2] {
        bytes
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
    fn total_eight(self, sums: [[__m128i; 2]; 8]) -> [__m128i; 2] {
        let [a, b, c, d, e, f, g, h] = map_eight(
            sums,
            #[inline(always)]
            |[low, high]| self.sse2._mm_add_epi32(low, high),
        );
        [self.add_four([a, b, c, d]), self.add_four([e, f, g, h])]
    }
    #[inline(always)]
    fn trit_sums(self, a: [__m128i; 2], b: [__m128i; 2]) -> [__m128i; 2] {
        let three =
            both(a, both(a, a, |a, b| self.sse2._mm_add_epi32(a, b)), |a, b| self.sse2._mm_add_epi32(a, b));
        let [low, high] = both(three, b, |a, b| self.sse2._mm_sub_epi32(a, b));
        [self.sse2._mm_srai_epi32::<8>(low), self.sse2._mm_srai_epi32::<8>(high)]
    }
    #[inline(always)]
    fn total(self, sum: [__m128i; 2]) -> i32 {
        let lanes: [i32; 8] = cast(sum);
        lanes.iter().sum()
    }

    #[inline(always)]
    fn load_rows(self, values: &[f32; 8]) -> [__m128; 2] {
        cast(*values)
    }
    #[inline(always)]
    fn store_rows(self, rows: [__m128; 2]) -> [f32; 8] {
        cast(rows)
    }
    #[inline(always)]
    fn halves_to_rows(self, halves: &[u16; 8]) -> [__m128; 2] {
        let [low, high]: &[[u16; 4]; 2] = bytemuck::must_cast_ref(halves);
        [cast(super::halves_to_floats(self, *low)), cast(super::halves_to_floats(self, *high))]
    }
    #[inline(always)]
    fn add_scaled(
        self,
        totals: [__m128; 2],
        by: f32,
        scales: [__m128; 2],
        sums: [__m128i; 2],
        offset: i32,
    ) -> [__m128; 2] {
        let (sse, sse2) = (self.sse, self.sse2);
        let (by, offset) = (sse._mm_set1_ps(by), sse2._mm_set1_epi32(offset));
        let step = |total, scale, sum| {
            let inner = sse._mm_mul_ps(scale, sse2._mm_cvtepi32_ps(sse2._mm_add_epi32(sum, offset)));
            sse._mm_add_ps(total, sse._mm_mul_ps(by, inner))
        };
        let ([t0, t1], [c0, c1], [s0, s1]) = (totals, scales, sums);
        [step(t0, c0, s0), step(t1, c1, s1)]
    }

    #[inline(always)]
    fn add_times(self, totals: [__m128; 2], by: f32, rows: [__m128; 2]) -> [__m128; 2] {
        let by = self.sse._mm_set1_ps(by);
        let ([t0, t1], [r0, r1]) = (totals, rows);
        let step = |total, row| self.sse._mm_add_ps(total, self.sse._mm_mul_ps(by, row));
        [step(t0, r0), step(t1, r1)]
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
        map_four(quarters, |four| {
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
