//! Losses.

use crate::capi::hq_status;
use crate::capi::pointers::{Input, Output, disjoint, status};
use crate::learn::layers::loss;

/// Softmax and cross-entropy: the mean of `-ln softmax(logits)[label]`, or the weighted mean.
///
/// Logits of any finite size are fine; a loss beyond the range of `float` is infinity.
///
/// - `classes`: values of a sample.
/// - `logits`: exactly `labels_len * classes` floats.
/// - `labels`: one a sample, each below `classes`.
/// - `weights`: one a sample, none below 0; or NULL.
/// - `gradient`: at least as many floats as logits: the derivative of the loss by each; or NULL.
/// - `loss`: one float.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SIZE_OVERFLOW`, `HQ_ERROR_SHAPE`
/// (`logits`, `weights`), `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (a label, see
/// `hq_loss_first_bad_label`; a weight below 0; weights that are all 0; no samples), `HQ_ERROR_NON_FINITE`. The outputs are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float logits[2] = {1e30f, 1e30f};
/// const uint32_t label = 0;
/// float gradient[2], loss;
/// assert(hq_loss_cross_entropy(2, logits, 2, &label, 1, NULL, 0, gradient, 2, &loss) == HQ_OK);
/// assert(fabsf(loss - 0.6931472f) < 1e-6f && gradient[0] == -0.5f && gradient[1] == 0.5f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_loss_cross_entropy(
    classes: usize,
    logits: *const f32,
    logits_len: usize,
    labels: *const u32,
    labels_len: usize,
    weights: *const f32,
    weights_len: usize,
    gradient: *mut f32,
    gradient_len: usize,
    loss: *mut f32,
) -> hq_status {
    status(|| {
        let logits = Input::new(logits, logits_len)?;
        let labels = Input::new(labels, labels_len)?;
        let weights = Input::new(weights, weights_len)?;
        let (gradient, result) = (Output::new(gradient, gradient_len)?, Output::new(loss, 1)?);
        disjoint(&[gradient.span(), result.span()], &[logits.span(), labels.span(), weights.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (logits, labels, weights) = unsafe { (logits.slice(), labels.slice(), weights.slice()) };
        let weights = (!weights.is_empty()).then_some(weights);
        // SAFETY: as above.
        let value = loss::cross_entropy(classes, logits, labels, weights, unsafe { gradient.slice() })?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// The first label that is not below `classes`, for messages; `SIZE_MAX` if there is none, or no such array. Callable from any
/// thread.
///
/// # Safety
/// `labels` is valid for its length.
///
/// ```c
/// const uint32_t labels[3] = {0, 9, 10};
/// assert(hq_loss_first_bad_label(10, labels, 3) == 2);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_loss_first_bad_label(
    classes: usize,
    labels: *const u32,
    labels_len: usize,
) -> usize {
    let Ok(labels) = Input::new(labels, labels_len) else { return usize::MAX };
    // SAFETY: the caller vouches for the memory.
    loss::first_bad_label(classes, unsafe { labels.slice() }).unwrap_or(usize::MAX)
}

/// The mean of `(output - target)^2` over all values.
///
/// - `outputs`, `targets`: equally many floats.
/// - `gradient`: at least as many: the derivative of the loss by each output; or NULL.
/// - `loss`: one float.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (`targets`),
/// `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (no values), `HQ_ERROR_NON_FINITE`. The outputs are
/// untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float outputs[2] = {1.0f, 2.0f}, targets[2] = {0.0f, 4.0f};
/// float gradient[2], loss;
/// assert(hq_loss_mean_squared_error(outputs, 2, targets, 2, gradient, 2, &loss) == HQ_OK);
/// assert(loss == 2.5f && gradient[0] == 1.0f && gradient[1] == -2.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_loss_mean_squared_error(
    outputs: *const f32,
    outputs_len: usize,
    targets: *const f32,
    targets_len: usize,
    gradient: *mut f32,
    gradient_len: usize,
    loss: *mut f32,
) -> hq_status {
    status(|| {
        let (outputs, targets) = (Input::new(outputs, outputs_len)?, Input::new(targets, targets_len)?);
        let (gradient, result) = (Output::new(gradient, gradient_len)?, Output::new(loss, 1)?);
        disjoint(&[gradient.span(), result.span()], &[outputs.span(), targets.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (outputs, targets) = unsafe { (outputs.slice(), targets.slice()) };
        // SAFETY: as above.
        let value = loss::mean_squared_error(outputs, targets, unsafe { gradient.slice() })?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}

/// Distillation: `temperature^2` times the mean Kullback-Leibler divergence of the student's distribution from the teacher's,
/// both softened by the temperature.
///
/// - `classes`: values of a sample.
/// - `student`, `teacher`: logits, equally many floats, whole samples.
/// - `temperature`: 0.01 to 1000.
/// - `gradient`: at least as many floats: the derivative of the loss by each of the student's logits; or NULL.
/// - `loss`: one float.
///
/// Buffers must not overlap. Callable from any thread.
///
/// Errors: `HQ_ERROR_NULL_POINTER`, `HQ_ERROR_MISALIGNED`, `HQ_ERROR_OVERLAP`, `HQ_ERROR_SHAPE` (`student`, `teacher`),
/// `HQ_ERROR_OUTPUT_TOO_SMALL` (`gradient`), `HQ_ERROR_INVALID_ARGUMENT` (no classes, no samples, the temperature),
/// `HQ_ERROR_NON_FINITE`. The outputs are untouched then.
///
/// # Safety
/// Each pointer is valid for the length given with it.
///
/// ```c
/// const float student[2] = {1.0f, 3.0f}, teacher[2] = {3.0f, 1.0f};
/// float loss;
/// assert(hq_loss_distillation(2, teacher, 2, teacher, 2, 2.0f, NULL, 0, &loss) == HQ_OK && loss == 0.0f);
/// assert(hq_loss_distillation(2, student, 2, teacher, 2, 2.0f, NULL, 0, &loss) == HQ_OK && loss > 0.0f);
/// ```
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hq_loss_distillation(
    classes: usize,
    student: *const f32,
    student_len: usize,
    teacher: *const f32,
    teacher_len: usize,
    temperature: f32,
    gradient: *mut f32,
    gradient_len: usize,
    loss: *mut f32,
) -> hq_status {
    status(|| {
        let (student, teacher) = (Input::new(student, student_len)?, Input::new(teacher, teacher_len)?);
        let (gradient, result) = (Output::new(gradient, gradient_len)?, Output::new(loss, 1)?);
        disjoint(&[gradient.span(), result.span()], &[student.span(), teacher.span()])?;
        // SAFETY: the caller vouches for the memory; no output overlaps another buffer.
        let (student, teacher) = unsafe { (student.slice(), teacher.slice()) };
        // SAFETY: as above.
        let gradient = unsafe { gradient.slice() };
        let value = loss::distillation(classes, student, teacher, temperature, gradient)?;
        // SAFETY: as above.
        unsafe { result.write(value) };
        Ok(())
    })
}
