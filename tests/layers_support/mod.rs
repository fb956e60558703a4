//! What the tests of the layers share: tiers, and slow references in f64.
#![allow(dead_code)] // each test binary uses its own part

pub mod gradients;
pub mod references;

use std::sync::Mutex;

use hybridq::linear::matrix::{Form, Product};
use hybridq::simd::{self, Tier};

/// The forced tier is one for the process: tests that force it take turns.
static TIER: Mutex<()> = Mutex::new(());

/// Runs `f` on every tier of this machine and demands the bits of the scalar one.
pub fn same_on_all(what: &str, f: impl Fn() -> Vec<f32>) -> Vec<f32> {
    let _guard = TIER.lock().unwrap_or_else(|e| e.into_inner());
    let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    simd::force(Some(Tier::Scalar)).unwrap();
    let expected = f();
    for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
        simd::force(Some(tier)).unwrap();
        assert_eq!(bits(&f()), bits(&expected), "{what} on {}", tier.name());
    }
    simd::force(None).unwrap();
    expected
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
