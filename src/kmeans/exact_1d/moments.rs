//! Sums from which the cost of any run of sorted values follows.

use bytemuck::{Pod, Zeroable};

use super::program::Costs;

/// Sums of weights, weighted integers and their squares.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Moments {
    squares: i128,
    sum: i64,
    pub(super) weight: i64,
}

impl Moments {
    /// These and one value `t` more.
    #[inline(always)]
    pub(super) fn with(self, t: i32, weight: u32) -> Moments {
        let weighted = (t as i64).wrapping_mul(weight as i64);
        // |t| is at most 2^22 and a weight below 2^21: the product of the three fits 64 bits twice over only for the
        // weights of few values, hence the wide one.
        let square = (weighted as i128).wrapping_mul(t as i128);
        Moments {
            squares: self.squares.wrapping_add(square),
            sum: self.sum.wrapping_add(weighted),
            weight: self.weight.wrapping_add(weight as i64),
        }
    }

    #[inline(always)]
    pub(super) fn minus(self, other: Moments) -> Moments {
        Moments {
            squares: self.squares.wrapping_sub(other.squares),
            sum: self.sum.wrapping_sub(other.sum),
            weight: self.weight.wrapping_sub(other.weight),
        }
    }

    /// Weighted squares: the cost of a cluster around zero.
    pub(super) fn squares(self) -> i128 {
        self.squares
    }

    /// The mean in steps of the grid: rises with what it is the mean of, also after rounding.
    pub(super) fn mean(self) -> f32 {
        if self.weight <= 0 {
            return 0.0;
        }
        let (near, rest, per_weight) = self.around();
        near as f32 + rest as f32 * per_weight
    }

    /// An integer near the mean, the weighted sum of differences from it, and 1 / weight (which is not 0).
    ///
    /// In f32 the mean is right to 3 * 2^-24 of itself, so cutting it off leaves less than 2 either way.
    #[inline(always)]
    fn around(self) -> (i32, i64, f32) {
        let per_weight = 1.0 / self.weight as f32;
        let near = (self.sum as f32 * per_weight) as i32;
        (near, self.sum.wrapping_sub((near as i64).wrapping_mul(self.weight)), per_weight)
    }
}

/// The unit of costs: squared steps of the grid times 2^(down - up). One of the two is 0.
#[derive(Clone, Copy)]
pub(super) struct Unit {
    up: u32,
    down: u32,
}

impl Unit {
    /// The finest unit in which `largest` stays below 2^61, so that sums of costs and their bounds fit 64 bits.
    pub(super) fn new(largest: i128) -> Unit {
        let bits = i128::BITS - largest.max(1).leading_zeros();
        Unit { up: 61u32.saturating_sub(bits).min(24), down: bits.saturating_sub(61) }
    }

    /// Whether 64 bits hold every cost before it is brought to the unit.
    pub(super) fn is_narrow(self) -> bool {
        self.down == 0
    }

    #[inline(always)]
    pub(super) fn of(self, cost: i128) -> u64 {
        ((cost << self.up) >> self.down) as u64
    }

    /// Units in a squared step.
    #[inline(always)]
    pub(super) fn per_square(self) -> f32 {
        power_of_two(self.up) / power_of_two(self.down)
    }
}

#[inline(always)]
fn power_of_two(exponent: u32) -> f32 {
    f32::from_bits((127 + exponent.min(127)) << 23)
}

/// How many bits the arithmetic of a cost needs.
///
/// With an integer `m` near the mean and r = sum w (t - m), sum w (t - mean)^2 = sum w t^2 - m (sum w t + r) - r^2 / sum w.
/// All but the last term is exact; that one, below 4 sum w, is right to 2^-22 of itself.
pub(super) trait Width: Costs<Edge = Moments> {
    fn new(unit: Unit) -> Self;
}

/// Costs below 2^63: what wraps on the way comes back.
pub(super) struct Narrow(Unit);

/// Any costs.
pub(super) struct Wide(Unit);

impl Width for Narrow {
    fn new(unit: Unit) -> Narrow {
        Narrow(unit)
    }
}

impl Width for Wide {
    fn new(unit: Unit) -> Wide {
        Wide(unit)
    }
}

impl Costs for Narrow {
    type Edge = Moments;

    #[inline(always)]
    fn between(&self, from: Moments, to: Moments) -> u64 {
        let (of, Narrow(unit)) = (to.minus(from), self);
        if of.weight <= 0 {
            return 0;
        }
        let (near, rest, per_weight) = of.around();
        let product = (near as i64).wrapping_mul(of.sum.wrapping_add(rest));
        let whole = (of.squares as i64).wrapping_sub(product) << unit.up;
        let rest = rest as f32;
        let part = (rest * rest * per_weight * power_of_two(unit.up)) as i64;
        whole.wrapping_sub(part).max(0) as u64
    }
}

impl Costs for Wide {
    type Edge = Moments;

    #[inline(always)]
    fn between(&self, from: Moments, to: Moments) -> u64 {
        let (of, Wide(unit)) = (to.minus(from), self);
        if of.weight <= 0 {
            return 0;
        }
        let (near, rest, per_weight) = of.around();
        let product = (near as i128).wrapping_mul(of.sum.wrapping_add(rest) as i128);
        let rest = rest as f32;
        let part = (rest * rest * per_weight) as i64;
        unit.of(of.squares.wrapping_sub(product).wrapping_sub(part as i128).max(0))
    }
}
