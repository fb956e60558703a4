//! The flags that say how to train, and the configuration that they and a file amount to.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hybridq::io::{MappedFile, printable};
use hybridq::train::{BaseName, ClusterConfig, Config, WeightForm};

use crate::Stop;

/// Clusters of rows under `--hybrid`.
const HYBRID_DATA_CLUSTERS: usize = 8;
/// Clusters of rows of weight matrices under `--hybrid`.
const HYBRID_PARAM_CLUSTERS: usize = 4;

/// How to train. Without --config the flags switch parts on over a plain float network.
#[derive(clap::Args)]
pub struct Settings {
    /// A TOML file with the keys of docs/train.md, each of which has a default; the flags below override it
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Draw batches from 8 clusters of rows, cluster the parameters, bound and judge every step by a trust region, and let the
    /// auxiliary network multiply learning rate and radius
    #[arg(long)]
    hybrid: bool,
    /// Ternary weights: with --qat in training; alone they are made after it (post-training quantization)
    #[arg(long)]
    ternary: bool,
    /// Train with ternary weights and int8 activations in the loop (quantization-aware)
    #[arg(long)]
    qat: bool,
    /// Times that every row is seen [default: 40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: Option<u32>,
    /// Clusters of rows that batches are drawn from; 1: none [default: 1, with --hybrid 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    data_clusters: Option<u32>,
    /// Clusters of the rows of weight matrices, with a learning rate and a radius of their own; 1: none [default: 1, with
    /// --hybrid 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=32))]
    param_clusters: Option<u32>,
    /// The norm that a step may have at first; switches the trust region on [default: 0.01]
    #[arg(long, value_name = "NORM", value_parser = positive)]
    initial_trust_radius: Option<f32>,
    /// The learning rate after warm-up, before the multiplier [default: 0.001]
    #[arg(long, value_name = "RATE", value_parser = positive)]
    lr: Option<f32>,
    /// Rows of a step [default: 32]
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u32).range(1..))]
    batch_size: Option<u32>,
    /// The part of the past gradients in a step, 0 to below 1 [default: 0.9]
    #[arg(long, value_name = "PART", value_parser = part)]
    momentum: Option<f32>,
    /// Of everything that is drawn; the same seed gives the same bits [default: 0]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Neurons of each hidden layer, such as 64 or 64,32 [default: 64]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=65536))]
    hidden: Option<Vec<u32>>,
    /// The direction of a step [default: nadamw]
    #[arg(long)]
    base: Option<BaseArg>,
    /// End after so many epochs in which the held-back rows were not judged better; 0: never [default: 0]
    #[arg(long, value_name = "EPOCHS")]
    patience: Option<u32>,
    /// The part of the training rows that is held back to choose the best epoch by, 0 to 0.9 [default: 0.1]
    #[arg(long, value_name = "PART", value_parser = part)]
    validation: Option<f32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum BaseArg {
    Nadamw,
    Sgd,
    Nesterov,
}

fn positive(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a positive number".to_owned()),
    }
}

fn part(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to below 1".to_owned()),
    }
}

impl Settings {
    /// What a run is told: the file, else a plain float network, then the flags.
    pub fn config(&self) -> Result<Config, Stop> {
        let mut config = match &self.config {
            Some(path) => {
                let file = MappedFile::open(path)?;
                Config::from_toml(&String::from_utf8_lossy(file.bytes()), path)?
            }
            None => plain(),
        };
        self.apply(&mut config);
        Ok(config)
    }

    /// The configuration of a checkpoint, if flags and file say nothing else.
    pub fn resumed(
        &self,
        checkpoint: &Path,
        of_run: Config,
        more: &dyn Fn(&mut Config),
    ) -> Result<Config, Stop> {
        let mut asked = if self.config.is_some() { self.config()? } else { of_run.clone() };
        self.apply(&mut asked);
        more(&mut asked);
        let Some((asked, had)) = difference(&asked.to_toml(), &of_run.to_toml()) else { return Ok(of_run) };
        let file = printable(&checkpoint.to_string_lossy());
        Err(Stop::Line(format!(
            "{file}: its run has '{had}', and '{asked}' is asked for; leave that out, or begin anew without --resume"
        )))
    }

