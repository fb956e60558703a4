//! The quantization-aware optimizer: minima that are known, bytes, bits, refusals.

use crate::common::same_on_every_tier;
use crate::optimizer_support::{Aligned, Quadratic, Run, group};
use hybridq::Error;
use hybridq::constrain::{L2Ball, Project, Set};
use hybridq::learn::optimizer::{
    Base, GradientForm, Group, GroupStep, Inputs, Options, Outputs, Report, Storage, bytes_held,
    gradient_size, memory_size, packed_size, start, unpack_gradient, workspace_size,
};
use hybridq::quant::{Fit, Format, dequantize};

const FREE: Options = Options { clip_norm: f32::INFINITY, ..Options::DEFAULT };
const HELD: [Storage; 4] = [Storage::F32, Storage::Int8, Storage::Int4, Storage::Ternary];

/// The loss after some steps from 0, relative to that of 0; the rate falls tenfold at two thirds and again at five sixths.
fn descend(problem: &Quadratic, options: Options, groups: &[Group], steps: usize) -> f64 {
    let mut run = Run::new(options, groups);
    let mut x = vec![0.0; problem.best.len()];
    let first = problem.loss(&x);
    for step in 0..steps {
        if step == steps * 2 / 3 || step == steps * 5 / 6 {
            run.groups.iter_mut().for_each(|g| g.learning_rate *= 0.1);
        }
        run.step(&problem.gradient(&x), &mut x);
    }
    problem.loss(&x) / first
}

#[test]
fn every_base_finds_the_minimum_of_a_quadratic() {
    let problem = Quadratic::new(3003);
    for (base, rate) in [(Base::Sgd, 0.2), (Base::Nesterov, 0.2), (Base::NadamW, 0.05)] {
        let left = descend(&problem, Options { base, ..FREE }, &[group(3, 1001, rate)], 400);
        println!("{base:?}: {left:.2e} of the loss is left");
        assert!(left < 1e-9, "{base:?}: {left}");
    }
    let plain = Options { moment: Storage::None, momentum: 0.0, ..FREE };
    assert!(descend(&problem, plain, &[group(3, 1001, 1.0)], 400) < 1e-9);
}

#[test]
fn every_form_of_the_state_finds_it_too() {
    let problem = Quadratic::new(3003);
    // Feedback delays the gradient, so rates are lower than without: 0.1 diverges here.
    let groups = [group(3, 1001, 0.01)];
    for moment in HELD {
        for residual in [Storage::F32, Storage::Int8, Storage::Int4] {
            let gradient = GradientForm::Ternary;
            let options = Options { moment, residual, gradient, ..FREE };
            let left = descend(&problem, options, &groups, 900);
            println!("ternary gradient, moment {moment:?}, residual {residual:?}: {left:.2e} is left");
            assert!(
                left < if residual == Storage::F32 { 1e-4 } else { 1e-3 },
                "{moment:?} {residual:?}: {left}"
            );
        }
        for second in HELD {
            let options = Options { base: Base::NadamW, moment, second, ..FREE };
            let left = descend(&problem, options, &[group(3, 1001, 0.02)], 900);
            println!("NadamW, moment {moment:?}, second {second:?}: {left:.2e} is left");
            assert!(left < 1e-3, "{moment:?} {second:?}: {left}");
        }
    }
}

