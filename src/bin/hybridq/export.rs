//! `hybridq export`: a model as a C header.

use std::path::PathBuf;

use hybridq::io::atomic::AtomicFile;
use hybridq::io::c_header::write_c_header;
use hybridq::io::convert::quantize_temporary;
use hybridq::io::model::{Container, Model};
use hybridq::io::printable;
use hybridq::quant::Format;

use crate::quantize::check_output;
use crate::recipe::{RecipeArgs, format_parser};
use crate::{Stop, ui};

/// Write a model as a C99 header of constant arrays.
///
/// Packed tensors become uint8_t arrays with macros for rows, columns, bytes and HQ_FORMAT number; float
/// tensors become float arrays that name every value exactly.
#[derive(clap::Args)]
pub struct Args {
    /// A .gguf file; or, with --format, a float model to quantize first
    input: PathBuf,
    /// The header to write
    #[arg(long, value_name = "OUT.h")]
    c_header: PathBuf,
    /// Quantize a float model to this format first
    #[arg(short, long, ignore_case = true, value_parser = format_parser())]
    format: Option<Format>,
    #[command(flatten)]
    recipe: RecipeArgs,
    /// What every C name begins with [default: the name of the input without its ending]
    #[arg(long)]
    prefix: Option<String>,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let mut model = Model::open(&args.input)?;
    check_output(&model, &args.c_header)?;
    let bar = ui::Bar::new(model.tensors.iter().map(|t| t.bytes() as u64).sum());
    let mut output = AtomicFile::create(&args.c_header, args.overwrite)?;
    match args.format {
        Some(format) => {
            let recipe = args.recipe.recipe(format)?;
            args.recipe.check_keep(&model)?;
            (model, _) = quantize_temporary(&model, &recipe, &args.recipe.keep(), &mut bar.step())?;
        }
        None if !matches!(model.container, Container::Gguf(_)) => {
            let file = printable(&args.input.to_string_lossy());
            return Err(Stop::Line(format!(
                "{file}: is a float model; pass --format to quantize it on the way"
            )));
        }
        None if args.recipe.is_given() => {
            let what = "--fit, --granularity, --non-finite and --keep say how to quantize; pass --format too";
            return Err(Stop::Line(what.to_owned()));
        }
        None => {}
    }
    let stem = args.input.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let prefix = args.prefix.as_deref().unwrap_or(&stem);
    write_c_header(&model, prefix, &mut output, &args.c_header, &mut bar.step())?;
    output.commit()?;
    Ok(())
}
