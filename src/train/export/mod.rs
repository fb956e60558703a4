//! A trained network as it is stored and run: packed matrices, biases and gains in f32.
//!
//! Of a network that was trained with ternary weights the trits and scales are those that its last evaluation saw, in
//! whichever ternary format. [`Exported::scores`] multiplies the packed matrices with int8 activations by
//! [`crate::linear::matmul`], as a C program does with the exported header: its bits are those of the file on every
//! machine. `tq1_0` and `tq2_0` give the bits of training too; `dense_ternary` multiplies the scale of a row at another
//! place, and differs from them in the last bit.

mod c_network;
mod gguf;

use crate::learn::layers::{AnyLayer, Forward, Layer, Parameter};
use crate::linear::{Packed, matmul};
use crate::quant::{
    ActBlock, Fit, Format, Granularity, NonFinite, Options, dequantize, quantize, quantize_activations,
    quantize_workspace_size,
};

use super::config::{FitName, ModelConfig, ModelKind, WeightForm};
use super::dataset::Dataset;
use super::error::{TrainError, config};
use super::network::{Evaluation, Network, first_largest};

/// Labels that are evaluated at once.
const AT_ONCE: usize = 256;

/// An array of parameters as it is stored.
#[derive(Clone, Debug)]
struct Stored {
    /// `fc1.weight`: kind and number of the layer, and the name within it.
    name: String,
    parameter: Parameter,
    /// Decoded.
    values: Vec<f32>,
    /// The bytes of a packed matrix.
    packed: Option<(Format, Vec<u8>)>,
}

impl Stored {
    fn bytes(&self) -> usize {
        self.packed.as_ref().map_or(4 * self.values.len(), |(_, bytes)| bytes.len())
    }
}

/// A trained network as it is stored and run.
#[derive(Debug)]
pub struct Exported {
    model: ModelConfig,
    features: usize,
    classes: usize,
    scale: f32,
    /// Of a model of texts: its characters, each at its number.
    vocabulary: Option<String>,
    format: Option<Format>,
    layers: Vec<AnyLayer>,
    /// Of each layer.
    arrays: Vec<Vec<Stored>>,
}

impl Exported {
    /// Packs the parameters of a network. `format` is that of its matrices; `None`: f32. A network with ternary weights takes
    /// a ternary format; one with float weights any, and is quantized by it with a scale of least error for each row or block
    /// (that is post-training quantization; activations are int8 from then on). `scale` is what raw features are to be
    /// multiplied with before they are what the network was trained on; it is only written down.
    ///
    /// # Errors
    /// A format that the network cannot have; weights that it cannot hold.
    pub fn new(
        model: &ModelConfig,
        [features, classes]: [usize; 2],
        parameters: &[f32],
        format: Option<Format>,
        scale: f32,
    ) -> Result<Exported, TrainError> {
        let trained = model.weights != WeightForm::Float;
        let ternary = format.is_some_and(is_ternary);
        if trained && !ternary {
            let name = format.map_or("f32", Format::name);
            let what = format!("is {name}, and the network was trained with ternary weights");
            return Err(config("the format", what, "choose dense_ternary, tq1_0 or tq2_0"));
        }
        let mut run = model.clone();
        if format.is_some() && !trained {
            run.int8_activations = true;
        }
        if ternary {
            // The stored values are trits times a scale: their largest magnitude is that scale.
            (run.weights, run.fit) = (WeightForm::Ternary, FitName::Absmax);
        }
        let layers = Network::new(&run, features, classes)?.sequence()?.layers().to_vec();
        // Not the tables of characters, nor what is to stay float.
        let packable = ModelConfig { weights: WeightForm::Ternary, ..run.clone() };
        let packable: Vec<_> = Network::new(&packable, features, classes)?.ternary_arrays().collect();
        let fit = trained.then(|| model.fit.fit());
        let (mut rest, mut at) = (parameters, 0);
        let mut arrays = Vec::new();
        for (layer, prefix) in layers.iter().zip(names(&layers)) {
            let mut stored = Vec::new();
            for parameter in (0..).map_while(|k| layer.parameter(k)) {
                let Some((own, later)) = rest.split_at_checked(parameter.len()) else {
                    return Err(crate::Error::Shape.into());
                };
                rest = later;
                let packs = packable.iter().any(|a| a.range.start == at);
                at += parameter.len();
                let name = format!("{prefix}.{}", parameter.name);
                let packed = match format {
                    Some(format) if packs => Some((format, pack(format, &parameter, own, fit)?)),
                    _ => None,
                };
                stored.push(Stored::new(name, parameter, own, packed)?);
            }
            arrays.push(stored);
        }
        let vocabulary = None;
        Ok(Exported { model: run, features, classes, scale, vocabulary, format, layers, arrays })
    }

