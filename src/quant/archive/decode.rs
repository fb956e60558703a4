//! A stream to trits, a unit at a time.

use core::ops::Range;

use bytemuck::{Pod, Zeroable};

use crate::math::f16_bits_to_f32;
use crate::workspace::split_rows_mut;
use crate::{Error, quant::Format};

use super::encode::checksum;
use super::header::{self, ArchiveInfo};
use super::model::{CLASSES, Model};
use super::unit::{UNIT_LEN, Units};
use super::{CHUNK_HEAD, HEADER_BYTES, STORED, rans};

/// What [`ArchiveDecoder::next_unit`] gives beside the codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ArchiveUnit {
    /// How many codes there are: 256 (dense ternary: 160), fewer at the end of a row.
    pub len: usize,
    /// Weight = code * scale.
    pub scale: f32,
    /// Its row.
    pub row: usize,
}

/// Where a decoder stands: 160 bytes at most, no allocation and no reference to the stream, whose bytes each call is
/// given anew. It may be copied, to come back to a place.
///
/// A stream that lies in memory as a whole is passed as it is, with `at` 0. One that comes through a small buffer
/// (from a serial line, or external flash) is passed in windows: [`need`](Self::need) says which bytes the next call
/// wants to see, at most one chunk of them, and `at` is where in the stream the window begins. No unit of a chunk is
/// handed out before the checksum of the whole chunk has been compared.
///
/// ```
/// use hybridq::quant::{ArchiveDecoder, Format, archive_bound, archive_encode, dense_ternary};
/// let packed = [0xFFu8, 0x00, 0x3C]; // one row of five ones, scale 1.0
/// let mut stream = vec![0; archive_bound(Format::DenseTernary, 1, 5, 0)?];
/// let size = archive_encode(Format::DenseTernary, 1, 5, &packed, 0, &mut stream)?;
/// let stream = &stream[..size];
/// let mut decoder = ArchiveDecoder::new(stream)?;
/// let mut codes = [0i8; 256];
/// let unit = decoder.next_unit(stream, 0, &mut codes)?.expect("five codes");
/// assert_eq!((&codes[..unit.len], unit.scale), (&[1i8; 5][..], 1.0));
/// assert_eq!(decoder.next_unit(stream, 0, &mut codes)?, None);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct ArchiveDecoder {
    rows: usize,
    cols: usize,
    bytes: usize,
    chunk_rows: usize,
    /// Chunks begun.
    chunks: usize,
    /// Rows done.
    row: usize,
    /// Units done of the row that is not.
    unit: usize,
    /// In the stream: where the payload of the chunk begins, the next byte to decode, and the end of the chunk.
    start: usize,
    next: usize,
    end: usize,
    /// The decoder's state.
    x: u32,
    header: u32,
    format: u32,
    /// [`CLOSED`], [`CODED`] or [`PLAIN`].
    mode: u16,
    scale: u16,
    trits: [u16; 2],
    base: u16,
    shift: u16,
    classes: [u16; CLASSES],
}

const CLOSED: u16 = 0;
const CODED: u16 = 1;
const PLAIN: u16 = 2;

impl ArchiveDecoder {
    /// Reads the header: `stream` begins a stream and holds [`ARCHIVE_HEADER_BYTES`](super::HEADER_BYTES) of it at
    /// least.
    ///
    /// # Errors
    /// [`Error::Corrupt`] (not a stream, damaged, cut short), [`Error::Version`] (written by a newer version),
    /// [`Error::SizeOverflow`] (too large for this machine).
    pub fn new(stream: &[u8]) -> Result<ArchiveDecoder, Error> {
        let (info, model, header) = header::read(stream)?;
        Ok(ArchiveDecoder {
            rows: info.rows,
            cols: info.cols,
            bytes: info.bytes,
            chunk_rows: info.chunk_rows,
            header,
            format: info.format as u32,
            end: HEADER_BYTES,
            mode: CLOSED,
            trits: model.trits,
            base: model.base,
            shift: model.shift,
            classes: model.classes,
            ..ArchiveDecoder::zeroed()
        })
    }

    /// What the header says.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a decoder that [`ArchiveDecoder::new`] has not made.
    pub fn info(&self) -> Result<ArchiveInfo, Error> {
        let format = Format::from_i32(self.format as i32).map_err(|_| Error::Corrupt)?;
        let (rows, cols, chunk_rows, bytes) = (self.rows, self.cols, self.chunk_rows, self.bytes);
        Ok(ArchiveInfo { format, rows, cols, chunk_rows, bytes })
    }

