//! The step of the optimizer.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::constrain::set::{Checked, NO_PARTS, hq_set};
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, status};
use crate::learn::optimizer::{self, GroupStep, Inputs, Optimizer, Outputs, Report};

use super::optimizer::{groups, hq_optimizer_group, hq_optimizer_options, hq_optimizer_state, options};

/// What happened in a step.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_report {
    /// The norm of the gradient as it came.
    pub gradient_norm: f32,
    /// The same after the clip to `clip_norm`.
    pub clipped_norm: f32,
    /// The norm of the step that the direction and the learning rates ask for.
    pub wanted_norm: f32,
    /// The norm of the step within the radii, before the set.
    pub step_norm: f32,
    /// The radius that holds for all groups together; infinity if one has none.
    pub radius: f32,
    /// (Loss before - loss after) / predicted, of the *previous* step; 0 if `has_ratio` is 0.
    pub ratio: f32,
    /// By how much this step should lower the loss, to first order.
    pub predicted: f32,
    /// What quantization changed of the gradient (with residual), relative to it: root of the ratio of the squares.
    pub gradient_error: f32,
    /// What packing changed of the parameters, likewise; 0 if they were not packed.
    pub parameter_error: f32,
    /// The cosine between the step and the negative gradient: the part of the step that goes downhill.
    pub efficiency: f32,
    /// Groups whose radius was active.
    pub bounded: u32,
    /// 1 if losses were given and there was a step before this one, else 0.
    pub has_ratio: u32,
    /// 1 if the constraint set moved the parameters, else 0.
    pub projected: u32,
}

/// The step of one group.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_group_step {
    /// The norm of the step that was asked for.
    pub wanted: f32,
    /// The norm of the step within the radius.
    pub taken: f32,
    /// By how much this group's step should lower the loss, to first order.
    pub predicted: f32,
    /// 1 if the radius was active, else 0.
    pub bounded: u32,
}

/// What a step writes beside the parameters; NULL with length 0 where that is not wanted.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_optimizer_outputs {
    /// The parameters as the model is to see them: through the proximal map, at the end of the ramp what `packed` decodes
    /// to. As many as there are parameters.
    pub visible: *mut f32,
    /// How many.
    pub visible_len: usize,
    /// The parameters in the packed format, `hq_optimizer_bytes.packed` bytes: the matrix of each group after the other.
    pub packed: *mut u8,
    /// How many bytes.
    pub packed_size: usize,
    /// The gradient that was used as packed trits, `hq_optimizer_bytes.gradient` bytes; for `HQ_GRADIENT_TERNARY`.
    pub gradient: *mut u8,
    /// How many bytes.
    pub gradient_size: usize,
    /// The step of each group.
    pub groups: *mut hq_optimizer_group_step,
    /// How many.
    pub groups_len: usize,
}

const _: () = {
    assert!(size_of::<hq_optimizer_report>() == 52);
    assert!(size_of::<hq_optimizer_group_step>() == size_of::<GroupStep>());
    assert!(size_of::<hq_optimizer_group_step>() == 16);
    assert!(size_of::<hq_optimizer_outputs>() == size_of::<[usize; 8]>());
};

impl hq_optimizer_report {
    pub(super) fn from_rust(done: &Report) -> hq_optimizer_report {
        hq_optimizer_report {
            gradient_norm: done.gradient_norm,
            clipped_norm: done.clipped_norm,
            wanted_norm: done.wanted_norm,
            step_norm: done.step_norm,
            radius: done.radius,
            ratio: done.ratio.unwrap_or(0.0),
            predicted: done.predicted,
            gradient_error: done.gradient_error,
            parameter_error: done.parameter_error,
            efficiency: done.efficiency,
            bounded: done.bounded as u32,
            has_ratio: u32::from(done.ratio.is_some()),
            projected: u32::from(done.projected),
        }
    }
}

const NOTHING: hq_optimizer_outputs = hq_optimizer_outputs {
    visible: core::ptr::null_mut(),
    visible_len: 0,
    packed: core::ptr::null_mut(),
    packed_size: 0,
    gradient: core::ptr::null_mut(),
    gradient_size: 0,
    groups: core::ptr::null_mut(),
    groups_len: 0,
};

