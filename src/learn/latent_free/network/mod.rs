//! Networks whose weights are trits from the first step to the last: no float copy, no whole gradient.
//!
//! A network is a slice of [`Part`]s: [`Ternary`] layers, and the float layers of [`layers`](crate::learn::layers) between
//! them (biases, RMSNorm, ReLU, pooling, whatever has few parameters). [`Network::forward`] multiplies packed trits with
//! int8 activations; [`Network::learn`] goes back through the parts once and changes each as it comes by. The gradient of a
//! ternary layer exists a row at a time: made from the batch, used by the rule of [`latent_free`](super), forgotten.
//!
//! # What is held
//!
//! | | bytes |
//! |---|---|
//! | `bytes`: packed trits with scales, and inertia, layer after layer ([`Network::bytes_len`]) | 0.7 to 0.76 a weight with [`Inertia::Int4`], 1.2 to 1.26 with [`Inertia::Int8`] |
//! | `floats`: biases and gains, and one number for each ternary layer ([`Network::floats_len`]) | 4 each |
//! | the gradient of one row, or of the floats of one layer, in the scratch | 4 each |
//!
//! [`Network::footprint`] adds them up. The rest (`saved`, gradients of activations, int8 copies) grows with the batch and
//! not with the network's weights, in any training.
//!
//! # Rates without a scale
//!
//! A rate says how far a weight goes whose gradient is as large as is usual in its layer. What is usual is the root of a
//! running mean of squares, over the whole layer: the one float of optimizer state that a layer has. (Adam has such a mean
//! for each weight.) The first step after zeros only measures.
//!
//! # Determinism
//!
//! Same parts, options, seed and bytes: the same bytes afterwards, on every tier and target. A run that goes on from its
//! stored `bytes` and `floats` and the number of the step ends with the same bits. All formats of trits take the same
//! decisions as long as scales are those of rows of at most 256 columns.
//!
//! # Errors
//!
//! Everything is checked before anything is changed. [`Error::NonFinite`]: an input of forward or a gradient of the loss
//! that is NaN or infinite. Gradients that overflow on their way down count as the largest step, NaN among them as none, so
//! that no step is left half done.

mod options;
mod run;
mod ternary;

use core::ops::Range;

use crate::Error;
use crate::learn::layers::{AnyLayer, Layer, Start};
use crate::math::Random;
use crate::workspace::Layout;

pub use options::{Footprint, Inertia, Rates};
pub use run::{Forward, Learn};
pub use ternary::Ternary;

/// One part of a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// Trits times int8 activations.
    Ternary(Ternary),
    /// A layer with float parameters, or none. Its gradient is held whole, so it should have few.
    Float(AnyLayer),
}

impl From<Ternary> for Part {
    fn from(layer: Ternary) -> Part {
        Part::Ternary(layer)
    }
}

impl<L: Into<AnyLayer>> From<L> for Part {
    fn from(layer: L) -> Part {
        Part::Float(layer.into())
    }
}

impl Part {
    /// Values of a sample that come in.
    #[must_use]
    pub fn input_len(&self) -> usize {
        match self {
            Part::Ternary(layer) => layer.input_len(),
            Part::Float(layer) => layer.input_len(),
        }
    }

    /// Values of a sample that go out.
    #[must_use]
    pub fn output_len(&self) -> usize {
        match self {
            Part::Ternary(layer) => layer.output_len(),
            Part::Float(layer) => layer.output_len(),
        }
    }

    /// Its bytes among those of the network: weights, and inertia behind them.
    fn bytes(&self) -> [usize; 2] {
        match self {
            Part::Ternary(layer) => layer.bytes(),
            Part::Float(_) => [0; 2],
        }
    }

    /// Its floats among those of the network.
    fn floats(&self) -> usize {
        match self {
            Part::Ternary(_) => 1,
            Part::Float(layer) => layer.parameters_len(),
        }
    }

