//! How a layer sees its weights and inputs: as they are, or through few bits.
//!
//! # Straight through
//!
//! The parameters of a ternary layer are *latent*: f32 numbers that the optimizer adds small steps to. Forward quantizes
//! them, row by row, and works with what it gets. The derivative of that staircase is 0 or nothing, so that backward uses
//! another one, as if each value had gone straight through (Bengio et al., arXiv:1308.3432):
//!
//! - the gradient of the inputs is that of the *seen* weights, `dX = dY W_seen`; rounding of the inputs counts as the
//!   identity (their scale is their largest magnitude, so that nothing is clipped);
//! - the gradient of the latent weights is `dW = dYᵀ X_seen`, except where `|w| > clip * scale of the row`: 0 there.
//!
//! # Proximal
//!
//! With an `inverse_slope` above 0 the seen weight lies on the way from the latent one (1) to the trit (0): the map of
//! PARQ (Jin et al., arXiv:2503.15748), whose limit is straight-through;
//! [`Options::inverse_slope`](crate::learn::optimizer::Options::inverse_slope) gives the ramp.

use crate::Error;
use crate::learn::optimizer::bend;
use crate::linear::Packed;
use crate::quant::{
    ActBlock, Fit, Format, Granularity, NonFinite, Options, dequantize, dequantize_activations, quantize,
    quantize_activations, quantize_workspace_size,
};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};

use super::checks::times;

/// The packed format that products of training use; any ternary one has the same trits and scales.
const FORMAT: Format = Format::Tq2_0;

/// How a layer sees its weight matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weights {
    /// As it is.
    Float,
    /// As trits with a scale for each row (in f16, as packed formats hold it).
    Ternary {
        /// How scale and threshold are found: [`Fit::AbsMean`] is BitNet's, [`Fit::Mse`] the nearest, [`Fit::Lloyd`]
        /// nearly that at several times the speed.
        fit: Fit,
        /// 0: trits, 1: the latent weights.
        inverse_slope: f32,
        /// Latent weights beyond this many scales get no gradient; infinity: all get it.
        clip: f32,
    },
}

impl Weights {
    /// Trits by a fit, gradients straight through without a clip.
    #[must_use]
    pub const fn ternary(fit: Fit) -> Weights {
        Weights::Ternary { fit, inverse_slope: 0.0, clip: f32::INFINITY }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let Weights::Ternary { fit, inverse_slope, clip } = *self else { return Ok(()) };
        if !matches!(fit, Fit::Mse | Fit::AbsMean | Fit::Lloyd | Fit::AbsMax) {
            return Err(Error::Unsupported);
        }
        if (0.0..=1.0).contains(&inverse_slope) && clip > 0.0 { Ok(()) } else { Err(Error::InvalidArgument) }
    }

    fn options(&self) -> Option<Options> {
        match *self {
            Weights::Float => None,
            Weights::Ternary { fit, .. } => Some(Options::new(FORMAT).fit(fit).granularity(Granularity::Row)),
        }
    }

    /// Floats that forward saves of a matrix: what it saw, and the scale of each row.
    pub(super) fn saved_len(&self, rows: usize, cols: usize) -> Result<usize, Error> {
        if *self == Weights::Float {
            Ok(0)
        } else {
            times(rows, cols.checked_add(1).ok_or(Error::SizeOverflow)?)
        }
    }

    /// The scratch of [`Weights::see`].
    pub(super) fn layout(&self, rows: usize, cols: usize, layout: Layout) -> Result<Layout, Error> {
        let Some(options) = self.options() else { return Ok(layout) };
        let fit = quantize_workspace_size(FORMAT, &options, rows, cols)?;
        layout.array::<u8>(FORMAT.matrix_bytes(rows, cols)?)?.array::<u8>(fit)
    }

