//! Classifies the held-out digits with the FP32 network as it was trained, and with its weights packed, on the
//! same kernels that the C program `c_examples/classify.c` calls.
//!
//! ```text
//! cargo run --release --example classify -- data/digits/mlp.safetensors data/digits/test.csv PACKED.gguf ... \
//!     [--scores FILE]
//! ```
//!
//! Each `PACKED.gguf` is what `hybridq quantize data/digits/mlp.safetensors` wrote. `--scores` writes the scores of
//! the first as raw little-endian f32, image after image, for comparison with those of the C program.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use hybridq::io::model::{Kind, Model, Tensor};
use hybridq::linear::{Packed, matvec, vector};
use hybridq::quant::{ActBlock, NonFinite, quantize_activations};

const PIXELS: usize = 64;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let scores_file = match args.iter().position(|a| a == "--scores") {
        Some(at) if at + 1 < args.len() => {
            args.remove(at);
            Some(args.remove(at))
        }
        Some(_) => return Err("--scores wants a file".into()),
        None => None,
    };
    let [float, images, packed @ ..] = args.as_slice() else {
        return Err("usage: classify MODEL.safetensors IMAGES.csv PACKED.gguf ... [--scores FILE]".into());
    };
    let images = read_images(images)?;
    let share = |hits: usize| 100.0 * hits as f64 / images.len() as f64;
    let line = |label: &str, accuracy: f64, bytes: usize, micros: f64| {
        println!("{label:<34} {accuracy:>7.2} % {bytes:>13} {micros:>11.2}");
    };
    println!("{:<34} {:>9} {:>13} {:>11}", "", "accuracy", "weight bytes", "us/image");

    let model = Model::open(Path::new(float))?;
    let reference = FloatNet::load(&model)?;
    let start = Instant::now();
    let hits = count_hits(&images, |x| reference.scores(x))?;
    let micros = start.elapsed().as_secs_f64() * 1e6 / images.len() as f64;
    line("FP32", share(hits), reference.bytes(), micros);
    let mut figures = vec![("fp32", share(hits), reference.bytes())];

    for (number, path) in packed.iter().enumerate() {
        let model = Model::open(Path::new(path))?;
        let net = PackedNet::load(&model)?;
        let mut raw = Vec::new();
        let start = Instant::now();
        let hits = count_hits(&images, |x| {
            let scores = net.scores(x)?;
            raw.extend(scores.iter().flat_map(|s| s.to_le_bytes()));
            Ok(scores)
        })?;
        let micros = start.elapsed().as_secs_f64() * 1e6 / images.len() as f64;
        if let (0, Some(file)) = (number, &scores_file) {
            std::fs::File::create(file)?.write_all(&raw)?;
        }
        let format = net.fc1.0.format().name();
        let label = format!("{format}, Rust ({})", hybridq::simd::active().name());
        line(&label, share(hits), net.bytes(), micros);
        figures.push((format, share(hits), net.bytes()));
    }
    for (name, accuracy, bytes) in figures {
        println!("figure digits_accuracy_{name} {accuracy:.2} percent");
        println!("figure digits_weight_bytes_{name} {bytes} bytes");
    }
    Ok(())
}

/// Lines of `label,p0,...,p63` with pixels 0..=16; pixels are scaled to 0..=1 as the network wants them.
fn read_images(path: &str) -> Result<Vec<(usize, [f32; PIXELS])>> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
    let mut images = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let fields: std::result::Result<Vec<u8>, _> = line.split(',').map(|f| f.trim().parse()).collect();
        match fields.as_deref() {
            Ok([label, pixels @ ..]) if pixels.len() == PIXELS => {
                let mut x = [0.0; PIXELS];
                for (x, &p) in x.iter_mut().zip(pixels) {
                    *x = f32::from(p) / 16.0;
                }
                images.push((usize::from(*label), x));
            }
            _ => return Err(format!("{path}:{}: wants a label and {PIXELS} pixels", number + 1).into()),
        }
    }
    if images.is_empty() {
        return Err(format!("{path}: holds no image").into());
    }
    Ok(images)
}

