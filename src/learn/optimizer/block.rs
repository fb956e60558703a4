//! What a step does to a block of parameters, in registers and the first cache level.
//!
//! All slices of a call have the same length, a multiple of 16; what is past the end of the parameters is 0.

use core::marker::PhantomData;

use crate::math::{guard_scale, tree_sum};
use crate::simd::floats::{Floats, Pass, Values};

use super::options::Base;

/// The sum of the squares in a block, known times the square of a power of two.
#[derive(Clone, Copy, Default)]
pub(in crate::learn) struct GradientError {
    /// Of the values.
    pub(super) whole: f32,
    /// Of what quantization changed.
    pub(super) lost: f32,
    /// What the values were multiplied with.
    pub(super) guard: f32,
    /// The largest magnitude of what quantization changed.
    pub(super) most: f32,
}

/// What [`clipped`] finds in passing.
pub(in crate::learn) struct Used {
    largest: f32,
    /// In 16 lanes.
    squares: [f32; 16],
}

/// `u = clip g + e`, or without `e`.
#[inline(always)]
pub(in crate::learn) fn clipped<F: Floats>(
    f: F,
    clip: f32,
    g: &[f32],
    e: Option<&[f32]>,
    u: &mut [f32],
) -> Used {
    let (g, u) = (g.as_chunks().0, u.as_chunks_mut().0);
    let [most, squares] = match e {
        Some(e) => f.lanes(&mut Clipped::<true> { clip, g, e: e.as_chunks().0, u }),
        None => f.lanes(&mut Clipped::<false> { clip, g, e: &[], u }),
    };
    Used { largest: largest_lane(most), squares }
}

struct Clipped<'a, const FEEDBACK: bool> {
    clip: f32,
    g: &'a [[f32; 16]],
    e: &'a [[f32; 16]],
    u: &'a mut [[f32; 16]],
}

impl<const FEEDBACK: bool> Pass<2> for Clipped<'_, FEEDBACK> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 2] {
        let clip = f.splat(self.clip);
        let (mut most, mut squares) = (f.splat(0.0), f.splat(0.0));
        let mut residuals = self.e.iter();
        for (u, g) in self.u.iter_mut().zip(self.g) {
            let mut v = f.mul(clip, f.load(g));
            if FEEDBACK && let Some(e) = residuals.next() {
                v = f.add(v, f.load(e));
            }
            most = f.max(most, f.abs(v));
            squares = f.add(squares, f.mul(v, v));
            f.put(v, u);
        }
        [most, squares]
    }
}

#[inline(always)]
fn largest_lane(lanes: [f32; 16]) -> f32 {
    lanes.into_iter().fold(0.0, |a: f32, b| if b > a { b } else { a })
}

/// The largest magnitude.
#[inline(always)]
pub(super) fn largest<F: Floats>(f: F, x: &[f32]) -> f32 {
    let [most] = f.lanes(&mut Largest(x.as_chunks().0));
    largest_lane(most)
}

struct Largest<'a>(&'a [[f32; 16]]);

impl Pass<1> for Largest<'_> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 1] {
        let mut most = f.splat(0.0);
        for x in self.0 {
            most = f.max(most, f.abs(f.load(x)));
        }
        [most]
    }
}

