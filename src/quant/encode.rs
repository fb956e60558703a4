//! f32 matrices to packed weights.

use half::f16;

use crate::math::{F16_MAX, f32_to_f16, guard_scale};
use crate::simd::scan::CHUNK;
use crate::simd::scan::Scan;
use crate::workspace::{pieces_with, split_rows, split_rows_mut};
use crate::{Error, simd};

use super::eights::{self, EIGHT};
use super::fit::{Levels, Rule, check_finite, fit};
use super::weighted::{Importance, fit_weighted};
use super::{
    Fit, Format, Granularity, NonFinite, Options, dense_ternary, five_level, q8_0, q35b, q35p, tq1_0, tq2_0,
    weighted,
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
    Ok(options.fit.layout(group_len(format, options, rows, cols)?)?.size())
}

/// Values that share a scale at most.
fn group_len(format: Format, options: &Options, rows: usize, cols: usize) -> Result<usize, Error> {
    options.check(format)?;
    if matches!(format, Format::Q35B | Format::Q35P) {
        return Ok(0); // their searches take no scratch
    }
    let cells = rows.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    Ok(match options.granularity {
        _ if cells == 0 => 0,
        Granularity::Block => cols.min(format.block_len()),
        Granularity::Row => cols,
        Granularity::Tensor => cells,
    })
}

/// Quantizes and packs `rows` x `cols` values into `format`.
///
/// `x` holds exactly `rows * cols` values; `out` at least [`Format::matrix_bytes`] bytes, of which just
/// those are written; `scratch` at least [`quantize_workspace_size`] bytes at any alignment.
///
/// # Errors
/// [`Error::Shape`], [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::SizeOverflow`],
/// [`Error::NonFinite`], [`Error::ScaleRange`], [`Error::InvalidArgument`] (a parameter of the fit),
/// [`Error::Unsupported`] (`Q8_0` takes only [`Fit::AbsMax`] per block, `Q35B` only [`Fit::Mse`] per block, `Q35P` only
/// [`Fit::Mse`] and [`Fit::MinMax`] per row, no other format [`Fit::MinMax`], dense ternary no [`Granularity::Block`]).
/// `out` is untouched then.
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
    let needed = quantize_workspace_size(format, options, rows, cols)?;
    let job = Job { format, options: *options, rows, cols, x, weighted: None };
    job.run(needed, out, scratch)
}

/// Bytes of scratch that [`quantize_weighted`] needs: 16 a value of a group (and alignment), 0 for `Q8_0`.
///
/// # Errors
/// As [`quantize_workspace_size`], and [`Error::Unsupported`] for fits that take no importance.
pub fn quantize_weighted_workspace_size(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
) -> Result<usize, Error> {
    let group = group_len(format, options, rows, cols)?;
    match (format, options.fit) {
        (Format::Q8_0, _) => Ok(0),
        (_, Fit::Mse) => Ok(weighted::layout(group)?.size()),
        _ => Err(Error::Unsupported),
    }
}

