//! Room `quant`: sizes, quantize, dequantize, codes, int8 activations.

use core::ffi::c_void;
use core::mem::offset_of;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::quant::{self, ActBlock, Fit, Format, Granularity, NonFinite, Options};

use super::hq_status;
use super::pointers::{Input, Output, disjoint, size, status};

/// GGUF type 8: int8, blocks of 32 weights in 34 bytes.
pub const HQ_FORMAT_Q8_0: i32 = 8;
/// GGUF type 34: base-3 ternary, blocks of 256 weights in 54 bytes.
pub const HQ_FORMAT_TQ1_0: i32 = 34;
/// GGUF type 35: 2-bit ternary, blocks of 256 weights in 66 bytes.
pub const HQ_FORMAT_TQ2_0: i32 = 35;
/// Ternary, five weights a byte and one 16-bit scale a row.
pub const HQ_FORMAT_DENSE_TERNARY: i32 = 1000;
/// Levels {-1, -1/2, 0, 1/2, 1}, blocks of 192 weights in 58 bytes; the last block of a row is shorter.
pub const HQ_FORMAT_FIVE_LEVEL: i32 = 1001;
/// 3.5 bits: pairs of a 4-bit and a 3-bit weight, 16 weights in 7 bytes, a 32-bit scale and offset a row.
pub const HQ_FORMAT_Q35P: i32 = 1002;
/// 3.5 bits: two codebooks, blocks of 256 weights in 112 bytes; the last block of a row is shorter. Only with
/// `HQ_FIT_MSE` and `HQ_GRANULARITY_BLOCK`; magnitudes up to 98304.
pub const HQ_FORMAT_Q35B: i32 = 1003;

/// The exact least-squares projection: the default.
pub const HQ_FIT_MSE: i32 = 0;
/// BitNet b1.58: scale = mean |x|. For models trained with it.
pub const HQ_FIT_ABSMEAN: i32 = 1;
/// Scale = max |x|: what GGUF writers do. The only fit of `HQ_FORMAT_Q8_0`.
pub const HQ_FIT_ABSMAX: i32 = 2;
/// The share `percentile` of the magnitudes becomes zero; scale = std(x) / mean |code|.
pub const HQ_FIT_PERCENTILE: i32 = 3;
/// Thresholds of `HQ_FIT_MSE`, and the scale that keeps the L2 norm. For gradients.
pub const HQ_FIT_NORM_PRESERVING: i32 = 4;
/// The given `threshold` and `scale`.
pub const HQ_FIT_FIXED: i32 = 5;
/// The range of the row, from its smallest to its largest value. Only for `HQ_FORMAT_Q35P`.
pub const HQ_FIT_MINMAX: i32 = 6;
/// Near `HQ_FIT_MSE` at several times its speed: two turns of Lloyd's iteration from the threshold of Ternary Weight
/// Networks. On normal values 0.1 % above its error.
pub const HQ_FIT_LLOYD: i32 = 7;

/// One scale per block of the format. Not for `HQ_FORMAT_DENSE_TERNARY` and `HQ_FORMAT_Q35P`.
pub const HQ_GRANULARITY_BLOCK: i32 = 0;
/// One scale per row. The only one of `HQ_FORMAT_Q35P`.
pub const HQ_GRANULARITY_ROW: i32 = 1;
/// One scale for all values of a call.
pub const HQ_GRANULARITY_TENSOR: i32 = 2;

/// Refuse NaN and infinity with `HQ_ERROR_NON_FINITE`.
pub const HQ_NON_FINITE_ERROR: i32 = 0;
/// NaN counts as 0, an infinity as the largest finite magnitude of its group; scales stop at 65504.
pub const HQ_NON_FINITE_SATURATE: i32 = 1;

