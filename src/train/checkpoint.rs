//! A run on disk: everything that it needs to go on with the same bits.
//!
//! A checkpoint is a safetensors file, so that any reader can look at its parameters: `parameters`, `best` and
//! `row_gradients` (f32), `optimizer`, `predictor`, `state`, `clusters`, `row_clusters`, `row_labels` and `trits` (bytes), and in
//! the metadata the version, the configuration as TOML, a fingerprint of the
//! training data, and a CRC-32 over configuration, fingerprint and all tensors. It is written beside its target and
//! renamed: an interrupted write leaves the checkpoint before it.

use std::collections::BTreeMap;
use std::path::Path;

use crate::io::atomic::AtomicFile;
use crate::io::safetensors::{SafetensorsWriter, TensorSpec, parse};
use crate::io::{Dtype, ErrorKind, IoError, MappedFile};
use crate::quant::archive::crc32;

/// What the metadata call themselves.
const FORMAT: &str = "hybridq checkpoint";
/// Of the layout; a reader refuses a later one.
const VERSION: u32 = 1;
const MEND: &str = "resume from another checkpoint, or begin anew";

/// What a checkpoint holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checkpoint {
    /// The configuration as TOML.
    pub config: String,
    /// Of the training data.
    pub fingerprint: String,
    pub parameters: Vec<f32>,
    /// The parameters with the best validation loss so far; empty if there are none.
    pub best: Vec<f32>,
    pub optimizer: Vec<u8>,
    /// Empty without a predictor.
    pub predictor: Vec<u8>,
    pub state: Vec<u64>,
    /// Of the clusters of training rows.
    pub clusters: Vec<u64>,
    /// Of the clusters of parameters: their numbers, the cluster of each row, and the squares of its gradients.
    pub row_clusters: Vec<u64>,
    pub row_labels: Vec<u8>,
    pub row_gradients: Vec<f32>,
    /// Of the ternary weights when they were last measured.
    pub trits: Vec<u8>,
}

impl Checkpoint {
    fn tensors(&self) -> [(&'static str, Dtype, usize, Vec<u8>); 10] {
        let floats = |x: &[f32]| x.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let words = |x: &[u64]| x.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        let of_words = |name, x: &[u64]| (name, Dtype::U8, x.len() * 8, words(x));
        let of_bytes = |name, x: &[u8]| (name, Dtype::U8, x.len(), x.to_vec());
        [
            ("parameters", Dtype::F32, self.parameters.len(), floats(&self.parameters)),
            ("best", Dtype::F32, self.best.len(), floats(&self.best)),
            of_bytes("optimizer", &self.optimizer),
            of_bytes("predictor", &self.predictor),
            of_words("state", &self.state),
            of_words("clusters", &self.clusters),
            of_words("row_clusters", &self.row_clusters),
            of_bytes("row_labels", &self.row_labels),
            ("row_gradients", Dtype::F32, self.row_gradients.len(), floats(&self.row_gradients)),
            of_bytes("trits", &self.trits),
        ]
    }

    fn crc(&self) -> u32 {
        let texts = crc32(crc32(0, self.config.as_bytes()), self.fingerprint.as_bytes());
        self.tensors().iter().fold(texts, |crc, (_, _, _, bytes)| crc32(crc, bytes))
    }

    /// Writes the file, whole or not at all, over one of the same name.
    pub fn write(&self, path: &Path) -> Result<(), IoError> {
        let tensors = self.tensors();
        let metadata = BTreeMap::from([
            ("config".to_owned(), self.config.clone()),
            ("crc32".to_owned(), format!("{:08x}", self.crc())),
            ("data".to_owned(), self.fingerprint.clone()),
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_string()),
        ]);
        let specs: Vec<TensorSpec> = tensors
            .iter()
            .map(|(name, dtype, len, _)| TensorSpec {
                name: (*name).to_owned(),
                dtype: *dtype,
                shape: vec![*len],
            })
            .collect();
        let mut file = AtomicFile::create(path, true)?;
        let written = SafetensorsWriter::new(&mut file, &metadata, &specs).and_then(|mut writer| {
            tensors.iter().try_for_each(|(_, _, _, bytes)| writer.write(bytes))?;
            writer.finish().map(|_| ())
        });
        written.map_err(|e| {
            let what = format!("cannot be written: {e}");
            IoError::new(ErrorKind::Os, path, what, "make room, or name another file")
        })?;
        file.commit()
    }

    /// Reads a file that [`Checkpoint::write`] has written; anything else is refused.
    pub fn read(path: &Path) -> Result<Checkpoint, IoError> {
        let file = MappedFile::open(path)?;
        let parsed = parse(path, file.bytes())?;
        let text = |key: &str| parsed.metadata.get(key).cloned().unwrap_or_default();
        if text("format") != FORMAT {
            return Err(refuse(path, "is a safetensors file, but no checkpoint of a training run".into()));
        }
        match text("version").parse::<u32>() {
            Ok(VERSION) => {}
            Ok(newer) if newer > VERSION => {
                let what =
                    format!("is a checkpoint of version {newer}; this program reads version {VERSION}");
                return Err(IoError::new(ErrorKind::Unsupported, path, what, "use a newer hybridq"));
            }
            _ => return Err(refuse(path, format!("has the version '{}'", text("version")))),
        }
        let bytes = |name: &str, dtype: Dtype| -> Result<&[u8], IoError> {
            let found = parsed.tensors.iter().find(|t| t.name == name && t.dtype.as_ref() == Ok(&dtype));
            let found = found.and_then(|t| file.bytes().get(t.range.clone()));
            found.ok_or_else(|| refuse(path, format!("has no tensor '{name}' of {}", dtype.name())))
        };
        let floats = |b: &[u8]| b.as_chunks().0.iter().map(|c| f32::from_le_bytes(*c)).collect::<Vec<f32>>();
        let words = |b: &[u8]| b.as_chunks().0.iter().map(|c| u64::from_le_bytes(*c)).collect::<Vec<u64>>();
        let checkpoint = Checkpoint {
            config: text("config"),
            fingerprint: text("data"),
            parameters: floats(bytes("parameters", Dtype::F32)?),
            best: floats(bytes("best", Dtype::F32)?),
            optimizer: bytes("optimizer", Dtype::U8)?.to_vec(),
            predictor: bytes("predictor", Dtype::U8)?.to_vec(),
            state: words(bytes("state", Dtype::U8)?),
            clusters: words(bytes("clusters", Dtype::U8)?),
            row_clusters: words(bytes("row_clusters", Dtype::U8)?),
            row_labels: bytes("row_labels", Dtype::U8)?.to_vec(),
            row_gradients: floats(bytes("row_gradients", Dtype::F32)?),
            trits: bytes("trits", Dtype::U8)?.to_vec(),
        };
        if text("crc32") != format!("{:08x}", checkpoint.crc()) {
            return Err(refuse(path, "is damaged: its checksum is not that of its contents".into()));
        }
        Ok(checkpoint)
    }
}

/// Whether a safetensors file calls itself a checkpoint.
pub(super) fn is_checkpoint(path: &Path) -> Result<bool, IoError> {
    let file = MappedFile::open(path)?;
    // What is no safetensors file is refused by who reads it.
    Ok(parse(path, file.bytes()).is_ok_and(|p| p.metadata.get("format").is_some_and(|f| f == FORMAT)))
}

pub(super) fn refuse(path: &Path, what: String) -> IoError {
    IoError::new(ErrorKind::Malformed, path, what, MEND)
}
