//! Where to begin: greedy k-means++ (Arthur and Vassilvitskii 2007), in integers.
//!
//! Each further centre is the best of a few points drawn with probability proportional to their squared distance to the
//! centres so far: the one that leaves the least sum of those distances. The number of draws, 2 + ln k, is what the
//! authors propose.

use crate::Error;
use crate::math::Random;
use crate::simd::{self, Tier};
use crate::workspace::{Carver, Layout, split_rows};

use super::grid::coordinate;
use super::{model, rows};

/// `floor(ln k)` for the clusters there may be: e, e^2, ..., e^11, rounded up.
const POWERS: [usize; 11] = [3, 8, 21, 55, 149, 404, 1097, 2981, 8104, 22027, 59875];
const MOST_DRAWS: usize = 2 + POWERS.len();

fn draws(k: usize) -> usize {
    2 + POWERS.iter().filter(|&&power| k >= power).count()
}

/// At most 255^2 * 5461 < 2^29.
#[inline(always)]
fn distance(a: &[i8], b: &[i8]) -> u32 {
    let (mut sum, mut a, mut b) = (0, a, b);
    if cfg!(not(any(target_arch = "x86_64", target_arch = "aarch64"))) {
        // Without vectors the loop itself is nearly half of the work.
        let ((fours, rest), (others, other_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
        for (&[a0, a1, a2, a3], &[b0, b1, b2, b3]) in fours.iter().zip(others) {
            sum += square(a0, b0) + square(a1, b1) + square(a2, b2) + square(a3, b3);
        }
        (a, b) = (rest, other_rest);
    }
    for (&a, &b) in a.iter().zip(b) {
        sum += square(a, b);
    }
    sum as u32
}

#[inline(always)]
fn square(a: i8, b: i8) -> i32 {
    let difference = (a as i16 - b as i16) as i32;
    difference * difference
}

/// Lowers what is left of each row's distance to that of `center`; returns the new sum.
fn lower(tier: Tier, points: &[i8], center: &[i8], nearest: &mut [u32]) -> u64 {
    simd::vectorize(
        tier,
        #[inline(always)]
        || {
            let mut total = 0;
            for (row, near) in split_rows(points, center.len()).zip(nearest) {
                *near = distance(row, center).min(*near);
                total += *near as u64;
            }
            total
        },
    )
}

/// The sum that [`lower`] would return, for each candidate.
fn potentials(tier: Tier, points: &[i8], candidates: &[&[i8]], nearest: &[u32], sums: &mut [u64]) {
    simd::vectorize(
        tier,
        #[inline(always)]
        || {
            let d = candidates.first().map_or(0, |c| c.len());
            for (row, &near) in split_rows(points, d).zip(nearest) {
                for (sum, candidate) in sums.iter_mut().zip(candidates) {
                    *sum += distance(row, candidate).min(near) as u64;
                }
            }
        },
    )
}

/// The row on which a position falls when each takes up as much as its distance.
fn row_at(nearest: &[u32], position: u64) -> usize {
    let mut before = 0;
    let found = nearest.iter().position(|&near| {
        before += near as u64;
        before > position
    });
    found.unwrap_or(0)
}

/// Bytes of scratch that [`plus_plus`] needs for `n` rows: about `4 n`.
///
/// # Errors
/// As [`plus_plus`].
pub fn plus_plus_workspace_size(n: usize, d: usize, k: usize) -> Result<usize, Error> {
    model(d, k)?;
    rows(n.checked_mul(d).ok_or(Error::SizeOverflow)?, d)?;
    if n < k {
        return Err(Error::InvalidArgument);
    }
    Ok(Layout::EMPTY.array::<u32>(n)?.size())
}

/// Greedy k-means++: `k` of the rows as centres, far from each other. The same seed gives the same rows everywhere. If
/// there are fewer different rows than centres, some are the same.
///
/// `points` are rows of `d` codes; `centers` holds at least `k` times `d` values, of which just those are written, in
/// sixteenths. Takes `3 + ln k` passes over the rows for each centre.
///
/// # Errors
/// [`Error::InvalidArgument`]: `d` or `k` 0, fewer rows than `k`, `k` above 65535. [`Error::SizeOverflow`], [`Error::Shape`],
/// [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`] as for [`assign`](super::assign()).
///
/// ```
/// use hybridq::kmeans::int8::{plus_plus, plus_plus_workspace_size};
///
/// let points = [0i8, 0, 1, 1, 100, 100, 101, 101];
/// let mut centers = [0; 4];
/// let mut scratch = vec![0; plus_plus_workspace_size(4, 2, 2)?];
/// plus_plus(&points, 2, 2, 7, &mut centers, &mut scratch)?;
/// assert_ne!(centers[0] < 800, centers[2] < 800); // one of each pair
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn plus_plus(
    points: &[i8],
    d: usize,
    k: usize,
    seed: u64,
    centers: &mut [i16],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let (n, len) = (rows(points.len(), d)?, model(d, k)?);
    if n < k {
        return Err(Error::InvalidArgument);
    }
    let centers = centers.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    let nearest = Carver::new(scratch).take::<u32>(n)?;
    let tier = simd::active();
    let point = |row: usize| points.get(row * d..(row + 1) * d).unwrap_or_default();
    let mut random = Random::new(seed, 0);
    nearest.fill(u32::MAX);
    let mut left = 0;
    for (number, center) in crate::workspace::split_rows_mut(centers, d).enumerate() {
        let chosen = if number == 0 || left == 0 {
            point(random.below(n as u64) as usize)
        } else {
            let mut candidates: [&[i8]; MOST_DRAWS] = [&[]; MOST_DRAWS];
            let mut sums = [0; MOST_DRAWS];
            let count = draws(k);
            for candidate in candidates.iter_mut().take(count) {
                *candidate = point(row_at(nearest, random.below(left)));
            }
            let drawn = candidates.get(..count).unwrap_or_default();
            potentials(tier, points, drawn, nearest, &mut sums);
            let (mut least, mut best) = (u64::MAX, point(0));
            for (&candidate, &sum) in drawn.iter().zip(&sums) {
                if sum < least {
                    (least, best) = (sum, candidate);
                }
            }
            best
        };
        left = lower(tier, points, chosen, nearest);
        for (c, &code) in center.iter_mut().zip(chosen) {
            *c = coordinate(code);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_draws_as_the_logarithm_says() {
        for k in 1..=65535usize {
            assert_eq!(draws(k), 2 + (k as f64).ln().floor() as usize, "{k}");
        }
    }
}
