//! The reader: every count and length is checked against the bytes that remain.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;

use super::{Array, DEFAULT_ALIGNMENT, Dtype, MAX_DIMS, MAX_KEY, MAX_NAME, TensorType, Value, ValueType};
use crate::io::{ErrorKind, IoError, printable};

/// Arrays of arrays exist in the specification and nowhere else; a little nesting is allowed.
const MAX_NESTING: u32 = 4;

/// A parsed header. The data stay where they are.
#[derive(Clone, Debug)]
pub struct Gguf {
    /// 2 or 3.
    pub version: u32,
    /// The metadata, in the order of the file.
    pub metadata: Vec<(String, Value)>,
    /// The tensors, in the order of the file.
    pub tensors: Vec<TensorInfo>,
    keys: HashMap<String, usize>,
}

/// One tensor: where it lies and how to read it.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// Its name, unique in the file.
    pub name: String,
    /// Its dimensions in ggml's order: the length of a row first. At most four.
    pub dims: Vec<u64>,
    /// Its type.
    pub tensor_type: TensorType,
    /// Its bytes within the file. Inside the file, of the length that type and dimensions ask for,
    /// and disjoint from every other tensor's.
    pub range: Range<usize>,
}

impl Gguf {
    /// The value of a metadata key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).and_then(|i| self.metadata.get(*i)).map(|(_, v)| v)
    }
}

/// Parses the header of a GGUF file and checks it against the whole of `bytes`. `path` is only for
/// the errors. Allocates a small multiple of the header's own size, whatever its counts say.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Gguf, IoError> {
    parse_head(path, bytes, bytes.len() as u64)
}

/// The same for a file of `len` bytes, of which `bytes` are the first: all up to its data.
pub(crate) fn parse_head(path: &Path, bytes: &[u8], len: u64) -> Result<Gguf, IoError> {
    let mut cursor = Cursor { path, bytes, pos: 0 };
    let version = header(&mut cursor)?;
    let tensor_count = cursor.u64("tensor count")?;
    let key_count = cursor.u64("metadata count")?;
    // A key takes at least a length, a type and a byte; a tensor a length, n, a type and an offset.
    cursor.fits(key_count, 13, "metadata count")?;
    cursor.fits(tensor_count, 24, "tensor count")?;

    let mut metadata = Vec::new();
    let mut keys = HashMap::new();
    for i in 0..key_count {
        let key = cursor.string(MAX_KEY, "metadata key")?;
        let value = cursor.value(&key)?;
        if keys.insert(key.clone(), i as usize).is_some() {
            return Err(cursor.bad(format!("metadata key '{}' appears twice", printable(&key))));
        }
        metadata.push((key, value));
    }
    let alignment = match keys.get("general.alignment").map(|i| &metadata[*i].1) {
        None => DEFAULT_ALIGNMENT,
        Some(Value::U32(a)) if a.is_power_of_two() => u64::from(*a),
        Some(other) => {
            return Err(cursor.bad(format!("general.alignment is {other:?}, not a power of two of type u32")));
        }
    };

    let mut raw = Vec::new();
    let mut names = HashSet::new();
    for _ in 0..tensor_count {
        let tensor = tensor(&mut cursor)?;
        if !names.insert(tensor.name.clone()) {
            return Err(cursor.bad("the name appears twice").tensor(&tensor.name));
        }
        raw.push(tensor);
    }
    let tensors = place(&cursor, raw, alignment, len)?;
    Ok(Gguf { version, metadata, tensors, keys })
}

fn header(cursor: &mut Cursor<'_>) -> Result<u32, IoError> {
    if cursor.bytes.get(..4) != Some(b"GGUF") {
        let what = "is not a GGUF file: it does not begin with 'GGUF'";
        return Err(IoError::new(
            ErrorKind::Malformed,
            cursor.path,
            what,
            "name a .gguf file, or fetch it again",
        ));
    }
    cursor.pos = 4;
    match cursor.u32("version")? {
        version @ (2 | 3) => Ok(version),
        1 => Err(cursor.unsupported("is GGUF version 1", "convert it with a tool of its time to version 3")),
        v if matches!(v.swap_bytes(), 1..=3) => {
            Err(cursor.unsupported("is a big-endian GGUF file", "convert it with gguf-convert-endian"))
        }
        v => Err(cursor.unsupported(format!("is GGUF version {v}"), "hybridq reads versions 2 and 3")),
    }
}

struct RawTensor {
    name: String,
    dims: Vec<u64>,
    tensor_type: TensorType,
    offset: u64,
    bytes: u64,
}

