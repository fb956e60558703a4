//! Products of the prepared layout on the vector tiers, several eights of rows at a time: see docs/kernels.md for the counts of
//! operations.

use crate::quant::ActBlock;
use crate::simd::lanes::Lanes;

use super::prepared::{BLOCK_BYTES, GROUP, split};

/// `y = W a` of prepared bytes.
#[inline(always)]
pub(crate) fn matvec<L: Lanes>(l: L, data: &[u8], acts: &[ActBlock], y: &mut [f32]) {
    // As many groups share the loads of activations as there are registers for their sums; with four products an
    // instruction the compiler spills codes at four groups (counted: 93 instructions for 256 weights, 78 at two).
    if L::TILES == 6 && !L::DOT {
        matvec_by::<L, 4>(l, data, acts, y);
    } else {
        matvec_by::<L, 2>(l, data, acts, y);
    }
}

#[inline(always)]
fn matvec_by<L: Lanes, const T: usize>(l: L, data: &[u8], acts: &[ActBlock], y: &mut [f32]) {
    let group = (acts.len() * BLOCK_BYTES).max(1);
    let whole = data.chunks_exact((T * group).max(1));
    let rest = whole.remainder();
    let mut y = y.chunks_mut(T * GROUP);
    for (data, y) in whole.zip(&mut y) {
        let mut groups = [&[] as &[u8]; T];
        for (to, from) in groups.iter_mut().zip(data.chunks_exact(group)) {
            *to = from;
        }
        write(y, &rows::<L, T>(l, groups, acts));
    }
    let y = y.next().unwrap_or_default();
    for (data, y) in rest.chunks_exact(group).zip(y.chunks_mut(GROUP)) {
        write(y, &rows::<L, 1>(l, [data], acts));
    }
}

#[inline(always)]
fn write(y: &mut [f32], totals: &[[f32; 8]]) {
    for (y, total) in y.iter_mut().zip(totals.as_flattened()) {
        *y = *total;
    }
}

/// The outputs of `8 T` rows.
///
/// Bounds: `ones` takes 2 calls a step with digits up to 3, `fours` 2 calls with digits up to 12, and what it holds
/// every four steps, divided by 4: after half a block 16 + 16 calls with digits up to 3, of 42 allowed.
#[inline(always)]
fn rows<L: Lanes, const T: usize>(l: L, groups: [&[u8]; T], acts: &[ActBlock]) -> [[f32; 8]; T] {
    // Opaque, so that they stay in registers.
    let [low, high] = core::hint::black_box(&[[0x03; 32], [0x0C; 32]]);
    let (low, high) = (l.load(low), l.load(high));
    let mut totals = [l.load_rows(&[0.0; 8]); T];
    let parts = groups.map(split);
    for (i, act) in acts.iter().enumerate() {
        let offset = -act.sums.iter().map(|&s| s as i32).sum::<i32>();
        let mut sums = [l.no_ints(); T];
        let mut blocks = [&[[[[0u8; 32]; 4]; 2]; 2]; T];
        for (block, (codes, _)) in blocks.iter_mut().zip(&parts) {
            if let Some(codes) = codes.get(i) {
                *block = bytemuck::must_cast_ref(codes);
            }
        }
        // By half, plane, fours of steps.
        let halves: &[[[[[u8; 4]; 4]; 2]; 4]; 2] = bytemuck::must_cast_ref(&act.codes);
        for (h, [a0, a1, a2, a3]) in halves.iter().enumerate() {
            let mut ones = [l.no_quads(); T];
            let acts = a0.iter().zip(a1).zip(a2.iter().zip(a3));
            for (c, ((a0, a1), (a2, a3))) in acts.enumerate() {
                let mut fours = [l.no_quads(); T];
                let acts = a0.iter().zip(a1).zip(a2.iter().zip(a3));
                for (k, ((a0, a1), (a2, a3))) in acts.enumerate() {
                    let (a0, a1) = (l.four_bytes(a0), l.four_bytes(a1));
                    let (a2, a3) = (l.four_bytes(a2), l.four_bytes(a3));
                    for ((block, ones), fours) in blocks.iter().zip(&mut ones).zip(&mut fours) {
                        let q = block.get(h).and_then(|b| b.get(c)).and_then(|b| b.get(k));
                        let Some(q) = q else { continue };
                        let q = l.load(q);
                        *ones = l.add_group_digits(*ones, l.and(q, low), a0);
                        *fours = l.add_group_digits(*fours, l.and(q, high), a1);
                    }
                    for ((block, ones), fours) in blocks.iter().zip(&mut ones).zip(&mut fours) {
                        let q = block.get(h).and_then(|b| b.get(c)).and_then(|b| b.get(k));
                        let Some(q) = q else { continue };
                        let upper = l.upper_halves(l.load(q));
                        *ones = l.add_group_digits(*ones, l.and(upper, low), a2);
                        *fours = l.add_group_digits(*fours, l.and(upper, high), a3);
                    }
                }
                for (ones, fours) in ones.iter_mut().zip(fours) {
                    *ones = l.quads_plus_quarter(*ones, fours);
                }
            }
            for (sum, ones) in sums.iter_mut().zip(ones) {
                *sum = l.add_quads(*sum, ones);
            }
        }
        for ((total, sum), (_, scales)) in totals.iter_mut().zip(sums).zip(&parts) {
            let Some(scales) = scales.get(i) else { continue };
            let scales = l.halves_to_rows(&scales_of(scales));
            *total = l.add_scaled(*total, act.scale, scales, sum, offset);
        }
    }
    let mut out = [[0.0; 8]; T];
    for (out, total) in out.iter_mut().zip(totals) {
        *out = l.store_rows(total);
    }
    out
}

/// Eight f16 in a row.
#[inline(always)]
pub(crate) fn scales_of(bytes: &[u8; 16]) -> [u16; 8] {
    let mut scales = [0; 8];
    for (scale, bytes) in scales.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *scale = u16::from_le_bytes(*bytes);
    }
    scales
}
