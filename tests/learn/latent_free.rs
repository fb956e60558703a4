//! Latent-free learning: the rule against an independent one in f64 and integers, the same trits in every format, by every
//! slicing of the work and on every tier; and a classifier of real digits that never had a float weight.

mod digits;
mod network;

use crate::common::{Rng, gaussian, same_on_every_tier};
use hybridq::Error;
use hybridq::learn::latent_free::{
    Clock, Options, Report, inertia_len, int4_len, state_bytes, state_bytes_int4, update, update_int4,
};
use hybridq::math::Random;
use hybridq::quant::{self, Fit, Format, NonFinite, dequantize, quantize};

const FORMATS: [Format; 3] = [Format::Tq2_0, Format::Tq1_0, Format::DenseTernary];

/// Trits -1, 0, 1 as a packed matrix of scale `scale`.
fn pack(format: Format, rows: usize, cols: usize, trits: &[i8], scale: f32) -> Vec<u8> {
    let x: Vec<f32> = trits.iter().map(|&t| t as f32).collect();
    let options = quant::Options::new(format).fit(Fit::Fixed { threshold: 0.5, scale });
    let mut packed = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    quantize(format, &options, rows, cols, &x, &mut packed, &mut vec![0; 16 * cols + 64]).unwrap();
    packed
}

fn unpack(format: Format, rows: usize, cols: usize, packed: &[u8]) -> Vec<f32> {
    let mut x = vec![0.0; rows * cols];
    dequantize(format, rows, cols, packed, &mut x).unwrap();
    x
}

/// A matrix that learns.
#[derive(Clone, Debug, PartialEq)]
struct Layer {
    format: Format,
    rows: usize,
    cols: usize,
    packed: Vec<u8>,
    inertia: Vec<i8>,
}

impl Layer {
    fn new(format: Format, rows: usize, cols: usize, trits: &[i8]) -> Layer {
        let packed = pack(format, rows, cols, trits, 1.0);
        Layer { format, rows, cols, packed, inertia: vec![0; inertia_len(rows, cols).unwrap()] }
    }

    fn step(&mut self, options: &Options, clock: Clock, gradient: &[f32]) -> Report {
        self.part(options, clock, 0, self.rows, gradient)
    }

    /// Some rows of a step; `gradient` is that of all.
    fn part(&mut self, options: &Options, clock: Clock, from: usize, to: usize, gradient: &[f32]) -> Report {
        let (format, cols) = (self.format, self.cols);
        let row = format.row_bytes(cols).unwrap();
        let gradient = &gradient[from * cols..to * cols];
        let packed = &mut self.packed[from * row..to * row];
        let inertia = &mut self.inertia[from * cols..to * cols];
        update(format, options, clock, from, to - from, cols, gradient, packed, inertia).unwrap()
    }

    /// The same weights with the same inertia, in 4 bits.
    fn halved(&self) -> Halved {
        let bytes: Vec<u8> = self.inertia.chunks(self.cols.max(1)).flat_map(halves).collect();
        assert_eq!(bytes.len(), int4_len(self.rows, self.cols).unwrap());
        Halved { layer: Layer { inertia: vec![], ..self.clone() }, bytes }
    }

    fn trits(&self) -> Vec<i8> {
        unpack(self.format, self.rows, self.cols, &self.packed)
            .iter()
            .map(|&x| x.signum() as i8 * (x != 0.0) as i8)
            .collect()
    }
}

/// The inertia of a row as documented: 64 values in 32 bytes, fewer at the end.
fn halves(row: &[i8]) -> Vec<u8> {
    let of = |run: &[i8]| -> Vec<u8> {
        let half = run.len().div_ceil(2);
        let at = |i: usize| run.get(i).map_or(0, |&m| m as u8 & 15);
        (0..half).map(|j| at(j) | at(half + j) << 4).collect()
    };
    row.chunks(64).flat_map(of).collect()
}

/// A matrix that learns with inertia in 4 bits.
#[derive(Clone, Debug, PartialEq)]
struct Halved {
    layer: Layer,
    bytes: Vec<u8>,
}