    /// Floats of the gradient that is held at once.
    fn gradient(&self) -> usize {
        match self {
            Part::Ternary(layer) => layer.inputs(),
            Part::Float(layer) => layer.parameters_len(),
        }
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        match self {
            Part::Ternary(_) => Ok(0),
            Part::Float(layer) => layer.saved_len(batch),
        }
    }

    fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        match self {
            Part::Ternary(layer) => layer.workspace_size(batch),
            Part::Float(layer) => layer.workspace_size(batch),
        }
    }
}

/// Parts one after the other, each taking what the one before gives. See [the page above](self).
///
/// ```
/// use hybridq::learn::latent_free::Clock;
/// use hybridq::learn::latent_free::network::{Forward, Inertia, Learn, Network, Part, Rates, Ternary};
/// use hybridq::learn::layers::{Activation, Bias, Curve, RmsNorm, loss::cross_entropy};
/// use hybridq::quant::Format;
///
/// let ternary = |inputs, outputs| Ternary::new(inputs, outputs, Format::DenseTernary, Inertia::Int4);
/// let parts: [Part; 5] = [
///     ternary(2, 16)?.into(),
///     RmsNorm::new(16, false, 1e-5)?.into(),
///     Activation::new(16, Curve::Relu)?.into(),
///     ternary(16, 2)?.into(),
///     Bias::new(2, 1)?.into(),
/// ];
/// let net = Network::new(&parts)?;
/// let (mut bytes, mut floats) = (vec![0; net.bytes_len()], vec![0.0; net.floats_len()]);
/// let mut scratch = vec![0; net.workspace_size(4)?];
/// net.start(1, &mut bytes, &mut floats, &mut scratch)?;
///
/// // exclusive or
/// let (input, labels) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0].map(|x| 2.0 * x - 1.0), [0, 1, 1, 0]);
/// let (mut saved, mut output) = (vec![0.0; net.saved_len(4)?], [0.0; 8]);
/// let (mut gradient, mut last) = ([0.0; 8], 9.0);
/// for step in 0..200 {
///     net.forward(Forward {
///         batch: 4,
///         bytes: &bytes,
///         floats: &floats,
///         input: &input,
///         output: &mut output,
///         saved: &mut saved,
///         scratch: &mut scratch,
///     })?;
///     last = cross_entropy(2, &output, &labels, None, &mut gradient)?;
///     net.learn(&Rates::DEFAULT.at(step as f32 / 200.0), Clock { seed: 1, step }, Learn {
///         batch: 4,
///         bytes: &mut bytes,
///         floats: &mut floats,
///         input: &input,
///         output: &output,
///         saved: &saved,
///         output_gradient: &gradient,
///         input_gradient: None,
///         scratch: &mut scratch,
///     })?;
/// }
/// assert!(last < 0.1, "{last}");
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Network<'a> {
    parts: &'a [Part],
}

