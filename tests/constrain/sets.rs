//! Boxes, planes, cones, spheres, rows, affine sets and products: what holds of every set, closed forms in double
//! precision, derivatives, and what is refused.

use crate::common::{gaussian, same_on_every_tier};
use crate::support::{Case, apart, bits, dot, project, vjp};
use hybridq::Error;
use hybridq::constrain::{
    Affine, BoxSet, Halfspace, Hyperplane, L2Ball, Limit, LinfBall, NonNegative, Part, Product, Project,
    RowMaxNorm, SecondOrderCone, Set, Sphere, affine_factor_len, affine_prepare,
    affine_prepare_workspace_size,
};

const LENGTHS: [usize; 9] = [1, 2, 15, 16, 17, 64, 100, 2047, 2049];

fn bounds(lower: f32, upper: f32) -> Set<'static> {
    Set::Box(BoxSet { lower: Limit::One(lower), upper: Limit::One(upper) })
}

#[test]
fn boxes_are_projections_at_every_length() {
    for len in LENGTHS {
        let low = gaussian(len, 1);
        let high: Vec<f32> = low.iter().zip(gaussian(len, 2)).map(|(l, g)| l + g.abs()).collect();
        let center = gaussian(len, 3);
        for set in [
            Set::NonNegative(NonNegative),
            bounds(-1.0, 0.5),
            bounds(-1.0, f32::INFINITY),
            bounds(f32::NEG_INFINITY, 2.0),
            Set::Box(BoxSet { lower: Limit::Each(&low), upper: Limit::Each(&high) }),
            Set::Box(BoxSet { lower: Limit::Each(&low), upper: Limit::One(f32::INFINITY) }),
            Set::LinfBall(LinfBall { center: None, radius: 0.75 }),
            Set::LinfBall(LinfBall { center: Some(&center), radius: 0.75 }),
            Set::LinfBall(LinfBall { center: Some(&center), radius: 0.0 }),
        ] {
            Case { tolerance: 1e-12, ..Case::new(set, len) }.check();
        }
        let set = Set::Box(BoxSet { lower: Limit::Each(&low), upper: Limit::Each(&high) });
        let x = gaussian(len, 4);
        let clamped: Vec<f32> =
            x.iter().zip(low.iter().zip(&high)).map(|(x, (l, h))| x.clamp(*l, *h)).collect();
        assert_eq!(project(&set, &x).0, clamped);
        let worst = x.iter().zip(&clamped).map(|(x, c)| (x - c).abs()).fold(0.0, f32::max);
        assert_eq!(set.violation(&x), Ok(worst));
    }
}

#[test]
fn box_edges_and_signs_of_zero() {
    // On a bound is inside; minus zero is not negative, and stays.
    let x = [-0.0, 0.0, 1.0, 0.5];
    assert_eq!(bits(&project(&bounds(0.0, 1.0), &x).0), bits(&x));
    assert_eq!(bits(&project(&Set::NonNegative(NonNegative), &x).0), bits(&x));
    // A vector whose other values move keeps the zero too, on every tier.
    let moved = same_on_every_tier("projection", || bits(&project(&bounds(0.0, 1.0), &[-0.0, 2.0, -3.0]).0));
    assert_eq!(moved, bits(&[-0.0, 1.0, 0.0]));
    assert_eq!(
        vjp(&bounds(0.0, 1.0), &[0.0, 1.0, -0.1, 1.1], &[1.0, 2.0, 3.0, 4.0]),
        Ok(vec![1.0, 2.0, 0.0, 0.0])
    );
    // Where bounds leave the range of f32, there is none.
    let wide = Set::LinfBall(LinfBall { center: Some(&[3e38, -3e38]), radius: 3e38 });
    assert_eq!(project(&wide, &[3.3e38, 1e38]).0, [3.3e38, 0.0]);
    assert_eq!(bounds(-3e38, -2e38).violation(&[3e38]), Ok(f32::MAX));
    assert_eq!(project(&bounds(1.0, 1.0), &[]), (vec![], false));
}

