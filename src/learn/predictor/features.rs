//! What the network sees: six numbers that say how this step compares with those before it, whatever the units of loss and
//! gradient are.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::{ln, ln_quotient, sqrt};

use super::network::FEATURES;

/// Clusters with a running loss of their own; of more clusters those whose numbers differ by a multiple of it share one.
pub const CLUSTERS: usize = 32;
/// No feature is larger: a factor of 55.
const LIMIT: f32 = 4.0;
/// No logarithm of a quotient of two f32 is larger.
const LARGEST: f32 = 200.0;

/// What is known of a step before it is made. Any numbers may stand here, NaN and infinity too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// The loss on the batch. NaN counts as infinitely large, 0 and less as the smallest there can be.
    pub loss: f32,
    /// The Euclidean norm of the gradient on the batch. NaN counts as infinitely large.
    pub gradient_norm: f32,
    /// The cluster that the batch came from; 0 where there are none.
    pub cluster: u32,
    /// The loss over the one before it. NaN: there is none yet.
    pub loss_ratio: f32,
    /// The variance of the gradient: over its entries, or over parts of the batch; any that grows with the square of the
    /// gradient, always the same. NaN: not measured.
    pub gradient_variance: f32,
    /// Steps made before this one.
    pub step: u64,
}

/// A running mean: the plain one of the first values, then an exponential one.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Mean {
    value: f32,
    count: u32,
}

impl Mean {
    fn add(&mut self, x: f32, window: u32) {
        self.count = self.count.saturating_add(1);
        let n = if self.count < window { self.count } else { window };
        self.value += (x - self.value) / n as f32;
    }

    /// By how much `x` is above; 0 before the first value.
    fn above(&self, x: f32) -> f32 {
        if self.count == 0 { 0.0 } else { x - self.value }
    }
}

/// Running means of logarithms, those of loss and norm relative to the first one seen.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Running {
    /// The first loss that was positive and finite; 0 before.
    first_loss: f32,
    /// The same of the norm.
    first_norm: f32,
    loss: Mean,
    norm: Mean,
    /// `ln(standard deviation / norm)` of the gradient.
    noise: Mean,
    /// By how much the loss of a cluster was above the mean of all at that time.
    clusters: [Mean; CLUSTERS],
}

impl Running {
    pub(super) fn check(&self) -> Result<(), Error> {
        let means = self.clusters.iter().chain([&self.loss, &self.norm, &self.noise]);
        let fine = means.into_iter().all(|m| m.value.abs() <= 2.0 * LARGEST)
            && [self.first_loss, self.first_norm].iter().all(|x| (0.0..=f32::MAX).contains(x));
        if fine { Ok(()) } else { Err(Error::Corrupt) }
    }

    /// The features of a step, relative to the steps before it; then the step joins them. `window` is at least 1.
    pub(super) fn observe(&mut self, seen: &Observation, window: u32) -> [f32; FEATURES] {
        let loss = Level::of(seen.loss);
        let norm = Level::of(seen.gradient_norm);
        let cluster = self.clusters.get_mut(seen.cluster as usize % CLUSTERS);
        let mut cluster_level = cluster.as_ref().map_or(0.0, |c| c.value);
        let loss_level = match loss {
            Level::Number(x) => {
                if self.first_loss == 0.0 {
                    self.first_loss = x;
                }
                let log = ln_quotient(x, self.first_loss);
                let above = self.loss.above(log);
                self.loss.add(log, window);
                if let Some(cluster) = cluster {
                    cluster.add(above, window);
                    // A cluster seen for the first time is judged by the loss at hand.
                    cluster_level = if cluster.count == 1 { cluster.value } else { cluster_level };
                }
                above
            }
            Level::Beyond(side) => side,
        };
        let norm_level = match norm {
            Level::Number(x) => {
                if self.first_norm == 0.0 {
                    self.first_norm = x;
                }
                let log = ln_quotient(x, self.first_norm);
                let above = self.norm.above(log);
                self.norm.add(log, window);
                above
            }
            Level::Beyond(side) => side,
        };
        let ratio = match Level::of(seen.loss_ratio) {
            Level::Number(x) => ln(x),
            Level::Beyond(_) if seen.loss_ratio.is_nan() => 0.0,
            Level::Beyond(side) => side,
        };
        let noise = self.noise(seen.gradient_variance, norm, window);
        // 0 at the beginning would be the same as in the middle of a long run: from -1 up, 0 near step 1000.
        let step = ln(1.0 + seen.step as f32) / 7.0 - 1.0;
        let mut features = [loss_level, norm_level, cluster_level, ratio, noise, step];
        for f in &mut features {
            *f = f.clamp(-LIMIT, LIMIT);
        }
        features
    }

    fn noise(&mut self, variance: f32, norm: Level, window: u32) -> f32 {
        if variance.is_nan() {
            return 0.0;
        }
        match (Level::of(variance), norm) {
            (Level::Number(v), Level::Number(norm)) => {
                let log = ln_quotient(sqrt(v), norm);
                let above = self.noise.above(log);
                self.noise.add(log, window);
                above
            }
            // Both 0, or both infinite: no relation between them.
            (Level::Beyond(a), Level::Beyond(b)) if a == b => 0.0,
            (Level::Beyond(side), _) => side,
            (_, Level::Beyond(side)) => -side,
        }
    }
}

/// A number whose logarithm can be taken, or the feature it counts as.
#[derive(Clone, Copy)]
enum Level {
    Number(f32),
    Beyond(f32),
}

impl Level {
    fn of(x: f32) -> Level {
        if x > 0.0 && x <= f32::MAX {
            Level::Number(x)
        } else if x <= 0.0 {
            Level::Beyond(-LIMIT)
        } else {
            Level::Beyond(LIMIT)
        }
    }
}
