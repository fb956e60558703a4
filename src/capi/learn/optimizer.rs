//! The optimizer: options, groups, state, sizes.

use core::ffi::c_void;

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::capi::constrain::set::{Checked, NO_PARTS, hq_set};
use crate::capi::pointers::{Input, Output, disjoint, size, status};
use crate::capi::{hq_status, quant};
use crate::learn::optimizer::{self, Base, GradientForm, Group, Options, State, Storage};
use crate::quant::{Fit, Format};

/// Gradient descent with momentum: `m = momentum m + g`, step along `m`.
pub const HQ_BASE_SGD: i32 = 0;
/// With Nesterov's momentum: step along `g + momentum m`.
pub const HQ_BASE_NESTEROV: i32 = 1;
/// Adam with Nesterov momentum and decoupled weight decay.
pub const HQ_BASE_NADAMW: i32 = 2;

/// Not held. For the residual only: what the gradient loses by quantization is lost for good.
pub const HQ_STORAGE_NONE: i32 = 0;
/// 32 bits for each parameter.
pub const HQ_STORAGE_F32: i32 = 1;
/// 8.125 bits: a scale per 256.
pub const HQ_STORAGE_INT8: i32 = 2;
/// 4.25 bits: a scale per 128.
pub const HQ_STORAGE_INT4: i32 = 3;
/// 1.625 bits: five trits a byte and a scale per 1280. The second moment has one number per 1280. Not for the residual.
pub const HQ_STORAGE_TERNARY: i32 = 4;

/// The gradient is used as it is.
pub const HQ_GRADIENT_F32: i32 = 0;
/// 1280 values at a time become trits with a scale, after a clip at `sigma` standard deviations.
pub const HQ_GRADIENT_TERNARY: i32 = 1;

const _: () = {
    assert!(HQ_BASE_SGD == Base::Sgd as i32);
    assert!(HQ_BASE_NESTEROV == Base::Nesterov as i32);
    assert!(HQ_BASE_NADAMW == Base::NadamW as i32);
    assert!(HQ_STORAGE_NONE == Storage::None as i32);
    assert!(HQ_STORAGE_F32 == Storage::F32 as i32);
    assert!(HQ_STORAGE_INT8 == Storage::Int8 as i32);
    assert!(HQ_STORAGE_INT4 == Storage::Int4 as i32);
    assert!(HQ_STORAGE_TERNARY == Storage::Ternary as i32);
    assert!(HQ_GRADIENT_F32 == GradientForm::F32 as i32);
    assert!(HQ_GRADIENT_TERNARY == GradientForm::Ternary as i32);
    assert!(size_of::<hq_optimizer_options>() == 80);
    assert!(size_of::<hq_optimizer_group>() == size_of::<Group>());
    assert!(size_of::<hq_optimizer_group>() == 8 + 2 * size_of::<usize>());
    assert!(size_of::<hq_optimizer_state>() == size_of::<State>());
    assert!(size_of::<hq_optimizer_state>() == 40);
    assert!(size_of::<hq_optimizer_bytes>() == 7 * size_of::<usize>());
};

/// How to step. `hq_optimizer_options_default` gives a good start, which NULL stands for, too.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_options {
    /// The step, counted from 0, with which the proximal map of the parameters begins to turn from the identity ...
    pub ramp_start: u64,
    /// ... and the one from which it is hard ternary. Both 0: from the beginning.
    pub ramp_end: u64,
    /// Of stochastic rounding, where there is any.
    pub seed: u64,
    /// `HQ_BASE_*`.
    pub base: i32,
    /// How the momentum is held: `HQ_STORAGE_*`.
    pub moment: i32,
    /// How the second moment of `HQ_BASE_NADAMW` is held.
    pub second: i32,
    /// `HQ_GRADIENT_*`.
    pub gradient: i32,
    /// How the error of quantization is held that is fed back to the next gradient.
    pub residual: i32,
    /// The packed format of the parameters: `HQ_FORMAT_TQ1_0` or `HQ_FORMAT_TQ2_0`.
    pub format: i32,
    /// How their scales are fitted: `HQ_FIT_MSE`, `HQ_FIT_ABSMEAN`, `HQ_FIT_ABSMAX` or `HQ_FIT_LLOYD`.
    pub fit: i32,
    /// 0.
    pub reserved: i32,
    /// The decay of the momentum; of `HQ_BASE_NADAMW` the first beta. At least 0, below 1.
    pub momentum: f32,
    /// The second beta of `HQ_BASE_NADAMW`. At least 0, below 1.
    pub beta2: f32,
    /// Added to the root of the second moment; above 0.
    pub epsilon: f32,
    /// Decoupled weight decay; at least 0.
    pub weight_decay: f32,
    /// The gradient of all groups together is scaled down to this norm; above 0, `INFINITY`: never.
    pub clip_norm: f32,
    /// Standard deviations at which the ternary gradient is clipped; above 0, `INFINITY`: never.
    pub sigma: f32,
}

