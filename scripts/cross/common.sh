# Sourced by the scripts beside it: messages, missing packages, and the Rust that builds for a target.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

build_std_dir=${CARGO_TARGET_DIR:-$PWD/target}/build-std

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }
fail() {
    printf '%s: error: %s\n' "$(basename "$0" .sh)" "$*" >&2
    exit 1
}

# rust_has RUSTC TARGET: that compiler has the target's standard library (or `core`).
rust_has() {
    command -v "$1" >/dev/null && [ -d "$("$1" --print sysroot)/lib/rustlib/$2/lib" ]
}

# cross_cargo TARGET COMMAND [ARGS...]: cargo for a target. The Rust on the path where it has the target
# (`rustup target add TARGET`), else Debian's, which for bare metal builds `core` from its sources. Two
# compilers never share a folder: Debian's uses target/build-std, as scripts/lib.sh does.
cross_cargo() {
    local target=$1 command=$2
    shift 2
    if rust_has rustc "$target"; then
        cargo "$command" --locked --target "$target" "$@"
        return
    fi
    local std=()
    rust_has /usr/bin/rustc "$target" || std=(-Zbuild-std=core,compiler_builtins)
    RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=${std:+1} CARGO_TARGET_DIR=$build_std_dir \
        /usr/bin/cargo "$command" --locked "${std[@]}" --target "$target" "$@"
}

# Where `cross_cargo TARGET` puts what it builds.
cross_target_dir() {
    if rust_has rustc "$1"; then echo "${CARGO_TARGET_DIR:-target}/$1"; else echo "$build_std_dir/$1"; fi
}

# missing_packages PART...: the Debian packages of those parts that are not here. A Rust that has the
# targets itself needs none of Debian's.
missing_packages() {
    local part probe package
    while read -r part probe package; do
        case " $* " in *" $part "*) ;; *) continue ;; esac
        case $package in
            rustc-web | cargo-web | rust-web-src) have_bare_metal && continue ;;
            libstd-rust-web-dev:arm64) rust_has rustc aarch64-unknown-linux-gnu && continue ;;
        esac
        case $probe in
            /*) [ -e "$probe" ] && continue ;;
            *) command -v "$probe" >/dev/null && continue ;;
        esac
        echo "$package"
    done < <(grep -v '^#' scripts/cross/packages.txt)
}

BARE_METAL=(thumbv6m-none-eabi thumbv7em-none-eabihf riscv32imac-unknown-none-elf aarch64-unknown-none)

have_bare_metal() {
    local target
    for target in "${BARE_METAL[@]}"; do rust_has rustc "$target" || return 1; done
}

# need PART...: stops with one message if packages of those parts are missing. Installs nothing.
need() {
    local missing
    missing=$(missing_packages "$@" | sort -u | tr '\n' ' ')
    [ -z "$missing" ] && return
    local foreign=
    case $missing in *:arm64*) foreign='dpkg --add-architecture arm64 && ' ;; esac
    fail "packages are missing: $missing
  On Debian, as root:  ${foreign}apt-get update && apt-get install --no-install-recommends $missing
  With rustup, the Rust ones are:  rustup target add ${BARE_METAL[*]} aarch64-unknown-linux-gnu"
}

# suite: `tests` becomes the --test flags of the suite without the files that drive the C compiler, the archive or
# the programs of this machine. Those know no HQ_TIER and no emulator; `make test` runs them.
suite() {
    local file name without=
    tests=()
    for file in tests/*.rs tests/*/main.rs; do
        name=$(basename "${file%/main.rs}" .rs)
        case $name in
            capi* | cli) without="$without $name" ;;
            *) tests+=(--test "$name") ;;
        esac
    done
    say "not in this run, since they test this machine's programs:$without"
}
