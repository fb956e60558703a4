//! New places for centres that hardly anything belongs to.

use crate::Error;
use crate::kmeans::partial::check_k;
use crate::kmeans::points::{Points, row_mut};
use crate::kmeans::seed::{Seeding, seed_workspace_size};
use crate::workspace::{Carver, Layout, split_rows};

use super::State;

/// The centres that [`stream_reassign`] may move, at most: half the rows of the batch.
fn at_most(rows: usize, k: usize) -> usize {
    (rows / 2).min(k.saturating_sub(1))
}

fn layout(rows: usize, cols: usize, k: usize) -> Result<Layout, Error> {
    check_k(k)?;
    let count = at_most(rows, k);
    Layout::EMPTY
        .array::<f32>(count.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<u32>(count)?
        .array::<u8>(seed_workspace_size(Seeding::Random, rows, count)?)
}

/// Bytes of scratch that [`stream_reassign`] needs for a batch of `rows`.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn stream_reassign_workspace_size(rows: usize, cols: usize, k: usize) -> Result<usize, Error> {
    Ok(layout(rows, cols, k)?.size())
}

/// Gives centres that have fallen behind a new place: those that weigh less than `ratio` times the heaviest move to rows
/// of `points` (a recent batch), drawn in proportion to their weights, none twice, and weigh as much as the lightest of
/// the others. At most half as many as there are rows move, the lightest first. Returns how many.
///
/// This is what scikit-learn's `MiniBatchKMeans` does with its `reassignment_ratio` (0.01 there). Call it now and then,
/// not for every batch: a centre that has just been placed needs time to gain weight. The same `seed` draws the same rows.
/// Over ranks, one calls it with rows of its own and broadcasts the state.
///
/// # Errors
/// [`Error::InvalidArgument`] (`k` 0, `ratio` not in 0..=1, a negative weight, no rows, or no weight of a row above 0), [`Error::Shape`],
/// [`Error::NonFinite`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. `state` is untouched then.
///
/// ```
/// use hybridq::kmeans::*;
/// let mut state = vec![0.0; stream_len(2, 1)?];
/// stream_start(2, 1, &[0.0, 1e6], Some(&[100.0, 0.5]), &mut state)?; // a centre far from all there is
/// let batch = Points::new(4, 1, &[1.0, 2.0, 8.0, 9.0])?;
/// let mut scratch = vec![0; stream_reassign_workspace_size(4, 1, 2)?];
/// assert_eq!(stream_reassign(&batch, 2, 0.01, 7, &mut state, &mut scratch)?, 1);
/// assert!(batch.data().contains(&state[1]) && state[0] == 0.0);
/// assert_eq!(state[4..], [100.0, 100.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn stream_reassign(
    points: &Points<'_>,
    k: usize,
    ratio: f32,
    seed: u64,
    state: &mut [f32],
    scratch: &mut [u8],
) -> Result<usize, Error> {
    let (rows, cols) = (points.rows(), points.cols());
    if !(0.0..=1.0).contains(&ratio) || rows == 0 {
        return Err(Error::InvalidArgument);
    }
    if scratch.len() < layout(rows, cols, k)?.size() {
        return Err(Error::WorkspaceTooSmall);
    }
    let state = State::checked(k, cols, state)?;
    points.check()?;
    if points.weights().is_some_and(|w| w.iter().all(|&w| w == 0.0)) {
        return Err(Error::InvalidArgument);
    }
    let heaviest = state.weights.iter().fold(0.0f32, |max, &w| max.max(w));
    let light = Light::new(state.weights, ratio * heaviest, at_most(rows, k));
    let count = light.count;
    if count == 0 {
        return Ok(0);
    }
    let mut carver = Carver::new(scratch);
    let most = at_most(rows, k);
    let (places, chosen) = (carver.take::<f32>(most * cols)?, carver.take::<u32>(most)?);
    let rest = carver.take::<u8>(seed_workspace_size(Seeding::Random, rows, most)?)?;
    crate::kmeans::seed::seed(points, count, Seeding::Random, seed, chosen, places, rest)?;
    let mut places = split_rows(places, cols);
    let mut others = f32::INFINITY;
    let mut left = light.equal;
    for (j, &weight) in state.weights.iter().enumerate() {
        if !light.takes(weight, &mut left) {
            others = others.min(weight);
            continue;
        }
        let Some(place) = places.next() else { break };
        row_mut(state.centers, cols, j).iter_mut().zip(place).for_each(|(to, &from)| *to = from);
        row_mut(state.remainders, cols, j).fill(0.0);
    }
    let mut left = light.equal;
    for weight in state.weights.iter_mut() {
        if light.takes(*weight, &mut left) {
            *weight = others;
        }
    }
    Ok(count)
}

/// Which centres are to move.
struct Light {
    /// All whose weight has bits below these.
    below: u32,
    /// And the first so many of those that have just these.
    equal: usize,
    count: usize,
}

impl Light {
    /// Those below `limit`, but at most `most`, the lightest.
    fn new(weights: &[f32], limit: f32, most: usize) -> Light {
        // Floats from 0 up order as their bits do.
        let lighter = |bits: u32| weights.iter().filter(|w| magnitude(**w) < bits).count();
        let all = lighter(limit.to_bits());
        if all <= most {
            return Light { below: limit.to_bits(), equal: 0, count: all };
        }
        // The largest bits that no more than `most` weights are below.
        let (mut low, mut high) = (0, limit.to_bits());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if lighter(middle) <= most { low = middle } else { high = middle }
        }
        Light { below: low, equal: most - lighter(low), count: most }
    }

    fn takes(&self, weight: f32, left: &mut usize) -> bool {
        let bits = magnitude(weight);
        if bits == self.below && *left > 0 {
            *left -= 1;
            return true;
        }
        bits < self.below
    }
}

/// A zero may be negative.
fn magnitude(weight: f32) -> u32 {
    weight.to_bits() & 0x7FFF_FFFF
}