fn count_hits(
    images: &[(usize, [f32; PIXELS])],
    mut scores: impl FnMut(&[f32]) -> Result<Vec<f32>>,
) -> Result<usize> {
    let mut hits = 0;
    for (label, x) in images {
        let scores = scores(x)?;
        // the first of equal scores, as the C program has it
        let mut best = 0;
        for (class, score) in scores.iter().enumerate() {
            if *score > scores[best] {
                best = class;
            }
        }
        hits += usize::from(best == *label);
    }
    Ok(hits)
}

fn tensor<'m>(model: &'m Model, name: &str) -> Result<&'m Tensor> {
    model
        .tensors
        .iter()
        .find(|t| t.name == name)
        .ok_or_else(|| format!("{}: has no tensor '{name}'", model.path.display()).into())
}

fn floats(model: &Model, name: &str) -> Result<(usize, Vec<f32>)> {
    let t = tensor(model, name)?;
    let mut values = vec![0.0; t.len()];
    model.read_rows(t, 0..t.rows(), &mut values)?;
    Ok((t.cols(), values))
}

/// The network as it was trained.
struct FloatNet {
    fc1: (usize, Vec<f32>),
    bias1: Vec<f32>,
    fc2: (usize, Vec<f32>),
    bias2: Vec<f32>,
}

impl FloatNet {
    fn load(model: &Model) -> Result<FloatNet> {
        Ok(FloatNet {
            fc1: floats(model, "fc1.weight")?,
            bias1: floats(model, "fc1.bias")?.1,
            fc2: floats(model, "fc2.weight")?,
            bias2: floats(model, "fc2.bias")?.1,
        })
    }

    fn bytes(&self) -> usize {
        4 * (self.fc1.1.len() + self.fc2.1.len())
    }

    fn scores(&self, x: &[f32]) -> Result<Vec<f32>> {
        let layer = |w: &(usize, Vec<f32>), bias: &[f32], x: &[f32]| -> Result<Vec<f32>> {
            w.1.chunks_exact(w.0).zip(bias).map(|(row, b)| Ok(vector::dot(row, x)? + b)).collect()
        };
        let mut hidden = layer(&self.fc1, &self.bias1, x)?;
        hidden.iter_mut().for_each(|h| *h = h.max(0.0));
        layer(&self.fc2, &self.bias2, &hidden)
    }
}

/// The network with packed weights and int8 activations.
struct PackedNet<'m> {
    fc1: (Packed<'m>, Vec<f32>),
    fc2: (Packed<'m>, Vec<f32>),
}

impl<'m> PackedNet<'m> {
    fn load(model: &'m Model) -> Result<PackedNet<'m>> {
        let layer = |weight: &str, bias: &str| -> Result<(Packed<'m>, Vec<f32>)> {
            let t = tensor(model, weight)?;
            let Kind::Packed(format) = t.kind else {
                return Err(format!("{weight} is not packed: quantize the model first").into());
            };
            Ok((Packed::new(format, t.rows(), t.cols(), model.bytes(t))?, floats(model, bias)?.1))
        };
        Ok(PackedNet { fc1: layer("fc1.weight", "fc1.bias")?, fc2: layer("fc2.weight", "fc2.bias")? })
    }

    fn bytes(&self) -> usize {
        self.fc1.0.data().len() + self.fc2.0.data().len()
    }

    fn scores(&self, x: &[f32]) -> Result<Vec<f32>> {
        let layer = |(weights, bias): &(Packed<'_>, Vec<f32>), x: &[f32]| -> Result<Vec<f32>> {
            let mut acts = vec![ActBlock::ZERO; ActBlock::count(x.len())];
            quantize_activations(1, x.len(), x, NonFinite::Error, &mut acts)?;
            let mut y = vec![0.0; weights.rows()];
            matvec(weights, &acts, &mut y)?;
            y.iter_mut().zip(bias).for_each(|(y, b)| *y += b);
            Ok(y)
        };
        let mut hidden = layer(&self.fc1, x)?;
        hidden.iter_mut().for_each(|h| *h = h.max(0.0));
        layer(&self.fc2, &hidden)
    }
}
