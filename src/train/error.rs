//! Why a run ends.

use crate::Error;
use crate::io::IoError;

/// A refusal of the trainer: one line.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A file.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A key of the configuration: its name, what is wrong with it, and the mend.
    #[error("{key} {what}; {mend}")]
    Config {
        /// As in the file.
        key: &'static str,
        /// What is wrong.
        what: String,
        /// What to do.
        mend: &'static str,
    },
    /// So many steps in a row were refused because loss or gradient were not finite.
    #[error(
        "the loss or its gradient was not finite in {0} steps in a row; lower base_learning_rate, or look at the data"
    )]
    Diverged(u32),
    /// The core refused a step.
    #[error("{0}")]
    Core(Error),
}

impl From<Error> for TrainError {
    fn from(error: Error) -> TrainError {
        TrainError::Core(error)
    }
}

pub(super) fn config(key: &'static str, what: impl Into<String>, mend: &'static str) -> TrainError {
    TrainError::Config { key, what: what.into(), mend }
}
