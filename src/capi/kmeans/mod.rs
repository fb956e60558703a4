//! Room `kmeans`, one file a concern.

// In the order of the header.
pub mod exact_1d;

pub mod bins;

pub mod parameters;

pub mod seed;

pub mod fit;

pub mod balanced;

pub mod partial;

pub mod farthest;

pub mod choose;

pub mod int8;

pub mod stream;

pub mod data;
pub mod describe;
pub mod mini_batch;
