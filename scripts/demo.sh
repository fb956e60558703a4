#!/bin/sh
# Trains ternary networks on the handwritten digits, exports one, and runs it from C: the whole way.
# Called by `make demo`, which has built the archive before.
set -eu

cd "$(dirname "$0")/.."
out=target/demo
cc=${CC:-cc}
host=$(rustc -vV | sed -n 's/^host: //p')
dist=${HYBRIDQ:-dist/$host}
format=${FORMAT:-dense_ternary}
hybridq=${CARGO_TARGET_DIR:-target}/release/hybridq
mkdir -p "$out"

# The same budget for all.
budget="--digits --epochs 60 --lr 0.02 --overwrite"

echo "== 1. Train on 1437 images: in FP32, with ternary weights, and with the hybrid step"
cargo build --quiet --release --features cli --bin hybridq
echo "-- FP32, then made ternary:"
# shellcheck disable=SC2086 # a list of options
{
    "$hybridq" train $budget -q -o "$out/fp32.gguf"
    "$hybridq" train $budget -q --ternary --format "$format" -o "$out/after_training.gguf"
    echo "-- ternary weights and int8 activations in training, straight through:"
    "$hybridq" train $budget -q --qat --format "$format" -o "$out/ternary.gguf" \
        --c-header "$out/digits_trained.h" --prefix digits --save-metrics "$out/ternary.csv"
    echo "-- the same with clusters, predictor and trust region:"
    "$hybridq" train $budget --qat --hybrid --initial-trust-radius 1 --format "$format" \
        -o "$out/ternary_hybrid.gguf" --plot "$out/hybrid.svg" --save-metrics "$out/hybrid.csv" | tail -n 15
}

echo
echo "== 2. Build the C program with the exported header against libhybridq.a"
$cc -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -I"$out" -I"$dist/include" c_examples/classify_trained.c \
    "$dist/libhybridq.a" -lm -o "$out/classify_trained"

echo
echo "== 3. Classify the 360 images that none of them has learnt from"
"$hybridq" evaluate "$out/fp32.gguf" "$out/after_training.gguf" "$out/ternary_hybrid.gguf" "$out/ternary.gguf" \
    --digits --scores "$out/scores_rust.f32" --overwrite
echo "the last one from C:"
"$out/classify_trained" data/digits/test.csv --scores "$out/scores_c.f32"

cmp "$out/scores_rust.f32" "$out/scores_c.f32"
bytes=$(wc -c <"$out/scores_c.f32")
test "$bytes" -eq $((360 * 10 * 4))
echo
echo "The C program's scores equal the Rust path's, bit for bit ($bytes bytes compared)."
echo "An image more or less is 0.28 points. The plot of the hybrid run: $out/hybrid.svg"