impl Halved {
    fn part(&mut self, options: &Options, clock: Clock, from: usize, to: usize, gradient: &[f32]) -> Report {
        let (format, cols) = (self.layer.format, self.layer.cols);
        let (row, held) = (format.row_bytes(cols).unwrap(), int4_len(1, cols).unwrap());
        let gradient = &gradient[from * cols..to * cols];
        let packed = &mut self.layer.packed[from * row..to * row];
        let inertia = &mut self.bytes[from * held..to * held];
        update_int4(format, options, clock, from, to - from, cols, gradient, packed, inertia).unwrap()
    }
}

fn random_trits(len: usize, seed: u64) -> Vec<i8> {
    let mut rng = Rng(seed);
    (0..len).map(|_| (rng.next() % 3) as i8 - 1).collect()
}

/// The documented rule, weight by weight, from the documented random numbers.
fn reference(
    options: &Options,
    clock: Clock,
    rows: usize,
    cols: usize,
    gradient: &[f32],
    trits: &mut [i8],
    inertia: &mut [i8],
) -> Report {
    let one = 32768.0;
    let fixed = |x: f32| (x as f64 * one).round_ties_even() as i64;
    let mut report = Report { weights: (rows * cols) as u64, ..Report::default() };
    for row in 0..rows {
        for col in 0..cols {
            let i = row * cols + col;
            // eight blocks for 64 columns; word k of block l serves the columns 16 k + 2 l and the next
            let group = (row * cols.div_ceil(64) + col / 64) as u64;
            let (k, l, half) = (col % 64 / 16, col % 16 / 2, col % 2);
            let word = Random::block(clock.seed, clock.step, group * 8 + l as u64)[k];
            let noise = (word >> (16 * half)) as i64 & 0x7FFF;
            let product = -options.rate * 32768.0 * gradient[i];
            let product = if product.is_nan() { 0.0 } else { product };
            report.clipped += u64::from(product.abs() > 127.0 * 32768.0);
            let push = (product.clamp(-127.0 * 32768.0, 127.0 * 32768.0) as f64).round_ties_even() as i64;
            let exact = inertia[i] as i64 * (32768 - fixed(options.decay)) + push
                - fixed(options.weight_decay) * trits[i] as i64;
            let mut v = (exact + noise).div_euclid(32768);
            let threshold = options.threshold as i64;
            if v >= threshold && trits[i] < 1 {
                (trits[i], v) = (trits[i] + 1, v - threshold);
                report.raised += 1;
            } else if v <= -threshold && trits[i] > -1 {
                (trits[i], v) = (trits[i] - 1, v + threshold);
                report.lowered += 1;
            }
            inertia[i] = v.clamp(1 - threshold, threshold - 1) as i8;
            report.zeros += u64::from(trits[i] == 0);
        }
    }
    report
}

fn options() -> [Options; 5] {
    let base = Options { rate: 20.0, ..Options::default() };
    [
        base,
        Options { threshold: 1, rate: 0.3, ..base },
        Options { threshold: 127, rate: 3e38, decay: 1.0, ..base },
        Options { threshold: 20, decay: 0.1, weight_decay: 0.37, ..base },
        Options {
            threshold: 7,
            rate: 2.0,
            weight_decay: 16.0,
            decay: 0.01,
            non_finite: NonFinite::Saturate,
            ..base
        },
    ]
}

#[test]
fn every_format_follows_the_rule_at_every_length() {
    for (rows, cols) in (1..=70).map(|c| (2, c)).chain([
        (3, 127),
        (2, 128),
        (2, 159),
        (3, 160),
        (2, 161),
        (2, 176),
        (2, 192),
        (2, 255),
        (2, 256),
        (2, 257),
        (2, 319),
        (2, 320),
        (3, 321),
        (1, 512),
        (2, 700),
        (1, 1291),
    ]) {
        for (n, options) in options().iter().enumerate() {
            let mut expected = (random_trits(rows * cols, cols as u64), vec![0i8; rows * cols]);
            let mut layers = FORMATS.map(|f| Layer::new(f, rows, cols, &expected.0));
            for step in 0..6 {
                let clock = Clock { seed: 0x1234_5678_9abc + n as u64, step };
                let mut gradient = gaussian(rows * cols, step + 7);
                if options.non_finite == NonFinite::Saturate {
                    gradient[0] = f32::NAN;
                    gradient[rows * cols / 2] = f32::INFINITY;
                    gradient[rows * cols - 1] = f32::NEG_INFINITY;
                }
                let (trits, inertia) = (&mut expected.0, &mut expected.1);
                let report = reference(options, clock, rows, cols, &gradient, trits, inertia);
                for layer in &mut layers {
                    let what = format!("{:?} {rows} x {cols}, {options:?}, step {step}", layer.format);
                    assert_eq!(layer.step(options, clock, &gradient), report, "{what}");
                    assert_eq!(layer.inertia, expected.1, "{what}");
                    assert_eq!(layer.trits(), expected.0, "{what}");
                    // bytes as the quantizer would have written them: padding and scales too
                    assert_eq!(layer.packed, pack(layer.format, rows, cols, &expected.0, 1.0), "{what}");
                }
            }
        }
    }
}

