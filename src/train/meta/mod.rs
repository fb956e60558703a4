//! Training the auxiliary network offline, and proving it on tasks that it has not seen.
//!
//! A [`Task`] is a small learning problem with a base optimizer, drawn from a seed. A whole run with a [`Policy`] that
//! multiplies learning rate and radius is judged by the loss at its end on samples that no batch had, against the same
//! run (data, first parameters, batches) of the base alone. [`train`] evolves the network by that over many tasks;
//! [`judge`] says what any policy does to tasks held out.
//!
//! Everything is a function of seeds: the number of threads changes no bit.

mod evolve;
mod judge;
mod problem;
mod proof;
mod run;
mod source;
mod task;
mod trials;

pub use evolve::{LINEAR, LINEAR_TRAINED, MetaOptions, Progress, linear, train, train_linear};
pub use judge::{Change, Report, TOLERANCE, judge};
pub use proof::{Row, TRAINED, prove};
pub use run::Policy;
pub use source::source;
pub use task::{Family, Kind, Task};
pub use trials::Trials;
