//! The iteration: label, mend, update, until it is told to stop. How the points are dealt out is left to a [`Crew`].

use crate::Error;
use crate::math::sqrt;
use crate::simd::{Tier, floats};
use crate::workspace::{split_rows, split_rows_mut};

use super::bounds::{Moves, apart, moved_at_most};
use super::empty::{self, Empty};
use super::fit::{Fit, FitOptions, Stop};
use super::frame::{Frame, Scale};
use super::groups::{Drift, GROUP, drift_add};
use super::partial::{OwnDistances, move_center};
use super::shard::{Inertia, Prepare, Relocate, Shard, Shared, Step};
use super::sums::{self, DIGITS};

/// Runs work on all shards.
pub(super) trait Crew {
    fn each<'a>(&self, shards: &mut [Shard<'a>], work: impl Fn(&mut Shard<'a>) + Sync + Send);
}

/// One after the other.
pub(super) struct Alone;

impl Crew for Alone {
    fn each<'a>(&self, shards: &mut [Shard<'a>], work: impl Fn(&mut Shard<'a>) + Sync + Send) {
        for shard in shards {
            work(shard);
        }
    }
}

/// Whether bounds for groups have paid.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest {
    /// Passes to come without them.
    pause: u32,
    /// Length of the next pause.
    next: u32,
}

impl Rest {
    /// Whether the pass to come is one by groups.
    fn over(&mut self) -> bool {
        let over = self.pause == 0;
        self.pause = self.pause.saturating_sub(1);
        over
    }

    /// A pass by groups has compared so many of all pairs.
    fn learn(&mut self, pairs: u64, all: u64) {
        // What they cost beyond a plain pass is about this part of it.
        self.next = if pairs > all - all / 16 { (self.next * 2).clamp(1, 8) } else { 0 };
        self.pause = self.next;
    }
}

/// What a fit works with, beside its shards.
pub(super) struct Lloyd<'a, C> {
    pub(super) crew: C,
    pub(super) tier: Tier,
    pub(super) k: usize,
    pub(super) options: &'a FitOptions,
    pub(super) frame: &'a Frame<'a>,
    pub(super) scale: Scale,
    pub(super) factors: &'a [f32],
    /// Bits of the largest magnitude of the points.
    pub(super) magnitude: u32,
    pub(super) centers: &'a mut [f32],
    pub(super) memory: &'a mut [f32],
    pub(super) block: &'a mut [f32],
    /// How far each centre has moved, and how far it is from the next; empty without bounds.
    pub(super) moved: &'a mut [f32],
    pub(super) apart: &'a mut [f32],
    /// How far each group of centres has moved, all in all; empty without bounds for groups.
    pub(super) drift: &'a mut [f32],
    pub(super) rest: Rest,
    /// The sum of all partials; not used for a single shard.
    pub(super) total: &'a mut [i64],
    /// Whether `moved` holds what has happened since the last pass.
    pub(super) known: bool,
}

