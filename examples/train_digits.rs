//! Trains a network of 64 hidden neurons on the handwritten digits: once in f32, once with ternary weights and int8
//! activations, straight through, by the same recipe.
//!
//! ```text
//! cargo run --release --example train_digits [-- DIRECTORY OF train.csv AND test.csv]
//! ```

use std::error::Error;
use std::time::Instant;

use hybridq::learn::layers::{
    Activation, Activations, AnyLayer, Backward, Curve, Forward, Layer, Linear, RmsNorm, Sequence, Weights,
    loss,
};
use hybridq::learn::optimizer::{
    self, Base, Group, Inputs, Optimizer, Options, Outputs, memory_size, workspace_size,
};
use hybridq::math::Random;
use hybridq::quant::Fit;

const PIXELS: usize = 64;
const HIDDEN: usize = 64;
const CLASSES: usize = 10;
const BATCH: usize = 32;
const EPOCHS: usize = 60;
const RATE: f32 = 0.02;

/// Whatever goes wrong ends the program.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[allow(dead_code)] // a test includes this file
fn main() -> Result<()> {
    let directory = std::env::args().nth(1).unwrap_or_else(|| "data/digits".into());
    let (train_set, test_set) =
        (Digits::read(&format!("{directory}/train.csv"))?, Digits::read(&format!("{directory}/test.csv"))?);
    for (name, weights, activations) in [
        ("float", Weights::Float, Activations::Float),
        ("ternary", Weights::ternary(Fit::AbsMean), Activations::Int8),
    ] {
        let start = Instant::now();
        let outcome = train(&train_set, &test_set, weights, activations, 1)?;
        println!("{name:<8} loss {:.4}, {:.1} s", outcome.loss, start.elapsed().as_secs_f64());
        println!("figure digits_trained_{name} {:.2} percent", outcome.accuracy);
    }
    Ok(())
}

/// Images and what they show.
#[derive(Clone)]
pub struct Digits {
    /// 64 an image.
    pub pixels: Vec<f32>,
    /// One an image.
    pub labels: Vec<u32>,
}

impl Digits {
    /// Lines of `label,p0,...,p63`; pixels 0..=16 become 0..=1.
    pub fn read(path: &str) -> Result<Digits> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{path}: {e}"))?;
        let mut digits = Digits { pixels: Vec::new(), labels: Vec::new() };
        for line in text.lines() {
            let fields: std::result::Result<Vec<u32>, _> =
                line.split(',').map(|f| f.trim().parse()).collect();
            match fields.as_deref() {
                Ok([label, pixels @ ..]) if pixels.len() == PIXELS => {
                    digits.labels.push(*label);
                    digits.pixels.extend(pixels.iter().map(|&p| p as f32 / 16.0));
                }
                _ => return Err(format!("{path}: wants a label and {PIXELS} pixels a line").into()),
            }
        }
        Ok(digits)
    }
}

/// How a run ended.
pub struct Outcome {
    /// Mean training loss of the last epoch.
    pub loss: f32,
    /// Percent of the test set.
    pub accuracy: f64,
}

/// NadamW with a cosine schedule.
pub fn train(
    set: &Digits,
    test: &Digits,
    weights: Weights,
    activations: Activations,
    seed: u64,
) -> Result<Outcome> {
    let layers: [AnyLayer; 5] = [
        RmsNorm::new(PIXELS, false, 1e-5)?.into(),
        Linear::new(PIXELS, HIDDEN, true)?.seen(weights, activations)?.into(),
        RmsNorm::new(HIDDEN, true, 1e-5)?.into(),
        Activation::new(HIDDEN, Curve::Relu)?.into(),
        Linear::new(HIDDEN, CLASSES, true)?.seen(weights, activations)?.into(),
    ];
    let net = Sequence::new(&layers)?;
    let mut parameters = vec![0.0; net.parameters_len()];
    net.start(seed, &mut parameters)?;
    let mut gradient = vec![0.0; parameters.len()];

    let options = Options { base: Base::NadamW, weight_decay: 0.05, ..Options::DEFAULT };
    let mut groups: Vec<Group> = (net.arrays())
        .map(|a| Group {
            rows: a.parameter.rows,
            cols: a.parameter.cols,
            learning_rate: RATE,
            radius: f32::INFINITY,
        })
        .collect();
    let mut memory = vec![0u32; memory_size(&options, &groups)?.div_ceil(4)]; // aligned for f32
    let memory: &mut [u8] = bytemuck::cast_slice_mut(&mut memory);
    let mut state = optimizer::start(&options, &groups, memory)?;
    let mut step_scratch = vec![0; workspace_size(&options, &groups, None)?];

    let mut saved = vec![0.0; net.saved_len(BATCH)?];
    let mut scratch = vec![0; net.workspace_size(BATCH)?];
    let (mut output, mut output_gradient) = ([0.0; BATCH * CLASSES], [0.0; BATCH * CLASSES]);
    let mut order: Vec<usize> = (0..set.labels.len()).collect();
    let steps = EPOCHS * (order.len() / BATCH);
    let mut mean = 0.0;
    for epoch in 0..EPOCHS {
        let mut random = Random::new(seed, 1000 + epoch as u64);
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        mean = 0.0;
        for batch in order.chunks_exact(BATCH) {
            let labels: Vec<u32> = batch.iter().map(|&i| set.labels[i]).collect();
            let input: Vec<f32> =
                batch.iter().flat_map(|&i| &set.pixels[i * PIXELS..(i + 1) * PIXELS]).copied().collect();
            net.forward(Forward {
                batch: BATCH,
                parameters: &parameters,
                input: &input,
                output: &mut output,
                saved: &mut saved,
                scratch: &mut scratch,
            })?;
            let loss = loss::cross_entropy(CLASSES, &output, &labels, None, &mut output_gradient)?;
            mean += loss * BATCH as f32 / set.labels.len() as f32;
            gradient.fill(0.0);
            net.backward(Backward {
                batch: BATCH,
                parameters: &parameters,
                input: &input,
                output: &output,
                saved: &saved,
                output_gradient: &output_gradient,
                input_gradient: None,
                parameters_gradient: &mut gradient,
                scratch: &mut scratch,
            })?;
            let progress = state.steps as f32 / steps as f32;
            let rate = RATE * 0.5 * (1.0 + (std::f32::consts::PI * progress).cos());
            groups.iter_mut().for_each(|g| g.learning_rate = rate);
            let mut optimizer =
                Optimizer { options: &options, groups: &groups, state: &mut state, memory: &mut *memory };
            let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
            optimizer.step(&inputs, &mut parameters, Outputs::default(), &mut step_scratch)?;
        }
    }
    Ok(Outcome { loss: mean, accuracy: accuracy(&net, &parameters, test)? })
}

/// Percent of images whose largest output is that of their label.
fn accuracy(net: &Sequence<'_>, parameters: &[f32], set: &Digits) -> Result<f64> {
    let batch = set.labels.len();
    let mut output = vec![0.0; batch * CLASSES];
    net.forward(Forward {
        batch,
        parameters,
        input: &set.pixels,
        output: &mut output,
        saved: &mut vec![0.0; net.saved_len(batch)?],
        scratch: &mut vec![0; net.workspace_size(batch)?],
    })?;
    let right = output.chunks_exact(CLASSES).zip(&set.labels).filter(|(scores, label)| {
        let best = (0..CLASSES).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        best == Some(**label as usize)
    });
    Ok(100.0 * right.count() as f64 / batch as f64)
}
