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

/// By how many percent the loss with ternary gradients is above that with f32 gradients, for each way to hold residual and
/// momentum; without feedback first.
fn above_fp32(digits: &Digits, base: Options, rate: f32, ways: &[(&str, Storage, Storage)]) -> Vec<f64> {
    let (full, right) = outcome(digits, base, rate);
    println!("{:?}, f32: loss {full:.4}, {:.1} % right", base.base, 100.0 * right);
    assert!(right > 0.97);
    let more = |&(name, moment, residual): &(&str, Storage, Storage)| {
        let options = Options { gradient: GradientForm::Ternary, moment, residual, ..base };
        let (loss, right) = outcome(digits, options, rate);
        let more = 100.0 * (loss / full - 1.0);
        println!("  ternary gradient, {name}: loss {loss:.4} ({more:+.2} %), {:.1} % right", 100.0 * right);
        more
    };
    ways.iter().map(more).collect()
}

#[test]
fn ternary_gradients_reach_the_loss_of_fp32_with_feedback_and_not_without() {
    let digits = Digits::read("train.csv");
    for base in [Base::Sgd, Base::Nesterov] {
        let base = Options { base, clip_norm: f32::INFINITY, ..Options::DEFAULT };
        let ways = [
            ("no feedback", Storage::F32, Storage::None),
            ("residual f32", Storage::F32, Storage::F32),
            ("residual int8", Storage::F32, Storage::Int8),
            ("residual int4", Storage::F32, Storage::Int4),
            ("residual int8, momentum int8", Storage::Int8, Storage::Int8),
            ("residual int4, momentum int4", Storage::Int4, Storage::Int4),
            ("residual int8, momentum ternary", Storage::Ternary, Storage::Int8),
        ];
        let more = above_fp32(&digits, base, 0.1, &ways);
        assert!(more[0] > 10.0, "without feedback the loss stays {} % above", more[0]);
        for ((name, ..), more) in ways.iter().zip(&more).skip(1) {
            assert!(*more <= 2.0, "{name}: {more} % above FP32");
        }
    }
}

/// The direction of NadamW is not linear in the gradient: feedback makes up for what trits drop of the first moment, but
/// their spread also enlarges the second one, and the steps are shorter for it. So feedback takes most of the gap away, not
/// all of it.
#[test]
fn feedback_takes_most_of_the_gap_of_nadamw_but_not_all() {
    let digits = Digits::read("train.csv");
    let base = Options { base: Base::NadamW, clip_norm: f32::INFINITY, ..Options::DEFAULT };
    let ways = [
        ("no feedback", Storage::F32, Storage::None),
        ("residual f32", Storage::F32, Storage::F32),
        ("residual int8", Storage::F32, Storage::Int8),
        ("residual int4", Storage::F32, Storage::Int4),
    ];
    let more = above_fp32(&digits, base, 0.03, &ways);
    assert!(more[0] > 30.0, "without feedback: {} %", more[0]);
    for ((name, ..), with) in ways.iter().zip(&more).skip(1) {
        assert!((2.0..15.0).contains(with) && *with < 0.4 * more[0], "{name}: {with} % above FP32");
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
