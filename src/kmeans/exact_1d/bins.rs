//! The histogram form, for devices: values are counted in bins as they come, and the bins are clustered.
//!
//! Memory is fixed by the number of bins, counts of parts add up to those of the whole, and the optimum of the binned
//! values (each at the middle of its bin) is found in integers: sums in i64, costs in 2^-8 squared bin widths. The only
//! floats are the ones that come in and the centres that go out.
//!
//! **Error bound.** A value is at most half a bin width h from the middle of its bin, and the distance to the nearest of
//! any centres changes by no more than the value moves. So for every set of centres the root mean square distances of
//! the values and of the binned values differ by at most h / 2, and that of the centres found here exceeds the least
//! there is by at most **h** (plus the rounding of f32), for values inside the range.
//!
//! Bounds: at most 2^16 bins, and counts that add up to at most [`most_values`]: sum count * bin^2 stays below 2^54, and
//! a cost below 2^62.

use bytemuck::{Pod, Zeroable};

use super::program::{Costs, Window};
use super::trace::{Rows, trace};
use crate::Error;
use crate::workspace::{Carver, Layout};

/// Equal bins over a range of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bins {
    /// Where the first bin begins.
    pub low: f32,
    /// Where the last bin ends.
    pub high: f32,
}

/// Most bins there can be.
pub const MAX_BINS: usize = 1 << 16;

/// What clustering bins found, beside the centres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BinClusters {
    /// Sum of squared distances of the binned values, in 1/256 of a squared bin width, each cluster's rounded up by less
    /// than one.
    pub cost: u64,
    /// The same in squared units of the values.
    pub inertia: f32,
    /// How many of the centres are different clusters; the rest repeat the last one.
    pub clusters: usize,
}

/// Most values that `bins` bins can count together: 2^32 - 1 up to 2048 bins, less above (2^22 for 65536).
///
/// # Errors
/// [`Error::InvalidArgument`] for no bins and for more than [`MAX_BINS`].
pub fn most_values(bins: usize) -> Result<u64, Error> {
    if bins == 0 || bins > MAX_BINS {
        return Err(Error::InvalidArgument);
    }
    let bits = usize::BITS - (bins - 1).leading_zeros();
    Ok((1u64 << 54u32.saturating_sub(2 * bits).min(32)) - 1)
}

fn total(counts: &[u32]) -> u64 {
    counts.iter().fold(0u64, |sum, &c| sum.wrapping_add(c as u64))
}

impl Bins {
    fn check(&self) -> Result<(), Error> {
        if !self.low.is_finite() || !self.high.is_finite() {
            return Err(Error::NonFinite);
        }
        let width = self.high - self.low;
        if width > 0.0 && width.is_finite() { Ok(()) } else { Err(Error::InvalidArgument) }
    }

    /// Counts values: adds to `counts`, one for each bin. Values outside the range go to the bin at that end, for which
    /// the error bound then does not hold. Starts with counts of 0; may be called again and again.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] (an empty or overflowing range, no bins, too many), [`Error::NonFinite`],
    /// [`Error::SizeOverflow`] (more than [`most_values`] together). `counts` is untouched then.
    pub fn add(&self, x: &[f32], counts: &mut [u32]) -> Result<(), Error> {
        self.check()?;
        if total(counts).saturating_add(x.len() as u64) > most_values(counts.len())? {
            return Err(Error::SizeOverflow);
        }
        if x.iter().any(|v| !v.is_finite()) {
            return Err(Error::NonFinite);
        }
        let (bins, last) = (counts.len() as f32, counts.len() - 1);
        let per_width = bins / (self.high - self.low);
        for &v in x {
            // Far outside the difference may be infinite: the cast saturates.
            let bin = ((v - self.low) * per_width).max(0.0) as usize;
            if let Some(count) = counts.get_mut(bin.min(last)) {
                *count = count.wrapping_add(1);
            }
        }
        Ok(())
    }

