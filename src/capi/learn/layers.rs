//! Networks as data: an array of layers, its sizes, its parameters.

use core::ffi::c_char;

use crate::Error;
use crate::capi::pointers::{Input, Output, Plain, disjoint, size, status};
use crate::capi::{hq_status, quant};
use crate::learn::layers::{Activations, Array, Curve, Layer, Pooling, Weights};
use crate::quant::Fit;

use super::layers_kinds::{hq_layer_kind, misfit, network};

/// Weights as they are.
pub const HQ_WEIGHTS_FLOAT: i32 = 0;
/// Each row of the weights as trits with a scale; gradients go straight through to the floats behind them.
pub const HQ_WEIGHTS_TERNARY: i32 = 1;

/// Inputs as they are.
pub const HQ_ACTIVATIONS_FLOAT: i32 = 0;
/// Inputs as int8 with a scale for every 256 values of a vector.
pub const HQ_ACTIVATIONS_INT8: i32 = 1;

/// `max(x, 0)`.
pub const HQ_CURVE_RELU: i32 = 0;
/// `max(x, 0)^2`.
pub const HQ_CURVE_RELU_SQUARED: i32 = 1;

/// The largest value of a window.
pub const HQ_POOLING_MAX: i32 = 0;
/// The mean of a window.
pub const HQ_POOLING_MEAN: i32 = 1;

const _: () = {
    assert!(HQ_ACTIVATIONS_FLOAT == Activations::Float as i32);
    assert!(HQ_ACTIVATIONS_INT8 == Activations::Int8 as i32);
    assert!(HQ_CURVE_RELU == Curve::Relu as i32);
    assert!(HQ_CURVE_RELU_SQUARED == Curve::ReluSquared as i32);
    assert!(HQ_POOLING_MAX == Pooling::Max as i32);
    assert!(HQ_POOLING_MEAN == Pooling::Mean as i32);
    assert!(size_of::<hq_layer>() == 13 * size_of::<usize>() + 48);
    assert!(size_of::<hq_layer_array>() == 5 * size_of::<usize>() + 8);
};

/// A layer. A network is an array of them, each of which takes what the one before gives.
///
/// `kind` says which fields count, see `hq_layer_linear` and the others; all others must be 0 (designated initializers of C
/// leave them so). The array is only read, may lie in flash, and is not kept. A sample is `positions` vectors in a row, or an
/// image, plane after plane; 0 counts as 1 for `positions`, `heads`, `height` and `stride`.
#[derive(Clone, Copy, PartialEq)]
#[repr(C)]
pub struct hq_layer {
    /// `&hq_layer_linear`, `&hq_layer_activation`, ...
    pub kind: *const hq_layer_kind,
    /// Values of a vector that come in; or channels.
    pub inputs: usize,
    /// Values of a vector that go out; or channels.
    pub outputs: usize,
    /// Vectors of a sample.
    pub positions: usize,
    /// Heads of an attention layer; a divisor of `inputs`.
    pub heads: usize,
    /// Rows of an image.
    pub height: usize,
    /// Values of a row.
    pub width: usize,
    /// Rows and columns of a window.
    pub window: [usize; 2],
    /// By how much it moves, down and to the right.
    pub stride: [usize; 2],
    /// Zeros above and below the image, and to its left and right; fewer than the window has.
    pub padding: [usize; 2],
    /// 1 for a bias, else 0.
    pub bias: i32,
    /// 1 for a gain for each value, else 0.
    pub gain: i32,
    /// 1 if the inputs are added to the outputs, else 0.
    pub residual: i32,
    /// `HQ_CURVE_*`.
    pub curve: i32,
    /// `HQ_POOLING_*`.
    pub pooling: i32,
    /// `HQ_WEIGHTS_*`: how the layer sees its weights.
    pub weights: i32,
    /// With ternary weights: `HQ_FIT_MSE`, `HQ_FIT_ABSMEAN`, `HQ_FIT_ABSMAX` or `HQ_FIT_LLOYD`.
    pub fit: i32,
    /// With ternary weights: 0 for trits, 1 for the floats behind them, between for the proximal map between both.
    pub inverse_slope: f32,
    /// With ternary weights: floats beyond so many scales of their row get no gradient; 0: all get it.
    pub clip: f32,
    /// `HQ_ACTIVATIONS_*`: how the layer sees its inputs.
    pub activations: i32,
    /// Added to the mean of squares, 1e-30 to 1; 0 counts as 1e-5.
    pub epsilon: f32,
    /// 0.
    pub reserved: i32,
}

