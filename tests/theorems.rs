//! The theorems of docs/theorems.md. A name that ends in `_exhaustively` goes through every case of a finite domain;
//! the others take random cases and the bounds.

mod common;

use std::sync::Mutex;

use common::{Rng, gaussian};
use half::f16;
use hybridq::linear::{Packed, matvec};
use hybridq::quant::{
    ActBlock, Fit, Format, NonFinite, Options, dense_ternary, dequantize, five_level, q8_0, q35p, quantize,
    quantize_activations, quantize_workspace_size, tq1_0, tq2_0,
};
use hybridq::simd::{self, Tier};
use proptest::prelude::*;

/// The forced tier is one for the process: tests that force it take turns.
static TIER: Mutex<()> = Mutex::new(());

fn on_every_tier(mut f: impl FnMut(Tier)) {
    let _guard = TIER.lock().unwrap_or_else(|e| e.into_inner());
    for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
        simd::force(Some(tier)).unwrap();
        f(tier);
    }
    simd::force(None).unwrap();
}

fn pack(format: Format, fit: Fit, rows: usize, x: &[f32]) -> Vec<u8> {
    let options = Options::new(format).fit(fit);
    let cols = x.len() / rows;
    let mut out = vec![0xA5; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, x, &mut out, &mut scratch).unwrap();
    out
}

fn unpack(format: Format, cols: usize, row: &[u8]) -> Vec<f32> {
    let mut out = vec![f32::NAN; cols];
    dequantize(format, 1, cols, row, &mut out).unwrap();
    out
}

/// The simplest fit of a format: from the range where it has one.
fn range_fit(format: Format) -> Fit {
    match format {
        Format::Q35P => Fit::MinMax,
        Format::Q35B => Fit::Mse,
        _ => Fit::AbsMax,
    }
}

// ---- 1. Round trip ----

/// Packs and unpacks `codes` with all combinations of `levels` at the weights of each cell (those that share bits), the
/// other weights holding one of two backgrounds.
fn cells_round_trip(
    len: usize,
    cells: &[Vec<usize>],
    levels: impl Fn(usize) -> Vec<i8>,
    trip: impl Fn(&[i8]) -> Vec<i8>,
) {
    let mut seen = vec![0; len];
    for background in 0..2u64 {
        let mut rng = Rng(background);
        let codes: Vec<i8> = (0..len)
            .map(|i| {
                let levels = levels(i);
                levels[rng.next() as usize % levels.len()]
            })
            .collect();
        for cell in cells {
            let count: usize = cell.iter().map(|&i| levels(i).len()).product();
            for mut which in 0..count {
                let mut codes = codes.clone();
                for &i in cell {
                    let levels = levels(i);
                    codes[i] = levels[which % levels.len()];
                    which /= levels.len();
                }
                assert_eq!(trip(&codes), codes, "cell {cell:?}");
            }
            cell.iter().for_each(|&i| seen[i] += 1);
        }
    }
    assert!(seen.iter().all(|n| *n == 2), "the cells are not a partition of the weights");
}

/// Byte `j` of `n` holds the weights `j`, `j + n`, ... of a region of `planes * n` that begins at `start`.
fn planes(start: usize, n: usize, planes: usize) -> impl Iterator<Item = Vec<usize>> {
    (0..n).map(move |j| (0..planes).map(|k| start + j + k * n).collect())
}

#[test]
fn q35p_pairs_round_trip_exhaustively() {
    // every pair value at every pair of every length of group
    for m in 1..=16 {
        let step = |i: usize| if i < 8 * m { q35p::STEP_4 } else { q35p::STEP_3 };
        let cells: Vec<_> = planes(0, 8 * m, 2).collect();
        let levels = |i: usize| (0..=q35p::GRID / step(i)).map(|q| q * step(i)).collect();
        cells_round_trip(16 * m, &cells, levels, |codes| {
            let mut levels = [0u8; q35p::GROUP_LEN];
            for (i, (level, code)) in levels.iter_mut().zip(codes).enumerate() {
                *level = (code / step(i)) as u8;
            }
            let mut group = vec![0xA5; q35p::UNIT_BYTES * m];
            q35p::pack_group(&levels, &mut group);
            let mut back = vec![-1; 16 * m];
            q35p::unpack_group(&group, &mut back);
            if let Some(full) = group.first_chunk() {
                let mut fast = [-1; q35p::GROUP_LEN];
                q35p::unpack_full(full, &mut fast);
                assert_eq!(fast[..], back);
            }
            back
        });
    }
}

