//! Float model in, packed GGUF out.

use std::io::{BufWriter, Write};
use std::path::Path;

#[cfg(feature = "rayon")]
use rayon::prelude::*;

use super::{Outcome, Progress, Recipe, Report, SLICE, Target, choose};
use super::{fit_name, granularity_name, non_finite_name};
use crate::Error;
use crate::io::gguf::{
    Array, GGML_MAX_NAME, GgufWriter, MAX_DIMS, MAX_KEY, MAX_NAME, TensorSpec, TensorType, Value,
};
use crate::io::model::{Container, Kind, Model, Tensor, tensor_key};
use crate::io::{Dtype, ErrorKind, IoError, MappedFile};
use crate::quant::{self, Fit, Format, Granularity, NonFinite, Options};

/// Quantizes `model` into a GGUF file written to `sink`; `sink_path` is only for errors.
///
/// `keep` says for which tensor names the values must stay exact. Memory: about 20 MiB, plus four
/// rows of the longest tensor row beyond a million values, plus the header. Under
/// [`Granularity::Tensor`] it is up to three times the largest tensor (in `f32`) instead, since its
/// fit sees all values at once.
pub fn quantize_model<W: Write>(
    model: &Model,
    recipe: &Recipe,
    keep: &dyn Fn(&str) -> bool,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<Report, IoError> {
    quantize_model_weighted(model, recipe, keep, None, sink, sink_path, progress)
}

/// [`quantize_model`] with importance (see [`quant::quantize_weighted`]): `importance` holds, under the name of a
/// tensor, as many floats as its rows have columns. Tensors without are quantized unweighted, and the report says so.
pub fn quantize_model_weighted<W: Write>(
    model: &Model,
    recipe: &Recipe,
    keep: &dyn Fn(&str) -> bool,
    importance: Option<&Model>,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<Report, IoError> {
    let jobs = model.tensors.iter().map(|t| job(model, t, recipe, keep)).collect::<Result<Vec<_>, _>>()?;
    let out = Out { sink, path: sink_path };
    write_jobs(model, file_metadata(model, recipe), jobs, importance, out, progress)
}

/// Where a file is written, and its name for errors.
pub(super) struct Out<'a, W> {
    pub(super) sink: W,
    pub(super) path: &'a Path,
}

/// What becomes of one tensor.
pub(super) struct Job<'a> {
    pub(super) tensor: &'a Tensor,
    pub(super) kind: Kind,
    pub(super) options: Options,
    pub(super) reason: &'static str,
}

/// The job of a tensor by the rules of [`choose`].
pub(super) fn job<'a>(
    model: &Model,
    tensor: &'a Tensor,
    recipe: &Recipe,
    keep: &dyn Fn(&str) -> bool,
) -> Result<Job<'a>, IoError> {
    let choice = choose(tensor, recipe.format, keep(&tensor.name)).ok_or_else(|| {
        let what =
            format!("is of type {}, which GGUF cannot carry and hybridq cannot decode", tensor.kind.name());
        let mend = "convert it to F32, F16 or BF16, or remove it";
        IoError::new(ErrorKind::Unsupported, model.file_of(tensor), what, mend).tensor(&tensor.name)
    })?;
    let kind = match choice.target {
        Target::Packed(format) => Kind::Packed(format),
        Target::Plain(dtype) => Kind::Plain(dtype),
        Target::AsIs => tensor.kind.clone(),
    };
    // The fallback has only one fit and granularity.
    let options = match kind {
        Kind::Packed(Format::Q8_0) => {
            Options { fit: Fit::AbsMax, granularity: Granularity::Block, ..recipe.options }
        }
        _ => recipe.options,
    };
    Ok(Job { tensor, kind, options, reason: choice.reason })
}

