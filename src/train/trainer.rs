//! The loop: a batch, its gradient, a step that is tried and judged.

use crate::constrain::{TrustOptions, TrustRegion, Verdict};
use crate::learn::hybrid::{self, Multipliers, undo_size};
use crate::learn::layers::Array;
use crate::learn::optimizer::{self, Group, Report};
use crate::learn::predictor::{self, Predictor, Weights};

use super::config::{Config, PredictorWeights, Schedule, WeightForm};
use super::dataset::Dataset;
use super::error::{TrainError, config};
use super::measure::{Measured, Trits};
use super::network::{Evaluation, Lesson, Network, Samples};
use super::row_clusters::Rows;
use super::sampler::{Drawn, Sampler};

/// Refused steps in a row that end a run.
const REFUSED_AT_MOST: u32 = 50;

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Steps before it.
    pub step: u64,
    /// The cluster of most of its rows.
    pub cluster: u32,
    /// The loss before it.
    pub loss: f32,
    /// The loss after it, on the same batch; NaN if it was not tried.
    pub trial_loss: f32,
    /// What became of it.
    pub verdict: Verdict,
    /// The learning rate before the multiplier.
    pub learning_rate: f32,
    /// What rate and radius were multiplied with.
    pub multipliers: Multipliers,
    /// The radius for it, before the multiplier; infinity without a trust region.
    pub radius: f32,
    /// Actual over predicted reduction; 0 where there is none.
    pub ratio: f32,
    /// The variance of the batch's gradient, estimated from its two halves: the expected square of the distance from the true
    /// one. NaN where it is not wanted (without a predictor), and for batches of one row.
    pub gradient_variance: f32,
    /// Groups of parameters, each with its part of the radius.
    pub groups: usize,
    /// What the optimizer says; `None` for a step that was refused.
    pub report: Option<Report>,
    /// The ternary weights after the step, if they were measured.
    pub measured: Option<Measured>,
}

/// A run in memory.
#[derive(Debug)]
pub struct Trainer {
    pub(super) config: Config,
    pub(super) data: Dataset,
    pub(super) network: Network,
    pub(super) options: optimizer::Options,
    arrays: Vec<Array>,
    pub(super) groups: Vec<Group>,
    pub(super) parameters: Vec<f32>,
    pub(super) state: hybrid::State,
    /// Aligned for f32.
    pub(super) memory: Vec<u32>,
    pub(super) undo: Vec<u8>,
    pub(super) scratch: Vec<u8>,
    pub(super) predictor: Option<Predictor>,
    pub(super) sampler: Sampler,
    pub(super) rows: Rows,
    pub(super) trits: Trits,
    pub(super) measured: Option<Measured>,
    /// What the teacher says of the rows; empty without one.
    pub(super) teacher: Vec<f32>,
    /// The checksum of that in the run that was resumed, if it had one.
    pub(super) teacher_wanted: Option<u32>,
    pub(super) gradient: Vec<f32>,
    half: Vec<f32>,
    losses: Vec<f32>,
    pub(super) last_loss: f32,
    pub(super) step: u64,
    pub(super) per_epoch: u64,
    pub(super) refused: u32,
    /// The parameters with the best validation loss so far; empty before there are any.
    pub(super) best: Vec<f32>,
    pub(super) best_loss: f64,
    /// Epochs that had ended when it was found.
    pub(super) best_epoch: u64,
}

