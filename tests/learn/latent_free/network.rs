//! Networks of trits: against a plain one in f64 that makes whole gradients, on every tier, resumed, refused.

#[path = "../../../examples/latent_free_digits.rs"]
mod latent_free_digits;

use self::latent_free_digits::{Digits, INT4, train};
use crate::common::{gaussian, same_on_every_tier};
use hybridq::Error;
use hybridq::learn::latent_free::network::{Forward, Inertia, Learn, Network, Part, Rates, Ternary};
use hybridq::learn::latent_free::{Clock, Options, Report, update};
use hybridq::learn::layers::loss::cross_entropy;
use hybridq::learn::layers::{Activation, Bias, Curve, RmsNorm};
use hybridq::quant::{ActBlock, Format, NonFinite, dequantize, dequantize_activations, quantize_activations};

use super::FORMATS;

const BATCH: usize = 6;
const INPUTS: usize = 37;
const HIDDEN: usize = 70;
const CLASSES: usize = 5;

fn parts(format: Format, inertia: Inertia) -> [Part; 6] {
    [
        Ternary::new(INPUTS, HIDDEN, format, inertia).unwrap().into(),
        Bias::new(HIDDEN, 1).unwrap().into(),
        RmsNorm::new(HIDDEN, true, 1e-5).unwrap().into(),
        Activation::new(HIDDEN, Curve::Relu).unwrap().into(),
        Ternary::new(HIDDEN, CLASSES, format, inertia).unwrap().into(),
        Bias::new(CLASSES, 1).unwrap().into(),
    ]
}

/// What a network learns into, and its buffers.
#[derive(Clone, Debug, PartialEq)]
struct Run {
    bytes: Vec<u8>,
    floats: Vec<f32>,
    output: Vec<f32>,
    input_gradient: Vec<f32>,
}

impl Run {
    fn new(net: &Network<'_>) -> Run {
        let (mut bytes, mut floats) = (vec![1; net.bytes_len()], vec![9.0; net.floats_len()]);
        net.start(3, &mut bytes, &mut floats, &mut vec![0; net.workspace_size(0).unwrap()]).unwrap();
        let (output, input_gradient) = (vec![0.0; BATCH * CLASSES], vec![0.0; BATCH * INPUTS]);
        Run { bytes, floats, output, input_gradient }
    }

    fn step(&mut self, net: &Network<'_>, rates: &Rates, step: u64) -> (f32, Report) {
        let (input, labels) = batch(step);
        let mut saved = vec![0.0; net.saved_len(BATCH).unwrap()];
        let mut scratch = vec![0xA5; net.workspace_size(BATCH).unwrap()];
        net.forward(Forward {
            batch: BATCH,
            bytes: &self.bytes,
            floats: &self.floats,
            input: &input,
            output: &mut self.output,
            saved: &mut saved,
            scratch: &mut scratch,
        })
        .unwrap();
        let mut gradient = vec![0.0; self.output.len()];
        let loss = cross_entropy(CLASSES, &self.output, &labels, None, &mut gradient).unwrap();
        let job = Learn {
            batch: BATCH,
            bytes: &mut self.bytes,
            floats: &mut self.floats,
            input: &input,
            output: &self.output,
            saved: &saved,
            output_gradient: &gradient,
            input_gradient: Some(&mut self.input_gradient),
            scratch: &mut scratch,
        };
        (loss, net.learn(rates, Clock { seed: 8, step }, job).unwrap())
    }
}

/// Classes that lie around centres of their own.
fn batch(step: u64) -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (0..BATCH as u64).map(|i| ((i + step) % CLASSES as u64) as u32).collect();
    let mut input = gaussian(BATCH * INPUTS, 100 + step);
    for (x, &label) in input.chunks_mut(INPUTS).zip(&labels) {
        x.iter_mut().zip(gaussian(INPUTS, label as u64)).for_each(|(x, centre)| *x = 0.5 * *x + centre);
    }
    (input, labels)
}

