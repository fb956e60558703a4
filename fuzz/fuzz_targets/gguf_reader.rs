//! Any bytes as a GGUF file: parsed, every tensor decoded, exported to C, and carried into a new file.
#![no_main]

use hybridq::io::convert::{Recipe, quantize_model};
use hybridq::io::model::Model;
use hybridq::quant::{Format, NonFinite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::path::Path::new("fuzz.gguf");
    if let Ok(parsed) = hybridq::io::gguf::parse(path, bytes) {
        // The promise of the parser, which everything behind it relies on.
        let mut ranges: Vec<_> = parsed.tensors.iter().map(|t| t.range.clone()).collect();
        ranges.sort_by_key(|r| (r.start, r.end));
        assert!(ranges.iter().all(|r| r.start <= r.end && r.end <= bytes.len()));
        assert!(ranges.windows(2).all(|w| w[0].end <= w[1].start || w[0].is_empty() || w[1].is_empty()));
    }
    match Model::from_bytes(path, bytes) {
        Ok(model) => decode(&model),
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
});

fn decode(model: &Model) {
    for tensor in &model.tensors {
        let cols = tensor.cols();
        // A tensor of many rows of nothing would only burn time.
        if tensor.is_empty() || !tensor.kind.is_weight() || tensor.len() > 1 << 20 {
            continue;
        }
        let rows = tensor.rows();
        let mut out = vec![0.0f32; rows * cols];
        model.read_rows(tensor, 0..rows, &mut out).expect("a listed weight decodes");
    }
    let (mut sink, path) = (std::io::sink(), std::path::Path::new("out.h"));
    let _ = hybridq::io::c_header::write_c_header(model, "fuzz", &mut sink, path, &mut |_| true);
    let recipe = Recipe::new(Format::Tq1_0, None, None, NonFinite::Saturate).expect("a default");
    let mut out = Vec::new();
    if quantize_model(model, &recipe, &|_| false, &mut out, path, &mut |_| true).is_ok() {
        Model::from_bytes(path, &out).expect("what was written reads");
    }
}
