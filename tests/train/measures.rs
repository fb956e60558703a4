//! What a run says about itself.

use hybridq::quant::{Fit, Format, Granularity, Options, dequantize, quantize, quantize_workspace_size};
use hybridq::train::{Config, FitName, ModelKind, Step, Trainer, WeightForm};

use super::common::same_on_every_tier;
use super::{digits, short};

fn run(config: Config) -> (Trainer, Vec<Step>) {
    let mut trainer = Trainer::new(config, digits("train.csv")).unwrap();
    let total = trainer.total_steps();
    let steps = (0..total).map(|_| trainer.step().unwrap()).collect();
    (trainer, steps)
}

/// What ternary weights of rows with a scale each give.
fn seen(latent: &[f32], rows: usize, cols: usize, fit: Fit) -> Vec<f32> {
    let format = Format::DenseTernary;
    let options = Options::new(format).fit(fit).granularity(Granularity::Row);
    let mut packed = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, latent, &mut packed, &mut scratch).unwrap();
    let mut out = vec![0.0; rows * cols];
    dequantize(format, rows, cols, &packed, &mut out).unwrap();
    out
}

/// The relative error of all ternary arrays, in f64.
fn error(trainer: &Trainer, fit: Fit) -> f64 {
    let (mut lost, mut whole) = (0.0, 0.0);
    for array in trainer.network().ternary_arrays() {
        let latent = &trainer.parameters()[array.range.clone()];
        let seen = seen(latent, array.parameter.rows, array.parameter.cols, fit);
        for (&w, &s) in latent.iter().zip(&seen) {
            lost += (w as f64 - s as f64).powi(2);
            whole += (w as f64).powi(2);
        }
    }
    (lost / whole).sqrt()
}

#[test]
fn errors_and_flips_are_measured() {
    let mut config = short();
    config.measure_every = 1;
    let mut trainer = Trainer::new(config, digits("train.csv")).unwrap();
    let trits = |t: &Trainer| -> Vec<i32> {
        let arrays = t.network().ternary_arrays();
        arrays
            .flat_map(|a| {
                let latent = &t.parameters()[a.range.clone()];
                seen(latent, a.parameter.rows, a.parameter.cols, Fit::AbsMean)
            })
            .map(|v| (v > 0.0) as i32 - (v < 0.0) as i32)
            .collect()
    };
    let mut flipped = 0;
    for _ in 0..40 {
        let before = trits(&trainer);
        let found = trainer.step().unwrap().measured.unwrap();
        let after = trits(&trainer);
        let changed = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        match found.flip_rate {
            None => assert_eq!(trainer.steps(), 1),
            Some(rate) => {
                assert_eq!((rate as f64 * after.len() as f64).round() as usize, changed);
                flipped += changed;
            }
        }
        assert!((found.quantization_error as f64 - error(&trainer, Fit::AbsMean)).abs() < 1e-5);
        let zeros = after.iter().filter(|&&t| t == 0).count();
        assert_eq!((found.zeros as f64 * after.len() as f64).round() as usize, zeros);
    }
    assert!(flipped > 0);
}

#[test]
fn a_pull_draws_weights_to_their_trits() {
    let with = |pull: f32, weights: WeightForm| {
        let mut config = short();
        (config.model.fit, config.model.pull, config.model.weights) = (FitName::Lloyd, pull, weights);
        let (mut trainer, _) = run(config);
        let accuracy = trainer.evaluate(&digits("test.csv")).unwrap().accuracy;
        (trainer.summary().measured.unwrap().quantization_error, accuracy)
    };
    let (free, pulled) = (with(0.0, WeightForm::Ternary), with(1.0, WeightForm::Ternary));
    println!("error and accuracy without {free:?}, with a pull {pulled:?}");
    assert!(pulled.0 < 0.9 * free.0, "{free:?} {pulled:?}");
    assert!(pulled.1 > 0.85, "{pulled:?}");
    let proximal = with(1.0, WeightForm::Proximal);
    println!("proximal with a pull {proximal:?}");
    assert!(proximal.0 < free.0 && proximal.1 > 0.85, "{proximal:?}");
}

