//! A network with the buffers of its passes.

use crate::learn::layers::{Array, Backward, Forward, Layer, Sequence, loss};

use super::config::{ModelConfig, ModelKind, WeightForm};
use super::dataset::Dataset;
use super::error::TrainError;
#[allow(unused_imports)]
pub(super) use super::models::EPSILON;
use super::models::{Layers, layers};

/// Labels that are evaluated at once.
const AT_ONCE: usize = 256;

/// A network with the buffers of its passes.
#[derive(Debug)]
pub struct Network {
    model: ModelConfig,
    features: usize,
    classes: usize,
    inverse_slope: f32,
    layers: Layers,
    saved: Vec<f32>,
    scratch: Vec<u8>,
    output: Vec<f32>,
    output_gradient: Vec<f32>,
    soft_gradient: Vec<f32>,
    /// Rows that the buffers have room for.
    room: usize,
}

/// How well a network does on some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy.
    pub loss: f64,
    /// The part of the labels whose output is the largest; of equal outputs the first.
    pub accuracy: f64,
}

/// What a teacher says of some rows.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    /// Its outputs, before any softmax.
    pub logits: &'a [f32],
    /// Its part of the loss.
    pub weight: f32,
    /// What outputs are divided by.
    pub temperature: f32,
}

/// Rows to learn from.
#[derive(Clone, Copy, Debug)]
pub struct Samples<'a> {
    /// Features, row after row.
    pub input: &'a [f32],
    /// Labels, [`Network::labels_per_row`] of each row.
    pub labels: &'a [u32],
    /// What a teacher says of them, if there is one.
    pub lesson: Option<Lesson<'a>>,
}

impl<'a> Samples<'a> {
    /// The first half of the rows, rounded down, and the others.
    pub(super) fn halves(&self, rows: usize) -> [Samples<'a>; 2] {
        let cut = |len: usize| len.checked_div(rows).unwrap_or_default() * (rows / 2);
        let (a, b) = self.input.split_at(cut(self.input.len()));
        let (la, lb) = self.labels.split_at(cut(self.labels.len()));
        let lessons = self.lesson.map(|lesson| {
            let (a, b) = lesson.logits.split_at(cut(lesson.logits.len()));
            [Lesson { logits: a, ..lesson }, Lesson { logits: b, ..lesson }]
        });
        let [ta, tb] = lessons.map_or([None; 2], |l| l.map(Some));
        [Samples { input: a, labels: la, lesson: ta }, Samples { input: b, labels: lb, lesson: tb }]
    }
}