/// Writes the file that the jobs describe.
pub(super) fn write_jobs<W: Write>(
    model: &Model,
    mut metadata: Vec<(String, Value)>,
    jobs: Vec<Job<'_>>,
    importance: Option<&Model>,
    Out { sink, path: sink_path }: Out<'_, W>,
    progress: Progress<'_>,
) -> Result<Report, IoError> {
    let mut report = Report { notes: model.notes.clone(), ..Report::default() };
    let mut specs = Vec::new();
    for job in &jobs {
        specs.push(describe(model, job.tensor, &job.kind, &mut metadata)?);
    }
    long_names(model, &mut report);
    if let Some(importance) = importance {
        let unknown = |t: &&Tensor| !model.tensors.iter().any(|m| m.name == t.name);
        if let Some(first) = importance.tensors.iter().find(unknown) {
            let count = importance.tensors.iter().filter(unknown).count();
            let name = super::super::printable(&first.name);
            report
                .notes
                .push(format!("{count} importance vector(s) name no tensor of the model: {name}, ..."));
        }
    }

    let write = |e: std::io::Error| IoError::os(sink_path, "write", &e);
    let mut writer = GgufWriter::new(sink, &metadata, &specs).map_err(write)?;
    let mut worker = Worker::new(model);
    for Job { tensor, kind, options, mut reason } in jobs {
        worker.weights.clear();
        if let (Some(importance), Kind::Packed(_)) = (importance, &kind)
            && kind != tensor.kind
            && !worker.take_weights(tensor, importance)?
            && reason.is_empty()
        {
            reason = "unweighted: no importance for it";
        }
        let mut bytes_out = 0u64;
        let mut put = |bytes: &[u8]| {
            bytes_out += bytes.len() as u64;
            writer.write(bytes).map_err(write)
        };
        let error = worker.tensor(tensor, &kind, &options, &mut put, progress)?;
        report.tensors.push(Outcome {
            name: tensor.name.clone(),
            shape: tensor.shape_text(),
            from: tensor.kind.name().to_owned(),
            to: kind.name().to_owned(),
            values: tensor.len() as u64,
            bytes_in: tensor.bytes() as u64,
            bytes_out,
            error: error.map(|e| e.plain),
            reason,
        });
    }
    writer.finish().map_err(write)?;
    Ok(report)
}

/// Quantizes `model` into a temporary file without a name, and opens the result: what `export` does with
/// a float model. The system removes the file when the model is dropped, or the process ends.
pub fn quantize_temporary(
    model: &Model,
    recipe: &Recipe,
    keep: &dyn Fn(&str) -> bool,
    progress: Progress<'_>,
) -> Result<(Model, Report), IoError> {
    let path = &model.path;
    let file = tempfile::tempfile().map_err(|e| IoError::os(path, "create a temporary file for", &e))?;
    let mut sink = BufWriter::new(file);
    let report = quantize_model(model, recipe, keep, &mut sink, path, progress)?;
    let file = sink.into_inner().map_err(|e| IoError::os(path, "write a temporary file for", e.error()))?;
    Ok((Model::gguf(MappedFile::from_file(&file, path)?)?, report))
}

