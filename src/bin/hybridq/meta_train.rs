//! `hybridq meta-train`: where the constants of the auxiliary network come from, and what they are good for.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use hybridq::io::atomic::AtomicFile;
use hybridq::learn::predictor::Weights;
use hybridq::train::meta::{self, Family, LINEAR_TRAINED, MetaOptions, Row, Trials, linear, prove, source};
use hybridq::train::{Dataset, LabelColumn};

use crate::threads::ThreadArgs;
use crate::{Stop, ui};

/// The seed of tasks held out; their families are others than that of training, whatever its seed.
const HELD_OUT: u64 = 1;

/// Train the auxiliary network over many small tasks, and show what it does to tasks held out.
///
/// Every task is a whole training run of the base optimizer, with and without the network; the loss at its end on samples
/// held out is what counts. The results are the same for every number of threads.
#[derive(clap::Args)]
pub struct Args {
    /// The Rust source to write, with the trained weights as constants
    #[arg(short, long, value_name = "FILE", required_unless_present_any = ["evaluate", "linear"])]
    output: Option<PathBuf>,
    /// Replace the output if it exists
    #[arg(long)]
    overwrite: bool,
    /// Train nothing: show what the weights of this build do
    #[arg(long, conflicts_with_all = ["output", "linear", "generations", "pairs", "tasks", "rate", "seed"])]
    evaluate: bool,
    /// Train a linear map in the place of the network, and print its 14 numbers; it is one of the comparisons
    #[arg(long, conflicts_with = "output")]
    linear: bool,
    /// Steps of the evolution
    #[arg(long, default_value_t = MetaOptions::default().generations, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    generations: u32,
    /// Pairs of candidates in a generation
    #[arg(long, default_value_t = MetaOptions::default().pairs, value_parser = clap::value_parser!(u32).range(1..=4096))]
    pairs: u32,
    /// Tasks that a generation is judged by, others each time
    #[arg(long, default_value_t = MetaOptions::default().tasks as u32, value_parser = clap::value_parser!(u32).range(1..=4096))]
    tasks: u32,
    /// The step of the evolution
    #[arg(long, default_value_t = MetaOptions::default().rate, value_parser = rate)]
    rate: f32,
    /// Seed of everything that is drawn for the training
    #[arg(long, default_value_t = MetaOptions::default().seed)]
    seed: u64,
    /// Tasks held out, of each family
    #[arg(long, default_value = "40")]
    held_out: NonZeroUsize,
    /// Runs of each of them, with other data, first parameters and batches; the more, the less is left to chance
    #[arg(long, default_value = "24")]
    runs: NonZeroUsize,
    /// A table for the tasks on real data: classes in the first column
    #[arg(long, value_name = "CSV", default_value = "data/digits/train.csv")]
    digits: PathBuf,
    #[command(flatten)]
    threads: ThreadArgs,
}

fn rate(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (1e-6..=10.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 1e-6 to 10".to_owned()),
    }
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let threads = args.threads.count();
    if args.linear {
        let numbers = evolve(args, threads, |o, p| meta::train_linear(o, p))?;
        let text: Vec<String> = numbers.iter().map(|v| format!("{v:?}")).collect();
        ui::print(&format!("{}\n", text.join(", ")));
        return Ok(());
    }
    if let Some(path) = &args.output {
        // Refused before the work, not after it.
        drop(AtomicFile::create(path, args.overwrite)?);
    }
    let digits = Dataset::open(&args.digits, LabelColumn::First, 1.0 / 16.0)?;
    let weights = match &args.output {
        None => Weights::TRAINED,
        Some(path) => train(args, path, threads)?,
    };
    show(args, &weights, &digits, threads)
}

fn failed(error: hybridq::train::TrainError) -> Stop {
    Stop::Line(error.to_string())
}

