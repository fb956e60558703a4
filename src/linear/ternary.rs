//! Ternary block formats on the vector tiers, eight rows at a time, from the bytes as they lie.
//!
//! Each row is read by itself, from left to right; what a block adds up to stays in lanes. Then the lanes of eight rows
//! are reduced together, and eight scales multiply eight sums: see docs/kernels.md for the counts of operations.

use crate::quant::{ActBlock, tq1_0, tq2_0};
use crate::simd::lanes::{Lanes, unsigned};

use super::table::ActTable;

/// Blocks of a row that are summed before they are scaled. A product over more columns goes over the rows again, with
/// the outputs as running totals: the same order of operations.
pub(super) const BLOCKS: usize = 16;

/// What all rows multiply, copied to where no vector of it lies across two cache lines: half of the loads would.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Aligned<T>(pub(super) T);

/// `y += W a` for rows of `TQ2_0`, as many as come out even with eight; `y` has one value for each.
#[inline(always)]
pub(crate) fn tq2_0<L: Lanes>(l: L, data: &[u8], row_bytes: usize, acts: &[ActBlock], y: &mut [f32]) {
    let mut sums = [[l.no_shorts(); 8]; BLOCKS];
    let mut offsets = [0; BLOCKS];
    let mut codes = [Aligned([0; 256]); BLOCKS];
    for (i, acts) in acts.chunks(BLOCKS).enumerate() {
        for ((codes, offset), act) in codes.iter_mut().zip(&mut offsets).zip(acts) {
            codes.0 = act.codes;
            *offset = -act.sums.iter().map(|&s| s as i32).sum::<i32>();
        }
        let part = Part { data, row_bytes, first: i * BLOCKS, acts, offsets: &offsets };
        let codes = codes.get(..acts.len()).unwrap_or_default();
        eight_rows::<L, Tq2_0, { tq2_0::BLOCK_BYTES }>(l, part, codes, &mut sums, y);
    }
}

/// How a format multiplies a block. (A trait and no closures: those are not inlined for certain, see
/// [`map_eight`](crate::simd::lanes::map_eight).)
pub(super) trait Blocks<L: Lanes, const BYTES: usize> {
    /// What all rows multiply.
    type Operand;
    /// What stays in registers along a row.
    type Constants: Copy;
    /// Partial sums of a block, still in lanes.
    type Sum: Copy;
    fn constants(l: L) -> Self::Constants;
    fn block(l: L, constants: Self::Constants, block: &[u8; BYTES], operand: &Self::Operand) -> Self::Sum;
    fn reduce(l: L, sums: &[Self::Sum; 8]) -> L::Ints;
}

struct Tq1_0;
struct Tq2_0;

impl<L: Lanes> Blocks<L, { tq2_0::BLOCK_BYTES }> for Tq2_0 {
    type Operand = Aligned<[i8; 256]>;
    type Constants = [L::Bytes; 2];
    type Sum = L::Shorts;

    #[inline(always)]
    fn constants(l: L) -> [L::Bytes; 2] {
        // Opaque, so that they stay in registers: the compiler would load them in every round of the loop.
        let [low, high] = core::hint::black_box(&[[0x03; 32], [0x0C; 32]]);
        [l.load(low), l.load(high)]
    }

    /// The sum of a block as i16 lanes. Codes in bits 0-1 and 2-3 of a half byte are masked where they stand: the
    /// latter count four times and are summed by themselves, which saves two shifts of three.
    ///
    /// A lane: 4 * 3 * 256 + 4 * 3 * 256 = 6144 at most.
    #[inline(always)]
    fn block(
        l: L,
        [low, high]: [L::Bytes; 2],
        block: &[u8; tq2_0::BLOCK_BYTES],
        codes: &Aligned<[i8; 256]>,
    ) -> L::Shorts {
        let acts: &[[[i8; 32]; 4]; 2] = bytemuck::must_cast_ref(&codes.0);
        let (mut ones, mut fours) = (l.no_shorts(), l.no_shorts());
        for (q, [a0, a1, a2, a3]) in block.as_chunks::<32>().0.iter().zip(acts) {
            let q = l.load(q);
            let upper = l.upper_halves(q);
            ones = l.add_digits(ones, l.and(q, low), l.load(unsigned(a0)));
            fours = l.add_digits(fours, l.and(q, high), l.load(unsigned(a1)));
            ones = l.add_digits(ones, l.and(upper, low), l.load(unsigned(a2)));
            fours = l.add_digits(fours, l.and(upper, high), l.load(unsigned(a3)));
        }
        l.plus_quarter(ones, fours)
    }

    #[inline(always)]
    fn reduce(l: L, sums: &[L::Shorts; 8]) -> L::Ints {
        l.widen_eight(*sums)
    }
}

