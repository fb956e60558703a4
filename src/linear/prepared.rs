//! A prepared layout for ternary weights: eight rows interleaved, so that sums need no reduction across lanes.
//!
//! Made once at load from `TQ1_0` or `TQ2_0` bytes; it never reaches a file. For each eight rows (the last ones filled
//! up with zeros), with `n` blocks of 256 columns, `528 n` bytes:
//!
//! | bytes | contents |
//! |---|---|
//! | 0..512 n | 512 bytes of 2-bit codes a block: bytes `32 p + 4 r + j` are byte `4 p + j` of the `TQ2_0` block of row `r` |
//! | 512 n..528 n | 16 bytes a block: the scales of the eight rows, f16 little-endian |
//!
//! Any alignment will do; at a multiple of 64 bytes no load lies across two cache lines.
//!
//! So it takes the RAM of `TQ2_0`, 2.0625 bits a weight, for `TQ1_0` too; the results have the bits of the packed
//! matrix.

use crate::quant::{ActBlock, Format, tq1_0, tq2_0};
use crate::{Error, simd};

use super::Packed;
use super::ops::{self, Kernel, Ops};

/// Rows that are interleaved.
pub(crate) const GROUP: usize = 8;
/// Bytes of eight rows and 256 columns.
pub(crate) const BLOCK_BYTES: usize = GROUP * tq2_0::BLOCK_BYTES;
/// Of which codes.
pub(crate) const CODE_BYTES: usize = GROUP * tq2_0::CODE_BYTES;

/// The blocks of codes of eight rows, and of scales.
#[inline(always)]
pub(crate) fn split(group: &[u8]) -> (&[[u8; CODE_BYTES]], &[[u8; 2 * GROUP]]) {
    let (codes, scales) = group.split_at_checked(group.len() / BLOCK_BYTES * CODE_BYTES).unwrap_or_default();
    (codes.as_chunks().0, scales.as_chunks().0)
}

/// A prepared matrix in somebody else's bytes: `rows` x `cols`.
#[derive(Clone, Copy, Debug)]
pub struct Prepared<'a> {
    rows: usize,
    cols: usize,
    data: &'a [u8],
}

/// Bytes of a prepared matrix: `528 * ceil(rows / 8) * ceil(cols / 256)`.
///
/// # Errors
/// [`Error::SizeOverflow`].
pub const fn prepared_size(rows: usize, cols: usize) -> Result<usize, Error> {
    match group_bytes(cols) {
        Ok(group) => match rows.div_ceil(GROUP).checked_mul(group) {
            Some(bytes) => Ok(bytes),
            None => Err(Error::SizeOverflow),
        },
        Err(error) => Err(error),
    }
}

/// Bytes of eight rows.
const fn group_bytes(cols: usize) -> Result<usize, Error> {
    match cols.div_ceil(tq2_0::BLOCK_LEN).checked_mul(BLOCK_BYTES) {
        Some(bytes) => Ok(bytes),
        None => Err(Error::SizeOverflow),
    }
}

