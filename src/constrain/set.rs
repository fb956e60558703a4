//! Any of the sets.

use crate::Error;

use super::place::{Place, Sealed};
use super::{
    Affine, BoxSet, CappedSimplex, Codebook, ExactTernary, Halfspace, Hyperplane, L1Ball, L2Ball, LinfBall,
    NonNegative, Product, Project, Projected, RowMaxNorm, SecondOrderCone, Simplex, Sphere, TopK,
};

/// Any of the sets, for lists of them, for the optimizer and for C. [`Project`] does what the set in it does.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Set<'a> {
    /// [`L2Ball`].
    L2Ball(L2Ball<'a>),
    /// [`BoxSet`].
    Box(BoxSet<'a>),
    /// [`NonNegative`].
    NonNegative(NonNegative),
    /// [`LinfBall`].
    LinfBall(LinfBall<'a>),
    /// [`Halfspace`].
    Halfspace(Halfspace<'a>),
    /// [`Hyperplane`].
    Hyperplane(Hyperplane<'a>),
    /// [`Affine`].
    Affine(Affine<'a>),
    /// [`SecondOrderCone`].
    SecondOrderCone(SecondOrderCone),
    /// [`Sphere`].
    Sphere(Sphere<'a>),
    /// [`RowMaxNorm`].
    RowMaxNorm(RowMaxNorm),
    /// [`Product`].
    Product(Product<'a>),
    /// [`Simplex`].
    Simplex(Simplex),
    /// [`CappedSimplex`].
    CappedSimplex(CappedSimplex),
    /// [`L1Ball`].
    L1Ball(L1Ball<'a>),
    /// [`TopK`].
    TopK(TopK),
    /// [`Codebook`].
    Codebook(Codebook<'a>),
    /// [`ExactTernary`].
    ExactTernary(ExactTernary),
}

/// Calls a function of whichever set it is; products have a line of their own. One line for each.
macro_rules! each {
    ($any:expr, $set:ident => $call:expr, $product:pat => $other:expr) => {
        match $any {
            Set::Product($product) => $other,
            Set::L2Ball($set) => $call,
            Set::Box($set) => $call,
            Set::NonNegative($set) => $call,
            Set::LinfBall($set) => $call,
            Set::Halfspace($set) => $call,
            Set::Hyperplane($set) => $call,
            Set::Affine($set) => $call,
            Set::SecondOrderCone($set) => $call,
            Set::Sphere($set) => $call,
            Set::RowMaxNorm($set) => $call,
            Set::Simplex($set) => $call,
            Set::CappedSimplex($set) => $call,
            Set::L1Ball($set) => $call,
            Set::TopK($set) => $call,
            Set::Codebook($set) => $call,
            Set::ExactTernary($set) => $call,
        }
    };
}

impl Set<'_> {
    /// Whether the set is convex: then its projection is unique and does not expand distances, and
    /// [`dykstra`](super::dykstra()) takes it.
    #[must_use]
    pub fn is_convex(&self) -> bool {
        match self {
            Set::Product(product) => product.parts.iter().all(|part| part.set.is_convex_part()),
            _ => self.is_convex_part(),
        }
    }

    /// The same of what is no product.
    fn is_convex_part(&self) -> bool {
        match self {
            Set::Product(_) => false,
            Set::Sphere(_) | Set::TopK(_) | Set::Codebook(_) | Set::ExactTernary(_) => false,
            Set::L2Ball(_) | Set::Box(_) | Set::NonNegative(_) | Set::LinfBall(_) | Set::L1Ball(_) => true,
            Set::Halfspace(_) | Set::Hyperplane(_) | Set::Affine(_) | Set::SecondOrderCone(_) => true,
            Set::RowMaxNorm(_) | Set::Simplex(_) | Set::CappedSimplex(_) => true,
        }
    }
}

/// A part of a product. Products in products are refused: without them no function calls itself, so that the stack has a
/// bound.
pub(super) struct Factor<'s, 'a>(pub(super) &'s Set<'a>);

impl Factor<'_, '_> {
    pub(super) fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        each!(self.0, set => set.apply(place, scratch), _ => Err(Error::Unsupported))
    }

    pub(super) fn pull_back(
        &self,
        x: &[f32],
        v: &[f32],
        out: &mut [f32],
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        each!(self.0, set => set.pull_back(x, v, out, scratch), _ => Err(Error::Unsupported))
    }

    pub(super) fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        each!(self.0, set => set.differentiable(x), _ => Err(Error::Unsupported))
    }

    pub(super) fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        each!(self.0, set => set.workspace_size(len), _ => Err(Error::Unsupported))
    }

    pub(super) fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        each!(self.0, set => set.violation(x), _ => Err(Error::Unsupported))
    }
}

impl Sealed for Set<'_> {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        each!(self, set => set.apply(place, scratch), product => product.apply(place, scratch))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        each!(self, set => set.pull_back(x, v, out, scratch), product => product.pull_back(x, v, out, scratch))
    }

    fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        each!(self, set => set.differentiable(x), product => product.differentiable(x))
    }
}

impl Project for Set<'_> {
    fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        each!(self, set => set.workspace_size(len), product => product.workspace_size(len))
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        each!(self, set => set.violation(x), product => product.violation(x))
    }
}
