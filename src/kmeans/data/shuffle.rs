//! An order of n things without a list of them.

use crate::math::Random;

/// A permutation of `0..n` as a function: a Feistel network (Luby and Rackoff 1988) of eight rounds on the least even number of bits that
/// holds n, walked along until it comes out below n (Black and Rogaway 2002). Eight keys of 32 bits are drawn; a round mixes by the
/// finalizer of MurmurHash3.
///
/// Not all n! orders occur, but places, pairs and small n behave as if they did.
#[derive(Clone, Copy)]
pub(super) struct Shuffle {
    n: u32,
    /// Bits of a half.
    half: u32,
    keys: [u32; 8],
}

impl Shuffle {
    /// The order number `index` of a stream.
    pub(super) fn new(seed: u64, stream: u64, index: u64, n: u32) -> Shuffle {
        let at = |i: u64| Random::block(seed, stream, index.wrapping_mul(2).wrapping_add(i));
        let ([a, b, c, d], [e, f, g, h]) = (at(0), at(1));
        let bits = u32::BITS - n.saturating_sub(1).leading_zeros();
        Shuffle { n, half: bits.div_ceil(2).max(1), keys: [a, b, c, d, e, f, g, h] }
    }

    /// What is at place `i`, which is below n.
    pub(super) fn at(&self, i: u32) -> u32 {
        if self.n <= 1 {
            return 0;
        }
        let mask = (1u32 << self.half).wrapping_sub(1);
        let mut x = i;
        loop {
            let (mut left, mut right) = (x >> self.half, x & mask);
            for &key in &self.keys {
                (left, right) = (right, left ^ mix(right ^ key) & mask);
            }
            x = left << self.half | right;
            // A walk along a cycle comes back to where it began, below n, at the latest.
            if x < self.n {
                return x;
            }
        }
    }
}

fn mix(x: u32) -> u32 {
    let x = (x ^ x >> 16).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ x >> 13).wrapping_mul(0xC2B2_AE35);
    x ^ x >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_has_everything_once() {
        for n in (1..70).chain([255, 256, 257, 1000, 4097]) {
            for seed in 0..3 {
                let shuffle = Shuffle::new(seed, 5, 9, n);
                let mut seen = vec![false; n as usize];
                (0..n).for_each(|i| seen[shuffle.at(i) as usize] = true);
                assert!(seen.into_iter().all(|s| s), "{n}");
            }
        }
        let large = Shuffle::new(1, 2, 3, 1 << 31);
        assert!((0..1000).all(|i| large.at(i) < 1 << 31));
    }

    #[test]
    fn small_orders_are_all_as_frequent() {
        // Orders of four things: 24 of them, 1000 each, standard deviation 31.
        let mut counts = std::collections::BTreeMap::new();
        for index in 0..24_000 {
            let shuffle = Shuffle::new(7, 1, index, 4);
            *counts.entry([0, 1, 2, 3].map(|i| shuffle.at(i))).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi: f64 = counts.values().map(|&c| (c as f64 - 1000.0).powi(2) / 1000.0).sum();
        // 23 degrees of freedom: beyond 60 once in 30,000.
        assert!(chi < 60.0, "{chi} {counts:?}");
    }

    #[test]
    fn places_and_neighbours_are_even() {
        // Where thing 0 of 37 goes, and how far thing 1 is from it.
        let (n, draws) = (37u32, 37_000u64);
        let (mut place, mut gap) = (vec![0f64; 37], vec![0f64; 37]);
        for index in 0..draws {
            let shuffle = Shuffle::new(3, 8, index, n);
            let (a, b) = (shuffle.at(0), shuffle.at(1));
            place[a as usize] += 1.0;
            gap[((n + b - a) % n) as usize] += 1.0;
        }
        let chi = |counts: &[f64], each: f64| counts.iter().map(|c| (c - each).powi(2) / each).sum::<f64>();
        assert_eq!(gap[0], 0.0);
        // 36 and 35 degrees of freedom: beyond 80 once in 30,000.
        let (place, gap) = (chi(&place, 1000.0), chi(&gap[1..], draws as f64 / 36.0));
        assert!(place < 80.0 && gap < 80.0, "{place} {gap}");
    }
}
