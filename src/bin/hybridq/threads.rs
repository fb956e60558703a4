//! How many threads work.

use std::num::NonZeroUsize;

use crate::Stop;

/// `--threads`, shared by the commands that use more than one.
#[derive(clap::Args)]
pub struct ThreadArgs {
    /// How many threads work [default: one for each core]; the results are the same for every number
    #[arg(short, long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl ThreadArgs {
    /// How many: what was given, or one for each core.
    pub fn count(&self) -> usize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.threads.unwrap_or_else(cores).get()
    }

    /// Makes the pool of all that follows; once in a process.
    pub fn start(&self) -> Result<(), Stop> {
        start(self.threads.map_or(0, NonZeroUsize::get))
    }
}

/// [`ThreadArgs::start`] with that many threads, 0: one for each core.
pub fn start(threads: usize) -> Result<(), Stop> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|e| Stop::Line(format!("cannot start threads: {e}; pass a smaller --threads")))
}
