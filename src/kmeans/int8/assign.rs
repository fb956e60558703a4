//! The nearest centres of rows.

use crate::Error;
use crate::simd;
use crate::workspace::Carver;

use super::grid;
use super::packed::Packed;
use super::pass::{Clusters, Gather, energy, pass};
use super::{clusters, model, rows};

/// Bytes of scratch that [`assign`] needs for `k` centres of `d` features: about `2 d (k + 4)`, `k` a multiple of 8.
///
/// # Errors
/// As [`assign`].
pub fn assign_workspace_size(d: usize, k: usize) -> Result<usize, Error> {
    model(d, k)?;
    Ok(Packed::layout(d, k)?.size())
}

/// The label of every row: the nearest of the centres, the lowest number among equally near ones. Returns the inertia, the
/// sum of squared distances in sixteenths.
///
/// `points` are rows of `d` codes, `centers` rows of `d` sixteenths in -2048..=2032; `labels` holds at least as many
/// values as there are rows.
///
/// # Errors
/// [`Error::InvalidArgument`]: `d` 0, no centre, more than 65535 or one out of range. [`Error::SizeOverflow`]: `d` above
/// [`MAX_FEATURES`](super::MAX_FEATURES), more than 2^39 codes. [`Error::Shape`]: lengths that are no multiples of `d`.
/// [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`].
///
/// ```
/// use hybridq::kmeans::int8::{assign, assign_workspace_size};
///
/// let mut scratch = vec![0; assign_workspace_size(2, 2)?];
/// let mut labels = [0; 3];
/// let inertia = assign(&[1, 2, -3, 4, 100, 100], 2, &[0, 0, 1600, 1600], &mut labels, &mut scratch)?;
/// assert_eq!((labels, inertia), ([0, 0, 1], 256 * (1 + 4 + 9 + 16)));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn assign(
    points: &[i8],
    d: usize,
    centers: &[i16],
    labels: &mut [u16],
    scratch: &mut [u8],
) -> Result<u64, Error> {
    let (n, k) = (rows(points.len(), d)?, clusters(centers.len(), d)?);
    grid::check(centers)?;
    let labels = labels.get_mut(..n).ok_or(Error::OutputTooSmall)?;
    let mut packed = Packed::carve(&mut Carver::new(scratch), d, k)?;
    packed.fill(centers);
    let tier = simd::active();
    let mut none = Clusters::<i32> { features: d, sums: &mut [], counts: &mut [] };
    let gather = Gather { labels: Some(labels), clusters: &mut none, moves: false };
    let near = pass(tier, &mut packed, points, gather);
    Ok((256 * energy(tier, points) - near) as u64)
}
