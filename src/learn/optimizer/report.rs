//! What a step says about itself.

use bytemuck::{Pod, Zeroable};

/// What happened in a step.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The norm of the gradient as it came.
    pub gradient_norm: f32,
    /// The same after the clip to [`Options::clip_norm`](super::Options::clip_norm).
    pub clipped_norm: f32,
    /// The norm of the step that the direction and the learning rates ask for.
    pub wanted_norm: f32,
    /// The norm of the step within the radii, before the constraint set.
    pub step_norm: f32,
    /// The radius that holds for all groups together: the root of the sum of the squares of their radii; infinity if one
    /// has none.
    pub radius: f32,
    /// Groups whose radius was active.
    pub bounded: usize,
    /// Whether the constraint set moved the parameters.
    pub projected: bool,
    /// (Loss before - loss after) / predicted, of the *previous* step, if its losses were given.
    pub ratio: Option<f32>,
    /// By how much this step should lower the loss, to first order: the product of gradient and step.
    pub predicted: f32,
    /// What quantization changed of the gradient (with residual), relative to it: root of the ratio of the squares.
    pub gradient_error: f32,
    /// What packing changed of the parameters, likewise; 0 if they were not packed.
    pub parameter_error: f32,
    /// The part of the step that goes down the gradient: the cosine between the step and the negative gradient. 1 for
    /// plain gradient descent; momentum, quantization and weight decay cost some of it; below 0 the step goes uphill.
    pub efficiency: f32,
}

/// The step of one group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
#[repr(C)]
pub struct GroupStep {
    /// The norm of the step that was asked for.
    pub wanted: f32,
    /// The norm of the step within the radius.
    pub taken: f32,
    /// By how much this group's step should lower the loss, to first order.
    pub predicted: f32,
    /// 1 if the radius was active, else 0.
    pub bounded: u32,
}
