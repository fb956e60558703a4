"""k-means with clusters of the same size beside k-means-constrained (PyPI; its flow is OR-tools' C++ min-cost flow).

All start from the same rows of the same data, make the same number of iterations and are bound by the same sizes, floor(n / k) to
ceil(n / k). k-means-constrained finds the exact optimum of costs that it cuts to whole thousandths, so that
rows part ways and the inertias after some iterations differ a little; ours must not be 1 % above. That one assignment is the optimum
is checked by scipy's linear_sum_assignment, where it is small enough: centres repeated once for each place they have. The time is that of the process; the median of
interleaved turns counts.

    python3 balanced.py LIBHYBRIDQ.SO [CASE...]
"""

import ctypes
import statistics
import sys
import time
import warnings

import numpy as np
from hybridq import Library, Options, Result, array
from k_means_constrained import KMeansConstrained
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from threadpoolctl import threadpool_limits

ITERATIONS = 5
# name: rows, features, clusters, turns
CASES = {
    f"balanced_{n}x{d}_k{k}": (n, d, k, turns)
    for n, d, k, turns in ((1000, 16, 10, 5), (2000, 16, 50, 3), (10_000, 16, 10, 1), (10_000, 32, 64, 1))
}
SIZE = ctypes.c_size_t


class Balanced(Library):
    def __init__(self, path):
        super().__init__(path)
        self.lib.hq_kmeans_fit_balanced_workspace_size.restype = SIZE
        self.lib.hq_kmeans_assign_balanced_workspace_size.restype = SIZE

    def fit_balanced(self, x, start, iterations):
        (n, d), k = x.shape, len(start)
        n, d, count = SIZE(n), SIZE(d), SIZE(k)
        options, none = Options(iterations, 0, 0, 0, 0.0, 0.0), (None, SIZE(0))
        size = self.lib.hq_kmeans_fit_balanced_workspace_size(n, d, count)
        scratch, labels = np.empty(size, np.uint8), np.empty(len(x), np.uint32)
        centers, result = start.copy(), Result()
        status = self.lib.hq_kmeans_fit_balanced(
            n, d, *array(x), *none, count, *none, *none, ctypes.byref(options), *array(centers), *array(labels),
            ctypes.byref(result), *array(scratch),
        )  # fmt: skip
        self.check(status)
        return centers, labels, result

    def assign_balanced(self, x, centers):
        (n, d), k = x.shape, len(centers)
        n, d, count = SIZE(n), SIZE(d), SIZE(k)
        none = (None, SIZE(0))
        size = self.lib.hq_kmeans_assign_balanced_workspace_size(n, d, count)
        scratch, labels = np.empty(size, np.uint8), np.empty(len(x), np.uint32)
        status = self.lib.hq_kmeans_assign_balanced(
            n, d, *array(x), *none, count, *array(centers), *none, *none, *array(labels), *none, *array(scratch)
        )
        self.check(status)
        return labels


def data(n, d, k):
    """Round clusters of spread 1 about centres of spread 1, of very different sizes."""
    rng = np.random.default_rng(n + d + k)
    centers = rng.standard_normal((k, d), np.float32)
    x = centers[np.minimum(rng.geometric(4 / k, size=n) - 1, k - 1)] + rng.standard_normal((n, d), np.float32)
    return x, x[rng.choice(n, k, replace=False)].copy()


def peer(x, start):
    n, k = len(x), len(start)
    model = KMeansConstrained(
        k, size_min=n // k, size_max=-(-n // k), init=start, n_init=1, max_iter=ITERATIONS, tol=0, n_jobs=1
    )
    return model.fit(x)


def inertia(x, labels):
    """Of the labels, about their own means, in double."""
    x = x.astype(np.float64)
    return sum(np.square(x[labels == j] - x[labels == j].mean(0)).sum() for j in np.unique(labels))


def seconds(work):
    begin = time.process_time()
    found = work()
    return time.process_time() - begin, found


def check_assignment(library, x, centers):
    """One assignment beside scipy's: the same least cost."""
    n, k = len(x), len(centers)
    labels = library.assign_balanced(x, centers)
    counts = np.bincount(labels, minlength=k)
    assert counts.min() >= n // k and counts.max() <= -(-n // k), counts
    # Centres at their larger size; places that stay empty cost nothing: only for n = k * (n // k).
    costs = cdist(x, centers, "sqeuclidean")
    rows, places = linear_sum_assignment(np.repeat(costs, n // k, axis=1))
    theirs, ours = costs[rows, places // (n // k)].sum(), costs[np.arange(n), labels].sum()
    assert abs(ours / theirs - 1) < 1e-6, (ours, theirs)


def case(library, name):
    n, d, k, turns = CASES[name]
    x, start = data(n, d, k)
    if n * n <= 4_000_000 and n % k == 0:
        check_assignment(library, x, start)
    library.fit_balanced(x, start, ITERATIONS)
    times = {"hybridq": [], "k-means-constrained": []}
    for _ in range(turns):
        spent, ours = seconds(lambda: library.fit_balanced(x, start, ITERATIONS))
        times["hybridq"].append(spent)
        spent, theirs = seconds(lambda: peer(x, start))
        times["k-means-constrained"].append(spent)
    medians = {who: statistics.median(t) for who, t in times.items()}
    our_inertia, their_inertia = inertia(x, ours[1]), inertia(x, theirs.labels_)
    print(f"{name}: {ours[2].iterations} iterations (k-means-constrained {theirs.n_iter_})")
    for who, spent in medians.items():
        print(f"  {who:20} {1e3 * spent:10.2f} ms")
    print(f"  inertia {our_inertia:.7g}, k-means-constrained {their_inertia:.7g}")
    assert our_inertia < their_inertia * 1.01, (our_inertia, their_inertia)
    print(f"figure kmeans_{name}_vs_best {medians['k-means-constrained'] / medians['hybridq']:.2f} ratio", flush=True)


def main(path, names):
    library = Balanced(path)
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for name in names or CASES:
            case(library, name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
