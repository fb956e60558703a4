//! Convolution, pooling and embedding against f64.

use crate::common::{Rng, gaussian};
use crate::support::gradients::{check, near, pass};
use crate::support::{references as exact, same_on_all};
use hybridq::Error;
use hybridq::learn::layers::{
    Activation, Activations, AnyLayer, Conv, Curve, Embedding, Forward, Image, Layer, Linear, Pool, Pooling,
    Sequence, Weights, Window,
};
use hybridq::quant::{Fit, Format, Granularity, Options, dequantize, quantize, quantize_workspace_size};

fn image(channels: usize, height: usize, width: usize) -> Image {
    Image { channels, height, width }
}

fn by_sample(len: usize, x: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    x.chunks(len).flat_map(f).collect()
}

#[test]
fn convolution_is_its_reference() {
    let cases = [
        (image(1, 1, 1), Window::square(1), 1, 1),
        (image(1, 5, 5), Window::square(3), 2, 1),
        (image(3, 6, 4), Window::square(3), 4, 3),
        (image(2, 7, 9), Window { size: [2, 3], stride: [2, 1], padding: [1, 0] }, 3, 2),
        (image(2, 8, 5), Window { size: [3, 5], stride: [3, 2], padding: [2, 4] }, 5, 2),
        (image(4, 8, 8), Window::tiles(2), 17, 1),
        (Image::signal(1, 9), Window::line(3, 1, 1), 2, 2),
        (Image::signal(3, 20), Window::line(5, 2, 0), 6, 3),
    ];
    for (image, window, outputs, batch) in cases {
        for bias in [false, true] {
            let layer = Conv::new(image, window, outputs, bias).unwrap();
            let what = format!("{image:?} {window:?} to {outputs}, batch {batch}, bias {bias}");
            let shape = [image.channels, image.height, image.width];
            let windows = exact::windows(shape, window.size, window.stride, window.padding);
            let out = layer.output_image();
            assert_eq!((out.channels, out.height * out.width), (outputs, windows.len()));
            assert_eq!(layer.output_len(), outputs * windows.len());
            let len = layer.input_len();
            check(&what, &layer, batch, &gaussian(batch * len, 1), |p, x| {
                by_sample(len, x, |x| exact::conv(&windows, outputs, bias, p, x))
            });
        }
    }
}

#[test]
fn ternary_convolution_is_its_surrogate() {
    let (shape, window, outputs, batch) = (image(2, 6, 6), Window::square(3), 5, 3);
    let float = Conv::new(shape, window, outputs, true).unwrap();
    let parameters = gaussian(float.parameters_len(), 2);
    let (rows, cols) = (outputs, 18);
    let options = Options::new(Format::Tq2_0).fit(Fit::Mse).granularity(Granularity::Row);
    let mut packed = vec![0; Format::Tq2_0.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(Format::Tq2_0, &options, rows, cols).unwrap()];
    let (latent, bias) = parameters.split_at(rows * cols);
    quantize(Format::Tq2_0, &options, rows, cols, latent, &mut packed, &mut scratch).unwrap();
    let mut seen = vec![0.0; rows * cols];
    dequantize(Format::Tq2_0, rows, cols, &packed, &mut seen).unwrap();
    let scales: Vec<f32> =
        seen.chunks(cols).map(|row| row.iter().fold(0.0f32, |a, v| a.max(v.abs()))).collect();
    seen.extend(bias);

    let (x, from) = (gaussian(batch * 72, 3), gaussian(batch * float.output_len(), 4));
    let surrogate = pass(&float, batch, &seen, &x, &from);
    let layer = float.seen(Weights::ternary(Fit::Mse), Activations::Float).unwrap();
    same_on_all("ternary", || pass(&layer, batch, &parameters, &x, &from).all());
    let got = pass(&layer, batch, &parameters, &x, &from);
    assert_eq!(got.output, surrogate.output);
    assert_eq!(got.input_gradient, surrogate.input_gradient);
    assert_eq!(got.parameters_gradient, surrogate.parameters_gradient);

    let weights = Weights::Ternary { fit: Fit::Mse, inverse_slope: 0.0, clip: 1.0 };
    let got = pass(&float.seen(weights, Activations::Float).unwrap(), batch, &parameters, &x, &from);
    for (i, (&g, &all)) in got.parameters_gradient.iter().zip(&surrogate.parameters_gradient).enumerate() {
        let beyond = i < rows * cols && parameters[i].abs() > scales[i / cols];
        near(&format!("clip, {i}"), &[g], &[if beyond { 0.0 } else { all as f64 }], 1e-5);
    }

    // int8 inputs: within half a step of each
    let layer = float.seen(Weights::Float, Activations::Int8).unwrap();
    let rough = same_on_all("int8", || pass(&layer, batch, &seen, &x, &from).all());
    let step = x.iter().fold(0.0f32, |a, v| a.max(v.abs())) / 127.0;
    for (y, exact) in rough.iter().zip(&surrogate.output) {
        let bound = 0.51 * step * scales.iter().fold(0.0f32, |a, &v| a.max(v)) * 18.0;
        assert!((y - exact).abs() <= bound);
    }
}

