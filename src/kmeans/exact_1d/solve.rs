//! From coarse edges to single values: the search as a whole.

use bytemuck::Zeroable;

use super::chain::{Chain, NEVER};
use super::grid::Grid;
use super::moments::{Moments, Unit, Width};
use super::narrow::{ALL, Cells};
use super::trace::Rows;
use super::values::{Side, Sorted};
use crate::Error;
use crate::workspace::{Carver, Layout};

/// How much room the search gets.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// Values.
    n: usize,
    /// Free clusters.
    free: usize,
    /// Two sides with a pinned cluster between them, or one.
    sides: usize,
    /// Edges of the first coarse choice; 0 to take all values at once.
    coarse: usize,
    /// Edges of later ones, at most.
    edges: usize,
    /// Costs that rows of a coarse choice have together, at most.
    states: usize,
}

impl Plan {
    /// Fewer values are taken at once.
    const FEW: usize = 2048;

    pub(super) fn new(n: usize, free: usize, pinned: bool) -> Plan {
        // About eight edges a cluster are needed to tell anything, and 1024 more cost nothing; later choices may be
        // finer, as windows are smaller.
        let edges = free.saturating_mul(8).saturating_add(1024);
        let states = (free + 1).saturating_mul(edges + 1).saturating_mul(4).min(n.saturating_mul(16));
        let coarse = (states / (free + 1)).min(edges);
        let whole = n <= Plan::FEW || coarse < free.saturating_mul(4);
        let (coarse, edges, states) =
            if whole { (0, 2, 0) } else { (coarse - 1, coarse.max(n / 4) + 2, states) };
        Plan { n, free, sides: 1 + pinned as usize, coarse, edges, states }
    }

    pub(super) fn layout(&self, layout: Layout) -> Result<Layout, Error> {
        let Plan { n, free, sides, .. } = *self;
        let times = |count: usize, by: usize| count.checked_mul(by).ok_or(Error::SizeOverflow);
        let cells = times(self.edges, sides)?;
        let layers = times(free + 1, 2)?;
        layout
            .array::<Moments>(Sorted::blocks(n))?
            .array::<Moments>(n + 2)?
            .array::<u64>(times(n + 2, 2)?)?
            .array::<u64>(times(self.states, sides)?.saturating_add(1))?
            .array::<u64>(layers)?
            .array::<u32>(n + 2)?
            .array::<u32>(times(n + 2, 2)?)?
            .array::<[u32; 2]>(layers)?
            .array::<u32>(layers)?
            .array::<u32>(free + 1)?
            .array::<u32>(times(cells, 3)?)?
            .array::<f32>(times(cells, 3)?)
    }
}

/// What was found: the cost in squared steps, and how many centres.
pub(super) struct Found {
    pub(super) cost: f32,
    pub(super) clusters: usize,
}

fn halves<T>(values: &mut [T], at: usize) -> (&mut [T], &mut [T]) {
    let at = at.min(values.len());
    values.split_at_mut_checked(at).unwrap_or_default()
}

fn cells<'a>(counts: &mut &'a mut [u32], bounds: &mut &'a mut [f32], len: usize) -> Cells<'a> {
    let (mut take, mut take_bound) = (
        || {
            let (head, rest) = halves(core::mem::take(counts), len);
            *counts = rest;
            head
        },
        || {
            let (head, rest) = halves(core::mem::take(bounds), len);
            *bounds = rest;
            head
        },
    );
    Cells {
        parts: take(),
        cover: take(),
        old_positions: take(),
        gain: take_bound(),
        reach: take_bound(),
        old_reach: take_bound(),
    }
}

