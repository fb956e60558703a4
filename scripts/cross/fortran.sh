#!/usr/bin/env bash
# The archive from Fortran: c_examples/matmul.f90 agrees with the f32 product, and sees when it does not.
. "$(dirname "$0")/common.sh"
need fortran

host=$(rustc -vV | sed -n 's/^host: //p')
make --no-print-directory lib
make --no-print-directory -C c_examples fortran HYBRIDQ="$PWD/dist/$host" OUT="$PWD/target/fortran"
status=0
target/fortran/matmul --disturb >/dev/null 2>&1 || status=$?
[ "$status" -eq 1 ] || fail "disturbed weights gave status $status, not 1 (the products disagree)"
say "quantized products agree with those of Fortran; disturbed weights are found"
