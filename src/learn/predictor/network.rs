//! The network: 6 features, 16 hidden units with ReLU, 2 outputs with tanh; 146 parameters.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::math::{Random, tanh};

/// Features that go in.
pub const FEATURES: usize = 6;
/// Hidden units.
pub const HIDDEN: usize = 16;
/// Outputs: learning rate, radius.
pub const OUTPUTS: usize = 2;
/// Parameters: `16 * 6 + 16 + 2 * 16 + 2`.
pub const PARAMETERS: usize = HIDDEN * FEATURES + HIDDEN + OUTPUTS * HIDDEN + OUTPUTS;

const _: () = assert!(PARAMETERS == 146 && size_of::<Weights>() == 4 * PARAMETERS);

/// No parameter is larger, so that nothing overflows.
const LARGEST: f32 = 1e6;
/// The stream of the generator that hidden layers are drawn from.
const STREAM: u64 = 0x7072_6564_6963_746F;

/// The 146 parameters, plain: also an array of f32 in the order of the fields ([`Weights::as_array`]).
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Weights {
    /// From features to hidden units, a row for each unit.
    pub hidden: [[f32; FEATURES]; HIDDEN],
    /// Of the hidden units.
    pub hidden_bias: [f32; HIDDEN],
    /// The output layer.
    pub output: Output,
}

/// The output layer: the part that is adapted online.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Output {
    /// From hidden units to outputs: the row of the learning rate, then the row of the radius.
    pub rows: [[f32; HIDDEN]; OUTPUTS],
    /// Of the outputs.
    pub bias: [f32; OUTPUTS],
}

impl Output {
    /// All zeros: both outputs are exactly 0 whatever goes in.
    pub const ZERO: Output = Output { rows: [[0.0; HIDDEN]; OUTPUTS], bias: [0.0; OUTPUTS] };

    /// Before the tanh.
    fn sums(&self, hidden: &[f32; HIDDEN]) -> [f32; OUTPUTS] {
        let mut sums = self.bias;
        for (sum, row) in sums.iter_mut().zip(&self.rows) {
            for (&w, &h) in row.iter().zip(hidden) {
                *sum += w * h;
            }
        }
        sums
    }

    /// The outputs for given hidden activations.
    pub(super) fn forward(&self, hidden: &[f32; HIDDEN]) -> [f32; OUTPUTS] {
        let [learning_rate, radius] = self.sums(hidden);
        [tanh(learning_rate), tanh(radius)]
    }
}

impl Weights {
    /// Trained offline over many small tasks (`hybridq meta-train`); `docs/predictor.md` says how, and what they do to tasks
    /// that were held out.
    ///
    /// ```
    /// use hybridq::learn::predictor::{Options, Predictor, Weights};
    /// let predictor = Predictor::new(Weights::TRAINED, Options { probe_every: 0, ..Options::DEFAULT })?;
    /// # Ok::<(), hybridq::Error>(())
    /// ```
    pub const TRAINED: Weights = super::constants::TRAINED;

    /// A hidden layer drawn from a seed, and an output layer of zeros: the outputs are exactly 0 until something is learnt.
    ///
    /// Weights are uniform in -1..1, biases in -1/2..1/2, multiples of 2^-23 taken from [`Random`] in the order of the
    /// fields: the same on every machine.
    #[must_use]
    pub fn seeded(seed: u64) -> Weights {
        let mut random = Random::new(seed, STREAM);
        let mut weights = Weights::zeroed();
        for w in weights.hidden.iter_mut().flatten() {
            *w = 2.0 * random.unit() - 1.0;
        }
        for b in &mut weights.hidden_bias {
            *b = random.unit() - 0.5;
        }
        weights
    }

    /// The parameters from a plain array, as [`Weights::as_array`] gives it.
    ///
    /// # Errors
    /// [`Error::Shape`] for another length than 146, [`Error::NonFinite`], [`Error::InvalidArgument`] for a parameter
    /// beyond 1e6.
    pub fn from_slice(values: &[f32]) -> Result<Weights, Error> {
        let values: [f32; PARAMETERS] = values.try_into().map_err(|_| Error::Shape)?;
        let weights: Weights = bytemuck::must_cast(values);
        weights.check()?;
        Ok(weights)
    }

