//! Room `learn`: the network that predicts how far to step.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::constrain::{TrustOutcome, Verdict};
use crate::learn::predictor::{
    Counterfactual, FEATURES, HISTORY, Multipliers, Observation, Options, PARAMETERS, Prediction, Predictor,
    Weights,
};

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, status};

/// Features that the network of a predictor sees.
pub const HQ_PREDICTOR_FEATURES: usize = 6;
/// Parameters of the network of a predictor.
pub const HQ_PREDICTOR_WEIGHTS: usize = 146;
/// Steps that the history of a predictor holds.
pub const HQ_PREDICTOR_HISTORY: usize = 16;

/// How a predictor behaves; 72 bytes. `hq_predictor_init` fills it with the defaults; change what you need. Arrays have one
/// value for the learning rate and one for the radius.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_predictor_options {
    /// Of the signs of probes; 0.
    pub seed: u64,
    /// No multiplier is smaller; above 0, at most 1; 1/4.
    pub lowest: [f32; 2],
    /// No multiplier is larger; at least 1; 4. An output whose bounds are both 1 is switched off.
    pub highest: [f32; 2],
    /// The factor between the multipliers and the alternative of a probe; above 1, at most 16; 1.5.
    pub probe_factor: f32,
    /// The largest change of a log multiplier by one block of probes; 0 (nothing is learnt) to 1; 0.35.
    pub rate: f32,
    /// The part of what was learnt that is forgotten with each block; 0 to 1; 0.02.
    pub decay: f32,
    /// Evidence counts if its mean is so many of its standard errors from 0; at least 0; 2.
    pub confidence: f32,
    /// Evidence counts if its mean is beyond this; 0 to 1; 0.05.
    pub indifference: f32,
    /// A step whose trust-region ratio is below this is a bad one, as is one that was not accepted; 0.1.
    pub bad_ratio: f32,
    /// Steps that the running means of the features reach back; at least 1; 100.
    pub window: u32,
    /// Steps from one probe to the next; 0: never; 4.
    pub probe_every: u32,
    /// Probes of an output that are judged together; at least 2; 4.
    pub block: u32,
    /// Bad steps in a row that roll the output layer back; 0: never; 3.
    pub bad_steps: u32,
    /// Good steps in a row after which the output layer is kept to roll back to; at least 1; 20.
    pub good_steps: u32,
    /// Steps without multipliers after a roll-back; 20.
    pub hold_steps: u32,
}

/// What a predictor has counted; 104 bytes. Arrays have one value for the learning rate and one for the radius.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_predictor_statistics {
    /// Predictions made.
    pub steps: u64,
    /// Of them, those without multipliers because of a roll-back.
    pub held: u64,
    /// Predictions whose outcome was fed back.
    pub judged: u64,
    /// Of them, those whose step was accepted; `accepted / judged` is the success rate.
    pub accepted: u64,
    /// Predictions for which a multiplier was at its bound; over `steps` the clamp rates.
    pub clamped: [u64; 2],
    /// Predictions that came with an alternative to compare with.
    pub probes: u64,
    /// Comparisons that said something.
    pub compared: u64,
    /// Comparisons that said nothing: no finite loss, no difference between the two, or made before a roll-back.
    pub ignored: u64,
    /// Changes of the output layer for evidence.
    pub moves: u64,
    /// Times the output layer was rolled back.
    pub roll_backs: u64,
    /// Sums of the log multipliers, each in two parts to be added up: `exp((logs[k][0] + logs[k][1]) / steps)` are the
    /// geometric means.
    pub logs: [[f32; 2]; 2],
}

/// One step of the history of a predictor; 16 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_predictor_record {
    /// The multiplier of the learning rate.
    pub learning_rate: f32,
    /// The multiplier of the radius.
    pub radius: f32,
    /// The trust-region ratio fed back; 0 where there is none.
    pub ratio: f32,
    /// 0: not fed back; 1: accepted; 2: rejected or refused.
    pub fate: u32,
}

