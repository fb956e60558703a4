//! The exact L2 projection: which scale and which thresholds leave the least squared error.
//!
//! # Three levels
//!
//! Of all sets of `t` values that become non-zero the `t` largest are best, and the squared error falls by
//! `S^2 / t`, `S` the sum of their magnitudes; the scale is then their mean `S / t`. Said without sets: with the
//! *height* `H(u) = sum max(0, m - u)` over all magnitudes `m`, the error falls by `max over u of 4 u H(u)`, and
//! the best `u` is the threshold, half the scale. `H` is convex and falls, which bounds `u H(u)` between any two
//! points where `H` is known. So the search is a few sums over all values, and no sort:
//!
//! 1. magnitudes become *steps*, integers 0..=8191 with the largest at 8191;
//! 2. heights at a few cuts, in u16 lanes; cells between cuts that cannot hold the best threshold are dropped;
//!    what remains is narrowed by the condition that every solution fulfils (see [`Cuts::narrow`]), and the same
//!    again in the cells that remain;
//! 3. now all but a handful of values are known to be in the set or out of it, whatever the steps rounded away.
//!    The handful, in f32, is tried one by one.
//!
//! Per 256 values: 4 operations a value for 1, and for 2 an operation a value and cut at 16-bit width.
//!
//! Of two thresholds with the same gain in f32 the larger wins. Float operations have a fixed order, so that the
//! result is the same on every tier.

use crate::math::{Compensated, tree_sum};
use crate::simd::scan::{CHUNK, CUTS, FEW, Few, Scan, Split, larger, smaller};

use super::order::sort_descending;

/// What a projection found.
pub(super) struct Projection {
    /// The smallest magnitude that is not zero.
    pub(super) zero: f32,
    /// The smallest magnitude of the full level; infinity for three levels.
    pub(super) half: f32,
    pub(super) scale: f32,
    pub(super) sum_squared_codes: f32,
}

/// The step of the largest magnitude. 8 of them fit a u16, so a lane takes 8 values.
pub(super) const TOP: f32 = 8191.0;

/// The best three levels for the magnitudes of `x`, all finite and the largest of them `max`, which is far from
/// both ends of the f32 range.
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn search_three(scan: impl Scan, x: &[f32], max: f32) -> Search {
    let per_step = TOP / max;
    let (whole, rest) = x.as_chunks::<CHUNK>();
    let mut padded = [0.0; CHUNK];
    for (to, &v) in padded.iter_mut().zip(rest) {
        *to = v;
    }
    let last = (!rest.is_empty()).then_some(&padded);
    let mut steps = [0u16; CHUNK];
    // One chunk keeps its steps; more are worked out again each round, which needs no memory.
    let single = x.len() <= CHUNK;

    let mut total = Compensated::default();
    for chunk in whole.iter().chain(last) {
        scan.steps(chunk, per_step, &mut steps);
        total.add(scan.total(&steps) as f32);
    }
    let mut cuts = Cuts::new(total.value(), x.len());
    for round in 0..if single { 2 } else { 5 } {
        let at = cuts.place(round);
        let mut heights = [0.0; CUTS];
        if single {
            heights = scan.heights(&steps, &at);
        } else {
            let mut carry = [Compensated::default(); CUTS];
            for chunk in whole.iter().chain(last) {
                scan.steps(chunk, per_step, &mut steps);
                for (total, height) in carry.iter_mut().zip(scan.heights(&steps, &at)) {
                    total.add(height);
                }
            }
            for (to, carry) in heights.iter_mut().zip(&carry) {
                *to = carry.value();
            }
        }
        cuts.narrow(scan, &at, &heights);
    }
    let (low, high) = bounds(cuts.low as f32, cuts.high as f32, max);
    Search::new(scan, whole.iter().chain(last), low, high)
}

/// What is known after the search.
pub(super) struct Search {
    /// Magnitudes below this are zero.
    low: f32,
    /// Magnitudes from here on are not.
    high: f32,
    base: Tail,
    /// The magnitudes between, if they are few.
    few: Few,
    candidates: usize,
}

