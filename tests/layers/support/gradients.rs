//! A layer against a slow reference in f64: outputs directly, gradients by finite differences of the reference.

use hybridq::learn::layers::{Backward, Forward, Layer};

use super::same_on_all;
use crate::common::gaussian;

/// What one pass forward and back gives.
pub struct Pass {
    pub output: Vec<f32>,
    pub saved: Vec<f32>,
    pub input_gradient: Vec<f32>,
    pub parameters_gradient: Vec<f32>,
}

impl Pass {
    pub fn all(&self) -> Vec<f32> {
        [&self.output[..], &self.saved, &self.input_gradient, &self.parameters_gradient].concat()
    }
}

/// A pass with exact buffers. The gradient of the outputs is given; those of parameters begin at zero.
pub fn pass(layer: &impl Layer, batch: usize, parameters: &[f32], input: &[f32], from: &[f32]) -> Pass {
    let mut pass = Pass {
        output: vec![f32::NAN; batch * layer.output_len()],
        saved: vec![f32::NAN; layer.saved_len(batch).unwrap()],
        input_gradient: vec![f32::NAN; input.len()],
        parameters_gradient: vec![0.0; parameters.len()],
    };
    let mut scratch = vec![0xA5; layer.workspace_size(batch).unwrap()];
    let (output, saved) = (&mut pass.output, &mut pass.saved);
    layer.forward(Forward { batch, parameters, input, output, saved, scratch: &mut scratch }).unwrap();
    scratch.fill(0x5A);
    let job = Backward {
        batch,
        parameters,
        input,
        output: &pass.output,
        saved: &pass.saved,
        output_gradient: from,
        input_gradient: Some(&mut pass.input_gradient),
        parameters_gradient: &mut pass.parameters_gradient,
        scratch: &mut scratch,
    };
    layer.backward(job).unwrap();
    pass
}

pub fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&v| v as f64).collect()
}

/// Whether two vectors agree to a share of the exact one's largest value; inputs are around 1, so that rounding is of
/// that size also where terms cancel.
pub fn near(what: &str, got: &[f32], exact: &[f64], tolerance: f64) {
    assert_eq!(got.len(), exact.len(), "{what}");
    let size = exact.iter().fold(0.1, |a: f64, v| a.max(v.abs()));
    for (i, (&g, &e)) in got.iter().zip(exact).enumerate() {
        assert!((g as f64 - e).abs() <= tolerance * size, "{what}, {i}: {g} instead of {e}");
    }
}

/// Derivatives of `f` by each value, by central differences.
pub fn slopes(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let (old, h) = (x[i], 1e-5);
            x[i] = old + h;
            let above = f(&x);
            x[i] = old - h;
            let below = f(&x);
            x[i] = old;
            (above - below) / (2.0 * h)
        })
        .collect()
}

/// Checks a layer with random parameters and inputs against `reference(parameters, input of the batch)`, on every tier.
/// The loss is the sum of outputs times random numbers.
pub fn check(
    what: &str,
    layer: &impl Layer,
    batch: usize,
    input: &[f32],
    reference: impl Fn(&[f64], &[f64]) -> Vec<f64>,
) {
    let parameters = gaussian(layer.parameters_len(), 11);
    let from = gaussian(batch * layer.output_len(), 13);
    same_on_all(what, || pass(layer, batch, &parameters, input, &from).all());
    let got = pass(layer, batch, &parameters, input, &from);
    let (p, x) = (wide(&parameters), wide(input));
    near(&format!("{what}: outputs"), &got.output, &reference(&p, &x), 1e-5);
    let loss =
        |p: &[f64], x: &[f64]| -> f64 { reference(p, x).iter().zip(&from).map(|(y, &r)| y * r as f64).sum() };
    let by_input = slopes(&x, |x| loss(&p, x));
    near(&format!("{what}: by inputs"), &got.input_gradient, &by_input, 2e-5);
    let by_parameters = slopes(&p, |p| loss(p, &x));
    near(&format!("{what}: by parameters"), &got.parameters_gradient, &by_parameters, 2e-5);

    // Gradients of parameters are added to, and inputs' need not be asked for.
    let mut twice = got.parameters_gradient.clone();
    let mut scratch = vec![0; layer.workspace_size(batch).unwrap()];
    let job = Backward {
        batch,
        parameters: &parameters,
        input,
        output: &got.output,
        saved: &got.saved,
        output_gradient: &from,
        input_gradient: None,
        parameters_gradient: &mut twice,
        scratch: &mut scratch,
    };
    layer.backward(job).unwrap();
    let doubled: Vec<f64> = got.parameters_gradient.iter().map(|&v| 2.0 * v as f64).collect();
    near(&format!("{what}: added"), &twice, &doubled, 1e-5);
}
