"""The L2 ball beside NumPy's norm and scale: 1 M floats, one thread."""

import numpy as np
from timing import figure, show, turn

N = 1 << 20
L2_BALL = 0


def numpy_project(x, radius):
    """As one writes it: a fresh result."""
    norm = np.linalg.norm(x)
    return x * (radius / norm) if norm > radius else x.copy()


def numpy_project_into(x, radius, out):
    """With an output that is there."""
    norm = np.linalg.norm(x)
    return np.multiply(x, radius / norm, out=out) if norm > radius else np.copyto(out, x)


def numpy_project_centered(x, center, radius):
    d = x - center
    norm = np.linalg.norm(d)
    return center + d * (radius / norm) if norm > radius else x.copy()


def main(library):
    rng = np.random.default_rng(1)
    x, center = rng.standard_normal((2, N), np.float32)
    radius = np.float32(100.0)
    out = np.empty_like(x)  # for all, so that no contestant finds its own in the cache
    ball = library.set(L2_BALL, radius=float(radius))
    centered = library.set(L2_BALL, a=center, radius=float(radius))
    none = np.empty(0, np.uint8)
    library.project(ball, x, out, none)
    assert np.abs(out - numpy_project(x, radius)).max() < 1e-6
    library.project(centered, x, out, none)
    assert np.abs(out - numpy_project_centered(x, center, radius)).max() < 1e-5
    times = turn({
        "hybridq": lambda: library.project(ball, x, out, none),
        "NumPy, norm and scale": lambda: numpy_project(x, radius),
        "NumPy, into an array": lambda: numpy_project_into(x, radius, out),
        "hybridq, centre": lambda: library.project(centered, x, out, none),
        "NumPy, centre": lambda: numpy_project_centered(x, center, radius),
        "copy": lambda: np.copyto(out, x),
    })
    show(f"L2 ball, {N} floats, active", times)
    figure("l2_ball_vs_numpy", times["NumPy, norm and scale"] / times["hybridq"])
    figure("l2_ball_vs_numpy_into", times["NumPy, into an array"] / times["hybridq"])
    figure("l2_ball_centered_vs_numpy", times["NumPy, centre"] / times["hybridq, centre"])
    # 12 bytes a value: the input is read twice, the output written once. The copy moves 8.
    figure("l2_ball_bandwidth_vs_copy", 12 / 8 * times["copy"] / times["hybridq"])
    figure("l2_ball_floor_vs_copy", times["copy"] / times["hybridq"])
