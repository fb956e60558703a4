//! Intersections: against closed forms and a long run in double precision; what the report certifies holds.

use crate::common::{Rng, gaussian, on_every_tier};
use crate::references::{capped_simplex, on_simplex, simplex, wide};
use hybridq::Error;
use hybridq::constrain::{
    BoxSet, Dykstra, DykstraOptions, Halfspace, Hyperplane, L1Ball, L2Ball, Limit, Part, Product, Project,
    Set, Simplex, Sphere, TopK, dykstra, dykstra_workspace_size,
};

fn run(sets: &[Set<'_>], options: DykstraOptions, x: &[f32]) -> (Vec<f32>, Dykstra) {
    let mut scratch = vec![0; dykstra_workspace_size(sets, x.len()).unwrap()];
    let mut found: Option<(Vec<f32>, Dykstra)> = None;
    on_every_tier(|tier| {
        let mut out = x.to_vec();
        let report = dykstra(sets, &options, &mut out, &mut scratch).unwrap();
        let (first, same) = found.get_or_insert_with(|| (out.clone(), report));
        assert!(
            first.iter().zip(&out).all(|(a, b)| a.to_bits() == b.to_bits()) && *same == report,
            "{tier:?}"
        );
    });
    found.unwrap()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn minus(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

/// The bound of the report, at a point of the intersection.
fn certified(x0: &[f32], x: &[f32], report: &Dykstra, z: &[f64]) {
    let (x0, x) = (wide(x0), wide(x));
    let (step, to) = (minus(&x0, &x), minus(z, &x));
    let bound = report.gap as f64 + report.residual as f64 * norm(&to);
    let rounding = 1e-5 * norm(&step) * norm(&to);
    assert!(dot(&step, &to) <= bound + rounding, "{} above {bound}: {report:?}", dot(&step, &to));
}

/// Dykstra's algorithm in double precision on a set and a ball around `center`, 20,000 cycles.
fn long_run(x0: &[f32], first: impl Fn(&[f64]) -> Vec<f64>, center: &[f64], radius: f64) -> Vec<f64> {
    let mut x = wide(x0);
    let n = x.len();
    let (mut p, mut q) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..20_000 {
        let z: Vec<f64> = x.iter().zip(&p).map(|(x, p)| x + p).collect();
        x = first(&z);
        p = minus(&z, &x);
        let z: Vec<f64> = x.iter().zip(&q).map(|(x, q)| x + q).collect();
        let d = minus(&z, center);
        let factor = (radius / norm(&d)).min(1.0);
        x = center.iter().zip(&d).map(|(c, d)| c + d * factor).collect();
        q = minus(&z, &x);
    }
    x
}

#[test]
fn the_corner_of_two_disks() {
    let at = [1.0, 0.0];
    let disks = [
        Set::L2Ball(L2Ball { center: None, radius: 1.0 }),
        Set::L2Ball(L2Ball { center: Some(&at), radius: 1.0 }),
    ];
    let (x, report) = run(&disks, DykstraOptions::default(), &[0.5, 3.0]);
    assert!(report.converged, "{report:?}");
    assert!((x[0] - 0.5).abs() < 1e-4 && (x[1] - 0.75f32.sqrt()).abs() < 1e-4, "{x:?}");
    assert!(report.distance < 1e-4 && report.gap < 1e-4, "{report:?}");
    // far below, only one of them counts
    let (x, report) = run(&disks, DykstraOptions::default(), &[3.0, 0.0]);
    assert!(report.converged && (x[0] - 1.0).abs() < 1e-5 && x[1] == 0.0, "{x:?} {report:?}");
}

fn box_of(lower: f32, upper: f32) -> Set<'static> {
    Set::Box(BoxSet { lower: Limit::One(lower), upper: Limit::One(upper) })
}

/// A box and the plane of equal sums meet in the capped simplex, whose projection is known.
#[test]
fn a_box_and_a_hyperplane() {
    for n in [2usize, 5, 30, 300] {
        let (x0, ones) = (gaussian(n, n as u64), vec![1.0; n]);
        let total = 0.25 * n as f32;
        let sets = [Set::Hyperplane(Hyperplane { normal: &ones, bound: total }), box_of(0.0, 0.75)];
        let (x, report) = run(&sets, DykstraOptions { max_cycles: 5000, tolerance: 1e-6 }, &x0);
        let expected = capped_simplex(&wide(&x0), 0.75, total as f64);
        let off = norm(&minus(&wide(&x), &expected));
        assert!(report.converged && off < 2e-4 * norm(&expected), "{n}: off by {off}, {report:?}");
    }
}

/// The nearest point of two halfspaces is a projection onto one, if that is in the other, or onto both lines.
#[test]
fn two_halfspaces() {
    let mut met = [false; 2];
    for seed in 0..60 {
        let (a, b, x0) = (gaussian(3, seed), gaussian(3, seed + 100), gaussian(3, seed + 200));
        let x0: Vec<f32> = x0.iter().map(|v| 3.0 * v).collect();
        let half = |normal, bound| Set::Halfspace(Halfspace { normal, bound });
        let (x, report) = run(
            &[half(&a, 0.5), half(&b, -0.25)],
            DykstraOptions { max_cycles: 20_000, tolerance: 1e-6 },
            &x0,
        );
        let (a, b, x0) = (wide(&a), wide(&b), wide(&x0));
        let moved = |s: f64, t: f64| -> Vec<f64> { (0..3).map(|i| x0[i] - s * a[i] - t * b[i]).collect() };
        let (over_a, over_b) = (dot(&a, &x0) - 0.5, dot(&b, &x0) + 0.25);
        let (aa, bb, ab) = (dot(&a, &a), dot(&b, &b), dot(&a, &b));
        let det = aa * bb - ab * ab;
        let both = ((over_a * bb - over_b * ab) / det, (over_b * aa - over_a * ab) / det);
        let inside = |z: &[f64]| dot(&a, z) <= 0.5 + 1e-9 && dot(&b, z) <= -0.25 + 1e-9;
        let candidates =
            [moved(0.0, 0.0), moved((over_a / aa).max(0.0), 0.0), moved(0.0, (over_b / bb).max(0.0))];
        let expected = candidates.into_iter().find(|z| inside(z));
        met[expected.is_none() as usize] = true;
        let expected = expected.unwrap_or_else(|| moved(both.0, both.1));
        assert!(report.converged, "{seed}: {report:?}");
        // Sharp angles converge slowly, and stop as far from the end as the angle is sharp.
        let sharp = (aa * bb / det).sqrt();
        let off = norm(&minus(&wide(&x), &expected));
        assert!(off < 1e-4 * sharp * sharp, "{seed}: off by {off} at {sharp}, {report:?}");
    }
    assert_eq!(met, [true; 2]);
}

#[test]
fn box_and_ball_as_the_long_run() {
    for n in [2usize, 10, 64] {
        let (x0, center) = (gaussian(n, 50 + n as u64), gaussian(n, 60));
        let x0: Vec<f32> = x0.iter().map(|v| 4.0 * v).collect();
        let clamp = |z: &[f64]| z.iter().map(|v| v.clamp(-0.5, 0.75)).collect::<Vec<_>>();
        let radius = norm(&minus(&wide(&center), &clamp(&wide(&center)))) as f32 + 0.25;
        let sets = [box_of(-0.5, 0.75), Set::L2Ball(L2Ball { center: Some(&center), radius })];
        let (x, report) = run(&sets, DykstraOptions { max_cycles: 20_000, tolerance: 1e-6 }, &x0);
        let off = norm(&minus(&wide(&x), &long_run(&x0, clamp, &wide(&center), radius as f64)));
        assert!(report.converged && off < 3e-4, "{n}: off by {off}, {report:?}");
    }
}

#[test]
fn simplex_and_ball_as_the_long_run() {
    for n in [3usize, 17, 40] {
        let x0 = gaussian(n, 3 + n as u64);
        // Around a corner of the simplex.
        let mut center = vec![0f32; n];
        center[n / 2] = 1.0;
        let sets = [
            Set::Simplex(Simplex { total: 1.0 }),
            Set::L2Ball(L2Ball { center: Some(&center), radius: 0.5 }),
        ];
        let options = DykstraOptions { max_cycles: 20_000, tolerance: 1e-6 };
        let (x, report) = run(&sets, options, &x0);
        let expected = long_run(&x0, |z| simplex(z, 1.0), &wide(&center), 0.5);
        assert!(report.converged, "{n}: {report:?}");
        let off = norm(&minus(&wide(&x), &expected));
        assert!(off < 1e-4, "{n}: off by {off}, {report:?}");
        assert!(report.distance < 1e-4 && report.gap < 1e-4 && report.residual < 1e-4, "{report:?}");
    }
}

/// Points of both sets: mixtures of the centre, a corner of the simplex, with any point of the simplex.
fn of_both(n: usize, corner: usize, radius: f64, rng: &mut Rng) -> Vec<f64> {
    let mut z = on_simplex(n, 1.0, rng);
    let mut c = vec![0.0; n];
    c[corner] = 1.0;
    let share = rng.uniform() * (radius / norm(&minus(&z, &c))).min(1.0);
    z.iter_mut().zip(&c).for_each(|(z, c)| *z = c + (*z - c) * share);
    z
}

#[test]
fn the_certificate_holds_however_early_it_stops() {
    let n = 20;
    let mut center = vec![0f32; n];
    center[4] = 1.0;
    let sets = [
        Set::L2Ball(L2Ball { center: Some(&center), radius: 0.5 }),
        Set::Simplex(Simplex { total: 1.0 }),
        Set::L1Ball(L1Ball { center: None, radius: 1.0 }),
    ];
    let mut rng = Rng(7);
    let mut last = f32::INFINITY;
    for max_cycles in [1, 2, 5, 20, 200, 5000] {
        for seed in 0..5 {
            let x0: Vec<f32> = gaussian(n, seed).iter().map(|v| 3.0 * v).collect();
            let (x, report) = run(&sets, DykstraOptions { max_cycles, tolerance: 1e-6 }, &x0);
            for _ in 0..50 {
                certified(&x0, &x, &report, &of_both(n, 4, 0.5, &mut rng));
            }
            for set in &sets {
                let mut nearest = x.clone();
                let mut scratch = vec![0; set.workspace_size(n).unwrap()];
                set.project_inplace(&mut nearest, &mut scratch).unwrap();
                let far = norm(&minus(&wide(&x), &wide(&nearest)));
                assert!(far <= report.distance as f64 * (1.0 + 1e-4) + 1e-6, "{far} {report:?}");
            }
            if seed == 0 {
                assert!(report.gap + report.residual <= last, "{report:?}");
                last = report.gap + report.residual;
            }
        }
    }
    assert!(last < 1e-3, "{last}");
}

#[test]
fn alternating_projection_ends_elsewhere() {
    let (x0, at) = ([0.9, 3.0], [1.0, 0.0]);
    let disks = [
        Set::L2Ball(L2Ball { center: None, radius: 1.0 }),
        Set::L2Ball(L2Ball { center: Some(&at), radius: 1.0 }),
    ];
    let (x, report) = run(&disks, DykstraOptions::default(), &x0);
    // The corner.
    assert!(report.converged && (x[0] - 0.5).abs() < 1e-4 && (x[1] - 0.75f32.sqrt()).abs() < 1e-4, "{x:?}");
    let mut other = x0;
    for set in disks.iter().cycle().take(2000) {
        set.project_inplace(&mut other, &mut []).unwrap();
    }
    // In the intersection too, but farther away: at (0.403, 0.802).
    assert!(disks.iter().all(|set| set.is_feasible(&other, 1e-6).unwrap()));
    assert!((other[0] - 0.403).abs() < 1e-3 && (other[1] - 0.802).abs() < 1e-3, "{other:?}");
    let far = |x: &[f32]| norm(&minus(&wide(&x0), &wide(x)));
    assert!(far(&other) > far(&x) + 0.05, "{} {}", far(&other), far(&x));
}

#[test]
fn what_is_in_all_sets_keeps_its_bits() {
    let sets = [
        Set::Simplex(Simplex { total: 1.0 }),
        Set::L1Ball(L1Ball { center: None, radius: 2.0 }),
        Set::L2Ball(L2Ball { center: None, radius: 1.0 }),
    ];
    let x = [0.25, 0.5, -0.0, 0.25];
    let (y, report) = run(&sets, DykstraOptions::default(), &x);
    assert!(x.iter().zip(&y).all(|(a, b)| a.to_bits() == b.to_bits()));
    let nothing = Dykstra { converged: true, cycles: 1, change: 0.0, distance: 0.0, gap: 0.0, residual: 0.0 };
    assert_eq!(report, nothing);
    assert_eq!(run(&[], DykstraOptions::default(), &x).1, nothing);
    assert_eq!(run(&sets[1..], DykstraOptions::default(), &[]).1, nothing);
}

#[test]
fn an_empty_intersection_is_reported() {
    let at = [3.0, 0.0];
    let apart = [
        Set::L2Ball(L2Ball { center: None, radius: 1.0 }),
        Set::L2Ball(L2Ball { center: Some(&at), radius: 1.0 }),
    ];
    for max_cycles in [10, 100, 1000] {
        let (x, report) = run(&apart, DykstraOptions { max_cycles, tolerance: 1e-3 }, &[1.0, 5.0]);
        assert!(!report.converged && report.cycles == max_cycles, "{report:?}");
        // The gap between the disks is 1 wide.
        assert!(report.distance > 0.9 && report.change > 0.9, "{x:?} {report:?}");
    }
}

#[test]
fn one_set_is_its_projection() {
    let x0 = gaussian(100, 5);
    let set = Set::L1Ball(L1Ball { center: None, radius: 3.0 });
    let mut expected = x0.clone();
    set.project_inplace(&mut expected, &mut []).unwrap();
    let (x, report) = run(&[set], DykstraOptions::default(), &x0);
    assert!(report.converged && report.cycles <= 3, "{report:?}");
    assert!(norm(&minus(&wide(&x), &wide(&expected))) < 1e-5);
}

#[test]
fn any_magnitude() {
    for scale in [1e-30f32, 1e-10, 1.0, 1e10, 1e30] {
        let at = [scale, 0.0];
        let disks = [
            Set::L2Ball(L2Ball { center: None, radius: scale }),
            Set::L2Ball(L2Ball { center: Some(&at), radius: scale }),
        ];
        let (x, report) = run(&disks, DykstraOptions::default(), &[0.5 * scale, 3.0 * scale]);
        assert!(report.converged, "{scale:e}: {report:?}");
        assert!((x[1] / scale - 0.75f32.sqrt()).abs() < 1e-4, "{scale:e}: {x:?}");
    }
}

#[test]
fn refusals_leave_the_vector() {
    let ball = [Set::L2Ball(L2Ball { center: None, radius: 1.0 }); 2];
    let with = |max_cycles, tolerance| DykstraOptions { max_cycles, tolerance };
    let need = dykstra_workspace_size(&ball, 3).unwrap();
    let mut scratch = vec![0; need + 8300];
    let mut refuse = |sets: &[Set<'_>], options, x: [f32; 3], size, error| {
        let mut y = x;
        assert_eq!(dykstra(sets, &options, &mut y, &mut scratch[..size]), Err(error));
        assert!(x.iter().zip(y).all(|(a, b)| a.to_bits() == b.to_bits()));
    };
    let usual = DykstraOptions::default();
    let x = [3.0, 4.0, 5.0];
    refuse(&ball, with(0, 1e-6), x, need, Error::InvalidArgument);
    refuse(&ball, with(5, -1.0), x, need, Error::InvalidArgument);
    refuse(&ball, with(5, f32::NAN), x, need, Error::InvalidArgument);
    refuse(&ball, usual, [3.0, f32::NAN, 5.0], need, Error::NonFinite);
    let sphere = [Part { set: Set::Sphere(Sphere { center: None, radius: 1.0 }), len: 3 }];
    refuse(&[ball[0], Set::Product(Product { parts: &sphere })], usual, x, need + 8300, Error::Unsupported);
    refuse(&[ball[0], Set::TopK(TopK { count: 1 })], usual, x, need + 8300, Error::Unsupported);
    refuse(
        &[ball[0], Set::L2Ball(L2Ball { center: None, radius: -1.0 })],
        usual,
        x,
        need,
        Error::InvalidArgument,
    );
    refuse(&ball, usual, x, need - 16, Error::WorkspaceTooSmall);
    assert_eq!(dykstra_workspace_size(&ball, usize::MAX / 4), Err(Error::SizeOverflow));
}
