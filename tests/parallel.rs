//! Products and quantizers on the threads of a pool: the bits of one thread, whatever the pool, the format and the shape.
#![cfg(feature = "rayon")]

mod common;

use std::sync::LazyLock;

use common::{Rng, gaussian};
use hybridq::Error;
use hybridq::linear::{
    Packed, Prepared, matmul, matmul_f32, matmul_f32_parallel, matmul_parallel, matmul_prepared,
    matmul_prepared_parallel, matvec, matvec_f32, matvec_f32_parallel, matvec_parallel, matvec_prepared,
    matvec_prepared_parallel, prepare, prepared_size,
};
use hybridq::quant::{
    ActBlock, Fit, Format, Granularity, NonFinite, Options, quantize, quantize_activations,
    quantize_parallel, quantize_weighted, quantize_weighted_parallel, quantize_weighted_workspace_size,
    quantize_workspace_size,
};
use rayon::{ThreadPool, ThreadPoolBuilder};

static POOLS: LazyLock<[ThreadPool; 4]> =
    LazyLock::new(|| [1, 2, 3, 7].map(|n| ThreadPoolBuilder::new().num_threads(n).build().unwrap()));

/// A few encoded rows in random order: rows that stand in each other's place give other results.
fn packed(format: Format, rows: usize, cols: usize, seed: u64) -> Vec<u8> {
    const DISTINCT: usize = 11;
    let options = Options::new(format);
    let mut bytes = vec![0; format.matrix_bytes(DISTINCT, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, DISTINCT, cols).unwrap()];
    let x = gaussian(DISTINCT * cols, seed);
    quantize(format, &options, DISTINCT, cols, &x, &mut bytes, &mut scratch).unwrap();
    let row = format.row_bytes(cols).unwrap();
    let mut rng = Rng(seed);
    (0..rows)
        .flat_map(|_| {
            let at = (rng.next() % DISTINCT as u64) as usize * row;
            bytes[at..at + row].to_vec()
        })
        .collect()
}

fn acts(batch: usize, cols: usize, x: &[f32]) -> Vec<ActBlock> {
    let mut acts = vec![ActBlock::ZERO; batch * ActBlock::count(cols)];
    quantize_activations(batch, cols, x, NonFinite::Error, &mut acts).unwrap();
    acts
}

/// The output of `product`, longer than needed by `more`, as bits.
fn bits(len: usize, more: usize, product: impl FnOnce(&mut [f32]) -> Result<(), Error>) -> Vec<u32> {
    let mut y = vec![-7.5f32; len + more];
    product(&mut y).unwrap();
    y.iter().map(|v| v.to_bits()).collect()
}

/// Every parallel product against its sibling, in every pool.
fn compare(format: Format, rows: usize, cols: usize, batch: usize, seed: u64) {
    let bytes = packed(format, rows, cols, seed);
    let weights = Packed::new(format, rows, cols, &bytes).unwrap();
    let x = gaussian(batch * cols, seed + 1);
    let a = acts(batch, cols, &x);
    let len = batch * rows;
    let more = (seed % 3) as usize;
    let what = |name: &str, pool: &ThreadPool| {
        format!("{name}, {format:?}, {rows} x {cols}, batch {batch}, {} threads", pool.current_num_threads())
    };

    let int8 = bits(len, more, |y| matmul(&weights, batch, &a, y));
    let float = bits(len, more, |y| matmul_f32(&weights, batch, &x, y));
    for pool in POOLS.iter() {
        let got = pool.install(|| bits(len, more, |y| matmul_parallel(&weights, batch, &a, y)));
        assert!(got == int8, "{}", what("int8", pool));
        let got = pool.install(|| bits(len, more, |y| matmul_f32_parallel(&weights, batch, &x, y)));
        assert!(got == float, "{}", what("f32", pool));
    }
    if !matches!(format, Format::Tq1_0 | Format::Tq2_0) {
        return;
    }
    let mut data = vec![0; prepared_size(rows, cols).unwrap()];
    let prepared = prepare(&weights, &mut data).unwrap();
    let expected = bits(len, more, |y| matmul_prepared(&prepared, batch, &a, y));
    assert!(expected == int8, "prepared, {format:?}");
    for pool in POOLS.iter() {
        let got = pool.install(|| bits(len, more, |y| matmul_prepared_parallel(&prepared, batch, &a, y)));
        assert!(got == expected, "{}", what("prepared", pool));
    }
}

