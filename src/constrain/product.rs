//! Sets side by side.

use crate::Error;

use super::place::{Place, Sealed};
use super::set::Factor;
use super::{Project, Projected, Set};

/// A set for `len` consecutive values of a vector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<'a> {
    /// What these values are to be in.
    pub set: Set<'a>,
    /// How many they are.
    pub len: usize,
}

/// The Cartesian product: the first part takes the first values, and so on; together they take all ([`Error::Shape`]).
///
/// Projection and derivative are those of the parts; the violation is the largest of theirs. Every part is surveyed before
/// the first one is written to.
///
/// ```
/// use hybridq::constrain::{L2Ball, NonNegative, Part, Product, Project, Set};
/// let parts = [
///     Part { set: Set::NonNegative(NonNegative), len: 2 },
///     Part { set: Set::L2Ball(L2Ball { center: None, radius: 1.0 }), len: 1 },
/// ];
/// let mut x = [-1.0, 2.0, -4.0];
/// Product { parts: &parts }.project_inplace(&mut x, &mut [])?;
/// assert_eq!(x, [0.0, 2.0, -1.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product<'a> {
    /// None of them is a product itself ([`Error::Unsupported`]): list its parts instead.
    pub parts: &'a [Part<'a>],
}

impl Product<'_> {
    fn check(&self, len: usize) -> Result<(), Error> {
        let total = self.parts.iter().try_fold(0usize, |sum, part| sum.checked_add(part.len));
        if total == Some(len) { Ok(()) } else { Err(Error::Shape) }
    }
}

impl Sealed for Product<'_> {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        // Whatever can be wrong with a part shows in its violation.
        self.violation(place.x())?;
        let mut active = false;
        let mut rest = place;
        for part in self.parts {
            let (here, later) = rest.split_at(part.len).ok_or(Error::Shape)?;
            active |= Factor(&part.set).apply(here, scratch)?.active;
            rest = later;
        }
        Ok(Projected { active })
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error> {
        self.violation(x)?;
        super::sums::finite(v)?;
        self.differentiable(x)?;
        let (mut x, mut v, mut out) = (x, v, out);
        for part in self.parts {
            let (x_here, x_later) = x.split_at_checked(part.len).ok_or(Error::Shape)?;
            let (v_here, v_later) = v.split_at_checked(part.len).ok_or(Error::Shape)?;
            let (here, later) = out.split_at_mut_checked(part.len).ok_or(Error::Shape)?;
            Factor(&part.set).pull_back(x_here, v_here, here, scratch)?;
            (x, v, out) = (x_later, v_later, later);
        }
        Ok(())
    }

    fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        let mut x = x;
        for part in self.parts {
            let (here, later) = x.split_at_checked(part.len).ok_or(Error::Shape)?;
            Factor(&part.set).differentiable(here)?;
            x = later;
        }
        Ok(())
    }
}

impl Project for Product<'_> {
    fn workspace_size(&self, len: usize) -> Result<usize, Error> {
        let _ = len;
        self.parts.iter().try_fold(0, |most, part| Ok(Factor(&part.set).workspace_size(part.len)?.max(most)))
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.check(x.len())?;
        let (mut worst, mut x) = (0.0f32, x);
        for part in self.parts {
            let (here, later) = x.split_at_checked(part.len).ok_or(Error::Shape)?;
            worst = worst.max(Factor(&part.set).violation(here)?);
            x = later;
        }
        Ok(worst)
    }
}
