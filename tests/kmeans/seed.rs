//! First centres: the draws against a plain rewrite of them, edge cases, every tier the same rows.

use crate::common::same_on_every_tier;
use hybridq::Error;
use hybridq::kmeans::{Points, Seeding, seed, seed_workspace_size};
use hybridq::linear::vector::squared_distance;
use hybridq::math::Random;
use proptest::prelude::*;

const ALL: [Seeding; 3] = [Seeding::PlusPlus { trials: 0 }, Seeding::AfkMc2 { chain: 0 }, Seeding::Random];

fn rows_of(
    samples: Points,
    n: usize,
    d: usize,
    k: usize,
    seeding: Seeding,
    number: u64,
) -> Result<Vec<u32>, Error> {
    let mut scratch = vec![0xAA; seed_workspace_size(seeding, n, k)?];
    let (mut rows, mut centers) = (vec![u32::MAX; k], vec![f32::NAN; k * d]);
    seed(&samples, k, seeding, number, &mut rows, &mut centers, &mut scratch)?;
    Ok(rows)
}

fn points<'a>(n: usize, d: usize, x: &'a [f32], weights: Option<&'a [f32]>) -> Result<Points<'a>, Error> {
    match weights {
        Some(weights) => Points::weighted(n, d, x, weights),
        None => Points::new(n, d, x),
    }
}

fn noise(seed: u64, len: usize) -> Vec<f32> {
    let mut random = Random::new(seed, 99);
    (0..len).map(|_| random.unit() + random.unit() - 1.0).collect()
}

/// `groups` far apart, rows of one after the other in turn.
fn groups(n: usize, d: usize, groups: usize) -> Vec<f32> {
    let centers = noise(1, groups * d);
    let mut x = noise(2, n * d);
    for (i, row) in x.chunks_mut(d).enumerate() {
        let center = &centers[i % groups * d..][..d];
        row.iter_mut().zip(center).for_each(|(x, c)| *x = 100.0 * c + *x * 0.1);
    }
    x
}

/// Greedy k-means++ once more, with nothing skipped and nothing in blocks.
fn plain_plus_plus(
    n: usize,
    d: usize,
    k: usize,
    x: &[f32],
    weights: &[f32],
    trials: usize,
    number: u64,
) -> Vec<u32> {
    let mut random = Random::new(number, 0x7365_6564);
    let row = |i: usize| &x[i * d..][..d];
    let power = |max: f32| max.log2().floor() as i32;
    let heaviest = weights.iter().fold(0.0f32, |a, &b| a.max(b));
    let unit_weights: Vec<f32> = weights.iter().map(|w| w * 2f32.powi(-power(heaviest))).collect();
    let integers = |values: &[f32], unit: i32| -> Vec<u64> {
        values.iter().map(|v| (v * 2f32.powi(30 - unit)) as u64).collect()
    };
    let draw = |masses: &[u64], random: &mut Random| {
        let mut left = random.below(masses.iter().sum());
        masses
            .iter()
            .position(|&m| {
                left < m || {
                    left -= m;
                    false
                }
            })
            .unwrap()
    };
    let mut near = vec![f32::INFINITY; n];
    let come = |near: &[f32], center: usize| -> Vec<f32> {
        (0..n).map(|i| near[i].min(squared_distance(row(i), row(center)).unwrap())).collect()
    };
    let weighed = |near: &[f32]| -> Vec<f32> { near.iter().zip(&unit_weights).map(|(d, w)| d * w).collect() };
    let first = draw(&integers(weights, power(heaviest)), &mut random);
    near = come(&near, first);
    let mut chosen = vec![first as u32];
    while chosen.len() < k {
        let values = weighed(&near);
        let unit = power(values.iter().fold(0.0f32, |a, &b| a.max(b)));
        let masses = integers(&values, unit);
        let candidates: Vec<usize> = (0..trials).map(|_| draw(&masses, &mut random)).collect();
        let left = |c: usize| -> u64 { integers(&weighed(&come(&near, c)), unit).iter().sum() };
        let best = candidates.iter().copied().rev().min_by_key(|&c| left(c)).unwrap();
        let first_of_best = candidates.iter().copied().find(|&c| left(c) == left(best)).unwrap();
        near = come(&near, first_of_best);
        chosen.push(first_of_best as u32);
    }
    chosen
}

