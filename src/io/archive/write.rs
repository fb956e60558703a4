//! GGUF in, archive out.

use std::io::Write;
use std::ops::Range;
use std::path::Path;

use super::{END, MAGIC, MAX_GAP, PLAIN, STEP, TERNARY, VERSION};
use crate::io::convert::{Outcome, Progress, Report};
use crate::io::model::{Container, Kind, Model, Tensor};
use crate::io::{ErrorKind, IoError};
use crate::quant::archive::crc32;
use crate::quant::{Format, archive_bound, archive_encode};

/// Archives `model`, which must be a GGUF file, to `sink`; `sink_path` is only for errors.
///
/// Ternary tensors are entropy-coded, everything else is kept as it is. Memory: the packed bytes of the largest
/// ternary tensor.
pub fn archive_model<W: Write>(
    model: &Model,
    sink: W,
    sink_path: &Path,
    progress: Progress<'_>,
) -> Result<Report, IoError> {
    let Container::Gguf(_) = model.container else {
        let mend = "quantize it first: 'hybridq quantize' writes GGUF";
        return Err(IoError::new(ErrorKind::Request, &model.path, "is not a GGUF file", mend));
    };
    let file = model.first_file();
    let mut writer = Writer { sink, sink_path, progress, model, whole: 0 };
    let mut head = MAGIC.to_vec();
    head.extend(VERSION.to_le_bytes());
    head.extend((file.len() as u64).to_le_bytes());
    head.extend(crc32(0, &head).to_le_bytes());
    writer.put(&head)?;

    let mut report = Report { notes: model.notes.clone(), ..Report::default() };
    let mut tensors: Vec<&Tensor> = model.tensors.iter().filter(|t| t.bytes() > 0).collect();
    tensors.sort_by_key(|t| t.file_range().start);
    let mut at = tensors.first().map_or(file.len(), |t| t.file_range().start);
    writer.plain("", 0..at)?;
    let mut packed = Vec::new();
    for tensor in tensors {
        let range = tensor.file_range();
        writer.gap(at..range.start)?;
        let before = range.len() as u64;
        let coded = match &tensor.kind {
            Kind::Packed(format) if is_ternary(*format) => writer.ternary(tensor, *format, &mut packed)?,
            _ => Coded::NotTernary,
        };
        let (to, bytes_out, reason) = match coded {
            Coded::To(bytes) => ("archive", bytes, ""),
            Coded::TooSmall => {
                (tensor.kind.name(), writer.plain(&tensor.name, range.clone())?, "is too small")
            }
            Coded::NotTernary => {
                (tensor.kind.name(), writer.plain(&tensor.name, range.clone())?, "is not ternary")
            }
        };
        report.tensors.push(Outcome {
            name: tensor.name.clone(),
            shape: tensor.shape_text(),
            from: tensor.kind.name().to_owned(),
            to: to.to_owned(),
            values: tensor.len() as u64,
            bytes_in: before,
            bytes_out,
            error: None,
            reason,
        });
        at = range.end;
    }
    writer.gap(at..file.len())?;
    let whole = writer.whole;
    writer.part("", END, file.len()..file.len(), 4)?;
    writer.put(&whole.to_le_bytes())?;
    writer.put(&crc32(0, &whole.to_le_bytes()).to_le_bytes())?;
    writer.sink.flush().map_err(|e| IoError::os(sink_path, "write", &e))?;
    Ok(report)
}

fn is_ternary(format: Format) -> bool {
    archive_bound(format, 1, 1, 0).is_ok()
}

/// What became of a tensor that may be ternary.
enum Coded {
    /// Written, in so many bytes.
    To(u64),
    TooSmall,
    NotTernary,
}

struct Writer<'a, W> {
    sink: W,
    sink_path: &'a Path,
    progress: Progress<'a>,
    model: &'a Model,
    /// The checksum of the GGUF file up to here.
    whole: u32,
}

impl<W: Write> Writer<'_, W> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        self.sink.write_all(bytes).map_err(|e| IoError::os(self.sink_path, "write", &e))
    }

    fn part(&mut self, name: &str, kind: u8, range: Range<usize>, payload: usize) -> Result<(), IoError> {
        let mut head = Vec::with_capacity(64);
        head.extend((range.start as u64).to_le_bytes());
        head.extend((range.len() as u64).to_le_bytes());
        head.extend((payload as u64).to_le_bytes());
        // A name has at most 4096 bytes: the reader of the GGUF file has seen to it.
        head.extend([kind, 0]);
        head.extend((name.len() as u16).to_le_bytes());
        head.extend(name.as_bytes());
        head.extend(crc32(0, &head).to_le_bytes());
        self.put(&head)
    }

    /// Takes bytes of the GGUF file into its checksum, and gives their memory back.
    fn pass(&mut self, range: Range<usize>) -> Result<(), IoError> {
        self.whole = crc32(self.whole, &self.model.first_file()[range.clone()]);
        self.model.release_bytes(range.clone());
        if (self.progress)(range.len() as u64) {
            return Ok(());
        }
        let (file, mend) = (&self.model.path, "nothing was written");
        Err(IoError::new(ErrorKind::Interrupted, file, "interrupted", mend))
    }

    /// Bytes as they are; gives their number.
    fn plain(&mut self, name: &str, range: Range<usize>) -> Result<u64, IoError> {
        self.part(name, PLAIN, range.clone(), range.len())?;
        let mut crc = 0;
        for start in range.clone().step_by(STEP) {
            let step = start..range.end.min(start + STEP);
            let bytes = &self.model.first_file()[step.clone()];
            crc = crc32(crc, bytes);
            self.put(bytes)?;
            self.pass(step)?;
        }
        self.put(&crc.to_le_bytes())?;
        Ok(range.len() as u64)
    }

    /// What lies between tensors: nothing is written for a few zeros.
    fn gap(&mut self, range: Range<usize>) -> Result<(), IoError> {
        let zeros = self.model.first_file()[range.clone()].iter().all(|&b| b == 0);
        if zeros && (range.len() as u64) < MAX_GAP {
            return self.pass(range);
        }
        self.plain("", range).map(|_| ())
    }

    fn ternary(&mut self, tensor: &Tensor, format: Format, out: &mut Vec<u8>) -> Result<Coded, IoError> {
        let range = tensor.file_range();
        let (rows, cols) = (tensor.rows(), tensor.cols());
        let refused = |e: crate::Error| {
            let (file, mend) = (&self.model.path, "the file is damaged or incomplete: fetch it again");
            IoError::new(ErrorKind::Malformed, file, e.message(), mend).tensor(&tensor.name)
        };
        out.resize(archive_bound(format, rows, cols, 0).map_err(refused)?, 0);
        let data = self.model.bytes(tensor);
        let n = archive_encode(format, rows, cols, data, 0, out).map_err(refused)?;
        // The header of a stream takes 80 bytes: a few rows may come out longer than they were.
        if n >= range.len() {
            return Ok(Coded::TooSmall);
        }
        self.part(&tensor.name, TERNARY, range.clone(), n)?;
        self.put(&out[..n])?;
        self.pass(range)?;
        Ok(Coded::To(n as u64))
    }
}
