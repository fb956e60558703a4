//! Results on disk: a line of JSON for each run, so that an experiment that was cut off goes on where it was.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::Failure;

/// What tells runs apart. A run with the same key has the same bits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key {
    pub task: String,
    pub method: String,
    pub seed: u64,
    /// Whether it is for tuning: on a part of the training rows.
    pub tuning: bool,
    /// Everything that it was told.
    pub settings: String,
}

/// Losses at a point of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub step: u64,
    /// Of steps alone, without evaluations.
    pub seconds: f64,
    /// Forward passes of a batch so far.
    pub forwards: u64,
    /// Backward passes of a batch so far.
    pub backwards: u64,
    /// Over all training rows.
    pub train_loss: f64,
    pub test_loss: f64,
    pub test_accuracy: f64,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub key: Key,
    pub rate: f64,
    pub points: Vec<Point>,
    /// Why it ended before its time.
    pub failure: Option<String>,
    /// Relative error of the weights' rounding to trits at the end.
    pub quantization_error: Option<f64>,
    /// Test accuracy after rounding to trits, of a network that was trained without.
    pub rounded_accuracy: Option<f64>,
    /// Geometric means of learning rate's and radius' multipliers.
    pub multipliers: Option<[f64; 2]>,
    /// Part of the steps that were accepted.
    pub accepted: Option<f64>,
    /// Part of the steps that the region held back.
    pub bounded: Option<f64>,
    /// Bytes of parameters, gradients and optimizer state.
    pub bytes_held: u64,
    pub parameters: u64,
}

impl Record {
    /// The last point; a run that diverged before its first has none.
    pub fn last(&self) -> Option<&Point> {
        self.points.last()
    }
}

/// The file, and what it has.
pub struct Store {
    file: Mutex<File>,
    records: Mutex<HashMap<Key, Record>>,
}

impl Store {
    /// Opens or begins the file. A last line that was cut off is dropped.
    pub fn open(path: &Path) -> Result<Store, Failure> {
        let mut records = HashMap::new();
        let mut sound = 0u64;
        if path.exists() {
            let mut reader = BufReader::new(File::open(path)?);
            let mut line = String::new();
            while reader.read_line(&mut line)? > 0 {
                match serde_json::from_str::<Record>(&line) {
                    Ok(record) if line.ends_with('\n') => records.insert(record.key.clone(), record),
                    _ => break,
                };
                sound += line.len() as u64;
                line.clear();
            }
        }
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        file.set_len(sound)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0))?;
        Ok(Store { file: Mutex::new(file), records: Mutex::new(records) })
    }

    pub fn get(&self, key: &Key) -> Option<Record> {
        lock(&self.records).get(key).cloned()
    }

    pub fn add(&self, record: Record) -> Result<(), Failure> {
        let line = serde_json::to_string(&record)? + "\n";
        lock(&self.file).write_all(line.as_bytes())?;
        lock(&self.records).insert(record.key.clone(), record);
        Ok(())
    }
}

/// A run that panicked has left nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
