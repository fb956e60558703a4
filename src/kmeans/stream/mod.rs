//! Centres that follow a stream of batches, of which each is seen once. The rule and its rounding: [`stream_update`].
//!
//! A state knows no frame: every batch may have one of its own, of the limits of its own points, so later batches may lie
//! anywhere. Only those who share a batch have to agree on its frame, by merging limits.

mod reassign;

use crate::Error;
use crate::math::{guard_scale, sqrt};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::frame::{Divisor, Frame, limits_add, limits_clear, limits_len};
use super::partial::{Step, accumulate, assign_workspace_size, check_k, partial_len};
use super::points::{Points, finite};
use super::sums;

pub use reassign::{stream_reassign, stream_reassign_workspace_size};

/// Floats of the state of a stream: `k * (2 * cols + 1)`.
///
/// In order: the centres (`k * cols`, to be used as such), their remainders (`k * cols`), and what each centre weighs
/// (`k`). Nothing else: to save a stream is to save these floats.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn stream_len(k: usize, cols: usize) -> Result<usize, Error> {
    check_k(k)?;
    cols.checked_mul(2)
        .and_then(|n| n.checked_add(1))
        .and_then(|n| n.checked_mul(k))
        .ok_or(Error::SizeOverflow)
}

/// The parts of a state.
pub(super) struct State<'a> {
    pub(super) centers: &'a mut [f32],
    pub(super) remainders: &'a mut [f32],
    pub(super) weights: &'a mut [f32],
}

