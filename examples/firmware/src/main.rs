#![no_std]
#![no_main]
use hybridq::linear::{Packed, matvec};
use hybridq::quant::{ActBlock, Fit, Format, NonFinite, Options, quantize, quantize_activations};
use semihosting::{println, process}; // also brings the panic handler

fn infer() -> Result<[f32; 2], hybridq::Error> {
    let weights = [1.0f32, 0.0, -1.0, 0.0, 1.0, 1.0]; // 2 outputs x 3 inputs; real ones come packed, in flash
    let options = Options::new(Format::DenseTernary).fit(Fit::AbsMax);
    let (mut packed, mut acts, mut y) = ([0u8; 6], [ActBlock::ZERO; 1], [0.0; 2]);
    quantize(Format::DenseTernary, &options, 2, 3, &weights, &mut packed, &mut [])?;
    quantize_activations(1, 3, &[127.0, 5.0, 27.0], NonFinite::Error, &mut acts)?;
    matvec(&Packed::new(Format::DenseTernary, 2, 3, &packed)?, &acts, &mut y)?;
    Ok(y)
}

#[cortex_m_rt::entry]
fn main() -> ! {
    let y = infer();
    println!("{y:?}");
    process::exit(if y == Ok([100.0, 32.0]) { 0 } else { 1 })
}
