//! Fits that weigh every squared error: the least `sum w (x - y)^2` for weights `w`, one a column.
//!
//! The diagonal of the second moment of a layer's inputs, `mean(a_j^2)` over calibration data, makes this the error
//! of the layer's outputs as far as the inputs are uncorrelated.
//!
//! What holds for equal weights holds here: values that become non-zero are the largest ones, so the best threshold
//! is found by trying all of them in falling order. With the weights, the error falls by `(sum w m)^2 / sum w`.

use crate::Error;
use crate::math::{Compensated, guard_scale};
use crate::workspace::{Carver, Layout};

use super::fit::{Levels, Rule, clean, largest};
use super::order::sort_descending;
use super::project::{Projection, project_five};

/// Checked weights.
#[derive(Clone, Copy)]
pub(crate) struct Importance<'a> {
    weights: &'a [f32],
    /// The largest of them.
    max: f32,
}

impl<'a> Importance<'a> {
    /// # Errors
    /// [`Error::Shape`] if there are not `cols`, [`Error::NonFinite`], and [`Error::InvalidArgument`] for a
    /// negative weight or if all are zero.
    pub(crate) fn new(weights: &'a [f32], cols: usize) -> Result<Importance<'a>, Error> {
        if weights.len() != cols {
            return Err(Error::Shape);
        }
        let (finite, max) = largest(weights);
        if !finite {
            return Err(Error::NonFinite);
        }
        if weights.iter().any(|w| *w < 0.0) || (max == 0.0 && cols > 0) {
            return Err(Error::InvalidArgument);
        }
        Ok(Importance { weights, max })
    }

    /// The weights of the `len` columns from `start`; `None` if they are all equal (all zero among them), since
    /// then they change nothing.
    pub(crate) fn part(&self, start: usize, len: usize) -> Option<Importance<'a>> {
        let weights = self.weights.get(start..)?.get(..len)?;
        let first = weights.first()?;
        weights.iter().any(|w| w != first).then_some(Importance { weights, max: self.max })
    }

    /// The weights as they were given.
    pub(crate) fn weights(&self) -> &'a [f32] {
        self.weights
    }

    /// Weights in 0..=1 of consecutive values; from the first column again after the last.
    pub(crate) fn shares(&self) -> impl Iterator<Item = f32> + Clone {
        let max = self.max;
        self.weights.iter().cycle().map(move |w| w / max)
    }
}

/// The scratch of [`fit_weighted`] for a group of `n` values.
pub(crate) fn layout(n: usize) -> Result<Layout, Error> {
    Layout::EMPTY.array::<u64>(n)?.array::<u64>(n)
}

/// The least-squares fit of a group whose first value is that of the first weight.
pub(crate) fn fit_weighted(
    levels: Levels,
    x: &[f32],
    importance: &Importance,
    scratch: &mut [u8],
) -> Result<Rule, Error> {
    let (_, limit) = largest(x);
    if limit == 0.0 {
        return Ok(Rule::NONE);
    }
    let guard = guard_scale(limit);
    let mut carver = Carver::new(scratch);
    let keys = carver.take::<u64>(x.len())?;
    let swap = carver.take::<u64>(x.len())?;
    for (key, (&v, w)) in keys.iter_mut().zip(x.iter().zip(importance.shares())) {
        *key = u64::from((clean(v, limit) * guard).to_bits()) << 32 | u64::from(w.to_bits());
    }
    let sorted = sort_descending(keys, swap, |key| (key >> 32) as u32);
    let pair = |&key: &u64| (f32::from_bits((key >> 32) as u32), f32::from_bits(key as u32));
    let best = match levels {
        Levels::Three => project_three(sorted.iter().map(pair)),
        Levels::Five => project_five(sorted.iter().map(pair)),
    };
    Ok(Rule::new(&best, best.scale, guard, limit * guard))
}

/// The best threshold of magnitudes in falling order, each with its weight.
fn project_three(sorted: impl Iterator<Item = (f32, f32)>) -> Projection {
    let mut best =
        Projection { zero: f32::INFINITY, half: f32::INFINITY, scale: 0.0, sum_squared_codes: 1.0 };
    let mut gain = 0.0f32;
    let (mut sum, mut weight) = (Compensated::default(), Compensated::default());
    let mut sorted = sorted.peekable();
    while let Some((m, w)) = sorted.next() {
        sum.add(w * m);
        weight.add(w);
        if sorted.peek().is_some_and(|&(next, _)| next == m) {
            continue;
        }
        let (s, q) = (sum.value(), weight.value());
        let candidate = if q > 0.0 { s * s / q } else { 0.0 };
        if candidate > gain {
            gain = candidate;
            best = Projection { zero: m, half: f32::INFINITY, scale: s / q, sum_squared_codes: q };
        }
    }
    best
}
