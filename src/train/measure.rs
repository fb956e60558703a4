//! How far weights are from their trits, and which trits have changed.

use std::ops::Range;

use serde::Serialize;

use crate::Error;
use crate::learn::layers::Array;
use crate::quant::{Fit, Format, Granularity, Options, dequantize, quantize, quantize_workspace_size};

/// Any ternary format has the same trits and scales.
const FORMAT: Format = Format::Tq2_0;

/// What is known of the ternary weights at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The norm of what quantization changes of all ternary weights, over the norm of the weights.
    pub quantization_error: f32,
    /// The part of their trits that changed since the measurement before; `None` for the first one.
    pub flip_rate: Option<f32>,
    /// The part of their trits that are zero.
    pub zeros: f32,
}

/// The ternary weights of a network.
#[derive(Clone, Debug)]
pub(super) struct Trits {
    arrays: Vec<(Range<usize>, usize, usize)>,
    options: Options,
    packed: Vec<u8>,
    seen: Vec<f32>,
    scratch: Vec<u8>,
    /// As they were at the last measurement; empty before the first one.
    pub last: Vec<i8>,
}

impl Trits {
    pub fn new(arrays: impl Iterator<Item = Array>, fit: Fit) -> Result<Trits, Error> {
        let options = Options::new(FORMAT).fit(fit).granularity(Granularity::Row);
        let arrays: Vec<_> = arrays.map(|a| (a.range, a.parameter.rows, a.parameter.cols)).collect();
        let (mut packed, mut scratch) = (0, 0);
        for &(_, rows, cols) in &arrays {
            packed = FORMAT.matrix_bytes(rows, cols)?.max(packed);
            scratch = quantize_workspace_size(FORMAT, &options, rows, cols)?.max(scratch);
        }
        let seen = arrays.iter().map(|(range, ..)| range.len()).max().unwrap_or(0);
        Ok(Trits {
            arrays,
            options,
            packed: vec![0; packed],
            seen: vec![0.0; seen],
            scratch: vec![0; scratch],
            last: Vec::new(),
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.arrays.iter().map(|(range, ..)| range.len()).sum()
    }

    /// What the forward pass sees of an array.
    fn see(&mut self, array: usize, parameters: &[f32]) -> Result<&[f32], Error> {
        let (ref range, rows, cols) = self.arrays[array];
        let latent = &parameters[range.clone()];
        let packed = &mut self.packed[..FORMAT.matrix_bytes(rows, cols)?];
        quantize(FORMAT, &self.options, rows, cols, latent, packed, &mut self.scratch)?;
        let seen = &mut self.seen[..range.len()];
        dequantize(FORMAT, rows, cols, packed, seen)?;
        Ok(seen)
    }

    /// Error and flips; `None` without ternary weights, or if a scale is out of range.
    pub fn measure(&mut self, parameters: &[f32]) -> Option<Measured> {
        let mut trits = Vec::with_capacity(self.len());
        let (mut lost, mut whole) = (0.0f64, 0.0f64);
        for array in 0..self.arrays.len() {
            let range = self.arrays[array].0.clone();
            let seen = self.see(array, parameters).ok()?;
            for (&w, &s) in parameters[range].iter().zip(seen) {
                let (w, s) = (w as f64, s as f64);
                lost += (w - s) * (w - s);
                whole += w * w;
                trits.push(((s > 0.0) as i8) - ((s < 0.0) as i8));
            }
        }
        if trits.is_empty() {
            return None;
        }
        let part = |count: usize| count as f32 / trits.len() as f32;
        let flips = trits.iter().zip(&self.last).filter(|(now, then)| now != then).count();
        let found = Measured {
            quantization_error: if whole > 0.0 { (lost / whole).sqrt() as f32 } else { 0.0 },
            flip_rate: (!self.last.is_empty()).then(|| part(flips)),
            zeros: part(trits.iter().filter(|&&t| t == 0).count()),
        };
        self.last = trits;
        Some(found)
    }

    /// Moves all weights by a part of the way to their trits.
    ///
    /// Where a scale is out of range, the weights of that array stay.
    pub fn pull(&mut self, part: f32, parameters: &mut [f32]) {
        for array in 0..self.arrays.len() {
            let range = self.arrays[array].0.clone();
            if let Ok(seen) = self.see(array, parameters) {
                for (w, &s) in parameters[range].iter_mut().zip(seen) {
                    *w += part * (s - *w);
                }
            }
        }
    }
}