impl<'a> Network<'a> {
    /// Parts in the order of forward.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no parts, [`Error::Shape`] if a part does not take what the one before gives
    /// ([`Network::misfit`] says which), [`Error::SizeOverflow`].
    pub fn new(parts: &'a [Part]) -> Result<Network<'a>, Error> {
        if parts.is_empty() {
            return Err(Error::InvalidArgument);
        }
        if Network::misfit(parts).is_some() {
            return Err(Error::Shape);
        }
        let (mut bytes, mut floats) = (0usize, 0usize);
        for part in parts {
            for n in part.bytes() {
                bytes = bytes.checked_add(n).ok_or(Error::SizeOverflow)?;
            }
            floats = floats.checked_add(part.floats()).ok_or(Error::SizeOverflow)?;
        }
        Ok(Network { parts })
    }

    /// The first part whose inputs are not as many as the outputs of the part before.
    #[must_use]
    pub fn misfit(parts: &[Part]) -> Option<usize> {
        let pairs = parts.iter().zip(parts.iter().skip(1));
        pairs.enumerate().find(|(_, (a, b))| a.output_len() != b.input_len()).map(|(i, _)| i + 1)
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &'a [Part] {
        self.parts
    }

    /// Values of a sample that come in.
    #[must_use]
    pub fn input_len(&self) -> usize {
        self.parts.first().map_or(0, Part::input_len)
    }

    /// Values of a sample that go out.
    #[must_use]
    pub fn output_len(&self) -> usize {
        self.parts.last().map_or(0, Part::output_len)
    }

    /// Bytes of packed weights and inertia.
    #[must_use]
    pub fn bytes_len(&self) -> usize {
        self.parts.iter().flat_map(Part::bytes).fold(0, usize::saturating_add)
    }

    /// Floats: biases, gains, and the mean square of each ternary layer's gradient.
    #[must_use]
    pub fn floats_len(&self) -> usize {
        self.parts.iter().map(Part::floats).fold(0, usize::saturating_add)
    }

    /// Where in the bytes the packed weights of a part lie, for export, and its inertia; empty for a float part, `None`
    /// beyond the last.
    #[must_use]
    pub fn bytes_of(&self, part: usize) -> Option<[Range<usize>; 2]> {
        let (before, rest) = self.parts.split_at_checked(part)?;
        let [weights, inertia] = rest.first()?.bytes();
        let start = before.iter().flat_map(Part::bytes).fold(0, usize::saturating_add);
        let middle = start.saturating_add(weights);
        Some([start..middle, middle..middle.saturating_add(inertia)])
    }

    /// Where in the floats those of a part lie: its parameters, or the mean square of a ternary layer's gradient. `None`
    /// beyond the last.
    #[must_use]
    pub fn floats_of(&self, part: usize) -> Option<Range<usize>> {
        let (before, rest) = self.parts.split_at_checked(part)?;
        let start = before.iter().map(Part::floats).fold(0, usize::saturating_add);
        Some(start..start.saturating_add(rest.first()?.floats()))
    }

    /// Values that forward keeps for [`Network::learn`].
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    pub fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        Ok(self.place(self.parts.len(), batch)?.output.end)
    }

