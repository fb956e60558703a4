//! The threshold search that simplex, capped simplex and L1 ball share: the `t` with
//! `sum clamp(m[i] - t, 0, cap) = total`.
//!
//! # Method
//!
//! The sum falls as `t` rises, and is linear between two neighbouring breakpoints `m[i]`, `m[i] - cap`. One pass at a
//! trial `t` gives the sum and how many values are strictly between 0 and the cap; from these Newton's step follows,
//! which is the exact answer once the sets of values do not change any more (Michelot 1986; Held, Wolfe and Crowder
//! 1974). Without a cap the sum is convex, so Newton's iterates rise to the answer from the first one on; with a cap
//! they need not, so each `t` also narrows a bracket, and a step that leaves it is replaced by its middle. Inputs made
//! to defeat pivots cannot: after [`PATIENCE`] passes every second step halves the bracket *in the order of floats*. So a
//! search is never more than [`MAX_PASSES`] passes, and commonly two to five.
//!
//! A first search over every sixteenth block of [`BLOCK`] values, scaled to the whole, gives the trial to begin with.
//!
//! # Numbers
//!
//! A threshold near large values cannot be told in one float: of a million values 1000, projected to a sum of 1, each
//! becomes 1e-6, and the floats next to 1000 are 6e-5 away. So a threshold is a pair, `base + delta`, and values are
//! `(m - base) - delta`, whose first difference is exact near the base. Sums are over `m - base`, in 16 lanes and blocks of
//! 256 that are added with compensation: their relative error is below 20 * 2^-24 whatever the length. All operations have
//! one order on every tier, so all tiers give the same bits.

use crate::math::{Compensated, tree_sum};
use crate::simd::floats::{FloatKernel, Floats, Lane, Values, run};
use crate::{Error, simd};

/// Values whose sum is taken in one go, 16 in a lane.
const BLOCK: usize = 256;
/// Of how many blocks one is looked at for the first guess.
const SAMPLE: usize = 16;
/// Fewer values than this are not worth a guess.
const SAMPLE_FROM: usize = 1 << 14;
/// Passes after which Newton's steps take turns with halving.
const PATIENCE: u32 = 12;
/// The most passes over the sample.
const SAMPLE_PASSES: u32 = 8;
/// The most passes over all values: Newton's own, and two for each bit of the two floats of a threshold.
const MAX_PASSES: u32 = PATIENCE + 128;
/// 2^-24
const UNIT: f32 = f32::from_bits((127 - 24) << 23);
/// 2^-64: sums of as many f32 stay finite.
const DOWN: f32 = f32::from_bits((127 - 64) << 23);
/// 2^-20
const SLACK: f32 = f32::from_bits((127 - 20) << 23);

/// A sum of `len` values within this much of `total` is that sum: 2^-20 of it, and a denormal a value.
pub(super) fn slack(total: f32, len: usize) -> f32 {
    SLACK * total + len as f32 * f32::from_bits(1)
}

/// The values `m[i]`: of a vector, of its distance to a centre, or the magnitudes of either.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    x: &'a [f32],
    center: Option<&'a [f32]>,
    absolute: bool,
    /// A power of two that all values are multiplied with, so that sums cannot overflow.
    scale: f32,
}

impl<'a> Source<'a> {
    /// `x[i]`, to be projected to a sum of `total`.
    pub(super) fn plain(x: &'a [f32], total: f32) -> Source<'a> {
        Source { x, center: None, absolute: false, scale: guard(total) }
    }

    /// `|x[i] - center[i]|`; the centre is as long as `x`.
    pub(super) fn magnitudes(x: &'a [f32], center: Option<&'a [f32]>, total: f32) -> Source<'a> {
        Source { x, center, absolute: true, scale: guard(total) }
    }

    /// What sums and thresholds are multiplied with.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    fn every(self, step: usize) -> Walk<'a> {
        Walk { source: self, step }
    }
}

