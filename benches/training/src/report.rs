//! The report: a table for every task, the figures, and what became of the original claims.

use std::fmt::Write as _;

use crate::experiment::Experiment;
use crate::schedule::Outcome;
use crate::statistics::{Interval, geometric_mean, interquartile_mean, interval, mean};
use crate::store::{Point, Record};

/// What the hybrid methods are held against.
pub const BASE: &str = "ternary_nadamw";
const HYBRID: &str = "hybrid";
const FLOAT: &str = "fp32_nadamw";
const TERNARY: &str = "ternary_tuned";

/// Markdown, with `figure` lines.
pub fn text(experiment: &Experiment, outcome: &Outcome) -> String {
    let mut text = String::new();
    for (task, _) in experiment.tasks.iter() {
        let methods: Vec<&str> = experiment.methods.keys().map(String::as_str).collect();
        let runs: Vec<(&str, &[Record])> =
            methods.iter().filter_map(|m| Some((*m, outcome.of(task, m)?))).collect();
        if !runs.is_empty() {
            table(&mut text, experiment, outcome, task, &runs);
        }
    }
    figures(&mut text, experiment, outcome);
    text
}

impl Outcome {
    /// The runs of a method, by seed.
    pub fn of(&self, task: &str, method: &str) -> Option<&[Record]> {
        self.runs.get(&(task.to_owned(), method.to_owned())).map(Vec::as_slice)
    }
}

fn table(
    text: &mut String,
    experiment: &Experiment,
    outcome: &Outcome,
    task: &str,
    runs: &[(&str, &[Record])],
) {
    let seeds = runs.first().map_or(0, |r| r.1.len());
    let _ = writeln!(text, "## {task}\n");
    if let Some((steps, parameters)) =
        outcome.of(task, BASE).and_then(|r| Some((r.first()?.last()?.step, r.first()?.parameters)))
    {
        let _ = writeln!(text, "{parameters} parameters, {steps} steps, {seeds} seeds.\n");
    }
    let _ = writeln!(
        text,
        "| method | rate | test accuracy, % | mean | rounded after | training loss | test loss | steps to base's training loss | \
         reached | work to it | steps to base's test loss | reached | seconds | quantization error | bytes a parameter |"
    );
    let _ = writeln!(text, "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    for (method, records) in runs {
        let ends: Vec<&Point> = records.iter().filter_map(Record::last).collect();
        if ends.is_empty() {
            let _ = writeln!(text, "| {method} | | diverged |");
            continue;
        }
        let accuracy: Vec<f64> = ends.iter().map(|p| 100.0 * p.test_accuracy).collect();
        let rounded: Vec<f64> = records.iter().filter_map(|r| Some(100.0 * r.rounded_accuracy?)).collect();
        let error: Vec<f64> = records.iter().filter_map(|r| r.quantization_error).collect();
        let seconds = mean(&ends.iter().map(|p| p.seconds).collect::<Vec<_>>());
        let training = reach(outcome, task, records, |p| p.train_loss);
        let test = reach(outcome, task, records, |p| p.test_loss);
        let _ = writeln!(
            text,
            "| {method} | {:.1e} | {} | {:.2} | {} | {:.5} | {:.4} | {} | {} | {} | {} | {} | {seconds:.2} | {} | {:.2} |",
            outcome.rates.get(&(task.to_owned(), (*method).to_owned())).copied().unwrap_or(f64::NAN),
            shown(interval(&accuracy, interquartile_mean), 2),
            mean(&accuracy),
            some(&rounded, |r| format!("{:.2}", mean(r))),
            geometric_mean(ends.iter().map(|p| p.train_loss)),
            geometric_mean(ends.iter().map(|p| p.test_loss)),
            some(&training.steps, |s| shown(interval(s, interquartile_mean), 2)),
            training.reached(),
            some(&training.work, |s| shown(interval(s, interquartile_mean), 2)),
            some(&test.steps, |s| shown(interval(s, interquartile_mean), 2)),
            test.reached(),
            some(&error, |e| format!("{:.3}", mean(e))),
            records[0].bytes_held as f64 / records[0].parameters.max(1) as f64,
        );
    }
    let failed: Vec<String> = runs
        .iter()
        .flat_map(|(m, r)| {
            r.iter().filter_map(move |r| Some(format!("{m}, seed {}: {}", r.key.seed, r.failure.as_ref()?)))
        })
        .collect();
    if !failed.is_empty() {
        let _ = writeln!(text, "\nRuns that ended early: {}.", failed.join("; "));
    }
    let _ = writeln!(text);
    if task == experiment.tasks.keys().next().map_or("", String::as_str) {
        for (name, method) in &experiment.methods {
            let _ = writeln!(text, "- `{name}`: {}", method.what);
        }
        let _ = writeln!(text);
    }
}