    /// The value of a place counted in bins from the middle of the first one.
    fn value(&self, whole: u64, part: f32, bins: usize) -> f32 {
        let width = (self.high - self.low) / bins as f32;
        self.low + (whole as f32 + (part + 0.5)) * width
    }
}

/// Adds the counts of another part of the data, with the same bins, to `counts`: in any order, with the same result.
///
/// # Errors
/// [`Error::Shape`] (another number of bins), [`Error::InvalidArgument`] (no bins, too many), [`Error::SizeOverflow`]
/// (more than [`most_values`] together). `counts` is untouched then.
pub fn merge_bins(counts: &mut [u32], other: &[u32]) -> Result<(), Error> {
    if counts.len() != other.len() {
        return Err(Error::Shape);
    }
    if total(counts).saturating_add(total(other)) > most_values(counts.len())? {
        return Err(Error::SizeOverflow);
    }
    for (count, other) in counts.iter_mut().zip(other) {
        *count = count.wrapping_add(*other);
    }
    Ok(())
}

/// Sums over the bins before an edge.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Sums {
    squares: i64,
    sum: i64,
    count: i64,
}

impl Sums {
    fn minus(self, other: Sums) -> Sums {
        Sums {
            squares: self.squares.wrapping_sub(other.squares),
            sum: self.sum.wrapping_sub(other.sum),
            count: self.count.wrapping_sub(other.count),
        }
    }

    /// The mean rounded down, and what is left of the sum.
    fn around(self) -> (u64, u64) {
        let (sum, count) = (self.sum as u64, (self.count as u64).max(1));
        (sum / count, sum % count)
    }
}

/// Costs in 1/256 of a squared bin width, rounded up.
struct Integers;

impl Costs for Integers {
    type Edge = Sums;

    #[inline(always)]
    fn between(&self, from: Sums, to: Sums) -> u64 {
        let of = to.minus(from);
        if of.count <= 0 {
            return 0;
        }
        // With the mean m + r / n: sum t^2 - m (sum t + r) - r^2 / n; the last as r * ((256 r) / n), whose own rest
        // still fits: r < n < 2^32.
        let ((mean, rest), count) = (of.around(), of.count as u64);
        let whole = (of.squares as u64).wrapping_sub(mean.wrapping_mul((of.sum as u64).wrapping_add(rest)));
        let (share, left) = ((rest << 8) / count, (rest << 8) % count);
        (whole << 8).wrapping_sub(rest.wrapping_mul(share)).wrapping_sub(rest.wrapping_mul(left) / count)
    }
}

fn layout(bins: usize, k: usize) -> Result<Layout, Error> {
    most_values(bins)?;
    if k == 0 {
        return Err(Error::InvalidArgument);
    }
    Layout::EMPTY
        .array::<Sums>(bins + 1)?
        .array::<u64>(2 * (bins + 1))?
        .array::<u32>(2 * (bins + 1))?
        .array::<u32>(k.min(bins) + 1)
}

/// Bytes of scratch that [`cluster_bins`] needs: about 48 a bin, and 4 a centre.
///
/// # Errors
/// [`Error::InvalidArgument`] for no centres, no bins or more than [`MAX_BINS`].
pub fn cluster_bins_workspace_size(bins: usize, k: usize) -> Result<usize, Error> {
    Ok(layout(bins, k)?.size())
}

