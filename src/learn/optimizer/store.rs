//! Numbers of a block in the form in which they are held between steps.
//!
//! A run of values (a group) is cut into blocks of [`BLOCK`], the last one shorter. The bytes of a block of `n` values, all
//! little-endian, at any address:
//!
//! | form | scales, f32 | codes |
//! |---|---|---|
//! | `F32` | – | `4 n` |
//! | `Int8` | one per 256 | `n`, two's complement; value = code * scale |
//! | `Int4` | one per 128 | `ceil(n / 2)`: byte `i` holds value `i` in its low half and value `ceil(n / 2) + i` in its high half, plus 8 |
//! | `Ternary` | one | `ceil(n / 5)`, see [`trits`] |
//!
//! The root of the second moment is never negative and must not become 0, as it divides: its codes are rounded up, and
//! count from 1: `Int8` 1..=255 (stored as they are), `Int4` 1..=16 (less 1 in a half byte), and `Ternary` is the scale
//! alone, the root of the mean square of the block.

use crate::Error;
use crate::math::{Random, guard_scale, round_ties_even, sqrt, sum_by};

use super::options::Storage;
use super::trits;

/// Values of a block: five trits a byte and 256 values a scale both divide it.
pub(in crate::learn) const BLOCK: usize = 1280;
/// Values that share a scale.
const RUN8: usize = 256;
const RUN4: usize = 128;

/// Below this the inverse of a scale would overflow; what is smaller counts as zero.
const TINY: f32 = f32::from_bits((127 - 110) << 23);

/// Which numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::learn) enum Kind {
    Signed,
    /// The root of the second moment.
    Root,
}

/// Bytes of a block of `n` values.
fn block_bytes(storage: Storage, kind: Kind, n: usize) -> usize {
    match (storage, kind) {
        (_, _) if n == 0 => 0,
        (Storage::None, _) => 0,
        (Storage::F32, _) => 4 * n,
        (Storage::Int8, _) => n + 4 * n.div_ceil(RUN8),
        (Storage::Int4, _) => n.div_ceil(2) + 4 * n.div_ceil(RUN4),
        (Storage::Ternary, Kind::Signed) => n.div_ceil(5) + 4,
        (Storage::Ternary, Kind::Root) => 4,
    }
}

/// Bytes of a run of `len` values.
pub(in crate::learn) fn run_bytes(storage: Storage, kind: Kind, len: usize) -> Result<usize, Error> {
    (len / BLOCK)
        .checked_mul(block_bytes(storage, kind, BLOCK))
        .and_then(|n| n.checked_add(block_bytes(storage, kind, len % BLOCK)))
        .ok_or(Error::SizeOverflow)
}

/// Takes the bytes of the next block of `n` values from the front of `rest`.
#[inline(always)]
pub(in crate::learn) fn next<'a>(
    rest: &mut &'a mut [u8],
    storage: Storage,
    kind: Kind,
    n: usize,
) -> &'a mut [u8] {
    let bytes = block_bytes(storage, kind, n);
    match core::mem::take(rest).split_at_mut_checked(bytes) {
        Some((head, tail)) => {
            *rest = tail;
            head
        }
        None => &mut [],
    }
}

/// Numbers for stochastic rounding: a function of seed, stream and block.
#[derive(Clone, Copy)]
pub(in crate::learn) struct Dice {
    pub(in crate::learn) seed: u64,
    pub(in crate::learn) stream: u64,
    /// The first of the 160 positions of a block.
    pub(in crate::learn) position: u64,
}

/// Positions that a block takes: eight values each.
pub(in crate::learn) const POSITIONS: u64 = (BLOCK / 8) as u64;

impl Dice {
    /// Adds to each of `y` a multiple of 2^-16 between -1/2 and 1/2, so that rounding to nearest is right on average.
    fn shake(self, y: &mut [f32], from: usize) {
        for (at, values) in y.chunks_mut(8).enumerate() {
            let position = self.position.wrapping_add((from / 8 + at) as u64);
            let words = Random::block(self.seed, self.stream, position);
            let halves = words.into_iter().flat_map(|w| [w & 0xFFFF, w >> 16]);
            for (v, half) in values.iter_mut().zip(halves) {
                *v += (half as f32 + 0.5) * (1.0 / 65536.0) - 0.5;
            }
        }
    }
}