/// A matrix of parameters with a learning rate and a trust radius of its own. Groups lie one after the other in all arrays.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_group {
    /// Rows of the matrix; vectors have one.
    pub rows: usize,
    /// Columns: what is quantized lies in a row.
    pub cols: usize,
    /// At least 0.
    pub learning_rate: f32,
    /// The L2 norm of a step of this group stays within it; above 0, `INFINITY`: unbounded.
    pub radius: f32,
}

/// The few numbers of an optimizer beside its memory. Save and restore it with the memory, and the run goes on with the
/// same bits. `hq_optimizer_start` makes one; change nothing in it.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_state {
    /// Steps taken.
    pub steps: u64,
    /// What base, forms and groups the memory was laid out for.
    pub layout: u64,
    /// `momentum ^ steps`.
    pub moment_power: f32,
    /// `beta2 ^ steps`.
    pub second_power: f32,
    /// No momentum is larger than this.
    pub moment_bound: f32,
    /// No residual is larger than this.
    pub residual_bound: f32,
    /// By how much the last step should have lowered the loss, to first order.
    pub predicted: f32,
    /// 0.
    pub reserved: u32,
}

/// Bytes of every part of an optimizer.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_optimizer_bytes {
    /// The momentum.
    pub moment: usize,
    /// The second moment of `HQ_BASE_NADAMW`.
    pub second: usize,
    /// The memory of error feedback.
    pub residual: usize,
    /// The three above with their padding: `hq_optimizer_memory_size`.
    pub memory: usize,
    /// The gradient as packed trits.
    pub gradient: usize,
    /// The parameters, packed.
    pub packed: usize,
    /// The parameters in `float` that steps are added to.
    pub latent: usize,
}

/// # Safety
/// NULL, or valid.
pub(super) unsafe fn options(options: *const hq_optimizer_options) -> Result<Options, Error> {
    if options.is_null() {
        return Ok(Options::DEFAULT);
    }
    let options = Input::new(options, 1)?;
    // SAFETY: the caller vouches for the memory.
    let [options] = (unsafe { options.slice() }) else { return Ok(Options::DEFAULT) };
    let fit = match options.fit {
        quant::HQ_FIT_MSE => Fit::Mse,
        quant::HQ_FIT_ABSMEAN => Fit::AbsMean,
        quant::HQ_FIT_ABSMAX => Fit::AbsMax,
        quant::HQ_FIT_LLOYD => Fit::Lloyd,
        quant::HQ_FIT_PERCENTILE..=quant::HQ_FIT_MINMAX => {
            return Err(Error::Unsupported);
        }
        _ => return Err(Error::UnknownEnum),
    };
    if options.reserved != 0 {
        return Err(Error::InvalidArgument);
    }
    Ok(Options {
        base: Base::from_i32(options.base)?,
        moment: Storage::from_i32(options.moment)?,
        second: Storage::from_i32(options.second)?,
        gradient: GradientForm::from_i32(options.gradient)?,
        residual: Storage::from_i32(options.residual)?,
        momentum: options.momentum,
        beta2: options.beta2,
        epsilon: options.epsilon,
        weight_decay: options.weight_decay,
        clip_norm: options.clip_norm,
        sigma: options.sigma,
        format: Format::from_i32(options.format)?,
        fit,
        ramp_start: options.ramp_start,
        ramp_end: options.ramp_end,
        seed: options.seed,
    })
}

/// # Safety
/// `len` groups are readable, for as long as the result is used.
pub(super) unsafe fn groups<'a>(groups: Input<hq_optimizer_group>) -> &'a [Group] {
    // SAFETY: the caller vouches for the memory.
    bytemuck::must_cast_slice(unsafe { groups.slice() })
}

/// Writes the usual options: momentum 0.9 in `float`, gradients as they are, clipped to norm 1; parameters hard ternary
/// where they are asked for.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`.
///
/// # Safety
/// `options` is valid.
///
/// ```c
/// hq_optimizer_options options;
/// assert(hq_optimizer_options_default(&options) == HQ_OK && options.momentum == 0.9f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_options_default(options: *mut hq_optimizer_options) -> hq_status {
    status(|| {
        let options = Output::new(options, 1)?;
        let usual = Options::DEFAULT;
        let value = hq_optimizer_options {
            ramp_start: usual.ramp_start,
            ramp_end: usual.ramp_end,
            seed: usual.seed,
            base: usual.base as i32,
            moment: usual.moment as i32,
            second: usual.second as i32,
            gradient: usual.gradient as i32,
            residual: usual.residual as i32,
            format: usual.format as i32,
            fit: quant::HQ_FIT_MSE,
            reserved: 0,
            momentum: usual.momentum,
            beta2: usual.beta2,
            epsilon: usual.epsilon,
            weight_decay: usual.weight_decay,
            clip_norm: usual.clip_norm,
            sigma: usual.sigma,
        };
        // SAFETY: the caller vouches for the memory.
        unsafe { options.write(value) };
        Ok(())
    })
}

