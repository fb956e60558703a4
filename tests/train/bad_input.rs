//! Tables and configurations that cannot be trained with.

use std::fs;
use std::path::Path;

use hybridq::train::{
    Config, Dataset, LabelColumn, Line, Metrics, Sampling, StorageName, TrainError, Trainer,
};

use super::{digits, short};

fn table(text: &str) -> Result<Dataset, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("table.csv");
    fs::write(&path, text).unwrap();
    Dataset::open(&path, LabelColumn::First, 1.0).map_err(|e| {
        let line = e.to_string();
        assert!(line.lines().count() == 1 && line.contains("table.csv"), "{line}");
        line
    })
}

#[test]
fn tables_are_refused_with_the_row_at_fault() {
    let found = table("0,1,2\n1,3,4\n2,5,6\n").unwrap();
    assert_eq!((found.rows(), found.features, found.classes), (3, 2, 3));
    for (text, says) in [
        ("0,1\n-1,2\n", "row 2 has the label -1"),
        ("0,1\n0.5,2\n", "row 2 has the label 0.5"),
        ("0,1\n70000,2\n", "row 2 has the label 70000"),
        ("0,1\n0,2\n", "one class only"),
        ("0,1\n2,2\n", "no row of class 1"),
        ("0\n1\n", "at least one feature"),
        ("0,nan\n1,2\n", "NaN"),
        ("0,inf\n1,2\n", "infinite"),
        ("0,1\n1\n", "line 2"),
    ] {
        let error = table(text).unwrap_err();
        assert!(error.contains(says), "{text:?}: {error}");
    }
}

#[test]
fn tables_of_another_kind_are_refused() {
    let train = table("0,1,2\n1,3,4\n").unwrap();
    let path = Path::new("test.csv");
    assert!(train.fits(&train, path).is_ok());
    let error = train.fits(&table("0,1\n1,3\n").unwrap(), path).unwrap_err().to_string();
    assert!(
        error.contains("test.csv") && error.contains("1 features") && error.contains("have 2"),
        "{error}"
    );
    let error = train.fits(&table("0,1,1\n1,3,1\n2,1,1\n").unwrap(), path).unwrap_err().to_string();
    assert!(error.contains("class 2"), "{error}");
}

#[test]
fn a_split_keeps_every_class_and_loses_no_row() {
    let data = digits("train.csv");
    let (keep, held) = data.split(0.1, 3);
    assert_eq!(keep.rows() + held.rows(), data.rows());
    for class in 0..10 {
        let count = |d: &Dataset| d.labels.iter().filter(|&&l| l == class).count() as f64;
        assert!((count(&held) / count(&data) - 0.1).abs() < 0.01, "class {class}");
    }
    assert_eq!(data.split(0.1, 3), (keep.clone(), held));
    assert_ne!(data.split(0.1, 4).0, keep);
    let tiny = table("0,1\n1,2\n1,3\n").unwrap();
    let (keep, held) = tiny.split(0.9, 1);
    assert_eq!((keep.rows(), held.rows()), (2, 1), "a class never loses its last row");
}

#[test]
fn configurations_name_the_key_at_fault() {
    let path = Path::new("run.toml");
    let read = |text: &str| Config::from_toml(text, path).map_err(|e| e.to_string());
    assert_eq!(read("").unwrap(), Config::default());
    let config = read("epochs = 5\n[clusters]\ndata_clusters = 3\n[optimizer]\nbase = \"sgd\"\n").unwrap();
    assert_eq!((config.epochs, config.clusters.data_clusters), (5, 3));
    assert_eq!(read(&config.to_toml()).unwrap(), config);
    for (text, says) in [
        ("epoch = 5", ["line 1", "epoch"]),
        ("seed = 1\n[model]\nhiden = [3]", ["line 3", "hiden"]),
        ("epochs = \"many\"", ["line 1", "many"]),
        ("epochs = -1", ["line 1", "-1"]),
        ("[optimizer]\nbase = \"adam\"", ["line 2", "adam"]),
        ("epochs = ", ["line 1", "run.toml"]),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.lines().count() == 1 && says.iter().all(|s| error.contains(s)), "{text:?}: {error}");
    }
}

