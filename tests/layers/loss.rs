//! Losses against f64: values, gradients by finite differences, any magnitude, refusals.

use crate::common::{Rng, gaussian};
use crate::support::gradients::{near, slopes, wide};
use crate::support::{references as exact, same_on_all};
use hybridq::Error;
use hybridq::learn::layers::loss::{cross_entropy, distillation, first_bad_label, mean_squared_error};

fn labels(classes: usize, samples: usize, seed: u64) -> Vec<u32> {
    let mut rng = Rng(seed);
    (0..samples).map(|_| (rng.next() % classes as u64) as u32).collect()
}

fn entropy(classes: usize, x: &[f64], labels: &[u32], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    let rows = x.chunks(classes).zip(labels).zip(weights);
    rows.map(|((x, &l), w)| -exact::softmax(x)[l as usize].ln() * w / total).sum()
}

#[test]
fn cross_entropy_is_its_reference() {
    for (classes, samples) in [(1, 1), (2, 1), (10, 1), (10, 7), (17, 4), (100, 3)] {
        let what = format!("{classes} classes, {samples} samples");
        let logits = gaussian(classes * samples, 1);
        let labels = labels(classes, samples, 2);
        let weights: Vec<f32> = gaussian(samples, 3).iter().map(|w| w.abs() + 0.1).collect();
        for weights in [None, Some(&weights[..])] {
            let run = || {
                let mut gradient = vec![f32::NAN; logits.len()];
                let loss = cross_entropy(classes, &logits, &labels, weights, &mut gradient).unwrap();
                gradient.push(loss);
                gradient
            };
            let mut got = same_on_all(&what, run);
            let loss = got.pop().unwrap();
            let w = weights.map_or(vec![1.0; samples], wide);
            let f = |x: &[f64]| entropy(classes, x, &labels, &w);
            near(&what, &[loss], &[f(&wide(&logits))], 1e-6);
            near(&what, &got, &slopes(&wide(&logits), f), 1e-5);
            assert_eq!(cross_entropy(classes, &logits, &labels, weights, &mut []), Ok(loss));
        }
    }
}

#[test]
fn cross_entropy_of_any_magnitude() {
    let mut g = [0.0; 3];
    assert_eq!(cross_entropy(3, &[1e30, -1e30, 0.0], &[0], None, &mut g), Ok(0.0));
    assert_eq!(g, [0.0; 3]);
    assert_eq!(cross_entropy(3, &[1e30, -1e30, 0.0], &[1], None, &mut g), Ok(2e30));
    assert_eq!(g, [1.0, -1.0, 0.0]);
    assert_eq!(cross_entropy(2, &[f32::MAX, -f32::MAX], &[1], None, &mut g), Ok(f32::INFINITY));
    assert_eq!(g[..2], [1.0, -1.0]);
    let certain = cross_entropy(2, &[20.0, 0.0], &[0], None, &mut g).unwrap();
    assert!((certain as f64 - (-20f64).exp().ln_1p()).abs() < 1e-7);
    // a weight of 0 hides even an infinite loss
    let loss = cross_entropy(2, &[f32::MAX, -f32::MAX, 0.0, 0.0], &[1, 0], Some(&[0.0, 1.0]), &mut []);
    assert!((loss.unwrap() - core::f32::consts::LN_2).abs() < 1e-6);
}

#[test]
fn cross_entropy_refuses_and_writes_nothing() {
    let mut g = [7.0; 4];
    let x = [0.0; 4];
    let mut run = |x: &[f32], labels: &[u32], weights: Option<&[f32]>| {
        let result = cross_entropy(2, x, labels, weights, &mut g);
        assert_eq!(g, [7.0; 4]);
        result
    };
    assert_eq!(run(&x, &[0, 2], None), Err(Error::InvalidArgument));
    assert_eq!(first_bad_label(2, &[0, 2]), Some(1));
    assert_eq!(first_bad_label(2, &[0, 1]), None);
    assert_eq!(run(&x[..3], &[0, 1], None), Err(Error::Shape));
    assert_eq!(run(&x, &[0, 1], Some(&[1.0])), Err(Error::Shape));
    assert_eq!(run(&x, &[0, 1], Some(&[1.0, -1.0])), Err(Error::InvalidArgument));
    assert_eq!(run(&x, &[0, 1], Some(&[0.0, 0.0])), Err(Error::InvalidArgument));
    assert_eq!(run(&x, &[0, 1], Some(&[f32::NAN, 1.0])), Err(Error::NonFinite));
    assert_eq!(run(&x, &[0, 1], Some(&[f32::MAX, f32::MAX])), Err(Error::NonFinite));
    assert_eq!(run(&[0.0, f32::NAN, 0.0, 0.0], &[0, 1], None), Err(Error::NonFinite));
    assert_eq!(run(&[0.0, f32::INFINITY, 0.0, 0.0], &[0, 1], None), Err(Error::NonFinite));
    assert_eq!(run(&[], &[], None), Err(Error::InvalidArgument));
    assert_eq!(cross_entropy(2, &x, &[0, 1], None, &mut g[..3]), Err(Error::OutputTooSmall));
}

