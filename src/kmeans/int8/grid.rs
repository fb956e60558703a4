//! Where centres lie: on a grid of sixteenths of a code, in 16 bits.

use core::num::{NonZeroU32, NonZeroU64};

use crate::Error;

/// Fraction bits of a coordinate of a centre: 16 stands for 1.
pub const FRACTION_BITS: u32 = 4;

/// The most features of a point. A sum of products is at most `2^18 d`, half a norm `2^17 d`; together they fit an `i32`
/// up to here.
pub const MAX_FEATURES: usize = 5461;

/// Centres lie in the range of the points.
const LOWEST: i16 = i8::MIN as i16 * 16;
const HIGHEST: i16 = i8::MAX as i16 * 16;

/// Refuses what no mean of points can be.
pub(super) fn check(centers: &[i16]) -> Result<(), Error> {
    if centers.iter().all(|c| (LOWEST..=HIGHEST).contains(c)) { Ok(()) } else { Err(Error::InvalidArgument) }
}

/// A code as a coordinate.
#[inline(always)]
pub(super) fn coordinate(code: i8) -> i16 {
    code as i16 * 16
}

/// The squared norm `N` of a centre as `32 whole - rest`, `rest` in 0..32.
///
/// In sixteenths the squared distance of a point x and a centre C is `256 |x|^2 - 32 x.C + N`, so the nearest centre
/// has the greatest `x.C - whole`, and among equals the greatest `rest`: an exact comparison in 32 bits.
pub(super) struct HalfNorm {
    pub(super) whole: i32,
    pub(super) rest: u16,
}

impl HalfNorm {
    pub(super) fn of(center: &[i16]) -> HalfNorm {
        let mut norm = 0u64;
        // 256 squares of at most 2^22 fit 32 bits, which small machines add faster.
        for piece in center.chunks(256) {
            norm += piece.iter().map(|&c| (c as i32 * c as i32) as u32).sum::<u32>() as u64;
        }
        let whole = norm.div_ceil(32);
        HalfNorm { whole: whole as i32, rest: (32 * whole - norm) as u16 }
    }
}

/// The mean of `count` codes with that sum, to the nearest sixteenth, ties towards the greater.
///
/// # Errors
/// [`Error::InvalidArgument`] if no such codes exist.
pub(super) fn mean(sum: i64, count: i64) -> Result<i16, Error> {
    // Counted from the lowest code nothing is negative: a mean of 0..=255.
    let total = count.checked_mul(128).and_then(|n| n.checked_add(sum)).and_then(|n| u64::try_from(n).ok());
    let (Some(total), Ok(count)) = (total, u64::try_from(count)) else { return Err(Error::InvalidArgument) };
    if total / 255 > count || total > count.saturating_mul(255) {
        return Err(Error::InvalidArgument);
    }
    let sixteenths = match (u32::try_from(total), u32::try_from(count).ok().filter(|&n| n < 1 << 26)) {
        // 64-bit divisions are slow on small machines.
        (Ok(total), Some(count)) => {
            let Some(n) = NonZeroU32::new(count) else { return Err(Error::InvalidArgument) };
            let Some(twice) = NonZeroU32::new(2 * count) else { return Err(Error::InvalidArgument) };
            16 * (total / n) + (32 * (total % n) + count) / twice
        }
        _ => {
            let halves = NonZeroU64::new(count.saturating_mul(2));
            let (Some(n), Some(twice)) = (NonZeroU64::new(count), halves) else {
                return Err(Error::InvalidArgument);
            };
            let rest = (total % n).saturating_mul(32).saturating_add(count);
            (16 * (total / n) + rest / twice) as u32
        }
    };
    Ok(sixteenths as i16 + LOWEST)
}

/// Centres as int8 codes: each coordinate to the nearest code, ties towards the greater. For codebooks and for int8
/// products; the finer centres are those that [`assign`](super::assign()) takes.
///
/// # Errors
/// [`Error::OutputTooSmall`] if `codes` is shorter than `centers`; [`Error::InvalidArgument`] for coordinates below
/// -2048 or above 2032.
///
/// ```
/// let mut codes = [0; 3];
/// hybridq::kmeans::int8::round_centers(&[-2048, 8, 23], &mut codes)?;
/// assert_eq!(codes, [-128, 1, 1]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn round_centers(centers: &[i16], codes: &mut [i8]) -> Result<(), Error> {
    check(centers)?;
    let codes = codes.get_mut(..centers.len()).ok_or(Error::OutputTooSmall)?;
    for (code, &c) in codes.iter_mut().zip(centers) {
        *code = ((c + 8) >> FRACTION_BITS) as i8;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_the_nearest_sixteenths() {
        for count in [1i64, 2, 3, 7, 16, 31, 32, 1000, (1 << 26) - 1, 1 << 26, 1 << 33] {
            for step in 0..=1000 {
                let sum = -128 * count + (255 * count) * step / 1000;
                let exact = (32 * sum as i128 + count as i128).div_euclid(2 * count as i128);
                assert_eq!(mean(sum, count).unwrap() as i128, exact, "{sum} / {count}");
            }
            assert_eq!(mean(127 * count, count), Ok(2032));
            assert_eq!(mean(-128 * count, count), Ok(-2048));
            assert_eq!(mean(127 * count + 1, count), Err(Error::InvalidArgument));
            assert_eq!(mean(-128 * count - 1, count), Err(Error::InvalidArgument));
        }
        for (sum, count) in [(0, 0), (1, 0), (0, -1), (i64::MAX, 1), (i64::MIN, i64::MAX), (0, i64::MAX)] {
            assert_eq!(mean(sum, count), Err(Error::InvalidArgument), "{sum} / {count}");
        }
    }

    #[test]
    fn norms_come_back_and_the_largest_fits() {
        for center in [vec![0i16; 4], vec![1], vec![-2048; MAX_FEATURES], vec![2032, -2048, 3, 17]] {
            let norm: i64 = center.iter().map(|&c| c as i64 * c as i64).sum();
            let half = HalfNorm::of(&center);
            assert_eq!(32 * half.whole as i64 - half.rest as i64, norm);
            assert!(half.rest < 32);
        }
        let (dot, half) = ((1i64 << 18) * MAX_FEATURES as i64, (1i64 << 17) * MAX_FEATURES as i64);
        assert!(-dot - half > i32::MIN as i64 && -dot - half - (3 << 17) <= i32::MIN as i64);
    }
}