/// Steps and work until a loss is as low as that of the base at its end, over those that the base took; infinity if it never was.
struct Reach {
    steps: Vec<f64>,
    work: Vec<f64>,
}

impl Reach {
    fn reached(&self) -> String {
        match self.steps.len() {
            0 => String::new(),
            n => format!("{}/{n}", self.steps.iter().filter(|s| s.is_finite()).count()),
        }
    }
}

/// A backward pass counts as two forward passes.
fn work(p: &Point) -> f64 {
    p.forwards as f64 + 2.0 * p.backwards as f64
}

fn reach(outcome: &Outcome, task: &str, records: &[Record], loss: fn(&Point) -> f64) -> Reach {
    let mut found = Reach { steps: Vec::new(), work: Vec::new() };
    for record in records {
        let same_seed = outcome.of(task, BASE).and_then(|b| b.iter().find(|b| b.key.seed == record.key.seed));
        let Some(end) = same_seed.and_then(Record::last) else { continue };
        let at = record.points.iter().find(|p| loss(p) <= loss(end));
        found.steps.push(at.map_or(f64::INFINITY, |p| p.step as f64 / end.step as f64));
        found.work.push(at.map_or(f64::INFINITY, |p| work(p) / work(end)));
    }
    found
}

fn some(values: &[f64], show: impl Fn(&[f64]) -> String) -> String {
    if values.is_empty() { String::new() } else { show(values) }
}

fn shown(i: Interval, digits: usize) -> String {
    let number = |x: f64| if x.is_finite() { format!("{x:.digits$}") } else { "never".to_owned() };
    format!("{} [{}, {}]", number(i.value), number(i.low), number(i.high))
}

/// One method's ends against another's, seed by seed.
fn pairs<'a>(outcome: &'a Outcome, task: &str, a: &str, b: &str) -> Vec<(&'a Record, &'a Record)> {
    let (Some(a), Some(b)) = (outcome.of(task, a), outcome.of(task, b)) else { return Vec::new() };
    a.iter().filter_map(|x| Some((x, b.iter().find(|y| y.key.seed == x.key.seed)?))).collect()
}

fn figures(text: &mut String, experiment: &Experiment, outcome: &Outcome) {
    let _ = writeln!(text, "## Figures\n\n```text");
    for task in experiment.tasks.keys() {
        let ends = |a: &str, b: &str, f: fn(&Point) -> f64| -> Vec<(f64, f64)> {
            let found = pairs(outcome, task, a, b);
            found.iter().filter_map(|(x, y)| Some((f(x.last()?), f(y.last()?)))).collect()
        };
        for (name, a, b) in [
            ("ternary_minus_fp32", TERNARY, FLOAT),
            ("hybrid_minus_fp32", HYBRID, FLOAT),
            ("distilled_minus_fp32", "ternary_distilled", FLOAT),
        ] {
            let gap: Vec<f64> = ends(a, b, |p| 100.0 * p.test_accuracy).iter().map(|(x, y)| x - y).collect();
            if !gap.is_empty() {
                let i = interval(&gap, mean);
                let _ = writeln!(
                    text,
                    "figure {task}_{name} {:.2} points  (mean of {} seeds, 95 % {:.2} to {:.2})",
                    i.value,
                    gap.len(),
                    i.low,
                    i.high
                );
            }
        }
        for (name, loss) in
            [("training", (|p: &Point| p.train_loss) as fn(&Point) -> f64), ("test", |p: &Point| p.test_loss)]
        {
            if let Some(records) = outcome.of(task, HYBRID) {
                let found = reach(outcome, task, records, loss);
                if !found.steps.is_empty() {
                    let iqm = interquartile_mean(&found.steps);
                    let _ = writeln!(
                        text,
                        "figure {task}_hybrid_steps_to_{name}_loss {iqm:.2} of the base's  (reached {})",
                        found.reached()
                    );
                }
                let ratio = geometric_mean(ends(HYBRID, BASE, loss).iter().map(|(x, y)| x / y));
                let _ = writeln!(text, "figure {task}_hybrid_final_{name}_loss {ratio:.2} of the base's");
            }
        }
        let error: Vec<f64> = pairs(outcome, task, HYBRID, BASE)
            .iter()
            .filter_map(|(x, y)| Some(x.quantization_error? / y.quantization_error?))
            .collect();
        if !error.is_empty() {
            let ratio = mean(&error);
            let _ = writeln!(text, "figure {task}_hybrid_quantization_error {ratio:.2} of plain QAT's");
        }
    }
    let _ = writeln!(text, "```\n");
}
