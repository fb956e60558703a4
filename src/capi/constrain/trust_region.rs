//! Room `constrain`: the trust region.

use bytemuck::{Pod, Zeroable};

use crate::Error;
use crate::constrain::{Trial, TrustOptions, TrustOutcome, TrustRegion, TrustStatistics, Verdict};

use crate::capi::hq_status;
use crate::capi::pointers::{Output, disjoint, status};

/// Keep the new parameters.
pub const HQ_TRUST_ACCEPTED: i32 = 0;
/// Go back to the old parameters: the loss fell by too little, or rose.
pub const HQ_TRUST_REJECTED: i32 = 1;
/// Go back to the old parameters: a number was NaN or infinite.
pub const HQ_TRUST_REFUSED: i32 = 2;

const _: () = {
    assert!(HQ_TRUST_ACCEPTED == Verdict::Accepted as i32);
    assert!(HQ_TRUST_REJECTED == Verdict::Rejected as i32);
    assert!(HQ_TRUST_REFUSED == Verdict::Refused as i32);
};

/// A trust region: how long a step may be, `|step| <= radius` in the Euclidean norm, learnt from how well the model
/// foretold the last ones. Plain state of 88 bytes: fill it with `hq_trust_region_init`, change constants as needed, copy
/// and store it as you like.
///
/// For a width `w` that is learnt or configured instead: `|step| <= w` is `radius = w`, `|step| <= w * w` is
/// `radius = w * w`, and `|step|^2 <= w` is `radius = sqrt(w)`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_trust_region {
    /// The norm that a step may have.
    pub radius: f32,
    /// The radius never shrinks below; above 0.
    pub min_radius: f32,
    /// The radius never grows above.
    pub max_radius: f32,
    /// A step is accepted if its ratio is above this: 0 to `shrink_below`.
    pub accept_above: f32,
    /// The radius shrinks if the ratio is below this; below `grow_above`.
    pub shrink_below: f32,
    /// The radius grows if the ratio is above this and the step reached the boundary.
    pub grow_above: f32,
    /// What the radius is multiplied with when it shrinks; between 0 and 1.
    pub shrink: f32,
    /// What the radius is multiplied with when it grows; at least 1.
    pub grow: f32,
    /// A step reaches the boundary if its norm is at least this part of the radius; above 0, at most 1.
    pub boundary: f32,
    /// The rounding guard in units of `2^-23 max(loss_scale, |loss|)`; 0 (none) to 2^23.
    pub guard: f32,
    /// The least magnitude of the loss that the guard believes in; 0 makes it relative to the loss alone.
    pub loss_scale: f32,
    /// 1: shrink from the norm of the step where that is below the radius. 0: from the radius.
    pub shrink_from_step: i32,
    /// Calls of `hq_trust_region_update`.
    pub steps: u64,
    /// Steps that were accepted.
    pub accepted: u64,
    /// Steps that reached the boundary; `on_boundary / steps` is the activation rate.
    pub on_boundary: u64,
    /// Steps that were refused because a number was NaN or infinite; they count as rejected too.
    pub refused: u64,
    /// Rejected or refused steps since the last accepted one.
    pub rejected_in_row: u32,
    /// 0.
    pub reserved: u32,
}

/// What `hq_trust_region_update` says about a step; 20 bytes.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub struct hq_trust_outcome {
    /// `HQ_TRUST_ACCEPTED`, `HQ_TRUST_REJECTED` or `HQ_TRUST_REFUSED`.
    pub verdict: i32,
    /// Actual over predicted reduction, guarded, always finite; 0 where there is none.
    pub ratio: f32,
    /// The radius that the step was made with.
    pub radius_before: f32,
    /// The radius for the next step.
    pub radius: f32,
    /// 1 if the step reached the boundary, else 0.
    pub on_boundary: i32,
}

const _: () = {
    assert!(size_of::<hq_trust_region>() == 88);
    assert!(size_of::<hq_trust_outcome>() == 20);
};

impl hq_trust_region {
    pub(in crate::capi) fn from_rust(region: &TrustRegion) -> hq_trust_region {
        let (o, s) = (&region.options, &region.statistics);
        hq_trust_region {
            radius: region.radius,
            min_radius: o.min_radius,
            max_radius: o.max_radius,
            accept_above: o.accept_above,
            shrink_below: o.shrink_below,
            grow_above: o.grow_above,
            shrink: o.shrink,
            grow: o.grow,
            boundary: o.boundary,
            guard: o.guard,
            loss_scale: o.loss_scale,
            shrink_from_step: o.shrink_from_step as i32,
            steps: s.steps,
            accepted: s.accepted,
            on_boundary: s.on_boundary,
            refused: s.refused,
            rejected_in_row: s.rejected_in_row,
            reserved: 0,
        }
    }