/// How what does not fit the codes is treated.
pub(in crate::learn) enum Rest<'a> {
    /// Rounded to nearest, and the error times the factor added to these.
    Kept { to: &'a mut [f32], factor: f32 },
    /// Rounded up or down at random, right on average.
    Random(Dice),
}

#[inline(always)]
fn largest(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (groups, rest) = x.as_chunks::<16>();
    for group in groups {
        for (lane, v) in lanes.iter_mut().zip(group) {
            *lane = if v.abs() > *lane { v.abs() } else { *lane };
        }
    }
    for (lane, v) in lanes.iter_mut().zip(rest) {
        *lane = if v.abs() > *lane { v.abs() } else { *lane };
    }
    lanes.into_iter().fold(0.0, |a, b| if b > a { b } else { a })
}

/// Splits the bytes of a block into the scales of its runs and the codes.
fn split(bytes: &mut [u8], runs: usize) -> (&mut [[u8; 4]], &mut [u8]) {
    match bytes.split_at_mut_checked(4 * runs) {
        Some((scales, codes)) => (scales.as_chunks_mut().0, codes),
        None => (&mut [], &mut []),
    }
}

/// Reads a block.
pub(in crate::learn) fn load(storage: Storage, kind: Kind, bytes: &mut [u8], x: &mut [f32]) {
    match storage {
        Storage::None => x.fill(0.0),
        Storage::F32 => {
            for (v, four) in x.iter_mut().zip(bytes.as_chunks().0) {
                *v = f32::from_le_bytes(*four);
            }
        }
        Storage::Int8 => {
            let (scales, codes) = split(bytes, x.len().div_ceil(RUN8));
            for ((x, codes), scale) in x.chunks_mut(RUN8).zip(codes.chunks(RUN8)).zip(scales) {
                let scale = f32::from_le_bytes(*scale);
                for (v, &code) in x.iter_mut().zip(codes) {
                    *v = scale * if kind == Kind::Root { code as f32 } else { code as i8 as f32 };
                }
            }
        }
        Storage::Int4 => {
            let (scales, codes) = split(bytes, x.len().div_ceil(RUN4));
            // Half bytes as small numbers first, then the scale of each run.
            let bias = if kind == Kind::Root { 1.0 } else { -8.0 };
            let (low, high) = x.split_at_mut_checked(codes.len()).unwrap_or_default();
            for (v, &byte) in low.iter_mut().zip(&*codes) {
                *v = (byte & 15) as f32 + bias;
            }
            for (v, &byte) in high.iter_mut().zip(&*codes) {
                *v = (byte >> 4) as f32 + bias;
            }
            for (x, scale) in x.chunks_mut(RUN4).zip(scales) {
                let scale = f32::from_le_bytes(*scale);
                for v in x {
                    *v *= scale;
                }
            }
        }
        Storage::Ternary => {
            let (scales, codes) = split(bytes, 1);
            let scale = scales.first().map_or(0.0, |s| f32::from_le_bytes(*s));
            match kind {
                Kind::Signed => trits::unpack(codes, scale, x),
                Kind::Root => x.fill(scale),
            }
        }
    }
}

/// Writes a block. `x` is lost.
pub(in crate::learn) fn save(storage: Storage, kind: Kind, x: &mut [f32], bytes: &mut [u8], rest: Rest<'_>) {
    match (storage, kind) {
        (Storage::None, _) => {}
        (Storage::F32, _) => {
            for (four, v) in bytes.as_chunks_mut().0.iter_mut().zip(x) {
                *four = v.to_le_bytes();
            }
        }
        (Storage::Ternary, Kind::Root) => {
            let guard = guard_scale(largest(x));
            let squares = sum_by(x, |v| (v * guard) * (v * guard));
            let root = sqrt(squares / x.len().max(1) as f32) / guard;
            if let [four] = bytes.as_chunks_mut().0 {
                *four = root.to_le_bytes();
            }
        }
        (Storage::Ternary, Kind::Signed) => {
            let (scales, codes) = split(bytes, 1);
            if let [scale] = scales {
                *scale = to_trits(x, codes, rest).to_le_bytes();
            }
        }
        (Storage::Int8, _) => {
            let (scales, codes) = split(bytes, x.len().div_ceil(RUN8));
            to_steps::<RUN8>(kind, if kind == Kind::Root { 255.0 } else { 127.0 }, x, scales, rest);
            for (code, &step) in codes.iter_mut().zip(&*x) {
                *code = step as i32 as u8;
            }
        }
        (Storage::Int4, _) => {
            let (scales, codes) = split(bytes, x.len().div_ceil(RUN4));
            to_steps::<RUN4>(kind, if kind == Kind::Root { 16.0 } else { 7.0 }, x, scales, rest);
            let bias = if kind == Kind::Root { -1 } else { 8 };
            let (low, high) = x.split_at_mut_checked(codes.len()).unwrap_or_default();
            for (byte, &step) in codes.iter_mut().zip(&*low) {
                *byte = (step as i32 + bias) as u8 & 15;
            }
            for (byte, &step) in codes.iter_mut().zip(&*high) {
                *byte |= ((step as i32 + bias) as u8) << 4;
            }
        }
    }
}