fn rates() -> Rates {
    Rates { weights: 0.5, decay: 0.01, weight_decay: 0.05, ..Rates::DEFAULT }
}

/// The inputs as int8 sees them.
fn seen(x: &[f32], cols: usize) -> Vec<f64> {
    let mut out = vec![0.0; x.len()];
    for (x, out) in x.chunks(cols).zip(out.chunks_mut(cols)) {
        let mut acts = vec![ActBlock::ZERO; ActBlock::count(cols)];
        quantize_activations(1, cols, x, NonFinite::Error, &mut acts).unwrap();
        dequantize_activations(&acts, out).unwrap();
    }
    out.iter().map(|&v| v as f64).collect()
}

/// The steps of a network of one hidden layer in f64, whole gradients at a time; its trits move by the rule that the tests of
/// `update` have checked, with a byte of inertia. Compared after one step, before which both are the same bits.
#[test]
fn a_step_is_that_of_whole_gradients() {
    for format in FORMATS {
        let parts = parts(format, Inertia::Int8);
        let net = Network::new(&parts).unwrap();
        let mut run = Run::new(&net);
        for step in 0..12 {
            let before = run.clone();
            let (_, report) = run.step(&net, &rates(), step);
            let (input, labels) = batch(step);
            let range = |part: usize| net.floats_of(part).unwrap();
            let floats =
                |part: usize| before.floats[range(part)].iter().map(|&v| v as f64).collect::<Vec<_>>();
            let decode = |part: usize, rows: usize, cols: usize| {
                let [weights, _] = net.bytes_of(part).unwrap();
                let mut w = vec![0.0; rows * cols];
                dequantize(format, rows, cols, &before.bytes[weights], &mut w).unwrap();
                w.iter().map(|&v| v as f64).collect::<Vec<_>>()
            };
            let (w1, w2) = (decode(0, HIDDEN, INPUTS), decode(4, CLASSES, HIDDEN));
            let (b1, gain, b2) = (floats(1), floats(2), floats(5));
            let x = seen(&input, INPUTS);
            let product = |w: &[f64], x: &[f64], cols: usize| -> Vec<f64> {
                let dot = |w: &[f64], x: &[f64]| w.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
                x.chunks(cols).flat_map(|x| w.chunks(cols).map(move |w| dot(w, x))).collect()
            };
            // forward
            let mut h = product(&w1, &x, INPUTS);
            h.chunks_mut(HIDDEN).for_each(|h| h.iter_mut().zip(&b1).for_each(|(h, b)| *h += b));
            let inverse: Vec<f64> = (h.chunks(HIDDEN))
                .map(|h| 1.0 / (h.iter().map(|v| v * v).sum::<f64>() / HIDDEN as f64 + 1e-5).sqrt())
                .collect();
            let normal: Vec<f64> = (0..h.len()).map(|i| h[i] * inverse[i / HIDDEN]).collect();
            let bent: Vec<f32> =
                (0..h.len()).map(|i| (normal[i] * gain[i % HIDDEN]).max(0.0) as f32).collect();
            let a = seen(&bent, HIDDEN);
            let mut y = product(&w2, &a, HIDDEN);
            y.chunks_mut(CLASSES).for_each(|y| y.iter_mut().zip(&b2).for_each(|(y, b)| *y += b));
            for (ours, exact) in run.output.iter().zip(&y) {
                assert!((*ours as f64 - exact).abs() < 0.02, "{format:?} step {step}: {ours} {exact}");
            }
            // backward, whole
            let mut dy = y.clone();
            for (row, &label) in dy.chunks_mut(CLASSES).zip(&labels) {
                let sum: f64 = row.iter().map(|v| v.exp()).sum();
                row.iter_mut().for_each(|v| *v = v.exp() / sum / BATCH as f64);
                row[label as usize] -= 1.0 / BATCH as f64;
            }
            let outer = |dy: &[f64], x: &[f64], rows: usize, cols: usize| {
                let mut g = vec![0.0; rows * cols];
                for (dy, x) in dy.chunks(rows).zip(x.chunks(cols)) {
                    for (g, dy) in g.chunks_mut(cols).zip(dy) {
                        g.iter_mut().zip(x).for_each(|(g, x)| *g += dy * x);
                    }
                }
                g
            };
            let back = |w: &[f64], dy: &[f64], rows: usize, cols: usize| -> Vec<f64> {
                (dy.chunks(rows))
                    .flat_map(|dy| (0..cols).map(move |c| (0..rows).map(|r| dy[r] * w[r * cols + c]).sum()))
                    .collect()
            };
            let g2 = outer(&dy, &a, CLASSES, HIDDEN);
            let mut dh = back(&w2, &dy, CLASSES, HIDDEN);
            let mut of_gain = vec![0.0; HIDDEN];
            for (s, dh) in dh.chunks_mut(HIDDEN).enumerate() {
                for (i, d) in dh.iter_mut().enumerate() {
                    *d = if bent[s * HIDDEN + i] > 0.0 { *d } else { 0.0 };
                    of_gain[i] += *d * normal[s * HIDDEN + i];
                    *d *= gain[i];
                }
                let n = &normal[s * HIDDEN..][..HIDDEN];
                let mean = dh.iter().zip(n).map(|(d, n)| d * n).sum::<f64>() / HIDDEN as f64;
                dh.iter_mut().zip(n).for_each(|(d, n)| *d = (*d - n * mean) * inverse[s]);
            }
            let g1 = outer(&dh, &x, HIDDEN, INPUTS);
            let dx = back(&w1, &dh, HIDDEN, INPUTS);
            let close = |ours: &[f32], exact: &[f64], what: &str| {
                let size = exact.iter().map(|v| v * v).sum::<f64>().sqrt();
                let error = ours.iter().zip(exact).map(|(o, e)| (*o as f64 - e).powi(2)).sum::<f64>().sqrt();
                assert!(error <= 0.02 * size + 1e-6, "{format:?} step {step}, {what}: {error} of {size}");
            };
            close(&run.input_gradient, &dx, "input gradient");
            // floats: plain descent
            let sum = |d: &[f64], n: usize| -> Vec<f64> {
                (0..n).map(|i| d.iter().skip(i).step_by(n).sum()).collect()
            };
            for (part, gradient) in [(1, sum(&dh, HIDDEN)), (2, of_gain), (5, sum(&dy, CLASSES))] {
                let moved = |i: usize| before.floats[i] - run.floats[i];
                let steps: Vec<f32> = range(part).map(|i| moved(i) / rates().floats).collect();
                close(&steps, &gradient, &format!("floats of part {part}"));
            }
            // trits: the rule on the whole gradient
            let mut all = Report::default();
            for (part, g, rows, cols) in [(0, &g1, HIDDEN, INPUTS), (4, &g2, CLASSES, HIDDEN)] {
                let square = before.floats[range(part)][0];
                let now = g.iter().map(|g| g * g).sum::<f64>() / g.len() as f64;
                let mean = if square > 0.0 { 0.9 * square as f64 + 0.1 * now } else { now };
                let kept = run.floats[range(part)][0] as f64;
                assert!((kept - mean).abs() <= 0.02 * mean, "{format:?} step {step}: {kept} {mean}");
                let options = Options {
                    rate: if square > 0.0 { rates().weights * 8.0 / square.sqrt() } else { 0.0 },
                    decay: rates().decay,
                    threshold: 8,
                    weight_decay: rates().weight_decay,
                    scale_rate: rates().scales,
                    ..Options::default()
                };
                let [weights, inertia] = net.bytes_of(part).unwrap();
                let mut packed = before.bytes[weights.clone()].to_vec();
                let mut held: Vec<i8> = before.bytes[inertia.clone()].iter().map(|&b| b as i8).collect();
                let whole: Vec<f32> = g.iter().map(|&g| g as f32).collect();
                let seed = 8u64.wrapping_add((part as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
                let clock = Clock { seed, step };
                let done = update(format, &options, clock, 0, rows, cols, &whole, &mut packed, &mut held);
                all = all.merge(done.unwrap());
                // Gradients in f64 and f32 differ a little, and one random rounding in a thousand with them.
                let ours = run.bytes[inertia].iter().map(|&b| b as i8);
                let other = ours.zip(&held).filter(|(a, b)| a != *b).count();
                assert!(other * 40 <= rows * cols, "{format:?} step {step}: {other} of {}", rows * cols);
            }
            assert_eq!((report.weights, report.clipped), (all.weights, all.clipped));
            let flips = |r: &Report| (r.raised + r.lowered) as i64;
            assert!((flips(&report) - flips(&all)).abs() <= 8, "{report:?} {all:?}");
            assert!(step == 0 || flips(&report) > 0);
        }
    }
}

#[test]
fn it_learns_and_all_forms_agree() {
    let mut ends = Vec::new();
    for (format, inertia) in FORMATS.into_iter().flat_map(|f| [(f, Inertia::Int4), (f, Inertia::Int8)]) {
        let parts = parts(format, inertia);
        let net = Network::new(&parts).unwrap();
        let mut run = Run::new(&net);
        let (first, _) = run.step(&net, &Rates { scales: 0.0, ..rates() }, 0);
        let mut last = 9.0;
        for step in 1..80 {
            (last, _) = run.step(&net, &Rates { scales: 0.0, ..rates() }.at(step as f32 / 80.0), step);
        }
        assert!(last < 0.2 * first && last < 0.3, "{format:?} {inertia:?}: {first} {last}");
        ends.push((last, run.output, run.floats));
    }
    // As long as scales stand still, formats and forms of inertia take the same decisions; dense ternary multiplies by its
    // scale at another place.
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[2], ends[3]);
    assert_eq!(ends[0], ends[2]);
    assert_eq!(ends[4], ends[5]);
}

#[test]
fn every_tier_and_every_interruption_give_the_same_bits() {
    for (format, inertia) in [(Format::DenseTernary, Inertia::Int4), (Format::Tq1_0, Inertia::Int8)] {
        let parts = parts(format, inertia);
        let net = Network::new(&parts).unwrap();
        same_on_every_tier("network", || {
            let mut run = Run::new(&net);
            let mut reports = Vec::new();
            for step in 0..10 {
                reports.push(run.step(&net, &rates().at(step as f32 / 10.0), step).1);
            }
            // from stored bytes
            let mut first = Run::new(&net);
            (0..4).for_each(|step| _ = first.step(&net, &rates().at(step as f32 / 10.0), step));
            let mut resumed =
                Run { bytes: first.bytes.clone(), floats: first.floats.clone(), ..Run::new(&net) };
            (4..10).for_each(|step| _ = resumed.step(&net, &rates().at(step as f32 / 10.0), step));
            assert_eq!(resumed, run);
            (run, reports)
        });
    }
}

#[test]
fn what_is_refused_changes_nothing() {
    let parts = parts(Format::DenseTernary, Inertia::Int4);
    let net = Network::new(&parts).unwrap();
    let mut run = Run::new(&net);
    run.step(&net, &rates(), 0);
    let start = run.clone();
    let (input, _) = batch(1);
    let mut saved = vec![0.0; net.saved_len(BATCH).unwrap()];
    let scratch = net.workspace_size(BATCH).unwrap();
    let forward = |input: &[f32], output: &mut [f32], saved: &mut [f32], bytes: usize, scratch: usize| {
        net.forward(Forward {
            batch: BATCH,
            bytes: &start.bytes[..bytes],
            floats: &start.floats,
            input,
            output,
            saved,
            scratch: &mut vec![0; scratch],
        })
    };
    let (mut output, all) = (vec![7.0; BATCH * CLASSES], start.bytes.len());
    let mut odd = input.clone();
    for bad in [f32::NAN, f32::INFINITY] {
        odd[BATCH * INPUTS - 1] = bad;
        assert_eq!(forward(&odd, &mut output, &mut saved, all, scratch), Err(Error::NonFinite));
    }
    assert_eq!(forward(&input[1..], &mut output, &mut saved, all, scratch), Err(Error::Shape));
    assert_eq!(forward(&input, &mut output, &mut saved, all - 1, scratch), Err(Error::Shape));
    assert_eq!(forward(&input, &mut output[1..], &mut saved, all, scratch), Err(Error::OutputTooSmall));
    assert_eq!(forward(&input, &mut output, &mut saved[1..], all, scratch), Err(Error::OutputTooSmall));
    assert_eq!(forward(&input, &mut output, &mut saved, all, scratch - 1), Err(Error::WorkspaceTooSmall));
    assert_eq!(output, [7.0; BATCH * CLASSES]);
    forward(&input, &mut output, &mut saved, all, scratch).unwrap();

    // a label that no class has: the loss refuses it, and there is no step to take
    let mut gradient = vec![0.0; output.len()];
    let refused = cross_entropy(CLASSES, &output, &[0, 1, 2, 3, 4, 5], None, &mut gradient);
    assert_eq!((refused, gradient.iter().all(|&g| g == 0.0)), (Err(Error::InvalidArgument), true));

    let learn = |rates: &Rates, gradient: &[f32], floats: &[f32], saved: &[f32], scratch: usize| {
        let mut now = (start.bytes.clone(), floats.to_vec());
        let got = net.learn(
            rates,
            Clock { seed: 1, step: 1 },
            Learn {
                batch: BATCH,
                bytes: &mut now.0,
                floats: &mut now.1,
                input: &input,
                output: &output,
                saved,
                output_gradient: gradient,
                input_gradient: None,
                scratch: &mut vec![0; scratch],
            },
        );
        let same = now.0 == start.bytes && now.1.iter().zip(floats).all(|(a, b)| a.to_bits() == b.to_bits());
        assert_eq!(got.is_err(), same);
        got.map(|_| ())
    };
    let good = gaussian(output.len(), 4);
    let floats = start.floats.clone();
    for bad in [f32::NAN, f32::NEG_INFINITY] {
        let mut odd = good.clone();
        odd[3] = bad;
        assert_eq!(learn(&rates(), &odd, &floats, &saved, scratch), Err(Error::NonFinite));
        let mut odd = floats.clone();
        odd[5] = bad;
        assert_eq!(learn(&rates(), &good, &odd, &saved, scratch), Err(Error::NonFinite));
    }
    for bad in [
        Rates { weights: -1.0, ..rates() },
        Rates { weights: f32::NAN, ..rates() },
        Rates { scales: f32::INFINITY, ..rates() },
        Rates { floats: -0.1, ..rates() },
        Rates { threshold: 9, ..rates() },
        Rates { threshold: 0, ..rates() },
        Rates { decay: 1.1, ..rates() },
        Rates { weight_decay: 17.0, ..rates() },
        Rates { memory: 1.0, ..rates() },
    ] {
        assert_eq!(learn(&bad, &good, &floats, &saved, scratch), Err(Error::InvalidArgument), "{bad:?}");
    }
    assert_eq!(learn(&rates(), &good[1..], &floats, &saved, scratch), Err(Error::Shape));
    assert_eq!(learn(&rates(), &good, &floats, &saved[1..], scratch), Err(Error::Shape));
    assert_eq!(learn(&rates(), &good, &floats, &saved, scratch - 1), Err(Error::WorkspaceTooSmall));
    assert_eq!(learn(&rates(), &good, &floats, &saved, scratch), Ok(()));
    // gradients that overflow on their way down are steps all the same, and nothing is left that is not finite
    let mut now = start.clone();
    let huge: Vec<f32> = good.iter().map(|g| g.signum() * 3e38).collect();
    let job = Learn {
        batch: BATCH,
        bytes: &mut now.bytes,
        floats: &mut now.floats,
        input: &input,
        output: &output,
        saved: &saved,
        output_gradient: &huge,
        input_gradient: None,
        scratch: &mut vec![0; scratch],
    };
    assert!(net.learn(&rates(), Clock { seed: 1, step: 1 }, job).unwrap().clipped > 0);
    assert!(now.floats.iter().all(|v| v.is_finite()));
}

#[test]
fn networks_that_cannot_be() {
    let ternary = |i, o| Ternary::new(i, o, Format::Tq2_0, Inertia::Int4);
    assert_eq!(Ternary::new(3, 3, Format::Q8_0, Inertia::Int8), Err(Error::Unsupported));
    assert_eq!(ternary(0, 3), Err(Error::InvalidArgument));
    assert_eq!(ternary(3, 0), Err(Error::InvalidArgument));
    assert_eq!(ternary(usize::MAX, 2), Err(Error::SizeOverflow));
    assert_eq!(ternary(3, 3).unwrap().positions(0), Err(Error::InvalidArgument));
    assert_eq!(Network::new(&[]).unwrap_err(), Error::InvalidArgument);
    let parts: [Part; 2] = [ternary(3, 4).unwrap().into(), ternary(5, 2).unwrap().into()];
    assert_eq!((Network::new(&parts).unwrap_err(), Network::misfit(&parts)), (Error::Shape, Some(1)));
    let net = Network::new(&parts[..1]).unwrap();
    assert_eq!(net.saved_len(usize::MAX), Ok(0));
    assert_eq!(net.workspace_size(usize::MAX), Err(Error::SizeOverflow));
    assert_eq!(net.start(1, &mut [0; 9], &mut [0.0], &mut []), Err(Error::Shape));
    assert_eq!((net.bytes_of(1), net.floats_of(1)), (None, None));
    // a layer of several vectors a sample is that layer for each of them
    let one = [ternary(3, 4).unwrap().into()];
    let two = [ternary(3, 4).unwrap().positions(2).unwrap().into()];
    let run = |parts: &[Part], batch: usize| {
        let net = Network::new(parts).unwrap();
        let (mut bytes, mut floats) = (vec![0; net.bytes_len()], vec![0.0; net.floats_len()]);
        let (mut output, mut dx) = (vec![0.0; 16], vec![0.0; 12]);
        let mut scratch = vec![0; net.workspace_size(batch).unwrap()];
        net.start(1, &mut bytes, &mut floats, &mut scratch).unwrap();
        for step in 0..5 {
            let input = gaussian(12, step);
            net.forward(Forward {
                batch,
                bytes: &bytes,
                floats: &floats,
                input: &input,
                output: &mut output,
                saved: &mut [],
                scratch: &mut scratch,
            })
            .unwrap();
            let job = Learn {
                batch,
                bytes: &mut bytes,
                floats: &mut floats,
                input: &input,
                output: &output,
                saved: &[],
                output_gradient: &gaussian(16, 50 + step),
                input_gradient: Some(&mut dx),
                scratch: &mut scratch,
            };
            net.learn(&rates(), Clock { seed: 1, step }, job).unwrap();
        }
        (bytes, floats, output, dx)
    };
    assert_eq!(run(&one, 4), run(&two, 2));
}

/// A short run on real digits: 4294 bytes in all for 4874 parameters.
#[test]
fn a_network_of_trits_learns_the_digits() {
    let read =
        |file: &str| Digits::read(&format!("{}/data/digits/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (set, test) = (read("train.csv"), read("test.csv"));
    let run = train(&set, &test, Format::DenseTernary, Inertia::Int4, &INT4, 8, 1).unwrap();
    println!("{} bytes, {:.2} %, flip rate {}", run.held.total(), run.accuracy, run.flip_rate);
    assert_eq!((run.held.total(), run.held.parameters), (4294, 4874));
    assert!(run.accuracy > 94.0 && run.flip_rate < 0.01, "{} {}", run.accuracy, run.flip_rate);
}
