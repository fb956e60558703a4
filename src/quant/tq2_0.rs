//! `TQ2_0`: 2-bit ternary, 256 weights in 66 bytes (2.0625 bits a weight), byte-identical to GGUF type 35.
//!
//! | bytes | contents |
//! |---|---|
//! | 0..32 | byte `j` holds weights `j, j+32, j+64, j+96` in bits 0-1, 2-3, 4-5, 6-7 |
//! | 32..64 | byte `32+j` holds weights `128 + j, ..., 128 + j+96` likewise |
//! | 64..66 | scale, f16 little-endian |
//!
//! Weight = (code - 1) * scale with code 0, 1 or 2. No encoder writes code 3; it decodes as +2 * scale,
//! as other decoders of the format have it.

use half::f16;

/// Weights in a block.
pub const BLOCK_LEN: usize = 256;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 66;
/// Bytes of a block that hold codes.
pub const CODE_BYTES: usize = 64;

/// Packs trits (-1, 0, 1) and their scale.
#[inline(always)]
pub fn pack(codes: &[i8; BLOCK_LEN], scale: f16, out: &mut [u8; BLOCK_BYTES]) {
    let [q @ .., s0, s1] = out;
    let q: &mut [u8; CODE_BYTES] = q;
    let (halves, _) = codes.as_chunks::<128>();
    for (bytes, half) in q.as_chunks_mut::<32>().0.iter_mut().zip(halves) {
        let [p0, p1, p2, p3] = planes(half);
        // All four planes in one loop, with constant shifts: vector code.
        for ((((byte, &c0), &c1), &c2), &c3) in bytes.iter_mut().zip(p0).zip(p1).zip(p2).zip(p3) {
            let (low, high) = (
                (c0 + 1) as u8 & 3 | ((c1 + 1) as u8 & 3) << 2,
                (c2 + 1) as u8 & 3 | ((c3 + 1) as u8 & 3) << 2,
            );
            *byte = low | high << 4;
        }
    }
    [*s0, *s1] = scale.to_le_bytes();
}

/// Unpacks a block into codes -1..=2; returns the scale.
#[inline(always)]
pub fn unpack(block: &[u8; BLOCK_BYTES], codes: &mut [i8; BLOCK_LEN]) -> f32 {
    let [q @ .., s0, s1] = block;
    unpack_codes(q, codes);
    crate::math::f16_from_le([*s0, *s1])
}

/// Unpacks the 64 code bytes of a block.
#[inline(always)]
pub(crate) fn unpack_codes(q: &[u8; CODE_BYTES], codes: &mut [i8; BLOCK_LEN]) {
    let (halves, _) = codes.as_chunks_mut::<128>();
    for (bytes, half) in q.as_chunks::<32>().0.iter().zip(halves) {
        let (low, high) = half.split_at_mut(64);
        let ((p0, p1), (p2, p3)) = (low.split_at_mut(32), high.split_at_mut(32));
        for ((((&byte, c0), c1), c2), c3) in bytes.iter().zip(p0).zip(p1).zip(p2).zip(p3) {
            *c0 = (byte & 3) as i8 - 1;
            *c1 = (byte >> 2 & 3) as i8 - 1;
            *c2 = (byte >> 4 & 3) as i8 - 1;
            *c3 = (byte >> 6) as i8 - 1;
        }
    }
}

/// The four planes of half a block.
#[inline(always)]
fn planes(half: &[i8; 128]) -> [&[i8]; 4] {
    let (low, high) = half.split_at(64);
    let ((p0, p1), (p2, p3)) = (low.split_at(32), high.split_at(32));
    [p0, p1, p2, p3]
}
