//! Scale fitting: where the thresholds lie and how large a level is.
//!
//! All fits see magnitudes only; the sign goes to the code. They are computed in f32 in a fixed order,
//! so the same input gives the same codes on every target.

use crate::math::{Compensated, guard_scale, sqrt, sum_by, tree_sum};
use crate::workspace::{Carver, Layout};
use crate::{Error, simd};

use super::{NonFinite, Ternary};

/// How a scale and the thresholds between levels are chosen.
///
/// `s` is the scale, `x` the values of one group (block, row or tensor, see
/// [`Granularity`](super::Granularity)).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Fit {
    /// The exact L2 projection: the scale and codes that minimise the squared error. For trits the `t`
    /// largest magnitudes that maximise (sum of them)^2 / t, `s` = their mean (the optimum that Ternary
    /// Weight Networks, arXiv:1605.04711, approximate with 0.7 mean|x|).
    Mse,
    /// BitNet b1.58 (arXiv:2402.17764): `s = mean|x|`, code = round(x / s) clamped, ties to zero. For
    /// models trained with it. Five-level: the *step* is mean|x|, so `s = 2 mean|x|`.
    AbsMean,
    /// `s = max|x|`, code = round(x / s), ties away from zero: byte-identical to what GGUF writers do. The
    /// only fit of `Q8_0`, where `s = max|x| / 127`.
    AbsMax,
    /// The given share of magnitudes, in percent of `[0, 100)`, becomes zero (linear interpolation between
    /// order statistics); for five levels the upper threshold is the percentile half way to 100.
    /// `s = std(x) / mean|code|`, which makes the mean magnitude of the decoded values equal std(x).
    Percentile(f32),
    /// Thresholds of [`Fit::Mse`], scale such that the L2 norm of the decoded values equals that of `x`.
    /// Meant for gradients, whose length carries the step size.
    NormPreserving,
    /// The whole range of the row, from its smallest to its largest value, as in the 3.5-bit paper: no error
    /// exceeds half a step. Only for [`Format::Q35P`](super::Format::Q35P).
    MinMax,
    /// |x| < `threshold` becomes zero, everything else `scale` (five levels: half of it below 3/4 `scale`).
    Fixed {
        /// Smallest magnitude that is not zero.
        threshold: f32,
        /// The value of the largest level.
        scale: f32,
    },
}

impl Fit {
    /// Refuses parameters outside their range.
    pub(crate) fn check(self) -> Result<(), Error> {
        let ok = match self {
            Fit::Percentile(p) => (0.0..100.0).contains(&p),
            Fit::Fixed { threshold, scale } => {
                threshold >= 0.0 && threshold.is_finite() && scale >= 0.0 && scale.is_finite()
            }
            _ => true,
        };
        if ok { Ok(()) } else { Err(Error::InvalidArgument) }
    }

    /// The scratch that fitting a group of `n` values takes.
    pub(crate) fn layout(self, n: usize) -> Result<Layout, Error> {
        if self.sorts() { Layout::EMPTY.array::<u32>(n)?.array::<u32>(n) } else { Ok(Layout::EMPTY) }
    }

    fn sorts(self) -> bool {
        matches!(self, Fit::Mse | Fit::Percentile(_) | Fit::NormPreserving)
    }
}

/// The levels that a fit distinguishes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Levels {
    Three,
    Five,
}

/// What a fit found: how to turn a value of its group into a code.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    /// Larger magnitudes count as this one; NaN counts as zero.
    limit: f32,
    /// Power of two that magnitudes are multiplied by before they are compared.
    guard: f32,
    /// Guarded magnitudes from here on are not zero.
    zero: f32,
    /// Guarded magnitudes from here on are the second level; infinity for three levels.
    half: f32,
    /// The value of the largest level.
    pub(crate) scale: f32,
}

impl Rule {
    /// The code of `x`: -1..=1, or -2..=2 for five levels.
    #[inline(always)]
    pub(crate) fn code(&self, x: f32) -> i8 {
        let m = clean(x, self.limit) * self.guard;
        let level = (m >= self.zero) as i8 + (m >= self.half) as i8;
        if x < 0.0 { -level } else { level }
    }

    /// The smallest magnitude (unguarded) that is not zero.
    pub(crate) fn threshold(&self) -> f32 {
        self.zero / self.guard
    }
}