#[test]
fn the_proximal_ramp_ends_at_the_ternary_minimum() {
    // Levels -1/2, 0 and 1/2, which packing represents.
    let mut problem = Quadratic::new(2 * 1111);
    for best in &mut problem.best {
        *best = if *best > 0.3 {
            0.5
        } else if *best < -0.3 {
            -0.5
        } else {
            0.0
        };
    }
    for (base, rate) in [(Base::Sgd, 0.05), (Base::NadamW, 0.01)] {
        for format in [Format::Tq1_0, Format::Tq2_0] {
            let options = Options { base, format, ramp_start: 50, ramp_end: 250, ..FREE };
            let groups = [group(2, 1111, rate)];
            let mut run = Run::new(options, &groups);
            let (mut latent, mut seen) = (vec![0.0; 2222], vec![0.0; 2222]);
            let mut packed = vec![0; packed_size(&options, &groups).unwrap()];
            for step in 0..400 {
                let gradient = problem.gradient(&seen);
                let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
                let outputs = Outputs { visible: &mut seen, packed: &mut packed, ..Outputs::default() };
                let report = run.try_step(&inputs, &mut latent, outputs).unwrap();
                if step < 50 {
                    assert_eq!(seen, latent, "the identity before the ramp");
                }
                assert!((0.0..1.0).contains(&report.parameter_error));
            }
            let mut decoded = vec![0.0; 2222];
            dequantize(format, 2, 1111, &packed, &mut decoded).unwrap();
            assert_eq!(seen, decoded, "at the end the model sees what is packed");
            let left = problem.loss(&seen) / problem.loss(&vec![0.0; 2222]);
            println!("{base:?} {format:?}: {left:.2e} of the loss is left");
            assert!(left < 1e-3, "{base:?} {format:?}: {left}");
        }
    }
}

#[test]
fn bytes_are_those_of_the_page() {
    // 1000 rows of 1280 in one group: whole blocks.
    let (n, groups) = (1_280_000, [group(1000, 1280, 0.1)]);
    let fp32 = 4 * n;
    for (form, moment, second) in [
        (Storage::F32, fp32, fp32),
        (Storage::Int8, n + n / 256 * 4, n + n / 256 * 4),
        (Storage::Int4, n / 2 + n / 128 * 4, n / 2 + n / 128 * 4),
        (Storage::Ternary, n / 5 + n / 1280 * 4, n / 1280 * 4),
    ] {
        let residual = if form == Storage::Ternary { Storage::Int4 } else { form };
        let options = Options { base: Base::NadamW, moment: form, second: form, residual, ..FREE };
        let held = bytes_held(&options, &groups).unwrap();
        assert_eq!((held.moment, held.second), (moment, second), "{form:?}");
        assert_eq!(held.memory, memory_size(&options, &groups).unwrap());
        assert_eq!(held.memory, held.moment + held.second + held.residual);
        assert_eq!(held.latent, fp32);
    }
    let tight = Options { moment: Storage::Ternary, format: Format::Tq1_0, ..FREE };
    let held = bytes_held(&tight, &groups).unwrap();
    assert_eq!((held.moment, held.gradient, held.packed), (260_000, 260_000, 270_000));
    assert_eq!(held.memory, 260_000);
    let times = |bytes: usize| fp32 as f64 / bytes as f64;
    println!(
        "state {:.2}, gradient {:.2}, weights {:.2} times smaller than FP32",
        times(held.memory),
        times(held.gradient),
        times(held.packed)
    );
    // Tails: 7 values take 2 bytes of trits and a scale; parts begin at multiples of 4.
    let small = [group(1, 7, 0.1), group(1, 1283, 0.1)];
    let held = bytes_held(&Options { residual: Storage::Int8, ..tight }, &small).unwrap();
    assert_eq!(held.moment, (2 + 4) + (256 + 4) + (1 + 4));
    assert_eq!(held.residual, (7 + 4) + (1280 + 20) + (3 + 4));
    assert_eq!(held.memory, 271usize.next_multiple_of(4) + 1318usize.next_multiple_of(4));
    assert_eq!(gradient_size(&small).unwrap(), 271);
}

/// Options that between them use every kernel.
fn everything() -> Vec<Options> {
    let mut all = Vec::new();
    for base in [Base::Sgd, Base::Nesterov, Base::NadamW] {
        for (i, moment) in HELD.into_iter().enumerate() {
            let residual = [Storage::F32, Storage::None, Storage::Int8, Storage::Int4][i];
            let gradient = if i % 2 == 0 { GradientForm::Ternary } else { GradientForm::F32 };
            let second = HELD[(i + 1) % 4];
            let format = if i % 2 == 0 { Format::Tq1_0 } else { Format::Tq2_0 };
            let fit = [Fit::Mse, Fit::AbsMean, Fit::Lloyd, Fit::AbsMax][i];
            let clip_norm = if i < 2 { 0.7 } else { f32::INFINITY };
            let (weight_decay, ramp_end, seed) = (0.01 * i as f32, 3 * i as u64, i as u64);
            let forms = Options { base, moment, second, gradient, residual, format, fit, ..FREE };
            all.push(Options { clip_norm, weight_decay, ramp_end, seed, ..forms });
        }
    }
    all
}

