#!/bin/sh
# k-means beside scikit-learn and faiss: builds the C archive, makes a shared object of it, and has Python call it. The
# peers come from PyPI into target/venv. Arguments are names of cases (kmeans/bench.py), none for all.
set -eu
cd "$(dirname "$0")"
target=$(pwd)/target
host=$(rustc -vV | sed -n 's/^host: //p')
command -v python3 >/dev/null 2>&1 || { echo 'kmeans: skipped, no python3 here' >&2; exit 0; }
python=$target/venv/bin/python3
modules='numpy, sklearn, faiss, threadpoolctl, kmeans1d, k_means_constrained'
if ! "$python" -c "import $modules" 2>/dev/null; then
    if ! { python3 -m venv "$target/venv" && "$python" -m pip install --quiet -r kmeans/requirements.txt; } >&2; then
        echo 'kmeans: skipped, the peers are not installed and cannot be (python3-venv, network)' >&2
        exit 0
    fi
fi
../../scripts/lib.sh >&2
${CC:-cc} -shared -o "$target/libhybridq.so" -Wl,--whole-archive "../../dist/$host/libhybridq.a" -Wl,--no-whole-archive
# One-dimensional k-means, and clusters of the same size (balanced, or one case: balanced_1000x16_k10), have peers of their own.
rest= balanced=
for name in "$@"; do
    case $name in
        exact_1d | balanced) ;;
        balanced_*) balanced="$balanced $name" ;;
        *) rest="$rest $name" ;;
    esac
done
# shellcheck disable=SC2086 # a list of names
[ -n "$*" ] && [ -z "$rest" ] || "$python" kmeans/bench.py "$target/libhybridq.so" $rest
case " $* " in
    "  " | *" balanced "* | *" balanced_"*)
        # shellcheck disable=SC2086 # a list of names
        "$python" kmeans/balanced.py "$target/libhybridq.so" $balanced
        ;;
esac
case " $* " in
    "  " | *" exact_1d "*) "$python" kmeans/exact_1d.py "$target/libhybridq.so" ;;
esac
