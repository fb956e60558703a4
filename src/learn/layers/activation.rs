//! Curves that bend one value at a time.

use crate::{Error, simd};

use super::checks::sizes;
use super::{Backward, Forward, Layer, Parameter, sealed};

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Curve {
    /// `max(x, 0)`; slope 0 at 0.
    Relu = 0,
    /// `max(x, 0)^2`: the one of BitNet b1.58 2B4T (arXiv:2504.12285).
    ReluSquared = 1,
}

impl Curve {
    /// The curve with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Curve, Error> {
        [Curve::Relu, Curve::ReluSquared].into_iter().find(|&c| c as i32 == value).ok_or(Error::UnknownEnum)
    }
}

/// Each value through a curve. No parameters, nothing saved, no scratch. NaN stays NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activation {
    len: usize,
    curve: Curve,
}

impl Activation {
    /// For samples of `len` values.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no values.
    pub fn new(len: usize, curve: Curve) -> Result<Activation, Error> {
        sizes(&[len])?;
        Ok(Activation { len, curve })
    }
}

impl sealed::Sealed for Activation {}

impl Layer for Activation {
    fn input_len(&self) -> usize {
        self.len
    }

    fn output_len(&self) -> usize {
        self.len
    }

    fn parameter(&self, _: usize) -> Option<Parameter> {
        None
    }

    fn saved_len(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { input, output, .. } = job.checked(self)?;
        let squared = self.curve == Curve::ReluSquared;
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                for (y, &x) in output.iter_mut().zip(input) {
                    let positive = if x <= 0.0 { 0.0 } else { x };
                    *y = if squared { positive * positive } else { positive };
                }
            },
        );
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward { input, output_gradient, input_gradient, .. } = job.checked(self)?;
        let Some(gradient) = input_gradient else { return Ok(()) };
        let squared = self.curve == Curve::ReluSquared;
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                for ((to, &x), &from) in gradient.iter_mut().zip(input).zip(output_gradient) {
                    let slope = if squared { x + x } else { 1.0 };
                    let product = slope * from;
                    *to = if x <= 0.0 { 0.0 } else { product };
                }
            },
        );
        Ok(())
    }
}
