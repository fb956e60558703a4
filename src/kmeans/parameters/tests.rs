//! Hand-computed clusters, and allotments against all there are.

use super::*;

fn random(seed: &mut u32) -> f32 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*seed >> 8) as f32 / (1 << 24) as f32
}

fn cluster(x: &[f32], k: usize, pin_zero: bool) -> (Vec<u8>, Vec<ParameterCluster>) {
    let options = Exact1d { k, pin_zero };
    let mut scratch = vec![0xA5; cluster_parameters_workspace_size(x.len(), &options).unwrap() + 1];
    let mut labels = vec![77; x.len() + 1];
    let mut clusters = vec![ParameterCluster::default(); k];
    let found = cluster_parameters(x, &options, &mut labels, &mut clusters, &mut scratch[1..]).unwrap();
    assert_eq!(labels.pop(), Some(77));
    clusters.truncate(found);
    (labels, clusters)
}

#[test]
fn hand_computed() {
    // Mean 0, mean distance (3 + 3 + 1 + 1 + 4) / 5 = 12 / 5 around it.
    let (labels, clusters) = cluster(&[-3.0, 1.0, -3.0, 1.0, 4.0], 2, false);
    assert_eq!(labels, [0, 1, 0, 1, 1]);
    let [low, high] = clusters[..] else { panic!("{clusters:?}") };
    assert_eq!(
        (low.center, low.mean_distance, low.inertia, low.cohesion, low.size),
        (-3.0, 0.0, 0.0, 1.0, 2)
    );
    // Around 2: distances 1, 1, 2, squares 6; cohesion 2.4 / (2.4 + 4 / 3) = 9 / 14.
    assert!((high.mean_distance - 4.0 / 3.0).abs() < 1e-6 && (high.inertia - 6.0).abs() < 1e-5, "{high:?}");
    assert!((high.cohesion - 9.0 / 14.0).abs() < 1e-6 && high.size == 3, "{high:?}");
    // 2 against 3 * 9 / 14 = 27 / 14.
    assert!((low.importance - 28.0 / 55.0).abs() < 1e-6 && (high.importance - 27.0 / 55.0).abs() < 1e-6);
}

