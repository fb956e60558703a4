//! Any bytes as a safetensors file and as an index: parsed, then quantized.
#![no_main]

use hybridq::io::convert::{Recipe, quantize_model};
use hybridq::io::model::Model;
use hybridq::quant::{Format, NonFinite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let path = std::path::Path::new("fuzz.safetensors");
    if let Ok(parsed) = hybridq::io::safetensors::parse(path, bytes) {
        // The promise of the parser: the tensors tile the data, in order.
        let end = parsed.tensors.windows(2).all(|w| w[0].range.end == w[1].range.start);
        assert!(end && parsed.tensors.last().is_none_or(|t| t.range.end == bytes.len()));
    }
    match Model::from_bytes(path, bytes) {
        Ok(model) => {
            let recipe = Recipe::new(Format::FiveLevel, None, None, NonFinite::Error).expect("a default");
            let mut out = Vec::new();
            if quantize_model(&model, &recipe, &|_| false, &mut out, path, &mut |_| true).is_ok() {
                Model::from_bytes(std::path::Path::new("out.gguf"), &out).expect("what was written reads");
            }
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    if let Ok(index) = hybridq::io::safetensors::parse_index(path, bytes) {
        assert!(index.shards.keys().all(|s| !s.contains('/') && s != ".."));
    }
});