/// Metadata that say what the model is and how the file was made. What the source says stays, unless
/// it describes the bytes themselves.
pub(super) fn file_metadata(model: &Model, recipe: &Recipe) -> Vec<(String, Value)> {
    let mut metadata: Vec<(String, Value)> = Vec::new();
    let mut set = |key: &str, value: Value| metadata.push((key.to_owned(), value));
    let architecture = model.get("general.architecture").cloned();
    set("general.architecture", architecture.unwrap_or_else(|| "hybridq".into()));
    let name = |p: &Path| p.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let source = name(&model.path);
    let stem = source.trim_end_matches(".json").trim_end_matches(".index");
    let stem = stem.trim_end_matches(".safetensors").trim_end_matches(".gguf");
    set("general.name", model.get("general.name").cloned().unwrap_or_else(|| stem.into()));
    set("general.quantization_version", Value::U32(2));
    // The numbers of llama.cpp's `llama_ftype`; hybridq's own formats have none.
    let file_type = match recipe.format {
        Format::Q8_0 => Some(7),
        Format::Tq1_0 => Some(36),
        Format::Tq2_0 => Some(37),
        _ => None,
    };
    if let Some(number) = file_type {
        set("general.file_type", Value::U32(number));
    }
    set("hybridq.version", env!("CARGO_PKG_VERSION").into());
    set("hybridq.source", source.as_str().into());
    set("hybridq.format", recipe.format.name().into());
    set("hybridq.fit", fit_name(recipe.options.fit).as_str().into());
    set("hybridq.granularity", granularity_name(recipe.options.granularity).into());
    set("hybridq.non_finite", non_finite_name(recipe.options.non_finite).into());
    let from_gguf = matches!(model.container, Container::Gguf(_));
    // The keys of a source are distinct; only these few can clash with them.
    let ours: Vec<String> = metadata.iter().map(|(k, _)| k.clone()).collect();
    for (key, value) in &model.metadata {
        // A safetensors file may call its strings anything, also something that means something here.
        let key = if from_gguf { key.clone() } else { format!("safetensors.{key}") };
        let ours = ours.contains(&key) || key.starts_with("hybridq.");
        let about_bytes = matches!(key.as_str(), "general.alignment" | "general.file_type");
        if !ours && !about_bytes && key.len() as u64 <= MAX_KEY {
            metadata.push((key, value.clone()));
        }
    }
    metadata
}

/// How a tensor stands in the file. What GGUF has no word for goes into bytes, with metadata.
fn describe(
    model: &Model,
    tensor: &Tensor,
    kind: &Kind,
    metadata: &mut Vec<(String, Value)>,
) -> Result<TensorSpec, IoError> {
    let (rows, cols) = (tensor.rows(), tensor.cols());
    if tensor.name.len() as u64 > MAX_NAME {
        let what = format!("its name of {} bytes is longer than {MAX_NAME}", tensor.name.len());
        let error = IoError::new(ErrorKind::Unsupported, model.file_of(tensor), what, "rename it");
        return Err(error.tensor(&tensor.name));
    }
    let ggml_dims = || tensor.shape.iter().rev().map(|d| *d as u64).collect::<Vec<_>>();
    let mut set = |field: &str, value: Value| metadata.push((tensor_key(&tensor.name, field), value));
    // A GGUF type has whole blocks only; everything else is bytes with metadata.
    let gguf_type = match kind {
        Kind::Packed(f) if !cols.is_multiple_of(f.block_len()) => None,
        Kind::Packed(Format::Q8_0) => Some(TensorType::Q8_0),
        Kind::Packed(Format::Tq1_0) => Some(TensorType::Tq1_0),
        Kind::Packed(Format::Tq2_0) => Some(TensorType::Tq2_0),
        _ => None,
    };
    let in_bytes = matches!(kind, Kind::Packed(_)) && gguf_type.is_none();
    let (tensor_type, mut dims) = match (kind, gguf_type) {
        (_, Some(native)) => (native, ggml_dims()),
        (Kind::Packed(format), None) => {
            set("format", format.name().into());
            let row = format.row_bytes(cols).map_err(|e| refused(model, tensor, e))?;
            (TensorType::Plain(Dtype::I8), vec![row as u64, rows as u64])
        }
        (Kind::Plain(dtype), None) => {
            let carrier = match dtype {
                Dtype::U8 | Dtype::Bool | Dtype::F8E4m3 | Dtype::F8E5m2 => Dtype::I8,
                Dtype::U16 => Dtype::I16,
                Dtype::U32 => Dtype::I32,
                Dtype::U64 => Dtype::I64,
                same => *same,
            };
            if carrier != *dtype {
                set("dtype", dtype.name().into());
            }
            (TensorType::Plain(carrier), ggml_dims())
        }
        (Kind::Other(_), None) => return Err(refused(model, tensor, Error::Unsupported)),
    };
    // ggml divides by dimensions and keeps four: scalars, empty and deeper tensors are flattened.
    let odd = dims.is_empty() || dims.contains(&0) || dims.len() > MAX_DIMS;
    if odd {
        dims = match kind {
            _ if tensor.is_empty() => vec![0],
            Kind::Packed(_) if dims.len() > MAX_DIMS => vec![cols as u64, rows as u64],
            Kind::Packed(_) => dims,
            _ => vec![tensor.len() as u64],
        };
    }
    if odd || in_bytes {
        set("shape", Value::Array(Array::U64(tensor.shape.iter().map(|d| *d as u64).collect())));
    }
    Ok(TensorSpec { name: tensor.name.clone(), dims, tensor_type })
}

