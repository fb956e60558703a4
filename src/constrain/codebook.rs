//! Codebook: every value is one of a few.

use crate::Error;
use crate::simd;
use crate::simd::floats::{FloatKernel, Floats, Lane, Values, run};

use super::place::{Place, Sealed, padded};
use super::sums;
use super::{Project, Projected};

/// Every value is one of `values`. Not convex.
///
/// The projection takes each value to the nearest one, nearness being `|x - value|` in f32, and **of equally near ones the
/// lowest**. The codebook may be in any order and may have duplicates; every value is compared with all of it, so it
/// should be short (each entry costs a quarter of an operation a value on AVX2).
///
/// **Violation**: the largest distance of a value from its nearest one. **Derivative**: none ([`Error::Unsupported`]): it is 0
/// wherever it exists, which is of no use; straight-through estimators belong to the optimizer.
///
/// No scratch. [`Error::InvalidArgument`] for an empty codebook (unless the vector is empty too), [`Error::NonFinite`] also
/// if a distance overflows.
///
/// ```
/// use hybridq::constrain::{Codebook, Project};
/// let mut x = [0.2, -0.9, 0.5, 7.0];
/// Codebook { values: &[-1.0, 0.0, 1.0] }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.0, -1.0, 0.0, 1.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Codebook<'a> {
    /// At least one value, in any order.
    pub values: &'a [f32],
}

/// The nearest value of the codebook, and how far it is.
#[inline(always)]
fn nearest<F: Values>(f: F, values: &[f32], x: F::V) -> (F::V, F::V) {
    let zero = f.splat(0.0);
    let (mut best, mut least) = (zero, f.splat(f32::INFINITY));
    for &value in values {
        let value = f.splat(value);
        let d = f.sub(x, value);
        let d = f.max(d, f.sub(zero, d));
        // Nearer, or lower and not farther.
        let lower = f.select(f.greater(best, value), value, best);
        best = f.select(f.greater(d, least), best, f.select(f.greater(least, d), value, lower));
        least = f.min(least, d);
    }
    (best, least)
}

/// [`nearest`] of one value.
#[inline(never)]
fn nearest_one(values: &[f32], x: f32) -> (f32, f32) {
    nearest(Lane(0), values, x)
}

/// The largest distance of a value from the codebook.
struct Farthest<'a> {
    values: &'a [f32],
    x: &'a [f32],
}

impl FloatKernel for Farthest<'_> {
    type Output = f32;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> f32 {
        let (groups, rest) = self.x.as_chunks::<16>();
        let mut most = f.splat(0.0);
        for x in groups {
            most = f.max(most, nearest(f, self.values, f.load(x)).1);
        }
        let last = f.store(nearest(f, self.values, f.load(&padded(rest))).1);
        f.store(most).iter().chain(last.iter().take(rest.len())).fold(0.0, |a, &b| if b > a { b } else { a })
    }
    #[inline(never)]
    fn portable(self) -> f32 {
        self.x.iter().fold(0.0, |most, &x| Lane(0).max(most, nearest_one(self.values, x).1))
    }
}

struct Write<'a> {
    values: &'a [f32],
    place: Place<'a>,
}

impl FloatKernel for Write<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        match self.place {
            Place::Apart { x, out } => {
                let ((x, x_rest), (out, out_rest)) = (x.as_chunks::<16>(), out.as_chunks_mut::<16>());
                for (x, out) in x.iter().zip(out) {
                    *out = f.store(nearest(f, self.values, f.load(x)).0);
                }
                for (out, last) in
                    out_rest.iter_mut().zip(f.store(nearest(f, self.values, f.load(&padded(x_rest))).0))
                {
                    *out = last;
                }
            }
            Place::Inside(x) => {
                let (x, rest) = x.as_chunks_mut::<16>();
                for x in x {
                    *x = f.store(nearest(f, self.values, f.load(x)).0);
                }
                let last = f.store(nearest(f, self.values, f.load(&padded(rest))).0);
                for (x, last) in rest.iter_mut().zip(last) {
                    *x = last;
                }
            }
        }
    }
    #[inline(never)]
    fn portable(self) {
        for x in self.place.kept() {
            *x = nearest_one(self.values, *x).0;
        }
    }
}

impl Codebook<'_> {
    fn check(&self, x: &[f32]) -> Result<(), Error> {
        if self.values.is_empty() && !x.is_empty() {
            return Err(Error::InvalidArgument);
        }
        sums::finite(self.values)?;
        sums::finite(x)
    }

    fn farthest(&self, x: &[f32]) -> Result<f32, Error> {
        self.check(x)?;
        let most = run(simd::active(), Farthest { values: self.values, x });
        if most < f32::INFINITY { Ok(most) } else { Err(Error::NonFinite) }
    }
}

impl Sealed for Codebook<'_> {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        // A value of the codebook may be of equal distance 0 to -0 and 0: what is in the set already keeps its bits.
        let far = self.farthest(place.x())?;
        if far == 0.0 {
            return Ok(place.keep());
        }
        run(simd::active(), Write { values: self.values, place });
        Ok(Projected { active: true })
    }

    fn pull_back(&self, _: &[f32], _: &[f32], _: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        Err(Error::Unsupported)
    }

    fn differentiable(&self, _: &[f32]) -> Result<(), Error> {
        Err(Error::Unsupported)
    }
}

impl Project for Codebook<'_> {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.farthest(x)
    }
}
