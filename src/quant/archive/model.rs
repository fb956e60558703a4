//! What the coder knows of a tensor: how frequent each trit is, and where its scales lie.

use super::rans::{self, TOTAL};

/// Classes that the range of a tensor's scales is divided into.
pub(super) const CLASSES: usize = 16;

/// The frequencies of one tensor, in 4096ths.
#[derive(Clone, Copy)]
pub(super) struct Model {
    /// Of the trits -1 and 0; that of 1 is the rest. All three are at least 1, so no run of trits is free.
    pub(super) trits: [u16; 2],
    /// The smallest scale, as the bits of its f16.
    pub(super) base: u16,
    /// A scale is `base + (class << shift) + low`, with `shift` low bits that are stored plainly; at most 12.
    pub(super) shift: u16,
    /// Of the classes.
    pub(super) classes: [u16; CLASSES],
}

impl Model {
    /// False for frequencies that no encoder writes.
    pub(super) fn is_sound(&self) -> bool {
        let [a, b] = self.trits;
        let classes: u32 = self.classes.iter().map(|&f| f as u32).sum();
        a >= 1 && b >= 1 && (a as u32 + b as u32) < TOTAL && classes == TOTAL && self.shift <= 12
    }

    /// Start and frequency of a trit -1, 0 or 1.
    #[inline(always)]
    fn trit(&self, code: i8) -> (u32, u32) {
        let [a, b] = self.trits.map(u32::from);
        match code {
            ..0 => (0, a),
            0 => (a, b),
            _ => (a + b, TOTAL.wrapping_sub(a + b)),
        }
    }

    /// Start and frequency of a class.
    fn class(&self, class: u32) -> (u32, u32) {
        let mut start = 0;
        for (i, &f) in (0u32..).zip(&self.classes) {
            if i == class {
                return (start, f as u32);
            }
            start += f as u32;
        }
        (0, 0)
    }

    pub(super) fn encode_trits(&self, codes: &[i8], encoder: &mut rans::Encoder<'_>) {
        for &code in codes.iter().rev() {
            let (start, frequency) = self.trit(code);
            encoder.symbol(start, frequency);
        }
    }

    pub(super) fn encode_scale(&self, bits: u16, encoder: &mut rans::Encoder<'_>) {
        let above = (bits.wrapping_sub(self.base)) as u32;
        encoder.plain(above, self.shift as u32);
        let (start, frequency) = self.class(above >> self.shift);
        encoder.symbol(start, frequency);
    }

    /// Fills `codes`; `None` where the code ends too early.
    pub(super) fn decode_trits(&self, codes: &mut [i8], decoder: &mut rans::Decoder<'_>) -> Option<()> {
        let [a, b] = self.trits.map(u32::from);
        let c = TOTAL.wrapping_sub(a + b);
        for code in codes {
            let slot = decoder.peek();
            // Selected, not branched to: trits are as good as random.
            let (not_first, last) = (slot >= a, slot >= a + b);
            let start = if last {
                a + b
            } else if not_first {
                a
            } else {
                0
            };
            let frequency = if last {
                c
            } else if not_first {
                b
            } else {
                a
            };
            *code = not_first as i8 + last as i8 - 1;
            decoder.pass(start, frequency)?;
        }
        Some(())
    }

    /// The bits of the next scale; `None` where the code ends too early or names a scale beyond 16 bits.
    pub(super) fn decode_scale(&self, decoder: &mut rans::Decoder<'_>) -> Option<u16> {
        let slot = decoder.peek();
        let mut start = 0;
        for (class, &f) in (0u32..).zip(&self.classes) {
            let frequency = f as u32;
            if slot < start + frequency {
                decoder.pass(start, frequency)?;
                let low = decoder.plain(self.shift as u32)?;
                return u16::try_from(self.base as u32 + (class << self.shift) + low).ok();
            }
            start += frequency;
        }
        None
    }
}

/// Counts of what a tensor holds: trits first, then the range of the scales, then their classes.
#[derive(Clone, Copy)]
pub(super) struct Counts {
    trits: [usize; 3],
    smallest: u16,
    largest: u16,
    classes: [usize; CLASSES],
}

impl Counts {
    pub(super) const EMPTY: Counts =
        Counts { trits: [0; 3], smallest: u16::MAX, largest: 0, classes: [0; CLASSES] };

    pub(super) fn add_trits(&mut self, codes: &[i8]) {
        let [a, b, c] = &mut self.trits;
        for &code in codes {
            *a += (code < 0) as usize;
            *b += (code == 0) as usize;
            *c += (code > 0) as usize;
        }
    }

    /// Takes note of the range.
    pub(super) fn see_scale(&mut self, bits: u16) {
        self.smallest = self.smallest.min(bits);
        self.largest = self.largest.max(bits);
    }

    fn shift(&self) -> u32 {
        let span = self.largest.saturating_sub(self.smallest);
        (16 - span.leading_zeros()).saturating_sub(CLASSES.ilog2())
    }

    /// Counts the class; only once all scales have been seen.
    pub(super) fn add_scale(&mut self, bits: u16) {
        let class = bits.wrapping_sub(self.smallest) >> self.shift();
        if let Some(count) = self.classes.get_mut(class as usize) {
            *count += 1;
        }
    }

    pub(super) fn model(&self) -> Model {
        let (mut trits, mut classes) = ([0; 3], [0; CLASSES]);
        // Every trit gets a share, also one that does not occur.
        frequencies(&self.trits.map(|n| n.max(1)), &mut trits);
        frequencies(&self.classes, &mut classes);
        let [a, b, _] = trits;
        Model { trits: [a, b], base: self.smallest, shift: self.shift() as u16, classes }
    }
}

/// Shares of 4096 in proportion to counts; what has been counted gets 1 at least.
fn frequencies(counts: &[usize], out: &mut [u16]) {
    let total: usize = counts.iter().fold(0, |a, &n| a.saturating_add(n));
    // Only the upper 20 bits matter, and then the products fit 32.
    let shift = (usize::BITS - total.leading_zeros()).saturating_sub(20);
    let total = ((total >> shift) as u32).max(1);
    let mut left = TOTAL;
    let mut largest: Option<&mut u16> = None;
    for (share, &n) in out.iter_mut().zip(counts) {
        let exact = ((n >> shift) as u32).saturating_mul(TOTAL).checked_div(total).unwrap_or_default();
        *share = if n == 0 { 0 } else { exact.clamp(1, TOTAL) as u16 };
        left = left.wrapping_sub(*share as u32);
        if largest.as_ref().is_none_or(|l| **l < *share) {
            largest = Some(share);
        }
    }
    // The rounding (fewer than 4096ths than there are symbols, either way) falls to the most frequent one.
    if let Some(largest) = largest {
        *largest = largest.wrapping_add(left as u16);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up_and_what_occurs_has_one() {
        for counts in [
            &[1usize, 0, 0][..],
            &[1, 1, 1],
            &[usize::MAX / 4, 1, 1],
            &[1, usize::MAX / 4, usize::MAX / 4],
            &[0, 0, 7],
            &[1; 16],
            &[100_000, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        ] {
            let mut out = vec![0; counts.len()];
            frequencies(counts, &mut out);
            assert_eq!(out.iter().map(|&f| u32::from(f)).sum::<u32>(), TOTAL, "{counts:?}");
            assert!(out.iter().zip(counts).all(|(&f, &n)| (f == 0) == (n == 0)), "{counts:?} {out:?}");
        }
    }
}
