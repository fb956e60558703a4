//! What must hold of every projection, for the test files of the room.

use hybridq::Error;
use hybridq::constrain::{Project, Set};

use crate::common::{gaussian, same_on_every_tier};

pub fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|x| x.to_bits()).collect()
}

pub fn scratch(set: &Set, len: usize) -> Vec<u8> {
    vec![0; set.workspace_size(len).unwrap()]
}

/// The projection, by both ways, which must agree to the bit.
pub fn project(set: &Set, x: &[f32]) -> (Vec<f32>, bool) {
    let mut out = vec![f32::NAN; x.len()];
    let done = set.project(x, &mut out, &mut scratch(set, x.len())).unwrap();
    let mut inside = x.to_vec();
    let again = set.project_inplace(&mut inside, &mut scratch(set, x.len())).unwrap();
    assert_eq!((bits(&out), done), (bits(&inside), again), "in place is not as out of place");
    if !done.active {
        assert_eq!(bits(&out), bits(x), "not active, but moved");
    }
    (out, done.active)
}

pub fn vjp(set: &Set, x: &[f32], v: &[f32]) -> Result<Vec<f32>, Error> {
    let mut out = vec![f32::NAN; x.len()];
    set.vjp(x, v, &mut out, &mut scratch(set, x.len()))?;
    Ok(out)
}

/// In double.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| a as f64 * b as f64).sum()
}

pub fn minus(a: &[f32], b: &[f32]) -> Vec<f32> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// |a - b| in double.
pub fn apart(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&a, &b)| (a as f64 - b as f64).powi(2)).sum::<f64>().sqrt()
}

/// What is asked of a set, and how exactly.
pub struct Case<'a> {
    pub set: Set<'a>,
    pub len: usize,
    /// Spread of the random points.
    pub spread: f32,
    /// Relative to the size of the numbers at hand.
    pub tolerance: f64,
    pub convex: bool,
    /// Projecting twice gives the same bits as once; else within the tolerance.
    pub to_the_bit: bool,
}

