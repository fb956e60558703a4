//! Bounds on distances, which spare points a comparison with all centres (Hamerly 2010), and never change a label.
//!
//! Every point keeps `near`, at least its exact distance to its own centre, and `far`, at most its exact distance to any
//! other. When centres move, `near` grows by the distance of its own centre, and `far` falls by the largest of the
//! others; `far` is also at least the distance from the own centre to the centre next to it, less `near`. As long as
//! `near` is clearly below `far`, the canonical distances too say that the label stays: with r their relative error
//! ([`relative_error`]), `near (1 + 4 r) + 2^-50 < far` is enough, since then `near^2 (1 + r) < far^2 (1 - r)`, with
//! room for r up to 2^-9 and for squares that underflow.
//!
//! Every operation here rounds; each step widens the bounds by 2^-21 of them, where the roundings in it are 5 at most.
//! Distances that centres have moved by are rounded up likewise.

use crate::simd::Tier;
use crate::simd::floats::{self, Floats};

use super::groups::groups_len;
use super::panels::Panels;
use super::pass::Survey;
use super::points::row;
use super::score::{UNIT, distance, relative_error};

/// Coordinates of all centres from which on bounds for groups pay (measured: docs/kmeans.md).
const GROUPS_FROM: usize = 1 << 14;

/// Widens an upper bound.
pub(super) const UP: f32 = 1.0 + 8.0 * UNIT;
/// Widens a lower bound.
pub(super) const DOWN: f32 = 1.0 - 8.0 * UNIT;

/// Whether a fit keeps bounds. The result is the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Bounds {
    /// As long as they pay: Hamerly's, which take 12 bytes a point; beside them Yinyang's for `k * cols` of 16,384 and more, where
    /// they take no more memory than the points themselves.
    #[default]
    Auto = 0,
    /// Never: every point is compared with every centre in every iteration.
    Off = 1,
    /// Hamerly's alone: one bound a point for all centres but its own.
    Hamerly = 2,
    /// Yinyang's beside them, however much memory that takes: one bound a point for every 16 centres, 4 bytes each, their
    /// number a multiple of 16. Tiers without tiles (scalar) leave them aside.
    Yinyang = 3,
}

impl Bounds {
    /// The choice with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`](crate::Error::UnknownEnum).
    pub fn from_i32(value: i32) -> Result<Bounds, crate::Error> {
        [Bounds::Auto, Bounds::Off, Bounds::Hamerly, Bounds::Yinyang]
            .into_iter()
            .find(|&b| b as i32 == value)
            .ok_or(crate::Error::UnknownEnum)
    }

    /// What fewer centres than `k` are to do so that they need no more memory than `k`.
    pub(super) fn for_up_to(self, cols: usize, k: usize) -> Bounds {
        if self == Bounds::Auto && self.groups(cols, k) == 0 { Bounds::Hamerly } else { self }
    }

    /// Bounds for groups that a point has; 0 if there are none.
    pub(super) fn groups(self, cols: usize, k: usize) -> usize {
        let len = groups_len(k);
        match self {
            Bounds::Off | Bounds::Hamerly => 0,
            Bounds::Auto if k.saturating_mul(cols) < GROUPS_FROM || len > cols => 0,
            Bounds::Auto | Bounds::Yinyang => len,
        }
    }
}

/// An upper bound of a distance, from its square added up in floats one after the other.
#[inline(always)]
pub(super) fn moved_at_most(square: f32, cols: usize) -> f32 {
    if square == 0.0 { 0.0 } else { crate::math::sqrt(square) * (1.0 + (cols as f32 + 8.0) * UNIT) }
}

/// How far centres have moved since the bounds were made, and how far each is from the next.
#[derive(Clone, Copy)]
pub(super) struct Moves<'a> {
    /// Of each centre, at least.
    moved: &'a [f32],
    /// To the centre next to each, at most.
    apart: &'a [f32],
    /// The centre that has moved farthest, how far, and how far all others have moved at most.
    top: u32,
    most: f32,
    others: f32,
}

impl<'a> Moves<'a> {
    pub(super) fn new(moved: &'a [f32], apart: &'a [f32]) -> Moves<'a> {
        let (mut top, mut most, mut others) = (0, 0.0, 0.0);
        for (j, &moved) in moved.iter().enumerate() {
            if moved > most {
                (top, others, most) = (j as u32, most, moved);
            } else if moved > others {
                others = moved;
            }
        }
        Moves { moved, apart, top, most, others }
    }
}

