//! `{x : A x = b}`, factored once.

use crate::Error;
use crate::math::sqrt;
use crate::simd::floats::Values;
use crate::workspace::{Carver, Layout, split_rows};

use super::place::{Limit, Map, Place, Sealed};
use super::sums::{Scaled, Squares, finite, largest, sums, unit_scale};
use super::{Project, Projected};

/// The solutions of a system of linear equations, `{x : A x = b}`, as [`affine_prepare`] has factored it.
///
/// The factor is an orthonormal basis `Q` of the rows of `A`, with the `d` for which `Q x = d` is the same system: no square
/// of a condition number anywhere, as it would be with the Cholesky factor of `A A'`.
///
/// - Projection: `x - Q' (Q x - d)`. Costs `2 rows cols` multiplications and reads `Q` twice.
/// - Violation: `|Q x - d|`, the distance.
/// - Derivative: `v - Q' Q v`.
///
/// An input within `2^-20 (|x| + |d|)` of the set, about the rounding of a projected point, comes back as it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine<'a> {
    /// Rows of the system; may be 0.
    pub rows: usize,
    /// What [`affine_prepare`] wrote: [`affine_factor_len`] floats.
    pub factor: &'a [f32],
}

/// Floats of the factor of a `rows x cols` system: `rows * (cols + 1)`.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn affine_factor_len(rows: usize, cols: usize) -> Result<usize, Error> {
    cols.checked_add(1).and_then(|n| n.checked_mul(rows)).ok_or(Error::SizeOverflow)
}

fn layout(rows: usize, cols: usize) -> Result<Layout, Error> {
    Layout::EMPTY.array::<f32>(affine_factor_len(rows, cols)?)
}

/// Bytes of scratch that [`affine_prepare`] needs: the size of the factor.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub fn affine_prepare_workspace_size(rows: usize, cols: usize) -> Result<usize, Error> {
    Ok(layout(rows, cols)?.size())
}

/// Factors the system `A x = b`, `a` being `rows x cols`, row after row, for [`Affine`]: Gram-Schmidt with every row
/// orthogonalised twice (Giraud, Langou and Rozloznik 2005), `2 rows^2 cols` multiplications.
///
/// # Errors
/// [`Error::RankDeficient`] if a row follows from those before it to within `2^-16` of its norm, a row of zeros and more
/// rows than columns among them; [`Error::Shape`], [`Error::NonFinite`] (also where a plane is farther from the origin than
/// `f32` reaches), [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`]. `factor` is untouched
/// then.
///
/// ```
/// use hybridq::constrain::{Affine, Project, affine_factor_len, affine_prepare, affine_prepare_workspace_size};
///
/// let mut factor = vec![0.0; affine_factor_len(1, 3)?];
/// let mut scratch = vec![0; affine_prepare_workspace_size(1, 3)?];
/// affine_prepare(1, 3, &[1.0, 1.0, 1.0], &[6.0], &mut factor, &mut scratch)?; // values that sum to 6
///
/// let set = Affine { rows: 1, factor: &factor };
/// let (mut x, mut scratch) = ([1.0, 1.0, 1.0], [0; 16]);
/// set.project_inplace(&mut x, &mut scratch)?;
/// assert!(x.iter().all(|x| (x - 2.0).abs() < 1e-6));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn affine_prepare(
    rows: usize,
    cols: usize,
    a: &[f32],
    b: &[f32],
    factor: &mut [f32],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let len = affine_factor_len(rows, cols)?;
    if Some(a.len()) != rows.checked_mul(cols) || b.len() != rows {
        return Err(Error::Shape);
    }
    let factor = factor.get_mut(..len).ok_or(Error::OutputTooSmall)?;
    let work = Carver::new(scratch).take::<f32>(len)?;
    finite(a)?;
    finite(b)?;
    if rows > cols {
        return Err(Error::RankDeficient);
    }
    let (basis, offsets) = work.split_at_mut_checked(a.len()).ok_or(Error::WorkspaceTooSmall)?;
    for (to, from) in basis.iter_mut().zip(a) {
        *to = *from;
    }
    for i in 0..rows {
        let start = i.saturating_mul(cols);
        let (done, rest) = basis.split_at_mut_checked(start).ok_or(Error::SizeOverflow)?;
        let row = rest.get_mut(..cols).ok_or(Error::SizeOverflow)?;
        let (done_offsets, later) = offsets.split_at_mut_checked(i).ok_or(Error::SizeOverflow)?;
        let (Some(offset), Some(&b)) = (later.first_mut(), b.get(i)) else { return Err(Error::SizeOverflow) };
        *offset = orthogonalize(row, b, done, done_offsets)?;
    }
    for (to, from) in factor.iter_mut().zip(work) {
        *to = *from;
    }
    Ok(())
}