/// Fewer where every instruction is emulated.
const CASES: u32 = if cfg!(target_arch = "x86_64") { 24 } else { 2 };

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(CASES))]

    #[test]
    fn the_bits_do_not_depend_on_the_threads(
        rows in 0usize..900,
        cols in 0usize..1100,
        batch in 0usize..7,
        seed in 0u64..1000,
    ) {
        for format in Format::ALL {
            compare(format, rows, cols, batch, seed);
        }
    }
}

#[test]
fn shapes_at_the_borders() {
    // Many slices, the last one of one row and of all but one; one slice; no rows, columns, vectors.
    for format in Format::ALL {
        for (rows, cols, batch) in [
            (3073, 256, 1),
            (3103, 300, 1),
            (97, 2048, 4),
            (95, 2048, 5),
            (1, 1, 1),
            (8, 4000, 9),
            (0, 300, 2),
            (300, 0, 2),
            (300, 300, 0),
        ] {
            compare(format, rows, cols, batch, 5);
        }
    }
}

#[test]
fn vectors_are_batches_of_one() {
    let (rows, cols) = (2000, 384);
    let x = gaussian(cols, 2);
    let a = acts(1, cols, &x);
    for format in [Format::Tq1_0, Format::Tq2_0, Format::Q35B] {
        let bytes = packed(format, rows, cols, 1);
        let weights = Packed::new(format, rows, cols, &bytes).unwrap();
        POOLS[2].install(|| {
            let one = bits(rows, 0, |y| matvec(&weights, &a, y));
            assert_eq!(one, bits(rows, 0, |y| matvec_parallel(&weights, &a, y)));
            let one = bits(rows, 0, |y| matvec_f32(&weights, &x, y));
            assert_eq!(one, bits(rows, 0, |y| matvec_f32_parallel(&weights, &x, y)));
            if format != Format::Q35B {
                let mut data = vec![0; prepared_size(rows, cols).unwrap()];
                let prepared = prepare(&weights, &mut data).unwrap();
                let one = bits(rows, 0, |y| matvec_prepared(&prepared, &a, y));
                assert_eq!(one, bits(rows, 0, |y| matvec_prepared_parallel(&prepared, &a, y)));
            }
        });
    }
}

#[test]
fn errors_are_those_of_one_thread_and_leave_the_outputs_alone() {
    let (rows, cols, batch) = (600, 512, 3);
    let bytes = packed(Format::Tq1_0, rows, cols, 1);
    let weights = Packed::new(Format::Tq1_0, rows, cols, &bytes).unwrap();
    let mut data = vec![0; prepared_size(rows, cols).unwrap()];
    let prepared = prepare(&weights, &mut data).unwrap();
    let x = gaussian(batch * cols, 1);
    let a = acts(batch, cols, &x);
    let huge = usize::MAX;
    for pool in POOLS.iter() {
        for (batch, blocks, values, len, error) in [
            (batch, a.len() - 1, x.len() - 1, batch * rows, Error::Shape),
            (batch, a.len(), x.len(), batch * rows - 1, Error::OutputTooSmall),
            (huge, a.len(), x.len(), batch * rows, Error::SizeOverflow),
        ] {
            let check = |product: &dyn Fn(&mut [f32]) -> Result<(), Error>| {
                let mut y = vec![-7.5f32; len];
                assert_eq!(product(&mut y), Err(error));
                assert!(y.iter().all(|v| *v == -7.5));
            };
            let (a, x) = (&a[..blocks], &x[..values]);
            pool.install(|| {
                check(&|y| matmul(&weights, batch, a, y));
                check(&|y| matmul_parallel(&weights, batch, a, y));
                check(&|y| matmul_prepared(&prepared, batch, a, y));
                check(&|y| matmul_prepared_parallel(&prepared, batch, a, y));
                check(&|y| matmul_f32(&weights, batch, x, y));
                check(&|y| matmul_f32_parallel(&weights, batch, x, y));
            });
        }
    }
}

/// What the quantizer gives on one thread, and in every pool; a byte more than needed stays as it was.
fn quantize_everywhere(
    format: Format,
    options: Options,
    rows: usize,
    cols: usize,
    x: &[f32],
) -> Result<(), Error> {
    let mut one = vec![0xA5; format.matrix_bytes(rows, cols)? + 1];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols)?];
    let expected = quantize(format, &options, rows, cols, x, &mut one, &mut scratch);
    for pool in POOLS.iter() {
        let mut out = vec![0xA5; one.len()];
        let got = pool.install(|| quantize_parallel(format, &options, rows, cols, x, &mut out));
        assert_eq!(got, expected, "{format:?} {options:?}");
        assert!(out == one, "{format:?} {options:?} {rows} x {cols}");
        assert!(expected.is_ok() || out.iter().all(|b| *b == 0xA5));
    }
    if expected.is_ok() && (options.granularity != Granularity::Tensor || cols == 500) {
        weighted_everywhere(format, options, rows, cols, x);
    }
    expected
}

