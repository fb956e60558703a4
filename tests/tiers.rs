//! Every kernel on every tier of this machine against the scalar reference, bit for bit: all lengths around
//! the vector and block borders, all byte offsets of the packed data, extreme codes.

mod common;

use common::{Rng, gaussian, on_every_tier, same_on_every_tier, tiers};
use hybridq::Error;
use hybridq::linear::{
    ActTable, Packed, Prepared, act_tables, dot, dot_f32, matmul, matmul_f32, matmul_prepared, matvec,
    matvec_f32, matvec_prepared, matvec_with_tables, prepare, prepared_size, vector,
};
use hybridq::quant::{
    ActBlock, Fit, Format, NonFinite, Options, codes_workspace_size, dequantize, five_level_codes, q35p,
    quantize, quantize_activations, quantize_workspace_size, ternary_codes,
};
use hybridq::simd::{self, Tier};

/// Where the f16 scales of a packed matrix stand; of `Q35P`, where the f32 scale of each row and its offset do.
fn scale_positions(format: Format, rows: usize, cols: usize) -> Vec<usize> {
    if cols == 0 {
        return Vec::new();
    }
    let row = format.row_bytes(cols).unwrap();
    let blocks = match format {
        Format::DenseTernary | Format::Q35P => 1,
        _ => cols.div_ceil(format.block_len()),
    };
    let in_row = |block: usize| match format {
        Format::Q8_0 => block * 34,
        Format::DenseTernary => row - 2,
        Format::Q35P => row - 8,
        _ => ((block + 1) * format.block_bytes()).min(row) - 2,
    };
    (0..rows).flat_map(|r| (0..blocks).map(move |b| (r, b))).map(|(r, b)| r * row + in_row(b)).collect()
}

/// Arbitrary bytes with small finite scales, at a byte offset of the buffer.
fn packed(format: Format, rows: usize, cols: usize, offset: usize, rng: &mut Rng) -> Vec<u8> {
    let size = format.matrix_bytes(rows, cols).unwrap();
    let mut bytes: Vec<u8> = (0..offset + size).map(|_| rng.next() as u8).collect();
    for at in scale_positions(format, rows, cols) {
        // exponent 2^-4..2^3, any mantissa, either sign
        let half = (rng.next() as u16 & 0x83FF) | ((11 + (rng.next() % 8) as u16) << 10);
        let at = offset + at;
        if format == Format::Q35P {
            let scale = rng.uniform() as f32 - 0.5;
            bytes[at..at + 4].copy_from_slice(&scale.to_le_bytes());
            bytes[at + 4..at + 8].copy_from_slice(&(-60.0 * scale).to_le_bytes());
        } else {
            bytes[at..at + 2].copy_from_slice(&half.to_le_bytes());
        }
    }
    bytes
}

fn acts(cols: usize, rng: &mut Rng, code: impl Fn(&mut Rng) -> i8) -> Vec<ActBlock> {
    (0..ActBlock::count(cols))
        .map(|b| {
            let mut block = ActBlock { scale: rng.uniform() as f32 + 0.1, ..ActBlock::ZERO };
            for (i, c) in block.codes.iter_mut().enumerate() {
                if b * 256 + i < cols {
                    *c = code(rng);
                }
            }
            for (sum, codes) in block.sums.iter_mut().zip(block.codes.chunks(16)) {
                *sum = codes.iter().map(|&c| c as i16).sum();
            }
            block
        })
        .collect()
}

/// Each length with the byte offsets to try it at: all 16 for those around the vector borders, one in turn
/// for the longer ones.
fn lengths_and_offsets() -> impl Iterator<Item = (usize, usize)> {
    lengths().enumerate().flat_map(|(n, len)| {
        let offsets = if len <= 4 * 32 + 1 { 0..16 } else { n % 16..n % 16 + 1 };
        offsets.map(move |offset| (len, offset))
    })
}

