//! Quantizers and formats: golden vectors of the `gguf` package, the named fits, edge cases.

use crate::common::{gaussian, rmse};
use hybridq::Error;
use hybridq::quant::{
    ActBlock, Fit, FitPartial, Format, Granularity, NonFinite, Options, codes_workspace_size, dequantize,
    dequantize_activations, fit_ternary, five_level_codes, quantize, quantize_activations,
    quantize_workspace_size, ternary_codes,
};

fn pack(format: Format, options: Options, rows: usize, cols: usize, x: &[f32]) -> Result<Vec<u8>, Error> {
    let mut out = vec![0xA5; format.matrix_bytes(rows, cols)?];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols)?];
    quantize(format, &options, rows, cols, x, &mut out, &mut scratch)?;
    Ok(out)
}

fn unpack(format: Format, rows: usize, cols: usize, data: &[u8]) -> Vec<f32> {
    let mut out = vec![f32::NAN; rows * cols];
    dequantize(format, rows, cols, data, &mut out).unwrap();
    out
}

fn round_trip(format: Format, options: Options, x: &[f32]) -> Vec<f32> {
    unpack(format, 1, x.len(), &pack(format, options, 1, x.len(), x).unwrap())
}

fn bits(x: &[f32]) -> Vec<u32> {
    x.iter().map(|v| v.to_bits()).collect()
}

mod golden {
    use super::*;

