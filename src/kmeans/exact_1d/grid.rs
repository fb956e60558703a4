//! Values on a grid of integers.

use crate::math::guard_scale;

/// How values become integers.
pub(super) struct Grid {
    middle: f32,
    pub(super) step: f32,
    per_step: f32,
    guard: f32,
}

impl Grid {
    /// Half the range in steps.
    pub(super) const HALF: f32 = (1u32 << 22) as f32;
    /// No key is larger: of 24 bits.
    pub(super) const KEYS: u32 = (1 << 24) - 1;
    /// What makes keys positive.
    const BIAS: i32 = 1 << 23;

    pub(super) fn new(x: &[f32], pin_zero: bool) -> Grid {
        let (mut low, mut high) = if pin_zero { (0.0f32, 0.0f32) } else { (f32::MAX, f32::MIN) };
        for &v in x {
            low = low.min(v);
            high = high.max(v);
        }
        let guard = guard_scale(high.max(-low));
        let (low, high) = (low * guard, high * guard);
        let middle = if pin_zero { 0.0 } else { 0.5 * low + 0.5 * high };
        let half = (high - middle).max(middle - low);
        let (step, per_step) =
            if half > 0.0 { (half / Grid::HALF / guard, Grid::HALF / half) } else { (0.0, 0.0) };
        Grid { middle, step, per_step, guard }
    }

    /// A value as a key that sorts like it.
    pub(super) fn place(&self, v: f32) -> u32 {
        let t = (v * self.guard - self.middle) * self.per_step;
        let whole = crate::math::round_ties_even(t * 0.5) as i32 * 2;
        // `round_ties_even` is exact below 2^22: even numbers there, and what is left of them.
        let rest = crate::math::round_ties_even(t - whole as f32) as i32;
        (whole + rest + Grid::BIAS) as u32
    }

    pub(super) fn offset(key: u32) -> i32 {
        key as i32 - Grid::BIAS
    }

    pub(super) fn value(&self, mean: f32) -> f32 {
        self.middle / self.guard + mean * self.step
    }
}
