//! Samples with labels, checked before the first step.

use std::path::Path;

use crate::io::matrix::Matrix;
use crate::io::{ErrorKind, IoError, csv};
use crate::math::Random;

use super::error::{TrainError, config};

/// Where the labels stand in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LabelColumn {
    /// In the first column.
    #[default]
    First,
    /// In the last one.
    Last,
}

/// Rows of features with a class each; or of characters, with the next one for each ([`Dataset::open_text`]).
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Features of a row.
    pub features: usize,
    /// Classes: labels are below.
    pub classes: usize,
    /// 1, or one for each feature: those are numbers of characters then.
    pub labels_per_row: usize,
    /// `rows * features` values, all finite.
    pub x: Vec<f32>,
    /// `rows * labels_per_row` labels.
    pub labels: Vec<u32>,
}

impl Dataset {
    /// Reads a table of numbers (`.npy`, `.csv`, `.tsv`) whose first or last column is a class: whole numbers from 0. Features are
    /// multiplied by `scale`.
    ///
    /// # Errors
    /// What is no table of finite numbers; labels that are not whole numbers from 0 to 65535, with their row; a class that has no
    /// row below the largest; less than two classes.
    pub fn open(path: &Path, column: LabelColumn, scale: f32) -> Result<Dataset, IoError> {
        Dataset::of_table(&Matrix::open(path, &csv::Options::default())?, path, column, scale)
    }

    /// The same from a table in memory; errors call it `path`.
    ///
    /// # Errors
    /// As [`Dataset::open`].
    pub fn of_table(
        table: &Matrix,
        path: &Path,
        column: LabelColumn,
        scale: f32,
    ) -> Result<Dataset, IoError> {
        let found = Dataset::rows_of(table, path, column, scale)?;
        let classes = found.classes;
        let mut seen = vec![false; classes];
        found.labels.iter().for_each(|&l| seen[l as usize] = true);
        if classes < 2 {
            return Err(data(path, "has rows of one class only".into(), "give at least two classes"));
        }
        if let Some(missing) = seen.iter().position(|s| !s) {
            let what = format!("has labels up to {}, but no row of class {missing}", classes - 1);
            return Err(data(path, what, "number the classes without gaps"));
        }
        Ok(found)
    }

    /// Reads rows to judge a network by that learns from `self`; they need not have every class.
    ///
    /// # Errors
    /// As [`Dataset::open`] and [`Dataset::fits`].
    pub fn open_others(&self, path: &Path, column: LabelColumn, scale: f32) -> Result<Dataset, IoError> {
        let table = Matrix::open(path, &csv::Options::default())?;
        let found = Dataset::rows_of(&table, path, column, scale)?;
        self.fits(&found, path)?;
        Ok(Dataset { classes: self.classes, ..found })
    }

    fn rows_of(table: &Matrix, path: &Path, column: LabelColumn, scale: f32) -> Result<Dataset, IoError> {
        if table.cols < 2 {
            let what = format!("has {} column: a label and at least one feature are needed", table.cols);
            return Err(data(path, what, "give a table of labels and features"));
        }
        let features = table.cols - 1;
        let (mut x, mut labels) = (Vec::with_capacity(table.rows * features), Vec::with_capacity(table.rows));
        for (row, values) in (1..).zip(table.data.chunks_exact(table.cols)) {
            let (label, rest) = match column {
                LabelColumn::First => (values[0], &values[1..]),
                LabelColumn::Last => (values[features], &values[..features]),
            };
            if !(0.0..=65535.0).contains(&label) || label.fract() != 0.0 {
                let what =
                    format!("row {row} has the label {label}, which is no whole number from 0 to 65535");
                return Err(data(
                    path,
                    what,
                    "number the classes from 0, or say which column has the labels",
                ));
            }
            labels.push(label as u32);
            x.extend(rest.iter().map(|v| v * scale));
        }
        let classes = labels.iter().max().map_or(0, |&m| m as usize + 1);
        Ok(Dataset { features, classes, labels_per_row: 1, x, labels })
    }

