//! `Q35P`: pairs of a 4-bit and a 3-bit weight, 16 weights in 7 bytes, with an f32 scale and an f32 offset a row:
//! `7 ceil(cols / 16) + 8` bytes a row, 3.5 + 64/cols bits a weight when 16 divides `cols`.
//!
//! This is the dynamic asymmetric pair scheme of the 3.5-bit paper. Weight = offset + scale * code, where a
//! code is on one grid 0..=105 for both halves of a pair: 7 q for the 4-bit half (q = 0..=15) and 15 q for the
//! 3-bit half (q = 0..=7). 105 = 15 * 7 is the least grid on which both halves span the same window from
//! `offset` to `offset + 105 scale` in whole steps, so that products stay integer: a row times int8
//! activations `a` of scale `s` is `s (scale * sum(code a) + offset * sum(a))`. A code fits an i8, and 256 products
//! of it an i32 and exactly an f32 (at most 105 * 128 * 256 = 3,440,640 < 2^22).
//!
//! A row is groups of 256 weights, the last one shorter: `m` units of 16 weights where `m = ceil(n / 16)` for the
//! `n` weights left. The group holds `8 m` pairs; pair `p` is weight `p` (4 bits) and weight `p + 8 m`
//! (3 bits) of the group.
//!
//! | bytes of a group | of a full one | contents |
//! |---|---|---|
//! | `4 m` | 0..64 | 4-bit halves: byte `j` holds pair `j` in bits 0-3 and pair `j + 4 m` in bits 4-7 |
//! | `2 m` | 64..96 | low bits of the 3-bit halves: bits `2 k`, `2 k + 1` of byte `j` are bits 0, 1 of pair `j + 2 m k`, k = 0..4 |
//! | `m` | 96..112 | high bits of the 3-bit halves: bit `k` of byte `j` is bit 2 of pair `j + m k`, k = 0..8 |
//!
//! | last bytes of a row | contents |
//! |---|---|
//! | 4 | scale, f32 little-endian: the value of one step of the grid, 1/105 of the window |
//! | 4 | offset, f32 little-endian: the value of code 0 |
//!
//! Bits of weights beyond `cols` are 0. Any bytes decode: all 128 values of a pair are meaningful. A row without
//! columns has no bytes.
//!
//! The paper's sketch stored a pair in 8 bits, clipped its 3-bit half by the range of the 4-bit half, and added the
//! offset to the integer sum without the sum of the activations; none of that here.

use crate::workspace::{split_rows, split_rows_mut};
use crate::{Error, simd};

use super::fit::{check_finite, largest};
use super::window::{Clean, affine};
use super::{Fit, NonFinite};

/// Weights in a unit of the layout.
pub const UNIT_LEN: usize = 16;
/// Bytes of a unit.
pub const UNIT_BYTES: usize = 7;
/// Weights in a full group: as many as in a block of activations.
pub const GROUP_LEN: usize = 256;
/// Bytes of a full group.
pub const GROUP_BYTES: usize = 112;
/// Bytes of scale and offset at the end of a row.
pub const TRAILER_BYTES: usize = 8;
/// The largest code.
pub const GRID: i8 = 105;
/// The distance of two codes of a 4-bit half.
pub const STEP_4: i8 = 7;
/// The distance of two codes of a 3-bit half.
pub const STEP_3: i8 = 15;

/// What a row's codes stand for: weight = `offset + scale * code`, the product rounded, then the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Affine {
    /// The value of one step of the grid.
    pub scale: f32,
    /// The value of code 0.
    pub offset: f32,
}

impl Affine {
    /// The weight that a code stands for.
    #[inline(always)]
    #[must_use]
    pub fn value(self, code: i8) -> f32 {
        self.offset + self.scale * code as f32
    }
}

/// The codes of a packed row, and what they stand for; `None` if it is shorter than scale and offset.
#[inline(always)]
#[must_use]
pub fn split_row(row: &[u8]) -> Option<(&[u8], Affine)> {
    let (rest, offset) = row.split_last_chunk::<4>()?;
    let (codes, scale) = rest.split_last_chunk::<4>()?;
    Some((codes, Affine { scale: f32::from_le_bytes(*scale), offset: f32::from_le_bytes(*offset) }))
}

