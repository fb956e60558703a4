//! The pass before the step: norm and largest magnitude of the gradient, whether all numbers are finite.

use crate::math::{Compensated, guard_scale, tree_sum};
use crate::simd::floats::{self, FloatKernel, Floats, Values};
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

/// What has been seen of a block and of all before it: squares, largest magnitude, and a number that is NaN once a value was NaN
/// or infinite. By value, so that it stays in registers.
type Seen<F> = [<F as Values>::V; 3];

#[inline(always)]
fn see<F: Floats>(f: F, guard: F::V, [sums, largest, odd]: Seen<F>, group: &[f32; 16]) -> Seen<F> {
    let v = f.load(group);
    let scaled = f.mul(v, guard);
    [
        f.add(sums, f.mul(scaled, scaled)),
        f.max(largest, f.abs(v)),
        // Of an infinity or a NaN this is NaN.
        f.add(odd, f.mul(v, f.splat(0.0))),
    ]
}

impl FloatKernel for Look<'_> {
    type Output = Option<Survey>;

    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Option<Survey> {
        let guard = f.splat(self.guard);
        let zero = f.splat(0.0);
        let mut seen: Seen<F> = [zero; 3];
        let mut total = Compensated::default();
        match self.x {
            Source::Floats(x) => {
                for block in x.chunks(BLOCK) {
                    let (groups, rest) = block.as_chunks::<16>();
                    for group in groups {
                        seen = see(f, guard, seen, group);
                    }
                    if !rest.is_empty() {
                        let mut last = [0.0; 16];
                        for (to, &v) in last.iter_mut().zip(rest) {
                            *to = v;
                        }
                        seen = see(f, guard, seen, &last);
                    }
                    let [sums, largest, odd] = seen;
                    total.add(tree_sum(f.store(sums)));
                    seen = [zero, largest, odd];
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
                        let mut values = x.block(at, n, &mut *self.spare).get(..n).unwrap_or_default();
                        at += n;
                        while let Some((&v, one_less)) = values.split_first() {
                            if filled == 0
                                && let Some((group, later)) = values.split_first_chunk::<16>()
                            {
                                seen = see(f, guard, seen, group);
                                values = later;
                            } else {
                                if let Some(to) = own.get_mut(filled) {
                                    *to = v;
                                }
                                filled += 1;
                                values = one_less;
                                if filled < own.len() {
                                    continue;
                                }
                                seen = see(f, guard, seen, &own);
                                (own, filled) = ([0.0; 16], 0);
                            }
                            summed += 16;
                            if summed == BLOCK {
                                let [sums, largest, odd] = seen;
                                total.add(tree_sum(f.store(sums)));
                                (seen, summed) = ([zero, largest, odd], 0);
                            }
                        }
                    }
                }
                seen = see(f, guard, seen, &own);
                let [sums, ..] = seen;
                total.add(tree_sum(f.store(sums)));
            }
        }
        let [_, largest, odd] = seen;
        let finite = tree_sum(f.store(odd)) == 0.0;
        let largest = f.store(largest).into_iter().fold(0.0, |a: f32, b| if b > a { b } else { a });
        finite.then(|| Survey { squares: total.value(), guard: self.guard, largest })
    }

    fn portable(self) -> Option<Survey> {
        let mut seen = Each {
            guard: self.guard,
            sums: [0.0; 16],
            count: 0,
            largest: 0.0,
            odd: 0.0,
            total: Compensated::default(),
        };
        match self.x {
            Source::Floats(x) => seen.see(x),
            Source::Packed(_) => {
                let mut rest = self.x;
                for group in self.groups {
                    let len = group.len().ok()?;
                    let (x, later) = rest.split(len).ok()?;
                    rest = later;
                    for at in (0..len).step_by(BLOCK) {
                        let n = (len - at).min(BLOCK);
                        seen.see(x.block(at, n, &mut *self.spare).get(..n).unwrap_or_default());
                    }
                }
            }
        }
        seen.total.add(tree_sum(seen.sums));
        let Each { guard, largest, total, .. } = seen;
        (seen.odd == 0.0).then(|| Survey { squares: total.value(), guard, largest })
    }
}

/// What has been seen, value by value.
struct Each {
    guard: f32,
    sums: [f32; 16],
    /// Values in the sums.
    count: usize,
    largest: f32,
    odd: f32,
    total: Compensated,
}

impl Each {
    #[inline(never)]
    fn see(&mut self, x: &[f32]) {
        for &v in x {
            if self.count == BLOCK {
                self.total.add(tree_sum(self.sums));
                (self.sums, self.count) = ([0.0; 16], 0);
            }
            let scaled = v * self.guard;
            if let Some(sum) = self.sums.get_mut(self.count % 16) {
                *sum += scaled * scaled;
            }
            self.count += 1;
            self.largest = if v.abs() > self.largest { v.abs() } else { self.largest };
            self.odd += v * 0.0;
        }
    }
}