type Everything = (Vec<u32>, Vec<u32>, Vec<u8>, Vec<u8>, Vec<u8>, Vec<GroupStep>, Vec<String>);

/// Steps `from..to` of a run; what it leaves, to the bit.
fn steps(run: &mut Run, problem: &Quadratic, x: &mut [f32], turns: usize) -> Everything {
    let bits = |x: &[f32]| x.iter().map(|v| v.to_bits()).collect::<Vec<u32>>();
    let mut visible = vec![0.0; x.len()];
    let mut packed = vec![0; packed_size(&run.options, &run.groups).unwrap()];
    let codes =
        if run.options.gradient == GradientForm::Ternary { gradient_size(&run.groups).unwrap() } else { 0 };
    let (mut codes, mut of_groups) = (vec![0; codes], vec![GroupStep::default(); run.groups.len()]);
    let mut reports = Vec::new();
    for _ in 0..turns {
        let gradient = problem.gradient(x);
        let inputs = Inputs { gradient: &gradient, losses: Some([1.0, 0.9]), set: None };
        let outputs = Outputs {
            visible: &mut visible,
            packed: &mut packed,
            gradient: &mut codes,
            groups: &mut of_groups,
        };
        let report = run.try_step(&inputs, x, outputs).unwrap();
        reports.push(format!("{report:?}"));
    }
    (bits(x), bits(&visible), packed, codes, run.memory.bytes().to_vec(), of_groups, reports)
}

/// Lengths with every kind of tail, rates and radii of their own.
fn shapes() -> Vec<Group> {
    let radii = [f32::INFINITY, 0.05, 0.01, f32::INFINITY, 0.2];
    let shapes = [(1, 1), (3, 17), (2, 1290), (1, 256), (5, 700)];
    let rates = [0.1, 0.2, 0.05, 0.3, 0.1];
    (0..5)
        .map(|i| Group { rows: shapes[i].0, cols: shapes[i].1, learning_rate: rates[i], radius: radii[i] })
        .collect()
}

#[test]
fn all_tiers_give_the_same_bits() {
    let groups = shapes();
    let problem = Quadratic::new(groups.iter().map(|g| g.rows * g.cols).sum());
    for options in everything() {
        same_on_every_tier(&format!("{options:?}"), || {
            let mut x = problem.curvature.clone();
            steps(&mut Run::new(options, &groups), &problem, &mut x, 4)
        });
    }
}

#[test]
fn an_interrupted_run_goes_on_with_the_same_bits() {
    let groups = shapes();
    let problem = Quadratic::new(groups.iter().map(|g| g.rows * g.cols).sum());
    for options in everything() {
        let start = problem.curvature.clone();
        let (mut whole, mut x) = (Run::new(options, &groups), start.clone());
        steps(&mut whole, &problem, &mut x, 3);
        let expected = steps(&mut whole, &problem, &mut x, 4);
        let (mut first, mut y) = (Run::new(options, &groups), start);
        steps(&mut first, &problem, &mut y, 3);
        // What a checkpoint holds: the parameters, the state and the memory, as bytes.
        let state = bytemuck::bytes_of(&first.state).to_vec();
        let mut second = Run::new(options, &groups);
        second.state = bytemuck::pod_read_unaligned(&state);
        second.memory = Aligned::of(first.memory.bytes());
        assert!(steps(&mut second, &problem, &mut y, 4) == expected, "{options:?}");
    }
}