fn lengths() -> impl Iterator<Item = usize> {
    let borders = [
        159, 160, 161, 186, 187, 188, 189, 190, 191, 192, 193, 255, 256, 257, 319, 320, 321, 383, 384, 385,
        511, 512, 513,
    ];
    let long = [639, 640, 641, 767, 768, 769, 960, 1023, 1024, 1025, 1280, 1281, 2560, 4096];
    (0..=4 * 32 + 1).chain(borders).chain(long)
}

#[test]
fn packed_products_with_int8_activations() {
    let mut rng = Rng(1);
    for format in Format::ALL {
        for (cols, offset) in lengths_and_offsets() {
            let data = packed(format, 1, cols, offset, &mut rng);
            let data = &data[offset..];
            let row = Packed::new(format, 1, cols, data).unwrap();
            let acts = acts(cols, &mut rng, |r| r.next() as i8);
            let y = same_on_every_tier(&format!("{format:?} dot, {cols} columns"), || {
                dot(&row, &acts).unwrap().to_bits()
            });
            // and the reference itself against the decoded values in f64
            let mut w = vec![0f32; cols];
            dequantize(format, 1, cols, data, &mut w).unwrap();
            let terms: Vec<f64> = w
                .iter()
                .enumerate()
                .map(|(i, w)| *w as f64 * acts[i / 256].codes[i % 256] as f64 * acts[i / 256].scale as f64)
                .collect();
            let exact: f64 = terms.iter().sum();
            let mut size: f64 = terms.iter().map(|t| t.abs()).sum();
            if format == Format::Q35P {
                // its terms are those of scale and of offset
                let offset = q35p::split_row(data).map_or(0.0, |(_, affine)| affine.offset as f64);
                let act = |i: usize| acts[i / 256].codes[i % 256] as f64 * acts[i / 256].scale as f64;
                size += (0..cols).map(|i| (2.0 * offset * act(i)).abs()).sum::<f64>();
            }
            let error = (f32::from_bits(y) as f64 - exact).abs();
            assert!(error <= 1e-6 * size, "{format:?} {cols}: {} for {exact}", f32::from_bits(y));
        }
    }
}

#[test]
fn every_byte_offset_of_the_packed_data() {
    let mut rng = Rng(2);
    for format in Format::ALL {
        for offset in 0..16 {
            let cols = 1100;
            let data = packed(format, 1, cols, offset, &mut rng);
            let row = Packed::new(format, 1, cols, &data[offset..]).unwrap();
            let acts = acts(cols, &mut rng, |r| r.next() as i8);
            let x = gaussian(cols + 3, offset as u64);
            let x = &x[offset % 4..offset % 4 + cols];
            same_on_every_tier(&format!("{format:?} at offset {offset}"), || {
                (dot(&row, &acts).unwrap().to_bits(), dot_f32(&row, x).unwrap().to_bits())
            });
        }
    }
}

#[test]
fn extreme_codes_do_not_overflow() {
    for format in Format::ALL {
        for cols in [256, 320, 4096] {
            for act in [-128i8, -127, 127] {
                for byte in [0u8, 0x55, 0x80, 0xAA, 0xFF] {
                    const ROWS: usize = 57; // as many at once as a tier takes, eight at once, one alone
                    const BATCH: usize = 5;
                    let mut data = vec![byte; format.matrix_bytes(ROWS, cols).unwrap()];
                    let mut rng = Rng(3);
                    let scales = packed(format, ROWS, cols, 0, &mut rng);
                    // real scales, extreme codes
                    let bytes = if format == Format::Q35P { 8 } else { 2 };
                    for at in scale_positions(format, ROWS, cols) {
                        data[at..at + bytes].copy_from_slice(&scales[at..at + bytes]);
                    }
                    let w = Packed::new(format, ROWS, cols, &data).unwrap();
                    let acts = acts(cols, &mut rng, |_| act);
                    same_on_every_tier(&format!("{format:?} bytes {byte:#x} times {act}"), || {
                        let mut y = [0.0; (1 + BATCH) * ROWS];
                        let (one, many) = y.split_at_mut(ROWS);
                        matvec(&w, &acts, one).unwrap();
                        matmul(&w, BATCH, &acts.repeat(BATCH), many).unwrap();
                        for vector in many.chunks(ROWS) {
                            assert!(vector.iter().zip(&*one).all(|(a, b)| a.to_bits() == b.to_bits()));
                        }
                        one.iter().map(|y| y.to_bits()).collect::<Vec<_>>()
                    });
                }
            }
        }
    }
}

