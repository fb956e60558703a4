//! A line for every step, as CSV or JSON lines.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::constrain::Verdict;
use crate::io::{ErrorKind, IoError};

use super::trainer::Step;

/// The columns, in their order; a number that there is not is empty in CSV and `null` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// Steps before this one.
    pub step: u64,
    /// Epochs before this one.
    pub epoch: u64,
    /// The cluster of most rows of the batch.
    pub cluster: u32,
    /// Before the step, on its batch.
    pub loss: Option<f32>,
    /// After it, on the same batch.
    pub trial_loss: Option<f32>,
    /// `accepted`, `rejected` or `refused`.
    pub verdict: &'static str,
    /// Actual over predicted reduction.
    pub ratio: f32,
    /// Before the multiplier.
    pub learning_rate: f32,
    /// Of the learning rate.
    pub rate_multiplier: f32,
    /// Of the radius.
    pub radius_multiplier: f32,
    /// Before the multiplier.
    pub radius: Option<f32>,
    /// Of the gradient as it came.
    pub gradient_norm: Option<f32>,
    /// Of the step within the radius.
    pub update_norm: Option<f32>,
    /// Groups of parameters that the radius shortened.
    pub bounded: Option<usize>,
    /// The part of all groups that it shortened: how active the constraint was.
    pub constraint_activation: Option<f32>,
    /// What quantization changed of the gradient, relative to it.
    pub gradient_error: Option<f32>,
    /// The variance of the gradient, from the two halves of the batch.
    pub gradient_variance: Option<f32>,
    /// What quantization changes of the ternary weights, relative to them, after a step after which it was measured.
    pub quantization_error: Option<f32>,
    /// The part of the trits that changed since the measurement before.
    pub flip_rate: Option<f32>,
    /// The cosine between step and negative gradient.
    pub efficiency: Option<f32>,
    /// Since the run began or was resumed.
    pub seconds: f64,
}

impl Line {
    /// The line of a step.
    #[must_use]
    pub fn of(step: &Step, per_epoch: u64, seconds: f64) -> Line {
        let finite = |x: f32| x.is_finite().then_some(x);
        let report = step.report.as_ref();
        Line {
            step: step.step,
            epoch: step.step / per_epoch.max(1),
            cluster: step.cluster,
            loss: finite(step.loss),
            trial_loss: finite(step.trial_loss),
            verdict: match step.verdict {
                Verdict::Accepted => "accepted",
                Verdict::Rejected => "rejected",
                Verdict::Refused => "refused",
            },
            ratio: step.ratio,
            learning_rate: step.learning_rate,
            rate_multiplier: step.multipliers.learning_rate,
            radius_multiplier: step.multipliers.radius,
            radius: finite(step.radius),
            gradient_norm: report.and_then(|r| finite(r.gradient_norm)),
            update_norm: report.and_then(|r| finite(r.step_norm)),
            bounded: report.map(|r| r.bounded),
            constraint_activation: report.map(|r| r.bounded as f32 / step.groups.max(1) as f32),
            gradient_variance: finite(step.gradient_variance),
            quantization_error: step.measured.map(|m| m.quantization_error),
            flip_rate: step.measured.and_then(|m| m.flip_rate),
            gradient_error: report.map(|r| r.gradient_error),
            efficiency: report.and_then(|r| finite(r.efficiency)),
            seconds,
        }
    }
}

enum Sink {
    Csv(Box<::csv::Writer<BufWriter<File>>>),
    Json(BufWriter<File>),
}

/// A file of metrics: `.csv`, or `.jsonl`.
pub struct Metrics {
    sink: Sink,
    path: PathBuf,
}

