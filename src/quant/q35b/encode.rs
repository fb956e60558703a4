//! The `Q35B` encoder: least squares over codebook, sign, 6-bit scales and block scale.
//!
//! Sixteen lanes are the sixteen groups of a block, so that every step is the same for all of them and one group never
//! waits for another; the float order per group is fixed, so the bytes do not depend on the tier.
//!
//! 1. For each group, both codebooks, both signs: real scales from 0.72 to 1.02 of the one that clips nothing
//!    ([`RATIOS`] of them), nearest levels, the weighted squared error. The best stays, and its scale becomes the
//!    least-squares one for its levels.
//! 2. For a few block scales `d` around the one that gives the largest scale number 31 (-32 if negative), each scale
//!    is rounded, its two neighbours tried as well, and the errors added. The best `d` stays.
//! 3. `d` is replaced by its least-squares value for these codes, as f16, scales and codes are chosen again; kept if
//!    the error falls, up to [`REFINEMENTS`] times.
//!
//! A trial of all groups costs 2 * 7 operations for the nearest of eight levels and 6 more a weight; 32 trials in
//! step 1 and 3 for each `d` after it make about 1000 operations a weight, which vectors of eight floats do at more
//! than 20 million weights a second and core.

use half::f16;

use crate::math::{F16_MAX, f32_to_f16, round_ties_even, tree_sum};
use crate::simd;

use super::{BLOCK_LEN, Codebooks, GROUPS, MAX_MAGNITUDE, unit};

/// One number a group.
type Lanes = [f32; GROUPS];

/// Scales tried for each codebook and sign.
const RATIOS: usize = 8;
const LOWEST_RATIO: f32 = 0.72;
const RATIO_STEP: f32 = 0.043;
/// Block scales tried, as multiples of the one that uses the whole range of the scales.
const BLOCK_SCALES: [f32; 4] = [0.94, 0.97, 1.0, 1.03];
const REFINEMENTS: usize = 2;

/// An encoded block, before packing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Encoded {
    /// 3-bit codes.
    pub codes: [u8; BLOCK_LEN],
    /// Bit `g`: group `g` uses the second codebook.
    pub select: u16,
    /// Signed 6-bit scales.
    pub scales: [i8; GROUPS],
    /// Block scale.
    pub d: f16,
}

/// Encodes one block with any pair of codebooks (those of the format are [`CODEBOOKS`](super::CODEBOOKS)): fewer than 256 values are
/// filled up with zeros that do not count.
///
/// `importance` has one weight >= 0 for each value: how much its squared error counts. Magnitudes above
/// [`MAX_MAGNITUDE`] count as that, NaN as 0. The same bits on every tier.
///
/// ```
/// use hybridq::quant::q35b::{CODEBOOKS, encode_block};
/// let encoded = encode_block(&[0.5; 256], None, &CODEBOOKS);
/// let book = CODEBOOKS[(encoded.select & 1) as usize];
/// let level = encoded.scales[0] as f32 * book[encoded.codes[0] as usize] as f32;
/// assert!((encoded.d.to_f32() / 256.0 * level - 0.5).abs() < 0.001);
/// ```
#[must_use]
pub fn encode_block(x: &[f32], importance: Option<&[f32]>, codebooks: &Codebooks) -> Encoded {
    simd::vectorize(
        simd::active(),
        #[inline(always)]
        || encode_here(x, MAX_MAGNITUDE, importance.map(|i| i.iter().copied()), codebooks),
    )
}

/// The weights of a block with group `g` in lane `g`.
struct Block {
    x: [Lanes; 16],
    importance: [Lanes; 16],
}

// `ZERO` and `set`, here and below, instead of a constructor: a returned structure of 2 KB is copied on the stack.
impl Block {
    const ZERO: Block = Block { x: [[0.0; GROUPS]; 16], importance: [[0.0; GROUPS]; 16] };

