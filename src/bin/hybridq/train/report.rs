//! What a run says: a line an epoch, and a summary.

use hybridq::quant::Format;
use std::path::Path;

use hybridq::io::printable;
use hybridq::train::{Dataset, Evaluation, Exported, Line, ModelKind, Teacher, Trainer, WeightForm};

use super::data::Rows;
use super::history::History;
use crate::{Stop, ui};

/// Says what is about to happen.
pub fn begin(trainer: &Trainer, rows: &Rows, quantize_after: bool) {
    let config = trainer.config();
    let [features, classes] = trainer.shape();
    let kind = match config.model.kind {
        ModelKind::Mlp => "perceptron",
        ModelKind::Conv => "convolutional",
        ModelKind::Attention => "attention",
    };
    let weights = match config.model.weights {
        WeightForm::Ternary => "ternary weights in training",
        WeightForm::Proximal => "weights that turn ternary in training",
        WeightForm::Float if quantize_after => "float weights, made ternary after training",
        WeightForm::Float => "float weights",
    };
    let held_back = rows.held_back.as_ref().map_or(0, |r| r.rows());
    ui::print(&format!(
        "{} rows to learn from, {held_back} held back, {} to test by ({})\n\
         {kind} network, {features} features, {classes} classes: {} parameters, {weights}\n",
        rows.train.rows(),
        rows.test.rows(),
        rows.test_name,
        trainer.parameters().len(),
    ));
    if trainer.steps() > 0 {
        ui::print(&format!("going on after {} of {} steps\n", trainer.steps(), trainer.total_steps()));
    }
}

/// Says how good the teacher is.
pub fn teacher(path: &Path, teacher: &mut Teacher, test: &Dataset) -> Result<(), Stop> {
    let logits = teacher.logits(test)?;
    let rows = logits.chunks_exact(test.classes).zip(&test.labels);
    let right = rows.filter(|(l, label)| l.iter().all(|v| *v <= l[**label as usize])).count();
    let percent = 100.0 * right as f64 / test.labels.len().max(1) as f64;
    let file = printable(&path.to_string_lossy());
    ui::print(&format!("teacher {file}: {percent:.2} % of the test\n"));
    Ok(())
}

/// An epoch under way.
#[derive(Default)]
pub struct Epoch {
    loss: f64,
    steps: u32,
    bounded: u32,
    accepted: u32,
}

impl Epoch {
    pub fn add(&mut self, line: &Line) {
        self.loss += line.loss.map_or(f64::INFINITY, f64::from);
        self.steps += 1;
        self.bounded += line.bounded.is_some_and(|b| b > 0) as u32;
        self.accepted += (line.verdict == "accepted") as u32;
    }

    /// Its line; and begins the next one.
    pub fn end(&mut self, trainer: &Trainer, held_back: Option<Evaluation>) -> String {
        let epoch = trainer.steps() / trainer.steps_per_epoch().max(1);
        let mut line = format!(
            "epoch {epoch:>3}/{}  loss {:.4}",
            trainer.config().epochs,
            self.loss / self.steps.max(1) as f64
        );
        if let Some(found) = held_back {
            line += &format!("  held back {:.4}, {:6.2} %", found.loss, 100.0 * found.accuracy);
        }
        let share = |count: u32| 100.0 * count as f64 / self.steps.max(1) as f64;
        if trainer.config().trust_region.enabled {
            line += &format!(
                "  radius {:.2e}  bounded {:3.0} %  accepted {:3.0} %",
                trainer.region().radius,
                share(self.bounded),
                share(self.accepted)
            );
        }
        if let Some(found) = trainer.summary().measured {
            line += &format!("  error {:.4}", found.quantization_error);
            if let Some(flips) = found.flip_rate {
                line += &format!("  flips {:5.2} %", 100.0 * flips);
            }
        }
        *self = Epoch::default();
        line + "\n"
    }
}

/// What [`end`] tells besides the trainer's own.
pub struct Ended<'a> {
    pub test: &'a str,
    /// Of the stored matrices.
    pub error: f64,
    pub format: Option<Format>,
}

/// The statistics of the whole run.
pub fn end(trainer: &Trainer, history: &History, ended: &Ended<'_>) {
    let line = |name: &str, value: String| ui::print(&format!("{name:<32} {value}\n"));
    ui::print("\n");
    let epochs = trainer.steps() / trainer.steps_per_epoch().max(1);
    line(
        "steps",
        format!(
            "{} in {epochs} of {} epochs, {:.1} s",
            trainer.steps(),
            trainer.config().epochs,
            history.seconds
        ),
    );
    if let Some(predictor) = trainer.predictor() {
        let [rate, radius] = predictor.statistics.mean_multipliers();
        line("mean learning-rate multiplier", format!("{rate:.4}"));
        line("mean radius multiplier", format!("{radius:.4}"));
    }
    let region = trainer.region();
    if trainer.config().trust_region.enabled {
        let radii: Vec<f64> = history.points.iter().filter_map(|p| p.radius.map(f64::from)).collect();
        let mean = radii.iter().sum::<f64>() / radii.len().max(1) as f64;
        line("trust radius", format!("{mean:.3e} on average, {:.3e} at the end", region.radius));
        let s = &region.statistics;
        line(
            "success rate",
            format!("{:.1} % ({} of {} steps)", 100.0 * s.acceptance_rate(), s.accepted, s.steps),
        );
        line("steps bounded by the radius", format!("{:.1} %", 100.0 * s.activation_rate()));
    }
    if let Some(found) = trainer.summary().measured {
        let flips = found.flip_rate.map_or(String::new(), |f| format!(", {:.2} % flipped last", 100.0 * f));
        line("trits", format!("{:.1} % zero{flips}", 100.0 * found.zeros));
    }
    if let Some(format) = ended.format {
        line("quantization error of weights", format!("{:.4} relative, {}", ended.error, format.name()));
    }
    line("tested by", ended.test.to_owned());
}

/// What came out.
pub struct Judged<'a> {
    pub trainer: &'a Trainer,
    /// As it was trained.
    pub trained: Evaluation,
    /// As it is stored.
    pub stored: Evaluation,
    pub exported: &'a Exported,
    /// Whether it became ternary after training.
    pub after: bool,
}

/// The table of accuracies and bytes.
pub fn judged(found: &Judged<'_>) {
    let mut table = ui::table(&["network", ">test accuracy", ">test loss", ">matrices", ">all parameters"]);
    let floats = 4 * found.trainer.parameters().len();
    let matrices = 4 * found.exported.matrix_len();
    let percent = |e: &Evaluation| format!("{:.2} %", 100.0 * e.accuracy);
    let loss = |e: &Evaluation| format!("{:.4}", e.loss);
    let trained = match found.trainer.config().model.weights {
        WeightForm::Float => "f32, as trained",
        WeightForm::Ternary | WeightForm::Proximal => "ternary, as trained, with its f32 weights",
    };
    table.add_row([
        trained.to_owned(),
        percent(&found.trained),
        loss(&found.trained),
        ui::size(matrices as f64),
        ui::size(floats as f64),
    ]);
    if let Some(format) = found.exported.format() {
        let how = if found.after || found.trainer.config().model.weights == WeightForm::Float {
            "quantized after training"
        } else {
            "as stored"
        };
        table.add_row([
            format!("{}, {how}", format.name()),
            percent(&found.stored),
            loss(&found.stored),
            ui::size(found.exported.matrix_bytes() as f64),
            ui::size(found.exported.bytes() as f64),
        ]);
    }
    ui::print("\n");
    ui::print_table(&table);
}
