//! Yinyang bounds (Ding et al. 2015) whose groups are panels of 16 centres: a point keeps, beside Hamerly's two bounds,
//! a lower bound for each group, and is compared with those groups that may hold its nearest centre.
//!
//! # What is worked out
//!
//! Surviving pairs of a point and a group are listed by group, for a block of points at a time. A panel has one centre a lane
//! and points are broadcast, so any points stand side by side without being packed. Of each pair the
//! largest score is kept, and of the best group of a point all 16. The own group is compared whenever any is, so:
//!
//! - a group that is left out has all its centres farther than the own centre, by canonical distances, for certain
//!   (`near (1 + 4 r) + 2^-50 < bound`, as in [`bounds`](super::bounds));
//! - of the centres that were compared the best wins if it leads by the margin of [`panels`](super::panels); otherwise all
//!   centres of all groups that reach within the margin are compared by canonical distances.
//!
//! The label is that of the plain algorithm in both cases.
//!
//! # Bounds of groups
//!
//! A bound says that no centre of the group, but for the own one, is nearer. It is kept as what it was when it was
//! made, plus the sum `drift` of what the group had moved by then, of each time the farthest of its centres. What it is worth now is that less
//! the drift of now, so nothing has to be done for points and groups that are not looked at. Drifts are rounded
//! up; a bound is widened by 2^-21 of bound and drift together when it is stored, and of the difference when it is read.
//! A label that changes in another pass than this one takes the bound of the old group with it ([`Groups::forget`]).

use bytemuck::{Pod, Zeroable};

use crate::math::tree_sum;
use crate::simd::floats::Floats;
use crate::workspace::{split_rows, split_rows_mut};

use super::bounds::{DOWN, UP, settled_above};
use super::panels::{EMPTY, Panels};
use super::pass::{Rows, Sink};
use super::points::{row, row_mut};
use super::score::{Nearest, distance};

/// Centres of a group: those of a panel.
pub(super) const GROUP: usize = 16;
/// Points that a panel is compared with at once.
const SIX: usize = 6;
/// The score of a group that was not compared; below that of every centre, [`EMPTY`] included.
const NOT: f32 = f32::MIN;

/// Bounds that a point has: one for each group, to a multiple of 16.
pub(super) fn groups_len(k: usize) -> usize {
    k.div_ceil(GROUP).next_multiple_of(16)
}

/// Points of a block: up to 256, and 128 KB, if 16 are not more.
pub(super) fn block_rows(cols: usize) -> usize {
    (32768 / cols.max(1)).clamp(16, 256)
}

/// Numbers of the lists of a block: for each group how many points it has to be compared with, and which.
pub(super) fn lists_len(cols: usize, groups: usize) -> Option<usize> {
    groups.checked_mul(block_rows(cols) + 1)
}

/// Floats of a block.
pub(super) fn block_floats(cols: usize, groups: usize) -> Option<usize> {
    cols.checked_add(groups)?.checked_mul(block_rows(cols))
}

/// What a sink knows about a point beforehand.
pub(super) trait Known: Sink {
    /// Its label (`u32::MAX`: none), and its lower bound for all other centres.
    fn known(&self, row: usize) -> (u32, f32);
}

/// A point of a block.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Place {
    row: u32,
    /// The label so far.
    label: u32,
    /// An upper bound of the distance to its centre.
    near: f32,
    /// |y|^2
    square: f32,
    /// The best score, its group, and all scores of that group.
    score: f32,
    group: u32,
    lanes: [f32; GROUP],
}

/// The bounds of some points for all groups, and a block to work in; or empty slices.
pub(super) struct Groups<'a> {
    /// `rows` x [`groups_len`], each plus the drift of its group when it was made.
    pub(super) lower: &'a mut [f32],
    /// [`block_floats`]
    pub(super) block: &'a mut [f32],
    /// [`block_rows`]
    pub(super) places: &'a mut [Place],
    /// [`lists_len`]
    pub(super) lists: &'a mut [u16],
}

