//! Random numbers that are a function of seed, stream and position: Philox4x32-10 (Salmon, Moraes, Dror, Shaw:
//! "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Integers only, so every machine draws the same.

/// A stream of random numbers.
///
/// The seed is the key of the generator; the stream is the upper half of its counter and the position the lower half,
/// so that streams of one seed never overlap, each is 2^64 blocks of four words long, and any part of one can be had
/// at once ([`Random::block`]). Not for cryptography.
///
/// ```
/// use hybridq::math::Random;
///
/// let mut dice = Random::new(7, 0);
/// let throws: Vec<u64> = (0..5).map(|_| 1 + dice.below(6)).collect();
/// assert_eq!(throws, [5, 1, 5, 6, 1]); // on every machine
/// ```
#[derive(Clone, Debug)]
pub struct Random {
    key: [u32; 2],
    stream: u64,
    /// The block after the one in `words`.
    position: u64,
    words: [u32; 4],
    /// Words of `words` not handed out yet: the last ones.
    left: usize,
}

/// The two multipliers of a round.
const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What the key grows by from one round to the next: the golden ratio and the square root of 3, less 1.
const STEPS: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// One block of the generator.
#[inline]
fn philox([k0, k1]: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let [mut c0, mut c1, mut c2, mut c3] = counter;
    let (mut k0, mut k1) = (k0, k1);
    let ([m0, m1], [s0, s1]) = (MULTIPLIERS, STEPS);
    for _ in 0..ROUNDS {
        let (p0, p1) = (m0 * c0 as u64, m1 * c2 as u64);
        (c0, c1, c2, c3) = ((p1 >> 32) as u32 ^ c1 ^ k0, p1 as u32, (p0 >> 32) as u32 ^ c3 ^ k1, p0 as u32);
        (k0, k1) = (k0.wrapping_add(s0), k1.wrapping_add(s1));
    }
    [c0, c1, c2, c3]
}