#[test]
fn wrong_bounds_are_refused() {
    let x = [0.0f32; 20];
    let (mut low, mut high) = ([-1.0f32; 20], [1.0f32; 20]);
    let refused = |low: &[f32], high: &[f32]| {
        let set = BoxSet { lower: Limit::Each(low), upper: Limit::Each(high) };
        set.project(&x, &mut [0.0; 20], &mut []).err()
    };
    assert_eq!(refused(&low, &high), None);
    for at in [0, 17, 19] {
        for (l, h) in [(1.5, 1.0), (f32::NAN, 1.0), (0.0, f32::NAN), (f32::INFINITY, f32::INFINITY)] {
            (low[at], high[at]) = (l, h);
            assert_eq!(refused(&low, &high), Some(Error::InvalidArgument), "{at} {l} {h}");
        }
        (low[at], high[at]) = (-1.0, 1.0);
    }
    assert_eq!(refused(&low[..19], &high), Some(Error::Shape));
    let far = f32::INFINITY;
    for (l, h) in [(1.0, 0.0), (f32::NAN, 0.0), (0.0, f32::NAN), (far, far), (-far, -far)] {
        assert_eq!(bounds(l, h).violation(&[]), Err(Error::InvalidArgument));
        assert_eq!(bounds(l, h).violation(&x), Err(Error::InvalidArgument));
    }
    let far = [f32::INFINITY];
    let ball = Set::LinfBall(LinfBall { center: Some(&far), radius: 1.0 });
    assert_eq!(ball.violation(&[0.0]), Err(Error::NonFinite));
    for radius in [-1.0, f32::NAN, f32::INFINITY] {
        let ball = Set::LinfBall(LinfBall { center: None, radius });
        assert_eq!(ball.violation(&x), Err(Error::InvalidArgument));
        assert_eq!(Set::Sphere(Sphere { center: None, radius }).violation(&x), Err(Error::InvalidArgument));
        assert_eq!(
            Set::RowMaxNorm(RowMaxNorm { cols: 5, radius }).violation(&x),
            Err(Error::InvalidArgument)
        );
    }
}

#[test]
fn planes_are_projections_and_equal_double_precision() {
    for len in LENGTHS {
        let normal = gaussian(len, 5);
        for bound in [0.0, -2.0, 3.0] {
            let half = Set::Halfspace(Halfspace { normal: &normal, bound });
            let plane = Set::Hyperplane(Hyperplane { normal: &normal, bound });
            for set in [half, plane] {
                Case { tolerance: 4e-6, to_the_bit: false, ..Case::new(set, len) }.check();
                let x = gaussian(len, 6);
                let gap = dot(&normal, &x) - bound as f64;
                let squares = dot(&normal, &normal);
                let inside = matches!(set, Set::Halfspace(_)) && gap <= 0.0;
                let t = if inside { 0.0 } else { gap / squares };
                let expected: Vec<f32> =
                    x.iter().zip(&normal).map(|(&x, &a)| (x as f64 - a as f64 * t) as f32).collect();
                let (got, active) = project(&set, &x);
                assert_eq!(active, !inside);
                let size = dot(&x, &x).sqrt() + dot(&expected, &expected).sqrt();
                assert!(apart(&got, &expected) <= 1e-6 * size, "{len} {bound}");
                let distance = if inside { 0.0 } else { gap.abs() / squares.sqrt() };
                assert!((set.violation(&x).unwrap() as f64 - distance).abs() <= 1e-6 * size);
            }
        }
    }
}

