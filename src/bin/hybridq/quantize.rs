//! `hybridq quantize`: float model in, packed GGUF out.

use std::path::PathBuf;

use hybridq::io::atomic::AtomicFile;
use hybridq::io::convert::quantize_model;
use hybridq::io::model::{Kind, Model};
use hybridq::io::printable;
use hybridq::quant::Format;

use crate::recipe::{RecipeArgs, format_parser};
use crate::{Stop, ui};

/// Quantize a model to GGUF; prints what became of each tensor.
///
/// Matrices are quantized. Vectors, norms, biases and everything that is not F32, F16 or BF16 stay exact.
/// TQ1_0 and TQ2_0 want rows of a multiple of 256: other rows become Q8_0 if 32 divides them, else they
/// stay as they are; the table says so. dense_ternary, five_level and q35p take rows of any length.
#[derive(clap::Args)]
pub struct Args {
    /// A .safetensors file, a model.safetensors.index.json, or a .gguf file with float tensors
    input: PathBuf,
    /// The .gguf file to write
    #[arg(short, long, value_name = "OUT.gguf")]
    output: PathBuf,
    /// The format of the weights
    #[arg(short, long, ignore_case = true, value_parser = format_parser())]
    format: Format,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
    /// Print no table
    #[arg(short, long)]
    quiet: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let recipe = args.recipe.recipe(args.format)?;
    let model = Model::open(&args.input)?;
    check_output(&model, &args.output)?;
    args.recipe.check_keep(&model)?;
    if !model.tensors.iter().any(|t| matches!(t.kind, Kind::Plain(d) if d.is_weight())) {
        let file = printable(&args.input.to_string_lossy());
        return Err(Stop::Line(format!(
            "{file}: holds no F32, F16 or BF16 tensor; name a model with float weights"
        )));
    }
    let bar = ui::Bar::new(model.tensors.iter().map(|t| t.bytes() as u64).sum());
    let mut output = AtomicFile::create(&args.output, args.overwrite)?;
    let keep = args.recipe.keep();
    let report = quantize_model(&model, &recipe, &keep, &mut output, &args.output, &mut bar.step())?;
    output.commit()?;
    drop(bar);
    if !args.quiet {
        ui::print_report(&report, ui::file_size(&args.output));
    }
    Ok(())
}

/// The output must not be one of the files that are being read.
pub fn check_output(model: &Model, output: &std::path::Path) -> Result<(), Stop> {
    if model.is_read_from(output) {
        let file = printable(&output.to_string_lossy());
        return Err(Stop::Line(format!("{file}: is both input and output; choose another output")));
    }
    Ok(())
}
