//! Truncated, corrupt, lying and absurd files: each gives one clear line, exit code 2, no output and
//! no temporary file.

use crate::io_support::*;
use hybridq::io::model::Model;

struct Case {
    name: String,
    bytes: Vec<u8>,
    /// What the line must say.
    says: &'static str,
}

fn case(name: impl Into<String>, bytes: Vec<u8>, says: &'static str) -> Case {
    Case { name: name.into(), bytes, says }
}

fn sound_safetensors() -> Vec<u8> {
    safetensors(&[
        ("a.weight", "F32", &[4, 8], f32_bytes(&weights(32, 1))),
        ("b.weight", "F16", &[2, 8], f16_bytes(&weights(16, 2))),
        ("c.bias", "BF16", &[3], bf16_bytes(&weights(3, 3))),
        ("d.ids", "I64", &[2], vec![0; 16]),
    ])
}

fn one(dtype: &str, shape: &str, start: &str, end: &str, data: usize) -> Vec<u8> {
    let header =
        format!("{{\"w\":{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"data_offsets\":[{start},{end}]}}}}");
    raw_safetensors(&header, &vec![0; data])
}

fn two(a: (u64, u64), b: (u64, u64), data: usize) -> Vec<u8> {
    let t = |name: &str, (start, end): (u64, u64)| {
        let n = end.wrapping_sub(start);
        format!("\"{name}\":{{\"dtype\":\"U8\",\"shape\":[{n}],\"data_offsets\":[{start},{end}]}}")
    };
    raw_safetensors(&format!("{{{},{}}}", t("a", a), t("b", b)), &vec![0; data])
}