    /// The parameters as a plain array: hidden weights row after row, hidden biases, output rows, output biases.
    #[must_use]
    pub fn as_array(&self) -> &[f32; PARAMETERS] {
        bytemuck::must_cast_ref(self)
    }

    /// Refuses parameters that are not finite, or beyond 1e6.
    ///
    /// # Errors
    /// [`Error::NonFinite`], [`Error::InvalidArgument`].
    pub fn check(&self) -> Result<(), Error> {
        check(self.as_array())
    }

    /// Activations of the hidden units.
    pub(super) fn activations(&self, features: &[f32; FEATURES]) -> [f32; HIDDEN] {
        let mut hidden = self.hidden_bias;
        for (h, row) in hidden.iter_mut().zip(&self.hidden) {
            for (&w, &x) in row.iter().zip(features) {
                *h += w * x;
            }
            *h = if *h > 0.0 { *h } else { 0.0 };
        }
        hidden
    }

    /// The two outputs, each within -1..=1: learning rate, radius.
    ///
    /// Sums run from the bias over the inputs in their order, multiply then add, on every tier: the same bits everywhere.
    #[must_use]
    pub fn forward(&self, features: &[f32; FEATURES]) -> [f32; OUTPUTS] {
        self.output.forward(&self.activations(features))
    }

    /// The derivatives of `sum_k gradient[k] * output[k]` with respect to all parameters, in their places. Where a hidden
    /// unit is exactly at the corner of its ReLU, that of the side below is taken: 0.
    ///
    /// ```
    /// use hybridq::learn::predictor::Weights;
    ///
    /// let weights = Weights::seeded(1);
    /// let slope = weights.backward(&[0.5, -0.2, 0.0, 1.0, 0.3, -1.0], &[1.0, 0.0]);
    /// assert_eq!(slope.output.bias, [1.0, 0.0]); // tanh has slope 1 at 0
    /// assert_eq!(slope.hidden, [[0.0; 6]; 16]); // nothing gets through an output layer of zeros
    /// ```
    #[must_use]
    pub fn backward(&self, features: &[f32; FEATURES], gradient: &[f32; OUTPUTS]) -> Weights {
        let hidden = self.activations(features);
        let outputs = self.output.forward(&hidden);
        let mut slope = Weights::zeroed();
        let mut back = [0.0f32; HIDDEN];
        let rows = self.output.rows.iter().zip(&mut slope.output.rows).zip(&mut slope.output.bias);
        for (((row, slope_row), slope_bias), (&g, &o)) in rows.zip(gradient.iter().zip(&outputs)) {
            let g = g * (1.0 - o * o);
            *slope_bias = g;
            for (((s, b), &w), &h) in slope_row.iter_mut().zip(&mut back).zip(row).zip(&hidden) {
                *s = g * h;
                *b += g * w;
            }
        }
        let units = slope.hidden.iter_mut().zip(&mut slope.hidden_bias).zip(hidden.iter().zip(&back));
        for ((slope_row, slope_bias), (&h, &b)) in units {
            let b = if h > 0.0 { b } else { 0.0 };
            *slope_bias = b;
            for (s, &x) in slope_row.iter_mut().zip(features) {
                *s = b * x;
            }
        }
        slope
    }
}

/// Refuses what is not finite or beyond [`LARGEST`].
pub(super) fn check(parameters: &[f32]) -> Result<(), Error> {
    if !parameters.iter().all(|w| w.is_finite()) {
        return Err(Error::NonFinite);
    }
    if parameters.iter().all(|w| w.abs() <= LARGEST) { Ok(()) } else { Err(Error::InvalidArgument) }
}

/// The nearest parameter that [`check`] lets pass.
pub(super) fn bounded(w: f32) -> f32 {
    w.clamp(-LARGEST, LARGEST)
}
