//! The points that one thread looks after, and what is done with them in an iteration.

use crate::simd::floats::{FloatKernel, Floats};

use super::bounds::{Kept, Moves};
use super::frame::Scale;
use super::groups::{Drift, GROUP, Groups, Known};
use super::panels::Panels;
use super::partial::canonical;
use super::pass::{Rows, Sink, pass};
use super::points::{Points, magnitude_bits, row};
use super::sums::Sums;

/// Some rows of the data, with their state.
pub(super) struct Shard<'a> {
    pub(super) points: Points<'a>,
    /// `u32::MAX` before the first pass.
    pub(super) labels: &'a mut [u32],
    /// Sums over these rows.
    pub(super) partial: &'a mut [i64],
    /// Bounds, or empty slices.
    pub(super) kept: Kept<'a>,
    /// Bounds for groups, or empty slices.
    pub(super) groups: Groups<'a>,
    /// Pairs of a point and a group that the last pass compared, if it was one by groups.
    pub(super) pairs: u64,
    /// Distances to the own centre, for the search of the farthest point, or empty.
    pub(super) distances: &'a mut [f32],
    pub(super) block: &'a mut [f32],
    pub(super) pace: Pace,
    /// Labels that changed in the last pass.
    pub(super) changed: usize,
}

/// Whether bounds have paid.
#[derive(Clone, Copy, Default)]
pub(super) struct Pace {
    /// Passes to come without looking at bounds.
    pause: u32,
    /// Passes to come without working out own distances.
    coarse: u32,
    /// Length of the next pause.
    next: u32,
}

/// What all shards share in an iteration.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) panels: &'a Panels<'a>,
    pub(super) scale: &'a Scale,
    pub(super) factors: &'a [f32],
    /// None if bounds are off, or nothing is known.
    pub(super) moves: Option<Moves<'a>>,
    pub(super) drift: Drift<'a>,
}

/// Labels the points of a shard and keeps its sums.
pub(super) struct Step<'s, 'a> {
    pub(super) shard: &'s mut Shard<'a>,
    pub(super) shared: Shared<'s>,
}

impl FloatKernel for Step<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Step { shard, shared } = self;
        let (panels, data, all) = (shared.panels, shard.points.data(), shard.points.rows());
        let mut rows = all;
        let mut listed = false;
        if shared.drift.reset {
            shard.groups.clear(panels.k);
        }
        let grouped = F::TILE > 0 && panels.tile == GROUP;
        if let (Some(moves), true) = (&shared.moves, grouped) {
            (rows, listed) = (shard.kept.filter(shard.labels, moves, panels.cols), true);
        } else if let Some(moves) = &shared.moves {
            if shard.pace.pause > 0 {
                shard.pace.pause -= 1;
            } else {
                (rows, listed) = (shard.kept.filter(shard.labels, moves, panels.cols), true);
                // An own distance costs as much as about ten centres in a tile.
                if panels.tile > 0 && panels.k > 10 && shard.pace.coarse == 0 {
                    let before = rows;
                    rows = shard.kept.tighten(f, data, shard.labels, panels, rows);
                    let saved = (before - rows) as u64 * panels.k as u64;
                    shard.pace.coarse = if saved < before as u64 * 10 { 4 } else { 0 };
                } else {
                    shard.pace.coarse = shard.pace.coarse.saturating_sub(1);
                }
                // Looking at the bounds has to be worth it.
                if rows as u64 * 10 > all as u64 * 9 {
                    shard.pace.next = (shard.pace.next * 2).clamp(1, 8);
                    shard.pace.pause = shard.pace.next;
                    listed = false;
                } else {
                    shard.pace.next = 0;
                }
            }
        }
        let Some(sums) = Sums::split(panels.k, panels.cols, shard.partial) else { return };
        let (scale, factors, points) = (shared.scale, shared.factors, &shard.points);
        let (near, far) = (&mut *shard.kept.near, &mut *shard.kept.far);
        let mut mover = Mover {
            f,
            points,
            labels: shard.labels,
            scale,
            factors,
            sums,
            near,
            far,
            left: None,
            changed: 0,
        };
        let rows = match shard.kept.list.get(..rows) {
            Some(list) if listed => Rows::These(list),
            _ => Rows::First(all),
        };
        if grouped {
            shard.pairs = shard.groups.pass(f, data, rows, panels, shared.drift, &mut mover);
        } else {
            mover.left = Some((&mut shard.groups, panels.k));
            pass(f, data, rows, panels, shard.block, &mut mover);
        }
        shard.changed = mover.changed;
    }
}

