//! The plot of a clustering: its inertia over the iterations or over the number of clusters, and the rows on their two principal axes.

use std::error::Error;

use hybridq::io::matrix::Matrix;
use plotters::prelude::*;

use crate::cluster::{Curve, Outcome};

/// Rows that are drawn, at most: evenly spaced ones.
const DRAWN: usize = 5000;

/// The SVG.
pub fn draw(data: &Matrix, found: &Outcome) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (1200, 560)).into_drawing_area();
        root.fill(&WHITE)?;
        let (left, right) = root.split_horizontally(500);
        curve(&left, &found.curve)?;
        scatter(&right, data, found)?;
        root.present()?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn curve(area: &Area<'_>, curve: &Curve) -> Result<(), Box<dyn Error>> {
    let points = &curve.points;
    let first = points.first().map_or(0, |p| p.0);
    let last = points.last().map_or(1, |p| p.0.max(first + 1));
    let most = points.iter().fold(0.0f32, |a, p| a.max(p.1)) as f64;
    let mut chart = ChartBuilder::on(area)
        .caption(curve.title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(first..last, 0.0..1.05 * most.max(f64::MIN_POSITIVE))?;
    chart
        .configure_mesh()
        .x_desc(curve.axis)
        .y_desc("sum of squared distances")
        .y_label_formatter(&|v| format!("{v:.3e}"))
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().map(|p| (p.0, p.1 as f64)), &BLUE))?;
    chart.draw_series(points.iter().map(|p| Circle::new((p.0, p.1 as f64), 2, BLUE.filled())))?;
    Ok(())
}

fn scatter(area: &Area<'_>, data: &Matrix, found: &Outcome) -> Result<(), Box<dyn Error>> {
    let step = data.rows.div_ceil(DRAWN);
    let axes = Axes::of(data, step);
    let rows: Vec<([f64; 2], u32)> = data
        .data
        .chunks(data.cols)
        .zip(&found.labels)
        .step_by(step)
        .map(|(row, &label)| (axes.place(row), label))
        .collect();
    let centers: Vec<[f64; 2]> = found.centers.chunks(data.cols).map(|row| axes.place(row)).collect();
    let range = |axis: usize| {
        let values = rows.iter().map(|r| r.0[axis]).chain(centers.iter().map(|c| c[axis]));
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        let room = if high > low { 0.03 * (high - low) } else { 1.0 };
        low - room..high + room
    };
    let mut chart = ChartBuilder::on(area)
        .caption("Rows on their principal axes", ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(60)
        .build_cartesian_2d(range(0), range(1))?;
    chart
        .configure_mesh()
        .x_desc("first principal axis")
        .y_desc("second principal axis")
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(
        rows.iter().map(|&([x, y], label)| Circle::new((x, y), 2, color(label as usize).filled())),
    )?;
    chart.draw_series(centers.iter().map(|&[x, y]| Cross::new((x, y), 6, BLACK.stroke_width(2))))?;
    Ok(())
}

/// Neighbours in number are far apart in hue: steps of the golden ratio.
fn color(cluster: usize) -> HSLColor {
    HSLColor((cluster as f64 * 0.618_033_988_749_895).fract(), 0.7, 0.45)
}

/// The mean of some rows, and the two directions in which they spread most.
struct Axes {
    mean: Vec<f64>,
    directions: [Vec<f64>; 2],
}

impl Axes {
    /// Of every `step`th row, by power iteration: enough for the eye.
    fn of(data: &Matrix, step: usize) -> Axes {
        let rows = || data.data.chunks(data.cols).step_by(step);
        let count = rows().count().max(1) as f64;
        let mut mean = vec![0.0; data.cols];
        for row in rows() {
            for (m, &v) in mean.iter_mut().zip(row) {
                *m += v as f64 / count;
            }
        }
        let mut axes = Axes { mean, directions: [vec![0.0; data.cols], vec![0.0; data.cols]] };
        for axis in 0..2.min(data.cols) {
            // Any start does that is not at right angles to what is looked for.
            let mut direction: Vec<f64> =
                (0..data.cols).map(|i| 1.0 + (i * 37 % 101) as f64 / 101.0).collect();
            for _ in 0..60 {
                axes.straighten(&mut direction, axis);
                let mut next = vec![0.0; data.cols];
                for row in rows() {
                    let along = axes.along(row, &direction);
                    for ((n, &v), m) in next.iter_mut().zip(row).zip(&axes.mean) {
                        *n += along * (v as f64 - m);
                    }
                }
                direction = next;
            }
            axes.straighten(&mut direction, axis);
            axes.directions[axis] = direction;
        }
        axes
    }

    /// At right angles to the axes found so far, of length 1; 0 if nothing is left.
    fn straighten(&self, direction: &mut [f64], found: usize) {
        for other in &self.directions[..found] {
            let shared: f64 = direction.iter().zip(other).map(|(a, b)| a * b).sum();
            direction.iter_mut().zip(other).for_each(|(a, b)| *a -= shared * b);
        }
        let largest = direction.iter().fold(0.0f64, |a, v| a.max(v.abs()));
        if largest > 0.0 {
            direction.iter_mut().for_each(|v| *v /= largest);
            let length = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
            direction.iter_mut().for_each(|v| *v /= length);
        }
    }

    fn along(&self, row: &[f32], direction: &[f64]) -> f64 {
        row.iter().zip(&self.mean).zip(direction).map(|((&v, m), d)| (v as f64 - m) * d).sum()
    }

    fn place(&self, row: &[f32]) -> [f64; 2] {
        [self.along(row, &self.directions[0]), self.along(row, &self.directions[1])]
    }
}
