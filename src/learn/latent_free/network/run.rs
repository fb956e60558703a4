//! Forward, and back again with every part learning as it is passed.

use crate::Error;
use crate::learn::layers::{self, AnyLayer, Layer};
use crate::workspace::Carver;

use super::super::rows::all_finite;
use super::super::{Clock, Report};
use super::ternary::{Pass, State};
use super::{Network, Part, Rates};

/// What [`Network::forward`] reads and writes.
#[derive(Debug)]
pub struct Forward<'a> {
    /// Samples.
    pub batch: usize,
    /// [`Network::bytes_len`] bytes.
    pub bytes: &'a [u8],
    /// [`Network::floats_len`] values.
    pub floats: &'a [f32],
    /// batch * [`Network::input_len`] values.
    pub input: &'a [f32],
    /// batch * [`Network::output_len`] values are written.
    pub output: &'a mut [f32],
    /// [`Network::saved_len`] values are written.
    pub saved: &'a mut [f32],
    /// At least [`Network::workspace_size`] bytes; holds nothing between calls.
    pub scratch: &'a mut [u8],
}

/// What [`Network::learn`] reads and writes.
#[derive(Debug)]
pub struct Learn<'a> {
    /// Samples.
    pub batch: usize,
    /// As in forward; they learn.
    pub bytes: &'a mut [u8],
    /// As in forward; they learn.
    pub floats: &'a mut [f32],
    /// As in forward.
    pub input: &'a [f32],
    /// What forward wrote.
    pub output: &'a [f32],
    /// What forward wrote.
    pub saved: &'a [f32],
    /// The derivative of the loss by each output.
    pub output_gradient: &'a [f32],
    /// The derivative by each input is written here.
    pub input_gradient: Option<&'a mut [f32]>,
    /// At least [`Network::workspace_size`] bytes.
    pub scratch: &'a mut [u8],
}

fn times(a: usize, b: usize) -> Result<usize, Error> {
    a.checked_mul(b).ok_or(Error::SizeOverflow)
}