const _: () = {
    assert!(Format::ALL.len() == 7);
    assert!(HQ_FORMAT_Q8_0 == Format::Q8_0 as i32);
    assert!(HQ_FORMAT_TQ1_0 == Format::Tq1_0 as i32);
    assert!(HQ_FORMAT_TQ2_0 == Format::Tq2_0 as i32);
    assert!(HQ_FORMAT_DENSE_TERNARY == Format::DenseTernary as i32);
    assert!(HQ_FORMAT_FIVE_LEVEL == Format::FiveLevel as i32);
    assert!(HQ_FORMAT_Q35P == Format::Q35P as i32);
    assert!(HQ_FORMAT_Q35B == Format::Q35B as i32);
    assert!(HQ_GRANULARITY_BLOCK == Granularity::Block as i32);
    assert!(HQ_GRANULARITY_ROW == Granularity::Row as i32);
    assert!(HQ_GRANULARITY_TENSOR == Granularity::Tensor as i32);
    assert!(HQ_NON_FINITE_ERROR == NonFinite::Error as i32);
    assert!(HQ_NON_FINITE_SATURATE == NonFinite::Saturate as i32);
};

/// Values in one `hq_act_block`.
pub const HQ_ACT_BLOCK_LEN: usize = 256;

/// 256 int8 activations with their scale; 292 bytes. Value = `codes[i] * scale`.
///
/// A form in memory, in the byte order of the machine: not for files.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_act_block {
    /// Value of code 1.
    pub scale: f32,
    /// Codes -127..127; zero beyond the end of the vector.
    pub codes: [i8; 256],
    /// Sums of 16 consecutive codes each.
    pub sums: [i16; 16],
}

const _: () = {
    assert!(HQ_ACT_BLOCK_LEN == quant::ActBlock::ZERO.codes.len());
    assert!(size_of::<hq_act_block>() == 292 && size_of::<ActBlock>() == 292);
    assert!(align_of::<hq_act_block>() == align_of::<ActBlock>());
    assert!(offset_of!(hq_act_block, codes) == offset_of!(ActBlock, codes));
    assert!(offset_of!(hq_act_block, sums) == offset_of!(ActBlock, sums));
};

/// How to quantize; 24 bytes. Fill it with `hq_quantize_options_init`, then change what you need.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_quantize_options {
    /// `HQ_FIT_*`: how scales and thresholds are chosen.
    pub fit: i32,
    /// `HQ_GRANULARITY_*`: over which values.
    pub granularity: i32,
    /// `HQ_NON_FINITE_*`: what happens to NaN and infinity.
    pub non_finite: i32,
    /// For `HQ_FIT_PERCENTILE`: percent of the magnitudes that become zero, in [0, 100). Else not read.
    pub percentile: f32,
    /// For `HQ_FIT_FIXED`: the smallest magnitude that is not zero; finite, >= 0. Else not read.
    pub threshold: f32,
    /// For `HQ_FIT_FIXED`: the value of the largest level; finite, >= 0. Else not read.
    pub scale: f32,
}

const _: () = assert!(size_of::<hq_quantize_options>() == 24);

/// What a ternary fit found: |x| >= `threshold` becomes `scale` with the sign of x, all else 0; 8 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_ternary {
    /// Smallest magnitude that is not zero; infinite when everything is zero.
    pub threshold: f32,
    /// Value of code 1.
    pub scale: f32,
}

const _: () = assert!(size_of::<hq_ternary>() == 8);

impl From<quant::Ternary> for hq_ternary {
    fn from(found: quant::Ternary) -> hq_ternary {
        hq_ternary { threshold: found.threshold, scale: found.scale }
    }
}

impl hq_quantize_options {
    fn from_rust(options: &Options) -> hq_quantize_options {
        let fit = match options.fit {
            Fit::AbsMax => HQ_FIT_ABSMAX,
            _ => HQ_FIT_MSE, // the only other default
        };
        hq_quantize_options {
            fit,
            granularity: options.granularity as i32,
            non_finite: options.non_finite as i32,
            percentile: 0.0,
            threshold: 0.0,
            scale: 0.0,
        }
    }

    fn to_rust(self) -> Result<Options, Error> {
        let (fit, non_finite) = self.fit()?;
        Ok(Options { fit, granularity: Granularity::from_i32(self.granularity)?, non_finite })
    }

