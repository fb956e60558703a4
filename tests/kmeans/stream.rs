//! Streams of batches and mini-batch k-means.

use crate::common::{Rng, gaussian, same_on_every_tier};
use crate::support::*;
use hybridq::Error;
use hybridq::kmeans::*;
use proptest::prelude::*;

fn started(k: usize, cols: usize, centers: &[f32]) -> Vec<f32> {
    let mut state = vec![f32::NAN; stream_len(k, cols).unwrap()];
    stream_start(k, cols, centers, None, &mut state).unwrap();
    state
}

/// One batch in one call.
fn step(points: &Points<'_>, k: usize, decay: f32, state: &mut [f32]) -> (Step, Vec<u32>) {
    let mut scratch = vec![0xA5; stream_fit_workspace_size(k, points.cols()).unwrap()];
    let mut labels = vec![0; points.rows()];
    (stream_fit(points, k, decay, state, &mut labels, &mut scratch).unwrap(), labels)
}

/// One batch in parts that end at `cuts`, merged from the last to the first.
fn step_in_parts(points: &Points<'_>, cuts: &[usize], k: usize, decay: f32, state: &mut [f32]) -> Step {
    let cols = points.cols();
    let ends = cuts.iter().copied().chain([points.rows()]);
    let parts: Vec<Points<'_>> = ends
        .scan(0, |start, end| {
            let part = points.rows_between(*start, end).unwrap();
            *start = end;
            Some(part)
        })
        .collect();
    let mut limits = vec![0.0; limits_len(cols).unwrap()];
    limits_clear(&mut limits);
    parts.iter().rev().for_each(|part| limits_add(part, &mut limits).unwrap());
    let frame = Frame::new(points.rows(), &limits).unwrap();
    let mut scratch = vec![0xA5; assign_workspace_size(k, cols).unwrap()];
    let mut total = vec![0; partial_len(k, cols).unwrap()];
    for part in parts.iter().rev() {
        let mut own = vec![0; total.len()];
        let mut labels = vec![0; part.rows()];
        let centers = &state[..k * cols];
        accumulate(part, &frame, k, centers, &mut labels, &mut own, &mut scratch).unwrap();
        merge(&mut total, &own).unwrap();
    }
    stream_update(&frame, k, &total, decay, state).unwrap()
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|v| v.to_bits()).collect()
}

fn batched(points: &Points<'_>, k: usize, start: &[f32], options: &MiniBatchOptions) -> Out {
    let (rows, cols) = (points.rows(), points.cols());
    let size = mini_batch_workspace_size(rows, cols, k, options).unwrap();
    let mut scratch = vec![0xA5; size];
    let (mut centers, mut labels) = (start.to_vec(), vec![0; rows]);
    let fit = mini_batch(points, k, options, &mut centers, &mut labels, &mut scratch).unwrap();
    let short = &mut scratch[..size - 1];
    let (mut same, mut none) = (start.to_vec(), vec![9; rows]);
    let error = mini_batch(points, k, options, &mut same, &mut none, short).unwrap_err();
    assert_eq!((error, &same[..], none), (Error::WorkspaceTooSmall, start, vec![9; rows]));
    Out { fit, centers, labels }
}

#[test]
fn all_data_as_one_batch_is_one_update_of_lloyd() {
    for (rows, cols, k, seed) in [(300, 7, 4, 1), (1000, 33, 9, 2), (50, 1, 3, 3)] {
        let data = blobs(rows, cols, k, seed);
        let start = &data[..k * cols];
        let weights: Vec<f32> = gaussian(rows, seed + 5).iter().map(|w| w.abs()).collect();
        for points in
            [Points::new(rows, cols, &data).unwrap(), Points::weighted(rows, cols, &data, &weights).unwrap()]
        {
            let once = FitOptions { max_iterations: 1, empty: Empty::Keep, ..FitOptions::DEFAULT };
            let lloyd = run(&points, k, start, &once);
            let mut state = started(k, cols, start);
            let (found, _) = step(&points, k, 1.0, &mut state);
            assert_eq!(bits(&state[..k * cols]), bits(&lloyd.centers));
            assert_eq!(found.shift.to_bits(), lloyd.fit.shift.to_bits());
            // With decay 0 every batch is such an update.
            step(&points, k, 0.0, &mut state);
            let twice = FitOptions { max_iterations: 2, ..once };
            assert_eq!(bits(&state[..k * cols]), bits(&run(&points, k, start, &twice).centers));
        }
    }
}

