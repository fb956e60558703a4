//! k-means on two threads beside one: `cargo run --release --features rayon --example kmeans_threads`.

use std::time::Instant;

use hybridq::kmeans::{FitOptions, Points, fit_parallel};
use hybridq::math::Random;

const ROWS: usize = 100_000;
const COLS: usize = 64;
const K: usize = 256;
const TURNS: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut random = Random::new(1, 0);
    let data: Vec<f32> = (0..ROWS * COLS).map(|_| random.unit()).collect();
    let points = Points::new(ROWS, COLS, &data)?;
    let options = FitOptions { max_iterations: 20, ..FitOptions::DEFAULT };
    let pools: Result<Vec<_>, _> =
        [1, 2].iter().map(|&n| rayon::ThreadPoolBuilder::new().num_threads(n).build()).collect();
    let pools = pools?;
    let mut times = [const { Vec::new() }; 2];
    let mut results = Vec::new();
    for _ in 0..TURNS {
        for (pool, times) in pools.iter().zip(&mut times) {
            let (mut centers, mut labels) = (data[..K * COLS].to_vec(), vec![0; ROWS]);
            let begin = Instant::now();
            let found = pool.install(|| fit_parallel(&points, K, &options, &mut centers, &mut labels))?;
            times.push(begin.elapsed());
            results.push((found, centers, labels));
        }
    }
    assert!(results.windows(2).all(|pair| pair[0] == pair[1]), "the same bits");
    let [one, two] = times.map(|mut times| {
        times.sort();
        times[TURNS / 2]
    });
    println!("100K x 64, k = 256, 20 iterations: {one:.1?} on one thread, {two:.1?} on two");
    println!("figure kmeans_two_threads_vs_one {:.2} ratio", one.as_secs_f64() / two.as_secs_f64());
    Ok(())
}
