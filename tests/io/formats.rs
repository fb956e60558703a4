//! The two containers at the level of the library: what is written is read, and what cannot be written
//! is refused.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{f32_bytes, weights};
use hybridq::io::convert::{self, Recipe, quantize_model};
use hybridq::io::gguf::{self, Array, GgufWriter, TensorType, Value};
use hybridq::io::model::Model;
use hybridq::io::safetensors::{self, SafetensorsWriter};
use hybridq::io::{Dtype, ErrorKind};
use hybridq::quant::{Fit, Format, NonFinite};

fn spec(name: &str, dims: &[u64], tensor_type: TensorType) -> gguf::TensorSpec {
    gguf::TensorSpec { name: name.into(), dims: dims.to_vec(), tensor_type }
}

#[test]
fn gguf_metadata_of_every_type_there_and_back() {
    let strings = || vec!["".to_owned(), "é€😀".into()];
    let values = [
        Value::U8(255),
        Value::I8(-128),
        Value::U16(65535),
        Value::I16(-32768),
        Value::U32(u32::MAX),
        Value::I32(i32::MIN),
        Value::F32(-0.0),
        Value::Bool(true),
        Value::String("line\nline".into()),
        Value::U64(u64::MAX),
        Value::I64(i64::MIN),
        Value::F64(f64::MIN_POSITIVE),
        Value::Array(Array::U8(vec![1, 2])),
        Value::Array(Array::I8(vec![-1])),
        Value::Array(Array::U16(vec![3])),
        Value::Array(Array::I16(vec![-4])),
        Value::Array(Array::U32(vec![5])),
        Value::Array(Array::I32(vec![-6])),
        Value::Array(Array::F32(vec![0.5, 1e-40])),
        Value::Array(Array::Bool(vec![true, false])),
        Value::Array(Array::String(strings())),
        Value::Array(Array::U64(vec![])),
        Value::Array(Array::I64(vec![-7])),
        Value::Array(Array::F64(vec![1.5])),
        Value::Array(Array::Array(vec![Array::String(strings()), Array::U8(vec![])])),
    ];
    let metadata: Vec<_> = values.into_iter().enumerate().map(|(i, v)| (format!("key.{i}"), v)).collect();
    let file = GgufWriter::new(Vec::new(), &metadata, &[]).unwrap().finish().unwrap();
    let read = gguf::parse(Path::new("m.gguf"), &file).unwrap();
    assert_eq!((read.version, &read.metadata), (3, &metadata));
    assert_eq!(read.get("key.1"), Some(&Value::I8(-128)));
    // Version 2 has the same layout.
    let mut old = file;
    old[4] = 2;
    assert_eq!(gguf::parse(Path::new("m.gguf"), &old).unwrap().metadata, metadata);
}

#[test]
fn gguf_tensors_lie_aligned_and_whole() {
    let f32s = TensorType::Plain(Dtype::F32);
    let specs = [spec("a", &[3], f32s), spec("empty", &[0], f32s), spec("b", &[256, 2], TensorType::Tq1_0)];
    let (a, b) = (f32_bytes(&weights(3, 1)), vec![7u8; 108]);
    let mut writer = GgufWriter::new(Vec::new(), &[], &specs).unwrap();
    writer.write(&a[..5]).unwrap();
    writer.write(&a[5..]).unwrap();
    writer.write(&b).unwrap();
    let file = writer.finish().unwrap();
    let read = gguf::parse(Path::new("m.gguf"), &file).unwrap();
    assert_eq!(file.len() % 32, 0);
    let bytes: Vec<&[u8]> = read.tensors.iter().map(|t| &file[t.range.clone()]).collect();
    assert_eq!(bytes, [&a[..], &[], &b]);
    assert!(read.tensors.iter().all(|t| t.range.start % 32 == 0));
}

#[test]
fn gguf_writer_refuses_what_would_be_a_broken_file() {
    let f32s = TensorType::Plain(Dtype::F32);
    for bad in [
        spec("deep", &[1; 5], f32s),
        spec("odd row", &[255], TensorType::Tq2_0),
        spec("no number", &[1], TensorType::Plain(Dtype::U8)),
        spec("overflow", &[1 << 62, 2], f32s),
    ] {
        let error = GgufWriter::new(Vec::new(), &[], std::slice::from_ref(&bad)).unwrap_err();
        assert!(error.to_string().contains(&bad.name), "{error}");
    }
    let sum = [spec("a", &[1 << 61], f32s), spec("b", &[1 << 61], f32s)];
    assert!(GgufWriter::new(Vec::new(), &[], &sum).is_err());
    let new = || GgufWriter::new(Vec::new(), &[], &[spec("a", &[2], f32s)]).unwrap();
    assert!(new().finish().is_err(), "data are missing");
    assert!(new().write(&[0; 9]).is_err(), "more than the tensor holds");
    let mut full = new();
    full.write(&[0; 8]).unwrap();
    assert!(full.write(&[0]).is_err(), "more than the file holds");
}

#[test]
fn gguf_alignment_is_followed() {
    let mut raw = crate::support::RawGguf::sound();
    raw.metadata[1].2 = 64u32.to_le_bytes().to_vec();
    raw.tensors[1].offset = 64;
    let data = raw.data.clone();
    let mut file = raw.header();
    file.resize(file.len().next_multiple_of(64), 0);
    file.extend(&data[..32]);
    file.extend([0; 32]);
    file.extend(&data[32..]);
    let read = gguf::parse(Path::new("m.gguf"), &file).unwrap();
    assert_eq!(file[read.tensors[1].range.clone()], data[32..]);
}

