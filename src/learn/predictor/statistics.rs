//! What has happened so far, and the last steps one by one. Fixed in size.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::{Compensated, exp};

use super::network::OUTPUTS;

/// Steps that the history holds.
pub const HISTORY: usize = 16;

/// Counts since the beginning, which stop at their largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Statistics {
    /// Predictions made.
    pub steps: u64,
    /// Of them, those without multipliers because of a roll-back.
    pub held: u64,
    /// Predictions whose outcome was fed back.
    pub judged: u64,
    /// Of them, those whose step was accepted.
    pub accepted: u64,
    /// Predictions for which a multiplier was at its bound.
    pub clamped: [u64; OUTPUTS],
    /// Predictions that came with an alternative to compare with.
    pub probes: u64,
    /// Comparisons that said something.
    pub compared: u64,
    /// Comparisons that said nothing: no finite loss, no difference between the two, or made before a roll-back.
    pub ignored: u64,
    /// Changes of the output layer for evidence.
    pub moves: u64,
    /// Times the output layer was rolled back.
    pub roll_backs: u64,
    /// Compensated sums of the log multipliers.
    pub(super) logs: [[f32; 2]; OUTPUTS],
}

impl Statistics {
    /// The part of the steps fed back that was accepted; 0 before the first.
    #[must_use]
    pub fn success_rate(&self) -> f32 {
        part(self.accepted, self.judged)
    }

    /// The part of the predictions for which the multiplier of the learning rate, or of the radius, was at its bound.
    #[must_use]
    pub fn clamp_rate(&self) -> [f32; OUTPUTS] {
        let [learning_rate, radius] = self.clamped;
        [part(learning_rate, self.steps), part(radius, self.steps)]
    }

    /// Geometric means of the multipliers of learning rate and radius; 1 before the first step.
    #[must_use]
    pub fn mean_multipliers(&self) -> [f32; OUTPUTS] {
        let mut means = [1.0; OUTPUTS];
        if self.steps > 0 {
            for (mean, &sum) in means.iter_mut().zip(&self.logs) {
                *mean = exp(Compensated::resume(sum).value() / self.steps as f32);
            }
        }
        means
    }

    pub(super) fn add_logs(&mut self, logs: &[f32; OUTPUTS]) {
        for (sum, &log) in self.logs.iter_mut().zip(logs) {
            let mut total = Compensated::resume(*sum);
            total.add(log);
            *sum = total.parts();
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.logs.iter().flatten().all(|x| x.is_finite()) { Ok(()) } else { Err(Error::Corrupt) }
    }
}

fn part(count: u64, of: u64) -> f32 {
    if of == 0 { 0.0 } else { count as f32 / of as f32 }
}

/// One more.
pub(super) fn count(counter: &mut u64, yes: bool) {
    *counter = counter.saturating_add(yes as u64);
}

/// What became of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Fate {
    /// Not fed back (yet).
    Unknown = 0,
    /// Accepted.
    Accepted = 1,
    /// Rejected or refused.
    Rejected = 2,
}

/// One step of the history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Record {
    /// The multiplier of the learning rate.
    pub learning_rate: f32,
    /// The multiplier of the radius.
    pub radius: f32,
    /// The trust-region ratio fed back; 0 where there is none.
    pub ratio: f32,
    /// The number of a [`Fate`].
    pub fate: u32,
}

impl Record {
    /// What became of the step.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self.fate {
            1 => Fate::Accepted,
            2 => Fate::Rejected,
            _ => Fate::Unknown,
        }
    }
}
