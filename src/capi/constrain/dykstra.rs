//! Intersections of sets.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, Span, disjoint, size, status};
use crate::constrain::{DykstraOptions, Set, Sets, dykstra_of, workspace_size_of};

use super::set::{Checked, NO_PARTS, hq_set};

/// When `hq_sets_dykstra` stops. NULL instead: 1000 cycles, 1e-6.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_dykstra_options {
    /// The most cycles (one projection onto each set); at least 1.
    pub max_cycles: u32,
    /// A cycle that moves the point by no more than this share of its norm is the last; finite, at least 0.
    pub tolerance: f32,
}

const _: () = assert!(size_of::<hq_dykstra_options>() == 8);

/// How `hq_sets_dykstra` ended, and what its result is worth.
///
/// For every point z of the intersection, with x0 the input and x the result: (x0 - x) . (z - x) <= gap + residual |z - x|,
/// up to rounding. The projection is the only point of the intersection where the left side is never positive. If x is in the
/// intersection, |x - projection| <= residual + sqrt(gap). docs/constrain.md says what that does not certify.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_dykstra {
    /// 1 if the last cycle moved the point by no more than the tolerance. If 0, the result is only the last iterate: the
    /// intersection is empty, or not reached within the cycles.
    pub converged: i32,
    /// Cycles done.
    pub cycles: u32,
    /// By how much the last cycle moved the point: the sum over the projections.
    pub change: f32,
    /// The point is at most this far from every set.
    pub distance: f32,
    /// Constant part of the bound on the variational inequality.
    pub gap: f32,
    /// The part of it that grows with the distance.
    pub residual: f32,
}

const _: () = assert!(size_of::<hq_dykstra>() == 24);

/// A list whose pointer has been checked; its sets are checked as they are needed.
struct List<'a>(&'a [hq_set]);

impl<'a> List<'a> {
    /// # Safety
    /// The list, the arrays and the parts of its sets are readable, and nobody writes them during `'a`.
    unsafe fn new(sets: *const hq_set, count: usize) -> Result<List<'a>, Error> {
        let bytes = count.checked_mul(size_of::<hq_set>()).filter(|&bytes| bytes <= isize::MAX as usize);
        match (count, bytes) {
            (0, _) => Ok(List(&[])),
            _ if sets.is_null() => Err(Error::NullPointer),
            _ if !sets.is_aligned() => Err(Error::Misaligned),
            (_, None) => Err(Error::SizeOverflow),
            // SAFETY: neither NULL nor misaligned, and within the address space; the caller vouches for the memory.
            (_, Some(_)) => Ok(List(unsafe { core::slice::from_raw_parts(sets, count) })),
        }
    }
}

impl Sets for List<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn with<R>(&self, i: usize, work: impl FnOnce(&Set<'_>) -> Result<R, Error>) -> Result<R, Error> {
        let mut room = NO_PARTS;
        let set = self.0.get(i).ok_or(Error::Shape)?;
        // SAFETY: who made the list vouches for its sets.
        work(&unsafe { Checked::new(set)?.set(&mut room)? })
    }
}

/// Bytes of scratch that `hq_sets_dykstra` needs: an increment a set, two more vectors of `len` floats, and what the sets
/// need themselves. `SIZE_MAX` for sets that it would refuse, and on overflow.
///
/// # Safety
/// `sets` is valid for `count` sets, and so are their arrays.
///
/// ```c
/// hq_set both[2] = {{0}, {0}};
/// both[0].kind = HQ_SET_L1_BALL;
/// both[1].kind = HQ_SET_L2_BALL;
/// both[0].radius = both[1].radius = 1.0f;
/// assert(hq_sets_dykstra_workspace_size(both, 2, 100) >= 4 * 100 * sizeof(float));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_sets_dykstra_workspace_size(
    sets: *const hq_set,
    count: usize,
    len: usize,
) -> usize {
    size(|| {
        // SAFETY: the caller vouches for the memory; nothing is written.
        workspace_size_of(&unsafe { List::new(sets, count) }?, len)
    })
}

/// Projects a vector onto the intersection of convex sets, in place, by Dykstra's algorithm. Projecting onto the sets in turn
/// does not do that: it ends at *some* point of the intersection.
///
/// - `sets`: `count` sets; the order matters for speed only.
/// - `x`: `len` finite values, replaced by the result. A vector in all sets keeps its bits.
/// - `options`: NULL for the defaults.
/// - `report`: read it. **An empty intersection is no error**: it shows as `converged` 0, and `x` is then the last iterate.
/// - `scratch`: at least `hq_sets_dykstra_workspace_size(sets, count, len)` bytes at any alignment.
///
/// Same bits on every tier and target. Buffers must not overlap, nor the sets and their arrays. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNSUPPORTED` if a set is not convex, `HQ_ERROR_INVALID_ARGUMENT` for options out of range, and those of
/// `hq_set_project`. `x` and `report` are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` and `report` point to one of theirs.
///
/// ```c
/// float x[2] = {2.0f, 1.0f};
/// hq_set both[2] = {{0}, {0}};
/// uint8_t scratch[64];
/// hq_dykstra report;
/// both[0].kind = HQ_SET_L1_BALL;
/// both[1].kind = HQ_SET_L2_BALL;
/// both[0].radius = both[1].radius = 1.0f;
/// assert(hq_sets_dykstra_workspace_size(both, 2, 2) <= sizeof scratch);
/// assert(hq_sets_dykstra(both, 2, x, 2, NULL, &report, scratch, sizeof scratch) == HQ_OK);
/// assert(report.converged == 1 && x[0] == 1.0f && x[1] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_sets_dykstra(
    sets: *const hq_set,
    count: usize,
    x: *mut f32,
    len: usize,
    options: *const hq_dykstra_options,
    report: *mut hq_dykstra,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let sets = unsafe { List::new(sets, count) }?;
        let options = Input::optional(options)?;
        let (x, report) = (Output::new(x, len)?, Output::new(report, 1)?);
        let scratch = Output::bytes(scratch, scratch_size)?;
        let outputs = [x.span(), report.span(), scratch.span()];
        disjoint(&outputs, &[Span::of(sets.0), options.span()])?;
        for set in sets.0 {
            // SAFETY: the caller vouches for the memory.
            unsafe { Checked::new(set)?.apart(&outputs, &[]) }?;
        }
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (options, x, scratch) = unsafe { (options.slice(), x.slice(), scratch.slice()) };
        let options = options.first().map_or(DykstraOptions::default(), |given| DykstraOptions {
            max_cycles: given.max_cycles,
            tolerance: given.tolerance,
        });
        let found = dykstra_of(&sets, &options, x, scratch)?;
        // SAFETY: as above.
        unsafe {
            report.write(hq_dykstra {
                converged: i32::from(found.converged),
                cycles: found.cycles,
                change: found.change,
                distance: found.distance,
                gap: found.gap,
                residual: found.residual,
            });
        }
        Ok(())
    })
}