    /// The seen weights, in `saved` unless they are the latent ones; packed, if they are trits.
    pub(super) fn see<'s>(
        &self,
        (rows, cols): (usize, usize),
        latent: &'s [f32],
        saved: &'s mut [f32],
        carver: &mut Carver<'s>,
    ) -> Result<(&'s [f32], Option<Packed<'s>>), Error> {
        let (Weights::Ternary { inverse_slope, .. }, Some(options)) = (*self, self.options()) else {
            return Ok((latent, None));
        };
        let packed = carver.take::<u8>(FORMAT.matrix_bytes(rows, cols)?)?;
        let fit = carver.take(quantize_workspace_size(FORMAT, &options, rows, cols)?)?;
        quantize(FORMAT, &options, rows, cols, latent, packed, fit)?;
        let (seen, scales) = saved.split_at_mut_checked(times(rows, cols)?).ok_or(Error::OutputTooSmall)?;
        dequantize(FORMAT, rows, cols, packed, seen)?;
        for (row, scale) in split_rows(seen, cols).zip(scales.iter_mut()) {
            // All trits of a row have one magnitude: that of the first which is not 0 will do.
            *scale = row.iter().find(|&&v| v != 0.0).map_or(0.0, |v| v.abs());
        }
        if inverse_slope <= 0.0 {
            return Ok((seen, Some(Packed::new(FORMAT, rows, cols, packed)?)));
        }
        for ((latent, seen), &scale) in split_rows(latent, cols).zip(split_rows_mut(seen, cols)).zip(&*scales)
        {
            bend(inverse_slope, scale, latent, seen);
        }
        Ok((seen, None))
    }

    /// The seen weights, and the scales of their rows, as [`Weights::see`] left them.
    pub(super) fn seen<'s>(&self, latent: &'s [f32], saved: &'s [f32]) -> (&'s [f32], &'s [f32]) {
        match *self {
            Weights::Float => (latent, &[]),
            Weights::Ternary { .. } => saved.split_at_checked(latent.len()).unwrap_or_default(),
        }
    }

    /// Beyond how many scales gradients are dropped, if at all.
    pub(super) fn clip(&self) -> Option<f32> {
        match *self {
            Weights::Ternary { clip, .. } if clip < f32::INFINITY => Some(clip),
            _ => None,
        }
    }
}

/// Adds the gradients of the weights that are within the clip.
pub(super) fn add_clipped(clip: f32, scales: &[f32], latent: &[f32], from: &[f32], to: &mut [f32]) {
    let cols = to.len() / scales.len().max(1);
    let rows = split_rows(from, cols).zip(split_rows_mut(to, cols));
    for ((latent, (from, to)), &scale) in split_rows(latent, cols).zip(rows).zip(scales) {
        let most = clip * scale;
        for ((to, &from), &w) in to.iter_mut().zip(from).zip(latent) {
            *to += if w.abs() > most { 0.0 } else { from };
        }
    }
}

/// How a layer sees its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Activations {
    /// As they are.
    Float = 0,
    /// As int8 with a scale for every 256 values of a vector, 1/127 of their largest magnitude ([`ActBlock`]).
    Int8 = 1,
}

impl Activations {
    /// The form with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Activations, Error> {
        [Activations::Float, Activations::Int8]
            .into_iter()
            .find(|&a| a as i32 == value)
            .ok_or(Error::UnknownEnum)
    }

    /// The scratch of [`Activations::see`].
    pub(super) fn layout(self, rows: usize, cols: usize, layout: Layout) -> Result<Layout, Error> {
        match self {
            Activations::Float => Ok(layout),
            Activations::Int8 => layout
                .array::<ActBlock>(times(rows, ActBlock::count(cols))?)?
                .array::<f32>(times(rows, cols)?),
        }
    }

    /// The inputs as codes, and room for their values.
    pub(super) fn codes<'s>(
        self,
        (rows, cols): (usize, usize),
        input: &'s [f32],
        non_finite: NonFinite,
        carver: &mut Carver<'s>,
    ) -> Result<Codes<'s>, Error> {
        if self == Activations::Float {
            return Ok(Codes { input, cols, acts: &[], room: None });
        }
        let acts = carver.take::<ActBlock>(times(rows, ActBlock::count(cols))?)?;
        let room = carver.take::<f32>(times(rows, cols)?)?;
        quantize_activations(rows, cols, input, non_finite, acts)?;
        Ok(Codes { input, cols, acts, room: Some(room) })
    }

    /// The seen inputs.
    pub(super) fn see<'s>(
        self,
        shape: (usize, usize),
        input: &'s [f32],
        non_finite: NonFinite,
        carver: &mut Carver<'s>,
    ) -> Result<&'s [f32], Error> {
        self.codes(shape, input, non_finite, carver)?.values()
    }
}

/// Inputs of a layer; none are codes where they are seen as they are.
pub(super) struct Codes<'s> {
    input: &'s [f32],
    cols: usize,
    pub(super) acts: &'s [ActBlock],
    room: Option<&'s mut [f32]>,
}

impl<'s> Codes<'s> {
    /// The inputs as the layer sees them.
    pub(super) fn values(self) -> Result<&'s [f32], Error> {
        let Some(room) = self.room else { return Ok(self.input) };
        let blocks = ActBlock::count(self.cols);
        for (acts, seen) in split_rows(self.acts, blocks).zip(split_rows_mut(room, self.cols)) {
            dequantize_activations(acts, seen)?;
        }
        Ok(room)
    }
}
