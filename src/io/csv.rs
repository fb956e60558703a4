//! Text tables: one row of numbers a line.
//!
//! Cells stand between delimiters, quoted or not (RFC 4180, by the crate `csv`); spaces around numbers and empty lines do
//! not matter. Every line has as many cells as the first one. Unless told, the first line is a header if any of its
//! cells is no number: a table whose columns are named by numbers needs `header: Some(true)`.

use std::path::Path;

use super::matrix::Matrix;
use super::{ErrorKind, IoError, printable};

/// How to read text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The byte between cells; a comma if `None`.
    pub delimiter: Option<u8>,
    /// Whether the first line names the columns; found out if `None`.
    pub header: Option<bool>,
}

/// The table in `bytes`; errors call it `path`.
pub fn parse(bytes: &[u8], path: &Path, options: &Options) -> Result<Matrix, IoError> {
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(options.delimiter.unwrap_or(b','))
        .from_reader(bytes);
    let mut record = ::csv::ByteRecord::new();
    let (mut data, mut cols, mut first_line) = (Vec::new(), 0usize, 0u64);
    let mut header = options.header;
    loop {
        let more = reader.read_byte_record(&mut record).map_err(|e| {
            IoError::malformed(path, format!("cannot be read as text: {}", printable(&e.to_string())))
        })?;
        if !more {
            break;
        }
        let line = record.position().map_or(0, |at| line(bytes, at));
        if cols == 0 {
            (cols, first_line) = (record.len(), line);
            if *header.get_or_insert_with(|| record.iter().any(|cell| number(cell).is_none())) {
                continue;
            }
        }
        if record.len() != cols {
            let what = format!("line {line} has {} cells, and line {first_line} has {cols}", record.len());
            let mend = "give every line as many cells, or another --delimiter";
            return Err(IoError::new(ErrorKind::Data, path, what, mend));
        }
        for (column, cell) in (1..).zip(record.iter()) {
            let place = format!("line {line}, column {column}");
            let Some(wide) = number(cell) else {
                let text = String::from_utf8_lossy(cell);
                let text = text.trim();
                let what = match text {
                    "" => format!("{place} is empty"),
                    _ => format!("{place} is no number: '{}'", printable(text)),
                };
                let mend = "give numbers only, another --delimiter, or a header in the first line alone";
                return Err(IoError::new(ErrorKind::Data, path, what, mend));
            };
            let value = wide as f32;
            if !value.is_finite() {
                return Err(Matrix::refuse(path, wide, &place));
            }
            data.push(value);
        }
    }
    if data.is_empty() {
        let what = if cols == 0 { "is empty" } else { "holds a header and no rows" };
        return Err(IoError::new(
            ErrorKind::Data,
            path,
            what,
            "name a file with at least one row of numbers",
        ));
    }
    Ok(Matrix { rows: data.len() / cols, cols, data })
}

/// The line on which a record begins. Its position is that of the empty lines before it.
fn line(bytes: &[u8], at: &::csv::Position) -> u64 {
    let rest = bytes.get(at.byte() as usize..).unwrap_or_default();
    let empty = rest.iter().take_while(|b| matches!(b, b'\n' | b'\r')).filter(|b| **b == b'\n').count();
    at.line() + empty as u64
}

/// A cell as Rust reads f64, so that what f32 cannot hold is told from infinity.
fn number(cell: &[u8]) -> Option<f64> {
    std::str::from_utf8(cell).ok()?.trim().parse().ok()
}
