//! Clusters of parameters: rows of weight matrices that are alike.
//!
//! A row is what one neuron or one filter weighs its inputs with. Its point is `(ln of the root mean square of its weights, ln of
//! that of its gradients)`, the latter over the epoch that has ended: two numbers that say how large a row is and how hard it is
//! pulled at, whatever their units (another scale moves all points alike). k-means finds the clusters anew after every epoch.
//! Each has a learning rate of its own, and within a trust region each row has its part of the radius.

use std::ops::Range;

use serde::Serialize;

use crate::kmeans::{
    FitOptions, ParameterCluster, Points, Restarts, Seeding, fit_seeded, fit_seeded_workspace_size,
    suggest_bits, suggest_bits_workspace_size,
};
use crate::learn::layers::Array;
use crate::learn::optimizer::Group;
use crate::math::{exp, ln};

use super::config::ClusterConfig;
use super::error::TrainError;

/// No rate differs from that of the optimizer by a larger factor.
const MOST: f32 = 4.0;
/// Bits a weight on average that are allotted.
const AVERAGE_BITS: f32 = 2.0;
/// No row counts as smaller.
const TINY: f64 = 1e-30;

/// One cluster of rows of weight matrices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RowCluster {
    /// Rows in it.
    pub rows: u32,
    /// Weights in it.
    pub weights: u32,
    /// The root mean square of its weights.
    pub weight: f32,
    /// The root mean square of their gradients, over the last epoch.
    pub gradient: f32,
    /// 0.5 for a cluster whose points are as spread as all, to 1 for one without spread; below 0.5 for one that is spread more.
    pub cohesion: f32,
    /// Weights times cohesion, over the sum of that over all clusters.
    pub importance: f32,
    /// Its learning rate over that of the optimizer.
    pub rate: f32,
    /// Bits a weight that leave the least squared error, if all weights together have two on average.
    pub bits: u8,
}

/// The rows of all weight matrices.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    config: ClusterConfig,
    seed: u64,
    ranges: Vec<Range<usize>>,
    /// The cluster of each; empty before the first were found.
    pub labels: Vec<u32>,
    /// Sums of squares of the gradients of each since the clusters were found; all f32 bits.
    pub squares: Vec<f32>,
    /// Gradients in each of the sums.
    pub steps: u64,
    pub clusters: Vec<RowCluster>,
}

impl Rows {
    pub fn new(config: &ClusterConfig, seed: u64, arrays: &[Array]) -> Rows {
        let mut ranges = Vec::new();
        for array in arrays.iter().filter(|a| a.parameter.is_matrix()) {
            let cols = array.parameter.cols;
            let starts = array.range.clone().step_by(cols.max(1));
            ranges.extend(starts.map(|start| start..start + cols));
        }
        let squares = vec![0.0; ranges.len()];
        Rows {
            config: config.clone(),
            seed,
            ranges,
            labels: Vec::new(),
            squares,
            steps: 0,
            clusters: Vec::new(),
        }
    }

    /// Whether rates differ, so that each row is a group of the optimizer.
    fn apart(&self) -> bool {
        self.config.param_clusters > 1 && self.config.rate_exponent > 0.0
    }

    /// The groups of the optimizer: the arrays, or the rows of the matrices and the other arrays.
    pub fn groups(&self, arrays: &[Array], learning_rate: f32) -> Vec<Group> {
        let mut groups = Vec::new();
        for array in arrays {
            let (rows, cols) = (array.parameter.rows, array.parameter.cols);
            let group = |rows, cols| Group { rows, cols, learning_rate, radius: f32::INFINITY };
            if self.apart() && array.parameter.is_matrix() {
                groups.extend((0..rows).map(|_| group(1, cols)));
            } else {
                groups.push(group(rows, cols));
            }
        }
        groups
    }

    /// Learning rates for a step.
    pub fn set_rates(&self, arrays: &[Array], learning_rate: f32, groups: &mut [Group]) {
        groups.iter_mut().for_each(|g| g.learning_rate = learning_rate);
        if !self.apart() || self.labels.is_empty() {
            return;
        }
        let mut groups = groups.iter_mut();
        let mut labels = self.labels.iter();
        for array in arrays {
            if array.parameter.is_matrix() {
                for (group, &label) in groups.by_ref().zip(labels.by_ref()).take(array.parameter.rows) {
                    group.learning_rate = learning_rate * self.clusters[label as usize].rate;
                }
            } else {
                groups.next();
            }
        }
    }

    /// Adds a gradient, which is finite, to what is known of the rows.
    pub fn learn(&mut self, gradient: &[f32]) {
        if self.config.param_clusters > 1 {
            for (sum, range) in self.squares.iter_mut().zip(&self.ranges) {
                let norm = crate::linear::vector::norm(&gradient[range.clone()]);
                *sum += norm * norm;
            }
            self.steps += 1;
        }
    }

