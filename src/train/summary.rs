//! What a run has come to.

use serde::Serialize;

use super::measure::Measured;
use super::row_clusters::RowCluster;
use super::sampler::ClusterState;
use super::trainer::Trainer;

/// A run in numbers; they are in its checkpoint, too.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Steps made.
    pub steps: u64,
    /// Of them, those that were kept; `None` without a trust region.
    pub accepted: Option<u64>,
    /// Of them, those that ended at the boundary of the trust region; `None` without one.
    pub on_boundary: Option<u64>,
    /// Steps refused because loss or gradient were not finite; `None` without a trust region.
    pub refused: Option<u64>,
    /// The radius for the next step; `None` without a trust region.
    pub radius: Option<f32>,
    /// Geometric means of the multipliers of learning rate and radius; `None` without a predictor.
    pub mean_multipliers: Option<[f32; 2]>,
    /// The part of the predictor's steps that were kept; `None` without a predictor.
    pub success_rate: Option<f32>,
    /// Epochs that had ended when the best validation loss was found; `None` if none was.
    pub best_epoch: Option<u64>,
    /// That loss.
    pub best_loss: Option<f64>,
    /// The ternary weights at the last measurement.
    pub measured: Option<Measured>,
    /// Clusters of training rows.
    pub clusters: Vec<ClusterState>,
    /// Clusters of parameters; none in the first epoch.
    pub param_clusters: Vec<RowCluster>,
}

impl Trainer {
    /// What the run has come to so far.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let region = self.config.trust_region.enabled.then_some(&self.state.region);
        let predictor = self.predictor.as_ref().map(|p| &p.statistics);
        let best = !self.best.is_empty();
        Summary {
            steps: self.step,
            accepted: region.map(|r| r.statistics.accepted),
            on_boundary: region.map(|r| r.statistics.on_boundary),
            refused: region.map(|r| r.statistics.refused),
            radius: region.map(|r| r.radius),
            mean_multipliers: predictor.map(|p| p.mean_multipliers()),
            success_rate: predictor.map(|p| p.success_rate()),
            best_epoch: best.then_some(self.best_epoch),
            best_loss: best.then_some(self.best_loss),
            measured: self.measured,
            clusters: self.sampler.states.clone(),
            param_clusters: self.rows.clusters.clone(),
        }
    }
}