/// |x| with NaN as zero and nothing above `limit`.
#[inline(always)]
fn clean(x: f32, limit: f32) -> f32 {
    let m = x.abs();
    if m > limit {
        limit
    } else if m >= 0.0 {
        m
    } else {
        0.0
    }
}

/// Whether all values are finite. One pass, vectorised: the bits of a finite magnitude are below those of infinity.
#[must_use]
pub(crate) fn all_finite(x: &[f32]) -> bool {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || all_finite_here(x),
    )
}

/// [`all_finite`] within a loop that is compiled for its tier already.
#[inline(always)]
pub(crate) fn all_finite_here(x: &[f32]) -> bool {
    const INFINITY: u32 = 0x7F80_0000;
    let (groups, rest) = x.as_chunks::<16>();
    let mut lanes = [0u32; 16];
    for group in groups {
        for (lane, v) in lanes.iter_mut().zip(group) {
            *lane = (*lane).max(v.to_bits() & 0x7FFF_FFFF);
        }
    }
    lanes.into_iter().chain(rest.iter().map(|v| v.to_bits() & 0x7FFF_FFFF)).all(|bits| bits < INFINITY)
}

/// The largest finite magnitude; 0 if there is none.
pub(crate) fn largest_finite(x: &[f32]) -> f32 {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || largest_finite_here(x),
    )
}

/// [`largest_finite`] within a loop that is compiled for its tier already.
#[inline(always)]
pub(crate) fn largest_finite_here(x: &[f32]) -> f32 {
    // Bits of magnitudes order as the magnitudes do, and integer maxima vectorise on every tier. 16 of them
    // side by side, since one would be a chain.
    const INFINITY: u32 = 0x7F80_0000;
    let (groups, rest) = x.as_chunks::<16>();
    let mut lanes = [0u32; 16];
    for group in groups {
        for (lane, v) in lanes.iter_mut().zip(group) {
            let bits = v.to_bits() & 0x7FFF_FFFF;
            *lane = (*lane).max(if bits < INFINITY { bits } else { 0 });
        }
    }
    let mut largest = 0;
    for bits in lanes.into_iter().chain(rest.iter().map(|v| v.to_bits() & 0x7FFF_FFFF)) {
        largest = largest.max(if bits < INFINITY { bits } else { 0 });
    }
    f32::from_bits(largest)
}

/// Largest magnitude for the quantizers' first check, under the policy.
pub(crate) fn check_finite(x: &[f32], policy: NonFinite) -> Result<(), Error> {
    if policy == NonFinite::Error && !all_finite(x) { Err(Error::NonFinite) } else { Ok(()) }
}

/// Fits one group. Non-finite values must have been refused already if the policy says so; here
/// infinities count as the largest finite magnitude of the group and NaN as zero.
pub(crate) fn fit(fit: Fit, levels: Levels, x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    // One copy a tier on x86; the loops are plain Rust.
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || fit_here(fit, levels, x, scratch),
    )
}

