//! The step: survey, then group by group and block by block.

use crate::constrain::{Project, Set};
use crate::math::{guard_scale, sqrt};
use crate::simd::floats;
use crate::workspace::{Carver, Layout};
use crate::{Error, simd};

use super::block::{self, Direction};
use super::options::{Base, GradientForm, Group, Options, Storage, check_groups, total};
use super::parameters::{self, Loss, Packer, Room};
use super::report::{GroupStep, Report};
use super::source::{self, Source};
use super::state::{Sections, State, gradient_size, packed_size};
use super::store::BLOCK;
use super::survey::{self, survey};
use super::whole::{ARRAYS, Rooms, Whole};

/// What a step begins with.
#[derive(Clone, Copy, Default)]
pub struct Inputs<'a> {
    /// A number for each parameter.
    pub gradient: &'a [f32],
    /// The losses before and after the previous step, both on the batch of that step.
    pub losses: Option<[f32; 2]>,
    /// The parameters of all groups together are projected to this set after the step.
    pub set: Option<Set<'a>>,
}

/// What a step writes beside the parameters; empty slices where that is not wanted.
#[derive(Default)]
pub struct Outputs<'a> {
    /// The parameters as the model is to see them: through the proximal map, at the end of the ramp exactly what `packed`
    /// decodes to.
    pub visible: &'a mut [f32],
    /// The parameters in [`Options::format`], [`packed_size`] bytes.
    pub packed: &'a mut [u8],
    /// The gradient that was used as packed trits, [`gradient_size`] bytes, if it is
    /// [`GradientForm::Ternary`].
    pub gradient: &'a mut [u8],
    /// The step of each group.
    pub groups: &'a mut [GroupStep],
}

/// An optimizer between two steps: everything but its memory is a few numbers.
///
/// ```
/// use hybridq::constrain::{L1Ball, Set};
/// use hybridq::learn::optimizer::{
///     GradientForm, Group, Inputs, Optimizer, Options, Outputs, Storage, memory_size, packed_size, start,
///     unpack_gradient, workspace_size,
/// };
///
/// // A matrix of 2 x 64 with ternary gradients and an int8 residual; |step| <= 0.5, and the magnitudes sum to 20 at most.
/// let options =
///     Options { gradient: GradientForm::Ternary, moment: Storage::Int8, residual: Storage::Int8, ..Options::DEFAULT };
/// let groups = [Group { rows: 2, cols: 64, learning_rate: 0.25, radius: 0.5 }];
/// let budget = Set::L1Ball(L1Ball { center: None, radius: 20.0 });
/// let mut memory = vec![0; memory_size(&options, &groups)?];
/// let mut scratch = vec![0; workspace_size(&options, &groups, Some(&budget))?];
/// let mut state = start(&options, &groups, &mut memory)?;
///
/// let (mut params, gradient) = (vec![0.0; 128], vec![0.125; 128]);
/// let (mut packed, mut codes) = (vec![0; packed_size(&options, &groups)?], vec![0; 4 + 26]);
/// let mut optimizer =
///     Optimizer { options: &options, groups: &groups, state: &mut state, memory: &mut memory };
/// let inputs = Inputs { gradient: &gradient, set: Some(budget), ..Inputs::default() };
/// let outputs = Outputs { packed: &mut packed, gradient: &mut codes, ..Outputs::default() };
/// let report = optimizer.step(&inputs, &mut params, outputs, &mut scratch)?;
/// assert!(report.gradient_norm > 1.41 && report.clipped_norm < 1.01 && report.step_norm < 0.51);
/// assert!(params.iter().all(|p| *p < 0.0) && !report.projected);
///
/// // The gradient that was used.
/// let mut used = vec![0.0; 128];
/// unpack_gradient(&groups, &codes, &mut used)?;
/// assert!(used.iter().all(|g| *g > 0.0));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub struct Optimizer<'a> {
    /// How to step. Rates and radii of the groups may change between steps, their shapes may not.
    pub options: &'a Options,
    /// The parameters, in this order.
    pub groups: &'a [Group],
    /// What [`start`](super::start) or the last step left.
    pub state: &'a mut State,
    /// [`memory_size`](super::memory_size) bytes, aligned to 4 if a part is held in f32.
    pub memory: &'a mut [u8],
}

/// Values of the longest block, padded.
fn longest(groups: &[Group]) -> Result<usize, Error> {
    let mut longest = 0;
    for group in groups {
        longest = group.len()?.min(BLOCK).max(longest);
    }
    Ok(longest.next_multiple_of(16))
}