    /// Which bytes of the stream the next call must see: a whole chunk, or the 8 bytes that tell its length while
    /// `window` (which begins at byte `at` of the stream) does not hold those. Empty at the end.
    ///
    /// # Errors
    /// [`Error::Corrupt`].
    pub fn need(&self, window: &[u8], at: usize) -> Result<Range<usize>, Error> {
        if self.mode != CLOSED {
            return Ok(self.start..self.end);
        }
        if self.is_done() {
            return Ok(self.end..self.end);
        }
        let head = self.end..self.end.checked_add(CHUNK_HEAD).ok_or(Error::Corrupt)?;
        match view(window, at, head.clone()) {
            Err(_) => Ok(head),
            Ok(bytes) => Ok(head.start..self.head(bytes)?.1),
        }
    }

    /// The codes of the next unit: a block of the format (`TQ1_0`, `TQ2_0`), or a group of a dense row. They are
    /// -1, 0 and 1 (2 where a `TQ2_0` file holds the code that no encoder writes). `None` at the end.
    ///
    /// `window` holds the bytes that [`need`](Self::need) names, and begins at byte `at` of the stream.
    ///
    /// # Errors
    /// [`Error::Corrupt`]: the stream is damaged, or the window does not hold what is needed. `codes` and the
    /// decoder are as they were.
    pub fn next_unit(
        &mut self,
        window: &[u8],
        at: usize,
        codes: &mut [i8; UNIT_LEN],
    ) -> Result<Option<ArchiveUnit>, Error> {
        let units = self.units()?;
        let mut next = *self;
        let mut found = [0; UNIT_LEN];
        let Some(unit) = next.unit(&units, window, at, &mut found)? else {
            return Ok(None);
        };
        *codes = found;
        *self = next;
        Ok(Some(unit))
    }

    /// Packs the next rows, `rows` at most, into `out` in their own format: the bytes that were archived. Gives how
    /// many rows that were; fewer than `rows` where the chunk ends, 0 only at the end of the stream (or for `rows`
    /// 0).
    ///
    /// `out` holds at least as many bytes as `rows` rows take, or as are left. A unit that has been begun with
    /// [`next_unit`](Self::next_unit) must be at the end of its row.
    ///
    /// # Errors
    /// [`Error::OutputTooSmall`], [`Error::InvalidArgument`] (inside a row), [`Error::Corrupt`] as `next_unit`. The
    /// decoder is as it was. `out` is too, unless the stream is forged: wrong inside although its checksum is right.
    pub fn next_rows(
        &mut self,
        window: &[u8],
        at: usize,
        rows: usize,
        out: &mut [u8],
    ) -> Result<usize, Error> {
        let units = self.units()?;
        let left = self.rows.saturating_sub(self.row);
        let wanted = rows.min(left).checked_mul(units.row_bytes).ok_or(Error::SizeOverflow)?;
        let out = out.get_mut(..wanted).ok_or(Error::OutputTooSmall)?;
        if self.unit != 0 {
            return Err(Error::InvalidArgument);
        }
        let mut next = *self;
        if next.mode == CLOSED && !out.is_empty() {
            next.open(&units, window, at)?;
        }
        let chunk_end = next.chunks.saturating_mul(self.chunk_rows).min(self.rows);
        let rows = rows.min(chunk_end.saturating_sub(self.row));
        let mut codes = [0; UNIT_LEN];
        for row in split_rows_mut(out, units.row_bytes).take(rows) {
            if next.mode == PLAIN {
                let from = next.plain_row(&units, window, at)?;
                row.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                next.row_is_done(&units);
                continue;
            }
            for index in 0..units.count() {
                next.unit(&units, window, at, &mut codes)?.ok_or(Error::Corrupt)?;
                units.pack_into(row, index, &codes, next.scale);
            }
        }
        if rows > 0 {
            *self = next;
        }
        Ok(rows)
    }

    fn units(&self) -> Result<Units, Error> {
        Units::new(self.info()?.format, self.cols).map_err(|_| Error::Corrupt)
    }

    fn is_done(&self) -> bool {
        self.row >= self.rows || self.cols == 0
    }

    /// Rows of the chunk that would be opened now.
    fn rows_of_next(&self) -> usize {
        self.rows.saturating_sub(self.row).min(self.chunk_rows)
    }

    /// The length word of the next chunk, and where the chunk ends.
    fn head(&self, bytes: &[u8]) -> Result<(u32, usize), Error> {
        let word = u32::from_le_bytes(*bytes.first_chunk().ok_or(Error::Corrupt)?);
        let end = self.end.checked_add(CHUNK_HEAD).and_then(|e| e.checked_add((word & !STORED) as usize));
        let end = end.filter(|&e| e <= self.bytes).ok_or(Error::Corrupt)?;
        Ok((word, end))
    }

