//! int8 k-means: against a plain reading of the definition, on every tier; odd inputs; bounds; golden vectors.

use crate::common::{Rng, same_on_every_tier};
use crate::int8_support::{
    assigned, blobs, centers_in, codes, fitted, given, partial_of, plain_assign, plain_update,
};
use hybridq::Error;
use hybridq::kmeans::Empty;
use hybridq::kmeans::int8::{
    MAX_FEATURES, Options, Update, accumulate, accumulate_workspace_size, assign, assign_workspace_size,
    decay, fit, fit_workspace_size, merge, partial_len, plus_plus, plus_plus_workspace_size, round_centers,
    update,
};

// ---- the search --------------------------------------------------------------------------------------------------

#[test]
fn every_tier_finds_the_nearest_centre() {
    let mut rng = Rng(1);
    for d in (1..=34).chain([63, 64, 65, 100, 128, 129]) {
        for k in (1..=18).chain([31, 32, 33, 40]) {
            let n = (d + k) % 11;
            let (points, centers) = (codes(n * d, &mut rng), centers_in(k * d, &mut rng));
            let found = same_on_every_tier(&format!("{n} x {d}, k = {k}"), || assigned(&points, d, &centers));
            assert_eq!(found, plain_assign(&points, d, &centers), "{n} x {d}, k = {k}");
        }
    }
}

#[test]
fn ties_go_to_the_lower_number_and_near_ties_to_the_nearer() {
    let mut rng = Rng(2);
    for (d, k) in [(1, 40), (2, 17), (3, 64), (5, 9)] {
        // few values, so that many centres are the same or equally far; odd sixteenths, so that norms have all rests
        let points: Vec<i8> = (0..200 * d).map(|_| (rng.next() % 4) as i8).collect();
        let centers: Vec<i16> = (0..k * d).map(|_| (rng.next() % 49) as i16).collect();
        let found = same_on_every_tier("ties", || assigned(&points, d, &centers));
        assert_eq!(found, plain_assign(&points, d, &centers), "d = {d}, k = {k}");
    }
    let same = vec![320i16; 70 * 3];
    assert_eq!(same_on_every_tier("equal centres", || assigned(&[20; 30], 3, &same)), (vec![0; 10], 0));
}

#[test]
fn sums_hold_at_the_most_features() {
    let d = MAX_FEATURES;
    let low = (vec![-128i8; d], vec![-2048i16; d]);
    let high = (vec![127i8; d], vec![2032i16; d]);
    // the least sum is that of the highest point and the lowest centre, and the other way round
    for points in [[&low.0[..], &high.0].concat(), [&high.0[..], &low.0, &high.0].concat()] {
        for centers in [&low.1[..], &high.1, &[&low.1[..], &high.1].concat(), &[&high.1[..], &low.1].concat()]
        {
            let found = same_on_every_tier("bound", || assigned(&points, d, centers));
            assert_eq!(found, plain_assign(&points, d, centers));
        }
    }
    let mut labels = [0; 2];
    let beyond = vec![0; d + 1];
    assert_eq!(assign_workspace_size(d + 1, 1), Err(Error::SizeOverflow));
    assert_eq!(
        assign(&vec![0; d + 1], d + 1, &beyond, &mut labels, &mut [0; 100_000]),
        Err(Error::SizeOverflow)
    );
}

#[test]
fn points_at_any_address() {
    let mut rng = Rng(3);
    let (bytes, centers) = (codes(16 + 9 * 33, &mut rng), centers_in(12 * 33, &mut rng));
    for offset in 0..16 {
        let points = &bytes[offset..offset + 9 * 33];
        let found = same_on_every_tier("offset", || assigned(points, 33, &centers));
        assert_eq!(found, plain_assign(points, 33, &centers), "{offset}");
    }
}

// ---- Lloyd -------------------------------------------------------------------------------------------------------

