//! What a training run is told: a TOML file, or the defaults.
//!
//! Every key has a default; a key that does not exist is refused with its line. The names `base_learning_rate`,
//! `data_clusters`, `param_clusters`, `initial_trust_radius`, `momentum` and `batch_size` are those of the flags.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::io::{ErrorKind, IoError, printable};
use crate::learn::layers::{Activations, Curve};
use crate::learn::optimizer::{Base, GradientForm, Storage};
use crate::quant::Fit;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Of everything that is drawn: first parameters, batches, clusters, stochastic rounding. Default 0.
    pub seed: u64,
    /// Times that every row is seen. Default 40.
    pub epochs: u32,
    /// Rows of a step. Default 32.
    pub batch_size: usize,
    /// The part of the training rows that is held back to judge by, 0 to 0.9; at 0 nothing is, and the last parameters are
    /// kept. Default 0.1.
    pub validation: f32,
    /// Epochs without a better validation loss after which the run ends; 0: never. Default 0.
    pub patience: u32,
    /// The network.
    pub model: ModelConfig,
    /// How to step.
    pub optimizer: OptimizerConfig,
    /// Clusters of rows and of parameters.
    pub clusters: ClusterConfig,
    /// How far to step.
    pub trust_region: TrustConfig,
    /// The auxiliary network.
    pub predictor: PredictorConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            seed: 0,
            epochs: 40,
            batch_size: 32,
            validation: 0.1,
            patience: 0,
            model: ModelConfig::default(),
            optimizer: OptimizerConfig::default(),
            clusters: ClusterConfig::default(),
            trust_region: TrustConfig::default(),
            predictor: PredictorConfig::default(),
        }
    }
}

impl Config {
    /// Reads TOML; errors call the file `path`.
    ///
    /// # Errors
    /// What is no TOML, a key that does not exist, a value of another type: with line and column.
    pub fn from_toml(text: &str, path: &Path) -> Result<Config, IoError> {
        toml::from_str(text).map_err(|e| {
            let place = e.span().map_or(String::new(), |span| {
                let before = text.get(..span.start).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                let column = before.len() - before.rfind('\n').map_or(0, |i| i + 1) + 1;
                format!("line {line}, column {column}: ")
            });
            let what = format!("is refused: {place}{}", printable(e.message().trim()));
            IoError::new(ErrorKind::Request, path, what, "see docs/train.md for the keys")
        })
    }

    /// As TOML, every key written out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Plain numbers, names and tables: there is nothing in them that TOML cannot hold.
        toml::to_string(self).unwrap_or_default()
    }
}

/// What stands in for a weight in the forward pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeightForm {
    /// The weight itself.
    Float,
    /// Its trit times the scale of its row, with the gradient passed straight through.
    Ternary,
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
    pub(super) fn curve(self) -> Curve {
        match self {
            CurveName::Relu => Curve::Relu,
            CurveName::ReluSquared => Curve::ReluSquared,
        }
    }
}

/// A multilayer perceptron: for every hidden layer a norm, a matrix and a curve, then a norm and the output matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Neurons of each hidden layer. Default one of 64.
    pub hidden: Vec<usize>,
    /// Default ternary.
    pub weights: WeightForm,
    /// Default absmean.
    pub fit: FitName,
    /// Whether activations go into a product as int8. Default true.
    pub int8_activations: bool,
    /// Default ReLU.
    pub curve: CurveName,
}

impl Default for ModelConfig {
    fn default() -> ModelConfig {
        ModelConfig {
            hidden: vec![64],
            weights: WeightForm::Ternary,
            fit: FitName::Absmean,
            int8_activations: true,
            curve: CurveName::Relu,
        }
    }
}

impl ModelConfig {
    pub(super) fn activations(&self) -> Activations {
        if self.int8_activations { Activations::Int8 } else { Activations::Float }
    }
}

/// The direction of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaseName {
    /// Momentum.
    Sgd,
    /// Momentum looked for ahead.
    Nesterov,
    /// Adam with Nesterov momentum and decoupled weight decay.
    NadamW,
}