    /// The same with the characters of a model of texts, each at its number.
    #[must_use]
    pub fn with_vocabulary(self, characters: &[char]) -> Exported {
        Exported { vocabulary: Some(characters.iter().collect()), ..self }
    }

    /// The characters of a model of texts.
    #[must_use]
    pub fn vocabulary(&self) -> Option<&str> {
        self.vocabulary.as_deref()
    }

    /// Labels of a row: one, or one for each character.
    #[must_use]
    pub fn labels_per_row(&self) -> usize {
        if self.model.kind == ModelKind::Attention { self.features } else { 1 }
    }

    /// The format of the matrices; `None`: f32.
    #[must_use]
    pub fn format(&self) -> Option<Format> {
        self.format
    }

    /// Features of a sample, and classes.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.features, self.classes]
    }

    /// What raw features are multiplied with.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Numbers in the matrices.
    #[must_use]
    pub fn matrix_len(&self) -> usize {
        let matrices = self.arrays.iter().flatten().filter(|a| a.parameter.is_matrix());
        matrices.map(|a| a.values.len()).sum()
    }

    /// Bytes of the matrices.
    #[must_use]
    pub fn matrix_bytes(&self) -> usize {
        self.arrays.iter().flatten().filter(|a| a.parameter.is_matrix()).map(Stored::bytes).sum()
    }

    /// Bytes of all parameters.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.arrays.iter().flatten().map(Stored::bytes).sum()
    }

    /// The scores of some samples: `batch * features` values (multiplied with the scale already) to `batch * classes`; of a
    /// model of texts as many for each character.
    ///
    /// # Errors
    /// Lengths that do not fit; inputs that are not finite.
    pub fn scores(&self, batch: usize, input: &[f32], output: &mut [f32]) -> Result<(), TrainError> {
        let mut x = input.to_vec();
        for (layer, arrays) in self.layers.iter().zip(&self.arrays) {
            let mut y = vec![0.0; batch * layer.output_len()];
            match (layer, arrays.first().and_then(|a| a.packed.as_ref())) {
                (AnyLayer::Linear(linear), Some((format, bytes))) if self.model.int8_activations => {
                    let (rows, cols) = (linear.outputs(), linear.inputs());
                    let positions = x.len() / cols.max(1);
                    let mut acts = vec![ActBlock::ZERO; positions * ActBlock::count(cols)];
                    quantize_activations(positions, cols, &x, NonFinite::Error, &mut acts)?;
                    matmul(&Packed::new(*format, rows, cols, bytes)?, positions, &acts, &mut y)?;
                    if let Some(bias) = arrays.get(1) {
                        for row in y.chunks_exact_mut(rows) {
                            row.iter_mut().zip(&bias.values).for_each(|(y, b)| *y += b);
                        }
                    }
                }
                _ => {
                    let parameters: Vec<f32> = arrays.iter().flat_map(|a| a.values.iter().copied()).collect();
                    layer.forward(Forward {
                        batch,
                        parameters: &parameters,
                        input: &x,
                        output: &mut y,
                        saved: &mut vec![0.0; layer.saved_len(batch)?],
                        scratch: &mut vec![0; layer.workspace_size(batch)?],
                    })?;
                }
            }
            x = y;
        }
        if output.len() != x.len() {
            return Err(crate::Error::Shape.into());
        }
        output.copy_from_slice(&x);
        Ok(())
    }

    /// Loss and accuracy over all rows.
    ///
    /// # Errors
    /// Rows of another kind.
    pub fn evaluate(&self, data: &Dataset) -> Result<Evaluation, TrainError> {
        let (mut sum, mut right) = (0.0f64, 0usize);
        let per_row = self.labels_per_row();
        let rows = (AT_ONCE / per_row).max(1);
        for (x, labels) in data.x.chunks(rows * self.features).zip(data.labels.chunks(rows * per_row)) {
            let mut scores = vec![0.0; labels.len() * self.classes];
            self.scores(labels.len() / per_row, x, &mut scores)?;
            let loss =
                crate::learn::layers::loss::cross_entropy(self.classes, &scores, labels, None, &mut [])?;
            sum += loss as f64 * labels.len() as f64;
            let rows = scores.chunks_exact(self.classes).zip(labels);
            right += rows.filter(|(scores, label)| first_largest(scores) == **label as usize).count();
        }
        let labels = data.labels.len().max(1) as f64;
        Ok(Evaluation { loss: sum / labels, accuracy: right as f64 / labels })
    }

    /// How far the packed matrices are from float parameters: the root of squared error over squared values, over all of
    /// them.
    #[must_use]
    pub fn relative_error(&self, parameters: &[f32]) -> f64 {
        let (mut error, mut sum) = (0.0, 0.0);
        let mut rest = parameters;
        for array in self.arrays.iter().flatten() {
            let (own, later) = rest.split_at_checked(array.values.len()).unwrap_or_default();
            rest = later;
            if array.packed.is_some() {
                for (&x, &y) in own.iter().zip(&array.values) {
                    error += (x as f64 - y as f64).powi(2);
                    sum += (x as f64).powi(2);
                }
            }
        }
        if sum > 0.0 { (error / sum).sqrt() } else { 0.0 }
    }

    /// The signs of all values of the packed matrices: what flips when a ternary weight changes.
    #[must_use]
    pub fn signs(&self) -> Vec<i8> {
        let matrices = self.arrays.iter().flatten().filter(|a| a.packed.is_some());
        matrices.flat_map(|a| &a.values).map(|v| (*v > 0.0) as i8 - (*v < 0.0) as i8).collect()
    }
}

