//! `hybridq meta-train`: it writes constants and figures, the same on any number of threads, and refuses what makes no
//! sense.

use std::fs;

use crate::io_support::*;

const TINY: [&str; 12] = [
    "--generations",
    "2",
    "--pairs",
    "1",
    "--tasks",
    "2",
    "--held-out",
    "2",
    "--runs",
    "1",
    "--digits",
    concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/test.csv"),
];

#[test]
fn a_training_writes_its_constants_and_prints_the_figures() {
    let folder = Folder::new();
    let output = folder.path("constants.rs");
    let run = |threads: &str| {
        let mut args = vec!["meta-train", "--output", output.to_str().unwrap(), "--overwrite"];
        args.extend(TINY);
        args.extend(["--threads", threads]);
        (hybridq(&args).done(), fs::read_to_string(&output).unwrap())
    };
    let (text, file) = run("1");
    assert!(file.contains("hybridq meta-train --generations 2 --pairs 1 --tasks 2 --rate "), "{file}");
    assert!(file.contains("pub(super) const TRAINED: Weights = Weights {"), "{file}");
    for figure in ["", "_chance", "_trained_online", "_constant", "_shuffled", "_linear", "_by_hand"] {
        let name = format!("figure predictor_tasks_made_worse{figure} ");
        let line = text.lines().find(|l| l.starts_with(&name)).unwrap_or_else(|| panic!("{name}\n{text}"));
        let percent: f64 = line[name.len()..].trim_end_matches(" %").parse().unwrap();
        assert!((0.0..=100.0).contains(&percent), "{line}");
    }
    assert_eq!(run("3"), (text, file));
    let linear =
        hybridq(&["meta-train", "--linear", "--generations", "1", "--pairs", "1", "--tasks", "1"]).done();
    assert_eq!(linear.lines().last().unwrap().split(", ").filter(|n| n.parse::<f32>().is_ok()).count(), 14);
}

#[test]
fn bad_flags_are_refused() {
    let folder = Folder::new();
    let taken = folder.write("taken.rs", b"mine");
    let taken = taken.to_str().unwrap();
    let free = folder.path("free.rs");
    let free = free.to_str().unwrap();
    let cases: [&[&str]; 9] = [
        &[],
        &["--output", taken],
        &["--output", free, "--evaluate"],
        &["--evaluate", "--generations", "3"],
        &["--output", free, "--pairs", "0"],
        &["--output", free, "--generations", "0"],
        &["--output", free, "--rate", "nan"],
        &["--output", free, "--threads", "0"],
        &["--output", free, "--digits", "/nowhere.csv"],
    ];
    for case in cases {
        let mut args = vec!["meta-train"];
        args.extend(case);
        let run = hybridq(&args);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stdout.is_empty(), "{run:?}");
    }
    assert_eq!(fs::read(taken).unwrap(), b"mine");
    assert!(!folder.path("free.rs").exists());
}
