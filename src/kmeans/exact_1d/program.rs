//! One row of the dynamic programme: the divide-and-conquer row minima of Groenlund et al. 2017.

use bytemuck::{Pod, Zeroable};

/// What clusters cost.
pub(super) trait Costs {
    /// What is known of the values before an edge.
    type Edge: Pod;

    /// The cost of a cluster of the values between two edges; 0 for none.
    fn between(&self, from: Self::Edge, to: Self::Edge) -> u64;
}

/// A run of edges, both ends included.
#[derive(Clone, Copy, Default)]
pub(super) struct Window {
    pub(super) low: usize,
    pub(super) high: usize,
}

impl Window {
    pub(super) fn size(self) -> usize {
        (self.high + 1).saturating_sub(self.low)
    }
}

/// What is known at a run of edges: the first of them, and a value each.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) window: Window,
    pub(super) costs: &'a [u64],
}

/// For every edge `i` of `rows` the least of `before[j]` plus the cost of a cluster between `i` and `j`, and the smallest
/// such `j` if `arguments` has room: over the `j <= i` (forward) or the `j >= i`, of which every `i` must have one.
///
/// The best `j` never falls as `i` grows, so the middle `i` splits the candidates of the others: n log n costs.
/// Costs that are rounded can make it miss the least by twice that rounding a level.
pub(super) fn minima<C: Costs, const FORWARD: bool>(
    of: &C,
    edges: &[C::Edge],
    before: Row,
    rows: Window,
    costs: &mut [u64],
    arguments: &mut [u32],
) {
    // Each level of the halving leaves one range for later; ranges are below 2^31.
    let mut stack = [[0u32; 4]; 34];
    let mut depth = 0;
    let base = before.window.low;
    let (mut low, mut high) = (rows.low, rows.high + 1);
    let (mut from, mut to) = (before.window.low, before.window.high);
    loop {
        if low < high {
            let middle = low + (high - low) / 2;
            let fixed = edges.get(middle).copied().unwrap_or(C::Edge::zeroed());
            let (first, until) =
                if FORWARD { (from, to.min(middle) + 1) } else { (from.max(middle), to + 1) };
            let starts = edges.get(first..until).unwrap_or_default();
            let candidates = before.costs.get(first - base..until - base).unwrap_or_default();
            let (mut best, mut best_j) = (u64::MAX, first);
            for (j, (&before, &edge)) in (first..).zip(candidates.iter().zip(starts)) {
                let between = if FORWARD { of.between(edge, fixed) } else { of.between(fixed, edge) };
                let cost = before.wrapping_add(between);
                if cost < best {
                    (best, best_j) = (cost, j);
                }
            }
            if let Some(cost) = costs.get_mut(middle - rows.low) {
                *cost = best;
            }
            if let Some(argument) = arguments.get_mut(middle - rows.low) {
                *argument = best_j as u32;
            }
            if let Some(later) = stack.get_mut(depth) {
                *later = [middle as u32 + 1, high as u32, best_j as u32, to as u32];
                depth += 1;
            }
            (high, to) = (middle, best_j);
        } else if depth > 0 {
            depth -= 1;
            let [l, h, f, t] = stack.get(depth).copied().unwrap_or_default();
            (low, high, from, to) = (l as usize, h as usize, f as usize, t as usize);
        } else {
            return;
        }
    }
}