/// The `k` centres with the least sum of squared distances to the binned values, ascending.
///
/// `counts` holds the count of each bin, `centers` at least `k` values, of which just those are written; `scratch` at
/// least [`cluster_bins_workspace_size`] bytes at any alignment. Without values all centres are the middle of the first
/// bin. The cost is the least there is to within `k` (log2 bins + 2) of its units; the same input gives the same bits on
/// every target. Time: k bins log(bins).
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres, no bins, too many, an empty range), [`Error::NonFinite`] (the range),
/// [`Error::SizeOverflow`] (more than [`most_values`]), [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`].
/// `centers` is untouched then.
///
/// ```
/// use hybridq::kmeans::{Bins, cluster_bins, cluster_bins_workspace_size, merge_bins};
/// let bins = Bins { low: 0.0, high: 10.0 };
/// let (mut here, mut there) = ([0u32; 100], [0u32; 100]);
/// bins.add(&[1.0, 9.0, 1.5, 9.5], &mut here)?; // one part of the data
/// bins.add(&[5.0, 5.5, 0.5], &mut there)?; // another
/// merge_bins(&mut here, &there)?;
/// let mut scratch = vec![0; cluster_bins_workspace_size(100, 3)?];
/// let mut centers = [0.0; 3];
/// cluster_bins(&bins, &here, 3, &mut centers, &mut scratch)?;
/// // At most one bin width off, here half of one: values at the edge of a bin count as its middle.
/// assert!((centers[0] - 1.0).abs() < 0.051 && (centers[1] - 5.25).abs() < 0.051 && (centers[2] - 9.25).abs() < 0.051);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn cluster_bins(
    bins: &Bins,
    counts: &[u32],
    k: usize,
    centers: &mut [f32],
    scratch: &mut [u8],
) -> Result<BinClusters, Error> {
    bins.check()?;
    let n = counts.len();
    let needed = layout(n, k)?.size();
    if total(counts) > most_values(n)? {
        return Err(Error::SizeOverflow);
    }
    let centers = centers.get_mut(..k).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let layers = k.min(n);
    let mut carver = Carver::new(scratch);
    let edges = carver.take::<Sums>(n + 1)?;
    let (before, now) = carver.take::<u64>(2 * (n + 1))?.split_at_mut_checked(n + 1).unwrap_or_default();
    let (origins, arguments) =
        carver.take::<u32>(2 * (n + 1))?.split_at_mut_checked(n + 1).unwrap_or_default();
    let bounds = carver.take::<u32>(layers + 1)?;

    let mut sums = Sums::zeroed();
    for (edge, (bin, &count)) in edges.iter_mut().zip((0i64..).zip(counts.iter().chain(&[0]))) {
        *edge = sums;
        let weighted = bin.wrapping_mul(count as i64);
        sums = Sums {
            squares: sums.squares.wrapping_add(weighted.wrapping_mul(bin)),
            sum: sums.sum.wrapping_add(weighted),
            count: sums.count.wrapping_add(count as i64),
        };
    }
    let mut rows = Rows { costs: [before, now], origins: [origins, arguments] };
    let window = |layer: usize| match layer {
        0 => Window { low: 0, high: 0 },
        _ => Window { low: 0, high: n },
    };
    trace(&Integers, edges, window, layers, n, &mut rows, bounds);
    let edge = |layer: usize| {
        let at = bounds.get(layer).copied().unwrap_or_default() as usize;
        edges.get(at).copied().unwrap_or(Sums::zeroed())
    };
    let (mut cost, mut used) = (0u64, 0);
    for layer in 0..layers {
        let of = edge(layer + 1).minus(edge(layer));
        if of.count > 0 {
            cost = cost.wrapping_add(Integers.between(edge(layer), edge(layer + 1)));
            let (whole, rest) = of.around();
            if let Some(center) = centers.get_mut(used) {
                *center = bins.value(whole, rest as f32 / of.count as f32, n);
                used += 1;
            }
        }
    }
    let (found, rest) = centers.split_at_mut_checked(used).unwrap_or_default();
    rest.fill(found.last().copied().unwrap_or(bins.value(0, 0.0, n)));
    let width = (bins.high - bins.low) / n as f32;
    Ok(BinClusters { cost, inertia: cost as f32 * (1.0 / 256.0) * width * width, clusters: used })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random(seed: &mut u32) -> f32 {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (*seed >> 8) as f32 / (1 << 24) as f32
    }

    fn run(bins: &Bins, counts: &[u32], k: usize) -> (Vec<f32>, BinClusters) {
        let mut centers = vec![f32::NAN; k + 1];
        let mut scratch = vec![0xA5; cluster_bins_workspace_size(counts.len(), k).unwrap() + 1];
        let found = cluster_bins(bins, counts, k, &mut centers, &mut scratch[1..]).unwrap();
        assert!(centers.pop().unwrap().is_nan());
        assert!(centers.is_sorted() && centers.iter().all(|c| c.is_finite()), "{centers:?}");
        (centers, found)
    }

    /// The least cost in 1/256, as exact fractions over every partition.
    fn brute_force(counts: &[u32], first: usize, k: usize) -> f64 {
        if first == counts.len() {
            return 0.0;
        }
        if k == 0 {
            return f64::INFINITY;
        }
        let (mut n, mut s, mut q) = (0.0f64, 0.0f64, 0.0f64);
        let mut best = f64::INFINITY;
        for (bin, &count) in counts.iter().enumerate().skip(first) {
            let (t, w) = (bin as f64, count as f64);
            (n, s, q) = (n + w, s + w * t, q + w * t * t);
            let cost = if n > 0.0 { 256.0 * (q - s * s / n) } else { 0.0 };
            best = best.min(cost + brute_force(counts, bin + 1, k - 1));
        }
        best
    }

    #[test]
    fn equals_the_best_of_all_partitions() {
        let mut seed = 11;
        for case in 0..400 {
            let n = 1 + case % 10;
            let most = [2.0, 50.0, 4.0e8][case % 3];
            let counts: Vec<u32> = (0..n).map(|_| (random(&mut seed) * most) as u32).collect();
            for k in 1..=5 {
                let bins = Bins { low: -1.0, high: 1.0 };
                let (_, found) = run(&bins, &counts, k);
                let best = brute_force(&counts, 0, k);
                assert!(
                    (found.cost as f64 - best).abs() <= 6.0 * k as f64,
                    "{counts:?} {k}: {found:?} {best}"
                );
            }
        }
    }

    #[test]
    fn hand_computed() {
        // 2 values at bin 0, 1 at bin 3, 5 at bin 9: means 1 and 9, cost 2 * 1 + 4 = 6 squared widths.
        let mut counts = [0u32; 10];
        (counts[0], counts[3], counts[9]) = (2, 1, 5);
        let (centers, found) = run(&Bins { low: 0.0, high: 10.0 }, &counts, 2);
        assert_eq!((centers, found.cost, found.inertia, found.clusters), (vec![1.5, 9.5], 6 * 256, 6.0, 2));
        let (centers, found) = run(&Bins { low: 0.0, high: 10.0 }, &[0; 10], 2);
        assert_eq!((centers, found.cost, found.clusters), (vec![0.5, 0.5], 0, 0));
        let (centers, found) = run(&Bins { low: 0.0, high: 10.0 }, &counts, 12);
        assert_eq!((centers[..3].to_vec(), found.cost, found.clusters), (vec![0.5, 3.5, 9.5], 0, 3));
    }

    #[test]
    fn the_error_bound_holds() {
        let mut seed = 5;
        let x: Vec<f32> = (0..2000).map(|i| (i % 4) as f32 * 2.0 + random(&mut seed)).collect();
        let rms = |centers: &[f32]| {
            let sum: f64 = x
                .iter()
                .map(|&v| centers.iter().map(|&c| (v as f64 - c as f64).powi(2)).fold(f64::MAX, f64::min))
                .sum();
            (sum / x.len() as f64).sqrt()
        };
        for k in [1, 2, 3, 4, 7] {
            let options = crate::kmeans::exact_1d::Exact1d { k, pin_zero: false };
            let mut scratch = vec![0; super::super::exact_1d_workspace_size(x.len(), &options).unwrap()];
            let mut best = vec![0.0; k];
            super::super::exact_1d(&x, None, &options, &mut best, &mut scratch).unwrap();
            for count in [8usize, 31, 256, 4096] {
                let bins = Bins { low: -0.5, high: 7.5 };
                let mut counts = vec![0; count];
                bins.add(&x, &mut counts).unwrap();
                let (centers, _) = run(&bins, &counts, k);
                let width = 8.0 / count as f64;
                assert!(rms(&centers) <= rms(&best) + width + 1e-5, "{k} {count}");
            }
        }
    }

    #[test]
    fn parts_in_any_order_are_the_whole() {
        let mut seed = 9;
        let x: Vec<f32> = (0..999).map(|_| random(&mut seed) * 3.0 - 1.5).collect();
        let bins = Bins { low: -1.0, high: 1.0 };
        let mut whole = [0; 64];
        bins.add(&x, &mut whole).unwrap();
        assert_eq!(total(&whole), 999);
        let mut parts: Vec<[u32; 64]> = x
            .chunks(100)
            .map(|part| {
                let mut counts = [0; 64];
                bins.add(part, &mut counts).unwrap();
                counts
            })
            .collect();
        for _ in 0..2 {
            let mut sum = [0; 64];
            for part in &parts {
                merge_bins(&mut sum, part).unwrap();
            }
            assert_eq!(sum, whole);
            parts.reverse();
        }
    }

    #[test]
    fn misuse_is_refused_and_changes_nothing() {
        let bins = Bins { low: 0.0, high: 1.0 };
        let mut counts = [7u32; 4];
        assert_eq!(bins.add(&[0.5, f32::NAN], &mut counts), Err(Error::NonFinite));
        assert_eq!(bins.add(&[0.5], &mut []), Err(Error::InvalidArgument));
        assert_eq!(Bins { low: 1.0, high: 1.0 }.add(&[0.5], &mut counts), Err(Error::InvalidArgument));
        assert_eq!(
            Bins { low: f32::MIN, high: f32::MAX }.add(&[0.5], &mut counts),
            Err(Error::InvalidArgument)
        );
        assert_eq!(Bins { low: f32::NAN, high: 1.0 }.add(&[0.5], &mut counts), Err(Error::NonFinite));
        assert_eq!(merge_bins(&mut counts, &[1; 3]), Err(Error::Shape));
        assert_eq!(merge_bins(&mut counts, &[u32::MAX; 4]), Err(Error::SizeOverflow));
        assert_eq!(counts, [7; 4]);
        let mut full = [u32::MAX, 0, 0, 0];
        assert_eq!(bins.add(&[0.5], &mut full), Err(Error::SizeOverflow));
        let (mut centers, mut scratch) = ([3.0; 2], [0; 600]);
        let size = cluster_bins_workspace_size(4, 2).unwrap();
        let mut call = |counts: &[u32], k, centers: &mut [f32], room: usize| {
            cluster_bins(&bins, counts, k, centers, &mut scratch[..room])
        };
        assert_eq!(call(&counts, 0, &mut centers, size), Err(Error::InvalidArgument));
        assert_eq!(call(&[], 2, &mut centers, size), Err(Error::InvalidArgument));
        assert_eq!(call(&counts, 2, &mut centers[..1], size), Err(Error::OutputTooSmall));
        assert_eq!(call(&counts, 2, &mut centers, size - 1), Err(Error::WorkspaceTooSmall));
        assert_eq!(call(&[u32::MAX; 4], 2, &mut centers, size), Err(Error::SizeOverflow));
        assert_eq!(centers, [3.0; 2]);
        assert!(call(&counts, 2, &mut centers, size).is_ok());
        assert_eq!(most_values(MAX_BINS), Ok((1 << 22) - 1));
        assert_eq!(most_values(2048), Ok((1 << 32) - 1));
        assert_eq!(most_values(MAX_BINS + 1), Err(Error::InvalidArgument));
    }
}