/// Keeps labels, sums and bounds.
struct Mover<'a, 'g, F> {
    f: F,
    points: &'a Points<'a>,
    labels: &'a mut [u32],
    scale: &'a Scale,
    factors: &'a [f32],
    sums: Sums<'a>,
    near: &'a mut [f32],
    far: &'a mut [f32],
    /// The groups (of how many centres), where they have to be told what changes.
    left: Option<(&'a mut Groups<'g>, usize)>,
    changed: usize,
}

impl<F: Floats> Known for Mover<'_, '_, F> {
    #[inline(always)]
    fn known(&self, row: usize) -> (u32, f32) {
        let label = self.labels.get(row).copied().unwrap_or(u32::MAX);
        (label, self.far.get(row).copied().unwrap_or_default())
    }
}

impl<F: Floats> Sink for Mover<'_, '_, F> {
    #[inline(always)]
    fn put(&mut self, row: usize, label: u32, near: f32, far: f32) {
        if let (Some(to_near), Some(to_far)) = (self.near.get_mut(row), self.far.get_mut(row)) {
            (*to_near, *to_far) = (near, far);
        }
        let Some(to) = self.labels.get_mut(row) else { return };
        let before = core::mem::replace(to, label);
        if before == label {
            return;
        }
        self.changed += 1;
        if let Some((groups, k)) = &mut self.left {
            groups.forget(*k, row, before);
        }
        let (x, w) = (self.points.row(row), self.scale.weight(self.points.weights(), row));
        for change in [(label, 1), (before, -1)] {
            if change.0 != u32::MAX {
                self.sums.change(self.f, self.scale, self.factors, x, w, change);
            }
        }
    }
}

/// Makes the panels of the centres.
pub(super) struct Prepare<'a> {
    pub(super) k: usize,
    pub(super) cols: usize,
    pub(super) centers: &'a [f32],
    /// Bits of the largest magnitude of the points.
    pub(super) magnitude: u32,
    /// Whether they are to be panels of groups.
    pub(super) grouped: bool,
    pub(super) memory: &'a mut [f32],
}

impl<'a> FloatKernel for Prepare<'a> {
    type Output = Panels<'a>;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Panels<'a> {
        Panels::new(f, self.k, self.cols, self.centers, self.magnitude, self.grouped, self.memory)
    }
}

/// Works out the inertia of the labels anew, into the partial.
pub(super) struct Inertia<'s, 'a> {
    pub(super) shard: &'s mut Shard<'a>,
    pub(super) k: usize,
    pub(super) centers: &'s [f32],
    pub(super) scale: &'s Scale,
}

impl FloatKernel for Inertia<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let (points, magnitude) = (&self.shard.points, magnitude_bits(self.centers));
        let Some(mut sums) = Sums::split(self.k, points.cols(), self.shard.partial) else { return };
        sums.inertia.fill(0);
        for (i, (x, &label)) in points.iter().zip(self.shard.labels.iter()).enumerate() {
            let w = self.scale.weight(points.weights(), i);
            let center = row(self.centers, points.cols(), label as usize);
            let ((distance, s), _) = canonical(f, x, magnitude, center);
            sums.add_inertia(distance, s, w);
        }
    }
}

/// Moves a point of a shard to another cluster.
pub(super) struct Relocate<'s, 'a> {
    pub(super) shard: &'s mut Shard<'a>,
    pub(super) k: usize,
    pub(super) at: usize,
    pub(super) to: u32,
    pub(super) scale: &'s Scale,
    pub(super) factors: &'s [f32],
}

impl FloatKernel for Relocate<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Relocate { shard, at, to, scale, factors, k } = self;
        shard.kept.forget(at);
        let points = &shard.points;
        let Some(mut sums) = Sums::split(k, points.cols(), shard.partial) else { return };
        let (x, w) = (points.row(at), scale.weight(points.weights(), at));
        let (Some(label), Some(distance)) = (shard.labels.get_mut(at), shard.distances.get_mut(at)) else {
            return;
        };
        shard.groups.forget(k, at, *label);
        for change in [(*label, -1), (to, 1)] {
            sums.change(f, scale, factors, x, w, change);
        }
        (*label, *distance) = (to, 0.0);
    }
}
