//! The pass before the step: norm and largest magnitude of the gradient, whether all numbers are finite.

use crate::math::{Compensated, guard_scale, tree_sum};
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::{Error, simd};

use super::options::Group;
use super::source::Source;
use super::store::BLOCK;

/// What one pass over an array finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Survey {
    /// Of all values, each times `guard`.
    squares: f32,
    guard: f32,
    pub(super) largest: f32,
}

impl Survey {
    /// The Euclidean norm; infinity beyond the f32 range.
    pub(super) fn norm(&self) -> f32 {
        crate::math::sqrt(self.squares) / self.guard
    }
}

/// Looks at all of `x`. Values of 1e-30 and of 1e30 have the right norm.
///
/// # Errors
/// [`Error::NonFinite`].
///
/// A packed gradient is read through `spare`, a block long, to what its f32 numbers would give.
pub(super) fn survey(x: Source<'_>, groups: &[Group], spare: &mut [f32]) -> Result<Survey, Error> {
    let plain = look(x, groups, spare, 1.0)?;
    const SMALL: f32 = f32::from_bits((127 - 80) << 23);
    if plain.largest == 0.0 || (SMALL..=f32::MAX).contains(&plain.squares) {
        return Ok(plain);
    }
    // Squares have overflowed, or lost bits: rare, and worth another pass.
    look(x, groups, spare, guard_scale(plain.largest))
}

/// The largest magnitude alone.
///
/// # Errors
/// [`Error::NonFinite`].
pub(super) fn largest(x: &[f32]) -> Result<f32, Error> {
    look(Source::Floats(x), &[], &mut [], 1.0).map(|found| found.largest)
}

fn look(x: Source<'_>, groups: &[Group], spare: &mut [f32], guard: f32) -> Result<Survey, Error> {
    let found = floats::run(simd::active(), Look { x, groups, spare, guard });
    found.ok_or(Error::NonFinite)
}

struct Look<'a> {
    x: Source<'a>,
    groups: &'a [Group],
    spare: &'a mut [f32],
    guard: f32,
}

/// What has been seen: sums of the last block, and of all before it.
struct Seen<F: Floats> {
    sums: F::V,
    largest: F::V,
    odd: F::V,
    total: Compensated,
}

impl<F: Floats> Seen<F> {
    #[inline(always)]
    fn group(&mut self, f: F, guard: F::V, group: &[f32; 16]) {
        let v = f.load(group);
        let scaled = f.mul(v, guard);
        self.sums = f.add(self.sums, f.mul(scaled, scaled));
        self.largest = f.max(self.largest, f.abs(v));
        // Of an infinity or a NaN this is NaN.
        self.odd = f.add(self.odd, f.mul(v, f.splat(0.0)));
    }

    #[inline(always)]
    fn end_of_block(&mut self, f: F) {
        self.total.add(tree_sum(f.store(self.sums)));
        self.sums = f.splat(0.0);
    }
}

impl FloatKernel for Look<'_> {
    type Output = Option<Survey>;

    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Option<Survey> {
        let guard = f.splat(self.guard);
        let zero = f.splat(0.0);
        let mut seen = Seen { sums: zero, largest: zero, odd: zero, total: Compensated::default() };
        match self.x {
            Source::Floats(x) => {
                for block in x.chunks(BLOCK) {
                    let (groups, rest) = block.as_chunks::<16>();
                    let mut last = [0.0; 16];
                    for (to, &v) in last.iter_mut().zip(rest) {
                        *to = v;
                    }
                    for group in groups.iter().chain(core::iter::once(&last)) {
                        seen.group(f, guard, group);
                    }
                    seen.end_of_block(f);
                }
            }
            Source::Packed(_) => {
                // The blocks of the sums go on from group to group, those of the trits do not.
                let (mut rest, mut own) = (self.x, [0.0; 16]);
                let (mut filled, mut summed) = (0, 0);
                for group in self.groups {
                    let len = group.len().ok()?;
                    let (x, later) = rest.split(len).ok()?;
                    rest = later;
                    let mut at = 0;
                    while at < len {
                        let n = (len - at).min(BLOCK);
                        let values = x.block(at, n, &mut *self.spare).get(..n).unwrap_or_default();
                        for &v in values {
                            if let Some(to) = own.get_mut(filled) {
                                *to = v;
                            }
                            filled += 1;
                            if filled == own.len() {
                                seen.group(f, guard, &own);
                                (own, filled, summed) = ([0.0; 16], 0, summed + 16);
                            }
                            if summed == BLOCK {
                                seen.end_of_block(f);
                                summed = 0;
                            }
                        }
                        at += n;
                    }
                }
                seen.group(f, guard, &own);
                seen.end_of_block(f);
            }
        }
        let finite = tree_sum(f.store(seen.odd)) == 0.0;
        let largest = f.store(seen.largest).into_iter().fold(0.0, |a: f32, b| if b > a { b } else { a });
        finite.then(|| Survey { squares: seen.total.value(), guard: self.guard, largest })
    }
}
