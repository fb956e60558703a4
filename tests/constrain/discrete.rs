//! The sets that are not convex: top-k, codebook, exact ternary. Against sorted references in double precision.

use crate::common::{gaussian, on_every_tier};
use crate::references::{inputs, wide};
use hybridq::Error;
use hybridq::constrain::{Codebook, ExactTernary, Project, Set, TopK};

const LENGTHS: [usize; 9] = [1, 2, 3, 16, 17, 255, 257, 1000, 20_011];

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|v| v.to_bits()).collect()
}

/// The projection on every tier, in place and apart, projected once more: all the same bits.
fn project(set: &Set<'_>, x: &[f32]) -> Vec<f32> {
    let mut scratch = vec![0xA5; set.workspace_size(x.len()).unwrap()];
    let mut first: Option<Vec<f32>> = None;
    on_every_tier(|tier| {
        let mut out = vec![f32::NAN; x.len() + 1];
        set.project(x, &mut out, &mut scratch).unwrap();
        assert!(out.pop().unwrap().is_nan());
        let mut again = x.to_vec();
        set.project_inplace(&mut again, &mut scratch).unwrap();
        assert_eq!(bits(&again), bits(&out));
        let twice = set.project_inplace(&mut again, &mut scratch).unwrap();
        assert!(!twice.active && bits(&again) == bits(&out), "{set:?} is not idempotent: {} values", x.len());
        let first = first.get_or_insert_with(|| out.clone());
        assert_eq!(bits(first), bits(&out), "{tier:?}");
    });
    first.unwrap()
}

#[test]
fn top_k_keeps_the_largest_and_of_ties_the_first() {
    for n in LENGTHS {
        for (name, x) in inputs(n) {
            for count in [0, 1, n / 3, n - n / 10, n, n + 5] {
                let set = Set::TopK(TopK { count });
                let mut order: Vec<usize> = (0..n).collect();
                order.sort_by(|&a, &b| x[b].abs().total_cmp(&x[a].abs()).then(a.cmp(&b)));
                let mut expected = vec![0.0; n];
                order.iter().take(count).for_each(|&i| expected[i] = x[i]);
                if x.iter().filter(|v| **v != 0.0).count() <= count {
                    expected.clone_from(&x);
                }
                let p = project(&set, &x);
                assert_eq!(bits(&p), bits(&expected), "{n} {name}, {count}");
                assert_eq!(set.violation(&p).unwrap(), 0.0);
                let extra = x.iter().filter(|v| **v != 0.0).count().saturating_sub(count);
                assert_eq!(set.violation(&x).unwrap(), extra as f32);
                // The derivative is a mask: of what stays.
                let v = gaussian(n, 77);
                let (mut got, mut scratch) = (vec![0.0; n], vec![0; set.workspace_size(n).unwrap()]);
                set.vjp(&x, &v, &mut got, &mut scratch).unwrap();
                let mut kept = vec![0.0; n];
                order.iter().take(count).for_each(|&i| kept[i] = v[i]);
                assert_eq!(got, kept, "{n} {name}, {count}");
            }
        }
    }
}

#[test]
fn codebooks_take_the_nearest_and_of_ties_the_lower() {
    let books: [&[f32]; 6] = [
        &[0.0],
        &[-1.0, 0.0, 1.0],
        &[1.0, -1.0, 0.0],
        &[0.5, 0.5, -0.25, 3.0, -0.25],
        &[1e30, -1e30, 1e-30, 0.0],
        &[-0.0, 0.0, 2.0, 4.0, 8.0, 16.0, -2.0, -4.0, -8.0, -16.0, 1.0, 0.25, 0.75],
    ];
    for n in LENGTHS {
        for (name, mut x) in inputs(n) {
            x.iter_mut().zip([0.5, -0.5, 1.0, 6.0, 3.0, -0.0]).for_each(|(x, tie)| *x = tie);
            for values in books {
                let set = Set::Codebook(Codebook { values });
                let p = project(&set, &x);
                let mut most = 0f32;
                for (i, (&x, &p)) in x.iter().zip(&p).enumerate() {
                    let far = |v: f32| (x - v).abs();
                    let best = values
                        .iter()
                        .copied()
                        .min_by(|&a, &b| far(a).total_cmp(&far(b)).then(a.total_cmp(&b)));
                    assert_eq!(p, best.unwrap(), "{n} {name} {values:?}, {i}: {x}");
                    most = most.max(far(p));
                }
                assert_eq!(set.violation(&x).unwrap(), most);
                assert_eq!(set.violation(&p).unwrap(), 0.0);
            }
        }
    }
}

/// Largest S^2 / t over thresholds that keep equal magnitudes together.
fn best_gain(x: &[f32]) -> f64 {
    let mut m: Vec<f64> = wide(x).iter().map(|v| v.abs()).collect();
    m.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut best) = (0.0, 0.0f64);
    for (t, v) in m.iter().enumerate() {
        sum += v;
        best = best.max(sum * sum / (t + 1) as f64);
    }
    best
}

