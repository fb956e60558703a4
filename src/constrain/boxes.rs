//! Boxes: bounds for each coordinate, no negative values, and the L-infinity ball.

use crate::Error;

use super::clamp::{Around, Clamp, LowHigh};
use super::l2_ball::{at, check_radius};
use super::place::{Limit, Place, Sealed};
use super::{Project, Projected};

/// The box `{x : lower <= x <= upper}`, for each coordinate or all alike.
///
/// - Projection: each value to the nearer of its bounds. Exact.
/// - Violation: the largest distance of a value from its bounds.
/// - Derivative: `v` where the value is within its bounds or on one, else 0.
///
/// ```
/// use hybridq::constrain::{BoxSet, Limit, Project};
/// let set = BoxSet { lower: Limit::Each(&[0.0, 2.0]), upper: Limit::One(3.0) };
/// let mut x = [-1.0, 2.5];
/// assert_eq!(set.violation(&x)?, 1.0);
/// assert!(set.project_inplace(&mut x, &mut [])?.active);
/// assert_eq!(x, [0.0, 2.5]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxSet<'a> {
    /// At most `upper`; `f32::NEG_INFINITY` for none. A NaN or crossed bounds are [`Error::InvalidArgument`].
    pub lower: Limit<'a>,
    /// `f32::INFINITY` for none.
    pub upper: Limit<'a>,
}

/// The vectors without negative values, `{x : x >= 0}`.
///
/// - Projection: negative values become 0. Exact.
/// - Violation: the largest magnitude of a negative value.
/// - Derivative: `v` where the value is not negative, else 0.
///
/// ```
/// use hybridq::constrain::{NonNegative, Project};
/// let mut x = [-1.0, 2.5];
/// NonNegative.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.0, 2.5]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NonNegative;

/// The L-infinity ball `{x : |x[i] - center[i]| <= radius}`: the box between `c - r` and `c + r`, both rounded to `f32`.
///
/// - Projection: each value to the nearer of these bounds. Exact.
/// - Violation: the largest distance of a value from these bounds.
/// - Derivative: `v` where the value is within its bounds or on one, else 0.
///
/// ```
/// use hybridq::constrain::{LinfBall, Project};
/// let set = LinfBall { center: Some(&[1.0, 1.0]), radius: 0.5 };
/// let mut x = [4.0, 0.75];
/// set.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [1.5, 0.75]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinfBall<'a> {
    /// As many values as the vectors have; `None`: the origin.
    pub center: Option<&'a [f32]>,
    /// Finite, at least 0.
    pub radius: f32,
}

impl<'a> BoxSet<'a> {
    fn clamp(&self) -> Result<Clamp<'a, LowHigh>, Error> {
        // Of an empty vector no bound is looked at, but a bound for all.
        if let (Limit::One(low), Limit::One(high)) = (self.lower, self.upper)
            && ((high - low).is_nan() || low > high)
        {
            return Err(Error::InvalidArgument);
        }
        Ok(Clamp { bounds: LowHigh, p: self.lower, q: self.upper, wrong: Error::InvalidArgument })
    }
}

impl NonNegative {
    fn clamp(&self) -> Result<Clamp<'static, LowHigh>, Error> {
        let (p, q) = (Limit::ZERO, Limit::One(f32::INFINITY));
        Ok(Clamp { bounds: LowHigh, p, q, wrong: Error::InvalidArgument })
    }
}

impl<'a> LinfBall<'a> {
    fn clamp(&self) -> Result<Clamp<'a, Around>, Error> {
        check_radius(self.radius)?;
        let (p, q) = (at(self.center), Limit::One(self.radius));
        Ok(Clamp { bounds: Around, p, q, wrong: Error::NonFinite })
    }
}

macro_rules! clamped {
    ($($set:ty),*) => {$(
        impl Sealed for $set {
            fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
                self.clamp()?.apply(place)
            }

            fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
                self.clamp()?.pull_back(x, v, out)
            }
        }

        impl Project for $set {
            fn violation(&self, x: &[f32]) -> Result<f32, Error> {
                self.clamp()?.violation(x)
            }
        }
    )*};
}
clamped!(BoxSet<'_>, NonNegative, LinfBall<'_>);
