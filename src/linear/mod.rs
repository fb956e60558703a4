//! Codes times activations: dot, matvec and small-batch matmul of every format, and f32 vector kernels.
//!
//! Results do not depend on the tier: integer sums are exact, float operations have one fixed order (see
//! `rows.rs` and `ops.rs`). Nothing here allocates or needs scratch. A caller threads a product by row
//! ranges ([`Packed::rows_between`]); with the feature `rayon` the functions `*_parallel` do so.
//!
//! Bounds: an integer sum covers one activation block, |sum| <= 256 * 128 * 128 = 2^22 at most, so no
//! length overflows an `i32`, and every sum converts to `f32` exactly. `Q35B` sums include the 6-bit scales and reach
//! 32,505,856; above 2^24 the conversion rounds once.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod base3;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod dense;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod five;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod interleaved;
pub mod matrix;
mod ops;
#[cfg(feature = "rayon")]
mod parallel;
mod prepared;
mod product;
mod q35b;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod q35b_wide;
mod q35p;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod q35p_wide;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod q8;
mod rows;
mod scalar;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod sources;
mod table;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod ternary;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod ternary_dot;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod tile;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod trits;
pub mod vector;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod wide;

#[cfg(feature = "rayon")]
pub use parallel::{
    matmul_f32_parallel, matmul_parallel, matmul_prepared_parallel, matvec_f32_parallel, matvec_parallel,
    matvec_prepared_parallel,
};
pub use prepared::{Prepared, matmul_prepared, matvec_prepared, prepare, prepared_size};
pub use table::{ActTable, act_tables};

use crate::quant::{ActBlock, Format};
use crate::{Error, simd};

use ops::{Kernel, Ops};

/// A packed weight matrix in somebody else's bytes: `rows` x `cols`, row after row.
#[derive(Clone, Copy, Debug)]
pub struct Packed<'a> {
    format: Format,
    rows: usize,
    cols: usize,
    row_bytes: usize,
    data: &'a [u8],
}

impl<'a> Packed<'a> {
    /// A view of packed bytes; nothing is copied or decoded.
    ///
    /// # Errors
    /// [`Error::Shape`] if `data` is not exactly [`Format::matrix_bytes`] long, [`Error::SizeOverflow`].
    pub fn new(format: Format, rows: usize, cols: usize, data: &'a [u8]) -> Result<Packed<'a>, Error> {
        let row_bytes = format.row_bytes(cols)?;
        if data.len() != format.matrix_bytes(rows, cols)? {
            return Err(Error::Shape);
        }
        Ok(Packed { format, rows, cols, row_bytes, data })
    }

    /// The format of the bytes.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Rows: outputs of a product.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns: inputs of a product.
    #[must_use]
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The packed bytes.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Rows `start..end` as a matrix of their own, for slices of work and threads.
    ///
    /// # Errors
    /// [`Error::Shape`] if the range does not lie in the matrix.
    pub fn rows_between(&self, start: usize, end: usize) -> Result<Packed<'a>, Error> {
        if start > end || end > self.rows {
            return Err(Error::Shape);
        }
        let data = self.data.get(start * self.row_bytes..end * self.row_bytes).ok_or(Error::Shape)?;
        Ok(Packed { rows: end - start, data, ..*self })
    }

    /// The packed bytes of each row in turn.
    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        // A matrix without columns has rows of no bytes, which `chunks_exact` cannot count.
        let empty = self.row_bytes == 0;
        let count = if empty { self.rows } else { 0 };
        self.data
            .chunks_exact(if empty { 1 } else { self.row_bytes })
            .chain(core::iter::repeat_n(&[] as &[u8], count))
    }
}

