//! The hybrid step: an optimizer's step within a trust region that learns its radius, proposed, tried on the same batch,
//! and kept or taken back.
//!
//! The model is the caller's: anything that gives a loss and a gradient. One step goes
//!
//! 1. the caller computes loss and gradient on a batch;
//! 2. [`Hybrid::propose`] makes the step: learning rates and radius times the multipliers, the radius shared out among the
//!    groups, gradient and parameters quantized as the optimizer's options say;
//! 3. the caller computes the loss again, **on the same batch**, with the parameters that it finds;
//! 4. [`Hybrid::judge`] keeps the step, or puts everything back to the bit, and sets the radius for the next one.
//!
//! [`Hybrid::undo`] between 2 and 4 takes the step back unjudged: that is how two sets of multipliers are compared on one
//! batch. A loss or gradient that is NaN or infinite refuses the step and shrinks the radius; parameters and state stay.
//!
//! # How the radius is shared out
//! The region bounds the norm of the whole step, `radius`. A group of `n_g` of all `n` parameters gets `radius sqrt(n_g / n)`,
//! so the bound on the root mean square of a group's step is the same for all, and their sum of squares is `radius^2`. A group
//! with a radius of its own ([`Group::radius`](super::optimizer::Group::radius)) keeps the smaller of the two. The step reaches
//! the boundary if a radius shortened any group's step.
//!
//! # What a bad ratio means with momentum
//! The model that foretells the loss is linear: gradient times step. With momentum a step may run along the batch's level
//! set, where that product says nothing. Steps whose efficiency (the cosine between step and negative gradient) is
//! below [`Options::least_efficiency`] are therefore judged by the loss alone: they are rejected if it rises by more than
//! [`Options::tolerated_rise`], and leave the radius alone if it does not.

//!
//! ```
//! use hybridq::constrain::{TrustRegion, Verdict};
//! use hybridq::learn::hybrid::{self, Batch, Hybrid, Model, Multipliers, Proposal};
//! use hybridq::learn::optimizer::{self, Group};
//!
//! let groups = [Group { rows: 1, cols: 2, learning_rate: 0.25, radius: f32::INFINITY }];
//! let options = optimizer::Options::DEFAULT;
//! let mut memory = [0f32; 2];
//! let memory = bytemuck::bytes_of_mut(&mut memory);
//! let mut state = hybrid::start(&options, &groups, TrustRegion::new(0.5)?, memory)?;
//! let mut undo = vec![0; hybrid::undo_size(&options, &groups, 0, 0)?];
//! let mut scratch = vec![0; hybrid::workspace_size(&options, &groups, None)?];
//! let mut params = [3.0, -1.0];
//! let loss = |x: &[f32]| 0.5 * (x[0] * x[0] + x[1] * x[1]);
//! for _ in 0..100 {
//!     let (before, gradient) = (loss(&params), params);
//!     let judged = hybrid::Options::default();
//!     let mut hybrid = Hybrid {
//!         options: &judged,
//!         optimizer: &options,
//!         groups: &groups,
//!         set: None,
//!         state: &mut state,
//!         memory,
//!         undo: &mut undo,
//!     };
//!     let batch = Batch { loss: before, gradient: &gradient };
//!     let mut model = Model { params: &mut params, visible: &mut [], packed: &mut [] };
//!     let made = hybrid.propose(&batch, Multipliers::ONE, &mut model, &mut scratch)?;
//!     assert!(matches!(made, Proposal::Trial(_)));
//!     let trial = loss(model.params);
//!     hybrid.judge(trial, &mut model)?;
//! }
//! assert!(loss(&params) < 0.01);
//! # Ok::<(), hybridq::Error>(())
//! ```

mod step;
mod undo;

pub use crate::learn::predictor::Multipliers;
pub use step::{Batch, Hybrid, Model, Options, Pending, Proposal, State, start, workspace_size};
pub use undo::undo_size;
