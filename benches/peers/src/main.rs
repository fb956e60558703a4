//! hybridq against its peers in one process: same weights, same activations, interleaved medians, one thread.
//! `make bench-peers SUITE=ternary`.

mod archive;
mod duel;
mod ggml;
mod ternary;

#[path = "../../../tests/common/mod.rs"]
mod common;

fn main() {
    let suite = std::env::args().nth(1).unwrap_or_default();
    ggml::init();
    println!("ggml is compiled with -march={} (PEER_MARCH)", env!("PEER_MARCH"));
    match suite.as_str() {
        "ternary" => ternary::run(),
        "archive" => archive::run(),
        other => {
            eprintln!("no suite '{other}': ternary, archive");
            std::process::exit(2);
        }
    }
}