#[test]
fn fit_is_lloyds_algorithm() {
    let mut rng = Rng(4);
    for (n, d, k, iterations) in
        [(60, 3, 5, 0), (60, 3, 5, 1), (200, 7, 9, 4), (500, 32, 16, 100), (40, 1, 12, 100)]
    {
        let points = blobs(n, d, k, 20, &mut rng);
        let start = centers_in(k * d, &mut rng);
        let (mut centers, mut done) = (start.clone(), 0);
        while done < iterations {
            let before = centers.clone();
            let (labels, _) = plain_assign(&points, d, &centers);
            plain_update(&points, d, &labels, &mut centers);
            done += 1;
            if before == centers {
                break;
            }
        }
        let options = Options { max_iterations: iterations, ..given(k, Empty::Keep) };
        let found = same_on_every_tier("fit", || fitted(&points, d, &options, &start));
        let (labels, inertia) = plain_assign(&points, d, &centers);
        assert_eq!((&found.1, &found.2), (&centers, &labels), "{n} x {d}, k = {k}");
        assert_eq!((found.0.inertia, found.0.iterations), (inertia, done));
        let mut used: Vec<_> = labels.clone();
        used.sort();
        used.dedup();
        assert_eq!(found.0.empty, k - used.len());
    }
}

#[test]
fn seeded_fits_are_the_same_on_every_tier_and_find_what_is_there() {
    let mut rng = Rng(5);
    for (n, d, k) in [(300, 2, 4), (1000, 32, 16), (500, 9, 20)] {
        let points = blobs(n, d, k, 3, &mut rng);
        for seed in [0, 1, u64::MAX] {
            let options = Options::new(k, seed);
            let (found, _, labels) = same_on_every_tier("seeded", || fitted(&points, d, &options, &[]));
            assert!(found.converged && found.empty == 0);
            if d > 8 {
                // blobs lie far apart in many dimensions: a cluster each
                assert!(labels.iter().enumerate().all(|(i, l)| *l == labels[i % k]), "seed {seed}");
            }
        }
    }
    let points = codes(400 * 5, &mut rng);
    let centers = |seed| fitted(&points, 5, &Options { max_iterations: 0, ..Options::new(9, seed) }, &[]).1;
    assert_eq!(centers(1), centers(1));
    assert_ne!(centers(1), centers(2));
}

#[test]
fn greedy_seeding_starts_better_than_rows_at_random() {
    let mut rng = Rng(6);
    let (n, d, k) = (600, 8, 12);
    let points = blobs(n, d, k, 6, &mut rng);
    let (mut greedy, mut random) = (0u128, 0u128);
    for seed in 0..20 {
        greedy += fitted(&points, d, &Options { max_iterations: 0, ..Options::new(k, seed) }, &[]).0.inertia
            as u128;
        let rows: Vec<i16> = (0..k)
            .flat_map(|_| {
                let row = rng.next() as usize % n;
                points[row * d..(row + 1) * d].iter().map(|&x| 16 * x as i16).collect::<Vec<_>>()
            })
            .collect();
        random += plain_assign(&points, d, &rows).1 as u128;
    }
    assert!(2 * greedy < random, "{greedy} {random}");
}

#[test]
fn farthest_rows_fill_empty_clusters() {
    // two blobs and an outlier; the third centre is far from all
    let points = [0i8, 1, 2, 50, 51, 52, 53, 127];
    let start = [0i16, 16 * 50, -2048];
    let (found, centers, labels) = fitted(&points, 1, &given(3, Empty::Farthest), &start);
    assert_eq!((labels, centers), (vec![0, 0, 0, 1, 1, 1, 1, 2], vec![16, 16 * 51 + 8, 16 * 127]));
    assert!(found.converged && found.empty == 0);

    let (found, centers, _) = fitted(&points, 1, &given(3, Empty::Keep), &start);
    assert_eq!((found.empty, centers[2]), (1, -2048));

    let (mut centers, mut labels) = (start, [9u16; 8]);
    let options = given(3, Empty::Error);
    let mut scratch = vec![0; fit_workspace_size(8, 1, &options).unwrap()];
    let got = fit(&points, 1, &options, &mut centers, &mut labels, &mut scratch);
    assert_eq!((got, centers, labels), (Err(Error::EmptyCluster), start, [9; 8]));
}