/// Low and high word.
fn words(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

impl Random {
    /// The beginning of a stream of `seed`.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Random {
        Random { key: words(seed), stream, position: 0, words: [0; 4], left: 0 }
    }

    /// The four words at a position of a stream, whatever was drawn before.
    #[must_use]
    pub fn block(seed: u64, stream: u64, position: u64) -> [u32; 4] {
        let ([c0, c1], [c2, c3]) = (words(position), words(stream));
        philox(words(seed), [c0, c1, c2, c3])
    }

    /// [`Random::block`] of `N` positions from `position` on: word `k` of all of them in array `k`.
    ///
    /// One loop over the positions, which compilers make vectors of: a word is the lower half of a u64, whose upper half
    /// holds anything, so that nothing needs to be widened, narrowed or masked between rounds.
    #[inline(always)]
    pub(crate) fn blocks<const N: usize>(seed: u64, stream: u64, position: u64) -> [[u32; N]; 4] {
        const LOW: u64 = 0xFFFF_FFFF;
        let [k0, k1] = words(seed);
        let ([m0, m1], [step0, step1]) = (MULTIPLIERS, STEPS);
        let mut out = [[0; N]; 4];
        let [w0, w1, w2, w3] = &mut out;
        for (i, (((w0, w1), w2), w3)) in w0.iter_mut().zip(w1).zip(w2).zip(w3).enumerate() {
            let at = position.wrapping_add(i as u64);
            let (mut c0, mut c1, mut c2, mut c3) = (at, at >> 32, stream, stream >> 32);
            let (mut k0, mut k1) = (k0, k1);
            for _ in 0..ROUNDS {
                let (p0, p1) = (m0 * (c0 & LOW), m1 * (c2 & LOW));
                (c0, c1, c2, c3) = (p1 >> 32 ^ c1 ^ k0 as u64, p1, p0 >> 32 ^ c3 ^ k1 as u64, p0);
                (k0, k1) = (k0.wrapping_add(step0), k1.wrapping_add(step1));
            }
            (*w0, *w1, *w2, *w3) = (c0 as u32, c1 as u32, c2 as u32, c3 as u32);
        }
        out
    }

    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.left == 0 {
            let ([c0, c1], [c2, c3]) = (words(self.position), words(self.stream));
            self.words = philox(self.key, [c0, c1, c2, c3]);
            self.position = self.position.wrapping_add(1);
            self.left = self.words.len();
        }
        let word = self.words.iter().rev().nth(self.left.wrapping_sub(1)).copied().unwrap_or(0);
        self.left = self.left.wrapping_sub(1);
        word
    }

    /// The next 64 bits: two words, the lower one first.
    pub fn next_u64(&mut self) -> u64 {
        let low = self.next_u32();
        (self.next_u32() as u64) << 32 | low as u64
    }

    /// A number below `n`, each with the same probability (Lemire, "Fast random integer generation in an interval",
    /// 2019); 0 for `n` = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        let mut product = self.next_u64() as u128 * n as u128;
        if (product as u64) < n {
            // 2^64 mod n; `n` is not 0 here.
            let threshold = n.wrapping_neg().checked_rem(n).unwrap_or(0);
            while (product as u64) < threshold {
                product = self.next_u64() as u128 * n as u128;
            }
        }
        (product >> 64) as u64
    }

    /// A multiple of 2^-24 in 0..1, each with the same probability.
    pub fn unit(&mut self) -> f32 {
        (self.next_u32() >> 8) as f32 * f32::from_bits((127 - 24) << 23)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors published with the generator.
    #[test]
    fn known_answers() {
        let pi = [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344];
        for (key, counter, answer) in [
            ([0; 2], [0; 4], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([!0; 2], [!0; 4], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            ([0xa409_3822, 0x299f_31d0], pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]),
        ] {
            assert_eq!(philox(key, counter), answer);
        }
    }

    #[test]
    fn a_stream_is_its_blocks_in_order() {
        let (seed, stream) = (0x1234_5678_9abc_def0, 5);
        let mut random = Random::new(seed, stream);
        for position in 0..10 {
            assert_eq!(core::array::from_fn(|_| random.next_u32()), Random::block(seed, stream, position));
        }
        assert_ne!(Random::block(seed, stream, 0), Random::block(seed, stream + 1, 0));
        assert_ne!(Random::block(seed, stream, 0), Random::block(seed + (1 << 40), stream, 0));
    }

    #[test]
    fn many_blocks_are_so_many_times_one_block() {
        for (seed, stream, position) in
            [(1, 2, 3), (u64::MAX, 1 << 40, u64::MAX - 3), (7 << 33, 0, (1 << 32) - 5)]
        {
            let words = Random::blocks::<12>(seed, stream, position);
            for i in 0..12 {
                let block = Random::block(seed, stream, position.wrapping_add(i as u64));
                assert_eq!(words.map(|w| w[i]), block);
            }
        }
    }

    #[test]
    fn numbers_below_are_below_and_even() {
        let mut random = Random::new(1, 2);
        assert_eq!(random.below(0), 0);
        assert!((0..100).all(|_| random.below(1) == 0));
        // 3 * 2^62: a third of plain products would fall twice as often on one number as on another
        let n = 3 << 62;
        let (mut counts, draws) = ([0u32; 3], 30_000);
        for _ in 0..draws {
            let x = random.below(n);
            assert!(x < n);
            counts[(x >> 62) as usize] += 1;
        }
        // 10000 each, standard deviation 82
        assert!(counts.iter().all(|c| c.abs_diff(10_000) < 410), "{counts:?}");
    }

    #[test]
    fn units_fill_the_interval() {
        let mut random = Random::new(3, 4);
        let draws: Vec<f32> = (0..10_000).map(|_| random.unit()).collect();
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
        let mean = draws.iter().sum::<f32>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.0145, "{mean}"); // five standard deviations
    }
}
