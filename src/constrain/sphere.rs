//! `{x : |x - c| = r}`.

use crate::Error;

use super::distance::{Distance, distance};
use super::l2_ball::{check_radius, pull_back_scaled};
use super::place::{Place, Sealed};
use super::sums::finite;
use super::{Project, Projected};

/// The sphere `{x : |x - center| = radius}`; not convex.
///
/// - Projection: `c + (x - c) r / |x - c|`. From the centre all points are equally near: the first value is moved, to
///   `c[0] + r`.
/// - Violation: `| |x - c| - r |`.
/// - Derivative: `r / |x - c| (I - u u')` with `u` the unit vector of `x - c`; at the centre there is none
///   ([`Error::Unsupported`]).
///
/// An input within `2^-24 (16 r + |c|)` of the sphere, about the rounding of a projected point, comes back as it is. There is
/// no sphere of vectors without values, but for radius 0: [`Error::InvalidArgument`].
///
/// ```
/// use hybridq::constrain::{Project, Sphere};
/// let mut x = [0.75, 1.0];
/// Sphere { center: None, radius: 5.0 }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [3.0, 4.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sphere<'a> {
    /// As many values as the vectors have; `None`: the origin.
    pub center: Option<&'a [f32]>,
    /// Finite, at least 0.
    pub radius: f32,
}

impl Sphere<'_> {
    fn survey(&self, x: &[f32]) -> Result<Distance, Error> {
        check_radius(self.radius)?;
        if x.is_empty() && self.radius > 0.0 {
            return Err(Error::InvalidArgument);
        }
        distance(x, self.center)
    }
}

impl Sealed for Sphere<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        let from = self.survey(place.x())?;
        if from.beyond(self.radius).abs() <= from.slack(self.radius) {
            return Ok(place.keep());
        }
        if from.root == 0.0 {
            if let Some(first) = place.kept().first_mut() {
                *first = (*first + self.radius).min(f32::MAX);
            }
            return Ok(Projected { active: true });
        }
        Ok(from.toward(self.radius).move_all(place, self.center))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        let from = self.survey(x)?;
        finite(v)?;
        if from.root == 0.0 {
            return Err(Error::Unsupported);
        }
        pull_back_scaled(&from, self.radius, self.center, x, v, out);
        Ok(())
    }

    fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        if self.survey(x)?.root == 0.0 { Err(Error::Unsupported) } else { Ok(()) }
    }
}

impl Project for Sphere<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(self.survey(x)?.beyond(self.radius).abs())
    }
}
