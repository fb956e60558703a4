//! Exact 1-D k-means by dynamic programming: Ckmeans.1d.dp (Wang and Song 2011) with the divide-and-conquer row minima
//! of Groenlund et al. 2017 (arXiv:1701.07204), O(k n log n) after sorting; weights; one centre pinned to zero.
//!
//! **Accuracy.** Sums of squares by prefix sums cancel catastrophically in floats. Here values become integers
//! (in steps of 2^-22 of half the range of the values, or of the largest magnitude if zero is pinned) and weights
//! integers of 20 bits (40 - log2 n for more than 2^20 points), so that all prefix sums and the products of their
//! differences are exact in 128 bits; only a finished cost is rounded to f32, 2^-22 of itself. The inertia of the result
//! is within a factor 1 + (k + 2) 2^-22 of the optimum for the integers.
//!
//! Bounds: weights add up to at most 2^40 + 2^31 < 2^41 and magnitudes are at most 2^22, so sum w t stays below 2^63
//! (i64), sum w t^2 below 2^85, and its product with sum w below 2^126 (i128).

mod grid;
mod moments;
mod program;
mod sort;
#[cfg(test)]
mod tests;

use bytemuck::Zeroable;

use crate::Error;
use crate::math::guard_scale;
use crate::workspace::{Carver, Layout};

use grid::Grid;
use moments::Prefix;
use program::{PINNED, Tables};
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
    /// How many of the centres are different clusters; the rest, if there are fewer values than centres, repeat the
    /// last one.
    pub clusters: usize,
}

fn layout(n: usize, options: &Exact1d) -> Result<Layout, Error> {
    if options.k == 0 {
        return Err(Error::InvalidArgument);
    }
    if n >= PINNED as usize {
        return Err(Error::SizeOverflow);
    }
    let rows = free_clusters(n, options);
    let (tables, costs) = if options.pin_zero { (2, 4) } else { (1, 2) };
    let row = n + 1;
    let table = rows.checked_mul(row).and_then(|t| t.checked_mul(tables)).ok_or(Error::SizeOverflow)?;
    Layout::EMPTY
        .array::<Prefix>(row)?
        .array::<Pair>(n)?
        .array::<Pair>(n)?
        .array::<f32>(row.checked_mul(costs).ok_or(Error::SizeOverflow)?)?
        .array::<u32>(table)
}

/// Clusters whose centre is their mean: as many as there are values at most.
fn free_clusters(n: usize, options: &Exact1d) -> usize {
    (options.k - options.pin_zero as usize).min(n)
}

/// Bytes of scratch that [`exact_1d`] needs for `n` values: about 56 n + 4 k n.
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

    let free = free_clusters(n, options);
    let mut carver = Carver::new(scratch);
    let prefix = carver.take::<Prefix>(n + 1)?;
    let pairs = carver.take::<Pair>(n)?;
    let swap = carver.take::<Pair>(n)?;
    let costs = carver.take::<f32>((n + 1) * if options.pin_zero { 4 } else { 2 })?;
    let table = carver.take::<u32>(free * (n + 1) * if options.pin_zero { 2 } else { 1 })?;

    let grid = Grid::new(x, options.pin_zero);
    let bits = 40u32.saturating_sub(usize::BITS - (n - 1).leading_zeros()).min(20);
    let weight_guard = if heaviest > 0.0 { guard_scale(heaviest) } else { 1.0 };
    let weight_range = (1u64 << bits) as f32;
    let per_weight = if heaviest > 0.0 { weight_range / (heaviest * weight_guard) } else { 0.0 };
    for (i, (pair, &v)) in pairs.iter_mut().zip(x).enumerate() {
        let weight = match weights {
            None => 1,
            Some(w) => (w.get(i).copied().unwrap_or_default() * weight_guard * per_weight + 0.5) as u32,
        };
        *pair = [grid.place(v), weight];
    }
    let sorted = sort(pairs, swap);
    let mut total = Prefix::zeroed();
    for (out, &[key, weight]) in prefix.iter_mut().zip(core::iter::once(&[0, 0]).chain(sorted)) {
        let t = Grid::offset(key) as i64;
        let weighted = t.wrapping_mul(weight as i64);
        if weight > 0 {
            total.weight = total.weight.wrapping_add(weight as i64);
            total.sum = total.sum.wrapping_add(weighted);
            total.squares = total.squares.wrapping_add((weighted as i128).wrapping_mul(t as i128));
        }
        *out = total;
    }

    let mut tables = Tables { prefix, table, n, free, pinned: options.pin_zero };
    let cost = tables.fill(costs);
    let clusters = tables.centers(&grid, centers);
    let weight_step = if weights.is_none() { 1.0 } else { heaviest / weight_range };
    Ok(Clusters1d { inertia: cost * grid.step * grid.step * weight_step, clusters })
}
