//! int8 activations: blocks of 256 with an f32 scale and the sums of every 16 codes.
//!
//! | bytes | contents |
//! |---|---|
//! | 0..4 | scale, f32, native endian: 1/127 of the largest magnitude of the block |
//! | 4..260 | 256 codes, i8, -127..=127 |
//! | 260..292 | 16 sums of 16 codes each, i16, native endian |
//!
//! This is a form in memory, not a file format. Value = code * scale. Code = `x * (127 / max|x|)` rounded to
//! nearest, ties to even, on every tier and target. The sums let kernels work with unsigned weight codes and
//! subtract the offset once.

use bytemuck::{Pod, Zeroable};

use crate::math::guard_scale;
use crate::simd::scan::Scan;
use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::NonFinite;
use super::fit::{check_finite, largest_here};

/// Values in a block.
pub const BLOCK_LEN: usize = 256;
/// Codes behind one sum.
pub const SUM_LEN: usize = 16;

/// One block of quantized activations; 292 bytes, the `hq_act_block` of the C ABI.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct ActBlock {
    /// Value of code 1.
    pub scale: f32,
    /// The codes; zero beyond the end of the vector.
    pub codes: [i8; BLOCK_LEN],
    /// Sums of 16 consecutive codes.
    pub sums: [i16; BLOCK_LEN / SUM_LEN],
}

const _: () = assert!(size_of::<ActBlock>() == 292 && align_of::<ActBlock>() == 4);

impl ActBlock {
    /// A block of zeros.
    pub const ZERO: ActBlock = ActBlock { scale: 0.0, codes: [0; BLOCK_LEN], sums: [0; BLOCK_LEN / SUM_LEN] };

    /// Blocks that a vector of `len` values takes: `ceil(len / 256)`.
    #[must_use]
    pub const fn count(len: usize) -> usize {
        len.div_ceil(BLOCK_LEN)
    }
}

/// Quantizes `batch` vectors of `cols` values each, row-major, into `batch * ActBlock::count(cols)` blocks.
///
/// A block of zeros (or of magnitudes so small that 1/127 of them is no f32) has scale 0 and codes 0.
/// Under [`NonFinite::Saturate`] an infinity counts as the largest finite magnitude of its block, NaN as 0.
///
/// # Errors
/// [`Error::Shape`] if `x` does not hold `batch * cols` values, [`Error::OutputTooSmall`] if `out` has not
/// at least the blocks named above, [`Error::NonFinite`], [`Error::SizeOverflow`]. `out` is untouched then.
///
/// ```
/// use hybridq::quant::{ActBlock, NonFinite, quantize_activations};
/// let x = [0.5f32, -1.0, 0.25];
/// let mut acts = [ActBlock::ZERO; 1];
/// quantize_activations(1, 3, &x, NonFinite::Error, &mut acts)?;
/// assert_eq!(acts[0].codes[..4], [64, -127, 32, 0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn quantize_activations(
    batch: usize,
    cols: usize,
    x: &[f32],
    non_finite: NonFinite,
    out: &mut [ActBlock],
) -> Result<(), Error> {
    if batch.checked_mul(cols).ok_or(Error::SizeOverflow)? != x.len() {
        return Err(Error::Shape);
    }
    let blocks = ActBlock::count(cols);
    let out =
        out.get_mut(..batch.checked_mul(blocks).ok_or(Error::SizeOverflow)?).ok_or(Error::OutputTooSmall)?;
    if out.is_empty() {
        return Ok(());
    }
    check_finite(x, non_finite)?;
    simd::with_scan!(
        simd::active(),
        scan => {
            for (x, out) in split_rows(x, cols).zip(split_rows_mut(out, blocks)) {
                let (whole, rest) = x.as_chunks::<BLOCK_LEN>();
                let mut out = out.iter_mut();
                for (x, block) in whole.iter().zip(&mut out) {
                    quantize_block(scan, x, block);
                }
                if let (false, Some(block)) = (rest.is_empty(), out.next()) {
                    let mut padded = [0.0; BLOCK_LEN];
                    for (p, &v) in padded.iter_mut().zip(rest) {
                        *p = v;
                    }
                    let len = rest.len().next_multiple_of(PART_LEN);
                    quantize_block(scan, padded.get(..len).unwrap_or(&padded), block);
                }
            }
        }
    );
    Ok(())
}

/// Values that are coded at a time.
const PART_LEN: usize = 64;

/// `x`: up to a whole block, in whole parts; zeros follow it.
#[inline(always)]
fn quantize_block(scan: impl Scan, x: &[f32], block: &mut ActBlock) {
    let (_, max) = largest_here(scan, x);
    let scale = max / 127.0;
    if scale == 0.0 {
        *block = ActBlock::ZERO;
        return;
    }
    block.scale = scale;
    let guard = guard_scale(max);
    let inverse = 127.0 / (max * guard);
    let mut parts = x.as_chunks::<PART_LEN>().0.iter();
    let places = block.codes.as_chunks_mut::<PART_LEN>().0.iter_mut();
    for (codes, sums) in places.zip(block.sums.as_chunks_mut::<{ PART_LEN / SUM_LEN }>().0) {
        let Some(x) = parts.next() else {
            *codes = [0; PART_LEN];
            *sums = [0; PART_LEN / SUM_LEN];
            continue;
        };
        for (code, &v) in codes.iter_mut().zip(x) {
            *code = round_to_i8(clamp(v, max) * guard * inverse);
        }
        for (sum, group) in sums.iter_mut().zip(codes.as_chunks::<SUM_LEN>().0) {
            *sum = group.iter().map(|&c| c as i16).sum();
        }
    }
}

/// Infinities as the largest finite magnitude of the block, NaN as zero.
#[inline(always)]
fn clamp(v: f32, max: f32) -> f32 {
    let v = if v > max { max } else { v };
    let v = if v < -max { -max } else { v };
    if v.is_nan() { 0.0 } else { v }
}

/// Rounds |x| <= 127 to nearest, ties to even: adding 1.5 * 2^23 leaves the integer in the low bits, where
/// a vector loop can take it without the saturating conversion of `as`.
#[inline(always)]
fn round_to_i8(x: f32) -> i8 {
    (x + 12_582_912.0).to_bits() as i8
}

/// Decodes `cols` values from their blocks.
///
/// # Errors
/// [`Error::Shape`] if `acts` has fewer than `ActBlock::count(out.len())` blocks.
pub fn dequantize_activations(acts: &[ActBlock], out: &mut [f32]) -> Result<(), Error> {
    let acts = acts.get(..ActBlock::count(out.len())).ok_or(Error::Shape)?;
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            for (block, out) in acts.iter().zip(out.chunks_mut(BLOCK_LEN)) {
                for (value, &code) in out.iter_mut().zip(&block.codes) {
                    *value = code as f32 * block.scale;
                }
            }
        },
    );
    Ok(())
}
