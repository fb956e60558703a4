//! What a layer of C does: a table of functions for each kind, so that a program holds only the kinds that it names.

use crate::Error;
use crate::capi::pointers::Input;
use crate::learn::layers::{
    Activation, Attention, Backward, Bias, Conv, Curve, Embedding, Forward, Image, Layer, Linear, Parameter,
    Pool, Pooling, RmsNorm, Sequence, Window, sealed,
};

use super::layers::hq_layer;

/// What a layer does. Only the addresses of `hq_layer_linear` and the others below count; what is behind them is not
/// for programs.
pub struct hq_layer_kind {
    magic: u32,
    /// The layer with only those fields that this kind reads.
    used: fn(&hq_layer) -> hq_layer,
    lens: fn(&hq_layer) -> Result<[usize; 2], Error>,
    parameter: fn(&hq_layer, usize) -> Option<Parameter>,
    saved_len: fn(&hq_layer, usize) -> Result<usize, Error>,
    workspace_size: fn(&hq_layer, usize) -> Result<usize, Error>,
    forward: fn(&hq_layer, Forward<'_>) -> Result<(), Error>,
    backward: fn(&hq_layer, Backward<'_>) -> Result<(), Error>,
}

/// Tells a kind from whatever else a pointer may point to.
const MAGIC: u32 = 0x6B71_5948;

/// How a layer of the library is made from the struct of C.
trait Kind: Layer {
    fn used(raw: &hq_layer) -> hq_layer;
    fn new(raw: &hq_layer) -> Result<Self, Error>;
}

const fn kind<L: Kind>() -> hq_layer_kind {
    hq_layer_kind {
        magic: MAGIC,
        used: L::used,
        lens: lens::<L>,
        parameter: parameter::<L>,
        saved_len: saved_len::<L>,
        workspace_size: workspace_size::<L>,
        forward: forward::<L>,
        backward: backward::<L>,
    }
}

fn lens<L: Kind>(raw: &hq_layer) -> Result<[usize; 2], Error> {
    let layer = L::new(raw)?;
    Ok([layer.input_len(), layer.output_len()])
}

fn parameter<L: Kind>(raw: &hq_layer, index: usize) -> Option<Parameter> {
    L::new(raw).ok()?.parameter(index)
}

fn saved_len<L: Kind>(raw: &hq_layer, batch: usize) -> Result<usize, Error> {
    L::new(raw)?.saved_len(batch)
}

fn workspace_size<L: Kind>(raw: &hq_layer, batch: usize) -> Result<usize, Error> {
    L::new(raw)?.workspace_size(batch)
}

fn forward<L: Kind>(raw: &hq_layer, job: Forward<'_>) -> Result<(), Error> {
    L::new(raw)?.forward(job)
}

fn backward<L: Kind>(raw: &hq_layer, job: Backward<'_>) -> Result<(), Error> {
    L::new(raw)?.backward(job)
}

/// Weights times inputs, plus a bias if there is one. Reads `inputs`, `outputs`, `positions`, `bias`, `activations`, and
/// `weights` with what belongs to it.
#[unsafe(no_mangle)]
pub static hq_layer_linear: hq_layer_kind = kind::<Linear>();

/// A bias for each channel. Reads `inputs` (channels) and `positions` (values of a channel: 1 for vectors, the pixels of
/// a plane for images).
#[unsafe(no_mangle)]
pub static hq_layer_bias: hq_layer_kind = kind::<Bias>();

/// `x / sqrt(mean(x^2) + epsilon)`, times a gain for each value if there is one. Reads `inputs`, `positions`, `gain`,
/// `epsilon`.
#[unsafe(no_mangle)]
pub static hq_layer_rms_norm: hq_layer_kind = kind::<RmsNorm>();

/// Each value through a curve. Reads `inputs`, `positions`, `curve`.
#[unsafe(no_mangle)]
pub static hq_layer_activation: hq_layer_kind = kind::<Activation>();

/// Convolution of images (`height` rows of `width`), plus a bias if there is one; signals are images of height 1. Reads
/// `inputs` (channels), `outputs` (channels), `height`, `width`, `window`, `stride`, `padding`, `bias`, `activations`, and
/// `weights` with what belongs to it.
#[unsafe(no_mangle)]
pub static hq_layer_conv: hq_layer_kind = kind::<Conv>();

/// The largest value of each window, or the mean. Reads `inputs` (channels), `height`, `width`, `window`, `stride` (0: as long
/// as the window), `pooling`.
#[unsafe(no_mangle)]
pub static hq_layer_pool: hq_layer_kind = kind::<Pool>();

/// The row of a table for each of the `positions` whole numbers of a sample. Reads `inputs` (rows of the table), `outputs`
/// (values of a row), `positions`. `HQ_ERROR_INVALID_ARGUMENT` in forward for a number that is none of a row.
#[unsafe(no_mangle)]
pub static hq_layer_embedding: hq_layer_kind = kind::<Embedding>();

/// Causal self-attention over `positions` vectors of `inputs` values. Reads `inputs`, `positions`, `heads`, `residual`, and
/// `weights` with what belongs to it.
#[unsafe(no_mangle)]
pub static hq_layer_attention: hq_layer_kind = kind::<Attention>();

/// 0 counts as 1.
fn count(n: usize) -> usize {
    n.max(1)
}

/// 0 or 1, as C has it.
fn flag(value: i32) -> Result<bool, Error> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Error::InvalidArgument),
    }
}

