//! What a predictor is told.

use bytemuck::{Pod, Zeroable};

use crate::Error;

use super::network::OUTPUTS;

/// How a predictor behaves; the defaults are those of [`Options::DEFAULT`]. Arrays have one value for the learning rate and
/// one for the radius.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Options {
    /// Of the signs of probes.
    pub seed: u64,
    /// No multiplier is smaller; above 0, at most 1.
    pub lowest: [f32; OUTPUTS],
    /// No multiplier is larger; at least 1, finite. An output whose bounds are both 1 is switched off.
    pub highest: [f32; OUTPUTS],
    /// The factor between the multipliers and the alternative that a probe compares them with; above 1, at most 16.
    pub probe_factor: f32,
    /// The largest change of a log multiplier by one block of probes; 0 (nothing is learnt online) to 1.
    pub rate: f32,
    /// The part of what was learnt online that is forgotten with each block; 0 to 1.
    pub decay: f32,
    /// Evidence counts if its mean is so many of its standard errors from 0; at least 0, finite.
    pub confidence: f32,
    /// Evidence counts if its mean (see [`Predictor::adapt`](super::Predictor::adapt)) is beyond this; 0 to 1.
    pub indifference: f32,
    /// A step whose trust-region ratio is below this is a bad one, as is one that was not accepted; finite.
    pub bad_ratio: f32,
    /// Steps that the running means of the features reach back; at least 1.
    pub window: u32,
    /// Steps from one probe to the next; 0: never.
    pub probe_every: u32,
    /// Probes of an output that are judged together; at least 2.
    pub block: u32,
    /// Bad steps in a row that roll the output layer back; 0: never.
    pub bad_steps: u32,
    /// Good steps in a row after which the output layer is kept to roll back to; at least 1.
    pub good_steps: u32,
    /// Steps without multipliers after a roll-back.
    pub hold_steps: u32,
}

impl Options {
    /// Multipliers from 1/4 to 4. Every 4th step is a probe by a factor of 1.5, 4 of an output are a block that moves it by up
    /// to a factor of 1.42 (0.35 in logarithms) if the evidence is 2 standard errors and 0.05 from 0, and 2 % are forgotten.
    /// Features look back 100 steps. 3 bad steps (ratio below 0.1) in a row roll back to what 20 good ones in a row have
    /// proved, and 20 steps go without multipliers.
    pub const DEFAULT: Options = Options {
        seed: 0,
        lowest: [0.25; OUTPUTS],
        highest: [4.0; OUTPUTS],
        probe_factor: 1.5,
        rate: 0.35,
        decay: 0.02,
        confidence: 2.0,
        indifference: 0.05,
        bad_ratio: 0.1,
        window: 100,
        probe_every: 4,
        block: 4,
        bad_steps: 3,
        good_steps: 20,
        hold_steps: 20,
    };

    /// Refuses what is outside its range.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn check(&self) -> Result<(), Error> {
        let share = |x: f32| (0.0..=1.0).contains(&x);
        let fine = self.lowest.iter().all(|x| (f32::MIN_POSITIVE..=1.0).contains(x))
            && self.highest.iter().all(|x| (1.0..=f32::MAX).contains(x))
            && self.probe_factor > 1.0
            && self.probe_factor <= 16.0
            && share(self.rate)
            && share(self.decay)
            && (0.0..=f32::MAX).contains(&self.confidence)
            && share(self.indifference)
            && self.bad_ratio.is_finite()
            && self.window >= 1
            && self.block >= 2
            && self.good_steps >= 1;
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::DEFAULT
    }
}
