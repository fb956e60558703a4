//! The command line on sound files: what comes out, and what is refused although the file is sound.

use std::fs;

use crate::io_support::*;
use hybridq::io::Dtype;
use hybridq::io::model::{Kind, Model, Tensor};
use hybridq::quant::{self, Format, Options};

fn read(model: &Model, name: &str) -> (Tensor, Vec<f32>) {
    let tensor = model.tensors.iter().find(|t| t.name == name).unwrap().clone();
    let mut out = vec![0.0; tensor.len()];
    model.read_rows(&tensor, 0..tensor.rows(), &mut out).unwrap();
    (tensor, out)
}

/// What the core makes of a matrix.
fn expected(format: Format, rows: usize, cols: usize, x: &[f32]) -> Vec<f32> {
    let options = Options::new(format);
    let mut packed = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quant::quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quant::quantize(format, &options, rows, cols, x, &mut packed, &mut scratch).unwrap();
    let mut out = vec![0.0; rows * cols];
    quant::dequantize(format, rows, cols, &packed, &mut out).unwrap();
    out
}

#[test]
fn every_format_and_float_type_there_and_back() {
    let x = weights(6 * 512, 7);
    let bias = weights(6, 8);
    let ids: Vec<u8> = (0..24).collect();
    for dtype in [Dtype::F32, Dtype::F16, Dtype::Bf16] {
        let bytes = match dtype {
            Dtype::F32 => f32_bytes,
            Dtype::F16 => f16_bytes,
            _ => bf16_bytes,
        };
        let file = safetensors(&[
            ("layer.weight", dtype.name(), &[2, 3, 512], bytes(&x)),
            ("layer.bias", dtype.name(), &[6], bytes(&bias)),
            ("ids", "I64", &[3], ids.clone()),
        ]);
        let source = Model::from_bytes("s".as_ref(), &file).unwrap();
        let (_, rounded) = read(&source, "layer.weight");
        let (_, rounded_bias) = read(&source, "layer.bias");
        for format in Format::ALL {
            let folder = Folder::new();
            let input = folder.write("in.safetensors", &file);
            let (packed, back) = (folder.path("out.gguf"), folder.path("back.safetensors"));
            let args = ["quantize".as_ref(), input.as_os_str(), "--format".as_ref(), format.name().as_ref()];
            let table = hybridq(&[&args[..], &["-o".as_ref(), packed.as_os_str()]].concat()).done();
            assert!(table.contains("layer.weight") && table.contains("vector stays exact"), "{table}");
            hybridq(&["dequantize".as_ref(), packed.as_os_str(), "-o".as_ref(), back.as_os_str()]).done();

            let want = expected(format, 6, 512, &rounded);
            for path in [&packed, &back] {
                let model = Model::open(path).unwrap();
                let (tensor, got) = read(&model, "layer.weight");
                assert_eq!(tensor.shape, [2, 3, 512], "{format:?}");
                assert_eq!(got, want, "{format:?} {dtype:?}");
                assert_eq!(read(&model, "layer.bias").1, rounded_bias);
                let kept = model.tensors.iter().find(|t| t.name == "ids").unwrap();
                assert_eq!((kept.kind.clone(), model.bytes(kept)), (Kind::Plain(Dtype::I64), &ids[..]));
            }
            assert_eq!(folder.names(), ["back.safetensors", "in.safetensors", "out.gguf"]);

            let text = hybridq(&["inspect".as_ref(), packed.as_os_str(), "--json".as_ref()]).done();
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(json["metadata"]["hybridq.format"], format.name());
            assert_eq!(json["metadata"]["hybridq.source"], "in.safetensors");
            assert_eq!(json["metadata"]["general.architecture"], "hybridq");
            assert_eq!(json["tensors"][0]["type"], format.name());
            assert!(hybridq(&["inspect".as_ref(), packed.as_os_str()]).done().contains("layer.bias"));
        }
    }
}

