//! The sets whose projection searches a threshold: simplex, capped simplex, L1 ball. Against references that sort or
//! bisect in double precision, on inputs made to defeat pivots.

use crate::common::{Rng, gaussian, on_every_tier};
use crate::references::{capped_simplex, inputs, l1_ball, on_simplex, simplex, wide};
use hybridq::Error;
use hybridq::constrain::{CappedSimplex, L1Ball, Project, Set, Simplex};

const LENGTHS: [usize; 13] = [1, 2, 3, 15, 16, 17, 33, 255, 256, 257, 1000, 16384, 20_011];

/// The projection on every tier, in place and apart, projected once more: all the same bits.
fn project(set: &Set<'_>, x: &[f32]) -> Vec<f32> {
    let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
    let mut scratch = vec![0; set.workspace_size(x.len()).unwrap()];
    let mut first: Option<Vec<f32>> = None;
    on_every_tier(|tier| {
        let mut out = vec![f32::NAN; x.len() + 1];
        let did = set.project(x, &mut out, &mut scratch).unwrap();
        assert!(out.pop().unwrap().is_nan());
        assert_eq!(did.active, bits(&out) != bits(x), "{set:?}");
        let mut again = x.to_vec();
        set.project_inplace(&mut again, &mut scratch).unwrap();
        assert_eq!(bits(&again), bits(&out));
        let twice = set.project_inplace(&mut again, &mut scratch).unwrap();
        let first_values = (&x[..x.len().min(4)], &out[..x.len().min(4)], &again[..x.len().min(4)]);
        assert!(!twice.active && bits(&again) == bits(&out), "{set:?}: {} values, {first_values:?}", x.len());
        let first = first.get_or_insert_with(|| out.clone());
        assert_eq!(bits(first), bits(&out), "{tier:?}");
    });
    first.unwrap()
}

/// Equal to the reference to 4e-6 of the value and of an even share of the sum, and to the rounding of `center`.
fn near(what: &str, got: &[f32], expected: &[f64], total: f64, center: &[f32]) {
    // No more than a denormal each is known of denormals.
    let share = total / expected.iter().filter(|v| **v != 0.0).count().max(1) as f64;
    for (i, (g, e)) in got.iter().zip(expected).enumerate() {
        let c = center.get(i).map_or(0.0, |c| c.abs() as f64);
        let most = 4e-6 * (e.abs() + share) + 3e-7 * c + 6e-45;
        assert!((*g as f64 - e).abs() <= most, "{what}, {i} of {}: {g:e} for {e:e}", got.len());
    }
}

fn largest(x: &[f32]) -> f32 {
    x.iter().fold(0.0f32, |a, b| a.max(b.abs()))
}

/// `<x - p, z - p> <= 0` up to rounding.
fn variational(what: &str, x: &[f32], p: &[f32], z: &[f64]) {
    let (mut product, mut size, mut most) = (0.0, 0.0, 0f64);
    for ((&x, &p), z) in x.iter().zip(p).zip(z) {
        most = most.max(x.abs() as f64).max(p.abs() as f64).max(z.abs());
        let term = (x as f64 - p as f64) * (z - p as f64);
        product += term;
        size += term.abs();
    }
    assert!(product <= 4e-6 * size + 3e-45 * most * x.len() as f64, "{what}: {product:e} of {size:e}");
}

/// How far a sum may be off: 1e-6 of it, and a denormal a value.
fn rounding(total: f32, n: usize) -> f64 {
    1e-6 * total as f64 + n as f64 * 1.5e-45
}

fn totals(x: &[f32]) -> Vec<f32> {
    let unit = largest(x).max(1e-38);
    vec![1e-4 * unit, unit, 0.1 * x.len() as f32 * unit, 3.0 * x.len() as f32 * unit]
}

#[test]
fn simplex_is_the_nearest_point() {
    let mut rng = Rng(1);
    for n in LENGTHS {
        for (name, x) in inputs(n) {
            for total in totals(&x).into_iter().chain([1.0, 1e20, 1e30]) {
                let what = format!("simplex of {total:e}, {n} {name}");
                let set = Set::Simplex(Simplex { total });
                let p = project(&set, &x);
                near(&what, &p, &simplex(&wide(&x), total as f64), total as f64, &[]);
                let sum: f64 = wide(&p).iter().sum();
                assert!(
                    p.iter().all(|v| *v >= 0.0) && (sum - total as f64).abs() <= rounding(total, n),
                    "{what}: {sum:e}"
                );
                assert!(set.is_feasible(&p, rounding(total, n) as f32).unwrap(), "{what}");
                variational(&what, &x, &p, &on_simplex(n, total as f64, &mut rng));
            }
        }
    }
}

