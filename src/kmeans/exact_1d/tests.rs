//! The optimum against all partitions, large offsets, magnitudes, misuse.

use super::*;

/// Least weighted cost of contiguous clusters of sorted values, by trying every partition, in f64.
fn brute_force(x: &[(f64, f64)], k: usize, pin_zero: bool) -> f64 {
    if x.is_empty() {
        return 0.0;
    }
    if k == 0 {
        return f64::INFINITY;
    }
    (1..=x.len())
        .map(|len| {
            let (head, rest) = x.split_at(len);
            let weight: f64 = head.iter().map(|p| p.1).sum();
            let mean = head.iter().map(|p| p.0 * p.1).sum::<f64>() / if weight > 0.0 { weight } else { 1.0 };
            let around = |c: f64| head.iter().map(|p| p.1 * (p.0 - c).powi(2)).sum::<f64>();
            if pin_zero {
                let zero = around(0.0) + brute_force(rest, k - 1, false);
                let free = if k > 1 { around(mean) + brute_force(rest, k - 1, true) } else { f64::INFINITY };
                zero.min(free)
            } else {
                around(mean) + brute_force(rest, k - 1, false)
            }
        })
        .fold(f64::INFINITY, f64::min)
}

fn run(x: &[f32], weights: Option<&[f32]>, options: Exact1d) -> (Vec<f32>, Clusters1d) {
    let mut centers = vec![f32::NAN; options.k + 1];
    let mut scratch = vec![0xA5; exact_1d_workspace_size(x.len(), &options).unwrap() + 1];
    let found = exact_1d(x, weights, &options, &mut centers, &mut scratch[1..]).unwrap();
    assert!(centers.pop().unwrap().is_nan(), "wrote beyond k");
    assert!(centers.is_sorted() && centers.iter().all(|c| c.is_finite()), "{centers:?}");
    (centers, found)
}

/// The cost of centres, each value going to the nearest, in f64.
fn inertia(x: &[f32], weights: Option<&[f32]>, centers: &[f32]) -> f64 {
    x.iter()
        .enumerate()
        .map(|(i, &v)| {
            let nearest =
                centers.iter().map(|&c| (v as f64 - c as f64).powi(2)).fold(f64::INFINITY, f64::min);
            nearest * weights.map_or(1.0, |w| w[i] as f64)
        })
        .sum()
}

fn random(seed: &mut u32) -> f32 {
    *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*seed >> 8) as f32 / (1 << 24) as f32
}

#[test]
fn equals_the_best_of_all_partitions() {
    let mut seed = 1;
    for case in 0..600 {
        let n = 1 + case % 9;
        let shift = [0.0f32, -3.0, 1000.0][case % 3];
        let x: Vec<f32> = (0..n)
            .map(|_| {
                let v = random(&mut seed) * 2.0 - 1.0;
                // duplicates now and then
                shift + if case % 4 == 0 { (v * 3.0).round() } else { v }
            })
            .collect();
        let w: Vec<f32> = (0..n).map(|_| (random(&mut seed) * 4.0).floor() * 0.25 + 0.25).collect();
        for weights in [None, Some(&w[..])] {
            for k in 1..=5 {
                for pin_zero in [false, true] {
                    let (centers, found) = run(&x, weights, Exact1d { k, pin_zero });
                    let mut sorted: Vec<(f64, f64)> = x
                        .iter()
                        .enumerate()
                        .map(|(i, &v)| (v as f64, weights.map_or(1.0, |w| w[i] as f64)))
                        .collect();
                    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
                    let mut best = brute_force(&sorted, k, pin_zero);
                    if pin_zero && k > 1 {
                        // the pinned cluster may stay empty
                        best = best.min(brute_force(&sorted, k - 1, false));
                    }
                    let real = inertia(&x, weights, &centers);
                    let scale: f64 = sorted.iter().map(|p| p.1).sum();
                    let range = if pin_zero { shift.abs().max(3.0) as f64 + 3.0 } else { 6.0 };
                    let grid = scale * range * range * 1e-11 + scale * (shift.abs() as f64 * 1e-7).powi(2);
                    assert!(real <= best * 1.00001 + grid, "case {case} k {k} {pin_zero}: {real} {best}");
                    assert!(
                        (found.inertia as f64 - best).abs()
                            <= best * 1e-4 + 2.0 * grid + best.sqrt() * range * 1e-6,
                        "{found:?} {best}"
                    );
                    assert!(!pin_zero || centers.contains(&0.0) || k > n + 1, "{centers:?}");
                }
            }
        }
    }
}

