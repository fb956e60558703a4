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

/// Calls a function of whichever set it is. One line for each.
macro_rules! each {
    ($any:expr, $set:ident => $call:expr) => {
        match $any {
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
            Set::Product($set) => $call,
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
            Set::Sphere(_) | Set::TopK(_) | Set::Codebook(_) | Set::ExactTernary(_) => false,
            Set::Product(product) => product.parts.iter().all(|part| part.set.is_convex()),
            Set::L2Ball(_) | Set::Box(_) | Set::NonNegative(_) | Set::LinfBall(_) | Set::L1Ball(_) => true,
            Set::Halfspace(_) | Set::Hyperplane(_) | Set::Affine(_) | Set::SecondOrderCone(_) => true,
            Set::RowMaxNorm(_) | Set::Simplex(_) | Set::CappedSimplex(_) => true,
        }
    }
}

impl Sealed for Set<'_> {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        each!(self, set => set.apply(place, scratch))
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        each!(self, set => set.pull_back(x, v, out, scratch))
    }

    fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        each!(self, set => set.differentiable(x))
    }
}

impl Project for Set<'_> {
    fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        each!(self, set => set.workspace_size(len))
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        each!(self, set => set.violation(x))
    }
}