#[test]
fn capped_simplex_is_the_nearest_point() {
    let mut rng = Rng(2);
    for n in LENGTHS {
        for (name, x) in inputs(n) {
            let unit = largest(&x).max(1e-38);
            for (cap, share) in
                [(0.01 * unit, 0.3), (0.5 * unit, 0.01), (unit, 0.9), (10.0 * unit, 0.5), (1.0, 0.25)]
            {
                let total = cap * n as f32 * share;
                let what = format!("capped simplex of {total:e} with {cap:e}, {n} {name}");
                let set = Set::CappedSimplex(CappedSimplex { cap, total });
                let p = project(&set, &x);
                near(&what, &p, &capped_simplex(&wide(&x), cap as f64, total as f64), total as f64, &[]);
                let sum: f64 = wide(&p).iter().sum();
                assert!(p.iter().all(|v| (0.0..=cap).contains(v)), "{what}");
                assert!((sum - total as f64).abs() <= rounding(total, n), "{what}: {sum:e}");
                assert!(set.is_feasible(&p, rounding(total, n) as f32).unwrap(), "{what}");
                let z = on_simplex(n, total as f64, &mut rng);
                variational(&what, &x, &p, &capped_simplex(&z, cap as f64, total as f64));
            }
        }
    }
}

#[test]
fn l1_ball_is_the_nearest_point() {
    let mut rng = Rng(3);
    for n in LENGTHS {
        for (name, x) in inputs(n) {
            let unit = largest(&x);
            let center: Vec<f32> = gaussian(n, 5).iter().map(|v| v * unit * 0.5).collect();
            for radius in totals(&x) {
                for c in [None, Some(&center[..])] {
                    let what = format!("L1 ball of {radius:e}, {n} {name}, centre {}", c.is_some());
                    let set = Set::L1Ball(L1Ball { center: c, radius });
                    let p = project(&set, &x);
                    let at = c.map_or(vec![0.0; n], wide);
                    near(&what, &p, &l1_ball(&wide(&x), &at, radius as f64), radius as f64, c.unwrap_or(&[]));
                    let far: f64 = wide(&p).iter().zip(&at).map(|(p, c)| (p - c).abs()).sum();
                    let most =
                        radius as f64 + rounding(radius, n) + 1e-7 * at.iter().map(|c| c.abs()).sum::<f64>();
                    assert!(far <= most, "{what}: {far:e}");
                    let mut z = on_simplex(n, radius as f64, &mut rng);
                    z.iter_mut()
                        .zip(&at)
                        .for_each(|(z, c)| *z = c + if rng.next().is_multiple_of(2) { *z } else { -*z });
                    if c.is_none() {
                        variational(&what, &x, &p, &z);
                    }
                }
            }
        }
    }
}

#[test]
fn projections_do_not_expand_distances() {
    for seed in 0..40 {
        let n = 1 + 37 * seed as usize;
        let (a, b) = (gaussian(n, seed), gaussian(n, seed + 1000));
        let sets = [
            Set::Simplex(Simplex { total: 2.0 }),
            Set::CappedSimplex(CappedSimplex { cap: 0.5, total: 0.2 * n as f32 }),
            Set::L1Ball(L1Ball { center: None, radius: 0.3 * n as f32 }),
        ];
        let apart = |a: &[f32], b: &[f32]| {
            a.iter().zip(b).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum::<f64>().sqrt()
        };
        for set in &sets {
            assert!(apart(&project(set, &a), &project(set, &b)) <= apart(&a, &b) * (1.0 + 1e-6));
        }
    }
}

