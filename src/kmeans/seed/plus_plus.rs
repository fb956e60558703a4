//! Greedy k-means++ (Arthur and Vassilvitskii 2007, section 7).

use crate::math::Random;

use super::greedy::Greedy;
use super::masses::Masses;

/// Chooses a row for each of `chosen`, and copies it to its place in `centers`.
pub(super) fn choose(
    mut greedy: Greedy<'_, '_>,
    trials: usize,
    masses: &mut Masses<'_>,
    random: &mut Random,
    chosen: &mut [u32],
    centers: &mut [f32],
) {
    greedy.nearest.fill(f32::INFINITY);
    greedy.owner.fill(0);
    greedy.across.fill(0.0);
    let cols = greedy.points.cols();
    for (done, slot) in chosen.iter_mut().enumerate() {
        let Some((before, rest)) = centers.split_at_mut_checked(done * cols) else { return };
        let next = if done == 0 { None } else { greedy.next(trials, masses, random, before) };
        // The first; or every row with a weight lies on a centre, and nothing tells them apart.
        let row = next.unwrap_or_else(|| {
            greedy.weighing.measure(masses);
            greedy.weighing.draw(masses, random)
        });
        greedy.take(row, before);
        *slot = row as u32;
        rest.iter_mut().zip(greedy.points.row(row)).for_each(|(to, &from)| *to = from);
    }
}
