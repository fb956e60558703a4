//! Integer products: their bounds, and that they are the products of the decoded values.

use crate::common::on_every_tier;
use half::f16;
use hybridq::linear::{Packed, matmul, matvec};
use hybridq::quant::{ActBlock, Format, NonFinite, five_level, q8_0, q35p, quantize_activations};
use proptest::prelude::*;

use super::common::Rng;
use super::rows::{CASES, rows};
use super::unpack;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

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
            const ROWS: usize = 9; // eight at once and one alone
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

/// The longest row whose sum of products of codes would fit an `i32` if it were not summed block by block.
const K_WITHOUT_BLOCKS: i64 = i32::MAX as i64 / (q35p::GRID as i64 * 128);

#[test]
fn integer_sums_reach_their_bound_and_stay_exact() {
    assert_eq!(K_WITHOUT_BLOCKS, 159_783);
    const BOUND: f32 = 105.0 * 128.0 * 256.0;
    assert!(BOUND as i64 == 3_440_640 && 3_440_640 < 1 << 22);
    let mut data = vec![0xFF; ROWS * Format::Q35P.row_bytes(256).unwrap()];
    for row in data.chunks_mut(120) {
        q35p::store_affine(q35p::Affine { scale: 1.0, offset: 0.0 }, row);
    }
    let weights = Packed::new(Format::Q35P, ROWS, 256, &data).unwrap();
    products_are(&weights, -128, -BOUND);
    products_are(&weights, 127, 105.0 * 127.0 * 256.0);
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

/// As many rows as a tier takes at once, eight at once, one alone.
const ROWS: usize = 57;

/// The product of rows of 256 columns with one vector, and with batches, on every tier.
fn products_are(weights: &Packed<'_>, code: i8, expected: f32) {
    const BATCH: usize = 5;
    let act = ActBlock { scale: 1.0, codes: [code; 256], sums: [16 * code as i16; 16] };
    on_every_tier(|tier| {
        let mut y = [0.0; ROWS * BATCH];
        matvec(weights, &[act], &mut y).unwrap();
        assert_eq!(y[..ROWS], [expected; ROWS], "{}", tier.name());
        matmul(weights, BATCH, &[act; BATCH], &mut y).unwrap();
        assert_eq!(y, [expected; ROWS * BATCH], "{} in batches", tier.name());
    });
}

#[test]
fn sums_of_symmetric_formats_reach_their_bounds_and_stay_exact() {
    // the byte of one extreme code everywhere, and the code
    for (format, byte, level) in [
        (Format::FiveLevel, 0xFF, 2.0),
        (Format::FiveLevel, 0x00, -2.0),
        (Format::Q8_0, 0x80, -128.0),
        (Format::Q8_0, 0x7F, 127.0),
        (Format::Tq1_0, 0xFF, 1.0),
        (Format::Tq2_0, 0xFF, 2.0),
        (Format::Tq2_0, 0x00, -1.0),
        (Format::DenseTernary, 0x00, -1.0),
    ] {
        let bytes = format.row_bytes(256).unwrap();
        let mut data = vec![byte; ROWS * bytes];
        for row in data.chunks_mut(bytes) {
            set_scales(format, 256, row, 0);
        }
        let weights = Packed::new(format, ROWS, 256, &data).unwrap();
        for code in [-128i8, -127, 127] {
            products_are(&weights, code, 256.0 * level * code as f32);
        }
    }
}
