//! Narrowing the windows: which boundaries an optimum can have, told from a coarse choice of edges; and splitting the
//! cells where they can be.
//!
//! Take an optimal clustering and move each boundary inside a cell to that end of it which costs less. If the centres
//! on both sides are `2 t` apart, and the cell has weight `w` and width `h`, this adds `w h t` at most (with several
//! boundaries in one cell `w h h`). So with `U` the cost of the best clustering whose boundaries are edges, every edge
//! to which an optimal boundary can have moved lies on a path of edges that costs at most `U` plus the sum of these.
//! Forward and backward rows give the cheapest path through every edge; cells that touch none within that bound are
//! never split again.
//!
//! `t` is bounded by `U` too: the values within `t / 2` of the boundary are at least `t / 2` from their centres, so
//! `t^2 / 4` times their weight is at most `U`.

use super::chain::{Chain, NEVER};
use super::moments::Width;
use super::program::{Row, Window, minima};
use super::trace::Rows;

/// What is known of cells.
pub(super) struct Cells<'a> {
    /// Into how many parts each is split next; 0 if no boundary can be inside; [`ALL`] for all there are.
    pub(super) parts: &'a mut [u32],
    /// How many windows lie over it.
    pub(super) cover: &'a mut [u32],
    /// What moving a boundary out of it can cost, in squared steps.
    pub(super) gain: &'a mut [f32],
    /// Bounds of `t`; -1 where it is known that no boundary is inside.
    pub(super) reach: &'a mut [f32],
    /// Copies for [`split`].
    pub(super) old_reach: &'a mut [f32],
    pub(super) old_positions: &'a mut [u32],
}

/// Every different value gets an edge.
pub(super) const ALL: u32 = u32::MAX;

impl Cells<'_> {
    /// Every different value of the cells marked to be split gets an edge.
    pub(super) fn take_all(&mut self) {
        for parts in self.parts.iter_mut().filter(|p| **p > 0) {
            *parts = ALL;
        }
    }

    /// The same of all cells that were ever marked.
    pub(super) fn take_all_open(&mut self) {
        for (parts, &reach) in self.parts.iter_mut().zip(self.reach.iter()) {
            *parts = if reach < 0.0 { 0 } else { ALL };
        }
    }
}