#[test]
fn mean_squared_error_is_its_reference() {
    for len in [1, 2, 15, 16, 17, 100] {
        let (y, t) = (gaussian(len, 4), gaussian(len, 5));
        let mut g = vec![f32::NAN; len];
        let loss = mean_squared_error(&y, &t, &mut g).unwrap();
        let f = |y: &[f64]| -> f64 {
            y.iter().zip(&t).map(|(y, &t)| (y - t as f64).powi(2)).sum::<f64>() / len as f64
        };
        near("loss", &[loss], &[f(&wide(&y))], 1e-6);
        near("gradient", &g, &slopes(&wide(&y), f), 1e-5);
    }
    let mut g = [0.0; 2];
    assert_eq!(mean_squared_error(&[1e30, 3e38], &[0.0, -3e38], &mut g), Ok(f32::INFINITY));
    assert_eq!(g[0], 1e30);
    assert_eq!(mean_squared_error(&[1.0], &[1.0, 2.0], &mut g), Err(Error::Shape));
    assert_eq!(mean_squared_error(&[], &[], &mut g), Err(Error::InvalidArgument));
    assert_eq!(mean_squared_error(&[f32::NAN], &[1.0], &mut g), Err(Error::NonFinite));
    assert_eq!(mean_squared_error(&[1.0], &[f32::INFINITY], &mut g), Err(Error::NonFinite));
    assert_eq!(mean_squared_error(&[1.0; 3], &[1.0; 3], &mut g), Err(Error::OutputTooSmall));
}

#[test]
fn distillation_is_its_reference() {
    for (classes, samples, temperature) in
        [(1, 1, 1.0f32), (2, 3, 1.0), (10, 5, 2.0), (17, 2, 5.0), (10, 1, 0.5)]
    {
        let what = format!("{classes} classes, {samples} samples, temperature {temperature}");
        let (s, t) = (gaussian(classes * samples, 6), gaussian(classes * samples, 7));
        let run = || {
            let mut g = vec![f32::NAN; s.len()];
            let loss = distillation(classes, &s, &t, temperature, &mut g).unwrap();
            g.push(loss);
            g
        };
        let mut got = same_on_all(&what, run);
        let loss = got.pop().unwrap();
        let soft = |x: &[f64]| exact::softmax(&x.iter().map(|v| v / temperature as f64).collect::<Vec<_>>());
        let f = |s: &[f64]| -> f64 {
            let mut sum = 0.0;
            for (s, t) in s.chunks(classes).zip(wide(&t).chunks(classes)) {
                sum += soft(t).iter().zip(soft(s)).map(|(q, p)| q * (q / p).ln()).sum::<f64>();
            }
            sum * (temperature as f64).powi(2) / samples as f64
        };
        near(&what, &[loss], &[f(&wide(&s))], 1e-5);
        near(&what, &got, &slopes(&wide(&s), f), 1e-5);
    }
}

#[test]
fn distillation_of_any_magnitude_and_its_refusals() {
    let mut g = [7.0; 2];
    let loss = distillation(2, &[-1e30, 1e30], &[1e30, -1e30], 1.0, &mut g).unwrap();
    assert!((loss / 2e30 - 1.0).abs() < 1e-6 && g == [-1.0, 1.0]);
    assert!(
        distillation(2, &[0.0, 0.0], &[1e30, -1e30], 1.0, &mut g).unwrap() - core::f32::consts::LN_2 < 1e-6
    );
    let mut g = [7.0; 2];
    for (s, t, temperature, error) in [
        (&[1.0, 2.0][..], &[1.0][..], 1.0, Error::Shape),
        (&[1.0], &[1.0], 1.0, Error::Shape),
        (&[], &[], 1.0, Error::InvalidArgument),
        (&[1.0, 2.0], &[1.0, 2.0], 0.0, Error::InvalidArgument),
        (&[1.0, 2.0], &[1.0, 2.0], f32::NAN, Error::InvalidArgument),
        (&[f32::NAN, 2.0], &[1.0, 2.0], 1.0, Error::NonFinite),
        (&[1.0, 2.0], &[1.0, f32::NEG_INFINITY], 1.0, Error::NonFinite),
    ] {
        assert_eq!(distillation(2, s, t, temperature, &mut g), Err(error));
    }
    assert_eq!(distillation(0, &[1.0], &[1.0], 1.0, &mut g), Err(Error::InvalidArgument));
    assert_eq!(distillation(2, &[1.0, 2.0], &[1.0, 2.0], 1.0, &mut g[..1]), Err(Error::OutputTooSmall));
    assert_eq!(g, [7.0; 2]);
}