#[test]
fn packed_products_with_f32_activations() {
    let mut rng = Rng(4);
    for format in Format::ALL {
        for (cols, offset) in lengths_and_offsets() {
            let data = packed(format, 1, cols, offset, &mut rng);
            let data = &data[offset..];
            let row = Packed::new(format, 1, cols, data).unwrap();
            let x = gaussian(cols + offset % 4, cols as u64);
            let x = &x[offset % 4..];
            let y = same_on_every_tier(&format!("{format:?} f32 dot, {cols} columns"), || {
                dot_f32(&row, x).unwrap().to_bits()
            });
            let mut w = vec![0f32; cols];
            dequantize(format, 1, cols, data, &mut w).unwrap();
            let exact: f64 = w.iter().zip(x).map(|(w, x)| *w as f64 * *x as f64).sum();
            let size: f64 = w.iter().zip(x).map(|(w, x)| (*w as f64 * *x as f64).abs()).sum();
            let bound = (cols as f64 / 16.0 + cols as f64 / 128.0 + 8.0) * 2f64.powi(-24) * size;
            assert!((f32::from_bits(y) as f64 - exact).abs() <= bound, "{format:?} {cols}");
        }
    }
}

#[test]
fn matrices_and_batches_are_their_rows_and_vectors() {
    let mut rng = Rng(5);
    for format in Format::ALL {
        // around the eight rows and four vectors that a tier may take at once
        let few = (1..=9).flat_map(|rows| [(rows, 257, 2), (rows, 257, 5)]);
        let others = [
            (1, 1, 1),
            (3, 300, 4),
            (7, 1025, 2),
            (2, 160, 3),
            (5, 0, 2),
            (0, 9, 2),
            (4, 4096, 1),
            (9, 255, 3),
            // several tiles of eight rows, more blocks and more vectors than are summed at once
            (17, 300, 5),
            (57, 600, 5),
            (49, 4400, 4),
            (9, 8300, 1),
            (50, 256, 37),
        ];
        for (i, (rows, cols, batch)) in few.chain(others).flat_map(|case| [case, case]).enumerate() {
            let mut data = packed(format, rows, cols, 0, &mut rng);
            if format == Format::Tq2_0 && i % 2 == 1 {
                // real ternary: no code 3
                data.iter_mut().for_each(|b| *b &= !((*b & (*b >> 1) & 0x55) << 1));
            }
            let w = Packed::new(format, rows, cols, &data).unwrap();
            let acts: Vec<ActBlock> =
                (0..batch).flat_map(|_| acts(cols, &mut rng, |r| r.next() as i8)).collect();
            let x = gaussian(batch * cols, 6);
            let all = same_on_every_tier(&format!("{format:?} matmul {rows} x {cols} x {batch}"), || {
                let mut y = vec![f32::NAN; 2 * batch * rows];
                let (int8, float) = y.split_at_mut(batch * rows);
                matmul(&w, batch, &acts, int8).unwrap();
                matmul_f32(&w, batch, &x, float).unwrap();
                if matches!(format, Format::Tq1_0 | Format::Tq2_0) {
                    same_prepared(&w, batch, &acts, int8);
                }
                y.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
            });
            let blocks = ActBlock::count(cols);
            for b in 0..batch {
                let (mut y, mut z) = (vec![0f32; rows], vec![0f32; rows]);
                matvec(&w, &acts[b * blocks..(b + 1) * blocks], &mut y).unwrap();
                matvec_f32(&w, &x[b * cols..(b + 1) * cols], &mut z).unwrap();
                for r in 0..rows {
                    assert_eq!(y[r].to_bits(), all[b * rows + r]);
                    assert_eq!(z[r].to_bits(), all[(batch + b) * rows + r]);
                    let row = w.rows_between(r, r + 1).unwrap();
                    assert_eq!(dot(&row, &acts[b * blocks..(b + 1) * blocks]).unwrap(), y[r]);
                    assert_eq!(dot_f32(&row, &x[b * cols..(b + 1) * cols]).unwrap(), z[r]);
                }
            }
        }
    }
}

