//! `hybridq train` and `evaluate`: what they write, what they say, and what they refuse.

use std::path::Path;

use crate::io_support::*;
use hybridq::io::model::Model;
use hybridq::train::{Config, Exported};

/// A run on the digits of a few moments.
pub fn short<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--digits", "--epochs", "2", "--hidden", "16", "--lr", "0.02"], more].concat()
}

/// What the last line says.
fn figure(stdout: &str) -> f64 {
    let line = stdout.lines().last().unwrap();
    let number = line.strip_prefix("figure test_accuracy ").and_then(|l| l.strip_suffix(" %"));
    number.unwrap_or_else(|| panic!("{stdout}")).parse().unwrap()
}

fn at(folder: &Folder, name: &str) -> String {
    folder.path(name).to_str().unwrap().to_owned()
}

#[test]
fn everything_at_once_and_the_same_bytes_again() {
    let folder = Folder::new();
    let names = ["net.gguf", "net.h", "run.svg", "run.csv", "run.state"];
    let [gguf, header, plot, metrics, state] = names.map(|n| at(&folder, n));
    let outputs = [
        "-o",
        &gguf,
        "--c-header",
        &header,
        "--prefix",
        "net",
        "--plot",
        &plot,
        "--save-metrics",
        &metrics,
        "--checkpoint",
        &state,
    ];
    let hybrid = ["--hybrid", "--ternary", "--qat", "--initial-trust-radius", "0.1", "--param-clusters", "3"];
    let args = short(&[&outputs[..], &hybrid].concat());
    let text = hybridq(&args).done();
    for says in [
        "1292 rows to learn from, 145 held back, 360 to test by (the digits' own)",
        "perceptron network, 64 features, 10 classes: 1226 parameters, ternary weights in training",
        "epoch   1/2  loss",
        "epoch   2/2  loss",
        "  flips ",
        "82 in 2 of 2 epochs",
        "mean learning-rate multiplier",
        "trust radius",
        "success rate",
        "steps bounded by the radius",
        "quantization error of weights",
        "dense_ternary, as stored",
    ] {
        assert!(text.contains(says), "{says}\n{text}");
    }
    assert!(figure(&text) > 50.0, "{text}");
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    assert_eq!(folder.names(), sorted);
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    let first: Vec<Vec<u8>> = names.iter().map(|n| read(n)).collect();
    let svg = String::from_utf8(read("run.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>") && !svg.contains("NaN"));
    for title in ["Training loss", "Learning rate", "Trust radius", "Steps bounded"] {
        assert!(svg.contains(title), "{title}");
    }
    let metrics_text = String::from_utf8(read("run.csv")).unwrap();
    assert!(metrics_text.starts_with("step,epoch,cluster,loss,"));
    assert_eq!(metrics_text.lines().count(), 83);
    assert!(
        String::from_utf8(read("net.h")).unwrap().contains("net_scores(const float *input, float *scores")
    );

    // Each output that exists is refused before anything is done, by name.
    let line = hybridq(&args).refused();
    assert!(line.contains("exists already") && line.contains("--overwrite"), "{line}");
    for (flag, name) in outputs.chunks_exact(2).map(|c| (c[0], c[1])).filter(|(f, _)| *f != "--prefix") {
        let line = hybridq(&short(&[flag, name])).refused();
        assert!(line.contains(name) && line.contains("exists already"), "{line}");
    }
    let text = hybridq(&[&args[..], &["--overwrite", "--quiet"]].concat()).done();
    assert_eq!(text.lines().count(), 1);
    for (name, first) in names.iter().zip(&first).filter(|(n, _)| **n != "run.csv") {
        assert!(&read(name) == first, "{name}");
    }

    // The file, run by itself, is as good as its run said.
    let scores = at(&folder, "scores.f32");
    let judged = hybridq(&["evaluate", &gguf, "--digits", "--scores", &scores]).done();
    assert!(judged.ends_with(&format!("figure accuracy_net {:.2} %\n", figure(&text))), "{judged}");
    assert_eq!(read("scores.f32").len(), 360 * 10 * 4);
    let test = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/test.csv");
    let line = hybridq(&["evaluate", &gguf, "--test", test, "--scores", &scores]).refused();
    assert!(line.contains("exists already"), "{line}");
    let other =
        hybridq(&["evaluate", &gguf, &gguf, "--test", test, "--scores", &scores, "--overwrite"]).done();
    assert_eq!(other.lines().last(), judged.lines().last());
    // `inspect` and the library read it, too.
    assert!(hybridq(&["inspect", &gguf]).done().contains("dense_ternary"));
    assert_eq!(Exported::load(&Model::open(&folder.path("net.gguf")).unwrap()).unwrap().shape(), [64, 10]);
}