fn long_names(model: &Model, report: &mut Report) {
    let long = model.tensors.iter().filter(|t| t.name.len() > GGML_MAX_NAME).count();
    if long > 0 {
        let text = format!(
            "{long} tensor name(s) are longer than {GGML_MAX_NAME} bytes: hybridq reads them, ggml does not"
        );
        report.notes.push(text);
    }
}

/// The core's refusal of a tensor, with a mend that fits the command line.
fn refused(model: &Model, tensor: &Tensor, error: Error) -> IoError {
    let (kind, what, mend) = match error {
        Error::NonFinite => {
            let mend = "clean it, keep it exact with --keep, or pass --non-finite saturate";
            (ErrorKind::Data, "holds NaN or infinity", mend)
        }
        Error::ScaleRange => {
            let mend = "rescale it, keep it exact with --keep, or pass --non-finite saturate";
            (ErrorKind::Data, "needs a scale above 65504, the largest f16", mend)
        }
        other => (ErrorKind::Unsupported, other.message(), "choose another format, fit or granularity"),
    };
    IoError::new(kind, model.file_of(tensor), what, mend).tensor(&tensor.name)
}

/// Values that are decoded at once to be compared: 256 KiB of `f32`.
const PIECE: usize = 1 << 16;

/// How far decoded values are from those of the source: squared error and squared sum.
#[derive(Clone, Copy, Default)]
pub(super) struct Errors {
    /// As they are.
    pub(super) plain: (f64, f64),
    /// Each square times the importance of its column; where there is no importance, as `plain`.
    pub(super) weighted: (f64, f64),
}

impl Errors {
    /// Decodes rows of `cols` values and adds what they became. Pieces of a fixed size are summed by themselves, then
    /// in order: the same sums whatever the number of threads.
    fn add_decoded(
        &mut self,
        format: Format,
        x: &[f32],
        packed: &[u8],
        cols: usize,
        weights: &[f32],
    ) -> Result<(), Error> {
        let row = format.row_bytes(cols)?;
        let step = (PIECE / cols.max(1)).max(1);
        let piece = |(x, packed): (&[f32], &[u8])| {
            let mut decoded = vec![0.0; x.len()];
            quant::dequantize(format, x.len() / cols.max(1), cols, packed, &mut decoded)?;
            let mut errors = Errors::default();
            errors.add(x, &decoded, weights);
            Ok(errors)
        };
        let (values, bytes) = ((step * cols).max(1), (step * row).max(1));
        #[cfg(feature = "rayon")]
        let pieces: Result<Vec<Errors>, Error> =
            x.par_chunks(values).zip(packed.par_chunks(bytes)).map(piece).collect();
        #[cfg(not(feature = "rayon"))]
        let pieces: Result<Vec<Errors>, Error> =
            x.chunks(values).zip(packed.chunks(bytes)).map(piece).collect();
        for errors in pieces? {
            self.merge(errors);
        }
        Ok(())
    }

    fn merge(&mut self, other: Errors) {
        let sum = |a: (f64, f64), b: (f64, f64)| (a.0 + b.0, a.1 + b.1);
        self.plain = sum(self.plain, other.plain);
        self.weighted = sum(self.weighted, other.weighted);
    }

