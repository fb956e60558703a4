//! The trust region against its definition, and Steihaug's steps against an exact solver of small models in f64.

mod common;

use common::{Rng, gaussian};
use hybridq::Error;
use hybridq::constrain::{
    DenseHessian, Steihaug, SteihaugOptions, SteihaugStop, Trial, TrustOptions, TrustRegion, Verdict,
    steihaug, steihaug_workspace_size,
};
use hybridq::linear::vector;

fn region(radius: f32) -> TrustRegion {
    TrustRegion::new(radius).unwrap()
}

fn trial(loss: f32, trial_loss: f32, predicted: f32, step_norm: f32) -> Trial {
    Trial { loss, trial_loss, predicted, step_norm }
}

#[test]
fn the_radius_follows_the_algorithm_of_nocedal_and_wright() {
    // (actual reduction of a predicted 1, norm of the step, accepted, radius after), from loss 10 and radius 1
    for (actual, norm, accepted, radius) in [
        (1.0, 1.0, true, 2.0),
        (1.0, 0.991, true, 2.0),
        (1.0, 0.98, true, 1.0), // inside: no reason to grow
        (0.76, 1.0, true, 2.0),
        (0.7, 1.0, true, 1.0),
        (0.3, 1.0, true, 1.0),
        (0.2, 1.0, true, 0.25), // worth keeping, but the model is poor
        (0.05, 1.0, false, 0.25),
        (-3.0, 0.5, false, 0.25),
    ] {
        let mut region = region(1.0);
        let outcome = region.update(&trial(10.0, 10.0 - actual, 1.0, norm)).unwrap();
        assert_eq!(outcome.verdict == Verdict::Accepted, accepted, "{actual}");
        assert_eq!((outcome.radius, outcome.radius_before), (radius, 1.0), "{actual} {norm}");
        assert_eq!(region.radius, radius);
        assert_eq!(outcome.on_boundary, norm >= 0.99);
        // the guard is 1.2e-3 of a loss of 10
        assert!((outcome.ratio - actual).abs() < 5e-3, "{} {actual}", outcome.ratio);
    }
}

#[test]
fn every_constant_is_used() {
    let options = TrustOptions {
        min_radius: 0.5,
        max_radius: 3.0,
        accept_above: 0.3,
        shrink_below: 0.4,
        grow_above: 0.5,
        shrink: 0.75,
        grow: 1.5,
        boundary: 0.5,
        guard: 0.0,
        loss_scale: 0.0,
        shrink_from_step: true,
    };
    let mut region = TrustRegion::with(1.0, options).unwrap();
    // grows above 0.5 from a step of half the radius on, to the maximum
    let outcome = region.update(&trial(1.0, 0.4, 1.0, 0.5)).unwrap();
    assert_eq!((outcome.radius, outcome.on_boundary), (1.5, true));
    assert_eq!(region.update(&trial(1.0, 0.4, 1.0, 0.75)).unwrap().radius, 2.25);
    assert_eq!(region.update(&trial(1.0, 0.4, 1.0, 2.0)).unwrap().radius, 3.0);
    // accepted at 0.35, shrunk from the step
    let outcome = region.update(&trial(1.0, 0.65, 1.0, 2.0)).unwrap();
    assert_eq!((outcome.verdict, outcome.radius), (Verdict::Accepted, 1.5));
    // rejected at 0.25, shrunk to the minimum
    let outcome = region.update(&trial(1.0, 0.75, 1.0, 0.1)).unwrap();
    assert_eq!((outcome.verdict, outcome.radius, outcome.ratio), (Verdict::Rejected, 0.5, 0.25));
    assert_eq!(region.statistics.rejected_in_row, 1);
}

