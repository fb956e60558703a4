//! What an optimizer is told: options, groups of parameters, the form in which the state is held.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::quant::{Fit, Format};

/// The direction of a step, before it is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Base {
    /// Gradient descent with momentum: `m = momentum m + g`, step along `m` (Polyak 1964).
    Sgd = 0,
    /// The same with the gradient looked for ahead: step along `g + momentum m` (Nesterov 1983, in the form of Sutskever
    /// et al. 2013).
    Nesterov = 1,
    /// Adam with Nesterov momentum and decoupled weight decay (Dozat 2016; Loshchilov, Hutter, arXiv:1711.05101).
    NadamW = 2,
}

impl Base {
    /// The direction with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Base, Error> {
        [Base::Sgd, Base::Nesterov, Base::NadamW]
            .into_iter()
            .find(|&b| b as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// The form in which a number per parameter is held between steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Storage {
    /// Not held: 0 bits. For the residual only: what the gradient loses by quantization is lost for good.
    None = 0,
    /// 32 bits.
    F32 = 1,
    /// 8.125 bits: codes -127..=127 and a scale per 256.
    Int8 = 2,
    /// 4.25 bits: codes -7..=7 and a scale per 128.
    Int4 = 3,
    /// 1.625 bits: five trits a byte and a scale per 1280. The second moment has one number per 1280 (0.025 bits).
    Ternary = 4,
}

impl Storage {
    /// The form with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<Storage, Error> {
        [Storage::None, Storage::F32, Storage::Int8, Storage::Int4, Storage::Ternary]
            .into_iter()
            .find(|&s| s as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// What a step does to the gradient before it uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum GradientForm {
    /// Nothing.
    F32 = 0,
    /// 1280 values at a time become trits with a scale, after a clip at [`Options::sigma`] standard deviations.
    Ternary = 1,
}

impl GradientForm {
    /// The form with that number in the C ABI.
    ///
    /// # Errors
    /// [`Error::UnknownEnum`].
    pub fn from_i32(value: i32) -> Result<GradientForm, Error> {
        [GradientForm::F32, GradientForm::Ternary]
            .into_iter()
            .find(|&f| f as i32 == value)
            .ok_or(Error::UnknownEnum)
    }
}

/// How to step. The defaults are those of [`Options::DEFAULT`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The direction.
    pub base: Base,
    /// How the momentum is held.
    pub moment: Storage,
    /// How the second moment of [`Base::NadamW`] is held (its root, to be exact).
    pub second: Storage,
    /// What happens to the gradient.
    pub gradient: GradientForm,
    /// How the error of quantization is held that is fed back to the next gradient. [`Storage::None`]: it is lost.
    pub residual: Storage,
    /// The decay of the momentum; of [`Base::NadamW`] the first beta. `[0, 1)`.
    pub momentum: f32,
    /// The second beta of [`Base::NadamW`]. `[0, 1)`.
    pub beta2: f32,
    /// Added to the root of the second moment; above 0.
    pub epsilon: f32,
    /// Decoupled weight decay: the parameters shrink by learning rate times this. At least 0.
    pub weight_decay: f32,
    /// The gradient of all groups together is scaled down to this norm; infinity: never.
    pub clip_norm: f32,
    /// Standard deviations at which the ternary gradient is clipped; infinity: never.
    pub sigma: f32,
    /// The packed format of the parameters: [`Format::Tq1_0`] or [`Format::Tq2_0`].
    pub format: Format,
    /// How their scales are fitted, one for each 256 of a row: [`Fit::Mse`], [`Fit::AbsMean`], [`Fit::Lloyd`] or
    /// [`Fit::AbsMax`].
    pub fit: Fit,
    /// The step (counted from 0) with which the proximal map of the parameters begins to turn from the identity ...
    pub ramp_start: u64,
    /// ... and the one from which it is hard ternary. Both 0: from the beginning.
    pub ramp_end: u64,
    /// Of stochastic rounding, where there is any.
    pub seed: u64,
}

impl Options {
    /// Momentum 0.9 in f32, gradients as they are, clipped to norm 1; hard ternary parameters where they are asked for.
    pub const DEFAULT: Options = Options {
        base: Base::Sgd,
        moment: Storage::F32,
        second: Storage::F32,
        gradient: GradientForm::F32,
        residual: Storage::None,
        momentum: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.0,
        clip_norm: 1.0,
        sigma: 2.5,
        format: Format::Tq2_0,
        fit: Fit::Mse,
        ramp_start: 0,
        ramp_end: 0,
        seed: 0,
    };

