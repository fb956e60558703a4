//! Root mean square normalisation.

use crate::math::{sqrt, tree_sum};
use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::checks::{sizes, times};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// `y = x / sqrt(mean(x^2) + epsilon)`, times a gain for each value if there is one (Zhang, Sennrich, arXiv:1910.07467).
///
/// A sample is `positions` vectors of `len` values, each normalised by itself. Saved: two numbers a vector. No scratch.
/// Values up to 1e37 in magnitude do not overflow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsNorm {
    len: usize,
    positions: usize,
    gain: bool,
    epsilon: f32,
}

impl RmsNorm {
    /// For samples of one vector of `len` values. `epsilon` is 1e-5 in most models.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no values, or an `epsilon` that is not from 1e-30 to 1.
    pub fn new(len: usize, gain: bool, epsilon: f32) -> Result<RmsNorm, Error> {
        sizes(&[len])?;
        if !(1e-30..=1.0).contains(&epsilon) {
            return Err(Error::InvalidArgument);
        }
        Ok(RmsNorm { len, positions: 1, gain, epsilon })
    }

    /// The same for samples of several vectors.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for none, [`Error::SizeOverflow`].
    pub fn positions(self, positions: usize) -> Result<RmsNorm, Error> {
        sizes(&[self.len, positions])?;
        Ok(RmsNorm { positions, ..self })
    }
}

impl sealed::Sealed for RmsNorm {}

/// Magnitudes above are scaled by [`DOWN`] before they are squared.
const LARGE: f32 = f32::from_bits((127 + 40) << 23);
/// 2^-100
const DOWN: f32 = f32::from_bits((127 - 100) << 23);

impl Layer for RmsNorm {
    fn input_len(&self) -> usize {
        self.len * self.positions
    }

    fn output_len(&self) -> usize {
        self.len * self.positions
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        (index == 0 && self.gain).then_some(Parameter {
            name: "gain",
            rows: 1,
            cols: self.len,
            start: Start::Constant(1.0),
        })
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        times(times(batch, self.positions)?, 2)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { parameters, input, output, saved, .. } = job.checked(self)?;
        let share = 1.0 / self.len as f32;
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                let rows = split_rows(input, self.len).zip(split_rows_mut(output, self.len));
                for ((x, y), saved) in rows.zip(saved.as_chunks_mut::<2>().0) {
                    let mut largest = 0.0f32;
                    for v in x {
                        let v = v.abs();
                        largest = if v > largest { v } else { largest };
                    }
                    let guard = if largest > LARGE { DOWN } else { 1.0 };
                    let mut lanes = [0.0f32; 16];
                    for x in x.chunks(16) {
                        for (lane, &x) in lanes.iter_mut().zip(x) {
                            *lane += (x * guard) * (x * guard);
                        }
                    }
                    let mean = tree_sum(lanes) * share + self.epsilon * (guard * guard);
                    let inverse = 1.0 / sqrt(mean);
                    *saved = [guard, inverse];
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = (x * guard) * inverse;
                    }
                    for (y, &gain) in y.iter_mut().zip(parameters) {
                        *y *= gain;
                    }
                }
            },
        );
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward {
            parameters, input, saved, output_gradient, input_gradient, parameters_gradient, ..
        } = job.checked(self)?;
        let share = 1.0 / self.len as f32;
        let rows = || split_rows(input, self.len).zip(split_rows(output_gradient, self.len));
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                for ((x, dy), &[guard, inverse]) in rows().zip(saved.as_chunks::<2>().0) {
                    for ((to, &x), &dy) in parameters_gradient.iter_mut().zip(x).zip(dy) {
                        *to += dy * ((x * guard) * inverse);
                    }
                }
            },
        );
        let Some(gradient) = input_gradient else { return Ok(()) };
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || {
                let each = rows().zip(split_rows_mut(gradient, self.len)).zip(saved.as_chunks::<2>().0);
                for (((x, dy), dx), &[guard, inverse]) in each {
                    // The gradient of the normalised values, then what moves all of them together taken out of it.
                    for (dx, &dy) in dx.iter_mut().zip(dy) {
                        *dx = dy;
                    }
                    for (dx, &gain) in dx.iter_mut().zip(parameters) {
                        *dx *= gain;
                    }
                    let mut lanes = [0.0f32; 16];
                    for (dx, x) in dx.chunks(16).zip(x.chunks(16)) {
                        for ((lane, &dx), &x) in lanes.iter_mut().zip(dx).zip(x) {
                            *lane += dx * ((x * guard) * inverse);
                        }
                    }
                    let mean = tree_sum(lanes) * share;
                    for (dx, &x) in dx.iter_mut().zip(x) {
                        *dx = ((*dx - (x * guard) * inverse * mean) * inverse) * guard;
                    }
                }
            },
        );
        Ok(())
    }
}
