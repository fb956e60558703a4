//! Steps from packed gradients: those from the numbers that they stand for, to the bit.

use crate::common::{Rng, gaussian, same_on_every_tier};
use crate::optimizer_support::Run;
use hybridq::Error;
use hybridq::learn::optimizer::{
    Base, GradientForm, Group, GroupStep, Inputs, Options, Outputs, Storage, bytes_held, gradient_size,
    packed_size, unpack_gradient,
};

/// Trits at random, with scales of very different size.
fn packed(groups: &[Group], seed: u64) -> Vec<u8> {
    let mut rng = Rng(seed);
    let mut bytes = Vec::new();
    for group in groups {
        let mut left = group.rows * group.cols;
        while left > 0 {
            let n = left.min(1280);
            let scale = 10f32.powi((rng.next() % 4) as i32 - 3) * (1.0 + rng.uniform() as f32);
            bytes.extend(scale.to_le_bytes());
            // a fifth of the digits of a last block may be padding: trits of value 0
            let planes = n.div_ceil(5);
            let at = bytes.len();
            bytes.resize(at + planes, 0);
            for (digit, weight) in [1u8, 3, 9, 27, 81].into_iter().enumerate() {
                for (j, byte) in bytes[at..].iter_mut().enumerate() {
                    let trit = if digit * planes + j < n { (rng.next() % 3) as u8 } else { 1 };
                    *byte += weight * trit;
                }
            }
            left -= n;
        }
    }
    assert_eq!(bytes.len(), gradient_size(groups).unwrap());
    bytes
}

fn group(rows: usize, cols: usize, radius: f32) -> Group {
    Group { rows, cols, learning_rate: 0.05, radius }
}

fn shapes() -> Vec<Vec<Group>> {
    let free = f32::INFINITY;
    vec![
        vec![group(1, 5, free)],
        vec![group(4, 640, free)],
        vec![group(1, 17, free), group(1, 1, 0.01), group(7, 300, free)],
        vec![
            group(3, 427, 0.02),
            group(1, 1280, free),
            group(2, 641, 0.5),
            group(0, 3, free),
            group(1, 15, free),
        ],
    ]
}

fn options() -> Vec<Options> {
    let base = Options { seed: 3, weight_decay: 0.01, ..Options::DEFAULT };
    vec![
        Options { clip_norm: f32::INFINITY, ..base },
        Options { base: Base::Nesterov, moment: Storage::Int8, ..base },
        Options { base: Base::NadamW, moment: Storage::Int4, second: Storage::Int8, ..base },
        Options { gradient: GradientForm::Ternary, residual: Storage::F32, moment: Storage::Ternary, ..base },
        Options { gradient: GradientForm::Ternary, residual: Storage::Int4, moment: Storage::Int8, ..base },
        Options { moment: Storage::None, momentum: 0.0, residual: Storage::Int8, ..base },
    ]
}

#[test]
fn a_step_from_packed_trits_is_the_step_from_their_numbers() {
    for groups in shapes() {
        let len: usize = groups.iter().map(|g| g.rows * g.cols).sum();
        for options in options() {
            let what = format!("{groups:?} {options:?}");
            same_on_every_tier(&what, || {
                let (mut from_trits, mut from_floats) =
                    (Run::new(options, &groups), Run::new(options, &groups));
                let mut params = gaussian(len, 1);
                let mut other = params.clone();
                for step in 0..3 {
                    let trits = packed(&groups, 20 + step);
                    let mut gradient = vec![0.0; len];
                    unpack_gradient(&groups, &trits, &mut gradient).unwrap();
                    let held = packed_size(&options, &groups).unwrap();
                    let ternary = options.gradient == GradientForm::Ternary;
                    let codes = if ternary { trits.len() } else { 0 };
                    let mut outs = [(); 2].map(|()| (vec![0.0; len], vec![0; held], vec![0; codes]));
                    let mut steps = [(); 2].map(|()| vec![GroupStep::default(); groups.len()]);
                    let losses = Some([1.0, 0.75]);
                    let mut reports = Vec::new();
                    for (k, ((visible, packed, gradient_out), steps)) in
                        outs.iter_mut().zip(&mut steps).enumerate()
                    {
                        let outputs = Outputs { visible, packed, gradient: gradient_out, groups: steps };
                        reports.push(if k == 0 {
                            let inputs = Inputs { losses, ..Inputs::default() };
                            from_trits.try_step_packed(&trits, &inputs, &mut params, outputs).unwrap()
                        } else {
                            let inputs = Inputs { gradient: &gradient, losses, ..Inputs::default() };
                            from_floats.try_step(&inputs, &mut other, outputs).unwrap()
                        });
                    }
                    let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&params), bits(&other), "{what}");
                    assert_eq!(reports[0], reports[1], "{what}");
                    assert_eq!(steps[0], steps[1], "{what}");
                    assert!(outs[0] == outs[1], "{what}");
                    assert_eq!(from_trits.state, from_floats.state, "{what}");
                    assert!(from_trits.memory.bytes() == from_floats.memory.bytes(), "{what}");
                }
                params.iter().map(|v| v.to_bits()).collect::<Vec<_>>()
            });
        }
    }
}

#[test]
fn a_fifth_of_a_byte_of_gradient_is_held() {
    let held = bytes_held(&Options::DEFAULT, &[group(100, 1280, 1.0)]).unwrap();
    assert_eq!(held.gradient, 100 * 260); // f32: 512_000
    assert!(held.latent as f64 / held.gradient as f64 > 19.6);
}

#[test]
fn packed_gradients_that_nothing_writes_are_refused_and_change_nothing() {
    let groups = [group(1, 1300, 1.0), group(1, 7, 1.0)];
    let good = packed(&groups, 5);
    let mut run = Run::new(Options::DEFAULT, &groups);
    let mut params = gaussian(1307, 2);
    run.try_step_packed(&good, &Inputs::default(), &mut params, Outputs::default()).unwrap();
    let before = (params.clone(), run.state, run.memory.bytes().to_vec());
    let mut refuse = |trits: &[u8], inputs: Inputs<'_>, error: Error| {
        let got = run.try_step_packed(trits, &inputs, &mut params, Outputs::default());
        assert_eq!(got.unwrap_err(), error);
        assert!(before == (params.clone(), run.state, run.memory.bytes().to_vec()));
    };
    refuse(&good[1..], Inputs::default(), Error::Shape);
    refuse(&[&good[..], &[0]].concat(), Inputs::default(), Error::Shape);
    refuse(&[], Inputs::default(), Error::Shape);
    refuse(&good, Inputs { gradient: &[1.0; 1307], ..Inputs::default() }, Error::Shape);
    let forged = |at: usize, bytes: &[u8]| {
        let mut trits = good.clone();
        trits[at..at + bytes.len()].copy_from_slice(bytes);
        trits
    };
    let end = good.len();
    for (at, scale) in [(0, f32::NAN), (260, f32::INFINITY), (end - 6, f32::NEG_INFINITY)] {
        refuse(&forged(at, &scale.to_le_bytes()), Inputs::default(), Error::NonFinite);
    }
    refuse(&forged(260, &(-1.0f32).to_le_bytes()), Inputs::default(), Error::Corrupt);
    for at in [4, 259, 264, end - 1] {
        refuse(&forged(at, &[243]), Inputs::default(), Error::Corrupt);
    }
    refuse(&forged(0, &3e38f32.to_le_bytes()), Inputs::default(), Error::NonFinite); // beyond the range with momentum
}
