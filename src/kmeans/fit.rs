//! Lloyd's algorithm from given centres to convergence.

use crate::math::{Compensated, sqrt};
use crate::workspace::{Carver, Layout, split_rows_mut};
use crate::{Error, simd};

use super::bounds::{Bounds, Kept};
use super::empty::Empty;
use super::frame::{Frame, limits_add, limits_clear, limits_len};
use super::groups::{Groups, Place, block_floats, block_rows, lists_len};
use super::lloyd::{Alone, Lloyd, Rest};
use super::panels::{grouped_len, panels_len};
use super::partial::{check_centers, check_k};
use super::pass::block_len;
use super::points::Points;
use super::shard::{Pace, Shard};
use super::sums::sums_len;

/// How to fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FitOptions {
    /// Updates of the centres at most. With 0 the points are labelled and the centres stay.
    pub max_iterations: usize,
    /// Stop once no centre moves farther than this in one update (units of the data); at least 0.
    pub shift_tolerance: f32,
    /// Stop once an update lowers the inertia by no more than this part of it; at least 0, and 0 means never. Otherwise the
    /// inertia is worked out in every iteration, which takes a little time.
    pub inertia_tolerance: f32,
    /// What becomes of clusters without weight.
    pub empty: Empty,
    /// Whether time may be saved by keeping bounds; the result is the same.
    pub bounds: Bounds,
    /// Spherical k-means (Dhillon and Modha 2001): centres are brought to length 1 after every update (one that is zero
    /// stays where it was), so that with points of length 1 ([`normalize_rows`]) the nearest centre is the one with
    /// the largest cosine, and the inertia is twice the sum of weight * (1 - cosine). The start should have length 1 too.
    pub spherical: bool,
}

impl FitOptions {
    /// 300 iterations at most, until the labels stay the same.
    pub const DEFAULT: FitOptions = FitOptions {
        max_iterations: 300,
        shift_tolerance: 0.0,
        inertia_tolerance: 0.0,
        empty: Empty::Farthest,
        bounds: Bounds::Auto,
        spherical: false,
    };

    /// Distances to the own centre are kept where empty clusters look for the farthest point.
    fn distances(&self, rows: usize) -> usize {
        if self.empty == Empty::Farthest { rows } else { 0 }
    }

    /// So many, if bounds are kept.
    pub(super) fn bounded(&self, len: usize) -> usize {
        if self.bounds == Bounds::Off { 0 } else { len }
    }

    /// What bounds for groups take.
    pub(super) fn groups(&self, rows: usize, cols: usize, k: usize) -> Result<GroupSizes, Error> {
        let groups = self.bounds.groups(cols, k);
        let (overflow, some) = (Error::SizeOverflow, groups > 0);
        Ok(GroupSizes {
            groups,
            lower: rows.checked_mul(groups).ok_or(overflow)?,
            block: if some { block_floats(cols, groups).ok_or(overflow)? } else { 0 },
            places: if some { block_rows(cols) } else { 0 },
            lists: if some { lists_len(cols, groups).ok_or(overflow)? } else { 0 },
            panels: if some { grouped_len(k, cols) } else { panels_len(k, cols) }.ok_or(overflow)?,
        })
    }
}

/// Lengths of what [`Groups`] are made of, all 0 without them, and of panels.
#[derive(Clone, Copy)]
pub(super) struct GroupSizes {
    /// Bounds of a point.
    pub(super) groups: usize,
    pub(super) lower: usize,
    pub(super) block: usize,
    pub(super) places: usize,
    pub(super) lists: usize,
    pub(super) panels: usize,
}

impl Default for FitOptions {
    fn default() -> FitOptions {
        FitOptions::DEFAULT
    }
}

/// Why a fit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Stop {
    /// No label changed: this is a fixed point of the algorithm.
    Labels = 0,
    /// The centres moved no farther than the tolerance.
    Shift = 1,
    /// The inertia fell by no more than the tolerance.
    Inertia = 2,
    /// The most iterations that were allowed.
    Iterations = 3,
}

