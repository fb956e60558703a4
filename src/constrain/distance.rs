//! The Euclidean distance of a point from a centre, and moving the point towards the centre.
//!
//! Squares of ordinary values are added up as they are. Where the sum may have overflowed, or lost small terms to
//! underflow, it is formed again of values scaled by a power of two; the distance is kept with that scale, so that
//! neither 2^20 values of 3e38 nor a single denormal is a special case.

use crate::math::sqrt;
use crate::simd::floats::Values;
use crate::{Error, math};

use super::Projected;
use super::place::{Limit, Map, Place};
use super::sums::{self, CenteredSquares, Squares, largest, unit_scale};

/// A distance `root / scale`.
#[derive(Clone, Copy)]
pub(super) struct Distance {
    pub(super) root: f32,
    /// A power of two.
    pub(super) scale: f32,
    /// Before scaling, halved twice where differences of values may overflow: 1 or 1/4.
    quarter: f32,
    /// About the norm of the centre: what the rounding of a projected point grows with.
    center: f32,
}

/// Machine epsilon over 2: the largest relative error of one rounding.
const UNIT: f32 = f32::EPSILON / 2.0;

/// Squares below this may have lost bits as denormals.
const SMALL: f32 = f32::from_bits((127 - 80) << 23);

/// The distance of `x` from `center`, or from the origin.
///
/// # Errors
/// [`Error::NonFinite`], of either; [`Error::Shape`].
pub(super) fn distance(x: &[f32], center: Option<&[f32]>) -> Result<Distance, Error> {
    if center.is_some_and(|c| c.len() != x.len()) {
        return Err(Error::Shape);
    }
    let [squares, center_squares] = match center {
        None => {
            let [squares] = sums::sums::<1, 4, _>(Squares, x, Limit::ZERO, Limit::ZERO);
            [squares, 0.0]
        }
        Some(c) => sums::sums::<2, 2, _>(CenteredSquares, x, Limit::Each(c), Limit::ZERO),
    };
    of_squares(squares, center_squares, x, center)
}

/// The distance when the sums of squares are known: of `x - center`, and of the center.
#[inline(always)]
pub(super) fn of_squares(
    squares: f32,
    center_squares: f32,
    x: &[f32],
    center: Option<&[f32]>,
) -> Result<Distance, Error> {
    // A finite sum of squares means that every value is finite.
    if (SMALL..=f32::MAX).contains(&squares) && center_squares <= f32::MAX {
        return Ok(Distance { root: sqrt(squares), scale: 1.0, quarter: 1.0, center: sqrt(center_squares) });
    }
    guarded(x, center)
}

/// The rare case. Portable code, so the same on every tier.
#[cold]
fn guarded(x: &[f32], center: Option<&[f32]>) -> Result<Distance, Error> {
    let all_finite = |x: &[f32]| x.iter().all(|x| x.is_finite());
    let c = center.unwrap_or(&[]);
    if !all_finite(x) || !all_finite(c) {
        return Err(Error::NonFinite);
    }
    let center_max = largest(c);
    let high = largest(x).max(center_max);
    let quarter = if high > f32::from_bits((127 + 126) << 23) { 0.25 } else { 1.0 };
    let differences = || {
        let centers = c.iter().copied().chain(core::iter::repeat(0.0));
        x.iter().zip(centers).map(move |(&x, c)| x * quarter - c * quarter)
    };
    let max = differences().fold(0.0f32, |max, d| max.max(d.abs()));
    if max == 0.0 {
        return Ok(Distance { root: 0.0, scale: 1.0, quarter: 1.0, center: center_max });
    }
    let scale = unit_scale(max);
    let mut sum = math::Compensated::default();
    for d in differences() {
        sum.add(d * scale * (d * scale));
    }
    Ok(Distance { root: sqrt(sum.value()), scale: scale * quarter, quarter, center: center_max })
}

impl Distance {
    /// The distance; at most `f32::MAX`.
    pub(super) fn value(&self) -> f32 {
        (self.root / self.scale).min(f32::MAX)
    }

    /// By how much it exceeds `radius`; negative if it does not.
    pub(super) fn beyond(&self, radius: f32) -> f32 {
        let scaled = radius * self.scale;
        if scaled.is_finite() {
            ((self.root - scaled) / self.scale).min(f32::MAX)
        } else {
            self.value() - radius
        }
    }

    /// What rounding may add to the distance of a point that has been moved to `radius`.
    pub(super) fn slack(&self, radius: f32) -> f32 {
        16.0 * UNIT * radius + UNIT * self.center
    }

    /// What moves the point along its ray to the distance `radius`. The distance is not 0.
    pub(super) fn toward(&self, radius: f32) -> Toward {
        let plain = radius / self.root;
        const FEW: f32 = f32::from_bits((127 - 100) << 23);
        if self.scale == 1.0 && self.quarter == 1.0 && (FEW..=1.0 / FEW).contains(&plain) {
            return Toward { quarter: 1.0, first: 1.0, second: plain };
        }
        // In two steps, neither of which leaves the range: to a distance near 1, then to the radius.
        let (scale, root) = match self.scale / self.quarter {
            1.0 => (unit_scale(self.root), self.root * unit_scale(self.root)),
            scale => (scale, self.root),
        };
        Toward { quarter: self.quarter, first: scale, second: radius / root }
    }
}

/// `(x - p)` times a factor, in steps of which none leaves the range of `f32`.
#[derive(Clone, Copy)]
pub(super) struct Toward {
    quarter: f32,
    first: f32,
    second: f32,
}

impl Toward {
    /// Moves about `center`, or the origin.
    #[inline(always)]
    pub(super) fn move_all(self, place: Place<'_>, center: Option<&[f32]>) -> Projected {
        match (self.plain(), center) {
            (Some(times), None) => place.map(times, Limit::ZERO, Limit::ZERO),
            _ => place.map(self, center.map_or(Limit::ZERO, Limit::Each), Limit::ZERO),
        }
    }

    /// One factor that does all, about the origin.
    #[inline(always)]
    pub(super) fn plain(self) -> Option<Times> {
        (self.quarter == 1.0 && self.first == 1.0).then_some(Times(self.second))
    }

    /// The factor times the difference.
    #[inline(always)]
    pub(super) fn difference<F: Values>(self, f: F, x: F::V, p: F::V) -> F::V {
        let quarter = f.splat(self.quarter);
        let d = f.sub(f.mul(x, quarter), f.mul(p, quarter));
        f.mul(f.mul(d, f.splat(self.first)), f.splat(self.second))
    }
}

/// `x s`.
#[derive(Clone, Copy)]
pub(super) struct Times(f32);

impl Map for Times {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> F::V {
        f.mul(x, f.splat(self.0))
    }
}

impl Map for Toward {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        f.add(self.difference(f, x, p), p)
    }
}
