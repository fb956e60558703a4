//! `Q35P` on the vector tiers, eight rows at a time: the product with one vector, and tiles for batches.
//!
//! A group that is not full is widened into a full one: each of its 7 `m` bytes to 7 times 16, and the activations by
//! sixteenths of the group likewise, so that every level still meets the activation of its column.
//!
//! Bounds: [`super::q35p`] has those of sums; those of lanes are at the products.

use crate::quant::ActBlock;
use crate::quant::q35p::{GROUP_BYTES, GROUP_LEN, STEP_3, STEP_4, TRAILER_BYTES, UNIT_BYTES, UNIT_LEN};
use crate::simd::codebook::CodebookLanes;
use crate::simd::lanes::{Lanes, map_eight, map_four};

use super::q35p::shorts;
use super::ternary::{Aligned, BLOCKS};
use super::tile::{Many, Tiled, Totals};

type Group = [u8; GROUP_BYTES];

/// The codes of group `i` of rows of `cols` columns, in the order of a widened group.
#[inline(always)]
fn arrange(act: &ActBlock, cols: usize, i: usize, out: &mut [i8; GROUP_LEN]) {
    let units = (cols - GROUP_LEN * i).div_ceil(UNIT_LEN);
    if units >= GROUP_LEN / UNIT_LEN {
        *out = act.codes;
        return;
    }
    *out = [0; GROUP_LEN];
    for (out, codes) in out.as_chunks_mut::<16>().0.iter_mut().zip(act.codes.chunks_exact(units.max(1))) {
        for (out, &code) in out.iter_mut().zip(codes) {
            *out = code;
        }
    }
}

/// Group `i` of the codes of a row; if it is not full, widened into `room`.
#[inline(always)]
fn group_of<'a>(row: &'a [u8], i: usize, room: &'a mut Group) -> &'a Group {
    let codes = row.get(..row.len().saturating_sub(TRAILER_BYTES)).unwrap_or_default();
    let group = codes.get(i * GROUP_BYTES..).unwrap_or_default();
    if let Some(full) = group.first_chunk() {
        return full;
    }
    let units = group.len() / UNIT_BYTES;
    for (to, from) in room.as_chunks_mut::<16>().0.iter_mut().zip(group.chunks_exact(units.max(1))) {
        for (to, &from) in to.iter_mut().zip(from) {
            *to = from;
        }
    }
    room
}

/// Scales and offsets of eight rows.
#[inline(always)]
fn affine<L: Lanes>(l: L, eight: &[u8]) -> [L::Rows; 2] {
    let (mut scales, mut offsets) = ([0.0f32; 8], [0.0f32; 8]);
    let rows = eight.chunks_exact((eight.len() / 8).max(1)).zip(scales.iter_mut().zip(&mut offsets));
    for (row, (scale, offset)) in rows {
        if let Some([a, b, c, d, e, f, g, h]) = row.last_chunk::<TRAILER_BYTES>() {
            *scale = f32::from_le_bytes([*a, *b, *c, *d]);
            *offset = f32::from_le_bytes([*e, *f, *g, *h]);
        }
    }
    [l.load_rows(&scales), l.load_rows(&offsets)]
}

/// `totals + by * (scales * (sums + offset) + offsets * all)`. |all| <= 2^15, so it is exact as a float.
#[inline(always)]
fn add_affine<L: Lanes>(
    l: L,
    totals: L::Rows,
    by: f32,
    [scales, offsets]: [L::Rows; 2],
    (sums, offset): (L::Ints, i32),
    all: f32,
) -> L::Rows {
    let base = l.add_times(l.load_rows(&[0.0; 8]), all, offsets);
    l.add_times(totals, by, l.add_scaled(base, 1.0, scales, sums, offset))
}

#[inline(always)]
fn sum_of_codes(act: &ActBlock) -> f32 {
    sum(&act.sums) as f32
}

#[inline(always)]
fn sum<T: Copy + Into<i32>>(values: &[T]) -> i32 {
    values.iter().map(|&v| v.into()).sum()
}

