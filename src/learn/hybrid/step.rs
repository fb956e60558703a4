//! Propose, undo, judge.

use crate::Error;
use crate::constrain::{Set, Trial, TrustOutcome, TrustRegion, Verdict};
use crate::learn::optimizer::{self, Group, Inputs, Optimizer, Outputs, Report};
use crate::learn::predictor::Multipliers;
use crate::math::sqrt;
use crate::workspace::{Carver, Layout};

use super::undo;

/// What the constants of the trust region do not say. [`Options::default`] has the defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Steps whose efficiency is below are judged by the loss alone. -1 to 1; -1: the ratio judges all steps.
    pub least_efficiency: f32,
    /// By what part of itself the loss may rise in such a step. At least 0.
    pub tolerated_rise: f32,
}

impl Default for Options {
    /// Efficiency 0.05, rise 0.1.
    fn default() -> Options {
        Options { least_efficiency: 0.05, tolerated_rise: 0.1 }
    }
}

impl Options {
    fn check(&self) -> Result<(), Error> {
        let fine =
            (-1.0..=1.0).contains(&self.least_efficiency) && (0.0..=f32::MAX).contains(&self.tolerated_rise);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

/// What the caller has computed on a batch.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The mean loss.
    pub loss: f32,
    /// Its gradient, a number for each parameter.
    pub gradient: &'a [f32],
}

/// The arrays of a model that a step changes.
#[derive(Debug)]
pub struct Model<'a> {
    /// The parameters in full precision.
    pub params: &'a mut [f32],
    /// The parameters as the forward pass is to see them; empty where it reads `params` or `packed`.
    pub visible: &'a mut [f32],
    /// The packed parameters; empty where they are not wanted.
    pub packed: &'a mut [u8],
}

/// A step that waits for its judgement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pending {
    /// The optimizer's state before it.
    pub(crate) before: optimizer::State,
    pub(crate) loss: f32,
    pub(crate) predicted: f32,
    pub(crate) norm: f32,
    pub(crate) efficiency: f32,
    /// What the radius was multiplied with.
    pub(crate) multiplier: f32,
    pub(crate) bounded: bool,
}

/// What is kept between steps beside the arrays. Save it between steps, with parameters and memory, and the run goes on with
/// the same bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// The optimizer's.
    pub optimizer: optimizer::State,
    /// The trust region: constants, radius, counts.
    pub region: TrustRegion,
    /// The step that waits for its judgement.
    pub pending: Option<Pending>,
}

/// What became of a proposal.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Proposal {
    /// The step is made. Compute the loss on the same batch, then [`Hybrid::judge`].
    Trial(Report),
    /// Loss or gradient are NaN or infinite, or so large that the step would be: nothing changed but the radius, which
    /// shrank, and its counts.
    Refused(TrustOutcome),
}

/// The hybrid step over memory of the caller.
#[derive(Debug)]
pub struct Hybrid<'a> {
    /// How to judge.
    pub options: &'a Options,
    /// How to step.
    pub optimizer: &'a optimizer::Options,
    /// The parameters, in this order. Rates and radii may change between steps, shapes may not.
    pub groups: &'a [Group],
    /// A set that all parameters together are projected to after every step.
    pub set: Option<Set<'a>>,
    /// What [`start`] or the last step left.
    pub state: &'a mut State,
    /// [`memory_size`](optimizer::memory_size) bytes, aligned to 4 if a part of it is held in f32.
    pub memory: &'a mut [u8],
    /// [`undo_size`](super::undo_size) bytes.
    pub undo: &'a mut [u8],
}

/// The state before the first step; `memory` is cleared.
///
/// # Errors
/// As [`optimizer::start`] and [`TrustRegion::check`].
pub fn start(
    options: &optimizer::Options,
    groups: &[Group],
    region: TrustRegion,
    memory: &mut [u8],
) -> Result<State, Error> {
    region.check()?;
    Ok(State { optimizer: optimizer::start(options, groups, memory)?, region, pending: None })
}

/// Bytes of scratch that [`Hybrid::propose`] needs: the optimizer's, and one group each.
///
/// # Errors
/// As [`optimizer::workspace_size`].
pub fn workspace_size(
    options: &optimizer::Options,
    groups: &[Group],
    set: Option<&Set<'_>>,
) -> Result<usize, Error> {
    let own = Layout::EMPTY.array::<Group>(groups.len())?.size();
    own.checked_add(optimizer::workspace_size(options, groups, set)?).ok_or(Error::SizeOverflow)
}

