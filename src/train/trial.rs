//! A step that is judged: within the trust region, with the predictor's multipliers; or unjudged.

use crate::constrain::Verdict;
use crate::learn::hybrid::{self, Batch, Hybrid, Model, Multipliers, Proposal};
use crate::learn::optimizer;
use crate::learn::predictor::{Counterfactual, Observation, Prediction};

use super::error::TrainError;
use super::sampler::Drawn;
use super::trainer::{Step, Trainer};

impl Trainer {
    /// The optimizer's step, unjudged.
    pub(super) fn plain(&mut self, step: &mut Step) -> Result<(), TrainError> {
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
    pub(super) fn tried(&mut self, step: &mut Step, drawn: &Drawn) -> Result<(), TrainError> {
        let norm = crate::linear::vector::norm(&self.gradient);
        let prediction = match &mut self.predictor {
            Some(predictor) => Some(predictor.predict(&Observation {
                loss: step.loss,
                gradient_norm: norm,
                cluster: step.cluster,
                loss_ratio: step.loss / self.last_loss,
                gradient_variance: step.gradient_variance,
                step: step.step,
            })?),
            None => None,
        };
        step.multipliers = prediction.as_ref().map_or(Multipliers::ONE, |p| p.chosen);
        let probe = prediction.filter(|p| p.probe);
        if let Some(p) = probe {
            self.compare(step, &p, drawn)?;
        }
        match self.propose(step.loss, step.multipliers)? {
            Proposal::Refused(_) => step.verdict = Verdict::Refused,
            Proposal::Trial(report) => {
                step.report = Some(report);
                step.trial_loss = self.loss_on(drawn)?;
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
    fn compare(&mut self, step: &Step, p: &Prediction, drawn: &Drawn) -> Result<(), TrainError> {
        let next = self.draw(step.step + 1)?;
        let mut losses = [[0.0f32; 2]; 2];
        for (m, losses) in [p.chosen, p.alternative].into_iter().zip(&mut losses) {
            let Proposal::Trial(_) = self.propose(step.loss, m)? else { return Ok(()) };
            *losses = [self.loss_on(drawn)?, self.loss_on(&next)?];
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