/// As [`quantize_everywhere`], with an importance for each column, and one too few.
fn weighted_everywhere(format: Format, options: Options, rows: usize, cols: usize, x: &[f32]) {
    let importance: Vec<f32> = (0..cols).map(|i| (i % 7) as f32 + 0.5).collect();
    for importance in [&importance[..], importance.get(1..).unwrap_or_default()] {
        let mut one = vec![0xA5; format.matrix_bytes(rows, cols).unwrap() + 1];
        let expected = quantize_weighted_workspace_size(format, &options, rows, cols).and_then(|size| {
            quantize_weighted(format, &options, rows, cols, x, importance, &mut one, &mut vec![0; size])
        });
        let mut out = vec![0xA5; one.len()];
        let got = POOLS[2]
            .install(|| quantize_weighted_parallel(format, &options, rows, cols, x, importance, &mut out));
        assert_eq!(got, expected, "{format:?} {options:?}");
        assert!(out == one, "{format:?} {options:?} {rows} x {cols}");
    }
}

/// All but the empty ones are two or more slices.
const SHAPES: [(usize, usize); 6] = [(70, 500), (137, 256), (17_000, 1), (2, 17_000), (0, 7), (7, 0)];

#[test]
fn quantizers_write_the_bytes_of_one_thread() {
    let fits = [
        Fit::Mse,
        Fit::Lloyd,
        Fit::AbsMean,
        Fit::AbsMax,
        Fit::Percentile(60.0),
        Fit::NormPreserving,
        Fit::MinMax,
    ];
    let mut ran = 0;
    for format in Format::ALL {
        for (rows, cols) in SHAPES {
            let mut x = gaussian(rows * cols, 9);
            for granularity in [Granularity::Block, Granularity::Row, Granularity::Tensor] {
                for fit in fits {
                    let options = Options::new(format).granularity(granularity).fit(fit);
                    if quantize_workspace_size(format, &options, 1, 1).is_ok()
                        && (cols < 400 || fit == Fit::Mse)
                    {
                        assert_eq!(quantize_everywhere(format, options, rows, cols, &x), Ok(()));
                        ran += 1;
                    }
                }
            }
            if !x.is_empty() {
                // One row wants a scale beyond f16, a later one is not finite: the error is the one of one thread.
                let len = x.len();
                x[len / 3] = 1e30;
                x[len - 1] = f32::INFINITY;
                let options = Options::new(format);
                assert_eq!(quantize_everywhere(format, options, rows, cols, &x), Err(Error::NonFinite));
                let saturate = options.non_finite(NonFinite::Saturate);
                assert_eq!(quantize_everywhere(format, saturate, rows, cols, &x), Ok(()));
            }
        }
        let options = Options::new(format);
        let mut out = vec![0xA5; format.matrix_bytes(300, 300).unwrap()];
        let x = gaussian(300 * 300, 1);
        POOLS[2].install(|| {
            let short = out.len() - 1;
            let got = quantize_parallel(format, &options, 300, 300, &x, &mut out[..short]);
            assert_eq!(got, Err(Error::OutputTooSmall));
            let got = quantize_parallel(format, &options, 300, 300, &x[1..], &mut out);
            assert_eq!(got, Err(Error::Shape));
            let got = quantize_parallel(format, &options, usize::MAX, 300, &x, &mut out);
            assert_eq!(got, Err(Error::SizeOverflow));
            let none = options.fit(Fit::Percentile(-1.0));
            assert_eq!(quantize_parallel(format, &none, 300, 300, &x, &mut out), Err(Error::InvalidArgument));
        });
        assert!(out.iter().all(|b| *b == 0xA5));
    }
    assert!(ran > 100, "{ran}");
}

#[test]
fn a_pool_is_not_needed() {
    // The global one of rayon is there without any preparation.
    let (rows, cols) = (1500, 256);
    let bytes = packed(Format::Tq2_0, rows, cols, 3);
    let mut data = vec![0; prepared_size(rows, cols).unwrap()];
    prepare(&Packed::new(Format::Tq2_0, rows, cols, &bytes).unwrap(), &mut data).unwrap();
    let prepared = Prepared::new(rows, cols, &data).unwrap();
    let a = acts(1, cols, &gaussian(cols, 1));
    let one = bits(rows, 0, |y| matvec_prepared(&prepared, &a, y));
    assert_eq!(one, bits(rows, 0, |y| matvec_prepared_parallel(&prepared, &a, y)));
}