impl<C: Crew> Lloyd<'_, C> {
    pub(super) fn run(&mut self, shards: &mut [Shard<'_>]) -> Result<Fit, Error> {
        let mut policy = self.options.empty;
        let (mut iterations, mut shift, mut last) = (0, 0.0, f32::INFINITY);
        let (mut split, mut settled) = (false, false);
        let stop = loop {
            let changed = self.assign(shards);
            if changed == 0 && iterations > 0 {
                if !split {
                    break Stop::Labels;
                }
                // Splitting brought nothing: back to the means.
                policy = Empty::Keep;
            } else if settled {
                break Stop::Shift;
            }
            if iterations >= self.options.max_iterations {
                break Stop::Iterations;
            }
            if self.options.inertia_tolerance > 0.0 {
                let now = self.inertia(shards);
                if last - now <= self.options.inertia_tolerance * last {
                    break Stop::Inertia;
                }
                last = now;
            }
            let empty = self.empty(shards);
            if empty > 0 && policy == Empty::Error {
                return Err(Error::EmptyCluster);
            }
            let relocated = empty > 0 && policy == Empty::Farthest && self.relocate(shards);
            shift = self.update(shards);
            split = empty > 0 && policy == Empty::SplitLargest;
            if split {
                let len = self.sums_len();
                let weights = total(shards, self.total).get(len..len + self.k).unwrap_or_default();
                empty::split_largest(self.frame, weights, self.centers);
                self.known = false;
            }
            iterations += 1;
            settled = !relocated && !split && shift <= self.options.shift_tolerance;
        };
        let inertia = self.inertia(shards);
        Ok(Fit { inertia, iterations, stop, shift, empty: self.empty(shards) })
    }

    fn sums_len(&self) -> usize {
        self.k.wrapping_mul(self.frame.cols())
    }

    /// Labels all points and keeps the sums up to date; returns how many labels changed.
    fn assign(&mut self, shards: &mut [Shard<'_>]) -> usize {
        let known = core::mem::replace(&mut self.known, false);
        let prepare = Prepare {
            k: self.k,
            cols: self.frame.cols(),
            centers: self.centers,
            magnitude: self.magnitude,
            grouped: !self.drift.is_empty() && self.rest.over(),
            memory: self.memory,
        };
        let panels = floats::run(self.tier, prepare);
        if !known {
            self.drift.fill(0.0);
        }
        if known && panels.tile == GROUP {
            self.apart.fill(0.0);
        } else if known {
            apart(self.tier, &panels, self.frame.rows(), self.block, self.apart);
        }
        let moves = known.then(|| Moves::new(self.moved, self.apart));
        let drift = Drift { sums: self.drift, reset: !known };
        let shared = Shared { panels: &panels, scale: &self.scale, factors: self.factors, moves, drift };
        let tier = self.tier;
        self.crew.each(shards, |shard| floats::run(tier, Step { shard, shared }));
        if known && panels.tile == GROUP {
            let pairs = shards.iter().map(|shard| shard.pairs).sum();
            self.rest.learn(pairs, self.frame.rows() as u64 * self.k.div_ceil(GROUP) as u64);
        }
        shards.iter().map(|shard| shard.changed).sum()
    }

    /// The inertia of the labels.
    fn inertia(&mut self, shards: &mut [Shard<'_>]) -> f32 {
        let (k, centers, scale, tier) = (self.k, &*self.centers, &self.scale, self.tier);
        self.crew.each(shards, |shard| floats::run(tier, Inertia { shard, k, centers, scale }));
        let total = total(shards, self.total);
        let digits = total.last_chunk::<DIGITS>();
        digits.map_or(0.0, |digits| sums::inertia(digits, &self.scale))
    }

    /// Clusters without weight.
    fn empty(&mut self, shards: &[Shard<'_>]) -> usize {
        let len = self.sums_len();
        let weights = total(shards, self.total).get(len..).unwrap_or_default();
        weights.iter().take(self.k).filter(|&&w| w <= 0).count()
    }

    /// Moves all centres to their means; returns the largest distance.
    fn update(&mut self, shards: &[Shard<'_>]) -> f32 {
        let (cols, len) = (self.frame.cols(), self.sums_len());
        let (sums, rest) = total(shards, self.total).split_at_checked(len).unwrap_or_default();
        let mut largest = 0.0f32;
        let mut moved_to = self.moved.iter_mut();
        for ((center, sums), &weight) in
            split_rows_mut(self.centers, cols).zip(split_rows(sums, cols)).zip(rest)
        {
            let moved = move_center(self.frame, &self.scale, self.options.spherical, (sums, weight), center);
            largest = if moved > largest { moved } else { largest };
            if let Some(to) = moved_to.next() {
                *to = moved_at_most(moved, cols);
            }
        }
        drift_add(self.moved, self.drift);
        self.known = !self.moved.is_empty();
        sqrt(largest)
    }

    /// Gives every cluster without weight the point that is farthest from its centre, of equally far ones the first;
    /// true if there was one.
    fn relocate(&mut self, shards: &mut [Shard<'_>]) -> bool {
        let (centers, tier, len) = (&*self.centers, self.tier, self.sums_len());
        self.crew.each(shards, |shard| {
            let Shard { points, labels, distances, .. } = shard;
            floats::run(tier, OwnDistances { points, centers, labels, distances });
        });
        let mut any = false;
        for j in 0..self.k {
            let weights = total(shards, self.total).get(len..).unwrap_or_default();
            if weights.get(j).is_none_or(|&w| w > 0) {
                continue;
            }
            let mut best: Option<(usize, usize, f32)> = None;
            for (s, shard) in shards.iter().enumerate() {
                let each = shard.distances.iter().zip(shard.labels.iter());
                for (i, (&distance, &label)) in each.enumerate() {
                    if distance > best.map_or(0.0, |(_, _, distance)| distance) {
                        let w = self.scale.weight(shard.points.weights(), i) as i64;
                        // It must not leave its own cluster without weight.
                        if w > 0 && weights.get(label as usize).is_some_and(|&all| all > w) {
                            best = Some((s, i, distance));
                        }
                    }
                }
            }
            let Some((s, at, _)) = best else { break };
            let Some(shard) = shards.get_mut(s) else { break };
            let (scale, factors, k) = (&self.scale, self.factors, self.k);
            floats::run(tier, Relocate { shard, k, at, to: j as u32, scale, factors });
            any = true;
        }
        any
    }
}

/// The sum of the partials of all shards.
fn total<'t>(shards: &'t [Shard<'_>], total: &'t mut [i64]) -> &'t [i64] {
    match shards {
        [shard] => shard.partial,
        _ => {
            total.fill(0);
            for shard in shards {
                for (to, &from) in total.iter_mut().zip(shard.partial.iter()) {
                    *to = to.wrapping_add(from);
                }
            }
            total
        }
    }
}
