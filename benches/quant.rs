//! Quantizers, decoders, codes and activations, on every tier: `cargo bench --bench quant`.
//!
//! Names are `FORMAT/quantize_FIT/TIER` and `FORMAT/dequantize/TIER`, so a filter picks what is of interest:
//! `cargo bench --bench quant -- 'tq2_0/.*/avx2'`. Throughput is in values.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hybridq::quant::{
    ActBlock, Fit, FitPartial, Format, NonFinite, Options, codes_workspace_size, dequantize,
    dequantize_activations, five_level_codes, quantize, quantize_activations, quantize_weighted,
    quantize_weighted_workspace_size, quantize_workspace_size, ternary_codes,
};
use hybridq::simd::{self, Tier};

#[path = "../tests/common/mod.rs"]
mod common;
use common::gaussian;

const ROWS: usize = 64;
const COLS: usize = 3840; // whole blocks of every format

const FITS: [(&str, Fit); 7] = [
    ("minmax", Fit::MinMax),
    ("mse", Fit::Mse),
    ("absmean", Fit::AbsMean),
    ("absmax", Fit::AbsMax),
    ("percentile", Fit::Percentile(40.0)),
    ("norm", Fit::NormPreserving),
    ("fixed", Fit::Fixed { threshold: 0.6, scale: 1.2 }),
];

fn tiers() -> impl Iterator<Item = Tier> {
    Tier::ALL.into_iter().filter(|t| t.is_available())
}

fn weights(c: &mut Criterion) {
    let x = gaussian(ROWS * COLS, 1);
    let importance: Vec<f32> = (0..COLS).map(|i| 0.5 + (i % 7) as f32).collect();
    for format in Format::ALL {
        let mut group = c.benchmark_group(format.name());
        group.throughput(Throughput::Elements(x.len() as u64));
        let mut data = vec![0; format.matrix_bytes(ROWS, COLS).unwrap()];
        let mut y = vec![0.0; x.len()];
        for tier in tiers() {
            simd::force(Some(tier)).unwrap();
            for (name, fit) in FITS {
                let options = Options::new(format).fit(fit);
                // A format without this fit says so here.
                let Ok(size) = quantize_workspace_size(format, &options, ROWS, COLS) else { continue };
                let mut scratch = vec![0; size];
                group.bench_function(BenchmarkId::new(format!("quantize_{name}"), tier.name()), |b| {
                    b.iter(|| {
                        quantize(format, &options, ROWS, COLS, black_box(&x), &mut data, &mut scratch)
                            .unwrap();
                    });
                });
            }
            let options = Options::new(format);
            let size = quantize_weighted_workspace_size(format, &options, ROWS, COLS).unwrap();
            let mut scratch = vec![0; size];
            group.bench_function(BenchmarkId::new("quantize_weighted", tier.name()), |b| {
                b.iter(|| {
                    quantize_weighted(
                        format,
                        &options,
                        ROWS,
                        COLS,
                        black_box(&x),
                        &importance,
                        &mut data,
                        &mut scratch,
                    )
                    .unwrap();
                });
            });
            group.bench_function(BenchmarkId::new("dequantize", tier.name()), |b| {
                b.iter(|| dequantize(format, ROWS, COLS, black_box(&data), &mut y).unwrap());
            });
        }
        group.finish();
    }
    simd::force(None).unwrap();
}

/// One scale for a whole vector, as gradients are coded; and the statistics that merge over slices of it.
fn codes(c: &mut Criterion) {
    let x = gaussian(65536, 2);
    let mut out = vec![0i8; x.len()];
    let mut group = c.benchmark_group("codes");
    group.throughput(Throughput::Elements(x.len() as u64));
    for tier in tiers() {
        simd::force(Some(tier)).unwrap();
        for (name, fit) in FITS {
            let Ok(size) = codes_workspace_size(fit, x.len()) else { continue };
            let mut scratch = vec![0; size];
            group.bench_function(BenchmarkId::new(format!("ternary_{name}"), tier.name()), |b| {
                b.iter(|| {
                    ternary_codes(fit, NonFinite::Error, black_box(&x), &mut out, &mut scratch).unwrap()
                });
            });
            group.bench_function(BenchmarkId::new(format!("five_level_{name}"), tier.name()), |b| {
                b.iter(|| {
                    five_level_codes(fit, NonFinite::Error, black_box(&x), &mut out, &mut scratch).unwrap()
                });
            });
        }
        group.bench_function(BenchmarkId::new("partial", tier.name()), |b| {
            b.iter(|| {
                let mut partial = FitPartial::default();
                partial.accumulate(black_box(&x)).unwrap();
                partial
            });
        });
    }
    group.finish();
    simd::force(None).unwrap();
}

fn activations(c: &mut Criterion) {
    let x = gaussian(4096, 3);
    let mut acts = vec![ActBlock::ZERO; ActBlock::count(x.len())];
    let mut y = vec![0.0; x.len()];
    let mut group = c.benchmark_group("activations");
    group.throughput(Throughput::Elements(x.len() as u64));
    for tier in tiers() {
        simd::force(Some(tier)).unwrap();
        group.bench_function(BenchmarkId::new("quantize", tier.name()), |b| {
            b.iter(|| quantize_activations(1, x.len(), black_box(&x), NonFinite::Error, &mut acts).unwrap());
        });
        group.bench_function(BenchmarkId::new("dequantize", tier.name()), |b| {
            b.iter(|| dequantize_activations(black_box(&acts), &mut y).unwrap());
        });
    }
    group.finish();
    simd::force(None).unwrap();
}

/// Many combinations: a short look at each.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
}

criterion_group!(name = benches; config = short(); targets = weights, codes, activations);
criterion_main!(benches);
