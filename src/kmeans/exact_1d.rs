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

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::guard_scale;
use crate::workspace::{Carver, Layout, split_rows_mut};

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

/// Prefix sums of weights, weighted integers and their squares.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Prefix {
    squares: i128,
    sum: i64,
    weight: i64,
}

impl Prefix {
    #[inline(always)]
    fn minus(self, other: Prefix) -> Prefix {
        Prefix {
            squares: self.squares.wrapping_sub(other.squares),
            sum: self.sum.wrapping_sub(other.sum),
            weight: self.weight.wrapping_sub(other.weight),
        }
    }

    /// Weighted squared distances to the mean.
    #[inline(always)]
    fn cost(self) -> f32 {
        if self.weight <= 0 {
            return 0.0;
        }
        let spread = self
            .squares
            .wrapping_mul(self.weight as i128)
            .wrapping_sub((self.sum as i128).wrapping_mul(self.sum as i128));
        spread as f32 / self.weight as f32
    }

    /// Weighted squared distances to zero.
    #[inline(always)]
    fn cost_of_zero(self) -> f32 {
        self.squares as f32
    }
}

/// A value as a sortable key, and its weight.
type Pair = [u32; 2];

/// Set in the table where the last cluster is the pinned one.
const PINNED: u32 = 1 << 31;

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

/// How values become integers.
struct Grid {
    middle: f32,
    step: f32,
    per_step: f32,
    guard: f32,
}

impl Grid {
    /// Half the range in steps.
    const HALF: f32 = (1u32 << 22) as f32;
    /// What makes keys positive.
    const BIAS: i32 = 1 << 23;

    fn new(x: &[f32], pin_zero: bool) -> Grid {
        let (mut low, mut high) = if pin_zero { (0.0f32, 0.0f32) } else { (f32::MAX, f32::MIN) };
        for &v in x {
            low = low.min(v);
            high = high.max(v);
        }
        let guard = guard_scale(high.max(-low));
        let (low, high) = (low * guard, high * guard);
        let middle = if pin_zero { 0.0 } else { 0.5 * low + 0.5 * high };
        let half = (high - middle).max(middle - low);
        let (step, per_step) =
            if half > 0.0 { (half / Grid::HALF / guard, Grid::HALF / half) } else { (0.0, 0.0) };
        Grid { middle, step, per_step, guard }
    }

    /// A value as a key that sorts like it.
    fn place(&self, v: f32) -> u32 {
        let t = (v * self.guard - self.middle) * self.per_step;
        let whole = crate::math::round_ties_even(t * 0.5) as i32 * 2;
        // `round_ties_even` is exact below 2^22: even numbers there, and what is left of them.
        let rest = crate::math::round_ties_even(t - whole as f32) as i32;
        (whole + rest + Grid::BIAS) as u32
    }

    fn offset(key: u32) -> i32 {
        key as i32 - Grid::BIAS
    }

    fn value(&self, mean: f32) -> f32 {
        self.middle / self.guard + mean * self.step
    }
}

/// Sorts by key: a stable byte-wise radix sort of the three bytes that keys have.
fn sort<'a>(mut from: &'a mut [Pair], mut to: &'a mut [Pair]) -> &'a [Pair] {
    for shift in [0u32, 8, 16] {
        let mut starts = [0usize; 256];
        for [key, _] in from.iter() {
            if let Some(count) = starts.get_mut((key >> shift & 255) as usize) {
                *count += 1;
            }
        }
        let mut next = 0;
        for start in &mut starts {
            next += core::mem::replace(start, next);
        }
        for pair in from.iter() {
            let [key, _] = pair;
            if let Some(start) = starts.get_mut((key >> shift & 255) as usize) {
                if let Some(slot) = to.get_mut(*start) {
                    *slot = *pair;
                }
                *start += 1;
            }
        }
        core::mem::swap(&mut from, &mut to);
    }
    from
}

/// The dynamic programme: rows of least costs of the first `i` values in `m` clusters, and where the last one starts.
struct Tables<'a> {
    prefix: &'a [Prefix],
    table: &'a mut [u32],
    n: usize,
    free: usize,
    pinned: bool,
}

