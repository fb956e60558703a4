//! One pass over points: each gets its nearest centre.
//!
//! Points are taken in blocks of up to 128, centred and turned over, so that a vector holds one feature of 16 points. A tile
//! is 16 points times 4 to 6 centres: per feature one or two loads of points, one broadcast a centre, and the
//! accumulators stay in registers. The best score, the second best and the index of the best stay beside the block; no
//! distance matrix exists. Points whose best two scores are within the margin ([`panels`](super::panels)) are collected
//! and compared by canonical distances.

use crate::simd::floats::Floats;

use super::panels::{EMPTY, Panels};
use super::points::row;
use super::score::{self, distance, guard};

/// Points side by side in a vector.
const LANES: usize = 16;
/// Vectors of points in a block at most.
const VECTORS: usize = 8;

/// Floats of a block: at most 16 KB, if one vector of points is not more.
pub(super) fn block_len(cols: usize) -> Option<usize> {
    cols.checked_mul(LANES)?.checked_mul(vectors(cols))
}

fn vectors(cols: usize) -> usize {
    (16384 / 4 / LANES / cols.max(1)).clamp(1, VECTORS)
}

/// What is to be done with the outcome.
pub(super) trait Sink {
    /// Point `row` belongs to centre `label`. Its exact distance to it is at most `near`, to any other centre at least
    /// `far`; neither is meant to the last bits ([`bounds`](super::bounds) leaves room).
    fn put(&mut self, row: usize, label: u32, near: f32, far: f32);
}

/// Which rows.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    /// `0..n`
    First(usize),
    These(&'a [u32]),
}

impl Rows<'_> {
    fn len(&self) -> usize {
        match self {
            Rows::First(n) => *n,
            Rows::These(rows) => rows.len(),
        }
    }

    #[inline(always)]
    fn get(&self, i: usize) -> u32 {
        match self {
            Rows::First(_) => i as u32,
            Rows::These(rows) => rows.get(i).copied().unwrap_or_default(),
        }
    }
}

/// Gives `sink` every one of `rows` of `data`, in no particular order. `block` has [`block_len`] floats.
#[inline(always)]
pub(super) fn pass<F: Floats>(
    f: F,
    data: &[f32],
    rows: Rows<'_>,
    panels: &Panels<'_>,
    block: &mut [f32],
    sink: &mut impl Sink,
) {
    let block = block.as_chunks_mut().0;
    if F::TILE >= 6 {
        match panels.tile {
            6 => return tiled::<F, 6>(f, data, rows, panels, block, sink),
            5 => return tiled::<F, 5>(f, data, rows, panels, block, sink),
            4 => return tiled::<F, 4>(f, data, rows, panels, block, sink),
            _ => {}
        }
    } else if F::TILE > 0 {
        match panels.tile {
            3 => return tiled::<F, 3>(f, data, rows, panels, block, sink),
            2 => return tiled::<F, 2>(f, data, rows, panels, block, sink),
            _ => {}
        }
    }
    for i in 0..rows.len() {
        let i = rows.get(i);
        let x = row(data, panels.cols, i as usize);
        let s = guard(x, panels.magnitude);
        let nearest = score::nearest(f, s, x, panels.centers);
        let (near, far) = if s == 1.0 {
            let margins = &panels.margins;
            (f.root(margins.above(nearest.distance)), f.root(margins.below(nearest.second)))
        } else {
            // Never skipped: distances in this range are no floats.
            (f32::INFINITY, 0.0)
        };
        sink.put(i as usize, nearest.label, near, far);
    }
}

/// The best so far of 16 points.
#[derive(Clone, Copy)]
struct Best {
    score: [f32; LANES],
    second: [f32; LANES],
    /// Bits of the index.
    index: [f32; LANES],
    /// |y|^2
    squares: [f32; LANES],
}

impl Best {
    const NONE: Best =
        Best { score: [EMPTY; LANES], second: [EMPTY; LANES], index: [0.0; LANES], squares: [0.0; LANES] };
}