impl Hybrid<'_> {
    /// Makes a step and waits for its judgement.
    ///
    /// A loss or gradient that is NaN or infinite is [`Proposal::Refused`]; the caller goes on with the next batch.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`]: options, multipliers or rates outside their ranges, or a step that waits for its judgement
    /// already; [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::Misaligned`],
    /// [`Error::Unsupported`], [`Error::SizeOverflow`], [`Error::NonFinite`] for parameters that are not finite: as
    /// [`Optimizer::step`]. Nothing has changed then.
    pub fn propose(
        &mut self,
        batch: &Batch<'_>,
        multipliers: Multipliers,
        model: &mut Model<'_>,
        scratch: &mut [u8],
    ) -> Result<Proposal, Error> {
        self.options.check()?;
        self.state.region.check()?;
        let rate = multipliers.learning_rate;
        let sound =
            (0.0..=f32::MAX).contains(&rate) && multipliers.radius > 0.0 && multipliers.radius <= f32::MAX;
        if !sound || self.state.pending.is_some() {
            return Err(Error::InvalidArgument);
        }
        let size = optimizer::memory_size(self.optimizer, self.groups)?;
        let memory = self.memory.get_mut(..size).ok_or(Error::OutputTooSmall)?;
        undo::fits(model, memory, self.undo)?;
        if scratch.len() < workspace_size(self.optimizer, self.groups, self.set.as_ref())? {
            return Err(Error::WorkspaceTooSmall);
        }
        if batch.gradient.len() != model.params.len() {
            return Err(Error::Shape);
        }
        if !batch.loss.is_finite() || !batch.gradient.iter().all(|g| g.is_finite()) {
            return self.refuse();
        }

        let mut carver = Carver::new(scratch);
        let groups = carver.take::<Group>(self.groups.len())?;
        let radius = self.state.region.radius * multipliers.radius;
        share_out(self.groups, rate, radius, groups);
        let before = self.state.optimizer;
        undo::save(model, memory, self.undo);
        let mut optimizer =
            Optimizer { options: self.optimizer, groups, state: &mut self.state.optimizer, memory };
        let inputs = Inputs { gradient: batch.gradient, losses: None, set: self.set };
        let outputs =
            Outputs { visible: &mut *model.visible, packed: &mut *model.packed, ..Outputs::default() };
        let report = match optimizer.step(&inputs, model.params, outputs, carver.rest()) {
            // Loss and gradient are finite: it is the step that would leave the range of f32. A later batch may be better.
            Err(Error::NonFinite) if model.params.iter().all(|p| p.is_finite()) => return self.refuse(),
            other => other?,
        };
        self.state.pending = Some(Pending {
            before,
            loss: batch.loss,
            predicted: report.predicted,
            norm: report.step_norm,
            efficiency: report.efficiency,
            multiplier: multipliers.radius,
            bounded: report.bounded > 0,
        });
        Ok(Proposal::Trial(report))
    }

    fn refuse(&mut self) -> Result<Proposal, Error> {
        let refused = Trial { loss: f32::NAN, trial_loss: f32::NAN, predicted: 0.0, step_norm: 0.0 };
        Ok(Proposal::Refused(self.state.region.update(&refused)?))
    }

    /// Takes the waiting step back, unjudged: parameters, memory and state are what they were before it, to the bit.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if no step waits; [`Error::OutputTooSmall`] if the buffers are not those of
    /// [`Hybrid::propose`].
    pub fn undo(&mut self, model: &mut Model<'_>) -> Result<(), Error> {
        let pending = self.state.pending.ok_or(Error::InvalidArgument)?;
        let size = optimizer::memory_size(self.optimizer, self.groups)?;
        let memory = self.memory.get_mut(..size).ok_or(Error::OutputTooSmall)?;
        undo::fits(model, memory, self.undo)?;
        undo::restore(model, memory, self.undo);
        self.state.optimizer = pending.before;
        self.state.pending = None;
        Ok(())
    }

    /// Keeps the waiting step or takes it back, and sets the radius for the next one. `trial_loss` is the loss on the batch
    /// of the proposal, with the parameters after the step; NaN and infinity refuse the step.
    ///
    /// # Errors
    /// As [`Hybrid::undo`].
    pub fn judge(&mut self, trial_loss: f32, model: &mut Model<'_>) -> Result<TrustOutcome, Error> {
        self.options.check()?;
        let pending = self.state.pending.ok_or(Error::InvalidArgument)?;
        let size = optimizer::memory_size(self.optimizer, self.groups)?;
        undo::fits(model, self.memory.get(..size).ok_or(Error::OutputTooSmall)?, self.undo)?;
        let region = &mut self.state.region;
        // A radius that shortened a group's step was active, whatever the norm of the others.
        let step_norm = if pending.bounded { region.radius } else { pending.norm / pending.multiplier };
        let aimless = pending.norm > 0.0 && pending.efficiency < self.options.least_efficiency;
        let outcome = if aimless && trial_loss.is_finite() {
            let most = self.options.tolerated_rise * pending.loss.abs();
            region.settle(trial_loss - pending.loss <= most, step_norm)?
        } else {
            let (loss, predicted) = (pending.loss, pending.predicted);
            region.update(&Trial { loss, trial_loss, predicted, step_norm })?
        };
        if outcome.verdict == Verdict::Accepted {
            self.state.pending = None;
        } else {
            self.undo(model)?;
        }
        Ok(outcome)
    }
}

/// Rates times `rate`, and each group's part of the radius.
fn share_out(from: &[Group], rate: f32, radius: f32, to: &mut [Group]) {
    let count = |g: &Group| g.rows as f32 * g.cols as f32;
    let total: f32 = from.iter().map(count).sum();
    for (to, from) in to.iter_mut().zip(from) {
        let share = radius * sqrt(count(from) / total);
        let radius = if share < from.radius { share } else { from.radius };
        *to = Group { learning_rate: from.learning_rate * rate, radius, ..*from };
    }
}
