//! How many clusters: known numbers are found, nothing is found where there is nothing.

use crate::common::same_on_every_tier;
use hybridq::Error;
use hybridq::kmeans::*;
use hybridq::math::Random;

fn normal(random: &mut Random) -> f32 {
    (0..12).map(|_| random.unit()).sum::<f32>() - 6.0
}

fn run(
    n: usize,
    d: usize,
    x: &[f32],
    max_k: usize,
    seed: u64,
) -> (Choice, Vec<Candidate>, Vec<f32>, Vec<u32>) {
    let options = ChooseOptions { max_k, seed, fit: FitOptions::DEFAULT };
    let mut scratch = vec![0; choose_k_workspace_size(n, d, &options).unwrap()];
    let (mut curve, mut centers) = (vec![Candidate::default(); max_k], vec![0.0; max_k * d]);
    let mut labels = vec![0; n];
    let points = Points::new(n, d, x).unwrap();
    let choice = choose_k(&points, &options, &mut curve, &mut centers, &mut labels, &mut scratch).unwrap();
    curve.truncate(choice.candidates as usize);
    centers.truncate(choice.k as usize * d);
    (choice, curve, centers, labels)
}

/// Normal groups whose centres are `apart` standard deviations from each other, per feature at random.
fn groups(seed: u64, n: usize, d: usize, k: usize, apart: f32) -> Vec<f32> {
    let mut random = Random::new(seed, 7);
    let centers: Vec<f32> = (0..k * d).map(|_| apart * normal(&mut random)).collect();
    (0..n)
        .flat_map(|i| {
            let row: Vec<f32> = (0..d).map(|j| centers[i % k * d + j] + normal(&mut random)).collect();
            row
        })
        .collect()
}

#[test]
fn known_numbers_are_found() {
    for (d, k, apart) in [(5, 2, 4.0), (10, 3, 5.0), (20, 5, 4.0), (64, 8, 3.0), (64, 2, 3.0)] {
        for seed in 0..3 {
            let x = groups(seed, 500, d, k, apart);
            let (choice, curve, centers, labels) = run(500, d, &x, 11, seed);
            assert_eq!(choice.k as usize, k, "{d} features, seed {seed}: {choice:?}");
            // the curve falls, and its point is that of the centres and labels
            assert!(curve.windows(2).all(|pair| pair[1].inertia <= pair[0].inertia));
            assert!(curve.iter().zip(1..).all(|(c, k)| c.k == k));
            let mut again = (vec![0; 500], vec![0.0; 500], vec![0; assign_workspace_size(k, d).unwrap()]);
            let points = Points::new(500, d, &x).unwrap();
            assign(&points, k, &centers, &mut again.0, Some(&mut again.1), &mut again.2).unwrap();
            assert_eq!(labels, again.0);
            let inertia: f64 = again.1.iter().map(|&v| v as f64).sum();
            assert!((inertia / curve[k - 1].inertia as f64 - 1.0).abs() < 1e-5);
        }
    }
}

#[test]
fn nothing_is_found_where_nothing_is() {
    for d in [1, 2, 5, 30] {
        for seed in 0..5 {
            let mut random = Random::new(seed, d as u64);
            let even: Vec<f32> = (0..500 * d).map(|_| random.unit()).collect();
            assert_eq!(run(500, d, &even, 10, seed).0.k, 1, "even, {d} features");
            let normal = groups(seed, 500, d, 1, 0.0);
            assert_eq!(run(500, d, &normal, 10, seed).0.k, 1, "normal, {d} features");
            // one direction much wider than the others
            let long: Vec<f32> =
                normal.iter().enumerate().map(|(i, v)| if i % d == 0 { 30.0 * v } else { *v }).collect();
            assert_eq!(run(500, d, &long, 10, seed).0.k, 1, "long, {d} features");
        }
    }
}

