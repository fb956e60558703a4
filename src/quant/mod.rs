//! Numbers to codes and back: scale fitting, one file per weight format, int8 activations.
//!
//! A weight matrix has `rows` x `cols` f32 values, row-major. Every row is encoded on its own, so any range
//! of rows can be quantized by itself (for slices of a long task, or for threads): with
//! [`Granularity::Block`] and [`Granularity::Row`] the bytes are the same as those of one call. For a tensor
//! in slices under [`Granularity::Tensor`], fit once with [`fit_ternary`] and pass [`Fit::Fixed`].
//!
//! What the input may be:
//!
//! | input | result |
//! |---|---|
//! | no rows or no columns | nothing is written |
//! | all zeros | codes 0, scale 0 |
//! | one value `v` | decodes to `v` (to f16 precision, `Q35P` exactly); `percentile` gives 0, since std is 0 |
//! | constant `c` | `mse`, `absmean`, `absmax`, norm: decodes to `c`; `percentile`: zeros, since std is 0 |
//! | scale below 2^-25 (f16 underflow; f32 denormals among them) | scale 0: decodes to zeros. [`ternary_codes`] and [`five_level_codes`] keep the scale in f32 and lose nothing |
//! | scale above 65504 | [`Error::ScaleRange`], or 65504 under [`NonFinite::Saturate`] |
//! | NaN, infinity | [`Error::NonFinite`]; under [`NonFinite::Saturate`] NaN counts as 0, an infinity as the largest finite magnitude of its group |

mod activations;
mod base3;
mod codes;
mod decode;
mod eights;
mod encode;
mod fit;
mod format;
mod mixed;
mod narrow;
mod order;
#[cfg(feature = "rayon")]
mod parallel;
mod partial;
mod project;
mod weighted;
mod window;

pub mod archive;
pub mod dense_ternary;
pub mod five_level;
pub mod q35b;
pub mod q35p;
pub mod q8_0;
pub mod tq1_0;
pub mod tq2_0;

pub use activations::{ActBlock, dequantize_activations, quantize_activations};
pub use archive::{ArchiveDecoder, ArchiveInfo, ArchiveUnit, archive_bound, archive_encode};
pub(crate) use codes::fit_ternary_mse;
pub use codes::{FiveLevel, Ternary, codes_workspace_size, fit_ternary, five_level_codes, ternary_codes};
pub use decode::dequantize;
pub use encode::{quantize, quantize_weighted, quantize_weighted_workspace_size, quantize_workspace_size};
pub use fit::Fit;
pub use format::Format;
pub use mixed::{Mixed, mixed_select, mixed_smallest, mixed_workspace_size};
#[cfg(feature = "rayon")]
pub use parallel::{quantize_parallel, quantize_weighted_parallel};
pub use partial::FitPartial;

use crate::Error;

/// Over which values a scale is fitted. Formats that store a scale per block repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Granularity {
    /// Each block of the format: the lowest error. Not for [`Format::DenseTernary`] and [`Format::Q35P`].
    Block = 0,
    /// Each row (output channel). The only one of [`Format::Q35P`].
    Row = 1,
    /// All values of one call.
    Tensor = 2,
}

impl Granularity {
    /// The granularity with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Granularity, Error> {
        [Granularity::Block, Granularity::Row, Granularity::Tensor]
            .into_iter()
            .find(|&g| g as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// What to do with NaN and infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum NonFinite {
    /// Refuse the call with [`Error::NonFinite`].
    Error = 0,
    /// NaN counts as 0, an infinity as the largest finite magnitude of its group; scales stop at 65504.
    Saturate = 1,
}

impl NonFinite {
    /// The policy with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<NonFinite, Error> {
        [NonFinite::Error, NonFinite::Saturate]
            .into_iter()
            .find(|&p| p as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// How [`quantize`] fits and what it refuses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// How scales and thresholds are chosen.
    pub fit: Fit,
    /// Over which values.
    pub granularity: Granularity,
    /// What happens to NaN and infinity.
    pub non_finite: NonFinite,
}

impl Options {
    /// The defaults of a format: the fit with the lowest error, over the smallest group that the format has
    /// a scale for, non-finite input refused.
    #[must_use]
    pub const fn new(format: Format) -> Options {
        Options {
            fit: match format {
                Format::Q8_0 => Fit::AbsMax,
                _ => Fit::Mse,
            },
            granularity: match format {
                Format::DenseTernary | Format::Q35P => Granularity::Row,
                _ => Granularity::Block,
            },
            non_finite: NonFinite::Error,
        }
    }

    /// The same with another fit.
    #[must_use]
    pub const fn fit(self, fit: Fit) -> Options {
        Options { fit, ..self }
    }

    /// The same with another granularity.
    #[must_use]
    pub const fn granularity(self, granularity: Granularity) -> Options {
        Options { granularity, ..self }
    }

    /// The same with another policy for NaN and infinity.
    #[must_use]
    pub const fn non_finite(self, non_finite: NonFinite) -> Options {
        Options { non_finite, ..self }
    }

    /// Refuses what the format does not have.
    fn check(&self, format: Format) -> Result<(), Error> {
        self.fit.check()?;
        match format {
            Format::Q8_0 if self.fit != Fit::AbsMax || self.granularity != Granularity::Block => {
                Err(Error::Unsupported)
            }
            Format::Q35B if self.fit != Fit::Mse || self.granularity != Granularity::Block => {
                Err(Error::Unsupported)
            }
            Format::Q35P
                if !matches!(self.fit, Fit::Mse | Fit::MinMax) || self.granularity != Granularity::Row =>
            {
                Err(Error::Unsupported)
            }
            Format::Q35P => Ok(()),
            _ if self.fit == Fit::MinMax => Err(Error::Unsupported),
            Format::DenseTernary if self.granularity == Granularity::Block => Err(Error::Unsupported),
            _ => Ok(()),
        }
    }
}
