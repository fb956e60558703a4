//! One packed row times one vector, for every format, on the products of a tier.
//!
//! The float order with int8 activations, the same on every tier: for each activation block in turn,
//! `inner` = sum over the weight scales in it (in order) of `scale * integer sum`, then
//! `total += activation scale * inner`. Dense ternary multiplies its one scale at the end.

use crate::quant::{ActBlock, Format, dense_ternary, five_level, q8_0, tq1_0, tq2_0};

use super::ops::Ops;
use super::q35p;

/// A packed row times int8 activations of the same length. Shapes were checked by the caller; anything
/// missing counts as zero.
#[inline(always)]
pub(crate) fn dot<O: Ops>(ops: O, format: Format, row: &[u8], cols: usize, acts: &[ActBlock]) -> f32 {
    match format {
        Format::Tq1_0 => ternary_blocks::<{ tq1_0::CODE_BYTES }, { tq1_0::BLOCK_BYTES }, _>(
            row,
            acts,
            #[inline(always)]
            |q, a| ops.tq1_0(q, a),
        ),
        Format::Tq2_0 => ternary_blocks::<{ tq2_0::CODE_BYTES }, { tq2_0::BLOCK_BYTES }, _>(
            row,
            acts,
            #[inline(always)]
            |q, a| ops.tq2_0(q, a),
        ),
        Format::Q8_0 => q8_blocks(ops, row, acts),
        Format::DenseTernary => dense(ops, row, cols, acts),
        Format::FiveLevel => five(ops, row, cols, acts),
        Format::Q35P => q35p::dot(ops, row, acts),
        Format::Q35B => super::q35b::dot(row, cols, acts),
    }
}

/// The sum of all codes of an activation block. |sum| <= 256 * 128.
#[inline(always)]
fn code_sum(act: &ActBlock) -> i32 {
    act.sums.iter().map(|&s| s as i32).sum()
}

/// The sum of 64 codes, from the sums of 16.
#[inline(always)]
fn code_sum_64(act: &ActBlock, quarter: usize) -> i32 {
    act.sums.iter().skip(4 * quarter).take(4).map(|&s| s as i32).sum()
}

#[inline(always)]
fn ternary_blocks<const CODES: usize, const BYTES: usize, F: Fn(&[u8; CODES], &[i8; 256]) -> i32>(
    row: &[u8],
    acts: &[ActBlock],
    product: F,
) -> f32 {
    let (blocks, _) = row.as_chunks::<BYTES>();
    let mut total = 0.0f32;
    for (block, act) in blocks.iter().zip(acts) {
        let Some((q, &[s0, s1])) = block.split_first_chunk::<CODES>() else { continue };
        let scale = crate::math::f16_from_le([s0, s1]);
        let sum = product(q, &act.codes) - code_sum(act);
        total += act.scale * (scale * sum as f32);
    }
    total
}

#[inline(always)]
fn q8_blocks<O: Ops>(ops: O, row: &[u8], acts: &[ActBlock]) -> f32 {
    let mut total = 0.0f32;
    for (blocks, act) in row.chunks(8 * q8_0::BLOCK_BYTES).zip(acts) {
        let (blocks, _) = blocks.as_chunks::<{ q8_0::BLOCK_BYTES }>();
        let mut inner = 0.0f32;
        for (block, a) in blocks.iter().zip(act.codes.chunks_exact(q8_0::BLOCK_LEN)) {
            let [s0, s1, q @ ..] = block;
            let sum = ops.dot_i8(bytemuck::must_cast_ref::<[u8; 32], [i8; 32]>(q), a);
            inner += crate::math::f16_from_le([*s0, *s1]) * sum as f32;
        }
        total += act.scale * inner;
    }
    total
}

