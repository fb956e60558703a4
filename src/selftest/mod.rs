//! Golden vectors: proof that a build gives the right results on the machine it runs on. Rooms that bring much code have a
//! test of their own, so that a program holds in flash what it uses, and not its tests of the rest.

mod constrain;
mod digest;
mod learn;

pub use constrain::selftest_constrain;
pub use learn::selftest_learn;

use crate::Error;
use crate::kmeans::int8;
use crate::linear::{Packed, matvec, matvec_f32};
use crate::quant::{
    ActBlock, Fit, Format, NonFinite, Options, dequantize, quantize, quantize_activations, ternary_codes,
};

use digest::{START, digest, digest_f32, expect, fill};

const ROWS: usize = 2;
/// Longer than a block of every format, and a multiple of none.
const COLS: usize = 330;
/// The products see the rows twice: vector tiers take four rows at once.
const TWICE: usize = 2 * ROWS;
/// The largest packed matrix of that shape (`Q8_0`).
const PACKED: usize = TWICE * 374;

/// What one format must give. The scalar reference computed these numbers once.
struct Golden {
    format: Format,
    /// Digests of the packed bytes and of the decoded values.
    packed: u32,
    decoded: u32,
    /// Bits of the products with int8 and with f32 activations.
    int8: [u32; ROWS],
    float: [u32; ROWS],
}

const ACTIVATIONS: u32 = 0xd5e7ed24;
const CODES: u32 = 0x97ce4565;
const CLUSTERS: u32 = 0x1c60c112;
const GOLDEN: [Golden; 7] = [
    Golden {
        format: Format::Q8_0,
        packed: 0x019f5829,
        decoded: 0x3921a979,
        int8: [0xc3f9a18f, 0xc3750b7e],
        float: [0xc3f81b1e, 0xc375eef1],
    },
    Golden {
        format: Format::Tq1_0,
        packed: 0xf7f047fe,
        decoded: 0xd9deeebc,
        int8: [0xc46163df, 0xc3650af8],
        float: [0xc460b8ae, 0xc3665d4a],
    },
    Golden {
        format: Format::Tq2_0,
        packed: 0x9514e0dc,
        decoded: 0xd9deeebc,
        int8: [0xc46163df, 0xc3650af8],
        float: [0xc460b8ae, 0xc3665d4a],
    },
    Golden {
        format: Format::DenseTernary,
        packed: 0xc36b8705,
        decoded: 0x0008e2bc,
        int8: [0xc46167ab, 0xc3655c9c],
        float: [0xc460bc82, 0xc366aeef],
    },
    Golden {
        format: Format::FiveLevel,
        packed: 0xe6856fda,
        decoded: 0x2f2b3365,
        int8: [0xc3ed7ba7, 0xc3254e4a],
        float: [0xc3ebf5c6, 0xc3266024],
    },
    Golden {
        format: Format::Q35P,
        packed: 0xe25a8e00,
        decoded: 0xb306b642,
        int8: [0xc3e1be49, 0xc3799814],
        float: [0xc3e02cf1, 0xc37a3428],
    },
    Golden {
        format: Format::Q35B,
        packed: 0x8e3f9cdd,
        decoded: 0x54d48811,
        int8: [0xc3eb51c9, 0xc34ade66],
        float: [0xc3e9f629, 0xc34bbcc4],
    },
];

/// Runs every format through quantizing, decoding and the products, and int8 points to the nearest centres, on the tier
/// in use, and compares with stored results. Takes 12 KB of stack on a Cortex-M4.
///
/// # Errors
/// [`Error::SelfTest`]: this build gives wrong results on this machine.
///
/// ```
/// assert!(hybridq::selftest().is_ok());
/// ```
pub fn selftest() -> Result<(), Error> {
    let mut x = [0f32; COLS];
    fill(&mut x, 1);
    let acts = activations(&x)?;
    expect(digest_acts(&acts) == ACTIVATIONS)?;
    expect(codes(&x)? == CODES)?;
    expect(clusters()? == CLUSTERS)?;
    for golden in &GOLDEN {
        let found = run(golden.format, &x, &acts)?;
        expect(
            found.packed == golden.packed
                && found.decoded == golden.decoded
                && found.int8 == golden.int8
                && found.float == golden.float,
        )?;
    }
    Ok(())
}

fn activations(x: &[f32; COLS]) -> Result<[ActBlock; ActBlock::count(COLS)], Error> {
    let mut acts = [ActBlock::ZERO; ActBlock::count(COLS)];
    quantize_activations(1, COLS, x, NonFinite::Error, &mut acts).map_err(|_| Error::SelfTest)?;
    Ok(acts)
}

/// Trits of the first values by the exact projection, with its threshold and scale.
fn codes(x: &[f32; COLS]) -> Result<u32, Error> {
    const LEN: usize = 40;
    let (mut codes, mut scratch) = ([0i8; LEN], [0u8; 8 * LEN + 8]);
    let (x, _) = x.split_at(LEN);
    let fitted = ternary_codes(Fit::Mse, NonFinite::Error, x, &mut codes, &mut scratch)
        .map_err(|_| Error::SelfTest)?;
    let bytes = digest(START, bytemuck::must_cast_slice(&codes));
    Ok(digest_f32(bytes, &[fitted.threshold, fitted.scale]))
}

