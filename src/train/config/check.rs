//! Keys out of range, refused by name.

use crate::train::error::{TrainError, config};

use super::{Config, ModelKind};

impl Config {
    /// Refuses keys out of range, by name.
    ///
    /// # Errors
    /// [`TrainError::Config`].
    pub fn check(&self) -> Result<(), TrainError> {
        let refuse =
            |key, bad: bool, what: String, mend| if bad { Err(config(key, what, mend)) } else { Ok(()) };
        let zero = |key, n: usize, mend| refuse(key, n == 0, "is 0".into(), mend);
        let part = |key, x: f32| {
            refuse(key, !(0.0..=1.0).contains(&x), format!("is {x}"), "give a part from 0 to 1")
        };
        let positive = |key, x: f32| {
            let bad = !(x > 0.0 && x <= f32::MAX);
            refuse(key, bad, format!("is {x}"), "give a positive number")
        };
        let not_negative = |key, x: f32| {
            refuse(key, !(0.0..=f32::MAX).contains(&x), format!("is {x}"), "give a number from 0 on")
        };
        zero("epochs", self.epochs as usize, "train for at least one")?;
        zero("batch_size", self.batch_size, "give at least one row")?;
        let v = self.validation;
        refuse("validation", !(0.0..=0.9).contains(&v), format!("is {v}"), "give a part from 0 to 0.9")?;
        self.check_model()?;

        let o = &self.optimizer;
        positive("optimizer.base_learning_rate", o.base_learning_rate)?;
        part("optimizer.warmup", o.warmup)?;
        for (key, beta) in [("optimizer.momentum", o.momentum), ("optimizer.beta2", o.beta2)] {
            let bad = !(0.0..1.0).contains(&beta);
            refuse(key, bad, format!("is {beta}"), "give a number from 0 to below 1")?;
        }
        not_negative("optimizer.weight_decay", o.weight_decay)?;
        let clip = o.clip_norm;
        refuse(
            "optimizer.clip_norm",
            clip.is_nan() || clip <= 0.0,
            format!("is {clip}"),
            "give a positive number, or inf",
        )?;

        zero("clusters.data_clusters", self.clusters.data_clusters, "1 stands for no clusters")?;
        let k = self.clusters.param_clusters;
        let mend = "give 1 (no clusters) to 32";
        refuse("clusters.param_clusters", !(1..=32).contains(&k), format!("is {k}"), mend)?;
        part("clusters.rate_exponent", self.clusters.rate_exponent)?;
        let radius = self.trust_region.initial_trust_radius;
        let bad = !(1e-30..=1e30).contains(&radius);
        let mend = "give a number from 1e-30 to 1e30";
        refuse("trust_region.initial_trust_radius", bad, format!("is {radius}"), mend)?;
        part("trust_region.noise", self.trust_region.noise)?;
        part("distillation.weight", self.distillation.weight)?;
        let t = self.distillation.temperature;
        let bad = !(0.01..=1000.0).contains(&t);
        refuse("distillation.temperature", bad, format!("is {t}"), "give a number from 0.01 to 1000")
    }

    fn check_model(&self) -> Result<(), TrainError> {
        let m = &self.model;
        let zero = |key, n: usize| {
            if n == 0 { Err(config(key, "is 0", "give at least 1")) } else { Ok(()) }
        };
        if let Some(i) = m.hidden.iter().position(|&n| n == 0) {
            let what = format!("has 0 neurons in layer {}", i + 1);
            return Err(config("model.hidden", what, "give every hidden layer at least one"));
        }
        match m.kind {
            ModelKind::Mlp => {}
            ModelKind::Conv => {
                let image = &m.image;
                if !(image.is_empty() || image.len() == 3) || image.contains(&0) {
                    let what = format!("is {image:?}");
                    return Err(config(
                        "model.image",
                        what,
                        "give [channels, height, width], each at least 1",
                    ));
                }
                if m.filters.is_empty() || m.filters.contains(&0) {
                    let what = format!("is {:?}", m.filters);
                    return Err(config("model.filters", what, "give each convolution at least one channel"));
                }
                zero("model.kernel", m.kernel)?;
                zero("model.stride", m.stride)?;
                zero("model.pool", m.pool)?;
            }
            ModelKind::Attention => {
                zero("model.context", m.context)?;
                zero("model.width", m.width)?;
                zero("model.blocks", m.blocks)?;
                if m.heads == 0 || !m.width.is_multiple_of(m.heads) {
                    let what = format!("is {}, which does not divide the width {}", m.heads, m.width);
                    return Err(config("model.heads", what, "give a divisor"));
                }
                if m.hidden.len() != 1 {
                    let what = format!("has {} numbers", m.hidden.len());
                    return Err(config("model.hidden", what, "give one: the neurons of a block"));
                }
            }
        }
        let clip = m.clip;
        if clip.is_nan() || clip <= 0.0 {
            return Err(config("model.clip", format!("is {clip}"), "give a positive number, or inf"));
        }
        if !(0.0..=1.0).contains(&m.ramp_start) {
            return Err(config(
                "model.ramp_start",
                format!("is {}", m.ramp_start),
                "give a part from 0 to 1",
            ));
        }
        if !(m.ramp_start..=1.0).contains(&m.ramp_end) {
            let what = format!("is {}", m.ramp_end);
            return Err(config("model.ramp_end", what, "give a part from ramp_start to 1"));
        }
        if !(0.0..=1e6).contains(&m.pull) {
            return Err(config("model.pull", format!("is {}", m.pull), "give a number from 0 to 1e6"));
        }
        Ok(())
    }
}
