//! Exported networks as GGUF files, and back.

use std::path::Path;

use crate::io::atomic::AtomicFile;
use crate::io::gguf::{Array, GgufWriter, TensorSpec, TensorType, Value};
use crate::io::model::{Kind, Model, tensor_key};
use crate::io::{Dtype, ErrorKind, IoError};
use crate::learn::layers::Layer;
use crate::quant::Format;
use crate::train::config::{Config, ModelConfig};
use crate::train::error::TrainError;
use crate::train::network::Network;

use super::{Exported, Stored, names};

const MEND: &str = "name a file that `hybridq train` has written";

impl Exported {
    /// The bytes of the GGUF file. Matrices whose rows are whole blocks of `tq1_0`, `tq2_0` or `q8_0` have that type; all other
    /// packed ones stand as bytes, with metadata that `hybridq` reads. `name` becomes `general.name`.
    ///
    /// # Errors
    /// Sizes beyond GGUF.
    pub fn gguf(&self, name: &str) -> std::io::Result<Vec<u8>> {
        let mut metadata = self.metadata(name);
        let mut specs = Vec::new();
        for array in self.arrays.iter().flatten() {
            let p = &array.parameter;
            let shape: Vec<u64> = match p.is_matrix() {
                true => vec![p.cols as u64, p.rows as u64],
                false => vec![p.len() as u64],
            };
            let (dims, tensor_type) = match &array.packed {
                None => (shape, TensorType::Plain(Dtype::F32)),
                Some((format, bytes)) => match native(*format, p.cols) {
                    Some(native) => (shape, native),
                    None => {
                        let mut set = |field, value| metadata.push((tensor_key(&array.name, field), value));
                        set("format", format.name().into());
                        set("shape", Value::Array(Array::U64(vec![p.rows as u64, p.cols as u64])));
                        let row = (bytes.len() / p.rows.max(1)) as u64;
                        (vec![row, p.rows as u64], TensorType::Plain(Dtype::I8))
                    }
                },
            };
            specs.push(TensorSpec { name: array.name.clone(), dims, tensor_type });
        }
        let mut file = Vec::new();
        let mut writer = GgufWriter::new(&mut file, &metadata, &specs)?;
        for array in self.arrays.iter().flatten() {
            match &array.packed {
                Some((_, bytes)) => writer.write(bytes)?,
                None => {
                    writer.write(&array.values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>())?
                }
            }
        }
        writer.finish()?;
        Ok(file)
    }

    fn metadata(&self, name: &str) -> Vec<(String, Value)> {
        let mut metadata: Vec<(String, Value)> = Vec::new();
        let mut set = |key: &str, value: Value| metadata.push((key.to_owned(), value));
        set("general.architecture", "hybridq".into());
        set("general.name", name.into());
        set("general.quantization_version", Value::U32(2));
        // The numbers of llama.cpp's `llama_ftype`; hybridq's own formats have none.
        match self.format {
            None => set("general.file_type", Value::U32(0)),
            Some(Format::Q8_0) => set("general.file_type", Value::U32(7)),
            Some(Format::Tq1_0) => set("general.file_type", Value::U32(36)),
            Some(Format::Tq2_0) => set("general.file_type", Value::U32(37)),
            Some(_) => {}
        }
        set("hybridq.version", env!("CARGO_PKG_VERSION").into());
        set("hybridq.format", self.format.map_or("f32", Format::name).into());
        set("hybridq.model.features", Value::U64(self.features as u64));
        set("hybridq.model.classes", Value::U64(self.classes as u64));
        set("hybridq.model.input_scale", Value::F32(self.scale));
        let activations = if self.model.int8_activations { "int8" } else { "f32" };
        set("hybridq.model.activations", activations.into());
        let layers = self.layers.iter().zip(names(&self.layers));
        let layers = layers.map(|(l, n)| format!("{n}: {} to {}", l.input_len(), l.output_len()));
        set("hybridq.model.layers", Value::Array(Array::String(layers.collect())));
        if let Some(characters) = &self.vocabulary {
            set("hybridq.model.vocabulary", characters.as_str().into());
        }
        set("hybridq.model.config", model_toml(&self.model).as_str().into());
        metadata
    }

