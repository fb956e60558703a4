//! What a student learns from: the outputs of another network.

use std::path::Path;

use crate::io::model::{Container, Model};
use crate::io::{ErrorKind, IoError};
use crate::learn::layers::{Activation, AnyLayer, Curve, Forward, Layer, Linear, Sequence};
use crate::quant::archive::crc32;

use super::checkpoint::{Checkpoint, is_checkpoint};
use super::config::Config;
use super::dataset::Dataset;
use super::error::{TrainError, config};
use super::network::Network;
use super::trainer::Trainer;

/// Rows that are looked at together.
const AT_ONCE: usize = 64;

/// A trained network, of another run or from a file of tensors.
#[derive(Debug)]
pub struct Teacher {
    kind: Kind,
    features: usize,
    classes: usize,
}

#[derive(Debug)]
enum Kind {
    Run(Box<Network>, Vec<f32>),
    /// Float matrices with ReLUs between them.
    Perceptron(Vec<AnyLayer>, Vec<f32>),
}

impl Teacher {
    /// Opens a teacher for rows like those of `data`: a checkpoint, whose best parameters it has; or a safetensors file of a
    /// multilayer perceptron with ReLUs, such as `data/digits/mlp.safetensors`: two-dimensional tensors `<name>.weight` (outputs x
    /// inputs), in the order of their names (numbers in them by value), each with its `<name>.bias` if it has one.
    ///
    /// # Errors
    /// A file that is neither, or that does not take such rows or tell their classes apart.
    pub fn open(path: &Path, data: &Dataset) -> Result<Teacher, TrainError> {
        let (features, classes) = (data.features, data.classes);
        let kind = if is_checkpoint(path)? {
            let found = Checkpoint::read(path)?;
            let run = Config::from_toml(&found.config, path)?;
            run.check()?;
            let network = Network::new(&run.model, features, classes)?;
            let parameters = if found.best.is_empty() { found.parameters } else { found.best };
            if parameters.len() != network.sequence()?.parameters_len()
                || network.labels_per_row() != data.labels_per_row
            {
                let what = format!("was not trained on rows of {features} features and {classes} classes");
                return Err(misfit(path, what));
            }
            Kind::Run(Box::new(network), parameters)
        } else {
            if data.labels_per_row != 1 {
                return Err(misfit(path, "is no model of texts".into()));
            }
            let (layers, parameters) = perceptron(path)?;
            let ends = Sequence::new(&layers).map(|s| [s.input_len(), s.output_len()])?;
            if ends != [features, classes] {
                let what = format!(
                    "takes {} features and tells {} classes apart; the data have {features} and {classes}",
                    ends[0], ends[1]
                );
                return Err(misfit(path, what));
            }
            Kind::Perceptron(layers, parameters)
        };
        Ok(Teacher { kind, features, classes })
    }

    /// Its outputs for all rows, before any softmax: `classes` for each label.
    ///
    /// # Errors
    /// Rows of another kind than those it was opened for; outputs that are not finite.
    pub fn logits(&mut self, data: &Dataset) -> Result<Vec<f32>, TrainError> {
        if (data.features, data.classes) != (self.features, self.classes) {
            let what = format!("is for rows of {} features and {} classes", self.features, self.classes);
            return Err(config("the teacher", what, "give it such rows"));
        }
        let mut all = Vec::with_capacity(data.labels.len() * data.classes);
        for x in data.x.chunks(AT_ONCE * data.features) {
            match &mut self.kind {
                Kind::Run(network, parameters) => all.extend_from_slice(network.outputs(parameters, x)?),
                Kind::Perceptron(layers, parameters) => {
                    let net = Sequence::new(layers)?;
                    let batch = x.len() / data.features;
                    let start = all.len();
                    all.resize(start + batch * data.classes, 0.0);
                    net.forward(Forward {
                        batch,
                        parameters,
                        input: x,
                        output: &mut all[start..],
                        saved: &mut vec![0.0; net.saved_len(batch)?],
                        scratch: &mut vec![0; net.workspace_size(batch)?],
                    })?;
                }
            }
        }
        Ok(all)
    }
}