/// A prepared matrix, whole and in slices, and one with tables of the activations give the bits of the packed one.
fn same_prepared(w: &Packed<'_>, batch: usize, acts: &[ActBlock], expected: &[f32]) {
    let (rows, cols) = (w.rows(), w.cols());
    let blocks = ActBlock::count(cols);
    let mut data = vec![0xA5; prepared_size(rows, cols).unwrap()];
    let prepared = prepare(w, &mut data).unwrap();
    let mut y = vec![f32::NAN; batch * rows];
    matmul_prepared(&prepared, batch, acts, &mut y).unwrap();
    assert_eq!(bits(&y), bits(expected), "prepared");
    let mut tables = vec![ActTable::ZERO; blocks];
    for (b, expected) in (0..batch).zip(expected.chunks(rows.max(1))) {
        let acts = &acts[b * blocks..(b + 1) * blocks];
        let mut y = vec![f32::NAN; rows];
        for start in (0..rows).step_by(16) {
            let end = (start + 16).min(rows);
            let part = prepared.rows_between(start, end).unwrap();
            matvec_prepared(&part, acts, &mut y[start..]).unwrap();
        }
        assert_eq!(bits(&y), bits(expected), "prepared slices");
        act_tables(acts, &mut tables).unwrap();
        matvec_with_tables(w, acts, &tables, &mut y).unwrap();
        assert_eq!(bits(&y), bits(expected), "tables");
    }
}

fn bits(y: &[f32]) -> Vec<u32> {
    y.iter().map(|v| v.to_bits()).collect()
}

#[test]
fn prepared_layouts_refuse_what_they_cannot_hold() {
    let data = [0u8; 3 * 66];
    let w = Packed::new(Format::Tq2_0, 3, 200, &data).unwrap();
    assert_eq!(prepared_size(3, 200), Ok(528));
    assert_eq!(prepared_size(9, 257), Ok(4 * 528));
    assert_eq!(prepared_size(usize::MAX, 257), Err(Error::SizeOverflow));
    let mut out = [7u8; 528];
    assert_eq!(prepare(&w, &mut out[..527]).unwrap_err(), Error::OutputTooSmall);
    let q8 = [0u8; 34];
    let other = Packed::new(Format::Q8_0, 1, 32, &q8).unwrap();
    assert_eq!(prepare(&other, &mut out).unwrap_err(), Error::Unsupported);
    assert!(out.iter().all(|&b| b == 7), "an error leaves the output alone");
    let prepared = prepare(&w, &mut out).unwrap();
    assert_eq!(prepared.rows_between(1, 3).unwrap_err(), Error::Shape);
    assert_eq!(prepared.rows_between(0, 2).unwrap_err(), Error::Shape);
    assert_eq!(prepared.rows_between(0, 4).unwrap_err(), Error::Shape);
    let mut y = [7.0; 3];
    assert_eq!(matvec_prepared(&prepared, &[], &mut y).unwrap_err(), Error::Shape);
    assert_eq!(
        matvec_prepared(&prepared, &[ActBlock::ZERO], &mut y[..2]).unwrap_err(),
        Error::OutputTooSmall
    );
    assert_eq!(matvec_with_tables(&w, &[ActBlock::ZERO], &[], &mut y).unwrap_err(), Error::Shape);
    assert_eq!(y, [7.0; 3]);
    assert_eq!(Prepared::new(3, 200, &[0; 527]).unwrap_err(), Error::Shape);
}