/// `y = W a` with int8 activations: one output per row.
///
/// `acts` holds at least `ActBlock::count(W.cols())` blocks of the vector, `y` at least `W.rows()` values, of
/// which just those are written.
///
/// Error against exact arithmetic on the decoded values: each of the n = ceil(cols/256) block terms is
/// rounded a few times, so |error| <= (n + 4) * 2^-24 * sum of |block terms|. A block of [`Format::Q35P`] has two
/// terms: `scale * sum(code a)` and `offset * sum(a)`.
///
/// # Errors
/// [`Error::Shape`] if `acts` is too short, [`Error::OutputTooSmall`]. `y` is untouched then.
///
/// ```
/// use hybridq::linear::{Packed, matvec};
/// use hybridq::quant::{ActBlock, Fit, Format, NonFinite, Options, quantize, quantize_activations};
/// let weights = [1.0f32, 0.0, -1.0, 0.0, 1.0, 1.0]; // 2 x 3
/// let options = Options::new(Format::DenseTernary).fit(Fit::AbsMax);
/// let mut packed = [0u8; 6];
/// quantize(Format::DenseTernary, &options, 2, 3, &weights, &mut packed, &mut [])?;
/// let mut acts = [ActBlock::ZERO; 1];
/// quantize_activations(1, 3, &[127.0, 5.0, 27.0], NonFinite::Error, &mut acts)?;
/// let mut y = [0.0; 2];
/// matvec(&Packed::new(Format::DenseTernary, 2, 3, &packed)?, &acts, &mut y)?;
/// assert_eq!(y, [100.0, 32.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matvec(weights: &Packed<'_>, acts: &[ActBlock], y: &mut [f32]) -> Result<(), Error> {
    matmul(weights, 1, acts, y)
}

/// `Y = A W^T` with int8 activations: `batch` vectors in, `batch` x `W.rows()` outputs, row-major.
///
/// `acts` holds `ActBlock::count(W.cols())` blocks per vector, vectors one after the other. Output `[b][r]` has
/// exactly the bits that [`matvec`] gives for vector `b`.
///
/// # Errors
/// As [`matvec`], and [`Error::SizeOverflow`].
pub fn matmul(weights: &Packed<'_>, batch: usize, acts: &[ActBlock], y: &mut [f32]) -> Result<(), Error> {
    let Some((per_vector, acts, y)) = check(weights.rows, weights.cols, batch, acts, y)? else {
        return Ok(());
    };
    product::matmul(simd::active(), weights, per_vector, acts, &[], y);
    Ok(())
}

/// Blocks a vector, activations, outputs.
type Checked<'a, 'y> = (usize, &'a [ActBlock], &'y mut [f32]);

/// Blocks a vector, and the parts of `acts` and `y` that belong to a product; `None` if it is done already, because
/// there is nothing to multiply.
fn check<'a, 'y>(
    rows: usize,
    cols: usize,
    batch: usize,
    acts: &'a [ActBlock],
    y: &'y mut [f32],
) -> Result<Option<Checked<'a, 'y>>, Error> {
    let per_vector = ActBlock::count(cols);
    let acts = acts.get(..batch.checked_mul(per_vector).ok_or(Error::SizeOverflow)?).ok_or(Error::Shape)?;
    let y = y.get_mut(..batch.checked_mul(rows).ok_or(Error::SizeOverflow)?).ok_or(Error::OutputTooSmall)?;
    if y.is_empty() {
        return Ok(None);
    }
    if per_vector == 0 {
        y.fill(0.0);
        return Ok(None);
    }
    Ok(Some((per_vector, acts, y)))
}

/// [`matvec`] with the tables of the activations made before: a caller who multiplies many matrices, or slices of one,
/// with the same vector pays for them once. They are of use for [`Format::Tq1_0`]; other formats do not look at them.
///
/// # Errors
/// As [`matvec`]; [`Error::Shape`] too if there are fewer tables than `acts` of the vector.
///
/// ```
/// use hybridq::linear::{ActTable, Packed, act_tables, matvec, matvec_with_tables};
/// use hybridq::quant::{ActBlock, Format, NonFinite, quantize_activations};
/// let weights = [0x55u8; 54]; // one row
/// let weights = Packed::new(Format::Tq1_0, 1, 256, &weights)?;
/// let mut acts = [ActBlock::ZERO; 1];
/// quantize_activations(1, 256, &[0.5; 256], NonFinite::Error, &mut acts)?;
/// let mut tables = [ActTable::ZERO; 1];
/// act_tables(&acts, &mut tables)?;
/// let (mut y, mut z) = ([0.0; 1], [0.0; 1]);
/// matvec_with_tables(&weights, &acts, &tables, &mut y)?;
/// matvec(&weights, &acts, &mut z)?;
/// assert_eq!(y, z);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn matvec_with_tables(
    weights: &Packed<'_>,
    acts: &[ActBlock],
    tables: &[ActTable],
    y: &mut [f32],
) -> Result<(), Error> {
    let tables = tables.get(..ActBlock::count(weights.cols)).ok_or(Error::Shape)?;
    if let Some((per_vector, acts, y)) = check(weights.rows, weights.cols, 1, acts, y)? {
        product::matmul(simd::active(), weights, per_vector, acts, tables, y);
    }
    Ok(())
}