/// `y += W a` for rows of `TQ1_0`, as [`tq2_0`]. `tables` are those of `acts`, or none: then they are made here.
#[inline(always)]
pub(crate) fn tq1_0<L: Lanes>(
    l: L,
    data: &[u8],
    row_bytes: usize,
    acts: &[ActBlock],
    tables: &[ActTable],
    y: &mut [f32],
) {
    let mut sums = [[l.no_ints(); 8]; BLOCKS];
    let mut offsets = [0; BLOCKS];
    let mut coefficients = [Aligned([[0; 16]; 16]); BLOCKS];
    for (i, acts) in acts.chunks(BLOCKS).enumerate() {
        let mut made = tables.get(i * BLOCKS..).unwrap_or_default().iter();
        for ((coefficients, offset), act) in coefficients.iter_mut().zip(&mut offsets).zip(acts) {
            let mut own = ActTable::ZERO;
            let table = made.next().unwrap_or_else(
                #[inline(always)]
                || {
                    own.fill(act);
                    &own
                },
            );
            coefficients.0 = *table.coefficients();
            *offset = -table.sum();
        }
        let part = Part { data, row_bytes, first: i * BLOCKS, acts, offsets: &offsets };
        let coefficients = coefficients.get(..acts.len()).unwrap_or_default();
        eight_rows::<L, Tq1_0, { tq1_0::BLOCK_BYTES }>(l, part, coefficients, &mut sums, y);
    }
}

/// The powers of three of the lanes of an [`ActTable`].
const POWERS: [[u16; 16]; 6] = {
    let mut powers = [[0; 16]; 6];
    let mut lane = 0;
    while lane < 16 {
        powers[0][lane] = 3;
        powers[1][lane] = 9;
        powers[2][lane] = 27;
        powers[3][lane] = 81;
        powers[4][lane] = 243;
        powers[5][lane] = [3, 9, 27, 81][lane / 4];
        lane += 1;
    }
    powers
};

impl<L: Lanes> Blocks<L, { tq1_0::BLOCK_BYTES }> for Tq1_0 {
    type Operand = Aligned<[[i16; 16]; 16]>;
    type Constants = ();
    type Sum = L::Ints;

    #[inline(always)]
    fn constants(_: L) {}

    /// The sum of a block as i32 lanes; the bound is in [`super::table`].
    #[inline(always)]
    fn block(l: L, (): (), block: &[u8; tq1_0::BLOCK_BYTES], table: &Self::Operand) -> L::Ints {
        let [p1, p2, p3, p4, p5, last_powers] = &POWERS;
        let mut sum = l.no_ints();
        let (Some(head), Some(&middle), Some(&last)) = (
            block.first_chunk::<32>(),
            block.get(32..48).and_then(|m| m.first_chunk::<16>()),
            block.get(48..52).and_then(|m| m.first_chunk::<4>()),
        ) else {
            return sum; // 32 + 16 + 4 + 2 bytes: never
        };
        let [e1, o1, e2, o2, e3, o3, e4, o4, e5, o5, m1, m2, m3, m4, m5, end] = &table.0;
        let bytes = l.load(head);
        let (even, odd) = (l.even_packs(bytes), l.odd_packs(bytes));
        for (powers, e, o) in [(p1, e1, o1), (p2, e2, o2), (p3, e3, o3), (p4, e4, o4), (p5, e5, o5)] {
            sum = l.add_digit_sums(sum, even, powers, e);
            sum = l.add_digit_sums(sum, odd, powers, o);
        }
        let packs = l.packs(&middle);
        for (powers, m) in [(p1, m1), (p2, m2), (p3, m3), (p4, m4), (p5, m5)] {
            sum = l.add_digit_sums(sum, packs, powers, m);
        }
        let packs = l.packs(bytemuck::must_cast_ref(&[last; 4]));
        l.add_digit_sums(sum, packs, last_powers, end)
    }

    #[inline(always)]
    fn reduce(l: L, sums: &[L::Ints; 8]) -> L::Ints {
        l.total_eight(*sums)
    }
}

/// Some columns of all rows.
pub(super) struct Part<'a> {
    pub(super) data: &'a [u8],
    pub(super) row_bytes: usize,
    /// Blocks before these columns.
    pub(super) first: usize,
    pub(super) acts: &'a [ActBlock],
    /// What is added to the sums of each column of blocks.
    pub(super) offsets: &'a [i32; BLOCKS],
}

/// Sums the blocks of eight rows, reduces the sums of a column of blocks together, adds them to `y`, scaled; the last
/// two bytes of a block are its scale.
#[inline(always)]
pub(super) fn eight_rows<L: Lanes, B: Blocks<L, BYTES>, const BYTES: usize>(
    l: L,
    part: Part<'_>,
    operands: &[B::Operand],
    sums: &mut [[B::Sum; 8]; BLOCKS],
    y: &mut [f32],
) {
    let Part { data, row_bytes, first, acts, offsets } = part;
    let mut scales = [[0u16; 8]; BLOCKS];
    let groups = data.chunks_exact((8 * row_bytes).max(1));
    for (y, eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(groups) {
        for (r, row) in (0..8).zip(eight.chunks_exact(row_bytes.max(1))) {
            let (blocks, _) = row.as_chunks::<BYTES>();
            let blocks = blocks.get(first..).unwrap_or_default();
            let columns = sums.iter_mut().zip(&mut scales);
            let constants = B::constants(l);
            for ((bytes, operand), (sums, scales)) in blocks.iter().zip(operands).zip(columns) {
                if let (Some(sum), Some(scale)) = (sums.get_mut(r), scales.get_mut(r)) {
                    *sum = B::block(l, constants, bytes, operand);
                    *scale = bytes.last_chunk().map_or(0, |s| u16::from_le_bytes(*s));
                }
            }
        }
        let mut totals = l.load_rows(y);
        for (((sums, scales), act), &offset) in sums.iter().zip(&scales).zip(acts).zip(offsets) {
            totals = l.add_scaled(totals, act.scale, l.halves_to_rows(scales), B::reduce(l, sums), offset);
        }
        *y = l.store_rows(totals);
    }
}
