//! Inputs that are hard for threshold searches, and slow references in double precision.

use crate::common::{Rng, gaussian};

/// Named inputs of `n` values.
pub fn inputs(n: usize) -> Vec<(&'static str, Vec<f32>)> {
    let normal = gaussian(n, n as u64 + 1);
    let mut rising = normal.clone();
    rising.sort_by(f32::total_cmp);
    let falling: Vec<f32> = rising.iter().rev().copied().collect();
    let each = |f: &dyn Fn(usize) -> f32| (0..n).map(f).collect::<Vec<f32>>();
    let scaled = |s: f32| normal.iter().map(|v| v * s).collect::<Vec<f32>>();
    let mut outlier = normal.clone();
    outlier[n / 2] = 1e6;
    vec![
        ("normal", normal.clone()),
        ("rising", rising),
        ("falling", falling),
        ("one outlier", outlier),
        ("geometric", each(&|i| 2f32.powi(-((i % 120) as i32)))),
        ("steep geometric", each(&|i| 3f32.powi(60 - (i % 120) as i32))),
        ("harmonic", each(&|i| 1.0 / (i + 1) as f32)),
        ("all equal", vec![0.75; n]),
        ("all zero", vec![0.0; n]),
        ("two values", each(&|i| if i % 3 == 0 { 1.0 } else { -0.5 })),
        ("many zeros", each(&|i| if i % 7 == 3 { normal[i] } else { 0.0 })),
        // what a guess from every sixteenth block of 256 gets wrong
        (
            "large where the sample looks",
            each(&|i| if i / 256 % 16 == 0 { 5.0 + normal[i] } else { normal[i] }),
        ),
        ("large where it does not", each(&|i| if i / 256 % 16 == 0 { normal[i] } else { 5.0 + normal[i] })),
        ("far from zero", each(&|i| 1000.0 + 1e-3 * normal[i])),
        ("huge", scaled(1e30)),
        ("tiny", scaled(1e-30)),
        ("denormal", scaled(1e-41)),
        ("integers with ties", each(&|i| ((i * i) % 5) as f32 - 1.0)),
    ]
}

/// The sorted way, in double precision.
pub fn simplex(x: &[f64], total: f64) -> Vec<f64> {
    let mut sorted = x.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    // Relative to the largest, so that sums of values far from zero lose nothing.
    let top = sorted[0];
    let (mut sum, mut t) = (0.0, -total);
    for (k, v) in sorted.iter().enumerate() {
        sum += v - top;
        let next = (sum - total) / (k + 1) as f64;
        if v - top > next {
            t = next;
        }
    }
    x.iter().map(|v| ((v - top) - t).max(0.0)).collect()
}

/// Bisection in double precision, relative to the value above the threshold: of values of all magnitudes nothing is lost.
pub fn capped_simplex(x: &[f64], cap: f64, total: f64) -> Vec<f64> {
    let mut sorted = x.to_vec();
    sorted.sort_by(f64::total_cmp);
    let value = |v: f64, base: f64, t: f64| ((v - base) - t).clamp(0.0, cap);
    let sum = |base: f64, t: f64| x.iter().map(|&v| value(v, base, t)).sum::<f64>();
    let base = sorted[sorted.partition_point(|&v| sum(v, 0.0) > total)];
    let (mut low, mut high) = (-cap, 0.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        *(if sum(base, middle) > total { &mut low } else { &mut high }) = middle;
    }
    x.iter().map(|&v| value(v, base, 0.5 * (low + high))).collect()
}

pub fn l1_ball(x: &[f64], center: &[f64], radius: f64) -> Vec<f64> {
    let far: Vec<f64> = x.iter().zip(center).map(|(x, c)| (x - c).abs()).collect();
    if far.iter().sum::<f64>() <= radius {
        return x.to_vec();
    }
    let left = simplex(&far, radius);
    x.iter().zip(center).zip(left).map(|((x, c), m)| c + m.copysign(x - c)).collect()
}

pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| v.into()).collect()
}

/// A random point of the simplex with that sum.
pub fn on_simplex(n: usize, total: f64, rng: &mut Rng) -> Vec<f64> {
    let x: Vec<f64> = (0..n).map(|_| -(1.0 - rng.uniform()).ln()).collect();
    let sum: f64 = x.iter().sum();
    x.iter().map(|v| v / sum * total).collect()
}
