//! The evolution strategy that trains the predictor offline.

use hybridq::Error;
use hybridq::learn::predictor::{Evolution, EvolveOptions, PARAMETERS, Weights};

fn sphere<const N: usize>(x: &[f32; N]) -> f32 {
    x.iter().enumerate().map(|(i, x)| (1.0 + i as f32 / N as f32) * (x - 0.5) * (x - 0.5)).sum()
}

#[test]
fn a_quadratic_of_146_parameters_is_minimised_whatever_its_units() {
    let options = EvolveOptions { seed: 3, rate: 0.03, ..EvolveOptions::DEFAULT };
    let solve = |unit: f32, outlier: bool| {
        let mut e = Evolution::new([0.0; PARAMETERS], options).unwrap();
        let mut losses = [0.0; 64];
        for _ in 0..200 {
            let mut call = 0;
            e.step(&mut losses, |x| {
                call += 1;
                if outlier && call == 7 { f32::NAN } else { unit * sphere(x) }
            })
            .unwrap();
        }
        e
    };
    let plain = solve(1.0, false);
    let start = sphere(&[0.0; PARAMETERS]);
    println!("from {start} to {}", sphere(&plain.center));
    assert!(sphere(&plain.center) < 0.02 * start);
    assert_eq!(solve(2f32.powi(-40), false), plain);
    assert!(sphere(&solve(1.0, true).center) < 0.05 * start);
}

#[test]
fn a_narrow_valley_is_followed() {
    let rosenbrock = |x: &[f32; 2]| (1.0 - x[0]).powi(2) + 100.0 * (x[1] - x[0] * x[0]).powi(2);
    let options = EvolveOptions { pairs: 16, sigma: 0.02, rate: 0.01, ..EvolveOptions::DEFAULT };
    let mut e = Evolution::new([-1.2, 1.0], options).unwrap();
    let mut losses = [0.0; 32];
    for _ in 0..2000 {
        e.step(&mut losses, &rosenbrock).unwrap();
    }
    println!("{:?} {}", e.center, rosenbrock(&e.center));
    assert!(rosenbrock(&e.center) < 0.05);
}

#[test]
fn candidates_come_in_opposite_pairs_with_noise_of_unit_variance() {
    let center = *Weights::seeded(1).as_array();
    let options = EvolveOptions { pairs: 200, sigma: 0.5, ..EvolveOptions::DEFAULT };
    let e = Evolution::new(center, options).unwrap();
    let (mut sum, mut squares, mut fourth) = (0.0f64, 0.0f64, 0.0f64);
    for pair in 0..200 {
        let (plus, minus) = (e.candidate(2 * pair), e.candidate(2 * pair + 1));
        for ((&p, &m), &c) in plus.iter().zip(&minus).zip(&center) {
            assert!(((p + m) / 2.0 - c).abs() < 1e-6);
            let z = ((p - c) / 0.5) as f64;
            (sum, squares, fourth) = (sum + z, squares + z * z, fourth + z * z * z * z);
        }
    }
    let n = (200 * PARAMETERS) as f64;
    assert!((sum / n).abs() < 0.02 && (squares / n - 1.0).abs() < 0.03, "{} {}", sum / n, squares / n);
    assert!((2.6..3.1).contains(&(fourth / n)), "{}", fourth / n); // 3 of the normal distribution, less 0.15
    assert_ne!(e.candidate(0), e.candidate(2));
}

#[test]
fn only_the_order_of_losses_counts_and_equal_ones_move_nothing() {
    let options = EvolveOptions { pairs: 3, ..EvolveOptions::DEFAULT };
    let fresh = Evolution::new([1.0f32; 5], options).unwrap();
    let after = |losses: [f32; 6]| {
        let mut e = fresh;
        e.update(&losses).unwrap();
        e.center
    };
    assert_eq!(after([2.0; 6]), [1.0; 5]);
    assert_eq!(after([f32::NAN, f32::INFINITY, f32::NAN, f32::NEG_INFINITY, f32::NAN, f32::NAN]), [1.0; 5]);
    let ranks = after([1.0, 2.0, 6.0, 5.0, 3.0, 4.0]);
    assert_eq!(after([-1e30, 0.0, f32::NAN, 1e30, 1e-3, 1.0]), ranks);
    assert_ne!(ranks, [1.0; 5]);
}

#[test]
fn a_copy_goes_on_with_the_same_bits() {
    let options = EvolveOptions { seed: 9, weight_decay: 0.1, ..EvolveOptions::DEFAULT };
    let mut whole = Evolution::new([0.2f32; 7], options).unwrap();
    let mut losses = [0.0; 64];
    let mut copy = None;
    for generation in 0..30 {
        if generation == 11 {
            copy = Some(whole);
        }
        whole.step(&mut losses, sphere).unwrap();
    }
    let mut rest = copy.unwrap();
    while rest.generation < 30 {
        // In another order, as threads would.
        for index in (0..64).rev() {
            losses[index as usize] = sphere(&rest.candidate(index));
        }
        rest.update(&losses).unwrap();
    }
    assert_eq!(rest, whole);
}

#[test]
fn what_is_out_of_range_is_refused() {
    let good = EvolveOptions::DEFAULT;
    for options in [
        EvolveOptions { pairs: 0, ..good },
        EvolveOptions { sigma: 0.0, ..good },
        EvolveOptions { sigma: f32::NAN, ..good },
        EvolveOptions { rate: f32::INFINITY, ..good },
        EvolveOptions { beta1: 1.0, ..good },
        EvolveOptions { beta2: -0.1, ..good },
        EvolveOptions { weight_decay: -1.0, ..good },
    ] {
        assert_eq!(Evolution::new([0.0; 2], options), Err(Error::InvalidArgument), "{options:?}");
    }
    assert_eq!(Evolution::new([f32::NAN; 2], good), Err(Error::NonFinite));
    let mut e = Evolution::new([0.0f32; 2], good).unwrap();
    assert_eq!(e.update(&[0.0; 63]), Err(Error::Shape));
    assert_eq!(e.step(&mut [0.0; 65], |_| panic!("nothing is evaluated")), Err(Error::Shape));
    assert_eq!(e.generation, 0);
}
