//! k-means within sizes: the labels are the optimum, and of equally good ones the first.

use crate::common::{Rng, gaussian, same_on_every_tier};
use crate::support::*;
use hybridq::Error;
use hybridq::kmeans::*;
use proptest::prelude::*;

fn assigned(points: &Points<'_>, k: usize, centers: &[f32], sizes: &Sizes<'_>) -> Result<Vec<u32>, Error> {
    let mut scratch = vec![0xA5; assign_balanced_workspace_size(points.rows(), points.cols(), k)?];
    let mut labels = vec![77; points.rows()];
    assign_balanced(points, k, centers, sizes, &mut labels, None, &mut scratch)?;
    Ok(labels)
}

/// The integer costs, from their description; unit weights and ordinary magnitudes.
fn costs(cols: usize, data: &[f32], k: usize, centers: &[f32]) -> Vec<Vec<i64>> {
    let all: Vec<Vec<f32>> =
        data.chunks(cols).map(|x| centers.chunks(cols).map(|c| distance(x, c)).collect()).collect();
    let largest = all.iter().flatten().fold(0.0f32, |a, &b| a.max(b));
    let bits = 57 - (usize::BITS - (k + 1).leading_zeros()) as i32;
    // 2^above is the least power of two above the largest.
    let above = if largest == 0.0 { 0 } else { (largest as f64).log2().floor() as i32 + 1 };
    let unit = 2f64.powi(bits - above);
    all.iter().map(|row| row.iter().map(|&d| (d as f64 * unit).floor() as i64).collect()).collect()
}

fn bounds(sizes: &Sizes<'_>, rows: usize, k: usize) -> Vec<(usize, usize)> {
    let of = |size: &Size<'_>, j: usize, even: usize, any: usize| match size {
        Size::Any => any,
        Size::Even => even,
        Size::All(n) => *n,
        Size::Each(each) => each[j] as usize,
    };
    let each = |j| (of(&sizes.least, j, rows / k, 0), of(&sizes.most, j, rows.div_ceil(k), rows));
    (0..k).map(each).collect()
}

/// The least total cost of rows `from..` with some sizes used up already: a search through all there are.
fn search(costs: &[Vec<i64>], bounds: &[(usize, usize)], sizes: &mut [usize]) -> Option<(i64, Vec<u32>)> {
    let Some((row, rest)) = costs.split_first() else {
        return sizes.iter().zip(bounds).all(|(n, (low, _))| n >= low).then(|| (0, Vec::new()));
    };
    let mut best: Option<(i64, Vec<u32>)> = None;
    for (j, &(_, most)) in bounds.iter().enumerate() {
        if sizes[j] == most {
            continue;
        }
        sizes[j] += 1;
        if let Some((cost, labels)) = search(rest, bounds, sizes) {
            let cost = cost + row[j];
            // The first of equal ones: clusters come in rising order.
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, [vec![j as u32], labels].concat()));
            }
        }
        sizes[j] -= 1;
    }
    best
}

/// Whether no cycle of moves lowers the cost: Bellman-Ford on clusters and a sink.
fn is_optimal(costs: &[Vec<i64>], bounds: &[(usize, usize)], labels: &[u32]) -> bool {
    let k = bounds.len();
    let mut sizes = vec![0; k];
    let mut arcs = vec![vec![i64::MAX; k + 1]; k + 1];
    for (row, &a) in costs.iter().zip(labels) {
        let a = a as usize;
        sizes[a] += 1;
        for b in (0..k).filter(|&b| b != a) {
            arcs[a][b] = arcs[a][b].min(row[b] - row[a]);
        }
    }
    for (j, (&size, &(low, high))) in sizes.iter().zip(bounds).enumerate() {
        assert!((low..=high).contains(&size), "{sizes:?} {bounds:?}");
        if size < high {
            arcs[j][k] = 0;
        }
        if size > low {
            arcs[k][j] = 0;
        }
    }
    let mut way = vec![0i64; k + 1];
    for _ in 0..=k {
        let mut changed = false;
        for (a, arcs) in arcs.iter().enumerate() {
            for (b, &arc) in arcs.iter().enumerate() {
                if arc != i64::MAX && way[a] + arc < way[b] {
                    (way[b], changed) = (way[a] + arc, true);
                }
            }
        }
        if !changed {
            return true;
        }
    }
    false
}

