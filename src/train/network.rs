//! The network that a configuration describes.

use crate::learn::layers::{
    Activation, AnyLayer, Backward, Forward, Layer, Linear, RmsNorm, Sequence, Weights, loss,
};

use super::config::{ModelConfig, WeightForm};
use super::dataset::Dataset;
use super::error::{TrainError, config};

/// The epsilon of all norms.
pub(super) const EPSILON: f32 = 1e-5;
/// Rows that are evaluated at once.
const AT_ONCE: usize = 256;

/// A network with the buffers of its passes.
#[derive(Debug)]
pub struct Network {
    layers: Vec<AnyLayer>,
    saved: Vec<f32>,
    scratch: Vec<u8>,
    output: Vec<f32>,
    output_gradient: Vec<f32>,
    /// Rows that the buffers have room for.
    room: usize,
}

/// How well a network does on some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// The part of the rows whose largest output is that of their label; of equal outputs the first.
    pub accuracy: f64,
}

impl Network {
    /// A multilayer perceptron.
    ///
    /// # Errors
    /// A hidden layer without neurons, or sizes beyond memory.
    pub fn new(model: &ModelConfig, features: usize, classes: usize) -> Result<Network, TrainError> {
        if let Some(i) = model.hidden.iter().position(|&n| n == 0) {
            let what = format!("has 0 neurons in layer {}", i + 1);
            return Err(config("model.hidden", what, "give every hidden layer at least one"));
        }
        let weights = match model.weights {
            WeightForm::Float => Weights::Float,
            WeightForm::Ternary => Weights::ternary(model.fit.fit()),
        };
        let mut layers: Vec<AnyLayer> = Vec::new();
        let mut inputs = features;
        for (i, &outputs) in model.hidden.iter().chain([&classes]).enumerate() {
            // The first norm makes up for the scale of the features and has nothing to learn that the matrix cannot.
            layers.push(RmsNorm::new(inputs, i > 0, EPSILON)?.into());
            layers.push(Linear::new(inputs, outputs, true)?.seen(weights, model.activations())?.into());
            if i < model.hidden.len() {
                layers.push(Activation::new(outputs, model.curve.curve())?.into());
            }
            inputs = outputs;
        }
        Sequence::new(&layers)?;
        let mut network = Network {
            layers,
            saved: Vec::new(),
            scratch: Vec::new(),
            output: Vec::new(),
            output_gradient: Vec::new(),
            room: 0,
        };
        network.reserve(1)?;
        Ok(network)
    }

    /// The layers as a sequence.
    ///
    /// # Errors
    /// None that [`Network::new`] has not had.
    pub fn sequence(&self) -> Result<Sequence<'_>, TrainError> {
        Ok(Sequence::new(&self.layers)?)
    }

    fn reserve(&mut self, batch: usize) -> Result<(), TrainError> {
        if batch > self.room {
            let net = Sequence::new(&self.layers)?;
            let outputs = net.output_len();
            self.saved.resize(net.saved_len(batch)?, 0.0);
            self.scratch.resize(net.workspace_size(batch)?, 0);
            self.output.resize(batch * outputs, 0.0);
            self.output_gradient.resize(batch * outputs, 0.0);
            self.room = batch;
        }
        Ok(())
    }

    /// The mean loss on a batch; with `gradient`, its gradient too. Infinity if an output is not finite (`gradient` is
    /// infinite then, too).
    ///
    /// # Errors
    /// Lengths that do not fit.
    pub fn loss(
        &mut self,
        parameters: &[f32],
        input: &[f32],
        labels: &[u32],
        gradient: Option<&mut [f32]>,
    ) -> Result<f32, TrainError> {
        let batch = labels.len();
        self.reserve(batch)?;
        let net = Sequence::new(&self.layers)?;
        let outputs = net.output_len();
        let saved = &mut self.saved[..net.saved_len(batch)?];
        let output = &mut self.output[..batch * outputs];
        let output_gradient = match gradient {
            Some(_) => &mut self.output_gradient[..batch * outputs],
            None => &mut [],
        };
        let forward =
            net.forward(Forward { batch, parameters, input, output, saved, scratch: &mut self.scratch });
        let found =
            forward.and_then(|()| loss::cross_entropy(outputs, output, labels, None, output_gradient));
        let found = match found {
            // That is how a run that diverges shows itself.
            Err(crate::Error::NonFinite) => {
                if let Some(gradient) = gradient {
                    gradient.fill(f32::INFINITY);
                }
                return Ok(f32::INFINITY);
            }
            other => other?,
        };
        if let Some(gradient) = gradient {
            gradient.fill(0.0);
            net.backward(Backward {
                batch,
                parameters,
                input,
                output,
                saved,
                output_gradient,
                input_gradient: None,
                parameters_gradient: gradient,
                scratch: &mut self.scratch,
            })?;
        }
        Ok(found)
    }

    /// Loss and accuracy over all rows.
    ///
    /// # Errors
    /// Lengths that do not fit; no rows.
    pub fn evaluate(&mut self, parameters: &[f32], data: &Dataset) -> Result<Evaluation, TrainError> {
        let (mut sum, mut right) = (0.0f64, 0usize);
        let features = data.features;
        for (x, labels) in data.x.chunks(AT_ONCE * features).zip(data.labels.chunks(AT_ONCE)) {
            let found = self.loss(parameters, x, labels, None)?;
            sum += found as f64 * labels.len() as f64;
            let outputs = Sequence::new(&self.layers)?.output_len();
            let scores = self.output.chunks_exact(outputs);
            right += scores
                .zip(labels)
                .filter(|(scores, label)| first_largest(scores) == **label as usize)
                .count();
        }
        let rows = data.rows().max(1) as f64;
        Ok(Evaluation { loss: sum / rows, accuracy: right as f64 / rows })
    }
}

/// The index of the largest value; of equal ones the first.
pub(super) fn first_largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}
