//! Training on a computer: a configuration, a table of samples, the hybrid loop.

mod checkpoint;
mod config;
mod dataset;
mod error;
mod export;
mod measure;
mod metrics;
mod models;
mod network;
mod resume;
mod row_clusters;
mod sampler;
mod summary;
mod teacher;
mod text;
mod trainer;
mod trial;

pub use config::{
    BaseName, ClusterConfig, Config, CurveName, DistillationConfig, FitName, GradientName, ModelConfig,
    ModelKind, OptimizerConfig, PredictorConfig, Sampling, Schedule, StorageName, TrustConfig, WeightForm,
};
pub use dataset::{Dataset, LabelColumn};
pub use error::TrainError;
pub use export::Exported;
pub use measure::Measured;
pub use metrics::{Line, Metrics};
pub use network::{Evaluation, Lesson, Network, Samples};
pub use row_clusters::RowCluster;
pub use sampler::ClusterState;
pub use summary::Summary;
pub use teacher::Teacher;
pub use text::Vocabulary;
pub use trainer::{Step, Trainer};
