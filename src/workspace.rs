//! Carving typed, aligned slices out of one caller buffer.
//!
//! A function that needs scratch describes it once as a [`Layout`]. The size query returns
//! [`Layout::size`], and the kernel carves the same counts from the buffer it is given, so the two
//! cannot drift apart. The buffer may start at any address: the size holds the padding for the worst.

use bytemuck::Pod;

use crate::Error;

/// The scratch one call needs: a sum of typed arrays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    bytes: usize,
}

impl Layout {
    /// No scratch at all.
    pub const EMPTY: Layout = Layout { bytes: 0 };

    /// This layout and an array of `count` values of `T` behind it.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`] if the total does not fit `usize`.
    pub fn array<T: Pod>(self, count: usize) -> Result<Layout, Error> {
        if count == 0 {
            return Ok(self);
        }
        count
            .checked_mul(size_of::<T>())
            .and_then(|n| n.checked_add(align_of::<T>() - 1))
            .and_then(|n| n.checked_add(self.bytes))
            .map(|bytes| Layout { bytes })
            .ok_or(Error::SizeOverflow)
    }

    /// Bytes a caller must provide, at any alignment.
    #[must_use]
    pub const fn size(self) -> usize {
        self.bytes
    }
}

/// Takes arrays from the front of a buffer, in the order in which the [`Layout`] named them.
pub struct Carver<'a> {
    rest: &'a mut [u8],
}

impl<'a> Carver<'a> {
    /// Starts at the front of `buffer`.
    pub fn new(buffer: &'a mut [u8]) -> Carver<'a> {
        Carver { rest: buffer }
    }

    /// The next `count` values of `T`, aligned; their contents are whatever the buffer held.
    ///
    /// # Errors
    /// [`Error::WorkspaceTooSmall`] if the rest of the buffer cannot hold them.
    pub fn take<T: Pod>(&mut self, count: usize) -> Result<&'a mut [T], Error> {
        if count == 0 {
            return Ok(&mut []);
        }
        let size = count.checked_mul(size_of::<T>()).ok_or(Error::SizeOverflow)?;
        let pad = self.rest.as_ptr().align_offset(align_of::<T>());
        let end = pad.checked_add(size).ok_or(Error::SizeOverflow)?;
        let rest = core::mem::take(&mut self.rest);
        let (head, tail) = rest.split_at_mut_checked(end).ok_or(Error::WorkspaceTooSmall)?;
        self.rest = tail;
        let (_, bytes) = head.split_at_mut_checked(pad).ok_or(Error::WorkspaceTooSmall)?;
        bytemuck::try_cast_slice_mut(bytes).map_err(|_| Error::WorkspaceTooSmall)
    }

    /// What has not been taken.
    #[must_use]
    pub fn rest(self) -> &'a mut [u8] {
        self.rest
    }
}

/// Whole rows of `len` values from the front of `data`; none for `len` 0. As `chunks_exact`, which for a length
/// that the compiler cannot see to be non-zero leaves a panic path in the archive.
pub(crate) fn split_rows<T>(data: &[T], len: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = data;
    core::iter::from_fn(move || {
        let (row, later) = rest.split_at_checked(len).filter(|_| len > 0)?;
        rest = later;
        Some(row)
    })
}

/// As [`split_rows`], to write to.
pub(crate) fn split_rows_mut<T>(data: &mut [T], len: usize) -> impl Iterator<Item = &mut [T]> {
    let mut rest = data;
    core::iter::from_fn(move || {
        let (row, later) = core::mem::take(&mut rest).split_at_mut_checked(len).filter(|_| len > 0)?;
        rest = later;
        Some(row)
    })
}

/// Pairs the pieces of `N` values of a slice, the last one shorter if need be, with other items. As
/// `chunks(N).zip(..)`, whose `zip` divides by a length that it no longer knows to be `N` when the compiler does
/// not inline it.
#[inline(always)]
pub(crate) fn pieces_with<const N: usize, T, U>(
    data: &[T],
    items: impl Iterator<Item = U>,
) -> impl Iterator<Item = (&[T], U)> {
    let mut rest = data;
    items.map_while(move |item| {
        let (piece, later) = rest.split_at_checked(rest.len().min(N)).filter(|(p, _)| !p.is_empty())?;
        rest = later;
        Some((piece, item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_query_is_enough_at_every_address_and_one_byte_less_is_refused() {
        let layout = Layout::EMPTY.array::<u32>(5).unwrap().array::<u16>(3).unwrap();
        for offset in 0..8 {
            let mut buffer = [0u8; 64];
            let room = &mut buffer[offset..offset + layout.size()];
            let mut carver = Carver::new(room);
            assert_eq!(carver.take::<u32>(5).unwrap().len(), 5);
            assert_eq!(carver.take::<u16>(3).unwrap().len(), 3);
        }
        let mut short = [0u8; 7];
        assert_eq!(Carver::new(&mut short).take::<u32>(2).unwrap_err(), Error::WorkspaceTooSmall);
        assert_eq!(Layout::EMPTY.array::<u32>(usize::MAX / 2), Err(Error::SizeOverflow));
    }
}
