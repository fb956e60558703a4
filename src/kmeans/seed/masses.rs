//! Draws rows in proportion to float values, by integers: sums do not depend on their order, so every tier and every
//! number of threads draws the same row.

use crate::math::Random;
use crate::simd;

use super::weighing::Weighing;

/// Rows of one block: a draw looks at the sums of all blocks, then at the rows of one.
pub(in super::super) const BLOCK: usize = 256;

/// Values as integers below 2^31: multiples of a power of two, rounded down. Fewer than 2^32 of them add up to less
/// than 2^63.
#[derive(Clone, Copy)]
pub(in super::super) struct Unit {
    scale: f32,
}

impl Unit {
    /// The finest unit for values up to `max` (finite, >= 0), so that the largest one is at least 2^30; for values
    /// below 2^-97 a coarser one, because its inverse would overflow.
    pub(in super::super) fn up_to(max: f32) -> Unit {
        let exponent = (max.to_bits() >> 23).saturating_sub(127 - 97) as i32 - 97;
        // 2^(30 - exponent); 30 + 97 is the largest exponent that there is
        Unit { scale: f32::from_bits(((30 - exponent + 127) as u32) << 23) }
    }

    #[inline(always)]
    pub(in super::super) fn of(self, value: f32) -> u32 {
        (value * self.scale) as i32 as u32
    }
}

/// Values, each times the weight of its row.
#[derive(Clone, Copy)]
pub(in super::super) struct Values<'a> {
    pub(in super::super) values: &'a [f32],
    pub(in super::super) weighing: Weighing<'a>,
}

impl<'a> Values<'a> {
    /// The blocks of rows, each with its number.
    #[inline(always)]
    fn blocks(self) -> impl Iterator<Item = Values<'a>> {
        let starts = (0..).step_by(BLOCK);
        self.values
            .chunks(BLOCK)
            .zip(starts)
            .map(move |(values, start)| Values { values, weighing: self.weighing.from(start) })
    }

    /// The weighed values of a block.
    #[inline(always)]
    fn weighed(self) -> impl Iterator<Item = f32> {
        self.values.iter().enumerate().map(move |(i, &v)| self.weighing.weighed(i, v))
    }
}

/// The integer masses of all rows, summed block by block.
pub(in super::super) struct Masses<'a> {
    sums: &'a mut [u64],
    pub(in super::super) total: u64,
    pub(in super::super) unit: Unit,
}

impl<'a> Masses<'a> {
    /// How many sums `n` rows need.
    pub(in super::super) const fn blocks(n: usize) -> usize {
        n.div_ceil(BLOCK)
    }

    pub(in super::super) fn new(sums: &'a mut [u64]) -> Masses<'a> {
        Masses { sums, total: 0, unit: Unit::up_to(0.0) }
    }

    /// Measures all rows anew.
    pub(in super::super) fn measure(&mut self, rows: Values<'_>) {
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || self.measure_here(rows),
        );
    }

    #[inline(always)]
    fn measure_here(&mut self, rows: Values<'_>) {
        let mut max = 0.0f32;
        for block in rows.blocks() {
            max = block.weighed().fold(max, |max, v| if v > max { v } else { max });
        }
        self.unit = Unit::up_to(max);
        self.total = 0;
        for (block, sum) in rows.blocks().zip(&mut *self.sums) {
            *sum = block.weighed().map(|v| self.unit.of(v) as u64).sum();
            self.total += *sum;
        }
    }

    /// The probability of a row with this weighed value; 0 if all masses are zero.
    pub(in super::super) fn share(&self, weighed: f32) -> f32 {
        if self.total == 0 { 0.0 } else { self.unit.of(weighed) as f32 / self.total as f32 }
    }

    /// A row of those measured last, with the probability mass / total; `None` if all masses are zero.
    pub(in super::super) fn draw(&self, rows: Values<'_>, random: &mut Random) -> Option<usize> {
        let mut left = random.below(self.total);
        let (number, block) =
            rows.blocks().zip(&*self.sums).enumerate().find_map(|(number, (block, &sum))| {
                if left < sum {
                    return Some((number, block));
                }
                left -= sum;
                None
            })?;
        let row = block.weighed().position(|v| {
            let mass = self.unit.of(v) as u64;
            if left < mass {
                return true;
            }
            left -= mass;
            false
        })?;
        Some(number * BLOCK + row)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::points::Points;
    use super::*;

    fn masses(values: &[f32], weights: Option<&[f32]>, draws: usize) -> Vec<usize> {
        let points = match weights {
            Some(weights) => Points::weighted(values.len(), 1, values, weights).unwrap(),
            None => Points::new(values.len(), 1, values).unwrap(),
        };
        let rows = Values { values, weighing: Weighing::new(points).unwrap() };
        let mut sums = vec![0; Masses::blocks(values.len())];
        let mut masses = Masses::new(&mut sums);
        masses.measure(rows);
        let mut random = Random::new(1, 0);
        let mut counts = vec![0; values.len()];
        for _ in 0..draws {
            if let Some(row) = masses.draw(rows, &mut random) {
                counts[row] += 1;
            }
        }
        counts
    }

    #[test]
    fn units_keep_thirty_bits_of_the_largest_value() {
        for max in [1e-29f32, 1e-10, 0.3, 1.0, 1.999_999_9, 2.0, 1e20, f32::MAX] {
            let mass = Unit::up_to(max).of(max);
            assert!((1 << 30..1 << 31).contains(&mass), "{max}: {mass}");
        }
        assert_eq!(Unit::up_to(0.0).of(0.0), 0);
        assert!(Unit::up_to(1e-40).of(1e-40) < 1 << 30); // no overflow
    }

    #[test]
    fn rows_are_drawn_as_often_as_they_weigh() {
        let mut values = vec![0.0f32; 1000];
        for (row, v) in [(0, 1.0), (255, 2.0), (256, 3.0), (999, 4.0)] {
            values[row] = v;
        }
        let counts = masses(&values, None, 10_000);
        for (row, expected) in [(0, 1000usize), (255, 2000), (256, 3000), (999, 4000)] {
            assert!(counts[row].abs_diff(expected) < 250, "{row}: {}", counts[row]); // five standard deviations
        }
        assert_eq!(counts.iter().sum::<usize>(), 10_000);
        let weights: Vec<f32> = (0..1000).map(|i| if i == 255 { 0.0 } else { 1e30 }).collect();
        let counts = masses(&values, Some(&weights), 10_000);
        assert_eq!(counts[255], 0);
        assert!(counts[999].abs_diff(5000) < 250);
        assert_eq!(masses(&[0.0; 5], None, 3), [0; 5]);
    }
}
