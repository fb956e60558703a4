#!/usr/bin/env bash
# GGUF files written by `hybridq quantize`, decoded by the gguf package from PyPI: the values must be those of
# `hybridq dequantize`, bit for bit. Needs the network once, for a virtual environment in target/venv; the test
# suite itself has the package's answers as golden files instead.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/venv
work=target/check_gguf
mkdir -p "$work"
if ! "$venv/bin/python" -c 'import gguf, safetensors' 2>/dev/null; then
    python3 -m venv "$venv"
    # The versions of tools/requirements.txt, without those that only training needs.
    grep -E '^(gguf|numpy|safetensors)==' tools/requirements.txt >"$work/requirements.txt"
    "$venv/bin/pip" install --quiet -r "$work/requirements.txt"
fi

# Rows that every block divides and rows that none does; magnitudes from denormal to large.
"$venv/bin/python" - "$work/in.safetensors" <<'PYTHON'
import sys
import numpy as np
from safetensors.numpy import save_file
rng = np.random.default_rng(7)
tensors = {
    "blk.0.wide.weight": rng.standard_normal((48, 768)),
    "blk.0.tiny.weight": rng.standard_normal((8, 256)) * 1e-6,
    "blk.0.large.weight": rng.standard_normal((8, 512)) * 1e3,
    "blk.0.odd.weight": rng.standard_normal((5, 100)),
    "blk.0.zero.weight": np.zeros((2, 256)),
}
save_file({name: value.astype(np.float32) for name, value in tensors.items()}, sys.argv[1])
PYTHON

cargo build --quiet --release --features cli --bin hybridq
for format in tq1_0 tq2_0 q8_0; do
    for input in "$work/in.safetensors" data/digits/mlp.safetensors; do
        target/release/hybridq quantize "$input" -o "$work/a.gguf" --format "$format" --overwrite >"$work/log.txt"
        target/release/hybridq dequantize "$work/a.gguf" -o "$work/a.safetensors" --overwrite >"$work/log.txt"
        "$venv/bin/python" tools/check_gguf.py "$work/a.gguf" "$work/a.safetensors" | tee -a "$work/$format.txt"
    done
    # Not by default: the file really holds the format that was asked for.
    grep -q "^blk.0.wide.weight ${format^^} 48x768: same$" "$work/$format.txt"
    rm -f "$work/$format.txt"
done
echo "check_gguf: the gguf package decodes tq1_0, tq2_0 and q8_0 files to hybridq's values, bit for bit"
