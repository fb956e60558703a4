//! Five-level weights on the vector tiers, eight rows at a time: the product with one vector, and tiles for batches.
//!
//! With `N_k = floor(q 5^k / 128)` of a triple `q`, digit `k` is `N_(k+1) - 5 N_k`. So, as for base 3
//! ([`super::table`]), digits need no extraction: `sum of d_k a_k = sum over k = 1..=3 of N_k b_k` with
//! `b_k = a_(k-1) - 5 a_k` and `a_3 = 0`. A block of 192 columns may lie across two blocks of activations, which have
//! scales of their own: then there are two such sums, in each of which the activations of the other one are 0.
//!
//! Bounds: |b_k| <= 6 * 128 = 768 and N_3 <= 124, N_2 <= 24, N_1 <= 4, so that the products of a triple stay below
//! 124 * 128 + 28 * 768 = 37,376, those of a block below 64 * 37,376 < 2^22.

use crate::quant::{ActBlock, five_level};
use crate::simd::lanes::Lanes;

use super::ternary::Aligned;
use super::tile::{Many, Tiled, Totals};
use super::trits::{Biased, correction};

/// Weight blocks that are summed before they are scaled: 24 end where the eighteenth block of activations does, so that no
/// sum is left open. Rows of 4096 columns are gone over once: in pieces memory gives them more slowly.
const BLOCKS: usize = 24;
/// Columns of a plane: those of one digit of the triples of a full block.
const PLANE: usize = five_level::TRIPLES;

/// The triples of a block as the kernels take them: two vectors, 7 bits a byte.
type Triples<L> = [<L as Lanes>::Bytes; 2];

/// Coefficients of one sum: for k = 1..=3 the even and the odd triples 0..32, then those of 32..64.
type Coefficients = [[[i16; 16]; 4]; 3];

/// The powers that give N_1, N_2, N_3 as upper bytes: twice those of five, as triples have 7 bits.
const POWERS: [[u16; 16]; 3] = [[10; 16], [50; 16], [250; 16]];

/// What all rows multiply a weight block with.
#[derive(Clone, Copy)]
struct Operand {
    sums: Aligned<[Coefficients; 2]>,
    /// -2 times the sum of the activations: digits are levels plus 2.
    offsets: [i32; 2],
    /// Whether there is a second sum.
    two: bool,
    /// The scale of the activations, where a sum is the last of their block.
    closes: [Option<f32>; 2],
}

impl Operand {
    const ZERO: Operand =
        Operand { sums: Aligned([[[[0; 16]; 4]; 3]; 2]), offsets: [0; 2], two: false, closes: [None; 2] };

    /// Block `block` of rows of `cols` columns.
    #[inline(always)]
    fn new(block: usize, cols: usize, acts: &[ActBlock]) -> Operand {
        let start = block * five_level::BLOCK_LEN;
        let len = (cols - start).min(five_level::BLOCK_LEN);
        let first = start / 256;
        let border = 256 * (first + 1) - start;
        let mut operand = Operand::ZERO;
        operand.two = border < len;
        let n = len.div_ceil(3);
        // Triples beyond the bytes that are there stand in the last eight places.
        let held = (7 * n).div_ceil(8);
        for (part, (sums, offset)) in operand.sums.0.iter_mut().zip(&mut operand.offsets).enumerate() {
            let (from, to) = if part == 0 { (0, border.min(len)) } else { (border.min(len), len) };
            let Some(act) = acts.get(first + part).filter(|_| from < to) else { continue };
            let mut planes = [[0i8; PLANE]; 3];
            for (k, plane) in planes.iter_mut().enumerate() {
                if len == five_level::BLOCK_LEN {
                    // Whole planes, in order.
                    let at = 3 * block + k;
                    if at / 4 == first + part
                        && let Some(codes) = act.codes.as_chunks().0.get(at % 4)
                    {
                        *plane = *codes;
                    }
                    continue;
                }
                for (slot, a) in plane.iter_mut().enumerate() {
                    let triple = if slot < PLANE - 8 { slot } else { held + slot - (PLANE - 8) };
                    let column = k * n + triple;
                    let there = triple < n && (slot < held || slot >= PLANE - 8);
                    if there && column >= from && column < to {
                        *a = act.codes.get((start + column) % 256).copied().unwrap_or(0);
                    }
                }
            }
            *offset = -2 * planes.as_flattened().iter().map(|&a| a as i32).sum::<i32>();
            let [a0, a1, a2] = &planes;
            for (b, (here, after)) in sums.iter_mut().zip([(a0, a1), (a1, a2), (a2, &[0; PLANE])]) {
                let pairs = here.as_chunks::<2>().0.iter().zip(after.as_chunks::<2>().0);
                let [e0, o0, e1, o1] = b;
                let lanes = e0.iter_mut().zip(o0).chain(e1.iter_mut().zip(o1));
                for ((even, odd), (&[h0, h1], &[n0, n1])) in lanes.zip(pairs) {
                    (*even, *odd) = (h0 as i16 - 5 * n0 as i16, h1 as i16 - 5 * n1 as i16);
                }
            }
            if (start + to == cols || (start + to).is_multiple_of(256))
                && let Some(close) = operand.closes.get_mut(part)
            {
                *close = Some(act.scale);
            }
        }
        operand
    }
}

