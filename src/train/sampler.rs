//! Batches, drawn from clusters of the training rows, and what is known of each cluster.

use serde::Serialize;

use crate::kmeans::{
    Batches, DataClusters, FitOptions, Points, Restarts, Seeding, balanced_batch, batches_per_epoch,
    cluster_batch, fit_seeded, fit_seeded_workspace_size,
};
use crate::learn::hybrid::Multipliers;

use super::config::{Config, Sampling};
use super::dataset::Dataset;
use super::error::TrainError;

/// What has happened to a cluster of training rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ClusterState {
    /// Its rows.
    pub rows: u32,
    /// Steps whose batch had most of its rows from it.
    pub steps: u64,
    /// Labels seen, each as often as it was.
    pub seen: u64,
    /// The mean loss of its labels, over about the last time that each was seen; 0 before the first.
    pub mean_loss: f64,
    /// What the learning rate was multiplied with in the last of those steps.
    pub rate_multiplier: f32,
    /// The same of the radius.
    pub radius_multiplier: f32,
}

/// Words of a cluster's state in a checkpoint.
pub(super) const WORDS: usize = 5;

impl ClusterState {
    pub(super) fn words(&self) -> [u64; WORDS] {
        let ClusterState { rows, steps, seen, mean_loss, rate_multiplier, radius_multiplier } = *self;
        let multipliers = (rate_multiplier.to_bits() as u64) << 32 | radius_multiplier.to_bits() as u64;
        [rows as u64, steps, seen, mean_loss.to_bits(), multipliers]
    }

    pub(super) fn from_words([rows, steps, seen, mean_loss, multipliers]: [u64; WORDS]) -> ClusterState {
        ClusterState {
            rows: rows as u32,
            steps,
            seen,
            mean_loss: f64::from_bits(mean_loss),
            rate_multiplier: f32::from_bits((multipliers >> 32) as u32),
            radius_multiplier: f32::from_bits(multipliers as u32),
        }
    }
}

/// The rows of a step.
#[derive(Clone, Debug, Default)]
pub(super) struct Drawn {
    /// Their numbers.
    pub rows: Vec<u32>,
    pub x: Vec<f32>,
    pub labels: Vec<u32>,
    /// What the teacher says of them; empty without one.
    pub teacher: Vec<f32>,
    /// The cluster of most of them.
    pub cluster: u32,
}

/// Clusters of the training rows.
#[derive(Clone, Debug)]
pub(super) struct Sampler {
    labels: Vec<u32>,
    starts: Vec<u32>,
    rows: Vec<u32>,
    pub states: Vec<ClusterState>,
}

impl Sampler {
    /// Finds the clusters.
    pub fn new(config: &Config, data: &Dataset) -> Result<Sampler, TrainError> {
        let k = config.clusters.data_clusters.min(data.rows());
        let mut labels = vec![0; data.rows()];
        if k > 1 {
            let (width, values) = data.points();
            let points = Points::new(data.rows(), width, &values)?;
            let options = FitOptions::default();
            let restarts = Restarts { seeding: Seeding::PlusPlus { trials: 0 }, count: 1, seed: config.seed };
            let size = fit_seeded_workspace_size(data.rows(), width, k, &options, &restarts)?;
            let mut centers = vec![0.0; k * width];
            fit_seeded(&points, k, &options, &restarts, &mut centers, &mut labels, &mut vec![0; size])?;
        }
        let (mut starts, mut rows) = (vec![0; k + 1], vec![0; data.rows()]);
        DataClusters::group(&labels, &mut starts, &mut rows)?;
        let states = starts.windows(2).map(|w| ClusterState {
            rows: w[1] - w[0],
            steps: 0,
            seen: 0,
            mean_loss: 0.0,
            rate_multiplier: 1.0,
            radius_multiplier: 1.0,
        });
        let states = states.collect();
        Ok(Sampler { labels, starts, rows, states })
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(config: &Config, data: &Dataset) -> Result<u64, TrainError> {
        Ok(batches_per_epoch(data.rows(), config.batch_size, false)? as u64)
    }

    /// The rows of a step, a function of its number.
    pub fn draw(
        &self,
        config: &Config,
        data: &Dataset,
        teacher: &[f32],
        step: u64,
    ) -> Result<Drawn, TrainError> {
        let clusters = DataClusters::new(&self.starts, &self.rows)?;
        let mut rows = vec![0; config.batch_size.min(data.rows())];
        let (count, cluster) = match config.clusters.sampling {
            Sampling::Balanced => {
                let options = Batches { size: config.batch_size, drop_last: false, seed: config.seed };
                (balanced_batch(&clusters, &options, step, &mut rows)?, None)
            }
            Sampling::Cluster => {
                let tickets: Vec<u64> = (0..clusters.clusters()).map(|c| clusters.size(c) as u64).collect();
                let found = cluster_batch(&clusters, &tickets, config.seed, step, &mut rows)?;
                (found.rows, Some(found.cluster as u32))
            }
        };
        rows.truncate(count);
        // Rows of a cluster come together. Every other one first: both halves of a batch have their share of every cluster.
        let every_other = |from| rows.iter().skip(from).step_by(2).copied();
        let rows: Vec<u32> = every_other(1).chain(every_other(0)).collect();
        let cluster = cluster.unwrap_or_else(|| {
            let mut counts = vec![0; clusters.clusters()];
            rows.iter().for_each(|&r| counts[self.labels[r as usize] as usize] += 1);
            let most = counts.iter().max().copied().unwrap_or(0);
            counts.iter().position(|&c| c == most).unwrap_or(0) as u32
        });
        let x = gather(&data.x, data.features, &rows);
        let labels = gather(&data.labels, data.labels_per_row, &rows);
        let teacher = match teacher {
            [] => Vec::new(),
            logits => gather(logits, data.labels_per_row * data.classes, &rows),
        };
        Ok(Drawn { rows, x, labels, teacher, cluster })
    }

    /// Adds the losses of a batch, one for each label, to the states of the clusters of their rows.
    pub fn learn(&mut self, drawn: &Drawn, losses: &[f32], multipliers: Multipliers) {
        let per_row = losses.len() / drawn.rows.len().max(1);
        for (&row, losses) in drawn.rows.iter().zip(losses.chunks(per_row.max(1))) {
            let state = &mut self.states[self.labels[row as usize] as usize];
            for &loss in losses.iter().filter(|l| l.is_finite()) {
                state.seen += 1;
                let window = state.seen.min(state.rows as u64 * per_row as u64);
                state.mean_loss += (loss as f64 - state.mean_loss) / window as f64;
            }
        }
        let state = &mut self.states[drawn.cluster as usize];
        state.steps += 1;
        (state.rate_multiplier, state.radius_multiplier) = (multipliers.learning_rate, multipliers.radius);
    }
}

/// Some rows of a matrix.
fn gather<T: Copy>(from: &[T], width: usize, rows: &[u32]) -> Vec<T> {
    rows.iter().flat_map(|&r| &from[r as usize * width..(r as usize + 1) * width]).copied().collect()
}
