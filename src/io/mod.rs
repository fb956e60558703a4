//! Host file formats: safetensors and GGUF in and out, tables of numbers in and out, C headers out.
//!
//! Everything here treats a file as hostile until proven otherwise: lengths, counts and offsets are
//! checked against the bytes that are really there before anything is allocated or sliced, and a
//! refusal is one [`IoError`] that names the file, the tensor, the fault and the mend.
//!
//! | module | reads | writes |
//! |---|---|---|
//! | [`safetensors`] | one file, or a sharded `*.index.json` | streaming |
//! | [`gguf`] | version 2 and 3, little-endian | version 3, streaming |
//! | [`model`] | either of the two, as one list of tensors | – |
//! | [`convert`] | – | quantize and dequantize a whole model in bounded memory |
//! | [`archive`] | whole GGUF files with entropy-coded ternary tensors | the same |
//! | [`npy`], [`csv`] | arrays of NumPy, and text, as one [`matrix::Matrix`] | matrices and labels |
//! | [`c_header`] | – | a C99 header with the packed tensors |
//! | [`atomic`] | – | any file, whole or not at all |
//!
//! Files are memory-mapped. As with every mapping, a file that another process truncates while it
//! is being read ends the program with a bus error; a file that is merely malformed never does.

pub mod archive;
pub mod atomic;
pub mod c_header;
pub mod convert;
pub mod csv;
pub mod dtype;
mod error;
pub mod gguf;
mod map;
pub mod matrix;
pub mod model;
pub mod npy;
pub mod safetensors;

pub use dtype::Dtype;
pub use error::{ErrorKind, IoError, printable};
pub use map::MappedFile;
