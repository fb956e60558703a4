//! Formats of hybridq's own must not drift: what was packed once decodes to the same bits for ever, and the encoders
//! write the same bytes on every machine. `tests/golden/README.md` says how the files were made.

use std::path::PathBuf;

use crate::common::Rng;
use hybridq::quant::{Format, Options, dequantize, quantize, quantize_workspace_size};

const FORMATS: [Format; 2] = [Format::Q35B, Format::Q35P];
const ROWS: usize = 4;
/// Blocks and a short tail, one block, tails of all lengths modulo 8 and 16 that matter, a single value.
const COLS: [usize; 5] = [300, 256, 17, 8, 1];

fn path(format: Format, cols: usize, what: &str) -> PathBuf {
    let name = format!("{}_{cols}_{what}", format.name());
    [env!("CARGO_MANIFEST_DIR"), "tests/golden/q35", &name].iter().collect()
}

/// What the file holds; with `HQ_WRITE_GOLDEN` it is written first.
fn golden(format: Format, cols: usize, what: &str, ours: &[u8]) -> Vec<u8> {
    let path = path(format, cols, what);
    if std::env::var_os("HQ_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, ours).unwrap();
    }
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn decoded(format: Format, rows: usize, cols: usize, packed: &[u8]) -> Vec<u8> {
    let mut y = vec![f32::NAN; rows * cols];
    dequantize(format, rows, cols, packed, &mut y).unwrap();
    y.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// Sums of uniform numbers: no function whose last bit depends on the machine. The second row has outliers, the third
/// is constant, the last one zero but for its end.
fn input(cols: usize) -> Vec<f32> {
    let mut rng = Rng(35);
    let mut x = vec![0.0f32; ROWS * cols];
    for (i, v) in x.iter_mut().enumerate() {
        let u = (rng.uniform() + rng.uniform() + rng.uniform() - 1.5) as f32;
        let (row, col) = (i / cols, i % cols);
        *v = match row {
            0 => u,
            1 => u * if col % 37 == 5 { 1.0 } else { 0.02 },
            2 => -0.3,
            _ if col + 1 == cols => u,
            _ => 0.0,
        };
    }
    x
}

fn encoded(format: Format, cols: usize) -> Vec<u8> {
    let options = Options::new(format);
    let mut packed = vec![0xA5; format.matrix_bytes(ROWS, cols).unwrap()];
    let mut scratch = vec![0; quantize_workspace_size(format, &options, ROWS, cols).unwrap()];
    quantize(format, &options, ROWS, cols, &input(cols), &mut packed, &mut scratch).unwrap();
    packed
}

#[test]
fn encoders_write_the_bytes_that_they_always_wrote() {
    for format in FORMATS {
        for cols in COLS {
            let packed = encoded(format, cols);
            assert!(golden(format, cols, "packed.bin", &packed) == packed, "{format:?}, {cols} columns");
        }
    }
}

#[test]
fn decoders_give_the_bits_that_they_always_gave() {
    for format in FORMATS {
        for cols in COLS {
            let packed = golden(format, cols, "packed.bin", &encoded(format, cols));
            let ours = decoded(format, ROWS, cols, &packed);
            assert!(golden(format, cols, "decoded.f32", &ours) == ours, "{format:?}, {cols} columns");
        }
    }
}

/// Bytes that no encoder need ever write decode to the same as ever too.
#[test]
fn arbitrary_bytes_decode_as_ever() {
    let cols = 300;
    for format in FORMATS {
        let row = format.row_bytes(cols).unwrap();
        let mut rng = Rng(350);
        let mut bytes: Vec<u8> = (0..row).map(|_| rng.next() as u8).collect();
        // Scales of a middling size, so that every code tells.
        if format == Format::Q35P {
            bytes[row - 8..row - 4].copy_from_slice(&0.01f32.to_le_bytes());
            bytes[row - 4..].copy_from_slice(&(-0.47f32).to_le_bytes());
        } else {
            for end in [format.block_bytes(), row] {
                bytes[end - 2..end].copy_from_slice(&half::f16::from_f32(-0.3).to_le_bytes());
            }
        }
        assert!(golden(format, cols, "arbitrary.bin", &bytes) == bytes, "the generator has changed");
        let ours = decoded(format, 1, cols, &bytes);
        assert!(golden(format, cols, "arbitrary_decoded.f32", &ours) == ours, "{format:?}");
    }
}
