//! Tables of numbers: samples to cluster, centroids, labels. `.npy` and text alike.

use std::path::Path;

use super::atomic::AtomicFile;
use super::{ErrorKind, IoError, MappedFile, csv, npy};

/// Rows of f32 values, row after row; all of them finite.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    /// Rows: samples.
    pub rows: usize,
    /// Columns: features.
    pub cols: usize,
    /// `rows * cols` values.
    pub data: Vec<f32>,
}

/// What a file of numbers is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// NumPy's format.
    Npy,
    /// Text, with this byte between cells.
    Csv(u8),
}

impl Kind {
    /// By the extension of the name: `.npy`; `.tsv` with tabs; `.csv` and `.txt` with commas.
    pub fn of(path: &Path) -> Result<Kind, IoError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
        match extension.as_deref() {
            Some("npy") => Ok(Kind::Npy),
            Some("tsv") => Ok(Kind::Csv(b'\t')),
            Some("csv" | "txt") => Ok(Kind::Csv(b',')),
            _ => Err(IoError::new(
                ErrorKind::Request,
                path,
                "ends in none of .npy, .csv, .tsv and .txt",
                "name a file that does",
            )),
        }
    }
}

impl Matrix {
    /// Reads a file of numbers. What begins like `.npy` is read as such whatever its name; text is read as `text` says,
    /// with the delimiter of its extension unless that names one.
    pub fn open(path: &Path, text: &csv::Options) -> Result<Matrix, IoError> {
        let file = MappedFile::open(path)?;
        if file.bytes().starts_with(npy::MAGIC) {
            return npy::parse(file.bytes(), path);
        }
        match Kind::of(path)? {
            Kind::Npy => npy::parse(file.bytes(), path),
            Kind::Csv(delimiter) => {
                let delimiter = text.delimiter.unwrap_or(delimiter);
                csv::parse(file.bytes(), path, &csv::Options { delimiter: Some(delimiter), ..*text })
            }
        }
    }

    /// Refuses what does not fit f32, and NaN and infinity; `row` and `column` count from 1.
    pub(super) fn refuse(path: &Path, value: f64, place: &str) -> IoError {
        let what = if value.is_nan() {
            format!("{place} is NaN")
        } else if value.is_infinite() {
            format!("{place} is infinite")
        } else {
            format!("{place} is {value:e}, beyond the range of f32")
        };
        IoError::new(ErrorKind::Data, path, what, "drop or replace such values first")
    }
}

/// Writes rows of f32 values as `kind`; the file appears whole or not at all.
pub fn write_matrix(
    path: &Path,
    kind: Kind,
    cols: usize,
    data: &[f32],
    overwrite: bool,
) -> Result<(), IoError> {
    let mut file = AtomicFile::create(path, overwrite)?;
    match kind {
        Kind::Npy => {
            file.put(&npy::header("<f4", &[data.len() / cols.max(1), cols]))?;
            for v in data {
                file.put(&v.to_le_bytes())?;
            }
        }
        Kind::Csv(delimiter) => {
            for row in data.chunks(cols.max(1)) {
                let cells: Vec<String> = row.iter().map(f32::to_string).collect();
                file.put(cells.join(&char::from(delimiter).to_string()).as_bytes())?;
                file.put(b"\n")?;
            }
        }
    }
    file.commit()
}

/// Writes labels: a vector of 32-bit integers, or one a line.
pub fn write_labels(path: &Path, kind: Kind, labels: &[u32], overwrite: bool) -> Result<(), IoError> {
    let mut file = AtomicFile::create(path, overwrite)?;
    match kind {
        Kind::Npy => {
            file.put(&npy::header("<u4", &[labels.len()]))?;
            for label in labels {
                file.put(&label.to_le_bytes())?;
            }
        }
        Kind::Csv(_) => {
            for label in labels {
                file.put(format!("{label}\n").as_bytes())?;
            }
        }
    }
    file.commit()
}