fn tensor(cursor: &mut Cursor<'_>) -> Result<RawTensor, IoError> {
    let name = cursor.string(MAX_NAME, "tensor name")?;
    let n = cursor.u32("number of dimensions").map_err(|e| e.tensor(&name))?;
    if n as usize > MAX_DIMS {
        return Err(cursor.bad(format!("claims {n} dimensions; GGUF allows {MAX_DIMS}")).tensor(&name));
    }
    let mut dims = Vec::with_capacity(MAX_DIMS);
    for _ in 0..n {
        dims.push(cursor.u64("dimension").map_err(|e| e.tensor(&name))?);
    }
    let number = cursor.u32("type").map_err(|e| e.tensor(&name))?;
    let offset = cursor.u64("offset").map_err(|e| e.tensor(&name))?;
    let Some(tensor_type) = TensorType::from_number(number) else {
        let what = match other_type(number) {
            Some(known) => format!("is of type {known} ({number}), which hybridq does not read"),
            None => format!("is of type {number}, which GGUF does not define"),
        };
        let mend = "use a file with F32, F16, BF16, Q8_0, TQ1_0 or TQ2_0 tensors";
        return Err(IoError::new(ErrorKind::Unsupported, cursor.path, what, mend).tensor(&name));
    };
    let Some(bytes) = tensor_type.bytes(&dims) else {
        let (block, _) = tensor_type.block();
        let row = dims.first().copied().unwrap_or(1);
        let what = if row.is_multiple_of(block) {
            format!("its dimensions {dims:?} overflow")
        } else {
            format!(
                "its rows of {row} are no multiple of the {block} that a {} block holds",
                tensor_type.name()
            )
        };
        return Err(cursor.bad(what).tensor(&name));
    };
    Ok(RawTensor { name, dims, tensor_type, offset, bytes })
}

/// Turns offsets into ranges: aligned, inside the file, none over another.
fn place(
    cursor: &Cursor<'_>,
    raw: Vec<RawTensor>,
    alignment: u64,
    len: u64,
) -> Result<Vec<TensorInfo>, IoError> {
    let len = len.min(usize::MAX as u64);
    let start = (cursor.pos as u64).checked_next_multiple_of(alignment);
    let mut tensors = Vec::with_capacity(raw.len());
    for t in raw {
        if !t.offset.is_multiple_of(alignment) {
            let what = format!("its offset {} is no multiple of the alignment {alignment}", t.offset);
            return Err(cursor.bad(what).tensor(&t.name));
        }
        let begin = start.and_then(|s| s.checked_add(t.offset));
        let end = begin.and_then(|b| b.checked_add(t.bytes));
        let (Some(begin), Some(end)) = (begin, end) else {
            return Err(cursor.bad(format!("its offset {} overflows", t.offset)).tensor(&t.name));
        };
        if end > len {
            let what = format!("its {} bytes end at byte {end}, but the file has {len}", t.bytes);
            return Err(cursor.bad(what).tensor(&t.name));
        }
        // Both are at most `len`, which is a usize.
        let range = begin as usize..end as usize;
        tensors.push(TensorInfo { name: t.name, dims: t.dims, tensor_type: t.tensor_type, range });
    }
    let mut order: Vec<&TensorInfo> = tensors.iter().filter(|t| !t.range.is_empty()).collect();
    order.sort_by_key(|t| t.range.start);
    for pair in order.windows(2) {
        if let [a, b] = pair
            && b.range.start < a.range.end
        {
            return Err(cursor.bad(format!("it overlaps tensor '{}'", printable(&a.name))).tensor(&b.name));
        }
    }
    Ok(tensors)
}

/// Types that other tools write, for an error that names what it met.
fn other_type(number: u32) -> Option<&'static str> {
    Some(match number {
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        29 => "IQ1_M",
        39 => "MXFP4",
        _ => return None,
    })
}

struct Cursor<'a> {
    path: &'a Path,
    bytes: &'a [u8],
    pos: usize,
}

impl<'a> Cursor<'a> {
    fn bad(&self, what: impl Into<String>) -> IoError {
        IoError::malformed(self.path, what)
    }

    fn unsupported(&self, what: impl Into<String>, mend: &'static str) -> IoError {
        IoError::new(ErrorKind::Unsupported, self.path, what, mend)
    }

    fn remaining(&self) -> u64 {
        (self.bytes.len() - self.pos) as u64
    }

    /// Refuses a count of things that cannot fit into what is left of the file.
    fn fits(&self, count: u64, each: u64, what: &str) -> Result<(), IoError> {
        match count.checked_mul(each) {
            Some(need) if need <= self.remaining() => Ok(()),
            _ => {
                let left = self.remaining();
                Err(self.bad(format!("its {what} is {count}, but only {left} bytes follow")))
            }
        }
    }

