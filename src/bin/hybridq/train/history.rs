//! What the plot and the summary are made of: a few numbers of every step.

use std::path::Path;

use hybridq::train::Line;
use serde_json::Value;

/// Of one step.
#[derive(Clone, Copy)]
pub struct Point {
    pub step: u64,
    pub loss: Option<f32>,
    /// Times the multiplier.
    pub rate: f32,
    /// Times the multiplier; `None` without a trust region.
    pub radius: Option<f32>,
    /// Whether the radius shortened the step.
    pub bounded: bool,
}

/// Of all steps that are known.
#[derive(Default)]
pub struct History {
    pub points: Vec<Point>,
    /// That the steps of this process took.
    pub seconds: f64,
}

impl History {
    pub fn add(&mut self, line: &Line) {
        self.points.push(Point {
            step: line.step,
            loss: line.loss,
            rate: line.learning_rate * line.rate_multiplier,
            radius: line.radius.map(|r| r * line.radius_multiplier),
            bounded: line.bounded.is_some_and(|b| b > 0),
        });
    }

    /// The steps before `end` that a metrics file tells of; what is not understood is left out: they are for the eye.
    pub fn read(path: &Path, end: u64) -> History {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let json = path.extension().is_some_and(|e| e == "jsonl");
        let mut lines = text.lines();
        let columns: Vec<&str> =
            if json { Vec::new() } else { lines.next().unwrap_or("").split(',').collect() };
        let mut history = History::default();
        for line in lines {
            let value: Value =
                if json { serde_json::from_str(line).unwrap_or_default() } else { Value::Null };
            let cells: Vec<&str> = if json { Vec::new() } else { line.split(',').collect() };
            let number = |name: &str| match json {
                true => value[name].as_f64(),
                false => columns.iter().position(|c| *c == name).and_then(|i| cells.get(i)?.parse().ok()),
            };
            let Some(step) = number("step").map(|s| s as u64).filter(|s| *s < end) else { continue };
            let factor = |name: &str| number(name).unwrap_or(1.0);
            history.points.push(Point {
                step,
                loss: number("loss").map(|v| v as f32),
                rate: (number("learning_rate").unwrap_or(0.0) * factor("rate_multiplier")) as f32,
                radius: number("radius").map(|r| (r * factor("radius_multiplier")) as f32),
                bounded: number("bounded").is_some_and(|b| b > 0.0),
            });
        }
        history
    }
}
