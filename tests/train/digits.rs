//! Training on the handwritten digits.

use hybridq::constrain::Verdict;
use hybridq::train::{GradientName, Sampling, Trainer, WeightForm};

use super::{digits, short};

/// Runs to the end; the accuracy on the held-out images.
fn run(change: impl FnOnce(&mut hybridq::train::Config)) -> f64 {
    let mut config = short();
    config.epochs = 8;
    change(&mut config);
    let mut trainer = Trainer::new(config, digits("train.csv")).unwrap();
    while trainer.steps() < trainer.total_steps() {
        trainer.step().unwrap();
    }
    trainer.evaluate(&digits("test.csv")).unwrap().accuracy
}

#[test]
fn every_part_can_be_switched_off_and_all_ways_learn() {
    type Change = fn(&mut hybridq::train::Config);
    let runs: [(&str, Change); 7] = [
        ("hybrid", |_| {}),
        ("no predictor", |c| c.predictor.enabled = false),
        ("trained predictor", |c| c.predictor.weights = hybridq::train::PredictorWeights::Trained),
        ("no trust region", |c| c.trust_region.enabled = false),
        ("no clusters", |c| c.clusters.data_clusters = 1),
        ("clusters drawn", |c| c.clusters.sampling = Sampling::Cluster),
        ("float", |c| {
            c.model.weights = WeightForm::Float;
            c.model.int8_activations = false;
        }),
    ];
    for (name, change) in runs {
        let accuracy = run(change);
        println!("figure train_digits_{} {:.2} percent", name.replace(' ', "_"), 100.0 * accuracy);
        // A linear classifier reaches 96 %; chance is 10 %.
        assert!(accuracy > if name == "clusters drawn" { 0.9 } else { 0.94 }, "{name}: {accuracy}");
    }
}

#[test]
fn ternary_gradients_learn_with_momentum() {
    let accuracy = run(|c| {
        c.optimizer.base = hybridq::train::BaseName::Sgd;
        c.optimizer.base_learning_rate = 0.2;
        c.optimizer.weight_decay = 0.0;
        c.optimizer.gradient = GradientName::Ternary;
    });
    assert!(accuracy > 0.9, "{accuracy}");
}

#[test]
fn a_learning_rate_that_is_far_too_large_is_survived() {
    let mut config = short();
    config.optimizer.base_learning_rate = 100.0;
    let mut trainer = Trainer::new(config, digits("train.csv")).unwrap();
    let (mut rejected, mut accepted) = (0, 0);
    while trainer.steps() < trainer.total_steps() {
        let step = trainer.step().unwrap();
        rejected += (step.verdict == Verdict::Rejected) as u32;
        accepted += (step.verdict == Verdict::Accepted) as u32;
        assert!(trainer.parameters().iter().all(|p| p.is_finite()));
    }
    assert!(rejected > 0 && accepted > rejected, "{accepted} accepted, {rejected} rejected");
    let found = trainer.evaluate(&digits("test.csv")).unwrap();
    assert!(found.accuracy > 0.8, "{found:?}");
}