#[test]
fn quantizers_and_codes() {
    let fits = [
        Fit::Mse,
        Fit::Lloyd,
        Fit::AbsMean,
        Fit::AbsMax,
        Fit::Percentile(40.0),
        Fit::NormPreserving,
        Fit::Fixed { threshold: 0.5, scale: 1.25 },
        Fit::MinMax,
    ];
    for (n, len) in lengths().enumerate() {
        for magnitude in [1.0f32, 1e-20, 1e30] {
            let x: Vec<f32> = gaussian(len + n % 4, n as u64).iter().map(|v| v * magnitude).collect();
            let x = &x[n % 4..];
            for fit in fits {
                for format in Format::ALL {
                    let options = Options::new(format).fit(fit).non_finite(NonFinite::Saturate);
                    let Ok(size) = quantize_workspace_size(format, &options, 1, len) else { continue };
                    let packed = same_on_every_tier(&format!("{format:?}, {fit:?}, {len} values"), || {
                        let mut out = vec![0; format.matrix_bytes(1, len).unwrap()];
                        quantize(format, &options, 1, len, x, &mut out, &mut vec![0; size]).unwrap();
                        out
                    });
                    assert_eq!(packed.len(), format.matrix_bytes(1, len).unwrap());
                }
                if fit == Fit::MinMax {
                    continue; // packed pairs only
                }
                same_on_every_tier(&format!("codes, {fit:?}, {len} values"), || {
                    let mut codes = vec![0i8; 2 * len];
                    let (three, five) = codes.split_at_mut(len);
                    let mut scratch = vec![0; codes_workspace_size(fit, len).unwrap()];
                    let t = ternary_codes(fit, NonFinite::Error, x, three, &mut scratch).unwrap();
                    let f = five_level_codes(fit, NonFinite::Error, x, five, &mut scratch).unwrap();
                    (codes, t.scale.to_bits(), t.threshold.to_bits(), f.scale.to_bits())
                });
            }
        }
    }
}

#[test]
fn activations() {
    for (n, len) in lengths().enumerate() {
        for magnitude in [1.0f32, 1e-38, 1e-42, 3e37] {
            let x: Vec<f32> = gaussian(len + n % 4, n as u64).iter().map(|v| v * magnitude).collect();
            let x = &x[n % 4..];
            let blocks = same_on_every_tier(&format!("activations, {len} values"), || {
                let mut out = vec![ActBlock::ZERO; ActBlock::count(len)];
                quantize_activations(1, len, x, NonFinite::Error, &mut out).unwrap();
                out
            });
            for (i, v) in x.iter().enumerate() {
                let block = &blocks[i / 256];
                let decoded = block.codes[i % 256] as f32 * block.scale;
                // half a step, and what a denormal scale cannot hold
                assert!((v - decoded).abs() <= 0.5001 * block.scale + 64.0 * 1.5e-45, "{v} {decoded}");
            }
        }
    }
    // ties go to even, saturation to the largest finite magnitude
    let mut x = vec![127.0f32, 0.5, 1.5, 2.5, -0.5, -1.5, f32::INFINITY, f32::NAN];
    let blocks = same_on_every_tier("activations with ties", || {
        let mut out = [ActBlock::ZERO];
        assert!(quantize_activations(1, 8, &x, NonFinite::Error, &mut out).is_err());
        assert_eq!(out[0], ActBlock::ZERO);
        quantize_activations(1, 8, &x, NonFinite::Saturate, &mut out).unwrap();
        out
    });
    assert_eq!(blocks[0].codes[..8], [127, 0, 2, 2, 0, -2, 127, 0]);
    assert_eq!(blocks[0].sums[0], 127 + 2 + 2 - 2 + 127);
    x.clear();
    quantize_activations(0, 8, &x, NonFinite::Error, &mut []).unwrap();
}

