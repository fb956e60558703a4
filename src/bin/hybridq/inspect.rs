//! `hybridq inspect`: what a model file holds.

use std::path::PathBuf;

use hybridq::io::archive::{Archive, is_archive};
use hybridq::io::gguf::{Array, Value};
use hybridq::io::model::{Container, Model, Tensor};
use hybridq::io::{MappedFile, printable};
use serde_json::json;

use crate::{Stop, ui};

/// List the metadata and tensors of a model file.
#[derive(clap::Args)]
pub struct Args {
    /// A .gguf, .safetensors or .hqa file, or a model.safetensors.index.json
    input: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let file = MappedFile::open(&args.input)?;
    let inspected = if is_archive(file.bytes()) {
        Inspected::Archive(Archive::from_file(file)?)
    } else {
        drop(file);
        Inspected::Model(Model::open(&args.input)?)
    };
    if args.json {
        let text = serde_json::to_string_pretty(&as_json(&inspected)).unwrap_or_default();
        ui::print(&format!("{text}\n"));
    } else {
        as_text(&inspected);
    }
    Ok(())
}

/// What is looked at: a model, or one in an archive.
enum Inspected {
    Model(Model),
    Archive(Archive),
}

impl Inspected {
    fn model(&self) -> &Model {
        match self {
            Inspected::Model(model) => model,
            Inspected::Archive(archive) => &archive.model,
        }
    }

    /// The bytes that a tensor takes in the file, not unpacked.
    fn bytes(&self, tensor: &Tensor) -> u64 {
        match self {
            Inspected::Model(_) => tensor.bytes() as u64,
            Inspected::Archive(archive) => archive.stored(tensor).0,
        }
    }

    /// Bits per value in the file.
    fn bits(&self, tensor: &Tensor) -> f64 {
        8.0 * self.bytes(tensor) as f64 / tensor.len().max(1) as f64
    }

    fn totals(&self) -> (u64, u64) {
        let tensors = self.model().tensors.iter();
        tensors.fold((0, 0), |(v, b), t| (v + t.len() as u64, b + self.bytes(t)))
    }

    fn container(&self) -> String {
        match self {
            Inspected::Model(model) => container(model),
            Inspected::Archive(archive) => {
                let restored = ui::size(archive.restored_bytes() as f64);
                format!("hybridq archive of {restored} of {}", container(&archive.model))
            }
        }
    }
}

fn container(model: &Model) -> String {
    match model.container {
        Container::Safetensors => "safetensors".into(),
        Container::Sharded => "sharded safetensors".into(),
        Container::Gguf(version) => format!("GGUF version {version}"),
    }
}

fn as_text(inspected: &Inspected) {
    let model = inspected.model();
    ui::print(&format!("{}: {}\n\n", printable(&model.path.to_string_lossy()), inspected.container()));
    if !model.metadata.is_empty() {
        let mut table = ui::table(&["metadata", "value"]);
        for (key, value) in &model.metadata {
            table.add_row([printable(key), value_text(value)]);
        }
        ui::print_table(&table);
        ui::print("\n");
    }
    let mut table = ui::table(&["tensor", "shape", "type", ">bits/weight", ">size"]);
    for t in &model.tensors {
        table.add_row([
            printable(&t.name),
            t.shape_text(),
            t.kind.name().to_owned(),
            format!("{:.4}", inspected.bits(t)),
            ui::size(inspected.bytes(t) as f64),
        ]);
    }
    let (values, bytes) = inspected.totals();
    table.add_row([
        format!("total of {}", model.tensors.len()),
        format!("{values} values"),
        String::new(),
        format!("{:.4}", 8.0 * bytes as f64 / values.max(1) as f64),
        ui::size(bytes as f64),
    ]);
    ui::print_table(&table);
    for note in &model.notes {
        ui::print(&format!("note: {note}\n"));
    }
}

fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => printable(text),
        Value::Array(Array::U64(v)) if v.len() <= 8 => format!("{v:?}"),
        Value::Array(array) => format!("{} values of type {:?}", array.len(), array.element_type()),
        Value::U8(v) => v.to_string(),
        Value::I8(v) => v.to_string(),
        Value::U16(v) => v.to_string(),
        Value::I16(v) => v.to_string(),
        Value::U32(v) => v.to_string(),
        Value::I32(v) => v.to_string(),
        Value::U64(v) => v.to_string(),
        Value::I64(v) => v.to_string(),
        Value::F32(v) => v.to_string(),
        Value::F64(v) => v.to_string(),
        Value::Bool(v) => v.to_string(),
    }
}

fn as_json(inspected: &Inspected) -> serde_json::Value {
    let model = inspected.model();
    let metadata: serde_json::Map<_, _> =
        model.metadata.iter().map(|(k, v)| (k.clone(), value_json(v))).collect();
    let tensors: Vec<_> = model
        .tensors
        .iter()
        .map(|t| {
            json!({
                "name": t.name,
                "shape": t.shape,
                "type": t.kind.name(),
                "bits_per_weight": inspected.bits(t),
                "bytes": inspected.bytes(t),
            })
        })
        .collect();
    let (values, bytes) = inspected.totals();
    json!({
        "file": model.path.to_string_lossy(),
        "container": inspected.container(),
        "metadata": metadata,
        "tensors": tensors,
        "total": { "values": values, "bytes": bytes },
        "notes": model.notes,
    })
}

/// JSON has no NaN: those become null.
fn value_json(value: &Value) -> serde_json::Value {
    match value {
        Value::U8(v) => json!(v),
        Value::I8(v) => json!(v),
        Value::U16(v) => json!(v),
        Value::I16(v) => json!(v),
        Value::U32(v) => json!(v),
        Value::I32(v) => json!(v),
        Value::F32(v) => json!(v),
        Value::Bool(v) => json!(v),
        Value::String(v) => json!(v),
        Value::U64(v) => json!(v),
        Value::I64(v) => json!(v),
        Value::F64(v) => json!(v),
        Value::Array(array) => array_json(array),
    }
}

fn array_json(array: &Array) -> serde_json::Value {
    match array {
        Array::U8(v) => json!(v),
        Array::I8(v) => json!(v),
        Array::U16(v) => json!(v),
        Array::I16(v) => json!(v),
        Array::U32(v) => json!(v),
        Array::I32(v) => json!(v),
        Array::F32(v) => json!(v),
        Array::Bool(v) => json!(v),
        Array::String(v) => json!(v),
        Array::Array(v) => v.iter().map(array_json).collect(),
        Array::U64(v) => json!(v),
        Array::I64(v) => json!(v),
        Array::F64(v) => json!(v),
    }
}
