//! From a gradient to the body of a packet, block by block.

use crate::learn::optimizer::block::{clipped, to_ternary};
use crate::learn::optimizer::store::{self, BLOCK, Dice, Kind, POSITIONS, Rest};
use crate::learn::optimizer::{Storage, trits};
use crate::math::{Compensated, guard_scale, tree_sum};
use crate::simd::floats::{self, FloatKernel, Floats};
use crate::workspace::Carver;
use crate::{Error, simd};

use super::wire::{limit, rounded};
use super::{Options, Tag, padded};

/// Arrays of one block: gradient with residual, trits, residual.
pub(super) const ARRAYS: usize = 3;

/// Sums over a packet.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) nonzero: u64,
    /// Squares of gradient with residual and of what was lost, guarded by the same factor.
    pub(super) whole: f32,
    pub(super) lost: f32,
}

/// Lengths have been checked.
pub(super) fn encode(
    options: &Options,
    tag: &Tag,
    gradient: &[f32],
    residual: &mut [u8],
    body: &mut [u8],
    scratch: &mut [u8],
) -> Result<Sent, Error> {
    let mut carver = Carver::new(scratch);
    let len = padded(gradient.len());
    let (v, u, e) = (carver.take::<f32>(len)?, carver.take::<f32>(len)?, carver.take::<f32>(len)?);
    floats::run(simd::active(), Encode { options, tag, gradient, residual, body, v, u, e })
}

struct Encode<'a> {
    options: &'a Options,
    tag: &'a Tag,
    gradient: &'a [f32],
    residual: &'a mut [u8],
    body: &'a mut [u8],
    v: &'a mut [f32],
    u: &'a mut [f32],
    e: &'a mut [f32],
}

/// `v = g + e`, zeros behind it.
#[inline(always)]
fn with_residual(g: &[f32], e: &[f32], v: &mut [f32]) {
    let (real, padding) = v.split_at_mut_checked(g.len()).unwrap_or_default();
    for ((v, &g), &e) in real.iter_mut().zip(g).zip(e) {
        *v = g + e;
    }
    padding.fill(0.0);
}

impl FloatKernel for Encode<'_> {
    type Output = Result<Sent, Error>;

    #[inline(always)]
    fn run<F: Floats>(self, f: F) -> Result<Sent, Error> {
        let Encode { options, tag, gradient, residual, body, v, u, e } = self;
        let storage = options.residual;

        // Whether all fits, before anything is written.
        let mut most = 0u32;
        let mut rest = &mut *residual;
        for g in gradient.chunks(BLOCK) {
            let held = store::next(&mut rest, storage, Kind::Signed, g.len());
            let e = e.get_mut(..g.len()).unwrap_or_default();
            store::load(storage, Kind::Signed, held, e);
            with_residual(g, e, v);
            most = v.iter().fold(most, |most, v| most.max(v.to_bits() & 0x7FFF_FFFF));
        }
        if most >= 0x7F80_0000 {
            return Err(Error::NonFinite);
        }
        let largest = f32::from_bits(most);
        if largest >= limit(options.unit) {
            return Err(Error::ScaleRange);
        }

        let guard = guard_scale(largest);
        let (mut whole, mut lost) = (Compensated::default(), Compensated::default());
        let mut nonzero = 0;
        let (mut rest, mut body) = (residual, body);
        for (number, g) in gradient.chunks(BLOCK).enumerate() {
            let n = g.len();
            let held = store::next(&mut rest, storage, Kind::Signed, n);
            let wide = n.next_multiple_of(16);
            let (v, u) = (v.get_mut(..wide).unwrap_or_default(), u.get_mut(..wide).unwrap_or_default());
            let e = e.get_mut(..wide).unwrap_or_default();
            store::load(storage, Kind::Signed, held, e.get_mut(..n).unwrap_or_default());
            with_residual(g, e, v);
            let used = clipped(f, 1.0, v, None, u);
            let (scale, _) = to_ternary(f, options.sigma, n, &used, u, e);
            let scale = rounded(scale, options.unit);

            // The trits of `u` times the scale that can be sent.
            let (plus, minus, zero) = (f.splat(scale), f.splat(-scale), f.splat(0.0));
            let k = f.splat(guard);
            let (mut squares, mut errors) = (zero, zero);
            let trits = u.as_chunks_mut::<16>().0.iter_mut();
            for ((u, v), e) in trits.zip(v.as_chunks::<16>().0).zip(e.as_chunks_mut::<16>().0) {
                let (sign, v) = (f.load(u), f.load(v));
                let negative = f.select(f.greater(zero, sign), minus, zero);
                let q = f.select(f.greater(sign, zero), plus, negative);
                let error = f.sub(v, q);
                let (a, b) = (f.mul(v, k), f.mul(error, k));
                squares = f.add(squares, f.mul(a, a));
                errors = f.add(errors, f.mul(b, b));
                *u = f.store(q);
                *e = f.store(error);
            }
            whole.add(tree_sum(f.store(squares)));
            lost.add(tree_sum(f.store(errors)));

            let (u, e) = (u.get(..n).unwrap_or_default(), e.get_mut(..n).unwrap_or_default());
            nonzero += u.iter().map(|&u| (u != 0.0) as u32).sum::<u32>() as u64;
            let own = store::next(&mut body, Storage::Ternary, Kind::Signed, n);
            if let Some((four, codes)) = own.split_first_chunk_mut::<4>() {
                *four = scale.to_le_bytes();
                trits::pack(u, codes);
            }
            let dice = Dice {
                seed: options.seed,
                stream: tag.step.wrapping_mul(1 << 20).wrapping_add(tag.shard as u64),
                position: tag.first.wrapping_add((number as u64).wrapping_mul(POSITIONS)),
            };
            store::save(storage, Kind::Signed, e, held, Rest::Random(dice));
        }
        Ok(Sent { nonzero, whole: whole.value(), lost: lost.value() })
    }
}