    /// Begins the next chunk: length, checksum, state.
    fn open(&mut self, units: &Units, window: &[u8], at: usize) -> Result<(), Error> {
        let start = self.end.checked_add(CHUNK_HEAD).ok_or(Error::Corrupt)?;
        let head = view(window, at, self.end..start)?;
        let (word, end) = self.head(head)?;
        // The last chunk ends with the stream.
        if self.rows.saturating_sub(self.row) <= self.chunk_rows && end != self.bytes {
            return Err(Error::Corrupt);
        }
        let payload = view(window, at, start..end)?;
        let crc = u32::from_le_bytes(*head.last_chunk().ok_or(Error::Corrupt)?);
        if checksum(self.header, self.chunks, word, payload) != crc {
            return Err(Error::Corrupt);
        }
        if word & STORED != 0 {
            if self.rows_of_next().checked_mul(units.row_bytes) != Some(payload.len()) {
                return Err(Error::Corrupt);
            }
            (self.mode, self.next) = (PLAIN, start);
        } else {
            let decoder = rans::Decoder::new(payload).ok_or(Error::Corrupt)?;
            (self.mode, self.x, self.next) = (CODED, decoder.x, end.saturating_sub(decoder.bytes.len()));
        }
        (self.start, self.end) = (start, end);
        self.chunks = self.chunks.saturating_add(1);
        Ok(())
    }

    /// The bytes of the row at hand in a chunk that was not coded.
    fn plain_row<'w>(&self, units: &Units, window: &'w [u8], at: usize) -> Result<&'w [u8], Error> {
        let end = self.next.checked_add(units.row_bytes).filter(|&e| e <= self.end).ok_or(Error::Corrupt)?;
        view(window, at, self.next..end)
    }

    /// The next unit, into `codes`: zeros behind its end.
    fn unit(
        &mut self,
        units: &Units,
        window: &[u8],
        at: usize,
        codes: &mut [i8; UNIT_LEN],
    ) -> Result<Option<ArchiveUnit>, Error> {
        if self.mode == CLOSED {
            if self.is_done() {
                return Ok(None);
            }
            self.open(units, window, at)?;
        }
        let (index, len, row) = (self.unit, units.len_of(self.unit), self.row);
        if self.mode == PLAIN {
            let row = self.plain_row(units, window, at)?;
            let unit = units.unpack(row, index).ok_or(Error::Corrupt)?;
            *codes = unit.codes;
            self.scale = unit.scale.unwrap_or(self.scale);
        } else {
            let bytes = view(window, at, self.next..self.end)?;
            let mut decoder = rans::Decoder { x: self.x, bytes };
            let [a, b] = self.trits;
            let model = Model { trits: [a, b], base: self.base, shift: self.shift, classes: self.classes };
            if units.has_scale(index) {
                self.scale = model.decode_scale(&mut decoder).ok_or(Error::Corrupt)?;
            }
            let (place, behind) = codes.split_at_mut_checked(len).ok_or(Error::Corrupt)?;
            model.decode_trits(place, &mut decoder).ok_or(Error::Corrupt)?;
            behind.fill(0);
            (self.x, self.next) = (decoder.x, self.end.saturating_sub(decoder.bytes.len()));
        }
        self.unit = self.unit.saturating_add(1);
        if self.unit >= units.count() {
            if self.mode == CODED && self.chunk_ends_with_row() {
                let rest = view(window, at, self.next..self.end)?;
                if !(rans::Decoder { x: self.x, bytes: rest }).is_done() {
                    return Err(Error::Corrupt);
                }
            }
            self.row_is_done(units);
        }
        Ok(Some(ArchiveUnit { len, scale: f16_bits_to_f32(self.scale), row }))
    }

    fn chunk_ends_with_row(&self) -> bool {
        let after = self.row.saturating_add(1);
        after >= self.rows || after >= self.chunks.saturating_mul(self.chunk_rows)
    }

    fn row_is_done(&mut self, units: &Units) {
        if self.mode == PLAIN {
            self.next = self.next.saturating_add(units.row_bytes);
        }
        if self.chunk_ends_with_row() {
            self.mode = CLOSED;
        }
        self.unit = 0;
        self.row = self.row.saturating_add(1);
    }
}

/// The bytes `range` of a stream, of which `window` begins at byte `at`.
fn view(window: &[u8], at: usize, range: Range<usize>) -> Result<&[u8], Error> {
    let start = range.start.checked_sub(at).ok_or(Error::Corrupt)?;
    let end = range.end.checked_sub(at).ok_or(Error::Corrupt)?;
    window.get(start..end).ok_or(Error::Corrupt)
}
