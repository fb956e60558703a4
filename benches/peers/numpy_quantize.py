"""Quantizing a million floats: hybridq to packed TQ2_0 beside the NumPy quantizer that this project replaces.

The original was a NumPy prototype: it scales by the standard deviation, sorts the magnitudes into the levels 0, 1/2, 1
by one scan a level, takes std / mean level as the scale, and rounds `round(clip(x / scale, -1, 1) * 2) / 2`. It is
rewritten here from its description, in float32 throughout and without its percentiles, which would only slow it down.
It packs nothing; hybridq's time includes fitting a scale per 256 values and packing.

    python3 numpy_quantize.py LIBHYBRIDQ.SO
"""

import ctypes
import statistics
import sys
import time

import numpy as np

LEN = 1 << 20
COLS = 4096
ROWS = LEN // COLS
TQ2_0 = 35
FITS = {"absmean": 1, "mse": 0}
TURNS = 31


class Options(ctypes.Structure):
    _fields_ = [
        ("fit", ctypes.c_int32),
        ("granularity", ctypes.c_int32),
        ("non_finite", ctypes.c_int32),
        ("percentile", ctypes.c_float),
        ("threshold", ctypes.c_float),
        ("scale", ctypes.c_float),
    ]


def original(x):
    std = x.std()
    magnitude = np.abs(x / std)
    level = np.zeros_like(magnitude)
    for low, high, value in ((0.0, 0.25, 0.0), (0.25, 0.75, 0.5), (0.75, np.inf, 1.0)):
        level[(magnitude >= low) & (magnitude < high)] = value
    scale = std / level.mean()
    return np.round(np.clip(x / scale, -1, 1) * 2) / 2, scale


def main(path):
    lib = ctypes.CDLL(path)
    size = ctypes.c_size_t
    lib.hq_quantize.argtypes = [ctypes.c_int32, ctypes.c_void_p, size, size, ctypes.c_void_p, size]
    lib.hq_quantize.argtypes += [ctypes.c_void_p, size, ctypes.c_void_p, size]
    lib.hq_matrix_size.argtypes = [ctypes.c_int32, size, size]
    lib.hq_matrix_size.restype = size
    lib.hq_quantize_workspace_size.argtypes = [ctypes.c_int32, ctypes.c_void_p, size, size]
    lib.hq_quantize_workspace_size.restype = size
    lib.hq_dequantize.argtypes = [ctypes.c_int32, size, size, ctypes.c_void_p, size, ctypes.c_void_p, size]

    x = np.random.default_rng(1).standard_normal(LEN).astype(np.float32)
    packed = np.empty(lib.hq_matrix_size(TQ2_0, ROWS, COLS), np.uint8)
    decoded = np.empty_like(x)
    contestants = {"numpy": lambda: original(x)}
    for name, fit in FITS.items():
        options = Options(fit, 0, 0, 0.0, 0.0, 0.0)
        needed = lib.hq_quantize_workspace_size(TQ2_0, ctypes.byref(options), ROWS, COLS)
        scratch = np.empty(max(needed, 1), np.uint8)

        def ours(options=options, scratch=scratch):
            status = lib.hq_quantize(
                TQ2_0, ctypes.byref(options), ROWS, COLS, x.ctypes.data, x.size,
                packed.ctypes.data, packed.size, scratch.ctypes.data, scratch.size,
            )  # fmt: skip
            assert status == 0, status

        contestants[name] = ours

    def rmse(y):
        return float(np.sqrt(np.square(x - y, dtype=np.float64).sum() / np.square(x, dtype=np.float64).sum()))

    codes, scale = original(x)
    errors = {"numpy": rmse(codes * scale)}
    for name in FITS:
        contestants[name]()
        status = lib.hq_dequantize(TQ2_0, ROWS, COLS, packed.ctypes.data, packed.size, decoded.ctypes.data, x.size)
        assert status == 0, status
        errors[name] = rmse(decoded)

    times = {name: [] for name in contestants}
    for _ in range(TURNS):
        for name, work in contestants.items():
            start = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - start)
    median = {name: statistics.median(t) for name, t in times.items()}
    for name in contestants:
        print(f"quantize 1 M floats, {name:8} {1e3 * median[name]:8.3f} ms   relative RMSE {errors[name]:.3f}")
    for name in FITS:
        print(f"figure numpy_tq2_0_quantize_{name} {median['numpy'] / median[name]:.1f} ratio")


if __name__ == "__main__":
    main(sys.argv[1])
