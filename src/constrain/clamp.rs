//! What the box, the non-negative orthant and the L-infinity ball share: each value is brought between two bounds.

use crate::simd::floats::{self, FloatKernel, Floats, Lane, Values};
use crate::{Error, simd};

use super::Projected;
use super::place::{Fed, Feed, Limit, Map, Pairs, Place, padded};
use super::sums::finite;

/// The bounds of a coordinate from its two numbers.
pub(super) trait Bounds: Copy {
    fn bounds<F: Values>(self, f: F, p: F::V, q: F::V) -> [F::V; 2];
}

/// The two numbers are the bounds.
#[derive(Clone, Copy)]
pub(super) struct LowHigh;

impl Bounds for LowHigh {
    #[inline(always)]
    fn bounds<F: Values>(self, _: F, p: F::V, q: F::V) -> [F::V; 2] {
        [p, q]
    }
}

/// The numbers are a centre and a radius; the bounds are rounded to `f32`.
#[derive(Clone, Copy)]
pub(super) struct Around;

impl Bounds for Around {
    #[inline(always)]
    fn bounds<F: Values>(self, f: F, p: F::V, q: F::V) -> [F::V; 2] {
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
        let [excess, finite, wrong] = floats::run(simd::active(), Survey { clamp: *self, x });
        if wrong > 0.0 {
            return Err(self.wrong);
        }
        if finite == 0.0 { Ok(excess) } else { Err(Error::NonFinite) }
    }

