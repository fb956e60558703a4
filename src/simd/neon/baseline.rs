//! Products of bytes on ARMv8.0: widening multiplications into 16-bit lanes, which are added up later.

use core::arch::aarch64::{int8x16_t, int16x8_t, int32x4_t, uint8x16_t};

use pulp::aarch64::Neon;
use pulp::cast;

use super::both;
use crate::simd::lanes::map_eight;

pub(super) const DOT: bool = false;
pub(super) const TILES: usize = 2;
pub(super) type Shorts = [int16x8_t; 2];
pub(super) type Quads = [int16x8_t; 4];
/// Two lanes a row.
pub(super) type CodeSums = [int32x4_t; 4];

#[inline(always)]
pub(super) fn no_shorts() -> Shorts {
    cast([0u8; 32])
}

#[inline(always)]
pub(super) fn add_digits(t: Neon, sum: Shorts, digits: [uint8x16_t; 2], acts: [uint8x16_t; 2]) -> Shorts {
    let products = both(digits, acts, |digits, acts| {
        // digits are at most 127, so they are the same as signed bytes
        let (d, a): (int8x16_t, int8x16_t) = (cast(digits), cast(acts));
        let low = t.neon.vmull_s8(t.neon.vget_low_s8(d), t.neon.vget_low_s8(a));
        t.neon.vmlal_high_s8(low, d, a)
    });
    both(sum, products, |s, p| t.neon.vaddq_s16(s, p))
}

#[inline(always)]
pub(super) fn four_times_plus(t: Neon, a: Shorts, b: Shorts) -> Shorts {
    both(a, b, |a, b| t.neon.vaddq_s16(t.neon.vshlq_n_s16::<2>(a), b))
}

#[inline(always)]
pub(super) fn plus_quarter(t: Neon, a: Shorts, b: Shorts) -> Shorts {
    both(a, b, |a, b| t.neon.vsraq_n_s16::<2>(a, b))
}

#[inline(always)]
pub(super) fn widen(t: Neon, [low, high]: Shorts) -> i32 {
    t.neon.vaddlvq_s16(low) + t.neon.vaddlvq_s16(high)
}

#[inline(always)]
pub(super) fn widen_eight(t: Neon, sums: [Shorts; 8]) -> [int32x4_t; 2] {
    let [a, b, c, d, e, f, g, h] = map_eight(
        sums,
        #[inline(always)]
        |[low, high]| t.neon.vpaddq_s16(low, high),
    );
    // Once more in 16 bits, then in 32.
    let four = |a, b, c, d| {
        let (ab, cd) = (t.neon.vpaddq_s16(a, b), t.neon.vpaddq_s16(c, d));
        t.neon.vpaddq_s32(t.neon.vpaddlq_s16(ab), t.neon.vpaddlq_s16(cd))
    };
    [four(a, b, c, d), four(e, f, g, h)]
}

#[inline(always)]
pub(super) fn no_quads() -> Quads {
    cast([0u8; 64])
}

#[inline(always)]
pub(super) fn add_group_products(
    t: Neon,
    sum: Quads,
    acts: [uint8x16_t; 2],
    trits: [uint8x16_t; 2],
) -> Quads {
    let ([t0, t1], [a0, a1]): ([int8x16_t; 2], [int8x16_t; 2]) = (cast(trits), cast(acts));
    let low = |s, d, a| t.neon.vmlal_s8(s, t.neon.vget_low_s8(d), t.neon.vget_low_s8(a));
    let high = |s, d, a| t.neon.vmlal_high_s8(s, d, a);
    let [s0, s1, s2, s3] = sum;
    [low(s0, t0, a0), high(s1, t0, a0), low(s2, t1, a1), high(s3, t1, a1)]
}

#[inline(always)]
pub(super) fn quads_plus_quarter(t: Neon, a: Quads, b: Quads) -> Quads {
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (a, b);
    let add = |a, b| t.neon.vsraq_n_s16::<2>(a, b);
    [add(a0, b0), add(a1, b1), add(a2, b2), add(a3, b3)]
}

