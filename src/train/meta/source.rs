//! Trained weights as Rust source.

use std::fmt::Write;

use crate::learn::predictor::Weights;

/// The source of `src/learn/predictor/constants.rs`, as `rustfmt` leaves it; `origin` says, line by line, how the weights
/// were made. Numbers are the shortest that give the same bits.
#[must_use]
pub fn source(weights: &Weights, origin: &[String]) -> String {
    let mut text =
        String::from("//! Weights trained offline over many small tasks, made by\n//!\n//! ```text\n");
    origin.iter().for_each(|line| put(&mut text, format_args!("//! {line}\n")));
    text.push_str(
        "//! ```\n//!\n//! `docs/predictor.md` says what they do to tasks held out. Not to be edited.\n\n",
    );
    text.push_str("use super::network::{Output, Weights};\n\n");
    text.push_str(
        "/// See [`Weights::TRAINED`].\n#[rustfmt::skip]\npub(super) const TRAINED: Weights = Weights {\n",
    );
    text.push_str("    hidden: [\n");
    weights.hidden.iter().for_each(|row| put(&mut text, format_args!("        {row:?},\n")));
    text.push_str("    ],\n    hidden_bias: [\n");
    halves(&mut text, &weights.hidden_bias);
    text.push_str("    ],\n    output: Output {\n        rows: [\n");
    for row in &weights.output.rows {
        text.push_str("            [\n");
        row.chunks(8).for_each(|part| line(&mut text, "                ", part));
        text.push_str("            ],\n");
    }
    put(&mut text, format_args!("        ],\n        bias: {:?},\n    }},\n}};\n", weights.output.bias));
    text
}

fn halves(text: &mut String, values: &[f32]) {
    values.chunks(8).for_each(|part| line(text, "        ", part));
}

fn line(text: &mut String, indent: &str, values: &[f32]) {
    let all: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
    put(text, format_args!("{indent}{},\n", all.join(", ")));
}

/// Writing to a string does not fail.
fn put(text: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(what);
}
