//! A network forward and backward.

use core::ffi::c_void;

use crate::Error;
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, status};
use crate::learn::layers::{Backward, Forward, Layer};

use super::layers::hq_layer;
use super::layers_kinds::network;

/// A batch on its way through a network: everything that forward reads and writes, and that backward reads again. The
/// arrays are the caller's.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_layers_pass {
    /// The network.
    pub layers: *const hq_layer,
    /// How many layers.
    pub layers_len: usize,
    /// Samples.
    pub batch: usize,
    /// Exactly `hq_layers_parameters_len` floats.
    pub parameters: *const f32,
    /// How many.
    pub parameters_len: usize,
    /// Exactly `batch * hq_layers_input_len` floats, sample after sample.
    pub input: *const f32,
    /// How many.
    pub input_len: usize,
    /// `batch * hq_layers_output_len` floats; at least that for forward, exactly that for backward.
    pub output: *mut f32,
    /// How many.
    pub output_len: usize,
    /// At least `hq_layers_saved_len` floats: what forward leaves for backward.
    pub saved: *mut f32,
    /// How many.
    pub saved_len: usize,
    /// At least `hq_layers_workspace_size` bytes at any alignment; holds nothing between calls.
    pub scratch: *mut c_void,
    /// How many bytes.
    pub scratch_size: usize,
}

const _: () = assert!(size_of::<hq_layers_pass>() == 13 * size_of::<usize>());

/// # Safety
/// `pass` is NULL, misaligned, or valid.
unsafe fn read(pass: *const hq_layers_pass) -> Result<hq_layers_pass, Error> {
    if pass.is_null() {
        return Err(Error::NullPointer);
    }
    if !pass.is_aligned() {
        return Err(Error::Misaligned);
    }
    // SAFETY: neither NULL nor misaligned; the caller vouches for the rest.
    Ok(unsafe { pass.read() })
}

/// Inputs to outputs.
///
/// Float layers carry NaN and infinities along; a loss refuses them. Layers with ternary weights or int8 inputs refuse them
/// here. The same bits on every tier and target; the outputs of a sample do not depend on the rest of the batch. Ternary
/// weights times int8 inputs run on packed kernels (linear layers), with the bits that `hq_matmul` gives for the same weights
/// packed (`HQ_FORMAT_TQ2_0`, `HQ_GRANULARITY_ROW`).
///
/// - `pass`: the buffers. `output` and `saved` are written.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`
/// (`parameters`, `input`), `HQ_ERROR_OUTPUT_TOO_SMALL` (`output`, `saved`), `HQ_ERROR_WORKSPACE_TOO_SMALL`,
/// `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_NON_FINITE`, `HQ_ERROR_SCALE_RANGE` (a row of weights whose scale is beyond 65504),
/// `HQ_ERROR_INVALID_ARGUMENT` (a number that is none of an embedding's rows). `output` is untouched then; `saved` counts as
/// scratch.
///
/// # Safety
/// Each pointer in `pass` is valid for the length beside it.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 3, .outputs = 2, .bias = 1, .weights = HQ_WEIGHTS_TERNARY};
/// const float parameters[8] = {0.9f, -1.1f, 0.1f, 0.0f, 0.5f, 0.5f, 10.0f, 20.0f}, input[3] = {1.0f, 2.0f, 4.0f};
/// float output[2], saved[8];
/// static uint8_t scratch[4096];
/// hq_layers_pass pass = {&layer, 1, 1, parameters, 8, input, 3, output, 2, saved, 8, scratch, sizeof scratch};
/// assert(hq_layers_saved_len(&layer, 1, 1) == 8 && hq_layers_workspace_size(&layer, 1, 1) <= sizeof scratch);
/// assert(hq_layers_forward(&pass) == HQ_OK);
/// assert(output[0] == 9.0f && output[1] == 23.0f); // 10 + 1 - 2, and 20 + 0.5 (2 + 4)
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_forward(pass: *const hq_layers_pass) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let raw = unsafe { read(pass) }?;
        let layers = Input::new(raw.layers, raw.layers_len)?;
        let parameters = Input::new(raw.parameters, raw.parameters_len)?;
        let input = Input::new(raw.input, raw.input_len)?;
        let output = Output::new(raw.output, raw.output_len)?;
        let saved = Output::new(raw.saved, raw.saved_len)?;
        let scratch = Output::bytes(raw.scratch, raw.scratch_size)?;
        let outputs = [output.span(), saved.span(), scratch.span()];
        disjoint(&outputs, &[layers.span(), parameters.span(), input.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (net, parameters, input) = unsafe { (network(layers)?, parameters.slice(), input.slice()) };
        // SAFETY: as above.
        let (output, saved, scratch) = unsafe { (output.slice(), saved.slice(), scratch.slice()) };
        net.forward(Forward { batch: raw.batch, parameters, input, output, saved, scratch })
    })
}