#[test]
fn the_policy_of_errors_gives_the_same_where_nothing_is_empty() {
    let mut rng = Rng(7);
    let points = blobs(300, 6, 5, 10, &mut rng);
    for iterations in [0, 1, 3, 100] {
        let with = |empty| {
            let options = Options { empty, max_iterations: iterations, ..Options::new(5, 11) };
            fitted(&points, 6, &options, &[])
        };
        assert_eq!(with(Empty::Error), with(Empty::Keep));
        assert_eq!(with(Empty::Error), with(Empty::Farthest));
    }
}

// ---- odd inputs --------------------------------------------------------------------------------------------------

#[test]
fn more_clusters_than_different_points() {
    for empty in [Empty::Farthest, Empty::Keep] {
        for seed in 0..5 {
            let points = [3i8, 4, 3, 4, -5, 6, 3, 4, -5, 6, 3, 4];
            let options = Options { empty, ..Options::new(5, seed) };
            let (found, _, _) = same_on_every_tier("duplicates", || fitted(&points, 2, &options, &[]));
            assert_eq!((found.inertia, found.converged, found.empty), (0, true, 3));
        }
    }
    let options = Options { empty: Empty::Error, ..Options::new(3, 1) };
    let mut scratch = [0; 4096];
    let got = fit(&[1, 1, 1, 1], 1, &options, &mut [0; 3], &mut [0; 4], &mut scratch);
    assert_eq!(got, Err(Error::EmptyCluster));
}

#[test]
fn as_many_clusters_as_points_and_one() {
    let mut rng = Rng(8);
    for (n, d) in [(1, 1), (2, 3), (9, 4), (50, 7)] {
        let mut points = codes(n * d, &mut rng);
        for (row, x) in points.chunks_mut(d).enumerate() {
            x[0] = row as i8; // all different
        }
        let (found, _, mut labels) = fitted(&points, d, &Options::new(n, 1), &[]);
        labels.sort();
        assert_eq!((found.inertia, labels), (0, (0..n as u16).collect()));
        let (found, centers, labels) = fitted(&points, d, &Options::new(1, 1), &[]);
        let mut mean = vec![0; d];
        plain_update(&points, d, &labels, &mut mean);
        assert_eq!((centers, found.converged), (mean, true));
    }
}

#[test]
fn constant_and_extreme_data() {
    for code in [-128i8, -1, 0, 127] {
        for k in [1, 2, 8, 9] {
            let points = vec![code; 12 * 5];
            let (found, centers, labels) =
                same_on_every_tier("constant", || fitted(&points, 5, &Options::new(k, 1), &[]));
            assert_eq!((found.inertia, found.converged, found.empty), (0, true, k - 1));
            assert_eq!((centers, labels), (vec![16 * code as i16; k * 5], vec![0; 12]));
        }
    }
    let points: Vec<i8> = (0..40 * 6).map(|i| if i / 6 % 2 == 0 { -128 } else { 127 }).collect();
    let (found, centers, _) = same_on_every_tier("extremes", || fitted(&points, 6, &Options::new(2, 3), &[]));
    assert_eq!(found.inertia, 0);
    assert_eq!(centers.iter().filter(|c| **c == -2048).count(), 6);
    let (found, centers, _) = fitted(&points, 6, &Options::new(1, 3), &[]);
    assert_eq!((found.inertia, centers), (40 * 6 * 2040 * 2040, vec![-8; 6]));
}

#[test]
fn more_rows_than_narrow_sums_can_hold() {
    let n = (1 << 24) + 1; // -128 times this is below i32::MIN
    let points = vec![-128i8; n];
    let options = Options { max_iterations: 1, ..given(1, Empty::Keep) };
    let (mut centers, mut labels) = ([0], vec![7; n]);
    let mut scratch = vec![0; fit_workspace_size(n, 1, &options).unwrap()];
    let found = fit(&points, 1, &options, &mut centers, &mut labels, &mut scratch).unwrap();
    assert_eq!((found.inertia, found.iterations, centers), (0, 1, [-2048]));
    assert!(labels.iter().all(|&l| l == 0));
}

