//! The weight formats: names, numbers and sizes.

use crate::Error;

use super::{dense_ternary, five_level, q8_0, q35b, q35p, tq1_0, tq2_0};

/// A packed weight format. The numbers are those of the C ABI; below 1000 they are GGUF tensor types.
///
/// A weight matrix has `rows` x `cols` values in row-major order and every row is encoded on its own,
/// so a range of rows is a contiguous range of bytes. The last block of a row is padded with zeros (five-level
/// and Q35B: is shorter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(i32)]
pub enum Format {
    /// GGUF type 8: int8, blocks of 32; the layout is in [`q8_0`].
    Q8_0 = 8,
    /// GGUF type 34: base-3 ternary, blocks of 256; the layout is in [`tq1_0`].
    Tq1_0 = 34,
    /// GGUF type 35: 2-bit ternary, blocks of 256; the layout is in [`tq2_0`].
    Tq2_0 = 35,
    /// Five trits a byte, one scale a row; the layout is in [`dense_ternary`].
    DenseTernary = 1000,
    /// Levels {-1, -1/2, 0, 1/2, 1}, blocks of 192, the last one of a row shorter; the layout is in
    /// [`five_level`].
    FiveLevel = 1001,
    /// Pairs of a 4-bit and a 3-bit weight, a scale and an offset a row: 3.5 bits; the layout is in [`q35p`].
    Q35P = 1002,
    /// 3.5 bits: two 8-level codebooks, blocks of 256, the last one of a row shorter; the layout is in [`q35b`].
    Q35B = 1003,
}

impl Format {
    /// Every format of this version.
    pub const ALL: [Format; 7] = [
        Format::Q8_0,
        Format::Tq1_0,
        Format::Tq2_0,
        Format::DenseTernary,
        Format::FiveLevel,
        Format::Q35P,
        Format::Q35B,
    ];

    /// The name that the command line and GGUF metadata use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Format::Q8_0 => "q8_0",
            Format::Tq1_0 => "tq1_0",
            Format::Tq2_0 => "tq2_0",
            Format::DenseTernary => "dense_ternary",
            Format::FiveLevel => "five_level",
            Format::Q35P => "q35p",
            Format::Q35B => "q35b",
        }
    }

    /// The format with that [`name`](Format::name), in any letter case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|f| f.name().eq_ignore_ascii_case(name))
    }

    /// The format with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Format, Error> {
        Format::ALL.into_iter().find(|&f| f as i32 == value).ok_or(Error::UnknownEnum)
    }

    /// Values in one block: a scale covers that many (a whole row for [`Format::DenseTernary`], whose
    /// block is one byte, and for [`Format::Q35P`], whose block is 16 weights in 7 bytes).
    #[must_use]
    pub const fn block_len(self) -> usize {
        match self {
            Format::Q8_0 => q8_0::BLOCK_LEN,
            Format::Tq1_0 => tq1_0::BLOCK_LEN,
            Format::Tq2_0 => tq2_0::BLOCK_LEN,
            Format::DenseTernary => dense_ternary::TRITS_PER_BYTE,
            Format::FiveLevel => five_level::BLOCK_LEN,
            Format::Q35P => q35p::UNIT_LEN,
            Format::Q35B => q35b::BLOCK_LEN,
        }
    }

    /// Bytes of one block.
    #[must_use]
    pub const fn block_bytes(self) -> usize {
        match self {
            Format::Q8_0 => q8_0::BLOCK_BYTES,
            Format::Tq1_0 => tq1_0::BLOCK_BYTES,
            Format::Tq2_0 => tq2_0::BLOCK_BYTES,
            Format::DenseTernary => 1,
            Format::FiveLevel => five_level::BLOCK_BYTES,
            Format::Q35P => q35p::UNIT_BYTES,
            Format::Q35B => q35b::BLOCK_BYTES,
        }
    }

    /// Bytes that follow the blocks of each row.
    const fn row_trailer(self) -> usize {
        match self {
            Format::DenseTernary => dense_ternary::SCALE_BYTES,
            Format::Q35P => q35p::TRAILER_BYTES,
            _ => 0,
        }
    }

    /// Bytes of one packed row of `cols` values; 0 for an empty row.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    pub const fn row_bytes(self, cols: usize) -> Result<usize, Error> {
        if cols == 0 {
            return Ok(0);
        }
        if let Format::FiveLevel | Format::Q35B = self {
            // Their last block is only as long as it needs to be.
            let full = match (cols / self.block_len()).checked_mul(self.block_bytes()) {
                Some(full) => full,
                None => return Err(Error::SizeOverflow),
            };
            let tail = match (self, cols % self.block_len()) {
                (_, 0) => 0,
                (Format::Q35B, rest) => q35b::tail_bytes(rest),
                (_, rest) => five_level::tail_bytes(rest),
            };
            return match full.checked_add(tail) {
                Some(bytes) => Ok(bytes),
                None => Err(Error::SizeOverflow),
            };
        }
        let blocks = cols.div_ceil(self.block_len());
        match blocks.checked_mul(self.block_bytes()) {
            Some(bytes) => match bytes.checked_add(self.row_trailer()) {
                Some(bytes) => Ok(bytes),
                None => Err(Error::SizeOverflow),
            },
            None => Err(Error::SizeOverflow),
        }
    }

    /// Bytes of a packed matrix.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    pub const fn matrix_bytes(self, rows: usize, cols: usize) -> Result<usize, Error> {
        match self.row_bytes(cols) {
            Ok(row) => match row.checked_mul(rows) {
                Some(bytes) => Ok(bytes),
                None => Err(Error::SizeOverflow),
            },
            Err(error) => Err(error),
        }
    }

    /// Bits per weight of a row of `cols` values, scales and padding included; NaN for an empty row.
    #[must_use]
    pub fn bits_per_weight(self, cols: usize) -> f32 {
        match self.row_bytes(cols) {
            Ok(bytes) => 8.0 * bytes as f32 / cols as f32,
            Err(_) => f32::NAN,
        }
    }
}
