//! f32 vector kernels: dot, squared distance, norm, axpy. Same bits on every tier and target.

use crate::math::{guard_scale, sqrt};
use crate::{Error, simd};

use super::ops::{self, Kernel, Ops};

/// Sum of `a[i] * b[i]`: 16 lanes, multiply then add, reduced by a fixed tree.
///
/// |error| <= (n/16 + 6) * 2^-24 * sum |a b| for n values, short of overflow.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
///
/// ```
/// assert_eq!(hybridq::linear::vector::dot(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0])?, 32.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn dot(a: &[f32], b: &[f32]) -> Result<f32, Error> {
    if a.len() != b.len() {
        return Err(Error::Shape);
    }
    Ok(ops::run(simd::active(), Dot { a, b }))
}

struct Dot<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for Dot<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) -> f32 {
        ops.dot_f32(self.a, self.b)
    }
}

/// Sum of `(a[i] - b[i])^2`: 16 lanes, subtract, multiply, then add, reduced by a fixed tree.
///
/// Relative error <= (n/16 + 8) * 2^-24 for n values, short of overflow and underflow: no cancellation, unlike
/// `|a|^2 - 2 a b + |b|^2`.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ.
///
/// ```
/// assert_eq!(hybridq::linear::vector::squared_distance(&[1.0, 2.0, 3.0], &[4.0, 6.0, 3.0])?, 25.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn squared_distance(a: &[f32], b: &[f32]) -> Result<f32, Error> {
    if a.len() != b.len() {
        return Err(Error::Shape);
    }
    Ok(ops::run(simd::active(), SquaredDistance { a, b }))
}

struct SquaredDistance<'a> {
    a: &'a [f32],
    b: &'a [f32],
}

impl Kernel for SquaredDistance<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<O: Ops>(self, _ops: O) -> f32 {
        crate::math::squared_distance(self.a, self.b)
    }
}

/// Euclidean norm. No overflow or underflow on the way: values of 1e30 and of 1e-30 give the right norm. An
/// infinity gives infinity, a NaN gives NaN.
///
/// |error| <= (n/32 + 6) * 2^-24 * norm.
#[must_use]
pub fn norm(x: &[f32]) -> f32 {
    let squares = ops::run(simd::active(), Dot { a: x, b: x });
    // Outside this range squares may have overflowed, or lost bits as denormals.
    const SMALL: f32 = f32::from_bits((127 - 80) << 23);
    if (SMALL..=f32::MAX).contains(&squares) { sqrt(squares) } else { guarded_norm(x) }
}

/// The rare case: scale by a power of two first.
#[cold]
fn guarded_norm(x: &[f32]) -> f32 {
    let mut max = 0.0f32;
    for v in x {
        if v.is_nan() {
            return f32::NAN;
        }
        max = max.max(v.abs());
    }
    if max == 0.0 || max == f32::INFINITY {
        return max;
    }
    let guard = guard_scale(max);
    sqrt(crate::math::sum_by(x, |v| (v * guard) * (v * guard))) / guard
}

/// `y[i] += alpha * x[i]`: the product is rounded, then the sum.
///
/// # Errors
/// [`Error::Shape`] if the lengths differ; `y` is untouched then.
///
/// ```
/// let mut y = [1.0, 2.0];
/// hybridq::linear::vector::axpy(0.5, &[2.0, 4.0], &mut y)?;
/// assert_eq!(y, [2.0, 4.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn axpy(alpha: f32, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
    if x.len() != y.len() {
        return Err(Error::Shape);
    }
    ops::run(simd::active(), Axpy { alpha, x, y });
    Ok(())
}

struct Axpy<'a> {
    alpha: f32,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Axpy<'_> {
    type Output = ();
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) {
        ops.axpy(self.alpha, self.x, self.y);
    }
}