#[test]
fn rows_that_do_not_fit_a_block_and_odd_tensors_are_stated() {
    let folder = Folder::new();
    let f32s = |n: usize| f32_bytes(&weights(n, n as u32));
    let input = folder.write(
        "in.safetensors",
        &safetensors(&[
            ("fits.weight", "F32", &[2, 256], f32s(512)),
            ("by32.weight", "F32", &[2, 96], f32s(192)),
            ("odd.weight", "BF16", &[3, 50], bf16_bytes(&weights(150, 5))),
            ("deep.weight", "F32", &[2, 1, 2, 1, 256], f32s(1024)),
            ("scalar", "F32", &[], f32s(1)),
            ("none", "F32", &[0, 7], vec![]),
            ("row", "F32", &[1, 256], f32s(256)),
            ("final_norm.weight", "F16", &[2, 256], f16_bytes(&weights(512, 9))),
            ("mask", "BOOL", &[3], vec![1, 0, 1]),
            ("count", "U64", &[1], vec![255; 8]),
            ("small", "F8_E4M3", &[2, 2], vec![1, 2, 3, 4]),
            ("wide", "F64", &[2, 2], vec![7; 32]),
        ]),
    );
    let (output, back) = (folder.path("out.gguf"), folder.path("back.safetensors"));
    let run = |format: &str| {
        let args =
            ["quantize".as_ref(), input.as_os_str(), "--overwrite".as_ref(), "-f".as_ref(), format.as_ref()];
        let table = hybridq(&[&args[..], &["-o".as_ref(), output.as_os_str()]].concat()).done();
        let model = Model::open(&output).unwrap();
        let kinds: Vec<(String, String)> =
            model.tensors.iter().map(|t| (t.name.clone(), t.kind.name().to_owned())).collect();
        (table, kinds, model)
    };
    let kind = |kinds: &[(String, String)], name: &str| {
        kinds.iter().find(|(n, _)| n == name).map(|(_, k)| k.clone()).unwrap()
    };
    let (table, kinds, model) = run("tq1_0");
    assert!(table.contains("row no multiple of 256") && table.contains("row no multiple of 32"), "{table}");
    assert!(table.contains("norm stays exact") && table.contains("is not float"), "{table}");
    for (name, want) in [
        ("fits.weight", "tq1_0"),
        ("by32.weight", "q8_0"),
        ("odd.weight", "BF16"),
        ("deep.weight", "tq1_0"),
        ("scalar", "F32"),
        ("row", "F32"),
        ("final_norm.weight", "F32"),
        ("mask", "BOOL"),
        ("count", "U64"),
        ("small", "F8_E4M3"),
        ("wide", "F64"),
    ] {
        assert_eq!(kind(&kinds, name), want, "{name}");
    }
    assert_eq!(read(&model, "deep.weight").0.shape, [2, 1, 2, 1, 256]);
    let (_, kinds, _) = run("dense_ternary");
    assert_eq!(kind(&kinds, "odd.weight"), "dense_ternary");
    assert_eq!(kind(&kinds, "by32.weight"), "dense_ternary");

    // Shapes, also those that GGUF has no word for, and the bytes of what is not float survive.
    hybridq(&["dequantize".as_ref(), output.as_os_str(), "-o".as_ref(), back.as_os_str()]).done();
    let (source, back) = (Model::open(&input).unwrap(), Model::open(&back).unwrap());
    for tensor in &source.tensors {
        let same = back.tensors.iter().find(|t| t.name == tensor.name).unwrap();
        assert_eq!(same.shape, tensor.shape, "{}", tensor.name);
        if let Kind::Plain(dtype) = &same.kind {
            let at = back.bytes(same).as_ptr() as usize;
            assert_eq!(at % dtype.size(), 0, "{} is aligned in the file", tensor.name);
        }
        if !tensor.kind.is_weight() {
            assert_eq!(
                (&same.kind, back.bytes(same)),
                (&tensor.kind, source.bytes(tensor)),
                "{}",
                tensor.name
            );
        }
    }
}

#[test]
fn slices_of_rows_give_the_bytes_of_one_call() {
    // More than a million values: two slices, the second shorter.
    let (rows, cols) = (5003, 260);
    let x = weights(rows * cols, 3);
    let file = safetensors(&[("w", "F32", &[rows, cols], f32_bytes(&x))]);
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &file);
    for format in [Format::DenseTernary, Format::FiveLevel, Format::Q35B] {
        let output = folder.path(format.name());
        let args = ["quantize".as_ref(), input.as_os_str(), "-f".as_ref(), format.name().as_ref()];
        hybridq(&[&args[..], &["-o".as_ref(), output.as_os_str(), "--quiet".as_ref()]].concat()).done();
        assert_eq!(read(&Model::open(&output).unwrap(), "w").1, expected(format, rows, cols, &x));
    }
}

