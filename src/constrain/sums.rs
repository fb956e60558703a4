//! Sums over vectors in one fixed order.
//!
//! Pieces of 2048 values are added up in `U` accumulators of 16 lanes, value `i` going to accumulator `i / 16 mod U`,
//! which are added one after the other and reduced by `tree_sum`; the sums of the pieces are added with Neumaier
//! compensation. With terms of one sign the relative error is below (2048 / (16 U) + U + 8) * 2^-24, whatever the length.

use crate::math::{Compensated, tree_sum};
use crate::simd::floats::{self, FloatKernel, Floats, Lane, Values};
use crate::{Error, simd};

use super::place::{Alike, Fed, Feed, Limit, Pairs, padded};

/// `N` terms of a value and of two numbers at its place. Zeros give terms of zero: the last vector is padded with them.
pub(crate) trait Terms<const N: usize>: Copy {
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, q: F::V) -> [F::V; N];
}

const PIECE: usize = 2048;

/// The sums of the terms over all of `x`.
#[inline(always)]
pub(crate) fn sums<const N: usize, const U: usize, T: Terms<N>>(
    terms: T,
    x: &[f32],
    p: Limit<'_>,
    q: Limit<'_>,
) -> [f32; N] {
    floats::run(simd::active(), Sums::<N, U, T> { terms, x, p, q })
}

struct Sums<'a, const N: usize, const U: usize, T> {
    terms: T,
    x: &'a [f32],
    p: Limit<'a>,
    q: Limit<'a>,
}

impl<const N: usize, const U: usize, T: Terms<N>> FloatKernel for Sums<'_, N, U, T> {
    type Output = [f32; N];
    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> [f32; N] {
        sums_with::<N, U, F, T>(f, self.terms, self.x, self.p, self.q)
    }
    #[inline(always)]
    fn portable(self) -> [f32; N] {
        sums_each::<N, U, T>(self.terms, self.x, self.p, self.q)
    }
}

/// The most accumulators, times terms, of 16 lanes each.
const ROWS: usize = 6;

/// What [`sums_each`] has: `of` terms, each in `accumulators` rows, and one row each for the last values.
struct Rows {
    lanes: [[f32; 16]; ROWS],
    last: [[f32; 16]; 3],
    totals: [Compensated; 3],
}

impl Rows {
    /// Ends a piece.
    #[inline(never)]
    fn fold(&mut self, terms: usize) {
        for (term, (last, total)) in self.last.iter_mut().zip(&mut self.totals).take(terms).enumerate() {
            let mut sum = [0.0; 16];
            let rows = self.lanes.iter_mut().skip(term).step_by(terms.max(1));
            for row in rows.chain([last]) {
                for (sum, lane) in sum.iter_mut().zip(row) {
                    *sum += *lane;
                    *lane = 0.0;
                }
            }
            total.add(tree_sum(sum));
        }
    }
}

/// Value by value.
#[inline(never)]
pub(super) fn sums_each<const N: usize, const U: usize, T: Terms<N>>(
    terms: T,
    x: &[f32],
    p: Limit<'_>,
    q: Limit<'_>,
) -> [f32; N] {
    const { assert!(N * U <= ROWS && N <= 3) };
    let mut rows =
        Rows { lanes: [[0.0; 16]; ROWS], last: [[0.0; 16]; 3], totals: [Compensated::default(); 3] };
    let whole = x.len() & !15;
    for (i, &x) in x.iter().enumerate() {
        if i != 0 && i.is_multiple_of(PIECE) {
            rows.fold(N);
        }
        let at = if i < whole { rows.lanes.get_mut(i / 16 % U * N..) } else { rows.last.get_mut(..) };
        for (row, term) in at.unwrap_or_default().iter_mut().zip(terms.terms(Lane(0), x, p.at(i), q.at(i))) {
            if let Some(lane) = row.get_mut(i % 16) {
                *lane += term;
            }
        }
    }
    rows.fold(N);
    let mut sums = [0.0; N];
    for (sum, total) in sums.iter_mut().zip(rows.totals) {
        *sum = total.value();
    }
    sums
}

/// [`sums`] within a kernel.
#[inline(always)]
pub(super) fn sums_with<const N: usize, const U: usize, F: Floats, T: Terms<N>>(
    f: F,
    terms: T,
    x: &[f32],
    p: Limit<'_>,
    q: Limit<'_>,
) -> [f32; N] {
    match (p, q) {
        (Limit::One(p), Limit::One(q)) => {
            sums_of_pairs::<N, U, F, T, _>(f, terms, x, Alike(f.splat(p), f.splat(q)))
        }
        _ => sums_of_pairs::<N, U, F, T, _>(f, terms, x, Fed(Feed::new(p), Feed::new(q))),
    }
}

