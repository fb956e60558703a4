//! f32 matrices to packed weights.

use half::f16;

use crate::math::{F16_MAX, f32_to_f16, guard_scale};
use crate::workspace::{pieces_with, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::fit::{Levels, Rule, check_finite, fit, largest_finite};
use super::{
    Fit, Format, Granularity, NonFinite, Options, dense_ternary, five_level, q8_0, q35p, tq1_0, tq2_0,
};

/// Bytes of scratch that [`quantize`] needs for these arguments; 0 for fits that do not sort.
///
/// # Errors
/// [`Error::Unsupported`], [`Error::InvalidArgument`] and [`Error::SizeOverflow`] as [`quantize`].
pub fn quantize_workspace_size(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
) -> Result<usize, Error> {
    options.check(format)?;
    let cells = rows.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    let group = match options.granularity {
        _ if cells == 0 => 0,
        Granularity::Block => cols.min(format.block_len()),
        Granularity::Row => cols,
        Granularity::Tensor => cells,
    };
    if format == Format::Q35P {
        return Ok(0); // its search takes passes over the row instead
    }
    Ok(options.fit.layout(group)?.size())
}

/// Quantizes and packs `rows` x `cols` values into `format`.
///
/// `x` holds exactly `rows * cols` values; `out` at least [`Format::matrix_bytes`] bytes, of which just
/// those are written; `scratch` at least [`quantize_workspace_size`] bytes at any alignment.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`],
/// [`Error::NonFinite`], [`Error::ScaleRange`], [`Error::InvalidArgument`] (a parameter of the fit),
/// [`Error::Unsupported`] (`Q8_0` takes only [`Fit::AbsMax`] per block, `Q35P` only [`Fit::Mse`] and
/// [`Fit::MinMax`] per row, no other format [`Fit::MinMax`], dense ternary no [`Granularity::Block`]). `out` is untouched then.
///
/// ```
/// use hybridq::quant::{Format, Options, dequantize, quantize, quantize_workspace_size};
/// let x: [f32; 8] = [0.9, -1.1, 0.1, 0.0, 1.0, -0.1, 0.2, -1.0];
/// let format = Format::DenseTernary;
/// let options = Options::new(format);
/// let mut packed = [0u8; 8];
/// let size = format.matrix_bytes(2, 4)?;
/// let mut scratch = [0u8; 64];
/// assert!(quantize_workspace_size(format, &options, 2, 4)? <= scratch.len());
/// quantize(format, &options, 2, 4, &x, &mut packed[..size], &mut scratch)?;
/// let mut back = [0f32; 8];
/// dequantize(format, 2, 4, &packed[..size], &mut back)?;
/// assert_eq!(back, [1.0, -1.0, 0.0, 0.0, 1.0, 0.0, 0.0, -1.0]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn quantize(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
    x: &[f32],
    out: &mut [u8],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let size = format.matrix_bytes(rows, cols)?;
    let needed = quantize_workspace_size(format, options, rows, cols)?;
    if rows.checked_mul(cols).ok_or(Error::SizeOverflow)? != x.len() {
        return Err(Error::Shape);
    }
    let out = out.get_mut(..size).ok_or(Error::OutputTooSmall)?;
    if scratch.len() < needed {
        return Err(Error::WorkspaceTooSmall);
    }
    if out.is_empty() {
        return Ok(());
    }
    let job = Job { format, options: *options, cols, x };
    job.run(out, scratch)
}

struct Job<'a> {
    format: Format,
    options: Options,
    cols: usize,
    x: &'a [f32],
}

