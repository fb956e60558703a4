//! Lloyd's algorithm: hard data, and what every result must satisfy.

use crate::support::*;
use hybridq::Error;
use hybridq::kmeans::*;

#[test]
fn blobs_are_found() {
    let data = blobs(600, 7, 4, 1);
    let start: Vec<f32> = (0..4).flat_map(|j| data[j * 7..(j + 1) * 7].to_vec()).collect();
    let out = lloyd(600, 7, &data, 4, &start, &FitOptions::DEFAULT);
    assert_eq!(out.fit.stop, Stop::Labels);
    // Row i is from blob i % 4.
    for i in 4..600 {
        assert_eq!(out.labels[i], out.labels[i % 4], "row {i}");
    }
    out.check(600, 7, &data, 4);
}

#[test]
fn one_cluster_is_the_mean() {
    let data = [1.0f32, 5.0, 3.0, 7.0, 8.0, 9.0];
    let out = lloyd(3, 2, &data, 1, &[100.0, -100.0], &FitOptions::DEFAULT);
    assert_eq!((out.centers, out.labels), (vec![4.0, 7.0], vec![0; 3]));
    assert_eq!(out.fit.inertia, 9.0 + 1.0 + 16.0 + 4.0 + 0.0 + 4.0);
}

#[test]
fn as_many_clusters_as_points() {
    let data = crate::common::gaussian(40 * 5, 3);
    let out = lloyd(40, 5, &data, 40, &data, &FitOptions::DEFAULT);
    assert_eq!(out.labels, (0..40).collect::<Vec<u32>>());
    // A value far below the largest of its feature is a mean to within half a unit, 2^-31 of that largest.
    assert!(out.fit.inertia < 1e-16 && out.fit.empty == 0, "{:?}", out.fit);
    for (c, x) in out.centers.iter().zip(&data) {
        assert!((c - x).abs() <= 4.0 * 2f32.powi(-30), "{c} {x}");
    }
}

#[test]
fn fewer_points_than_clusters_and_other_bad_arguments() {
    let mut labels = [7u32; 4];
    let mut centers = [1.0f32; 4];
    let mut scratch = vec![0u8; 1 << 20];
    let two = Points::new(2, 1, &[1.0, 2.0]).unwrap();
    let options = FitOptions::DEFAULT;
    let mut fails = |points: &Points<'_>, k: usize, options: &FitOptions, len: usize| {
        let error = fit(points, k, options, &mut centers[..len], &mut labels, &mut scratch).unwrap_err();
        assert_eq!((labels, centers), ([7; 4], [1.0; 4]));
        error
    };
    assert_eq!(fails(&two, 3, &options, 3), Error::InvalidArgument);
    assert_eq!(fails(&two, 0, &options, 0), Error::InvalidArgument);
    assert_eq!(fails(&two, 2, &options, 3), Error::Shape);
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        let options = FitOptions { shift_tolerance: bad, ..options };
        assert_eq!(fails(&two, 2, &options, 2), Error::InvalidArgument);
        let options = FitOptions { inertia_tolerance: bad, ..FitOptions::DEFAULT };
        assert_eq!(fails(&two, 2, &options, 2), Error::InvalidArgument);
    }
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let x = [1.0, bad];
        assert_eq!(fails(&Points::new(2, 1, &x).unwrap(), 1, &options, 1), Error::NonFinite);
        let x = [1.0, 2.0];
        let w = [1.0, bad];
        assert_eq!(fails(&Points::weighted(2, 1, &x, &w).unwrap(), 1, &options, 1), Error::NonFinite);
    }
    let negative = Points::weighted(2, 1, &[1.0, 2.0], &[1.0, -1.0]).unwrap();
    assert_eq!(fails(&negative, 1, &options, 1), Error::InvalidArgument);
    let nothing = Points::weighted(2, 1, &[1.0, 2.0], &[0.0, 0.0]).unwrap();
    assert_eq!(fails(&nothing, 1, &options, 1), Error::InvalidArgument);
    // Two far centres, one of which gets nothing.
    let refuse = FitOptions { empty: Empty::Error, ..options };
    let same = Points::new(2, 1, &[1.0, 1.0]).unwrap();
    assert_eq!(fails(&same, 2, &refuse, 2), Error::EmptyCluster);

    assert_eq!(Points::new(3, 0, &[]).unwrap_err(), Error::InvalidArgument);
    assert_eq!(Points::new(3, 2, &[0.0; 5]).unwrap_err(), Error::Shape);
    assert_eq!(Points::weighted(3, 1, &[0.0; 3], &[1.0; 2]).unwrap_err(), Error::Shape);
    assert_eq!(Points::new(usize::MAX, 2, &[]).unwrap_err(), Error::SizeOverflow);
    let mut centers = [f32::NAN];
    assert_eq!(
        fit(&two, 1, &options, &mut centers, &mut [0; 2], &mut scratch).unwrap_err(),
        Error::NonFinite
    );
    assert_eq!(
        fit(&two, 1, &options, &mut [0.0], &mut [0; 1], &mut scratch).unwrap_err(),
        Error::OutputTooSmall
    );
    let size = fit_workspace_size(2, 1, 1, &options).unwrap();
    let short = &mut scratch[..size - 1];
    assert_eq!(fit(&two, 1, &options, &mut [0.0], &mut [0; 2], short).unwrap_err(), Error::WorkspaceTooSmall);
    assert!(fit(&two, 1, &options, &mut [0.0], &mut [0; 2], &mut scratch[..size]).is_ok());
}

