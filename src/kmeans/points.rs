//! The data as the caller holds them.

use crate::Error;
use crate::workspace::split_rows;

/// Points in somebody else's memory: `rows` x `cols` floats, row after row, and perhaps a weight each.
#[derive(Clone, Copy, Debug)]
pub struct Points<'a> {
    rows: usize,
    cols: usize,
    data: &'a [f32],
    weights: Option<&'a [f32]>,
}

impl<'a> Points<'a> {
    /// The most rows of one set of points, and of all that are merged: rows are counted in 32 bits.
    pub const MAX_ROWS: usize = 1 << 31;

    /// A view of points that all weigh 1.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no columns, [`Error::Shape`] if `data` is not exactly `rows * cols` long,
    /// [`Error::SizeOverflow`] (also for more than 2^31 rows).
    pub fn new(rows: usize, cols: usize, data: &'a [f32]) -> Result<Points<'a>, Error> {
        if cols == 0 {
            return Err(Error::InvalidArgument);
        }
        if rows > Points::MAX_ROWS || cols > Points::MAX_ROWS {
            return Err(Error::SizeOverflow);
        }
        if rows.checked_mul(cols).ok_or(Error::SizeOverflow)? != data.len() {
            return Err(Error::Shape);
        }
        Ok(Points { rows, cols, data, weights: None })
    }

    /// A view of points with weights: finite, at least 0. A point of weight 2 counts as two of weight 1; one of
    /// weight 0 gets a label and moves nothing.
    ///
    /// # Errors
    /// As [`Points::new`]; [`Error::Shape`] if there is not exactly one weight for each row.
    pub fn weighted(
        rows: usize,
        cols: usize,
        data: &'a [f32],
        weights: &'a [f32],
    ) -> Result<Points<'a>, Error> {
        let points = Points::new(rows, cols, data)?;
        if weights.len() != rows {
            return Err(Error::Shape);
        }
        Ok(Points { weights: Some(weights), ..points })
    }

    /// How many points there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many values a point has.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row after row.
    #[must_use]
    pub fn data(&self) -> &'a [f32] {
        self.data
    }

    /// The weights, if there are any.
    #[must_use]
    pub fn weights(&self) -> Option<&'a [f32]> {
        self.weights
    }

    /// The rows `start..end`, to work through a long set piece by piece.
    ///
    /// # Errors
    /// [`Error::Shape`] unless `start <= end <= rows`.
    pub fn rows_between(&self, start: usize, end: usize) -> Result<Points<'a>, Error> {
        let rows = end.checked_sub(start).ok_or(Error::Shape)?;
        let data = self.data.get(start.saturating_mul(self.cols)..end.saturating_mul(self.cols));
        let weights = match self.weights {
            Some(weights) => Some(weights.get(start..end).ok_or(Error::Shape)?),
            None => None,
        };
        Ok(Points { rows, cols: self.cols, data: data.ok_or(Error::Shape)?, weights })
    }

    /// Row after row.
    pub fn iter(&self) -> impl Iterator<Item = &'a [f32]> {
        split_rows(self.data, self.cols)
    }

    /// Row `i`, or nothing.
    #[inline(always)]
    pub(super) fn row(&self, i: usize) -> &'a [f32] {
        row(self.data, self.cols, i)
    }

    /// NaN and infinity are refused, negative weights too.
    pub(super) fn check(&self) -> Result<(), Error> {
        let tier = crate::simd::active();
        let weights = self.weights.unwrap_or_default();
        let all_finite = crate::simd::vectorize(
            tier,
            #[inline(always)]
            || finite(self.data) & finite(weights),
        );
        if !all_finite {
            return Err(Error::NonFinite);
        }
        if weights.iter().any(|&w| w < 0.0) {
            return Err(Error::InvalidArgument);
        }
        Ok(())
    }
}

/// Row `i` of a matrix, or nothing where there is no such row.
#[inline(always)]
pub(super) fn row(data: &[f32], cols: usize, i: usize) -> &[f32] {
    let start = i.wrapping_mul(cols);
    data.get(start..start.wrapping_add(cols)).unwrap_or_default()
}

/// [`row`], to write to.
#[inline(always)]
pub(super) fn row_mut<T>(data: &mut [T], cols: usize, i: usize) -> &mut [T] {
    let start = i.wrapping_mul(cols);
    data.get_mut(start..start.wrapping_add(cols)).unwrap_or_default()
}

/// Whether no value is NaN or infinite.
#[inline(always)]
pub(super) fn finite(x: &[f32]) -> bool {
    magnitude_bits(x) < f32::INFINITY.to_bits()
}

/// The largest magnitude as bits, which order as the magnitudes do; NaN above all.
#[inline(always)]
pub(super) fn magnitude_bits(x: &[f32]) -> u32 {
    x.iter().fold(0, |largest: u32, v| largest.max(v.to_bits() & 0x7FFF_FFFF))
}