/// Bytes of the memory that an optimizer keeps between steps. `SIZE_MAX` for arguments that the functions would refuse, and
/// on overflow.
///
/// # Safety
/// `options` is valid or NULL; `groups` points to `groups_len` groups.
///
/// ```c
/// const hq_optimizer_group group = {10, 128, 0.1f, 1.0f};
/// assert(hq_optimizer_memory_size(NULL, &group, 1) == 4 * 1280);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_memory_size(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
) -> usize {
    size(|| {
        let groups = Input::new(groups, groups_len)?;
        // SAFETY: the caller vouches for the memory.
        unsafe { optimizer::memory_size(&self::options(options)?, self::groups(groups)) }
    })
}

/// Bytes of scratch that `hq_optimizer_step` needs: 24 for each value of a block (at most 1280) and 11 KB, or what the set
/// needs, if that is more. `SIZE_MAX` for arguments that the functions would refuse, and on overflow.
///
/// # Safety
/// `options` is valid or NULL; `groups` points to `groups_len` groups; `set` is NULL or valid, and so are its arrays.
///
/// ```c
/// const hq_optimizer_group group = {1000, 1000, 0.1f, 1.0f};
/// assert(hq_optimizer_workspace_size(NULL, &group, 1, NULL) < 64 * 1024);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_workspace_size(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    set: *const hq_set,
) -> usize {
    size(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let groups = Input::new(groups, groups_len)?;
        let mut room = NO_PARTS;
        let set = match set.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(unsafe { Checked::new(set)?.set(&mut room) }?),
        };
        // SAFETY: as above.
        optimizer::workspace_size(&options, unsafe { self::groups(groups) }, set.as_ref())
    })
}

/// The bytes of every part: what is held between steps, and what the packed gradient and parameters take.
///
/// - `groups`: `groups_len` groups.
/// - `bytes`: one struct.
///
/// Callable from any thread. Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range),
/// `HQ_ERROR_UNSUPPORTED` (a form, format or fit that an optimizer does not have), `HQ_ERROR_NULL_POINTER`,
/// `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`. `bytes` is untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` may be NULL.
///
/// ```c
/// const hq_optimizer_group group = {1000, 1280, 0.1f, 1.0f};
/// hq_optimizer_bytes bytes;
/// assert(hq_optimizer_bytes_held(NULL, &group, 1, &bytes) == HQ_OK);
/// assert(bytes.moment == 5120000 && bytes.gradient == 260000); // 19.7 times less
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_bytes_held(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    bytes: *mut hq_optimizer_bytes,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let (groups, bytes) = (Input::new(groups, groups_len)?, Output::new(bytes, 1)?);
        disjoint(&[bytes.span()], &[groups.span()])?;
        // SAFETY: the caller vouches for the memory.
        let held = optimizer::bytes_held(&options, unsafe { self::groups(groups) })?;
        let value = hq_optimizer_bytes {
            moment: held.moment,
            second: held.second,
            residual: held.residual,
            memory: held.memory,
            gradient: held.gradient,
            packed: held.packed,
            latent: held.latent,
        };
        // SAFETY: as above.
        unsafe { bytes.write(value) };
        Ok(())
    })
}

/// The state before the first step.
///
/// - `groups`: `groups_len` groups. Rates and radii may change later, shapes may not.
/// - `state`: one struct.
/// - `memory`: at least `hq_optimizer_memory_size(options, groups, groups_len)` bytes, of which just those are cleared;
///   aligned to 4 if a part is held in `float`.
///
/// Buffers must not overlap. Callable from any thread. Errors: as `hq_optimizer_bytes_held`, and
/// `HQ_ERROR_OUTPUT_TOO_SMALL` for the memory. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it; `options` may be NULL.
///
/// ```c
/// const hq_optimizer_group group = {2, 2, 0.1f, 1.0f};
/// hq_optimizer_state state;
/// float memory[4];
/// assert(hq_optimizer_start(NULL, &group, 1, &state, memory, sizeof memory) == HQ_OK && state.steps == 0);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_optimizer_start(
    options: *const hq_optimizer_options,
    groups: *const hq_optimizer_group,
    groups_len: usize,
    state: *mut hq_optimizer_state,
    memory: *mut c_void,
    memory_size: usize,
) -> hq_status {
    status(|| {
        // SAFETY: the caller vouches for the memory.
        let options = unsafe { self::options(options) }?;
        let (groups, state) = (Input::new(groups, groups_len)?, Output::new(state, 1)?);
        let memory = Output::bytes(memory, memory_size)?;
        disjoint(&[state.span(), memory.span()], &[groups.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (groups, memory) = unsafe { (self::groups(groups), memory.slice()) };
        let value: State = optimizer::start(&options, groups, memory)?;
        // SAFETY: as above.
        unsafe { state.write(bytemuck::must_cast(value)) };
        Ok(())
    })
}
