//! Quantizing on the threads of the current rayon pool (feature `rayon`).

use rayon::prelude::*;

use crate::Error;

use super::{
    Format, Granularity, Options, quantize, quantize_weighted, quantize_weighted_workspace_size,
    quantize_workspace_size,
};

/// Values that a slice has at least: tens of microseconds of the fastest quantizer.
const LEAST: usize = 16 << 10;
/// Slices a thread, so that one that is held up does not hold up all.
const SLICES: usize = 4;

/// [`quantize`] on the threads of the current rayon pool: the rows are split, the bytes are the same.
///
/// With [`Granularity::Tensor`] all values are one group: that runs on the calling thread. Scratch is allocated here, and
/// the packed bytes are kept twice until all rows are done.
///
/// # Errors
/// As [`quantize`], but for [`Error::WorkspaceTooSmall`]. `out` is untouched then.
///
/// ```
/// use hybridq::quant::{Format, Options, quantize, quantize_parallel, quantize_workspace_size};
/// let (rows, cols, format) = (300, 256, Format::Tq2_0);
/// let options = Options::new(format);
/// let x: Vec<f32> = (0..rows * cols).map(|i| (i % 17) as f32 - 8.0).collect();
/// let mut packed = vec![0; format.matrix_bytes(rows, cols)?];
/// quantize_parallel(format, &options, rows, cols, &x, &mut packed)?;
/// let mut other = vec![0; packed.len()];
/// let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols)?];
/// quantize(format, &options, rows, cols, &x, &mut other, &mut scratch)?;
/// assert_eq!(packed, other);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn quantize_parallel(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
    x: &[f32],
    out: &mut [u8],
) -> Result<(), Error> {
    let run = |rows: usize, x: &[f32], out: &mut [u8]| {
        let mut scratch = vec![0; quantize_workspace_size(format, options, rows, cols)?];
        quantize(format, options, rows, cols, x, out, &mut scratch)
    };
    split(format, options, (rows, cols), x, out, run)
}

/// [`quantize_weighted`] on the threads of the current rayon pool: the rows are split, the bytes are the same. Otherwise as
/// [`quantize_parallel`].
///
/// # Errors
/// As [`quantize_weighted`], but for [`Error::WorkspaceTooSmall`]. `out` is untouched then.
///
/// ```
/// use hybridq::quant::{Format, Options, quantize_weighted_parallel};
/// let (rows, cols, format) = (300, 256, Format::Q35B);
/// let x: Vec<f32> = (0..rows * cols).map(|i| (i % 17) as f32 - 8.0).collect();
/// let importance: Vec<f32> = (0..cols).map(|i| 1.0 + (i % 5) as f32).collect();
/// let mut packed = vec![0; format.matrix_bytes(rows, cols)?];
/// quantize_weighted_parallel(format, &Options::new(format), rows, cols, &x, &importance, &mut packed)?;
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn quantize_weighted_parallel(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
    x: &[f32],
    importance: &[f32],
    out: &mut [u8],
) -> Result<(), Error> {
    let run = |rows: usize, x: &[f32], out: &mut [u8]| {
        let mut scratch = vec![0; quantize_weighted_workspace_size(format, options, rows, cols)?];
        quantize_weighted(format, options, rows, cols, x, importance, out, &mut scratch)
    };
    split(format, options, (rows, cols), x, out, run)
}

/// Runs `run` on slices of rows: how many, their values, their bytes.
fn split(
    format: Format,
    options: &Options,
    (rows, cols): (usize, usize),
    x: &[f32],
    out: &mut [u8],
    run: impl Fn(usize, &[f32], &mut [u8]) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let size = format.matrix_bytes(rows, cols)?;
    let threads = rayon::current_num_threads();
    let step = LEAST.div_ceil(cols.max(1)).max(rows.div_ceil(SLICES * threads));
    let whole = threads < 2 || step >= rows || options.granularity == Granularity::Tensor;
    // Wrong shapes are refused by the call itself.
    if whole || size == 0 || rows.checked_mul(cols) != Some(x.len()) || out.len() < size {
        return run(rows, x, out);
    }
    let slices: Result<Vec<Vec<u8>>, Error> = x
        .par_chunks(step * cols)
        .map(|x| {
            let rows = x.len() / cols;
            let mut own = vec![0; format.matrix_bytes(rows, cols)?];
            run(rows, x, &mut own)?;
            Ok(own)
        })
        .collect();
    let Ok(slices) = slices else {
        // Which slice failed first is chance; what one thread says is not.
        return run(rows, x, out);
    };
    let mut rest = out;
    for own in slices {
        let (head, tail) = rest.split_at_mut(own.len());
        head.copy_from_slice(&own);
        rest = tail;
    }
    Ok(())
}
