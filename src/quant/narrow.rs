//! The search of [`project`](super::project) for eight blocks at once: the chain of quotients and comparisons that
//! narrows the bounds runs in the lanes of vectors, one block a lane. The same operations, so the same bounds.
#![expect(clippy::needless_range_loop, reason = "a lane of several arrays")]

use crate::math::round_ties_even;
use crate::simd::scan::{CHUNK, CUTS, Scan, larger, smaller};

use super::eights::EIGHT;
#[cfg(doc)]
use super::project::Cuts;
use super::project::{SHARES, TOP, bounds};

type Lanes = [f32; EIGHT];

/// [`Cuts`] of eight blocks; whole numbers as floats.
struct EightCuts {
    low: Lanes,
    high: Lanes,
    left: Lanes,
    left_height: Lanes,
    right: Lanes,
    slack: Lanes,
}

/// For each block, whose largest magnitude is given and ordinary: below the first magnitude all is out of the best set,
/// from the second on all is in it.
#[inline(always)]
pub(super) fn narrowed(
    scan: impl Scan,
    blocks: &[[f32; CHUNK]; EIGHT],
    largest: &Lanes,
) -> [(f32, f32); EIGHT] {
    let mut steps = [[0u16; CHUNK]; EIGHT];
    let mut totals = [0.0; EIGHT];
    let per_step = largest.map(|max| TOP / max);
    for (((block, steps), &per_step), total) in blocks.iter().zip(&mut steps).zip(&per_step).zip(&mut totals)
    {
        scan.steps(block, per_step, steps);
        *total = scan.total(steps) as f32;
    }
    let mut cuts = EightCuts::new(&totals);
    for shares in &SHARES {
        let at = cuts.place(shares);
        let mut heights = [[0.0; EIGHT]; CUTS];
        for (lane, steps) in steps.iter().enumerate() {
            let mut own = [0u16; CUTS];
            for (own, at) in own.iter_mut().zip(&at) {
                // Adding 2^23 leaves the whole number in the low bits.
                *own = at.get(lane).map_or(0, |&at| (at + 8_388_608.0).to_bits() as u16);
            }
            for (heights, height) in heights.iter_mut().zip(scan.heights(steps, &own)) {
                if let Some(to) = heights.get_mut(lane) {
                    *to = height;
                }
            }
        }
        cuts.narrow(&at, &heights);
    }
    let mut found = [(0.0, 0.0); EIGHT];
    for (((found, &low), &high), &max) in found.iter_mut().zip(&cuts.low).zip(&cuts.high).zip(largest) {
        *found = bounds(low, high, max);
    }
    found
}

impl EightCuts {
    #[inline(always)]
    fn new(totals: &Lanes) -> EightCuts {
        let mut cuts = EightCuts {
            low: [0.0; EIGHT],
            high: [in_from(0.5 * TOP); EIGHT],
            left: [0.0; EIGHT],
            left_height: *totals,
            right: [TOP + 1.0; EIGHT],
            slack: [0.0; EIGHT],
        };
        for lane in 0..EIGHT {
            cuts.low[lane] = out_below(0.5 * totals[lane] / CHUNK as f32);
            cuts.slack[lane] = totals[lane] + 0.5 * CHUNK as f32;
        }
        cuts
    }

    /// [`Cuts::place`].
    #[inline(always)]
    fn place(&self, shares: &[u32; CUTS - 1]) -> [Lanes; CUTS] {
        let mut at = [self.right.map(whole); CUTS];
        for (at, &share) in at.iter_mut().zip(shares) {
            for lane in 0..EIGHT {
                // Products below 2^21: exact.
                let width = larger(self.high[lane] - self.low[lane], 0.0);
                at[lane] = self.low[lane] + whole(width * share as f32 * (1.0 / 256.0));
            }
        }
        at
    }

    /// [`Cuts::narrow`].
    #[inline(always)]
    fn narrow(&mut self, at: &[Lanes; CUTS], heights: &[Lanes; CUTS]) {
        let mut starts = [[0.0; EIGHT]; CUTS];
        let mut before = [[0.0; EIGHT]; CUTS];
        let mut middles = [[0.0; EIGHT]; CUTS];
        let mut limits = [[0.0; EIGHT]; CUTS];
        let (mut a, mut ha, mut best) = (self.left, self.left_height, [0.0; EIGHT]);
        for cell in 0..CUTS {
            (starts[cell], before[cell]) = (a, ha);
            for lane in 0..EIGHT {
                let (b, hb) = (at[cell][lane], heights[cell][lane]);
                let (a, ha) = (a[lane], ha[lane]);
                let slope = (ha - hb) / larger(b - a, 1.0);
                let v = 0.5 * (a + ha / slope);
                let t = smaller(larger(v, a), b);
                best[lane] = larger(best[lane], a * ha);
                limits[cell][lane] = t * (ha - slope * (t - a)) + self.slack[lane];
                middles[cell][lane] = pick(slope > 0.0, v, f32::NAN);
            }
            (a, ha) = (at[cell], heights[cell]);
        }
        // The first and the last cell that may hold a solution.
        let (mut start, mut left_height) = (starts[CUTS - 1], before[CUTS - 1]);
        let mut right = at[0];
        for cell in 0..CUTS {
            let back = CUTS - 1 - cell;
            for lane in 0..EIGHT {
                let least = best[lane] * (1.0 - 1e-5);
                let first = limits[back][lane] >= least;
                start[lane] = pick(first, starts[back][lane], start[lane]);
                left_height[lane] = pick(first, before[back][lane], left_height[lane]);
                right[lane] = pick(limits[cell][lane] >= least, at[cell][lane], right[lane]);
            }
        }
        (self.left, self.left_height, self.right) = (start, left_height, right);
        for lane in 0..EIGHT {
            self.low[lane] = larger(self.low[lane], whole(start[lane]));
            self.high[lane] = smaller(self.high[lane], whole(right[lane]) + 1.0);
        }
        for _ in 0..2 {
            let (mut out, mut inside) = ([f32::NAN; EIGHT], [f32::NAN; EIGHT]);
            for cell in 0..CUTS {
                let back = CUTS - 1 - cell;
                for lane in 0..EIGHT {
                    // The last cell that ends where all is out, and the first that starts where all is in.
                    let ends = at[cell][lane] <= self.low[lane];
                    out[lane] = pick(ends, middles[cell][lane], out[lane]);
                    let begins = starts[back][lane] > self.high[lane] - 1.0;
                    inside[lane] = pick(begins, middles[back][lane], inside[lane]);
                }
            }
            for lane in 0..EIGHT {
                self.low[lane] = larger(self.low[lane], out_below(out[lane]));
                self.high[lane] = smaller(self.high[lane], in_from(inside[lane]));
            }
        }
    }
}

/// `if which { a } else { b }`, of which the compiler makes a branch, which nobody foresees, or no vector.
#[inline(always)]
fn pick(which: bool, a: f32, b: f32) -> f32 {
    let mask = (which as u32).wrapping_neg();
    f32::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
}

/// The whole part of a number below 2^22 that is not negative.
#[inline(always)]
fn whole(v: f32) -> f32 {
    // A conversion to integers would saturate, which vectors do not.
    let near = round_ties_even(v);
    near - if near > v { 1.0 } else { 0.0 }
}

/// [`Cuts::out_below`].
#[inline(always)]
fn out_below(half_mean: f32) -> f32 {
    whole(larger(half_mean - 0.25, 0.0))
}

/// [`Cuts::in_from`].
#[inline(always)]
fn in_from(half_mean: f32) -> f32 {
    whole(smaller(half_mean, TOP) + 1.25) + 1.0
}
