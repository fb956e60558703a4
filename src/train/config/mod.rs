//! What a training run is told: a TOML file, or the defaults.
//!
//! Every key has a default; a key that does not exist is refused with its line. The names `base_learning_rate`,
//! `data_clusters`, `param_clusters`, `initial_trust_radius`, `momentum` and `batch_size` are those of the flags.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::io::{ErrorKind, IoError, printable};

mod check;
mod clusters;
mod hybrid;
mod model;
mod optimizer;

pub use clusters::{ClusterConfig, Sampling};
pub use hybrid::{DistillationConfig, PredictorConfig, PredictorWeights, TrustConfig};
pub use model::{CurveName, FitName, ModelConfig, ModelKind, WeightForm};
pub use optimizer::{BaseName, GradientName, OptimizerConfig, Schedule, StorageName};

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
    /// Steps from one measurement of the quantization error and of the flips of trits to the next; 0: at the end of each epoch.
    /// Default 0.
    pub measure_every: u32,
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
    /// The teacher.
    pub distillation: DistillationConfig,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            seed: 0,
            epochs: 40,
            batch_size: 32,
            validation: 0.1,
            patience: 0,
            measure_every: 0,
            model: ModelConfig::default(),
            optimizer: OptimizerConfig::default(),
            clusters: ClusterConfig::default(),
            trust_region: TrustConfig::default(),
            predictor: PredictorConfig::default(),
            distillation: DistillationConfig::default(),
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
            IoError::new(ErrorKind::Request, path, what, "see docs/train_config.md for the keys")
        })
    }

    /// As TOML, every key written out.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // Plain numbers, names and tables: there is nothing in them that TOML cannot hold.
        toml::to_string(self).unwrap_or_default()
    }
}
