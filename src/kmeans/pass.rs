//! One pass over points: each gets its nearest centre.
//!
//! Points are taken in blocks of up to 128, centred and turned over, so that a vector holds one feature of 16 points. A tile
//! is 16 points times 4 to 6 centres: per feature one or two loads of points, one broadcast a centre, and the
//! accumulators stay in registers. The best score, the second best and the index of the best stay beside the block; no
//! distance matrix exists. Points whose best two scores are within the margin ([`panels`](super::panels)) are collected
//! and compared by canonical distances.

use crate::simd::floats::{FloatKernel, Floats};
use crate::workspace::{split_rows, split_rows_mut};

use super::panels::{EMPTY, Panels};
use super::points;
use super::score::{self, Nearest, distance, guard};

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
    pub(super) fn len(&self) -> usize {
        match self {
            Rows::First(n) => *n,
            Rows::These(rows) => rows.len(),
        }
    }

    #[inline(always)]
    pub(super) fn get(&self, i: usize) -> u32 {
        match self {
            Rows::First(_) => i as u32,
            Rows::These(rows) => rows.get(i).copied().unwrap_or_default(),
        }
    }
}

/// Calls a function with the length of a tile that the panels have; only lengths that the tier has are compiled.
macro_rules! sized {
    ($f:ident, $tile:expr, $function:ident($($argument:expr),*)) => {
        match $tile {
            6 if $f::TILE >= 6 => $function::<$f, 6>($($argument),*),
            5 if $f::TILE >= 6 => $function::<$f, 5>($($argument),*),
            4 if $f::TILE >= 6 => $function::<$f, 4>($($argument),*),
            3 if $f::TILE == 3 => $function::<$f, 3>($($argument),*),
            2 if $f::TILE == 3 => $function::<$f, 2>($($argument),*),
            _ => {}
        }
    };
}

mod two;

pub(super) use two::{Pairs, two};

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
    let most = if panels.tile > 0 { vectors(panels.cols) * LANES } else { VECTORS * LANES };
    let mut close = Close::NONE;
    let mut outcomes = [Outcome::NONE; LEN];
    let mut done = 0;
    // What depends on the tile is only the loops of scores, so that the rest is compiled once.
    while done < rows.len() || close.len > 0 {
        let count = (rows.len() - done).min(most);
        let mut len = 0;
        if panels.tile == 0 {
            for (i, outcome) in (done..done + count).zip(&mut outcomes) {
                *outcome = one(f, data, rows.get(i), panels);
            }
            len = count;
        } else if count > 0 {
            let mut indices = [0u32; VECTORS * LANES];
            for (i, index) in indices.iter_mut().enumerate().take(count.next_multiple_of(LANES)) {
                *index = rows.get(done + i.min(count - 1));
            }
            let mut best = [Best::NONE; VECTORS];
            let used = count.div_ceil(LANES);
            let of_each = indices.as_chunks::<LANES>().0.iter().zip(&mut best).take(used);
            for ((indices, best), y) in of_each.zip(split_rows_mut(block, panels.cols)) {
                best.squares = pack(f, data, indices, panels, y);
            }
            let best = best.get_mut(..used).unwrap_or_default();
            let mut next = [0u32; VECTORS * LANES];
            let coming = (rows.len() - done - count).min(most);
            for (i, next) in next.iter_mut().enumerate().take(coming) {
                *next = rows.get(done + count + i);
            }
            let next = Next { data, rows: next.get(..coming).unwrap_or_default() };
            sized!(F, panels.tile, tiles(f, panels, block, next, best));
            len = decided(f, panels, &indices, best, count, &mut outcomes, &mut close);
        }
        done += count;
        // The rest of them waits for the next block, if there is one.
        while close.len >= LANES || (close.len > 0 && done == rows.len()) {
            let Some(y) = block.get_mut(..panels.cols) else { break };
            let few = close.take();
            pack(f, data, &few.rows, panels, y);
            let mut nearest = [Nearest::NONE; LANES];
            sized!(F, panels.tile, candidates(f, data, panels, y, &few, &mut nearest));
            for i in 0..few.len {
                let (Some(&row), Some(nearest), Some(&far)) =
                    (few.rows.get(i), nearest.get(i), few.far.get(i))
                else {
                    break;
                };
                if let Some(to) = outcomes.get_mut(len) {
                    let near = f.root(panels.margins.above(nearest.distance));
                    *to = Outcome { row, label: nearest.label, near, far };
                    len += 1;
                }
            }
        }
        for outcome in outcomes.iter().take(len) {
            sink.put(outcome.row as usize, outcome.label, outcome.near, outcome.far);
        }
    }
}