impl Tables<'_> {
    /// Fills the tables; returns the least cost of everything.
    fn fill(&mut self, costs: &mut [f32]) -> f32 {
        let row = self.n + 1;
        let (without, with) = costs.split_at_mut_checked(2 * row).unwrap_or_default();
        let (mut before, mut now) = without.split_at_mut_checked(row).unwrap_or_default();
        let (mut before_with, mut now_with) = with.split_at_mut_checked(row).unwrap_or_default();
        // No cluster yet: nothing but no values at all. The pinned one alone takes any number.
        before.fill(f32::INFINITY);
        if let Some(first) = before.first_mut() {
            *first = 0.0;
        }
        for (cost, prefix) in before_with.iter_mut().zip(self.prefix) {
            *cost = prefix.cost_of_zero();
        }
        let (plain, pinned) = self.table.split_at_mut_checked(self.free * row).unwrap_or_default();
        let mut pinned = split_rows_mut(pinned, row);
        for arguments in split_rows_mut(plain, row) {
            least(self.prefix, before, now, arguments);
            if let Some(arguments) = pinned.next() {
                // `before` is free now: it takes the costs of ending with the pinned cluster.
                least(self.prefix, before_with, now_with, arguments);
                least_pinned(self.prefix, now, now_with, arguments);
                core::mem::swap(&mut before_with, &mut now_with);
            }
            core::mem::swap(&mut before, &mut now);
        }
        let last = if self.pinned { before_with } else { before };
        last.last().copied().unwrap_or_default()
    }

    /// Follows the table back; returns the number of clusters.
    fn centers(&self, grid: &Grid, centers: &mut [f32]) -> usize {
        let row = self.n + 1;
        let (plain, pinned) = self.table.split_at_checked(self.free * row).unwrap_or_default();
        let (mut end, mut left, mut with) = (self.n, self.free, self.pinned);
        let mut used = 0;
        let mut put = |value: f32| {
            if let Some(center) = centers.get_mut(used) {
                *center = value;
                used += 1;
            }
        };
        while left > 0 {
            let table = if with { pinned } else { plain };
            let start = table.get((left - 1) * row + end).copied().unwrap_or_default();
            let from = ((start & !PINNED) as usize).min(end);
            if with && start & PINNED != 0 {
                put(0.0);
                with = false;
            } else {
                let cluster = match (self.prefix.get(end), self.prefix.get(from)) {
                    (Some(a), Some(b)) => a.minus(*b),
                    _ => Prefix::zeroed(),
                };
                let mean = if cluster.weight > 0 { cluster.sum as f32 / cluster.weight as f32 } else { 0.0 };
                put(grid.value(mean));
                left -= 1;
            }
            end = from;
        }
        if with {
            put(0.0);
        }
        let (found, rest) = centers.split_at_mut_checked(used).unwrap_or_default();
        insertion_sort(found);
        rest.fill(found.last().copied().unwrap_or_default());
        used
    }
}

fn insertion_sort(values: &mut [f32]) {
    for end in 1..values.len() {
        let Some((last, sorted)) = values.get_mut(..=end).and_then(|v| v.split_last_mut()) else { continue };
        for value in sorted.iter_mut() {
            if *value > *last {
                core::mem::swap(value, last);
            }
        }
    }
}

/// `costs[i]` = least of `before[j] + cost of values j..i` over `j < i`, and its smallest `j`.
///
/// The best `j` never falls as `i` grows, so the middle `i` splits the candidates of the others: n log n costs.
fn least(prefix: &[Prefix], before: &[f32], costs: &mut [f32], arguments: &mut [u32]) {
    /// Twice the bits of a length: each level of the halving leaves at most two ranges.
    const DEPTH: usize = 2 * usize::BITS as usize;
    if let (Some(cost), Some(argument)) = (costs.first_mut(), arguments.first_mut()) {
        (*cost, *argument) = (f32::INFINITY, 0);
    }
    let n = prefix.len().saturating_sub(1);
    // Ranges of `i` with their candidates `j`, both ends included.
    let mut stack = [(0usize, 0usize, 0usize, 0usize); DEPTH];
    let mut depth = 0;
    let mut range = (1, n, 0, n);
    loop {
        let (low, high, from, to) = range;
        if low <= high {
            let middle = low + (high - low) / 2;
            let end = prefix.get(middle).copied().unwrap_or(Prefix::zeroed());
            let (mut best, mut best_j) = (f32::INFINITY, from);
            let until = (to + 1).min(middle);
            let candidates = before.get(from..until).unwrap_or_default();
            let starts = prefix.get(from..until).unwrap_or_default();
            for (j, (&before, &start)) in (from..).zip(candidates.iter().zip(starts)) {
                let cost = before + end.minus(start).cost();
                if cost < best {
                    (best, best_j) = (cost, j);
                }
            }
            if let (Some(cost), Some(argument)) = (costs.get_mut(middle), arguments.get_mut(middle)) {
                *cost = best;
                *argument = best_j as u32;
            }
            if let Some(later) = stack.get_mut(depth) {
                *later = (middle + 1, high, best_j, to);
                depth += 1;
            }
            // Where nothing was possible yet nothing bounds the candidates of the smaller ones.
            range = (low, middle - 1, from, if best < f32::INFINITY { best_j } else { to });
        } else if depth > 0 {
            depth -= 1;
            range = stack.get(depth).copied().unwrap_or_default();
        } else {
            return;
        }
    }
}

