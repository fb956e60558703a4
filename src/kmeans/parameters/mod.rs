//! Clusters of the parameters of one layer: what each value belongs to, how much each cluster matters, and how many bits
//! to spend on it.
//!
//! With n values in all, cluster j has n_j of them around its centre c_j; k-means is exact ([`exact_1d`]). Then
//!
//! - mean distance d_j = sum |x - c_j| / n_j over its values, and d = sum |x - m| / n over all values around their mean m;
//! - cohesion = d / (d + d_j): 1 for a cluster whose values are all equal, 1/2 for one as spread as the whole layer;
//!   1 if all values are equal. It does not depend on the scale of the values;
//! - importance = (n_j cohesion_j) / sum over i of (n_i cohesion_i): many values, close together, weigh most; all
//!   together weigh 1.
//!
//! [`suggest_bits`] allots bits by the error that they leave.

mod bits;
#[cfg(test)]
mod tests;

use bytemuck::{Pod, Zeroable};

use super::exact_1d::{Exact1d, MAX_LABELS, exact_1d, exact_1d_workspace_size, label_1d};
use crate::Error;
use crate::math::{Compensated, guard_scale};
use crate::workspace::{Carver, Layout};

pub use bits::{MAX_BITS, SuggestedBits, suggest_bits, suggest_bits_workspace_size};

/// One cluster of parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ParameterCluster {
    /// The mean of its values, or 0 if pinned.
    pub center: f32,
    /// Mean of |value - center|; 0 if it has no values.
    pub mean_distance: f32,
    /// Sum of (value - center)^2.
    pub inertia: f32,
    /// 0.5 for a cluster as spread as the whole layer, to 1 for one without spread; below 0.5 only for clusters around a
    /// pinned zero.
    pub cohesion: f32,
    /// Share of size times cohesion, over all clusters; 0 if it has no values.
    pub importance: f32,
    /// How many values.
    pub size: u32,
}

const _: () = assert!(size_of::<ParameterCluster>() == 24);

/// Running sums of one cluster.
#[derive(Clone, Copy, Default)]
struct Sums {
    distance: Compensated,
    square: Compensated,
    size: u32,
}

fn layout(n: usize, options: &Exact1d) -> Result<(Layout, usize), Error> {
    if options.k > MAX_LABELS {
        return Err(Error::InvalidArgument);
    }
    let search = exact_1d_workspace_size(n, options)?;
    Ok((Layout::EMPTY.array::<f32>(options.k)?.array::<u8>(search)?, search))
}

/// Bytes of scratch that [`cluster_parameters`] needs: that of [`exact_1d`], and 4 a centre.
///
/// # Errors
/// As [`exact_1d_workspace_size`]; [`Error::InvalidArgument`] also for more than 256 centres.
pub fn cluster_parameters_workspace_size(n: usize, options: &Exact1d) -> Result<usize, Error> {
    Ok(layout(n, options)?.0.size())
}

/// Clusters the parameters of a layer into at most `options.k` (256) clusters, ascending by centre; returns how many
/// there are: fewer than `k` if there are fewer different values.
///
/// `x` holds finite values, `labels` at least as many, `clusters` at least `k` entries; of the latter as many are written
/// as there are clusters. `scratch` holds at least [`cluster_parameters_workspace_size`] bytes at any alignment. Sums are
/// compensated, in the order of the values: the same bits on every target.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres or more than 256; no values), [`Error::OutputTooSmall`],
/// [`Error::WorkspaceTooSmall`], [`Error::NonFinite`], [`Error::SizeOverflow`]. `labels` and `clusters` are untouched then.
///
/// ```
/// use hybridq::kmeans::{Exact1d, ParameterCluster, cluster_parameters, cluster_parameters_workspace_size};
/// let x = [-1.0f32, 0.5, -1.0, 1.0, 0.0, 0.5]; // two values at -1, four spread around 0.5
/// let options = Exact1d { k: 2, pin_zero: false };
/// let mut scratch = vec![0; cluster_parameters_workspace_size(x.len(), &options)?];
/// let (mut labels, mut clusters) = ([0; 6], [ParameterCluster::default(); 2]);
/// assert_eq!(cluster_parameters(&x, &options, &mut labels, &mut clusters, &mut scratch)?, 2);
/// assert_eq!(labels, [0, 1, 0, 1, 1, 1]);
/// assert_eq!((clusters[0].size, clusters[1].size), (2, 4));
/// assert_eq!((clusters[0].cohesion, clusters[1].mean_distance), (1.0, 0.25));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn cluster_parameters(
    x: &[f32],
    options: &Exact1d,
    labels: &mut [u8],
    clusters: &mut [ParameterCluster],
    scratch: &mut [u8],
) -> Result<usize, Error> {
    let (layout, search) = layout(x.len(), options)?;
    let labels = labels.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
    let clusters = clusters.get_mut(..options.k).ok_or(Error::OutputTooSmall)?;
    if x.is_empty() {
        return Err(Error::InvalidArgument);
    }
    if scratch.len() < layout.size() {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let centers = carver.take::<f32>(options.k)?;
    let found = exact_1d(x, None, options, centers, carver.take::<u8>(search)?)?;
    let centers = centers.get(..found.clusters).unwrap_or_default();
    label_1d(x, centers, labels)?;

    let largest = x.iter().fold(0.0f32, |a, v| a.max(v.abs()));
    let guard = if largest > 0.0 { guard_scale(largest) } else { 1.0 };
    let mut sums = [Sums::default(); MAX_LABELS];
    let mut total = Compensated::default();
    for (&v, &label) in x.iter().zip(labels.iter()) {
        total.add(v * guard);
        let center = centers.get(label as usize).copied().unwrap_or_default();
        if let Some(sum) = sums.get_mut(label as usize) {
            let distance = v * guard - center * guard;
            sum.distance.add(distance.abs());
            sum.square.add(distance * distance);
            sum.size += 1;
        }
    }
    let n = x.len() as f32;
    let mean = total.value() / n;
    let mut spread = Compensated::default();
    for &v in x {
        spread.add((v * guard - mean).abs());
    }
    let spread = spread.value() / n;

    let mut weight = 0.0f32;
    for ((cluster, &center), sum) in clusters.iter_mut().zip(centers).zip(&sums) {
        let size = sum.size as f32;
        let distance = if sum.size > 0 { sum.distance.value() / size } else { 0.0 };
        let cohesion = if spread + distance > 0.0 { spread / (spread + distance) } else { 1.0 };
        weight += size * cohesion;
        *cluster = ParameterCluster {
            center,
            mean_distance: distance / guard,
            inertia: sum.square.value() / guard / guard,
            cohesion,
            importance: size * cohesion,
            size: sum.size,
        };
    }
    for cluster in clusters.iter_mut().take(found.clusters) {
        cluster.importance = if weight > 0.0 { cluster.importance / weight } else { 0.0 };
    }
    Ok(found.clusters)
}
