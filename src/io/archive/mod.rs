//! The archive file (`.hqa`): a whole GGUF file, its ternary tensors entropy-coded, everything under a checksum; it is
//! restored byte for byte.
//!
//! Numbers are little-endian. The file begins with
//!
//! | bytes | contents |
//! |---|---|
//! | 0..4 | `HQAR` |
//! | 4..8 | version: 1 |
//! | 8..16 | bytes of the GGUF file |
//! | 16..20 | CRC-32 of bytes 0..16 |
//!
//! and goes on with parts:
//!
//! | bytes of a part | contents |
//! |---|---|
//! | 0..8 | where in the GGUF file it belongs; parts are in order, and zeros (fewer than 65536) fill what is between |
//! | 8..16 | bytes that it stands for there |
//! | 16..24 | bytes p of its payload |
//! | 24 | 0: the payload is those bytes; 1: it is a ternary stream ([`crate::quant::archive`]); 2: the end |
//! | 25 | 0 |
//! | 26..28 | bytes n of its name |
//! | 28..28+n | the name of the tensor; empty for parts that are none |
//! | 4 | CRC-32 of the part up to here |
//! | p | payload |
//! | 4 | CRC-32 of the payload; absent for a ternary stream, which has its own |
//!
//! The first part is the head of the GGUF file: metadata and the list of tensors. The last one is the end: it belongs
//! behind the last byte, and its payload is the CRC-32 of the whole GGUF file. A device that wants one tensor walks the
//! part heads, and decodes the stream that it finds.

mod read;
mod write;

pub use read::{Archive, is_archive};
pub use write::archive_model;

const MAGIC: [u8; 4] = *b"HQAR";
const VERSION: u32 = 1;
const FILE_HEAD: usize = 20;
const PART_HEAD: usize = 28;
const PLAIN: u8 = 0;
const TERNARY: u8 = 1;
const END: u8 = 2;
/// Longer runs of zeros between tensors are stored.
const MAX_GAP: u64 = 65_536;
/// Bytes that are written at once.
const STEP: usize = 1 << 22;