impl Search {
    /// Sums what is in, and looks for what lies between the bounds.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(super) fn new<'x>(
        scan: impl Scan,
        chunks: impl Iterator<Item = &'x [f32; CHUNK]>,
        low: f32,
        high: f32,
    ) -> Search {
        let mut base = Tail::default();
        let mut few = Few::NONE;
        let mut candidates = 0;
        for chunk in chunks {
            let split = scan.split(chunk, low, high);
            base.add(&split);
            for (values, mut bits) in chunk.as_chunks::<64>().0.iter().zip(split.between) {
                // The first three of a word without a branch: there are rarely more, and how many is hard to foresee.
                // Bit 64, of an empty word, is no value.
                for _ in 0..3 {
                    few.put(candidates, values.get(bits.trailing_zeros() as usize));
                    candidates += (bits != 0) as usize;
                    bits &= bits.wrapping_sub(1);
                }
                while bits != 0 {
                    few.put(candidates, values.get(bits.trailing_zeros() as usize));
                    candidates += 1;
                    bits &= bits - 1;
                }
            }
        }
        Search { low, high, base, few, candidates }
    }

    /// The result, unless there are many candidates to sort.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(super) fn result(&self, scan: impl Scan) -> Option<Projection> {
        if self.candidates > FEW {
            return None;
        }
        Some(self.base.best_with(scan, &self.few, self.candidates, self.high))
    }

    /// The result; `x` are all values, `keys` and `room` hold as many.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    pub(super) fn finish(
        &self,
        scan: impl Scan,
        x: &[f32],
        keys: &mut [u32],
        room: &mut [u32],
    ) -> Projection {
        if let Some(result) = self.result(scan) {
            return result;
        }
        let candidates = self.collect(x, keys);
        self.result_among(keys, room, candidates)
    }

    /// Takes the bits of the candidates among `x` to the front of `keys`; returns how many they are.
    pub(super) fn collect(&self, x: &[f32], keys: &mut [u32]) -> usize {
        let mut kept = 0;
        for m in x.iter().map(|v| v.abs()) {
            // Written and then kept or overwritten: a branch would be mispredicted at every candidate.
            if let Some(slot) = keys.get_mut(kept) {
                *slot = m.to_bits();
            }
            kept += ((m >= self.low) & (m < self.high)) as usize;
        }
        kept
    }

    /// The result, given the candidates at the front of `keys`, and as much room.
    pub(super) fn result_among(&self, keys: &mut [u32], room: &mut [u32], candidates: usize) -> Projection {
        let both = (keys.get_mut(..candidates), room.get_mut(..candidates));
        let (keys, room) = (both.0.unwrap_or_default(), both.1.unwrap_or_default());
        self.base.best_below(sort_descending(keys, room, |bits| bits), self.high)
    }
}

/// The state of the search, in steps.
pub(super) struct Cuts {
    /// Values below this step are not in the best set.
    low: u32,
    /// Values from this step on are in it.
    high: u32,
    /// Points left and right of all that is open, the left one with its height.
    left: (f32, f32),
    right: f32,
    /// How far a gain may be off because steps are rounded, at two places together.
    slack: f32,
}

/// Where the cuts of a round lie between the bounds, in 1/256: denser towards small values at first, where a heavy
/// tail has its best threshold too; then evenly. The last cut is the right end of what is open.
pub(super) const SHARES: [[u32; CUTS - 1]; 2] =
    [[10, 25, 45, 71, 104, 142, 187], [0, 36, 72, 108, 144, 180, 216]];

impl Cuts {
    /// Begins with the sum of all `n` steps.
    #[inline(always)]
    fn new(total: f32, n: usize) -> Cuts {
        Cuts {
            low: Self::out_below(0.5 * total / n as f32),
            high: Self::in_from(0.5 * TOP),
            left: (0.0, total),
            right: TOP + 1.0,
            slack: total + 0.5 * n as f32,
        }
    }

    /// A solution's smallest value is at least half the mean of its set: given that half mean in steps, a lower
    /// bound of it. Steps differ from what they stand for by up to 1/2, in the value and in the mean: 3/4, and
    /// the rest is for the rounding of `half_mean`. NaN gives 0.
    #[inline(always)]
    fn out_below(half_mean: f32) -> u32 {
        larger(half_mean - 0.25, 0.0) as i32 as u32
    }

    /// Likewise the values outside are at most half the mean: from this step on all are inside.
    #[inline(always)]
    fn in_from(half_mean: f32) -> u32 {
        (smaller(half_mean, TOP) + 1.25) as i32 as u32 + 1
    }

    #[inline(always)]
    fn place(&self, round: usize) -> [u16; CUTS] {
        let [first, later] = SHARES;
        let width = self.high.saturating_sub(self.low);
        let mut at = [self.right as i32 as u16; CUTS];
        for (cut, share) in at.iter_mut().zip(if round == 0 { first } else { later }) {
            *cut = (self.low + ((width * share) >> 8)) as u16;
        }
        at
    }

