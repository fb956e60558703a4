//! `hybridq quantize`: float model in, packed GGUF out.

use std::path::PathBuf;

use clap::ValueEnum;
use hybridq::io::atomic::AtomicFile;
use hybridq::io::convert::{
    Auto, Chosen, Recipe, Weighting, quantize_model_auto_weighted, quantize_model_weighted,
};
use hybridq::io::model::{Kind, Model};
use hybridq::io::printable;
use hybridq::quant::{Fit, Format};

use crate::recipe::{FormatArg, RecipeArgs, format_or_auto};
use crate::threads::ThreadArgs;
use crate::{Stop, ui};

/// Quantize a model to GGUF; prints what became of each tensor.
///
/// Matrices are quantized. Vectors, norms, biases and everything that is not F32, F16 or BF16 stay exact.
/// TQ1_0 and TQ2_0 want rows of a multiple of 256: other rows become Q8_0 if 32 divides them, else they
/// stay as they are; the table says so. dense_ternary, five_level, q35p and q35b take rows of any length.
#[derive(clap::Args)]
pub struct Args {
    /// A .safetensors file, a model.safetensors.index.json, or a .gguf file with float tensors
    input: PathBuf,
    /// The .gguf file to write
    #[arg(short, long, value_name = "OUT.gguf")]
    output: PathBuf,
    /// The format of the weights; auto: each tensor the one that --budget allows, the least error in all
    #[arg(short, long, ignore_case = true, value_parser = format_or_auto())]
    format: FormatArg,
    /// With --format auto: bits a weight, on the average of all matrices that are not kept exact
    #[arg(long, value_name = "BITS", value_parser = parse_budget)]
    budget: Option<f64>,
    /// With --format auto: how the errors of tensors are compared [default: relative]
    #[arg(long)]
    weighting: Option<WeightingArg>,
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    threads: ThreadArgs,
    /// Weigh errors: a file with, under the name of a tensor, the mean square of each of its input columns;
    /// tensors that it does not name are quantized unweighted
    #[arg(long, value_name = "FILE.safetensors")]
    importance: Option<PathBuf>,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
    /// Print no table
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum WeightingArg {
    /// Squared error over the tensor's mean square: large and small weights count alike
    Relative,
    /// Squared error
    Absolute,
}

/// What to do, checked before any file is opened.
enum Way {
    One(Recipe),
    Auto(Auto),
}

impl Args {
    fn way(&self) -> Result<Way, Stop> {
        match self.format {
            FormatArg::One(_) if self.budget.is_some() || self.weighting.is_some() => {
                Err(Stop::Line("--budget and --weighting choose among formats; pass --format auto".into()))
            }
            FormatArg::One(format) => Ok(Way::One(self.recipe.recipe(format)?)),
            FormatArg::Auto => {
                let Some(budget) = self.budget else {
                    return Err(Stop::Line("--format auto needs --budget BITS, such as --budget 2.5".into()));
                };
                if self.recipe.has_fit() {
                    let line =
                        "--format auto fits each format its own way; leave --fit and --granularity out";
                    return Err(Stop::Line(line.into()));
                }
                let weighting = match self.weighting {
                    Some(WeightingArg::Absolute) => Weighting::Absolute,
                    _ => Weighting::Relative,
                };
                Ok(Way::Auto(Auto { budget, weighting, non_finite: self.recipe.non_finite() }))
            }
        }
    }
}

fn parse_budget(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(bits) if bits > 0.0 && bits <= 64.0 => Ok(bits),
        _ => Err("expected bits a weight, above 0 and at most 64".to_owned()),
    }
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let way = args.way()?;
    let model = Model::open(&args.input)?;
    check_output(&model, &args.output)?;
    args.recipe.check_keep(&model)?;
    if !model.tensors.iter().any(|t| matches!(t.kind, Kind::Plain(d) if d.is_weight())) {
        let file = printable(&args.input.to_string_lossy());
        return Err(Stop::Line(format!(
            "{file}: holds no F32, F16 or BF16 tensor; name a model with float weights"
        )));
    }
    let importance = args.importance.as_deref().map(Model::open).transpose()?;
    if let Some(importance) = &importance {
        match &way {
            Way::One(recipe) if recipe.options.fit != Fit::Mse && recipe.format != Format::Q8_0 => {
                return Err(Stop::Line(
                    "--importance needs --fit mse, the only fit that weighs errors".into(),
                ));
            }
            _ => check_output(importance, &args.output)?,
        }
    }
    args.threads.start()?;
    let bytes: u64 = model.tensors.iter().map(|t| t.bytes() as u64).sum();
    let passes = if matches!(way, Way::Auto(_)) { 2 } else { 1 };
    let bar = ui::Bar::new(bytes.saturating_mul(passes));
    let mut output = AtomicFile::create(&args.output, args.overwrite)?;
    let keep = args.recipe.keep();
    let (sink, path) = (&mut output, &args.output);
    let importance = importance.as_ref();
    let (report, chosen) = match &way {
        Way::One(recipe) => {
            let step = &mut bar.step();
            (quantize_model_weighted(&model, recipe, &keep, importance, sink, path, step)?, None)
        }
        Way::Auto(auto) => {
            let step = &mut bar.step();
            let (report, chosen) =
                quantize_model_auto_weighted(&model, auto, &keep, importance, sink, path, step)?;
            (report, Some((auto.budget, chosen)))
        }
    };
    output.commit()?;
    drop(bar);
    if !args.quiet {
        ui::print_report(&report, ui::file_size(&args.output));
        if let Some((budget, chosen)) = chosen {
            print_chosen(budget, &chosen);
        }
    }
    Ok(())
}

/// The choice as a whole, against the budget and against the best that there can be.
fn print_chosen(budget: f64, chosen: &Chosen) {
    let proof = if chosen.bound >= chosen.error {
        "proved to be the least".to_owned()
    } else {
        format!("at least {:.6} at this budget", chosen.bound)
    };
    ui::print(&format!(
        "auto: {:.4} of {budget} bits a weight over {} values in {} tensors, among {}\nauto: weighted error {:.6}, {proof}\n",
        chosen.bits,
        chosen.values,
        chosen.tensors,
        chosen.candidates.join(", "),
        chosen.error,
    ));
}

/// The output must not be one of the files that are being read.
pub fn check_output(model: &Model, output: &std::path::Path) -> Result<(), Stop> {
    if model.is_read_from(output) {
        let file = printable(&output.to_string_lossy());
        return Err(Stop::Line(format!("{file}: is both input and output; choose another output")));
    }
    Ok(())
}
