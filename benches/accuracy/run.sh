#!/bin/sh
# Installs and builds what the accuracy bench needs, runs its tests, then the bench. The arguments are those of bench.py;
# HYBRIDQ is the built program. Everything lands in target/ beside this file; the network is needed once.
set -eu
hybridq=$(realpath "${HYBRIDQ:?is not set: run make bench-accuracy}")
cd "$(dirname "$0")"
python=target/venv/bin/python
if ! cmp -s requirements.txt target/installed.txt; then
    python3 -m venv target/venv
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
    cp requirements.txt target/installed.txt
fi
ggml=$(./build_ggml.sh)
HYBRIDQ=$hybridq GGML=$ggml "$python" -m unittest --quiet
exec "$python" bench.py --hybridq "$hybridq" --ggml "$ggml" "$@"