#[test]
fn q35p_bits_and_levels_are_one_to_one_exhaustively() {
    // each of the 56 m bits of a group moves one level by one power of two, and no two bits the same
    for m in 1..=16 {
        let mut places = std::collections::BTreeSet::new();
        for bit in 0..56 * m {
            let mut group = vec![0u8; q35p::UNIT_BYTES * m];
            group[bit / 8] = 1 << (bit % 8);
            let mut codes = vec![-1; 16 * m];
            q35p::unpack_group(&group, &mut codes);
            let moved: Vec<usize> = (0..16 * m).filter(|i| codes[*i] != 0).collect();
            assert_eq!(moved.len(), 1);
            let i = moved[0];
            let (step, bits) = if i < 8 * m { (q35p::STEP_4, 4) } else { (q35p::STEP_3, 3) };
            let level = codes[i] / step;
            assert!(codes[i] % step == 0 && level.count_ones() == 1 && level < 1 << bits);
            assert!(places.insert((i, level)), "bit {bit} of {m} units");
        }
        assert_eq!(places.len(), 56 * m);
    }
}

#[test]
fn ternary_bytes_round_trip_exhaustively() {
    let trits = |_: usize| vec![-1i8, 0, 1];
    let cells: Vec<_> = planes(0, 32, 5).chain(planes(160, 16, 5)).chain(planes(240, 4, 4)).collect();
    cells_round_trip(256, &cells, trits, |codes| {
        let (mut block, mut back) = ([0; tq1_0::BLOCK_BYTES], [9; 256]);
        tq1_0::pack(codes.try_into().unwrap(), f16::ONE, &mut block);
        assert_eq!(tq1_0::unpack(&block, &mut back), 1.0);
        back.to_vec()
    });
    let cells: Vec<_> = planes(0, 32, 4).chain(planes(128, 32, 4)).collect();
    cells_round_trip(256, &cells, trits, |codes| {
        let (mut block, mut back) = ([0; tq2_0::BLOCK_BYTES], [9; 256]);
        tq2_0::pack(codes.try_into().unwrap(), f16::ONE, &mut block);
        assert_eq!(tq2_0::unpack(&block, &mut back), 1.0);
        back.to_vec()
    });
    // dense ternary: a full group and, in steps of a byte, every shorter one
    for n in 1..=32 {
        let cells: Vec<_> = planes(0, n, 5).collect();
        cells_round_trip(5 * n, &cells, trits, |codes| {
            let (mut bytes, mut back) = (vec![0xA5; n], vec![9; 5 * n]);
            dense_ternary::pack_group(codes, &mut bytes);
            dense_ternary::unpack_group(&bytes, &mut back);
            back
        });
    }
}

#[test]
fn five_level_triples_round_trip_exhaustively() {
    let levels = |_: usize| vec![-2i8, -1, 0, 1, 2];
    let cells: Vec<_> = planes(0, 64, 3).collect();
    cells_round_trip(192, &cells, levels, |codes| {
        let (mut block, mut back) = ([0; five_level::BLOCK_BYTES], [9; 192]);
        five_level::pack(codes.try_into().unwrap(), f16::ONE, &mut block);
        assert_eq!(five_level::unpack(&block, &mut back), 1.0);
        back.to_vec()
    });
}

// ---- 2. Codes and decoded values in range ----