#[cfg_attr(target_arch = "x86_64", inline(always))]
fn fit_here(fit: Fit, levels: Levels, x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    if fit == Fit::MinMax {
        return Err(Error::Unsupported);
    }
    if let Fit::Fixed { threshold, scale } = fit {
        let half = if levels == Levels::Five { 0.75 * scale } else { f32::INFINITY };
        let zero = if threshold > 0.0 { threshold } else { f32::MIN_POSITIVE * f32::EPSILON };
        return Ok(Rule { limit: f32::MAX, guard: 1.0, zero, half, scale });
    }
    let limit = largest_finite_here(x);
    if limit == 0.0 {
        let zero = f32::INFINITY;
        return Ok(Rule { limit, guard: 1.0, zero, half: zero, scale: 0.0 });
    }
    let guard = guard_scale(limit);
    let magnitude = |v: f32| clean(v, limit) * guard;
    let n = x.len() as f32;
    let max = limit * guard;
    let five = levels == Levels::Five;

    let (zero, half, scale) = match fit {
        Fit::AbsMax => {
            let inverse = 1.0 / max;
            let at = |share: f32| first_at(share * max, |t| t * inverse >= share);
            (if five { at(0.25) } else { at(0.5) }, if five { at(0.75) } else { f32::INFINITY }, max)
        }
        Fit::AbsMean => {
            let mean = sum_by(x, magnitude) / n;
            let inverse = 1.0 / mean;
            let above = |steps: f32| first_at(steps * mean, |t| t * inverse > steps);
            if five { (above(0.5), above(1.5), 2.0 * mean) } else { (above(0.5), f32::INFINITY, mean) }
        }
        Fit::Mse | Fit::NormPreserving | Fit::Percentile(_) => {
            let mut carver = Carver::new(scratch);
            let keys = carver.take::<u32>(x.len())?;
            let swap = carver.take::<u32>(x.len())?;
            for (key, &v) in keys.iter_mut().zip(x) {
                *key = magnitude(v).to_bits();
            }
            if let Fit::Percentile(p) = fit {
                let sorted = sort_descending(keys, swap);
                let zero = percentile(sorted, p).next_up();
                let half = if five { percentile(sorted, 0.5 * (p + 100.0)).next_up() } else { f32::INFINITY };
                let mean = sum_by(x, |v| if v < 0.0 { -magnitude(v) } else { magnitude(v) }) / n;
                let variance = sum_by(x, |v| {
                    let d = (if v < 0.0 { -magnitude(v) } else { magnitude(v) }) - mean;
                    d * d
                }) / n;
                let step = if five { 0.5 } else { 1.0 };
                let sum = sum_by(x, |v| {
                    let m = magnitude(v);
                    step * ((m >= zero) as u32 + (m >= half) as u32) as f32
                });
                (zero, half, if sum > 0.0 { sqrt(variance) / (sum / n) } else { 0.0 })
            } else {
                let best = if five {
                    project_five(sort_descending(keys, swap))
                } else {
                    project_three(keys, swap, max)
                };
                let scale = if fit == Fit::NormPreserving {
                    sqrt(sum_by(x, |v| magnitude(v) * magnitude(v)) / best.sum_squared_codes)
                } else {
                    best.scale
                };
                (best.zero, best.half, scale)
            }
        }
        Fit::Fixed { .. } | Fit::MinMax => return Err(Error::Unsupported),
    };
    Ok(Rule { limit, guard, zero, half, scale: scale / guard })
}

/// The ternary rule of [`Fit::AbsMax`] or [`Fit::AbsMean`] for a scale found elsewhere.
pub(crate) fn ternary_from_scale(fit: Fit, scale: f32) -> Ternary {
    if scale == 0.0 {
        return Ternary { threshold: f32::INFINITY, scale };
    }
    let guard = guard_scale(scale);
    let guarded = scale * guard;
    let inverse = 1.0 / guarded;
    let threshold = if fit == Fit::AbsMean {
        first_at(0.5 * guarded, |t| t * inverse > 0.5)
    } else {
        first_at(0.5 * guarded, |t| t * inverse >= 0.5)
    };
    Ternary { threshold: threshold / guard, scale }
}

/// The smallest float near `guess` for which the monotonic `reached` holds: what the comparison
/// `round(x * (1 / s)) >= level` amounts to, rounding of the product included.
fn first_at(guess: f32, reached: impl Fn(f32) -> bool) -> f32 {
    let mut t = guess;
    while reached(t.next_down()) {
        t = t.next_down();
    }
    while !reached(t) {
        t = t.next_up();
    }
    t
}

/// Linear interpolation between order statistics, as NumPy's default; `sorted` is descending.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn percentile(sorted: &[u32], p: f32) -> f32 {
    let last = sorted.len().saturating_sub(1);
    // Rank from the top. f32 holds ranks exactly up to 2^24 values; beyond, the rank rounds.
    let rank = (last as f32) * ((100.0 - p) / 100.0);
    let lower = (rank as usize).min(last);
    let share = rank - lower as f32;
    let at = |i: usize| sorted.get(i).map_or(0.0, |&bits| f32::from_bits(bits));
    let (a, b) = (at(lower), at((lower + 1).min(last)));
    a + (b - a) * share
}

struct Projection {
    zero: f32,
    half: f32,
    scale: f32,
    sum_squared_codes: f32,
}

impl Projection {
    /// Everything is zero.
    const NONE: Projection =
        Projection { zero: f32::INFINITY, half: f32::INFINITY, scale: 0.0, sum_squared_codes: 1.0 };
}