/// The layers of a file of tensors, and their parameters.
fn perceptron(path: &Path) -> Result<(Vec<AnyLayer>, Vec<f32>), TrainError> {
    let model = Model::open(path)?;
    if model.container != Container::Safetensors {
        return Err(misfit(path, "is neither a checkpoint nor a safetensors file".into()));
    }
    let read = |tensor: &crate::io::model::Tensor| -> Result<Vec<f32>, TrainError> {
        let mut values = vec![0.0; tensor.len()];
        model.read_rows(tensor, 0..tensor.rows(), &mut values)?;
        Ok(values)
    };
    let mut weights: Vec<_> = model.tensors.iter().filter(|t| t.name.ends_with("weight")).collect();
    weights.sort_by_key(|t| in_order(&t.name));
    let (mut layers, mut parameters) = (Vec::<AnyLayer>::new(), Vec::new());
    let mut used = 0;
    for (i, weight) in weights.iter().enumerate() {
        let &[outputs, inputs] = &weight.shape[..] else {
            return Err(misfit(path, format!("has the tensor '{}', which is no matrix", weight.name)));
        };
        let name = weight.name.strip_suffix("weight").unwrap_or_default();
        let bias = model.tensors.iter().find(|t| t.name.strip_suffix("bias") == Some(name));
        if bias.is_some_and(|b| b.len() != outputs) {
            return Err(misfit(path, format!("has a bias of '{}' of another length", weight.name)));
        }
        if i > 0 {
            layers.push(Activation::new(inputs, Curve::Relu)?.into());
        }
        layers.push(Linear::new(inputs, outputs, bias.is_some())?.into());
        parameters.extend(read(weight)?);
        if let Some(bias) = bias {
            parameters.extend(read(bias)?);
            used += 1;
        }
        used += 1;
    }
    let fits = !layers.is_empty() && Sequence::misfit(&layers).is_none() && used == model.tensors.len();
    if !fits || !parameters.iter().all(|p| p.is_finite()) {
        let what =
            "is no multilayer perceptron: matrices '<name>.weight' that fit each other, with their biases";
        return Err(misfit(path, what.into()));
    }
    Ok((layers, parameters))
}

/// Names in the order that people count in: 2 before 10.
fn in_order(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0u64)];
    let mut digits = false;
    for c in name.chars() {
        if let Some(digit) = c.to_digit(10) {
            digits = true;
            if let Some((_, number)) = parts.last_mut() {
                *number = number.saturating_mul(10).saturating_add(digit as u64);
            }
        } else {
            if std::mem::take(&mut digits) {
                parts.push((String::new(), 0));
            }
            if let Some((text, _)) = parts.last_mut() {
                text.push(c);
            }
        }
    }
    parts
}

fn misfit(path: &Path, what: String) -> TrainError {
    IoError::new(ErrorKind::Data, path, what, "give a teacher for these data").into()
}

impl Trainer {
    /// The same run with a teacher, whose outputs for the training rows these are ([`Teacher::logits`]). For a run that was
    /// resumed they must be those that it had.
    ///
    /// # Errors
    /// Outputs for other rows; a run that has made steps without a teacher.
    pub fn with_teacher(mut self, logits: Vec<f32>) -> Result<Trainer, TrainError> {
        let refuse = |what: &str, mend| Err(config("the teacher", what, mend));
        if logits.len() != self.data.labels.len() * self.data.classes {
            return refuse("has outputs for other rows", "give one for each class and label of the data");
        }
        if !logits.iter().all(|l| l.is_finite()) {
            return refuse("has outputs that are not finite", "look at its parameters and at the data");
        }
        match self.teacher_wanted.take() {
            Some(wanted) if wanted != checksum(&logits) => {
                return refuse("is not that of the run that was resumed", "give the same one");
            }
            None if self.step > 0 && self.teacher.is_empty() => {
                return refuse("comes too late: the run has begun without one", "begin anew");
            }
            _ => {}
        }
        self.teacher = logits;
        Ok(self)
    }
}

/// Tells outputs apart.
pub(super) fn checksum(logits: &[f32]) -> u32 {
    logits.iter().fold(0, |crc, v| crc32(crc, &v.to_le_bytes()))
}
