//! The `hybridq` command line.
fn main() {}
