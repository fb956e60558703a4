//! k-means: what holds for any data, on every tier.

use crate::common::{Rng, same_on_every_tier};
use crate::support::*;
use hybridq::kmeans::*;
use proptest::prelude::*;

/// Data that are hard in one of several ways.
fn hard(kind: usize, rows: usize, cols: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng(seed);
    let len = rows * cols;
    match kind % 8 {
        0 => crate::common::gaussian(len, seed),
        // Few values, so that distances are equal again and again.
        1 => (0..len).map(|_| (rng.next() % 3) as f32).collect(),
        // Far from the origin, with the last bits alone different.
        2 => (0..len).map(|_| 1e6 + (rng.next() % 16) as f32 / 16.0).collect(),
        // Copies of a few points with noise of a unit in the last place.
        3 => {
            let base = crate::common::gaussian(5 * cols, seed);
            (0..len)
                .map(|i| {
                    let x: f32 = base[(i / cols) % 5 * cols + i % cols];
                    f32::from_bits(x.to_bits() ^ (rng.next() % 2) as u32)
                })
                .collect()
        }
        // One feature a million times as large as the others.
        4 => (0..len).map(|i| rng.uniform() as f32 * if i % cols == 0 { 1e6 } else { 1.0 }).collect(),
        // An outlier.
        5 => {
            let mut x = crate::common::gaussian(len, seed);
            x[..cols].fill(1e6);
            x
        }
        6 => blobs(rows, cols, 5, seed),
        // Points on a lattice half way between the centres that the first of them are.
        _ => (0..len).map(|i| ((i / cols) % 7) as f32 * 0.5 + (rng.next() % 2) as f32).collect(),
    }
}

#[test]
fn every_tier_gives_the_same_bits() {
    let mut seed = 0;
    for kind in 0..8 {
        for (rows, cols, k) in [
            (1, 1, 1),
            (33, 1, 4),
            (50, 2, 7),
            (129, 3, 6),
            (140, 15, 11),
            (97, 16, 9),
            (260, 17, 13),
            (300, 100, 10),
            (70, 257, 20),
        ] {
            seed += 1;
            let data = hard(kind, rows, cols, seed);
            let options = FitOptions { max_iterations: 12, ..FitOptions::DEFAULT };
            let what = format!("kind {kind} {rows} x {cols}, k {k}");
            let out = same_on_every_tier(&what, || lloyd(rows, cols, &data, k, &data[..k * cols], &options));
            out.check(rows, cols, &data, k);
        }
    }
}

/// Weights that are whole numbers of eighths.
fn weights(rows: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng(seed);
    (0..rows).map(|i| if i == 0 { 1.0 } else { (rng.next() % 17) as f32 / 8.0 }).collect()
}

fn frame_of<'a>(points: &Points<'_>, limits: &'a mut Vec<f32>) -> Frame<'a> {
    limits.resize(limits_len(points.cols()).unwrap(), 0.0);
    limits_clear(limits);
    limits_add(points, limits).unwrap();
    Frame::new(points.rows(), limits).unwrap()
}

