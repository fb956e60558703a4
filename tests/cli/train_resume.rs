//! `hybridq train`: interrupted runs go on, and a full disk loses nothing.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::io_support::*;

/// Lines of metrics without the seconds that they took.
fn timeless(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let json = path.extension().unwrap() == "jsonl";
    let without = |line: &str| match json {
        true => line.rsplit_once("\"seconds\"").unwrap().0.to_owned(),
        false => line.rsplit_once(',').unwrap().0.to_owned(),
    };
    text.lines().map(without).collect()
}

#[test]
fn an_interrupted_run_goes_on_with_the_same_bytes() {
    for (metrics, signal, hybrid) in [("m.csv", "-INT", true), ("m.jsonl", "-TERM", false)] {
        let (whole, parts) = (Folder::new(), Folder::new());
        let arguments = |folder: &Folder| {
            let mut args =
                vec!["train", "--digits", "--qat", "--lr", "0.02", "--hidden", "16", "--seed", "5"];
            args.extend(["--epochs", if hybrid { "12" } else { "60" }]);
            if hybrid {
                args.extend(["--hybrid", "--initial-trust-radius", "0.1"]);
            }
            let mut args: Vec<String> = args.into_iter().map(str::to_owned).collect();
            for (flag, name) in [
                ("--checkpoint", "state"),
                ("--save-metrics", metrics),
                ("-o", "net.gguf"),
                ("--c-header", "net.h"),
                ("--plot", "run.svg"),
            ] {
                args.extend([flag.to_owned(), folder.path(name).to_str().unwrap().to_owned()]);
            }
            args
        };
        let wanted = hybridq(&arguments(&whole)).done();

        let child = Command::new(env!("CARGO_BIN_EXE_hybridq"))
            .args(arguments(&parts))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !parts.path("state").exists() && begun.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted after") && said.contains("with --resume goes on"), "{said}");
        assert_eq!(parts.names(), [metrics, "state"]);

        let mut again = arguments(&parts);
        let line = hybridq(&again).refused();
        assert!(line.contains("exists already"), "{line}");
        // Another configuration than that of the run is refused by its key.
        let mut other = again.clone();
        other.extend(["--resume", "--momentum", "0.5"].map(str::to_owned));
        let line = hybridq(&other).refused();
        assert!(
            line.contains("optimizer.momentum = 0.5") && line.contains("optimizer.momentum = 0.9"),
            "{line}"
        );
        // Other data, too.
        let mut other = again.clone();
        other[1] = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/test.csv").to_owned();
        other.push("--resume".to_owned());
        let line = hybridq(&other).refused();
        assert!(line.contains("other training data"), "{line}");

        again.push("--resume".to_owned());
        let text = hybridq(&again).done();
        assert!(text.contains("going on after"), "{text}");
        assert_eq!(text.lines().last(), wanted.lines().last());
        for name in ["state", "net.gguf", "net.h", "run.svg"] {
            assert!(fs::read(whole.path(name)).unwrap() == fs::read(parts.path(name)).unwrap(), "{name}");
        }
        assert_eq!(timeless(&whole.path(metrics)), timeless(&parts.path(metrics)));

        // A run that has come to its end gives its outputs again, without the flags that it was begun with.
        let (state, gguf) = (whole.path("state"), whole.path("again.gguf"));
        let few = ["train", "--digits", "-q", "--checkpoint", state.to_str().unwrap(), "--resume", "-o"];
        hybridq(&[&few[..], &[gguf.to_str().unwrap()]].concat()).done();
        let weights = |path| {
            let model = hybridq::io::model::Model::open(path).unwrap();
            model.tensors.iter().map(|t| model.bytes(t).to_vec()).collect::<Vec<_>>()
        };
        assert_eq!(weights(&gguf), weights(&whole.path("net.gguf")));
    }
}

#[test]
fn an_interrupt_without_a_checkpoint_says_what_was_missing() {
    let folder = Folder::new();
    let out = folder.path("net.gguf");
    let metrics = folder.path("m.csv");
    let child = Command::new(env!("CARGO_BIN_EXE_hybridq"))
        .args(["train", "--digits", "--epochs", "100000", "-o", out.to_str().unwrap()])
        .args(["--save-metrics", metrics.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    // Lines are there at the end of the first epoch.
    while fs::metadata(&metrics).map_or(0, |m| m.len()) == 0 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("no network was written") && said.contains("--checkpoint"), "{said}");
    assert_eq!(folder.names(), ["m.csv"]);
}

/// With files that cannot become larger than `blocks` of 512 bytes.
fn limited(blocks: &str, args: &[&str]) -> Run {
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", blocks, env!("CARGO_BIN_EXE_hybridq")])
        .args(args)
        .output()
        .unwrap();
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn a_full_disk_loses_nothing() {
    let folder = Folder::new();
    let paths = ["state", "m.csv", "net.gguf", "net.h", "run.svg"].map(|n| folder.path(n));
    let [state, metrics, gguf, header, plot] = paths.each_ref().map(|p| p.to_str().unwrap());
    let begin = super::train::short(&["-q", "--checkpoint", state]);
    let line = limited("4", &begin).refused();
    assert!(line.contains("state") && line.contains("make room"), "{line}");
    assert!(folder.names().is_empty());
    hybridq(&begin).done();
    let sound = fs::read(&paths[0]).unwrap();
    // What cannot be written at the end leaves the checkpoint, from which it can be written later.
    for (flag, path) in [("-o", gguf), ("--c-header", header), ("--plot", plot), ("--save-metrics", metrics)]
    {
        let args = super::train::short(&["-q", "--checkpoint", state, flag, path]);
        if flag == "--save-metrics" {
            // The first checkpoint has room, the metrics have not.
            let line =
                limited("8", &[&args[..], &["--overwrite", "--checkpoint-every", "9"]].concat()).refused();
            assert!(line.contains(path) && line.contains("cannot write it"), "{line}");
        } else {
            let line = limited("0", &[&args[..], &["--resume"]].concat()).refused();
            assert!(line.contains(path) && line.contains("free some space"), "{line}");
            assert!(!Path::new(path).exists());
        }
        assert!(fs::read(&paths[0]).unwrap() == sound, "{flag}");
        if flag != "--save-metrics" {
            hybridq(&[&args[..], &["--resume"]].concat()).done();
        }
    }
    // A device is no file to write.
    if Path::new("/dev/full").exists() {
        let full = folder.path("full.csv");
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        let line =
            hybridq(&super::train::short(&["-q", "--save-metrics", full.to_str().unwrap(), "--overwrite"]));
        assert!(line.refused().contains("not a regular file"));
    }
}