#[test]
fn variances_are_those_of_the_batch() {
    // A linear model without momentum of its own: gradients of single rows can be told apart.
    let mut config = short();
    config.model.hidden = vec![];
    (config.model.weights, config.model.int8_activations) = (WeightForm::Float, false);
    config.batch_size = 64;
    let (_, steps) = run(config);
    let (mut variance, mut square) = (0.0f64, 0.0f64);
    for step in &steps {
        assert!(step.gradient_variance > 0.0);
        variance += step.gradient_variance as f64;
        square += (step.report.unwrap().gradient_norm as f64).powi(2);
    }
    // The expected square of the norm is that of the true gradient plus the variance, so that the latter is less.
    assert!(variance < square, "{variance} {square}");
    let mut config = short();
    config.predictor.enabled = false;
    assert!(run(config).1.iter().all(|s| s.gradient_variance.is_nan()));
}

#[test]
fn clusters_know_their_rows_and_losses() {
    let (trainer, steps) = run(short());
    let summary = trainer.summary();
    let rows = digits("train.csv").rows() as u64;
    assert_eq!(summary.clusters.len(), 8);
    assert_eq!(summary.clusters.iter().map(|c| c.rows as u64).sum::<u64>(), rows);
    assert_eq!(summary.clusters.iter().map(|c| c.seen).sum::<u64>(), 3 * rows);
    assert_eq!(summary.clusters.iter().map(|c| c.steps).sum::<u64>(), steps.len() as u64);
    assert!(summary.clusters.iter().all(|c| c.seen == 3 * c.rows as u64));
    // About the mean of the losses of the last epoch; the losses were larger before.
    let weighted = summary.clusters.iter().map(|c| c.mean_loss * c.rows as f64).sum::<f64>() / rows as f64;
    let mean = |steps: &[Step]| steps.iter().map(|s| s.loss as f64).sum::<f64>() / steps.len() as f64;
    let (all, last) = (mean(&steps), mean(&steps[steps.len() * 2 / 3..]));
    assert!(0.8 * last < weighted && weighted < all, "{last} {weighted} {all}");
}

#[test]
fn clusters_of_parameters_are_described_and_have_their_rates() {
    let mut config = short();
    config.clusters.rate_exponent = 0.5;
    let (trainer, steps) = run(config);
    let found = trainer.summary().param_clusters;
    assert_eq!(found.len(), 4);
    assert_eq!(found.iter().map(|c| c.rows).sum::<u32>(), 74);
    assert_eq!(found.iter().map(|c| c.weights).sum::<u32>(), 74 * 64);
    assert!((found.iter().map(|c| c.importance).sum::<f32>() - 1.0).abs() < 1e-5);
    assert!(found.iter().all(|c| c.cohesion > 0.0 && c.cohesion <= 1.0 && c.weight > 0.0));
    let bits: u32 = found.iter().map(|c| c.bits as u32 * c.weights).sum();
    assert!(bits <= 2 * 74 * 64);
    assert!(found.iter().any(|c| c.rate > 1.0) && found.iter().any(|c| c.rate < 1.0), "{found:?}");
    // A group for each row, and three for biases and a gain.
    assert!(steps.iter().all(|s| s.groups == 77));
    let (equal, steps) = run(short());
    assert!(equal.summary().param_clusters.iter().all(|c| c.rate == 1.0));
    assert!(steps.iter().all(|s| s.groups == 5));
}

#[test]
fn a_run_has_the_same_bits_on_every_tier() {
    let data = digits("train.csv");
    let (few, _) = data.split(0.7, 1);
    same_on_every_tier("a run", || {
        let mut all = Vec::new();
        for kind in [ModelKind::Mlp, ModelKind::Conv] {
            let mut config = short();
            config.epochs = 2;
            (config.model.kind, config.model.filters) = (kind, vec![4]);
            config.model.weights = WeightForm::Proximal;
            (config.model.pull, config.clusters.rate_exponent) = (2.0, 0.5);
            let mut trainer = Trainer::new(config, few.clone()).unwrap();
            while trainer.steps() < trainer.total_steps() {
                trainer.step().unwrap();
            }
            all.push(format!("{:?}", trainer.summary()));
            all.extend(trainer.parameters().iter().map(|p| p.to_bits().to_string()));
        }
        all
    });
}
