//! The index of a sharded model: which file holds which tensor.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;

use super::read::Names;
use crate::io::{ErrorKind, IoError, printable};

/// A parsed `model.safetensors.index.json`.
#[derive(Clone, Debug)]
pub struct Index {
    /// Shard file name (a plain name, in the folder of the index) to the tensors it must hold.
    pub shards: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(borrow)]
    weight_map: &'a serde_json::value::RawValue,
}

/// Parses an index. Shard names must be plain file names: a path could point the reader at any file
/// of the machine.
pub fn parse_index(path: &Path, bytes: &[u8]) -> Result<Index, IoError> {
    if bytes.len() as u64 > super::MAX_HEADER {
        return Err(IoError::malformed(
            path,
            format!("is {} bytes long, too long for an index", bytes.len()),
        ));
    }
    let json = |e: serde_json::Error| {
        let what = format!("is not an index of shards: {e}");
        IoError::new(ErrorKind::Malformed, path, what, "name a model.safetensors.index.json")
    };
    let raw: Raw<'_> = serde_json::from_slice(bytes).map_err(json)?;
    let names: Names = serde_json::from_str(raw.weight_map.get()).map_err(json)?;
    if let Some(twice) = names.twice {
        return Err(IoError::malformed(path, "the name appears twice in weight_map").tensor(&twice));
    }
    let map: BTreeMap<String, String> = serde_json::from_str(raw.weight_map.get()).map_err(json)?;
    if map.is_empty() {
        return Err(IoError::malformed(path, "its weight_map is empty"));
    }
    let mut shards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (tensor, shard) in map {
        if !plain_name(&shard) {
            let what = format!("its shard '{}' is not a plain file name", printable(&shard));
            let mend = "keep all shards in the folder of the index and name them without a path";
            return Err(IoError::new(ErrorKind::Malformed, path, what, mend).tensor(&tensor));
        }
        shards.entry(shard).or_default().push(tensor);
    }
    Ok(Index { shards })
}

fn plain_name(name: &str) -> bool {
    // Windows separators count everywhere: a model travels between systems.
    if name.contains(['/', '\\', ':', '\0']) {
        return false;
    }
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}
