//! `exp` and `ln` in f32, without branches, so that loops over them become vector code.

use super::round_ties_even;

/// ln 2 in two parts: a product of the first with an integer up to 2^15 is exact.
const LN2_HIGH: f32 = 355.0 / 512.0;
const LN2_LOW: f32 = -2.121_944_4e-4;

/// `e^x`, within 2 units in the last place where the result is normal; below that gradually to 0, above the range
/// infinity. NaN stays NaN. The same bits on every target.
///
/// `x = n ln 2 + r` with |r| <= ln 2 / 2, where Taylor's polynomial of degree 7 is within 6e-9 of `e^r`.
#[inline(always)]
#[must_use]
pub fn exp(x: f32) -> f32 {
    // Beyond these the result is infinity, or 0.
    let x = if x > 89.0 { 89.0 } else { x };
    let x = if x < -104.0 { -104.0 } else { x };
    let n = round_ties_even(x * core::f32::consts::LOG2_E);
    let r = (x - n * LN2_HIGH) - n * LN2_LOW;
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    // The integer from the low bits of a float without a fraction; in two halves, as 2^n alone may be out of range.
    const WHOLE: f32 = 12_582_912.0;
    let n = ((n + WHOLE).to_bits() as i32).wrapping_sub(WHOLE.to_bits() as i32);
    let (half, rest) = (n >> 1, n.wrapping_sub(n >> 1));
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) as u32) << 23);
    p * power(half) * power(rest)
}

/// The natural logarithm, within 2 units in the last place; of 0 minus infinity, of what is below NaN. The same bits on
/// every target.
///
/// `x = 2^e m` with m around 1, and `ln m = 2 artanh s`, `s = (m - 1) / (m + 1)`, whose series ends after s^9.
#[inline(always)]
#[must_use]
pub fn ln(x: f32) -> f32 {
    let small = x < f32::MIN_POSITIVE;
    let scaled = if small { x * 8_388_608.0 } else { x };
    let bits = scaled.to_bits();
    let e = ((bits >> 23) as i32).wrapping_sub(127);
    let m = f32::from_bits(bits & 0x007F_FFFF | 127 << 23);
    let above = m > core::f32::consts::SQRT_2;
    let m = if above { 0.5 * m } else { m };
    let e = (e + above as i32 - if small { 23 } else { 0 }) as f32;
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut p = 1.0 / 9.0;
    for c in [1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0] {
        p = p * z + c;
    }
    let y = e * LN2_HIGH + (2.0 * s + (2.0 * s * (z * p) + e * LN2_LOW));
    let y = if x < f32::INFINITY { y } else { x }; // NaN, too
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    if x < 0.0 { f32::NAN } else { y }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distance in units in the last place of the exact value.
    fn units(got: f32, exact: f64) -> f64 {
        let unit = (exact as f32).abs().max(f32::MIN_POSITIVE);
        (got as f64 - exact).abs() / (unit.next_up() - unit) as f64
    }

    #[test]
    fn exp_is_within_two_units() {
        let mut worst = 0.0f64;
        for i in -870_000..=887_000 {
            let x = i as f32 / 10_000.0;
            worst = worst.max(units(exp(x), (x as f64).exp()));
        }
        assert!(worst <= 2.0, "{worst}");
        for i in 0..1000 {
            let x = -87.0 - i as f32 / 40.0;
            assert!(units(exp(x), (x as f64).exp()) <= 2.0, "{x}");
        }
        assert_eq!([exp(0.0), exp(-200.0), exp(f32::NEG_INFINITY)], [1.0, 0.0, 0.0]);
        assert_eq!([exp(89.0), exp(f32::INFINITY)], [f32::INFINITY; 2]);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn ln_is_within_two_units() {
        let mut worst = 0.0f64;
        for bits in (1..f32::INFINITY.to_bits()).step_by(1009) {
            let x = f32::from_bits(bits);
            worst = worst.max(units(ln(x), (x as f64).ln()));
        }
        for i in 0..100_000 {
            let x = 0.9 + i as f32 / 500_000.0;
            worst = worst.max(units(ln(x), (x as f64).ln()));
        }
        assert!(worst <= 2.0, "{worst}");
        assert_eq!([ln(1.0), ln(0.0), ln(f32::INFINITY)], [0.0, f32::NEG_INFINITY, f32::INFINITY]);
        assert!(ln(-1.0).is_nan() && ln(f32::NAN).is_nan());
    }
}
