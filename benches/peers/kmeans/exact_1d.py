"""Exact one-dimensional k-means beside kmeans1d (PyPI; C++, SMAWK), in one process on one thread.

Both get the same values, find centres and labels, and are compared by the inertia of their centres in double precision:
they must agree to 1e-6. kmeans1d is called at its C function, so that copying into Python lists does not count against
it; hybridq at its C functions for centres and for labels. The time is that of the process; the median of interleaved
turns counts. Other packages that are installed (ckwrap, fast1dkmeans) get one turn each, as Python calls them.

    make bench-peers SUITE=kmeans CASES=exact_1d
"""

import ctypes
import statistics
import sys
import time

import kmeans1d._core
import numpy as np

N, K, TURNS = 1_000_000, 16, 3
SIZE, POINTER = ctypes.c_size_t, ctypes.c_void_p


def array(a):
    return POINTER(a.ctypes.data), SIZE(a.size)


def data():
    rng = np.random.default_rng(1)
    mixture = rng.integers(0, 24, N) * 1.5 + rng.standard_normal(N) * rng.uniform(0.1, 1.0, 24)[rng.integers(0, 24, N)]
    return {"normal": rng.standard_normal(N).astype(np.float32), "mixture": mixture.astype(np.float32)}


class Hybridq:
    """The C functions, with buffers made once."""

    def __init__(self, path, x, k):
        self.lib, self.x, self.k = ctypes.CDLL(path), x, k
        self.lib.hq_kmeans_exact_1d_workspace_size.restype = SIZE
        size = self.lib.hq_kmeans_exact_1d_workspace_size(SIZE(x.size), SIZE(k), ctypes.c_int32(0))
        self.scratch, self.labels = np.empty(size, np.uint8), np.empty(x.size, np.uint8)
        self.centers, self.inertia = np.empty(k, np.float32), ctypes.c_float()

    def __call__(self):
        status = self.lib.hq_kmeans_exact_1d(
            *array(self.x), None, SIZE(0), SIZE(self.k), ctypes.c_int32(0), *array(self.centers),
            ctypes.byref(self.inertia), *array(self.scratch),
        )  # fmt: skip
        if status == 0:
            status = self.lib.hq_kmeans_label_1d(*array(self.x), *array(self.centers), *array(self.labels))
        if status != 0:
            raise RuntimeError(f"hybridq: status {status}")


class Kmeans1d:
    def __init__(self, x, k):
        self.cluster, self.k = ctypes.CDLL(kmeans1d._core.__file__).cluster, k
        self.x = x.astype(np.float64)
        self.labels, self.centers = np.empty(x.size, np.uint), np.empty(k)

    def __call__(self):
        long = ctypes.c_ulong
        self.cluster(
            array(self.x)[0], long(self.x.size), long(self.k), array(self.labels)[0], array(self.centers)[0]
        )


def others(x, k):
    """Packages that may be there, as they are called from Python."""
    found = {}
    try:
        import ckwrap

        found["ckwrap"] = lambda: ckwrap.ckmeans(x.astype(np.float64), k)
    except ImportError:
        pass
    try:
        import fast1dkmeans

        fast1dkmeans.cluster(x[:1000].astype(np.float64), k)  # compiles
        found["fast1dkmeans"] = lambda: fast1dkmeans.cluster(x.astype(np.float64), k)
    except ImportError:
        pass
    return found


def seconds(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin


def inertia(x, centers):
    centers = np.sort(centers.astype(np.float64))
    labels = np.searchsorted((centers[1:] + centers[:-1]) / 2, x)
    return float(((x - centers[labels]) ** 2).sum())


def main(path):
    ratios = []
    for name, x in data().items():
        ours, theirs = Hybridq(path, x, K), Kmeans1d(x, K)
        ours()
        times = {"hybridq": [], "kmeans1d": []}
        for _ in range(TURNS):
            times["hybridq"].append(seconds(ours))
            times["kmeans1d"].append(seconds(theirs))
        medians = {who: statistics.median(t) for who, t in times.items()}
        wide = x.astype(np.float64)
        our_inertia, their_inertia = inertia(wide, ours.centers), inertia(wide, theirs.centers)
        assert abs(our_inertia / their_inertia - 1) < 1e-6, (our_inertia, their_inertia)
        assert abs(ours.inertia.value / their_inertia - 1) < 1e-6, (ours.inertia.value, their_inertia)
        same = np.mean(ours.labels == theirs.labels)
        assert same > 0.9999, same
        for who, work in others(x, K).items():
            medians[who] = seconds(work)
        for who, time_taken in medians.items():
            print(f"{name:8} {who:14} {1e3 * time_taken:10.1f} ms")
        print(f"{name:8} inertia {our_inertia:.9g}, kmeans1d {their_inertia:.9g}, {100 * same:.4f} % of labels alike")
        ratios.append(medians["kmeans1d"] / medians["hybridq"])
    print(f"figure kmeans_exact_1d_{N}_k{K}_vs_kmeans1d {min(ratios):.2f} ratio")


if __name__ == "__main__":
    main(sys.argv[1])
