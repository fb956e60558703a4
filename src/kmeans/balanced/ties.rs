//! Of all cheapest assignments the one whose labels come first in the order of dictionaries.
//!
//! Optimal prices tell what all cheapest assignments have in common: a row is only where cost and price together are least
//! ("tight"), a cluster with a price above 0 is full, one with a price below 0 as small as it may be. Any assignment that
//! keeps to this is as cheap. So, row after row: its label can be lowered to a tight one if other tight moves of later rows, and
//! clusters with room, make up for it, which is a search among k + 1 nodes. Rows without a second tight cluster, nearly all in
//! ordinary data, need none.

use super::paths::Solver;
use super::{at, put};

/// Goes on from a solved problem (`step` 1). What `moves` keeps is no longer needed, and lost.
pub(super) fn settle(solver: &mut Solver<'_>) {
    let k = solver.costs.k;
    let sink = at(solver.prices, k);
    for price in solver.prices.iter_mut() {
        *price -= sink;
    }
    for ((low, high), &price) in solver.low.iter_mut().zip(solver.high.iter_mut()).zip(solver.prices.iter()) {
        match price {
            0 => {}
            1.. => *low = *high,
            _ => *high = *low,
        }
    }
    // How many rows could go from one cluster to another: where the best move is not tight, none could.
    let counts = &mut *solver.moves.lens;
    counts.fill(0);
    let mut any = false;
    for a in 0..k {
        for b in 0..k {
            let best = at(solver.moves.best, a * k + b);
            if a == b || best + at(solver.prices, b) != at(solver.prices, a) {
                continue;
            }
            let mut row = at(solver.moves.first, a) as usize;
            while let Some(&next) = solver.moves.next.get(row) {
                if solver.costs.at(row, b) - solver.costs.at(row, a) == best {
                    put(solver.moves.lens, a * k + b, at(solver.moves.lens, a * k + b) + 1);
                    // The marks of rows to be looked at.
                    put(solver.moves.previous, row, MARK);
                    any = true;
                }
                row = next as usize;
            }
        }
    }
    if !any {
        return;
    }
    for i in 0..solver.rows {
        if at(solver.moves.previous, i) == MARK {
            lower(solver, i);
        }
    }
}

/// No row is the one before this.
const MARK: u32 = u32::MAX - 1;

/// Whether row `i`, which is in cluster `a`, may as well be in `b`.
#[inline(always)]
fn tight(solver: &Solver<'_>, i: usize, a: usize, b: usize) -> bool {
    let (costs, prices) = (solver.costs.row(i), &*solver.prices);
    let cost = |j: usize| solver.costs.integer(costs.get(j).copied().unwrap_or_default()) + at(prices, j);
    cost(a) == cost(b)
}

/// Adds `by` to the moves that row `i` of cluster `a` offers.
fn offer(solver: &mut Solver<'_>, i: usize, a: usize, by: u32) {
    let k = solver.costs.k;
    for b in 0..k {
        if b != a && tight(solver, i, a, b) {
            put(solver.moves.lens, a * k + b, at(solver.moves.lens, a * k + b).wrapping_add(by));
        }
    }
}

/// Gives row `i` the lowest label that it can have while all rows before it keep theirs.
fn lower(solver: &mut Solver<'_>, i: usize) {
    let k = solver.costs.k;
    let a = at(solver.labels, i) as usize;
    // It is fixed from here on.
    offer(solver, i, a, u32::MAX);
    if !(0..a).any(|b| tight(solver, i, a, b)) {
        return;
    }
    reach(solver, a);
    let Some(b) = (0..a).find(|&b| at(solver.done, b) != 0 && tight(solver, i, a, b)) else { return };
    relabel(solver, i, a, b);
    // One of the others on the way from there back.
    let mut x = b;
    while x != a {
        let y = at(solver.from, x) as usize;
        if x < k && y < k {
            let mut later = (i + 1..solver.rows).rev();
            let row = later.find(|&row| at(solver.labels, row) as usize == x && tight(solver, row, x, y));
            if let Some(row) = row {
                offer(solver, row, x, u32::MAX);
                relabel(solver, row, x, y);
                offer(solver, row, y, 1);
            }
        }
        if y > k {
            return;
        }
        x = y;
    }
}

fn relabel(solver: &mut Solver<'_>, i: usize, a: usize, b: usize) {
    put(solver.labels, i, b as u32);
    put(solver.sizes, a, at(solver.sizes, a).wrapping_sub(1));
    put(solver.sizes, b, at(solver.sizes, b) + 1);
}

/// Marks all nodes from which `a` can be reached; `from` tells where to go next.
fn reach(solver: &mut Solver<'_>, a: usize) {
    let k = solver.costs.k;
    solver.done.fill(0);
    put(solver.done, a, 1);
    put(solver.from, a, u32::MAX);
    // The nodes in the order in which they were found.
    let (mut found, mut seen) = (1, 0);
    put(solver.way, 0, a as i64);
    while seen < found {
        let y = at(solver.way, seen) as usize;
        seen += 1;
        for x in 0..=k {
            let open = at(solver.done, x) == 0
                && if x == k {
                    // The sink lets a cluster give up a row ...
                    at(solver.sizes, y) > at(solver.low, y)
                } else if y == k {
                    // ... where another one takes one more.
                    at(solver.sizes, x) < at(solver.high, x)
                } else {
                    at(solver.moves.lens, x * k + y) != 0
                };
            if open {
                put(solver.done, x, 1);
                put(solver.from, x, y as u32);
                put(solver.way, found, x as i64);
                found += 1;
            }
        }
    }
}
