//! The writer: header first, then the tensors in order, a piece at a time.

use std::collections::{BTreeMap, HashSet};
use std::io::{Error, ErrorKind, Write};

use crate::io::Dtype;

/// A tensor to be written.
#[derive(Clone, Debug)]
pub struct TensorSpec {
    /// Its name.
    pub name: String,
    /// Its element type.
    pub dtype: Dtype,
    /// Its shape, row-major.
    pub shape: Vec<usize>,
}

/// Writes a safetensors file to any sink, in bounded memory (the crate's own writer wants all data
/// at once).
///
/// All tensors are declared at the start; their bytes follow in the same order through
/// [`SafetensorsWriter::write`], in pieces of any size.
#[derive(Debug)]
pub struct SafetensorsWriter<W> {
    sink: W,
    left: u64,
}

impl<W: Write> SafetensorsWriter<W> {
    /// Writes the header. Names that appear twice, and sizes that overflow, are refused as
    /// `InvalidInput`.
    pub fn new(
        mut sink: W,
        metadata: &BTreeMap<String, String>,
        tensors: &[TensorSpec],
    ) -> std::io::Result<Self> {
        let mut header = String::from("{");
        let mut seen = HashSet::new();
        if !metadata.is_empty() {
            let strings = serde_json::to_string(metadata)?;
            header.push_str(&format!("\"__metadata__\":{strings}"));
        }
        let mut end = 0u64;
        for t in tensors {
            if t.name == "__metadata__" || !seen.insert(t.name.as_str()) {
                return Err(invalid(format!("two tensors would be called '{}'", t.name)));
            }
            let start = end;
            end = t
                .shape
                .iter()
                .try_fold(t.dtype.size() as u64, |a, d| a.checked_mul(*d as u64))
                .and_then(|bytes| start.checked_add(bytes))
                .ok_or_else(|| invalid(format!("the size of tensor '{}' overflows", t.name)))?;
            if header.len() > 1 {
                header.push(',');
            }
            let (name, shape) = (serde_json::to_string(&t.name)?, serde_json::to_string(&t.shape)?);
            let dtype = t.dtype.name();
            header.push_str(&format!(
                "{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}"
            ));
        }
        header.push('}');
        // Spaces up to a multiple of eight keep the data aligned, as the reference writer does.
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        sink.write_all(&(header.len() as u64).to_le_bytes())?;
        sink.write_all(header.as_bytes())?;
        Ok(SafetensorsWriter { sink, left: end })
    }

    /// Appends data, in the order of the tensors.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self.left.checked_sub(bytes.len() as u64) {
            Some(left) => self.left = left,
            None => return Err(invalid("more data than the header declares".into())),
        }
        self.sink.write_all(bytes)
    }

    /// Ends the file; refused where data are missing.
    pub fn finish(mut self) -> std::io::Result<W> {
        if self.left > 0 {
            return Err(invalid(format!("{} bytes of data are missing", self.left)));
        }
        self.sink.flush()?;
        Ok(self.sink)
    }
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::InvalidInput, what)
}
