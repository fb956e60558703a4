//! Training on a computer: a configuration, a table of samples, the hybrid loop.

mod checkpoint;
mod config;
mod dataset;
mod error;
mod export;
mod metrics;
mod network;
mod resume;
mod trainer;

pub use config::{
    BaseName, ClusterConfig, Config, CurveName, FitName, GradientName, ModelConfig, OptimizerConfig,
    PredictorConfig, Sampling, Schedule, StorageName, TrustConfig, WeightForm,
};
pub use dataset::{Dataset, LabelColumn};
pub use error::TrainError;
pub use export::Exported;
pub use metrics::{Line, Metrics};
pub use network::{Evaluation, Network};
pub use trainer::{Step, Trainer};