/// How far groups have moved, all in all.
#[derive(Clone, Copy)]
pub(super) struct Drift<'a> {
    /// [`groups_len`], or none.
    pub(super) sums: &'a [f32],
    /// Whether nothing that was known still holds.
    pub(super) reset: bool,
}

/// Adds what the centres have moved.
pub(super) fn drift_add(moved: &[f32], drift: &mut [f32]) {
    for (moved, drift) in moved.chunks(GROUP).zip(drift) {
        let most = moved.iter().fold(0.0f32, |most, &m| if m > most { m } else { most });
        *drift = (*drift + most) * UP;
    }
}

impl Groups<'_> {
    /// Nothing is known about any point any more.
    pub(super) fn clear(&mut self, k: usize) {
        let groups = k.div_ceil(GROUP);
        for lower in split_rows_mut(self.lower, groups_len(k)) {
            for (i, lower) in lower.iter_mut().enumerate() {
                *lower = if i < groups { f32::NEG_INFINITY } else { f32::INFINITY };
            }
        }
    }

    /// The label of a point has changed, so its old centre is one of the others.
    #[inline(always)]
    pub(super) fn forget(&mut self, k: usize, at: usize, label: u32) {
        if self.lower.is_empty() || label == u32::MAX {
            return;
        }
        if let Some(to) = row_mut(self.lower, groups_len(k), at).get_mut(label as usize / GROUP) {
            *to = f32::NEG_INFINITY;
        }
    }

    /// Gives `sink` every one of `rows`; returns how many pairs were compared.
    #[inline(always)]
    pub(super) fn pass<F: Floats>(
        &mut self,
        f: F,
        data: &[f32],
        rows: Rows<'_>,
        panels: &Panels<'_>,
        drift: Drift<'_>,
        sink: &mut impl Known,
    ) -> u64 {
        let (cols, len, most) = (panels.cols, groups_len(panels.k), block_rows(panels.cols));
        let Some((points, scores)) = self.block.split_at_mut_checked(most.wrapping_mul(cols)) else {
            return 0;
        };
        let (lower, places, lists) = (&mut *self.lower, &mut *self.places, &mut *self.lists);
        let mut pairs = 0;
        let mut done = 0;
        while done < rows.len() {
            let mut block =
                Block { f, data, panels, drift: drift.sums, len, lower, points, scores, places, lists, most };
            let (taken, count) = block.choose(rows, done, !drift.reset, sink, &mut pairs);
            done += taken;
            block.compare(count);
            block.decide(count, sink);
        }
        pairs
    }
}

/// Points that are compared together.
struct Block<'a, F> {
    f: F,
    data: &'a [f32],
    panels: &'a Panels<'a>,
    drift: &'a [f32],
    /// Bounds of a point.
    len: usize,
    /// Points at most.
    most: usize,
    lower: &'a mut [f32],
    /// Centred points.
    points: &'a mut [f32],
    /// The largest score of each group, for each point; [`NOT`] where there is none.
    scores: &'a mut [f32],
    places: &'a mut [Place],
    lists: &'a mut [u16],
}