impl Network<'_> {
    /// Inputs to outputs, by the packed weights. A sample's output does not depend on the rest of the batch.
    ///
    /// # Errors
    /// [`Error::Shape`] (`bytes`, `floats`, `input`), [`Error::OutputTooSmall`] (`output`, `saved`),
    /// [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`], [`Error::NonFinite`] (what comes to a ternary layer).
    /// `output` is untouched then.
    pub fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let batch = job.batch;
        self.check_state(job.bytes, job.floats)?;
        if job.input.len() != times(batch, self.input_len())? {
            return Err(Error::Shape);
        }
        if job.scratch.len() < self.workspace_size(batch)? {
            return Err(Error::WorkspaceTooSmall);
        }
        let output = job.output.get_mut(..times(batch, self.output_len())?).ok_or(Error::OutputTooSmall)?;
        let mut rest = job.saved.get_mut(..self.saved_len(batch)?).ok_or(Error::OutputTooSmall)?;
        let (mut bytes, mut floats, mut input) = (job.bytes, job.floats, job.input);
        let mut output = Some(output);
        for (i, part) in self.parts.iter().enumerate() {
            let [weights, inertia] = part.bytes();
            let (own, later) = bytes.split_at_checked(weights).ok_or(Error::Shape)?;
            bytes = later.get(inertia..).ok_or(Error::Shape)?;
            let (values, later) = floats.split_at_checked(part.floats()).ok_or(Error::Shape)?;
            floats = later;
            let (saved, later) =
                rest.split_at_mut_checked(part.saved_len(batch)?).ok_or(Error::OutputTooSmall)?;
            let last = i + 1 == self.parts.len();
            let len = if last { 0 } else { times(batch, part.output_len())? };
            let (to, later) = later.split_at_mut_checked(len).ok_or(Error::OutputTooSmall)?;
            rest = later;
            let to = if last { output.take().unwrap_or_default() } else { to };
            let scratch = &mut *job.scratch;
            match part {
                Part::Ternary(layer) => layer.forward(batch, own, input, to, scratch)?,
                Part::Float(layer) => {
                    let (parameters, output) = (values, &mut *to);
                    layer.forward(layers::Forward { batch, parameters, input, output, saved, scratch })?;
                }
            }
            input = to;
        }
        Ok(())
    }

    /// One step: back through the parts after [`Network::forward`], with every part changed as it is passed, by the
    /// gradients of the network as it was. The report is that of all trits.
    ///
    /// Rates fall over the training: [`Rates::at`]. `clock.step` is another one each time; the layers have seeds of their
    /// own, made from `clock.seed`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a rate out of range, [`Error::Shape`] for what is read, [`Error::OutputTooSmall`]
    /// (`input_gradient`), [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`], [`Error::NonFinite`] for an
    /// `output_gradient` or floats that are not finite. Nothing is changed then.
    pub fn learn(&self, rates: &Rates, clock: Clock, job: Learn<'_>) -> Result<Report, Error> {
        let batch = job.batch;
        for part in self.parts {
            if let Part::Ternary(layer) = part {
                rates.check(layer.inertia().most())?;
            }
        }
        rates.check(i32::MAX)?;
        self.check_state(job.bytes, job.floats)?;
        let (input, output) = (times(batch, self.input_len())?, times(batch, self.output_len())?);
        if job.input.len() != input || job.output.len() != output || job.output_gradient.len() != output {
            return Err(Error::Shape);
        }
        let saved = job.saved.get(..self.saved_len(batch)?).ok_or(Error::Shape)?;
        let mut input_gradient = match job.input_gradient {
            Some(gradient) => Some(gradient.get_mut(..input).ok_or(Error::OutputTooSmall)?),
            None => None,
        };
        if job.scratch.len() < self.workspace_size(batch)? {
            return Err(Error::WorkspaceTooSmall);
        }
        if !all_finite(job.output_gradient) || !all_finite(job.floats) {
            return Err(Error::NonFinite);
        }
        let mut carver = Carver::new(job.scratch);
        let row = carver.take::<f32>(self.gradient_len())?;
        let between = self.between(batch)?;
        let (mut from, mut to) = (carver.take::<f32>(between)?, carver.take::<f32>(between)?);
        let scratch = carver.take::<u8>(self.widest(batch)?)?;
        let mut report = Report::default();
        for (i, part) in self.parts.iter().enumerate().rev() {
            let place = self.place(i, batch)?;
            let before = i.checked_sub(1).map(|i| self.place(i, batch)).transpose()?;
            let input = match before {
                Some(before) => saved.get(before.output).ok_or(Error::Shape)?,
                None => job.input,
            };
            let (output, output_gradient) = if i + 1 == self.parts.len() {
                (job.output, job.output_gradient)
            } else {
                let output = saved.get(place.output).ok_or(Error::Shape)?;
                (output, from.get(..output.len()).ok_or(Error::Shape)?)
            };
            let wanted = if i == 0 {
                input_gradient.take()
            } else {
                Some(to.get_mut(..input.len()).ok_or(Error::WorkspaceTooSmall)?)
            };
            let values = self.floats_of(i).and_then(|range| job.floats.get_mut(range)).ok_or(Error::Shape)?;
            match part {
                Part::Ternary(layer) => {
                    let [weights, inertia] = self.bytes_of(i).ok_or(Error::Shape)?;
                    let own = job.bytes.get_mut(weights.start..inertia.end).ok_or(Error::Shape)?;
                    let (weights, inertia) = own.split_at_mut_checked(weights.len()).ok_or(Error::Shape)?;
                    let square = values.first_mut().ok_or(Error::Shape)?;
                    let seed = clock.seed.wrapping_add((i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                    let state = State { weights, inertia, square };
                    let (row, scratch, input_gradient) = (&mut *row, &mut *scratch, wanted);
                    let pass = Pass { input, output_gradient, input_gradient, row, scratch };
                    let part = layer.learn(batch, rates, Clock { seed, ..clock }, state, pass)?;
                    report = report.merge(part);
                }
                Part::Float(layer) => {
                    let saved = saved.get(place.own).ok_or(Error::Shape)?;
                    let gradient = row.get_mut(..values.len()).ok_or(Error::WorkspaceTooSmall)?;
                    gradient.fill(0.0);
                    let job = layers::Backward {
                        batch,
                        parameters: values,
                        input,
                        output,
                        saved,
                        output_gradient,
                        input_gradient: wanted,
                        parameters_gradient: &mut *gradient,
                        scratch: &mut *scratch,
                    };
                    AnyLayer::backward(layer, job)?;
                    descend(rates.floats, gradient, values);
                }
            }
            core::mem::swap(&mut from, &mut to);
        }
        Ok(report)
    }
}

/// Plain gradient descent; a step that would leave the finite numbers is not taken.
fn descend(rate: f32, gradient: &[f32], values: &mut [f32]) {
    for (value, &g) in values.iter_mut().zip(gradient) {
        let moved = *value - rate * g;
        if moved.is_finite() {
            *value = moved;
        }
    }
}
