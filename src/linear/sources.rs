//! Where the tiles of [`super::tile`] come from: the ternary block formats and the prepared layout. Dense ternary has
//! [a file of its own](super::dense).

use crate::quant::{ActBlock, tq1_0, tq2_0};
use crate::simd::lanes::{Lanes, map_eight};

use super::{base3, interleaved, prepared, ternary};

/// Trits (-1, 0, 1) of eight rows and 256 columns: step `s` holds columns `4 s..4 s + 4` of the rows in order.
pub(crate) type Tile = [[u8; 32]; 64];

/// Ternary weights, 256 columns at a time. (A trait and no functions: those that are passed are not inlined for
/// certain, see [`map_eight`].)
pub(crate) trait Source {
    /// Whether no code stands for 2.
    fn only_trits(data: &[u8], eight_bytes: usize) -> bool;
    /// The scales of eight rows in block `i`, and its trits; and the sums of those as bytes, of four lanes for each
    /// row. The rows have `cols` columns.
    fn fill<L: Lanes>(l: L, eight: &[u8], cols: usize, i: usize, tile: &mut Tile) -> ([u16; 8], L::Bytes);
    /// One vector times eights of rows.
    fn matvec<L: Lanes>(l: L, data: &[u8], cols: usize, acts: &[ActBlock], y: &mut [f32]);
    /// What is done to the outputs of eight rows in the end.
    #[inline(always)]
    fn finish(_eight: &[u8], y: [f32; 8]) -> [f32; 8] {
        y
    }
}

pub(crate) struct Tq1_0;
pub(crate) struct Tq2_0;
/// The prepared layout.
pub(crate) struct Interleaved;

impl Source for Interleaved {
    #[inline(always)]
    fn only_trits(data: &[u8], eight_bytes: usize) -> bool {
        let groups = data.chunks_exact(eight_bytes.max(1));
        no_threes(groups.flat_map(|group| prepared::split(group).0.as_flattened().as_chunks().0))
    }

    #[inline(always)]
    fn fill<L: Lanes>(l: L, eight: &[u8], _: usize, i: usize, tile: &mut Tile) -> ([u16; 8], L::Bytes) {
        let (codes, scales) = prepared::split(eight);
        let (codes, scales) =
            (codes.get(i).unwrap_or(&[0; prepared::CODE_BYTES]), scales.get(i).unwrap_or(&[0; 16]));
        let [low, high]: &[[[u8; 32]; 8]; 2] = bytemuck::must_cast_ref(codes);
        let load = |half: &[[u8; 32]; 8]| {
            map_eight(
                half.each_ref(),
                #[inline(always)]
                |b| l.load(b),
            )
        };
        (interleaved::scales_of(scales), two_bits(l, [load(low), load(high)], tile))
    }

    #[inline(always)]
    fn matvec<L: Lanes>(l: L, data: &[u8], _: usize, acts: &[ActBlock], y: &mut [f32]) {
        interleaved::matvec(l, data, acts, y);
    }
}

/// Block `i` of eight rows that lie one after the other: digits and scales.
#[inline(always)]
fn blocks<const CODES: usize>(eight: &[u8], row_bytes: usize, i: usize) -> ([&[u8; CODES]; 8], [u16; 8]) {
    let mut codes = [&[0; CODES]; 8];
    let mut scales = [0; 8];
    for ((row, codes), scale) in eight.chunks_exact(row_bytes.max(1)).zip(&mut codes).zip(&mut scales) {
        // A block is its codes and an f16 scale.
        let block = row.get(i * (CODES + 2)..).and_then(|rest| rest.split_first_chunk::<CODES>());
        let Some((q, s)) = block else { continue };
        *codes = q;
        *scale = s.first_chunk().map_or(0, |s| u16::from_le_bytes(*s));
    }
    (codes, scales)
}

/// Whether no 2-bit code is 3.
#[inline(always)]
fn no_threes<'a>(blocks: impl Iterator<Item = &'a [u8; 64]>) -> bool {
    let mut threes = [0u8; 64];
    for block in blocks {
        for (three, &q) in threes.iter_mut().zip(block) {
            *three |= q & (q >> 1) & 0x55;
        }
    }
    threes == [0; 64]
}

/// Bytes `at..at + 32` of eight rows, four bytes of each of them by turns.
#[inline(always)]
fn transposed<L: Lanes, const CODES: usize>(l: L, rows: [&[u8; CODES]; 8], at: usize) -> [L::Bytes; 8] {
    l.transpose(map_eight(
        rows,
        #[inline(always)]
        |row| l.load(row.get(at..).and_then(|r| r.first_chunk()).unwrap_or(&[0; 32])),
    ))
}

