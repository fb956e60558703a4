//! The rules of eight blocks at once, for fits that need only a sum or a maximum: what one block waits for (a sum across
//! lanes, two quotients, the exact threshold) is then one vector operation for all of them.
//!
//! Per 256 values: 4 operations for each 8 values (magnitude, its bits, maximum, sum), and about 10 of a block's eighth of the rest.

use crate::math::{guard_scale, tree_sum};
use crate::simd::scan::{CHUNK, Scan};

use super::Fit;
use super::fit::{Rule, WINDOW, WINDOW_START};

/// Blocks that are fitted together.
pub(super) const EIGHT: usize = 8;

type Lanes = [f32; EIGHT];

/// The same rules as [`fit`](super::fit::fit) finds block by block for three levels; `None` for another fit, and for
/// blocks that are not ordinary (no NaN, no infinity, not all zero, magnitudes between 2^-40 and 2^40).
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn rules(scan: impl Scan, fit: Fit, blocks: &[[f32; CHUNK]; EIGHT]) -> Option<[Rule; EIGHT]> {
    let (mut largest, mut sums) = ([0.0; EIGHT], [0.0; EIGHT]);
    for ((largest, sum), block) in largest.iter_mut().zip(&mut sums).zip(blocks) {
        let (bits, lanes) = scan.largest_and_sums(block);
        (*largest, *sum) = (f32::from_bits(bits), tree_sum(lanes));
    }
    // False for NaN and infinity too.
    if !largest.iter().all(|&max| max > 0.0 && max < f32::INFINITY && guard_scale(max) == 1.0) {
        return None;
    }
    let (scale, strict) = match fit {
        Fit::AbsMax => (largest, false),
        Fit::AbsMean => (sums.map(|sum| sum / CHUNK as f32), true),
        _ => return None,
    };
    let zero = thresholds(&scale, strict)?;
    let mut rules = [Rule::NONE; EIGHT];
    for ((rule, (&zero, &scale)), &max) in rules.iter_mut().zip(zero.iter().zip(&scale)).zip(&largest) {
        *rule = Rule::ternary(if zero <= max { zero } else { f32::NAN }, scale);
    }
    Some(rules)
}

/// For each lane the smallest float `t` with `t * (1 / scale) >= 0.5`, or `> 0.5`, as `fit::first_at` finds it; `None`
/// in the cases, not known to exist, where rounding moves one out of the window that is searched.
#[inline(always)]
fn thresholds(scale: &Lanes, strict: bool) -> Option<Lanes> {
    let inverse = scale.map(|scale| 1.0 / scale);
    let start = scale.map(|scale| (0.5 * scale).to_bits().wrapping_sub(WINDOW_START));
    let mut below = [0u32; EIGHT];
    for step in 0..WINDOW {
        for ((below, &start), &inverse) in below.iter_mut().zip(&start).zip(&inverse) {
            let product = f32::from_bits(start.wrapping_add(step)) * inverse;
            *below += !(if strict { product > 0.5 } else { product >= 0.5 }) as u32;
        }
    }
    let mut found = [0.0; EIGHT];
    let mut inside = true;
    for ((found, &start), &below) in found.iter_mut().zip(&start).zip(&below) {
        *found = f32::from_bits(start.wrapping_add(below));
        inside &= (below > 0) & (below < WINDOW);
    }
    inside.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::fit::{Levels, fit};
    use crate::simd::{self, Tier};

    #[test]
    fn eight_blocks_have_the_rules_of_each_alone() {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        for round in 0..2000 {
            let mut blocks = [[0.0f32; CHUNK]; EIGHT];
            for block in &mut blocks {
                let size = 2f32.powi(round % 81 - 40) * (1.0 + 0.5 * next());
                block.iter_mut().for_each(|v| *v = size * next() * next());
            }
            for how in [Fit::AbsMax, Fit::AbsMean] {
                for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
                    let together = simd::with_scan!(tier, scan => rules(scan, how, &blocks));
                    let Some(together) = together else {
                        assert!(!(2..79).contains(&(round % 81)), "round {round}");
                        continue;
                    };
                    for (rule, block) in together.iter().zip(&blocks) {
                        let alone = fit(how, Levels::Three, block, &mut []).unwrap();
                        assert_eq!(rule.scale.to_bits(), alone.scale.to_bits());
                        assert_eq!(rule.threshold().to_bits(), alone.threshold().to_bits());
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_out_of_the_ordinary_are_left_to_the_fit_of_one() {
        for odd in [0.0, f32::NAN, f32::INFINITY, 1e-30, 1e30] {
            let mut blocks = [[1.0f32; CHUNK]; EIGHT];
            blocks[5] = [odd; CHUNK];
            for how in [Fit::AbsMax, Fit::AbsMean] {
                let found = simd::with_scan!(simd::active(), scan => rules(scan, how, &blocks));
                assert!(found.is_none(), "{odd}");
            }
        }
        let found = simd::with_scan!(simd::active(), scan => rules(scan, Fit::Mse, &[[1.0; CHUNK]; EIGHT]));
        assert!(found.is_none());
    }
}
