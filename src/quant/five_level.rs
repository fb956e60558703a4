//! Five levels {-1, -1/2, 0, 1/2, 1} x scale: 192 weights in 58 bytes (2.417 bits a weight; log2 5 = 2.322
//! is the floor).
//!
//! | bytes | contents |
//! |---|---|
//! | 0..56 | bits 0-6 of byte `j`: triple `j`; bit 7 of byte `i`: bit `i mod 7` of triple `56 + i div 7` |
//! | 56..58 | scale, f16 little-endian |
//!
//! Triple `j` (0..64) holds weights `j, j+64, j+128` as base-5 digits (digit = level index 0..=4 from -1 to
//! 1, first weight most significant): `t = 25 d0 + 5 d1 + d2`, stored as the 7-bit fraction
//! `q = ceil(t * 128 / 125)`. Digit `k` is the integer part of `5 * frac(q * 5^k / 128)`. All 128 values of
//! `q` decode to digits 0..=4, also the three that no encoder writes.
//! Weight = (digit - 2) * scale / 2.
//!
//! A row ends with a shorter block if 192 does not divide its length: for the `r` weights left, `n = ceil(r / 3)`
//! triples in `m = ceil(7 n / 8)` bytes and the scale. Triple `j` holds weights `j, j+n, j+2n` of the rest
//! (missing ones are level 0); bits 0-6 of byte `j` are triple `j` for `j < m`, and bit 7 of byte `i` is bit
//! `i mod 7` of triple `m + i div 7`, or 0 if there is none. A full block is the same rule with `r = 192`. So
//! rows of 256 take 2.5 bits a weight, of 1024 2.44, of 4096 2.42.

use half::f16;

/// Weights in a block.
pub const BLOCK_LEN: usize = 192;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 58;
/// Bytes of a block that hold codes.
pub const CODE_BYTES: usize = 56;
/// Triples in a block; also the length of one digit plane.
pub const TRIPLES: usize = 64;

/// Bytes of the scale at the end of a block.
const SCALE_BYTES: usize = 2;

/// Bytes of the last block of a row, scale included, when `len` weights (1..192) are left for it.
#[must_use]
pub const fn tail_bytes(len: usize) -> usize {
    (7 * len.div_ceil(3)).div_ceil(8) + SCALE_BYTES
}

/// 5^k for the digit positions.
pub(crate) const POW5: [u16; 3] = [1, 5, 25];

#[inline(always)]
const fn encode(d0: u8, d1: u8, d2: u8) -> u8 {
    let t = 25 * d0 as u16 + 5 * d1 as u16 + d2 as u16;
    (t * 128).div_ceil(125) as u8
}

/// Digit `k` (0..3) of a triple, given `pow5 = 5^k`.
#[inline(always)]
pub(crate) const fn digit(q: u8, pow5: u16) -> u8 {
    ((((q as u16 * pow5) & 127) * 5) >> 7) as u8
}

/// Packs codes (-2..=2, in half scales) and their scale.
#[inline(always)]
pub fn pack(codes: &[i8; BLOCK_LEN], scale: f16, out: &mut [u8; BLOCK_BYTES]) {
    let [bytes @ .., s0, s1] = out;
    let bytes: &mut [u8; CODE_BYTES] = bytes;
    let [p0, p1, p2]: &[[i8; TRIPLES]; 3] = bytemuck::must_cast_ref(codes);
    let mut triples = [0u8; TRIPLES];
    for (q, ((&a, &b), &c)) in triples.iter_mut().zip(p0.iter().zip(p1).zip(p2)) {
        *q = encode((a + 2) as u8, (b + 2) as u8, (c + 2) as u8);
    }
    let (low, high) = triples.split_at(CODE_BYTES);
    for (group, (bytes, low)) in high.iter().zip(bytes.chunks_exact_mut(7).zip(low.chunks_exact(7))) {
        for (bit, (byte, &q)) in bytes.iter_mut().zip(low).enumerate() {
            *byte = q | ((group >> bit) & 1) << 7;
        }
    }
    [*s0, *s1] = scale.to_le_bytes();
}

/// Unpacks a block into codes -2..=2 (half scales); returns the scale.
#[inline(always)]
pub fn unpack(block: &[u8; BLOCK_BYTES], codes: &mut [i8; BLOCK_LEN]) -> f32 {
    let [bytes @ .., s0, s1] = block;
    unpack_codes(bytes, codes);
    crate::math::f16_from_le([*s0, *s1])
}