// SAFETY: a raw pointer and numbers.
unsafe impl Plain for hq_layer {}

impl hq_layer {
    /// No field but the kind.
    pub(super) fn bare(&self) -> hq_layer {
        hq_layer {
            kind: self.kind,
            inputs: 0,
            outputs: 0,
            positions: 0,
            heads: 0,
            height: 0,
            width: 0,
            window: [0; 2],
            stride: [0; 2],
            padding: [0; 2],
            bias: 0,
            gain: 0,
            residual: 0,
            curve: 0,
            pooling: 0,
            weights: 0,
            fit: 0,
            inverse_slope: 0.0,
            clip: 0.0,
            activations: 0,
            epsilon: 0.0,
            reserved: 0,
        }
    }

    /// The kind, and what belongs to the weights.
    pub(super) fn seen(&self) -> hq_layer {
        let &hq_layer { weights, fit, inverse_slope, clip, .. } = self;
        if weights == HQ_WEIGHTS_FLOAT {
            self.bare()
        } else {
            hq_layer { weights, fit, inverse_slope, clip, ..self.bare() }
        }
    }

    pub(super) fn weights(&self) -> Result<Weights, Error> {
        match self.weights {
            HQ_WEIGHTS_FLOAT => return Ok(Weights::Float),
            HQ_WEIGHTS_TERNARY => {}
            _ => return Err(Error::UnknownEnum),
        }
        let fit = match self.fit {
            quant::HQ_FIT_MSE => Fit::Mse,
            quant::HQ_FIT_ABSMEAN => Fit::AbsMean,
            quant::HQ_FIT_ABSMAX => Fit::AbsMax,
            quant::HQ_FIT_LLOYD => Fit::Lloyd,
            quant::HQ_FIT_PERCENTILE..=quant::HQ_FIT_MINMAX => return Err(Error::Unsupported),
            _ => return Err(Error::UnknownEnum),
        };
        let clip = if self.clip == 0.0 { f32::INFINITY } else { self.clip };
        Ok(Weights::Ternary { fit, inverse_slope: self.inverse_slope, clip })
    }

    pub(super) fn activations(&self) -> Result<Activations, Error> {
        Activations::from_i32(self.activations)
    }
}

/// An array among the parameters of a network.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_layer_array {
    /// `"weight"`, `"bias"`, `"gain"`, `"qkv"` or `"out"`; static text.
    pub name: *const c_char,
    /// The layer that it belongs to.
    pub layer: usize,
    /// Outputs of a weight matrix; 1 for a vector.
    pub rows: usize,
    /// Inputs of a weight matrix; the length of a vector.
    pub cols: usize,
    /// Where it begins among all parameters.
    pub offset: usize,
    /// 1 for a weight matrix, which ternary training quantizes; 0 for biases and gains, which stay float.
    pub is_matrix: i32,
    /// 0.
    pub reserved: i32,
}

// SAFETY: a raw pointer and numbers.
unsafe impl Plain for hq_layer_array {}

impl hq_layer_array {
    fn from_rust(array: &Array) -> hq_layer_array {
        let name = match array.parameter.name {
            "weight" => c"weight",
            "bias" => c"bias",
            "gain" => c"gain",
            "qkv" => c"qkv",
            "out" => c"out",
            _ => c"",
        };
        hq_layer_array {
            name: name.as_ptr(),
            layer: array.layer,
            rows: array.parameter.rows,
            cols: array.parameter.cols,
            offset: array.range.start,
            is_matrix: i32::from(array.parameter.is_matrix()),
            reserved: 0,
        }
    }
}

