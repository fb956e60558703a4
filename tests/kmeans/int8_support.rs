//! What the tests of int8 k-means share: the definition, read plainly, and short forms of the functions.

use hybridq::kmeans::Empty;
use hybridq::kmeans::int8::{
    Fit, Options, Seeding, accumulate, accumulate_workspace_size, assign, assign_workspace_size, fit,
    fit_workspace_size, partial_len,
};

use crate::common::Rng;

// ---- the definition, read plainly --------------------------------------------------------------------------------

pub fn distance(x: &[i8], c: &[i16]) -> u64 {
    x.iter().zip(c).map(|(&x, &c)| (16 * x as i64 - c as i64).pow(2) as u64).sum()
}

pub fn nearest(x: &[i8], centers: &[i16]) -> (u16, u64) {
    let d = x.len();
    let all = centers.chunks(d).map(|c| distance(x, c));
    let (label, least) = all.enumerate().min_by_key(|&(i, distance)| (distance, i)).unwrap();
    (label as u16, least)
}

pub fn plain_assign(points: &[i8], d: usize, centers: &[i16]) -> (Vec<u16>, u64) {
    let found: Vec<_> = points.chunks(d).map(|x| nearest(x, centers)).collect();
    (found.iter().map(|f| f.0).collect(), found.iter().map(|f| f.1).sum())
}

/// Means to the nearest sixteenth, ties up; clusters without rows keep their centre.
pub fn plain_update(points: &[i8], d: usize, labels: &[u16], centers: &mut [i16]) {
    for (number, center) in centers.chunks_mut(d).enumerate() {
        let rows: Vec<_> =
            points.chunks(d).zip(labels).filter(|(_, l)| **l as usize == number).map(|(x, _)| x).collect();
        for (j, c) in center.iter_mut().enumerate().filter(|_| !rows.is_empty()) {
            let sum: i64 = rows.iter().map(|x| x[j] as i64).sum();
            let n = rows.len() as i64;
            *c = (32 * sum + n).div_euclid(2 * n) as i16;
        }
    }
}

// ---- short forms -------------------------------------------------------------------------------------------------

pub fn assigned(points: &[i8], d: usize, centers: &[i16]) -> (Vec<u16>, u64) {
    let mut labels = vec![7; points.len() / d];
    let mut scratch = vec![0xAA; assign_workspace_size(d, centers.len() / d).unwrap()];
    let inertia = assign(points, d, centers, &mut labels, &mut scratch).unwrap();
    (labels, inertia)
}

pub fn fitted(points: &[i8], d: usize, options: &Options, start: &[i16]) -> (Fit, Vec<i16>, Vec<u16>) {
    let n = points.len() / d;
    let (mut centers, mut labels) = (start.to_vec(), vec![7; n]);
    centers.resize(options.k * d, 0);
    let mut scratch = vec![0xAA; fit_workspace_size(n, d, options).unwrap()];
    let found = fit(points, d, options, &mut centers, &mut labels, &mut scratch).unwrap();
    assert_eq!(
        plain_assign(points, d, &centers),
        (labels.clone(), found.inertia),
        "labels and inertia are fresh"
    );
    (found, centers, labels)
}

pub fn given(k: usize, empty: Empty) -> Options {
    Options { k, max_iterations: 100, seeding: Seeding::Given, empty }
}

/// Points around `k` centres.
pub fn blobs(n: usize, d: usize, k: usize, spread: i32, rng: &mut Rng) -> Vec<i8> {
    let middles: Vec<i32> = (0..k * d).map(|_| rng.next() as i8 as i32 * 3 / 4).collect();
    let mut points = Vec::new();
    for row in 0..n {
        for j in 0..d {
            let noise = (0..3).map(|_| (rng.next() % (2 * spread as u64 + 1)) as i32 - spread).sum::<i32>();
            points.push((middles[row % k * d + j] + noise).clamp(-128, 127) as i8);
        }
    }
    points
}

pub fn codes(len: usize, rng: &mut Rng) -> Vec<i8> {
    (0..len).map(|_| rng.next() as i8).collect()
}

pub fn centers_in(len: usize, rng: &mut Rng) -> Vec<i16> {
    (0..len).map(|_| (rng.next() % 4081) as i16 - 2048).collect()
}

pub fn partial_of(points: &[i8], d: usize, centers: &[i16]) -> Vec<i64> {
    let k = centers.len() / d;
    let mut partial = vec![0; partial_len(d, k).unwrap()];
    let mut scratch = vec![0; accumulate_workspace_size(d, k).unwrap()];
    accumulate(points, d, centers, &mut [], &mut partial, &mut scratch).unwrap();
    partial
}