/// Prepares packed weights of [`Format::Tq1_0`] or [`Format::Tq2_0`] in `out`, of which the first
/// [`prepared_size`] bytes are written.
///
/// # Errors
/// [`Error::Unsupported`] for another format, [`Error::OutputTooSmall`], [`Error::SizeOverflow`]. `out` is untouched
/// then.
///
/// ```
/// use hybridq::linear::{Packed, Prepared, matvec_prepared, prepare, prepared_size};
/// use hybridq::quant::{ActBlock, Fit, Format, NonFinite, Options, quantize, quantize_activations};
/// let weights = [1.0f32, 0.0, -1.0, 0.0, 1.0, 1.0]; // 2 x 3
/// let options = Options::new(Format::Tq2_0).fit(Fit::AbsMax);
/// let mut packed = [0u8; 2 * 66];
/// quantize(Format::Tq2_0, &options, 2, 3, &weights, &mut packed, &mut [])?;
/// let mut data = [0u8; 528];
/// assert_eq!(prepared_size(2, 3)?, data.len());
/// let prepared = prepare(&Packed::new(Format::Tq2_0, 2, 3, &packed)?, &mut data)?;
/// let mut acts = [ActBlock::ZERO; 1];
/// quantize_activations(1, 3, &[127.0, 5.0, 27.0], NonFinite::Error, &mut acts)?;
/// let mut y = [0.0; 2];
/// matvec_prepared(&prepared, &acts, &mut y)?;
/// assert_eq!(y, [100.0, 32.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn prepare<'a>(weights: &Packed<'_>, out: &'a mut [u8]) -> Result<Prepared<'a>, Error> {
    let Packed { format, rows, cols, row_bytes, data } = *weights;
    let size = prepared_size(rows, cols)?;
    if !matches!(format, Format::Tq1_0 | Format::Tq2_0) {
        return Err(Error::Unsupported);
    }
    let out = out.get_mut(..size).ok_or(Error::OutputTooSmall)?;
    let packed = data.chunks((GROUP * row_bytes).max(1));
    for (group, rows) in out.chunks_exact_mut(group_bytes(cols)?.max(1)).zip(packed) {
        group.fill(0);
        let (codes, scales) =
            group.split_at_mut_checked(group.len() / BLOCK_BYTES * CODE_BYTES).unwrap_or_default();
        let blocks = codes.as_chunks_mut::<CODE_BYTES>().0.iter_mut().zip(scales.as_chunks_mut::<16>().0);
        for (i, (codes, scales)) in blocks.enumerate() {
            let scales = scales.as_chunks_mut::<2>().0;
            for (r, (row, scale)) in rows.chunks_exact(row_bytes.max(1)).zip(scales).enumerate() {
                let (q, s) = two_bits(format, row, i);
                *scale = s;
                for (step, four) in codes.as_chunks_mut::<32>().0.iter_mut().zip(q.as_chunks::<4>().0) {
                    if let Some(to) = step.as_chunks_mut::<4>().0.get_mut(r) {
                        *to = *four;
                    }
                }
            }
        }
    }
    Ok(Prepared { rows, cols, data: out })
}

/// The codes of block `i` of a row as `TQ2_0` has them, and its scale.
fn two_bits(format: Format, row: &[u8], i: usize) -> ([u8; tq2_0::CODE_BYTES], [u8; 2]) {
    let mut block = [0; tq2_0::BLOCK_BYTES];
    if format == Format::Tq2_0 {
        if let Some(bytes) = row.as_chunks().0.get(i) {
            block = *bytes;
        }
    } else if let Some(bytes) = row.as_chunks::<{ tq1_0::BLOCK_BYTES }>().0.get(i) {
        let mut codes = [0; tq1_0::BLOCK_LEN];
        tq1_0::unpack(bytes, &mut codes);
        let [.., s0, s1] = *bytes;
        tq2_0::pack(&codes, half::f16::from_le_bytes([s0, s1]), &mut block);
    }
    let [q @ .., s0, s1] = block;
    (q, [s0, s1])
}

