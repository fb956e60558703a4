//! Checkpoints: the same bits, or a clear line.

use std::fs;

use hybridq::train::{
    BaseName, Config, FitName, GradientName, ModelKind, Sampling, StorageName, Teacher, TrainError, Trainer,
    WeightForm,
};

use super::{digits, short};

/// Everything that a run is told by, to the bit.
fn bits(trainer: &Trainer) -> (Vec<u32>, u64, String) {
    let parameters = trainer.parameters().iter().map(|p| p.to_bits()).collect();
    let rest = format!("{:?} {:?} {:?}", trainer.region(), trainer.predictor(), trainer.summary());
    (parameters, trainer.steps(), rest)
}

fn go(trainer: &mut Trainer, steps: u64) {
    let held_back = digits("test.csv");
    for _ in 0..steps {
        trainer.step().unwrap();
        if trainer.steps().is_multiple_of(trainer.steps_per_epoch()) {
            trainer.end_epoch(&held_back).unwrap();
        }
    }
}

#[test]
fn an_interrupted_run_goes_on_with_the_same_bits() {
    let low_bit = || {
        let mut config = short();
        config.optimizer.base = BaseName::Sgd;
        config.optimizer.gradient = GradientName::Ternary;
        config.optimizer.residual = StorageName::Int4;
        config.optimizer.moment = StorageName::Int8;
        config
    };
    let plain = || {
        let mut config = short();
        config.trust_region.enabled = false;
        config
    };
    let apart = || {
        let mut config = short();
        config.clusters.rate_exponent = 0.5;
        config.clusters.sampling = Sampling::Cluster;
        config.measure_every = 7;
        (config.model.weights, config.model.fit) = (WeightForm::Proximal, FitName::Lloyd);
        (config.model.pull, config.model.clip) = (5.0, 1.5);
        config
    };
    let conv = || {
        let mut config = short();
        config.model.kind = ModelKind::Conv;
        (config.model.filters, config.model.stride, config.model.pool) = (vec![4], 2, 1);
        config
    };
    let configs: [fn() -> Config; 5] = [short, low_bit, plain, apart, conv];
    for (i, config) in configs.into_iter().enumerate() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        let mut whole = Trainer::new(config(), digits("train.csv")).unwrap();
        go(&mut whole, 70);
        let mut first = Trainer::new(config(), digits("train.csv")).unwrap();
        go(&mut first, 51); // past the end of an epoch
        first.save(&path).unwrap();
        let mut second = Trainer::resume(&path, digits("train.csv")).unwrap();
        assert_eq!(bits(&second), bits(&first), "run {i}");
        assert_eq!(second.chosen(), first.chosen());
        go(&mut second, 19);
        assert_eq!(bits(&second), bits(&whole), "run {i}");
        assert_eq!(second.chosen(), whole.chosen());
        // A second save replaces the first.
        second.save(&path).unwrap();
        assert_eq!(Trainer::resume(&path, digits("train.csv")).unwrap().steps(), 70);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    }
}

#[test]
fn a_run_with_a_teacher_goes_on_with_the_same_one_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/mlp.safetensors");
    let data = digits("train.csv");
    let logits = Teacher::open(&file, &data).unwrap().logits(&data).unwrap();
    let begin = || Trainer::new(short(), data.clone()).unwrap().with_teacher(logits.clone()).unwrap();
    let mut whole = begin();
    go(&mut whole, 30);
    let mut first = begin();
    go(&mut first, 20);
    first.save(&path).unwrap();
    let resumed = || Trainer::resume(&path, data.clone()).unwrap();
    let mut second = resumed().with_teacher(logits.clone()).unwrap();
    go(&mut second, 10);
    assert_eq!(bits(&second), bits(&whole));
    // Without it, or with another one.
    assert!(matches!(resumed().step(), Err(TrainError::Config { key: "distillation", .. })));
    let mut others = logits.clone();
    others[3] += 1.0;
    let error = resumed().with_teacher(others).unwrap_err().to_string();
    assert!(error.contains("not that of the run"), "{error}");
    // A teacher makes a difference, and cannot come late.
    let mut alone = Trainer::new(short(), data.clone()).unwrap();
    go(&mut alone, 30);
    assert_ne!(bits(&alone).0, bits(&whole).0);
    assert!(alone.with_teacher(logits).unwrap_err().to_string().contains("too late"));
}

#[test]
fn damaged_and_foreign_checkpoints_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut trainer = Trainer::new(short(), digits("train.csv")).unwrap();
    go(&mut trainer, 5);
    trainer.save(&path).unwrap();
    let sound = fs::read(&path).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        let error = Trainer::resume(&path, digits("train.csv")).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains("run.safetensors"), "{error}");
        error
    };
    for cut in [0, 7, 8, 100, sound.len() / 2, sound.len() - 1] {
        refused(&sound[..cut]);
    }
    // Any byte of the data, and of the configuration.
    let data = 8 + u64::from_le_bytes(sound[..8].try_into().unwrap()) as usize;
    for at in (data..sound.len()).step_by(997) {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        assert!(refused(&bytes).contains("damaged"), "byte {at}");
    }
    let text = String::from_utf8_lossy(&sound[8..data]).into_owned();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from) && from.len() == to.len(), "{from}");
        let mut bytes = sound.clone();
        bytes[8..data].copy_from_slice(text.replace(from, to).as_bytes());
        bytes
    };
    assert!(refused(&with("epochs = 3", "epochs = 4")).contains("damaged"));
    assert!(refused(&with("\"version\":\"1\"", "\"version\":\"2\"")).contains("version 2"));
    assert!(refused(&with("hybridq checkpoint", "other   checkpoint")).contains("no checkpoint"));
    assert!(refused(&with("\"state\"", "\"stale\"")).contains("'state'"));
    // Sound, but of other data.
    fs::write(&path, &sound).unwrap();
    let error = Trainer::resume(&path, digits("test.csv")).unwrap_err().to_string();
    assert!(error.contains("other training data"), "{error}");
    let missing = folder.path().join("none.safetensors");
    assert!(
        Trainer::resume(&missing, digits("train.csv")).unwrap_err().to_string().contains("none.safetensors")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_checkpoint_before_it() {
    let trainer = Trainer::new(short(), digits("train.csv")).unwrap();
    // A device without room, and a folder that is not there.
    for path in ["/dev/full", "/nowhere/run.safetensors"] {
        let error = trainer.save(std::path::Path::new(path)).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(error.contains(path), "{error}");
    }
}