/// Makes steps of `x`, up to `top` in each run, and their sizes. Errors go where `rest` says.
fn to_steps<const RUN: usize>(
    kind: Kind,
    top: f32,
    x: &mut [f32],
    scales: &mut [[u8; 4]],
    mut rest: Rest<'_>,
) {
    for ((number, x), to) in x.chunks_mut(RUN).enumerate().zip(scales) {
        let max = largest(x);
        let (scale, inverse) = if max < TINY { (0.0, 0.0) } else { (max / top, top / max) };
        *to = scale.to_le_bytes();
        if kind == Kind::Root {
            // Rounded up, so that no step becomes larger than it would be: x - 1/2 rounds to nearest.
            for v in x.iter_mut() {
                let step = round_ties_even(*v * inverse + 0.499);
                let step = if step > top { top } else { step };
                *v = if step < 1.0 { 1.0 } else { step };
            }
            continue;
        }
        match &mut rest {
            Rest::Random(dice) => {
                for v in x.iter_mut() {
                    *v *= inverse;
                }
                dice.shake(x, number * RUN);
                for v in x.iter_mut() {
                    *v = within(round_ties_even(*v), top);
                }
            }
            Rest::Kept { to, factor } => {
                let errors = to.chunks_mut(RUN).nth(number).unwrap_or_default();
                for (v, error) in x.iter_mut().zip(errors) {
                    let step = within(round_ties_even(*v * inverse), top);
                    *error += *factor * (*v - step * scale);
                    *v = step;
                }
            }
        }
    }
}

#[inline(always)]
fn within(step: f32, top: f32) -> f32 {
    let step = if step > top { top } else { step };
    if step < -top { -top } else { step }
}

/// Trits of `x`; returns their scale.
fn to_trits(x: &mut [f32], codes: &mut [u8], rest: Rest<'_>) -> f32 {
    let max = largest(x);
    let mut scale = 0.0;
    match rest {
        Rest::Random(dice) => {
            // Unbiased with the largest magnitude as the scale: each becomes it with probability |x| / max.
            let inverse = if max < TINY { 0.0 } else { 1.0 / max };
            for v in x.iter_mut() {
                *v *= inverse;
            }
            dice.shake(x, 0);
            for v in x.iter_mut() {
                *v = round_ties_even(*v);
            }
            if max >= TINY {
                scale = max;
            }
        }
        Rest::Kept { to, factor } => {
            let guard = guard_scale(max);
            let mut threshold = 0.75 * mean_from(x, guard, 0.0);
            // Two turns of Lloyd's iteration, as `quant::Fit::Lloyd`.
            for _ in 0..2 {
                scale = mean_from(x, guard, threshold);
                threshold = 0.5 * scale;
            }
            let (threshold, plain) = (threshold / guard, scale / guard);
            scale = if max < TINY { 0.0 } else { plain };
            for (v, error) in x.iter_mut().zip(to) {
                let trit = if v.abs() > threshold && scale > 0.0 { v.signum() } else { 0.0 };
                *error += factor * (*v - trit * scale);
                *v = trit;
            }
        }
    }
    trits::pack(x, codes);
    scale
}