#[test]
fn another_seed_rounds_otherwise() {
    let problem = Quadratic::new(2000);
    let memory = |seed| {
        let options = Options { moment: Storage::Int4, seed, ..FREE };
        let (mut run, mut x) = (Run::new(options, &[group(1, 2000, 0.1)]), vec![0.0; 2000]);
        run.step(&problem.gradient(&x), &mut x);
        run.memory.bytes().to_vec()
    };
    assert_eq!(memory(1), memory(1));
    assert_ne!(memory(1), memory(2));
}

#[test]
fn groups_are_optimizers_side_by_side() {
    let problem = Quadratic::new(1500);
    let (a, b) = (group(1, 700, 0.1), Group { radius: 0.02, ..group(4, 200, 0.3) });
    let (mut both, mut x) = (Run::new(FREE, &[a, b]), vec![0.0; 1500]);
    let (mut one, mut two) = (Run::new(FREE, &[a]), Run::new(FREE, &[b]));
    let mut y = x.clone();
    for _ in 0..5 {
        both.step(&problem.gradient(&x), &mut x);
        let gradient = problem.gradient(&y);
        let (front, back) = y.split_at_mut(700);
        one.step(&gradient[..700], front);
        two.step(&gradient[700..], back);
    }
    assert_eq!(x, y);
}

fn norm(x: &[f32]) -> f64 {
    x.iter().map(|v| (*v as f64).powi(2)).sum::<f64>().sqrt()
}

fn close(a: f32, b: f64) -> bool {
    (a as f64 - b).abs() <= 1e-5 * b.abs()
}