#[test]
fn sums_fit_and_scale_does_not_matter() {
    let mut seed = 2;
    let x: Vec<f32> = (0..5000).map(|_| random(&mut seed) + random(&mut seed) - 1.0).collect();
    for pin_zero in [false, true] {
        let (labels, clusters) = cluster(&x, 12, pin_zero);
        assert_eq!(clusters.iter().map(|c| c.size).sum::<u32>(), 5000);
        assert!((clusters.iter().map(|c| c.importance).sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(!pin_zero || clusters.iter().any(|c| c.center == 0.0));
        for (j, c) in clusters.iter().enumerate() {
            let mine: Vec<f64> =
                x.iter().zip(&labels).filter(|(_, l)| **l as usize == j).map(|(v, _)| *v as f64).collect();
            let distance = mine.iter().map(|v| (v - c.center as f64).abs()).sum::<f64>() / mine.len() as f64;
            let inertia = mine.iter().map(|v| (v - c.center as f64).powi(2)).sum::<f64>();
            assert!((distance / c.mean_distance as f64 - 1.0).abs() < 1e-5);
            assert!((inertia / c.inertia as f64 - 1.0).abs() < 1e-5);
        }
        for scale in [1e-12f32, 1e12] {
            let scaled: Vec<f32> = x.iter().map(|v| v * scale).collect();
            let (_, others) = cluster(&scaled, 12, pin_zero);
            for (a, b) in clusters.iter().zip(&others) {
                assert!((a.importance - b.importance).abs() < 1e-3 && (a.cohesion - b.cohesion).abs() < 1e-3);
            }
        }
    }
}

#[test]
fn few_different_values_give_few_clusters() {
    let (labels, clusters) = cluster(&[2.0, 2.0, 2.0], 4, false);
    assert_eq!((labels, clusters.len()), (vec![0; 3], 1));
    assert_eq!((clusters[0].cohesion, clusters[0].importance, clusters[0].size), (1.0, 1.0, 3));
    let (_, clusters) = cluster(&[2.0, -1.0, 2.0], 256, false);
    assert_eq!(clusters.len(), 2);
}

fn allot(
    clusters: &[ParameterCluster],
    weights: Option<&[f32]>,
    average: f32,
    most: u8,
) -> (Vec<u8>, SuggestedBits) {
    let mut scratch = vec![0xA5; suggest_bits_workspace_size(clusters.len()).unwrap() + 1];
    let mut bits = vec![99; clusters.len() + 1];
    let found = suggest_bits(clusters, weights, average, most, &mut bits, &mut scratch[1..]).unwrap();
    assert_eq!(bits.pop(), Some(99));
    (bits, found)
}

/// The least error over every allotment.
fn least(clusters: &[ParameterCluster], budget: i64, most: u32) -> f64 {
    let Some((first, rest)) = clusters.split_first() else { return 0.0 };
    (0..=most)
        .filter(|&b| b as i64 * first.size as i64 <= budget)
        .map(|b| {
            first.inertia as f64 * 0.25f64.powi(b as i32)
                + least(rest, budget - b as i64 * first.size as i64, most)
        })
        .fold(f64::MAX, f64::min)
}

#[test]
fn bits_are_the_best_there_are_and_keep_the_budget() {
    let mut seed = 4;
    for case in 0..200 {
        let clusters: Vec<ParameterCluster> = (0..1 + case % 5)
            .map(|_| ParameterCluster {
                size: (random(&mut seed) * 40.0) as u32,
                inertia: random(&mut seed).powi(3) * 100.0,
                ..Default::default()
            })
            .collect();
        let values: u32 = clusters.iter().map(|c| c.size).sum();
        let mut before = f32::INFINITY;
        for average in [0.0f32, 0.3, 1.0, 1.5, 2.7, 4.0] {
            let (bits, found) = allot(&clusters, None, average, 5);
            let total: u64 = bits.iter().zip(&clusters).map(|(&b, c)| b as u64 * c.size as u64).sum();
            assert!(bits.iter().all(|&b| b <= 5));
            assert_eq!(total, found.total);
            let budget = (average as f64 * values as f64).floor() as i64;
            assert!(total as i64 <= budget);
            let error: f64 =
                bits.iter().zip(&clusters).map(|(&b, c)| c.inertia as f64 * 0.25f64.powi(b as i32)).sum();
            let best = least(&clusters, budget, 5);
            assert!(error <= best * (1.0 + 1e-5) + 1e-9, "{clusters:?} {average}: {bits:?} {error} {best}");
            assert!((found.error as f64 - error).abs() <= error * 1e-5 + 1e-9);
            assert_eq!(found.bound, found.error);
            assert!(found.error <= before * (1.0 + 1e-6), "a larger budget gave more error");
            before = found.error;
        }
    }
}

#[test]
fn weights_move_bits() {
    let both = ParameterCluster { size: 10, inertia: 1.0, ..Default::default() };
    let (bits, _) = allot(&[both; 2], Some(&[1.0, 1000.0]), 2.0, 8);
    assert_eq!(bits, [0, 4]);
    // 2^-24 below a whole number of bits is a bit less.
    let (_, found) = allot(&[both], None, 1.0 - f32::EPSILON / 2.0, 8);
    assert_eq!(found.total, 0);
}

#[test]
fn misuse_is_refused_and_changes_nothing() {
    let options = Exact1d { k: 2, pin_zero: false };
    let size = cluster_parameters_workspace_size(3, &options).unwrap();
    let (mut labels, mut clusters, mut scratch) = ([7; 3], [ParameterCluster::default(); 2], vec![0; size]);
    let x = [1.0, 2.0, 3.0];
    let mut call = |x: &[f32], k, labels: &mut [u8], clusters: &mut [ParameterCluster], room: usize| {
        cluster_parameters(x, &Exact1d { k, pin_zero: false }, labels, clusters, &mut scratch[..room])
    };
    assert_eq!(call(&x, 257, &mut labels, &mut clusters, size), Err(Error::InvalidArgument));
    assert_eq!(call(&x, 0, &mut labels, &mut clusters, size), Err(Error::InvalidArgument));
    assert_eq!(call(&[], 2, &mut labels, &mut clusters, size), Err(Error::InvalidArgument));
    assert_eq!(call(&x, 2, &mut labels[..2], &mut clusters, size), Err(Error::OutputTooSmall));
    assert_eq!(call(&x, 2, &mut labels, &mut clusters[..1], size), Err(Error::OutputTooSmall));
    assert_eq!(call(&x, 2, &mut labels, &mut clusters, size - 1), Err(Error::WorkspaceTooSmall));
    assert_eq!(call(&[1.0, f32::NAN, 2.0], 2, &mut labels, &mut clusters, size), Err(Error::NonFinite));
    assert_eq!((labels, clusters), ([7; 3], [ParameterCluster::default(); 2]));

    let size = suggest_bits_workspace_size(2).unwrap();
    let (mut bits, mut scratch) = ([7; 2], vec![0; size]);
    let one = ParameterCluster { size: 3, inertia: 1.0, ..Default::default() };
    let mut call =
        |clusters: &[ParameterCluster], weights: Option<&[f32]>, average, most, bits: &mut [u8], room| {
            suggest_bits(clusters, weights, average, most, bits, &mut scratch[..room])
        };
    assert_eq!(call(&[one; 2], None, -1.0, 8, &mut bits, size), Err(Error::InvalidArgument));
    assert_eq!(call(&[one; 2], None, f32::NAN, 8, &mut bits, size), Err(Error::NonFinite));
    assert_eq!(call(&[one; 2], None, 1.0, 17, &mut bits, size), Err(Error::InvalidArgument));
    assert_eq!(call(&[one; 2], Some(&[1.0]), 1.0, 8, &mut bits, size), Err(Error::Shape));
    assert_eq!(call(&[one; 2], Some(&[1.0, -1.0]), 1.0, 8, &mut bits, size), Err(Error::InvalidArgument));
    assert_eq!(call(&[one; 2], None, 1.0, 8, &mut bits[..1], size), Err(Error::OutputTooSmall));
    assert_eq!(call(&[one; 2], None, 1.0, 8, &mut bits, size - 1), Err(Error::WorkspaceTooSmall));
    let endless = ParameterCluster { inertia: f32::INFINITY, ..one };
    assert_eq!(call(&[one, endless], None, 1.0, 8, &mut bits, size), Err(Error::NonFinite));
    assert_eq!(bits, [7; 2]);
}