/// Writes scale and offset at the end of a packed row.
#[inline(always)]
pub fn store_affine(affine: Affine, row: &mut [u8]) {
    if let Some((rest, offset)) = row.split_last_chunk_mut::<4>() {
        *offset = affine.offset.to_le_bytes();
        if let Some(scale) = rest.last_chunk_mut::<4>() {
            *scale = affine.scale.to_le_bytes();
        }
    }
}

/// How many weights of a group of `len` (1..=256) have 4 bits: the first `8 ceil(len / 16)`, or all if there are
/// fewer. The rest has 3.
#[inline(always)]
#[must_use]
pub const fn four_bit_len(len: usize) -> usize {
    let half = 8 * len.div_ceil(UNIT_LEN);
    if len < half { len } else { half }
}

/// Packs the levels of a group into its `7 m` bytes: `8 m` of 4-bit halves (0..=15), then `8 m` of 3-bit halves
/// (0..=7). Levels beyond the group are not looked at.
#[inline(always)]
pub fn pack_group(levels: &[u8; GROUP_LEN], group: &mut [u8]) {
    let m = group.len() / UNIT_BYTES;
    let (q4, rest) = levels.split_at_checked(8 * m).unwrap_or_default();
    let (q3, _) = rest.split_at_checked(8 * m).unwrap_or_default();
    let (nibbles, rest) = group.split_at_mut_checked(4 * m).unwrap_or_default();
    let (lows, highs) = rest.split_at_mut_checked(2 * m).unwrap_or_default();
    let (first, second) = q4.split_at_checked(4 * m).unwrap_or_default();
    for (byte, (&a, &b)) in nibbles.iter_mut().zip(first.iter().zip(second)) {
        *byte = a | b << 4;
    }
    lows.fill(0);
    for (plane, shift) in split_rows(q3, 2 * m).zip([0, 2, 4, 6]) {
        for (byte, &q) in lows.iter_mut().zip(plane) {
            *byte |= (q & 3) << shift;
        }
    }
    highs.fill(0);
    for (plane, bit) in split_rows(q3, m).zip(0..8) {
        for (byte, &q) in highs.iter_mut().zip(plane) {
            *byte |= (q >> 2) << bit;
        }
    }
}

/// Unpacks a full group into codes 0..=105. Shifts are constants and products are shifts and differences, and the
/// function stands by itself, where its slices are known to be apart: that is what a compiler makes vector code of.
#[inline(never)]
pub fn unpack_full(group: &[u8; GROUP_BYTES], codes: &mut [i8; GROUP_LEN]) {
    let [q4, q3]: &mut [[i8; 128]; 2] = bytemuck::must_cast_mut(codes);
    let [four_0, four_1]: &mut [[i8; 64]; 2] = bytemuck::must_cast_mut(q4);
    let [t0, t1, t2, t3, t4, t5, t6, t7]: &mut [[i8; 16]; 8] = bytemuck::must_cast_mut(q3);
    let [n0, n1, n2, n3, l0, l1, h]: &[[u8; 16]; 7] = bytemuck::must_cast_ref(group);
    let [a0, a1, a2, a3]: &mut [[i8; 16]; 4] = bytemuck::must_cast_mut(four_0);
    let [b0, b1, b2, b3]: &mut [[i8; 16]; 4] = bytemuck::must_cast_mut(four_1);
    for (nibbles, low, high) in [(n0, a0, b0), (n1, a1, b1), (n2, a2, b2), (n3, a3, b3)] {
        for ((low, high), &byte) in low.iter_mut().zip(high.iter_mut()).zip(nibbles) {
            let (q, r) = (byte & 15, byte >> 4);
            (*low, *high) = (((q << 3) - q) as i8, ((r << 3) - r) as i8); // 7 q
        }
    }
    three::<0, 0>(l0, h, t0);
    three::<0, 1>(l1, h, t1);
    three::<2, 2>(l0, h, t2);
    three::<2, 3>(l1, h, t3);
    three::<4, 4>(l0, h, t4);
    three::<4, 5>(l1, h, t5);
    three::<6, 6>(l0, h, t6);
    three::<6, 7>(l1, h, t7);
}

/// The codes of 16 3-bit halves, from two bits at `LOW` and one at `HIGH`.
#[inline(always)]
fn three<const LOW: u32, const HIGH: u32>(lows: &[u8; 16], highs: &[u8; 16], codes: &mut [i8; 16]) {
    for (code, (&low, &high)) in codes.iter_mut().zip(lows.iter().zip(highs)) {
        let q = (low >> LOW & 3) | (high >> HIGH & 1) << 2;
        *code = ((q << 4) - q) as i8; // 15 q
    }
}

