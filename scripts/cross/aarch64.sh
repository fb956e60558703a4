#!/usr/bin/env bash
# The test suite on aarch64, under QEMU's user emulation.
. "$(dirname "$0")/common.sh"
need aarch64

target=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# The library path matters: where Debian's arm64 libc is installed too, the loader of the cross libc would
# otherwise find that other libc, and threads never start.
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib -L /usr/aarch64-linux-gnu"

suite
cross_cargo "$target" test --lib "${tests[@]}"
# The tier that is taken unasked is NEON (tests/active_tier.rs asserts it); and each one by name.
for tier in neon scalar; do
    say "HQ_TIER=$tier"
    HQ_TIER=$tier cross_cargo "$target" test --quiet --lib "${tests[@]}"
done
say "the suite passes on aarch64: detected (NEON), neon, scalar"
