//! Constraint sets: the nearest point of a set, how far outside a point is, and the derivative of the projection. And the
//! trust region: how far a step may go ([`TrustRegion`]), and the best step that goes no further ([`steihaug`]).
//!
//! Every set is a small `Copy` struct that borrows its data and implements [`Project`]; [`Set`] is any of them. Nothing
//! allocates; what a set needs beside its input is the caller's scratch. Float operations have one fixed order, so the
//! results are the same bits on every tier.
//!
//! A projection reads its input once to survey it (NaN and infinity are refused there, with the output untouched), and
//! once more to write the output where the set moves it. An input inside the set, or outside by no more than the rounding
//! of a projected point, comes back with the same bits: projecting twice is projecting once.
//!
//! ```
//! use hybridq::constrain::{L2Ball, Project, Set};
//!
//! let ball = Set::L2Ball(L2Ball { center: None, radius: 1.0 });
//! let mut step = [3.0, -4.0];
//! assert_eq!(ball.violation(&step)?, 4.0);
//! assert!(ball.project_inplace(&mut step, &mut [])?.active);
//! assert_eq!(step, [0.6, -0.8]);
//! # Ok::<(), hybridq::Error>(())
//! ```

mod affine;
mod boxes;
mod clamp;
mod codebook;
mod cone;
mod distance;
mod dykstra;
mod l1_ball;
mod l2_ball;
mod place;
mod planes;
mod product;
mod row_norm;
mod set;
mod simplex;
mod sphere;
mod steihaug;
mod sums;
mod ternary;
mod threshold;
mod top_k;
mod trust_region;

pub use affine::{Affine, affine_factor_len, affine_prepare, affine_prepare_workspace_size};
pub use boxes::{BoxSet, LinfBall, NonNegative};
pub use codebook::Codebook;
pub use cone::SecondOrderCone;
pub use dykstra::{Dykstra, DykstraOptions, dykstra, dykstra_workspace_size};
#[cfg(feature = "capi")]
pub(crate) use dykstra::{Sets, dykstra_of, workspace_size_of};
pub use l1_ball::L1Ball;
pub use l2_ball::L2Ball;
pub use place::Limit;
pub use planes::{Halfspace, Hyperplane};
pub use product::{Part, Product};
pub use row_norm::RowMaxNorm;
pub use set::Set;
pub use simplex::{CappedSimplex, Simplex};
pub use sphere::Sphere;
pub use steihaug::{
    DenseHessian, HessianVector, Steihaug, SteihaugOptions, SteihaugStop, steihaug, steihaug_workspace_size,
};
pub use ternary::ExactTernary;
pub use top_k::TopK;
pub use trust_region::{Trial, TrustOptions, TrustOutcome, TrustRegion, TrustStatistics, Verdict};

use crate::Error;
use place::{Place, Sealed};

/// What a projection did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Projected {
    /// Whether the constraint was active: the point was outside, and has been moved. `false`: the output is the input,
    /// bit for bit.
    pub active: bool,
}

/// A closed set of vectors. Implemented by the sets of this library, and by no others.
///
/// The functions share these errors: [`Error::NonFinite`] for a NaN or an infinity in `x`, `v` or the data of the set,
/// [`Error::InvalidArgument`] for parameters out of range, [`Error::Shape`] if the data of the set do not fit the length
/// of `x`. Outputs are untouched on every error.
///
/// ```
/// use hybridq::constrain::{L2Ball, Project};
/// let set = L2Ball { center: None, radius: 1.0 };
/// let x = [3.0, -4.0];
/// let (mut near, mut slope) = ([0.0; 2], [0.0; 2]);
/// let mut scratch = vec![0; set.workspace_size(x.len())?]; // nothing, for a ball
/// assert!(set.project(&x, &mut near, &mut scratch)?.active);
/// assert_eq!((near, set.violation(&x)?), ([0.6, -0.8], 4.0));
/// assert!(set.is_feasible(&near, 1e-6)? && !set.is_feasible(&x, 1e-6)?);
/// // How a loss with the gradient `v` at `near` changes with `x`: along the ball only, a fifth of it.
/// set.vjp(&x, &[4.0, 3.0], &mut slope, &mut scratch)?;
/// assert!((slope[0] - 0.8).abs() < 1e-6 && (slope[1] - 0.6).abs() < 1e-6);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub trait Project: Sealed {
    /// Bytes of scratch that the other functions need for vectors of `len` values; 0 for most sets.
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        let _ = len;
        Ok(0)
    }

    /// The nearest point of the set in the Euclidean norm; which one, where several are equally near, is said at the set.
    ///
    /// `out` takes at least `x.len()` values; just those are written. `scratch` has at least
    /// [`workspace_size`](Project::workspace_size) bytes at any alignment.
    ///
    /// # Errors
    /// As for all; [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`].
    fn project(&self, x: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<Projected, Error> {
        let out = out.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
        if scratch.len() < self.workspace_size(x.len())? {
            return Err(Error::WorkspaceTooSmall);
        }
        self.apply(Place::Apart { x, out }, scratch)
    }

    /// [`project`](Project::project) that overwrites its input.
    ///
    /// # Errors
    /// As [`project`](Project::project); `x` is untouched then.
    fn project_inplace(&self, x: &mut [f32], scratch: &mut [u8]) -> Result<Projected, Error> {
        if scratch.len() < self.workspace_size(x.len())? {
            return Err(Error::WorkspaceTooSmall);
        }
        self.apply(Place::Inside(x), scratch)
    }

    /// How far outside the set `x` is, in the measure that the set states; 0 inside. At most `f32::MAX`.
    ///
    /// # Errors
    /// As for all.
    fn violation(&self, x: &[f32]) -> Result<f32, Error>;

    /// Whether the [`violation`](Project::violation) is at most `tolerance`. A projected point is feasible within the
    /// rounding of its values, not always within 0.
    ///
    /// # Errors
    /// As for all; [`Error::InvalidArgument`] for a tolerance that is negative or NaN.
    fn is_feasible(&self, x: &[f32], tolerance: f32) -> Result<bool, Error> {
        if tolerance.is_nan() || tolerance < 0.0 {
            return Err(Error::InvalidArgument);
        }
        Ok(self.violation(x)? <= tolerance)
    }

    /// The vector-Jacobian product of the projection at `x`: `v` times its derivative, what backpropagation needs. Where
    /// the projection has a kink, the derivative from inside is taken.
    ///
    /// `v` has `x.len()` values; `out` takes at least as many.
    ///
    /// # Errors
    /// As for all; [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`]; [`Error::Unsupported`] if there is no
    /// derivative.
    fn vjp(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        if x.len() != v.len() {
            return Err(Error::Shape);
        }
        let out = out.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
        if scratch.len() < self.workspace_size(x.len())? {
            return Err(Error::WorkspaceTooSmall);
        }
        self.pull_back(x, v, out, scratch)
    }
}