#[inline(always)]
fn tiled<F: Floats, const T: usize>(
    f: F,
    data: &[f32],
    rows: Rows<'_>,
    panels: &Panels<'_>,
    block: &mut [[f32; LANES]],
    sink: &mut impl Sink,
) {
    let cols = panels.cols;
    let vectors = vectors(cols);
    let mut close = Close { rows: [0; LANES], least: [0.0; LANES], far: [0.0; LANES], len: 0 };
    let mut best = [Best::NONE; VECTORS];
    let mut done = 0;
    while done < rows.len() {
        let count = (rows.len() - done).min(vectors * LANES);
        let used = count.div_ceil(LANES);
        let mut indices = [0u32; VECTORS * LANES];
        for (i, index) in indices.iter_mut().enumerate() {
            *index = rows.get(done + i.min(count - 1));
        }
        let indices = indices.as_chunks::<LANES>().0;
        for ((indices, best), y) in
            indices.iter().zip(&mut best).zip(crate::workspace::split_rows_mut(block, cols)).take(used)
        {
            *best = Best::NONE;
            best.squares = pack(f, data, indices, panels, y);
        }
        let tiles = crate::workspace::split_rows(panels.tiles.as_chunks::<T>().0, cols);
        let mut first = 0u32;
        for (tile, seeds) in tiles.zip(panels.seeds.as_chunks::<T>().0) {
            for (best, y) in best.iter_mut().zip(crate::workspace::split_rows(block, cols)).take(used) {
                let scores = scores(f, y, tile, seeds);
                compare(f, scores, first, best);
            }
            first += T as u32;
        }
        for (i, (indices, best)) in indices.iter().zip(&best).take(used).enumerate() {
            let (score, second, squares) = (f.load(&best.score), f.load(&best.second), f.load(&best.squares));
            let (margin, error) = panels.margins.of(f, squares);
            let zero = f.splat(0.0);
            let near = f.sqrt(f.max(f.add(f.sub(f.sub(squares, score), score), error), zero));
            let far = f.sqrt(f.max(f.sub(f.sub(f.sub(squares, second), second), error), zero));
            let valid = (count - i * LANES).min(LANES);
            let valid = (1u32 << valid) - 1;
            let clear = f.bits(f.greater(f.sub(score, second), margin));
            let unclear = valid & !clear;
            let (near, far) = (f.store(near), f.store(far));
            for (lane, (((&row, &index), &near), &far)) in
                indices.iter().zip(&best.index).zip(&near).zip(&far).enumerate()
            {
                if valid & clear & 1 << lane != 0 {
                    sink.put(row as usize, index.to_bits(), near, far);
                }
            }
            if unclear != 0 {
                let least = f.store(f.sub(score, margin));
                let far = f.store(f.sqrt(f.max(f.sub(f.sub(f.sub(squares, score), score), error), zero)));
                for (lane, ((&row, &least), &far)) in indices.iter().zip(&least).zip(&far).enumerate() {
                    if unclear & 1 << lane != 0 && close.push(row, least, far) {
                        // The block has been read; its memory is free.
                        close.decide::<F, T>(f, data, panels, block, sink);
                    }
                }
            }
        }
        done += count;
    }
    close.decide::<F, T>(f, data, panels, block, sink);
}

/// Centres 16 points and turns them over; returns their |y|^2.
#[inline(always)]
fn pack<F: Floats>(
    f: F,
    data: &[f32],
    indices: &[u32; LANES],
    panels: &Panels<'_>,
    y: &mut [[f32; LANES]],
) -> [f32; LANES] {
    const NOTHING: &[f32; LANES] = &[0.0; LANES];
    let cols = panels.cols;
    let mut points: [&[f32]; LANES] = [&[]; LANES];
    for (point, &index) in points.iter_mut().zip(indices) {
        *point = row(data, cols, index as usize);
    }
    let mut squares = f.splat(0.0);
    let mut turned = [[0.0f32; LANES]; LANES];
    let whole = cols / LANES;
    let (y_whole, y_rest) = y.as_chunks_mut::<LANES>();
    let (m_whole, m_rest) = panels.middle.as_chunks::<LANES>();
    for ((i, y), m) in (0..whole).zip(y_whole).zip(m_whole) {
        let mut sixteen = [NOTHING; LANES];
        for (to, point) in sixteen.iter_mut().zip(&points) {
            *to = point.as_chunks::<LANES>().0.get(i).unwrap_or(NOTHING);
        }
        f.transpose(&sixteen, &mut turned);
        for ((y, turned), &m) in y.iter_mut().zip(&turned).zip(m) {
            let v = f.sub(f.load(turned), f.splat(m));
            squares = f.mul_add(v, v, squares);
            *y = f.store(v);
        }
    }
    if whole > 0 && !y_rest.is_empty() {
        // The last 16 features once more, for those of them that are new.
        let mut sixteen = [NOTHING; LANES];
        for (to, point) in sixteen.iter_mut().zip(&points) {
            *to = point.last_chunk().unwrap_or(NOTHING);
        }
        f.transpose(&sixteen, &mut turned);
    } else {
        for (lane, point) in points.iter().enumerate() {
            for (to, &x) in turned.iter_mut().zip(*point).take(y_rest.len()) {
                if let Some(to) = to.get_mut(lane) {
                    *to = x;
                }
            }
        }
    }
    let skip = if whole > 0 { LANES - y_rest.len() } else { 0 };
    for ((y, turned), &m) in y_rest.iter_mut().zip(turned.iter().skip(skip)).zip(m_rest) {
        let v = f.sub(f.load(turned), f.splat(m));
        squares = f.mul_add(v, v, squares);
        *y = f.store(v);
    }
    f.store(squares)
}