impl Trainer {
    /// A run from the beginning.
    ///
    /// # Errors
    /// Keys of the configuration out of range, by name; rows that cannot be learnt from.
    pub fn new(config: Config, data: Dataset) -> Result<Trainer, TrainError> {
        config.check()?;
        data.check()?;
        let network = Network::new(&config.model, data.features, data.classes)?;
        if network.labels_per_row() != data.labels_per_row {
            return Err(super::error::config(
                "model.kind",
                format!(
                    "wants {} labels for each row, and the data have {}",
                    network.labels_per_row(),
                    data.labels_per_row
                ),
                "train attention on texts, and the others on tables",
            ));
        }
        let arrays: Vec<_> = network.sequence()?.arrays().collect();
        let rows = Rows::new(&config.clusters, config.seed, &arrays);
        let groups = rows.groups(&arrays, config.optimizer.base_learning_rate);
        let mut parameters = vec![0.0; arrays.last().map_or(0, |a| a.range.end)];
        network.sequence()?.start(config.seed, &mut parameters)?;
        let trits = Trits::new(network.ternary_arrays(), config.model.fit.fit())?;
        let o = &config.optimizer;
        let options = optimizer::Options {
            base: o.base.base(),
            moment: o.moment.storage(),
            second: o.second.storage(),
            gradient: o.gradient.form(),
            residual: match o.gradient.form() {
                optimizer::GradientForm::F32 => optimizer::Storage::None,
                optimizer::GradientForm::Ternary => o.residual.storage(),
            },
            momentum: o.momentum,
            beta2: o.beta2,
            weight_decay: o.weight_decay,
            clip_norm: o.clip_norm,
            seed: config.seed,
            ..optimizer::Options::DEFAULT
        };
        let mut memory = vec![0u32; memory_size(&options, &groups)?.div_ceil(4)];
        let t = &config.trust_region;
        let region = TrustRegion::with(
            t.initial_trust_radius,
            TrustOptions { guard: t.noise / f32::EPSILON, loss_scale: 0.0, ..TrustOptions::default() },
        )?;
        let state = hybrid::start(&options, &groups, region, bytemuck::cast_slice_mut(&mut memory))?;
        let undo = vec![0; undo_size(&options, &groups, 0, 0)?];
        let scratch = vec![0; hybrid::workspace_size(&options, &groups, None)?];
        let predictor = match config.predictor.enabled && config.trust_region.enabled {
            true => Some(Predictor::new(
                match config.predictor.weights {
                    PredictorWeights::Untrained => Weights::seeded(0),
                    PredictorWeights::Trained => Weights::TRAINED,
                },
                predictor::Options {
                    seed: config.seed,
                    probe_every: config.predictor.probe_every,
                    ..predictor::Options::DEFAULT
                },
            )?),
            false => None,
        };
        let sampler = Sampler::new(&config, &data)?;
        let per_epoch = Sampler::steps_per_epoch(&config, &data)?;
        let (gradient, half) = (vec![0.0; parameters.len()], vec![0.0; parameters.len()]);
        Ok(Trainer {
            config,
            data,
            network,
            options,
            arrays,
            groups,
            parameters,
            state,
            memory,
            undo,
            scratch,
            predictor,
            sampler,
            rows,
            trits,
            measured: None,
            teacher: Vec::new(),
            teacher_wanted: None,
            gradient,
            half,
            losses: Vec::new(),
            last_loss: f32::NAN,
            step: 0,
            per_epoch,
            refused: 0,
            best: Vec::new(),
            best_loss: f64::INFINITY,
            best_epoch: 0,
        })
    }

