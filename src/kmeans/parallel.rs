//! Lloyd's algorithm on the threads of the current rayon pool (feature `rayon`).
//!
//! Each thread looks after a range of rows, with its own labels, bounds and sums; the sums are integers, so the bits are
//! those of one thread, whatever the number of threads and however the pool deals out the work.

use std::vec;
use std::vec::Vec;

use rayon::prelude::*;

use crate::Error;

use super::bounds::Kept;
use super::empty::Empty;
use super::fit::{Fit, FitOptions, check, copy};
use super::frame::{Frame, limits_add, limits_clear, limits_len};
use super::groups::{Groups, Place};
use super::lloyd::{Crew, Lloyd, Rest};
use super::pass::block_len;
use super::points::Points;
use super::shard::{Pace, Shard};
use super::sums::sums_len;

/// Multiply-adds that a range has at least in an iteration: some tens of microseconds.
const LEAST: usize = 1 << 20;

/// The most ranges a thread is given.
const RANGES_A_THREAD: usize = 8;

/// The current pool.
struct Pool;

impl Crew for Pool {
    fn each<'a>(&self, shards: &mut [Shard<'a>], work: impl Fn(&mut Shard<'a>) + Sync + Send) {
        shards.par_iter_mut().with_max_len(1).for_each(work);
    }
}