impl<'a> Case<'a> {
    pub fn new(set: Set<'a>, len: usize) -> Case<'a> {
        Case { set, len, spread: 3.0, tolerance: 2e-6, convex: true, to_the_bit: true }
    }

    /// Idempotent, feasible, nearest (by the variational inequality if convex, else no feasible point is nearer),
    /// non-expansive if convex, NaN and infinity refused with outputs untouched, the same bits on every tier.
    pub fn check(&self) {
        let set = &self.set;
        let points: Vec<Vec<f32>> = (0..12)
            .map(|seed| {
                let scale = self.spread * [1.0, 0.1, 10.0][seed as usize % 3];
                gaussian(self.len, 1000 + seed).iter().map(|x| x * scale).collect()
            })
            .collect();
        let projected: Vec<Vec<f32>> = points.iter().map(|x| self.one(x)).collect();
        let size = |x: &[f32]| dot(x, x).sqrt();
        for (x, p) in points.iter().zip(&projected) {
            let normal = minus(x, p);
            for (y, z) in points.iter().zip(&projected) {
                // Beyond this, rounding decides.
                let slack = self.tolerance * (size(x) + size(p) + size(y) + size(z));
                if self.convex {
                    let product = dot(&normal, &minus(z, p));
                    let bound = slack * (size(&normal) + apart(z, p));
                    assert!(product <= bound, "variational inequality: {product} > {bound} for {set:?}");
                } else {
                    let (near, far) = (apart(x, p), apart(x, z));
                    assert!(near <= far + slack, "{near} > {far}: a feasible point is nearer for {set:?}");
                }
            }
        }
        if self.convex {
            for (i, (x, p)) in points.iter().zip(&projected).enumerate() {
                for (y, q) in points.iter().zip(&projected).take(i) {
                    let slack = self.tolerance * (size(x) + size(y) + size(p) + size(q));
                    assert!(apart(p, q) <= apart(x, y) + slack, "expansive: {set:?}");
                }
            }
        }
        self.refuses(&points[0]);
        self.tiers(&points);
    }

    /// Projects one point.
    pub fn one(&self, x: &[f32]) -> Vec<f32> {
        let (p, active) = project(&self.set, x);
        let size = dot(x, x).sqrt() + dot(&p, &p).sqrt();
        let violation = self.set.violation(&p).unwrap() as f64;
        assert!(violation <= self.tolerance * size, "{violation} outside after projection: {:?}", self.set);
        assert!(self.set.is_feasible(&p, (self.tolerance * size) as f32).unwrap());
        let (twice, moved) = project(&self.set, &p);
        if self.to_the_bit {
            assert!(!moved && bits(&twice) == bits(&p), "not idempotent: {:?}\n{p:?}\n{twice:?}", self.set);
        } else {
            assert!(apart(&twice, &p) <= self.tolerance * size, "not idempotent: {:?}", self.set);
        }
        if self.set.violation(x).unwrap() == 0.0 {
            assert!(!active, "moved from inside");
        }
        p
    }

    fn refuses(&self, x: &[f32]) {
        let set = &self.set;
        for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, self.len / 2, self.len.saturating_sub(1)] {
                let mut bad = x.to_vec();
                let Some(place) = bad.get_mut(at) else { continue };
                *place = wrong;
                let before = bits(&bad);
                let mut room = scratch(set, self.len);
                let mut out = vec![7.0; self.len];
                assert_eq!(set.project(&bad, &mut out, &mut room), Err(Error::NonFinite), "{set:?}");
                assert_eq!(set.project_inplace(&mut bad, &mut room), Err(Error::NonFinite));
                assert_eq!(set.violation(&bad), Err(Error::NonFinite));
                assert_eq!(set.is_feasible(&bad, 1.0), Err(Error::NonFinite));
                assert_eq!(bits(&bad), before);
                for (x, v) in [(&bad[..], x), (x, &bad[..])] {
                    let got = set.vjp(x, v, &mut out, &mut room);
                    assert!(matches!(got, Err(Error::NonFinite | Error::Unsupported)), "{got:?} {set:?}");
                }
                assert!(out.iter().all(|&x| x == 7.0), "written in spite of an error: {set:?}");
            }
        }
        if self.len > 0 {
            let mut room = scratch(set, self.len);
            let mut short = vec![7.0; self.len - 1];
            assert_eq!(set.project(x, &mut short, &mut room), Err(Error::OutputTooSmall));
            assert!(short.iter().all(|&x| x == 7.0));
        }
        if let Some(less) = set.workspace_size(self.len).unwrap().checked_sub(1) {
            let mut out = vec![7.0; self.len];
            let got = set.project(x, &mut out, &mut vec![0; less]);
            assert_eq!(got, Err(Error::WorkspaceTooSmall));
            assert!(out.iter().all(|&x| x == 7.0));
        }
        for wrong in [-1.0, f32::NAN] {
            assert_eq!(set.is_feasible(x, wrong), Err(Error::InvalidArgument));
        }
    }

    fn tiers(&self, points: &[Vec<f32>]) {
        let set = &self.set;
        let all = || -> Vec<_> {
            points
                .iter()
                .zip(points.iter().rev())
                .map(|(x, v)| {
                    let (p, active) = project(set, x);
                    let pulled = vjp(set, x, v).map(|v| bits(&v));
                    (bits(&p), active, set.violation(x).unwrap().to_bits(), pulled)
                })
                .collect()
        };
        same_on_every_tier("vjp", all);
    }

    /// The derivative against central differences in directions `v`: `u . P(x + h v)'` against `v . vjp(x, u)`, at points
    /// where `smooth` says that no kink is near.
    pub fn derivative(&self, step: f32, tolerance: f64, smooth: impl Fn(&[f32]) -> bool) {
        let mut seen = 0;
        for seed in 0..12 {
            let scale = self.spread * [1.0, 0.1, 10.0][seed as usize % 3];
            let x: Vec<f32> = gaussian(self.len, 2000 + seed).iter().map(|x| x * scale).collect();
            if !smooth(&x) {
                continue;
            }
            seen += 1;
            let (u, v) = (gaussian(self.len, 3000 + seed), gaussian(self.len, 4000 + seed));
            let moved = |h: f32| -> Vec<f32> {
                project(&self.set, &x.iter().zip(&v).map(|(x, v)| x + h * v).collect::<Vec<_>>()).0
            };
            let (up, down) = (moved(step), moved(-step));
            let expected: f64 = up
                .iter()
                .zip(&down)
                .zip(&u)
                .map(|((&a, &b), &u)| (a as f64 - b as f64) / (2.0 * step as f64) * u as f64)
                .sum();
            let got = dot(&vjp(&self.set, &x, &u).unwrap(), &v);
            let size = (dot(&u, &u) * dot(&v, &v)).sqrt();
            assert!((got - expected).abs() <= tolerance * size, "{got} not {expected}: {:?}", self.set);
        }
        assert!(seen >= 4, "too few smooth points");
    }
}