impl<F: Floats> Block<'_, F> {
    /// Takes points that their bounds do not settle, from `start` on, and lists them with the groups that may hold their
    /// nearest centre; `trust` says whether the lower bounds of the sink mean anything. Returns how many rows it has seen, and how many points it took.
    #[inline(always)]
    fn choose(
        &mut self,
        rows: Rows<'_>,
        start: usize,
        trust: bool,
        sink: &mut impl Known,
        pairs: &mut u64,
    ) -> (usize, usize) {
        let (f, cols, panels) = (self.f, self.panels.cols, self.panels);
        for list in split_rows_mut(self.lists, self.most + 1) {
            if let Some(count) = list.first_mut() {
                *count = 0;
            }
        }
        let (mut at, mut count) = (start, 0);
        while at < rows.len() && count < self.most {
            let index = rows.get(at) as usize;
            at += 1;
            let x = row(self.data, cols, index);
            let (label, far) = sink.known(index);
            let near = if label == u32::MAX {
                f32::INFINITY
            } else {
                let own = distance(f, x, row(panels.centers, cols, label as usize));
                f.root(panels.margins.above(own)) * UP
            };
            let least = settled_above(near, cols);
            if trust && least < far {
                sink.put(index, label, near, far);
                continue;
            }
            let (any, far) = self.list(index, count, label, least);
            if any == 0 {
                sink.put(index, label, near, far);
                continue;
            }
            *pairs += any;
            let y = row_mut(self.points, cols, count);
            let square = center(f, x, panels.middle, y);
            row_mut(self.scores, self.len, count).fill(NOT);
            if let Some(place) = self.places.get_mut(count) {
                *place = Place {
                    row: index as u32,
                    label,
                    near,
                    square,
                    score: NOT,
                    group: 0,
                    lanes: [EMPTY; GROUP],
                };
            }
            count += 1;
        }
        (at - start, count)
    }

    /// Lists a point with all groups that have bounds of `least` or less, and its own with them. Returns with how
    /// many, and the least bound.
    #[inline(always)]
    fn list(&mut self, index: usize, place: usize, label: u32, least: f32) -> (u64, f32) {
        let f = self.f;
        let own = label as usize / GROUP;
        let groups = self.panels.k.div_ceil(GROUP);
        let lower = row(self.lower, self.len, index);
        let mut smallest = f.splat(f32::INFINITY);
        let (mut any, mut listed) = (0, false);
        let bounds = lower.as_chunks::<16>().0.iter().zip(self.drift.as_chunks::<16>().0);
        for (i, (lower, drift)) in bounds.enumerate() {
            let bound = f.mul(f.sub(f.load(lower), f.load(drift)), f.splat(DOWN));
            smallest = f.min(smallest, bound);
            let there = (groups - 16 * i).min(16);
            let mut open = !f.bits(f.greater(bound, f.splat(least))) & ((1u32 << there) - 1);
            while open != 0 {
                let group = 16 * i + open.trailing_zeros() as usize;
                open &= open - 1;
                append(self.lists, self.most, group, place);
                listed |= group == own;
                any += 1;
            }
        }
        if any > 0 && !listed && label != u32::MAX {
            append(self.lists, self.most, own, place);
            any += 1;
        }
        (any, if any == 0 { smallest_of(f, smallest) } else { 0.0 })
    }

    /// Works out the scores of all listed pairs.
    #[inline(always)]
    fn compare(&mut self, count: usize) {
        if count == 0 {
            return;
        }
        let panels = self.panels;
        let tiles = split_rows(panels.tiles.as_chunks::<GROUP>().0, panels.cols);
        let lists = split_rows(self.lists, self.most + 1);
        for (group, ((tile, seeds), list)) in
            tiles.zip(panels.seeds.as_chunks::<GROUP>().0).zip(lists).enumerate()
        {
            let Some((&listed, list)) = list.split_first() else { break };
            let list = list.get(..listed as usize).unwrap_or_default();
            let (points, cols) = (&*self.points, panels.cols);
            let mut note = Note { f: self.f, group, len: self.len, scores: self.scores, places: self.places };
            let three = if F::TILE >= SIX {
                let (sixes, rest) = list.as_chunks::<SIX>();
                for &[a, b, c, d, e, g] in sixes {
                    let y = |i: u16| row(points, cols, i as usize);
                    let scores = six(self.f, tile, seeds, [y(a), y(b), y(c), y(d), y(e), y(g)]);
                    for (at, scores) in [a, b, c, d, e, g].into_iter().zip(scores) {
                        note.put(at, scores);
                    }
                }
                rest
            } else {
                list
            };
            for some in three.chunks(3) {
                let (a, b, c) = match *some {
                    [a, b, c] => (a, b, c),
                    [a, b] => (a, b, b),
                    [a] => (a, a, a),
                    _ => break,
                };
                let y = |i: u16| row(points, cols, i as usize);
                let scores = self::three(self.f, tile, seeds, [y(a), y(b), y(c)]);
                for (&at, scores) in some.iter().zip(scores) {
                    note.put(at, scores);
                }
            }
        }
    }

    /// Finds the labels, and renews the bounds of what was compared.
    #[inline(always)]
    fn decide(&mut self, count: usize, sink: &mut impl Known) {
        let (f, panels) = (self.f, self.panels);
        let each = self.places.iter().zip(split_rows_mut(self.scores, self.len)).take(count);
        for (place, scores) in each {
            let (at, best) = (place.row as usize, place.score);
            let lanes = f.load(&place.lanes);
            let lane = (!f.bits(f.greater(f.splat(best), lanes)) & 0xFFFF).trailing_zeros() as usize;
            let mut others = place.lanes;
            if let Some(to) = others.get_mut(lane) {
                *to = EMPTY;
            }
            if let Some(to) = scores.get_mut(place.group as usize) {
                *to = f.largest(f.load(&others));
            }
            let mut second = f.splat(NOT);
            for scores in scores.as_chunks::<16>().0 {
                second = f.max(second, f.load(scores));
            }
            let second = f.largest(second);
            let (margin, error) = panels.margins.of(f, f.splat(place.square));
            let ([margin, ..], [error, ..]) = (f.store(margin), f.store(error));
            let mut label = place.group * GROUP as u32 + lane as u32;
            let mut near;
            if best - second > margin {
                let above = place.square - best - best + error;
                near = f.root(if above > 0.0 { above } else { 0.0 });
                near = if label == place.label && place.near < near { place.near } else { near };
            } else {
                let found =
                    close(f, row(self.data, panels.cols, at), panels, scores, place.group, best, margin);
                label = found.label;
                near = f.root(panels.margins.above(found.distance));
            }
            // Whatever the label is now, no other centre of a group scores more than its number says.
            let mut far = f.splat(f32::INFINITY);
            let lower = row_mut(self.lower, self.len, at).as_chunks_mut::<16>().0;
            let (square, error) = (f.splat(place.square), f.splat(error));
            for ((lower, drift), scores) in
                lower.iter_mut().zip(self.drift.as_chunks::<16>().0).zip(scores.as_chunks::<16>().0)
            {
                let (scores, drift, old) = (f.load(scores), f.load(drift), f.load(lower));
                let new = f.sub(f.sub(f.sub(square, scores), scores), error);
                let new = f.mul(f.sqrt(f.max(new, f.splat(0.0))), f.splat(DOWN));
                let compared = f.greater(scores, f.splat(2.0 * EMPTY));
                let still = f.mul(f.sub(old, drift), f.splat(DOWN));
                far = f.min(far, f.select(compared, new, still));
                *lower = f.store(f.select(compared, f.mul(f.add(new, drift), f.splat(DOWN)), old));
            }
            let far = smallest_of(f, far);
            sink.put(at, label, near, if far > 0.0 { far } else { 0.0 });
        }
    }
}