/// Makes trits times a scale of `u`, of which the first `n` values count, and writes what is lost to `e`. Returns the
/// scale.
///
/// Magnitudes are clipped at `sigma` root mean squares; trits and scale are those of `quant::Fit::Lloyd` for what is left:
/// the threshold begins at 3/4 of the mean magnitude and moves to half the mean of what is above it, twice. For any
/// input the error is smaller than the input, which error feedback needs (Karimireddy et al., arXiv:1901.09847).
#[inline(always)]
pub(in crate::learn) fn to_ternary<F: Floats>(
    f: F,
    sigma: f32,
    n: usize,
    used: &Used,
    u: &mut [f32],
    e: &mut [f32],
) -> (f32, GradientError) {
    let (u, e) = (u.as_chunks_mut::<16>().0, e.as_chunks_mut::<16>().0);
    let guard = guard_scale(used.largest);
    let count = n.max(1) as f32;

    let whole = if guard == 1.0 {
        tree_sum(used.squares)
    } else {
        let [squares] = f.lanes(&mut Squares { u, guard });
        tree_sum(squares)
    };
    let limit = sigma * f.root(whole / count);
    let limit = if limit.is_finite() { limit } else { f32::MAX };

    let [sums] = f.lanes(&mut Magnitudes { u, guard, limit });
    let mut threshold = 0.75 * tree_sum(sums) / count;
    let mut scale = 0.0;
    for _ in 0..2 {
        let [sums, counts] = f.lanes(&mut Above { u, guard, limit, threshold });
        let count = tree_sum(counts);
        if count > 0.0 {
            scale = tree_sum(sums) / count;
            threshold = 0.5 * scale;
        }
    }

    let plain = scale / guard;
    let [lost, most] = f.lanes(&mut Trits { u, e, guard, threshold, plain });
    (plain, GradientError { whole, lost: tree_sum(lost), guard, most: largest_lane(most) })
}

/// Sums of squares.
struct Squares<'a> {
    u: &'a [[f32; 16]],
    guard: f32,
}

impl Pass<1> for Squares<'_> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 1] {
        let (k, mut squares) = (f.splat(self.guard), f.splat(0.0));
        for u in self.u {
            let v = f.mul(f.load(u), k);
            squares = f.add(squares, f.mul(v, v));
        }
        [squares]
    }
}

/// Sums of magnitudes up to a limit.
struct Magnitudes<'a> {
    u: &'a [[f32; 16]],
    guard: f32,
    limit: f32,
}

impl Pass<1> for Magnitudes<'_> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 1] {
        let (k, limit, mut sums) = (f.splat(self.guard), f.splat(self.limit), f.splat(0.0));
        for u in self.u {
            sums = f.add(sums, f.min(f.abs(f.mul(f.load(u), k)), limit));
        }
        [sums]
    }
}

/// Sums of those above a threshold, and how many they are.
struct Above<'a> {
    u: &'a [[f32; 16]],
    guard: f32,
    limit: f32,
    threshold: f32,
}

impl Pass<2> for Above<'_> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 2] {
        let (k, limit, cut) = (f.splat(self.guard), f.splat(self.limit), f.splat(self.threshold));
        let (zero, one) = (f.splat(0.0), f.splat(1.0));
        let (mut sums, mut counts) = (zero, zero);
        for u in self.u {
            let m = f.min(f.abs(f.mul(f.load(u), k)), limit);
            let above = f.greater(m, cut);
            sums = f.add(sums, f.select(above, m, zero));
            counts = f.add(counts, f.select(above, one, zero));
        }
        [sums, counts]
    }
}

/// Makes trits, keeps what is lost, sums its squares, and finds the largest of it.
struct Trits<'a> {
    u: &'a mut [[f32; 16]],
    e: &'a mut [[f32; 16]],
    guard: f32,
    threshold: f32,
    plain: f32,
}

impl Pass<2> for Trits<'_> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 2] {
        let (k, cut, zero) = (f.splat(self.guard), f.splat(self.threshold), f.splat(0.0));
        let (plus, minus) = (f.splat(self.plain), f.splat(-self.plain));
        let (mut lost, mut most) = (zero, zero);
        for (u, e) in self.u.iter_mut().zip(&mut *self.e) {
            let v = f.load(u);
            let sign = f.select(f.greater(v, zero), plus, minus);
            let q = f.select(f.greater(f.abs(f.mul(v, k)), cut), sign, zero);
            let error = f.sub(v, q);
            let scaled = f.mul(error, k);
            lost = f.add(lost, f.mul(scaled, scaled));
            most = f.max(most, f.abs(error));
            f.put(q, u);
            f.put(error, e);
        }
        [lost, most]
    }
}