/// A training with a bar and a line for every tenth part of it.
fn evolve<T>(
    args: &Args,
    threads: usize,
    train: impl FnOnce(
        &MetaOptions,
        &mut dyn FnMut(&meta::Progress) -> bool,
    ) -> Result<T, hybridq::train::TrainError>,
) -> Result<T, Stop> {
    let options = MetaOptions {
        seed: args.seed,
        generations: args.generations,
        pairs: args.pairs,
        tasks: args.tasks as usize,
        rate: args.rate,
        threads,
        ..MetaOptions::default()
    };
    let bar = ui::Bar::iterations(u64::from(args.generations));
    let every = args.generations.div_ceil(10);
    let (mut log, mut worse, mut count, mut stopped) = (0.0, 0.0, 0u32, false);
    let found = train(&options, &mut |seen| {
        (log, worse, count) = (log + seen.log, worse + seen.worse, count + 1);
        if seen.generation % every == 0 || seen.generation == args.generations {
            let n = f64::from(count);
            bar.line(&format!(
                "generation {:>5}: candidates end with {:.3} of the base's loss; {:.1} % of their runs more than 1 % above it",
                seen.generation,
                (log / n).exp(),
                100.0 * worse / n
            ));
            (log, worse, count) = (0.0, 0.0, 0);
        }
        stopped = !bar.advance(1);
        !stopped
    });
    let found = found.map_err(failed)?;
    if stopped { Err(Stop::Interrupted) } else { Ok(found) }
}

fn train(args: &Args, path: &Path, threads: usize) -> Result<Weights, Stop> {
    let weights = evolve(args, threads, |o, p| meta::train(o, p))?;
    let origin = [format!(
        "hybridq meta-train --generations {} --pairs {} --tasks {} --rate {} --seed {} --output FILE",
        args.generations, args.pairs, args.tasks, args.rate, args.seed
    )];
    let mut file = AtomicFile::create(path, args.overwrite)?;
    file.put(source(&weights, &origin).as_bytes())?;
    file.commit()?;
    Ok(weights)
}

/// The tables of all families held out, and the figures.
fn show(args: &Args, weights: &Weights, digits: &Dataset, threads: usize) -> Result<(), Stop> {
    let mut total: Vec<Row> = vec![];
    for family in [Family::Similar, Family::Other, Family::Digits] {
        let (tasks, runs) = (args.held_out.get(), args.runs.get());
        let trials = Trials { family, seed: HELD_OUT, first: 0, tasks, runs, table: Some(digits) };
        let rows = prove(&trials, weights, &linear(&LINEAR_TRAINED), threads).map_err(failed)?;
        ui::print(&format!("{tasks} tasks held out, {}, {runs} runs each\n\n", family.name()));
        print(&rows);
        if total.is_empty() {
            total = rows;
        } else {
            total.iter_mut().zip(&rows).for_each(|(all, row)| all.report.join(&row.report));
        }
    }
    ui::print("all tasks held out\n\n");
    print(&total);
    for row in &total {
        let r = &row.report;
        let name = row.name.replace(", ", "_").replace(' ', "_");
        let name = if row.name == meta::TRAINED { String::new() } else { format!("_{name}") };
        ui::print(&format!("figure predictor_tasks_made_worse{name} {:.1} %\n", 100.0 * r.worse()));
        ui::print(&format!("figure predictor_final_loss_ratio{name} {:.3} x\n", r.mean_ratio()));
    }
    Ok(())
}

fn print(rows: &[Row]) {
    let mut table = ui::table(&[
        "policy",
        ">worse",
        ">surely worse",
        ">worse at all",
        ">better",
        ">mean ratio",
        ">of the middle half",
        ">rate by",
        ">radius by",
    ]);
    for Row { name, report: r } in rows {
        let by = r.multipliers();
        let percent = |part: f64| format!("{:.1} %", 100.0 * part);
        table.add_row([
            (*name).to_owned(),
            percent(r.worse()),
            percent(r.surely_worse()),
            percent(r.worse_at_all()),
            percent(r.better()),
            format!("{:.3}", r.mean_ratio()),
            format!("{:.3}", r.middle_ratio()),
            format!("{:.2}", by.learning_rate),
            format!("{:.2}", by.radius),
        ]);
    }
    ui::print_table(&table);
    ui::print("\n");
}
