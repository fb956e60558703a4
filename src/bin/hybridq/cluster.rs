//! `hybridq cluster`: a table of numbers in, labels and centroids out.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hybridq::io::atomic::AtomicFile;
use hybridq::io::csv::Options;
use hybridq::io::matrix::{Kind, Matrix, write_labels, write_matrix};
use hybridq::io::printable;
use hybridq::kmeans::{
    Candidate, ChooseOptions, Fit, FitOptions, Points, Seeding, Size, Sizes, Stop as Ended, choose_k,
    choose_k_workspace_size, fit, fit_balanced, fit_balanced_workspace_size, fit_workspace_size, seed,
    seed_workspace_size,
};

use crate::{Stop, cluster_plot, ui};

/// Cluster the rows of a table by k-means; prints the clusters, and writes labels, centroids and a plot.
///
/// Reads .npy (two dimensions, or one for a single column) and text (.csv, .tsv, .txt). The same input and seed give the
/// same labels on every machine.
#[derive(clap::Args)]
pub struct Args {
    /// A .npy, .csv, .tsv or .txt file: rows are samples, columns features
    input: PathBuf,
    /// Number of clusters; auto: found out, from 1 (no structure) to --max-k
    #[arg(short, value_name = "N|auto", value_parser = clusters)]
    k: Clusters,
    /// With -k auto: the most clusters that are tried [default: 20, or the number of rows]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_k: Option<u32>,
    /// First centres: by greedy k-means++ [default], its approximation for many rows, or any rows
    #[arg(long)]
    init: Option<Init>,
    /// Seed of the first centres
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Starts to try, with seeds one after the other; the least inertia wins [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    n_init: Option<u32>,
    /// Iterations of one start at most
    #[arg(long, value_name = "N", default_value_t = 300)]
    max_iter: u32,
    /// Stop once no centre moves farther than this, in units of the data; 0: until no label changes
    #[arg(long, value_name = "DISTANCE", default_value_t = 0.0, value_parser = tolerance)]
    tol: f32,
    /// Clusters of the same size, as far as the number of rows allows: sizes differ by one at most
    #[arg(long, conflicts_with_all = ["min_size", "max_size"])]
    balanced: bool,
    /// Rows of each cluster at least
    #[arg(long, value_name = "ROWS")]
    min_size: Option<u32>,
    /// Rows of each cluster at most
    #[arg(long, value_name = "ROWS")]
    max_size: Option<u32>,
    /// Write the cluster of each row, 0 to N - 1: .npy (32-bit integers), .csv, .tsv or .txt
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Write the centres of the clusters, one a row: .npy (f32), .csv, .tsv or .txt
    #[arg(long, value_name = "FILE")]
    centroids: Option<PathBuf>,
    /// Draw the inertia of the iterations (with -k auto: of the numbers of clusters), and the rows on their two principal axes
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Character between the cells of text; "tab" for a tabulator [default: tab for .tsv, else a comma]
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Whether the first line of text names the columns [default: if one of its cells is no number]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    has_header: Option<bool>,
    /// Replace outputs that exist
    #[arg(long)]
    overwrite: bool,
    /// Print no table
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy)]
enum Clusters {
    Auto,
    Just(usize),
}

