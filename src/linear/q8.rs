//! `Q8_0` on the vector tiers, eight rows at a time: the product with one vector, and tiles for batches.
//!
//! Bounds: 32 products of bytes are at most 32 * 2^14 = 2^19 in magnitude, so that an i32 holds them and `f32` takes
//! them exactly.

use crate::quant::{ActBlock, q8_0};
use crate::simd::lanes::{Lanes, map_eight, unsigned};

use super::ternary::Aligned;
use super::tile::{Many, Tiled, Totals};

/// Blocks of activations whose sums are kept before they are scaled: 4096 columns. Longer rows are gone over more than
/// once, in pieces, which memory gives several times more slowly than whole rows.
const ACTS: usize = 16;
/// Weight blocks of a block of activations.
const PARTS: usize = 8;
const BLOCKS: usize = PARTS * ACTS;

/// Whether no code is -128, which [`Lanes::code_products`] has no room for. This library's quantizer makes none.
#[inline(always)]
pub(crate) fn symmetric(acts: &[ActBlock]) -> bool {
    let mut least = [0i8; 32];
    for act in acts {
        for codes in act.codes.as_chunks::<32>().0 {
            for (least, &code) in least.iter_mut().zip(codes) {
                *least = code.min(*least);
            }
        }
    }
    !least.contains(&i8::MIN)
}

/// `y += W a` for rows of `Q8_0`, as many as come out even with eight; `y` has one value for each. `acts` are
/// [`symmetric`].
#[inline(always)]
pub(crate) fn matvec<L: Lanes>(l: L, data: &[u8], row_bytes: usize, acts: &[ActBlock], y: &mut [f32]) {
    // Of each row the sums of eight blocks, in lanes.
    let mut sums = [[[0u8; 32]; 8]; ACTS];
    let mut scales = [[[0u16; 8]; PARTS]; ACTS];
    let mut codes = Aligned([[0i8; 256]; ACTS]);
    let none = l.load_rows(&[0.0; 8]);
    for (part, acts) in acts.chunks(ACTS).enumerate() {
        for (codes, act) in codes.0.iter_mut().zip(acts) {
            *codes = act.codes;
        }
        let codes = codes.0.get(..acts.len()).unwrap_or_default();
        let eights = data.chunks_exact((8 * row_bytes).max(1));
        for (y, eight) in y.as_chunks_mut::<8>().0.iter_mut().zip(eights) {
            for (r, row) in (0..8).zip(eight.chunks_exact(row_bytes.max(1))) {
                let (blocks, _) = row.as_chunks::<{ q8_0::BLOCK_BYTES }>();
                let blocks = blocks.get(part * BLOCKS..).unwrap_or_default().chunks(PARTS);
                let columns = sums.iter_mut().zip(&mut scales);
                for ((blocks, codes), (sums, scales)) in blocks.zip(codes).zip(columns) {
                    let mut products = [l.no_ints(); PARTS];
                    let operands = codes.as_chunks::<32>().0.iter().zip(&mut products).zip(scales);
                    for (block, ((acts, product), scales)) in blocks.iter().zip(operands) {
                        let [s0, s1, q @ ..] = block;
                        *product = l.code_products(l.load(q), l.load(unsigned(acts)));
                        if let Some(scale) = scales.get_mut(r) {
                            *scale = u16::from_le_bytes([*s0, *s1]);
                        }
                    }
                    if let Some(sum) = sums.get_mut(r) {
                        *sum = l.store(l.ints_to_bytes(l.total_eight(products)));
                    }
                }
            }
            let mut totals = l.load_rows(y);
            // Blocks of the last column of blocks; the others have all of them.
            let count = row_bytes / q8_0::BLOCK_BYTES;
            for (i, ((sums, scales), act)) in (part * ACTS..).zip(sums.iter().zip(&scales).zip(acts)) {
                // A lane a block becomes a lane a row.
                let columns = l.transpose(map_eight(
                    sums.each_ref(),
                    #[inline(always)]
                    |sum| l.load(sum),
                ));
                let mut inner = none;
                for (column, scales) in columns.into_iter().zip(scales).take(count - i * PARTS) {
                    let sums = l.bytes_to_ints(column);
                    inner = l.add_scaled(inner, 1.0, l.halves_to_rows(scales), sums, 0);
                }
                totals = l.add_times(totals, act.scale, inner);
            }
            *y = l.store_rows(totals);
        }
    }
}

pub(crate) struct Q8_0;

/// A block of activations, four codes at a time, and its scale.
pub(crate) struct Vector<L: Lanes> {
    codes: [L::Four; 64],
    scale: f32,
}

