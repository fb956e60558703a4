//! The ternary archive: what goes in comes out, an independent decoder written from the documentation agrees, and
//! damaged or forged streams are refused.

use crate::common::{Rng, gaussian};
use hybridq::Error;
use hybridq::quant::archive::{HEADER_BYTES, UNIT_LEN};
use hybridq::quant::{
    ArchiveDecoder, Format, Options, archive_bound, archive_encode, quantize, quantize_workspace_size,
};
use proptest::prelude::*;

const TERNARY: [Format; 3] = [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary];

fn packed(format: Format, rows: usize, cols: usize, x: &[f32]) -> Vec<u8> {
    let options = Options::new(format);
    let mut out = vec![0; format.matrix_bytes(rows, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, rows, cols).unwrap()];
    quantize(format, &options, rows, cols, x, &mut out, &mut scratch).unwrap();
    out
}

fn encode(format: Format, rows: usize, cols: usize, data: &[u8], chunk: usize) -> Vec<u8> {
    let mut out = vec![0xA5; archive_bound(format, rows, cols, chunk).unwrap()];
    let size = archive_encode(format, rows, cols, data, chunk, &mut out).unwrap();
    out.truncate(size);
    out
}

/// The packed bytes, by rows, as many a call as the decoder gives.
fn decode_rows(stream: &[u8], step: usize) -> Result<Vec<u8>, Error> {
    let mut decoder = ArchiveDecoder::new(stream)?;
    let info = decoder.info()?;
    let row = info.format.row_bytes(info.cols)?;
    // A forged header may say any size; what does not fit is an error of the decoder.
    let mut out = vec![0; info.format.matrix_bytes(info.rows, info.cols)?.min(1 << 24)];
    let mut done = 0;
    loop {
        let n = decoder.next_rows(stream, 0, step, &mut out[done * row..])?;
        if n == 0 {
            assert!(row == 0 || done == info.rows);
            return Ok(out);
        }
        done += n;
    }
}

/// Codes and bits of the scale of each unit, through windows no larger than needed.
fn decode_units(stream: &[u8]) -> Result<Vec<(Vec<i8>, f32, usize)>, Error> {
    let mut decoder = ArchiveDecoder::new(&stream[..HEADER_BYTES.min(stream.len())])?;
    let mut out = Vec::new();
    let mut codes = [9; UNIT_LEN];
    let (mut at, mut window) = (0, &[][..]);
    loop {
        let need = decoder.need(window, at)?;
        if !need.is_empty() && (need.start < at || need.end > at + window.len()) {
            (at, window) = (need.start, stream.get(need).ok_or(Error::Corrupt)?);
            continue;
        }
        match decoder.next_unit(window, at, &mut codes)? {
            None => return Ok(out),
            Some(unit) => out.push((codes[..unit.len].to_vec(), unit.scale, unit.row)),
        }
    }
}

