//! The auxiliary network: its arithmetic, its features, and what it learns on quadratics.

use crate::predictor_support::{Reward, Task, gain, run};
use hybridq::Error;
use hybridq::constrain::{TrustOutcome, Verdict};
use hybridq::learn::predictor::{
    Counterfactual, FEATURES, Fate, HISTORY, Multipliers, Observation, Options, PARAMETERS, Prediction,
    Predictor, Weights,
};
use hybridq::math::Random;
use proptest::prelude::*;

fn predictor(weights: Weights) -> Predictor {
    Predictor::new(weights, Options::DEFAULT).unwrap()
}

/// Weights with an output layer that says something.
fn trained(seed: u64) -> Weights {
    let mut random = Random::new(seed, 99);
    let mut weights = Weights::seeded(seed);
    for w in weights.output.rows.iter_mut().flatten().chain(&mut weights.output.bias) {
        *w = random.unit() - 0.5;
    }
    weights
}

fn seen(loss: f32, gradient_norm: f32, step: u64) -> Observation {
    Observation {
        loss,
        gradient_norm,
        cluster: (step % 5) as u32,
        loss_ratio: 0.9,
        gradient_variance: 0.01 * gradient_norm * gradient_norm * (1.0 + (step % 3) as f32),
        step,
    }
}

fn outcome(verdict: Verdict, ratio: f32) -> TrustOutcome {
    TrustOutcome { verdict, ratio, radius_before: 1.0, radius: 1.0, on_boundary: false }
}

#[test]
fn there_are_146_parameters_in_a_plain_array() {
    assert_eq!(PARAMETERS, 146);
    let weights = trained(3);
    let array = *weights.as_array();
    assert_eq!(Weights::from_slice(&array).unwrap(), weights);
    assert_eq!(array[7], weights.hidden[1][1]);
    assert_eq!(array[96 + 5], weights.hidden_bias[5]);
    assert_eq!(array[112 + 16 + 2], weights.output.rows[1][2]);
    assert_eq!(array[145], weights.output.bias[1]);
    assert_eq!(Weights::from_slice(&array[1..]), Err(Error::Shape));
    for (bad, error) in
        [(f32::NAN, Error::NonFinite), (f32::INFINITY, Error::NonFinite), (1.1e6, Error::InvalidArgument)]
    {
        let mut values = array;
        values[100] = bad;
        assert_eq!(Weights::from_slice(&values), Err(error));
    }
    // The generator is that of the crate: these constants are the same on every machine.
    assert_eq!(Weights::seeded(1).hidden[0][0].to_bits(), Weights::seeded(1).hidden[0][0].to_bits());
    assert_ne!(Weights::seeded(1), Weights::seeded(2));
}

/// The same network in f64.
fn reference(w: &[f64], features: &[f32; FEATURES]) -> [f64; 2] {
    let hidden: Vec<f64> = (0..16)
        .map(|i| (0..6).fold(w[96 + i], |s, j| s + w[6 * i + j] * features[j] as f64).max(0.0))
        .collect();
    [0, 1].map(|k| (0..16).fold(w[144 + k], |s, i| s + w[112 + 16 * k + i] * hidden[i]).tanh())
}

#[test]
fn forward_and_backward_are_those_of_the_network_in_f64() {
    for seed in 0..20 {
        let mut random = Random::new(seed, 5);
        let weights = trained(seed);
        let features: [f32; FEATURES] = std::array::from_fn(|_| 8.0 * random.unit() - 4.0);
        let g = [random.unit() - 0.5, random.unit() - 0.5];
        let wide: Vec<f64> = weights.as_array().iter().map(|&w| w as f64).collect();
        let want = reference(&wide, &features);
        for (got, want) in weights.forward(&features).into_iter().zip(want) {
            assert!((got as f64 - want).abs() < 2e-6, "{got} {want}");
        }
        let slope = weights.backward(&features, &g);
        for (i, &got) in slope.as_array().iter().enumerate() {
            let value = |by: f64| {
                let mut w = wide.clone();
                w[i] += by;
                let [a, b] = reference(&w, &features);
                a * g[0] as f64 + b * g[1] as f64
            };
            let want = (value(1e-6) - value(-1e-6)) / 2e-6;
            assert!((got as f64 - want).abs() < 1e-5 * (1.0 + want.abs()), "{seed} {i}: {got} {want}");
        }
    }
}

