//! Scale fitting: where the thresholds lie and how large a level is.
//!
//! All fits see magnitudes only; the sign goes to the code. They are computed in f32 in a fixed order,
//! so the same input gives the same codes on every target.

use crate::math::{Compensated, guard_scale, sqrt, sum_by, tree_sum};
use crate::simd::scan::{CHUNK, Scan};
use crate::workspace::{Carver, Layout};
use crate::{Error, simd};

use super::order::{percentile, sort_descending};
use super::project::{Projection, project_five, search_three};
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
    /// Near [`Fit::Mse`] at several times its speed: Lloyd's iteration. Thresholds half way between the levels, then the
    /// scale with the least squared error for the codes that they give, two turns. Trits begin with the threshold of
    /// Ternary Weight Networks for normal values, 0.75 mean|x| (arXiv:1605.04711), five levels with the step
    /// 1.05 mean|x|. On normal values 0.1 % above the error of [`Fit::Mse`], on Laplacian ones 0.5 %.
    Lloyd,
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
    /// Magnitudes from here on are not zero; NaN if all are zero.
    pub(crate) zero: f32,
    /// Magnitudes from here on are the second level; NaN if none is.
    half: f32,
    /// The value of the largest level.
    pub(crate) scale: f32,
}

impl Rule {
    /// All codes are zero.
    pub(crate) const NONE: Rule = Rule { zero: f32::NAN, half: f32::NAN, scale: 0.0 };

    /// The rule of a projection of magnitudes that were multiplied by `guard`, the largest of which is `max`.
    pub(crate) fn new(found: &Projection, scale: f32, guard: f32, max: f32) -> Rule {
        Rule {
            zero: without_guard(found.zero, guard, max),
            half: without_guard(found.half, guard, max),
            scale: scale / guard,
        }
    }

    /// Three levels. `zero` is NaN if all are zero.
    #[inline(always)]
    pub(crate) fn ternary(zero: f32, scale: f32) -> Rule {
        Rule { zero, half: f32::NAN, scale }
    }

    /// The trit of `x`: -1..=1. NaN gives 0, an infinity what the largest finite magnitude gives.
    #[inline(always)]
    pub(crate) fn trit(&self, x: f32) -> i8 {
        (x >= self.zero) as i8 - (x <= -self.zero) as i8
    }

    /// The code of `x` among five levels: -2..=2.
    #[inline(always)]
    pub(crate) fn code(&self, x: f32) -> i8 {
        self.trit(x) + (x >= self.half) as i8 - (x <= -self.half) as i8
    }

    /// The smallest magnitude that is not zero.
    pub(crate) fn threshold(&self) -> f32 {
        if self.zero.is_nan() { f32::INFINITY } else { self.zero }
    }
}

/// The threshold for magnitudes that is `cut` for magnitudes times `guard`, a power of two; NaN where no
/// magnitude up to `max` (guarded) reaches it.
fn without_guard(cut: f32, guard: f32, max: f32) -> f32 {
    let plain = cut / guard;
    match cut <= max {
        // A denormal quotient may have been rounded down, and let a smaller value in.
        true if plain * guard < cut => plain.next_up(),
        true => plain,
        false => f32::NAN,
    }
}

/// |x| with NaN as zero and nothing above `limit`.
#[inline(always)]
pub(crate) fn clean(x: f32, limit: f32) -> f32 {
    let m = x.abs();
    if m > limit {
        limit
    } else if m >= 0.0 {
        m
    } else {
        0.0
    }
}

/// The bits of infinity: those of every finite magnitude are below.
const INFINITY: u32 = 0x7F80_0000;

/// Whether all values are finite, and the largest finite magnitude (0 if there is none). One pass if they are.
pub(crate) fn largest(x: &[f32]) -> (bool, f32) {
    simd::with_scan!(simd::active(), scan => largest_here(scan, x))
}

/// [`largest`] within a loop that is compiled for its tier already.
#[inline(always)]
pub(crate) fn largest_here(scan: impl Scan, x: &[f32]) -> (bool, f32) {
    let bits = scan.largest_bits(x);
    if bits < INFINITY { (true, f32::from_bits(bits)) } else { (false, largest_of_the_finite(x)) }
}

#[cold]
#[inline(never)]
fn largest_of_the_finite(x: &[f32]) -> f32 {
    let finite = x.iter().map(|v| v.to_bits() & 0x7FFF_FFFF).filter(|&bits| bits < INFINITY);
    f32::from_bits(finite.fold(0, |a, b| a.max(b)))
}

/// The sum of the magnitudes, in the order of [`sum_by`].
#[inline(always)]
fn sum_magnitudes(scan: impl Scan, x: &[f32]) -> f32 {
    let (whole, rest) = x.as_chunks::<CHUNK>();
    let mut total = Compensated::default();
    for chunk in whole {
        total.add(tree_sum(scan.sums(chunk)));
    }
    total.add(sum_by(rest, f32::abs));
    total.value()
}

