//! Lloyd's algorithm, from the first centres to the last labels.

use crate::Error;
use crate::kmeans::Empty;
use crate::simd::{self, Tier};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::packed::Packed;
use super::pass::{Clusters, Gather, NONE, Sum, energy, pass};
use super::relocate::relocate;
use super::{grid, model, rows, seed};

/// Rows whose sums of codes fit an `i32`: 2^24 times -128 is the least one.
const NARROW_ROWS: usize = 1 << 24;
/// Whether more rows are taken: where 32-bit addresses end no fit has them, and their code would only take flash.
const WIDE: bool = cfg!(target_pointer_width = "64");

/// Where centres come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeding {
    /// Greedy k-means++ with this seed ([`plus_plus`](super::plus_plus())).
    PlusPlus {
        /// The same seed gives the same centres on every machine.
        seed: u64,
    },
    /// The caller has put them into `centers`.
    Given,
}

/// What [`fit`] shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Number of clusters, 1..=65535.
    pub k: usize,
    /// How often centres are moved at most; with 0 rows are only assigned.
    pub max_iterations: u32,
    /// Where centres come from.
    pub seeding: Seeding,
    /// What happens to clusters that have lost their last row; all but [`Empty::SplitLargest`]. With fewer different rows
    /// than clusters some stay empty whatever is chosen.
    pub empty: Empty,
}

impl Options {
    /// `k` clusters from greedy k-means++ with that seed, at most 100 iterations, farthest rows for empty clusters.
    #[must_use]
    pub const fn new(k: usize, seed: u64) -> Options {
        Options { k, max_iterations: 100, seeding: Seeding::PlusPlus { seed }, empty: Empty::Farthest }
    }
}

/// What [`fit`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    /// The sum of squared distances of rows to their centres, in sixteenths: 256 for a distance of 1.
    pub inertia: u64,
    /// How often the centres were worked out anew.
    pub iterations: u32,
    /// Whether they no longer move.
    pub converged: bool,
    /// Clusters without a row.
    pub empty: usize,
}

/// How many centres have a copy in scratch, because the outputs must stay untouched if a cluster turns out to be empty.
fn copied(options: &Options, len: usize) -> usize {
    if options.empty == Empty::Error { len } else { 0 }
}

/// Centres for the search, sums, counts.
fn lloyd_layout<T: Sum>(d: usize, k: usize) -> Result<Layout, Error> {
    Packed::layout(d, k)?.array::<T>(model(d, k)?)?.array::<T>(k)
}

/// Scratch of the phases, which come one after the other.
fn phase_size(n: usize, d: usize, options: &Options) -> Result<usize, Error> {
    if options.empty == Empty::SplitLargest {
        return Err(Error::Unsupported);
    }
    let k = options.k;
    let lloyd = match n {
        ..=NARROW_ROWS => lloyd_layout::<i32>(d, k),
        _ if WIDE => lloyd_layout::<i64>(d, k),
        _ => Err(Error::SizeOverflow),
    };
    let seeding = match options.seeding {
        Seeding::Given => 0,
        Seeding::PlusPlus { .. } => seed::plus_plus_workspace_size(n, d, k)?,
    };
    Ok(lloyd?.size().max(seeding))
}

/// Bytes of scratch that [`fit`] needs for `n` rows of `d` codes: about `2 d (k + 4) + 4 d k` (`k` a multiple of 8), or
/// `4 n` for seeding if that is more; 3.5 KB for given centres with `k` = 16, `d` = 32.
///
/// # Errors
/// As [`fit`].
pub fn fit_workspace_size(n: usize, d: usize, options: &Options) -> Result<usize, Error> {
    let len = model(d, options.k)?;
    rows(n.checked_mul(d).ok_or(Error::SizeOverflow)?, d)?;
    if n < options.k {
        return Err(Error::InvalidArgument);
    }
    Ok(Layout::EMPTY.array::<i16>(copied(options, len))?.array::<u8>(phase_size(n, d, options)?)?.size())
}

/// Clusters int8 points: Lloyd's algorithm until no centre moves.
///
/// - `points`: rows of `d` codes.
/// - `centers`: at least `k` times `d` values, of which just those are written, in sixteenths; with [`Seeding::Given`] they are
///   read first, -2048..=2032 each.
/// - `labels`: at least as many values as there are rows. Labels and inertia belong to the centres returned.
///
/// The inertia never rises from one iteration to the next: a centre is the best point of the grid for its rows, and a row goes
/// to the nearest centre.
///
/// # Errors
/// [`Error::InvalidArgument`]: `d` or `k` 0, fewer rows than `k`, `k` above 65535, a given centre out of range.
/// [`Error::EmptyCluster`] with [`Empty::Error`]. [`Error::Unsupported`]: [`Empty::SplitLargest`]. [`Error::SizeOverflow`], [`Error::Shape`], [`Error::OutputTooSmall`],
/// [`Error::WorkspaceTooSmall`] as for [`assign`](super::assign()).
///
/// ```
/// use hybridq::kmeans::int8::{Options, fit, fit_workspace_size};
///
/// let points = [1i8, 2, 3, 4, 101, 100, 99, 98];
/// let (mut centers, mut labels) = ([0; 4], [0; 4]);
/// let options = Options::new(2, 7);
/// let mut scratch = vec![0; fit_workspace_size(4, 2, &options)?];
/// let fit = fit(&points, 2, &options, &mut centers, &mut labels, &mut scratch)?;
/// assert!(fit.converged && labels[0] == labels[1] && labels[0] != labels[2]);
/// let first = 2 * labels[0] as usize;
/// assert_eq!(centers[first..first + 2], [16 * 2, 16 * 3]); // the mean of (1, 2) and (3, 4)
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit(
    points: &[i8],
    d: usize,
    options: &Options,
    centers: &mut [i16],
    labels: &mut [u16],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let (n, len) = (rows(points.len(), d)?, model(d, options.k)?);
    if n < options.k {
        return Err(Error::InvalidArgument);
    }
    let centers = centers.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    let labels = labels.get_mut(..n).ok_or(Error::OutputTooSmall)?;
    if options.seeding == Seeding::Given {
        grid::check(centers)?;
    }
    let mut carver = Carver::new(scratch);
    let copy = carver.take::<i16>(copied(options, len))?;
    let scratch = carver.take::<u8>(phase_size(n, d, options)?)?;
    // From here on nothing can fail, but for an empty cluster where that is an error: then all is done in the copy.
    if options.empty != Empty::Error {
        return run(points, d, options, centers, labels, scratch);
    }
    for (to, &from) in copy.iter_mut().zip(centers.iter()) {
        *to = from;
    }
    let found = run(points, d, options, copy, labels, scratch)?;
    for (to, &from) in centers.iter_mut().zip(copy.iter()) {
        *to = from;
    }
    Ok(found)
}