/// A predictor: its options, its network, all that it remembers. Plain state of 1648 bytes: fill it with
/// `hq_predictor_init`, copy and store it as you like; a run that goes on from a stored one ends with the same bits.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_predictor {
    /// How it behaves. May be changed at any time.
    pub options: hq_predictor_options,
    /// What has happened so far.
    pub statistics: hq_predictor_statistics,
    /// The network: 16 x 6 hidden weights, row after row, 16 hidden biases, 2 x 16 output weights, 2 output biases.
    pub weights: [f32; 146],
    /// The last steps: step `i` at `i mod 16`.
    pub history: [hq_predictor_record; 16],
    /// The rest of the memory, not to be touched.
    pub memory: [u32; 158],
}

/// What is known of a step before it is made; 32 bytes. Any numbers may stand here, NaN and infinity too.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_predictor_observation {
    /// Steps made before this one.
    pub step: u64,
    /// The loss on the batch. NaN counts as infinitely large, 0 and less as the smallest there can be.
    pub loss: f32,
    /// The Euclidean norm of the gradient on the batch. NaN counts as infinitely large.
    pub gradient_norm: f32,
    /// The loss over the one before it. NaN: there is none yet.
    pub loss_ratio: f32,
    /// The variance of the gradient: over its entries, or over parts of the batch; always the same. NaN: not measured.
    pub gradient_variance: f32,
    /// The cluster that the batch came from; 0 where there are none. 32 clusters are told apart.
    pub cluster: u32,
    /// 0.
    pub reserved: u32,
}

/// The answer of `hq_predictor_predict`; 48 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_prediction {
    /// What the network saw: six numbers within -4 to 4.
    pub features: [f32; 6],
    /// What to multiply the learning rate with.
    pub learning_rate: f32,
    /// What to multiply the radius with.
    pub radius: f32,
    /// The learning-rate multiplier to compare with.
    pub alternative_learning_rate: f32,
    /// The radius multiplier to compare with.
    pub alternative_radius: f32,
    /// 1: this step is a probe: the loss after a step with the alternative is wanted too. Else 0.
    pub probe: i32,
    /// 1: the multipliers are 1 because of a roll-back. Else 0.
    pub held: i32,
}

/// Losses of the step that was made and of the one that might have been, from the same parameters along the same
/// direction; 24 bytes. A loss that is not finite counts as infinitely large.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_counterfactual {
    /// Before the step, on the batch that the gradient is of.
    pub before: f32,
    /// On that batch, after the step with the multipliers predicted.
    pub chosen: f32,
    /// On that batch, after the step with the alternative.
    pub alternative: f32,
    /// After the first step, on a batch that the gradient has not seen, such as the next one.
    pub fresh_chosen: f32,
    /// After the second step, on that other batch.
    pub fresh_alternative: f32,
    /// 1: the two `fresh` losses are there. 0: they are not; then multipliers only come closer to 1.
    pub has_fresh: i32,
}

const _: () = {
    assert!(
        HQ_PREDICTOR_FEATURES == FEATURES
            && HQ_PREDICTOR_WEIGHTS == PARAMETERS
            && HQ_PREDICTOR_HISTORY == HISTORY
    );
    assert!(size_of::<hq_predictor_options>() == size_of::<Options>());
    assert!(size_of::<hq_predictor_options>() == 72);
    assert!(size_of::<hq_predictor_statistics>() == 104);
    assert!(size_of::<hq_predictor>() == size_of::<Predictor>());
    assert!(size_of::<hq_predictor>() == 1648);
    assert!(align_of::<hq_predictor>() == align_of::<Predictor>());
    assert!(size_of::<hq_predictor_observation>() == 32);
    assert!(size_of::<hq_prediction>() == 48);
    assert!(size_of::<hq_counterfactual>() == 24);
};

impl hq_prediction {
    fn from_rust(made: &Prediction) -> hq_prediction {
        hq_prediction {
            features: made.features,
            learning_rate: made.chosen.learning_rate,
            radius: made.chosen.radius,
            alternative_learning_rate: made.alternative.learning_rate,
            alternative_radius: made.alternative.radius,
            probe: made.probe as i32,
            held: made.held as i32,
        }
    }