#[test]
fn rounding_at_random_keeps_the_mean() {
    // A thousandth of a unit a step: in 1000 steps a unit, for 4096 weights with a standard deviation of 0.5 at most.
    let cols = 4096;
    let mut layer = Layer::new(Format::Tq2_0, 1, cols, &vec![0; cols]);
    let options = Options { rate: 1.0, threshold: 100, ..Options::default() };
    for step in 0..1000 {
        layer.step(&options, Clock { seed: 5, step }, &vec![-1e-3; cols]);
    }
    let mean = layer.inertia.iter().map(|&m| m as f64).sum::<f64>() / cols as f64;
    // of the sum: 1000 * 0.001 * 0.999 / 4096 under the root is 0.0156; 33/32768 is 0.001007
    assert!((mean - 1.007).abs() < 0.08, "{mean}");
    // and forgetting: half of it each step
    let options = Options { decay: 0.5, ..options };
    layer.inertia.fill(101);
    layer.step(&options, Clock { seed: 5, step: 1000 }, &vec![0.0; cols]);
    // 50.5: an end trit moved nothing, since 101 * 0.5 is below the threshold
    let mean = layer.inertia.iter().map(|&m| m as f64).sum::<f64>() / cols as f64;
    assert!((mean - 50.5).abs() < 0.04, "{mean}");
    assert!(layer.inertia.iter().all(|m| [50, 51].contains(m)));
}

#[test]
fn rows_in_any_order_and_interrupted_runs_give_the_same_bits() {
    let (rows, cols) = (7, 333);
    let options =
        Options { rate: 15.0, decay: 0.02, scale_rate: 1e-3, weight_decay: 0.1, ..Options::default() };
    for format in FORMATS {
        let start = Layer::new(format, rows, cols, &random_trits(rows * cols, 3));
        let (mut whole, mut parts) = (start.clone(), start.clone());
        for step in 0..8 {
            let gradient = gaussian(rows * cols, 50 + step);
            let clock = Clock { seed: 77, step };
            let report = whole.step(&options, clock, &gradient);
            // last rows first, sizes 1 to 3; the state goes through a file in between
            let mut sum = Report::default();
            let mut end = rows;
            while end > 0 {
                let from = end.saturating_sub(1 + (end + step as usize) % 3);
                sum = sum.merge(parts.part(&options, clock, from, end, &gradient));
                let stored = (parts.packed.clone(), parts.inertia.clone());
                (parts.packed, parts.inertia) = (Vec::new(), Vec::new());
                (parts.packed, parts.inertia) = stored;
                end = from;
            }
            assert_eq!(sum, report);
            assert_eq!(parts, whole, "{format:?}, step {step}");
        }
        assert_ne!(whole, start);
        // another seed or step is another outcome
        for clock in [Clock { seed: 78, step: 0 }, Clock { seed: 77, step: 1 }] {
            let (mut a, mut b) = (start.clone(), start.clone());
            let gradient = gaussian(rows * cols, 50);
            a.step(&options, Clock { seed: 77, step: 0 }, &gradient);
            b.step(&options, clock, &gradient);
            assert_ne!(a.inertia, b.inertia);
        }
    }
}

#[test]
fn the_same_bits_on_every_tier() {
    for format in FORMATS {
        for cols in [1, 15, 16, 63, 64, 65, 160, 255, 256, 333, 1024] {
            same_on_every_tier(&format!("{format:?} {cols}"), || {
                let mut layer = Layer::new(format, 3, cols, &random_trits(3 * cols, 9));
                let mut sum = Report::default();
                for (step, options) in options().iter().enumerate() {
                    let mut gradient = gaussian(3 * cols, step as u64);
                    gradient[cols] = 3e38;
                    gradient[3 * cols - 1] = -1e-40;
                    let options = Options { scale_rate: 1e-2, ..*options };
                    sum = sum.merge(layer.step(&options, Clock { seed: 1, step: step as u64 }, &gradient));
                }
                (layer, sum)
            });
        }
    }
}

