//! The reference, for every target.

use super::{Floats, Lane, Pass, Values};

/// Arrays and loops.
#[derive(Clone, Copy)]
pub(crate) struct Portable;

#[inline(always)]
fn both(mut a: [f32; 16], b: [f32; 16], op: impl Fn(f32, f32) -> f32) -> [f32; 16] {
    for (a, b) in a.iter_mut().zip(b) {
        *a = op(*a, b);
    }
    a
}

/// To the nearest integer, ties to even. Adding 2^23 leaves no fraction bits, so the addition rounds; from there on
/// floats are integers.
#[inline(always)]
pub(crate) fn round(x: f32) -> i32 {
    const WHOLE: f32 = 8_388_608.0;
    let magnitude = x.abs();
    let rounded = if magnitude < WHOLE { (magnitude + WHOLE) - WHOLE } else { magnitude } as i32;
    if x < 0.0 { -rounded } else { rounded }
}

impl Values for Portable {
    type V = [f32; 16];
    type Mask = u32;

    #[inline(always)]
    fn splat(self, x: f32) -> [f32; 16] {
        [x; 16]
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> [f32; 16] {
        *x
    }
    #[inline(always)]
    fn put(self, x: Self::V, to: &mut [f32; 16]) {
        *to = self.store(x);
    }
    #[inline(always)]
    fn add(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| a + b)
    }
    #[inline(always)]
    fn sub(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| a - b)
    }
    #[inline(always)]
    fn mul(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| a * b)
    }
    #[inline(always)]
    fn div(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| a / b)
    }
    #[inline(always)]
    fn max(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    fn min(self, a: [f32; 16], b: [f32; 16]) -> [f32; 16] {
        both(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    fn sqrt(self, mut a: [f32; 16]) -> [f32; 16] {
        for a in &mut a {
            *a = crate::math::sqrt(*a);
        }
        a
    }
    #[inline(always)]
    fn greater(self, a: [f32; 16], b: [f32; 16]) -> u32 {
        a.iter().zip(b).enumerate().fold(0, |mask, (lane, (&a, b))| mask | u32::from(a > b) << lane)
    }
    #[inline(always)]
    fn select(self, mask: u32, a: [f32; 16], mut b: [f32; 16]) -> [f32; 16] {
        for (lane, (b, a)) in b.iter_mut().zip(a).enumerate() {
            if mask >> lane & 1 == 1 {
                *b = a;
            }
        }
        b
    }
}

impl Floats for Portable {
    const TILE: usize = 0;
    type Ints = [i32; 16];

    #[inline(always)]
    fn store(self, x: [f32; 16]) -> [f32; 16] {
        x
    }
    #[inline(always)]
    fn mul_add(self, a: [f32; 16], b: [f32; 16], c: [f32; 16]) -> [f32; 16] {
        self.add(self.mul(a, b), c)
    }
    #[inline(always)]
    fn root(self, x: f32) -> f32 {
        crate::math::sqrt(x)
    }
    #[inline(always)]
    fn bits(self, mask: u32) -> u32 {
        mask
    }
    #[inline(never)]
    fn lanes<const N: usize, P: Pass<N>>(self, pass: &mut P) -> [[f32; 16]; N] {
        let mut all = [[0.0; 16]; N];
        for lane in 0..16 {
            for (to, found) in all.iter_mut().zip(pass.pass(Lane(lane))) {
                if let Some(to) = to.get_mut(lane) {
                    *to = found;
                }
            }
        }
        all
    }
    #[inline(always)]
    fn transpose(self, rows: &[&[f32; 16]; 16], out: &mut [[f32; 16]; 16]) {
        for (lane, row) in rows.iter().enumerate() {
            for (out, &x) in out.iter_mut().zip(*row) {
                if let Some(to) = out.get_mut(lane) {
                    *to = x;
                }
            }
        }
    }
    #[inline(always)]
    fn round(self, x: [f32; 16]) -> [i32; 16] {
        let mut ints = [0; 16];
        for (to, x) in ints.iter_mut().zip(x) {
            *to = round(x);
        }
        ints
    }
    #[inline(always)]
    fn add_wide(self, sums: &mut [i64; 16], x: [i32; 16]) {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = sum.wrapping_add(x as i64);
        }
    }
}
