//! The data of the tasks, split into rows for training and rows for testing.

use std::path::Path;

use hybridq::train::{Dataset, LabelColumn, Vocabulary};

use crate::Failure;

/// Rows that the training loss is taken over: more would say no more.
const PROBE: usize = 1000;

/// Rows to train with, rows that nothing is chosen by, and some of the former to take the training loss of.
pub struct Rows {
    pub train: Dataset,
    pub test: Dataset,
    pub probe: Dataset,
}

impl Rows {
    fn new(train: Dataset, test: Dataset) -> Rows {
        let part = PROBE as f32 / train.rows().max(1) as f32;
        let probe = if part < 1.0 { train.split(part, 2).1 } else { train.clone() };
        Rows { train, test, probe }
    }
}

/// The data of a task.
pub enum Data {
    /// One split for all seeds, and one of its training rows for tuning.
    Fixed { whole: Rows, tuning: Rows },
    /// Every seed has a split of all rows; tuning is on the training rows of the fixed one.
    EachSeed { all: Dataset, tuning: Rows },
}

/// The rows of a run.
pub enum Lent<'a> {
    Shared(&'a Rows),
    Own(Box<Rows>),
}

impl std::ops::Deref for Lent<'_> {
    type Target = Rows;

    fn deref(&self) -> &Rows {
        match self {
            Lent::Shared(rows) => rows,
            Lent::Own(rows) => rows,
        }
    }
}

impl Data {
    /// `digits`, `digits_splits` (in the repository), `mnist` (fetched by `fetch.sh`), `text` (here, `context` characters a row).
    pub fn open(name: &str, root: &Path, fetched: &Path, context: usize) -> Result<Data, Failure> {
        let digits = |file: &str| -> Result<Dataset, Failure> {
            let path = root.join("data/digits").join(file);
            Ok(Dataset::open(&path, LabelColumn::First, 1.0 / 16.0)?)
        };
        match name {
            "digits" => Ok(fixed(digits("train.csv")?, digits("test.csv")?)),
            "digits_splits" => {
                let (mut all, test) = (digits("train.csv")?, digits("test.csv")?);
                let tuning = tuning(&all);
                all.x.extend_from_slice(&test.x);
                all.labels.extend_from_slice(&test.labels);
                Ok(Data::EachSeed { all, tuning })
            }
            // To look around in before an experiment is fixed: no test image is seen.
            "digits_tuning" => {
                let train = digits("train.csv")?;
                Ok(Data::EachSeed { tuning: tuning(&train), all: train })
            }
            "mnist" => {
                let path = fetched.join("mnist_5k.csv");
                let all = Dataset::open(&path, LabelColumn::Last, 1.0 / 255.0)?;
                let (train, test) = all.split(0.2, 0);
                Ok(fixed(train, test))
            }
            "text" => {
                let path = root.join("benches/training/text.txt");
                let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
                let vocabulary = Vocabulary::of(&text);
                // The end of a text is foretold from its beginning; rows at random would lie side by side.
                let (rest, test) = cut(&text, 0.9);
                let (less, held) = cut(rest, 0.8);
                let rows = |part: &str| vocabulary.rows(part, context, &path);
                Ok(Data::Fixed {
                    whole: Rows::new(rows(rest)?, rows(test)?),
                    tuning: Rows::new(rows(less)?, rows(held)?),
                })
            }
            other => Err(format!("there are no data called {other}").into()),
        }
    }

    /// Those of a run.
    pub fn rows(&self, seed: u64, for_tuning: bool) -> Lent<'_> {
        match self {
            Data::Fixed { tuning, .. } | Data::EachSeed { tuning, .. } if for_tuning => Lent::Shared(tuning),
            Data::Fixed { whole, .. } => Lent::Shared(whole),
            Data::EachSeed { all, .. } => {
                let (train, test) = all.split(0.2, 100 + seed);
                Lent::Own(Box::new(Rows::new(train, test)))
            }
        }
    }
}

fn fixed(train: Dataset, test: Dataset) -> Data {
    Data::Fixed { tuning: tuning(&train), whole: Rows::new(train, test) }
}

/// Four fifths of training rows to train with, one fifth to tune by.
fn tuning(train: &Dataset) -> Rows {
    let (train, held) = train.split(0.2, 1);
    Rows::new(train, held)
}

/// A text in two, at the end of a line.
fn cut(text: &str, part: f64) -> (&str, &str) {
    let about = (text.len() as f64 * part) as usize;
    let at = text.bytes().skip(about).position(|b| b == b'\n').map_or(text.len(), |i| about + i + 1);
    text.split_at(at)
}
