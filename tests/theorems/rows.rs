//! Random rows.

use proptest::prelude::*;

use super::common::gaussian;

/// A row of one of many shapes: spread, skewed, far from zero, with outliers, with few values; of all magnitudes.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub len: usize,
    pub seed: u64,
    pub shape: u8,
    pub exponent: i32,
    pub shift: f32,
}

impl Row {
    pub fn values(self) -> Vec<f32> {
        let Row { len, seed, shape, exponent, shift } = self;
        let value = |(i, g): (usize, f32)| match shape {
            0 => g,
            1 => g + 10.0 * shift,
            2 => (2.0 * g).exp(),
            3 if i % 97 == 5 => 50.0 * g,
            4 => (2.0 * g).round() + shift,
            5 => 1000.0 * shift + 1e-3 * g,
            _ => g * g * g,
        };
        gaussian(len, seed).into_iter().enumerate().map(|v| value(v) * 2f32.powi(exponent)).collect()
    }
}

pub fn rows() -> impl Strategy<Value = Row> {
    (1usize..600, any::<u64>(), 0u8..7, -30i32..30, -4.0f32..4.0)
        .prop_map(|(len, seed, shape, exponent, shift)| Row { len, seed, shape, exponent, shift })
}

pub fn range(x: &[f32]) -> (f32, f32) {
    x.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

/// Fewer where every instruction is emulated.
pub const CASES: u32 = if cfg!(target_arch = "x86_64") { 400 } else { 20 };
