//! Archive files: any GGUF file comes back byte for byte, damage and forgery are refused in one line.

use std::path::Path;

use crate::support::*;
use hybridq::io::archive::{Archive, archive_model};
use hybridq::io::convert::{Recipe, quantize_model};
use hybridq::io::model::Model;
use hybridq::io::{ErrorKind, IoError};
use hybridq::quant::{Format, NonFinite};

/// A model with ternary, other packed and plain tensors, in GGUF.
fn gguf(format: Format) -> Vec<u8> {
    let file = safetensors(&[
        ("a.weight", "F32", &[200, 512], f32_bytes(&weights(200 * 512, 1))),
        ("b.weight", "F32", &[3, 7, 256], f32_bytes(&weights(21 * 256, 2))),
        ("c.weight", "F32", &[4, 96], f32_bytes(&weights(4 * 96, 3))),
        ("c.bias", "F32", &[5], f32_bytes(&weights(5, 4))),
        ("ids", "I64", &[3], vec![7; 24]),
        ("none", "F32", &[0, 7], vec![]),
    ]);
    let model = Model::from_bytes(Path::new("in.safetensors"), &file).unwrap();
    let recipe = Recipe::new(format, None, None, NonFinite::Error).unwrap();
    let mut out = Vec::new();
    quantize_model(&model, &recipe, &|_| false, &mut out, Path::new("out.gguf"), &mut |_| true).unwrap();
    out
}

fn archived(file: &[u8]) -> Vec<u8> {
    let model = Model::from_bytes(Path::new("in.gguf"), file).unwrap();
    let mut out = Vec::new();
    let mut seen = 0;
    let report = archive_model(&model, &mut out, Path::new("out.hqa"), &mut |n| {
        seen += n;
        true
    });
    assert_eq!(report.unwrap().values(), model.tensors.iter().map(|t| t.len() as u64).sum::<u64>());
    out
}

fn restored(file: &[u8]) -> Result<Vec<u8>, IoError> {
    let archive = Archive::from_bytes(Path::new("in.hqa"), file)?;
    let mut out = Vec::new();
    archive.restore(&mut out, Path::new("out.gguf"), &mut |_| true)?;
    assert_eq!(out.len() as u64, archive.restored_bytes());
    Ok(out)
}

/// One line, of a kind that says what to do.
fn refused(file: &[u8]) -> IoError {
    let error = restored(file).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::Unsupported), "{error}");
    assert!(error.to_string().starts_with("in.hqa: ") && !error.to_string().contains('\n'), "{error}");
    error
}

#[test]
fn every_format_comes_back_and_ternary_tensors_shrink() {
    for format in Format::ALL {
        let file = gguf(format);
        let packed = archived(&file);
        assert_eq!(restored(&packed).unwrap(), file, "{format:?}");
        let archive = Archive::from_bytes(Path::new("x.hqa"), &packed).unwrap();
        let model = Model::from_bytes(Path::new("x.gguf"), &file).unwrap();
        assert_eq!(archive.model.metadata.len(), model.metadata.len());
        let mut coded = 0;
        for (ours, theirs) in archive.model.tensors.iter().zip(&model.tensors) {
            assert_eq!((&ours.name, &ours.shape, &ours.kind), (&theirs.name, &theirs.shape, &theirs.kind));
            let (bytes, ternary) = archive.stored(ours);
            assert!(if ternary { bytes < theirs.bytes() as u64 } else { bytes == theirs.bytes() as u64 });
            coded += usize::from(ternary);
        }
        let ternary = matches!(format, Format::Tq1_0 | Format::Tq2_0 | Format::DenseTernary);
        assert!(if ternary { coded >= 1 && packed.len() < file.len() } else { coded == 0 }, "{format:?}");
    }
}

#[test]
fn odd_gguf_files_come_back_too() {
    let tight = RawGguf::with(|_| ());
    let gap = RawGguf::with(|f| {
        f.tensors[1].offset = 128;
        f.data.splice(32..32, [0; 96]);
    });
    let noise = RawGguf::with(|f| {
        f.tensors[1].offset = 128;
        f.data.splice(32..32, (0..96).map(|i| i as u8));
    });
    let far = RawGguf::with(|f| {
        f.tensors[1].offset = 32 + (1 << 17);
        f.data.splice(32..32, vec![0; 1 << 17]);
    });
    let tail = RawGguf::with(|f| f.data.extend([1, 2, 3]));
    let zeros = RawGguf::with(|f| f.data.extend([0; 1000]));
    let empty = RawGguf::with(|f| {
        f.tensors.clear();
        f.data.clear();
    });
    let swapped = RawGguf::with(|f| f.tensors.swap(0, 1));
    for file in [tight, gap, noise, far, tail, zeros, empty, swapped] {
        assert_eq!(restored(&archived(&file)).unwrap(), file);
    }
}

