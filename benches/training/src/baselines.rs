//! Optimizers as their papers have them, in f32, for the network and the batches of a task: what the library's own are held
//! against. Every row comes once an epoch in an order of its own.

use hybridq::math::Random;
use hybridq::train::{Config, Dataset, Evaluation, Network};

use crate::Failure;

/// Which one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// Momentum, cosine schedule.
    Sgd,
    /// Kingma, Ba, arXiv:1412.6980, constant rate: as most use it.
    Adam,
    /// Defazio et al., arXiv:2405.15682: AdamW without a schedule; the evaluated point is the mean.
    ScheduleFree,
}

/// A run of a baseline.
pub struct Baseline {
    rule: Rule,
    config: Config,
    network: Network,
    /// Where the gradient is taken.
    at: Vec<f32>,
    /// Schedule-Free: z and the mean x. Otherwise unused.
    z: Vec<f32>,
    x: Vec<f32>,
    m: Vec<f32>,
    v: Vec<f32>,
    gradient: Vec<f32>,
    order: Vec<usize>,
    step: u64,
    per_epoch: u64,
    /// Schedule-Free: the sum of the squared rates.
    weight: f64,
}

impl Baseline {
    pub fn new(name: &str, config: Config, data: &Dataset) -> Result<Baseline, Failure> {
        let rule = match name {
            "sgd" => Rule::Sgd,
            "adam" => Rule::Adam,
            "schedule_free" => Rule::ScheduleFree,
            other => return Err(format!("there is no baseline called {other}").into()),
        };
        let network = Network::new(&config.model, data.features, data.classes)?;
        let len = network.sequence()?.arrays().last().map_or(0, |a| a.range.end);
        let mut at = vec![0.0; len];
        network.sequence()?.start(config.seed, &mut at)?;
        let zeros = || vec![0.0; len];
        Ok(Baseline {
            rule,
            network,
            z: at.clone(),
            x: at.clone(),
            at,
            m: zeros(),
            v: zeros(),
            gradient: zeros(),
            order: (0..data.rows()).collect(),
            step: 0,
            per_epoch: data.rows().div_ceil(config.batch_size) as u64,
            weight: 0.0,
            config,
        })
    }

    pub fn steps(&self) -> u64 {
        self.step
    }

    pub fn steps_per_epoch(&self) -> u64 {
        self.per_epoch
    }

    pub fn total_steps(&self) -> u64 {
        self.per_epoch * self.config.epochs as u64
    }

    /// What is evaluated.
    pub fn parameters(&self) -> &[f32] {
        if self.rule == Rule::ScheduleFree { &self.x } else { &self.at }
    }

    /// Parameters, gradient, moments.
    pub fn bytes_a_parameter(&self) -> u64 {
        match self.rule {
            Rule::Sgd => 12,
            Rule::Adam => 16,
            // y is made from z and x on the way.
            Rule::ScheduleFree => 16,
        }
    }

    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation, Failure> {
        let parameters = if self.rule == Rule::ScheduleFree { &self.x } else { &self.at };
        Ok(self.network.evaluate(parameters, data)?)
    }

    pub fn step(&mut self, data: &Dataset) -> Result<(), Failure> {
        let within = (self.step % self.per_epoch) as usize;
        if within == 0 {
            let mut random = Random::new(self.config.seed, 1 << 32 | self.step / self.per_epoch);
            for i in (1..self.order.len()).rev() {
                self.order.swap(i, random.below(i as u64 + 1) as usize);
            }
        }
        let size = self.config.batch_size;
        let rows = &self.order[within * size..((within + 1) * size).min(self.order.len())];
        let batch = data.select(rows);
        let loss = self.network.loss(&self.at, &batch.x, &batch.labels, Some(&mut self.gradient))?;
        if !loss.is_finite() || self.gradient.iter().any(|g| !g.is_finite()) {
            return Err(format!("diverged at step {}", self.step).into());
        }
        let o = &self.config.optimizer;
        let norm = self.gradient.iter().map(|&g| g as f64 * g as f64).sum::<f64>().sqrt() as f32;
        let shrink = if norm > o.clip_norm { o.clip_norm / norm } else { 1.0 };
        self.gradient.iter_mut().for_each(|g| *g *= shrink);
        let total = self.total_steps() as f64;
        let warmup = (o.warmup as f64 * total).round();
        let at = self.step as f64;
        let rise = if at < warmup { (at + 1.0) / warmup } else { 1.0 };
        let fall = match at < warmup {
            true => 1.0,
            false => 0.5 * (1.0 + (std::f64::consts::PI * (at - warmup) / (total - warmup).max(1.0)).cos()),
        };
        let rate = o.base_learning_rate as f64;
        let t = at as i32 + 1;
        let correction = ((1.0 - (o.beta2 as f64).powi(t)).sqrt()) as f32;
        match self.rule {
            Rule::Sgd => {
                let rate = (rate * rise * fall) as f32;
                for ((p, m), g) in self.at.iter_mut().zip(&mut self.m).zip(&self.gradient) {
                    *m = o.momentum * *m + g;
                    *p -= rate * (*m + o.weight_decay * *p);
                }
            }
            Rule::Adam => {
                let first = 1.0 - o.momentum.powi(t);
                let rate = (rate * rise) as f32;
                let moments = self.m.iter_mut().zip(&mut self.v);
                for ((p, (m, v)), g) in self.at.iter_mut().zip(moments).zip(&self.gradient) {
                    *m = o.momentum * *m + (1.0 - o.momentum) * g;
                    *v = o.beta2 * *v + (1.0 - o.beta2) * g * g;
                    *p -= rate * (*m / first) / (v.sqrt() / correction + 1e-8);
                }
            }
            Rule::ScheduleFree => {
                let rate = rate * rise;
                self.weight += rate * rate;
                let mean = (rate * rate / self.weight) as f32;
                let rate = rate as f32;
                let points = self.at.iter_mut().zip(&mut self.z).zip(&mut self.x);
                for (((y, z), x), (v, g)) in points.zip(self.v.iter_mut().zip(&self.gradient)) {
                    *v = o.beta2 * *v + (1.0 - o.beta2) * g * g;
                    *z -= rate * (g / (v.sqrt() / correction + 1e-8) + o.weight_decay * *y);
                    *x = (1.0 - mean) * *x + mean * *z;
                    *y = (1.0 - o.momentum) * *z + o.momentum * *x;
                }
            }
        }
        self.step += 1;
        Ok(())
    }
}
