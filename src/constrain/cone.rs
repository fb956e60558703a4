//! `{(t, z) : |z| <= t}`.

use crate::Error;

use super::distance::{Distance, distance};
use super::l2_ball::{along, mix};
use super::place::{Place, Sealed};
use super::sums::finite;
use super::{Project, Projected};

/// The second-order cone `{(t, z) : |z| <= t}`; `t` is the first value of the vector, which must have one
/// ([`Error::Shape`]).
///
/// - Projection: the origin if `|z| <= -t`; else, outside, `(a, z a / |z|)` with `a = (t + |z|) / 2`.
/// - Violation: `|z| - t`.
/// - Derivative, with `w = z / |z|`, `s = w . v_z`, `q = t / |z|`: `((v_t + s) / 2, ((1 + q) v_z + (v_t - q s) w) / 2)`;
///   `v` inside, 0 where the projection is the origin.
///
/// An input with `|z| - t <= 2^-20 t`, about the rounding of a projected point, is inside. A `z` whose norm exceeds the range
/// of `f32` is [`Error::NonFinite`].
///
/// ```
/// use hybridq::constrain::{Project, SecondOrderCone};
/// let mut x = [0.0, 3.0, 4.0]; // t, z
/// assert_eq!(SecondOrderCone.violation(&x)?, 5.0);
/// SecondOrderCone.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [2.5, 1.5, 2.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondOrderCone;

enum Region {
    Inside,
    Polar,
    Outside,
}

impl SecondOrderCone {
    fn survey(&self, x: &[f32]) -> Result<(f32, Distance, Region), Error> {
        let (&t, z) = x.split_first().ok_or(Error::Shape)?;
        if !t.is_finite() {
            return Err(Error::NonFinite);
        }
        let from = distance(z, None)?;
        if !(from.root / from.scale).is_finite() {
            return Err(Error::NonFinite);
        }
        let region = if t >= 0.0 && from.beyond(t) <= from.slack(t) {
            Region::Inside
        } else if t < 0.0 && from.beyond(-t) <= 0.0 {
            Region::Polar
        } else {
            Region::Outside
        };
        Ok((t, from, region))
    }
}

impl Sealed for SecondOrderCone {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        let (t, from, region) = self.survey(place.x())?;
        match region {
            Region::Inside => Ok(place.keep()),
            Region::Polar => Ok(place.zero()),
            Region::Outside => {
                let half = 0.5 * t + 0.5 * from.value();
                let (first, rest) = place.split_at(1).ok_or(Error::Shape)?;
                first.kept().fill(half);
                Ok(from.toward(half).move_all(rest, None))
            }
        }
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        let (t, from, region) = self.survey(x)?;
        finite(v)?;
        match region {
            Region::Inside => {
                Place::Apart { x: v, out }.keep();
            }
            Region::Polar => out.fill(0.0),
            Region::Outside => {
                let (Some((_, z)), Some((&v_t, v_z)), Some((first, out))) =
                    (x.split_first(), v.split_first(), out.split_first_mut())
                else {
                    return Err(Error::Shape);
                };
                let s = along(&from, None, z, v_z);
                let q = t / from.value();
                *first = 0.5 * v_t + 0.5 * s;
                mix(&from, None, z, v_z, [0.5 * v_t - 0.5 * (q * s), 0.5 + 0.5 * q], out);
            }
        }
        Ok(())
    }
}

impl Project for SecondOrderCone {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        let (t, from, _) = self.survey(x)?;
        Ok((if t >= 0.0 { from.beyond(t) } else { from.value() - t }).clamp(0.0, f32::MAX))
    }
}
