//! What the box, the non-negative orthant and the L-infinity ball share: each value is brought between two bounds.

use crate::simd::floats::{self, FloatKernel, Floats};
use crate::{Error, simd};

use super::Projected;
use super::place::{Feed, Limit, Map, Place, padded};
use super::sums::finite;

/// The bounds of a coordinate from its two numbers.
pub(super) trait Bounds: Copy {
    fn bounds<F: Floats>(self, f: F, p: F::V, q: F::V) -> [F::V; 2];
}

/// The two numbers are the bounds.
#[derive(Clone, Copy)]
pub(super) struct LowHigh;

impl Bounds for LowHigh {
    #[inline(always)]
    fn bounds<F: Floats>(self, _: F, p: F::V, q: F::V) -> [F::V; 2] {
        [p, q]
    }
}

/// The numbers are a centre and a radius; the bounds are rounded to `f32`.
#[derive(Clone, Copy)]
pub(super) struct Around;

impl Bounds for Around {
    #[inline(always)]
    fn bounds<F: Floats>(self, f: F, p: F::V, q: F::V) -> [F::V; 2] {
        [f.sub(p, q), f.add(p, q)]
    }
}

/// A set of this family.
#[derive(Clone, Copy)]
pub(super) struct Clamp<'a, B> {
    pub(super) bounds: B,
    pub(super) p: Limit<'a>,
    pub(super) q: Limit<'a>,
    /// What is wrong if bounds are NaN or cross.
    pub(super) wrong: Error,
}

impl<B: Bounds> Clamp<'_, B> {
    /// By how much the value that is farthest outside is so; not above 0 inside.
    pub(super) fn excess(&self, x: &[f32]) -> Result<f32, Error> {
        self.p.check(x.len())?;
        self.q.check(x.len())?;
        let [excess, not_finite, wrong] = floats::run(simd::active(), Survey { clamp: *self, x });
        if wrong > 0.0 {
            return Err(self.wrong);
        }
        if not_finite > 0.0 { Err(Error::NonFinite) } else { Ok(excess) }
    }

    pub(super) fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        Ok(self.excess(x)?.clamp(0.0, f32::MAX))
    }

    pub(super) fn apply(&self, place: Place<'_>) -> Result<Projected, Error> {
        if self.excess(place.x())? > 0.0 {
            Ok(place.map(Between(self.bounds), self.p, self.q))
        } else {
            Ok(place.keep())
        }
    }

    /// `v` where `x` is within its bounds or on one, else 0.
    pub(super) fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32]) -> Result<(), Error> {
        self.excess(x)?;
        finite(v)?;
        floats::run(simd::active(), Mask { clamp: *self, x, v, out });
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Between<B>(B);

impl<B: Bounds> Map for Between<B> {
    #[inline(always)]
    fn map<F: Floats>(self, f: F, x: F::V, p: F::V, q: F::V) -> F::V {
        // Selected, not the larger and the smaller: tiers choose differently between zeros of both signs.
        let [low, high] = self.0.bounds(f, p, q);
        let x = f.select(f.greater(low, x), low, x);
        f.select(f.greater(x, high), high, x)
    }
}

struct Survey<'a, B> {
    clamp: Clamp<'a, B>,
    x: &'a [f32],
}

impl<B: Bounds> Survey<'_, B> {
    #[inline(always)]
    fn look<F: Floats>(bounds: B, f: F, worst: &mut [F::V; 3], x: F::V, p: F::V, q: F::V) {
        let [excess, not_finite, wrong] = worst;
        let (zero, one) = (f.splat(0.0), f.splat(1.0));
        let [low, high] = bounds.bounds(f, p, q);
        *excess = f.max(f.max(f.sub(low, x), f.sub(x, high)), *excess);
        // NaN unless finite.
        *not_finite = f.max(f.select(f.greater(one, f.sub(x, x)), zero, one), *not_finite);
        // Not negative, not NaN; an infinite bound only on its side.
        let fit = f.greater(f.sub(high, low), f.splat(-f32::from_bits(1)));
        *wrong = f.max(f.select(fit, zero, one), *wrong);
    }
}

impl<B: Bounds> FloatKernel for Survey<'_, B> {
    type Output = [f32; 3];
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> [f32; 3] {
        let Clamp { bounds, p, q, .. } = self.clamp;
        let (mut p, mut q) = (Feed::new(p), Feed::new(q));
        let mut worst = [f.splat(f32::MIN), f.splat(0.0), f.splat(0.0)];
        let (chunks, rest) = self.x.as_chunks::<16>();
        for x in chunks {
            Self::look(bounds, f, &mut worst, f.load(x), f.load(p.next()), f.load(q.next()));
        }
        let mut all = [f32::MIN, 0.0, 0.0];
        if let Some(&first) = rest.first() {
            // Padded by repeating one of the values with its own bounds, so that the padding says nothing new.
            let fill = |values: [f32; 16]| {
                let [one, ..] = values;
                let mut filled = [one; 16];
                for (to, value) in filled.iter_mut().zip(values).take(rest.len()) {
                    *to = value;
                }
                filled
            };
            let (p, q) = (fill(p.rest()), fill(q.rest()));
            let mut x = [first; 16];
            for (to, &value) in x.iter_mut().zip(rest) {
                *to = value;
            }
            Self::look(bounds, f, &mut worst, f.load(&x), f.load(&p), f.load(&q));
        }
        for (all, worst) in all.iter_mut().zip(worst) {
            for lane in f.store(worst) {
                *all = if lane > *all { lane } else { *all };
            }
        }
        all
    }
}

struct Mask<'a, B> {
    clamp: Clamp<'a, B>,
    x: &'a [f32],
    v: &'a [f32],
    out: &'a mut [f32],
}

impl<B: Bounds> Mask<'_, B> {
    #[inline(always)]
    fn one<F: Floats>(bounds: B, f: F, [x, v, p, q]: [F::V; 4]) -> [f32; 16] {
        let [low, high] = bounds.bounds(f, p, q);
        let zero = f.splat(0.0);
        let v = f.select(f.greater(low, x), zero, v);
        f.store(f.select(f.greater(x, high), zero, v))
    }
}

impl<B: Bounds> FloatKernel for Mask<'_, B> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        let Clamp { bounds, p, q, .. } = self.clamp;
        let (mut p, mut q) = (Feed::new(p), Feed::new(q));
        let ((x, x_rest), (v, v_rest)) = (self.x.as_chunks::<16>(), self.v.as_chunks::<16>());
        let (out, out_rest) = self.out.as_chunks_mut::<16>();
        for ((x, v), out) in x.iter().zip(v).zip(out) {
            *out = Self::one(bounds, f, [f.load(x), f.load(v), f.load(p.next()), f.load(q.next())]);
        }
        let (x, v) = (padded(x_rest), padded(v_rest));
        let last = Self::one(bounds, f, [f.load(&x), f.load(&v), f.load(&p.rest()), f.load(&q.rest())]);
        for (out, last) in out_rest.iter_mut().zip(last) {
            *out = last;
        }
    }
}
