//! Inputs out of nothing, and one number for many results.

use crate::Error;

/// Multiples of 2^-12 in -8..8 from a linear congruential generator (Numerical Recipes): exact in f32.
pub(super) fn fill(x: &mut [f32], seed: u32) {
    let mut state = seed.wrapping_mul(0x9E37_79B9);
    for v in x {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *v = (state >> 16) as u16 as i16 as f32 * (1.0 / 4096.0);
    }
}

/// FNV-1a, 32 bits.
pub(super) const START: u32 = 0x811C_9DC5;

pub(super) fn digest(start: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(start, |hash, &byte| (hash ^ byte as u32).wrapping_mul(0x0100_0193))
}

pub(super) fn digest_f32(start: u32, values: &[f32]) -> u32 {
    values.iter().fold(start, |hash, v| digest(hash, &v.to_bits().to_le_bytes()))
}

pub(super) fn expect(equal: bool) -> Result<(), Error> {
    if equal { Ok(()) } else { Err(Error::SelfTest) }
}

/// A function that refuses what it should take has failed the test, too.
pub(super) fn done<T>(result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|_| Error::SelfTest)
}