fn quantize_args<'a>(
    input: &'a std::path::Path,
    output: &'a std::path::Path,
    more: &[&'static str],
) -> Vec<&'a std::ffi::OsStr> {
    let mut args = vec!["quantize".as_ref(), input.as_os_str(), "-o".as_ref(), output.as_os_str()];
    args.extend(more.iter().map(|m| std::ffi::OsStr::new(*m)));
    args
}

fn small() -> Vec<u8> {
    safetensors(&[
        ("a.weight", "F32", &[4, 256], f32_bytes(&weights(1024, 1))),
        ("b.weight", "F32", &[4, 256], f32_bytes(&weights(1024, 2))),
    ])
}

#[test]
fn sharded_models_equal_whole_ones() {
    let folder = Folder::new();
    let t =
        |name: &'static str, seed: u32| (name, "F32", &[4usize, 256][..], f32_bytes(&weights(1024, seed)));
    let whole = folder.write("whole.safetensors", &safetensors(&[t("a", 1), t("b", 2), t("c", 3)]));
    folder.write("m-1.safetensors", &safetensors(&[t("a", 1), t("b", 2)]));
    folder.write("m-2.safetensors", &safetensors(&[t("c", 3), t("stray", 4)]));
    let index = |map: &str| format!("{{\"metadata\":{{\"total_size\":12288}},\"weight_map\":{map}}}");
    let sound = r#"{"a":"m-1.safetensors","b":"m-1.safetensors","c":"m-2.safetensors"}"#;
    let path = folder.write("model.safetensors.index.json", index(sound).as_bytes());
    let (one, many) = (folder.path("one.gguf"), folder.path("many.gguf"));
    hybridq(&quantize_args(&whole, &one, &["-f", "tq2_0"])).done();
    let table = hybridq(&quantize_args(&path, &many, &["-f", "tq2_0"])).done();
    assert!(table.contains("note: 1 tensor(s) of 'm-2.safetensors' are not in the index"), "{table}");
    let (one, many) = (Model::open(&one).unwrap(), Model::open(&many).unwrap());
    for name in ["a", "b", "c"] {
        assert_eq!(read(&one, name).1, read(&many, name).1);
    }
    assert_eq!(many.tensors.len(), 3);

    let mut bad = vec![
        (r#"{"a":"gone.safetensors"}"#.to_owned(), "'gone.safetensors' is missing"),
        (r#"{"z":"m-1.safetensors"}"#.into(), "tensor 'z'"),
        (r#"{"a":"m-1.safetensors","a":"m-2.safetensors"}"#.into(), "twice"),
        ("{}".into(), "empty"),
        ("[]".into(), "index"),
        (r#"{"a":1}"#.into(), "index"),
        (r#"{"a":"model.safetensors.index.json"}"#.into(), "header"),
    ];
    for name in [
        "../m-1.safetensors",
        "/etc/passwd",
        "x/m-1.safetensors",
        "..",
        ".",
        "",
        "c:\\\\m",
        "a\\\\..\\\\b",
        "n\\u0000",
    ] {
        bad.push((format!("{{\"a\":\"{name}\"}}"), "not a plain file name"));
    }
    let before = folder.names();
    for (map, says) in bad {
        folder.write("model.safetensors.index.json", index(&map).as_bytes());
        let line = hybridq(&quantize_args(&path, &folder.path("no.gguf"), &["-f", "tq2_0"])).refused();
        assert!(line.contains(says), "{map}: {line}");
        assert_eq!(folder.names(), before);
    }
    for text in ["", "{", "{\"weight_map\":{\"a\":\"b\"}", "\u{feff}{}", "null"] {
        folder.write("model.safetensors.index.json", text.as_bytes());
        hybridq(&quantize_args(&path, &folder.path("no.gguf"), &["-f", "tq2_0"])).refused();
    }
}

#[test]
fn the_output_is_whole_or_absent_and_never_the_input() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &small());
    let output = folder.write("out.gguf", b"precious");
    let line = hybridq(&quantize_args(&input, &output, &["-f", "tq2_0"])).refused();
    assert!(line.contains("exists already; choose another name, or pass --overwrite"), "{line}");
    assert_eq!(fs::read(&output).unwrap(), b"precious");

    // A failure on the way leaves the old file too.
    let mut x = weights(1024, 1);
    x[1000] = f32::NAN;
    let bad = folder.write("bad.safetensors", &safetensors(&[("w", "F32", &[4, 256], f32_bytes(&x))]));
    hybridq(&quantize_args(&bad, &output, &["-f", "tq2_0", "--overwrite"])).refused();
    assert_eq!(fs::read(&output).unwrap(), b"precious");
    hybridq(&quantize_args(&bad, &output, &["-f", "tq2_0", "--overwrite", "--non-finite", "saturate"]))
        .done();
    hybridq(&quantize_args(&input, &output, &["-f", "tq2_0", "--overwrite"])).done();
    let first = fs::read(&output).unwrap();
    hybridq(&quantize_args(&input, &output, &["-f", "tq2_0", "--overwrite"])).done();
    assert_eq!(fs::read(&output).unwrap(), first, "the same input gives the same bytes");

    let line = hybridq(&quantize_args(&input, &input, &["-f", "tq2_0", "--overwrite"])).refused();
    assert!(line.contains("both input and output"), "{line}");
    let nowhere = folder.path("nowhere/out.gguf");
    let line = hybridq(&quantize_args(&input, &nowhere, &["-f", "tq2_0"])).refused();
    assert!(line.contains("nowhere"), "{line}");
    let line = hybridq(&quantize_args(&input, &folder.path(""), &["-f", "tq2_0", "--overwrite"])).refused();
    assert!(line.contains("not a regular file"), "{line}");
    let line = hybridq(&quantize_args(&folder.path("absent"), &output, &["-f", "tq2_0"])).refused();
    assert!(line.contains("absent: cannot open it") && line.contains("check the path"), "{line}");
    let line = hybridq(&quantize_args(&folder.path(""), &output, &["-f", "tq2_0"])).refused();
    assert!(line.contains("is a folder"), "{line}");
    assert_eq!(folder.names(), ["bad.safetensors", "in.safetensors", "out.gguf"]);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |p: &std::path::Path| fs::metadata(p).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&output), mode(&input), "an ordinary file, as the umask has it");
        // A link stays a link; what it points to is replaced.
        let link = folder.path("link.gguf");
        std::os::unix::fs::symlink("out.gguf", &link).unwrap();
        fs::write(&output, b"old").unwrap();
        hybridq(&quantize_args(&input, &link, &["-f", "tq2_0", "--overwrite"])).done();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&output).unwrap(), first);
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &small());
    let output = folder.path("out.gguf");
    for (options, says) in [
        (&["-f", "q8_0", "--fit", "mse"][..], "q8_0 takes only --fit absmax"),
        (&["-f", "q8_0", "--granularity", "row"], "q8_0 takes only"),
        (&["-f", "q35b", "--fit", "absmean"], "q35b takes only --fit mse"),
        (&["-f", "dense_ternary", "--granularity", "block"], "dense_ternary takes only"),
        (&["-f", "q35p", "--fit", "absmax"], "q35p takes only --fit mse or minmax"),
        (&["-f", "tq2_0", "--fit", "minmax"], "tq2_0 takes every --fit but minmax"),
        (&["-f", "tq2_0", "--keep", "nothing*"], "matches no tensor"),
        (&["-f", "tq2_0", "--keep", "a.*", "--keep", "c.*"], "'c.*' matches no tensor"),
    ] {
        let line = hybridq(&quantize_args(&input, &output, options)).refused();
        assert!(line.contains(says), "{line}");
    }
    // What clap refuses: it explains in several lines, but ends with 2 as well.
    for options in [
        &["-f", "q36"][..],
        &["-f", "tq2_0", "--fit", "best"],
        &["-f", "tq2_0", "--fit", "percentile:100"],
        &["-f", "tq2_0", "--fit", "percentile:-1"],
        &["-f", "tq2_0", "--fit", "fixed:1"],
        &["-f", "tq2_0", "--fit", "fixed:nan,1"],
        &[],
    ] {
        let run = hybridq(&quantize_args(&input, &output, options));
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.stderr.starts_with("error: "), "{run:?}");
    }
    assert_eq!(folder.names(), ["in.safetensors"]);
    for fit in ["mse", "lloyd", "absmean", "absmax", "percentile:50", "norm", "fixed:0.02,0.05"] {
        for granularity in ["block", "row", "tensor"] {
            let options = ["-f", "five_level", "--fit", fit, "--granularity", granularity, "--overwrite"];
            let table = hybridq(&quantize_args(&input, &output, &options)).done();
            assert!(table.contains("five_level"), "{table}");
        }
    }
    for fit in ["mse", "minmax"] {
        let options = ["-f", "q35p", "--fit", fit, "--overwrite"];
        assert!(hybridq(&quantize_args(&input, &output, &options)).done().contains("q35p"));
    }
    let table =
        hybridq(&quantize_args(&input, &output, &["-f", "tq2_0", "--overwrite", "--keep", "a.*"])).done();
    assert!(table.contains("asked by --keep"), "{table}");
    let model = Model::open(&output).unwrap();
    assert_eq!(read(&model, "a.weight").1, weights(1024, 1));
}

