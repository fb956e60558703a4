//! Steps that land on few bits: base direction, bound, quantized gradient with error feedback, quantized parameters.

pub(in crate::learn) mod block;
mod options;
mod parameters;
mod report;
mod source;
mod state;
mod step;
pub(in crate::learn) mod store;
mod survey;
pub(in crate::learn) mod trits;
mod whole;

pub(super) use parameters::bend;

pub use options::{Base, GradientForm, Group, Options, Storage};
pub use report::{GroupStep, Report};
pub use state::{
    BytesHeld, State, bytes_held, gradient_size, memory_size, packed_size, start, unpack_gradient,
};
pub use step::{Inputs, Optimizer, Outputs, workspace_size};