#[test]
fn untrained_it_is_the_base_optimizer_to_the_bit() {
    let mut p = predictor(Weights::seeded(7));
    for step in 0..200 {
        let loss = [3.0, 1e30, f32::NAN, 0.0, 1e-30][step as usize % 5];
        let made = p.predict(&seen(loss, 1.0 / (1.0 + step as f32), step)).unwrap();
        assert_eq!(made.chosen.learning_rate.to_bits(), 1f32.to_bits());
        assert_eq!(made.chosen.radius.to_bits(), 1f32.to_bits());
        assert!(!made.held);
    }
    assert_eq!(p.statistics.mean_multipliers(), [1.0, 1.0]);
    assert_eq!(p.statistics.clamp_rate(), [0.0, 0.0]);
}

#[test]
fn multipliers_stay_within_their_bounds_and_reach_them() {
    for bias in [-50.0, -1.0, 1.0, 50.0f32] {
        let mut weights = Weights::seeded(1);
        weights.output.bias = [bias, -bias];
        let options = Options { lowest: [0.5, 0.3], highest: [2.0, 1.0], ..Options::DEFAULT };
        let mut p = Predictor::new(weights, options).unwrap();
        for step in 0..50 {
            let m = p.predict(&seen(1.0, 1.0, step)).unwrap();
            for m in [m.chosen, m.alternative] {
                assert!((0.5..=2.0).contains(&m.learning_rate) && (0.3..=1.0).contains(&m.radius), "{m:?}");
            }
            assert_eq!(m.chosen.learning_rate, if bias > 0.0 { 2.0 } else { 0.5 });
        }
        assert_eq!(p.statistics.clamp_rate(), [1.0, 1.0]);
        let [learning_rate, _] = p.statistics.mean_multipliers();
        assert!((learning_rate.ln() - bias.signum() * 2f32.ln()).abs() < 1e-5, "{learning_rate}");
    }
    // Bounds of 1: switched off, whatever the network says.
    let options = Options { lowest: [1.0; 2], highest: [1.0; 2], ..Options::DEFAULT };
    let mut p = Predictor::new(trained(1), options).unwrap();
    for step in 0..50 {
        let m = p.predict(&seen(1.0, 1.0, step)).unwrap();
        assert_eq!((m.chosen, m.probe), (Multipliers::ONE, false));
    }
}

#[test]
fn units_of_loss_and_gradient_do_not_matter() {
    let all = |loss: f32, gradient: f32| -> Vec<Prediction> {
        let mut p = predictor(trained(4));
        let mut random = Random::new(8, 0);
        let mut one = |step| {
            let (l, g) = (0.5 + random.unit(), 0.1 + random.unit());
            p.predict(&seen(loss * l, gradient * g, step)).unwrap()
        };
        (0..300).map(&mut one).collect()
    };
    let plain = all(1.0, 1.0);
    assert!(plain.iter().any(|m| (m.chosen.learning_rate - 1.0).abs() > 0.2));
    // Powers of two: the same bits.
    assert_eq!(all(1024.0, 0.125), plain);
    assert_eq!(all(2f32.powi(-90), 2f32.powi(40)), plain);
    // Others: but for the rounding of the inputs.
    for (loss, gradient) in [(1e-30, 3e7), (7e20, 1.3e-9), (0.1, 1e15)] {
        for (a, b) in all(loss, gradient).iter().zip(&plain) {
            for (x, y) in a.features.iter().zip(&b.features) {
                assert!((x - y).abs() < 3e-5, "{a:?} {b:?}");
            }
            assert!((a.chosen.learning_rate / b.chosen.learning_rate - 1.0).abs() < 2e-4);
            assert!((a.chosen.radius / b.chosen.radius - 1.0).abs() < 2e-4);
        }
    }
}