/// The numbers of a direction.
#[derive(Clone, Copy)]
pub(super) struct Direction {
    pub(super) decay: f32,
    pub(super) momentum: f32,
    /// Of `NadamW`.
    pub(super) beta2: f32,
    pub(super) epsilon: f32,
    /// What momentum and gradient are multiplied with in the direction of `NadamW` (bias correction), and the root.
    pub(super) moment_share: f32,
    pub(super) gradient_share: f32,
    pub(super) root_share: f32,
    /// Of the direction, for squares.
    pub(super) guard: f32,
    /// Of the gradient.
    pub(super) gradient_guard: f32,
}

/// The largest magnitude that `NadamW` may give to a direction. With exact moments it is never reached; it bounds what a
/// second moment lost to rounding could do.
pub(super) const MOST: f32 = 1_048_576.0;

/// Sums over a block, in guarded numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    /// Squares of the direction.
    pub(super) squares: f32,
    /// Products of direction and gradient.
    pub(super) products: f32,
}

/// What there is of a block. `u` is the gradient to be used times `clip`; `g` the one that came.
pub(super) struct Block<'a> {
    pub(super) g: &'a [f32],
    pub(super) clip: f32,
    pub(super) u: Option<&'a [f32]>,
    pub(super) p: &'a mut [f32],
    pub(super) m: &'a mut [f32],
    pub(super) r: &'a mut [f32],
}

/// One base direction: the new momentum (and root of the second moment), and the direction.
trait Turn {
    fn turn<F: Values>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V);
    /// Whether there is a second moment.
    const ROOT: bool;
}

struct Sgd;
struct Nesterov;
struct NadamW;

impl Turn for Sgd {
    #[inline(always)]
    fn turn<F: Values>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
        let m = f.add(f.mul(f.splat(d.momentum), m), u);
        (m, r, m)
    }
    const ROOT: bool = false;
}

impl Turn for Nesterov {
    #[inline(always)]
    fn turn<F: Values>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
        let momentum = f.splat(d.momentum);
        let m = f.add(f.mul(momentum, m), u);
        (m, r, f.add(u, f.mul(momentum, m)))
    }
    const ROOT: bool = false;
}

impl Turn for NadamW {
    #[inline(always)]
    fn turn<F: Values>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
        let (b1, c1) = (f.splat(d.momentum), f.splat(1.0 - d.momentum));
        let (b2, c2) = (f.splat(d.beta2), f.splat(1.0 - d.beta2));
        let m = f.add(f.mul(b1, m), f.mul(c1, u));
        let r = f.sqrt(f.add(f.mul(b2, f.mul(r, r)), f.mul(c2, f.mul(u, u))));
        let ahead = f.add(f.mul(f.splat(d.moment_share), m), f.mul(f.splat(d.gradient_share), u));
        let root = f.add(f.mul(f.splat(d.root_share), r), f.splat(d.epsilon));
        let step = f.div(ahead, root);
        (m, r, f.max(f.min(step, f.splat(MOST)), f.splat(-MOST)))
    }
    const ROOT: bool = true;
}

/// Calls a function for the base direction.
macro_rules! with_base {
    ($base:expr, $function:ident::<$f:ty>($($argument:expr),*)) => {
        match $base {
            Base::Sgd => $function::<$f, Sgd>($($argument),*),
            Base::Nesterov => $function::<$f, Nesterov>($($argument),*),
            Base::NadamW => $function::<$f, NadamW>($($argument),*),
        }
    };
}

/// The squares of the direction that [`commit`] would take; nothing changes. `clip` times `u` is the gradient to be used.
#[inline(always)]
pub(super) fn survey<F: Floats>(f: F, base: Base, d: &Direction, clip: f32, read: Read<'_>) -> f32 {
    with_base!(base, survey_with::<F>(f, d, clip, read))
}

/// Takes the step `p -= rate direction`, and writes the moments.
#[inline(always)]
pub(super) fn commit<F: Floats>(f: F, base: Base, d: &Direction, rate: f32, block: Block<'_>) -> Sums {
    with_base!(base, commit_with::<F>(f, d, rate, block))
}