/// Inertia in 4 bits is the rule of inertia in 8, as its threshold of at most 8 keeps everything within 4 bits: the same trits,
/// the same report, the same numbers in half the bytes; whole or in parts, on every tier.
#[test]
fn inertia_in_four_bits_takes_the_same_decisions() {
    let base = Options { rate: 3.0, threshold: 8, ..Options::default() };
    let all = [
        base,
        Options { threshold: 5, decay: 0.03, weight_decay: 0.2, scale_rate: 1e-3, ..base },
        Options { threshold: 1, rate: 0.2, ..base },
    ];
    for format in FORMATS {
        for cols in (1..=9).chain([31, 32, 33, 63, 64, 65, 127, 129, 160, 255, 256, 257, 319, 320, 321, 1000])
        {
            for options in &all {
                let what = format!("{format:?} {cols} {options:?}");
                same_on_every_tier(&what, || {
                    let mut bytes = Layer::new(format, 3, cols, &random_trits(3 * cols, 9));
                    let mut whole = bytes.halved();
                    let mut parts = whole.clone();
                    for step in 0..5 {
                        let (gradient, clock) = (gaussian(3 * cols, step), Clock { seed: 4, step });
                        let report = bytes.step(options, clock, &gradient);
                        assert_eq!(whole.part(options, clock, 0, 3, &gradient), report);
                        let last = parts.part(options, clock, 2, 3, &gradient);
                        assert_eq!(parts.part(options, clock, 0, 2, &gradient).merge(last), report);
                    }
                    assert!(
                        cols < 10 || bytes.inertia.iter().any(|&m| m != 0) == (options.threshold > 1),
                        "{what}"
                    );
                    assert_eq!(whole, bytes.halved(), "{what}");
                    assert_eq!(parts, whole, "{what}");
                    whole
                });
            }
        }
    }
}

#[test]
fn what_four_bits_refuse() {
    let (format, cols) = (Format::Tq1_0, 130);
    let start = Layer::new(format, 2, cols, &random_trits(2 * cols, 2)).halved();
    let gradient = gaussian(2 * cols, 1);
    let mut now = start.clone();
    let mut run = |options: &Options, format: Format, first: usize, gradient: &[f32], held: usize| {
        let inertia = &mut now.bytes[..held];
        let clock = Clock { seed: 1, step: 1 };
        let got =
            update_int4(format, options, clock, first, 2, cols, gradient, &mut now.layer.packed, inertia);
        assert!(got.is_ok() || now == start);
        got.map(|_| ())
    };
    let good = Options { threshold: 8, ..Options::default() };
    let held = int4_len(2, cols).unwrap();
    assert_eq!(held, 130);
    for threshold in [0, 9, 64, -1] {
        let options = Options { threshold, ..good };
        assert_eq!(run(&options, format, 0, &gradient, held), Err(Error::InvalidArgument));
    }
    assert_eq!(run(&good, format, 0, &gradient, held - 1), Err(Error::Shape));
    assert_eq!(run(&good, format, 0, &gradient[1..], held), Err(Error::Shape));
    assert_eq!(run(&good, Format::Q8_0, 0, &gradient, held), Err(Error::Unsupported));
    assert_eq!(run(&good, format, usize::MAX, &gradient, held), Err(Error::SizeOverflow));
    let mut odd = gradient.clone();
    odd[2 * cols - 1] = f32::NAN;
    assert_eq!(run(&good, format, 0, &odd, held), Err(Error::NonFinite));
    assert_eq!(run(&good, format, 0, &gradient, held), Ok(()));
    assert_eq!(int4_len(usize::MAX, 3), Err(Error::SizeOverflow));
    // any bytes are inertia: -8 is beyond the threshold, and moves its trit
    let mut packed = pack(Format::Tq2_0, 1, 3, &[1, 0, -1], 1.0);
    let mut inertia = [0x88, 0x08];
    let options = Options { threshold: 3, ..good };
    let report = update_int4(
        Format::Tq2_0,
        &options,
        Clock { seed: 0, step: 0 },
        0,
        1,
        3,
        &[0.0; 3],
        &mut packed,
        &mut inertia,
    );
    assert_eq!(report.map(|r| (r.lowered, r.raised)), Ok((2, 0)));
    assert_eq!(inertia, [0xEE, 0x0E]);
}

