//! The hybrid step: propose, undo, judge.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::constrain::set::{Checked, NO_PARTS, hq_set};
use crate::capi::constrain::trust_region::{hq_trust_outcome, hq_trust_region};
use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, Span, disjoint, size, status};
use crate::learn::hybrid::{self, Batch, Hybrid, Model, Multipliers, Options, Pending, Proposal, State};

use super::optimizer::{groups, hq_optimizer_group, hq_optimizer_options, hq_optimizer_state, options};
use super::optimizer_step::hq_optimizer_report;

/// What is kept between hybrid steps beside the arrays; 200 bytes. `hq_hybrid_start` makes one. Save it between steps, with
/// parameters and memory, and the run goes on with the same bits. Constants of `region` may be changed.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_hybrid_state {
    /// The optimizer's.
    pub optimizer: hq_optimizer_state,
    /// The trust region.
    pub region: hq_trust_region,
    /// The optimizer's state before the step that waits for its judgement.
    pub before: hq_optimizer_state,
    /// Of that step: the loss before it ...
    pub loss: f32,
    /// ... by how much it should fall ...
    pub predicted: f32,
    /// ... the norm ...
    pub norm: f32,
    /// ... the efficiency ...
    pub efficiency: f32,
    /// ... what the radius was multiplied with ...
    pub multiplier: f32,
    /// ... and 1 if a radius shortened it.
    pub bounded: u32,
    /// 1 if a step waits for its judgement, else 0.
    pub waiting: u32,
    /// 0.
    pub reserved: u32,
}

/// A model in training: everything that a hybrid step reads and writes. The arrays are the caller's.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct hq_hybrid {
    /// How to step; NULL for the usual options.
    pub options: *const hq_optimizer_options,
    /// The parameters, in this order. Rates and radii may change between steps, shapes may not.
    pub groups: *const hq_optimizer_group,
    /// How many.
    pub groups_len: usize,
    /// All parameters together are projected to it after every step; NULL for none.
    pub set: *const hq_set,
    /// What `hq_hybrid_start` or the last step left.
    pub state: *mut hq_hybrid_state,
    /// `hq_optimizer_memory_size` bytes, aligned to 4 if a part of it is held in `float`.
    pub memory: *mut c_void,
    /// How many bytes.
    pub memory_size: usize,
    /// `hq_hybrid_undo_size` bytes.
    pub undo: *mut c_void,
    /// How many bytes.
    pub undo_size: usize,
    /// The parameters in full precision.
    pub params: *mut f32,
    /// How many.
    pub params_len: usize,
    /// The parameters as the forward pass is to see them, as many; NULL where it reads `params` or `packed`.
    pub visible: *mut f32,
    /// How many.
    pub visible_len: usize,
    /// The packed parameters; NULL where they are not wanted.
    pub packed: *mut u8,
    /// How many bytes.
    pub packed_size: usize,
    /// Steps whose efficiency (cosine between step and negative gradient) is below are judged by the loss alone: -1 to 1. 0.05
    /// is a good start.
    pub least_efficiency: f32,
    /// By what part of itself the loss may rise in such a step; at least 0. 0.1 is a good start.
    pub tolerated_rise: f32,
}

const _: () = {
    assert!(size_of::<hq_hybrid_state>() == 200);
    assert!(size_of::<hq_hybrid>() == 15 * size_of::<usize>() + 8);
};

impl hq_hybrid_state {
    fn to_rust(self) -> Result<State, Error> {
        if self.reserved != 0 || self.waiting > 1 || self.bounded > 1 {
            return Err(Error::Corrupt);
        }
        let pending = Pending {
            before: bytemuck::must_cast(self.before),
            loss: self.loss,
            predicted: self.predicted,
            norm: self.norm,
            efficiency: self.efficiency,
            multiplier: self.multiplier,
            bounded: self.bounded == 1,
        };
        Ok(State {
            optimizer: bytemuck::must_cast(self.optimizer),
            region: self.region.to_rust()?,
            pending: (self.waiting == 1).then_some(pending),
        })
    }

