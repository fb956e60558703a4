//! Learning with few bits: the constrained optimizer with quantized gradients and state, weights that learn as trits, and
//! the layers and losses whose gradients they learn from.

pub mod hybrid;
pub mod latent_free;
pub mod layers;
pub mod optimizer;
