//! How many rows a cluster may have.

use crate::Error;

/// One bound of the sizes, least or largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Size<'a> {
    /// No bound.
    Any,
    /// The rows divided by the clusters: rounded down as a least size, up as a largest.
    #[default]
    Even,
    /// The same number of rows for every cluster.
    All(usize),
    /// A number of rows for each cluster.
    Each(&'a [u32]),
}

/// How many rows the clusters may have. Rows count, whatever they weigh.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes<'a> {
    /// At least so many rows.
    pub least: Size<'a>,
    /// At most so many rows.
    pub most: Size<'a>,
}

impl<'a> Sizes<'a> {
    /// All sizes alike, as far as the number of rows allows: they differ by one at most.
    pub const BALANCED: Sizes<'static> = Sizes { least: Size::Even, most: Size::Even };

    /// From `least` to `most` rows each.
    #[must_use]
    pub const fn between(least: usize, most: usize) -> Sizes<'static> {
        Sizes { least: Size::All(least), most: Size::All(most) }
    }

    /// Bounds for each cluster.
    #[must_use]
    pub const fn each(least: &'a [u32], most: &'a [u32]) -> Sizes<'a> {
        Sizes { least: Size::Each(least), most: Size::Each(most) }
    }

    /// The bounds of cluster `j`; no more than `rows`, as that changes nothing.
    #[inline(always)]
    pub(super) fn of(&self, j: usize, rows: usize, k: usize) -> (u32, u32) {
        let bound = |size: &Size<'_>, even: usize, any: usize| match size {
            Size::Any => any,
            Size::Even => even,
            Size::All(size) => *size,
            Size::Each(sizes) => sizes.get(j).copied().unwrap_or_default() as usize,
        };
        let even = rows.checked_div(k).unwrap_or(0);
        let least = bound(&self.least, even, 0);
        let most = bound(&self.most, even + usize::from(even.wrapping_mul(k) < rows), rows);
        (u32::try_from(least).unwrap_or(u32::MAX), most.min(rows) as u32)
    }

    /// Whether `rows` rows can be dealt out to `k` clusters within these bounds.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is not one bound for each cluster, [`Error::Infeasible`].
    pub(super) fn check(&self, rows: usize, k: usize) -> Result<(), Error> {
        for size in [&self.least, &self.most] {
            if matches!(size, Size::Each(sizes) if sizes.len() != k) {
                return Err(Error::Shape);
            }
        }
        let (mut least, mut most) = (0u64, 0u64);
        for j in 0..k {
            let (low, high) = self.of(j, rows, k);
            if low > high {
                return Err(Error::Infeasible);
            }
            (least, most) = (least + low as u64, most + high as u64);
        }
        if least > rows as u64 || most < rows as u64 { Err(Error::Infeasible) } else { Ok(()) }
    }
}