/// What a fit has found, beside centres and labels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Sum of weight * squared distance to the centre of the label.
    pub inertia: f32,
    /// Updates of the centres.
    pub iterations: usize,
    /// Why it ended.
    pub stop: Stop,
    /// The largest distance that a centre moved in the last update; 0 if there was none.
    pub shift: f32,
    /// Clusters without weight at the end.
    pub empty: usize,
}

fn layout(rows: usize, cols: usize, k: usize, options: &FitOptions) -> Result<Layout, Error> {
    check_k(k)?;
    if rows > Points::MAX_ROWS {
        return Err(Error::SizeOverflow);
    }
    let groups = options.groups(rows, cols, k)?;
    Layout::EMPTY
        .array::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(limits_len(cols)?)?
        .array::<f32>(cols)?
        .array::<f32>(k.checked_mul(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(groups.panels)?
        .array::<f32>(block_len(cols).ok_or(Error::SizeOverflow)?)?
        .array::<f32>(block_len(cols).ok_or(Error::SizeOverflow)?)?
        .array::<u32>(rows)?
        .array::<f32>(options.distances(rows))?
        .array::<f32>(options.bounded(rows))?
        .array::<f32>(options.bounded(rows))?
        .array::<u32>(options.bounded(rows))?
        .array::<f32>(options.bounded(k))?
        .array::<f32>(options.bounded(k))?
        .array::<f32>(groups.groups)?
        .array::<f32>(groups.lower)?
        .array::<f32>(groups.block)?
        .array::<Place>(groups.places)?
        .array::<u16>(groups.lists)
}

/// Bytes of scratch that [`fit`] needs.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`].
pub fn fit_workspace_size(rows: usize, cols: usize, k: usize, options: &FitOptions) -> Result<usize, Error> {
    Ok(layout(rows, cols, k, options)?.size())
}

/// Lloyd's algorithm: moves `k` centres (`k` x `cols`) to where no point wants another one, or until it is told to stop.
///
/// `centers` holds the start and receives the outcome; `labels` receives, for every row, the centre that is nearest
/// to it among those returned, and the inertia of the result is theirs: [`assign`](super::assign) with the returned centres gives the
/// same labels. The result does not depend on the tier.
///
/// # Errors
/// [`Error::InvalidArgument`] (no centres, more centres than rows, a negative or non-finite tolerance, a negative weight,
/// no weight above 0), [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`],
/// [`Error::SizeOverflow`], [`Error::EmptyCluster`] (only with [`Empty::Error`]). The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{FitOptions, Points, Stop, fit, fit_workspace_size};
/// let points = Points::new(5, 1, &[0.0, 1.0, 10.0, 12.0, 2.0])?;
/// let options = FitOptions::default();
/// let mut scratch = vec![0; fit_workspace_size(5, 1, 2, &options)?];
/// let (mut centers, mut labels) = ([0.0, 1.0], [0; 5]);
/// let found = fit(&points, 2, &options, &mut centers, &mut labels, &mut scratch)?;
/// assert_eq!((centers, labels), ([1.0, 11.0], [0, 0, 1, 1, 0]));
/// assert_eq!((found.inertia, found.stop), (4.0, Stop::Labels));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit(
    points: &Points<'_>,
    k: usize,
    options: &FitOptions,
    centers: &mut [f32],
    labels: &mut [u32],
    scratch: &mut [u8],
) -> Result<Fit, Error> {
    let labels = check(points, k, options, centers, labels)?;
    let (rows, cols) = (points.rows(), points.cols());
    let needed = layout(rows, cols, k, options)?.size();
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    let mut carver = Carver::new(scratch);
    let partial = carver.take::<i64>(sums_len(k, cols).ok_or(Error::SizeOverflow)?)?;
    let limits = carver.take(limits_len(cols)?)?;
    let factors = carver.take(cols)?;
    let own_centers = carver.take(k * cols)?;
    let sizes = options.groups(rows, cols, k)?;
    let memory = carver.take(sizes.panels)?;
    let [block, own_block] = [
        carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?,
        carver.take(block_len(cols).ok_or(Error::SizeOverflow)?)?,
    ];
    let own_labels = carver.take::<u32>(rows)?;
    let distances = carver.take(options.distances(rows))?;
    let bounded = options.bounded(rows);
    let kept = Kept { near: carver.take(bounded)?, far: carver.take(bounded)?, list: carver.take(bounded)? };
    let moved = carver.take(options.bounded(k))?;
    let apart = carver.take(options.bounded(k))?;
    let drift = carver.take(sizes.groups)?;
    let groups = Groups {
        lower: carver.take(sizes.lower)?,
        block: carver.take(sizes.block)?,
        places: carver.take(sizes.places)?,
        lists: carver.take(sizes.lists)?,
    };

    limits_clear(limits);
    limits_add(points, limits)?;
    let frame = Frame::new(rows, limits)?;
    frame.factors(factors);
    copy(centers, own_centers);
    own_labels.fill(u32::MAX);
    partial.fill(0);
    let mut shard = Shard {
        points: *points,
        labels: &mut *own_labels,
        partial,
        kept,
        groups,
        pairs: 0,
        distances,
        block: own_block,
        pace: Pace::default(),
        changed: 0,
    };
    let mut lloyd = Lloyd {
        crew: Alone,
        tier: simd::active(),
        k,
        options,
        frame: &frame,
        scale: frame.scale(),
        factors,
        magnitude: frame.magnitude(),
        centers: &mut *own_centers,
        memory,
        block,
        moved,
        apart,
        drift,
        rest: Rest::default(),
        total: &mut [],
        known: false,
    };
    let found = lloyd.run(core::slice::from_mut(&mut shard))?;
    copy(own_centers, centers);
    copy(own_labels, labels);
    Ok(found)
}

/// Scales every row of `cols` values to length 1; rows of zeros stay. For spherical k-means. Norms are guarded against overflow and
/// underflow; the result is within 2^-20 of length 1 for up to 2^16 columns, the same bits on every tier.
///
/// # Errors
/// [`Error::InvalidArgument`] for no columns, [`Error::Shape`] if `data` is no whole number of rows, [`Error::NonFinite`].
/// `data` is untouched then.
///
/// ```
/// let mut x = [3.0, 4.0, 0.0, 0.0, 0.0, -2e30];
/// hybridq::kmeans::normalize_rows(2, &mut x)?;
/// assert_eq!(x, [0.6, 0.8, 0.0, 0.0, 0.0, -1.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn normalize_rows(cols: usize, data: &mut [f32]) -> Result<(), Error> {
    match data.len().checked_rem(cols) {
        None => return Err(Error::InvalidArgument),
        Some(0) => {}
        Some(_) => return Err(Error::Shape),
    }
    if !super::points::finite(data) {
        return Err(Error::NonFinite);
    }
    for row in split_rows_mut(data, cols) {
        normalize(row);
    }
    Ok(())
}

