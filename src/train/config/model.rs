//! The network.

use serde::{Deserialize, Serialize};

use crate::learn::layers::{Activations, Curve, Weights};
use crate::quant::Fit;

/// The shape of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// A multilayer perceptron: for every hidden layer a norm, a matrix and a curve, then a norm and the output matrix.
    Mlp,
    /// Convolutions, each behind a norm, before a pool and a curve; then a multilayer perceptron. Rows are images: channel
    /// after channel, line after line.
    Conv,
    /// Causal self-attention over the characters of a text: the next one is foretold at every position. A table of characters
    /// and one of positions; for every block a norm, an attention with a way around it, a norm, and a multilayer perceptron with
    /// one hidden layer for every position.
    Attention,
}

/// What stands in for a weight in the forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightForm {
    /// The weight itself.
    Float,
    /// Its trit times the scale of its row, with the gradient passed straight through.
    Ternary,
    /// A number on the way from the weight to its trit: the weight itself before `ramp_start`, the trit from `ramp_end` on
    /// (PARQ, arXiv:2503.15748). Judged by its trits always.
    Proximal,
}

/// How scale and threshold of ternary weights are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitName {
    /// Mean magnitude (BitNet b1.58).
    Absmean,
    /// Least squared error.
    Mse,
    /// Nearly that, several times as fast.
    Lloyd,
    /// Largest magnitude.
    Absmax,
}

impl FitName {
    /// As the quantizers call it.
    #[must_use]
    pub fn fit(self) -> Fit {
        match self {
            FitName::Absmean => Fit::AbsMean,
            FitName::Mse => Fit::Mse,
            FitName::Lloyd => Fit::Lloyd,
            FitName::Absmax => Fit::AbsMax,
        }
    }
}

/// What follows a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CurveName {
    /// Nothing below 0.
    Relu,
    /// The square of that.
    ReluSquared,
}

impl CurveName {
    pub(in crate::train) fn curve(self) -> Curve {
        match self {
            CurveName::Relu => Curve::Relu,
            CurveName::ReluSquared => Curve::ReluSquared,
        }
    }
}

/// The network. Keys that its kind does not use are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Default mlp.
    pub kind: ModelKind,
    /// Neurons of each hidden layer; of attention exactly one number, that of each block. Default one of 64.
    pub hidden: Vec<usize>,
    /// Of conv: channels, height and width of a row. Default none: one channel, as high as wide.
    pub image: Vec<usize>,
    /// Of conv: output channels of each convolution. Default 8 and 16.
    pub filters: Vec<usize>,
    /// Of conv: height and width of the windows; zeros around the image keep its size if it is odd and `stride` 1. Default 3.
    pub kernel: usize,
    /// Of conv: by how much a window moves on. Default 1.
    pub stride: usize,
    /// Of conv: height and width of the squares of which the largest value is kept after each convolution; 1: all are kept.
    /// Default 2.
    pub pool: usize,
    /// Of attention: characters of a row. Default 64.
    pub context: usize,
    /// Of attention: numbers that stand for a character. Default 64.
    pub width: usize,
    /// Of attention: divides `width`. Default 4.
    pub heads: usize,
    /// Of attention. Default 1.
    pub blocks: usize,
    /// Default ternary.
    pub weights: WeightForm,
    /// Default absmean.
    pub fit: FitName,
    /// A weight beyond so many scales of its row gets no gradient; inf: all get theirs. Default inf.
    pub clip: f32,
    /// Of proximal weights: the part of all steps from which they turn from themselves to their trits, 0 to 1. Default 0.
    pub ramp_start: f32,
    /// Of proximal weights: the part of all steps from which they are their trits, `ramp_start` to 1. Default 0.8.
    pub ramp_end: f32,
    /// How fast ternary and proximal weights are drawn to their trits: by this, times the learning rate, of the way after each
    /// step. Default 0.
    pub pull: f32,
    /// Whether activations go into a product as int8, with float weights too. Default true.
    pub int8_activations: bool,
    /// Default relu.
    pub curve: CurveName,
    /// Whether the first matrix stays float, its activations too. Default false.
    pub float_first: bool,
    /// Whether the last matrix stays float, its activations too. Default false.
    pub float_last: bool,
}

impl Default for ModelConfig {
    fn default() -> ModelConfig {
        ModelConfig {
            kind: ModelKind::Mlp,
            hidden: vec![64],
            image: Vec::new(),
            filters: vec![8, 16],
            kernel: 3,
            stride: 1,
            pool: 2,
            context: 64,
            width: 64,
            heads: 4,
            blocks: 1,
            weights: WeightForm::Ternary,
            fit: FitName::Absmean,
            clip: f32::INFINITY,
            ramp_start: 0.0,
            ramp_end: 0.8,
            pull: 0.0,
            int8_activations: true,
            curve: CurveName::Relu,
            float_first: false,
            float_last: false,
        }
    }
}

impl ModelConfig {
    /// How layers see their weights and inputs, `inverse_slope` from the trits; that of a layer that stays float comes second.
    pub(in crate::train) fn eyes(&self, inverse_slope: f32) -> [(Weights, Activations); 2] {
        let activations = if self.int8_activations { Activations::Int8 } else { Activations::Float };
        let float = (Weights::Float, Activations::Float);
        let own = match self.weights {
            // What int8 costs can be looked at by itself.
            WeightForm::Float => (Weights::Float, activations),
            WeightForm::Ternary => {
                let (fit, clip) = (self.fit.fit(), self.clip);
                (Weights::Ternary { fit, inverse_slope: 0.0, clip }, activations)
            }
            WeightForm::Proximal => {
                let (fit, clip) = (self.fit.fit(), self.clip);
                (Weights::Ternary { fit, inverse_slope, clip }, activations)
            }
        };
        [own, float]
    }
}