/// [`fit`](super::fit) on the threads of the current rayon pool, with the same bits.
///
/// Scratch is allocated here: that of [`fit`](super::fit), and `8 k cols` bytes for each range of rows, of which a thread
/// has up to eight, as long as all their sums take less than the points.
///
/// # Errors
/// As [`fit`](super::fit), but for [`Error::WorkspaceTooSmall`]. The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{FitOptions, Points, fit, fit_parallel, fit_workspace_size};
/// let data: Vec<f32> = (0..9000).map(|i| (i * i % 101) as f32).collect();
/// let points = Points::new(3000, 3, &data)?;
/// let options = FitOptions::default();
/// let (mut a, mut b) = (data[..24].to_vec(), data[..24].to_vec());
/// let (mut labels, mut others) = (vec![0; 3000], vec![0; 3000]);
/// let found = fit_parallel(&points, 8, &options, &mut a, &mut labels)?; // or in `pool.install(|| ...)`
/// let mut scratch = vec![0; fit_workspace_size(3000, 3, 8, &options)?];
/// assert_eq!(found, fit(&points, 8, &options, &mut b, &mut others, &mut scratch)?);
/// assert_eq!((a, labels), (b, others));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn fit_parallel(
    points: &Points<'_>,
    k: usize,
    options: &FitOptions,
    centers: &mut [f32],
    labels: &mut [u32],
) -> Result<Fit, Error> {
    let labels = check(points, k, options, centers, labels)?;
    let (rows, cols) = (points.rows(), points.cols());
    let partial_len = sums_len(k, cols).ok_or(Error::SizeOverflow)?;
    let sizes = options.groups(rows, cols, k)?;
    let block_len = block_len(cols).ok_or(Error::SizeOverflow)?;

    let ranges = ranges(rows, cols, k, rayon::current_num_threads());
    let step = rows.div_ceil(ranges).max(1);
    // The limits are merged, as all else.
    let starts: Vec<usize> = (0..rows).step_by(step).collect();
    let parts: Result<Vec<Points<'_>>, Error> =
        starts.iter().map(|&start| points.rows_between(start, rows.min(start + step))).collect();
    let parts = parts?;
    let found: Vec<Result<Vec<f32>, Error>> = parts
        .par_iter()
        .map(|part| {
            let mut limits = vec![0.0; limits_len(cols)?];
            limits_clear(&mut limits);
            limits_add(part, &mut limits)?;
            Ok(limits)
        })
        .collect();
    let mut limits = vec![0.0; limits_len(cols)?];
    limits_clear(&mut limits);
    // The first error in the order of the rows, but a number that is none before a weight that is negative.
    let errors: Vec<Error> = found.iter().filter_map(|found| found.as_ref().err().copied()).collect();
    if let Some(&error) = errors.iter().find(|&&e| e == Error::NonFinite).or(errors.first()) {
        return Err(error);
    }
    for own in found.into_iter().flatten() {
        super::frame::limits_merge(&mut limits, &own)?;
    }
    let frame = Frame::new(rows, &limits)?;
    let mut factors = vec![0.0; cols];
    frame.factors(&mut factors);

    let mut own_centers = centers.to_vec();
    let mut own_labels = vec![u32::MAX; rows];
    let mut partials = vec![0i64; partial_len * parts.len()];
    let mut blocks = vec![0.0f32; block_len * (parts.len() + 1)];
    let bounded = options.bounded(rows);
    let (mut near, mut far, mut list) = (vec![0.0; bounded], vec![0.0; bounded], vec![0; bounded]);
    let mut distances = vec![0.0; if options.empty == Empty::Farthest { rows } else { 0 }];
    let (block, blocks) = blocks.split_at_mut(block_len);
    let mut nears = pieces(&mut near, step);
    let mut fars = pieces(&mut far, step);
    let mut lists = pieces(&mut list, step);
    let mut distances = pieces(&mut distances, step);
    let mut lower = vec![0.0f32; sizes.lower];
    let mut group_blocks = vec![0.0f32; sizes.block * parts.len()];
    let mut places: Vec<Place> = vec![bytemuck::Zeroable::zeroed(); sizes.places * parts.len()];
    let mut group_lists = vec![0u16; sizes.lists * parts.len()];
    let mut lowers = pieces(&mut lower, step * sizes.groups);
    let mut group_blocks = pieces(&mut group_blocks, sizes.block);
    let mut places = pieces(&mut places, sizes.places);
    let mut group_lists = pieces(&mut group_lists, sizes.lists);
    let mut shards: Vec<Shard<'_>> = parts
        .iter()
        .zip(own_labels.chunks_mut(step))
        .zip(partials.chunks_mut(partial_len).zip(blocks.chunks_mut(block_len)))
        .map(|((points, labels), (partial, block))| Shard {
            points: *points,
            labels,
            partial,
            kept: Kept { near: nears(), far: fars(), list: lists() },
            groups: Groups { lower: lowers(), block: group_blocks(), places: places(), lists: group_lists() },
            pairs: 0,
            distances: distances(),
            block,
            pace: Pace::default(),
            changed: 0,
        })
        .collect();
    let mut lloyd = Lloyd {
        crew: Pool,
        tier: crate::simd::active(),
        k,
        options,
        frame: &frame,
        scale: frame.scale(),
        factors: &factors,
        magnitude: frame.magnitude(),
        centers: &mut own_centers,
        memory: &mut vec![0.0; sizes.panels],
        block,
        moved: &mut vec![0.0; options.bounded(k)],
        apart: &mut vec![0.0; options.bounded(k)],
        drift: &mut vec![0.0; sizes.groups],
        rest: Rest::default(),
        total: &mut vec![0; if parts.len() > 1 { partial_len } else { 0 }],
        known: false,
    };
    let found = lloyd.run(&mut shards)?;
    copy(&own_centers, centers);
    copy(&own_labels, labels);
    Ok(found)
}

/// One piece after the other; empty ones once there are no more.
fn pieces<'a, T>(data: &'a mut [T], step: usize) -> impl FnMut() -> &'a mut [T] {
    let mut chunks = data.chunks_mut(step.max(1));
    move || chunks.next().unwrap_or_default()
}

/// How many ranges of rows: some a thread, so that none waits long for one that something else holds up, if each range
/// has enough to do and its sums are small beside its rows.
fn ranges(rows: usize, cols: usize, k: usize, threads: usize) -> usize {
    let work = rows.saturating_mul(cols).saturating_mul(k);
    let several = (rows / k.saturating_mul(16).max(1)).clamp(1, RANGES_A_THREAD);
    let wanted = if threads == 1 { 1 } else { threads.saturating_mul(several) };
    wanted.min(work / LEAST).clamp(1, rows.max(1))
}
