//! What encoders do to values: their range, their errors, importance; and that they always do the same.

use crate::common::on_every_tier;
use hybridq::quant::{Fit, Format, NonFinite, Options, q35p};
use proptest::prelude::*;

use super::common::gaussian;
use super::rows::{CASES, Row, range, rows};
use super::{pack, range_fit, unpack};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn decoded_values_stay_in_the_range_of_their_row(row in rows()) {
        let x = row.values();
        let (low, high) = range(&x);
        for fit in [Fit::MinMax, Fit::Mse] {
            let y = unpack(Format::Q35P, x.len(), &pack(Format::Q35P, fit, 1, &x));
            prop_assert!(y.iter().all(|v| (low..=high).contains(v)), "{fit:?}: {:?} outside {low}..={high}", range(&y));
        }
        // symmetric formats: magnitudes up to the largest one, to f16 precision of the scale
        let largest = low.abs().max(high.abs());
        if (1e-3..6e4).contains(&largest) {
            for format in [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary, Format::FiveLevel, Format::Q8_0] {
                let y = unpack(format, x.len(), &pack(format, Fit::AbsMax, 1, &x));
                // half a step of a subnormal f16 scale, 127 times
                let limit = largest * (1.0 + 1.0 / 1024.0) + 127.0 * 2f32.powi(-25);
                prop_assert!(y.iter().all(|v| v.abs() <= limit), "{format:?}");
            }
        }
    }

    #[test]
    fn errors_inside_the_window_are_at_most_half_a_step(row in rows()) {
        let x = row.values();
        for fit in [Fit::MinMax, Fit::Mse] {
            let row = pack(Format::Q35P, fit, 1, &x);
            let y = unpack(Format::Q35P, x.len(), &row);
            let (_, window) = q35p::split_row(&row).unwrap();
            let (scale, low) = (window.scale as f64, window.offset as f64);
            let high = low + 105.0 * scale;
            // the roundings of the division by the step and of decoding
            let slack = 2f64.powi(-21) * (low.abs() + high.abs() + 105.0 * scale) + 1e-43;
            let mut at = 0;
            for group in x.chunks(q35p::GROUP_LEN) {
                for i in 0..group.len() {
                    let step = if i < q35p::four_bit_len(group.len()) { 7.0 } else { 15.0 } * scale;
                    let (v, error) = (x[at] as f64, (x[at] as f64 - y[at] as f64).abs());
                    // outside the window, which minmax never is: the nearest end of it
                    let outside = (low - v).max(v - high).max(0.0);
                    let limit = if outside > 0.0 { outside } else { 0.5 * step };
                    prop_assert!(error <= limit + slack, "{fit:?} {at}: {v} became {} with step {step}", y[at]);
                    prop_assert!(fit == Fit::Mse || outside <= slack);
                    at += 1;
                }
            }
        }
    }

    #[test]
    fn errors_of_symmetric_formats_are_at_most_half_a_step(row in rows()) {
        // magnitudes that an f16 scale has
        let x = Row { exponent: row.exponent.clamp(-3, 1), ..row }.values();
        let largest = x.iter().fold(0f32, |m, v| m.max(v.abs()));
        if !(1e-3..6e4).contains(&largest) {
            return Ok(());
        }
        for (format, levels) in [
            (Format::Tq1_0, 1.0), (Format::Tq2_0, 1.0), (Format::DenseTernary, 1.0), (Format::FiveLevel, 2.0),
            (Format::Q8_0, 127.0),
        ] {
            let y = unpack(format, x.len(), &pack(format, Fit::AbsMax, 1, &x));
            let group = if format == Format::DenseTernary { x.len() } else { format.block_len() };
            for (x, y) in x.chunks(group).zip(y.chunks(group)) {
                let largest = x.iter().fold(0f32, |m, v| m.max(v.abs())) as f64;
                for (v, w) in x.iter().zip(y) {
                    // the scale is rounded to f16: 2^-11 of a normal one, half of 2^-24 of a smaller one
                    let slack = w.abs() as f64 * 2f64.powi(-10) + levels * 2f64.powi(-25) + 1e-6 * largest;
                    let error = (*v as f64 - *w as f64).abs();
                    prop_assert!(error <= 0.5 * largest / levels + slack, "{format:?}: {v} became {w}");
                }
            }
        }
    }

    #[test]
    fn the_search_is_never_worse_than_the_range(row in rows()) {
        let x = row.values();
        let error = |fit| -> f64 {
            let y = unpack(Format::Q35P, x.len(), &pack(Format::Q35P, fit, 1, &x));
            x.iter().zip(&y).map(|(a, b)| (*a as f64 - *b as f64).powi(2)).sum()
        };
        let (searched, whole) = (error(Fit::Mse), error(Fit::MinMax));
        // f32 sums choose between the two, and values far from zero lose bits below them
        let largest = x.iter().fold(0f32, |m, v| m.max(v.abs())) as f64;
        let slack = x.len() as f64 * (largest * 2f64.powi(-22)).powi(2);
        prop_assert!(searched <= whole * (1.0 + 1e-3) + slack, "{searched} after a search, {whole} without");
    }

    #[test]
    fn encoding_is_deterministic(row in rows(), cut in 0usize..5) {
        let x = row.values();
        for format in Format::ALL {
            for fit in [range_fit(format), Options::new(format).fit] {
                if format != Format::Q35P && range(&x).1.max(-range(&x).0) > 6e4 {
                    continue;
                }
                let matrix: Vec<f32> = (0..5).flat_map(|r| x.iter().map(move |v| v * 0.5f32.powi(r))).collect();
                let expected = pack(format, fit, 5, &matrix);
                on_every_tier(|_| {
                    assert_eq!(pack(format, fit, 5, &matrix), expected);
                    // and whatever the slices it is made in
                    let (top, bottom) = matrix.split_at(cut * x.len());
                    let mut parts = if cut > 0 { pack(format, fit, cut, top) } else { Vec::new() };
                    parts.extend(pack(format, fit, 5 - cut, bottom));
                    assert_eq!(parts, expected);
                });
            }
        }
    }
}