#[test]
fn a_large_offset_or_any_magnitude_costs_no_accuracy() {
    let mut seed = 7;
    let base: Vec<f32> = (0..3000).map(|i| (i % 3) as f32 * 4.0 + random(&mut seed)).collect();
    let (_, plain) = run(&base, None, Exact1d { k: 3, pin_zero: false });
    // 10000 + 0..9 as f32 keeps steps of 2^-10: the same clusters, almost the same inertia
    let moved: Vec<f32> = base.iter().map(|v| v + 10_000.0).collect();
    let (centers, far) = run(&moved, None, Exact1d { k: 3, pin_zero: false });
    assert!((far.inertia / plain.inertia - 1.0).abs() < 1e-3, "{} {}", far.inertia, plain.inertia);
    for (c, expected) in centers.iter().zip([10_000.5, 10_004.5, 10_008.5]) {
        assert!((c - expected).abs() < 0.05, "{centers:?}");
    }
    for magnitude in [1e-35f32, 1e-20, 1e20, 1e36] {
        let x: Vec<f32> = base.iter().map(|v| v * magnitude).collect();
        let (centers, _) = run(&x, None, Exact1d { k: 3, pin_zero: false });
        for (c, expected) in centers.iter().zip([0.5, 4.5, 8.5]) {
            assert!((c / magnitude - expected).abs() < 0.05, "{magnitude}: {centers:?}");
        }
    }
}

