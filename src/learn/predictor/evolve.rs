//! Training without derivatives: an evolution strategy with pairs of opposite noise and ranks for losses (Salimans, Ho,
//! Chen, Sidor, Sutskever, "Evolution strategies as a scalable alternative to reinforcement learning", arXiv:1703.03864),
//! its gradient followed by Adam. No backpropagation through the training runs that are being judged.

use crate::Error;
use crate::math::{Random, sqrt};

/// The streams of the generator that noise is drawn from: this one exclusive-or the generation.
const STREAM: u64 = 0x6576_6F6C_7665;

/// How to evolve. The defaults are those of [`EvolveOptions::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EvolveOptions {
    /// Of the noise.
    pub seed: u64,
    /// Pairs of candidates in a generation; at least 1.
    pub pairs: u32,
    /// The standard deviation of the noise; above 0, finite.
    pub sigma: f32,
    /// The step of Adam; above 0, finite.
    pub rate: f32,
    /// The decay of the mean gradient; `[0, 1)`.
    pub beta1: f32,
    /// The decay of the mean square; `[0, 1)`.
    pub beta2: f32,
    /// Decoupled: the centre shrinks by `rate` times this with each generation; at least 0, finite.
    pub weight_decay: f32,
}

impl EvolveOptions {
    /// 32 pairs with noise of 0.1, steps of 0.02, betas 0.9 and 0.99, no weight decay.
    pub const DEFAULT: EvolveOptions = EvolveOptions {
        seed: 0,
        pairs: 32,
        sigma: 0.1,
        rate: 0.02,
        beta1: 0.9,
        beta2: 0.99,
        weight_decay: 0.0,
    };

    fn check(&self) -> Result<(), Error> {
        let fine = self.pairs >= 1
            && self.pairs <= u32::MAX / 2
            && (f32::MIN_POSITIVE..=f32::MAX).contains(&self.sigma)
            && (f32::MIN_POSITIVE..=f32::MAX).contains(&self.rate)
            && (0.0..1.0).contains(&self.beta1)
            && (0.0..1.0).contains(&self.beta2)
            && (0.0..=f32::MAX).contains(&self.weight_decay);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

impl Default for EvolveOptions {
    fn default() -> EvolveOptions {
        EvolveOptions::DEFAULT
    }
}

/// An evolution of `N` parameters. Plain state: a copy goes on with the same bits.
///
/// ```
/// use hybridq::learn::predictor::{EvolveOptions, Evolution};
///
/// let loss = |x: &[f32; 3]| (x[0] - 1.0).powi(2) + (x[1] + 2.0).powi(2) + x[2] * x[2];
/// let mut evolution = Evolution::new([0.0; 3], EvolveOptions { rate: 0.05, ..EvolveOptions::DEFAULT })?;
/// let mut losses = [0.0; 64]; // two for each pair
/// for _ in 0..300 {
///     evolution.step(&mut losses, |x| loss(x))?;
/// }
/// assert!(loss(&evolution.center) < 0.02);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evolution<const N: usize> {
    /// How it evolves. May be changed between generations.
    pub options: EvolveOptions,
    /// What candidates are drawn around: the answer.
    pub center: [f32; N],
    /// Generations done.
    pub generation: u64,
    moment: [f32; N],
    second: [f32; N],
    /// Powers of the betas: what the means lack of their beginning.
    powers: [f32; 2],
}

impl<const N: usize> Evolution<N> {
    /// An evolution that begins at `center`.
    ///
    /// # Errors
    /// [`Error::NonFinite`], [`Error::InvalidArgument`] for an option out of its range.
    pub fn new(center: [f32; N], options: EvolveOptions) -> Result<Evolution<N>, Error> {
        if !center.iter().all(|x| x.is_finite()) {
            return Err(Error::NonFinite);
        }
        options.check()?;
        Ok(Evolution { options, center, generation: 0, moment: [0.0; N], second: [0.0; N], powers: [1.0; 2] })
    }