#[test]
fn norms_are_right_from_the_smallest_to_the_largest_gradients() {
    let n = 5000;
    let shape: Vec<f32> = (0..n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect();
    for size in [1e-36, 1e-30, 1e-10, 1.0, 1e10, 1e30, 1e34] {
        let gradient: Vec<f32> = shape.iter().map(|v| v * size).collect();
        let expected = norm(&gradient);
        // unclipped, with a rate that makes the step 0.01 a value at most, within a radius of 1/8
        let groups = [Group { radius: 0.125, ..group(1, n, 0.01 / size) }];
        for form in [GradientForm::F32, GradientForm::Ternary] {
            let options = Options { gradient: form, residual: Storage::F32, ..FREE };
            let (mut run, mut x) = (Run::new(options, &groups), vec![0.0; n]);
            let report = run.step(&gradient, &mut x);
            assert!(close(report.gradient_norm, expected), "{size}: {report:?}, {expected}");
            assert!(close(report.clipped_norm, expected));
            assert!(close(report.step_norm, 0.125) && report.bounded == 1, "{size}: {report:?}");
            assert!(close(report.step_norm, norm(&x)), "{size}: {} {report:?}", norm(&x));
            assert!(report.wanted_norm > 0.2 && report.efficiency > 0.85, "{size}: {report:?}");
            let along: f64 = gradient.iter().zip(&x).map(|(g, x)| -*g as f64 * *x as f64).sum();
            assert!(close(report.predicted, along), "{size}: {report:?} {along}");
            assert_eq!(report.gradient_error > 0.1, form == GradientForm::Ternary, "{report:?}");
        }
        // clipped to 1: the same step at every size
        let options = Options { momentum: 0.0, moment: Storage::None, ..Options::DEFAULT };
        let (mut run, mut x) = (Run::new(options, &[group(1, n, 1.0)]), vec![0.0; n]);
        let report = run.step(&gradient, &mut x);
        let clipped = expected.min(1.0);
        assert!(close(report.clipped_norm, clipped) && close(report.step_norm, clipped), "{report:?}");
        assert!((norm(&x) - clipped).abs() < 1e-5 * clipped, "{size}: {}", norm(&x));
    }
    // nothing at all
    let (mut run, mut x) = (Run::new(Options::DEFAULT, &[group(1, n, 1.0)]), shape.clone());
    let report = run.step(&vec![0.0; n], &mut x);
    assert_eq!(x, shape);
    assert_eq!((report.gradient_norm, report.step_norm, report.efficiency), (0.0, 0.0, 0.0));
}

#[test]
fn the_ratio_is_that_of_the_previous_step() {
    let problem = Quadratic::new(100);
    let plain = Options { momentum: 0.0, moment: Storage::None, ..FREE };
    let (mut run, mut x) = (Run::new(plain, &[group(1, 100, 1e-2)]), vec![0.0; 100]);
    let before = problem.loss(&x) as f32;
    let gradient = problem.gradient(&x);
    let losses = Some([9.0, 1.0]); // of no step
    let first =
        run.try_step(&Inputs { gradient: &gradient, losses, set: None }, &mut x, Outputs::default()).unwrap();
    assert_eq!(first.ratio, None);
    let after = problem.loss(&x) as f32;
    let gradient = problem.gradient(&x);
    let losses = Some([before, after]);
    let second =
        run.try_step(&Inputs { gradient: &gradient, losses, set: None }, &mut x, Outputs::default()).unwrap();
    let ratio = second.ratio.unwrap();
    assert!((0.98..1.0).contains(&ratio), "a small step keeps its promise: {ratio}");
    assert!((first.efficiency - 1.0).abs() < 1e-5);
}

#[test]
fn the_packed_gradient_is_the_one_that_was_used() {
    let problem = Quadratic::new(2001);
    let options = Options {
        gradient: GradientForm::Ternary,
        residual: Storage::F32,
        moment: Storage::None,
        momentum: 0.0,
        ..FREE
    };
    let groups = [group(3, 667, 1.0)];
    let (mut run, mut x) = (Run::new(options, &groups), vec![0.0; 2001]);
    let mut sum = vec![0.0; 2001];
    for _ in 0..6 {
        let gradient = problem.gradient(&[1.0; 2001]);
        let mut packed = vec![0; gradient_size(&groups).unwrap()];
        let before = x.clone();
        let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
        let outputs = Outputs { gradient: &mut packed, ..Outputs::default() };
        run.try_step(&inputs, &mut x, outputs).unwrap();
        let mut used = vec![9.0; 2001];
        unpack_gradient(&groups, &packed, &mut used).unwrap();
        for ((x, before), used) in x.iter().zip(&before).zip(&used) {
            assert_eq!(*x, before - used);
        }
        for (sum, g) in sum.iter_mut().zip(&gradient) {
            *sum -= g;
        }
    }
    // Feedback: what is missing in the parameters is in the residual, bounded however many steps there are.
    let missing = x.iter().zip(&sum).map(|(x, sum)| (x - sum).abs()).fold(0.0, f32::max);
    assert!(missing <= run.state.residual_bound * 1.0001 && missing > 0.0, "{missing} {:?}", run.state);
}

#[test]
fn a_set_holds_after_every_step() {
    let problem = Quadratic::new(900);
    let groups = [group(3, 300, 0.3)];
    let ball = Set::L2Ball(L2Ball { center: None, radius: 2.0 });
    let (mut run, mut x) = (Run::new(FREE, &groups), vec![0.0; 900]);
    let (mut seen, mut moved) = (vec![0.0; 900], 0);
    for _ in 0..100 {
        let gradient = problem.gradient(&x);
        let inputs = Inputs { gradient: &gradient, set: Some(ball), losses: None };
        let outputs = Outputs { visible: &mut seen, ..Outputs::default() };
        moved += run.try_step(&inputs, &mut x, outputs).unwrap().projected as u32;
        assert!(ball.is_feasible(&x, 1e-5).unwrap());
    }
    assert!(moved > 90, "{moved}");
    // At the minimum within the ball the gradient is a multiple of the point.
    let gradient = problem.gradient(&x);
    let along: f64 = gradient.iter().zip(&x).map(|(g, x)| *g as f64 * *x as f64).sum();
    assert!(along < -0.999 * norm(&gradient) * norm(&x), "{along}");
    // What is seen is what the projected parameters are quantized to.
    let options = hybridq::quant::Options::new(FREE.format);
    let mut packed = vec![0; packed_size(&FREE, &groups).unwrap()];
    let mut scratch = vec![0; 1 << 14];
    hybridq::quant::quantize(FREE.format, &options, 3, 300, &x, &mut packed, &mut scratch).unwrap();
    let mut decoded = vec![0.0; 900];
    dequantize(FREE.format, 3, 300, &packed, &mut decoded).unwrap();
    assert_eq!(seen, decoded);
    // A set of another length is refused before anything moves.
    let (center, before) = (vec![0.0; 899], x.clone());
    let other = Set::L2Ball(L2Ball { center: Some(&center), radius: 2.0 });
    let inputs = Inputs { gradient: &gradient, set: Some(other), losses: None };
    assert_eq!(run.try_step(&inputs, &mut x, Outputs::default()), Err(Error::Shape));
    assert_eq!(x, before);
}

#[test]
fn a_refused_step_changes_nothing() {
    let problem = Quadratic::new(2570);
    let groups = [group(2, 1285, 0.1)];
    for options in everything() {
        let mut run = Run::new(options, &groups);
        let mut x = problem.curvature.clone();
        run.step(&problem.gradient(&x), &mut x);
        let state = run.state;
        let (memory, before) = (run.memory.bytes().to_vec(), x.clone());
        let good = problem.gradient(&x);
        let (mut visible, mut packed) = (vec![7.0; 2570], vec![7; packed_size(&options, &groups).unwrap()]);
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            for at in [0, 15, 1279, 1280, 2569] {
                for case in 0..4 {
                    let (mut gradient, mut params, mut losses) = (good.clone(), x.clone(), [1.0, 1.0]);
                    match case {
                        0 => gradient[at] = odd,
                        1 => params[at] = odd,
                        2 => losses[0] = odd,
                        _ => losses[1] = odd,
                    }
                    let given = params.clone();
                    let inputs = Inputs { gradient: &gradient, losses: Some(losses), set: None };
                    let outputs =
                        Outputs { visible: &mut visible, packed: &mut packed, ..Outputs::default() };
                    let error = run.try_step(&inputs, &mut params, outputs).unwrap_err();
                    assert_eq!(error, Error::NonFinite);
                    assert!(params.iter().zip(&given).all(|(a, b)| a.to_bits() == b.to_bits()));
                }
            }
        }
        // A step that would leave the f32 range.
        let gradient = vec![3e38; 2570];
        let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
        let unclipped = Options { clip_norm: f32::INFINITY, ..options };
        run.options = unclipped;
        assert_eq!(run.try_step(&inputs, &mut x, Outputs::default()), Err(Error::NonFinite));
        assert_eq!((run.state, run.memory.bytes().to_vec(), x), (state, memory, before));
        assert!(visible.iter().all(|&v| v == 7.0) && packed.iter().all(|&b| b == 7));
    }
}