impl Chain<'_> {
    /// First and last value of a cell.
    fn span(&self, cell: usize) -> (u32, u32) {
        let (from, to) = (self.position(cell), self.position(cell + 1));
        (self.side.value(from), self.side.value(to.max(1) - 1))
    }

    /// Bounds `t` in every cell, given a cost that the optimum does not exceed.
    pub(super) fn bound_reach(&self, cost: u64, cells: &mut Cells) {
        let cost = cost as f32 / self.unit.per_square() * 1.01;
        let weight = |e: usize| self.edge(e).weight;
        let mut reach = 1u32 << 22;
        while reach >= 2 {
            let (mut left, mut right, mut any) = (0, 0, false);
            for cell in 0..self.cells {
                let (first, last) = self.span(cell);
                while left < cell && self.span(left).0 + reach / 2 <= last {
                    left += 1;
                }
                right = right.max(cell + 1);
                while right < self.cells && self.span(right).1 < first + reach / 2 {
                    right += 1;
                }
                let near = weight(cell) - weight(left) + weight(right) - weight(cell + 1);
                if near as f32 * reach as f32 * reach as f32 * 0.25 > cost {
                    any = true;
                    if let Some(slot) = cells.reach.get_mut(cell) {
                        *slot = slot.min(reach as f32);
                    }
                }
            }
            if !any {
                return;
            }
            reach /= 2;
        }
    }

    /// What moving all boundaries to edges adds to an optimum at most, in units.
    pub(super) fn slack(&self, cells: &mut Cells) -> u64 {
        for (cell, (gain, &reach)) in (0..self.cells).zip(cells.gain.iter_mut().zip(cells.reach.iter())) {
            let (first, last) = self.span(cell);
            let weight = self.edge(cell + 1).minus(self.edge(cell)).weight as f32;
            let width = last.saturating_sub(first) as f32;
            *gain = if reach < 0.0 { 0.0 } else { weight * width * reach.max(width) };
        }
        let mut sum = 0.0f32;
        for layer in 1..=self.layers {
            let Window { low, high } = self.window(layer);
            let gains = cells.gain.get(low..high.min(self.cells)).unwrap_or_default();
            sum += gains.iter().fold(0.0f32, |a, &b| a.max(b));
        }
        // Rounding of the f32 above, and of the costs in rows.
        let rounding = (self.layers as u64 + 2) * 256;
        ((sum * 1.01 * self.unit.per_square()) as u64).min(NEVER).saturating_add(rounding)
    }

    /// Narrows the windows to the edges on paths of at most `budget`, `others[m]` being what is to be added to `m`
    /// clusters of this side, and counts in `cells` which cells are touched.
    pub(super) fn narrow<W: Width>(
        &mut self,
        budget: u64,
        others: impl Fn(usize) -> u64,
        table: &[u64],
        rows: &mut Rows,
        cells: &mut Cells,
    ) {
        for (parts, cover) in cells.parts.iter_mut().zip(cells.cover.iter_mut()).take(self.cells) {
            (*parts, *cover) = (0, 0);
        }
        let [later, now] = &mut rows.costs;
        let mut start = self.states();
        let mut after: Option<Window> = None;
        let top = self.layers;
        let mut open = false;
        for layer in (0..=top).rev() {
            let window = self.window(layer);
            start = start.saturating_sub(window.size());
            let forward = table.get(start..).unwrap_or_default();
            let mut filled = 0;
            if let Some(next) = after {
                let rows = Window { low: window.low, high: window.high.min(next.high) };
                if rows.low <= rows.high {
                    filled = rows.size();
                    let row = Row { window: next, costs: later };
                    minima::<W, false>(&W::new(self.unit), self.edges, row, rows, now, &mut []);
                }
            }
            let other = others(layer);
            let mut touched: Option<Window> = None;
            for (e, (i, (&so_far, now))) in
                (window.low..=window.high).zip(forward.iter().zip(now.iter_mut()).enumerate())
            {
                let exit = self.tail(e).saturating_add(other).min(NEVER);
                *now = if i < filled { (*now).min(exit) } else { exit };
                if so_far.saturating_add(*now) <= budget {
                    touched = Some(Window { low: touched.map_or(e, |t| t.low), high: e });
                    // The start and, without a pinned cluster, the end are no boundaries.
                    if layer > 0 && (self.pinned || layer < top) {
                        for cell in [e.wrapping_sub(1), e] {
                            let open = cell < self.cells && cells.reach.get(cell).is_some_and(|&r| r >= 0.0);
                            if let Some(parts) = cells.parts.get_mut(cell).filter(|_| open) {
                                *parts = 1;
                            }
                        }
                    }
                }
            }
            core::mem::swap(later, now);
            after = Some(window);
            if layer == 0 || (!self.pinned && layer == top) {
                open = true;
                continue;
            }
            match touched {
                Some(Window { low, high }) => {
                    let narrowed = Window { low: low.saturating_sub(1), high: (high + 1).min(self.cells) };
                    self.set_window(layer, narrowed);
                    open = true;
                }
                // Nobody needs that many clusters on this side.
                None if !open => {
                    self.layers = layer - 1;
                    if let Some(cost) = self.costs.get_mut(layer) {
                        *cost = NEVER;
                    }
                }
                None => {}
            }
        }
        // Rows start where those before them do at least.
        let mut low = 0;
        for layer in 0..=self.layers {
            let window = self.window(layer);
            low = low.max(window.low);
            self.set_window(layer, Window { low, high: window.high.max(low) });
            for cell in low..window.high {
                if let Some(cover) = cells.cover.get_mut(cell) {
                    *cover += 1;
                }
            }
        }
    }

    fn set_window(&mut self, layer: usize, window: Window) {
        if let Some(slot) = self.windows.get_mut(layer) {
            *slot = [window.low as u32, window.high as u32];
        }
    }

    /// Values in a cell that can hold a boundary.
    fn values(&self, cell: usize, cells: &Cells) -> usize {
        match cells.parts.get(cell) {
            Some(&parts) if parts > 0 => self.position(cell + 1).saturating_sub(self.position(cell)),
            _ => 0,
        }
    }

    /// States if every value got an edge of its own where a boundary can be.
    pub(super) fn states_if_whole(&self, cells: &Cells) -> usize {
        let covers = (0..self.cells).zip(cells.cover.iter());
        covers.fold(self.states(), |sum, (cell, &cover)| {
            sum.saturating_add(self.values(cell, cells).saturating_mul(cover.max(1) as usize))
        })
    }

    /// Chooses into how many parts to split each cell, so that `states` and `edges` suffice for what comes of it and
    /// gains become alike; false if that is hardly progress.
    pub(super) fn plan(&self, states: usize, edges: usize, cells: &mut Cells) -> bool {
        let (mut by_state, mut by_edge) = (0.0f32, 0.0f32);
        let used_states = self.states().saturating_add(2 * self.layers + 2);
        let mut used_edges = 2usize;
        for (cell, (&cover, &gain)) in (0..self.cells).zip(cells.cover.iter().zip(cells.gain.iter())) {
            if self.values(cell, cells) > 0 {
                let cover = cover.max(1);
                by_state += crate::math::sqrt(gain * cover as f32);
                by_edge += crate::math::sqrt(gain / cover as f32);
                used_edges += 2;
            }
        }
        if used_states >= states || used_edges >= edges || by_edge <= 0.0 {
            return false;
        }
        let factor = ((states - used_states) as f32 / by_state).min((edges - used_edges) as f32 / by_edge);
        let (mut before, mut after) = (0usize, 0usize);
        for cell in 0..self.cells {
            let values = self.values(cell, cells);
            if let (Some(parts), Some(&cover), Some(&gain)) =
                (cells.parts.get_mut(cell), cells.cover.get(cell), cells.gain.get(cell))
                && *parts > 0
            {
                let more = (factor * crate::math::sqrt(gain / cover.max(1) as f32)) as usize;
                *parts = (1 + more).min(values).max(1) as u32;
                before += 1;
                after += *parts as usize;
            }
        }
        after >= before + before / 4
    }

    /// Splits the cells as planned, drops edges between others, and moves the windows along.
    pub(super) fn split(&mut self, cells: &mut Cells) {
        let old = self.cells;
        for (to, &from) in cells.old_positions.iter_mut().zip(self.positions.iter()).take(old + 1) {
            *to = from;
        }
        for (to, &from) in cells.old_reach.iter_mut().zip(cells.reach.iter()).take(old) {
            *to = from;
        }
        let mut count = 0;
        let mut parts_before = 0;
        for cell in 0..=old {
            let at = cells.old_positions.get(cell).copied().unwrap_or_default() as usize;
            let parts = if cell < old { cells.parts.get(cell).copied().unwrap_or_default() } else { 0 };
            if cell == 0 || cell == old || parts > 0 || parts_before > 0 {
                self.push(&mut count, at);
            }
            parts_before = parts;
            let reach = if parts > 0 { cells.old_reach.get(cell).copied().unwrap_or_default() } else { -1.0 };
            let first = count - 1;
            if cell < old {
                let until = cells.old_positions.get(cell + 1).copied().unwrap_or_default() as usize;
                self.cut(at, until, parts, &mut count);
                for slot in cells.reach.get_mut(first..count).unwrap_or_default() {
                    *slot = reach;
                }
            }
            // `cover` is free now: where this edge, or the last one kept before it, went.
            if let Some(slot) = cells.cover.get_mut(cell) {
                *slot = first as u32;
            }
        }
        self.cells = count - 1;
        for layer in 0..=self.layers {
            let Window { low, high } = self.window(layer);
            let place = |e: usize| cells.cover.get(e).copied().unwrap_or_default() as usize;
            let end = cells.old_positions.get(high).copied().unwrap_or_default() as usize;
            let (low, mut high) = (place(low), place(high));
            if self.position(high) < end && high < self.cells {
                high += 1;
            }
            self.set_window(layer, Window { low, high });
        }
    }

    /// Edges inside a cell: each part has at most 2 / parts of its values and 2 / parts of its width, or one value.
    fn cut(&mut self, from: usize, to: usize, parts: u32, count: &mut usize) {
        if parts == ALL {
            let mut last = self.side.value(from);
            for at in from + 1..to {
                let value = self.side.value(at);
                if value != last {
                    last = value;
                    self.push(count, at);
                }
            }
            return;
        }
        let lowest = self.side.value(from);
        let values = (to - from) as u64;
        let width = (self.side.value(to.max(1) - 1) - lowest) as u64;
        let share = 2 * values * width / parts.max(1) as u64;
        let mut last = from;
        for part in 1..parts as u64 {
            let goal = share * part;
            let place = |at: usize, value: u32| (at - from) as u64 * width + (value - lowest) as u64 * values;
            let near = self.side.first(last, to, |at, value| place(at, value) >= goal);
            if near >= to {
                return;
            }
            // Equal values stay together.
            let value = self.side.value(near);
            let mut at = self.side.first(last, near, |_, v| v >= value);
            if at == last {
                at = self.side.first(near, to, |_, v| v > value);
            }
            if at > last && at < to {
                self.push(count, at);
                last = at;
            }
        }
    }

    fn push(&mut self, count: &mut usize, at: usize) {
        let moments = self.side.moments(at);
        if let (Some(position), Some(edge)) = (self.positions.get_mut(*count), self.edges.get_mut(*count)) {
            (*position, *edge) = (at as u32, moments);
            *count += 1;
        }
    }
}