/// Fewer cases where every instruction is emulated.
const SHARE: u32 = if cfg!(target_arch = "x86_64") { 1 } else { 10 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60 / SHARE))]

    #[test]
    fn inertia_never_rises(kind in 0usize..8, rows in 20usize..200, cols in 1usize..20, k in 1usize..12, seed: u64) {
        let data = hard(kind, rows, cols, seed);
        let mut last = f32::INFINITY;
        for max_iterations in 0..8 {
            let options = FitOptions { max_iterations, empty: Empty::Keep, ..FitOptions::DEFAULT };
            let out = lloyd(rows, cols, &data, k, &data[..k * cols], &options);
            out.check(rows, cols, &data, k);
            // Centres are rounded to floats: half a unit in the last place of the largest value.
            let ulp = data.iter().fold(0f32, |m, x| m.max(x.abs())) * 2f32.powi(-23);
            let slack = (rows * cols) as f32 * ulp * ulp + 1e-6 * out.fit.inertia;
            prop_assert!(out.fit.inertia <= last + slack, "{} after {last}", out.fit.inertia);
            last = out.fit.inertia;
        }
    }

    #[test]
    fn the_order_of_the_rows_does_not_matter(kind in 0usize..8, rows in 20usize..150, cols in 1usize..20, k in 1usize..9, seed: u64) {
        let data = hard(kind, rows, cols, seed);
        let weights = weights(rows, seed);
        let mut order: Vec<usize> = (0..rows).collect();
        let mut rng = Rng(seed ^ 99);
        for i in (1..rows).rev() {
            order.swap(i, (rng.next() % (i as u64 + 1)) as usize);
        }
        let moved: Vec<f32> = order.iter().flat_map(|&i| data[i * cols..(i + 1) * cols].to_vec()).collect();
        let moved_weights: Vec<f32> = order.iter().map(|&i| weights[i]).collect();
        let options = FitOptions { max_iterations: 10, empty: Empty::SplitLargest, ..FitOptions::DEFAULT };
        let start = &data[..k * cols];
        let a = run(&Points::weighted(rows, cols, &data, &weights).unwrap(), k, start, &options);
        let b = run(&Points::weighted(rows, cols, &moved, &moved_weights).unwrap(), k, start, &options);
        prop_assert_eq!(&a.centers, &b.centers);
        prop_assert_eq!(a.fit, b.fit);
        for (to, &from) in order.iter().enumerate() {
            prop_assert_eq!(a.labels[from], b.labels[to]);
        }
    }

    #[test]
    fn partials_merge_in_any_order(kind in 0usize..8, rows in 20usize..150, cols in 1usize..20, k in 1usize..9, weighted: bool, cuts in prop::collection::vec(0f64..1.0, 0..6), seed: u64) {
        let data = hard(kind, rows, cols, seed);
        let w = weights(rows, seed);
        let all = if weighted { Points::weighted(rows, cols, &data, &w) } else { Points::new(rows, cols, &data) }.unwrap();
        let mut borders: Vec<usize> = cuts.iter().map(|c| (c * rows as f64) as usize).chain([0, rows]).collect();
        borders.sort();
        let parts: Vec<Points> = borders.windows(2).map(|b| all.rows_between(b[0], b[1]).unwrap()).collect();

        // The frame too is merged, backwards.
        let (mut limits, mut merged) = (Vec::new(), vec![0.0; limits_len(cols).unwrap()]);
        let frame = frame_of(&all, &mut limits);
        limits_clear(&mut merged);
        for part in parts.iter().rev() {
            let mut own = vec![0.0; merged.len()];
            limits_clear(&mut own);
            limits_add(part, &mut own).unwrap();
            limits_merge(&mut merged, &own).unwrap();
        }
        prop_assert_eq!(Frame::new(rows, &merged).unwrap().range(0), frame.range(0));

        let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
        let mut centers = data[..k * cols].to_vec();
        for step in 0..4 {
            let len = partial_len(k, cols).unwrap();
            let (mut whole, mut sum) = (vec![0i64; len], vec![0i64; len]);
            let (mut labels, mut split) = (vec![0; rows], Vec::new());
            accumulate(&all, &frame, k, &centers, &mut labels, &mut whole, &mut scratch).unwrap();
            let mut own: Vec<Vec<i64>> = Vec::new();
            for part in &parts {
                let (mut partial, mut labels) = (vec![0i64; len], vec![0; part.rows()]);
                accumulate(part, &frame, k, &centers, &mut labels, &mut partial, &mut scratch).unwrap();
                split.extend(labels);
                own.push(partial);
            }
            for partial in own.iter().rev() {
                merge(&mut sum, partial).unwrap();
            }
            prop_assert_eq!(&labels, &split);
            let (mut a, mut b) = (centers.clone(), centers.clone());
            let first = update(&frame, k, &whole, Empty::Keep, &mut a).unwrap();
            let second = update(&frame, k, &sum, Empty::Keep, &mut b).unwrap();
            prop_assert_eq!(first, second);
            prop_assert_eq!(&a, &b);
            // The same steps as a fit takes.
            let options = FitOptions { max_iterations: step + 1, empty: Empty::Keep, ..FitOptions::DEFAULT };
            let out = run(&all, k, &data[..k * cols], &options);
            if out.fit.iterations == step + 1 {
                prop_assert_eq!(&out.centers, &a);
            }
            centers = a;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120 / SHARE))]

    #[test]
    fn bounds_never_show(kind in 0usize..8, rows in 20usize..400, cols in 1usize..40, k in 1usize..40, seed: u64, policy in 0i32..3, weighted: bool) {
        let k = k.min(rows);
        let data = hard(kind, rows, cols, seed);
        let w = weights(rows, seed);
        let points = if weighted { Points::weighted(rows, cols, &data, &w) } else { Points::new(rows, cols, &data) }.unwrap();
        let empty = Empty::from_i32(policy).unwrap();
        let auto = FitOptions { empty, max_iterations: 40, ..FitOptions::DEFAULT };
        let off = FitOptions { bounds: Bounds::Off, ..auto };
        let start = &data[..k * cols];
        let out = same_on_every_tier("bounds", || run(&points, k, start, &auto));
        prop_assert_eq!(&out, &same_on_every_tier("no bounds", || run(&points, k, start, &off)));
        out.check_labels(cols, &data);
    }

    #[test]
    fn the_two_nearest_are_those_of_all_distances(kind in 0usize..8, rows in 1usize..300, cols in 1usize..70, k in 1usize..60, seed: u64) {
        let data = hard(kind, rows + k, cols, seed);
        let (centers, data) = data.split_at(k * cols);
        let points = Points::new(rows, cols, data).unwrap();
        let found = same_on_every_tier("the two nearest", || {
            let mut scratch = vec![0xA5; assign_workspace_size(k, cols).unwrap()];
            let mut found = vec![Top2::default(); rows];
            top2(&points, k, centers, &mut found, &mut scratch).unwrap();
            found
        });
        for (x, found) in data.chunks(cols).zip(&found) {
            let mut all: Vec<(f32, u32)> = (0..).zip(centers.chunks(cols)).map(|(j, c)| (distance(x, c), j)).collect();
            all.sort_by(|a, b| a.partial_cmp(b).unwrap());
            let (first, second) = (all[0], all.get(1).copied().unwrap_or((f32::INFINITY, all[0].1)));
            prop_assert_eq!(
                (found.distance, found.label, found.second, found.second_label),
                (first.0, first.1, second.0, second.1)
            );
        }
    }

    #[test]
    fn groups_never_show(kind in 0usize..8, rows in 60usize..700, cols in 1usize..70, k in 1usize..330, seed: u64, policy in 0i32..3, weighted: bool, spherical: bool) {
        let k = k.min(rows);
        let mut data = hard(kind, rows, cols, seed);
        if spherical {
            normalize_rows(cols, &mut data).unwrap();
        }
        let w = weights(rows, seed);
        let points = if weighted { Points::weighted(rows, cols, &data, &w) } else { Points::new(rows, cols, &data) }.unwrap();
        let empty = Empty::from_i32(policy).unwrap();
        let yinyang = FitOptions { empty, max_iterations: 25, spherical, bounds: Bounds::Yinyang, ..FitOptions::DEFAULT };
        let start = &data[..k * cols];
        let out = same_on_every_tier("groups", || run(&points, k, start, &yinyang));
        for bounds in [Bounds::Off, Bounds::Hamerly, Bounds::Auto] {
            prop_assert_eq!(&out, &run(&points, k, start, &FitOptions { bounds, ..yinyang }));
        }
        out.check_labels(cols, &data);
    }
}