#[test]
fn importance_of_one_changes_nothing_and_large_importance_lowers_the_weighted_error() {
    let encode = |x: &[f32], importance: Option<&[f32]>| {
        let mut row = vec![0; Format::Q35P.row_bytes(x.len()).unwrap()];
        q35p::encode_row(x, importance, Fit::Mse, NonFinite::Error, &mut row).unwrap();
        row
    };
    let (mut weighted, mut plain) = (0.0, 0.0);
    for seed in 0..40 {
        let len = 300 + seed as usize;
        let x = gaussian(len, seed);
        let none = encode(&x, None);
        assert_eq!(none, pack(Format::Q35P, Fit::Mse, 1, &x));
        assert_eq!(none, encode(&x, Some(&vec![1.0; len])));
        assert_eq!(none, encode(&x, Some(&vec![0.25; len])));
        // columns with large weights matter most, as outlier channels do
        let importance: Vec<f32> = x.iter().map(|v| if v.abs() > 2.0 { 100.0 } else { 1.0 }).collect();
        let error = |row: &[u8]| -> f64 {
            let y = unpack(Format::Q35P, len, row);
            (0..len).map(|i| importance[i] as f64 * (x[i] as f64 - y[i] as f64).powi(2)).sum()
        };
        weighted += error(&encode(&x, Some(&importance)));
        plain += error(&none);
    }
    assert!(weighted < 0.8 * plain, "{weighted} with importance, {plain} without");

    let refused = |importance: &[f32]| {
        let mut row = [0xA5; 15];
        let got = q35p::encode_row(&[1.0, 2.0], Some(importance), Fit::Mse, NonFinite::Error, &mut row);
        assert!(row.iter().all(|b| *b == 0xA5));
        got.unwrap_err()
    };
    assert_eq!(refused(&[1.0]), hybridq::Error::Shape);
    for bad in [-1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(refused(&[1.0, bad]), hybridq::Error::InvalidArgument);
    }
    // no importance anywhere is no reason to fail
    assert_eq!(unpack(Format::Q35P, 2, &encode(&[1.0, 2.0], Some(&[0.0, 0.0]))).len(), 2);
}
