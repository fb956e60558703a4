//! Packed products and f32 vectors, on every tier: `cargo bench --bench linear`.
//!
//! Names are `FORMAT/PRODUCT/TIER`, so a filter picks what is of interest: `cargo bench --bench linear -- tq2_0/matvec/`.
//! Throughput is in elements: multiply-adds of a matrix, values of a vector. Absolute figures depend on the
//! machine and its mood; compare tiers within one run.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hybridq::linear::{
    ActTable, Packed, act_tables, dot, dot_f32, matmul, matmul_f32, matmul_prepared, matvec, matvec_f32,
    matvec_prepared, matvec_with_tables, prepare, prepared_size, vector,
};
use hybridq::quant::{ActBlock, Format, NonFinite, Options, quantize, quantize_workspace_size};
use hybridq::simd::{self, Tier};

#[path = "../tests/common/mod.rs"]
mod common;
use common::gaussian;

const ROWS: usize = 512;
const COLS: usize = 3840; // whole blocks of every format
const BATCH: usize = 32;

fn tiers() -> impl Iterator<Item = Tier> {
    Tier::ALL.into_iter().filter(|t| t.is_available())
}

/// What a product is taken of.
struct Inputs {
    x: Vec<f32>,
    acts: Vec<ActBlock>,
}

fn products(group: &mut BenchmarkGroup<'_, WallTime>, tier: Tier, w: &Packed<'_>, inputs: &Inputs) {
    let (x, acts) = (&inputs.x, &inputs.acts);
    let one = &acts[..ActBlock::count(COLS)];
    let row = w.rows_between(0, 1).unwrap();
    let mut y = vec![0.0; BATCH * ROWS];
    let id = |product: &str| BenchmarkId::new(product, tier.name());

    group.throughput(Throughput::Elements(COLS as u64));
    group.bench_function(id("dot"), |b| b.iter(|| dot(black_box(&row), one).unwrap()));
    group.bench_function(id("dot_f32"), |b| b.iter(|| dot_f32(black_box(&row), &x[..COLS]).unwrap()));

    group.throughput(Throughput::Elements((ROWS * COLS) as u64));
    group.bench_function(id("matvec"), |b| b.iter(|| matvec(black_box(w), one, &mut y[..ROWS]).unwrap()));
    group.bench_function(id("matvec_f32"), |b| {
        b.iter(|| matvec_f32(black_box(w), &x[..COLS], &mut y[..ROWS]).unwrap());
    });

    group.throughput(Throughput::Elements((BATCH * ROWS * COLS) as u64));
    group.bench_function(id("matmul32"), |b| b.iter(|| matmul(black_box(w), BATCH, acts, &mut y).unwrap()));
    group.bench_function(id("matmul32_f32"), |b| {
        b.iter(|| matmul_f32(black_box(w), BATCH, x, &mut y).unwrap());
    });
}

/// What only the ternary block formats have: rows interleaved at load, tables of activations.
fn prepared(group: &mut BenchmarkGroup<'_, WallTime>, tier: Tier, w: &Packed<'_>, inputs: &Inputs) {
    let one = &inputs.acts[..ActBlock::count(COLS)];
    let mut y = vec![0.0; BATCH * ROWS];
    let mut tables = vec![ActTable::ZERO; one.len()];
    let size = prepared_size(ROWS, COLS).unwrap();
    // At a multiple of 64 bytes, where no load lies across two cache lines.
    let mut room = vec![0u8; size + 64];
    let start = room.as_ptr().align_offset(64);
    let data = &mut room[start..start + size];
    let id = |product: &str| BenchmarkId::new(product, tier.name());

    group.throughput(Throughput::Elements(COLS as u64));
    group.bench_function(id("act_tables"), |b| b.iter(|| act_tables(black_box(one), &mut tables).unwrap()));

    group.throughput(Throughput::Elements((ROWS * COLS) as u64));
    group.bench_function(id("matvec_with_tables"), |b| {
        b.iter(|| matvec_with_tables(black_box(w), one, &tables, &mut y[..ROWS]).unwrap());
    });
    group.bench_function(id("prepare"), |b| {
        b.iter(|| {
            prepare(black_box(w), data).unwrap();
        });
    });
    let prepared = prepare(w, data).unwrap();
    group.bench_function(id("matvec_prepared"), |b| {
        b.iter(|| matvec_prepared(black_box(&prepared), one, &mut y[..ROWS]).unwrap());
    });

    group.throughput(Throughput::Elements((BATCH * ROWS * COLS) as u64));
    group.bench_function(id("matmul32_prepared"), |b| {
        b.iter(|| matmul_prepared(black_box(&prepared), BATCH, &inputs.acts, &mut y).unwrap());
    });
}

fn packed(c: &mut Criterion) {
    let weights = gaussian(ROWS * COLS, 1);
    let x = gaussian(BATCH * COLS, 2);
    let mut acts = vec![ActBlock::ZERO; BATCH * ActBlock::count(COLS)];
    hybridq::quant::quantize_activations(BATCH, COLS, &x, NonFinite::Error, &mut acts).unwrap();
    let inputs = Inputs { x, acts };
    for format in Format::ALL {
        let options = Options::new(format);
        let mut data = vec![0; format.matrix_bytes(ROWS, COLS).unwrap()];
        let mut scratch = vec![0; quantize_workspace_size(format, &options, ROWS, COLS).unwrap()];
        quantize(format, &options, ROWS, COLS, &weights, &mut data, &mut scratch).unwrap();
        let w = Packed::new(format, ROWS, COLS, &data).unwrap();
        let mut group = c.benchmark_group(format.name());
        for tier in tiers() {
            simd::force(Some(tier)).unwrap();
            products(&mut group, tier, &w, &inputs);
            if matches!(format, Format::Tq1_0 | Format::Tq2_0) {
                prepared(&mut group, tier, &w, &inputs);
            }
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

/// Many kernels, some of them slow (batches on the scalar tier): a short look at each.
fn short() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800))
}

criterion_group!(name = benches; config = short(); targets = packed, vectors);
criterion_main!(benches);
