#!/usr/bin/env python3
"""k-means of int8 points beside scikit-learn on the same points as float32: same start, same number of iterations, one
thread each, runs interleaved, medians.

    cc -shared -o /tmp/libhybridq.so -Wl,--whole-archive dist/<this machine>/libhybridq.a -Wl,--no-whole-archive
    python benches/peers/kmeans_int8.py /tmp/libhybridq.so          # after `make lib`; needs numpy and scikit-learn
"""

import ctypes
import os
import statistics
import sys
import time
import warnings

os.environ["OMP_NUM_THREADS"] = "1"
import numpy as np  # noqa: E402 (the thread count must be set first)
from sklearn.cluster import KMeans  # noqa: E402

SIZE = ctypes.c_size_t
ITERATIONS = 20


class Options(ctypes.Structure):
    _fields_ = [
        ("seed", ctypes.c_uint64),
        ("max_iterations", ctypes.c_uint32),
        ("seeding", ctypes.c_int32),
        ("empty", ctypes.c_int32),
        ("reserved", ctypes.c_int32),
    ]


class Result(ctypes.Structure):
    _fields_ = [
        ("inertia", ctypes.c_uint64),
        ("iterations", ctypes.c_uint32),
        ("converged", ctypes.c_uint32),
        ("empty", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32),
    ]


def pointer(array):
    return ctypes.c_void_p(array.ctypes.data)


def ours(library, points, start):
    """Milliseconds, inertia in squared codes, iterations."""
    (n, d), k = points.shape, len(start)
    options = Options(0, ITERATIONS, 1, 0, 0)  # given centres, the farthest rows for empty clusters: as scikit-learn
    library.hq_kmeans_int8_fit_workspace_size.restype = SIZE
    size = library.hq_kmeans_int8_fit_workspace_size(SIZE(n), SIZE(d), SIZE(k), ctypes.byref(options))
    centers = (16 * start).astype(np.int16)
    labels, scratch, result = np.zeros(n, np.uint16), np.zeros(size, np.uint8), Result()
    begin = time.perf_counter()
    status = library.hq_kmeans_int8_fit(
        SIZE(n), SIZE(d), pointer(points), SIZE(n * d), SIZE(k), ctypes.byref(options), pointer(centers), SIZE(k * d),
        pointer(labels), SIZE(n), ctypes.byref(result), pointer(scratch), SIZE(size),
    )  # fmt: skip
    took = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"hq_kmeans_int8_fit: status {status}")
    return 1e3 * took, result.inertia / 256, result.iterations


def theirs(floats, start):
    model = KMeans(len(start), init=start.astype(np.float32), n_init=1, max_iter=ITERATIONS, tol=0, algorithm="lloyd")
    begin = time.perf_counter()
    model.fit(floats)
    return 1e3 * (time.perf_counter() - begin), model.inertia_, model.n_iter_


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    library = ctypes.CDLL(os.path.abspath(sys.argv[1]))
    warnings.filterwarnings("ignore")
    print("| rows x features, k | int8, ms | scikit-learn f32, ms | ratio | inertia, ours / theirs | iterations |")
    print("|---|--:|--:|--:|--:|--:|")
    for n, d, k in [(1500, 32, 16), (10_000, 100, 10), (10_000, 100, 100), (10_000, 100, 1000), (100_000, 64, 256)]:
        rng = np.random.default_rng(n + d + k)
        places = rng.normal(0, 40, (k, d))
        points = places[rng.integers(k, size=n)] + rng.normal(0, 20, (n, d))
        points = np.clip(np.rint(points), -128, 127).astype(np.int8)
        floats = points.astype(np.float32)
        start = points[rng.choice(n, k, replace=False)].astype(np.int64)
        runs = [(ours(library, points, start), theirs(floats, start)) for _ in range(5)]
        a, b = (statistics.median(run[i][0] for run in runs) for i in range(2))
        (_, inertia, iterations), (_, reference, others) = runs[0]
        print(f"| {n} x {d}, {k} | {a:.2f} | {b:.2f} | {b / a:.1f} | {inertia / reference:.6f} | {iterations}, {others} |")


if __name__ == "__main__":
    main()
