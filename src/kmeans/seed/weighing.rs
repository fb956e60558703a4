//! The weights of the rows that seeds are drawn from.

use crate::Error;
use crate::math::Random;

use super::super::points::Points;
use super::masses::{Masses, Values};

/// 2^30; normalised weights are below 2.
const UNITS: f32 = f32::from_bits((127 + 30) << 23);

/// Checked weights.
#[derive(Clone, Copy)]
pub(in super::super) struct Weighing<'a> {
    pub(in super::super) n: usize,
    pub(in super::super) weights: Option<&'a [f32]>,
    /// What a weight is multiplied with, so that products with it neither overflow nor vanish: a power of two.
    by: f32,
}

impl<'a> Weighing<'a> {
    /// The weights of points that were checked.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] if none is above 0.
    pub(in super::super) fn new(points: Points<'a>) -> Result<Weighing<'a>, Error> {
        let n = points.rows();
        let Some(weights) = points.weights() else { return Ok(Weighing { n, weights: None, by: 1.0 }) };
        let max = weights.iter().fold(0.0f32, |max, &w| max.max(w));
        if max == 0.0 {
            return Err(Error::InvalidArgument);
        }
        // The inverse of the power of two at or below `max`; for the largest and the least floats what comes next to it.
        let exponent = (max.to_bits() >> 23).clamp(1, 253);
        Ok(Weighing { n, weights: Some(weights), by: f32::from_bits((254 - exponent) << 23) })
    }

    /// `value` times the weight of row `i`.
    #[inline(always)]
    pub(in super::super) fn weighed(self, i: usize, value: f32) -> f32 {
        match self.weights {
            None => value,
            Some(weights) => value * (weights.get(i).copied().unwrap_or(0.0) * self.by),
        }
    }

    /// The weight of row `i` in units that are added up exactly: below 2^31.
    #[inline(always)]
    pub(in super::super) fn units(self, i: usize) -> u64 {
        match self.weights {
            None => 1,
            Some(weights) => (weights.get(i).copied().unwrap_or(0.0) * self.by * UNITS) as i32 as u64,
        }
    }

    /// What a sum of [`Weighing::units`] is in weights.
    pub(in super::super) fn in_weights(self, units: u64) -> f32 {
        match self.weights {
            None => units as f32,
            Some(_) => units as f32 / UNITS / self.by,
        }
    }

    /// The part of the weights that belongs to rows from `start` on.
    #[inline(always)]
    pub(in super::super) fn from(self, start: usize) -> Weighing<'a> {
        Weighing { weights: self.weights.map(|w| w.get(start..).unwrap_or(&[])), ..self }
    }

    /// Measures the weights, where rows have some.
    pub(in super::super) fn measure(self, masses: &mut Masses<'_>) {
        if let Some(rows) = self.as_values() {
            masses.measure(rows);
        }
    }

    /// A row in proportion to its weight, once `masses` are those of the weights.
    pub(in super::super) fn draw(self, masses: &Masses<'_>, random: &mut Random) -> usize {
        match self.as_values() {
            None => random.below(self.n as u64) as usize,
            // The largest weight has a mass, so there always is a row.
            Some(rows) => masses.draw(rows, random).unwrap_or(0),
        }
    }

    /// The probability of a row in [`Weighing::draw`].
    pub(in super::super) fn probability(self, row: usize, masses: &Masses<'_>) -> f32 {
        match self.weights {
            None => 1.0 / self.n as f32,
            Some(weights) => masses.share(weights.get(row).copied().unwrap_or(0.0)),
        }
    }

    /// The weights as values of their own.
    fn as_values(self) -> Option<Values<'a>> {
        self.weights.map(|values| Values { values, weighing: Weighing { weights: None, ..self } })
    }
}
