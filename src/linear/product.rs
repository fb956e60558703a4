//! Packed weights times int8 activations: which rows and vectors are taken at once.
//!
//! Each way is a kernel of its own, so that it is compiled by itself.

use crate::quant::{ActBlock, Format};
use crate::simd::Tier;

use super::Packed;
use super::ops::{self, Kernel, Ops};
use super::table::ActTable;
use super::{q35b, rows};

/// Batches from which on unpacking once for all vectors pays.
pub(crate) const BATCH: usize = 4;

/// `Y = A W^T`; shapes were checked. `tables` are those of `acts`, or none.
pub(crate) fn matmul(
    tier: Tier,
    weights: &Packed<'_>,
    per_vector: usize,
    acts: &[ActBlock],
    tables: &[ActTable],
    y: &mut [f32],
) {
    if weights.format == Format::Q35B {
        return ops::run(tier, q35b::Matmul { weights, per_vector, acts, y });
    }
    let mut from = 0;
    if acts.len() >= BATCH * per_vector {
        from = ops::run(tier, Batch { weights, per_vector, acts, y });
    }
    from = ops::run(tier, EightRows { weights, from, per_vector, acts, tables, y });
    ops::run(tier, OneByOne { weights, from, per_vector, acts, y });
}

/// Many rows and vectors at once; returns how many rows were done.
struct Batch<'a, 'w> {
    weights: &'a Packed<'w>,
    per_vector: usize,
    acts: &'a [ActBlock],
    y: &'a mut [f32],
}

impl Kernel for Batch<'_, '_> {
    type Output = usize;
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) -> usize {
        ops.batch(self.weights, self.acts, self.per_vector, self.y)
    }
}

/// Eight rows at a time, vector after vector; returns the row after the last.
struct EightRows<'a, 'w> {
    weights: &'a Packed<'w>,
    from: usize,
    per_vector: usize,
    acts: &'a [ActBlock],
    tables: &'a [ActTable],
    y: &'a mut [f32],
}

impl Kernel for EightRows<'_, '_> {
    type Output = usize;
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) -> usize {
        let EightRows { weights, from, per_vector, acts, tables, y } = self;
        if !O::EIGHT_ROWS || weights.rows - from < 8 {
            return from;
        }
        let data = weights.data.get(from * weights.row_bytes..).unwrap_or_default();
        let mut tables = tables.chunks(per_vector.max(1));
        for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(y.chunks_exact_mut(weights.rows.max(1))) {
            let tables = tables.next().unwrap_or_default();
            let y = y.get_mut(from..).unwrap_or_default();
            y.fill(0.0);
            ops.eight_rows(weights, data, acts, tables, y);
        }
        from + (weights.rows - from) / 8 * 8
    }
}

/// Row after row, vector after vector.
struct OneByOne<'a, 'w> {
    weights: &'a Packed<'w>,
    from: usize,
    per_vector: usize,
    acts: &'a [ActBlock],
    y: &'a mut [f32],
}

impl Kernel for OneByOne<'_, '_> {
    type Output = ();
    #[inline(always)]
    fn run<O: Ops>(self, ops: O) {
        let OneByOne { weights, from, per_vector, acts, y } = self;
        let Packed { format, cols, rows, .. } = *weights;
        for (row, packed) in weights.iter().enumerate().skip(from) {
            let outputs = y.chunks_exact_mut(rows.max(1));
            for (acts, y) in acts.chunks_exact(per_vector.max(1)).zip(outputs) {
                if let Some(y) = y.get_mut(row) {
                    *y = rows::dot(ops, format, packed, cols, acts);
                }
            }
        }
    }
}
