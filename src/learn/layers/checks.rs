//! Lengths, checked once for all layers.

use crate::Error;

use super::{Backward, Forward, Layer};

/// A length; [`Error::SizeOverflow`] if it is none.
pub(super) fn times(a: usize, b: usize) -> Result<usize, Error> {
    a.checked_mul(b).ok_or(Error::SizeOverflow)
}

/// Refuses a layer whose buffers for one sample overflow.
pub(super) fn sizes(factors: &[usize]) -> Result<usize, Error> {
    let mut size = 1usize;
    for &factor in factors {
        if factor == 0 {
            return Err(Error::InvalidArgument);
        }
        size = times(size, factor)?;
    }
    Ok(size)
}

impl<'a> Forward<'a> {
    /// The same with outputs cut to their lengths.
    pub(super) fn checked(self, layer: &impl Layer) -> Result<Forward<'a>, Error> {
        let saved = layer.saved_len(self.batch)?;
        let output = times(self.batch, layer.output_len())?;
        if self.parameters.len() != layer.parameters_len()
            || self.input.len() != times(self.batch, layer.input_len())?
        {
            return Err(Error::Shape);
        }
        if self.scratch.len() < layer.workspace_size(self.batch)? {
            return Err(Error::WorkspaceTooSmall);
        }
        let output = self.output.get_mut(..output).ok_or(Error::OutputTooSmall)?;
        let saved = self.saved.get_mut(..saved).ok_or(Error::OutputTooSmall)?;
        Ok(Forward { output, saved, ..self })
    }
}

impl<'a> Backward<'a> {
    /// The same with outputs cut to their lengths.
    pub(super) fn checked(self, layer: &impl Layer) -> Result<Backward<'a>, Error> {
        let (input, output) = (times(self.batch, layer.input_len())?, times(self.batch, layer.output_len())?);
        let parameters = layer.parameters_len();
        if self.parameters.len() != parameters
            || self.input.len() != input
            || self.output.len() != output
            || self.output_gradient.len() != output
        {
            return Err(Error::Shape);
        }
        if self.scratch.len() < layer.workspace_size(self.batch)? {
            return Err(Error::WorkspaceTooSmall);
        }
        let saved = self.saved.get(..layer.saved_len(self.batch)?).ok_or(Error::Shape)?;
        let input_gradient = match self.input_gradient {
            Some(gradient) => Some(gradient.get_mut(..input).ok_or(Error::OutputTooSmall)?),
            None => None,
        };
        let parameters_gradient =
            self.parameters_gradient.get_mut(..parameters).ok_or(Error::OutputTooSmall)?;
        Ok(Backward { saved, input_gradient, parameters_gradient, ..self })
    }
}
