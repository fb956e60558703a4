//! Where a projection works: from one slice to another, or in one; and value by value, 16 at a time.

use crate::simd::floats::{self, FloatKernel, Floats, Lane, Values};
use crate::{Error, simd};

use super::Projected;

/// What a set implements beside [`Project`](super::Project), and what keeps that trait to this crate.
pub trait Sealed {
    /// Projects. Lengths and scratch have been checked. Everything that can fail is looked at before the first write.
    fn apply(&self, place: Place<'_>, scratch: &mut [u8]) -> Result<Projected, Error>;

    /// The vector-Jacobian product. Lengths and scratch have been checked: the three slices are equally long.
    fn pull_back(&self, x: &[f32], v: &[f32], out: &mut [f32], scratch: &mut [u8]) -> Result<(), Error>;

    /// Whether there is a derivative at `x`, so that a product can ask before it writes. `x` is one whose
    /// [`violation`](super::Project::violation) is known.
    ///
    /// # Errors
    /// [`Error::Unsupported`].
    fn differentiable(&self, x: &[f32]) -> Result<(), Error> {
        let _ = x;
        Ok(())
    }
}

/// An input and where its projection goes.
pub enum Place<'a> {
    /// Two slices of the same length.
    Apart {
        /// The input.
        x: &'a [f32],
        /// The output.
        out: &'a mut [f32],
    },
    /// One slice is both.
    Inside(&'a mut [f32]),
}

impl<'a> Place<'a> {
    /// The input.
    #[inline(always)]
    pub(crate) fn x(&self) -> &[f32] {
        match self {
            Place::Apart { x, .. } => x,
            Place::Inside(x) => x,
        }
    }

    /// The output is the input: a copy, or nothing to do.
    pub(crate) fn keep(self) -> Projected {
        self.kept();
        Projected { active: false }
    }

    /// The output, made a copy of the input.
    pub(crate) fn kept(self) -> &'a mut [f32] {
        match self {
            Place::Apart { x, out } => {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = x;
                }
                out
            }
            Place::Inside(x) => x,
        }
    }

    /// The output, all zeros.
    pub(crate) fn zero(self) -> Projected {
        match self {
            Place::Apart { out, .. } => out.fill(0.0),
            Place::Inside(x) => x.fill(0.0),
        }
        Projected { active: true }
    }

    /// The first `len` values, and the rest; `None` if there are not so many.
    #[inline(always)]
    pub(crate) fn split_at(self, len: usize) -> Option<(Place<'a>, Place<'a>)> {
        Some(match self {
            Place::Apart { x, out } => {
                let ((x, later), (out, room)) = (x.split_at_checked(len)?, out.split_at_mut_checked(len)?);
                (Place::Apart { x, out }, Place::Apart { x: later, out: room })
            }
            Place::Inside(x) => {
                let (x, later) = x.split_at_mut_checked(len)?;
                (Place::Inside(x), Place::Inside(later))
            }
        })
    }

    /// Sets every value of the output to `map` of the value of the input and those of `p` and `q` at its place.
    #[inline(always)]
    pub(crate) fn map<M: Map>(self, map: M, p: Limit<'_>, q: Limit<'_>) -> Projected {
        floats::run(simd::active(), Write { place: self, map, p, q });
        Projected { active: true }
    }

    #[inline(always)]
    pub(super) fn map_with<F: Floats, M: Map>(self, f: F, map: M, p: Limit<'_>, q: Limit<'_>) {
        match (p, q) {
            (Limit::One(p), Limit::One(q)) => self.map_pairs(f, map, Alike(f.splat(p), f.splat(q))),
            _ => self.map_pairs(f, map, Fed(Feed::new(p), Feed::new(q))),
        }
    }

    /// Where the numbers are the same for all, from the end to the beginning: the pass before it, which surveyed the values,
    /// has left the last ones in the cache.
    #[inline(always)]
    fn map_pairs<F: Floats, M: Map, P: Pairs<F>>(self, f: F, map: M, mut pairs: P) {
        match self {
            Place::Apart { x, out } => {
                let (chunks, rest) = x.as_chunks::<16>();
                let (out_chunks, out_rest) = out.as_chunks_mut::<16>();
                let groups = chunks.iter().zip(out_chunks);
                if P::ALIKE {
                    let [p, q] = pairs.next(f);
                    for (x, out) in groups.rev() {
                        f.put(map.map(f, f.load(x), p, q), out);
                    }
                } else {
                    for (x, out) in groups {
                        let [p, q] = pairs.next(f);
                        f.put(map.map(f, f.load(x), p, q), out);
                    }
                }
                let [p, q] = pairs.rest(f);
                let last = f.store(map.map(f, f.load(&padded(rest)), p, q));
                for (out, last) in out_rest.iter_mut().zip(last) {
                    *out = last;
                }
            }
            Place::Inside(x) => {
                let (chunks, rest) = x.as_chunks_mut::<16>();
                if P::ALIKE {
                    let [p, q] = pairs.next(f);
                    for x in chunks.iter_mut().rev() {
                        f.put(map.map(f, f.load(x), p, q), x);
                    }
                } else {
                    for x in chunks {
                        let [p, q] = pairs.next(f);
                        f.put(map.map(f, f.load(x), p, q), x);
                    }
                }
                let [p, q] = pairs.rest(f);
                let last = f.store(map.map(f, f.load(&padded(rest)), p, q));
                for (x, last) in rest.iter_mut().zip(last) {
                    *x = last;
                }
            }
        }
    }
}