#[test]
fn features_say_what_they_should() {
    let nan = f32::NAN;
    let plain = Observation {
        loss: 2.0,
        gradient_norm: 1.0,
        cluster: 0,
        loss_ratio: nan,
        gradient_variance: nan,
        step: 0,
    };
    let mut p = predictor(Weights::seeded(1));
    assert_eq!(p.predict(&plain).unwrap().features, [0.0, 0.0, 0.0, 0.0, 0.0, -1.0]);
    for _ in 0..20 {
        p.predict(&plain).unwrap();
    }
    let e = core::f32::consts::E;
    let f = |seen: Observation| {
        let mut q = p;
        q.predict(&seen).unwrap().features
    };
    let near = |a: f32, b: f32| (a - b).abs() < 1e-5;
    assert!(near(f(Observation { loss: 2.0 * e, ..plain })[0], 1.0));
    assert!(near(f(Observation { gradient_norm: 1.0 / e, ..plain })[1], -1.0));
    assert!(near(f(Observation { loss_ratio: e * e, ..plain })[3], 2.0));
    assert!(f(Observation { step: 1096, ..plain })[5].abs() < 1e-4);
    // A cluster that is twice as hard as the others, seen now and then: known by its number from then on.
    let mut q = p;
    for round in 0..400 {
        let cluster = round % 8;
        q.predict(&Observation { loss: if cluster == 5 { 4.0 } else { 2.0 }, cluster, ..plain }).unwrap();
    }
    let of = |cluster| {
        let mut q = q;
        q.predict(&Observation { cluster, ..plain }).unwrap().features[2]
    };
    assert!((of(5) - 2f32.ln() * 7.0 / 8.0).abs() < 0.1, "{}", of(5));
    assert!((of(1) + 2f32.ln() / 8.0).abs() < 0.1, "{}", of(1));
    assert_eq!(of(5), of(5 + 32)); // clusters beyond the table share a place
    // The hostile ones.
    for loss in [nan, f32::INFINITY] {
        assert_eq!(f(Observation { loss, gradient_norm: loss, ..plain })[..2], [4.0, 4.0]);
    }
    for loss in [0.0, -1.0, f32::NEG_INFINITY] {
        assert_eq!(f(Observation { loss, gradient_norm: loss, ..plain })[..2], [-4.0, -4.0]);
    }
    assert_eq!(f(Observation { loss_ratio: f32::INFINITY, ..plain })[3], 4.0);
    assert_eq!(f(Observation { loss_ratio: 0.0, gradient_variance: 0.0, ..plain })[3..5], [-4.0, -4.0]);
    assert_eq!(f(Observation { gradient_norm: 0.0, gradient_variance: 0.0, ..plain })[4], 0.0);
    assert_eq!(f(Observation { gradient_norm: 0.0, gradient_variance: 1.0, ..plain })[4], 4.0);
}

fn hostile() -> impl Strategy<Value = f32> {
    prop_oneof![
        any::<f32>(),
        any::<u32>().prop_map(f32::from_bits),
        prop::sample::select(vec![
            0.0,
            -0.0,
            1e30,
            1e-30,
            f32::MAX,
            1e-45,
            f32::NAN,
            f32::INFINITY,
            -1.0,
            1.0
        ]),
    ]
}