/// Bytes of scratch that [`Optimizer::step`] needs: 24 for each value of a block (at most 1280) and 11 KB for packing, or
/// what the set needs, if that is more.
///
/// # Errors
/// As [`memory_size`](super::memory_size).
pub fn workspace_size(options: &Options, groups: &[Group], set: Option<&Set<'_>>) -> Result<usize, Error> {
    options.check()?;
    let mut layout = Layout::EMPTY;
    for _ in 0..ARRAYS {
        layout = layout.array::<f32>(longest(groups)?)?;
    }
    let own = parameters::layout(options, layout)?.size();
    let of_set = match set {
        Some(set) => set.workspace_size(total(groups)?)?,
        None => 0,
    };
    Ok(own.max(of_set))
}

/// `(before - after) / predicted`, with the guard against rounding of Conn, Gould and Toint (Trust-Region Methods, 17.4.2).
fn ratio([before, after]: [f32; 2], predicted: f32) -> f32 {
    let size = before.abs().max(1.0);
    let guard = 1e3 * f32::EPSILON * size;
    let ratio = ((before - after) + guard) / (predicted + guard);
    ratio.clamp(-f32::MAX, f32::MAX)
}

impl Optimizer<'_> {
    /// Takes one step.
    ///
    /// The order of operations, for each block of 1280 parameters:
    ///
    /// 1. clip the gradient of all groups together to [`Options::clip_norm`]; add the residual;
    /// 2. quantize it, if it is to be ternary; what is lost becomes the residual;
    /// 3. momentum and direction, plus weight decay times the parameters; times the learning rate;
    /// 4. scale the step of the group to its radius;
    /// 5. apply; project the parameters to the set;
    /// 6. quantize the parameters to the outputs that are asked for. `params` stay what steps are added to.
    ///
    /// `params` has exactly the parameters of all groups. `scratch`: at least [`workspace_size`] bytes.
    ///
    /// # Errors
    /// [`Error::NonFinite`]: a gradient, a parameter or a loss is NaN or infinite, or the step would leave the f32 range;
    /// [`Error::Shape`]: a length is not that of the groups, or the state is that of other groups or options;
    /// [`Error::Corrupt`]: a number of the state that no step leaves; [`Error::InvalidArgument`], [`Error::Unsupported`],
    /// [`Error::OutputTooSmall`], [`Error::WorkspaceTooSmall`], [`Error::Misaligned`], [`Error::SizeOverflow`]; and what
    /// the set refuses. The step is refused whole: parameters, state, memory and outputs are what they were.
    pub fn step(
        &mut self,
        inputs: &Inputs<'_>,
        params: &mut [f32],
        outputs: Outputs<'_>,
        scratch: &mut [u8],
    ) -> Result<Report, Error> {
        self.step_from(Source::Floats(inputs.gradient), inputs, params, outputs, scratch)
    }

    /// [`Optimizer::step`] with a gradient of packed trits: 0.2 bytes a value are held of it, and no f32 copy; a block at a time
    /// is unpacked to the scratch.
    ///
    /// `packed` has [`gradient_size`] bytes, as a step writes them to [`Outputs::gradient`], or the body of a
    /// [packet](crate::learn::packets::body) for each group. `inputs.gradient` is empty. The step is that from the numbers
    /// which [`unpack_gradient`](super::unpack_gradient) gives, to the bit.
    ///
    /// # Errors
    /// As [`Optimizer::step`]; [`Error::NonFinite`] for a scale that is NaN or infinite, [`Error::Corrupt`] for one below 0 and for
    /// codes above 242.
    ///
    /// ```
    /// use hybridq::learn::optimizer::{Group, Inputs, Optimizer, Options, Outputs, memory_size, start, workspace_size};
    ///
    /// let group = Group { rows: 1, cols: 5, learning_rate: 0.5, radius: f32::INFINITY };
    /// let options = Options { clip_norm: f32::INFINITY, ..Options::DEFAULT };
    /// let mut memory = vec![0u32; memory_size(&options, &[group])?.div_ceil(4)];
    /// let memory: &mut [u8] = bytemuck::cast_slice_mut(&mut memory);
    /// let mut state = start(&options, &[group], memory)?;
    /// let mut scratch = vec![0; workspace_size(&options, &[group], None)?];
    /// let mut optimizer = Optimizer { options: &options, groups: &[group], state: &mut state, memory };
    ///
    /// let packed = [0, 0, 0, 0x40, 0 + 2 * 3 + 1 * 9 + 1 * 27 + 2 * 81]; // the scale 2, and trits -1 1 0 0 1
    /// let mut params = [1.0; 5];
    /// optimizer.step_packed(&packed, &Inputs::default(), &mut params, Outputs::default(), &mut scratch)?;
    /// assert_eq!(params, [2.0, 0.0, 1.0, 1.0, 0.0]);
    /// # Ok::<(), hybridq::Error>(())
    /// ```
    pub fn step_packed(
        &mut self,
        packed: &[u8],
        inputs: &Inputs<'_>,
        params: &mut [f32],
        outputs: Outputs<'_>,
        scratch: &mut [u8],
    ) -> Result<Report, Error> {
        if !inputs.gradient.is_empty() {
            return Err(Error::Shape);
        }
        self.step_from(Source::Packed(packed), inputs, params, outputs, scratch)
    }

    fn step_from(
        &mut self,
        gradient: Source<'_>,
        inputs: &Inputs<'_>,
        params: &mut [f32],
        outputs: Outputs<'_>,
        scratch: &mut [u8],
    ) -> Result<Report, Error> {
        let (options, groups) = (self.options, self.groups);
        options.check()?;
        check_groups(groups)?;
        self.state.check(options, groups)?;
        let len = total(groups)?;
        let Outputs { visible, packed, gradient: codes, groups: steps } = outputs;
        let fits = match gradient {
            Source::Floats(x) => x.len() == len,
            Source::Packed(bytes) => bytes.len() == gradient_size(groups)?,
        };
        if !fits || params.len() != len {
            return Err(Error::Shape);
        }
        let sections = Sections::new(options, groups)?;
        let memory = self.memory.get_mut(..sections.total).ok_or(Error::OutputTooSmall)?;
        let in_f32 = [options.moment, options.second_storage(), options.residual].contains(&Storage::F32);
        if in_f32 && memory.as_ptr().align_offset(align_of::<f32>()) != 0 {
            return Err(Error::Misaligned);
        }
        let enough = |have: usize, need: usize| have == 0 || have >= need;
        if !enough(visible.len(), len)
            || !enough(packed.len(), packed_size(options, groups)?)
            || !enough(codes.len(), gradient_size(groups)?)
            || !enough(steps.len(), groups.len())
        {
            return Err(Error::OutputTooSmall);
        }
        if !codes.is_empty() && options.gradient != GradientForm::Ternary {
            return Err(Error::Unsupported);
        }
        if scratch.len() < workspace_size(options, groups, inputs.set.as_ref())? {
            return Err(Error::WorkspaceTooSmall);
        }
        let ratio = match inputs.losses {
            Some([before, after]) if !before.is_finite() || !after.is_finite() => {
                return Err(Error::NonFinite);
            }
            Some(losses) if self.state.steps > 0 => Some(ratio(losses, self.state.predicted)),
            _ => None,
        };

        if let Source::Packed(bytes) = gradient {
            source::check(bytes, groups)?;
        }
        let found = survey(gradient, groups, Carver::new(scratch).take(longest(groups)?)?)?;
        let largest = survey::largest(params)?;
        let plan = Plan::new(options, groups, self.state, &found, largest)?;

        if let Some(set) = &inputs.set {
            set.violation(params)?; // refuses what the projection would refuse
        }

        // From here on nothing fails.
        let mut carver = Carver::new(scratch);
        let rooms = Rooms::take(longest(groups)?, &mut carver)?;
        let mut room = Room::take(options, &mut carver)?;
        let mut loss = Loss::new(plan.parameter_guard);
        let [moment, second, residual] = sections.split(memory)?;
        // With a set, parameters are final only after the projection.
        let (now, mut later) = if inputs.set.is_none() {
            ((packed, visible), (Default::default(), Default::default()))
        } else {
            ((Default::default(), Default::default()), (packed, visible))
        };
        let whole = Whole {
            options,
            groups,
            steps: self.state.steps,
            plan: &plan,
            gradient,
            params: &mut *params,
            parts: [moment, second, residual],
            rooms,
            room: &mut room,
            loss: &mut loss,
            codes,
            group_steps: steps,
            packed: now.0,
            visible: now.1,
        };
        let done = floats::run(simd::active(), whole)?;
        let mut projected = false;
        if let Some(set) = &inputs.set {
            projected = set.project_inplace(params, scratch)?.active;
            let mut room = Room::take(options, &mut Carver::new(scratch))?;
            let mut rest = &*params;
            for group in groups {
                let (p, others) = rest.split_at_checked(group.len()?).ok_or(Error::Shape)?;
                rest = others;
                let (packed, visible) = (&mut later.0, &mut later.1);
                let mut packer = Packer::new(options, plan.inverse_slope, group, packed, visible)?;
                packer.advance(p, p.len(), &mut room, &mut loss)?;
            }
        }

        let state = &mut *self.state;
        state.steps += 1;
        state.moment_power = plan.moment_power;
        state.second_power = plan.second_power;
        state.moment_bound = plan.moment_bound;
        state.residual_bound = done.residual;
        state.predicted = done.predicted;
        Ok(Report {
            gradient_norm: plan.gradient_norm,
            clipped_norm: plan.clipped_norm,
            wanted_norm: done.wanted_norm,
            step_norm: done.step_norm,
            radius: radius(groups),
            bounded: done.bounded,
            projected,
            ratio,
            predicted: done.predicted,
            gradient_error: done.gradient_error,
            parameter_error: loss.relative(),
            efficiency: done.cosine,
        })
    }
}