/// A pass over all of `data` that only writes down what it finds: labels, and lower bounds of the distance to any other
/// centre. Either may be shorter, or empty.
pub(super) struct Survey<'a> {
    pub(super) data: &'a [f32],
    pub(super) rows: usize,
    pub(super) panels: &'a Panels<'a>,
    pub(super) block: &'a mut [f32],
    pub(super) labels: &'a mut [u32],
    pub(super) far: &'a mut [f32],
}

impl FloatKernel for Survey<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let mut sink = Written { labels: self.labels, far: self.far };
        pass(f, self.data, Rows::First(self.rows), self.panels, self.block, &mut sink);
    }
}

struct Written<'a> {
    labels: &'a mut [u32],
    far: &'a mut [f32],
}

impl Sink for Written<'_> {
    #[inline(always)]
    fn put(&mut self, row: usize, label: u32, _: f32, far: f32) {
        if let Some(to) = self.labels.get_mut(row) {
            *to = label;
        }
        if let Some(to) = self.far.get_mut(row) {
            *to = far;
        }
    }
}

/// What a sink is to be told.
#[derive(Clone, Copy)]
struct Outcome {
    row: u32,
    label: u32,
    near: f32,
    far: f32,
}

/// Outcomes of one block at most: its own points, and those left of the one before.
const LEN: usize = VECTORS * LANES + LANES;

impl Outcome {
    const NONE: Outcome = Outcome { row: 0, label: 0, near: 0.0, far: 0.0 };
}

/// The canonical distances decide alone.
#[inline(always)]
fn one<F: Floats>(f: F, data: &[f32], row: u32, panels: &Panels<'_>) -> Outcome {
    let x = points::row(data, panels.cols, row as usize);
    let s = guard(x, panels.magnitude);
    let nearest = score::nearest(f, s, x, panels.centers);
    let (near, far) = if s == 1.0 {
        let margins = &panels.margins;
        (f.root(margins.above(nearest.distance)), f.root(margins.below(nearest.second)))
    } else {
        // Never skipped: distances in this range are no floats.
        (f32::INFINITY, 0.0)
    };
    Outcome { row, label: nearest.label, near, far }
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

/// The points of the next block. They are fetched while this one is worked on: rows that are read side by side are too
/// many streams for the processor to foresee.
#[derive(Clone, Copy)]
struct Next<'a> {
    data: &'a [f32],
    rows: &'a [u32],
}

/// Compares the points of a block with all centres.
#[inline(always)]
fn tiles<F: Floats, const T: usize>(
    f: F,
    panels: &Panels<'_>,
    block: &[[f32; LANES]],
    next: Next<'_>,
    best: &mut [Best],
) {
    let cols = panels.cols;
    let share = next.rows.len().div_ceil(panels.k.div_ceil(T).max(1)).max(1);
    let mut coming = next.rows.chunks(share);
    let mut first = 0u32;
    for (tile, seeds) in
        split_rows(panels.tiles.as_chunks::<T>().0, cols).zip(panels.seeds.as_chunks::<T>().0)
    {
        for &row in coming.next().unwrap_or_default() {
            f.prefetch(points::row(next.data, cols, row as usize));
        }
        for (best, y) in best.iter_mut().zip(split_rows(block, cols)) {
            let scores = scores(f, y, tile, seeds);
            compare(f, scores, first, best);
        }
        first += T as u32;
    }
}