proptest! {
    #[test]
    fn nothing_that_is_seen_gives_anything_but_finite_numbers(
        all in prop::collection::vec(([hostile(), hostile(), hostile(), hostile()], any::<u32>(), any::<u64>()), 1..40),
        losses in prop::collection::vec([hostile(), hostile(), hostile(), hostile(), hostile()], 40),
        seed in 0u64..8,
    ) {
        let options = Options { probe_every: 1, block: 2, confidence: 0.0, indifference: 0.0, ..Options::DEFAULT };
        let mut p = Predictor::new(trained(seed), options).unwrap();
        let steps = [0, 1, u64::MAX, u64::MAX - 1];
        for (i, (([loss, gradient_norm, loss_ratio, gradient_variance], cluster, step), l)) in
            all.into_iter().zip(losses).enumerate()
        {
            let step = if step % 3 == 0 { steps[step as usize % 4] } else { step };
            let made = p.predict(&Observation { loss, gradient_norm, cluster, loss_ratio, gradient_variance, step }).unwrap();
            prop_assert!(made.features.iter().all(|f| f.abs() <= 4.0), "{:?}", made);
            for m in [made.chosen, made.alternative] {
                prop_assert!((0.25..=4.0).contains(&m.learning_rate) && (0.25..=4.0).contains(&m.radius), "{:?}", made);
            }
            let [before, chosen, alternative, a, b] = l;
            let fresh = (i % 3 > 0).then_some([a, b]);
            let moved = p.adapt(&made, &Counterfactual { before, chosen, alternative, fresh }).unwrap();
            prop_assert!(moved.iter().all(|m| m.abs() <= 2.0 * 4f32.ln()), "{:?}", moved);
            let verdict = [Verdict::Accepted, Verdict::Rejected, Verdict::Refused][i % 3];
            p.feedback(&outcome(verdict, before)).unwrap();
            p.check().unwrap();
        }
    }
}

#[test]
fn a_learning_rate_that_is_far_too_small_is_mended() {
    for (noise, momentum, rate) in [(0.0, 0.0, 0.05), (0.1, 0.0, 0.05), (0.0, 0.9, 0.005), (0.1, 0.9, 0.005)]
    {
        let task = Task { momentum, ..Task::new(rate, noise) };
        let found = gain(&task, 10, Reward::Both, Options::DEFAULT);
        println!("rate {rate}, momentum {momentum}, noise {noise}: {found:+.3}");
        assert!(found < -1.0, "{found}"); // a loss of less than 37 % of the base's
    }
}

#[test]
fn a_learning_rate_that_is_too_large_is_mended() {
    for noise in [0.1, 0.5] {
        let found = gain(&Task::new(1.8, noise), 10, Reward::Both, Options::DEFAULT);
        println!("rate 1.8, noise {noise}: {found:+.3}");
        assert!(found < -0.7, "{found}");
    }
}

#[test]
fn a_learning_rate_that_is_well_set_stays_as_good() {
    for (noise, momentum, rate) in [
        (0.1, 0.0, 0.5),
        (0.1, 0.0, 1.0),
        (0.5, 0.0, 0.5),
        (0.5, 0.0, 1.0),
        (0.1, 0.9, 0.05),
        (0.1, 0.9, 0.1),
        (0.5, 0.9, 0.05),
        (0.5, 0.9, 0.1),
    ] {
        for condition in [30.0, 1000.0] {
            let task = Task { momentum, condition, ..Task::new(rate, noise) };
            let found = gain(&task, 20, Reward::Both, Options::DEFAULT);
            println!("rate {rate}, momentum {momentum}, noise {noise}, condition {condition}: {found:+.3}");
            assert!(found < 0.05, "{found}");
        }
    }
}

/// Quick to learn and hardly bounded below: what goes wrong does so at once.
const HASTY: Options =
    Options { lowest: [1.0 / 256.0; 2], rate: 1.0, probe_every: 1, decay: 0.0, ..Options::DEFAULT };

#[test]
fn the_loss_of_the_next_step_alone_lets_the_learning_rate_collapse_and_two_batches_do_not() {
    // Slow directions with a share in the loss as large as that of the noisy quick ones.
    let task = Task { condition: 300.0, far: true, steps: 1000, ..Task::new(1.0, 0.3) };
    let last = |reward| -> f32 {
        let log = |seed| {
            run(&task, seed, reward, HASTY).multipliers.iter().rev().take(100).map(|m| m.ln()).sum::<f32>()
        };
        (0..10).map(log).sum::<f32>() / 1000.0
    };
    let (both, next) = (last(Reward::Both), last(Reward::NextStep));
    let (harm, no_harm) = (gain(&task, 10, Reward::NextStep, HASTY), gain(&task, 10, Reward::Both, HASTY));
    println!("ln multiplier: next step alone {next:+.2}, both {both:+.2}; gain {harm:+.2}, {no_harm:+.2}");
    assert!(next < -1.5 && harm > 0.5, "{next} {harm}");
    assert!(both > -0.2 && no_harm < 0.05, "{both} {no_harm}");
}

