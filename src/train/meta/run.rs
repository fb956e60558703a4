//! A whole run: a problem, and what multiplies learning rate and radius.

use crate::constrain::{TrustOptions, TrustRegion};
use crate::learn::hybrid::{self, Batch, Hybrid, Model, Proposal, undo_size};
use crate::learn::optimizer::{self, Base, Group};
use crate::learn::predictor::{
    self, Counterfactual, FEATURES, Multipliers, Observation, Prediction, Predictor, Weights,
};
use crate::linear::vector::norm;
use crate::math::{Random, exp, ln};
use crate::train::error::TrainError;

use super::problem::{Bench, Problem};

/// The change of the loss, as a part of it, that counts as noise of the batch: the trainer's default.
const NOISE: f32 = 0.05;
/// The stream of the generator that shuffled features are drawn from.
const SHUFFLE: u64 = 0x7368_7566;

/// What multiplies learning rate and radius.
#[derive(Clone, Debug)]
pub enum Policy {
    /// Nothing: the base optimizer in its trust region.
    Base,
    /// The network.
    Network {
        /// Its parameters.
        weights: Weights,
        /// Whether its output layer adapts online.
        online: bool,
    },
    /// The network, shown features that it saw at another step of another run.
    Shuffled {
        /// Its parameters.
        weights: Weights,
        /// What it is shown, one of these by chance at each step.
        pool: Vec<[f32; FEATURES]>,
    },
    /// The same at every step.
    Constant(Multipliers),
    /// By hand: 5 % up after a step whose batch had a loss below the mean of the last ones, 20 % down after another.
    Hand,
}

/// How a run ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// On held-out samples.
    pub loss: f64,
    /// Sums of the log multipliers.
    pub logs: [f64; 2],
    pub steps: u64,
    /// What the network saw at some steps.
    pub features: Vec<[f32; FEATURES]>,
}

/// What decides, with what it remembers.
enum Mind<'a> {
    Fixed(Multipliers),
    Hand { mean: f32, by: f32 },
    Shuffled { weights: &'a Weights, pool: &'a [[f32; FEATURES]], random: Random },
    Network { predictor: Box<Predictor>, prediction: Option<Prediction> },
}

impl<'a> Mind<'a> {
    fn new(policy: &'a Policy, seed: u64) -> Result<Mind<'a>, TrainError> {
        Ok(match policy {
            Policy::Base => Mind::Fixed(Multipliers::ONE),
            Policy::Constant(by) => Mind::Fixed(*by),
            Policy::Hand => Mind::Hand { mean: f32::NAN, by: 1.0 },
            Policy::Shuffled { weights, pool } => {
                Mind::Shuffled { weights, pool, random: Random::new(seed, SHUFFLE) }
            }
            Policy::Network { weights, online } => {
                let default = predictor::Options::DEFAULT;
                let probe_every = if *online { default.probe_every } else { 0 };
                let options = predictor::Options { seed, probe_every, ..default };
                Mind::Network { predictor: Box::new(Predictor::new(*weights, options)?), prediction: None }
            }
        })
    }

    fn multipliers(&mut self, seen: &Observation) -> Result<Multipliers, TrainError> {
        Ok(match self {
            Mind::Fixed(by) => *by,
            Mind::Hand { mean, by } => {
                if mean.is_nan() {
                    *mean = seen.loss;
                }
                *by = (*by * if seen.loss <= *mean { 1.05 } else { 0.8 }).clamp(0.25, 4.0);
                if seen.loss.is_finite() {
                    *mean += 0.1 * (seen.loss - *mean);
                }
                Multipliers { learning_rate: *by, radius: *by }
            }
            Mind::Shuffled { weights, pool, random } => {
                let features =
                    pool.get(random.below(pool.len() as u64) as usize).copied().unwrap_or_default();
                shown(weights, &features)
            }
            Mind::Network { predictor, prediction } => {
                let made = predictor.predict(seen)?;
                *prediction = Some(made);
                made.chosen
            }
        })
    }
}

/// What a network says to these features, within the default bounds.
fn shown(weights: &Weights, features: &[f32; FEATURES]) -> Multipliers {
    let options = predictor::Options::DEFAULT;
    let bounds = options.lowest.into_iter().zip(options.highest);
    let all = bounds.zip(weights.forward(features)).map(|((lowest, highest), output)| {
        let reach = 1.5 * ln(highest).max(-ln(lowest));
        exp(reach * output).clamp(lowest, highest)
    });
    let mut all = all.chain([1.0; 2]);
    let mut next = || all.next().unwrap_or(1.0);
    Multipliers { learning_rate: next(), radius: next() }
}

/// A run in progress.
struct Run<'a> {
    problem: &'a Problem,
    bench: Bench,
    options: optimizer::Options,
    groups: Vec<Group>,
    parameters: Vec<f32>,
    gradient: Vec<f32>,
    state: hybrid::State,
    memory: Vec<u32>,
    undo: Vec<u8>,
    scratch: Vec<u8>,
}

