//! `hybridq train`: rows with labels in, a trained network out.

pub mod data;
mod history;
mod plot;
mod report;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use hybridq::io::atomic::AtomicFile;
use hybridq::io::printable;
use hybridq::quant::Format;
use hybridq::train::{Config, Exported, Line, Metrics, Teacher, TrainError, Trainer, WeightForm};

use crate::{Stop, ui};
use data::{DataArgs, Rows};
use history::History;
use report::{Ended, Epoch, Judged};
use settings::{LessonArgs, Settings};

/// Train a network on rows with labels, and write it as GGUF, as a C header, or both.
///
/// Without --config it is a plain float network; --qat, --hybrid and the options below them switch parts on, one by one.
/// The same rows, options and seed give the same bits on every machine, also after --resume. The last line is the accuracy
/// on rows that were never learnt from. docs/train.md has all of it.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    data: DataArgs,
    #[command(flatten)]
    settings: Settings,
    /// The .gguf file to write
    #[arg(short, long, value_name = "OUT.gguf", help_heading = "Output")]
    output: Option<PathBuf>,
    /// The C header to write, with a function that runs the network
    #[arg(long, value_name = "OUT.h", help_heading = "Output")]
    c_header: Option<PathBuf>,
    /// What every name in the C header begins with [default: the name of the header without its ending]
    #[arg(long, requires = "c_header", help_heading = "Output")]
    prefix: Option<String>,
    /// How matrices are stored [default: dense_ternary for ternary weights, else f32]
    #[arg(short, long, ignore_case = true, value_parser = form(), help_heading = "Output")]
    format: Option<Form>,
    /// Write a line for every step: .csv or .jsonl
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    save_metrics: Option<PathBuf>,
    /// Draw loss, learning rate, radius and the share of bounded steps
    #[arg(long, value_name = "FILE.svg", help_heading = "Output")]
    plot: Option<PathBuf>,
    /// Write the configuration that file and flags amount to, every key, and do not train; -: to standard output
    #[arg(long, value_name = "FILE.toml", help_heading = "Output")]
    write_config: Option<PathBuf>,
    /// Write everything that --resume needs: every --checkpoint-every epochs, on Ctrl-C, and at the end
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    checkpoint: Option<PathBuf>,
    /// Epochs between two checkpoints
    #[arg(long, value_name = "EPOCHS", default_value_t = 1, requires = "checkpoint", help_heading = "Output",
          value_parser = clap::value_parser!(u32).range(1..))]
    checkpoint_every: u32,
    /// Go on where --checkpoint ended, with the same bits
    #[arg(long, requires = "checkpoint", help_heading = "Output")]
    resume: bool,
    /// Replace outputs that exist
    #[arg(long, help_heading = "Output")]
    overwrite: bool,
    /// Print the last line only
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,
}

/// How matrices are stored.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Float,
    Packed(Format),
}

fn form() -> impl TypedValueParser<Value = Form> {
    let names = Format::ALL.map(Format::name).into_iter().chain(["f32"]);
    PossibleValuesParser::new(names).try_map(|name| match Format::from_name(&name) {
        Some(format) => Ok(Form::Packed(format)),
        None if name.eq_ignore_ascii_case("f32") => Ok(Form::Float),
        None => Err(format!("unknown format {name}")),
    })
}

impl From<TrainError> for Stop {
    fn from(error: TrainError) -> Stop {
        match error {
            TrainError::Io(error) => error.into(),
            other => Stop::Line(other.to_string()),
        }
    }
}

/// Train a network on the answers of another one beside the labels (distillation).
///
/// All of `hybridq train`, and a teacher: the loss is (1 - weight) cross-entropy + weight T^2 KL(teacher, student).
#[derive(clap::Args)]
pub struct DistillArgs {
    /// A checkpoint of `hybridq train`, or a safetensors file of a perceptron with ReLUs (<name>.weight, <name>.bias)
    #[arg(long, value_name = "FILE")]
    teacher: PathBuf,
    #[command(flatten)]
    lesson: LessonArgs,
    #[command(flatten)]
    train: Args,
}

pub fn distill(args: &DistillArgs) -> Result<(), Stop> {
    go(&args.train, Some((&args.teacher, &args.lesson)))
}

pub fn run(args: &Args) -> Result<(), Stop> {
    go(args, None)
}

