//! The ternary archive: packed ternary tensors, entropy-coded for storage and for updates over the air, checked,
//! and decoded unit by unit in bounded memory. It comes out byte for byte as it went in.
//!
//! Trits of real weights are not equally likely (about a half are zero) and the scales of a tensor lie close
//! together, so the encoder of all-MiniLM-L6-v2 takes 1.57 bits a weight here, scales, tables and checksums counted:
//! 20.4 times less than FP32, where `TQ1_0` takes 1.69 and `TQ2_0` 2.06 (`make bench-peers SUITE=archive`).
//!
//! ## The bytes of a stream
//!
//! One stream holds one tensor. Numbers are little-endian.
//!
//! | bytes of the header | contents |
//! |---|---|
//! | 0..4 | `HQTA` |
//! | 4 | version: 1 |
//! | 5 | 0 |
//! | 6..8 | format: 34 `TQ1_0`, 35 `TQ2_0`, 1000 dense ternary |
//! | 8..16, 16..24 | rows, columns |
//! | 24..32 | bytes of the stream, this header included |
//! | 32..36 | rows in a chunk; the last chunk has those that are left |
//! | 36..38, 38..40 | frequencies of the trits -1 and 0 in 4096ths; that of 1 is the rest; all at least 1 |
//! | 40..42 | base: the smallest scale, as the bits of its f16 |
//! | 42 | shift, 0 to 12 |
//! | 43 | 0 |
//! | 44..76 | frequencies of the 16 scale classes in 4096ths, u16 each, 4096 in sum |
//! | 76..80 | CRC-32 of bytes 0..76 |
//!
//! Then one chunk after the other:
//!
//! | bytes of a chunk | contents |
//! |---|---|
//! | 0..4 | bits 0-30: length n of the payload; bit 31: the rows stand there as they were, packed |
//! | 4..8 | CRC-32 of: index of the chunk (u32), bytes 0..4, payload; begun with the CRC of the header in place of 0 |
//! | 8..8+n | payload |
//!
//! A coded payload is the output of an rANS coder with a 32-bit state `x` (bytes 0..4; 2^23 <= x < 2^31) that takes
//! in further bytes, one at a time, as `x = 256 x + byte` while x < 2^23. A symbol of frequency f, with the
//! frequencies of those before it adding up to s, is the one for which `s <= x mod 4096 < s + f`; then
//! `x = f (x div 4096) + (x mod 4096) - s`. Row after row, unit after unit (a block of 256 weights; of a dense row, a
//! group of 160; fewer at the end of a row), it holds the scale (of a dense row: only before its first unit), then
//! the trits. A scale is a class symbol c, then `shift` plain bits (`x mod 2^shift`, then `x = x div 2^shift`), and
//! stands for the f16 with the bits `base + c 2^shift + plain`. After the last trit of a chunk, x is 2^23 and no byte
//! is left.
//!
//! CRC-32 is that of zlib. The frequencies are those of the tensor: chunks do not depend on each other.

mod crc;
mod decode;
mod encode;
mod header;
mod model;
mod rans;
mod unit;

pub(crate) use crc::crc32;
pub use decode::{ArchiveDecoder, ArchiveUnit};
pub use encode::{archive_bound, archive_encode};
pub use header::ArchiveInfo;
pub use unit::UNIT_LEN;

/// Bytes of the header of a stream.
pub const HEADER_BYTES: usize = 80;
/// Bytes of a chunk before its payload.
const CHUNK_HEAD: usize = 8;
/// In the length word: the payload is not coded.
const STORED: u32 = 1 << 31;
/// Weights in a chunk unless the caller says otherwise: about 6 KB coded.
const DEFAULT_CHUNK: usize = 1 << 15;

const _: () = assert!(size_of::<ArchiveDecoder>() <= 160);