/// The mean of the magnitudes times `guard` that are above a threshold; 0 if there is none.
fn mean_from(x: &[f32], guard: f32, threshold: f32) -> f32 {
    let above = |v: f32| (v.abs() * guard > threshold) as u32;
    let sum = sum_by(x, |v| {
        let m = v.abs() * guard;
        f32::from_bits(m.to_bits() & above(v).wrapping_neg())
    });
    let count: u32 = x.iter().map(|&v| above(v)).sum();
    if count == 0 { 0.0 } else { sum / count as f32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Storage; 4] = [Storage::F32, Storage::Int8, Storage::Int4, Storage::Ternary];

    fn values(n: usize, scale: f32) -> Vec<f32> {
        (0..n).map(|i| scale * ((i * 7919 % 1009) as f32 / 504.5 - 1.0)).collect()
    }

    #[test]
    fn what_is_read_is_what_was_written_up_to_the_step_and_the_rest_is_kept() {
        for n in [1, 2, 5, 127, 128, 129, 255, 256, 257, 1001, BLOCK] {
            for (form, step) in FORMS.into_iter().zip([0.0, 0.5 / 127.0, 0.5 / 7.0, 1.0]) {
                let x = values(n, 3e-20);
                let mut bytes = vec![0; block_bytes(form, Kind::Signed, n)];
                let (mut work, mut errors, mut back) = (x.clone(), vec![0.0; n], vec![0.0; n]);
                save(form, Kind::Signed, &mut work, &mut bytes, Rest::Kept { to: &mut errors, factor: 1.0 });
                load(form, Kind::Signed, &mut bytes, &mut back);
                for ((x, back), error) in x.iter().zip(&back).zip(&errors) {
                    assert!((x - back).abs() <= 3e-20 * step * 1.001, "{form:?} {n}: {x} {back}");
                    assert!((x - back - error).abs() <= 1e-26, "{form:?} {n}: {x} - {back} is not {error}");
                }
            }
        }
    }

    #[test]
    fn random_rounding_is_right_on_average() {
        let n = BLOCK;
        for form in [Storage::Int8, Storage::Int4, Storage::Ternary] {
            let (x, turns) = (values(n, 1.0), 400);
            let mut means = vec![0.0f64; n];
            for stream in 0..turns {
                let (mut work, mut back) = (x.clone(), vec![0.0; n]);
                let mut bytes = vec![0; block_bytes(form, Kind::Signed, n)];
                let dice = Dice { seed: 1, stream, position: 0 };
                save(form, Kind::Signed, &mut work, &mut bytes, Rest::Random(dice));
                load(form, Kind::Signed, &mut bytes, &mut back);
                for (mean, v) in means.iter_mut().zip(&back) {
                    *mean += *v as f64 / turns as f64;
                }
            }
            let step = match form {
                Storage::Int8 => 1.0 / 127.0,
                Storage::Int4 => 1.0 / 7.0,
                _ => 1.0,
            };
            // Deviation of one mean at most step / 2 / sqrt(turns): five of them.
            for (mean, v) in means.iter().zip(&x) {
                assert!(
                    (mean - *v as f64).abs() < 2.5 * step / (turns as f64).sqrt(),
                    "{form:?}: {v} {mean}"
                );
            }
        }
    }

    #[test]
    fn roots_never_shrink_to_zero() {
        for n in [3, 300, BLOCK] {
            for form in FORMS {
                let x: Vec<f32> = values(n, 5.0).iter().map(|v| v * v * v.abs()).collect();
                let mut bytes = vec![0; block_bytes(form, Kind::Root, n)];
                let (mut work, mut back) = (x.clone(), vec![0.0; n]);
                let dice = Dice { seed: 1, stream: 0, position: 0 };
                save(form, Kind::Root, &mut work, &mut bytes, Rest::Random(dice));
                load(form, Kind::Root, &mut bytes, &mut back);
                let max = largest(&x);
                for (x, back) in x.iter().zip(&back) {
                    assert!(*back > 0.0 || *x == 0.0, "{form:?}");
                    let step = match form {
                        Storage::F32 => 0.0,
                        Storage::Int8 => 1.0 / 255.0,
                        Storage::Int4 => 1.0 / 16.0,
                        _ => continue,
                    };
                    assert!(*back >= x * 0.999 && *back <= x + max * step * 1.002, "{form:?} {x} {back}");
                }
            }
        }
    }
}
