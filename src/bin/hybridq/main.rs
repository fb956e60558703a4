//! The `hybridq` command line: one file per subcommand, all work in `hybridq::io`.
//!
//! Exit codes: 0 done; 2 refused, with one line on standard error; 130 interrupted.

mod archive;
mod cluster;
mod cluster_plot;
mod dequantize;
mod evaluate;
mod export;
mod fit_codebooks;
mod inspect;
mod measure;
mod meta_train;
mod plan;
mod quantize;
mod recipe;
mod threads;
mod train;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Quantize models to ternary, five-level, 3.5-bit and 8-bit weights, look at them, and export them to C.
#[derive(Parser)]
#[command(name = "hybridq", version, max_term_width = 110)]
#[command(
    after_help = "HQ_TIER=scalar|sse4.2|avx2|neon forces a SIMD tier. Errors end with exit code 2 and leave no partial file."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Quantize(quantize::Args),
    Dequantize(dequantize::Args),
    Archive(archive::ArchiveArgs),
    Unarchive(archive::UnarchiveArgs),
    Inspect(inspect::Args),
    Export(export::Args),
    Cluster(cluster::Args),
    Train(Box<train::Args>),
    Distill(Box<train::DistillArgs>),
    Evaluate(evaluate::Args),
    Plan(plan::Args),
    FitCodebooks(fit_codebooks::Args),
    MetaTrain(meta_train::Args),
}

/// Why a command ends early.
enum Stop {
    /// One line for standard error.
    Line(String),
    /// The user pressed Ctrl-C, or the system asked to end.
    Interrupted,
    /// The same in a run that can go on; the line says how.
    Paused(String),
}

impl From<hybridq::io::IoError> for Stop {
    fn from(error: hybridq::io::IoError) -> Self {
        match error.kind() {
            hybridq::io::ErrorKind::Interrupted => Stop::Interrupted,
            _ => Stop::Line(error.to_string()),
        }
    }
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = hybridq::simd::init_from_env().map_err(Stop::Line).and_then(|()| match cli.command {
        Command::Quantize(args) => quantize::run(&args),
        Command::Dequantize(args) => dequantize::run(&args),
        Command::Archive(args) => archive::archive(&args),
        Command::Unarchive(args) => archive::unarchive(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Cluster(args) => cluster::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Distill(args) => train::distill(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::FitCodebooks(args) => fit_codebooks::run(&args),
        Command::MetaTrain(args) => meta_train::run(&args),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stop::Line(line)) => {
            eprintln!("hybridq: error: {line}");
            ExitCode::from(2)
        }
        Err(Stop::Interrupted) => {
            eprintln!("hybridq: interrupted; no output was written");
            ExitCode::from(130)
        }
        Err(Stop::Paused(line)) => {
            eprintln!("hybridq: {line}");
            ExitCode::from(130)
        }
    }
}
