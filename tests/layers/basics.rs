//! Layers: outputs and gradients against f64, the surrogate of ternary ones, networks, errors.

use crate::common::gaussian;
use crate::support::gradients::{check, near, pass, wide};
use crate::support::{references as exact, same_on_all};
use hybridq::Error;
use hybridq::learn::layers::{
    Activation, Activations, AnyLayer, Backward, Bias, Curve, Forward, Layer, Linear, RmsNorm, Sequence,
    Weights,
};
use hybridq::linear::{Packed, matmul};
use hybridq::quant::{
    ActBlock, Fit, Format, Granularity, NonFinite, Options, dequantize, dequantize_activations, quantize,
    quantize_activations, quantize_workspace_size,
};

/// Values that no finite difference moves across the corner of a ReLU.
fn off_zero(len: usize, seed: u64) -> Vec<f32> {
    gaussian(len, seed).into_iter().map(|v| if v.abs() < 0.01 { 0.5 } else { v }).collect()
}

#[test]
fn linear_is_its_reference() {
    for (inputs, outputs, batch, positions) in [
        (1, 1, 1, 1),
        (3, 5, 1, 1),
        (17, 6, 4, 1),
        (16, 16, 7, 1),
        (33, 10, 13, 1),
        (5, 7, 2, 3),
        (300, 4, 3, 1),
    ] {
        for bias in [false, true] {
            let layer = Linear::new(inputs, outputs, bias).unwrap().positions(positions).unwrap();
            let what = format!("{inputs} to {outputs}, batch {batch} x {positions}, bias {bias}");
            let x = gaussian(batch * positions * inputs, 1);
            check(&what, &layer, batch, &x, |p, x| exact::linear(inputs, outputs, bias, p, x));
        }
    }
}

#[test]
fn norms_curves_and_biases_are_their_references() {
    for (len, batch) in [(1, 1), (2, 3), (16, 1), (17, 5), (64, 4), (100, 2)] {
        let what = format!("{len} values, batch {batch}");
        let x = off_zero(batch * len, 2);
        let norm = RmsNorm::new(len, false, 1e-5).unwrap();
        check(&what, &norm, batch, &x, |_, x| exact::rms_norm(len, 1e-5_f32 as f64, &[], x));
        let norm = RmsNorm::new(len, true, 1e-3).unwrap();
        check(&what, &norm, batch, &x, |p, x| exact::rms_norm(len, 1e-3_f32 as f64, p, x));
        for (curve, squared) in [(Curve::Relu, false), (Curve::ReluSquared, true)] {
            let layer = Activation::new(len, curve).unwrap();
            check(&what, &layer, batch, &x, |_, x| exact::relu(squared, x));
        }
        for each in [1, 3] {
            let x = gaussian(batch * len * each, 3);
            let layer = Bias::new(len, each).unwrap();
            check(&what, &layer, batch, &x, |p, x| exact::bias(len, each, p, x));
        }
    }
    let norm = RmsNorm::new(6, true, 1e-5).unwrap().positions(4).unwrap();
    let x = gaussian(3 * 24, 4);
    check("norm of positions", &norm, 3, &x, |p, x| exact::rms_norm(6, 1e-5_f32 as f64, p, x));
}

#[test]
fn a_norm_survives_any_magnitude() {
    let norm = RmsNorm::new(8, false, 1e-5).unwrap();
    let x = gaussian(8, 5);
    let plain = exact::rms_norm(8, 0.0, &[], &wide(&x));
    for size in [1e10f32, 1e20, 1e30, 1e37] {
        let big: Vec<f32> = x.iter().map(|v| v * size).collect();
        let got = pass(&norm, 1, &[], &big, &[1.0; 8]);
        near(&format!("times {size}"), &got.output, &plain, 1e-5);
        assert!(got.input_gradient.iter().all(|v| v.is_finite()));
    }
    let small: Vec<f32> = x.iter().map(|v| v * 1e-30).collect();
    let got = pass(&norm, 1, &[], &small, &[1.0; 8]);
    assert!(got.output.iter().zip(&small).all(|(y, x)| (y / x - 316.2278).abs() < 1e-2));
    assert!(pass(&norm, 1, &[], &[0.0; 8], &[1.0; 8]).output.iter().all(|&y| y == 0.0));
}