/// The 64 triples of a block, each 0..=127.
#[inline(always)]
pub(crate) fn triples(bytes: &[u8; CODE_BYTES]) -> [u8; TRIPLES] {
    let mut triples = [0u8; TRIPLES];
    let (low, high) = triples.split_at_mut(CODE_BYTES);
    for (q, &byte) in low.iter_mut().zip(bytes) {
        *q = byte & 127;
    }
    for (q, group) in high.iter_mut().zip(bytes.chunks_exact(7)) {
        // The seven top bits as one number: they stand eight apart, and each term 2^(7k) of the factor moves
        // one of them to its place in the top byte.
        let mut word = [0u8; 8];
        for (byte, &g) in word.iter_mut().zip(group) {
            *byte = g;
        }
        let tops = (u64::from_le_bytes(word) >> 7) & 0x0101_0101_0101_0101;
        *q = (tops.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8;
    }
    triples
}

/// Unpacks the 56 code bytes of a block.
#[inline(always)]
pub(crate) fn unpack_codes(bytes: &[u8; CODE_BYTES], codes: &mut [i8; BLOCK_LEN]) {
    let triples = triples(bytes);
    let (planes, _) = codes.as_chunks_mut::<TRIPLES>();
    for (plane, pow5) in planes.iter_mut().zip(POW5) {
        for (code, &q) in plane.iter_mut().zip(&triples) {
            *code = digit(q, pow5) as i8 - 2;
        }
    }
}

/// Packs the `codes` (fewer than 192) of the last block of a row into [`tail_bytes`] bytes.
pub fn pack_tail(codes: &[i8], scale: f16, out: &mut [u8]) {
    let Some((bytes, last)) = out.split_last_chunk_mut::<SCALE_BYTES>() else { return };
    *last = scale.to_le_bytes();
    let (triples, held) = (codes.len().div_ceil(3), bytes.len());
    let triple = |j: usize| {
        let digit = |k: usize| (codes.get(k * triples + j).copied().unwrap_or(0) + 2) as u8;
        if j < triples { encode(digit(0), digit(1), digit(2)) } else { 0 }
    };
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = triple(i) | ((triple(held + i / 7) >> (i % 7)) & 1) << 7;
    }
}

/// Unpacks the last block of a row into `codes` (fewer than 192); returns the scale.
pub fn unpack_tail(block: &[u8], codes: &mut [i8]) -> f32 {
    let Some((bytes, scale)) = block.split_last_chunk::<SCALE_BYTES>() else { return 0.0 };
    let (count, held) = (codes.len().div_ceil(3), bytes.len());
    let mut triples = [0u8; TRIPLES];
    for (q, byte) in triples.iter_mut().zip(bytes) {
        *q = byte & 127;
    }
    for (group, q) in triples.get_mut(held..).unwrap_or_default().iter_mut().enumerate() {
        let tops = bytes.get(7 * group..).unwrap_or_default().iter().take(7);
        *q = tops.enumerate().fold(0, |q, (bit, byte)| q | (byte >> 7) << bit);
    }
    for (plane, pow5) in codes.chunks_mut(count.max(1)).zip(POW5) {
        for (code, &q) in plane.iter_mut().zip(&triples) {
            *code = digit(q, pow5) as i8 - 2;
        }
    }
    crate::math::f16_from_le(*scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_125_triples_round_trip_and_all_128_fractions_decode() {
        for t in 0..125u8 {
            let d = [t / 25, t / 5 % 5, t % 5];
            let q = encode(d[0], d[1], d[2]);
            assert!(q < 128);
            assert_eq!(POW5.map(|p| digit(q, p)), d);
        }
        for q in 0..128u8 {
            assert!(POW5.iter().all(|&p| digit(q, p) <= 4));
        }
    }

    #[test]
    fn tails_of_every_length_round_trip_and_the_rule_of_the_tail_gives_the_full_block() {
        let mut state = 1u32;
        for len in 1..=BLOCK_LEN {
            let codes: Vec<i8> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as i8 % 3
                })
                .collect();
            let mut block = vec![0xFF; tail_bytes(len)];
            pack_tail(&codes, f16::ONE, &mut block);
            let mut back = vec![7i8; len];
            assert_eq!(unpack_tail(&block, &mut back), 1.0);
            assert_eq!(back, codes, "{len}");
            if len == BLOCK_LEN {
                let mut full = [0; BLOCK_BYTES];
                pack(codes[..].try_into().unwrap(), f16::ONE, &mut full);
                assert_eq!(full[..], block[..]);
            }
        }
    }
}
