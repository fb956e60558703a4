//! Powers of ratios, in f32 operations that every machine rounds alike.

/// `(a / b)^exponent` for positive integers, at most 1 by the caller's choice of them; within 2^-18 of itself for exponents up to 4. 0 where it is below
/// 2^-60.
pub(super) fn ratio_power(a: u32, b: u32, exponent: f32) -> f32 {
    exp2(exponent * (log2(a) - log2(b)))
}

/// The binary logarithm of a positive integer, by the series of the area tangent.
fn log2(x: u32) -> f32 {
    let bits = (x.max(1) as f32).to_bits();
    // From the square root of one half to that of two.
    let up = u32::from(bits & 0x7F_FFFF > 0x35_04F3);
    let m = f32::from_bits(bits & 0x7F_FFFF | (127 - up) << 23);
    let t = (m - 1.0) / (m + 1.0);
    let s = t * t;
    let series = 1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * (1.0 / 9.0))));
    let whole = (bits >> 23) as i32 - 127 + up as i32;
    whole as f32 + t * series * (2.0 * core::f32::consts::LOG2_E)
}

/// `2^x` for x up to 1; 0 below -60.
fn exp2(x: f32) -> f32 {
    if !(-60.0..=1.0).contains(&x) {
        return if x > 1.0 { 2.0 } else { 0.0 };
    }
    let whole = crate::math::round_ties_even(x);
    let f = (x - whole) * core::f32::consts::LN_2;
    let series = 1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0 + f * (1.0 / 5040.0)));
    let value = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * series)));
    value * f32::from_bits(((whole as i32 + 127) as u32) << 23)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_close_to_those_in_double() {
        for (a, b) in [(1, 1), (1, 2), (3, 7), (99, 100), (5, 1_000_003), (1, 1 << 31), (1 << 30, 1 << 31)] {
            for exponent in [0.25, 0.5, 0.75, 1.0, 1.5, 2.0] {
                let exact = (a as f64 / b as f64).powf(exponent);
                let got = ratio_power(a, b, exponent as f32) as f64;
                assert!(
                    (got - exact).abs() <= exact * 2f64.powi(-18) || exact < 2f64.powi(-59),
                    "{a}/{b} {got} {exact}"
                );
            }
        }
        assert_eq!((ratio_power(7, 7, 3.0), ratio_power(1, 1 << 31, 9.0)), (1.0, 0.0));
        // The other way round, for exponents below 0.
        assert!((ratio_power(100, 25, -0.5) - 0.5).abs() < 1e-6);
    }
}
