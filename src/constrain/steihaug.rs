//! The step of a trust region for a quadratic model whose Hessian is known only by its products with vectors: conjugate
//! gradients that stop at the boundary (Steihaug, "The conjugate gradient method and trust regions in large scale
//! optimization", SIAM J. Numer. Anal. 20, 1983; Toint 1981).
//!
//! Everything inside is dimensionless, so that neither gradients, curvatures nor radii of 1e30 or 1e-30 overflow or get
//! lost: the residual is in units of the norm of the gradient, the direction in units of the residual, the step in units
//! of the first one, or of the radius if that is smaller.

use crate::Error;
use crate::linear::vector;
use crate::math::sqrt;
use crate::simd;
use crate::workspace::{Carver, Layout};

/// Products of a symmetric matrix (a Hessian, a Gauss-Newton matrix, differences of gradients) with vectors. Every closure
/// `FnMut(&[f32], &mut [f32]) -> Result<(), Error>` is one.
///
/// ```
/// use hybridq::constrain::{SteihaugOptions, steihaug, steihaug_workspace_size};
/// // Any closure: here twice the identity.
/// let mut hessian = |v: &[f32], out: &mut [f32]| {
///     out.iter_mut().zip(v).for_each(|(out, v)| *out = 2.0 * v);
///     Ok(())
/// };
/// let (mut step, mut scratch) = ([0.0; 2], vec![0; steihaug_workspace_size(2)?]);
/// let options = SteihaugOptions::default();
/// steihaug(&[-4.0, 2.0], &mut hessian, 10.0, &options, &mut step, &mut scratch)?;
/// assert!((step[0] - 2.0).abs() < 1e-6 && (step[1] + 1.0).abs() < 1e-6);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub trait HessianVector {
    /// Writes `H v` to `out`; both have the length of the gradient. `out` holds anything before.
    ///
    /// `v` is of the order of 1 whatever the gradient is, so a product by differences may scale it as it likes.
    ///
    /// # Errors
    /// Any: the search stops with [`SteihaugStop::Hessian`] and the step found so far.
    fn apply(&mut self, v: &[f32], out: &mut [f32]) -> Result<(), Error>;
}

impl<F: FnMut(&[f32], &mut [f32]) -> Result<(), Error>> HessianVector for F {
    fn apply(&mut self, v: &[f32], out: &mut [f32]) -> Result<(), Error> {
        self(v, out)
    }
}

/// A symmetric matrix in memory.
#[derive(Clone, Copy, Debug)]
pub struct DenseHessian<'a> {
    /// Its `len * len` values.
    matrix: &'a [f32],
    len: usize,
}

impl<'a> DenseHessian<'a> {
    /// The `len` x `len` matrix in `matrix`, row after row. It should be symmetric.
    ///
    /// # Errors
    /// [`Error::Shape`] for another length, [`Error::SizeOverflow`].
    pub fn new(matrix: &'a [f32], len: usize) -> Result<DenseHessian<'a>, Error> {
        if matrix.len() != len.checked_mul(len).ok_or(Error::SizeOverflow)? {
            return Err(Error::Shape);
        }
        Ok(DenseHessian { matrix, len })
    }
}

impl HessianVector for DenseHessian<'_> {
    fn apply(&mut self, v: &[f32], out: &mut [f32]) -> Result<(), Error> {
        if v.len() != self.len || out.len() != self.len {
            return Err(Error::Shape);
        }
        for (row, out) in crate::workspace::split_rows(self.matrix, self.len).zip(out) {
            *out = vector::dot(row, v)?;
        }
        Ok(())
    }
}

/// When [`steihaug`] stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SteihaugOptions {
    /// Stop when the norm of the residual `g + H p` is at most this part of that of the gradient; 0 to 1.
    pub tolerance: f32,
    /// Stop after so many products with the Hessian. Exact arithmetic needs at most as many as there are parameters.
    pub max_iterations: u32,
}

impl Default for SteihaugOptions {
    /// Tolerance 0.1, 100 iterations.
    fn default() -> SteihaugOptions {
        SteihaugOptions { tolerance: 0.1, max_iterations: 100 }
    }
}

impl SteihaugOptions {
    /// A tolerance that tightens as the gradient vanishes, `min(1/2, sqrt(|g|))`: Newton's method then converges faster
    /// than linearly (Nocedal and Wright, Algorithm 7.1). At least 1e-6, which f32 can reach.
    #[must_use]
    pub fn forcing(gradient_norm: f32) -> f32 {
        let root = sqrt(gradient_norm);
        // NaN gives a half.
        let upper = if root < 0.5 { root } else { 0.5 };
        if upper > 1e-6 { upper } else { 1e-6 }
    }

