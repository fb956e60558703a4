//! Reading and writing files.
#![cfg(feature = "std")]

mod archive;
mod c_header;
mod formats;
mod matrix;
mod support;
