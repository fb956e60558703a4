//! Everything that a step changes, kept until it is judged.

use crate::Error;
use crate::learn::optimizer::{Group, Options, memory_size};

use super::step::Model;

/// Bytes of the undo buffer: a copy of the parameters, of the optimizer's memory and of what is kept of the model for its
/// forward pass, `visible` values and `packed` bytes (0 where it does not use them).
///
/// # Errors
/// [`Error::SizeOverflow`], and as [`memory_size`].
pub fn undo_size(options: &Options, groups: &[Group], visible: usize, packed: usize) -> Result<usize, Error> {
    let mut params = 0usize;
    for group in groups {
        let len = group.rows.checked_mul(group.cols).ok_or(Error::SizeOverflow)?;
        params = params.checked_add(len).ok_or(Error::SizeOverflow)?;
    }
    size(params, memory_size(options, groups)?, visible, packed)
}

fn size(params: usize, memory: usize, visible: usize, packed: usize) -> Result<usize, Error> {
    let floats = params.checked_add(visible).and_then(|n| n.checked_mul(4)).ok_or(Error::SizeOverflow)?;
    floats.checked_add(memory).and_then(|n| n.checked_add(packed)).ok_or(Error::SizeOverflow)
}

/// The bytes that a step changes, one after the other.
fn parts<'a>(model: &'a mut Model<'_>, memory: &'a mut [u8]) -> [&'a mut [u8]; 4] {
    let params = bytemuck::must_cast_slice_mut(model.params);
    let visible = bytemuck::must_cast_slice_mut(model.visible);
    [params, visible, model.packed, memory]
}

/// Copies what a step changes into the buffer, which is long enough: [`fits`] has been asked.
pub(super) fn save(model: &mut Model<'_>, memory: &mut [u8], undo: &mut [u8]) {
    let mut room = undo;
    for part in parts(model, memory) {
        let at = part.len().min(room.len());
        let (to, rest) = room.split_at_mut(at);
        to.iter_mut().zip(part.iter()).for_each(|(to, from)| *to = *from);
        room = rest;
    }
}

/// Copies it back.
pub(super) fn restore(model: &mut Model<'_>, memory: &mut [u8], undo: &[u8]) {
    let mut from = undo;
    for part in parts(model, memory) {
        let (here, rest) = from.split_at(part.len().min(from.len()));
        part.iter_mut().zip(here).for_each(|(to, from)| *to = *from);
        from = rest;
    }
}

/// Refuses a buffer that is too short for these parts.
pub(super) fn fits(model: &Model<'_>, memory: &[u8], undo: &[u8]) -> Result<(), Error> {
    let size = size(model.params.len(), memory.len(), model.visible.len(), model.packed.len())?;
    if undo.len() < size { Err(Error::OutputTooSmall) } else { Ok(()) }
}
