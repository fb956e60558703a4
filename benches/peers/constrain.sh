#!/bin/sh
# Projections and the optimizer beside NumPy: builds the C archive, makes a shared object of it, and has Python call it.
# NumPy comes from PyPI into target/venv unless python3 has it. Arguments are names of files in constrain/ without .py,
# none for all.
set -eu
cd "$(dirname "$0")"
target=$(pwd)/target
host=$(rustc -vV | sed -n 's/^host: //p')
command -v python3 >/dev/null 2>&1 || { echo 'constrain: skipped, no python3 here' >&2; exit 0; }
python=python3
if ! python3 -c 'import numpy' 2>/dev/null; then
    python=$target/venv/bin/python3
    if ! "$python" -c 'import numpy' 2>/dev/null; then
        if ! { python3 -m venv "$target/venv" && "$python" -m pip install --quiet numpy; } >&2; then
            echo 'constrain: skipped, NumPy is not installed and cannot be (python3-venv, network)' >&2
            exit 0
        fi
    fi
fi
../../scripts/lib.sh >&2
mkdir -p "$target"
${CC:-cc} -shared -o "$target/libhybridq.so" -Wl,--whole-archive "../../dist/$host/libhybridq.a" -Wl,--no-whole-archive
# One thread: NumPy's matrix library would take all cores.
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 MKL_NUM_THREADS=1
exec "$python" constrain/run.py "$target/libhybridq.so" "$@"
