//! The auxiliary network: how much longer or shorter than usual the next step should be.
//!
//! A network of 146 parameters sees six scale-free features of the training state and gives a multiplier for the learning
//! rate and one for the trust radius. Its output layer starts as zeros, so that untrained it *is* the base optimizer; it
//! is trained offline, and adapts online from comparisons on the same batch. It is rolled back when its steps go wrong.
//!
//! Per step: [`Predictor::predict`]; step with the multipliers; if asked for, [`Predictor::adapt`] with the losses of the
//! alternative; [`Predictor::feedback`] with what the trust region says. `docs/predictor.md` tells why it is done this way.
//!
//! Nothing here depends on a tier: plain f32 arithmetic in a fixed order, the same bits everywhere.

mod constants;
mod evidence;
mod evolve;
mod features;
mod network;
mod options;
mod state;
mod statistics;

pub use evidence::Counterfactual;
pub use evolve::{Evolution, EvolveOptions};
pub use features::{CLUSTERS, Observation};
pub use network::{FEATURES, HIDDEN, OUTPUTS, Output, PARAMETERS, Weights};
pub use options::Options;
pub use state::{Multipliers, Prediction, Predictor};
pub use statistics::{Fate, HISTORY, Record, Statistics};
