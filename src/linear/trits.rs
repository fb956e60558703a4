//! Tiles of trits: what all ternary formats are multiplied as in batches.
//!
//! Activations are made unsigned where the tier multiplies unsigned bytes with signed ones ([`Lanes::BIAS`]); what that
//! adds is the bias times the sum of the trits, subtracted once.

use crate::quant::ActBlock;
use crate::simd::lanes::Lanes;

use super::sources::{Source, Tile};
use super::tile::{Many, Tiled, Totals};

/// Activations of one block of columns, as [`Lanes::add_group_products`] takes them.
#[derive(Clone, Copy)]
pub(crate) struct Biased {
    pub(super) codes: [[u8; 4]; 64],
    pub(super) scale: f32,
}

impl Biased {
    pub(super) const ZERO: Biased = Biased { codes: [[0; 4]; 64], scale: 0.0 };

    #[inline(always)]
    pub(super) fn set<L: Lanes>(&mut self, act: &ActBlock) {
        for (code, &a) in self.codes.as_flattened_mut().iter_mut().zip(&act.codes) {
            *code = (a as u8).wrapping_add(L::BIAS);
        }
        self.scale = act.scale;
    }
}

/// What a block adds to the totals of eight rows, beside products.
pub(crate) struct Eight<L: Lanes> {
    pub(super) scales: L::Rows,
    pub(super) correction: L::Ints,
}

impl<L: Lanes> Clone for Eight<L> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<L: Lanes> Copy for Eight<L> {}

impl<L: Lanes> Eight<L> {
    #[inline(always)]
    pub(super) fn none(l: L) -> Self {
        Eight { scales: l.load_rows(&[0.0; 8]), correction: l.no_ints() }
    }
}

/// What the bias of the activations adds to the sums of a tile, negative. A lane of `codes` is the sum of the codes that
/// 64 calls of `add_group_products` would take: as much as they add in one.
#[inline(always)]
pub(super) fn correction<L: Lanes>(l: L, codes: L::Bytes) -> L::Ints {
    l.sub_quads(l.no_ints(), l.add_group_products(l.no_quads(), l.splat(L::BIAS), codes))
}

impl<L: Lanes, S: Source> Tiled<L> for S {
    type Tile = Tile;
    type Vector = Biased;
    type Eight = Eight<L>;

    #[inline(always)]
    fn fits(data: &[u8], eight_bytes: usize) -> bool {
        // Code 3 stands for 2, which the sums here have no room for: rare, so one vector at a time.
        S::only_trits(data, eight_bytes)
    }

    #[inline(always)]
    fn matvec(l: L, data: &[u8], cols: usize, acts: &[ActBlock], y: &mut [f32]) {
        <S as Source>::matvec(l, data, cols, acts, y);
    }

    #[inline(always)]
    fn no_tile() -> Tile {
        [[0; 32]; 64]
    }

    #[inline(always)]
    fn no_vector() -> Biased {
        Biased::ZERO
    }

    #[inline(always)]
    fn no_eight(l: L) -> Eight<L> {
        Eight::none(l)
    }

    #[inline(always)]
    fn vector(_: L, act: &ActBlock, _: usize, _: usize, out: &mut Biased) {
        out.set::<L>(act);
    }

    #[inline(always)]
    fn fill(l: L, eight: &[u8], cols: usize, i: usize, tile: &mut Tile) -> Eight<L> {
        let (scales, trits) = <S as Source>::fill(l, eight, cols, i, tile);
        Eight { scales: l.halves_to_rows(&scales), correction: correction(l, trits) }
    }

    /// Bounds: a block is 64 calls of `add_group_products`, as many as are allowed.
    #[inline(always)]
    fn product<const T: usize>(
        l: L,
        tiles: &Many<Tile, T>,
        rows: &[Eight<L>; T],
        [v0, v1]: &[Biased; 2],
        [totals0, totals1]: &mut [Totals<T>; 2],
    ) {
        let mut quads = [[l.no_quads(); 2]; T];
        // The same tiles, which the compiler does not know: so each product takes its trits from memory by itself,
        // where one load for both would cost an instruction more. Where instructions take none from memory, one load
        // it is.
        let again = if L::FOLDS { core::hint::black_box(tiles) } else { tiles };
        for (step, (c0, c1)) in v0.codes.iter().zip(&v1.codes).enumerate() {
            let (a0, a1) = (l.four_bytes(c0), l.four_bytes(c1));
            for ((tile, again), [q0, q1]) in tiles.0.iter().zip(&again.0).zip(&mut quads) {
                let (Some(trits), Some(again)) = (tile.get(step), again.get(step)) else { continue };
                *q0 = l.add_group_products(*q0, a0, l.load(trits));
                *q1 = l.add_group_products(*q1, a1, l.load(again));
            }
        }
        for ((([q0, q1], rows), t0), t1) in quads.into_iter().zip(rows).zip(totals0).zip(totals1) {
            let (s0, s1) = (l.add_quads(rows.correction, q0), l.add_quads(rows.correction, q1));
            *t0 = l.store_rows(l.add_scaled(l.load_rows(t0), v0.scale, rows.scales, s0, 0));
            *t1 = l.store_rows(l.add_scaled(l.load_rows(t1), v1.scale, rows.scales, s1, 0));
        }
    }

    #[inline(always)]
    fn finish(eight: &[u8], y: [f32; 8]) -> [f32; 8] {
        <S as Source>::finish(eight, y)
    }
}
