//! Losses: the mean over a batch, and its gradient by every output.
//!
//! What all share: `gradient` is written, and may be empty where it is not wanted. Everything must be finite: a NaN or an
//! infinity among the outputs of a network is refused with [`Error::NonFinite`], which is how a training loop sees that
//! it has diverged; no loss is NaN. Finite values of any size are fine: a loss that exceeds the f32 range is infinity,
//! its gradient is right all the same.

use crate::Error;
use crate::math::{exp, ln, tree_sum};
use crate::workspace::{split_rows, split_rows_mut};

/// The first label that is not below `classes`; for messages, after [`cross_entropy`] has refused.
#[must_use]
pub fn first_bad_label(classes: usize, labels: &[u32]) -> Option<usize> {
    labels.iter().position(|&label| label as usize >= classes)
}

/// Softmax and cross-entropy: the mean of `-ln softmax(logits)[label]`, with a weight for each sample on request (the mean
/// is then the weighted one).
///
/// `logits` has `labels.len()` x `classes` values. The loss of a sample is `ln(sum of e^(x - m)) + (m - x[label])`, `m`
/// the largest logit, which neither overflows nor cancels. Gradient: `(softmax - onehot) * weight / sum of weights`.
///
/// # Errors
/// [`Error::Shape`] (`logits`, `weights`), [`Error::OutputTooSmall`] (`gradient`), [`Error::InvalidArgument`] for a label
/// that is not below `classes` ([`first_bad_label`]), for a weight below 0, for weights that are all 0, and for no
/// samples; [`Error::NonFinite`]. `gradient` is untouched then.
///
/// ```
/// use hybridq::learn::layers::loss::cross_entropy;
/// let mut gradient = [0.0; 2];
/// let loss = cross_entropy(2, &[1e30, 1e30], &[0], None, &mut gradient)?;
/// assert!((loss - 0.6931472).abs() < 1e-6);
/// assert_eq!(gradient, [-0.5, 0.5]);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn cross_entropy(
    classes: usize,
    logits: &[f32],
    labels: &[u32],
    weights: Option<&[f32]>,
    gradient: &mut [f32],
) -> Result<f32, Error> {
    let samples = labels.len();
    if classes.checked_mul(samples).ok_or(Error::SizeOverflow)? != logits.len()
        || weights.is_some_and(|w| w.len() != samples)
    {
        return Err(Error::Shape);
    }
    let gradient = wanted(gradient, logits.len())?;
    finite(logits)?;
    finite(weights.unwrap_or_default())?;
    if samples == 0
        || first_bad_label(classes, labels).is_some()
        || weights.unwrap_or_default().iter().any(|&w| w < 0.0)
    {
        return Err(Error::InvalidArgument);
    }
    let total = match weights {
        Some(weights) => weights.iter().fold(0.0f32, |sum, w| sum + w),
        None => samples as f32,
    };
    if total <= 0.0 {
        return Err(Error::InvalidArgument);
    }
    finite(&[total])?;
    let mut loss = 0.0f32;
    let mut gradients = split_rows_mut(gradient, classes);
    for (i, (row, &label)) in split_rows(logits, classes).zip(labels).enumerate() {
        let weight = weights.map_or(1.0, |w| w.get(i).copied().unwrap_or_default()) / total;
        let (most, sum) = normaliser(row, 1.0);
        let own = row.get(label as usize).copied().unwrap_or_default();
        if weight > 0.0 {
            loss += weight * (ln(sum) + (most - own));
        }
        if let Some(to) = gradients.next() {
            softmax(row, 1.0, (most, sum), to);
            if let Some(own) = to.get_mut(label as usize) {
                *own -= 1.0;
            }
            for to in to {
                *to *= weight;
            }
        }
    }
    Ok(loss)
}

/// The mean of `(output - target)^2` over all values. Gradient: `2 (output - target) / values`.
///
/// # Errors
/// [`Error::Shape`] (`targets`), [`Error::OutputTooSmall`] (`gradient`), [`Error::InvalidArgument`] for no values,
/// [`Error::NonFinite`]. `gradient` is untouched then.
///
/// ```
/// let mut gradient = [0.0; 2];
/// let loss = hybridq::learn::layers::loss::mean_squared_error(&[1.0, 2.0], &[0.0, 4.0], &mut gradient)?;
/// assert_eq!((loss, gradient), (2.5, [1.0, -2.0]));
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn mean_squared_error(outputs: &[f32], targets: &[f32], gradient: &mut [f32]) -> Result<f32, Error> {
    if outputs.len() != targets.len() {
        return Err(Error::Shape);
    }
    let gradient = wanted(gradient, outputs.len())?;
    finite(outputs)?;
    finite(targets)?;
    if outputs.is_empty() {
        return Err(Error::InvalidArgument);
    }
    let share = 1.0 / outputs.len() as f32;
    let mut loss = 0.0f32;
    for (outputs, targets) in outputs.chunks(16).zip(targets.chunks(16)) {
        let mut lanes = [0.0f32; 16];
        for ((lane, &y), &t) in lanes.iter_mut().zip(outputs).zip(targets) {
            *lane = (y - t) * (share * (y - t));
        }
        loss += tree_sum(lanes);
    }
    for ((to, &y), &t) in gradient.iter_mut().zip(outputs).zip(targets) {
        // Halves, as the difference itself may be out of range.
        let half = 0.5 * y - 0.5 * t;
        *to = 4.0 * (half * share);
    }
    Ok(loss)
}

