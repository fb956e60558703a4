//! Trains a network of 64 hidden neurons on the handwritten digits without a float weight, beside the same network in f32
//! with NadamW, and says what both hold.
//!
//! ```text
//! cargo run --release --example latent_free_digits [-- DIRECTORY OF train.csv AND test.csv]
//! cargo run --release --example latent_free_digits -- DIRECTORY validate    # fifths of the training images, for choosing
//! ```

#[path = "train_digits.rs"]
mod train_digits;

use hybridq::learn::latent_free::Clock;
use hybridq::learn::latent_free::network::{
    Footprint, Forward, Inertia, Learn, Network, Part, Rates, Ternary,
};
use hybridq::learn::layers::{Activation, Activations, Bias, Curve, RmsNorm, Weights, loss};
use hybridq::math::Random;
use hybridq::quant::Format;

pub use train_digits::{Digits, Result};

const PIXELS: usize = 64;
const HIDDEN: usize = 64;
const CLASSES: usize = 10;
const BATCH: usize = 32;

/// As many as the network in f32 has.
pub const EPOCHS: usize = 60;
/// The rates of both rows of the table: they differ in the threshold only.
pub const INT4: Rates = Rates::DEFAULT;
/// With a byte of inertia.
pub const INT8: Rates = Rates { threshold: 64, ..INT4 };

#[allow(dead_code)] // a test includes this file
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().unwrap_or_else(|| "data/digits".into());
    let validate = arguments.next().is_some_and(|word| word == "validate");
    let read = |file: &str| Digits::read(&format!("{directory}/{file}"));
    let (training, test) = (read("train.csv")?, read("test.csv")?);
    let seeds = 10;
    let set = |seed: u64| {
        if validate { training.fold(seed as usize % 5, 5) } else { (training.clone(), test.clone()) }
    };

    let mut float = Vec::new();
    for seed in 1..=seeds {
        let (training, held_out) = set(seed);
        float.push(
            train_digits::train(&training, &held_out, Weights::Float, Activations::Float, seed)?.accuracy,
        );
    }
    println!("{:<28} {:>6}  {:>9}  {:>8}", "", "bytes", "than Adam", "accuracy");
    let adam = network(Format::DenseTernary, Inertia::Int4)?.1.adam();
    line("f32, NadamW", adam, 1.0, &float);
    let mut figures = (0.0, 0.0);
    for (name, inertia, rates) in
        [("trits, inertia in 8 bits", Inertia::Int8, INT8), ("trits, inertia in 4 bits", Inertia::Int4, INT4)]
    {
        let (mut accuracies, mut held) = (Vec::new(), Footprint::default());
        for seed in 1..=seeds {
            let (training, held_out) = set(seed);
            let run = train(&training, &held_out, Format::DenseTernary, inertia, &rates, EPOCHS, seed)?;
            accuracies.push(run.accuracy);
            held = run.held;
        }
        let ratio = held.adam() as f64 / held.total() as f64;
        line(name, held.total(), ratio, &accuracies);
        figures = (mean(&accuracies).0, ratio);
    }
    println!("figure fp32_digits_accuracy {:.2} %", mean(&float).0);
    println!("figure latent_free_digits_accuracy {:.2} %", figures.0);
    println!("figure latent_free_bytes_vs_adam {:.2} x", figures.1);
    Ok(())
}

fn line(name: &str, bytes: usize, ratio: f64, accuracies: &[f64]) {
    let (mean, error) = mean(accuracies);
    println!("{name:<28} {bytes:>6}  {ratio:>7.1} x  {mean:.2} % +- {error:.2}");
}

/// The mean, and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, (squares / (n - 1.0) / n).sqrt())
}

