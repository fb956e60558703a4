//! `hybridq archive`, `unarchive` and `inspect` of what they make.

use std::fs;
use std::path::Path;

use crate::io_support::*;

fn run(command: &str, input: &Path, output: &Path, more: &[&str]) -> Run {
    let mut args = vec![command.as_ref(), input.as_os_str(), "-o".as_ref(), output.as_os_str()];
    args.extend(more.iter().map(std::ffi::OsStr::new));
    hybridq(&args)
}

#[test]
fn there_and_back_and_inspected() {
    let folder = Folder::new();
    let input = folder.write(
        "in.safetensors",
        &safetensors(&[
            ("a.weight", "F32", &[64, 1024], f32_bytes(&weights(64 * 1024, 1))),
            ("a.bias", "F32", &[64], f32_bytes(&weights(64, 2))),
        ]),
    );
    for format in ["tq1_0", "tq2_0", "dense_ternary"] {
        let (gguf, hqa, back) = (folder.path("m.gguf"), folder.path("m.hqa"), folder.path("back.gguf"));
        run("quantize", &input, &gguf, &["-f", format, "--overwrite"]).done();
        let table = run("archive", &gguf, &hqa, &["--overwrite"]).done();
        assert!(table.contains("a.weight") && table.contains("is not ternary"), "{table}");
        assert!(table.contains("smaller, file "), "{table}");
        assert_eq!(run("archive", &gguf, &hqa, &["--overwrite", "--quiet"]).done(), "");
        let line = run("unarchive", &hqa, &back, &["--overwrite"]).done();
        assert!(line.contains("all checksums right"), "{line}");
        assert_eq!(fs::read(&back).unwrap(), fs::read(&gguf).unwrap());

        let text = hybridq(&["inspect".as_ref(), hqa.as_os_str(), "--json".as_ref()]).done();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["tensors"][0]["type"], format);
        assert_eq!(json["tensors"][0]["shape"], serde_json::json!([64, 1024]));
        assert_eq!(json["metadata"]["hybridq.format"], format);
        let bits = json["tensors"][0]["bits_per_weight"].as_f64().unwrap();
        assert!((1.3..1.65).contains(&bits), "{bits}");
        let text = hybridq(&["inspect".as_ref(), hqa.as_os_str()]).done();
        assert!(text.contains("hybridq archive of") && text.contains("a.bias"), "{text}");
    }
    assert_eq!(folder.names(), ["back.gguf", "in.safetensors", "m.gguf", "m.hqa"]);
}

#[test]
fn refusals_leave_nothing() {
    let folder = Folder::new();
    let input =
        folder.write("in.safetensors", &safetensors(&[("w", "F32", &[2, 256], f32_bytes(&weights(512, 1)))]));
    let (gguf, hqa, out) = (folder.path("m.gguf"), folder.path("m.hqa"), folder.path("out"));
    run("quantize", &input, &gguf, &["-f", "tq2_0"]).done();
    run("archive", &gguf, &hqa, &[]).done();
    let good = fs::read(&hqa).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 2] ^= 1;
    let damaged = folder.write("damaged.hqa", &bad);
    let before = folder.names();
    for (command, from, to, says) in [
        ("archive", &input, &out, "is not a GGUF file; quantize it first"),
        ("archive", &gguf, &hqa, "exists already"),
        ("archive", &hqa, &out, "is an archive; restore it first"),
        ("unarchive", &gguf, &out, "is not a hybridq archive"),
        ("unarchive", &hqa, &gguf, "exists already"),
        ("unarchive", &damaged, &out, "fetch it again"),
        ("unarchive", &folder.path("absent"), &out, "check the path"),
        ("quantize", &hqa, &out, "is an archive"),
    ] {
        let more: &[&str] = if command == "quantize" { &["-f", "tq2_0"] } else { &[] };
        let line = run(command, from, to, more).refused();
        assert!(line.contains(says), "{command}: {line}");
        assert_eq!(folder.names(), before, "{command}");
    }
    for (command, file) in [("archive", &gguf), ("unarchive", &hqa)] {
        let line = run(command, file, file, &["--overwrite"]).refused();
        assert!(line.contains("both input and output"), "{line}");
    }
    let line = hybridq(&["inspect".as_ref(), folder.write("cut.hqa", &good[..40]).as_os_str()]).refused();
    assert!(line.contains("cut short"), "{line}");
}
