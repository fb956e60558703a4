//! Many rows times several vectors on the vector tiers: trits unpacked once, in tiles of eight rows.
//!
//! In a tile a 32-bit lane belongs to one row, so that four activations, repeated, meet four trits of each of eight
//! rows, and sums need no reduction across lanes. See docs/kernels.md for the counts of operations.

use crate::quant::{ActBlock, Format, tq1_0, tq2_0};
use crate::simd::lanes::{Lanes, map_eight};

use super::{Packed, base3, ternary};

/// Trits (-1, 0, 1) of eight rows and 256 columns: step `s` holds columns `4 s..4 s + 4` of the rows in order.
type Tile = [[u8; 32]; 64];

/// Tiles of neighbouring rows, where no vector lies across two cache lines.
#[repr(align(64))]
struct Tiles<const T: usize>([Tile; T]);

/// Vectors whose totals are kept at hand: outputs of neighbouring vectors lie a row of `y` apart, often in the same few
/// cache sets.
const VECTORS: usize = 32;

/// Activations of one block of columns, as [`Lanes::add_group_products`] takes them.
struct Column {
    codes: [[[u8; 4]; 64]; VECTORS],
    scales: [f32; VECTORS],
}

/// What a block adds to the totals of eight rows, beside products.
struct Eight<L: Lanes> {
    scales: L::Rows,
    correction: L::Ints,
}

impl<L: Lanes> Clone for Eight<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lanes> Copy for Eight<L> {}

/// The rows and vectors of one [`group`].
struct Job<'a> {
    data: &'a [u8],
    row_bytes: usize,
    acts: &'a [ActBlock],
    per_vector: usize,
}

/// `TQ1_0` or `TQ2_0` weights times vectors of `per_vector` blocks each, eight rows at a time; returns how many rows
/// were done.
#[inline(always)]
pub(crate) fn matmul<L: Lanes>(
    l: L,
    weights: &Packed<'_>,
    acts: &[ActBlock],
    per_vector: usize,
    y: &mut [f32],
) -> usize {
    let Packed { format, rows, row_bytes, data, .. } = *weights;
    let mut outputs = y.chunks_mut((rows * VECTORS).max(1));
    for acts in acts.chunks((per_vector * VECTORS).max(1)) {
        let Some(y) = outputs.next() else { break };
        let mut at = 0;
        while rows - at >= 8 {
            let tiles = if rows - at >= 8 * L::TILES { L::TILES } else { 1 };
            let end = at + 8 * tiles;
            let data = data.get(at * row_bytes..end * row_bytes).unwrap_or_default();
            let vectors = y.chunks_exact_mut(rows.max(1)).map(|y| y.get_mut(at..end).unwrap_or_default());
            let job = Job { data, row_bytes, acts, per_vector };
            match format {
                Format::Tq1_0 => several::<L, Tq1_0, { tq1_0::CODE_BYTES }>(l, tiles, &job, vectors),
                _ if only_trits(data) => several::<L, Tq2_0, { tq2_0::CODE_BYTES }>(l, tiles, &job, vectors),
                // Code 3 stands for 2, which the sums here have no room for: rare, so one vector at a time.
                _ => {
                    for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(vectors) {
                        y.fill(0.0);
                        ternary::tq2_0(l, data, row_bytes, acts, y);
                    }
                }
            }
            at = end;
        }
    }
    rows - rows % 8
}

/// Whether no code of these rows of `TQ2_0` is 3.
#[inline(always)]
fn only_trits(data: &[u8]) -> bool {
    let mut threes = [0u8; tq2_0::CODE_BYTES];
    for block in data.as_chunks::<{ tq2_0::BLOCK_BYTES }>().0 {
        for (three, &q) in threes.iter_mut().zip(block) {
            *three |= q & (q >> 1) & 0x55;
        }
    }
    threes == [0; tq2_0::CODE_BYTES]
}

