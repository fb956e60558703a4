//! safetensors: one file or a sharded model in, a streaming writer out.
//!
//! Layout: `u64` header length, a JSON object `{name: {dtype, shape, data_offsets}}` with an
//! optional `__metadata__` object of strings, then the data without gaps.
//!
//! Element types and the entries of the header are those of the `safetensors` crate. The checks are
//! here, because the crate lets two things pass: names that appear twice (the last would silently
//! win), ends whose sum wraps around 64 bits (eight tensors of 2^61 bytes do), and its
//! refusals do not say which tensor is meant.

mod index;
mod read;
mod write;

pub use index::{Index, parse_index};
pub use read::{Safetensors, TensorInfo, parse};
pub use write::{SafetensorsWriter, TensorSpec};

/// The longest header that is read: the limit of the reference implementation.
pub const MAX_HEADER: u64 = 100_000_000;