/// Exact projection onto {-a, 0, a}: for each count `t` of non-zero codes the best set is the `t` largest
/// magnitudes and the squared error falls by S^2 / t, S their sum. `keys` are the bits of the magnitudes, `max`
/// the largest of them; both buffers are used up.
///
/// Nothing is sorted but the few candidates. With g(u) = half the mean of all magnitudes >= u, the optimal set
/// {m >= u} has u = g(u): if the smallest value inside were below half the mean, or the largest outside above
/// it, moving that value would lower the error. g rises with u, so for any u below g(u) no solution lies
/// between the two, and likewise for any u above g(u). Iterating g from 0 and from the maximum therefore
/// closes in on all solutions from both sides, at linear rate; what is left between is sorted and tried.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn project_three(keys: &mut [u32], swap: &mut [u32], max: f32) -> Projection {
    // g is computed to a few ulp; the margin keeps a solution from falling out of the bracket by rounding.
    const MARGIN: f32 = 1e-5;
    const FEW: usize = 16;
    let [all, _] = tails(keys, [0.0, f32::INFINITY]);
    let (mut low, mut high) = (all.half_mean() * (1.0 - MARGIN), 0.5 * max);
    for _ in 0..32 {
        let [from_low, from_high] = tails(keys, [low, high]);
        let left = from_low.count - from_high.count;
        let next_low = from_low.half_mean() * (1.0 - MARGIN);
        let next_high = from_high.half_mean() * (1.0 + MARGIN);
        // Enough, or no progress any more (many equal values, or several solutions far apart).
        if left <= FEW || (next_low <= low && next_high >= high) {
            break;
        }
        (low, high) = (next_low.max(low), next_high.min(high));
    }
    let from_high = tails(keys, [high, f32::INFINITY])[0];

    // Each is written and then kept or overwritten: a branch here would be mispredicted at every candidate.
    let mut candidates = 0;
    for &key in keys.iter() {
        let m = f32::from_bits(key);
        if let Some(slot) = swap.get_mut(candidates) {
            *slot = key;
        }
        candidates += ((m >= low) & (m < high)) as usize;
    }
    let room = keys.get_mut(..candidates).unwrap_or_default();
    let sorted = sort_descending(swap.get_mut(..candidates).unwrap_or_default(), room);

    let mut best = Projection { zero: high, half: f32::INFINITY, ..Projection::NONE };
    let mut gain = 0.0f32;
    let mut sum = Compensated::default();
    sum.add(from_high.sum);
    let mut count = from_high.count as f32;
    if count > 0.0 {
        gain = from_high.sum * from_high.sum / count;
        best = Projection {
            zero: high,
            half: f32::INFINITY,
            scale: from_high.sum / count,
            sum_squared_codes: count,
        };
    }
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
            best = Projection { zero: m, half: f32::INFINITY, scale: s / count, sum_squared_codes: count };
        }
    }
    best
}

/// Number and sum of the magnitudes from a threshold on.
#[derive(Clone, Copy)]
struct Tail {
    count: usize,
    sum: f32,
}

impl Tail {
    /// Half the mean; 0 for none.
    fn half_mean(self) -> f32 {
        if self.count == 0 { 0.0 } else { 0.5 * self.sum / self.count as f32 }
    }
}

/// Adds up to 16 magnitudes to their lanes where they reach `from`.
#[inline(always)]
fn add_tail(keys: &[u32], from: f32, sums: &mut [f32; 16], counts: &mut [u32; 16]) {
    for ((sum, count), &key) in sums.iter_mut().zip(counts).zip(keys) {
        let m = f32::from_bits(key);
        *sum += if m >= from { m } else { 0.0 };
        *count += (m >= from) as u32;
    }
}

/// The tails at two thresholds in one pass, in the fixed order of [`sum_by`].
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn tails(keys: &[u32], from: [f32; 2]) -> [Tail; 2] {
    let [low, high] = from;
    let mut sums = [Compensated::default(); 2];
    let mut counts = [0usize; 2];
    for chunk in keys.chunks(256) {
        let (mut low_sums, mut low_counts) = ([0.0f32; 16], [0u32; 16]);
        let (mut high_sums, mut high_counts) = ([0.0f32; 16], [0u32; 16]);
        let (groups, rest) = chunk.as_chunks::<16>();
        for group in groups {
            add_tail(group, low, &mut low_sums, &mut low_counts);
            add_tail(group, high, &mut high_sums, &mut high_counts);
        }
        add_tail(rest, low, &mut low_sums, &mut low_counts);
        add_tail(rest, high, &mut high_sums, &mut high_counts);
        let [first, second] = &mut sums;
        first.add(tree_sum(low_sums));
        second.add(tree_sum(high_sums));
        let [first, second] = &mut counts;
        *first += low_counts.iter().sum::<u32>() as usize;
        *second += high_counts.iter().sum::<u32>() as usize;
    }
    let ([first, second], [low, high]) = (sums, counts);
    [Tail { count: low, sum: first.value() }, Tail { count: high, sum: second.value() }]
}