#[test]
fn version_help_plan_and_tier() {
    assert_eq!(hybridq(&["--version"]).done(), format!("hybridq {}\n", env!("CARGO_PKG_VERSION")));
    for command in ["quantize", "dequantize", "inspect", "export", "plan"] {
        assert!(hybridq(&["--help"]).done().contains(command));
        assert!(hybridq(&[command, "--help"]).done().contains("Usage: hybridq "));
    }
    let table = hybridq(&["plan", "--params", "70e9"]).done();
    for format in Format::ALL {
        assert!(table.contains(format.name()), "{table}");
    }
    assert!(table.contains("280000000000") && table.contains("14765625000"), "{table}");
    let one = hybridq(&["plan", "--params", "70B", "--format", "q8_0"]).done();
    assert!(one.contains("q8_0") && !one.contains("tq1_0"), "{one}");
    for params in ["0", "-1", "nan", "inf", "1e30", "many", ""] {
        assert_eq!(hybridq(&["plan", &format!("--params={params}")]).code, Some(2));
    }
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_hybridq"));
    let output = command.args(["plan", "--params", "1e6"]).env("HQ_TIER", "avx1024").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.starts_with("hybridq: error: HQ_TIER=avx1024") && line.lines().count() == 1, "{line}");
}

#[test]
fn a_quantized_file_can_be_quantized_again_where_floats_are_left() {
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &small());
    let (first, second) = (folder.path("1.gguf"), folder.path("2.gguf"));
    hybridq(&quantize_args(&input, &first, &["-f", "five_level", "--keep", "b.*"])).done();
    let table = hybridq(&quantize_args(&first, &second, &["-f", "tq1_0"])).done();
    assert!(table.contains("is packed already"), "{table}");
    let (one, two) = (Model::open(&first).unwrap(), Model::open(&second).unwrap());
    assert_eq!(read(&one, "a.weight").1, read(&two, "a.weight").1);
    assert_eq!(read(&two, "b.weight").0.kind, Kind::Packed(Format::Tq1_0));
    let line = hybridq(&quantize_args(&second, &folder.path("3.gguf"), &["-f", "tq1_0"])).refused();
    assert!(line.contains("no F32, F16 or BF16"), "{line}");
}

