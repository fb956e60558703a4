//! A task made concrete by a seed: data, batches, first parameters, held-out samples. The same for every policy.

use crate::learn::optimizer::Group;
use crate::math::{Random, exp, ln, sqrt};
use crate::train::dataset::Dataset;
use crate::train::error::TrainError;
use crate::train::network::Network;

use super::task::{Kind, Task};

/// Held-out samples.
const HELD_OUT: usize = 256;

/// Normal numbers, nearly: eight uniform ones of 16 bits, added up.
struct Normal(Random);

impl Normal {
    fn next(&mut self) -> f32 {
        // 65535 * 8 / 2, and 1 / sqrt(8 * (2^32 - 1) / 12).
        const MEAN: f32 = 262_140.0;
        const SCALE: f32 = 1.868_812_4e-5;
        let sum: u32 = (0..4).map(|_| self.0.next_u32()).map(|w| (w & 0xFFFF) + (w >> 16)).sum();
        (sum as f32 - MEAN) * SCALE
    }

    fn vector(&mut self, len: usize) -> Vec<f32> {
        (0..len).map(|_| self.next()).collect()
    }
}

enum Data {
    Quadratic {
        curvature: Vec<f32>,
        /// The minimum of each batch.
        minima: Vec<f32>,
    },
    Table {
        train: Dataset,
        held_out: Dataset,
        /// The rows of each batch.
        rows: Vec<u32>,
    },
}

/// A task made concrete.
pub(super) struct Problem {
    pub task: Task,
    data: Data,
    /// The part of the mixture that a batch comes from.
    clusters: Vec<u32>,
    pub start: Vec<f32>,
    pub groups: Vec<Group>,
}

/// What a problem is evaluated with: buffers.
pub(super) struct Bench {
    network: Option<Network>,
    x: Vec<f32>,
    labels: Vec<u32>,
    half: Vec<f32>,
}

impl Problem {
    /// A task made concrete by a seed; `table` for [`Kind::Table`].
    pub fn new(task: &Task, seed: u64, table: Option<&Dataset>) -> Result<Problem, TrainError> {
        let stream = |what: u64| Random::new(seed, 0x7072_6F62 << 32 | what);
        let mut task = task.clone();
        if task.kind == Kind::Quadratic {
            return Ok(quadratic(task, stream(0), stream(1)));
        }
        let (train, held_out, parts) = match task.kind {
            Kind::Table => {
                let table = table.ok_or(TrainError::Core(crate::Error::Shape))?;
                let (train, held_out) = split(table, task.rows, stream(0));
                (task.features, task.classes) = (table.features, table.classes);
                let parts = train.labels.clone();
                (train, held_out, parts)
            }
            _ => {
                let source = Source::new(&task, Normal(stream(0)));
                let (train, parts) = source.rows(&task, task.rows, Normal(stream(1)), stream(2));
                let (held_out, _) = source.rows(&task, HELD_OUT, Normal(stream(3)), stream(4));
                (train, held_out, parts)
            }
        };
        let (rows, clusters) = batches(&task, &parts, stream(5));
        let network = Network::new(&task.model, task.features, task.classes)?;
        let sequence = network.sequence()?;
        let groups: Vec<Group> = sequence
            .arrays()
            .map(|a| group(a.parameter.rows, a.parameter.cols, task.learning_rate))
            .collect();
        let mut start = vec![0.0; sequence.arrays().last().map_or(0, |a| a.range.end)];
        sequence.start(seed, &mut start)?;
        Ok(Problem { task, data: Data::Table { train, held_out, rows }, clusters, start, groups })
    }

    /// Buffers for [`Problem::loss`].
    pub fn bench(&self) -> Result<Bench, TrainError> {
        let network = match self.data {
            Data::Quadratic { .. } => None,
            Data::Table { .. } => {
                Some(Network::new(&self.task.model, self.task.features, self.task.classes)?)
            }
        };
        Ok(Bench { network, x: vec![], labels: vec![], half: vec![0.0; self.start.len()] })
    }