    fn apply(&self, config: &mut Config) {
        fn set<T>(to: &mut T, flag: Option<T>) {
            if let Some(value) = flag {
                *to = value;
            }
        }
        if self.qat {
            (config.model.weights, config.model.int8_activations) = (WeightForm::Ternary, true);
        }
        if self.hybrid {
            config.clusters.data_clusters = HYBRID_DATA_CLUSTERS;
            config.clusters.param_clusters = HYBRID_PARAM_CLUSTERS;
            config.trust_region.enabled = true;
            config.predictor.enabled = true;
        }
        config.trust_region.enabled |= self.initial_trust_radius.is_some();
        set(&mut config.epochs, self.epochs);
        set(&mut config.clusters.data_clusters, self.data_clusters.map(|n| n as usize));
        set(&mut config.clusters.param_clusters, self.param_clusters.map(|n| n as usize));
        set(&mut config.trust_region.initial_trust_radius, self.initial_trust_radius);
        set(&mut config.optimizer.base_learning_rate, self.lr);
        set(&mut config.batch_size, self.batch_size.map(|n| n as usize));
        set(&mut config.optimizer.momentum, self.momentum);
        set(&mut config.seed, self.seed);
        set(&mut config.model.hidden, self.hidden.as_ref().map(|h| h.iter().map(|&n| n as usize).collect()));
        let base = |base| match base {
            BaseArg::Nadamw => BaseName::NadamW,
            BaseArg::Sgd => BaseName::Sgd,
            BaseArg::Nesterov => BaseName::Nesterov,
        };
        set(&mut config.optimizer.base, self.base.map(base));
        set(&mut config.patience, self.patience);
        set(&mut config.validation, self.validation);
    }

    /// Whether the weights become ternary after training.
    pub fn quantize_after(&self, config: &Config) -> bool {
        self.ternary && config.model.weights == WeightForm::Float
    }
}

/// A float network, trained step by step.
fn plain() -> Config {
    let mut config = Config {
        clusters: ClusterConfig { data_clusters: 1, param_clusters: 1, ..ClusterConfig::default() },
        ..Config::default()
    };
    (config.model.weights, config.model.int8_activations) = (WeightForm::Float, false);
    (config.trust_region.enabled, config.predictor.enabled) = (false, false);
    config
}

/// The first line in which two configurations differ, with its table.
fn difference(a: &str, b: &str) -> Option<(String, String)> {
    let lines = |text: &str| {
        let mut table = String::new();
        let mut lines = Vec::new();
        for line in text.lines().filter(|l| !l.is_empty()) {
            match line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                Some(name) if !line.contains('=') => table = format!("{name}."),
                _ => lines.push(format!("{table}{line}")),
            }
        }
        lines
    };
    let (a, b) = (lines(a), lines(b));
    let found = a.iter().zip(&b).find(|(a, b)| a != b).map(|(a, b)| (a.clone(), b.clone()));
    let longer = || {
        let at = a.len().min(b.len());
        let line = |l: &[String]| l.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
        (a.len() != b.len()).then(|| (line(&a), line(&b)))
    };
    found.or_else(longer)
}

/// How much is learnt from a teacher.
#[derive(clap::Args)]
pub struct LessonArgs {
    /// The teacher's part of the loss, 0 to 1 [default: 0.5]
    #[arg(long, value_name = "PART", value_parser = whole_part)]
    weight: Option<f32>,
    /// What outputs are divided by before their softmax [default: 2]
    #[arg(long, value_name = "T", value_parser = positive)]
    temperature: Option<f32>,
}

impl LessonArgs {
    pub fn apply(&self, config: &mut Config) {
        config.distillation.weight = self.weight.unwrap_or(config.distillation.weight);
        config.distillation.temperature = self.temperature.unwrap_or(config.distillation.temperature);
    }
}

fn whole_part(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (0.0..=1.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