/// Values count relative to `total`: where that is huge, all of them are made smaller, so that sums of 2^32 values stay
/// finite. (Where it is not, values far below the largest are out of the set and out of all sums.)
fn guard(total: f32) -> f32 {
    if total > 1.0 / DOWN { DOWN } else { 1.0 }
}

/// A pass over every `step`-th block of a source.
#[derive(Clone, Copy)]
struct Walk<'a> {
    source: Source<'a>,
    step: usize,
}

/// What is done with the values of a pass.
trait Visit<F: Floats> {
    fn group(&mut self, f: F, m: F::V);
    /// The last values, fewer than 16.
    fn rest(&mut self, f: F, m: &[f32]);
    /// A block ends.
    fn end(&mut self, f: F);
}

/// The value of one element. The flags are constants, so that what does not apply is not compiled.
#[inline(always)]
fn value<F: Floats, const ABSOLUTE: bool, const CENTERED: bool>(
    f: F,
    scale: F::V,
    x: &[f32; 16],
    center: &[f32; 16],
) -> F::V {
    let mut m = f.mul(f.load(x), scale);
    if CENTERED {
        m = f.sub(m, f.mul(f.load(center), scale));
    }
    if ABSOLUTE {
        m = f.abs(m);
    }
    m
}

impl Walk<'_> {
    /// The pass without vectors: calls `one` with the lane and the value of each element, and `end` after each block.
    #[inline(always)]
    fn each<S>(self, state: &mut S, one: impl Fn(&mut S, usize, f32), end: impl Fn(&mut S)) {
        let Source { x, center, absolute, scale } = self.source;
        for (number, x) in x.chunks(BLOCK).enumerate().step_by(self.step.max(1)) {
            for (i, &x) in x.iter().enumerate() {
                let mut m = x * scale;
                if let Some(center) = center {
                    m -= center.get(number * BLOCK + i).copied().unwrap_or_default() * scale;
                }
                one(state, i % 16, if absolute { Lane(0).abs(m) } else { m });
            }
            end(state);
        }
    }

    #[inline(always)]
    fn visit<F: Floats>(self, f: F, to: &mut impl Visit<F>) {
        match (self.source.absolute, self.source.center) {
            (false, None) => self.blocks::<F, false, false>(f, self.source.x, to),
            (false, Some(center)) => self.blocks::<F, false, true>(f, center, to),
            (true, None) => self.blocks::<F, true, false>(f, self.source.x, to),
            (true, Some(center)) => self.blocks::<F, true, true>(f, center, to),
        }
    }

    #[inline(always)]
    fn blocks<F: Floats, const ABSOLUTE: bool, const CENTERED: bool>(
        self,
        f: F,
        center: &[f32],
        to: &mut impl Visit<F>,
    ) {
        let scale = f.splat(self.source.scale);
        let step = self.step.max(1);
        for (x, center) in self.source.x.chunks(BLOCK).zip(center.chunks(BLOCK)).step_by(step) {
            let ((x, x_rest), (c, c_rest)) = (x.as_chunks::<16>(), center.as_chunks::<16>());
            for (x, c) in x.iter().zip(c) {
                to.group(f, value::<F, ABSOLUTE, CENTERED>(f, scale, x, c));
            }
            if !x_rest.is_empty() {
                let (x, c) = (padded(x_rest), padded(c_rest));
                let m = f.store(value::<F, ABSOLUTE, CENTERED>(f, scale, &x, &c));
                to.rest(f, m.get(..x_rest.len()).unwrap_or_default());
            }
            to.end(f);
        }
    }
}

/// Up to 16 values and zeros behind them.
#[inline(always)]
fn padded(values: &[f32]) -> [f32; 16] {
    filled(values, 0.0)
}

#[inline(always)]
fn filled(values: &[f32], with: f32) -> [f32; 16] {
    let mut all = [with; 16];
    for (to, &v) in all.iter_mut().zip(values) {
        *to = v;
    }
    all
}

/// What the first pass finds out.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// Infinite if it is beyond the range of floats.
    pub(super) sum: f32,
    pub(super) least: f32,
    pub(super) largest: f32,
}

