//! The window of an affine row: between which two values its grid lies.

use crate::Error;
use crate::math::{Compensated, guard_scale, tree_sum};

use super::NonFinite;
use super::q35p::{Affine, GRID, GROUP_LEN, STEP_3, STEP_4, four_bit_len};

/// The values of a row as the fit sees them: infinities as the largest finite magnitude, NaN as zero, times a power
/// of two that keeps squares inside the f32 range.
#[derive(Clone, Copy)]
pub(super) struct Clean {
    limit: f32,
    pub(super) guard: f32,
    /// Smallest and largest value, not guarded.
    min: f32,
    max: f32,
}

impl Clean {
    /// Refuses a row whose range is beyond f32; under [`NonFinite::Saturate`] its values stop at half the largest f32.
    pub(super) fn new(x: &[f32], policy: NonFinite) -> Result<Clean, Error> {
        let (_, mut limit) = super::fit::largest(x);
        let (mut min, mut max) = range(x, limit);
        if !(max - min).is_finite() && !x.is_empty() {
            if policy == NonFinite::Error {
                return Err(Error::ScaleRange);
            }
            limit = 0.5 * f32::MAX;
            (min, max) = range(x, limit);
        }
        Ok(Clean { limit, guard: guard_scale(limit), min, max })
    }

    #[inline(always)]
    pub(super) fn value(&self, v: f32) -> f32 {
        let v = if v > self.limit { self.limit } else { v };
        let v = if v < -self.limit { -self.limit } else { v };
        (if v.is_nan() { 0.0 } else { v }) * self.guard
    }
}

/// Smallest and largest of the values as [`Clean`] sees them, not guarded.
fn range(x: &[f32], limit: f32) -> (f32, f32) {
    const NONE: (f32, f32) = (f32::INFINITY, f32::NEG_INFINITY);
    let clean = Clean { limit, guard: 1.0, min: 0.0, max: 0.0 };
    let widen = |(low, high): &mut (f32, f32), (l, h): (f32, f32)| {
        *low = if l < *low { l } else { *low };
        *high = if h > *high { h } else { *high };
    };
    let mut lanes = [NONE; 16];
    let (groups, rest) = x.as_chunks::<16>();
    for group in groups {
        for (lane, &v) in lanes.iter_mut().zip(group) {
            let v = clean.value(v);
            widen(lane, (v, v));
        }
    }
    let mut all = NONE;
    rest.iter().map(|&v| clean.value(v)).for_each(|v| widen(&mut all, (v, v)));
    lanes.into_iter().for_each(|lane| widen(&mut all, lane));
    all
}

/// The nearest whole number within 0..=`top` (at most 2^22), ties to even.
#[inline(always)]
pub(super) fn nearest(steps: f32, top: f32) -> f32 {
    let steps = if steps > 0.0 { steps } else { 0.0 };
    let steps = if steps < top { steps } else { top };
    crate::math::round_ties_even(steps)
}

/// Where a grid lies, relative to the smallest value of the row: from `low` to `high`.
#[derive(Clone, Copy)]
struct Window {
    low: f32,
    high: f32,
}

/// Scale and offset of a row: its whole range, or with `search` the window inside it that has the least squared
/// error that the search finds.
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn affine(x: &[f32], importance: Option<&[f32]>, search: bool, clean: Clean) -> Affine {
    let Clean { guard, min, max, .. } = clean;
    if x.is_empty() || min == max {
        return Affine { scale: 0.0, offset: if x.is_empty() { 0.0 } else { min } };
    }
    // Equal weights are no weights.
    let importance = importance.filter(|w| w.windows(2).any(|pair| !matches!(pair, [a, b] if a == b)));
    // Only ratios of weights count: a power of two keeps the sums inside the f32 range.
    let weight_guard =
        importance.map_or(1.0, |w| guard_scale(w.iter().fold(0.0f32, |a, &b| if b > a { b } else { a })));
    let mut row =
        Row { x, importance, weight_guard, clean, min: min * guard, range: max * guard - min * guard };
    let window = if search { row.search() } else { Window { low: 0.0, high: row.range } };

    let offset = if window.low > 0.0 { (row.min + window.low) / guard } else { min };
    let offset = if offset < max { offset } else { min };
    // No further than the largest value, also after the rounding of the offset.
    let (width, room) = ((window.high - window.low) / guard, max - offset);
    let mut scale = (if width < room { width } else { room }) / GRID as f32;
    // Three roundings stand between 105 scale + offset and the largest value: a few ulps at most.
    for _ in 0..16 {
        if (Affine { scale, offset }).value(GRID) <= max {
            break;
        }
        scale = scale.next_down();
    }
    Affine { scale, offset }
}