#[test]
fn plus_plus_is_what_a_plain_rewrite_draws() {
    for (n, d, k, clustered) in
        [(300, 5, 12, true), (300, 5, 12, false), (700, 33, 30, true), (520, 1, 40, false)]
    {
        let x = if clustered { groups(n, d, 7) } else { noise(3, n * d) };
        let weights: Vec<f32> = noise(4, n).iter().map(|w| w.abs() * 8.0).collect();
        for (trials, number) in [(1, 0), (3, 1), (5, 2)] {
            let samples = Points::weighted(n, d, &x, &weights).unwrap();
            let ours = rows_of(samples, n, d, k, Seeding::PlusPlus { trials }, number).unwrap();
            assert_eq!(ours, plain_plus_plus(n, d, k, &x, &weights, trials, number), "{n} x {d}, {trials}");
        }
    }
}

#[test]
fn every_tier_chooses_the_same_rows() {
    for (n, d, k) in [(1000, 17, 20), (257, 64, 9), (300, 3, 5)] {
        let x = groups(n, d, 11);
        let weights: Vec<f32> = noise(4, n).iter().map(|w| w.abs()).collect();
        for weights in [None, Some(&weights[..])] {
            let samples = points(n, d, &x, weights).unwrap();
            for seeding in ALL {
                same_on_every_tier(&format!("{seeding:?}"), || {
                    rows_of(samples, n, d, k, seeding, 42).unwrap()
                });
            }
        }
    }
}

#[test]
fn far_groups_are_all_found() {
    let (n, d, k) = (2000, 8, 20);
    let x = groups(n, d, k);
    for seeding in
        [Seeding::PlusPlus { trials: 0 }, Seeding::PlusPlus { trials: 1 }, Seeding::AfkMc2 { chain: 0 }]
    {
        for number in 0..20 {
            let rows = rows_of(Points::new(n, d, &x).unwrap(), n, d, k, seeding, number).unwrap();
            let mut found: Vec<u32> = rows.iter().map(|r| r % k as u32).collect();
            found.sort();
            found.dedup();
            // Distances between groups vary: a chain, or a single trial, may miss one of two that lie close.
            let least = if seeding == (Seeding::PlusPlus { trials: 0 }) { k } else { k - 3 };
            assert!(found.len() >= least, "{seeding:?} {number}: {}", found.len());
        }
    }
}

#[test]
fn one_outlier_and_offsets_do_not_hide_the_rest() {
    let (n, d) = (500, 4);
    let mut x = groups(n, d, 5);
    x[0] = 1e6;
    let samples = Points::new(n, d, &x).unwrap();
    let rows = rows_of(samples, n, d, 6, Seeding::PlusPlus { trials: 0 }, 3).unwrap();
    let mut found: Vec<u32> = rows.iter().filter(|&&r| r != 0).map(|r| r % 5).collect();
    found.sort();
    assert!(rows.contains(&0));
    assert_eq!(found, [0, 1, 2, 3, 4]);
}

#[test]
fn random_rows_differ_and_follow_the_weights() {
    let (n, k) = (50, 10);
    let x = vec![1.0; n];
    let weights: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { 1e-30 } else { 0.0 }).collect();
    let mut drawn = vec![0usize; n];
    for number in 0..2000 {
        let mut rows = rows_of(Points::new(n, 1, &x).unwrap(), n, 1, k, Seeding::Random, number).unwrap();
        rows.iter().for_each(|&r| drawn[r as usize] += 1);
        rows.dedup();
        assert_eq!(rows.len(), k);
        let samples = Points::weighted(n, 1, &x, &weights).unwrap();
        let mut rows = rows_of(samples, n, 1, k, Seeding::Random, number).unwrap();
        rows.sort();
        rows.dedup();
        assert!(rows.len() == k && rows.iter().all(|r| r % 2 == 0));
    }
    // 400 each, standard deviation 18
    assert!(drawn.iter().all(|&c| c.abs_diff(400) < 90), "{drawn:?}");
}