/// [`quantize`] with an importance per column: scales and codes minimise `sum importance * (x - decoded)^2`.
///
/// `importance` holds `cols` finite values that are not negative, for every row the same; only their ratios count.
/// The usual choice is the mean square of each input of the layer over calibration data. A group of values (block,
/// row or tensor) whose columns all have the same importance, zero included, is fitted without.
///
/// The fit must be [`Fit::Mse`], which finds the exact optimum for three and for five levels. For `Q8_0`, whose only
/// fit is [`Fit::AbsMax`], smaller scales are tried, with clipping, and kept where they lower the weighted error.
/// `scratch` holds at least [`quantize_weighted_workspace_size`] bytes at any alignment.
///
/// # Errors
/// Those of [`quantize`]; [`Error::Shape`] if there are not `cols` importances, [`Error::NonFinite`] if one is NaN
/// or infinite (whatever the policy), [`Error::InvalidArgument`] if one is negative or all are zero,
/// [`Error::Unsupported`] for other fits. `out` is untouched then.
///
/// ```
/// use hybridq::quant::{Format, Options, dequantize, quantize_weighted, quantize_weighted_workspace_size};
/// let x = [1.0f32, 0.5, 0.4, 0.1];
/// let (format, options) = (Format::Tq2_0, Options::new(Format::Tq2_0));
/// let mut packed = [0u8; 66];
/// let mut scratch = [0u8; 128];
/// assert!(quantize_weighted_workspace_size(format, &options, 1, 4)? <= scratch.len());
/// quantize_weighted(format, &options, 1, 4, &x, &[1.0, 100.0, 100.0, 1.0], &mut packed, &mut scratch)?;
/// let mut back = [0f32; 4];
/// dequantize(format, 1, 4, &packed, &mut back)?;
/// assert!((back[1] - 0.453).abs() < 1e-3 && back[0] == back[2]); // the scale is where the importance is
/// # Ok::<(), hybridq::Error>(())
/// ```
#[expect(clippy::too_many_arguments, reason = "those of quantize, and the importance")]
pub fn quantize_weighted(
    format: Format,
    options: &Options,
    rows: usize,
    cols: usize,
    x: &[f32],
    importance: &[f32],
    out: &mut [u8],
    scratch: &mut [u8],
) -> Result<(), Error> {
    let needed = quantize_weighted_workspace_size(format, options, rows, cols)?;
    let importance = Importance::new(importance, cols)?;
    let weighted = Some(Weighted { importance, fit: fit_weighted, q8_0: Q8Block::weighted });
    let job = Job { format, options: *options, rows, cols, x, weighted };
    job.run(needed, out, scratch)
}

struct Job<'a> {
    format: Format,
    options: Options,
    rows: usize,
    cols: usize,
    x: &'a [f32],
    weighted: Option<Weighted<'a>>,
}

/// Importance, and the code for it: by reference, so that a program that links [`quantize`] alone does not hold it.
struct Weighted<'a> {
    importance: Importance<'a>,
    fit: FitWeighted,
    q8_0: fn(&Q8Block, Q8Codes, &Importance) -> Q8Codes,
}

type FitWeighted = fn(Levels, &[f32], &Importance, &mut [u8]) -> Result<Rule, Error>;
/// Codes of a block and their scale.
type Q8Codes = ([i8; q8_0::BLOCK_LEN], f16);

