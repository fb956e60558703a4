//! Causal self-attention against f64.

use crate::common::gaussian;
use crate::support::gradients::{check, pass};
use crate::support::{references as exact, same_on_all};
use hybridq::Error;
use hybridq::learn::layers::{Attention, Layer, Weights};
use hybridq::quant::Fit;

/// Weights of a layer scaled down, so that the softmax is not all on one position.
fn moderate(layer: &Attention) -> Vec<f32> {
    gaussian(layer.parameters_len(), 21).iter().map(|v| 0.4 * v).collect()
}

#[test]
fn attention_is_its_reference() {
    for (len, heads, positions, batch) in
        [(1, 1, 1, 1), (4, 2, 3, 2), (6, 3, 7, 1), (8, 1, 5, 2), (6, 1, 18, 1)]
    {
        for residual in [false, true] {
            let layer = Attention::new(len, heads, positions).unwrap();
            let layer = if residual { layer.residual() } else { layer };
            let what =
                format!("{len} values, {heads} heads, {positions} positions, batch {batch}, {residual}");
            let x: Vec<f32> = gaussian(batch * layer.input_len(), 1).iter().map(|v| 0.4 * v).collect();
            check(&what, &layer, batch, &x, |p, x| {
                x.chunks(positions * len).flat_map(|x| exact::attention(len, heads, residual, p, x)).collect()
            });
        }
    }
}

#[test]
fn no_position_sees_a_later_one() {
    let (len, positions) = (8, 6);
    let layer = Attention::new(len, 2, positions).unwrap();
    let p = moderate(&layer);
    let (x, from) = (gaussian(len * positions, 2), vec![1.0; len * positions]);
    let whole = pass(&layer, 1, &p, &x, &from).output;
    for t in 1..positions {
        let mut other = x.clone();
        other[t * len..].iter_mut().for_each(|v| *v += 3.0);
        let got = pass(&layer, 1, &p, &other, &from).output;
        assert_eq!(got[..t * len], whole[..t * len]);
        assert_ne!(got[t * len..], whole[t * len..]);
    }
}

#[test]
fn ternary_attention_is_its_surrogate() {
    let (len, heads, positions, batch) = (8, 2, 5, 3);
    let float = Attention::new(len, heads, positions).unwrap().residual();
    let layer = float.seen(Weights::ternary(Fit::AbsMean)).unwrap();
    let p = moderate(&layer);
    let x = gaussian(batch * layer.input_len(), 3);
    let from = gaussian(x.len(), 4);
    same_on_all("ternary", || pass(&layer, batch, &p, &x, &from).all());
    let got = pass(&layer, batch, &p, &x, &from);
    // saved: qkv and the scales of its rows, then out
    let (qkv, rest) = got.saved.split_at(3 * len * len + 3 * len);
    let mut seen = qkv[..3 * len * len].to_vec();
    seen.extend(&rest[..len * len]);
    for row in seen.chunks(len) {
        let scale = row.iter().fold(0.0f32, |a, v| a.max(v.abs()));
        assert!(row.iter().all(|&v| v == 0.0 || v.abs() == scale));
    }
    let surrogate = pass(&float, batch, &seen, &x, &from);
    assert_eq!(got.output, surrogate.output);
    assert_eq!(got.input_gradient, surrogate.input_gradient);
    assert_eq!(got.parameters_gradient, surrogate.parameters_gradient);

    let clip = Weights::Ternary { fit: Fit::AbsMean, inverse_slope: 0.0, clip: 1.5 };
    let got = pass(&float.seen(clip).unwrap(), batch, &p, &x, &from);
    let mut dropped = 0;
    for (row, w) in p.chunks(len).enumerate() {
        let scale = seen[row * len..(row + 1) * len].iter().fold(0.0f32, |a, v| a.max(v.abs()));
        for (i, w) in w.iter().enumerate() {
            let beyond = w.abs() > 1.5 * scale;
            dropped += usize::from(beyond);
            let all = surrogate.parameters_gradient[row * len + i];
            assert_eq!(got.parameters_gradient[row * len + i], if beyond { 0.0 } else { all });
        }
    }
    assert!(dropped > 0);
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    assert_eq!(Attention::new(6, 4, 3), Err(Error::InvalidArgument));
    assert_eq!(Attention::new(6, 0, 3), Err(Error::InvalidArgument));
    assert_eq!(Attention::new(0, 1, 3), Err(Error::InvalidArgument));
    assert_eq!(Attention::new(6, 2, 0), Err(Error::InvalidArgument));
    assert_eq!(Attention::new(usize::MAX / 2, 1, 1), Err(Error::SizeOverflow));
    assert_eq!(Attention::new(2, 1, usize::MAX / 2), Err(Error::SizeOverflow));
}