fn radius(groups: &[Group]) -> f32 {
    let largest = groups.iter().fold(0.0, |a: f32, g| if g.radius > a { g.radius } else { a });
    if largest == f32::INFINITY || largest == 0.0 {
        return largest;
    }
    let guard = guard_scale(largest);
    let squares = groups.iter().fold(0.0, |sum, g| sum + (g.radius * guard) * (g.radius * guard));
    sqrt(squares) / guard
}

/// Everything that is known before the first parameter moves.
pub(super) struct Plan {
    pub(super) gradient_norm: f32,
    pub(super) clipped_norm: f32,
    pub(super) clip: f32,
    pub(super) moment_power: f32,
    pub(super) second_power: f32,
    pub(super) moment_bound: f32,
    /// Of gradient with residual.
    pub(super) used_guard: f32,
    pub(super) parameter_guard: f32,
    pub(super) inverse_slope: f32,
    pub(super) direction: Direction,
}

impl Plan {
    fn new(
        options: &Options,
        groups: &[Group],
        state: &State,
        found: &survey::Survey,
        largest: f32,
    ) -> Result<Plan, Error> {
        let gradient_norm = found.norm();
        if !gradient_norm.is_finite() {
            return Err(Error::NonFinite);
        }
        let over = gradient_norm > options.clip_norm;
        let clip = if over { options.clip_norm / gradient_norm } else { 1.0 };
        let clipped_norm = if over { options.clip_norm } else { gradient_norm };
        let residual = if options.residual == Storage::None { 0.0 } else { state.residual_bound };
        let used = clip * found.largest + residual;
        let (momentum, beta2) = (options.momentum, options.beta2);
        let nadam = options.base == Base::NadamW;
        let moment_bound = if nadam {
            momentum * state.moment_bound + (1.0 - momentum) * used
        } else {
            momentum * state.moment_bound + used
        };
        let (moment_power, second_power) = (state.moment_power * momentum, state.second_power * beta2);
        // Of the next step, as the momentum is looked at from there.
        let next_power = moment_power * momentum;
        let moment_share = momentum / (1.0 - next_power);
        let gradient_share = (1.0 - momentum) / (1.0 - moment_power);
        let root_share = sqrt(1.0 / (1.0 - second_power));
        let bound = match options.base {
            Base::Sgd => moment_bound,
            Base::Nesterov => used + momentum * moment_bound,
            Base::NadamW => {
                // Its square must stay within the range.
                if used > 1e18 {
                    return Err(Error::NonFinite);
                }
                ((moment_share * moment_bound + gradient_share * used) / options.epsilon).min(block::MOST)
            }
        } + options.weight_decay * largest;
        // Momentum quantized with feedback adds at most itself to the residual.
        let room = f32::MAX / 8.0;
        let fits = |g: &Group| (g.learning_rate * bound).min(g.radius) + largest < room;
        if !(bound < room && moment_bound < room && used < room && groups.iter().all(fits)) {
            return Err(Error::NonFinite);
        }
        Ok(Plan {
            gradient_norm,
            clipped_norm,
            clip,
            moment_power,
            second_power,
            moment_bound,
            used_guard: guard_scale(used),
            parameter_guard: guard_scale(largest),
            inverse_slope: options.inverse_slope(state.steps),
            direction: Direction {
                decay: options.weight_decay,
                momentum,
                beta2,
                epsilon: options.epsilon,
                moment_share,
                gradient_share,
                root_share,
                guard: guard_scale(bound),
                gradient_guard: guard_scale(found.largest),
            },
        })
    }
}
