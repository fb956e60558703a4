//! Softmax regression on the handwritten digits.

use crate::optimizer_support::{CLASSES, Digits, PIXELS, Run, group};
use hybridq::learn::optimizer::{Base, GradientForm, Options, Storage};

/// The full loss after training with these options, batch by batch.
fn train(digits: &Digits, options: Options, rate: f32, epochs: usize, batch: usize) -> (f64, f64) {
    let n = digits.labels.len();
    let mut run = Run::new(options, &[group(CLASSES, PIXELS, rate)]);
    let (mut w, mut gradient) = (vec![0.0; CLASSES * PIXELS], vec![0.0; CLASSES * PIXELS]);
    for _ in 0..epochs {
        for first in (0..n).step_by(batch) {
            digits.loss(first..(first + batch).min(n), &w, &mut gradient);
            run.step(&gradient, &mut w);
        }
    }
    (digits.loss(0..n, &w, &mut gradient), digits.right(&w))
}

/// 20 epochs in batches of 64.
fn outcome(digits: &Digits, options: Options, rate: f32) -> (f64, f64) {
    train(digits, options, rate, 20, 64)
}

#[test]
fn ternary_gradients_reach_the_loss_of_fp32_with_feedback_and_not_without() {
    let digits = Digits::read("train.csv");
    let base = Options { clip_norm: f32::INFINITY, ..Options::DEFAULT };
    let (full, right) = outcome(&digits, base, 0.1);
    println!("FP32: loss {full:.4}, {:.1} % right", 100.0 * right);
    assert!(right > 0.97);
    let more = |name: &str, moment: Storage, residual: Storage| {
        let options = Options { gradient: GradientForm::Ternary, moment, residual, ..base };
        let (loss, right) = outcome(&digits, options, 0.1);
        let more = 100.0 * (loss / full - 1.0);
        println!("ternary gradient, {name}: loss {loss:.4} ({more:+.2} %), {:.1} % right", 100.0 * right);
        more
    };
    let without = more("no feedback", Storage::F32, Storage::None);
    assert!(without > 10.0, "without feedback the loss stays {without} % above");
    for (name, moment, residual) in [
        ("residual f32", Storage::F32, Storage::F32),
        ("residual int8", Storage::F32, Storage::Int8),
        ("residual int4", Storage::F32, Storage::Int4),
        ("residual int8, momentum int8", Storage::Int8, Storage::Int8),
        ("residual int4, momentum int4", Storage::Int4, Storage::Int4),
        ("residual int8, momentum ternary", Storage::Ternary, Storage::Int8),
    ] {
        let more = more(name, moment, residual);
        assert!(more <= 2.0, "{name}: {more} % above FP32");
    }
}

#[test]
fn nadamw_learns_with_every_form_of_its_state() {
    let digits = Digits::read("train.csv");
    let forms = [Storage::F32, Storage::Int8, Storage::Int4, Storage::Ternary];
    for form in forms {
        let options = Options { base: Base::NadamW, moment: form, second: form, ..Options::DEFAULT };
        let (loss, right) = outcome(&digits, options, 0.003);
        println!("NadamW in {form:?}: loss {loss:.4}, {:.1} % right", 100.0 * right);
        assert!(right > 0.9 && loss < 0.6, "{form:?}: {loss} {right}");
    }
}
