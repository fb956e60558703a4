//! Steihaug's steps against an exact solver of small models in f64.

use crate::common::{Rng, gaussian};
use hybridq::Error;
use hybridq::constrain::{
    DenseHessian, Steihaug, SteihaugOptions, SteihaugStop, steihaug, steihaug_workspace_size,
};

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
