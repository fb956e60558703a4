//! A network: layers one after the other.

use core::ops::Range;

use crate::Error;
use crate::math::Random;
use crate::workspace::{Carver, Layout};

use super::checks::times;
use super::{AnyLayer, Backward, Forward, Layer, Parameter, Start, sealed};

/// Layers, each of which takes what the one before gives; a [`Layer`] itself.
///
/// The parameters of all layers lie one after the other in one slice; [`Sequence::arrays`] and
/// [`Sequence::parameters_of`] say where. Saved: what each layer saves, and the outputs of all but the last. Scratch:
/// that of the layer which takes most, and two gradients between layers.
///
/// The layers are [`AnyLayer`]s, or all of one type.
///
/// ```
/// use hybridq::learn::layers::{Activation, AnyLayer, Curve, Forward, Layer, Linear, RmsNorm, Sequence};
/// let layers: [AnyLayer; 4] = [
///     Linear::new(64, 32, true)?.into(),
///     Activation::new(32, Curve::Relu)?.into(),
///     RmsNorm::new(32, false, 1e-5)?.into(),
///     Linear::new(32, 10, true)?.into(),
/// ];
/// let net = Sequence::new(&layers)?;
/// let mut parameters = vec![0.0; net.parameters_len()];
/// net.start(1, &mut parameters)?;
/// let batch = 5;
/// let mut output = vec![0.0; batch * net.output_len()];
/// net.forward(Forward {
///     batch,
///     parameters: &parameters,
///     input: &[0.5; 5 * 64],
///     output: &mut output,
///     saved: &mut vec![0.0; net.saved_len(batch)?],
///     scratch: &mut vec![0; net.workspace_size(batch)?],
/// })?;
/// assert_eq!(output[..10], output[10..20]); // the same inputs
/// assert_eq!(net.parameters_of(3), Some(64 * 32 + 32..64 * 32 + 32 + 32 * 10 + 10));
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a, L = AnyLayer> {
    layers: &'a [L],
}

/// An array of a [`Sequence`]'s parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Which layer it belongs to.
    pub layer: usize,
    /// What it is.
    pub parameter: Parameter,
    /// Where it lies among all parameters.
    pub range: Range<usize>,
}

impl<'a, L: Layer> Sequence<'a, L> {
    /// Layers in the order of forward.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for no layers, [`Error::Shape`] if a layer does not take what the one before gives
    /// ([`Sequence::misfit`] says which), [`Error::SizeOverflow`].
    pub fn new(layers: &'a [L]) -> Result<Sequence<'a, L>, Error> {
        if layers.is_empty() {
            return Err(Error::InvalidArgument);
        }
        if Sequence::misfit(layers).is_some() {
            return Err(Error::Shape);
        }
        let mut parameters = 0usize;
        for layer in layers {
            parameters = parameters.checked_add(layer.parameters_len()).ok_or(Error::SizeOverflow)?;
        }
        Ok(Sequence { layers })
    }

    /// The first layer whose inputs are not as many as the outputs of the layer before.
    #[must_use]
    pub fn misfit(layers: &[L]) -> Option<usize> {
        let pairs = layers.iter().zip(layers.iter().skip(1));
        pairs.enumerate().find(|(_, (a, b))| a.output_len() != b.input_len()).map(|(i, _)| i + 1)
    }

    /// The layers.
    #[must_use]
    pub fn layers(&self) -> &'a [L] {
        self.layers
    }

    /// Where the parameters of a layer lie; `None` beyond the last layer.
    #[must_use]
    pub fn parameters_of(&self, layer: usize) -> Option<Range<usize>> {
        let (before, rest) = self.layers.split_at_checked(layer)?;
        let start = before.iter().map(Layer::parameters_len).fold(0, usize::saturating_add);
        Some(start..start.saturating_add(rest.first()?.parameters_len()))
    }

