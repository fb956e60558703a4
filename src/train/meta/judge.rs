//! How policies do against their own base, task by task.

use libm::{exp, log, sqrt};

use crate::learn::predictor::{FEATURES, Multipliers};
use crate::train::error::TrainError;

use super::run::{Outcome, Policy};
use super::trials::Trials;

/// A loss is made worse (better) if it is beyond this part of the base's.
pub const TOLERANCE: f64 = 0.01;
/// A task counts for no more than this factor in means of logarithms: `exp(4)`.
const LARGEST: f64 = 4.0;
/// Features are kept of every so many steps.
const KEEP: usize = 16;

/// What a policy did on a task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// `ln` of its loss at the end over that of the base, each the mean over all runs; -4 to 4.
    pub log: f64,
    /// Whether the mean of the logarithms of single runs is beyond two of its standard errors.
    pub sure: bool,
}

/// What a policy did on all tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Task by task.
    pub changes: Vec<Change>,
    /// Sums of the log multipliers of learning rate and radius over all steps.
    logs: [f64; 2],
    steps: u64,
}

impl Report {
    fn share(&self, of: impl Fn(&Change) -> bool) -> f64 {
        self.changes.iter().filter(|c| of(c)).count() as f64 / self.changes.len().max(1) as f64
    }

    /// The part of the tasks that ended with a loss more than 1 % above the base's.
    #[must_use]
    pub fn worse(&self) -> f64 {
        self.share(|c| c.log > log(1.0 + TOLERANCE))
    }

    /// The same, where that is beyond two standard errors of the runs.
    #[must_use]
    pub fn surely_worse(&self) -> f64 {
        self.share(|c| c.log > log(1.0 + TOLERANCE) && c.sure)
    }

    /// The part of the tasks that ended with a loss above the base's, by however little.
    #[must_use]
    pub fn worse_at_all(&self) -> f64 {
        self.share(|c| c.log > 0.0)
    }

    /// The part of the tasks that ended with a loss more than 1 % below the base's.
    #[must_use]
    pub fn better(&self) -> f64 {
        self.share(|c| c.log < log(1.0 - TOLERANCE))
    }

    /// The geometric mean of the losses over the base's.
    #[must_use]
    pub fn mean_ratio(&self) -> f64 {
        exp(self.changes.iter().map(|c| c.log).sum::<f64>() / self.changes.len().max(1) as f64)
    }

    /// The same of the half in the middle.
    #[must_use]
    pub fn middle_ratio(&self) -> f64 {
        let mut logs: Vec<f64> = self.changes.iter().map(|c| c.log).collect();
        logs.sort_by(f64::total_cmp);
        let cut = logs.len() / 4;
        let middle = &logs[cut..logs.len() - cut];
        exp(middle.iter().sum::<f64>() / middle.len().max(1) as f64)
    }

    /// Geometric means of the multipliers.
    #[must_use]
    pub fn multipliers(&self) -> Multipliers {
        let mean = |sum: f64| exp(sum / self.steps.max(1) as f64) as f32;
        Multipliers { learning_rate: mean(self.logs[0]), radius: mean(self.logs[1]) }
    }

    /// Takes up what the same policy did on other tasks.
    pub fn join(&mut self, other: &Report) {
        self.changes.extend_from_slice(&other.changes);
        self.logs.iter_mut().zip(other.logs).for_each(|(sum, more)| *sum += more);
        self.steps += other.steps;
    }
}

/// Runs policies against the base: a report for each, and features that the networks among them saw.
///
/// # Errors
/// None but for a family of a table without one.
pub fn judge(
    trials: &Trials<'_>,
    policies: &[Policy],
    threads: usize,
) -> Result<(Vec<Report>, Vec<[f32; FEATURES]>), TrainError> {
    let all: Vec<Policy> = [Policy::Base].into_iter().chain(policies.iter().cloned()).collect();
    let mut runs = trials.run(&all, threads, KEEP)?;
    let features = runs.iter_mut().flatten().flat_map(|o| std::mem::take(&mut o.features)).collect();
    let reports = (1..all.len()).map(|which| report(&runs, trials.runs, which)).collect();
    Ok((reports, features))
}

fn report(runs: &[Vec<Outcome>], each: usize, which: usize) -> Report {
    let changes = runs.chunks(each.max(1)).map(|runs| change(runs, which)).collect();
    let logs = [0, 1].map(|i| runs.iter().map(|r| r[which].logs[i]).sum());
    Report { changes, logs, steps: runs.iter().map(|r| r[which].steps).sum() }
}

/// `ln` of a loss over another; a loss that is not finite is infinitely large.
pub(super) fn log_ratio(loss: f64, base: f64) -> f64 {
    match (loss.is_finite(), base.is_finite()) {
        (true, true) => log(loss.max(1e-30) / base.max(1e-30)).clamp(-LARGEST, LARGEST),
        (false, true) => LARGEST,
        (true, false) => -LARGEST,
        (false, false) => 0.0,
    }
}

fn change(runs: &[Vec<Outcome>], which: usize) -> Change {
    let sum = |which: usize| runs.iter().map(|r| r[which].loss).sum::<f64>();
    let logs: Vec<f64> = runs.iter().map(|r| log_ratio(r[which].loss, r[0].loss)).collect();
    let n = logs.len() as f64;
    let mean = logs.iter().sum::<f64>() / n;
    let square = logs.iter().map(|l| (l - mean) * (l - mean)).sum::<f64>();
    let error = if n > 1.0 { sqrt(square / (n * (n - 1.0))) } else { f64::INFINITY };
    Change { log: log_ratio(sum(which), sum(0)), sure: mean.abs() > 2.0 * error }
}