#[test]
fn wrong_shapes_are_refused() {
    let mut room = [0u8; 4096];
    let points = [1i8, 2, 3, 4, 5, 6];
    let (mut centers, mut labels) = ([7i16; 4], [9u16; 3]);
    let options = Options::new(2, 1);
    let mut run = |points: &[i8], d, options: &Options, c: usize, l: usize, s: usize| {
        let got = fit(points, d, options, &mut centers[..c], &mut labels[..l], &mut room[..s]);
        assert_eq!((centers, labels), ([7; 4], [9; 3]), "outputs are untouched");
        got.unwrap_err()
    };
    assert_eq!(run(&points, 0, &options, 4, 3, 4096), Error::InvalidArgument);
    assert_eq!(run(&[], 2, &options, 4, 3, 4096), Error::InvalidArgument);
    assert_eq!(run(&points, 4, &options, 4, 3, 4096), Error::Shape);
    assert_eq!(run(&points, 2, &Options::new(4, 1), 4, 3, 4096), Error::InvalidArgument);
    assert_eq!(run(&points, 2, &Options::new(0, 1), 4, 3, 4096), Error::InvalidArgument);
    assert_eq!(run(&points, 1, &Options::new(65536, 1), 4, 3, 4096), Error::InvalidArgument);
    assert_eq!(run(&points, 2, &given(2, Empty::SplitLargest), 4, 3, 4096), Error::Unsupported);
    assert_eq!(run(&points, 2, &options, 3, 3, 4096), Error::OutputTooSmall);
    assert_eq!(run(&points, 2, &options, 4, 2, 4096), Error::OutputTooSmall);
    for options in [options, given(2, Empty::Keep), given(2, Empty::Error)] {
        let need = fit_workspace_size(3, 2, &options).unwrap();
        assert_eq!(run(&points, 2, &options, 4, 3, need - 4), Error::WorkspaceTooSmall);
    }
    let mut scratch = vec![0; 4096];
    for wrong in [-2049, 2033, i16::MIN, i16::MAX] {
        let mut centers = [0, wrong];
        let got = fit(&points, 1, &given(2, Empty::Keep), &mut centers, &mut [0; 6], &mut scratch);
        assert_eq!((got, centers), (Err(Error::InvalidArgument), [0, wrong]));
        assert_eq!(assign(&points, 1, &centers, &mut [0; 6], &mut scratch), Err(Error::InvalidArgument));
        let got = accumulate(&points, 1, &centers, &mut [], &mut [0; 5], &mut scratch);
        assert_eq!(got, Err(Error::InvalidArgument));
        assert_eq!(round_centers(&centers, &mut [0; 2]), Err(Error::InvalidArgument));
    }
    assert_eq!(assign(&[], 3, &[0; 6], &mut [], &mut scratch), Ok(0));
    assert_eq!(assign(&points, 3, &[], &mut [0; 2], &mut scratch), Err(Error::InvalidArgument));
    assert_eq!(assign(&points, 3, &[0; 4], &mut [0; 2], &mut scratch), Err(Error::Shape));
    assert_eq!(assign(&points, 3, &[0; 3], &mut [0; 1], &mut scratch), Err(Error::OutputTooSmall));
    assert_eq!(fit_workspace_size(usize::MAX, 2, &options), Err(Error::SizeOverflow));
    assert_eq!(fit_workspace_size(1 << 39, 2, &options), Err(Error::SizeOverflow));
    assert_eq!(fit_workspace_size(4, MAX_FEATURES + 1, &options), Err(Error::SizeOverflow));
    let need = plus_plus_workspace_size(3, 2, 2).unwrap();
    let got = plus_plus(&points, 2, 2, 1, &mut [0; 4], &mut scratch[..need - 4]);
    assert_eq!(got, Err(Error::WorkspaceTooSmall));
    assert_eq!(plus_plus(&points, 2, 4, 1, &mut [0; 8], &mut scratch), Err(Error::InvalidArgument));
}