#[test]
fn planes_of_any_magnitude_are_right() {
    for (a, x, bound) in [
        (1e30f32, 1e30f32, 0.0f32),
        (1e-30, 1e-30, 0.0),
        (1e-42, 1e30, 0.0),
        (1e30, 1e-30, 1.0),
        (1e-20, 1.0, 1e10),
    ] {
        let normal = [a, -2.0 * a, 2.0 * a];
        let point = [x, x, 2.0 * x];
        let set = Set::Hyperplane(Hyperplane { normal: &normal, bound });
        let t = (3.0 * a as f64 * x as f64 - bound as f64) / (9.0 * a as f64 * a as f64);
        let expected: Vec<f64> = normal.iter().zip(point).map(|(&n, x)| x as f64 - n as f64 * t).collect();
        let (got, _) = project(&set, &point);
        let size = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
        for (got, expected) in got.iter().zip(&expected) {
            // The normal itself is rounded where it is a denormal.
            let rounding = if a < 1e-38 { 1e-2 } else { 1e-5 };
            assert!(
                (*got as f64 - expected).abs() <= rounding * size,
                "{a} {x} {bound}: {got} not {expected}"
            );
        }
    }
    // Farther than f32 reaches.
    let set = Set::Hyperplane(Hyperplane { normal: &[1e-30], bound: 1e30 });
    let mut x = [1.0];
    assert_eq!(set.project_inplace(&mut x, &mut []), Err(Error::NonFinite));
    assert_eq!((set.violation(&x), x), (Err(Error::NonFinite), [1.0]));
    for (normal, bound, error) in [
        (&[0.0, 0.0][..], 1.0, Error::InvalidArgument),
        (&[], 1.0, Error::Shape),
        (&[1.0], 1.0, Error::Shape),
        (&[1.0, 1.0], f32::NAN, Error::InvalidArgument),
        (&[1.0, f32::NAN], 1.0, Error::NonFinite),
    ] {
        assert_eq!(Halfspace { normal, bound }.violation(&[1.0, 2.0]), Err(error));
        assert_eq!(Hyperplane { normal, bound }.violation(&[1.0, 2.0]), Err(error));
    }
}

#[test]
fn planes_have_their_derivatives() {
    let normal = gaussian(30, 8);
    let half = Set::Halfspace(Halfspace { normal: &normal, bound: 1.0 });
    let plane = Set::Hyperplane(Hyperplane { normal: &normal, bound: 1.0 });
    let off = |x: &[f32]| (dot(&normal, x) - 1.0).abs() > 1.0;
    Case::new(half, 30).derivative(1e-2, 2e-3, off);
    Case::new(plane, 30).derivative(1e-2, 2e-3, off);
}

#[test]
fn cone_is_a_projection_and_equals_double_precision() {
    let cone = Set::SecondOrderCone(SecondOrderCone);
    for len in LENGTHS {
        Case::new(cone, len).check();
    }
    let mut regions = [0; 3];
    for seed in 0..60 {
        let mut x = gaussian(9, seed);
        x[0] *= 4.0;
        let n = x[1..].iter().map(|&z| z as f64 * z as f64).sum::<f64>().sqrt();
        let t = x[0] as f64;
        let expected: Vec<f32> = if n <= t {
            regions[0] += 1;
            x.clone()
        } else if n <= -t {
            regions[1] += 1;
            vec![0.0; 9]
        } else {
            regions[2] += 1;
            let a = (t + n) / 2.0;
            x.iter().enumerate().map(|(i, &z)| if i == 0 { a } else { z as f64 * a / n } as f32).collect()
        };
        assert!(apart(&project(&cone, &x).0, &expected) < 1e-6);
        assert!((cone.violation(&x).unwrap() as f64 - (n - t).max(0.0)).abs() < 1e-5);
    }
    assert!(regions.iter().all(|&n| n > 5), "{regions:?}");
    for (x, expected) in [
        (vec![0.0, 0.0], vec![0.0, 0.0]),
        (vec![-1.0, 0.0], vec![0.0, 0.0]),
        (vec![0.0, 1e30], vec![0.5e30, 0.5e30]),
        (vec![1e-30, -3e-30], vec![2e-30, -2e-30]),
        (vec![-2.0], vec![0.0]),
        (vec![2.0], vec![2.0]),
    ] {
        let (got, _) = project(&cone, &x);
        assert!(apart(&got, &expected) <= 1e-6 * dot(&expected, &expected).sqrt(), "{x:?}: {got:?}");
    }
    assert_eq!(cone.violation(&[]), Err(Error::Shape));
    assert_eq!(cone.violation(&[1.0, 3e38, 3e38]), Err(Error::NonFinite));
    let away = |x: &[f32]| {
        let n = dot(&x[1..], &x[1..]).sqrt();
        (n - x[0].abs() as f64).abs() > 0.5 && n > 1.0
    };
    Case::new(cone, 6).derivative(1e-2, 5e-3, away);
}

