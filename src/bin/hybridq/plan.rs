//! `hybridq plan`: how much memory a model takes in each format, and how fast it can run.

use std::num::NonZeroUsize;

use hybridq::io::gguf::TensorType;
use hybridq::quant::Format;

use crate::measure::{Speed, measure};
use crate::recipe::format_parser;
use crate::{Stop, threads, ui};

/// Show the memory that weights take in each format, before you download anything.
///
/// Without --params: for models of the shapes of Llama 3 with 70 and 405 billion parameters.
#[derive(clap::Args)]
pub struct Args {
    /// How many weights: 70e9, 70B, 350M, 22713216 [default: the 70B and the 405B model]
    #[arg(long, value_parser = parse_count)]
    params: Option<f64>,
    /// Only this format, beside F32 and F16
    #[arg(long, ignore_case = true, value_parser = format_parser())]
    format: Option<Format>,
    /// With --params: the length of a row, what scales and padding depend on [default: 4096]
    #[arg(long, requires = "params", value_parser = clap::value_parser!(u32).range(1..))]
    cols: Option<u32>,
    /// Memory bandwidth in GB/s: estimates tokens a second, if nothing but reading the weights takes time
    #[arg(long, value_name = "GB/s", value_parser = parse_bandwidth)]
    bandwidth: Option<f64>,
    /// Measure tokens a second instead: time this library's products at those row lengths
    #[arg(long, conflicts_with = "bandwidth")]
    measure: bool,
    /// With --measure: megabytes that the timed weights take, to be more than the caches hold
    #[arg(long, value_name = "MB", default_value_t = 256, requires = "measure",
          value_parser = clap::value_parser!(u32).range(1..=65536))]
    working_set: u32,
    /// With --measure: how many threads multiply
    #[arg(short, long, value_name = "N", default_value = "1", requires = "measure")]
    threads: NonZeroUsize,
}

/// Matrices with rows of one length.
struct Matrices {
    values: f64,
    cols: u32,
    /// Whether a token reads all of them: it does not read the embedding table.
    read: bool,
}

struct Shapes {
    name: String,
    matrices: Vec<Matrices>,
    /// Values that stay F32: norms.
    exact: f64,
    /// Activations that a token quantizes.
    activations: f64,
}

impl Shapes {
    /// A transformer of Llama's make.
    fn llama(name: &str, layers: f64, dim: u32, ffn: u32, kv: u32, vocab: u32) -> Shapes {
        let (d, f) = (f64::from(dim), f64::from(ffn));
        let layer = 2.0 * d * d + 2.0 * f64::from(kv) * d + 2.0 * f * d;
        let table = f64::from(vocab) * d;
        Shapes {
            name: name.to_owned(),
            matrices: vec![
                Matrices { values: layers * layer + table, cols: dim, read: true },
                Matrices { values: layers * d * f, cols: ffn, read: true },
                Matrices { values: table, cols: dim, read: false },
            ],
            exact: (2.0 * layers + 1.0) * d,
            activations: layers * (3.0 * d + f) + d,
        }
    }

    fn plain(params: f64, cols: u32) -> Shapes {
        Shapes {
            name: String::new(),
            matrices: vec![Matrices { values: params, cols, read: true }],
            exact: 0.0,
            activations: f64::from(cols),
        }
    }

    fn values(&self) -> f64 {
        self.exact + self.matrices.iter().map(|m| m.values).sum::<f64>()
    }

    /// Bytes of all weights, and of those that a token reads, for a format with that many bits at a row length.
    fn bytes(&self, bits: &dyn Fn(u32) -> f64) -> (f64, f64) {
        let of = |m: &Matrices| m.values * bits(m.cols) / 8.0;
        let all: f64 = self.matrices.iter().map(of).sum();
        let read: f64 = self.matrices.iter().filter(|m| m.read).map(of).sum();
        ((all + 4.0 * self.exact).ceil(), read + 4.0 * self.exact)
    }
}

/// A line of the table.
struct Line {
    name: &'static str,
    bits: Box<dyn Fn(u32) -> f64>,
    format: Option<Format>,
}

fn lines(only: Option<Format>) -> Result<Vec<Line>, Stop> {
    let other = |name, bits: fn(f64) -> f64| Line {
        name,
        bits: Box::new(move |cols| bits(f64::from(cols))),
        format: None,
    };
    let mut lines = vec![other("f32", |_| 32.0), other("f16", |_| 16.0)];
    if only.is_none() {
        lines.push(other("int8, f32 scale a row", |cols| 8.0 + 32.0 / cols));
        lines.push(other("int4, f32 scale and offset a row", |cols| 4.0 + 64.0 / cols));
        lines.push(other("3.5-bit pairs, f32 scale and offset a row", |cols| 3.5 + 64.0 / cols));
        lines.push(other("q4_0 of ggml", |cols| {
            let (len, bytes) = TensorType::Q4_0.block();
            8.0 * bytes as f64 * (cols / len as f64).ceil() / cols
        }));
    }
    for format in Format::ALL.into_iter().filter(|f| only.is_none_or(|only| only == *f)) {
        // Every u32 is a row length that fits.
        format.row_bytes(u32::MAX as usize).map_err(|e| Stop::Line(e.to_string()))?;
        let bits = move |cols: u32| match format.row_bytes(cols as usize) {
            Ok(bytes) => 8.0 * bytes as f64 / f64::from(cols),
            Err(_) => f64::NAN,
        };
        lines.push(Line { name: format.name(), bits: Box::new(bits), format: Some(format) });
    }
    Ok(lines)
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let cols = args.cols.unwrap_or(4096);
    let models = match args.params {
        Some(params) => vec![Shapes::plain(params, cols)],
        None => vec![
            Shapes::llama("70B", 80.0, 8192, 28672, 1024, 128_256),
            Shapes::llama("405B", 126.0, 16384, 53248, 1024, 128_256),
        ],
    };
    let lines = lines(args.format)?;
    if args.measure {
        threads::start(args.threads.get())?;
    }
    for model in &models {
        if !model.name.is_empty() {
            ui::print(&format!("{}: {:.0} parameters\n", model.name, model.values()));
        }
        print_model(args, model, &lines)?;
        if !model.name.is_empty() {
            ui::print("\n");
        }
    }
    print_notes(args, cols);
    Ok(())
}