/// Appends to the list of a group.
#[inline(always)]
fn append(lists: &mut [u16], most: usize, group: usize, place: usize) {
    if let Some((count, list)) = row_mut(lists, most + 1, group).split_first_mut()
        && let Some(to) = list.get_mut(*count as usize)
    {
        *to = place as u16;
        *count += 1;
    }
}

/// Writes the scores of a group down.
struct Note<'a, F> {
    f: F,
    group: usize,
    len: usize,
    scores: &'a mut [f32],
    places: &'a mut [Place],
}

impl<F: Floats> Note<'_, F> {
    #[inline(always)]
    fn put(&mut self, at: u16, scores: F::V) {
        let best = self.f.largest(scores);
        if let Some(to) = row_mut(self.scores, self.len, at as usize).get_mut(self.group) {
            *to = best;
        }
        if let Some(place) = self.places.get_mut(at as usize)
            && best > place.score
        {
            (place.score, place.group) = (best, self.group as u32);
            place.lanes = self.f.store(scores);
        }
    }
}

/// The nearest by canonical distances of all centres in groups that come within the margin of the best. Their scores
/// become the best one: who of them is the own centre no longer shows.
#[inline(always)]
fn close<F: Floats>(
    f: F,
    x: &[f32],
    panels: &Panels<'_>,
    scores: &mut [f32],
    own: u32,
    best: f32,
    margin: f32,
) -> Nearest {
    let mut nearest = Nearest::NONE;
    let least = best - margin;
    for (group, score) in scores.iter_mut().enumerate() {
        if *score < least && group != own as usize {
            continue;
        }
        *score = best;
        for label in group * GROUP..(group * GROUP + GROUP).min(panels.k) {
            nearest.see(label as u32, distance(f, x, row(panels.centers, panels.cols, label)));
        }
    }
    nearest
}

