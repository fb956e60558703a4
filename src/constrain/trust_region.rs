//! The trust region: how far a step may go, learnt from how well the model foretold the last ones.
//!
//! Algorithm 4.1 of Nocedal and Wright, "Numerical Optimization" (2nd edition), with the rounding guard of Conn, Gould and
//! Toint, "Trust-Region Methods", section 17.4.2. A [`TrustRegion`] is a few numbers; it sees losses and norms, never the
//! parameters, so any step rule can stand on it.
//!
//! The region bounds the Euclidean norm of a step: `|step| <= radius`. Where a width `w` is learnt or configured instead,
//! the caller maps it: `|step| <= w` is `radius = w`, `|step| <= w^2` is `radius = w * w`, and `|step|^2 <= w` is
//! `radius = sqrt(w)`.

use crate::Error;

/// The constants of a trust region. [`TrustOptions::default`] has those of Nocedal and Wright.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrustOptions {
    /// The radius never shrinks below; above 0.
    pub min_radius: f32,
    /// The radius never grows above; at least `min_radius`.
    pub max_radius: f32,
    /// A step is accepted if its ratio is above this; 0 to `shrink_below`, so that a rejected step always shrinks the
    /// region and the next one differs.
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
    /// The rounding guard in units of `2^-23 max(loss_scale, |loss|)`: a change of the loss below it counts as none.
    /// 0 (no guard) to 2^23. In f32 a guard is needed: near a minimum the loss changes by less than its own rounding.
    pub guard: f32,
    /// The least magnitude of the loss that the guard believes in. With 1 all changes below 1e-4 are rounding; for losses
    /// that are small by themselves (1e-30) say how small, or 0: the guard is relative to the loss alone then.
    pub loss_scale: f32,
    /// Shrinks from the norm of the step where that is below the radius, instead of from the radius: a rejected step
    /// inside the region is not tried again. Nocedal and Wright shrink from the radius.
    pub shrink_from_step: bool,
}

impl Default for TrustOptions {
    /// Radius 1e-30 to 1e30; accept above 0.1, shrink to a quarter below 1/4, double above 3/4 at 0.99 of the radius; guard
    /// 1000.
    fn default() -> TrustOptions {
        TrustOptions {
            min_radius: 1e-30,
            max_radius: 1e30,
            accept_above: 0.1,
            shrink_below: 0.25,
            grow_above: 0.75,
            shrink: 0.25,
            grow: 2.0,
            boundary: 0.99,
            guard: 1e3,
            loss_scale: 1.0,
            shrink_from_step: false,
        }
    }
}

impl TrustOptions {
    /// # Errors
    /// [`Error::InvalidArgument`] for a constant outside its range, or that is not finite.
    pub fn check(&self) -> Result<(), Error> {
        let o = self;
        // Comparisons with NaN are false; the upper bounds exclude infinity.
        let fine = o.min_radius > 0.0
            && (o.min_radius..=f32::MAX).contains(&o.max_radius)
            && o.accept_above >= 0.0
            && o.accept_above <= o.shrink_below
            && o.shrink_below < o.grow_above
            && o.grow_above <= f32::MAX
            && o.shrink > 0.0
            && o.shrink < 1.0
            && (1.0..=f32::MAX).contains(&o.grow)
            && o.boundary > 0.0
            && o.boundary <= 1.0
            && (0.0..=1.0 / f32::EPSILON).contains(&o.guard)
            && (0.0..=f32::MAX).contains(&o.loss_scale);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }
}

/// What has happened so far. Counts stop at their largest value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustStatistics {
    /// Calls of [`TrustRegion::update`].
    pub steps: u64,
    /// Steps that were accepted.
    pub accepted: u64,
    /// Steps whose norm reached the boundary: the region was active.
    pub on_boundary: u64,
    /// Steps that were refused because a number was NaN or infinite. They count as rejected too.
    pub refused: u64,
    /// Rejected or refused steps since the last accepted one.
    pub rejected_in_row: u32,
}

impl TrustStatistics {
    /// The part of the steps that the region held back; 0 before the first step.
    #[must_use]
    pub fn activation_rate(&self) -> f32 {
        part(self.on_boundary, self.steps)
    }

    /// The part of the steps that were accepted; 0 before the first step.
    #[must_use]
    pub fn acceptance_rate(&self) -> f32 {
        part(self.accepted, self.steps)
    }
}

