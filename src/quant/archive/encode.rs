//! Packed ternary rows to a stream.

use core::cell::Cell;

use crate::workspace::split_rows;
use crate::{Error, quant::Format};

use super::crc::crc32;
use super::header::{self, ArchiveInfo};
use super::model::{Counts, Model};
use super::unit::Units;
use super::{CHUNK_HEAD, DEFAULT_CHUNK, HEADER_BYTES, STORED, rans};

/// Rows in a chunk for these arguments: `asked`, or as many as hold about 32768 weights for 0. A chunk has fewer
/// than 2^31 bytes.
fn chunk_rows(rows: usize, units: &Units, asked: usize) -> Result<usize, Error> {
    let most = (STORED as usize - 1).checked_div(units.row_bytes).unwrap_or(1);
    if most == 0 {
        return Err(Error::SizeOverflow);
    }
    let wanted = if asked == 0 { DEFAULT_CHUNK.checked_div(units.cols).unwrap_or(1) } else { asked };
    Ok(wanted.min(most).min(rows).max(1))
}

/// The most bytes that [`archive_encode`] writes for such a matrix: that of one which cannot be compressed.
///
/// `rows_per_chunk` is that of the call.
///
/// # Errors
/// [`Error::Unsupported`] for a format that is not ternary, [`Error::SizeOverflow`].
pub fn archive_bound(
    format: Format,
    rows: usize,
    cols: usize,
    rows_per_chunk: usize,
) -> Result<usize, Error> {
    let units = Units::new(format, cols)?;
    let data = format.matrix_bytes(rows, cols)?;
    rows.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    if data == 0 {
        return Ok(HEADER_BYTES);
    }
    let chunks = rows.div_ceil(chunk_rows(rows, &units, rows_per_chunk)?);
    let heads = chunks.checked_mul(CHUNK_HEAD).and_then(|n| n.checked_add(HEADER_BYTES));
    heads.and_then(|n| n.checked_add(data)).ok_or(Error::SizeOverflow)
}

/// Archives a packed ternary matrix; gives the number of bytes written to the front of `out`.
///
/// `format` is `TQ1_0`, `TQ2_0` or dense ternary; `data` holds at least [`Format::matrix_bytes`] bytes, `out` at
/// least [`archive_bound`]. Any bytes come back exactly as they were; those that no encoder writes (a digit code 3,
/// padding that is not zero) make their chunk as large as it was, not smaller. `rows_per_chunk` is how many rows
/// are decoded and checked together, 0 for about 32768 weights; a chunk costs about 12 bytes.
///
/// # Errors
/// [`Error::Unsupported`] (the format is not ternary), [`Error::SizeOverflow`], [`Error::Shape`] (`data` is too
/// short), [`Error::OutputTooSmall`]. `out` is untouched then.
pub fn archive_encode(
    format: Format,
    rows: usize,
    cols: usize,
    data: &[u8],
    rows_per_chunk: usize,
    out: &mut [u8],
) -> Result<usize, Error> {
    let bound = archive_bound(format, rows, cols, rows_per_chunk)?;
    let units = Units::new(format, cols)?;
    let data = data.get(..format.matrix_bytes(rows, cols)?).ok_or(Error::Shape)?;
    let out = out.get_mut(..bound).ok_or(Error::OutputTooSmall)?;
    let (head, body) = out.split_first_chunk_mut::<HEADER_BYTES>().ok_or(Error::OutputTooSmall)?;

    let chunk_rows = chunk_rows(rows, &units, rows_per_chunk)?;
    let model = model(&units, data);
    let mut info = ArchiveInfo { format, rows, cols, chunk_rows, bytes: 0 };
    // The length stands in the header, whose checksum the chunks carry on: chunks first without it.
    let mut length = 0usize;
    let chunk_bytes = chunk_rows.saturating_mul(units.row_bytes);
    for chunk in pieces(data, chunk_bytes) {
        let place = body.get_mut(length..).ok_or(Error::OutputTooSmall)?;
        length += encode_chunk(&units, &model, chunk, place).ok_or(Error::OutputTooSmall)?;
    }
    info.bytes = HEADER_BYTES + length;
    let crc = header::write(&info, &model, head);
    let mut rest = body;
    for index in 0..info.chunks() {
        let (chunk_head, later) = rest.split_first_chunk_mut::<CHUNK_HEAD>().ok_or(Error::OutputTooSmall)?;
        let [a, b, c, d, ..] = *chunk_head;
        let word = u32::from_le_bytes([a, b, c, d]);
        let payload = (word & !STORED) as usize;
        let (payload, later) = later.split_at_mut_checked(payload).ok_or(Error::OutputTooSmall)?;
        if let Some(place) = chunk_head.last_chunk_mut() {
            *place = checksum(crc, index, word, payload).to_le_bytes();
        }
        rest = later;
    }
    Ok(info.bytes)
}