    /// The cluster of a batch.
    pub fn cluster(&self, step: usize) -> u32 {
        self.clusters.get(step).copied().unwrap_or(0)
    }

    /// The loss on the batch of a step; with `gradient` its gradient, and the variance of that over the halves of the batch
    /// if the task measures it, else NaN.
    pub fn loss(
        &self,
        bench: &mut Bench,
        x: &[f32],
        step: usize,
        gradient: Option<&mut [f32]>,
    ) -> Result<(f32, f32), TrainError> {
        let Task { batch, variance, features, .. } = self.task;
        match (&self.data, &mut bench.network) {
            (Data::Table { train, rows, .. }, Some(network)) => {
                let rows = &rows[step * batch..(step + 1) * batch];
                bench.x.clear();
                bench.labels.clear();
                for &row in rows {
                    let row = row as usize;
                    bench.x.extend_from_slice(&train.x[row * features..(row + 1) * features]);
                    bench.labels.push(train.labels[row]);
                }
                let (first, second) = bench.x.split_at(batch / 2 * features);
                let (labels, more) = bench.labels.split_at(batch / 2);
                match gradient {
                    Some(gradient) if variance => {
                        let a = network.loss(x, first, labels, Some(gradient))?;
                        let b = network.loss(x, second, more, Some(&mut bench.half))?;
                        let mut spread = 0.0;
                        for (g, h) in gradient.iter_mut().zip(&bench.half) {
                            spread += (*g - h) * (*g - h);
                            *g = 0.5 * (*g + h);
                        }
                        Ok((0.5 * (a + b), 0.5 * spread))
                    }
                    gradient => Ok((network.loss(x, &bench.x, &bench.labels, gradient)?, f32::NAN)),
                }
            }
            (Data::Quadratic { curvature, minima }, _) => {
                let minimum = &minima[step * features..(step + 1) * features];
                if let Some(gradient) = gradient {
                    let all = gradient.iter_mut().zip(curvature).zip(x.iter().zip(minimum));
                    all.for_each(|((g, h), (x, m))| *g = h * (x - m));
                }
                let terms = curvature.iter().zip(x.iter().zip(minimum));
                Ok((terms.map(|(h, (x, m))| 0.5 * h * (x - m) * (x - m)).sum(), f32::NAN))
            }
            _ => Err(TrainError::Core(crate::Error::Shape)),
        }
    }

    /// The loss on samples that no batch has: of a quadratic, its mean over all batches that might be, above the least.
    pub fn held_out(&self, bench: &mut Bench, x: &[f32]) -> Result<f64, TrainError> {
        match (&self.data, &mut bench.network) {
            (Data::Table { held_out, .. }, Some(network)) => Ok(network.evaluate(x, held_out)?.loss),
            (Data::Quadratic { curvature, .. }, _) => {
                Ok(curvature.iter().zip(x).map(|(h, x)| 0.5 * (h * x * x) as f64).sum())
            }
            _ => Err(TrainError::Core(crate::Error::Shape)),
        }
    }
}

fn group(rows: usize, cols: usize, learning_rate: f32) -> Group {
    Group { rows, cols, learning_rate, radius: f32::INFINITY }
}

fn quadratic(task: Task, first: Random, batches: Random) -> Problem {
    let n = task.features;
    let log = ln(task.condition) / (n - 1).max(1) as f32;
    let curvature = (0..n).map(|i| exp(-(i as f32) * log)).collect();
    let minima = Normal(batches).vector((task.steps + 1) * n).into_iter().map(|m| task.noise * m).collect();
    Problem {
        data: Data::Quadratic { curvature, minima },
        clusters: vec![],
        start: Normal(first).vector(n),
        groups: vec![group(1, n, task.learning_rate)],
        task,
    }
}