#[test]
fn safetensors_there_and_back() {
    let spec = |name: &str, dtype, shape: &[usize]| safetensors::TensorSpec {
        name: name.into(),
        dtype,
        shape: shape.to_vec(),
    };
    let specs: Vec<_> =
        Dtype::ALL.iter().map(|d| spec(&format!("\"{}\"\n", d.name()), *d, &[3, 1])).collect();
    let metadata = BTreeMap::from([("a\"b".to_owned(), "c\\".to_owned())]);
    let total: usize = Dtype::ALL.iter().map(|d| 3 * d.size()).sum();
    let mut writer = SafetensorsWriter::new(Vec::new(), &metadata, &specs).unwrap();
    writer.write(&vec![9; total]).unwrap();
    let file = writer.finish().unwrap();
    let read = safetensors::parse(Path::new("m.safetensors"), &file).unwrap();
    assert_eq!(read.metadata, metadata);
    for (t, (s, d)) in read.tensors.iter().zip(specs.iter().zip(Dtype::ALL)) {
        assert_eq!((&t.name, t.dtype.clone(), &t.shape), (&s.name, Ok(d), &s.shape));
    }
    // The reference crate agrees.
    ::safetensors::SafeTensors::deserialize(&file).unwrap();

    let none = BTreeMap::new();
    for bad in [
        vec![spec("a", Dtype::F32, &[1]), spec("a", Dtype::F32, &[1])],
        vec![spec("__metadata__", Dtype::F32, &[1])],
        vec![spec("a", Dtype::F32, &[usize::MAX, 2])],
    ] {
        assert!(SafetensorsWriter::new(Vec::new(), &none, &bad).is_err());
    }
    let one = [spec("a", Dtype::F32, &[1])];
    let new = || SafetensorsWriter::new(Vec::new(), &none, &one).unwrap();
    assert!(new().finish().is_err() && new().write(&[0; 5]).is_err());
    let empty = SafetensorsWriter::new(Vec::new(), &none, &[]).unwrap().finish().unwrap();
    assert!(safetensors::parse(Path::new("m.safetensors"), &empty).unwrap().tensors.is_empty());
}

#[test]
fn a_stopped_conversion_says_so_and_a_full_disk_too() {
    let file = crate::support::safetensors(&[("w", "F32", &[4, 256], f32_bytes(&weights(1024, 1)))]);
    let model = Model::from_bytes(Path::new("m.safetensors"), &file).unwrap();
    let recipe = Recipe::new(Format::Tq2_0, None, None, NonFinite::Error).unwrap();
    let out = Path::new("out.gguf");
    let error = quantize_model(&model, &recipe, &|_| false, Vec::new(), out, &mut |_| false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);

    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = quantize_model(&model, &recipe, &|_| false, Full, out, &mut |_| true).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Os, out));
    assert!(error.to_string().contains("free some space"), "{error}");
}

#[test]
fn fits_have_names() {
    for fit in [
        Fit::Mse,
        Fit::AbsMean,
        Fit::Lloyd,
        Fit::AbsMax,
        Fit::NormPreserving,
        Fit::Percentile(33.5),
        Fit::Fixed { threshold: 0.25, scale: 1.5 },
    ] {
        assert_eq!(convert::fit_from_name(&convert::fit_name(fit)), Some(fit));
    }
    for bad in ["", "MSE", "percentile", "percentile:x", "percentile:101", "fixed:1,-2", "mse:1"] {
        assert_eq!(convert::fit_from_name(bad), None, "{bad}");
    }
}

/// hybridq writes `tq2_0` rows that are no whole blocks only as bytes with metadata; such a file is read,
/// and carried into a new one.
#[test]
fn a_padded_row_travels_as_bytes() {
    let (rows, cols, format) = (2usize, 100usize, Format::Tq2_0);
    let x = weights(rows * cols, 4);
    let options = hybridq::quant::Options::new(format);
    let mut packed = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; 8192];
    hybridq::quant::quantize(format, &options, rows, cols, &x, &mut packed, &mut scratch).unwrap();
    let metadata = [
        ("hybridq.tensor.w.format".to_owned(), Value::from("tq2_0")),
        ("hybridq.tensor.w.shape".to_owned(), Value::Array(Array::U64(vec![2, 100]))),
    ];
    let specs =
        [spec("w", &[66, 2], TensorType::Plain(Dtype::I8)), spec("f", &[1], TensorType::Plain(Dtype::F32))];
    let mut writer = GgufWriter::new(Vec::new(), &metadata, &specs).unwrap();
    writer.write(&packed).unwrap();
    writer.write(&[0; 4]).unwrap();
    let file = writer.finish().unwrap();
    let first = Model::from_bytes(Path::new("1.gguf"), &file).unwrap();
    let recipe = Recipe::new(Format::FiveLevel, None, None, NonFinite::Error).unwrap();
    let mut again = Vec::new();
    quantize_model(&first, &recipe, &|_| false, &mut again, Path::new("2.gguf"), &mut |_| true).unwrap();
    let second = Model::from_bytes(Path::new("2.gguf"), &again).unwrap();
    for model in [&first, &second] {
        let w = &model.tensors[0];
        assert_eq!((w.kind.name(), &w.shape[..], model.bytes(w)), ("tq2_0", &[2, 100][..], &packed[..]));
    }
}
