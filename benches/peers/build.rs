//! Builds the few files of ggml that hold its quantizers and dot products, from the folder in `GGML_DIR`.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=GGML_DIR");
    let dir = std::env::var("GGML_DIR").expect("GGML_DIR is not set: run `make bench-peers`");
    let ggml = PathBuf::from(dir);
    let mut build = cc::Build::new();
    build
        .include(ggml.join("include"))
        .include(ggml.join("src"))
        .include(ggml.join("src/ggml-cpu"))
        .define("_GNU_SOURCE", None)
        .define("NDEBUG", None)
        .define("GGML_VERSION", "\"peer\"")
        .define("GGML_COMMIT", "\"peer\"")
        .opt_level(3)
        .flag("-march=native")
        .warnings(false);
    for file in ["ggml-quants.c", "ggml-cpu/quants.c", "ggml-cpu/arch/x86/quants.c"] {
        build.file(ggml.join("src").join(file));
    }
    build.file("ggml_shim.c");
    build.compile("ggml_peer");
}