#[test]
fn constants_out_of_range_are_refused_and_change_nothing() {
    let good = TrustOptions::default();
    let bad = [
        TrustOptions { min_radius: 0.0, ..good },
        TrustOptions { min_radius: f32::NAN, ..good },
        TrustOptions { max_radius: 1e-31, ..good },
        TrustOptions { max_radius: f32::INFINITY, ..good },
        TrustOptions { accept_above: -0.1, ..good },
        TrustOptions { accept_above: 0.26, ..good },
        TrustOptions { shrink_below: 0.75, ..good },
        TrustOptions { grow_above: f32::INFINITY, ..good },
        TrustOptions { shrink: 1.0, ..good },
        TrustOptions { shrink: 0.0, ..good },
        TrustOptions { grow: 0.9, ..good },
        TrustOptions { grow: f32::INFINITY, ..good },
        TrustOptions { boundary: 1.1, ..good },
        TrustOptions { boundary: 0.0, ..good },
        TrustOptions { guard: -1.0, ..good },
        TrustOptions { guard: 1e7, ..good },
        TrustOptions { loss_scale: f32::NAN, ..good },
    ];
    for options in bad {
        assert_eq!(TrustRegion::with(1.0, options), Err(Error::InvalidArgument), "{options:?}");
        let mut region = TrustRegion { options, ..region(1.0) };
        let before = format!("{region:?}");
        assert_eq!(region.update(&trial(1.0, 0.5, 0.5, 1.0)), Err(Error::InvalidArgument));
        assert_eq!(format!("{region:?}"), before);
    }
    for radius in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e31, 1e-31] {
        assert_eq!(TrustRegion::new(radius), Err(Error::InvalidArgument), "{radius}");
    }
}

#[test]
fn numbers_that_are_not_finite_refuse_the_step_shrink_the_radius_and_change_nothing_else() {
    let good = trial(10.0, 9.0, 1.0, 1.0);
    for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for bad in [
            Trial { loss: x, ..good },
            Trial { trial_loss: x, ..good },
            Trial { predicted: x, ..good },
            Trial { step_norm: x, ..good },
            Trial { step_norm: -1.0, ..good },
            Trial { trial_loss: x, step_norm: 0.0, ..good },
        ] {
            let mut region = region(1.0);
            region.update(&good).unwrap();
            let before = region;
            let outcome = region.update(&bad).unwrap();
            assert_eq!(
                (outcome.verdict, outcome.ratio, outcome.radius),
                (Verdict::Refused, 0.0, 0.5),
                "{bad:?}"
            );
            let mut expected = before;
            expected.radius = 0.5;
            expected.statistics.steps += 1;
            expected.statistics.refused += 1;
            expected.statistics.rejected_in_row += 1;
            assert_eq!(region, expected, "{bad:?}");
        }
    }
    // for ever: the radius stops at the minimum
    let mut region = region(1.0);
    for _ in 0..200 {
        assert_eq!(region.update(&trial(1.0, f32::NAN, 1.0, 1.0)).unwrap().verdict, Verdict::Refused);
    }
    assert_eq!(region.radius, region.options.min_radius);
    assert_eq!(region.statistics.rejected_in_row, 200);
}

#[test]
fn zero_steps_are_accepted_and_leave_the_radius_alone() {
    for guard in [0.0, 1e3] {
        let mut region = TrustRegion::with(0.01, TrustOptions { guard, ..Default::default() }).unwrap();
        let outcome = region.update(&trial(3.0, 3.0, 0.0, 0.0)).unwrap();
        assert_eq!((outcome.verdict, outcome.ratio, outcome.radius), (Verdict::Accepted, 1.0, 0.01));
    }
}

#[test]
fn changes_below_the_rounding_of_the_loss_are_no_reason_to_shrink() {
    // At the minimum of a loss near 100 one ulp is 7.6e-6; the model promises 1e-6 and the loss rises by an ulp.
    let rise = f32::from_bits(100f32.to_bits() + 1);
    let outcome = region(1.0).update(&trial(100.0, rise, 1e-6, 0.5)).unwrap();
    assert_eq!(outcome.verdict, Verdict::Accepted);
    assert!((outcome.ratio - 1.0).abs() < 1e-2);
    let bare = TrustOptions { guard: 0.0, ..Default::default() };
    let outcome = TrustRegion::with(1.0, bare).unwrap().update(&trial(100.0, rise, 1e-6, 0.5)).unwrap();
    assert_eq!((outcome.verdict, outcome.radius), (Verdict::Rejected, 0.25));
}

