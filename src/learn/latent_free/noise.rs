//! The random bits of a step: 16 for each weight, a function of (seed, step, row, column).

use crate::Error;
use crate::math::Random;

use super::Clock;

/// Weights that share eight blocks of the generator: 4 words of each, 2 weights a word.
pub(super) const GROUP: usize = 64;
/// Blocks of a group.
const BLOCKS: u64 = 8;
/// Positions from here on are for the scales.
const SCALES: u64 = 1 << 63;

/// Groups of a row.
fn groups(cols: usize) -> u64 {
    cols.div_ceil(GROUP) as u64
}

/// Refuses rows whose positions would not fit below those of the scales.
pub(super) fn check(first_row: usize, rows: usize, cols: usize) -> Result<(), Error> {
    let last = (first_row as u64).checked_add(rows as u64).ok_or(Error::SizeOverflow)?;
    match last.checked_mul(groups(cols)).and_then(|n| n.checked_mul(BLOCKS)) {
        Some(n) if n < SCALES => Ok(()),
        _ => Err(Error::SizeOverflow),
    }
}

/// The noise of one row.
#[derive(Clone, Copy)]
pub(super) struct Noise {
    clock: Clock,
    /// Its first position.
    start: u64,
}

impl Noise {
    #[inline(always)]
    pub(super) fn of_row(clock: Clock, row: u64, cols: usize) -> Noise {
        Noise { clock, start: row.wrapping_mul(groups(cols)).wrapping_mul(BLOCKS) }
    }

    /// 16 bits for each weight of `groups.len()` (1 or 4) groups from number `first` on. Weight `16 k + 2 l + h` of a group
    /// has half `h` (the lower one first) of word `k` of block `l`: neighbours in memory come from neighbouring blocks.
    #[inline(always)]
    pub(super) fn groups<const N: usize>(self, first: usize, groups: &mut [[u16; GROUP]]) {
        let position = self.start.wrapping_add(first as u64 * BLOCKS);
        let words = Random::blocks::<N>(self.clock.seed, self.clock.step, position);
        for (number, group) in groups.iter_mut().take(N / BLOCKS as usize).enumerate() {
            for (quarter, words) in group.as_chunks_mut::<16>().0.iter_mut().zip(&words) {
                let words = words.as_chunks::<8>().0.get(number).copied().unwrap_or_default();
                for (pair, word) in quarter.as_chunks_mut::<2>().0.iter_mut().zip(words) {
                    *pair = [word as u16, (word >> 16) as u16];
                }
            }
        }
    }

    /// 32 bits for a scale of the row.
    #[inline(always)]
    pub(super) fn scale(self, number: usize) -> u32 {
        // A row has at least as many positions as scales.
        let position = SCALES | self.start.wrapping_add(number as u64);
        let [word, ..] = Random::block(self.clock.seed, self.clock.step, position);
        word
    }
}
