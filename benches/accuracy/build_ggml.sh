#!/bin/sh
# Builds ggml's quantizers as a shared library from the sources that the peer benchmarks fetch. Prints its path.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ggml=$("$here/../peers/fetch.sh")
out=$here/target/ggml
lib=$out/libggml_peer.so
if [ ! "$lib" -nt "$here/ggml_peer.c" ] || [ ! "$lib" -nt "$ggml/src/ggml-quants.c" ]; then
    mkdir -p "$out"
    printf '#define GGML_VERSION "peer"\n#define GGML_COMMIT "peer"\n' >"$out/ggml-version.h"
    ${CC:-cc} -O2 -fPIC -shared -w -D_GNU_SOURCE -DNDEBUG -I"$out" -I"$ggml/include" -I"$ggml/src" \
        "$ggml/src/ggml.c" "$ggml/src/ggml-quants.c" "$here/ggml_peer.c" -lm -Wl,-z,defs -o "$lib"
fi
echo "$lib"
