#![cfg_attr(not(any(feature = "std", test)), no_std)]
//! Ultra-low-bit learning on small machines: float weights and gradients become ternary, five-level or int8 codes,
//! packed, and are multiplied packed, with the same bits on every machine.
//!
//! The core is `no_std`, allocates nothing and has no panic path. Its rooms, from the ground up:
//!
//! | room | what lives there |
//! |---|---|
//! | [`Error`] | everything that a function can refuse, and the C status numbers |
//! | [`math`], [`workspace`] | f32-only maths, random numbers; typed scratch out of one caller buffer |
//! | [`simd`] | the tiers scalar, SSE4.2, AVX2, NEON; which one is used, and how to force one |
//! | [`quant`] | numbers to codes: fits, formats, int8 activations |
//! | [`linear`] | codes times activations: dot, matvec, matmul; f32 vectors and matrices |
//! | [`kmeans`] | Lloyd's algorithm at once, in parts that merge, on threads, on streams; first centres; how many; int8; exact 1-D |
//! | [`constrain`] | sets: nearest point, violation, derivative; intersections; the trust region, and steps in it |
//! | [`learn`] | layers and losses with gradients; the optimizer: bounded steps, quantized gradients, state and parameters; ternary weights that learn without a float copy; the network that predicts how far to step |
//! | `io` (feature `std`) | safetensors, GGUF, C headers |
//! | `capi` (feature `capi`) | the `extern "C"` functions of `include/hybridq.h` |
//!
//! ```
//! use hybridq::linear::{Packed, matvec};
//! use hybridq::quant::{
//!     ActBlock, Format, NonFinite, Options, quantize, quantize_activations, quantize_workspace_size,
//! };
//!
//! # fn main() -> Result<(), hybridq::Error> {
//! let (rows, cols, format) = (2, 8, Format::Tq2_0);
//! let weights = [
//!     0.9, -1.1, 0.1, 0.0, 1.0, -0.1, 0.2, -1.0, -2.1, 0.0, 1.9, -0.1, 0.3, 2.0, -1.9, 0.1f32,
//! ];
//! let options = Options::new(format); // the exact L2 projection, per block
//! let mut packed = vec![0; format.matrix_bytes(rows, cols)?];
//! let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols)?];
//! quantize(format, &options, rows, cols, &weights, &mut packed, &mut scratch)?;
//!
//! let mut acts = [ActBlock::ZERO; ActBlock::count(8)];
//! quantize_activations(1, cols, &[1.0, 2.0, -1.0, 0.5, 0.0, 1.5, -2.0, 1.0], NonFinite::Error, &mut acts)?;
//! let mut y = [0.0; 2];
//! matvec(&Packed::new(format, rows, cols, &packed)?, &acts, &mut y)?;
//! assert!((y[0] + 2.0).abs() < 1e-3 && (y[1] - 2.923).abs() < 1e-3);
//! # Ok(())
//! # }
//! ```
//!
//! What all functions share: shapes are checked once, before anything is written; outputs are written only on
//! success; a size query and the function that uses the buffer share their code; NaN and infinity are refused
//! unless the caller asks for saturation. No function blocks or keeps state, but for the tier in use.

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "capi")]
pub mod capi;
pub mod constrain;
mod error;
pub mod kmeans;
pub mod learn;
pub mod linear;
pub mod math;
pub mod quant;
mod selftest;
pub mod simd;
pub mod workspace;

pub use error::Error;
pub use selftest::{selftest, selftest_constrain, selftest_learn};

#[cfg(feature = "std")]
pub mod io;
#[cfg(feature = "std")]
pub mod train;