fn run(
    points: &[i8],
    d: usize,
    options: &Options,
    centers: &mut [i16],
    labels: &mut [u16],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    if let Seeding::PlusPlus { seed } = options.seeding {
        seed::plus_plus(points, d, options.k, seed, centers, scratch)?;
    }
    if WIDE && labels.len() > NARROW_ROWS {
        lloyd::<i64>(points, d, options, centers, labels, scratch)
    } else {
        lloyd::<i32>(points, d, options, centers, labels, scratch)
    }
}

/// What one round works on.
struct State<'a, T> {
    tier: Tier,
    points: &'a [i8],
    energy: i64,
    packed: Packed<'a>,
    clusters: Clusters<'a, T>,
}

impl<T: Sum> State<'_, T> {
    /// Assigns all rows; returns the inertia. With labels only what has changed is added up.
    fn assign(&mut self, centers: &[i16], labels: Option<&mut [u16]>) -> u64 {
        self.packed.fill(centers);
        let moves = labels.is_some();
        if !moves {
            self.clusters.clear();
        }
        let gather = Gather { labels, clusters: &mut self.clusters, moves };
        (256 * self.energy - pass(self.tier, &mut self.packed, self.points, gather)) as u64
    }

    fn empty(&self) -> usize {
        self.clusters.counts.iter().filter(|count| count.wide() == 0).count()
    }
}

fn lloyd<T: Sum>(
    points: &[i8],
    d: usize,
    options: &Options,
    centers: &mut [i16],
    labels: &mut [u16],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let mut carver = Carver::new(scratch);
    let packed = Packed::carve(&mut carver, d, options.k)?;
    let (sums, counts) = (carver.take::<T>(centers.len())?, carver.take::<T>(options.k)?);
    let tier = simd::active();
    let clusters = Clusters { features: d, sums, counts };
    let mut state = State { tier, points, energy: energy(tier, points), packed, clusters };
    let careful = options.empty == Empty::Error;
    state.clusters.clear();
    if !careful {
        labels.fill(NONE);
    }
    let (mut iterations, mut converged) = (0, false);
    let inertia = loop {
        let inertia = state.assign(centers, if careful { None } else { Some(&mut *labels) });
        if careful && state.empty() > 0 {
            return Err(Error::EmptyCluster);
        }
        if converged || iterations >= options.max_iterations {
            break inertia;
        }
        iterations += 1;
        if options.empty == Empty::Farthest {
            relocate(points, labels, centers, &mut state.clusters);
        }
        converged = !step(&state.clusters, centers)?;
        if converged {
            break inertia;
        }
    };
    if careful {
        // Every cluster has a row: now the outputs may be written.
        let mut none = Clusters::<T> { features: d, sums: &mut [], counts: &mut [] };
        let gather = Gather { labels: Some(labels), clusters: &mut none, moves: false };
        pass(tier, &mut state.packed, points, gather);
    }
    Ok(Fit { inertia, iterations, converged, empty: state.empty() })
}

/// Moves centres to the means of their rows; whether any moved.
fn step<T: Sum>(clusters: &Clusters<'_, T>, centers: &mut [i16]) -> Result<bool, Error> {
    let d = clusters.features;
    let mut moved = false;
    let rows = split_rows_mut(centers, d).zip(split_rows(clusters.sums, d));
    for ((center, sums), count) in rows.zip(clusters.counts.iter()) {
        if count.wide() == 0 {
            continue;
        }
        for (c, sum) in center.iter_mut().zip(sums) {
            let mean = grid::mean(sum.wide(), count.wide())?;
            moved |= mean != core::mem::replace(c, mean);
        }
    }
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets of more than 2^24 rows take the wide sums; here both take the same ones.
    #[test]
    fn wide_sums_give_the_same_as_narrow_ones() {
        let points: Vec<i8> = (0..3000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as i8).collect();
        let options = Options::new(7, 3);
        let run = |wide: bool| {
            let mut scratch = vec![0; 1 << 16];
            let (mut centers, mut labels) = (vec![0; 7 * 6], vec![0; 500]);
            seed::plus_plus(&points, 6, 7, 3, &mut centers, &mut scratch).unwrap();
            let f = if wide { lloyd::<i64> } else { lloyd::<i32> };
            (f(&points, 6, &options, &mut centers, &mut labels, &mut scratch).unwrap(), centers, labels)
        };
        assert_eq!(run(false), run(true));
        assert!(lloyd_layout::<i64>(6, 7).unwrap().size() > lloyd_layout::<i32>(6, 7).unwrap().size());
    }
}