/// Exact projection onto {0, a/2, a} of magnitudes: as `a` falls, values enter the half level at
/// `m >= a/4` and the full level at `m >= 3a/4`. Every nearest-level assignment is met on the way, so the
/// one with the largest P^2 / Q (P = sum m c, Q = sum c^2) is the optimum.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn project_five(sorted: &[u32]) -> Projection {
    let mut best =
        Projection { zero: f32::INFINITY, half: f32::INFINITY, scale: 0.0, sum_squared_codes: 1.0 };
    let mut gain = 0.0f32;
    let (mut p, mut q) = (Compensated::default(), 0.0f32);
    let (mut zero, mut half) = (f32::INFINITY, f32::INFINITY);
    let mut entering = sorted.iter().copied().map(f32::from_bits).peekable();
    let mut rising = sorted.iter().copied().map(f32::from_bits).peekable();
    loop {
        // The next event is at a = 4 m for the entering value, at a = 4/3 m for the rising one.
        let next = match (entering.peek(), rising.peek()) {
            (Some(&e), Some(&r)) => (3.0 * e >= r, if 3.0 * e >= r { e } else { r }),
            (None, Some(&r)) => (false, r),
            _ => break,
        };
        let (enters, m) = next;
        let (side, weight) = if enters { (&mut entering, 0.25) } else { (&mut rising, 0.75) };
        while side.next_if(|&v| v == m).is_some() {
            p.add(0.5 * m);
            q += weight;
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

/// Sorts the bits of non-negative floats, largest first: a byte-wise radix sort, whose time does not
/// depend on the data and which cannot panic. Returns whichever buffer holds the result.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn sort_descending<'a>(mut keys: &'a mut [u32], mut swap: &'a mut [u32]) -> &'a [u32] {
    if keys.len() <= 32 {
        insert_descending(keys);
        return keys;
    }
    for shift in [0u32, 8, 16, 24] {
        let mut offsets = [0usize; 256];
        for &key in keys.iter() {
            offsets[(key >> shift & 255) as usize] += 1;
        }
        if offsets.contains(&keys.len()) {
            continue;
        }
        let mut start = 0;
        for offset in offsets.iter_mut().rev() {
            start += core::mem::replace(offset, start);
        }
        for &key in keys.iter() {
            let offset = &mut offsets[(key >> shift & 255) as usize];
            if let Some(slot) = swap.get_mut(*offset) {
                *slot = key;
            }
            *offset += 1;
        }
        core::mem::swap(&mut keys, &mut swap);
    }
    keys
}

/// Insertion sort, largest first, for the few values where 256 counters would cost more.
fn insert_descending(keys: &mut [u32]) {
    for end in 1..keys.len() {
        let Some(head) = keys.get_mut(..=end) else { return };
        let mut slots = head.iter_mut().rev();
        let Some(mut hole) = slots.next() else { return };
        for slot in slots {
            if *slot >= *hole {
                break;
            }
            core::mem::swap(slot, hole);
            hole = slot;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_is_descending() {
        let mut state = 1u32;
        for n in [0usize, 1, 2, 3, 31, 32, 33, 255, 256, 1000] {
            let mut keys: Vec<u32> = (0..n)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    state >> (state >> 28)
                })
                .collect();
            let mut expected = keys.clone();
            expected.sort_unstable_by(|a, b| b.cmp(a));
            let mut swap = vec![0; n];
            assert_eq!(sort_descending(&mut keys, &mut swap), expected);
        }
    }

    #[test]
    fn percentile_interpolates_as_numpy() {
        let sorted: Vec<u32> = [4.0f32, 3.0, 2.0, 1.0].map(f32::to_bits).to_vec();
        assert_eq!(percentile(&sorted, 0.0), 1.0);
        assert_eq!(percentile(&sorted, 50.0), 2.5);
        assert_eq!(percentile(&sorted, 90.0), 3.7);
    }
}