    /// Bytes of scratch for forward and learn, and for [`Network::start`] (with any batch).
    ///
    /// # Errors
    /// [`Error::SizeOverflow`].
    pub fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        let between = self.between(batch)?;
        let layout = Layout::EMPTY.array::<f32>(self.gradient_len())?;
        let layout = layout.array::<f32>(between)?.array::<f32>(between)?;
        Ok(layout.array::<u8>(self.widest(batch)?)?.size())
    }

    /// What is held for parameters, gradients and the state of the optimizer.
    ///
    /// ```
    /// use hybridq::learn::latent_free::network::{Inertia, Network, Part, Ternary};
    /// use hybridq::learn::layers::{Activation, Bias, Curve, RmsNorm};
    /// use hybridq::quant::Format;
    /// let ternary = |inputs, outputs| Ternary::new(inputs, outputs, Format::DenseTernary, Inertia::Int4);
    /// let parts: [Part; 6] = [
    ///     ternary(64, 64)?.into(),
    ///     Bias::new(64, 1)?.into(),
    ///     RmsNorm::new(64, true, 1e-5)?.into(),
    ///     Activation::new(64, Curve::Relu)?.into(),
    ///     ternary(64, 10)?.into(),
    ///     Bias::new(10, 1)?.into(),
    /// ];
    /// let held = Network::new(&parts)?.footprint();
    /// assert_eq!((held.weights, held.inertia, held.gradient), (74 * 15, 74 * 32, 4 * 64));
    /// assert_eq!(held.floats, 4 * (64 + 64 + 10 + 2));
    /// assert_eq!((held.total(), held.adam()), (4294, 77_984)); // 18.2 times
    /// # Ok::<(), hybridq::Error>(())
    /// ```
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        let mut held = Footprint::default();
        for part in self.parts {
            let [weights, inertia] = part.bytes();
            held.weights = held.weights.saturating_add(weights);
            held.inertia = held.inertia.saturating_add(inertia);
            held.parameters = held.parameters.saturating_add(match part {
                Part::Ternary(layer) => layer.inputs().saturating_mul(layer.outputs()),
                Part::Float(layer) => layer.parameters_len(),
            });
        }
        held.floats = self.floats_len().saturating_mul(size_of::<f32>());
        held.gradient = self.gradient_len().saturating_mul(size_of::<f32>());
        held
    }

    /// State to begin with: trits at random, a third of them 0, with scales that keep the size of activations; no
    /// inertia; biases and gains as their layers have it.
    ///
    /// Other weights may be packed into [`Network::bytes_of`] afterwards, those of a trained model for instance.
    ///
    /// # Errors
    /// [`Error::Shape`] (`bytes`, `floats`: exact lengths), [`Error::WorkspaceTooSmall`]. Nothing is changed then.
    pub fn start(
        &self,
        seed: u64,
        bytes: &mut [u8],
        floats: &mut [f32],
        scratch: &mut [u8],
    ) -> Result<(), Error> {
        self.check_state(bytes, floats)?;
        if scratch.len() < self.workspace_size(0)? {
            return Err(Error::WorkspaceTooSmall);
        }
        bytes.fill(0);
        let (mut bytes, mut floats) = (bytes, floats);
        for (number, part) in self.parts.iter().enumerate() {
            let [weights, inertia] = part.bytes();
            let (own, later) = bytes.split_at_mut_checked(weights).ok_or(Error::Shape)?;
            bytes = later.get_mut(inertia..).ok_or(Error::Shape)?;
            let (values, later) = floats.split_at_mut_checked(part.floats()).ok_or(Error::Shape)?;
            floats = later;
            let mut random = Random::new(seed, number as u64);
            match part {
                Part::Ternary(layer) => {
                    layer.start(&mut random, own, scratch)?;
                    values.fill(0.0);
                }
                Part::Float(layer) => {
                    let mut rest = values;
                    for array in (0..).map_while(|k| layer.parameter(k)) {
                        let (own, later) = rest.split_at_mut_checked(array.len()).ok_or(Error::Shape)?;
                        rest = later;
                        match array.start {
                            Start::Constant(value) => own.fill(value),
                            Start::Uniform(bound) => {
                                own.iter_mut().for_each(|v| *v = bound * (2.0 * random.unit() - 1.0));
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn check_state(&self, bytes: &[u8], floats: &[f32]) -> Result<(), Error> {
        let fine = bytes.len() == self.bytes_len() && floats.len() == self.floats_len();
        if fine { Ok(()) } else { Err(Error::Shape) }
    }

    /// Floats of the longest gradient that is held at once.
    fn gradient_len(&self) -> usize {
        self.parts.iter().map(Part::gradient).fold(0, usize::max)
    }

    /// Values of the longest gradient between two parts.
    fn between(&self, batch: usize) -> Result<usize, Error> {
        let inputs = self.parts.iter().skip(1).map(Part::input_len);
        batch.checked_mul(inputs.fold(0, usize::max)).ok_or(Error::SizeOverflow)
    }

    /// Bytes of the scratch of the part that takes most.
    fn widest(&self, batch: usize) -> Result<usize, Error> {
        self.parts.iter().try_fold(0, |most, p| Ok(p.workspace_size(batch)?.max(most)))
    }

    /// Where in `saved` a part's own values lie, and behind them its outputs.
    fn place(&self, part: usize, batch: usize) -> Result<Place, Error> {
        let mut place = Place::default();
        for (i, p) in self.parts.iter().enumerate().take(part.saturating_add(1)) {
            let own = place.output.end;
            place.own = own..own.checked_add(p.saved_len(batch)?).ok_or(Error::SizeOverflow)?;
            let last = i + 1 == self.parts.len();
            let each = if last { 0 } else { p.output_len() };
            let output = batch.checked_mul(each).ok_or(Error::SizeOverflow)?;
            place.output = place.own.end..place.own.end.checked_add(output).ok_or(Error::SizeOverflow)?;
        }
        Ok(place)
    }
}

#[derive(Default)]
struct Place {
    own: Range<usize>,
    output: Range<usize>,
}
