#!/bin/sh
# Real weights in, packed ternary out, a C program runs it: the whole way on the digits in data/.
# Called by `make demo`, which has built the archive before.
set -eu

cd "$(dirname "$0")/.."
out=target/demo
cc=${CC:-cc}
host=$(rustc -vV | sed -n 's/^host: //p')
dist=${HYBRIDQ:-dist/$host}
format=${FORMAT:-dense_ternary}
mkdir -p "$out"

echo "== 1. Quantize the trained network to $format"
cargo build --quiet --release --features cli --bin hybridq --example classify
target/release/hybridq quantize data/digits/mlp.safetensors -o "$out/digits.gguf" --format "$format" --overwrite
target/release/hybridq inspect "$out/digits.gguf"
packed=$out/digits.gguf
for other in five_level q35p q8_0; do
    [ "$other" != "$format" ] || continue
    target/release/hybridq quantize data/digits/mlp.safetensors -o "$out/digits_$other.gguf" --format "$other" \
        --overwrite --quiet
    packed="$packed $out/digits_$other.gguf"
done

echo
echo "== 2. Export it as a C header and build the C program against libhybridq.a"
target/release/hybridq export "$out/digits.gguf" --c-header "$out/digits_weights.h" --prefix digits --overwrite
$cc -std=c99 -O2 -Wall -Wextra -Wpedantic -Werror -I"$out" -I"$dist/include" c_examples/classify.c \
    "$dist/libhybridq.a" -o "$out/classify"

echo
echo "== 3. Classify the 360 held-out images"
# shellcheck disable=SC2086 # a list of files
target/release/examples/classify data/digits/mlp.safetensors data/digits/test.csv $packed \
    --scores "$out/scores_rust.f32"
echo "the C program:"
"$out/classify" data/digits/test.csv --scores "$out/scores_c.f32"

cmp "$out/scores_rust.f32" "$out/scores_c.f32"
bytes=$(wc -c <"$out/scores_c.f32")
test "$bytes" -eq $((360 * 10 * 4))
echo
echo "The C program's scores equal the Rust path's, bit for bit ($bytes bytes compared)."
echo "Ternary weights made after training lose several points here; training with them in the loop"
echo "(quantization-aware) is what recovers the accuracy. An image more or less is 0.28 points."
