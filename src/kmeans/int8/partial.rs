//! Sums that several parties make and one merges: threads, ranks, slices of time, batches of a stream.
//!
//! A partial is `k d + k + 1` numbers: the sums of the codes of each cluster, its counts, and the inertia. Adding two of them,
//! number by number, is merging: an `MPI_Allreduce` with `MPI_SUM` does it, in any order, to the same bits.

use crate::Error;
use crate::simd;
use crate::workspace::{Carver, split_rows, split_rows_mut};

use super::packed::Packed;
use super::pass::{Clusters, Gather, energy, pass};
use super::{MAX_COORDINATES, assign_workspace_size, clusters, grid, model, rows};

/// Numbers in a partial for `k` centres of `d` features: `k d` sums, `k` counts, the inertia.
///
/// # Errors
/// [`Error::InvalidArgument`], [`Error::SizeOverflow`]: see [`assign`](super::assign()).
pub fn partial_len(d: usize, k: usize) -> Result<usize, Error> {
    model(d, k)?.checked_add(k).and_then(|n| n.checked_add(1)).ok_or(Error::SizeOverflow)
}

/// Sums, counts and inertia of a partial.
fn split(partial: &mut [i64], len: usize, k: usize) -> Option<(&mut [i64], &mut [i64], &mut i64)> {
    let (sums, rest) = partial.split_at_mut_checked(len)?;
    let (counts, rest) = rest.split_at_mut_checked(k)?;
    let [inertia] = rest else { return None };
    Some((sums, counts, inertia))
}

/// Bytes of scratch that [`accumulate`] needs, as [`assign`](super::assign()) does.
///
/// # Errors
/// As [`accumulate`].
pub fn accumulate_workspace_size(d: usize, k: usize) -> Result<usize, Error> {
    assign_workspace_size(d, k)
}

/// Assigns rows to the nearest centres and adds them to a partial, which begins as zeros. Any split of the rows into
/// calls, and any order of them, gives the same partial. Every call prepares the centres, which takes as long as a
/// dozen rows or so: slices should have more.
///
/// `labels` are written if there are any: then there are at least as many as rows. `partial` has exactly
/// [`partial_len`] numbers.
///
/// # Errors
/// As [`assign`](super::assign()); [`Error::Shape`] also for another length of `partial`.
///
/// ```
/// use hybridq::kmeans::int8::{accumulate, accumulate_workspace_size, partial_len, update};
///
/// let (points, mut centers) = ([1i8, 2, 4, 100], [0i16, 1600]); // one feature, two centres
/// let mut scratch = vec![0; accumulate_workspace_size(1, 2)?];
/// let mut partial = vec![0; partial_len(1, 2)?];
/// for slice in points.chunks(3) {
///     accumulate(slice, 1, &centers, &mut [], &mut partial, &mut scratch)?;
/// }
/// assert_eq!(partial, [7, 100, 3, 1, 256 * (1 + 4 + 16)]); // sums, counts, inertia
/// let update = update(&partial, 1, &mut centers)?;
/// assert!(update.moved && centers == [37, 1600]); // 16 * 7 / 3
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn accumulate(
    points: &[i8],
    d: usize,
    centers: &[i16],
    labels: &mut [u16],
    partial: &mut [i64],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let (n, k) = (rows(points.len(), d)?, clusters(centers.len(), d)?);
    grid::check(centers)?;
    let labels =
        if labels.is_empty() { None } else { Some(labels.get_mut(..n).ok_or(Error::OutputTooSmall)?) };
    let (sums, counts, inertia) = split(partial, centers.len(), k).ok_or(Error::Shape)?;
    let mut packed = Packed::carve(&mut Carver::new(scratch), d, k)?;
    packed.fill(centers);
    let tier = simd::active();
    let mut clusters = Clusters { features: d, sums, counts };
    let near = pass(tier, &mut packed, points, Gather { labels, clusters: &mut clusters, moves: false });
    *inertia = inertia.wrapping_add(256 * energy(tier, points) - near);
    Ok(())
}

/// Adds a partial to another one.
///
/// # Errors
/// [`Error::Shape`] if they are not equally long.
pub fn merge(partial: &mut [i64], other: &[i64]) -> Result<(), Error> {
    if partial.len() != other.len() {
        return Err(Error::Shape);
    }
    for (sum, &more) in partial.iter_mut().zip(other) {
        *sum = sum.wrapping_add(more);
    }
    Ok(())
}

