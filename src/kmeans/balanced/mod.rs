//! Clusters whose sizes are bounded: the assignment of least cost within least and largest sizes, and Lloyd's algorithm with it
//! (Bradley, Bennett, Demiriz: "Constrained K-Means Clustering", 2000).
//!
//! The labels are defined without reference to how they are found. The cost of a row in a cluster is its weight times its
//! squared distance, an integer ([`costs`]). Of all assignments whose sizes are within the bounds those with the least sum of costs are
//! sought; of these the one whose labels come first in the order of dictionaries (row 0 has the lowest label that any of
//! them gives it, then row 1, and so on).

mod costs;
mod fit;
mod moves;
mod paths;
mod sizes;
mod ties;

pub use fit::{fit_balanced, fit_balanced_workspace_size};
pub use sizes::{Size, Sizes};

use super::frame::{Frame, Scale, limits_add, limits_clear, limits_len};
use super::partial::{OwnDistances, check_centers, check_k};
use super::points::{Points, magnitude_bits};
use crate::simd::floats;
use crate::workspace::{Carver, Layout};
use crate::{Error, simd};

use costs::{Costs, Fill};
use moves::{Moves, candidates};
use paths::{PRICE, Solver};

/// The most clusters of a problem: pairs of them are counted.
pub const MAX_BALANCED: usize = 1 << 15;

/// Value `i`; zero where there is none.
#[inline(always)]
fn at<T: Copy + Default>(values: &[T], i: usize) -> T {
    values.get(i).copied().unwrap_or_default()
}

/// Sets value `i`, if there is one.
#[inline(always)]
fn put<T>(values: &mut [T], i: usize, value: T) {
    if let Some(to) = values.get_mut(i) {
        *to = value;
    }
}

