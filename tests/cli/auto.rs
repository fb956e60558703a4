//! `hybridq quantize --format auto`: within the budget, as good as every single format, clear where it cannot be.

use std::path::Path;

use crate::io_support::*;
use hybridq::io::Dtype;
use hybridq::io::model::{Kind, Model};
use hybridq::quant::Format;

fn run(input: &Path, output: &Path, more: &[&str]) -> Run {
    let mut args = vec!["quantize".as_ref(), input.as_os_str(), "-o".as_ref(), output.as_os_str()];
    args.extend(["--overwrite"].iter().chain(more).map(std::ffi::OsStr::new));
    hybridq(&args)
}

/// Matrices of different sizes, magnitudes and row lengths, and what has no choice.
fn model() -> Vec<u8> {
    let scaled = |n: usize, seed: u32, by: f32| -> Vec<u8> {
        f32_bytes(&weights(n, seed).iter().map(|v| v * by).collect::<Vec<_>>())
    };
    // Nearly all values zero: ternary loses little here, and much in the others.
    let sparse: Vec<f32> = weights(64 * 256, 6)
        .iter()
        .enumerate()
        .map(|(i, v)| if i % 9 == 0 { v.signum() } else { 0.0 })
        .collect();
    safetensors(&[
        ("a.weight", "F32", &[32, 256], scaled(32 * 256, 1, 1.0)),
        ("b.weight", "F32", &[20, 512], scaled(20 * 512, 2, 30.0)),
        ("c.weight", "F32", &[16, 384], scaled(16 * 384, 3, 0.01)),
        ("odd.weight", "F32", &[30, 50], scaled(1500, 4, 1.0)),
        ("half.weight", "BF16", &[8, 256], bf16_bytes(&weights(2048, 5))),
        ("sparse.weight", "F32", &[64, 256], f32_bytes(&sparse)),
        ("a.bias", "F32", &[32], f32_bytes(&weights(32, 7))),
        ("ids", "I64", &[3], vec![7; 24]),
    ])
}

const OPEN: [&str; 6] = ["a.weight", "b.weight", "c.weight", "odd.weight", "half.weight", "sparse.weight"];

fn read(model: &Model, name: &str) -> Vec<f32> {
    let tensor = model.tensors.iter().find(|t| t.name == name).unwrap();
    let mut out = vec![0.0; tensor.len()];
    model.read_rows(tensor, 0..tensor.rows(), &mut out).unwrap();
    out
}

/// Bits a value, the mean relative squared error, and the kinds, of the tensors with a choice.
fn outcome(source: &Model, path: &Path) -> (f64, f64, Vec<Kind>) {
    let result = Model::open(path).unwrap();
    let (mut bytes, mut values, mut error, mut kinds) = (0, 0, 0.0, vec![]);
    for name in OPEN {
        let tensor = result.tensors.iter().find(|t| t.name == name).unwrap();
        let (x, y) = (read(source, name), read(&result, name));
        let of = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            x.iter().zip(&y).map(|(a, b)| f(f64::from(*a), f64::from(*b))).sum()
        };
        error += x.len() as f64 * of(&|a, b| (a - b) * (a - b)) / of(&|a, _| a * a);
        bytes += tensor.bytes();
        values += tensor.len();
        kinds.push(tensor.kind.clone());
    }
    (8.0 * bytes as f64 / values as f64, error / values as f64, kinds)
}

#[test]
fn the_budget_is_kept_and_more_bits_give_less_error() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let source = Model::open(&input).unwrap();
    let output = folder.path("out.gguf");
    let mut before = f64::INFINITY;
    let mut seen = Vec::new();
    for budget in ["1.9", "2.1", "2.5", "4", "6.5", "8.5", "12", "16", "64"] {
        let table = run(&input, &output, &["-f", "auto", "--budget", budget]).done();
        let (bits, error, kinds) = outcome(&source, &output);
        assert!(bits <= budget.parse().unwrap(), "{bits} {budget}");
        assert!(error <= before * (1.0 + 1e-6), "{budget}: {error} after {before}");
        before = error;
        seen.extend(kinds);
        let line = table.lines().find(|l| l.starts_with("auto: weighted error")).unwrap();
        let told: f64 = line.split([' ', ',']).nth(3).unwrap().parse().unwrap();
        assert!((told - error.sqrt()).abs() < 2e-6, "{told} {}", error.sqrt());
        assert!(line.contains("proved"), "{line}");
        assert!(table.contains(&format!("auto: {bits:.4} of {budget} bits a weight over")), "{table}");
        for format in Format::ALL {
            assert!(table.contains(format.name()));
        }
        assert!(
            table.contains("f16") && table.contains("vector stays exact") && table.contains("is not float")
        );
    }
    // 16 bits are enough for halves: a BF16 tensor keeps its own.
    let (_, _, kinds) = outcome(&source, &output);
    assert_eq!(kinds.iter().filter(|k| **k == Kind::Plain(Dtype::F16)).count(), 4);
    assert!(["tq1_0", "dense_ternary"].contains(&kinds[5].name()), "ternary already: exact in less");
    assert_eq!(kinds[4], Kind::Plain(Dtype::Bf16));
    seen.sort_by_key(|k| k.name().to_owned());
    seen.dedup();
    assert!(seen.len() >= 5, "{seen:?}");
}

