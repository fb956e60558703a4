//! Learning with few bits: the constrained optimizer with quantized gradients and state, and weights that learn as trits.

pub mod hybrid;
pub mod latent_free;
pub mod optimizer;
pub mod packets;