impl Network {
    /// The network of a configuration.
    ///
    /// # Errors
    /// Keys that do not fit each other or the rows, and sizes beyond memory.
    pub fn new(model: &ModelConfig, features: usize, classes: usize) -> Result<Network, TrainError> {
        let mut network = Network {
            model: model.clone(),
            features,
            classes,
            inverse_slope: 0.0,
            layers: layers(model, features, classes, 0.0)?,
            saved: Vec::new(),
            scratch: Vec::new(),
            output: Vec::new(),
            output_gradient: Vec::new(),
            soft_gradient: Vec::new(),
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
        Ok(Sequence::new(&self.layers.all)?)
    }

    /// Labels of a row: one, or one for each character.
    #[must_use]
    pub fn labels_per_row(&self) -> usize {
        if self.model.kind == ModelKind::Attention { self.features } else { 1 }
    }

    /// Classes that are told apart.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The arrays that the forward pass sees as trits, or will at the end of training.
    pub fn ternary_arrays(&self) -> impl Iterator<Item = Array> {
        let sequence = Sequence::new(&self.layers.all).ok();
        let arrays = sequence.into_iter().flat_map(|s| s.arrays());
        arrays.filter(|a| a.parameter.is_matrix() && self.layers.ternary.get(a.layer) == Some(&true))
    }

    /// How far proximal weights are from their trits: 1, not at all turned to them, to 0. Other weights do not mind.
    ///
    /// # Errors
    /// A number outside that range.
    pub fn set_inverse_slope(&mut self, inverse_slope: f32) -> Result<(), TrainError> {
        if self.model.weights == WeightForm::Proximal && self.inverse_slope != inverse_slope {
            self.layers = layers(&self.model, self.features, self.classes, inverse_slope)?;
            self.inverse_slope = inverse_slope;
        }
        Ok(())
    }

    fn reserve(&mut self, batch: usize) -> Result<(), TrainError> {
        if batch > self.room {
            let net = Sequence::new(&self.layers.all)?;
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
    /// Lengths that do not fit, a label that is none of a class.
    pub fn loss(
        &mut self,
        parameters: &[f32],
        input: &[f32],
        labels: &[u32],
        gradient: Option<&mut [f32]>,
    ) -> Result<f32, TrainError> {
        if let Some(gradient) = gradient {
            gradient.fill(0.0);
            return self.add_loss(parameters, &Samples { input, labels, lesson: None }, 1.0, Some(gradient));
        }
        self.add_loss(parameters, &Samples { input, labels, lesson: None }, 1.0, None)
    }

    /// The mean loss on some rows, and `share` times its gradient added to `gradient`. What is not finite as in
    /// [`Network::loss`].
    ///
    /// # Errors
    /// Likewise.
    pub fn add_loss(
        &mut self,
        parameters: &[f32],
        samples: &Samples<'_>,
        share: f32,
        gradient: Option<&mut [f32]>,
    ) -> Result<f32, TrainError> {
        let Samples { input, labels, lesson } = *samples;
        let batch = labels.len() / self.labels_per_row().max(1);
        self.reserve(batch)?;
        let net = Sequence::new(&self.layers.all)?;
        let outputs = batch * net.output_len();
        let saved = &mut self.saved[..net.saved_len(batch)?];
        let output = &mut self.output[..outputs];
        let output_gradient = match gradient {
            Some(_) => &mut self.output_gradient[..outputs],
            None => &mut [],
        };
        let forward =
            net.forward(Forward { batch, parameters, input, output, saved, scratch: &mut self.scratch });
        let found = forward.and_then(|()| {
            let hard = loss::cross_entropy(self.classes, output, labels, None, output_gradient)?;
            let Some(lesson) = lesson else { return Ok(hard) };
            let soft_gradient = &mut self.soft_gradient;
            soft_gradient.resize(output_gradient.len(), 0.0);
            let (w, t) = (lesson.weight, lesson.temperature);
            let soft = loss::distillation(self.classes, output, lesson.logits, t, soft_gradient)?;
            for (to, soft) in output_gradient.iter_mut().zip(soft_gradient) {
                *to = (1.0 - w) * *to + w * *soft;
            }
            Ok((1.0 - w) * hard + w * soft)
        });
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
            if share != 1.0 {
                output_gradient.iter_mut().for_each(|g| *g *= share);
            }
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

    /// The outputs for some rows, before any softmax.
    ///
    /// # Errors
    /// Lengths that do not fit; [`crate::Error::NonFinite`] from layers that refuse what is not finite.
    pub fn outputs(&mut self, parameters: &[f32], input: &[f32]) -> Result<&[f32], TrainError> {
        let batch = input.len() / self.features.max(1);
        self.reserve(batch)?;
        let net = Sequence::new(&self.layers.all)?;
        let saved = &mut self.saved[..net.saved_len(batch)?];
        let output = &mut self.output[..batch * net.output_len()];
        net.forward(Forward { batch, parameters, input, output, saved, scratch: &mut self.scratch })?;
        Ok(output)
    }

    /// Adds the cross-entropy of each label of the last batch to a list.
    pub(super) fn add_losses(&self, labels: &[u32], to: &mut Vec<f32>) {
        let rows = self.last_outputs(labels.len()).chunks_exact(self.classes);
        // Of outputs that are not finite there is none.
        let loss = |row: &[f32], label: u32| {
            loss::cross_entropy(self.classes, row, &[label], None, &mut []).unwrap_or(f32::NAN)
        };
        to.extend(rows.zip(labels).map(|(row, &label)| loss(row, label)));
    }

    /// The outputs of the last batch of [`Network::loss`] or [`Network::outputs`], of `labels` labels.
    pub(super) fn last_outputs(&self, labels: usize) -> &[f32] {
        &self.output[..labels * self.classes]
    }

    /// Loss and accuracy over all labels of all rows; proximal weights are seen as their trits.
    ///
    /// # Errors
    /// Lengths that do not fit; no rows.
    pub fn evaluate(&mut self, parameters: &[f32], data: &Dataset) -> Result<Evaluation, TrainError> {
        let slope = self.inverse_slope;
        self.set_inverse_slope(0.0)?;
        let found = self.evaluate_as_seen(parameters, data);
        self.set_inverse_slope(slope)?;
        found
    }

    fn evaluate_as_seen(&mut self, parameters: &[f32], data: &Dataset) -> Result<Evaluation, TrainError> {
        let (mut sum, mut right) = (0.0f64, 0usize);
        let per_row = self.labels_per_row();
        let rows = (AT_ONCE / per_row).max(1);
        for (x, labels) in data.x.chunks(rows * data.features).zip(data.labels.chunks(rows * per_row)) {
            let found = self.loss(parameters, x, labels, None)?;
            sum += found as f64 * labels.len() as f64;
            let scores = self.last_outputs(labels.len()).chunks_exact(self.classes);
            right += scores
                .zip(labels)
                .filter(|(scores, label)| first_largest(scores) == **label as usize)
                .count();
        }
        let labels = data.labels.len().max(1) as f64;
        Ok(Evaluation { loss: sum / labels, accuracy: right as f64 / labels })
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