    fn to_rust(self) -> Result<Prediction, Error> {
        if !(0..=1).contains(&self.probe) || !(0..=1).contains(&self.held) {
            return Err(Error::InvalidArgument);
        }
        let alternative =
            Multipliers { learning_rate: self.alternative_learning_rate, radius: self.alternative_radius };
        Ok(Prediction {
            features: self.features,
            chosen: Multipliers { learning_rate: self.learning_rate, radius: self.radius },
            alternative,
            probe: self.probe == 1,
            held: self.held == 1,
        })
    }
}

/// Runs `body` on a predictor that C owns.
///
/// # Safety
/// `predictor` points to one writable struct that nobody else uses.
unsafe fn with<T>(
    predictor: Output<hq_predictor>,
    body: impl FnOnce(&mut Predictor) -> Result<T, Error>,
) -> Result<T, Error> {
    // SAFETY: the caller vouches for the memory.
    let place = unsafe { predictor.slice() }.first_mut().ok_or(Error::NullPointer)?;
    body(bytemuck::must_cast_mut(place))
}

/// A predictor with the default options that has seen nothing yet.
///
/// - `weights`: the 146 parameters of a network that was trained, in the order of `hq_predictor.weights`, each within -1e6 to
///   1e6; or NULL with `weights_len` 0: a hidden layer drawn from `seed`, and an output layer of zeros. Both multipliers are
///   exactly 1 then until something is learnt.
/// - `seed`: of the hidden layer, and of the signs of probes (`options.seed`).
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (a length that is neither 0 nor
/// 146), `HQ_ERROR_NON_FINITE`, `HQ_ERROR_INVALID_ARGUMENT` (a weight beyond 1e6); nothing is written then. Callable from any
/// thread.
///
/// # Safety
/// `predictor` points to one writable struct, `weights` to `weights_len` floats.
///
/// ```c
/// static hq_predictor predictor;
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// predictor.options.highest[0] = 2.0f;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_init(
    seed: u64,
    weights: *const f32,
    weights_len: usize,
    predictor: *mut hq_predictor,
) -> hq_status {
    status(|| {
        let (weights, predictor) = (Input::new(weights, weights_len)?, Output::new(predictor, 1)?);
        disjoint(&[predictor.span()], &[weights.span()])?;
        let network = if weights_len == 0 {
            Weights::seeded(seed)
        } else {
            // SAFETY: the caller vouches for the memory; it does not overlap the output.
            Weights::from_slice(unsafe { weights.slice() })?
        };
        let made = Predictor::new(network, Options { seed, ..Options::DEFAULT })?;
        // SAFETY: as above.
        unsafe { predictor.write(bytemuck::must_cast(made)) };
        Ok(())
    })
}

/// The parameters of a network that was trained offline over many small tasks (`hybridq meta-train`), for `hq_predictor_init`.
///
/// Set `options.probe_every` to 0 after `hq_predictor_init`: they do better without adapting online. They do not suit every
/// task: docs/predictor.md says what they did to tasks held out.
///
/// - `weights`: `weights_len` = 146 floats, in the order of `hq_predictor.weights`.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_SHAPE`; nothing is written then. Callable from any thread.
///
/// # Safety
/// `weights` points to `weights_len` writable floats.
///
/// ```c
/// static hq_predictor predictor;
/// float weights[HQ_PREDICTOR_WEIGHTS];
/// assert(hq_predictor_trained(weights, HQ_PREDICTOR_WEIGHTS) == HQ_OK);
/// assert(hq_predictor_init(1, weights, HQ_PREDICTOR_WEIGHTS, &predictor) == HQ_OK);
/// predictor.options.probe_every = 0;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_trained(weights: *mut f32, weights_len: usize) -> hq_status {
    status(|| {
        let weights = Output::new(weights, weights_len)?;
        // SAFETY: the caller vouches for the memory.
        let weights: &mut [f32; HQ_PREDICTOR_WEIGHTS] =
            unsafe { weights.slice() }.try_into().map_err(|_| Error::Shape)?;
        *weights = *Weights::TRAINED.as_array();
        Ok(())
    })
}