#[test]
fn a_center_is_the_mean_of_all_it_was_given() {
    // Far from the origin, where a float is a multiple of 1/16, and steps soon fall below that.
    let (cols, size, batches) = (3, 5, 4000);
    let mut rng = Rng(4);
    let mut state = started(1, cols, &[0.0; 3]);
    let mut sums = [0.0f64; 3];
    for _ in 0..batches {
        let batch: Vec<f32> = (0..size * cols).map(|_| 1e6 + 8.0 * rng.uniform() as f32).collect();
        for (i, x) in batch.iter().enumerate() {
            sums[i % cols] += *x as f64;
        }
        step(&Points::new(size, cols, &batch).unwrap(), 1, 1.0, &mut state);
    }
    for (i, sum) in sums.into_iter().enumerate() {
        let (mean, got) = (sum / (size * batches) as f64, state[i] as f64 + state[cols + i] as f64);
        assert!((got - mean).abs() < 0.004, "{got} {mean}");
        assert!((state[i] as f64 - mean).abs() < 0.036, "{} {mean}", state[i]);
    }
    assert_eq!(state[2 * cols], (size * batches) as f32);
}

#[test]
fn weights_count_as_copies_and_decay_as_it_is_written() {
    let (x, w) = ([1.0f32, 4.0, 7.0], [1.0f32, 2.0, 0.0]);
    let mut state = started(1, 1, &[100.0]);
    step(&Points::weighted(3, 1, &x, &w).unwrap(), 1, 1.0, &mut state);
    assert_eq!((state[0], state[2]), (3.0, 3.0));
    let mut copies = started(1, 1, &[100.0]);
    step(&Points::new(3, 1, &[1.0, 4.0, 4.0]).unwrap(), 1, 1.0, &mut copies);
    assert_eq!(state, copies);
    // W = 1.5, then 3 + (7 - 3) * 0.5 / 2
    step(&Points::weighted(1, 1, &[7.0], &[0.5]).unwrap(), 1, 0.5, &mut state);
    assert_eq!((state[0] + state[1], state[2]), (4.0, 2.0));
    // A start that has weight is the mean of so many.
    let mut state = [0.0; 3];
    stream_start(1, 1, &[3.0], Some(&[3.0]), &mut state).unwrap();
    step(&Points::new(1, 1, &[7.0]).unwrap(), 1, 1.0, &mut state);
    assert_eq!(state, [4.0, 0.0, 4.0]);
    // A centre that gets nothing stays and forgets.
    let mut state = [0.0; 6];
    stream_start(2, 1, &[0.0, 50.0], Some(&[8.0, 8.0]), &mut state).unwrap();
    let (found, labels) = step(&Points::new(2, 1, &[0.0, 0.0]).unwrap(), 2, 0.25, &mut state);
    assert_eq!((found.empty, found.inertia, labels), (1, 0.0, vec![0, 0]));
    assert_eq!((state[1], &state[4..]), (50.0, &[4.0, 2.0][..]));
}

#[test]
fn drift_is_followed_with_decay_and_not_without() {
    let (cols, k, rows) = (4, 3, 90);
    let run = |decay: f32| {
        let mut state = started(k, cols, &blobs(k, cols, k, 5));
        for t in 0..200u64 {
            let mut batch = blobs(rows, cols, k, 5);
            let noise = gaussian(rows * cols, 100 + t);
            batch.iter_mut().zip(noise).for_each(|(x, e)| *x += 0.3 * t as f32 + e);
            step(&Points::new(rows, cols, &batch).unwrap(), k, decay, &mut state);
        }
        let last: Vec<f32> = blobs(rows, cols, k, 5).iter().map(|x| x + 0.3 * 199.0).collect();
        let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
        let (mut labels, mut distances) = (vec![0; rows], vec![0.0; rows]);
        let points = Points::new(rows, cols, &last).unwrap();
        assign(&points, k, &state[..k * cols], &mut labels, Some(&mut distances), &mut scratch).unwrap();
        distances.iter().sum::<f32>() / rows as f32
    };
    let (following, resting) = (run(0.5), run(1.0));
    assert!(following < 8.0, "{following}"); // 4 features of variance 1, and half a step behind
    assert!(resting > 100.0 * following, "{resting}");
}

