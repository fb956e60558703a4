//! The entropy coder: a range variant of asymmetric numeral systems (Duda 2013, arXiv 1311.2540; the byte-wise form
//! of Giesen's `ryg_rans`) with a 32-bit state and frequencies in 4096ths.
//!
//! What is encoded last is decoded first, so the encoder runs backwards and writes from the end of its buffer.

/// The state is kept at or above this, and below 256 times this.
pub(super) const LOW: u32 = 1 << 23;
/// Frequencies add up to this.
pub(super) const TOTAL: u32 = 1 << TOTAL_BITS;
const TOTAL_BITS: u32 = 12;

/// Encodes towards the front of a buffer.
pub(super) struct Encoder<'a> {
    out: &'a mut [u8],
    /// Where the last byte written stands.
    at: usize,
    x: u32,
    full: bool,
}

impl<'a> Encoder<'a> {
    pub(super) fn new(out: &'a mut [u8]) -> Encoder<'a> {
        Encoder { at: out.len(), out, x: LOW, full: false }
    }

    /// A symbol of `frequency` 4096ths (at least 1), with `start` 4096ths before it.
    #[inline(always)]
    pub(super) fn symbol(&mut self, start: u32, frequency: u32) {
        self.make_room(frequency << (31 - TOTAL_BITS));
        // A frequency of 0 cannot come from a table that has counted the symbol.
        let quotient = self.x.checked_div(frequency).unwrap_or_default();
        self.x = (quotient << TOTAL_BITS) + (self.x - quotient * frequency) + start;
    }

    /// The low `bits` (at most 12) of `value`, all values equally likely.
    #[inline(always)]
    pub(super) fn plain(&mut self, value: u32, bits: u32) {
        self.make_room(1 << (31 - bits));
        self.x = self.x << bits | (value & ((1 << bits) - 1));
    }

    #[inline(always)]
    fn make_room(&mut self, limit: u32) {
        while self.x >= limit {
            self.byte(self.x as u8);
            self.x >>= 8;
        }
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        match self.at.checked_sub(1).and_then(|at| Some((at, self.out.get_mut(at)?))) {
            Some((at, place)) => {
                *place = byte;
                self.at = at;
            }
            None => self.full = true,
        }
    }

    /// Where in the buffer the code begins (it goes on to the end); `None` if the buffer was too short.
    pub(super) fn finish(mut self) -> Option<usize> {
        for byte in self.x.to_be_bytes() {
            self.byte(byte);
        }
        (!self.full).then_some(self.at)
    }
}

/// Where a decoder stands: its state and the position of the next byte.
#[derive(Clone, Copy)]
pub(super) struct Decoder<'a> {
    pub(super) x: u32,
    pub(super) bytes: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Reads the state that the encoder left; `None` if it cannot be one.
    pub(super) fn new(code: &'a [u8]) -> Option<Decoder<'a>> {
        let (x, bytes) = code.split_first_chunk::<4>()?;
        let x = u32::from_le_bytes(*x);
        (LOW..LOW << 8).contains(&x).then_some(Decoder { x, bytes })
    }

    /// Which 4096th the next symbol lies in.
    #[inline(always)]
    pub(super) fn peek(&self) -> u32 {
        self.x & (TOTAL - 1)
    }

    /// Passes the symbol that [`Decoder::peek`] has shown. `None` where the code ends too early.
    #[inline(always)]
    pub(super) fn pass(&mut self, start: u32, frequency: u32) -> Option<()> {
        let within = self.peek().wrapping_sub(start);
        self.x = frequency.wrapping_mul(self.x >> TOTAL_BITS).wrapping_add(within);
        self.refill()
    }

    /// `bits` equally likely bits.
    #[inline(always)]
    pub(super) fn plain(&mut self, bits: u32) -> Option<u32> {
        let value = self.x & ((1 << bits) - 1);
        self.x >>= bits;
        self.refill()?;
        Some(value)
    }

    #[inline(always)]
    fn refill(&mut self) -> Option<()> {
        // Twice at most: the state was at least 2^23, and a symbol takes at most 12 bits from it.
        while self.x < LOW {
            let (&byte, rest) = self.bytes.split_first()?;
            self.bytes = rest;
            self.x = self.x << 8 | byte as u32;
        }
        Some(())
    }

    /// Whether everything has been decoded and the state is the one that the encoder began with.
    pub(super) fn is_done(&self) -> bool {
        self.bytes.is_empty() && self.x == LOW
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_plain_bits_come_back_in_reverse_and_nothing_is_left() {
        // Frequencies 1, 4094 and 1: the extremes that a table of three can have.
        let starts = [0u32, 1, 4095, 4096];
        let mut seed = 1u32;
        let mut next = move || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed >> 16
        };
        for bits in 0..=12 {
            let input: Vec<(usize, u32)> =
                (0..1000).map(|_| ((next() % 3) as usize, next() & ((1 << bits) - 1))).collect();
            let mut buffer = vec![0u8; 8000];
            let mut encoder = Encoder::new(&mut buffer);
            for &(symbol, value) in input.iter().rev() {
                encoder.plain(value, bits);
                encoder.symbol(starts[symbol], starts[symbol + 1] - starts[symbol]);
            }
            let at = encoder.finish().unwrap();
            let mut decoder = Decoder::new(&buffer[at..]).unwrap();
            for &(symbol, value) in &input {
                let slot = decoder.peek();
                assert!((starts[symbol]..starts[symbol + 1]).contains(&slot));
                decoder.pass(starts[symbol], starts[symbol + 1] - starts[symbol]).unwrap();
                assert_eq!(decoder.plain(bits), Some(value));
            }
            assert!(decoder.is_done());
        }
    }

    #[test]
    fn a_buffer_that_is_too_short_is_told() {
        for (len, fits) in [(0, false), (3, false), (4, true)] {
            assert_eq!(Encoder::new(&mut vec![0; len]).finish().is_some(), fits);
        }
        assert!(Decoder::new(&[0, 0, 0]).is_none());
        assert!(Decoder::new(&[255; 4]).is_none());
        assert!(Decoder::new(&[0; 4]).is_none());
    }
}
