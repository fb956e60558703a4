//! A linear layer whose weights are packed trits with inertia, and nothing else.

use crate::linear::{Packed, matmul};
use crate::math::{Random, sqrt, sum_by};
use crate::quant::{
    ActBlock, Fit, Format, NonFinite, Options as Quantize, dequantize, dequantize_activations, quantize,
    quantize_activations,
};
use crate::workspace::{Carver, Layout, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::super::{Clock, Options, Report, inertia_len, int4_len, noise, ternary, update, update_int4};
use super::options::{Inertia, Rates};

/// `y = W x` with `W` in trits and `x` seen as int8. A bias is a part of its own
/// ([`Bias`](crate::learn::layers::Bias)).
///
/// Forward is [`matmul`](crate::linear::matmul) of the packed bytes: what is trained is what will run. Backward counts the
/// rounding of inputs as the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ternary {
    inputs: usize,
    outputs: usize,
    positions: usize,
    format: Format,
    inertia: Inertia,
}

/// Slices of the network's state that belong to a layer.
pub(super) struct State<'a> {
    pub(super) weights: &'a mut [u8],
    pub(super) inertia: &'a mut [u8],
    /// The running mean of squares of the gradient.
    pub(super) square: &'a mut f32,
}

/// What the step of a layer reads and writes.
pub(super) struct Pass<'a> {
    pub(super) input: &'a [f32],
    pub(super) output_gradient: &'a [f32],
    pub(super) input_gradient: Option<&'a mut [f32]>,
    /// One row.
    pub(super) row: &'a mut [f32],
    pub(super) scratch: &'a mut [u8],
}

impl Ternary {
    /// For vectors of `inputs` values to vectors of `outputs`.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a format that is not ternary, [`Error::InvalidArgument`] for no inputs or outputs,
    /// [`Error::SizeOverflow`].
    pub fn new(inputs: usize, outputs: usize, format: Format, inertia: Inertia) -> Result<Ternary, Error> {
        ternary(format)?;
        if inputs == 0 || outputs == 0 {
            return Err(Error::InvalidArgument);
        }
        format.matrix_bytes(outputs, inputs)?;
        inertia_len(outputs, inputs)?;
        noise::check(0, outputs, inputs)?;
        Ok(Ternary { inputs, outputs, positions: 1, format, inertia })
    }

    /// The same for samples of several vectors, each mapped by itself.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for none, [`Error::SizeOverflow`].
    pub fn positions(self, positions: usize) -> Result<Ternary, Error> {
        if positions == 0 {
            return Err(Error::InvalidArgument);
        }
        self.inputs.max(self.outputs).checked_mul(positions).ok_or(Error::SizeOverflow)?;
        Ok(Ternary { positions, ..self })
    }

    /// Inputs of a vector: columns of the matrix.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Outputs of a vector: rows of the matrix.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The format of the packed weights.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// How inertia is held.
    #[must_use]
    pub fn inertia(&self) -> Inertia {
        self.inertia
    }

    pub(super) fn input_len(&self) -> usize {
        self.inputs * self.positions
    }

    pub(super) fn output_len(&self) -> usize {
        self.outputs * self.positions
    }

    /// Bytes of packed weights, and of inertia; they were checked.
    pub(super) fn bytes(&self) -> [usize; 2] {
        let weights = self.format.matrix_bytes(self.outputs, self.inputs);
        let inertia = match self.inertia {
            Inertia::Int8 => inertia_len(self.outputs, self.inputs),
            Inertia::Int4 => int4_len(self.outputs, self.inputs),
        };
        [weights.unwrap_or_default(), inertia.unwrap_or_default()]
    }

    fn vectors(&self, batch: usize) -> Result<usize, Error> {
        batch.checked_mul(self.positions).ok_or(Error::SizeOverflow)
    }

    /// Blocks of int8 inputs.
    fn blocks(&self, vectors: usize) -> Result<usize, Error> {
        vectors.checked_mul(ActBlock::count(self.inputs)).ok_or(Error::SizeOverflow)
    }

