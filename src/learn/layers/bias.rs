//! A number added to every value of a channel.

use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::checks::{sizes, times};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// Adds a bias to each of `channels`, which are `each` values long. One parameter a channel; nothing saved, no scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bias {
    channels: usize,
    each: usize,
}

impl Bias {
    /// For samples of `channels` times `each` values: 1 for vectors, the pixels of a channel for images.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if one of them is 0, [`Error::SizeOverflow`].
    pub fn new(channels: usize, each: usize) -> Result<Bias, Error> {
        sizes(&[channels, each])?;
        Ok(Bias { channels, each })
    }
}

impl sealed::Sealed for Bias {}

impl Layer for Bias {
    fn input_len(&self) -> usize {
        self.channels * self.each
    }

    fn output_len(&self) -> usize {
        self.channels * self.each
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        (index == 0).then_some(Parameter {
            name: "bias",
            rows: 1,
            cols: self.channels,
            start: Start::Constant(0.0),
        })
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        times(batch, self.input_len())?;
        Ok(0)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { parameters, input, output, .. } = job.checked(self)?;
        for (x, y) in split_rows(input, self.input_len()).zip(split_rows_mut(output, self.input_len())) {
            if self.each == 1 {
                sum(x, parameters, y);
                continue;
            }
            let channels = split_rows(x, self.each).zip(split_rows_mut(y, self.each));
            for ((x, y), &bias) in channels.zip(parameters) {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = x + bias;
                }
            }
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward { output_gradient, input_gradient, parameters_gradient, .. } = job.checked(self)?;
        if let Some(to) = input_gradient {
            for (to, &v) in to.iter_mut().zip(output_gradient) {
                *to = v;
            }
        }
        if self.each == 1 {
            add_rows(output_gradient, parameters_gradient);
        } else {
            add_channels(output_gradient, self.each, parameters_gradient);
        }
        Ok(())
    }
}

fn sum(a: &[f32], b: &[f32], to: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
                *to = a + b;
            }
        },
    );
}

/// Adds each row to the totals, in order.
pub(super) fn add_rows(rows: &[f32], totals: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            for row in split_rows(rows, totals.len()) {
                for (total, &v) in totals.iter_mut().zip(row) {
                    *total += v;
                }
            }
        },
    );
}

/// Adds the sum of each channel of each sample to the totals, in order.
pub(super) fn add_channels(samples: &[f32], each: usize, totals: &mut [f32]) {
    for sample in split_rows(samples, each.saturating_mul(totals.len())) {
        for (total, channel) in totals.iter_mut().zip(split_rows(sample, each)) {
            *total += crate::math::sum_by(channel, |v| v);
        }
    }
}