impl Job<'_> {
    /// Checks shapes, then values, then encodes. `needed` is the size of the scratch.
    fn run(&self, needed: usize, out: &mut [u8], scratch: &mut [u8]) -> Result<(), Error> {
        let size = self.format.matrix_bytes(self.rows, self.cols)?;
        if self.rows.checked_mul(self.cols).ok_or(Error::SizeOverflow)? != self.x.len() {
            return Err(Error::Shape);
        }
        let out = out.get_mut(..size).ok_or(Error::OutputTooSmall)?;
        if scratch.len() < needed {
            return Err(Error::WorkspaceTooSmall);
        }
        if out.is_empty() {
            return Ok(());
        }
        let largest = check_finite(self.x, self.options.non_finite)?;
        if self.format == Format::Q8_0 {
            return self.encode_q8_0(largest, out);
        }
        if self.format == Format::Q35B {
            return self.encode_q35b(largest, out);
        }
        if self.format == Format::Q35P {
            let importance = self.weighted.as_ref().and_then(|w| w.importance.part(0, self.cols));
            let importance = importance.as_ref().map(Importance::weights);
            return q35p::encode(
                self.x,
                self.cols,
                importance,
                self.options.fit,
                self.options.non_finite,
                out,
            );
        }
        let tensor_rule = match self.options.granularity {
            Granularity::Tensor => Some(self.fit(self.x, 0, scratch)?),
            _ => None,
        };
        if tensor_rule.is_none() && self.scale_may_overflow(largest) {
            self.check_scales(scratch)?;
        }
        let tier = simd::active();
        match self.format {
            Format::Tq1_0 => self.encode_blocks::<{ tq1_0::BLOCK_LEN }, { tq1_0::BLOCK_BYTES }>(
                tensor_rule,
                out,
                scratch,
                |block, _, rule, scale, out| {
                    if let Some(out) = out.first_chunk_mut() {
                        simd::with_scan!(tier, scan => tq1_0::pack(&scan.trits(block, rule.zero), scale, out));
                    }
                },
            ),
            Format::Tq2_0 => self.encode_blocks::<{ tq2_0::BLOCK_LEN }, { tq2_0::BLOCK_BYTES }>(
                tensor_rule,
                out,
                scratch,
                |block, _, rule, scale, out| {
                    if let Some([codes @ .., s0, s1]) = out.first_chunk_mut::<{ tq2_0::BLOCK_BYTES }>() {
                        simd::with_scan!(tier, scan => scan.crumbs(block, rule.zero, codes));
                        [*s0, *s1] = scale.to_le_bytes();
                    }
                },
            ),
            Format::FiveLevel => self
                .encode_blocks::<{ five_level::BLOCK_LEN }, { five_level::BLOCK_BYTES }>(
                    tensor_rule,
                    out,
                    scratch,
                    |block, len, rule, scale, out| {
                        simd::vectorize(
                            tier,
                            #[inline(always)]
                            || {
                                let mut codes = [0i8; five_level::BLOCK_LEN];
                                for (code, &v) in codes.iter_mut().zip(block) {
                                    *code = rule.code(v);
                                }
                                // A tail with as many triples as a full block is one, with zeros at its end.
                                match out.first_chunk_mut() {
                                    Some(out) if len.div_ceil(3) == five_level::TRIPLES => {
                                        five_level::pack(&codes, scale, out);
                                    }
                                    _ => {
                                        let codes = codes.get(..len).unwrap_or_default();
                                        five_level::pack_tail(codes, scale, out);
                                    }
                                }
                            },
                        );
                    },
                ),
            Format::DenseTernary => self.encode_dense(tensor_rule, out, scratch),
            Format::Q8_0 | Format::Q35B | Format::Q35P => Ok(()),
        }
    }

    /// Fits everything once before the first byte is written. Rare: some value is in the hundreds at least.
    #[cold]
    #[inline(never)]
    fn check_scales(&self, scratch: &mut [u8]) -> Result<(), Error> {
        for row in split_rows(self.x, self.cols) {
            let mut start = 0;
            for group in self.groups(row) {
                self.scale(&self.fit(group, start, scratch)?)?;
                start += group.len();
            }
        }
        Ok(())
    }

    fn levels(&self) -> Levels {
        if self.format == Format::FiveLevel { Levels::Five } else { Levels::Three }
    }

    /// Fits values that begin in column `start`.
    fn fit(&self, group: &[f32], start: usize, scratch: &mut [u8]) -> Result<Rule, Error> {
        let columns = group.len().min(self.cols);
        if let Some(weighted) = &self.weighted
            && let Some(importance) = weighted.importance.part(start, columns)
        {
            return (weighted.fit)(self.levels(), group, &importance, scratch);
        }
        fit(self.options.fit, self.levels(), group, scratch)
    }

    /// The rules of eight blocks, where that is quicker than one after the other.
    fn fit_eight(&self, blocks: &[[f32; CHUNK]; EIGHT], scratch: &mut [u8]) -> Option<[Rule; EIGHT]> {
        // Without vectors there is nothing to gain, and a microcontroller is spared the code.
        if !cfg!(any(target_arch = "x86_64", target_arch = "aarch64"))
            || !matches!(self.options.fit, Fit::AbsMax | Fit::AbsMean | Fit::Lloyd | Fit::Mse)
        {
            return None;
        }
        simd::with_scan!(simd::active(), scan => eights::rules(scan, self.options.fit, blocks, scratch))
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
    fn scale_may_overflow(&self, largest: f32) -> bool {
        let bound = match self.options.fit {
            // These never exceed the largest magnitude (five-level absmean: twice that).
            Fit::Mse | Fit::Lloyd | Fit::AbsMean | Fit::AbsMax => 0.5 * F16_MAX,
            Fit::Fixed { .. } | Fit::MinMax => return true,
            // std / mean|code| and |x| / |code| can exceed it by the group length, when one code is set.
            Fit::Percentile(_) | Fit::NormPreserving => 0.5 * F16_MAX / self.cols as f32,
        };
        largest > bound
    }

    /// Formats with a scale a block: `pack` gets the values (and zeros beyond them), how many they are, their rule,
    /// the scale, and the bytes of the block.
    fn encode_blocks<const LEN: usize, const BYTES: usize>(
        &self,
        tensor_rule: Option<Rule>,
        out: &mut [u8],
        scratch: &mut [u8],
        pack: impl Fn(&[f32; LEN], usize, &Rule, f16, &mut [u8]),
    ) -> Result<(), Error> {
        let row_bytes = self.format.row_bytes(self.cols)?;
        // A tensor's scale is checked before its first byte is written; the others' in `quantize`.
        if let Some(rule) = &tensor_rule {
            self.scale(rule)?;
        }
        let by_eights = LEN == CHUNK
            && self.options.granularity == Granularity::Block
            && self.weighted.is_none()
            && self.levels() == Levels::Three;
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let row_rule = match (&tensor_rule, self.options.granularity) {
                (None, Granularity::Row) => Some(self.fit(row, 0, scratch)?),
                (rule, _) => *rule,
            };
            let mut eight = None;
            for (block, (i, out)) in pieces_with::<LEN, _, _>(row, out.chunks_mut(BYTES).enumerate()) {
                if by_eights && i.is_multiple_of(EIGHT) {
                    let blocks = row.get(LEN * i..).and_then(|rest| rest.as_chunks().0.first_chunk());
                    eight = blocks.and_then(|blocks| self.fit_eight(blocks, scratch));
                }
                let rule = match (row_rule, eight.as_ref().and_then(|rules| rules.get(i % EIGHT))) {
                    (Some(rule), _) => rule,
                    (None, Some(rule)) => *rule,
                    (None, None) => self.fit(block, LEN * i, scratch)?,
                };
                let scale = self.scale(&rule)?;
                match block.first_chunk() {
                    Some(whole) => pack(whole, LEN, &rule, scale, out),
                    None => {
                        let mut padded = [0.0; LEN];
                        for (to, &v) in padded.iter_mut().zip(block) {
                            *to = v;
                        }
                        pack(&padded, block.len(), &rule, scale, out);
                    }
                }
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
                None => self.fit(row, 0, scratch)?,
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
                            *code = rule.trit(v);
                        }
                        dense_ternary::pack_group(codes.get(..group.len()).unwrap_or_default(), out);
                    },
                );
            }
        }
        Ok(())
    }

    fn encode_q35b(&self, largest: f32, out: &mut [u8]) -> Result<(), Error> {
        if self.options.non_finite == NonFinite::Error && largest > q35b::MAX_MAGNITUDE {
            return Err(Error::ScaleRange);
        }
        let tier = simd::active();
        let row_bytes = self.format.row_bytes(self.cols)?;
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let mut start = 0;
            for (x, out) in pieces_with::<{ q35b::BLOCK_LEN }, _, _>(row, out.chunks_mut(q35b::BLOCK_BYTES)) {
                let (_, max) = super::fit::largest(x);
                let limit = if max < q35b::MAX_MAGNITUDE { max } else { q35b::MAX_MAGNITUDE };
                let part = self.weighted.as_ref().and_then(|w| w.importance.part(start, x.len()));
                start += x.len();
                simd::vectorize(
                    tier,
                    #[inline(always)]
                    || {
                        let importance = part.as_ref().map(|part| part.shares());
                        let e = q35b::encode_here(x, limit, importance, &q35b::CODEBOOKS);
                        let mut block = [0; q35b::BLOCK_BYTES];
                        q35b::pack(&e.codes, e.select, &e.scales, e.d, &mut block);
                        q35b::cut_tail(&block, x.len(), out);
                    },
                );
            }
        }
        Ok(())
    }

    fn encode_q8_0(&self, largest: f32, out: &mut [u8]) -> Result<(), Error> {
        let policy = self.options.non_finite;
        store_scale(largest / 127.0, policy)?;
        let row_bytes = self.cols.div_ceil(q8_0::BLOCK_LEN) * q8_0::BLOCK_BYTES;
        for (row, out) in split_rows(self.x, self.cols).zip(split_rows_mut(out, row_bytes)) {
            let (blocks, _) = out.as_chunks_mut::<{ q8_0::BLOCK_BYTES }>();
            for (block, (i, out)) in
                pieces_with::<{ q8_0::BLOCK_LEN }, _, _>(row, blocks.iter_mut().enumerate())
            {
                let block = Q8Block::new(block);
                let mut best = block.with(block.max / 127.0, policy)?;
                if let Some(weighted) = &self.weighted
                    && let Some(importance) = weighted.importance.part(q8_0::BLOCK_LEN * i, block.len)
                {
                    best = (weighted.q8_0)(&block, best, &importance);
                }
                q8_0::pack(&best.0, best.1, out);
            }
        }
        Ok(())
    }
}