#[test]
fn criteria_are_those_of_their_papers() {
    // f64, from the definitions
    let (n, d, k) = (300, 4, 3);
    let x = groups(9, n, d, k, 5.0);
    let (choice, curve, centers, labels) = run(n, d, &x, 6, 1);
    assert_eq!(choice.k as usize, k);
    let at = |i: usize, c: &[f64]| -> f64 { (0..d).map(|j| (x[i * d + j] as f64 - c[j]).powi(2)).sum() };
    let mean: Vec<f64> =
        (0..d).map(|j| (0..n).map(|i| x[i * d + j] as f64).sum::<f64>() / n as f64).collect();
    let total: f64 = (0..n).map(|i| at(i, &mean)).sum();
    let centers: Vec<Vec<f64>> = centers.chunks(d).map(|c| c.iter().map(|&v| v as f64).collect()).collect();
    let within: f64 = (0..n).map(|i| at(i, &centers[labels[i] as usize])).sum();
    let close = |a: f32, b: f64| assert!((a as f64 / b - 1.0).abs() < 1e-4, "{a} {b}");
    let found = curve[k - 1];
    close(curve[0].inertia, total);
    close(found.inertia, within);
    close(found.calinski_harabasz, (total - within) / (k - 1) as f64 / (within / (n - k) as f64));
    let bic = |k: usize, s: f64, sizes: &[f64]| {
        let (n, d) = (n as f64, d as f64);
        let variance = s / (d * (n - k as f64));
        let entropy: f64 = sizes.iter().map(|m| m * (m / n).ln()).sum();
        let normal = -0.5 * n * d * (2.0 * std::f64::consts::PI * variance).ln() - 0.5 * d * (n - k as f64);
        entropy + normal - 0.5 * (k as f64) * (d + 1.0) * n.ln()
    };
    let sizes: Vec<f64> =
        (0..k).map(|j| labels.iter().filter(|&&l| l as usize == j).count() as f64).collect();
    close(found.bic, bic(k, within, &sizes) - bic(1, total, &[n as f64]));
    let silhouette: f64 = (0..n)
        .map(|i| {
            let mut distances: Vec<f64> = centers.iter().map(|c| at(i, c).sqrt()).collect();
            distances.sort_by(f64::total_cmp);
            1.0 - distances[0] / distances[1]
        })
        .sum();
    close(found.silhouette, silhouette / n as f64);
}

#[test]
fn weights_are_repetitions() {
    let (n, d) = (200, 3);
    let x = groups(4, n, d, 4, 6.0);
    let weights: Vec<f32> = (0..n).map(|i| (i % 3) as f32).collect();
    let repeated: Vec<f32> = (0..n).flat_map(|i| x[i * d..][..d].repeat(i % 3)).collect();
    let options = ChooseOptions { max_k: 8, seed: 3, fit: FitOptions::DEFAULT };
    let mut scratch = vec![0; choose_k_workspace_size(n, d, &options).unwrap()];
    let (mut curve, mut centers, mut labels) = ([Candidate::default(); 8], vec![0.0; 8 * d], vec![0; n]);
    let points = Points::weighted(n, d, &x, &weights).unwrap();
    let weighted = choose_k(&points, &options, &mut curve, &mut centers, &mut labels, &mut scratch).unwrap();
    let (plain, plain_curve, ..) = run(repeated.len() / d, d, &repeated, 8, 3);
    assert_eq!((weighted.k, plain.k), (4, 4));
    for (a, b) in curve.iter().zip(&plain_curve).take(4) {
        assert!((a.inertia / b.inertia - 1.0).abs() < 1e-4 && (a.silhouette - b.silhouette).abs() < 1e-4);
        assert!((a.calinski_harabasz - b.calinski_harabasz).abs() <= 1e-3 * b.calinski_harabasz);
        assert!((a.bic - b.bic).abs() <= 1e-3 * b.bic.abs());
    }
}