    /// Adds whole rows of values and what they became; no `weights` count as ones.
    fn add(&mut self, x: &[f32], y: &[f32], weights: &[f32]) {
        // Under `saturate` the values that were not finite have no error to speak of.
        let squares = |(a, b): (&f32, &f32)| {
            let d = f64::from(*a) - f64::from(*b);
            if a.is_finite() { (d * d, f64::from(*a) * f64::from(*a)) } else { (0.0, 0.0) }
        };
        let mut plain = (0.0, 0.0);
        let mut weighted = (0.0, 0.0);
        if weights.is_empty() {
            for (error, sum) in x.iter().zip(y).map(squares) {
                plain = (plain.0 + error, plain.1 + sum);
            }
            weighted = plain;
        } else {
            for (x, y) in x.chunks(weights.len()).zip(y.chunks(weights.len())) {
                for ((error, sum), w) in x.iter().zip(y).map(squares).zip(weights) {
                    let w = f64::from(*w);
                    plain = (plain.0 + error, plain.1 + sum);
                    weighted = (weighted.0 + w * error, weighted.1 + w * sum);
                }
            }
        }
        self.merge(Errors { plain, weighted });
    }
}

/// The buffers, reused from tensor to tensor.
pub(super) struct Worker<'a> {
    model: &'a Model,
    /// The importance of the columns of the tensor; empty for none.
    weights: Vec<f32>,
    x: Vec<f32>,
    packed: Vec<u8>,
    decoded: Vec<f32>,
    scratch: Vec<u8>,
}

type Put<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), IoError>;

impl<'a> Worker<'a> {
    pub(super) fn new(model: &'a Model) -> Worker<'a> {
        Worker { model, weights: vec![], x: vec![], packed: vec![], decoded: vec![], scratch: vec![] }
    }

    pub(super) fn model(&self) -> &'a Model {
        self.model
    }