    fn take(&mut self, n: u64, what: &str) -> Result<&'a [u8], IoError> {
        let tail = self.bytes.get(self.pos..).unwrap_or(&[]);
        let taken = usize::try_from(n).ok().and_then(|n| tail.get(..n));
        let Some(taken) = taken else {
            let (pos, left) = (self.pos, tail.len());
            return Err(
                self.bad(format!("is cut short: {what} at byte {pos} needs {n} bytes, {left} are left"))
            );
        };
        self.pos += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], IoError> {
        let taken = self.take(N as u64, what)?;
        Ok(taken.try_into().unwrap_or([0; N]))
    }

    fn u32(&mut self, what: &str) -> Result<u32, IoError> {
        self.array(what).map(u32::from_le_bytes)
    }

    fn u64(&mut self, what: &str) -> Result<u64, IoError> {
        self.array(what).map(u64::from_le_bytes)
    }

    fn string(&mut self, max: u64, what: &str) -> Result<String, IoError> {
        let len = self.u64(what)?;
        if len > max && len <= self.remaining() {
            return Err(self.bad(format!("a {what} of {len} bytes is longer than the {max} allowed")));
        }
        let bytes = self.take(len, what)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(self.bad(format!("a {what} is not UTF-8"))),
        }
    }

    fn bool(&mut self) -> Result<bool, IoError> {
        match self.array::<1>("boolean")? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(self.bad(format!("a boolean is {other}, not 0 or 1"))),
        }
    }

    fn value_type(&mut self, key: &str) -> Result<ValueType, IoError> {
        let number = self.u32("value type")?;
        ValueType::from_number(number).ok_or_else(|| {
            self.bad(format!("metadata '{}' has the unknown value type {number}", printable(key)))
        })
    }

    fn value(&mut self, key: &str) -> Result<Value, IoError> {
        const WHAT: &str = "metadata value";
        Ok(match self.value_type(key)? {
            ValueType::U8 => Value::U8(u8::from_le_bytes(self.array(WHAT)?)),
            ValueType::I8 => Value::I8(i8::from_le_bytes(self.array(WHAT)?)),
            ValueType::U16 => Value::U16(u16::from_le_bytes(self.array(WHAT)?)),
            ValueType::I16 => Value::I16(i16::from_le_bytes(self.array(WHAT)?)),
            ValueType::U32 => Value::U32(self.u32(WHAT)?),
            ValueType::I32 => Value::I32(i32::from_le_bytes(self.array(WHAT)?)),
            ValueType::F32 => Value::F32(f32::from_le_bytes(self.array(WHAT)?)),
            ValueType::Bool => Value::Bool(self.bool()?),
            ValueType::String => Value::String(self.string(u64::MAX, WHAT)?),
            ValueType::Array => Value::Array(self.values(key, 0)?),
            ValueType::U64 => Value::U64(self.u64(WHAT)?),
            ValueType::I64 => Value::I64(i64::from_le_bytes(self.array(WHAT)?)),
            ValueType::F64 => Value::F64(f64::from_le_bytes(self.array(WHAT)?)),
        })
    }

    fn values(&mut self, key: &str, depth: u32) -> Result<Array, IoError> {
        if depth >= MAX_NESTING {
            return Err(self.bad(format!("metadata '{}' nests arrays {MAX_NESTING} deep", printable(key))));
        }
        let element = self.value_type(key)?;
        let count = self.u64("array length")?;
        self.fits(count, element.min_bytes(), &format!("array length of '{}'", printable(key)))?;
        macro_rules! numbers {
            ($variant:ident, $t:ty) => {{
                let bytes = self.take(count * element.min_bytes(), "array")?;
                let chunks = bytes.as_chunks::<{ size_of::<$t>() }>().0;
                Array::$variant(chunks.iter().map(|b| <$t>::from_le_bytes(*b)).collect())
            }};
        }
        Ok(match element {
            ValueType::U8 => numbers!(U8, u8),
            ValueType::I8 => numbers!(I8, i8),
            ValueType::U16 => numbers!(U16, u16),
            ValueType::I16 => numbers!(I16, i16),
            ValueType::U32 => numbers!(U32, u32),
            ValueType::I32 => numbers!(I32, i32),
            ValueType::F32 => numbers!(F32, f32),
            ValueType::U64 => numbers!(U64, u64),
            ValueType::I64 => numbers!(I64, i64),
            ValueType::F64 => numbers!(F64, f64),
            ValueType::Bool => Array::Bool((0..count).map(|_| self.bool()).collect::<Result<_, _>>()?),
            ValueType::String => {
                Array::String((0..count).map(|_| self.string(u64::MAX, "string")).collect::<Result<_, _>>()?)
            }
            ValueType::Array => {
                Array::Array((0..count).map(|_| self.values(key, depth + 1)).collect::<Result<_, _>>()?)
            }
        })
    }
}

impl TensorInfo {
    /// Whether the tensor holds plain elements of `dtype`.
    #[must_use]
    pub fn is_plain(&self, dtype: Dtype) -> bool {
        self.tensor_type == TensorType::Plain(dtype)
    }
}