#[test]
fn multiplying_the_loss_by_a_constant_changes_nothing_that_is_learnt() {
    let plain = run(&Task::new(0.05, 0.1), 3, Reward::Both, Options::DEFAULT);
    let task = Task { unit: 2f32.powi(-20), ..Task::new(0.05, 0.1) };
    assert_eq!(run(&task, 3, Reward::Both, Options::DEFAULT).multipliers, plain.multipliers);
    assert!(plain.multipliers.iter().any(|&m| m > 1.5));
    assert!(plain.predictor.statistics.moves > 0);
}

#[test]
fn bad_steps_roll_back_to_what_was_proved_and_then_to_the_base() {
    let options = Options { probe_every: 0, good_steps: 5, hold_steps: 4, ..Options::DEFAULT };
    let mut weights = Weights::seeded(1);
    weights.output.bias = [0.5, 0.0];
    let mut p = Predictor::new(weights, options).unwrap();
    let mut step = 0;
    let mut go = |p: &mut Predictor, verdict, ratio| {
        step += 1;
        let made = p.predict(&seen(1.0, 1.0, step)).unwrap();
        (made, p.feedback(&outcome(verdict, ratio)).unwrap())
    };
    for _ in 0..5 {
        assert!(!go(&mut p, Verdict::Accepted, 0.9).1);
    }
    // Something worse is learnt.
    p.weights.output.bias = [1.0, 0.0];
    assert_eq!(go(&mut p, Verdict::Accepted, 0.9).0.chosen.learning_rate, 4.0);
    assert!(!go(&mut p, Verdict::Accepted, 0.05).1); // bad: its ratio
    assert!(!go(&mut p, Verdict::Refused, 0.0).1);
    let kept = p.weights.output.bias;
    assert_eq!(kept, [1.0, 0.0]);
    // The good steps before that had been made with it, so it was kept; in the next row nothing proves it.
    assert!(go(&mut p, Verdict::Rejected, -3.0).1);
    assert_eq!(p.statistics.roll_backs, 1);
    for left in (0..4).rev() {
        let (made, rolled) = go(&mut p, Verdict::Accepted, 0.0);
        assert!(made.held && !made.probe && !rolled, "{left}");
        assert_eq!(made.chosen, Multipliers::ONE);
    }
    let (made, _) = go(&mut p, Verdict::Rejected, 0.0);
    assert!(!made.held && made.chosen.learning_rate > 1.0);
    assert!(!go(&mut p, Verdict::Rejected, 0.0).1);
    assert!(go(&mut p, Verdict::Rejected, 0.0).1); // the second time without a proof between
    assert_eq!(p.weights.output, hybridq::learn::predictor::Output::ZERO);
    for _ in 0..4 {
        go(&mut p, Verdict::Accepted, 0.9);
    }
    // The base's own bad steps roll nothing back.
    for _ in 0..10 {
        let (made, rolled) = go(&mut p, Verdict::Rejected, -1.0);
        assert_eq!((made.chosen, rolled), (Multipliers::ONE, false));
    }
    assert_eq!(p.statistics.roll_backs, 2);
    assert_eq!(p.statistics.held, 8);
}

#[test]
fn what_was_proved_is_what_comes_back() {
    let options = Options { probe_every: 0, good_steps: 5, hold_steps: 0, ..Options::DEFAULT };
    let mut weights = Weights::seeded(1);
    weights.output.bias = [0.3, 0.0];
    let mut p = Predictor::new(weights, options).unwrap();
    for step in 0..6 {
        p.predict(&seen(1.0, 1.0, step)).unwrap();
        p.feedback(&outcome(Verdict::Accepted, 0.9)).unwrap();
    }
    p.weights.output.bias = [1.0, 0.0];
    for step in 0..3 {
        p.predict(&seen(1.0, 1.0, step)).unwrap();
        assert_eq!(p.feedback(&outcome(Verdict::Accepted, f32::NAN)).unwrap(), step == 2);
    }
    assert_eq!(p.weights.output.bias, [0.3, 0.0]);
}

