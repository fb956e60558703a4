//! `Q35B` times activations: the reference, and what all tiers share.
//!
//! The float order with int8 activations, the same on every tier: for each activation block in turn, the exact
//! integer sum of `scale * level * code`, then `total += activation scale * (d / 256 * sum)`.
//!
//! Bounds: a level is at most 31 in magnitude, an activation 128, a scale 32. Eight products of levels and
//! activations are at most 8 * 31 * 128 = 31,744 (an i16), all of a block with their scales
//! 256 * 31 * 128 * 32 = 32,505,856 < 2^25 (an i32; `f32` rounds it once if it exceeds 2^24).

use crate::quant::{ActBlock, q35b};

use super::Packed;
use super::ops::{Kernel, Ops};

/// All rows of a matrix times all vectors.
pub(crate) struct Matmul<'a, 'w> {
    pub(super) weights: &'a Packed<'w>,
    pub(super) per_vector: usize,
    pub(super) acts: &'a [ActBlock],
    pub(super) y: &'a mut [f32],
}

impl Kernel for Matmul<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) {
        ops.q35b(self);
    }
}

/// The blocks of a row, the last one widened to a full block if the row ends before it does.
pub(super) struct Row<'a> {
    pub(super) blocks: &'a [[u8; q35b::BLOCK_BYTES]],
    pub(super) tail: Option<[u8; q35b::BLOCK_BYTES]>,
}

impl Row<'_> {
    #[inline(always)]
    pub(super) fn new(row: &[u8], cols: usize) -> Row<'_> {
        let full = cols / q35b::BLOCK_LEN;
        let (blocks, _) = row.as_chunks::<{ q35b::BLOCK_BYTES }>();
        let left = cols % q35b::BLOCK_LEN;
        let tail = (left > 0).then(
            #[inline(always)]
            || q35b::widen_tail(row.get(full * q35b::BLOCK_BYTES..).unwrap_or_default(), left),
        );
        Row { blocks: blocks.get(..full).unwrap_or_default(), tail }
    }

    #[inline(always)]
    fn iter(&self) -> impl Iterator<Item = &[u8; q35b::BLOCK_BYTES]> {
        self.blocks.iter().chain(&self.tail)
    }
}

/// A packed row times int8 activations: the reference.
#[inline(always)]
pub(super) fn dot(row: &[u8], cols: usize, acts: &[ActBlock]) -> f32 {
    let row = Row::new(row, cols);
    let mut total = 0.0f32;
    for (block, act) in row.iter().zip(acts) {
        let q35b::Unpacked { levels, scales, unit } = q35b::unpack(block);
        let mut sum = 0i32;
        let groups = levels.as_chunks::<16>().0.iter().zip(act.codes.as_chunks::<16>().0);
        for ((levels, codes), &scale) in groups.zip(&scales) {
            let products: i32 = levels.iter().zip(codes).map(|(&l, &a)| l as i32 * a as i32).sum();
            sum += scale as i32 * products;
        }
        total += act.scale * (unit * sum as f32);
    }
    total
}

/// A packed row times f32 activations: per block the 16-lane sum of `scale * level * x`, then
/// `total += d / 256 * that`, blocks in order.
#[inline(always)]
pub(super) fn dot_f32<O: Ops>(ops: O, row: &[u8], cols: usize, x: &[f32]) -> f32 {
    let row = Row::new(row, cols);
    let mut total = 0.0f32;
    for (block, x) in row.iter().zip(x.chunks(q35b::BLOCK_LEN)) {
        let q35b::Unpacked { levels, scales, unit } = q35b::unpack(block);
        let mut weights = [0.0f32; q35b::BLOCK_LEN];
        let groups = weights.as_chunks_mut::<16>().0.iter_mut().zip(levels.as_chunks::<16>().0);
        for ((weights, levels), &scale) in groups.zip(&scales) {
            for (weight, &level) in weights.iter_mut().zip(levels) {
                *weight = (scale as i16 * level as i16) as f32;
            }
        }
        let weights = weights.get(..x.len()).unwrap_or_default();
        total += unit * ops.dot_f32(weights, x);
    }
    total
}

/// All rows times all vectors, one dot product after the other.
#[inline(always)]
pub(super) fn matmul(job: Matmul<'_, '_>) {
    let Matmul { weights, per_vector, acts, y } = job;
    for (row, packed) in weights.iter().enumerate() {
        let outputs = y.chunks_exact_mut(weights.rows.max(1));
        for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(outputs) {
            if let Some(y) = y.get_mut(row) {
                *y = dot(packed, weights.cols, acts);
            }
        }
    }
}