    fn check(&self) -> Result<(), Error> {
        if (0.0..=1.0).contains(&self.tolerance) { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

/// Why [`steihaug`] stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum SteihaugStop {
    /// The residual is small enough: the step is that of Newton's method, within the tolerance.
    Converged = 0,
    /// The next iterate would leave the region: the step ends on the boundary.
    Boundary = 1,
    /// The model has no positive curvature along the direction: the step follows it to the boundary.
    NegativeCurvature = 2,
    /// The iterations are used up; the step is the last iterate.
    Iterations = 3,
    /// The product failed or gave NaN or infinity; the step is the last iterate before that (zeros if there is none).
    Hessian = 4,
}

/// What [`steihaug`] has found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steihaug {
    /// Why it stopped.
    pub stop: SteihaugStop,
    /// Products with the Hessian.
    pub iterations: u32,
    /// By how much the model falls: `-(g.p + p.Hp / 2)`, at least 0, finite ([`f32::MAX`] where it is larger).
    pub predicted: f32,
    /// The norm of the step; the radius, exactly, if the step ends on the boundary.
    pub norm: f32,
    /// The norm of the residual `g + H p` over that of the gradient, of the last iterate inside the region.
    pub residual: f32,
}

/// How many times longer than its unit a step may be.
const FAR: f32 = 1e15;

fn layout(len: usize) -> Result<Layout, Error> {
    Layout::EMPTY.array::<f32>(len)?.array::<f32>(len)?.array::<f32>(len)
}

/// Bytes of scratch that [`steihaug`] needs: three vectors and 9 bytes for alignment.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn steihaug_workspace_size(len: usize) -> Result<usize, Error> {
    Ok(layout(len)?.size())
}

