//! Packed weights to f32.

use crate::{Error, simd, workspace};

use super::{Format, dense_ternary, five_level, q8_0, q35b, q35p, tq1_0, tq2_0};

/// Decodes a packed `rows` x `cols` matrix: value = code * scale, one rounding at most (`Q35P`: offset + code *
/// scale, two).
///
/// `data` holds at least [`Format::matrix_bytes`] bytes, `out` at least `rows * cols` values, of which just
/// those are written. Any bytes decode; a scale that is infinite or NaN in the data gives infinite or NaN
/// values.
///
/// # Errors
/// [`Error::Shape`] if `data` is too short, [`Error::OutputTooSmall`], [`Error::SizeOverflow`]. `out` is
/// untouched then.
pub fn dequantize(
    format: Format,
    rows: usize,
    cols: usize,
    data: &[u8],
    out: &mut [f32],
) -> Result<(), Error> {
    let data = data.get(..format.matrix_bytes(rows, cols)?).ok_or(Error::Shape)?;
    let cells = rows.checked_mul(cols).ok_or(Error::SizeOverflow)?;
    let out = out.get_mut(..cells).ok_or(Error::OutputTooSmall)?;
    if out.is_empty() {
        return Ok(());
    }
    let row_bytes = format.row_bytes(cols)?;
    let rows = workspace::split_rows(data, row_bytes).zip(workspace::split_rows_mut(out, cols));
    // One copy a tier; the loops are plain Rust.
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        move || {
            for (row, out) in rows {
                match format {
                    Format::Tq1_0 => blocks(row, out, tq1_0::unpack),
                    Format::Tq2_0 => blocks(row, out, tq2_0::unpack),
                    Format::FiveLevel => five(row, out),
                    Format::Q8_0 => blocks(row, out, q8_0::unpack),
                    Format::DenseTernary => dense(row, out),
                    Format::Q35P => pairs(row, out),
                    Format::Q35B => q35(row, out),
                }
            }
        },
    );
    Ok(())
}

#[inline(always)]
fn blocks<const LEN: usize, const BYTES: usize>(
    row: &[u8],
    out: &mut [f32],
    unpack: impl Fn(&[u8; BYTES], &mut [i8; LEN]) -> f32,
) {
    let (packed, _) = row.as_chunks::<BYTES>();
    for (block, out) in packed.iter().zip(out.chunks_mut(LEN)) {
        let mut codes = [0i8; LEN];
        let scale = unpack(block, &mut codes);
        for (value, &code) in out.iter_mut().zip(&codes) {
            *value = code as f32 * scale;
        }
    }
}

#[inline(always)]
fn five(row: &[u8], out: &mut [f32]) {
    let (whole, tail) = out.as_chunks_mut::<{ five_level::BLOCK_LEN }>();
    let (blocks, _) = row.as_chunks::<{ five_level::BLOCK_BYTES }>();
    let mut codes = [0i8; five_level::BLOCK_LEN];
    for (block, out) in blocks.iter().zip(whole.iter_mut()) {
        let scale = 0.5 * five_level::unpack(block, &mut codes);
        for (value, &code) in out.iter_mut().zip(&codes) {
            *value = code as f32 * scale;
        }
    }
    if !tail.is_empty() {
        let block = row.get(whole.len() * five_level::BLOCK_BYTES..).unwrap_or_default();
        let codes = codes.get_mut(..tail.len()).unwrap_or_default();
        let scale = 0.5 * five_level::unpack_tail(block, codes);
        for (value, &code) in tail.iter_mut().zip(codes.iter()) {
            *value = code as f32 * scale;
        }
    }
}

#[inline(always)]
fn q35(row: &[u8], out: &mut [f32]) {
    let (whole, tail) = out.as_chunks_mut::<{ q35b::BLOCK_LEN }>();
    let (blocks, _) = row.as_chunks::<{ q35b::BLOCK_BYTES }>();
    for (block, out) in blocks.iter().zip(whole.iter_mut()) {
        q35b::decode(block, out);
    }
    if !tail.is_empty() {
        let block = row.get(whole.len() * q35b::BLOCK_BYTES..).unwrap_or_default();
        let mut values = [0.0; q35b::BLOCK_LEN];
        q35b::decode(&q35b::widen_tail(block, tail.len()), &mut values);
        for (out, &value) in tail.iter_mut().zip(&values) {
            *out = value;
        }
    }
}

#[inline(always)]
fn dense(row: &[u8], out: &mut [f32]) {
    let Some((digits, scale)) = dense_ternary::split_row(row) else { return };
    let groups = digits.chunks(dense_ternary::GROUP_BYTES).zip(out.chunks_mut(dense_ternary::GROUP_LEN));
    for (q, out) in groups {
        let mut codes = [0i8; dense_ternary::GROUP_LEN];
        let codes = codes.get_mut(..out.len()).unwrap_or_default();
        dense_ternary::unpack_group(q, codes);
        for (value, &code) in out.iter_mut().zip(codes.iter()) {
            *value = code as f32 * scale;
        }
    }
}

#[inline(always)]
fn pairs(row: &[u8], out: &mut [f32]) {
    let Some((codes, affine)) = q35p::split_row(row) else { return };
    q35p::for_each_group(
        codes,
        out.len(),
        #[inline(always)]
        |codes, at| {
            for (value, &code) in out.get_mut(at..).unwrap_or_default().iter_mut().zip(codes) {
                *value = affine.value(code);
            }
        },
    );
}