/// The multipliers for the step that is to be made. Call it once a step: the observation joins the running means.
///
/// - `predictor`: in and out.
/// - `seen`: loss and gradient norm in any units; NaN and infinity are no errors.
/// - `made`: multipliers within the bounds of the options, exactly 1 as long as the output layer is 0: the base optimizer.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (an option out of range,
/// a weight beyond 1e6, `reserved` not 0), `HQ_ERROR_NON_FINITE` (a weight), `HQ_ERROR_CORRUPT` (the rest of the state); nothing
/// is written then. Callable from any thread.
///
/// # Safety
/// The pointers point to one struct each, `predictor` and `made` to writable ones.
///
/// ```c
/// static hq_predictor predictor;
/// hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
/// hq_prediction made;
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
/// assert(made.learning_rate == 1.0f && made.radius == 1.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_predict(
    predictor: *mut hq_predictor,
    seen: *const hq_predictor_observation,
    made: *mut hq_prediction,
) -> hq_status {
    status(|| {
        let (predictor, made) = (Output::new(predictor, 1)?, Output::new(made, 1)?);
        let seen = Input::new(seen, 1)?;
        disjoint(&[predictor.span(), made.span()], &[seen.span()])?;
        // SAFETY: the caller vouches for the memory; the output does not overlap the rest.
        let seen = unsafe { seen.slice() }.first().ok_or(Error::NullPointer)?;
        if seen.reserved != 0 {
            return Err(Error::InvalidArgument);
        }
        let observation = Observation {
            loss: seen.loss,
            gradient_norm: seen.gradient_norm,
            cluster: seen.cluster,
            loss_ratio: seen.loss_ratio,
            gradient_variance: seen.gradient_variance,
            step: seen.step,
        };
        // SAFETY: as above.
        let prediction = unsafe { with(predictor, |p| p.predict(&observation)) }?;
        // SAFETY: as above.
        unsafe { made.write(hq_prediction::from_rust(&prediction)) };
        Ok(())
    })
}

/// Learns from a comparison: the output layer moves towards the better multipliers, once a block of comparisons leaves no
/// doubt which ones these are.
///
/// A multiplier moves away from 1 only if the batch of the gradient and the other one both ask for it, by the lesser of the
/// two; back to 1 as soon as one does. Comparisons that say nothing (losses that are not finite, no difference between the
/// two) are counted and change nothing else.
///
/// - `predictor`: in and out.
/// - `made`: as `hq_predictor_predict` has written it when `probe` was 1.
/// - `losses`: of both steps. Where the gradient is that of all data, `fresh_chosen` is `chosen` and `fresh_alternative` is
///   `alternative`.
/// - `moved`: `moved_len` = 2 floats: by how much the log multipliers of learning rate and radius changed at these features.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE` (a feature, a
/// weight), `HQ_ERROR_INVALID_ARGUMENT` (a number of `made` or `losses` that has no such value, and as for
/// `hq_predictor_predict`), `HQ_ERROR_CORRUPT`; nothing is written then. Callable from any thread.
///
/// # Safety
/// The pointers point to one struct each, `predictor` to a writable one, `moved` to `moved_len` writable floats.
///
/// ```c
/// static hq_predictor predictor;
/// hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
/// hq_counterfactual losses = {2.3f, 2.2f, 2.15f, 2.25f, 2.2f, 1};
/// hq_prediction made;
/// float moved[2];
/// int i;
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// predictor.options.highest[1] = predictor.options.lowest[1] = 1.0f;
/// for (i = 0; i < 16; i++) {
///     assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
///     if (made.probe) {
///         int larger = made.alternative_learning_rate > made.learning_rate;
///         losses.chosen = larger ? 2.2f : 2.15f, losses.alternative = larger ? 2.15f : 2.2f;
///         losses.fresh_chosen = larger ? 2.25f : 2.2f, losses.fresh_alternative = larger ? 2.2f : 2.25f;
///         assert(hq_predictor_adapt(&predictor, &made, &losses, moved, 2) == HQ_OK);
///     }
/// }
/// assert(predictor.statistics.moves == 1 && moved[0] > 0.2f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_adapt(
    predictor: *mut hq_predictor,
    made: *const hq_prediction,
    losses: *const hq_counterfactual,
    moved: *mut f32,
    moved_len: usize,
) -> hq_status {
    status(|| {
        let (predictor, moved) = (Output::new(predictor, 1)?, Output::new(moved, moved_len)?);
        let (made, losses) = (Input::new(made, 1)?, Input::new(losses, 1)?);
        disjoint(&[predictor.span(), moved.span()], &[made.span(), losses.span()])?;
        // SAFETY: the caller vouches for the memory; outputs do not overlap the rest.
        let (made, losses, moved) = unsafe { (made.slice(), losses.slice(), moved.slice()) };
        let moved: &mut [f32; 2] = moved.try_into().map_err(|_| Error::Shape)?;
        let made = made.first().ok_or(Error::NullPointer)?.to_rust()?;
        let l = losses.first().ok_or(Error::NullPointer)?;
        if !(0..=1).contains(&l.has_fresh) {
            return Err(Error::InvalidArgument);
        }
        let fresh = (l.has_fresh == 1).then_some([l.fresh_chosen, l.fresh_alternative]);
        let losses = Counterfactual { before: l.before, chosen: l.chosen, alternative: l.alternative, fresh };
        // SAFETY: as above.
        *moved = unsafe { with(predictor, |p| p.adapt(&made, &losses)) }?;
        Ok(())
    })
}