#[test]
fn losses_of_every_size() {
    // Relative to the loss alone, the same story is judged the same from 1e-30 to 1e37.
    let options = TrustOptions { loss_scale: 0.0, ..Default::default() };
    for exponent in -30..=37 {
        let unit = 10f32.powi(exponent);
        let judge = |actual: f32| {
            let mut region = TrustRegion::with(1.0, options).unwrap();
            region.update(&trial(4.0 * unit, (4.0 - actual) * unit, unit, 1.0)).unwrap()
        };
        assert_eq!((judge(1.0).verdict, judge(1.0).radius), (Verdict::Accepted, 2.0), "{exponent}");
        assert_eq!((judge(-1.0).verdict, judge(-1.0).radius), (Verdict::Rejected, 0.25), "{exponent}");
        assert!((judge(0.5).ratio - 0.5).abs() < 1e-3, "{exponent}");
    }
    // The largest losses there are: the difference alone would overflow.
    let max = f32::MAX;
    assert!((region(1.0).ratio(max, -max, max).unwrap() - 2.0).abs() < 1e-3);
    assert!((region(1.0).ratio(-max, max, max).unwrap() + 2.0).abs() < 1e-3);
    assert_eq!(region(1.0).ratio(1.0, f32::NAN, 1.0), None);
    let bare =
        TrustRegion::with(1.0, TrustOptions { guard: 0.0, loss_scale: 0.0, ..Default::default() }).unwrap();
    assert_eq!(bare.ratio(max, -max, 1e-40), Some(max)); // finite
    assert_eq!(bare.ratio(1.0, 0.5, 0.0), None);
    assert_eq!(bare.ratio(1.0, 0.5, -1.0), None);
}

#[test]
fn models_that_predict_a_rise_are_rejected() {
    let outcome = region(1.0).update(&trial(1.0, 0.5, -0.5, 1.0)).unwrap();
    assert_eq!((outcome.verdict, outcome.ratio, outcome.radius), (Verdict::Rejected, 0.0, 0.25));
}

#[test]
fn statistics_count() {
    let mut region = region(1.0);
    assert_eq!(region.statistics.activation_rate(), 0.0);
    for (actual, norm) in [(1.0, 1.0), (1.0, 0.5), (-1.0, 2.0), (f32::NAN, 0.5)] {
        region.update(&trial(10.0, 10.0 - actual, 1.0, norm)).unwrap();
    }
    let s = region.statistics;
    assert_eq!((s.steps, s.accepted, s.on_boundary, s.refused, s.rejected_in_row), (4, 2, 2, 1, 2));
    assert_eq!((s.activation_rate(), s.acceptance_rate()), (0.5, 0.5));
    region.update(&trial(10.0, 9.0, 1.0, 0.01)).unwrap();
    assert_eq!(region.statistics.rejected_in_row, 0);
}

/// A small model in f64.
struct Model {
    n: usize,
    g: Vec<f64>,
    h: Vec<f64>,
}