    /// Transposes, and makes the input harmless: magnitudes at most `limit`, NaN 0, importance at most 1.
    #[inline(always)]
    fn set(&mut self, x: &[f32], limit: f32, importance: Option<impl Iterator<Item = f32> + Clone>) {
        fill(&mut self.x, x, |&v| {
            let v = if v > limit { limit } else { v };
            let v = if v < -limit { -limit } else { v };
            if v.is_nan() { 0.0 } else { v }
        });
        match importance {
            None => fill(&mut self.importance, x, |_| 1.0),
            Some(importance) => {
                let importance = importance.take(x.len());
                // Only the proportions count: the largest becomes 1.
                let largest = importance.clone().fold(0.0f32, |m, v| if v > m { v } else { m });
                let inverse = if largest > 0.0 { 1.0 / largest } else { 0.0 };
                // A denormal has no finite inverse, an infinity none at all: then all count the same.
                let even = !(inverse > 0.0 && inverse.is_finite());
                fill(&mut self.importance, importance, |v| {
                    let v = if even { 1.0 } else { v * inverse };
                    if v > 0.0 { v } else { 0.0 }
                });
            }
        }
    }

    /// The weighted squared error of each group with these scales and the nearest levels.
    #[inline(always)]
    fn errors(&self, books: &Books, scales: &Lanes) -> Lanes {
        let inverse = scales.map(inverse);
        let mut errors = [0.0; GROUPS];
        for (x, importance) in self.x.iter().zip(&self.importance) {
            let levels = books.nearest(x, &inverse);
            for ((((e, &x), &w), &s), l) in errors.iter_mut().zip(x).zip(importance).zip(scales).zip(levels) {
                let difference = x - s * l;
                *e += w * (difference * difference);
            }
        }
        errors
    }

    /// Replaces each scale by the best one for the levels that it chooses.
    #[inline(always)]
    fn least_squares(&self, books: &Books, scales: &mut Lanes) {
        let inverse = scales.map(inverse);
        let (mut products, mut squares) = ([0.0; GROUPS], [0.0; GROUPS]);
        for (x, importance) in self.x.iter().zip(&self.importance) {
            let levels = books.nearest(x, &inverse);
            let sums = products.iter_mut().zip(&mut squares);
            for (((p, s), (&x, &w)), l) in sums.zip(x.iter().zip(importance)).zip(levels) {
                *p += w * (x * l);
                *s += w * (l * l);
            }
        }
        for ((scale, p), s) in scales.iter_mut().zip(products).zip(squares) {
            *scale = if s > 0.0 { p / s } else { *scale };
        }
    }
}

/// Value `i` of group `g` goes to `columns[i][g]`.
#[inline(always)]
fn fill<T>(columns: &mut [Lanes; 16], values: impl IntoIterator<Item = T>, value: impl Fn(T) -> f32) {
    let mut values = values.into_iter();
    for g in 0..GROUPS {
        for (column, v) in columns.iter_mut().zip(&mut values) {
            if let Some(lane) = column.get_mut(g) {
                *lane = value(v);
            }
        }
    }
}

/// 0 for a scale of 0: every value is then nearest to the level nearest to 0, times 0.
#[inline(always)]
fn inverse(scale: f32) -> f32 {
    if scale == 0.0 { 0.0 } else { 1.0 / scale }
}

/// The levels of each lane: the lowest, and at which values one goes up by how much.
struct Books {
    lowest: Lanes,
    middles: [Lanes; 7],
    steps: [Lanes; 7],
}

impl Books {
    const ZERO: Books =
        Books { lowest: [0.0; GROUPS], middles: [[0.0; GROUPS]; 7], steps: [[0.0; GROUPS]; 7] };

    /// Each lane with the codebook that it chose.
    #[inline(always)]
    fn set(&mut self, [first, second]: &Codebooks, chosen: &[bool; GROUPS]) {
        let pick = |chosen: bool, a: i8, b: i8| if chosen { b as f32 } else { a as f32 };
        let ([a, ..], [b, ..]) = (*first, *second);
        for (lane, &chosen) in self.lowest.iter_mut().zip(chosen) {
            *lane = pick(chosen, a, b);
        }
        let pairs = first.iter().zip(second);
        let pairs = pairs.clone().zip(pairs.skip(1));
        for ((middles, steps), ((&a0, &b0), (&a1, &b1))) in
            self.middles.iter_mut().zip(&mut self.steps).zip(pairs)
        {
            for ((m, s), &chosen) in middles.iter_mut().zip(steps).zip(chosen) {
                let (lower, upper) = (pick(chosen, a0, b0), pick(chosen, a1, b1));
                // Halves of integers: exact.
                *m = 0.5 * (lower + upper);
                *s = upper - lower;
            }
        }
    }