#[test]
fn the_state_is_as_small_as_the_page_says() {
    // docs/kmeans_int8.md
    let lloyd = fit_workspace_size(1500, 32, &given(16, Empty::Farthest)).unwrap();
    assert!((3500..3584).contains(&lloyd), "{lloyd}");
    assert_eq!(fit_workspace_size(1500, 32, &Options::new(16, 1)).unwrap(), 1500 * 4 + 3);
    assert!(assign_workspace_size(32, 16).unwrap() < 1440);
    // at any address
    let points = vec![1i8; 100 * 32];
    let options = given(16, Empty::Error);
    let need = fit_workspace_size(100, 32, &options).unwrap();
    let (mut room, mut labels) = (vec![0; need + 8], [0; 100]);
    for offset in 0..8 {
        let mut centers: Vec<i16> = (0..16 * 32).map(|i| (i / 32) as i16).collect();
        let got = fit(&points, 32, &options, &mut centers, &mut labels, &mut room[offset..offset + need]);
        assert_eq!(got, Err(Error::EmptyCluster));
    }
}

// ---- partials ----------------------------------------------------------------------------------------------------

#[test]
fn rounds_of_partials_are_fit() {
    let mut rng = Rng(9);
    let (n, d, k) = (700, 11, 10);
    let points = blobs(n, d, k, 15, &mut rng);
    let start = centers_in(k * d, &mut rng);
    let (found, expected, expected_labels) = fitted(&points, d, &given(k, Empty::Keep), &start);
    let mut centers = start;
    let mut labels = vec![0; n];
    let mut scratch = vec![0; accumulate_workspace_size(d, k).unwrap()];
    for round in 1.. {
        let mut partial = vec![0; partial_len(d, k).unwrap()];
        let mut at = 0;
        while at < n {
            let end = (at + 1 + round * 37 % 90).min(n);
            let (x, l) = (&points[at * d..end * d], &mut labels[at..end]);
            accumulate(x, d, &centers, l, &mut partial, &mut scratch).unwrap();
            at = end;
        }
        let Update { inertia, rows, empty, moved } = update(&partial, d, &mut centers).unwrap();
        assert_eq!(rows, n as u64);
        if !moved {
            assert_eq!((inertia, empty), (found.inertia, found.empty));
            assert_eq!(round, found.iterations as usize);
            break;
        }
    }
    assert_eq!((centers, labels), (expected, expected_labels));
}

#[test]
fn partials_are_the_sums_they_say() {
    let mut rng = Rng(10);
    for (n, d, k) in [(0, 3, 2), (1, 1, 1), (50, 5, 7), (123, 32, 16)] {
        let (points, centers) = (codes(n * d, &mut rng), centers_in(k * d, &mut rng));
        let partial = same_on_every_tier("partial", || partial_of(&points, d, &centers));
        let (labels, inertia) = plain_assign(&points, d, &centers);
        let mut expected = vec![0i64; k * d + k + 1];
        for (x, &l) in points.chunks(d).zip(&labels) {
            for (j, &code) in x.iter().enumerate() {
                expected[l as usize * d + j] += code as i64;
            }
            expected[k * d + l as usize] += 1;
        }
        expected[k * d + k] = inertia as i64;
        assert_eq!(partial, expected);
    }
}

