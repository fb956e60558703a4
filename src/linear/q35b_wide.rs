//! `Q35B` on a vector tier. Operation counts and the floor they imply are in `docs/kernels.md`.
//!
//! A vector of 32 bytes has two weights of each of the 16 groups, so the sums of all eight vectors stay apart by
//! group in 16-bit lanes, and one multiplication applies all scales of a block. The activations are brought into that
//! order once for all rows ([`Prepared`]). Levels are looked up as unsigned digits, 31 too high: what that adds
//! is taken out where the sums start.
//!
//! Rows are read one after the other: four rows at a time would be four streams, which the memory
//! prefetchers of the machines measured follow at half the speed.

use crate::quant::{ActBlock, q35b};
use crate::simd::codebook::{CodebookLanes, WINDOWS};
use crate::workspace::{split_rows, split_rows_mut};

use super::q35b::{Matmul, Row};

type Block = [u8; q35b::BLOCK_BYTES];

/// The levels of both codebooks plus [`q35b::MAX_LEVEL`], 0..=62: the digits that bits 0-2 (code) and 3 (select) choose.
const DIGITS: [u8; 16] = {
    let mut digits = [0u8; 16];
    let mut i = 0;
    while i < 16 {
        digits[i] = (q35b::CODEBOOKS[i / 8][i % 8] + q35b::MAX_LEVEL) as u8;
        i += 1;
    }
    digits
};

/// An activation block in the order of the kernel.
#[derive(Clone, Copy)]
struct Prepared {
    /// Vector `k` holds in bytes `2g` and `2g + 1` the codes `16g + 2k` and the next one.
    codes: [[[u8; 2]; 16]; 8],
    /// -31 times the sum of the codes of group `g` in vectors 0..4 and in 4..8: at most 8 * 31 * 128 = 31,744.
    offsets: [[i16; 16]; 2],
    scale: f32,
}

impl Prepared {
    const ZERO: Prepared = Prepared { codes: [[[0; 2]; 16]; 8], offsets: [[0; 16]; 2], scale: 0.0 };

    #[inline(always)]
    fn new(act: &ActBlock) -> Prepared {
        let mut prepared = Prepared { scale: act.scale, ..Prepared::ZERO };
        let groups: &[[[i8; 2]; 8]; 16] = bytemuck::must_cast_ref(&act.codes);
        for (g, group) in groups.iter().enumerate() {
            for (vector, pair) in prepared.codes.iter_mut().zip(group) {
                if let Some(out) = vector.get_mut(g) {
                    *out = pair.map(|c| c as u8);
                }
            }
        }
        let halves: &[[[i8; 8]; 2]; 16] = bytemuck::must_cast_ref(&act.codes);
        let [first, second] = &mut prepared.offsets;
        for (([a, b], first), second) in halves.iter().zip(first).zip(second) {
            let offset =
                |codes: &[i8; 8]| -(q35b::MAX_LEVEL as i16) * codes.iter().map(|&c| c as i16).sum::<i16>();
            (*first, *second) = (offset(a), offset(b));
        }
        prepared
    }
}

/// What all blocks need, loaded once.
#[derive(Clone, Copy)]
struct Tools<L: CodebookLanes> {
    l: L,
    digits: L::Bytes,
    windows: L::Bytes,
    bits: L::Bytes,
}

impl<L: CodebookLanes> Tools<L> {
    /// The constants pass through a black box: knowing them, LLVM takes the one-instruction operations of
    /// [`digits`] and [`CodebookLanes::six_bits`] apart into two or three of its own (measured: 20 % of the time).
    #[inline(always)]
    fn new(l: L) -> Tools<L> {
        let [digits, windows, bits] =
            core::hint::black_box([bytemuck::must_cast([DIGITS; 2]), WINDOWS, [0x88; 32]]);
        Tools { l, digits: l.load(&digits), windows: l.load(&windows), bits: l.load(&bits) }
    }
}