/// What a problem of some shape is solved in.
struct Room<'a> {
    costs: &'a mut [f32],
    labels: &'a mut [u32],
    moves: [&'a mut [u32]; 5],
    pairs: [&'a mut [i64]; 3],
    clusters: [&'a mut [u32]; 6],
    nodes: [&'a mut [i64]; 2],
}

fn layout(layout: Layout, rows: usize, k: usize) -> Result<Layout, Error> {
    check_k(k)?;
    if rows > Points::MAX_ROWS || k > MAX_BALANCED {
        return Err(Error::SizeOverflow);
    }
    let pairs = k * k;
    let all = pairs.checked_mul(candidates(rows, k)).ok_or(Error::SizeOverflow)?;
    let mut layout = layout.array::<f32>(rows.checked_mul(k).ok_or(Error::SizeOverflow)?)?;
    for len in [rows, rows, rows, all, pairs, k] {
        layout = layout.array::<u32>(len)?;
    }
    for len in [all, pairs, pairs, k + 1, k + 1] {
        layout = layout.array::<i64>(len)?;
    }
    for len in [k, k, k, k, k + 1, k + 1] {
        layout = layout.array::<u32>(len)?;
    }
    Ok(layout)
}

impl<'a> Room<'a> {
    fn carve(carver: &mut Carver<'a>, rows: usize, k: usize) -> Result<Room<'a>, Error> {
        let pairs = k * k;
        let all = pairs * candidates(rows, k);
        let costs = carver.take(rows * k)?;
        let labels = carver.take(rows)?;
        let [next, previous] = [carver.take(rows)?, carver.take(rows)?];
        let moves = [next, previous, carver.take(all)?, carver.take(pairs)?, carver.take(k)?];
        let pairs = [carver.take(all)?, carver.take(pairs)?, carver.take(pairs)?];
        let nodes = [carver.take(k + 1)?, carver.take(k + 1)?];
        let [low, high, sizes, flows] = [carver.take(k)?, carver.take(k)?, carver.take(k)?, carver.take(k)?];
        let clusters = [low, high, sizes, flows, carver.take(k + 1)?, carver.take(k + 1)?];
        Ok(Room { costs, labels, moves, pairs, clusters, nodes })
    }

    /// Writes the labels of least cost. The prices are those of an earlier call with costs whose exponent was `before`; without one they
    /// are not looked at. Returns the exponent.
    fn solve(&mut self, problem: &Problem<'_>, before: Option<u32>) -> u32 {
        let Problem { points, k, centers, scale, sizes } = *problem;
        let magnitude = magnitude_bits(points.data()).max(magnitude_bits(centers));
        let largest =
            floats::run(simd::active(), Fill { points, k, centers, magnitude, scale, values: self.costs });
        let costs = Costs::new(k, self.costs, largest);
        let [next, previous, rows, lens, first] = &mut self.moves;
        let [of_rows, best, limits] = &mut self.pairs;
        let [low, high, held, flows, from, done] = &mut self.clusters;
        let [prices, way] = &mut self.nodes;
        match before {
            None => prices.fill(0),
            // The same prices in the new unit.
            Some(before) => {
                let by = costs.exponent() as i32 - before as i32;
                let (up, down) = ((-by).clamp(0, 58), by.clamp(0, 62));
                for price in prices.iter_mut() {
                    *price = (*price >> down).max(-PRICE >> up).min(PRICE >> up) << up;
                }
            }
        }
        let moves = Moves {
            k,
            candidates: candidates(points.rows(), k),
            best,
            costs: of_rows,
            rows,
            lens,
            limits,
            first,
            next,
            previous,
        };
        let labels = &mut *self.labels;
        let rows = points.rows();
        let mut solver = Solver {
            costs,
            rows,
            step: 1,
            labels,
            moves,
            low,
            high,
            sizes: held,
            flows,
            prices,
            way,
            from,
            done,
        };
        solver.solve(sizes);
        ties::settle(&mut solver);
        costs.exponent()
    }
}

/// What is to be assigned to what.
struct Problem<'a> {
    points: &'a Points<'a>,
    k: usize,
    centers: &'a [f32],
    scale: &'a Scale,
    sizes: &'a Sizes<'a>,
}

/// Bytes of scratch that [`assign_balanced`] needs: 4 bytes for each row and cluster, some for each row and for each pair of
/// clusters.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, [`Error::SizeOverflow`] (also for more than [`MAX_BALANCED`] clusters).
pub fn assign_balanced_workspace_size(rows: usize, cols: usize, k: usize) -> Result<usize, Error> {
    Ok(layout(Layout::EMPTY.array::<f32>(limits_len(cols)?)?, rows, k)?.size())
}

/// The clusters of all points that have the least sum of weight * squared distance to `k` given centres (`k` x `cols`)
/// while the sizes stay within bounds; and, if asked for, the squared distance of each point to the centre of its cluster.
///
/// This is the exact optimum, of equally good ones the first (see [the room's page](self) and `docs/kmeans.md`);
/// the same labels on every machine. Points of weight 0 count as rows, and cost nothing anywhere. `labels` and `distances` have room for one
/// value a row, of which just those are written.
///
/// # Errors
/// [`Error::InvalidArgument`] for `k` 0, negative weights, or no weight above 0; [`Error::Infeasible`] if no assignment keeps the sizes;
/// [`Error::Shape`] if `centers` has not exactly `k * cols` values, or there is not one bound for each cluster;
/// [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::NonFinite`], [`Error::SizeOverflow`] (also for more than
/// [`MAX_BALANCED`] clusters). The outputs are untouched then.
///
/// ```
/// use hybridq::kmeans::{Points, Sizes, assign_balanced, assign_balanced_workspace_size};
/// // Three of the four points are nearer to the first centre.
/// let points = Points::new(4, 1, &[0.0, 1.0, 2.0, 9.0])?;
/// let mut scratch = vec![0; assign_balanced_workspace_size(4, 1, 2)?];
/// let mut labels = [0; 4];
/// assign_balanced(&points, 2, &[0.0, 8.0], &Sizes::BALANCED, &mut labels, None, &mut scratch)?;
/// assert_eq!(labels, [0, 0, 1, 1]);
/// assign_balanced(&points, 2, &[0.0, 8.0], &Sizes::between(0, 3), &mut labels, None, &mut scratch)?;
/// assert_eq!(labels, [0, 0, 0, 1]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn assign_balanced(
    points: &Points<'_>,
    k: usize,
    centers: &[f32],
    sizes: &Sizes<'_>,
    labels: &mut [u32],
    distances: Option<&mut [f32]>,
    scratch: &mut [u8],
) -> Result<(), Error> {
    let (rows, cols) = (points.rows(), points.cols());
    let needed = assign_balanced_workspace_size(rows, cols, k)?;
    check_centers(k, cols, centers)?;
    sizes.check(rows, k)?;
    let labels = labels.get_mut(..rows).ok_or(Error::OutputTooSmall)?;
    let distances = match distances {
        Some(distances) => distances.get_mut(..rows).ok_or(Error::OutputTooSmall)?,
        None => &mut [],
    };
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    if rows == 0 {
        return Ok(());
    }
    let mut carver = Carver::new(scratch);
    let limits = carver.take(limits_len(cols)?)?;
    limits_clear(limits);
    limits_add(points, limits)?;
    let scale = Frame::new(rows, limits)?.scale();
    let mut room = Room::carve(&mut carver, rows, k)?;
    room.solve(&Problem { points, k, centers, scale: &scale, sizes }, None);
    super::fit::copy(room.labels, labels);
    if !distances.is_empty() {
        floats::run(simd::active(), OwnDistances { points, centers, labels, distances });
    }
    Ok(())
}
