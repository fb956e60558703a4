//! Packed products and f32 vectors, per tier: `cargo bench --bench linear`.
//!
//! Throughput is in elements: multiply-adds of a matrix, values of a vector. Absolute figures depend on the
//! machine and its mood; compare tiers within one run.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hybridq::linear::{Packed, matmul, matvec, matvec_f32, vector};
use hybridq::quant::{ActBlock, Format, NonFinite, Options, quantize, quantize_workspace_size};
use hybridq::simd::{self, Tier};

#[path = "../tests/common/mod.rs"]
mod common;
use common::gaussian;

const ROWS: usize = 1024;
const COLS: usize = 3840; // whole blocks of every format

fn tiers() -> impl Iterator<Item = Tier> {
    Tier::ALL.into_iter().filter(|t| t.is_available())
}

fn packed_products(c: &mut Criterion) {
    let x = gaussian(ROWS * COLS, 1);
    let a = gaussian(8 * COLS, 2);
    let blocks = ActBlock::count(COLS);
    let mut acts = vec![ActBlock::ZERO; 8 * blocks];
    hybridq::quant::quantize_activations(8, COLS, &a, NonFinite::Error, &mut acts).unwrap();
    for format in Format::ALL {
        let options = Options::new(format);
        let mut data = vec![0; format.matrix_bytes(ROWS, COLS).unwrap()];
        let mut scratch = vec![0; quantize_workspace_size(format, &options, ROWS, COLS).unwrap()];
        quantize(format, &options, ROWS, COLS, &x, &mut data, &mut scratch).unwrap();
        let w = Packed::new(format, ROWS, COLS, &data).unwrap();
        let mut y = vec![0.0; 8 * ROWS];
        let mut group = c.benchmark_group(format.name());
        for tier in tiers() {
            simd::force(Some(tier)).unwrap();
            group.throughput(Throughput::Elements((ROWS * COLS) as u64));
            group.bench_function(BenchmarkId::new("matvec", tier.name()), |b| {
                b.iter(|| matvec(black_box(&w), &acts[..blocks], &mut y).unwrap());
            });
            group.bench_function(BenchmarkId::new("matvec_f32", tier.name()), |b| {
                b.iter(|| matvec_f32(black_box(&w), &a[..COLS], &mut y).unwrap());
            });
            group.throughput(Throughput::Elements((8 * ROWS * COLS) as u64));
            group.bench_function(BenchmarkId::new("matmul_8", tier.name()), |b| {
                b.iter(|| matmul(black_box(&w), 8, &acts, &mut y).unwrap());
            });
        }
        group.finish();
    }
    simd::force(None).unwrap();
}

fn vectors(c: &mut Criterion) {
    let (a, b) = (gaussian(4096, 3), gaussian(4096, 4));
    let mut y = b.clone();
    let mut group = c.benchmark_group("vector");
    group.throughput(Throughput::Elements(4096));
    for tier in tiers() {
        simd::force(Some(tier)).unwrap();
        group.bench_function(BenchmarkId::new("dot", tier.name()), |bench| {
            bench.iter(|| vector::dot(black_box(&a), black_box(&b)).unwrap());
        });
        group.bench_function(BenchmarkId::new("norm", tier.name()), |bench| {
            bench.iter(|| vector::norm(black_box(&a)));
        });
        group.bench_function(BenchmarkId::new("axpy", tier.name()), |bench| {
            bench.iter(|| vector::axpy(black_box(1e-9), black_box(&a), &mut y).unwrap());
        });
    }
    group.finish();
    simd::force(None).unwrap();
}

criterion_group!(benches, packed_products, vectors);
criterion_main!(benches);