#[test]
fn sphere_is_reached_from_both_sides() {
    for len in LENGTHS {
        let center = gaussian(len, 9);
        for (center, radius) in [(None, 2.0), (Some(&center[..]), 0.5), (Some(&center[..]), 0.0)] {
            let set = Set::Sphere(Sphere { center, radius });
            Case { convex: false, ..Case::new(set, len) }.check();
        }
    }
    let unit = Set::Sphere(Sphere { center: None, radius: 1.0 });
    assert_eq!(project(&unit, &[0.0, 0.0]), (vec![1.0, 0.0], true));
    assert_eq!(vjp(&unit, &[0.0, 0.0], &[1.0, 1.0]), Err(Error::Unsupported));
    let centered = Set::Sphere(Sphere { center: Some(&[3.0, 4.0]), radius: 2.0 });
    assert_eq!(project(&centered, &[3.0, 4.0]).0, [5.0, 4.0]);
    assert_eq!(unit.violation(&[]), Err(Error::InvalidArgument));
    assert_eq!(Set::Sphere(Sphere { center: None, radius: 0.0 }).violation(&[]), Ok(0.0));
    for (x, radius) in [(1e-30f32, 1e30f32), (1e30, 1e-30), (1e-44, 1.0)] {
        let got = project(&Set::Sphere(Sphere { center: None, radius }), &[x, 0.0, 0.0]).0;
        assert!((got[0] as f64 / radius as f64 - 1.0).abs() < 1e-6 && got[1] == 0.0, "{x} {radius}: {got:?}");
    }
    Case::new(centered, 2).derivative(1e-3, 2e-2, |x| apart(x, &[3.0, 4.0]) > 1.0);
}

#[test]
fn rows_are_projected_one_by_one() {
    for (rows, cols) in [(1, 1), (3, 5), (7, 16), (5, 33), (2, 2050)] {
        let set = Set::RowMaxNorm(RowMaxNorm { cols, radius: 1.5 });
        Case::new(set, rows * cols).check();
        let x = gaussian(rows * cols, 10);
        let (got, active) = project(&set, &x);
        let ball = Set::L2Ball(L2Ball { center: None, radius: 1.5 });
        let one_by_one: Vec<_> = x.chunks(cols).map(|row| project(&ball, row)).collect();
        assert_eq!(got, one_by_one.iter().flat_map(|(row, _)| row.clone()).collect::<Vec<_>>());
        assert_eq!(active, one_by_one.iter().any(|(_, active)| *active));
        let worst = x.chunks(cols).map(|row| ball.violation(row).unwrap()).fold(0.0, f32::max);
        assert_eq!(set.violation(&x), Ok(worst));
    }
    let set = Set::RowMaxNorm(RowMaxNorm { cols: 4, radius: 1.0 });
    assert_eq!(project(&set, &[]), (vec![], false));
    assert_eq!(set.violation(&[0.0; 6]), Err(Error::Shape));
    assert_eq!(
        Set::RowMaxNorm(RowMaxNorm { cols: 0, radius: 1.0 }).violation(&[]),
        Err(Error::InvalidArgument)
    );
    // One row of huge values, one of tiny ones, one inside.
    let x = [3e38, 3e38, 3e38, 3e38, 1e-40, 0.0, 0.0, 0.0, 0.5, 0.5, 0.0, 0.0];
    let got = project(&set, &x).0;
    assert!(apart(&got[..4], &[0.5; 4]) < 1e-6);
    assert_eq!(got[4..], x[4..]);
    let apart_from_one = |x: &[f32]| x.chunks(4).all(|row| (dot(row, row).sqrt() - 1.0).abs() > 0.1);
    Case::new(set, 12).derivative(1e-3, 2e-2, apart_from_one);
}

fn factored(rows: usize, cols: usize, a: &[f32], b: &[f32]) -> Result<Vec<f32>, Error> {
    let mut factor = vec![7.0; affine_factor_len(rows, cols)?];
    let mut scratch = vec![0; affine_prepare_workspace_size(rows, cols)?];
    let done = affine_prepare(rows, cols, a, b, &mut factor, &mut scratch);
    assert!(done.is_ok() || factor.iter().all(|&f| f == 7.0));
    done.map(|()| factor)
}