#[test]
fn damaged_partials_are_refused() {
    let mut centers = [5i16; 4]; // 2 x 2
    let good = [10i64, -20, 0, 0, 3, 0, 99];
    let expect = |change: &dyn Fn(&mut [i64; 7]), error| {
        let (mut partial, mut centers) = (good, [5i16; 4]);
        change(&mut partial);
        assert_eq!(update(&partial, 2, &mut centers), Err(error));
        assert_eq!(centers, [5; 4]);
    };
    expect(&|p| p[4] = -1, Error::InvalidArgument);
    expect(&|p| p[4] = 0, Error::InvalidArgument);
    expect(&|p| p[0] = 382, Error::InvalidArgument);
    expect(&|p| p[1] = -385, Error::InvalidArgument);
    expect(&|p| p[6] = -1, Error::InvalidArgument);
    expect(&|p| p[5] = 1 << 40, Error::SizeOverflow);
    expect(&|p| p[5] = 1 << 39, Error::SizeOverflow);
    assert_eq!(update(&good[..6], 2, &mut centers), Err(Error::Shape));
    assert_eq!(update(&good, 3, &mut centers), Err(Error::Shape));
    let found = update(&good, 2, &mut centers).unwrap();
    assert_eq!(found, Update { inertia: 99, rows: 3, empty: 1, moved: true });
    assert_eq!(centers, [53, -107, 5, 5]);
    assert_eq!(merge(&mut [0; 3], &[0; 4]), Err(Error::Shape));
    for wrong in
        [[-385i64, 0, 0, 0, 3, 0, 0], [382, 0, 0, 0, 3, 0, 0], [0, 0, 1, 0, 3, 0, 0], [0, 0, 0, 0, 3, 0, -1]]
    {
        let mut partial = wrong;
        assert_eq!(decay(&mut partial, 2, 2, 100), Err(Error::InvalidArgument));
        assert_eq!(partial, wrong);
    }
    assert_eq!(decay(&mut [0; 6], 2, 2, 100), Err(Error::Shape));
    assert_eq!(decay(&mut [0, 0, 0, 0, 1 << 40, 0, 0], 2, 2, 100), Err(Error::SizeOverflow));
}

#[test]
fn a_stream_with_decay_follows_what_changes() {
    let mut rng = Rng(11);
    let (d, k, batch) = (4, 3, 64);
    let before = blobs(batch * 20, d, k, 2, &mut rng);
    let after: Vec<i8> = before.iter().map(|x| x.saturating_add(20)).collect();
    let mut scratch = vec![0; accumulate_workspace_size(d, k).unwrap()];
    let mut room = vec![0; plus_plus_workspace_size(before.len() / d, d, k).unwrap()];
    let error = |keep: Option<u16>| {
        let mut centers = vec![0; k * d];
        plus_plus(&before, d, k, 5, &mut centers, &mut room.clone()).unwrap();
        let mut partial = vec![0; partial_len(d, k).unwrap()];
        for rows in before.chunks(batch * d).chain(after.chunks(batch * d)) {
            if let Some(keep) = keep {
                decay(&mut partial, d, k, keep).unwrap();
            }
            accumulate(rows, d, &centers, &mut [], &mut partial, &mut scratch.clone()).unwrap();
            update(&partial, d, &mut centers).unwrap();
        }
        assigned(&after, d, &centers).1
    };
    let (all, recent) = (error(None), error(Some(1 << 15)));
    room.fill(0);
    scratch.fill(0);
    let best = fitted(&after, d, &Options::new(k, 1), &[]).0.inertia;
    assert!(recent < best + best / 10, "{recent} {best}");
    assert!(all > 5 * best, "{all} {best}");
}

// ---- the grid of centres -----------------------------------------------------------------------------------------

/// Lloyd's algorithm with centres rounded by `round`; the inertia in squared codes.
fn lloyd(points: &[i8], d: usize, start: &[i16], round: impl Fn(f64) -> f64) -> f64 {
    let mut centers: Vec<f64> = start.iter().map(|&c| round(c as f64 / 16.0)).collect();
    for _ in 0..200 {
        let mut total = 0.0;
        let (mut sums, mut counts) = (vec![0f64; centers.len()], vec![0f64; centers.len() / d]);
        for x in points.chunks(d) {
            let far = |c: &[f64]| x.iter().zip(c).map(|(&x, c)| (x as f64 - c).powi(2)).sum::<f64>();
            let all = centers.chunks(d).map(far).enumerate();
            let (label, least) = all.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
            total += least;
            counts[label] += 1.0;
            sums[label * d..].iter_mut().zip(x).for_each(|(s, &x)| *s += x as f64);
        }
        let before = centers.clone();
        for (i, c) in centers.iter_mut().enumerate().filter(|(i, _)| counts[i / d] > 0.0) {
            *c = round(sums[i] / counts[i / d]);
        }
        if centers == before {
            return total;
        }
    }
    panic!("no end");
}