#[test]
fn tiers_and_splits_leave_no_trace() {
    for (rows, cols, k) in [(40, 1, 3), (97, 16, 9), (130, 33, 20), (260, 5, 7)] {
        let data = blobs(3 * rows, cols, k, 8);
        let weights: Vec<f32> = gaussian(3 * rows, 9).iter().map(|w| w.abs()).collect();
        for weighted in [false, true] {
            let all = if weighted {
                Points::weighted(3 * rows, cols, &data, &weights).unwrap()
            } else {
                Points::new(3 * rows, cols, &data).unwrap()
            };
            let whole = same_on_every_tier("stream", || {
                let mut state = started(k, cols, &data[..k * cols]);
                let steps: Vec<_> = (0..3)
                    .map(|b| {
                        let batch = all.rows_between(b * rows, (b + 1) * rows).unwrap();
                        step(&batch, k, 0.75, &mut state).0
                    })
                    .collect();
                (steps, bits(&state))
            });
            for cuts in [vec![1], vec![rows / 3, rows / 3, rows - 1]] {
                let mut state = started(k, cols, &data[..k * cols]);
                for (b, expected) in whole.0.iter().enumerate() {
                    let batch = all.rows_between(b * rows, (b + 1) * rows).unwrap();
                    assert_eq!(step_in_parts(&batch, &cuts, k, 0.75, &mut state), *expected);
                }
                assert_eq!(bits(&state), whole.1);
            }
            for draw in [Draw::Replace, Draw::Shuffle] {
                let options =
                    MiniBatchOptions { batch: 32, max_steps: 25, draw, ..MiniBatchOptions::DEFAULT };
                same_on_every_tier("stream", || batched(&all, k, &data[..k * cols], &options));
            }
        }
    }
}

#[test]
fn a_part_without_rows_leaves_no_trace() {
    let (data, weights) = ([1.0f32, 2.0, 7.0], [0.125f32, 0.5, 0.25]);
    let points = Points::weighted(3, 1, &data, &weights).unwrap();
    let nothing = Points::new(0, 1, &[]).unwrap();
    let (mut limits, mut same) = ([0.0; 4], [0.0; 4]);
    for limits in [&mut limits, &mut same] {
        limits_clear(limits);
        limits_add(&points, limits).unwrap();
    }
    limits_add(&nothing, &mut same).unwrap();
    assert_eq!(limits, same);
    let mut scratch = vec![0; assign_workspace_size(1, 1).unwrap()];
    let (frame, mut partial) = (Frame::new(3, &limits).unwrap(), [0; 16]);
    accumulate(&nothing, &frame, 1, &[0.0], &mut [], &mut partial, &mut scratch).unwrap();
    assert_eq!(partial, [0; 16]);
}

#[test]
fn separated_groups_are_found() {
    let (rows, cols, k) = (4000, 5, 6);
    let data = blobs(rows, cols, k, 3);
    let points = Points::new(rows, cols, &data).unwrap();
    let lloyd = lloyd(rows, cols, &data, k, &data[..k * cols], &FitOptions::DEFAULT);
    for draw in [Draw::Replace, Draw::Shuffle] {
        let options = MiniBatchOptions { batch: 128, draw, ..MiniBatchOptions::DEFAULT };
        let out = batched(&points, k, &data[..k * cols], &options);
        out.check(rows, cols, &data, k);
        assert_eq!(out.labels, lloyd.labels);
        assert_eq!(out.fit.stop, Stop::Inertia);
        assert!(out.fit.inertia < 1.01 * lloyd.fit.inertia, "{:?} {:?}", out.fit, lloyd.fit);
        assert!(out.fit.iterations < 200, "{:?}", out.fit);
    }
}