    /// Rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.labels.len() / self.labels_per_row.max(1)
    }

    /// Refuses what cannot be learnt from; [`Dataset::open`] has asked already, this is for tables that were made in another
    /// way.
    ///
    /// # Errors
    /// Lengths that are not those of whole rows, no rows, less than two classes; features that are not finite and labels of no
    /// class, with their row. [`TrainError::Config`], of `data`.
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse = |what: String, mend| Err(config("data", what, mend));
        let rows = self.rows();
        if !(self.labels_per_row == 1 || self.labels_per_row == self.features)
            || self.features == 0
            || rows == 0
            || rows.checked_mul(self.labels_per_row) != Some(self.labels.len())
            || rows.checked_mul(self.features) != Some(self.x.len())
        {
            let what = format!("has {} features and {} labels", self.x.len(), self.labels.len());
            return refuse(what, "give whole rows");
        }
        if self.classes < 2 {
            return refuse("has rows of one class only".into(), "give at least two classes");
        }
        if let Some(at) = self.x.iter().position(|v| !v.is_finite()) {
            let what = format!("has the feature {} in row {}", self.x[at], at / self.features + 1);
            return refuse(what, "give finite numbers");
        }
        if let Some(at) = self.labels.iter().position(|&l| l as usize >= self.classes) {
            let (label, row) = (self.labels[at], at / self.labels_per_row + 1);
            let what = format!("has the label {label} in row {row}, and {} classes", self.classes);
            return refuse(what, "number the classes from 0");
        }
        if self.labels_per_row > 1
            && let Some(at) =
                self.x.iter().position(|&v| v.fract() != 0.0 || !(0.0..self.classes as f32).contains(&v))
        {
            let what = format!("has the character {} in row {}", self.x[at], at / self.features + 1);
            return refuse(what, "number the characters from 0");
        }
        Ok(())
    }

    /// Refuses a table that this one cannot be judged by.
    ///
    /// # Errors
    /// Another number of features; a class that this one does not have.
    pub fn fits(&self, other: &Dataset, path: &Path) -> Result<(), IoError> {
        if (other.features, other.labels_per_row) != (self.features, self.labels_per_row) {
            let what =
                format!("has {} features, and the training data have {}", other.features, self.features);
            return Err(data(path, what, "give tables of one kind"));
        }
        if other.classes > self.classes {
            let what =
                format!("has class {}, and the training data end at {}", other.classes - 1, self.classes - 1);
            return Err(data(path, what, "train with rows of every class"));
        }
        Ok(())
    }

    /// Some rows, in that order.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Dataset {
        let (f, l) = (self.features, self.labels_per_row);
        Dataset {
            features: f,
            classes: self.classes,
            labels_per_row: l,
            x: rows.iter().flat_map(|&r| &self.x[r * f..(r + 1) * f]).copied().collect(),
            labels: rows.iter().flat_map(|&r| &self.labels[r * l..(r + 1) * l]).copied().collect(),
        }
    }

    /// Holds back a part of the rows of every class, but never the last one of a class; of a text, a part of all rows: the rest,
    /// and what is held back. A function of the seed.
    #[must_use]
    pub fn split(&self, part: f32, seed: u64) -> (Dataset, Dataset) {
        let (mut keep, mut held) = (Vec::new(), Vec::new());
        let one_each = self.labels_per_row == 1;
        for class in 0..if one_each { self.classes as u32 } else { 1 } {
            let of_class = |&r: &usize| !one_each || self.labels[r] == class;
            let mut rows: Vec<usize> = (0..self.rows()).filter(of_class).collect();
            let mut random = Random::new(seed, 0x73_706C_6974 << 16 | class as u64);
            for i in (1..rows.len()).rev() {
                rows.swap(i, random.below(i as u64 + 1) as usize);
            }
            let count = ((rows.len() as f32 * part).round() as usize).min(rows.len().saturating_sub(1));
            held.extend_from_slice(&rows[..count]);
            keep.extend_from_slice(&rows[count..]);
        }
        keep.sort_unstable();
        held.sort_unstable();
        (self.select(&keep), self.select(&held))
    }

    /// What the rows are clustered by: their features; of a text how often they have each character.
    pub(super) fn points(&self) -> (usize, std::borrow::Cow<'_, [f32]>) {
        if self.labels_per_row == 1 {
            return (self.features, (&self.x[..]).into());
        }
        let mut counts = vec![0.0; self.rows() * self.classes];
        for (row, counts) in self.x.chunks_exact(self.features).zip(counts.chunks_exact_mut(self.classes)) {
            row.iter().for_each(|&character| counts[character as usize] += 1.0);
        }
        (self.classes, counts.into())
    }
}

fn data(path: &Path, what: String, mend: &'static str) -> IoError {
    IoError::new(ErrorKind::Data, path, what, mend)
}
