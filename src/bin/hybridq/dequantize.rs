//! `hybridq dequantize`: packed model in, float safetensors out.

use std::path::PathBuf;

use hybridq::io::atomic::AtomicFile;
use hybridq::io::convert::dequantize_model;
use hybridq::io::model::Model;

use crate::quantize::check_output;
use crate::{Stop, ui};

/// Decode a model to F32 safetensors, so that any evaluation harness can score it.
///
/// Weights of every type become F32; integer tensors keep their type.
#[derive(clap::Args)]
pub struct Args {
    /// A .gguf file that hybridq or ggml wrote
    input: PathBuf,
    /// The .safetensors file to write
    #[arg(short, long, value_name = "OUT.safetensors")]
    output: PathBuf,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let model = Model::open(&args.input)?;
    check_output(&model, &args.output)?;
    let bar = ui::Bar::new(model.tensors.iter().map(|t| t.bytes() as u64).sum());
    let mut output = AtomicFile::create(&args.output, args.overwrite)?;
    let report = dequantize_model(&model, &mut output, &args.output, &mut bar.step())?;
    output.commit()?;
    drop(bar);
    let (bytes_in, bytes_out) = report.bytes();
    ui::print(&format!(
        "{} tensors, {} values: {} to {}\n",
        report.tensors.len(),
        report.values(),
        ui::size(bytes_in as f64),
        ui::size(bytes_out as f64)
    ));
    Ok(())
}