    fn floats(name: &str) -> Vec<f32> {
        bytes(name).as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    fn bytes(name: &str) -> Vec<u8> {
        let path = format!("{}/tests/golden/gguf/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(&path).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    fn cases() -> Vec<(String, Format, usize, usize)> {
        let text = String::from_utf8(bytes("cases.txt")).unwrap();
        let cases: Vec<_> = text
            .lines()
            .map(|line| {
                let f: Vec<&str> = line.split_whitespace().collect();
                let format = Format::from_name(f[1]).unwrap();
                (f[0].to_string(), format, f[2].parse().unwrap(), f[3].parse().unwrap())
            })
            .collect();
        assert!(cases.len() >= 5, "cases.txt lists too little");
        cases
    }

    #[test]
    fn decodes_what_the_gguf_package_wrote_to_the_same_bits() {
        for (stem, format, rows, cols) in cases() {
            let ours = unpack(format, rows, cols, &bytes(&format!("{stem}_packed.bin")));
            assert_eq!(bits(&ours), bits(&floats(&format!("{stem}_decoded.f32"))), "{stem}");
        }
    }

    #[test]
    fn absmax_writes_the_bytes_of_the_gguf_package() {
        let mut seen = 0;
        for (stem, format, rows, cols) in cases() {
            if stem.contains("allbytes") {
                continue;
            }
            let x = floats(&format!("{stem}_input.f32"));
            let ours = pack(format, Options::new(format).fit(Fit::AbsMax), rows, cols, &x).unwrap();
            assert!(ours == bytes(&format!("{stem}_packed.bin")), "{stem} differs");
            seen += 1;
        }
        assert_eq!(seen, 3);
    }
}

#[test]
fn errors_on_a_million_gaussian_values_are_near_the_limits() {
    let x = gaussian(1 << 20, 1);
    let error = |format, options| {
        let packed = pack(format, options, 1024, 1024, &x).unwrap();
        rmse(&x, &unpack(format, 1024, 1024, &packed))
    };
    let limits = [
        (Format::Tq1_0, 0.437),
        (Format::Tq2_0, 0.437),
        (Format::DenseTernary, 0.437),
        (Format::FiveLevel, 0.285),
        (Format::Q8_0, 0.006),
        (Format::Q35B, 0.1290),
        (Format::Q35P, 0.163),
    ];
    assert_eq!(limits.len(), Format::ALL.len());
    for (format, limit) in limits {
        let error = error(format, Options::new(format));
        println!("figure rmse_gaussian_{} {error:.4} rel", format.name());
        assert!(error <= limit, "{}: {error}", format.name());
    }
    // Lloyd's iteration comes near them
    for (format, limit) in
        [(Format::Tq2_0, 0.4350), (Format::DenseTernary, 0.4362), (Format::FiveLevel, 0.285)]
    {
        let lloyd = error(format, Options::new(format).fit(Fit::Lloyd));
        println!("figure rmse_gaussian_{}_lloyd {lloyd:.4} rel", format.name());
        assert!(error(format, Options::new(format)) <= lloyd && lloyd <= limit, "{}: {lloyd}", format.name());
    }
    // what a GGUF writer makes of the same values in the same bytes
    let absmax = error(Format::Tq2_0, Options::new(Format::Tq2_0).fit(Fit::AbsMax));
    println!("figure rmse_gaussian_tq2_0_absmax {absmax:.4} rel");
    assert!((0.75..0.85).contains(&absmax));

    let mut acts = vec![ActBlock::ZERO; ActBlock::count(x.len())];
    let mut y = vec![0.0; x.len()];
    quantize_activations(1, x.len(), &x, NonFinite::Error, &mut acts).unwrap();
    dequantize_activations(&acts, &mut y).unwrap();
    println!("figure rmse_gaussian_activations {:.4} rel", rmse(&x, &y));
    assert!(rmse(&x, &y) < 0.008);
}

/// The error of the best of all nearest-level assignments, by trying every candidate scale in f64.
fn brute_force(x: &[f32], levels: &[f64]) -> f64 {
    let m: Vec<f64> = x.iter().map(|v| v.abs() as f64).collect();
    let mut best = m.iter().map(|v| v * v).sum::<f64>();
    let mut scales: Vec<f64> = Vec::new();
    for pair in levels.windows(2) {
        scales.extend(m.iter().map(|v| v / (0.5 * (pair[0] + pair[1]))));
    }
    for a in scales {
        for a in [a * (1.0 - 1e-9), a * (1.0 + 1e-9)] {
            let codes: Vec<f64> = m
                .iter()
                .map(|v| {
                    *levels.iter().min_by(|p, q| (v - *p * a).abs().total_cmp(&(v - *q * a).abs())).unwrap()
                })
                .collect();
            let q: f64 = codes.iter().map(|c| c * c).sum();
            let p: f64 = codes.iter().zip(&m).map(|(c, v)| c * v).sum();
            if q > 0.0 {
                best = best.min(m.iter().map(|v| v * v).sum::<f64>() - p * p / q);
            }
        }
    }
    best
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn mse_is_the_exact_projection(
        x in proptest::collection::vec(-4.0f32..4.0, 1..24),
        quantum in proptest::sample::select(vec![0.0f32, 0.25, 1.0]),
    ) {
        // a quantum makes ties
        let x: Vec<f32> = x.iter().map(|v| if quantum > 0.0 { (v / quantum).round() * quantum } else { *v }).collect();
        let mut codes = vec![0i8; x.len()];
        let mut scratch = vec![0; codes_workspace_size(Fit::Mse, x.len()).unwrap()];
        let energy: f64 = x.iter().map(|v| (*v as f64).powi(2)).sum();
        let error = |codes: &[i8], unit: f32| -> f64 {
            x.iter().zip(codes).map(|(v, c)| (*v as f64 - *c as f64 * unit as f64).powi(2)).sum()
        };

        let t = ternary_codes(Fit::Mse, NonFinite::Error, &x, &mut codes, &mut scratch).unwrap();
        let best = brute_force(&x, &[0.0, 1.0]);
        proptest::prop_assert!(error(&codes, t.scale) <= best + 1e-6 * energy, "{} > {best}", error(&codes, t.scale));

        let f = five_level_codes(Fit::Mse, NonFinite::Error, &x, &mut codes, &mut scratch).unwrap();
        let best = brute_force(&x, &[0.0, 0.5, 1.0]);
        proptest::prop_assert!(error(&codes, 0.5 * f.scale) <= best + 1e-6 * energy);
    }

    #[test]
    fn slices_of_rows_give_the_bytes_of_one_call(
        rows in 1usize..5,
        cols in 1usize..600,
        cut in 0usize..5,
        seed in 0u64..1000,
    ) {
        let x = gaussian(rows * cols, seed);
        let cut = cut.min(rows);
        for format in Format::ALL {
            for granularity in [Granularity::Block, Granularity::Row] {
                let options = Options::new(format).granularity(granularity);
                let Ok(whole) = pack(format, options, rows, cols, &x) else { continue };
                let mut parts = pack(format, options, cut, cols, &x[..cut * cols]).unwrap();
                parts.extend(pack(format, options, rows - cut, cols, &x[cut * cols..]).unwrap());
                proptest::prop_assert_eq!(&whole, &parts);
            }
        }
    }

    #[test]
    fn decoding_is_idempotent_for_every_format_and_length(len in 1usize..700, seed in 0u64..1000) {
        // what has been decoded once encodes to itself: levels are fixed points of the mse fit
        let x = gaussian(len, seed);
        for format in [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary, Format::Q8_0] {
            let once = round_trip(format, Options::new(format), &x);
            let twice = round_trip(format, Options::new(format), &once);
            let gap = once.iter().zip(&twice).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            proptest::prop_assert!(gap <= 4.0 / 1024.0, "{:?}: {gap}", format);
        }
    }
}

#[test]
fn the_projection_is_exact_on_long_heavy_tailed_and_clustered_data() {
    // the oracle sorts and tries every count, in f64
    let best = |x: &[f32]| -> f64 {
        let mut m: Vec<f64> = x.iter().map(|v| v.abs() as f64).collect();
        m.sort_by(|a, b| b.total_cmp(a));
        let mut sum = 0.0;
        let gains = m.iter().enumerate().map(|(i, v)| {
            sum += v;
            sum * sum / (i + 1) as f64
        });
        gains.fold(0.0, f64::max)
    };
    type Shape = fn(f32, usize) -> f32;
    let shapes: [(&str, Shape); 7] = [
        ("gaussian", |g, _| g),
        ("cubed", |g, _| g * g * g),
        ("exponential", |g, _| (4.0 * g).exp()),
        ("two clusters", |g, i| if i.is_multiple_of(7) { 1.0 + 1e-3 * g } else { 0.1 + 1e-3 * g }),
        ("three clusters, several fixed points", |g, i| [0.1, 0.26, 1.0][i % 3] + 1e-4 * g),
        ("few values", |g, _| (2.0 * g).round()),
        ("one outlier", |g, i| if i == 5 { 1e6 } else { g }),
    ];
    for (name, shape) in shapes {
        for n in [1usize, 2, 31, 33, 256, 257, 5000] {
            let x: Vec<f32> = gaussian(n, n as u64).iter().enumerate().map(|(i, g)| shape(*g, i)).collect();
            let mut codes = vec![0i8; n];
            let mut scratch = vec![0; codes_workspace_size(Fit::Mse, n).unwrap()];
            let t = ternary_codes(Fit::Mse, NonFinite::Error, &x, &mut codes, &mut scratch).unwrap();
            let energy: f64 = x.iter().map(|v| (*v as f64).powi(2)).sum();
            let error: f64 =
                x.iter().zip(&codes).map(|(v, c)| (*v as f64 - *c as f64 * t.scale as f64).powi(2)).sum();
            let least = energy - best(&x);
            assert!(error <= least + 1e-6 * energy, "{name}, {n}: {error} > {least}");
        }
    }
}

#[test]
fn percentile_keeps_the_magnitude_within_five_percent() {
    for p in [0.0, 30.0, 50.0, 80.0] {
        for format in [Format::DenseTernary, Format::FiveLevel] {
            let x = gaussian(100_000, 3);
            let options = Options::new(format).granularity(Granularity::Tensor).fit(Fit::Percentile(p));
            let y = round_trip(format, options, &x);
            let mean = y.iter().map(|v| v.abs() as f64).sum::<f64>() / y.len() as f64;
            let std = (x.iter().map(|v| (*v as f64).powi(2)).sum::<f64>() / x.len() as f64).sqrt();
            let kept = mean / std;
            println!("figure magnitude_kept_{}_p{p} {kept:.4} ratio", format.name());
            assert!((0.95..1.05).contains(&kept), "{format:?} {p}: {kept}");
            let zeros = y.iter().filter(|v| **v == 0.0).count() as f32 / y.len() as f32;
            assert!((zeros - p / 100.0).abs() < 0.01, "{zeros} zeros for percentile {p}");
        }
    }
}

#[test]
fn gradients_keep_their_norm_at_every_magnitude() {
    for magnitude in [1e-40f32, 1e-30, 1e-12, 1e-4, 1.0, 1e10, 1e30] {
        let x: Vec<f32> = gaussian(4096, 9).iter().map(|v| v * magnitude).collect();
        let mut codes = vec![0i8; x.len()];
        let mut scratch = vec![0; codes_workspace_size(Fit::NormPreserving, x.len()).unwrap()];
        let t = ternary_codes(Fit::NormPreserving, NonFinite::Error, &x, &mut codes, &mut scratch).unwrap();
        let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
        let before = norm(&mut x.iter().map(|v| *v as f64));
        let after = norm(&mut codes.iter().map(|c| *c as f64 * t.scale as f64));
        let error = (after / before - 1.0).abs();
        println!("figure gradient_norm_error_{magnitude:e} {error:.2e} rel");
        // 1e-40 is denormal: the scale itself has few bits there
        assert!(error < if magnitude < 1e-38 { 1e-4 } else { 1e-6 }, "{magnitude}: {error}");
    }
}

#[test]
fn named_fits_do_what_their_sources_say() {
    let x = [0.9f32, -0.4, 0.1, 1.6, -0.75, 0.0];
    let mean = x.iter().map(|v| v.abs()).sum::<f32>() / 6.0;
    let mut codes = [0i8; 6];
    let t = ternary_codes(Fit::AbsMean, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert!((t.scale - mean).abs() < 1e-6);
    assert_eq!(codes, [1, -1, 0, 1, -1, 0]);
    let t = ternary_codes(Fit::AbsMax, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert_eq!(t.scale, 1.6);
    assert_eq!(codes, [1, 0, 0, 1, 0, 0]);
    // mean 0.625, first threshold 0.46875: mean of 0.9, 1.6, 0.75 = 1.08333; half of it keeps the same three
    let t = ternary_codes(Fit::Lloyd, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert!((t.scale - 3.25 / 3.0).abs() < 1e-6 && (t.threshold - 3.25 / 6.0).abs() < 1e-6);
    assert_eq!(codes, [1, 0, 0, 1, -1, 0]);
    // step 0.65625: codes 1 1 0 2 1 0, step (0.9 + 0.4 + 3.2 + 0.75) / 7 = 0.75; codes 1 1 0 2 1 0 again
    let f = five_level_codes(Fit::Lloyd, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert!((f.scale - 1.5).abs() < 1e-6);
    assert_eq!(codes, [1, -1, 0, 2, -1, 0]);
    let fixed = Fit::Fixed { threshold: 0.1, scale: 2.0 };
    let t = ternary_codes(fixed, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert_eq!((t.scale, codes), (2.0, [1, -1, 1, 1, -1, 0]));
    let f = five_level_codes(Fit::AbsMax, NonFinite::Error, &x, &mut codes, &mut []).unwrap();
    assert_eq!((f.scale, codes), (1.6, [1, -1, 0, 2, -1, 0]));
}

#[test]
fn five_levels_come_back_exactly_at_every_length_in_at_most_their_bits() {
    for len in 1..=800usize {
        // values that are levels already, with the largest in every block
        let x: Vec<f32> = (0..len).map(|i| [2.0, -1.0, 0.0, 1.0, -2.0][(i * i + i / 7) % 5]).collect();
        let options = Options::new(Format::FiveLevel).fit(Fit::Fixed { threshold: 0.5, scale: 2.0 });
        assert_eq!(round_trip(Format::FiveLevel, options, &x), x, "{len}");
    }
    for cols in [192, 256, 384, 512, 768, 1024, 2048, 4096, 11008] {
        let bits = Format::FiveLevel.bits_per_weight(cols);
        assert!(bits <= 2.5, "{cols}: {bits}");
    }
}

#[test]
fn edge_inputs_have_their_stated_results() {
    for format in Format::ALL {
        let options = Options::new(format);
        assert!(pack(format, options, 0, 7, &[]).unwrap().is_empty());
        assert!(pack(format, options, 7, 0, &[]).unwrap().is_empty());
        assert_eq!(round_trip(format, options, &[0.0; 3]), [0.0; 3]);
        let one = round_trip(format, options, &[-0.375])[0];
        assert!((one + 0.375).abs() < 1e-3, "{format:?}: {one}");
        let c = round_trip(format, options, &[0.5; 300]);
        assert!(c.iter().all(|v| (v - 0.5).abs() < 3e-3), "{format:?} {:?}", &c[..2]);
        // denormals: below every f16 scale, but not below an f32 one
        let tiny = round_trip(format, options, &[1e-40, -1e-41]);
        if format == Format::Q35P {
            assert!((tiny[0] - 1e-40).abs() < 1e-42 && (tiny[1] + 1e-41).abs() < 1e-42, "{tiny:?}");
        } else {
            assert!(tiny.iter().all(|v| *v == 0.0));
        }
        // huge: refused, or capped on request
        let huge = [3e38f32, -3e38, 1.0];
        assert_eq!(pack(format, options, 1, 3, &huge), Err(Error::ScaleRange), "{format:?}");
        let capped = round_trip(format, options.non_finite(NonFinite::Saturate), &huge);
        if format == Format::Q35B {
            // no level 0 beside both ends: near enough
            let largest = hybridq::quant::q35b::MAX_MAGNITUDE;
            let near = |v: f32, to: f32| (v - to).abs() < 0.15 * largest;
            assert!(
                near(capped[0], largest) && near(capped[1], -largest) && near(capped[2], 0.0),
                "{capped:?}"
            );
            continue;
        }
        let largest = if format == Format::Q8_0 { 127.0 * 65504.0 } else { 65504.0 };
        if format == Format::Q35P {
            // its scale is an f32, and the range stops at half the largest one: 16 levels there
            let half = 0.5 * f32::MAX;
            let near = capped.iter().zip([half, -half, 0.0]).all(|(v, w)| (v - w).abs() <= half / 14.9);
            assert!(near, "{capped:?}");
        } else {
            assert_eq!(capped, [largest, -largest, 0.0], "{format:?}");
        }
    }
    let constant =
        round_trip(Format::Tq2_0, Options::new(Format::Tq2_0).fit(Fit::Percentile(50.0)), &[2.0; 9]);
    assert_eq!(constant, [0.0; 9]);
}

#[test]
fn non_finite_input_is_refused_or_saturated() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for format in Format::ALL {
            for at in [0, 5, 299] {
                let mut x = vec![1.0f32; 300];
                x[at] = bad;
                let mut out = vec![0xA5; format.matrix_bytes(1, 300).unwrap()];
                let mut scratch = vec![0; 8 * 300 + 16];
                let options = Options::new(format);
                let got = quantize(format, &options, 1, 300, &x, &mut out, &mut scratch);
                assert_eq!(got, Err(Error::NonFinite));
                assert!(out.iter().all(|b| *b == 0xA5), "output touched");
                let y = round_trip(format, options.non_finite(NonFinite::Saturate), &x);
                let expected = if bad.is_nan() { 0.0 } else { bad.signum() };
                // the codebooks of Q35B have no pair of levels of the same magnitude
                let near = if format == Format::Q35B { 0.08 } else { 1e-3 };
                assert!((y[at] - expected).abs() < near, "{format:?} {bad}: {}", y[at]);
                assert!((y[at ^ 1] - 1.0).abs() < near);
            }
        }
    }
}

#[test]
fn a_scale_out_of_range_in_the_last_block_leaves_the_output_untouched() {
    for format in Format::ALL {
        let mut x = vec![1.0f32; 900];
        (x[898], x[899]) = (-3e38, 3e38); // beyond f16, and their range beyond f32
        let mut out = vec![0xA5; format.matrix_bytes(3, 300).unwrap()];
        let mut scratch = vec![0; 8 * 900 + 16];
        let got = quantize(format, &Options::new(format), 3, 300, &x, &mut out, &mut scratch);
        assert_eq!(got, Err(Error::ScaleRange), "{format:?}");
        assert!(out.iter().all(|b| *b == 0xA5), "{format:?}: output touched");
    }
}

#[test]
fn misuse_is_refused_before_anything_is_written() {
    let x = [1.0f32; 10];
    let options = Options::new(Format::Tq1_0);
    let mut out = [0u8; 54];
    let mut scratch = [0u8; 200];
    let mut call = |rows, cols, n: usize, out_len: usize, scratch_len: usize| {
        quantize(
            Format::Tq1_0,
            &options,
            rows,
            cols,
            &x[..n],
            &mut out[..out_len],
            &mut scratch[..scratch_len],
        )
    };
    assert_eq!(call(1, 10, 9, 54, 200), Err(Error::Shape));
    assert_eq!(call(1, 10, 10, 53, 200), Err(Error::OutputTooSmall));
    assert_eq!(call(1, 10, 10, 54, 10), Err(Error::WorkspaceTooSmall));
    assert_eq!(call(usize::MAX, 2, 10, 54, 200), Err(Error::SizeOverflow));
    assert_eq!(call(1, 10, 10, 54, 200), Ok(()));
    for p in [-1.0, 100.0, f32::NAN] {
        let bad = Options::new(Format::Tq1_0).fit(Fit::Percentile(p));
        assert_eq!(pack(Format::Tq1_0, bad, 1, 10, &x), Err(Error::InvalidArgument));
    }
    for (threshold, scale) in [(-1.0, 1.0), (f32::NAN, 1.0), (1.0, -1.0), (1.0, f32::INFINITY)] {
        let bad = Options::new(Format::Tq1_0).fit(Fit::Fixed { threshold, scale });
        assert_eq!(pack(Format::Tq1_0, bad, 1, 10, &x), Err(Error::InvalidArgument));
    }
    let block = Options::new(Format::DenseTernary).granularity(Granularity::Block);
    assert_eq!(pack(Format::DenseTernary, block, 1, 10, &x), Err(Error::Unsupported));
    let mse = Options::new(Format::Q8_0).fit(Fit::Mse);
    assert_eq!(pack(Format::Q8_0, mse, 1, 10, &x), Err(Error::Unsupported));
    let pairs = Options::new(Format::Q35P);
    for wrong in [
        pairs.fit(Fit::AbsMax),
        pairs.fit(Fit::AbsMean),
        pairs.fit(Fit::NormPreserving),
        pairs.fit(Fit::Percentile(10.0)),
        pairs.fit(Fit::Fixed { threshold: 0.1, scale: 1.0 }),
        pairs.granularity(Granularity::Block),
        pairs.granularity(Granularity::Tensor),
    ] {
        assert_eq!(pack(Format::Q35P, wrong, 1, 10, &x), Err(Error::Unsupported));
    }
    for format in Format::ALL.into_iter().filter(|f| *f != Format::Q35P) {
        let range = Options::new(format).fit(Fit::MinMax);
        assert_eq!(pack(format, range, 1, 10, &x), Err(Error::Unsupported));
    }
    assert_eq!(fit_ternary(Fit::MinMax, NonFinite::Error, &x, &mut []), Err(Error::Unsupported));
}

#[test]
fn the_workspace_query_is_exact() {
    for format in Format::ALL {
        for granularity in [Granularity::Block, Granularity::Row, Granularity::Tensor] {
            let options = Options::new(format).granularity(granularity);
            let Ok(size) = quantize_workspace_size(format, &options, 3, 300) else { continue };
            let x = gaussian(900, 5);
            let mut out = vec![0; format.matrix_bytes(3, 300).unwrap()];
            for offset in 0..5 {
                let mut scratch = vec![0; size + offset];
                quantize(format, &options, 3, 300, &x, &mut out, &mut scratch[offset..]).unwrap();
            }
            if size > 0 {
                let got = quantize(format, &options, 3, 300, &x, &mut out, &mut vec![0; size - 1]);
                assert_eq!(got, Err(Error::WorkspaceTooSmall));
            }
        }
    }
}

#[test]
fn a_fit_found_on_the_tensor_encodes_its_slices_to_the_same_bytes() {
    let x = gaussian(8 * 300, 11);
    for fit in [Fit::Mse, Fit::Lloyd, Fit::AbsMean, Fit::AbsMax, Fit::Percentile(40.0)] {
        let options = Options::new(Format::Tq2_0).granularity(Granularity::Tensor).fit(fit);
        let whole = pack(Format::Tq2_0, options, 8, 300, &x).unwrap();
        let mut scratch = vec![0; codes_workspace_size(fit, x.len()).unwrap()];
        let found = fit_ternary(fit, NonFinite::Error, &x, &mut scratch).unwrap();
        let options = options.fit(found.fixed());
        let parts: Vec<u8> =
            x.chunks(300).flat_map(|row| pack(Format::Tq2_0, options, 1, 300, row).unwrap()).collect();
        assert_eq!(whole, parts, "{fit:?}");
    }
}

#[test]
fn partial_statistics_agree_with_one_fit() {
    let x = gaussian(5000, 12);
    for fit in [Fit::AbsMean, Fit::AbsMax] {
        let mut total = FitPartial::default();
        for part in x.chunks(777) {
            let mut p = FitPartial::default();
            p.accumulate(part).unwrap();
            total.merge(&p);
        }
        let found = total.finish(fit).unwrap();
        let whole = fit_ternary(fit, NonFinite::Error, &x, &mut []).unwrap();
        assert!((found.scale / whole.scale - 1.0).abs() < 1e-6);
        assert!((found.threshold / whole.threshold - 1.0).abs() < 1e-6);
    }
    assert_eq!(FitPartial::default().finish(Fit::Mse), Err(Error::Unsupported));
    assert_eq!(FitPartial::default().accumulate(&[f32::NAN]), Err(Error::NonFinite));
}