/// Finds the best centres, ascending, into `centers`; what is left over there repeats the last.
pub(super) fn solve(
    plan: &Plan,
    keys: &[u32],
    weights: Option<&[u32]>,
    grid: &Grid,
    centers: &mut [f32],
    carver: &mut Carver,
) -> Result<Found, Error> {
    let Plan { n, free, sides, .. } = *plan;
    let sorted = Sorted::new(keys, weights, carver.take(Sorted::blocks(n))?);
    let edges = carver.take::<Moments>(n + 2)?;
    let costs = carver.take::<u64>(2 * (n + 2))?;
    // One more for the side that is empty if nothing is pinned.
    let tables = carver.take::<u64>(plan.states * sides + 1)?;
    let ends_at = carver.take::<u64>(2 * (free + 1))?;
    let positions = carver.take::<u32>(n + 2)?;
    let origins = carver.take::<u32>(2 * (n + 2))?;
    let windows = carver.take::<[u32; 2]>(2 * (free + 1))?;
    let ends = carver.take::<u32>(2 * (free + 1))?;
    let bounds = carver.take::<u32>(free + 1)?;
    let mut counts = carver.take::<u32>(plan.edges * sides * 3)?;
    let mut reaches = carver.take::<f32>(plan.edges * sides * 3)?;

    let pinned = sides == 2;
    let whole = Side { sorted, from: 0, to: n, mirrored: false };
    let zero = if pinned { whole.first(0, n, |_, key| Grid::offset(key) >= 0) } else { n };
    let unit = Unit::new(sorted.moments(n).squares());
    let (positions_left, positions_right) = halves(positions, zero + 1);
    let (edges_left, edges_right) = halves(edges, zero + 1);
    let (windows_left, windows_right) = halves(windows, free + 1);
    let (costs_left, costs_right) = halves(ends_at, free + 1);
    let (ends_left, ends_right) = halves(ends, free + 1);
    let (before, now) = halves(costs, n + 2);
    let (origin, arguments) = halves(origins, n + 2);
    let (table_left, table_right) = halves(tables, plan.states);
    let left = Chain {
        side: Side { to: zero, ..whole },
        unit,
        pinned,
        layers: free,
        cells: 0,
        positions: positions_left,
        edges: edges_left,
        windows: windows_left,
        costs: costs_left,
        ends: ends_left,
    };
    // Without a pinned cluster: no values, no clusters.
    let right = Chain {
        side: Side { from: zero, mirrored: true, ..whole },
        unit,
        pinned: true,
        layers: if pinned { free } else { 0 },
        cells: 0,
        positions: positions_right,
        edges: edges_right,
        windows: windows_right,
        costs: costs_right,
        ends: ends_right,
    };
    let mut search = Search {
        plan,
        chains: [left, right],
        cells: [
            cells(&mut counts, &mut reaches, plan.edges),
            cells(&mut counts, &mut reaches, if pinned { plan.edges } else { 0 }),
        ],
        tables: [table_left, table_right],
        rows: Rows { costs: [before, now], origins: [origin, arguments] },
    };
    Ok(if unit.is_narrow() {
        search.run::<super::moments::Narrow>(grid, bounds, centers)
    } else {
        search.run::<super::moments::Wide>(grid, bounds, centers)
    })
}

/// The least cost there can be of `layers` clusters of a chain.
fn cost_of(chain: &Chain, layers: Option<usize>) -> u64 {
    match layers {
        Some(layers) if layers <= chain.layers => chain.costs.get(layers).copied().unwrap_or(NEVER),
        _ => NEVER,
    }
}