#[test]
fn misuse_is_refused() {
    let groups = [group(2, 8, 0.1)];
    let run = |options: Options, groups: &[Group]| -> Result<Report, Error> {
        let mut memory = Aligned::new(4096);
        let mut state = start(&Options::DEFAULT, &[group(2, 8, 0.1)], memory.bytes())?;
        let mut scratch = vec![0; 1 << 16];
        let mut optimizer = hybridq::learn::optimizer::Optimizer {
            options: &options,
            groups,
            state: &mut state,
            memory: memory.bytes(),
        };
        let inputs = Inputs { gradient: &[1.0; 16], ..Inputs::default() };
        optimizer.step(&inputs, &mut [0.0; 16], Outputs::default(), &mut scratch)
    };
    assert!(run(Options::DEFAULT, &groups).is_ok());
    let usual = Options::DEFAULT;
    for bad in [
        Options { momentum: 1.0, ..usual },
        Options { momentum: -0.1, ..usual },
        Options { momentum: f32::NAN, ..usual },
        Options { beta2: 1.0, ..usual },
        Options { epsilon: 0.0, ..usual },
        Options { weight_decay: -1.0, ..usual },
        Options { weight_decay: f32::INFINITY, ..usual },
        Options { clip_norm: 0.0, ..usual },
        Options { clip_norm: f32::NAN, ..usual },
        Options { sigma: 0.0, ..usual },
        Options { ramp_start: 2, ramp_end: 1, ..usual },
    ] {
        assert_eq!(run(bad, &groups), Err(Error::InvalidArgument), "{bad:?}");
        assert_eq!(memory_size(&bad, &groups), Err(Error::InvalidArgument));
        assert_eq!(workspace_size(&bad, &groups, None), Err(Error::InvalidArgument));
    }
    for bad in [
        Options { moment: Storage::None, ..usual },
        Options { residual: Storage::Ternary, ..usual },
        Options { base: Base::NadamW, second: Storage::None, ..usual },
        Options { format: Format::Q8_0, ..usual },
        Options { fit: Fit::MinMax, ..usual },
    ] {
        assert_eq!(run(bad, &groups), Err(Error::Unsupported), "{bad:?}");
    }
    for bad in [
        Group { learning_rate: -1.0, ..groups[0] },
        Group { learning_rate: f32::NAN, ..groups[0] },
        Group { radius: 0.0, ..groups[0] },
        Group { radius: f32::NAN, ..groups[0] },
    ] {
        assert_eq!(run(usual, &[bad]), Err(Error::InvalidArgument), "{bad:?}");
    }
    // the memory of other groups, of another form
    assert_eq!(run(usual, &[group(1, 8, 0.1), group(1, 8, 0.1)]), Err(Error::Shape));
    assert_eq!(run(Options { moment: Storage::Int8, ..usual }, &groups), Err(Error::Shape));
    assert_eq!(memory_size(&usual, &[group(usize::MAX, 2, 0.1)]), Err(Error::SizeOverflow));
    assert_eq!(start(&usual, &groups, &mut [0; 63]), Err(Error::OutputTooSmall));
    assert_eq!(unpack_gradient(&groups, &[0; 7], &mut [0.0; 16]), Err(Error::Shape));
    assert_eq!(unpack_gradient(&groups, &[0; 8], &mut [0.0; 15]), Err(Error::Shape));

    let attempt =
        |inputs: Inputs<'_>, params: &mut [f32], outputs: Outputs<'_>, scratch: usize, at: usize| {
            let mut memory = Aligned::new(64 + 4);
            let memory = &mut memory.bytes()[at..];
            let mut state = start(&usual, &groups, memory).unwrap();
            let mut scratch = vec![0; scratch];
            let (options, groups, state) = (&usual, &groups[..], &mut state);
            let mut optimizer = hybridq::learn::optimizer::Optimizer { options, groups, state, memory };
            optimizer.step(&inputs, params, outputs, &mut scratch).map(|_| ())
        };
    let good = Inputs { gradient: &[1.0; 16], ..Inputs::default() };
    let enough = workspace_size(&usual, &groups, None).unwrap();
    assert_eq!(attempt(good, &mut [0.0; 16], Outputs::default(), enough, 0), Ok(()));
    assert_eq!(
        attempt(good, &mut [0.0; 16], Outputs::default(), enough - 1, 0),
        Err(Error::WorkspaceTooSmall)
    );
    assert_eq!(attempt(good, &mut [0.0; 16], Outputs::default(), enough, 1), Err(Error::Misaligned));
    assert_eq!(attempt(good, &mut [0.0; 15], Outputs::default(), enough, 0), Err(Error::Shape));
    let short = Inputs { gradient: &[1.0; 15], ..Inputs::default() };
    assert_eq!(attempt(short, &mut [0.0; 16], Outputs::default(), enough, 0), Err(Error::Shape));
    let mut small = [0.0; 15];
    let visible = Outputs { visible: &mut small, ..Outputs::default() };
    assert_eq!(attempt(good, &mut [0.0; 16], visible, enough, 0), Err(Error::OutputTooSmall));
    let mut codes = [0; 8];
    let packed = Outputs { gradient: &mut codes, ..Outputs::default() };
    assert_eq!(attempt(good, &mut [0.0; 16], packed, enough, 0), Err(Error::Unsupported));
}