/// A block of `Q8_0`, cleaned and brought to an ordinary magnitude.
struct Q8Block {
    values: [f32; q8_0::BLOCK_LEN],
    len: usize,
    guard: f32,
    /// The largest magnitude.
    max: f32,
}

impl Q8Block {
    #[inline(always)]
    fn new(x: &[f32]) -> Q8Block {
        let (_, max) = super::fit::largest(x);
        let guard = guard_scale(max);
        let mut values = [0.0; q8_0::BLOCK_LEN];
        for (value, &v) in values.iter_mut().zip(x) {
            // Infinities become the largest finite magnitude, NaN zero.
            let v = if v > max { max } else { v };
            let v = if v < -max { -max } else { v };
            *value = if v.is_nan() { 0.0 } else { v * guard };
        }
        Q8Block { values, len: x.len(), guard, max: max * guard }
    }

    /// Codes for a (guarded) scale, and the scale as it is stored.
    #[inline(always)]
    fn with(&self, scale: f32, policy: NonFinite) -> Result<Q8Codes, Error> {
        let inverse = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        let mut codes = [0i8; q8_0::BLOCK_LEN];
        for (code, &v) in codes.iter_mut().zip(&self.values) {
            *code = (round_half_away(v * inverse) as i8).max(-127);
        }
        Ok((codes, store_scale(scale / self.guard, policy)?))
    }

