//! k-means in all its forms.

#[path = "../common/mod.rs"]
mod common;

mod balanced;
mod choose;
mod data;
mod farthest;
mod fit;
mod int8;
mod int8_properties;
mod int8_support;
#[cfg(feature = "rayon")]
mod parallel;
mod properties;
mod seed;
mod stream;
mod support;
