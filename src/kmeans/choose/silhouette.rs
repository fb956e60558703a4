//! The distances to the nearest and the second nearest centre.

use crate::math::{Compensated, sqrt};
use crate::simd;
use crate::workspace::split_rows;

use super::super::points::{Points, row};
use super::super::seed::{Distance, Weighing};

/// Writes the squared distance of every point to the centre of its label, and returns the sum of weighing units times
/// (b - a) / max(a, b), where `a` is that distance and `b` the one to the nearest other centre; 0 for one centre. A point
/// that lies on two centres counts 0.
pub(super) fn distances(
    points: Points<'_>,
    weighing: Weighing<'_>,
    distance: Distance,
    centers: &[f32],
    labels: &[u32],
    nearest: &mut [f32],
) -> f32 {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            let mut sum = Compensated::default();
            for (i, ((x, &label), near)) in points.iter().zip(labels).zip(nearest).enumerate() {
                let own = distance.squared(x, row(centers, points.cols(), label as usize));
                let mut other = f32::INFINITY;
                for (j, center) in split_rows(centers, points.cols()).enumerate() {
                    let d = distance.squared(x, center);
                    other = if j as u32 != label && d < other { d } else { other };
                }
                *near = own;
                if other > 0.0 && other < f32::INFINITY {
                    // own <= other, short of rounding
                    sum.add(weighing.units(i) as f32 * (1.0 - sqrt(own / other)).max(0.0));
                }
            }
            sum.value()
        },
    )
}