#[test]
fn every_byte_decodes_to_codes_in_range_exhaustively() {
    for byte in 0..=255u8 {
        let mut codes = [99i8; 256];
        tq1_0::unpack(&[byte; tq1_0::BLOCK_BYTES], &mut codes);
        assert!(codes.iter().all(|c| (-1..=1).contains(c)));
        tq2_0::unpack(&[byte; tq2_0::BLOCK_BYTES], &mut codes);
        assert!(codes.iter().all(|c| (-1..=2).contains(c))); // 2: the code that no encoder writes
        dense_ternary::unpack_group(&[byte; 32], &mut codes[..160]);
        assert!(codes[..160].iter().all(|c| (-1..=1).contains(c)));
        let mut codes = [99i8; 192];
        five_level::unpack(&[byte; five_level::BLOCK_BYTES], &mut codes);
        assert!(codes.iter().all(|c| (-2..=2).contains(c)));
        let mut codes = [99i8; 32];
        q8_0::unpack(&[byte; q8_0::BLOCK_BYTES], &mut codes);
        assert!(codes.iter().all(|c| *c == byte as i8));
        for m in 1..=16 {
            let mut codes = vec![99i8; 16 * m];
            q35p::unpack_group(&vec![byte; 7 * m], &mut codes);
            let (four, three) = codes.split_at(8 * m);
            assert!(four.iter().all(|c| (0..=q35p::GRID).contains(c) && c % q35p::STEP_4 == 0));
            assert!(three.iter().all(|c| (0..=q35p::GRID).contains(c) && c % q35p::STEP_3 == 0));
        }
    }
}

/// A row of one of many shapes: spread, skewed, far from zero, with outliers, with few values; of all magnitudes.
#[derive(Clone, Copy, Debug)]
struct Row {
    len: usize,
    seed: u64,
    shape: u8,
    exponent: i32,
    shift: f32,
}

impl Row {
    fn values(self) -> Vec<f32> {
        let Row { len, seed, shape, exponent, shift } = self;
        let value = |(i, g): (usize, f32)| match shape {
            0 => g,
            1 => g + 10.0 * shift,
            2 => (2.0 * g).exp(),
            3 if i % 97 == 5 => 50.0 * g,
            4 => (2.0 * g).round() + shift,
            5 => 1000.0 * shift + 1e-3 * g,
            _ => g * g * g,
        };
        gaussian(len, seed).into_iter().enumerate().map(|v| value(v) * 2f32.powi(exponent)).collect()
    }
}

fn rows() -> impl Strategy<Value = Row> {
    (1usize..600, any::<u64>(), 0u8..7, -30i32..30, -4.0f32..4.0)
        .prop_map(|(len, seed, shape, exponent, shift)| Row { len, seed, shape, exponent, shift })
}