/// Runs a problem to its end. With `keep`, the outcome has the features of every so many steps.
pub(super) fn run(problem: &Problem, policy: &Policy, seed: u64, keep: usize) -> Result<Outcome, TrainError> {
    let mut mind = Mind::new(policy, seed)?;
    let mut run = Run::new(problem, seed)?;
    let mut outcome = Outcome::default();
    let mut last = f32::NAN;
    for step in 0..problem.task.steps {
        let (loss, variance) =
            problem.loss(&mut run.bench, &run.parameters, step, Some(&mut run.gradient))?;
        run.schedule(step);
        let seen = Observation {
            loss,
            gradient_norm: norm(&run.gradient),
            cluster: problem.cluster(step),
            loss_ratio: loss / last,
            gradient_variance: variance,
            step: step as u64,
        };
        last = loss;
        let by = mind.multipliers(&seen)?;
        outcome.logs[0] += ln(by.learning_rate) as f64;
        outcome.logs[1] += ln(by.radius) as f64;
        outcome.steps += 1;
        if let Mind::Network { predictor, prediction: Some(made) } = &mut mind {
            if keep > 0 && step % keep == keep / 2 {
                outcome.features.push(made.features);
            }
            if made.probe {
                run.compare(predictor, made, loss, step)?;
            }
        }
        if let Proposal::Trial(_) = run.propose(loss, by)? {
            let (trial, _) = problem.loss(&mut run.bench, &run.parameters, step, None)?;
            let judged = run.with(|hybrid, model, _| hybrid.judge(trial, model))?;
            if let Mind::Network { predictor, .. } = &mut mind {
                predictor.feedback(&judged)?;
            }
        }
    }
    outcome.loss = problem.held_out(&mut run.bench, &run.parameters)?;
    Ok(outcome)
}

impl<'a> Run<'a> {
    fn new(problem: &'a Problem, seed: u64) -> Result<Run<'a>, TrainError> {
        let task = &problem.task;
        let options = optimizer::Options {
            base: task.base,
            momentum: task.momentum,
            weight_decay: if task.base == Base::NadamW { 0.05 } else { 0.0 },
            second: match task.base {
                Base::NadamW => optimizer::Storage::F32,
                _ => optimizer::Storage::None,
            },
            seed,
            ..optimizer::Options::DEFAULT
        };
        let groups = problem.groups.clone();
        let region = TrustRegion::with(
            task.radius,
            TrustOptions { guard: NOISE / f32::EPSILON, loss_scale: 0.0, ..TrustOptions::default() },
        )?;
        let mut memory = vec![0u32; optimizer::memory_size(&options, &groups)?.div_ceil(4)];
        let state = hybrid::start(&options, &groups, region, bytemuck::cast_slice_mut(&mut memory))?;
        Ok(Run {
            problem,
            bench: problem.bench()?,
            undo: vec![0; undo_size(&options, &groups, 0, 0)?],
            scratch: vec![0; hybrid::workspace_size(&options, &groups, None)?],
            options,
            groups,
            gradient: vec![0.0; problem.start.len()],
            parameters: problem.start.clone(),
            state,
            memory,
        })
    }

    /// The base's learning rate for a step.
    fn schedule(&mut self, step: usize) {
        let task = &self.problem.task;
        if task.cosine {
            let at = step as f64 / task.steps as f64;
            let factor = 0.5 * (1.0 + libm::cos(core::f64::consts::PI * at));
            let rate = (task.learning_rate as f64 * factor) as f32;
            self.groups.iter_mut().for_each(|g| g.learning_rate = rate);
        }
    }

    /// Tries both multipliers of a probe on this batch and the next one, and takes both steps back.
    fn compare(
        &mut self,
        predictor: &mut Predictor,
        made: &Prediction,
        loss: f32,
        step: usize,
    ) -> Result<(), TrainError> {
        let mut losses = [[0.0f32; 2]; 2];
        for (by, losses) in [made.chosen, made.alternative].into_iter().zip(&mut losses) {
            let Proposal::Trial(_) = self.propose(loss, by)? else { return Ok(()) };
            for (loss, step) in losses.iter_mut().zip([step, step + 1]) {
                *loss = self.problem.loss(&mut self.bench, &self.parameters, step, None)?.0;
            }
            self.with(|hybrid, model, _| hybrid.undo(model))?;
        }
        let [[chosen, fresh], [alternative, other]] = losses;
        let found = Counterfactual { before: loss, chosen, alternative, fresh: Some([fresh, other]) };
        predictor.adapt(made, &found)?;
        Ok(())
    }

    fn propose(&mut self, loss: f32, by: Multipliers) -> Result<Proposal, TrainError> {
        let gradient = std::mem::take(&mut self.gradient);
        let batch = Batch { loss, gradient: &gradient };
        let found = self.with(|hybrid, model, scratch| hybrid.propose(&batch, by, model, scratch));
        self.gradient = gradient;
        Ok(found?)
    }

    fn with<T>(&mut self, f: impl FnOnce(&mut Hybrid<'_>, &mut Model<'_>, &mut [u8]) -> T) -> T {
        let mut hybrid = Hybrid {
            options: &hybrid::Options::default(),
            optimizer: &self.options,
            groups: &self.groups,
            set: None,
            state: &mut self.state,
            memory: bytemuck::cast_slice_mut(&mut self.memory),
            undo: &mut self.undo,
        };
        let mut model = Model { params: &mut self.parameters, visible: &mut [], packed: &mut [] };
        f(&mut hybrid, &mut model, &mut self.scratch)
    }
}
