//! The least total cost within given sizes, by shortest augmenting paths.
//!
//! This is the transportation problem (Hitchcock 1941) with rows on one side and k clusters on the other. Rows need not be nodes: what
//! counts is the least cost at which some row goes from one cluster to another ([`moves`](super::moves)), so the network
//! has k + 1 nodes, the clusters and a sink. The flow from a cluster to the sink is the size that it is meant to have,
//! within its bounds. Every cluster has a price; a row begins in the cluster where cost and price together are least. As long as
//! rows and flow do not agree somewhere, Dijkstra's algorithm finds the cheapest way from a cluster that has too many rows
//! to one that has too few, in costs reduced by the prices, which are never negative (Edmonds and Karp 1972; Tomizawa 1971).
//! The rows of that way move one cluster on each, and prices follow. Every state is the cheapest for its flows, so the last one
//! is the cheapest at all.
//!
//! The start decides how many ways are needed, not what is found: first a sample of the rows is solved within sizes in
//! proportion, its prices start a larger sample, and theirs all rows. In k-means, prices are kept from one iteration to the next, too.

use super::costs::Costs;
use super::moves::{FAR, Moves};
use super::{Sizes, at, put};

/// Nothing that can be reached costs as much.
const BEYOND: i64 = 1 << 60;
/// Bound of prices that are carried over.
pub(super) const PRICE: i64 = 1 << 58;

pub(super) struct Solver<'a> {
    pub(super) costs: Costs<'a>,
    pub(super) rows: usize,
    /// Every so many rows are looked at.
    pub(super) step: usize,
    pub(super) labels: &'a mut [u32],
    pub(super) moves: Moves<'a>,
    /// Least and largest size of each cluster.
    pub(super) low: &'a mut [u32],
    pub(super) high: &'a mut [u32],
    /// Rows that each cluster has, and is meant to have.
    pub(super) sizes: &'a mut [u32],
    pub(super) flows: &'a mut [u32],
    /// Of the clusters, and of the sink.
    pub(super) prices: &'a mut [i64],
    pub(super) way: &'a mut [i64],
    pub(super) from: &'a mut [u32],
    pub(super) done: &'a mut [u32],
}

