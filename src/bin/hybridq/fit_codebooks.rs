//! `hybridq fit-codebooks`: where the constants of `Q35B` come from.
//!
//! Two steps in turn: every group of 16 chooses its best codebook, sign and scale (the format's own encoder); each
//! codebook becomes the exact 1-D k-means of the values that chose it, in units of their scales, rounded to
//! integers. That ends in a local optimum that does not know of the rounding and of the block scales, so single levels are
//! then moved as long as the encoder's error falls; and all of that from several starts.

use std::path::PathBuf;

use hybridq::io::model::Model;
use hybridq::kmeans::{Exact1d, exact_1d, exact_1d_workspace_size};
use hybridq::quant::q35b::{BLOCK_LEN, CODEBOOKS, Codebooks, MAX_LEVEL, encode_block};
use wildmatch::WildMatch;

use crate::{Stop, ui};

/// Fit the two codebooks of Q35B to the weights of models, and show what that gains.
///
/// Prints the constants; they are part of the format, so using others means building another hybridq.
#[derive(clap::Args)]
pub struct Args {
    /// Models whose matrices count: .safetensors, .index.json or .gguf
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,
    /// Only matrices whose name matches (* and ?)
    #[arg(long, default_value = "*", value_name = "PATTERN")]
    only: String,
    /// How many blocks of 256 to fit to, evenly spaced over the matrices
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u32).range(16..=65536))]
    blocks: u32,
    /// Weight of synthetic values (normal, Student t with 5 degrees, Laplace) beside the models' 1
    #[arg(long, default_value_t = 0.4, value_parser = parse_share)]
    synthetic: f64,
    /// Starting points: the first is the present constants, the others are drawn
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=1000))]
    starts: u32,
    /// Seed of the synthetic values and the starting points
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn parse_share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(v) if (0.0..=100.0).contains(&v) => Ok(v),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

/// Blocks of one origin.
struct Sample {
    name: &'static str,
    share: f64,
    values: Vec<f32>,
}

impl Sample {
    /// sqrt(sum error^2 / sum x^2) with these codebooks.
    fn error(&self, books: &Codebooks) -> f64 {
        let (mut error, mut square) = (0.0f64, 0.0f64);
        for x in self.values.chunks_exact(BLOCK_LEN) {
            for (x, _, value) in decoded(x, books) {
                error += f64::from(x - value).powi(2);
                square += f64::from(x).powi(2);
            }
        }
        if square > 0.0 { (error / square).sqrt() } else { 0.0 }
    }
}

/// Each value of a block with its group (codebook and value of level 1) and what it decodes to.
fn decoded(x: &[f32], books: &Codebooks) -> impl Iterator<Item = (f32, (usize, f32), f32)> {
    let e = encode_block(x, None, books);
    let unit = e.d.to_f32() / 256.0;
    let x = x.to_vec();
    let books = *books;
    x.into_iter().enumerate().map(move |(i, x)| {
        let group = i / 16;
        let book = usize::from(e.select >> group & 1);
        let scale = unit * f32::from(e.scales[group]);
        (x, (book, scale), scale * f32::from(books[book][usize::from(e.codes[i])]))
    })
}

/// The error to make small.
fn objective(samples: &[Sample], books: &Codebooks) -> f64 {
    samples.iter().map(|s| s.share * s.error(books)).sum()
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let mut random = Random(args.seed);
    let mut samples = vec![Sample { name: "models", share: 1.0, values: read(args)? }];
    if args.synthetic > 0.0 {
        let len = BLOCK_LEN * (args.blocks as usize).min(512);
        for (name, share, draw) in [
            ("normal", 0.7, Random::normal as fn(&mut Random) -> f64),
            ("t5", 0.15, |r| {
                let chi: f64 = (0..5).map(|_| r.normal().powi(2)).sum();
                r.normal() / (chi / 5.0).sqrt()
            }),
            ("laplace", 0.15, |r| r.normal() * (-2.0 * (1.0 - r.uniform()).ln()).sqrt()),
        ] {
            let values = (0..len).map(|_| draw(&mut random) as f32).collect();
            samples.push(Sample { name, share: share * args.synthetic, values });
        }
    }

    let bar = ui::Bar::new(u64::from(args.starts));
    let mut step = bar.step();
    let mut best = (objective(&samples, &CODEBOOKS), CODEBOOKS);
    for start in 0..args.starts {
        let mut books = if start == 0 { CODEBOOKS } else { random.books() };
        for _ in 0..6 {
            books = refit(&samples, &books)?;
        }
        let kept = [books, CODEBOOKS].into_iter().take(if start == 0 { 2 } else { 1 });
        for books in kept {
            let found = descend(&samples, books);
            if found.0 < best.0 {
                best = found;
            }
        }
        if !step(1) {
            return Err(Stop::Interrupted);
        }
    }
    drop(step);
    drop(bar);

    let (_, books) = best;
    let mut table = ui::table(&["values", ">blocks", ">RMSE now", ">RMSE fitted"]);
    for sample in &samples {
        table.add_row([
            sample.name.to_owned(),
            (sample.values.len() / BLOCK_LEN).to_string(),
            format!("{:.5}", sample.error(&CODEBOOKS)),
            format!("{:.5}", sample.error(&books)),
        ]);
    }
    ui::print_table(&table);
    ui::print(&format!("CODEBOOKS = {books:?}\n"));
    if books == CODEBOOKS {
        ui::print("These are the constants of the format.\n");
    }
    Ok(())
}