struct Search<'a> {
    plan: &'a Plan,
    chains: [Chain<'a>; 2],
    cells: [Cells<'a>; 2],
    tables: [&'a mut [u64]; 2],
    rows: Rows<'a>,
}

impl Search<'_> {
    fn run<W: Width>(&mut self, grid: &Grid, bounds: &mut [u32], centers: &mut [f32]) -> Found {
        for (chain, cells) in self.chains.iter_mut().zip(&mut self.cells) {
            start(chain, cells, if self.plan.coarse == 0 { ALL } else { self.plan.coarse as u32 });
        }
        if self.plan.coarse > 0 {
            self.refine::<W>();
        }
        for chain in &mut self.chains {
            chain.fill_rows::<W>(&mut self.rows);
        }
        self.centers::<W>(grid, bounds, centers)
    }

    /// The cheapest split of the clusters between the sides: its cost and the number on the left.
    fn best(&self) -> (u64, usize) {
        let [left, right] = &self.chains;
        let mut best = (u64::MAX, 0);
        for layers in 0..=left.layers {
            let rest = self.plan.free.checked_sub(layers);
            let cost = cost_of(left, Some(layers)).saturating_add(cost_of(right, rest));
            if cost < best.0 {
                best = (cost, layers);
            }
        }
        best
    }

    /// Splits cells where boundaries can be until every value there has its edge.
    fn refine<W: Width>(&mut self) {
        /// Each choice of edges at least halves cells that matter; there are 2^24 values.
        const LEVELS: u32 = 48;
        let free = self.plan.free;
        for level in 0..LEVELS {
            if self.chains.iter().any(|chain| chain.states() > self.plan.states) {
                break;
            }
            for (chain, table) in self.chains.iter_mut().zip(&mut self.tables) {
                chain.fill::<W>(table);
            }
            let (cost, _) = self.best();
            let mut budget = cost;
            for (chain, cells) in self.chains.iter().zip(&mut self.cells) {
                // Later the edges that could tell more are gone.
                if level < 2 {
                    chain.bound_reach(cost, cells);
                }
                budget = budget.saturating_add(chain.slack(cells));
            }
            let ([left, right], [left_cells, right_cells]) = (&mut self.chains, &mut self.cells);
            let [left_table, right_table] = &self.tables;
            let rows = &mut self.rows;
            left.narrow::<W>(budget, |m| cost_of(right, free.checked_sub(m)), left_table, rows, left_cells);
            right.narrow::<W>(budget, |m| cost_of(left, free.checked_sub(m)), right_table, rows, right_cells);

            let (states, edges) = (self.plan.states, self.plan.edges);
            let mut done =
                self.chains.iter().zip(&self.cells).all(|(c, cells)| c.states_if_whole(cells) <= states);
            if !done {
                let mut any = false;
                for (chain, cells) in self.chains.iter().zip(&mut self.cells) {
                    any |= chain.plan(states, edges, cells);
                }
                done = !any;
            }
            for (chain, cells) in self.chains.iter_mut().zip(&mut self.cells) {
                if done {
                    cells.take_all();
                }
                chain.split(cells);
            }
            if done {
                return;
            }
        }
        for (chain, cells) in self.chains.iter_mut().zip(&mut self.cells) {
            cells.take_all_open();
            chain.split(cells);
        }
    }

    fn centers<W: Width>(&mut self, grid: &Grid, bounds: &mut [u32], centers: &mut [f32]) -> Found {
        let (_, on_left) = self.best();
        let pinned = self.plan.sides == 2;
        let mut used = 0;
        let mut put = |value: f32| {
            if let Some(center) = centers.get_mut(used) {
                *center = value;
                used += 1;
            }
        };
        let mut cost = 0u64;
        for (chain, layers) in self.chains.iter().zip([on_left, self.plan.free - on_left]) {
            if chain.side.mirrored && pinned {
                put(0.0);
            }
            if layers > chain.layers {
                continue;
            }
            let end = chain.ends.get(layers).copied().unwrap_or_default() as usize;
            let of = W::new(chain.unit);
            chain.trace::<W>(layers, end, &mut self.rows, bounds);
            let edge = |layer: usize| chain.edge(bounds.get(layer).copied().unwrap_or_default() as usize);
            for layer in 0..layers {
                // Centres come out ascending.
                let layer = if chain.side.mirrored { layers - 1 - layer } else { layer };
                let cluster = edge(layer + 1).minus(edge(layer));
                cost = cost.saturating_add(of.between(edge(layer), edge(layer + 1)));
                if cluster.weight > 0 {
                    put(grid.value(cluster.mean()));
                }
            }
            cost = cost.saturating_add(chain.tail(end));
        }
        if used == 0
            && let Some(center) = centers.first_mut()
        {
            *center = grid.value(0.0);
            used = 1;
        }
        let (found, rest) = halves(centers, used);
        rest.fill(found.last().copied().unwrap_or_default());
        let [chain, _] = &self.chains;
        Found { cost: cost as f32 / chain.unit.per_square(), clusters: used }
    }
}

/// One cell, and how to split it.
fn start(chain: &mut Chain, cells: &mut Cells, parts: u32) {
    let n = chain.side.len();
    chain.cells = (n > 0) as usize;
    for (e, at) in [0, n].into_iter().enumerate().take(chain.cells + 1) {
        let moments = chain.side.moments(at);
        if let (Some(position), Some(edge)) = (chain.positions.get_mut(e), chain.edges.get_mut(e)) {
            (*position, *edge) = (at as u32, moments);
        }
    }
    if chain.cells == 0
        && let Some(edge) = chain.edges.first_mut()
    {
        *edge = Moments::zeroed();
    }
    for (layer, window) in chain.windows.iter_mut().enumerate() {
        let last = chain.cells as u32;
        *window = if layer == 0 {
            [0, 0]
        } else if !chain.pinned && layer == chain.layers {
            [last, last]
        } else {
            [0, last]
        };
    }
    chain.costs.fill(NEVER);
    chain.ends.fill(0);
    if let (Some(first), Some(reach)) = (cells.parts.first_mut(), cells.reach.first_mut()) {
        (*first, *reach) = (parts, Grid::HALF);
    }
    chain.split(cells);
}
