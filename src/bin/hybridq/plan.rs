//! `hybridq plan`: how much memory a model takes in each format.

use hybridq::quant::Format;

use crate::recipe::format_parser;
use crate::{Stop, ui};

/// Show the memory that weights take in each format, before you download anything.
#[derive(clap::Args)]
pub struct Args {
    /// How many weights: 70e9, 70B, 350M, 22713216
    #[arg(long, value_parser = parse_count)]
    params: f64,
    /// Only this format, beside F32 and F16
    #[arg(long, ignore_case = true, value_parser = format_parser())]
    format: Option<Format>,
    /// The length of a row: what scales and padding depend on
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u32).range(1..))]
    cols: u32,
}

pub fn run(args: &Args) -> Result<(), Stop> {
    let mut table = ui::table(&["format", ">bits/weight", ">bytes", ">size", ">GiB", ">against F32"]);
    let mut row = |name: &str, bits: f64| {
        let bytes = (args.params * bits / 8.0).ceil();
        table.add_row([
            name.to_owned(),
            format!("{bits:.4}"),
            format!("{bytes:.0}"),
            ui::size(bytes),
            format!("{:.3}", bytes / 1_073_741_824.0),
            format!("{:.2}x", 32.0 / bits),
        ]);
    };
    row("f32", 32.0);
    row("f16", 16.0);
    for format in Format::ALL {
        if args.format.is_none_or(|only| only == format) {
            let bytes = format.row_bytes(args.cols as usize).map_err(|e| Stop::Line(e.to_string()))?;
            row(format.name(), 8.0 * bytes as f64 / f64::from(args.cols));
        }
    }
    ui::print_table(&table);
    ui::print(&format!("Weights only, rows of {}; scales and padding included.\n", args.cols));
    Ok(())
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