/// The weights as a packed model would hold them, packed and decoded.
fn ternary(fit: Fit, rows: usize, cols: usize, w: &[f32]) -> (Vec<u8>, Vec<f32>) {
    let options = Options::new(Format::Tq2_0).fit(fit).granularity(Granularity::Row);
    let mut packed = vec![0; Format::Tq2_0.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(Format::Tq2_0, &options, rows, cols).unwrap()];
    quantize(Format::Tq2_0, &options, rows, cols, w, &mut packed, &mut scratch).unwrap();
    let mut seen = vec![0.0; rows * cols];
    dequantize(Format::Tq2_0, rows, cols, &packed, &mut seen).unwrap();
    (packed, seen)
}

/// The inputs as int8, and decoded.
fn int8(rows: usize, cols: usize, x: &[f32]) -> (Vec<ActBlock>, Vec<f32>) {
    let blocks = ActBlock::count(cols);
    let mut acts = vec![ActBlock::ZERO; rows * blocks];
    quantize_activations(rows, cols, x, NonFinite::Error, &mut acts).unwrap();
    let mut seen = vec![0.0; rows * cols];
    for (acts, seen) in acts.chunks(blocks).zip(seen.chunks_mut(cols)) {
        dequantize_activations(acts, seen).unwrap();
    }
    (acts, seen)
}

#[test]
fn ternary_layers_are_their_surrogates() {
    for (inputs, outputs, batch) in [(1, 1, 1), (5, 3, 1), (64, 64, 9), (300, 11, 4), (256, 8, 2)] {
        for fit in [Fit::AbsMean, Fit::Mse, Fit::Lloyd, Fit::AbsMax] {
            for eyes in [Activations::Float, Activations::Int8] {
                let what = format!("{inputs} to {outputs}, batch {batch}, {fit:?}, {eyes:?}");
                let float = Linear::new(inputs, outputs, true).unwrap();
                let layer = float.seen(Weights::ternary(fit), eyes).unwrap();
                let parameters = gaussian(layer.parameters_len(), 6);
                let (w, bias) = parameters.split_at(inputs * outputs);
                let (x, from) = (gaussian(batch * inputs, 7), gaussian(batch * outputs, 8));
                same_on_all(&what, || pass(&layer, batch, &parameters, &x, &from).all());
                let got = pass(&layer, batch, &parameters, &x, &from);

                let (packed, seen_w) = ternary(fit, outputs, inputs, w);
                let (acts, rounded) = int8(batch, inputs, &x);
                let seen_x = if eyes == Activations::Int8 { &rounded } else { &x };
                let seen: Vec<f32> = seen_w.iter().chain(bias).copied().collect();
                let y = exact::linear(inputs, outputs, true, &wide(&seen), &wide(seen_x));
                near(&what, &got.output, &y, 1e-5);
                // The float layer with what this one saw is the surrogate, gradients to the bit.
                let surrogate = pass(&float, batch, &seen, seen_x, &from);
                assert_eq!(got.input_gradient, surrogate.input_gradient, "{what}");
                assert_eq!(got.parameters_gradient, surrogate.parameters_gradient, "{what}");
                if eyes == Activations::Int8 {
                    let packed = Packed::new(Format::Tq2_0, outputs, inputs, &packed).unwrap();
                    let mut y = vec![0.0; batch * outputs];
                    matmul(&packed, batch, &acts, &mut y).unwrap();
                    y.chunks_mut(outputs).for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y += b));
                    assert_eq!(got.output, y, "{what}: the packed model");
                }
            }
        }
    }
}

