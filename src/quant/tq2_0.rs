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
    for (bytes, half) in q.chunks_exact_mut(32).zip(halves) {
        bytes.fill(0);
        let (planes, _) = half.as_chunks::<32>();
        for (plane, shift) in planes.iter().zip([0, 2, 4, 6]) {
            for (byte, &code) in bytes.iter_mut().zip(plane) {
                *byte |= ((code + 1) as u8 & 3) << shift;
            }
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
    for (bytes, half) in q.chunks_exact(32).zip(halves) {
        let (planes, _) = half.as_chunks_mut::<32>();
        for (plane, shift) in planes.iter_mut().zip([0, 2, 4, 6]) {
            for (code, &byte) in plane.iter_mut().zip(bytes) {
                *code = ((byte >> shift) & 3) as i8 - 1;
            }
        }
    }
}
