//! The forms in which inertia is held: a byte each, or two a byte.
//!
//! Two a byte: the values of a row are taken 64 at a time (fewer at its end). Of `n` of them byte `j` holds value `j` in its
//! low half and value `ceil(n / 2) + j` in its high half, in two's complement; a half byte that is left over is 0.

use crate::Error;

use super::noise::GROUP;

/// A form of the inertia of a row.
pub(super) trait Held {
    type Cell: Copy;
    /// The largest threshold: what is below it fits.
    const MOST: i32;
    /// Cells of `n` values of a row.
    fn cells(n: usize) -> usize;
    /// Reads the values of a group, at most 64; those past its end are left alone.
    fn read(cells: &[Self::Cell], n: usize, values: &mut [i8; GROUP]);
    fn write(values: &[i8; GROUP], n: usize, cells: &mut [Self::Cell]);
}

/// Cells of `rows` x `cols` values.
pub(super) fn len<H: Held>(rows: usize, cols: usize) -> Result<usize, Error> {
    rows.checked_mul(H::cells(cols)).ok_or(Error::SizeOverflow)
}

/// A byte each.
pub(super) struct Bytes;

/// Two a byte.
pub(super) struct Halves;

impl Held for Bytes {
    type Cell = i8;
    const MOST: i32 = 127;

    #[inline(always)]
    fn cells(n: usize) -> usize {
        n
    }

    #[inline(always)]
    fn read(cells: &[i8], _: usize, values: &mut [i8; GROUP]) {
        if let Some(cells) = cells.first_chunk::<GROUP>() {
            *values = *cells;
            return;
        }
        values.iter_mut().zip(cells).for_each(|(to, &from)| *to = from);
    }

    #[inline(always)]
    fn write(values: &[i8; GROUP], _: usize, cells: &mut [i8]) {
        if let Some(cells) = cells.first_chunk_mut::<GROUP>() {
            *cells = *values;
            return;
        }
        cells.iter_mut().zip(values).for_each(|(to, &from)| *to = from);
    }
}

impl Held for Halves {
    type Cell = u8;
    const MOST: i32 = 8;

    #[inline(always)]
    fn cells(n: usize) -> usize {
        n.div_ceil(2)
    }

    #[inline(always)]
    fn read(cells: &[u8], n: usize, values: &mut [i8; GROUP]) {
        let low = |b: u8| ((b & 15) ^ 8) as i8 - 8;
        let high = |b: u8| ((b >> 4) ^ 8) as i8 - 8;
        if let Some(cells) = cells.first_chunk::<{ GROUP / 2 }>() {
            let (lows, highs) = values.split_at_mut(GROUP / 2);
            for ((l, h), &b) in lows.iter_mut().zip(highs).zip(cells) {
                (*l, *h) = (low(b), high(b));
            }
            return;
        }
        let (lows, highs) = values.split_at_mut_checked(n.div_ceil(2)).unwrap_or_default();
        for ((l, h), &b) in lows.iter_mut().zip(highs).zip(cells) {
            (*l, *h) = (low(b), high(b));
        }
    }

    #[inline(always)]
    fn write(values: &[i8; GROUP], n: usize, cells: &mut [u8]) {
        let both = |l: i8, h: i8| l as u8 & 15 | (h as u8) << 4;
        if let Some(cells) = cells.first_chunk_mut::<{ GROUP / 2 }>() {
            let (lows, highs) = values.split_at(GROUP / 2);
            for ((b, &l), &h) in cells.iter_mut().zip(lows).zip(highs) {
                *b = both(l, h);
            }
            return;
        }
        let (lows, highs) = values.split_at_checked(n.div_ceil(2)).unwrap_or_default();
        let highs = highs.iter().take(n / 2).chain(core::iter::repeat(&0));
        for ((b, &l), &h) in cells.iter_mut().zip(lows).zip(highs) {
            *b = both(l, h);
        }
    }
}
