//! Optimizers, and the predictor.

#[path = "../common/mod.rs"]
mod common;

mod hybrid;
mod latent_free;
mod optimizer;
mod optimizer_digits;
mod optimizer_packed;
mod optimizer_support;
mod packets;
mod predictor;
mod predictor_evolve;
mod predictor_support;
