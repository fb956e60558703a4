//! Training on a computer: a configuration, a table of samples, the hybrid loop.

mod checkpoint;
mod config;
mod dataset;
mod error;
mod export;
mod metrics;
mod models;
mod network;
mod resume;
mod text;
mod trainer;

pub use config::{
    BaseName, ClusterConfig, Config, CurveName, DistillationConfig, FitName, GradientName, ModelConfig,
    ModelKind, OptimizerConfig, PredictorConfig, Sampling, Schedule, StorageName, TrustConfig, WeightForm,
};
pub use dataset::{Dataset, LabelColumn};
pub use error::TrainError;
pub use export::Exported;
pub use metrics::{Line, Metrics};
pub use network::{Evaluation, Lesson, Network, Samples};
pub use text::Vocabulary;
pub use trainer::{Step, Trainer};
