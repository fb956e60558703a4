//! Tables and configurations that cannot be trained with.

use std::fs;
use std::path::Path;

use hybridq::train::{Config, Dataset, LabelColumn, TrainError, Trainer};

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
    let data = table("0,1,2\n1,3,4\n").unwrap();
    type Change = fn(&mut Config);
    let changes: [(&str, Change); 9] = [
        ("epochs", |c| c.epochs = 0),
        ("batch_size", |c| c.batch_size = 0),
        ("validation", |c| c.validation = 0.95),
        ("optimizer.base_learning_rate", |c| c.optimizer.base_learning_rate = f32::NAN),
        ("optimizer.warmup", |c| c.optimizer.warmup = -0.1),
        ("clusters.data_clusters", |c| c.clusters.data_clusters = 0),
        ("trust_region.noise", |c| c.trust_region.noise = 2.0),
        ("trust_region.initial_trust_radius", |c| c.trust_region.initial_trust_radius = 0.0),
        ("model.hidden", |c| c.model.hidden = vec![4, 0]),
    ];
    for (key, change) in changes {
        let mut config = Config::default();
        change(&mut config);
        let error = Trainer::new(config, data.clone()).unwrap_err().to_string();
        assert!(error.starts_with(key) && error.lines().count() == 1, "{key}: {error}");
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
