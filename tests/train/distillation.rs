//! Teachers: from another run, and from a file of tensors.

use std::path::Path;

use hybridq::io::Dtype;
use hybridq::io::safetensors::{SafetensorsWriter, TensorSpec};
use hybridq::train::{Dataset, Teacher, Trainer};

use super::{digits, short};

fn perceptron() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/mlp.safetensors")
}

/// The part of the rows whose largest output is that of their label.
fn accuracy(logits: &[f32], data: &Dataset) -> f64 {
    let right = logits
        .chunks(data.classes)
        .zip(&data.labels)
        .filter(|(row, label)| row.iter().all(|&x| x <= row[**label as usize]));
    right.count() as f64 / data.rows() as f64
}

#[test]
fn the_bundled_network_teaches() {
    let (train, test) = (digits("train.csv"), digits("test.csv"));
    let mut teacher = Teacher::open(&perceptron(), &train).unwrap();
    // 352 of 360, as data/digits/README.md says.
    assert_eq!((accuracy(&teacher.logits(&test).unwrap(), &test) * 360.0).round(), 352.0);
    let logits = teacher.logits(&train).unwrap();
    assert_eq!(accuracy(&logits, &train), 1.0);
    // Labels that are wrong cannot be learnt, where the teacher alone counts.
    let mut wrong = train.clone();
    wrong.labels.iter_mut().for_each(|l| *l = (*l + 1) % 10);
    let mut config = short();
    config.distillation.weight = 1.0;
    let mut student = Trainer::new(config, wrong).unwrap().with_teacher(logits).unwrap();
    while student.steps() < student.total_steps() {
        student.step().unwrap();
    }
    let found = student.evaluate(&test).unwrap();
    println!("figure train_digits_distilled {:.2} percent", 100.0 * found.accuracy);
    assert!(found.accuracy > 0.8, "{found:?}");
}

#[test]
fn another_run_teaches() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let (train, test) = (digits("train.csv"), digits("test.csv"));
    let mut config = short();
    config.epochs = 1;
    let mut run = Trainer::new(config, train.clone()).unwrap();
    while run.steps() < run.total_steps() {
        run.step().unwrap();
    }
    run.save(&path).unwrap();
    let mut teacher = Teacher::open(&path, &train).unwrap();
    let found = accuracy(&teacher.logits(&test).unwrap(), &test);
    assert!((found - run.evaluate(&test).unwrap().accuracy).abs() < 1e-9);
}

/// A file of tensors, all values 1.
fn file(folder: &Path, tensors: &[(&str, &[usize])]) -> std::path::PathBuf {
    let path = folder.join("teacher.safetensors");
    let specs: Vec<TensorSpec> = tensors
        .iter()
        .map(|(name, shape)| TensorSpec { name: name.to_string(), dtype: Dtype::F32, shape: shape.to_vec() })
        .collect();
    let out = std::fs::File::create(&path).unwrap();
    let mut writer = SafetensorsWriter::new(out, &Default::default(), &specs).unwrap();
    for (_, shape) in tensors {
        writer.write(&1f32.to_le_bytes().repeat(shape.iter().product())).unwrap();
    }
    writer.finish().unwrap();
    path
}

#[test]
fn teachers_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let train = digits("train.csv");
    type Tensors = &'static [(&'static str, &'static [usize])];
    let cases: [(Tensors, &str); 6] = [
        (&[("a.weight", &[10, 63])], "takes 63 features"),
        (&[("a.weight", &[9, 64])], "9 classes"),
        (&[("a.weight", &[5, 64]), ("b.weight", &[10, 6])], "no multilayer perceptron"),
        (&[("a.weight", &[10, 64]), ("a.bias", &[9])], "bias of 'a.weight'"),
        (&[("a.weight", &[10, 64, 1])], "no matrix"),
        (&[("a.weight", &[10, 64]), ("norm", &[64])], "no multilayer perceptron"),
    ];
    for (tensors, says) in cases {
        let path = file(folder.path(), tensors);
        let error = Teacher::open(&path, &train).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("teacher.safetensors"), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
    // Ten comes after two, whatever the alphabet says.
    let path = file(folder.path(), &[("l.10.weight", &[10, 3]), ("l.2.weight", &[3, 64])]);
    let mut teacher = Teacher::open(&path, &train).unwrap();
    let row = &train.x[..64];
    let sum: f32 = row.iter().sum();
    let found = teacher.logits(&train).unwrap();
    assert!(found[..10].iter().all(|&y| (y - 3.0 * sum).abs() < 1e-3 * sum), "{:?}", &found[..10]);
    // Outputs for other rows.
    let refuse = |logits: Vec<f32>| {
        let trainer = Trainer::new(short(), train.clone()).unwrap();
        trainer.with_teacher(logits).unwrap_err().to_string()
    };
    assert!(refuse(vec![0.0; 10]).contains("other rows"));
    assert!(refuse(vec![f32::NAN; train.rows() * 10]).contains("not finite"));
    std::fs::write(&path, b"nothing").unwrap();
    assert!(Teacher::open(&path, &train).is_err());
}