/// Evenly spaced blocks of all matrices.
fn read(args: &Args) -> Result<Vec<f32>, Stop> {
    let pattern = WildMatch::new(&args.only);
    let models = args.models.iter().map(|path| Model::open(path)).collect::<Result<Vec<_>, _>>()?;
    let matrices: Vec<_> = models
        .iter()
        .flat_map(|model| model.tensors.iter().map(move |tensor| (model, tensor)))
        .filter(|(_, t)| {
            t.kind.is_weight() && !t.is_empty() && t.shape.iter().filter(|d| **d > 1).count() >= 2
        })
        .filter(|(_, t)| pattern.matches(&t.name))
        .collect();
    let total: usize = matrices.iter().map(|(_, t)| t.len() / BLOCK_LEN).sum();
    if total == 0 {
        return Err(Stop::Line(format!(
            "{}: no matrix of 256 values or more matches '{}'; see `hybridq inspect`",
            args.models[0].display(),
            args.only
        )));
    }
    let stride = total.div_ceil(args.blocks as usize).max(1);
    let (mut out, mut x, mut at) = (Vec::new(), Vec::new(), 0usize);
    for (model, tensor) in matrices {
        x.resize(tensor.len(), 0.0);
        model.read_rows(tensor, 0..tensor.rows(), &mut x)?;
        for block in x.chunks_exact(BLOCK_LEN) {
            if at.is_multiple_of(stride) {
                if block.iter().any(|v| !v.is_finite()) {
                    let (file, name) = (model.file_of(tensor).display(), &tensor.name);
                    return Err(Stop::Line(format!(
                        "{file}: {name}: holds NaN or infinity; leave it out with --only"
                    )));
                }
                // Matrices of all magnitudes count alike, block by block.
                let square: f32 = block.iter().map(|v| v * v).sum();
                let scale = if square > 0.0 { 16.0 / square.sqrt() } else { 0.0 };
                out.extend(block.iter().map(|v| v * scale));
            }
            at += 1;
        }
    }
    Ok(out)
}

/// Each codebook as the exact 1-D k-means of the values that chose it.
fn refit(samples: &[Sample], books: &Codebooks) -> Result<Codebooks, Stop> {
    let mut points = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for sample in samples {
        // The share of a sample counts for its squared error as a whole.
        let share = (sample.share / sample.values.len() as f64) as f32;
        for x in sample.values.chunks_exact(BLOCK_LEN) {
            for (x, (book, scale), _) in decoded(x, books) {
                if scale != 0.0 {
                    points[book].0.push(x / scale);
                    points[book].1.push(share * scale * scale);
                }
            }
        }
    }
    let options = Exact1d { k: 8, pin_zero: false };
    let mut out = *books;
    for (out, (values, weights)) in out.iter_mut().zip(&points) {
        let refused = |e: hybridq::Error| Stop::Line(e.to_string());
        let mut scratch = vec![0; exact_1d_workspace_size(values.len(), &options).map_err(refused)?];
        let mut centers = [0f32; 8];
        exact_1d(values, Some(weights), &options, &mut centers, &mut scratch).map_err(refused)?;
        let largest = centers.iter().fold(0f32, |m, c| m.max(c.abs()));
        if largest > 0.0 {
            let rounded = centers.map(|c| (c / largest * f32::from(MAX_LEVEL)).round() as i8);
            if rounded.is_sorted_by(|a, b| a < b) {
                *out = rounded;
            }
        }
    }
    Ok(out)
}

/// Moves single levels as long as that helps.
fn descend(samples: &[Sample], books: Codebooks) -> (f64, Codebooks) {
    let mut best = (objective(samples, &books), books);
    for size in [3i8, 1] {
        let mut moved = true;
        while moved {
            moved = false;
            for at in 0..16 {
                for step in [size, -size] {
                    let mut books = best.1;
                    books[at / 8][at % 8] += step;
                    let book = &books[at / 8];
                    if !book.is_sorted_by(|a, b| a < b) || book.iter().any(|l| l.abs() > MAX_LEVEL) {
                        continue;
                    }
                    let error = objective(samples, &books);
                    if error < best.0 - 1e-7 {
                        best = (error, books);
                        moved = true;
                    }
                }
            }
        }
    }
    best
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Box-Muller.
    fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    /// Codebooks somewhere around those of a normal distribution.
    fn books(&mut self) -> Codebooks {
        loop {
            let books = [0, 1].map(|_| {
                [-29.0, -18.0, -10.0, -3.0, 3.0, 10.0, 18.0, 29.0]
                    .map(|level| {
                        (level * (0.8 + 0.4 * self.uniform()) + 8.0 * (self.uniform() - 0.5)).round() as i8
                    })
                    .map(|level| level.clamp(-MAX_LEVEL, MAX_LEVEL))
            });
            if books.iter().all(|b| b.is_sorted_by(|a, b| a < b)) {
                return books;
            }
        }
    }
}