#[test]
fn no_single_format_of_the_same_size_is_better() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let source = Model::open(&input).unwrap();
    for format in Format::ALL {
        let (one, auto) = (folder.path("one.gguf"), folder.path("auto.gguf"));
        run(&input, &one, &["-f", format.name()]).done();
        let (bits, error, _) = outcome(&source, &one);
        if bits > 16.0 {
            continue;
        }
        run(&input, &auto, &["-f", "auto", "--budget", &bits.to_string()]).done();
        let (spent, best, _) = outcome(&source, &auto);
        assert!(spent <= bits && best <= error * (1.0 + 1e-6), "{format:?}: {best} against {error}");
    }
}

#[test]
fn a_budget_that_is_too_small_names_the_smallest() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let output = folder.path("out.gguf");
    let line = run(&input, &output, &["-f", "auto", "--budget", "1.2"]).refused();
    let smallest = line.rsplit("pass --budget ").next().unwrap().split(' ').next().unwrap();
    assert!(line.contains("bits a weight, the budget is 1.2; pass --budget "), "{line}");
    assert_eq!(folder.names(), ["in.safetensors"]);
    run(&input, &output, &["-f", "auto", "--budget", smallest]).done();
    let less = (smallest.parse::<f64>().unwrap() - 0.001).to_string();
    run(&input, &output, &["-f", "auto", "--budget", &less]).refused();
}

#[test]
fn options_of_auto() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let output = folder.path("out.gguf");
    for (options, says) in [
        (&["-f", "auto"][..], "needs --budget"),
        (&["-f", "tq2_0", "--budget", "2"], "pass --format auto"),
        (&["-f", "tq2_0", "--weighting", "absolute"], "pass --format auto"),
        (&["-f", "auto", "--budget", "3", "--fit", "mse"], "leave --fit"),
        (&["-f", "auto", "--budget", "3", "--granularity", "row"], "leave --fit"),
        (&["-f", "auto", "--budget", "3", "--keep", "zzz"], "matches no tensor"),
    ] {
        let line = run(&input, &output, options).refused();
        assert!(line.contains(says), "{line}");
    }
    for budget in ["0", "-1", "nan", "65", "many"] {
        let budget = format!("--budget={budget}");
        assert_eq!(run(&input, &output, &["-f", "auto", &budget]).code, Some(2));
    }
    // Kept tensors are outside the budget.
    let table = run(&input, &output, &["-f", "auto", "--budget", "2.5", "--keep", "b.*"]).done();
    assert!(table.contains("asked by --keep") && table.contains("in 5 tensors"), "{table}");
    // Each weighting is the better one in its own measure, and they differ.
    let source = Model::open(&input).unwrap();
    let mut differ = false;
    for budget in ["2", "2.3", "3", "4"] {
        let by = |weighting| {
            run(&input, &output, &["-f", "auto", "--budget", budget, "--weighting", weighting]).done();
            let (_, relative, kinds) = outcome(&source, &output);
            let result = Model::open(&output).unwrap();
            let gap = |name: &&str| -> f64 {
                let (x, y) = (read(&source, name), read(&result, name));
                x.iter().zip(y).map(|(a, b)| f64::from(a - b).powi(2)).sum()
            };
            (relative, OPEN.iter().map(gap).sum::<f64>(), kinds)
        };
        let (relative, absolute) = (by("relative"), by("absolute"));
        assert!(relative.0 <= absolute.0 * (1.0 + 1e-6) && absolute.1 <= relative.1 * (1.0 + 1e-6));
        differ |= relative.2 != absolute.2;
    }
    assert!(differ);
    let text = hybridq(&["inspect".as_ref(), output.as_os_str(), "--json".as_ref()]).done();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&json["metadata"]["hybridq.format"], &json["metadata"]["hybridq.budget"]),
        (&"auto".into(), &4.0.into())
    );

    // What no f16 scale can hold gets a format that needs none of that size; NaN is refused by all.
    let big: Vec<f32> = weights(1024, 1).iter().map(|v| v * 1e8).collect();
    let file = safetensors(&[("w", "F32", &[4, 256], f32_bytes(&big))]);
    let input = folder.write("big.safetensors", &file);
    let table = run(&input, &output, &["-f", "auto", "--budget", "16"]).done();
    assert!(table.contains("q35p "), "its scale is an f32: {table}");
    // A range beyond f32 is too much for it as well.
    let big: Vec<f32> = (0..1024).map(|i| if i % 2 == 0 { 3e38 } else { -3e38 }).collect();
    let file = safetensors(&[("w", "F32", &[4, 256], f32_bytes(&big))]);
    let input = folder.write("big.safetensors", &file);
    let line = run(&input, &output, &["-f", "auto", "--budget", "16"]).refused();
    assert!(line.contains("largest f16"), "{line}");
    run(&input, &output, &["-f", "auto", "--budget", "16", "--non-finite", "saturate"]).done();
    let mut bad = weights(1024, 1);
    bad[5] = f32::NAN;
    let input = folder.write("nan.safetensors", &safetensors(&[("w", "F32", &[4, 256], f32_bytes(&bad))]));
    let line = run(&input, &output, &["-f", "auto", "--budget", "16"]).refused();
    assert!(line.contains("NaN"), "{line}");
}