fn part(count: u64, of: u64) -> f32 {
    if of == 0 { 0.0 } else { count as f32 / of as f32 }
}

/// One step to be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    /// The loss before the step.
    pub loss: f32,
    /// The loss after it, **on the same batch**: of two batches the difference says nothing about the step.
    pub trial_loss: f32,
    /// By how much the model says that the loss falls: above 0 for a sensible step.
    pub predicted: f32,
    /// The Euclidean norm of the step.
    pub step_norm: f32,
}

/// What becomes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Verdict {
    /// Keep the new parameters.
    Accepted = 0,
    /// Go back to the old parameters: the loss fell by too little, or rose.
    Rejected = 1,
    /// Go back to the old parameters: a number was NaN or infinite.
    Refused = 2,
}

/// The answer of [`TrustRegion::update`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrustOutcome {
    /// Whether to keep the step.
    pub verdict: Verdict,
    /// Actual over predicted reduction, guarded, always finite; 0 where there is none (a refused step, or a model that
    /// predicts no reduction).
    pub ratio: f32,
    /// The radius that the step was made with.
    pub radius_before: f32,
    /// The radius for the next step.
    pub radius: f32,
    /// Whether the step reached the boundary.
    pub on_boundary: bool,
}

/// A trust region: its constants, its radius, its past. Plain state that may be stored and restored as it is.
///
/// ```
/// use hybridq::constrain::{Trial, TrustRegion, Verdict};
///
/// let mut region = TrustRegion::new(1.0)?;
/// // The model foretold the loss well and the step reached the boundary: the region doubles.
/// let good = region.update(&Trial { loss: 5.0, trial_loss: 4.0, predicted: 1.1, step_norm: 1.0 })?;
/// assert_eq!((good.verdict, good.radius), (Verdict::Accepted, 2.0));
/// // A loss of NaN: the step is refused and the region shrinks.
/// let bad = region.update(&Trial { loss: 4.0, trial_loss: f32::NAN, predicted: 1.0, step_norm: 2.0 })?;
/// assert_eq!((bad.verdict, bad.radius), (Verdict::Refused, 0.5));
/// // One of the two reached the boundary: a refused step says nothing about it.
/// assert_eq!(region.statistics.activation_rate(), 0.5);
/// # Ok::<(), hybridq::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrustRegion {
    /// The constants.
    pub options: TrustOptions,
    /// The norm that a step may have.
    pub radius: f32,
    /// What has happened so far.
    pub statistics: TrustStatistics,
}

impl TrustRegion {
    /// A region with the usual constants.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a radius outside 1e-30 to 1e30.
    pub fn new(radius: f32) -> Result<TrustRegion, Error> {
        TrustRegion::with(radius, TrustOptions::default())
    }

    /// A region with other constants.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a constant outside its range, or a radius outside `min_radius` to `max_radius`.
    pub fn with(radius: f32, options: TrustOptions) -> Result<TrustRegion, Error> {
        let region = TrustRegion { options, radius, statistics: TrustStatistics::default() };
        region.check()?;
        Ok(region)
    }