    /// The level nearest to `x / scale`, the lower one of a tie.
    #[inline(always)]
    fn nearest(&self, x: &Lanes, inverse: &Lanes) -> Lanes {
        let mut levels = self.lowest;
        let mut t = *x;
        for (t, i) in t.iter_mut().zip(inverse) {
            *t *= i;
        }
        for (middles, steps) in self.middles.iter().zip(&self.steps) {
            for (((l, &t), &m), &s) in levels.iter_mut().zip(&t).zip(middles).zip(steps) {
                *l += if t > m { s } else { 0.0 };
            }
        }
        levels
    }
}

/// What step 1 finds.
struct Shapes {
    second: [bool; GROUPS],
    scales: Lanes,
}

#[cfg_attr(target_arch = "x86_64", inline(always))]
#[cfg_attr(not(target_arch = "x86_64"), inline(never))] // less stack
fn choose_shapes(block: &Block, codebooks: &Codebooks) -> Shapes {
    let (mut highest, mut lowest) = ([0.0f32; GROUPS], [0.0f32; GROUPS]);
    for x in &block.x {
        for ((high, low), &x) in highest.iter_mut().zip(&mut lowest).zip(x) {
            *high = if x > *high { x } else { *high };
            *low = if x < *low { x } else { *low };
        }
    }
    let mut best = [f32::MAX; GROUPS];
    let mut shapes = Shapes { second: [false; GROUPS], scales: [0.0; GROUPS] };
    let mut books = Books::ZERO;
    for (second, book) in [false, true].into_iter().zip(codebooks) {
        books.set(codebooks, &[second; GROUPS]);
        let ([bottom, ..], [.., top]) = (*book, *book);
        let (above, below) = (1.0 / top as f32, 1.0 / bottom as f32);
        for sign in [1.0f32, -1.0] {
            // The scale that clips nothing: the values reach neither end of the codebook.
            let mut whole = [0.0f32; GROUPS];
            for ((whole, &high), &low) in whole.iter_mut().zip(&highest).zip(&lowest) {
                let (up, down) = if sign > 0.0 { (high, low) } else { (-low, -high) };
                let (up, down) = (up * above, down * below);
                *whole = sign * if up > down { up } else { down };
            }
            for step in 0..RATIOS {
                let ratio = LOWEST_RATIO + RATIO_STEP * step as f32;
                let scales = whole.map(|s| ratio * s);
                let errors = block.errors(&books, &scales);
                let found = shapes.scales.iter_mut().zip(&mut shapes.second);
                for (((best, (scale, choice)), e), s) in best.iter_mut().zip(found).zip(errors).zip(scales) {
                    let better = e < *best;
                    *best = if better { e } else { *best };
                    *scale = if better { s } else { *scale };
                    *choice = if better { second } else { *choice };
                }
            }
        }
    }
    shapes
}

/// A block scale with the best integer scales for it.
#[derive(Clone, Copy)]
struct Fitted {
    d: f16,
    scales: Lanes,
    error: f32,
    /// The sums whose quotient is the least-squares `d / 256` for these codes.
    products: f32,
    squares: f32,
}

/// Rounds the scales to multiples of `d / 256`, their neighbours tried as well.
#[cfg_attr(target_arch = "x86_64", inline(always))]
#[cfg_attr(not(target_arch = "x86_64"), inline(never))] // less stack
fn fit(block: &Block, books: &Books, real: &Lanes, d: f16) -> Fitted {
    let unit = unit(d.to_le_bytes());
    let per_unit = inverse(unit);
    let mut best = [f32::MAX; GROUPS];
    let (mut scales, mut products, mut squares) = ([0.0; GROUPS], [0.0; GROUPS], [0.0; GROUPS]);
    for neighbour in [-1.0f32, 0.0, 1.0] {
        let integers = real.map(
            #[inline(always)]
            |s| {
                // Clamped before rounding: `d` may be far too small for them, or 0.
                let s = s * per_unit;
                let s = if s > 31.0 { 31.0 } else { s };
                let s = if s < -32.0 { -32.0 } else { s };
                let s = round_ties_even(s) + neighbour;
                let s = if s > 31.0 { 31.0 } else { s };
                if s < -32.0 { -32.0 } else { s }
            },
        );
        let inverse = integers.map(|s| inverse(s * unit));
        let (mut errors, mut xq, mut qq) = ([0.0; GROUPS], [0.0; GROUPS], [0.0; GROUPS]);
        for (x, importance) in block.x.iter().zip(&block.importance) {
            let levels = books.nearest(x, &inverse);
            let sums = errors.iter_mut().zip(&mut xq).zip(&mut qq);
            for (((((e, xq), qq), (&x, &w)), &s), l) in
                sums.zip(x.iter().zip(importance)).zip(&integers).zip(levels)
            {
                let q = s * l;
                let difference = x - unit * q;
                *e += w * (difference * difference);
                *xq += w * (x * q);
                *qq += w * (q * q);
            }
        }
        let found = scales.iter_mut().zip(&mut products).zip(&mut squares);
        let tried = errors.iter().zip(&xq).zip(&qq).zip(&integers);
        for ((best, ((scale, p), q)), (((&e, &xq), &qq), &s)) in best.iter_mut().zip(found).zip(tried) {
            let better = e < *best;
            *best = if better { e } else { *best };
            *scale = if better { s } else { *scale };
            *p = if better { xq } else { *p };
            *q = if better { qq } else { *q };
        }
    }
    Fitted { d, scales, error: tree_sum(best), products: tree_sum(products), squares: tree_sum(squares) }
}

