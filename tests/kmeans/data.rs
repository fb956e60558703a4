//! Data clustering for training: groups, chances, batches.

use crate::common::Rng;
use hybridq::Error;
use hybridq::kmeans::*;
use proptest::prelude::*;

/// Labels of clusters of very different sizes, some of them empty.
fn labels(rows: usize, k: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng(seed);
    (0..rows).map(|_| (rng.uniform().powi(3) * k as f64) as u32).collect()
}

struct Data {
    labels: Vec<u32>,
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Data {
    fn new(labels: Vec<u32>, k: usize) -> Data {
        let (mut starts, mut rows) = (vec![7; k + 1], vec![7; labels.len()]);
        DataClusters::group(&labels, &mut starts, &mut rows).unwrap();
        Data { labels, starts, rows }
    }

    fn clusters(&self) -> DataClusters<'_> {
        DataClusters::new(&self.starts, &self.rows).unwrap()
    }

    /// All batches of an epoch.
    fn epoch(&self, batches: &Batches, epoch: u64) -> Vec<Vec<u32>> {
        let count = batches_per_epoch(self.rows.len(), batches.size, batches.drop_last).unwrap() as u64;
        let batch = |step| {
            let mut rows = vec![u32::MAX; batches.size];
            let len = balanced_batch(&self.clusters(), batches, step, &mut rows).unwrap();
            rows.truncate(len);
            rows
        };
        (epoch * count..(epoch + 1) * count).map(batch).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn groups_are_the_rows_of_each_label(rows in 0usize..300, k in 1usize..20, seed in any::<u64>()) {
        let data = Data::new(labels(rows, k, seed), k);
        let clusters = data.clusters();
        prop_assert_eq!((clusters.rows(), clusters.clusters()), (rows, k));
        for j in 0..k {
            let want: Vec<u32> = (0..rows as u32).filter(|&i| data.labels[i as usize] == j as u32).collect();
            prop_assert_eq!((clusters.rows_of(j), clusters.size(j)), (&want[..], want.len()));
        }
        prop_assert_eq!((clusters.size(k), clusters.rows_of(usize::MAX)), (0, &[][..]));
    }

    #[test]
    fn an_epoch_has_every_row_once_and_every_batch_its_shares(
        rows in 1usize..400, k in 1usize..12, size in 1usize..50, epoch in 0u64..5, seed in any::<u64>()
    ) {
        let data = Data::new(labels(rows, k, seed), k);
        let epoch = data.epoch(&Batches { size, drop_last: false, seed }, epoch);
        let count = epoch.len();
        prop_assert_eq!(count, rows.div_ceil(size));
        let mut all = epoch.concat();
        all.sort_unstable();
        prop_assert_eq!(all, (0..rows as u32).collect::<Vec<_>>());
        for batch in &epoch {
            prop_assert!(batch.len() == rows / count || batch.len() == rows.div_ceil(count));
            for j in 0..k {
                let (whole, own) = (data.clusters().size(j), batch.iter().filter(|&&i| data.labels[i as usize] == j as u32).count());
                prop_assert!(own == whole / count || own == whole.div_ceil(count), "{own} of {whole} in {count}");
            }
        }
    }

    #[test]
    fn full_batches_leave_out_a_share_of_every_cluster(
        rows in 1usize..400, k in 1usize..12, size in 1usize..50, epoch in 0u64..5, seed in any::<u64>()
    ) {
        prop_assume!(size <= rows);
        let data = Data::new(labels(rows, k, seed), k);
        let epoch = data.epoch(&Batches { size, drop_last: true, seed }, epoch);
        let count = epoch.len();
        prop_assert_eq!(count, rows / size);
        prop_assert!(epoch.iter().all(|batch| batch.len() == size));
        let mut all = epoch.concat();
        all.sort_unstable();
        all.dedup();
        prop_assert_eq!(all.len(), count * size);
        for j in 0..k {
            let share = |n: usize| n as f64 * (count * size) as f64 / rows as f64;
            let of = |rows: &[u32]| rows.iter().filter(|&&i| data.labels[i as usize] == j as u32).count();
            let kept = of(&all);
            prop_assert!((kept as f64 - share(data.clusters().size(j))).abs() < 1.0 + 1e-9);
            for batch in &epoch {
                prop_assert!(of(batch) == kept / count || of(batch) == kept.div_ceil(count));
            }
        }
    }

    #[test]
    fn a_batch_of_a_cluster_has_different_rows_of_it(
        rows in 1usize..300, k in 1usize..12, size in 1usize..40, step in 0u64..1000, seed in any::<u64>()
    ) {
        let data = Data::new(labels(rows, k, seed), k);
        let mut tickets = vec![0; k];
        sampling(&data.clusters(), 0.5, &mut tickets).unwrap();
        let mut batch = vec![u32::MAX; size];
        let found = cluster_batch(&data.clusters(), &tickets, seed, step, &mut batch).unwrap();
        prop_assert_eq!(found.rows, size.min(data.clusters().size(found.cluster)));
        let mut drawn = batch[..found.rows].to_vec();
        prop_assert!(drawn.iter().all(|&i| data.labels[i as usize] as usize == found.cluster));
        drawn.sort_unstable();
        drawn.dedup();
        prop_assert_eq!(drawn.len(), found.rows);
        prop_assert!(batch[found.rows..].iter().all(|&i| i == u32::MAX));
    }
}

#[test]
fn epochs_differ_and_steps_stand_alone() {
    let data = Data::new(labels(200, 5, 1), 5);
    let batches = Batches { size: 16, drop_last: true, seed: 9 };
    let epochs: Vec<_> = (0..4).map(|epoch| data.epoch(&batches, epoch)).collect();
    for (i, a) in epochs.iter().enumerate() {
        assert!(epochs[..i].iter().all(|b| a.iter().zip(b).all(|(a, b)| a != b)));
    }
    // The same step again, whatever came before.
    let mut rows = [0; 16];
    balanced_batch(&data.clusters(), &batches, 12 * 2 + 5, &mut rows).unwrap();
    assert_eq!(rows[..], epochs[2][5][..]);
    assert_ne!(data.epoch(&Batches { seed: 10, ..batches }, 0), epochs[0]);
    // Over many epochs every row is left out about as often: 8 of 200 rows each time.
    let mut left = [0u32; 200];
    for epoch in 0..5000 {
        let mut seen = [false; 200];
        data.epoch(&batches, epoch).concat().into_iter().for_each(|i| seen[i as usize] = true);
        (0..200).filter(|&i| !seen[i]).for_each(|i| left[i] += 1);
    }
    // 200 each, standard deviation 14.
    assert!(left.iter().all(|&n| n.abs_diff(200) < 80), "{left:?}");
}

#[test]
fn clusters_come_as_often_as_their_tickets_say() {
    let mut all = vec![0; 600];
    all.resize(900, 1);
    all.resize(1000, 3);
    let data = Data::new(all, 4);
    let mut tickets = [0; 4];
    for (exponent, chances) in [
        (1.0, [0.6, 0.3, 0.0, 0.1]),
        (0.0, [1.0 / 3.0, 1.0 / 3.0, 0.0, 1.0 / 3.0]),
        (-1.0, [1.0 / 9.0, 2.0 / 9.0, 0.0, 6.0 / 9.0]),
    ] {
        sampling(&data.clusters(), exponent, &mut tickets).unwrap();
        let mut found = [0.0; 4];
        probabilities(&data.clusters(), &tickets, &mut found).unwrap();
        let draws = 20_000;
        let mut counts = [0u32; 4];
        let mut weighted = 0.0;
        for step in 0..draws {
            let batch = cluster_batch(&data.clusters(), &tickets, 3, step, &mut [0; 2]).unwrap();
            counts[batch.cluster] += 1;
            weighted += batch.weight as f64 * (batch.cluster as f64);
            assert!(
                (batch.weight as f64 - [0.6, 0.3, 0.0, 0.1][batch.cluster] / chances[batch.cluster]).abs()
                    < 1e-4
            );
            assert!(exponent != 1.0 || batch.weight == 1.0);
        }
        for ((found, chance), count) in found.into_iter().zip(chances).zip(counts) {
            assert!((found as f64 - chance).abs() < 1e-5, "{found} {chance}");
            // Five standard deviations.
            let sigma = (draws as f64 * chance * (1.0 - chance)).sqrt();
            assert!((count as f64 - draws as f64 * chance).abs() <= 5.0 * sigma, "{counts:?} {chances:?}");
        }
        // Unbiased: the mean label of all rows is 0.6.
        assert!((weighted / draws as f64 - 0.6).abs() < 0.05, "{exponent}: {}", weighted / draws as f64);
        let (mut rows, mut weights) = (vec![0; 20_000], vec![0.0; 20_000]);
        sample_rows(&data.clusters(), &tickets, 4, 5, &mut rows, Some(&mut weights)).unwrap();
        let mean: f64 =
            rows.iter().zip(&weights).map(|(&i, &w)| w as f64 * data.labels[i as usize] as f64).sum::<f64>()
                / 2e4;
        assert!((mean - 0.6).abs() < 0.05, "{exponent}: {mean}");
        // Any row of a cluster is as likely as another.
        let low = rows.iter().filter(|&&i| i < 300).count() as f64;
        assert!((low - 1e4 * chances[0]).abs() < 500.0, "{low}");
    }
}

#[test]
fn the_same_batches_on_every_machine() {
    let data = Data::new((0..50).map(|i| i * i % 7).collect(), 7);
    let mut tickets = [0; 7];
    sampling(&data.clusters(), 0.75, &mut tickets).unwrap();
    let mut batch = [0; 8];
    let batches = Batches { size: 8, drop_last: false, seed: 42 };
    let len = balanced_batch(&data.clusters(), &batches, 1_000_003, &mut batch).unwrap();
    let mut one = [0; 4];
    let drawn = cluster_batch(&data.clusters(), &tickets, 42, 1_000_003, &mut one).unwrap();
    let mut rows = [0; 6];
    sample_rows(&data.clusters(), &tickets, 42, 1_000_003, &mut rows, None).unwrap();
    assert_eq!(tickets, [705_701_952, 1 << 30, 1 << 30, 0, 1 << 30, 0, 0]);
    assert_eq!(batch[..len], [35, 1, 48, 25, 45, 37, 23]);
    assert_eq!((drawn.cluster, one, rows), (0, [21, 35, 49, 28], [4, 19, 46, 23, 0, 12]));
}

#[test]
fn what_cannot_be_is_refused() {
    let (mut starts, mut rows) = ([9; 3], [9; 2]);
    for (labels, error) in [(&[0, 2][..], Error::InvalidArgument), (&[0][..], Error::Shape)] {
        assert_eq!(DataClusters::group(labels, &mut starts, &mut rows).unwrap_err(), error);
    }
    assert_eq!(DataClusters::group(&[], &mut [], &mut []).unwrap_err(), Error::Shape);
    assert_eq!((starts, rows), ([9; 3], [9; 2]));
    for (starts, error) in [
        (&[][..], Error::Shape),
        (&[1, 2], Error::Shape),
        (&[0, 1], Error::Shape),
        (&[0, 3], Error::Shape),
        (&[0, 2, 1, 2], Error::InvalidArgument),
    ] {
        assert_eq!(DataClusters::new(starts, &[5, 6]).unwrap_err(), error, "{starts:?}");
    }
    let clusters = DataClusters::new(&[0, 2, 2, 3], &[5, 6, 7]).unwrap();
    let mut tickets = [9; 3];
    assert_eq!(sampling(&clusters, 1.0, &mut tickets[..2]), Err(Error::Shape));
    assert_eq!(sampling(&clusters, f32::NAN, &mut tickets), Err(Error::NonFinite));
    assert_eq!(tickets, [9; 3]);
    let mut batch = [9; 2];
    assert_eq!(cluster_batch(&clusters, &[1, 1], 0, 0, &mut batch), Err(Error::Shape));
    assert_eq!(cluster_batch(&clusters, &[0, 5, 0], 0, 0, &mut batch), Err(Error::InvalidArgument));
    assert_eq!(cluster_batch(&clusters, &[u64::MAX, 0, 1], 0, 0, &mut batch), Err(Error::SizeOverflow));
    assert_eq!(cluster_batch(&clusters, &[1, 0, 1], 0, 1 << 56, &mut batch), Err(Error::SizeOverflow));
    assert_eq!(cluster_batch(&clusters, &[1, 0, 1], 0, 0, &mut []), Err(Error::InvalidArgument));
    assert_eq!(sample_rows(&clusters, &[1, 0, 1], 0, 0, &mut batch, Some(&mut [0.0])), Err(Error::Shape));
    assert_eq!(sample_rows(&clusters, &[0, 1, 0], 0, 0, &mut batch, None), Err(Error::InvalidArgument));
    for (size, drop_last) in [(0, false), (0, true), (4, true)] {
        assert_eq!(batches_per_epoch(3, size, drop_last), Err(Error::InvalidArgument));
        let batches = Batches { size, drop_last, seed: 0 };
        assert_eq!(balanced_batch(&clusters, &batches, 0, &mut [9; 4]), Err(Error::InvalidArgument));
    }
    let batches = Batches { size: 3, drop_last: true, seed: 0 };
    assert_eq!(balanced_batch(&clusters, &batches, 0, &mut batch), Err(Error::OutputTooSmall));
    assert_eq!(batch, [9; 2]);
    // The last step there is.
    assert_eq!(balanced_batch(&clusters, &batches, u64::MAX, &mut [0; 3]), Ok(3));
    // Numbers of rows may be any.
    let mut three = [0; 3];
    balanced_batch(&clusters, &batches, 4, &mut three).unwrap();
    three.sort_unstable();
    assert_eq!(three, [5, 6, 7]);
}
