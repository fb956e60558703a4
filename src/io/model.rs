//! A model file, whichever container it is in, as one list of tensors.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::gguf::{self, TensorType, Value};
use super::{Dtype, ErrorKind, IoError, MappedFile, printable, safetensors};
use crate::quant::{self, Format};

/// Where GGUF metadata say what a tensor of a format without a GGUF number really is: the key
/// `hybridq.tensor.<name>.<this>`.
pub(crate) fn tensor_key(name: &str, field: &str) -> String {
    format!("hybridq.tensor.{name}.{field}")
}

/// Where a model came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    /// One safetensors file.
    Safetensors,
    /// Several safetensors files behind an index.
    Sharded,
    /// A GGUF file of this version.
    Gguf(u32),
}

/// What the bytes of a tensor are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Plain elements.
    Plain(Dtype),
    /// Packed rows.
    Packed(Format),
    /// Something that can be listed but not decoded, by the name that its container gives it.
    Other(String),
}

impl Kind {
    /// Its name in tables.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Kind::Plain(d) => d.name(),
            Kind::Packed(f) => f.name(),
            Kind::Other(name) => name,
        }
    }

    /// Whether [`Model::read_rows`] can decode it.
    #[must_use]
    pub fn is_weight(&self) -> bool {
        match self {
            Kind::Plain(d) => d.is_weight(),
            Kind::Packed(_) => true,
            Kind::Other(_) => false,
        }
    }
}

/// One tensor of a [`Model`].
#[derive(Clone, Debug)]
pub struct Tensor {
    /// Its name, unique in the model.
    pub name: String,
    /// Its shape, row-major: the length of a row last. Empty for a scalar.
    pub shape: Vec<usize>,
    /// What its bytes are.
    pub kind: Kind,
    file: usize,
    range: Range<usize>,
}

impl Tensor {
    /// The length of a row: the last dimension.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.shape.last().copied().unwrap_or(1)
    }

    /// The number of rows: the product of all other dimensions.
    #[must_use]
    pub fn rows(&self) -> usize {
        let others = self.shape.len().saturating_sub(1);
        // Cannot wrap for a tensor with any elements: the reader has checked its size against the file.
        self.shape.iter().take(others).fold(1, |a, d| a.saturating_mul(*d))
    }

    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows().saturating_mul(self.cols())
    }

    /// Whether it has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.contains(&0)
    }

    /// Its bytes in the file.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.range.len()
    }

    /// Bytes of one row.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.range.len().checked_div(self.rows()).unwrap_or(0)
    }

    /// Where its bytes are in the file.
    pub(crate) fn file_range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// The shape as tables show it: `384x1536`, or `scalar`.
    #[must_use]
    pub fn shape_text(&self) -> String {
        if self.shape.is_empty() {
            return "scalar".to_owned();
        }
        self.shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
    }
}

/// An open model: its tensors, its metadata, and the mapped files behind them.
#[derive(Debug)]
pub struct Model {
    /// The path it was opened by.
    pub path: PathBuf,
    /// What it was.
    pub container: Container,
    /// GGUF metadata, or the `__metadata__` strings of a safetensors file.
    pub metadata: Vec<(String, Value)>,
    /// The tensors, in the order of their data.
    pub tensors: Vec<Tensor>,
    /// What a person should know about the file although it is no error.
    pub notes: Vec<String>,
    files: Vec<MappedFile>,
}

impl Model {
    /// Opens a GGUF file, a safetensors file, or the index of a sharded model (`*.json`). Which of the
    /// first two it is, its content says, not its name.
    pub fn open(path: &Path) -> Result<Self, IoError> {
        Self::from_file(MappedFile::open(path)?)
    }

    /// The same for bytes in memory; `path` names them in errors, and its ending counts. The shards of an
    /// index are looked for beside it.
    pub fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, IoError> {
        Self::from_file(MappedFile::from_bytes(bytes, path))
    }

