//! What a step does to a block of parameters, in registers and the first cache level.
//!
//! All slices of a call have the same length, a multiple of 16; what is past the end of the parameters is 0.

use crate::math::{guard_scale, tree_sum};
use crate::simd::floats::Floats;

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
}

/// `u = clip g + e`.
#[inline(always)]
pub(super) fn with_residual<F: Floats>(f: F, clip: f32, g: &[f32], e: &[f32], u: &mut [f32]) {
    let clip = f.splat(clip);
    let e = e.as_chunks::<16>().0;
    for ((u, g), e) in u.as_chunks_mut::<16>().0.iter_mut().zip(g.as_chunks::<16>().0).zip(e) {
        *u = f.store(f.add(f.mul(clip, f.load(g)), f.load(e)));
    }
}

/// `u = clip g`.
#[inline(always)]
pub(super) fn clipped<F: Floats>(f: F, clip: f32, g: &[f32], u: &mut [f32]) {
    let clip = f.splat(clip);
    for (u, g) in u.as_chunks_mut::<16>().0.iter_mut().zip(g.as_chunks::<16>().0) {
        *u = f.store(f.mul(clip, f.load(g)));
    }
}

/// The largest magnitude.
#[inline(always)]
pub(super) fn largest<F: Floats>(f: F, x: &[f32]) -> f32 {
    let mut most = f.splat(0.0);
    for x in x.as_chunks::<16>().0 {
        most = f.max(most, f.abs(f.load(x)));
    }
    f.store(most).into_iter().fold(0.0, |a: f32, b| if b > a { b } else { a })
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
    u: &mut [f32],
    e: &mut [f32],
) -> (f32, GradientError) {
    let guard = guard_scale(largest(f, u));
    let k = f.splat(guard);
    let zero = f.splat(0.0);
    let one = f.splat(1.0);

    let mut squares = zero;
    for u in u.as_chunks::<16>().0 {
        let v = f.mul(f.load(u), k);
        squares = f.add(squares, f.mul(v, v));
    }
    let whole = tree_sum(f.store(squares));
    let limit = sigma * f.root(whole / n.max(1) as f32);
    let limit = f.splat(if limit.is_finite() { limit } else { f32::MAX });

    let mut sums = zero;
    for u in u.as_chunks::<16>().0 {
        sums = f.add(sums, f.min(f.abs(f.mul(f.load(u), k)), limit));
    }
    let mut threshold = 0.75 * tree_sum(f.store(sums)) / n.max(1) as f32;
    let mut scale = 0.0;
    for _ in 0..2 {
        let cut = f.splat(threshold);
        let (mut sums, mut counts) = (zero, zero);
        for u in u.as_chunks::<16>().0 {
            let m = f.min(f.abs(f.mul(f.load(u), k)), limit);
            let above = f.greater(m, cut);
            sums = f.add(sums, f.select(above, m, zero));
            counts = f.add(counts, f.select(above, one, zero));
        }
        let count = tree_sum(f.store(counts));
        if count > 0.0 {
            scale = tree_sum(f.store(sums)) / count;
            threshold = 0.5 * scale;
        }
    }

    let plain = scale / guard;
    let (cut, plus, minus) = (f.splat(threshold), f.splat(plain), f.splat(-plain));
    let mut lost = zero;
    for (u, e) in u.as_chunks_mut::<16>().0.iter_mut().zip(e.as_chunks_mut::<16>().0) {
        let v = f.load(u);
        let sign = f.select(f.greater(v, zero), plus, minus);
        let q = f.select(f.greater(f.abs(f.mul(v, k)), cut), sign, zero);
        let error = f.sub(v, q);
        let scaled = f.mul(error, k);
        lost = f.add(lost, f.mul(scaled, scaled));
        *u = f.store(q);
        *e = f.store(error);
    }
    (plain, GradientError { whole, lost: tree_sum(f.store(lost)), guard })
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
    fn turn<F: Floats>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V);
    /// Whether there is a second moment.
    const ROOT: bool;
}

struct Sgd;
struct Nesterov;
struct NadamW;

impl Turn for Sgd {
    #[inline(always)]
    fn turn<F: Floats>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
        let m = f.add(f.mul(f.splat(d.momentum), m), u);
        (m, r, m)
    }
    const ROOT: bool = false;
}

impl Turn for Nesterov {
    #[inline(always)]
    fn turn<F: Floats>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
        let momentum = f.splat(d.momentum);
        let m = f.add(f.mul(momentum, m), u);
        (m, r, f.add(u, f.mul(momentum, m)))
    }
    const ROOT: bool = false;
}

impl Turn for NadamW {
    #[inline(always)]
    fn turn<F: Floats>(f: F, d: &Direction, u: F::V, m: F::V, r: F::V) -> (F::V, F::V, F::V) {
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
pub(super) struct Read<'a> {
    pub(super) u: &'a [f32],
    pub(super) p: &'a [f32],
    pub(super) m: &'a [f32],
    pub(super) r: &'a [f32],
}

#[inline(always)]
fn survey_with<F: Floats, B: Turn>(f: F, d: &Direction, clip: f32, Read { u, p, m, r }: Read<'_>) -> f32 {
    let (clip, decay, guard) = (f.splat(clip), f.splat(d.decay), f.splat(d.guard));
    let mut squares = f.splat(0.0);
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
    tree_sum(f.store(squares))
}

#[inline(always)]
fn commit_with<F: Floats, B: Turn>(f: F, d: &Direction, rate: f32, block: Block<'_>) -> Sums {
    let (clip, decay, rate) = (f.splat(block.clip), f.splat(d.decay), f.splat(rate));
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
        *m = f.store(moment);
        if let Some(root) = root {
            *root = f.store(r);
        }
        let old = f.load(p);
        let step = f.add(step, f.mul(decay, old));
        *p = f.store(f.sub(old, f.mul(rate, step)));
        let step = f.mul(step, guard);
        squares = f.add(squares, f.mul(step, step));
        products = f.add(products, f.mul(step, f.mul(f.load(g), gradient_guard)));
    }
    Sums { squares: tree_sum(f.store(squares)), products: tree_sum(f.store(products)) }
}
