//! The plot of a run: loss, learning rate, radius and the share of bounded steps, over the steps.

use std::error::Error;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::history::History;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Points of a line, at most: each is the mean of as many steps.
const DRAWN: usize = 400;
/// Steps that a share is taken over, at least.
const WINDOW: usize = 20;

/// The SVG.
pub fn draw(history: &History) -> Result<String, Box<dyn Error>> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (1200, 800)).into_drawing_area();
        root.fill(&WHITE)?;
        let areas = root.split_evenly((2, 2));
        let steps =
            history.points.first().map_or(0, |p| p.step)..history.points.last().map_or(1, |p| p.step + 1);
        let line = |f: &dyn Fn(&super::history::Point) -> Option<f64>| means(history, f);
        let loss = line(&|p| p.loss.map(f64::from));
        let rate = line(&|p| Some(p.rate as f64));
        let radius = line(&|p| p.radius.map(f64::from));
        let bounded = line(&|p| p.radius.map(|_| p.bounded as u8 as f64));
        let [a, b, c, d] = areas.as_slice() else { return Ok(String::new()) };
        logarithmic(a, "Training loss", "cross-entropy", &steps, &loss)?;
        linear(b, "Learning rate, times its multiplier", "rate", &steps, &rate)?;
        logarithmic(c, "Trust radius, times its multiplier", "norm of a step", &steps, &radius)?;
        linear(d, "Steps bounded by the radius", "share", &steps, &bounded)?;
        root.present()?;
    }
    Ok(svg)
}

/// Means of neighbouring steps; those without a value are left out.
fn means(history: &History, value: &dyn Fn(&super::history::Point) -> Option<f64>) -> Vec<(f64, f64)> {
    let share = history.points.len().div_ceil(DRAWN);
    let few = history.points.len().div_ceil(10).max(1);
    history
        .points
        .chunks(share.max(WINDOW.min(few)))
        .filter_map(|points| {
            let values: Vec<f64> = points.iter().filter_map(value).collect();
            let middle = points.iter().map(|p| p.step as f64).sum::<f64>() / points.len() as f64;
            let count = values.len() as f64;
            (count > 0.0).then(|| (middle, values.iter().sum::<f64>() / count))
        })
        .collect()
}

type Steps = std::ops::Range<u64>;

fn linear(
    area: &Area<'_>,
    title: &str,
    axis: &str,
    steps: &Steps,
    points: &[(f64, f64)],
) -> Result<(), Box<dyn Error>> {
    if points.is_empty() {
        return nothing(area, title);
    }
    let most = points.iter().fold(0.0f64, |a, p| a.max(p.1)).max(1e-30);
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(steps.start as f64..steps.end as f64, 0.0..1.05 * most)?;
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc(axis)
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&number)
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(points.iter().copied(), BLUE.stroke_width(2)))?;
    Ok(())
}

fn logarithmic(
    area: &Area<'_>,
    title: &str,
    axis: &str,
    steps: &Steps,
    points: &[(f64, f64)],
) -> Result<(), Box<dyn Error>> {
    let points: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1 > 0.0).collect();
    if points.is_empty() {
        return nothing(area, title);
    }
    let (low, high) = points.iter().fold((f64::MAX, 0.0f64), |(a, b), p| (a.min(p.1), b.max(p.1)));
    // A constant has room around it, too.
    let range = (low / 1.2..high * 1.2).log_scale();
    let mut chart = ChartBuilder::on(area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(72)
        .build_cartesian_2d(steps.start as f64..steps.end as f64, range)?;
    chart
        .configure_mesh()
        .x_desc("step")
        .y_desc(axis)
        .x_label_formatter(&|v| format!("{v:.0}"))
        .y_label_formatter(&number)
        .light_line_style(WHITE)
        .draw()?;
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
    Ok(())
}

/// A panel for what the run does not have.
fn nothing(area: &Area<'_>, title: &str) -> Result<(), Box<dyn Error>> {
    let (width, height) = area.dim_in_pixel();
    let style = ("sans-serif", 18).into_font().color(&BLACK.mix(0.6));
    area.draw(&Text::new(format!("{title}: none"), (width as i32 / 4, height as i32 / 2), style))?;
    Ok(())
}

fn number(v: &f64) -> String {
    if *v == 0.0 || (0.01..1000.0).contains(v) {
        format!("{}", (v * 1e4).round() / 1e4)
    } else {
        format!("{v:.1e}")
    }
}