    /// Takes in the heights at `at`.
    ///
    /// Between two cuts `a < b` the chord of `H`, with the falling slope `s`, reaches zero at twice
    /// `v = (a + H(a) / s) / 2`. Two rules. **A cell whose bound is below the best gain known holds no solution**:
    /// the height is below its chord, and `u` times the chord is largest at `v`, or at the nearer end of the cell.
    /// Steps have rounded heights by up to `count / 2`, and thus gains by up to half the sum of what all steps
    /// stand for, at both places that are compared.
    ///
    /// **A solution is a fixed point of g(u) = half the mean of all values >= u, and g rises with u**: if all
    /// below `u` is out already, then so is all below `g(u)`, and if all from `u` on is in, so is all above
    /// `g(u)`. `g(u) = (u + H(u) / count) / 2`, and the count at `u` is at most the slope of the chord left of
    /// `u`, at least that of the chord right of it: `v` of those cells bounds `g`.
    #[inline(always)]
    fn narrow(&mut self, scan: impl Scan, at: &[u16; CUTS], heights: &[f32; CUTS]) {
        let cells = scan.cells(self.left, at, heights, self.slack);
        let first = (cells.kept | 1 << (CUTS - 1)).trailing_zeros() as usize;
        let last = 31 - (cells.kept | 1).leading_zeros();
        let start = cells.starts.get(first).copied().unwrap_or(0.0);
        if let Some(height) = heights.get(first.wrapping_sub(1)) {
            self.left = (start, *height);
        }
        self.right = cells.ends.get(last as usize).copied().unwrap_or(TOP + 1.0);
        self.low = self.low.max(start as i32 as u32);
        self.high = self.high.min(self.right as i32 as u32 + 1);
        for _ in 0..2 {
            // The last cell that ends where all is out, and the first that starts where all is in.
            let out = scan.at_most(&cells.ends, self.low as f32).wrapping_sub(1);
            let inside = scan.at_most(&cells.starts, (self.high - 1) as f32);
            let middle = |cell: usize| cells.middles.get(cell).copied().unwrap_or(f32::NAN);
            self.low = self.low.max(Self::out_below(middle(out)));
            self.high = self.high.min(Self::in_from(middle(inside)));
        }
    }
}

/// Bounds in steps as magnitudes: from the second on all is in, below the first all is out.
#[inline(always)]
pub(super) fn bounds(low: f32, high: f32, max: f32) -> (f32, f32) {
    // A step begins half a step earlier; the factors cover the rounding of these lines and of the steps.
    let step = max / TOP;
    let low = smaller(low, high);
    ((low - 0.5) * step * (1.0 - 2e-6), (high - 0.5) * step * (1.0 + 2e-6))
}

/// Number and sum of the magnitudes from a threshold on.
#[derive(Clone, Copy, Default)]
struct Tail {
    count: f32,
    sum: Compensated,
}

impl Tail {
    #[inline(always)]
    fn add(&mut self, split: &Split) {
        self.sum.add(tree_sum(split.sums));
        self.count += split.count as f32;
    }

    /// The best of: this tail alone, and this tail with all candidates from one of them on.
    #[inline(always)]
    fn best_with(&self, scan: impl Scan, few: &Few, candidates: usize, high: f32) -> Projection {
        let (from, sum, count) = scan.best_of(few, candidates, self.sum.value(), self.count);
        Projection {
            zero: smaller(from, high),
            half: f32::INFINITY,
            scale: sum / count,
            sum_squared_codes: count,
        }
    }

    /// The same for any number of candidates, given their bits in falling order.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn best_below(&self, sorted: &[u32], high: f32) -> Projection {
        let (mut sum, mut count) = (self.sum, self.count);
        let mut gain = sum.value() * sum.value() / count;
        let mut best = (high, sum.value() / count, count);
        let mut rest = sorted.iter().peekable();
        while let Some(&bits) = rest.next() {
            let m = f32::from_bits(bits);
            sum.add(m);
            count += 1.0;
            if rest.peek() == Some(&&bits) {
                continue;
            }
            let s = sum.value();
            let candidate = s * s / count;
            if candidate > gain {
                gain = candidate;
                best = (m, s / count, count);
            }
        }
        let (zero, scale, count) = best;
        Projection { zero, half: f32::INFINITY, scale, sum_squared_codes: count }
    }
}

/// Exact projection onto {0, a/2, a} of magnitudes in falling order, each with its weight: as `a` falls, values
/// enter the half level at `m >= a/4` and the full level at `m >= 3a/4`. Every nearest-level assignment is met on
/// the way, so the one with the largest P^2 / Q (P = sum w m c, Q = sum w c^2) is the optimum.
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn project_five(sorted: impl Iterator<Item = (f32, f32)> + Clone) -> Projection {
    let mut best =
        Projection { zero: f32::INFINITY, half: f32::INFINITY, scale: 0.0, sum_squared_codes: 1.0 };
    let mut gain = 0.0f32;
    let (mut p, mut q) = (Compensated::default(), 0.0f32);
    let (mut zero, mut half) = (f32::INFINITY, f32::INFINITY);
    let mut entering = sorted.clone().peekable();
    let mut rising = sorted.peekable();
    loop {
        // The next event is at a = 4 m for the entering value, at a = 4/3 m for the rising one.
        let next = match (entering.peek(), rising.peek()) {
            (Some(&(e, _)), Some(&(r, _))) => (3.0 * e >= r, if 3.0 * e >= r { e } else { r }),
            (None, Some(&(r, _))) => (false, r),
            _ => break,
        };
        let (enters, m) = next;
        let (side, share) = if enters { (&mut entering, 0.25) } else { (&mut rising, 0.75) };
        while let Some((_, w)) = side.next_if(|&(v, _)| v == m) {
            p.add(0.5 * m * w);
            q += share * w;
        }
        *(if enters { &mut zero } else { &mut half }) = m;
        let s = p.value();
        let candidate = s * s / q;
        // At equal error the larger levels win: their scale is half as large (a constant keeps its own).
        if candidate >= gain {
            gain = candidate;
            best = Projection { zero, half, scale: s / q, sum_squared_codes: q };
        }
    }
    best
}