#[inline(always)]
fn five<O: Ops>(ops: O, row: &[u8], cols: usize, acts: &[ActBlock]) -> f32 {
    const ZERO: &[i8; 64] = &[0; 64];
    let full = cols / five_level::BLOCK_LEN;
    let (blocks, _) = row.as_chunks::<{ five_level::BLOCK_BYTES }>();
    let blocks = blocks.get(..full).unwrap_or_default();
    let (mut total, mut inner) = (0.0f32, 0.0f32);
    // Planes of 64 weights in order; four of them make an activation block, three a weight block.
    let mut plane = 0usize;
    let quarters = |i: usize| -> &[i8; 64] {
        acts.get(i / 4).map_or(ZERO, |act| {
            let quarters: &[[i8; 64]; 4] = bytemuck::must_cast_ref(&act.codes);
            quarters.get(i % 4).unwrap_or(ZERO)
        })
    };
    for block in blocks {
        let [q @ .., s0, s1] = block;
        let q: &[u8; five_level::CODE_BYTES] = q;
        let half_scale = 0.5 * crate::math::f16_from_le([*s0, *s1]);
        let sums = ops.five_level(q, &[quarters(plane), quarters(plane + 1), quarters(plane + 2)]);
        let mut run = 0;
        for (k, sum) in sums.into_iter().enumerate() {
            let i = plane + k;
            run += match acts.get(i / 4) {
                Some(act) => sum - 2 * code_sum_64(act, i % 4),
                None => 0,
            };
            // The integer sum of a (weight block, activation block) pair is closed where either ends.
            if i % 4 == 3 || k == 2 {
                inner += half_scale * run as f32;
                run = 0;
            }
            if i % 4 == 3 {
                total += acts.get(i / 4).map_or(0.0, |act| act.scale * inner);
                inner = 0.0;
            }
        }
        plane += 3;
    }
    // Up to 191 weights are left, whose planes need not fall on block borders; and perhaps an activation block
    // that the row does not fill.
    let start = full * five_level::BLOCK_LEN;
    let mut codes = [0i8; five_level::BLOCK_LEN];
    let codes = codes.get_mut(..cols.saturating_sub(start)).unwrap_or_default();
    let mut half_scale = 0.0;
    if !codes.is_empty() {
        let tail = row.get(full * five_level::BLOCK_BYTES..).unwrap_or_default();
        half_scale = 0.5 * five_level::unpack_tail(tail, codes);
    }
    let mut rest: &[i8] = codes;
    let mut at = start;
    while let Some(act) = acts.get(at / 256) {
        let here = (256 - at % 256).min(rest.len());
        let (codes, later) = rest.split_at_checked(here).unwrap_or_default();
        if here > 0 {
            let sum = ops.dot_i8(codes, act.codes.get(at % 256..).unwrap_or_default());
            inner += half_scale * sum as f32;
        }
        total += act.scale * inner;
        inner = 0.0;
        at += here;
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    total
}

#[inline(always)]
fn dense<O: Ops>(ops: O, row: &[u8], cols: usize, acts: &[ActBlock]) -> f32 {
    const ZERO: &[i8; 32] = &[0; 32];
    let Some((q, scale)) = dense_ternary::split_row(row) else { return 0.0 };
    let (groups, tail) = q.as_chunks::<{ dense_ternary::GROUP_BYTES }>();
    let (mut total, mut inner) = (0.0f32, 0i32);
    // Planes of 32 weights in order; eight of them make an activation block.
    let eighths = |i: usize| -> &[i8; 32] {
        acts.get(i / 8).map_or(ZERO, |act| {
            let eighths: &[[i8; 32]; 8] = bytemuck::must_cast_ref(&act.codes);
            eighths.get(i % 8).unwrap_or(ZERO)
        })
    };
    let mut plane = 0usize;
    for q in groups {
        let planes = [0, 1, 2, 3, 4].map(|k| eighths(plane + k));
        for sum in ops.base3(q, &planes) {
            inner += sum;
            plane += 1;
            if plane.is_multiple_of(8)
                && let Some(act) = acts.get(plane / 8 - 1)
            {
                total += act.scale * (inner - code_sum(act)) as f32;
                inner = 0;
            }
        }
    }
    // Up to 159 weights are left: as trits, whose planes need not fall on block borders.
    let start = groups.len() * dense_ternary::GROUP_LEN;
    let mut codes = [0i8; dense_ternary::GROUP_LEN];
    let codes = codes.get_mut(..cols.saturating_sub(start)).unwrap_or_default();
    dense_ternary::unpack_group(tail, codes);
    // `inner` holds digits of the block that the groups left open: take the offset out of it.
    if let Some(act) = acts.get(plane / 8) {
        let offset: i32 = act.sums.iter().take(2 * (plane % 8)).map(|&s| s as i32).sum();
        inner -= offset;
    }
    let mut rest: &[i8] = codes;
    let mut at = start;
    while let Some(act) = acts.get(at / 256) {
        let here = (256 - at % 256).min(rest.len());
        let (codes, later) = rest.split_at_checked(here).unwrap_or_default();
        inner += ops.dot_i8(codes, act.codes.get(at % 256..).unwrap_or_default());
        total += act.scale * inner as f32;
        inner = 0;
        at += here;
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    scale * total
}

/// Calls `visit(codes, first column, scale)` for each block of a row, in order. `scale` is the value of code
/// 1; for dense ternary it is the row's, for all groups.
#[inline(always)]
pub(crate) fn for_each_block(
    format: Format,
    row: &[u8],
    cols: usize,
    mut visit: impl FnMut(&[i8], usize, f32),
) {
    match format {
        Format::Tq1_0 => blocks(row, cols, 1.0, tq1_0::unpack, visit),
        Format::Tq2_0 => blocks(row, cols, 1.0, tq2_0::unpack, visit),
        Format::Q8_0 => blocks(row, cols, 1.0, q8_0::unpack, visit),
        Format::FiveLevel => {
            let full = cols / five_level::BLOCK_LEN;
            for (i, block) in row.chunks(five_level::BLOCK_BYTES).enumerate() {
                let start = i * five_level::BLOCK_LEN;
                let mut codes = [0i8; five_level::BLOCK_LEN];
                match block.first_chunk() {
                    Some(block) if i < full => {
                        let scale = five_level::unpack(block, &mut codes);
                        visit(&codes, start, 0.5 * scale);
                    }
                    _ => {
                        let codes = codes.get_mut(..cols.saturating_sub(start)).unwrap_or_default();
                        let scale = five_level::unpack_tail(block, codes);
                        visit(codes, start, 0.5 * scale);
                    }
                }
            }
        }
        // Its scales are finer than its blocks: `q35b.rs` goes over them.
        Format::Q35B => {}
        Format::DenseTernary => {
            let Some((q, scale)) = dense_ternary::split_row(row) else { return };
            for (i, q) in q.chunks(dense_ternary::GROUP_BYTES).enumerate() {
                let start = i * dense_ternary::GROUP_LEN;
                let mut codes = [0i8; dense_ternary::GROUP_LEN];
                let len = cols.saturating_sub(start).min(dense_ternary::GROUP_LEN);
                let codes = codes.get_mut(..len).unwrap_or_default();
                dense_ternary::unpack_group(q, codes);
                visit(codes, start, scale);
            }
        }
        Format::Q35P => {} // its codes have an offset too: `q35p::dot_f32`
    }
}

#[inline(always)]
fn blocks<const LEN: usize, const BYTES: usize>(
    row: &[u8],
    cols: usize,
    unit: f32,
    unpack: impl Fn(&[u8; BYTES], &mut [i8; LEN]) -> f32,
    mut visit: impl FnMut(&[i8], usize, f32),
) {
    let (packed, _) = row.as_chunks::<BYTES>();
    for (i, block) in packed.iter().enumerate() {
        let mut codes = [0i8; LEN];
        let scale = unit * unpack(block, &mut codes);
        let len = cols.saturating_sub(i * LEN).min(LEN);
        visit(codes.get(..len).unwrap_or_default(), i * LEN, scale);
    }
}

/// A packed row times f32 activations: per block the 16-lane sum of `code * x`, then
/// `total += scale * that`, blocks in order.
#[inline(always)]
pub(crate) fn dot_f32<O: Ops>(ops: O, format: Format, row: &[u8], cols: usize, x: &[f32]) -> f32 {
    if format == Format::Q35B {
        return super::q35b::dot_f32(ops, row, cols, x);
    }
    if format == Format::Q35P {
        return q35p::dot_f32(ops, row, cols, x);
    }
    let mut total = 0.0f32;
    for_each_block(
        format,
        row,
        cols,
        #[inline(always)]
        |codes, start, scale| {
            if let Some(x) = x.get(start..) {
                total += scale * ops.dot_codes(codes, x);
            }
        },
    );
    total
}