/// Takes one step: clip, quantize the gradient, momentum, learning rate and radius of each group, apply, quantize the
/// parameters.
///
/// - `options`: NULL for the usual ones. Of a running optimizer base and storage forms must stay the same, other options
///   may change.
/// - `groups`: `groups_len` groups, in shapes as at `hq_optimizer_start`.
/// - `state`, `memory`: what `hq_optimizer_start` or the last step left.
/// - `gradient`: `gradient_len` finite values, one for each parameter of all groups.
/// - `losses`: two finite values, the losses before and after the *previous* step on the batch of that step, or NULL.
/// - `set`: the parameters of all groups together are projected to it after the step; NULL for none.
/// - `params`: `params_len` = `gradient_len` finite values that the step is added to. They stay `float`; what is quantized
///   goes to `outputs`.
/// - `outputs`: what else is wanted, or NULL. Only read; the arrays in it are written.
/// - `report`: one struct, or NULL.
/// - `scratch`: at least `hq_optimizer_workspace_size(options, groups, groups_len, set)` bytes at any alignment.
///
/// The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NON_FINITE` (a gradient, parameter or loss is NaN or infinite, or the step would leave the `float`
/// range), `HQ_ERROR_SHAPE` (a length is not that of the groups, or the state is that of other groups or options),
/// `HQ_ERROR_CORRUPT` (the state holds a number that no step leaves), `HQ_ERROR_INVALID_ARGUMENT`,
/// `HQ_ERROR_UNSUPPORTED`, `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_OUTPUT_TOO_SMALL` (the memory or an array of `outputs`),
/// `HQ_ERROR_WORKSPACE_TOO_SMALL`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`,
/// `HQ_ERROR_SIZE_OVERFLOW`. The step is refused whole: parameters, state, memory and outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `losses` points to two values.
///
/// ```c
/// const hq_optimizer_group group = {1, 2, 0.5f, 10.0f};
/// const float gradient[2] = {0.5f, -0.5f};
/// float params[2] = {1.0f, 1.0f}, memory[2];
/// static uint8_t scratch[65536];
/// hq_optimizer_state state;
/// hq_optimizer_report report;
/// assert(hq_optimizer_workspace_size(NULL, &group, 1, NULL) <= sizeof scratch);
/// assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK);
/// assert(hq_optimizer_step(NULL, &group, 1, &state, memory, sizeof memory, gradient, 2, NULL, NULL, params, 2, NULL,
///                          &report, scratch, sizeof scratch) == HQ_OK);
/// assert(state.steps == 1 && params[0] == 0.75f && params[1] == 1.25f && report.bounded == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_step(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    state: *mut hq_optimizer_state,
    memory: *mut c_void,
    memory_size: usize,
    gradient: *const f32,
    gradient_len: usize,
    losses: *const f32,
    set: *const hq_set,
    params: *mut f32,
    params_len: usize,
    outputs: *const hq_optimizer_outputs,
    report: *mut hq_optimizer_report,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let gradient = Input::new(gradient, gradient_len)?;
        // SAFETY: the caller vouches for the memory.
        unsafe {
            step(
                options,
                groups,
                groups_len,
                state,
                memory,
                memory_size,
                gradient,
                None,
                losses,
                set,
                params,
                params_len,
                outputs,
                report,
                scratch,
                scratch_size,
            )
        }
    })
}

/// A step from one form of the gradient or the other.
///
/// # Safety
/// Each pointer is valid for the length given with it; `losses` points to two values.
unsafe fn step(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    state: *mut hq_optimizer_state,
    memory: *mut c_void,
    memory_size: usize,
    floats: Input<f32>,
    trits: Option<Input<u8>>,
    losses: *const f32,
    set: *const hq_set,
    params: *mut f32,
    params_len: usize,
    outputs: *const hq_optimizer_outputs,
    report: *mut hq_optimizer_report,
    scratch: *mut c_void,
    scratch_size: usize,
) -> Result<(), Error> {
    // SAFETY: the caller vouches for the memory.
    let options = unsafe { self::options(options) }?;
    let outputs = if outputs.is_null() {
        NOTHING
    } else if !outputs.is_aligned() {
        return Err(Error::Misaligned);
    } else {
        // SAFETY: neither NULL nor misaligned; the caller vouches for the rest.
        unsafe { outputs.read() }
    };
    let set = match set.is_null() {
        true => None,
        // SAFETY: as above.
        false => Some(unsafe { Checked::new(set) }?),
    };
    let (groups, state) = (Input::new(groups, groups_len)?, Output::new(state, 1)?);
    let memory = Output::bytes(memory, memory_size)?;
    let losses = Input::new(losses, if losses.is_null() { 0 } else { 2 })?;
    let params = Output::new(params, params_len)?;
    let visible = Output::new(outputs.visible, outputs.visible_len)?;
    let packed = Output::new(outputs.packed, outputs.packed_size)?;
    let codes = Output::new(outputs.gradient, outputs.gradient_size)?;
    let steps = Output::new(outputs.groups, outputs.groups_len)?;
    let report = Output::optional(report)?;
    let scratch = Output::bytes(scratch, scratch_size)?;
    let (written, read) = (
        [
            state.span(),
            memory.span(),
            params.span(),
            visible.span(),
            packed.span(),
            codes.span(),
            steps.span(),
            report.span(),
            scratch.span(),
        ],
        [groups.span(), floats.span(), trits.map_or(losses.span(), |t| t.span()), losses.span()],
    );
    match &set {
        // SAFETY: as above.
        Some(set) => unsafe { set.apart(&written, &read) }?,
        None => disjoint(&written, &read)?,
    }
    let mut room = NO_PARTS;
    // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
    let (groups, state, memory) = unsafe { (self::groups(groups), state.slice(), memory.slice()) };
    // SAFETY: as above.
    let (gradient, losses, params) = unsafe { (floats.slice(), losses.slice(), params.slice()) };
    // SAFETY: as above.
    let (visible, packed, codes) = unsafe { (visible.slice(), packed.slice(), codes.slice()) };
    // SAFETY: as above.
    let (steps, report, scratch) = unsafe { (steps.slice(), report.slice(), scratch.slice()) };
    let [state] = bytemuck::must_cast_slice_mut(state) else { return Err(Error::NullPointer) };
    let set = match &set {
        // SAFETY: as above.
        Some(set) => Some(unsafe { set.set(&mut room) }?),
        None => None,
    };
    let inputs = Inputs { gradient, losses: losses.first_chunk().copied(), set };
    let steps: &mut [hq_optimizer_group_step] = steps;
    let outputs = Outputs { visible, packed, gradient: codes, groups: bytemuck::must_cast_slice_mut(steps) };
    let mut optimizer = Optimizer { options: &options, groups, state, memory };
    let done = match trits {
        None => optimizer.step(&inputs, params, outputs, scratch)?,
        // SAFETY: as above.
        Some(trits) => optimizer.step_packed(unsafe { trits.slice() }, &inputs, params, outputs, scratch)?,
    };
    if let [report] = report {
        *report = hq_optimizer_report::from_rust(&done);
    }
    Ok(())
}