/// Labels and inertia of int8 points, with more centres and features than the search takes at a time, and neither a
/// multiple.
fn clusters() -> Result<u32, Error> {
    const POINTS: usize = 11;
    const FEATURES: usize = 13;
    const CENTERS: usize = 19;
    let (mut points, mut centers) = ([0i8; POINTS * FEATURES], [0i16; CENTERS * FEATURES]);
    let mut state = 5u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as i8
    };
    for code in &mut points {
        *code = next();
    }
    for center in &mut centers {
        *center = next() as i16 * 15 + 7; // within the range of the points
    }
    let (mut labels, mut scratch) = ([0u16; POINTS], [0u8; 1024]);
    let inertia =
        int8::assign(&points, FEATURES, &centers, &mut labels, &mut scratch).map_err(|_| Error::SelfTest)?;
    let labels = labels.iter().fold(START, |hash, label| digest(hash, &label.to_le_bytes()));
    Ok(digest(labels, &inertia.to_le_bytes()))
}

fn run(format: Format, x: &[f32; COLS], acts: &[ActBlock]) -> Result<Golden, Error> {
    let options = match format {
        Format::Q35B => Options::new(format), // has no other fit
        Format::Q35P => Options::new(format).fit(Fit::MinMax),
        _ => Options::new(format).fit(Fit::AbsMax),
    };
    let mut packed = [0u8; PACKED];
    let size = format.matrix_bytes(ROWS, COLS)?;
    let both = packed.get_mut(..2 * size).ok_or(Error::SelfTest)?;
    let (packed, again) = both.split_at_mut_checked(size).ok_or(Error::SelfTest)?;
    let row_bytes = format.row_bytes(COLS)?;

    let mut decoded = START;
    for (seed, row) in (2..).zip(packed.chunks_exact_mut(row_bytes.max(1))) {
        let mut w = [0f32; COLS];
        fill(&mut w, seed);
        quantize(format, &options, 1, COLS, &w, row, &mut []).map_err(|_| Error::SelfTest)?;
        dequantize(format, 1, COLS, row, &mut w).map_err(|_| Error::SelfTest)?;
        decoded = digest_f32(decoded, &w);
    }
    for (copy, &byte) in again.iter_mut().zip(packed.iter()) {
        *copy = byte;
    }
    let digest = digest(START, packed);
    let weights = Packed::new(format, TWICE, COLS, both).map_err(|_| Error::SelfTest)?;
    let (mut int8, mut float) = ([0f32; TWICE], [0f32; TWICE]);
    matvec(&weights, acts, &mut int8).map_err(|_| Error::SelfTest)?;
    matvec_f32(&weights, x, &mut float).map_err(|_| Error::SelfTest)?;
    Ok(Golden { format, packed: digest, decoded, int8: same_twice(int8)?, float: same_twice(float)? })
}

/// The bits of the rows, if their second halves agree.
fn same_twice(y: [f32; TWICE]) -> Result<[u32; ROWS], Error> {
    let [a, b, c, d] = y.map(f32::to_bits);
    expect([a, b] == [c, d])?;
    Ok([a, b])
}

fn digest_acts(acts: &[ActBlock]) -> u32 {
    acts.iter().fold(START, |hash, block| {
        let hash = digest(digest_f32(hash, &[block.scale]), bytemuck::must_cast_slice(&block.codes));
        block.sums.iter().fold(hash, |hash, sum| digest(hash, &sum.to_le_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Prints the constants of this file. For a new format, run it with `--ignored --nocapture`.
    #[test]
    #[ignore = "prints the golden constants"]
    fn print_golden() {
        crate::simd::force(Some(crate::simd::Tier::Scalar)).unwrap();
        let mut x = [0f32; COLS];
        fill(&mut x, 1);
        let acts = activations(&x).unwrap();
        println!("const ACTIVATIONS: u32 = {:#010x};", digest_acts(&acts));
        println!("const CODES: u32 = {:#010x};", codes(&x).unwrap());
        println!("const CLUSTERS: u32 = {:#010x};", clusters().unwrap());
        for format in Format::ALL {
            let g = run(format, &x, &acts).unwrap();
            println!("    Golden {{");
            println!("        format: Format::{:?},", g.format);
            println!("        packed: {:#010x},\n        decoded: {:#010x},", g.packed, g.decoded);
            println!("        int8: [{:#010x}, {:#010x}],", g.int8[0], g.int8[1]);
            println!("        float: [{:#010x}, {:#010x}],\n    }},", g.float[0], g.float[1]);
        }
    }

    #[test]
    fn every_tier_of_this_machine_passes() {
        use crate::simd::{Tier, force};
        for tier in Tier::ALL.into_iter().filter(|t| t.is_available()) {
            force(Some(tier)).unwrap();
            assert_eq!(selftest(), Ok(()), "{tier:?}");
            assert_eq!(selftest_constrain(), Ok(()), "{tier:?}");
            assert_eq!(selftest_learn(), Ok(()), "{tier:?}");
        }
        force(None).unwrap();
    }

    #[test]
    fn every_format_has_its_golden_results() {
        for format in Format::ALL {
            assert!(GOLDEN.iter().any(|g| g.format == format), "{format:?}");
            assert!(format.matrix_bytes(TWICE, COLS).unwrap() <= PACKED);
        }
    }

    #[test]
    fn another_input_is_told_apart() {
        let mut x = [0f32; COLS];
        fill(&mut x, 1);
        x[COLS - 1] += 1.0 / 4096.0;
        assert_ne!(digest_f32(START, &x), digest_f32(START, &[0.0; COLS]));
        let acts = activations(&x).unwrap();
        x[COLS - 1] = -x[COLS - 1];
        assert_ne!(digest_acts(&acts), digest_acts(&activations(&x).unwrap()));
    }
}
