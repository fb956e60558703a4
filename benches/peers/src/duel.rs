//! Interleaved timing: contestants take turns, so that a machine that speeds up or slows down does so for all
//! of them; the median of each one's turns counts.

use std::time::Instant;

/// Median seconds a turn, in the order of the contestants.
pub fn medians(contestants: &mut [&mut dyn FnMut()], turns: usize) -> Vec<f64> {
    let mut times = vec![Vec::with_capacity(turns); contestants.len()];
    for work in contestants.iter_mut() {
        work(); // warm caches, tables and branch predictors
    }
    for _ in 0..turns {
        for (work, times) in contestants.iter_mut().zip(&mut times) {
            let start = Instant::now();
            work();
            times.push(start.elapsed().as_secs_f64());
        }
    }
    times
        .into_iter()
        .map(|mut t| {
            t.sort_by(f64::total_cmp);
            t[t.len() / 2]
        })
        .collect()
}
