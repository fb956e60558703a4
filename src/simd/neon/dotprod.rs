//! Products of bytes with `sdot` (FEAT_DotProd): each adds four products to a 32-bit lane, exactly, so that no bound of
//! [`Lanes`](crate::simd::lanes::Lanes) on the number of calls applies here.
//!
//! Digits are at most 127, so they are the same as signed bytes.

use core::arch::aarch64::{int32x4_t, uint8x16_t};

use pulp::aarch64::Neon;
use pulp::cast;

use super::both;
use crate::simd::lanes::map_eight;

pub(super) const DOT: bool = true;
/// A tile takes two registers a vector: 24 of 32 for six tiles and two vectors.
pub(super) const TILES: usize = 6;
/// Sums of four products each.
pub(super) type Shorts = [int32x4_t; 2];
/// A lane a row.
pub(super) type CodeSums = [int32x4_t; 2];
/// A group is a lane.
pub(super) type Quads = [int32x4_t; 2];

/// `sum[i] += a[4 i] * b[4 i] + ... + a[4 i + 3] * b[4 i + 3]`, bytes signed. (Rust has the intrinsic, not stable yet.)
#[inline(always)]
fn sdot(mut sum: int32x4_t, a: uint8x16_t, b: uint8x16_t) -> int32x4_t {
    // SAFETY: this file is compiled only where the build may assume the instruction (`target_feature = "dotprod"`);
    // it reads and writes these three registers and nothing else.
    unsafe {
        core::arch::asm!(
            "sdot {sum:v}.4s, {a:v}.16b, {b:v}.16b",
            sum = inout(vreg) sum,
            a = in(vreg) a,
            b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sum
}

#[inline(always)]
pub(super) fn no_shorts() -> Shorts {
    cast([0u8; 32])
}

#[inline(always)]
pub(super) fn add_digits(t: Neon, sum: Shorts, digits: [uint8x16_t; 2], acts: [uint8x16_t; 2]) -> Shorts {
    add_products(t, sum, digits, acts)
}

#[inline(always)]
pub(super) fn four_times_plus(t: Neon, a: Shorts, b: Shorts) -> Shorts {
    both(a, b, |a, b| t.neon.vaddq_s32(t.neon.vshlq_n_s32::<2>(a), b))
}

#[inline(always)]
pub(super) fn plus_quarter(t: Neon, a: Shorts, b: Shorts) -> Shorts {
    both(a, b, |a, b| t.neon.vsraq_n_s32::<2>(a, b))
}

#[inline(always)]
pub(super) fn widen(t: Neon, [low, high]: Shorts) -> i32 {
    t.neon.vaddvq_s32(t.neon.vaddq_s32(low, high))
}

#[inline(always)]
pub(super) fn widen_eight(t: Neon, sums: [Shorts; 8]) -> [int32x4_t; 2] {
    let [a, b, c, d, e, f, g, h] = map_eight(
        sums,
        #[inline(always)]
        |[low, high]| t.neon.vaddq_s32(low, high),
    );
    let add = |a, b| t.neon.vpaddq_s32(a, b);
    [add(add(a, b), add(c, d)), add(add(e, f), add(g, h))]
}

#[inline(always)]
pub(super) fn no_quads() -> Quads {
    cast([0u8; 32])
}

#[inline(always)]
pub(super) fn add_group_products(
    t: Neon,
    sum: Quads,
    acts: [uint8x16_t; 2],
    trits: [uint8x16_t; 2],
) -> Quads {
    add_products(t, sum, acts, trits)
}

#[inline(always)]
pub(super) fn quads_plus_quarter(t: Neon, a: Quads, b: Quads) -> Quads {
    plus_quarter(t, a, b)
}

#[inline(always)]
pub(super) fn add_quads(t: Neon, sum: [int32x4_t; 2], quads: Quads) -> [int32x4_t; 2] {
    both(sum, quads, |s, q| t.neon.vaddq_s32(s, q))
}

#[inline(always)]
pub(super) fn sub_quads(t: Neon, sum: [int32x4_t; 2], quads: Quads) -> [int32x4_t; 2] {
    both(sum, quads, |s, q| t.neon.vsubq_s32(s, q))
}

#[inline(always)]
pub(super) fn add_products(
    _: Neon,
    [s0, s1]: [int32x4_t; 2],
    [a0, a1]: [uint8x16_t; 2],
    [b0, b1]: [uint8x16_t; 2],
) -> [int32x4_t; 2] {
    [sdot(s0, a0, b0), sdot(s1, a1, b1)]
}

#[inline(always)]
pub(super) fn add_shorts_times(t: Neon, sum: [int32x4_t; 2], shorts: Shorts, by: i8) -> [int32x4_t; 2] {
    both(sum, shorts, |s, q| t.neon.vmlaq_n_s32(s, q, by as i32))
}

#[inline(always)]
pub(super) fn add_quads_times(t: Neon, sum: [int32x4_t; 2], quads: Quads, by: i8) -> [int32x4_t; 2] {
    add_shorts_times(t, sum, quads, by)
}

#[inline(always)]
pub(super) fn code_products(t: Neon, codes: [uint8x16_t; 2], acts: [uint8x16_t; 2]) -> [int32x4_t; 2] {
    add_products(t, cast([0u8; 32]), codes, acts)
}

#[inline(always)]
pub(super) fn no_code_sums() -> CodeSums {
    cast([0u8; 32])
}

#[inline(always)]
pub(super) fn add_codes(t: Neon, sum: CodeSums, acts: uint8x16_t, codes: [uint8x16_t; 2]) -> CodeSums {
    add_products(t, sum, codes, [acts; 2])
}

#[inline(always)]
pub(super) fn code_sums(_: Neon, sum: CodeSums) -> [int32x4_t; 2] {
    sum
}
