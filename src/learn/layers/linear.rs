//! Weights times inputs, plus a bias.

use crate::Error;
use crate::linear::matmul;
use crate::linear::matrix::{Form, Product};
use crate::quant::NonFinite;
use crate::workspace::{Carver, Layout, split_rows_mut};

use super::bias::add_rows;
use super::checks::{sizes, times};
use super::weights::{Activations, Weights, add_clipped};
use super::{Backward, Forward, Layer, Parameter, Start, sealed};

/// `y = W x + b`, with `W` and `x` seen as they are or through few bits ([`Weights`], [`Activations`]).
///
/// A sample is `positions` vectors, each mapped by itself. Parameters: `weight` (outputs x inputs), then `bias` (outputs)
/// if there is one. Saved: of ternary weights what forward saw, `outputs * (inputs + 1)` values.
///
/// Trits times int8 run on the packed kernels of [`crate::linear`]: the outputs have the bits that the exported, packed
/// weights ([`Format::Tq2_0`](crate::quant::Format::Tq2_0), one scale a row) give with
/// [`matmul`](crate::linear::matmul). All other products are those of [`crate::linear::matrix`].
///
/// ```
/// use hybridq::learn::layers::{Activations, Forward, Layer, Linear, Weights};
/// use hybridq::quant::Fit;
/// let layer = Linear::new(3, 2, true)?.seen(Weights::ternary(Fit::Mse), Activations::Float)?;
/// let parameters = [0.9, -1.1, 0.1, 0.0, 0.5, 0.5, 10.0, 20.0]; // 2 x 3 weights, 2 biases
/// let (mut output, mut saved) = ([0.0; 2], vec![0.0; layer.saved_len(1)?]);
/// let mut scratch = vec![0; layer.workspace_size(1)?];
/// layer.forward(Forward {
///     batch: 1,
///     parameters: &parameters,
///     input: &[1.0, 2.0, 4.0],
///     output: &mut output,
///     saved: &mut saved,
///     scratch: &mut scratch,
/// })?;
/// assert_eq!(output, [9.0, 23.0]); // 1 - 2, and 0.5 (2 + 4)
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    positions: usize,
    bias: bool,
    weights: Weights,
    activations: Activations,
}

impl Linear {
    /// A float layer.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no inputs or outputs, [`Error::SizeOverflow`].
    pub fn new(inputs: usize, outputs: usize, bias: bool) -> Result<Linear, Error> {
        sizes(&[inputs.checked_add(1).ok_or(Error::SizeOverflow)?, outputs])?;
        sizes(&[inputs])?;
        let (weights, activations) = (Weights::Float, Activations::Float);
        Ok(Linear { inputs, outputs, positions: 1, bias, weights, activations })
    }

    /// The same with other eyes.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a fit that is not named at [`Weights::Ternary`], [`Error::InvalidArgument`] for an
    /// `inverse_slope` outside 0 to 1 or a `clip` not above 0.
    pub fn seen(self, weights: Weights, activations: Activations) -> Result<Linear, Error> {
        weights.check()?;
        Ok(Linear { weights, activations, ..self })
    }

    /// The same for samples of several vectors.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for none, [`Error::SizeOverflow`].
    pub fn positions(self, positions: usize) -> Result<Linear, Error> {
        sizes(&[self.inputs.max(self.outputs), positions])?;
        Ok(Linear { positions, ..self })
    }

    /// Inputs of a vector.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs of a vector.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    fn matrix(&self) -> usize {
        self.inputs * self.outputs
    }

    fn forward_product(&self, rows: usize) -> Product {
        let add = self.bias;
        Product { form: Form::ABt, rows, cols: self.outputs, inner: self.inputs, add }
    }

    /// Those of the weights' gradient, and of the inputs'.
    fn backward_products(&self, rows: usize) -> [Product; 2] {
        let add = self.weights.clip().is_none();
        let weights = Product { form: Form::AtB, rows: self.outputs, cols: self.inputs, inner: rows, add };
        let inputs = Product { form: Form::AB, rows, cols: self.inputs, inner: self.outputs, add: false };
        [weights, inputs]
    }

    fn packed_layout(&self, rows: usize) -> Result<Layout, Error> {
        let layout = self.activations.layout(rows, self.inputs, Layout::EMPTY)?;
        self.weights.layout(self.outputs, self.inputs, layout)
    }
}

