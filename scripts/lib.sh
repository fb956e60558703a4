#!/bin/sh
# Builds the C archive: dist/<target>/{libhybridq.a,include/,lib/pkgconfig/hybridq.pc}.
#
#   scripts/lib.sh [TARGET [FEATURES [OPT]]]    TARGET: a Rust target triple, default this machine
#                                               FEATURES: comma-separated, beside `capi`
#                                               OPT: 3 for speed, s for size; s by default on microcontrollers
#
# The raw archive that cargo makes holds all of Rust's core, and hundreds of global symbols that clash with
# those of another Rust archive in the same program. So it is linked once (`ld -r`), everything unreachable
# from an hq_* function is dropped, and every other symbol is made local. What is left must not contain a
# panic path, and may need only the five memory functions of the C library.
set -eu

cd "$(dirname "$0")/.."
root=$(pwd)
say() { printf 'lib: %s\n' "$*"; }
fail() { printf 'lib: error: %s\n' "$*" >&2; exit 1; }

host=$(rustc -vV | sed -n 's/^host: //p')
target=${1:-$host}
[ -n "$target" ] || target=$host
features=capi${2:+,$2}
dist=$root/dist/$target
opt=${3:-}
if [ -z "$opt" ]; then
    # On a Cortex-M4 `s` takes 34 KB of flash where 3 takes 93.
    case $target in thumb*|riscv32*) opt=s ;; *) opt=3 ;; esac
fi
# `z` inlines too little for the optimizer to see that no panic path can be reached; `s` is hardly larger.
case $opt in 2|3|s) ;; *) fail "OPT=$opt: must be 3, 2 or s" ;; esac
export CARGO_PROFILE_RELEASE_OPT_LEVEL="$opt"