/// The digits of a block, in the order of [`Prepared::codes`].
#[inline(always)]
fn digits<L: CodebookLanes>(tools: Tools<L>, block: &Block) -> [L::Bytes; 8] {
    let Tools { l, bits, .. } = tools;
    let (select, _, _) = fields(block);
    let second = l.spread(select, 8);
    let thirds: &[[u8; 32]; 3] = block.first_chunk::<96>().map_or(&[[0; 32]; 3], bytemuck::must_cast_ref);
    let [x0, x1, x2] = thirds;
    let (x0, x1, x2) = (l.load(x0), l.load(x1), l.load(x2));
    // Half bytes without their bit 3; those bits of the three vectors are the codes of the last 64 weights.
    let last = l.half(l.and(x0, bits));
    let last = l.half(l.or(last, l.and(x1, bits)));
    let last = l.half(l.or(last, l.and(x2, bits)));
    let low = l.splat(0x77);
    let look_up = |index: L::Bytes| l.look_up(tools.digits, l.or(index, second));
    let two = |half_bytes: L::Bytes| [look_up(half_bytes), look_up(l.upper_halves(half_bytes))];
    let [d0, d1] = two(l.and(x0, low));
    let [d2, d3] = two(l.and(x1, low));
    let [d4, d5] = two(l.and(x2, low));
    let [d6, d7] = two(last);
    [d0, d1, d2, d3, d4, d5, d6, d7]
}

/// Select bits, the bytes that hold them and the scales, the bytes of `d`.
#[inline(always)]
fn fields(block: &Block) -> (u16, &[u8; 16], [u8; 2]) {
    const NONE: &[u8; 16] = &[0; 16];
    let fields = block.last_chunk::<16>().unwrap_or(NONE);
    let [s0, s1, .., d0, d1] = *fields;
    (u16::from_le_bytes([s0, s1]), fields, [d0, d1])
}

/// The integer sum of a block, as lanes.
#[inline(always)]
fn sums<L: CodebookLanes>(l: L, digits: [L::Bytes; 8], scales: L::Pairs, act: &Prepared) -> L::Ints {
    let [first, second] = &act.offsets;
    let (mut first, mut second) = (l.load_shorts(first), l.load_shorts(second));
    let codes: &[[u8; 32]; 8] = bytemuck::must_cast_ref(&act.codes);
    let [d0, d1, d2, d3, d4, d5, d6, d7] = digits;
    let [a0, a1, a2, a3, a4, a5, a6, a7] = codes;
    // Sums of digits wrap; with the offset the result is within +-31,744 again.
    for (digits, acts) in [(d0, a0), (d1, a1), (d2, a2), (d3, a3)] {
        first = l.add_pairs(first, digits, l.load(acts));
    }
    for (digits, acts) in [(d4, a4), (d5, a5), (d6, a6), (d7, a7)] {
        second = l.add_pairs(second, digits, l.load(acts));
    }
    l.add_ints(l.products(first, scales), l.products(second, scales))
}

#[inline(always)]
fn block_sums<L: CodebookLanes>(tools: Tools<L>, block: &Block, act: &Prepared) -> L::Ints {
    let (_, scales, _) = fields(block);
    sums(tools.l, digits(tools, block), tools.l.six_bits(scales, tools.windows), act)
}

#[inline(always)]
fn units<L: CodebookLanes>(l: L, blocks: [&Block; 4]) -> [f32; 4] {
    let halves = blocks.map(|b| u16::from_le_bytes(fields(b).2));
    l.halves_to_floats(halves).map(|d| d * (1.0 / 256.0))
}

/// Blocks of activations prepared at a time: 10 KB of stack.
const SLOTS: usize = 32;
/// Vectors of a batch that share the unpacking of weights.
const VECTORS: usize = 8;

#[inline(always)]
pub(super) fn matmul<L: CodebookLanes>(l: L, job: Matmul<'_, '_>) {
    let Matmul { weights, per_vector, mut acts, mut y } = job;
    let (rows, per_vector) = (weights.rows, per_vector);
    let tools = Tools::new(l);
    let mut slots = [Prepared::ZERO; SLOTS];
    while !y.is_empty() {
        // Unpacking once for a tile of vectors pays from three of them on.
        let vectors = (y.len() / rows.max(1)).min(VECTORS);
        let vectors = if vectors > 2 { vectors } else { 1 };
        let (now, later) = acts.split_at_checked(vectors * per_vector).unwrap_or_default();
        let (outputs, rest) = y.split_at_mut_checked(vectors * rows).unwrap_or_default();
        (acts, y) = (later, rest);
        if vectors > 2 {
            few_vectors(tools, weights, per_vector, now, outputs, &mut slots);
        } else {
            one_vector(tools, weights, now, outputs, &mut slots);
        }
    }
}

