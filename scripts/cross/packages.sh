#!/usr/bin/env bash
# Says which packages `make test-all` misses (exit 1), or, with --all, lists every one it may need.
. "$(dirname "$0")/common.sh"

if [ "${1:-}" = --all ]; then
    awk '!/^#/ { print $3 }' scripts/cross/packages.txt | sort -u
    exit
fi
need builds aarch64 cortex-m fortran mpi
say "every package that the cross tests need is here"