/// The checksum of a chunk: that of the header, the index, the length word and the payload in a row, so that a
/// chunk of another place or another tensor does not pass.
pub(super) fn checksum(header: u32, index: usize, word: u32, payload: &[u8]) -> u32 {
    let crc = crc32(header, &(index as u32).to_le_bytes());
    crc32(crc32(crc, &word.to_le_bytes()), payload)
}

/// Pieces of `len` bytes; the last may be shorter.
fn pieces(data: &[u8], len: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    core::iter::from_fn(move || {
        let (piece, later) = rest.split_at_checked(rest.len().min(len)).filter(|(p, _)| !p.is_empty())?;
        rest = later;
        Some(piece)
    })
}

/// Counts trits and scales.
fn model(units: &Units, data: &[u8]) -> Model {
    let mut counts = Counts::EMPTY;
    for second in [false, true] {
        for row in split_rows(data, units.row_bytes) {
            for unit in (0..units.count()).map_while(|i| units.unpack(row, i)) {
                if second {
                    unit.scale.into_iter().for_each(|s| counts.add_scale(s));
                } else {
                    counts.add_trits(unit.codes.get(..unit.len).unwrap_or_default());
                    unit.scale.into_iter().for_each(|s| counts.see_scale(s));
                }
            }
        }
    }
    counts.model()
}

/// Writes length word and payload of a chunk (the checksum is left open); gives the bytes of both.
fn encode_chunk(units: &Units, model: &Model, rows: &[u8], out: &mut [u8]) -> Option<usize> {
    // Coded only if that is shorter: the space is that of the rows.
    let (head, place) = out.get_mut(..CHUNK_HEAD + rows.len())?.split_at_mut_checked(CHUNK_HEAD)?;
    let (length, flag) = match encode_rows(units, model, rows, place) {
        Some(at) => {
            let cells = Cell::from_mut(place).as_slice_of_cells();
            let code = cells.get(at..)?;
            cells.iter().zip(code).for_each(|(to, from)| to.set(from.get()));
            (code.len(), 0)
        }
        None => {
            place.iter_mut().zip(rows).for_each(|(to, from)| *to = *from);
            (rows.len(), STORED)
        }
    };
    let length = u32::try_from(length).ok().filter(|&n| n < STORED)?;
    *head.first_chunk_mut()? = (length | flag).to_le_bytes();
    Some(CHUNK_HEAD + length as usize)
}

/// Codes rows to the end of `out`; gives where the code begins. `None` if it is longer than `out`, or a unit is
/// not what an encoder writes.
fn encode_rows(units: &Units, model: &Model, rows: &[u8], out: &mut [u8]) -> Option<usize> {
    let mut encoder = rans::Encoder::new(out);
    let mut rest = rows;
    while let Some(start) = rest.len().checked_sub(units.row_bytes).filter(|_| units.row_bytes > 0) {
        let (before, row) = rest.split_at_checked(start)?;
        for index in (0..units.count()).rev() {
            let unit = units.unpack(row, index)?;
            if !unit.canonical {
                return None;
            }
            model.encode_trits(unit.codes.get(..unit.len)?, &mut encoder);
            if let Some(scale) = unit.scale {
                model.encode_scale(scale, &mut encoder);
            }
        }
        rest = before;
    }
    encoder.finish()
}
