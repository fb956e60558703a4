//! Matrices whose rows have at most a given norm.

use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::distance::{Distance, of_squares};
use super::l2_ball::{L2Ball, check_radius};
use super::place::{Limit, Place, Sealed};
use super::sums::{Squares, finite, sums_with};
use super::{Project, Projected};

/// The matrices whose rows have a norm of at most `radius`: max-norm regularisation of a layer.
///
/// The vector is a matrix, row after row; a length that is no multiple of `cols` is [`Error::Shape`], `cols` 0
/// [`Error::InvalidArgument`]. Each row is projected as by [`L2Ball`] about the origin; the violation is that of the worst
/// row.
///
/// ```
/// use hybridq::constrain::{Project, RowMaxNorm};
/// let mut rows = [3.0, 4.0, 0.5, 0.0]; // 2 x 2
/// RowMaxNorm { cols: 2, radius: 2.5 }.project_inplace(&mut rows, &mut [])?;
/// assert_eq!(rows, [1.5, 2.0, 0.5, 0.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowMaxNorm {
    /// Values of a row.
    pub cols: usize,
    /// Finite, at least 0.
    pub radius: f32,
}

impl RowMaxNorm {
    fn check(&self, x: &[f32]) -> Result<(), Error> {
        check_radius(self.radius)?;
        match x.len().checked_rem(self.cols) {
            None => Err(Error::InvalidArgument),
            Some(0) => finite(x),
            Some(_) => Err(Error::Shape),
        }
    }
}

#[inline(always)]
fn row_norm<F: Floats>(f: F, row: &[f32]) -> Result<Distance, Error> {
    let [squares] = sums_with::<1, 4, F, _>(f, Squares, row, Limit::ZERO, Limit::ZERO);
    of_squares(squares, 0.0, row, None)
}

struct Rows<'a> {
    set: RowMaxNorm,
    place: Place<'a>,
}

impl FloatKernel for Rows<'_> {
    type Output = Result<bool, Error>;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Result<bool, Error> {
        let RowMaxNorm { cols, radius } = self.set;
        let mut active = false;
        let mut rest = self.place;
        while !rest.x().is_empty()
            && let Some((row, later)) = rest.split_at(cols)
        {
            let from = row_norm(f, row.x())?;
            if from.beyond(radius) <= from.slack(radius) {
                row.keep();
            } else {
                active = true;
                let toward = from.toward(radius);
                match toward.plain() {
                    Some(times) => row.map_with(f, times, Limit::ZERO, Limit::ZERO),
                    None => row.map_with(f, toward, Limit::ZERO, Limit::ZERO),
                }
            }
            rest = later;
        }
        Ok(active)
    }
    #[inline(never)]
    fn portable(self) -> Result<bool, Error> {
        let RowMaxNorm { cols, radius } = self.set;
        let ball = L2Ball { center: None, radius };
        let mut active = false;
        let mut rest = self.place;
        while !rest.x().is_empty()
            && let Some((row, later)) = rest.split_at(cols)
        {
            active |= ball.apply(row, &mut [])?.active;
            rest = later;
        }
        Ok(active)
    }
}

struct Worst<'a> {
    set: RowMaxNorm,
    x: &'a [f32],
}

impl FloatKernel for Worst<'_> {
    type Output = Result<f32, Error>;
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Result<f32, Error> {
        let mut worst = 0.0f32;
        for row in split_rows(self.x, self.set.cols) {
            worst = worst.max(row_norm(f, row)?.beyond(self.set.radius));
        }
        Ok(worst)
    }
    #[inline(never)]
    fn portable(self) -> Result<f32, Error> {
        let ball = L2Ball { center: None, radius: self.set.radius };
        let mut worst = 0.0f32;
        for row in split_rows(self.x, self.set.cols) {
            worst = worst.max(ball.violation(row)?);
        }
        Ok(worst)
    }
}

impl Sealed for RowMaxNorm {
    fn apply(&self, place: Place<'_>, _: &mut [u8]) -> Result<Projected, Error> {
        self.check(place.x())?;
        Ok(Projected { active: floats::run(simd::active(), Rows { set: *self, place })? })
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        self.check(x)?;
        finite(v)?;
        let ball = L2Ball { center: None, radius: self.radius };
        let rows = split_rows(x, self.cols).zip(split_rows(v, self.cols));
        for ((x, v), out) in rows.zip(split_rows_mut(out, self.cols)) {
            ball.pull_back(x, v, out, &mut [])?;
        }
        Ok(())
    }
}

impl Project for RowMaxNorm {
    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        self.check(x)?;
        floats::run(simd::active(), Worst { set: *self, x })
    }
}
