//! Clustering: Lloyd's algorithm on f32 points, in parts that merge; and the one-dimensional case, whose optimum can be found
//! exactly (parameters, codebooks, scales).
//!
//! Every result is defined without reference to the tier, the number of threads or the order of the rows: labels by the
//! *canonical distance* (squares of differences in f32, added in one fixed order of operations, ties to the centre that
//! comes first), centres and inertia by integer sums. The kernels work differently on every tier, and check themselves:
//! where rounding could decide, the canonical distance does. [`int8`] is the same for int8 points, in integers alone.

mod balanced;
mod bounds;
mod choose;
mod data;
mod describe;
mod empty;
mod exact_1d;
mod farthest;
mod fit;
mod frame;
mod groups;
pub mod int8;
mod lloyd;
mod mini_batch;
mod panels;
#[cfg(feature = "rayon")]
mod parallel;
mod parameters;
mod partial;
mod pass;
mod points;
mod restarts;
mod score;
mod seed;
mod shard;
mod stream;
mod sums;

pub use balanced::{
    MAX_BALANCED, Size, Sizes, assign_balanced, assign_balanced_workspace_size, fit_balanced,
    fit_balanced_workspace_size,
};
pub use bounds::Bounds;
pub use choose::{Candidate, Choice, ChooseOptions, choose_k, choose_k_workspace_size};
pub use data::{
    Batches, ClusterBatch, DataClusters, balanced_batch, batches_per_epoch, cluster_batch, probabilities,
    sample_rows, sampling,
};
pub use describe::{Summary, Top2, summarize, summarize_workspace_size, top2, transform};
pub use empty::Empty;
pub use exact_1d::{
    BinClusters, Bins, Clusters1d, Exact1d, MAX_BINS, MAX_LABELS, cluster_bins, cluster_bins_workspace_size,
    exact_1d, exact_1d_workspace_size, label_1d, merge_bins, most_values,
};
pub use farthest::{farthest_add, farthest_len, farthest_merge, update_farthest};
pub use fit::{Fit, FitOptions, Stop, fit, fit_workspace_size, normalize_rows};
pub use frame::{Frame, limits_add, limits_clear, limits_len, limits_merge};
pub use mini_batch::{Draw, MiniBatchOptions, mini_batch, mini_batch_workspace_size};
#[cfg(feature = "rayon")]
pub use parallel::fit_parallel;
pub use parameters::{
    MAX_BITS, ParameterCluster, SuggestedBits, cluster_parameters, cluster_parameters_workspace_size,
    suggest_bits, suggest_bits_workspace_size,
};
pub use partial::{Step, accumulate, assign, assign_workspace_size, merge, partial_len, update};
pub use points::Points;
pub use restarts::{Restarts, fit_seeded, fit_seeded_workspace_size};
pub use seed::{Seeding, seed, seed_workspace_size};
pub use stream::{
    stream_fit, stream_fit_workspace_size, stream_len, stream_reassign, stream_reassign_workspace_size,
    stream_start, stream_update,
};