/// Seven bits in each of eight bytes, from 56 bits.
#[inline(always)]
fn sevens(x: u64) -> u64 {
    let x = (x & 0x0FFF_FFFF) | (x & 0x00FF_FFFF_F000_0000) << 4;
    let x = (x & 0x0000_3FFF_0000_3FFF) | (x & 0x0FFF_C000_0FFF_C000) << 2;
    (x & 0x007F_007F_007F_007F) | (x & 0x3F80_3F80_3F80_3F80) << 1
}

/// The triples of the bytes of a block.
#[inline(always)]
fn triples<L: Lanes>(l: L, bytes: &[u8; five_level::CODE_BYTES]) -> Triples<L> {
    let (Some(head), Some(tail), Some(&middle), Some(&end)) = (
        bytes.first_chunk::<32>(),
        bytes.last_chunk::<32>(),
        bytes.get(32..48).and_then(|b| b.first_chunk::<16>()),
        bytes.last_chunk::<8>(),
    ) else {
        return [l.splat(0); 2]; // 56 bytes: never
    };
    let seven = l.splat(0x7F);
    let head = l.load(head);
    // The last eight triples are the upper bits of the bytes, of which 24..32 are looked at twice.
    let tops = l.top_bits(head) as u64 | (l.top_bits(l.load(tail)) as u64) << 24;
    let end: [[u8; 8]; 2] = [end, sevens(tops).to_le_bytes()];
    let rest = l.load(bytemuck::must_cast_ref(&[middle, bytemuck::must_cast(end)]));
    [l.and(head, seven), l.and(rest, seven)]
}

/// The bytes and the scale of a block; those of the last one, which is shorter, with zeros behind them in `padded`.
#[inline(always)]
fn block_of<'a>(
    row: &'a [u8],
    block: usize,
    padded: &'a mut [u8; five_level::CODE_BYTES],
) -> (&'a [u8; five_level::CODE_BYTES], u16) {
    let bytes = row.get(block * five_level::BLOCK_BYTES..).unwrap_or_default();
    if let Some([bytes @ .., s0, s1]) = bytes.first_chunk::<{ five_level::BLOCK_BYTES }>() {
        return (bytes, u16::from_le_bytes([*s0, *s1]));
    }
    let Some((bytes, scale)) = bytes.split_last_chunk::<2>() else { return (padded, 0) };
    for (to, from) in padded.iter_mut().zip(bytes) {
        *to = *from;
    }
    (padded, u16::from_le_bytes(*scale))
}

/// The sums of blocks of eight rows, and their scales.
type Parts<L> = [[<L as Lanes>::Ints; 8]; 2];

/// Sums of N_k times coefficients of a block of row `r`; bit `k` of `FIRST` and of `SECOND` says which coefficients the
/// sums have.
#[inline(always)]
fn sums<L: Lanes, const FIRST: u8, const SECOND: u8>(
    l: L,
    r: usize,
    bytes: &[u8; five_level::CODE_BYTES],
    operand: &Operand,
    parts: &mut Parts<L>,
) {
    let [low, high] = triples(l, bytes);
    let [first, second] = &operand.sums.0;
    let packs = [l.even_packs(low), l.odd_packs(low), l.even_packs(high), l.odd_packs(high)];
    let (mut a, mut b) = (l.no_ints(), l.no_ints());
    for (k, (powers, (first, second))) in POWERS.iter().zip(first.iter().zip(second)).enumerate() {
        for (packs, (first, second)) in packs.into_iter().zip(first.iter().zip(second)) {
            if FIRST >> k & 1 == 1 {
                a = l.add_digit_sums(a, packs, powers, first);
            }
            if SECOND >> k & 1 == 1 {
                b = l.add_digit_sums(b, packs, powers, second);
            }
        }
    }
    let [to_a, to_b] = parts;
    if let (Some(to_a), Some(to_b)) = (to_a.get_mut(r), to_b.get_mut(r)) {
        *to_a = a;
        if SECOND != 0 {
            *to_b = b;
        }
    }
}

