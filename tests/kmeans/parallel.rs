//! k-means on one, two and eight threads: the same bits.

use crate::support::*;
use hybridq::Error;
use hybridq::kmeans::*;

fn on(threads: usize, points: &Points<'_>, k: usize, start: &[f32], options: &FitOptions) -> Out {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let (mut centers, mut labels) = (start.to_vec(), vec![0; points.rows()]);
    let fit = pool.install(|| fit_parallel(points, k, options, &mut centers, &mut labels)).unwrap();
    Out { fit, centers, labels }
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    for (rows, cols, k) in [(5000, 30, 40), (20011, 7, 25), (3000, 100, 60), (50, 2, 3)] {
        let random = crate::common::gaussian(rows * cols, 8);
        // Duplicates, so that clusters run empty and are given a point by all threads together.
        let few: Vec<f32> = random.iter().map(|v| v.round()).collect();
        let weights: Vec<f32> = (0..rows).map(|i| (i % 5) as f32).collect();
        for data in [&random, &few, &blobs(rows, cols, k, 3)] {
            for points in [
                Points::new(rows, cols, data).unwrap(),
                Points::weighted(rows, cols, data, &weights).unwrap(),
            ] {
                for empty in [Empty::Farthest, Empty::SplitLargest, Empty::Keep] {
                    let options = FitOptions { empty, max_iterations: 12, ..FitOptions::DEFAULT };
                    let yinyang = FitOptions { bounds: Bounds::Yinyang, ..options };
                    let start =
                        data[..cols].repeat(k / 2).into_iter().chain(data[..(k - k / 2) * cols].to_vec());
                    let start: Vec<f32> = start.collect();
                    let one = run(&points, k, &start, &options);
                    for threads in [1, 2, 8] {
                        assert_eq!(
                            on(threads, &points, k, &start, &options),
                            one,
                            "{rows} x {cols}, {threads} threads"
                        );
                        assert_eq!(
                            on(threads, &points, k, &start, &yinyang),
                            one,
                            "groups, {threads} threads"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn errors_are_those_of_one_thread() {
    let (rows, cols) = (60_000, 20);
    let mut data = crate::common::gaussian(rows * cols, 1);
    let start = data[..2 * cols].to_vec();
    data[rows * cols - 1] = f32::NAN;
    let mut weights = vec![1.0; rows];
    weights[3] = -1.0;
    let points = Points::weighted(rows, cols, &data, &weights).unwrap();
    let (mut centers, mut labels) = (start.clone(), vec![7; rows]);
    let options = FitOptions::DEFAULT;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).build().unwrap();
    let mut fails = |points: &Points<'_>| {
        pool.install(|| fit_parallel(points, 2, &options, &mut centers, &mut labels)).unwrap_err()
    };
    assert_eq!(fails(&points), Error::NonFinite);
    data[rows * cols - 1] = 0.0;
    assert_eq!(fails(&Points::weighted(rows, cols, &data, &weights).unwrap()), Error::InvalidArgument);
    assert_eq!((centers, labels), (start, vec![7; rows]));
}