#[test]
fn weight_decay_empties_what_no_gradient_holds() {
    let cols = 500;
    let mut layer = Layer::new(Format::Tq1_0, 2, cols, &random_trits(2 * cols, 1));
    let options = Options { weight_decay: 0.5, threshold: 10, ..Options::default() };
    let mut zeros = 0;
    for step in 0..200 {
        let report = layer.step(&options, Clock { seed: 2, step }, &vec![0.0; 2 * cols]);
        assert!(report.zeros >= zeros, "never away from zero");
        zeros = report.zeros;
    }
    assert_eq!(zeros, 2 * cols as u64);
    // without it nothing moves
    let mut layer = Layer::new(Format::Tq1_0, 2, cols, &random_trits(2 * cols, 1));
    let before = layer.clone();
    let report = layer.step(&Options::default(), Clock { seed: 2, step: 0 }, &vec![0.0; 2 * cols]);
    assert_eq!((layer, report.flip_rate()), (before, 0.0));
}

#[test]
fn scales_follow_their_gradient_and_steps_below_f16_add_up() {
    for format in FORMATS {
        let cols = 256;
        let trits = random_trits(cols, 4);
        let mut layer = Layer::new(format, 1, cols, &trits);
        let scale = |layer: &Layer| {
            let x = unpack(format, 1, cols, &layer.packed);
            x.iter().fold(0f32, |a, b| a.max(b.abs()))
        };
        // rate 0: the trits stay. The gradient for the scale is -1: half an ulp of f16 would be 2^-11 = 4.9e-4.
        let n = trits.iter().filter(|&&t| t != 0).count() as f32;
        let gradient: Vec<f32> = trits.iter().map(|&t| -(t as f32) / n).collect();
        let options = Options { rate: 0.0, scale_rate: 1e-4, ..Options::default() };
        for step in 0..1000 {
            layer.step(&options, Clock { seed: 3, step }, &gradient);
        }
        // ulps of 2^-10 with probability 0.1: standard deviation 2^-10 * sqrt(1000 * 0.09) = 0.0093
        assert!((scale(&layer) - 1.1).abs() < 0.04, "{format:?}: {}", scale(&layer));
        assert_eq!(layer.trits(), trits);
        // downwards as far as 2^-14, upwards as far as 65504
        let big = Options { scale_rate: 1e9, ..options };
        layer.step(&big, Clock { seed: 3, step: 0 }, &gradient);
        assert_eq!(scale(&layer), 65504.0);
        let opposite: Vec<f32> = gradient.iter().map(|g| -g).collect();
        layer.step(&big, Clock { seed: 3, step: 1 }, &opposite);
        assert!((0.00006..0.0000612).contains(&scale(&layer)), "{}", scale(&layer));
        // fixed scales are not touched
        let before = layer.packed.clone();
        layer.step(&Options { rate: 0.0, ..Options::default() }, Clock { seed: 3, step: 2 }, &gradient);
        assert_eq!(layer.packed, before);
    }
}

#[test]
fn bytes_that_no_encoder_writes_are_mended() {
    // code 3 of TQ2_0 everywhere, any inertia, a scale of NaN
    let cols = 256;
    let mut packed = vec![0xFF; 66];
    let mut inertia: Vec<i8> = (0..cols).map(|i| i as u8 as i8).collect();
    let options = Options { threshold: 50, scale_rate: 1e-3, ..Options::default() };
    let gradient = vec![0.0; cols];
    let clock = Clock { seed: 0, step: 0 };
    let report =
        update(Format::Tq2_0, &options, clock, 0, 1, cols, &gradient, &mut packed, &mut inertia).unwrap();
    // inertia -50 to -128 pushes down, from 1 to 0
    assert_eq!((report.lowered, report.zeros, report.raised), (79, 79, 0));
    assert!(inertia.iter().all(|m| (-78..50).contains(m) && m.abs() < 50));
    let x = unpack(Format::Tq2_0, 1, cols, &packed);
    assert!(x.iter().all(|&x| x == 0.0 || x > 0.0 && x < 1e-4));
    assert_eq!(x.iter().filter(|&&x| x == 0.0).count(), 79);
}