fn range(x: &[f32]) -> (f32, f32) {
    x.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

/// Fewer where every instruction is emulated.
const CASES: u32 = if cfg!(target_arch = "x86_64") { 400 } else { 20 };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn decoded_values_stay_in_the_range_of_their_row(row in rows()) {
        let x = row.values();
        let (low, high) = range(&x);
        for fit in [Fit::MinMax, Fit::Mse] {
            let y = unpack(Format::Q35P, x.len(), &pack(Format::Q35P, fit, 1, &x));
            prop_assert!(y.iter().all(|v| (low..=high).contains(v)), "{fit:?}: {:?} outside {low}..={high}", range(&y));
        }
        // symmetric formats: magnitudes up to the largest one, to f16 precision of the scale
        let largest = low.abs().max(high.abs());
        if (1e-3..6e4).contains(&largest) {
            for format in [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary, Format::FiveLevel, Format::Q8_0] {
                let y = unpack(format, x.len(), &pack(format, Fit::AbsMax, 1, &x));
                // half a step of a subnormal f16 scale, 127 times
                let limit = largest * (1.0 + 1.0 / 1024.0) + 127.0 * 2f32.powi(-25);
                prop_assert!(y.iter().all(|v| v.abs() <= limit), "{format:?}");
            }
        }
    }

    #[test]
    fn errors_inside_the_window_are_at_most_half_a_step(row in rows()) {
        let x = row.values();
        for fit in [Fit::MinMax, Fit::Mse] {
            let row = pack(Format::Q35P, fit, 1, &x);
            let y = unpack(Format::Q35P, x.len(), &row);
            let (_, window) = q35p::split_row(&row).unwrap();
            let (scale, low) = (window.scale as f64, window.offset as f64);
            let high = low + 105.0 * scale;
            // the roundings of the division by the step and of decoding
            let slack = 2f64.powi(-21) * (low.abs() + high.abs() + 105.0 * scale) + 1e-43;
            let mut at = 0;
            for group in x.chunks(q35p::GROUP_LEN) {
                for i in 0..group.len() {
                    let step = if i < q35p::four_bit_len(group.len()) { 7.0 } else { 15.0 } * scale;
                    let (v, error) = (x[at] as f64, (x[at] as f64 - y[at] as f64).abs());
                    // outside the window, which minmax never is: the nearest end of it
                    let outside = (low - v).max(v - high).max(0.0);
                    let limit = if outside > 0.0 { outside } else { 0.5 * step };
                    prop_assert!(error <= limit + slack, "{fit:?} {at}: {v} became {} with step {step}", y[at]);
                    prop_assert!(fit == Fit::Mse || outside <= slack);
                    at += 1;
                }
            }
        }
    }

    #[test]
    fn errors_of_symmetric_formats_are_at_most_half_a_step(row in rows()) {
        // magnitudes that an f16 scale has
        let x = Row { exponent: row.exponent.clamp(-3, 1), ..row }.values();
        let largest = x.iter().fold(0f32, |m, v| m.max(v.abs()));
        if !(1e-3..6e4).contains(&largest) {
            return Ok(());
        }
        for (format, levels) in [
            (Format::Tq1_0, 1.0), (Format::Tq2_0, 1.0), (Format::DenseTernary, 1.0), (Format::FiveLevel, 2.0),
            (Format::Q8_0, 127.0),
        ] {
            let y = unpack(format, x.len(), &pack(format, Fit::AbsMax, 1, &x));
            let group = if format == Format::DenseTernary { x.len() } else { format.block_len() };
            for (x, y) in x.chunks(group).zip(y.chunks(group)) {
                let largest = x.iter().fold(0f32, |m, v| m.max(v.abs())) as f64;
                for (v, w) in x.iter().zip(y) {
                    // the scale is rounded to f16: 2^-11 of a normal one, half of 2^-24 of a smaller one
                    let slack = w.abs() as f64 * 2f64.powi(-10) + levels * 2f64.powi(-25) + 1e-6 * largest;
                    let error = (*v as f64 - *w as f64).abs();
                    prop_assert!(error <= 0.5 * largest / levels + slack, "{format:?}: {v} became {w}");
                }
            }
        }
    }

    #[test]
    fn the_search_is_never_worse_than_the_range(row in rows()) {
        let x = row.values();
        let error = |fit| -> f64 {
            let y = unpack(Format::Q35P, x.len(), &pack(Format::Q35P, fit, 1, &x));
            x.iter().zip(&y).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum()
        };
        let (searched, whole) = (error(Fit::Mse), error(Fit::MinMax));
        // f32 sums choose between the two, and values far from zero lose bits below them
        let largest = x.iter().fold(0f32, |m, v| m.max(v.abs())) as f64;
        let slack = x.len() as f64 * (largest * 2f64.powi(-22)).powi(2);
        prop_assert!(searched <= whole * (1.0 + 1e-3) + slack, "{searched} after a search, {whole} without");
    }

    #[test]
    fn encoding_is_deterministic(row in rows(), cut in 0usize..5) {
        let x = row.values();
        for format in Format::ALL {
            for fit in [range_fit(format), Options::new(format).fit] {
                if format != Format::Q35P && range(&x).1.max(-range(&x).0) > 6e4 {
                    continue;
                }
                let matrix: Vec<f32> = (0..5).flat_map(|r| x.iter().map(move |v| v * 0.5f32.powi(r))).collect();
                let expected = pack(format, fit, 5, &matrix);
                on_every_tier(|_| {
                    assert_eq!(pack(format, fit, 5, &matrix), expected);
                    // and whatever the slices it is made in
                    let (top, bottom) = matrix.split_at(cut * x.len());
                    let mut parts = if cut > 0 { pack(format, fit, cut, top) } else { Vec::new() };
                    parts.extend(pack(format, fit, 5 - cut, bottom));
                    assert_eq!(parts, expected);
                });
            }
        }
    }

    #[test]
    fn activations_fit_int8_and_their_sums_int16(row in rows()) {
        let x = row.values();
        let mut acts = vec![ActBlock::ZERO; ActBlock::count(x.len())];
        quantize_activations(1, x.len(), &x, NonFinite::Error, &mut acts).unwrap();
        for block in &acts {
            prop_assert!(block.codes.iter().all(|c| *c >= -127));
            for (sum, codes) in block.sums.iter().zip(block.codes.chunks(16)) {
                prop_assert_eq!(*sum as i64, codes.iter().map(|c| *c as i64).sum::<i64>());
                prop_assert!(sum.abs() <= 16 * 127);
            }
        }
    }

    #[test]
    fn dequantization_distributes_over_the_integer_product(
        cols in 1usize..1025,
        seed in any::<u64>(),
        offset in -8i8..=8,
        extreme in any::<bool>(),
    ) {
        // Scales and offsets of few bits: every float operation is exact, so the two sides must be equal.
        let mut rng = Rng(seed);
        let mut acts = vec![ActBlock { scale: 1.0, ..ActBlock::ZERO }; ActBlock::count(cols)];
        for i in 0..cols {
            let random = (rng.next() as i8) / 4;
            let code = if extreme { -128 } else { random };
            let block = &mut acts[i / 256];
            block.codes[i % 256] = code;
            block.sums[i % 256 / 16] += code as i16;
        }
        for format in Format::ALL {
            const ROWS: usize = 5; // four at once and one alone
            let bytes = format.row_bytes(cols).unwrap();
            let mut data = Vec::new();
            for _ in 0..ROWS {
                let mut row: Vec<u8> = (0..bytes).map(|_| if extreme { 0xFF } else { rng.next() as u8 }).collect();
                set_scales(format, cols, &mut row, offset);
                data.extend(row);
            }
            let weights = Packed::new(format, ROWS, cols, &data).unwrap();
            let exact: Vec<f64> = data
                .chunks(bytes)
                .map(|row| {
                    let w = unpack(format, cols, row);
                    (0..cols).map(|i| w[i] as f64 * acts[i / 256].codes[i % 256] as f64).sum()
                })
                .collect();
            on_every_tier(|tier| {
                let mut y = [0.0; ROWS];
                matvec(&weights, &acts, &mut y).unwrap();
                for (y, exact) in y.iter().zip(&exact) {
                    assert_eq!(*y as f64, *exact, "{format:?}, {cols} columns, {}", tier.name());
                }
            });
        }
    }
}

