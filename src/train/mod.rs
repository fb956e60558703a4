//! Training on a computer: a configuration, a table of samples, the hybrid loop.

mod config;
mod dataset;
mod error;
mod network;
mod trainer;

pub use config::{
    BaseName, ClusterConfig, Config, CurveName, FitName, GradientName, ModelConfig, OptimizerConfig,
    PredictorConfig, Sampling, Schedule, StorageName, TrustConfig, WeightForm,
};
pub use dataset::{Dataset, LabelColumn};
pub use error::TrainError;
pub use network::{Evaluation, Network};
pub use trainer::{Step, Trainer};
