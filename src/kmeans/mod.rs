//! Clustering. So far the one-dimensional case, whose optimum can be found exactly: parameters, codebooks, scales.

mod exact_1d;
mod seed;

pub use exact_1d::{Clusters1d, Exact1d, exact_1d, exact_1d_workspace_size};
pub use seed::{Samples, Seeding, seed, seed_workspace_size};