#[test]
fn ternary_leaves_the_least_error() {
    for n in LENGTHS {
        for (name, x) in inputs(n) {
            let set = Set::ExactTernary(ExactTernary);
            let p = project(&set, &x);
            let scale = p.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            let mut product = 0.0;
            for (&x, &p) in x.iter().zip(&p) {
                assert!(p == 0.0 || (p.abs() == scale && p.signum() == x.signum()), "{n} {name}");
                product += x as f64 * p as f64;
            }
            // The squared error is |x|^2 - S^2 / t where the scale is S / t.
            let kept = p.iter().filter(|v| **v != 0.0).count() as f64;
            let sum = if scale > 0.0 { product / scale as f64 } else { 0.0 };
            let best = best_gain(&x);
            if best > 0.0 {
                assert!(
                    sum * sum / kept >= best * (1.0 - 1e-6),
                    "{n} {name}: {:e} of {best:e}",
                    sum * sum / kept
                );
                let rounding = 1e-6 * scale as f64 + 1e-45;
                assert!((sum / kept - scale as f64).abs() <= rounding, "{n} {name}: {scale:e}");
            }
            assert_eq!(set.violation(&p).unwrap(), 0.0);
        }
    }
}

#[test]
fn ternary_ties() {
    let set = Set::ExactTernary(ExactTernary);
    // 2, 1, 1: keeping 2 alone or all three is 4 against 16 / 3.
    assert_eq!(project(&set, &[1.0, -2.0, 1.0]), [4.0 / 3.0, -4.0 / 3.0, 4.0 / 3.0]);
    // 3 alone is 9; with 1 it is 8.
    assert_eq!(project(&set, &[3.0, 1.0]), [3.0, 0.0]);
    // Equal magnitudes stay together, and such a vector is in the set.
    assert_eq!(project(&set, &[1.0, -1.0, 0.0, 1.0]), [1.0, -1.0, 0.0, 1.0]);
    assert_eq!(set.violation(&[2.0, -0.5, 0.0]).unwrap(), 0.5);
    assert_eq!(set.violation(&[2.0, -1.75, 0.0]).unwrap(), 0.25);
    assert_eq!(project(&set, &[]), [0f32; 0]);
}

#[test]
fn the_derivative_of_ternary() {
    let x = [2.0, -1.0, 0.25, -3.0];
    let set = Set::ExactTernary(ExactTernary);
    let (mut out, mut scratch) = ([7.0; 4], vec![0; set.workspace_size(4).unwrap()]);
    set.vjp(&x, &[3.0, 1.0, 5.0, -4.0], &mut out, &mut scratch).unwrap();
    // 2 and -3 are kept, 25 / 2 against 36 / 3: (3 + 4) / 2
    assert_eq!(out, [3.5, 0.0, 0.0, -3.5]);
    set.vjp(&[0.0; 4], &[1.0; 4], &mut out, &mut scratch).unwrap();
    assert_eq!(out, [0.0; 4]);
}

#[test]
fn refusals_leave_the_output() {
    let cases: [(Set<'_>, [f32; 3], Error); 8] = [
        (Set::TopK(TopK { count: 1 }), [1.0, f32::NAN, 0.0], Error::NonFinite),
        (Set::TopK(TopK { count: 3 }), [1.0, f32::INFINITY, 0.0], Error::NonFinite),
        (Set::Codebook(Codebook { values: &[] }), [1.0; 3], Error::InvalidArgument),
        (Set::Codebook(Codebook { values: &[1.0, f32::NAN] }), [1.0; 3], Error::NonFinite),
        (Set::Codebook(Codebook { values: &[1.0] }), [f32::NAN; 3], Error::NonFinite),
        (Set::Codebook(Codebook { values: &[-3e38] }), [3e38; 3], Error::NonFinite),
        (Set::ExactTernary(ExactTernary), [1.0, 2.0, f32::NAN], Error::NonFinite),
        (Set::ExactTernary(ExactTernary), [1.0, 2.0, f32::NEG_INFINITY], Error::NonFinite),
    ];
    for (set, x, error) in cases {
        let mut scratch = vec![0; set.workspace_size(3).unwrap()];
        let (mut out, mut same) = ([7.0; 3], x);
        assert_eq!(set.project(&x, &mut out, &mut scratch), Err(error), "{set:?}");
        assert_eq!(set.project_inplace(&mut same, &mut scratch), Err(error));
        assert_eq!(set.violation(&x), Err(error));
        assert!(out == [7.0; 3] && same.iter().zip(x).all(|(a, b)| a.to_bits() == b.to_bits()));
    }
    let x = [1.0, 2.0, 4.0];
    for set in [Set::TopK(TopK { count: 1 }), Set::ExactTernary(ExactTernary)] {
        let (mut out, mut scratch) = ([7.0; 3], vec![0; set.workspace_size(3).unwrap() - 1]);
        assert_eq!(set.project(&x, &mut out, &mut scratch), Err(Error::WorkspaceTooSmall));
        assert_eq!(out, [7.0; 3]);
    }
    let mut out = [7.0; 3];
    let book = Codebook { values: &[1.0] };
    assert_eq!(book.vjp(&x, &x, &mut out, &mut []), Err(Error::Unsupported));
    assert_eq!(out, [7.0; 3]);
    assert!(!Set::Codebook(book).is_convex() && !Set::TopK(TopK { count: 1 }).is_convex());
    assert!(!Set::ExactTernary(ExactTernary).is_convex());
}