/// Scales to length 1; false, and nothing done, if all is zero.
pub(super) fn normalize(x: &mut [f32]) -> bool {
    let largest = f32::from_bits(super::points::magnitude_bits(x));
    if largest == 0.0 {
        return false;
    }
    // The largest becomes about 1, so that squares are ordinary.
    let first = if largest < 1e-30 { f32::from_bits((127 + 100) << 23) } else { 1.0 };
    let largest = largest * first;
    let mut squares = Compensated::default();
    for x in x.iter_mut() {
        *x = *x * first / largest;
        squares.add(*x * *x);
    }
    let norm = sqrt(squares.value());
    for x in x.iter_mut() {
        *x /= norm;
    }
    true
}

/// What can be refused before anything is worked out; the labels that will be written.
pub(super) fn check<'l>(
    points: &Points<'_>,
    k: usize,
    options: &FitOptions,
    centers: &[f32],
    labels: &'l mut [u32],
) -> Result<&'l mut [u32], Error> {
    check_k(k)?;
    let tolerances = [options.shift_tolerance, options.inertia_tolerance];
    if k > points.rows() || tolerances.iter().any(|t| !(0.0..=f32::MAX).contains(t)) {
        return Err(Error::InvalidArgument);
    }
    check_centers(k, points.cols(), centers)?;
    labels.get_mut(..points.rows()).ok_or(Error::OutputTooSmall)
}

/// `copy_from_slice` for slices whose equal lengths the compiler cannot see.
pub(super) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}
