//! The dynamic programme.

use bytemuck::Zeroable;

use super::grid::Grid;
use super::moments::Prefix;
use crate::workspace::split_rows_mut;

/// Set in the table where the last cluster is the pinned one.
pub(super) const PINNED: u32 = 1 << 31;

/// The dynamic programme: rows of least costs of the first `i` values in `m` clusters, and where the last one starts.
pub(super) struct Tables<'a> {
    pub(super) prefix: &'a [Prefix],
    pub(super) table: &'a mut [u32],
    pub(super) n: usize,
    pub(super) free: usize,
    pub(super) pinned: bool,
}

impl Tables<'_> {
    /// Fills the tables; returns the least cost of everything.
    pub(super) fn fill(&mut self, costs: &mut [f32]) -> f32 {
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
    pub(super) fn centers(&self, grid: &Grid, centers: &mut [f32]) -> usize {
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
