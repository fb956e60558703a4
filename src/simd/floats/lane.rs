//! One of the 16 lanes, for targets without vectors.

use super::Values;

/// A lane's number, and its operations: those of [`Portable`](super::Portable) on one float.
#[derive(Clone, Copy)]
pub(crate) struct Lane(pub(crate) usize);

impl Values for Lane {
    type V = f32;
    type Mask = bool;

    #[inline(always)]
    fn splat(self, x: f32) -> f32 {
        x
    }
    #[inline(always)]
    fn load(self, x: &[f32; 16]) -> f32 {
        x.get(self.0).copied().unwrap_or_default()
    }
    #[inline(always)]
    fn put(self, x: f32, to: &mut [f32; 16]) {
        if let Some(to) = to.get_mut(self.0) {
            *to = x;
        }
    }
    #[inline(always)]
    fn add(self, a: f32, b: f32) -> f32 {
        a + b
    }
    #[inline(always)]
    fn sub(self, a: f32, b: f32) -> f32 {
        a - b
    }
    #[inline(always)]
    fn mul(self, a: f32, b: f32) -> f32 {
        a * b
    }
    #[inline(always)]
    fn div(self, a: f32, b: f32) -> f32 {
        a / b
    }
    #[inline(always)]
    fn max(self, a: f32, b: f32) -> f32 {
        if a > b { a } else { b }
    }
    #[inline(always)]
    fn min(self, a: f32, b: f32) -> f32 {
        if a < b { a } else { b }
    }
    #[inline(always)]
    fn sqrt(self, a: f32) -> f32 {
        crate::math::sqrt(a)
    }
    #[inline(always)]
    fn greater(self, a: f32, b: f32) -> bool {
        a > b
    }
    #[inline(always)]
    fn select(self, mask: bool, a: f32, b: f32) -> f32 {
        if mask { a } else { b }
    }
}
