//! What a run learns from, and what it is judged by.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hybridq::io::csv::{self, Options};
use hybridq::io::printable;
use hybridq::train::{Config, Dataset, Exported, LabelColumn, ModelKind, Vocabulary};

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
    /// Rows to learn from: .csv, .tsv or .npy, a class (whole numbers from 0) and features in each; for a model of kind
    /// attention a text
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

impl ColumnArg {
    fn column(self) -> LabelColumn {
        match self {
            ColumnArg::First => LabelColumn::First,
            ColumnArg::Last => LabelColumn::Last,
        }
    }
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
    /// The characters of a text.
    pub vocabulary: Option<Vocabulary>,
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
    pub fn rows(&self, config: &Config) -> Result<Rows, Stop> {
        let (validation, seed) = (config.validation, config.seed);
        let context = (config.model.kind == ModelKind::Attention).then_some(config.model.context);
        let mut vocabulary = None;
        let column = self.label_column.map_or(LabelColumn::First, ColumnArg::column);
        if self.digits && context.is_some() {
            let line = "the digits are no text; name one as DATA, or choose another model.kind";
            return Err(Stop::Line(line.into()));
        }
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
            let (all, test) = match context {
                Some(context) => {
                    if self.label_column.is_some() || self.scale.is_some() {
                        let line =
                            "a text has neither columns nor a scale; leave --label-column and --scale out";
                        return Err(Stop::Line(line.into()));
                    }
                    let (all, characters) = Dataset::open_text(path, context)?;
                    let test = self.test.as_ref().map(|path| characters.open(path, context)).transpose()?;
                    vocabulary = Some(characters);
                    (all, test)
                }
                None => {
                    let all = Dataset::open(path, column, self.scale())?;
                    let others = |path: &PathBuf| all.open_others(path, column, self.scale());
                    let test = self.test.as_ref().map(others).transpose()?;
                    (all, test)
                }
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
        Ok(Rows { train, held_back, test, vocabulary, test_name })
    }
}

/// The rows that trained networks are judged by.
#[derive(clap::Args)]
pub struct JudgeArgs {
    /// Rows with labels: .csv, .tsv or .npy; for a model of texts a text
    #[arg(long, value_name = "FILE", required_unless_present = "digits")]
    test: Option<PathBuf>,
    /// The 360 handwritten digits that come with the program, and that `train --digits` does not learn from
    #[arg(long, conflicts_with_all = ["test", "label_column"])]
    digits: bool,
    /// Which column is the class [default: first]
    #[arg(long)]
    label_column: Option<ColumnArg>,
}

impl JudgeArgs {
    /// Reads them as a network wants them.
    pub fn rows(&self, network: &Exported) -> Result<Dataset, Stop> {
        let [features, classes] = network.shape();
        let labels_per_row = network.labels_per_row();
        let kind = Dataset { features, classes, labels_per_row, x: Vec::new(), labels: Vec::new() };
        let column = self.label_column.map_or(LabelColumn::First, ColumnArg::column);
        let [_, (name, bytes)] = DIGITS;
        let path = self.test.as_deref().unwrap_or(Path::new(name));
        if let (Some(characters), Some(path)) = (network.vocabulary(), &self.test) {
            return Ok(Vocabulary::of(characters).open(path, features)?);
        }
        if self.digits {
            let table = csv::parse(bytes, path, &Options::default())?;
            let found = Dataset::of_table(&table, path, column, network.scale())?;
            kind.fits(&found, path)?;
            return Ok(found);
        }
        Ok(kind.open_others(path, column, network.scale())?)
    }
}
