//! `Q35B` and `Q35P` beside ggml's formats around 3.5 bits, each in its own bytes, made from the same weights; `Q8_0` beside
//! ggml's, in the same bytes.

use std::hint::black_box;
use std::path::Path;

use hybridq::linear::{Packed, matmul, matvec};
use hybridq::quant::{
    ActBlock, Format, NonFinite, Options, dequantize, quantize, quantize_activations, quantize_workspace_size,
};
use hybridq::simd::{self, Tier};

use crate::common::{gaussian, rmse};
use crate::duel::medians;
use crate::ggml_k::{self, PEERS, Peer, Q8_0};

const N: usize = 4096;
const BATCH: usize = 32;

pub fn run() {
    ggml_k::init();
    let x = gaussian(N * N, 1);
    let sample = &x[..1 << 20];
    let encoder =
        std::env::var("MINILM").ok().filter(|p| !p.is_empty()).map(|p| encoder_weights(Path::new(&p)));
    table(sample, encoder.as_deref());
    products(&x);
    tiers(&x);
}

fn pack(x: &[f32], cols: usize) -> Vec<u8> {
    pack_as(Format::Q35B, x, cols)
}

fn pack_as(format: Format, x: &[f32], cols: usize) -> Vec<u8> {
    let options = Options::new(format);
    let rows = x.len() / cols;
    let mut out = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, x, &mut out, &mut scratch).unwrap();
    out
}

fn round_trip(x: &[f32]) -> Vec<f32> {
    let mut y = vec![0.0; x.len()];
    dequantize(Format::Q35B, 1, x.len(), &pack(x, x.len()), &mut y).unwrap();
    y
}

/// The 2-D matrices of the encoder layers, one after the other: 10.6 M values.
fn encoder_weights(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let (head, rest) = bytes.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(head.try_into().unwrap()) as usize);
    let header: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(header).unwrap();
    let mut out = Vec::new();
    for (name, tensor) in &header {
        let two = tensor["shape"].as_array().is_some_and(|s| s.len() == 2);
        if name.contains("encoder.layer") && two {
            assert_eq!(tensor["dtype"], "F32", "{name}");
            let at = |i: usize| tensor["data_offsets"][i].as_u64().unwrap() as usize;
            let floats = data[at(0)..at(1)].as_chunks::<4>().0;
            out.extend(floats.iter().map(|b| f32::from_le_bytes(*b)));
        }
    }
    out
}

fn table(gauss: &[f32], encoder: Option<&[f32]>) {
    println!("{:<12} {:>7} {:>12} {:>12} {:>14}", "format", "bits", "N(0,1)", "MiniLM", "quantize Mel/s");
    let mut ours = vec![0; Format::Q35B.row_bytes(gauss.len()).unwrap()];
    let mut theirs = PEERS.map(|p| vec![0; p.format.row_bytes(gauss.len())]);
    let mut own = || ours.copy_from_slice(&pack(black_box(gauss), gauss.len()));
    let mut peers: Vec<Box<dyn FnMut()>> = PEERS
        .iter()
        .zip(&mut theirs)
        .map(|(p, out)| {
            Box::new(move || p.format.quantize(1, gauss.len(), black_box(gauss), out)) as Box<dyn FnMut()>
        })
        .collect();
    let mut contestants: Vec<&mut dyn FnMut()> = vec![&mut own];
    contestants.extend(peers.iter_mut().map(|p| p.as_mut() as &mut dyn FnMut()));
    let times = medians(&mut contestants, 3);

    let line = |name: &str, bits: f64, gauss_error: f64, encoder_error: Option<f64>, time: f64| {
        let encoder = encoder_error.map_or("-".into(), |e| format!("{e:.4}"));
        let speed = gauss.len() as f64 / time / 1e6;
        println!("{name:<12} {bits:>7.4} {gauss_error:>12.4} {encoder:>12} {speed:>14.1}");
    };
    let error = |f: &dyn Fn(&[f32]) -> Vec<f32>, x: &[f32]| rmse(x, &f(x));
    let (g, e) = (error(&round_trip, gauss), encoder.map(|x| error(&round_trip, x)));
    let bits = 8.0 * Format::Q35B.block_bytes() as f64 / Format::Q35B.block_len() as f64;
    line("Q35B", bits, g, e, times[0]);
    for (p, &time) in PEERS.iter().zip(&times[1..]) {
        let decode = |x: &[f32]| p.round_trip(x);
        // IQ3_S takes its time: a part of the encoder is enough.
        let part = encoder.map(|x| if p.key == "iq3_s" { &x[..1 << 20] } else { x });
        line(p.format.name, p.bits(), error(&decode, gauss), part.map(|x| error(&decode, x)), time);
    }
    println!("figure q35b_rmse_gaussian {g:.5} rel");
    if let Some(e) = e {
        println!("figure q35b_rmse_minilm {e:.5} rel");
    }
    println!("figure q35b_bits_per_weight {bits} bits");
    println!("figure q35b_quantize_vs_iq3_s {:.2} ratio", times[2] / times[0]);
}

