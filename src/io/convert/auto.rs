//! Float model in, packed GGUF out, each tensor in the format that a common budget of bits allows it.

use std::io::Write;
use std::path::Path;

use super::quantize::{Job, Out, Worker, file_metadata, job, write_jobs};
use super::{Progress, Recipe, Report};
use crate::io::gguf::Value;
use crate::io::model::{Kind, Model};
use crate::io::{Dtype, ErrorKind, IoError};
use crate::quant::{Format, NonFinite, Options, mixed_select, mixed_smallest, mixed_workspace_size};

/// How the errors of different tensors are added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weighting {
    /// Squared error over the mean square of the tensor's values: a tensor of small weights counts as much as one of
    /// large weights.
    Relative,
    /// Squared error.
    Absolute,
}

/// What to choose within.
#[derive(Clone, Copy, Debug)]
pub struct Auto {
    /// Bits a weight, on the average of all tensors that there is a choice for, everything counted.
    pub budget: f64,
    /// How their errors are compared.
    pub weighting: Weighting,
    /// What to do with NaN and infinity.
    pub non_finite: NonFinite,
}

/// What was chosen, as a whole.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The formats that there were, by name.
    pub candidates: Vec<String>,
    /// Tensors that there was a choice for.
    pub tensors: usize,
    /// Their values.
    pub values: u64,
    /// Bits a value that they take.
    pub bits: f64,
    /// The root of the mean weighted error that was minimised: for [`Weighting::Relative`] a relative RMSE.
    pub error: f64,
    /// The least that it could be within the budget.
    pub bound: f64,
}

/// The formats that a tensor may get: every packed one, and 16-bit floats.
fn candidates() -> Vec<Kind> {
    let packed = Format::ALL.into_iter().map(Kind::Packed);
    packed.chain([Kind::Plain(Dtype::F16)]).collect()
}