    fn from_rust(state: &State) -> hq_hybrid_state {
        let mut raw = hq_hybrid_state {
            optimizer: bytemuck::must_cast(state.optimizer),
            region: hq_trust_region::from_rust(&state.region),
            ..Zeroable::zeroed()
        };
        if let Some(pending) = &state.pending {
            raw.before = bytemuck::must_cast(pending.before);
            raw.loss = pending.loss;
            raw.predicted = pending.predicted;
            raw.norm = pending.norm;
            raw.efficiency = pending.efficiency;
            raw.multiplier = pending.multiplier;
            raw.bounded = u32::from(pending.bounded);
            raw.waiting = 1;
        }
        raw
    }
}

/// Bytes of the undo buffer of `hq_hybrid`: a copy of all that a step changes, with `visible_len` floats and `packed_size`
/// bytes; `SIZE_MAX` if `options` or `groups` are refused.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` may be NULL.
///
/// ```c
/// const hq_optimizer_group group = {2, 8, 0.1f, 1.0f};
/// assert(hq_hybrid_undo_size(NULL, &group, 1, 0, 0) == 2 * 16 * sizeof(float)); // parameters and momentum
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_undo_size(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    visible_len: usize,
    packed_size: usize,
) -> usize {
    size(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        // SAFETY: as above.
        let groups = unsafe { self::groups(Input::new(groups, groups_len)?) };
        hybrid::undo_size(&options, groups, visible_len, packed_size)
    })
}

/// Bytes of scratch that `hq_hybrid_propose` needs; `SIZE_MAX` if an argument is refused.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` and `set` may be NULL.
///
/// ```c
/// const hq_optimizer_group group = {2, 8, 0.1f, 1.0f};
/// assert(hq_hybrid_workspace_size(NULL, &group, 1, NULL) > hq_optimizer_workspace_size(NULL, &group, 1, NULL));
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_workspace_size(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    set: *const hq_set,
) -> usize {
    size(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        // SAFETY: as above.
        let groups = unsafe { self::groups(Input::new(groups, groups_len)?) };
        let mut room = NO_PARTS;
        let set = match set.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(unsafe { Checked::new(set) }?),
        };
        let set = match &set {
            // SAFETY: as above.
            Some(set) => Some(unsafe { set.set(&mut room) }?),
            None => None,
        };
        hybrid::workspace_size(&options, groups, set.as_ref())
    })
}

/// The state before the first step: a trust region of that radius with the constants of `hq_trust_region_init`, and the
/// optimizer's.
///
/// - `groups`: `groups_len` groups.
/// - `memory`: at least `hq_optimizer_memory_size` bytes, of which just those are cleared.
///
/// Buffers must not overlap. Callable from any thread. Errors: as `hq_optimizer_start`, and
/// `HQ_ERROR_INVALID_ARGUMENT` for a radius outside 1e-30 to 1e30. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` may be NULL.
///
/// ```c
/// const hq_optimizer_group group = {1, 2, 0.1f, INFINITY};
/// float memory[2];
/// hq_hybrid_state state;
/// assert(hq_hybrid_start(NULL, &group, 1, 0.01f, &state, memory, sizeof memory) == HQ_OK);
/// assert(state.region.radius == 0.01f && state.waiting == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_start(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    radius: f32,
    state: *mut hq_hybrid_state,
    memory: *mut c_void,
    memory_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let (groups, state) = (Input::new(groups, groups_len)?, Output::new(state, 1)?);
        let memory = Output::<u8>::new(memory.cast(), memory_size)?;
        disjoint(&[state.span(), memory.span()], &[groups.span()])?;
        let region = crate::constrain::TrustRegion::new(radius)?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (groups, memory) = unsafe { (self::groups(groups), memory.slice()) };
        let value = hybrid::start(&options, groups, region, memory)?;
        // SAFETY: as above.
        unsafe { state.write(hq_hybrid_state::from_rust(&value)) };
        Ok(())
    })
}