    /// Steps made.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Steps in all.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        self.per_epoch * self.config.epochs as u64
    }

    /// Steps of an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> u64 {
        self.per_epoch
    }

    /// The parameters in full precision.
    #[must_use]
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// Loss and accuracy on other rows, without the teacher.
    ///
    /// # Errors
    /// Rows of another kind.
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation, TrainError> {
        self.network.evaluate(&self.parameters, data)
    }

    /// Judges the parameters by rows that were held back, at the end of an epoch: keeps them if they are the best so far. Says
    /// whether the run should go on.
    ///
    /// # Errors
    /// Rows of another kind.
    pub fn end_epoch(&mut self, held_back: &Dataset) -> Result<(Evaluation, bool), TrainError> {
        let epoch = self.step / self.per_epoch;
        let found = self.evaluate(held_back)?;
        if found.loss < self.best_loss {
            (self.best_loss, self.best_epoch) = (found.loss, epoch);
            self.best.clone_from(&self.parameters);
        }
        let patience = self.config.patience as u64;
        Ok((found, patience == 0 || epoch - self.best_epoch < patience))
    }

    /// The parameters that the run is to end with: the best by [`Trainer::end_epoch`], else the last.
    #[must_use]
    pub fn chosen(&self) -> &[f32] {
        if self.best.is_empty() { &self.parameters } else { &self.best }
    }

    /// Loss and accuracy of [`Trainer::chosen`] on other rows.
    ///
    /// # Errors
    /// Rows of another kind.
    pub fn evaluate_chosen(&mut self, data: &Dataset) -> Result<Evaluation, TrainError> {
        let parameters = if self.best.is_empty() { &self.parameters } else { &self.best };
        self.network.evaluate(parameters, data)
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The predictor, if there is one.
    #[must_use]
    pub fn predictor(&self) -> Option<&Predictor> {
        self.predictor.as_ref()
    }

    /// The trust region.
    #[must_use]
    pub fn region(&self) -> &TrustRegion {
        &self.state.region
    }

    /// The learning rate of a step.
    fn rate(&self, step: u64) -> f32 {
        let o = &self.config.optimizer;
        let total = self.total_steps().max(1) as f64;
        let warmup = (o.warmup as f64 * total).round();
        let at = step as f64;
        let factor = if at < warmup {
            (at + 1.0) / warmup
        } else {
            match o.schedule {
                Schedule::Constant => 1.0,
                Schedule::Cosine => {
                    let done = (at - warmup) / (total - warmup).max(1.0);
                    // That of libm: the same bits on every machine.
                    0.5 * (1.0 + libm::cos(std::f64::consts::PI * done.min(1.0)))
                }
            }
        };
        (o.base_learning_rate as f64 * factor) as f32
    }

    /// How far proximal weights are from their trits in a step.
    fn inverse_slope(&self, step: u64) -> f32 {
        let (model, total) = (&self.config.model, self.total_steps() as f64);
        let at = |part: f32| (part as f64 * total).round() as u64;
        let (ramp_start, ramp_end) = (at(model.ramp_start), at(model.ramp_end));
        optimizer::Options { ramp_start, ramp_end, ..optimizer::Options::DEFAULT }.inverse_slope(step)
    }

    /// The rows of a step.
    pub(super) fn draw(&self, step: u64) -> Result<Drawn, TrainError> {
        self.sampler.draw(&self.config, &self.data, &self.teacher, step)
    }

    /// The loss of the present parameters on some rows.
    pub(super) fn loss_on(&mut self, drawn: &Drawn) -> Result<f32, TrainError> {
        let samples = samples(&self.config, drawn);
        self.network.add_loss(&self.parameters, &samples, 1.0, None)
    }

    /// Loss and gradient on some rows, and the loss of each label.
    fn gradient_on(&mut self, drawn: &Drawn) -> Result<f32, TrainError> {
        let whole = samples(&self.config, drawn);
        self.gradient.fill(0.0);
        let found = self.network.add_loss(&self.parameters, &whole, 1.0, Some(&mut self.gradient))?;
        self.losses.clear();
        self.network.add_losses(whole.labels, &mut self.losses);
        Ok(found)
    }

    /// The same half by half, and the variance of the gradient.
    fn gradient_in_halves(&mut self, drawn: &Drawn) -> Result<(f32, f32), TrainError> {
        let n = drawn.rows.len();
        if n < 2 {
            return Ok((self.gradient_on(drawn)?, f32::NAN));
        }
        self.gradient.fill(0.0);
        self.losses.clear();
        let (mut loss, mut shares) = (0.0, [0.0f32; 2]);
        let whole = samples(&self.config, drawn);
        for (i, (half, rows)) in whole.halves(n).into_iter().zip([n / 2, n - n / 2]).enumerate() {
            shares[i] = rows as f32 / n as f32;
            let gradient = Some(&mut self.gradient[..]);
            let found = self.network.add_loss(&self.parameters, &half, shares[i], gradient)?;
            if !found.is_finite() {
                self.gradient.fill(f32::INFINITY);
                return Ok((found, f32::NAN));
            }
            self.network.add_losses(half.labels, &mut self.losses);
            loss += shares[i] * found;
            if i == 0 {
                self.half.copy_from_slice(&self.gradient);
            }
        }
        // The gradients of both halves differ by the variance of one plus that of the other, which are 1 / share as large as
        // that of all.
        let [first, second] = shares;
        for (half, &whole) in self.half.iter_mut().zip(&self.gradient) {
            *half = *half / first - (whole - *half) / second;
        }
        let apart = crate::linear::vector::norm(&self.half);
        Ok((loss, apart * apart * (first * second)))
    }

    /// One step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] after many steps whose loss was not finite; parameters are those of the last good step.
    pub fn step(&mut self) -> Result<Step, TrainError> {
        if self.teacher_wanted.is_some() {
            let what = "had a teacher in the run that was resumed";
            return Err(config("distillation", what, "give its outputs again"));
        }
        let drawn = self.draw(self.step)?;
        let slope = self.inverse_slope(self.step);
        self.network.set_inverse_slope(slope)?;
        if self.step > 0 && self.step.is_multiple_of(self.per_epoch) {
            self.rows.find(&self.parameters)?;
        }
        let (loss, gradient_variance) = match self.predictor {
            Some(_) => self.gradient_in_halves(&drawn)?,
            None => (self.gradient_on(&drawn)?, f32::NAN),
        };
        let learning_rate = self.rate(self.step);
        self.rows.set_rates(&self.arrays, learning_rate, &mut self.groups);
        let radius = match self.config.trust_region.enabled {
            true => self.state.region.radius,
            false => f32::INFINITY,
        };
        let mut step = Step {
            step: self.step,
            cluster: drawn.cluster,
            loss,
            trial_loss: f32::NAN,
            verdict: Verdict::Accepted,
            learning_rate,
            multipliers: Multipliers::ONE,
            radius,
            ratio: 0.0,
            gradient_variance,
            groups: self.groups.len(),
            report: None,
            measured: None,
        };
        if self.config.trust_region.enabled {
            self.tried(&mut step, &drawn)?;
        } else {
            self.plain(&mut step)?;
        }
        self.refused = if step.verdict == Verdict::Refused { self.refused + 1 } else { 0 };
        if self.refused >= REFUSED_AT_MOST {
            return Err(TrainError::Diverged(self.refused));
        }
        if step.verdict != Verdict::Refused {
            self.rows.learn(&self.gradient);
        }
        self.sampler.learn(&drawn, &self.losses, step.multipliers);
        if step.verdict == Verdict::Accepted {
            self.pull(learning_rate, slope);
        }
        self.last_loss = loss;
        self.step += 1;
        let every = match self.config.measure_every {
            0 => self.per_epoch,
            steps => steps as u64,
        };
        if self.step.is_multiple_of(every) {
            self.measured = self.trits.measure(&self.parameters);
            step.measured = self.measured;
        }
        Ok(step)
    }

    /// Draws weights to their trits, the more they are seen as those.
    fn pull(&mut self, learning_rate: f32, slope: f32) {
        let free = if self.config.model.weights == WeightForm::Proximal { slope } else { 0.0 };
        let part = (self.config.model.pull * learning_rate * (1.0 - free)).min(1.0);
        if part > 0.0 {
            self.trits.pull(part, &mut self.parameters);
        }
    }
}

/// What a configuration's optimizer holds.
fn memory_size(options: &optimizer::Options, groups: &[Group]) -> Result<usize, TrainError> {
    optimizer::memory_size(options, groups).map_err(|e| match e {
        crate::Error::Unsupported => config(
            "optimizer.moment",
            "or optimizer.second or optimizer.residual has a form that this base cannot be held in",
            "see docs/train_config.md",
        ),
        other => other.into(),
    })
}

fn samples<'a>(config: &Config, drawn: &'a Drawn) -> Samples<'a> {
    let d = &config.distillation;
    let lesson = Lesson { logits: &drawn.teacher, weight: d.weight, temperature: d.temperature };
    let taught = !drawn.teacher.is_empty() && d.weight > 0.0;
    Samples { input: &drawn.x, labels: &drawn.labels, lesson: taught.then_some(lesson) }
}
