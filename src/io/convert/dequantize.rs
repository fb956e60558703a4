//! Packed model in, `f32` safetensors out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::{Outcome, Progress, Report, SLICE};
use crate::io::model::{Kind, Model};
use crate::io::safetensors::{SafetensorsWriter, TensorSpec};
use crate::io::{Dtype, ErrorKind, IoError};

/// Decodes `model` into a safetensors file written to `sink`; `sink_path` is only for errors.
///
/// Weights of every type become `F32`; integers and other elements keep their type and their bytes.
pub fn dequantize_model<W: Write>(
    model: &Model,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<Report, IoError> {
    let mut report = Report { notes: model.notes.clone(), ..Report::default() };
    let mut work = Vec::new();
    for tensor in &model.tensors {
        let dtype = match &tensor.kind {
            Kind::Plain(dtype) if !dtype.is_weight() => *dtype,
            Kind::Other(name) => {
                let what = format!("is of type {name}, which cannot be decoded");
                let mend = "use a file with F32, F16, BF16, Q8_0, TQ1_0 or TQ2_0 tensors";
                let file = model.file_of(tensor);
                return Err(IoError::new(ErrorKind::Unsupported, file, what, mend).tensor(&tensor.name));
            }
            _ => Dtype::F32,
        };
        work.push((tensor, TensorSpec { name: tensor.name.clone(), dtype, shape: tensor.shape.clone() }));
    }
    // Wide elements first, as the reference writer has it: then every tensor is aligned.
    work.sort_by_key(|(_, spec)| std::cmp::Reverse(spec.dtype.size()));
    let specs: Vec<TensorSpec> = work.iter().map(|(_, spec)| spec.clone()).collect();
    let metadata = BTreeMap::from([
        // What loaders of the Python world look for.
        ("format".to_owned(), "pt".to_owned()),
        ("hybridq.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
    ]);
    let write = |e: std::io::Error| IoError::os(sink_path, "write", &e);
    let mut writer = SafetensorsWriter::new(sink, &metadata, &specs).map_err(write)?;
    let (mut x, mut bytes) = (Vec::new(), Vec::new());
    for (tensor, spec) in work {
        let mut bytes_out = 0;
        let rows = if tensor.is_empty() { 0 } else { tensor.rows() };
        let step = (SLICE / tensor.cols().max(1)).max(1);
        let mut start = 0;
        while start < rows {
            let end = rows.min(start.saturating_add(step));
            let piece: &[u8] = if spec.dtype == Dtype::F32 {
                x.resize((end - start) * tensor.cols(), 0.0f32);
                model.read_rows(tensor, start..end, &mut x)?;
                bytes.clear();
                bytes.extend(x.iter().flat_map(|v| v.to_le_bytes()));
                &bytes
            } else {
                model.row_slice(tensor, start..end)
            };
            writer.write(piece).map_err(write)?;
            bytes_out += piece.len() as u64;
            model.release(tensor, start..end);
            if !progress(((end - start) * tensor.row_bytes()) as u64) {
                let (file, mend) = (&model.path, "nothing was written");
                return Err(IoError::new(ErrorKind::Interrupted, file, "interrupted", mend));
            }
            start = end;
        }
        report.tensors.push(Outcome {
            name: tensor.name.clone(),
            shape: tensor.shape_text(),
            from: tensor.kind.name().to_owned(),
            to: spec.dtype.name().to_owned(),
            values: tensor.len() as u64,
            bytes_in: tensor.bytes() as u64,
            bytes_out,
            error: None,
            reason: "",
        });
    }
    writer.finish().map_err(write)?;
    Ok(report)
}
