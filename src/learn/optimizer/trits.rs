//! Trits of a block, five a byte.
//!
//! A block of `n` values has `p = ceil(n / 5)` bytes. Trit `i` (0, 1, 2 for -1, 0, 1) is digit `i / p` in base 3 of byte
//! `i mod p`, the first digit the least: neighbouring trits are in neighbouring bytes, so that packing is vector code.
//! Digits past the end are trits of value 0.

use crate::workspace::{split_rows, split_rows_mut};

/// Writes the signs of `x` to `bytes`, `ceil(x.len() / 5)` of them.
pub(in crate::learn) fn pack(x: &[f32], bytes: &mut [u8]) {
    bytes.fill(121); // five trits of value 0
    let planes = bytes.len();
    for (plane, weight) in split_planes(x, planes).zip([1u8, 3, 9, 27, 81]) {
        for (byte, &v) in bytes.iter_mut().zip(plane) {
            let trit = (v > 0.0) as u8 as i8 - (v < 0.0) as u8 as i8;
            *byte = byte.wrapping_add((trit as u8).wrapping_mul(weight));
        }
    }
}

/// Writes `scale` times the trits of `bytes` to `x`.
pub(in crate::learn) fn unpack(bytes: &[u8], scale: f32, x: &mut [f32]) {
    let planes = bytes.len();
    let mut weight = 0;
    let whole = x.len() / planes.max(1) * planes;
    let (head, tail) = x.split_at_mut_checked(whole).unwrap_or_default();
    for plane in split_rows_mut(head, planes) {
        unpack_plane(bytes, weight, scale, plane);
        weight += 1;
    }
    unpack_plane(bytes, weight, scale, tail);
}

#[inline(always)]
fn unpack_plane(bytes: &[u8], place: u32, scale: f32, x: &mut [f32]) {
    // Divided by 3^place: floor(b m / 2^16) with m = ceil(2^16 / 3^place) is exact for bytes.
    let divide: u32 = match place {
        0 => 65536,
        1 => 21846,
        2 => 7282,
        3 => 2428,
        _ => 810,
    };
    for (v, &byte) in x.iter_mut().zip(bytes) {
        let rest = (byte as u32 * divide) >> 16;
        let digit = rest - 3 * ((rest * 21846) >> 16);
        *v = scale * (digit as i32 - 1) as f32;
    }
}

fn split_planes(x: &[f32], len: usize) -> impl Iterator<Item = &[f32]> {
    let whole = x.len() / len.max(1) * len;
    let (head, tail) = x.split_at_checked(whole).unwrap_or_default();
    split_rows(head, len).chain(core::iter::once(tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trits_come_back_at_every_length() {
        for n in 0..=1280usize {
            let x: Vec<f32> = (0..n).map(|i| ((i * i + i / 7) % 3) as f32 - 1.0).collect();
            let (mut bytes, mut back) = (vec![0u8; n.div_ceil(5)], vec![9.0f32; n]);
            pack(&x, &mut bytes);
            assert!(bytes.iter().all(|&b| b < 243));
            unpack(&bytes, 1.0, &mut back);
            assert_eq!(x, back, "{n}");
        }
    }
}