/// Quantizes `model` as [`quantize_model`](super::quantize_model), but chooses the format of each matrix: the sum of
/// the weighted errors is the least that the budget allows ([`mixed_select`]). Reads the model twice; memory is that
/// of `quantize_model`. `progress` hears of every byte twice.
pub fn quantize_model_auto<W: Write>(
    model: &Model,
    auto: &Auto,
    keep: &dyn Fn(&str) -> bool,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<(Report, Chosen), IoError> {
    quantize_model_auto_weighted(model, auto, keep, None, sink, sink_path, progress)
}

/// [`quantize_model_auto`] with importance, as [`quantize_model_weighted`](super::quantize_model_weighted) takes it: the
/// errors that are compared have each square weighed by its column, under [`Weighting::Relative`] against the values
/// weighed likewise, and the formats that are chosen are encoded so. A tensor without importance counts as one with ones.
pub fn quantize_model_auto_weighted<W: Write>(
    model: &Model,
    auto: &Auto,
    keep: &dyn Fn(&str) -> bool,
    importance: Option<&Model>,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<(Report, Chosen), IoError> {
    // A format that takes rows of any length: what the rules keep exact for it, they keep exact for all.
    let any_length = recipe(model, Format::DenseTernary, auto)?;
    let mut jobs = Vec::new();
    for tensor in &model.tensors {
        jobs.push(job(model, tensor, &any_length, keep)?);
    }
    let kinds = candidates();
    let mut open = Vec::new();
    let mut table = Vec::new();
    for (index, j) in jobs.iter().enumerate() {
        if j.kind == Kind::Packed(any_length.format) && j.kind != j.tensor.kind {
            open.push(index);
            let mut worker = Worker::new(model);
            if let Some(importance) = importance {
                worker.take_weights(j.tensor, importance)?;
            }
            table.push(measure(&mut worker, j, &kinds, auto, keep, progress)?);
        } else if !progress(j.tensor.bytes() as u64) {
            return Err(IoError::new(
                ErrorKind::Interrupted,
                &model.path,
                "interrupted",
                "nothing was written",
            ));
        }
    }
    let chosen = choose_all(model, &mut jobs, &open, table, &kinds, auto)?;
    let out = Out { sink, path: sink_path };
    let report = write_jobs(model, metadata(model, &any_length, auto), jobs, importance, out, progress)?;
    Ok((report, chosen))
}

fn recipe(model: &Model, format: Format, auto: &Auto) -> Result<Recipe, IoError> {
    Recipe::new(format, None, None, auto.non_finite)
        .map_err(|e| IoError::new(ErrorKind::Unsupported, &model.path, e.message(), "report this"))
}

/// One tensor in one format; no entry where it cannot have the format.
#[derive(Clone)]
struct Measured {
    kind: Kind,
    options: Options,
    bytes: u64,
    /// Weighted, before it is divided by the number of values of the model.
    error: f64,
}

/// Bytes and errors of one tensor in every format, with the importance that the worker has.
fn measure(
    worker: &mut Worker<'_>,
    open: &Job<'_>,
    kinds: &[Kind],
    auto: &Auto,
    keep: &dyn Fn(&str) -> bool,
    progress: Progress<'_>,
) -> Result<Vec<Option<Measured>>, IoError> {
    let tensor = open.tensor;
    let model = worker.model();
    let mut out = Vec::new();
    let mut refusal = None;
    for kind in kinds {
        let (kind, options) = match kind {
            Kind::Packed(format) => {
                let j = job(model, tensor, &recipe(model, *format, auto)?, keep)?;
                if j.kind != *kind {
                    out.push(None); // its rows do not fit the blocks
                    continue;
                }
                (j.kind, j.options)
            }
            // 16-bit floats stay what they are.
            _ if matches!(tensor.kind, Kind::Plain(Dtype::F16 | Dtype::Bf16)) => {
                (tensor.kind.clone(), open.options)
            }
            other => (other.clone(), open.options),
        };
        let mut bytes = 0;
        let mut put = |piece: &[u8]| {
            bytes += piece.len() as u64;
            Ok(())
        };
        let mut step = |n: u64| progress(n / kinds.len() as u64);
        match worker.tensor(tensor, &kind, &options, &mut put, &mut step) {
            Ok(found) => {
                let (error, sum) = found.unwrap_or_default().weighted;
                let weight = match auto.weighting {
                    Weighting::Relative if sum > 0.0 => tensor.len() as f64 / sum,
                    _ => 1.0,
                };
                out.push(Some(Measured { kind, options, bytes, error: error * weight }));
            }
            // A scale out of range in one format need not be so in another; NaN is refused by all.
            Err(e) if e.kind() == ErrorKind::Data => {
                out.push(None);
                refusal = Some(e);
            }
            Err(e) => return Err(e),
        }
    }
    match refusal {
        Some(e) if out.iter().all(Option::is_none) => Err(e),
        _ => Ok(out),
    }
}

/// Solves the choice and puts it into the jobs.
fn choose_all(
    model: &Model,
    jobs: &mut [Job<'_>],
    open: &[usize],
    table: Vec<Vec<Option<Measured>>>,
    kinds: &[Kind],
    auto: &Auto,
) -> Result<Chosen, IoError> {
    let values: u64 = open.iter().map(|&i| jobs[i].tensor.len() as u64).sum();
    let per_value = values.max(1) as f64;
    let cells = || table.iter().flatten();
    let bytes: Vec<u64> = cells().map(|c| c.as_ref().map_or(0, |m| m.bytes)).collect();
    let error = |m: &Measured| ((m.error / per_value) as f32).min(f32::MAX);
    let errors: Vec<f32> = cells().map(|c| c.as_ref().map_or(f32::INFINITY, error)).collect();
    let fail = |e: crate::Error| {
        let mend = "report this with the model's name";
        IoError::new(ErrorKind::Unsupported, &model.path, e.message(), mend)
    };
    let budget = (auto.budget * values as f64 / 8.0) as u64;
    let least = mixed_smallest(open.len(), kinds.len(), &bytes, &errors).map_err(fail)?;
    if least > budget {
        // Rounded up, so that the number works when it is passed.
        let smallest = (8e4 * least as f64 / per_value).ceil() / 1e4;
        let what = format!("needs at least {smallest} bits a weight, the budget is {}", auto.budget);
        let mend = format!("pass --budget {smallest} or more");
        return Err(IoError::new(ErrorKind::Request, &model.path, what, mend));
    }
    let mut choices = vec![0u16; open.len()];
    let mut scratch = vec![0; mixed_workspace_size(open.len(), kinds.len()).map_err(fail)?];
    let (n, m) = (open.len(), kinds.len());
    let found = mixed_select(n, m, &bytes, &errors, budget, &mut choices, &mut scratch).map_err(fail)?;
    for ((&index, &choice), row) in open.iter().zip(&choices).zip(table) {
        let chosen = row.into_iter().nth(choice as usize).flatten();
        if let (Some(job), Some(chosen)) = (jobs.get_mut(index), chosen) {
            (job.kind, job.options) = (chosen.kind, chosen.options);
        }
    }
    Ok(Chosen {
        candidates: kinds.iter().map(|k| k.name().to_lowercase()).collect(),
        tensors: n,
        values,
        bits: 8.0 * found.bytes as f64 / per_value,
        error: f64::from(found.error).sqrt(),
        bound: f64::from(found.bound).sqrt(),
    })
}

fn metadata(model: &Model, recipe: &Recipe, auto: &Auto) -> Vec<(String, Value)> {
    let mut metadata = file_metadata(model, recipe);
    // Each tensor has the defaults of its format.
    metadata.retain(|(key, _)| key != "hybridq.fit" && key != "hybridq.granularity");
    for (key, value) in &mut metadata {
        if key == "hybridq.format" {
            *value = "auto".into();
        }
    }
    metadata.push(("hybridq.budget".to_owned(), Value::F64(auto.budget)));
    metadata
}
