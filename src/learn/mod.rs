//! Learning with few bits: the constrained optimizer with quantized gradients and state, weights that learn as trits, and
//! the network that predicts how far to step.

pub mod hybrid;
pub mod latent_free;
pub mod optimizer;
pub mod predictor;
