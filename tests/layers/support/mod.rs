//! What the tests of the layers share: tiers, and slow references in f64.
#![allow(dead_code)] // each test binary uses its own part

pub mod gradients;
pub mod references;

use hybridq::linear::matrix::{Form, Product};

use crate::common::on_every_tier;

/// Runs `f` on every tier of this machine and demands the same bits, which it returns.
pub fn same_on_all(what: &str, f: impl Fn() -> Vec<f32>) -> Vec<f32> {
    let mut first: Option<Vec<f32>> = None;
    on_every_tier(|tier| {
        let got = f();
        let expected = first.get_or_insert_with(|| got.clone());
        let same = got.iter().map(|v| v.to_bits()).eq(expected.iter().map(|v| v.to_bits()));
        assert!(same, "{what} on {}: {got:?} instead of {expected:?}", tier.name());
    });
    first.unwrap_or_default()
}

/// A product with scratch of its own, into `c`.
pub fn product(form: Form, [rows, cols, inner]: [usize; 3], add: bool, a: &[f32], b: &[f32], c: &mut [f32]) {
    let product = Product { form, rows, cols, inner, add };
    let mut scratch = vec![0xA5; product.workspace_size().unwrap()];
    product.run(a, b, c, &mut scratch).unwrap();
}

/// Where value `p` of row `i` of `A`, and of column `j` of `B`, lies.
pub fn places(form: Form, [rows, cols, inner]: [usize; 3], i: usize, j: usize, p: usize) -> [usize; 2] {
    match form {
        Form::ABt => [i * inner + p, j * inner + p],
        Form::AB => [i * inner + p, p * cols + j],
        Form::AtB => [p * rows + i, p * cols + j],
    }
}
