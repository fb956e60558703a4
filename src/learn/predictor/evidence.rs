//! Comparisons on the same batch, gathered into blocks until they are beyond doubt.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::{ln_quotient, sqrt};

use super::Options;
use super::network::OUTPUTS;
use super::state::Multipliers;

/// Losses of the step that was made and of the one that might have been: both from the same parameters along the same
/// direction, both measured on the same batch. A loss that is not finite counts as infinitely large.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counterfactual {
    /// Before the step, on the batch that the gradient is of.
    pub before: f32,
    /// On that batch, after the step with the multipliers predicted.
    pub chosen: f32,
    /// On that batch, after the step with the alternative.
    pub alternative: f32,
    /// After the two steps (chosen, alternative) on a batch that the gradient has not seen, such as the next one. Where the
    /// gradient is that of all data, the two losses above.
    pub fresh: Option<[f32; 2]>,
}

/// By how much a larger multiplier is better on the two batches, as far as one comparison tells: `d ln(reduction) /
/// d ln(multiplier)`, clipped to -1..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) own: [f32; OUTPUTS],
    pub(super) fresh: Option<[f32; OUTPUTS]>,
}

impl Counterfactual {
    /// `None` if it says nothing: no loss to begin with, both steps diverged, or the two steps are the same.
    pub(super) fn sample(&self, chosen: &Multipliers, alternative: &Multipliers) -> Option<Sample> {
        let delta = [
            ln_quotient(chosen.learning_rate, alternative.learning_rate),
            ln_quotient(chosen.radius, alternative.radius),
        ];
        let [a, b] = delta;
        let distance = sqrt(a * a + b * b);
        if !(distance > 0.0 && self.before.is_finite()) {
            return None;
        }
        // An eighth, so that differences stay finite.
        let [before, chosen, alternative] = [self.before, self.chosen, self.alternative].map(
            #[inline(always)]
            |x| 0.125 * x,
        );
        let size = match (chosen.is_finite(), alternative.is_finite()) {
            (true, true) => 0.5 * ((before - chosen).abs() + (before - alternative).abs()),
            (true, false) => (before - chosen).abs(),
            (false, true) => (before - alternative).abs(),
            (false, false) => return None,
        };
        // What rounding alone may do to the losses; they are sums of many terms.
        let rounding = 8.0 * f32::EPSILON * before.abs();
        let along = |chosen: f32, alternative: f32| {
            let slope = match (chosen.is_finite(), alternative.is_finite()) {
                (true, true) if (alternative - chosen).abs() <= rounding => 0.0,
                (true, true) if size > 0.0 => (alternative - chosen) / (size * distance),
                (true, false) => 1.0,
                (false, true) => -1.0,
                _ => 0.0,
            };
            let slope = slope.clamp(-1.0, 1.0);
            [slope * (a / distance), slope * (b / distance)]
        };
        let own = along(chosen, alternative);
        let fresh = self.fresh.map(|[chosen, alternative]| along(0.125 * chosen, 0.125 * alternative));
        Some(Sample { own, fresh })
    }
}

/// Mean and spread of samples.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
struct Sums {
    sum: f32,
    squares: f32,
}

impl Sums {
    fn add(&mut self, x: f32) {
        self.sum += x;
        self.squares += x * x;
    }

    /// The mean of `count` (at least 2) samples if it is beyond doubt, else 0.
    fn beyond_doubt(&self, count: u32, options: &Options) -> f32 {
        let n = count as f32;
        let mean = self.sum / n;
        let spread = self.squares - n * mean * mean;
        let variance_of_mean = if spread > 0.0 { spread / (n * (n - 1.0)) } else { 0.0 };
        let sure = mean * mean >= options.confidence * options.confidence * variance_of_mean;
        if sure && mean.abs() > options.indifference { mean } else { 0.0 }
    }
}

/// A block of comparisons for one output.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Evidence {
    own: Sums,
    fresh: Sums,
    count: u32,
    /// Of them, those with a fresh batch.
    fresh_count: u32,
}

impl Evidence {
    pub(super) fn check(&self) -> Result<(), Error> {
        let fine = [self.own, self.fresh].iter().all(|s| s.sum.is_finite() && s.squares.is_finite());
        if fine { Ok(()) } else { Err(Error::Corrupt) }
    }

