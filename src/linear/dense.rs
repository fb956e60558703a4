//! Dense ternary on the vector tiers, eight rows at a time: tiles for batches, and the product with one vector. Its
//! groups of 160 columns lie across the blocks of 256 that activations have.

use crate::quant::{ActBlock, dense_ternary};
use crate::simd::lanes::{Lanes, map_eight};

use super::base3;
use super::sources::{Source, Tile};

/// Columns of a plane: those of one digit of the 32 bytes of a group.
const PLANE: usize = 32;
/// Planes of a block of activations.
const PLANES: usize = 8;
/// 1, as f16: the scale of a row is applied to its sum.
const ONE: u16 = 0x3C00;

pub(crate) struct Dense;

/// The bytes of eight rows without their scales.
#[inline(always)]
fn digits(eight: &[u8]) -> [&[u8]; 8] {
    let mut rows = [&[] as &[u8]; 8];
    for (digits, row) in rows.iter_mut().zip(eight.chunks_exact((eight.len() / 8).max(1))) {
        *digits = row.get(..row.len().saturating_sub(dense_ternary::SCALE_BYTES)).unwrap_or_default();
    }
    rows
}

/// A full group of eight rows, four bytes of each of them by turns.
#[inline(always)]
fn group_of<L: Lanes>(l: L, rows: [&[u8]; 8], group: usize) -> [L::Bytes; 8] {
    let at = group * dense_ternary::GROUP_BYTES;
    l.transpose(map_eight(
        rows,
        #[inline(always)]
        |row| l.load(row.get(at..).and_then(|r| r.first_chunk()).unwrap_or(&[0; 32])),
    ))
}

