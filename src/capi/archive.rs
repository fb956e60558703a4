//! Room `quant`: the ternary archive.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::quant::archive::{HEADER_BYTES, UNIT_LEN};
use crate::quant::{self, ArchiveDecoder, ArchiveInfo, Format};

use super::hq_status;
use super::pointers::{Input, Output, disjoint, size, status};

/// Bytes of the header of an archive stream: what `hq_archive_decoder_init` has to see.
pub const HQ_ARCHIVE_HEADER_SIZE: usize = 80;
/// The most codes that `hq_archive_next_codes` writes.
pub const HQ_ARCHIVE_CODES: usize = 256;

const _: () = {
    assert!(HQ_ARCHIVE_HEADER_SIZE == HEADER_BYTES);
    assert!(HQ_ARCHIVE_CODES == UNIT_LEN);
};

/// What an archived tensor is; 32 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_archive_info {
    /// Rows of the matrix.
    pub rows: u64,
    /// Columns of the matrix.
    pub cols: u64,
    /// Bytes of the whole stream.
    pub size: u64,
    /// `HQ_FORMAT_*`: the format that it was packed in, and decodes to.
    pub format: i32,
    /// Rows in a chunk; the last chunk may have fewer.
    pub chunk_rows: u32,
}

/// Where a decoder stands; 160 bytes. It refers to no memory and may be copied, to come back to a place. Do not read
/// or change the contents; they are for one run of one program, not for files.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_archive_decoder {
    /// The library's own.
    pub state: [u64; 20],
}

/// What `hq_archive_next_codes` gives beside the codes; 24 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_archive_unit {
    /// The row that the codes belong to.
    pub row: u64,
    /// How many codes there are; 0 at the end of the stream.
    pub len: u64,
    /// Weight = code * scale.
    pub scale: f32,
    /// 0.
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<hq_archive_info>() == 32);
    assert!(size_of::<hq_archive_decoder>() == 160);
    assert!(size_of::<hq_archive_decoder>() >= size_of::<ArchiveDecoder>());
    assert!(align_of::<hq_archive_decoder>() >= align_of::<ArchiveDecoder>());
    assert!(size_of::<hq_archive_unit>() == 24);
};

impl From<ArchiveInfo> for hq_archive_info {
    fn from(info: ArchiveInfo) -> hq_archive_info {
        hq_archive_info {
            rows: info.rows as u64,
            cols: info.cols as u64,
            size: info.bytes as u64,
            format: info.format as i32,
            chunk_rows: info.chunk_rows as u32,
        }
    }
}

impl hq_archive_decoder {
    fn from_rust(decoder: &ArchiveDecoder) -> hq_archive_decoder {
        let mut out = hq_archive_decoder::zeroed();
        let bytes = bytemuck::bytes_of_mut(&mut out);
        bytes.iter_mut().zip(bytemuck::bytes_of(decoder)).for_each(|(to, from)| *to = *from);
        out
    }

    fn to_rust(self) -> ArchiveDecoder {
        let mut out = ArchiveDecoder::zeroed();
        let bytes = bytemuck::bytes_of(&self);
        bytemuck::bytes_of_mut(&mut out).iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        out
    }
}

/// The most bytes that `hq_archive_encode` writes for such a matrix: those of one that cannot be compressed.
///
/// `SIZE_MAX` for arguments that `hq_archive_encode` would refuse: a format that is not ternary, or a size that does
/// not fit `size_t`.
///
/// ```c
/// assert(hq_archive_bound(HQ_FORMAT_TQ2_0, 2, 256, 0) == HQ_ARCHIVE_HEADER_SIZE + 8 + 2 * 66);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_archive_bound(format: i32, rows: usize, cols: usize, chunk_rows: usize) -> usize {
    size(|| quant::archive_bound(Format::from_i32(format)?, rows, cols, chunk_rows))
}

/// Archives a packed ternary matrix: an entropy-coded stream with checksums, about 1.55 bits a weight for real
/// weights, that decodes to the same bytes.
///
/// - `format`: `HQ_FORMAT_TQ1_0`, `HQ_FORMAT_TQ2_0` or `HQ_FORMAT_DENSE_TERNARY`.
/// - `data`: at least `hq_matrix_size(format, rows, cols)` bytes.
/// - `chunk_rows`: rows that are checked and decoded together, 0 for as many as hold about 32768 weights (6 KB
///   coded). A chunk costs about 12 bytes.
/// - `out`: at least `hq_archive_bound(format, rows, cols, chunk_rows)` bytes.
/// - `written`: how many of them the stream takes.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (the format is not ternary), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE` (`data` too short),
/// `HQ_ERROR_OUTPUT_TOO_SMALL`. Nothing is written then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `written` points to one `size_t`.
///
/// ```c
/// const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
/// uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
/// size_t written;
/// assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, sizeof packed, 0, stream, sizeof stream,
///                          &written) == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_archive_encode(
    format: i32,
    rows: usize,
    cols: usize,
    data: *const u8,
    data_size: usize,
    chunk_rows: usize,
    out: *mut u8,
    out_size: usize,
    written: *mut usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let data = Input::new(data, data_size)?;
        let out = Output::new(out, out_size)?;
        let written = Output::new(written, 1)?;
        disjoint(&[out.span(), written.span()], &[data.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (data, out) = unsafe { (data.slice(), out.slice()) };
        let n = quant::archive_encode(format, rows, cols, data, chunk_rows, out)?;
        // SAFETY: as above.
        unsafe { written.write(n) };
        Ok(())
    })
}

