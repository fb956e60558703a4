#!/usr/bin/env python3
"""Write tests/golden/constrain/scipy.txt: nearest points of constraint sets, by general solvers of SciPy.

Convex sets and the sphere are problems for SLSQP in double precision: minimise
|y - x|^2 / 2 where y is in the set. Top-k and the codebook are integer linear
programs for HiGHS, exact ternary is a search over one scale. None of them
knows the closed forms and threshold searches that hybridq uses.
"""

import argparse
from pathlib import Path

import numpy as np
import scipy
from scipy.optimize import Bounds, LinearConstraint, milp, minimize, minimize_scalar

SEED = 5
LEN = 12


def coarse(x):
    """Round to multiples of 1/64: exact in f32 and in a few decimals."""
    return np.round(np.asarray(x, float) * 64) / 64


class Problem:
    """Functions that are not negative (or 0, where equal) at points of a set, and bounds of the values."""

    def __init__(self, *, low=-np.inf, high=np.inf):
        self.low, self.high, self.constraints = low, high, []

    def at_least(self, function, gradient):
        """`function(y) >= 0`."""
        self.constraints.append({"type": "ineq", "fun": function, "jac": gradient})
        return self

    def equal(self, function, gradient):
        """`function(y) = 0`."""
        self.constraints.append({"type": "eq", "fun": function, "jac": gradient})
        return self

    def nearest(self, x, start):
        """Return the nearest point; the solver starts at `start`."""
        bounds = Bounds(np.broadcast_to(self.low, start.shape), np.broadcast_to(self.high, start.shape))
        start = np.clip(start, bounds.lb, bounds.ub)
        found = minimize(
            lambda y: 0.5 * np.sum((y[: len(x)] - x) ** 2),
            start,
            jac=lambda y: np.concatenate([y[: len(x)] - x, np.zeros(len(y) - len(x))]),
            bounds=bounds,
            constraints=self.constraints,
            method="SLSQP",
            options={"ftol": 1e-16, "maxiter": 1000},
        )
        worst = max([0.0] + [np.max(-c["fun"](found.x)) for c in self.constraints])
        if worst > 1e-7 * max(1.0, np.max(np.abs(x))):
            raise SystemExit(f"{found.message}: {worst} outside")
        return found.x[: len(x)]


def ball(problem, center, radius, part=slice(None)):
    """Add `|y - center| <= radius` for a part of the values, as squares."""

    def gradient(y):
        g = np.zeros_like(y)
        g[part] = -2 * (y[part] - center)
        return g

    return problem.at_least(lambda y: radius**2 - np.sum((y[part] - center) ** 2), gradient)


def plane(problem, normal, bound, *, equal):
    """Add `normal y = bound`, or at most `bound`."""
    normal = np.asarray(normal, float)
    if equal:
        return problem.equal(lambda y: normal @ y - bound, lambda y: normal)
    return problem.at_least(lambda y: bound - normal @ y, lambda y: -normal)


def l1_nearest(x, center, radius):
    """Return the nearest point of the L1 ball, as y = x and a bound t on |y - center|: 2 n linear inequalities, one sum."""
    n = len(x)
    eye = np.eye(n)
    problem = Problem()
    for sign in (1.0, -1.0):
        rows = np.hstack([-sign * eye, eye])
        problem.at_least(lambda z, s=sign: z[n:] - s * (z[:n] - center), lambda z, rows=rows: rows)
    sums = np.concatenate([np.zeros(n), -np.ones(n)])
    problem.at_least(lambda z: radius - np.sum(z[n:]), lambda z: sums)
    return problem.nearest(x, np.concatenate([center, np.full(n, radius / n)]))


def choose(costs, constraints):
    """Return the cheapest choice of zeros and ones, by HiGHS."""
    found = milp(costs, integrality=np.ones_like(costs), bounds=Bounds(0, 1), constraints=constraints)
    if not found.success:
        raise SystemExit(found.message)
    return np.round(found.x)


def top_k_nearest(x, count):
    """Keep the values that leave the least error."""
    return x * choose(-(x**2), LinearConstraint(np.ones((1, len(x))), ub=count))


def codebook_nearest(x, levels):
    """Give each value one level."""
    costs = (x[:, None] - levels) ** 2
    one_each = np.kron(np.eye(len(x)), np.ones((1, len(levels))))
    chosen = choose(costs.ravel(), LinearConstraint(one_each, lb=1, ub=1))
    return chosen.reshape(costs.shape) @ levels


def ternary_at(x, scale):
    """Return the nearest point whose values are -scale, 0 and scale."""
    return scale * np.clip(np.round(x / scale), -1, 1) if scale > 0 else np.zeros_like(x)


def ternary_nearest(x):
    """Minimise over the scale between the places where a value changes its trit."""
    ends = np.unique(np.concatenate([[1e-12], 2 * np.abs(x)]))
    best = np.zeros_like(x)
    for low, high in zip(ends[:-1], ends[1:], strict=True):
        error = lambda s: np.sum((x - ternary_at(x, s)) ** 2)  # noqa: E731
        s = minimize_scalar(error, bounds=(low, high), method="bounded", options={"xatol": 1e-13}).x
        best = min(best, ternary_at(x, s), key=lambda y: np.sum((x - y) ** 2))
    return best


