//! Codes without packing and with the scale in f32: for gradients and optimizer state, whose magnitudes an
//! f16 scale could not hold, and for callers with a layout of their own.

use crate::Error;

use super::fit::{Levels, check_finite, fit, fit_three};
use super::{Fit, NonFinite};

/// What a ternary fit found: |x| >= `threshold` becomes `scale` with the sign of `x`, all else 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ternary {
    /// Smallest magnitude that is not zero; infinite when everything is zero.
    pub threshold: f32,
    /// Value of code 1.
    pub scale: f32,
}

impl Ternary {
    /// The same as a fit, for further slices of the tensor it was found on.
    #[must_use]
    pub fn fixed(self) -> Fit {
        // An infinite threshold means that no value of the tensor reaches it; f32::MAX says the same of
        // finite values and passes the check of `Fit::Fixed`.
        Fit::Fixed { threshold: self.threshold.min(f32::MAX), scale: self.scale }
    }
}

/// Result of [`five_level_codes`]: code `c` stands for `c * scale / 2`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FiveLevel {
    /// Value of code 2.
    pub scale: f32,
}

/// Bytes of scratch that [`fit_ternary`], [`ternary_codes`] and [`five_level_codes`] need for `len` values:
/// 8 a value (and alignment) for `mse`, norm-preserving and `percentile`, else 0.
///
/// # Errors
/// [`Error::SizeOverflow`], [`Error::InvalidArgument`].
pub fn codes_workspace_size(fit: Fit, len: usize) -> Result<usize, Error> {
    fit.check()?;
    Ok(fit.layout(len)?.size())
}

/// Fits trits to all of `x` without encoding it.
///
/// # Errors
/// [`Error::NonFinite`], [`Error::InvalidArgument`], [`Error::WorkspaceTooSmall`].
pub fn fit_ternary(fit: Fit, non_finite: NonFinite, x: &[f32], scratch: &mut [u8]) -> Result<Ternary, Error> {
    fit.check()?;
    check_finite(x, non_finite)?;
    let rule = self::fit(fit, Levels::Three, x, scratch)?;
    Ok(Ternary { threshold: rule.threshold(), scale: rule.scale })
}

/// [`fit_ternary`] with [`Fit::Mse`], and without the code of the other fits. `x` is finite.
pub(crate) fn fit_ternary_mse(x: &[f32], scratch: &mut [u8]) -> Result<Ternary, Error> {
    let rule = fit_three(x, scratch)?;
    Ok(Ternary { threshold: rule.threshold(), scale: rule.scale })
}

/// Writes one trit (-1, 0, 1) per value of `x`; returns the scale and threshold in f32.
///
/// With [`Fit::NormPreserving`] the decoded vector has the L2 norm of `x` to f32 precision, at every
/// magnitude that f32 has: what a quantized gradient needs.
///
/// # Errors
/// [`Error::OutputTooSmall`] if `codes` is shorter than `x`, and those of [`fit_ternary`]. `codes` is
/// untouched then.
///
/// ```
/// use hybridq::quant::{Fit, NonFinite, codes_workspace_size, ternary_codes};
/// let gradient = [3e-9f32, -1e-10, -3e-9, 0.0];
/// let mut scratch = [0u8; 64];
/// assert!(codes_workspace_size(Fit::NormPreserving, 4)? <= scratch.len());
/// let mut codes = [0i8; 4];
/// let t = ternary_codes(Fit::NormPreserving, NonFinite::Error, &gradient, &mut codes, &mut scratch)?;
/// assert_eq!(codes, [1, 0, -1, 0]);
/// assert!((t.scale / 3e-9 - 1.0).abs() < 1e-3);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn ternary_codes(
    fit: Fit,
    non_finite: NonFinite,
    x: &[f32],
    codes: &mut [i8],
    scratch: &mut [u8],
) -> Result<Ternary, Error> {
    let codes = codes.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
    fit.check()?;
    check_finite(x, non_finite)?;
    let rule = self::fit(fit, Levels::Three, x, scratch)?;
    for (code, &v) in codes.iter_mut().zip(x) {
        *code = rule.trit(v);
    }
    Ok(Ternary { threshold: rule.threshold(), scale: rule.scale })
}

/// Writes one code -2..=2 per value of `x`, in half scales; returns the scale in f32.
///
/// # Errors
/// As [`ternary_codes`].
pub fn five_level_codes(
    fit: Fit,
    non_finite: NonFinite,
    x: &[f32],
    codes: &mut [i8],
    scratch: &mut [u8],
) -> Result<FiveLevel, Error> {
    let codes = codes.get_mut(..x.len()).ok_or(Error::OutputTooSmall)?;
    fit.check()?;
    check_finite(x, non_finite)?;
    let rule = self::fit(fit, Levels::Five, x, scratch)?;
    for (code, &v) in codes.iter_mut().zip(x) {
        *code = rule.code(v);
    }
    Ok(FiveLevel { scale: rule.scale })
}