/// Rows of a table to train on, and others to judge by.
fn split(table: &Dataset, rows: usize, mut random: Random) -> (Dataset, Dataset) {
    let mut order: Vec<usize> = (0..table.rows()).collect();
    shuffle(&mut order, &mut random);
    let held = HELD_OUT.min(order.len() / 2);
    let train = &order[held..];
    (table.select(&train[..rows.min(train.len())]), table.select(&order[..held]))
}

fn shuffle<T>(values: &mut [T], random: &mut Random) {
    for i in (1..values.len()).rev() {
        values.swap(i, random.below(i as u64 + 1) as usize);
    }
}

/// The rows of every batch, and one more, and which cluster each comes from: epochs of all rows, or a cluster drawn by its
/// size and rows drawn from it.
fn batches(task: &Task, parts: &[u32], mut random: Random) -> (Vec<u32>, Vec<u32>) {
    let len = (task.steps + 1) * task.batch;
    let n = parts.len() as u64;
    let mut rows = Vec::with_capacity(len);
    if task.clustered {
        let mut clusters = Vec::with_capacity(task.steps + 1);
        for _ in 0..=task.steps {
            let cluster = parts[random.below(n) as usize];
            let own: Vec<u32> = (0..parts.len() as u32).filter(|&r| parts[r as usize] == cluster).collect();
            rows.extend((0..task.batch).map(|_| own[random.below(own.len() as u64) as usize]));
            clusters.push(cluster);
        }
        return (rows, clusters);
    }
    let mut order: Vec<u32> = (0..parts.len() as u32).collect();
    while rows.len() < len {
        shuffle(&mut order, &mut random);
        rows.extend_from_slice(&order[..order.len().min(len - rows.len())]);
    }
    (rows, vec![])
}

/// Where samples come from.
struct Source {
    /// Centres of the parts of all classes, or the two matrices of the random network.
    numbers: Vec<f32>,
}

/// Hidden units of the random network that gives labels.
const TEACHER: usize = 12;

impl Source {
    fn new(task: &Task, mut normal: Normal) -> Source {
        let n = task.features;
        if task.kind == Kind::Teacher {
            return Source { numbers: normal.vector(TEACHER * (n + task.classes)) };
        }
        let mut numbers = normal.vector(task.classes * task.parts * n);
        for center in numbers.chunks_exact_mut(n) {
            let norm = sqrt(center.iter().map(|c| c * c).sum());
            center.iter_mut().for_each(|c| *c *= task.spread / norm.max(1e-6));
        }
        Source { numbers }
    }

    /// Samples, and the part of the mixture that each comes from.
    fn rows(&self, task: &Task, count: usize, mut normal: Normal, mut random: Random) -> (Dataset, Vec<u32>) {
        let (n, classes) = (task.features, task.classes);
        let mut x = normal.vector(count * n);
        let mut parts = Vec::with_capacity(count);
        let mut labels = Vec::with_capacity(count);
        for row in x.chunks_exact_mut(n) {
            let label = if task.kind == Kind::Teacher {
                parts.push(0);
                self.taught(row, classes)
            } else {
                let part = random.below((classes * task.parts) as u64) as usize;
                row.iter_mut().zip(&self.numbers[part * n..]).for_each(|(x, c)| *x += c);
                parts.push(part as u32);
                (part % classes) as u32
            };
            let any = random.below(classes as u64) as u32;
            labels.push(if random.unit() < task.noise { any } else { label });
        }
        (Dataset { features: n, classes, labels_per_row: 1, x, labels }, parts)
    }

    /// The label that the random network gives.
    fn taught(&self, row: &[f32], classes: usize) -> u32 {
        let (into, out) = self.numbers.split_at(TEACHER * row.len());
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let hidden: Vec<f32> = into.chunks_exact(row.len()).map(|w| dot(w, row).max(0.0)).collect();
        let mut best = (0, f32::NEG_INFINITY);
        for (class, w) in (0..classes as u32).zip(out.chunks_exact(TEACHER)) {
            let score = dot(w, &hidden);
            if score > best.1 {
                best = (class, score);
            }
        }
        best.0
    }
}
