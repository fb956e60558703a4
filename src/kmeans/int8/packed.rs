//! Centres as the search takes them: eight by eight, two features of each in a word.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::workspace::{Carver, Layout, split_rows};

use super::grid::HalfNorm;

/// Rows that are searched for at a time.
pub(super) const TILE: usize = 4;

/// Which centre stands at a place, and the `rest` of its norm.
#[derive(Clone, Copy, Default, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Slot {
    pub(super) center: u16,
    pub(super) rest: u16,
}

/// The centres, in the order in which the search shall prefer them when `x.C - whole` is equal: those with the greater
/// `rest` first, and of those with the same the lower number. The first of the greatest is then the nearest.
pub(super) struct Packed<'a> {
    pub(super) features: usize,
    /// Eight centres after the other, all pairs of features of each eight.
    pub(super) pairs: &'a mut [[u32; 8]],
    /// Where sums begin: `-whole`; `i32::MIN` where no centre is left.
    pub(super) bias: &'a mut [[i32; 8]],
    pub(super) slots: &'a mut [Slot],
    /// The rows of a tile as pairs.
    pub(super) tile: &'a mut [u32],
}

/// Two 16-bit numbers in a word, in the order of memory.
#[inline(always)]
fn pair(numbers: [i16; 2]) -> u32 {
    bytemuck::must_cast(numbers)
}

impl<'a> Packed<'a> {
    pub(super) fn layout(features: usize, k: usize) -> Result<Layout, Error> {
        let (pairs, eights) = (features.div_ceil(2), k.div_ceil(8));
        Layout::EMPTY
            .array::<[u32; 8]>(pairs.checked_mul(eights).ok_or(Error::SizeOverflow)?)?
            .array::<[i32; 8]>(eights)?
            .array::<Slot>(8 * eights)?
            .array::<u32>(TILE * pairs)
    }

    pub(super) fn carve(carver: &mut Carver<'a>, features: usize, k: usize) -> Result<Packed<'a>, Error> {
        let (pairs, eights) = (features.div_ceil(2), k.div_ceil(8));
        Ok(Packed {
            features,
            pairs: carver.take(pairs * eights)?,
            bias: carver.take(eights)?,
            slots: carver.take(8 * eights)?,
            tile: carver.take(TILE * pairs)?,
        })
    }

    pub(super) fn words(&self) -> usize {
        self.features.div_ceil(2)
    }

    /// Takes in other centres.
    pub(super) fn fill(&mut self, centers: &[i16]) {
        let mut places = [0usize; 32];
        for center in split_rows(centers, self.features) {
            if let Some(count) = places.get_mut(HalfNorm::of(center).rest as usize) {
                *count += 1;
            }
        }
        let mut first = 0;
        for place in places.iter_mut().rev() {
            first += core::mem::replace(place, first);
        }
        self.pairs.fill([0; 8]);
        self.bias.fill([i32::MIN; 8]);
        self.slots.fill(Slot::default());
        self.tile.fill(0);
        for (number, center) in split_rows(centers, self.features).enumerate() {
            let norm = HalfNorm::of(center);
            let Some(place) = places.get_mut(norm.rest as usize) else { continue };
            let at = *place;
            *place += 1;
            self.put(at, number, &norm, center);
        }
    }

    fn put(&mut self, at: usize, number: usize, norm: &HalfNorm, center: &[i16]) {
        if let (Some(bias), Some(slot)) = (self.bias.as_flattened_mut().get_mut(at), self.slots.get_mut(at)) {
            *bias = -norm.whole;
            *slot = Slot { center: number as u16, rest: norm.rest };
        }
        let from = at / 8 * self.words();
        let rows = self.pairs.get_mut(from..).unwrap_or_default();
        let (twos, last) = center.as_chunks::<2>();
        let values = twos.iter().copied().chain(last.iter().map(|&c| [c, 0]));
        for (row, value) in rows.iter_mut().zip(values) {
            if let Some(word) = row.get_mut(at % 8) {
                *word = pair(value);
            }
        }
    }

    /// The slot of a place that a search has found.
    #[inline(always)]
    pub(super) fn slot(&self, at: u32) -> Slot {
        self.slots.get(at as usize).copied().unwrap_or_default()
    }
}
