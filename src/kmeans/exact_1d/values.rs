//! Sorted values, and one side of them.

use bytemuck::Zeroable;

use super::grid::Grid;
use super::moments::Moments;

/// Sorted keys, their weights (all 1 if there are none), and sums at every [`Sorted::BLOCK`]th of them.
#[derive(Clone, Copy)]
pub(super) struct Sorted<'a> {
    pub(super) keys: &'a [u32],
    pub(super) weights: Option<&'a [u32]>,
    blocks: &'a [Moments],
}

impl<'a> Sorted<'a> {
    /// Values between two stored sums.
    const BLOCK: usize = 64;

    /// Sums to make room for.
    pub(super) fn blocks(n: usize) -> usize {
        n / Sorted::BLOCK + 1
    }

    pub(super) fn new(keys: &'a [u32], weights: Option<&'a [u32]>, blocks: &'a mut [Moments]) -> Sorted<'a> {
        let mut total = Moments::zeroed();
        let mut start = 0;
        for block in blocks.iter_mut() {
            *block = total;
            total = add(total, keys, weights, start, start + Sorted::BLOCK);
            start += Sorted::BLOCK;
        }
        Sorted { keys, weights, blocks }
    }

    /// Sums of the first `count` values.
    pub(super) fn moments(&self, count: usize) -> Moments {
        let block = count / Sorted::BLOCK;
        let total = self.blocks.get(block).copied().unwrap_or(Moments::zeroed());
        add(total, self.keys, self.weights, block * Sorted::BLOCK, count)
    }
}

/// `total` and the values `from..to`, as far as there are that many.
#[inline(always)]
fn add(mut total: Moments, keys: &[u32], weights: Option<&[u32]>, from: usize, to: usize) -> Moments {
    let to = to.min(keys.len());
    let keys = keys.get(from..to).unwrap_or_default();
    match weights {
        None => {
            for &key in keys {
                total = total.with(Grid::offset(key), 1);
            }
        }
        Some(weights) => {
            for (&key, &weight) in keys.iter().zip(weights.get(from..to).unwrap_or_default()) {
                total = total.with(Grid::offset(key), weight);
            }
        }
    }
    total
}

/// A run of the sorted values, read upwards or, mirrored, downwards: so that the one before a pinned zero and the one
/// after it are the same problem.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) sorted: Sorted<'a>,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) mirrored: bool,
}

impl Side<'_> {
    pub(super) fn len(&self) -> usize {
        self.to.saturating_sub(self.from)
    }

    /// Value `i` as an integer that rises with `i`.
    #[inline(always)]
    pub(super) fn value(&self, i: usize) -> u32 {
        if self.mirrored {
            let key = self.sorted.keys.get((self.to - 1).wrapping_sub(i)).copied().unwrap_or_default();
            Grid::KEYS.wrapping_sub(key)
        } else {
            self.sorted.keys.get(self.from + i).copied().unwrap_or_default()
        }
    }

    /// Sums of the first `count` values of this side (of their mirror images: only squares of sums are used).
    pub(super) fn moments(&self, count: usize) -> Moments {
        if self.mirrored {
            self.sorted.moments(self.to).minus(self.sorted.moments(self.to - count.min(self.len())))
        } else {
            self.sorted.moments(self.from + count.min(self.len())).minus(self.sorted.moments(self.from))
        }
    }

    /// The first of `from..to` for which `is` holds, which holds for all later ones; `to` if there is none.
    #[inline(always)]
    pub(super) fn first(&self, mut from: usize, mut to: usize, is: impl Fn(usize, u32) -> bool) -> usize {
        while from < to {
            let middle = from + (to - from) / 2;
            if is(middle, self.value(middle)) {
                to = middle;
            } else {
                from = middle + 1;
            }
        }
        from
    }
}