    /// Finds the clusters anew.
    pub fn find(&mut self, parameters: &[f32]) -> Result<(), TrainError> {
        let n = self.ranges.len();
        let k = self.config.param_clusters.min(n);
        if self.config.param_clusters < 2 || n == 0 || self.steps == 0 {
            return Ok(());
        }
        // Of each row: weights, sum of their squares, mean square of the gradient over time and weights.
        let rows: Vec<[f64; 3]> = self
            .ranges
            .iter()
            .zip(&self.squares)
            .map(|(range, &squares)| {
                let len = range.len() as f64;
                let weights = parameters[range.clone()].iter().map(|&w| w as f64 * w as f64).sum::<f64>();
                [len, weights, (squares as f64 / (len * self.steps as f64)).min(f32::MAX as f64)]
            })
            .collect();
        // A row without any is a thousandth of the others, not infinitely far from them.
        let mean = |of: fn(&[f64; 3]) -> f64| rows.iter().map(of).sum::<f64>() / n as f64;
        let [least_w, least_g] = [mean(|r| r[1] / r[0]), mean(|r| r[2])].map(|m| (1e-6 * m).max(TINY));
        let log = |square: f64, least: f64| 0.5 * ln(square.max(least) as f32);
        let points: Vec<f32> =
            rows.iter().flat_map(|&[len, w, g]| [log(w / len, least_w), log(g, least_g)]).collect();
        let all = Points::new(n, 2, &points)?;
        let options = FitOptions::default();
        let restarts = Restarts { seeding: Seeding::PlusPlus { trials: 0 }, count: 1, seed: self.seed };
        let size = fit_seeded_workspace_size(n, 2, k, &options, &restarts)?;
        let mut centers = vec![0.0; k * 2];
        let mut labels = vec![0; n];
        fit_seeded(&all, k, &options, &restarts, &mut centers, &mut labels, &mut vec![0; size])?;
        self.clusters = self.describe(&rows, &points, &centers, &labels)?;
        self.labels = labels;
        self.squares.fill(0.0);
        self.steps = 0;
        Ok(())
    }

    fn describe(
        &self,
        rows: &[[f64; 3]],
        points: &[f32],
        centers: &[f32],
        labels: &[u32],
    ) -> Result<Vec<RowCluster>, TrainError> {
        let distance = |a: &[f32], b: &[f32]| {
            let [x, y] = [0, 1].map(|i| a[i] as f64 - b[i] as f64);
            (x * x + y * y).sqrt()
        };
        let n = rows.len() as f64;
        let mut mean = [0.0f32; 2];
        for (at, mean) in mean.iter_mut().enumerate() {
            *mean = (points.iter().skip(at).step_by(2).map(|&v| v as f64).sum::<f64>() / n) as f32;
        }
        let spread = points.chunks_exact(2).map(|p| distance(p, &mean)).sum::<f64>() / n;
        let total = |i: usize| rows.iter().map(|r| r[i]).sum::<f64>();
        let weight = (total(1) / total(0)).sqrt();
        let mut found: Vec<RowCluster> = Vec::new();
        let mut parts: Vec<ParameterCluster> = Vec::new();
        for (label, center) in centers.chunks_exact(2).enumerate() {
            let own = || (0..rows.len()).filter(|&i| labels[i] as usize == label);
            let count = own().count();
            let [weights, squares] = [0, 1].map(|at| own().map(|i| rows[i][at]).sum::<f64>());
            let gradients: f64 = own().map(|i| rows[i][0] * rows[i][2]).sum();
            let apart: f64 = own().map(|i| distance(&points[i * 2..][..2], center)).sum();
            let apart = apart / count.max(1) as f64;
            let cohesion = if spread + apart > 0.0 { spread / (spread + apart) } else { 1.0 };
            let mean_square = |sum: f64| (sum / weights.max(1.0)).sqrt();
            let ratio = (mean_square(squares).max(TINY) / weight.max(TINY)) as f32;
            let rate = exp(self.config.rate_exponent * ln(ratio)).clamp(1.0 / MOST, MOST);
            found.push(RowCluster {
                rows: count as u32,
                weights: weights as u32,
                weight: mean_square(squares) as f32,
                gradient: mean_square(gradients) as f32,
                cohesion: cohesion as f32,
                importance: (weights * cohesion) as f32,
                rate,
                bits: 0,
            });
            let (size, inertia) = (weights as u32, squares as f32);
            parts.push(ParameterCluster { size, inertia, ..ParameterCluster::default() });
        }
        let all: f32 = found.iter().map(|c| c.importance).sum();
        let mut bits = vec![0; found.len()];
        let mut scratch = vec![0; suggest_bits_workspace_size(parts.len())?];
        suggest_bits(&parts, None, AVERAGE_BITS, 8, &mut bits, &mut scratch)?;
        for (cluster, bits) in found.iter_mut().zip(bits) {
            cluster.importance /= all.max(f32::MIN_POSITIVE);
            cluster.bits = bits;
        }
        Ok(found)
    }

    /// What a checkpoint keeps beside labels and sums.
    pub fn words(&self) -> Vec<u64> {
        let words = self.clusters.iter().flat_map(|c| {
            let floats = [c.weight, c.gradient, c.cohesion, c.importance, c.rate];
            [c.rows as u64, c.weights as u64, c.bits as u64]
                .into_iter()
                .chain(floats.map(|x| x.to_bits() as u64))
        });
        [self.steps].into_iter().chain(words).collect()
    }

    /// The way back; `None` if it is not that of these rows.
    pub fn restore(&mut self, words: &[u64], labels: Vec<u32>, squares: Vec<f32>) -> Option<()> {
        let (&steps, rest) = words.split_first()?;
        let (clusters, odd) = rest.as_chunks::<8>();
        if !odd.is_empty()
            || squares.len() != self.ranges.len()
            || !(labels.is_empty() || labels.len() == self.ranges.len())
            || labels.iter().any(|&l| l as usize >= clusters.len())
        {
            return None;
        }
        self.clusters = clusters
            .iter()
            .map(|&[rows, weights, bits, weight, gradient, cohesion, importance, rate]| {
                let float = |x: u64| f32::from_bits(x as u32);
                RowCluster {
                    rows: rows as u32,
                    weights: weights as u32,
                    weight: float(weight),
                    gradient: float(gradient),
                    cohesion: float(cohesion),
                    importance: float(importance),
                    rate: float(rate),
                    bits: bits as u8,
                }
            })
            .collect();
        (self.steps, self.labels, self.squares) = (steps, labels, squares);
        Some(())
    }
}