/// Distillation: `T^2` times the mean of the Kullback-Leibler divergence of the student's distribution from the teacher's,
/// both softened by the temperature `T` (Hinton, Vinyals, Dean, arXiv:1503.02531; the factor keeps gradients of one size
/// for all temperatures).
///
/// `student` and `teacher` are logits, `samples` x `classes`. Gradient by the student's:
/// `T (softmax(student / T) - softmax(teacher / T)) / samples`.
///
/// # Errors
/// [`Error::Shape`] (`student`, `teacher`: equally long, whole rows), [`Error::OutputTooSmall`] (`gradient`),
/// [`Error::InvalidArgument`] for no samples and for a temperature not from 0.01 to 1000, [`Error::NonFinite`]. `gradient`
/// is untouched then.
///
/// ```
/// use hybridq::learn::layers::loss::distillation;
/// assert_eq!(distillation(2, &[3.0, 1.0], &[3.0, 1.0], 2.0, &mut [])?, 0.0); // nothing left to learn
/// assert!(distillation(2, &[1.0, 3.0], &[3.0, 1.0], 2.0, &mut [])? > 0.0);
/// # Ok::<(), hybridq::Error>(())
/// ```
pub fn distillation(
    classes: usize,
    student: &[f32],
    teacher: &[f32],
    temperature: f32,
    gradient: &mut [f32],
) -> Result<f32, Error> {
    let samples = student.len().checked_div(classes).ok_or(Error::InvalidArgument)?;
    if student.len() != teacher.len() || samples.checked_mul(classes) != Some(student.len()) {
        return Err(Error::Shape);
    }
    let gradient = wanted(gradient, student.len())?;
    if samples == 0 || !(0.01..=1000.0).contains(&temperature) {
        return Err(Error::InvalidArgument);
    }
    finite(student)?;
    finite(teacher)?;
    let (inverse, share) = (1.0 / temperature, 1.0 / samples as f32);
    let mut loss = 0.0f32;
    let mut gradients = split_rows_mut(gradient, classes);
    for (s, t) in split_rows(student, classes).zip(split_rows(teacher, classes)) {
        let (of_s, of_t) = (normaliser(s, inverse), normaliser(t, inverse));
        // ln q_t - ln q_s, class by class
        let offset = ln(of_s.1) - ln(of_t.1);
        let mut divergence = 0.0f32;
        for (&s, &t) in s.iter().zip(t) {
            let below = scaled(t, of_t.0, inverse);
            let q = exp(below) / of_t.1;
            if q > 0.0 {
                divergence += q * ((below - scaled(s, of_s.0, inverse)) + offset);
            }
        }
        // Rounding may leave it a little below 0, which it never is.
        let divergence = if divergence < 0.0 { 0.0 } else { divergence };
        loss += share * (temperature * temperature * divergence);
        if let Some(to) = gradients.next() {
            softmax(s, inverse, of_s, to);
            for (to, &t) in to.iter_mut().zip(t) {
                *to = (temperature * share) * (*to - exp(scaled(t, of_t.0, inverse)) / of_t.1);
            }
        }
    }
    Ok(loss)
}

/// As much of the gradient as is wanted: all, or nothing.
fn wanted(gradient: &mut [f32], len: usize) -> Result<&mut [f32], Error> {
    if gradient.is_empty() { Ok(gradient) } else { gradient.get_mut(..len).ok_or(Error::OutputTooSmall) }
}

fn finite(x: &[f32]) -> Result<(), Error> {
    if x.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(Error::NonFinite) }
}

/// `(x - most) * inverse`, never positive; minus infinity, where that is out of range.
fn scaled(x: f32, most: f32, inverse: f32) -> f32 {
    (x - most) * inverse
}

/// The largest logit, and the sum of `e^((x - most) * inverse)`.
fn normaliser(row: &[f32], inverse: f32) -> (f32, f32) {
    let most = row.iter().fold(f32::MIN, |most, &x| if x > most { x } else { most });
    let mut lanes = [0.0f32; 16];
    for row in row.chunks(16) {
        for (lane, &x) in lanes.iter_mut().zip(row) {
            *lane += exp(scaled(x, most, inverse));
        }
    }
    (most, tree_sum(lanes))
}

fn softmax(row: &[f32], inverse: f32, (most, sum): (f32, f32), to: &mut [f32]) {
    for (to, &x) in to.iter_mut().zip(row) {
        *to = exp(scaled(x, most, inverse)) / sum;
    }
}
