//! Simplex and capped simplex.

use crate::Error;
use crate::simd::floats::Values;

use super::place::{Limit, Map, Place, Sealed};
use super::sums::{self, Terms};
use super::threshold::{Extent, Source, Threshold, count_inside, extent, search, slack};
use super::{Project, Projected};

/// `x >= 0` with `sum x = total`: for `total` 1 the probability simplex.
///
/// The projection is `max(0, x[i] - t)` with the `t` that makes the sum right, found without sorting in a few passes; the sum of the result is `total` to about 2^-21, whatever the length. Values of any
/// magnitude are exact in that sense: of a million values 1000 each becomes 1e-6 for `total` 1.
///
/// **Violation**: the larger of `|sum x - total|` and the most negative value. An input without negative values whose sum
/// is within `2^-20 total` counts as inside. **Derivative**: on the values that stay positive `v - mean v`, elsewhere 0; the
/// Jacobian is symmetric.
///
/// No scratch. [`Error::InvalidArgument`] for a `total` that is negative or not finite, and for a positive one of vectors without values.
///
/// ```
/// use hybridq::constrain::{Project, Simplex};
/// let mut x = [0.5, 1.25, -3.0];
/// Simplex { total: 1.0 }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.125, 0.875, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Simplex {
    /// The sum of all values: 0 or more.
    pub total: f32,
}

/// `0 <= x <= cap` with `sum x = total`: weights of a portfolio, expected counts of a choice of `total` among many.
///
/// The projection is `min(cap, max(0, x[i] - t))`, found as for [`Simplex`]. **Violation**: the largest of `|sum x - total|`,
/// the most negative value, and the most that a value exceeds the cap. **Derivative**: on the values strictly between 0 and
/// the cap `v - mean v`, elsewhere 0.
///
/// No scratch. [`Error::InvalidArgument`] where no such vector exists: `total` above `cap` times the number of values (by
/// more than 2^-20 of itself), or either of them negative or not finite.
///
/// ```
/// use hybridq::constrain::{CappedSimplex, Project};
/// let mut x = [5.0, 0.25, 0.5];
/// CappedSimplex { cap: 0.5, total: 1.0 }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.5, 0.125, 0.375]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CappedSimplex {
    /// The largest that a value may be: 0 or more.
    pub cap: f32,
    /// The sum of all values: 0 or more.
    pub total: f32,
}

/// `min(cap, max(0, x - t))`.
#[derive(Clone, Copy)]
struct Clamp {
    at: Threshold,
    cap: f32,
    scale: f32,
}

impl Map for Clamp {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> F::V {
        let x = f.sub(f.mul(x, f.splat(self.scale)), f.splat(self.at.base));
        let x = f.max(f.sub(x, f.splat(self.at.delta)), f.splat(0.0));
        f.min(f.mul(x, f.splat(1.0 / self.scale)), f.splat(self.cap))
    }
}

/// `p - mean` where `x` is inside; as a term `p` there.
#[derive(Clone, Copy)]
struct Inside {
    at: Threshold,
    high: f32,
    scale: f32,
    mean: f32,
}

impl Inside {
    #[inline(always)]
    fn pick<F: Values>(self, f: F, x: F::V, p: F::V) -> F::V {
        let (zero, y) = (f.splat(0.0), f.sub(f.mul(x, f.splat(self.scale)), f.splat(self.at.base)));
        let p = f.select(f.greater(y, f.splat(self.at.delta)), p, zero);
        f.select(f.greater(y, f.splat(self.high)), zero, p)
    }
}

impl Map for Inside {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        self.pick(f, x, f.sub(p, f.splat(self.mean)))
    }
}

impl Terms<1> for Inside {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> [F::V; 1] {
        [self.pick(f, x, p)]
    }
}

/// Both sets; the cap may be infinite.
#[derive(Clone, Copy)]
struct Capped {
    cap: f32,
    total: f32,
}