impl Kind for Linear {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, outputs, positions, bias, activations, .. } = raw;
        hq_layer { inputs, outputs, positions, bias, activations, ..raw.seen() }
    }

    fn new(raw: &hq_layer) -> Result<Linear, Error> {
        let layer = Linear::new(raw.inputs, raw.outputs, flag(raw.bias)?)?;
        layer.positions(count(raw.positions))?.seen(raw.weights()?, raw.activations()?)
    }
}

impl Kind for Bias {
    fn used(raw: &hq_layer) -> hq_layer {
        hq_layer { inputs: raw.inputs, positions: raw.positions, ..raw.bare() }
    }

    fn new(raw: &hq_layer) -> Result<Bias, Error> {
        Bias::new(raw.inputs, count(raw.positions))
    }
}

impl Kind for RmsNorm {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, positions, gain, epsilon, .. } = raw;
        hq_layer { inputs, positions, gain, epsilon, ..raw.bare() }
    }

    fn new(raw: &hq_layer) -> Result<RmsNorm, Error> {
        let epsilon = if raw.epsilon == 0.0 { 1e-5 } else { raw.epsilon };
        RmsNorm::new(raw.inputs, flag(raw.gain)?, epsilon)?.positions(count(raw.positions))
    }
}

impl Kind for Activation {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, positions, curve, .. } = raw;
        hq_layer { inputs, positions, curve, ..raw.bare() }
    }

    fn new(raw: &hq_layer) -> Result<Activation, Error> {
        let len = raw.inputs.checked_mul(count(raw.positions)).ok_or(Error::SizeOverflow)?;
        Activation::new(len, Curve::from_i32(raw.curve)?)
    }
}

impl hq_layer {
    /// The image that comes in.
    fn image(&self) -> Image {
        Image { channels: self.inputs, height: count(self.height), width: self.width }
    }
}

impl Kind for Conv {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, outputs, height, width, window, stride, padding, bias, activations, .. } =
            raw;
        let seen = raw.seen();
        hq_layer { inputs, outputs, height, width, window, stride, padding, bias, activations, ..seen }
    }

    fn new(raw: &hq_layer) -> Result<Conv, Error> {
        let [down, right] = raw.stride;
        let window = Window { size: raw.window, stride: [count(down), count(right)], padding: raw.padding };
        let layer = Conv::new(raw.image(), window, raw.outputs, flag(raw.bias)?)?;
        layer.seen(raw.weights()?, raw.activations()?)
    }
}

impl Kind for Pool {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, height, width, window, stride, pooling, .. } = raw;
        hq_layer { inputs, height, width, window, stride, pooling, ..raw.bare() }
    }

    fn new(raw: &hq_layer) -> Result<Pool, Error> {
        let ([rows, cols], [down, right]) = (raw.window, raw.stride);
        let stride = [if down == 0 { rows } else { down }, if right == 0 { cols } else { right }];
        let window = Window { size: raw.window, stride, padding: [0, 0] };
        Pool::new(raw.image(), window, Pooling::from_i32(raw.pooling)?)
    }
}

impl Kind for Embedding {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, outputs, positions, .. } = raw;
        hq_layer { inputs, outputs, positions, ..raw.bare() }
    }

    fn new(raw: &hq_layer) -> Result<Embedding, Error> {
        Embedding::new(raw.inputs, raw.outputs, count(raw.positions))
    }
}