#[test]
fn more_clusters_than_distinct_points_end() {
    // Three distinct points, 40 times each.
    let rows = 120;
    let data: Vec<f32> = (0..rows).flat_map(|i| [(i % 3) as f32, 2.0, -((i % 3) as f32)]).collect();
    for empty in [Empty::Farthest, Empty::SplitLargest, Empty::Keep] {
        for k in [4, 7, 50, 120] {
            let options = FitOptions { empty, ..FitOptions::DEFAULT };
            let out = lloyd(rows, 3, &data, k, &data[..3 * k], &options);
            assert_eq!(out.fit.stop, Stop::Labels, "{empty:?} {k}");
            assert_eq!(out.fit.inertia, 0.0, "{empty:?} {k}");
            assert_eq!(out.fit.empty, k - 3);
            out.check(rows, 3, &data, k);
        }
    }
    // All start in one place: the farthest point finds the others.
    let start = [0.0f32, 2.0, 0.0].repeat(5);
    let out = lloyd(rows, 3, &data, 5, &start, &FitOptions::DEFAULT);
    assert_eq!((out.fit.stop, out.fit.inertia), (Stop::Labels, 0.0));
}

#[test]
fn constant_data_are_met_exactly() {
    for value in [0.0f32, 0.1, -3.7e5, 1e-20, 1e-42, 3e38] {
        let data = vec![value; 50 * 3];
        for k in [1, 2, 5] {
            let out = lloyd(50, 3, &data, k, &data[..3 * k], &FitOptions::DEFAULT);
            assert_eq!((out.fit.stop, out.fit.inertia), (Stop::Labels, 0.0), "{value}");
            assert!(out.labels.iter().all(|&l| l == 0));
            assert_eq!(out.centers[..3], [value; 3]);
        }
    }
}

#[test]
fn an_outlier_does_not_spoil_the_others() {
    let (rows, cols) = (400, 5);
    let mut data = blobs(rows, cols, 3, 9);
    data[7 * cols..8 * cols].fill(1e6);
    let mut start: Vec<f32> = data[..3 * cols].to_vec();
    start.extend([1e6; 5]);
    let out = lloyd(rows, cols, &data, 4, &start, &FitOptions::DEFAULT);
    out.check(rows, cols, &data, 4);
    assert_eq!(out.labels.iter().filter(|&&l| l == 3).count(), 1);
    for i in (0..rows).filter(|&i| i != 7) {
        assert_eq!(out.labels[i], (i % 3) as u32);
    }
    // The means of the three are those of the data in doubles, to a few units of 2^-30 * 2^20.
    for (j, f) in (0..3).flat_map(|j| (0..cols).map(move |f| (j, f))) {
        let own: Vec<f64> =
            (0..rows).filter(|&i| out.labels[i] == j as u32).map(|i| data[i * cols + f] as f64).collect();
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        assert!((out.centers[j * cols + f] as f64 - mean).abs() < 2e-3);
    }
}