    /// Adds a sample. When the block is full: by how much to move the log multiplier `log`, -1..=1, and the block is empty.
    pub(super) fn add(&mut self, own: f32, fresh: Option<f32>, log: f32, options: &Options) -> Option<f32> {
        self.own.add(own);
        self.count = self.count.saturating_add(1);
        if let Some(fresh) = fresh {
            self.fresh.add(fresh);
            self.fresh_count = self.fresh_count.saturating_add(1);
        }
        if self.count < options.block {
            return None;
        }
        let own = self.own.beyond_doubt(self.count, options);
        let all_fresh = self.fresh_count == self.count;
        let fresh = if all_fresh { self.fresh.beyond_doubt(self.count, options) } else { 0.0 };
        *self = Evidence::zeroed();
        Some(verdict(own, fresh, log))
    }
}

/// Away from the base only as far as both batches ask for it; back to the base as soon as one does, and no farther than
/// it (which the caller sees to).
fn verdict(own: f32, fresh: f32, log: f32) -> f32 {
    if own * fresh > 0.0 {
        return if own.abs() < fresh.abs() { own } else { fresh };
    }
    let home = |evidence: f32| if evidence * log < 0.0 { evidence } else { 0.0 };
    home(own) + home(fresh) // of opposite signs, or one is 0: at most one of the two points home
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_batches_have_to_agree_but_for_the_way_back() {
        for (own, fresh, log, want) in [
            (0.5, 0.3, 0.0, 0.3),
            (-0.2, -0.3, 0.0, -0.2),
            (0.5, 0.3, -1.0, 0.3),
            (0.5, 0.0, 0.0, 0.0),
            (0.5, 0.0, 1.0, 0.0),
            (0.5, 0.0, -1.0, 0.5),  // back up
            (0.5, -0.4, 1.0, -0.4), // back down
            (0.5, -0.4, -1.0, 0.5),
            (0.5, -0.4, 0.0, 0.0),
            (0.0, 0.0, 1.0, 0.0),
        ] {
            assert_eq!(verdict(own, fresh, log), want, "{own} {fresh} {log}");
        }
    }

    #[test]
    fn a_sample_is_the_elasticity_of_the_reduction() {
        let one = Multipliers::ONE;
        let larger = Multipliers { learning_rate: 1.5, radius: 1.0 };
        let at = |before, chosen, alternative| Counterfactual { before, chosen, alternative, fresh: None };
        // the reduction is proportional to the multiplier: elasticity 1
        let s = at(10.0, 9.0, 8.5).sample(&one, &larger).unwrap();
        assert!((s.own[0] - 0.987).abs() < 1e-3 && s.own[1] == 0.0, "{s:?}");
        // the same from the other side, and in other units
        let t = at(10e-20, 8.5e-20, 9e-20).sample(&larger, &one).unwrap();
        assert!((s.own[0] - t.own[0]).abs() < 1e-5);
        // worse than before; diverged; the same; beyond rounding
        assert_eq!(at(10.0, 9.0, 20.0).sample(&one, &larger).unwrap().own, [-1.0, 0.0]);
        assert_eq!(at(10.0, 9.0, f32::NAN).sample(&one, &larger).unwrap().own, [-1.0, 0.0]);
        assert_eq!(at(10.0, f32::INFINITY, 11.0).sample(&one, &larger).unwrap().own, [1.0, 0.0]);
        assert_eq!(at(10.0, 9.0, 9.0).sample(&one, &larger).unwrap().own, [0.0, 0.0]);
        assert_eq!(at(10.0, 10.0, 9.999_999).sample(&one, &larger).unwrap().own, [0.0, 0.0]);
        for nothing in [at(f32::NAN, 1.0, 1.0), at(1.0, f32::NAN, f32::INFINITY)] {
            assert_eq!(nothing.sample(&one, &larger), None);
        }
        assert_eq!(at(10.0, 9.0, 8.0).sample(&one, &one), None);
        let huge = at(f32::MAX, -f32::MAX, f32::MAX).sample(&one, &larger).unwrap();
        assert_eq!(huge.own, [-1.0, 0.0]);
    }
}
