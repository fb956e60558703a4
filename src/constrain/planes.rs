//! What the halfspace and the hyperplane share: the signed distance from a plane, and moving along its normal.

use crate::math::{Compensated, sqrt};
use crate::simd::floats::Values;
use crate::{Error, math};

use super::place::{Limit, Map};
use super::place::{Place, Sealed};
use super::sums::{Products, largest, sums, unit_scale};
use super::{Project, Projected};

/// The halfspace `{x : normal . x <= bound}`.
///
/// - Projection: `x - a (a . x - b) / |a|^2` outside.
/// - Violation: `(a . x - b) / |a|`, the distance.
/// - Derivative outside: `v - a (a . v) / |a|^2`.
///
/// An input whose `a . x` exceeds the bound by no more than `2^-21 (sum |a x| + |b|)`, about the rounding of that sum, is
/// inside. A normal of zeros is [`Error::InvalidArgument`]. Where the distance exceeds the range of `f32`, the functions
/// fail with [`Error::NonFinite`].
///
/// ```
/// use hybridq::constrain::{Halfspace, Project};
/// let set = Halfspace { normal: &[1.0, 1.0], bound: 1.0 };
/// let mut x = [2.0, 1.0];
/// set.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [1.0, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Halfspace<'a> {
    /// As many values as the vectors have.
    pub normal: &'a [f32],
    /// Finite.
    pub bound: f32,
}

/// The hyperplane `{x : normal . x = bound}`. As [`Halfspace`], on both sides; the violation is the distance.
///
/// ```
/// use hybridq::constrain::{Hyperplane, Project};
/// let set = Hyperplane { normal: &[1.0, 1.0], bound: 3.0 };
/// let mut x = [0.0, 1.0];
/// set.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [1.0, 2.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hyperplane<'a> {
    /// As many values as the vectors have.
    pub normal: &'a [f32],
    /// Finite.
    pub bound: f32,
}

/// Where a point lies beside a plane.
#[derive(Clone, Copy)]
struct Beside {
    /// Signed; finite.
    distance: f32,
    /// What distances are rounding.
    slack: f32,
    along: AlongNormal,
}

/// `x - (p first) second`.
#[derive(Clone, Copy)]
struct AlongNormal {
    first: f32,
    second: f32,
}

impl Map for AlongNormal {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        f.sub(x, f.mul(f.mul(p, f.splat(self.first)), f.splat(self.second)))
    }
}

const ROUNDING: f32 = 4.0 * f32::EPSILON;

fn beside(x: &[f32], normal: &[f32], bound: f32) -> Result<Beside, Error> {
    if !bound.is_finite() {
        return Err(Error::InvalidArgument);
    }
    if normal.len() != x.len() {
        return Err(Error::Shape);
    }
    let [product, magnitude, squares] = sums::<3, 2, _>(Products, x, Limit::Each(normal), Limit::ZERO);
    const LEAST: f32 = f32::from_bits((127 - 80) << 23);
    let ordinary = LEAST..=f32::MAX;
    // Finite sums mean finite values.
    if ordinary.contains(&squares) && ordinary.contains(&magnitude) {
        let (gap, length) = (product - bound, sqrt(squares));
        let along = AlongNormal { first: 1.0, second: gap / squares };
        let found =
            Beside { distance: gap / length, slack: ROUNDING * (magnitude + bound.abs()) / length, along };
        let plain = gap == 0.0 || ordinary.contains(&along.second.abs());
        if plain && found.distance.is_finite() && found.slack.is_finite() {
            return Ok(found);
        }
    }
    guarded(x, normal, bound)
}

/// The rare case: values scaled by powers of two. Portable code, so the same on every tier.
#[cold]
fn guarded(x: &[f32], normal: &[f32], bound: f32) -> Result<Beside, Error> {
    if !x.iter().chain(normal).all(|x| x.is_finite()) {
        return Err(Error::NonFinite);
    }
    let high = largest(normal);
    if high == 0.0 {
        return Err(Error::InvalidArgument);
    }
    let first = unit_scale(high);
    let bound = bound * first;
    if !bound.is_finite() {
        return Err(Error::NonFinite);
    }
    let scale = unit_scale(largest(x).max(bound.abs()));
    let bound = bound * scale;
    let mut totals = [Compensated::default(); 3];
    for (&x, &a) in x.iter().zip(normal) {
        let a = a * first;
        let product = x * scale * a;
        for (total, term) in totals.iter_mut().zip([product, product.abs(), a * a]) {
            total.add(term);
        }
    }
    let [product, magnitude, squares] = totals.map(math::Compensated::value);
    let (gap, length) = (product - bound, sqrt(squares));
    let distance = gap / length / scale;
    let second = gap / squares / scale;
    if !distance.is_finite() || !second.is_finite() {
        return Err(Error::NonFinite);
    }
    let slack = (ROUNDING * (magnitude + bound.abs()) / length / scale).min(f32::MAX);
    Ok(Beside { distance, slack, along: AlongNormal { first, second } })
}

/// Moves to the plane. Values at the end of the range stay in it.
fn shift(place: Place<'_>, along: AlongNormal, normal: &[f32]) -> Projected {
    place.map(along, Limit::Each(normal), Limit::ZERO)
}

impl Sealed for Halfspace<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        let at = beside(place.x(), self.normal, self.bound)?;
        Ok(if at.distance <= at.slack { place.keep() } else { shift(place, at.along, self.normal) })
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        let at = beside(x, self.normal, self.bound)?;
        let pulled = beside(v, self.normal, 0.0)?;
        let place = Place::Apart { x: v, out };
        if at.distance <= at.slack {
            place.keep()
        } else {
            shift(place, pulled.along, self.normal)
        };
        Ok(())
    }
}

impl Project for Halfspace<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(beside(x, self.normal, self.bound)?.distance.max(0.0))
    }
}

impl Sealed for Hyperplane<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        let at = beside(place.x(), self.normal, self.bound)?;
        Ok(if at.distance.abs() <= at.slack { place.keep() } else { shift(place, at.along, self.normal) })
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        beside(x, self.normal, self.bound)?;
        let pulled = beside(v, self.normal, 0.0)?;
        shift(Place::Apart { x: v, out }, pulled.along, self.normal);
        Ok(())
    }
}

impl Project for Hyperplane<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(beside(x, self.normal, self.bound)?.distance.abs())
    }
}