#[test]
fn pooling_is_its_reference() {
    for (shape, window, batch) in [
        (image(1, 1, 1), Window::tiles(1), 1),
        (image(2, 4, 6), Window::tiles(2), 3),
        (image(3, 5, 7), Window::tiles(2), 2),
        (image(1, 6, 6), Window { size: [3, 2], stride: [1, 2], padding: [0, 0] }, 2),
        (Image::signal(2, 9), Window::line(3, 2, 0), 1),
    ] {
        let plane = shape.height * shape.width;
        let windows =
            exact::windows([1, shape.height, shape.width], window.size, window.stride, window.padding);
        for pooling in [Pooling::Max, Pooling::Mean] {
            let layer = Pool::new(shape, window, pooling).unwrap();
            let what = format!("{shape:?} {window:?} {pooling:?}");
            assert_eq!(layer.output_image().channels, shape.channels);
            check(&what, &layer, batch, &gaussian(batch * layer.input_len(), 5), |_, x| {
                by_sample(plane, x, |x| {
                    let each = windows.iter().map(|w| w.iter().map(|at| x[at.unwrap()]).collect::<Vec<_>>());
                    match pooling {
                        Pooling::Max => each.map(|v| v.into_iter().fold(f64::MIN, f64::max)).collect(),
                        Pooling::Mean => each.map(|v| v.iter().sum::<f64>() / v.len() as f64).collect(),
                    }
                })
            });
        }
    }
    // ties: the first; NaN shows
    let layer = Pool::new(image(1, 2, 4), Window::tiles(2), Pooling::Max).unwrap();
    let got = pass(&layer, 1, &[], &[1.0, 3.0, f32::NAN, 9.0, 3.0, 3.0, 5.0, 6.0], &[10.0, 1.0]);
    assert!(got.output[0] == 3.0 && got.output[1].is_nan());
    assert_eq!(got.input_gradient, [0.0, 10.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
}

#[test]
fn embedding_picks_rows_and_checks_numbers() {
    for (words, len, positions, batch) in [(1, 1, 1, 1), (7, 3, 4, 1), (50, 16, 5, 6)] {
        let layer = Embedding::new(words, len, positions).unwrap();
        let mut rng = Rng(6);
        let x: Vec<f32> = (0..batch * positions).map(|_| (rng.next() % words as u64) as f32).collect();
        let table = gaussian(words * len, 7);
        let from = gaussian(x.len() * len, 8);
        let got = pass(&layer, batch, &table, &x, &from);
        let mut gradient = vec![0.0f64; words * len];
        for (i, &word) in x.iter().enumerate() {
            let row = word as usize * len..(word as usize + 1) * len;
            assert_eq!(got.output[i * len..(i + 1) * len], table[row.clone()]);
            gradient[row].iter_mut().zip(&from[i * len..]).for_each(|(g, &v)| *g += v as f64);
        }
        near("table", &got.parameters_gradient, &gradient, 1e-6);
        assert!(got.input_gradient.iter().all(|&v| v == 0.0));
    }
    let layer = Embedding::new(5, 2, 2).unwrap();
    for bad in [5.0, -1.0, 0.5, f32::NAN, f32::INFINITY, 1e30] {
        let mut output = [7.0; 4];
        let job = Forward {
            batch: 1,
            parameters: &[1.0; 10],
            input: &[4.0, bad],
            output: &mut output,
            saved: &mut [],
            scratch: &mut [],
        };
        assert_eq!(layer.forward(job), Err(Error::InvalidArgument), "{bad}");
        assert_eq!(output, [7.0; 4]);
        assert_eq!(layer.first_bad_word(&[4.0, bad]), Some(1));
    }
    assert_eq!(layer.first_bad_word(&[4.0, 0.0]), None);
}

#[test]
fn a_small_convolutional_network_is_its_layers() {
    let (shape, window) = (image(1, 6, 6), Window::square(3));
    let conv = Conv::new(shape, window, 3, true).unwrap();
    let pool = Pool::new(conv.output_image(), Window::tiles(2), Pooling::Mean).unwrap();
    let layers: [AnyLayer; 4] = [
        conv.into(),
        Activation::new(conv.output_len(), Curve::ReluSquared).unwrap().into(),
        pool.into(),
        Linear::new(pool.output_len(), 4, true).unwrap().into(),
    ];
    let net = Sequence::new(&layers).unwrap();
    let windows = exact::windows([1, 6, 6], window.size, window.stride, window.padding);
    let tiles = exact::windows([3, 6, 6], [2, 2], [2, 2], [0, 0]);
    check("network", &net, 2, &gaussian(72, 9), |p, x| {
        by_sample(36, x, |x| {
            let y = exact::relu(true, &exact::conv(&windows, 3, true, &p[..30], x));
            let pooled: Vec<f64> = (0..3)
                .flat_map(|c| {
                    let (tiles, y) = (&tiles, &y);
                    tiles
                        .iter()
                        .map(move |t| t[c * 4..c * 4 + 4].iter().map(|at| y[at.unwrap()]).sum::<f64>() / 4.0)
                })
                .collect();
            exact::linear(27, 4, true, &p[30..], &pooled)
        })
    });
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let window = Window::square(3);
    let bad = Err(Error::InvalidArgument);
    assert_eq!(Conv::new(image(0, 5, 5), window, 1, true), bad);
    assert_eq!(Conv::new(image(1, 5, 5), window, 0, true), bad);
    assert_eq!(Conv::new(image(1, 5, 5), Window { stride: [0, 1], ..window }, 1, true), bad);
    assert_eq!(Conv::new(image(1, 5, 5), Window { padding: [3, 0], ..window }, 1, true), bad);
    assert_eq!(Conv::new(image(1, 5, 5), Window { size: [0, 1], ..window }, 1, true), bad);
    assert_eq!(Conv::new(image(1, 2, 2), Window::tiles(3), 1, true), bad);
    assert_eq!(Conv::new(image(usize::MAX / 2, 3, 3), window, 1, true), Err(Error::SizeOverflow));
    assert_eq!(Conv::new(image(1, 5, 5), window, usize::MAX / 4, true), Err(Error::SizeOverflow));
    assert_eq!(Pool::new(image(1, 5, 5), window, Pooling::Max), Err(Error::Unsupported));
    assert_eq!(Embedding::new(0, 1, 1), Err(Error::InvalidArgument));
    assert_eq!(Embedding::new((1 << 24) + 1, 1, 1), Err(Error::InvalidArgument));
    assert_eq!(Embedding::new(2, usize::MAX, 1), Err(Error::SizeOverflow));
    assert_eq!(Pooling::from_i32(1), Ok(Pooling::Mean));
    assert_eq!(Pooling::from_i32(2), Err(Error::UnknownEnum));
}