/// Scale 1 (five-level: 2, so that half of it is whole) and the offset, in every block of a row.
fn set_scales(format: Format, cols: usize, row: &mut [u8], offset: i8) {
    let one = f16::ONE.to_le_bytes();
    let bytes = row.len();
    match format {
        Format::Q35P => q35p::store_affine(q35p::Affine { scale: 1.0, offset: offset as f32 }, row),
        Format::DenseTernary => row[bytes - 2..].copy_from_slice(&one),
        Format::Q8_0 => row.chunks_mut(q8_0::BLOCK_BYTES).for_each(|b| b[..2].copy_from_slice(&one)),
        Format::FiveLevel => row.chunks_mut(five_level::BLOCK_BYTES).for_each(|b| {
            let n = b.len();
            b[n - 2..].copy_from_slice(&f16::from_f32(2.0).to_le_bytes());
        }),
        _ => row.chunks_mut(format.block_bytes()).for_each(|b| {
            let n = b.len();
            b[n - 2..].copy_from_slice(&one);
        }),
    }
    assert!(cols > 0);
}

// ---- 3. Levels are fixed points ----

#[test]
fn q35p_levels_are_fixed_points_exhaustively() {
    // A row that holds all 16 levels in its 4-bit half and all 8 in its 3-bit half, for every power of two that f32
    // has room for and offsets on the grid: the window is found exactly, and every level decodes to itself.
    for exponent in -140..=118 {
        // powi of a negative exponent would go through the reciprocal of a power that overflows
        let scale = (exponent as f64).exp2() as f32;
        for start in [0.0f32, -105.0, -52.0, 7.0, -1000.0] {
            let mut x = vec![0f32; 32];
            for (i, v) in x.iter_mut().enumerate() {
                let code = if i < 16 { 7 * i } else { 15 * (i % 8) };
                *v = (start + code as f32) * scale;
            }
            let row = pack(Format::Q35P, Fit::MinMax, 1, &x);
            let (_, window) = q35p::split_row(&row).unwrap();
            assert_eq!((window.scale, window.offset), (scale, start * scale), "2^{exponent}, {start}");
            assert_eq!(unpack(Format::Q35P, 32, &row), x, "2^{exponent}, {start}");
        }
    }
}

