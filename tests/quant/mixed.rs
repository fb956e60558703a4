//! Mixed precision: never over the budget, as good as trying everything, and honest about its bound.

use crate::common::Rng;
use hybridq::Error;
use hybridq::quant::{Mixed, mixed_select, mixed_smallest, mixed_workspace_size};
use proptest::prelude::*;

fn select(
    n: usize,
    m: usize,
    bytes: &[u64],
    errors: &[f32],
    budget: u64,
) -> Result<(Mixed, Vec<u16>), Error> {
    let (mut choices, mut scratch) = (vec![9; n], vec![0; mixed_workspace_size(n, m)?]);
    let found = mixed_select(n, m, bytes, errors, budget, &mut choices, &mut scratch)?;
    let (mut total, mut error) = (0, 0.0);
    for (i, &c) in choices.iter().enumerate() {
        assert!((c as usize) < m);
        total += bytes[i * m + c as usize];
        error += f64::from(errors[i * m + c as usize]);
    }
    assert_eq!(total, found.bytes);
    assert!(found.bytes <= budget);
    assert!((error - f64::from(found.error)).abs() <= 1e-6 * error);
    assert!(found.bound <= found.error && found.bound >= 0.0);
    Ok((found, choices))
}

/// The least error within the budget by trying all choices.
fn brute_force(n: usize, m: usize, bytes: &[u64], errors: &[f32], budget: u64) -> Option<f64> {
    let mut best: Option<f64> = None;
    for code in 0..m.pow(n as u32) {
        let (mut rest, mut total, mut error) = (code, 0, 0.0);
        for i in 0..n {
            total += bytes[i * m + rest % m];
            error += f64::from(errors[i * m + rest % m]);
            rest /= m;
        }
        if total <= budget && error.is_finite() {
            best = Some(best.map_or(error, |b| b.min(error)));
        }
    }
    best
}

/// Formats as they are: more bits, less error, with the sizes and errors of a model's tensors.
fn instance(n: usize, m: usize, seed: u64, odd: bool) -> (Vec<u64>, Vec<f32>) {
    let mut rng = Rng(seed);
    let (mut bytes, mut errors) = (vec![], vec![]);
    for _ in 0..n {
        let size = 100 + rng.next() % 10_000;
        let mut error = 1e3 * rng.uniform() + 1.0;
        let mut bits = 1 + rng.next() % 4;
        for _ in 0..m {
            bytes.push(size * bits / 4);
            errors.push(if odd && rng.next().is_multiple_of(5) { f32::INFINITY } else { error as f32 });
            bits += 1 + rng.next() % 8;
            error *= 0.05 + 0.9 * rng.uniform();
        }
        // Every tensor has at least one.
        let first = errors.len() - m;
        errors[first] = errors[first].min(1e4);
        if odd && rng.next().is_multiple_of(3) {
            bytes[first..].reverse(); // more bytes for more error
        }
    }
    (bytes, errors)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn as_good_as_trying_everything(
        n in 1usize..7, m in 1usize..6, seed: u64, share in 0.0..1.2f64, odd: bool,
    ) {
        let (bytes, errors) = instance(n, m, seed, odd);
        let least = mixed_smallest(n, m, &bytes, &errors).unwrap();
        let most: u64 = bytes.chunks(m).map(|b| b.iter().max().unwrap()).sum();
        let budget = least + (share * (most - least) as f64) as u64;
        let best = brute_force(n, m, &bytes, &errors, budget).unwrap();
        let (found, _) = select(n, m, &bytes, &errors, budget).unwrap();
        prop_assert!(f64::from(found.error) <= best * (1.0 + 1e-6), "{} against {best}", found.error);
        prop_assert!(f64::from(found.bound) <= best * (1.0 + 1e-6));
        prop_assert_eq!(found.bound, found.error, "proved");
        // One byte below the least there is nothing.
        if least > 0 {
            prop_assert_eq!(select(n, m, &bytes, &errors, least - 1).unwrap_err(), Error::Budget);
            prop_assert_eq!(brute_force(n, m, &bytes, &errors, least - 1), None);
        }
    }

    #[test]
    fn a_larger_budget_is_never_worse(seed: u64, odd: bool) {
        let (n, m) = (20, 5);
        let (bytes, errors) = instance(n, m, seed, odd);
        let least = mixed_smallest(n, m, &bytes, &errors).unwrap();
        let most: u64 = bytes.chunks(m).map(|b| b.iter().max().unwrap()).sum();
        let mut before = f32::INFINITY;
        for step in 0..12 {
            let (found, _) = select(n, m, &bytes, &errors, least + (most - least) * step / 11).unwrap();
            prop_assert!(found.error <= before * (1.0 + 1e-6));
            before = found.error;
        }
    }
}