#[test]
fn a_clip_drops_gradients_beyond_it_and_a_slope_lies_between() {
    let (inputs, outputs, batch) = (20, 6, 5);
    let float = Linear::new(inputs, outputs, false).unwrap();
    let w = gaussian(inputs * outputs, 9);
    let (x, from) = (gaussian(batch * inputs, 10), gaussian(batch * outputs, 11));
    let (_, seen) = ternary(Fit::AbsMean, outputs, inputs, &w);
    for inverse_slope in [0.0, 0.3, 1.0] {
        let weights = Weights::Ternary { fit: Fit::AbsMean, inverse_slope, clip: 1.2 };
        let layer = float.seen(weights, Activations::Float).unwrap();
        let got = pass(&layer, batch, &w, &x, &from);
        let all = pass(&float, batch, &w, &x, &from).parameters_gradient;
        let mut dropped = 0;
        for (row, cols) in seen.chunks(inputs).enumerate() {
            let scale = cols.iter().fold(0.0f32, |a, v| a.max(v.abs()));
            for i in row * inputs..(row + 1) * inputs {
                let beyond = w[i].abs() > 1.2 * scale;
                dropped += usize::from(beyond);
                assert_eq!(got.parameters_gradient[i], if beyond { 0.0 } else { all[i] });
            }
        }
        assert!(dropped > 0 && dropped < w.len());
        let seen_now = &got.saved[..w.len()];
        match inverse_slope {
            0.0 => assert_eq!(seen_now, seen),
            1.0 => assert_eq!(seen_now, w),
            _ => {
                let far = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(a, b)| (a - b).abs()).sum::<f32>();
                assert!(far(seen_now, &seen) < far(&w, &seen) && far(seen_now, &w) < far(&w, &seen));
            }
        }
    }
}

#[test]
fn a_network_is_its_layers() {
    let layers: [AnyLayer; 5] = [
        Linear::new(7, 12, true).unwrap().into(),
        Activation::new(12, Curve::ReluSquared).unwrap().into(),
        RmsNorm::new(12, true, 1e-5).unwrap().into(),
        Linear::new(12, 5, false).unwrap().into(),
        Bias::new(5, 1).unwrap().into(),
    ];
    let reference = |p: &[f64], x: &[f64]| {
        let y = exact::relu(true, &exact::linear(7, 12, true, &p[..96], x));
        let y = exact::rms_norm(12, 1e-5_f32 as f64, &p[96..108], &y);
        exact::bias(5, 1, &p[168..], &exact::linear(12, 5, false, &p[108..168], &y))
    };
    for batch in [1, 2, 9] {
        for len in 1..=layers.len() {
            let net = Sequence::new(&layers[..len]).unwrap();
            if len == layers.len() {
                check("network", &net, batch, &gaussian(batch * 7, 12), reference);
            } else {
                let x = gaussian(batch * 7, 12);
                let from = gaussian(batch * net.output_len(), 13);
                same_on_all("network", || {
                    pass(&net, batch, &gaussian(net.parameters_len(), 1), &x, &from).all()
                });
            }
        }
    }
    let net = Sequence::new(&layers).unwrap();
    assert_eq!(net.parameters_len(), 173);
    assert_eq!(net.parameters_of(3), Some(108..168));
    assert_eq!(net.parameters_of(5), None);
    let arrays: Vec<_> = net.arrays().collect();
    let names: Vec<_> = arrays.iter().map(|a| (a.layer, a.parameter.name, a.range.clone())).collect();
    let expected = [
        (0, "weight", 0..84),
        (0, "bias", 84..96),
        (2, "gain", 96..108),
        (3, "weight", 108..168),
        (4, "bias", 168..173),
    ];
    assert_eq!(names, expected);
    assert_eq!((arrays[3].parameter.rows, arrays[3].parameter.cols), (5, 12));
    assert_eq!(
        arrays.iter().map(|a| a.parameter.is_matrix()).collect::<Vec<_>>(),
        [true, false, false, true, false]
    );
    assert_eq!(net.parameter(2).unwrap().name, "gain");

    let mut p = vec![f32::NAN; 173];
    net.start(5, &mut p).unwrap();
    assert!(p[84..96].iter().all(|&v| v == 0.0) && p[96..108].iter().all(|&v| v == 1.0));
    let bound = (6.0f32 / 7.0).sqrt();
    assert!(p[..84].iter().all(|v| v.abs() <= bound) && p[..84].iter().any(|v| v.abs() > 0.9 * bound));
    let mut again = vec![0.0; 173];
    net.start(5, &mut again).unwrap();
    assert_eq!(p, again);
    net.start(6, &mut again).unwrap();
    assert_ne!(p, again);
    assert_eq!(net.start(5, &mut again[1..]), Err(Error::Shape));
}

