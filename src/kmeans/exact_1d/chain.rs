//! The dynamic programme over a few edges between the values of one side, each boundary in a window of its own.

use bytemuck::Zeroable;

use super::moments::{Moments, Unit, Width};
use super::program::{Row, Window, minima};
use super::trace::{Rows, trace};
use super::values::Side;

/// More than any cost: two of them still fit.
pub(super) const NEVER: u64 = 1 << 62;

/// Clusters of one side, one a layer: `layers` at most, from the first value on.
///
/// Edge `e` stands before value `positions[e]`; the first is 0, the last the number of values. After `m` clusters the
/// boundary is at one of the edges of window `m`. What follows the last cluster is the pinned one, up to the end of
/// the side, or nothing.
pub(super) struct Chain<'a> {
    pub(super) side: Side<'a>,
    pub(super) unit: Unit,
    pub(super) pinned: bool,
    pub(super) layers: usize,
    /// Cells between edges: one less than there are edges.
    pub(super) cells: usize,
    pub(super) positions: &'a mut [u32],
    pub(super) edges: &'a mut [Moments],
    /// Of layers 0 to `layers`.
    pub(super) windows: &'a mut [[u32; 2]],
    /// For every number of clusters the least cost, the rest pinned or nothing, and the edge where they end.
    pub(super) costs: &'a mut [u64],
    pub(super) ends: &'a mut [u32],
}

impl Chain<'_> {
    pub(super) fn window(&self, layer: usize) -> Window {
        let [low, high] = self.windows.get(layer).copied().unwrap_or_default();
        Window { low: low as usize, high: high as usize }
    }

    pub(super) fn edge(&self, e: usize) -> Moments {
        self.edges.get(e).copied().unwrap_or(Moments::zeroed())
    }

    pub(super) fn position(&self, e: usize) -> usize {
        self.positions.get(e).copied().unwrap_or_default() as usize
    }

    /// What the values behind edge `e` cost if no cluster of this side has them.
    #[inline(always)]
    pub(super) fn tail(&self, e: usize) -> u64 {
        if self.pinned {
            self.unit.of(self.edge(self.cells).minus(self.edge(e)).squares())
        } else if e == self.cells {
            0
        } else {
            NEVER
        }
    }

    /// Sizes of all windows together.
    pub(super) fn states(&self) -> usize {
        (0..=self.layers).fold(0usize, |sum, layer| sum.saturating_add(self.window(layer).size()))
    }

    /// The least costs of every layer, kept in `table` one row after the other; needs [`Chain::states`] values there.
    pub(super) fn fill<W: Width>(&mut self, table: &mut [u64]) {
        let (first, mut rest) = table.split_at_mut_checked(1).unwrap_or_default();
        first.fill(0);
        let mut before: &[u64] = first;
        self.note_end(0, before);
        for layer in 1..=self.layers {
            let window = self.window(layer);
            let (now, later) = rest.split_at_mut_checked(window.size()).unwrap_or_default();
            let row = Row { window: self.window(layer - 1), costs: before };
            minima::<W, true>(&W::new(self.unit), self.edges, row, window, now, &mut []);
            self.note_end(layer, now);
            (before, rest) = (now, later);
        }
    }

    /// The same with room for two rows only.
    pub(super) fn fill_rows<W: Width>(&mut self, rows: &mut Rows) {
        let [before, now] = &mut rows.costs;
        if let Some(first) = before.first_mut() {
            *first = 0;
        }
        self.note_end(0, before);
        for layer in 1..=self.layers {
            let window = self.window(layer);
            let row = Row { window: self.window(layer - 1), costs: before };
            minima::<W, true>(&W::new(self.unit), self.edges, row, window, now, &mut []);
            self.note_end(layer, now);
            core::mem::swap(before, now);
        }
    }

    /// Finds where it is best to stop after `layer` clusters whose costs are `row`.
    fn note_end(&mut self, layer: usize, row: &[u64]) {
        let window = self.window(layer);
        let (mut least, mut end) = (NEVER, window.low);
        // Without a pinned cluster only the last edge is an end.
        let from = if self.pinned { window.low } else { window.high };
        for (e, cost) in (from..=window.high).zip(row.get(from - window.low..).unwrap_or_default()) {
            let cost = cost.saturating_add(self.tail(e));
            if cost < least {
                (least, end) = (cost, e);
            }
        }
        if let (Some(cost), Some(slot)) = (self.costs.get_mut(layer), self.ends.get_mut(layer)) {
            (*cost, *slot) = (least, end as u32);
        }
    }

    /// The boundaries of the best `layers` clusters that stop at edge `end`: edges, into `bounds`.
    pub(super) fn trace<W: Width>(&self, layers: usize, end: usize, rows: &mut Rows, bounds: &mut [u32]) {
        let edges = self.edges.get(..=self.cells).unwrap_or_default();
        trace(&W::new(self.unit), edges, |layer| self.window(layer), layers, end, rows, bounds);
    }
}
