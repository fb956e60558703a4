//! Where the gradient of a step comes from: f32 numbers, or packed trits, which are read block by block.

use crate::Error;

use super::options::{Group, Storage};
use super::store::{BLOCK, Kind, run_bytes};
use super::trits;
use super::whole::padded;

/// A gradient, or the part of it that belongs to some groups.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Floats(&'a [f32]),
    /// For each group a block of 1280 after the other: scale and codes.
    Packed(&'a [u8]),
}

/// Takes a block of `n` values from the front of packed bytes: scale and codes.
#[inline(always)]
fn take<'a>(rest: &mut &'a [u8], n: usize) -> Option<(f32, &'a [u8])> {
    let (scale, later) = rest.split_first_chunk::<4>()?;
    let (codes, later) = later.split_at_checked(n.div_ceil(5))?;
    *rest = later;
    Some((f32::from_le_bytes(*scale), codes))
}

/// Refuses packed bytes that no step and no packet leaves; they have the length that the groups ask for.
pub(super) fn check(packed: &[u8], groups: &[Group]) -> Result<(), Error> {
    let mut rest = packed;
    for group in groups {
        let mut left = group.len()?;
        while left > 0 {
            let n = left.min(BLOCK);
            let (scale, codes) = take(&mut rest, n).ok_or(Error::Shape)?;
            if !scale.is_finite() {
                return Err(Error::NonFinite);
            }
            if scale < 0.0 || codes.iter().fold(0, |most, &c| if c > most { c } else { most }) > 242 {
                return Err(Error::Corrupt);
            }
            left -= n;
        }
    }
    Ok(())
}

impl<'a> Source<'a> {
    /// The part of the first `len` values, which are a group, and the rest.
    pub(super) fn split(self, len: usize) -> Result<(Source<'a>, Source<'a>), Error> {
        match self {
            Source::Floats(x) => {
                let (own, later) = x.split_at_checked(len).ok_or(Error::Shape)?;
                Ok((Source::Floats(own), Source::Floats(later)))
            }
            Source::Packed(bytes) => {
                let own = run_bytes(Storage::Ternary, Kind::Signed, len)?;
                let (own, later) = bytes.split_at_checked(own).ok_or(Error::Shape)?;
                Ok((Source::Packed(own), Source::Packed(later)))
            }
        }
    }

    /// Values `at..at + n` of a group, a block, with zeros up to whole vectors; in `spare` if they are not there so.
    #[inline(always)]
    pub(super) fn block<'x>(self, at: usize, n: usize, spare: &'x mut [f32]) -> &'x [f32]
    where
        'a: 'x,
    {
        match self {
            Source::Floats(x) => padded(x.get(at..at + n).unwrap_or_default(), spare),
            Source::Packed(bytes) => {
                let values = spare.get_mut(..n.next_multiple_of(16)).unwrap_or_default();
                let (real, padding) = values.split_at_mut_checked(n).unwrap_or_default();
                let mut rest = bytes.get(at / BLOCK * (BLOCK / 5 + 4)..).unwrap_or_default();
                if let Some((scale, codes)) = take(&mut rest, n) {
                    trits::unpack(codes, scale, real);
                }
                padding.fill(0.0);
                values
            }
        }
    }
}