impl<'a> Prepared<'a> {
    /// A view of bytes that [`prepare`] made for a matrix of this shape.
    ///
    /// # Errors
    /// [`Error::Shape`] if `data` is not exactly [`prepared_size`] long, [`Error::SizeOverflow`].
    pub fn new(rows: usize, cols: usize, data: &'a [u8]) -> Result<Prepared<'a>, Error> {
        if data.len() != prepared_size(rows, cols)? {
            return Err(Error::Shape);
        }
        Ok(Prepared { rows, cols, data })
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

    /// Rows `start..end` as a matrix of their own, for slices of work and threads.
    ///
    /// # Errors
    /// [`Error::Shape`] if the range does not lie in the matrix, or `start` is not a multiple of 8, or `end`
    /// neither such a multiple nor the last row.
    pub fn rows_between(&self, start: usize, end: usize) -> Result<Prepared<'a>, Error> {
        let whole = |row: usize| row.is_multiple_of(GROUP);
        if start > end || end > self.rows || !whole(start) || !(whole(end) || end == self.rows) {
            return Err(Error::Shape);
        }
        let group = group_bytes(self.cols)?;
        let range = start / GROUP * group..end.div_ceil(GROUP) * group;
        Ok(Prepared { rows: end - start, cols: self.cols, data: self.data.get(range).ok_or(Error::Shape)? })
    }
}

/// `y = W a` of a prepared matrix: as [`matvec`](super::matvec), with the same bits as the packed matrix gives.
///
/// # Errors
/// [`Error::Shape`] if `acts` is too short, [`Error::OutputTooSmall`]. `y` is untouched then.
pub fn matvec_prepared(weights: &Prepared<'_>, acts: &[ActBlock], y: &mut [f32]) -> Result<(), Error> {
    matmul_prepared(weights, 1, acts, y)
}

/// `Y = A W^T` of a prepared matrix: as [`matmul`](super::matmul), with the same bits as the packed matrix gives.
///
/// # Errors
/// As [`matvec_prepared`], and [`Error::SizeOverflow`].
pub fn matmul_prepared(
    weights: &Prepared<'_>,
    batch: usize,
    acts: &[ActBlock],
    y: &mut [f32],
) -> Result<(), Error> {
    let Some((per_vector, acts, y)) = super::check(weights.rows, weights.cols, batch, acts, y)? else {
        return Ok(());
    };
    ops::run(simd::active(), Product { weights, per_vector, acts, y });
    Ok(())
}

struct Product<'a, 'w> {
    weights: &'a Prepared<'w>,
    per_vector: usize,
    acts: &'a [ActBlock],
    y: &'a mut [f32],
}

impl Kernel for Product<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) {
        let Product { weights, per_vector, acts, y } = self;
        let rows = weights.rows.max(1);
        let mut from = 0;
        if acts.len() >= super::product::BATCH * per_vector {
            from = ops.batch_prepared(weights.data, weights.rows, acts, per_vector, y);
        }
        let data = weights.data.get(from / GROUP * per_vector * BLOCK_BYTES..).unwrap_or_default();
        for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(y.chunks_exact_mut(rows)) {
            ops.prepared(data, acts, y.get_mut(from..).unwrap_or_default());
        }
    }
}

/// The reference: `y = W a` of prepared bytes.
#[inline(always)]
pub(crate) fn scalar(data: &[u8], acts: &[ActBlock], y: &mut [f32]) {
    for (group, y) in data.chunks_exact((acts.len() * BLOCK_BYTES).max(1)).zip(y.chunks_mut(GROUP)) {
        let mut totals = [0.0f32; GROUP];
        let (codes, scales) = split(group);
        for ((codes, scales), act) in codes.iter().zip(scales).zip(acts) {
            let mut sums = [0i32; GROUP];
            // Step `p` of half `h` holds columns `128 h + 32 n + 4 p..` in bits `2 n..`.
            let halves = codes.as_chunks::<256>().0.iter().zip(act.codes.as_chunks::<128>().0);
            for (steps, acts) in halves {
                for (n, acts) in acts.as_chunks::<32>().0.iter().enumerate() {
                    for (step, acts) in steps.as_chunks::<32>().0.iter().zip(acts.as_chunks::<4>().0) {
                        for (sum, q) in sums.iter_mut().zip(step.as_chunks::<4>().0) {
                            let digits = q.iter().map(|q| ((q >> (2 * n)) & 3) as i32 - 1);
                            *sum += digits.zip(acts).map(|(d, &a)| d * a as i32).sum::<i32>();
                        }
                    }
                }
            }
            for ((total, sum), scale) in totals.iter_mut().zip(sums).zip(scales.as_chunks::<2>().0) {
                *total += act.scale * (crate::math::f16_from_le(*scale) * sum as f32);
            }
        }
        for (y, total) in y.iter_mut().zip(totals) {
            *y = total;
        }
    }
}