fn clusters(text: &str) -> Result<Clusters, String> {
    match text.parse::<u32>() {
        Ok(k) if k > 0 => Ok(Clusters::Just(k as usize)),
        _ if text.eq_ignore_ascii_case("auto") => Ok(Clusters::Auto),
        _ => Err("expected a number of clusters, at least 1, or auto".to_owned()),
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Init {
    PlusPlus,
    AfkMc2,
    Random,
}

fn tolerance(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value >= 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a number of at least 0".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        &[c] if c.is_ascii() && !c.is_ascii_alphanumeric() && !b"\"\r\n.+-".contains(&c) => Ok(c),
        _ => Err("expected one character that is no part of a number, or \"tab\"".to_owned()),
    }
}

/// The clusters, and how they were found.
pub struct Outcome {
    pub centers: Vec<f32>,
    pub labels: Vec<u32>,
    inertia: f32,
    pub curve: Curve,
    /// Ends the last line of the table.
    how: String,
}

/// Inertia after so many iterations, or for so many clusters.
pub struct Curve {
    pub title: &'static str,
    pub axis: &'static str,
    pub points: Vec<(usize, f32)>,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    match args.k {
        Clusters::Auto if args.init.is_some() || args.n_init.is_some() => {
            let line = "-k auto adds one centre after the other; leave --init and --n-init out";
            return Err(Stop::Line(line.into()));
        }
        Clusters::Auto if sizes(args).is_some() => {
            let line =
                "sizes need a number of clusters; pass -k N with --balanced, --min-size and --max-size";
            return Err(Stop::Line(line.into()));
        }
        Clusters::Just(_) if args.max_k.is_some() => {
            return Err(Stop::Line(
                "--max-k bounds what -k auto tries; pass -k auto, or leave it out".into(),
            ));
        }
        _ => {}
    }
    let outputs = [&args.labels, &args.centroids, &args.plot];
    for (i, path) in outputs.iter().enumerate() {
        let Some(path) = path else { continue };
        if outputs.iter().take(i).any(|other| other.as_ref() == Some(path)) || same_file(path, &args.input) {
            let file = printable(&path.to_string_lossy());
            return Err(Stop::Line(format!("{file}: is named twice; give each output a name of its own")));
        }
        // Refused before the work, not after it.
        drop(AtomicFile::create(path, args.overwrite)?);
    }
    let kinds = [&args.labels, &args.centroids].map(|path| path.as_deref().map(Kind::of).transpose());
    let [labels_kind, centroids_kind] = kinds;
    let (labels_kind, centroids_kind) = (labels_kind?, centroids_kind?);

    let text = Options { delimiter: args.delimiter, header: args.has_header };
    let data = Matrix::open(&args.input, &text)?;
    let best = match args.k {
        Clusters::Auto => choose(args, &data)?,
        Clusters::Just(k) => search(args, k, &data)?,
    };

    if let (Some(path), Some(kind)) = (&args.labels, labels_kind) {
        write_labels(path, kind, &best.labels, args.overwrite)?;
    }
    if let (Some(path), Some(kind)) = (&args.centroids, centroids_kind) {
        write_matrix(path, kind, data.cols, &best.centers, args.overwrite)?;
    }
    if let Some(path) = &args.plot {
        let svg = cluster_plot::draw(&data, &best).map_err(|e| Stop::Line(format!("cannot draw: {e}")))?;
        let mut file = AtomicFile::create(path, args.overwrite)?;
        file.put(svg.as_bytes())?;
        file.commit()?;
    }
    if !args.quiet {
        report(&data, &best);
    }
    Ok(())
}

fn same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn refused(args: &Args) -> impl Fn(hybridq::Error) -> Stop {
    let file = printable(&args.input.to_string_lossy());
    move |error| Stop::Line(format!("{file}: {error}"))
}

fn too_many(args: &Args, k: usize, rows: usize, option: &str) -> Result<(), Stop> {
    if k <= rows {
        return Ok(());
    }
    let file = printable(&args.input.to_string_lossy());
    Err(Stop::Line(format!("{file}: has {rows} rows, fewer than {k} clusters; lower {option}")))
}

/// The number that the library chooses, and its clusters.
fn choose(args: &Args, data: &Matrix) -> Result<Outcome, Stop> {
    let refused = refused(args);
    let max_k = args.max_k.map_or(data.rows.min(20), |k| k as usize);
    too_many(args, max_k, data.rows, "--max-k")?;
    let fit = options(args, args.max_iter as usize);
    let options = ChooseOptions { max_k, seed: args.seed, fit };
    let points = Points::new(data.rows, data.cols, &data.data).map_err(&refused)?;
    let mut scratch = vec![0u8; choose_k_workspace_size(data.rows, data.cols, &options).map_err(&refused)?];
    let mut candidates = vec![Candidate::default(); max_k];
    let (mut centers, mut labels) = (vec![0.0f32; max_k * data.cols], vec![0u32; data.rows]);
    let spinner = ui::spinner("looking for the number of clusters");
    let choice = choose_k(&points, &options, &mut candidates, &mut centers, &mut labels, &mut scratch);
    spinner.finish_and_clear();
    let choice = choice.map_err(&refused)?;
    candidates.truncate(choice.candidates as usize);
    centers.truncate(choice.k as usize * data.cols);
    if !args.quiet {
        let mut table = ui::table(&[
            ">clusters",
            ">inertia",
            ">Calinski-Harabasz",
            ">BIC",
            ">silhouette",
            ">concentration",
        ]);
        for c in &candidates {
            let mark = |value: String, vote: u32| {
                if vote == c.k { format!("{value} *") } else { format!("{value}  ") }
            };
            table.add_row([
                mark(c.k.to_string(), choice.k),
                c.inertia.to_string(),
                mark(format!("{:.1}", c.calinski_harabasz), choice.calinski_harabasz),
                mark(format!("{:.1}", c.bic), choice.bic),
                mark(format!("{:.4}", c.silhouette), choice.silhouette),
                mark(format!("{:.4}", c.concentration), choice.concentration),
            ]);
        }
        ui::print_table(&table);
        ui::print("* the number that this column votes for, and the choice\n\n");
    }
    let how = if choice.k == 1 { "the data show no structure" } else { "chosen by vote" };
    Ok(Outcome {
        inertia: candidates.get(choice.k as usize - 1).map_or(0.0, |c| c.inertia),
        centers,
        labels,
        curve: Curve {
            title: "Inertia over clusters",
            axis: "clusters",
            points: candidates.iter().map(|c| (c.k as usize, c.inertia)).collect(),
        },
        how: how.to_owned(),
    })
}

/// The sizes that are asked for, if any.
fn sizes(args: &Args) -> Option<Sizes<'static>> {
    let bound = |size: Option<u32>| size.map_or(Size::Any, |size| Size::All(size as usize));
    match (args.balanced, args.min_size, args.max_size) {
        (true, ..) => Some(Sizes::BALANCED),
        (false, None, None) => None,
        (false, least, most) => Some(Sizes { least: bound(least), most: bound(most) }),
    }
}