/// The codes of a block; its scale goes to `scales`.
#[inline(always)]
fn take<'a>(
    block: &'a [u8; five_level::BLOCK_BYTES],
    r: usize,
    scales: &mut [u16; 8],
) -> &'a [u8; five_level::CODE_BYTES] {
    let [bytes @ .., s0, s1] = block;
    if let Some(scale) = scales.get_mut(r) {
        *scale = u16::from_le_bytes([*s0, *s1]);
    }
    bytes
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
    let none = l.load_rows(&[0.0; 8]);
    let (full, count) = (cols / five_level::BLOCK_LEN, cols.div_ceil(five_level::BLOCK_LEN));
    let mut operands = [Operand::ZERO; BLOCKS];
    let mut parts = [[[l.no_ints(); 8]; 2]; BLOCKS];
    let mut scales = [[0u16; 8]; BLOCKS];
    let mut start = 0;
    while start < count {
        let here = BLOCKS.min(count - start);
        for (b, operand) in (start..start + here).zip(&mut operands) {
            *operand = Operand::new(b, cols, acts);
        }
        let operands = operands.get(..here).unwrap_or_default();
        let eights = data.chunks_exact((8 * row_bytes).max(1));
        for (y, eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(eights) {
            for (r, row) in (0..8).zip(eight.chunks_exact(row_bytes.max(1))) {
                let (blocks, _) = row.as_chunks::<{ five_level::BLOCK_BYTES }>();
                let blocks = blocks.get(start..full.min(start + BLOCKS)).unwrap_or_default();
                let groups = operands.as_chunks::<4>().0.iter();
                let groups = groups.zip(parts.as_chunks_mut::<4>().0).zip(scales.as_chunks_mut::<4>().0);
                // Four blocks of weights are three of activations.
                for ([b0, b1, b2, b3], (([o0, o1, o2, o3], [p0, p1, p2, p3]), [s0, s1, s2, s3])) in
                    blocks.as_chunks::<4>().0.iter().zip(groups)
                {
                    sums::<L, 0b111, 0>(l, r, take(b0, r, s0), o0, p0);
                    sums::<L, 0b001, 0b111>(l, r, take(b1, r, s1), o1, p1);
                    sums::<L, 0b011, 0b110>(l, r, take(b2, r, s2), o2, p2);
                    sums::<L, 0b111, 0>(l, r, take(b3, r, s3), o3, p3);
                }
                let done = blocks.len() / 4 * 4;
                let columns = parts.iter_mut().zip(&mut scales).skip(done);
                for ((b, operand), (parts, scales)) in (start..).zip(operands).skip(done).zip(columns) {
                    let mut padded = [0; five_level::CODE_BYTES];
                    let (bytes, scale) = block_of(row, b, &mut padded);
                    if let Some(to) = scales.get_mut(r) {
                        *to = scale;
                    }
                    sums::<L, 0b111, 0b111>(l, r, bytes, operand, parts);
                }
            }
            let mut totals = l.load_rows(y);
            let mut inner = none;
            for (([first, second], scales), operand) in parts.iter().zip(&scales).zip(operands) {
                let scales = l.halves_to_rows(scales);
                let ([offset_a, offset_b], [close_a, close_b]) = (operand.offsets, operand.closes);
                // A code is half a scale.
                inner = l.add_scaled(inner, 0.5, scales, l.total_eight(*first), offset_a);
                if let Some(by) = close_a {
                    totals = l.add_times(totals, by, inner);
                    inner = none;
                }
                if operand.two {
                    inner = l.add_scaled(inner, 0.5, scales, l.total_eight(*second), offset_b);
                }
                if let Some(by) = close_b {
                    totals = l.add_times(totals, by, inner);
                    inner = none;
                }
            }
            *y = l.store_rows(totals);
        }
        start += here;
    }
}

