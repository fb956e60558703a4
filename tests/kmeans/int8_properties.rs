//! Properties of int8 k-means: inertia never rises, fits end, rows may be permuted, partials merged in any order.

use crate::common::Rng;
use crate::int8_support::{fitted, given, partial_of};
use hybridq::kmeans::Empty;
use hybridq::kmeans::int8::{Options, Seeding, decay, merge, partial_len, update};
use proptest::prelude::*;

/// Rows, features, clusters, points that repeat values often, and a start.
fn problem() -> impl Strategy<Value = (usize, usize, Vec<i8>, Vec<i16>)> {
    (1usize..6, 1usize..12, 0u32..7).prop_flat_map(|(d, k, bits)| {
        let code = any::<i8>().prop_map(move |c| c >> bits);
        let points = (k..60).prop_flat_map(move |n| proptest::collection::vec(code.clone(), n * d));
        let centers = proptest::collection::vec(-2048i16..=2032, k * d);
        (Just(d), Just(k), points, centers)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn inertia_never_rises((d, k, points, start) in problem(), farthest: bool, seed: u64, seeded: bool) {
        let mut last = u64::MAX;
        for iterations in 0..12 {
            let options = Options {
                k,
                max_iterations: iterations,
                seeding: if seeded { Seeding::PlusPlus { seed } } else { Seeding::Given },
                empty: if farthest { Empty::Farthest } else { Empty::Keep },
            };
            let (found, ..) = fitted(&points, d, &options, &start);
            prop_assert!(found.inertia <= last);
            prop_assert!(!found.converged || found.iterations <= iterations);
            last = found.inertia;
        }
    }

    #[test]
    fn fits_end_and_then_stay((d, k, points, start) in problem()) {
        let options = Options { max_iterations: 1000, ..given(k, Empty::Farthest) };
        let (found, centers, labels) = fitted(&points, d, &options, &start);
        prop_assert!(found.converged);
        let (again, same, same_labels) = fitted(&points, d, &options, &centers);
        prop_assert_eq!((again.iterations, again.inertia), (1, found.inertia));
        prop_assert_eq!((same, same_labels), (centers, labels));
    }

    #[test]
    fn permuting_rows_permutes_labels((d, k, points, start) in problem(), seed: u64) {
        let n = points.len() / d;
        let mut order: Vec<usize> = (0..n).collect();
        let mut rng = Rng(seed | 1);
        for i in (1..n).rev() {
            order.swap(i, rng.next() as usize % (i + 1));
        }
        let moved: Vec<i8> = order.iter().flat_map(|&i| points[i * d..(i + 1) * d].to_vec()).collect();
        let (f, c, l) = fitted(&points, d, &given(k, Empty::Keep), &start);
        let (f2, c2, l2) = fitted(&moved, d, &given(k, Empty::Keep), &start);
        prop_assert_eq!((f, c), (f2, c2));
        prop_assert_eq!(order.iter().map(|&i| l[i]).collect::<Vec<_>>(), l2);
    }

    #[test]
    fn merging_in_any_order_gives_the_same_bits((d, k, points, start) in problem(), cuts in any::<[u8; 3]>()) {
        let n = points.len() / d;
        let mut ends: Vec<usize> = cuts.iter().map(|&c| c as usize % (n + 1)).chain([0, n]).collect();
        ends.sort();
        let parts: Vec<_> = ends.windows(2).map(|w| partial_of(&points[w[0] * d..w[1] * d], d, &start)).collect();
        let whole = partial_of(&points, d, &start);
        prop_assert_eq!(whole.len(), partial_len(d, k).unwrap());
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut sum = vec![0; whole.len()];
            for part in order {
                merge(&mut sum, &parts[part]).unwrap();
            }
            prop_assert_eq!(&sum, &whole);
        }
        // and as a tree
        let [mut a, b, mut c, e]: [Vec<i64>; 4] = parts.try_into().unwrap();
        merge(&mut a, &b).unwrap();
        merge(&mut c, &e).unwrap();
        merge(&mut c, &a).unwrap();
        prop_assert_eq!(c, whole);
    }

    #[test]
    fn decayed_partials_keep_their_means((d, k, points, start) in problem(), keep: u16) {
        let mut partial = partial_of(&points, d, &start);
        let before = partial.clone();
        decay(&mut partial, d, k, keep).unwrap();
        let mut centers = start.clone();
        update(&partial, d, &mut centers).unwrap();
        for c in 0..k {
            let (was, is) = (before[k * d + c], partial[k * d + c]);
            prop_assert_eq!(is, was * keep as i64 / 65536);
            for j in c * d..(c + 1) * d {
                let (exact, got) = (before[j] * is, partial[j] * was); // over was * is
                prop_assert!(is == 0 && got == 0 || (exact - got).abs() <= was * is.max(1), "{exact} {got}");
            }
        }
    }
}