#[test]
fn an_offset_of_a_million_with_spread_one() {
    let (rows, cols, k) = (500, 9, 3);
    let plain: Vec<f32> = blobs(rows, cols, k, 4).iter().map(|v| (v * 16.0).round() / 16.0).collect();
    let far: Vec<f32> = plain.iter().map(|v| v + 1e6).collect();
    let a = lloyd(rows, cols, &plain, k, &plain[..k * cols], &FitOptions::DEFAULT);
    let b = lloyd(rows, cols, &far, k, &far[..k * cols], &FitOptions::DEFAULT);
    assert_eq!(a.labels, b.labels);
    b.check(rows, cols, &far, k);
    for (a, b) in a.centers.iter().zip(&b.centers) {
        assert!((*a as f64 + 1e6 - *b as f64).abs() <= 0.04, "{a} {b}");
    }
}

#[test]
fn zero_centroids_and_tiny_values_and_huge_ones() {
    for scale in [1e-42f32, 1e-30, 1e-15, 1e15, 1e30, 3e36] {
        let data: Vec<f32> =
            (0..60).map(|i| ([0.0, 40.0, -60.0][i % 3] + (i / 3) as f32 * 0.25) * scale).collect();
        let start = [0.0, 40.0 * scale, -60.0 * scale];
        let out = lloyd(60, 1, &data, 3, &start, &FitOptions::DEFAULT);
        assert_eq!(out.labels, (0..60).map(|i| i % 3).collect::<Vec<u32>>(), "{scale}");
        assert!(out.centers.iter().all(|c| c.is_finite()) && out.fit.inertia.is_finite());
        // An empty cluster whose centre is zero can be split from.
        let options = FitOptions { empty: Empty::SplitLargest, ..FitOptions::DEFAULT };
        let out = lloyd(60, 1, &data, 3, &[0.0; 3], &options);
        assert_eq!(out.fit.empty, 0, "{scale}");
    }
}

#[test]
fn weights_count_as_copies() {
    let (rows, cols, k) = (90, 4, 5);
    let data = crate::common::gaussian(rows * cols, 12);
    let weights: Vec<f32> = (0..rows).map(|i| (i % 4) as f32).collect();
    let start = &data[..k * cols];
    let copies: Vec<f32> = (0..rows)
        .flat_map(|i| std::iter::repeat_n(&data[i * cols..(i + 1) * cols], i % 4).flatten().copied())
        .collect();
    let options = FitOptions { empty: Empty::Keep, ..FitOptions::DEFAULT };
    let plain = lloyd(copies.len() / cols, cols, &copies, k, start, &options);
    let points = Points::weighted(rows, cols, &data, &weights).unwrap();
    let out = run(&points, k, start, &options);
    for (a, b) in out.centers.iter().zip(&plain.centers) {
        assert!((a - b).abs() <= 1e-6, "{a} {b}");
    }
    assert!((out.fit.inertia - plain.fit.inertia).abs() <= 1e-5 * plain.fit.inertia);
    // Those without weight have labels like the others.
    out.check_labels(cols, &data);
    // The scale of the weights does not matter.
    for factor in [1e-40f32, 1e-3, 1e30] {
        let scaled: Vec<f32> = weights.iter().map(|w| w * factor).collect();
        let points = Points::weighted(rows, cols, &data, &scaled).unwrap();
        let other = run(&points, k, start, &options);
        assert_eq!(other.labels, out.labels, "{factor}");
    }
}

#[test]
fn every_stop_is_told_and_labels_are_fresh() {
    let (rows, cols, k) = (800, 6, 9);
    let data = crate::common::gaussian(rows * cols, 5);
    let start = &data[..k * cols];
    let full = lloyd(rows, cols, &data, k, start, &FitOptions::DEFAULT);
    assert_eq!(full.fit.stop, Stop::Labels);
    assert!(full.fit.iterations > 5);
    for (options, stop) in [
        (FitOptions { max_iterations: 3, ..FitOptions::DEFAULT }, Stop::Iterations),
        (FitOptions { max_iterations: 0, ..FitOptions::DEFAULT }, Stop::Iterations),
        (FitOptions { shift_tolerance: 0.2, ..FitOptions::DEFAULT }, Stop::Shift),
        (FitOptions { inertia_tolerance: 0.01, ..FitOptions::DEFAULT }, Stop::Inertia),
    ] {
        let out = lloyd(rows, cols, &data, k, start, &options);
        assert_eq!(out.fit.stop, stop);
        assert!(out.fit.iterations < full.fit.iterations);
        out.check(rows, cols, &data, k);
        if options.max_iterations == 0 {
            assert_eq!(out.centers, start);
        }
    }
    let exactly = FitOptions { max_iterations: full.fit.iterations, ..FitOptions::DEFAULT };
    assert_eq!(lloyd(rows, cols, &data, k, start, &exactly).fit.stop, Stop::Labels);
}

