//! A classifier of handwritten digits whose only weights are trits.

use hybridq::learn::latent_free::{Clock, Options, Report, state_bytes, state_bytes_int4};
use hybridq::linear::{Packed, matvec_f32};
use hybridq::math::Random;
use hybridq::quant::Format;

use super::{FORMATS, Halved, Layer, pack};
use crate::common::rmse;

/// Label and 64 pixels 0..=1, and a last input that is 1: the bias is a column of trits too.
fn digits(file: &str) -> Vec<(usize, [f32; 65])> {
    let path = format!("{}/data/digits/{file}.csv", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let mut numbers = line.split(',').map(|n| n.parse::<u8>().unwrap());
            let label = numbers.next().unwrap() as usize;
            let mut x = [1.0; 65];
            x.iter_mut().zip(numbers).for_each(|(x, n)| *x = n as f32 / 16.0);
            (label, x)
        })
        .collect()
}

/// Softmax of the ten scores less the one-hot label.
fn error_of(label: usize, scores: &[f32; 10]) -> [f32; 10] {
    let most = scores.iter().fold(f32::MIN, |a, &b| a.max(b));
    let e = scores.map(|s| (s - most).exp());
    let sum: f32 = e.iter().sum();
    core::array::from_fn(|i| e[i] / sum - f32::from(u8::from(i == label)))
}

/// What learns: takes a step with options for a rate of 1 at the end of the training.
trait Learner {
    fn layer(&self) -> &Layer;
    fn learn(&mut self, rate: f32, step: u64, gradient: &[f32]) -> Report;
}

impl Learner for Layer {
    fn layer(&self) -> &Layer {
        self
    }
    fn learn(&mut self, rate: f32, step: u64, gradient: &[f32]) -> Report {
        let options = Options { rate: 600.0 * rate, threshold: 100, scale_rate: 0.05, ..Options::default() };
        self.step(&options, Clock { seed: 42, step }, gradient)
    }
}

impl Learner for Halved {
    fn layer(&self) -> &Layer {
        &self.layer
    }
    fn learn(&mut self, rate: f32, step: u64, gradient: &[f32]) -> Report {
        let rate = 600.0 * 8.0 / 100.0 * rate;
        // Forgetting keeps the noise of few bits from piling up.
        let options = Options { rate, threshold: 8, decay: 0.02, scale_rate: 0.05, ..Options::default() };
        self.part(&options, Clock { seed: 42, step }, 0, 10, gradient)
    }
}

/// Trains a linear classifier from `from` to `to` steps; the only weights are those of the layer.
fn train(learner: &mut impl Learner, images: &[(usize, [f32; 65])], from: u64, to: u64) -> f32 {
    const BATCH: usize = 48;
    let mut flips = 0.0;
    for step in from..to {
        let progress = step as f32 / STEPS as f32;
        let layer = learner.layer();
        let mut dice = Random::new(11, step);
        let mut gradient = vec![0.0; 10 * 65];
        for _ in 0..BATCH {
            let (label, x) = &images[dice.below(images.len() as u64) as usize];
            let mut scores = [0.0; 10];
            matvec_f32(&Packed::new(layer.format, 10, 65, &layer.packed).unwrap(), x, &mut scores).unwrap();
            for (row, error) in gradient.chunks_mut(65).zip(error_of(*label, &scores)) {
                row.iter_mut().zip(x).for_each(|(g, x)| *g += error * x / BATCH as f32);
            }
        }
        flips = learner.learn(1.0 - progress, step, &gradient).flip_rate();
    }
    flips
}

fn accuracy(layer: &Layer, images: &[(usize, [f32; 65])]) -> f64 {
    let weights = Packed::new(layer.format, 10, 65, &layer.packed).unwrap();
    let right = images.iter().filter(|(label, x)| {
        let mut scores = [0.0; 10];
        matvec_f32(&weights, x, &mut scores).unwrap();
        let best = (0..10).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
        best == *label
    });
    right.count() as f64 / images.len() as f64
}

const STEPS: u64 = 3000;

#[test]
fn a_classifier_of_digits_learns_without_a_float_weight() {
    let (training, held_out) = (digits("train"), digits("test"));
    let start = || {
        let mut layer = Layer::new(Format::Tq2_0, 10, 65, &[0; 650]);
        layer.packed = pack(Format::Tq2_0, 10, 65, &[0; 650], 0.5);
        layer
    };
    // 650 weights: 650 bytes of inertia, 660 of trits with their scales
    assert_eq!(state_bytes(Format::Tq2_0, 10, 65), Ok(650 + 660));
    let mut layer = start();
    let flips = train(&mut layer, &training, 0, STEPS);
    let (on_training, on_test) = (accuracy(&layer, &training), accuracy(&layer, &held_out));
    println!("{:.2} % of the training images, {:.2} % of the others", 100.0 * on_training, 100.0 * on_test);
    assert!(on_training > 0.97 && on_test > 0.94, "{on_training} {on_test}");
    assert!(flips < 0.01, "it settles: {flips}");

    // Same seed, same bits; interrupted after 1000 steps and resumed from the stored bytes, too.
    let mut again = start();
    train(&mut again, &training, 0, 1000);
    let (packed, inertia) = (again.packed.clone(), again.inertia.clone());
    let mut resumed = Layer { packed, inertia, ..start() };
    train(&mut resumed, &training, 1000, STEPS);
    assert_eq!(resumed, layer);
    let trits = layer.trits().iter().map(|&t| t as f32).collect::<Vec<_>>();
    assert!(rmse(&trits, &[0.0; 650]) > 0.5);
}

/// The same classifier with inertia in 4 bits: what half the state costs.
#[test]
fn four_bits_of_inertia_learn_the_digits_too() {
    let (training, held_out) = (digits("train"), digits("test"));
    for format in FORMATS {
        let mut layer = Layer::new(format, 10, 65, &[0; 650]);
        layer.packed = pack(format, 10, 65, &[0; 650], 0.5);
        let mut learner = layer.halved();
        // 330 bytes of inertia where a byte each takes 650
        assert_eq!(state_bytes_int4(format, 10, 65).unwrap(), 330 + learner.layer.packed.len());
        let flips = train(&mut learner, &training, 0, STEPS);
        let (on_training, on_test) =
            (accuracy(&learner.layer, &training), accuracy(&learner.layer, &held_out));
        println!(
            "{format:?}, {} bytes: {:.2} % of the training images, {:.2} % of the others, flip rate {flips}",
            330 + learner.layer.packed.len(),
            100.0 * on_training,
            100.0 * on_test
        );
        assert!(on_training > 0.95 && on_test > 0.92, "{format:?} {on_training} {on_test}");
        // interrupted after 1000 steps and resumed from the stored bytes
        let mut first = layer.halved();
        train(&mut first, &training, 0, 1000);
        let (packed, bytes) = (first.layer.packed.clone(), first.bytes.clone());
        let mut resumed = Halved { layer: Layer { packed, ..layer.halved().layer }, bytes };
        train(&mut resumed, &training, 1000, STEPS);
        assert_eq!(resumed, learner);
    }
}