#[test]
fn networks_that_do_not_fit_are_refused() {
    let a: AnyLayer = Linear::new(3, 4, true).unwrap().into();
    let b: AnyLayer = Linear::new(5, 4, true).unwrap().into();
    assert_eq!(Sequence::new(&[a, b]).map(|_| ()), Err(Error::Shape));
    assert_eq!(Sequence::misfit(&[a, b]), Some(1));
    assert_eq!(Sequence::<AnyLayer>::new(&[]).map(|_| ()), Err(Error::InvalidArgument));
    assert_eq!(Linear::new(0, 1, true), Err(Error::InvalidArgument));
    assert_eq!(Linear::new(usize::MAX, 2, true), Err(Error::SizeOverflow));
    assert_eq!(Linear::new(usize::MAX / 2, 2, false), Err(Error::SizeOverflow));
    let unsupported =
        Linear::new(2, 2, true).unwrap().seen(Weights::ternary(Fit::MinMax), Activations::Float);
    assert_eq!(unsupported, Err(Error::Unsupported));
    let steep = Weights::Ternary { fit: Fit::Mse, inverse_slope: 1.5, clip: 1.0 };
    assert_eq!(Linear::new(2, 2, true).unwrap().seen(steep, Activations::Float), Err(Error::InvalidArgument));
    assert_eq!(RmsNorm::new(3, true, 0.0), Err(Error::InvalidArgument));
    assert_eq!(RmsNorm::new(3, true, f32::NAN), Err(Error::InvalidArgument));
    assert_eq!(Activation::new(0, Curve::Relu), Err(Error::InvalidArgument));
    assert_eq!(Curve::from_i32(1), Ok(Curve::ReluSquared));
    assert_eq!(Curve::from_i32(2), Err(Error::UnknownEnum));
    assert_eq!(Activations::from_i32(1), Ok(Activations::Int8));
    assert_eq!(Activations::from_i32(-1), Err(Error::UnknownEnum));
    let layer = Linear::new(1000, 1000, true).unwrap().seen(Weights::Float, Activations::Int8).unwrap();
    assert_eq!(layer.workspace_size(usize::MAX / 8), Err(Error::SizeOverflow));
}