impl<L: Lanes> Clone for Vector<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lanes> Copy for Vector<L> {}

impl<L: Lanes> Tiled<L> for Q8_0 {
    /// Steps of four columns, and one that no columns are in: without it neighbouring tiles would share their cache
    /// sets, 4096 bytes apart.
    type Tile = [L::Step; 65];
    type Vector = Vector<L>;
    /// The scales of eight rows, for each 32 columns.
    type Eight = [L::Rows; 8];

    #[inline(always)]
    fn no_tile() -> [L::Step; 65] {
        [bytemuck::Zeroable::zeroed(); 65]
    }

    #[inline(always)]
    fn no_vector() -> Vector<L> {
        Vector { codes: [bytemuck::Zeroable::zeroed(); 64], scale: 0.0 }
    }

    #[inline(always)]
    fn no_eight(l: L) -> [L::Rows; 8] {
        [l.load_rows(&[0.0; 8]); 8]
    }

    #[inline(always)]
    fn vector(l: L, act: &ActBlock, _: usize, _: usize, out: &mut Vector<L>) {
        for (out, codes) in out.codes.iter_mut().zip(act.codes.as_chunks::<4>().0) {
            *out = l.four(*codes);
        }
        out.scale = act.scale;
    }

    #[inline(always)]
    fn fill(l: L, eight: &[u8], _: usize, i: usize, tile: &mut [L::Step; 65]) -> [L::Rows; 8] {
        const NONE: &[u8; q8_0::BLOCK_BYTES] = &[0; q8_0::BLOCK_BYTES];
        let row_bytes = eight.len() / 8;
        let mut scales = Self::no_eight(l);
        for (b, (steps, scales)) in (8 * i..).zip(tile.as_chunks_mut::<8>().0.iter_mut().zip(&mut scales)) {
            let mut blocks = [NONE; 8];
            let mut halves = [0u16; 8];
            let rows = eight.chunks_exact(row_bytes.max(1)).zip(&mut blocks).zip(&mut halves);
            for ((row, block), half) in rows {
                if let Some(found) = row.as_chunks().0.get(b) {
                    *block = found;
                }
                *half = block.first_chunk().map_or(0, |s| u16::from_le_bytes(*s));
            }
            *scales = l.halves_to_rows(&halves);
            let columns = l.transpose(map_eight(
                blocks,
                #[inline(always)]
                |block| l.load(block.last_chunk().unwrap_or(&[0; 32])),
            ));
            for (step, column) in steps.iter_mut().zip(columns) {
                *step = l.step(column);
            }
        }
        scales
    }

    #[inline(always)]
    fn product<const T: usize>(
        l: L,
        tiles: &Many<[L::Step; 65], T>,
        rows: &[[L::Rows; 8]; T],
        [v0, v1]: &[Vector<L>; 2],
        [totals0, totals1]: &mut [Totals<T>; 2],
    ) {
        let mut inner = [[l.load_rows(&[0.0; 8]); 2]; T];
        let parts = v0.codes.as_chunks::<8>().0.iter().zip(v1.codes.as_chunks::<8>().0);
        for (b, (c0, c1)) in parts.enumerate() {
            let mut sums = [[l.no_code_sums(); 2]; T];
            let (c0, c1): (&[L::Acts], &[L::Acts]) =
                (bytemuck::must_cast_slice(c0), bytemuck::must_cast_slice(c1));
            for (step, (a0, a1)) in (c0.len() * b..).zip(c0.iter().zip(c1)) {
                for (tile, [s0, s1]) in tiles.0.iter().zip(&mut sums) {
                    let tile: &[L::Codes] = bytemuck::must_cast_slice(tile);
                    let Some(codes) = tile.get(step) else { continue };
                    *s0 = l.add_codes(*s0, a0, codes);
                    *s1 = l.add_codes(*s1, a1, codes);
                }
            }
            for (([s0, s1], [i0, i1]), scales) in sums.into_iter().zip(&mut inner).zip(rows) {
                let Some(scales) = scales.get(b) else { continue };
                *i0 = l.add_scaled(*i0, 1.0, *scales, l.code_sums(s0), 0);
                *i1 = l.add_scaled(*i1, 1.0, *scales, l.code_sums(s1), 0);
            }
        }
        for (([i0, i1], t0), t1) in inner.into_iter().zip(totals0).zip(totals1) {
            *t0 = l.store_rows(l.add_times(l.load_rows(t0), v0.scale, i0));
            *t1 = l.store_rows(l.add_times(l.load_rows(t1), v1.scale, i1));
        }
    }
}
