//! Ternary formats against ggml's of the same bytes.

use std::hint::black_box;

use hybridq::linear::{Packed, matmul, matmul_prepared, matvec, matvec_prepared, prepare, prepared_size};
use hybridq::quant::{
    ActBlock, Fit, Format, NonFinite, Options, dequantize, quantize, quantize_activations,
    quantize_workspace_size,
};
use hybridq::simd::{self, Tier};

use crate::common::gaussian;
use crate::duel::medians;
use crate::ggml;

const N: usize = 4096;

pub fn run() {
    let x = gaussian(N * N, 1);
    for (format, peer) in [(Format::Tq2_0, ggml::TQ2_0), (Format::Tq1_0, ggml::TQ1_0)] {
        products(format, peer, &x);
    }
    quantizers(&x);
    decoders(&x);
    activations(&x);
}

fn products(format: Format, peer: ggml::Format, x: &[f32]) {
    const BATCH: usize = 32;
    let name = format.name();
    // the same bytes for both: ggml's own quantizer, whose format it is
    let mut bytes = vec![0; format.matrix_bytes(N, N).unwrap()];
    peer.quantize(N, N, x, &mut bytes);
    let w = Packed::new(format, N, N, &bytes).unwrap();

    let a = gaussian(BATCH * N, 2);
    let mut acts = vec![ActBlock::ZERO; BATCH * ActBlock::count(N)];
    quantize_activations(BATCH, N, &a, NonFinite::Error, &mut acts).unwrap();
    let mut peer_acts = vec![0u8; BATCH * peer.act_bytes(N)];
    for (a, out) in a.chunks(N).zip(peer_acts.chunks_mut(peer.act_bytes(N))) {
        peer.quantize_acts(a, out);
    }
    let mut ours = vec![0.0; BATCH * N];
    let mut theirs = vec![0.0; BATCH * N];

    matmul(&w, BATCH, &acts, &mut ours).unwrap();
    peer.matmul(N, N, &bytes, BATCH, &peer_acts, &mut theirs);
    let gap = crate::common::rmse(&theirs, &ours);
    assert!(gap < 0.02, "{name}: results differ by {gap}: not the same computation");

    let times = medians(
        &mut [
            &mut (|| matvec(black_box(&w), &acts[..N / 256], &mut ours).unwrap()),
            &mut (|| peer.matvec(N, N, black_box(&bytes), &peer_acts, &mut theirs)),
        ],
        151,
    );
    report(&format!("{name}_matvec_vs_ggml"), N * N, &times, peer.name);

    // rows interleaved once at load, at a multiple of 64 bytes
    let size = prepared_size(N, N).unwrap();
    let mut room = vec![0u8; size + 64];
    let start = room.as_ptr().align_offset(64);
    let prepared = prepare(&w, &mut room[start..]).unwrap();
    let times = medians(
        &mut [
            &mut (|| matvec_prepared(black_box(&prepared), &acts[..N / 256], &mut ours).unwrap()),
            &mut (|| peer.matvec(N, N, black_box(&bytes), &peer_acts, &mut theirs)),
        ],
        151,
    );
    report(&format!("{name}_prepared_matvec_vs_ggml"), N * N, &times, peer.name);
    println!("{name} prepared: {size} bytes of RAM instead of {}", bytes.len());
    let times = medians(
        &mut [
            &mut (|| matmul_prepared(black_box(&prepared), BATCH, &acts, &mut ours).unwrap()),
            &mut (|| {
                peer.matmul(N, N, black_box(&bytes), BATCH, &peer_acts, &mut theirs)
            }),
        ],
        11,
    );
    report(&format!("{name}_prepared_matmul{BATCH}_vs_ggml"), BATCH * N * N, &times, peer.name);

    let times = medians(
        &mut [
            &mut (|| matmul(black_box(&w), BATCH, &acts, &mut ours).unwrap()),
            &mut (|| peer.matmul(N, N, black_box(&bytes), BATCH, &peer_acts, &mut theirs)),
        ],
        11,
    );
    report(&format!("{name}_matmul{BATCH}_vs_ggml"), BATCH * N * N, &times, peer.name);

    if Tier::Sse42.is_available() && Tier::Avx2.is_available() {
        let mut on = |tier| {
            simd::force(Some(tier)).unwrap();
            matvec(black_box(&w), &acts[..N / 256], &mut ours).unwrap();
            simd::force(None).unwrap();
        };
        let on = std::cell::RefCell::new(&mut on);
        let times = medians(
            &mut [&mut (|| (on.borrow_mut())(Tier::Sse42)), &mut (|| (on.borrow_mut())(Tier::Avx2))],
            51,
        );
        report(&format!("sse42_{name}_matvec_vs_own_avx2"), N * N, &times, "own avx2");
    }
}

