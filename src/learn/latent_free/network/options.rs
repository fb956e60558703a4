//! How a network learns, and what it holds.

use crate::Error;

use super::super::held::{Bytes, Halves, Held};

/// How inertia is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Inertia {
    /// A byte each: thresholds up to 127.
    Int8 = 0,
    /// Half a byte each: thresholds up to 8.
    Int4 = 1,
}

impl Inertia {
    /// The form with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Inertia, Error> {
        [Inertia::Int8, Inertia::Int4].into_iter().find(|&i| i as i32 == value).ok_or(Error::UnknownEnum)
    }

    /// The largest threshold.
    #[must_use]
    pub fn most(self) -> i32 {
        match self {
            Inertia::Int8 => Bytes::MOST,
            Inertia::Int4 => Halves::MOST,
        }
    }
}

/// How [`Network::learn`](super::Network::learn) learns. The rates are those of the start: give
/// [`Rates::at`] of them, so that they fall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// How far a weight goes towards its next trit in a step, 1 being all the way, if its gradient is as large as is usual
    /// in its layer (the root of a running mean of squares); at least 0, finite.
    pub weights: f32,
    /// The learning rate of the packed scales, as [`scale_rate`](super::super::Options::scale_rate).
    pub scales: f32,
    /// The learning rate of biases and gains: plain gradient descent.
    pub floats: f32,
    /// The inertia that moves a trit, 1 to [`Inertia::most`] of each layer.
    pub threshold: i32,
    /// The part of the inertia that is forgotten each step, 0 to 1.
    pub decay: f32,
    /// Pressure towards zero, in units of inertia a step; 0 to 16.
    pub weight_decay: f32,
    /// The part of the running mean of squares that is kept each step, 0 to below 1.
    pub memory: f32,
}

impl Rates {
    /// What reaches the most on the digits, for inertia in 4 bits; a threshold of 64 is better with 8.
    pub const DEFAULT: Rates = Rates {
        weights: 0.15,
        scales: 0.03,
        floats: 0.1,
        threshold: 8,
        decay: 0.0,
        weight_decay: 0.0,
        memory: 0.9,
    };

    /// The rates after this part of the training, 0 to 1: they fall in a straight line to 0.
    #[must_use]
    pub fn at(self, progress: f32) -> Rates {
        let progress = if progress > 0.0 { progress } else { 0.0 };
        let left = if progress < 1.0 { 1.0 - progress } else { 0.0 };
        Rates {
            weights: self.weights * left,
            scales: self.scales * left,
            floats: self.floats * left,
            weight_decay: self.weight_decay * left,
            ..self
        }
    }

    pub(super) fn check(&self, most: i32) -> Result<(), Error> {
        let rate = 0.0..=f32::MAX;
        let fine = rate.contains(&self.weights)
            && rate.contains(&self.scales)
            && rate.contains(&self.floats)
            && (1..=most).contains(&self.threshold)
            && (0.0..=1.0).contains(&self.decay)
            && (0.0..=16.0).contains(&self.weight_decay)
            && (0.0..1.0).contains(&self.memory);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

impl Default for Rates {
    fn default() -> Rates {
        Rates::DEFAULT
    }
}

/// Bytes that training holds for parameters, gradients and the state of the optimizer: all that does not grow with the
/// batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footprint {
    /// Packed trits with their scales.
    pub weights: usize,
    /// Inertia.
    pub inertia: usize,
    /// Biases and gains in f32, and the running mean of squares of each ternary layer.
    pub floats: usize,
    /// The gradient of one row, or of the biases or gains of one layer.
    pub gradient: usize,
    /// Weights, biases and gains: numbers, not bytes.
    pub parameters: usize,
}

impl Footprint {
    /// All bytes.
    #[must_use]
    pub fn total(&self) -> usize {
        [self.weights, self.inertia, self.floats, self.gradient].into_iter().fold(0, usize::saturating_add)
    }

    /// Bytes of the usual training of as many parameters: each with its gradient and the two moments of Adam, in f32.
    #[must_use]
    pub fn adam(&self) -> usize {
        self.parameters.saturating_mul(16)
    }
}
