//! `TQ1_0`: base-3 ternary, 256 weights in 54 bytes (1.6875 bits a weight), byte-identical to GGUF type 34.
//!
//! | bytes | contents |
//! |---|---|
//! | 0..32 | byte `j` holds weights `j, j+32, j+64, j+96, j+128` |
//! | 32..48 | byte `32+j` holds weights `160 + j, 160 + j+16, ..., 160 + j+64` |
//! | 48..52 | byte `48+j` holds weights `240 + j, 240 + j+4, 240 + j+8, 240 + j+12` and a zero digit |
//! | 52..54 | scale, f16 little-endian |
//!
//! A byte stores five base-3 digits `d0..d4` (digit = trit + 1, first weight most significant) as the
//! fraction `q = ceil(t * 256 / 243)` with `t = 81 d0 + 27 d1 + 9 d2 + 3 d3 + d4`. Digit `k` is then the
//! integer part of `3 * frac(q * 3^k / 256)`: one multiplication and one shift, no division.
//! A decoder gives a digit 0, 1 or 2 for all 256 byte values, also those that no encoder writes.
//! Weight = (digit - 1) * scale.

use half::f16;

use super::base3;

/// Weights in a block.
pub const BLOCK_LEN: usize = 256;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 54;
/// Bytes of a block that hold digits.
pub const CODE_BYTES: usize = 52;

/// Packs trits (-1, 0, 1) and their scale.
#[inline(always)]
pub fn pack(codes: &[i8; BLOCK_LEN], scale: f16, out: &mut [u8; BLOCK_BYTES]) {
    let [first @ .., _, _] = out;
    let first: &mut [u8; CODE_BYTES] = first;
    let (head, rest) = first.split_at_mut(32);
    let (middle, last) = rest.split_at_mut(16);
    let (c0, c1) = codes.split_at(160);
    let (c1, c2) = c1.split_at(80);
    base3::pack_planes(c0, head);
    base3::pack_planes(c1, middle);
    base3::pack_planes(c2, last);
    let [.., s0, s1] = out;
    [*s0, *s1] = scale.to_le_bytes();
}

/// Unpacks a block into trits; returns the scale.
#[inline(always)]
pub fn unpack(block: &[u8; BLOCK_BYTES], codes: &mut [i8; BLOCK_LEN]) -> f32 {
    let [q @ .., s0, s1] = block;
    unpack_codes(q, codes);
    crate::math::f16_from_le([*s0, *s1])
}

/// Unpacks the 52 digit bytes of a block into trits.
#[inline(always)]
pub(crate) fn unpack_codes(q: &[u8; CODE_BYTES], codes: &mut [i8; BLOCK_LEN]) {
    let (Some(head), Some(middle), Some(last)) =
        (q.first_chunk::<32>(), q.get(32..48).and_then(|m| m.first_chunk::<16>()), q.last_chunk::<4>())
    else {
        return; // 32 + 16 + 4 bytes: never
    };
    let (c0, rest) = codes.split_at_mut(160);
    let (c1, c2) = rest.split_at_mut(80);
    base3::unpack_planes_of(head, c0);
    base3::unpack_planes_of(middle, c1);
    // Four planes of four trits, as one of sixteen.
    let powers = base3::POW3.as_chunks::<4>().0.iter().flatten();
    for (plane, &power) in c2.as_chunks_mut::<4>().0.iter_mut().zip(powers) {
        for (code, b) in plane.iter_mut().zip(last) {
            *code = base3::trit(b.wrapping_mul(power));
        }
    }
}
