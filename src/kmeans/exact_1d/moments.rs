//! Sums from which the cost of any run of sorted values follows.

use bytemuck::{Pod, Zeroable};

/// Prefix sums of weights, weighted integers and their squares.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Prefix {
    pub(super) squares: i128,
    pub(super) sum: i64,
    pub(super) weight: i64,
}

impl Prefix {
    #[inline(always)]
    pub(super) fn minus(self, other: Prefix) -> Prefix {
        Prefix {
            squares: self.squares.wrapping_sub(other.squares),
            sum: self.sum.wrapping_sub(other.sum),
            weight: self.weight.wrapping_sub(other.weight),
        }
    }

    /// Weighted squared distances to the mean.
    #[inline(always)]
    pub(super) fn cost(self) -> f32 {
        if self.weight <= 0 {
            return 0.0;
        }
        let spread = self
            .squares
            .wrapping_mul(self.weight as i128)
            .wrapping_sub((self.sum as i128).wrapping_mul(self.sum as i128));
        spread as f32 / self.weight as f32
    }

    /// Weighted squared distances to zero.
    #[inline(always)]
    pub(super) fn cost_of_zero(self) -> f32 {
        self.squares as f32
    }
}
