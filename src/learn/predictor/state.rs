//! The predictor: features in, multipliers out, and what it learns from how that went.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::constrain::{TrustOutcome, Verdict};
use crate::math::{Random, exp, ln};

use super::evidence::{Counterfactual, Evidence};
use super::features::{Observation, Running};
use super::network::{self, FEATURES, HIDDEN, OUTPUTS, Output, Weights};
use super::options::Options;
use super::statistics::{Fate, HISTORY, Record, Statistics, count};

/// What a multiplier reaches with an output of 1, in logarithms of its bound: the tanh is at 2/3 there and not flat, so
/// that an output at its bound finds back.
const REACH: f32 = 1.5;
/// The stream of the generator that the signs of probes are drawn from.
const PROBES: u64 = 0x7072_6F62_6573;

/// What learning rate and radius are multiplied with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Multipliers {
    /// Of the learning rate.
    pub learning_rate: f32,
    /// Of the trust radius.
    pub radius: f32,
}

impl Multipliers {
    /// The base optimizer.
    pub const ONE: Multipliers = Multipliers { learning_rate: 1.0, radius: 1.0 };

    fn check(&self) -> Result<(), Error> {
        let good = |x: f32| x > 0.0 && x <= f32::MAX;
        if good(self.learning_rate) && good(self.radius) { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

impl Default for Multipliers {
    fn default() -> Multipliers {
        Multipliers::ONE
    }
}

/// The answer of [`Predictor::predict`]. [`Predictor::adapt`] wants it back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// What the network saw.
    pub features: [f32; FEATURES],
    /// What to step with.
    pub chosen: Multipliers,
    /// What to compare with: the same as `chosen` where there is nothing to compare.
    pub alternative: Multipliers,
    /// Whether this step is a probe: the loss after a step with `alternative` is wanted too.
    pub probe: bool,
    /// Whether the multipliers are 1 because of a roll-back.
    pub held: bool,
}

/// A predictor: options, network, and all that it remembers. Plain state of 1648 bytes that may be stored and restored as
/// it is: the run goes on with the same bits.
///
/// ```
/// use hybridq::learn::predictor::{Counterfactual, Observation, Options, Predictor, Weights};
///
/// let mut predictor = Predictor::new(Weights::seeded(1), Options::DEFAULT)?;
/// let seen = Observation {
///     loss: 2.3, gradient_norm: 0.7, cluster: 3, loss_ratio: f32::NAN, gradient_variance: f32::NAN, step: 0,
/// };
/// let p = predictor.predict(&seen)?;
/// assert_eq!((p.chosen.learning_rate, p.chosen.radius), (1.0, 1.0)); // nothing learnt yet: the base optimizer
/// if p.probe {
///     // Step by both from the same parameters, measure both on this batch and on another one.
///     let losses = Counterfactual { before: 2.3, chosen: 2.1, alternative: 2.0, fresh: Some([2.2, 2.15]) };
///     predictor.adapt(&p, &losses)?;
/// }
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Predictor {
    /// How it behaves. May be changed at any time.
    pub options: Options,
    /// What has happened so far.
    pub statistics: Statistics,
    /// The network.
    pub weights: Weights,
    /// The last steps; step `i` at `i mod 16`.
    history: [Record; HISTORY],
    /// What the output layer decays to: the one it began with.
    origin: Output,
    /// What it is rolled back to.
    good: Output,
    running: Running,
    evidence: [Evidence; OUTPUTS],
    /// Good and bad steps in a row.
    good_row: u32,
    bad_row: u32,
    /// Steps left without multipliers.
    hold: u32,
    /// 1: rolled back, and `good` has not proved itself since.
    suspect: u32,
    /// 1: the last prediction was not exactly the base.
    in_charge: u32,
    reserved: u32,
}

impl Predictor {
    /// A predictor that has seen nothing yet. Use [`Weights::seeded`], or weights that were trained.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an option out of its range, and what [`Weights::check`] refuses.
    pub fn new(weights: Weights, options: Options) -> Result<Predictor, Error> {
        let mut predictor = Predictor::zeroed();
        (predictor.options, predictor.weights) = (options, weights);
        (predictor.origin, predictor.good) = (weights.output, weights.output);
        predictor.check()?;
        Ok(predictor)
    }

    /// Refuses a state that no function of this module leaves behind.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] (options, weights beyond 1e6), [`Error::NonFinite`] (weights), [`Error::Corrupt`] (the rest).
    pub fn check(&self) -> Result<(), Error> {
        self.options.check()?;
        self.weights.check()?;
        network::check(bytemuck::must_cast_ref::<Output, [f32; 34]>(&self.origin))?;
        network::check(bytemuck::must_cast_ref::<Output, [f32; 34]>(&self.good))?;
        self.running.check()?;
        self.statistics.check()?;
        self.evidence.iter().try_for_each(Evidence::check)?;
        if self.suspect > 1 || self.in_charge > 1 || self.reserved != 0 {
            Err(Error::Corrupt)
        } else {
            Ok(())
        }
    }

    /// The last up to 16 steps, oldest first.
    pub fn history(&self) -> impl Iterator<Item = &Record> {
        let steps = self.statistics.steps;
        let filled = if steps < HISTORY as u64 { steps as usize } else { HISTORY };
        let next = if steps < HISTORY as u64 { 0 } else { (steps % HISTORY as u64) as usize };
        self.history.iter().cycle().skip(next).take(filled)
    }

    /// `ln` of the bounds of an output, and its reach.
    fn bounds(&self, output: usize) -> Bounds {
        let lowest = ln(self.options.lowest.get(output).copied().unwrap_or(1.0));
        let highest = ln(self.options.highest.get(output).copied().unwrap_or(1.0));
        Bounds { lowest, highest, reach: REACH * if highest > -lowest { highest } else { -lowest } }
    }

    /// Log multipliers before they are clamped.
    fn logs(&self, hidden: &[f32; HIDDEN]) -> [f32; OUTPUTS] {
        let [learning_rate, radius] = self.weights.output.forward(hidden);
        [learning_rate * self.bounds(0).reach, radius * self.bounds(1).reach]
    }

    /// The multipliers for the step that is to be made. Once a step: the observation joins the running means.
    ///
    /// No observation is refused; NaN and infinity are told in [`Observation`]. The multipliers are within the bounds of the
    /// options, and exactly 1 as long as the output layer is 0.
    ///
    /// # Errors
    /// Those of [`Predictor::check`]; nothing changes then.
    pub fn predict(&mut self, seen: &Observation) -> Result<Prediction, Error> {
        self.check()?;
        let features = self.running.observe(seen, self.options.window);
        let held = self.hold > 0;
        self.hold = self.hold.saturating_sub(1);
        let mut logs = [0.0f32; OUTPUTS];
        if !held {
            logs = self.logs(&self.weights.activations(&features));
            for (output, log) in logs.iter_mut().enumerate() {
                let bounds = self.bounds(output);
                let clamped = bounds.clamp(*log);
                let at_bound = bounds.reach > 0.0 && clamped != *log;
                if let Some(counter) = self.statistics.clamped.get_mut(output) {
                    count(counter, at_bound);
                }
                *log = clamped;
            }
        }
        let chosen = self.multipliers(&logs);
        let probe = if held { None } else { self.probe(&logs) };
        let alternative = probe.map_or(chosen, |logs| self.multipliers(&logs));
        let steps = self.statistics.steps;
        if let Some(record) = self.history.get_mut((steps % HISTORY as u64) as usize) {
            let Multipliers { learning_rate, radius } = chosen;
            *record = Record { learning_rate, radius, ratio: 0.0, fate: Fate::Unknown as u32 };
        }
        self.in_charge = (chosen != Multipliers::ONE) as u32;
        self.statistics.add_logs(&logs);
        count(&mut self.statistics.steps, true);
        count(&mut self.statistics.held, held);
        count(&mut self.statistics.probes, probe.is_some());
        Ok(Prediction { features, chosen, alternative, probe: probe.is_some(), held })
    }

    /// Multipliers of clamped logarithms, which rounding does not carry over the bounds.
    fn multipliers(&self, logs: &[f32; OUTPUTS]) -> Multipliers {
        let mut values = [1.0f32; OUTPUTS];
        let bounds = self.options.lowest.iter().zip(&self.options.highest);
        for ((value, &log), (&lowest, &highest)) in values.iter_mut().zip(logs).zip(bounds) {
            let x = exp(log);
            *value = if x < lowest {
                lowest
            } else if x > highest {
                highest
            } else {
                x
            };
        }
        let [learning_rate, radius] = values;
        Multipliers { learning_rate, radius }
    }

    /// The logarithms of the alternative, if this step is a probe: one output, the two in turn, is larger or smaller by the
    /// factor of the options, as a random bit says; the other way where there is no room.
    fn probe(&self, logs: &[f32; OUTPUTS]) -> Option<[f32; OUTPUTS]> {
        if self.statistics.steps.checked_rem(self.options.probe_every as u64) != Some(0) {
            return None;
        }
        let number = self.statistics.probes;
        let turn = (number % OUTPUTS as u64) as usize;
        let output = if self.bounds(turn).reach > 0.0 { turn } else { 1 - turn };
        let bounds = self.bounds(output);
        let [bits, ..] = Random::block(self.options.seed, PROBES, number);
        let by = ln(self.options.probe_factor) * if bits & 1 == 0 { 1.0 } else { -1.0 };
        let mut other = *logs;
        let log = other.get_mut(output)?;
        let there = bounds.clamp(*log + by);
        let back = bounds.clamp(*log - by);
        *log = if (there - *log).abs() >= (back - *log).abs() { there } else { back };
        if other == *logs { None } else { Some(other) }
    }

    /// Learns from a comparison: the output layer moves towards the better multipliers, once a block of comparisons leaves
    /// no doubt which ones these are. Returns by how much the two log multipliers moved at these features.
    ///
    /// From each comparison comes the elasticity of the reduction of the loss, `d ln(reduction) / d ln(multiplier)`, clipped
    /// to -1..=1: 1 where the reduction grows with the step, 0 at the best step, below where a smaller one is better. It does
    /// not depend on the units of the loss. On the batch of the gradient itself (`own`) it asks for too much, since it does
    /// not see the noise of the gradient; on another batch (`fresh`) for too little, since it sees nothing but the next step.
    /// A multiplier moves away from 1 only if both ask for it, by the lesser of the two; back to 1 as soon as one does. See
    /// `docs/predictor.md`.
    ///
    /// Comparisons that say nothing are counted and change nothing: see [`Statistics::ignored`].
    ///
    /// # Errors
    /// [`Error::NonFinite`] for features that are not finite, [`Error::InvalidArgument`] for features beyond 4 or multipliers
    /// that are not positive and finite, and those of [`Predictor::check`]; nothing changes then.
    pub fn adapt(&mut self, made: &Prediction, losses: &Counterfactual) -> Result<[f32; OUTPUTS], Error> {
        self.check()?;
        if !made.features.iter().all(|f| f.is_finite()) {
            return Err(Error::NonFinite);
        }
        if !made.features.iter().all(|f| f.abs() <= 4.0) {
            return Err(Error::InvalidArgument);
        }
        made.chosen.check()?;
        made.alternative.check()?;
        let mut moved = [0.0f32; OUTPUTS];
        let sample = losses.sample(&made.chosen, &made.alternative).filter(|_| !made.held && self.hold == 0);
        count(&mut self.statistics.ignored, sample.is_none());
        count(&mut self.statistics.compared, sample.is_some());
        let Some(sample) = sample else { return Ok(moved) };
        let hidden = self.weights.activations(&made.features);
        let logs = self.logs(&hidden);
        let [differs_rate, differs_radius] = [
            made.chosen.learning_rate != made.alternative.learning_rate,
            made.chosen.radius != made.alternative.radius,
        ];
        let differs = [differs_rate, differs_radius];
        let outputs = moved.iter_mut().zip(&logs).zip(sample.own.iter().zip(differs)).enumerate();
        for (output, ((moved, &log), (&own, differs))) in outputs {
            if !differs {
                continue;
            }
            let fresh = sample.fresh.and_then(|fresh| fresh.get(output).copied());
            let Some(evidence) = self.evidence.get_mut(output) else { continue };
            let Some(by) = evidence.add(own, fresh, log, &self.options) else { continue };
            self.decay(output);
            *moved = self.shift(output, &hidden, log, self.options.rate * by);
            count(&mut self.statistics.moves, *moved != 0.0);
        }
        Ok(moved)
    }

    /// A row of the output layer goes a part of the way back to what it was in the beginning.
    fn decay(&mut self, output: usize) {
        let rows = self.weights.output.rows.get_mut(output).zip(self.origin.rows.get(output));
        let bias = self.weights.output.bias.get_mut(output).zip(self.origin.bias.get(output));
        if let (Some((row, origin)), Some((bias, origin_bias))) = (rows, bias) {
            for (w, &o) in row.iter_mut().zip(origin) {
                *w -= self.options.decay * (*w - o);
            }
            *bias -= self.options.decay * (*bias - origin_bias);
        }
    }

    /// Moves the log multiplier of an output by `by` at these activations, with the least change of weights; not over the
    /// bounds, and from one side of 0 to the other only in two moves.
    fn shift(&mut self, output: usize, hidden: &[f32; HIDDEN], log: f32, by: f32) -> f32 {
        let bounds = self.bounds(output);
        let target = bounds.clamp(log + by);
        let by = if log * target < 0.0 { -log } else { target - log };
        if by == 0.0 || bounds.reach == 0.0 {
            return 0.0;
        }
        let at = log / bounds.reach;
        let slope = 1.0 - at * at;
        // Weights from outside may have driven the tanh into its flat part.
        let slope = if slope < 0.25 { 0.25 } else { slope };
        let length = hidden.iter().fold(1.0f32, |sum, &h| sum + h * h);
        let step = by / (bounds.reach * slope * length);
        if let Some(row) = self.weights.output.rows.get_mut(output) {
            for (w, &h) in row.iter_mut().zip(hidden) {
                *w = network::bounded(*w + step * h);
            }
        }
        if let Some(bias) = self.weights.output.bias.get_mut(output) {
            *bias = network::bounded(*bias + step);
        }
        by
    }

    /// Learns how the step went that was made with the last prediction: what [`TrustRegion::update`] said of it. Returns
    /// whether the output layer was rolled back.
    ///
    /// After [`Options::good_steps`] good steps in a row the output layer is kept; after [`Options::bad_steps`] bad ones in a
    /// row with multipliers other than 1, it is what was kept last, and the multipliers are 1 for [`Options::hold_steps`]
    /// steps. If that happens again before it has proved itself, it is 0: the base optimizer, until more is learnt.
    ///
    /// # Errors
    /// Those of [`Predictor::check`]; nothing changes then.
    ///
    /// [`TrustRegion::update`]: crate::constrain::TrustRegion::update
    pub fn feedback(&mut self, outcome: &TrustOutcome) -> Result<bool, Error> {
        self.check()?;
        let accepted = outcome.verdict == Verdict::Accepted;
        let good = accepted && outcome.ratio >= self.options.bad_ratio; // false for NaN
        let last = self.statistics.steps.wrapping_sub(1) % HISTORY as u64;
        if let Some(record) = self.history.get_mut(last as usize).filter(|_| self.statistics.steps > 0) {
            record.ratio = if outcome.ratio.is_finite() { outcome.ratio } else { 0.0 };
            record.fate = if accepted { Fate::Accepted } else { Fate::Rejected } as u32;
        }
        count(&mut self.statistics.judged, true);
        count(&mut self.statistics.accepted, accepted);
        if good {
            self.bad_row = 0;
            self.good_row = self.good_row.saturating_add(1);
            if self.in_charge == 1 && self.good_row >= self.options.good_steps {
                (self.good, self.suspect) = (self.weights.output, 0);
            }
            return Ok(false);
        }
        self.good_row = 0;
        if self.in_charge == 0 {
            // The base optimizer did that: nothing to roll back.
            return Ok(false);
        }
        self.bad_row = self.bad_row.saturating_add(1);
        if self.options.bad_steps == 0 || self.bad_row < self.options.bad_steps {
            return Ok(false);
        }
        if self.suspect == 1 {
            (self.good, self.origin) = (Output::ZERO, Output::ZERO);
        }
        self.weights.output = self.good;
        self.evidence = [Evidence::zeroed(); OUTPUTS];
        (self.bad_row, self.suspect, self.hold) = (0, 1, self.options.hold_steps);
        count(&mut self.statistics.roll_backs, true);
        Ok(true)
    }
}

/// Logarithms of the bounds of a multiplier.
struct Bounds {
    lowest: f32,
    highest: f32,
    reach: f32,
}

impl Bounds {
    fn clamp(&self, log: f32) -> f32 {
        if log < self.lowest {
            self.lowest
        } else if log > self.highest {
            self.highest
        } else {
            log
        }
    }
}
