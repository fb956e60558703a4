//! The two nearest centres of every point, out of one pass over tiles.
//!
//! Beside the best and the second best score the third is kept. If the second leads it by the margin, no other centre is
//! among the two nearest, and the canonical distances of these two say which is first. Otherwise all centres that come
//! within the margin of the second are compared by canonical distances.

use crate::simd::floats::Floats;
use crate::workspace::{split_rows, split_rows_mut};

use super::super::panels::{EMPTY, Panels};
use super::super::points;
use super::super::score::{Nearest, distance};
use super::{Close, LANES, VECTORS, candidates, pack, scores, vectors};

/// What is to be done with the outcome.
pub(in super::super) trait Pairs {
    fn put(&mut self, row: usize, nearest: Nearest);
}

/// Gives `sink` the two nearest centres of each of the first `rows` points, in no particular order. The panels have tiles and
/// two centres at least; `block` has [`block_len`](super::block_len) floats.
#[inline(always)]
pub(in super::super) fn two<F: Floats>(
    f: F,
    data: &[f32],
    rows: usize,
    panels: &Panels<'_>,
    block: &mut [f32],
    sink: &mut impl Pairs,
) {
    let block = block.as_chunks_mut().0;
    let cols = panels.cols;
    let most = vectors(cols) * LANES;
    let mut close = Close::NONE;
    let mut done = 0;
    while done < rows || close.len > 0 {
        let count = (rows - done).min(most);
        if count > 0 {
            let mut indices = [0u32; VECTORS * LANES];
            for (i, index) in indices.iter_mut().enumerate().take(count.next_multiple_of(LANES)) {
                *index = (done + i.min(count - 1)) as u32;
            }
            let mut best = [Best::NONE; VECTORS];
            let used = count.div_ceil(LANES);
            let of_each = indices.as_chunks::<LANES>().0.iter().zip(&mut best).take(used);
            for ((indices, best), y) in of_each.zip(split_rows_mut(block, cols)) {
                best.squares = pack(f, data, indices, panels, y);
            }
            let best = best.get_mut(..used).unwrap_or_default();
            let next = data.get((done + count).wrapping_mul(cols)..).unwrap_or_default();
            let next = next.get(..most.wrapping_mul(cols)).unwrap_or(next);
            sized!(F, panels.tile, tiles(f, panels, block, next, best));
            let mut left = count;
            for (rows, best) in indices.as_chunks::<LANES>().0.iter().zip(best) {
                let (second, third) = (f.load(&best.second), f.load(&best.third));
                let (margin, _) = panels.margins.of(f, f.load(&best.squares));
                let clear = f.bits(f.greater(f.sub(second, third), margin));
                let least = f.store(f.sub(second, margin));
                let each = rows.iter().zip(&best.index).zip(&best.second_index).zip(&least);
                for (lane, (((&row, a), b), &least)) in each.enumerate().take(left) {
                    if clear >> lane & 1 == 0 {
                        close.push(row, least, 0.0);
                        continue;
                    }
                    let (a, b) = (a.to_bits(), b.to_bits());
                    let x = points::row(data, cols, row as usize);
                    let mut nearest = Nearest::NONE;
                    for label in [a.min(b), a.max(b)] {
                        let c = points::row(panels.centers, cols, label as usize);
                        nearest.see(label, distance(f, x, c));
                    }
                    sink.put(row as usize, nearest);
                }
                left = left.saturating_sub(LANES);
            }
        }
        done += count;
        // The rest of them waits for the next block, if there is one.
        while close.len >= LANES || (close.len > 0 && done == rows) {
            let Some(y) = block.get_mut(..cols) else { break };
            let few = close.take();
            pack(f, data, &few.rows, panels, y);
            let mut nearest = [Nearest::NONE; LANES];
            sized!(F, panels.tile, candidates(f, data, panels, y, &few, &mut nearest));
            for (&row, nearest) in few.rows.iter().zip(nearest).take(few.len) {
                sink.put(row as usize, nearest);
            }
        }
    }
}

/// The best so far of 16 points.
#[derive(Clone, Copy)]
struct Best {
    score: [f32; LANES],
    second: [f32; LANES],
    third: [f32; LANES],
    /// Bits of the indices.
    index: [f32; LANES],
    second_index: [f32; LANES],
    /// |y|^2
    squares: [f32; LANES],
}

impl Best {
    const NONE: Best = Best {
        score: [EMPTY; LANES],
        second: [EMPTY; LANES],
        third: [EMPTY; LANES],
        index: [0.0; LANES],
        second_index: [0.0; LANES],
        squares: [0.0; LANES],
    };
}

/// Compares the points of a block with all centres, and fetches those of the next.
#[inline(always)]
fn tiles<F: Floats, const T: usize>(
    f: F,
    panels: &Panels<'_>,
    block: &[[f32; LANES]],
    next: &[f32],
    best: &mut [Best],
) {
    let share = next.len().div_ceil(panels.k.div_ceil(T).max(1)).max(1);
    let mut coming = next.chunks(share);
    let mut first = 0u32;
    let each = split_rows(panels.tiles.as_chunks::<T>().0, panels.cols);
    for (tile, seeds) in each.zip(panels.seeds.as_chunks::<T>().0) {
        f.prefetch(coming.next().unwrap_or_default());
        for (best, y) in best.iter_mut().zip(split_rows(block, panels.cols)) {
            compare(f, scores(f, y, tile, seeds), first, best);
        }
        first += T as u32;
    }
}

#[inline(always)]
fn compare<F: Floats, const T: usize>(f: F, scores: [F::V; T], first: u32, best: &mut Best) {
    let (mut top, mut second, mut third) = (f.load(&best.score), f.load(&best.second), f.load(&best.third));
    let (mut index, mut second_index) = (f.load(&best.index), f.load(&best.second_index));
    for (i, score) in scores.into_iter().enumerate() {
        let label = f.splat(f32::from_bits(first + i as u32));
        let (higher, middle) = (f.greater(score, top), f.greater(score, second));
        third = f.max(third, f.min(score, second));
        second = f.max(second, f.min(score, top));
        top = f.max(score, top);
        second_index = f.select(higher, index, f.select(middle, label, second_index));
        index = f.select(higher, label, index);
    }
    (best.score, best.second, best.third) = (f.store(top), f.store(second), f.store(third));
    (best.index, best.second_index) = (f.store(index), f.store(second_index));
}
