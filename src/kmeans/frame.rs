//! Where the data lie, and the fixed-point scale that follows from it: what all who add up parts of one clustering have
//! to agree on.
//!
//! Sums of points are `i64` in units of `2^(e - bits)` for each feature, where `2^e` is above all magnitudes of that
//! feature and `bits` is the same for all: 30, or fewer if there are very many rows or weights. A value whose magnitude
//! is within 2^(bits - 24) of the largest of its feature is represented exactly (a factor 64 for 30 bits), any other to
//! within half a unit. Addition of integers is associative, so the order of the rows, the number of threads and the number of
//! ranks leave no trace.
//!
//! Bounds: with N rows, `bits + weight_bits + ceil(log2 N) <= 62`, so no sum reaches 2^63.

use crate::Error;
use crate::math::guard_scale;

use super::Points;

/// Floats of the limits of `cols` features: `2 * cols + 2`.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn limits_len(cols: usize) -> Result<usize, Error> {
    cols.checked_mul(2).and_then(|n| n.checked_add(2)).ok_or(Error::SizeOverflow)
}

/// Makes limits empty, to add to: none of no points.
pub fn limits_clear(limits: &mut [f32]) {
    limits.fill(f32::MIN);
}

/// Adds points to limits: the largest value of each feature, the largest negated value of each feature, the largest
/// weight, and 1 if there are weights at all (0 if not).
///
/// `limits` has exactly [`limits_len`] values. NaN, infinity and negative weights are refused here, so that no later step has to look.
///
/// # Errors
/// [`Error::Shape`], [`Error::NonFinite`], [`Error::InvalidArgument`] (a negative weight). `limits` is untouched then.
pub fn limits_add(points: &Points<'_>, limits: &mut [f32]) -> Result<(), Error> {
    if limits.len() != limits_len(points.cols())? {
        return Err(Error::Shape);
    }
    points.check()?;
    if points.rows() == 0 {
        return Ok(());
    }
    let cols = points.cols();
    let (high, rest) = limits.split_at_mut_checked(cols).ok_or(Error::Shape)?;
    let (low, rest) = rest.split_at_mut_checked(cols).ok_or(Error::Shape)?;
    crate::simd::vectorize(
        crate::simd::active(),
        #[inline(always)]
        || {
            for row in points.iter() {
                for ((high, low), &x) in high.iter_mut().zip(low.iter_mut()).zip(row) {
                    *high = if x > *high { x } else { *high };
                    *low = if -x > *low { -x } else { *low };
                }
            }
        },
    );
    if let [weight, weighted] = rest {
        match points.weights() {
            None => (*weight, *weighted) = (weight.max(1.0), weighted.max(0.0)),
            Some(weights) => {
                *weight = weights.iter().fold(*weight, |max, &w| max.max(w));
                *weighted = 1.0;
            }
        }
    }
    Ok(())
}

/// Adds limits to limits: the larger of each. Over MPI: `MPI_MAX` on floats.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
pub fn limits_merge(limits: &mut [f32], other: &[f32]) -> Result<(), Error> {
    if limits.len() != other.len() {
        return Err(Error::Shape);
    }
    for (limit, &other) in limits.iter_mut().zip(other) {
        *limit = limit.max(other);
    }
    Ok(())
}

/// Merged limits and the number of all rows: the frame in which partials are added up.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    rows: usize,
    high: &'a [f32],
    low: &'a [f32],
    weight: f32,
    weighted: bool,
    guard: f32,
}

