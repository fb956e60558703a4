//! Hyperbolic tangent and logarithms of quotients of f32, without a double on the way: the same bits on every target.

use super::ln;

const LN_2: f32 = core::f32::consts::LN_2;

/// The hyperbolic tangent, within 2.5 units in the last place; `tanh(0)` is exactly 0, and from about 9 on it is exactly 1.
#[must_use]
pub fn tanh(x: f32) -> f32 {
    libm::tanhf(x)
}

/// `ln(a / b)` of positive finite numbers, also where the quotient is outside the range of f32; within 2e-7 plus 1.5e-7 of
/// itself. The same bits if both are multiplied by the same power of two.
#[must_use]
pub fn ln_quotient(a: f32, b: f32) -> f32 {
    let ((a, x), (b, y)) = (split(a), split(b));
    let (mut quotient, mut exponent) = (a / b, x - y);
    // Within a root of two around 1, so that quotients near 1 lose nothing to the exponent.
    if quotient > core::f32::consts::SQRT_2 {
        (quotient, exponent) = (0.5 * quotient, exponent + 1);
    } else if quotient < core::f32::consts::FRAC_1_SQRT_2 {
        (quotient, exponent) = (2.0 * quotient, exponent - 1);
    }
    ln(quotient) + exponent as f32 * LN_2
}

/// Mantissa in 1..2 and exponent of a positive finite number.
fn split(x: f32) -> (f32, i32) {
    const UP: f32 = f32::from_bits((127 + 24) << 23);
    let (x, shift) = if x < f32::MIN_POSITIVE { (x * UP, 24) } else { (x, 0) };
    let bits = x.to_bits();
    (f32::from_bits(bits & 0x007F_FFFF | 127 << 23), (bits >> 23) as i32 - 127 - shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Largest distance from `exact` in units in the last place over every 4099th bit pattern that `range` holds.
    fn worst(range: impl Fn(f32) -> bool, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let mut worst = 0.0f64;
        for bits in (0..=u32::MAX).step_by(4099) {
            let x = f32::from_bits(bits);
            if !x.is_finite() || !range(x) {
                continue;
            }
            let want = exact(x as f64);
            let near = want as f32;
            let unit = (near.abs().next_up() as f64 - near.abs() as f64).max(f32::MIN_POSITIVE as f64 * 1e-7);
            worst = worst.max((f(x) as f64 - want).abs() / unit);
        }
        worst
    }

    #[test]
    fn errors_are_as_documented() {
        let t = worst(|_| true, tanh, f64::tanh);
        assert!(t <= 2.5, "{t}");
    }

    #[test]
    fn exact_where_it_is_said_so() {
        assert_eq!([tanh(9.1), tanh(f32::MAX), tanh(0.0), ln_quotient(3.1, 3.1)], [1.0, 1.0, 0.0, 0.0]);
        assert_eq!(tanh(f32::NEG_INFINITY), -1.0);
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn logarithms_of_quotients_over_the_whole_range() {
        let numbers = (0..0x7F80_0000u32).step_by(9_000_011).map(|b| f32::from_bits(b + 1));
        let numbers: Vec<f32> = numbers.chain([1.0, 0.999_999_94, 1.000_000_1, f32::MAX, 1e-45]).collect();
        for &a in &numbers {
            for &b in &numbers {
                let want = (a as f64 / b as f64).ln();
                let got = ln_quotient(a, b);
                assert!((got as f64 - want).abs() <= 2e-7 + 1.5e-7 * want.abs(), "{a:e} {b:e}: {got} {want}");
            }
        }
        for scale in [0.25f32, 2.0, 1_048_576.0] {
            assert_eq!(ln_quotient(0.7 * scale, 0.9 * scale).to_bits(), ln_quotient(0.7, 0.9).to_bits());
        }
    }
}
