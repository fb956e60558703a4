#!/usr/bin/env bash
# The test suite on aarch64, under QEMU's user emulation.
. "$(dirname "$0")/common.sh"
need aarch64

target=aarch64-unknown-linux-gnu
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
# The library path matters: where Debian's arm64 libc is installed too, the loader of the cross libc would
# otherwise find that other libc, and threads never start.
emulator="qemu-aarch64-static -E LD_LIBRARY_PATH=/usr/aarch64-linux-gnu/lib -L /usr/aarch64-linux-gnu"
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$emulator

# sdots TESTS...: how many `sdot` instructions the test binary of tests/tiers.rs has.
sdots() {
    local binary count
    binary=$(cross_cargo "$target" test --quiet --no-run --message-format=json "$@" |
        sed -n 's/.*"executable":"\([^"]*\/tiers-[^"]*\)".*/\1/p')
    [ -x "$binary" ] || fail "no binary of tests/tiers.rs"
    # grep ends with 1 where it counts none.
    count=$(aarch64-linux-gnu-objdump -d --no-show-raw-insn "$binary" | grep -cw sdot) || [ "$count" = 0 ]
    echo "$count"
}

suite
export HQ_TEST_DOTPROD=0
# Not what trains on images for the accuracy: emulated it takes minutes, and other tests compare the bits of tiers.
cross_cargo "$target" test --lib "${tests[@]}" -- --skip digits --skip meta::
# The tier that is taken unasked is NEON (tests/active_tier.rs asserts it), and tests of rooms force the tiers that they
# compare. So each one by name has only to be found, and to pass the tests of tiers.
tier_tests=(--test tiers --test active_tier)
for tier in neon scalar; do
    say "HQ_TIER=$tier"
    HQ_TIER=$tier cross_cargo "$target" test --quiet "${tier_tests[@]}"
done
[ "$(sdots --lib "${tests[@]}")" = 0 ] || fail "the baseline build has sdot: ARMv8.0 does not"

# Once more with dot products of bytes, which are a choice of the build: what differs is the tier, so its tests.
say "NEON with dotprod"
export HQ_TEST_DOTPROD=1
export RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/cross/dotprod.sh
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="$emulator -cpu max"
dot_tests=(--lib "${tier_tests[@]}")
# No tier has a part in these, whose oracles are emulated doubles.
skip=(-- --skip exact_1d::tests --skip plain_rewrite --skip random_rows)
cross_cargo "$target" test --quiet "${dot_tests[@]}" "${skip[@]}"
count=$(sdots "${dot_tests[@]}")
[ "$count" -gt 0 ] || fail "the dotprod build has no sdot"
say "the suite passes on aarch64 (NEON detected); neon and scalar by name and NEON with dotprod ($count sdot) pass the tests of tiers"
