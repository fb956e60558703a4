//! The command line on any number of threads: the same files.

use std::fs;

use crate::io_support::*;

/// A model whose tensors are large enough to be shared among threads.
fn model() -> Vec<u8> {
    let tensor = |name: &'static str, rows: usize, cols: usize| {
        (name, "F32", [rows, cols], f32_bytes(&weights(rows * cols, rows as u32)))
    };
    let tensors =
        [tensor("wide.weight", 150, 1024), tensor("odd.weight", 300, 333), tensor("one.weight", 1, 256)];
    let tensors: Vec<_> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, *dtype, &shape[..], bytes.clone()))
        .collect();
    safetensors(&tensors)
}

#[test]
fn files_and_tables_do_not_depend_on_the_number_of_threads() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let importance: Vec<f32> = (0..1024).map(|i| (i % 9) as f32).collect();
    let importance = folder.write(
        "importance.safetensors",
        &safetensors(&[("wide.weight", "F32", &[1024], f32_bytes(&importance))]),
    );
    let output = folder.path("out.gguf");
    let importance = importance.to_str().unwrap();
    let cases: [&[&str]; 6] = [
        &["--format", "tq2_0"],
        &["--format", "five_level", "--granularity", "tensor"],
        &["--format", "q35p"],
        &["--format", "q35b", "--importance", importance],
        &["--format", "dense_ternary", "--fit", "absmean"],
        &["--format", "auto", "--budget", "3"],
    ];
    for case in cases {
        let run = |threads: Option<&str>| {
            let mut args =
                vec!["quantize", input.to_str().unwrap(), "-o", output.to_str().unwrap(), "--overwrite"];
            args.extend(case);
            args.extend(threads.iter().flat_map(|n| ["--threads", n]));
            let table = hybridq(&args).done();
            (fs::read(&output).unwrap(), table)
        };
        let one = run(Some("1"));
        for threads in [Some("2"), Some("3"), Some("16"), None] {
            assert!(run(threads) == one, "{case:?} on {threads:?} threads");
        }
    }
}

#[test]
fn no_threads_at_all_are_refused() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let output = folder.path("out.gguf");
    for threads in ["0", "-1", "many"] {
        let args = [
            "quantize",
            input.to_str().unwrap(),
            "-o",
            output.to_str().unwrap(),
            "-f",
            "tq2_0",
            "--threads",
            threads,
        ];
        let run = hybridq(&args);
        assert_eq!(run.code, Some(2), "{threads}");
        assert!(run.stderr.contains(if threads == "-1" { "-1" } else { "--threads" }), "{}", run.stderr);
    }
    assert!(!output.exists());
    let plan = hybridq(&["plan", "--params", "1e6", "--threads", "2"]);
    assert!(plan.code == Some(2) && plan.stderr.contains("--measure"), "{}", plan.stderr);
}