#[test]
fn ternary_alone_quantizes_after_training_and_formats_follow() {
    let folder = Folder::new();
    let after = hybridq(&short(&["--ternary", "--seed", "3"])).done();
    assert!(after.contains("float weights, made ternary after training"), "{after}");
    assert!(after.contains("f32, as trained") && after.contains("dense_ternary, quantized after training"));
    assert!(!after.contains("radius") && !after.contains("flips"), "{after}");
    let plain = hybridq(&short(&["--seed", "3"])).done();
    assert!(plain.contains("float weights\n") && !plain.contains("dense_ternary"), "{plain}");
    for (i, (args, format)) in [
        (["--qat", "--format", "tq2_0"], "tq2_0"),
        (["--qat", "--format", "tq1_0"], "tq1_0"),
        (["--ternary", "--format", "TQ2_0"], "tq2_0"),
        (["--quiet", "--format", "q8_0"], "q8_0"),
        (["--quiet", "--format", "f32"], "F32"),
    ]
    .into_iter()
    .enumerate()
    {
        let out = at(&folder, &format!("{i}.gguf"));
        let text = hybridq(&short(&[&args[..], &["-o", &out]].concat())).done();
        assert!(hybridq(&["inspect", &out]).done().contains(format), "{args:?}");
        let judged = hybridq(&["evaluate", &out, "--digits"]).done();
        assert!(
            judged.ends_with(&format!("figure accuracy_{i} {:.2} %\n", figure(&text))),
            "{judged}\n{text}"
        );
    }
    for args in [["--qat", "--format", "q8_0"], ["--ternary", "--format", "f32"]] {
        let line = hybridq(&short(&args)).refused();
        assert!(line.contains("dense_ternary, tq1_0 or tq2_0"), "{line}");
    }
}