impl Capped {
    fn check(self, len: usize) -> Result<(), Error> {
        // An infinite cap times no values is NaN, and no sum either.
        let most = self.cap * len as f32;
        let reached = self.total == 0.0 || most + slack(self.total, len) >= self.total;
        if self.total >= 0.0 && self.total.is_finite() && self.cap >= 0.0 && reached {
            Ok(())
        } else {
            Err(Error::InvalidArgument)
        }
    }

    fn source(self, x: &[f32]) -> Source<'_> {
        Source::plain(x, self.total)
    }

    fn holds(self, extent: &Extent, scale: f32, len: usize) -> bool {
        let off = (extent.sum - self.total * scale).abs();
        extent.least >= 0.0 && extent.largest <= self.cap * scale && off <= slack(self.total * scale, len)
    }

    fn threshold(self, source: Source<'_>, extent: &Extent, len: usize) -> Threshold {
        let scale = source.scale();
        if self.total == 0.0 {
            // Even the largest becomes 0.
            Threshold { base: extent.largest, delta: 0.0 }
        } else if self.total >= self.cap * len as f32 {
            // Even the least reaches the cap.
            Threshold { base: extent.least, delta: -self.cap * scale }
        } else {
            search(source, extent, self.cap, self.total)
        }
    }

    fn apply(self, place: Place<'_>) -> Result<Projected, Error> {
        let len = place.x().len();
        self.check(len)?;
        let source = self.source(place.x());
        let extent = extent(source)?;
        if len == 0 || self.holds(&extent, source.scale(), len) {
            return Ok(place.keep());
        }
        let (at, scale) = (self.threshold(source, &extent, len), source.scale());
        Ok(place.map(Clamp { at, cap: self.cap, scale }, Limit::ZERO, Limit::ZERO))
    }

    fn violation(self, x: &[f32]) -> Result<f32, Error> {
        self.check(x.len())?;
        // Without a scale: the result is in units of the caller.
        let extent = extent(Source::plain(x, 0.0))?;
        if x.is_empty() {
            return Ok(0.0);
        }
        let off = (extent.sum - self.total).abs();
        let over = if self.cap < f32::INFINITY { extent.largest - self.cap } else { 0.0 };
        Ok(off.max(-extent.least).max(over).clamp(0.0, f32::MAX))
    }

    fn pull_back(self, x: &[f32], v: &[f32], out: &mut [f32]) -> Result<(), Error> {
        self.check(x.len())?;
        let source = self.source(x);
        let extent = extent(source)?;
        sums::finite(v)?;
        if x.is_empty() {
            return Ok(());
        }
        let scale = source.scale();
        let at = if self.holds(&extent, scale, x.len()) {
            Threshold { base: 0.0, delta: 0.0 }
        } else {
            self.threshold(source, &extent, x.len())
        };
        let mut inside = Inside { at, high: at.delta + self.cap * scale, scale, mean: 0.0 };
        let count = count_inside(source, at, self.cap);
        let [sum] = sums::sums::<1, 4, _>(inside, x, Limit::Each(v), Limit::ZERO);
        inside.mean = if count > 0.0 { sum / count } else { 0.0 };
        Place::Apart { x, out }.map(inside, Limit::Each(v), Limit::ZERO);
        Ok(())
    }
}

impl Simplex {
    fn capped(&self) -> Capped {
        Capped { cap: f32::INFINITY, total: self.total }
    }
}

impl CappedSimplex {
    fn capped(&self) -> Result<Capped, Error> {
        if !self.cap.is_finite() {
            return Err(Error::InvalidArgument);
        }
        Ok(Capped { cap: self.cap, total: self.total })
    }
}

impl Sealed for Simplex {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        self.capped().apply(place)
    }
    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        self.capped().pull_back(x, v, out)
    }
}

impl Project for Simplex {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.capped().violation(x)
    }
}

impl Sealed for CappedSimplex {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        self.capped()?.apply(place)
    }
    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        self.capped()?.pull_back(x, v, out)
    }
}

impl Project for CappedSimplex {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.capped()?.violation(x)
    }
}