/// Unpacks a group of any length into `codes`, as many as it has weights.
pub fn unpack_group(group: &[u8], codes: &mut [i8]) {
    let m = group.len() / UNIT_BYTES;
    let (nibbles, rest) = group.split_at_checked(4 * m).unwrap_or_default();
    let (lows, highs) = rest.split_at_checked(2 * m).unwrap_or_default();
    for k in 0..2 {
        for (j, &byte) in nibbles.iter().enumerate() {
            if let Some(code) = codes.get_mut(4 * m * k + j) {
                *code = STEP_4 * ((byte >> (4 * k)) & 15) as i8;
            }
        }
    }
    for k in 0..4 {
        for (j, &byte) in lows.iter().enumerate() {
            if let Some(code) = codes.get_mut(8 * m + 2 * m * k + j) {
                *code = STEP_3 * ((byte >> (2 * k)) & 3) as i8;
            }
        }
    }
    for k in 0..8 {
        for (j, &byte) in highs.iter().enumerate() {
            if let Some(code) = codes.get_mut(8 * m + m * k + j) {
                *code += 4 * STEP_3 * ((byte >> k) & 1) as i8;
            }
        }
    }
}

/// Calls `visit(codes, first column)` for each group of a row of `cols` weights, in order.
#[inline(always)]
pub(crate) fn for_each_group(packed: &[u8], cols: usize, mut visit: impl FnMut(&[i8], usize)) {
    let mut codes = [0i8; GROUP_LEN];
    let (full, tail) = packed.as_chunks::<GROUP_BYTES>();
    let mut at = 0;
    let mut groups = full.iter();
    while at < cols {
        let len = (cols - at).min(GROUP_LEN);
        match groups.next() {
            Some(group) => unpack_full(group, &mut codes),
            None => unpack_group(tail, codes.get_mut(..len).unwrap_or_default()),
        }
        visit(codes.get(..len).unwrap_or_default(), at);
        at += len;
    }
}

/// Encodes one row into its `Format::Q35P.row_bytes(x.len())` bytes.
///
/// `fit` is [`Fit::MinMax`] (the window is the row's range) or [`Fit::Mse`] (a window inside the range, searched for
/// the least squared error). `importance`, one weight per column, finite and not negative, makes that the least
/// weighted error: the diagonal of the activations' second moment is the usual choice. `minmax` does not look at it.
/// Every decoded value lies within the row's range, whichever the fit.
///
/// # Errors
/// [`Error::Unsupported`] for other fits, [`Error::Shape`] if `importance` or `out` has another length than stated,
/// [`Error::InvalidArgument`] if an importance is negative or not finite, [`Error::NonFinite`],
/// [`Error::ScaleRange`] if the range exceeds the largest f32. `out` is untouched then.
///
/// ```
/// use hybridq::quant::{Fit, Format, NonFinite, dequantize, q35p};
/// let mut x = [0.0f32; 16];
/// (x[0], x[1]) = (-1.0, 14.0);
/// let mut row = [0u8; 7 + 8];
/// q35p::encode_row(&x, None, Fit::MinMax, NonFinite::Error, &mut row)?;
/// let mut back = [0f32; 16];
/// dequantize(Format::Q35P, 1, 16, &row, &mut back)?;
/// assert!(back[0] == -1.0 && back[1] <= 14.0 && back[1] > 13.9999); // the range, rounded inwards
/// assert!(back[2].abs() < 1e-6); // 4 bits: 16 levels from -1 to 14
/// assert!((back[8] - (-1.0 / 7.0 * 6.0)).abs() <= 0.5 * 15.0 / 7.0); // 3 bits: within half a step
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn encode_row(
    x: &[f32],
    importance: Option<&[f32]>,
    fit: Fit,
    non_finite: NonFinite,
    out: &mut [u8],
) -> Result<(), Error> {
    if !matches!(fit, Fit::Mse | Fit::MinMax) {
        return Err(Error::Unsupported);
    }
    if out.len() != super::Format::Q35P.row_bytes(x.len())? {
        return Err(Error::Shape);
    }
    if let Some(importance) = importance {
        if importance.len() != x.len() {
            return Err(Error::Shape);
        }
        if !importance.iter().all(|w| (0.0..f32::INFINITY).contains(w)) {
            return Err(Error::InvalidArgument);
        }
    }
    check_finite(x, non_finite)?;
    let clean = Clean::new(x, non_finite)?;
    encode_checked(x, importance, fit, clean, out);
    Ok(())
}

