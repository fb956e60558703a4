//! The trainer: it learns, it resumes to the bit, and bad input ends in one clear line.
#![cfg(feature = "std")]

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod config;
mod digits;
mod distillation;
mod export;
mod measures;
mod meta;
mod models;
mod resume;

use std::path::Path;
use std::sync::OnceLock;

use hybridq::train::{Config, Dataset, LabelColumn, TrustConfig};

/// The handwritten digits, pixels from 0 to 1.
fn digits(file: &str) -> Dataset {
    static TABLES: [OnceLock<Dataset>; 2] = [OnceLock::new(), OnceLock::new()];
    let open = || {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits").join(file);
        Dataset::open(&path, LabelColumn::First, 1.0 / 16.0).unwrap()
    };
    TABLES[(file == "train.csv") as usize].get_or_init(open).clone()
}

/// A short run of everything at once.
fn short() -> Config {
    let mut config = Config { epochs: 3, seed: 7, ..Config::default() };
    config.optimizer.base_learning_rate = 0.02;
    config.trust_region = TrustConfig { initial_trust_radius: 0.1, ..TrustConfig::default() };
    config
}