/// Makes `row` a unit vector orthogonal to the rows before it; the offset that belongs to it.
fn orthogonalize(row: &mut [f32], b: f32, before: &[f32], offsets: &[f32]) -> Result<f32, Error> {
    let scale = unit_scale(largest(row));
    let mut offset = b * scale;
    for x in row.iter_mut() {
        *x *= scale;
    }
    let given = norm(row);
    for _ in 0..2 {
        for (q, &d) in split_rows(before, row.len()).zip(offsets) {
            let along = product(row, q, 1.0);
            offset -= along * d;
            Place::Inside(row).map(Less(along), Limit::Each(q), Limit::ZERO);
        }
    }
    let left = norm(row);
    // Not `<`: a row of zeros, and nothing at all, are refused too.
    if left.is_nan() || left <= given * f32::from_bits((127 - 16) << 23) {
        return Err(Error::RankDeficient);
    }
    for x in row.iter_mut() {
        *x /= left;
    }
    offset /= left;
    if offset.is_finite() { Ok(offset) } else { Err(Error::NonFinite) }
}

fn norm(x: &[f32]) -> f32 {
    let [squares] = sums::<1, 4, _>(Squares, x, Limit::ZERO, Limit::ZERO);
    sqrt(squares)
}

fn product(x: &[f32], q: &[f32], scale: f32) -> f32 {
    let [product] = sums::<1, 4, _>(Scaled(scale), x, Limit::Each(q), Limit::ZERO);
    product
}

/// `x - p s`.
#[derive(Clone, Copy)]
struct Less(f32);

impl Map for Less {
    #[inline(always)]
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> F::V {
        f.sub(x, f.mul(p, f.splat(self.0)))
    }
}

impl<'a> Affine<'a> {
    /// The basis and the offsets.
    fn parts(&self, cols: usize) -> Result<(&'a [f32], &'a [f32]), Error> {
        if self.factor.len() != affine_factor_len(self.rows, cols)? {
            return Err(Error::Shape);
        }
        let at = self.factor.len().checked_sub(self.rows).ok_or(Error::Shape)?;
        self.factor.split_at_checked(at).ok_or(Error::Shape)
    }

    /// A power of two that keeps the sums in range, and what the distance has as rounding, both scaled by it.
    fn survey(&self, x: &[f32], offsets: &[f32]) -> Result<(f32, f32), Error> {
        finite(x)?;
        finite(self.factor)?;
        let max = largest(x).max(largest(offsets));
        let ordinary = f32::from_bits((127 - 50) << 23)..=f32::from_bits((127 + 50) << 23);
        let scale = if ordinary.contains(&max) || max == 0.0 { 1.0 } else { unit_scale(max) };
        let mut squares = 0.0;
        for part in [x, offsets] {
            let [sum] = sums::<1, 4, _>(ScaledSquares(scale), part, Limit::ZERO, Limit::ZERO);
            squares += sum;
        }
        Ok((scale, 8.0 * f32::EPSILON * sqrt(squares)))
    }

    /// The distance, scaled; each coordinate of it goes to `keep`.
    fn distance(
        &self,
        x: &[f32],
        (basis, offsets): (&[f32], &[f32]),
        scale: f32,
        mut keep: impl FnMut(f32),
    ) -> f32 {
        let mut squares = 0.0;
        for (q, &d) in split_rows(basis, x.len()).zip(offsets) {
            let beyond = product(x, q, scale) - d * scale;
            squares += beyond * beyond;
            keep(beyond);
        }
        sqrt(squares)
    }

    fn layout(&self) -> Result<Layout, Error> {
        Layout::EMPTY.array::<f32>(self.rows)
    }
}

/// `(x s)^2`.
#[derive(Clone, Copy)]
struct ScaledSquares(f32);

impl super::sums::Terms<1> for ScaledSquares {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> [F::V; 1] {
        let x = f.mul(x, f.splat(self.0));
        [f.mul(x, x)]
    }
}

impl Sealed for Affine<'_> {
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error> {
        let (basis, offsets) = self.parts(place.x().len())?;
        let (scale, slack) = self.survey(place.x(), offsets)?;
        let beyond = Carver::new(scratch).take::<f32>(self.rows)?;
        let mut to = beyond.iter_mut();
        let distance = self.distance(place.x(), (basis, offsets), scale, |value| {
            if let Some(to) = to.next() {
                *to = value;
            }
        });
        if distance <= slack {
            return Ok(place.keep());
        }
        let x = place.kept();
        let cols = x.len();
        for (q, &beyond) in split_rows(basis, cols).zip(&*beyond) {
            Place::Inside(x).map(Less(beyond / scale), Limit::Each(q), Limit::ZERO);
        }
        Ok(Projected { active: true })
    }

    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], _: &mut [u8]) -> Result<(), Error> {
        let (basis, offsets) = self.parts(x.len())?;
        self.survey(x, offsets)?;
        let (scale, _) = self.survey(v, &[])?;
        for (out, &v) in out.iter_mut().zip(v) {
            *out = v;
        }
        // Each product with what the rows before have left: the rows are orthogonal.
        for q in split_rows(basis, x.len()) {
            let along = product(out, q, scale) / scale;
            Place::Inside(out).map(Less(along), Limit::Each(q), Limit::ZERO);
        }
        Ok(())
    }
}

impl Project for Affine<'_> {
    fn workspace_size(&self, _: usize) -> Result<usize, Error> {
        Ok(self.layout()?.size())
    }

    fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        let parts = self.parts(x.len())?;
        let (scale, _) = self.survey(x, parts.1)?;
        Ok((self.distance(x, parts, scale, |_| ()) / scale).min(f32::MAX))
    }
}