/// Turns of [`Fit::Lloyd`].
pub(super) const TURNS: usize = 2;
/// Its first threshold for trits, and its first step for five levels, as parts of the mean magnitude.
pub(super) const THREE_START: f32 = 0.75;
const FIVE_START: f32 = 1.05;

/// `magnitude` where that is at least `threshold`, else 0.
#[inline(always)]
fn above(magnitude: impl Fn(f32) -> f32, threshold: f32) -> impl Fn(f32) -> f32 {
    #[inline(always)]
    move |v| {
        let m = magnitude(v);
        if m >= threshold { m } else { 0.0 }
    }
}

/// How many magnitudes are at least `threshold`.
#[inline(always)]
fn count_from(x: &[f32], magnitude: impl Fn(f32) -> f32, threshold: f32) -> usize {
    x.iter().filter(|&&v| magnitude(v) >= threshold).count()
}

/// The sum of the magnitudes from `threshold` on, in the order of [`sum_by`], and how many they are.
#[inline(always)]
fn sum_from(scan: impl Scan, x: &[f32], threshold: f32) -> (f32, usize) {
    let (whole, rest) = x.as_chunks::<CHUNK>();
    let (mut total, mut count) = (Compensated::default(), 0);
    for chunk in whole {
        let (lanes, here) = scan.sums_from(chunk, threshold);
        total.add(tree_sum(lanes));
        count += here as usize;
    }
    total.add(sum_by(rest, above(f32::abs, threshold)));
    (total.value(), count + count_from(rest, f32::abs, threshold))
}

/// The step with the least squared error for the codes 0, 1, 2 of another step: sum(|x| code) / sum(code^2).
#[inline(always)]
fn refine_step(x: &[f32], magnitude: impl Fn(f32) -> f32, step: f32) -> f32 {
    let (first, second) = (0.5 * step, 1.5 * step);
    let code = |m: f32| ((m >= first) as u32 + (m >= second) as u32) as f32;
    let sum = sum_by(x, |v| {
        let m = magnitude(v);
        m * code(m)
    });
    let squares = sum_by(x, |v| {
        let code = code(magnitude(v));
        code * code
    });
    // The largest magnitude is at least the mean, and so above the first threshold.
    sum / squares
}

/// The largest finite magnitude; [`Error::NonFinite`] if there are others and the policy says so.
pub(crate) fn check_finite(x: &[f32], policy: NonFinite) -> Result<f32, Error> {
    match largest(x) {
        (false, _) if policy == NonFinite::Error => Err(Error::NonFinite),
        (_, largest) => Ok(largest),
    }
}

/// Fits one group. Non-finite values must have been refused already if the policy says so; here
/// infinities count as the largest finite magnitude of the group and NaN as zero.
pub(crate) fn fit(fit: Fit, levels: Levels, x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    simd::with_scan!(simd::active(), scan => fit_here(scan, fit, levels, x, scratch))
}

/// [`Fit::Mse`] with three levels alone, so that who needs no other fit links no other. `x` is finite.
pub(crate) fn fit_three(x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    simd::with_scan!(simd::active(), scan => fit_three_here(scan, x, scratch))
}

#[cfg_attr(target_arch = "x86_64", inline(always))]
fn fit_three_here(scan: impl Scan, x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    let (_, limit) = largest_here(scan, x);
    if limit == 0.0 {
        return Ok(Rule::NONE);
    }
    let guard = guard_scale(limit);
    let max = limit * guard;
    let best = project_three(scan, x, (guard != 1.0).then_some(|v: f32| v.abs() * guard), max, scratch)?;
    Ok(Rule::new(&best, best.scale, guard, max))
}