#[test]
fn what_is_inside_stays_to_the_bit() {
    let inside: [(Set<'_>, &[f32]); 5] = [
        (Set::Simplex(Simplex { total: 1.0 }), &[0.5, 0.25, -0.0, 0.25]),
        (Set::CappedSimplex(CappedSimplex { cap: 0.5, total: 1.0 }), &[0.5, 0.25, -0.0, 0.25]),
        (Set::L1Ball(L1Ball { center: None, radius: 1.0 }), &[0.5, -0.25, -0.0, 1e-40]),
        (Set::L1Ball(L1Ball { center: Some(&[1.0, 2.0]), radius: 0.0 }), &[1.0, 2.0]),
        (Set::L1Ball(L1Ball { center: None, radius: f32::MAX }), &[1e38, -2e38]),
    ];
    for (set, x) in inside {
        let p = project(&set, x);
        assert!(p.iter().zip(x).all(|(a, b)| a.to_bits() == b.to_bits()), "{set:?}");
        assert_eq!(set.violation(x).unwrap(), 0.0);
        assert!(set.is_feasible(x, 0.0).unwrap());
    }
    assert!(project(&Set::L1Ball(L1Ball { center: None, radius: 1.0 }), &[]).is_empty());
}

#[test]
fn a_radius_or_sum_of_zero() {
    let x = gaussian(300, 9);
    let center = gaussian(300, 10);
    assert!(project(&Set::Simplex(Simplex { total: 0.0 }), &x).iter().all(|v| *v == 0.0));
    let capped = |cap, total| Set::CappedSimplex(CappedSimplex { cap, total });
    assert!(project(&capped(1.0, 0.0), &x).iter().all(|v| *v == 0.0));
    assert!(project(&capped(0.0, 0.0), &x).iter().all(|v| *v == 0.0));
    assert!(project(&capped(0.5, 150.0), &x).iter().all(|v| *v == 0.5));
    assert_eq!(project(&Set::L1Ball(L1Ball { center: Some(&center), radius: 0.0 }), &x), center);
    assert!(project(&Set::L1Ball(L1Ball { center: None, radius: 0.0 }), &x).iter().all(|v| *v == 0.0));
}

#[test]
fn violations_are_what_the_sets_say() {
    let simplex = Simplex { total: 1.0 };
    assert_eq!(simplex.violation(&[0.5, 1.0]).unwrap(), 0.5);
    assert_eq!(simplex.violation(&[1.75, -0.75]).unwrap(), 0.75);
    assert_eq!(CappedSimplex { cap: 0.5, total: 1.0 }.violation(&[1.25, -0.25]).unwrap(), 0.75);
    assert_eq!(L1Ball { center: Some(&[1.0, 1.0]), radius: 0.5 }.violation(&[2.0, 0.0]).unwrap(), 1.5);
    // sums beyond the range of floats
    assert_eq!(L1Ball { center: None, radius: 1.0 }.violation(&[3e38, -3e38]).unwrap(), f32::MAX);
    assert_eq!(simplex.violation(&[3e38, -3e38]).unwrap(), 3e38);
    assert!(
        !simplex.is_feasible(&[0.5, 1.0], 0.25).unwrap() && simplex.is_feasible(&[0.5, 1.0], 0.5).unwrap()
    );
}

#[test]
fn values_at_the_end_of_the_range() {
    let x = [f32::MAX, -f32::MAX, 1.0];
    assert_eq!(project(&Set::Simplex(Simplex { total: 1e-30 }), &x), [1e-30, 0.0, 0.0]);
    // The nearest point has 1/2 taken from the first and the last.
    let p = project(&Set::Simplex(Simplex { total: f32::MAX }), &x);
    assert!(p[0] == f32::MAX && p[1] == 0.0 && (0.0..=1.0).contains(&p[2]), "{p:?}");
    assert_eq!(project(&Set::L1Ball(L1Ball { center: None, radius: 1.0 }), &x), [0.5, -0.5, 0.0]);
    let ball = Set::L1Ball(L1Ball { center: None, radius: f32::MAX });
    assert_eq!(project(&ball, &x), [0.5 * f32::MAX, -0.5 * f32::MAX, 0.0]);
}

#[test]
fn refusals_leave_the_output() {
    let overflow = [-3e38, 0.0, 0.0];
    let short = [0.0, 0.0];
    let cases: [(Set<'_>, [f32; 3], Error); 12] = [
        (Set::Simplex(Simplex { total: 1.0 }), [1.0, f32::NAN, 0.0], Error::NonFinite),
        (Set::Simplex(Simplex { total: 1.0 }), [1.0, f32::NEG_INFINITY, 0.0], Error::NonFinite),
        (Set::Simplex(Simplex { total: 1.0 }), [f32::INFINITY, f32::NEG_INFINITY, 0.0], Error::NonFinite),
        (Set::Simplex(Simplex { total: -1.0 }), [1.0; 3], Error::InvalidArgument),
        (Set::Simplex(Simplex { total: f32::NAN }), [1.0; 3], Error::InvalidArgument),
        (Set::CappedSimplex(CappedSimplex { cap: 0.25, total: 1.0 }), [1.0; 3], Error::InvalidArgument),
        (
            Set::CappedSimplex(CappedSimplex { cap: f32::INFINITY, total: 1.0 }),
            [1.0; 3],
            Error::InvalidArgument,
        ),
        (Set::L1Ball(L1Ball { center: None, radius: -1.0 }), [1.0; 3], Error::InvalidArgument),
        (Set::L1Ball(L1Ball { center: None, radius: 1.0 }), [f32::NAN; 3], Error::NonFinite),
        (Set::L1Ball(L1Ball { center: Some(&overflow), radius: 1.0 }), [3e38, 0.0, 0.0], Error::NonFinite),
        (Set::L1Ball(L1Ball { center: Some(&[f32::NAN; 3]), radius: 1.0 }), [1.0; 3], Error::NonFinite),
        (Set::L1Ball(L1Ball { center: Some(&short), radius: 1.0 }), [1.0; 3], Error::Shape),
    ];
    for (set, x, error) in cases {
        let (mut out, mut same) = ([7.0; 3], x);
        assert_eq!(set.project(&x, &mut out, &mut []), Err(error), "{set:?}");
        assert_eq!(set.project_inplace(&mut same, &mut []), Err(error));
        assert_eq!(set.violation(&x), Err(error));
        assert_eq!(set.vjp(&x, &[1.0; 3], &mut out, &mut []), Err(error));
        assert!(out == [7.0; 3] && same.iter().zip(x).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    let set = Simplex { total: 1.0 };
    assert_eq!(set.project(&[], &mut [], &mut []), Err(Error::InvalidArgument));
    let mut out = [7.0; 2];
    assert_eq!(set.project(&[1.0; 3], &mut out, &mut []), Err(Error::OutputTooSmall));
    assert_eq!(set.vjp(&[1.0; 2], &[f32::NAN; 2], &mut out, &mut []), Err(Error::NonFinite));
    assert_eq!(out, [7.0; 2]);
}

/// Central differences of the reference, where no value is near a kink.
#[test]
fn derivatives_are_those_of_the_reference() {
    for n in [1usize, 5, 16, 40, 300] {
        let (x, v, center) = (gaussian(n, 21), gaussian(n, 22), gaussian(n, 23));
        let total = 0.2 * n as f64;
        type Reference<'a> = Box<dyn Fn(&[f64]) -> Vec<f64> + 'a>;
        let at = wide(&center);
        let cases: [(Set<'_>, Reference<'_>); 5] = [
            (Set::Simplex(Simplex { total: total as f32 }), Box::new(|x| simplex(x, total))),
            (
                Set::CappedSimplex(CappedSimplex { cap: 0.5, total: total as f32 }),
                Box::new(|x| capped_simplex(x, 0.5, total)),
            ),
            (
                Set::L1Ball(L1Ball { center: None, radius: total as f32 }),
                Box::new(|x| l1_ball(x, &vec![0.0; n], total)),
            ),
            (
                Set::L1Ball(L1Ball { center: Some(&center), radius: total as f32 }),
                Box::new(|x| l1_ball(x, &at, total)),
            ),
            (Set::L1Ball(L1Ball { center: None, radius: 1e6 }), Box::new(|x| x.to_vec())),
        ];
        for (set, reference) in cases {
            let mut got = vec![0f32; n];
            set.vjp(&x, &v, &mut got, &mut []).unwrap();
            // The Jacobians are symmetric: along v is against v.
            let h = 1e-6;
            let step = |s: f64| wide(&x).iter().zip(&v).map(|(x, v)| x + s * *v as f64).collect::<Vec<_>>();
            let (up, down) = (reference(&step(h)), reference(&step(-h)));
            for i in 0..n {
                let slope = (up[i] - down[i]) / (2.0 * h);
                assert!((slope - got[i] as f64).abs() < 2e-5, "{set:?} {i} of {n}: {} for {slope}", got[i]);
            }
        }
    }
}

/// A million values: the sum of the result is right to 2^-20 however it is spread.
#[test]
fn long_sums_lose_nothing() {
    let n = 1 << 20;
    let x = gaussian(n, 31);
    for total in [1.0f32, 1e3, 1e5, 1e6] {
        let p = project(&Set::Simplex(Simplex { total }), &x);
        let sum: f64 = wide(&p).iter().sum();
        assert!((sum / total as f64 - 1.0).abs() < 1e-6, "{total}: {sum}");
    }
    let equal = project(&Set::Simplex(Simplex { total: 1.0 }), &vec![1000.0; n]);
    assert!(equal.iter().all(|v| (v * n as f32 - 1.0).abs() < 1e-6));
}
