//! Networks of every kind.

use std::path::Path;

use hybridq::train::{Config, Dataset, ModelKind, Network, Trainer, Vocabulary, WeightForm};

use super::{digits, short};

/// Runs to the end.
fn run(config: Config, data: Dataset) -> Trainer {
    let mut trainer = Trainer::new(config, data).unwrap();
    while trainer.steps() < trainer.total_steps() {
        trainer.step().unwrap();
    }
    trainer
}

/// A text that a small network can learn.
fn text() -> String {
    (0..120).map(|i| format!("{} plus {} is {}.\n", i % 5, i % 3, i % 5 + i % 3)).collect()
}

#[test]
fn convolutions_learn_images() {
    let mut config = short();
    config.model.kind = ModelKind::Conv;
    config.model.hidden = vec![32];
    let mut trainer = run(config, digits("train.csv"));
    let found = trainer.evaluate(&digits("test.csv")).unwrap();
    println!("figure train_digits_conv {:.2} percent", 100.0 * found.accuracy);
    // Five epochs give 92 %, chance is 10 %.
    assert!(found.accuracy > 0.8, "{found:?}");
    // 8 x 9, 16 x 72, 32 x 64, 10 x 32: all of them trits.
    let sizes: Vec<_> =
        trainer.network().ternary_arrays().map(|a| [a.parameter.rows, a.parameter.cols]).collect();
    assert_eq!(sizes, [[8, 9], [16, 72], [32, 64], [10, 32]]);
}

#[test]
fn attention_learns_a_text() {
    let (all, text) = (Vocabulary::of(&text()), text());
    let data = all.rows(&text, 16, Path::new("text")).unwrap();
    assert_eq!((data.classes, data.labels_per_row), (all.characters().len(), 16));
    let mut config = short();
    config.epochs = 12;
    config.batch_size = 16;
    config.model.kind = ModelKind::Attention;
    (config.model.context, config.model.width, config.model.heads) = (16, 32, 2);
    config.model.hidden = vec![32];
    let (train, held) = data.split(0.2, 1);
    assert_eq!(train.rows() + held.rows(), data.rows());
    let mut trainer = run(config, train);
    let found = trainer.evaluate(&held).unwrap();
    println!("figure train_text_attention {:.2} percent", 100.0 * found.accuracy);
    // The most frequent character is 1 in 4; what comes is known except for two of twelve characters.
    assert!(found.accuracy > 0.7, "{found:?}");
}

#[test]
fn first_and_last_matrix_can_stay_float() {
    for (kind, features, matrices) in
        [(ModelKind::Mlp, 64, 3), (ModelKind::Conv, 64, 4), (ModelKind::Attention, 16, 6)]
    {
        let mut model = Config::default().model;
        model.kind = kind;
        model.context = 16;
        model.blocks = 2;
        model.hidden = if kind == ModelKind::Mlp { vec![8, 8] } else { vec![8] };
        let count = |first, last, weights| {
            let mut model = model.clone();
            (model.float_first, model.float_last, model.weights) = (first, last, weights);
            let layers = Network::new(&model, features, 10).unwrap();
            layers.ternary_arrays().map(|a| a.layer).collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!(count(false, false, WeightForm::Ternary), matrices);
        assert_eq!(count(true, false, WeightForm::Ternary), matrices - 1);
        assert_eq!(count(true, true, WeightForm::Proximal), matrices - 2);
        assert_eq!(count(false, false, WeightForm::Float), 0);
    }
}

#[test]
fn images_and_texts_that_do_not_fit_are_refused_by_key() {
    let refused = |features: usize, toml: &str| {
        let config = Config::from_toml(toml, Path::new("run.toml")).unwrap();
        config.check().unwrap();
        // Networks are long to print.
        Network::new(&config.model, features, 10).err().unwrap().to_string()
    };
    for (features, toml, key) in [
        (63, "model = { kind = \"conv\" }", "model.image"),
        (64, "model = { kind = \"conv\", image = [1, 8, 9] }", "model.image"),
        (64, "model = { kind = \"conv\", image = [18446744073709551615, 2, 2] }", "model.image"),
        (64, "model = { kind = \"conv\", kernel = 2, filters = [1, 1, 1] }", "model.kernel"),
        (64, "model = { kind = \"conv\", filters = [2, 2, 2, 2, 2] }", "model.pool"),
        (64, "model = { kind = \"conv\", pool = 9 }", "model.pool"),
        (63, "model = { kind = \"attention\" }", "model.context"),
    ] {
        let toml = toml.replace("18446744073709551615", "9223372036854775807");
        let error = refused(features, &toml);
        assert!(error.starts_with(&format!("{key} ")) && error.lines().count() == 1, "{toml}: {error}");
    }
}

#[test]
fn texts_are_refused_with_the_place_at_fault() {
    let path = Path::new("other.txt");
    let known = Vocabulary::of("abc\n");
    let rows = known.rows("abc\nab", 2, path).unwrap();
    assert_eq!((rows.rows(), rows.features), (2, 2));
    // In the order of code points: the end of the line, then a, b, c.
    assert_eq!((&rows.x[..], &rows.labels[..]), (&[1.0, 2.0, 3.0, 0.0][..], &[2, 3, 0, 1][..]));
    for (text, context, says) in [
        ("abc\nad", 2, "line 2, column 2"),
        ("ab", 2, "has 2 characters"),
        ("abc", 0, "a row has 0"),
        ("", 1, "has 0 characters"),
    ] {
        let error = known.rows(text, context, path).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("other.txt"), "{error}");
    }
    let error = Vocabulary::of("aaaa").rows("aaaa", 1, path).unwrap_err().to_string();
    assert!(error.contains("two different"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("latin.txt");
    std::fs::write(&file, b"caf\xe9").unwrap();
    let error = Dataset::open_text(&file, 2).unwrap_err().to_string();
    assert!(error.contains("byte 3") && error.contains("latin.txt"), "{error}");
}