/// Says which sizes cannot be kept, and why.
fn check_sizes(args: &Args, k: usize, rows: usize) -> Result<(), Stop> {
    let file = printable(&args.input.to_string_lossy()).to_string();
    let clusters = if k == 1 { "1 cluster".to_owned() } else { format!("{k} clusters") };
    let (least, most) = (args.min_size.unwrap_or(0) as u64, args.max_size.map_or(u64::MAX, u64::from));
    let line = if least > most {
        format!("--min-size {least} is above --max-size {most}; no cluster has such a size")
    } else if least * k as u64 > rows as u64 {
        format!("{file}: has {rows} rows, too few for {clusters} of at least {least}; lower --min-size or -k")
    } else if most.saturating_mul(k as u64) < rows as u64 {
        format!("{file}: has {rows} rows, too many for {clusters} of at most {most}; raise --max-size or -k")
    } else {
        return Ok(());
    };
    Err(Stop::Line(line))
}

/// The best of all starts.
fn search(args: &Args, k: usize, data: &Matrix) -> Result<Outcome, Stop> {
    too_many(args, k, data.rows, "-k")?;
    check_sizes(args, k, data.rows)?;
    let refused = refused(args);
    let points = Points::new(data.rows, data.cols, &data.data).map_err(&refused)?;
    let starts = args.n_init.unwrap_or(1) as u64;
    let bar = ui::Bar::iterations(starts * args.max_iter as u64);
    let mut best: Option<Outcome> = None;
    for start in 0..starts {
        let found = one(args, k, &points, args.seed.wrapping_add(start), &bar).map_err(|e| match e {
            Some(error) => refused(error),
            None => Stop::Interrupted,
        })?;
        if best.as_ref().is_none_or(|b| found.inertia < b.inertia) {
            best = Some(found);
        }
        bar.reach((start + 1) * args.max_iter as u64);
    }
    best.ok_or(Stop::Interrupted)
}

