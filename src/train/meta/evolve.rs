//! Training the network over many tasks, by whole runs.

use crate::learn::predictor::{Evolution, EvolveOptions, PARAMETERS, Weights};
use crate::train::error::TrainError;

use super::judge::log_ratio;
use super::run::Policy;
use super::task::Family;
use super::trials::Trials;

/// Parameters of a linear map from features to outputs: a row of 6 and a bias for each.
pub const LINEAR: usize = 14;

/// What [`train_linear`] gives: `hybridq meta-train --linear --generations 80 --pairs 8 --rate 0.03`.
pub const LINEAR_TRAINED: [f32; LINEAR] = [
    -0.22147633,
    0.10129464,
    0.13861609,
    0.060182158,
    0.46545288,
    -0.3130421, // learning rate
    0.17814392,
    0.22421844,
    0.38032544,
    0.049762208,
    -0.15262237,
    -0.3239373, // radius
    -0.058632307,
    -0.14607677, // biases
];

/// How to train.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MetaOptions {
    /// Of the first weights, the tasks, and the noise of the evolution.
    pub seed: u64,
    /// Steps of the evolution.
    pub generations: u32,
    /// Pairs of candidates in a generation.
    pub pairs: u32,
    /// Tasks that a generation is judged by, others each time.
    pub tasks: usize,
    /// Runs of each task.
    pub runs: usize,
    /// The deviation of candidates from their centre.
    pub sigma: f32,
    /// The step of the evolution.
    pub rate: f32,
    /// How many times a task made worse counts against one made better by the same factor.
    pub penalty: f64,
    /// On how many threads; the result does not depend on it.
    pub threads: usize,
}

impl Default for MetaOptions {
    fn default() -> MetaOptions {
        MetaOptions {
            seed: 1,
            generations: 80,
            pairs: 16,
            tasks: 24,
            runs: 1,
            sigma: 0.1,
            rate: 0.04,
            penalty: 4.0,
            threads: 1,
        }
    }
}

/// How a generation went, means over its candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Generations done.
    pub generation: u32,
    /// Mean `ln` of the loss at the end over the base's.
    pub log: f64,
    /// The part of the runs that ended more than 1 % above the base.
    pub worse: f64,
}

/// Evolves `N` parameters, which `network` turns into weights; the mean centre of the second half of the generations.
/// `progress` ends the training by saying false.
///
/// # Errors
/// Options out of range.
pub(super) fn evolve<const N: usize>(
    start: [f32; N],
    network: impl Fn(&[f32; N]) -> Weights,
    options: &MetaOptions,
    mut progress: impl FnMut(&Progress) -> bool,
) -> Result<[f32; N], TrainError> {
    let settings = EvolveOptions {
        seed: options.seed,
        pairs: options.pairs,
        sigma: options.sigma,
        rate: options.rate,
        ..EvolveOptions::DEFAULT
    };
    let mut evolution = Evolution::new(start, settings)?;
    let (mut sum, mut count) = ([0.0f64; N], 0u32);
    for generation in 0..options.generations {
        let candidates: Vec<Policy> = (0..2 * options.pairs)
            .map(|i| network(&evolution.candidate(i)))
            .map(|weights| Policy::Network { weights, online: false })
            .collect();
        let policies: Vec<Policy> = [Policy::Base].into_iter().chain(candidates).collect();
        let trials = Trials {
            family: Family::Training,
            seed: options.seed,
            first: generation as u64 * options.tasks as u64,
            tasks: options.tasks,
            runs: options.runs,
            table: None,
        };
        let runs = trials.run(&policies, options.threads, 0)?;
        let mut seen = Progress { generation: generation + 1, log: 0.0, worse: 0.0 };
        let mut losses = Vec::with_capacity(policies.len());
        for which in 1..policies.len() {
            let mut score = 0.0;
            for task in runs.chunks(options.runs) {
                let logs = task.iter().map(|r| log_ratio(r[which].loss, r[0].loss));
                let log = logs.sum::<f64>() / options.runs as f64;
                score += worth(log, options.penalty);
                seen.log += log;
                seen.worse += (log > libm::log(1.01)) as u32 as f64;
            }
            losses.push(score as f32);
        }
        evolution.update(&losses)?;
        let of = (losses.len() * options.tasks) as f64;
        (seen.log, seen.worse) = (seen.log / of, seen.worse / of);
        if 2 * (generation + 1) > options.generations {
            sum.iter_mut().zip(&evolution.center).for_each(|(s, &c)| *s += c as f64);
            count += 1;
        }
        if !progress(&seen) {
            break;
        }
    }
    let mean = sum.map(|s| (s / count.max(1) as f64) as f32);
    Ok(if count == 0 { evolution.center } else { mean })
}

/// What a task adds to the score of a candidate, to be made small. Gains beyond a factor of 2 add no more, so that many
/// tasks count and not a few.
fn worth(log: f64, penalty: f64) -> f64 {
    let log = log.clamp(-0.7, 1.0);
    if log > 0.0 { penalty * log } else { log }
}

/// Trains the network.
///
/// # Errors
/// Options out of range.
pub fn train(options: &MetaOptions, progress: impl FnMut(&Progress) -> bool) -> Result<Weights, TrainError> {
    let start = *Weights::seeded(options.seed).as_array();
    Ok(bytemuck::must_cast(evolve::<PARAMETERS>(start, |x| bytemuck::must_cast(*x), options, progress)?))
}

/// Trains a linear map from features to outputs in the same way.
///
/// # Errors
/// Options out of range.
pub fn train_linear(
    options: &MetaOptions,
    progress: impl FnMut(&Progress) -> bool,
) -> Result<[f32; LINEAR], TrainError> {
    evolve([0.0; LINEAR], linear, options, progress)
}

/// A linear map as a network: each feature goes through two hidden units, once with either sign.
#[must_use]
pub fn linear(map: &[f32; LINEAR]) -> Weights {
    let mut weights: Weights = bytemuck::Zeroable::zeroed();
    let [rows @ .., rate_bias, radius_bias] = map;
    for (i, pair) in weights.hidden.chunks_exact_mut(2).take(6).enumerate() {
        (pair[0][i], pair[1][i]) = (1.0, -1.0);
    }
    for (row, from) in weights.output.rows.iter_mut().zip(rows.chunks_exact(6)) {
        for (pair, &w) in row.chunks_exact_mut(2).zip(from) {
            (pair[0], pair[1]) = (w, -w);
        }
    }
    weights.output.bias = [*rate_bias, *radius_bias];
    weights
}
