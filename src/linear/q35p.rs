//! `Q35P` rows times a vector.
//!
//! With int8 activations, for each group of 256 weights and the activation block of the same columns:
//! `total += activation scale * (scale * sum(code a) + offset * sum(a))`. The sums are exact integers; the second one
//! is in the block already. |sum(code a)| <= 105 * 128 * 256 = 3,440,640 < 2^22 and |sum(a)| <= 2^15, so no length
//! overflows and both convert to f32 exactly.
//!
//! With f32 activations: the product of the decoded values.

use crate::quant::ActBlock;
use crate::quant::q35p::{Affine, GROUP_BYTES, GROUP_LEN, for_each_group, split_row, unpack_group};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::quant::q35p::{STEP_3, STEP_4};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use crate::simd::lanes::{Lanes, unsigned};

use super::ops::Ops;

/// Codes of a full group times activations: the reference.
#[inline(always)]
pub(super) fn sum_scalar(group: &[u8; GROUP_BYTES], a: &[i8; GROUP_LEN]) -> i32 {
    let mut codes = [0i8; GROUP_LEN];
    crate::quant::q35p::unpack_full(group, &mut codes);
    codes.iter().zip(a).map(|(&c, &a)| c as i32 * a as i32).sum()
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn load<L: Lanes>(l: L, a: &[i8; 32]) -> L::Bytes {
    l.load(unsigned(a))
}

/// 3-bit levels in bits 0-2.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn ones<L: Lanes>(l: L, low: L::Bytes, high: L::Bytes) -> L::Bytes {
    l.add(l.and(low, l.splat(0x03)), l.and(high, l.splat(0x04)))
}

/// 3-bit levels in bits 2-4, where they count four times.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
fn times_four<L: Lanes>(l: L, low: L::Bytes, high: L::Bytes) -> L::Bytes {
    l.add(l.and(low, l.splat(0x0C)), l.and(high, l.splat(0x10)))
}

/// Even bits of the first 16 bytes, odd ones of the others.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static EVEN_ODD: [[u8; 16]; 2] = [[0x55; 16], [0xAA; 16]];
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static FIRST_HALF: [[u8; 16]; 2] = [[0xFF; 16], [0; 16]];

/// Sums of `q a` over the 4-bit halves, and over the 3-bit halves, as i16 lanes: at most 15,360 and 7168.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn shorts<L: Lanes>(
    l: L,
    group: &[u8; GROUP_BYTES],
    a: &[i8; GROUP_LEN],
) -> (L::Shorts, L::Shorts) {
    let (mut fours, mut threes) = (l.no_shorts(), l.no_shorts());
    let (Some(n0), Some(n1), Some(lows), Some(&highs)) = (
        group.first_chunk::<32>(),
        group.get(32..64).and_then(|n| n.first_chunk::<32>()),
        group.get(64..96).and_then(|n| n.first_chunk::<32>()),
        group.last_chunk::<16>(),
    ) else {
        return (fours, threes); // 32 + 32 + 32 + 16 bytes: never
    };
    let [a0, a1, a2, a3, b0, b1, b2, b3]: &[[i8; 32]; 8] = bytemuck::must_cast_ref(a);

    // A lane grows by at most 15 * 256 a call: 15,360.
    let nibble = l.splat(0x0F);
    let (n0, n1) = (l.load(n0), l.load(n1));
    fours = l.add_digits(fours, l.and(n0, nibble), load(l, a0));
    fours = l.add_digits(fours, l.and(n1, nibble), load(l, a1));
    fours = l.add_digits(fours, l.and(l.upper_halves(n0), nibble), load(l, a2));
    fours = l.add_digits(fours, l.and(l.upper_halves(n1), nibble), load(l, a3));

    // The high bits of 32 pairs in bit 1, of the next 32 in bit 3 and so on: of each 32 the first 16 stand in the even
    // bits of 16 bytes, the others in the odd ones.
    let highs =
        l.and(l.load(bytemuck::must_cast_ref(&[highs; 2])), l.load(bytemuck::must_cast_ref(&EVEN_ODD)));
    let highs = l.add(highs, l.and(highs, l.load(bytemuck::must_cast_ref(&FIRST_HALF))));
    let low = l.load(lows);
    let (low_up, highs_up) = (l.upper_halves(low), l.upper_halves(highs));
    let (high, high_up) = (l.add(highs, highs), l.add(highs_up, highs_up));
    // |single| <= 2 * 7 * 256 = 3584 and |threes| <= 2 * 28 * 256 = 14,336.
    let mut single = l.add_digits(l.no_shorts(), ones(l, low, high), load(l, b0));
    threes = l.add_digits(threes, times_four(l, low, high), load(l, b1));
    single = l.add_digits(single, ones(l, low_up, high_up), load(l, b2));
    threes = l.add_digits(threes, times_four(l, low_up, high_up), load(l, b3));
    (fours, l.plus_quarter(single, threes))
}

/// [`sum_scalar`] on a vector tier.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[inline(always)]
pub(super) fn sum_wide<L: Lanes>(l: L, group: &[u8; GROUP_BYTES], a: &[i8; GROUP_LEN]) -> i32 {
    let (fours, threes) = shorts(l, group, a);
    l.total(l.add_shorts_times(l.add_shorts_times(l.no_ints(), fours, STEP_4), threes, STEP_3))
}

/// The codes of the last group of a row, shorter than a full one, times activations.
#[inline(always)]
fn tail_sum<O: Ops>(ops: O, group: &[u8], a: &[i8; GROUP_LEN]) -> i32 {
    let mut codes = [0i8; GROUP_LEN];
    unpack_group(group, &mut codes);
    ops.dot_i8(&codes, a)
}

/// What a group adds to the total of its row.
#[inline(always)]
fn term(act: &ActBlock, affine: Affine, sum: i32) -> f32 {
    let all: i32 = act.sums.iter().map(|&s| s as i32).sum();
    act.scale * (affine.scale * sum as f32 + affine.offset * all as f32)
}

/// A packed row times int8 activations.
#[inline(always)]
pub(super) fn dot<O: Ops>(ops: O, row: &[u8], acts: &[ActBlock]) -> f32 {
    let Some((codes, affine)) = split_row(row) else { return 0.0 };
    let (full, tail) = codes.as_chunks::<GROUP_BYTES>();
    let mut total = 0.0f32;
    for (group, act) in full.iter().zip(acts) {
        total += term(act, affine, ops.q35p(group, &act.codes));
    }
    if let (false, Some(act)) = (tail.is_empty(), acts.get(full.len())) {
        total += term(act, affine, tail_sum(ops, tail, &act.codes));
    }
    total
}

/// A packed row times f32 activations: per group the 16-lane sum of `decoded value * x`, groups in order.
#[inline(always)]
pub(super) fn dot_f32<O: Ops>(ops: O, row: &[u8], cols: usize, x: &[f32]) -> f32 {
    let Some((codes, affine)) = split_row(row) else { return 0.0 };
    let mut total = 0.0f32;
    for_each_group(
        codes,
        cols,
        #[inline(always)]
        |codes, at| {
            if let Some(x) = x.get(at..) {
                total += ops.dot_affine(codes, affine, x);
            }
        },
    );
    total
}
