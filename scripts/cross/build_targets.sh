#!/usr/bin/env bash
# Builds the core, without std and without an allocator, and the C ABI over it, for every bare-metal target.
. "$(dirname "$0")/common.sh"
need builds

for target in "${BARE_METAL[@]}"; do
    say "$target"
    # As scripts/lib.sh has it, so that `core` is built once for both.
    case $target in thumb* | riscv32*) opt=s ;; *) opt=3 ;; esac
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=$opt
    cross_cargo "$target" build --quiet --release --lib --no-default-features
    cross_cargo "$target" build --quiet --release --lib --no-default-features --features capi
    # An allocator would show as calls to the symbols through which Rust reaches one.
    rlib=$(cross_target_dir "$target")/release/libhybridq.rlib
    if grep -aq '__rust_alloc' "$rlib"; then fail "$target: the core refers to an allocator"; fi
done
say "the core builds for ${#BARE_METAL[@]} bare-metal targets, without an allocator"
