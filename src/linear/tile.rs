//! Many rows times several vectors on the vector tiers: trits unpacked once, in tiles of eight rows.
//!
//! In a tile a 32-bit lane belongs to one row, so that four activations, repeated, meet four trits of each of eight
//! rows, and sums need no reduction across lanes. See docs/kernels.md for the counts of operations.

use crate::quant::ActBlock;
use crate::simd::lanes::Lanes;

use super::sources::{Source, Tile};

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
    eight_bytes: usize,
    cols: usize,
    acts: &'a [ActBlock],
    per_vector: usize,
}

/// Weights times vectors of `per_vector` blocks each, eight rows at a time; returns how many of `rows` were done. Eights
/// of rows lie in `data` one after the other.
#[inline(always)]
pub(crate) fn matmul<L: Lanes, S: Source>(
    l: L,
    data: &[u8],
    eight_bytes: usize,
    (rows, cols): (usize, usize),
    acts: &[ActBlock],
    per_vector: usize,
    y: &mut [f32],
) -> usize {
    let mut outputs = y.chunks_mut((rows * VECTORS).max(1));
    for acts in acts.chunks((per_vector * VECTORS).max(1)) {
        let Some(y) = outputs.next() else { break };
        let mut at = 0;
        while rows - at >= 8 {
            let tiles = if rows - at >= 8 * L::TILES { L::TILES } else { 1 };
            let end = at + 8 * tiles;
            let data = data.get(at / 8 * eight_bytes..end / 8 * eight_bytes).unwrap_or_default();
            let vectors = y.chunks_exact_mut(rows.max(1)).map(|y| y.get_mut(at..end).unwrap_or_default());
            let job = Job { data, eight_bytes, cols, acts, per_vector };
            match (S::only_trits(data, eight_bytes), tiles, L::TILES) {
                // Code 3 stands for 2, which the sums here have no room for: rare, so one vector at a time.
                (false, ..) => {
                    for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(vectors) {
                        S::matvec(l, data, cols, acts, y);
                    }
                }
                (_, 6, 6) => group::<L, S, 6>(l, &job, vectors),
                (_, 2, 2) => group::<L, S, 2>(l, &job, vectors),
                _ => group::<L, S, 1>(l, &job, vectors),
            }
            at = end;
        }
    }
    rows - rows % 8
}

/// The outputs of `8 T` rows for up to [`VECTORS`] vectors.
#[inline(always)]
fn group<'y, L: Lanes, S: Source, const T: usize>(
    l: L,
    job: &Job<'_>,
    y: impl Iterator<Item = &'y mut [f32]>,
) {
    let Job { data, eight_bytes, cols, acts, per_vector } = *job;
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
        let eights = data.chunks_exact(eight_bytes.max(1));
        for ((rows, tile), eight) in eights.zip(&mut tiles.0).zip(&mut rows_of) {
            let (scales, trits) = S::fill(l, rows, cols, i, tile);
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
        let eights = data.chunks_exact(eight_bytes.max(1));
        for ((y, totals), eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(totals).zip(eights) {
            *y = S::finish(eight, *totals);
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
    // one load for both would cost an instruction more. Where instructions take none from memory, one load it is.
    let again = if L::DOT { tiles } else { core::hint::black_box(tiles) };
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