impl BaseName {
    pub(super) fn base(self) -> Base {
        match self {
            BaseName::Sgd => Base::Sgd,
            BaseName::Nesterov => Base::Nesterov,
            BaseName::NadamW => Base::NadamW,
        }
    }
}

/// How a number per parameter is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageName {
    /// Not at all.
    None,
    /// 32 bits.
    F32,
    /// 8.125 bits.
    Int8,
    /// 4.25 bits.
    Int4,
    /// 1.625 bits.
    Ternary,
}

impl StorageName {
    pub(super) fn storage(self) -> Storage {
        match self {
            StorageName::None => Storage::None,
            StorageName::F32 => Storage::F32,
            StorageName::Int8 => Storage::Int8,
            StorageName::Int4 => Storage::Int4,
            StorageName::Ternary => Storage::Ternary,
        }
    }
}

/// What is done to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GradientName {
    /// Nothing.
    F32,
    /// Trits, after a clip at 2.5 standard deviations.
    Ternary,
}

impl GradientName {
    pub(super) fn form(self) -> GradientForm {
        match self {
            GradientName::F32 => GradientForm::F32,
            GradientName::Ternary => GradientForm::Ternary,
        }
    }
}

/// How the learning rate runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same to the end.
    Constant,
    /// Down to 0 in half a cosine.
    Cosine,
}

/// How to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Default nadamw.
    pub base: BaseName,
    /// Default 1e-3.
    pub base_learning_rate: f32,
    /// Default cosine.
    pub schedule: Schedule,
    /// The part of all steps in which the rate rises from 0, 0 to 1. Default 0.05.
    pub warmup: f32,
    /// Default 0.9.
    pub momentum: f32,
    /// Of nadamw. Default 0.999.
    pub beta2: f32,
    /// Decoupled. Default 0.05.
    pub weight_decay: f32,
    /// The norm that a gradient is scaled down to. Default 1.
    pub clip_norm: f32,
    /// Default f32.
    pub gradient: GradientName,
    /// How the error of ternary gradients is fed back. Default int8.
    pub residual: StorageName,
    /// How the momentum is held. Default f32.
    pub moment: StorageName,
    /// How the second moment of nadamw is held. Default f32.
    pub second: StorageName,
}

impl Default for OptimizerConfig {
    fn default() -> OptimizerConfig {
        OptimizerConfig {
            base: BaseName::NadamW,
            base_learning_rate: 1e-3,
            schedule: Schedule::Cosine,
            warmup: 0.05,
            momentum: 0.9,
            beta2: 0.999,
            weight_decay: 0.05,
            clip_norm: 1.0,
            gradient: GradientName::F32,
            residual: StorageName::Int8,
            moment: StorageName::F32,
            second: StorageName::F32,
        }
    }
}

/// How batches are drawn from the clusters of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sampling {
    /// Every batch has its share of every cluster, every row comes once an epoch.
    Balanced,
    /// A cluster is drawn by its size, and a batch from it.
    Cluster,
}

/// Clusters of rows and of parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterConfig {
    /// Clusters of the training rows; 1: none. Default 8.
    pub data_clusters: usize,
    /// Default balanced.
    pub sampling: Sampling,
}

impl Default for ClusterConfig {
    fn default() -> ClusterConfig {
        ClusterConfig { data_clusters: 8, sampling: Sampling::Balanced }
    }
}

/// The trust region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrustConfig {
    /// Whether steps are bounded, tried and judged. Default true.
    pub enabled: bool,
    /// Of the norm of a step. Default 1e-2.
    pub initial_trust_radius: f32,
    /// The change of the loss, as a part of it, that counts as noise of the batch. Default 0.05.
    pub noise: f32,
}

impl Default for TrustConfig {
    fn default() -> TrustConfig {
        TrustConfig { enabled: true, initial_trust_radius: 1e-2, noise: 0.05 }
    }
}

/// The auxiliary network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PredictorConfig {
    /// Whether it multiplies learning rate and radius; needs the trust region. Default true.
    pub enabled: bool,
    /// Steps from one comparison to the next. Default 4.
    pub probe_every: u32,
}

impl Default for PredictorConfig {
    fn default() -> PredictorConfig {
        PredictorConfig { enabled: true, probe_every: 4 }
    }
}