/// The next digit of every triple, floor(5 q / 128), less 2: a level.
#[inline(always)]
fn level<L: Lanes>(l: L, q: L::Bytes) -> L::Bytes {
    let step = |digit, from: u8| l.sub(digit, l.above(q, l.splat(from - 1)));
    step(step(step(step(l.splat(2u8.wrapping_neg()), 26), 52), 77), 103)
}

/// What is left of a triple after a digit: 5 q mod 128.
#[inline(always)]
fn next<L: Lanes>(l: L, q: L::Bytes) -> L::Bytes {
    let two = l.add(q, q);
    l.and(l.add(l.add(two, two), q), l.splat(127))
}

pub(crate) struct FiveLevel;

/// The two weight blocks that a block of activations can touch.
pub(crate) struct Eight<L: Lanes> {
    scales: [L::Rows; 2],
    corrections: [L::Ints; 2],
    /// Planes of the first weight block, 1 to 3 of 4.
    planes: usize,
}

impl<L: Lanes> Clone for Eight<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lanes> Copy for Eight<L> {}

impl<L: Lanes> Tiled<L> for FiveLevel {
    /// Levels -2..=2 of four columns.
    type Tile = [[u8; 32]; 64];
    type Vector = Biased;
    type Eight = Eight<L>;

    #[inline(always)]
    fn no_tile() -> [[u8; 32]; 64] {
        [[0; 32]; 64]
    }

    #[inline(always)]
    fn no_vector() -> Biased {
        Biased::ZERO
    }

    #[inline(always)]
    fn no_eight(l: L) -> Eight<L> {
        Eight { scales: [l.load_rows(&[0.0; 8]); 2], corrections: [l.no_ints(); 2], planes: 3 }
    }

    #[inline(always)]
    fn vector(_: L, act: &ActBlock, _: usize, _: usize, out: &mut Biased) {
        out.set::<L>(act);
    }

    #[inline(always)]
    fn fill(l: L, eight: &[u8], cols: usize, i: usize, tile: &mut [[u8; 32]; 64]) -> Eight<L> {
        let row_bytes = eight.len() / 8;
        // Planes of the matrix: four of them make a block of activations, three a weight block.
        let (start, full) = (4 * i, cols / five_level::BLOCK_LEN);
        let mut out = Self::no_eight(l);
        out.planes = 3 - start % 3;
        let mut sums = [l.splat(0); 2];
        let blocks = (start / 3..).zip(out.scales.iter_mut().zip(&mut sums));
        for (block, (scales, sum)) in blocks {
            let mut halves = [0u16; 8];
            let (from, to) = (start.max(3 * block), (start + 4).min(3 * block + 3));
            let Some(steps) = tile.get_mut(16 * (from - start)..16 * (to.max(from) - start)) else {
                continue;
            };
            let rows = eight.chunks_exact(row_bytes.max(1));
            if block < full {
                let (mut low, mut high) = ([l.splat(0); 8], [l.splat(0); 8]);
                for ((row, half), (low, high)) in rows.zip(&mut halves).zip(low.iter_mut().zip(&mut high)) {
                    let mut padded = [0; five_level::CODE_BYTES];
                    let (bytes, scale) = block_of(row, block, &mut padded);
                    *half = scale;
                    [*low, *high] = triples(l, bytes);
                }
                let mut triples = [l.transpose(low), l.transpose(high)];
                for k in 0..3 {
                    let plane = (3 * block + k).checked_sub(from);
                    let steps = plane.and_then(|p| steps.as_chunks_mut::<16>().0.get_mut(p));
                    if let Some(steps) = steps {
                        for (step, q) in steps.iter_mut().zip(triples.as_flattened()) {
                            let levels = level(l, *q);
                            *step = l.store(levels);
                            *sum = l.add(*sum, levels);
                        }
                    }
                    for q in triples.as_flattened_mut() {
                        *q = next(l, *q);
                    }
                }
            } else {
                let first = PLANE * from - five_level::BLOCK_LEN * block;
                *sum = l.load(&fill_tail(eight, cols, block, first, steps, &mut halves));
            }
            *scales = l.halves_to_rows(&halves);
        }
        let [first, second] = sums;
        out.corrections = [correction(l, first), correction(l, second)];
        out
    }

