//! Rows drawn without looking at their values, none twice.

use crate::math::Random;

use super::masses::{Masses, Values};
use super::weighing::Weighing;

/// Every set of rows with the same probability, ascending: selection sampling (Fan, Muller, Rezucha 1962; Knuth's
/// algorithm S).
pub(super) fn uniform(n: usize, random: &mut Random, chosen: &mut [u32]) {
    let mut slots = chosen.iter_mut();
    for row in 0..n {
        let missing = slots.len() as u64;
        if missing == 0 {
            return;
        }
        if random.below((n - row) as u64) < missing
            && let Some(slot) = slots.next()
        {
            *slot = row as u32;
        }
    }
}

/// One row after the other in proportion to its weight among those left. Where fewer than `chosen` have a weight, they
/// come again.
pub(super) fn weighted(
    weighing: Weighing<'_>,
    left: &mut [f32],
    masses: &mut Masses<'_>,
    random: &mut Random,
    chosen: &mut [u32],
) {
    left.fill(1.0);
    for slot in chosen {
        masses.measure(Values { values: left, weighing });
        let row = masses.draw(Values { values: left, weighing }, random).unwrap_or_else(|| {
            weighing.measure(masses);
            weighing.draw(masses, random)
        });
        *slot = row as u32;
        if let Some(value) = left.get_mut(row) {
            *value = 0.0;
        }
    }
}
