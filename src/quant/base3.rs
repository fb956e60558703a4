//! Five trits in a byte as a base-3 fraction, shared by `TQ1_0` and dense ternary.
//!
//! A run of `n` bytes holds up to five *planes* of `n` trits each: byte `j` holds the trits
//! `j, j+n, j+2n, j+3n, j+4n`. Planes keep neighbouring weights in neighbouring bytes, which is what
//! vector registers want.

/// 3^k for the digit positions.
pub(crate) const POW3: [u8; 5] = [1, 3, 9, 27, 81];

/// The byte for base-3 digits (0..=2), first digit most significant.
#[inline(always)]
#[must_use]
pub(crate) const fn encode(digits: [u8; 5]) -> u8 {
    let [a, b, c, d, e] = digits;
    let t = a as u16 * 81 + b as u16 * 27 + c as u16 * 9 + d as u16 * 3 + e as u16;
    (t * 256).div_ceil(243) as u8
}

/// Digit `k` (0..5) of a byte, given `pow3 = 3^k`.
#[inline(always)]
#[must_use]
pub(crate) const fn digit(byte: u8, pow3: u8) -> u8 {
    ((byte.wrapping_mul(pow3) as u16 * 3) >> 8) as u8
}

/// Packs `codes` (-1, 0, 1; at most `5 * out.len()` of them) into planes of `out.len()` trits.
/// Missing trits of the last planes are zero *digits* if the whole plane is missing (as `TQ1_0`'s last
/// four bytes have it), zero *trits* if the plane is begun.
#[inline(always)]
pub(crate) fn pack_planes(codes: &[i8], out: &mut [u8]) {
    let n = out.len();
    for (j, byte) in out.iter_mut().enumerate() {
        let mut digits = [0u8; 5];
        for (k, digit) in digits.iter_mut().enumerate() {
            if k * n < codes.len() {
                *digit = (codes.get(k * n + j).copied().unwrap_or(0) + 1) as u8;
            }
        }
        *byte = encode(digits);
    }
}

/// [`pack_planes`] of five whole planes of a length that is known: plane by plane, all bytes at once.
#[inline(always)]
pub(crate) fn pack_planes_of<const N: usize>(codes: &[i8], out: &mut [u8; N]) {
    let mut fraction = [0u16; N];
    for plane in codes.as_chunks::<N>().0.iter().take(5) {
        for (t, &code) in fraction.iter_mut().zip(plane) {
            *t = *t * 3 + (code + 1) as u8 as u16;
        }
    }
    for (byte, &t) in out.iter_mut().zip(&fraction) {
        // ceil(256 t / 243) = t + ceil(13 t / 243); the division by a factor that is exact up to 3388
        *byte = (t + ((((13 * t + 242) as u32 * 34522) >> 16) as u16 >> 7)) as u8;
    }
}

/// Unpacks planes of `q.len()` trits until `codes` is full.
#[inline(always)]
pub(crate) fn unpack_planes(q: &[u8], codes: &mut [i8]) {
    if q.is_empty() {
        return;
    }
    for (plane, pow3) in codes.chunks_mut(q.len()).zip(POW3) {
        for (code, &byte) in plane.iter_mut().zip(q) {
            *code = digit(byte, pow3) as i8 - 1;
        }
    }
}

/// [`unpack_planes`] of a length that is known: every digit as two comparisons of what is left of its byte, 3 b mod 256
/// after each, all in bytes.
#[inline(always)]
pub(crate) fn unpack_planes_of<const N: usize>(q: &[u8; N], codes: &mut [i8]) {
    let mut left = *q;
    for plane in codes.as_chunks_mut::<N>().0 {
        for (code, b) in plane.iter_mut().zip(&mut left) {
            *code = trit(*b);
            *b = b.wrapping_mul(3);
        }
    }
}

/// The first digit of a byte, floor(3 b / 256), less 1.
#[inline(always)]
pub(crate) const fn trit(b: u8) -> i8 {
    (b >= 86) as i8 + (b >= 171) as i8 - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_243_digit_tuples_round_trip() {
        for t in 0..243u16 {
            let digits = [t / 81, t / 27 % 3, t / 9 % 3, t / 3 % 3, t % 3].map(|d| d as u8);
            let byte = encode(digits);
            assert_eq!(POW3.map(|p| digit(byte, p)), digits);
            let mut planes = [0];
            pack_planes_of(&digits.map(|d| d as i8 - 1), &mut planes);
            assert_eq!(planes, [byte]);
        }
    }

    #[test]
    fn all_256_bytes_decode_to_digits() {
        for byte in 0..=255u8 {
            assert!(POW3.iter().all(|&p| digit(byte, p) <= 2));
            let (mut slow, mut fast) = ([0i8; 5], [0i8; 5]);
            unpack_planes(&[byte], &mut slow);
            unpack_planes_of(&[byte], &mut fast);
            assert_eq!(fast, slow);
        }
    }
}
