//! The example `train_digits` learns what it says: ternary weights and int8 activations as well as f32.

#[path = "../../examples/train_digits.rs"]
mod train_digits;

use self::train_digits::{Digits, train};
use hybridq::learn::layers::{Activations, Weights};
use hybridq::quant::Fit;

#[test]
fn ternary_weights_learn_the_digits_as_floats_do() {
    let read =
        |file: &str| Digits::read(&format!("{}/data/digits/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (set, test) = (read("train.csv"), read("test.csv"));
    let mean = |name: &str, weights: Weights, activations: Activations| {
        let mut sum = 0.0;
        for seed in 1..=3 {
            let outcome = train(&set, &test, weights, activations, seed).unwrap();
            println!("{name}, seed {seed}: loss {:.4}, {:.2} %", outcome.loss, outcome.accuracy);
            sum += outcome.accuracy / 3.0;
        }
        sum
    };
    let float = mean("float", Weights::Float, Activations::Float);
    let ternary = mean("ternary", Weights::ternary(Fit::AbsMean), Activations::Int8);
    assert!(float >= 97.0 && ternary >= 97.0, "float {float} %, ternary {ternary} %");
}
