//! Exact 1-D k-means by dynamic programming over sorted values: Ckmeans.1d.dp (Wang and Song 2011) with the
//! divide-and-conquer row minima of Groenlund et al. 2017 (arXiv:1701.07204); weights; one centre pinned to zero.
//!
//! **Speed.** The plain programme looks at all n values for each of k clusters. Here it runs over a few edges between
//! values first; every boundary that could belong to an optimum is then confined to a window (`narrow.rs` has the
//! bound and its proof), windows get finer edges, and the last run takes every value inside them. For 1 M normal
//! values and 16 clusters about 10^6 costs are computed instead of 3 * 10^8; what is left is sorting. Where nothing can be
//! ruled out (very many clusters for the number of values) the last run is the plain programme, k n log n.
//!
//! **Accuracy.** Sums of squares by prefix sums cancel catastrophically in floats. Here values become integers
//! (in steps of 2^-22 of half the range of the values, or of the largest magnitude if zero is pinned) and weights
//! integers of 20 bits (40 - log2 n for more than 2^20 points), so that all sums are exact, and so is the cost of a
//! cluster but for its last term. In units of 2^-61 of the cost of everything around the middle of the range (or of
//! 2^-24 squared steps if that is more) a cost is right to 2 units and 2^-22 squared steps per weight; the inertia of the
//! result is within (k + 2)(log2 n + 2) times as much of the optimum for the integers.
//!
//! Bounds: weights add up to at most 2^40 + 2^31 < 2^41 and magnitudes are at most 2^22, so sum w t stays below 2^63
//! (i64), sum w t^2 below 2^85 (i128).

mod bins;
mod chain;
mod grid;
mod labels;
mod moments;
mod narrow;
mod program;
mod solve;
mod sort;
#[cfg(test)]
mod tests;
mod trace;
mod values;

use crate::Error;
use crate::math::guard_scale;
use crate::workspace::{Carver, Layout};

pub use bins::{
    BinClusters, Bins, MAX_BINS, cluster_bins, cluster_bins_workspace_size, merge_bins, most_values,
};
use grid::Grid;
pub use labels::{MAX_LABELS, label_1d};
use solve::{Plan, solve};
use sort::{Pair, sort};

/// What to look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact1d {
    /// Number of centres, at least 1.
    pub k: usize,
    /// One of the centres is 0, whatever the values.
    pub pin_zero: bool,
}

/// What was found, beside the centres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clusters1d {
    /// Sum of weight * (value - nearest centre)^2.
    pub inertia: f32,
    /// How many of the centres are different clusters; the rest, if there are fewer different values than centres,
    /// repeat the last one.
    pub clusters: usize,
}

fn layout(n: usize, options: &Exact1d) -> Result<Layout, Error> {
    if options.k == 0 {
        return Err(Error::InvalidArgument);
    }
    if n >= 1 << 31 {
        return Err(Error::SizeOverflow);
    }
    let layout = Layout::EMPTY.array::<Pair>(n)?.array::<Pair>(n)?;
    plan(n, options).layout(layout)
}

/// Clusters whose centre is their mean: as many as there are values at most.
fn plan(n: usize, options: &Exact1d) -> Plan {
    Plan::new(n, (options.k - options.pin_zero as usize).min(n), options.pin_zero)
}

/// Bytes of scratch that [`exact_1d`] needs for `n` values: about 82 n; above 2048 values 24 n and at most 128 n
/// more, the more centres (32 k (1024 + 8 k) bytes); a little more, and the latter twice, with a pinned zero.
///
/// # Errors
/// [`Error::InvalidArgument`] for no centres, [`Error::SizeOverflow`] (also for 2^31 values and more).
pub fn exact_1d_workspace_size(n: usize, options: &Exact1d) -> Result<usize, Error> {
    Ok(layout(n, options)?.size())
}