/// CRC-32 bit by bit.
fn crc32(start: u32, bytes: &[u8]) -> u32 {
    let mut c = !start;
    for &byte in bytes {
        c ^= u32::from(byte);
        for _ in 0..8 {
            c = (c >> 1) ^ (0xEDB8_8320 * (c & 1));
        }
    }
    !c
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// A second decoder, straight from the tables in `src/quant/archive/mod.rs`: (codes, bits of the scale) of each unit.
/// Coded chunks only.
fn by_the_book(s: &[u8]) -> Vec<(Vec<i8>, u16)> {
    let u16_at = |at: usize| u32::from(u16::from_le_bytes(s[at..at + 2].try_into().unwrap()));
    let u64_at = |at: usize| u64::from_le_bytes(s[at..at + 8].try_into().unwrap()) as usize;
    assert_eq!((&s[..4], s[4], s[5]), (&b"HQTA"[..], 1, 0));
    let (format, rows, cols) = (u16_at(6), u64_at(8), u64_at(16));
    assert_eq!(u64_at(24), s.len());
    let chunk_rows = u32_at(s, 32) as usize;
    let (f0, f1, base, shift) = (u16_at(36), u16_at(38), u16_at(40), u32::from(s[42]));
    let classes: Vec<u32> = (0..16).map(|i| u16_at(44 + 2 * i)).collect();
    let header = u32_at(s, 76);
    assert_eq!(header, crc32(0, &s[..76]));
    let unit = if format == 1000 { 160 } else { 256 };
    let mut out = Vec::new();
    let mut at = 80;
    for (index, first) in (0..rows).step_by(chunk_rows).enumerate() {
        let word = u32_at(s, at);
        assert_eq!(word >> 31, 0, "a coded chunk");
        let payload = &s[at + 8..at + 8 + word as usize];
        let covered = [&(index as u32).to_le_bytes()[..], &s[at..at + 4], payload].concat();
        assert_eq!(u32_at(s, at + 4), crc32(header, &covered));
        at += 8 + payload.len();
        let mut x = u32_at(payload, 0);
        let mut bytes = payload[4..].iter();
        let mut refill = |x: &mut u32| {
            while *x < 1 << 23 {
                *x = 256 * *x + u32::from(*bytes.next().unwrap());
            }
        };
        let mut symbol = |x: &mut u32, frequencies: &[u32]| {
            let (mut s, mut i) = (0, 0);
            while *x % 4096 >= s + frequencies[i] {
                s += frequencies[i];
                i += 1;
            }
            *x = frequencies[i] * (*x / 4096) + *x % 4096 - s;
            refill(x);
            i
        };
        for _ in first..rows.min(first + chunk_rows) {
            let mut scale = 0;
            for start in (0..cols).step_by(unit) {
                if format != 1000 || start == 0 {
                    let class = symbol(&mut x, &classes) as u32;
                    // `shift` plain bits: a symbol of frequency 2^(12 - shift) each, were the state not the same.
                    let plain = x % (1 << shift);
                    x >>= shift;
                    let all = [4096];
                    symbol(&mut x, &all); // takes nothing but the bytes that are due
                    scale = base + (class << shift) + plain;
                }
                let n = unit.min(cols - start);
                let codes = (0..n).map(|_| symbol(&mut x, &[f0, f1, 4096 - f0 - f1]) as i8 - 1).collect();
                out.push((codes, scale as u16));
            }
        }
        assert_eq!((x, bytes.next()), (1 << 23, None));
    }
    assert_eq!(at, s.len());
    out
}

#[test]
fn an_independent_decoder_reads_every_stream_as_ours_does() {
    for format in TERNARY {
        for (rows, cols, chunk) in
            [(1, 1, 0), (7, 300, 2), (3, 256, 1), (5, 1024, 100), (2, 159, 0), (9, 161, 4)]
        {
            let x = gaussian(rows * cols, 3 + cols as u64);
            let stream = encode(format, rows, cols, &packed(format, rows, cols, &x), chunk);
            if u32_at(&stream, HEADER_BYTES) >> 31 == 1 {
                assert!(rows * cols < 20, "a chunk of {rows} x {cols} should be shorter coded");
                continue;
            }
            let book = by_the_book(&stream);
            let ours = decode_units(&stream).unwrap();
            assert_eq!(ours.len(), book.len());
            for ((codes, scale, _), (expected, bits)) in ours.iter().zip(&book) {
                assert_eq!(codes, expected);
                assert_eq!(*scale, half::f16::from_bits(*bits).to_f32());
            }
        }
    }
}

/// The stream must not change: archives are kept for years.
#[test]
fn golden_streams_are_written_and_read_as_ever() {
    for (format, crc) in TERNARY.into_iter().zip(GOLDEN) {
        let (rows, cols) = (6, 700);
        // Sums of uniform numbers: no function whose last bit depends on the machine.
        let mut rng = Rng(42);
        let x: Vec<f32> =
            (0..rows * cols).map(|_| (rng.uniform() + rng.uniform() + rng.uniform() - 1.5) as f32).collect();
        let data = packed(format, rows, cols, &x);
        let stream = encode(format, rows, cols, &data, 4);
        let path = format!("{}/tests/golden/archive/{}.hqta", env!("CARGO_MANIFEST_DIR"), format.name());
        if std::env::var_os("HQ_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &stream).unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), stream, "{path}");
        let found = crc32(0, &decode_rows(&stream, 3).unwrap());
        assert_eq!(found, crc, "{format:?} {found:#010x}");
    }
}
const GOLDEN: [u32; 3] = [0xa30d439b, 0x0b4eb93e, 0x5e6d128a];

#[test]
fn the_size_is_that_of_the_entropy() {
    let (rows, cols) = (512, 1024);
    for format in TERNARY {
        let data = packed(format, rows, cols, &gaussian(rows * cols, 5));
        let stream = encode(format, rows, cols, &data, 0);
        let units = decode_units(&stream).unwrap();
        let mut counts = [0f64; 3];
        units.iter().flat_map(|u| &u.0).for_each(|&c| counts[(c + 1) as usize] += 1.0);
        let n = (rows * cols) as f64;
        let entropy: f64 = counts.iter().map(|c| -c * (c / n).log2()).sum();
        let scales = if format == Format::DenseTernary { rows } else { units.len() } as f64;
        let bits = 8.0 * stream.len() as f64;
        assert!(bits > entropy, "{format:?}");
        // Scales of normal rows lie within a few percent of each other: 16 bits would be too many.
        let allowance = 11.0 * scales + 8.0 * (80.0 + 12.0 * n / 32768.0);
        assert!(bits < 1.0005 * entropy + allowance, "{format:?}: {} against {}", bits / n, entropy / n);
    }
}

#[test]
fn all_zeros_and_other_extremes() {
    for format in TERNARY {
        for value in [0.0, 0.5] {
            let data = packed(format, 64, 1024, &vec![value; 64 * 1024]);
            let stream = encode(format, 64, 1024, &data, 0);
            assert!(stream.len() < 200, "{format:?} {}", stream.len());
            assert_eq!(decode_rows(&stream, 64).unwrap(), data);
        }
        // Scales as far apart as they can be.
        let x: Vec<f32> = (0..4 * 1000).map(|i| if i < 1000 { 65504.0 } else { 6e-8 }).collect();
        let data = packed(format, 4, 1000, &x);
        assert_eq!(decode_rows(&encode(format, 4, 1000, &data, 0), 4).unwrap(), data);
        for (rows, cols) in [(0, 0), (0, 300), (300, 0)] {
            let stream = encode(format, rows, cols, &[], 0);
            assert_eq!(stream.len(), HEADER_BYTES);
            assert!(decode_rows(&stream, 1).unwrap().is_empty());
            assert_eq!(decode_units(&stream).unwrap(), []);
        }
    }
}

#[test]
fn bytes_that_no_encoder_writes_come_back_too() {
    let mut rng = Rng(9);
    for format in TERNARY {
        for cols in [5, 256, 300, 800] {
            let mut data = packed(format, 4, cols, &gaussian(4 * cols, 1));
            // One row of noise: invalid digits, padding that is not zero, any scale, NaN among them.
            let row = format.row_bytes(cols).unwrap();
            data[row..2 * row].iter_mut().for_each(|b| *b = rng.next() as u8);
            let stream = encode(format, 4, cols, &data, 1);
            assert!(stream.len() <= archive_bound(format, 4, cols, 1).unwrap());
            assert_eq!(decode_rows(&stream, 1).unwrap(), data);
            let unit = if format == Format::DenseTernary { 160 } else { 256 };
            assert_eq!(decode_units(&stream).unwrap().len(), 4 * cols.div_ceil(unit));
        }
    }
}

#[test]
fn what_the_encoder_refuses() {
    let mut out = vec![7; 1000];
    let data = [0; 132];
    let mut call = |format, rows, cols, data: &[u8], len| {
        let result = archive_encode(format, rows, cols, data, 0, &mut out[..len]);
        assert!(result.is_ok() || out.iter().all(|&b| b == 7));
        result
    };
    assert_eq!(call(Format::Q8_0, 1, 32, &data, 1000), Err(Error::Unsupported));
    assert_eq!(call(Format::FiveLevel, 1, 32, &data, 1000), Err(Error::Unsupported));
    assert_eq!(call(Format::Tq2_0, 2, 256, &data[1..], 1000), Err(Error::Shape));
    let bound = archive_bound(Format::Tq2_0, 2, 256, 0).unwrap();
    assert_eq!(bound, 80 + 8 + 132);
    assert_eq!(call(Format::Tq2_0, 2, 256, &data, bound - 1), Err(Error::OutputTooSmall));
    assert_eq!(call(Format::Tq2_0, usize::MAX, 256, &data, 1000), Err(Error::SizeOverflow));
    assert_eq!(archive_bound(Format::DenseTernary, usize::MAX / 3, 4, 0), Err(Error::SizeOverflow));
    assert_eq!(archive_bound(Format::DenseTernary, 1, usize::MAX / 8, 0), Err(Error::SizeOverflow));
    assert_eq!(archive_bound(Format::FiveLevel, 1, 1, 0), Err(Error::Unsupported));
    assert!(call(Format::Tq2_0, 2, 256, &data, bound).is_ok());
}

#[test]
fn windows_outputs_and_positions_are_checked() {
    let (rows, cols) = (6, 700);
    let data = packed(Format::Tq2_0, rows, cols, &gaussian(rows * cols, 42));
    let stream = encode(Format::Tq2_0, rows, cols, &data, 4);
    let row = Format::Tq2_0.row_bytes(cols).unwrap();
    let mut decoder = ArchiveDecoder::new(&stream).unwrap();
    let mut out = vec![7; rows * row];
    assert_eq!(decoder.need(&[], 0), Ok(80..88));
    let first = decoder.need(&stream, 0).unwrap();
    assert_eq!(first.start, 80);
    for (from, to) in [(81, stream.len()), (80, first.end - 1), (80, 87), (0, 0)] {
        assert_eq!(decoder.next_rows(&stream[from..to], from, 6, &mut out), Err(Error::Corrupt));
        assert_eq!(decoder.next_unit(&stream[from..to], from, &mut [0; 256]), Err(Error::Corrupt));
    }
    assert_eq!(decoder.next_rows(&stream, 0, 6, &mut out[1..]), Err(Error::OutputTooSmall));
    assert!(out.iter().all(|&b| b == 7));
    assert_eq!(decoder.next_rows(&stream, 0, 0, &mut []), Ok(0));
    // Four rows a chunk: a call ends with the chunk, wherever it began.
    let copy = decoder;
    assert_eq!(decoder.next_rows(&stream[80..], 80, 1, &mut out), Ok(1));
    assert_eq!(decoder.next_rows(&stream, 0, 6, &mut out[row..]), Ok(3));
    assert_eq!(decoder.next_rows(&stream, 0, 6, &mut out[4 * row..]), Ok(2));
    assert_eq!(decoder.next_rows(&stream, 0, 6, &mut []), Ok(0));
    assert_eq!(out, data);
    // Inside a row only units go on, then rows again.
    let mut decoder = copy;
    for unit in 0..3 {
        assert_eq!(decoder.next_rows(&stream, 0, 1, &mut out).is_err(), unit > 0);
        decoder = if unit == 0 { copy } else { decoder };
        assert!(decoder.next_unit(&stream, 0, &mut [0; 256]).unwrap().is_some());
    }
    assert_eq!(decoder.next_rows(&stream, 0, 1, &mut out), Ok(1));
    assert_eq!(out[..row], data[row..2 * row]);
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    for format in TERNARY {
        let data = packed(format, 5, 300, &gaussian(1500, 8));
        let stream = encode(format, 5, 300, &data, 2);
        for at in 0..stream.len() {
            for flip in [1, 0x80, 0xFF] {
                let mut bad = stream.clone();
                bad[at] ^= flip;
                let error = decode_units(&bad).unwrap_err();
                assert!(
                    error == Error::Corrupt || (at == 4 && error == Error::Version),
                    "byte {at}: {error}"
                );
                assert!(decode_rows(&bad, 5).is_err());
            }
            assert_eq!(decode_units(&stream[..at]), Err(Error::Corrupt), "cut at {at}");
        }
        // Two chunks of two rows change places.
        let need = |from: usize| from + 8 + (u32_at(&stream, from) & 0x7FFF_FFFF) as usize;
        let (a, b) = (need(80), need(need(80)));
        let swapped = [&stream[..80], &stream[a..b], &stream[80..a], &stream[b..]].concat();
        assert_eq!(decode_rows(&swapped, 5), Err(Error::Corrupt));
    }
}

/// Corrects all checksums, as an attacker would.
fn forge(stream: &mut [u8]) {
    if stream.len() < 80 {
        return;
    }
    let header = crc32(0, &stream[..76]);
    stream[76..80].copy_from_slice(&header.to_le_bytes());
    let mut at = 80;
    for index in 0u32.. {
        let Some(head) = stream.get(at..at + 8) else { return };
        let word = u32_at(head, 0);
        let end = at + 8 + (word & 0x7FFF_FFFF) as usize;
        let Some(payload) = stream.get(at + 8..end) else { return };
        let covered = [&index.to_le_bytes()[..], &head[..4], payload].concat();
        let crc = crc32(header, &covered);
        stream[at + 4..at + 8].copy_from_slice(&crc.to_le_bytes());
        at = end;
    }
}

#[test]
fn forged_fields_are_refused() {
    let data = packed(Format::Tq1_0, 5, 300, &gaussian(1500, 8));
    let stream = encode(Format::Tq1_0, 5, 300, &data, 2);
    let big = u64::MAX.to_le_bytes();
    for (at, bytes) in [
        (0, &b"HQTB"[..]),
        (4, &[0]),
        (5, &[1]),
        (6, &[36]),            // a format that does not exist
        (6, &[8]),             // one that is not ternary
        (8, &big),             // rows
        (8, &[4]),             // fewer rows than chunks hold
        (8, &[0]),             // none
        (8, &[0, 0, 0, 0, 1]), // 2^32 rows in a short stream
        (16, &big),            // columns
        (16, &[0, 0, 1]),
        (24, &big), // length
        (24, &[0, 0]),
        (32, &[0; 4]), // rows in a chunk
        (32, &[1]),
        (32, &[255; 4]),
        (36, &[0, 0]), // frequencies
        (36, &[255, 255]),
        (38, &[0, 0]),
        (40, &[255, 255]), // scales beyond 16 bits
        (42, &[13]),
        (43, &[1]),
        (44, &[255, 255]),
        (80, &[0, 0, 0, 0]), // length of a chunk
        (80, &[255, 255, 255, 127]),
        (83, &[128]),  // not coded, and of the wrong length
        (88, &[0; 4]), // the coder's state
        (88, &[255; 4]),
    ] {
        let mut bad = stream.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        forge(&mut bad);
        let error = decode_units(&bad).unwrap_err();
        assert!(matches!(error, Error::Corrupt | Error::SizeOverflow), "{at} {bytes:?}: {error}");
        assert!(decode_rows(&bad, 1).is_err());
    }
    // A payload that goes on after its last trit.
    let end = 88 + u32_at(&stream, 80) as usize;
    let mut longer = stream.clone();
    longer.insert(end, 0);
    let length = u32_at(&stream, 80) + 1;
    longer[80..84].copy_from_slice(&length.to_le_bytes());
    let total = longer.len() as u64;
    longer[24..32].copy_from_slice(&total.to_le_bytes());
    forge(&mut longer);
    assert_eq!(decode_units(&longer), Err(Error::Corrupt));
    // Bytes behind the last chunk.
    let mut longer = stream.clone();
    longer.push(0);
    let total = longer.len() as u64;
    longer[24..32].copy_from_slice(&total.to_le_bytes());
    forge(&mut longer);
    assert_eq!(decode_units(&longer), Err(Error::Corrupt));
}

fn trits(format: Format, rows: usize, cols: usize, seed: u64, zeros: f64) -> Vec<u8> {
    let mut rng = Rng(seed);
    let x: Vec<f32> = (0..rows * cols)
        .map(|_| if rng.uniform() < zeros { 0.0 } else { (rng.uniform() as f32 - 0.5).signum() * 0.1 })
        .collect();
    packed(format, rows, cols, &x)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_matrix_comes_back_byte_for_byte(
        format in prop::sample::select(&TERNARY[..]),
        rows in 0usize..12,
        cols in 0usize..700,
        chunk in 0usize..8,
        step in 1usize..15,
        seed: u64,
        zeros in 0.0..1.0f64,
    ) {
        let data = trits(format, rows, cols, seed, zeros);
        let stream = encode(format, rows, cols, &data, chunk);
        prop_assert!(stream.len() <= archive_bound(format, rows, cols, chunk).unwrap());
        prop_assert_eq!(ArchiveDecoder::new(&stream).unwrap().info().unwrap().bytes, stream.len());
        prop_assert_eq!(decode_rows(&stream, step).unwrap(), data);
    }

    #[test]
    fn any_bytes_as_a_packed_matrix_come_back(
        format in prop::sample::select(&TERNARY[..]),
        cols in 1usize..600,
        seed: u64,
    ) {
        let mut rng = Rng(seed);
        let data: Vec<u8> = (0..format.matrix_bytes(3, cols).unwrap()).map(|_| rng.next() as u8).collect();
        prop_assert_eq!(decode_rows(&encode(format, 3, cols, &data, 0), 3).unwrap(), data);
    }

    #[test]
    fn forged_streams_end_in_an_error_or_in_trits(
        format in prop::sample::select(&TERNARY[..]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        seed: u64,
    ) {
        let data = trits(format, 4, 300, seed, 0.4);
        let mut stream = encode(format, 4, 300, &data, 2);
        for (at, byte) in changes {
            let at = at.index(stream.len());
            stream[at] = byte;
        }
        forge(&mut stream);
        if let Ok(units) = decode_units(&stream) {
            prop_assert!(units.iter().flat_map(|u| &u.0).all(|c| (-1..=2).contains(c)));
        }
        let _ = decode_rows(&stream, 3);
    }
}