# --- which Rust: one that has the target, else one that has the sources of `core` -----------------------------
cargo=cargo
build_std=
target_dir=${CARGO_TARGET_DIR:-$root/target}
if [ ! -d "$(rustc --print target-libdir --target "$target" 2>/dev/null || echo /nonexistent)" ]; then
    for rustc in rustc /usr/bin/rustc; do
        command -v "$rustc" >/dev/null 2>&1 || continue
        sysroot=$("$rustc" --print sysroot)
        [ -d "$sysroot/lib/rustlib/src/rust/library/core" ] || continue
        case $rustc in /*) cargo=/usr/bin/cargo; export RUSTC="$rustc" ;; esac
        build_std='-Zbuild-std=core,compiler_builtins'
        export RUSTC_BOOTSTRAP=1
        target_dir=$target_dir/build-std
        break
    done
    [ -n "$build_std" ] || fail "no Rust here builds for $target.
  With rustup:  rustup target add $target
  On Debian:    apt-get install rustc-web cargo-web rust-web-src"
fi

# --- which binutils: the GNU ones of the target, else the linker that rustup ships, with LLVM's tools ----------
case $target in
    "$host") prefixes='none' ;;
    thumb*|arm*-none-*) prefixes='arm-none-eabi-' ;;
    aarch64*) prefixes='aarch64-linux-gnu- aarch64-none-elf-' ;;
    riscv32*|riscv64*) prefixes='riscv64-unknown-elf- riscv64-linux-gnu- riscv32-unknown-elf- riscv-none-elf-' ;;
    x86_64*) prefixes='x86_64-linux-gnu-' ;;
    *) prefixes= ;;
esac
ld=
for prefix in $prefixes; do
    [ "$prefix" = none ] && prefix=
    if command -v "${prefix}ld" >/dev/null 2>&1 && command -v "${prefix}objcopy" >/dev/null 2>&1; then
        ld=${prefix}ld objcopy=${prefix}objcopy nm=${prefix}nm ar=${prefix}ar
        case $target in riscv32*) ld="$ld -melf32lriscv" ;; esac
        break
    fi
done
if [ -z "$ld" ]; then
    bin=$(env -u RUSTC rustc --print sysroot)/lib/rustlib/$host/bin
    for tool in objcopy nm ar; do
        for candidate in "llvm-$tool" "$bin/llvm-$tool" "$bin/rust-$tool"; do
            command -v "$candidate" >/dev/null 2>&1 && eval "$tool=\$candidate" && break
        done
    done
    if [ -x "$bin/rust-lld" ] && [ -n "${objcopy:-}" ] && [ -n "${nm:-}" ] && [ -n "${ar:-}" ]; then
        ld="$bin/rust-lld -flavor gnu"
    else
        fail "no linker for $target: install its GNU binutils, or LLVM (llvm-objcopy, llvm-nm, llvm-ar) beside a rustup toolchain"
    fi
fi

# --- build --------------------------------------------------------------------------------------------------
handler='--cfg hybridq_panic_handler'
hosted=
case ,$features, in *,std,*|*,cuda,*|*,cli,*) hosted=yes handler= ;; esac
say "$target, features $features, opt-level $opt${build_std:+ (building core from source)}"
# shellcheck disable=SC2086 # the variables hold lists of words
CARGO_TARGET_DIR=$target_dir "$cargo" rustc --quiet $build_std --release --lib --crate-type staticlib \
    --no-default-features --features "$features" --target "$target" -- $handler
raw=$target_dir/$target/release/libhybridq.a

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
work=$(mktemp -d "$target_dir/hybridq-lib.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Rename into place: a program that compiles or links at this moment (and another run of this script) sees the
# old file or the new one, never a part of one.
place() {
    mkdir -p "$dist/${2%/*}"
    cp "$1" "$dist/$2.$$"
    mv -f "$dist/$2.$$" "$dist/$2"
}
headers() {
    place include/hybridq.h include/hybridq.h
    for header in include/hybridq.hpp include/hybridq/*.hpp; do
        place "$header" "$header"
    done
    sed -e 's|@UP@|../..|; s|@LIB@||' -e "s|@VERSION@|$version|" scripts/hybridq.pc.in >"$work/hybridq.pc"
    place "$work/hybridq.pc" lib/pkgconfig/hybridq.pc
}
case $target in *-apple-*|*-windows-*|*-wasm*)
    headers
    place "$raw" ./libhybridq.a
    say "dist/$target/libhybridq.a: as cargo made it; on this object format it is not linked in advance or checked"
    exit ;;
esac

# --- link once, drop, make local ------------------------------------------------------------------------------
exports=$("$nm" -g "$raw" 2>/dev/null | awk '$2 ~ /^[TRD]$/ && $3 ~ /^hq_/ { print $3 }' | sort -u)
[ -n "$exports" ] || fail "the archive of cargo exports nothing that is called hq_*"
roots=$(printf -- '-u %s ' $exports)
# shellcheck disable=SC2086
$ld -r --gc-sections $roots --entry=hq_version -o "$work/full.o" "$raw"
# The bitcode first: an older nm stumbles over it.
"$objcopy" -R .llvmbc -R .llvmcmd "$work/full.o" "$work/linked.o"
"$objcopy" --wildcard --keep-global-symbol='hq_*' -R .comment --strip-unneeded \
    "$work/linked.o" "$work/hybridq.o"

# --- the gate ---------------------------------------------------------------------------------------------------
symbols=$("$nm" "$work/linked.o") || fail "$nm cannot read the linked object"
panics=$(printf '%s\n' "$symbols" | grep -E 'panicking|unwrap_failed|expect_failed' || true)
foreign=$("$nm" -g "$work/hybridq.o" | awk '$2 != "U" && $2 != "w" && NF == 3 && $3 !~ /^hq_/ { print $3 }')
needs=$("$nm" -u "$work/hybridq.o" 2>/dev/null | awk '{ print $NF }' | sort -u | tr '\n' ' ')
[ -z "$foreign" ] || fail "global symbols that are not hq_*: $foreign"
# An instruction that became a function: some vector code was not inlined into the function that has the instructions.
calls=$(printf '%s\n' "$symbols" | grep -E 'core_arch.*_mm(256)?_' || true)
[ -z "$calls" ] || fail "vector code is left out of line (a closure that was not inlined):
$calls"
if [ -z "$hosted" ]; then
    [ -z "$panics" ] || fail "a panic path is left:
$panics"
    doubles=$(printf '%s\n' "$symbols" | grep -E ' __(aeabi_d[a-z]|aeabi_(f|i|ui|l|ul)2d|(add|sub|mul|div)df3|extendsfdf2|truncdfsf2)' || true)
    [ -z "$doubles" ] || fail "software double precision is linked in:
$doubles"
    for symbol in $needs; do
        case $symbol in
            memcpy|memmove|memset|memcmp|bcmp) ;;
            *) fail "undefined symbol: $symbol" ;;
        esac
    done
fi

# --- lay it out -------------------------------------------------------------------------------------------------
headers
"$ar" rcsD "$work/libhybridq.a" "$work/hybridq.o"
place "$work/libhybridq.a" ./libhybridq.a
say "dist/$target/libhybridq.a: $(wc -c <"$dist/libhybridq.a") bytes," \
    "$(printf '%s\n' $exports | wc -l) functions and constants, needs: ${needs:-nothing}"
