//! Builds the few files of ggml that hold its quantizers and dot products, from the folder in `GGML_DIR`.

use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-env-changed=GGML_DIR");
    println!("cargo::rerun-if-env-changed=PEER_MARCH");
    println!("cargo::rerun-if-changed=ggml_shim.c");
    let dir = std::env::var("GGML_DIR").expect("GGML_DIR is not set: run `make bench-peers`");
    let ggml = PathBuf::from(dir);
    // The tier that is compared. With `native` on a machine that has AVX-512 the compiler uses its instructions for the
    // peer alone.
    let march = std::env::var("PEER_MARCH").unwrap_or_else(|_| {
        if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|a| a == "x86_64") { "x86-64-v3" } else { "native" }.into()
    });
    println!("cargo::rustc-env=PEER_MARCH={march}");
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
        .flag(format!("-march={march}"))
        .warnings(false);
    for file in ["ggml-quants.c", "ggml-cpu/quants.c", "ggml-cpu/arch/x86/quants.c"] {
        build.file(ggml.join("src").join(file));
    }
    build.file("ggml_shim.c");
    build.compile("ggml_peer");
}
