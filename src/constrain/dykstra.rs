//! Intersections: Dykstra's algorithm.

use crate::Error;
use crate::simd::floats::Values;
use crate::workspace::{Carver, Layout, split_rows_mut};

use super::distance::distance;
use super::place::{Limit, Map, Place};
use super::sums::{self, Terms, finite};
use super::{Project, Set};

/// When [`dykstra`] stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DykstraOptions {
    /// The most cycles (one projection onto each set); at least 1.
    pub max_cycles: u32,
    /// A cycle that moves the point by no more than this share of its norm, summed over the projections, is the last:
    /// finite, at least 0. Below 2^-22 rounding may keep it from being reached.
    pub tolerance: f32,
}

impl Default for DykstraOptions {
    /// 1000 cycles, 1e-6.
    fn default() -> DykstraOptions {
        DykstraOptions { max_cycles: 1000, tolerance: 1e-6 }
    }
}

/// How [`dykstra`] ended, and what its result is worth. Every number is an upper bound up to the rounding of sums
/// (relative 2^-15) or, where said, measured.
///
/// With `x0` the input, `x` the result and `C` the intersection:
///
/// - **How far outside**: the distance of `x` from each set is at most `distance`, measured as `|x - P(x + p)|` with the last
///   increment `p` of the set: that point is in the set.
/// - **How near the projection**: for every `z` in `C`, `<x0 - x, z - x> <= gap + residual |z - x|`. The projection is the only
///   point of `C` where the left side is never positive (the variational inequality), so `gap = residual = 0` and
///   `distance = 0` mean that `x` is it. If `x` is in `C`, `|x - projection| <= residual + sqrt(gap)`. If it is only within
///   `distance` of each set, the inequality still holds, but how near `x` is to `C` itself depends on the angles at which
///   the sets meet, which nothing measured here can tell.
///
/// No dual problem is solved: each `p` is normal to its set at `P(x + p)` by the definition of a projection, and the sum of
/// all is `x0 - x` up to a difference that counts towards `residual`.
///
/// **An empty intersection** shows as `converged == false` with a `distance` that does not fall with more cycles: the
/// point goes round between the sets. That alone is no proof of emptiness: sets that barely touch look like it for long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dykstra {
    /// Whether the last cycle moved the point by no more than the tolerance. If not, the result is the last iterate: near
    /// all sets by `distance`, not the projection.
    pub converged: bool,
    /// Cycles done.
    pub cycles: u32,
    /// By how much the last cycle moved the point: the sum over the projections.
    pub change: f32,
    /// The point is at most this far, in the Euclidean norm, from every set.
    pub distance: f32,
    /// Constant part of the bound on the variational inequality.
    pub gap: f32,
    /// The part of it that grows with the distance.
    pub residual: f32,
}

/// Scratch of [`dykstra`] in bytes: an increment a set and two more vectors of `len` floats, and the largest scratch of a set.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn dykstra_workspace_size(sets: &[Set<'_>], len: usize) -> Result<usize, Error> {
    workspace_size_of(sets, len)
}

/// Sets that are made as they are needed: a list from C is not a slice of [`Set`].
pub(crate) trait Sets {
    fn count(&self) -> usize;

