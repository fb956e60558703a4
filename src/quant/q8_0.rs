//! `Q8_0`: int8, 32 weights in 34 bytes (8.5 bits a weight), byte-identical to GGUF type 8.
//!
//! | bytes | contents |
//! |---|---|
//! | 0..2 | scale, f16 little-endian |
//! | 2..34 | 32 codes, i8, two's complement |
//!
//! Weight = code * scale. The encoder writes scale = max|x| / 127 and codes -127..=127, rounded half away
//! from zero as GGUF writers do; a decoder takes -128 too.

use half::f16;

/// Weights in a block.
pub const BLOCK_LEN: usize = 32;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 34;

/// Packs codes and their scale.
#[inline(always)]
pub fn pack(codes: &[i8; BLOCK_LEN], scale: f16, out: &mut [u8; BLOCK_BYTES]) {
    let [s0, s1, q @ ..] = out;
    [*s0, *s1] = scale.to_le_bytes();
    for (byte, &code) in q.iter_mut().zip(codes) {
        *byte = code as u8;
    }
}

/// Unpacks a block into codes; returns the scale.
#[inline(always)]
pub fn unpack(block: &[u8; BLOCK_BYTES], codes: &mut [i8; BLOCK_LEN]) -> f32 {
    let [s0, s1, q @ ..] = block;
    for (code, &byte) in codes.iter_mut().zip(q) {
        *code = byte as i8;
    }
    crate::math::f16_from_le([*s0, *s1])
}
