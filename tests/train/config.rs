//! The keys: those of the tables are those of the program, with the same defaults.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hybridq::train::Config;

/// `section.key` to the default as TOML, from what the program writes.
fn of_program() -> BTreeMap<String, String> {
    let mut section = String::new();
    let mut keys = BTreeMap::new();
    for line in Config::default().to_toml().lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some((key, value)) = line.split_once(" = ") {
            keys.insert(format!("{section}{key}"), value.to_owned());
        }
    }
    keys
}

/// The same, from the tables.
fn of_page() -> BTreeMap<String, String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/train_config.md");
    let mut section = String::new();
    let mut keys = BTreeMap::new();
    for line in fs::read_to_string(page).unwrap().lines() {
        if let Some(name) = line.strip_prefix("## [").and_then(|l| l.strip_suffix(']')) {
            section = format!("{name}.");
        } else if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<&str> = row.split('|').map(|c| c.trim().trim_matches('`')).collect();
            assert!(!cells[2].is_empty(), "{line}");
            assert!(keys.insert(format!("{section}{}", cells[0]), cells[1].to_owned()).is_none(), "{line}");
        }
    }
    keys
}

#[test]
fn every_key_is_documented_and_every_documented_key_is_real() {
    let (program, page) = (of_program(), of_page());
    assert!(program.len() > 40, "{program:?}");
    for (key, value) in &program {
        assert_eq!(page.get(key), Some(value), "{key}");
    }
    for key in page.keys() {
        assert!(program.contains_key(key), "{key} is documented, but does not exist");
    }
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let refused = |toml: &str| {
        let config = Config::from_toml(toml, Path::new("run.toml")).unwrap();
        let error = config.check().unwrap_err().to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        error
    };
    assert!(Config::default().check().is_ok());
    for (toml, key) in [
        ("epochs = 0", "epochs"),
        ("batch_size = 0", "batch_size"),
        ("validation = 0.95", "validation"),
        ("model.hidden = [3, 0]", "model.hidden"),
        ("model = { kind = \"attention\", hidden = [] }", "model.hidden"),
        ("model = { kind = \"attention\", hidden = [1, 2] }", "model.hidden"),
        ("model = { kind = \"attention\", heads = 5 }", "model.heads"),
        ("model = { kind = \"attention\", heads = 0 }", "model.heads"),
        ("model = { kind = \"attention\", context = 0 }", "model.context"),
        ("model = { kind = \"attention\", width = 0 }", "model.width"),
        ("model = { kind = \"attention\", blocks = 0 }", "model.blocks"),
        ("model = { kind = \"conv\", image = [1, 2] }", "model.image"),
        ("model = { kind = \"conv\", image = [1, 0, 2] }", "model.image"),
        ("model = { kind = \"conv\", filters = [] }", "model.filters"),
        ("model = { kind = \"conv\", filters = [3, 0] }", "model.filters"),
        ("model = { kind = \"conv\", kernel = 0 }", "model.kernel"),
        ("model = { kind = \"conv\", stride = 0 }", "model.stride"),
        ("model = { kind = \"conv\", pool = 0 }", "model.pool"),
        ("model.clip = 0.0", "model.clip"),
        ("model.clip = nan", "model.clip"),
        ("model.ramp_start = -0.1", "model.ramp_start"),
        ("model.ramp_start = 0.9", "model.ramp_end"),
        ("model.ramp_end = 1.1", "model.ramp_end"),
        ("model.pull = -1.0", "model.pull"),
        ("optimizer.base_learning_rate = nan", "optimizer.base_learning_rate"),
        ("optimizer.base_learning_rate = inf", "optimizer.base_learning_rate"),
        ("optimizer.warmup = 1.5", "optimizer.warmup"),
        ("optimizer.momentum = 1.0", "optimizer.momentum"),
        ("optimizer.beta2 = -0.1", "optimizer.beta2"),
        ("optimizer.weight_decay = inf", "optimizer.weight_decay"),
        ("optimizer.clip_norm = 0.0", "optimizer.clip_norm"),
        ("clusters.data_clusters = 0", "clusters.data_clusters"),
        ("clusters.param_clusters = 0", "clusters.param_clusters"),
        ("clusters.param_clusters = 33", "clusters.param_clusters"),
        ("clusters.rate_exponent = 2.0", "clusters.rate_exponent"),
        ("trust_region.initial_trust_radius = 0.0", "trust_region.initial_trust_radius"),
        ("trust_region.noise = -0.1", "trust_region.noise"),
        ("distillation.weight = 1.1", "distillation.weight"),
        ("distillation.temperature = 0.0", "distillation.temperature"),
    ] {
        let error = refused(toml);
        assert!(error.starts_with(&format!("{key} ")), "{toml}: {error}");
    }
}
