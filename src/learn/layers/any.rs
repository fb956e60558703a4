//! A layer of any kind, as a value.

use crate::Error;

use super::{
    Activation, Attention, Backward, Bias, Conv, Embedding, Forward, Layer, Linear, Parameter, Pool, RmsNorm,
    sealed,
};

/// Calls a method of whichever layer it is.
macro_rules! any {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// One of the layers: what a [`Sequence`](super::Sequence) is made of.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum AnyLayer {
            $($(#[$doc])* $name($name)),+
        }

        $(impl From<$name> for AnyLayer {
            fn from(layer: $name) -> AnyLayer {
                AnyLayer::$name(layer)
            }
        })+

        impl sealed::Sealed for AnyLayer {}

        impl Layer for AnyLayer {
            fn input_len(&self) -> usize {
                match self { $(AnyLayer::$name(layer) => layer.input_len()),+ }
            }

            fn output_len(&self) -> usize {
                match self { $(AnyLayer::$name(layer) => layer.output_len()),+ }
            }

            fn parameter(&self, index: usize) -> Option<Parameter> {
                match self { $(AnyLayer::$name(layer) => layer.parameter(index)),+ }
            }

            fn saved_len(&self, batch: usize) -> Result<usize, Error> {
                match self { $(AnyLayer::$name(layer) => layer.saved_len(batch)),+ }
            }

            fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
                match self { $(AnyLayer::$name(layer) => layer.workspace_size(batch)),+ }
            }

            fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
                match self { $(AnyLayer::$name(layer) => layer.forward(job)),+ }
            }

            fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
                match self { $(AnyLayer::$name(layer) => layer.backward(job)),+ }
            }
        }
    };
}

any! {
    /// Weights times inputs, plus a bias.
    Linear,
    /// A bias alone.
    Bias,
    /// Root mean square normalisation.
    RmsNorm,
    /// A ReLU, or its square.
    Activation,
    /// Convolution.
    Conv,
    /// The largest value, or the mean, of windows.
    Pool,
    /// Numbers of words to vectors.
    Embedding,
    /// Causal self-attention.
    Attention,
}
