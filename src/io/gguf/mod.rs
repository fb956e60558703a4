//! GGUF, the container of ggml: read (versions 2 and 3) and written (version 3), little-endian.
//!
//! Layout, from the specification in the ggml repository (`docs/gguf.md`):
//!
//! ```text
//! "GGUF"  u32 version  u64 tensor count  u64 metadata count
//! metadata:  string key, u32 type, value          (string = u64 length, UTF-8 bytes)
//! tensors:   string name, u32 n, u64 dims[n], u32 type, u64 offset
//! zeros up to the next multiple of general.alignment (32 unless said)
//! data:      each tensor at its offset from here, offsets multiples of the alignment
//! ```
//!
//! Dimensions are in ggml's order: the first is the length of a row. This module keeps that order;
//! [`crate::io::model`] turns it round.
//!
//! The reader and writer are our own. The crate that was considered, `ggus` 0.5.1, allocates by the counts in
//! the header before it looks at the length of the file and subtracts unchecked; here a hostile file must cost
//! one error line. And a file must be written while its tensors are produced one after the other.

mod read;
mod value;
mod write;

pub(crate) use read::parse_head;
pub use read::{Gguf, TensorInfo, parse};
pub use value::{Array, Value, ValueType};
pub use write::{GgufWriter, TensorSpec};

use super::Dtype;

/// The alignment of a file that does not state one.
pub const DEFAULT_ALIGNMENT: u64 = 32;
/// The most dimensions that a tensor may have.
pub const MAX_DIMS: usize = 4;
/// The specification's limit for the length of a metadata key.
pub const MAX_KEY: u64 = 65_535;
/// The longest tensor name that is read or written: far above every real one.
pub const MAX_NAME: u64 = 4_096;
/// ggml keeps tensor names in 64 bytes with a terminating zero; longer names load here, not there.
pub const GGML_MAX_NAME: usize = 63;

/// The tensor types that hybridq knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TensorType {
    /// A plain element type.
    Plain(Dtype),
    /// 32 weights in 18 bytes. Listed by `inspect`, not decoded.
    Q4_0,
    /// 32 weights in 34 bytes.
    Q8_0,
    /// 256 ternary weights in 54 bytes.
    Tq1_0,
    /// 256 ternary weights in 66 bytes.
    Tq2_0,
}

impl TensorType {
    /// Every type with its number in the file.
    pub const ALL: [(u32, TensorType); 12] = [
        (0, TensorType::Plain(Dtype::F32)),
        (1, TensorType::Plain(Dtype::F16)),
        (2, TensorType::Q4_0),
        (8, TensorType::Q8_0),
        (24, TensorType::Plain(Dtype::I8)),
        (25, TensorType::Plain(Dtype::I16)),
        (26, TensorType::Plain(Dtype::I32)),
        (27, TensorType::Plain(Dtype::I64)),
        (28, TensorType::Plain(Dtype::F64)),
        (30, TensorType::Plain(Dtype::Bf16)),
        (34, TensorType::Tq1_0),
        (35, TensorType::Tq2_0),
    ];

    /// The type with this number, if hybridq knows it.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|(n, _)| *n == number).map(|(_, t)| t)
    }

    /// The number in the file; `None` for a plain type that GGUF lacks (unsigned, bool, 8-bit float).
    #[must_use]
    pub fn number(self) -> Option<u32> {
        Self::ALL.into_iter().find(|(_, t)| *t == self).map(|(n, _)| n)
    }

    /// Weights in a block, and its bytes.
    #[must_use]
    pub const fn block(self) -> (u64, u64) {
        match self {
            TensorType::Plain(d) => (1, d.size() as u64),
            TensorType::Q4_0 => (32, 18),
            TensorType::Q8_0 => (32, 34),
            TensorType::Tq1_0 => (256, 54),
            TensorType::Tq2_0 => (256, 66),
        }
    }

    /// The usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            TensorType::Plain(d) => d.name(),
            TensorType::Q4_0 => "Q4_0",
            TensorType::Q8_0 => "Q8_0",
            TensorType::Tq1_0 => "TQ1_0",
            TensorType::Tq2_0 => "TQ2_0",
        }
    }

    /// Bytes of a tensor of these dimensions (ggml order); `None` where a row is no whole number of
    /// blocks or the size does not fit 64 bits.
    #[must_use]
    pub fn bytes(self, dims: &[u64]) -> Option<u64> {
        let (len, size) = self.block();
        let row = dims.first().copied().unwrap_or(1);
        if !row.is_multiple_of(len) {
            return None;
        }
        let rows = dims.get(1..).unwrap_or(&[]);
        let elements = rows.iter().try_fold(row, |a, d| a.checked_mul(*d))?;
        (elements / len).checked_mul(size)
    }
}
