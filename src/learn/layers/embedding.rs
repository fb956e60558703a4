//! Numbers of words to vectors.

use crate::Error;
use crate::workspace::{split_rows, split_rows_mut};

use super::checks::{sizes, times};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// The row of a table for each of the numbers in a sample.
///
/// A sample is `positions` whole numbers from 0 to `words - 1`, as floats (a layer's inputs are); it becomes as many rows
/// of `len` values. One parameter array: `weight`, words x len. Nothing saved, no scratch. The input gradient is 0.
///
/// Forward refuses a number that is none of a word with [`Error::InvalidArgument`]; [`Embedding::first_bad_word`] says
/// which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedding {
    words: usize,
    len: usize,
    positions: usize,
}

impl Embedding {
    /// A table.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a size is 0, or for more than 2^24 words, which a float cannot count;
    /// [`Error::SizeOverflow`].
    pub fn new(words: usize, len: usize, positions: usize) -> Result<Embedding, Error> {
        sizes(&[words, len])?;
        sizes(&[positions, len])?;
        if words > 1 << 24 {
            return Err(Error::InvalidArgument);
        }
        Ok(Embedding { words, len, positions })
    }

    /// The first of the inputs that is not the number of a word.
    #[must_use]
    pub fn first_bad_word(&self, input: &[f32]) -> Option<usize> {
        input.iter().position(|&x| self.word(x).is_none())
    }

    fn word(&self, x: f32) -> Option<usize> {
        let word = x as usize;
        (word as f32 == x && word < self.words).then_some(word)
    }
}

impl sealed::Sealed for Embedding {}

impl Layer for Embedding {
    fn input_len(&self) -> usize {
        self.positions
    }

    fn output_len(&self) -> usize {
        self.positions * self.len
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        // Rows of about the length of the normalised ones that follow.
        let start = Start::Uniform(1.0);
        (index == 0).then_some(Parameter { name: "weight", rows: self.words, cols: self.len, start })
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        times(batch, self.output_len())?;
        Ok(0)
    }

    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(0)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { parameters, input, output, .. } = job.checked(self)?;
        if self.first_bad_word(input).is_some() {
            return Err(Error::InvalidArgument);
        }
        for (&x, y) in input.iter().zip(split_rows_mut(output, self.len)) {
            let start = self.word(x).unwrap_or_default() * self.len;
            let row = parameters.get(start..start + self.len);
            for (y, &v) in y.iter_mut().zip(row.unwrap_or_default()) {
                *y = v;
            }
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward { input, output_gradient, input_gradient, parameters_gradient, .. } =
            job.checked(self)?;
        if let Some(to) = input_gradient {
            to.fill(0.0);
        }
        for (&x, from) in input.iter().zip(split_rows(output_gradient, self.len)) {
            let Some(start) = self.word(x).map(|word| word * self.len) else { continue };
            let to = parameters_gradient.get_mut(start..start + self.len).unwrap_or_default();
            for (to, &v) in to.iter_mut().zip(from) {
                *to += v;
            }
        }
        Ok(())
    }
}
