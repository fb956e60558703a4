//! The parts of the hybrid step, and the teacher.

use serde::{Deserialize, Serialize};

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

/// What the auxiliary network begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PredictorWeights {
    /// Nothing learnt: multipliers of 1 until comparisons say otherwise.
    Untrained,
    /// What `hybridq meta-train` has learnt ([`Weights::TRAINED`](crate::learn::predictor::Weights::TRAINED)).
    Trained,
}

/// The auxiliary network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PredictorConfig {
    /// Whether it multiplies learning rate and radius; needs the trust region. Default true.
    pub enabled: bool,
    /// Default untrained: on held-out tasks the trained ones do harm too often (docs/predictor.md).
    pub weights: PredictorWeights,
    /// Steps from one comparison to the next; 0: never. Default 4.
    pub probe_every: u32,
}

impl Default for PredictorConfig {
    fn default() -> PredictorConfig {
        PredictorConfig { enabled: true, weights: PredictorWeights::Untrained, probe_every: 4 }
    }
}

/// What is learnt from a teacher, if there is one; without one, these keys do nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DistillationConfig {
    /// The teacher's part of the loss, 0 to 1: `(1 - weight) cross-entropy + weight T^2 KL(teacher, student)`. Default 0.5.
    pub weight: f32,
    /// `T`: what outputs are divided by before their softmax, 0.01 to 1000. Default 2.
    pub temperature: f32,
}

impl Default for DistillationConfig {
    fn default() -> DistillationConfig {
        DistillationConfig { weight: 0.5, temperature: 2.0 }
    }
}