    /// Refuses what is outside its range, and what does not exist.
    pub(super) fn check(&self) -> Result<(), Error> {
        let share = |x: f32| (0.0..1.0).contains(&x);
        let ranges = share(self.momentum)
            && share(self.beta2)
            && self.epsilon > 0.0
            && self.epsilon.is_finite()
            && self.weight_decay >= 0.0
            && self.weight_decay.is_finite()
            && self.clip_norm > 0.0
            && self.sigma > 0.0
            && self.ramp_start <= self.ramp_end;
        if !ranges {
            return Err(Error::InvalidArgument);
        }
        if self.moment == Storage::None && self.momentum != 0.0 {
            return Err(Error::Unsupported);
        }
        if self.base == Base::NadamW && (self.second == Storage::None || self.moment == Storage::None) {
            return Err(Error::Unsupported);
        }
        if self.residual == Storage::Ternary {
            return Err(Error::Unsupported); // the trits of a residual would lose most of it
        }
        if !matches!(self.format, Format::Tq1_0 | Format::Tq2_0)
            || !matches!(self.fit, Fit::Mse | Fit::AbsMean | Fit::Lloyd | Fit::AbsMax)
        {
            return Err(Error::Unsupported);
        }
        Ok(())
    }

    /// How the second moment is held, if there is one.
    pub(super) fn second_storage(&self) -> Storage {
        if self.base == Base::NadamW { self.second } else { Storage::None }
    }

    /// How far the proximal map is from hard ternary at a step: 1 is the identity, 0 hard. Falls smoothly
    /// (`1 - 3 t^2 + 2 t^3`) from [`Options::ramp_start`] to [`Options::ramp_end`].
    ///
    /// ```
    /// use hybridq::learn::optimizer::Options;
    /// let options = Options { ramp_start: 100, ramp_end: 300, ..Options::DEFAULT };
    /// assert_eq!([50, 200, 300].map(|step| options.inverse_slope(step)), [1.0, 0.5, 0.0]);
    /// ```
    #[must_use]
    pub fn inverse_slope(&self, step: u64) -> f32 {
        if step >= self.ramp_end {
            return 0.0;
        }
        let Some(into) = step.checked_sub(self.ramp_start) else { return 1.0 };
        let t = into as f32 / (self.ramp_end - self.ramp_start) as f32;
        1.0 - t * t * (3.0 - 2.0 * t)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::DEFAULT
    }
}

/// A matrix of parameters with a learning rate and a trust radius of its own. Groups lie one after the other in all
/// arrays; clusters of parameters are groups once they are sorted by cluster.
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct Group {
    /// Rows of the matrix; vectors have one.
    pub rows: usize,
    /// Columns: what is quantized lies in a row.
    pub cols: usize,
    /// At least 0.
    pub learning_rate: f32,
    /// The L2 norm of a step of this group stays within it; above 0, infinity: unbounded.
    pub radius: f32,
}

impl Group {
    /// Parameters of the group.
    pub(super) fn len(&self) -> Result<usize, Error> {
        self.rows.checked_mul(self.cols).ok_or(Error::SizeOverflow)
    }
}

/// Parameters of all groups.
pub(super) fn total(groups: &[Group]) -> Result<usize, Error> {
    let mut total = 0usize;
    for group in groups {
        total = total.checked_add(group.len()?).ok_or(Error::SizeOverflow)?;
    }
    Ok(total)
}

/// Refuses rates and radii outside their range.
pub(super) fn check_groups(groups: &[Group]) -> Result<(), Error> {
    let good = |g: &Group| g.learning_rate >= 0.0 && g.learning_rate.is_finite() && g.radius > 0.0;
    if groups.iter().all(good) { Ok(()) } else { Err(Error::InvalidArgument) }
}
