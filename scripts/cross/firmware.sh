#!/usr/bin/env bash
# Builds the Rust firmware example and runs it on an emulated Cortex-M4; its exit status says if the sums are right.
# README.md shows the same text (tests/readme.rs).
. "$(dirname "$0")/common.sh"
need builds cortex-m

target=thumbv7em-none-eabihf
# Debian's Rust brings no linker for bare metal.
rust_has rustc "$target" || export CARGO_TARGET_THUMBV7EM_NONE_EABIHF_LINKER=arm-none-eabi-ld
cd examples/firmware
output=$(cross_cargo "$target" run --quiet --release </dev/null 2>&1) || fail "the example failed: $output"
say "examples/firmware on an emulated Cortex-M4: $output"