#[test]
fn flags_and_files_make_one_configuration() {
    let folder = Folder::new();
    let config = |args: &[&str]| {
        let text = hybridq(&[&["train", "--write-config", "-"], args].concat()).done();
        Config::from_toml(&text, Path::new("-")).unwrap()
    };
    let plain = config(&[]);
    assert!(!plain.trust_region.enabled && !plain.predictor.enabled && !plain.model.int8_activations);
    assert_eq!((plain.clusters.data_clusters, plain.clusters.param_clusters), (1, 1));
    assert_eq!((plain.epochs, plain.optimizer.base_learning_rate), (40, 1e-3));
    let hybrid = config(&["--hybrid", "--qat"]);
    // That is what all parts together are by default.
    assert_eq!(hybrid, Config::default());
    assert!(config(&["--initial-trust-radius", "0.5"]).trust_region.enabled);
    let all = config(&[
        "--epochs",
        "7",
        "--data-clusters",
        "3",
        "--param-clusters",
        "2",
        "--initial-trust-radius",
        "0.5",
        "--lr",
        "0.25",
        "--batch-size",
        "9",
        "--momentum",
        "0.5",
        "--seed",
        "11",
        "--hidden",
        "8,4",
        "--base",
        "sgd",
        "--patience",
        "2",
        "--validation",
        "0.25",
    ]);
    assert_eq!((all.epochs, all.batch_size, all.seed, all.patience), (7, 9, 11, 2));
    assert_eq!((all.clusters.data_clusters, all.clusters.param_clusters), (3, 2));
    assert_eq!((all.optimizer.base_learning_rate, all.optimizer.momentum), (0.25, 0.5));
    assert_eq!((all.model.hidden.as_slice(), all.validation), (&[8, 4][..], 0.25));
    assert_eq!(all.optimizer.base, hybridq::train::BaseName::Sgd);
    assert_eq!(all.trust_region.initial_trust_radius, 0.5);

    // Written, read, overridden.
    let file = at(&folder, "run.toml");
    hybridq(&["train", "--hybrid", "--lr", "0.5", "--write-config", &file]).done();
    let line = hybridq(&["train", "--write-config", &file]).refused();
    assert!(line.contains("exists already"), "{line}");
    let read = config(&["--config", &file, "--qat", "--epochs", "3"]);
    assert_eq!((read.optimizer.base_learning_rate, read.epochs), (0.5, 3));
    assert_eq!(read, Config { epochs: 3, optimizer: read.optimizer.clone(), ..Config::default() });
    let short = folder.write("short.toml", b"epochs = 1\n[model]\nhidden = [8]\n");
    let text = hybridq(&["train", "--digits", "--config", short.to_str().unwrap()]).done();
    assert!(text.contains("epoch   1/1") && text.contains("ternary weights in training"), "{text}");
    for (text, says) in [
        ("epochs = 2\nepoch = 3\n", "line 2"),
        ("[model]\nhidden = 3\n", "line 2"),
        ("epochs = 0\n", "epochs is 0"),
        ("[optimizer]\nwarmup = 7\n", "optimizer.warmup"),
    ] {
        let bad = folder.write("bad.toml", text.as_bytes());
        let line = hybridq(&["train", "--digits", "--config", bad.to_str().unwrap()]).refused();
        assert!(line.contains(says), "{line}");
    }
}

#[test]
fn tables_of_ones_own() {
    let folder = Folder::new();
    // The label last, and features that want a scale: the class is which of two columns is larger.
    let noise = weights(400, 9);
    let rows =
        noise.chunks(2).map(|r| format!("{},{},{}\n", 100.0 * r[0], 100.0 * r[1], (r[0] > r[1]) as u8));
    let text: String = rows.collect();
    let data = folder.write("data.csv", text.as_bytes());
    let data = data.to_str().unwrap();
    let args =
        ["train", data, "--label-column", "last", "--scale", "1/100", "--epochs", "30", "--lr", "0.02"];
    let text = hybridq(&args).done();
    assert!(text.contains("40 to test by (20 % of the file)"), "{text}");
    assert!(figure(&text) > 85.0, "{text}");
    let text = hybridq(&[&args[..], &["--test", data, "--validation", "0"]].concat()).done();
    assert!(text.contains("0 held back, 200 to test by") && text.contains("data.csv"), "{text}");
    let text = hybridq(&[&args[..], &["--test-part", "0.5", "--patience", "2"]].concat()).done();
    assert!(text.contains("100 to test by (50 % of the file)"), "{text}");
    // Stopped early: fewer epochs than asked for.
    assert!(text.contains(" of 30 epochs") && !text.contains("in 30 of 30 epochs"), "{text}");
    // Test rows of one class are fine.
    let one = folder.write("one.csv", b"0,1,1\n1,2,0\n5,2,1\n");
    figure(&hybridq(&[&args[..], &["--test", one.to_str().unwrap()]].concat()).done());
    // A text, for the model that wants one.
    let verse = "the quick brown fox jumps over the lazy dog. ".repeat(60);
    let verse = folder.write("verse.txt", verse.as_bytes());
    let config = folder.write(
        "text.toml",
        b"epochs = 2\n[model]\nkind = \"attention\"\ncontext = 16\nwidth = 16\nhidden = [16]\n",
    );
    let out = at(&folder, "text.gguf");
    let args = ["train", verse.to_str().unwrap(), "--config", config.to_str().unwrap(), "-o", &out];
    let text = hybridq(&args).done();
    assert!(text.contains("attention network, 16 features, 28 classes"), "{text}");
    let judged = hybridq(&["evaluate", &out, "--test", verse.to_str().unwrap()]).done();
    assert!(judged.contains("figure accuracy_text "), "{judged}");
}