/// What [`survey`] looks at.
#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub(super) u: &'a [f32],
    pub(super) p: &'a [f32],
    pub(super) m: &'a [f32],
    pub(super) r: &'a [f32],
}

#[inline(always)]
fn survey_with<F: Floats, B: Turn>(f: F, d: &Direction, clip: f32, read: Read<'_>) -> f32 {
    let [squares] = f.lanes(&mut Surveyed::<B> { d, clip, read, base: PhantomData });
    tree_sum(squares)
}

struct Surveyed<'a, B> {
    d: &'a Direction,
    clip: f32,
    read: Read<'a>,
    base: PhantomData<B>,
}

impl<B: Turn> Pass<1> for Surveyed<'_, B> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 1] {
        // A copy: what is behind a reference is read again after every write.
        let d = &{ *self.d };
        let (clip, decay, guard) = (f.splat(self.clip), f.splat(d.decay), f.splat(d.guard));
        let mut squares = f.splat(0.0);
        let Read { u, p, m, r } = self.read;
        let (u, p) = (u.as_chunks::<16>().0, p.as_chunks::<16>().0);
        let mut roots = r.as_chunks::<16>().0.iter();
        for ((u, p), m) in u.iter().zip(p).zip(m.as_chunks::<16>().0) {
            let r = match roots.next() {
                Some(r) if B::ROOT => f.load(r),
                _ => f.splat(0.0),
            };
            let (_, _, step) = B::turn(f, d, f.mul(clip, f.load(u)), f.load(m), r);
            let step = f.mul(f.add(step, f.mul(decay, f.load(p))), guard);
            squares = f.add(squares, f.mul(step, step));
        }
        [squares]
    }
}

#[inline(always)]
fn commit_with<F: Floats, B: Turn>(f: F, d: &Direction, rate: f32, block: Block<'_>) -> Sums {
    let [squares, products] = f.lanes(&mut Committed::<B> { d, rate, block, base: PhantomData });
    Sums { squares: tree_sum(squares), products: tree_sum(products) }
}

struct Committed<'a, B> {
    d: &'a Direction,
    rate: f32,
    block: Block<'a>,
    base: PhantomData<B>,
}

impl<B: Turn> Pass<2> for Committed<'_, B> {
    #[inline(always)]
    fn pass<F: Values>(&mut self, f: F) -> [F::V; 2] {
        let (d, block) = (&{ *self.d }, &mut self.block);
        let (clip, decay, rate) = (f.splat(block.clip), f.splat(d.decay), f.splat(self.rate));
        let (guard, gradient_guard) = (f.splat(d.guard), f.splat(d.gradient_guard));
        let zero = f.splat(0.0);
        let (mut squares, mut products) = (zero, zero);
        let g = block.g.as_chunks::<16>().0;
        let u = block.u.unwrap_or(block.g).as_chunks::<16>().0;
        let (p, m) = (block.p.as_chunks_mut::<16>().0, block.m.as_chunks_mut::<16>().0);
        let mut roots = block.r.as_chunks_mut::<16>().0.iter_mut();
        for (((g, u), p), m) in g.iter().zip(u).zip(p).zip(m) {
            let root = if B::ROOT { roots.next() } else { None };
            let r = match &root {
                Some(root) => f.load(root),
                None => zero,
            };
            let (moment, r, step) = B::turn(f, d, f.mul(clip, f.load(u)), f.load(m), r);
            f.put(moment, m);
            if let Some(root) = root {
                f.put(r, root);
            }
            let old = f.load(p);
            let step = f.add(step, f.mul(decay, old));
            f.put(f.sub(old, f.mul(rate, step)), p);
            let step = f.mul(step, guard);
            squares = f.add(squares, f.mul(step, step));
            products = f.add(products, f.mul(step, f.mul(f.load(g), gradient_guard)));
        }
        [squares, products]
    }
}