/// `y += W a` for rows of `cols` columns, as many as come out even with eight; `y` has one value for each.
#[inline(always)]
pub(crate) fn matvec<L: Lanes>(
    l: L,
    data: &[u8],
    row_bytes: usize,
    cols: usize,
    acts: &[ActBlock],
    y: &mut [f32],
) {
    let mut sums = [[l.no_ints(); 8]; BLOCKS];
    let mut codes = [Aligned([0i8; GROUP_LEN]); BLOCKS];
    for (part, acts) in acts.chunks(BLOCKS).enumerate() {
        for ((i, codes), act) in (part * BLOCKS..).zip(&mut codes).zip(acts) {
            arrange(act, cols, i, &mut codes.0);
        }
        let codes = codes.get(..acts.len()).unwrap_or_default();
        let eights = data.chunks_exact((8 * row_bytes).max(1));
        for (y, eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(eights) {
            for (r, row) in (0..8).zip(eight.chunks_exact(row_bytes.max(1))) {
                for ((i, codes), sums) in (part * BLOCKS..).zip(codes).zip(&mut sums) {
                    let mut room = [0; GROUP_BYTES];
                    let (fours, threes) = shorts(l, group_of(row, i, &mut room), &codes.0);
                    if let Some(sum) = sums.get_mut(r) {
                        let four = l.add_shorts_times(l.no_ints(), fours, STEP_4);
                        *sum = l.add_shorts_times(four, threes, STEP_3);
                    }
                }
            }
            let affine = affine(l, eight);
            let mut totals = l.load_rows(y);
            for (sums, act) in sums.iter().zip(acts) {
                let sums = (l.total_eight(*sums), 0);
                totals = add_affine(l, totals, act.scale, affine, sums, sum_of_codes(act));
            }
            *y = l.store_rows(totals);
        }
    }
}

pub(crate) struct Q35P;

/// What tiles hold less than levels, so that they are small signed numbers: 4-bit ones -8..=7, 3-bit ones -4..=3.
const CENTRE_4: i8 = 8;
const CENTRE_3: i8 = 4;

/// A block of activations in the order of a widened group, as [`Lanes::add_group_products`] takes it.
#[derive(Clone, Copy)]
pub(crate) struct Vector {
    codes: [[u8; 4]; 64],
    scale: f32,
    all: f32,
    /// What the centres make with the activations.
    offset: i32,
}

/// What a block adds to the totals of eight rows, beside products.
pub(crate) struct Eight<L: Lanes> {
    affine: [L::Rows; 2],
    correction: L::Ints,
}

impl<L: Lanes> Clone for Eight<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lanes> Copy for Eight<L> {}

/// Bytes `at..at + 32` of eight groups, four bytes of each of them by turns.
#[inline(always)]
fn columns<L: Lanes>(l: L, groups: [&Group; 8], at: usize) -> [L::Bytes; 8] {
    l.transpose(map_eight(
        groups,
        #[inline(always)]
        |group| l.load(group.get(at..).and_then(|g| g.first_chunk()).unwrap_or(&[0; 32])),
    ))
}

/// The centred 3-bit levels whose lower bits are bits 0-1 and 2-3 of `low`, the upper ones bits 0 and 2 of `high`.
#[inline(always)]
fn two_levels<L: Lanes>(l: L, low: L::Bytes, high: L::Bytes) -> [L::Bytes; 2] {
    let (twice, bit) = (l.add(high, high), l.splat(0x04));
    let first = l.add(l.and(low, l.splat(0x03)), l.and(l.add(twice, twice), bit));
    let second = l.add(l.quarters(l.and(low, l.splat(0x0C))), l.and(high, bit));
    let centre = l.splat(CENTRE_3 as u8);
    [l.sub(first, centre), l.sub(second, centre)]
}

impl<L: CodebookLanes> Tiled<L> for Q35P {
    /// Centred levels of four columns: 32 steps of 4-bit ones, 32 of 3-bit ones.
    type Tile = [[u8; 32]; 64];
    type Vector = Vector;
    type Eight = Eight<L>;

    #[inline(always)]
    fn no_tile() -> [[u8; 32]; 64] {
        [[0; 32]; 64]
    }

    #[inline(always)]
    fn no_vector() -> Vector {
        Vector { codes: [[0; 4]; 64], scale: 0.0, all: 0.0, offset: 0 }
    }

    #[inline(always)]
    fn no_eight(l: L) -> Eight<L> {
        Eight { affine: [l.load_rows(&[0.0; 8]); 2], correction: l.no_ints() }
    }

    #[inline(always)]
    fn vector(_: L, act: &ActBlock, cols: usize, i: usize, out: &mut Vector) {
        let mut codes = [0i8; GROUP_LEN];
        arrange(act, cols, i, &mut codes);
        for (out, &code) in out.codes.as_flattened_mut().iter_mut().zip(&codes) {
            *out = (code as u8).wrapping_add(L::BIAS);
        }
        (out.scale, out.all) = (act.scale, sum_of_codes(act));
        let [fours, threes] = if GROUP_LEN * (i + 1) <= cols {
            let [fours, threes]: &[[i16; 8]; 2] = bytemuck::must_cast_ref(&act.sums);
            [sum(fours), sum(threes)]
        } else {
            let [fours, threes]: &[[i8; GROUP_LEN / 2]; 2] = bytemuck::must_cast_ref(&codes);
            [sum(fours), sum(threes)]
        };
        out.offset = STEP_4 as i32 * CENTRE_4 as i32 * fours + STEP_3 as i32 * CENTRE_3 as i32 * threes;
    }

    #[inline(always)]
    fn fill(l: L, eight: &[u8], _: usize, i: usize, tile: &mut [[u8; 32]; 64]) -> Eight<L> {
        let mut rooms = [[0u8; GROUP_BYTES]; 8];
        let mut groups = [&[0u8; GROUP_BYTES]; 8];
        let rows = eight.chunks_exact((eight.len() / 8).max(1));
        for ((row, room), group) in rows.zip(&mut rooms).zip(&mut groups) {
            *group = group_of(row, i, room);
        }
        let (fours, threes) = tile.split_at_mut(32);
        // Byte `j` has columns `j` and `j + 64`.
        let (nibble, centre) = (l.splat(0x0F), l.splat(CENTRE_4 as u8));
        // Of 16 steps, so that a byte holds them: -128 at least.
        let (mut low_sum, mut high_sum, mut three_sum) = (l.splat(0), l.splat(0), l.splat(0));
        let [low, high] = fours.as_chunks_mut::<16>().0 else { return Self::no_eight(l) };
        for (at, (low, high)) in
            [0, 32].into_iter().zip(low.as_chunks_mut::<8>().0.iter_mut().zip(high.as_chunks_mut::<8>().0))
        {
            for (bytes, (low, high)) in columns(l, groups, at).into_iter().zip(low.iter_mut().zip(high)) {
                let levels = l.sub(l.and(bytes, nibble), centre);
                (*low, low_sum) = (l.store(levels), l.add(low_sum, levels));
                let levels = l.sub(l.and(l.upper_halves(bytes), nibble), centre);
                (*high, high_sum) = (l.store(levels), l.add(high_sum, levels));
            }
        }
        // Bits 2 k and 2 k + 1 of byte `j` belong to column `128 + 32 k + j`, and so do those of the high bits: bit 2 k of
        // byte `j` for j < 16, bit 2 k + 1 of byte `j - 16` for the others.
        let lows = columns(l, groups, 64);
        let [.., h0, h1, h2, h3] = columns(l, groups, 80);
        let upper = [h0, h1, h2, h3];
        let even = map_four(
            upper,
            #[inline(always)]
            |h| l.and(h, l.splat(0x55)),
        );
        let odd = map_four(
            upper,
            #[inline(always)]
            |h| l.half(l.and(h, l.splat(0xAA))),
        );
        let highs = even.into_iter().chain(odd);
        let [p0, p1, p2, p3] = threes.as_chunks_mut::<8>().0 else { return Self::no_eight(l) };
        let steps = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
        for (((s0, s1), (s2, s3)), (low, high)) in steps.zip(lows.into_iter().zip(highs)) {
            let [l0, l1] = two_levels(l, low, high);
            let [l2, l3] = two_levels(l, l.upper_halves(low), l.upper_halves(high));
            for (step, levels) in [s0, s1, s2, s3].into_iter().zip([l0, l1, l2, l3]) {
                *step = l.store(levels);
                three_sum = l.add(three_sum, levels);
            }
        }
        let mut correction = l.no_ints();
        for (levels, by) in [(low_sum, STEP_4), (high_sum, STEP_4), (three_sum, STEP_3)] {
            let quads = l.add_group_products(l.no_quads(), l.splat(L::BIAS), levels);
            correction = l.add_quads_times(correction, quads, -by);
        }
        Eight { affine: affine(l, eight), correction }
    }

    /// Bounds: 8 steps of 4-bit levels are at most 8 * 8 * 255 * 2 = 32,640, as are 16 of 3-bit ones, in an i16.
    #[inline(always)]
    fn product<const T: usize>(
        l: L,
        tiles: &Many<[[u8; 32]; 64], T>,
        rows: &[Eight<L>; T],
        [v0, v1]: &[Vector; 2],
        [totals0, totals1]: &mut [Totals<T>; 2],
    ) {
        let mut sums = [[l.no_ints(); 2]; T];
        for (sums, rows) in sums.iter_mut().zip(rows) {
            *sums = [rows.correction; 2];
        }
        let [fours0, threes0]: &[[[u8; 4]; 32]; 2] = bytemuck::must_cast_ref(&v0.codes);
        let [fours1, threes1]: &[[[u8; 4]; 32]; 2] = bytemuck::must_cast_ref(&v1.codes);
        add_levels::<L, T, 8, 0>(l, tiles, (fours0, fours1), STEP_4, &mut sums);
        add_levels::<L, T, 16, 32>(l, tiles, (threes0, threes1), STEP_3, &mut sums);
        for ((([s0, s1], rows), t0), t1) in sums.into_iter().zip(rows).zip(totals0).zip(totals1) {
            let affine = rows.affine;
            let (first, second) = (l.load_rows(t0), l.load_rows(t1));
            *t0 = l.store_rows(add_affine(l, first, v0.scale, affine, (s0, v0.offset), v0.all));
            *t1 = l.store_rows(add_affine(l, second, v1.scale, affine, (s1, v1.offset), v1.all));
        }
    }
}

/// Adds `by` times the products of 32 steps of levels from step `FROM` on, `STEPS` of them between two times that sums
/// are widened.
#[inline(always)]
fn add_levels<L: Lanes, const T: usize, const STEPS: usize, const FROM: usize>(
    l: L,
    tiles: &Many<[[u8; 32]; 64], T>,
    (codes0, codes1): (&[[u8; 4]; 32], &[[u8; 4]; 32]),
    by: i8,
    sums: &mut [[L::Ints; 2]; T],
) {
    let again = if L::FOLDS { core::hint::black_box(tiles) } else { tiles };
    let codes = codes0.as_chunks::<STEPS>().0.iter().zip(codes1.as_chunks::<STEPS>().0);
    for (part, (c0, c1)) in codes.enumerate() {
        let mut quads = [[l.no_quads(); 2]; T];
        for (step, (c0, c1)) in (FROM + STEPS * part..).zip(c0.iter().zip(c1)) {
            let (a0, a1) = (l.four_bytes(c0), l.four_bytes(c1));
            for ((tile, again), [q0, q1]) in tiles.0.iter().zip(&again.0).zip(&mut quads) {
                let (Some(levels), Some(again)) = (tile.get(step), again.get(step)) else { continue };
                *q0 = l.add_group_products(*q0, a0, l.load(levels));
                *q1 = l.add_group_products(*q1, a1, l.load(again));
            }
        }
        for ([q0, q1], [s0, s1]) in quads.into_iter().zip(sums.iter_mut()) {
            (*s0, *s1) = (l.add_quads_times(*s0, q0, by), l.add_quads_times(*s1, q1, by));
        }
    }
}
