#!/usr/bin/env bash
# The shipped archive on emulated microcontrollers: C programs without a C library run hq_selftest.
#   scripts/cross/cortex_m.sh [cortex-m4|cortex-m0]     default: both
# What the program printed stays in target/embedded/<name>.txt; scripts/size_table.py reads it.
. "$(dirname "$0")/common.sh"
need builds cortex-m

out=target/embedded
mkdir -p "$out"

# build OUTPUT TARGET MACHINE_FLAGS DEFINES...
build() {
    local elf=$1 target=$2 machine=$3
    shift 3
    # shellcheck disable=SC2086 # a list of flags
    arm-none-eabi-gcc -std=c99 -Os -Wall -Wextra -Werror -mthumb $machine "$@" -ffreestanding -nostdlib \
        -I"dist/$target/include" -T tests/embedded/cortex_m.ld -Wl,--gc-sections -Wl,-z,noexecstack \
        tests/embedded/board.c tests/embedded/selftest.c "dist/$target/libhybridq.a" -lgcc -o "$elf"
}

# emulate MACHINE ELF: its exit status is the program's. 60 seconds are twenty times what the slowest takes.
emulate() {
    timeout 60 qemu-system-arm -M "$1" -nographic -semihosting-config enable=on,target=native -kernel "$2" \
        </dev/null 2>&1
}

# check NAME TARGET MACHINE MACHINE_FLAGS
check() {
    local name=$1 target=$2 machine=$3 flags=$4 status=0
    make --no-print-directory lib TARGET="$target"
    build "$out/$name.elf" "$target" "$flags"
    build "$out/$name-fails.elf" "$target" "$flags" -DMUST_FAIL
    say "$name: $target on QEMU's $machine"
    emulate "$machine" "$out/$name-fails.elf" && fail "$name: a failing program was reported as passed"
    emulate "$machine" "$out/$name.elf" >"$out/$name.txt" || status=$?
    cat "$out/$name.txt"
    [ "$status" -eq 0 ] || fail "$name: the program ended with status $status"
    grep -qx 'selftest ok' "$out/$name.txt" || fail "$name: no 'selftest ok' in its output"
    ran+=("$name")
}

ran=()
only=${1:-}
if [ -z "$only" ] || [ "$only" = cortex-m4 ]; then
    check cortex-m4 thumbv7em-none-eabihf mps2-an386 '-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16'
fi
if [ -z "$only" ] || [ "$only" = cortex-m0 ]; then
    check cortex-m0 thumbv6m-none-eabi microbit '-mcpu=cortex-m0 -mfloat-abi=soft'
fi
[ "${#ran[@]}" -gt 0 ] || fail "unknown processor $only"
say "hq_selftest passes on: ${ran[*]}"
