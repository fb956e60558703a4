//! `hybridq inspect`: what a model file holds.

use std::path::PathBuf;

use hybridq::io::gguf::{Array, Value};
use hybridq::io::model::{Container, Model, Tensor};
use hybridq::io::printable;
use serde_json::json;

use crate::{Stop, ui};

/// List the metadata and tensors of a model file.
#[derive(clap::Args)]
pub struct Args {
    /// A .gguf file, a .safetensors file or a model.safetensors.index.json
    input: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let model = Model::open(&args.input)?;
    if args.json {
        let text = serde_json::to_string_pretty(&as_json(&model)).unwrap_or_default();
        ui::print(&format!("{text}\n"));
    } else {
        as_text(&model);
    }
    Ok(())
}

fn container(model: &Model) -> String {
    match model.container {
        Container::Safetensors => "safetensors".into(),
        Container::Sharded => "sharded safetensors".into(),
        Container::Gguf(version) => format!("GGUF version {version}"),
    }
}

fn bits(tensor: &Tensor) -> f64 {
    8.0 * tensor.bytes() as f64 / tensor.len().max(1) as f64
}

fn totals(model: &Model) -> (u64, u64) {
    model.tensors.iter().fold((0, 0), |(v, b), t| (v + t.len() as u64, b + t.bytes() as u64))
}

fn as_text(model: &Model) {
    ui::print(&format!("{}: {}\n\n", printable(&model.path.to_string_lossy()), container(model)));
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
            format!("{:.4}", bits(t)),
            ui::size(t.bytes() as f64),
        ]);
    }
    let (values, bytes) = totals(model);
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

fn as_json(model: &Model) -> serde_json::Value {
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
                "bits_per_weight": bits(t),
                "bytes": t.bytes(),
            })
        })
        .collect();
    let (values, bytes) = totals(model);
    json!({
        "file": model.path.to_string_lossy(),
        "container": container(model),
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
