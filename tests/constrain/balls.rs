//! Projections onto balls and spheres: what holds of every set, against double precision, and extreme values.

use crate::common::gaussian;
use crate::support::{Case, apart, bits, dot, project};
use hybridq::Error;
use hybridq::constrain::{L2Ball, Project, Set};

const LENGTHS: [usize; 10] = [1, 2, 15, 16, 17, 64, 100, 2047, 2049, 5000];

fn l2(radius: f32) -> Set<'static> {
    Set::L2Ball(L2Ball { center: None, radius })
}

#[test]
fn l2_ball_is_a_projection_at_every_length() {
    for len in LENGTHS {
        let center = gaussian(len, 1);
        for radius in [0.5, 1.0, 4.0, 60.0] {
            Case::new(l2(radius), len).check();
            Case::new(Set::L2Ball(L2Ball { center: Some(&center), radius }), len).check();
        }
        let point = Set::L2Ball(L2Ball { center: Some(&center), radius: 0.0 });
        assert_eq!(project(&point, &gaussian(len, 5)).0, center);
        assert_eq!(project(&l2(0.0), &gaussian(len, 5)).0, vec![0.0; len]);
    }
}

#[test]
fn l2_ball_equals_double_precision() {
    for len in [1, 3, 16, 333, 100_000] {
        let (x, center) = (gaussian(len, 2), gaussian(len, 3));
        for (center, radius) in [(None, 0.25f32), (Some(&center[..]), 0.75)] {
            let c = |i: usize| center.map_or(0.0, |c| c[i] as f64);
            let d: Vec<f64> = x.iter().enumerate().map(|(i, &x)| x as f64 - c(i)).collect();
            let norm = d.iter().map(|d| d * d).sum::<f64>().sqrt();
            let factor = (radius as f64 / norm).min(1.0);
            let expected: Vec<f32> = d.iter().enumerate().map(|(i, d)| (c(i) + d * factor) as f32).collect();
            let set = Set::L2Ball(L2Ball { center, radius });
            let (got, active) = project(&set, &x);
            assert_eq!(active, norm > radius as f64);
            assert!(apart(&got, &expected) <= 3e-7 * dot(&expected, &expected).sqrt(), "{len}");
            let violation = set.violation(&x).unwrap() as f64;
            assert!((violation - (norm - radius as f64).max(0.0)).abs() <= 1e-6 * norm);
        }
    }
}

#[test]
fn norms_of_any_magnitude_are_right() {
    for (value, radius) in
        [(1e30f32, 1.0f32), (3e38, 1e38), (3e38, 1e-30), (1e-30, 1e-31), (1e-44, 3e-45), (1e18, 1e-38)]
    {
        let x = vec![value; 1 << 16]; // norm 256 times the value
        let (got, active) = project(&l2(radius), &x);
        assert!(active);
        let expected = radius / 256.0;
        // Denormals are as coarse as they are.
        let off = got.iter().map(|&x| (x as f64 - expected as f64).abs()).fold(0.0, f64::max);
        assert!(off <= 2e-6 * expected as f64 + 1.5e-45, "{value} {radius}: {} not {expected}", got[0]);
        let violation = l2(radius).violation(&x).unwrap();
        let exact = (256.0 * value as f64 - radius as f64).min(f32::MAX as f64);
        assert!((violation as f64 - exact).abs() <= 2e-6 * exact + 1.5e-45, "{violation} not {exact}");
    }
    // A huge value beside tiny ones, and a centre so far away that differences overflow.
    let (got, _) = project(&l2(1.0), &[3e38, 1.0, -3e38]);
    let half = std::f32::consts::FRAC_1_SQRT_2;
    assert!(apart(&got, &[half, 0.0, -half]) < 1e-6);
    let far = Set::L2Ball(L2Ball { center: Some(&[-3e38, 0.0]), radius: 1e38 });
    let (got, _) = project(&far, &[3e38, 0.0]);
    assert!((got[0] as f64 + 2e38).abs() < 1e32, "{}", got[0]);
    // Inside, by a hair and by far.
    for (x, radius) in [(1e-30f32, 1e30f32), (1e30, 3e38), (1e-40, 1e-39)] {
        assert!(!project(&l2(radius), &[x; 16]).1, "{x} {radius}");
    }
}

#[test]
fn l2_ball_has_its_derivative() {
    let center = gaussian(40, 7);
    for (center, radius) in [(None, 5.0), (Some(&center[..]), 9.0)] {
        let set = Set::L2Ball(L2Ball { center, radius });
        let case = Case::new(set, 40);
        let smooth = |x: &[f32]| set.violation(x).unwrap() > 1.0 || set.violation(x).unwrap() == 0.0;
        case.derivative(1e-2, 2e-3, smooth);
    }
}

#[test]
fn wrong_parameters_are_refused() {
    let mut x = [3.0, 4.0];
    for radius in [-1.0, -f32::MIN_POSITIVE, f32::NAN, f32::INFINITY] {
        assert_eq!(l2(radius).project_inplace(&mut x, &mut []), Err(Error::InvalidArgument));
        assert_eq!(l2(radius).violation(&x), Err(Error::InvalidArgument));
    }
    let short = Set::L2Ball(L2Ball { center: Some(&[0.0]), radius: 1.0 });
    assert_eq!(short.project_inplace(&mut x, &mut []), Err(Error::Shape));
    let nan = Set::L2Ball(L2Ball { center: Some(&[0.0, f32::NAN]), radius: 1.0 });
    assert_eq!(nan.project_inplace(&mut x, &mut []), Err(Error::NonFinite));
    assert_eq!(l2(1.0).vjp(&x, &[1.0], &mut [0.0; 2], &mut []), Err(Error::Shape));
    assert_eq!(x, [3.0, 4.0]);
}

#[test]
fn nothing_is_a_vector_too() {
    assert_eq!(project(&l2(1.0), &[]), (vec![], false));
    assert_eq!(l2(0.0).violation(&[]), Ok(0.0));
    assert_eq!(bits(&project(&l2(1.0), &[-0.0, 0.5]).0), bits(&[-0.0, 0.5]));
}
