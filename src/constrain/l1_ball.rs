//! L1 ball.

use crate::Error;
use crate::simd::floats::Values;

use super::l2_ball::{at, check_radius};
use super::place::{Limit, Map, Place, Sealed};
use super::sums::{self, Terms};
use super::threshold::{Extent, Source, Threshold, count_inside, extent, search, slack};
use super::{Project, Projected};

/// `sum |x - center| <= radius`.
///
/// The projection shrinks every distance from the centre by one amount, to 0 at most, found without sorting, in a few
/// passes: what is left is sparse. The sum of distances of the result is `radius` to about
/// 2^-21, and to the rounding of `center + distance`.
///
/// **Violation**: `sum |x - center| - radius`, or 0. An input that is outside by no more than `2^-20 radius`, and the
/// rounding that the centre brings, counts as inside. **Derivative**: inside the identity; outside, with the signs `s` of
/// the distances that are left, `s (s v - mean of s v)`, and 0 for the others; the Jacobian is symmetric.
///
/// No scratch. [`Error::InvalidArgument`] for a radius that is negative or not finite, [`Error::NonFinite`] also if a distance overflows.
///
/// ```
/// use hybridq::constrain::{L1Ball, Project};
/// let mut x = [0.5, -1.25, 0.125];
/// L1Ball { center: None, radius: 1.0 }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.125, -0.875, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L1Ball<'a> {
    /// As many values as the vectors have; `None`: the origin.
    pub center: Option<&'a [f32]>,
    /// Finite, at least 0.
    pub radius: f32,
}

/// `|x - p|` of one value in units of the search, and whether `x` is below `p`.
#[inline(always)]
fn distance<F: Values>(f: F, scale: f32, x: F::V, p: F::V) -> (F::V, F::Mask) {
    let scale = f.splat(scale);
    let d = f.sub(f.mul(x, scale), f.mul(p, scale));
    let zero = f.splat(0.0);
    (f.max(d, f.sub(zero, d)), f.greater(zero, d))
}

/// `p + sign(x - p) max(0, |x - p| - t)`.
#[derive(Clone, Copy)]
struct Shrink {
    at: Threshold,
    scale: f32,
}

impl Map for Shrink {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        let (m, below) = distance(f, self.scale, x, p);
        let zero = f.splat(0.0);
        let left = f.sub(f.sub(m, f.splat(self.at.base)), f.splat(self.at.delta));
        let left = f.mul(f.max(left, zero), f.splat(1.0 / self.scale));
        f.add(p, f.select(below, f.sub(zero, left), left))
    }
}

/// Where a distance is left, with its sign `s`: `q - s mean`, as a term `s q`. `p` is the centre.
#[derive(Clone, Copy)]
struct Left {
    at: Threshold,
    scale: f32,
    mean: f32,
}

impl Map for Left {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> F::V {
        let (m, below) = distance(f, self.scale, x, p);
        let mean = f.select(below, f.splat(-self.mean), f.splat(self.mean));
        let left = f.greater(f.sub(m, f.splat(self.at.base)), f.splat(self.at.delta));
        f.select(left, f.sub(q, mean), f.splat(0.0))
    }
}

impl Terms<1> for Left {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> [F::V; 1] {
        let (m, below) = distance(f, self.scale, x, p);
        let zero = f.splat(0.0);
        let signed = f.select(below, f.sub(zero, q), q);
        let left = f.greater(f.sub(m, f.splat(self.at.base)), f.splat(self.at.delta));
        [f.select(left, signed, zero)]
    }
}

/// `|x|`.
#[derive(Clone, Copy)]
struct Magnitude;

impl Terms<1> for Magnitude {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> [F::V; 1] {
        [f.max(x, f.sub(f.splat(0.0), x))]
    }
}

impl L1Ball<'_> {
    fn check(&self, len: usize) -> Result<(), Error> {
        if self.center.is_some_and(|c| c.len() != len) {
            return Err(Error::Shape);
        }
        check_radius(self.radius)
    }

    fn source<'a>(&'a self, x: &'a [f32]) -> Source<'a> {
        Source::magnitudes(x, self.center, self.radius)
    }

    fn holds(&self, extent: &Extent, scale: f32, len: usize) -> bool {
        let radius = self.radius * scale;
        let most = radius + slack(radius, len);
        if extent.sum <= most {
            return true;
        }
        let Some(center) = self.center else { return false };
        // Every coordinate of a projected point has been rounded once more.
        let [sum] = sums::sums::<1, 4, _>(Magnitude, center, Limit::ZERO, Limit::ZERO);
        extent.sum <= most + f32::EPSILON * (sum * scale)
    }

    fn threshold(&self, source: Source<'_>, extent: &Extent) -> Threshold {
        if self.radius == 0.0 {
            Threshold { base: extent.largest, delta: 0.0 }
        } else {
            search(source, extent, f32::INFINITY, self.radius)
        }
    }
}

impl Sealed for L1Ball<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        self.check(place.x().len())?;
        let source = self.source(place.x());
        let (extent, scale) = (extent(source)?, source.scale());
        if place.x().is_empty() || self.holds(&extent, scale, place.x().len()) {
            return Ok(place.keep());
        }
        let shrink = Shrink { at: self.threshold(source, &extent), scale };
        Ok(place.map(shrink, at(self.center), Limit::ZERO))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        self.check(x.len())?;
        let source = self.source(x);
        let (extent, scale) = (extent(source)?, source.scale());
        sums::finite(v)?;
        if x.is_empty() || self.holds(&extent, scale, x.len()) {
            Place::Apart { x: v, out }.keep();
            return Ok(());
        }
        let mut left = Left { at: self.threshold(source, &extent), scale, mean: 0.0 };
        let count = count_inside(source, left.at, f32::INFINITY);
        let [sum] = sums::sums::<1, 4, _>(left, x, at(self.center), Limit::Each(v));
        left.mean = if count > 0.0 { sum / count } else { 0.0 };
        Place::Apart { x, out }.map(left, at(self.center), Limit::Each(v));
        Ok(())
    }
}

impl Project for L1Ball<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.check(x.len())?;
        // Without a scale: the result is in units of the caller.
        let extent = extent(Source::magnitudes(x, self.center, 0.0))?;
        Ok((extent.sum - self.radius).clamp(0.0, f32::MAX))
    }
}