    /// Bounds: a plane is 16 calls of `add_group_products`, two of them the 32 that are allowed.
    #[inline(always)]
    fn product<const T: usize>(
        l: L,
        tiles: &Many<[[u8; 32]; 64], T>,
        rows: &[Eight<L>; T],
        [v0, v1]: &[Biased; 2],
        [totals0, totals1]: &mut [Totals<T>; 2],
    ) {
        let none = l.load_rows(&[0.0; 8]);
        let planes = rows.first().map_or(3, |rows| rows.planes);
        let mut inner = [[none; 2]; T];
        let mut sums = [[l.no_ints(); 2]; T];
        for (sums, Eight { corrections: [first, _], .. }) in sums.iter_mut().zip(rows) {
            *sums = [*first; 2];
        }
        let again = if L::FOLDS { core::hint::black_box(tiles) } else { tiles };
        let parts = v0.codes.as_chunks::<16>().0.iter().zip(v1.codes.as_chunks::<16>().0);
        for (plane, (c0, c1)) in parts.enumerate() {
            let mut quads = [[l.no_quads(); 2]; T];
            for (step, (c0, c1)) in (16 * plane..).zip(c0.iter().zip(c1)) {
                let (a0, a1) = (l.four_bytes(c0), l.four_bytes(c1));
                for ((tile, again), [q0, q1]) in tiles.0.iter().zip(&again.0).zip(&mut quads) {
                    let (Some(levels), Some(again)) = (tile.get(step), again.get(step)) else { continue };
                    *q0 = l.add_group_products(*q0, a0, l.load(levels));
                    *q1 = l.add_group_products(*q1, a1, l.load(again));
                }
            }
            for ([q0, q1], [s0, s1]) in quads.into_iter().zip(&mut sums) {
                (*s0, *s1) = (l.add_quads(*s0, q0), l.add_quads(*s1, q1));
            }
            if plane + 1 != planes && plane != 3 {
                continue;
            }
            for ((sums, [i0, i1]), rows) in sums.iter_mut().zip(&mut inner).zip(rows) {
                let ([first, second], [_, next]) = (rows.scales, rows.corrections);
                let scales = if plane == 3 { second } else { first };
                // A code is half a scale.
                let [s0, s1] = *sums;
                *i0 = l.add_scaled(*i0, 0.5, scales, s0, 0);
                *i1 = l.add_scaled(*i1, 0.5, scales, s1, 0);
                *sums = [next; 2];
            }
        }
        for (([i0, i1], t0), t1) in inner.into_iter().zip(totals0).zip(totals1) {
            *t0 = l.store_rows(l.add_times(l.load_rows(t0), v0.scale, i0));
            *t1 = l.store_rows(l.add_times(l.load_rows(t1), v1.scale, i1));
        }
    }
}

/// The levels of the last block of rows, which is shorter, from its column `first` on, and zeros where the row has
/// ended; returns their sums as bytes.
#[inline(never)]
fn fill_tail(
    eight: &[u8],
    cols: usize,
    block: usize,
    first: usize,
    steps: &mut [[u8; 32]],
    scales: &mut [u16; 8],
) -> [u8; 32] {
    steps.fill([0; 32]);
    let len = cols.saturating_sub(block * five_level::BLOCK_LEN).min(five_level::BLOCK_LEN);
    let rows = eight.chunks_exact((eight.len() / 8).max(1)).zip(scales);
    for (r, (row, scale)) in rows.enumerate() {
        let bytes = row.get(block * five_level::BLOCK_BYTES..).unwrap_or_default();
        *scale = bytes.last_chunk().map_or(0, |s| u16::from_le_bytes(*s));
        let mut codes = [0i8; five_level::BLOCK_LEN];
        five_level::unpack_tail(bytes, codes.get_mut(..len).unwrap_or_default());
        let fours: &[[u8; 4]; five_level::BLOCK_LEN / 4] = bytemuck::must_cast_ref(&codes);
        for (step, four) in steps.iter_mut().zip(fours.get(first / 4..).unwrap_or_default()) {
            if let Some(to) = step.as_chunks_mut::<4>().0.get_mut(r) {
                *to = *four;
            }
        }
    }
    let mut sums = [0u8; 32];
    for step in steps {
        for (sum, &level) in sums.iter_mut().zip(step.iter()) {
            *sum = sum.wrapping_add(level);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_six_bits_go_to_eight_sevens() {
        for i in 0..56 {
            assert_eq!(sevens(1 << i), 1 << (i / 7 * 8 + i % 7), "{i}");
        }
        assert_eq!(sevens((1 << 56) - 1), 0x7F7F_7F7F_7F7F_7F7F);
    }
}