fn options(args: &Args, iterations: usize) -> FitOptions {
    FitOptions { max_iterations: iterations, shift_tolerance: args.tol, ..FitOptions::DEFAULT }
}

/// One start; `None` as an error: interrupted.
///
/// Lloyd's algorithm remembers nothing but its centres, so it runs in slices that double: between two of them there is
/// time to look at the inertia and at Ctrl-C.
fn one(
    args: &Args,
    k: usize,
    points: &Points<'_>,
    seed_of: u64,
    bar: &ui::Bar,
) -> Result<Outcome, Option<hybridq::Error>> {
    let (rows, cols) = (points.rows(), points.cols());
    let seeding = match args.init {
        None | Some(Init::PlusPlus) => Seeding::PlusPlus { trials: 0 },
        Some(Init::AfkMc2) => Seeding::AfkMc2 { chain: 0 },
        Some(Init::Random) => Seeding::Random,
    };
    let (mut chosen, mut centers) = (vec![0u32; k], vec![0.0f32; k * cols]);
    let mut scratch = vec![0u8; seed_workspace_size(seeding, rows, k)?];
    seed(points, k, seeding, seed_of, &mut chosen, &mut centers, &mut scratch)?;

    let sizes = sizes(args);
    let size = match sizes {
        Some(_) => fit_balanced_workspace_size(rows, cols, k)?,
        None => fit_workspace_size(rows, cols, k, &options(args, 1))?,
    };
    let (mut scratch, mut labels) = (vec![0u8; size], vec![0u32; rows]);
    let mut slice_of = |options: &FitOptions, centers: &mut [f32], labels: &mut [u32]| -> Result<Fit, _> {
        match &sizes {
            Some(sizes) => fit_balanced(points, k, sizes, options, centers, labels, &mut scratch),
            None => fit(points, k, options, centers, labels, &mut scratch),
        }
    };
    let mut found = slice_of(&options(args, 0), &mut centers, &mut labels)?;
    let mut curve = vec![(0, found.inertia)];
    let (mut done, mut slice, most) = (0, 1, args.max_iter as usize);
    while done < most {
        let slice_options = options(args, slice.min(most - done));
        found = slice_of(&slice_options, &mut centers, &mut labels)?;
        done += found.iterations;
        curve.push((done, found.inertia));
        if !bar.advance(found.iterations as u64) {
            return Err(None);
        }
        if found.stop != Ended::Iterations {
            break;
        }
        slice = done;
    }
    let why = match found.stop {
        Ended::Labels => "no label changes",
        Ended::Shift => "no centre moves farther than --tol",
        Ended::Inertia => "the inertia falls no more",
        Ended::Iterations => "stopped by --max-iter",
    };
    Ok(Outcome {
        centers,
        labels,
        inertia: found.inertia,
        curve: Curve { title: "Inertia over iterations", axis: "iteration", points: curve },
        how: format!("{done} iterations, {why}"),
    })
}

fn report(data: &Matrix, best: &Outcome) {
    let k = best.centers.len() / data.cols;
    let (mut sizes, mut squares) = (vec![0usize; k], vec![0.0f64; k]);
    for (row, &label) in data.data.chunks(data.cols).zip(&best.labels) {
        let center = &best.centers[label as usize * data.cols..][..data.cols];
        sizes[label as usize] += 1;
        squares[label as usize] +=
            row.iter().zip(center).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum::<f64>();
    }
    let mut table = ui::table(&["cluster", ">rows", ">share", ">RMS distance"]);
    for (i, (&size, &square)) in sizes.iter().zip(&squares).enumerate() {
        table.add_row([
            i.to_string(),
            size.to_string(),
            format!("{:.1} %", 100.0 * size as f64 / data.rows as f64),
            format!("{:.6}", (square / size.max(1) as f64).sqrt()),
        ]);
    }
    ui::print_table(&table);
    let clusters = if k == 1 { "cluster" } else { "clusters" };
    ui::print(&format!(
        "{} rows of {} columns in {k} {clusters}: inertia {}, {}\n",
        data.rows, data.cols, best.inertia, best.how
    ));
}