#[inline(always)]
pub(super) fn add_quads(t: Neon, sum: [int32x4_t; 2], quads: Quads) -> [int32x4_t; 2] {
    let ([s0, s1], [q0, q1, q2, q3]) = (sum, quads);
    // Pairs of a group in i16, then the pairs of pairs.
    let add = |s, low, high| t.neon.vpadalq_s16(s, t.neon.vpaddq_s16(low, high));
    [add(s0, q0, q1), add(s1, q2, q3)]
}

#[inline(always)]
pub(super) fn sub_quads(t: Neon, sum: [int32x4_t; 2], quads: Quads) -> [int32x4_t; 2] {
    both(sum, add_quads(t, cast([0u8; 32]), quads), |s, q| t.neon.vsubq_s32(s, q))
}

#[inline(always)]
pub(super) fn add_products(
    t: Neon,
    sum: [int32x4_t; 2],
    a: [uint8x16_t; 2],
    b: [uint8x16_t; 2],
) -> [int32x4_t; 2] {
    // Two products of -128 * -128 would overflow an i16, so each half is widened by itself.
    let products = both(a, b, |a, b| {
        let (a, b): (int8x16_t, int8x16_t) = (cast(a), cast(b));
        let low = t.neon.vmull_s8(t.neon.vget_low_s8(a), t.neon.vget_low_s8(b));
        let high = t.neon.vmull_high_s8(a, b);
        t.neon.vpadalq_s16(t.neon.vpaddlq_s16(low), high)
    });
    both(sum, products, |s, p| t.neon.vaddq_s32(s, p))
}

#[inline(always)]
pub(super) fn add_shorts_times(t: Neon, sum: [int32x4_t; 2], shorts: Shorts, by: i8) -> [int32x4_t; 2] {
    both(sum, shorts, |s, q| {
        let low = t.neon.vmlal_n_s16(s, t.neon.vget_low_s16(q), by as i16);
        t.neon.vmlal_high_n_s16(low, q, by as i16)
    })
}

#[inline(always)]
pub(super) fn add_quads_times(t: Neon, sum: [int32x4_t; 2], quads: Quads, by: i8) -> [int32x4_t; 2] {
    both(sum, add_quads(t, cast([0u8; 32]), quads), |s, q| t.neon.vmlaq_n_s32(s, q, by as i32))
}

#[inline(always)]
pub(super) fn code_products(t: Neon, codes: [uint8x16_t; 2], acts: [uint8x16_t; 2]) -> [int32x4_t; 2] {
    both(codes, acts, |c, a| {
        let (c, a): (int8x16_t, int8x16_t) = (cast(c), cast(a));
        let low = t.neon.vmull_s8(t.neon.vget_low_s8(c), t.neon.vget_low_s8(a));
        t.neon.vpaddlq_s16(t.neon.vmlal_high_s8(low, c, a))
    })
}

#[inline(always)]
pub(super) fn no_code_sums() -> CodeSums {
    cast([0u8; 64])
}

#[inline(always)]
pub(super) fn add_codes(t: Neon, sum: CodeSums, acts: uint8x16_t, codes: [uint8x16_t; 2]) -> CodeSums {
    let ([c0, c1], a): ([int8x16_t; 2], int8x16_t) = (cast(codes), cast(acts));
    let low = |s, c| t.neon.vpadalq_s16(s, t.neon.vmull_s8(t.neon.vget_low_s8(c), t.neon.vget_low_s8(a)));
    let high = |s, c| t.neon.vpadalq_s16(s, t.neon.vmull_high_s8(c, a));
    let [s0, s1, s2, s3] = sum;
    [low(s0, c0), high(s1, c0), low(s2, c1), high(s3, c1)]
}

#[inline(always)]
pub(super) fn code_sums(t: Neon, [a, b, c, d]: CodeSums) -> [int32x4_t; 2] {
    [t.neon.vpaddq_s32(a, b), t.neon.vpaddq_s32(c, d)]
}