/// Writes the outcomes that are beyond doubt, returns how many, and collects the other points.
#[inline(always)]
fn decided<F: Floats>(
    f: F,
    panels: &Panels<'_>,
    indices: &[u32; VECTORS * LANES],
    best: &[Best],
    count: usize,
    outcomes: &mut [Outcome; LEN],
    close: &mut Close,
) -> usize {
    let mut len = 0;
    let mut left = count;
    for (rows, best) in indices.as_chunks::<LANES>().0.iter().zip(best) {
        let (score, second, squares) = (f.load(&best.score), f.load(&best.second), f.load(&best.squares));
        let (margin, error) = panels.margins.of(f, squares);
        let zero = f.splat(0.0);
        let to_best = f.sub(f.sub(squares, score), score);
        let near = f.store(f.sqrt(f.max(f.add(to_best, error), zero)));
        let far = f.store(f.sqrt(f.max(f.sub(f.sub(f.sub(squares, second), second), error), zero)));
        // No centre is nearer than the best score says.
        let least_far = f.store(f.sqrt(f.max(f.sub(to_best, error), zero)));
        let least = f.store(f.sub(score, margin));
        let clear = f.bits(f.greater(f.sub(score, second), margin));
        let each = rows.iter().zip(&best.index).zip(near.iter().zip(&far)).zip(least.iter().zip(&least_far));
        for (lane, (((&row, index), (&near, &far)), (&least, &least_far))) in each.enumerate().take(left) {
            if clear >> lane & 1 == 1 {
                if let Some(to) = outcomes.get_mut(len) {
                    *to = Outcome { row, label: index.to_bits(), near, far };
                    len += 1;
                }
            } else {
                close.push(row, least, least_far);
            }
        }
        left = left.saturating_sub(LANES);
    }
    len
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
    let mut rows: [&[f32]; LANES] = [&[]; LANES];
    for (row, &index) in rows.iter_mut().zip(indices) {
        *row = points::row(data, cols, index as usize);
    }
    let mut squares = f.splat(0.0);
    let mut turned = [[0.0f32; LANES]; LANES];
    let whole = cols / LANES;
    let (y_whole, y_rest) = y.as_chunks_mut::<LANES>();
    let (m_whole, m_rest) = panels.middle.as_chunks::<LANES>();
    for ((i, y), m) in (0..whole).zip(y_whole).zip(m_whole) {
        let mut sixteen = [NOTHING; LANES];
        for (to, point) in sixteen.iter_mut().zip(&rows) {
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
        for (to, point) in sixteen.iter_mut().zip(&rows) {
            *to = point.last_chunk().unwrap_or(NOTHING);
        }
        f.transpose(&sixteen, &mut turned);
    } else {
        for (lane, point) in rows.iter().enumerate() {
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
    rows: [u32; LEN],
    /// Centres with a lower score cannot be the nearest.
    least: [f32; LEN],
    /// No centre is nearer than this.
    far: [f32; LEN],
    len: usize,
}

/// Up to 16 of them.
struct Few {
    rows: [u32; LANES],
    least: [f32; LANES],
    far: [f32; LANES],
    len: usize,
}

impl Close {
    const NONE: Close = Close { rows: [0; LEN], least: [0.0; LEN], far: [0.0; LEN], len: 0 };

    #[inline(always)]
    fn push(&mut self, row: u32, least: f32, far: f32) {
        let to =
            self.rows.get_mut(self.len).zip(self.least.get_mut(self.len)).zip(self.far.get_mut(self.len));
        if let Some(((to_row, to_least), to_far)) = to {
            (*to_row, *to_least, *to_far) = (row, least, far);
            self.len += 1;
        }
    }

    /// The last ones; the places of `rows` that stay empty name row 0, which there is.
    #[inline(always)]
    fn take(&mut self) -> Few {
        let mut few =
            Few { rows: [0; LANES], least: [0.0; LANES], far: [0.0; LANES], len: self.len.min(LANES) };
        let start = self.len - few.len;
        let to = few.rows.iter_mut().zip(&mut few.least).zip(&mut few.far).take(few.len);
        let from = self.rows.iter().zip(&self.least).zip(&self.far).skip(start);
        for (((to_row, to_least), to_far), ((row, least), far)) in to.zip(from) {
            (*to_row, *to_least, *to_far) = (*row, *least, *far);
        }
        self.len = start;
        few
    }
}

/// Scores points again, and compares all centres that may be the nearest by canonical distances.
#[inline(always)]
fn candidates<F: Floats, const T: usize>(
    f: F,
    data: &[f32],
    panels: &Panels<'_>,
    y: &[[f32; LANES]],
    few: &Few,
    nearest: &mut [Nearest; LANES],
) {
    let cols = panels.cols;
    let least = f.load(&few.least);
    let valid = (1u32 << few.len) - 1;
    let tiles = split_rows(panels.tiles.as_chunks::<T>().0, cols);
    for (i, (tile, seeds)) in tiles.zip(panels.seeds.as_chunks::<T>().0).enumerate() {
        let mut may = [0u32; T];
        for (may, score) in may.iter_mut().zip(scores(f, y, tile, seeds)) {
            *may = valid & !f.bits(f.greater(least, score));
        }
        for (j, mut may) in may.into_iter().enumerate() {
            let label = i * T + j;
            while may != 0 && label < panels.k {
                let lane = may.trailing_zeros() as usize;
                may &= may - 1;
                if let (Some(&point), Some(nearest)) = (few.rows.get(lane), nearest.get_mut(lane)) {
                    let x = points::row(data, cols, point as usize);
                    nearest.see(label as u32, distance(f, x, points::row(panels.centers, cols, label)));
                }
            }
        }
    }
}
