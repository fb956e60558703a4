//! The theorems of docs/theorems.md. A name that ends in `_exhaustively` goes through every case of a finite domain;
//! the others take random cases and the bounds.

#[path = "../common/mod.rs"]
mod common;

mod codes;
mod errors;
mod page;
mod products;
mod rows;

use hybridq::quant::{Fit, Format, Options, dequantize, quantize, quantize_workspace_size};

fn pack(format: Format, fit: Fit, rows: usize, x: &[f32]) -> Vec<u8> {
    let options = Options::new(format).fit(fit);
    let cols = x.len() / rows;
    let mut out = vec![0xA5; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, x, &mut out, &mut scratch).unwrap();
    out
}

fn unpack(format: Format, cols: usize, row: &[u8]) -> Vec<f32> {
    let mut out = vec![f32::NAN; cols];
    dequantize(format, 1, cols, row, &mut out).unwrap();
    out
}

/// The simplest fit of a format: from the range where it has one.
fn range_fit(format: Format) -> Fit {
    match format {
        Format::Q35P => Fit::MinMax,
        Format::Q35B => Fit::Mse,
        _ => Fit::AbsMax,
    }
}
