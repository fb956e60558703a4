//! Hybrid training against honest baselines: tunes every method on rows held back from the training rows, then runs each with
//! many seeds, and writes tables and plots. See README.md.

mod baselines;
mod data;
mod error;
mod experiment;
mod plots;
mod report;
mod run;
mod schedule;
mod statistics;
mod store;

use std::path::PathBuf;

use clap::Parser;

/// Whatever ends the program.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Parser)]
struct Arguments {
    /// What to run.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/experiment.toml"))]
    experiment: PathBuf,
    /// Where results go, and where `fetch.sh` has put its data. A run that was cut off goes on from here.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/results"))]
    results: PathBuf,
    /// Only these tasks.
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<String>,
    /// Only these methods, and those whose rates they use.
    #[arg(long, value_delimiter = ',')]
    methods: Vec<String>,
    /// Seeds, instead of those of the experiment.
    #[arg(long)]
    seeds: Option<u64>,
    /// Runs at a time; results do not depend on it, seconds do.
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, |n| n.get()))]
    threads: usize,
    /// A folder for the tables and plots; without it the tables are only printed.
    #[arg(long)]
    report: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::parse();
    let mut experiment = experiment::Experiment::open(&arguments.experiment)?;
    if let Some(seeds) = arguments.seeds {
        experiment.seeds = seeds;
    }
    for name in &arguments.tasks {
        if !experiment.tasks.contains_key(name) {
            return Err(format!("there is no task {name}").into());
        }
    }
    for name in &arguments.methods {
        if !experiment.methods.contains_key(name) {
            return Err(format!("there is no method {name}").into());
        }
    }
    std::fs::create_dir_all(&arguments.results)?;
    let store = store::Store::open(&arguments.results.join("runs.jsonl"))?;
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let wanted = schedule::Wanted { tasks: &arguments.tasks, methods: &arguments.methods };
    let outcome = schedule::all(&experiment, &wanted, &store, &root, &arguments.results)?;
    let text = report::text(&experiment, &outcome);
    println!("{text}");
    if let Some(folder) = &arguments.report {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("tables.md"), text)?;
        plots::write(&experiment, &outcome, folder)?;
    }
    Ok(())
}