/// What [`update`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Update {
    /// The inertia of the rows for the centres that they were assigned to, in squared sixteenths.
    pub inertia: u64,
    /// How many rows there were.
    pub rows: u64,
    /// Clusters without a row; their centres stay.
    pub empty: usize,
    /// Whether a centre moved. If not, labels of these rows are final.
    pub moved: bool,
}

/// Moves centres to the means that a partial tells: to the nearest sixteenth, ties towards the greater. Centres of
/// clusters without rows stay. If the partial holds more than one batch, each assigned to the centres of
/// its time, this is mini-batch k-means with a rate of 1 / count for each centre.
///
/// # Errors
/// [`Error::Shape`]: `partial` has not [`partial_len`] numbers. [`Error::InvalidArgument`]: it is none that
/// [`accumulate`] makes (a negative count or inertia, a mean beyond the codes). [`Error::SizeOverflow`]: more than 2^39
/// coordinates. `centers` are untouched then.
pub fn update(partial: &[i64], d: usize, centers: &mut [i16]) -> Result<Update, Error> {
    let k = clusters(centers.len(), d)?;
    if partial.len() != partial_len(d, k)? {
        return Err(Error::Shape);
    }
    let (sums, rest) = partial.split_at_checked(centers.len()).ok_or(Error::Shape)?;
    let (counts, inertia) = rest.split_at_checked(k).ok_or(Error::Shape)?;
    let inertia = inertia.first().and_then(|&i| u64::try_from(i).ok()).ok_or(Error::InvalidArgument)?;
    let mut found = Update { inertia, rows: 0, empty: 0, moved: false };
    // Once to see that all is well, once to write.
    for (sums, &count) in split_rows(sums, d).zip(counts) {
        found.rows = u64::try_from(count)
            .map_err(|_| Error::InvalidArgument)?
            .checked_add(found.rows)
            .filter(|&rows| rows <= MAX_COORDINATES)
            .ok_or(Error::SizeOverflow)?;
        if count == 0 {
            found.empty += 1;
            if sums.iter().any(|&sum| sum != 0) {
                return Err(Error::InvalidArgument);
            }
            continue;
        }
        for &sum in sums {
            grid::mean(sum, count)?;
        }
    }
    if found.rows.saturating_mul(d as u64) > MAX_COORDINATES {
        return Err(Error::SizeOverflow);
    }
    for ((center, sums), &count) in split_rows_mut(centers, d).zip(split_rows(sums, d)).zip(counts) {
        if count == 0 {
            continue;
        }
        for (c, &sum) in center.iter_mut().zip(sums) {
            let mean = grid::mean(sum, count)?;
            found.moved |= mean != core::mem::replace(c, mean);
        }
    }
    Ok(found)
}

/// Forgets: every sum and count of a partial becomes `keep / 65536` of itself, rounded so that means stay within the
/// codes; the inertia too. Between batches of a stream, so that centres follow what changes.
///
/// # Errors
/// [`Error::Shape`], [`Error::InvalidArgument`], [`Error::SizeOverflow`] as for [`update`].
///
/// ```
/// use hybridq::kmeans::int8::decay;
///
/// let mut partial = [300, -40, 3, 4, 1000]; // two centres of one feature
/// decay(&mut partial, 1, 2, 1 << 15)?;
/// assert_eq!(partial, [100, -20, 1, 2, 500]); // 3 rows have become one, with the same mean
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn decay(partial: &mut [i64], d: usize, k: usize, keep: u16) -> Result<(), Error> {
    let len = model(d, k)?;
    let (sums, counts, inertia) = split(partial, len, k).ok_or(Error::Shape)?;
    if *inertia < 0 {
        return Err(Error::InvalidArgument);
    }
    for (sums, &count) in split_rows(sums, d).zip(counts.iter()) {
        if u64::try_from(count).map_err(|_| Error::InvalidArgument)? > MAX_COORDINATES {
            return Err(Error::SizeOverflow);
        }
        if sums.iter().any(|&sum| sum < -128 * count || sum > 127 * count) {
            return Err(Error::InvalidArgument);
        }
    }
    let keep = keep as i64;
    for (sums, count) in split_rows_mut(sums, d).zip(counts) {
        let (before, now) = (*count, (*count * keep) >> 16);
        *count = now;
        for sum in sums {
            // `sum * now / before` in two parts, so that neither overflows: whole codes and what is left, at most `now`.
            let whole = sum.checked_div_euclid(before).unwrap_or(0);
            let left = *sum - whole * before;
            *sum = whole * now + ((left * keep) >> 16);
        }
    }
    *inertia = (*inertia >> 16) * keep + (((*inertia & 0xFFFF) * keep) >> 16);
    Ok(())
}
