//! Clusters without points: each gets the point that is farthest from its centre.

use crate::workspace::split_rows;

use super::grid::coordinate;
use super::pass::{Clusters, Sum};

/// Gives every empty cluster one point, as long as there is one that is not where its centre is. Points that are alone stay.
pub(super) fn relocate<T: Sum>(
    points: &[i8],
    labels: &mut [u16],
    centers: &[i16],
    clusters: &mut Clusters<'_, T>,
) {
    for empty in 0..clusters.counts.len() {
        if clusters.counts.get(empty).is_none_or(|c| c.wide() != 0) {
            continue;
        }
        let Some(row) = farthest(points, labels, centers, clusters) else { return };
        let d = clusters.features;
        let (Some(point), Some(label)) = (points.get(row * d..(row + 1) * d), labels.get_mut(row)) else {
            return;
        };
        clusters.take(*label, point);
        *label = empty as u16;
        clusters.add(*label, point);
    }
}

/// The row with the greatest distance to its centre, the first among equals, of clusters with two rows or more.
fn farthest<T: Sum>(
    points: &[i8],
    labels: &[u16],
    centers: &[i16],
    clusters: &Clusters<'_, T>,
) -> Option<usize> {
    let d = clusters.features;
    let (mut greatest, mut found) = (0, None);
    for (row, (point, &label)) in split_rows(points, d).zip(labels).enumerate() {
        if clusters.counts.get(label as usize).is_none_or(|c| c.wide() < 2) {
            continue;
        }
        let center = centers.get(label as usize * d..).unwrap_or_default();
        let mut distance = 0u64;
        for (&code, &c) in point.iter().zip(center) {
            let difference = coordinate(code) as i32 - c as i32;
            distance += (difference * difference) as u64;
        }
        if distance > greatest {
            (greatest, found) = (distance, Some(row));
        }
    }
    found
}