/// A function of a value and of two numbers at its place, the same on every tier.
pub(crate) trait Map: Copy {
    fn map<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> F::V;
}

struct Write<'a, M> {
    place: Place<'a>,
    map: M,
    p: Limit<'a>,
    q: Limit<'a>,
}

impl<M: Map> FloatKernel for Write<'_, M> {
    type Output = ();
    #[inline(always)]
    fn run<F: Floats>(self, f: F) {
        self.place.map_with(f, self.map, self.p, self.q);
    }
    #[inline(always)]
    fn portable(self) {
        map_each(self.place.kept(), self.map, self.p, self.q);
    }
}

/// Value by value.
#[inline(never)]
pub(super) fn map_each<M: Map>(x: &mut [f32], map: M, p: Limit<'_>, q: Limit<'_>) {
    for (i, x) in x.iter_mut().enumerate() {
        *x = map.map(Lane(0), *x, p.at(i), q.at(i));
    }
}

/// A number for all coordinates, or one for each.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit<'a> {
    /// The same for all.
    One(f32),
    /// As many as the vector has values.
    Each(&'a [f32]),
}

impl Limit<'_> {
    pub(crate) const ZERO: Limit<'static> = Limit::One(0.0);

    /// The number of coordinate `i`.
    #[inline(always)]
    pub(super) fn at(&self, i: usize) -> f32 {
        match self {
            Limit::One(x) => *x,
            Limit::Each(x) => x.get(i).copied().unwrap_or_default(),
        }
    }

    /// Whether it fits vectors of `len` values.
    ///
    /// # Errors
    /// [`Error::Shape`].
    pub(crate) fn check(&self, len: usize) -> Result<(), Error> {
        match self {
            Limit::Each(values) if values.len() != len => Err(Error::Shape),
            _ => Ok(()),
        }
    }
}

/// The values of a [`Limit`], 16 at a time.
pub(super) struct Feed<'a> {
    one: [f32; 16],
    each: Option<core::slice::Iter<'a, [f32; 16]>>,
    rest: &'a [f32],
}

impl<'a> Feed<'a> {
    #[inline(always)]
    pub(super) fn new(limit: Limit<'a>) -> Feed<'a> {
        match limit {
            Limit::One(x) => Feed { one: [x; 16], each: None, rest: &[] },
            Limit::Each(x) => {
                let (chunks, rest) = x.as_chunks::<16>();
                Feed { one: [0.0; 16], each: Some(chunks.iter()), rest }
            }
        }
    }

    #[inline(always)]
    pub(super) fn next(&mut self) -> &[f32; 16] {
        match &mut self.each {
            Some(each) => each.next().unwrap_or(&self.one),
            None => &self.one,
        }
    }

    /// What is behind the last 16, padded with zeros.
    #[inline(always)]
    pub(super) fn rest(&self) -> [f32; 16] {
        if self.each.is_some() { padded(self.rest) } else { self.one }
    }
}

/// Two numbers for each coordinate, 16 coordinates at a time.
pub(super) trait Pairs<F: Floats> {
    /// Whether they are the same for all.
    const ALIKE: bool;
    fn next(&mut self, f: F) -> [F::V; 2];
    /// What is behind the last 16, padded with zeros where there is one for each.
    fn rest(&self, f: F) -> [F::V; 2];
}

/// The same for all: stays in registers.
pub(super) struct Alike<V>(pub(super) V, pub(super) V);

impl<F: Floats> Pairs<F> for Alike<F::V> {
    const ALIKE: bool = true;
    #[inline(always)]
    fn next(&mut self, _: F) -> [F::V; 2] {
        [self.0, self.1]
    }
    #[inline(always)]
    fn rest(&self, _: F) -> [F::V; 2] {
        [self.0, self.1]
    }
}

pub(super) struct Fed<'a>(pub(super) Feed<'a>, pub(super) Feed<'a>);

impl<F: Floats> Pairs<F> for Fed<'_> {
    const ALIKE: bool = false;
    #[inline(always)]
    fn next(&mut self, f: F) -> [F::V; 2] {
        [f.load(self.0.next()), f.load(self.1.next())]
    }
    #[inline(always)]
    fn rest(&self, f: F) -> [F::V; 2] {
        [f.load(&self.0.rest()), f.load(&self.1.rest())]
    }
}

/// Up to 16 values and zeros.
#[inline(always)]
pub(super) fn padded(x: &[f32]) -> [f32; 16] {
    let mut all = [0.0; 16];
    for (to, &x) in all.iter_mut().zip(x) {
        *to = x;
    }
    all
}