def cases():
    """Yield (name, parameters, x, nearest point)."""
    rng = np.random.default_rng(SEED)
    normal = lambda size=LEN, scale=1.0: coarse(scale * rng.standard_normal(size))  # noqa: E731
    ties = coarse(np.resize([2.0, -2.0, 0.5, 2.0, -0.5, 0.0], LEN))
    inputs = [("normal", normal(scale=2.0)), ("ties", ties), ("far", normal(scale=200.0)), ("near", normal(scale=0.05))]
    center, other, a1, a2 = normal(), normal(), normal(), normal()
    low, high = np.minimum(center, other), np.maximum(center, other)
    levels = np.array([3.0, -2.0, 0.25, -0.5])
    none = np.zeros(LEN)
    for name, x in inputs:
        for c, radius in ((none, 0.75), (center, 2.5)):
            p = {"radius": [radius], "a": c if c is center else []}
            yield "l2_ball", p, x, ball(Problem(), c, radius).nearest(x, c)
            yield "linf_ball", p, x, Problem(low=c - radius, high=c + radius).nearest(x, c)
            yield "l1_ball", p, x, l1_nearest(x, c, radius)
            sphere = Problem().equal(
                lambda y, c=c, r=radius: np.sum((y - c) ** 2) - r**2, lambda y, c=c: 2 * (y - c)
            )
            yield "sphere", p, x, sphere.nearest(x, c + (x - c) * radius / np.linalg.norm(x - c))
        yield "box", {"a": low, "b": high}, x, Problem(low=low, high=high).nearest(x, low)
        yield "non_negative", {}, x, Problem(low=0).nearest(x, none)
        for bound in (-1.5, 40.0):
            p = {"a": a1, "value": [bound]}
            yield "halfspace", p, x, plane(Problem(), a1, bound, equal=False).nearest(x, none)
            yield "hyperplane", p, x, plane(Problem(), a1, bound, equal=True).nearest(x, none)
        affine = plane(plane(Problem(), a1, 1.5, equal=True), a2, -0.5, equal=True)
        yield "affine", {"a": np.concatenate([a1, a2]), "b": [1.5, -0.5]}, x, affine.nearest(x, none)
        for t in (0.25, -1.0, 30.0):
            tz = np.concatenate([[t], x[1:]])
            if np.linalg.norm(x[1:]) <= -t:
                continue  # the nearest point is 0, where the constraint has no gradient
            cone = Problem().at_least(
                lambda y: y[0] - np.linalg.norm(y[1:]),
                lambda y: np.concatenate([[1.0], -y[1:] / np.linalg.norm(y[1:])]),
            )
            yield "second_order_cone", {}, tz, cone.nearest(tz, np.concatenate([[np.linalg.norm(x)], x[1:]]))
        rows = Problem()
        for i in range(0, LEN, 4):
            ball(rows, 0, 1.25, slice(i, i + 4))
        yield "row_max_norm", {"radius": [1.25], "count": [4]}, x, rows.nearest(x, none)
        for total in (1.0, 7.5):
            simplex = plane(Problem(low=0), np.ones(LEN), total, equal=True)
            yield "simplex", {"radius": [total]}, x, simplex.nearest(x, np.full(LEN, total / LEN))
            capped = plane(Problem(low=0, high=0.75), np.ones(LEN), total, equal=True)
            p = {"radius": [total], "value": [0.75]}
            yield "capped_simplex", p, x, capped.nearest(x, np.full(LEN, total / LEN))
        product = plane(Problem(low=[0.0] * 5 + [-np.inf] * 7), [1.0] * 5 + [0.0] * 7, 1.5, equal=True)
        ball(product, 0, 0.5, slice(5, None))
        start = np.concatenate([np.full(5, 0.3), np.zeros(7)])
        yield "product", {"radius": [1.5, 0.5], "count": [5]}, x, product.nearest(x, start)
        both = ball(plane(Problem(low=0), a1, 0.5, equal=False), none, 1.5)
        yield "intersection", {"a": a1, "value": [0.5], "radius": [1.5]}, x, both.nearest(x, none)
        yield "top_k", {"count": [5]}, x, top_k_nearest(x, 5)
        yield "codebook", {"a": levels}, x, codebook_nearest(x, levels)
        yield "exact_ternary", {}, x, ternary_nearest(x)


def main():
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    out = Path(__file__).parents[1] / "tests/golden/constrain/scipy.txt"
    parser.add_argument("out", nargs="?", type=Path, default=out)
    args = parser.parse_args()
    lines = [f"# tools/make_constrain_golden.py: scipy {scipy.__version__}, numpy {np.__version__}, seed {SEED}"]
    for name, parameters, x, nearest in cases():
        lines.append(name)
        for key, values in parameters.items():
            if len(values):
                lines.append(" ".join([key] + [f"{v:.10g}" for v in values]))
        lines.append(" ".join(["x"] + [f"{v:.10g}" for v in x]))
        lines.append(" ".join(["y"] + [f"{v + 0.0:.9g}" for v in nearest]))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
