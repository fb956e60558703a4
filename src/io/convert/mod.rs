//! Whole models: float to packed, and packed back to float, a slice of rows at a time.

mod auto;
mod dequantize;
mod plan;
mod quantize;

pub use auto::{Auto, Chosen, Weighting, quantize_model_auto, quantize_model_auto_weighted};
pub use dequantize::dequantize_model;
pub use plan::{Choice, Target, choose};
pub use quantize::{quantize_model, quantize_model_weighted, quantize_temporary};

use crate::Error;
use crate::quant::{Fit, Format, Granularity, NonFinite, Options};

/// Values that are decoded at once: 4 MiB of `f32`. Rows longer than that are taken one by one.
const SLICE: usize = 1 << 20;

/// How to quantize a model.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// The format of the weights.
    pub format: Format,
    /// Fit, granularity and what to do with NaN.
    pub options: Options,
}

impl Recipe {
    /// The recipe with the format's own defaults where nothing is asked for.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if the format does not have this fit or granularity.
    pub fn new(
        format: Format,
        fit: Option<Fit>,
        granularity: Option<Granularity>,
        non_finite: NonFinite,
    ) -> Result<Self, Error> {
        let defaults = Options::new(format);
        let fit = fit.unwrap_or(defaults.fit);
        let options = Options { fit, granularity: granularity.unwrap_or(defaults.granularity), non_finite };
        // The size query makes the same checks as the call.
        crate::quant::quantize_workspace_size(format, &options, 1, 1)?;
        Ok(Recipe { format, options })
    }
}

/// What became of one tensor.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its name.
    pub name: String,
    /// Its shape as tables show it.
    pub shape: String,
    /// Its type in the source.
    pub from: String,
    /// Its type in the result.
    pub to: String,
    /// How many values it has.
    pub values: u64,
    /// Its bytes in the source.
    pub bytes_in: u64,
    /// Its bytes in the result.
    pub bytes_out: u64,
    /// Squared error and squared sum of the values, where the values changed.
    pub error: Option<(f64, f64)>,
    /// Why it is not in the format asked for, or not weighted; empty if it is.
    pub reason: &'static str,
}

impl Outcome {
    /// Bits per value in the result.
    #[must_use]
    pub fn bits(&self) -> f64 {
        8.0 * self.bytes_out as f64 / self.values.max(1) as f64
    }

    /// Root of squared error over squared values: 0 is exact, 1 is no better than all zeros.
    #[must_use]
    pub fn relative_rmse(&self) -> Option<f64> {
        self.error.map(|(error, sum)| relative(error, sum))
    }
}

/// What became of a model.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Its tensors, in the order of the file.
    pub tensors: Vec<Outcome>,
    /// What a person should know.
    pub notes: Vec<String>,
}

impl Report {
    /// Bytes of all tensors in the source, and in the result.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        self.tensors.iter().fold((0, 0), |(i, o), t| (i + t.bytes_in, o + t.bytes_out))
    }

    /// The number of values in all tensors.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.tensors.iter().map(|t| t.values).sum()
    }

    /// Relative RMSE over all values that changed; `None` if none did.
    #[must_use]
    pub fn relative_rmse(&self) -> Option<f64> {
        let changed = self.tensors.iter().filter_map(|t| t.error);
        changed.reduce(|(a, b), (c, d)| (a + c, b + d)).map(|(error, sum)| relative(error, sum))
    }
}

fn relative(error: f64, sum: f64) -> f64 {
    if sum > 0.0 { (error / sum).sqrt() } else { error.sqrt() }
}

/// Called after each slice with the bytes of the source that it used up; false stops the work, which
/// then ends with [`ErrorKind::Interrupted`](super::ErrorKind::Interrupted).
pub type Progress<'a> = &'a mut dyn FnMut(u64) -> bool;

/// A fit in the words of the command line: `mse`, `percentile:70`, `fixed:0.5,1.25`.
#[must_use]
pub fn fit_name(fit: Fit) -> String {
    match fit {
        Fit::Mse => "mse".into(),
        Fit::AbsMean => "absmean".into(),
        Fit::AbsMax => "absmax".into(),
        Fit::Percentile(p) => format!("percentile:{p}"),
        Fit::NormPreserving => "norm".into(),
        Fit::MinMax => "minmax".into(),
        Fit::Lloyd => "lloyd".into(),
        Fit::Fixed { threshold, scale } => format!("fixed:{threshold},{scale}"),
    }
}

/// The fit of these words, the reverse of [`fit_name`].
#[must_use]
pub fn fit_from_name(text: &str) -> Option<Fit> {
    let finite = |s: &str| s.trim().parse::<f32>().ok().filter(|v| v.is_finite() && *v >= 0.0);
    Some(match text.split_once(':') {
        None => match text {
            "mse" => Fit::Mse,
            "absmean" => Fit::AbsMean,
            "absmax" => Fit::AbsMax,
            "norm" => Fit::NormPreserving,
            "minmax" => Fit::MinMax,
            "lloyd" => Fit::Lloyd,
            _ => return None,
        },
        Some(("percentile", p)) => Fit::Percentile(finite(p).filter(|p| *p < 100.0)?),
        Some(("fixed", values)) => {
            let (threshold, scale) = values.split_once(',')?;
            Fit::Fixed { threshold: finite(threshold)?, scale: finite(scale)? }
        }
        Some(_) => return None,
    })
}

/// `block`, `row` or `tensor`.
#[must_use]
pub fn granularity_name(granularity: Granularity) -> &'static str {
    match granularity {
        Granularity::Block => "block",
        Granularity::Row => "row",
        Granularity::Tensor => "tensor",
    }
}

/// `error` or `saturate`.
#[must_use]
pub fn non_finite_name(policy: NonFinite) -> &'static str {
    match policy {
        NonFinite::Error => "error",
        NonFinite::Saturate => "saturate",
    }
}