/// Tells a predictor how the step went that was made with its last prediction: what `hq_trust_region_update` said of it.
///
/// After `good_steps` good steps in a row the output layer is kept; after `bad_steps` bad ones in a row with multipliers other
/// than 1 it is what was kept last, and the multipliers are 1 for `hold_steps` steps. If that happens again before it has
/// proved itself, the output layer is 0.
///
/// - `predictor`: in and out.
/// - `verdict`: `HQ_TRUST_ACCEPTED`, `HQ_TRUST_REJECTED` or `HQ_TRUST_REFUSED`.
/// - `ratio`: actual over predicted reduction; NaN counts as bad.
/// - `rolled_back`: 1 if the output layer was rolled back, else 0.
///
/// Errors: `HQ_ERROR_UNKNOWN_ENUM`, `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, and those of the state as for
/// `hq_predictor_predict`; nothing is written then. Callable from any thread.
///
/// # Safety
/// `predictor` points to one writable struct, `rolled_back` to one writable number.
///
/// ```c
/// static hq_predictor predictor;
/// hq_predictor_observation seen = {0, 2.3f, 0.7f, NAN, NAN, 3, 0};
/// hq_prediction made;
/// int32_t rolled_back;
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// assert(hq_predictor_predict(&predictor, &seen, &made) == HQ_OK);
/// assert(hq_predictor_feedback(&predictor, HQ_TRUST_ACCEPTED, 0.9f, &rolled_back) == HQ_OK);
/// assert(!rolled_back && predictor.statistics.accepted == 1);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_feedback(
    predictor: *mut hq_predictor,
    verdict: i32,
    ratio: f32,
    rolled_back: *mut i32,
) -> hq_status {
    status(|| {
        let verdict = [Verdict::Accepted, Verdict::Rejected, Verdict::Refused]
            .into_iter()
            .find(|&v| v as i32 == verdict)
            .ok_or(Error::UnknownEnum)?;
        let (predictor, rolled_back) = (Output::new(predictor, 1)?, Output::new(rolled_back, 1)?);
        disjoint(&[predictor.span(), rolled_back.span()], &[])?;
        // Of the outcome only these two count.
        let outcome = TrustOutcome { verdict, ratio, radius_before: 0.0, radius: 0.0, on_boundary: false };
        // SAFETY: the caller vouches for the memory; the two do not overlap.
        let rolled = unsafe { with(predictor, |p| p.feedback(&outcome)) }?;
        // SAFETY: as above.
        unsafe { rolled_back.write(rolled as i32) };
        Ok(())
    })
}