#[test]
fn f32_vectors() {
    for n in 0..=4 * 16 + 1 {
        for offset in 0..4 {
            let (a, b) = (gaussian(n + offset, 7), gaussian(n + offset, 8));
            let (a, b) = (&a[offset..], &b[offset..]);
            let (d, square, norm, y) = same_on_every_tier(&format!("vectors of {n}"), || {
                let mut y = b.to_vec();
                vector::axpy(0.3, a, &mut y).unwrap();
                let y: Vec<u32> = y.iter().map(|v| v.to_bits()).collect();
                let (d, square) = (vector::dot(a, b).unwrap(), vector::squared_distance(a, b).unwrap());
                (d.to_bits(), square, vector::norm(a).to_bits(), y)
            });
            let exact: f64 = a.iter().zip(b).map(|(a, b)| *a as f64 * *b as f64).sum();
            let size: f64 = a.iter().zip(b).map(|(a, b)| (*a as f64 * *b as f64).abs()).sum();
            let bound = (n as f64 / 16.0 + 6.0) * 2f64.powi(-24) * size;
            assert!((f32::from_bits(d) as f64 - exact).abs() <= bound);
            let exact: f64 = a.iter().zip(b).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum();
            assert!((square as f64 - exact).abs() <= (n as f64 / 16.0 + 8.0) * 2f64.powi(-24) * exact);
            let exact = a.iter().map(|a| (*a as f64).powi(2)).sum::<f64>().sqrt();
            assert!((f32::from_bits(norm) as f64 - exact).abs() <= 1e-6 * exact);
            for i in 0..n {
                assert_eq!(f32::from_bits(y[i]), b[i] + 0.3 * a[i]);
            }
        }
    }
    for magnitude in [1e-44f32, 1e-30, 1e-20, 1.0, 1e20, 1e30, 2e38] {
        let x = [magnitude, magnitude];
        let expected = (2.0f64.sqrt() * magnitude as f64) as f32;
        assert!(
            (vector::norm(&x) / expected - 1.0).abs() < 0.2f32.min(1e-6f32.max(1e-45 / magnitude)),
            "{magnitude}"
        );
    }
    assert_eq!(vector::norm(&[]), 0.0);
    assert_eq!(vector::norm(&[f32::NEG_INFINITY, 1.0]), f32::INFINITY);
    assert!(vector::norm(&[f32::INFINITY, f32::NAN]).is_nan());
    assert!(vector::dot(&[1.0], &[]).is_err());
    assert!(vector::squared_distance(&[1.0], &[]).is_err());
    assert!(vector::axpy(1.0, &[1.0], &mut []).is_err());
}

#[test]
fn forcing_an_absent_tier_is_refused_and_changes_nothing() {
    on_every_tier(|active| {
        for tier in Tier::ALL.into_iter().filter(|t| !t.is_available()) {
            assert_eq!(simd::force(Some(tier)), Err(hybridq::Error::TierUnavailable));
            assert_eq!(simd::active(), active);
        }
    });
}

#[test]
fn this_machine_has_the_tiers_of_its_architecture() {
    let here: Vec<Tier> = tiers().collect();
    println!("tiers here: {here:?}, detected {:?}", simd::detect());
    #[cfg(target_arch = "aarch64")]
    assert_eq!(simd::detect(), Tier::Neon);
    assert!(here.contains(&simd::detect()));
    for tier in Tier::ALL {
        assert_eq!(Tier::from_name(tier.name()), Some(tier));
        assert_eq!(Tier::from_i32(tier as i32), Ok(tier));
    }
    assert_eq!(Tier::from_name("sse42"), Some(Tier::Sse42));
    assert_eq!(Tier::from_name("avx1024"), None);
    assert!(Tier::from_i32(99).is_err());
}

#[test]
fn shapes_are_checked_before_anything_is_written() {
    use hybridq::Error;
    let data = [0u8; 66];
    assert!(Packed::new(Format::Tq2_0, 1, 256, &data[..65]).is_err());
    assert!(matches!(Packed::new(Format::Tq2_0, usize::MAX, 256, &data), Err(Error::SizeOverflow)));
    let w = Packed::new(Format::Tq2_0, 1, 256, &data).unwrap();
    let acts = [ActBlock::ZERO];
    let mut y = [7.0f32];
    assert_eq!(matvec(&w, &[], &mut y), Err(Error::Shape));
    assert_eq!(matvec(&w, &acts, &mut []), Err(Error::OutputTooSmall));
    assert_eq!(matmul(&w, usize::MAX, &acts, &mut y), Err(Error::Shape));
    assert_eq!(matvec_f32(&w, &[0.0; 255], &mut y), Err(Error::Shape));
    assert_eq!(y, [7.0]);
    assert_eq!(w.rows_between(0, 2).unwrap_err(), Error::Shape);
}
