//! Fitting over data that comes in parts.

use crate::Error;
use crate::math::{Compensated, sum_by};

use super::codes::Ternary;
use super::fit::check_finite;
use super::{Fit, NonFinite, fit};

/// Running statistics for the ternary fits that need no order statistics: [`Fit::AbsMean`] and
/// [`Fit::AbsMax`]. Threads, ranks or interrupts each accumulate a part; parts merge; the result is a
/// [`Ternary`] to encode every part with ([`Ternary::fixed`]).
///
/// The maximum does not depend on how the data were divided; the mean does in its last bit or two (f32 sums,
/// compensated).
///
/// ```
/// use hybridq::quant::{Fit, FitPartial};
/// let (mut a, mut b) = (FitPartial::default(), FitPartial::default());
/// a.accumulate(&[1.0, -3.0])?;
/// b.accumulate(&[2.0])?;
/// a.merge(&b);
/// assert_eq!(a.finish(Fit::AbsMean)?.scale, 2.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Default)]
pub struct FitPartial {
    count: u64,
    max: f32,
    sum: Compensated,
}

impl FitPartial {
    /// Adds values.
    ///
    /// # Errors
    /// [`Error::NonFinite`]; nothing is added then. [`Error::ScaleRange`] if the sum leaves the f32 range.
    pub fn accumulate(&mut self, x: &[f32]) -> Result<(), Error> {
        let largest = check_finite(x, NonFinite::Error)?;
        let mut sum = self.sum;
        sum.add(sum_by(x, f32::abs));
        if !sum.value().is_finite() {
            return Err(Error::ScaleRange);
        }
        self.sum = sum;
        self.max = self.max.max(largest);
        self.count += x.len() as u64;
        Ok(())
    }

    /// Adds what another part has seen.
    pub fn merge(&mut self, other: &FitPartial) {
        self.count += other.count;
        self.max = self.max.max(other.max);
        self.sum.add(other.sum.value());
    }

    /// The scale and threshold for everything seen.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for fits other than [`Fit::AbsMean`] and [`Fit::AbsMax`].
    pub fn finish(&self, fit: Fit) -> Result<Ternary, Error> {
        let scale = match fit {
            Fit::AbsMax => self.max,
            Fit::AbsMean if self.count > 0 => self.sum.value() / self.count as f32,
            Fit::AbsMean => 0.0,
            _ => return Err(Error::Unsupported),
        };
        Ok(fit::ternary_from_scale(fit, scale))
    }
}