    /// What `work` makes of a set.
    ///
    /// # Errors
    /// Those of `work`, and where there is no such set.
    fn with<R>(&self, i: usize, work: impl FnOnce(&Set<'_>) -> Result<R, Error>) -> Result<R, Error>;
}

impl Sets for [Set<'_>] {
    fn count(&self) -> usize {
        self.len()
    }

    fn with<R>(&self, i: usize, work: impl FnOnce(&Set<'_>) -> Result<R, Error>) -> Result<R, Error> {
        work(self.get(i).ok_or(Error::Shape)?)
    }
}

/// [`dykstra_workspace_size`] of any list.
///
/// # Errors
/// As there, and those of the list.
pub(crate) fn workspace_size_of(sets: &(impl Sets + ?Sized), len: usize) -> Result<usize, Error> {
    let mut most = 0;
    for i in 0..sets.count() {
        most = most.max(sets.with(i, |set| set.workspace_size(len))?);
    }
    layout(sets.count(), len)?.size().checked_add(most).ok_or(Error::SizeOverflow)
}

fn layout(sets: usize, len: usize) -> Result<Layout, Error> {
    let increments = sets.checked_mul(len).ok_or(Error::SizeOverflow)?;
    Layout::EMPTY.array::<f32>(increments)?.array::<f32>(len)?.array::<f32>(len)
}

/// Projects `x` onto the intersection of convex sets, in place (Boyle and Dykstra 1986): projections onto the sets in
/// turn, each of the point plus what the set's last projection took away. Without that correction the point would come to
/// *some* point of the intersection, not the nearest one.
///
/// It stops by the criterion of Birgin and Raydan (2005), the changes of the increments within a cycle: the point itself
/// may stand still for many cycles, long before the end. A vector that is in all sets comes back bit for bit, after one
/// cycle. The order of the sets matters for speed only: put the cheapest last, whose constraint then holds best.
///
/// Read the report: an intersection that is empty, or not reached, is no error, and `x` is then only the last iterate.
///
/// # Errors
/// [`Error::Unsupported`] if a set is not convex, [`Error::InvalidArgument`] for options out of range,
/// [`Error::WorkspaceTooSmall`], and those of the sets; `x` is untouched then.
///
/// ```
/// use hybridq::constrain::{DykstraOptions, L2Ball, Set, dykstra, dykstra_workspace_size};
/// // Two disks that overlap: the nearest point of both is a corner.
/// let sets = [
///     Set::L2Ball(L2Ball { center: None, radius: 1.0 }),
///     Set::L2Ball(L2Ball { center: Some(&[1.0, 0.0]), radius: 1.0 }),
/// ];
/// let mut x = [0.5, 3.0];
/// let mut scratch = vec![0; dykstra_workspace_size(&sets, 2)?];
/// let report = dykstra(&sets, &DykstraOptions::default(), &mut x, &mut scratch)?;
/// assert!(report.converged && report.distance < 1e-4 && report.gap < 1e-4);
/// assert!((x[0] - 0.5).abs() < 1e-4 && (x[1] - 0.8660254).abs() < 1e-4);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn dykstra(
    sets: &[Set<'_>],
    options: &DykstraOptions,
    x: &mut [f32],
    scratch: &mut [u8],
) -> Result<Dykstra, Error> {
    dykstra_of(sets, options, x, scratch)
}

/// [`dykstra`] of any list.
///
/// # Errors
/// As there, and those of the list.
pub(crate) fn dykstra_of(
    sets: &(impl Sets + ?Sized),
    options: &DykstraOptions,
    x: &mut [f32],
    scratch: &mut [u8],
) -> Result<Dykstra, Error> {
    if options.max_cycles == 0 || !(options.tolerance >= 0.0 && options.tolerance.is_finite()) {
        return Err(Error::InvalidArgument);
    }
    let count = sets.count();
    for i in 0..count {
        if !sets.with(i, |set| Ok(set.is_convex()))? {
            return Err(Error::Unsupported);
        }
    }
    let len = x.len();
    let (own, rest) =
        scratch.split_at_mut_checked(layout(count, len)?.size()).ok_or(Error::WorkspaceTooSmall)?;
    let mut carver = Carver::new(own);
    let mut state = State {
        sets,
        increments: carver.take::<f32>(count * len)?,
        point: carver.take::<f32>(len)?,
        next: carver.take::<f32>(len)?,
        scratch: rest,
    };
    finite(x)?;
    // Minus zero, so that a zero keeps its sign.
    state.increments.fill(-0.0);
    put(x, state.point);

    let mut report =
        Dykstra { converged: false, cycles: 0, change: 0.0, distance: 0.0, gap: 0.0, residual: 0.0 };
    while !report.converged && report.cycles < options.max_cycles {
        report.change = state.cycle()?;
        report.cycles += 1;
        report.converged = report.change <= options.tolerance * norm(state.point)?.max(norm(x)?);
    }
    state.certify(x, &mut report)?;
    put(state.point, x);
    Ok(report)
}

fn norm(x: &[f32]) -> Result<f32, Error> {
    Ok(distance(x, None)?.value())
}

/// Copies. As `copy_from_slice`, which for lengths that the compiler cannot see to be equal leaves a panic path.
fn put(from: &[f32], to: &mut [f32]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

struct State<'a, S: ?Sized> {
    sets: &'a S,
    /// One a set: what its last projection took away.
    increments: &'a mut [f32],
    point: &'a mut [f32],
    next: &'a mut [f32],
    scratch: &'a mut [u8],
}

impl<S: Sets + ?Sized> State<'_, S> {
    /// One projection onto each set. Returns by how much the point moved on the way.
    fn cycle(&mut self) -> Result<f32, Error> {
        let mut change = 0.0f32;
        for (i, p) in split_rows_mut(self.increments, self.point.len()).enumerate() {
            Place::Inside(p).map(Sum, Limit::Each(self.point), Limit::ZERO);
            self.sets.with(i, |set| set.project(p, self.next, self.scratch))?;
            // The increment changes by what the point moves.
            change += distance(self.point, Some(self.next))?.value();
            Place::Inside(p).map(Minus, Limit::Each(self.next), Limit::ZERO);
            core::mem::swap(&mut self.point, &mut self.next);
        }
        Ok(change.min(f32::MAX))
    }

    /// Measures what the report says, with the point `x` and increments `p` as they are: `w = P(x + p)` is in the set, and
    /// `x + p - w` is normal to it there, so `<x + p - w, z - w> <= 0` for every `z` in the set. The sum over all sets, with
    /// `sum p = x0 - x + drift`, is the bound: `gap` the sum of `<x + p - w, w - x>`, `residual` the sum of `|w - x|` and the
    /// drift. The increments are lost.
    fn certify(&mut self, start: &[f32], report: &mut Dykstra) -> Result<(), Error> {
        // The drift, in `next`: x0 - x - sum p.
        let len = self.point.len();
        put(start, self.next);
        Place::Inside(self.next).map(Minus, Limit::Each(self.point), Limit::ZERO);
        for p in split_rows_mut(self.increments, len) {
            Place::Inside(self.next).map(Minus, Limit::Each(p), Limit::ZERO);
        }
        report.residual = norm(self.next)?;
        let mut gap = 0.0;
        for (i, p) in split_rows_mut(self.increments, len).enumerate() {
            Place::Inside(p).map(Sum, Limit::Each(self.point), Limit::ZERO);
            self.sets.with(i, |set| set.project(p, self.next, self.scratch))?;
            let moved = distance(self.next, Some(self.point))?.value();
            report.distance = report.distance.max(moved);
            report.residual += moved;
            Place::Inside(p).map(Minus, Limit::Each(self.next), Limit::ZERO);
            let [part] = sums::sums::<1, 2, _>(Along, p, Limit::Each(self.next), Limit::Each(self.point));
            gap += part;
        }
        // A product that overflows bounds nothing.
        report.gap = if gap.is_nan() { f32::MAX } else { gap.clamp(0.0, f32::MAX) };
        report.residual = report.residual.min(f32::MAX);
        Ok(())
    }
}

/// `x + p`.
#[derive(Clone, Copy)]
struct Sum;

impl Map for Sum {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        f.add(x, p)
    }
}

/// `x - p`.
#[derive(Clone, Copy)]
struct Minus;

impl Map for Minus {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        f.sub(x, p)
    }
}

/// `x (p - q)`.
#[derive(Clone, Copy)]
struct Along;

impl Terms<1> for Along {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> [F::V; 1] {
        [f.mul(x, f.sub(p, q))]
    }
}
