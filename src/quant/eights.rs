//! The rules of eight blocks at once: what one block waits for (a sum across lanes, quotients, comparisons) is then one
//! vector operation for all of them. See docs/kernels.md for the counts of operations.

use crate::math::{guard_scale, tree_sum};
use crate::simd::scan::{CHUNK, Scan};
use crate::workspace::Carver;

use super::fit::{Rule, THREE_START, TURNS, WINDOW, WINDOW_START};
use super::project::Search;
use super::{Fit, narrow};

/// Blocks that are fitted together.
pub(super) const EIGHT: usize = 8;

type Lanes = [f32; EIGHT];

/// The same rules as [`fit`](super::fit::fit) finds block by block for three levels; `None` for another fit, and for
/// blocks that are not ordinary (no NaN, no infinity, not all zero, magnitudes between 2^-40 and 2^40).
#[cfg_attr(target_arch = "x86_64", inline(always))]
pub(super) fn rules(
    scan: impl Scan,
    fit: Fit,
    blocks: &[[f32; CHUNK]; EIGHT],
    scratch: &mut [u8],
) -> Option<[Rule; EIGHT]> {
    let (mut largest, mut sums) = ([0.0; EIGHT], [0.0; EIGHT]);
    for ((largest, sum), block) in largest.iter_mut().zip(&mut sums).zip(blocks) {
        if matches!(fit, Fit::AbsMean | Fit::Lloyd) {
            let (bits, lanes) = scan.largest_and_sums(block);
            (*largest, *sum) = (f32::from_bits(bits), tree_sum(lanes));
        } else {
            *largest = f32::from_bits(scan.largest_bits(block));
        }
    }
    // False for NaN and infinity too.
    if !largest.iter().all(|&max| max > 0.0 && max < f32::INFINITY && guard_scale(max) == 1.0) {
        return None;
    }
    let (zero, scale) = match fit {
        Fit::AbsMax => (thresholds(&largest, false)?, largest),
        Fit::AbsMean => {
            let mean = sums.map(|sum| sum / CHUNK as f32);
            (thresholds(&mean, true)?, mean)
        }
        Fit::Lloyd => {
            let scale = lloyd(scan, blocks, sums);
            (scale.map(|scale| 0.5 * scale), scale)
        }
        Fit::Mse => projections(scan, blocks, &largest, scratch)?,
        _ => return None,
    };
    let mut rules = [Rule::NONE; EIGHT];
    for ((rule, (&zero, &scale)), &max) in rules.iter_mut().zip(zero.iter().zip(&scale)).zip(&largest) {
        *rule = Rule::ternary(if zero <= max { zero } else { f32::NAN }, scale);
    }
    Some(rules)
}

/// The scales of [`Fit::Lloyd`] from the sums of the magnitudes.
#[inline(always)]
fn lloyd(scan: impl Scan, blocks: &[[f32; CHUNK]; EIGHT], sums: Lanes) -> Lanes {
    let mut scale = sums.map(|sum| 2.0 * THREE_START * (sum / CHUNK as f32));
    for _ in 0..TURNS {
        let (mut sums, mut counts) = ([0.0; EIGHT], [0.0; EIGHT]);
        for (((sum, count), block), &scale) in sums.iter_mut().zip(&mut counts).zip(blocks).zip(&scale) {
            let (lanes, reached) = scan.sums_from(block, 0.5 * scale);
            (*sum, *count) = (tree_sum(lanes), reached as f32);
        }
        for ((scale, sum), count) in scale.iter_mut().zip(sums).zip(counts) {
            *scale = sum / count;
        }
    }
    scale
}

/// Thresholds and scales of the exact projections; `None` without scratch.
#[inline(always)]
fn projections(
    scan: impl Scan,
    blocks: &[[f32; CHUNK]; EIGHT],
    largest: &Lanes,
    scratch: &mut [u8],
) -> Option<(Lanes, Lanes)> {
    let mut carver = Carver::new(scratch);
    let keys = carver.take::<u32>(CHUNK).ok()?;
    let room = carver.take::<u32>(CHUNK).ok()?;
    let (mut zero, mut scale) = ([0.0; EIGHT], [0.0; EIGHT]);
    let bounds = narrow::narrowed(scan, blocks, largest);
    for ((block, (low, high)), to) in blocks.iter().zip(bounds).zip(zero.iter_mut().zip(&mut scale)) {
        let found = Search::new(scan, core::iter::once(block), low, high).finish(scan, block, keys, room);
        (*to.0, *to.1) = (found.zero, found.scale);
    }
    Some((zero, scale))
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

    const ROOM: usize = 8 * CHUNK + 8;

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
                // From even to heavy-tailed, and with many equal values.
                block.iter_mut().for_each(|v| match round % 5 {
                    0 => *v = size * next(),
                    1 => *v = size * next() * next(),
                    2 => *v = size * (next() * next()).powi(3),
                    3 => *v = size * (3.0 * next()).round(),
                    _ => *v = size * if next() > 0.9 { 1.0 } else { 1e-3 * next() },
                });
            }
            for how in [Fit::AbsMax, Fit::AbsMean, Fit::Lloyd, Fit::Mse] {
                for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
                    let together = simd::with_scan!(tier, scan => rules(scan, how, &blocks, &mut [0; ROOM]));
                    let Some(together) = together else {
                        assert!(!(8..76).contains(&(round % 81)), "round {round}");
                        continue;
                    };
                    for (rule, block) in together.iter().zip(&blocks) {
                        let alone = fit(how, Levels::Three, block, &mut [0; ROOM]).unwrap();
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
            for how in [Fit::AbsMax, Fit::AbsMean, Fit::Lloyd] {
                let found =
                    simd::with_scan!(simd::active(), scan => rules(scan, how, &blocks, &mut [0; ROOM]));
                assert!(found.is_none(), "{odd}");
            }
        }
        let other = Fit::NormPreserving;
        let blocks = [[1.0; CHUNK]; EIGHT];
        let found = simd::with_scan!(simd::active(), scan => rules(scan, other, &blocks, &mut [0; ROOM]));
        assert!(found.is_none());
    }
}