impl Model {
    /// A random rotation of the eigenvalues.
    fn random(eigenvalues: &[f64], seed: u64) -> Model {
        let n = eigenvalues.len();
        let q = orthogonal(n, seed);
        let mut h = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                h[i * n + j] = (0..n).map(|k| q[k * n + i] * eigenvalues[k] * q[k * n + j]).sum();
            }
        }
        let g = gaussian(n, seed + 99).iter().map(|&x| x as f64).collect();
        // as f32 has them, so that both solve the same problem; symmetric still
        let h = h.iter().map(|&x| x as f32 as f64).collect();
        Model { n, g, h }
    }

    fn product(&self, p: &[f64]) -> Vec<f64> {
        self.h.chunks(self.n).map(|row| row.iter().zip(p).map(|(a, b)| a * b).sum()).collect()
    }

    /// By how much the model falls.
    fn reduction(&self, p: &[f64]) -> f64 {
        let hp = self.product(p);
        -(0..self.n).map(|i| self.g[i] * p[i] + 0.5 * p[i] * hp[i]).sum::<f64>()
    }

    /// The best step along the gradient.
    fn cauchy(&self, radius: f64) -> f64 {
        let norm = norm(&self.g);
        let hg = self.product(&self.g);
        let curvature: f64 = hg.iter().zip(&self.g).map(|(a, b)| a * b).sum();
        let full = radius / norm;
        let t = if curvature <= 0.0 { full } else { (norm * norm / curvature).min(full) };
        self.reduction(&self.g.iter().map(|g| -t * g).collect::<Vec<_>>())
    }

    /// The largest reduction in the region: eigenvalues by Jacobi rotations, then bisection for the multiplier
    /// (Nocedal and Wright, section 4.3; the hard case does not occur with a random gradient).
    fn best(&self, radius: f64) -> f64 {
        let (values, vectors) = eigen(self.n, &self.h);
        let gamma: Vec<f64> =
            vectors.iter().map(|v| v.iter().zip(&self.g).map(|(a, b)| a * b).sum()).collect();
        let step = |lambda: f64| -> Vec<f64> {
            let mut p = vec![0.0; self.n];
            for ((value, v), gamma) in values.iter().zip(&vectors).zip(&gamma) {
                for (p, v) in p.iter_mut().zip(v) {
                    *p -= gamma / (value + lambda) * v;
                }
            }
            p
        };
        let least = values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
        if least > 1e-9 && norm(&step(0.0)) <= radius {
            return self.reduction(&step(0.0));
        }
        let mut low = (-least).max(0.0);
        let mut high = low + norm(&self.g) / radius + 1.0;
        for _ in 0..200 {
            let middle = 0.5 * (low + high);
            if norm(&step(middle)) > radius { low = middle } else { high = middle }
        }
        self.reduction(&step(high))
    }

    fn steihaug(&self, radius: f32, options: &SteihaugOptions) -> (Steihaug, Vec<f64>) {
        let h: Vec<f32> = self.h.iter().map(|&x| x as f32).collect();
        let g: Vec<f32> = self.g.iter().map(|&x| x as f32).collect();
        let (found, p) = solve(&g, &h, radius, options);
        (found, p.iter().map(|&x| x as f64).collect())
    }
}