#[test]
fn students_learn_from_teachers() {
    let folder = Folder::new();
    let (state, gguf) = (at(&folder, "teacher.state"), at(&folder, "student.gguf"));
    hybridq(&short(&["--checkpoint", &state])).done();
    let mlp = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/mlp.safetensors");
    let distill = |teacher: &str, more: &[&str]| {
        let mut args = short(&["--teacher", teacher, "--qat"]);
        args[0] = "distill";
        hybridq(&[&args[..], more].concat())
    };
    let plain = hybridq(&short(&["--qat"])).done();
    let mut figures = vec![figure(&plain)];
    for (teacher, more) in
        [(mlp, &[][..]), (mlp, &["--weight", "1", "--temperature", "4"]), (&state, &["-o", &gguf])]
    {
        let text = distill(teacher, more).done();
        assert!(text.contains("% of the test") && text.contains("teacher "), "{text}");
        figures.push(figure(&text));
    }
    assert!(
        distill(mlp, &[]).done().contains("teacher ") && figures.iter().all(|f| *f > 50.0),
        "{figures:?}"
    );
    // What is learnt depends on who teaches, and how.
    assert!(figures.windows(2).any(|w| w[0] != w[1]), "{figures:?}");
    // The teacher is not written over.
    let line = distill(&state, &["--checkpoint", &state, "--overwrite"]).refused();
    assert!(line.contains("is named twice"), "{line}");
    // A teacher for other rows, and none at all.
    let csv = folder.write("other.csv", b"0,1,2\n1,3,4\n0,1,3\n1,3,5\n0,2,2\n1,4,4\n");
    let line =
        hybridq(&["distill", "--teacher", mlp, csv.to_str().unwrap(), "--test", csv.to_str().unwrap()]);
    assert!(line.code == Some(2) && line.stderr.contains("takes 64 features"), "{line:?}");
    let line = distill(csv.to_str().unwrap(), &[]);
    assert!(line.code == Some(2) && line.stderr.lines().count() == 1, "{line:?}");
    let config = hybridq(&["distill", "--teacher", mlp, "--weight", "0.25", "--write-config", "-"]).done();
    let config = Config::from_toml(&config, Path::new("-")).unwrap();
    assert_eq!((config.distillation.weight, config.distillation.temperature), (0.25, 2.0));
    assert_eq!(hybridq(&short(&["--teacher", mlp])).code, Some(2));
    assert_eq!(hybridq(&["distill", "--digits"]).code, Some(2));
}