#[test]
fn state_sizes_in_bytes() {
    // 512 x 512: inertia 1 byte a weight, TQ2_0 2.0625 bits, TQ1_0 1.6875, dense 1.6 and 2 bytes a row
    assert_eq!(inertia_len(512, 512), Ok(262_144));
    assert_eq!(state_bytes(Format::Tq2_0, 512, 512), Ok(262_144 + 67_584));
    assert_eq!(state_bytes(Format::Tq1_0, 512, 512), Ok(262_144 + 55_296));
    assert_eq!(state_bytes(Format::DenseTernary, 512, 512), Ok(262_144 + 512 * 105));
    // in 4 bits: 0.7578, 0.7109 and 0.7051 bytes a weight
    assert_eq!(int4_len(512, 512), Ok(131_072));
    assert_eq!(state_bytes_int4(Format::Tq2_0, 512, 512), Ok(131_072 + 67_584));
    assert_eq!(state_bytes_int4(Format::Tq1_0, 512, 512), Ok(131_072 + 55_296));
    assert_eq!(state_bytes_int4(Format::DenseTernary, 512, 512), Ok(131_072 + 512 * 105));
    assert_eq!(state_bytes_int4(Format::FiveLevel, 1, 1), Err(Error::Unsupported));
    for format in FORMATS {
        let layer = Layer::new(format, 5, 77, &random_trits(5 * 77, 1));
        assert_eq!(state_bytes(format, 5, 77).unwrap(), layer.packed.len() + layer.inertia.len());
        assert_eq!(state_bytes(format, 0, 77), Ok(0));
    }
    assert_eq!(state_bytes(Format::Q8_0, 1, 1), Err(Error::Unsupported));
    assert_eq!(inertia_len(usize::MAX, 2), Err(Error::SizeOverflow));
}

#[test]
fn wrong_arguments_are_refused_and_change_nothing() {
    let (rows, cols) = (3, 300);
    let gradient = gaussian(rows * cols, 1);
    let clock = Clock { seed: 1, step: 1 };
    let good = Options { rate: 50.0, ..Options::default() };
    for format in FORMATS {
        let start = Layer::new(format, rows, cols, &random_trits(rows * cols, 2));
        let mut layer = start.clone();
        let mut refuse = |options: &Options, first: usize, cols: usize, gradient: &[f32], error: Error| {
            let got = update(
                format,
                options,
                clock,
                first,
                rows,
                cols,
                gradient,
                &mut layer.packed,
                &mut layer.inertia,
            );
            assert_eq!(got, Err(error), "{options:?}");
            assert_eq!(layer, start);
        };
        for bad in [
            Options { rate: -1.0, ..good },
            Options { rate: f32::NAN, ..good },
            Options { rate: f32::INFINITY, ..good },
            Options { decay: 1.5, ..good },
            Options { decay: -0.1, ..good },
            Options { threshold: 0, ..good },
            Options { threshold: 128, ..good },
            Options { weight_decay: 17.0, ..good },
            Options { weight_decay: f32::NAN, ..good },
            Options { scale_rate: -1.0, ..good },
            Options { scale_rate: f32::NAN, ..good },
        ] {
            refuse(&bad, 0, cols, &gradient, Error::InvalidArgument);
        }
        // NaN or infinity anywhere, in the last row too
        for at in [0, 17, rows * cols - 1] {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut bad = gradient.clone();
                bad[at] = value;
                refuse(&good, 0, cols, &bad, Error::NonFinite);
            }
        }
        refuse(&good, 0, cols, &gradient[1..], Error::Shape);
        refuse(&good, 0, cols + 1, &gradient, Error::Shape);
        refuse(&good, usize::MAX, cols, &gradient, Error::SizeOverflow);
        refuse(&good, usize::MAX / 8, cols, &gradient, Error::SizeOverflow);
        refuse(&good, 0, usize::MAX, &gradient, Error::SizeOverflow);
        let mut none = Layer::new(format, 0, 5, &[]);
        assert_eq!(none.step(&good, clock, &[]), Report::default());
        assert_eq!(Report::default().flip_rate(), 0.0);
    }
    let error = update(Format::Q8_0, &good, clock, 0, 0, 5, &[], &mut [], &mut []);
    assert_eq!(error, Err(Error::Unsupported));
}