    fn fit(self) -> Result<(Fit, NonFinite), Error> {
        let fit = match self.fit {
            HQ_FIT_MSE => Fit::Mse,
            HQ_FIT_ABSMEAN => Fit::AbsMean,
            HQ_FIT_ABSMAX => Fit::AbsMax,
            HQ_FIT_PERCENTILE => Fit::Percentile(self.percentile),
            HQ_FIT_NORM_PRESERVING => Fit::NormPreserving,
            HQ_FIT_FIXED => Fit::Fixed { threshold: self.threshold, scale: self.scale },
            HQ_FIT_MINMAX => Fit::MinMax,
            HQ_FIT_LLOYD => Fit::Lloyd,
            _ => return Err(Error::UnknownEnum),
        };
        Ok((fit, NonFinite::from_i32(self.non_finite)?))
    }
}

/// The options at `ptr`, or the defaults for NULL.
///
/// # Safety
/// `ptr` is NULL or points to options that nobody writes meanwhile.
unsafe fn options(ptr: *const hq_quantize_options, format: Format) -> Result<Options, Error> {
    if ptr.is_null() {
        return Ok(Options::new(format));
    }
    // SAFETY: the caller vouches for the memory.
    let one = unsafe { Input::new(ptr, 1)?.slice() };
    one.first().map_or(Err(Error::NullPointer), |o| o.to_rust())
}

/// The fit and policy of the options at `ptr`, or the defaults for NULL.
///
/// # Safety
/// As [`options`].
pub(super) unsafe fn fit(ptr: *const hq_quantize_options) -> Result<(Fit, NonFinite), Error> {
    if ptr.is_null() {
        return Ok((Fit::Mse, NonFinite::Error));
    }
    // SAFETY: the caller vouches for the memory.
    let one = unsafe { Input::new(ptr, 1)?.slice() };
    one.first().map_or(Err(Error::NullPointer), |o| o.fit())
}

/// Bytes of one packed row of `cols` weights; 0 for no columns.
///
/// `SIZE_MAX` if `format` is unknown or the size does not fit `size_t`. For static buffers there are the
/// `HQ_*_ROW_SIZE` macros, which give the same numbers.
///
/// ```c
/// assert(hq_row_size(HQ_FORMAT_TQ1_0, 256) == 54);
/// assert(hq_row_size(HQ_FORMAT_TQ1_0, 257) == HQ_TQ1_0_ROW_SIZE(257));
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_row_size(format: i32, cols: usize) -> usize {
    size(|| Format::from_i32(format)?.row_bytes(cols))
}

/// Bytes of a packed matrix: `rows * hq_row_size(format, cols)`. Row `r` begins at byte
/// `r * hq_row_size(format, cols)`, so that a range of rows is a matrix of its own.
///
/// `SIZE_MAX` if `format` is unknown or the size does not fit `size_t`.
///
/// ```c
/// assert(hq_matrix_size(HQ_FORMAT_DENSE_TERNARY, 64, 100) == 64 * 22);
/// assert(hq_matrix_size(-1, 64, 100) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn hq_matrix_size(format: i32, rows: usize, cols: usize) -> usize {
    size(|| Format::from_i32(format)?.matrix_bytes(rows, cols))
}

/// Fills `options` with the defaults of `format`: the fit with the lowest error over the smallest group that
/// the format has a scale for; NaN and infinity refused. These are the defaults that NULL stands for.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`; nothing is written then.
///
/// # Safety
/// `options` points to one writable struct.
///
/// ```c
/// hq_quantize_options options;
/// assert(hq_quantize_options_init(HQ_FORMAT_TQ2_0, &options) == HQ_OK);
/// options.fit = HQ_FIT_ABSMEAN;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize_options_init(
    format: i32,
    options: *mut hq_quantize_options,
) -> hq_status {
    status(|| {
        let defaults = Options::new(Format::from_i32(format)?);
        // SAFETY: the caller vouches for the memory.
        unsafe { Output::new(options, 1)?.write(hq_quantize_options::from_rust(&defaults)) };
        Ok(())
    })
}

