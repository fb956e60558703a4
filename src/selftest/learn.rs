//! Golden results of the room `learn`.

use crate::Error;
use crate::learn::latent_free::{self, Clock};
use crate::learn::optimizer::{
    Base, GradientForm, Group, Inputs, Optimizer, Options, Outputs, Storage, start,
};
use crate::quant::{self, Fit, Format, quantize};

use super::digest::{START, digest, digest_f32, done, expect, fill};

const OPTIMIZER: [u32; 3] = [0x6aa37d4d, 0xe12f1ed0, 0x5c0cdc15];
const LATENT_FREE: [u32; 3] = [0x3a09159a, 0x9c4f0ed8, 0x12914277];

const BASES: [Base; 3] = [Base::Sgd, Base::Nesterov, Base::NadamW];
const FORMATS: [Format; 3] = [Format::Tq2_0, Format::Tq1_0, Format::DenseTernary];

/// Takes steps of the optimizer with every direction, ternary gradients and error feedback, and of latent-free learning in
/// every format, on the tier in use, and compares with stored results. Takes 24 KB of stack on a Cortex-M4.
///
/// # Errors
/// [`Error::SelfTest`]: this build gives wrong results on this machine.
///
/// ```
/// assert!(hybridq::selftest_learn().is_ok());
/// ```
pub fn selftest_learn() -> Result<(), Error> {
    for (base, golden) in BASES.into_iter().zip(OPTIMIZER) {
        expect(optimizer(base)? == golden)?;
    }
    for (format, golden) in FORMATS.into_iter().zip(LATENT_FREE) {
        expect(latent_free(format)? == golden)?;
    }
    Ok(())
}

/// Parameters, packed parameters and packed gradients of two steps: the second depends on all that the first has stored.
/// Every direction with other forms of state.
fn optimizer(base: Base) -> Result<u32, Error> {
    const LEN: usize = 2 * 25 + 31;
    let groups = [
        Group { rows: 2, cols: 25, learning_rate: 0.25, radius: f32::INFINITY },
        Group { rows: 1, cols: 31, learning_rate: 0.125, radius: 0.01 },
    ];
    let (moment, residual) = match base {
        Base::Sgd => (Storage::Int8, Storage::Int4),
        Base::Nesterov => (Storage::Ternary, Storage::F32),
        Base::NadamW => (Storage::Int4, Storage::Int8),
    };
    let options = Options {
        base,
        moment,
        second: Storage::Int8,
        gradient: GradientForm::Ternary,
        residual,
        weight_decay: 0.125,
        fit: Fit::AbsMax,
        seed: 3,
        ..Options::DEFAULT
    };
    let (mut memory, mut scratch) = ([0u32; 256], [0u8; 10_496]);
    let memory = bytemuck::must_cast_slice_mut(&mut memory);
    let mut state = done(start(&options, &groups, memory))?;
    let (mut params, mut gradient) = ([0f32; LEN], [0f32; LEN]);
    let (mut packed, mut codes) = ([0u8; 3 * 66], [0u8; 32]);
    fill(&mut params, 21);
    let mut hash = START;
    for seed in 22..24 {
        fill(&mut gradient, seed);
        let mut optimizer = Optimizer { options: &options, groups: &groups, state: &mut state, memory };
        let outputs = Outputs { packed: &mut packed, gradient: &mut codes, ..Outputs::default() };
        let inputs = Inputs { gradient: &gradient, ..Inputs::default() };
        let report = done(optimizer.step(&inputs, &mut params, outputs, &mut scratch))?;
        expect(report.bounded == 1)?;
        hash = digest(digest(digest_f32(hash, &params), &packed), &codes);
    }
    Ok(hash)
}

/// Weights, inertia and flips of three steps.
fn latent_free(format: Format) -> Result<u32, Error> {
    const ROWS: usize = 2;
    const COLS: usize = 70;
    let (mut weights, mut inertia, mut gradient) =
        ([0u8; ROWS * 66], [0i8; ROWS * COLS], [0f32; ROWS * COLS]);
    let weights = weights.get_mut(..done(format.matrix_bytes(ROWS, COLS))?).ok_or(Error::SelfTest)?;
    fill(&mut gradient, 31);
    let fit = quant::Options::new(format).fit(Fit::AbsMax);
    done(quantize(format, &fit, ROWS, COLS, &gradient, weights, &mut []))?;
    let options = latent_free::Options {
        rate: 8.125,
        decay: 0.125,
        threshold: 40,
        weight_decay: 0.5,
        scale_rate: 0.125,
        ..latent_free::Options::default()
    };
    let mut hash = START;
    for step in 0..3 {
        fill(&mut gradient, 32 + step);
        let clock = Clock { seed: 5, step: step as u64 };
        let done = done(latent_free::update(
            format,
            &options,
            clock,
            1,
            ROWS,
            COLS,
            &gradient,
            weights,
            &mut inertia,
        ))?;
        hash = digest(hash, &[done.raised as u8, done.lowered as u8, done.zeros as u8]);
        hash = digest(digest(hash, weights), bytemuck::must_cast_slice(&inertia));
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "prints the golden constants"]
    fn print_golden() {
        crate::simd::force(Some(crate::simd::Tier::Scalar)).unwrap();
        let hex = |x: [u32; 3]| x.map(|x| format!("{x:#010x}")).join(", ");
        println!("const OPTIMIZER: [u32; 3] = [{}];", hex(BASES.map(|base| optimizer(base).unwrap())));
        println!("const LATENT_FREE: [u32; 3] = [{}];", hex(FORMATS.map(|f| latent_free(f).unwrap())));
    }
}
