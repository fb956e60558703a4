//! k-means of int8 points in integers alone: the same bits on a microcontroller and on a server.
//!
//! Points are `n` rows of `d` codes. Centres are `k` rows of `d` numbers of 16 bits in **sixteenths** of a code
//! ([`FRACTION_BITS`]): with centres rounded to whole codes the inertia is larger by what the fractions weigh, a twelfth of
//! a squared code for every coordinate of every point, and the search costs the same. docs/kmeans_int8.md has
//! the figures. Inertia is a `u64` in squared sixteenths: 256 for a squared distance of 1 in codes. All of it is exact:
//! a row belongs to the centre with the least distance, the lowest number among equals.
//!
//! | bound | value | beyond it |
//! |---|---|---|
//! | features | 1..=[`MAX_FEATURES`] (5461): sums of products and half norms are `i32` | [`Error::SizeOverflow`] |
//! | clusters | 1..=65535, labels are `u16` | [`Error::InvalidArgument`] |
//! | rows times features | 2^39: inertia is an `i64` in partials | [`Error::SizeOverflow`] |
//! | rows of a [`fit`] on a 32-bit machine | 2^24: sums are `i32` | [`Error::SizeOverflow`] |
//!
//! [`fit`] does it all at once. [`plus_plus`], [`accumulate`], [`merge`] and [`update`] are its parts, for data that comes in
//! slices, from several machines, or without end.

mod assign;
mod fit;
mod grid;
mod packed;
mod partial;
mod pass;
mod relocate;
mod search;
mod seed;

use crate::Error;

pub use assign::{assign, assign_workspace_size};
pub use fit::{Fit, Options, Seeding, fit, fit_workspace_size};
pub use grid::{FRACTION_BITS, MAX_FEATURES, round_centers};
pub use partial::{Update, accumulate, accumulate_workspace_size, decay, merge, partial_len, update};
pub use seed::{plus_plus, plus_plus_workspace_size};

/// The most clusters: one label means none.
const MAX_CLUSTERS: usize = u16::MAX as usize;
/// An inertia of this many coordinates fits an `i64`: none is more than 4080^2.
const MAX_COORDINATES: u64 = 1 << 39;

/// Checks `d` and `k`, and returns the coordinates of all centres.
fn model(d: usize, k: usize) -> Result<usize, Error> {
    if d == 0 || k == 0 || k > MAX_CLUSTERS {
        return Err(Error::InvalidArgument);
    }
    if d > MAX_FEATURES {
        return Err(Error::SizeOverflow);
    }
    k.checked_mul(d).ok_or(Error::SizeOverflow)
}

/// The number of rows of `d` codes.
fn rows(points: usize, d: usize) -> Result<usize, Error> {
    if d == 0 {
        return Err(Error::InvalidArgument);
    }
    if points as u64 > MAX_COORDINATES {
        return Err(Error::SizeOverflow);
    }
    let n = points.checked_div(d).unwrap_or(0);
    if n * d == points { Ok(n) } else { Err(Error::Shape) }
}

/// The number of clusters that so many coordinates are the centres of.
fn clusters(centers: usize, d: usize) -> Result<usize, Error> {
    let k = centers.checked_div(d).ok_or(Error::InvalidArgument)?;
    if model(d, k)? == centers { Ok(k) } else { Err(Error::Shape) }
}
