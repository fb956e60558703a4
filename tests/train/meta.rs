//! Training the auxiliary network offline: the same bits on any number of threads, tasks that are apart, and a sample of
//! what `hybridq meta-train --evaluate` shows in full.

use std::path::Path;

use hybridq::learn::predictor::{Multipliers, Weights};
use hybridq::train::meta::{
    Family, LINEAR, LINEAR_TRAINED, MetaOptions, Policy, Report, TRAINED, Task, Trials, judge, linear, prove,
    source, train, train_linear,
};

fn trials(family: Family, tasks: usize, runs: usize) -> Trials<'static> {
    Trials { family, seed: 1, first: 0, tasks, runs, table: None }
}

fn tiny(threads: usize) -> MetaOptions {
    MetaOptions { generations: 3, pairs: 2, tasks: 3, threads, ..MetaOptions::default() }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let one = train(&tiny(1), |_| true).unwrap();
    assert_ne!(one, Weights::seeded(1));
    assert!(one.check().is_ok());
    for threads in [2, 5] {
        assert_eq!(train(&tiny(threads), |_| true).unwrap(), one);
    }
    let map = train_linear(&tiny(1), |_| true).unwrap();
    assert_eq!(train_linear(&tiny(3), |_| true).unwrap(), map);
    assert_ne!(map, [0.0; LINEAR]);
    let proof = |threads| {
        prove(&trials(Family::Similar, 3, 2), &Weights::TRAINED, &linear(&LINEAR_TRAINED), threads).unwrap()
    };
    assert_eq!(proof(1), proof(4));
    assert_eq!(proof(1)[0].name, TRAINED);
}

#[test]
fn a_training_ends_when_it_is_told_to_and_refuses_bad_options() {
    let mut seen = vec![];
    train(&tiny(1), |p| {
        seen.push(*p);
        seen.len() < 2
    })
    .unwrap();
    assert_eq!(seen.iter().map(|p| p.generation).collect::<Vec<_>>(), [1, 2]);
    assert!(seen.iter().all(|p| p.log.is_finite() && (0.0..=1.0).contains(&p.worse)), "{seen:?}");
    for bad in [
        MetaOptions { pairs: 0, ..tiny(1) },
        MetaOptions { sigma: 0.0, ..tiny(1) },
        MetaOptions { rate: f32::NAN, ..tiny(1) },
        MetaOptions { tasks: 0, ..tiny(1) },
        MetaOptions { runs: 0, ..tiny(1) },
    ] {
        assert!(train(&bad, |_| true).is_err(), "{bad:?}");
    }
    // The digits without their table.
    assert!(judge(&trials(Family::Digits, 1, 1), &[Policy::Base], 1).is_err());
    assert!(judge(&trials(Family::Similar, 0, 1), &[Policy::Base], 1).is_err());
    assert!(judge(&trials(Family::Similar, 1, 0), &[Policy::Base], 1).is_err());
}

#[test]
fn what_multiplies_by_one_is_the_base_to_the_bit() {
    let policies = [
        Policy::Base,
        Policy::Constant(Multipliers::ONE),
        Policy::Network { weights: Weights::seeded(3), online: false },
        Policy::Constant(Multipliers { learning_rate: 1e-3, radius: 1.0 }),
    ];
    let (reports, _) = judge(&trials(Family::Other, 3, 1), &policies, 2).unwrap();
    let [same @ .., slow] = &reports[..] else { panic!() };
    assert!(same.iter().flat_map(|r| &r.changes).all(|c| c.log == 0.0 && !c.sure), "{same:?}");
    assert_eq!(same[0].multipliers(), Multipliers::ONE);
    assert_eq!((same[0].worse(), same[0].worse_at_all(), same[0].better()), (0.0, 0.0, 0.0));
    assert_eq!((same[0].mean_ratio(), same[0].middle_ratio()), (1.0, 1.0));
    // A thousandth of the rate learns next to nothing, and the table says so.
    assert!(slow.worse() > 0.6 && slow.mean_ratio() > 1.01, "{slow:?}");
}

#[test]
fn families_share_no_task_and_held_out_kinds_are_others() {
    let draw = |family, seed| (0..200).map(|i| Task::draw(family, seed, i)).collect::<Vec<_>>();
    let training = draw(Family::Training, 1);
    assert_eq!(training, draw(Family::Training, 1));
    for family in [Family::Validation, Family::Similar, Family::Other, Family::Digits] {
        assert!(draw(family, 1).iter().all(|task| !training.contains(task)), "{family:?}");
    }
    let widest = training.iter().map(|t| t.features).max().unwrap();
    let other = draw(Family::Other, 1);
    assert!(other.iter().all(|t| t.features > 16 && t.momentum != 0.9 && t.momentum != 0.8), "{widest}");
    let even = |t: &Task| t.batch.is_multiple_of(2) && t.steps > 0 && t.learning_rate > 0.0 && t.radius > 0.0;
    assert!(training.iter().chain(&draw(Family::Other, 9)).all(even));
}

#[test]
fn a_linear_map_is_a_network() {
    let map: [f32; LINEAR] = std::array::from_fn(|i| 0.03 * i as f32 - 0.2);
    let x = [0.5, -1.0, 2.0, -0.25, 0.125, 1.0f32];
    let dot = |row: &[f32]| row.iter().zip(&x).map(|(w, x)| w * x).sum::<f32>();
    let want = [dot(&map[..6]) + map[12], dot(&map[6..12]) + map[13]];
    for (got, want) in linear(&map).forward(&x).into_iter().zip(want) {
        assert!((got - want.tanh()).abs() < 1e-6, "{got} {want}");
    }
}

#[test]
fn the_constants_are_the_file_that_the_training_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/learn/predictor/constants.rs");
    let text = std::fs::read_to_string(path).unwrap();
    let command = text.lines().nth(3).and_then(|l| l.strip_prefix("//! ")).unwrap();
    assert!(command.starts_with("hybridq meta-train --generations "), "{command}");
    assert_eq!(text, source(&Weights::TRAINED, &[command.to_owned()]));
}

#[test]
fn trained_weights_do_better_than_their_base_and_than_a_constant_on_a_sample_of_held_out_tasks() {
    let rows =
        prove(&trials(Family::Similar, 12, 6), &Weights::TRAINED, &linear(&LINEAR_TRAINED), 2).unwrap();
    let of = |name: &str| -> &Report { &rows.iter().find(|r| r.name == name).unwrap().report };
    for row in &rows {
        let r = &row.report;
        println!(
            "{:18} worse {:.2}, surely {:.2}, ratio {:.3}",
            row.name,
            r.worse(),
            r.surely_worse(),
            r.mean_ratio()
        );
    }
    assert!(of(TRAINED).mean_ratio() < of("constant").mean_ratio());
    assert!(of(TRAINED).mean_ratio() < 1.0);
    assert!(of(TRAINED).surely_worse() <= 0.1);
}
