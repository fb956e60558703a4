#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![doc = "hybridq: ultra-low-bit learning on small machines."]

#[cfg(feature = "alloc")]
extern crate alloc;

mod error;
pub mod linear;
pub mod math;
pub mod quant;
pub mod simd;
pub mod workspace;

pub use error::Error;

#[cfg(feature = "std")]
pub mod io;