/// Sum and range of all values, times the scale of the source.
///
/// # Errors
/// [`Error::NonFinite`] if a value or a difference is not finite.
pub(super) fn extent(source: Source<'_>) -> Result<Extent, Error> {
    let found = run(simd::active(), First(source.every(1)));
    // A NaN or an infinity among the values makes the sum one too; the sum may also have overflowed by itself.
    if !found.sum.is_finite() {
        let finite = |values: &[f32]| values.iter().all(|v| v.is_finite());
        let differences = found.largest.is_finite() && found.least.is_finite();
        if !finite(source.x) || !source.center.is_none_or(finite) || !differences {
            return Err(Error::NonFinite);
        }
        let small = Source { scale: source.scale * DOWN, ..source };
        return Ok(Extent { sum: run(simd::active(), First(small.every(1))).sum / DOWN, ..found });
    }
    Ok(found)
}

struct First<'a>(Walk<'a>);

struct FirstState<F: Floats> {
    sum: F::V,
    least: F::V,
    largest: F::V,
    total: Compensated,
}

impl<F: Floats> Visit<F> for FirstState<F> {
    #[inline(always)]
    fn group(&mut self, f: F, m: F::V) {
        self.sum = f.add(self.sum, m);
        self.least = f.min(self.least, m);
        self.largest = f.max(self.largest, m);
    }
    #[inline(always)]
    fn rest(&mut self, f: F, m: &[f32]) {
        self.sum = f.add(self.sum, f.load(&padded(m)));
        self.least = f.min(self.least, f.load(&filled(m, f32::INFINITY)));
        self.largest = f.max(self.largest, f.load(&filled(m, f32::NEG_INFINITY)));
    }
    #[inline(always)]
    fn end(&mut self, f: F) {
        self.total.add(tree_sum(f.store(self.sum)));
        self.sum = f.splat(0.0);
    }
}

impl FloatKernel for First<'_> {
    type Output = Extent;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Extent {
        let mut state = FirstState::<F> {
            sum: f.splat(0.0),
            least: f.splat(f32::INFINITY),
            largest: f.splat(f32::NEG_INFINITY),
            total: Compensated::default(),
        };
        self.0.visit(f, &mut state);
        let least = f.store(state.least).into_iter().fold(f32::INFINITY, |a, b| if b < a { b } else { a });
        let largest =
            f.store(state.largest).into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        Extent { sum: state.total.value(), least, largest }
    }
    #[inline(never)]
    fn portable(self) -> Extent {
        let mut state = ([0.0; 16], [f32::INFINITY; 16], [f32::NEG_INFINITY; 16], Compensated::default());
        self.0.each(
            &mut state,
            |(sum, least, largest, _), lane, m| {
                let lanes = (sum.get_mut(lane), least.get_mut(lane), largest.get_mut(lane));
                if let (Some(sum), Some(least), Some(largest)) = lanes {
                    *sum += m;
                    *least = Lane(0).min(*least, m);
                    *largest = Lane(0).max(*largest, m);
                }
            },
            |(sum, _, _, total)| {
                total.add(tree_sum(*sum));
                *sum = [0.0; 16];
            },
        );
        let (_, least, largest, total) = state;
        let least = least.into_iter().fold(f32::INFINITY, |a, b| if b < a { b } else { a });
        let largest = largest.into_iter().fold(f32::NEG_INFINITY, |a, b| if b > a { b } else { a });
        Extent { sum: total.value(), least, largest }
    }
}

/// `base + delta`, see the head of this file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Threshold {
    pub(super) base: f32,
    pub(super) delta: f32,
}

impl Threshold {
    /// The same threshold, with the base that is nearest to it.
    fn rebased(self) -> Threshold {
        let base = self.base + self.delta;
        Threshold { base, delta: self.delta - (base - self.base) }
    }

    fn below(self, other: Threshold) -> bool {
        (self.base - other.base) + (self.delta - other.delta) < 0.0
    }