fn solve(g: &[f32], h: &[f32], radius: f32, options: &SteihaugOptions) -> (Steihaug, Vec<f32>) {
    let mut hessian = DenseHessian::new(h, g.len()).unwrap();
    let mut step = vec![f32::NAN; g.len()];
    let mut scratch = vec![0xA5; steihaug_workspace_size(g.len()).unwrap()];
    let found = steihaug(g, &mut hessian, radius, options, &mut step, &mut scratch).unwrap();
    (found, step)
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Rows are orthonormal: Gram and Schmidt on normal values.
fn orthogonal(n: usize, seed: u64) -> Vec<f64> {
    let mut q: Vec<f64> = gaussian(n * n, seed).iter().map(|&x| x as f64).collect();
    for i in 0..n {
        let (done, rest) = q.split_at_mut(i * n);
        let row = &mut rest[..n];
        for other in done.chunks(n) {
            let along: f64 = row.iter().zip(other).map(|(a, b)| a * b).sum();
            row.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
        }
        let size = norm(row);
        row.iter_mut().for_each(|a| *a /= size);
    }
    q
}

/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi's rotations.
fn eigen(n: usize, h: &[f64]) -> (Vec<f64>, Vec<Vec<f64>>) {
    let mut a = h.to_vec();
    let mut v: Vec<f64> = (0..n * n).map(|i| f64::from(i / n == i % n)).collect();
    for _ in 0..60 {
        for p in 0..n {
            for q in p + 1..n {
                if a[p * n + q] == 0.0 {
                    continue;
                }
                let theta = 0.5 * (2.0 * a[p * n + q]).atan2(a[q * n + q] - a[p * n + p]);
                let (s, c) = theta.sin_cos();
                for k in 0..n {
                    let (x, y) = (a[k * n + p], a[k * n + q]);
                    (a[k * n + p], a[k * n + q]) = (c * x - s * y, s * x + c * y);
                }
                for k in 0..n {
                    let (x, y) = (a[p * n + k], a[q * n + k]);
                    (a[p * n + k], a[q * n + k]) = (c * x - s * y, s * x + c * y);
                    let (x, y) = (v[p * n + k], v[q * n + k]);
                    (v[p * n + k], v[q * n + k]) = (c * x - s * y, s * x + c * y);
                }
            }
        }
    }
    ((0..n).map(|i| a[i * n + i]).collect(), v.chunks(n).map(<[f64]>::to_vec).collect())
}

const TIGHT: SteihaugOptions = SteihaugOptions { tolerance: 1e-6, max_iterations: 200 };

#[test]
fn the_reference_is_right() {
    let model = Model::random(&[-2.0, 0.5, 3.0, 7.0], 5);
    let (values, vectors) = eigen(4, &model.h);
    for (value, v) in values.iter().zip(&vectors) {
        let hv = model.product(v);
        assert!(hv.iter().zip(v).all(|(a, b)| (a - value * b).abs() < 1e-9));
    }
    // no random step of the region is better
    let mut rng = Rng(7);
    let best = model.best(0.7);
    for _ in 0..2000 {
        let p: Vec<f64> = (0..4).map(|_| rng.uniform() - 0.5).collect();
        let scale = 0.7 / norm(&p);
        assert!(model.reduction(&p.iter().map(|x| x * scale).collect::<Vec<_>>()) <= best + 1e-9);
    }
}

#[test]
fn convex_models_give_newtons_step_or_half_of_the_best() {
    let mut seen = [0; 2];
    for seed in 0..60 {
        let n = 1 + seed as usize % 9;
        let mut rng = Rng(seed);
        let eigenvalues: Vec<f64> = (0..n).map(|_| 0.1 + 5.0 * rng.uniform()).collect();
        let model = Model::random(&eigenvalues, seed);
        for radius in [0.01, 0.3, 2.0, 100.0] {
            let (found, p) = model.steihaug(radius, &TIGHT);
            let (best, reduction) = (model.best(radius as f64), model.reduction(&p));
            assert!(norm(&p) <= radius as f64 * (1.0 + 1e-6), "inside");
            assert!((norm(&p) - found.norm as f64).abs() <= 1e-6 * radius as f64);
            assert!(
                (reduction - found.predicted as f64).abs() <= 1e-5 * best,
                "{seed}: {found:?} {reduction}"
            );
            match found.stop {
                SteihaugStop::Converged => {
                    assert!(reduction >= best * (1.0 - 1e-5), "{seed} {radius}: {reduction} {best}");
                    let residual: Vec<f64> =
                        model.product(&p).iter().zip(&model.g).map(|(a, b)| a + b).collect();
                    assert!(norm(&residual) <= 2e-5 * norm(&model.g));
                    seen[0] += 1;
                }
                SteihaugStop::Boundary => {
                    assert!(reduction >= 0.5 * best && reduction <= best * (1.0 + 1e-5));
                    assert!((norm(&p) - radius as f64).abs() < 1e-6 * radius as f64);
                    assert_eq!(found.norm, radius);
                    seen[1] += 1;
                }
                other => panic!("{seed} {radius}: {other:?}"),
            }
            assert!(reduction >= model.cauchy(radius as f64) * (1.0 - 1e-5));
        }
    }
    assert!(seen.iter().all(|&n| n > 40), "{seen:?}");
}

#[test]
fn indefinite_models_follow_negative_curvature_to_the_boundary() {
    let mut seen = 0;
    for seed in 0..60 {
        let n = 2 + seed as usize % 8;
        let mut rng = Rng(seed);
        let mut eigenvalues: Vec<f64> = (0..n).map(|_| 4.0 * rng.uniform() - 1.5).collect();
        eigenvalues[0] = -1.0;
        let model = Model::random(&eigenvalues, seed + 1000);
        for radius in [0.05, 1.0, 30.0, 1000.0] {
            let (found, p) = model.steihaug(radius, &TIGHT);
            let (best, reduction) = (model.best(radius as f64), model.reduction(&p));
            assert!(
                matches!(found.stop, SteihaugStop::Boundary | SteihaugStop::NegativeCurvature),
                "{found:?}"
            );
            assert!((norm(&p) - radius as f64).abs() < 2e-6 * radius as f64, "{seed} {}", norm(&p));
            assert!(
                (reduction - found.predicted as f64).abs() <= 1e-4 * best,
                "{seed}: {found:?} {reduction}"
            );
            assert!(reduction <= best * (1.0 + 1e-4), "{reduction} {best}");
            assert!(reduction >= model.cauchy(radius as f64) * (1.0 - 1e-5));
            seen += usize::from(found.stop == SteihaugStop::NegativeCurvature);
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn singular_models_go_to_the_boundary_where_they_have_no_minimum() {
    // Flat: no curvature at all.
    let (found, p) = solve(&[3.0, 4.0], &[0.0; 4], 5.0, &TIGHT);
    assert_eq!((found.stop, found.norm, found.predicted), (SteihaugStop::NegativeCurvature, 5.0, 25.0));
    assert!(p.iter().zip([-3.0, -4.0]).all(|(a, b)| (a - b).abs() < 1e-6), "{p:?}");
    // Flat along the second axis: the gradient lies in the range, so there is a minimum.
    let (found, p) = solve(&[2.0, 0.0], &[4.0, 0.0, 0.0, 0.0], 5.0, &TIGHT);
    assert_eq!((found.stop, p), (SteihaugStop::Converged, vec![-0.5, 0.0]));
    // It does not: the step ends on the boundary.
    let (found, _) = solve(&[2.0, 1.0], &[4.0, 0.0, 0.0, 0.0], 5.0, &TIGHT);
    assert!(matches!(found.stop, SteihaugStop::NegativeCurvature | SteihaugStop::Boundary), "{found:?}");
    assert_eq!(found.norm, 5.0);
    assert!(found.predicted > 4.0, "{found:?}");
}

#[test]
fn no_gradient_no_step() {
    let mut calls = 0;
    let mut hessian = |_: &[f32], _: &mut [f32]| {
        calls += 1;
        Ok(())
    };
    let mut step = [1.0; 3];
    let mut scratch = vec![0; steihaug_workspace_size(3).unwrap()];
    let found = steihaug(&[0.0; 3], &mut hessian, 1.0, &TIGHT, &mut step, &mut scratch).unwrap();
    assert_eq!(
        (found.stop, found.iterations, found.predicted, found.norm),
        (SteihaugStop::Converged, 0, 0.0, 0.0)
    );
    assert_eq!((step, calls), ([0.0; 3], 0));
    let none: &mut [f32] = &mut [];
    let found = steihaug(&[], &mut |_: &[f32], _: &mut [f32]| Ok(()), 1.0, &TIGHT, none, &mut []).unwrap();
    assert_eq!(found.stop, SteihaugStop::Converged);
}

#[test]
fn gradients_curvatures_and_radii_from_1e_minus_30_to_1e30() {
    let model = Model::random(&[1.0, 2.0, 4.0, 5.0], 3);
    let newton = model.steihaug(1e6, &TIGHT).1;
    let newton_norm = norm(&newton);
    let scales = [1e-30f32, 1e-15, 1.0, 1e15, 1e30];
    let mut seen = [0; 3];
    for g_scale in scales {
        for h_scale in scales {
            for radius in scales {
                let g: Vec<f32> = model.g.iter().map(|&x| x as f32 * g_scale).collect();
                let h: Vec<f32> = model.h.iter().map(|&x| x as f32 * h_scale).collect();
                let (found, p) = solve(&g, &h, radius, &TIGHT);
                let what = format!("{g_scale} {h_scale} {radius}: {found:?}");
                assert!(p.iter().all(|x| x.is_finite()) && found.predicted.is_finite(), "{what}");
                let p: Vec<f64> = p.iter().map(|&x| x as f64).collect();
                let scale = g_scale as f64 / h_scale as f64;
                let length = newton_norm * scale;
                if length < 0.9 * radius as f64 {
                    assert_eq!(found.stop, SteihaugStop::Converged, "{what}");
                    if length > 1e-36 {
                        let error: Vec<f64> = p.iter().zip(&newton).map(|(a, b)| a - b * scale).collect();
                        assert!(norm(&error) < 1e-4 * length, "{what}");
                        seen[0] += 1;
                    } else {
                        seen[1] += 1; // below what f32 holds
                    }
                } else if length > 2.0 * radius as f64 {
                    assert_eq!(found.stop, SteihaugStop::Boundary, "{what}");
                    assert!((norm(&p) / radius as f64 - 1.0).abs() < 1e-5, "{what}");
                    seen[2] += 1;
                }
                // What the model promises, from the f64 model in its own units, wherever f32 holds it.
                let exact = g_scale as f64 * scale * {
                    let inner: Vec<f64> = p.iter().map(|x| x / scale).collect();
                    model.reduction(&inner)
                };
                if (1e-36..1e38).contains(&exact) {
                    assert!((found.predicted as f64 - exact).abs() < 1e-4 * exact, "{what} {exact}");
                }
            }
        }
    }
    assert!(seen.iter().all(|&n| n > 5), "{seen:?}");
}

#[test]
fn a_product_that_fails_leaves_the_step_found_so_far() {
    let model = Model::random(&[1.0, 2.0, 4.0, 5.0, 9.0], 4);
    let g: Vec<f32> = model.g.iter().map(|&x| x as f32).collect();
    let h: Vec<f32> = model.h.iter().map(|&x| x as f32).collect();
    for poison in [None, Some(f32::NAN), Some(f32::INFINITY)] {
        for fail_at in 0..3u32 {
            let mut calls = 0;
            let mut dense = DenseHessian::new(&h, 5).unwrap();
            let mut hessian = |v: &[f32], out: &mut [f32]| {
                use hybridq::constrain::HessianVector;
                dense.apply(v, out)?;
                calls += 1;
                match poison {
                    None if calls > fail_at => return Err(Error::Unsupported),
                    Some(x) if calls > fail_at => out[2] = x,
                    _ => {}
                }
                Ok(())
            };
            let mut step = [f32::NAN; 5];
            let mut scratch = vec![0; steihaug_workspace_size(5).unwrap()];
            let found = steihaug(&g, &mut hessian, 100.0, &TIGHT, &mut step, &mut scratch).unwrap();
            assert_eq!((found.stop, found.iterations), (SteihaugStop::Hessian, fail_at + 1));
            // the same as if that many iterations had been asked for
            let limit = SteihaugOptions { max_iterations: fail_at, ..TIGHT };
            let (expected, p) = solve(&g, &h, 100.0, &limit);
            assert_eq!(expected.stop, SteihaugStop::Iterations);
            assert_eq!((found.predicted, &step[..]), (expected.predicted, &p[..]));
            assert_eq!(found.predicted == 0.0, fail_at == 0);
        }
    }
}

#[test]
fn wrong_arguments_are_refused_and_the_step_is_untouched() {
    let mut identity = |v: &[f32], out: &mut [f32]| {
        out.copy_from_slice(v);
        Ok(())
    };
    let need = steihaug_workspace_size(2).unwrap();
    let mut scratch = vec![0; need];
    let mut step = [7.0; 2];
    let mut check = |g: &[f32], radius: f32, tolerance: f32, size: usize, step: &mut [f32], error: Error| {
        let options = SteihaugOptions { tolerance, max_iterations: 5 };
        let got = steihaug(g, &mut identity, radius, &options, step, &mut scratch[..size]);
        assert_eq!(got, Err(error));
        assert!(step.iter().all(|&x| x == 7.0));
    };
    for radius in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        check(&[1.0, 2.0], radius, 0.1, need, &mut step, Error::InvalidArgument);
    }
    for tolerance in [-0.1, 1.1, f32::NAN] {
        check(&[1.0, 2.0], 1.0, tolerance, need, &mut step, Error::InvalidArgument);
    }
    check(&[1.0, f32::NAN], 1.0, 0.1, need, &mut step, Error::NonFinite);
    check(&[1.0, f32::INFINITY], 1.0, 0.1, need, &mut step, Error::NonFinite);
    check(&[f32::MAX, f32::MAX], 1.0, 0.1, need, &mut step, Error::NonFinite);
    check(&[1.0, 2.0], 1.0, 0.1, 20, &mut step, Error::WorkspaceTooSmall);
    check(&[1.0, 2.0, 3.0], 1.0, 0.1, need, &mut step, Error::Shape);
    assert_eq!(steihaug_workspace_size(usize::MAX / 4), Err(Error::SizeOverflow));
    assert_eq!(DenseHessian::new(&[0.0; 3], 2).unwrap_err(), Error::Shape);
    assert_eq!(SteihaugOptions::forcing(1e-30), 1e-6);
    assert_eq!(SteihaugOptions::forcing(0.04), 0.2);
    assert_eq!(SteihaugOptions::forcing(1e30), 0.5);
    assert_eq!(SteihaugOptions::forcing(f32::NAN), 0.5);
}

/// Rosenbrock's chained function of any even or odd number of variables, from the usual start.
mod rosenbrock {
    pub fn loss(x: &[f32]) -> f32 {
        x.windows(2).map(|w| 100.0 * (w[1] - w[0] * w[0]).powi(2) + (1.0 - w[0]).powi(2)).sum()
    }

    pub fn gradient(x: &[f32], g: &mut [f32]) {
        g.fill(0.0);
        for i in 0..x.len() - 1 {
            let d = x[i + 1] - x[i] * x[i];
            g[i] += -400.0 * x[i] * d - 2.0 * (1.0 - x[i]);
            g[i + 1] += 200.0 * d;
        }
    }

    pub fn hessian_times(x: &[f32], v: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        for i in 0..x.len() - 1 {
            out[i] += (1200.0 * x[i] * x[i] - 400.0 * x[i + 1] + 2.0) * v[i] - 400.0 * x[i] * v[i + 1];
            out[i + 1] += 200.0 * v[i + 1] - 400.0 * x[i] * v[i];
        }
    }
}

/// Newton-CG in a trust region on Rosenbrock's function times `scale`; the losses after each step.
fn minimise(n: usize, scale: f32, region: &mut TrustRegion) -> (Vec<f32>, Vec<f32>) {
    let mut x: Vec<f32> = (0..n).map(|i| if i % 2 == 0 { -1.2 } else { 1.0 }).collect();
    let (mut g, mut step) = (vec![0.0; n], vec![0.0; n]);
    let mut scratch = vec![0; steihaug_workspace_size(n).unwrap()];
    let mut losses = vec![rosenbrock::loss(&x) * scale];
    for _ in 0..200 {
        rosenbrock::gradient(&x, &mut g);
        g.iter_mut().for_each(|g| *g *= scale);
        let options = SteihaugOptions { tolerance: 1e-3, max_iterations: 50 };
        let mut hessian = |v: &[f32], out: &mut [f32]| {
            rosenbrock::hessian_times(&x, v, out);
            out.iter_mut().for_each(|h| *h *= scale);
            Ok(())
        };
        let found = steihaug(&g, &mut hessian, region.radius, &options, &mut step, &mut scratch).unwrap();
        let moved: Vec<f32> = x.iter().zip(&step).map(|(a, b)| a + b).collect();
        let trial = Trial {
            loss: losses[losses.len() - 1],
            trial_loss: rosenbrock::loss(&moved) * scale,
            predicted: found.predicted,
            step_norm: found.norm,
        };
        if region.update(&trial).unwrap().verdict == Verdict::Accepted {
            x = moved;
            losses.push(trial.trial_loss);
        }
    }
    (x, losses)
}

#[test]
fn newton_cg_finds_the_minimum_of_rosenbrocks_function() {
    for n in [2, 6] {
        for radius in [1e-2, 1.0, 1e6] {
            let mut region = region(radius);
            let (x, losses) = minimise(n, 1.0, &mut region);
            // (two local minima from six variables on; both are below 4)
            let least = *losses.last().unwrap();
            let mut g = vec![0.0; n];
            rosenbrock::gradient(&x, &mut g);
            assert!(vector::norm(&g) < 0.05, "{n} {radius}: {} {x:?}", vector::norm(&g));
            assert!(least < if n == 2 { 1e-4 } else { 4.0 }, "{n} {radius}: {least}");
            // never up by more than the guard
            assert!(losses.windows(2).all(|w| w[1] <= w[0] + 1.2e-4 * w[0].max(1.0)), "{losses:?}");
            let s = region.statistics;
            assert_eq!((s.steps, s.refused), (200, 0));
            assert!(s.accepted > 10 && s.on_boundary > 0, "{s:?}");
        }
    }
}

#[test]
fn newton_cg_works_with_losses_of_1e30_and_1e_minus_30() {
    let options = TrustOptions { loss_scale: 0.0, ..Default::default() };
    for scale in [1e-30, 1.0, 1e30] {
        let mut region = TrustRegion::with(1.0, options).unwrap();
        let (x, losses) = minimise(2, scale, &mut region);
        assert!(losses[losses.len() - 1] < 1e-8 * scale, "{scale}: {losses:?}");
        assert!(x.iter().all(|x| (x - 1.0).abs() < 1e-3), "{scale}: {x:?}");
    }
}
