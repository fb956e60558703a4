//! The nearest centre of four rows at a time, on every tier.

use super::packed::{Packed, TILE};

/// What the search says of a row: the greatest `x.C - whole`, and the first place that has it.
pub(super) type Found = (i32, u32);

/// The search of one tier; a token is the proof that the CPU has the instructions.
pub(super) trait Search: Copy {
    /// The nearest centres of the rows in `packed.tile`; `rows` of the four are wanted.
    fn nearest(self, packed: &Packed<'_>, rows: usize) -> [Found; TILE];
}

/// The reference.
#[derive(Clone, Copy)]
pub(super) struct Scalar;

/// Adds both products of two pairs.
#[inline(always)]
fn add_pair(sum: i32, a: u32, b: u32) -> i32 {
    let low = (a as i16 as i32) * (b as i16 as i32);
    let high = ((a as i32) >> 16) * ((b as i32) >> 16);
    sum.wrapping_add(low).wrapping_add(high)
}

/// The best so far, or this one if it is greater.
#[inline(always)]
fn greater(best: Found, key: i32, at: u32) -> Found {
    if key > best.0 { (key, at) } else { best }
}

/// The greatest so far, or that of four neighbouring centres of eight: those whose words begin where `words` does, the first of
/// them at place `at`. A function of its own, so that all it works on fits the registers of a small machine.
#[inline(never)]
fn four(words: &[u32], row: &[u32], bias: &[i32; 4], at: u32, best: Found) -> Found {
    let [mut s0, mut s1, mut s2, mut s3] = *bias;
    // For the upper four the last piece is but half a one.
    let (eights, last) = words.as_chunks::<8>();
    for (&x, &[c0, c1, c2, c3, ..]) in row.iter().zip(eights) {
        s0 = add_pair(s0, c0, x);
        s1 = add_pair(s1, c1, x);
        s2 = add_pair(s2, c2, x);
        s3 = add_pair(s3, c3, x);
    }
    if let ([c0, c1, c2, c3], Some(&x)) = (last, row.get(eights.len())) {
        s0 = add_pair(s0, *c0, x);
        s1 = add_pair(s1, *c1, x);
        s2 = add_pair(s2, *c2, x);
        s3 = add_pair(s3, *c3, x);
    }
    greater(greater(greater(greater(best, s0, at), s1, at + 1), s2, at + 2), s3, at + 3)
}

impl Search for Scalar {
    #[inline(always)]
    fn nearest(self, packed: &Packed<'_>, rows: usize) -> [Found; TILE] {
        let words = packed.words().max(1);
        let mut found = [(i32::MIN, 0); TILE];
        for (row, found) in packed.tile.chunks_exact(words).zip(&mut found).take(rows) {
            let (mut best, mut at) = ((i32::MIN, 0), 0);
            for (panel, bias) in packed.pairs.chunks_exact(words).zip(packed.bias.iter()) {
                let [lower, upper]: &[[i32; 4]; 2] = bytemuck::must_cast_ref(bias);
                let panel = panel.as_flattened();
                best = four(panel, row, lower, at, best);
                best = four(panel.get(4..).unwrap_or_default(), row, upper, at + 4, best);
                at += 8;
            }
            *found = best;
        }
        found
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(super) use wide::Wide;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod wide {
    use super::{Found, Packed, Search, TILE};
    use crate::simd::lanes::map_four;
    use crate::simd::pairs::{Pairs, bytes_of};

    /// Any vector tier: a lane is a centre.
    #[derive(Clone, Copy)]
    pub(in crate::kmeans::int8) struct Wide<L>(pub(in crate::kmeans::int8) L);

    /// The greatest sum of each lane so far, and the eight in which it was found.
    type Best<L> = (<L as crate::simd::lanes::Lanes>::Ints, <L as crate::simd::lanes::Lanes>::Ints);

    /// `x.C - whole` of eight centres for four rows.
    type Sums<L> = [<L as crate::simd::lanes::Lanes>::Ints; TILE];

    #[inline(always)]
    fn one<L: Pairs>(l: L, panel: &[[u32; 8]], rows: [&[u32]; TILE], bias: &[i32; 8]) -> Sums<L> {
        let [r0, r1, r2, r3] = rows;
        let [mut s0, mut s1, mut s2, mut s3] = [l.load_ints(bias); TILE];
        for ((((words, x0), x1), x2), x3) in panel.iter().zip(r0).zip(r1).zip(r2).zip(r3) {
            let c = l.load(bytes_of(words));
            s0 = l.add_pairs(s0, c, l.four_bytes(&x0.to_ne_bytes()));
            s1 = l.add_pairs(s1, c, l.four_bytes(&x1.to_ne_bytes()));
            s2 = l.add_pairs(s2, c, l.four_bytes(&x2.to_ne_bytes()));
            s3 = l.add_pairs(s3, c, l.four_bytes(&x3.to_ne_bytes()));
        }
        [s0, s1, s2, s3]
    }

    /// [`one`] of two panels: what is loaded of the rows serves both.
    #[inline(always)]
    fn two<L: Pairs>(
        l: L,
        panels: [&[[u32; 8]]; 2],
        rows: [&[u32]; TILE],
        bias: [&[i32; 8]; 2],
    ) -> [Sums<L>; 2] {
        let ([p0, p1], [b0, b1], [r0, r1, r2, r3]) = (panels, bias, rows);
        let [mut s0, mut s1, mut s2, mut s3] = [l.load_ints(b0); TILE];
        let [mut t0, mut t1, mut t2, mut t3] = [l.load_ints(b1); TILE];
        for (((((c, e), x0), x1), x2), x3) in p0.iter().zip(p1).zip(r0).zip(r1).zip(r2).zip(r3) {
            let (c, e) = (l.load(bytes_of(c)), l.load(bytes_of(e)));
            let x = l.four_bytes(&x0.to_ne_bytes());
            (s0, t0) = (l.add_pairs(s0, c, x), l.add_pairs(t0, e, x));
            let x = l.four_bytes(&x1.to_ne_bytes());
            (s1, t1) = (l.add_pairs(s1, c, x), l.add_pairs(t1, e, x));
            let x = l.four_bytes(&x2.to_ne_bytes());
            (s2, t2) = (l.add_pairs(s2, c, x), l.add_pairs(t2, e, x));
            let x = l.four_bytes(&x3.to_ne_bytes());
            (s3, t3) = (l.add_pairs(s3, c, x), l.add_pairs(t3, e, x));
        }
        [[s0, s1, s2, s3], [t0, t1, t2, t3]]
    }

    #[inline(always)]
    fn keep<L: Pairs>(l: L, best: &mut [Best<L>; TILE], sums: [L::Ints; TILE], eight: i32) {
        let mark = l.splat_int(eight);
        for (best, sum) in best.iter_mut().zip(sums) {
            *best = l.keep_greater(*best, sum, mark);
        }
    }

    /// The greatest of all lanes, and the first place that has it.
    #[inline(always)]
    fn first<L: Pairs>(l: L, (best, at): Best<L>) -> Found {
        let (keys, eights) = (l.store_ints(best), l.store_ints(at));
        let mut top = i32::MIN;
        for key in keys {
            top = top.max(key);
        }
        let mut place = i32::MAX;
        for (lane, (key, eight)) in keys.into_iter().zip(eights).enumerate() {
            let here = if key == top { 8 * eight + lane as i32 } else { i32::MAX };
            place = place.min(here);
        }
        (top, place as u32)
    }

    impl<L: Pairs> Search for Wide<L> {
        #[inline(always)]
        fn nearest(self, packed: &Packed<'_>, _rows: usize) -> [Found; TILE] {
            let Wide(l) = self;
            let words = packed.words().max(1);
            let mut rows = packed.tile.chunks_exact(words);
            let mut row = || rows.next().unwrap_or_default();
            let rows = [row(), row(), row(), row()];
            let mut best = [(l.splat_int(i32::MIN), l.splat_int(0)); TILE];
            let mut panels = (0..).zip(packed.pairs.chunks_exact(words).zip(packed.bias.iter()));
            while let Some((eight, (panel, bias))) = panels.next() {
                if L::EIGHT_SUMS
                    && let Some((next, (other, other_bias))) = panels.next()
                {
                    let [low, high] = two(l, [panel, other], rows, [bias, other_bias]);
                    keep(l, &mut best, low, eight);
                    keep(l, &mut best, high, next);
                } else {
                    keep(l, &mut best, one(l, panel, rows, bias), eight);
                }
            }
            map_four(
                best,
                #[inline(always)]
                |best| first(l, best),
            )
        }
    }
}
