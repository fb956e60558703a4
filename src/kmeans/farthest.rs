//! [`Empty::Farthest`](super::Empty::Farthest) in parts: candidates for empty clusters that merge.
//!
//! Up to `k - 1` clusters may be empty, and each takes the farthest row whose own cluster can do without it. At any time a
//! cluster holds back one row at most, its last one with weight; so of e empty clusters and k - e others, no more than
//! e + (k - e) rows in falling order of distance are ever looked at. The k farthest rows of all the data are enough, and those are found by merging the k
//! farthest of each part.
//!
//! Layout: `k` records of `cols + 4` words of 32 bits, in falling order: the squared distance (bits of an f32), the row, its label,
//! its integer weight in the frame, and its values (bits of f32). A record of distance 0 is none, and all zeros.

use core::cmp::Ordering;

use crate::simd::floats::{self, FloatKernel, Floats, round};
use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::empty::Empty;
use super::frame::{Frame, Scale};
use super::partial::{Step, canonical, check_centers, check_k, partial_len, update};
use super::points::{Points, magnitude_bits, row, row_mut};
use super::sums::Sums;

/// Words of a record before the values of the row.
const HEAD: usize = 4;

/// `u32` of the candidates of `k` clusters of `cols` features: `k * (cols + 4)`.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn farthest_len(k: usize, cols: usize) -> Result<usize, Error> {
    check_k(k)?;
    cols.checked_add(HEAD).and_then(|n| n.checked_mul(k)).ok_or(Error::SizeOverflow)
}

/// Adds the rows of a part to candidates, which the caller has filled with zeros before the first call.
///
/// `labels` are those that [`accumulate`](super::accumulate) gave the points for these `centers`; `first` is the number of the part's first row
/// in all the data, so that every row has a number of its own. `farthest` has exactly [`farthest_len`] values.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, a label that is not below `k`, or a point outside the frame; [`Error::Shape`]; [`Error::NonFinite`];
/// [`Error::SizeOverflow`] (also for a row beyond 2^31). `farthest` is untouched then.
///
/// ```
/// use hybridq::kmeans::*;
/// let parts = [Points::new(2, 1, &[0.0, 1.0])?, Points::new(2, 1, &[2.0, 9.0])?];
/// let mut limits = vec![0.0; limits_len(1)?];
/// limits_clear(&mut limits);
/// for part in &parts {
///     limits_add(part, &mut limits)?;
/// }
/// let frame = Frame::new(4, &limits)?;
/// // Nobody is near the second centre.
/// let (k, mut centers) = (2, [1.0, 100.0]);
/// let mut scratch = vec![0; assign_workspace_size(k, 1)?];
/// let (mut partial, mut farthest) = (vec![0; partial_len(k, 1)?], vec![0; farthest_len(k, 1)?]);
/// for (i, part) in parts.iter().enumerate() {
///     let mut labels = [0; 2];
///     accumulate(part, &frame, k, &centers, &mut labels, &mut partial, &mut scratch)?;
///     let mut own = vec![0; farthest_len(k, 1)?];
///     farthest_add(part, &frame, 2 * i, k, &centers, &labels, &mut own)?;
///     farthest_merge(k, 1, &mut farthest, &own)?; // gathered from other ranks, say
/// }
/// let step = update_farthest(&frame, k, &mut partial, &mut farthest, &mut centers)?;
/// assert_eq!((centers, step.empty), ([1.0, 9.0], 1));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn farthest_add(
    points: &Points<'_>,
    frame: &Frame<'_>,
    first: usize,
    k: usize,
    centers: &[f32],
    labels: &[u32],
    farthest: &mut [u32],
) -> Result<(), Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let len = farthest_len(k, cols)?;
    check_centers(k, cols, centers)?;
    if labels.len() != rows || farthest.len() != len {
        return Err(Error::Shape);
    }
    if first.checked_add(rows).is_none_or(|end| end > Points::MAX_ROWS) {
        return Err(Error::SizeOverflow);
    }
    points.check()?;
    if labels.iter().any(|&label| label as usize >= k) || !frame.covers(points) {
        return Err(Error::InvalidArgument);
    }
    let scale = frame.scale();
    floats::run(simd::active(), Add { points, first, centers, labels, scale, farthest });
    Ok(())
}

struct Add<'a> {
    points: &'a Points<'a>,
    first: usize,
    centers: &'a [f32],
    labels: &'a [u32],
    scale: Scale,
    farthest: &'a mut [u32],
}

impl FloatKernel for Add<'_> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let (cols, magnitude) = (self.points.cols(), magnitude_bits(self.centers));
        for (i, (x, &label)) in self.points.iter().zip(self.labels).enumerate() {
            let distance = canonical(f, x, magnitude, row(self.centers, cols, label as usize)).1;
            let weight = self.scale.weight(self.points.weights(), i);
            if distance > 0.0 && weight > 0 {
                let head = [distance.to_bits(), (self.first + i) as u32, label, weight as u32];
                put(self.farthest, cols, head, x.iter().map(|v| v.to_bits()));
            }
        }
    }
}

/// The farther first, of equally far ones the row with the lower number.
fn order(a: &[u32], b: &[u32]) -> Ordering {
    match (a, b) {
        // Floats above 0 are in the order of their bits.
        ([da, ra, ..], [db, rb, ..]) => db.cmp(da).then(ra.cmp(rb)),
        _ => Ordering::Equal,
    }
}