    /// Between this one and a higher one, half way in the order of floats: of bases, or, between neighbouring ones, of what
    /// is missing to the upper one, where a value may be only just above the threshold.
    fn middle(self, high: Threshold) -> Threshold {
        let (a, b) = (ordered(self.base), ordered(high.base));
        if b - a > 1 {
            return Threshold { base: from_ordered(a + (b - a) / 2), delta: 0.0 };
        }
        let (a, b) = (ordered((self.base - high.base) + self.delta), ordered(high.delta));
        Threshold { base: high.base, delta: from_ordered(a + (b - a) / 2) }
    }
}

/// What a pass at a threshold finds.
#[derive(Clone, Copy)]
struct Sums {
    /// Of `m - base` over the values that end up between 0 and the cap.
    inside: f32,
    inside_count: usize,
    /// How many reach the cap.
    capped: usize,
    seen: usize,
}

struct Pass<'a, const CAPPED: bool> {
    walk: Walk<'a>,
    at: Threshold,
    cap: f32,
}

struct PassState<F: Floats, const CAPPED: bool> {
    base: F::V,
    low: F::V,
    high: F::V,
    sum: F::V,
    count: F::V,
    capped: F::V,
    total: Compensated,
    counts: (usize, usize, usize),
}

impl<F: Floats, const CAPPED: bool> PassState<F, CAPPED> {
    /// 1 where true.
    #[inline(always)]
    fn ones(f: F, mask: F::Mask) -> F::V {
        f.select(mask, f.splat(1.0), f.splat(0.0))
    }
}

impl<F: Floats, const CAPPED: bool> Visit<F> for PassState<F, CAPPED> {
    #[inline(always)]
    fn group(&mut self, f: F, m: F::V) {
        let (zero, y) = (f.splat(0.0), f.sub(m, self.base));
        let above = f.greater(y, self.low);
        let (mut part, mut one) = (f.select(above, y, zero), Self::ones(f, above));
        if CAPPED {
            let over = f.greater(y, self.high);
            (part, one) = (f.select(over, zero, part), f.select(over, zero, one));
            self.capped = f.add(self.capped, Self::ones(f, over));
        }
        self.sum = f.add(self.sum, part);
        self.count = f.add(self.count, one);
        self.counts.2 += 16;
    }
    #[inline(always)]
    fn rest(&mut self, f: F, m: &[f32]) {
        // What is added to fill a group is below every threshold.
        self.group(f, f.load(&filled(m, f32::NEG_INFINITY)));
        self.counts.2 = self.counts.2 + m.len() - 16;
    }
    #[inline(always)]
    fn end(&mut self, f: F) {
        self.total.add(tree_sum(f.store(self.sum)));
        // At most 16 a lane: exact.
        self.counts.0 += tree_sum(f.store(self.count)) as usize;
        self.sum = f.splat(0.0);
        self.count = f.splat(0.0);
        if CAPPED {
            self.counts.1 += tree_sum(f.store(self.capped)) as usize;
            self.capped = f.splat(0.0);
        }
    }
}

impl<const CAPPED: bool> FloatKernel for Pass<'_, CAPPED> {
    type Output = Sums;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Sums {
        let zero = f.splat(0.0);
        let mut state = PassState::<F, CAPPED> {
            base: f.splat(self.at.base),
            low: f.splat(self.at.delta),
            high: f.splat(self.at.delta + self.cap),
            sum: zero,
            count: zero,
            capped: zero,
            total: Compensated::default(),
            counts: (0, 0, 0),
        };
        self.walk.visit(f, &mut state);
        let (inside_count, capped, seen) = state.counts;
        Sums { inside: state.total.value(), inside_count, capped, seen }
    }
    #[inline(always)]
    fn portable(self) -> Sums {
        pass_each(self.walk, self.at, self.cap)
    }
}

