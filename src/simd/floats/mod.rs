//! Vectors of 16 floats for kernels in f32, the same on every tier: one lane is one point, or one of the 16 lanes of
//! the fixed order of sums.
//!
//! All operations but [`Floats::mul_add`] round once and give the same bits everywhere. `mul_add` is fused where the
//! tier has that instruction, so it is only for values whose rounding cannot be seen in a result.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod lane;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse42;

pub(crate) use lane::Lane;
pub(crate) use portable::{Portable, round};

use super::Tier;

/// What is done lane by lane: with 16 floats at a time on the tiers, with one as a [`Lane`].
pub(crate) trait Values: Copy {
    /// Floats.
    type V: Copy;
    /// As many truth values.
    type Mask: Copy;

    fn splat(self, x: f32) -> Self::V;
    fn load(self, x: &[f32; 16]) -> Self::V;
    fn put(self, x: Self::V, to: &mut [f32; 16]);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// The larger; of two equal ones, or where one is NaN, either.
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    fn sqrt(self, a: Self::V) -> Self::V;
    /// `a > b`; false where one is NaN.
    fn greater(self, a: Self::V, b: Self::V) -> Self::Mask;
    /// `a` where true, else `b`; bits are moved, not looked at.
    fn select(self, mask: Self::Mask, a: Self::V, b: Self::V) -> Self::V;

    /// The magnitude; of a zero, either zero.
    #[inline(always)]
    fn abs(self, a: Self::V) -> Self::V {
        self.max(a, self.sub(self.splat(0.0), a))
    }
}

/// A tier's operations. `self` is a pulp token, the proof that the CPU has the instructions, or [`Portable`].
pub(crate) trait Floats: Values {
    /// How many vectors are accumulated at once in registers; 0 where tiles do not pay.
    const TILE: usize;
    /// 16 i32.
    type Ints: Copy;

    fn store(self, x: Self::V) -> [f32; 16];
    /// `a * b + c` with one rounding or two.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// The square root of one number.
    fn root(self, x: f32) -> f32;
    /// Lane `i` in bit `i`.
    fn bits(self, mask: Self::Mask) -> u32;
    /// 16 x 16 values turned over: row `r`, column `c` becomes row `c`, column `r`.
    fn transpose(self, rows: &[&[f32; 16]; 16], out: &mut [[f32; 16]; 16]);

    /// Runs a pass, all lanes at once or one after the other.
    #[inline(always)]
    fn lanes<const N: usize, P: Pass<N>>(self, pass: &mut P) -> [[f32; 16]; N] {
        let mut all = [[0.0; 16]; N];
        for (to, found) in all.iter_mut().zip(pass.pass(self)) {
            *to = self.store(found);
        }
        all
    }

    /// The largest of the lanes; none is NaN.
    #[inline(always)]
    fn largest(self, x: Self::V) -> f32 {
        let x = self.store(x);
        let mut half = [f32::MIN; 8];
        for (half, pair) in half.iter_mut().zip(x.as_chunks::<2>().0) {
            let [a, b] = *pair;
            *half = if a > b { a } else { b };
        }
        half.into_iter().fold(f32::MIN, |most, x| if x > most { x } else { most })
    }

    /// Asks for values that will be read soon; nothing where the tier has no way to.
    #[inline(always)]
    fn prefetch(self, _: &[f32]) {}

    /// The nearest integers, ties to even, of values up to 2^30 in magnitude.
    fn round(self, x: Self::V) -> Self::Ints;
    fn add_wide(self, sums: &mut [i64; 16], x: Self::Ints);
}

/// A loop over groups of 16 values in which no lane looks at another, and what it has in each lane at the end.
///
/// Without vectors, the loop runs once for each lane: its sums then are in registers, and its code is that for one value,
/// not for 16.
pub(crate) trait Pass<const N: usize> {
    fn pass<F: Values>(&mut self, floats: F) -> [F::V; N];
}

/// A computation that is generic over the tier.
pub(crate) trait FloatKernel: Sized {
    type Output;
    fn run<F: Floats>(self, floats: F) -> Self::Output;

    /// The same without vectors, to the bit. A kernel writes it out where vectors of 16 floats made of loops, which is what
    /// `run` has there, would be many times its code.
    fn portable(self) -> Self::Output {
        self.run(Portable)
    }
}

/// Runs a kernel on a tier. A tier that this machine lacks runs as scalar.
#[inline]
pub(crate) fn run<K: FloatKernel>(tier: Tier, kernel: K) -> K::Output {
    match tier {
        #[cfg(target_arch = "x86_64")]
        Tier::Avx2 => {
            if let Some(token) = pulp::x86::V3::try_new() {
                return token.vectorize(super::Call(
                    #[inline(always)]
                    || kernel.run(token),
                ));
            }
        }
        #[cfg(target_arch = "x86_64")]
        Tier::Sse42 => {
            if let Some(token) = pulp::x86::V2::try_new() {
                return token.vectorize(super::Call(
                    #[inline(always)]
                    || kernel.run(token),
                ));
            }
        }
        #[cfg(target_arch = "aarch64")]
        Tier::Neon => {
            if let Some(token) = pulp::aarch64::Neon::try_new() {
                return token.vectorize(super::Call(
                    #[inline(always)]
                    || kernel.run(token),
                ));
            }
        }
        _ => {}
    }
    kernel.portable()
}

/// Brings the lines of a slice near.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(x: &[f32]) {
    use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for line in x.chunks(16) {
        // SAFETY: the instruction reads nothing and cannot fail, whatever the address; SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
}
