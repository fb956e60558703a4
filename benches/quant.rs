//! Quantizers, decoders and activations: `cargo bench --bench quant`. Throughput is in values.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hybridq::quant::{
    ActBlock, Fit, Format, NonFinite, Options, dequantize, quantize, quantize_activations,
    quantize_workspace_size,
};
use hybridq::simd::{self, Tier};

#[path = "../tests/common/mod.rs"]
mod common;
use common::gaussian;

const ROWS: usize = 256;
const COLS: usize = 3840; // whole blocks of every format

fn weights(c: &mut Criterion) {
    let x = gaussian(ROWS * COLS, 1);
    for format in Format::ALL {
        let mut group = c.benchmark_group(format.name());
        group.throughput(Throughput::Elements(x.len() as u64));
        let mut data = vec![0; format.matrix_bytes(ROWS, COLS).unwrap()];
        let fits =
            [("mse", Fit::Mse), ("absmean", Fit::AbsMean), ("absmax", Fit::AbsMax), ("minmax", Fit::MinMax)];
        for (name, fit) in fits {
            let options = Options::new(format).fit(fit);
            let Ok(size) = quantize_workspace_size(format, &options, ROWS, COLS) else { continue };
            let mut scratch = vec![0; size];
            group.bench_function(BenchmarkId::new("quantize", name), |b| {
                b.iter(|| {
                    quantize(format, &options, ROWS, COLS, black_box(&x), &mut data, &mut scratch).unwrap();
                });
            });
        }
        let mut y = vec![0.0; x.len()];
        group.bench_function("dequantize", |b| {
            b.iter(|| dequantize(format, ROWS, COLS, black_box(&data), &mut y).unwrap());
        });
        group.finish();
    }
}

fn activations(c: &mut Criterion) {
    let x = gaussian(4096, 2);
    let mut acts = vec![ActBlock::ZERO; ActBlock::count(x.len())];
    let mut group = c.benchmark_group("activations");
    group.throughput(Throughput::Elements(x.len() as u64));
    for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
        simd::force(Some(tier)).unwrap();
        group.bench_function(BenchmarkId::new("quantize", tier.name()), |b| {
            b.iter(|| quantize_activations(1, x.len(), black_box(&x), NonFinite::Error, &mut acts).unwrap());
        });
    }
    group.finish();
    simd::force(None).unwrap();
}

criterion_group!(benches, weights, activations);
criterion_main!(benches);