impl Kind for Attention {
    fn used(raw: &hq_layer) -> hq_layer {
        let &hq_layer { inputs, positions, heads, residual, .. } = raw;
        hq_layer { inputs, positions, heads, residual, ..raw.seen() }
    }

    fn new(raw: &hq_layer) -> Result<Attention, Error> {
        let layer = Attention::new(raw.inputs, count(raw.heads), count(raw.positions))?;
        let layer = if flag(raw.residual)? { layer.residual() } else { layer };
        layer.seen(raw.weights()?)
    }
}

/// A layer of C whose kind is one, and whose fields this kind takes.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Checked(hq_layer);

impl Checked {
    /// # Safety
    /// `layer.kind` is NULL, misaligned, or points to as much memory as a kind has.
    unsafe fn check(layer: &hq_layer) -> Result<&'static hq_layer_kind, Error> {
        if layer.kind.is_null() {
            return Err(Error::NullPointer);
        }
        if !layer.kind.is_aligned() {
            return Err(Error::Misaligned);
        }
        // SAFETY: the caller vouches for the memory; the field is an integer, read before anything else is believed.
        if unsafe { (&raw const (*layer.kind).magic).read() } != MAGIC {
            return Err(Error::UnknownEnum);
        }
        // SAFETY: as the magic says, it is one of the statics above.
        let kind = unsafe { &*layer.kind };
        if *layer != (kind.used)(layer) {
            return Err(Error::InvalidArgument);
        }
        (kind.lens)(layer)?;
        Ok(kind)
    }

    fn kind(&self) -> &'static hq_layer_kind {
        // SAFETY: there is no `Checked` without a check, which has seen that this is a static.
        unsafe { &*self.0.kind }
    }
}

impl sealed::Sealed for Checked {}

impl Layer for Checked {
    fn input_len(&self) -> usize {
        (self.kind().lens)(&self.0).map_or(0, |[inputs, _]| inputs)
    }

    fn output_len(&self) -> usize {
        (self.kind().lens)(&self.0).map_or(0, |[_, outputs]| outputs)
    }

    fn parameter(&self, index: usize) -> Option<Parameter> {
        (self.kind().parameter)(&self.0, index)
    }

    fn saved_len(&self, batch: usize) -> Result<usize, Error> {
        (self.kind().saved_len)(&self.0, batch)
    }

    fn workspace_size(&self, batch: usize) -> Result<usize, Error> {
        (self.kind().workspace_size)(&self.0, batch)
    }

    fn forward(&self, job: Forward<'_>) -> Result<(), Error> {
        (self.kind().forward)(&self.0, job)
    }

    fn backward(&self, job: Backward<'_>) -> Result<(), Error> {
        (self.kind().backward)(&self.0, job)
    }
}

/// The network that an array of layers is.
///
/// # Safety
/// The layers are readable, and nobody writes them during `'a`; each `kind` is one, or NULL.
pub(super) unsafe fn network<'a>(layers: Input<hq_layer>) -> Result<Sequence<'a, Checked>, Error> {
    // SAFETY: the caller vouches for the memory.
    let layers: &'a [hq_layer] = unsafe { layers.slice() };
    for layer in layers {
        // SAFETY: as above.
        unsafe { Checked::check(layer) }?;
    }
    // SAFETY: all are checked, and `Checked` is laid out as what it holds.
    Sequence::new(unsafe { core::slice::from_raw_parts(layers.as_ptr().cast::<Checked>(), layers.len()) })
}

/// The first layer that is none or does not take what the one before gives, if the array is not a network.
///
/// # Safety
/// As [`network`].
pub(super) unsafe fn misfit(layers: Input<hq_layer>) -> Option<usize> {
    // SAFETY: as the caller's.
    if unsafe { network(layers) }.is_ok() {
        return None;
    }
    // SAFETY: as the caller's.
    let layers = unsafe { layers.slice() };
    let mut before = None;
    for (i, layer) in layers.iter().enumerate() {
        // SAFETY: as the caller's.
        let lens = unsafe { Checked::check(layer) }.and_then(|kind| (kind.lens)(layer));
        let Ok([inputs, outputs]) = lens else { return Some(i) };
        if before.is_some_and(|before| before != inputs) {
            return Some(i);
        }
        before = Some(outputs);
    }
    // Each fits; all together have too many parameters.
    Some(layers.len().saturating_sub(1))
}
