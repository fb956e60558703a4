//! Dense ternary: five trits a byte, one f16 scale a row: `ceil(cols / 5) + 2` bytes a row, 1.6 + 16/cols
//! bits a weight when 5 divides `cols`. The densest form that is multiplied without unpacking to memory.
//!
//! | bytes of a row | contents |
//! |---|---|
//! | 32 for each full group of 160 weights | byte `j` of group `g` holds weights `160 g + j + 32 k`, k = 0..5 |
//! | `n = ceil(r / 5)` for the `r = cols mod 160` left | byte `j` holds weights `160 G + j + n k`, k = 0..5 |
//! | 2 | scale, f16 little-endian |
//!
//! Trits are stored as in [`tq1_0`](super::tq1_0): base-3 fraction, first weight most significant. Weights
//! beyond `cols` in the tail are zero trits (zero digits where a whole plane is beyond).

use half::f16;

use super::base3;

/// Trits in a byte.
pub const TRITS_PER_BYTE: usize = 5;
/// Weights in a full group.
pub const GROUP_LEN: usize = 160;
/// Bytes of a full group.
pub const GROUP_BYTES: usize = 32;
/// Bytes of the scale at the end of a row.
pub const SCALE_BYTES: usize = 2;

/// The digit bytes and the scale of a packed row; `None` if it is shorter than a scale.
#[inline(always)]
#[must_use]
pub fn split_row(row: &[u8]) -> Option<(&[u8], f32)> {
    let (q, scale) = row.split_last_chunk::<SCALE_BYTES>()?;
    Some((q, crate::math::f16_from_le(*scale)))
}

/// Packs one group of up to [`GROUP_LEN`] trits into `ceil(codes.len() / 5)` bytes.
#[inline(always)]
pub fn pack_group(codes: &[i8], out: &mut [u8]) {
    base3::pack_planes(codes, out);
}

/// Unpacks one group into `codes`.
#[inline(always)]
pub fn unpack_group(q: &[u8], codes: &mut [i8]) {
    base3::unpack_planes(q, codes);
}

/// [`pack_group`] of a full group.
#[inline(always)]
pub(crate) fn pack_full(codes: &[i8; GROUP_LEN], out: &mut [u8; GROUP_BYTES]) {
    base3::pack_planes_of(codes, out);
}

/// [`unpack_group`] of a full group.
#[inline(always)]
pub(crate) fn unpack_full(q: &[u8; GROUP_BYTES], codes: &mut [i8; GROUP_LEN]) {
    base3::unpack_planes_of(q, codes);
}

/// Writes the scale at the end of a packed row.
#[inline(always)]
pub fn store_scale(scale: f16, row: &mut [u8]) {
    if let Some(bytes) = row.last_chunk_mut::<SCALE_BYTES>() {
        *bytes = scale.to_le_bytes();
    }
}
