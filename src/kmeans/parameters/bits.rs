//! How many bits each cluster gets.

use super::ParameterCluster;
use crate::Error;
use crate::quant::{mixed_select, mixed_workspace_size};
use crate::workspace::{Carver, Layout};

/// Most bits that a value can get.
pub const MAX_BITS: usize = 16;

/// What [`suggest_bits`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuggestedBits {
    /// Bits of all values together: at most the average times their number.
    pub total: u64,
    /// Sum over the clusters of weight * inertia * 4^-bits.
    pub error: f32,
    /// No allotment within the budget has a smaller error; equal to `error` where that one is proved the best.
    pub bound: f32,
}

fn layout(clusters: usize) -> Result<(Layout, usize, usize), Error> {
    let cells = clusters.checked_mul(MAX_BITS + 1).ok_or(Error::SizeOverflow)?;
    let search = mixed_workspace_size(clusters, MAX_BITS + 1)?;
    let layout = Layout::EMPTY.array::<u64>(cells)?.array::<f32>(cells)?.array::<u16>(clusters)?;
    Ok((layout.array::<u8>(search)?, cells, search))
}

/// Bytes of scratch that [`suggest_bits`] needs: about 650 a cluster.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn suggest_bits_workspace_size(clusters: usize) -> Result<usize, Error> {
    Ok(layout(clusters)?.0.size())
}

/// Allots bits to clusters: `bits[j]` bits for what each value of cluster j differs from its centre, at most
/// `most` (up to 16), so that the values have `average` bits at most on average and
///
/// sum over j of w_j inertia_j 4^-bits_j
///
/// is least. That is the squared error which is left: without bits every value becomes the centre, and each bit halves the
/// step of a quantizer, which quarters its squared error. The weights w_j >= 0 are those of `weights`, or 1; give
/// curvatures, or `importance / size` to spend bits on what is important whatever its error.
///
/// The choice is the knapsack problem of [`mixed_select`], with its proof: `bound` tells how much better any other
/// allotment can be. A larger budget never gives a larger error where both are proved.
///
/// `bits` holds at least as many entries as `clusters`, of which just those are written; `scratch` at least
/// [`suggest_bits_workspace_size`] bytes at any alignment.
///
/// # Errors
/// [`Error::InvalidArgument`] (`average` negative, `most` above 16, a negative weight or inertia),
/// [`Error::Shape`] (weights and clusters differ in number), [`Error::NonFinite`], [`Error::OutputTooSmall`],
/// [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. `bits` is untouched then.
///
/// ```
/// use hybridq::kmeans::{ParameterCluster, suggest_bits, suggest_bits_workspace_size};
/// // One wide cluster of 10 values, one narrow cluster of 30; 1 bit on average, so 40 bits.
/// let wide = ParameterCluster { size: 10, inertia: 64.0, ..Default::default() };
/// let narrow = ParameterCluster { size: 30, inertia: 3.0, ..Default::default() };
/// let mut scratch = vec![0; suggest_bits_workspace_size(2)?];
/// let mut bits = [0; 2];
/// let found = suggest_bits(&[wide, narrow], None, 1.0, 8, &mut bits, &mut scratch)?;
/// // 4 and 0 leave 64 / 256 + 3; 1 and 1 leave 16 + 3/4.
/// assert_eq!((bits, found.total, found.error), ([4, 0], 40, 3.25));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn suggest_bits(
    clusters: &[ParameterCluster],
    weights: Option<&[f32]>,
    average: f32,
    most: u8,
    bits: &mut [u8],
    scratch: &mut [u8],
) -> Result<SuggestedBits, Error> {
    let (layout, cells, search) = layout(clusters.len())?;
    if weights.is_some_and(|w| w.len() != clusters.len()) {
        return Err(Error::Shape);
    }
    let inertias = clusters.iter().map(|c| c.inertia);
    if !average.is_finite()
        || inertias.clone().chain(weights.unwrap_or_default().iter().copied()).any(|v| !v.is_finite())
    {
        return Err(Error::NonFinite);
    }
    let negative = inertias.clone().chain(weights.unwrap_or_default().iter().copied()).any(|v| v < 0.0);
    if average < 0.0 || most as usize > MAX_BITS || negative {
        return Err(Error::InvalidArgument);
    }
    let bits = bits.get_mut(..clusters.len()).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < layout.size() {
        return Err(Error::WorkspaceTooSmall);
    }
    let candidates = most as usize + 1;
    let mut carver = Carver::new(scratch);
    let costs = carver.take::<u64>(cells)?;
    let errors = carver.take::<f32>(cells)?;
    let choices = carver.take::<u16>(clusters.len())?;
    let used = clusters.len() * candidates;
    let costs = costs.get_mut(..used).unwrap_or_default();
    let errors = errors.get_mut(..used).unwrap_or_default();
    let mut slots = costs.iter_mut().zip(errors.iter_mut());
    let mut values = 0u64;
    for (j, cluster) in clusters.iter().enumerate() {
        let weight = weights.map_or(1.0, |w| w.get(j).copied().unwrap_or_default());
        let mut error = weight * cluster.inertia;
        if !error.is_finite() {
            return Err(Error::NonFinite);
        }
        values += cluster.size as u64;
        for (b, (cost, left)) in (0u64..).zip(slots.by_ref().take(candidates)) {
            (*cost, *left) = (cluster.size as u64 * b, error);
            error *= 0.25;
        }
    }
    let budget = (average as u64).saturating_mul(values).saturating_add(part(average, values));
    let room = carver.take::<u8>(search)?;
    let found = mixed_select(clusters.len(), candidates, costs, errors, budget, choices, room)?;
    for (slot, &choice) in bits.iter_mut().zip(choices.iter()) {
        *slot = choice as u8;
    }
    Ok(SuggestedBits { total: found.bytes, error: found.error, bound: found.bound })
}

/// The fraction of `average` times `values`, rounded down: a multiple of 2^-24, so exact in integers.
fn part(average: f32, values: u64) -> u64 {
    let fraction = (average - average as u64 as f32) * (1u32 << 24) as f32;
    ((fraction as u64 as u128 * values as u128) >> 24) as u64
}
