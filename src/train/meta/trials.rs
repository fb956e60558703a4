//! Many runs, on threads, in an order that does not matter.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::train::dataset::Dataset;
use crate::train::error::TrainError;

use super::problem::Problem;
use super::run::{Outcome, Policy, run};
use super::task::{Family, Task};

/// Which tasks, and how often each is run: with other data, other first parameters, other batches.
#[derive(Clone, Copy, Debug)]
pub struct Trials<'a> {
    /// Where the tasks come from.
    pub family: Family,
    /// Of the tasks and of the runs.
    pub seed: u64,
    /// The first task.
    pub first: u64,
    /// How many.
    pub tasks: usize,
    /// Runs of each.
    pub runs: usize,
    /// The rows of [`Family::Digits`].
    pub table: Option<&'a Dataset>,
}

impl Trials<'_> {
    /// Runs all tasks with all policies. All policies see the same problem: data, first parameters, batches. Outcomes of
    /// a run, one for each policy, stand together; the runs of a task follow each other.
    pub(super) fn run(
        &self,
        policies: &[Policy],
        threads: usize,
        keep: usize,
    ) -> Result<Vec<Vec<Outcome>>, TrainError> {
        if self.tasks == 0 || self.runs == 0 {
            return Err(TrainError::Core(crate::Error::InvalidArgument));
        }
        parallel(self.tasks * self.runs, threads, |item| {
            let index = self.first + (item / self.runs) as u64;
            let task = Task::draw(self.family, self.seed, index);
            // Every run has a seed of its own, whatever the numbers of tasks and runs.
            let seed = self.seed ^ (self.family as u64) << 56 ^ index << 16 ^ (item % self.runs) as u64;
            let problem = Problem::new(&task, seed, self.table)?;
            policies.iter().map(|policy| run(&problem, policy, seed, keep)).collect()
        })
    }
}

/// `work` of 0 to `count - 1`, in that order, on so many threads; the first error, if there is one.
pub(super) fn parallel<T: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, TrainError> + Sync,
) -> Result<Vec<T>, TrainError> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(count));
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                loop {
                    let item = next.fetch_add(1, Ordering::Relaxed);
                    if item >= count {
                        return;
                    }
                    let found = work(item);
                    done.lock().unwrap_or_else(|e| e.into_inner()).push((item, found));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(|e| e.into_inner());
    done.sort_by_key(|(item, _)| *item);
    done.into_iter().map(|(_, found)| found).collect()
}