/// One packed row times int8 activations.
///
/// # Errors
/// [`Error::Shape`] if `row` has not exactly one row or `acts` is too short.
pub fn dot(row: &Packed<'_>, acts: &[ActBlock]) -> Result<f32, Error> {
    if row.rows != 1 {
        return Err(Error::Shape);
    }
    let mut y = [0.0];
    matvec(row, acts, &mut y)?;
    let [y] = y;
    Ok(y)
}

/// `y = W x` with f32 activations.
///
/// `x` holds exactly `W.cols()` values, `y` at least `W.rows()`, of which just those are written.
/// Non-finite activations follow IEEE: a zero weight times an infinity is NaN.
///
/// Error against exact arithmetic on the decoded values, n = cols: |error| <= (n/16 + n/128 + 8) * 2^-24 *
/// sum of |w x|.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutputTooSmall`]. `y` is untouched then.
pub fn matvec_f32(weights: &Packed<'_>, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
    matmul_f32(weights, 1, x, y)
}

/// `Y = X W^T` with f32 activations: `x` is `batch` x `W.cols()`, `y` `batch` x `W.rows()`, row-major. Output
/// `[b][r]` has exactly the bits that [`matvec_f32`] gives for vector `b`.
///
/// # Errors
/// As [`matvec_f32`], and [`Error::SizeOverflow`].
pub fn matmul_f32(weights: &Packed<'_>, batch: usize, x: &[f32], y: &mut [f32]) -> Result<(), Error> {
    if let Some(y) = check_f32(weights, batch, x, y)? {
        ops::run(simd::active(), MatmulF32 { weights, x, y });
    }
    Ok(())
}

/// The part of `y` that belongs to a product with f32 activations; `None` if there is nothing to multiply.
fn check_f32<'y>(
    weights: &Packed<'_>,
    batch: usize,
    x: &[f32],
    y: &'y mut [f32],
) -> Result<Option<&'y mut [f32]>, Error> {
    if batch.checked_mul(weights.cols).ok_or(Error::SizeOverflow)? != x.len() {
        return Err(Error::Shape);
    }
    let y = y
        .get_mut(..batch.checked_mul(weights.rows).ok_or(Error::SizeOverflow)?)
        .ok_or(Error::OutputTooSmall)?;
    if y.is_empty() {
        return Ok(None);
    }
    if weights.cols == 0 {
        y.fill(0.0);
        return Ok(None);
    }
    Ok(Some(y))
}

struct MatmulF32<'a, 'w> {
    weights: &'a Packed<'w>,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for MatmulF32<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) {
        let Packed { format, cols, rows, .. } = *self.weights;
        for (row, packed) in self.weights.iter().enumerate() {
            for (x, y) in self.x.chunks_exact(cols.max(1)).zip(self.y.chunks_exact_mut(rows.max(1))) {
                if let Some(y) = y.get_mut(row) {
                    *y = rows::dot_f32(ops, format, packed, cols, x);
                }
            }
        }
    }
}

/// One packed row times f32 activations.
///
/// # Errors
/// [`Error::Shape`] if `row` has not exactly one row or `x` not exactly its length.
pub fn dot_f32(row: &Packed<'_>, x: &[f32]) -> Result<f32, Error> {
    if row.rows != 1 {
        return Err(Error::Shape);
    }
    let mut y = [0.0];
    matvec_f32(row, x, &mut y)?;
    let [y] = y;
    Ok(y)
}