/// Whether an array of layers is a network.
///
/// Returns `HQ_OK`, or what all other functions would refuse it with; `hq_layers_misfit` says which layer it is.
/// `HQ_ERROR_NULL_POINTER` and `HQ_ERROR_MISALIGNED` (`layers`, or a `kind`), `HQ_ERROR_UNKNOWN_ENUM` (a `kind`, or a field),
/// `HQ_ERROR_INVALID_ARGUMENT` (no layers, a value out of range, a field that does not belong to the kind),
/// `HQ_ERROR_UNSUPPORTED` (a fit), `HQ_ERROR_SHAPE` (a layer does not take what the one before gives),
/// `HQ_ERROR_SIZE_OVERFLOW`. Callable from any thread.
///
/// # Safety
/// `layers` points to `layers_len` layers, each `kind` to one, or it is NULL.
///
/// ```c
/// const hq_layer net[] = {
///     {.kind = &hq_layer_linear, .inputs = 64, .outputs = 32, .bias = 1},
///     {.kind = &hq_layer_activation, .inputs = 32, .curve = HQ_CURVE_RELU},
///     {.kind = &hq_layer_linear, .inputs = 32, .outputs = 10, .weights = HQ_WEIGHTS_TERNARY, .fit = HQ_FIT_ABSMEAN},
/// };
/// assert(hq_layers_check(net, 3) == HQ_OK);
/// assert(hq_layers_check(net, 0) == HQ_ERROR_INVALID_ARGUMENT);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_check(layers: *const hq_layer, layers_len: usize) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        unsafe { network(Input::new(layers, layers_len)?) }.map(|_| ())
    })
}

/// The first layer that `hq_layers_check` refuses, by itself or after the one before it; `SIZE_MAX` if there is none. 0 also if
/// `layers` is not an array. Callable from any thread.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer net[] = {
///     {.kind = &hq_layer_linear, .inputs = 64, .outputs = 32},
///     {.kind = &hq_layer_activation, .inputs = 31},
/// };
/// assert(hq_layers_check(net, 2) == HQ_ERROR_SHAPE && hq_layers_misfit(net, 2) == 1);
/// assert(hq_layers_misfit(net, 1) == SIZE_MAX);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_misfit(layers: *const hq_layer, layers_len: usize) -> usize {
    let Ok(layers) = Input::new(layers, layers_len) else { return 0 };
    // SAFETY: the caller vouches for the memory.
    unsafe { misfit(layers) }.unwrap_or(usize::MAX)
}

/// Values of a sample that come in; `SIZE_MAX` if `hq_layers_check` refuses the network.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer image = {.kind = &hq_layer_pool, .inputs = 3, .height = 8, .width = 8, .window = {2, 2}};
/// assert(hq_layers_input_len(&image, 1) == 3 * 8 * 8);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_input_len(layers: *const hq_layer, layers_len: usize) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| Ok(unsafe { network(Input::new(layers, layers_len)?) }?.input_len()))
}

/// Values of a sample that go out; `SIZE_MAX` if `hq_layers_check` refuses the network.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer image = {.kind = &hq_layer_pool, .inputs = 3, .height = 8, .width = 8, .window = {2, 2}};
/// assert(hq_layers_output_len(&image, 1) == 3 * 4 * 4);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_output_len(layers: *const hq_layer, layers_len: usize) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| Ok(unsafe { network(Input::new(layers, layers_len)?) }?.output_len()))
}

/// Parameters of all layers, which lie one after the other in one array; `SIZE_MAX` if `hq_layers_check` refuses the network.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
/// assert(hq_layers_parameters_len(&layer, 1) == 650);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_parameters_len(layers: *const hq_layer, layers_len: usize) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| Ok(unsafe { network(Input::new(layers, layers_len)?) }?.parameters_len()))
}

/// Floats that forward leaves for backward: what each layer keeps, and the outputs of all but the last. `SIZE_MAX` if
/// `hq_layers_check` refuses the network, and on overflow.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer net[] = {
///     {.kind = &hq_layer_linear, .inputs = 8, .outputs = 4},
///     {.kind = &hq_layer_linear, .inputs = 4, .outputs = 2, .weights = HQ_WEIGHTS_TERNARY},
/// };
/// assert(hq_layers_saved_len(net, 2, 10) == 10 * 4 + 2 * (4 + 1)); // outputs between them, trits as floats, scales
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_saved_len(
    layers: *const hq_layer,
    layers_len: usize,
    batch: usize,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| unsafe { network(Input::new(layers, layers_len)?) }?.saved_len(batch))
}