fn go(args: &Args, lesson: Option<(&Path, &LessonArgs)>) -> Result<(), Stop> {
    let own = |config: &mut Config| {
        if let Some((_, lesson)) = lesson {
            lesson.apply(config);
        }
    };
    let config = match (&args.checkpoint, args.resume) {
        (Some(path), true) => args.settings.resumed(path, Trainer::config_of(path)?, &own)?,
        _ => {
            let mut config = args.settings.config()?;
            own(&mut config);
            config
        }
    };
    check_outputs(args, lesson.map(|(teacher, _)| teacher))?;
    if let Some(path) = &args.write_config {
        return write_config(path, &config, args.overwrite);
    }
    let format = format(args, &config)?;
    let rows = args.data.rows(&config)?;
    if config.patience > 0 && rows.held_back.is_none() {
        let line = "patience needs rows that are held back; give a validation above 0, or more rows";
        return Err(Stop::Line(line.into()));
    }
    let mut trainer = match (&args.checkpoint, args.resume) {
        (Some(path), true) => Trainer::resume(path, rows.train.clone())?,
        _ => Trainer::new(config, rows.train.clone())?,
    };
    if let Some((path, _)) = lesson {
        let mut teacher = Teacher::open(path, &rows.train)?;
        let found = teacher.logits(&rows.train)?;
        trainer = trainer.with_teacher(found)?;
        if !args.quiet {
            report::teacher(path, &mut teacher, &rows.test)?;
        }
    }
    // What can be refused about the files at the end is refused now.
    export(args, &trainer, &rows, trainer.parameters(), format)?;
    let history = train(args, &mut trainer, &rows)?;
    finish(args, &mut trainer, &rows, format, &history)
}

/// Refuses outputs that exist, that cannot be written, or that are named twice.
fn check_outputs(args: &Args, teacher: Option<&Path>) -> Result<(), Stop> {
    let stdout = |path: &&PathBuf| path.as_path() != Path::new("-");
    let written = [&args.output, &args.c_header, &args.plot].into_iter().flatten();
    let written = written.chain(args.write_config.as_ref().filter(stdout)).map(|path| (path, false));
    // These two are gone on with.
    let gone_on =
        [&args.save_metrics, &args.checkpoint].into_iter().flatten().map(|path| (path, args.resume));
    let outputs: Vec<_> = written.chain(gone_on).collect();
    for (i, (path, gone_on)) in outputs.iter().enumerate() {
        let same = |other: &Path| other == path.as_path() || same_file(other, path);
        if outputs.iter().take(i).any(|(other, _)| same(other)) || args.data.files().chain(teacher).any(same)
        {
            let file = printable(&path.to_string_lossy());
            return Err(Stop::Line(format!("{file}: is named twice; give each output a name of its own")));
        }
        drop(AtomicFile::create(path, args.overwrite || *gone_on)?);
    }
    Ok(())
}

/// Whether two names lead to one file that exists.
fn same_file(a: &Path, b: &Path) -> bool {
    a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b)
}

fn write_config(path: &Path, config: &Config, overwrite: bool) -> Result<(), Stop> {
    let text = config.to_toml();
    if path == Path::new("-") {
        ui::print(&text);
        return Ok(());
    }
    let mut file = AtomicFile::create(path, overwrite)?;
    file.put(text.as_bytes())?;
    Ok(file.commit()?)
}

/// The format of the matrices, checked against the weights that training makes.
fn format(args: &Args, config: &Config) -> Result<Option<Format>, Stop> {
    let ternary = config.model.weights != WeightForm::Float || args.settings.quantize_after(config);
    match args.format {
        None => Ok(ternary.then_some(Format::DenseTernary)),
        Some(Form::Packed(f @ (Format::DenseTernary | Format::Tq1_0 | Format::Tq2_0))) => Ok(Some(f)),
        Some(_) if ternary => Err(Stop::Line(
            "ternary weights are stored as dense_ternary, tq1_0 or tq2_0; choose one of them as --format"
                .into(),
        )),
        Some(Form::Packed(format)) => Ok(Some(format)),
        Some(Form::Float) => Ok(None),
    }
}

fn export(
    args: &Args,
    trainer: &Trainer,
    rows: &Rows,
    parameters: &[f32],
    format: Option<Format>,
) -> Result<Exported, Stop> {
    let shape = trainer.shape();
    let found = Exported::new(&trainer.config().model, shape, parameters, format, args.data.scale())?;
    Ok(match &rows.vocabulary {
        Some(vocabulary) => found.with_vocabulary(vocabulary.characters()),
        None => found,
    })
}

