//! From the curve to one number.

use super::{Candidate, Choice};

/// The largest concentration that is taken for structure. Evenly filled boxes reach 0.74, because k-means cuts
/// better than by halves.
const STRUCTURE: f32 = 0.7;

/// What the criteria want of a curve that begins with one cluster.
pub(super) fn choice(curve: &[Candidate]) -> Choice {
    let best = |least: usize, value: fn(&Candidate) -> f32| {
        let mut best: Option<&Candidate> = None;
        for candidate in curve.iter().skip(least - 1) {
            // The first of equal ones: fewer clusters.
            if best.is_none_or(|best| value(candidate) > value(best)) {
                best = Some(candidate);
            }
        }
        best.map_or(1, |best| best.k)
    };
    let at = |k: u32| curve.get((k as usize).wrapping_sub(1)).map_or(1.0, |c| c.concentration);
    let concentration = best(2, |c| -c.concentration);
    let concentration = if at(concentration) < STRUCTURE { concentration } else { 1 };
    let (calinski_harabasz, bic) = (best(2, |c| c.calinski_harabasz), best(1, |c| c.bic));
    let silhouette = best(2, |c| c.silhouette);
    let votes = [calinski_harabasz, bic, silhouette, concentration];
    let count = |k: u32| votes.iter().filter(|&&vote| vote == k).count();
    let mut k = concentration;
    if concentration > 1 {
        for vote in votes.into_iter().filter(|&vote| vote > 1) {
            if count(vote) > count(k) || (count(vote) == count(k) && at(vote) < at(k)) {
                k = vote;
            }
        }
    }
    Choice { k, calinski_harabasz, bic, silhouette, concentration, candidates: curve.len() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(calinski_harabasz, bic, silhouette, concentration)` from one cluster upwards.
    fn of(rows: &[(f32, f32, f32, f32)]) -> Choice {
        let curve: Vec<Candidate> = (1..)
            .zip(rows)
            .map(|(k, &(calinski_harabasz, bic, silhouette, concentration))| Candidate {
                k,
                inertia: 1.0,
                calinski_harabasz,
                bic,
                silhouette,
                concentration,
            })
            .collect();
        choice(&curve)
    }

    #[test]
    fn votes_are_counted() {
        let one = (0.0, 0.0, 0.0, 1.0);
        // all agree
        let found = of(&[one, (5.0, 3.0, 0.4, 0.8), (9.0, 8.0, 0.7, 0.3), (7.0, 6.0, 0.5, 0.99)]);
        assert_eq!((found.k, found.candidates), (3, 4));
        // two against two: the smaller concentration
        let found = of(&[one, (9.0, 8.0, 0.4, 0.5), (5.0, 3.0, 0.7, 0.3)]);
        assert_eq!((found.calinski_harabasz, found.bic, found.silhouette, found.concentration), (2, 2, 3, 3));
        assert_eq!(found.k, 3);
        // equal values: fewer clusters
        assert_eq!(of(&[one, (5.0, 3.0, 0.4, 0.5), (5.0, 3.0, 0.4, 0.5)]).k, 2);
    }

    #[test]
    fn no_structure_is_an_answer() {
        let one = (0.0, 0.0, 0.0, 1.0);
        let found = of(&[one, (5.0, -3.0, 0.4, 0.9), (6.0, -8.0, 0.7, 0.95)]);
        assert_eq!((found.k, found.bic, found.concentration, found.calinski_harabasz), (1, 1, 1, 3));
        // whatever the others agree on
        assert_eq!(of(&[one, (6.0, 3.0, 0.4, 0.9), (5.0, 1.0, 0.3, 0.95)]).k, 1);
        assert_eq!(of(&[one]).k, 1);
    }
}