impl<'a> Frame<'a> {
    /// A frame for `rows` rows in all (on all ranks) within `limits`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `limits` is no length that [`limits_len`] gives, [`Error::InvalidArgument`] if no points
    /// have been added, if `rows` is 0, or if no weight is above 0, [`Error::NonFinite`], [`Error::SizeOverflow`] for
    /// more than 2^31 rows.
    pub fn new(rows: usize, limits: &'a [f32]) -> Result<Frame<'a>, Error> {
        if rows > Points::MAX_ROWS {
            return Err(Error::SizeOverflow);
        }
        if limits.iter().any(|v| !v.is_finite()) {
            return Err(Error::NonFinite);
        }
        let cols = (limits.len() / 2).saturating_sub(1);
        let (high, rest) = limits.split_at_checked(cols).ok_or(Error::Shape)?;
        let (low, rest) = rest.split_at_checked(cols).ok_or(Error::Shape)?;
        let &[weight, weighted] = rest else { return Err(Error::Shape) };
        if cols == 0 || rows == 0 || weight <= 0.0 {
            return Err(Error::InvalidArgument);
        }
        let mut max = 0.0f32;
        for (&high, &low) in high.iter().zip(low) {
            if high < -low {
                return Err(Error::InvalidArgument);
            }
            max = max.max(high).max(low);
        }
        // Only what is tiny needs to be brought up: the units of the large are within range.
        let guard = if max > 0.0 { guard_scale(max).max(1.0) } else { 1.0 };
        Ok(Frame { rows, high, low, weight, weighted: weighted > 0.0, guard })
    }

    /// How many rows there are in all.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many features there are.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.high.len()
    }

    /// The least and the largest value of a feature; zeros if there is no such feature.
    #[must_use]
    pub fn range(&self, feature: usize) -> (f32, f32) {
        match (self.low.get(feature), self.high.get(feature)) {
            (Some(low), Some(high)) => (-low, *high),
            _ => (0.0, 0.0),
        }
    }

    /// Bits of the largest magnitude of all features.
    pub(super) fn magnitude(&self) -> u32 {
        super::points::magnitude_bits(self.high).max(super::points::magnitude_bits(self.low))
    }

    /// Whether all values and weights of the points lie within the limits.
    pub(super) fn covers(&self, points: &Points<'_>) -> bool {
        if points.cols() != self.cols() {
            return false;
        }
        // A part may be empty; whether it would have weights is then not known.
        if points.rows() == 0 {
            return true;
        }
        let heaviest = match points.weights() {
            Some(_) if !self.weighted => return false,
            Some(weights) => weights.iter().fold(0.0f32, |max, &w| max.max(w)),
            None => 1.0,
        };
        if heaviest > self.weight {
            return false;
        }
        crate::simd::vectorize(
            crate::simd::active(),
            #[inline(always)]
            || {
                let mut inside = true;
                for row in points.iter() {
                    let mut all = 0u32;
                    for ((&high, &low), &x) in self.high.iter().zip(self.low).zip(row) {
                        all |= u32::from(x > high) | u32::from(-x > low);
                    }
                    inside &= all == 0;
                }
                inside
            },
        )
    }

    /// Bits of values, and bits of weights (0 if all are 1).
    fn bits(&self) -> (i32, i32) {
        let counting = usize::BITS - (self.rows - 1).leading_zeros();
        let total = 62 - counting as i32;
        let weight_bits = if self.weighted { (total / 2 - 3).min(24) } else { 0 };
        ((total - weight_bits).min(30), weight_bits)
    }

    /// What turns values into units.
    pub(super) fn scale(&self) -> Scale {
        let (bits, weight_bits) = self.bits();
        let weight_guard = guard_scale(self.weight);
        let weight_factor = power_of_two(weight_bits - exponent_above(self.weight * weight_guard));
        let (weight_guard, weight_factor) =
            if self.weighted { (weight_guard, weight_factor) } else { (1.0, 1.0) };
        Scale { bits, guard: self.guard, weight_guard, weight_factor, weighted: self.weighted }
    }

    /// Units per value (times the guard) of each feature.
    pub(super) fn factors(&self, factors: &mut [f32]) {
        let (bits, _) = self.bits();
        for (factor, (&high, &low)) in factors.iter_mut().zip(self.high.iter().zip(self.low)) {
            *factor = power_of_two(bits - self.exponent(high, low));
        }
    }

    /// Units per value (times the guard) of a feature.
    pub(super) fn factor(&self, feature: usize) -> f32 {
        let (low, high) = self.range(feature);
        power_of_two(self.bits().0 - self.exponent(high, -low))
    }

    /// `2^e` is above all magnitudes of a feature, after the guard.
    fn exponent(&self, high: f32, low: f32) -> i32 {
        // Not below -96, so that factor and inverse are normal numbers.
        exponent_above(high.max(low) * self.guard).max(-96)
    }

