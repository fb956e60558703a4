//! Many rows times several vectors on the vector tiers: weights unpacked once, in tiles of eight rows.
//!
//! In a tile a 32-bit lane belongs to one row, so that four activations, repeated, meet four weights of each of eight
//! rows, and sums need no reduction across lanes. See docs/kernels.md for the counts of operations.

use crate::quant::ActBlock;
use crate::simd::lanes::Lanes;

/// Tiles of neighbouring rows, or activations of neighbouring vectors, where no vector register's worth of them lies
/// across two cache lines.
#[repr(align(64))]
pub(crate) struct Many<T, const N: usize>(pub(crate) [T; N]);

/// Vectors whose totals are kept at hand: outputs of neighbouring vectors lie a row of `y` apart, often in the same few
/// cache sets.
const VECTORS: usize = 32;

/// The outputs of `T` tiles of eight rows.
pub(crate) type Totals<const T: usize> = [[f32; 8]; T];

/// Weights of a format as tiles, 256 columns at a time: a block of activations. (A trait and no functions: those that
/// are passed are not inlined for certain, see [`map_eight`](crate::simd::lanes::map_eight).)
pub(crate) trait Tiled<L: Lanes> {
    /// Weights of eight rows and 256 columns.
    type Tile: Copy;
    /// A block of activations, as the products take it.
    type Vector: Copy;
    /// What a block adds to the totals of eight rows, beside products.
    type Eight: Copy;

    /// Whether tiles can hold these rows; if not, one vector at a time is multiplied.
    #[inline(always)]
    fn fits(_data: &[u8], _eight_bytes: usize) -> bool {
        true
    }
    /// One vector times eights of rows that do not fit.
    #[inline(always)]
    fn matvec(_l: L, _data: &[u8], _cols: usize, _acts: &[ActBlock], _y: &mut [f32]) {}

    fn no_tile() -> Self::Tile;
    fn no_vector() -> Self::Vector;
    fn no_eight(l: L) -> Self::Eight;
    /// Block `i` of a vector of `cols` columns.
    fn vector(l: L, act: &ActBlock, cols: usize, i: usize, out: &mut Self::Vector);
    /// Block `i` of eight rows of `cols` columns.
    fn fill(l: L, eight: &[u8], cols: usize, i: usize, tile: &mut Self::Tile) -> Self::Eight;
    /// Adds what a block of two vectors makes with `T` tiles.
    fn product<const T: usize>(
        l: L,
        tiles: &Many<Self::Tile, T>,
        rows: &[Self::Eight; T],
        vectors: &[Self::Vector; 2],
        totals: &mut [Totals<T>; 2],
    );
    /// What is done to the outputs of eight rows in the end.
    #[inline(always)]
    fn finish(_eight: &[u8], y: [f32; 8]) -> [f32; 8] {
        y
    }
}

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
pub(crate) fn matmul<L: Lanes, S: Tiled<L>>(
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
            match (S::fits(data, eight_bytes), tiles, L::TILES) {
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
fn group<'y, L: Lanes, S: Tiled<L>, const T: usize>(
    l: L,
    job: &Job<'_>,
    y: impl Iterator<Item = &'y mut [f32]>,
) {
    let Job { data, eight_bytes, cols, acts, per_vector } = *job;
    let mut totals = [[[0.0f32; 8]; T]; VECTORS];
    let mut tiles = Many([S::no_tile(); T]);
    let mut column = Many([S::no_vector(); VECTORS]);
    for i in 0..per_vector {
        let mut vectors = 0usize;
        for (vector, acts) in column.0.iter_mut().zip(acts.chunks_exact(per_vector.max(1))) {
            let Some(act) = acts.get(i) else { continue };
            S::vector(l, act, cols, i, vector);
            vectors += 1;
        }
        let mut rows_of = [S::no_eight(l); T];
        let eights = data.chunks_exact(eight_bytes.max(1));
        for ((eight, tile), rows) in eights.zip(&mut tiles.0).zip(&mut rows_of) {
            *rows = S::fill(l, eight, cols, i, tile);
        }
        let totals = totals.as_chunks_mut::<2>().0.iter_mut();
        for (vectors, totals) in column.0.as_chunks::<2>().0.iter().zip(totals).take(vectors.div_ceil(2)) {
            S::product(l, &tiles, &rows_of, vectors, totals);
        }
    }
    for (y, totals) in y.zip(&totals) {
        let eights = data.chunks_exact(eight_bytes.max(1));
        for ((y, totals), eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(totals).zip(eights) {
            *y = S::finish(eight, *totals);
        }
    }
}
