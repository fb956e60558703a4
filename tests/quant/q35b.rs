//! `Q35B`: the guarantees of the format, by exhaustion or at the bounds.

use crate::common::{Rng, gaussian, rmse};
use half::f16;
use hybridq::linear::{Packed, dot};
use hybridq::quant::q35b::{
    BLOCK_BYTES, BLOCK_LEN, CODEBOOKS, GROUPS, MAX_LEVEL, MAX_MAGNITUDE, encode_block, pack, tail_bytes,
    unpack,
};
use hybridq::quant::{ActBlock, Format, NonFinite, Options, dequantize, quantize};

fn round_trip(x: &[f32], rows: usize) -> Vec<f32> {
    let cols = x.len() / rows;
    let mut packed = vec![0; Format::Q35B.matrix_bytes(rows, cols).unwrap()];
    quantize(Format::Q35B, &Options::new(Format::Q35B), rows, cols, x, &mut packed, &mut []).unwrap();
    let mut y = vec![0.0; x.len()];
    dequantize(Format::Q35B, rows, cols, &packed, &mut y).unwrap();
    y
}

#[test]
fn the_compression_ratio_is_exact() {
    assert_eq!((BLOCK_LEN, BLOCK_BYTES), (256, 112));
    for blocks in 1..50 {
        assert_eq!(Format::Q35B.row_bytes(256 * blocks), Ok(112 * blocks));
        assert_eq!(Format::Q35B.bits_per_weight(256 * blocks), 3.5);
    }
    // 384 = 256 + 128: 8 groups of 6 code bytes, a select byte, 6 scale bytes, the block scale
    assert_eq!(Format::Q35B.row_bytes(384), Ok(112 + 48 + 1 + 6 + 2));
    for cols in 1..2000 {
        let row = Format::Q35B.row_bytes(cols).unwrap();
        assert!(row <= cols.div_ceil(256) * 112, "never more than padding to full blocks");
        assert_eq!(row, cols / 256 * 112 + if cols % 256 == 0 { 0 } else { tail_bytes(cols % 256) });
    }
}

#[test]
fn every_level_times_every_scale_decodes_exactly_and_in_range() {
    for d in [f16::from_bits(1), f16::from_f32(0.3), f16::MAX, -f16::MAX] {
        for scale in -32i8..32 {
            for code in 0..8u8 {
                for select in [0u16, u16::MAX] {
                    let mut block = [0; BLOCK_BYTES];
                    pack(&[code; BLOCK_LEN], select, &[scale; GROUPS], d, &mut block);
                    let mut y = [f32::NAN; BLOCK_LEN];
                    dequantize(Format::Q35B, 1, BLOCK_LEN, &block, &mut y).unwrap();
                    let level = CODEBOOKS[(select & 1) as usize][code as usize];
                    assert!(level.abs() <= MAX_LEVEL);
                    let exact = d.to_f64() / 256.0 * scale as f64 * level as f64;
                    assert!(y.iter().all(|&v| v as f64 == exact), "{d} {scale} {level}");
                    assert!(exact.abs() <= d.to_f64().abs() / 256.0 * 32.0 * 31.0);
                }
            }
        }
    }
}

#[test]
fn sums_at_the_bounds_are_exact() {
    // Every code, scale, select bit and activation at its extremes: i16 lanes reach +-31,744, the sum +-32,505,856.
    let mut largest = 0.0f32;
    for code in [0u8, 3, 7] {
        for select in [0u16, u16::MAX, 0x5555] {
            for scale in [-32i8, 31] {
                for code_of in [|_: usize| -128i8, |_| 127, |i| if i % 2 == 0 { 127 } else { -128 }] {
                    let mut block = [0; BLOCK_BYTES];
                    // d = 256: a unit of 1, so that the result is the integer sum itself
                    pack(&[code; BLOCK_LEN], select, &[scale; GROUPS], f16::from_f32(256.0), &mut block);
                    let mut act = ActBlock { scale: 1.0, ..ActBlock::ZERO };
                    for (i, c) in act.codes.iter_mut().enumerate() {
                        *c = code_of(i);
                    }
                    let sum: i64 = (0..BLOCK_LEN)
                        .map(|i| {
                            let book = CODEBOOKS[(select >> (i / 16) & 1) as usize];
                            scale as i64 * book[code as usize] as i64 * act.codes[i] as i64
                        })
                        .sum();
                    let w = Packed::new(Format::Q35B, 1, BLOCK_LEN, &block).unwrap();
                    let got = dot(&w, &[act]).unwrap();
                    assert_eq!(got, sum as i32 as f32, "code {code} select {select:#x} scale {scale}");
                    largest = largest.max(got.abs());
                }
            }
        }
    }
    assert_eq!(largest, 32_505_856.0);
}