#[test]
fn export_writes_a_header_from_either_container() {
    let folder = Folder::new();
    let input = folder.write("net.safetensors", &small());
    let packed = folder.path("net.gguf");
    hybridq(&quantize_args(&input, &packed, &["-f", "TQ2_0"])).done();
    let export = |input: &std::path::Path, output: &str, more: &[&str]| {
        let output = folder.path(output);
        let mut args: Vec<std::ffi::OsString> =
            vec!["export".into(), input.into(), "--c-header".into(), output.into()];
        args.extend(more.iter().map(Into::into));
        hybridq(&args)
    };
    export(&packed, "one.h", &[]).done();
    export(&input, "two.h", &["--format", "tq2_0"]).done();
    let read = |name: &str| fs::read_to_string(folder.path(name)).unwrap();
    // The same but for the first line, which names the source.
    let body = |text: String| text.split_once('\n').map(|(_, body)| body.to_owned()).unwrap();
    assert_eq!(body(read("one.h")), body(read("two.h")));
    assert!(read("one.h").contains("#define NET_A_WEIGHT_FORMAT 35 /* HQ_FORMAT_TQ2_0 */"));
    export(&packed, "three.h", &["--prefix", "digits"]).done();
    assert!(read("three.h").contains("static const uint8_t digits_a_weight[264] = {"));
    for (input, options, says) in [
        (&packed, &["--overwrite"][..], ""),
        (&packed, &["--fit", "mse"], "pass --format too"),
        (&input, &[], "pass --format to quantize it"),
        (&input, &["--format", "q8_0", "--fit", "mse"], "q8_0 takes only"),
        (&input, &["--format", "tq2_0", "--keep", "none"], "matches no tensor"),
    ] {
        let run = export(input, "four.h", options);
        if says.is_empty() {
            run.done();
            fs::remove_file(folder.path("four.h")).unwrap();
        } else {
            let line = run.refused();
            assert!(line.contains(says), "{line}");
        }
    }
    assert!(export(&packed, "one.h", &[]).refused().contains("exists already"));
    assert_eq!(folder.names(), ["net.gguf", "net.safetensors", "one.h", "three.h", "two.h"]);
}

