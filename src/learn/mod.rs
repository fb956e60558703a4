//! Learning with few bits: the constrained optimizer with quantized gradients and state, steps that are tried and taken
//! back, weights that learn as trits, layers and losses, gradients that travel between machines, and the network that
//! predicts how far to step.

pub mod hybrid;
pub mod latent_free;
pub mod layers;
pub mod optimizer;
pub mod packets;
pub mod predictor;