    /// Reads the importance of a tensor; false if there is none.
    pub(super) fn take_weights(&mut self, tensor: &Tensor, importance: &Model) -> Result<bool, IoError> {
        self.weights.clear();
        let Some(found) = importance.tensors.iter().find(|t| t.name == tensor.name) else { return Ok(false) };
        let cols = tensor.cols();
        let fail = |what: String, mend: &'static str| {
            Err(IoError::new(ErrorKind::Data, importance.file_of(found), what, mend).tensor(&found.name))
        };
        if found.len() != cols {
            let what = format!("holds {} values for a tensor whose rows have {cols}", found.len());
            return fail(what, "give one importance per column, the mean square of each input");
        }
        self.weights.resize(cols, 0.0);
        importance.read_rows(found, 0..found.rows(), &mut self.weights)?;
        if self.weights.iter().any(|w| !w.is_finite() || *w < 0.0) || self.weights.iter().all(|w| *w == 0.0) {
            let what = "is no importance: a value is negative or not finite, or all are zero".to_owned();
            return fail(what, "give the mean square of each input");
        }
        Ok(true)
    }

    /// Converts one tensor; gives its errors if values changed.
    pub(super) fn tensor(
        &mut self,
        tensor: &Tensor,
        kind: &Kind,
        options: &Options,
        put: Put<'_>,
        progress: Progress<'_>,
    ) -> Result<Option<Errors>, IoError> {
        let rows = tensor.rows();
        if *kind == tensor.kind || tensor.is_empty() {
            self.carry(tensor, put, progress)?;
            return Ok(None);
        }
        let whole = matches!(kind, Kind::Packed(_)) && options.granularity == Granularity::Tensor;
        let step = if whole { rows } else { (SLICE / tensor.cols().max(1)).max(1) };
        let mut total = Errors::default();
        let mut start = 0;
        while start < rows {
            let end = rows.min(start.saturating_add(step));
            let n = (end - start) * tensor.cols();
            self.x.resize(n, 0.0);
            self.model.read_rows(tensor, start..end, &mut self.x)?;
            self.model.release(tensor, start..end);
            if let Kind::Packed(format) = kind {
                self.pack(tensor, *format, options, end - start, put, &mut total)?;
            } else if *kind == Kind::Plain(Dtype::F16) {
                self.halve(tensor, options, put, &mut total)?;
            } else {
                // Widening to F32: exact.
                self.packed.clear();
                self.packed.extend(self.x.iter().flat_map(|v| v.to_le_bytes()));
                put(&self.packed)?;
            }
            self.advance((end - start) * tensor.row_bytes(), progress)?;
            start = end;
        }
        if whole {
            // One large tensor must not set the memory of all that follow.
            (self.x, self.packed, self.scratch) = (vec![], vec![], vec![]);
        }
        Ok(matches!(kind, Kind::Packed(_) | Kind::Plain(Dtype::F16)).then_some(total))
    }

    fn pack(
        &mut self,
        tensor: &Tensor,
        format: Format,
        options: &Options,
        rows: usize,
        put: Put<'_>,
        errors: &mut Errors,
    ) -> Result<(), IoError> {
        let cols = tensor.cols();
        let fail = |e| refused(self.model, tensor, e);
        self.packed.resize(format.matrix_bytes(rows, cols).map_err(fail)?, 0);
        self.encode(format, options, rows, cols).map_err(fail)?;
        put(&self.packed)?;
        errors.add_decoded(format, &self.x, &self.packed, cols, &self.weights).map_err(fail)
    }

    /// The bytes of `rows` in `packed`, whatever the number of threads.
    #[cfg(feature = "rayon")]
    fn encode(&mut self, format: Format, options: &Options, rows: usize, cols: usize) -> Result<(), Error> {
        let (x, weights, packed) = (&self.x, &self.weights, &mut self.packed);
        if weights.is_empty() {
            quant::quantize_parallel(format, options, rows, cols, x, packed)
        } else {
            quant::quantize_weighted_parallel(format, options, rows, cols, x, weights, packed)
        }
    }

    #[cfg(not(feature = "rayon"))]
    fn encode(&mut self, format: Format, options: &Options, rows: usize, cols: usize) -> Result<(), Error> {
        let (x, weights, packed) = (&self.x, &self.weights, &mut self.packed);
        if weights.is_empty() {
            self.scratch.resize(quant::quantize_workspace_size(format, options, rows, cols)?, 0);
            quant::quantize(format, options, rows, cols, x, packed, &mut self.scratch)
        } else {
            self.scratch.resize(quant::quantize_weighted_workspace_size(format, options, rows, cols)?, 0);
            quant::quantize_weighted(format, options, rows, cols, x, weights, packed, &mut self.scratch)
        }
    }

    /// F16, rounded to nearest; refused above its range, or held at its end.
    fn halve(
        &mut self,
        tensor: &Tensor,
        options: &Options,
        put: Put<'_>,
        errors: &mut Errors,
    ) -> Result<(), IoError> {
        let saturate = options.non_finite == NonFinite::Saturate;
        self.packed.clear();
        self.decoded.clear();
        for &v in &self.x {
            let mut half = half::f16::from_f32(v);
            if !half.is_finite() {
                if !saturate {
                    let e = if v.is_finite() { Error::ScaleRange } else { Error::NonFinite };
                    return Err(refused(self.model, tensor, e));
                }
                half = if v.is_nan() { half::f16::ZERO } else { half::f16::MAX.copysign(half) };
            }
            self.packed.extend(half.to_le_bytes());
            self.decoded.push(half.to_f32());
        }
        errors.add(&self.x, &self.decoded, &self.weights);
        put(&self.packed)?;
        Ok(())
    }

    /// The bytes as they are.
    fn carry(&self, tensor: &Tensor, put: Put<'_>, progress: Progress<'_>) -> Result<(), IoError> {
        let row = tensor.row_bytes().max(1);
        let step = (4 * SLICE / row).max(1);
        let mut start = 0;
        while start < tensor.rows() && !tensor.is_empty() {
            let end = tensor.rows().min(start.saturating_add(step));
            put(self.model.row_slice(tensor, start..end))?;
            self.model.release(tensor, start..end);
            self.advance((end - start) * tensor.row_bytes(), progress)?;
            start = end;
        }
        Ok(())
    }

    fn advance(&self, bytes: usize, progress: Progress<'_>) -> Result<(), IoError> {
        if progress(bytes as u64) {
            return Ok(());
        }
        Err(IoError::new(ErrorKind::Interrupted, &self.model.path, "interrupted", "nothing was written"))
    }
}
