//! What the tests of k-means share: data, and the canonical distance written out once more.

use hybridq::kmeans::*;

use crate::common::gaussian;

/// The canonical squared distance for ordinary magnitudes, from its description.
pub fn distance(x: &[f32], c: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    for (i, (x, c)) in x.iter().zip(c).enumerate() {
        lanes[i % 16] += (x - c) * (x - c);
    }
    for half in [8, 4, 2, 1] {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
    }
    lanes[0]
}

/// The nearest centre and its distance; of equal ones the first.
pub fn nearest(x: &[f32], centers: &[f32]) -> (u32, f32) {
    let mut best = (0, f32::INFINITY);
    for (j, c) in centers.chunks(x.len()).enumerate() {
        let d = distance(x, c);
        if d < best.1 {
            best = (j as u32, d);
        }
    }
    best
}

/// `k` round clusters of spread 1 whose centres are about 20 apart; row `i` belongs to `i % k`.
pub fn blobs(rows: usize, cols: usize, k: usize, seed: u64) -> Vec<f32> {
    let centers = gaussian(k * cols, seed + 1000);
    let noise = gaussian(rows * cols, seed);
    (0..rows * cols).map(|i| 20.0 * centers[i / cols % k * cols + i % cols] + noise[i]).collect()
}

#[derive(Debug, PartialEq, Clone)]
pub struct Out {
    pub fit: Fit,
    pub centers: Vec<f32>,
    pub labels: Vec<u32>,
}

impl Out {
    /// Labels belong to the centres.
    pub fn check_labels(&self, cols: usize, data: &[f32]) {
        for (i, x) in data.chunks(cols).enumerate() {
            assert_eq!(self.labels[i], nearest(x, &self.centers).0, "row {i}");
        }
    }

    /// Labels and inertia belong to the centres.
    pub fn check(&self, rows: usize, cols: usize, data: &[f32], k: usize) {
        assert_eq!(self.centers.len(), k * cols);
        let mut inertia = 0.0f64;
        for i in 0..rows {
            let x = &data[i * cols..(i + 1) * cols];
            let (label, d) = nearest(x, &self.centers);
            assert_eq!(self.labels[i], label, "row {i}");
            inertia += d as f64;
        }
        assert!(
            (self.fit.inertia as f64 - inertia).abs() <= inertia * 6e-8,
            "{} {inertia}",
            self.fit.inertia
        );
    }
}

pub fn run(points: &Points<'_>, k: usize, start: &[f32], options: &FitOptions) -> Out {
    let mut scratch = vec![0xA5; fit_workspace_size(points.rows(), points.cols(), k, options).unwrap()];
    let (mut centers, mut labels) = (start.to_vec(), vec![0; points.rows()]);
    let fit = fit(points, k, options, &mut centers, &mut labels, &mut scratch).unwrap();
    Out { fit, centers, labels }
}

pub fn lloyd(rows: usize, cols: usize, data: &[f32], k: usize, start: &[f32], options: &FitOptions) -> Out {
    run(&Points::new(rows, cols, data).unwrap(), k, start, options)
}