struct Row<'a> {
    x: &'a [f32],
    importance: Option<&'a [f32]>,
    weight_guard: f32,
    clean: Clean,
    /// Smallest value and range, guarded.
    min: f32,
    range: f32,
}

/// What a half of a group has: its step on the grid and its largest level.
type Half = (f32, f32);
const FOUR: Half = (STEP_4 as f32, 15.0);
const THREE: Half = (STEP_3 as f32, 7.0);

/// Codes are summed from the middle of the grid, where squares lose fewest bits.
const MIDDLE: f32 = 52.0;

/// The importance of columns that have none given.
static ONES: [f32; 16] = [1.0; 16];

impl Row<'_> {
    /// Sums of `term(value above the minimum, importance, half)` over the row, each in the fixed order: 16 lanes a
    /// half group, reduced by the fixed tree, halves added with compensation.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn sums<const N: usize>(&self, term: impl Fn(f32, f32, Half) -> [f32; N]) -> [f32; N] {
        let mut totals = [Compensated::default(); N];
        let mut importance = self.importance;
        for group in self.x.chunks(GROUP_LEN) {
            let (four, three) = group.split_at_checked(four_bit_len(group.len())).unwrap_or_default();
            for (values, half) in [(four, FOUR), (three, THREE)] {
                let mut lanes = [[0.0f32; 16]; N];
                let mut add = |lane: usize, v: f32, w: f32| {
                    let terms = term(self.clean.value(v) - self.min, w * self.weight_guard, half);
                    for (lanes, term) in lanes.iter_mut().zip(terms) {
                        if let Some(lane) = lanes.get_mut(lane) {
                            *lane += term;
                        }
                    }
                };
                let (values, rest) = values.as_chunks::<16>();
                for values in values {
                    let weights =
                        importance.as_mut().and_then(|i| i.split_off(..16)).and_then(|w| w.first_chunk());
                    for (lane, (&v, &w)) in values.iter().zip(weights.unwrap_or(&ONES)).enumerate() {
                        add(lane, v, w);
                    }
                }
                let weights = importance.as_mut().and_then(|i| i.split_off(..rest.len()));
                for (lane, (&v, &w)) in rest.iter().zip(weights.unwrap_or(&ONES)).enumerate() {
                    add(lane, v, w);
                }
                for (total, lanes) in totals.iter_mut().zip(lanes) {
                    total.add(tree_sum(lanes));
                }
            }
        }
        totals.map(
            #[inline(always)]
            |total| total.value(),
        )
    }

    /// The squared error of a window.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn error(&self, window: Window) -> f32 {
        let unit = (window.high - window.low) / GRID as f32;
        let per = |step: f32| 1.0 / (unit * step);
        let (per_4, per_3) = (per(FOUR.0), per(THREE.0));
        let [error] = self.sums(
            #[inline(always)]
            |v, w, (step, top)| {
                let steps = (v - window.low) * if step == FOUR.0 { per_4 } else { per_3 };
                let rest = (steps - nearest(steps, top)) * (unit * step);
                [w * (rest * rest)]
            },
        );
        error
    }

    /// Sums of w, w c, w c^2, w v, w c v over the row, where c are the codes of `window` less [`MIDDLE`] and w the
    /// importance.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn moments(&self, window: Window) -> [f32; 5] {
        let unit = (window.high - window.low) / GRID as f32;
        let (per_4, per_3) = (1.0 / (unit * FOUR.0), 1.0 / (unit * THREE.0));
        self.sums(
            #[inline(always)]
            |v, w, (step, top)| {
                let steps = (v - window.low) * if step == FOUR.0 { per_4 } else { per_3 };
                let code = nearest(steps, top) * step - MIDDLE;
                [w, w * code, w * (code * code), w * v, w * (code * v)]
            },
        )
    }

    /// The window that fits codes best, by least squares; `None` if they do not tell.
    fn refit(&self, [sum_w, sum_c, sum_cc, sum_v, sum_cv]: [f32; 5]) -> Option<Window> {
        let spread = sum_cc - sum_c * sum_c / sum_w;
        let unit = (sum_cv - sum_c * sum_v / sum_w) / spread;
        // Negated, so that a NaN (no importance at all, one code only) is told too.
        if !(spread > 0.0 && unit > 0.0) {
            return None;
        }
        let low = (sum_v - sum_c * unit) / sum_w - MIDDLE * unit;
        self.inside(low, low + GRID as f32 * unit)
    }

    /// The part of a window that lies in the row's range.
    fn inside(&self, low: f32, high: f32) -> Option<Window> {
        let low = if low > 0.0 { low } else { 0.0 };
        let high = if high < self.range { high } else { self.range };
        (high > low).then_some(Window { low, high })
    }

    /// The clipping search. First the range, and windows that shrink towards the mean; from the best of them each
    /// end moves by itself, in steps that become smaller; last, least squares for the codes found and new codes by
    /// turns. Only what lowers the error is kept, so the result is never worse than the range itself. With importance
    /// a second search follows, which also tries what the first found without: it is no worse than that either.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn search(&mut self) -> Window {
        let importance = self.importance.take();
        let whole = Window { low: 0.0, high: self.range };
        let (mut best, mut found) = (whole, None);
        // Two turns of one loop, so that it is in the archive once.
        for weighted in [false, true] {
            if weighted {
                if importance.is_none() {
                    break;
                }
                (self.importance, found) = (importance, Some(best));
            }
            best = self.descend(whole, found);
        }
        best
    }

    /// One search; `other` is a window that it tries beside its own.
    #[cfg_attr(target_arch = "x86_64", inline(always))]
    fn descend(&self, whole: Window, other: Option<Window>) -> Window {
        const SHRINKS: u32 = 8;
        const MOVES: u32 = 24;
        const REFITS: u32 = 4;
        let [sum_w, _, _, sum_v, _] = self.moments(whole);
        let mean = if sum_w > 0.0 { sum_v / sum_w } else { 0.5 * self.range };
        let mut best = (f32::INFINITY, whole);
        for stage in 0..=SHRINKS + MOVES + REFITS {
            let Window { low, high } = best.1;
            let moves = stage.checked_sub(SHRINKS + 1);
            let refits = stage.checked_sub(SHRINKS + 1 + MOVES);
            let candidate = match (moves, refits) {
                (None, _) if stage == SHRINKS => other,
                (None, _) => {
                    // 1, 0.9, ... 0.3: the first is the range itself.
                    let cut = 0.1 * stage as f32;
                    self.inside(cut * mean, self.range - cut * (self.range - mean))
                }
                (Some(i), None) => {
                    // A 16th, a 32nd, a 64th of the range; two rounds of four moves each.
                    let step = self.range * (0.0625 / (1u32 << (i / 8)) as f32);
                    match i % 4 {
                        0 => self.inside(low + step, high),
                        1 => self.inside(low - step, high),
                        2 => self.inside(low, high + step),
                        _ => self.inside(low, high - step),
                    }
                }
                _ => self.refit(self.moments(best.1)),
            };
            // The one place that computes errors, so that its loops are in the archive once.
            let error = candidate.map_or(f32::INFINITY, |window| self.error(window));
            match candidate {
                Some(window) if error < best.0 => best = (error, window),
                _ if refits.is_some() => break, // the next one would find the same
                _ => {}
            }
        }
        best.1
    }
}