fn quantizers(x: &[f32]) {
    let x = &x[..1 << 20];
    let rows = x.len() / N;
    for (name, fit) in [("mse", Fit::Mse), ("lloyd", Fit::Lloyd), ("absmean", Fit::AbsMean), ("absmax", Fit::AbsMax)] {
        let mut theirs = vec![0; rows * ggml::TQ2_0.row_bytes(N)];
        let options = Options::new(Format::Tq2_0).fit(fit);
        let mut ours = vec![0; theirs.len()];
        let mut scratch = vec![0; quantize_workspace_size(Format::Tq2_0, &options, rows, N).unwrap()];
        let times = medians(
            &mut [
                &mut (|| {
                    quantize(Format::Tq2_0, &options, rows, N, black_box(x), &mut ours, &mut scratch)
                        .unwrap();
                }),
                &mut (|| ggml::TQ2_0.quantize(rows, N, black_box(x), &mut theirs)),
            ],
            11,
        );
        let figure = if name == "mse" {
            "tq2_0_quantize_vs_ggml".into()
        } else {
            format!("tq2_0_quantize_{name}_vs_ggml")
        };
        report(&figure, x.len(), &times, "ggml");
        let rmse = |bytes: &[u8]| {
            let mut y = vec![0.0; x.len()];
            dequantize(Format::Tq2_0, rows, N, bytes, &mut y).unwrap();
            let square = |v: f32| v as f64 * v as f64;
            let error: f64 = x.iter().zip(&y).map(|(x, y)| square(x - y)).sum();
            (error / x.iter().map(|&x| square(x)).sum::<f64>()).sqrt()
        };
        println!("RMSE {:.4}, ggml's {:.4}", rmse(&ours), rmse(&theirs));
    }
}

fn decoders(x: &[f32]) {
    let x = &x[..1 << 20];
    let rows = x.len() / N;
    for (format, peer) in [(Format::Tq2_0, ggml::TQ2_0), (Format::Tq1_0, ggml::TQ1_0)] {
        let mut bytes = vec![0; rows * peer.row_bytes(N)];
        peer.quantize(rows, N, x, &mut bytes);
        let (mut ours, mut theirs) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let times = medians(
            &mut [
                &mut (|| dequantize(format, rows, N, black_box(&bytes), &mut ours).unwrap()),
                &mut (|| peer.dequantize(black_box(&bytes), &mut theirs)),
            ],
            31,
        );
        assert!(ours == theirs, "{}: decoded values differ", format.name());
        report(&format!("{}_dequantize_vs_ggml", format.name()), x.len(), &times, peer.name);
    }
}

fn activations(x: &[f32]) {
    let x = &x[..N];
    let mut acts = vec![ActBlock::ZERO; N / 256];
    let mut theirs = vec![0u8; ggml::TQ2_0.act_bytes(N)];
    let times = medians(
        &mut [
            &mut (|| {
                for _ in 0..100 {
                    quantize_activations(1, N, black_box(x), NonFinite::Error, &mut acts).unwrap();
                }
            }),
            &mut (|| {
                for _ in 0..100 {
                    ggml::TQ2_0.quantize_acts(black_box(x), &mut theirs);
                }
            }),
        ],
        51,
    );
    report("q8_activation_quantize_vs_ggml", 100 * N, &times, "ggml");
}

/// A table line and the figure: the ratio of the peer's time to ours.
fn report(figure: &str, work: usize, times: &[f64], peer: &str) {
    let rate = |t: f64| work as f64 / t / 1e9;
    println!("{figure:<40} {:>8.2} G/s   {peer:<12} {:>8.2} G/s", rate(times[0]), rate(times[1]));
    println!("figure {figure} {:.3} ratio", times[1] / times[0]);
}