/// `d` for a value of `d / 256`; the largest finite one if it is out of range.
#[inline(always)]
fn stored(unit: f32) -> f16 {
    let d = unit * 256.0;
    f32_to_f16(if d < F16_MAX { d } else { F16_MAX })
}

/// [`encode_block`], for callers that run on a tier already. Magnitudes above `limit` count as that.
#[inline(always)]
pub(crate) fn encode_here(
    x: &[f32],
    limit: f32,
    importance: Option<impl Iterator<Item = f32> + Clone>,
    codebooks: &Codebooks,
) -> Encoded {
    let mut block = Block::ZERO;
    block.set(x, limit, importance);
    let mut shapes = choose_shapes(&block, codebooks);
    let mut books = Books::ZERO;
    books.set(codebooks, &shapes.second);
    block.least_squares(&books, &mut shapes.scales);

    let mut whole = 0.0f32;
    for &s in &shapes.scales {
        let needed = if s < 0.0 { s * (-1.0 / 32.0) } else { s * (1.0 / 31.0) };
        whole = if needed > whole { needed } else { whole };
    }
    let mut best =
        Fitted { d: f16::ZERO, scales: [0.0; GROUPS], error: f32::MAX, products: 0.0, squares: 0.0 };
    for factor in BLOCK_SCALES {
        let tried = fit(&block, &books, &shapes.scales, stored(whole * factor));
        if tried.error < best.error {
            best = tried;
        }
    }
    for _ in 0..REFINEMENTS {
        if best.squares > 0.0 && best.products > 0.0 {
            let tried = fit(&block, &books, &shapes.scales, stored(best.products / best.squares));
            if tried.error < best.error {
                best = tried;
            }
        }
    }

    pack_levels(&block, &books, &best, &shapes.second)
}

/// The codes of what was fitted.
#[cfg_attr(target_arch = "x86_64", inline(always))]
#[cfg_attr(not(target_arch = "x86_64"), inline(never))] // less stack
fn pack_levels(block: &Block, books: &Books, best: &Fitted, second: &[bool; GROUPS]) -> Encoded {
    let mut encoded = Encoded { codes: [0; BLOCK_LEN], select: 0, scales: [0; GROUPS], d: best.d };
    let unit = unit(best.d.to_le_bytes());
    let inverse = best.scales.map(|s| inverse(s * unit));
    let mut codes = [[0u8; GROUPS]; 16];
    for (codes, x) in codes.iter_mut().zip(&block.x) {
        for middles in &books.middles {
            for (((code, &x), &i), &m) in codes.iter_mut().zip(x).zip(&inverse).zip(middles) {
                *code += (x * i > m) as u8;
            }
        }
    }
    for (g, group) in encoded.codes.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        for (code, lanes) in group.iter_mut().zip(&codes) {
            *code = lanes.get(g).copied().unwrap_or_default();
        }
    }
    for (g, ((scale, &s), &second)) in encoded.scales.iter_mut().zip(&best.scales).zip(second).enumerate() {
        *scale = s as i8;
        encoded.select |= (second as u16) << g;
    }
    encoded
}