/// `y = W a`, as many columns at a time as there are slots.
#[inline(always)]
fn one_vector<L: CodebookLanes>(
    tools: Tools<L>,
    weights: &super::Packed<'_>,
    acts: &[ActBlock],
    y: &mut [f32],
    slots: &mut [Prepared; SLOTS],
) {
    let l = tools.l;
    let mut sums = [l.no_ints(); SLOTS];
    y.fill(0.0);
    for (part, acts) in acts.chunks(SLOTS).enumerate() {
        for (slot, act) in slots.iter_mut().zip(acts) {
            *slot = Prepared::new(act);
        }
        let acts = slots.get(..acts.len()).unwrap_or_default();
        for (row, y) in weights.iter().zip(y.iter_mut()) {
            let row = Row::new(row, weights.cols);
            let blocks = row.blocks.get(part * SLOTS..).unwrap_or_default();
            let blocks = blocks.get(..blocks.len().min(acts.len())).unwrap_or_default();
            let mut total = *y;
            // A loop of its own, one block at a time: four mixed by the scheduler do not fit the registers.
            for (sums, (block, act)) in sums.iter_mut().zip(blocks.iter().zip(acts)) {
                *sums = block_sums(tools, block, act);
            }
            // Four blocks of the row share the reduction of lanes and the conversion of scales.
            let (fours, rest) = blocks.as_chunks::<4>();
            let (act_fours, _) = acts.as_chunks::<4>();
            for (([b0, b1, b2, b3], [a0, a1, a2, a3]), &sums) in
                fours.iter().zip(act_fours).zip(sums.as_chunks::<4>().0)
            {
                let ints = l.total_four(sums);
                let units = units(l, [b0, b1, b2, b3]);
                let scales = [a0.scale, a1.scale, a2.scale, a3.scale];
                let mut terms = [0.0f32; 4];
                for (((term, scale), unit), sum) in terms.iter_mut().zip(scales).zip(units).zip(ints) {
                    *term = scale * (unit * sum as f32);
                }
                let [t0, t1, t2, t3] = terms;
                total += t0;
                total += t1;
                total += t2;
                total += t3;
            }
            // The tail is of the part that its activations are of.
            let tail = row.tail.as_ref().filter(|_| blocks.len() < acts.len());
            let acts = acts.get(4 * fours.len()..).unwrap_or_default();
            for (block, act) in rest.iter().chain(tail).zip(acts) {
                let sum = l.total(block_sums(tools, block, act));
                total += act.scale * (q35b::unit(fields(block).2) * sum as f32);
            }
            *y = total;
        }
    }
}

/// `Y = A W^T` for up to [`VECTORS`] vectors.
#[inline(always)]
fn few_vectors<L: CodebookLanes>(
    tools: Tools<L>,
    weights: &super::Packed<'_>,
    per_vector: usize,
    acts: &[ActBlock],
    y: &mut [f32],
    slots: &mut [Prepared; SLOTS],
) {
    const BLOCKS: usize = SLOTS / VECTORS;
    let l = tools.l;
    y.fill(0.0);
    let rows = weights.rows;
    // Slots of one block of the row lie side by side, those of absent vectors stay zero.
    *slots = [Prepared::ZERO; SLOTS];
    let mut start = 0;
    while start < per_vector {
        for (v, acts) in split_rows(acts, per_vector).enumerate() {
            let acts = acts.get(start..).unwrap_or_default().iter().take(BLOCKS);
            for (slot, act) in slots.iter_mut().skip(v).step_by(VECTORS).zip(acts) {
                *slot = Prepared::new(act);
            }
        }
        for (r, row) in weights.iter().enumerate() {
            let row = Row::new(row, weights.cols);
            let mut totals = [0.0f32; VECTORS];
            for (total, y) in totals.iter_mut().zip(split_rows(y, rows)) {
                *total = y.get(r).copied().unwrap_or_default();
            }
            let blocks = row.blocks.iter().chain(&row.tail).skip(start);
            for (block, acts) in blocks.zip(slots.as_chunks::<VECTORS>().0) {
                let digits = digits(tools, block);
                let (_, scales, d) = fields(block);
                let (scales, unit) = (l.six_bits(scales, tools.windows), q35b::unit(d));
                for (totals, [a0, a1, a2, a3]) in
                    totals.as_chunks_mut::<4>().0.iter_mut().zip(acts.as_chunks::<4>().0)
                {
                    let ints = l.total_four([
                        sums(l, digits, scales, a0),
                        sums(l, digits, scales, a1),
                        sums(l, digits, scales, a2),
                        sums(l, digits, scales, a3),
                    ]);
                    let scales = [a0.scale, a1.scale, a2.scale, a3.scale];
                    for ((total, scale), sum) in totals.iter_mut().zip(scales).zip(ints) {
                        *total += scale * (unit * sum as f32);
                    }
                }
            }
            for (y, total) in split_rows_mut(y, rows).zip(totals) {
                if let Some(y) = y.get_mut(r) {
                    *y = total;
                }
            }
        }
        start += BLOCKS;
    }
}
