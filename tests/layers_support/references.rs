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