/// Checks a model's pointers, runs `body` with the hybrid step over them, and stores the state if that succeeds.
///
/// # Safety
/// `model` points to a struct whose pointers are valid for the lengths beside them; so are the arrays behind `outputs` and
/// `inputs`, and nobody else uses any of them.
unsafe fn with(
    model: *const hq_hybrid,
    outputs: &[Span],
    inputs: &[Span],
    body: impl FnOnce(&mut Hybrid<'_>, &mut Model<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    if model.is_null() {
        return Err(Error::NullPointer);
    }
    if !model.is_aligned() {
        return Err(Error::Misaligned);
    }
    // SAFETY: neither NULL nor misaligned; the caller vouches for the rest.
    let raw = unsafe { model.read() };
    // SAFETY: the caller vouches for the memory.
    let optimizer = unsafe { self::options(raw.options) }?;
    let set = match raw.set.is_null() {
        true => None,
        // SAFETY: as above.
        false => Some(unsafe { Checked::new(raw.set) }?),
    };
    let (groups, state) = (Input::new(raw.groups, raw.groups_len)?, Output::new(raw.state, 1)?);
    let memory = Output::<u8>::new(raw.memory.cast(), raw.memory_size)?;
    let undo = Output::<u8>::new(raw.undo.cast(), raw.undo_size)?;
    let params = Output::new(raw.params, raw.params_len)?;
    let visible = Output::new(raw.visible, raw.visible_len)?;
    let packed = Output::new(raw.packed, raw.packed_size)?;
    let own = [state.span(), memory.span(), undo.span(), params.span(), visible.span(), packed.span()];
    match &set {
        // SAFETY: as above.
        Some(set) => unsafe { set.apart(&own, inputs) }?,
        None => disjoint(&own, inputs)?,
    }
    disjoint(&own, &[groups.span()])?;
    // Outputs of the call, against everything that the model has.
    disjoint(outputs, inputs)?;
    disjoint(outputs, &own)?;
    disjoint(outputs, &[groups.span()])?;
    if let Some(set) = &set {
        // SAFETY: as above.
        unsafe { set.apart(outputs, &[]) }?;
    }
    // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
    let (groups, state) = unsafe { (self::groups(groups), state.slice()) };
    // SAFETY: as above.
    let (memory, undo, params) = unsafe { (memory.slice(), undo.slice(), params.slice()) };
    // SAFETY: as above.
    let (visible, packed) = unsafe { (visible.slice(), packed.slice()) };
    let [place] = state else { return Err(Error::NullPointer) };
    let mut room = NO_PARTS;
    let set = match &set {
        // SAFETY: as above.
        Some(set) => Some(unsafe { set.set(&mut room) }?),
        None => None,
    };
    let options = Options { least_efficiency: raw.least_efficiency, tolerated_rise: raw.tolerated_rise };
    let mut state = place.to_rust()?;
    let mut hybrid =
        Hybrid { options: &options, optimizer: &optimizer, groups, set, state: &mut state, memory, undo };
    body(&mut hybrid, &mut Model { params, visible, packed })?;
    *place = hq_hybrid_state::from_rust(&state);
    Ok(())
}