/// Puts a record in its place, if it is farther than the last one.
fn put(farthest: &mut [u32], cols: usize, head: [u32; HEAD], values: impl Iterator<Item = u32>) {
    let size = cols.wrapping_add(HEAD);
    let place =
        split_rows(farthest, size).take_while(|record| order(record, &head) != Ordering::Greater).count();
    // From the end up: each word behind takes the one of the record before it.
    let start = place.wrapping_mul(size);
    for i in (start.wrapping_add(size)..farthest.len()).rev() {
        let before = farthest.get(i.wrapping_sub(size)).copied().unwrap_or_default();
        if let Some(to) = farthest.get_mut(i) {
            *to = before;
        }
    }
    let to = farthest.get_mut(start..).unwrap_or_default();
    for (to, word) in to.iter_mut().zip(head.into_iter().chain(values)) {
        *to = word;
    }
}

/// Merges candidates of two parts: the farthest of both. The order of merges leaves no trace. The parts must not have a row in common.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::Shape`], [`Error::SizeOverflow`]. `farthest` is untouched then.
pub fn farthest_merge(k: usize, cols: usize, farthest: &mut [u32], other: &[u32]) -> Result<(), Error> {
    let len = farthest_len(k, cols)?;
    if farthest.len() != len || other.len() != len {
        return Err(Error::Shape);
    }
    for record in split_rows(other, cols + HEAD) {
        let (head @ [distance, ..], values) = split(record);
        if distance != 0 {
            put(farthest, cols, head, values.iter().copied());
        }
    }
    Ok(())
}

/// A record: head and values.
fn split(record: &[u32]) -> ([u32; HEAD], &[u32]) {
    match record.split_first_chunk::<HEAD>() {
        Some((head, values)) => (*head, values),
        None => ([0; HEAD], &[]),
    }
}

/// As [`update`](super::update) with [`Empty::Farthest`](super::Empty::Farthest): every cluster without weight first gets the row that is farthest from its centre, of equally far ones the
/// first, among those that do not leave their own cluster without weight; then all centres move to their means. With partials and candidates of all the
/// data this is the step that [`fit`](super::fit) takes, to the bit.
///
/// `partial` and `farthest` are merged from all parts; in `partial` the rows are moved to their new clusters, and their records
/// are taken from `farthest`. If no cluster is
/// empty, `farthest` is not looked at, and may be of length 0: a caller may look at the weights first
/// (`partial[k * cols..][..k]`) and gather candidates only where it has to.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, or a label or value in `farthest` that cannot be; [`Error::Shape`]; [`Error::NonFinite`];
/// [`Error::SizeOverflow`]. The outputs are untouched then.
pub fn update_farthest(
    frame: &Frame<'_>,
    k: usize,
    partial: &mut [i64],
    farthest: &mut [u32],
    centers: &mut [f32],
) -> Result<Step, Error> {
    let cols = frame.cols();
    let len = farthest_len(k, cols)?;
    check_centers(k, cols, centers)?;
    if partial.len() != partial_len(k, cols)? {
        return Err(Error::Shape);
    }
    let empties = partial.iter().skip(k * cols).take(k).filter(|&&w| w <= 0).count();
    if empties > 0 {
        if farthest.len() != len {
            return Err(Error::Shape);
        }
        for record in split_rows(farthest, cols + HEAD) {
            let ([distance, _, label, weight], values) = split(record);
            if !f32::from_bits(distance).is_finite() {
                return Err(Error::NonFinite);
            }
            let mut inside = label < k as u32 && weight >> 25 == 0;
            for (feature, &bits) in values.iter().enumerate() {
                let (low, high) = frame.range(feature);
                inside &= (low..=high).contains(&f32::from_bits(bits));
            }
            if distance != 0 && !inside {
                return Err(Error::InvalidArgument);
            }
        }
        give(frame, k, partial, farthest);
    }
    let step = update(frame, k, partial, Empty::Keep, centers)?;
    Ok(Step { empty: empties, ..step })
}

/// Moves rows to the clusters without weight, in their order, as long as there are any that can leave.
fn give(frame: &Frame<'_>, k: usize, partial: &mut [i64], farthest: &mut [u32]) {
    let (cols, scale) = (frame.cols(), frame.scale());
    let Some(sums) = Sums::split(k, cols, partial) else { return };
    for j in 0..k {
        let weight = |label: u32| sums.weights.get(label as usize).copied().unwrap_or_default();
        if weight(j as u32) > 0 {
            continue;
        }
        let found = split_rows_mut(farthest, cols + HEAD).find(|record| {
            let ([distance, _, label, own], _) = split(record);
            distance != 0 && weight(label) > own as i64
        });
        let Some(record) = found else { return };
        let ([_, _, label, own], values) = split(record);
        for (to, sign) in [(label as usize, -1), (j, 1)] {
            let by = own as i64 * sign;
            for (feature, (sum, &bits)) in row_mut(sums.sums, cols, to).iter_mut().zip(values).enumerate() {
                let units = round(f32::from_bits(bits) * scale.guard * frame.factor(feature));
                *sum = sum.wrapping_add(by.wrapping_mul(units as i64));
            }
            for (counts, by) in [(&mut *sums.weights, by), (&mut *sums.counts, sign)] {
                if let Some(count) = counts.get_mut(to) {
                    *count = count.wrapping_add(by);
                }
            }
        }
        if let [distance, ..] = record {
            *distance = 0;
        }
    }
}