/// Inertia of mini-batch k-means over that of Lloyd's algorithm from the same start, for four starts and two ways to draw.
fn against_lloyd(rows: usize, cols: usize, k: usize, data: &[f32]) -> Vec<f32> {
    let points = Points::new(rows, cols, data).unwrap();
    let seeding = Seeding::PlusPlus { trials: 0 };
    let mut scratch = vec![0; seed_workspace_size(seeding, rows, k).unwrap()];
    let mut ratios = vec![];
    for seeded in 0..4 {
        let (mut chosen, mut start) = (vec![0; k], vec![0.0; k * cols]);
        seed(&points, k, seeding, seeded, &mut chosen, &mut start, &mut scratch).unwrap();
        let full = lloyd(rows, cols, data, k, &start, &FitOptions::DEFAULT);
        for draw in [Draw::Replace, Draw::Shuffle] {
            let base = MiniBatchOptions { batch: 256, max_no_improvement: 20, ..MiniBatchOptions::DEFAULT };
            let out = batched(&points, k, &start, &MiniBatchOptions { draw, seed: seeded, ..base });
            out.check(rows, cols, data, k);
            ratios.push(out.fit.inertia / full.fit.inertia);
        }
    }
    ratios
}

/// scikit-learn's, from the first four starts of the mixture, gives 1.00 to 1.15 times Lloyd's inertia, 1.03 on average.
#[test]
fn inertia_comes_close_to_that_of_lloyd() {
    let (rows, cols, k) = (6000, 16, 12);
    let (centers, noise) = (gaussian(k * cols, 77), gaussian(rows * cols, 78));
    let mixture: Vec<f32> =
        (0..rows * cols).map(|i| 1.5 * centers[i / cols % k * cols + i % cols] + noise[i]).collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/train.csv");
    let lines = std::fs::read_to_string(file).unwrap();
    let digits: Vec<f32> = lines
        .lines()
        .flat_map(|l| l.split(',').skip(1).map(|v| v.parse().unwrap()).collect::<Vec<f32>>())
        .collect();
    for (rows, cols, k, data) in [(rows, cols, k, mixture), (1437, 64, 10, digits)] {
        let ratios = against_lloyd(rows, cols, k, &data);
        let mean = ratios.iter().sum::<f32>() / ratios.len() as f32;
        assert!(mean < 1.07 && ratios.iter().all(|&r| r < 1.2), "{ratios:?}");
    }
}

#[test]
fn a_shuffle_takes_every_row_once() {
    // One cluster, one pass: the mean of all, whatever the batches; with replacement it would not be.
    let (rows, cols) = (103, 2);
    let data = gaussian(rows * cols, 6);
    let points = Points::new(rows, cols, &data).unwrap();
    let mean = lloyd(rows, cols, &data, 1, &data[..cols], &FitOptions::DEFAULT).centers;
    let base =
        MiniBatchOptions { batch: 10, max_steps: 11, max_no_improvement: 0, ..MiniBatchOptions::DEFAULT };
    for seed in 0..5 {
        let shuffle = MiniBatchOptions { draw: Draw::Shuffle, seed, ..base };
        let out = batched(&points, 1, &data[..cols], &shuffle);
        assert!(
            out.centers.iter().zip(&mean).all(|(a, b)| (a - b).abs() < 1e-6),
            "{:?} {mean:?}",
            out.centers
        );
        assert_eq!((out.fit.iterations, out.fit.stop), (11, Stop::Iterations));
        let replace = batched(&points, 1, &data[..cols], &MiniBatchOptions { seed, ..base });
        assert!(replace.centers.iter().zip(&mean).any(|(a, b)| (a - b).abs() > 1e-4));
    }
    // A batch of more rows than there are is all of them: Lloyd's update.
    let all = MiniBatchOptions { batch: 1000, max_steps: 1, draw: Draw::Shuffle, ..base };
    assert_eq!(batched(&points, 1, &data[..cols], &all).centers, mean);
}