#[test]
fn edges() {
    // constant data: one cluster, and nothing left to try
    let (choice, curve, centers, labels) = run(10, 2, &[3.0; 20], 5, 0);
    assert_eq!((choice.k, choice.candidates, curve[0].inertia), (1, 1, 0.0));
    assert_eq!((centers, labels), (vec![3.0; 2], vec![0; 10]));
    // fewer different rows than asked for: the curve ends where nothing is left
    let x: Vec<f32> = (0..30).map(|i| [0.0, 10.0, 25.0][i % 3]).collect();
    let (choice, curve, ..) = run(30, 1, &x, 8, 0);
    assert_eq!((choice.k, choice.candidates, curve[2].inertia), (3, 3, 0.0));
    // as many as rows, and one
    assert_eq!(run(4, 1, &[0.0, 1.0, 100.0, 101.0], 4, 0).0.k, 2);
    assert_eq!(run(1, 3, &[1.0, 2.0, 3.0], 1, 0).0.k, 1);
    // magnitudes at both ends of what is allowed give the number of ordinary ones
    let groups = groups(2, 200, 4, 3, 8.0);
    for size in [1e-11f32, 1e-6, 1e6, 1e10] {
        let x: Vec<f32> = groups.iter().map(|v| v * size).collect();
        assert_eq!(run(200, 4, &x, 6, 0).0.k, 3, "{size}");
    }
}

#[test]
fn every_tier_has_the_same_bits() {
    let x = groups(6, 300, 19, 5, 3.0);
    same_on_every_tier("choose", || format!("{:?}", run(300, 19, &x, 9, 2)));
}

#[test]
fn what_is_refused_leaves_the_outputs_alone() {
    let refused =
        |x: &[f32], max_k: usize, room: usize, weights: Option<&[f32]>, fit: FitOptions, short: usize| {
            let options = ChooseOptions { max_k, seed: 0, fit };
            let size = choose_k_workspace_size(4, 1, &options).unwrap_or(0);
            let mut scratch = vec![0; size - short];
            let (mut curve, mut centers, mut labels) =
                (vec![Candidate::default(); room], vec![7.0; room], vec![7; room]);
            let points = match weights {
                Some(weights) => Points::weighted(4, 1, x, weights).unwrap(),
                None => Points::new(4, 1, x).unwrap(),
            };
            let error =
                choose_k(&points, &options, &mut curve, &mut centers, &mut labels, &mut scratch).unwrap_err();
            assert!(curve.iter().all(|c| *c == Candidate::default()));
            assert!(centers.iter().all(|&c| c == 7.0) && labels.iter().all(|&l| l == 7));
            error
        };
    let (x, fit) = ([0.0, 1.0, 5.0, 6.0f32], FitOptions::DEFAULT);
    assert_eq!(refused(&x, 0, 4, None, fit, 0), Error::InvalidArgument);
    assert_eq!(refused(&x, 5, 5, None, fit, 0), Error::InvalidArgument);
    assert_eq!(refused(&x, 4, 3, None, fit, 0), Error::OutputTooSmall);
    assert_eq!(refused(&x, 4, 4, None, fit, 1), Error::WorkspaceTooSmall);
    assert_eq!(refused(&[0.0, f32::NAN, 1.0, 2.0], 3, 4, None, fit, 0), Error::NonFinite);
    assert_eq!(refused(&x, 3, 4, Some(&[0.0; 4]), fit, 0), Error::InvalidArgument);
    assert_eq!(refused(&x, 3, 4, Some(&[1.0, -1.0, 0.0, 0.0]), fit, 0), Error::InvalidArgument);
    assert_eq!(refused(&[0.0, 1e13, 1.0, 2.0], 3, 4, None, fit, 0), Error::InvalidArgument);
    assert_eq!(refused(&[0.0, 1e-13, 0.0, 0.0], 3, 4, None, fit, 0), Error::InvalidArgument);
    let bad = FitOptions { shift_tolerance: -1.0, ..fit };
    assert_eq!(refused(&x, 3, 4, None, bad, 0), Error::InvalidArgument);
}