    pub(in crate::capi) fn to_rust(self) -> Result<TrustRegion, Error> {
        if self.reserved != 0 || !(0..=1).contains(&self.shrink_from_step) {
            return Err(Error::InvalidArgument);
        }
        let options = TrustOptions {
            min_radius: self.min_radius,
            max_radius: self.max_radius,
            accept_above: self.accept_above,
            shrink_below: self.shrink_below,
            grow_above: self.grow_above,
            shrink: self.shrink,
            grow: self.grow,
            boundary: self.boundary,
            guard: self.guard,
            loss_scale: self.loss_scale,
            shrink_from_step: self.shrink_from_step == 1,
        };
        let statistics = TrustStatistics {
            steps: self.steps,
            accepted: self.accepted,
            on_boundary: self.on_boundary,
            refused: self.refused,
            rejected_in_row: self.rejected_in_row,
        };
        Ok(TrustRegion { options, radius: self.radius, statistics })
    }
}

impl hq_trust_outcome {
    pub(in crate::capi) fn from_rust(found: &TrustOutcome) -> hq_trust_outcome {
        hq_trust_outcome {
            verdict: found.verdict as i32,
            ratio: found.ratio,
            radius_before: found.radius_before,
            radius: found.radius,
            on_boundary: found.on_boundary as i32,
        }
    }
}

/// A trust region with the constants of Nocedal and Wright (Algorithm 4.1) and the rounding guard of Conn, Gould and Toint:
/// radius 1e-30 to 1e30, accept above 0.1, a quarter below 1/4, double above 3/4 at 0.99 of the radius, guard 1000, loss
/// scale 1; all counts 0.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_INVALID_ARGUMENT` (a radius outside 1e-30 to 1e30);
/// nothing is written then. Callable from any thread.
///
/// # Safety
/// `region` points to one writable struct.
///
/// ```c
/// hq_trust_region region;
/// assert(hq_trust_region_init(0.01f, &region) == HQ_OK);
/// region.max_radius = 1.0f;
/// region.loss_scale = 1e-3f;
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_trust_region_init(radius: f32, region: *mut hq_trust_region) -> hq_status {
    status(|| {
        let region = Output::new(region, 1)?;
        let value = hq_trust_region::from_rust(&TrustRegion::new(radius)?);
        // SAFETY: the caller vouches for the memory.
        unsafe { region.write(value) };
        Ok(())
    })
}

/// Judges a step by its ratio `(loss - trial_loss + d) / (predicted + d)` with the guard
/// `d = guard 2^-23 max(loss_scale, |loss|)`, and sets the radius for the next one.
///
/// - `region`: in and out.
/// - `loss`, `trial_loss`: before and after the step, **on the same batch**.
/// - `predicted`: by how much the model says that the loss falls (`hq_steihaug_result`; for a plain gradient step
///   `-(g . step)`).
/// - `step_norm`: its Euclidean norm (`hq_vec_norm`).
/// - `outcome`: whether to keep the step, and why.
///
/// A number that is NaN or infinite (or a negative norm) refuses the step, shrinks the radius and changes nothing else but
/// the counts: that is no error. A step of norm 0 is accepted with ratio 1 and leaves the radius alone.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_INVALID_ARGUMENT` (a constant or the
/// radius of `region` out of range); nothing is written then. Callable from any thread.
///
/// # Safety
/// `region` and `outcome` point to one writable struct each.
///
/// ```c
/// hq_trust_region region;
/// hq_trust_outcome outcome;
/// assert(hq_trust_region_init(1.0f, &region) == HQ_OK);
/// assert(hq_trust_region_update(&region, 5.0f, 4.0f, 1.1f, 1.0f, &outcome) == HQ_OK);
/// assert(outcome.verdict == HQ_TRUST_ACCEPTED && outcome.radius == 2.0f);
/// assert(hq_trust_region_update(&region, 4.0f, 9.0f, 1.0f, 2.0f, &outcome) == HQ_OK);
/// assert(outcome.verdict == HQ_TRUST_REJECTED && region.radius == 0.5f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_trust_region_update(
    region: *mut hq_trust_region,
    loss: f32,
    trial_loss: f32,
    predicted: f32,
    step_norm: f32,
    outcome: *mut hq_trust_outcome,
) -> hq_status {
    status(|| {
        let (region, outcome) = (Output::new(region, 1)?, Output::new(outcome, 1)?);
        disjoint(&[region.span(), outcome.span()], &[])?;
        // SAFETY: the caller vouches for the memory; the two do not overlap.
        let place = unsafe { region.slice() }.first_mut().ok_or(Error::NullPointer)?;
        let mut state = place.to_rust()?;
        let found = state.update(&Trial { loss, trial_loss, predicted, step_norm })?;
        *place = hq_trust_region::from_rust(&state);
        // SAFETY: as above.
        unsafe { outcome.write(hq_trust_outcome::from_rust(&found)) };
        Ok(())
    })
}