#[test]
fn refusals_are_one_line_and_leave_nothing() {
    let folder = Folder::new();
    let good = folder.write("good.csv", b"0,1,2\n1,3,4\n0,1,3\n1,3,5\n0,2,2\n1,4,4\n");
    let wide = folder.write("wide.csv", b"0,1,2,3\n1,3,4,5\n");
    let more = folder.write("more.csv", b"0,1,2\n2,3,4\n");
    let nan = folder.write("nan.csv", b"0,1,2\n1,nan,4\n");
    let one = folder.write("one.csv", b"0,1,2\n0,3,4\n");
    let odd = folder.write("odd.csv", b"0,1,2\n0.5,3,4\n");
    let below = folder.write("below.csv", b"0,1,2\n-1,3,4\n");
    let gap = folder.write("gap.csv", b"0,1,2\n2,3,4\n");
    let word = folder.write("word.csv", b"0,1,2\n1,x,4\n");
    let two = folder.write("two.csv", b"0,1\n1,2\n");
    let text = folder.write("text.toml", b"[model]\nkind = \"attention\"\n");
    folder.write("state", b"no checkpoint");
    let names = folder.names();
    let out = at(&folder, "out.gguf");
    let state = at(&folder, "state");
    let inside = format!("{}/inside.gguf", good.to_str().unwrap());
    let nowhere_else = at(&folder, "metrics.txt");
    let nowhere = at(&folder, "nowhere/out.gguf");
    let [good, wide, more, nan, one, odd, below, gap, word, two, text] =
        [&good, &wide, &more, &nan, &one, &odd, &below, &gap, &word, &two, &text]
            .map(|p| p.to_str().unwrap());
    for (args, says) in [
        (&[][..], "no rows to learn from"),
        (&["/nonexistent.csv"], "no such file"),
        (&[nan], "line 2, column 2 is NaN"),
        (&[one], "rows of one class only"),
        (&[odd], "row 2 has the label 0.5"),
        (&[below], "row 2 has the label -1"),
        (&[gap], "no row of class 1"),
        (&[word], "line 2, column 2 is no number: 'x'"),
        (&[two], "too few rows"),
        (&[good, "--test", wide], "has 3 features, and the training data have 2"),
        (&[good, "--test", more], "has class 2"),
        (&[good, "-o", good, "--overwrite"], "is named twice"),
        (&[good, "-o", &out, "--plot", &out], "is named twice"),
        (&[good, "-o", &nowhere], "nowhere/out.gguf: cannot"),
        (&[good, "-o", &inside], "inside.gguf: cannot"),
        (&[good, "--save-metrics", &nowhere_else], "neither .csv nor .jsonl"),
        (&[good, "--patience", "2", "--validation", "0"], "patience needs rows that are held back"),
        (&[good, "--checkpoint", &state, "--resume"], "state: "),
        (&[good, "--checkpoint", &out, "--resume"], "no such file"),
        (&["--digits", "--config", text], "the digits are no text"),
        (&[good, "--config", text, "--scale", "2"], "neither columns nor a scale"),
        (&[good, "--qat", "--lr", "1e30", "--epochs", "40"], "a scale exceeds the largest f16"),
    ] {
        let line = hybridq(&[&["train", "-q", "-o", &out], args].concat()[..]);
        let args_twice = args.contains(&"-o");
        let line = if args_twice { hybridq(&[&["train", "-q"], args].concat()) } else { line };
        let line = line.refused();
        assert!(line.contains(says), "{args:?}: {line}");
        assert_eq!(folder.names(), names, "{args:?}");
    }
    // What the parser refuses, with its own words.
    for args in [
        &["--digits", good][..],
        &["--digits", "--scale", "2"],
        &["--digits", "--epochs", "0"],
        &["--digits", "--lr", "-1"],
        &["--digits", "--lr", "nan"],
        &["--digits", "--momentum", "1"],
        &["--digits", "--hidden", "0"],
        &["--digits", "--hidden", "8,"],
        &["--digits", "--base", "adam"],
        &["--digits", "--batch-size", "0"],
        &["--digits", "--format", "q4_0"],
        &["--digits", "--resume"],
        &["--digits", "--prefix", "x"],
        &[good, "--scale", "1/0"],
        &[good, "--test-part", "0"],
        &[good, "--test", good, "--test-part", "0.5"],
    ] {
        assert_eq!(hybridq(&[&["train"], args].concat()).code, Some(2), "{args:?}");
    }
    let mlp = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits/mlp.safetensors");
    for (args, says) in
        [(&[mlp, "--digits"][..], "does not say 'hybridq.model.features'"), (&[good, "--digits"], "good.csv")]
    {
        let line = hybridq(&[&["evaluate"], args].concat()).refused();
        assert!(line.contains(says), "{line}");
    }
    assert_eq!(folder.names(), names);
}