/// `hq_optimizer_step` with a gradient of packed trits: 0.2 bytes a value are held of it, and no `float` copy.
///
/// The step is that from the numbers which `hq_optimizer_unpack_gradient` gives, to the bit.
///
/// - `gradient`: `gradient_size` = `hq_optimizer_bytes.gradient` bytes, as a step writes them to `outputs`, or for each group
///   the body of a gradient packet (`HQ_GRADIENT_PACKET_HEADER_SIZE` bytes after its beginning).
/// - all others: as there.
///
/// The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
///
/// Errors: as `hq_optimizer_step`; `HQ_ERROR_NON_FINITE` for a scale that is NaN or infinite, `HQ_ERROR_CORRUPT` for one below 0
/// and for codes above 242. The step is refused whole: parameters, state, memory and outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `losses` points to two values.
///
/// ```c
/// const hq_optimizer_group group = {1, 5, 0.5f, 10.0f};
/// const uint8_t gradient[5] = {0, 0, 0, 0x3E, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 1 * 81}; // 1/8 times -1, 1, 0, 0, 0
/// float params[5] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f}, memory[5];
/// static uint8_t scratch[65536];
/// hq_optimizer_state state;
/// assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK);
/// assert(hq_optimizer_step_packed(NULL, &group, 1, &state, memory, sizeof memory, gradient, 5, NULL, NULL, params, 5,
///                                 NULL, NULL, scratch, sizeof scratch) == HQ_OK);
/// assert(params[0] == 1.0625f && params[1] == 0.9375f && params[2] == 1.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_step_packed(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    state: *mut hq_optimizer_state,
    memory: *mut c_void,
    memory_size: usize,
    gradient: *const u8,
    gradient_size: usize,
    losses: *const f32,
    set: *const hq_set,
    params: *mut f32,
    params_len: usize,
    outputs: *const hq_optimizer_outputs,
    report: *mut hq_optimizer_report,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let gradient = Input::new(gradient, gradient_size)?;
        let none = Input::new(core::ptr::null(), 0)?;
        // SAFETY: the caller vouches for the memory.
        unsafe {
            step(
                options,
                groups,
                groups_len,
                state,
                memory,
                memory_size,
                none,
                Some(gradient),
                losses,
                set,
                params,
                params_len,
                outputs,
                report,
                scratch,
                scratch_size,
            )
        }
    })
}

/// Reads the packed trits of a gradient that a step has written.
///
/// - `groups`: `groups_len` groups, those of the step.
/// - `packed`: `packed_size` = `hq_optimizer_bytes.gradient` bytes.
/// - `out`: `out_len` floats, one for each parameter.
///
/// Buffers must not overlap. Callable from any thread. Errors: `HQ_ERROR_SHAPE`, `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `out` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const hq_optimizer_group group = {1, 5, 0.5f, 1.0f};
/// const uint8_t packed[5] = {0, 0, 0, 0x40, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 2 * 81}; // the scale 2, and five trits
/// float out[5];
/// assert(hq_optimizer_unpack_gradient(&group, 1, packed, 5, out, 5) == HQ_OK);
/// assert(out[0] == -2.0f && out[1] == 2.0f && out[2] == 0.0f && out[4] == 2.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_unpack_gradient(
    groups: *const hq_optimizer_group,
    groups_len: usize,
    packed: *const u8,
    packed_size: usize,
    out: *mut f32,
    out_len: usize,
) -> hq_status {
    status(|| {
        let (groups, packed) = (Input::new(groups, groups_len)?, Input::new(packed, packed_size)?);
        let out = Output::new(out, out_len)?;
        disjoint(&[out.span()], &[groups.span(), packed.span()])?;
        // SAFETY: the caller vouches for the memory; the output overlaps nothing.
        let (groups, packed, out) = unsafe { (self::groups(groups), packed.slice(), out.slice()) };
        optimizer::unpack_gradient(groups, packed, out)
    })
}
