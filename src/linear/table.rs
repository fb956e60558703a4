//! Activation tables: what a block of activations costs once, for all rows of a base-3 product.
//!
//! With `N_k = floor(q * 3^k / 256)` of a packed byte `q`, digit `k` is `N_(k+1) - 3 N_k`. So
//! `sum of d_k a_k = sum over k = 1..=5 of N_k b_k` with `b_k = a_(k-1) - 3 a_k` and `a_5 = 0`: digits need no
//! extraction, one multiplication gives `N_k`. The coefficients `b_k` depend on the activations alone.
//!
//! |b_k| <= 4 * 128 = 512, N_k < 3^k: the products of one byte stay below 242 * 128 + (80 + 26 + 8 + 2) * 512 =
//! 90,368, those of a block below 52 * 90,368 < 2^23.

use crate::Error;
use crate::quant::ActBlock;

/// Coefficients of one activation block for base-3 weights, and the sum of its codes; 516 bytes.
///
/// Made by [`act_tables`], used by [`matvec_with_tables`](super::matvec_with_tables).
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ActTable {
    /// Sum of the codes.
    sum: i32,
    /// Lanes in the order of the bytes of a `TQ1_0` block: for k = 1..=5 bytes 0, 2, ..., 30 and bytes 1, 3, ..., 31;
    /// for k = 1..=5 bytes 32..48; then bytes 48..52 for k = 1..=4.
    coefficients: [[i16; 16]; 16],
}

impl ActTable {
    /// A table of zeros, to make an array of.
    pub const ZERO: ActTable = ActTable { sum: 0, coefficients: [[0; 16]; 16] };

    /// The sum of the codes. |sum| <= 256 * 128.
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[inline(always)]
    pub(crate) fn sum(&self) -> i32 {
        self.sum
    }

    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    #[inline(always)]
    pub(crate) fn coefficients(&self) -> &[[i16; 16]; 16] {
        &self.coefficients
    }

    #[inline(always)]
    pub(crate) fn fill(&mut self, act: &ActBlock) {
        self.sum = act.sums.iter().map(|&s| s as i32).sum();
        let (planes, _) = act.codes.as_chunks::<32>();
        let [c1e, c1o, c2e, c2o, c3e, c3o, c4e, c4o, c5e, c5o, rest @ ..] = &mut self.coefficients;
        let mut planes = planes.iter();
        let mut next = || planes.next().unwrap_or(&[0; 32]);
        let mut before = next();
        for (even, odd) in [(c1e, c1o), (c2e, c2o), (c3e, c3o), (c4e, c4o)] {
            let plane = next();
            let pairs = before.as_chunks::<2>().0.iter().zip(plane.as_chunks::<2>().0);
            for ((even, odd), (&[a0, a1], &[b0, b1])) in even.iter_mut().zip(odd).zip(pairs) {
                *even = a0 as i16 - 3 * b0 as i16;
                *odd = a1 as i16 - 3 * b1 as i16;
            }
            before = plane;
        }
        for ((even, odd), &[a0, a1]) in c5e.iter_mut().zip(c5o).zip(before.as_chunks::<2>().0) {
            (*even, *odd) = (a0 as i16, a1 as i16);
        }
        let (_, tail) = act.codes.split_at(160);
        let (planes, tail) = tail.split_at(80);
        let [middle @ .., last] = rest;
        telescope::<16>(planes, middle);
        telescope::<4>(tail, last.as_chunks_mut::<4>().0);
    }
}

/// `b_k` of planes of `N` activations each, one after the other.
#[inline(always)]
fn telescope<const N: usize>(planes: &[i8], out: &mut [[i16; N]]) {
    let (planes, _) = planes.as_chunks::<N>();
    for (k, (out, plane)) in out.iter_mut().zip(planes).enumerate() {
        let after = planes.get(k + 1).unwrap_or(&[0; N]);
        for ((b, &a), &after) in out.iter_mut().zip(plane).zip(after) {
            *b = a as i16 - 3 * after as i16;
        }
    }
}

/// Makes the tables of activation blocks, one each.
///
/// # Errors
/// [`Error::OutputTooSmall`] if `out` is shorter than `acts`; it is untouched then.
pub fn act_tables(acts: &[ActBlock], out: &mut [ActTable]) -> Result<(), Error> {
    let out = out.get_mut(..acts.len()).ok_or(Error::OutputTooSmall)?;
    crate::simd::vectorize(
        crate::simd::active(),
        #[inline(always)]
        || fill(acts, out),
    );
    Ok(())
}

#[inline(always)]
pub(crate) fn fill(acts: &[ActBlock], out: &mut [ActTable]) {
    for (act, table) in acts.iter().zip(out) {
        table.fill(act);
    }
}