#[test]
fn tolerances_stop_it() {
    let (rows, cols, k) = (2000, 3, 4);
    let data = blobs(rows, cols, k, 12);
    let points = Points::new(rows, cols, &data).unwrap();
    let never = MiniBatchOptions { batch: 64, max_no_improvement: 0, ..MiniBatchOptions::DEFAULT };
    let out = batched(&points, k, &data[..k * cols], &never);
    assert_eq!((out.fit.stop, out.fit.iterations), (Stop::Iterations, 1000));
    let out = batched(&points, k, &data[..k * cols], &MiniBatchOptions { shift_tolerance: 0.05, ..never });
    assert_eq!(out.fit.stop, Stop::Shift);
    assert!(out.fit.shift <= 0.05 && out.fit.iterations < 1000);
    // Not a single batch: labels alone.
    let out = batched(&points, k, &data[..k * cols], &MiniBatchOptions { max_steps: 0, ..never });
    assert_eq!((out.fit.iterations, &out.centers[..]), (0, &data[..k * cols]));
    out.check(rows, cols, &data, k);
}

#[test]
fn centers_that_fell_behind_move_and_no_others() {
    let data = gaussian(20 * 2, 3);
    let points = Points::new(20, 2, &data).unwrap();
    let weights = [5.0f32, 0.0, 1.0, 1.0, 1000.0, 9.9, 10.0];
    let centers: Vec<f32> = (0..14).map(|i| 1e3 + i as f32).collect();
    let again = |ratio: f32, rows: usize, seed: u64| {
        let mut state = vec![0.0; stream_len(7, 2).unwrap()];
        stream_start(7, 2, &centers, Some(&weights), &mut state).unwrap();
        state[14..28].fill(1e-5);
        let mut scratch = vec![0xA5; stream_reassign_workspace_size(rows, 2, 7).unwrap()];
        let batch = points.rows_between(0, rows).unwrap();
        let count = stream_reassign(&batch, 7, ratio, seed, &mut state, &mut scratch).unwrap();
        let moved: Vec<usize> = (0..7).filter(|&j| state[2 * j] != centers[2 * j]).collect();
        for j in 0..7 {
            let (c, rest) = (&state[2 * j..2 * j + 2], &state[14 + 2 * j..16 + 2 * j]);
            if moved.contains(&j) {
                assert!(batch.data().chunks(2).any(|x| x == c) && rest == [0.0, 0.0]);
            } else {
                assert!(c == &centers[2 * j..2 * j + 2] && rest == [1e-5; 2]);
            }
        }
        assert_eq!(count, moved.len());
        (moved, state[28..].to_vec())
    };
    assert_eq!(again(0.0, 20, 1), (vec![], weights.to_vec()));
    assert_eq!(again(0.01, 20, 1), (vec![0, 1, 2, 3, 5], vec![10.0, 10.0, 10.0, 10.0, 1000.0, 10.0, 10.0]));
    assert_eq!(again(1.0, 20, 1).0, vec![0, 1, 2, 3, 5, 6]);
    // Half as many as rows, the lightest, of equal ones the first.
    assert_eq!(again(1.0, 4, 1), (vec![1, 2], vec![5.0, 1.0, 1.0, 1.0, 1000.0, 9.9, 10.0]));
    assert_eq!(again(1.0, 9, 1).0, vec![0, 1, 2, 3]);
    assert_eq!(again(1.0, 1, 1).0, vec![0usize; 0]);
    assert_eq!(again(0.01, 20, 1), again(0.01, 20, 1));
    // No two of them in one place.
    let mut state = vec![0.0; stream_len(7, 2).unwrap()];
    stream_start(7, 2, &centers, Some(&weights), &mut state).unwrap();
    let mut scratch = vec![0; stream_reassign_workspace_size(20, 2, 7).unwrap()];
    stream_reassign(&points, 7, 1.0, 9, &mut state, &mut scratch).unwrap();
    let mut places: Vec<u32> = state[..14].chunks(2).map(|c| c[0].to_bits()).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 7);
}

#[test]
fn reassignment_saves_centers_that_start_far_away() {
    let (rows, cols, k) = (2000, 4, 5);
    let data = blobs(rows, cols, k, 21);
    let points = Points::new(rows, cols, &data).unwrap();
    let mut start = data[..k * cols].to_vec();
    start[cols..].fill(1e5); // all but one
    let base =
        MiniBatchOptions { batch: 100, max_steps: 300, max_no_improvement: 0, ..MiniBatchOptions::DEFAULT };
    let with = batched(&points, k, &start, &base);
    let without = batched(&points, k, &start, &MiniBatchOptions { reassignment_ratio: 0.0, ..base });
    assert_eq!((with.fit.empty, without.fit.empty), (0, 4));
    assert!(with.fit.inertia < 0.5 * without.fit.inertia);
    with.check(rows, cols, &data, k);
}

