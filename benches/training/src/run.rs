//! One run: the trainer's loop, or a baseline of this package, with evaluations on the way.

use std::time::{Duration, Instant};

use hybridq::train::{Config, Network, StorageName, Trainer, WeightForm};

use crate::Failure;
use crate::baselines::Baseline;
use crate::data::Rows;
use crate::error::relative_error;
use crate::store::{Key, Point, Record};

/// How to train.
pub struct Told<'a> {
    pub config: Config,
    /// How the teacher is trained, if there is one.
    pub teacher: Option<Config>,
    /// An optimizer of this package.
    pub baseline: Option<&'a str>,
}

/// Trains.
pub fn run(key: Key, told: Told<'_>, data: &Rows, evaluations: u64) -> Record {
    let Told { config, teacher, baseline } = told;
    let rate = config.optimizer.base_learning_rate as f64;
    let mut record = Record {
        key,
        rate,
        points: Vec::new(),
        failure: None,
        quantization_error: None,
        rounded_accuracy: None,
        multipliers: None,
        accepted: None,
        bounded: None,
        bytes_held: 0,
        parameters: 0,
    };
    let done = match baseline {
        None => trained(config, teacher, data, evaluations, &mut record),
        Some(name) => by_baseline(name, config, data, evaluations, &mut record),
    };
    record.failure = done.err().map(|e| e.to_string());
    record
}

fn trained(
    config: Config,
    teacher: Option<Config>,
    data: &Rows,
    evaluations: u64,
    record: &mut Record,
) -> Result<(), Failure> {
    let mut trainer = Trainer::new(config, data.train.clone())?;
    let every = every(trainer.steps_per_epoch(), evaluations);
    let (mut spent, mut forwards, mut backwards) = (Duration::ZERO, 0, 0);
    if let Some(config) = teacher {
        let start = Instant::now();
        let mut teacher = Trainer::new(config, data.train.clone())?;
        while teacher.steps() < teacher.total_steps() {
            teacher.step()?;
        }
        let config = teacher.config();
        let mut network = Network::new(&config.model, data.train.features, data.train.classes)?;
        let mut outputs = Vec::new();
        for input in data.train.x.chunks(64 * data.train.features) {
            outputs.extend_from_slice(network.outputs(teacher.parameters(), input)?);
        }
        trainer = trainer.with_teacher(outputs)?;
        // What the teacher costs is counted.
        spent = start.elapsed();
        (forwards, backwards) = (teacher.total_steps(), teacher.total_steps());
    }
    record.parameters = trainer.parameters().len() as u64;
    record.bytes_held = bytes_held(trainer.config(), record.parameters);
    while trainer.steps() < trainer.total_steps() {
        let start = Instant::now();
        let step = trainer.step()?;
        spent += start.elapsed();
        // The gradient, and the trial of the step; comparisons are counted by the predictor.
        forwards += 1 + !step.trial_loss.is_nan() as u64;
        backwards += 1;
        if trainer.steps().is_multiple_of(every) || trainer.steps() == trainer.total_steps() {
            let probes = trainer.predictor().map_or(0, |p| p.statistics.probes);
            let on_training = trainer.evaluate(&data.probe)?;
            let on_test = trainer.evaluate(&data.test)?;
            record.points.push(Point {
                step: trainer.steps(),
                seconds: spent.as_secs_f64(),
                // Two steps, each judged on two batches.
                forwards: forwards + 4 * probes,
                backwards,
                train_loss: on_training.loss,
                test_loss: on_test.loss,
                test_accuracy: on_test.accuracy,
            });
        }
    }
    let config = trainer.config().clone();
    let network = trainer.network();
    record.quantization_error = relative_error(&network.sequence()?, trainer.parameters(), config.model.fit);
    if config.model.weights == WeightForm::Float {
        let mut model = config.model.clone();
        (model.weights, model.int8_activations) = (WeightForm::Ternary, true);
        let mut rounded = Network::new(&model, data.train.features, data.train.classes)?;
        record.rounded_accuracy = Some(rounded.evaluate(trainer.parameters(), &data.test)?.accuracy);
    }
    if let Some(predictor) = trainer.predictor() {
        let means = predictor.statistics.mean_multipliers();
        record.multipliers = Some(means.map(f64::from));
    }
    if config.trust_region.enabled {
        let s = &trainer.region().statistics;
        record.accepted = Some(s.acceptance_rate() as f64);
        record.bounded = Some(s.activation_rate() as f64);
    }
    Ok(())
}

fn by_baseline(
    name: &str,
    config: Config,
    data: &Rows,
    evaluations: u64,
    record: &mut Record,
) -> Result<(), Failure> {
    let mut baseline = Baseline::new(name, config, &data.train)?;
    let every = every(baseline.steps_per_epoch(), evaluations);
    let mut spent = Duration::ZERO;
    record.parameters = baseline.parameters().len() as u64;
    record.bytes_held = record.parameters * baseline.bytes_a_parameter();
    while baseline.steps() < baseline.total_steps() {
        let start = Instant::now();
        baseline.step(&data.train)?;
        spent += start.elapsed();
        let steps = baseline.steps();
        if steps.is_multiple_of(every) || steps == baseline.total_steps() {
            let on_training = baseline.evaluate(&data.probe)?;
            let on_test = baseline.evaluate(&data.test)?;
            record.points.push(Point {
                step: steps,
                seconds: spent.as_secs_f64(),
                forwards: steps,
                backwards: steps,
                train_loss: on_training.loss,
                test_loss: on_test.loss,
                test_accuracy: on_test.accuracy,
            });
        }
    }
    Ok(())
}

/// Parameters and gradient in f32, and the optimizer's state as it is held.
fn bytes_held(config: &Config, parameters: u64) -> u64 {
    let bits = |s: StorageName| match s {
        StorageName::None => 0.0,
        StorageName::F32 => 32.0,
        StorageName::Int8 => 8.125,
        StorageName::Int4 => 4.25,
        StorageName::Ternary => 1.625,
    };
    let o = &config.optimizer;
    let second = match o.base {
        hybridq::train::BaseName::NadamW => bits(o.second),
        _ => 0.0,
    };
    let residual = match o.gradient {
        hybridq::train::GradientName::F32 => 0.0,
        hybridq::train::GradientName::Ternary => bits(o.residual),
    };
    (parameters as f64 * (64.0 + bits(o.moment) + second + residual) / 8.0) as u64
}

/// Steps from one evaluation to the next; with none in an epoch only the end is evaluated.
fn every(per_epoch: u64, evaluations: u64) -> u64 {
    per_epoch.checked_div(evaluations).map_or(u64::MAX, |every| every.max(1))
}