#[test]
fn history_and_statistics_say_what_happened() {
    let mut p = predictor(trained(2));
    let mut made = vec![];
    for step in 0..37u64 {
        let m = p.predict(&seen(1.0 + (step % 4) as f32, 1.0, step)).unwrap();
        let accepted = step % 4 != 0;
        if step != 36 {
            let verdict = if accepted { Verdict::Accepted } else { Verdict::Rejected };
            p.feedback(&outcome(verdict, step as f32)).unwrap();
        }
        made.push((m, accepted));
        assert_eq!(p.history().count(), (step as usize + 1).min(HISTORY));
    }
    let tail = &made[37 - HISTORY..];
    for ((record, (m, accepted)), step) in p.history().zip(tail).zip(37 - HISTORY..) {
        assert_eq!((record.learning_rate, record.radius), (m.chosen.learning_rate, m.chosen.radius));
        let fate = match (step, accepted) {
            (36, _) => Fate::Unknown,
            (_, true) => Fate::Accepted,
            (_, false) => Fate::Rejected,
        };
        assert_eq!(record.fate(), fate);
        assert_eq!(record.ratio, if step == 36 { 0.0 } else { step as f32 });
    }
    let s = &p.statistics;
    assert_eq!((s.steps, s.judged, s.accepted, s.probes), (37, 36, 27, 10));
    assert_eq!(s.success_rate(), 0.75);
    let log =
        |f: fn(&Multipliers) -> f32| made.iter().map(|(m, _)| (f(&m.chosen) as f64).ln()).sum::<f64>() / 37.0;
    let [learning_rate, radius] = s.mean_multipliers();
    assert!((learning_rate as f64 - log(|m| m.learning_rate).exp()).abs() < 1e-6);
    assert!((radius as f64 - log(|m| m.radius).exp()).abs() < 1e-6);
}

#[test]
fn comparisons_that_say_nothing_are_counted_and_change_nothing() {
    let mut p = predictor(trained(1));
    let made = p.predict(&seen(1.0, 1.0, 0)).unwrap();
    assert!(made.probe);
    let (nan, weights) = (f32::NAN, p.weights);
    for (before, chosen, alternative) in
        [(nan, 1.0, 1.0), (1.0, nan, f32::INFINITY), (f32::INFINITY, 1.0, 2.0)]
    {
        let moved = p.adapt(&made, &Counterfactual { before, chosen, alternative, fresh: None }).unwrap();
        assert_eq!(moved, [0.0, 0.0]);
    }
    let same = Prediction { alternative: made.chosen, ..made };
    p.adapt(&same, &Counterfactual { before: 1.0, chosen: 0.9, alternative: 0.8, fresh: None }).unwrap();
    assert_eq!((p.statistics.ignored, p.statistics.compared, p.weights), (4, 0, weights));
}

