//! Products on the threads of the current rayon pool (feature `rayon`).
//!
//! The rows are split, so that each output is computed by one thread in the one order that it always has: the bits are
//! those of the product on one thread, whatever the number of threads and however the pool deals out the work.
//!
//! A slice has a multiple of the rows that the kernels take at once, and work enough that a thread pays: at least
//! 64 KB of weights, counted once for each vector of the batch. A product that has no more than that, or a pool of one
//! thread, runs on the calling thread and allocates nothing.

use core::ops::Range;

use rayon::prelude::*;

use crate::quant::{ActBlock, Format, tq2_0};
use crate::{Error, simd};

use super::prepared::{self, Prepared};
use super::product::{self, BATCH};
use super::table::{ActTable, act_tables};
use super::{Packed, check, check_f32, matmul_f32};

/// Bytes of weights, times vectors, that a slice has at least: a few microseconds, against about one that it costs to
/// hand a slice to another thread.
const LEAST: usize = 64 << 10;
/// Slices a thread, so that one that is held up does not hold up all.
const SLICES: usize = 4;

/// [`matvec`](super::matvec) on the threads of the current rayon pool, with the same bits.
///
/// # Errors
/// As [`matvec`](super::matvec). `y` is untouched then.
///
/// ```
/// use hybridq::linear::{Packed, matvec, matvec_parallel};
/// use hybridq::quant::{ActBlock, Format, NonFinite, quantize_activations};
/// let (rows, cols, format) = (1000, 512, Format::Tq1_0);
/// let bytes: Vec<u8> = (0..format.matrix_bytes(rows, cols)?).map(|i| (i % 100) as u8).collect();
/// let weights = Packed::new(format, rows, cols, &bytes)?;
/// let mut acts = [ActBlock::ZERO; ActBlock::count(512)];
/// quantize_activations(1, cols, &[0.5; 512], NonFinite::Error, &mut acts)?;
/// let (mut y, mut z) = ([0.0; 1000], [0.0; 1000]);
/// matvec_parallel(&weights, &acts, &mut y)?; // or in `pool.install(|| ...)`
/// matvec(&weights, &acts, &mut z)?;
/// assert_eq!(y, z);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matvec_parallel(weights: &Packed<'_>, acts: &[ActBlock], y: &mut [f32]) -> Result<(), Error> {
    matmul_parallel(weights, 1, acts, y)
}

/// [`matmul`](super::matmul) on the threads of the current rayon pool, with the same bits.
///
/// Memory: for a batch, each thread has a copy of the outputs of its slice; for [`Format::Tq1_0`] the activation
/// tables of at most three vectors, 516 bytes a block, are made once and shared.
///
/// # Errors
/// As [`matmul`](super::matmul). `y` is untouched then.
///
/// ```
/// use hybridq::linear::{Packed, matmul, matmul_parallel};
/// use hybridq::quant::{ActBlock, Format, NonFinite, quantize_activations};
/// let (rows, cols, batch, format) = (300, 256, 5, Format::Tq2_0);
/// let bytes: Vec<u8> = (0..format.matrix_bytes(rows, cols)?).map(|i| (i % 100) as u8).collect();
/// let weights = Packed::new(format, rows, cols, &bytes)?;
/// let x: Vec<f32> = (0..batch * cols).map(|i| (i % 17) as f32).collect();
/// let mut acts = vec![ActBlock::ZERO; batch * ActBlock::count(cols)];
/// quantize_activations(batch, cols, &x, NonFinite::Error, &mut acts)?;
/// let (mut y, mut z) = (vec![0.0; batch * rows], vec![0.0; batch * rows]);
/// matmul_parallel(&weights, batch, &acts, &mut y)?;
/// matmul(&weights, batch, &acts, &mut z)?;
/// assert_eq!(y, z);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matmul_parallel(
    weights: &Packed<'_>,
    batch: usize,
    acts: &[ActBlock],
    y: &mut [f32],
) -> Result<(), Error> {
    let Some((per_vector, acts, y)) = check(weights.rows, weights.cols, batch, acts, y)? else {
        return Ok(());
    };
    let step = step(weights.rows, weights.row_bytes, batch);
    let mut tables = Vec::new();
    if step < weights.rows && weights.format == Format::Tq1_0 && batch < BATCH {
        tables.resize(acts.len(), ActTable::ZERO);
        act_tables(acts, &mut tables)?;
    }
    let tier = simd::active();
    split(weights.rows, step, y, |rows, y| {
        let slice = weights.rows_between(rows.start, rows.end)?;
        product::matmul(tier, &slice, per_vector, acts, &tables, y);
        Ok(())
    })
}

