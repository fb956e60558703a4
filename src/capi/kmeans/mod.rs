//! Room `kmeans`, one file a concern.

// In the order of the header.
pub mod exact_1d;

pub mod seed;

pub mod fit;

pub mod partial;

pub mod describe;