/// Begins to decode: reads the header, fills `decoder` and `info`.
///
/// `stream` holds the beginning of the stream, `HQ_ARCHIVE_HEADER_SIZE` bytes at least. The buffers must not overlap.
/// Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_CORRUPT` (not a stream,
/// damaged or cut short), `HQ_ERROR_VERSION`, `HQ_ERROR_SIZE_OVERFLOW` (too large for this machine). Nothing is
/// written then.
///
/// # Safety
/// `stream` is valid for `stream_size` bytes; `decoder` and `info` point to one struct each.
///
/// ```c
/// const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
/// uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
/// size_t size;
/// hq_archive_decoder decoder;
/// hq_archive_info info;
/// assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
/// assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK); // else damaged, or no archive
/// assert(info.rows == 1 && info.cols == 5 && info.format == HQ_FORMAT_DENSE_TERNARY);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_archive_decoder_init(
    stream: *const u8,
    stream_size: usize,
    decoder: *mut hq_archive_decoder,
    info: *mut hq_archive_info,
) -> hq_status {
    status(|| {
        let stream = Input::new(stream, stream_size)?;
        let decoder = Output::new(decoder, 1)?;
        let info = Output::new(info, 1)?;
        disjoint(&[decoder.span(), info.span()], &[stream.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let found = ArchiveDecoder::new(unsafe { stream.slice() })?;
        let what = found.info()?;
        // SAFETY: as above.
        unsafe {
            decoder.write(hq_archive_decoder::from_rust(&found));
            info.write(what.into());
        }
        Ok(())
    })
}

/// Which bytes of the stream the next call of `hq_archive_next_codes` or `hq_archive_next_rows` must see: `from` up
/// to but not including `to`; equal at the end. For streams that pass through a small buffer; one that is in memory
/// as a whole needs no such question.
///
/// The bytes are a whole chunk, or the 8 that tell its length while the window does not hold those: load what is
/// named, and ask again.
///
/// - `window`: the part of the stream at hand; `at` is where in the stream it begins.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_CORRUPT`. Nothing is written
/// then.
///
/// # Safety
/// `window` is valid for `window_size` bytes; `decoder`, `from` and `to` point to one value each.
///
/// ```c
/// const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
/// uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
/// size_t size;
/// hq_archive_decoder decoder;
/// hq_archive_info info;
/// assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
/// assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
/// uint8_t window[64]; // holds stream[at .. at + have]
/// size_t from, to, at = 0, have = 0;
/// int8_t codes[HQ_ARCHIVE_CODES];
/// hq_archive_unit unit;
/// while (hq_archive_window(&decoder, window, have, at, &from, &to) == HQ_OK && from < to) {
///     if (from < at || to > at + have) {
///         at = from, have = to - from;
///         assert(have <= sizeof window);
///         memcpy(window, stream + at, have); // from flash, or from a line
///     } else {
///         assert(hq_archive_next_codes(&decoder, window, have, at, codes, sizeof codes, &unit) == HQ_OK);
///     }
/// }
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_archive_window(
    decoder: *const hq_archive_decoder,
    window: *const u8,
    window_size: usize,
    at: usize,
    from: *mut usize,
    to: *mut usize,
) -> hq_status {
    status(|| {
        let decoder = Input::new(decoder, 1)?;
        let window = Input::new(window, window_size)?;
        let (from, to) = (Output::new(from, 1)?, Output::new(to, 1)?);
        disjoint(&[from.span(), to.span()], &[decoder.span(), window.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (state, window) = unsafe { (decoder.slice(), window.slice()) };
        let state = state.first().ok_or(Error::NullPointer)?.to_rust();
        let need = state.need(window, at)?;
        // SAFETY: as above.
        unsafe {
            from.write(need.start);
            to.write(need.end);
        }
        Ok(())
    })
}

/// Decodes the next codes: a block of the format (`TQ1_0`, `TQ2_0`: 256), or 160 of a dense ternary row; fewer at the
/// end of a row. `unit->len` is 0 at the end of the stream.
///
/// - `window`, `at`: the whole stream and 0, or the part that `hq_archive_window` asks for and where it begins.
/// - `codes`: `HQ_ARCHIVE_CODES` at least; -1, 0, 1 (2 where a `TQ2_0` file holds the code that no encoder writes).
///   Those behind `unit->len` become 0.
///
/// The checksum of a chunk is compared before its first code is given. Buffers must not overlap.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_OUTPUT_TOO_SMALL`,
/// `HQ_ERROR_CORRUPT` (the stream is damaged, or the window does not hold what is needed). Nothing is written then,
/// and the decoder stays where it was.
///
/// # Safety
/// Each pointer is valid for the length given with it; `decoder` and `unit` point to one struct each, and
/// `hq_archive_decoder_init` has filled the decoder.
///
/// ```c
/// const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
/// uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
/// size_t size;
/// hq_archive_decoder decoder;
/// hq_archive_info info;
/// assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
/// assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
/// int8_t codes[HQ_ARCHIVE_CODES];
/// hq_archive_unit unit;
/// float sum = 0.0f;
/// while (hq_archive_next_codes(&decoder, stream, size, 0, codes, sizeof codes, &unit) == HQ_OK && unit.len > 0) {
///     for (size_t i = 0; i < unit.len; i++) sum += (float)codes[i] * unit.scale;
/// }
/// assert(sum == 5.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_archive_next_codes(
    decoder: *mut hq_archive_decoder,
    window: *const u8,
    window_size: usize,
    at: usize,
    codes: *mut i8,
    codes_len: usize,
    unit: *mut hq_archive_unit,
) -> hq_status {
    status(|| {
        let decoder = Output::new(decoder, 1)?;
        let window = Input::new(window, window_size)?;
        let codes = Output::new(codes, codes_len)?;
        let unit = Output::new(unit, 1)?;
        disjoint(&[decoder.span(), codes.span(), unit.span()], &[window.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (place, window, codes) = unsafe { (decoder.slice(), window.slice(), codes.slice()) };
        let place = place.first_mut().ok_or(Error::NullPointer)?;
        let codes = codes.first_chunk_mut::<UNIT_LEN>().ok_or(Error::OutputTooSmall)?;
        let mut state = place.to_rust();
        let found = match state.next_unit(window, at, codes)? {
            Some(u) => hq_archive_unit { row: u.row as u64, len: u.len as u64, scale: u.scale, reserved: 0 },
            None => hq_archive_unit::zeroed(),
        };
        *place = hq_archive_decoder::from_rust(&state);
        // SAFETY: as above.
        unsafe { unit.write(found) };
        Ok(())
    })
}

/// Unpacks the next rows to the bytes that were archived: `rows` of them, or fewer where the chunk ends; `done` tells
/// how many. 0 only at the end of the stream, or for `rows` 0.
///
/// - `window`, `at`: as for `hq_archive_next_codes`.
/// - `out`: at least `hq_matrix_size(format, rows, cols)` bytes, or those of the rows that are left.
///
/// Buffers must not overlap.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_INVALID_ARGUMENT` (`hq_archive_next_codes` has left off inside a row),
/// `HQ_ERROR_CORRUPT`. The decoder stays where it was; `done` and `out` are untouched, `out` with one exception: in
/// a forged stream, whose checksum is right and whose contents are not, the fault shows when rows have been written.
///
/// # Safety
/// Each pointer is valid for the length given with it; `decoder` and `done` point to one value each, and
/// `hq_archive_decoder_init` has filled the decoder.
///
/// ```c
/// const uint8_t packed[3] = {0xFF, 0x00, 0x3C}; // a dense ternary row: five ones, scale 1.0
/// uint8_t stream[HQ_ARCHIVE_HEADER_SIZE + 8 + sizeof packed];
/// size_t size;
/// hq_archive_decoder decoder;
/// hq_archive_info info;
/// assert(hq_archive_encode(HQ_FORMAT_DENSE_TERNARY, 1, 5, packed, 3, 0, stream, sizeof stream, &size) == HQ_OK);
/// assert(hq_archive_decoder_init(stream, size, &decoder, &info) == HQ_OK);
/// uint8_t back[3];
/// size_t row = 0, done = 1, row_size = hq_row_size(info.format, 5);
/// while (done > 0 && hq_archive_next_rows(&decoder, stream, size, 0, 1 - row, back + row * row_size,
///                                         sizeof back - row * row_size, &done) == HQ_OK) {
///     row += done;
/// }
/// assert(row == info.rows && memcmp(back, packed, 3) == 0); // fewer rows: the stream is damaged
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_archive_next_rows(
    decoder: *mut hq_archive_decoder,
    window: *const u8,
    window_size: usize,
    at: usize,
    rows: usize,
    out: *mut u8,
    out_size: usize,
    done: *mut usize,
) -> hq_status {
    status(|| {
        let decoder = Output::new(decoder, 1)?;
        let window = Input::new(window, window_size)?;
        let out = Output::new(out, out_size)?;
        let done = Output::new(done, 1)?;
        disjoint(&[decoder.span(), out.span(), done.span()], &[window.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (place, window, out) = unsafe { (decoder.slice(), window.slice(), out.slice()) };
        let place = place.first_mut().ok_or(Error::NullPointer)?;
        let mut state = place.to_rust();
        let n = state.next_rows(window, at, rows, out)?;
        *place = hq_archive_decoder::from_rust(&state);
        // SAFETY: as above.
        unsafe { done.write(n) };
        Ok(())
    })
}