    /// The best of what is given and of scales down to 7/8 of it, each with the scale that suits its codes best.
    #[inline(never)]
    fn weighted(&self, start: Q8Codes, importance: &Importance) -> Q8Codes {
        let error = |(codes, scale): &Q8Codes| {
            let scale = scale.to_f32_const() * self.guard;
            let values = self.values.iter().zip(codes).zip(importance.shares()).take(self.len);
            let squares = values.map(|((v, c), w)| w * (v - *c as f32 * scale) * (v - *c as f32 * scale));
            squares.fold(0.0f32, |a, b| a + b)
        };
        let mut best = start;
        let mut least = error(&best);
        let mut share = 1.0;
        for _ in 0..=16 {
            if let Ok((codes, _)) = self.with(share * self.max / 127.0, NonFinite::Saturate) {
                let (mut p, mut q) = (0.0f32, 0.0f32);
                for ((v, c), w) in self.values.iter().zip(&codes).zip(importance.shares()).take(self.len) {
                    p += w * v * *c as f32;
                    q += w * *c as f32 * *c as f32;
                }
                let fitted = if q > 0.0 { p / q } else { 0.0 };
                let candidate = (codes, f32_to_f16(fitted / self.guard));
                let found = error(&candidate);
                if candidate.1.is_finite() && found < least {
                    (best, least) = (candidate, found);
                }
            }
            share -= 1.0 / 128.0;
        }
        best
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
