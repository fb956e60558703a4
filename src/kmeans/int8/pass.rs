//! One pass over rows: the nearest centre of each, and what is added up for it.

use bytemuck::Pod;

use crate::simd::{self, Tier};
use crate::workspace::{split_rows, split_rows_mut};

use super::packed::{Packed, TILE};
use super::search::{Scalar, Search};

/// The label of a row that has none yet.
pub(super) const NONE: u16 = u16::MAX;

/// Sums of codes and counts of rows, wide enough for the rows that come.
pub(super) trait Sum: Pod {
    fn plus(self, code: i8) -> Self;
    fn minus(self, code: i8) -> Self;
    fn wide(self) -> i64;
}

impl Sum for i32 {
    #[inline(always)]
    fn plus(self, code: i8) -> i32 {
        self.wrapping_add(code as i32)
    }
    #[inline(always)]
    fn minus(self, code: i8) -> i32 {
        self.wrapping_sub(code as i32)
    }
    #[inline(always)]
    fn wide(self) -> i64 {
        self as i64
    }
}

impl Sum for i64 {
    #[inline(always)]
    fn plus(self, code: i8) -> i64 {
        self.wrapping_add(code as i64)
    }
    #[inline(always)]
    fn minus(self, code: i8) -> i64 {
        self.wrapping_sub(code as i64)
    }
    #[inline(always)]
    fn wide(self) -> i64 {
        self
    }
}

/// Sums and counts of clusters. Both may be empty: then nothing is added up.
pub(super) struct Clusters<'a, T> {
    pub(super) features: usize,
    pub(super) sums: &'a mut [T],
    pub(super) counts: &'a mut [T],
}

impl<T: Sum> Clusters<'_, T> {
    pub(super) fn clear(&mut self) {
        self.sums.fill(T::zeroed());
        self.counts.fill(T::zeroed());
    }

    #[inline(always)]
    fn change(&mut self, label: u16, row: &[i8], step: impl Fn(T, i8) -> T) {
        let (from, cluster) = (label as usize * self.features, label as usize);
        let Some(count) = self.counts.get_mut(cluster) else { return };
        *count = step(*count, 1);
        let sums = self.sums.get_mut(from..).unwrap_or_default();
        for (sum, &code) in sums.iter_mut().zip(row) {
            *sum = step(*sum, code);
        }
    }

    #[inline(always)]
    pub(super) fn add(&mut self, label: u16, row: &[i8]) {
        self.change(
            label,
            row,
            #[inline(always)]
            |sum, code| sum.plus(code),
        );
    }

    #[inline(always)]
    pub(super) fn take(&mut self, label: u16, row: &[i8]) {
        self.change(
            label,
            row,
            #[inline(always)]
            |sum, code| sum.minus(code),
        );
    }
}

/// What a pass leaves behind.
pub(super) struct Gather<'g, 'a, T> {
    /// The label of each row; written if it is there.
    pub(super) labels: Option<&'g mut [u16]>,
    pub(super) clusters: &'g mut Clusters<'a, T>,
    /// Whether the rows are in `clusters` already, where the labels say: then only those that move change it.
    pub(super) moves: bool,
}

/// Assigns rows to the nearest of the centres in `packed`. Returns the sum of `32 (x.C - whole) + rest`, which is
/// `256 |x|^2` less the squared distance in sixteenths: see [`HalfNorm`](super::grid::HalfNorm).
pub(super) fn pass<T: Sum>(
    tier: Tier,
    packed: &mut Packed<'_>,
    rows: &[i8],
    gather: Gather<'_, '_, T>,
) -> i64 {
    match tier {
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => {
            if let Some(token) = pulp::x86::V3::try_new() {
                return token.vectorize(simd::Call(
                    #[inline(always)]
                    || body(super::search::Wide(token), packed, rows, gather),
                ));
            }
        }
        #[cfg(target_arch = "x86_64")]
        Tier::Sse42 => {
            if let Some(token) = pulp::x86::V2::try_new() {
                return token.vectorize(simd::Call(
                    #[inline(always)]
                    || body(super::search::Wide(token), packed, rows, gather),
                ));
            }
        }
        #[cfg(target_arch = "aarch64")]
        Tier::Neon => {
            if let Some(token) = pulp::aarch64::Neon::try_new() {
                return token.vectorize(simd::Call(
                    #[inline(always)]
                    || body(super::search::Wide(token), packed, rows, gather),
                ));
            }
        }
        _ => {}
    }
    body(Scalar, packed, rows, gather)
}

#[inline(always)]
fn body<S: Search, T: Sum>(
    search: S,
    packed: &mut Packed<'_>,
    rows: &[i8],
    gather: Gather<'_, '_, T>,
) -> i64 {
    let Gather { labels, clusters, moves } = gather;
    let (features, words) = (packed.features, packed.words());
    let mut labels = labels.unwrap_or_default().iter_mut();
    let mut total = 0i64;
    for four in rows.chunks((TILE * features).max(1)) {
        let mut wanted = 0;
        for (row, wide) in split_rows(four, features).zip(split_rows_mut(packed.tile, words)) {
            let wide: &mut [i16] = bytemuck::must_cast_slice_mut(wide);
            for (wide, &code) in wide.iter_mut().zip(row) {
                *wide = code as i16;
            }
            wanted += 1;
        }
        let found = search.nearest(packed, wanted);
        for (row, (key, at)) in split_rows(four, features).zip(found) {
            let slot = packed.slot(at);
            total += 32 * key as i64 + slot.rest as i64;
            let before = match labels.next() {
                Some(label) => core::mem::replace(label, slot.center),
                None => NONE,
            };
            if moves {
                if before == slot.center {
                    continue;
                }
                clusters.take(before, row);
            }
            clusters.add(slot.center, row);
        }
    }
    total
}

/// The sum of the squares of codes.
pub(super) fn energy(tier: Tier, codes: &[i8]) -> i64 {
    simd::vectorize(
        tier,
        #[inline(always)]
        || {
            let mut total = 0i64;
            // 4096 squares of at most 2^14 fit an i32.
            for piece in codes.chunks(4096) {
                let mut sum = 0i32;
                for &code in piece {
                    sum += code as i32 * code as i32;
                }
                total += sum as i64;
            }
            total
        },
    )
}
