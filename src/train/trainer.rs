//! The loop: a batch, its gradient, a step that is tried and judged.

use crate::constrain::{TrustOptions, TrustRegion, Verdict};
use crate::kmeans::{
    Batches, DataClusters, FitOptions, Points, Restarts, Seeding, balanced_batch, batches_per_epoch,
    cluster_batch, fit_seeded, fit_seeded_workspace_size,
};
use crate::learn::hybrid::{self, Batch, Hybrid, Model, Multipliers, Proposal, undo_size};
use crate::learn::optimizer::{self, Group, Report};
use crate::learn::predictor::{self, Counterfactual, Observation, Prediction, Predictor, Weights};

use super::config::{Config, Sampling, Schedule};
use super::dataset::Dataset;
use super::error::TrainError;
use super::network::{Evaluation, Network};

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
    /// What the optimizer says; `None` for a step that was refused.
    pub report: Option<Report>,
}

/// A run in memory.
#[derive(Debug)]
pub struct Trainer {
    pub(super) config: Config,
    pub(super) data: Dataset,
    network: Network,
    options: optimizer::Options,
    groups: Vec<Group>,
    pub(super) parameters: Vec<f32>,
    pub(super) state: hybrid::State,
    /// Aligned for f32.
    pub(super) memory: Vec<u32>,
    undo: Vec<u8>,
    scratch: Vec<u8>,
    pub(super) predictor: Option<Predictor>,
    labels: Vec<u32>,
    starts: Vec<u32>,
    rows: Vec<u32>,
    gradient: Vec<f32>,
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
    /// Keys of the configuration out of range, by name.
    pub fn new(config: Config, data: Dataset) -> Result<Trainer, TrainError> {
        config.check()?;
        data.check()?;
        let network = Network::new(&config.model, data.features, data.classes)?;
        let sequence = network.sequence()?;
        let arrays: Vec<_> = sequence.arrays().collect();
        let groups: Vec<Group> = arrays
            .iter()
            .map(|a| Group {
                rows: a.parameter.rows,
                cols: a.parameter.cols,
                learning_rate: config.optimizer.base_learning_rate,
                radius: f32::INFINITY,
            })
            .collect();
        let mut parameters = vec![0.0; arrays.last().map_or(0, |a| a.range.end)];
        sequence.start(config.seed, &mut parameters)?;
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
        let mut memory = vec![0u32; optimizer::memory_size(&options, &groups)?.div_ceil(4)];
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
                Weights::seeded(0),
                predictor::Options {
                    seed: config.seed,
                    probe_every: config.predictor.probe_every,
                    ..predictor::Options::DEFAULT
                },
            )?),
            false => None,
        };
        let [labels, starts, rows] = cluster(&config, &data)?;
        let per_epoch = batches_per_epoch(data.rows(), config.batch_size, false)? as u64;
        let gradient = vec![0.0; parameters.len()];
        Ok(Trainer {
            config,
            data,
            network,
            options,
            groups,
            parameters,
            state,
            memory,
            undo,
            scratch,
            predictor,
            labels,
            starts,
            rows,
            gradient,
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

    /// Loss and accuracy on other rows.
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

    /// The rows of a step, and the cluster of most of them.
    fn batch(&self, step: u64) -> Result<(Vec<f32>, Vec<u32>, u32), TrainError> {
        let clusters = DataClusters::new(&self.starts, &self.rows)?;
        let mut rows = vec![0; self.config.batch_size.min(self.data.rows())];
        let (count, cluster) = match self.config.clusters.sampling {
            Sampling::Balanced => {
                let options =
                    Batches { size: self.config.batch_size, drop_last: false, seed: self.config.seed };
                (balanced_batch(&clusters, &options, step, &mut rows)?, None)
            }
            Sampling::Cluster => {
                let tickets: Vec<u64> = (0..clusters.clusters()).map(|c| clusters.size(c) as u64).collect();
                let found = cluster_batch(&clusters, &tickets, self.config.seed, step, &mut rows)?;
                (found.rows, Some(found.cluster as u32))
            }
        };
        rows.truncate(count);
        let cluster = cluster.unwrap_or_else(|| {
            let mut counts = vec![0; clusters.clusters()];
            rows.iter().for_each(|&r| counts[self.labels[r as usize] as usize] += 1);
            let most = counts.iter().max().copied().unwrap_or(0);
            counts.iter().position(|&c| c == most).unwrap_or(0) as u32
        });
        let f = self.data.features;
        let x =
            rows.iter().flat_map(|&r| &self.data.x[r as usize * f..(r as usize + 1) * f]).copied().collect();
        let l = self.data.labels_per_row;
        let labels = rows
            .iter()
            .flat_map(|&r| &self.data.labels[r as usize * l..(r as usize + 1) * l])
            .copied()
            .collect();
        Ok((x, labels, cluster))
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
                    0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos())
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

    /// One step.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] after many steps whose loss was not finite; parameters are those of the last good step.
    pub fn step(&mut self) -> Result<Step, TrainError> {
        let (x, labels, cluster) = self.batch(self.step)?;
        let slope = self.inverse_slope(self.step);
        self.network.set_inverse_slope(slope)?;
        let loss = self.network.loss(&self.parameters, &x, &labels, Some(&mut self.gradient))?;
        let learning_rate = self.rate(self.step);
        self.groups.iter_mut().for_each(|g| g.learning_rate = learning_rate);
        let radius = match self.config.trust_region.enabled {
            true => self.state.region.radius,
            false => f32::INFINITY,
        };
        let mut step = Step {
            step: self.step,
            cluster,
            loss,
            trial_loss: f32::NAN,
            verdict: Verdict::Accepted,
            learning_rate,
            multipliers: Multipliers::ONE,
            radius,
            ratio: 0.0,
            report: None,
        };
        if self.config.trust_region.enabled {
            self.tried(&mut step, &x, &labels)?;
        } else {
            self.plain(&mut step)?;
        }
        self.refused = if step.verdict == Verdict::Refused { self.refused + 1 } else { 0 };
        if self.refused >= REFUSED_AT_MOST {
            return Err(TrainError::Diverged(self.refused));
        }
        self.last_loss = loss;
        self.step += 1;
        Ok(step)
    }

    /// The optimizer's step, unjudged.
    fn plain(&mut self, step: &mut Step) -> Result<(), TrainError> {
        if !step.loss.is_finite() {
            step.verdict = Verdict::Refused;
            return Ok(());
        }
        let mut optimizer = optimizer::Optimizer {
            options: &self.options,
            groups: &self.groups,
            state: &mut self.state.optimizer,
            memory: bytemuck::cast_slice_mut(&mut self.memory),
        };
        let inputs = optimizer::Inputs { gradient: &self.gradient, ..optimizer::Inputs::default() };
        match optimizer.step(&inputs, &mut self.parameters, optimizer::Outputs::default(), &mut self.scratch)
        {
            Err(crate::Error::NonFinite) => step.verdict = Verdict::Refused,
            other => step.report = Some(other?),
        }
        Ok(())
    }

    /// The step within the trust region, with the predictor's multipliers.
    fn tried(&mut self, step: &mut Step, x: &[f32], labels: &[u32]) -> Result<(), TrainError> {
        let norm = crate::linear::vector::norm(&self.gradient);
        let prediction = match &mut self.predictor {
            Some(predictor) => Some(predictor.predict(&Observation {
                loss: step.loss,
                gradient_norm: norm,
                cluster: step.cluster,
                loss_ratio: step.loss / self.last_loss,
                gradient_variance: f32::NAN,
                step: step.step,
            })?),
            None => None,
        };
        step.multipliers = prediction.as_ref().map_or(Multipliers::ONE, |p| p.chosen);
        let probe = prediction.filter(|p| p.probe);
        if let Some(p) = probe {
            self.compare(step, &p, x, labels)?;
        }
        match self.propose(step.loss, step.multipliers)? {
            Proposal::Refused(_) => step.verdict = Verdict::Refused,
            Proposal::Trial(report) => {
                step.report = Some(report);
                step.trial_loss = self.network.loss(&self.parameters, x, labels, None)?;
                let outcome = self.with(|hybrid, model, _| hybrid.judge(step.trial_loss, model))?;
                (step.verdict, step.ratio) = (outcome.verdict, outcome.ratio);
                if let Some(predictor) = &mut self.predictor {
                    predictor.feedback(&outcome)?;
                }
            }
        }
        Ok(())
    }

    /// Tries both multipliers of a probe on this batch and the next one, and takes both steps back.
    fn compare(&mut self, step: &Step, p: &Prediction, x: &[f32], labels: &[u32]) -> Result<(), TrainError> {
        let (next_x, next_labels, _) = self.batch(step.step + 1)?;
        let mut losses = [[0.0f32; 2]; 2];
        for (m, losses) in [p.chosen, p.alternative].into_iter().zip(&mut losses) {
            let Proposal::Trial(_) = self.propose(step.loss, m)? else { return Ok(()) };
            *losses = [
                self.network.loss(&self.parameters, x, labels, None)?,
                self.network.loss(&self.parameters, &next_x, &next_labels, None)?,
            ];
            self.with(|hybrid, model, _| hybrid.undo(model))?;
        }
        let [chosen, alternative] = losses;
        let found = Counterfactual {
            before: step.loss,
            chosen: chosen[0],
            alternative: alternative[0],
            fresh: Some([chosen[1], alternative[1]]),
        };
        if let Some(predictor) = &mut self.predictor {
            predictor.adapt(p, &found)?;
        }
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

/// Labels, starts and rows of the clusters of the training rows.
fn cluster(config: &Config, data: &Dataset) -> Result<[Vec<u32>; 3], TrainError> {
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
    Ok([labels, starts, rows])
}