/// The steps that are left.
fn train(args: &Args, trainer: &mut Trainer, rows: &Rows) -> Result<History, Stop> {
    let from = trainer.steps();
    let per_epoch = trainer.steps_per_epoch().max(1);
    let mut history = History::default();
    let mut metrics = None;
    if let Some(path) = &args.save_metrics {
        if args.resume {
            history = History::read(path, from);
        } else if args.overwrite && path.exists() {
            std::fs::remove_file(path).map_err(|e| {
                Stop::Line(format!("{}: cannot be replaced: {e}", printable(&path.to_string_lossy())))
            })?;
        }
        metrics = Some(Metrics::create(path, args.resume.then_some(from))?);
    }
    if !args.quiet {
        report::begin(trainer, rows, args.settings.quantize_after(trainer.config()));
    }
    let bar = ui::Bar::steps(trainer.total_steps());
    bar.reach(from);
    let start = Instant::now();
    let mut epoch = Epoch::default();
    while !trainer.ended() {
        let step = trainer.step()?;
        let line = Line::of(&step, per_epoch, start.elapsed().as_secs_f64());
        history.add(&line);
        epoch.add(&line);
        if let Some(metrics) = &mut metrics {
            metrics.add(&line)?;
        }
        if trainer.steps().is_multiple_of(per_epoch) {
            let judged = rows.held_back.as_ref().map(|rows| trainer.end_epoch(rows)).transpose()?;
            let line = epoch.end(trainer, judged.map(|(found, _)| found));
            if !args.quiet {
                bar.print(&line);
            }
            if let Some(metrics) = &mut metrics {
                metrics.flush()?;
            }
            let number = trainer.steps() / per_epoch;
            if let Some(path) = &args.checkpoint
                && (number.is_multiple_of(args.checkpoint_every as u64) || trainer.ended())
            {
                trainer.save(path)?;
            }
        }
        if !bar.advance(1) && !trainer.ended() {
            drop(bar);
            if let Some(metrics) = &mut metrics {
                metrics.flush()?;
            }
            return Err(interrupted(args, trainer)?);
        }
    }
    drop(bar);
    if let Some(metrics) = &mut metrics {
        metrics.flush()?;
    }
    history.seconds = start.elapsed().as_secs_f64();
    Ok(history)
}

/// What an interrupted run leaves.
fn interrupted(args: &Args, trainer: &Trainer) -> Result<Stop, Stop> {
    let at = format!("interrupted after {} of {} steps", trainer.steps(), trainer.total_steps());
    let Some(path) = &args.checkpoint else {
        let mend = "pass --checkpoint FILE to be able to go on";
        return Ok(Stop::Paused(format!("{at}; no network was written; {mend}")));
    };
    trainer.save(path)?;
    let file = printable(&path.to_string_lossy());
    Ok(Stop::Paused(format!("{at}; {file} holds them: the same command with --resume goes on")))
}

/// Judges what came out, and writes it.
fn finish(
    args: &Args,
    trainer: &mut Trainer,
    rows: &Rows,
    format: Option<Format>,
    history: &History,
) -> Result<(), Stop> {
    let exported = export(args, trainer, rows, trainer.chosen(), format)?;
    let trained = trainer.evaluate_chosen(&rows.test)?;
    let stored = exported.evaluate(&rows.test)?;
    if let Some(path) = &args.output {
        exported.write_gguf(path, args.overwrite)?;
    }
    if let Some(path) = &args.c_header {
        let stem = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        exported.write_c_header(args.prefix.as_deref().unwrap_or(&stem), path, args.overwrite)?;
    }
    if let Some(path) = &args.plot {
        let svg = plot::draw(history).map_err(|e| Stop::Line(format!("cannot draw: {e}")))?;
        let mut file = AtomicFile::create(path, args.overwrite)?;
        file.put(svg.as_bytes())?;
        file.commit()?;
    }
    if !args.quiet {
        let error = exported.relative_error(trainer.chosen());
        report::end(trainer, history, &Ended { test: &rows.test_name, error, format });
        let after = args.settings.quantize_after(trainer.config());
        report::judged(&Judged { trainer, trained, stored, exported: &exported, after });
    }
    ui::print(&format!("figure test_accuracy {:.2} %\n", 100.0 * stored.accuracy));
    Ok(())
}