/// [`matvec_prepared`](super::matvec_prepared) on the threads of the current rayon pool, with the same bits.
///
/// # Errors
/// As [`matvec_prepared`](super::matvec_prepared). `y` is untouched then.
///
/// ```
/// use hybridq::linear::{Packed, matvec, matvec_prepared_parallel, prepare, prepared_size};
/// use hybridq::quant::{ActBlock, Format, NonFinite, quantize_activations};
/// let (rows, cols, format) = (1000, 512, Format::Tq2_0);
/// let bytes: Vec<u8> = (0..format.matrix_bytes(rows, cols)?).map(|i| (i % 100) as u8).collect();
/// let weights = Packed::new(format, rows, cols, &bytes)?;
/// let mut data = vec![0; prepared_size(rows, cols)?];
/// let prepared = prepare(&weights, &mut data)?;
/// let mut acts = [ActBlock::ZERO; ActBlock::count(512)];
/// quantize_activations(1, cols, &[0.5; 512], NonFinite::Error, &mut acts)?;
/// let (mut y, mut z) = ([0.0; 1000], [0.0; 1000]);
/// matvec_prepared_parallel(&prepared, &acts, &mut y)?;
/// matvec(&weights, &acts, &mut z)?;
/// assert_eq!(y, z);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matvec_prepared_parallel(
    weights: &Prepared<'_>,
    acts: &[ActBlock],
    y: &mut [f32],
) -> Result<(), Error> {
    matmul_prepared_parallel(weights, 1, acts, y)
}

/// [`matmul_prepared`](super::matmul_prepared) on the threads of the current rayon pool, with the same bits.
///
/// Memory: for a batch, each thread has a copy of the outputs of its slice.
///
/// # Errors
/// As [`matmul_prepared`](super::matmul_prepared). `y` is untouched then.
pub fn matmul_prepared_parallel(
    weights: &Prepared<'_>,
    batch: usize,
    acts: &[ActBlock],
    y: &mut [f32],
) -> Result<(), Error> {
    let rows = weights.rows();
    let Some((per_vector, acts, y)) = check(rows, weights.cols(), batch, acts, y)? else {
        return Ok(());
    };
    split(rows, step(rows, per_vector * tq2_0::BLOCK_BYTES, batch), y, |rows, y| {
        let slice = weights.rows_between(rows.start, rows.end)?;
        prepared::matmul_prepared(&slice, batch, acts, y)
    })
}

/// [`matvec_f32`](super::matvec_f32) on the threads of the current rayon pool, with the same bits.
///
/// # Errors
/// As [`matvec_f32`](super::matvec_f32). `y` is untouched then.
///
/// ```
/// use hybridq::linear::{Packed, matvec_f32, matvec_f32_parallel};
/// use hybridq::quant::Format;
/// let (rows, cols, format) = (1000, 512, Format::Tq2_0);
/// let bytes: Vec<u8> = (0..format.matrix_bytes(rows, cols)?).map(|i| (i % 100) as u8).collect();
/// let weights = Packed::new(format, rows, cols, &bytes)?;
/// let (mut y, mut z) = ([0.0; 1000], [0.0; 1000]);
/// matvec_f32_parallel(&weights, &[0.1; 512], &mut y)?;
/// matvec_f32(&weights, &[0.1; 512], &mut z)?;
/// assert_eq!(y, z);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matvec_f32_parallel(weights: &Packed<'_>, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
    matmul_f32_parallel(weights, 1, x, y)
}

/// [`matmul_f32`] on the threads of the current rayon pool, with the same bits.
///
/// Memory: for a batch, each thread has a copy of the outputs of its slice.
///
/// # Errors
/// As [`matmul_f32`]. `y` is untouched then.
pub fn matmul_f32_parallel(
    weights: &Packed<'_>,
    batch: usize,
    x: &[f32],
    y: &mut [f32],
) -> Result<(), Error> {
    let Some(y) = check_f32(weights, batch, x, y)? else {
        return Ok(());
    };
    split(weights.rows, step(weights.rows, weights.row_bytes, batch), y, |rows, y| {
        matmul_f32(&weights.rows_between(rows.start, rows.end)?, batch, x, y)
    })
}

/// Rows of a slice; all of them if threads do not pay.
fn step(rows: usize, row_bytes: usize, batch: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads < 2 {
        return rows;
    }
    let pays = LEAST.div_ceil(row_bytes.saturating_mul(batch).max(1));
    // The most that a kernel takes at once, both multiples of eight: what `Prepared::rows_between` needs.
    let unit = if batch >= BATCH { 48 } else { 32 };
    pays.max(rows.div_ceil(SLICES * threads)).next_multiple_of(unit).min(rows)
}

/// Runs `product` for slices of `step` rows, all shapes having been checked: it gets the rows, and the outputs of just
/// these for every vector.
fn split(
    rows: usize,
    step: usize,
    y: &mut [f32],
    product: impl Fn(Range<usize>, &mut [f32]) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    if step >= rows {
        return product(0..rows, y);
    }
    if y.len() == rows {
        return y.par_chunks_mut(step).enumerate().try_for_each(|(i, y)| {
            let start = i * step;
            product(start..start + y.len(), y)
        });
    }
    // In a batch a slice of rows has a piece in the outputs of each vector.
    let mut slices: Vec<Vec<&mut [f32]>> = Vec::new();
    slices.resize_with(rows.div_ceil(step), || Vec::with_capacity(y.len() / rows));
    for y in y.chunks_exact_mut(rows) {
        for (pieces, piece) in slices.iter_mut().zip(y.chunks_mut(step)) {
            pieces.push(piece);
        }
    }
    slices.into_par_iter().enumerate().try_for_each(|(i, pieces)| {
        let len = pieces.first().map_or(0, |piece| piece.len());
        let mut own = vec![0.0; len * pieces.len()];
        product(i * step..i * step + len, &mut own)?;
        for (piece, own) in pieces.into_iter().zip(own.chunks_exact(len.max(1))) {
            piece.copy_from_slice(own);
        }
        Ok(())
    })
}