#[test]
fn more_centres_than_values_terminate_and_weights_of_zero_do_not_count() {
    let (centers, found) = run(&[2.0, 2.0, 5.0], None, Exact1d { k: 8, pin_zero: false });
    assert_eq!((found.clusters, found.inertia), (2, 0.0));
    assert_eq!(centers, [2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
    let (centers, _) = run(&[1.0, 2.0, 300.0], Some(&[1.0, 1.0, 0.0]), Exact1d { k: 1, pin_zero: false });
    assert!((centers[0] - 1.5).abs() < 1e-3, "{centers:?}");
    let (centers, found) = run(&[], None, Exact1d { k: 2, pin_zero: true });
    assert_eq!((centers, found.clusters, found.inertia), (vec![0.0; 2], 1, 0.0));
}

#[test]
fn misuse_is_refused() {
    let options = Exact1d { k: 2, pin_zero: false };
    let size = exact_1d_workspace_size(3, &options).unwrap();
    let mut scratch = vec![0; size];
    let mut centers = [7.0; 2];
    let mut call = |x: &[f32], w: Option<&[f32]>, k, centers: &mut [f32], room: usize| {
        exact_1d(x, w, &Exact1d { k, pin_zero: false }, centers, &mut scratch[..room])
    };
    let x = [1.0, 2.0, 3.0];
    assert_eq!(call(&x, None, 0, &mut centers, size), Err(Error::InvalidArgument));
    assert_eq!(call(&x, Some(&[1.0]), 2, &mut centers, size), Err(Error::Shape));
    assert_eq!(call(&x, None, 2, &mut centers[..1], size), Err(Error::OutputTooSmall));
    assert_eq!(call(&x, None, 2, &mut centers, size - 1), Err(Error::WorkspaceTooSmall));
    assert_eq!(call(&[1.0, f32::NAN, 2.0], None, 2, &mut centers, size), Err(Error::NonFinite));
    assert_eq!(call(&x, Some(&[1.0, -1.0, 1.0]), 2, &mut centers, size), Err(Error::InvalidArgument));
    assert_eq!(call(&x, Some(&[1.0, f32::INFINITY, 1.0]), 2, &mut centers, size), Err(Error::NonFinite));
    assert_eq!(centers, [7.0; 2]);
    assert!(call(&x, None, 2, &mut centers, size).is_ok());
    assert!(exact_1d_workspace_size(usize::MAX / 64, &options).is_err());
}

/// The plain dynamic programme over all values, in f64 around `shift`.
fn plain(x: &[f32], weights: Option<&[f32]>, k: usize, shift: f64) -> f64 {
    let mut values: Vec<(f64, f64)> =
        x.iter().enumerate().map(|(i, &v)| (v as f64, weights.map_or(1.0, |w| w[i] as f64))).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sums = vec![(0.0f64, 0.0f64, 0.0f64)];
    for &(v, w) in &values {
        let &(a, b, c) = sums.last().unwrap();
        let v = v - shift;
        sums.push((a + w, b + w * v, c + w * v * v));
    }
    let cost = |j: usize, i: usize| {
        let (w, s, q) = (sums[i].0 - sums[j].0, sums[i].1 - sums[j].1, sums[i].2 - sums[j].2);
        if w > 0.0 { (q - s * s / w).max(0.0) } else { 0.0 }
    };
    let n = values.len();
    let mut before: Vec<f64> = (0..=n).map(|i| cost(0, i)).collect();
    for _ in 1..k {
        let now = (0..=n).map(|i| (0..=i).map(|j| before[j] + cost(j, i)).fold(f64::MAX, f64::min)).collect();
        before = now;
    }
    before[n]
}

fn least(x: &[f32]) -> &f32 {
    x.iter().min_by(|a, b| a.total_cmp(b)).unwrap()
}

fn most(x: &[f32]) -> &f32 {
    x.iter().max_by(|a, b| a.total_cmp(b)).unwrap()
}

/// Shapes that coarse choices of edges could get wrong.
fn shapes(n: usize, seed: &mut u32) -> Vec<(&'static str, Vec<f32>)> {
    let mut normal = |spread: f32| {
        let sum: f32 = (0..12).map(|_| random(seed)).sum();
        (sum - 6.0) * spread
    };
    let mixture = (0..n).map(|i| (i % 5) as f32 * 3.0 + normal(0.3)).collect();
    let bell: Vec<f32> = (0..n).map(|_| normal(1.0)).collect();
    let tails = bell.iter().map(|v| v * v * v * v * v).collect();
    let mut outlier = bell.clone();
    outlier[n / 2] = 1e6;
    let steps = bell.iter().map(|v| (v * 4.0).round()).collect();
    let lattice = (0..n).map(|i| i as f32).collect();
    let doubling = (0..n).map(|i| (i as f32 * 20.0 / n as f32).exp2()).collect();
    vec![
        ("bell", bell),
        ("mixture", mixture),
        ("tails", tails),
        ("outlier", outlier),
        ("steps", steps),
        ("lattice", lattice),
        ("doubling", doubling),
    ]
}

#[test]
fn narrowing_loses_nothing() {
    let mut seed = 3;
    let n = 2200;
    for (name, x) in shapes(n, &mut seed) {
        let w: Vec<f32> = (0..n).map(|_| (random(&mut seed) * 8.0).floor() * 0.125).collect();
        for (k, weights) in [(2, None), (3, Some(&w[..])), (7, None), (16, None), (16, Some(&w[..]))] {
            let options = Exact1d { k, pin_zero: false };
            let (centers, found) = run(&x, weights, options);
            let middle = 0.5 * (*least(&x) as f64 + *most(&x) as f64);
            let (real, best) = (inertia(&x, weights, &centers), plain(&x, weights, k, middle));
            // What the grid does to values: half a step of 2^-22 half ranges each.
            let range = x.iter().fold(0.0f32, |a, v| a.max(v.abs())) as f64;
            let grid = n as f64 * (range / (1 << 22) as f64).powi(2) + best.sqrt() * range / (1 << 20) as f64;
            assert!(real <= best * (1.0 + 1e-6) + grid, "{name} {k}: {real} {best}");
            assert!(
                (found.inertia as f64 - best).abs() <= best * 1e-5 + grid,
                "{name} {k}: {found:?} {best}"
            );
        }
    }
}

#[test]
fn a_pinned_zero_narrows_like_all_values_at_once() {
    let mut seed = 5;
    for (name, x) in shapes(2100, &mut seed) {
        for k in [1, 2, 5, 9] {
            let (centers, found) = run(&x, None, Exact1d { k, pin_zero: true });
            // Every number of clusters below zero, the rest above, each side by the plain programme with a heavy zero.
            let sides: [Vec<f32>; 2] = [
                x.iter().copied().filter(|v| *v < 0.0).collect(),
                x.iter().copied().filter(|v| *v >= 0.0).collect(),
            ];
            let cost = |side: &[f32], free: usize| {
                let mut values = side.to_vec();
                values.push(0.0);
                let mut weights = vec![1.0; side.len()];
                weights.push(1e9);
                plain(&values, Some(&weights), free + 1, 0.0)
            };
            let best = (0..k)
                .map(|left| cost(&sides[0], left) + cost(&sides[1], k - 1 - left))
                .fold(f64::MAX, f64::min);
            let real = inertia(&x, None, &centers);
            let range = x.iter().fold(0.0f32, |a, v| a.max(v.abs())) as f64;
            let grid = 2100.0 * (range / (1 << 22) as f64).powi(2) + best.sqrt() * range / (1 << 20) as f64;
            assert!(real <= best * (1.0 + 1e-5) + grid, "{name} {k}: {real} {best}");
            assert!(
                (found.inertia as f64 - best).abs() <= best * 1e-4 + grid,
                "{name} {k}: {found:?} {best}"
            );
            assert!(centers.contains(&0.0));
        }
    }
}

/// FNV-1a of the bits of floats.
fn digest(values: &[f32]) -> u64 {
    let bytes = values.iter().flat_map(|v| v.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ b as u64).wrapping_mul(0x100_0000_01b3))
}

/// The same bits on every target: 64-bit and 32-bit integers, with and without narrowing, both widths of costs.
#[test]
fn golden() {
    let mut seed = 77;
    let x: Vec<f32> = (0..5000).map(|_| random(&mut seed) * random(&mut seed) - 0.25).collect();
    let w: Vec<f32> = (0..5000).map(|_| random(&mut seed)).collect();
    let mut found = Vec::new();
    for (n, weights, k, pin_zero) in
        [(5000, false, 16, false), (5000, true, 16, false), (5000, true, 9, true), (1000, false, 31, true)]
    {
        let weights = weights.then_some(&w[..n]);
        let (centers, clusters) = run(&x[..n], weights, Exact1d { k, pin_zero });
        found.push((digest(&centers), clusters.inertia.to_bits()));
    }
    assert_eq!(found, GOLDEN, "{found:x?}");
}

const GOLDEN: [(u64, u32); 4] = [
    (0x23d8377a2395d683, 0x3f8d69ac),
    (0xba7562b969be83cf, 0x3f0d0465),
    (0x23fe2ca12de2773c, 0x3fdd08f3),
    (0x531d86b875bc2cd3, 0x3d62b08a),
];
