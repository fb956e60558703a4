//! The writer: header first, then the tensors in order, a piece at a time.

use std::io::Write;

use super::value::string;
use super::{DEFAULT_ALIGNMENT, MAX_DIMS, TensorType, Value};

/// A tensor to be written.
#[derive(Clone, Debug)]
pub struct TensorSpec {
    /// Its name.
    pub name: String,
    /// Its dimensions in ggml's order: the length of a row first. At most four.
    pub dims: Vec<u64>,
    /// Its type.
    pub tensor_type: TensorType,
}

/// Writes a GGUF version 3 file to any sink, in bounded memory.
///
/// All tensors are declared at the start; their bytes follow through [`GgufWriter::write`] in the
/// same order, in pieces of any size. The writer pads between them and refuses a wrong total.
///
/// ```
/// use hybridq::io::gguf::{GgufWriter, TensorSpec, TensorType, Value, parse};
/// use hybridq::io::Dtype;
///
/// let spec = TensorSpec { name: "w".into(), dims: vec![2, 3], tensor_type: TensorType::Plain(Dtype::F32) };
/// let metadata = [("general.name".to_owned(), Value::from("tiny"))];
/// let mut file = Vec::new();
/// let mut writer = GgufWriter::new(&mut file, &metadata, &[spec])?;
/// writer.write(&[0; 16])?;
/// writer.write(&[0; 8])?;
/// writer.finish()?;
/// let read = parse("tiny.gguf".as_ref(), &file)?;
/// assert_eq!(read.tensors[0].dims, [2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct GgufWriter<W> {
    sink: W,
    /// Bytes of each tensor, last first.
    waiting: Vec<u64>,
    left: u64,
    /// Of the tensor being written: how many zeros follow it.
    pad: usize,
}

impl<W: Write> GgufWriter<W> {
    /// Writes the header. Tensors that GGUF cannot describe are refused as `InvalidInput`.
    pub fn new(mut sink: W, metadata: &[(String, Value)], tensors: &[TensorSpec]) -> std::io::Result<Self> {
        let mut head = Vec::new();
        head.extend(b"GGUF");
        head.extend(3u32.to_le_bytes());
        head.extend((tensors.len() as u64).to_le_bytes());
        head.extend((metadata.len() as u64).to_le_bytes());
        for (key, value) in metadata {
            string(key, &mut head);
            head.extend((value.value_type() as u32).to_le_bytes());
            value.encode(&mut head);
        }
        let mut offset = 0u64;
        let mut waiting = Vec::with_capacity(tensors.len());
        for t in tensors {
            let number = t.tensor_type.number().filter(|_| t.dims.len() <= MAX_DIMS);
            let (Some(number), Some(bytes)) = (number, t.tensor_type.bytes(&t.dims)) else {
                return Err(invalid(format!("GGUF cannot hold tensor '{}' of {:?}", t.name, t.dims)));
            };
            string(&t.name, &mut head);
            head.extend((t.dims.len() as u32).to_le_bytes());
            t.dims.iter().for_each(|d| head.extend(d.to_le_bytes()));
            head.extend(number.to_le_bytes());
            head.extend(offset.to_le_bytes());
            offset = offset
                .checked_add(bytes)
                .and_then(|o| o.checked_next_multiple_of(DEFAULT_ALIGNMENT))
                .ok_or_else(|| invalid("the file would exceed 2^64 bytes".into()))?;
            waiting.push(bytes);
        }
        head.resize(head.len() + padding(head.len() as u64), 0);
        sink.write_all(&head)?;
        waiting.reverse();
        let mut writer = GgufWriter { sink, waiting, left: 0, pad: 0 };
        writer.next()?;
        Ok(writer)
    }

    /// Appends bytes of the current tensor; the next one begins by itself. Bytes beyond the last
    /// tensor, or a piece that runs over the end of its tensor, are refused.
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        let n = bytes.len() as u64;
        if n > self.left {
            return Err(invalid(format!("{n} bytes do not fit the {} left of the tensor", self.left)));
        }
        self.sink.write_all(bytes)?;
        self.left -= n;
        if self.left == 0 { self.next() } else { Ok(()) }
    }

    /// Ends the file; refused where bytes are still missing.
    pub fn finish(mut self) -> std::io::Result<W> {
        if self.left > 0 || !self.waiting.is_empty() {
            return Err(invalid(format!("{} bytes of a tensor are missing", self.left)));
        }
        self.sink.flush()?;
        Ok(self.sink)
    }

    /// Pads what is complete and opens the next tensor that has any bytes.
    fn next(&mut self) -> std::io::Result<()> {
        self.sink.write_all(&[0; DEFAULT_ALIGNMENT as usize][..self.pad])?;
        self.pad = 0;
        while let Some(bytes) = self.waiting.pop() {
            if bytes > 0 {
                self.left = bytes;
                self.pad = padding(bytes);
                break;
            }
        }
        Ok(())
    }
}

fn padding(len: u64) -> usize {
    (len.next_multiple_of(DEFAULT_ALIGNMENT) - len) as usize
}

fn invalid(what: String) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidInput, what)
}