    /// Refuses a state that no call of this module leaves behind: constants or a radius out of range.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn check(&self) -> Result<(), Error> {
        self.options.check()?;
        let fine = (self.options.min_radius..=self.options.max_radius).contains(&self.radius);
        if fine { Ok(()) } else { Err(Error::InvalidArgument) }
    }

    /// Whether a step of that norm reaches the boundary.
    #[must_use]
    pub fn reaches_boundary(&self, step_norm: f32) -> bool {
        step_norm >= self.options.boundary * self.radius
    }

    /// Actual over predicted reduction, `(loss - trial_loss + d) / (predicted + d)` with
    /// `d = guard 2^-23 max(loss_scale, |loss|)`; no overflow on the way for any finite numbers. `None` where a number is
    /// not finite, or where the model predicts no reduction even with the guard.
    ///
    /// ```
    /// let region = hybridq::constrain::TrustRegion::new(1.0)?;
    /// assert!((region.ratio(5.0, 4.0, 2.0).unwrap() - 0.5).abs() < 1e-3);
    /// assert_eq!(region.ratio(5.0, f32::NAN, 2.0), None);
    /// # Ok::<(), hybridq::Error>(())
    /// ```
    #[must_use]
    pub fn ratio(&self, loss: f32, trial_loss: f32, predicted: f32) -> Option<f32> {
        if !(loss.is_finite() && trial_loss.is_finite() && predicted.is_finite()) {
            return None;
        }
        let o = &self.options;
        let size = if loss.abs() > o.loss_scale { loss.abs() } else { o.loss_scale };
        let d = o.guard * f32::EPSILON * size;
        // Sums of two terms of up to 2^128 need two more bits of exponent; a power of two takes nothing from large ones.
        let largest =
            [trial_loss.abs(), predicted.abs(), d].into_iter().fold(size, |a, b| if a > b { a } else { b });
        let by = if largest > 1e30 { 0.125 } else { 1.0 };
        let actual = (loss * by - trial_loss * by) + d * by;
        let predicted = predicted * by + d * by;
        if predicted > 0.0 { Some((actual / predicted).clamp(-f32::MAX, f32::MAX)) } else { None }
    }

    /// Judges a step and sets the radius for the next one.
    ///
    /// A number of the trial that is NaN or infinite (or a negative norm) refuses the step, shrinks the radius and changes
    /// nothing else but the counts. A step of norm 0, as a gradient of zero gives, is accepted with ratio 1 and leaves the
    /// radius alone.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] from [`TrustRegion::check`]; nothing changes then.
    pub fn update(&mut self, trial: &Trial) -> Result<TrustOutcome, Error> {
        self.check()?;
        let (o, before) = (self.options, self.radius);
        let norm = trial.step_norm;
        let numbers = [trial.loss, trial.trial_loss, trial.predicted, norm];
        let sound = numbers.iter().all(|x| x.is_finite()) && norm >= 0.0;
        let on_boundary = sound && self.reaches_boundary(norm);
        let (verdict, ratio) = if !sound {
            (Verdict::Refused, None)
        } else if norm == 0.0 {
            (Verdict::Accepted, Some(1.0))
        } else {
            match self.ratio(trial.loss, trial.trial_loss, trial.predicted) {
                Some(ratio) if ratio > o.accept_above => (Verdict::Accepted, Some(ratio)),
                other => (Verdict::Rejected, other),
            }
        };
        if ratio.is_none_or(|ratio| ratio < o.shrink_below) {
            self.shrink(if sound { norm } else { before });
        } else if on_boundary && ratio.is_some_and(|ratio| ratio > o.grow_above) {
            // An infinite product is above the maximum too.
            let grown = o.grow * before;
            self.radius = if grown > o.max_radius { o.max_radius } else { grown };
        }
        self.count(verdict, on_boundary);
        let ratio = ratio.unwrap_or(0.0);
        Ok(TrustOutcome { verdict, ratio, radius_before: before, radius: self.radius, on_boundary })
    }

    /// Enters a step that the caller has judged by something else than the ratio, as where the model foretells nothing. Kept, it
    /// leaves the radius alone; rejected, it shrinks the radius. The ratio of the answer is 0: there is none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] from [`TrustRegion::check`], and for a norm that is negative or NaN; nothing changes then.
    pub fn settle(&mut self, keep: bool, step_norm: f32) -> Result<TrustOutcome, Error> {
        self.check()?;
        if step_norm.is_nan() || step_norm < 0.0 {
            return Err(Error::InvalidArgument);
        }
        let (before, on_boundary) = (self.radius, self.reaches_boundary(step_norm));
        let verdict = if keep { Verdict::Accepted } else { Verdict::Rejected };
        if !keep {
            self.shrink(step_norm);
        }
        self.count(verdict, on_boundary);
        Ok(TrustOutcome { verdict, ratio: 0.0, radius_before: before, radius: self.radius, on_boundary })
    }

    /// Shrinks the radius after a step of that norm.
    fn shrink(&mut self, norm: f32) {
        let o = &self.options;
        let from = if o.shrink_from_step && norm < self.radius { norm } else { self.radius };
        let radius = o.shrink * from;
        self.radius = if radius < o.min_radius { o.min_radius } else { radius };
    }

    fn count(&mut self, verdict: Verdict, on_boundary: bool) {
        let s = &mut self.statistics;
        s.steps = s.steps.saturating_add(1);
        s.on_boundary = s.on_boundary.saturating_add(on_boundary as u64);
        s.refused = s.refused.saturating_add((verdict == Verdict::Refused) as u64);
        if verdict == Verdict::Accepted {
            s.accepted = s.accepted.saturating_add(1);
            s.rejected_in_row = 0;
        } else {
            s.rejected_in_row = s.rejected_in_row.saturating_add(1);
        }
    }
}
