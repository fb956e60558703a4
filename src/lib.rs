#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![doc = "hybridq: ultra-low-bit learning on small machines."]

#[cfg(feature = "alloc")]
extern crate alloc;

#[cfg(feature = "capi")]
pub mod capi;
mod error;
pub mod linear;
pub mod math;
pub mod quant;
mod selftest;
pub mod simd;
pub mod workspace;

pub use error::Error;
pub use selftest::selftest;

#[cfg(feature = "std")]
pub mod io;