/// The projection in double, by Gaussian elimination of `A A' y = A x - b`.
fn affine_reference(rows: usize, cols: usize, a: &[f32], b: &[f32], x: &[f32]) -> Vec<f64> {
    let a = |i: usize, j: usize| a[i * cols + j] as f64;
    let mut system: Vec<Vec<f64>> = (0..rows)
        .map(|i| {
            let mut row: Vec<f64> = (0..rows).map(|k| (0..cols).map(|j| a(i, j) * a(k, j)).sum()).collect();
            row.push((0..cols).map(|j| a(i, j) * x[j] as f64).sum::<f64>() - b[i] as f64);
            row
        })
        .collect();
    for i in 0..rows {
        let pivot = (i..rows).max_by(|&p, &q| system[p][i].abs().total_cmp(&system[q][i].abs())).unwrap();
        system.swap(i, pivot);
        let own = system[i].clone();
        for (_, row) in system.iter_mut().enumerate().filter(|&(k, _)| k != i) {
            let factor = row[i] / own[i];
            for (value, own) in row.iter_mut().zip(&own).skip(i) {
                *value -= factor * own;
            }
        }
    }
    (0..cols)
        .map(|j| x[j] as f64 - (0..rows).map(|i| a(i, j) * system[i][rows] / system[i][i]).sum::<f64>())
        .collect()
}