    /// The inputs as forward saw them, in the scratch. Forward has refused what is not finite.
    fn seen<'s>(&self, vectors: usize, input: &[f32], scratch: &'s mut [u8]) -> Result<&'s [f32], Error> {
        let mut carver = Carver::new(scratch);
        let acts = carver.take::<ActBlock>(self.blocks(vectors)?)?;
        let seen = carver.take::<f32>(vectors.checked_mul(self.inputs).ok_or(Error::SizeOverflow)?)?;
        quantize_activations(vectors, self.inputs, input, NonFinite::Saturate, acts)?;
        let vectors = split_rows(acts, ActBlock::count(self.inputs)).zip(split_rows_mut(seen, self.inputs));
        for (acts, seen) in vectors {
            dequantize_activations(acts, seen)?;
        }
        Ok(seen)
    }

    fn start_options(&self) -> Quantize {
        // A third of the trits is 0: the variance of an output is that of the inputs.
        let scale = 1.0 / sqrt(self.inputs as f32 * (2.0 / 3.0));
        Quantize::new(self.format).fit(Fit::Fixed { threshold: 0.5, scale })
    }

    pub(super) fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        let vectors = self.vectors(batch)?;
        let values = vectors.checked_mul(self.inputs).ok_or(Error::SizeOverflow)?;
        let seen = Layout::EMPTY.array::<ActBlock>(self.blocks(vectors)?)?.array::<f32>(values)?;
        let start = Layout::EMPTY.array::<f32>(self.inputs)?;
        Ok(seen.size().max(start.size()))
    }

    /// Random trits; the scratch is that of the network.
    pub(super) fn start(
        &self,
        random: &mut Random,
        weights: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        let row = Carver::new(scratch).take::<f32>(self.inputs)?;
        let row_bytes = self.format.row_bytes(self.inputs)?;
        for packed in split_rows_mut(weights, row_bytes) {
            row.iter_mut().for_each(|w| *w = random.below(3) as f32 - 1.0);
            quantize(self.format, &self.start_options(), 1, self.inputs, row, packed, &mut [])?;
        }
        Ok(())
    }

    pub(super) fn forward(
        &self,
        batch: usize,
        weights: &[u8],
        input: &[f32],
        output: &mut [f32],
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        let vectors = self.vectors(batch)?;
        let acts = Carver::new(scratch).take::<ActBlock>(self.blocks(vectors)?)?;
        quantize_activations(vectors, self.inputs, input, NonFinite::Error, acts)?;
        let packed = Packed::new(self.format, self.outputs, self.inputs, weights)?;
        matmul(&packed, vectors, acts, output)
    }

    /// Gradients of inputs by the weights as they are, then the weights' own step: row by row.
    pub(super) fn learn(
        &self,
        batch: usize,
        rates: &Rates,
        clock: Clock,
        state: State<'_>,
        pass: Pass<'_>,
    ) -> Result<Report, Error> {
        let vectors = self.vectors(batch)?;
        let input = self.seen(vectors, pass.input, pass.scratch)?;
        let options = self.options(rates, *state.square);
        let row = pass.row.get_mut(..self.inputs).ok_or(Error::WorkspaceTooSmall)?;
        let mut to = pass.input_gradient;
        if let Some(to) = &mut to {
            to.fill(0.0);
        }
        let [weights, inertia] = self.bytes();
        let (row_bytes, row_inertia) = (weights / self.outputs.max(1), inertia / self.outputs.max(1));
        let rows = split_rows_mut(state.weights, row_bytes).zip(split_rows_mut(state.inertia, row_inertia));
        let (mut report, mut squares) = (Report::default(), 0.0f32);
        for (number, (packed, inertia)) in rows.enumerate() {
            let pushes = || split_rows(pass.output_gradient, self.outputs).map(move |dy| at(dy, number));
            if let Some(to) = &mut to {
                dequantize(self.format, 1, self.inputs, packed, row)?;
                spread(pushes(), row, to);
            }
            gather(pushes(), input, row);
            squares += sum_by(row, |g| g * g);
            let (format, cols) = (self.format, self.inputs);
            report = report.merge(match self.inertia {
                Inertia::Int8 => {
                    let inertia = bytemuck::cast_slice_mut(inertia);
                    update(format, &options, clock, number, 1, cols, row, packed, inertia)?
                }
                Inertia::Int4 => update_int4(format, &options, clock, number, 1, cols, row, packed, inertia)?,
            });
        }
        let now = squares / (self.inputs as f32 * self.outputs as f32);
        let before = *state.square;
        let mean = if before > 0.0 { before + (1.0 - rates.memory) * (now - before) } else { now };
        // Neither infinity nor NaN, nor what was stored by others.
        *state.square = if (0.0..=f32::MAX).contains(&mean) { mean } else { 0.0 };
        Ok(report)
    }

    /// The rule's options for a gradient that is `square` in the mean of squares; rate 0 where that is not known yet.
    fn options(&self, rates: &Rates, square: f32) -> Options {
        let usual =
            if (f32::MIN_POSITIVE..=f32::MAX).contains(&square) { sqrt(square) } else { f32::INFINITY };
        let rate = rates.weights * rates.threshold as f32 / usual;
        Options {
            rate: if rate < f32::MAX { rate } else { f32::MAX },
            decay: rates.decay,
            threshold: rates.threshold,
            weight_decay: rates.weight_decay,
            scale_rate: rates.scales,
            non_finite: NonFinite::Saturate,
        }
    }
}

fn at(row: &[f32], index: usize) -> f32 {
    row.get(index).copied().unwrap_or_default()
}

/// Adds the row to each vector, times its push.
fn spread(pushes: impl Iterator<Item = f32>, row: &[f32], to: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            for (push, to) in pushes.zip(split_rows_mut(to, row.len())) {
                if push != 0.0 {
                    for (to, &w) in to.iter_mut().zip(row) {
                        *to += push * w;
                    }
                }
            }
        },
    );
}

/// Adds up the vectors, each times its push.
fn gather(pushes: impl Iterator<Item = f32>, from: &[f32], row: &mut [f32]) {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            row.fill(0.0);
            for (push, from) in pushes.zip(split_rows(from, row.len())) {
                if push != 0.0 {
                    for (to, &x) in row.iter_mut().zip(from) {
                        *to += push * x;
                    }
                }
            }
        },
    );
}