#[test]
fn hard_data_end_well() {
    let options = MiniBatchOptions { batch: 16, max_steps: 50, ..MiniBatchOptions::DEFAULT };
    // Fewer distinct points than centres.
    let data: Vec<f32> = (0..120).flat_map(|i| [(i % 3) as f32, 2.0]).collect();
    let points = Points::new(120, 2, &data).unwrap();
    for k in [4, 50, 120] {
        let out = batched(&points, k, &data[..2 * k], &options);
        assert_eq!((out.fit.inertia, out.fit.empty), (0.0, k - 3));
    }
    // Constant data of any magnitude are met exactly.
    for value in [0.0f32, 0.1, -3.7e5, 1e-20, 1e-42, 3e38] {
        let data = vec![value; 50 * 3];
        let points = Points::new(50, 3, &data).unwrap();
        let out = batched(&points, 2, &[vec![value; 3], vec![0.5 * value; 3]].concat(), &options);
        assert_eq!(out.fit.inertia, 0.0, "{value}");
        let mut state = started(1, 3, &[0.0; 3]);
        for decay in [1.0, 0.7, 0.999, 0.0, 1.0] {
            step(&points, 1, decay, &mut state);
            assert_eq!(state[..6], [value, value, value, 0.0, 0.0, 0.0]);
        }
    }
    // The largest floats of both signs.
    let mut state = started(1, 1, &[0.0]);
    for x in [f32::MAX, f32::MIN, f32::MIN, f32::MAX] {
        step(&Points::new(1, 1, &[x]).unwrap(), 1, 1.0, &mut state);
        assert!(state.iter().all(|v| v.is_finite()));
    }
    assert!(state[0].abs() < f32::MAX * 1e-6, "{}", state[0]);
    // Denormals.
    let mut state = started(1, 1, &[0.0]);
    for x in [1e-40, 3e-40] {
        step(&Points::new(1, 1, &[x]).unwrap(), 1, 1.0, &mut state);
    }
    assert!((state[0] - 2e-40).abs() < 1e-44, "{}", state[0]);
    // Huge weights and tiny ones.
    for w in [3e38f32, 1e-44] {
        let mut state = started(1, 1, &[0.0]);
        for x in [2.0, 4.0, 4.0] {
            step(&Points::weighted(1, 1, &[x], &[w]).unwrap(), 1, 1.0, &mut state);
            assert!(state.iter().all(|v| v.is_finite()), "{state:?}");
            assert!((2.0..=4.0).contains(&state[0]));
        }
    }
    // One outlier, an offset, as many centres as rows, one row.
    let mut data = blobs(200, 3, 2, 4);
    data[30..33].fill(1e6);
    batched(&Points::new(200, 3, &data).unwrap(), 3, &data[27..36], &options).check_labels(3, &data);
    let data: Vec<f32> = gaussian(600, 4).iter().map(|x| 1e6 + x).collect();
    batched(&Points::new(200, 3, &data).unwrap(), 4, &data[..12], &options).check_labels(3, &data);
    batched(&Points::new(200, 3, &data).unwrap(), 200, &data, &options).check_labels(3, &data);
    batched(&Points::new(1, 3, &data[..3]).unwrap(), 1, &data[3..6], &options).check_labels(3, &data[..3]);
    // Most weights are zero, so many a batch has none.
    let weights: Vec<f32> = (0..200).map(|i| if i == 77 { 1.0 } else { 0.0 }).collect();
    let points = Points::weighted(200, 3, &data, &weights).unwrap();
    let out = batched(&points, 1, &data[..3], &MiniBatchOptions { batch: 1, max_steps: 3000, ..options });
    assert_eq!((&out.centers[..], out.fit.inertia), (&data[231..234], 0.0));
}

