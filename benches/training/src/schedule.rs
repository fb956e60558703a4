//! Which runs are made, in which order: tuning, then the methods with tuned rates, then those with constants of others.

use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use crate::Failure;
use crate::data::Data;
use crate::experiment::{Experiment, Method, Task, configuration, settings};
use crate::run::{Told, run};
use crate::statistics::geometric_mean;
use crate::store::{Key, Record, Store};

/// Seeds of tuning begin here, those of the report at 0.
const TUNING_SEED: u64 = 1000;

/// What the command line asks for; empty: all.
pub struct Wanted<'a> {
    pub tasks: &'a [String],
    pub methods: &'a [String],
}

impl Wanted<'_> {
    fn task(&self, name: &str, without: &Task, method: &str) -> bool {
        (self.tasks.is_empty() || self.tasks.iter().any(|t| t == name))
            && !without.without.iter().any(|m| m == method)
    }

    fn method(&self, experiment: &Experiment, name: &str) -> bool {
        let used = |m: &str| {
            let found = &experiment.methods[m];
            [&found.rate_of, &found.constants_of, &found.teacher].into_iter().flatten().any(|o| o == name)
        };
        self.methods.is_empty() || self.methods.iter().any(|m| m == name || used(m))
    }
}

/// Everything that was found.
pub struct Outcome {
    /// By task and method, a record a seed.
    pub runs: BTreeMap<(String, String), Vec<Record>>,
    /// By task and method.
    pub rates: BTreeMap<(String, String), f64>,
}

struct Job<'a> {
    task_name: &'a str,
    task: &'a Task,
    method_name: &'a str,
    method: &'a Method,
    rate: f64,
    constants: [f64; 2],
    seed: u64,
    tuning: bool,
    /// Of the teacher, if there is one.
    teacher: Option<(&'a Method, f64)>,
}

impl Job<'_> {
    fn run(&self, data: &Data, store: &Store) -> Result<Record, Failure> {
        let config = configuration(self.task, self.method, self.rate, self.constants, self.seed)?;
        let key = Key {
            task: self.task_name.to_owned(),
            method: self.method_name.to_owned(),
            seed: self.seed,
            tuning: self.tuning,
            settings: settings(self.task, self.method, self.rate, self.constants)?,
        };
        if let Some(found) = store.get(&key) {
            return Ok(found);
        }
        // While tuning only the end counts.
        let evaluations = if self.tuning { 0 } else { self.task.evaluations };
        let rows = data.rows(self.seed, self.tuning);
        let teacher = match self.teacher {
            Some((method, rate)) => Some(configuration(self.task, method, rate, [1.0, 1.0], self.seed)?),
            None => None,
        };
        let baseline = self.method.baseline.as_deref();
        let record = run(key, Told { config, teacher, baseline }, &rows, evaluations);
        let last = record.last();
        eprintln!(
            "{:<13} {:<22} rate {:<9.2e} seed {:<5} loss {:.4} accuracy {:.2} % {}",
            self.task_name,
            self.method_name,
            record.rate,
            self.seed,
            last.map_or(f64::NAN, |p| p.test_loss),
            last.map_or(f64::NAN, |p| 100.0 * p.test_accuracy),
            record.failure.as_deref().unwrap_or_default()
        );
        store.add(record.clone())?;
        Ok(record)
    }
}

