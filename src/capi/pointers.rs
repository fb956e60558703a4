//! Checked conversion of what C passes: arrays, single values, overlap.
//!
//! An array is checked before it is borrowed, so that no Rust reference to a bad address, or two references
//! to the same bytes, ever exist.

use core::ffi::c_void;

use bytemuck::Pod;

use crate::Error;

use super::hq_status;

/// Runs the body of an extern function and turns its result into a status.
#[inline(always)]
pub(super) fn status(body: impl FnOnce() -> Result<(), Error>) -> hq_status {
    match body() {
        Ok(()) => super::HQ_OK,
        Err(error) => error.status(),
    }
}

/// The answer of a size query: `SIZE_MAX` where there is none.
#[inline(always)]
pub(super) fn size(body: impl FnOnce() -> Result<usize, Error>) -> usize {
    body().unwrap_or(usize::MAX)
}

/// What may be read from memory that C has filled: every bit pattern is a value.
///
/// # Safety
/// Just that. [`Pod`] asks for more: raw pointers have it not.
pub(super) unsafe trait Plain: Copy {}

// SAFETY: `Pod` is that, and no padding.
unsafe impl<T: Pod> Plain for T {}

/// An array that C reads from us or writes for us, checked but not yet borrowed.
#[derive(Clone, Copy)]
pub(super) struct Input<T> {
    ptr: *const T,
    len: usize,
}

/// An array that we write, checked but not yet borrowed.
#[derive(Clone, Copy)]
pub(super) struct Output<T> {
    ptr: *mut T,
    len: usize,
}

/// NULL only with length 0 (any address is fine then), aligned, and inside the address space.
fn check<T>(ptr: *const T, len: usize) -> Result<(), Error> {
    if len == 0 {
        return Ok(());
    }
    if ptr.is_null() {
        return Err(Error::NullPointer);
    }
    if !ptr.is_aligned() {
        return Err(Error::Misaligned);
    }
    let bytes = len.checked_mul(size_of::<T>()).filter(|&n| n <= isize::MAX as usize);
    match bytes.and_then(|n| ptr.addr().checked_add(n)) {
        Some(_) => Ok(()),
        None => Err(Error::SizeOverflow),
    }
}

impl<T: Plain> Input<T> {
    pub(super) fn new(ptr: *const T, len: usize) -> Result<Input<T>, Error> {
        check(ptr, len)?;
        Ok(Input { ptr, len })
    }

    /// One value, or none for NULL.
    pub(super) fn optional(ptr: *const T) -> Result<Input<T>, Error> {
        Input::new(ptr, usize::from(!ptr.is_null()))
    }

    pub(super) fn span(&self) -> Span {
        Span::new(self.ptr.addr(), self.len * size_of::<T>())
    }

    /// # Safety
    /// `len` values of `T` must be readable at `ptr`, and nobody writes them during `'a`.
    #[inline(always)]
    pub(super) unsafe fn slice<'a>(self) -> &'a [T] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: `new` has checked NULL, alignment and size; the caller vouches for the memory. Every bit
        // pattern is a `T: Plain`.
        unsafe { core::slice::from_raw_parts(self.ptr, self.len) }
    }
}

impl<T: Plain> Output<T> {
    pub(super) fn new(ptr: *mut T, len: usize) -> Result<Output<T>, Error> {
        check(ptr, len)?;
        Ok(Output { ptr, len })
    }

    /// One value, or none for NULL.
    pub(super) fn optional(ptr: *mut T) -> Result<Output<T>, Error> {
        Output::new(ptr, usize::from(!ptr.is_null()))
    }

    pub(super) fn span(&self) -> Span {
        Span::new(self.ptr.addr(), self.len * size_of::<T>())
    }

    /// # Safety
    /// `len` values of `T` must be writable at `ptr`, and nobody else uses them during `'a`.
    #[inline(always)]
    pub(super) unsafe fn slice<'a>(self) -> &'a mut [T] {
        if self.len == 0 {
            return &mut [];
        }
        // SAFETY: `new` has checked NULL, alignment and size; the caller vouches for the memory and that it
        // is ours alone, which `disjoint` has checked within one call.
        unsafe { core::slice::from_raw_parts_mut(self.ptr, self.len) }
    }

    /// Stores one value.
    ///
    /// # Safety
    /// As [`Output::slice`], with a length of at least 1.
    #[inline(always)]
    pub(super) unsafe fn write(self, value: T) {
        // SAFETY: `new` has checked NULL and alignment; the caller vouches for the memory and the length.
        unsafe { self.ptr.write(value) }
    }

    /// Stores one value where there is a place for it.
    ///
    /// # Safety
    /// As [`Output::slice`].
    #[inline(always)]
    pub(super) unsafe fn write_if_wanted(self, value: T) {
        // SAFETY: as the caller's.
        if let [place, ..] = unsafe { self.slice() } {
            *place = value;
        }
    }
}

impl Output<u8> {
    /// Scratch or other untyped memory.
    pub(super) fn bytes(ptr: *mut c_void, size: usize) -> Result<Output<u8>, Error> {
        Output::new(ptr.cast(), size)
    }
}

/// The addresses `start..end` of an array.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    /// Where a slice lies.
    pub(super) fn of<T>(slice: &[T]) -> Span {
        Span::new(slice.as_ptr().addr(), size_of_val(slice))
    }

    fn new(start: usize, bytes: usize) -> Span {
        // `check` has made sure that this does not wrap, unless the array is empty.
        Span { start, end: start.wrapping_add(bytes) }
    }

    fn overlaps(&self, other: &Span) -> bool {
        self.start < other.end && other.start < self.end && self.start < self.end && other.start < other.end
    }
}

/// Refuses outputs that overlap an input or each other.
pub(super) fn disjoint(outputs: &[Span], inputs: &[Span]) -> Result<(), Error> {
    let mut rest = outputs;
    while let Some((output, later)) = rest.split_first() {
        if later.iter().chain(inputs).any(|other| output.overlaps(other)) {
            return Err(Error::Overlap);
        }
        rest = later;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arrays_with_bytes_in_common_overlap() {
        let span = |start, bytes| Span::new(start, bytes);
        assert_eq!(disjoint(&[span(8, 8)], &[span(0, 8), span(16, 8)]), Ok(()));
        assert_eq!(disjoint(&[span(8, 8)], &[span(15, 1)]), Err(Error::Overlap));
        assert_eq!(disjoint(&[span(8, 8)], &[span(0, 9)]), Err(Error::Overlap));
        assert_eq!(disjoint(&[span(8, 8), span(10, 2)], &[]), Err(Error::Overlap));
        assert_eq!(disjoint(&[span(8, 8)], &[span(10, 0)]), Ok(()));
        assert_eq!(disjoint(&[span(10, 0)], &[span(8, 8)]), Ok(()));
    }

    #[test]
    fn bad_addresses_are_told_apart() {
        let value = [0f32; 2];
        let p = value.as_ptr();
        assert_eq!(check(p, 2), Ok(()));
        assert_eq!(check(core::ptr::null::<f32>(), 0), Ok(()));
        assert_eq!(check(core::ptr::null::<f32>(), 1), Err(Error::NullPointer));
        assert_eq!(check(p.wrapping_byte_add(1), 1), Err(Error::Misaligned));
        assert_eq!(check(p, usize::MAX / 4), Err(Error::SizeOverflow));
        assert_eq!(check(p, usize::MAX), Err(Error::SizeOverflow));
    }
}
