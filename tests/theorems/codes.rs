//! Packing, sizes and levels, most of it case by case.

use half::f16;
use hybridq::quant::{Fit, Format, dense_ternary, five_level, q8_0, q35p, tq1_0, tq2_0};

use super::common::{Rng, gaussian};
use super::{pack, range_fit, unpack};

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
