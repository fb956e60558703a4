//! Any bytes as an archive file, as a ternary stream, and as a packed matrix: read without harm, and what is written
//! reads back.
#![no_main]

use hybridq::io::archive::{Archive, archive_model};
use hybridq::io::model::Model;
use hybridq::quant::archive::UNIT_LEN;
use hybridq::quant::{ArchiveDecoder, Format, archive_bound, archive_encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::path::Path::new("fuzz.hqa");
    match Archive::from_bytes(path, bytes) {
        Ok(archive) if archive.restored_bytes() < 1 << 24 => {
            let mut out = Vec::new();
            if archive.restore(&mut out, path, &mut |_| true).is_ok() {
                assert_eq!(out.len() as u64, archive.restored_bytes());
                let _ = Model::from_bytes(path, &out);
            }
        }
        Ok(_) => {}
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    if let Ok(model) = Model::from_bytes(std::path::Path::new("fuzz.gguf"), bytes) {
        let mut packed = Vec::new();
        archive_model(&model, &mut packed, path, &mut |_| true).expect("a sound GGUF file is archived");
        let mut out = Vec::new();
        let archive = Archive::from_bytes(path, &packed).expect("what was written reads");
        archive.restore(&mut out, path, &mut |_| true).expect("what was written is sound");
        assert_eq!(out, bytes);
    }
    stream(bytes);
    matrix(bytes);
});

fn stream(bytes: &[u8]) {
    let Ok(mut decoder) = ArchiveDecoder::new(bytes) else { return };
    let info = decoder.info().expect("new has checked it");
    assert!(info.rows.checked_mul(info.cols).is_some());
    let mut codes = [0; UNIT_LEN];
    // A stream of zeros stands for many: a few thousand units tell enough.
    for _ in 0..4096 {
        match decoder.next_unit(bytes, 0, &mut codes) {
            Ok(Some(unit)) => assert!(unit.row < info.rows && unit.len > 0),
            _ => break,
        }
    }
}

fn matrix(bytes: &[u8]) {
    let Some(([shape, chunk, which], data)) = bytes.split_first_chunk::<3>() else { return };
    let formats = [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary];
    let (format, cols) = (formats[*which as usize % 3], 1 + 3 * *shape as usize);
    let rows = data.len() / format.row_bytes(cols).expect("small");
    let data = &data[..format.matrix_bytes(rows, cols).expect("small")];
    let chunk = *chunk as usize % 8;
    let mut out = vec![0; archive_bound(format, rows, cols, chunk).expect("small")];
    let size = archive_encode(format, rows, cols, data, chunk, &mut out).expect("any bytes are archived");
    let stream = &out[..size];
    let mut decoder = ArchiveDecoder::new(stream).expect("what was written reads");
    let (mut back, mut done) = (vec![0; data.len()], 0);
    while done < rows {
        let at = done * data.len() / rows;
        done += decoder.next_rows(stream, 0, rows - done, &mut back[at..]).expect("what was written is sound");
    }
    assert_eq!(back, data);
}