    /// The noise of a parameter of a pair: mean 0, variance 1, nearly normal (eight uniform numbers of 16 bits, added up).
    fn noise(&self, pair: u32, parameter: usize) -> f32 {
        // 65535 * 8 / 2, and 1 / sqrt(8 * (2^32 - 1) / 12).
        const MEAN: f32 = 262_140.0;
        const SCALE: f32 = 1.868_812_4e-5;
        let position = (pair as u64).wrapping_mul(N as u64).wrapping_add(parameter as u64);
        let words = Random::block(self.options.seed, STREAM ^ self.generation, position);
        let sum: u32 = words.iter().fold(0, |sum, &w| sum + (w & 0xFFFF) + (w >> 16));
        (sum as f32 - MEAN) * SCALE
    }

    /// Candidate `index` of this generation, 0 to `2 pairs - 1`: the two of a pair follow each other and have opposite
    /// noise. A function of seed, generation and index alone: candidates may be judged in any order, on any thread.
    #[must_use]
    pub fn candidate(&self, index: u32) -> [f32; N] {
        let sigma = if index.is_multiple_of(2) { self.options.sigma } else { -self.options.sigma };
        let mut x = self.center;
        for (i, x) in x.iter_mut().enumerate() {
            *x += sigma * self.noise(index / 2, i);
        }
        x
    }

    /// Ends the generation: the centre takes a step towards the better candidates. `losses` has one value for each, smaller is
    /// better; those that are not finite are the worst, all alike. Only their order counts, so units do not matter, nor do
    /// outliers.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not `2 pairs` losses, [`Error::InvalidArgument`] for an option out of its range; nothing
    /// changes then.
    pub fn update(&mut self, losses: &[f32]) -> Result<(), Error> {
        self.options.check()?;
        if losses.len() != 2 * self.options.pairs as usize {
            return Err(Error::Shape);
        }
        let o = self.options;
        let mut gradient = [0.0f32; N];
        for (pair, both) in losses.as_chunks::<2>().0.iter().enumerate() {
            let [plus, minus] = both.map(
                #[inline(always)]
                |loss| place(loss, losses),
            );
            let share = (plus - minus) / (o.pairs as f32);
            for (i, g) in gradient.iter_mut().enumerate() {
                *g += share * self.noise(pair as u32, i);
            }
        }
        let [p1, p2] = self.powers;
        self.powers = [p1 * o.beta1, p2 * o.beta2];
        let [p1, p2] = self.powers;
        let state = self.moment.iter_mut().zip(&mut self.second);
        for ((x, &g), (m, v)) in self.center.iter_mut().zip(&gradient).zip(state) {
            *m += (1.0 - o.beta1) * (g - *m);
            *v += (1.0 - o.beta2) * (g * g - *v);
            let step = (*m / (1.0 - p1)) / (sqrt(*v / (1.0 - p2)) + 1e-8);
            let next = *x - o.rate * (step + o.weight_decay * *x);
            *x = if next.is_finite() { next } else { *x };
        }
        self.generation = self.generation.wrapping_add(1);
        Ok(())
    }

    /// A whole generation: `evaluate` is called for each candidate in order, then [`Evolution::update`] with what it returned,
    /// which `losses` (`2 pairs` values) holds afterwards.
    ///
    /// # Errors
    /// Those of [`Evolution::update`], before anything is evaluated.
    pub fn step(
        &mut self,
        losses: &mut [f32],
        mut evaluate: impl FnMut(&[f32; N]) -> f32,
    ) -> Result<(), Error> {
        self.options.check()?;
        if losses.len() != 2 * self.options.pairs as usize {
            return Err(Error::Shape);
        }
        for (index, loss) in (0u32..).zip(losses.iter_mut()) {
            *loss = evaluate(&self.candidate(index));
        }
        self.update(losses)
    }
}

/// The place of a loss among all, -1/2 (the best) to 1/2; equal ones share the middle of their places.
fn place(loss: f32, all: &[f32]) -> f32 {
    let worth = |x: f32| if x.is_finite() { x } else { f32::INFINITY };
    let loss = worth(loss);
    let (mut below, mut equal) = (0u32, 0u32);
    for &other in all {
        below += (worth(other) < loss) as u32;
        equal += (worth(other) == loss) as u32;
    }
    (below as f32 + 0.5 * equal as f32) / all.len() as f32 - 0.5
}