/// `x - middle`; returns |y|^2.
#[inline(always)]
fn center<F: Floats>(f: F, x: &[f32], middle: &[f32], y: &mut [f32]) -> f32 {
    let ((xs, x_rest), (ms, m_rest)) = (x.as_chunks::<16>(), middle.as_chunks::<16>());
    let (ys, y_rest) = y.as_chunks_mut::<16>();
    let mut squares = f.splat(0.0);
    for ((y, x), m) in ys.iter_mut().zip(xs).zip(ms) {
        let v = f.sub(f.load(x), f.load(m));
        squares = f.mul_add(v, v, squares);
        *y = f.store(v);
    }
    let mut lanes = f.store(squares);
    for (((y, x), m), lane) in y_rest.iter_mut().zip(x_rest).zip(m_rest).zip(&mut lanes) {
        *y = x - m;
        *lane += *y * *y;
    }
    tree_sum(lanes)
}

/// The scores of six points for the 16 centres of a panel.
#[inline(always)]
fn six<F: Floats>(
    f: F,
    tile: &[[f32; GROUP]],
    seeds: &[f32; GROUP],
    [a, b, c, d, e, g]: [&[f32]; SIX],
) -> [F::V; SIX] {
    let seed = f.load(seeds);
    let (mut a_sum, mut b_sum, mut c_sum) = (seed, seed, seed);
    let (mut d_sum, mut e_sum, mut g_sum) = (seed, seed, seed);
    let each = tile.iter().zip(a).zip(b).zip(c).zip(d).zip(e).zip(g);
    for ((((((values, &a), &b), &c), &d), &e), &g) in each {
        let values = f.load(values);
        a_sum = f.mul_add(f.splat(a), values, a_sum);
        b_sum = f.mul_add(f.splat(b), values, b_sum);
        c_sum = f.mul_add(f.splat(c), values, c_sum);
        d_sum = f.mul_add(f.splat(d), values, d_sum);
        e_sum = f.mul_add(f.splat(e), values, e_sum);
        g_sum = f.mul_add(f.splat(g), values, g_sum);
    }
    [a_sum, b_sum, c_sum, d_sum, e_sum, g_sum]
}

/// [`six`] for three.
#[inline(always)]
fn three<F: Floats>(f: F, tile: &[[f32; GROUP]], seeds: &[f32; GROUP], [a, b, c]: [&[f32]; 3]) -> [F::V; 3] {
    let seed = f.load(seeds);
    let (mut a_sum, mut b_sum, mut c_sum) = (seed, seed, seed);
    for (((values, &a), &b), &c) in tile.iter().zip(a).zip(b).zip(c) {
        let values = f.load(values);
        a_sum = f.mul_add(f.splat(a), values, a_sum);
        b_sum = f.mul_add(f.splat(b), values, b_sum);
        c_sum = f.mul_add(f.splat(c), values, c_sum);
    }
    [a_sum, b_sum, c_sum]
}

/// The least of 16.
#[inline(always)]
fn smallest_of<F: Floats>(f: F, x: F::V) -> f32 {
    -f.largest(f.sub(f.splat(0.0), x))
}
