//! Convolution over images and signals.

use crate::Error;
use crate::linear::matrix::{Form, Product};
use crate::quant::NonFinite;
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::bias::add_channels;
use super::checks::{sizes, times};
use super::weights::{Activations, Weights, add_clipped};
use super::windows::{Grid, Image, Window};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// A convolution (a correlation, as everywhere in learning): each output channel is the product of its weights with a
/// window of all input channels, at every place of the window, plus a bias.
///
/// Samples are images, channel after channel ([`Image`]); in one dimension, images of height 1. Parameters: `weight`
/// (outputs x (channels * rows * columns of the window)), then `bias` (outputs) if there is one. Saved: of ternary weights
/// what forward saw, and a scale a row. The windows of one sample at a time are unfolded into scratch, and multiplied by
/// [`crate::linear::matrix`]. Int8 inputs have a scale for every 256 values of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    grid: Grid,
    outputs: usize,
    bias: bool,
    weights: Weights,
    activations: Activations,
}

impl Conv {
    /// A float layer with so many output channels.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if a size is 0, a padding not below the size of the window, or the window larger than
    /// the padded image; [`Error::SizeOverflow`].
    pub fn new(image: Image, window: Window, outputs: usize, bias: bool) -> Result<Conv, Error> {
        let grid = Grid::new(image, window)?;
        sizes(&[outputs, grid.places()])?;
        sizes(&[outputs, grid.inner().checked_add(1).ok_or(Error::SizeOverflow)?])?;
        Ok(Conv { grid, outputs, bias, weights: Weights::Float, activations: Activations::Float })
    }

    /// The same with other eyes, as [`Linear::seen`](super::Linear::seen).
    ///
    /// # Errors
    /// Likewise.
    pub fn seen(self, weights: Weights, activations: Activations) -> Result<Conv, Error> {
        weights.check()?;
        Ok(Conv { weights, activations, ..self })
    }

    /// What comes out.
    #[must_use]
    pub fn output_image(&self) -> Image {
        self.grid.output(self.outputs)
    }

    fn matrix(&self) -> usize {
        self.outputs * self.grid.inner()
    }

    /// Those of forward, of the weights' gradient, and of the inputs'.
    fn products(&self) -> [Product; 3] {
        let (outputs, inner, places) = (self.outputs, self.grid.inner(), self.grid.places());
        [
            Product { form: Form::AB, rows: outputs, cols: places, inner, add: self.bias },
            Product { form: Form::ABt, rows: outputs, cols: inner, inner: places, add: true },
            Product { form: Form::AtB, rows: inner, cols: places, inner: outputs, add: false },
        ]
    }

    fn windows(&self) -> Result<usize, Error> {
        times(self.grid.inner(), self.grid.places())
    }

    /// Bytes of the scratch of the products.
    fn panels(&self) -> Result<usize, Error> {
        let mut most = 0;
        for product in self.products() {
            most = product.workspace_size()?.max(most);
        }
        Ok(most)
    }
}

impl sealed::Sealed for Conv {}

impl Layer for Conv {
    fn input_len(&self) -> usize {
        self.grid.image.len()
    }

    fn output_len(&self) -> usize {
        self.outputs * self.grid.places()
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        let inner = self.grid.inner();
        match index {
            0 => Some(Parameter { name: "weight", rows: self.outputs, cols: inner, start: Start::he(inner) }),
            1 if self.bias => {
                Some(Parameter { name: "bias", rows: 1, cols: self.outputs, start: Start::Constant(0.0) })
            }
            _ => None,
        }
    }

    fn saved_len(&self, _: usize) -> Result<usize, Error> {
        self.weights.saved_len(self.outputs, self.grid.inner())
    }

    fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        let layout = self.activations.layout(batch, self.input_len(), Layout::EMPTY)?;
        let layout = layout.array::<f32>(self.windows()?)?.array::<u8>(self.panels()?)?;
        let gradient = if self.weights.clip().is_some() { self.matrix() } else { 0 };
        let forward = self.weights.layout(self.outputs, self.grid.inner(), layout)?;
        Ok(forward.size().max(layout.array::<f32>(gradient)?.size()))
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { batch, parameters, input, output, saved, scratch } = job.checked(self)?;
        let (weights, bias) = parameters.split_at_checked(self.matrix()).ok_or(Error::Shape)?;
        let mut carver = Carver::new(scratch);
        let x = self.activations.see((batch, self.input_len()), input, NonFinite::Error, &mut carver)?;
        let windows = carver.take::<f32>(self.windows()?)?;
        let panels = carver.take::<u8>(self.panels()?)?;
        let (seen, _) = self.weights.see((self.outputs, self.grid.inner()), weights, saved, &mut carver)?;
        let [product, _, _] = self.products();
        for (x, y) in split_rows(x, self.input_len()).zip(split_rows_mut(output, self.output_len())) {
            self.grid.unfold(x, windows);
            for (y, &b) in split_rows_mut(y, self.grid.places()).zip(bias) {
                y.fill(b);
            }
            product.run(seen, windows, y, panels)?;
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let job = job.checked(self)?;
        let (weights, _) = job.parameters.split_at_checked(self.matrix()).ok_or(Error::Shape)?;
        let (to_weights, to_bias) =
            job.parameters_gradient.split_at_mut_checked(self.matrix()).ok_or(Error::OutputTooSmall)?;
        let (seen, scales) = self.weights.seen(weights, job.saved);
        let mut carver = Carver::new(job.scratch);
        // Forward has refused what is not finite.
        let saturate = NonFinite::Saturate;
        let shape = (job.batch, self.input_len());
        let x = self.activations.see(shape, job.input, saturate, &mut carver)?;
        let windows = carver.take::<f32>(self.windows()?)?;
        let panels = carver.take::<u8>(self.panels()?)?;
        let [_, of_weights, of_inputs] = self.products();
        let clip = self.weights.clip();
        let gradient = carver.take::<f32>(if clip.is_some() { self.matrix() } else { 0 })?;
        gradient.fill(0.0);
        let mut to_inputs = job.input_gradient.map(|to| split_rows_mut(to, self.input_len()));
        let samples = split_rows(x, self.input_len());
        for (x, from) in samples.zip(split_rows(job.output_gradient, self.output_len())) {
            self.grid.unfold(x, windows);
            let to = if clip.is_some() { &mut *gradient } else { &mut *to_weights };
            of_weights.run(from, windows, to, panels)?;
            if let Some(to) = to_inputs.as_mut().and_then(Iterator::next) {
                of_inputs.run(seen, from, windows, panels)?;
                to.fill(0.0);
                self.grid.fold(windows, to);
            }
        }
        if let Some(clip) = clip {
            add_clipped(clip, scales, weights, gradient, to_weights);
        }
        add_channels(job.output_gradient, self.grid.places(), to_bias);
        Ok(())
    }
}