fn products(x: &[f32]) {
    let a = gaussian(BATCH * N, 2);
    let mut acts = vec![ActBlock::ZERO; BATCH * ActBlock::count(N)];
    quantize_activations(BATCH, N, &a, NonFinite::Error, &mut acts).unwrap();
    let ours = [(Format::Q35B, &PEERS[..]), (Format::Q35P, &PEERS[..]), (Format::Q8_0, &[Q8_0])];
    for (format, peers) in ours {
        let packed = pack_as(format, x, N);
        let w = Packed::new(format, N, N, &packed).unwrap();
        for peer in peers.iter().filter(|p| format != Format::Q35P || ["q3_k", "q4_0"].contains(&p.key)) {
            duel(peer, x, &w, &a, &acts);
        }
    }
}

fn duel(peer: &Peer, x: &[f32], w: &Packed<'_>, a: &[f32], acts: &[ActBlock]) {
    let own = w.format().name();
    let format = &peer.format;
    // IQ3_S: the same rows again and again, since it quantizes so slowly.
    let rows = if peer.key == "iq3_s" { 256 } else { N };
    let mut part = vec![0; rows * format.row_bytes(N)];
    format.quantize(rows, N, &x[..rows * N], &mut part);
    let bytes: Vec<u8> = part.iter().copied().cycle().take(N * format.row_bytes(N)).collect();
    let mut peer_acts = vec![0u8; BATCH * format.act_bytes(N)];
    for (a, out) in a.chunks(N).zip(peer_acts.chunks_mut(format.act_bytes(N))) {
        format.quantize_acts(a, out);
    }
    let mut ours = vec![0.0; BATCH * N];
    let mut theirs = vec![0.0; BATCH * N];
    matvec(w, &acts[..N / 256], &mut ours).unwrap();
    format.matvec(N, N, &bytes, &peer_acts, &mut theirs);
    // Other codes, the same product: as far apart as the errors of both are.
    let gap = rmse(&theirs[..rows], &ours[..rows]);
    assert!(gap < 0.3, "{}: results differ by {gap}: not the same computation", format.name);

    let times = medians(
        &mut [
            &mut (|| matvec(black_box(w), &acts[..N / 256], &mut ours).unwrap()),
            &mut (|| format.matvec(N, N, black_box(&bytes), &peer_acts, &mut theirs)),
        ],
        if peer.key == "iq3_s" { 21 } else { 101 },
    );
    report(&format!("{own}_matvec_vs_{}", peer.key), N * N, &times, format.name);
    let times = medians(
        &mut [
            &mut (|| matmul(black_box(w), BATCH, acts, &mut ours).unwrap()),
            &mut (|| format.matmul(N, N, black_box(&bytes), BATCH, &peer_acts, &mut theirs)),
        ],
        5,
    );
    report(&format!("{own}_matmul{BATCH}_vs_{}", peer.key), BATCH * N * N, &times, format.name);
}

fn tiers(x: &[f32]) {
    if !(Tier::Sse42.is_available() && Tier::Avx2.is_available()) {
        return;
    }
    let packed = pack(x, N);
    let w = Packed::new(Format::Q35B, N, N, &packed).unwrap();
    let mut acts = vec![ActBlock::ZERO; N / 256];
    quantize_activations(1, N, &x[..N], NonFinite::Error, &mut acts).unwrap();
    let y = std::cell::RefCell::new(vec![0.0; N]);
    let on = |tier| {
        simd::force(Some(tier)).unwrap();
        matvec(black_box(&w), &acts, &mut y.borrow_mut()).unwrap();
        simd::force(None).unwrap();
    };
    let times = medians(&mut [&mut (|| on(Tier::Sse42)), &mut (|| on(Tier::Avx2))], 31);
    report("sse42_q35b_matvec_vs_own_avx2", N * N, &times, "own avx2");
}

/// A table line and the figure: the ratio of the peer's time to ours.
fn report(figure: &str, work: usize, times: &[f64], peer: &str) {
    let rate = |t: f64| work as f64 / t / 1e9;
    println!("{figure:<40} {:>8.2} G/s   {peer:<12} {:>8.2} G/s", rate(times[0]), rate(times[1]));
    println!("figure {figure} {:.3} ratio", times[1] / times[0]);
}
