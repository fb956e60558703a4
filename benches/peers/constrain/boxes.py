"""The box beside np.clip and a copy: 1 M floats, one thread."""

import numpy as np
from timing import figure, show, turn

N = 1 << 20
BOX = 1


def main(library):
    x = np.random.default_rng(2).standard_normal(N, np.float32)
    out = np.empty_like(x)  # for all, so that no contestant finds its own in the cache
    box = library.set(BOX, a=[-0.5], b=[0.5])
    none = np.empty(0, np.uint8)
    library.project(box, x, out, none)
    assert np.array_equal(out, np.clip(x, -0.5, 0.5))
    times = turn({
        "hybridq": lambda: library.project(box, x, out, none),
        "NumPy, clip": lambda: np.clip(x, -0.5, 0.5),
        "NumPy, clip into an array": lambda: np.clip(x, -0.5, 0.5, out=out),
        "NumPy, finite and clip": lambda: np.isfinite(x).all() and np.clip(x, -0.5, 0.5),
        "copy": lambda: np.copyto(out, x),
    })
    show(f"box, {N} floats, active", times)
    figure("box_vs_numpy", times["NumPy, clip"] / times["hybridq"])
    figure("box_vs_numpy_into", times["NumPy, clip into an array"] / times["hybridq"])
    figure("box_vs_numpy_checked", times["NumPy, finite and clip"] / times["hybridq"])
    # 12 bytes a value: the input is surveyed, then read and written. The copy moves 8.
    figure("box_bandwidth_vs_copy", 12 / 8 * times["copy"] / times["hybridq"])
    figure("box_floor_vs_copy", times["copy"] / times["hybridq"])
