//! Exact ternary: every value is -s, 0 or s, for one s.

use crate::Error;
use crate::quant::{Fit, codes_workspace_size, fit_ternary_mse};
use crate::simd::floats::Values;

use super::place::{Limit, Map, Place, Sealed};
use super::sums::{self, Terms, finite};
use super::{Project, Projected};

/// `{s t : t in {-1, 0, 1}^n, s >= 0}`: ternary vectors of any scale. Not convex.
///
/// The projection is exact: of all thresholds the one that leaves the least squared error, with the mean magnitude of what
/// reaches it as the scale. With `t` values kept whose magnitudes add up to `S`, the squared distance is `sum x^2 - S^2 / t`;
/// the best `t` is found without sorting, by the search that the quantizers use ([`quant::Fit::Mse`](crate::quant::Fit)) over the
/// whole vector: cuts through the magnitudes narrow it to the few values that could decide, and those are tried one by one.
/// The `S^2 / t` found is within a few 2^-23 of the largest. **Of equally good thresholds the larger wins** (fewer
/// values), and equal magnitudes are kept or dropped together: [1, 1] becomes itself, not [1, 0].
///
/// **Violation**: with `s` the largest magnitude, the largest distance of a value from the nearest of -s, 0, s; 0 exactly for
/// the vectors of the set. **Derivative**: with the signs `s` of the `t` values that are kept, `s (sum of s v) / t`, else 0; it
/// exists unless two thresholds are equally good.
///
/// Scratch: 8 bytes a value. Up to 2^24 values count exactly; above, counts are rounded to 2^-24 of themselves.
///
/// ```
/// use hybridq::constrain::{ExactTernary, Project};
/// let (mut x, mut scratch) = ([2.0, -1.0, 0.25, -3.0], [0; 64]);
/// assert!(ExactTernary.workspace_size(4)? <= scratch.len());
/// ExactTernary.project_inplace(&mut x, &mut scratch)?;
/// assert_eq!(x, [2.5, 0.0, 0.0, -2.5]); // 25 / 2 against 36 / 3 for three values, 9 for one
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactTernary;

/// The scale with the sign of `x` where its magnitude reaches the threshold.
#[derive(Clone, Copy)]
struct Snap {
    threshold: f32,
    scale: f32,
}

impl Snap {
    /// `value` with the sign of `x` where that is kept, else 0.
    #[inline(always)]
    fn pick<F: Values>(self, f: F, x: F::V, value: F::V) -> F::V {
        let zero = f.splat(0.0);
        let minus = f.sub(zero, x);
        let signed = f.select(f.greater(zero, x), f.sub(zero, value), value);
        f.select(f.greater(f.splat(self.threshold), f.max(x, minus)), zero, signed)
    }
}

impl Map for Snap {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> F::V {
        self.pick(f, x, f.splat(self.scale))
    }
}

/// As terms `p` with the sign of `x`, and 1, where a value is kept. The threshold is positive: zeros are not kept.
impl Terms<2> for Snap {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> [F::V; 2] {
        let one = self.pick(f, x, f.splat(1.0));
        [self.pick(f, x, p), f.mul(one, one)]
    }
}

/// The distance from the nearest of -s, 0, s.
fn off(x: f32, s: f32) -> f32 {
    let (m, rest) = (x.abs(), s - x.abs());
    if m < rest { m } else { rest }
}

impl ExactTernary {
    /// The threshold and scale; none if the vector is ternary already.
    fn fit(x: &[f32], scratch: &mut [u8]) -> Result<Option<Snap>, Error> {
        finite(x)?;
        let s = sums::largest(x);
        if x.iter().all(|&v| off(v, s) == 0.0) {
            return Ok(None);
        }
        let found = fit_ternary_mse(x, scratch)?;
        Ok(Some(Snap { threshold: found.threshold, scale: found.scale }))
    }
}

impl Sealed for ExactTernary {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        match Self::fit(place.x(), scratch)? {
            None => Ok(place.keep()),
            Some(snap) => Ok(place.map(snap, Limit::ZERO, Limit::ZERO)),
        }
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        finite(v)?;
        let snap = match Self::fit(x, scratch)? {
            Some(snap) => snap,
            // In the set: what is not zero is kept.
            None => Snap { threshold: sums::largest(x).max(f32::from_bits(1)), scale: 0.0 },
        };
        let [sum, count] = sums::sums::<2, 2, _>(snap, x, Limit::Each(v), Limit::ZERO);
        let scale = if count > 0.0 { sum / count } else { 0.0 };
        Place::Apart { x, out }.map(Snap { scale, ..snap }, Limit::ZERO, Limit::ZERO);
        Ok(())
    }
}

impl Project for ExactTernary {
    fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        codes_workspace_size(Fit::Mse, len)
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        finite(x)?;
        let s = sums::largest(x);
        Ok(x.iter().fold(0.0, |most, &v| if off(v, s) > most { off(v, s) } else { most }))
    }
}
