//! Clusters of rows and of parameters.

use serde::{Deserialize, Serialize};

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
    /// Clusters of the rows of all weight matrices, by the sizes of their weights and gradients, found anew every epoch; 1:
    /// none. Default 4.
    pub param_clusters: usize,
    /// How far the learning rates of the clusters of parameters differ: each is that of the optimizer times a power of the root
    /// mean square of the cluster's weights, over that of all weights; this is the exponent, 0 to 1. Default 0: they are all
    /// the same.
    pub rate_exponent: f32,
}

impl Default for ClusterConfig {
    fn default() -> ClusterConfig {
        ClusterConfig {
            data_clusters: 8,
            sampling: Sampling::Balanced,
            param_clusters: 4,
            rate_exponent: 0.0,
        }
    }
}
