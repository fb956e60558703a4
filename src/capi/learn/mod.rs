//! Room `learn`, one file a concern.

// In the order of the header.
pub mod latent_free;

pub mod optimizer;

pub mod optimizer_step;

pub mod hybrid;

pub mod packets;
pub mod predictor;

pub mod layers;

pub mod layers_kinds;

pub mod layers_pass;

pub mod losses;
