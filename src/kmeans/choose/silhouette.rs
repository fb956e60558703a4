//! The distances to the nearest and the second nearest centre: out of one pass over tiles where there are tiles, else all
//! of them. Both give the same bits.

use crate::Error;
use crate::math::{Compensated, sqrt};
use crate::simd;
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{Carver, split_rows};

use super::super::panels::Panels;
use super::super::partial::{assign_workspace_size, panels};
use super::super::pass::{Pairs, two};
use super::super::points::{Points, row};
use super::super::score::Nearest;
use super::super::seed::{Distance, Weighing};

/// Writes the squared distance of every point to the centre of its label, and returns the sum of weighing units times
/// (b - a) / max(a, b), where `a` is that distance and `b` the one to the nearest other centre; 0 for one centre. A point
/// that lies on two centres counts 0. `scratch` has room for one float a row and for a pass ([`assign_workspace_size`]).
pub(super) fn distances(
    points: Points<'_>,
    weighing: Weighing<'_>,
    distance: Distance,
    (k, centers): (usize, &[f32]),
    labels: &[u32],
    nearest: &mut [f32],
    scratch: &mut [u8],
) -> Result<f32, Error> {
    let mut carver = Carver::new(scratch);
    let others = carver.take::<f32>(points.rows())?;
    let (panels, block) =
        panels(&points, k, centers, carver.take(assign_workspace_size(k, points.cols())?)?)?;
    let both = Both { points, distance, panels: &panels, block, labels, nearest, others };
    floats::run(simd::active(), both);
    let mut sum = Compensated::default();
    for (i, (&own, &other)) in nearest.iter().zip(others.iter()).enumerate() {
        if other > 0.0 && other < f32::INFINITY {
            // own <= other, short of rounding
            sum.add(weighing.units(i) as f32 * (1.0 - sqrt(own / other)).max(0.0));
        }
    }
    Ok(sum.value())
}

/// The squared distances to the own centre, and to the nearest other one; infinite if there is none.
struct Both<'a> {
    points: Points<'a>,
    distance: Distance,
    panels: &'a Panels<'a>,
    block: &'a mut [f32],
    labels: &'a [u32],
    nearest: &'a mut [f32],
    others: &'a mut [f32],
}

impl FloatKernel for Both<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Both { points, distance, panels, block, labels, nearest, others } = self;
        if F::TILE > 0 && panels.tile > 0 && panels.k > 1 {
            let mut sink = Written { points, distance, centers: panels.centers, labels, nearest, others };
            return two(f, points.data(), points.rows(), panels, block, &mut sink);
        }
        for (((x, &label), near), to) in points.iter().zip(labels).zip(nearest).zip(others) {
            let mut other = f32::INFINITY;
            for (j, center) in split_rows(panels.centers, points.cols()).enumerate() {
                let d = distance.squared_on(f, x, center);
                other = if j as u32 != label && d < other { d } else { other };
            }
            *near = distance.squared_on(f, x, row(panels.centers, points.cols(), label as usize));
            *to = other;
        }
    }
}

struct Written<'a> {
    points: Points<'a>,
    distance: Distance,
    centers: &'a [f32],
    labels: &'a [u32],
    nearest: &'a mut [f32],
    others: &'a mut [f32],
}

impl Pairs for Written<'_> {
    #[inline(always)]
    fn put(&mut self, at: usize, found: Nearest) {
        let (Some(&label), Some(near), Some(other)) =
            (self.labels.get(at), self.nearest.get_mut(at), self.others.get_mut(at))
        else {
            return;
        };
        (*near, *other) = if found.label == label {
            (found.distance, found.second)
        } else {
            // Not the nearest: then the nearest is the nearest other one.
            let own = row(self.centers, self.points.cols(), label as usize);
            (self.distance.squared(self.points.row(at), own), found.distance)
        };
    }
}