impl Job<'_> {
    fn run(&self, out: &mut [u8], scratch: &mut [u8]) -> Result<(), Error> {
        check_finite(self.x, self.options.non_finite)?;
        if self.format == Format::Q8_0 {
            return self.encode_q8_0(out);
        }
        if self.format == Format::Q35P {
            return q35p::encode(self.x, self.cols, self.options.fit, self.options.non_finite, out);
        }
        let tensor_rule = match self.options.granularity {
            Granularity::Tensor => Some(self.fit(self.x, scratch)?),
            _ => None,
        };
        if tensor_rule.is_none() && self.scale_may_overflow() {
            self.check_scales(scratch)?;
        }
        match self.format {
            Format::Tq1_0 => self.encode_blocks::<{ tq1_0::BLOCK_LEN }, { tq1_0::BLOCK_BYTES }>(
                tensor_rule,
                out,
                scratch,
                #[inline(always)]
                |codes, _, scale, out| {
                    if let Some(out) = out.first_chunk_mut() {
                        tq1_0::pack(codes, scale, out);
                    }
                },
            ),
            Format::Tq2_0 => self.encode_blocks::<{ tq2_0::BLOCK_LEN }, { tq2_0::BLOCK_BYTES }>(
                tensor_rule,
                out,
                scratch,
                #[inline(always)]
                |codes, _, scale, out| {
                    if let Some(out) = out.first_chunk_mut() {
                        tq2_0::pack(codes, scale, out);
                    }
                },
            ),
            Format::FiveLevel => self
                .encode_blocks::<{ five_level::BLOCK_LEN }, { five_level::BLOCK_BYTES }>(
                    tensor_rule,
                    out,
                    scratch,
                    #[inline(always)]
                    // A tail with as many triples as a full block is one, with zeros at its end.
                    |codes, len, scale, out| match out.first_chunk_mut() {
                        Some(out) if len.div_ceil(3) == five_level::TRIPLES => {
                            five_level::pack(codes, scale, out)
                        }
                        _ => five_level::pack_tail(codes.get(..len).unwrap_or_default(), scale, out),
                    },
                ),
            Format::DenseTernary => self.encode_dense(tensor_rule, out, scratch),
            Format::Q8_0 | Format::Q35P => Ok(()),
        }
    }

    /// Fits everything once before the first byte is written. Rare: some value is in the hundreds at least.
    #[cold]
    #[inline(never)]
    fn check_scales(&self, scratch: &mut [u8]) -> Result<(), Error> {
        for row in split_rows(self.x, self.cols) {
            for group in self.groups(row) {
                self.scale(&self.fit(group, scratch)?)?;
            }
        }
        Ok(())
    }

    fn levels(&self) -> Levels {
        if self.format == Format::FiveLevel { Levels::Five } else { Levels::Three }
    }

    fn fit(&self, group: &[f32], scratch: &mut [u8]) -> Result<Rule, Error> {
        fit(self.options.fit, self.levels(), group, scratch)
    }

    /// The parts of a row that share a scale, under block or row granularity.
    fn groups<'x>(&self, row: &'x [f32]) -> core::slice::Chunks<'x, f32> {
        let block = self.options.granularity == Granularity::Block;
        row.chunks(if block { self.format.block_len().max(1) } else { self.cols.max(1) })
    }

    fn scale(&self, rule: &Rule) -> Result<f16, Error> {
        store_scale(rule.scale, self.options.non_finite)
    }

    /// False only if no scale of this call can exceed the f16 range.
    fn scale_may_overflow(&self) -> bool {
        let bound = match self.options.fit {
            // These never exceed the largest magnitude (five-level absmean: twice that).
            Fit::Mse | Fit::AbsMean | Fit::AbsMax => 0.5 * F16_MAX,
            Fit::Fixed { .. } | Fit::MinMax => return true,
            // std / mean|code| and |x| / |code| can exceed it by the group length, when one code is set.
            Fit::Percentile(_) | Fit::NormPreserving => 0.5 * F16_MAX / self.cols as f32,
        };
        largest_finite(self.x) > bound
    }

    /// Formats with a scale a block: `pack` gets the codes (zero beyond the values), how many values there are, the
    /// scale, and the bytes of the block.
    fn encode_blocks<const LEN: usize, const BYTES: usize>(
        &self,
        tensor_rule: Option<Rule>,
        out: &mut [u8],
        scratch: &mut [u8],
        pack: impl Fn(&[i8; LEN], usize, f16, &mut [u8]),
    ) -> Result<(), Error> {
        let row_bytes = self.format.row_bytes(self.cols)?;
        let tier = simd::active();
        // A tensor's scale is checked before its first byte is written; the others' in `quantize`.
        if let Some(rule) = &tensor_rule {
            self.scale(rule)?;
        }
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let row_rule = match (&tensor_rule, self.options.granularity) {
                (None, Granularity::Row) => Some(self.fit(row, scratch)?),
                (rule, _) => *rule,
            };
            for (block, out) in pieces_with::<LEN, _, _>(row, out.chunks_mut(BYTES)) {
                let rule = match row_rule {
                    Some(rule) => rule,
                    None => self.fit(block, scratch)?,
                };
                let scale = self.scale(&rule)?;
                simd::vectorize(
                    tier,
                    #[inline(always)]
                    || {
                        let mut codes = [0i8; LEN];
                        for (code, &v) in codes.iter_mut().zip(block) {
                            *code = rule.code(v);
                        }
                        pack(&codes, block.len(), scale, out);
                    },
                );
            }
        }
        Ok(())
    }

    fn encode_dense(
        &self,
        tensor_rule: Option<Rule>,
        out: &mut [u8],
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        let tier = simd::active();
        let row_bytes = self.format.row_bytes(self.cols)?;
        if let Some(rule) = &tensor_rule {
            self.scale(rule)?;
        }
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let rule = match tensor_rule {
                Some(rule) => rule,
                None => self.fit(row, scratch)?,
            };
            dense_ternary::store_scale(self.scale(&rule)?, out);
            let digits = out.len().saturating_sub(dense_ternary::SCALE_BYTES);
            let groups = out.get_mut(..digits).unwrap_or_default().chunks_mut(dense_ternary::GROUP_BYTES);
            for (group, out) in pieces_with::<{ dense_ternary::GROUP_LEN }, _, _>(row, groups) {
                simd::vectorize(
                    tier,
                    #[inline(always)]
                    || {
                        let mut codes = [0i8; dense_ternary::GROUP_LEN];
                        for (code, &v) in codes.iter_mut().zip(group) {
                            *code = rule.code(v);
                        }
                        dense_ternary::pack_group(codes.get(..group.len()).unwrap_or_default(), out);
                    },
                );
            }
        }
        Ok(())
    }

    fn encode_q8_0(&self, out: &mut [u8]) -> Result<(), Error> {
        let policy = self.options.non_finite;
        store_scale(largest_finite(self.x) / 127.0, policy)?;
        let row_bytes = self.cols.div_ceil(q8_0::BLOCK_LEN) * q8_0::BLOCK_BYTES;
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let (blocks, _) = out.as_chunks_mut::<{ q8_0::BLOCK_BYTES }>();
            for (block, out) in pieces_with::<{ q8_0::BLOCK_LEN }, _, _>(row, blocks.iter_mut()) {
                let max = largest_finite(block);
                let guard = guard_scale(max);
                let scale = max * guard / 127.0;
                let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
                let mut codes = [0i8; q8_0::BLOCK_LEN];
                for (code, &v) in codes.iter_mut().zip(block) {
                    // Infinities become the largest finite magnitude; the cast makes a NaN 0.
                    let v = if v > max { max } else { v };
                    let v = if v < -max { -max } else { v };
                    *code = round_half_away(v * guard * inverse) as i8;
                }
                q8_0::pack(&codes, store_scale(scale / guard, policy)?, out);
            }
        }
        Ok(())
    }
}

/// A scale as f16: refused or capped above its range, zero below it.
fn store_scale(scale: f32, policy: NonFinite) -> Result<f16, Error> {
    let stored = f32_to_f16(scale);
    if stored.is_finite() {
        Ok(stored)
    } else if policy == NonFinite::Saturate {
        Ok(f16::MAX)
    } else {
        Err(Error::ScaleRange)
    }
}

/// Rounds half away from zero for |x| < 2^22; exact also for 0.49999997, where adding 0.5 is not.
#[inline(always)]
fn round_half_away(x: f32) -> f32 {
    let whole = x as i32 as f32;
    let rest = x - whole;
    if rest >= 0.5 {
        whole + 1.0
    } else if rest <= -0.5 {
        whole - 1.0
    } else {
        whole
    }
}
