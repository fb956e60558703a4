"""Projections that search a threshold, beside the ways NumPy users write them: with a sort and a cumulative sum.

A million floats (2^20), one thread, out of place. NumPy works in float32, but for cumulative sums, which in float32 would
be wrong in the third digit. Results are compared with the same in double precision throughout.
"""

import numpy as np
from timing import figure, show, turn

N = 1 << 20
SIMPLEX, L1_BALL, TERNARY = 32, 34, 37


def simplex(x, total):
    falling = np.sort(x)[::-1]
    excess = np.cumsum(falling, dtype=np.float64) - total
    rank = np.arange(1, x.size + 1)
    last = np.nonzero(falling * rank > excess)[0][-1]
    return np.maximum(x - x.dtype.type(excess[last] / rank[last]), 0)


def l1_ball(x, radius):
    magnitude = np.abs(x)
    return x if magnitude.sum() <= radius else np.sign(x) * simplex(magnitude, radius)


def ternary(x, _):
    magnitude = np.abs(x)
    falling = np.sort(magnitude)[::-1]
    sums = np.cumsum(falling, dtype=np.float64)
    best = np.argmax(sums * sums / np.arange(1, x.size + 1))
    scale = x.dtype.type(sums[best] / (best + 1))
    return np.where(magnitude >= falling[best], np.sign(x) * scale, x.dtype.type(0))


# The figure of several lines is the least of their ratios.
CASES = [
    ("simplex", "one sum", SIMPLEX, 1.0, simplex),
    ("simplex", "a fifth stays", SIMPLEX, 1e5, simplex),
    ("simplex", "all stay", SIMPLEX, 1e7, simplex),
    ("l1_ball", "few stay", L1_BALL, 1e3, l1_ball),
    ("l1_ball", "a third stays", L1_BALL, 2.5e5, l1_ball),
    ("ternary", "any", TERNARY, 0.0, ternary),
]


def main(library):
    x = np.random.default_rng(1).standard_normal(N).astype(np.float32)
    out, ratios = np.empty_like(x), {}
    for name, what, kind, radius, theirs in CASES:
        made = library.set(kind, radius=radius)
        scratch = library.scratch(made, N)
        library.project(made, x, out, scratch)
        expected = theirs(x.astype(np.float64), radius)
        error = np.abs(out - expected).max()
        if kind == TERNARY:
            # Thresholds next to each other are equally good to 1e-9: the squared error decides, not the point.
            ours, best = (float(np.square(x - y, dtype=np.float64).sum()) for y in (out, expected))
            assert ours <= best * (1 + 1e-6), (ours, best)
        else:
            assert error <= 1e-6 * max(1.0, radius / N), (name, what, error)
        times = turn({
            "hybridq": lambda: library.project(made, x, out, scratch),
            "NumPy, with a sort": lambda: theirs(x, radius),
        }, turns=11)  # fmt: skip
        show(f"{name}, {what}, {N} floats; largest difference {error:.1e}", times)
        ratio = times["NumPy, with a sort"] / times["hybridq"]
        ratios[name] = min(ratio, ratios.get(name, ratio))
    for name, ratio in ratios.items():
        figure(f"{name}_vs_numpy", ratio)
