//! Training on a computer: a configuration, a table of samples or a text, the hybrid loop.
//!
//! A [`Config`] (TOML; `docs/train_config.md` has every key) and a [`Dataset`] make a [`Trainer`]; [`Trainer::step`] goes on by
//! one batch, [`Trainer::end_epoch`] judges by rows that were held back, [`Trainer::save`] and [`Trainer::resume`] go on with
//! the same bits, [`Trainer::with_teacher`] learns from a [`Teacher`] too, [`Trainer::summary`] says what came of it. The same
//! configuration and data give the same bits on every tier.
//!
//! ```
//! use hybridq::train::{Config, Dataset, Trainer};
//! // A table: the class is the larger of two numbers.
//! let x: Vec<f32> = (0..64).flat_map(|i| [(i % 8) as f32, (i / 8) as f32]).collect();
//! let labels = x.chunks(2).map(|row| (row[1] > row[0]) as u32).collect();
//! let data = Dataset { features: 2, classes: 2, labels_per_row: 1, x, labels };
//! let mut config = Config { epochs: 30, ..Config::default() };
//! config.model.hidden = vec![16];
//! config.optimizer.base_learning_rate = 0.02;
//! config.trust_region.initial_trust_radius = 0.1;
//! let mut trainer = Trainer::new(config, data.clone())?;
//! while trainer.steps() < trainer.total_steps() {
//!     trainer.step()?;
//! }
//! assert!(trainer.evaluate(&data)?.accuracy > 0.8);
//! # Ok::<(), hybridq::train::TrainError>(())
//! ```

mod checkpoint;
mod config;
mod dataset;
mod error;
mod export;
mod measure;
pub mod meta;
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
    ModelKind, OptimizerConfig, PredictorConfig, PredictorWeights, Sampling, Schedule, StorageName,
    TrustConfig, WeightForm,
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
