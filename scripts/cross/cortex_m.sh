#!/usr/bin/env bash
# The shipped archive on emulated microcontrollers: C programs without a C library run hq_selftest,
# on the Cortex-M4 the tests of constrain and learn too.
#   scripts/cross/cortex_m.sh [cortex-m4|cortex-m0]     default: both
# On the Cortex-M4 also c_examples/kmeans_int8.c: in 64 KB of RAM, with the output of the same program on this machine.
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

# emulate 'MACHINE [FLAGS]' ELF: its exit status is the program's. 60 seconds are twenty times what the slowest takes.
emulate() {
    # shellcheck disable=SC2086 # a board, and flags after it
    timeout 60 qemu-system-arm -M $1 -nographic -semihosting-config enable=on,target=native -kernel "$2" \
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

# The clustering example here and there. QEMU counts its instructions.
kmeans() {
    local name=$out/kmeans_int8 host target=thumbv7em-none-eabihf status=0
    host=$(rustc -vV | sed -n 's/^host: //p')
    make --no-print-directory lib TARGET="$host"
    # shellcheck disable=SC2086 # a list of flags
    for must_fail in '' -DMUST_FAIL; do
        "${CC:-cc}" -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror $must_fail -I"dist/$host/include" \
            c_examples/kmeans_int8.c "dist/$host/libhybridq.a" -o "$name-host$must_fail"
        # 58 KB of data and 1.2 KB of stack at the most: what is left is asked for here, and painted and looked at there.
        arm-none-eabi-gcc -std=c99 -Os -Wall -Wextra -Werror -mthumb -mcpu=cortex-m4 -mfloat-abi=hard \
            -mfpu=fpv4-sp-d16 -DBOARD $must_fail -ffreestanding -nostdlib -I"dist/$target/include" -Itests/embedded \
            -T tests/embedded/cortex_m.ld -Wl,--defsym=RAM_SIZE=64K -Wl,--defsym=STACK_SIZE=4K -Wl,--gc-sections \
            -Wl,-z,noexecstack tests/embedded/board.c c_examples/kmeans_int8.c "dist/$target/libhybridq.a" -lgcc \
            -o "$name$must_fail.elf"
    done
    say "kmeans_int8: 1500 points of 32 features in 64 KB, on this machine and on QEMU's mps2-an386"
    emulate 'mps2-an386 -icount shift=0' "$name-DMUST_FAIL.elf" >/dev/null && fail "kmeans_int8: a changed point was not seen"
    emulate 'mps2-an386 -icount shift=0' "$name.elf" >"$name.txt" || status=$?
    cat "$name.txt"
    [ "$status" -eq 0 ] || fail "kmeans_int8: the program ended with status $status on the device"
    "$name-host" >"$name-host.txt" || fail "kmeans_int8: the program failed on this machine: $(cat "$name-host.txt")"
    "$name-host-DMUST_FAIL" >/dev/null && fail "kmeans_int8: a changed point was not seen on this machine"
    grep -v '^device ' "$name.txt" | cmp - "$name-host.txt" || fail "kmeans_int8: the device and this machine differ"
    ran+=(kmeans_int8)
}

ran=()
only=${1:-}
if [ -z "$only" ] || [ "$only" = cortex-m4 ]; then
    check cortex-m4 thumbv7em-none-eabihf mps2-an386 '-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
        -DROOMS -Wl,--defsym=RAM_SIZE=64K -Wl,--defsym=FLASH_SIZE=1M'
    kmeans
fi
if [ -z "$only" ] || [ "$only" = cortex-m0 ]; then
    check cortex-m0 thumbv6m-none-eabi microbit '-mcpu=cortex-m0 -mfloat-abi=soft'
fi
[ "${#ran[@]}" -gt 0 ] || fail "unknown processor $only"
say "passed: ${ran[*]}"