impl Source for Tq2_0 {
    #[inline(always)]
    fn only_trits(data: &[u8], _: usize) -> bool {
        no_threes(data.as_chunks::<{ tq2_0::BLOCK_BYTES }>().0.iter().filter_map(|b| b.first_chunk::<64>()))
    }

    #[inline(always)]
    fn fill<L: Lanes>(l: L, eight: &[u8], _: usize, i: usize, tile: &mut Tile) -> ([u16; 8], L::Bytes) {
        let (rows, scales) = blocks::<{ tq2_0::CODE_BYTES }>(eight, eight.len() / 8, i);
        let halves = [transposed(l, rows, 0), transposed(l, rows, 32)];
        (scales, two_bits(l, halves, tile))
    }

    #[inline(always)]
    fn matvec<L: Lanes>(l: L, data: &[u8], _: usize, acts: &[ActBlock], y: &mut [f32]) {
        y.fill(0.0);
        ternary::tq2_0(l, data, acts.len() * tq2_0::BLOCK_BYTES, acts, y);
    }
}

/// The trits of 2-bit codes: byte `j` of half `h` holds columns `128 h + j`, `+ 32`, `+ 64`, `+ 96`. Returns their sums.
#[inline(always)]
fn two_bits<L: Lanes>(l: L, bytes: [[L::Bytes; 8]; 2], tile: &mut Tile) -> L::Bytes {
    let mut sum = l.splat(0);
    let (low, high, one) = (l.splat(0x03), l.splat(0x0C), l.splat(1));
    for (half, bytes) in tile.as_chunks_mut::<32>().0.iter_mut().zip(bytes) {
        let [p0, p1, p2, p3] = half.as_chunks_mut::<8>().0 else { continue };
        let steps = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
        for (((s0, s1), (s2, s3)), bytes) in steps.zip(bytes) {
            let upper = l.upper_halves(bytes);
            let trits = [
                l.sub(l.and(bytes, low), one),
                l.sub(l.quarters(l.and(bytes, high)), one),
                l.sub(l.and(upper, low), one),
                l.sub(l.quarters(l.and(upper, high)), one),
            ];
            for (step, trits) in [s0, s1, s2, s3].into_iter().zip(trits) {
                *step = l.store(trits);
                sum = l.add(sum, trits);
            }
        }
    }
    sum
}

impl Source for Tq1_0 {
    #[inline(always)]
    fn only_trits(_: &[u8], _: usize) -> bool {
        true
    }

    /// Planes of 32, of 16 and of 4 columns.
    #[inline(always)]
    fn fill<L: Lanes>(l: L, eight: &[u8], _: usize, i: usize, tile: &mut Tile) -> ([u16; 8], L::Bytes) {
        let (rows, scales) = blocks::<{ tq1_0::CODE_BYTES }>(eight, eight.len() / 8, i);
        let (head, rest) = tile.split_at_mut(40);
        let (middle, last) = rest.split_at_mut(20);
        let sum = planes::<L, 8, 5>(l, transposed(l, rows, 0), head);
        // Bytes 20..52: three groups of the first planes once more, four of the second ones, one of the last.
        let [_, _, _, m0, m1, m2, m3, end] = transposed(l, rows, 20);
        let more = planes::<L, 4, 5>(l, [m0, m1, m2, m3], middle);
        (scales, l.add(l.add(sum, more), planes::<L, 1, 4>(l, [end], last)))
    }

    #[inline(always)]
    fn matvec<L: Lanes>(l: L, data: &[u8], _: usize, acts: &[ActBlock], y: &mut [f32]) {
        y.fill(0.0);
        ternary::tq1_0(l, data, acts.len() * tq1_0::BLOCK_BYTES, acts, &[], y);
    }
}

/// The `PLANES` trits of `N` vectors of bytes, plane after plane; returns their sums.
#[inline(always)]
fn planes<L: Lanes, const N: usize, const PLANES: usize>(
    l: L,
    bytes: [L::Bytes; N],
    tile: &mut [[u8; 32]],
) -> L::Bytes {
    let mut sum = l.splat(0);
    for (j, mut b) in bytes.into_iter().enumerate() {
        for k in 0..PLANES {
            let trits = l.sub(base3::digit(l, b), l.splat(1));
            if let Some(step) = tile.get_mut(N * k + j) {
                *step = l.store(trits);
            }
            sum = l.add(sum, trits);
            b = base3::next(l, b);
        }
    }
    sum
}
