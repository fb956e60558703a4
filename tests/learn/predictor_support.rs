//! Quadratics to train on: `h_i` from 1 down to 1 / condition, a batch moves the minimum at random.

use hybridq::constrain::{Trial, TrustOptions, TrustRegion};
use hybridq::learn::predictor::{Counterfactual, Observation, Options, Predictor, Weights};
use hybridq::math::Random;

pub const DIMENSIONS: usize = 16;

pub struct Task {
    pub condition: f32,
    /// The standard deviation of the minimum of a batch.
    pub noise: f32,
    pub momentum: f32,
    pub learning_rate: f32,
    pub steps: usize,
    /// What the losses are multiplied with.
    pub unit: f32,
    /// Starts so far away that every direction has the same share in the loss, not the same distance.
    pub far: bool,
}

impl Task {
    pub const fn new(learning_rate: f32, noise: f32) -> Task {
        Task { condition: 30.0, noise, momentum: 0.0, learning_rate, steps: 600, unit: 1.0, far: false }
    }

    fn curvature(&self, i: usize) -> f32 {
        self.condition.powf(-(i as f32) / (DIMENSIONS - 1) as f32)
    }

    pub fn loss(&self, x: &[f32], minimum: &[f32]) -> f32 {
        let terms = x.iter().zip(minimum).enumerate();
        self.unit * terms.map(|(i, (x, c))| 0.5 * self.curvature(i) * (x - c) * (x - c)).sum::<f32>()
    }
}

/// How losses of a probe are told to the predictor.
#[derive(Clone, Copy, PartialEq)]
pub enum Reward {
    /// Not at all.
    None,
    /// As they should be: the batch of the gradient and the next one.
    Both,
    /// The next batch alone, in the place of both: the loss of the next step as the only reward.
    NextStep,
}

pub struct Run {
    /// Mean of the true loss (without noise) over the last tenth of the run.
    pub loss: f32,
    pub predictor: Predictor,
    /// Multipliers of the learning rate.
    pub multipliers: Vec<f32>,
}

pub fn run(task: &Task, seed: u64, reward: Reward, options: Options) -> Run {
    let mut predictor = Predictor::new(Weights::seeded(1), Options { seed, ..options }).unwrap();
    let trust = TrustOptions { guard: 10.0, loss_scale: 0.0, ..TrustOptions::default() };
    let mut region = TrustRegion::with(1e20, trust).unwrap();
    let mut random = Random::new(seed, 0);
    // Sums of 12 uniform numbers: near enough to normal.
    let mut normal = || (0..12).map(|_| random.unit()).sum::<f32>() - 6.0;
    let distance = |i| if task.far { task.curvature(i).powf(-0.5) } else { 1.0 };
    let mut x: Vec<f32> = (0..DIMENSIONS).map(|i| distance(i) * normal()).collect();
    let mut velocity = vec![0.0f32; DIMENSIONS];
    let mut batch: Vec<f32> = (0..DIMENSIONS).map(|_| task.noise * normal()).collect();
    let (mut before_last, mut tail, mut tail_len) = (f32::NAN, 0.0, 0);
    let mut multipliers = vec![];
    for step in 0..task.steps {
        let next: Vec<f32> = (0..DIMENSIONS).map(|_| task.noise * normal()).collect();
        let loss = task.loss(&x, &batch);
        let gradient: Vec<f32> =
            (0..DIMENSIONS).map(|i| task.unit * task.curvature(i) * (x[i] - batch[i])).collect();
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let mean = gradient.iter().sum::<f32>() / DIMENSIONS as f32;
        let p = predictor
            .predict(&Observation {
                loss,
                gradient_norm: norm,
                cluster: 0,
                loss_ratio: loss / before_last,
                gradient_variance: gradient.iter().map(|g| (g - mean) * (g - mean)).sum::<f32>()
                    / DIMENSIONS as f32,
                step: step as u64,
            })
            .unwrap();
        before_last = loss;
        for (v, g) in velocity.iter_mut().zip(&gradient) {
            *v = task.momentum * *v + g;
        }
        let lr = task.learning_rate / task.unit;
        let at = |m: f32| -> Vec<f32> { x.iter().zip(&velocity).map(|(x, v)| x - lr * m * v).collect() };
        let chosen = at(p.chosen.learning_rate);
        if p.probe && reward != Reward::None {
            let other = at(p.alternative.learning_rate);
            let fresh = [task.loss(&chosen, &next), task.loss(&other, &next)];
            let own = [task.loss(&chosen, &batch), task.loss(&other, &batch)];
            let (before, own) = match reward {
                Reward::NextStep => (task.loss(&x, &next), fresh),
                _ => (loss, own),
            };
            let losses = Counterfactual { before, chosen: own[0], alternative: own[1], fresh: Some(fresh) };
            predictor.adapt(&p, &losses).unwrap();
        }
        let along: f32 = gradient.iter().zip(&velocity).map(|(g, v)| g * v).sum();
        let trial = Trial {
            loss,
            trial_loss: task.loss(&chosen, &batch),
            predicted: lr * p.chosen.learning_rate * along,
            step_norm: lr * p.chosen.learning_rate * velocity.iter().map(|v| v * v).sum::<f32>().sqrt(),
        };
        let outcome = region.update(&trial).unwrap();
        region.radius = 1e20;
        if reward != Reward::None {
            predictor.feedback(&outcome).unwrap();
        }
        multipliers.push(p.chosen.learning_rate);
        (x, batch) = (chosen, next);
        if step >= task.steps - task.steps / 10 {
            tail += task.loss(&x, &[0.0; DIMENSIONS]) / task.unit;
            tail_len += 1;
        }
    }
    Run { loss: tail / tail_len as f32, predictor, multipliers }
}

/// The mean over seeds of `ln(loss with the predictor / loss of the base)`.
pub fn gain(task: &Task, seeds: u64, reward: Reward, options: Options) -> f32 {
    let log = |seed| {
        let base = run(task, seed, Reward::None, options).loss;
        (run(task, seed, reward, options).loss / base).ln()
    };
    (0..seeds).map(log).sum::<f32>() / seeds as f32
}