#[inline(always)]
fn sums_of_pairs<const N: usize, const U: usize, F: Floats, T: Terms<N>, P: Pairs<F>>(
    f: F,
    terms: T,
    x: &[f32],
    mut pairs: P,
) -> [f32; N] {
    let mut totals = [Compensated::default(); N];
    for piece in x.chunks(PIECE) {
        let mut lanes = [[f.splat(0.0); N]; U];
        let (chunks, rest) = piece.as_chunks::<16>();
        let (groups, singles) = chunks.as_chunks::<U>();
        for group in groups {
            for (lanes, x) in lanes.iter_mut().zip(group) {
                let [p, q] = pairs.next(f);
                let new = terms.terms(f, f.load(x), p, q);
                for (lane, new) in lanes.iter_mut().zip(new) {
                    *lane = f.add(*lane, new);
                }
            }
        }
        for (lanes, x) in lanes.iter_mut().zip(singles) {
            let [p, q] = pairs.next(f);
            let new = terms.terms(f, f.load(x), p, q);
            for (lane, new) in lanes.iter_mut().zip(new) {
                *lane = f.add(*lane, new);
            }
        }
        let mut sum = [f.splat(0.0); N];
        for lanes in lanes {
            for (sum, lane) in sum.iter_mut().zip(lanes) {
                *sum = f.add(*sum, lane);
            }
        }
        if !rest.is_empty() {
            let [p, q] = pairs.rest(f);
            let new = terms.terms(f, f.load(&padded(rest)), p, q);
            for (sum, new) in sum.iter_mut().zip(new) {
                *sum = f.add(*sum, new);
            }
        }
        for (total, sum) in totals.iter_mut().zip(sum) {
            total.add(tree_sum(f.store(sum)));
        }
    }
    let mut sums = [0.0; N];
    for (sum, total) in sums.iter_mut().zip(totals) {
        *sum = total.value();
    }
    sums
}

/// `x^2`.
#[derive(Clone, Copy)]
pub(crate) struct Squares;

impl Terms<1> for Squares {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> [F::V; 1] {
        [f.mul(x, x)]
    }
}

/// `(x - p)^2` and `p^2`.
#[derive(Clone, Copy)]
pub(crate) struct CenteredSquares;

impl Terms<2> for CenteredSquares {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> [F::V; 2] {
        let d = f.sub(x, p);
        [f.mul(d, d), f.mul(p, p)]
    }
}

/// `x p`, `|x p|` and `p^2`.
#[derive(Clone, Copy)]
pub(crate) struct Products;

impl Terms<3> for Products {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> [F::V; 3] {
        let product = f.mul(x, p);
        [product, f.max(product, f.sub(f.splat(0.0), product)), f.mul(p, p)]
    }
}

/// `x p`, each rounded after a factor has been put on `x`.
#[derive(Clone, Copy)]
pub(crate) struct Scaled(pub(crate) f32);

impl Terms<1> for Scaled {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, p: F::V, _: F::V) -> [F::V; 1] {
        [f.mul(f.mul(x, f.splat(self.0)), p)]
    }
}

/// `x - x`: zero, or NaN for what is not finite.
#[derive(Clone, Copy)]
struct NotFinite;

impl Terms<1> for NotFinite {
    #[inline(always)]
    fn terms<F: Values>(self, f: F, x: F::V, _: F::V, _: F::V) -> [F::V; 1] {
        [f.sub(x, x)]
    }
}

/// Refuses NaN and infinity.
///
/// # Errors
/// [`Error::NonFinite`].
pub(crate) fn finite(x: &[f32]) -> Result<(), Error> {
    let [sum] = sums::<1, 4, _>(NotFinite, x, Limit::ZERO, Limit::ZERO);
    if sum == 0.0 { Ok(()) } else { Err(Error::NonFinite) }
}

/// The largest magnitude; 0 of none. For finite values.
pub(crate) fn largest(x: &[f32]) -> f32 {
    x.iter().fold(0.0, |max, x| if x.abs() > max { x.abs() } else { max })
}

/// The power of two that brings `max` (finite, not negative) into [1, 2); the largest into [2, 4), denormals below 1.
pub(crate) fn unit_scale(max: f32) -> f32 {
    let exponent = (max.to_bits() >> 23) & 0xFF;
    f32::from_bits(254u32.saturating_sub(exponent).max(1) << 23)
}
