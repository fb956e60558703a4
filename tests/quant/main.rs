//! Packed formats and their encoders.

#[path = "../common/mod.rs"]
mod common;

mod archive;
mod encoders;
mod golden;
mod mixed;
mod q35b;
mod weighted;
