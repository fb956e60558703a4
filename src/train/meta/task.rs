//! Small tasks drawn from a seed: what is to be learnt, and how its user has set the base optimizer.

use crate::learn::optimizer::Base;
use crate::math::{Random, exp, ln};
use crate::train::config::{CurveName, ModelConfig, WeightForm};

/// Where a task comes from. Families never share a task, whatever the seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// What weights are trained on.
    Training,
    /// What settings of the training are chosen by: the kinds of [`Family::Training`], other draws.
    Validation,
    /// Held out: the kinds of [`Family::Training`], other draws.
    Similar,
    /// Held out: kinds that training never sees. Wider and deeper networks, squared ReLUs, labels from a random network,
    /// quadratics of more dimensions, other batches, other momenta, longer runs.
    Other,
    /// Held out: the handwritten digits.
    Digits,
}

impl Family {
    /// In tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Family::Training => "training",
            Family::Validation => "validation",
            Family::Similar => "other draws",
            Family::Other => "other kinds",
            Family::Digits => "digits",
        }
    }

    fn stream(self) -> u64 {
        0x6D65_7461 << 32 | (self as u64) << 28
    }
}

/// What is to be learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A quadratic whose minimum moves from batch to batch.
    Quadratic,
    /// Classes that are mixtures of normal distributions.
    Mixture,
    /// Normal inputs with labels from a random network.
    Teacher,
    /// Rows of a table that is given.
    Table,
}

/// A task: data, model, and a base optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What is to be learnt.
    pub kind: Kind,
    /// Inputs, or dimensions of the quadratic.
    pub features: usize,
    /// Of the labels.
    pub classes: usize,
    /// Training rows.
    pub rows: usize,
    /// Normal distributions for each class.
    pub parts: usize,
    /// The distance of their centres from 0, the deviation of each coordinate being 1.
    pub spread: f32,
    /// The part of labels drawn at random; the deviation of the minimum of a quadratic.
    pub noise: f32,
    /// The largest curvature of a quadratic, 1, over its smallest.
    pub condition: f32,
    /// The network.
    pub model: ModelConfig,
    /// Whether a batch comes from one part of the mixture, as with clustered data.
    pub clustered: bool,
    /// Whether the variance of the gradient over the halves of the batch is told to the predictor.
    pub variance: bool,
    /// The direction of steps.
    pub base: Base,
    /// The decay of the momentum.
    pub momentum: f32,
    /// The learning rate of the base.
    pub learning_rate: f32,
    /// Whether it falls to 0 in half a cosine; else it stays.
    pub cosine: bool,
    /// The first radius of the trust region.
    pub radius: f32,
    /// Rows of a batch; even.
    pub batch: usize,
    /// Steps of a run.
    pub steps: usize,
}

/// Draws for a task, in order.
struct Draw(Random);

impl Draw {
    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.0.unit()
    }

    /// Even in the logarithm.
    fn scale(&mut self, low: f32, high: f32) -> f32 {
        exp(self.between(ln(low), ln(high)))
    }

    /// The same for counts, both ends included.
    fn count(&mut self, low: usize, high: usize) -> usize {
        (self.scale(low as f32, high as f32 + 0.999) as usize).clamp(low, high)
    }

    fn chance(&mut self, probability: f32) -> bool {
        self.0.unit() < probability
    }

    fn one<T: Copy, const N: usize>(&mut self, of: [T; N]) -> T {
        of[self.0.below(N as u64) as usize]
    }
}

impl Task {
    /// Task `index` of a family: a function of family, seed and index alone.
    ///
    /// The learning rates are those of a user with one setting for all tasks: about what is best on average over them (0.06
    /// with momentum, 0.02 for NadamW), times a factor of 1/3 to 3 for what this user is used to. What the task at hand
    /// would want is not asked.
    #[must_use]
    pub fn draw(family: Family, seed: u64, index: u64) -> Task {
        let mut draw = Draw(Random::new(seed, family.stream().wrapping_add(index)));
        let base = draw.one([Base::Sgd, Base::Nesterov, Base::NadamW]);
        let usual = if base == Base::NadamW { 0.02 } else { 0.06 };
        let far = family == Family::Other;
        let momentum = if far { draw.one([0.5, 0.95]) } else { draw.one([0.8, 0.9]) };
        let mut task = Task {
            kind: Kind::Mixture,
            features: draw.count(4, 16),
            classes: draw.count(2, 5),
            rows: draw.count(128, 1024),
            parts: draw.count(1, 3),
            spread: draw.between(1.5, 4.0),
            noise: draw.between(0.0, 0.2),
            condition: 1.0,
            model: model(&mut draw, [4, 16], far),
            clustered: draw.chance(0.25),
            variance: draw.chance(0.3),
            base,
            momentum,
            learning_rate: usual * draw.scale(1.0 / 3.0, 3.0),
            cosine: draw.chance(0.4),
            radius: draw.scale(0.003, 0.3),
            batch: 2 * draw.count(2, 16),
            steps: draw.count(60, 300),
        };
        let quadratic = draw.chance(0.2);
        if draw.chance(0.05) {
            task.steps *= 5;
        }
        match family {
            Family::Digits => {
                task.kind = Kind::Table;
                task.rows = draw.count(256, 1000);
                task.clustered = false;
                task.steps = draw.count(100, 400);
                task.model.hidden = vec![draw.count(8, 32)];
            }
            _ if quadratic => {
                task.kind = Kind::Quadratic;
                task.features = if far { draw.count(33, 128) } else { draw.count(4, 32) };
                task.noise = draw.scale(0.03, 1.0);
                task.condition = draw.scale(3.0, 300.0);
                task.clustered = false;
                task.variance = false;
                task.steps = if far { draw.count(301, 600) } else { task.steps };
            }
            Family::Other => {
                task.kind = draw.one([Kind::Mixture, Kind::Teacher]);
                task.features = draw.count(17, 32);
                task.classes = draw.count(6, 10);
                task.model.hidden = (0..draw.count(1, 2)).map(|_| draw.count(17, 32)).collect();
                task.clustered &= task.kind == Kind::Mixture;
                task.batch = draw.one([2, 48]);
                task.steps = draw.count(301, 500);
            }
            _ => {}
        }
        task
    }
}

fn model(draw: &mut Draw, [least, most]: [usize; 2], far: bool) -> ModelConfig {
    let logistic = draw.chance(0.2);
    let neurons = draw.count(least, most);
    let form = draw.one([WeightForm::Float, WeightForm::Ternary, WeightForm::Ternary]);
    ModelConfig {
        hidden: if logistic { vec![] } else { vec![neurons] },
        weights: form,
        int8_activations: form == WeightForm::Ternary && draw.chance(0.5),
        curve: if far { CurveName::ReluSquared } else { CurveName::Relu },
        ..ModelConfig::default()
    }
}
