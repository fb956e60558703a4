//! What becomes of a cluster that has no weight.

use crate::Error;

use super::frame::Frame;
use super::points::{row, row_mut};

/// The policy for clusters without weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(i32)]
pub enum Empty {
    /// The point farthest from its centre becomes a cluster of its own, as long as there is one that is not on its
    /// centre; then the centre stays where it is.
    #[default]
    Farthest = 0,
    /// The cluster with the largest weight is split: its centre and the empty one move apart from its mean by 2^-10 of
    /// the range of each feature.
    SplitLargest = 1,
    /// The centre stays where it is.
    Keep = 2,
    /// [`Error::EmptyCluster`].
    Error = 3,
}

impl Empty {
    /// The policy with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Empty, Error> {
        [Empty::Farthest, Empty::SplitLargest, Empty::Keep, Empty::Error]
            .into_iter()
            .find(|&e| e as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// Splits the cluster with the largest weight once for every one that has none. Weights are taken to be halved, so that
/// the next is another one if there is a larger.
pub(super) fn split_largest(frame: &Frame<'_>, weights: &[i64], centers: &mut [f32]) {
    let cols = frame.cols();
    let empty = weights.iter().enumerate().filter(|&(_, &w)| w <= 0);
    for (taken, (j, _)) in empty.enumerate() {
        // The largest after those that have been split; the first of equal ones. With more empty clusters than others
        // it goes round.
        let full = weights.iter().filter(|&&w| w > 0).count();
        let Some(place) = taken.checked_rem(full) else { return };
        let Some(from) = nth_largest(weights, place) else { return };
        for feature in 0..cols {
            let (low, high) = frame.range(feature);
            // 2^-10; the sign goes by turns, so that the two part in every direction.
            let step = (0.5 * high - 0.5 * low) * f32::from_bits((127 - 9) << 23);
            let step = if (feature + j) % 2 == 0 { step } else { -step };
            let Some(&c) = row(centers, cols, from).get(feature) else { continue };
            if let Some(to) = row_mut(centers, cols, from).get_mut(feature) {
                *to = (c - step).max(low).min(high);
            }
            if let Some(to) = row_mut(centers, cols, j).get_mut(feature) {
                *to = (c + step).max(low).min(high);
            }
        }
    }
}

/// The index of the largest weight but `n`; of equal ones the first.
fn nth_largest(weights: &[i64], n: usize) -> Option<usize> {
    let mut last: Option<(i64, usize)> = None;
    for _ in 0..=n {
        let mut best: Option<(i64, usize)> = None;
        for (i, &w) in weights.iter().enumerate() {
            let after = last.is_none_or(|(lw, li)| w < lw || (w == lw && i > li));
            if after && best.is_none_or(|(bw, _)| w > bw) {
                best = Some((w, i));
            }
        }
        last = best;
    }
    last.map(|(_, i)| i)
}