#[cfg(unix)]
#[test]
fn an_interrupt_leaves_nothing_behind() {
    use std::io::Write;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    // Sixteen gigabytes of zeros that take no room: far more than can be quantized before the signal.
    let folder = Folder::new();
    let (rows, cols) = (4_194_304u64, 1024u64);
    let bytes = 4 * rows * cols;
    let header =
        format!("{{\"w\":{{\"dtype\":\"F32\",\"shape\":[{rows},{cols}],\"data_offsets\":[0,{bytes}]}}}}");
    let path = folder.path("in.safetensors");
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&raw_safetensors(&header, &[])).unwrap();
    file.set_len(8 + header.len() as u64 + bytes).unwrap();
    for signal in ["-INT", "-TERM"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_hybridq"))
            .args(quantize_args(&path, &folder.path("out.gguf"), &["-f", "tq2_0"]))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while folder.names().len() < 2 && begun.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130));
        assert_eq!(folder.names(), ["in.safetensors"]);
    }
}

#[test]
fn importance_weighs_the_tensors_it_names_and_the_table_says_which_it_does_not() {
    let (x, z) = (weights(4 * 256, 11), weights(2 * 256, 12));
    let importance: Vec<f32> = (0..256).map(|i| (i % 9) as f32).collect();
    let model = safetensors(&[
        ("a.weight", "F32", &[4, 256], f32_bytes(&x)),
        ("b.weight", "F32", &[2, 256], f32_bytes(&z)),
    ]);
    let folder = Folder::new();
    let input = folder.write("in.safetensors", &model);
    let out = folder.path("out.gguf");
    let run = |tensors: &[(&str, &[usize], Vec<u8>)], more: &[&str]| {
        let entries: Vec<_> = tensors.iter().map(|(n, s, b)| (*n, "F32", *s, b.clone())).collect();
        let file = folder.write("importance.safetensors", &safetensors(&entries));
        let mut args = vec!["quantize".as_ref(), input.as_os_str(), "-o".as_ref(), out.as_os_str()];
        args.extend(["--overwrite", "--format", "tq2_0", "--importance"].map(std::ffi::OsStr::new));
        args.push(file.as_os_str());
        args.extend(more.iter().map(|a| std::ffi::OsStr::new(*a)));
        hybridq(&args)
    };
    let table =
        run(&[("a.weight", &[256], f32_bytes(&importance)), ("c", &[1], f32_bytes(&[1.0]))], &[]).done();
    let line = |name: &str| table.lines().find(|l| l.contains(name)).unwrap().to_owned();
    assert!(line("b.weight").contains("unweighted"), "{table}");
    assert!(!line("a.weight").contains("unweighted") && table.contains("name no tensor"), "{table}");

    let options = Options::new(Format::Tq2_0);
    let size = quant::quantize_weighted_workspace_size(Format::Tq2_0, &options, 4, 256).unwrap();
    let mut packed = vec![0; 4 * 66];
    quant::quantize_weighted(
        Format::Tq2_0,
        &options,
        4,
        256,
        &x,
        &importance,
        &mut packed,
        &mut vec![0; size],
    )
    .unwrap();
    let mut want = vec![0.0; 4 * 256];
    quant::dequantize(Format::Tq2_0, 4, 256, &packed, &mut want).unwrap();
    let found = Model::open(&out).unwrap();
    assert_eq!(read(&found, "a.weight").1, want);
    assert_ne!(want, expected(Format::Tq2_0, 4, 256, &x));
    assert_eq!(read(&found, "b.weight").1, expected(Format::Tq2_0, 2, 256, &z));

    for (tensors, more, word) in [
        (vec![("a.weight", &[3][..], f32_bytes(&[1.0; 3]))], &[][..], "3 values"),
        (vec![("a.weight", &[256][..], f32_bytes(&[-1.0; 256]))], &[][..], "negative"),
        (vec![("a.weight", &[256][..], f32_bytes(&importance))], &["--fit", "absmean"][..], "--fit mse"),
    ] {
        let message = run(&tensors, more).refused();
        assert!(message.contains(word), "{message}");
    }
}
