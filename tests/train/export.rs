//! Exported networks: the file gives the bits that evaluation saw.

use hybridq::io::model::Model;
use hybridq::quant::Format;
use hybridq::train::{Config, Dataset, Exported, Trainer, WeightForm};

use super::{digits, short};

fn trained(change: impl FnOnce(&mut Config)) -> (Trainer, Dataset) {
    let mut config = Config { epochs: 2, ..short() };
    change(&mut config);
    let mut trainer = Trainer::new(config, digits("train.csv")).unwrap();
    while !trainer.ended() {
        trainer.step().unwrap();
    }
    (trainer, digits("test.csv"))
}

fn export(trainer: &Trainer, format: Option<Format>) -> Exported {
    let model = &trainer.config().model;
    Exported::new(model, trainer.shape(), trainer.chosen(), format, 1.0 / 16.0).unwrap()
}

fn scores(network: &Exported, data: &Dataset) -> Vec<u32> {
    let mut scores = vec![0.0; data.rows() * network.shape()[1]];
    network.scores(data.rows(), &data.x, &mut scores).unwrap();
    scores.iter().map(|s| s.to_bits()).collect()
}

/// Through the bytes of a file.
fn reread(network: &Exported) -> Exported {
    let bytes = network.gguf("net").unwrap();
    Exported::load(&Model::from_bytes("net.gguf".as_ref(), &bytes).unwrap()).unwrap()
}

#[test]
fn files_give_the_bits_of_evaluation() {
    type Change = fn(&mut Config);
    let changes: [Change; 6] = [
        |_| {},
        |c| {
            // A row of more than one block of activations, a square, two hidden layers.
            c.model.hidden = vec![300, 16];
            c.model.curve = hybridq::train::CurveName::ReluSquared;
            c.epochs = 1;
        },
        |c| c.model.int8_activations = false,
        |c| c.model.float_last = true,
        |c| c.model.weights = WeightForm::Proximal,
        |c| {
            (c.model.kind, c.model.filters) = (hybridq::train::ModelKind::Conv, vec![4]);
            c.epochs = 1;
        },
    ];
    for (i, change) in changes.into_iter().enumerate() {
        let (mut trainer, test) = trained(change);
        let seen = trainer.evaluate_chosen(&test).unwrap();
        let mut all = Vec::new();
        for format in [Format::Tq1_0, Format::Tq2_0, Format::DenseTernary] {
            let network = export(&trainer, Some(format));
            let read = reread(&network);
            assert_eq!(scores(&network, &test), scores(&read, &test), "{i} {format:?}");
            let found = read.evaluate(&test).unwrap();
            if format == Format::DenseTernary {
                // The same trits and scales; the last bits of the products are others.
                assert!((found.loss - seen.loss).abs() < 1e-6 * seen.loss, "{i}: {found:?} {seen:?}");
                assert!((found.accuracy - seen.accuracy).abs() < 0.01);
            } else {
                assert_eq!(found, seen, "{i} {format:?}");
            }
            all.push((network.signs(), network.relative_error(trainer.chosen())));
        }
        assert_eq!(all[0], all[1]);
        assert_eq!(all[0], all[2]);
        assert!(all[0].1 > 0.1 && all[0].1 < 0.9, "{:?}", all[0].1);
    }
}

#[test]
fn float_networks_are_exact_and_can_be_quantized_afterwards() {
    let (mut trainer, test) = trained(|c| {
        c.model.weights = WeightForm::Float;
        c.model.int8_activations = false;
    });
    let seen = trainer.evaluate_chosen(&test).unwrap();
    let network = export(&trainer, None);
    assert_eq!(reread(&network).evaluate(&test).unwrap(), seen);
    assert_eq!(network.relative_error(trainer.chosen()), 0.0);
    assert_eq!(network.matrix_bytes(), 4 * (64 * 64 + 10 * 64));
    for (format, least) in [(Format::Q8_0, 0.0), (Format::Q35B, 0.02), (Format::DenseTernary, 0.3)] {
        let network = export(&trainer, Some(format));
        assert_eq!(scores(&network, &test), scores(&reread(&network), &test), "{format:?}");
        let error = network.relative_error(trainer.chosen());
        assert!(error >= least && error < least + 0.2, "{format:?} {error}");
        let found = network.evaluate(&test).unwrap();
        assert!(found.accuracy > seen.accuracy - 0.2, "{format:?} {found:?} {seen:?}");
    }
}

#[test]
fn ternary_networks_take_ternary_formats_only_and_foreign_files_are_refused() {
    let (trainer, _) = trained(|c| c.epochs = 1);
    for format in [None, Some(Format::Q8_0), Some(Format::FiveLevel)] {
        let model = &trainer.config().model;
        let error = Exported::new(model, trainer.shape(), trainer.chosen(), format, 1.0).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("ternary") && error.lines().count() == 1, "{error}");
    }
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/digits/mlp.safetensors");
    let error = Exported::load(&Model::open(&file).unwrap()).unwrap_err().to_string();
    assert!(error.contains("hybridq.model.features") && error.contains("hybridq train"), "{error}");
}
