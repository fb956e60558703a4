#!/bin/sh
# Training steps beside NumPy and PyTorch: builds the C archive, makes a shared object of it and train/steps.c, and has Python
# call it. NumPy comes from PyPI into target/venv unless python3 has it; PyTorch takes part where python3 (or the one that
# PYTHON names) has it. Arguments: the number of turns.
set -eu
cd "$(dirname "$0")"
target=$(pwd)/target
host=$(rustc -vV | sed -n 's/^host: //p')
python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || { echo "train: skipped, no $python here" >&2; exit 0; }
if ! "$python" -c 'import numpy' 2>/dev/null; then
    venv=$target/venv/bin/python3
    if ! "$venv" -c 'import numpy' 2>/dev/null; then
        if ! { "$python" -m venv "$target/venv" && "$venv" -m pip install --quiet numpy; } >&2; then
            echo 'train: skipped, NumPy is not installed and cannot be (python3-venv, network)' >&2
            exit 0
        fi
    fi
    python=$venv
fi
../../scripts/lib.sh >&2
mkdir -p "$target"
${CC:-cc} -std=c99 -O2 -Wall -Wextra -shared -fPIC -I "../../dist/$host/include" -o "$target/libsteps.so" train/steps.c \
    "../../dist/$host/libhybridq.a"
# One thread: the matrix libraries would take all cores.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
exec "$python" train/run.py "$target/libsteps.so" ../../data/digits/train.csv "$@"