#[inline(always)]
fn several<'y, L: Lanes, B: Blocks<CODES>, const CODES: usize>(
    l: L,
    tiles: usize,
    job: &Job<'_>,
    y: impl Iterator<Item = &'y mut [f32]>,
) {
    match (tiles, L::TILES) {
        (6, 6) => group::<L, B, 6, CODES>(l, job, y),
        (2, 2) => group::<L, B, 2, CODES>(l, job, y),
        _ => group::<L, B, 1, CODES>(l, job, y),
    }
}

/// The outputs of `8 T` rows for up to [`VECTORS`] vectors.
#[inline(always)]
fn group<'y, L: Lanes, B: Blocks<CODES>, const T: usize, const CODES: usize>(
    l: L,
    job: &Job<'_>,
    y: impl Iterator<Item = &'y mut [f32]>,
) {
    let Job { data, row_bytes, acts, per_vector } = *job;
    let mut totals = [[[0.0f32; 8]; T]; VECTORS];
    let mut tiles = Tiles([[[0; 32]; 64]; T]);
    let mut column = Column { codes: [[[0; 4]; 64]; VECTORS], scales: [0.0; VECTORS] };
    for i in 0..per_vector {
        let mut vectors = 0usize;
        let entries = column.codes.iter_mut().zip(&mut column.scales);
        for ((codes, scale), acts) in entries.zip(acts.chunks_exact(per_vector.max(1))) {
            let Some(act) = acts.get(i) else { continue };
            for (code, &a) in codes.as_flattened_mut().iter_mut().zip(&act.codes) {
                *code = (a as u8).wrapping_add(L::BIAS);
            }
            *scale = act.scale;
            vectors += 1;
        }
        let mut rows_of = [Eight { scales: l.load_rows(&[0.0; 8]), correction: l.no_ints() }; T];
        let eights = data.chunks_exact((8 * row_bytes).max(1));
        for ((rows, tile), eight) in eights.zip(&mut tiles.0).zip(&mut rows_of) {
            let mut codes = [&[0; CODES]; 8];
            let mut scales = [0; 8];
            for ((row, codes), scale) in rows.chunks_exact(row_bytes.max(1)).zip(&mut codes).zip(&mut scales)
            {
                // A block is its codes and an f16 scale.
                let block = row.get(i * (CODES + 2)..).and_then(|rest| rest.split_first_chunk::<CODES>());
                let Some((q, s)) = block else { continue };
                *codes = q;
                *scale = s.first_chunk().map_or(0, |s| u16::from_le_bytes(*s));
            }
            let trits = B::fill(l, codes, tile);
            *eight = Eight { scales: l.halves_to_rows(&scales), correction: correction(l, trits) };
        }
        let (pairs, _) = column.codes.as_chunks::<2>();
        let factors = column.scales.as_chunks::<2>().0.iter();
        let totals = totals.as_chunks_mut::<2>().0.iter_mut();
        for ((codes, by), totals) in pairs.iter().zip(factors).zip(totals).take(vectors.div_ceil(2)) {
            product(l, &tiles, &rows_of, codes, *by, totals);
        }
    }
    for (y, totals) in y.zip(&totals) {
        for (y, totals) in y.as_chunks_mut::<8>().0.iter_mut().zip(totals) {
            *y = *totals;
        }
    }
}