impl sealed::Sealed for Linear {}

impl Layer for Linear {
    fn input_len(&self) -> usize {
        self.inputs * self.positions
    }

    fn output_len(&self) -> usize {
        self.outputs * self.positions
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        match index {
            0 => Some(Parameter {
                name: "weight",
                rows: self.outputs,
                cols: self.inputs,
                start: Start::he(self.inputs),
            }),
            1 if self.bias => {
                Some(Parameter { name: "bias", rows: 1, cols: self.outputs, start: Start::Constant(0.0) })
            }
            _ => None,
        }
    }

    fn saved_len(&self, _: usize) -> Result<usize, Error> {
        self.weights.saved_len(self.outputs, self.inputs)
    }

    fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        let rows = times(batch, self.positions)?;
        let forward = self.packed_layout(rows)?.array::<u8>(self.forward_product(rows).workspace_size()?)?;
        let [weights, inputs] = self.backward_products(rows);
        let product = weights.workspace_size()?.max(inputs.workspace_size()?);
        let gradient = if weights.add { 0 } else { self.matrix() };
        let backward = self.activations.layout(rows, self.inputs, Layout::EMPTY)?;
        let backward = backward.array::<f32>(gradient)?.array::<u8>(product)?;
        Ok(forward.size().max(backward.size()))
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { batch, parameters, input, output, saved, scratch } = job.checked(self)?;
        let rows = batch * self.positions;
        let (weights, bias) = parameters.split_at_checked(self.matrix()).ok_or(Error::Shape)?;
        let mut carver = Carver::new(scratch);
        let x = self.activations.codes((rows, self.inputs), input, NonFinite::Error, &mut carver)?;
        let (seen, packed) = self.weights.see((self.outputs, self.inputs), weights, saved, &mut carver)?;
        if let (Some(packed), Activations::Int8) = (packed, self.activations) {
            matmul(&packed, rows, x.acts, output)?;
            for row in split_rows_mut(output, bias.len()) {
                for (y, &b) in row.iter_mut().zip(bias) {
                    *y += b;
                }
            }
            return Ok(());
        }
        for row in split_rows_mut(output, bias.len()) {
            for (y, &b) in row.iter_mut().zip(bias) {
                *y = b;
            }
        }
        let product = self.forward_product(rows);
        product.run(x.values()?, seen, output, carver.take(product.workspace_size()?)?)
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let job = job.checked(self)?;
        let rows = job.batch * self.positions;
        let (weights, _) = job.parameters.split_at_checked(self.matrix()).ok_or(Error::Shape)?;
        let (to_weights, to_bias) =
            job.parameters_gradient.split_at_mut_checked(self.matrix()).ok_or(Error::OutputTooSmall)?;
        let (seen, scales) = self.weights.seen(weights, job.saved);
        let mut carver = Carver::new(job.scratch);
        // Forward has refused what is not finite.
        let saturate = NonFinite::Saturate;
        let x = self.activations.see((rows, self.inputs), job.input, saturate, &mut carver)?;
        let [of_weights, of_inputs] = self.backward_products(rows);
        let gradient = carver.take::<f32>(if of_weights.add { 0 } else { self.matrix() })?;
        let panels = carver.take(of_weights.workspace_size()?.max(of_inputs.workspace_size()?))?;
        match self.weights.clip() {
            Some(clip) => {
                of_weights.run(job.output_gradient, x, gradient, panels)?;
                add_clipped(clip, scales, weights, gradient, to_weights);
            }
            None => of_weights.run(job.output_gradient, x, to_weights, panels)?,
        }
        add_rows(job.output_gradient, to_bias);
        match job.input_gradient {
            Some(to) => of_inputs.run(job.output_gradient, seen, to, panels),
            None => Ok(()),
        }
    }
}