impl Solver<'_> {
    fn k(&self) -> usize {
        self.costs.k
    }

    /// Finds the cheapest labels, from whatever prices there are.
    pub(super) fn solve(&mut self, sizes: &Sizes<'_>) {
        let k = self.k();
        // A sample has some rows a cluster at least.
        self.step = 1;
        while self.rows.checked_div(self.step * 4).is_some_and(|rows| rows >= 8 * k) {
            self.step *= 4;
        }
        loop {
            let rows = self.rows.div_ceil(self.step.max(1));
            self.bounds(sizes, rows);
            self.start();
            while self.augment(rows) {}
            if self.step <= 1 {
                return;
            }
            self.step /= 4;
        }
    }

    /// The bounds for a sample of `rows` rows: in proportion, rounded away from what they forbid.
    fn bounds(&mut self, sizes: &Sizes<'_>, rows: usize) {
        let (all, some) = (self.rows as u64, rows as u64);
        for (j, (low, high)) in self.low.iter_mut().zip(self.high.iter_mut()).enumerate() {
            let (least, most) = sizes.of(j, self.rows, self.costs.k);
            *low = (least as u64 * some).checked_div(all).unwrap_or(0) as u32;
            *high = (most as u64 * some).div_ceil(all.max(1)) as u32;
        }
    }

    /// Every row where cost and price together are least, of equal ones the first; flows that suit the prices.
    fn start(&mut self) {
        let sink = at(self.prices, self.k());
        for price in self.prices.iter_mut() {
            *price = (*price - sink).clamp(-PRICE, PRICE);
        }
        self.moves.clear();
        self.sizes.fill(0);
        for i in (0..self.rows).step_by(self.step.max(1)) {
            let (mut best, mut label) = (i64::MAX, 0);
            for (j, (&cost, &price)) in self.costs.row(i).iter().zip(self.prices.iter()).enumerate() {
                let cost = self.costs.integer(cost) + price;
                if cost < best {
                    (best, label) = (cost, j);
                }
            }
            put(self.labels, i, label as u32);
            put(self.sizes, label, at(self.sizes, label) + 1);
            self.moves.arrive(&self.costs, i, label);
        }
        for (j, flow) in self.flows.iter_mut().enumerate() {
            let (low, high) = (at(self.low, j), at(self.high, j));
            *flow = match at(self.prices, j) {
                0 => at(self.sizes, j).max(low).min(high),
                1.. => high,
                _ => low,
            };
        }
    }

    /// Sends one row along the cheapest way, if there is anything to mend; false if not.
    fn augment(&mut self, rows: usize) -> bool {
        let sink = self.k();
        let flow: u64 = self.flows.iter().map(|&flow| flow as u64).sum();
        // What is left over at the sink: it was meant to get `rows`.
        let left = flow as i64 - rows as i64;
        let over = |solver: &Self, x: usize| {
            if x == sink { left } else { at(solver.sizes, x) as i64 - at(solver.flows, x) as i64 }
        };
        self.from.fill(u32::MAX);
        self.done.fill(0);
        for x in 0..=sink {
            put(self.way, x, if over(self, x) > 0 { 0 } else { i64::MAX });
        }
        let end = loop {
            let mut next = (BEYOND, None);
            for (x, (&way, &done)) in self.way.iter().zip(self.done.iter()).enumerate() {
                if done == 0 && way < next.0 {
                    next = (way, Some(x));
                }
            }
            let (way, Some(x)) = next else { return false };
            if over(self, x) < 0 {
                break x;
            }
            put(self.done, x, 1);
            self.look_from(x, way - at(self.prices, x));
        };
        let length = at(self.way, end);
        for (price, (&way, &done)) in self.prices.iter_mut().zip(self.way.iter().zip(self.done.iter())) {
            if done != 0 {
                *price += length - way;
            }
        }
        let mut y = end;
        // No way visits a node twice.
        for _ in 0..=sink {
            let x = at(self.from, y) as usize;
            if x > sink {
                break;
            }
            if x == sink {
                put(self.flows, y, at(self.flows, y).wrapping_sub(1));
            } else if y == sink {
                put(self.flows, x, at(self.flows, x) + 1);
            } else {
                self.shift(x, y);
            }
            y = x;
        }
        true
    }

    /// Shortens ways by going over node `x`, whose way less its price is given.
    fn look_from(&mut self, x: usize, way: i64) {
        let k = self.costs.k;
        let mut see = |y: usize, cost: i64| {
            if cost < at(self.way, y) {
                put(self.way, y, cost);
                put(self.from, y, x as u32);
            }
        };
        if x == k {
            for (y, (&flow, &low)) in self.flows.iter().zip(self.low.iter()).enumerate() {
                if flow > low {
                    see(y, way + at(self.prices, y));
                }
            }
            return;
        }
        if at(self.flows, x) < at(self.high, x) {
            see(k, way + at(self.prices, k));
        }
        let best = self.moves.best.get(x * k..x * k + k).unwrap_or_default();
        let to = self.way.iter_mut().zip(self.from.iter_mut());
        for ((&cost, &price), (to, from)) in best.iter().zip(self.prices.iter()).zip(to) {
            let cost = way + cost + price;
            let nearer = cost < *to;
            *to = if nearer { cost } else { *to };
            *from = if nearer { x as u32 } else { *from };
        }
    }

    /// Moves the row for which that costs least from `x` to `y`.
    fn shift(&mut self, x: usize, y: usize) {
        let Some(row) = self.moves.row(x, y) else { return };
        put(self.labels, row, y as u32);
        put(self.sizes, x, at(self.sizes, x).wrapping_sub(1));
        put(self.sizes, y, at(self.sizes, y) + 1);
        self.moves.leave(&self.costs, self.labels, self.prices, row, x);
        self.moves.arrive(&self.costs, row, y);
    }
}

const _: () = assert!(FAR > BEYOND && BEYOND > PRICE);