/// Bytes of scratch that `hq_quantize` needs for the same arguments; 0 for fits that do not sort (absmean,
/// absmax, fixed), else at most `HQ_FIT_SCRATCH_SIZE(n)` for `n` values that share a scale.
///
/// `SIZE_MAX` for arguments that `hq_quantize` would refuse too. `options` may be NULL: the defaults.
///
/// # Safety
/// `options` is NULL or points to one readable struct.
///
/// ```c
/// size_t scratch_size = hq_quantize_workspace_size(HQ_FORMAT_TQ2_0, NULL, 64, 1000);
/// assert(scratch_size == HQ_FIT_SCRATCH_SIZE(256));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize_workspace_size(
    format: i32,
    options: *const hq_quantize_options,
    rows: usize,
    cols: usize,
) -> usize {
    size(|| {
        let format = Format::from_i32(format)?;
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options, format)? };
        quant::quantize_workspace_size(format, &options, rows, cols)
    })
}

/// Quantizes and packs `rows` x `cols` floats.
///
/// - `options`: NULL for the defaults of the format.
/// - `x`: exactly `rows * cols` floats, row-major; `x_len` counts floats.
/// - `out`: at least `hq_matrix_size(format, rows, cols)` bytes, of which just those are written; any
///   alignment.
/// - `scratch`: at least `hq_quantize_workspace_size(...)` bytes at any alignment; its contents are lost. NULL
///   with size 0 if that is 0.
///
/// Buffers must not overlap. Callable from any thread; threads that share a matrix take a range of rows each.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_UNSUPPORTED` (`Q8_0` takes only absmax per block, `Q35P` only mse
/// and minmax per row, no other format minmax, dense ternary no block granularity), `HQ_ERROR_INVALID_ARGUMENT` (percentile, threshold, scale), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`,
/// `HQ_ERROR_OUTPUT_TOO_SMALL`, `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE`.
/// `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float x[8] = {0.9f, -1.1f, 0.1f, 0.0f, 1.0f, -0.1f, 0.2f, -1.0f};
/// uint8_t packed[2 * HQ_DENSE_TERNARY_ROW_SIZE(4)];
/// uint8_t scratch[HQ_FIT_SCRATCH_SIZE(4)];
/// assert(hq_quantize(HQ_FORMAT_DENSE_TERNARY, NULL, 2, 4, x, 8, packed, sizeof packed, scratch,
///                    sizeof scratch) == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize(
    format: i32,
    options: *const hq_quantize_options,
    rows: usize,
    cols: usize,
    x: *const f32,
    x_len: usize,
    out: *mut u8,
    out_size: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options, format)? };
        let x = Input::new(x, x_len)?;
        let out = Output::new(out, out_size)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[out.span(), scratch.span()], &[x.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, out, scratch) = unsafe { (x.slice(), out.slice(), scratch.slice()) };
        quant::quantize(format, &options, rows, cols, x, out, scratch)
    })
}

/// Bytes of scratch that `hq_quantize_weighted` needs for the same arguments: at most
/// `HQ_WEIGHTED_SCRATCH_SIZE(n)` for `n` values that share a scale, 0 for `HQ_FORMAT_Q8_0`.
///
/// `SIZE_MAX` for arguments that `hq_quantize_weighted` would refuse too. `options` may be NULL: the defaults.
///
/// # Safety
/// `options` is NULL or points to one readable struct.
///
/// ```c
/// size_t weighted_size = hq_quantize_weighted_workspace_size(HQ_FORMAT_TQ2_0, NULL, 64, 1000);
/// assert(weighted_size == HQ_WEIGHTED_SCRATCH_SIZE(256));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize_weighted_workspace_size(
    format: i32,
    options: *const hq_quantize_options,
    rows: usize,
    cols: usize,
) -> usize {
    size(|| {
        let format = Format::from_i32(format)?;
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options, format)? };
        quant::quantize_weighted_workspace_size(format, &options, rows, cols)
    })
}

