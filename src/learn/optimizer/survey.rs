//! The pass before the step: norm and largest magnitude of the gradient, whether all numbers are finite.

use crate::math::{Compensated, guard_scale, tree_sum};
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::{Error, simd};

use super::store::BLOCK;

/// What one pass over an array finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Survey {
    /// Of all values, each times `guard`.
    squares: f32,
    guard: f32,
    pub(super) largest: f32,
}

impl Survey {
    /// The Euclidean norm; infinity beyond the f32 range.
    pub(super) fn norm(&self) -> f32 {
        crate::math::sqrt(self.squares) / self.guard
    }
}

/// Looks at all of `x`. Values of 1e-30 and of 1e30 have the right norm.
///
/// # Errors
/// [`Error::NonFinite`].
pub(super) fn survey(x: &[f32]) -> Result<Survey, Error> {
    let plain = look(x, 1.0)?;
    const SMALL: f32 = f32::from_bits((127 - 80) << 23);
    if plain.largest == 0.0 || (SMALL..=f32::MAX).contains(&plain.squares) {
        return Ok(plain);
    }
    // Squares have overflowed, or lost bits: rare, and worth another pass.
    look(x, guard_scale(plain.largest))
}

/// The largest magnitude alone.
///
/// # Errors
/// [`Error::NonFinite`].
pub(super) fn largest(x: &[f32]) -> Result<f32, Error> {
    look(x, 1.0).map(|found| found.largest)
}

fn look(x: &[f32], guard: f32) -> Result<Survey, Error> {
    let found = floats::run(simd::active(), Look { x, guard });
    found.ok_or(Error::NonFinite)
}

struct Look<'a> {
    x: &'a [f32],
    guard: f32,
}

impl FloatKernel for Look<'_> {
    type Output = Option<Survey>;

    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Option<Survey> {
        let guard = f.splat(self.guard);
        let zero = f.splat(0.0);
        let (mut largest, mut odd) = (zero, zero);
        let mut total = Compensated::default();
        for block in self.x.chunks(BLOCK) {
            let mut sums = zero;
            let (groups, rest) = block.as_chunks::<16>();
            let mut last = [0.0; 16];
            for (to, &v) in last.iter_mut().zip(rest) {
                *to = v;
            }
            for group in groups.iter().chain(core::iter::once(&last)) {
                let v = f.load(group);
                let scaled = f.mul(v, guard);
                sums = f.add(sums, f.mul(scaled, scaled));
                largest = f.max(largest, f.abs(v));
                // Of an infinity or a NaN this is NaN.
                odd = f.add(odd, f.mul(v, zero));
            }
            total.add(tree_sum(f.store(sums)));
        }
        let finite = tree_sum(f.store(odd)) == 0.0;
        let largest = f.store(largest).into_iter().fold(0.0, |a: f32, b| if b > a { b } else { a });
        finite.then(|| Survey { squares: total.value(), guard: self.guard, largest })
    }
}