#[test]
fn affine_sets_equal_double_precision() {
    for (rows, cols) in [(0, 3), (1, 1), (1, 20), (3, 7), (5, 5), (8, 100), (20, 300)] {
        let (a, b) = (gaussian(rows * cols, 11), gaussian(rows, 12));
        let factor = factored(rows, cols, &a, &b).unwrap();
        let set = Set::Affine(Affine { rows, factor: &factor });
        let tolerance = if rows == cols { 2e-4 } else { 5e-6 };
        Case { tolerance, to_the_bit: false, ..Case::new(set, cols) }.check();
        let x = gaussian(cols, 13);
        let expected = affine_reference(rows, cols, &a, &b, &x);
        let (got, _) = project(&set, &x);
        let size = expected.iter().map(|e| e * e).sum::<f64>().sqrt() + 1.0;
        let off = got.iter().zip(&expected).map(|(&g, e)| (g as f64 - e).abs()).fold(0.0, f64::max);
        assert!(off <= tolerance * size, "{rows} x {cols}: {off}");
        let distance = x.iter().zip(&expected).map(|(&x, e)| (x as f64 - e).powi(2)).sum::<f64>().sqrt();
        assert!((set.violation(&x).unwrap() as f64 - distance).abs() <= tolerance * size);
        Case::new(set, cols).derivative(1e-2, 3e-3, |_| true);
        // Rows of very different sizes are the same system.
        let scaled: Vec<f32> =
            a.iter().enumerate().map(|(i, a)| a * [1e30, 1e-30, 1.0][i / cols % 3]).collect();
        let scaled_b: Vec<f32> = b.iter().enumerate().map(|(i, b)| b * [1e30, 1e-30, 1.0][i % 3]).collect();
        let factor = factored(rows, cols, &scaled, &scaled_b).unwrap();
        let (again, _) = project(&Set::Affine(Affine { rows, factor: &factor }), &x);
        assert!(apart(&again, &got) <= 10.0 * tolerance * size);
        // And so are points of any size.
        let set = Set::Affine(Affine { rows, factor: &factor });
        let huge: Vec<f32> = x.iter().map(|x| x * 1e37).collect();
        assert!(project(&set, &huge).0.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn dependent_rows_are_a_clear_error() {
    let dependent = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 5.0, 7.0, 9.0];
    assert_eq!(factored(3, 3, &dependent, &[0.0; 3]), Err(Error::RankDeficient));
    assert_eq!(factored(2, 2, &[1.0, 1.0, 1.0, 1.000_000_1], &[0.0; 2]), Err(Error::RankDeficient));
    assert_eq!(factored(1, 2, &[0.0, 0.0], &[0.0]), Err(Error::RankDeficient));
    assert_eq!(factored(2, 1, &[1.0, 2.0], &[0.0; 2]), Err(Error::RankDeficient));
    assert_eq!(factored(1, 2, &[1.0], &[0.0]), Err(Error::Shape));
    assert_eq!(factored(1, 2, &[1.0, 1.0], &[]), Err(Error::Shape));
    assert_eq!(factored(1, 2, &[1.0, f32::NAN], &[0.0]), Err(Error::NonFinite));
    assert_eq!(factored(1, 2, &[1.0, 1.0], &[f32::INFINITY]), Err(Error::NonFinite));
    assert_eq!(factored(1, 2, &[1e-30, 1e-30], &[1e30]), Err(Error::NonFinite));
    assert_eq!(affine_factor_len(usize::MAX, 2), Err(Error::SizeOverflow));
    assert_eq!(
        affine_prepare(1, 2, &[1.0; 2], &[1.0], &mut [0.0; 2], &mut [0; 64]),
        Err(Error::OutputTooSmall)
    );
    assert_eq!(
        affine_prepare(1, 2, &[1.0; 2], &[1.0], &mut [0.0; 3], &mut [0; 8]),
        Err(Error::WorkspaceTooSmall)
    );
    // Ill-conditioned, but of full rank: exact enough.
    let a = [1.0, 1.0, 1.0, 1.001];
    let factor = factored(2, 2, &a, &[2.0, 2.001]).unwrap();
    let got = project(&Set::Affine(Affine { rows: 2, factor: &factor }), &[5.0, -3.0]).0;
    assert!(apart(&got, &[1.0, 1.0]) < 1e-3, "{got:?}");
    assert_eq!(Affine { rows: 2, factor: &factor[1..] }.violation(&[0.0; 2]), Err(Error::Shape));
}

#[test]
fn products_are_their_parts() {
    let normal = gaussian(20, 14);
    let factor = factored(2, 9, &gaussian(18, 15), &[1.0, -1.0]).unwrap();
    let parts = [
        Part { set: Set::L2Ball(L2Ball { center: None, radius: 1.0 }), len: 17 },
        Part { set: Set::Halfspace(Halfspace { normal: &normal, bound: 0.5 }), len: 20 },
        Part { set: bounds(0.0, 1.0), len: 0 },
        Part { set: Set::SecondOrderCone(SecondOrderCone), len: 4 },
        Part { set: Set::Affine(Affine { rows: 2, factor: &factor }), len: 9 },
        Part { set: Set::NonNegative(NonNegative), len: 3 },
        Part { set: bounds(-0.5, 0.5), len: 2 },
    ];
    let len = parts.iter().map(|p| p.len).sum();
    let set = Set::Product(Product { parts: &parts });
    Case { tolerance: 5e-6, to_the_bit: false, ..Case::new(set, len) }.check();
    let (x, v) = (gaussian(len, 16), gaussian(len, 17));
    let (got, active) = project(&set, &x);
    let pulled = vjp(&set, &x, &v).unwrap();
    let (mut at, mut worst) = (0, 0.0f32);
    for part in &parts {
        let here = at..at + part.len;
        assert_eq!(got[here.clone()], project(&part.set, &x[here.clone()]).0);
        assert_eq!(pulled[here.clone()], vjp(&part.set, &x[here.clone()], &v[here.clone()]).unwrap());
        worst = worst.max(part.set.violation(&x[here.clone()]).unwrap());
        at = here.end;
    }
    assert!(active);
    assert_eq!(set.violation(&x), Ok(worst));
    assert_eq!(set.violation(&x[1..]), Err(Error::Shape));
    // What a later part refuses leaves the earlier ones alone.
    let parts = [
        Part { set: bounds(0.0, 0.0), len: 2 },
        Part { set: Set::Sphere(Sphere { center: None, radius: 1.0 }), len: 2 },
        Part { set: bounds(1.0, 0.0), len: 1 },
    ];
    let mut x = [1.0, 2.0, 0.0, 0.0, 1.0];
    assert_eq!(Product { parts: &parts }.project_inplace(&mut x, &mut []), Err(Error::InvalidArgument));
    assert_eq!(x, [1.0, 2.0, 0.0, 0.0, 1.0]);
    let mut out = [7.0; 4];
    let got = Product { parts: &parts[..2] }.vjp(&x[..4], &[1.0; 4], &mut out, &mut []);
    assert_eq!((got, out), (Err(Error::Unsupported), [7.0; 4]));
    assert_eq!(Product { parts: &[] }.violation(&[]), Ok(0.0));
    // Products do not nest.
    let nested = [parts[0], Part { set: Set::Product(Product { parts: &parts[1..2] }), len: 2 }];
    let nested = Product { parts: &nested };
    let mut x = [1.0; 4];
    assert_eq!(nested.project_inplace(&mut x, &mut []), Err(Error::Unsupported));
    assert_eq!((nested.violation(&x), x), (Err(Error::Unsupported), [1.0; 4]));
    assert!(!Set::Product(nested).is_convex());
}