/// `hq_quantize` with an importance per column: minimises the sum of importance * (x - decoded)^2.
///
/// - `importance`: exactly `cols` floats, finite and not negative, not all zero; the same for every row; only
///   their ratios count. The usual choice is the mean square of each input of the layer over calibration data.
///   Values that share a scale and whose columns all have the same importance, zero included, are fitted without.
/// - `options`: NULL for the defaults of the format. The fit must be `HQ_FIT_MSE`; for `HQ_FORMAT_Q8_0`, whose only
///   fit is absmax, smaller scales are tried and kept where they lower the weighted error.
/// - `scratch`: at least `hq_quantize_weighted_workspace_size(...)` bytes at any alignment; its contents are lost.
///   NULL with size 0 if that is 0.
/// - `x`, `out`: as for `hq_quantize`.
///
/// `out` and `scratch` must not overlap any other buffer. Callable from any thread; threads that share a matrix
/// take a range of rows each.
///
/// Errors: those of `hq_quantize`; `HQ_ERROR_UNSUPPORTED` also for other fits, `HQ_ERROR_SHAPE` if there are not
/// `cols` importances, `HQ_ERROR_NON_FINITE` if one is NaN or infinite (whatever the policy),
/// `HQ_ERROR_INVALID_ARGUMENT` if one is negative or all are zero. `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float wx[4] = {1.0f, 0.5f, 0.4f, 0.1f}, importance[4] = {1.0f, 100.0f, 100.0f, 1.0f};
/// uint8_t wpacked[HQ_TQ2_0_ROW_SIZE(4)], wscratch[HQ_WEIGHTED_SCRATCH_SIZE(4)];
/// assert(hq_quantize_weighted(HQ_FORMAT_TQ2_0, NULL, 1, 4, wx, 4, importance, 4, wpacked, sizeof wpacked,
///                             wscratch, sizeof wscratch) == HQ_OK);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_quantize_weighted(
    format: i32,
    options: *const hq_quantize_options,
    rows: usize,
    cols: usize,
    x: *const f32,
    x_len: usize,
    importance: *const f32,
    importance_len: usize,
    out: *mut u8,
    out_size: usize,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options, format)? };
        let x = Input::new(x, x_len)?;
        let importance = Input::new(importance, importance_len)?;
        let out = Output::new(out, out_size)?;
        let scratch = Output::bytes(scratch, scratch_size)?;
        disjoint(&[out.span(), scratch.span()], &[x.span(), importance.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (x, importance, out, scratch) =
            unsafe { (x.slice(), importance.slice(), out.slice(), scratch.slice()) };
        quant::quantize_weighted(format, &options, rows, cols, x, importance, out, scratch)
    })
}

/// Decodes a packed `rows` x `cols` matrix to floats: code * scale (`Q35P`: offset + code * scale).
///
/// - `data`: at least `hq_matrix_size(format, rows, cols)` bytes, any alignment. Any bytes decode.
/// - `out`: at least `rows * cols` floats, of which just those are written; `out_len` counts floats.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE` (`data` too short), `HQ_ERROR_OUTPUT_TOO_SMALL`. `out` is
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const uint8_t row[3] = {0xFF, 0x00, 0x3C}; // five digits "2", scale 1.0 as a 16-bit float
/// float out[5];
/// assert(hq_dequantize(HQ_FORMAT_DENSE_TERNARY, 1, 5, row, sizeof row, out, 5) == HQ_OK);
/// assert(out[0] == 1.0f && out[4] == 1.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_dequantize(
    format: i32,
    rows: usize,
    cols: usize,
    data: *const u8,
    data_size: usize,
    out: *mut f32,
    out_len: usize,
) -> hq_status {
    status(|| {
        let format = Format::from_i32(format)?;
        let data = Input::new(data, data_size)?;
        let out = Output::new(out, out_len)?;
        disjoint(&[out.span()], &[data.span()])?;
        // SAFETY: the caller vouches for the memory; the buffers do not overlap.
        let (data, out) = unsafe { (data.slice(), out.slice()) };
        quant::dequantize(format, rows, cols, data, out)
    })
}
