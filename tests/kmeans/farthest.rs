//! Empty clusters of partials take the farthest rows: the steps of `fit`, to the bit, however the data are split.

use crate::common::{Rng, gaussian};
use crate::support::*;
use hybridq::Error;
use hybridq::kmeans::*;
use proptest::prelude::*;

/// One step over `parts` of the data, merged in the order of `order`.
fn step(points: &Points<'_>, k: usize, centers: &mut [f32], cuts: &[usize], order: &[usize]) -> Step {
    let (rows, cols) = (points.rows(), points.cols());
    let mut limits = vec![0.0; limits_len(cols).unwrap()];
    limits_clear(&mut limits);
    limits_add(points, &mut limits).unwrap();
    let frame = Frame::new(rows, &limits).unwrap();
    let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
    let parts: Vec<_> = cuts
        .windows(2)
        .map(|cut| {
            let part = points.rows_between(cut[0], cut[1]).unwrap();
            let (mut partial, mut farthest) =
                (vec![0; partial_len(k, cols).unwrap()], vec![0; farthest_len(k, cols).unwrap()]);
            let mut labels = vec![0; part.rows()];
            accumulate(&part, &frame, k, centers, &mut labels, &mut partial, &mut scratch).unwrap();
            farthest_add(&part, &frame, cut[0], k, centers, &labels, &mut farthest).unwrap();
            (partial, farthest)
        })
        .collect();
    let (mut partial, mut farthest) =
        (vec![0; partial_len(k, cols).unwrap()], vec![0; farthest_len(k, cols).unwrap()]);
    for &i in order {
        merge(&mut partial, &parts[i].0).unwrap();
        farthest_merge(k, cols, &mut farthest, &parts[i].1).unwrap();
    }
    update_farthest(&frame, k, &mut partial, &mut farthest, centers).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn parts_take_the_steps_of_fit(
        rows in 3usize..80, cols in 1usize..20, k in 1usize..12, kind in 0usize..4, weighted in any::<bool>(),
        seed in any::<u64>()
    ) {
        let k = k.min(rows);
        let mut rng = Rng(seed);
        let data = match kind {
            0 => gaussian(rows * cols, seed),
            1 => (0..rows * cols).map(|_| (rng.next() % 3) as f32).collect(),
            2 => blobs(rows, cols, 3, seed),
            // Fewer different rows than clusters.
            _ => (0..rows * cols).map(|i| (i / cols % 3) as f32).collect(),
        };
        let weights: Vec<f32> = (0..rows).map(|i| if i == 0 { 1.0 } else { (rng.next() % 4) as f32 }).collect();
        let points = if weighted {
            Points::weighted(rows, cols, &data, &weights).unwrap()
        } else {
            Points::new(rows, cols, &data).unwrap()
        };
        // Many centres in one place, or far away: empty clusters.
        let start: Vec<f32> = (0..k * cols)
            .map(|i| if i / cols % 3 == 0 { data[i % cols] } else { 1e3 * (i / cols) as f32 })
            .collect();
        let mut cuts = vec![0, rng.next() as usize % rows, rng.next() as usize % rows, rows];
        cuts.sort_unstable();
        let mut centers = start.clone();
        for iterations in 1..5 {
            let order = [[0, 1, 2], [2, 0, 1], [1, 2, 0], [2, 1, 0]][iterations - 1];
            step(&points, k, &mut centers, &cuts, &order);
            let options = FitOptions { max_iterations: iterations, ..FitOptions::DEFAULT };
            let want = run(&points, k, &start, &options);
            prop_assert_eq!(&centers, &want.centers);
            if want.fit.stop != Stop::Iterations {
                break;
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let (limits, mut centers) = ([9.0, 0.0, 1.0, 0.0], [1.0, 100.0]);
    let frame = Frame::new(4, &limits).unwrap();
    let mut partial = [0; 2 * 3 + 13];
    (partial[0], partial[2], partial[4]) = (12 << 20, 4, 4);
    let before = partial;
    let record = |distance: f32, label: u32, weight: u32, value: f32| {
        [distance.to_bits(), 3, label, weight, value.to_bits(), 0, 0, 0, 0, 0]
    };
    for (mut farthest, error) in [
        (record(f32::NAN, 0, 1, 9.0), Error::NonFinite),
        (record(f32::INFINITY, 0, 1, 9.0), Error::NonFinite),
        (record(64.0, 2, 1, 9.0), Error::InvalidArgument),
        (record(64.0, 0, 1 << 25, 9.0), Error::InvalidArgument),
        (record(64.0, 0, 1, 9.5), Error::InvalidArgument),
        (record(64.0, 0, 1, f32::NAN), Error::InvalidArgument),
    ] {
        assert_eq!(update_farthest(&frame, 2, &mut partial, &mut farthest, &mut centers), Err(error));
        assert_eq!((partial, centers), (before, [1.0, 100.0]));
    }
    assert_eq!(update_farthest(&frame, 2, &mut partial, &mut [], &mut centers), Err(Error::Shape));
    let mut farthest = record(64.0, 0, 1, 9.0);
    let step = update_farthest(&frame, 2, &mut partial, &mut farthest, &mut centers).unwrap();
    assert_eq!((step.empty, centers[1], farthest[0]), (1, 9.0, 0));
}
