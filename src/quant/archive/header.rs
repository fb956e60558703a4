//! The first bytes of a stream.

use crate::Error;
use crate::quant::Format;

use super::crc::crc32;
use super::model::{CLASSES, Model};
use super::{CHUNK_HEAD, HEADER_BYTES};

const MAGIC: [u8; 4] = *b"HQTA";
const VERSION: u8 = 1;

/// What an archived tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchiveInfo {
    /// The ternary format that it was packed in, and decodes to.
    pub format: Format,
    /// Rows of the matrix.
    pub rows: usize,
    /// Columns of the matrix.
    pub cols: usize,
    /// Rows in a chunk; the last chunk may have fewer.
    pub chunk_rows: usize,
    /// Bytes of the whole stream.
    pub bytes: usize,
}

impl ArchiveInfo {
    /// How many chunks the stream has.
    #[must_use]
    pub fn chunks(&self) -> usize {
        if self.cols == 0 { 0 } else { self.rows.div_ceil(self.chunk_rows.max(1)) }
    }
}

/// Writes a header to the front of `out`; gives its checksum.
pub(super) fn write(info: &ArchiveInfo, model: &Model, out: &mut [u8; HEADER_BYTES]) -> u32 {
    let mut rest: &mut [u8] = out;
    let mut put = |bytes: &[u8]| {
        if let Some((place, later)) = core::mem::take(&mut rest).split_at_mut_checked(bytes.len()) {
            place.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
            rest = later;
        }
    };
    let [a, b] = model.trits;
    put(&MAGIC);
    put(&[VERSION, 0]);
    put(&(info.format as i32 as u16).to_le_bytes());
    put(&(info.rows as u64).to_le_bytes());
    put(&(info.cols as u64).to_le_bytes());
    put(&(info.bytes as u64).to_le_bytes());
    put(&(info.chunk_rows as u32).to_le_bytes());
    put(&a.to_le_bytes());
    put(&b.to_le_bytes());
    put(&model.base.to_le_bytes());
    put(&[model.shift as u8, 0]);
    for class in model.classes {
        put(&class.to_le_bytes());
    }
    let [fields @ .., a, b, c, d] = out;
    let crc = crc32(0, fields);
    [*a, *b, *c, *d] = crc.to_le_bytes();
    crc
}

/// Takes fields from the front.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or(Error::Corrupt)?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn u16(&mut self) -> Result<u16, Error> {
        Ok(u16::from_le_bytes(self.take()?))
    }

    fn size(&mut self) -> Result<usize, Error> {
        usize::try_from(u64::from_le_bytes(self.take()?)).map_err(|_| Error::SizeOverflow)
    }
}

/// Reads and checks the header at the front of `stream`; gives its checksum too.
pub(super) fn read(stream: &[u8]) -> Result<(ArchiveInfo, Model, u32), Error> {
    let (head, _) = stream.split_first_chunk::<HEADER_BYTES>().ok_or(Error::Corrupt)?;
    let mut fields = Fields(head);
    if fields.take::<4>()? != MAGIC {
        return Err(Error::Corrupt);
    }
    // Before the checksum, which another version may keep elsewhere.
    let [version, flags] = fields.take()?;
    match version {
        VERSION => {}
        0 => return Err(Error::Corrupt),
        _ => return Err(Error::Version),
    }
    let [covered @ .., a, b, c, d] = head;
    let crc = u32::from_le_bytes([*a, *b, *c, *d]);
    if crc32(0, covered) != crc || flags != 0 {
        return Err(Error::Corrupt);
    }
    let format = Format::from_i32(fields.u16()? as i32).map_err(|_| Error::Corrupt)?;
    let (rows, cols, bytes) = (fields.size()?, fields.size()?, fields.size()?);
    let chunk_rows = u32::from_le_bytes(fields.take()?) as usize;
    let trits = [fields.u16()?, fields.u16()?];
    let base = fields.u16()?;
    let [shift, zero] = fields.take()?;
    let mut classes = [0; CLASSES];
    for class in &mut classes {
        *class = fields.u16()?;
    }
    let model = Model { trits, base, shift: shift as u16, classes };
    let info = ArchiveInfo { format, rows, cols, chunk_rows, bytes };
    let ternary = matches!(format, Format::Tq1_0 | Format::Tq2_0 | Format::DenseTernary);
    // The trits must be there: no trit is free, so a short stream cannot stand for a huge matrix.
    format.matrix_bytes(rows, cols).map_err(|_| Error::Corrupt)?;
    let cells = rows.checked_mul(cols).ok_or(Error::Corrupt)?;
    let heads = info.chunks().checked_mul(CHUNK_HEAD).and_then(|n| n.checked_add(HEADER_BYTES));
    let enough = heads.is_some_and(|n| n <= bytes) && cells >> 15 <= bytes;
    let enough = if cells == 0 { bytes == HEADER_BYTES } else { enough && chunk_rows > 0 };
    if !ternary || !model.is_sound() || zero != 0 || !enough {
        return Err(Error::Corrupt);
    }
    Ok((info, model, crc))
}