/// The parts of the network, the same as those in f32, and what it holds.
pub fn network(format: Format, inertia: Inertia) -> Result<([Part; 7], Footprint)> {
    let parts: [Part; 7] = [
        RmsNorm::new(PIXELS, false, 1e-5)?.into(),
        Ternary::new(PIXELS, HIDDEN, format, inertia)?.into(),
        Bias::new(HIDDEN, 1)?.into(),
        RmsNorm::new(HIDDEN, true, 1e-5)?.into(),
        Activation::new(HIDDEN, Curve::Relu)?.into(),
        Ternary::new(HIDDEN, CLASSES, format, inertia)?.into(),
        Bias::new(CLASSES, 1)?.into(),
    ];
    let held = Network::new(&parts)?.footprint();
    Ok((parts, held))
}

/// How a run ended.
pub struct Run {
    /// Percent of the images held out.
    pub accuracy: f64,
    /// What it held.
    pub held: Footprint,
    /// Part of the trits that moved in the last step.
    pub flip_rate: f32,
}

/// Trains with rates that fall to 0.
pub fn train(
    set: &Digits,
    held_out: &Digits,
    format: Format,
    inertia: Inertia,
    rates: &Rates,
    epochs: usize,
    seed: u64,
) -> Result<Run> {
    let (parts, held) = network(format, inertia)?;
    let net = Network::new(&parts)?;
    let (mut bytes, mut floats) = (vec![0; net.bytes_len()], vec![0.0; net.floats_len()]);
    let mut scratch = vec![0; net.workspace_size(BATCH)?];
    net.start(seed, &mut bytes, &mut floats, &mut scratch)?;
    let mut saved = vec![0.0; net.saved_len(BATCH)?];
    let (mut output, mut gradient) = ([0.0; BATCH * CLASSES], [0.0; BATCH * CLASSES]);
    let mut order: Vec<usize> = (0..set.labels.len()).collect();
    let steps = (epochs * (order.len() / BATCH)) as f32;
    let (mut step, mut flip_rate) = (0, 0.0);
    for epoch in 0..epochs {
        let mut random = Random::new(seed, 1000 + epoch as u64);
        for i in (1..order.len()).rev() {
            order.swap(i, random.below(i as u64 + 1) as usize);
        }
        for batch in order.chunks_exact(BATCH) {
            let (input, labels) = set.batch(batch);
            net.forward(Forward {
                batch: BATCH,
                bytes: &bytes,
                floats: &floats,
                input: &input,
                output: &mut output,
                saved: &mut saved,
                scratch: &mut scratch,
            })?;
            loss::cross_entropy(CLASSES, &output, &labels, None, &mut gradient)?;
            let job = Learn {
                batch: BATCH,
                bytes: &mut bytes,
                floats: &mut floats,
                input: &input,
                output: &output,
                saved: &saved,
                output_gradient: &gradient,
                input_gradient: None,
                scratch: &mut scratch,
            };
            let report = net.learn(&rates.at(step as f32 / steps), Clock { seed, step }, job)?;
            flip_rate = report.flip_rate();
            step += 1;
        }
    }
    let accuracy = accuracy(&net, &bytes, &floats, held_out)?;
    Ok(Run { accuracy, held, flip_rate })
}

fn accuracy(net: &Network<'_>, bytes: &[u8], floats: &[f32], set: &Digits) -> Result<f64> {
    let batch = set.labels.len();
    let mut output = vec![0.0; batch * CLASSES];
    net.forward(Forward {
        batch,
        bytes,
        floats,
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

impl Digits {
    fn batch(&self, indices: &[usize]) -> (Vec<f32>, Vec<u32>) {
        let pixels = indices.iter().flat_map(|&i| &self.pixels[i * PIXELS..(i + 1) * PIXELS]);
        (pixels.copied().collect(), indices.iter().map(|&i| self.labels[i]).collect())
    }

    /// All images but every `parts`-th from `part` on, and those.
    fn fold(&self, part: usize, parts: usize) -> (Digits, Digits) {
        let (held_out, rest): (Vec<usize>, Vec<usize>) =
            (0..self.labels.len()).partition(|i| i % parts == part);
        let of = |indices: &[usize]| {
            let (pixels, labels) = self.batch(indices);
            Digits { pixels, labels }
        };
        (of(&rest), of(&held_out))
    }
}
