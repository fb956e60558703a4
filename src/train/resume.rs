//! A trainer to a checkpoint and back.

use std::path::Path;

use crate::constrain::{TrustRegion, TrustStatistics};
use crate::learn::optimizer;
use crate::learn::predictor::Predictor;
use crate::quant::archive::crc32;

use super::checkpoint::{Checkpoint, refuse};
use super::config::Config;
use super::dataset::Dataset;
use super::error::TrainError;
use super::measure::Measured;
use super::sampler::{self, ClusterState};
use super::teacher::checksum;
use super::trainer::Trainer;

/// Words of `state`: those of the loop, of the region, of the optimizer.
const WORDS: usize = 12 + 6 + size_of::<optimizer::State>() / 8;

impl Trainer {
    /// Writes everything that [`Trainer::resume`] needs, whole or not at all.
    ///
    /// # Errors
    /// What the file system refuses. The checkpoint before it stays then.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let region = &self.state.region;
        let s = &region.statistics;
        let mut state = vec![
            self.step,
            self.last_loss.to_bits() as u64,
            self.refused as u64,
            self.best_loss.to_bits(),
            self.best_epoch,
            self.per_epoch,
            self.data.rows() as u64,
            self.teacher_wanted
                .or_else(|| (!self.teacher.is_empty()).then(|| checksum(&self.teacher)))
                .map_or(0, |crc| 1 << 32 | crc as u64),
            self.measured.is_some() as u64,
            self.measured.map_or(0, |m| m.quantization_error.to_bits() as u64),
            self.measured.and_then(|m| m.flip_rate).map_or(u64::MAX, |f| f.to_bits() as u64),
            self.measured.map_or(0, |m| m.zeros.to_bits() as u64),
            region.radius.to_bits() as u64,
            s.steps,
            s.accepted,
            s.on_boundary,
            s.refused,
            s.rejected_in_row as u64,
        ];
        state.extend(
            bytemuck::bytes_of(&self.state.optimizer).as_chunks().0.iter().map(|c| u64::from_le_bytes(*c)),
        );
        let memory: &[u8] = bytemuck::cast_slice(&self.memory);
        let checkpoint = Checkpoint {
            config: self.config.to_toml(),
            fingerprint: fingerprint(&self.data),
            parameters: self.parameters.clone(),
            best: self.best.clone(),
            optimizer: memory.to_vec(),
            predictor: self.predictor.as_ref().map(|p| bytemuck::bytes_of(p).to_vec()).unwrap_or_default(),
            state,
            clusters: self.sampler.states.iter().flat_map(|c| c.words()).collect(),
            row_clusters: self.rows.words(),
            // At most 32 clusters.
            row_labels: self.rows.labels.iter().map(|&l| l as u8).collect(),
            row_gradients: self.rows.squares.clone(),
            trits: bytemuck::cast_slice(&self.trits.last).to_vec(),
        };
        Ok(checkpoint.write(path)?)
    }

    /// The configuration of the run that a checkpoint belongs to.
    ///
    /// # Errors
    /// A file that is no whole checkpoint.
    pub fn config_of(path: &Path) -> Result<Config, TrainError> {
        Ok(Config::from_toml(&Checkpoint::read(path)?.config, path)?)
    }

    /// Features of a row, and classes.
    #[must_use]
    pub fn shape(&self) -> [usize; 2] {
        [self.data.features, self.data.classes]
    }

    /// Whether the run has come to its end: all epochs are done, or none was better for [`Config::patience`] of them.
    #[must_use]
    pub fn ended(&self) -> bool {
        let (epoch, patience) = (self.step / self.per_epoch.max(1), self.config.patience as u64);
        let waited =
            self.step > 0 && self.step.is_multiple_of(self.per_epoch.max(1)) && !self.best.is_empty();
        self.step >= self.total_steps() || (patience > 0 && waited && epoch - self.best_epoch >= patience)
    }

    /// Goes on with the same bits where [`Trainer::save`] was called; `data` are the training data of that run. If it had a teacher,
    /// it needs the same one before its next step ([`Trainer::with_teacher`]).
    ///
    /// # Errors
    /// A file that is no whole checkpoint, or one of other training data.
    pub fn resume(path: &Path, data: Dataset) -> Result<Trainer, TrainError> {
        let found = Checkpoint::read(path)?;
        let config = Config::from_toml(&found.config, path)?;
        let mut run = Trainer::new(config, data)?;
        if found.fingerprint != fingerprint(&run.data) {
            let what = "belongs to other training data".to_owned();
            return Err(refuse(path, what).into());
        }
        let odd =
            |what: &str| TrainError::from(refuse(path, format!("has {what} of another length than its run")));
        if found.parameters.len() != run.parameters.len() {
            return Err(odd("parameters"));
        }
        if !found.best.is_empty() && found.best.len() != run.parameters.len() {
            return Err(odd("best parameters"));
        }
        let memory: &mut [u8] = bytemuck::cast_slice_mut(&mut run.memory);
        if found.optimizer.len() != memory.len() {
            return Err(odd("an optimizer"));
        }
        let Some((
            &[step, last, refused, best_loss, best_epoch, per_epoch, rows, teacher, ref then @ ..],
            rest,
        )) = found.state.split_first_chunk::<18>().filter(|_| found.state.len() == WORDS)
        else {
            return Err(odd("a state"));
        };
        if per_epoch != run.per_epoch || rows != run.data.rows() as u64 {
            return Err(odd("an epoch"));
        }
        memory.copy_from_slice(&found.optimizer);
        run.parameters.copy_from_slice(&found.parameters);
        run.best = found.best;
        let bytes: Vec<u8> = rest.iter().flat_map(|w| w.to_le_bytes()).collect();
        run.state.optimizer = bytemuck::pod_read_unaligned(&bytes);
        let [measured, error, flips, zeros, radius, steps, accepted, on_boundary, refused_steps, in_row] =
            *then;
        run.measured = (measured == 1).then(|| Measured {
            quantization_error: f32::from_bits(error as u32),
            flip_rate: (flips != u64::MAX).then(|| f32::from_bits(flips as u32)),
            zeros: f32::from_bits(zeros as u32),
        });
        run.teacher_wanted = (teacher >> 32 == 1).then_some(teacher as u32);
        let (states, odd_states) = found.clusters.as_chunks::<{ sampler::WORDS }>();
        if states.len() != run.sampler.states.len() || !odd_states.is_empty() {
            return Err(odd("clusters"));
        }
        for (to, words) in run.sampler.states.iter_mut().zip(states) {
            *to = ClusterState { rows: to.rows, ..ClusterState::from_words(*words) };
        }
        let labels = found.row_labels.iter().map(|&l| l as u32).collect();
        run.rows
            .restore(&found.row_clusters, labels, found.row_gradients)
            .ok_or_else(|| odd("clusters of parameters"))?;
        if !found.trits.is_empty() && found.trits.len() != run.trits.len() {
            return Err(odd("trits"));
        }
        run.trits.last = bytemuck::cast_slice(&found.trits).to_vec();
        run.state.region = TrustRegion {
            radius: f32::from_bits(radius as u32),
            statistics: TrustStatistics {
                steps,
                accepted,
                on_boundary,
                refused: refused_steps,
                rejected_in_row: in_row as u32,
            },
            ..run.state.region
        };
        run.state.region.check()?;
        run.predictor = match (&run.predictor, found.predictor.len()) {
            (None, 0) => None,
            (Some(_), n) if n == size_of::<Predictor>() => {
                let predictor: Predictor = bytemuck::pod_read_unaligned(&found.predictor);
                predictor.check()?;
                Some(predictor)
            }
            _ => return Err(odd("a predictor")),
        };
        run.step = step;
        run.last_loss = f32::from_bits(last as u32);
        run.refused = refused as u32;
        run.best_loss = f64::from_bits(best_loss);
        run.best_epoch = best_epoch;
        Ok(run)
    }
}

/// Tells training data apart: shape and a checksum.
fn fingerprint(data: &Dataset) -> String {
    let values = data.x.iter().fold(0, |crc, v| crc32(crc, &v.to_le_bytes()));
    let all = data.labels.iter().fold(values, |crc, l| crc32(crc, &l.to_le_bytes()));
    format!("{} rows, {} features, {} classes, {all:08x}", data.rows(), data.features, data.classes)
}