#[test]
fn assign_tells_the_canonical_distance() {
    for cols in [1, 2, 3, 15, 16, 17, 33, 100] {
        let (rows, k) = (70, 13);
        let (data, centers) = (crate::common::gaussian(rows * cols, 1), crate::common::gaussian(k * cols, 2));
        let points = Points::new(rows, cols, &data).unwrap();
        let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
        let (mut labels, mut distances) = (vec![0; rows], vec![0.0; rows]);
        assign(&points, k, &centers, &mut labels, Some(&mut distances), &mut scratch).unwrap();
        for i in 0..rows {
            let (label, distance) = nearest(&data[i * cols..(i + 1) * cols], &centers);
            assert_eq!((labels[i], distances[i]), (label, distance));
        }
    }
}

#[test]
fn all_distances_and_the_two_nearest_agree_with_labels() {
    for (cols, scale) in [(1, 1.0f32), (7, 1.0), (20, 1e30), (20, 1e-30)] {
        let (rows, k) = (60, 9);
        let data: Vec<f32> = crate::common::gaussian(rows * cols, 4).iter().map(|v| v * scale).collect();
        let centers: Vec<f32> = crate::common::gaussian(k * cols, 5).iter().map(|v| v * scale).collect();
        let points = Points::new(rows, cols, &data).unwrap();
        let mut all = vec![0.0; rows * k];
        transform(&points, k, &centers, &mut all).unwrap();
        let mut two = vec![Top2::default(); rows];
        let mut scratch = vec![0xA5; assign_workspace_size(k, cols).unwrap()];
        top2(&points, k, &centers, &mut two, &mut scratch).unwrap();
        let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
        let (mut labels, mut own) = (vec![0; rows], vec![0.0; rows]);
        assign(&points, k, &centers, &mut labels, Some(&mut own), &mut scratch).unwrap();
        for i in 0..rows {
            assert_eq!((two[i].label, two[i].distance), (labels[i], own[i]));
            assert_eq!(all[i * k + labels[i] as usize], own[i]);
            assert_eq!(all[i * k + two[i].second_label as usize], two[i].second);
            let between =
                (0..k).filter(|&j| j != labels[i] as usize && all[i * k + j] < two[i].second).count();
            assert_eq!(between, 0);
        }
    }
}

#[test]
fn summaries_add_up() {
    let (rows, cols, k) = (300, 3, 4);
    let data = blobs(rows, cols, k, 2);
    let weights: Vec<f32> = (0..rows).map(|i| (i % 3) as f32).collect();
    let points = Points::weighted(rows, cols, &data, &weights).unwrap();
    let out = run(&points, k, &data[..k * cols], &FitOptions::DEFAULT);
    let mut scratch = vec![0; assign_workspace_size(k, cols).unwrap()];
    let (mut labels, mut own) = (vec![0; rows], vec![0.0; rows]);
    assign(&points, k, &out.centers, &mut labels, Some(&mut own), &mut scratch).unwrap();
    let mut summaries = [Summary::default(); 4];
    let mut room = vec![0; summarize_workspace_size(k).unwrap()];
    summarize(&points, k, &labels, &own, &mut summaries, &mut room).unwrap();
    assert_eq!(summaries.iter().map(|s| s.points as usize).sum::<usize>(), rows);
    let inertia: f32 = summaries.iter().map(|s| s.cohesion * s.weight).sum();
    assert!((inertia - out.fit.inertia).abs() <= 1e-5 * inertia);
    for s in summaries {
        assert!(s.mean_distance * s.mean_distance <= s.cohesion && s.radius >= s.mean_distance);
    }
    let before = summaries;
    labels[0] = 4;
    assert_eq!(summarize(&points, k, &labels, &own, &mut summaries, &mut room), Err(Error::InvalidArgument));
    labels[0] = 0;
    assert_eq!(
        summarize(&points, k, &labels, &own, &mut summaries, &mut room[1..]),
        Err(Error::WorkspaceTooSmall)
    );
    assert_eq!(summarize(&points, k, &labels, &own[1..], &mut summaries, &mut room), Err(Error::Shape));
    assert_eq!(
        summarize(&points, k, &labels, &own, &mut summaries[..3], &mut room),
        Err(Error::OutputTooSmall)
    );
    assert_eq!(summaries, before);
}

