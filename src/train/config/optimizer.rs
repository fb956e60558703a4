//! How to step.

use serde::{Deserialize, Serialize};

use crate::learn::optimizer::{Base, GradientForm, Storage};

/// The direction of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BaseName {
    /// Momentum.
    Sgd,
    /// Momentum looked for ahead.
    Nesterov,
    /// Adam with Nesterov momentum and decoupled weight decay.
    NadamW,
}

impl BaseName {
    pub(in crate::train) fn base(self) -> Base {
        match self {
            BaseName::Sgd => Base::Sgd,
            BaseName::Nesterov => Base::Nesterov,
            BaseName::NadamW => Base::NadamW,
        }
    }
}

/// How a number per parameter is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StorageName {
    /// Not at all.
    None,
    /// 32 bits.
    F32,
    /// 8.125 bits.
    Int8,
    /// 4.25 bits.
    Int4,
    /// 1.625 bits.
    Ternary,
}

impl StorageName {
    pub(in crate::train) fn storage(self) -> Storage {
        match self {
            StorageName::None => Storage::None,
            StorageName::F32 => Storage::F32,
            StorageName::Int8 => Storage::Int8,
            StorageName::Int4 => Storage::Int4,
            StorageName::Ternary => Storage::Ternary,
        }
    }
}

/// What is done to the gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GradientName {
    /// Nothing.
    F32,
    /// Trits, after a clip at 2.5 standard deviations.
    Ternary,
}

impl GradientName {
    pub(in crate::train) fn form(self) -> GradientForm {
        match self {
            GradientName::F32 => GradientForm::F32,
            GradientName::Ternary => GradientForm::Ternary,
        }
    }
}

/// How the learning rate runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// The same to the end.
    Constant,
    /// Down to 0 in half a cosine.
    Cosine,
}

/// How to step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Default nadamw.
    pub base: BaseName,
    /// Default 1e-3.
    pub base_learning_rate: f32,
    /// Default cosine.
    pub schedule: Schedule,
    /// The part of all steps in which the rate rises from 0, 0 to 1. Default 0.05.
    pub warmup: f32,
    /// Default 0.9.
    pub momentum: f32,
    /// Of nadamw. Default 0.999.
    pub beta2: f32,
    /// Decoupled. Default 0.05.
    pub weight_decay: f32,
    /// The norm that a gradient is scaled down to. Default 1.
    pub clip_norm: f32,
    /// Default f32.
    pub gradient: GradientName,
    /// How the error of ternary gradients is fed back. Default int8.
    pub residual: StorageName,
    /// How the momentum is held. Default f32.
    pub moment: StorageName,
    /// How the second moment of nadamw is held. Default f32.
    pub second: StorageName,
}

impl Default for OptimizerConfig {
    fn default() -> OptimizerConfig {
        OptimizerConfig {
            base: BaseName::NadamW,
            base_learning_rate: 1e-3,
            schedule: Schedule::Cosine,
            warmup: 0.05,
            momentum: 0.9,
            beta2: 0.999,
            weight_decay: 0.05,
            clip_norm: 1.0,
            gradient: GradientName::F32,
            residual: StorageName::Int8,
            moment: StorageName::F32,
            second: StorageName::F32,
        }
    }
}