#[test]
fn encoding_is_deterministic_and_a_row_range_gives_the_bytes_of_its_rows() {
    let x = gaussian(6 * 700, 3);
    let options = Options::new(Format::Q35B);
    let bytes = |rows: usize, x: &[f32]| {
        let mut out = vec![0; Format::Q35B.matrix_bytes(rows, 700).unwrap()];
        quantize(Format::Q35B, &options, rows, 700, x, &mut out, &mut []).unwrap();
        out
    };
    let all = bytes(6, &x);
    assert_eq!(all, bytes(6, &x));
    let parts: Vec<u8> = x.chunks(2 * 700).flat_map(|x| bytes(2, x)).collect();
    assert_eq!(all, parts);
}

#[test]
fn the_error_stays_below_its_limit_on_other_distributions_and_magnitudes() {
    let normal = gaussian(1 << 17, 7);
    let laplace: Vec<f32> = {
        let mut rng = Rng(8);
        (0..1 << 17)
            .map(|_| {
                let u = rng.uniform() - 0.5;
                (-u.signum() * (1.0 - 2.0 * u.abs()).max(1e-12).ln()) as f32
            })
            .collect()
    };
    for (name, x, limit) in [("normal", &normal, 0.129), ("laplace", &laplace, 0.140)] {
        for magnitude in [1.0f32, 1e-3, 1e-5, 3e3] {
            let x: Vec<f32> = x.iter().map(|v| v * magnitude).collect();
            let error = rmse(&x, &round_trip(&x, 64));
            println!("{name} times {magnitude}: {error:.5}");
            assert!(error <= limit, "{name} times {magnitude}: {error}");
        }
    }
}

#[test]
fn what_the_format_holds_exactly_comes_back_almost_exactly() {
    let mut rng = Rng(4);
    for _ in 0..50 {
        let mut block = [0; BLOCK_BYTES];
        let mut codes = [0u8; BLOCK_LEN];
        codes.fill_with(|| (rng.next() % 8) as u8);
        let mut scales = [0i8; GROUPS];
        scales.fill_with(|| (rng.next() % 64) as i8 - 32);
        scales[0] = 31;
        pack(&codes, rng.next() as u16, &scales, f16::from_f32(1.5), &mut block);
        let mut x = [0.0; BLOCK_LEN];
        dequantize(Format::Q35B, 1, BLOCK_LEN, &block, &mut x).unwrap();
        let error = rmse(&x, &round_trip(&x, 1));
        assert!(error < 0.03, "{error}");
    }
}

#[test]
fn importance_moves_the_error_to_where_it_counts_less() {
    let x = gaussian(BLOCK_LEN * 40, 5);
    let importance: Vec<f32> = (0..BLOCK_LEN).map(|i| if i % 4 == 0 { 100.0 } else { 1.0 }).collect();
    let weighted = |importance: Option<&[f32]>| -> f64 {
        x.chunks(BLOCK_LEN)
            .map(|x| {
                let e = encode_block(x, importance, &CODEBOOKS);
                let mut block = [0; BLOCK_BYTES];
                pack(&e.codes, e.select, &e.scales, e.d, &mut block);
                let u = unpack(&block);
                (0..BLOCK_LEN)
                    .map(|i| {
                        let y = u.unit * u.scales[i / 16] as f32 * u.levels[i] as f32;
                        (if i % 4 == 0 { 100.0 } else { 1.0 }) * ((x[i] - y) as f64).powi(2)
                    })
                    .sum::<f64>()
            })
            .sum()
    };
    let (with, without) = (weighted(Some(&importance)), weighted(None));
    println!("weighted error {with:.3} with importance, {without:.3} without");
    assert!(with < 0.8 * without);
    // only proportions count, and extremes of importance do no harm
    let scaled: Vec<f32> = importance.iter().map(|v| v * 1024.0).collect();
    assert_eq!(
        encode_block(&x[..256], Some(&importance), &CODEBOOKS),
        encode_block(&x[..256], Some(&scaled), &CODEBOOKS)
    );
    for extreme in [0.0, f32::MAX, f32::MIN_POSITIVE, 1e-45] {
        let e = encode_block(&x[..256], Some(&[extreme; 256]), &CODEBOOKS);
        assert_eq!(e, encode_block(&x[..256], None, &CODEBOOKS), "{extreme}");
    }
}

#[test]
fn magnitudes_above_the_range_are_refused_or_capped() {
    let options = Options::new(Format::Q35B);
    let mut out = [0xA5; BLOCK_BYTES];
    let mut x = [1.0f32; BLOCK_LEN];
    x[7] = MAX_MAGNITUDE * 1.001;
    let got = quantize(Format::Q35B, &options, 1, BLOCK_LEN, &x, &mut out, &mut []);
    assert_eq!(got, Err(hybridq::Error::ScaleRange));
    assert_eq!(out, [0xA5; BLOCK_BYTES]);
    let options = options.non_finite(NonFinite::Saturate);
    quantize(Format::Q35B, &options, 1, BLOCK_LEN, &x, &mut out, &mut []).unwrap();
    x[7] = MAX_MAGNITUDE;
    let y = round_trip(&x, 1);
    assert!((y[7] / MAX_MAGNITUDE - 1.0).abs() < 0.05, "{}", y[7]);
}