/// Distances from each centre to the one next to it; zeros if there are too few points for that to pay.
pub(super) fn apart(tier: Tier, panels: &Panels<'_>, rows: usize, block: &mut [f32], apart: &mut [f32]) {
    apart.fill(0.0);
    if panels.tile > 0 && rows / 16 >= panels.k {
        // Each is nearest to itself; one that has a twin is undecided, and what is then said of all centres is 0.
        let survey =
            Survey { data: panels.centers, rows: panels.k, panels, block, labels: &mut [], far: apart };
        floats::run(tier, survey);
    }
}

/// The bounds of some points.
pub(super) struct Kept<'a> {
    pub(super) near: &'a mut [f32],
    pub(super) far: &'a mut [f32],
    /// Rows that have to be looked at.
    pub(super) list: &'a mut [u32],
}

/// What `far` has to be above.
#[inline(always)]
pub(super) fn settled_above(near: f32, cols: usize) -> f32 {
    near * (1.0 + 4.0 * relative_error(cols)) + f32::from_bits((127 - 50) << 23)
}

/// `near (1 + 4 r) + 2^-50 < far`
#[inline(always)]
fn settled(near: f32, far: f32, factor: f32) -> bool {
    near * factor + f32::from_bits((127 - 50) << 23) < far
}

impl Kept<'_> {
    /// Nothing is known about a point any more.
    pub(super) fn forget(&mut self, row: usize) {
        if let (Some(near), Some(far)) = (self.near.get_mut(row), self.far.get_mut(row)) {
            (*near, *far) = (f32::INFINITY, 0.0);
        }
    }

    /// Moves the bounds on and lists the points that they do not settle; returns how many.
    #[inline(always)]
    pub(super) fn filter(&mut self, labels: &[u32], moves: &Moves<'_>, cols: usize) -> usize {
        let factor = 1.0 + 4.0 * relative_error(cols);
        let mut count = 0;
        let bounds = self.near.iter_mut().zip(self.far.iter_mut()).zip(labels);
        for (i, ((near, far), &label)) in bounds.enumerate() {
            let j = label as usize;
            let moved = moves.moved.get(j).copied().unwrap_or(f32::INFINITY);
            let apart = moves.apart.get(j).copied().unwrap_or(0.0);
            let others = if label == moves.top { moves.others } else { moves.most };
            let up = (*near + moved) * UP;
            let (a, b) = (*far - others, apart - up);
            let down = if a > b { a } else { b } * DOWN;
            let down = if down > 0.0 { down } else { 0.0 };
            (*near, *far) = (up, down);
            // Always written, so that there is no branch to guess.
            if let Some(to) = self.list.get_mut(count) {
                *to = i as u32;
            }
            count += usize::from(!settled(up, down, factor));
        }
        count
    }

    /// Works out the distance to the own centre of the first `count` listed points, and keeps only those that it
    /// does not settle; returns how many.
    #[inline(always)]
    pub(super) fn tighten<F: Floats>(
        &mut self,
        f: F,
        data: &[f32],
        labels: &[u32],
        panels: &Panels<'_>,
        count: usize,
    ) -> usize {
        let cols = panels.cols;
        let factor = 1.0 + 4.0 * relative_error(cols);
        let mut left = 0;
        for i in 0..count {
            let Some(&at) = self.list.get(i) else { break };
            let at_row = at as usize;
            let (Some(&label), Some(near), Some(&far)) =
                (labels.get(at_row), self.near.get_mut(at_row), self.far.get(at_row))
            else {
                break;
            };
            let own = distance(f, row(data, cols, at_row), row(panels.centers, cols, label as usize));
            *near = f.root(panels.margins.above(own)) * UP;
            let settled = settled(*near, far, factor);
            if let Some(to) = self.list.get_mut(left) {
                *to = at;
            }
            left += usize::from(!settled);
        }
        left
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kmeans::{FitOptions, fit_workspace_size};

    /// As `choose_k` relies on, whose scratch is that of the largest number.
    #[test]
    fn fewer_centres_need_no_more_memory() {
        let auto = |k| fit_workspace_size(5000, 64, k, &FitOptions::DEFAULT).unwrap();
        assert!(auto(1024) > auto(1025));
        for cols in [1, 16, 40, 64, 100] {
            for most in [3, 255, 256, 400, 410, 1024, 1025, 2000] {
                let size = |k, bounds| {
                    fit_workspace_size(2500, cols, k, &FitOptions { bounds, ..FitOptions::DEFAULT }).unwrap()
                };
                for k in (1..=most).step_by(7) {
                    assert!(
                        size(k, Bounds::Auto.for_up_to(cols, most)) <= size(most, Bounds::Auto),
                        "{cols} {most} {k}"
                    );
                }
            }
        }
    }
}