/// [`Pass`] without vectors. Nothing is above a cap of infinity.
#[inline(never)]
fn pass_each(walk: Walk<'_>, at: Threshold, cap: f32) -> Sums {
    let found = Sums { inside: 0.0, inside_count: 0, capped: 0, seen: 0 };
    let mut state = ([0.0f32; 16], found, Compensated::default());
    walk.each(
        &mut state,
        |(sum, found, _), lane, m| {
            let y = m - at.base;
            let (above, over) = (y > at.delta, y > at.delta + cap);
            found.seen += 1;
            found.capped += over as usize;
            if above
                && !over
                && let Some(sum) = sum.get_mut(lane)
            {
                *sum += y;
                found.inside_count += 1;
            }
        },
        |(sum, _, total)| {
            total.add(tree_sum(*sum));
            *sum = [0.0; 16];
        },
    );
    let (_, found, total) = state;
    Sums { inside: total.value(), ..found }
}

fn pass(walk: Walk<'_>, at: Threshold, cap: f32) -> Sums {
    if cap < f32::INFINITY {
        run(simd::active(), Pass::<true> { walk, at, cap })
    } else {
        run(simd::active(), Pass::<false> { walk, at, cap })
    }
}

/// The threshold of a source with this extent. `cap` and `total` are in units of the caller; `total` is positive and below
/// `cap` times the number of values, of which there is at least one.
pub(super) fn search(source: Source<'_>, extent: &Extent, cap: f32, total: f32) -> Threshold {
    let (cap, total) = (cap * source.scale, total * source.scale);
    let high = Threshold { base: extent.largest, delta: 0.0 };
    // The largest value alone makes up the sum there; if it may not, every value reaches its cap further down.
    let low = if total <= cap {
        Threshold { base: extent.largest, delta: -total }.rebased()
    } else {
        Threshold { base: extent.least, delta: -cap }.rebased()
    };
    let mut start = low;
    if source.x.len() >= SAMPLE_FROM {
        let walk = source.every(SAMPLE);
        let share = pass(walk, high, cap).seen as f32 / source.x.len() as f32;
        let guess = newton(walk, cap, total * share, (low, high), low, SAMPLE_PASSES);
        if low.below(guess) && guess.below(high) {
            start = guess;
        }
    }
    newton(source.every(1), cap, total, (low, high), start, MAX_PASSES)
}

/// Newton's steps within a bracket, from `start`.
fn newton(
    walk: Walk<'_>,
    cap: f32,
    total: f32,
    bracket: (Threshold, Threshold),
    start: Threshold,
    most: u32,
) -> Threshold {
    let (mut low, mut high) = bracket;
    let mut at = start;
    let mut before = None;
    for turn in 0..most {
        let sums = pass(walk, at, cap);
        let count = sums.inside_count as f32;
        let missing = if sums.capped > 0 { total - sums.capped as f32 * cap } else { total };
        let excess = (sums.inside - missing) - count * at.delta;
        *(if excess > 0.0 { &mut low } else { &mut high }) = at;
        // Without a value inside there is no step, only a side.
        let next = Threshold { base: at.base, delta: (sums.inside - missing) / count }.rebased();
        let sets = (sums.inside_count, sums.capped);
        if sums.inside_count > 0 && (before == Some(sets) || excess.abs() <= 4.0 * UNIT * total) {
            return next;
        }
        let halve = turn >= PATIENCE && turn % 2 == 0;
        (at, before) = if !halve && sums.inside_count > 0 && low.below(next) && next.below(high) {
            (next, Some(sets))
        } else {
            (low.middle(high), None)
        };
    }
    at
}

/// How many values of a source are strictly between 0 and the cap (in units of the caller) at a threshold.
pub(super) fn count_inside(source: Source<'_>, at: Threshold, cap: f32) -> f32 {
    pass(source.every(1), at, cap * source.scale).inside_count as f32
}

/// An integer that rises with the float.
fn ordered(x: f32) -> i64 {
    let magnitude = i64::from(x.to_bits() & 0x7FFF_FFFF);
    if x.to_bits() >> 31 == 1 { -magnitude } else { magnitude }
}

/// The float with that [`ordered`] number.
fn from_ordered(number: i64) -> f32 {
    let magnitude = f32::from_bits(number.unsigned_abs() as u32);
    if number < 0 { -magnitude } else { magnitude }
}