/// `totals += by * scales * (tiles times vectors)`.
///
/// Bounds: a block is 64 calls of `add_group_products`, as many as are allowed.
#[inline(always)]
fn product<L: Lanes, const T: usize>(
    l: L,
    tiles: &Tiles<T>,
    rows: &[Eight<L>; T],
    codes: &[[[u8; 4]; 64]; 2],
    by: [f32; 2],
    totals: &mut [[[f32; 8]; T]; 2],
) {
    let mut quads = [[l.no_quads(); 2]; T];
    let [c0, c1] = codes;
    // The same tiles, which the compiler does not know: so each product takes its trits from memory by itself, where
    // one load for both would cost an instruction more.
    let again = core::hint::black_box(tiles);
    for (step, (c0, c1)) in c0.iter().zip(c1).enumerate() {
        let (a0, a1) = (l.four_bytes(c0), l.four_bytes(c1));
        for ((tile, again), [q0, q1]) in tiles.0.iter().zip(&again.0).zip(&mut quads) {
            let (Some(trits), Some(again)) = (tile.get(step), again.get(step)) else { continue };
            *q0 = l.add_group_products(*q0, a0, l.load(trits));
            *q1 = l.add_group_products(*q1, a1, l.load(again));
        }
    }
    let ([b0, b1], [totals0, totals1]) = (by, totals);
    for ((([q0, q1], rows), t0), t1) in quads.into_iter().zip(rows).zip(totals0).zip(totals1) {
        let (s0, s1) = (l.add_quads(rows.correction, q0), l.add_quads(rows.correction, q1));
        *t0 = l.store_rows(l.add_scaled(l.load_rows(t0), b0, rows.scales, s0, 0));
        *t1 = l.store_rows(l.add_scaled(l.load_rows(t1), b1, rows.scales, s1, 0));
    }
}

/// What the bias of the activations adds to the sums of a tile, negative. A lane of `trits` is the sum of 64 of them:
/// as much as 64 calls of `add_group_products` in one.
#[inline(always)]
fn correction<L: Lanes>(l: L, trits: L::Bytes) -> L::Ints {
    l.sub_quads(l.no_ints(), l.add_group_products(l.no_quads(), l.splat(L::BIAS), trits))
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

/// A ternary block format: `CODES` bytes of trits, then an f16 scale. (A trait and no function: one that is passed is
/// not inlined for certain, see [`map_eight`].)
trait Blocks<const CODES: usize> {
    /// The trits of a block of each of eight rows. Returns their sums as bytes, of four lanes for each row.
    fn fill<L: Lanes>(l: L, rows: [&[u8; CODES]; 8], tile: &mut Tile) -> L::Bytes;
}

struct Tq1_0;
struct Tq2_0;

impl Blocks<{ tq2_0::CODE_BYTES }> for Tq2_0 {
    /// Byte `j` of half `h` holds columns `128 h + j`, `+ 32`, `+ 64`, `+ 96`.
    #[inline(always)]
    fn fill<L: Lanes>(l: L, rows: [&[u8; tq2_0::CODE_BYTES]; 8], tile: &mut Tile) -> L::Bytes {
        let mut sum = l.splat(0);
        let (low, high, one) = (l.splat(0x03), l.splat(0x0C), l.splat(1));
        let (halves, _) = tile.as_chunks_mut::<32>();
        for (h, half) in halves.iter_mut().enumerate() {
            let (planes, _) = half.as_chunks_mut::<8>();
            let [p0, p1, p2, p3] = planes else { continue };
            let steps = p0.iter_mut().zip(p1).zip(p2.iter_mut().zip(p3));
            for (((s0, s1), (s2, s3)), bytes) in steps.zip(transposed(l, rows, 32 * h)) {
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
}

impl Blocks<{ tq1_0::CODE_BYTES }> for Tq1_0 {
    /// Planes of 32, of 16 and of 4 columns.
    #[inline(always)]
    fn fill<L: Lanes>(l: L, rows: [&[u8; tq1_0::CODE_BYTES]; 8], tile: &mut Tile) -> L::Bytes {
        let (head, rest) = tile.split_at_mut(40);
        let (middle, last) = rest.split_at_mut(20);
        let sum = planes::<L, 8, 5>(l, transposed(l, rows, 0), head);
        // Bytes 20..52: three groups of the first planes once more, four of the second ones, one of the last.
        let [_, _, _, m0, m1, m2, m3, end] = transposed(l, rows, 20);
        let more = planes::<L, 4, 5>(l, [m0, m1, m2, m3], middle);
        l.add(l.add(sum, more), planes::<L, 1, 4>(l, [end], last))
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