impl Stored {
    fn new(
        name: String,
        parameter: Parameter,
        values: &[f32],
        packed: Option<(Format, Vec<u8>)>,
    ) -> Result<Stored, TrainError> {
        let mut values = values.to_vec();
        if let Some((format, bytes)) = &packed {
            dequantize(*format, parameter.rows, parameter.cols, bytes, &mut values)?;
        }
        Ok(Stored { name, parameter, values, packed })
    }
}

/// Whether values of a format are a trit times a scale.
fn is_ternary(format: Format) -> bool {
    matches!(format, Format::Tq1_0 | Format::Tq2_0 | Format::DenseTernary)
}

/// Packs a matrix. With a `fit`: what training saw, which is `tq2_0` by that fit, carried over to the format exactly.
fn pack(format: Format, p: &Parameter, values: &[f32], fit: Option<Fit>) -> Result<Vec<u8>, TrainError> {
    let pack = |format: Format, options: &Options, values: &[f32]| -> Result<Vec<u8>, TrainError> {
        let mut bytes = vec![0; format.matrix_bytes(p.rows, p.cols)?];
        let mut scratch = vec![0; quantize_workspace_size(format, options, p.rows, p.cols)?];
        quantize(format, options, p.rows, p.cols, values, &mut bytes, &mut scratch)?;
        Ok(bytes)
    };
    let by_row = |format: Format| match is_ternary(format) {
        true => Options::new(format).granularity(Granularity::Row),
        false => Options::new(format),
    };
    let Some(fit) = fit else { return pack(format, &by_row(format), values) };
    let seen = pack(Format::Tq2_0, &by_row(Format::Tq2_0).fit(fit), values)?;
    if format == Format::Tq2_0 {
        return Ok(seen);
    }
    let mut decoded = vec![0.0; values.len()];
    dequantize(Format::Tq2_0, p.rows, p.cols, &seen, &mut decoded)?;
    pack(format, &by_row(format).fit(Fit::AbsMax), &decoded)
}

/// What each layer is called in files: its kind, numbered.
fn names(layers: &[AnyLayer]) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    let kinds = layers.iter().map(|layer| match layer {
        AnyLayer::Linear(_) => "fc",
        AnyLayer::Bias(_) => "bias",
        AnyLayer::RmsNorm(_) => "norm",
        AnyLayer::Activation(_) => "curve",
        AnyLayer::Conv(_) => "conv",
        AnyLayer::Pool(_) => "pool",
        AnyLayer::Embedding(_) => "embed",
        AnyLayer::Attention(_) => "attn",
    });
    kinds
        .map(|kind| {
            let count = counts.entry(kind).or_insert(0);
            *count += 1;
            format!("{kind}{count}")
        })
        .collect()
}