// ---- 4. No overflow ----

/// The longest row whose sum of products of codes would fit an `i32` if it were not summed block by block.
const K_WITHOUT_BLOCKS: i64 = i32::MAX as i64 / (q35p::GRID as i64 * 128);

#[test]
fn integer_sums_reach_their_bound_and_stay_exact() {
    assert_eq!(K_WITHOUT_BLOCKS, 159_783);
    const BOUND: f32 = 105.0 * 128.0 * 256.0;
    assert!(BOUND as i64 == 3_440_640 && 3_440_640 < 1 << 22);
    let mut act = ActBlock { scale: 1.0, codes: [-128; 256], sums: [-2048; 16] };
    let mut data = vec![0xFF; 5 * Format::Q35P.row_bytes(256).unwrap()];
    for row in data.chunks_mut(120) {
        q35p::store_affine(q35p::Affine { scale: 1.0, offset: 0.0 }, row);
    }
    let weights = Packed::new(Format::Q35P, 5, 256, &data).unwrap();
    on_every_tier(|tier| {
        let mut y = [0.0; 5];
        matvec(&weights, &[act], &mut y).unwrap();
        assert_eq!(y, [-BOUND; 5], "{}", tier.name());
    });
    act.codes = [127; 256];
    act.sums = [16 * 127; 16];
    on_every_tier(|tier| {
        let mut y = [0.0; 5];
        matvec(&weights, &[act], &mut y).unwrap();
        assert_eq!(y, [105.0 * 127.0 * 256.0; 5], "{}", tier.name());
    });
    // Beyond the K of an unblocked sum: 625 blocks, each at the bound. The offset takes half of it off again.
    let blocks = 625;
    assert!(256 * blocks as i64 > K_WITHOUT_BLOCKS);
    let acts = vec![ActBlock { scale: 1.0, codes: [-128; 256], sums: [-2048; 16] }; blocks];
    let mut row = vec![0xFF; Format::Q35P.row_bytes(256 * blocks).unwrap()];
    q35p::store_affine(q35p::Affine { scale: 1.0, offset: -105.0 + 1.0 }, &mut row);
    let weights = Packed::new(Format::Q35P, 1, 256 * blocks, &row).unwrap();
    on_every_tier(|tier| {
        let mut y = [0.0];
        matvec(&weights, &acts, &mut y).unwrap();
        // every decoded weight is 1
        assert_eq!(y, [-128.0 * 256.0 * blocks as f32], "{}", tier.name());
    });
}

// ---- 5. Sizes ----

#[test]
fn row_sizes_are_exact_to_4096_columns_exhaustively() {
    for cols in 1..=4096usize {
        let bytes = |format: Format| format.row_bytes(cols).unwrap();
        assert_eq!(bytes(Format::Q35P), 7 * cols.div_ceil(16) + 8);
        assert_eq!(bytes(Format::DenseTernary), cols.div_ceil(5) + 2);
        assert_eq!(bytes(Format::Tq1_0), 54 * cols.div_ceil(256));
        assert_eq!(bytes(Format::Tq2_0), 66 * cols.div_ceil(256));
        assert_eq!(bytes(Format::Q8_0), 34 * cols.div_ceil(32));
        if cols % 16 == 0 {
            // 3.5 + 64 / cols bits a weight, in whole numbers
            assert_eq!(2 * 8 * bytes(Format::Q35P), 7 * cols + 128);
        }
        for format in Format::ALL {
            assert_eq!(format.matrix_bytes(7, cols).unwrap(), 7 * bytes(format));
            // what is written is what is stated: an encoder fills its row and no byte beside it
            if cols % 61 == 0 {
                assert_eq!(pack(format, range_fit(format), 1, &gaussian(cols, 1)).len(), bytes(format));
            }
        }
    }
}