fn print_model(args: &Args, model: &Shapes, lines: &[Line]) -> Result<(), Stop> {
    let mut headings = vec!["format", ">bits/weight", ">bytes", ">size", ">GiB", ">against F32"];
    if args.bandwidth.is_some() {
        headings.push(">tokens/s, estimate");
    }
    if args.measure {
        headings.extend([">Gweights/s", ">tokens/s, measured"]);
    }
    let mut table = ui::table(&headings);
    for line in lines {
        let (bytes, read) = model.bytes(&line.bits);
        let bits = 8.0 * bytes / model.values();
        let mut row = vec![
            line.name.to_owned(),
            format!("{bits:.4}"),
            format!("{bytes:.0}"),
            ui::size(bytes),
            format!("{:.3}", bytes / 1_073_741_824.0),
            format!("{:.2}x", 32.0 / bits),
        ];
        if let Some(bandwidth) = args.bandwidth {
            row.push(rate(bandwidth * 1e9 / read));
        }
        if args.measure {
            row.extend(match line.format {
                Some(format) => measured(model, format, args.working_set)?,
                None => ["".to_owned(), "".to_owned()],
            });
        }
        table.add_row(row);
    }
    ui::print_table(&table);
    Ok(())
}

/// Weights and tokens a second, from the speed at each row length.
fn measured(model: &Shapes, format: Format, megabytes: u32) -> Result<[String; 2], Stop> {
    let mut speeds: Vec<(u32, Speed)> = Vec::new();
    let (mut seconds, mut values) = (0.0, 0.0);
    for m in model.matrices.iter().filter(|m| m.read) {
        let speed = match speeds.iter().find(|(cols, _)| *cols == m.cols) {
            Some((_, speed)) => *speed,
            None => measure(format, m.cols as usize, megabytes).map_err(|e| Stop::Line(e.to_string()))?,
        };
        if speeds.is_empty() {
            seconds += model.activations * speed.per_activation;
        }
        speeds.push((m.cols, speed));
        seconds += m.values * speed.per_weight;
        values += m.values;
    }
    Ok([format!("{:.2}", values / seconds / 1e9), rate(1.0 / seconds)])
}

/// Three digits that count, at least one of them behind the point.
fn rate(tokens: f64) -> String {
    let decimals = (2.0 - tokens.log10().floor()).clamp(1.0, 9.0);
    format!("{tokens:.0$}", decimals as usize)
}

fn print_notes(args: &Args, cols: u32) {
    if args.params.is_some() {
        ui::print(&format!("Weights only, rows of {cols}; scales and padding included.\n"));
    } else {
        ui::print(
            "Weights only: attention, feed-forward, embedding and output matrices of Llama 3's shapes, norms in F32; \
             scales and padding included.\n",
        );
    }
    if let Some(bandwidth) = args.bandwidth {
        ui::print(&format!(
            "tokens/s is an estimate: {bandwidth} GB/s over the weights that a token reads (all but the embedding \
             table); no cache of keys and values, no time for anything but reading.\n"
        ));
    }
    if args.measure {
        ui::print(&format!(
            "tokens/s is measured on this machine: {}, tier {}, int8 activations, batch 1; matrix-vector \
             products over {} MB of weights (less for a format that takes more than 0.15 s for them) at the row lengths \
             of the model, scaled to all that a token reads; no attention, no other work.\n",
            match args.threads.get() {
                1 => "one thread".to_owned(),
                n => format!("{n} threads"),
            },
            hybridq::simd::active().name(),
            args.working_set
        ));
    }
}

fn parse_bandwidth(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(n) if n > 0.0 && n <= 1e6 => Ok(n),
        _ => Err("expected gigabytes a second, above 0 and at most 1e6".to_owned()),
    }
}

fn parse_count(text: &str) -> Result<f64, String> {
    let units = [('k', 1e3), ('m', 1e6), ('b', 1e9), ('g', 1e9), ('t', 1e12)];
    let lower = text.trim().to_ascii_lowercase();
    let unit = units.iter().find(|(letter, _)| lower.ends_with(*letter));
    let (number, factor) = match unit {
        Some((letter, factor)) => (lower.trim_end_matches(*letter), *factor),
        None => (lower.as_str(), 1.0),
    };
    match number.parse::<f64>() {
        Ok(n) if n.is_finite() && (1.0..=1e18).contains(&(n * factor)) => Ok(n * factor),
        _ => Err("expected a count from 1 to 1e18, such as 70e9, 70B or 350M".to_owned()),
    }
}