#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let data = [0.0f32, 1.0, 5.0, 6.0];
    let points = Points::new(4, 1, &data).unwrap();
    let nan = [0.0f32, 1.0, f32::NAN, 6.0];
    let (good, mut scratch) = (vec![1.0, 5.0, 0.0, 0.0, 2.0, 3.0], vec![0u8; 1 << 16]);

    let mut fails = |points: &Points<'_>, k: usize, decay: f32, state: &[f32], labels: usize, size: usize| {
        let (mut own, mut to) = (state.to_vec(), vec![9; labels]);
        let error = stream_fit(points, k, decay, &mut own, &mut to, &mut scratch[..size]).unwrap_err();
        assert_eq!((bits(&own), to), (bits(state), vec![9; labels]));
        error
    };
    let size = stream_fit_workspace_size(2, 1).unwrap();
    assert_eq!(fails(&points, 2, 1.1, &good, 4, size), Error::InvalidArgument);
    assert_eq!(fails(&points, 2, -0.1, &good, 4, size), Error::InvalidArgument);
    assert_eq!(fails(&points, 2, f32::NAN, &good, 4, size), Error::InvalidArgument);
    assert_eq!(fails(&points, 0, 1.0, &good, 4, size), Error::InvalidArgument);
    assert_eq!(fails(&points, 2, 1.0, &good[1..], 4, size), Error::Shape);
    assert_eq!(fails(&points, 2, 1.0, &good, 3, size), Error::OutputTooSmall);
    assert_eq!(fails(&points, 2, 1.0, &good, 4, size - 1), Error::WorkspaceTooSmall);
    assert_eq!(fails(&Points::new(4, 1, &nan).unwrap(), 2, 1.0, &good, 4, size), Error::NonFinite);
    assert_eq!(fails(&Points::new(0, 1, &[]).unwrap(), 2, 1.0, &good, 4, size), Error::InvalidArgument);
    for weights in [[0.0; 4], [-1.0, 1.0, 1.0, 1.0]] {
        let points = Points::weighted(4, 1, &data, &weights).unwrap();
        assert_eq!(fails(&points, 2, 1.0, &good, 4, size), Error::InvalidArgument);
    }
    for i in 0..6 {
        let mut state = good.clone();
        state[i] = f32::NAN;
        assert_eq!(fails(&points, 2, 1.0, &state, 4, size), Error::NonFinite);
    }
    let mut state = good.clone();
    state[5] = -1.0;
    assert_eq!(fails(&points, 2, 1.0, &state, 4, size), Error::InvalidArgument);

    let mut limits = vec![0.0; limits_len(1).unwrap()];
    limits_clear(&mut limits);
    limits_add(&points, &mut limits).unwrap();
    let frame = Frame::new(4, &limits).unwrap();
    let mut state = good.clone();
    assert_eq!(stream_update(&frame, 2, &[0; 18], 1.0, &mut state), Err(Error::Shape));
    assert_eq!(stream_update(&frame, 2, &[0; 19], 2.0, &mut state), Err(Error::InvalidArgument));
    assert_eq!(stream_update(&frame, 3, &[0; 22], 1.0, &mut state), Err(Error::Shape));
    assert_eq!(state, good);
    assert_eq!(stream_update(&frame, 2, &[0; 19], 1.0, &mut state).unwrap().empty, 2);
    assert_eq!(state, good);
    // Points that the frame does not hold.
    let (mut labels, mut partial) = ([0; 1], [0; 19]);
    let outside = Points::new(1, 1, &[6.5]).unwrap();
    let refused = accumulate(&outside, &frame, 2, &good[..2], &mut labels, &mut partial, &mut scratch);
    assert_eq!((refused, partial), (Err(Error::InvalidArgument), [0; 19]));

    assert_eq!(stream_len(0, 1), Err(Error::InvalidArgument));
    assert_eq!(stream_len(2, usize::MAX / 3), Err(Error::SizeOverflow));
    assert_eq!(stream_start(2, 0, &[], None, &mut [0.0; 2]), Err(Error::InvalidArgument));
    assert_eq!(stream_start(2, 1, &[0.0], None, &mut state), Err(Error::Shape));
    assert_eq!(stream_start(2, 1, &[0.0; 2], Some(&[1.0]), &mut state), Err(Error::Shape));
    assert_eq!(stream_start(2, 1, &[0.0; 2], Some(&[1.0, -1.0]), &mut state), Err(Error::InvalidArgument));
    assert_eq!(stream_start(2, 1, &[0.0; 2], Some(&[1.0, f32::NAN]), &mut state), Err(Error::NonFinite));
    assert_eq!(stream_start(2, 1, &[0.0, f32::NAN], None, &mut state), Err(Error::NonFinite));
    assert_eq!(state, good);

    let size = stream_reassign_workspace_size(4, 1, 2).unwrap();
    let reassign = |points: &Points<'_>, ratio: f32, size: usize| {
        let (mut state, mut scratch) = (good.clone(), vec![0; size]);
        let error = stream_reassign(points, 2, ratio, 1, &mut state, &mut scratch).unwrap_err();
        assert_eq!(state, good);
        error
    };
    assert_eq!(reassign(&points, 1.5, size), Error::InvalidArgument);
    assert_eq!(reassign(&points, f32::NAN, size), Error::InvalidArgument);
    assert_eq!(reassign(&points, 1.0, size - 1), Error::WorkspaceTooSmall);
    assert_eq!(reassign(&Points::new(0, 1, &[]).unwrap(), 1.0, size), Error::InvalidArgument);
    assert_eq!(reassign(&Points::new(4, 1, &nan).unwrap(), 1.0, size), Error::NonFinite);
    let nothing = Points::weighted(4, 1, &data, &[0.0; 4]).unwrap();
    assert_eq!(reassign(&nothing, 1.0, size), Error::InvalidArgument);

    let usual = MiniBatchOptions::DEFAULT;
    let mini = |points: &Points<'_>, k: usize, options: &MiniBatchOptions, len: usize| {
        let (mut centers, mut labels, mut scratch) = (vec![1.0; len], [9; 4], vec![0; 1 << 16]);
        let error = mini_batch(points, k, options, &mut centers, &mut labels, &mut scratch).unwrap_err();
        assert_eq!((centers, labels), (vec![1.0; len], [9; 4]));
        error
    };
    assert_eq!(mini(&points, 5, &usual, 5), Error::InvalidArgument);
    assert_eq!(mini(&points, 0, &usual, 0), Error::InvalidArgument);
    assert_eq!(mini(&points, 2, &usual, 3), Error::Shape);
    assert_eq!(mini(&points, 2, &MiniBatchOptions { batch: 0, ..usual }, 2), Error::InvalidArgument);
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let options = MiniBatchOptions { shift_tolerance: bad, ..usual };
        assert_eq!(mini(&points, 2, &options, 2), Error::InvalidArgument);
        let options = MiniBatchOptions { reassignment_ratio: bad, ..usual };
        assert_eq!(mini(&points, 2, &options, 2), Error::InvalidArgument);
    }
    assert_eq!(mini(&Points::new(4, 1, &nan).unwrap(), 2, &usual, 2), Error::NonFinite);
    assert_eq!(mini(&nothing, 2, &usual, 2), Error::InvalidArgument);
    assert_eq!(
        mini_batch(&points, 1, &usual, &mut [0.0], &mut [0; 3], &mut scratch),
        Err(Error::OutputTooSmall)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_batch_may_be_split_anywhere(
        rows in 1usize..60,
        cols in 1usize..20,
        k in 1usize..7,
        seed: u64,
        decay in 0f32..=1.0,
        cuts in prop::collection::vec(0usize..60, 0..4),
    ) {
        let data: Vec<f32> = gaussian(rows * cols, seed);
        let points = Points::new(rows, cols, &data).unwrap();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % (rows + 1)).collect();
        cuts.sort_unstable();
        let start = gaussian(k * cols, seed ^ 1);
        let (mut whole, mut parts) = (started(k, cols, &start), started(k, cols, &start));
        for _ in 0..3 {
            let (one, _) = step(&points, k, decay, &mut whole);
            let other = step_in_parts(&points, &cuts, k, decay, &mut parts);
            prop_assert_eq!(one, other);
            prop_assert_eq!(bits(&whole), bits(&parts));
        }
        // Centres are where points have been, or at the start.
        let (low, high) = data.iter().chain(&start).fold((f32::MAX, f32::MIN), |(l, h), &x| (l.min(x), h.max(x)));
        prop_assert!(whole[..k * cols].iter().all(|c| (low..=high).contains(c)));
    }
}
