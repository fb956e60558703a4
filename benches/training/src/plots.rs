//! Training loss and test accuracy over the steps, the median of the seeds, as SVG.

use std::path::Path;

use plotters::prelude::*;

use crate::Failure;
use crate::experiment::Experiment;
use crate::schedule::Outcome;
use crate::store::{Point, Record};

/// What one figure shows.
const SHOWN: [&str; 6] =
    ["fp32_nadamw", "ternary_sgd", "ternary_schedule_free", "ternary_nadamw", "trust_region", "hybrid"];

/// `TASK.svg` for every task.
pub fn write(experiment: &Experiment, outcome: &Outcome, folder: &Path) -> Result<(), Failure> {
    for task in experiment.tasks.keys() {
        let curves: Vec<(&str, &[Record])> =
            SHOWN.iter().filter_map(|m| Some((*m, outcome.of(task, m)?))).collect();
        if !curves.is_empty() {
            let path = folder.join(format!("{task}.svg"));
            draw(&path, task, &curves).map_err(|e| format!("{}: {e}", path.display()))?;
        }
    }
    Ok(())
}

/// The median over the seeds at every evaluation that all of them have.
fn medians(records: &[Record], value: fn(&Point) -> f64) -> Vec<(f64, f64)> {
    let points = records.iter().map(|r| r.points.len()).min().unwrap_or(0);
    (0..points)
        .map(|i| {
            let mut all: Vec<f64> = records.iter().map(|r| value(&r.points[i])).collect();
            all.sort_by(f64::total_cmp);
            (records[0].points[i].step as f64, all[all.len() / 2])
        })
        .collect()
}

fn draw(path: &Path, task: &str, curves: &[(&str, &[Record])]) -> Result<(), Failure> {
    let root = SVGBackend::new(path, (960, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    // Legends stand where curves that fall, or rise, are not.
    let values: [(&str, SeriesLabelPosition, fn(&Point) -> f64); 2] = [
        ("log10 of the training loss", SeriesLabelPosition::LowerLeft, |p| p.train_loss.max(1e-9).log10()),
        ("test accuracy, %", SeriesLabelPosition::LowerRight, |p| 100.0 * p.test_accuracy),
    ];
    for (area, (title, place, value)) in root.split_evenly((1, 2)).iter().zip(values) {
        let lines: Vec<(&str, Vec<(f64, f64)>)> =
            curves.iter().map(|(m, r)| (*m, medians(r, value))).collect();
        let all = || lines.iter().flat_map(|(_, l)| l);
        let right = all().map(|p| p.0).fold(1.0, f64::max);
        // The beginning would flatten the rest: accuracies from the lowest of the second half on.
        let low = all().filter(|p| p.0 > 0.3 * right).map(|p| p.1).fold(f64::INFINITY, f64::min);
        let high = all().filter(|p| p.0 > 0.1 * right).map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
        let room = 0.05 * (high - low).max(1e-6);
        let mut chart = ChartBuilder::on(area)
            .caption(format!("{task}: {title}"), ("sans-serif", 15))
            .margin(8)
            .x_label_area_size(30)
            .y_label_area_size(45)
            .build_cartesian_2d(0.0..right, low - room..high + room)?;
        chart.configure_mesh().x_desc("step").light_line_style(WHITE.mix(0.0)).draw()?;
        for (i, (name, line)) in lines.iter().enumerate() {
            let color = Palette99::pick(i).to_rgba();
            let within = line.iter().map(|p| (p.0, p.1.clamp(low - room, high + room)));
            chart
                .draw_series(LineSeries::new(within, color.stroke_width(2)))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], color.stroke_width(2)));
        }
        let style = WHITE.mix(0.8);
        chart.configure_series_labels().position(place).background_style(style).border_style(BLACK).draw()?;
    }
    root.present()?;
    Ok(())
}
