"""The C functions of k-means, by ctypes."""

import ctypes

import numpy as np

PLUS_PLUS = 0


class Options(ctypes.Structure):
    _fields_ = [
        ("max_iterations", ctypes.c_uint32),
        ("empty", ctypes.c_int32),
        ("bounds", ctypes.c_int32),
        ("spherical", ctypes.c_int32),
        ("shift_tolerance", ctypes.c_float),
        ("inertia_tolerance", ctypes.c_float),
    ]


class Result(ctypes.Structure):
    _fields_ = [
        ("inertia", ctypes.c_float),
        ("shift", ctypes.c_float),
        ("iterations", ctypes.c_uint32),
        ("stop", ctypes.c_int32),
        ("empty", ctypes.c_uint32),
    ]


def array(a):
    return ctypes.c_void_p(a.ctypes.data), ctypes.c_size_t(a.size)


class Library:
    def __init__(self, path):
        self.lib = ctypes.CDLL(path)
        self.lib.hq_kmeans_fit_workspace_size.restype = ctypes.c_size_t
        self.lib.hq_kmeans_seed_workspace_size.restype = ctypes.c_size_t

    def check(self, status):
        if status != 0:
            raise RuntimeError(f"hybridq: status {status}")

    def seed(self, x, k, seed):
        """`k` rows of `x` by greedy k-means++."""
        n, d = (ctypes.c_size_t(v) for v in x.shape)
        count = ctypes.c_size_t(k)
        size = self.lib.hq_kmeans_seed_workspace_size(ctypes.c_int32(PLUS_PLUS), n, count)
        scratch, rows = np.empty(size, np.uint8), np.empty(k, np.uint32)
        centers = np.empty((k, x.shape[1]), np.float32)
        status = self.lib.hq_kmeans_seed(
            n, d, *array(x), None, ctypes.c_size_t(0), count, ctypes.c_int32(PLUS_PLUS), ctypes.c_size_t(0),
            ctypes.c_uint64(seed), *array(rows), *array(centers), *array(scratch),
        )  # fmt: skip
        self.check(status)
        return centers

    def fit(self, x, start, iterations, bounds=True):
        """Centres, labels and the result of Lloyd's algorithm from `start`."""
        (n, d), k = x.shape, len(start)
        options = Options(iterations, 0, 0 if bounds else 1, 0, 0.0, 0.0)
        n, d, count = ctypes.c_size_t(n), ctypes.c_size_t(d), ctypes.c_size_t(k)
        size = self.lib.hq_kmeans_fit_workspace_size(n, d, count, ctypes.byref(options))
        scratch, labels = np.empty(size, np.uint8), np.empty(len(x), np.uint32)
        centers, result = start.copy(), Result()
        status = self.lib.hq_kmeans_fit(
            n, d, *array(x), None, ctypes.c_size_t(0), count, ctypes.byref(options), *array(centers),
            *array(labels), ctypes.byref(result), *array(scratch),
        )  # fmt: skip
        self.check(status)
        return centers, labels, result