/// Encodes a matrix whose shape and finiteness have been checked.
pub(super) fn encode(
    x: &[f32],
    cols: usize,
    importance: Option<&[f32]>,
    fit: Fit,
    policy: NonFinite,
    out: &mut [u8],
) -> Result<(), Error> {
    // Only such a row can have a range beyond f32: look at all of them before the first byte is written.
    if largest(x).1 > 0.5 * f32::MAX {
        for row in split_rows(x, cols) {
            Clean::new(row, policy)?;
        }
    }
    let row_bytes = super::Format::Q35P.row_bytes(cols)?;
    for (x, out) in split_rows(x, cols).zip(split_rows_mut(out, row_bytes)) {
        encode_checked(x, importance, fit, Clean::new(x, policy)?, out);
    }
    Ok(())
}

/// Encodes a row whose length and finiteness have been checked.
#[inline(never)]
fn encode_checked(x: &[f32], importance: Option<&[f32]>, fit: Fit, clean: Clean, out: &mut [u8]) {
    // One copy a tier on x86; the loops are plain Rust.
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || {
            let affine = affine(x, importance, fit == Fit::Mse, clean);
            store_affine(affine, out);
            pack_row(x, &Rule::new(affine, clean), out);
        },
    );
}

#[cfg_attr(target_arch = "x86_64", inline(always))]
fn pack_row(x: &[f32], rule: &Rule, out: &mut [u8]) {
    let codes = out.len().saturating_sub(TRAILER_BYTES);
    let groups = out.get_mut(..codes).unwrap_or_default().chunks_mut(GROUP_BYTES);
    for (x, group) in crate::workspace::pieces_with::<GROUP_LEN, _, _>(x, groups) {
        let mut levels = [0u8; GROUP_LEN];
        let (four, three) = x.split_at_checked(four_bit_len(x.len())).unwrap_or_default();
        let half = 8 * (group.len() / UNIT_BYTES);
        let (q4, q3) = levels.split_at_mut_checked(half).unwrap_or_default();
        rule.levels(four, rule.per_step_4, 15.0, q4);
        rule.levels(three, rule.per_step_3, 7.0, q3);
        pack_group(&levels, group);
    }
}

/// Values to levels, for a window as it is stored.
#[derive(Clone, Copy)]
struct Rule {
    clean: Clean,
    offset: f32,
    per_step_4: f32,
    per_step_3: f32,
}

impl Rule {
    #[inline(always)]
    fn new(affine: Affine, clean: Clean) -> Rule {
        let scale = affine.scale * clean.guard;
        let per = |step: i8| if scale > 0.0 { 1.0 / (scale * step as f32) } else { 0.0 };
        Rule { clean, offset: affine.offset * clean.guard, per_step_4: per(STEP_4), per_step_3: per(STEP_3) }
    }

    /// The nearest of the levels 0..=`top` for each value; a tie goes to the even one.
    #[inline(always)]
    fn levels(&self, x: &[f32], per_step: f32, top: f32, levels: &mut [u8]) {
        for (level, &v) in levels.iter_mut().zip(x) {
            let steps = (self.clean.value(v) - self.offset) * per_step;
            *level = super::window::nearest(steps, top) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_every_length_round_trip_and_the_rule_of_the_tail_gives_the_full_group() {
        let mut state = 1u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % below) as u8
        };
        for len in 1..=GROUP_LEN {
            let m = len.div_ceil(UNIT_LEN);
            let mut levels = [0u8; GROUP_LEN];
            for (i, level) in levels.iter_mut().take(len).enumerate() {
                *level = if i < 8 * m { next(16) } else { next(8) };
            }
            let mut group = vec![0xA5; UNIT_BYTES * m];
            pack_group(&levels, &mut group);
            let mut codes = vec![-1i8; len];
            unpack_group(&group, &mut codes);
            let expected: Vec<i8> = (0..len)
                .map(|i| levels[i] as i8 * if i < four_bit_len(len) { STEP_4 } else { STEP_3 })
                .collect();
            assert_eq!(codes, expected, "{len}");
            if m == GROUP_LEN / UNIT_LEN {
                let mut full = [0; GROUP_LEN];
                unpack_full(group[..].try_into().unwrap(), &mut full);
                assert_eq!(full[..len], codes);
            }
        }
    }
}