/// `y = W a` for rows of `cols` columns, as many as come out even with eight.
#[inline(always)]
pub(crate) fn matvec<L: Lanes>(
    l: L,
    data: &[u8],
    row_bytes: usize,
    cols: usize,
    acts: &[ActBlock],
    y: &mut [f32],
) {
    let eights = data.chunks_exact((8 * row_bytes).max(1));
    for (y, eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(eights) {
        *y = Dense::finish(eight, eight_rows(l, digits(eight), cols, acts));
    }
}

/// The outputs of eight rows, before their scales.
///
/// Bounds: digits are at most 2, so that 63 calls of `add_group_digits` are allowed; here they are 8.
#[inline(always)]
fn eight_rows<L: Lanes>(l: L, rows: [&[u8]; 8], cols: usize, acts: &[ActBlock]) -> [f32; 8] {
    let full = cols / dense_ternary::GROUP_LEN;
    let mut totals = l.load_rows(&[0.0; 8]);
    let mut sums = l.no_ints();
    let mut planes = (0..PLANES * acts.len()).zip(acts.iter().flat_map(
        #[inline(always)]
        |act| act.codes.as_chunks::<4>().0.as_chunks::<8>().0,
    ));
    for group in 0..full {
        let mut bytes = group_of(l, rows, group);
        for (plane, codes) in planes.by_ref().take(dense_ternary::TRITS_PER_BYTE) {
            let mut quads = l.no_quads();
            for (bytes, code) in bytes.iter_mut().zip(codes) {
                quads = l.add_group_digits(
                    quads,
                    base3::digit(l, *bytes),
                    l.four_bytes(bytemuck::must_cast_ref(code)),
                );
                *bytes = base3::next(l, *bytes);
            }
            sums = l.add_quads(sums, quads);
            if plane % PLANES == PLANES - 1 {
                totals = close(l, totals, sums, acts.get(plane / PLANES));
                sums = l.no_ints();
            }
        }
    }
    // What is left of the row, and of its last block of activations, as a tile of digits.
    let column = full * dense_ternary::GROUP_LEN;
    let mut tile: Tile = [[0; 32]; 64];
    if column < cols {
        fill_tail(&rows, cols, column, &mut tile);
    }
    let one = l.splat(1);
    let steps = tile.as_chunks::<8>().0.iter().chain(core::iter::repeat(&[[0u8; 32]; 8]));
    for ((plane, codes), steps) in planes.zip(steps) {
        let mut quads = l.no_quads();
        for (step, code) in steps.iter().zip(codes) {
            quads = l.add_group_digits(
                quads,
                l.add(l.load(step), one),
                l.four_bytes(bytemuck::must_cast_ref(code)),
            );
        }
        sums = l.add_quads(sums, quads);
        if plane % PLANES == PLANES - 1 {
            totals = close(l, totals, sums, acts.get(plane / PLANES));
            sums = l.no_ints();
        }
    }
    l.store_rows(totals)
}

/// Adds the sums of digits of a block.
#[inline(always)]
fn close<L: Lanes>(l: L, totals: L::Rows, sums: L::Ints, act: Option<&ActBlock>) -> L::Rows {
    let Some(act) = act else { return totals };
    let offset = -act.sums.iter().map(|&s| s as i32).sum::<i32>();
    l.add_scaled(totals, act.scale, l.load_rows(&[1.0; 8]), sums, offset)
}

impl Source for Dense {
    #[inline(always)]
    fn only_trits(_: &[u8], _: usize) -> bool {
        true
    }

    #[inline(always)]
    fn fill<L: Lanes>(l: L, eight: &[u8], cols: usize, i: usize, tile: &mut Tile) -> ([u16; 8], L::Bytes) {
        let rows = digits(eight);
        let full = cols / dense_ternary::GROUP_LEN;
        let start = PLANES * i;
        let mut sum = l.splat(0);
        let mut filled = 0;
        let groups = start / 5..((start + PLANES).div_ceil(5)).min(full);
        for group in groups {
            let mut bytes = group_of(l, rows, group);
            for plane in 5 * group..5 * group + 5 {
                // None for planes that belong to the block before or after.
                let to = plane.checked_sub(start).and_then(|p| tile.as_chunks_mut::<8>().0.get_mut(p));
                if let Some(steps) = to {
                    for (step, bytes) in steps.iter_mut().zip(bytes) {
                        let trits = l.sub(base3::digit(l, bytes), l.splat(1));
                        *step = l.store(trits);
                        sum = l.add(sum, trits);
                    }
                    filled = plane + 1 - start;
                }
                for bytes in &mut bytes {
                    *bytes = base3::next(l, *bytes);
                }
            }
        }
        if let Some(rest) = tile.get_mut(PLANE / 4 * filled..)
            && !rest.is_empty()
        {
            let sums = fill_tail(&rows, cols, PLANE * (start + filled), rest);
            sum = l.add(sum, l.load(&sums));
        }
        ([ONE; 8], sum)
    }

    #[inline(always)]
    fn matvec<L: Lanes>(l: L, data: &[u8], cols: usize, acts: &[ActBlock], y: &mut [f32]) {
        matvec(l, data, data.len() / y.len().max(1), cols, acts, y);
    }

    #[inline(always)]
    fn finish(eight: &[u8], mut y: [f32; 8]) -> [f32; 8] {
        for (y, row) in y.iter_mut().zip(eight.chunks_exact((eight.len() / 8).max(1))) {
            *y *= dense_ternary::split_row(row).map_or(0.0, |(_, scale)| scale);
        }
        y
    }
}

/// The trits from `column` on, of the group that is not full, and zeros where the row has ended; returns their sums as
/// bytes, as [`Source::fill`] does.
#[inline(never)]
fn fill_tail(rows: &[&[u8]; 8], cols: usize, column: usize, steps: &mut [[u8; 32]]) -> [u8; 32] {
    let full = cols / dense_ternary::GROUP_LEN;
    steps.fill([0; 32]);
    // Blocks before this one had the first part of the tail, or the groups before it fill the first part of this one:
    // whole planes, so whole steps.
    let begin = full * dense_ternary::GROUP_LEN;
    let (skipped, from) = (column.saturating_sub(begin), begin.saturating_sub(column));
    for (r, row) in rows.iter().enumerate() {
        let tail = row.get(full * dense_ternary::GROUP_BYTES..).unwrap_or_default();
        let mut codes = [0i8; dense_ternary::GROUP_LEN];
        if let Some(codes) = codes.get_mut(..cols % dense_ternary::GROUP_LEN) {
            dense_ternary::unpack_group(tail, codes);
        }
        let fours: &[[u8; 4]; dense_ternary::GROUP_LEN / 4] = bytemuck::must_cast_ref(&codes);
        let fours = fours.get(skipped / 4..).unwrap_or_default();
        for (step, four) in steps.get_mut(from / 4..).unwrap_or_default().iter_mut().zip(fours) {
            if let Some(to) = step.as_chunks_mut::<4>().0.get_mut(r) {
                *to = *four;
            }
        }
    }
    let mut sums = [0u8; 32];
    for step in steps {
        for (sum, &trit) in sums.iter_mut().zip(step.iter()) {
            *sum = sum.wrapping_add(trit);
        }
    }
    sums
}
