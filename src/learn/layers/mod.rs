//! Layers of small networks, forward and backward, and losses; every buffer is the caller's.
//!
//! A layer is a small value that says how large it is: its parameters, inputs, outputs and gradients are slices that the
//! caller owns. [`Sequence`] is a network of them as data, itself with the interface of a [`Layer`].
//!
//! # Buffers
//!
//! All are row-major `f32`, sample after sample.
//!
//! | buffer | values | forward | backward |
//! |---|---|---|---|
//! | `parameters` | [`Layer::parameters_len`] | read | read |
//! | `input` | batch * [`Layer::input_len`] | read | read |
//! | `output` | batch * [`Layer::output_len`] | written | read |
//! | `saved` | [`Layer::saved_len`] | written | read |
//! | `output_gradient` | as `output` | | read |
//! | `input_gradient` | as `input` | | written, if it is wanted |
//! | `parameters_gradient` | as `parameters` | | **added to**: clear it first |
//! | `scratch` | [`Layer::workspace_size`] bytes | holds nothing between calls | |
//!
//! Backward wants `parameters`, `input`, `output` and `saved` as forward left them. That gradients of parameters are
//! added to lets a batch be worked off in parts.
//!
//! # Errors
//!
//! Lengths are checked before anything is written: [`Error::Shape`] for what is read (exact lengths),
//! [`Error::OutputTooSmall`] for what is written (at least), [`Error::WorkspaceTooSmall`] for `scratch`,
//! [`Error::SizeOverflow`] if a length does not fit `usize`.
//!
//! NaN and infinities go through float layers as IEEE 754 has it (a ReLU keeps NaN), so that the loss shows them: the
//! [losses](loss) refuse them with [`Error::NonFinite`]. Forward of a layer with ternary weights or int8 activations
//! refuses non-finite weights and inputs with [`Error::NonFinite`], because they have no scale, and a row of weights whose
//! scale exceeds the f16 range with [`Error::ScaleRange`]. After an error of forward `output` is what it was (`saved` may
//! not be). Backward has no such errors.
//!
//! # Bits
//!
//! The same on every tier. A sample's output does not depend on the rest of the batch, sums over the batch are in its
//! order.

mod activation;
mod any;
mod attention;
mod bias;
mod checks;
mod conv;
mod embedding;
mod linear;
pub mod loss;
mod norm;
mod pool;
mod sequence;
mod weights;
mod windows;

pub use activation::{Activation, Curve};
pub use any::AnyLayer;
pub use attention::Attention;
pub use bias::Bias;
pub use conv::Conv;
pub use embedding::Embedding;
pub use linear::Linear;
pub use norm::RmsNorm;
pub use pool::{Pool, Pooling};
pub use sequence::{Array, Sequence};
pub use weights::{Activations, Weights};
pub use windows::{Image, Window};

use crate::Error;

/// What [`Layer::forward`] reads and writes; the table in [the page above](self) says how long each is.
#[derive(Debug)]
pub struct Forward<'a> {
    /// Samples.
    pub batch: usize,
    /// Weights, then biases, in the order of [`Layer::parameter`].
    pub parameters: &'a [f32],
    /// What comes in.
    pub input: &'a [f32],
    /// What goes out.
    pub output: &'a mut [f32],
    /// What backward will need.
    pub saved: &'a mut [f32],
    /// At least [`Layer::workspace_size`] bytes.
    pub scratch: &'a mut [u8],
}

/// What [`Layer::backward`] reads and writes.
#[derive(Debug)]
pub struct Backward<'a> {
    /// Samples.
    pub batch: usize,
    /// As in forward.
    pub parameters: &'a [f32],
    /// As in forward.
    pub input: &'a [f32],
    /// What forward wrote.
    pub output: &'a [f32],
    /// What forward wrote.
    pub saved: &'a [f32],
    /// The derivative of the loss by each output.
    pub output_gradient: &'a [f32],
    /// The derivative by each input is written here.
    pub input_gradient: Option<&'a mut [f32]>,
    /// The derivative by each parameter is added here.
    pub parameters_gradient: &'a mut [f32],
    /// At least [`Layer::workspace_size`] bytes.
    pub scratch: &'a mut [u8],
}

/// An array among the parameters of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// `weight`, `bias`, `gain`: unique within the layer.
    pub name: &'static str,
    /// Outputs of a weight matrix; 1 for a vector.
    pub rows: usize,
    /// Inputs of a weight matrix; the length of a vector.
    pub cols: usize,
    /// What it is to be before training.
    pub start: Start,
}

impl Parameter {
    /// Numbers in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.saturating_mul(self.cols)
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is a weight matrix, which ternary training quantizes; biases and gains stay float.
    #[must_use]
    pub fn is_matrix(&self) -> bool {
        matches!(self.start, Start::Uniform(_))
    }
}

/// What a parameter is before training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// Even between minus and plus this. Weights have `sqrt(6 / inputs)`, which keeps the size of activations through
    /// ReLUs (He et al., arXiv:1502.01852).
    Uniform(f32),
    /// The same for all.
    Constant(f32),
}

impl Start {
    /// That of a weight matrix with so many inputs.
    fn he(inputs: usize) -> Start {
        Start::Uniform(crate::math::sqrt(6.0 / inputs.max(1) as f32))
    }
}

pub(crate) mod sealed {
    /// Which types are layers is up to this library.
    pub trait Sealed {}
}

/// A part of a network. See [the page above](self) for buffers and errors.
pub trait Layer: sealed::Sealed + Copy {
    /// Values of a sample that come in.
    fn input_len(&self) -> usize;

    /// Values of a sample that go out.
    fn output_len(&self) -> usize;

    /// The arrays among the parameters, in order; `None` after the last.
    fn parameter(&self, index: usize) -> Option<Parameter>;

    /// Parameters.
    fn parameters_len(&self) -> usize {
        (0..).map_while(|i| self.parameter(i)).map(|p| p.len()).fold(0, usize::saturating_add)
    }

    /// Values that forward keeps for backward.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    fn saved_len(&self, batch: usize) -> Result<usize, Error>;

    /// Bytes of scratch for forward and for backward.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    fn workspace_size(&self, batch: usize) -> Result<usize, Error>;

    /// Inputs to outputs.
    ///
    /// # Errors
    /// Those of [the page above](self).
    fn forward(&self, job: Forward<'_>) -> Result<(), Error>;

    /// Gradients of outputs to gradients of inputs and parameters.
    ///
    /// # Errors
    /// Those of lengths, see [the page above](self).
    fn backward(&self, job: Backward<'_>) -> Result<(), Error>;
}