/// `cargo test --test kmeans_int8 sixteenths -- --nocapture` prints the table of docs/kmeans_int8.md.
#[test]
fn sixteenths_cost_nothing_and_whole_codes_do() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/train.csv");
    let text = std::fs::read_to_string(path).unwrap();
    let pixels = |by: i8| -> Vec<i8> {
        let rows = text.lines().map(|line| line.split(',').skip(1));
        rows.flatten().map(|p| p.trim().parse::<i8>().unwrap() * by).collect()
    };
    let mut rng = Rng(12);
    let mut sets = vec![
        ("digits, 0..=16".to_string(), pixels(1), 64, 10),
        ("digits, 0..=112".into(), pixels(7), 64, 10),
    ];
    for spread in [1, 3, 10, 30] {
        sets.push((format!("blobs, spread {spread}"), blobs(1500, 32, 16, spread, &mut rng), 32, 16));
    }
    println!(
        "inertia above that of Lloyd in f64 from the same start, in %: sixteenths, whole codes at the end, whole codes throughout"
    );
    for (name, points, d, k) in sets {
        let mut start = vec![0; k * d];
        let mut scratch = vec![0; plus_plus_workspace_size(points.len() / d, d, k).unwrap()];
        plus_plus(&points, d, k, 3, &mut start, &mut scratch).unwrap();
        let exact = lloyd(&points, d, &start, |mean| mean);
        let whole = lloyd(&points, d, &start, |mean| (mean + 0.5).floor());
        let (found, centers, _) = fitted(&points, d, &given(k, Empty::Keep), &start);
        let mut codes = vec![0; k * d];
        round_centers(&centers, &mut codes).unwrap();
        let rounded: Vec<i16> = codes.iter().map(|&c| 16 * c as i16).collect();
        let excess = |inertia: f64| 100.0 * (inertia / exact - 1.0);
        let fine = excess(found.inertia as f64 / 256.0);
        let late = excess(assigned(&points, d, &rounded).1 as f64 / 256.0);
        println!("| {name} | {fine:.4} | {late:.2} | {:.2} |", excess(whole));
        assert!(fine.abs() < 0.2 && late > fine);
    }
}

// ---- golden vectors ----------------------------------------------------------------------------------------------

/// What the file holds; with `HQ_WRITE_GOLDEN` it is written first.
fn golden(name: &str, ours: &[u8]) -> Vec<u8> {
    let path: std::path::PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/golden/kmeans", name].iter().collect();
    if std::env::var_os("HQ_WRITE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, ours).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

#[test]
fn golden_vectors() {
    // blobs, noise, and a set with more clusters than different points
    let mut rng = Rng(13);
    let few: Vec<i8> = (0..30 * 3).map(|i| [5, -7, 100][i / 3 % 3] - (i % 3) as i8).collect();
    for (name, made, d, k) in [
        ("blobs", blobs(120, 7, 5, 20, &mut rng), 7, 5),
        ("noise", codes(90 * 16, &mut rng), 16, 9),
        ("few", few, 3, 4),
    ] {
        let bytes = golden(&format!("int8_{name}_points.i8"), bytemuck::cast_slice(&made));
        let points: &[i8] = bytemuck::cast_slice(&bytes);
        let (found, centers, labels) = same_on_every_tier(name, || {
            fitted(points, d, &Options { max_iterations: 50, ..Options::new(k, 42) }, &[])
        });
        let le = |numbers: &[u16]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
        let (centers, labels) = (le(bytemuck::cast_slice(&centers)), le(&labels));
        assert_eq!(golden(&format!("int8_{name}_centers.i16"), &centers), centers, "{name}");
        assert_eq!(golden(&format!("int8_{name}_labels.u16"), &labels), labels, "{name}");
        let line =
            format!("inertia {} iterations {} empty {}\n", found.inertia, found.iterations, found.empty);
        assert_eq!(golden(&format!("int8_{name}_result.txt"), line.as_bytes()), line.as_bytes(), "{name}");
    }
}