    /// All arrays of parameters, in the order in which they lie: weights, biases, gains, with their layers and shapes.
    pub fn arrays(&self) -> impl Iterator<Item = Array> + use<'a, L> {
        let layers = self.layers.iter().enumerate();
        let all = layers.flat_map(|(i, l)| (0..).map_while(move |k| l.parameter(k)).map(move |p| (i, p)));
        let mut start = 0usize;
        all.map(move |(layer, parameter)| {
            let range = start..start.saturating_add(parameter.len());
            start = range.end;
            Array { layer, parameter, range }
        })
    }

    /// Parameters to begin with, see [`Start`]; each array has a stream of random numbers of its own.
    ///
    /// # Errors
    /// [`Error::Shape`] if `parameters` is not [`Layer::parameters_len`] long.
    pub fn start(&self, seed: u64, parameters: &mut [f32]) -> Result<(), Error> {
        if parameters.len() != self.parameters_len() {
            return Err(Error::Shape);
        }
        for (stream, array) in self.arrays().enumerate() {
            let values = parameters.get_mut(array.range).unwrap_or_default();
            match array.parameter.start {
                Start::Constant(value) => values.fill(value),
                Start::Uniform(bound) => {
                    let mut random = Random::new(seed, stream as u64);
                    for value in values {
                        *value = bound * (2.0 * random.unit() - 1.0);
                    }
                }
            }
        }
        Ok(())
    }

    /// Where in `saved` a layer's own values lie, and behind them its outputs.
    fn place(&self, layer: usize, batch: usize) -> Result<Place, Error> {
        let mut place = Place::default();
        for (i, l) in self.layers.iter().enumerate().take(layer + 1) {
            let own = place.output.end;
            place.own = own..own.checked_add(l.saved_len(batch)?).ok_or(Error::SizeOverflow)?;
            let last = i + 1 == self.layers.len();
            let output = if last { 0 } else { times(batch, l.output_len())? };
            place.output = place.own.end..place.own.end.checked_add(output).ok_or(Error::SizeOverflow)?;
        }
        Ok(place)
    }

    /// Values of the longest gradient between two layers.
    fn between(&self, batch: usize) -> Result<usize, Error> {
        let inputs = self.layers.iter().skip(1).map(Layer::input_len);
        times(batch, inputs.fold(0, usize::max))
    }
}

#[derive(Default)]
struct Place {
    own: Range<usize>,
    output: Range<usize>,
}

impl<L: Layer> sealed::Sealed for Sequence<'_, L> {}

impl<L: Layer> Layer for Sequence<'_, L> {
    fn input_len(&self) -> usize {
        self.layers.first().map_or(0, Layer::input_len)
    }

    fn output_len(&self) -> usize {
        self.layers.last().map_or(0, Layer::output_len)
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        self.arrays().nth(index).map(|array| array.parameter)
    }

    fn parameters_len(&self) -> usize {
        self.layers.iter().map(Layer::parameters_len).fold(0, usize::saturating_add)
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        Ok(self.place(self.layers.len(), batch)?.output.end)
    }

    fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        let mut most = 0;
        for layer in self.layers {
            most = layer.workspace_size(batch)?.max(most);
        }
        let between = self.between(batch)?;
        Ok(Layout::EMPTY.array::<f32>(between)?.array::<f32>(between)?.array::<u8>(most)?.size())
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        let Forward { batch, mut parameters, mut input, output, saved, scratch } = job.checked(self)?;
        let mut rest = saved;
        let mut output = Some(output);
        for (i, layer) in self.layers.iter().enumerate() {
            let (own, later) = parameters.split_at_checked(layer.parameters_len()).ok_or(Error::Shape)?;
            parameters = later;
            let (saved, later) =
                rest.split_at_mut_checked(layer.saved_len(batch)?).ok_or(Error::OutputTooSmall)?;
            let last = i + 1 == self.layers.len();
            let len = if last { 0 } else { times(batch, layer.output_len())? };
            let (to, later) = later.split_at_mut_checked(len).ok_or(Error::OutputTooSmall)?;
            rest = later;
            let to = if last { output.take().unwrap_or_default() } else { to };
            let scratch = &mut *scratch;
            layer.forward(Forward { batch, parameters: own, input, output: &mut *to, saved, scratch })?;
            input = to;
        }
        Ok(())
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        let Backward { batch, parameters, input, output, saved, output_gradient, .. } = job;
        let job = job.checked(self)?;
        let (mut input_gradient, all) = (job.input_gradient, job.parameters_gradient);
        let mut carver = Carver::new(job.scratch);
        let between = self.between(batch)?;
        let (mut from, mut to) = (carver.take::<f32>(between)?, carver.take::<f32>(between)?);
        let most = self.layers.iter().try_fold(0, |most, l| Ok(l.workspace_size(batch)?.max(most)))?;
        let scratch = carver.take::<u8>(most)?;
        let whole = self.layers.len();
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let range = self.parameters_of(i).ok_or(Error::Shape)?;
            let place = self.place(i, batch)?;
            let before = i.checked_sub(1).map(|i| self.place(i, batch)).transpose()?;
            let input = match before {
                Some(before) => saved.get(before.output).ok_or(Error::Shape)?,
                None => input,
            };
            let (output, gradient) = if i + 1 == whole {
                (output, output_gradient)
            } else {
                let output = saved.get(place.output).ok_or(Error::Shape)?;
                (output, from.get(..output.len()).ok_or(Error::Shape)?)
            };
            let wanted = if i == 0 { input_gradient.take() } else { Some(&mut *to) };
            layer.backward(Backward {
                batch,
                parameters: parameters.get(range.clone()).ok_or(Error::Shape)?,
                input,
                output,
                saved: saved.get(place.own).ok_or(Error::Shape)?,
                output_gradient: gradient,
                input_gradient: wanted,
                parameters_gradient: all.get_mut(range).ok_or(Error::OutputTooSmall)?,
                scratch: &mut *scratch,
            })?;
            core::mem::swap(&mut from, &mut to);
        }
        Ok(())
    }
}
