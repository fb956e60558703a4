//! `TQ1_0` on a tier that adds products of signed bytes to 32-bit lanes in one instruction ([`Lanes::DOT`]).
//!
//! A packed byte `b` has the digit `d = floor(3 b / 256)` and leaves `b' = 3 b mod 256`, so `256 d = 3 b - b'`. With
//! `y = b - 128`, a signed byte, and `y' = 3 y mod 256 = b' - 128` that is `256 (d - 1) = 3 y - y'`: sums of `y a` and of
//! `y' a` are the sum of trits times activations, and no digit is ever taken out.
//!
//! Bounds: a block is 256 products, so |sum of y a| <= 256 * 128 * 128 = 2^22 and three times that less the other sum is
//! at most 2^24.

use crate::quant::{ActBlock, tq1_0};
use crate::simd::lanes::{Lanes, unsigned};

use super::base3;
use super::ternary::{Aligned, BLOCKS, Blocks, Part, eight_rows};

/// `y += W a` for rows of `TQ1_0`, as [`tq2_0`](super::ternary::tq2_0).
#[inline(always)]
pub(crate) fn tq1_0<L: Lanes>(l: L, data: &[u8], row_bytes: usize, acts: &[ActBlock], y: &mut [f32]) {
    let mut sums = [[l.no_ints(); 8]; BLOCKS];
    let offsets = [0; BLOCKS];
    let mut codes = [Aligned([0; 256]); BLOCKS];
    for (i, acts) in acts.chunks(BLOCKS).enumerate() {
        for (codes, act) in codes.iter_mut().zip(acts) {
            codes.0 = act.codes;
        }
        let part = Part { data, row_bytes, first: i * BLOCKS, acts, offsets: &offsets };
        let codes = codes.get(..acts.len()).unwrap_or_default();
        eight_rows::<L, Trits, { tq1_0::BLOCK_BYTES }>(l, part, codes, &mut sums, y);
    }
}

struct Trits;

/// What the last four bytes of a block are multiplied by, plane by plane.
const LAST_POWERS: [u8; 16] = [1, 1, 1, 1, 3, 3, 3, 3, 9, 9, 9, 9, 27, 27, 27, 27];

impl<L: Lanes> Blocks<L, { tq1_0::BLOCK_BYTES }> for Trits {
    type Operand = Aligned<[i8; 256]>;
    type Constants = L::Bytes;
    type Sum = L::Ints;

    #[inline(always)]
    fn constants(l: L) -> L::Bytes {
        l.splat(128)
    }

    /// The sum of trits times activations, as i32 lanes.
    #[inline(always)]
    fn block(l: L, half: L::Bytes, block: &[u8; tq1_0::BLOCK_BYTES], codes: &Aligned<[i8; 256]>) -> L::Ints {
        let (mut before, mut after) = (l.no_ints(), l.no_ints());
        let (Some(head), Some(&middle), Some(&last)) = (
            block.first_chunk::<32>(),
            block.get(32..48).and_then(|m| m.first_chunk::<16>()),
            block.get(48..52).and_then(|m| m.first_chunk::<4>()),
        ) else {
            return before; // 32 + 16 + 4 + 2 bytes: never
        };
        let [planes @ .., a5, a6, a7]: &[[i8; 32]; 8] = bytemuck::must_cast_ref(&codes.0);
        let mut y = l.sub(l.load(head), half);
        for a in planes {
            let a = l.load(unsigned(a));
            before = l.add_products(before, y, a);
            y = base3::next(l, y);
            after = l.add_products(after, y, a);
        }
        // Bytes 32..48: five planes of 16, two in a vector; the fifth beside the four planes of 4 of the last bytes.
        let times = |by: u8| middle.map(|b| b.wrapping_mul(by));
        let mut tail: [u8; 16] = bytemuck::must_cast([last; 4]);
        for (b, power) in tail.iter_mut().zip(&LAST_POWERS) {
            *b = b.wrapping_mul(*power);
        }
        for (halves, a) in [([middle, times(3)], a5), ([times(9), times(27)], a6), ([times(81), tail], a7)] {
            let (y, a) = (l.sub(l.load(bytemuck::must_cast_ref(&halves)), half), l.load(unsigned(a)));
            before = l.add_products(before, y, a);
            after = l.add_products(after, base3::next(l, y), a);
        }
        l.trit_sums(before, after)
    }

    #[inline(always)]
    fn reduce(l: L, sums: &[L::Ints; 8]) -> L::Ints {
        l.total_eight(*sums)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On every vector tier of this machine, also where the products do not use it.
    #[test]
    fn the_sums_without_digits_are_those_of_digits() {
        let mut state = 1u32;
        let mut byte = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        // 20 blocks a row: more than are summed at a time. All bytes occur, also those that pack no digits.
        let mut data = [0; 16 * 20 * tq1_0::BLOCK_BYTES];
        for block in data.as_chunks_mut::<{ tq1_0::BLOCK_BYTES }>().0 {
            block.fill_with(&mut byte);
            block[52..].copy_from_slice(&half::f16::from_f32(0.75).to_le_bytes());
        }
        let mut acts = [ActBlock { scale: 0.5, ..ActBlock::ZERO }; 20];
        for (i, act) in acts.iter_mut().enumerate() {
            act.codes = core::array::from_fn(|_| if i == 0 { -128 } else { byte() as i8 });
            for (sum, codes) in act.sums.iter_mut().zip(act.codes.as_chunks::<16>().0) {
                *sum = codes.iter().map(|&c| c as i16).sum();
            }
        }
        let row_bytes = 20 * tq1_0::BLOCK_BYTES;
        let both = |digits: &dyn Fn(&mut [f32]), trits: &dyn Fn(&mut [f32])| {
            let (mut expected, mut got) = ([0.0; 16], [0.0; 16]);
            digits(&mut expected);
            trits(&mut got);
            assert_ne!(expected, [0.0; 16]);
            assert_eq!(got.map(f32::to_bits), expected.map(f32::to_bits));
        };
        macro_rules! check {
            ($token:expr) => {
                if let Some(l) = $token {
                    both(&|y| super::super::ternary::tq1_0(l, &data, row_bytes, &acts, &[], y), &|y| {
                        tq1_0(l, &data, row_bytes, &acts, y)
                    });
                }
            };
        }
        #[cfg(target_arch = "x86_64")]
        check!(pulp::x86::V3::try_new());
        #[cfg(target_arch = "x86_64")]
        check!(pulp::x86::V2::try_new());
        #[cfg(target_arch = "aarch64")]
        check!(pulp::aarch64::Neon::try_new());
    }
}