/// Minimises the model `g.p + p.Hp / 2` over `|p| <= radius`, approximately: the reduction is at least that of the best
/// step along the gradient, and where a convex model is left at the boundary, at least half of the largest that there is
/// (Yuan, "On the truncated conjugate gradient method", 2000).
///
/// `gradient` and `step` have the same length; all of `step` is written. `scratch` holds at least
/// [`steihaug_workspace_size`] bytes. Same bits on every tier, if `hessian` gives them.
///
/// # Errors
/// [`Error::InvalidArgument`] for a radius that is not positive and finite, or a tolerance outside 0 to 1;
/// [`Error::Shape`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]; [`Error::NonFinite`] if the gradient holds
/// NaN or infinity or its norm exceeds [`f32::MAX`]. `step` is untouched then.
///
/// ```
/// use hybridq::constrain::{DenseHessian, SteihaugOptions, SteihaugStop, steihaug, steihaug_workspace_size};
///
/// // The minimum of -2x - 3y + x^2 + y^2 + xy / 2 is at 2/3, 4/3.
/// let mut hessian = DenseHessian::new(&[2.0, 0.5, 0.5, 2.0], 2)?;
/// let options = SteihaugOptions { tolerance: 1e-6, ..Default::default() };
/// let mut step = [0.0; 2];
/// let mut scratch = vec![0; steihaug_workspace_size(2)?];
/// let found = steihaug(&[-2.0, -3.0], &mut hessian, 10.0, &options, &mut step, &mut scratch)?;
/// assert_eq!(found.stop, SteihaugStop::Converged);
/// assert!((step[0] - 2.0 / 3.0).abs() < 1e-6 && (step[1] - 4.0 / 3.0).abs() < 1e-6);
///
/// // A smaller region ends the step on its boundary.
/// let found = steihaug(&[-2.0, -3.0], &mut hessian, 0.5, &options, &mut step, &mut scratch)?;
/// assert_eq!((found.stop, found.norm), (SteihaugStop::Boundary, 0.5));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn steihaug(
    gradient: &[f32],
    hessian: &mut impl HessianVector,
    radius: f32,
    options: &SteihaugOptions,
    step: &mut [f32],
    scratch: &mut [u8],
) -> Result<Steihaug, Error> {
    options.check()?;
    if !(radius > 0.0 && radius <= f32::MAX) {
        return Err(Error::InvalidArgument);
    }
    let len = gradient.len();
    if step.len() != len {
        return Err(Error::Shape);
    }
    let mut carver = Carver::new(scratch);
    let (r, v) = (carver.take::<f32>(len)?, carver.take::<f32>(len)?);
    let product = carver.take::<f32>(len)?;
    let size = vector::norm(gradient);
    if !size.is_finite() {
        return Err(Error::NonFinite);
    }
    step.fill(0.0);
    let mut found =
        Steihaug { stop: SteihaugStop::Converged, iterations: 0, predicted: 0.0, norm: 0.0, residual: 0.0 };
    if size == 0.0 {
        return Ok(found);
    }
    for ((r, v), &g) in r.iter_mut().zip(v.iter_mut()).zip(gradient) {
        *r = g / size;
        *v = -*r;
    }

    // The unit of the step, and the radius in it.
    let (mut unit, mut bound) = (radius, 1.0f32);
    // |r|, |v|^2, and of the step in its unit: |p|^2 and p.v
    let mut rho = 1.0f32;
    let (mut vv, mut pp, mut pv) = (vector::dot(v, v)?, 0.0f32, 0.0f32);
    found.stop = loop {
        if rho <= options.tolerance {
            break SteihaugStop::Converged;
        }
        if found.iterations >= options.max_iterations {
            break SteihaugStop::Iterations;
        }
        found.iterations += 1;
        if hessian.apply(v, product).is_err() {
            break SteihaugStop::Hessian;
        }
        // One NaN or infinity in the product is enough to make this one too: 0 times infinity is NaN.
        let curvature = vector::dot(v, product)?;
        if !curvature.is_finite() {
            break SteihaugStop::Hessian;
        }
        // Infinite where the step is longer than any radius.
        let length = size * rho / curvature;
        if found.iterations == 1 && length > f32::MIN_POSITIVE && length < radius {
            (unit, bound) = (length, radius / length);
        }
        let mut t = length / unit;
        let mut next = pp + t * (2.0 * pv + t * vv);
        // Squares stay finite: a step that turns out so much longer than the first goes on in units of the radius.
        let short = next < FAR * FAR;
        if bound > FAR && (curvature <= 0.0 || !short) {
            let by = unit / radius;
            for p in step.iter_mut() {
                *p *= by;
            }
            (unit, bound, pp, pv) = (radius, 1.0, vector::dot(step, step)?, pv * by);
            t = length / unit;
            next = pp + t * (2.0 * pv + t * vv);
        }
        // NaN goes to the boundary too.
        let inside = next < bound * bound;
        if curvature <= 0.0 || !inside {
            let t = to_boundary(bound, pp, pv, vv);
            let length = t * unit;
            vector::axpy(t, v, step)?;
            found.predicted += length * (size * rho - 0.5 * length * curvature);
            break if curvature <= 0.0 { SteihaugStop::NegativeCurvature } else { SteihaugStop::Boundary };
        }
        vector::axpy(t, v, step)?;
        found.predicted += 0.5 * length * (size * rho);
        vector::axpy(rho / curvature, product, r)?;
        let rho_next = sqrt(vector::dot(r, r)?);
        if !rho_next.is_finite() {
            // The curvature is lost in rounding beside the product; the iterate is good, the direction is not.
            rho = rho_next;
            break SteihaugStop::Hessian;
        }
        if rho_next > 0.0 {
            next_direction(r, rho_next, rho_next / rho, v);
        }
        rho = rho_next;
        (vv, pp, pv) = (vector::dot(v, v)?, vector::dot(step, step)?, vector::dot(step, v)?);
    };
    found.residual = if rho.is_finite() { rho } else { f32::MAX };
    let ends_on_boundary = matches!(found.stop, SteihaugStop::Boundary | SteihaugStop::NegativeCurvature);
    found.norm = if ends_on_boundary { radius } else { vector::norm(step) * unit };
    found.predicted = found.predicted.clamp(0.0, f32::MAX);
    for p in step.iter_mut() {
        *p *= unit;
    }
    Ok(found)
}

/// `t >= 0` with `|p + t v| = bound`, of `|p|^2`, `p.v` and `|v|^2`; of its two forms the one without cancellation.
fn to_boundary(bound: f32, pp: f32, pv: f32, vv: f32) -> f32 {
    let room = bound * bound - pp;
    let room = if room > 0.0 { room } else { 0.0 };
    let root = sqrt(pv * pv + vv * room);
    if pv > 0.0 { room / (pv + root) } else { (root - pv) / vv }
}

/// `v = -r / rho + beta v`.
fn next_direction(r: &[f32], rho: f32, beta: f32, v: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        move || {
            for (v, &r) in v.iter_mut().zip(r) {
                *v = beta * *v - r / rho;
            }
        },
    );
}