    /// The mean of a feature whose values add up to `sum` units.
    #[inline(always)]
    pub(super) fn mean(&self, scale: &Scale, feature: usize, sum: i64, weight: Divisor) -> f32 {
        let (high, low) = match (self.high.get(feature), self.low.get(feature)) {
            (Some(&high), Some(&low)) => (high, low),
            _ => return 0.0,
        };
        let units = weight.ratio(sum.unsigned_abs());
        let unit = power_of_two(self.exponent(high, low) - scale.bits);
        let value = if self.guard == 1.0 { units * unit } else { units * unit / self.guard };
        // The quotient is rounded; a mean is never outside the data.
        let value = if sum < 0 { -value } else { value };
        value.min(high).max(-low)
    }
}

/// How values and weights become integers; the factor of each feature stands beside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    bits: i32,
    /// A power of two that values are multiplied with first.
    pub(super) guard: f32,
    weight_guard: f32,
    weight_factor: f32,
    weighted: bool,
}

impl Scale {
    /// The weight of row `i` as an integer.
    #[inline(always)]
    pub(super) fn weight(&self, weights: Option<&[f32]>, i: usize) -> i32 {
        match weights {
            None if !self.weighted => 1,
            None => self.integer(1.0),
            Some(weights) => self.integer(weights.get(i).copied().unwrap_or_default()),
        }
    }

    #[inline(always)]
    fn integer(&self, weight: f32) -> i32 {
        // At most 2^24: halves are exact below, and the sum is truncated.
        (weight * self.weight_guard * self.weight_factor + 0.5) as i32
    }

    /// One over what a weight of 1 is as an integer.
    pub(super) fn weight_unit(&self) -> (f32, f32) {
        (self.weight_guard, self.weight_factor)
    }
}

/// The least `e` with `x < 2^e`, for `x` >= 0; 0 for 0 and denormals below -126.
fn exponent_above(x: f32) -> i32 {
    if x == 0.0 { 0 } else { (x.to_bits() >> 23) as i32 - 126 }
}

/// `2^e`; e from -126 to 127.
#[inline(always)]
fn power_of_two(e: i32) -> f32 {
    f32::from_bits(((e + 127).clamp(1, 254) as u32) << 23)
}

/// What sums are divided by: one division a centre, a multiplication a feature.
#[derive(Clone, Copy)]
pub(super) struct Divisor {
    /// `2^63 / (weight / 2^down)`
    inverse: u64,
    down: i32,
}

impl Divisor {
    /// Of a weight above 0.
    pub(super) fn new(weight: u64) -> Divisor {
        // The weight is brought down to 32 bits, so that the inverse has 31 at least.
        let down = (u64::BITS - weight.leading_zeros()).saturating_sub(32);
        Divisor { inverse: (1u64 << 63).checked_div(weight >> down).unwrap_or(0), down: down as i32 }
    }

    /// `sum / weight`, at most 2^-29 of itself from it before it is rounded to a float.
    #[inline(always)]
    fn ratio(self, sum: u64) -> f32 {
        let up = sum.leading_zeros().saturating_sub(1);
        let quotient = (((sum << up) as u128 * self.inverse as u128) >> 63) as u64;
        quotient as f32 * power_of_two(-(up as i32 + self.down))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_just_above() {
        for (x, e) in [(1.0, 1), (0.99, 0), (2.0, 2), (3.9, 2), (f32::MAX, 128), (f32::MIN_POSITIVE, -125)] {
            assert_eq!(exponent_above(x), e, "{x}");
        }
        assert_eq!(power_of_two(-126), f32::MIN_POSITIVE);
    }

    #[test]
    fn ratios_are_close_to_the_nearest_floats() {
        let mut state = 1u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let weight = (state >> 24 >> (state % 40)).max(1);
            let sum = ((state as u128 * weight as u128) >> 34) as u64;
            if sum >> 62 != 0 {
                continue;
            }
            let exact = sum as f64 / weight as f64;
            let got = Divisor::new(weight).ratio(sum) as f64;
            assert!(
                (got - exact).abs() <= exact * 2f64.powi(-24) * 1.001 + 2f64.powi(-32),
                "{sum} / {weight}: {got}"
            );
        }
    }
}