/// Replaces what is cheaper if the pinned cluster comes last, after clusters that cost `before`: the best `j` is
/// that of the least `before[j] - squares[j]`, found by comparing sums of the same sign only.
fn least_pinned(prefix: &[Prefix], before: &[f32], costs: &mut [f32], arguments: &mut [u32]) {
    let mut best_j = 0usize;
    for (i, ((end, cost), argument)) in prefix.iter().zip(costs).zip(arguments).enumerate() {
        let at = |j: usize| match (before.get(j), prefix.get(j)) {
            (Some(before), Some(start)) => before + end.minus(*start).cost_of_zero(),
            _ => f32::INFINITY,
        };
        if at(i) <= at(best_j) {
            best_j = i;
        }
        let found = at(best_j);
        if found < *cost {
            (*cost, *argument) = (found, best_j as u32 | PINNED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Least weighted cost of contiguous clusters of sorted values, by trying every partition, in f64.
    fn brute_force(x: &[(f64, f64)], k: usize, pin_zero: bool) -> f64 {
        if x.is_empty() {
            return 0.0;
        }
        if k == 0 {
            return f64::INFINITY;
        }
        (1..=x.len())
            .map(|len| {
                let (head, rest) = x.split_at(len);
                let weight: f64 = head.iter().map(|p| p.1).sum();
                let mean =
                    head.iter().map(|p| p.0 * p.1).sum::<f64>() / if weight > 0.0 { weight } else { 1.0 };
                let around = |c: f64| head.iter().map(|p| p.1 * (p.0 - c).powi(2)).sum::<f64>();
                if pin_zero {
                    let zero = around(0.0) + brute_force(rest, k - 1, false);
                    let free =
                        if k > 1 { around(mean) + brute_force(rest, k - 1, true) } else { f64::INFINITY };
                    zero.min(free)
                } else {
                    around(mean) + brute_force(rest, k - 1, false)
                }
            })
            .fold(f64::INFINITY, f64::min)
    }

    fn run(x: &[f32], weights: Option<&[f32]>, options: Exact1d) -> (Vec<f32>, Clusters1d) {
        let mut centers = vec![f32::NAN; options.k + 1];
        let mut scratch = vec![0xA5; exact_1d_workspace_size(x.len(), &options).unwrap() + 1];
        let found = exact_1d(x, weights, &options, &mut centers, &mut scratch[1..]).unwrap();
        assert!(centers.pop().unwrap().is_nan(), "wrote beyond k");
        assert!(centers.is_sorted() && centers.iter().all(|c| c.is_finite()), "{centers:?}");
        (centers, found)
    }

    /// The cost of centres, each value going to the nearest, in f64.
    fn inertia(x: &[f32], weights: Option<&[f32]>, centers: &[f32]) -> f64 {
        x.iter()
            .enumerate()
            .map(|(i, &v)| {
                let nearest =
                    centers.iter().map(|&c| (v as f64 - c as f64).powi(2)).fold(f64::INFINITY, f64::min);
                nearest * weights.map_or(1.0, |w| w[i] as f64)
            })
            .sum()
    }

    fn random(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / (1 << 24) as f32
    }

    #[test]
    fn equals_the_best_of_all_partitions() {
        let mut seed = 1;
        for case in 0..600 {
            let n = 1 + case % 9;
            let shift = [0.0f32, -3.0, 1000.0][case % 3];
            let x: Vec<f32> = (0..n)
                .map(|_| {
                    let v = random(&mut seed) * 2.0 - 1.0;
                    // duplicates now and then
                    shift + if case % 4 == 0 { (v * 3.0).round() } else { v }
                })
                .collect();
            let w: Vec<f32> = (0..n).map(|_| (random(&mut seed) * 4.0).floor() * 0.25 + 0.25).collect();
            for weights in [None, Some(&w[..])] {
                for k in 1..=5 {
                    for pin_zero in [false, true] {
                        let (centers, found) = run(&x, weights, Exact1d { k, pin_zero });
                        let mut sorted: Vec<(f64, f64)> = x
                            .iter()
                            .enumerate()
                            .map(|(i, &v)| (v as f64, weights.map_or(1.0, |w| w[i] as f64)))
                            .collect();
                        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
                        let mut best = brute_force(&sorted, k, pin_zero);
                        if pin_zero && k > 1 {
                            // the pinned cluster may stay empty
                            best = best.min(brute_force(&sorted, k - 1, false));
                        }
                        let real = inertia(&x, weights, &centers);
                        let scale: f64 = sorted.iter().map(|p| p.1).sum();
                        let range = if pin_zero { shift.abs().max(3.0) as f64 + 3.0 } else { 6.0 };
                        let grid =
                            scale * range * range * 1e-11 + scale * (shift.abs() as f64 * 1e-7).powi(2);
                        assert!(real <= best * 1.00001 + grid, "case {case} k {k} {pin_zero}: {real} {best}");
                        assert!(
                            (found.inertia as f64 - best).abs()
                                <= best * 1e-4 + 2.0 * grid + best.sqrt() * range * 1e-6,
                            "{found:?} {best}"
                        );
                        assert!(!pin_zero || centers.contains(&0.0) || k > n + 1, "{centers:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_large_offset_or_any_magnitude_costs_no_accuracy() {
        let mut seed = 7;
        let base: Vec<f32> = (0..3000).map(|i| (i % 3) as f32 * 4.0 + random(&mut seed)).collect();
        let (_, plain) = run(&base, None, Exact1d { k: 3, pin_zero: false });
        // 10000 + 0..9 as f32 keeps steps of 2^-10: the same clusters, almost the same inertia
        let moved: Vec<f32> = base.iter().map(|v| v + 10_000.0).collect();
        let (centers, far) = run(&moved, None, Exact1d { k: 3, pin_zero: false });
        assert!((far.inertia / plain.inertia - 1.0).abs() < 1e-3, "{} {}", far.inertia, plain.inertia);
        for (c, expected) in centers.iter().zip([10_000.5, 10_004.5, 10_008.5]) {
            assert!((c - expected).abs() < 0.05, "{centers:?}");
        }
        for magnitude in [1e-35f32, 1e-20, 1e20, 1e36] {
            let x: Vec<f32> = base.iter().map(|v| v * magnitude).collect();
            let (centers, _) = run(&x, None, Exact1d { k: 3, pin_zero: false });
            for (c, expected) in centers.iter().zip([0.5, 4.5, 8.5]) {
                assert!((c / magnitude - expected).abs() < 0.05, "{magnitude}: {centers:?}");
            }
        }
    }

    #[test]
    fn more_centres_than_values_terminate_and_weights_of_zero_do_not_count() {
        let (centers, found) = run(&[2.0, 2.0, 5.0], None, Exact1d { k: 8, pin_zero: false });
        assert_eq!((found.clusters, found.inertia), (3, 0.0));
        assert_eq!(centers, [2.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
        let (centers, _) = run(&[1.0, 2.0, 300.0], Some(&[1.0, 1.0, 0.0]), Exact1d { k: 1, pin_zero: false });
        assert!((centers[0] - 1.5).abs() < 1e-3, "{centers:?}");
        let (centers, found) = run(&[], None, Exact1d { k: 2, pin_zero: true });
        assert_eq!((centers, found.clusters, found.inertia), (vec![0.0; 2], 1, 0.0));
    }

    #[test]
    fn misuse_is_refused() {
        let options = Exact1d { k: 2, pin_zero: false };
        let size = exact_1d_workspace_size(3, &options).unwrap();
        let mut scratch = vec![0; size];
        let mut centers = [7.0; 2];
        let mut call = |x: &[f32], w: Option<&[f32]>, k, centers: &mut [f32], room: usize| {
            exact_1d(x, w, &Exact1d { k, pin_zero: false }, centers, &mut scratch[..room])
        };
        let x = [1.0, 2.0, 3.0];
        assert_eq!(call(&x, None, 0, &mut centers, size), Err(Error::InvalidArgument));
        assert_eq!(call(&x, Some(&[1.0]), 2, &mut centers, size), Err(Error::Shape));
        assert_eq!(call(&x, None, 2, &mut centers[..1], size), Err(Error::OutputTooSmall));
        assert_eq!(call(&x, None, 2, &mut centers, size - 1), Err(Error::WorkspaceTooSmall));
        assert_eq!(call(&[1.0, f32::NAN, 2.0], None, 2, &mut centers, size), Err(Error::NonFinite));
        assert_eq!(call(&x, Some(&[1.0, -1.0, 1.0]), 2, &mut centers, size), Err(Error::InvalidArgument));
        assert_eq!(call(&x, Some(&[1.0, f32::INFINITY, 1.0]), 2, &mut centers, size), Err(Error::NonFinite));
        assert_eq!(centers, [7.0; 2]);
        assert!(call(&x, None, 2, &mut centers, size).is_ok());
        assert!(exact_1d_workspace_size(usize::MAX / 64, &options).is_err());
    }
}