#[test]
fn a_trainer_refuses_keys_and_rows_that_it_cannot_use() {
    let data = table("0,1,2\n1,3,4\n").unwrap();
    type Change = fn(&mut Config, &mut Dataset);
    let changes: [(&str, Change); 11] = [
        ("epochs", |c, _| c.epochs = 0),
        ("trust_region.initial_trust_radius", |c, _| c.trust_region.initial_trust_radius = 0.0),
        ("optimizer.moment", |c, _| c.optimizer.moment = StorageName::None),
        ("model.kind", |_, d| (d.labels_per_row, d.classes, d.labels) = (2, 5, vec![0, 1, 2, 3])),
        ("data has rows of one class only", |_, d| (d.classes, d.labels) = (1, vec![0, 0])),
        ("data has the label 2 in row 2", |_, d| d.labels[1] = 2),
        ("data has the feature NaN in row 2", |_, d| d.x[3] = f32::NAN),
        ("data has the feature inf in row 1", |_, d| d.x[1] = f32::INFINITY),
        ("data has 3 features", |_, d| d.x.truncate(3)),
        ("data has 0 features", |_, d| (d.x, d.labels) = (vec![], vec![])),
        ("data has the character 1.5 in row 1", |_, d| {
            (d.labels_per_row, d.classes, d.labels) = (2, 5, vec![0, 1, 2, 3]);
            d.x = vec![0.0, 1.5, 2.0, 3.0];
        }),
    ];
    for (says, change) in changes {
        let (mut config, mut data) = (Config::default(), data.clone());
        change(&mut config, &mut data);
        let error = Trainer::new(config, data).unwrap_err().to_string();
        assert!(error.starts_with(says) && error.lines().count() == 1, "{says}: {error}");
    }
}

#[test]
fn fewer_rows_than_a_batch_and_clusters_without_rows_are_fine() {
    // Three rows, two of them equal: of eight clusters at most two can have rows.
    let data = table("0,1,2\n0,1,2\n1,3,4\n").unwrap();
    let mut trainer = Trainer::new(short(), data.clone()).unwrap();
    while trainer.steps() < trainer.total_steps() {
        trainer.step().unwrap();
    }
    assert!(trainer.evaluate(&data).unwrap().loss.is_finite());
}

#[test]
fn data_that_overflow_end_the_run_and_lose_nothing() {
    // Finite, but their squares are not: the first norm makes infinities of them.
    let data = table("0,3e38,-3e38\n1,-3e38,3e38\n0,1e38,3e38\n1,3e38,3e38\n").unwrap();
    let mut config = short();
    config.epochs = 200;
    config.clusters.data_clusters = 1;
    let mut trainer = Trainer::new(config, data).unwrap();
    let before = trainer.parameters().to_vec();
    let error = (0..trainer.total_steps()).find_map(|_| trainer.step().err());
    match error {
        Some(TrainError::Diverged(steps)) => {
            assert_eq!(steps, 50);
            assert_eq!(trainer.parameters(), before);
        }
        Some(other) => panic!("{other}"),
        // A norm that scales before it squares is right to go on.
        None => assert!(trainer.parameters().iter().all(|p| p.is_finite())),
    }
}

#[test]
fn clusters_of_one_row_and_of_none_are_drawn_from_safely() {
    // Seven rows of four kinds, one of them alone: eight clusters are asked for.
    let text = "0,1,2\n0,1,2\n1,3,4\n1,3,4\n0,9,9\n1,5,1\n1,5,1\n";
    for sampling in [Sampling::Balanced, Sampling::Cluster] {
        let mut config = short();
        config.clusters.sampling = sampling;
        config.batch_size = 2;
        let mut trainer = Trainer::new(config, table(text).unwrap()).unwrap();
        while trainer.steps() < trainer.total_steps() {
            assert!(trainer.step().unwrap().loss.is_finite());
        }
        let clusters = trainer.summary().clusters;
        assert_eq!(clusters.iter().map(|c| c.rows).sum::<u32>(), 7);
        assert!(clusters.iter().all(|c| c.mean_loss.is_finite() && (c.rows > 0 || c.seen == 0)));
    }
}

#[test]
fn a_loss_that_is_not_finite_once_is_a_step_that_changes_nothing() {
    // One row in nine cannot be learnt from: its square overflows on the way.
    let mut text = String::new();
    for i in 0..9 {
        text += &format!("{},{},1\n", i % 2, if i == 4 { "3e38".into() } else { i.to_string() });
    }
    let mut config = short();
    config.model.hidden = vec![];
    config.model.weights = hybridq::train::WeightForm::Float;
    config.model.int8_activations = false;
    config.batch_size = 1;
    config.clusters.data_clusters = 1;
    let mut trainer = Trainer::new(config, table(&text).unwrap()).unwrap();
    while trainer.steps() < trainer.total_steps() {
        let before = trainer.parameters().to_vec();
        let step = trainer.step().unwrap();
        if !step.loss.is_finite() {
            assert_eq!(trainer.parameters(), before);
        }
        assert!(trainer.parameters().iter().all(|p| p.is_finite()));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn metrics_on_a_full_disk_end_in_one_line() {
    let mut trainer = Trainer::new(short(), digits("train.csv")).unwrap();
    let line = Line::of(&trainer.step().unwrap(), trainer.steps_per_epoch(), 0.1);
    let folder = tempfile::tempdir().unwrap();
    for name in ["full.csv", "full.jsonl"] {
        let path = folder.path().join(name);
        std::os::unix::fs::symlink("/dev/full", &path).unwrap();
        let mut metrics = Metrics::create(&path, Some(0)).unwrap();
        let error = (0..10_000).try_for_each(|_| metrics.add(&line)).and_then(|()| metrics.flush());
        let error = error.unwrap_err().to_string();
        assert!(error.lines().count() == 1 && error.contains(name), "{error}");
    }
}