/// Makes a step and waits for its judgement: the optimizer's step with learning rates and radius times the multipliers, the
/// radius shared out among the groups by the roots of their sizes.
///
/// - `model`: the parameters, the state, the buffers.
/// - `loss`, `gradient`: on a batch; `gradient_len` floats, one for each parameter.
/// - `rate_multiplier`: of the learning rates, at least 0; `radius_multiplier`: of the radius, above 0. 1 and 1: the base
///   optimizer.
/// - `report`: what the step did, if it was made; or NULL.
/// - `verdict`: `HQ_TRUST_ACCEPTED` if the step was made: compute the loss on the same batch, then call `hq_hybrid_judge`. It is
///   `HQ_TRUST_REFUSED` for a loss or gradient that is NaN or infinite, or so large that the step would be: the radius has
///   shrunk, nothing else has changed; go on with the next batch.
/// - `scratch`: at least `hq_hybrid_workspace_size` bytes at any alignment.
///
/// The same bits on every tier and target. Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_INVALID_ARGUMENT` (options, multipliers or rates out of range, or a step waits already),
/// `HQ_ERROR_NON_FINITE` (a parameter), `HQ_ERROR_CORRUPT` (the state holds a number that no step leaves), and as
/// `hq_optimizer_step`. Nothing has changed then.
///
/// # Safety
/// Each pointer is valid for the length given with it, also those in `model`.
///
/// ```c
/// const hq_optimizer_group group = {1, 2, 0.25f, INFINITY};
/// float params[2] = {3.0f, -1.0f}, gradient[2], memory[2], loss = 0.0f;
/// static uint8_t undo[64], scratch[65536];
/// hq_hybrid_state state;
/// hq_hybrid model = {0};
/// hq_trust_outcome outcome;
/// int32_t verdict, step;
/// assert(hq_hybrid_undo_size(NULL, &group, 1, 0, 0) <= sizeof undo);
/// assert(hq_hybrid_workspace_size(NULL, &group, 1, NULL) <= sizeof scratch);
/// assert(hq_hybrid_start(NULL, &group, 1, 0.5f, &state, memory, sizeof memory) == HQ_OK);
/// model.groups = &group, model.groups_len = 1, model.state = &state;
/// model.memory = memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
/// model.params = params, model.params_len = 2;
/// model.least_efficiency = 0.05f, model.tolerated_rise = 0.1f;
/// for (step = 0; step < 100; step++) { // the loss is half the squared norm
///     loss = 0.5f * (params[0] * params[0] + params[1] * params[1]);
///     gradient[0] = params[0], gradient[1] = params[1];
///     assert(hq_hybrid_propose(&model, loss, gradient, 2, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
///     assert(verdict == HQ_TRUST_ACCEPTED);
///     loss = 0.5f * (params[0] * params[0] + params[1] * params[1]);
///     assert(hq_hybrid_judge(&model, loss, &outcome) == HQ_OK);
/// }
/// assert(loss < 0.01f && state.region.steps == 100);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_propose(
    model: *const hq_hybrid,
    loss: f32,
    gradient: *const f32,
    gradient_len: usize,
    rate_multiplier: f32,
    radius_multiplier: f32,
    report: *mut hq_optimizer_report,
    verdict: *mut i32,
    scratch: *mut c_void,
    scratch_size: usize,
) -> hq_status {
    status(|| {
        let gradient = Input::new(gradient, gradient_len)?;
        let report = Output::new(report, usize::from(!report.is_null()))?;
        let verdict = Output::new(verdict, 1)?;
        let scratch = Output::<u8>::new(scratch.cast(), scratch_size)?;
        let outputs = [report.span(), verdict.span(), scratch.span()];
        let by = Multipliers { learning_rate: rate_multiplier, radius: radius_multiplier };
        let step = |hybrid: &mut Hybrid<'_>, model: &mut Model<'_>| {
            // SAFETY: the caller vouches for the memory; `with` has found no overlap.
            let (gradient, scratch) = unsafe { (gradient.slice(), scratch.slice()) };
            let found = match hybrid.propose(&Batch { loss, gradient }, by, model, scratch)? {
                Proposal::Trial(done) => {
                    // SAFETY: as above.
                    if let [report] = unsafe { report.slice() } {
                        *report = hq_optimizer_report::from_rust(&done);
                    }
                    crate::constrain::Verdict::Accepted
                }
                Proposal::Refused(outcome) => outcome.verdict,
            };
            // SAFETY: as above.
            unsafe { verdict.write(found as i32) };
            Ok(())
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { with(model, &outputs, &[gradient.span()], step) }
    })
}

/// Keeps the waiting step or takes it back to the bit, and sets the radius for the next one.
///
/// - `trial_loss`: the loss on the batch of the proposal with the parameters after the step; NaN and infinity refuse it.
/// - `outcome`: what became of it.
///
/// Callable from any thread. Errors: `HQ_ERROR_INVALID_ARGUMENT` (no step waits), `HQ_ERROR_OUTPUT_TOO_SMALL` (buffers
/// shorter than at the proposal), `HQ_ERROR_CORRUPT`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`.
/// Nothing has changed then.
///
/// # Safety
/// Each pointer is valid, also those in `model`.
///
/// ```c
/// const hq_optimizer_group group = {1, 1, 0.5f, INFINITY};
/// const float x_gradient = 1.0f;
/// float x = 4.0f, memory;
/// static uint8_t undo[16], scratch[65536];
/// hq_hybrid_state state;
/// hq_hybrid model = {0};
/// hq_trust_outcome outcome;
/// int32_t verdict;
/// model.groups = &group, model.groups_len = 1, model.state = &state, model.params = &x, model.params_len = 1;
/// model.memory = &memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
/// assert(hq_hybrid_start(NULL, &group, 1, 1.0f, &state, &memory, sizeof memory) == HQ_OK);
/// assert(hq_hybrid_propose(&model, 8.0f, &x_gradient, 1, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
/// assert(x == 3.5f);
/// assert(hq_hybrid_judge(&model, 9.0f, &outcome) == HQ_OK); // the loss rose
/// assert(outcome.verdict == HQ_TRUST_REJECTED && x == 4.0f && state.region.radius == 0.25f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_judge(
    model: *const hq_hybrid,
    trial_loss: f32,
    outcome: *mut hq_trust_outcome,
) -> hq_status {
    status(|| {
        let outcome = Output::new(outcome, 1)?;
        let judge = |hybrid: &mut Hybrid<'_>, model: &mut Model<'_>| {
            let found = hybrid.judge(trial_loss, model)?;
            // SAFETY: the caller vouches for the memory; `with` has found no overlap.
            unsafe { outcome.write(hq_trust_outcome::from_rust(&found)) };
            Ok(())
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { with(model, &[outcome.span()], &[], judge) }
    })
}

/// Takes the waiting step back, unjudged, to compare another one on the same batch.
///
/// Callable from any thread. Errors: as `hq_hybrid_judge`.
///
/// # Safety
/// Each pointer is valid, also those in `model`.
///
/// ```c
/// const hq_optimizer_group group = {1, 1, 0.5f, INFINITY};
/// const float x_gradient = 1.0f;
/// float x = 4.0f, memory;
/// static uint8_t undo[16], scratch[65536];
/// hq_hybrid_state state;
/// hq_hybrid model = {0};
/// int32_t verdict;
/// model.groups = &group, model.groups_len = 1, model.state = &state, model.params = &x, model.params_len = 1;
/// model.memory = &memory, model.memory_size = sizeof memory, model.undo = undo, model.undo_size = sizeof undo;
/// assert(hq_hybrid_start(NULL, &group, 1, 1.0f, &state, &memory, sizeof memory) == HQ_OK);
/// assert(hq_hybrid_propose(&model, 8.0f, &x_gradient, 1, 1.0f, 1.0f, NULL, &verdict, scratch, sizeof scratch) == HQ_OK);
/// assert(x == 3.5f);
/// assert(hq_hybrid_undo(&model) == HQ_OK && x == 4.0f && state.waiting == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_hybrid_undo(model: *const hq_hybrid) -> hq_status {
    // SAFETY: the caller vouches for the memory.
    status(|| unsafe { with(model, &[], &[], |hybrid, model| hybrid.undo(model)) })
}