    /// Writes the GGUF file, whole or not at all.
    ///
    /// # Errors
    /// What the file system refuses; a file that exists, unless `overwrite`.
    pub fn write_gguf(&self, path: &Path, overwrite: bool) -> Result<(), IoError> {
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let bytes = self.gguf(&name).map_err(|e| IoError::os(path, "write", &e))?;
        let mut file = AtomicFile::create(path, overwrite)?;
        file.put(&bytes)?;
        file.commit()
    }

    /// Reads a network that [`Exported::write_gguf`] has written.
    ///
    /// # Errors
    /// A file of something else.
    pub fn load(model: &Model) -> Result<Exported, TrainError> {
        let path = &model.path;
        let bad = |what: String| IoError::new(ErrorKind::Unsupported, path, what, MEND);
        let text = |key: &str| model.get(key).and_then(Value::as_str).map(str::to_owned);
        let number = |key: &str| match model.get(key) {
            Some(&Value::U64(n)) => Ok(n as usize),
            _ => Err(bad(format!("does not say '{key}'"))),
        };
        let (features, classes) = (number("hybridq.model.features")?, number("hybridq.model.classes")?);
        let Some(&Value::F32(scale)) = model.get("hybridq.model.input_scale") else {
            return Err(bad("does not say 'hybridq.model.input_scale'".into()).into());
        };
        let Some(config) = text("hybridq.model.config") else {
            return Err(bad("does not say 'hybridq.model.config'".into()).into());
        };
        let config: ModelConfig = Config::from_toml(&config, path)?.model;
        let layers = Network::new(&config, features, classes)?.sequence()?.layers().to_vec();
        let mut arrays = Vec::new();
        let mut format = None;
        for (layer, prefix) in layers.iter().zip(names(&layers)) {
            let mut stored = Vec::new();
            for parameter in (0..).map_while(|k| layer.parameter(k)) {
                let name = format!("{prefix}.{}", parameter.name);
                let found = model.tensors.iter().find(|t| t.name == name);
                let Some(tensor) = found.filter(|t| t.len() == parameter.len()) else {
                    return Err(bad(format!("has no tensor '{name}' of {} values", parameter.len())).into());
                };
                let mut values = vec![0.0; parameter.len()];
                model.read_rows(tensor, 0..tensor.rows(), &mut values)?;
                let packed = match tensor.kind {
                    Kind::Packed(f) if tensor.cols() == parameter.cols => {
                        format = Some(f);
                        Some((f, model.bytes(tensor).to_vec()))
                    }
                    _ => None,
                };
                stored.push(Stored { name, parameter, values, packed });
            }
            arrays.push(stored);
        }
        let vocabulary = text("hybridq.model.vocabulary");
        Ok(Exported { model: config, features, classes, scale, vocabulary, format, layers, arrays })
    }
}

/// The GGUF type of a matrix with such rows, if there is one.
fn native(format: Format, cols: usize) -> Option<TensorType> {
    if !cols.is_multiple_of(format.block_len()) {
        return None;
    }
    match format {
        Format::Q8_0 => Some(TensorType::Q8_0),
        Format::Tq1_0 => Some(TensorType::Tq1_0),
        Format::Tq2_0 => Some(TensorType::Tq2_0),
        _ => None,
    }
}

/// The table `[model]` of a configuration.
fn model_toml(model: &ModelConfig) -> String {
    let all = Config { model: model.clone(), ..Config::default() }.to_toml();
    let start = all.find("[model]").unwrap_or(0);
    let table = all.get(start..).unwrap_or_default();
    // The next table that is none of the model's own.
    let end = table.match_indices("\n[").map(|(at, _)| at + 1);
    let end = end.into_iter().find(|&at| !table.get(at..).is_some_and(|t| t.starts_with("[model.")));
    table.get(..end.unwrap_or(table.len())).unwrap_or_default().trim_end().to_owned()
}
