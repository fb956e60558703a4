//! Golden results of the room `constrain`.

use core::iter::once;

use crate::Error;
use crate::constrain::{
    Affine, BoxSet, CappedSimplex, Codebook, ExactTernary, Halfspace, Hyperplane, L1Ball, L2Ball, Limit,
    LinfBall, NonNegative, Part, Product, Project, RowMaxNorm, SecondOrderCone, Set, Simplex, Sphere,
    SteihaugOptions, TopK, Trial, TrustRegion, affine_prepare, steihaug,
};

use super::digest::{START, digest, digest_f32, done, expect, fill};

const PROJECTIONS: u32 = 0x1e5bbfe7;
const TRUST: u32 = 0x616bdb99;
const STEPS: u32 = 0x2c4a8f5e;

/// More than the 16 lanes of a vector tier, and no multiple; four rows of 11.
const LEN: usize = 44;
/// Equations of the affine set.
const ROWS: usize = 2;
/// What top-k takes, the most of all sets at this length.
const SCRATCH: usize = 8256;

/// Projects a vector onto one set of every kind, judges steps by a trust region and finds two, on the tier in use, and
/// compares with stored results. Takes 16 KB of stack on a Cortex-M4.
///
/// # Errors
/// [`Error::SelfTest`]: this build gives wrong results on this machine.
///
/// ```
/// assert!(hybridq::selftest_constrain().is_ok());
/// ```
pub fn selftest_constrain() -> Result<(), Error> {
    expect(projections()? == PROJECTIONS)?;
    expect(trust()? == TRUST)?;
    expect(steps()? == STEPS)
}

/// The same vector outside of every set.
fn projections() -> Result<u32, Error> {
    let (mut input, mut center, mut rows) = ([0f32; LEN], [0f32; LEN], [0f32; ROWS * LEN]);
    fill(&mut input, 7);
    fill(&mut center, 8);
    fill(&mut rows, 9);
    let (mut factor, mut scratch) = ([0f32; ROWS * (LEN + 1)], [0u8; SCRATCH]);
    done(affine_prepare(ROWS, LEN, &rows, &[1.0, -2.0], &mut factor, &mut scratch))?;
    let c = Some(center.as_slice());
    let parts = [
        Part { set: Set::Simplex(Simplex { total: 1.0 }), len: 20 },
        Part { set: Set::L2Ball(L2Ball { center: None, radius: 1.0 }), len: LEN - 20 },
    ];
    let sets = [
        Set::L2Ball(L2Ball { center: c, radius: 3.0 }),
        Set::Box(BoxSet { lower: Limit::One(-8.0), upper: Limit::Each(&center) }),
        Set::NonNegative(NonNegative),
        Set::LinfBall(LinfBall { center: c, radius: 2.0 }),
        Set::Halfspace(Halfspace { normal: &center, bound: -1000.0 }),
        Set::Hyperplane(Hyperplane { normal: &center, bound: 1.0 }),
        Set::Affine(Affine { rows: ROWS, factor: &factor }),
        Set::SecondOrderCone(SecondOrderCone),
        Set::Sphere(Sphere { center: c, radius: 3.0 }),
        Set::RowMaxNorm(RowMaxNorm { cols: 11, radius: 2.0 }),
        Set::Product(Product { parts: &parts }),
        Set::Simplex(Simplex { total: 1.0 }),
        Set::CappedSimplex(CappedSimplex { cap: 0.25, total: 3.0 }),
        Set::L1Ball(L1Ball { center: c, radius: 5.0 }),
        Set::TopK(TopK { count: 5 }),
        Set::Codebook(Codebook { values: &[4.0, -3.0, -0.5, 1.0] }),
        Set::ExactTernary(ExactTernary),
    ];
    let mut hash = START;
    for set in &sets {
        let mut x = input;
        expect(done(set.project_inplace(&mut x, &mut scratch))?.active)?;
        hash = digest_f32(hash, &x);
    }
    Ok(hash)
}

/// A step that was foretold well, one that was not, and one that led to NaN.
fn trust() -> Result<u32, Error> {
    let mut region = done(TrustRegion::new(1.5))?;
    let mut hash = START;
    for (loss, trial_loss, predicted, step_norm) in
        [(5.0, 3.75, 1.25, 1.5), (3.75, 3.5, 3.0, 0.75), (3.5, f32::NAN, 1.0, 0.5)]
    {
        let found = done(region.update(&Trial { loss, trial_loss, predicted, step_norm }))?;
        hash = digest(hash, &[found.verdict as u8, u8::from(found.on_boundary)]);
        hash = digest_f32(hash, &[found.ratio, found.radius]);
    }
    Ok(hash)
}

/// The step of Newton's method, and one that ends on the boundary.
fn steps() -> Result<u32, Error> {
    const LEN: usize = 19;
    let (mut gradient, mut step, mut scratch) = ([0f32; LEN], [0f32; LEN], [0u8; 12 * LEN + 16]);
    fill(&mut gradient, 11);
    // Tridiagonal: i + 3, and -1 beside.
    let mut hessian = |v: &[f32], out: &mut [f32]| {
        let (before, after) = (once(&0.0).chain(v), v.iter().skip(1).chain(once(&0.0)));
        for ((i, out), ((v, b), a)) in out.iter_mut().enumerate().zip(v.iter().zip(before).zip(after)) {
            *out = (i as f32 + 3.0) * v - b - a;
        }
        Ok(())
    };
    let options = SteihaugOptions { tolerance: 1e-3, max_iterations: 30 };
    let mut hash = START;
    for radius in [100.0, 0.5] {
        let found = done(steihaug(&gradient, &mut hessian, radius, &options, &mut step, &mut scratch))?;
        hash = digest(hash, &[found.stop as u8, found.iterations as u8]);
        hash = digest_f32(digest_f32(hash, &step), &[found.predicted, found.norm]);
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
        println!("const PROJECTIONS: u32 = {:#010x};", projections().unwrap());
        println!("const TRUST: u32 = {:#010x};", trust().unwrap());
        println!("const STEPS: u32 = {:#010x};", steps().unwrap());
    }
}
