//! `{x : |x - c| <= r}`.

use crate::Error;
use crate::simd::floats::Values;

use super::distance::{Distance, Toward, distance};
use super::place::{Limit, Map, Place, Sealed};
use super::sums::{Terms, finite, sums};
use super::{Project, Projected};

/// The Euclidean ball `{x : |x - center| <= radius}`.
///
/// - Projection: `c + (x - c) r / |x - c|` outside.
/// - Violation: `|x - c| - r`, the distance from the ball.
/// - Derivative outside: `r / |x - c| (I - u u')` with `u` the unit vector of `x - c`.
///
/// An input within `2^-24 (16 r + |c|)` of the ball, about the rounding of a projected point, is inside and comes back as
/// it is. Norms neither overflow nor underflow on the way: values of 1e30 and of 1e-30 project as others do.
///
/// ```
/// use hybridq::constrain::{L2Ball, Project};
/// let set = L2Ball { center: Some(&[1.0, 1.0]), radius: 2.5 };
/// let mut x = [4.0, 5.0];
/// assert_eq!(set.violation(&x)?, 2.5);
/// set.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [2.5, 3.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L2Ball<'a> {
    /// As many values as the vectors have; `None`: the origin.
    pub center: Option<&'a [f32]>,
    /// Finite, at least 0.
    pub radius: f32,
}

/// # Errors
/// [`Error::InvalidArgument`] unless finite and at least 0.
pub(super) fn check_radius(radius: f32) -> Result<(), Error> {
    if radius >= 0.0 && radius.is_finite() { Ok(()) } else { Err(Error::InvalidArgument) }
}

/// The centre as a number for each coordinate.
pub(super) fn at(center: Option<&[f32]>) -> Limit<'_> {
    center.map_or(Limit::ZERO, Limit::Each)
}

impl L2Ball<'_> {
    fn survey(&self, x: &[f32]) -> Result<Distance, Error> {
        check_radius(self.radius)?;
        distance(x, self.center)
    }

    fn holds(&self, from: &Distance) -> bool {
        from.beyond(self.radius) <= from.slack(self.radius)
    }
}

impl Sealed for L2Ball<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        let from = self.survey(place.x())?;
        if self.holds(&from) {
            return Ok(place.keep());
        }
        Ok(from.toward(self.radius).move_all(place, self.center))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        let from = self.survey(x)?;
        finite(v)?;
        if self.holds(&from) {
            Place::Apart { x: v, out }.keep();
        } else {
            pull_back_scaled(&from, self.radius, self.center, x, v, out);
        }
        Ok(())
    }
}

impl Project for L2Ball<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(self.survey(x)?.beyond(self.radius).max(0.0))
    }
}

/// `r / |d| (v - u (u . v))` with `d = x - c`, `u = d / |d|`: the derivative of `r u`.
pub(super) fn pull_back_scaled(
    from: &Distance,
    radius: f32,
    center: Option<&[f32]>,
    x: &[f32],
    v: &[f32],
    out: &mut [f32],
) {
    let along = along(from, center, x, v);
    let factor = radius * from.scale / from.root;
    mix(from, center, x, v, [-factor * along, factor], out);
}

/// `u . v` with the unit vector `u` of `x - c`.
pub(super) fn along(from: &Distance, center: Option<&[f32]>, x: &[f32], v: &[f32]) -> f32 {
    let [along] = sums::<1, 2, _>(Along(from.toward(1.0)), x, at(center), Limit::Each(v));
    along
}

/// `u a + v b` for `[a, b]`, with the unit vector `u` of `x - c`.
pub(super) fn mix(
    from: &Distance,
    center: Option<&[f32]>,
    x: &[f32],
    v: &[f32],
    [on_unit, on_v]: [f32; 2],
    out: &mut [f32],
) {
    let map = Mix { unit: from.toward(1.0), on_unit, on_v };
    Place::Apart { x, out }.map(map, at(center), Limit::Each(v));
}

/// The product of the unit vector towards `x` with `q`.
#[derive(Clone, Copy)]
struct Along(Toward);

impl Terms<1> for Along {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> [F::V; 1] {
        [f.mul(self.0.difference(f, x, p), q)]
    }
}

#[derive(Clone, Copy)]
struct Mix {
    unit: Toward,
    on_unit: f32,
    on_v: f32,
}

impl Map for Mix {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> F::V {
        let along = f.mul(self.unit.difference(f, x, p), f.splat(self.on_unit));
        f.add(along, f.mul(q, f.splat(self.on_v)))
    }
}