/// Importance of the columns of the tensors with a choice, all but `odd.weight`: a few columns count most.
fn importance() -> Vec<(&'static str, Vec<f32>)> {
    let cols = [("a.weight", 256), ("b.weight", 512), ("c.weight", 384), ("half.weight", 256)];
    let mut all: Vec<_> = cols
        .into_iter()
        .enumerate()
        .map(|(t, (name, cols))| {
            (name, weights(cols, 40 + t as u32).iter().map(|v| (10.0 * v).powi(6)).collect())
        })
        .collect();
    // Of this one only columns that ternary keeps exactly in most rows count.
    all.push(("sparse.weight", (0..256).map(|i| if i % 5 == 0 { 1.0 } else { 0.0 }).collect()));
    all
}

/// The mean weighted relative squared error of the tensors with a choice.
fn weighted_error(source: &Model, path: &Path, importance: &[(&str, Vec<f32>)]) -> f64 {
    let result = Model::open(path).unwrap();
    let (mut values, mut total) = (0, 0.0);
    for name in OPEN {
        let (x, y) = (read(source, name), read(&result, name));
        let ones = vec![1.0];
        let w = importance.iter().find(|(n, _)| *n == name).map_or(&ones, |(_, w)| w);
        let of = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
            let pairs = x.iter().zip(&y).zip(w.iter().cycle());
            pairs.map(|((a, b), w)| f64::from(*w) * f(f64::from(*a), f64::from(*b))).sum()
        };
        total += x.len() as f64 * of(&|a, b| (a - b) * (a - b)) / of(&|a, _| a * a);
        values += x.len();
    }
    total / values as f64
}

#[test]
fn with_importance_the_weighted_error_is_what_is_least() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model());
    let source = Model::open(&input).unwrap();
    let importance = importance();
    let shapes: Vec<[usize; 1]> = importance.iter().map(|(_, w)| [w.len()]).collect();
    let entries: Vec<_> =
        importance.iter().zip(&shapes).map(|((n, w), s)| (*n, "F32", &s[..], f32_bytes(w))).collect();
    let file = folder.write("importance.safetensors", &safetensors(&entries));
    let file = file.to_str().unwrap();
    let (plain, output, one) = (folder.path("plain.gguf"), folder.path("out.gguf"), folder.path("one.gguf"));
    let bytes = |path: &Path, name: &str| {
        let model = Model::open(path).unwrap();
        let tensor = model.tensors.iter().find(|t| t.name == name).unwrap();
        (tensor.kind.clone(), model.row_slice(tensor, 0..tensor.rows()).to_vec())
    };
    let (mut differ, mut compared) = (false, 0);
    for budget in ["1.9", "2.5", "3", "4", "6.5"] {
        run(&input, &plain, &["-f", "auto", "--budget", budget]).done();
        let options = ["-f", "auto", "--budget", budget, "--importance", file];
        let table = run(&input, &output, &options).done();
        let (before, after) =
            (weighted_error(&source, &plain, &importance), weighted_error(&source, &output, &importance));
        assert!(after <= before * (1.0 + 1e-6), "{budget}: {after} against {before}");
        let (bits, _, kinds) = outcome(&source, &output);
        assert!(bits <= budget.parse().unwrap(), "{bits} {budget}");
        differ |= kinds != outcome(&source, &plain).2;
        let line = table.lines().find(|l| l.starts_with("auto: weighted error")).unwrap();
        let told: f64 = line.split([' ', ',']).nth(3).unwrap().parse().unwrap();
        assert!((told - after.sqrt()).abs() < 2e-6, "{told} {}", after.sqrt());
        // Each tensor has the bytes that its format has with importance, or without where there is none.
        let odd = table.lines().find(|l| l.contains("odd.weight")).unwrap();
        assert_eq!(odd.contains("unweighted"), matches!(kinds[3], Kind::Packed(_)), "{odd}");
        for (name, kind) in OPEN.into_iter().zip(kinds) {
            let Kind::Packed(format) = kind else { continue };
            let options = ["-f", format.name(), "--importance", file];
            run(&input, &one, if name == "odd.weight" { &options[..2] } else { &options }).done();
            assert_eq!(bytes(&output, name), bytes(&one, name), "{name}");
            compared += 1;
        }
    }
    assert!(differ && compared >= 15, "{differ} {compared}");
    let wrong = [("a.weight", "F32", &[3][..], f32_bytes(&[1.0; 3]))];
    let wrong = folder.write("wrong.safetensors", &safetensors(&wrong));
    let bad = folder.path("bad.gguf");
    let options = ["-f", "auto", "--budget", "3", "--importance", wrong.to_str().unwrap()];
    let line = run(&input, &bad, &options).refused();
    assert!(line.contains("3 values") && !bad.exists(), "{line}");
}
