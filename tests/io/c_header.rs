//! The C header: compiled as C99 and C++11 with all warnings as errors, and read back by the program.

use std::path::Path;
use std::process::Command;

use crate::support::*;
use hybridq::io::c_header::write_c_header;
use hybridq::io::convert::{Recipe, quantize_temporary};
use hybridq::io::model::{Kind, Model};
use hybridq::quant::{Format, NonFinite};

fn header(model: &Model, prefix: &str) -> Result<String, String> {
    let mut out = Vec::new();
    write_c_header(model, prefix, &mut out, Path::new("out.h"), &mut |_| true).map_err(|e| e.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

/// A model with every kind of tensor, values at the edges of their types.
fn model(format: Format) -> Model {
    let edges = [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), -0.0, 0.1, -1.0 / 3.0, 16_777_217.0, 1e-40];
    let ints = |min: i64, max: i64, size: usize| {
        [min, -1, 0, 1, max].iter().flat_map(|v| v.to_le_bytes()[..size].to_vec()).collect::<Vec<u8>>()
    };
    let file = safetensors(&[
        ("layer.0.weight", "F32", &[3, 256], f32_bytes(&weights(768, 1))),
        ("edges", "F32", &[8], f32_bytes(&edges)),
        ("half", "F16", &[4], f16_bytes(&[0.1, 65504.0, 6e-8, -2.0])),
        ("brain-float", "BF16", &[2], bf16_bytes(&[3.0, 1e-39])),
        ("0 ids*/ ??/", "I64", &[5], ints(i64::MIN, i64::MAX, 8)),
        ("i32", "I32", &[5], ints(i32::MIN.into(), i32::MAX.into(), 4)),
        ("i16", "I16", &[5], ints(i16::MIN.into(), i16::MAX.into(), 2)),
        ("i8", "I8", &[5], ints(i8::MIN.into(), i8::MAX.into(), 1)),
        ("u64", "U64", &[5], ints(i64::MIN, -1, 8)),
        ("u32", "U32", &[5], ints(0, -1, 4)),
        ("u16", "U16", &[5], ints(0, -1, 2)),
        ("mask", "BOOL", &[5], vec![0, 1, 0, 1, 1]),
        ("none", "F32", &[0], vec![]),
        ("scalar", "F32", &[], f32_bytes(&[42.5])),
    ]);
    let source = Model::from_bytes(Path::new("net*/.safetensors"), &file).unwrap();
    let recipe = Recipe::new(format, None, None, NonFinite::Error).unwrap();
    let keep = |name: &str| matches!(name, "half" | "brain-float");
    quantize_temporary(&source, &recipe, &keep, &mut |_| true).unwrap().0
}

#[test]
fn the_header_compiles_and_holds_every_bit() {
    for format in Format::ALL {
        let model = model(format);
        let text = header(&model, "net").unwrap();
        for word in [
            "#define NET_LAYER_0_WEIGHT_ROWS 3",
            "#define NET_LAYER_0_WEIGHT_COLS 256",
            &format!("#define NET_LAYER_0_WEIGHT_FORMAT {} /* HQ_FORMAT_", format as i32),
            "HQ_ALIGN4 static const uint8_t net_layer_0_weight[",
            "static const float net_edges[8] = {",
            "#ifndef NET_HYBRIDQ_WEIGHTS_H",
        ] {
            assert!(text.contains(word), "{word}");
        }
        let names = ["layer_0_weight", "edges", "half", "brain_float", "0_ids_", "i32", "i16", "i8", "u64"];
        let names = [&names[..], &["u32", "u16", "mask", "scalar"]].concat();
        let mut program = String::from(
            "#include \"net.h\"\n#include \"net.h\"\n#include <stdio.h>\n\
             static void dump(const void *p, unsigned long n) {\n\
             const unsigned char *b = (const unsigned char *)p; unsigned long i;\n\
             for (i = 0; i < n; i++) printf(\"%02x\", (unsigned)b[i]);\n putchar(10);\n}\n\
             int main(void) {\n",
        );
        for name in &names {
            program += &format!("dump(net_{name}, (unsigned long)sizeof net_{name});\n");
        }
        program += "return NET_LAYER_0_WEIGHT_BYTES == sizeof net_layer_0_weight\n\
                    && (uintptr_t)net_layer_0_weight % 4 == 0 ? 0 : 1;\n}\n";
        let want: String = model
            .tensors
            .iter()
            .filter(|t| !t.is_empty())
            .map(|t| {
                let bytes = match &t.kind {
                    Kind::Plain(d) if d.is_weight() => {
                        let mut x = vec![0.0; t.len()];
                        model.read_rows(t, 0..t.rows(), &mut x).unwrap();
                        f32_bytes(&x)
                    }
                    _ => model.bytes(t).to_vec(),
                };
                bytes.iter().map(|b| format!("{b:02x}")).collect::<String>() + "\n"
            })
            .collect();

        let folder = Folder::new();
        folder.write("net.h", text.as_bytes());
        for (compiler, standards, ending) in
            [("cc", &["c99", "c11"][..], "c"), ("c++", &["c++11", "c++17"][..], "cpp")]
        {
            if Command::new(compiler).arg("--version").output().is_err() {
                println!("skipped: no {compiler} on this machine");
                continue;
            }
            let source = folder.write(&format!("main.{ending}"), program.as_bytes());
            for standard in standards {
                let binary = folder.path("main");
                let output = Command::new(compiler)
                    .arg(format!("-std={standard}"))
                    .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-o"])
                    .args([&binary, &source])
                    .output()
                    .unwrap();
                let stderr = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{compiler} {standard} {format:?}: {stderr}");
                let run = Command::new(&binary).output().unwrap();
                assert_eq!(run.status.code(), Some(0));
                // The order of the tensors in the file is that of their data: compare line by line.
                let got = String::from_utf8(run.stdout).unwrap();
                let sorted = |text: &str| {
                    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
                    lines.sort();
                    lines
                };
                assert_eq!(sorted(&got), sorted(&want), "{compiler} {standard} {format:?}");
            }
        }
    }
}

fn names(names: &[&str]) -> Model {
    let tensors: Vec<_> = names.iter().map(|n| (*n, "F32", &[1usize][..], f32_bytes(&[1.0]))).collect();
    Model::from_bytes(Path::new("n.safetensors"), &safetensors(&tensors)).unwrap()
}

#[test]
fn names_that_collide_are_refused() {
    for clash in [&["a.b", "a_b"][..], &["A", "a"], &["x/y", "x", "x-y"]] {
        let error = header(&names(clash), "net").unwrap_err();
        assert!(error.contains("is also that of") && error.contains("rename"), "{error}");
    }
    // A macro is called by the upper-case form of its array: with an upper-case prefix both can meet.
    let error = header(&names(&["A", "A_LEN"]), "NET").unwrap_err();
    assert!(error.contains("NET_A_LEN"), "{error}");
    assert!(header(&names(&["A", "A_LEN"]), "net").is_ok());
    assert!(header(&names(&["é", "è.x", "b"]), "net").is_ok());
}

#[test]
fn prefixes_become_identifiers() {
    for (prefix, want) in [("1st", "w_1st_a"), ("", "w_a"), ("my net", "my_net_a"), ("_x", "w_x_a")] {
        let text = header(&names(&["a"]), prefix).unwrap();
        assert!(text.contains(&format!("static const float {want}[1]")), "{text}");
    }
}

#[test]
fn values_without_a_constant_are_refused() {
    let file = safetensors(&[("bad", "F32", &[2], f32_bytes(&[1.0, f32::INFINITY]))]);
    let model = Model::from_bytes(Path::new("n.safetensors"), &file).unwrap();
    let error = header(&model, "net").unwrap_err();
    assert!(error.contains("tensor 'bad'") && error.contains("NaN or infinity"), "{error}");
}