#[test]
fn only_gguf_is_archived_and_an_archive_is_no_model() {
    let file = safetensors(&[("w", "F32", &[2], vec![0; 8])]);
    let model = Model::from_bytes(Path::new("s.safetensors"), &file).unwrap();
    let error = archive_model(&model, Vec::new(), Path::new("o"), &mut |_| true).unwrap_err();
    assert!(error.to_string().contains("is not a GGUF file; quantize it first"), "{error}");
    let packed = archived(&gguf(Format::Tq2_0));
    let error = Model::from_bytes(Path::new("x.gguf"), &packed).unwrap_err();
    assert!(error.to_string().contains("is an archive; restore it first"), "{error}");
    let error = Archive::from_bytes(Path::new("x.hqa"), &gguf(Format::Tq2_0)).unwrap_err();
    assert!(error.to_string().contains("is not a hybridq archive"), "{error}");
}

#[test]
fn an_interrupt_ends_both_ways() {
    let file = gguf(Format::Tq1_0);
    let model = Model::from_bytes(Path::new("in.gguf"), &file).unwrap();
    let error = archive_model(&model, Vec::new(), Path::new("o"), &mut |_| false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    let archive = Archive::from_bytes(Path::new("x.hqa"), &archived(&file)).unwrap();
    let error = archive.restore(Vec::new(), Path::new("o"), &mut |_| false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let file = archived(&gguf(Format::DenseTernary));
    let mut at = 0;
    while at < file.len() {
        let mut bad = file.clone();
        bad[at] ^= 1 << (at % 8);
        refused(&bad);
        refused(&file[..at]);
        // Every byte of the heads, some of the data.
        at += if at < 3000 { 1 } else { 17 };
    }
    refused(&[&file[..], &[0]].concat());
    refused(&[&file[..], &file[..]].concat());
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut c = !0u32;
    for &byte in bytes {
        c ^= u32::from(byte);
        for _ in 0..8 {
            c = (c >> 1) ^ (0xEDB8_8320 * (c & 1));
        }
    }
    !c
}

/// Part heads with their places in the file: (start, name length, payload length, kind).
fn part_heads(file: &[u8]) -> Vec<(usize, usize, usize, u8)> {
    let (mut at, mut out) = (20, vec![]);
    while at < file.len() {
        let payload = u64::from_le_bytes(file[at + 16..at + 24].try_into().unwrap()) as usize;
        let name = u16::from_le_bytes([file[at + 26], file[at + 27]]) as usize;
        let kind = file[at + 24];
        out.push((at, name, payload, kind));
        at += 28 + name + 4 + payload + if kind == 1 { 0 } else { 4 };
    }
    out
}

/// Corrects the checksums of the heads.
fn forge(file: &mut [u8], heads: &[(usize, usize, usize, u8)]) {
    let crc = crc32(&file[..16]);
    file[16..20].copy_from_slice(&crc.to_le_bytes());
    for &(at, name, ..) in heads {
        let crc = crc32(&file[at..at + 28 + name]);
        file[at + 28 + name..at + 32 + name].copy_from_slice(&crc.to_le_bytes());
    }
}

#[test]
fn forged_heads_are_refused() {
    let file = archived(&gguf(Format::Tq2_0));
    let heads = part_heads(&file);
    assert!(heads.iter().any(|h| h.3 == 1) && heads.last().unwrap().3 == 2);
    let ternary = heads.iter().find(|h| h.3 == 1).unwrap().0;
    let huge = u64::MAX.to_le_bytes();
    for (at, bytes) in [
        (4, &[2u8][..]), // version
        (8, &huge[..]),  // length of the GGUF file
        (8, &[0; 8]),
        (20, &huge), // place of the head
        (20, &[1]),
        (28, &huge), // its length
        (36, &huge), // its payload
        (36, &[0; 8]),
        (44, &[1]), // kind: the head as a stream
        (44, &[2]),
        (44, &[3]),
        (45, &[1]),
        (46, &[255, 255]), // name
        (ternary, &[0; 8]),
        (ternary, &huge),
        (ternary + 8, &[0; 8]),
        (ternary + 8, &huge),
        (ternary + 16, &[1]),
        (ternary + 24, &[0]), // a stream as plain bytes
        (ternary + 28, b"z"), // another name
        (ternary + 28, &[255]),
    ] {
        let mut bad = file.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        forge(&mut bad, &heads);
        refused(&bad);
    }
    // The streams of two tensors change places.
    let streams: Vec<_> = heads.iter().filter(|h| h.3 == 1).collect();
    let part = |h: &(usize, usize, usize, u8)| h.0..h.0 + 32 + h.1 + h.2;
    let payload = |h: &(usize, usize, usize, u8)| h.0 + 32 + h.1..h.0 + 32 + h.1 + h.2;
    let (a, b) = (streams[0], streams[1]);
    let mut bad = file[..a.0].to_vec();
    let mut head = file[a.0..payload(a).start].to_vec();
    head[16..24].copy_from_slice(&(b.2 as u64).to_le_bytes());
    let crc = crc32(&head[..28 + a.1]);
    head[28 + a.1..].copy_from_slice(&crc.to_le_bytes());
    bad.extend(head);
    bad.extend(&file[payload(b)]);
    bad.extend(&file[part(a).end..]);
    assert!(refused(&bad).to_string().contains("not that of the tensor"), "swapped streams");
}
