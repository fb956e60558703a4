//! What a run learns from, and what it is judged by.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hybridq::io::csv::{self, Options};
use hybridq::io::printable;
use hybridq::train::{Dataset, LabelColumn};

use crate::Stop;

/// The images of data/digits (CC BY 4.0; see the README there).
const DIGITS: [(&str, &[u8]); 2] = [
    ("digits/train.csv", include_bytes!("../../../../data/digits/train.csv")),
    ("digits/test.csv", include_bytes!("../../../../data/digits/test.csv")),
];
/// Tells the draw of test rows from that of held-back ones.
const TEST_SEED: u64 = 0x7465_7374;
/// The part of the rows that is split off to test by.
const TEST_PART: f32 = 0.2;

/// Where rows come from.
#[derive(clap::Args)]
pub struct DataArgs {
    /// Rows to learn from: .csv, .tsv or .npy, a class (whole numbers from 0) and features in each
    #[arg(value_name = "DATA")]
    data: Option<PathBuf>,
    /// Learn from the 1437 handwritten digits that come with the program, and test by the other 360
    #[arg(long, conflicts_with_all = ["data", "test", "test_part", "label_column", "scale"])]
    digits: bool,
    /// Rows to test by, never learnt from [default: a part of DATA]
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Without --test: the part of DATA that is split off to test by, of every class alike [default: 0.2]
    #[arg(long, value_name = "PART", conflicts_with = "test", value_parser = test_part)]
    test_part: Option<f32>,
    /// Which column is the class [default: first]
    #[arg(long)]
    label_column: Option<ColumnArg>,
    /// What features are multiplied by, a number or a fraction such as 1/255 [default: 1]
    #[arg(long, value_name = "NUMBER", value_parser = scale)]
    scale: Option<f32>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ColumnArg {
    First,
    Last,
}

fn test_part(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value > 0.0 && value <= 0.9 => Ok(value),
        _ => Err("expected a part above 0, at most 0.9".to_owned()),
    }
}

fn scale(text: &str) -> Result<f32, String> {
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    let value = above.trim().parse::<f32>().ok().zip(below.trim().parse::<f32>().ok()).map(|(a, b)| a / b);
    match value {
        Some(value) if value > 0.0 && value.is_finite() => Ok(value),
        _ => Err("expected a positive number, or a fraction such as 1/255".to_owned()),
    }
}

/// The rows of a run.
pub struct Rows {
    pub train: Dataset,
    /// To choose the best epoch by; `None` if nothing is held back.
    pub held_back: Option<Dataset>,
    pub test: Dataset,
    /// Where the test rows come from.
    pub test_name: String,
}

impl DataArgs {
    /// The files that are read.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.data.iter().chain(&self.test).map(PathBuf::as_path)
    }

    /// What raw features are multiplied by.
    pub fn scale(&self) -> f32 {
        if self.digits { 1.0 / 16.0 } else { self.scale.unwrap_or(1.0) }
    }

    /// Reads and divides them.
    pub fn rows(&self, validation: f32, seed: u64) -> Result<Rows, Stop> {
        let column = match self.label_column {
            Some(ColumnArg::Last) => LabelColumn::Last,
            _ => LabelColumn::First,
        };
        let (all, test, test_name) = if self.digits {
            let [train, test] = DIGITS.map(|(name, bytes)| {
                let path = Path::new(name);
                Dataset::of_table(&csv::parse(bytes, path, &Options::default())?, path, column, self.scale())
            });
            (train?, Some(test?), "the digits' own".to_owned())
        } else {
            let Some(path) = &self.data else {
                let line = "no rows to learn from; name a .csv, .tsv or .npy file, or pass --digits";
                return Err(Stop::Line(line.into()));
            };
            let all = Dataset::open(path, column, self.scale())?;
            let test = match &self.test {
                Some(path) => Some(all.open_others(path, column, self.scale())?),
                None => None,
            };
            let name = self.test.as_ref().map(|p| printable(&p.to_string_lossy()));
            (all, test, name.unwrap_or_default())
        };
        let (rest, test, test_name) = match test {
            Some(test) => (all, test, test_name),
            None => {
                let part = self.test_part.unwrap_or(TEST_PART);
                let (rest, test) = all.split(part, seed ^ TEST_SEED);
                if test.rows() == 0 {
                    let file = self.data.as_ref().map_or(String::new(), |p| printable(&p.to_string_lossy()));
                    return Err(Stop::Line(format!(
                        "{file}: has too few rows to split some off to test by; give others with --test"
                    )));
                }
                (rest, test, format!("{:.0} % of the file", 100.0 * part))
            }
        };
        let (train, held_back) = match validation > 0.0 {
            true => rest.split(validation, seed),
            false => (rest.clone(), rest.select(&[])),
        };
        let held_back = (held_back.rows() > 0).then_some(held_back);
        Ok(Rows { train, held_back, test, test_name })
    }
}