#[test]
fn many_tensors_come_within_a_thousandth_of_the_bound() {
    for (n, seed) in [(50, 1), (300, 2), (3000, 3)] {
        let m = 6;
        let (bytes, errors) = instance(n, m, seed, false);
        let least = mixed_smallest(n, m, &bytes, &errors).unwrap();
        let most: u64 = bytes.chunks(m).map(|b| b.iter().max().unwrap()).sum();
        for share in [1, 3, 6] {
            let (found, _) = select(n, m, &bytes, &errors, least + (most - least) * share / 10).unwrap();
            assert!(found.error <= found.bound * 1.001, "{n}: {found:?}");
        }
    }
}

/// Equal tensors tie at every price: the budget must be used all the same.
#[test]
fn equal_tensors_share_the_budget() {
    let n = 64;
    let bytes: Vec<u64> = [10, 20].repeat(n);
    let errors: Vec<f32> = [4.0, 1.0].repeat(n);
    for extra in [0, 9, 10, 315, 640] {
        let (found, choices) = select(n, 2, &bytes, &errors, 640 + extra).unwrap();
        let upgraded = extra / 10;
        assert_eq!(choices.iter().filter(|&&c| c == 1).count() as u64, upgraded);
        assert_eq!(found.error, 4.0 * n as f32 - 3.0 * upgraded as f32);
    }
}

#[test]
fn edges() {
    assert_eq!(mixed_smallest(0, 3, &[], &[]), Ok(0));
    assert_eq!(select(0, 3, &[], &[], 0).unwrap().0, Mixed { bytes: 0, error: 0.0, bound: 0.0 });
    // Free candidates, no errors, one candidate.
    assert_eq!(select(1, 2, &[0, 5], &[1.0, 0.0], 4).unwrap().1, [0]);
    assert_eq!(select(1, 2, &[0, 5], &[0.0, 0.0], 9).unwrap().0.bytes, 0);
    assert_eq!(select(2, 1, &[3, 4], &[1.0, 2.0], 7).unwrap().0.error, 3.0);
    assert_eq!(select(2, 1, &[3, 4], &[1.0, 2.0], 6), Err(Error::Budget));
    assert_eq!(select(1, 1, &[3], &[f32::MAX], u64::MAX).unwrap().0.error, f32::MAX);
    let inf = f32::INFINITY;
    assert_eq!(select(1, 2, &[3, 1], &[1.0, inf], 2), Err(Error::Budget));
    assert_eq!(select(1, 2, &[3, 1], &[inf, inf], 9), Err(Error::InvalidArgument));
    assert_eq!(select(1, 0, &[], &[], 9), Err(Error::InvalidArgument));
    for bad in [f32::NAN, -1.0] {
        assert_eq!(select(1, 2, &[3, 1], &[bad, 1.0], 9), Err(Error::InvalidArgument));
    }
    assert_eq!(select(2, 2, &[3, 1], &[1.0, 1.0], 9), Err(Error::Shape));
    assert_eq!(select(1, 2, &[u64::MAX, 1], &[1.0, 1.0], 9), Err(Error::SizeOverflow));
    assert_eq!(mixed_smallest(2, 2, &[3, 1, 9, 5], &[1.0; 4]), Ok(6));
    let (mut choices, mut scratch) = ([7; 2], vec![0; mixed_workspace_size(2, 1).unwrap()]);
    let short = 2 * 24 + 2 * 16 - 1;
    let call =
        |choices: &mut [u16], scratch: &mut [u8]| mixed_select(2, 1, &[1, 1], &[1.0; 2], 9, choices, scratch);
    assert_eq!(call(&mut choices[..1], &mut scratch), Err(Error::OutputTooSmall));
    assert_eq!(call(&mut choices, &mut scratch[..short]), Err(Error::WorkspaceTooSmall));
    assert_eq!(choices, [7; 2]);
}