    fn from_file(file: MappedFile) -> Result<Self, IoError> {
        let path = &file.path().to_path_buf();
        if super::archive::is_archive(file.bytes()) {
            let (what, mend) = ("is an archive", "restore it first: 'hybridq unarchive'");
            return Err(IoError::new(ErrorKind::Request, path, what, mend));
        }
        if file.bytes().starts_with(b"GGUF") {
            return Self::gguf(file);
        }
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
            return Self::sharded(&file);
        }
        // A file that calls itself GGUF shall hear what is wrong with it as one.
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gguf")) {
            return Self::gguf(file);
        }
        let mut model = Model::empty(path, Container::Safetensors);
        let parsed = safetensors::parse(path, file.bytes())?;
        for (key, value) in parsed.metadata {
            model.metadata.push((key, Value::String(value)));
        }
        model.tensors = parsed.tensors.into_iter().map(|t| from_safetensors(t, 0)).collect();
        model.files.push(file);
        Ok(model)
    }

    /// Opens a GGUF file that is mapped already.
    pub fn gguf(file: MappedFile) -> Result<Self, IoError> {
        let path = file.path().to_path_buf();
        let mut model = Self::listed(&path, gguf::parse(&path, file.bytes())?)?;
        model.files.push(file);
        Ok(model)
    }

    /// What a GGUF file of `len` bytes lists that begins with `head`. The tensors have no bytes.
    pub(crate) fn gguf_head(path: &Path, head: &[u8], len: u64) -> Result<Self, IoError> {
        Self::listed(path, gguf::parse_head(path, head, len)?)
    }

    fn listed(path: &Path, parsed: gguf::Gguf) -> Result<Self, IoError> {
        let mut model = Model::empty(path, Container::Gguf(parsed.version));
        for info in &parsed.tensors {
            model.tensors.push(from_gguf(path, &parsed, info)?);
        }
        // Streaming and the release of used pages want the order of the data.
        model.tensors.sort_by_key(|t| t.range.start);
        model.metadata = parsed.metadata;
        Ok(model)
    }

    fn sharded(index_file: &MappedFile) -> Result<Self, IoError> {
        let path = index_file.path();
        let index = safetensors::parse_index(path, index_file.bytes())?;
        let mut model = Model::empty(path, Container::Sharded);
        let folder = path.parent().unwrap_or(Path::new(""));
        for (shard, names) in &index.shards {
            let shard_path = folder.join(shard);
            if !shard_path.exists() {
                let what = format!("its shard '{}' is missing", printable(shard));
                let mend = "fetch the shard into the folder of the index";
                return Err(IoError::new(ErrorKind::Malformed, path, what, mend));
            }
            let file = MappedFile::open(&shard_path)?;
            let parsed = safetensors::parse(&shard_path, file.bytes())?;
            let mut wanted: std::collections::HashSet<&str> = names.iter().map(String::as_str).collect();
            let mut extra = 0usize;
            for info in parsed.tensors {
                if wanted.remove(info.name.as_str()) {
                    model.tensors.push(from_safetensors(info, model.files.len()));
                } else {
                    extra += 1;
                }
            }
            if let Some(missing) = wanted.into_iter().min() {
                let what = format!("the index says it is in '{}', which does not hold it", printable(shard));
                let mend = "fetch the index and its shards again, from one revision";
                return Err(IoError::new(ErrorKind::Malformed, path, what, mend).tensor(missing));
            }
            if extra > 0 {
                let text = format!(
                    "{extra} tensor(s) of '{}' are not in the index and were skipped",
                    printable(shard)
                );
                model.notes.push(text);
            }
            model.files.push(file);
        }
        Ok(model)
    }

    fn empty(path: &Path, container: Container) -> Self {
        Model {
            path: path.to_path_buf(),
            container,
            metadata: Vec::new(),
            tensors: Vec::new(),
            notes: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A metadata value.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// Whether `path` names one of the files that this model is read from.
    #[must_use]
    pub fn is_read_from(&self, path: &Path) -> bool {
        let Ok(path) = path.canonicalize() else { return false };
        let own = self.files.iter().map(MappedFile::path).chain([self.path.as_path()]);
        own.filter_map(|p| p.canonicalize().ok()).any(|p| p == path)
    }

    /// The file that holds a tensor.
    #[must_use]
    pub fn file_of(&self, tensor: &Tensor) -> &Path {
        self.files.get(tensor.file).map_or(self.path.as_path(), MappedFile::path)
    }

    /// The bytes of a tensor.
    #[must_use]
    pub fn bytes(&self, tensor: &Tensor) -> &[u8] {
        self.files.get(tensor.file).and_then(|f| f.bytes().get(tensor.range.clone())).unwrap_or(&[])
    }

    /// The bytes of some rows of a tensor.
    #[must_use]
    pub fn row_slice(&self, tensor: &Tensor, rows: Range<usize>) -> &[u8] {
        let row = tensor.row_bytes();
        let range = rows.start.saturating_mul(row)..rows.end.saturating_mul(row);
        self.bytes(tensor).get(range).unwrap_or(&[])
    }

    /// Decodes some rows to `f32`; `out` holds `rows.len() * cols` values.
    pub fn read_rows(&self, tensor: &Tensor, rows: Range<usize>, out: &mut [f32]) -> Result<(), IoError> {
        let file = self.file_of(tensor);
        let bytes = self.row_slice(tensor, rows.clone());
        let decoded = match &tensor.kind {
            Kind::Plain(dtype) => dtype.decode(bytes, out),
            Kind::Packed(format) => {
                return quant::dequantize(*format, rows.len(), tensor.cols(), bytes, out)
                    .map_err(|e| IoError::malformed(file, e.message()).tensor(&tensor.name));
            }
            Kind::Other(_) => false,
        };
        if decoded {
            return Ok(());
        }
        let what = format!("is of type {}, which cannot be decoded", tensor.kind.name());
        let mend = "convert it to F32, F16 or BF16 first";
        Err(IoError::new(ErrorKind::Unsupported, file, what, mend).tensor(&tensor.name))
    }

    /// The whole of the first file (a GGUF model has one).
    pub(crate) fn first_file(&self) -> &[u8] {
        self.files.first().map_or(&[], MappedFile::bytes)
    }

    /// Gives the memory of some bytes of the first file back to the system.
    pub(crate) fn release_bytes(&self, range: Range<usize>) {
        if let Some(file) = self.files.first() {
            file.release(range);
        }
    }

    /// Gives the memory of some rows back to the system once they have been used.
    pub fn release(&self, tensor: &Tensor, rows: Range<usize>) {
        let row = tensor.row_bytes();
        let start = tensor.range.start;
        if let Some(file) = self.files.get(tensor.file) {
            file.release(start + rows.start * row..start + rows.end * row);
        }
    }
}

fn from_safetensors(info: safetensors::TensorInfo, file: usize) -> Tensor {
    let kind = match info.dtype {
        Ok(dtype) => Kind::Plain(dtype),
        Err(name) => Kind::Other(name),
    };
    Tensor { name: info.name, shape: info.shape, kind, file, range: info.range }
}

/// A GGUF tensor, with the metadata that say what hybridq packed into plain bytes.
fn from_gguf(path: &Path, gguf: &gguf::Gguf, info: &gguf::TensorInfo) -> Result<Tensor, IoError> {
    let bad = |what: String| IoError::malformed(path, what).tensor(&info.name);
    let mut shape = Vec::with_capacity(info.dims.len());
    for d in info.dims.iter().rev() {
        shape.push(usize::try_from(*d).map_err(|_| bad(format!("its dimension {d} is too large")))?);
    }
    let mut kind = match info.tensor_type {
        TensorType::Plain(d) => Kind::Plain(d),
        TensorType::Q8_0 => Kind::Packed(Format::Q8_0),
        TensorType::Tq1_0 => Kind::Packed(Format::Tq1_0),
        TensorType::Tq2_0 => Kind::Packed(Format::Tq2_0),
        TensorType::Q4_0 => Kind::Other("Q4_0".to_owned()),
    };
    let field = |name: &str| gguf.get(&tensor_key(&info.name, name));
    if let Some(value) = field("shape") {
        let Value::Array(gguf::Array::U64(dims)) = value else {
            return Err(bad("its metadata 'shape' is no array of u64".into()));
        };
        shape.clear();
        for d in dims {
            shape.push(usize::try_from(*d).map_err(|_| bad(format!("its dimension {d} is too large")))?);
        }
    }
    let elements = shape.iter().try_fold(1usize, |a, d| a.checked_mul(*d));
    let Some(elements) = elements else {
        return Err(bad("the shape in its metadata overflows".into()));
    };
    let (rows, cols) = match shape.split_last() {
        Some((cols, rows)) if elements > 0 => (rows.iter().product(), *cols),
        Some(_) => (0, 0),
        None => (1, 1),
    };
    // Bytes that the shape and the kind ask for, to be compared with those that are there.
    let expected = match (field("format"), field("dtype")) {
        (None, None) => match &kind {
            Kind::Plain(d) => elements.checked_mul(d.size()),
            Kind::Packed(f) => f.matrix_bytes(rows, cols).ok(),
            Kind::Other(_) => Some(info.range.len()),
        },
        (Some(Value::String(text)), None) if info.is_plain(Dtype::I8) => {
            let Some(format) = Format::from_name(text) else {
                let what = format!("its metadata name the format '{}'", printable(text));
                let mend = "use the version of hybridq that wrote it, or a newer one";
                return Err(IoError::new(ErrorKind::Unsupported, path, what, mend).tensor(&info.name));
            };
            kind = Kind::Packed(format);
            format.matrix_bytes(rows, cols).ok()
        }
        (None, Some(Value::String(text))) if matches!(kind, Kind::Plain(d) if !d.is_weight()) => {
            let Some(dtype) = Dtype::from_name(text) else {
                return Err(bad(format!("its metadata name the unknown type '{}'", printable(text))));
            };
            kind = Kind::Plain(dtype);
            elements.checked_mul(dtype.size())
        }
        _ => return Err(bad("its metadata contradict its type".into())),
    };
    if expected != Some(info.range.len()) {
        let (name, bytes) = (kind.name(), info.range.len());
        return Err(bad(format!("{bytes} bytes are not what {name} of shape {shape:.64?} takes")));
    }
    Ok(Tensor { name: info.name.clone(), shape, kind, file: 0, range: info.range.clone() })
}