/// The scores of 16 points for `T` centres.
#[inline(always)]
fn scores<F: Floats, const T: usize>(
    f: F,
    y: &[[f32; LANES]],
    tile: &[[f32; T]],
    seeds: &[f32; T],
) -> [F::V; T] {
    let mut scores = [f.splat(0.0); T];
    for (score, &seed) in scores.iter_mut().zip(seeds) {
        *score = f.splat(seed);
    }
    for (y, values) in y.iter().zip(tile) {
        let y = f.load(y);
        for (score, &c) in scores.iter_mut().zip(values) {
            *score = f.mul_add(y, f.splat(c), *score);
        }
    }
    scores
}

#[inline(always)]
fn compare<F: Floats, const T: usize>(f: F, scores: [F::V; T], first: u32, best: &mut Best) {
    let (mut top, mut second, mut index) = (f.load(&best.score), f.load(&best.second), f.load(&best.index));
    for (i, score) in scores.into_iter().enumerate() {
        let higher = f.greater(score, top);
        second = f.max(second, f.min(score, top));
        top = f.max(score, top);
        index = f.select(higher, f.splat(f32::from_bits(first + i as u32)), index);
    }
    (best.score, best.second, best.index) = (f.store(top), f.store(second), f.store(index));
}

/// Points that no score decides.
struct Close {
    rows: [u32; LANES],
    /// Centres with a lower score cannot be the nearest.
    least: [f32; LANES],
    /// No centre is nearer than this.
    far: [f32; LANES],
    len: usize,
}

impl Close {
    /// Takes one in; true if the next would not fit.
    #[inline(always)]
    fn push(&mut self, row: u32, least: f32, far: f32) -> bool {
        let to =
            self.rows.get_mut(self.len).zip(self.least.get_mut(self.len)).zip(self.far.get_mut(self.len));
        if let Some(((to_row, to_least), to_far)) = to {
            (*to_row, *to_least, *to_far) = (row, least, far);
            self.len += 1;
        }
        self.len >= LANES
    }

    /// Scores them again, and compares all centres that may be the nearest by canonical distances.
    #[inline(always)]
    fn decide<F: Floats, const T: usize>(
        &mut self,
        f: F,
        data: &[f32],
        panels: &Panels<'_>,
        block: &mut [[f32; LANES]],
        sink: &mut impl Sink,
    ) {
        if self.len == 0 {
            return;
        }
        let cols = panels.cols;
        let Some(y) = block.get_mut(..cols) else { return };
        let mut rows = self.rows;
        for row in rows.iter_mut().skip(self.len) {
            *row = 0;
        }
        pack(f, data, &rows, panels, y);
        let least = f.load(&self.least);
        let valid = (1u32 << self.len) - 1;
        let mut nearest = [score::Nearest::NONE; LANES];
        let tiles = crate::workspace::split_rows(panels.tiles.as_chunks::<T>().0, cols);
        for (i, (tile, seeds)) in tiles.zip(panels.seeds.as_chunks::<T>().0).enumerate() {
            for (j, score) in scores(f, y, tile, seeds).into_iter().enumerate() {
                let label = i * T + j;
                let mut candidates = valid & !f.bits(f.greater(least, score));
                while candidates != 0 && label < panels.k {
                    let lane = candidates.trailing_zeros() as usize;
                    candidates &= candidates - 1;
                    if let (Some(&point), Some(nearest)) = (rows.get(lane), nearest.get_mut(lane)) {
                        let x = row(data, cols, point as usize);
                        nearest.see(label as u32, distance(f, x, row(panels.centers, cols, label)));
                    }
                }
            }
        }
        for (((&row, nearest), &far), _) in rows.iter().zip(&nearest).zip(&self.far).zip(0..self.len) {
            let near = f.root(panels.margins.above(nearest.distance));
            sink.put(row as usize, nearest.label, near, far);
        }
        self.len = 0;
    }
}
