//! The trained network beside what might do as well.

use crate::learn::predictor::{Multipliers, Weights};
use crate::train::error::TrainError;

use super::judge::{Report, judge};
use super::run::Policy;
use super::trials::Trials;

/// A policy and what it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Of the policy.
    pub name: &'static str,
    /// What it did.
    pub report: Report,
}

/// The name of the row that counts: the trained network as it is meant to be used.
pub const TRAINED: &str = "trained";

/// Judges the trained network and its ablations on the same tasks:
///
/// - what chance alone does: the base with a learning rate a thousandth larger;
/// - the trained network, left as it is, and adapting online;
/// - the untrained network adapting online;
/// - a constant, the geometric mean of the trained network's multipliers on these tasks;
/// - the trained network shown features of other steps and other runs;
/// - a linear map from features to outputs, trained in the same way;
/// - a rule by hand ([`Policy::Hand`]).
///
/// # Errors
/// As [`judge`].
pub fn prove(
    trials: &Trials<'_>,
    weights: &Weights,
    linear: &Weights,
    threads: usize,
) -> Result<Vec<Row>, TrainError> {
    let network = |weights: &Weights, online| Policy::Network { weights: *weights, online };
    // The first alone: the features that are kept are its own.
    let (mut trained, pool) = judge(trials, &[network(weights, false)], threads)?;
    let by = trained.first().map_or(Multipliers::ONE, Report::multipliers);
    let chance = Policy::Constant(Multipliers { learning_rate: 1.001, radius: 1.0 });
    let others = [
        ("chance", chance),
        ("trained, online", network(weights, true)),
        ("untrained, online", network(&Weights::seeded(0), true)),
        ("constant", Policy::Constant(by)),
        ("shuffled", Policy::Shuffled { weights: *weights, pool }),
        ("linear", network(linear, false)),
        ("by hand", Policy::Hand),
    ];
    let (names, policies): (Vec<_>, Vec<_>) = others.into_iter().unzip();
    let (others, _) = judge(trials, &policies, threads)?;
    trained.extend(others);
    let names = [TRAINED].into_iter().chain(names);
    Ok(names.zip(trained).map(|(name, report)| Row { name, report }).collect())
}