#[cfg_attr(target_arch = "x86_64", inline(always))]
fn fit_here(scan: impl Scan, fit: Fit, levels: Levels, x: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
    if fit == Fit::MinMax {
        return Err(Error::Unsupported);
    }
    if let Fit::Fixed { threshold, scale } = fit {
        let half = if levels == Levels::Five { 0.75 * scale } else { f32::NAN };
        let zero = if threshold > 0.0 { threshold } else { f32::MIN_POSITIVE * f32::EPSILON };
        return Ok(Rule { zero, half, scale });
    }
    let (finite, limit) = largest_here(scan, x);
    if limit == 0.0 {
        return Ok(Rule::NONE);
    }
    let guard = guard_scale(limit);
    let magnitude = |v: f32| clean(v, limit) * guard;
    // The ordinary case: nothing to clean.
    let plain = finite && guard == 1.0;
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
            let mean = if plain { sum_magnitudes(scan, x) } else { sum_by(x, magnitude) } / n;
            let inverse = 1.0 / mean;
            let above = |steps: f32| first_at(steps * mean, |t| t * inverse > steps);
            if five { (above(0.5), above(1.5), 2.0 * mean) } else { (above(0.5), f32::INFINITY, mean) }
        }
        Fit::Lloyd => {
            let mean = if plain { sum_magnitudes(scan, x) } else { sum_by(x, magnitude) } / n;
            if five {
                let step = (0..TURNS).fold(FIVE_START * mean, |step, _| refine_step(x, magnitude, step));
                (0.5 * step, 1.5 * step, 2.0 * step)
            } else {
                let mut scale = 2.0 * THREE_START * mean;
                // No `fold`: its closure need not be inlined, and then lacks the instructions of the tier.
                for _ in 0..TURNS {
                    let (sum, count) = if plain {
                        sum_from(scan, x, 0.5 * scale)
                    } else {
                        (sum_by(x, above(magnitude, 0.5 * scale)), count_from(x, magnitude, 0.5 * scale))
                    };
                    scale = sum / count as f32;
                }
                (0.5 * scale, f32::INFINITY, scale)
            }
        }
        Fit::Percentile(p) => {
            let sorted = sorted_magnitudes(x, magnitude, scratch)?;
            let zero = percentile(sorted, p).next_up();
            let half = if five { percentile(sorted, 0.5 * (p + 100.0)).next_up() } else { f32::INFINITY };
            let signed = |v: f32| if v < 0.0 { -magnitude(v) } else { magnitude(v) };
            let mean = sum_by(x, signed) / n;
            let variance = sum_by(x, |v| (signed(v) - mean) * (signed(v) - mean)) / n;
            let step = if five { 0.5 } else { 1.0 };
            let sum = sum_by(x, |v| {
                let m = magnitude(v);
                step * ((m >= zero) as u32 + (m >= half) as u32) as f32
            });
            (zero, half, if sum > 0.0 { sqrt(variance) / (sum / n) } else { 0.0 })
        }
        Fit::Mse | Fit::NormPreserving => {
            let best = if five {
                project_five(
                    sorted_magnitudes(x, magnitude, scratch)?.iter().map(|&bits| (f32::from_bits(bits), 1.0)),
                )
            } else {
                project_three(scan, x, (!plain).then_some(magnitude), max, scratch)?
            };
            let scale = if fit == Fit::NormPreserving {
                sqrt(sum_by(x, |v| magnitude(v) * magnitude(v)) / best.sum_squared_codes)
            } else {
                best.scale
            };
            (best.zero, best.half, scale)
        }
        Fit::Fixed { .. } | Fit::MinMax => return Err(Error::Unsupported),
    };
    Ok(Rule {
        zero: without_guard(zero, guard, max),
        half: without_guard(half, guard, max),
        scale: scale / guard,
    })
}

/// The best three levels; `clean` is for values that need it.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn project_three(
    scan: impl Scan,
    x: &[f32],
    clean: Option<impl Fn(f32) -> f32>,
    max: f32,
    scratch: &mut [u8],
) -> Result<Projection, Error> {
    let mut carver = Carver::new(scratch);
    let copy = carver.take::<u32>(x.len())?;
    let keys = carver.take::<u32>(x.len())?;
    let values: &[f32] = match clean {
        Some(clean) => {
            for (to, &v) in copy.iter_mut().zip(x) {
                *to = clean(v).to_bits();
            }
            bytemuck::must_cast_slice(copy)
        }
        None => x,
    };
    let search = search_three(scan, values, max);
    if let Some(result) = search.result(scan) {
        return Ok(result);
    }
    let candidates = search.collect(values, keys);
    // The copy is not needed after the candidates are taken out of it.
    Ok(search.result_among(keys, copy, candidates))
}

/// The bits of all magnitudes, largest first.
#[cfg_attr(target_arch = "x86_64", inline(always))]
fn sorted_magnitudes<'a>(
    x: &[f32],
    magnitude: impl Fn(f32) -> f32,
    scratch: &'a mut [u8],
) -> Result<&'a [u32], Error> {
    let mut carver = Carver::new(scratch);
    let keys = carver.take::<u32>(x.len())?;
    let swap = carver.take::<u32>(x.len())?;
    for (key, &v) in keys.iter_mut().zip(x) {
        *key = magnitude(v).to_bits();
    }
    Ok(sort_descending(keys, swap, |bits| bits))
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

/// Where [`first_at`] looks first: this many floats below its guess, and how many floats it looks at.
pub(super) const WINDOW_START: u32 = 3;
pub(super) const WINDOW: u32 = 8;

/// The smallest float near `guess` (positive) for which the monotonic `reached` holds: what the comparison
/// `round(x * (1 / s)) >= level` amounts to, rounding of the product included.
fn first_at(guess: f32, reached: impl Fn(f32) -> bool) -> f32 {
    let start = guess.to_bits().saturating_sub(WINDOW_START);
    // Counted, not searched: where it lies depends on the rounding of single bits, which no branch foresees.
    let below = (0..WINDOW).filter(|&step| !reached(f32::from_bits(start + step))).count() as u32;
    let mut t = f32::from_bits(start + below);
    if below == 0 {
        while reached(t.next_down()) {
            t = t.next_down();
        }
    }
    while below == WINDOW && !reached(t) {
        t = t.next_up();
    }
    t
}