#[test]
fn what_is_out_of_range_is_refused_and_changes_nothing() {
    let good = Options::DEFAULT;
    for options in [
        Options { lowest: [0.0, 0.5], ..good },
        Options { lowest: [0.5, 1.5], ..good },
        Options { highest: [0.5, 2.0], ..good },
        Options { highest: [2.0, f32::INFINITY], ..good },
        Options { probe_factor: 1.0, ..good },
        Options { probe_factor: f32::NAN, ..good },
        Options { rate: -0.1, ..good },
        Options { decay: 1.1, ..good },
        Options { confidence: f32::INFINITY, ..good },
        Options { indifference: f32::NAN, ..good },
        Options { bad_ratio: f32::NAN, ..good },
        Options { window: 0, ..good },
        Options { block: 1, ..good },
        Options { good_steps: 0, ..good },
    ] {
        assert_eq!(Predictor::new(Weights::seeded(1), options), Err(Error::InvalidArgument), "{options:?}");
        let mut p = predictor(trained(1));
        p.options = options;
        let before = format!("{p:?}");
        assert_eq!(p.predict(&seen(1.0, 1.0, 0)), Err(Error::InvalidArgument));
        assert_eq!(p.feedback(&outcome(Verdict::Accepted, 1.0)), Err(Error::InvalidArgument));
        assert_eq!(format!("{p:?}"), before);
    }
    let mut p = predictor(trained(1));
    let made = p.predict(&seen(1.0, 1.0, 0)).unwrap();
    let losses = Counterfactual { before: 1.0, chosen: 0.9, alternative: 0.8, fresh: None };
    let before = p;
    let mut wrong = made;
    wrong.features[2] = f32::NAN;
    assert_eq!(p.adapt(&wrong, &losses), Err(Error::NonFinite));
    wrong.features[2] = 5.0;
    assert_eq!(p.adapt(&wrong, &losses), Err(Error::InvalidArgument));
    for m in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let chosen = Multipliers { learning_rate: m, radius: 1.0 };
        assert_eq!(p.adapt(&Prediction { chosen, ..made }, &losses), Err(Error::InvalidArgument));
        assert_eq!(
            p.adapt(&Prediction { alternative: chosen, ..made }, &losses),
            Err(Error::InvalidArgument)
        );
    }
    assert_eq!(p, before);
    p.weights.output.bias[0] = f32::NAN;
    assert_eq!(p.predict(&seen(1.0, 1.0, 0)), Err(Error::NonFinite));
}

#[test]
fn a_run_that_is_stored_and_restored_ends_with_the_same_bits() {
    let losses = |made: &Prediction, step: u64| Counterfactual {
        before: 3.0,
        chosen: 2.9 / made.chosen.learning_rate,
        alternative: 2.9 / made.alternative.learning_rate,
        fresh: Some([
            2.95 / made.chosen.learning_rate,
            (2.95 + 1e-4 * (step % 7) as f32) / made.alternative.learning_rate,
        ]),
    };
    let step = |p: &mut Predictor, step: u64| {
        let made = p.predict(&seen(3.0 / (1.0 + step as f32), 1.0, step)).unwrap();
        if made.probe {
            p.adapt(&made, &losses(&made, step)).unwrap();
        }
        let verdict = if step % 50 > 46 { Verdict::Rejected } else { Verdict::Accepted };
        p.feedback(&outcome(verdict, 0.5)).unwrap();
        made
    };
    let mut whole = predictor(Weights::seeded(5));
    let all: Vec<Prediction> = (0..400).map(|i| step(&mut whole, i)).collect();
    assert!(whole.statistics.moves > 3 && whole.statistics.roll_backs > 0, "{:?}", whole.statistics);
    for stop in [1, 17, 150, 301] {
        let mut first = predictor(Weights::seeded(5));
        (0..stop).for_each(|i| {
            step(&mut first, i);
        });
        let bytes = bytemuck::bytes_of(&first).to_vec();
        let mut second: Predictor = bytemuck::pod_read_unaligned(&bytes);
        let rest: Vec<Prediction> = (stop..400).map(|i| step(&mut second, i)).collect();
        assert_eq!(rest, all[stop as usize..]);
        assert_eq!(bytemuck::bytes_of(&second), bytemuck::bytes_of(&whole));
    }
}

/// Figures of one machine, which all machines have to give: nothing here depends on a tier, and this says so.
#[test]
fn the_same_bits_everywhere() {
    let mut p = predictor(trained(6));
    let mut hash = 0xCBF2_9CE4_8422_2325u64;
    for step in 0..100 {
        let m = p.predict(&seen(2.0 + (step % 9) as f32, 0.5, step)).unwrap();
        for x in m.features.into_iter().chain([m.chosen.learning_rate, m.alternative.radius]) {
            hash = (hash ^ x.to_bits() as u64).wrapping_mul(0x0100_0000_01B3);
        }
    }
    assert_eq!(hash, 0xdd47_5121_fc5e_e687, "{hash:#x}");
}