/// The `k` centres with the least sum of weighted squared distances, ascending.
///
/// `x` holds finite values in any order, `weights` one weight >= 0 each (all 1 if `None`), `centers` at least
/// `k` values, of which just those are written; `scratch` at least [`exact_1d_workspace_size`] bytes at any alignment.
/// No values give centres 0 and inertia 0. The same input gives the same bits on every target.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres; a weight that is negative), [`Error::Shape`] (lengths of `x` and
/// `weights` differ), [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`],
/// [`Error::SizeOverflow`]. `centers` is untouched then.
///
/// ```
/// use hybridq::kmeans::{Exact1d, exact_1d, exact_1d_workspace_size};
/// let x = [5.0f32, 1.0, 9.5, 1.5, 9.0, 5.5, 0.5];
/// let options = Exact1d { k: 3, pin_zero: false };
/// let mut scratch = vec![0; exact_1d_workspace_size(x.len(), &options)?];
/// let mut centers = [0.0; 3];
/// let found = exact_1d(&x, None, &options, &mut centers, &mut scratch)?;
/// assert!((centers[0] - 1.0).abs() < 1e-6 && (centers[1] - 5.25).abs() < 1e-6 && (centers[2] - 9.25).abs() < 1e-6);
/// assert!((found.inertia - 0.75).abs() < 1e-5);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn exact_1d(
    x: &[f32],
    weights: Option<&[f32]>,
    options: &Exact1d,
    centers: &mut [f32],
    scratch: &mut [u8],
) -> Result<Clusters1d, Error> {
    let n = x.len();
    let needed = layout(n, options)?.size();
    if weights.is_some_and(|w| w.len() != n) {
        return Err(Error::Shape);
    }
    let centers = centers.get_mut(..options.k).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut heaviest = if weights.is_none() { 1.0f32 } else { 0.0 };
    for &w in weights.unwrap_or_default() {
        if !w.is_finite() {
            return Err(Error::NonFinite);
        }
        if w < 0.0 {
            return Err(Error::InvalidArgument);
        }
        heaviest = heaviest.max(w);
    }
    if x.iter().any(|v| !v.is_finite()) {
        return Err(Error::NonFinite);
    }
    if n == 0 {
        centers.fill(0.0);
        return Ok(Clusters1d { inertia: 0.0, clusters: options.pin_zero as usize });
    }

    let mut carver = Carver::new(scratch);
    let data = carver.take::<Pair>(n)?;
    let swap = carver.take::<Pair>(n)?;
    let grid = Grid::new(x, options.pin_zero);
    let mut weight_step = 1.0;
    let (keys, weights) = match weights {
        None => {
            let (keys, sorted) = (bytemuck::must_cast_slice_mut(data), bytemuck::must_cast_slice_mut(swap));
            let (keys, _) = keys.split_at_mut_checked(n).unwrap_or_default();
            let (sorted, _) = sorted.split_at_mut_checked(n).unwrap_or_default();
            for (key, &v) in keys.iter_mut().zip(x) {
                *key = grid.place(v);
            }
            sort::<u32>(keys, sorted);
            (&*sorted, None)
        }
        Some(weights) => {
            let bits = 40u32.saturating_sub(usize::BITS - (n - 1).leading_zeros()).min(20);
            let weight_guard = if heaviest > 0.0 { guard_scale(heaviest) } else { 1.0 };
            let weight_range = (1u64 << bits) as f32;
            let per_weight = if heaviest > 0.0 { weight_range / (heaviest * weight_guard) } else { 0.0 };
            weight_step = heaviest / weight_range;
            for (pair, (&v, &w)) in data.iter_mut().zip(x.iter().zip(weights)) {
                *pair = [grid.place(v), (w * weight_guard * per_weight + 0.5) as u32];
            }
            sort::<Pair>(data, swap);
            // Keys and weights apart, where the unsorted ones were.
            let columns = bytemuck::must_cast_slice_mut::<Pair, u32>(data);
            let (keys, weights) = columns.split_at_mut_checked(n).unwrap_or_default();
            for ((key, weight), &[k, w]) in keys.iter_mut().zip(weights.iter_mut()).zip(swap.iter()) {
                (*key, *weight) = (k, w);
            }
            (&*keys, Some(&*weights))
        }
    };
    let found = solve(&plan(n, options), keys, weights, &grid, centers, &mut carver)?;
    Ok(Clusters1d { inertia: found.cost * grid.step * grid.step * weight_step, clusters: found.clusters })
}