impl<'a> State<'a> {
    pub(super) fn split(k: usize, cols: usize, state: &'a mut [f32]) -> Result<State<'a>, Error> {
        if cols == 0 {
            return Err(Error::InvalidArgument);
        }
        if state.len() != stream_len(k, cols)? {
            return Err(Error::Shape);
        }
        let (centers, rest) = state.split_at_mut_checked(k * cols).ok_or(Error::Shape)?;
        let (remainders, weights) = rest.split_at_mut_checked(k * cols).ok_or(Error::Shape)?;
        Ok(State { centers, remainders, weights })
    }

    /// States come from files, too.
    fn checked(k: usize, cols: usize, state: &'a mut [f32]) -> Result<State<'a>, Error> {
        let state = State::split(k, cols, state)?;
        if !(finite(state.centers) && finite(state.remainders) && finite(state.weights)) {
            return Err(Error::NonFinite);
        }
        if state.weights.iter().any(|&w| w < 0.0) {
            return Err(Error::InvalidArgument);
        }
        Ok(state)
    }
}

/// Begins a stream at `centers` (`k` x `cols`), which weigh nothing: the first points that one gets are its mean. Or
/// they weigh `weights` (`k` values, at least 0), as if the means of so many points of weight 1.
///
/// `state` has exactly [`stream_len`] values.
///
/// # Errors
/// [`Error::InvalidArgument`] (`k` or `cols` 0, a weight below 0), [`Error::Shape`], [`Error::NonFinite`],
/// [`Error::SizeOverflow`]. `state` is untouched then.
pub fn stream_start(
    k: usize,
    cols: usize,
    centers: &[f32],
    weights: Option<&[f32]>,
    state: &mut [f32],
) -> Result<(), Error> {
    let state = State::split(k, cols, state)?;
    super::partial::check_centers(k, cols, centers)?;
    if let Some(weights) = weights {
        if weights.len() != k {
            return Err(Error::Shape);
        }
        if !finite(weights) {
            return Err(Error::NonFinite);
        }
        if weights.iter().any(|&w| w < 0.0) {
            return Err(Error::InvalidArgument);
        }
    }
    for (to, &from) in state.centers.iter_mut().zip(centers) {
        *to = from;
    }
    state.remainders.fill(0.0);
    match weights {
        None => state.weights.fill(0.0),
        Some(weights) => state.weights.iter_mut().zip(weights).for_each(|(to, &from)| *to = from),
    }
    Ok(())
}

/// Moves the centres of a stream by one batch: `partial` is the merged partial of that batch, accumulated in `frame` with the
/// centres of `state`.
///
/// The rule is that of mini-batch k-means (Sculley, "Web-scale k-means clustering", WWW 2010) for a batch as a whole, with
/// the forgetting factor of Spark's streaming k-means. With `w` the weight of the batch in a cluster, `m` the mean of
/// its points there, and `W` what the centre weighs:
///
/// ```text
/// W <- decay * W
/// c <- c + (m - c) * w / (W + w)
/// W <- W + w
/// ```
///
/// With `decay` 1 a centre is the mean of all points that were ever given to it, whatever the sizes of the batches; with
/// `decay` d from 0 to 1 the points of a batch count d^b after b more batches: half of the memory of a stream is the last
/// `ln 2 / -ln d` batches. With `decay` 0 every batch stands for itself, and with one batch of all data this is
/// [`update`](super::update). A cluster without weight in this batch keeps its centre, but forgets.
///
/// [`Step::inertia`] is that of the batch before the update, [`Step::empty`] counts the clusters without weight in it.
///
/// # Frames
/// `state` knows no frame: every batch may have one of its own, of the limits of its own points, so later batches may
/// lie anywhere. Only those who share a batch have to agree on its frame, by merging limits. Who wants to spare
/// that exchange gives all batches one frame with limits wide enough; [`accumulate`] refuses a point outside.
///
/// # Rounding
/// A partial is integers, whose sum knows no order: a batch may be split over threads, ranks or calls as one likes. What
/// follows from the merged partial is a fixed sequence of f32 operations for each value, the same on every machine:
///
/// - a value becomes units of the frame of its batch ([`Frame`] says how close), `m` and `w` become floats: half a unit
///   in the last place each;
/// - `decay * W`, `W + w`, their quotient and the step are rounded once each. These are errors of how much a batch
///   counts, 2^-22 of it at most;
/// - `c + step` loses nothing: what it rounds off is kept beside the centre, and is part of the next step. Small steps
///   add up, however many batches there have been.
///
/// `W` stops growing at 2^24 times the weight of a batch; from then on the stream forgets, very slowly.
///
/// # Errors
/// [`Error::InvalidArgument`] (`k` 0, `decay` not in 0..=1, a weight of `state` below 0), [`Error::Shape`],
/// [`Error::NonFinite`], [`Error::SizeOverflow`]. `state` is untouched then.
///
/// ```
/// use hybridq::kmeans::*;
/// let (k, cols) = (2, 1);
/// let mut state = vec![0.0; stream_len(k, cols)?];
/// stream_start(k, cols, &[0.0, 10.0], None, &mut state)?;
/// let mut scratch = vec![0; assign_workspace_size(k, cols)?];
/// for batch in [[1.0, 3.0, 11.0], [2.0, 10.0, 12.0]] {
///     let points = Points::new(3, cols, &batch)?; // of one rank; the others do the same
///     let mut limits = vec![0.0; limits_len(cols)?];
///     limits_clear(&mut limits);
///     limits_add(&points, &mut limits)?; // then `limits_merge` with the others', or MPI_MAX
///     let frame = Frame::new(3, &limits)?;
///     let (mut labels, mut partial) = ([0; 3], vec![0; partial_len(k, cols)?]);
///     accumulate(&points, &frame, k, &state[..k * cols], &mut labels, &mut partial, &mut scratch)?;
///     // then `merge` with the others', or MPI_SUM
///     stream_update(&frame, k, &partial, 1.0, &mut state)?;
/// }
/// assert_eq!(state[..2], [2.0, 11.0]);
/// assert_eq!(state[4..], [3.0, 3.0]); // points that each centre stands for
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn stream_update(
    frame: &Frame<'_>,
    k: usize,
    partial: &[i64],
    decay: f32,
    state: &mut [f32],
) -> Result<Step, Error> {
    let cols = frame.cols();
    check_decay(decay)?;
    let state = State::checked(k, cols, state)?;
    if partial.len() != partial_len(k, cols)? {
        return Err(Error::Shape);
    }
    let (sums, rest) = partial.split_at_checked(k * cols).ok_or(Error::Shape)?;
    let (weights, rest) = rest.split_at_checked(k).ok_or(Error::Shape)?;
    let (_, digits) = rest.split_at_checked(k).ok_or(Error::Shape)?;
    let scale = frame.scale();
    let (mut largest, mut empty) = (0.0f32, 0);
    let centers = split_rows_mut(state.centers, cols).zip(split_rows_mut(state.remainders, cols));
    let own = centers.zip(state.weights.iter_mut());
    for (((center, remainders), own), (sums, &weight)) in own.zip(split_rows(sums, cols).zip(weights)) {
        let before = decay * *own;
        if weight <= 0 {
            empty += 1;
            *own = before;
            continue;
        }
        let (batch, after) = add_weight(before, real(&scale, weight as u64));
        *own = after;
        let divisor = Divisor::new(weight as u64);
        let mut moved = 0.0;
        for (feature, ((c, rest), &sum)) in center.iter_mut().zip(remainders).zip(sums).enumerate() {
            let mean = frame.mean(&scale, feature, sum, divisor);
            let from = *c;
            (*c, *rest) =
                if before == 0.0 { (mean, 0.0) } else { approach(from, *rest, mean, batch / after) };
            moved += (*c - from) * (*c - from);
        }
        largest = largest.max(moved.min(f32::MAX));
    }
    Ok(Step { shift: sqrt(largest), inertia: sums::inertia(digits, &scale), empty })
}

pub(super) fn check_decay(decay: f32) -> Result<(), Error> {
    if (0.0..=1.0).contains(&decay) { Ok(()) } else { Err(Error::InvalidArgument) }
}

/// A weight of a partial in the units of the caller.
pub(super) fn real(scale: &super::frame::Scale, weight: u64) -> f32 {
    let (guard, factor) = scale.weight_unit();
    (weight as f32 / factor / guard).min(f32::MAX)
}

/// What the batch weighs and what both weigh together, brought down where that would overflow.
fn add_weight(before: f32, batch: f32) -> (f32, f32) {
    let after = before + batch;
    if after.is_finite() { (batch, after) } else { (0.5 * batch, 0.5 * before + 0.5 * batch) }
}

/// `c + rest` moves by `part` of the way to `mean`: the nearest float, and what is missing.
#[inline(always)]
fn approach(c: f32, rest: f32, mean: f32, part: f32) -> (f32, f32) {
    // Powers of two: where differences would overflow or vanish.
    let s = guard_scale(c.abs().max(mean.abs()));
    let (c, rest, mean) = (c * s, rest * s, mean * s);
    let step = part * (mean - c - rest) + rest;
    let to = c + step;
    // Knuth's exact error of an addition.
    let added = to - c;
    let rest = (c - (to - added)) + (step - added);
    // Rounding must not take a centre out of where its points are.
    let (low, high) = if c < mean { (c, mean) } else { (mean, c) };
    if to < low {
        (low / s, 0.0)
    } else if to > high {
        (high / s, 0.0)
    } else {
        (to / s, rest / s)
    }
}

fn layout(k: usize, cols: usize) -> Result<Layout, Error> {
    Layout::EMPTY
        .array::<i64>(partial_len(k, cols)?)?
        .array::<f32>(limits_len(cols)?)?
        .array::<u8>(assign_workspace_size(k, cols)?)
}

/// Bytes of scratch that [`stream_fit`] needs: about `4 * cols * (3 * k + 16)`, whatever the number of rows.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn stream_fit_workspace_size(k: usize, cols: usize) -> Result<usize, Error> {
    Ok(layout(k, cols)?.size())
}

/// One batch of a stream in one call: labels it, and moves the centres as [`stream_update`] does, in the frame of the
/// batch. (Others call this `partial_fit`.)
///
/// `labels` has room for one value a row: the nearest of the centres before the update.
///
/// # Errors
/// As [`accumulate`] and [`stream_update`]; [`Error::InvalidArgument`] for no rows, or if no weight is above 0. `labels` and
/// `state` are untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, stream_fit, stream_fit_workspace_size, stream_len, stream_start};
/// let (k, cols) = (2, 1);
/// let mut state = vec![0.0; stream_len(k, cols)?];
/// stream_start(k, cols, &[0.0, 10.0], None, &mut state)?;
/// let mut scratch = vec![0; stream_fit_workspace_size(k, cols)?];
/// let mut labels = [0; 4];
/// for t in 0..50 {
///     let drift = t as f32; // the two groups wander away
///     let batch = [drift - 1.0, drift + 1.0, drift + 10.0, drift + 12.0];
///     stream_fit(&Points::new(4, cols, &batch)?, k, 0.5, &mut state, &mut labels, &mut scratch)?;
/// }
/// assert_eq!(labels, [0, 0, 1, 1]);
/// assert!((state[0] - 48.0).abs() < 0.01 && (state[1] - 59.0).abs() < 0.01); // one step behind
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn stream_fit(
    points: &Points<'_>,
    k: usize,
    decay: f32,
    state: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Step, Error> {
    let cols = points.cols();
    check_decay(decay)?;
    let own = State::checked(k, cols, state)?;
    if scratch.len() < layout(k, cols)?.size() {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let partial = carver.take::<i64>(partial_len(k, cols)?)?;
    let limits = carver.take(limits_len(cols)?)?;
    let rest = carver.take::<u8>(assign_workspace_size(k, cols)?)?;
    limits_clear(limits);
    limits_add(points, limits)?;
    let frame = Frame::new(points.rows(), limits)?;
    partial.fill(0);
    accumulate(points, &frame, k, own.centers, labels, partial, rest)?;
    stream_update(&frame, k, partial, decay, state)
}