/// Bytes of scratch that `hq_layers_forward` and `hq_layers_backward` need for so many samples. `SIZE_MAX` if `hq_layers_check`
/// refuses the network, and on overflow.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_activation, .inputs = 4};
/// assert(hq_layers_workspace_size(&layer, 1, 10) < 64);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_workspace_size(
    layers: *const hq_layer,
    layers_len: usize,
    batch: usize,
) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| unsafe { network(Input::new(layers, layers_len)?) }?.workspace_size(batch))
}

/// How many arrays the parameters are; `SIZE_MAX` if `hq_layers_check` refuses the network.
///
/// # Safety
/// As `hq_layers_check`.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
/// assert(hq_layers_arrays_len(&layer, 1) == 2); // weight and bias
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_arrays_len(layers: *const hq_layer, layers_len: usize) -> usize {
    // SAFETY: the caller vouches for the memory.
    size(|| Ok(unsafe { network(Input::new(layers, layers_len)?) }?.arrays().count()))
}

/// One of the arrays that the parameters are: its layer, name, shape, and where it lies. Arrays lie in their order without
/// gaps: they are the groups of `hq_optimizer_step`.
///
/// - `index`: below `hq_layers_arrays_len`.
/// - `array`: one struct.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_INVALID_ARGUMENT` (`index`). `array` is untouched then.
///
/// # Safety
/// As `hq_layers_check`; `array` is valid.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 64, .outputs = 10, .bias = 1};
/// hq_layer_array array;
/// assert(hq_layers_array(&layer, 1, 1, &array) == HQ_OK);
/// assert(strcmp(array.name, "bias") == 0 && array.offset == 640 && array.cols == 10 && !array.is_matrix);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_array(
    layers: *const hq_layer,
    layers_len: usize,
    index: usize,
    array: *mut hq_layer_array,
) -> hq_status {
    status(|| {
        let (layers, array) = (Input::new(layers, layers_len)?, Output::new(array, 1)?);
        disjoint(&[array.span()], &[layers.span()])?;
        // SAFETY: the caller vouches for the memory.
        let found = unsafe { network(layers) }?.arrays().nth(index).ok_or(Error::InvalidArgument)?;
        // SAFETY: as above.
        unsafe { array.write(hq_layer_array::from_rust(&found)) };
        Ok(())
    })
}

/// Parameters to begin training with: weights even between plus and minus `sqrt(6 / inputs)`, tables of embeddings between
/// plus and minus 1, biases 0, gains 1.
///
/// - `seed`: the same one gives the same parameters.
/// - `parameters`: exactly `hq_layers_parameters_len` floats.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`.
/// `parameters` are untouched then.
///
/// # Safety
/// As `hq_layers_check`; `parameters` is valid for its length.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 6, .outputs = 2, .bias = 1};
/// float parameters[14];
/// assert(hq_layers_start(&layer, 1, 42, parameters, 14) == HQ_OK);
/// assert(parameters[0] != parameters[1] && fabsf(parameters[0]) <= 1.0f && parameters[12] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_start(
    layers: *const hq_layer,
    layers_len: usize,
    seed: u64,
    parameters: *mut f32,
    parameters_len: usize,
) -> hq_status {
    status(|| {
        let layers = Input::new(layers, layers_len)?;
        let parameters = Output::new(parameters, parameters_len)?;
        disjoint(&[parameters.span()], &[layers.span()])?;
        // SAFETY: the caller vouches for the memory; nothing overlaps.
        let (net, parameters) = (unsafe { network(layers) }?, unsafe { parameters.slice() });
        net.start(seed, parameters)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::layers::{AnyLayer, Attention, Linear, RmsNorm, Sequence};

    /// The text of C is that of Rust, for every name.
    #[test]
    fn arrays_keep_their_names() {
        let layers: [AnyLayer; 3] = [
            Attention::new(4, 2, 3).unwrap().into(),
            RmsNorm::new(12, true, 1e-5).unwrap().into(),
            Linear::new(12, 5, true).unwrap().into(),
        ];
        let mut names = 0;
        for array in Sequence::new(&layers).unwrap().arrays() {
            let raw = hq_layer_array::from_rust(&array);
            // SAFETY: static text.
            let name = unsafe { core::ffi::CStr::from_ptr(raw.name) };
            assert_eq!(name.to_str(), Ok(array.parameter.name));
            assert_eq!(raw.offset + array.parameter.len(), array.range.end);
            names += 1;
        }
        assert_eq!(names, 5);
    }
}