/// The two outputs of the network, each within -1 to 1: the log multipliers of learning rate and radius are 1.5 times the
/// larger logarithm of their bounds times these, clamped.
///
/// - `weights`: the `weights_len` = 146 parameters. `features`: `features_len` = 6 numbers.
/// - `outputs`: `outputs_len` = 2 numbers.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE`, `HQ_ERROR_NON_FINITE`,
/// `HQ_ERROR_INVALID_ARGUMENT` (a weight or feature beyond 1e6); nothing is written then. Callable from any thread.
///
/// # Safety
/// The pointers are valid for the lengths given with them.
///
/// ```c
/// static hq_predictor predictor;
/// const float features[6] = {0.1f, -0.2f, 0.0f, 0.3f, 0.0f, -1.0f};
/// float outputs[2];
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// assert(hq_predictor_forward(predictor.weights, 146, features, 6, outputs, 2) == HQ_OK);
/// assert(outputs[0] == 0.0f && outputs[1] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_forward(
    weights: *const f32,
    weights_len: usize,
    features: *const f32,
    features_len: usize,
    outputs: *mut f32,
    outputs_len: usize,
) -> hq_status {
    status(|| {
        let (weights, features) = (Input::new(weights, weights_len)?, Input::new(features, features_len)?);
        let outputs = Output::new(outputs, outputs_len)?;
        disjoint(&[outputs.span()], &[weights.span(), features.span()])?;
        // SAFETY: the caller vouches for the memory; the output does not overlap the rest.
        let (weights, features, outputs) = unsafe { (weights.slice(), features.slice(), outputs.slice()) };
        let outputs: &mut [f32; 2] = outputs.try_into().map_err(|_| Error::Shape)?;
        *outputs = Weights::from_slice(weights)?.forward(checked(features)?);
        Ok(())
    })
}

/// The derivatives of `gradient[0] * outputs[0] + gradient[1] * outputs[1]` with respect to all parameters of the network:
/// for training it offline.
///
/// - `weights`: the `weights_len` = 146 parameters. `features`: `features_len` = 6 numbers. `gradient`: `gradient_len` = 2.
/// - `slope`: `slope_len` = 146 numbers, in the places of the parameters.
///
/// Errors: as for `hq_predictor_forward`. Callable from any thread.
///
/// # Safety
/// The pointers are valid for the lengths given with them.
///
/// ```c
/// static hq_predictor predictor;
/// static float slope[146];
/// const float features[6] = {0.1f, -0.2f, 0.0f, 0.3f, 0.0f, -1.0f}, gradient[2] = {1.0f, 0.0f};
/// assert(hq_predictor_init(1, NULL, 0, &predictor) == HQ_OK);
/// assert(hq_predictor_backward(predictor.weights, 146, features, 6, gradient, 2, slope, 146) == HQ_OK);
/// assert(slope[144] == 1.0f && slope[145] == 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_predictor_backward(
    weights: *const f32,
    weights_len: usize,
    features: *const f32,
    features_len: usize,
    gradient: *const f32,
    gradient_len: usize,
    slope: *mut f32,
    slope_len: usize,
) -> hq_status {
    status(|| {
        let (weights, features) = (Input::new(weights, weights_len)?, Input::new(features, features_len)?);
        let (gradient, slope) = (Input::new(gradient, gradient_len)?, Output::new(slope, slope_len)?);
        disjoint(&[slope.span()], &[weights.span(), features.span(), gradient.span()])?;
        // SAFETY: the caller vouches for the memory; the output does not overlap the rest.
        let (weights, features, gradient, slope) =
            unsafe { (weights.slice(), features.slice(), gradient.slice(), slope.slice()) };
        let slope: &mut [f32; HQ_PREDICTOR_WEIGHTS] = slope.try_into().map_err(|_| Error::Shape)?;
        let (features, gradient) = (checked(features)?, checked(gradient)?);
        *slope = *Weights::from_slice(weights)?.backward(features, gradient).as_array();
        Ok(())
    })
}

/// So many numbers, finite and within 1e6.
fn checked<const N: usize>(values: &[f32]) -> Result<&[f32; N], Error> {
    let values: &[f32; N] = values.try_into().map_err(|_| Error::Shape)?;
    if !values.iter().all(|x| x.is_finite()) {
        return Err(Error::NonFinite);
    }
    if values.iter().all(|x| x.abs() <= 1e6) { Ok(values) } else { Err(Error::InvalidArgument) }
}