/// One length off by one at a time.
#[test]
fn wrong_lengths_are_refused_and_write_nothing() {
    let layers: [AnyLayer; 2] = [
        Linear::new(6, 4, true).unwrap().seen(Weights::ternary(Fit::Mse), Activations::Int8).unwrap().into(),
        RmsNorm::new(4, true, 1e-5).unwrap().into(),
    ];
    let net = Sequence::new(&layers).unwrap();
    let batch = 3;
    let parameters = gaussian(net.parameters_len(), 1);
    let input = gaussian(batch * 6, 2);
    let (saved_len, room) = (net.saved_len(batch).unwrap(), net.workspace_size(batch).unwrap());
    let mut saved = vec![0.0; saved_len];
    let forward = |cut: [usize; 5], output: &mut [f32], saved: &mut [f32], scratch: &mut [u8]| {
        let len = output.len() - cut[2];
        net.forward(Forward {
            batch,
            parameters: &parameters[cut[0]..],
            input: &input[cut[1]..],
            output: &mut output[..len],
            saved: &mut saved[cut[3]..],
            scratch: &mut scratch[cut[4]..],
        })
    };
    let mut scratch = vec![0; room];
    for (i, error) in
        [Error::Shape, Error::Shape, Error::OutputTooSmall, Error::OutputTooSmall, Error::WorkspaceTooSmall]
            .into_iter()
            .enumerate()
    {
        let mut cut = [0; 5];
        cut[i] = 1;
        let (mut output, mut saved) = (vec![7.0; batch * 4], vec![8.0; saved_len]);
        assert_eq!(forward(cut, &mut output, &mut saved, &mut scratch), Err(error), "{i}");
        assert!(output.iter().all(|&v| v == 7.0) && saved.iter().all(|&v| v == 8.0));
    }
    let mut output = vec![0.0; batch * 4];
    forward([0; 5], &mut output, &mut saved, &mut scratch).unwrap();
    let from = [1.0; 12];
    for (i, error) in [
        Error::Shape,
        Error::Shape,
        Error::Shape,
        Error::Shape,
        Error::Shape,
        Error::OutputTooSmall,
        Error::OutputTooSmall,
        Error::WorkspaceTooSmall,
    ]
    .into_iter()
    .enumerate()
    {
        let mut cut = [0; 8];
        cut[i] = 1;
        let (mut by_input, mut by_parameters) = (vec![7.0; batch * 6], vec![7.0; net.parameters_len()]);
        let job = Backward {
            batch,
            parameters: &parameters[cut[0]..],
            input: &input[cut[1]..],
            output: &output[cut[2]..],
            saved: &saved[cut[3]..],
            output_gradient: &from[cut[4]..],
            input_gradient: Some(&mut by_input[cut[5]..]),
            parameters_gradient: &mut by_parameters[cut[6]..],
            scratch: &mut scratch[cut[7]..],
        };
        assert_eq!(net.backward(job), Err(error), "{i}");
        assert!(by_input.iter().chain(&by_parameters).all(|&v| v == 7.0));
    }
}

#[test]
fn nan_shows_in_float_layers_and_is_refused_by_others() {
    let relu = Activation::new(2, Curve::Relu).unwrap();
    let got = pass(&relu, 1, &[], &[f32::NAN, -1.0], &[1.0; 2]).output;
    assert!(got[0].is_nan() && got[1] == 0.0);
    let norm = RmsNorm::new(2, false, 1e-5).unwrap();
    assert!(pass(&norm, 1, &[], &[f32::NAN, -1.0], &[1.0; 2]).output.iter().all(|v| v.is_nan()));

    let float = Linear::new(2, 2, false).unwrap();
    let good = [1.0, -1.0, 0.5, 0.25];
    let bad = [1.0, f32::NAN, 0.5, 0.25];
    assert!(pass(&float, 1, &bad, &[1.0; 2], &[1.0; 2]).output[0].is_nan());
    for (weights, eyes, w, x) in [
        (Weights::ternary(Fit::AbsMean), Activations::Float, bad, [1.0; 2]),
        (Weights::Float, Activations::Int8, good, [f32::INFINITY, 1.0]),
        (Weights::ternary(Fit::Mse), Activations::Int8, good, [f32::NAN, 1.0]),
    ] {
        let layer = float.seen(weights, eyes).unwrap();
        let mut output = [7.0; 2];
        let job = Forward {
            batch: 1,
            parameters: &w,
            input: &x,
            output: &mut output,
            saved: &mut vec![0.0; layer.saved_len(1).unwrap()],
            scratch: &mut vec![0; layer.workspace_size(1).unwrap()],
        };
        assert_eq!(layer.forward(job), Err(Error::NonFinite));
        assert_eq!(output, [7.0; 2]);
    }
}

#[test]
fn an_empty_batch_is_fine() {
    let layers: [AnyLayer; 2] =
        [Linear::new(6, 4, true).unwrap().into(), Activation::new(4, Curve::Relu).unwrap().into()];
    let net = Sequence::new(&layers).unwrap();
    let p = gaussian(net.parameters_len(), 1);
    assert!(pass(&net, 0, &p, &[], &[]).parameters_gradient.iter().all(|&v| v == 0.0));
}