/// The gradient of the outputs to those of parameters and inputs, with `pass` as `hq_layers_forward` left it.
///
/// Gradients go straight through the rounding of ternary weights and int8 inputs.
///
/// - `output_gradient`: exactly as many floats as outputs: the derivative of the loss by each.
/// - `input_gradient`: at least as many floats as inputs, which are written; or NULL.
/// - `parameters_gradient`: at least as many floats as parameters. The gradient is **added**, so that a batch can be worked
///   off in parts: clear it before the first.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: those of `hq_layers_check`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`
/// (`parameters`, `input`, `output`, `saved`, `output_gradient`), `HQ_ERROR_OUTPUT_TOO_SMALL` (the other gradients),
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_SIZE_OVERFLOW`. The gradients are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it, also those in `pass`.
///
/// ```c
/// const hq_layer layer = {.kind = &hq_layer_linear, .inputs = 2, .outputs = 1};
/// const float parameters[2] = {3.0f, -1.0f}, input[4] = {1.0f, 2.0f, 0.5f, 4.0f}, by_output[2] = {1.0f, 10.0f};
/// float output[2], by_input[4], by_parameters[2] = {0.0f, 0.0f};
/// static uint8_t scratch[65536];
/// hq_layers_pass pass = {&layer, 1, 2, parameters, 2, input, 4, output, 2, NULL, 0, scratch, sizeof scratch};
/// assert(hq_layers_workspace_size(&layer, 1, 2) <= sizeof scratch);
/// assert(hq_layers_forward(&pass) == HQ_OK && output[0] == 1.0f && output[1] == -2.5f);
/// assert(hq_layers_backward(&pass, by_output, 2, by_input, 4, by_parameters, 2) == HQ_OK);
/// assert(by_parameters[0] == 6.0f && by_parameters[1] == 42.0f && by_input[2] == 30.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_layers_backward(
    pass: *const hq_layers_pass,
    output_gradient: *const f32,
    output_gradient_len: usize,
    input_gradient: *mut f32,
    input_gradient_len: usize,
    parameters_gradient: *mut f32,
    parameters_gradient_len: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let raw = unsafe { read(pass) }?;
        let layers = Input::new(raw.layers, raw.layers_len)?;
        let parameters = Input::new(raw.parameters, raw.parameters_len)?;
        let input = Input::new(raw.input, raw.input_len)?;
        let output = Input::new(raw.output.cast_const(), raw.output_len)?;
        let saved = Input::new(raw.saved.cast_const(), raw.saved_len)?;
        let output_gradient = Input::new(output_gradient, output_gradient_len)?;
        let input_gradient = Output::new(input_gradient, input_gradient_len)?;
        let parameters_gradient = Output::new(parameters_gradient, parameters_gradient_len)?;
        let scratch = Output::bytes(raw.scratch, raw.scratch_size)?;
        let outputs = [input_gradient.span(), parameters_gradient.span(), scratch.span()];
        let pass = [layers.span(), parameters.span(), input.span(), output.span(), saved.span()];
        disjoint(&outputs, &pass)?;
        disjoint(&outputs, &[output_gradient.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (net, parameters, input) = unsafe { (network(layers)?, parameters.slice(), input.slice()) };
        // SAFETY: as above.
        let (output, saved, output_gradient) =
            unsafe { (output.slice(), saved.slice(), output_gradient.slice()) };
        // SAFETY: as above.
        let (to_inputs, parameters_gradient, scratch) =
            unsafe { (input_gradient.slice(), parameters_gradient.slice(), scratch.slice()) };
        net.backward(Backward {
            batch: raw.batch,
            parameters,
            input,
            output,
            saved,
            output_gradient,
            input_gradient: (!to_inputs.is_empty()).then_some(to_inputs),
            parameters_gradient,
            scratch,
        })
    })
}