#[test]
fn edges() {
    let constant = [2.0f32; 12];
    for seeding in ALL {
        // more centres than different rows; every row; one
        for k in [1, 3, 6] {
            let rows = rows_of(Points::new(6, 2, &constant).unwrap(), 6, 2, k, seeding, 1).unwrap();
            assert!(rows.iter().all(|&r| r < 6));
        }
        // one row has a weight: it repeats
        let weights = [0.0, 0.0, 3.0, 0.0, 0.0, 0.0];
        let samples = Points::weighted(6, 2, &constant, &weights).unwrap();
        assert_eq!(rows_of(samples, 6, 2, 3, seeding, 1).unwrap(), [2, 2, 2]);
        // magnitudes at both ends: two groups, one centre each
        for size in [1e-43f32, 1e-20, 1e20, 3e38] {
            let x: Vec<f32> = [1.0, -1.0, 1.0, -1.0, 1.0, -1.0f32].iter().map(|s| s * size).collect();
            let mut scratch = vec![0; seed_workspace_size(seeding, 6, 2).unwrap()];
            let (mut rows, mut centers) = ([9; 2], [0.0; 2]);
            let samples = Points::new(6, 1, &x).unwrap();
            seed(&samples, 2, seeding, 5, &mut rows, &mut centers, &mut scratch).unwrap();
            assert!(
                seeding == Seeding::Random || centers[0] == -centers[1],
                "{seeding:?} {size}: {centers:?}"
            );
            assert_eq!(centers, rows.map(|r| x[r as usize]));
        }
    }
}

#[test]
fn what_is_refused_leaves_the_outputs_alone() {
    let x = [0.0, 1.0, 2.0, 3.0f32];
    let refused = |x: &[f32], weights: Option<&[f32]>, k: usize, room: usize, scratch: usize| {
        let (mut rows, mut centers) = (vec![7u32; room], vec![7.0f32; room]);
        let mut scratch = vec![0; scratch];
        let samples = points(4, 1, x, weights).unwrap();
        let error =
            seed(&samples, k, Seeding::PlusPlus { trials: 0 }, 0, &mut rows, &mut centers, &mut scratch);
        assert!(rows.iter().all(|&r| r == 7) && centers.iter().all(|&c| c == 7.0));
        error.unwrap_err()
    };
    let size = seed_workspace_size(Seeding::PlusPlus { trials: 0 }, 4, 2).unwrap();
    assert_eq!(refused(&x, None, 0, 4, size), Error::InvalidArgument);
    assert_eq!(refused(&x, None, 5, 5, 9 * size), Error::InvalidArgument);
    assert_eq!(refused(&x, None, 2, 1, size), Error::OutputTooSmall);
    assert_eq!(refused(&x, None, 2, 2, size / 2), Error::WorkspaceTooSmall);
    assert_eq!(refused(&x, Some(&[1.0, -1.0, 1.0, 1.0]), 2, 2, size), Error::InvalidArgument);
    assert_eq!(refused(&x, Some(&[0.0; 4]), 2, 2, size), Error::InvalidArgument);
    assert_eq!(refused(&x, Some(&[f32::INFINITY; 4]), 2, 2, size), Error::NonFinite);
    assert_eq!(refused(&[0.0, f32::NAN, 1.0, 1.0], None, 2, 2, size), Error::NonFinite);
    assert_eq!(Points::new(4, 2, &x).unwrap_err(), Error::Shape);
    assert_eq!(Points::weighted(4, 1, &x, &x[1..]).unwrap_err(), Error::Shape);
    assert_eq!(Points::new(usize::MAX, 2, &x).unwrap_err(), Error::SizeOverflow);
    assert_eq!(seed_workspace_size(Seeding::Random, usize::MAX / 2, 2).unwrap_err(), Error::SizeOverflow);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_shape_gives_rows_of_the_data(n in 1usize..300, d in 1usize..40, part in 0.0f64..1.0, number: u64) {
        let k = 1 + (part * (n - 1) as f64) as usize;
        let x = noise(number, n * d);
        for seeding in ALL {
            let rows = rows_of(Points::new(n, d, &x).unwrap(), n, d, k, seeding, number).unwrap();
            prop_assert!(rows.iter().all(|&r| (r as usize) < n));
            if seeding != (Seeding::AfkMc2 { chain: 0 }) {
                // values are different, so that no row comes twice
                let mut sorted = rows.clone();
                sorted.sort();
                sorted.dedup();
                prop_assert_eq!(sorted.len(), k);
            }
        }
    }
}
