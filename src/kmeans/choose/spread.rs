//! The spread of points about their mean, and its largest principal components.

use crate::math::{Compensated, sqrt, tree_sum};
use crate::simd;
use crate::workspace::split_rows;

use super::super::points::Points;
use super::criteria::AXES;

/// Rows whose sums are added up before they go to the total, so that a long set loses no bits.
const BLOCK: usize = 256;
/// Turns of the power iteration for each component: enough to tell its share to a few percent, which is what it is needed
/// for.
const TURNS: usize = 8;

/// Points of ordinary magnitude, and memory to work in.
pub(super) struct Spread<'a, 's> {
    pub(super) points: Points<'a>,
    /// `cols` values each.
    pub(super) mean: &'s mut [f32],
    pub(super) direction: &'s mut [f32],
    pub(super) block: &'s mut [f32],
    pub(super) total: &'s mut [f32],
    /// `AXES * cols` values.
    pub(super) found: &'s mut [f32],
}

impl Spread<'_, '_> {
    fn weight(points: Points<'_>, i: usize) -> f32 {
        points.weights().map_or(1.0, |w| w.get(i).copied().unwrap_or(0.0))
    }

    /// `total` = sum of weight * f(centred row) * row over all rows, by blocks.
    #[inline(always)]
    fn sum(&mut self, centred: bool, share: impl Fn(f32) -> f32) {
        let points = self.points;
        self.total.fill(0.0);
        let mut start = 0;
        while start < points.rows() {
            self.block.fill(0.0);
            for i in start..(start + BLOCK).min(points.rows()) {
                let row = points.row(i);
                let along =
                    if centred { fold(row, self.mean, self.direction, |x, m, v| (x - m) * v) } else { 0.0 };
                let by = Self::weight(points, i) * share(along);
                for ((sum, &x), &m) in self.block.iter_mut().zip(row).zip(&*self.mean) {
                    *sum += by * (x - if centred { m } else { 0.0 });
                }
            }
            for (total, &sum) in self.total.iter_mut().zip(&*self.block) {
                *total += sum;
            }
            start += BLOCK;
        }
    }

    /// The largest principal components, as parts of the weighted squared distances to the mean: those that there are,
    /// largest first, short of what the iteration has not told apart; then zeros. All zero where all points are the same.
    pub(super) fn measure(mut self) -> [f32; AXES] {
        let mut shares = [0.0f32; AXES];
        let mut weight = Compensated::default();
        (0..self.points.rows()).for_each(|i| weight.add(Self::weight(self.points, i)));
        let weight = weight.value();
        self.sum_up(false);
        self.mean.iter_mut().zip(&*self.total).for_each(|(mean, &sum)| *mean = sum / weight);
        let cols = self.points.cols();
        let mut spread = 0.0;
        for (component, share) in shares.iter_mut().enumerate().take(cols) {
            let (sum, farthest) = self.farthest(component);
            if component == 0 {
                spread = sum;
            }
            let Some(farthest) = farthest.filter(|_| spread > 0.0) else { break };
            // Begins with what is left of the farthest row: it has a part along the largest component.
            for ((to, &x), &m) in self.direction.iter_mut().zip(self.points.row(farthest)).zip(&*self.mean) {
                *to = x - m;
            }
            let mut along = 0.0;
            for _ in 0..TURNS {
                self.remove_found(component);
                let length = sqrt(squares(self.direction));
                if length == 0.0 {
                    break;
                }
                self.direction.iter_mut().for_each(|v| *v /= length);
                self.sum_up(true);
                along = self.direction.iter().zip(&*self.total).fold(0.0, |sum, (v, t)| sum + v * t);
                self.direction.iter_mut().zip(&*self.total).for_each(|(to, &sum)| *to = sum / spread);
            }
            self.remove_found(component);
            let length = sqrt(squares(self.direction));
            if length == 0.0 {
                break;
            }
            *share = (along / spread).clamp(0.0, 1.0);
            for (to, &v) in
                super::super::points::row_mut(self.found, cols, component).iter_mut().zip(&*self.direction)
            {
                *to = v / length;
            }
        }
        shares
    }

    /// Makes the direction orthogonal to the components found so far.
    fn remove_found(&mut self, components: usize) {
        for found in split_rows(self.found, self.points.cols()).take(components) {
            let along = self.direction.iter().zip(found).fold(0.0, |sum, (v, f)| sum + v * f);
            self.direction.iter_mut().zip(found).for_each(|(v, f)| *v -= along * f);
        }
    }

    /// The weighted squared distances to the mean without what lies along the components found so far, and the row that is
    /// farthest; `None` if all lie there.
    fn farthest(&self, components: usize) -> (f32, Option<usize>) {
        let (mut spread, mut farthest) = (Compensated::default(), (0.0, None));
        for (i, row) in self.points.iter().enumerate() {
            let whole = fold(row, self.mean, self.mean, |x, m, _| {
                let centred = x - m;
                centred * centred
            });
            let mut square = whole;
            for found in split_rows(self.found, self.points.cols()).take(components) {
                let along = fold(row, self.mean, found, |x, m, v| (x - m) * v);
                square -= along * along;
            }
            let w = Self::weight(self.points, i);
            spread.add(w * square);
            // What is left of a row that lies along the components is rounding.
            if w > 0.0 && square > farthest.0 && square > 1e-5 * whole {
                farthest = (square, Some(i));
            }
        }
        (spread.value(), farthest.1)
    }

    /// `total` = the sum of weight * row, or of weight * (direction . centred row) * centred row.
    fn sum_up(&mut self, centred: bool) {
        simd::vectorize(
            simd::active(),
            #[inline(always)]
            || self.sum(centred, |along| if centred { along } else { 1.0 }),
        );
    }
}

/// The sum of `f` over the features, in the library's order.
#[inline(always)]
fn fold(row: &[f32], mean: &[f32], direction: &[f32], f: impl Fn(f32, f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    for ((row, mean), direction) in row.chunks(16).zip(mean.chunks(16)).zip(direction.chunks(16)) {
        for (((lane, &x), &m), &v) in lanes.iter_mut().zip(row).zip(mean).zip(direction) {
            *lane += f(x, m, v);
        }
    }
    tree_sum(lanes)
}

fn squares(x: &[f32]) -> f32 {
    crate::math::sum_by(x, |v| v * v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Random;

    #[test]
    fn the_shares_of_the_components() {
        let mut random = Random::new(1, 0);
        let mut noise = || (0..4).map(|_| random.unit() - 0.5).sum::<f32>();
        // variances 9, 1, 1 along axes that are turned by 45 degrees in the first two features; offset 1000
        let x: Vec<f32> = (0..3000)
            .flat_map(|_| {
                let (a, b, c) = (3.0 * noise(), noise(), noise());
                [1000.0 + a - b, a + b, 1.414 * c]
            })
            .collect();
        let points = Points::new(3000, 3, &x).unwrap();
        let mut room = [0.0; 12];
        let mut found = [0.0; 3 * AXES];
        let (mean, rest) = room.split_at_mut(3);
        let (direction, rest) = rest.split_at_mut(3);
        let (block, total) = rest.split_at_mut(3);
        let spread = Spread { points, mean, direction, block, total, found: &mut found };
        let shares = spread.measure();
        // a - b and a + b: variances 9 and 1, both doubled; c doubled too
        for (share, expected) in shares.iter().zip([9.0 / 11.0, 1.0 / 11.0, 1.0 / 11.0, 0.0]) {
            assert!((share - expected).abs() < 0.02, "{shares:?}");
        }
        assert!((shares.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    }
}