/// Runs what is wanted and not yet there.
pub fn all(
    experiment: &Experiment,
    wanted: &Wanted<'_>,
    store: &Store,
    root: &Path,
    fetched: &Path,
) -> Result<Outcome, Failure> {
    let mut data = BTreeMap::new();
    for (name, task) in &experiment.tasks {
        if wanted.tasks.is_empty() || wanted.tasks.iter().any(|t| t == name) {
            let context = task.model_context()?;
            data.insert(name.as_str(), Data::open(&task.data, root, fetched, context)?);
        }
    }
    let pairs = || {
        experiment.tasks.iter().flat_map(|(t, task)| {
            let methods = experiment.methods.iter().filter(|(m, _)| wanted.method(experiment, m));
            methods.filter(|(m, _)| wanted.task(t, task, m)).map(move |(m, method)| (t, task, m, method))
        })
    };

    // Tuning: the loss at the end on rows held back, geometric mean over the seeds.
    let mut jobs = Vec::new();
    for (task_name, task, method_name, method) in pairs() {
        for &rate in &method.rates {
            for seed in TUNING_SEED..TUNING_SEED + experiment.tuning_seeds {
                let (constants, teacher) = ([1.0, 1.0], None);
                jobs.push(Job {
                    task_name,
                    task,
                    method_name,
                    method,
                    rate,
                    constants,
                    seed,
                    tuning: true,
                    teacher,
                });
            }
        }
    }
    let found: Vec<Record> = jobs
        .par_iter()
        .with_max_len(1)
        .map(|j| j.run(&data[j.task_name], store))
        .collect::<Result<_, _>>()?;
    let loss = |task: &str, method: &str, rate: f64| {
        let these = jobs.iter().zip(&found).filter(|(j, _)| {
            j.task_name == task && j.method_name == method && j.rate.to_bits() == rate.to_bits()
        });
        // A run that failed is as bad as can be.
        geometric_mean(these.map(|(_, r)| match (&r.failure, r.last()) {
            (None, Some(p)) => p.test_loss,
            _ => f64::INFINITY,
        }))
    };
    let mut rates = BTreeMap::new();
    for (task, _, name, method) in pairs().filter(|p| !p.3.rates.is_empty()) {
        let score = |rate: f64| {
            if !method.one_rate_for_all {
                return loss(task, name, rate);
            }
            // Over the best of each task, so that no task weighs more than another.
            geometric_mean(data.keys().filter(|t| !experiment.tasks[**t].without.contains(name)).map(|t| {
                let best = method.rates.iter().map(|&r| loss(t, name, r)).fold(f64::INFINITY, f64::min);
                loss(t, name, rate) / best
            }))
        };
        let best = method.rates.iter().copied().min_by(|&a, &b| score(a).total_cmp(&score(b)));
        rates.insert((task.clone(), name.clone()), best.unwrap_or(f64::NAN));
    }
    for (task, _, name, method) in pairs() {
        if let Some(of) = &method.rate_of {
            let rate = rates.get(&(task.clone(), of.clone())).copied();
            let rate = rate.ok_or_else(|| format!("{name} uses the rate of {of}, which was not tuned"))?;
            rates.insert((task.clone(), name.clone()), rate);
        }
    }

    let mut runs: BTreeMap<(String, String), Vec<Record>> = BTreeMap::new();
    for constants_wanted in [false, true] {
        let mut jobs = Vec::new();
        for (task_name, task, method_name, method) in pairs() {
            if method.constants_of.is_some() != constants_wanted {
                continue;
            }
            let of = |name: &str| runs.get(&(task_name.clone(), name.to_owned()));
            let constants = match method.constants_of.as_deref().map(of) {
                None => [1.0, 1.0],
                Some(None) => return Err(format!("{method_name}: no runs to take constants of").into()),
                Some(Some(records)) => {
                    let all: Vec<[f64; 2]> = records.iter().filter_map(|r| r.multipliers).collect();
                    [0, 1].map(|i| geometric_mean(all.iter().map(|m| m[i])))
                }
            };
            let rate = rates[&(task_name.clone(), method_name.clone())];
            let teacher = match &method.teacher {
                None => None,
                Some(name) => Some((
                    &experiment.methods[name],
                    *rates
                        .get(&(task_name.clone(), name.clone()))
                        .ok_or_else(|| format!("{method_name} is taught by {name}, which was not tuned"))?,
                )),
            };
            for seed in 0..experiment.seeds {
                jobs.push(Job {
                    task_name,
                    task,
                    method_name,
                    method,
                    rate,
                    constants,
                    seed,
                    tuning: false,
                    teacher,
                });
            }
        }
        let found: Vec<Record> = jobs
            .par_iter()
            .with_max_len(1)
            .map(|j| j.run(&data[j.task_name], store))
            .collect::<Result<_, _>>()?;
        for (job, record) in jobs.iter().zip(found) {
            runs.entry((job.task_name.to_owned(), job.method_name.to_owned())).or_default().push(record);
        }
    }
    Ok(Outcome { runs, rates })
}
