//! For every pair of clusters the rows that are moved from one to the other at the least cost.
//!
//! A pair keeps a few candidates, in falling order, and a limit: rows of the first cluster that are not among them cost at least
//! that. A row that leaves is taken from the candidates when it comes to their end; a row that arrives is put among them if it costs
//! less than the limit; only a pair that has run out looks at all rows of the cluster again.

use super::costs::Costs;
use super::{at, put};

/// More than any way costs: there is none.
pub(super) const FAR: i64 = 1 << 61;
/// No row.
const NONE: u32 = u32::MAX;

/// Candidates a pair of clusters keeps: where clusters are large, looking at all rows has to be rare.
pub(super) fn candidates(rows: usize, k: usize) -> usize {
    (rows / k.max(1) / 32).clamp(2, 32)
}

pub(super) struct Moves<'a> {
    pub(super) k: usize,
    pub(super) candidates: usize,
    /// The least cost of a move for each pair; `FAR` if there is no row.
    pub(super) best: &'a mut [i64],
    /// Candidates of each pair.
    pub(super) costs: &'a mut [i64],
    pub(super) rows: &'a mut [u32],
    pub(super) lens: &'a mut [u32],
    pub(super) limits: &'a mut [i64],
    /// The rows of each cluster, linked both ways.
    pub(super) first: &'a mut [u32],
    pub(super) next: &'a mut [u32],
    pub(super) previous: &'a mut [u32],
}

impl Moves<'_> {
    /// No row is anywhere.
    pub(super) fn clear(&mut self) {
        self.best.fill(FAR);
        self.lens.fill(0);
        self.limits.fill(i64::MAX);
        self.first.fill(NONE);
    }

    /// The row whose move from `a` to `b` costs `best`.
    pub(super) fn row(&self, a: usize, b: usize) -> Option<usize> {
        let pair = a * self.k + b;
        let last = (at(self.lens, pair) as usize).checked_sub(1)?;
        self.rows.get(pair * self.candidates + last).map(|&row| row as usize)
    }

    /// Row `i` comes to cluster `a`.
    #[inline(always)]
    pub(super) fn arrive(&mut self, costs: &Costs<'_>, i: usize, a: usize) {
        let first = at(self.first, a);
        put(self.first, a, i as u32);
        put(self.next, i, first);
        put(self.previous, i, NONE);
        // There is no such place for NONE.
        put(self.previous, first as usize, i as u32);
        let row = costs.row(i);
        let own = costs.integer(row.get(a).copied().unwrap_or_default());
        for (b, &cost) in row.iter().enumerate() {
            let (pair, cost) = (a * self.k + b, costs.integer(cost) - own);
            if b != a && cost < at(self.limits, pair) {
                self.insert(pair, cost, i as u32);
            }
        }
    }

    /// Row `i` goes from cluster `a` to another one, which its label says already.
    pub(super) fn leave(&mut self, costs: &Costs<'_>, labels: &[u32], prices: &[i64], i: usize, a: usize) {
        let (next, previous) = (at(self.next, i), at(self.previous, i));
        if previous == NONE {
            put(self.first, a, next);
        }
        // There is no such place for NONE.
        put(self.next, previous as usize, next);
        put(self.previous, next as usize, previous);
        for b in 0..self.k {
            if b != a && self.row(a, b) == Some(i) {
                // No row would rather be in `b`.
                self.drop_stale(costs, labels, at(prices, a) - at(prices, b), a, b);
            }
        }
    }

    /// Takes away candidates that are no longer in `a`, until the last one is. No move costs less than `least`.
    fn drop_stale(&mut self, costs: &Costs<'_>, labels: &[u32], least: i64, a: usize, b: usize) {
        let pair = a * self.k + b;
        while let Some(row) = self.row(a, b) {
            if labels.get(row).is_some_and(|&label| label as usize == a) {
                break;
            }
            put(self.lens, pair, at(self.lens, pair).saturating_sub(1));
        }
        if at(self.lens, pair) == 0 && at(self.limits, pair) < i64::MAX {
            self.refill(costs, least, a, b);
        }
        let last = (at(self.lens, pair) as usize).checked_sub(1);
        let best = last.and_then(|last| self.costs.get(pair * self.candidates + last));
        put(self.best, pair, best.copied().unwrap_or(FAR));
    }

    /// Looks at the rows of `a`: at all of them, unless there are enough that cost no more than `least`, as among many equal ones.
    fn refill(&mut self, costs: &Costs<'_>, least: i64, a: usize, b: usize) {
        let pair = a * self.k + b;
        put(self.limits, pair, i64::MAX);
        let mut row = at(self.first, a);
        while row != NONE {
            let i = row as usize;
            let cost = costs.at(i, b) - costs.at(i, a);
            if cost < at(self.limits, pair) {
                self.insert(pair, cost, row);
                let full = at(self.lens, pair) as usize == self.candidates;
                if full && at(self.costs, pair * self.candidates) <= least {
                    put(self.limits, pair, least);
                    return;
                }
            }
            row = self.next.get(i).copied().unwrap_or(NONE);
        }
    }

    /// Puts a row that costs less than the limit among the candidates of a pair.
    fn insert(&mut self, pair: usize, cost: i64, row: u32) {
        let start = pair * self.candidates;
        let end = start + self.candidates;
        let (Some(costs), Some(rows)) = (self.costs.get_mut(start..end), self.rows.get_mut(start..end))
        else {
            return;
        };
        let len = at(self.lens, pair) as usize;
        // They fall, so that the best is the last; those before `place` cost more.
        let place = costs.iter().take(len).take_while(|&&other| other > cost).count();
        if len < self.candidates {
            shift_up(costs, place, len, cost);
            shift_up(rows, place, len, row);
            put(self.lens, pair, len as u32 + 1);
        } else if place == 0 {
            put(self.limits, pair, cost);
            return;
        } else {
            put(self.limits, pair, at(costs, 0));
            shift_down(costs, place, cost);
            shift_down(rows, place, row);
        }
        put(self.best, pair, cost.min(at(self.best, pair)));
    }
}

/// Makes room at `place` for `value`; `len` values were there.
fn shift_up<T: Copy>(values: &mut [T], place: usize, len: usize, value: T) {
    let mut value = value;
    for to in values.iter_mut().take(len + 1).skip(place) {
        value = core::mem::replace(to, value);
    }
}

/// Drops the first of the values and puts `value` behind those that were before `place`.
fn shift_down<T: Copy>(values: &mut [T], place: usize, value: T) {
    let mut value = value;
    for to in values.iter_mut().take(place).rev() {
        value = core::mem::replace(to, value);
    }
}
