//! What is run: tasks, methods, and the settings that they are tuned over, from `experiment.toml`.

use std::collections::BTreeMap;
use std::path::Path;

use hybridq::train::Config;
use serde::Deserialize;
use toml::{Table, Value};

use crate::Failure;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// Runs of a method on a task that the report is made of.
    pub seeds: u64,
    /// Runs of a setting while it is tuned; other seeds, and only the training rows.
    pub tuning_seeds: u64,
    /// By name.
    pub tasks: BTreeMap<String, Task>,
    /// By name.
    pub methods: BTreeMap<String, Method>,
}

/// Data and model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// `digits`, `mnist`, `text`.
    pub data: String,
    /// Evaluations in an epoch.
    pub evaluations: u64,
    /// Methods that are not run on it.
    #[serde(default)]
    pub without: Vec<String>,
    /// What the trainer is told.
    pub config: Table,
}

/// A way to train.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Method {
    /// For the report.
    pub what: String,
    /// Learning rates; the best one is found on rows held back from the training rows.
    #[serde(default)]
    pub rates: Vec<f64>,
    /// Whether one rate has to do for all tasks.
    #[serde(default)]
    pub one_rate_for_all: bool,
    /// The method whose rate is used, as it was tuned.
    #[serde(default)]
    pub rate_of: Option<String>,
    /// The method whose mean multipliers are used as constants.
    #[serde(default)]
    pub constants_of: Option<String>,
    /// Epochs, as a part of the task's.
    #[serde(default = "one")]
    pub budget: f64,
    /// An optimizer of this package instead of the library's: `adam`, `sgd`, `schedule_free`.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The method whose network, trained with the same seed, teaches.
    #[serde(default)]
    pub teacher: Option<String>,
    /// What the trainer is told, over what the task says.
    #[serde(default)]
    pub config: Table,
}

impl Task {
    /// Characters of a row of text.
    pub fn model_context(&self) -> Result<usize, Failure> {
        let text = toml::to_string(&self.config)?;
        Ok(Config::from_toml(&text, Path::new("experiment.toml"))?.model.context)
    }
}

fn one() -> f64 {
    1.0
}

impl Experiment {
    /// Reads the file and refuses what does not fit together.
    pub fn open(path: &Path) -> Result<Experiment, Failure> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        let found: Experiment = toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        for (name, method) in &found.methods {
            for other in [&method.rate_of, &method.constants_of, &method.teacher].into_iter().flatten() {
                if !found.methods.contains_key(other) {
                    return Err(format!("method {name}: there is no method {other}").into());
                }
            }
            if method.rates.is_empty() == method.rate_of.is_none() {
                return Err(format!("method {name}: give rates, or the method whose rate is used").into());
            }
            for (task_name, task) in &found.tasks {
                configuration(task, method, 1e-3, [1.0, 1.0], 0)
                    .map_err(|e| format!("task {task_name}, method {name}: {e}"))?;
            }
        }
        Ok(found)
    }
}

/// What tells the runs of a method apart from those that it had before its settings were changed.
pub fn settings(task: &Task, method: &Method, rate: f64, constants: [f64; 2]) -> Result<String, Failure> {
    let mut table = task.config.clone();
    overlay(&mut table, &method.config);
    let text = toml::to_string(&table)?;
    let Method { budget, baseline, teacher, .. } = method;
    Ok(format!("{text}# rate {rate:e}, constants {constants:?}, budget {budget}, {baseline:?}, {teacher:?}"))
}

/// What the trainer is told for a run: the task, over it the method, over it rate and seed. `constants` multiply rate and
/// radius.
pub fn configuration(
    task: &Task,
    method: &Method,
    rate: f64,
    constants: [f64; 2],
    seed: u64,
) -> Result<Config, Failure> {
    let mut table = task.config.clone();
    overlay(&mut table, &method.config);
    let text = toml::to_string(&table)?;
    let mut config = Config::from_toml(&text, Path::new("experiment.toml"))?;
    config.seed = seed;
    config.epochs = (config.epochs as f64 * method.budget).round() as u32;
    config.optimizer.base_learning_rate = (rate * constants[0]) as f32;
    config.trust_region.initial_trust_radius *= constants[1] as f32;
    Ok(config)
}

fn overlay(table: &mut Table, over: &Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => overlay(under, over),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}
