#!/bin/sh
# Fetches ggml's sources for the peer benchmarks: the PyPI source archive of llama-cpp-python carries them.
# Nothing of it is installed or kept in the repository. Prints the folder; does nothing if it is there.
set -eu
version=0.3.36
here=$(cd "$(dirname "$0")" && pwd)
out=$here/target/peers
ggml=$out/llama_cpp_python-$version/vendor/llama.cpp/ggml
if [ ! -d "$ggml/src" ]; then
    mkdir -p "$out"
    python3 -m pip download --quiet --no-deps --no-binary llama-cpp-python --dest "$out" \
        "llama-cpp-python==$version" >&2
    tar -xzf "$out/llama_cpp_python-$version.tar.gz" -C "$out"
fi
echo "$ggml"
