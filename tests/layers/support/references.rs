//! The layers in f64, loop by loop.

/// `x` is rows of `inputs`; `p` weights and biases.
pub fn linear(inputs: usize, outputs: usize, bias: bool, p: &[f64], x: &[f64]) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks(inputs) {
        for o in 0..outputs {
            let sum: f64 = (0..inputs).map(|i| p[o * inputs + i] * x[i]).sum();
            y.push(sum + if bias { p[outputs * inputs + o] } else { 0.0 });
        }
    }
    y
}

pub fn rms_norm(len: usize, epsilon: f64, gain: &[f64], x: &[f64]) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks(len) {
        let mean = x.iter().map(|v| v * v).sum::<f64>() / len as f64;
        let root = (mean + epsilon).sqrt();
        y.extend(x.iter().enumerate().map(|(i, v)| v / root * gain.get(i).copied().unwrap_or(1.0)));
    }
    y
}

pub fn relu(squared: bool, x: &[f64]) -> Vec<f64> {
    x.iter().map(|v| if squared { v.max(0.0).powi(2) } else { v.max(0.0) }).collect()
}

pub fn bias(channels: usize, each: usize, p: &[f64], x: &[f64]) -> Vec<f64> {
    x.iter().enumerate().map(|(i, v)| v + p[i / each % channels]).collect()
}

pub fn softmax(x: &[f64]) -> Vec<f64> {
    let most = x.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = x.iter().map(|v| (v - most).exp()).sum();
    x.iter().map(|v| (v - most).exp() / sum).collect()
}

/// What a window covers: for every place (row, column), the indices in the image, channel by channel; `None` in the padding.
pub fn windows(
    [channels, height, width]: [usize; 3],
    size: [usize; 2],
    stride: [usize; 2],
    padding: [usize; 2],
) -> Vec<Vec<Option<usize>>> {
    let places = |len: usize, i: usize| (len + 2 * padding[i] - size[i]) / stride[i] + 1;
    let mut all = Vec::new();
    for y in 0..places(height, 0) {
        for x in 0..places(width, 1) {
            let mut window = Vec::new();
            for c in 0..channels {
                for dy in 0..size[0] {
                    for dx in 0..size[1] {
                        let at_y = (y * stride[0] + dy) as isize - padding[0] as isize;
                        let at_x = (x * stride[1] + dx) as isize - padding[1] as isize;
                        let inside =
                            (0..height as isize).contains(&at_y) && (0..width as isize).contains(&at_x);
                        window.push(inside.then(|| (c * height + at_y as usize) * width + at_x as usize));
                    }
                }
            }
            all.push(window);
        }
    }
    all
}

/// A convolution of one sample.
pub fn conv(windows: &[Vec<Option<usize>>], outputs: usize, bias: bool, p: &[f64], x: &[f64]) -> Vec<f64> {
    let inner = windows[0].len();
    let mut y = Vec::new();
    for o in 0..outputs {
        for window in windows {
            let weights = &p[o * inner..(o + 1) * inner];
            let sum: f64 = weights.iter().zip(window).map(|(w, at)| at.map_or(0.0, |at| w * x[at])).sum();
            y.push(sum + if bias { p[outputs * inner + o] } else { 0.0 });
        }
    }
    y
}

/// Causal self-attention of one sample.
pub fn attention(len: usize, heads: usize, residual: bool, p: &[f64], x: &[f64]) -> Vec<f64> {
    let (positions, head) = (x.len() / len, len / heads);
    let qkv = linear(len, 3 * len, false, &p[..3 * len * len], x);
    let at = |part: usize, t: usize, i: usize| qkv[t * 3 * len + part * len + i];
    let mut o = vec![0.0; x.len()];
    for h in 0..heads {
        for t in 0..positions {
            let columns = h * head..(h + 1) * head;
            let scores: Vec<f64> = (0..=t)
                .map(|s| {
                    columns.clone().map(|i| at(0, t, i) * at(1, s, i)).sum::<f64>() / (head as f64).sqrt()
                })
                .collect();
            for (s, p) in softmax(&scores).into_iter().enumerate() {
                columns.clone().for_each(|i| o[t * len + i] += p * at(2, s, i));
            }
        }
    }
    let y = linear(len, len, false, &p[3 * len * len..], &o);
    y.iter().zip(x).map(|(y, x)| y + if residual { *x } else { 0.0 }).collect()
}