#[test]
fn spherical_clusters_go_by_direction() {
    let (rows, cols, k) = (200, 6, 3);
    // Three directions, at lengths from 1 to 100.
    let mut data: Vec<f32> = blobs(rows, cols, k, 6);
    for (i, row) in data.chunks_mut(cols).enumerate() {
        row.iter_mut().for_each(|v| *v *= 1.0 + (i % 100) as f32);
    }
    normalize_rows(cols, &mut data).unwrap();
    for row in data.chunks(cols) {
        assert!((row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-6);
    }
    for bounds in [Bounds::Auto, Bounds::Off] {
        let options = FitOptions { spherical: true, bounds, ..FitOptions::DEFAULT };
        let out = lloyd(rows, cols, &data, k, &data[..k * cols], &options);
        out.check(rows, cols, &data, k);
        assert_eq!(out.fit.stop, Stop::Labels);
        for i in 0..rows {
            assert_eq!(out.labels[i], (i % k) as u32);
        }
        for c in out.centers.chunks(cols) {
            assert!((c.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }
    // Points whose mean is zero leave their centre where it was.
    let opposite = [1.0f32, 0.0, -1.0, 0.0];
    let options = FitOptions { spherical: true, ..FitOptions::DEFAULT };
    assert_eq!(lloyd(2, 2, &opposite, 1, &[0.0, 1.0], &options).centers, [0.0, 1.0]);
    let mut x = [f32::MIN_POSITIVE / 4.0, 0.0, 3e38, 3e38];
    normalize_rows(2, &mut x).unwrap();
    assert_eq!(x[..2], [1.0, 0.0]);
    assert!((x[2] - 0.5f32.sqrt()).abs() < 1e-6);
    assert_eq!(normalize_rows(3, &mut x), Err(Error::Shape));
    assert_eq!(normalize_rows(0, &mut x), Err(Error::InvalidArgument));
    assert_eq!(normalize_rows(1, &mut [f32::NAN]), Err(Error::NonFinite));
}

#[test]
fn the_best_of_several_starts_is_kept() {
    let (rows, cols, k) = (400, 4, 8);
    let data = crate::common::gaussian(rows * cols, 21);
    let points = Points::new(rows, cols, &data).unwrap();
    let options = FitOptions::DEFAULT;
    let seeding = Seeding::Random;
    let fits = |count: usize, seed: u64| {
        let restarts = Restarts { seeding, count, seed };
        let mut scratch = vec![0; fit_seeded_workspace_size(rows, cols, k, &options, &restarts).unwrap()];
        let (mut centers, mut labels) = (vec![0.0; k * cols], vec![0; rows]);
        let fit =
            fit_seeded(&points, k, &options, &restarts, &mut centers, &mut labels, &mut scratch).unwrap();
        Out { fit, centers, labels }
    };
    let each: Vec<Out> = (0..6).map(|i| fits(1, 40 + i)).collect();
    let least = each.iter().map(|out| out.fit.inertia).fold(f32::INFINITY, f32::min);
    assert!(each.iter().any(|out| out.fit.inertia > least), "the starts differ");
    let all = fits(6, 40);
    assert_eq!(&all, each.iter().find(|out| out.fit.inertia == least).unwrap());
    all.check(rows, cols, &data, k);

    let restarts = Restarts { seeding, count: 0, seed: 0 };
    let mut scratch = vec![0; fit_seeded_workspace_size(rows, cols, k, &options, &restarts).unwrap()];
    let (mut centers, mut labels) = (vec![7.0; k * cols], vec![7; rows]);
    let mut fails = |count: usize, k: usize, less: usize| {
        let restarts = Restarts { count, ..restarts };
        let room = scratch.len() - less;
        fit_seeded(&points, k, &options, &restarts, &mut centers, &mut labels, &mut scratch[..room])
            .unwrap_err()
    };
    assert_eq!(fails(0, k, 0), Error::InvalidArgument);
    assert_eq!(fails(1, 0, 0), Error::InvalidArgument);
    assert_eq!(fails(1, k, 1), Error::WorkspaceTooSmall);
    assert_eq!(fails(1, k + 1, 0), Error::OutputTooSmall);
    assert!(centers.iter().all(|&c| c == 7.0) && labels.iter().all(|&l| l == 7));
}