// ---- 6. Importance ----

#[test]
fn importance_of_one_changes_nothing_and_large_importance_lowers_the_weighted_error() {
    let encode = |x: &[f32], importance: Option<&[f32]>| {
        let mut row = vec![0; Format::Q35P.row_bytes(x.len()).unwrap()];
        q35p::encode_row(x, importance, Fit::Mse, NonFinite::Error, &mut row).unwrap();
        row
    };
    let (mut weighted, mut plain) = (0.0, 0.0);
    for seed in 0..40 {
        let len = 300 + seed as usize;
        let x = gaussian(len, seed);
        let none = encode(&x, None);
        assert_eq!(none, pack(Format::Q35P, Fit::Mse, 1, &x));
        assert_eq!(none, encode(&x, Some(&vec![1.0; len])));
        assert_eq!(none, encode(&x, Some(&vec![0.25; len])));
        // columns with large weights matter most, as outlier channels do
        let importance: Vec<f32> = x.iter().map(|v| if v.abs() > 2.0 { 100.0 } else { 1.0 }).collect();
        let error = |row: &[u8]| -> f64 {
            let y = unpack(Format::Q35P, len, row);
            (0..len).map(|i| importance[i] as f64 * (x[i] as f64 - y[i] as f64).powi(2)).sum()
        };
        weighted += error(&encode(&x, Some(&importance)));
        plain += error(&none);
    }
    assert!(weighted < 0.8 * plain, "{weighted} with importance, {plain} without");

    let refused = |importance: &[f32]| {
        let mut row = [0xA5; 15];
        let got = q35p::encode_row(&[1.0, 2.0], Some(importance), Fit::Mse, NonFinite::Error, &mut row);
        assert!(row.iter().all(|b| *b == 0xA5));
        got.unwrap_err()
    };
    assert_eq!(refused(&[1.0]), hybridq::Error::Shape);
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(refused(&[1.0, bad]), hybridq::Error::InvalidArgument);
    }
    // no importance anywhere is no reason to fail
    assert_eq!(unpack(Format::Q35P, 2, &encode(&[1.0, 2.0], Some(&[0.0, 0.0]))).len(), 2);
}

// ---- The page ----

#[test]
fn every_theorem_names_tests_that_exist_and_every_test_here_has_its_theorem() {
    let root = env!("CARGO_MANIFEST_DIR");
    let read = |path: &str| {
        std::fs::read_to_string(format!("{root}/{path}")).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    let page = read("docs/theorems.md");
    let sections: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert!(sections.len() >= 8, "{} theorems", sections.len());
    let mut named = Vec::new();
    for section in sections {
        let title = section.lines().next().unwrap();
        assert!(section.contains("\n**Theorem.** ") && section.contains("\n**Proof.** "), "{title}");
        let (_, tests) =
            section.rsplit_once("\n**Tests.** ").unwrap_or_else(|| panic!("{title} names no test"));
        let names: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "{title} names no test");
        for name in names {
            let (path, function) = name.split_once("::").unwrap_or_else(|| panic!("{title}: `{name}`"));
            let source = read(path);
            let (before, _) = source
                .split_once(&format!("fn {function}("))
                .unwrap_or_else(|| panic!("{title}: no test {name}"));
            assert!(before.trim_end().ends_with("#[test]"), "{title}: {name} is no test");
            named.push(name.to_owned());
        }
    }
    let here = read("tests/theorems.rs");
    for (_, rest) in here.match_indices("#[test]\n").map(|(at, tag)| here.split_at(at + tag.len())) {
        let Some(rest) = rest.trim_start().strip_prefix("fn ") else { continue };
        let name = format!("tests/theorems.rs::{}", rest.split('(').next().unwrap());
        assert!(named.contains(&name) || name.contains("every_theorem_names"), "{name} proves no theorem");
    }
}
