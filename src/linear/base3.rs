//! Base-3 digits of packed bytes on the vector tiers; the packing is in `quant::base3`.

use crate::simd::lanes::Lanes;

/// The next digit of every byte: floor(3 b / 256), as two comparisons.
#[inline(always)]
pub(crate) fn digit<L: Lanes>(l: L, b: L::Bytes) -> L::Bytes {
    // masks are -1, so subtracting them counts
    let one = l.sub(l.splat(0), l.at_least(b, l.splat(86)));
    l.sub(one, l.at_least(b, l.splat(171)))
}

/// The remaining fraction after a digit: 3 b mod 256.
#[inline(always)]
pub(crate) fn next<L: Lanes>(l: L, b: L::Bytes) -> L::Bytes {
    l.add(l.add(b, b), b)
}