/// Sizes of one of several kinds that `rows` rows can keep.
fn some_sizes(kind: usize, rows: usize, k: usize, seed: u64) -> (Vec<u32>, Vec<u32>) {
    let mut rng = Rng(seed);
    let mut held = vec![0u32; k];
    for _ in 0..rows {
        held[(rng.next() % k as u64) as usize] += 1;
    }
    let mut draw = |n: u32| (rng.next() % (n as u64 + 1)) as u32;
    match kind % 4 {
        0 => (vec![(rows / k) as u32; k], vec![rows.div_ceil(k) as u32; k]),
        1 => (held.clone(), held),
        2 => held.iter().map(|&n| (n - draw(n), n + draw(3))).unzip(),
        _ => (vec![0; k], held.iter().map(|&n| n + draw(1)).collect()),
    }
}

/// Values of one of several kinds; few different ones bring ties.
fn values(kind: usize, len: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng(seed);
    match kind % 3 {
        0 => gaussian(len, seed),
        1 => (0..len).map(|_| (rng.next() % 3) as f32).collect(),
        _ => vec![1.5; len],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn small_problems_have_the_first_of_all_optima(
        rows in 1usize..8, k in 1usize..4, cols in 1usize..3, kind in 0usize..12, seed in any::<u64>()
    ) {
        let (data, centers) = (values(kind, rows * cols, seed), values(kind, k * cols, seed ^ 1));
        let (least, most) = some_sizes(kind / 3, rows, k, seed);
        let sizes = Sizes::each(&least, &most);
        let points = Points::new(rows, cols, &data).unwrap();
        let got = assigned(&points, k, &centers, &sizes).unwrap();
        let costs = costs(cols, &data, k, &centers);
        let (_, want) = search(&costs, &bounds(&sizes, rows, k), &mut vec![0; k][..]).unwrap();
        prop_assert_eq!(got, want);
    }

    #[test]
    fn larger_problems_are_optimal(
        rows in 1usize..600, k in 1usize..12, cols in 1usize..20, kind in 0usize..12, seed in any::<u64>()
    ) {
        let (data, centers) = (values(kind, rows * cols, seed), values(kind, k * cols, seed ^ 1));
        let (least, most) = some_sizes(kind / 3, rows, k, seed);
        let sizes = Sizes::each(&least, &most);
        let points = Points::new(rows, cols, &data).unwrap();
        let got = assigned(&points, k, &centers, &sizes).unwrap();
        let costs = costs(cols, &data, k, &centers);
        prop_assert!(is_optimal(&costs, &bounds(&sizes, rows, k), &got));
        // No label can be lowered alone, or by trading with a later row, at the same cost.
        let bounds = bounds(&sizes, rows, k);
        let total = |labels: &[u32]| -> i64 { labels.iter().zip(&costs).map(|(&l, c)| c[l as usize]).sum() };
        for i in 0..rows.min(40) {
            for later in i + 1..rows.min(80) {
                let mut other = got.clone();
                other.swap(i, later);
                prop_assert!(got[later] >= got[i] || total(&other) > total(&got));
            }
            for b in 0..got[i] {
                let count = |j: u32| got.iter().filter(|&&l| l == j).count();
                if count(b) < bounds[b as usize].1 && count(got[i]) > bounds[got[i] as usize].0 {
                    prop_assert!(costs[i][b as usize] > costs[i][got[i] as usize]);
                }
            }
        }
    }

    #[test]
    fn the_inertia_never_rises_and_sizes_are_kept(
        rows in 2usize..300, k in 1usize..8, cols in 1usize..6, kind in 0usize..12, seed in any::<u64>()
    ) {
        let k = k.min(rows);
        let data = values(kind, rows * cols, seed);
        let start = values(kind, k * cols, seed ^ 1);
        let (least, most) = some_sizes(kind / 3, rows, k, seed);
        let sizes = Sizes::each(&least, &most);
        let points = Points::new(rows, cols, &data).unwrap();
        let mut last = f32::INFINITY;
        for iterations in 0..6 {
            let options = FitOptions { max_iterations: iterations, empty: Empty::Keep, ..FitOptions::DEFAULT };
            let out = fitted(&points, k, &sizes, &start, &options).unwrap();
            prop_assert!(out.fit.inertia <= last * (1.0 + 1e-6), "{} {last}", out.fit.inertia);
            last = out.fit.inertia;
            prop_assert_eq!(&out.labels, &assigned(&points, k, &out.centers, &sizes).unwrap());
        }
    }
}

fn fitted(
    points: &Points<'_>,
    k: usize,
    sizes: &Sizes<'_>,
    start: &[f32],
    options: &FitOptions,
) -> Result<Out, Error> {
    let mut scratch = vec![0x5A; fit_balanced_workspace_size(points.rows(), points.cols(), k)?];
    let (mut centers, mut labels) = (start.to_vec(), vec![77; points.rows()]);
    let fit = fit_balanced(points, k, sizes, options, &mut centers, &mut labels, &mut scratch)?;
    Ok(Out { fit, centers, labels })
}

fn counts(labels: &[u32], k: usize) -> Vec<usize> {
    (0..k as u32).map(|j| labels.iter().filter(|&&l| l == j).count()).collect()
}

/// The whole way through samples: thousands of rows.
#[test]
fn many_rows_are_optimal_on_every_tier() {
    for (rows, cols, k, seed) in [(9000, 3, 4, 1), (5000, 20, 16, 2), (3000, 2, 40, 3)] {
        let data = blobs(rows, cols, k / 2, seed);
        let points = Points::new(rows, cols, &data).unwrap();
        let start = &data[..k * cols];
        let costs = costs(cols, &data, k, start);
        for sizes in
            [Sizes::BALANCED, Sizes::between(rows / k / 2, rows / k * 3 / 2), Sizes::between(0, rows)]
        {
            let found = same_on_every_tier("balanced", || assigned(&points, k, start, &sizes).unwrap());
            assert!(is_optimal(&costs, &bounds(&sizes, rows, k), &found));
        }
        // Without bounds: the nearest centres.
        let nearest: Vec<u32> = data.chunks(cols).map(|x| nearest(x, start).0).collect();
        assert_eq!(assigned(&points, k, start, &Sizes::between(0, rows)).unwrap(), nearest);
    }
}

#[test]
fn a_fit_ends_with_the_sizes_asked_for_and_the_inertia_of_its_labels() {
    let (rows, cols, k) = (1000, 4, 7);
    let data = blobs(rows, cols, 3, 9);
    let points = Points::new(rows, cols, &data).unwrap();
    let start = &data[..k * cols];
    for sizes in [Sizes::BALANCED, Sizes::between(100, 200), Sizes { least: Size::All(140), most: Size::Any }]
    {
        let out = fitted(&points, k, &sizes, start, &FitOptions::DEFAULT).unwrap();
        assert_eq!(out.fit.stop, Stop::Labels);
        for (n, (low, high)) in counts(&out.labels, k).into_iter().zip(bounds(&sizes, rows, k)) {
            assert!((low..=high).contains(&n));
        }
        let inertia: f64 = data
            .chunks(cols)
            .zip(&out.labels)
            .map(|(x, &l)| distance(x, &out.centers[l as usize * cols..][..cols]) as f64)
            .sum();
        assert!((out.fit.inertia as f64 - inertia).abs() <= inertia * 6e-8);
        // A fixed point: centres are means.
        let again = fitted(&points, k, &sizes, &out.centers, &FitOptions::DEFAULT).unwrap();
        assert_eq!((again.labels, again.centers), (out.labels, out.centers));
    }
    // Without bounds it is Lloyd's algorithm.
    let options = FitOptions { empty: Empty::Keep, ..FitOptions::DEFAULT };
    let free = fitted(&points, k, &Sizes::between(0, rows), start, &options).unwrap();
    assert_eq!(free, lloyd(rows, cols, &data, k, start, &options));
}

#[test]
fn weights_count_in_the_cost_but_not_in_the_sizes() {
    let data = [0.0, 1.0, 2.0, 3.0];
    let weights = [1.0, 1.0, 1.0, 100.0];
    let points = Points::weighted(4, 1, &data, &weights).unwrap();
    // Unweighted, the last rows would go, which cost least to move; the heavy one stays.
    let plain = Points::new(4, 1, &data).unwrap();
    assert_eq!(assigned(&plain, 2, &[3.0, 10.0], &Sizes::BALANCED).unwrap(), [0, 0, 1, 1]);
    assert_eq!(assigned(&points, 2, &[3.0, 10.0], &Sizes::BALANCED).unwrap(), [0, 1, 1, 0]);
    let light = Points::weighted(4, 1, &data, &[1.0, 0.0, 0.0, 1.0]).unwrap();
    assert_eq!(assigned(&light, 2, &[0.0, 3.0], &Sizes::BALANCED).unwrap(), [0, 0, 1, 1]);
    // Copies of a row are as good as its weight, where sizes say the same.
    let copied = Points::new(6, 1, &[0.0, 1.0, 1.0, 1.0, 5.0, 6.0]).unwrap();
    let heavy = Points::weighted(4, 1, &[0.0, 1.0, 5.0, 6.0], &[1.0, 3.0, 1.0, 1.0]).unwrap();
    let a = fitted(&copied, 2, &Sizes::each(&[4, 2], &[4, 2]), &[0.0, 6.0], &FitOptions::DEFAULT).unwrap();
    let b = fitted(&heavy, 2, &Sizes::each(&[2, 2], &[2, 2]), &[0.0, 6.0], &FitOptions::DEFAULT).unwrap();
    assert_eq!((a.centers, a.fit.inertia), (b.centers, b.fit.inertia));
}

#[test]
fn ties_go_to_the_first_clusters_in_the_order_of_rows() {
    let data = [1.0; 10];
    let points = Points::new(10, 1, &data).unwrap();
    assert_eq!(assigned(&points, 3, &[1.0; 3], &Sizes::BALANCED).unwrap(), [0, 0, 0, 0, 1, 1, 1, 2, 2, 2]);
    let sizes = Sizes::each(&[1, 2, 3], &[5, 5, 5]);
    assert_eq!(assigned(&points, 3, &[1.0; 3], &sizes).unwrap(), [0, 0, 0, 0, 0, 1, 1, 2, 2, 2]);
    // A fit of equal rows ends at once.
    let out = fitted(&points, 3, &Sizes::BALANCED, &[1.0; 3], &FitOptions::DEFAULT).unwrap();
    assert_eq!((out.fit.inertia, out.fit.stop, out.fit.iterations), (0.0, Stop::Labels, 1));
}

/// Rows that are equal have moves of equal cost, which must not be looked for again and again.
#[test]
fn many_equal_rows_are_no_trouble() {
    let (rows, k) = (20_000, 50);
    for kinds in [1, 5] {
        let data: Vec<f32> = (0..rows).map(|i| (i % kinds) as f32).collect();
        let points = Points::new(rows, 1, &data).unwrap();
        let labels = assigned(&points, k, &vec![2.0; k], &Sizes::BALANCED).unwrap();
        assert!(labels.iter().enumerate().all(|(i, &l)| l as usize == i / 400));
    }
    let data: Vec<f32> = (0..rows).map(|i| (i % 7) as f32).collect();
    let centers: Vec<f32> = (0..k).map(|j| (j % 4) as f32).collect();
    let points = Points::new(rows, 1, &data).unwrap();
    let labels = assigned(&points, k, &centers, &Sizes::BALANCED).unwrap();
    assert!(is_optimal(&costs(1, &data, k, &centers), &bounds(&Sizes::BALANCED, rows, k), &labels));
}

#[test]
fn one_cluster_and_a_cluster_a_row() {
    let data = gaussian(12, 5);
    let points = Points::new(12, 1, &data).unwrap();
    assert_eq!(assigned(&points, 1, &[0.0], &Sizes::BALANCED).unwrap(), [0; 12]);
    let out = fitted(&points, 12, &Sizes::BALANCED, &gaussian(12, 6), &FitOptions::DEFAULT).unwrap();
    assert_eq!((out.fit.inertia, counts(&out.labels, 12)), (0.0, vec![1; 12]));
    // More clusters than rows: some stay empty.
    let few = Points::new(2, 1, &data[..2]).unwrap();
    let labels = assigned(&few, 4, &[data[1], data[1], data[1], data[0]], &Sizes::BALANCED).unwrap();
    assert_eq!(labels, [3, 0]);
    assert!(assigned(&Points::new(0, 1, &[]).unwrap(), 4, &[0.0; 4], &Sizes::BALANCED).unwrap().is_empty());
}

#[test]
fn extreme_values_are_ordered_still() {
    for scale in [1e-30f32, 1e-12, 1e12, 3e37] {
        let data: Vec<f32> = [0.0, 1.0, 2.0, 9.0].map(|x| x * scale).to_vec();
        let points = Points::new(4, 1, &data).unwrap();
        assert_eq!(
            assigned(&points, 2, &[0.0, 8.0 * scale], &Sizes::BALANCED).unwrap(),
            [0, 0, 1, 1],
            "{scale}"
        );
    }
    // An outlier does not blur the rest.
    let mut data = gaussian(200, 8);
    data[0] = 1e6;
    let points = Points::new(200, 1, &data).unwrap();
    let costs = costs(1, &data, 3, &[-1.0, 0.0, 1.0]);
    let labels = assigned(&points, 3, &[-1.0, 0.0, 1.0], &Sizes::BALANCED).unwrap();
    assert!(is_optimal(&costs, &bounds(&Sizes::BALANCED, 200, 3), &labels));
    let mut sorted: Vec<usize> = (0..200).collect();
    sorted.sort_by(|&a, &b| data[a].total_cmp(&data[b]));
    assert!(sorted.windows(2).all(|w| labels[w[0]] <= labels[w[1]]));
}

#[test]
fn empty_clusters_follow_the_policy() {
    let data = [0.0, 0.0, 0.0, 4.0];
    let points = Points::new(4, 1, &data).unwrap();
    let sizes = Sizes::between(0, 4);
    let with =
        |empty| fitted(&points, 2, &sizes, &[0.0, 100.0], &FitOptions { empty, ..FitOptions::DEFAULT });
    let found = with(Empty::Farthest).unwrap();
    assert_eq!((found.centers, found.labels, found.fit.empty), (vec![0.0, 4.0], vec![0, 0, 0, 1], 0));
    let kept = with(Empty::Keep).unwrap();
    assert_eq!((kept.centers, kept.fit.empty), (vec![1.0, 100.0], 1));
    assert_eq!(with(Empty::Error).unwrap_err(), Error::EmptyCluster);
    assert_eq!(with(Empty::SplitLargest).unwrap_err(), Error::Unsupported);
    // A least size of 1 leaves none.
    let out = fitted(&points, 2, &Sizes::between(1, 4), &[0.0, 100.0], &FitOptions::DEFAULT).unwrap();
    assert_eq!((out.centers, out.fit.inertia), (vec![0.0, 4.0], 0.0));
}

#[test]
fn what_cannot_be_is_refused() {
    let data = gaussian(10, 1);
    let points = Points::new(10, 1, &data).unwrap();
    let with = |sizes: Sizes<'_>| assigned(&points, 3, &[0.0, 1.0, 2.0], &sizes);
    for sizes in [
        Sizes::between(4, 10),
        Sizes::between(0, 3),
        Sizes::between(3, 2),
        Sizes::between(usize::MAX, usize::MAX),
        Sizes { least: Size::Any, most: Size::All(3) },
        Sizes { least: Size::All(4), most: Size::Even },
        Sizes::each(&[0, 11, 0], &[10, 10, 10]),
        Sizes::each(&[0, 0, 0], &[3, 3, 3]),
        Sizes::each(&[2, 0, 0], &[1, 10, 10]),
    ] {
        assert_eq!(with(sizes), Err(Error::Infeasible), "{sizes:?}");
    }
    assert_eq!(with(Sizes::each(&[0, 0], &[10, 10, 10])), Err(Error::Shape));
    assert_eq!(with(Sizes::each(&[0, 0, 0], &[10, 10])), Err(Error::Shape));
    assert!(with(Sizes::between(3, 4)).is_ok() && with(Sizes::between(0, usize::MAX)).is_ok());
    assert_eq!(assigned(&points, 0, &[], &Sizes::BALANCED), Err(Error::InvalidArgument));
    assert_eq!(assigned(&points, 1, &[f32::NAN], &Sizes::BALANCED), Err(Error::NonFinite));
    let bad = Points::new(2, 1, &[0.0, f32::INFINITY]).unwrap();
    assert_eq!(assigned(&bad, 1, &[0.0], &Sizes::BALANCED), Err(Error::NonFinite));
    let heavy = Points::weighted(2, 1, &[0.0, 1.0], &[1.0, -1.0]).unwrap();
    assert_eq!(assigned(&heavy, 1, &[0.0], &Sizes::BALANCED), Err(Error::InvalidArgument));
    assert_eq!(assign_balanced_workspace_size(10, 1, MAX_BALANCED + 1), Err(Error::SizeOverflow));
    // Nothing is written.
    let need = fit_balanced_workspace_size(10, 1, 3).unwrap();
    let (mut centers, mut labels, mut scratch) = ([0.0, 1.0, 2.0], [9; 10], vec![0; need - 1]);
    let options = FitOptions::DEFAULT;
    let got = fit_balanced(&points, 3, &Sizes::BALANCED, &options, &mut centers, &mut labels, &mut scratch);
    assert_eq!((got, centers, labels), (Err(Error::WorkspaceTooSmall), [0.0, 1.0, 2.0], [9; 10]));
    assert_eq!(
        fitted(&points, 11, &Sizes::BALANCED, &[0.0; 11], &options).unwrap_err(),
        Error::InvalidArgument
    );
}