fn safetensors_cases() -> Vec<Case> {
    let sound = sound_safetensors();
    let header_end = 8 + u64::from_le_bytes(sound[..8].try_into().unwrap()) as usize;
    let mut cases = Vec::new();
    for at in [0, 1, 4, 7, 8, 9, 20, 60, header_end - 1, header_end, header_end + 1, sound.len() / 2 + 120] {
        cases.push(case(format!("cut at {at}"), sound[..at].to_vec(), ""));
    }
    for back in [1, 2, 15, 16, 17, 40] {
        cases.push(case(format!("cut by {back}"), sound[..sound.len() - back].to_vec(), "fetch it again"));
    }
    for (label, length) in [
        ("zero", 0u64),
        ("one more", header_end as u64 - 7),
        ("one less", header_end as u64 - 9),
        ("beyond the file", 90_000_000),
        ("beyond the limit", 100_000_001),
        ("2^60", 1 << 60),
        ("largest", u64::MAX),
        ("wraps with 8", u64::MAX - 7),
    ] {
        let mut bytes = sound.clone();
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        cases.push(case(format!("header length {label}"), bytes, "header"));
    }
    let eight_of_2_61: String = (0..8u64)
        .map(|i| {
            // The last end would be 2^64: the sum that wraps.
            let (start, end) = (i << 61, if i == 7 { u64::MAX } else { (i + 1) << 61 });
            format!(
                "\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[{}],\"data_offsets\":[{start},{end}]}}",
                end - start
            )
        })
        .collect::<Vec<_>>()
        .join(",");
    let twice = "{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\
                  \"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}";
    let deep = format!("{{\"w\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let mut bad_utf8 = one("F32", "[1]", "0", "4", 4);
    bad_utf8[10] = 0xff;
    cases.extend([
        case("empty", vec![], "only 0 bytes"),
        case("text", b"hello, this is no model at all".to_vec(), "header"),
        case("zeros", vec![0; 4096], "header"),
        case("ones", vec![0xff; 4096], "header"),
        case("not UTF-8", bad_utf8, "UTF-8"),
        case("an array", raw_safetensors("[]", &[]), "header"),
        case("a number", raw_safetensors("1e999", &[]), "header"),
        case("unclosed", raw_safetensors("{\"w\":", &[]), "header"),
        case("after the end", raw_safetensors("{} {}", &[]), "header"),
        case("nested 50000 deep", raw_safetensors(&deep, &[]), "header"),
        case("unknown type", one("F31", "[1]", "0", "4", 4), "F31"),
        case("no type", raw_safetensors("{\"w\":{\"shape\":[1],\"data_offsets\":[0,4]}}", &[0; 4]), "dtype"),
        case(
            "type a number",
            raw_safetensors("{\"w\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", &[0; 4]),
            "header",
        ),
        case("negative dimension", one("F32", "[-1]", "0", "4", 4), "header"),
        case("fractional dimension", one("F32", "[1.5]", "0", "4", 4), "header"),
        case("dimension 2^70", one("F32", "[1180591620717411303424]", "0", "4", 4), "header"),
        case("dimension 2^60", one("F32", "[1152921504606846976]", "0", "4", 4), "'w'"),
        case("shape 2^40 x 2^40", one("F32", "[1099511627776,1099511627776]", "0", "4", 4), "overflows"),
        case("shape too large for data", one("F32", "[2]", "0", "4", 4), "'w'"),
        case("shape too small for data", one("F32", "[1]", "0", "8", 8), "'w'"),
        case("end before start", one("F32", "[1]", "4", "0", 4), "'w'"),
        case("starts late", one("F32", "[1]", "4", "8", 8), "'w'"),
        case("ends beyond the file", one("F32", "[4]", "0", "16", 4), "'w'"),
        case("ends at 2^60", one("U8", "[1152921504606846976]", "0", "1152921504606846976", 4), "'w'"),
        case("ends at 2^64-1", one("U8", "[18446744073709551615]", "0", "18446744073709551615", 4), "'w'"),
        case(
            "one offset",
            raw_safetensors("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0]}}", &[0]),
            "header",
        ),
        case("overlap", two((0, 8), (4, 12), 12), "'b'"),
        case("same place", two((0, 8), (0, 8), 8), "'"),
        case("gap", two((0, 4), (8, 12), 12), "'b'"),
        case("data left over", two((0, 4), (4, 8), 9), "cover 8 bytes"),
        case("sum wraps 64 bits", raw_safetensors(&format!("{{{eight_of_2_61}}}"), &[0; 64]), "'t"),
        case("name twice", raw_safetensors(twice, &[0; 2]), "twice"),
        case("metadata no strings", raw_safetensors("{\"__metadata__\":{\"a\":1}}", &[]), "header"),
        case("nothing in it", raw_safetensors("{}", &[]), "no F32, F16 or BF16"),
        case("only integers", one("I64", "[2]", "0", "16", 16), "no F32, F16 or BF16"),
        case("complex", one("C64", "[1]", "0", "8", 8), "no F32, F16 or BF16"),
        case(
            "control characters in a name",
            raw_safetensors(
                "{\"a\\u001b[2J\\n\":{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,4]}}",
                &[0; 4],
            ),
            "tensor 'a",
        ),
        case(
            "long name",
            raw_safetensors(
                &format!(
                    "{{\"{}\":{{\"dtype\":\"F32\",\"shape\":[9],\"data_offsets\":[0,4]}}}}",
                    "x".repeat(100_000)
                ),
                &[0; 4],
            ),
            "tensor 'xxx",
        ),
    ]);
    for (label, value) in [("NaN", f32::NAN), ("infinity", f32::INFINITY), ("-infinity", f32::NEG_INFINITY)] {
        let mut x = weights(32, 1);
        x[17] = value;
        let file = safetensors(&[
            ("good.weight", "F32", &[2, 16], f32_bytes(&weights(32, 2))),
            ("bad.weight", "F32", &[2, 16], f32_bytes(&x)),
        ]);
        cases.push(case(label, file, "tensor 'bad.weight': holds NaN or infinity"));
    }
    let huge = safetensors(&[("huge.weight", "F32", &[2, 16], f32_bytes(&[1e38; 32]))]);
    cases.push(case("scale beyond f16", huge, "tensor 'huge.weight': needs a scale"));
    cases
}

fn key(name: &str, kind: u32, value: &[u8]) -> (Vec<u8>, u32, Vec<u8>) {
    (name.as_bytes().to_vec(), kind, value.to_vec())
}

fn gguf_cases() -> Vec<Case> {
    let sound = RawGguf::sound().bytes();
    let mut cases = Vec::new();
    for at in
        [0, 1, 3, 4, 7, 8, 12, 16, 23, 24, 31, 32, 40, 60, 80, 100, 120, 140, 159, 160, 170, 180, 200, 207]
    {
        assert!(at < sound.len() - 1, "{}", sound.len());
        cases.push(case(format!("cut at {at}"), sound[..at].to_vec(), "fetch it again"));
    }
    for (label, version) in
        [("0", 0), ("1", 1), ("4", 4), ("big-endian", 3u32.swap_bytes()), ("largest", u32::MAX)]
    {
        cases.push(case(format!("version {label}"), RawGguf::with(|g| g.version = version), "GGUF"));
    }
    for count in [3, 1 << 20, 1 << 32, 1 << 60, u64::MAX] {
        cases.push(case(format!("{count} tensors"), RawGguf::with(|g| g.tensor_count = Some(count)), ""));
        cases.push(case(format!("{count} keys"), RawGguf::with(|g| g.key_count = Some(count)), ""));
        let bytes = RawGguf::with(|g| g.tensors[0].name_len = Some(count.saturating_add(9)));
        cases.push(case(format!("name of {count}"), bytes, ""));
        let bytes = RawGguf::with(|g| g.metadata[0].2 = [&count.to_le_bytes()[..], b"xy"].concat());
        cases.push(case(format!("string of {count}"), bytes, ""));
        for kind in [0, 5, 7, 8, 9, 12] {
            let bytes =
                RawGguf::with(|g| g.metadata.push(key("list", 9, &array(kind, 1000 + count / 2, b""))));
            cases.push(case(format!("array of {count} of type {kind}"), bytes, ""));
        }
    }
    for (label, dims) in [
        ("2^60", vec![1u64 << 60]),
        ("2^32 x 2^32", vec![1 << 32, 1 << 32]),
        ("2^63 x 2", vec![1 << 63, 2]),
        ("all largest", vec![u64::MAX; 4]),
        ("zero last", vec![1 << 63, 1 << 63, 0]),
        ("one row too many", vec![4, 4]),
    ] {
        let bytes = RawGguf::with(|g| g.tensors[0].dims = dims);
        cases.push(case(format!("dimensions {label}"), bytes, "tensor 'first'"));
    }
    for (label, offset) in [
        ("unaligned", 4u64),
        ("beyond the file", 1 << 20),
        ("2^60", 1 << 60),
        ("largest aligned", u64::MAX - 31),
        ("overlap", 0),
    ] {
        let bytes = RawGguf::with(|g| g.tensors[1].offset = offset);
        cases.push(case(format!("offset {label}"), bytes, "tensor 'second'"));
    }
    for kind in [3, 4, 5, 10, 12, 14, 16, 31, 39, 99, u32::MAX] {
        let bytes = RawGguf::with(|g| g.tensors[1].kind = kind);
        cases.push(case(format!("type {kind}"), bytes, "tensor 'second': is of type"));
    }
    for kind in [2, 8, 34, 35] {
        let bytes = RawGguf::with(|g| g.tensors[1].kind = kind);
        cases.push(case(format!("row of 4 in type {kind}"), bytes, "tensor 'second': its rows of 4"));
    }
    for (label, kind, value) in [
        ("0", 4, 0u32.to_le_bytes().to_vec()),
        ("3", 4, 3u32.to_le_bytes().to_vec()),
        ("2^31", 4, (1u32 << 31).to_le_bytes().to_vec()),
        ("a u64", 10, 32u64.to_le_bytes().to_vec()),
        ("text", 8, string(b"32")),
    ] {
        let bytes = RawGguf::with(|g| g.metadata[1] = key("general.alignment", kind, &value));
        cases.push(case(format!("alignment {label}"), bytes, ""));
    }
    let nested = (0..40).fold(array(4, 0, b""), |inner, _| array(9, 1, &inner));
    cases.extend([
        case("empty", vec![], "GGUF"),
        case("magic", RawGguf::with(|g| g.magic = *b"GGML"), "GGUF"),
        case("zeros", vec![0; 4096], "GGUF"),
        case("n_dims 5", RawGguf::with(|g| g.tensors[0].dims = vec![1; 5]), "5 dimensions"),
        case("n_dims 2^32-1", RawGguf::with(|g| g.tensors[0].n_dims = Some(u32::MAX)), "dimensions"),
        case("name twice", RawGguf::with(|g| g.tensors[1].name = b"first".to_vec()), "twice"),
        case(
            "key twice",
            RawGguf::with(|g| {
                let k = g.metadata[0].clone();
                g.metadata.push(k)
            }),
            "twice",
        ),
        case("name not UTF-8", RawGguf::with(|g| g.tensors[0].name = vec![0xff, 0xfe]), "UTF-8"),
        case("key not UTF-8", RawGguf::with(|g| g.metadata[0].0 = vec![0xc3, 0x28]), "UTF-8"),
        case("string not UTF-8", RawGguf::with(|g| g.metadata[0].2 = string(&[0xf0, 0x28])), "UTF-8"),
        case("value type 13", RawGguf::with(|g| g.metadata[0].1 = 13), "value type 13"),
        case("boolean 2", RawGguf::with(|g| g.metadata.push(key("b", 7, &[2]))), "boolean"),
        case(
            "array type 77",
            RawGguf::with(|g| g.metadata.push(key("a", 9, &array(77, 0, b"")))),
            "value type 77",
        ),
        case("nested arrays", RawGguf::with(|g| g.metadata.push(key("a", 9, &nested))), "nests"),
        case("long name", RawGguf::with(|g| g.tensors[0].name = vec![b'x'; 5000]), "longer than"),
        case("long key", RawGguf::with(|g| g.metadata[0].0 = vec![b'x'; 70_000]), "longer than"),
        case(
            "control characters in a name",
            RawGguf::with(|g| {
                g.tensors[0].name = b"\x1b]0;owned\x07\r\n".to_vec();
                g.tensors[0].kind = 99;
            }),
            "type 99",
        ),
    ]);
    // hybridq's own metadata, lying about an I8 tensor of 6 bytes.
    for (label, format, shape) in [
        ("unknown format", "six_level", vec![2u64, 5]),
        ("too large a shape", "dense_ternary", vec![2, 500]),
        ("too small a shape", "dense_ternary", vec![1, 5]),
        ("2^60 rows", "dense_ternary", vec![1 << 60, 5]),
        ("a shape that overflows", "five_level", vec![1 << 40, 1 << 40]),
    ] {
        let dims: Vec<u8> = shape.iter().flat_map(|d| d.to_le_bytes()).collect();
        let bytes = RawGguf::with(|g| {
            g.tensors = vec![tensor("own", &[3, 2], 24, 0)];
            g.metadata.push(key("hybridq.tensor.own.format", 8, &string(format.as_bytes())));
            g.metadata.push(key("hybridq.tensor.own.shape", 9, &array(10, shape.len() as u64, &dims)));
        });
        cases.push(case(label, bytes, "tensor 'own'"));
    }
    for (label, field, kind, value) in [
        ("format a number", "format", 4, 7u32.to_le_bytes().to_vec()),
        ("shape a string", "shape", 8, string(b"2x3")),
        ("type unknown", "dtype", 8, string(b"F13")),
        ("type too wide", "dtype", 8, string(b"U64")),
    ] {
        let bytes = RawGguf::with(|g| {
            g.tensors = vec![tensor("own", &[3, 2], 24, 0)];
            g.metadata.push(key(&format!("hybridq.tensor.own.{field}"), kind, &value));
        });
        cases.push(case(label, bytes, "tensor 'own'"));
    }
    cases
}

/// Runs a command on each file: one line that names the file and says the words, nothing left behind.
fn all_refused(cases: &[Case], file: &str, command: &[&str], output: Option<&str>) {
    for case in cases {
        let folder = Folder::new();
        let input = folder.write(file, &case.bytes);
        let mut args: Vec<std::ffi::OsString> = vec![command[0].into(), input.into()];
        args.extend(command[1..].iter().map(Into::into));
        args.extend(output.map(|o| folder.path(o).into()));
        let run = hybridq(&args);
        assert_eq!(run.code, Some(2), "{}: {run:?}", case.name);
        let line = run.refused();
        assert!(line.contains(file) && line.contains("; "), "{}: {line}", case.name);
        assert!(line.contains(case.says), "{}: {line}", case.name);
        assert_eq!(folder.names(), [file], "{}", case.name);
    }
}

#[test]
fn unsound_safetensors_are_refused() {
    let cases = safetensors_cases();
    assert!(cases.len() >= 50, "{}", cases.len());
    let command = ["quantize", "--format", "five_level", "-o"];
    all_refused(&cases, "model.safetensors", &command, Some("out.gguf"));
    let command = ["export", "--format", "dense_ternary", "--c-header"];
    let export: Vec<Case> = cases.into_iter().filter(|c| !c.says.starts_with("no F32")).collect();
    all_refused(&export, "model.safetensors", &command, Some("out.h"));
}

#[test]
fn unsound_gguf_files_are_refused() {
    let cases = gguf_cases();
    assert!(cases.len() >= 50, "{}", cases.len());
    all_refused(&cases, "model.gguf", &["dequantize", "-o"], Some("out.safetensors"));
    all_refused(&cases, "model.gguf", &["inspect"], None);
}

/// Every prefix of a sound file is refused, and no single flipped bit makes the reader panic.
#[test]
fn every_cut_and_every_flipped_bit() {
    for (path, sound) in [("m.safetensors", sound_safetensors()), ("m.gguf", RawGguf::sound().bytes())] {
        let path = path.as_ref();
        assert!(Model::from_bytes(path, &sound).is_ok());
        for at in 0..sound.len() {
            assert!(Model::from_bytes(path, &sound[..at]).is_err(), "{at}");
        }
        for bit in 0..8 * sound.len() {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            if let Err(error) = Model::from_bytes(path, &bytes) {
                assert!(!error.to_string().contains('\n'));
            }
        }
    }
}
