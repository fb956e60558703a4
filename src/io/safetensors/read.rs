//! The reader of one file.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::ops::Range;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::MAX_HEADER;
use crate::io::{Dtype, ErrorKind, IoError};

/// A parsed header. The data stay where they are.
#[derive(Clone, Debug)]
pub struct Safetensors {
    /// The `__metadata__` strings.
    pub metadata: BTreeMap<String, String>,
    /// The tensors, in the order of their data.
    pub tensors: Vec<TensorInfo>,
}

/// One tensor: where it lies and how to read it.
#[derive(Clone, Debug)]
pub struct TensorInfo {
    /// Its name, unique in the file.
    pub name: String,
    /// Its element type, or the name of one that hybridq cannot carry.
    pub dtype: Result<Dtype, String>,
    /// Its shape, row-major, the length of a row last. Empty for a scalar.
    pub shape: Vec<usize>,
    /// Its bytes within the file: inside the file and of the length that type and shape ask for.
    pub range: Range<usize>,
}

/// Parses the header of a safetensors file and checks it against the whole of `bytes`. `path` is only
/// for the errors.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Safetensors, IoError> {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else {
        let what = format!("is not a safetensors file: it has only {} bytes", bytes.len());
        return Err(IoError::malformed(path, what));
    };
    let length = u64::from_le_bytes(*length);
    if length > MAX_HEADER {
        let what = format!("claims a header of {length} bytes; the format allows {MAX_HEADER}");
        return Err(IoError::new(
            ErrorKind::Malformed,
            path,
            what,
            "name a .safetensors file, or fetch it again",
        ));
    }
    // Below 100 MB by now: it fits a usize.
    let Some((header, data)) = rest.split_at_checked(length as usize) else {
        let what = format!("claims a header of {length} bytes, but only {} follow", rest.len());
        return Err(IoError::malformed(path, what));
    };
    let header =
        std::str::from_utf8(header).map_err(|_| IoError::malformed(path, "its header is not UTF-8"))?;
    let mut header: Header = serde_json::from_str(header)
        .map_err(|e| IoError::malformed(path, format!("its header is not what safetensors defines: {e}")))?;
    if let Some(twice) = header.twice {
        return Err(IoError::malformed(path, "the name appears twice in the header").tensor(&twice));
    }
    header.tensors.sort_by_key(|(_, info)| info.data_offsets);
    let data_start = 8 + length as usize;
    let mut tensors = Vec::with_capacity(header.tensors.len());
    let mut end = 0;
    for (name, info) in header.tensors {
        let (from, to) = info.data_offsets;
        let bad = |what: String| Err(IoError::malformed(path, what).tensor(&name));
        if from != end || to < from {
            return bad(format!("its data are said to be bytes {from} to {to}, but byte {end} is next"));
        }
        if to > data.len() {
            return bad(format!("its data end at byte {to}, but the file has {} bytes of data", data.len()));
        }
        let bits = info.shape.iter().try_fold(info.dtype.bitsize(), |a, d| a.checked_mul(*d));
        let Some(bits) = bits else {
            return bad(format!("its shape {} overflows", short(&info.shape)));
        };
        if bits != (to - from).saturating_mul(8) {
            let (shape, dtype) = (short(&info.shape), info.dtype);
            return bad(format!(
                "its shape {shape} of {dtype} is {bits} bits, but it has {} bytes",
                to - from
            ));
        }
        end = to;
        let dtype = info.dtype.to_string();
        tensors.push(TensorInfo {
            dtype: Dtype::from_name(&dtype).ok_or(dtype),
            shape: info.shape,
            range: data_start + from..data_start + to,
            name,
        });
    }
    if end != data.len() {
        let what = format!("its tensors cover {end} bytes of data, but the file has {}", data.len());
        return Err(IoError::malformed(path, what));
    }
    Ok(Safetensors { metadata: header.metadata, tensors })
}

/// A shape for an error line; a hostile one may have a million dimensions.
fn short(shape: &[usize]) -> String {
    match shape.get(..8) {
        Some(head) if shape.len() > 8 => format!("{head:?} and {} more", shape.len() - 8),
        _ => format!("{shape:?}"),
    }
}

/// The header, read in one pass that notices a name which appears twice.
#[derive(Default)]
struct Header {
    metadata: BTreeMap<String, String>,
    tensors: Vec<(String, ::safetensors::tensor::TensorInfo)>,
    twice: Option<String>,
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Header;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
                let mut header = Header::default();
                let mut seen = HashSet::new();
                while let Some(name) = map.next_key::<String>()? {
                    if !seen.insert(name.clone()) {
                        header.twice.get_or_insert(name);
                        map.next_value::<IgnoredAny>()?;
                    } else if name == "__metadata__" {
                        header.metadata = map.next_value::<Option<_>>()?.unwrap_or_default();
                    } else {
                        header.tensors.push((name, map.next_value()?));
                    }
                }
                Ok(header)
            }
        }
        deserializer.deserialize_map(Seen)
    }
}

/// The top-level names of a JSON object, only to notice one that appears twice.
pub(super) struct Names {
    pub(super) twice: Option<String>,
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of tensors")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut seen = HashSet::new();
                let mut twice = None;
                while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
                    if twice.is_none() && !seen.insert(name.clone()) {
                        twice = Some(name);
                    }
                }
                Ok(Names { twice })
            }
        }
        deserializer.deserialize_map(Seen)
    }
}
