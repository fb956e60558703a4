//! The rule for a group of weights: integers, the same on every tier.

use super::Options;
use super::noise::GROUP;

/// Bits of fraction before the rounding. 127 units are 127 * 2^15 < 2^22, which [`nearest`] still rounds.
const FRACTION: u32 = 15;
const ONE: f32 = (1 << FRACTION) as f32;
/// The largest step, in units.
const STEP: f32 = 127.0;

/// [`Options`] in fixed point.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    /// `-rate`, in fixed point.
    rate: f32,
    /// `1 - decay`, in fixed point: 0 to 2^15.
    keep: i32,
    weight_decay: i32,
    threshold: i16,
}

/// Counts of the lanes of a group, of a few groups.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    pub(super) raised: [u8; GROUP],
    pub(super) lowered: [u8; GROUP],
    pub(super) nonzero: [u8; GROUP],
    pub(super) clipped: [u8; GROUP],
}

impl Counts {
    pub(super) const ZERO: Counts =
        Counts { raised: [0; GROUP], lowered: [0; GROUP], nonzero: [0; GROUP], clipped: [0; GROUP] };
}

/// To the nearest integer, ties to even, of numbers up to 2^22 in magnitude: the addition leaves it in the low bits.
#[inline(always)]
fn nearest(x: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5 * 2^23
    (x + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32
}

impl Rule {
    /// Of options that have been checked.
    pub(super) fn new(options: &Options) -> Rule {
        Rule {
            // Infinite for the largest rates: then every gradient but 0 is a largest step.
            rate: -options.rate * ONE,
            keep: (1 << FRACTION) - nearest(options.decay * ONE),
            weight_decay: nearest(options.weight_decay * ONE),
            threshold: options.threshold as i16,
        }
    }

    /// Changes 64 trits and their inertia. In stages of one type of number each, as loops that are long enough for the
    /// compiler to make vectors of them rather than unroll them.
    #[inline(always)]
    pub(super) fn apply(
        &self,
        gradient: &[f32; GROUP],
        noise: &[u16; GROUP],
        trits: &mut [i8; GROUP],
        inertia: &mut [i8; GROUP],
        counts: &mut Counts,
    ) {
        const LIMIT: f32 = STEP * ONE;
        let mut pushes = [0i32; GROUP];
        for ((push, &g), clipped) in pushes.iter_mut().zip(gradient).zip(&mut counts.clipped) {
            let exact = self.rate * g;
            // NaN is 0 times infinity, or a gradient.
            let exact = if exact.is_nan() { 0.0 } else { exact };
            let below = if exact < LIMIT { exact } else { LIMIT };
            let inside = if below > -LIMIT { below } else { -LIMIT };
            *clipped += (inside != exact) as u8;
            *push = nearest(inside);
        }
        // |v| <= (128 + 127 + 16) 2^15 < 2^24 before the shift, and <= 271 after it.
        let mut values = [0i16; GROUP];
        for ((((v, &push), &noise), &trit), &m) in
            values.iter_mut().zip(&pushes).zip(noise).zip(&*trits).zip(&*inertia)
        {
            let trit = if trit > 1 { 1 } else { trit };
            let exact = m as i32 * self.keep + push - self.weight_decay * trit as i32;
            *v = ((exact + (noise & 0x7FFF) as i32) >> FRACTION) as i16;
        }
        let threshold = self.threshold;
        let lanes = counts.raised.iter_mut().zip(&mut counts.lowered).zip(&mut counts.nonzero);
        for ((((raised, lowered), nonzero), &v), (trit, m)) in
            lanes.zip(&values).zip(trits.iter_mut().zip(inertia.iter_mut()))
        {
            let old = if *trit > 1 { 1 } else { *trit as i16 };
            let up = (v >= threshold) as i16 & (old < 1) as i16;
            let down = (v <= -threshold) as i16 & (old > -1) as i16;
            let left = v - (threshold & -up) + (threshold & -down);
            let left = if left < threshold { left } else { threshold - 1 };
            let left = if left > -threshold { left } else { 1 - threshold };
            let new = old + up - down;
            (*trit, *m) = (new as i8, left as i8);
            *raised += up as u8;
            *lowered += down as u8;
            *nonzero += (new & 1) as u8;
        }
    }
}