    pub(super) fn violation(&self, x: &[f32]) -> Result<f32, Error> {
        let excess = self.excess(x)?;
        Ok(if excess > 0.0 { excess.min(f32::MAX) } else { 0.0 })
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
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> F::V {
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

/// Of the values seen: the largest excess; zero, or NaN if one was not finite; above zero if bounds were wrong.
#[derive(Clone, Copy)]
struct Seen<V> {
    excess: V,
    finite: V,
    wrong: V,
}

impl<V: Copy> Seen<V> {
    #[inline(always)]
    fn look<F: Values<V = V>, B: Bounds>(&mut self, bounds: B, f: F, x: V, [p, q]: [V; 2]) {
        let [low, high] = bounds.bounds(f, p, q);
        self.excess = f.max(f.max(f.sub(low, x), f.sub(x, high)), self.excess);
        self.finite = f.add(self.finite, f.mul(x, f.splat(0.0)));
        // Not negative, not NaN; an infinite bound only on its side.
        let fit = f.greater(f.sub(high, low), f.splat(-f32::from_bits(1)));
        self.wrong = f.max(f.select(fit, f.splat(0.0), f.splat(1.0)), self.wrong);
    }
}

/// Of the values seen: the least, the largest; zero, or NaN if one was not finite.
#[derive(Clone, Copy)]
struct Range<V> {
    least: V,
    largest: V,
    finite: V,
}

impl<V: Copy> Range<V> {
    #[inline(always)]
    fn look<F: Values<V = V>>(&mut self, f: F, x: V) {
        self.least = f.min(x, self.least);
        self.largest = f.max(x, self.largest);
        self.finite = f.add(self.finite, f.mul(x, f.splat(0.0)));
    }
}

impl<B: Bounds> Survey<'_, B> {
    #[inline(always)]
    fn each<F: Floats, P: Pairs<F>>(x: &[f32], bounds: B, f: F, mut pairs: P) -> [f32; 3] {
        let none = Seen { excess: f.splat(f32::MIN), finite: f.splat(0.0), wrong: f.splat(0.0) };
        // Four at once, because each waits for the one before it.
        let mut seen = [none; 4];
        let (chunks, rest) = x.as_chunks::<16>();
        let (groups, singles) = chunks.as_chunks::<4>();
        for group in groups {
            for (seen, x) in seen.iter_mut().zip(group) {
                seen.look::<F, B>(bounds, f, f.load(x), pairs.next(f));
            }
        }
        for (seen, x) in seen.iter_mut().zip(singles) {
            seen.look::<F, B>(bounds, f, f.load(x), pairs.next(f));
        }
        if let (Some(&first), [seen, ..]) = (rest.first(), &mut seen) {
            // Padded by repeating one of the values with its own bounds, so that the padding says nothing new.
            let [p, q] = pairs.rest(f);
            let (p, q) = (filled(f.store(p), rest.len()), filled(f.store(q), rest.len()));
            let mut x = [first; 16];
            for (to, &value) in x.iter_mut().zip(rest) {
                *to = value;
            }
            seen.look::<F, B>(bounds, f, f.load(&x), [f.load(&p), f.load(&q)]);
        }
        let mut all = [f32::MIN, 0.0, 0.0];
        let [excess, finite, wrong] = &mut all;
        for seen in seen {
            for lane in f.store(seen.excess) {
                *excess = if lane > *excess { lane } else { *excess };
            }
            for lane in f.store(seen.finite) {
                *finite += lane;
            }
            for lane in f.store(seen.wrong) {
                *wrong += lane;
            }
        }
        all
    }

    /// With bounds that are the same for all, and have been looked at.
    #[inline(always)]
    fn alike<F: Floats>(x: &[f32], bounds: B, f: F, p: f32, q: f32) -> [f32; 3] {
        let none = Range { least: f.splat(f32::MAX), largest: f.splat(f32::MIN), finite: f.splat(0.0) };
        let mut seen = [none; 4];
        let (chunks, rest) = x.as_chunks::<16>();
        let (groups, singles) = chunks.as_chunks::<4>();
        for group in groups {
            for (seen, x) in seen.iter_mut().zip(group) {
                seen.look(f, f.load(x));
            }
        }
        for (seen, x) in seen.iter_mut().zip(singles) {
            seen.look(f, f.load(x));
        }
        let (mut least, mut largest, mut finite) = (f32::MAX, f32::MIN, 0.0);
        for seen in seen {
            for lane in f.store(seen.least) {
                least = if lane < least { lane } else { least };
            }
            for lane in f.store(seen.largest) {
                largest = if lane > largest { lane } else { largest };
            }
            for lane in f.store(seen.finite) {
                finite += lane;
            }
        }
        for &x in rest {
            least = if x < least { x } else { least };
            largest = if x > largest { x } else { largest };
            finite += x * 0.0;
        }
        let [low, high] = bounds.bounds(f, f.splat(p), f.splat(q));
        let ([low, ..], [high, ..]) = (f.store(low), f.store(high));
        let (below, above) = (low - least, largest - high);
        [if below > above { below } else { above }, finite, 0.0]
    }
}

/// The first `len` values, then the first one again.
#[inline(always)]
fn filled(values: [f32; 16], len: usize) -> [f32; 16] {
    let [first, ..] = values;
    let mut filled = [first; 16];
    for (to, value) in filled.iter_mut().zip(values).take(len) {
        *to = value;
    }
    filled
}

impl<B: Bounds> FloatKernel for Survey<'_, B> {
    type Output = [f32; 3];
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> [f32; 3] {
        let Clamp { bounds, p, q, .. } = self.clamp;
        match (p, q) {
            (Limit::One(p), Limit::One(q)) => Self::alike(self.x, bounds, f, p, q),
            _ => Self::each(self.x, bounds, f, Fed(Feed::new(p), Feed::new(q))),
        }
    }
    #[inline(never)]
    fn portable(self) -> [f32; 3] {
        let Clamp { bounds, p, q, .. } = self.clamp;
        let mut seen = Seen { excess: f32::MIN, finite: 0.0, wrong: 0.0 };
        for (i, &x) in self.x.iter().enumerate() {
            seen.look(bounds, Lane(0), x, [p.at(i), q.at(i)]);
        }
        [seen.excess, seen.finite, seen.wrong]
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
    fn one<F: Values>(bounds: B, f: F, [x, v, p, q]: [F::V; 4]) -> F::V {
        let [low, high] = bounds.bounds(f, p, q);
        let zero = f.splat(0.0);
        let v = f.select(f.greater(low, x), zero, v);
        f.select(f.greater(x, high), zero, v)
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
            *out = f.store(Self::one(bounds, f, [f.load(x), f.load(v), f.load(p.next()), f.load(q.next())]));
        }
        let (x, v) = (padded(x_rest), padded(v_rest));
        let last = Self::one(bounds, f, [f.load(&x), f.load(&v), f.load(&p.rest()), f.load(&q.rest())]);
        for (out, last) in out_rest.iter_mut().zip(f.store(last)) {
            *out = last;
        }
    }
    #[inline(never)]
    fn portable(self) {
        let Clamp { bounds, p, q, .. } = self.clamp;
        for (i, ((&x, &v), out)) in self.x.iter().zip(self.v).zip(self.out).enumerate() {
            *out = Self::one(bounds, Lane(0), [x, v, p.at(i), q.at(i)]);
        }
    }
}