impl Metrics {
    /// Begins a file; with `resume` at that step, the lines from it on are dropped and the rest is kept.
    ///
    /// # Errors
    /// A name that ends neither in `.csv` nor in `.jsonl`; a file that exists, unless it is gone on with; what the file system
    /// refuses.
    pub fn create(path: &Path, resume: Option<u64>) -> Result<Metrics, IoError> {
        let json = match path.extension().and_then(|e| e.to_str()) {
            Some("csv") => false,
            Some("jsonl") => true,
            _ => {
                let what = "ends in neither .csv nor .jsonl";
                return Err(IoError::new(ErrorKind::Request, path, what, "name a file that does"));
            }
        };
        let mut kept = Vec::new();
        // A device or a pipe has nothing to keep.
        if let (Some(step), true) = (resume, path.is_file()) {
            let file = File::open(path).map_err(|e| os(path, "read", &e))?;
            for (number, line) in BufReader::new(file).lines().enumerate() {
                let line = line.map_err(|e| os(path, "read", &e))?;
                let at = if json {
                    serde_json::from_str::<serde_json::Value>(&line).ok().and_then(|v| v["step"].as_u64())
                } else if number == 0 {
                    continue;
                } else {
                    line.split(',').next().and_then(|s| s.parse().ok())
                };
                match at {
                    Some(at) if at < step => kept.push(line),
                    _ => break,
                }
            }
        }
        let mut open = OpenOptions::new();
        open.write(true);
        match resume {
            Some(_) => open.create(true).truncate(true),
            None => open.create_new(true),
        };
        let file = open.open(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                IoError::new(ErrorKind::Request, path, "exists already", "name another file, or remove it")
            }
            _ => os(path, "write", &e),
        })?;
        let mut file = BufWriter::new(file);
        let keep = |file: &mut BufWriter<File>| kept.iter().try_for_each(|l| writeln!(file, "{l}"));
        let sink = if json {
            keep(&mut file).map_err(|e| os(path, "write", &e))?;
            Sink::Json(file)
        } else {
            if !kept.is_empty() {
                let header = ::csv::WriterBuilder::new().from_writer(Vec::new());
                writeln!(file, "{}", header_of(header))
                    .and_then(|()| keep(&mut file))
                    .map_err(|e| os(path, "write", &e))?;
            }
            Sink::Csv(Box::new(::csv::WriterBuilder::new().has_headers(kept.is_empty()).from_writer(file)))
        };
        Ok(Metrics { sink, path: path.to_path_buf() })
    }

    /// Adds a line.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn add(&mut self, line: &Line) -> Result<(), IoError> {
        let done = match &mut self.sink {
            Sink::Csv(writer) => writer.serialize(line).map_err(std::io::Error::from),
            Sink::Json(file) => serde_json::to_string(line)
                .map_err(std::io::Error::from)
                .and_then(|text| writeln!(file, "{text}")),
        };
        done.map_err(|e| os(&self.path, "write", &e))
    }

    /// Everything that was added is in the file.
    ///
    /// # Errors
    /// What the file system refuses.
    pub fn flush(&mut self) -> Result<(), IoError> {
        let done = match &mut self.sink {
            Sink::Csv(writer) => writer.flush(),
            Sink::Json(file) => file.flush(),
        };
        done.map_err(|e| os(&self.path, "write", &e))
    }
}

/// The names of the columns, as the writer itself writes them.
fn header_of(mut writer: ::csv::Writer<Vec<u8>>) -> String {
    let empty = Step {
        step: 0,
        cluster: 0,
        loss: 0.0,
        trial_loss: 0.0,
        verdict: Verdict::Accepted,
        learning_rate: 0.0,
        multipliers: crate::learn::hybrid::Multipliers::ONE,
        radius: 0.0,
        ratio: 0.0,
        gradient_variance: 0.0,
        groups: 0,
        report: None,
        measured: None,
    };
    // Into a vector: there is nothing that could fail.
    let bytes = match writer.serialize(Line::of(&empty, 1, 0.0)) {
        Ok(()) => writer.into_inner().unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().to_owned()
}

fn os(path: &Path, what: &str, error: &std::io::Error) -> IoError {
    IoError::os(path, what, error)
}
