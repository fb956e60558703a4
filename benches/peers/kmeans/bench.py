"""k-means beside scikit-learn (lloyd and elkan) and faiss, in one process on one thread.

All start from the same rows of the same data. hybridq and scikit-learn run until no label changes, 20 iterations at
most; faiss, which does not look, is told how many iterations hybridq took. The time is that of the process, so what
else runs on the machine counts less; the median of interleaved turns counts.

    python3 bench.py LIBHYBRIDQ.SO [CASE...]
"""

import statistics
import sys
import time
import warnings

import faiss
import numpy as np
from hybridq import Library
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

ITERATIONS = 20
# name: rows, features, clusters, kind, turns
CASES = {
    f"{n // 1000}K" * (n < 10**6) + "1M" * (n == 10**6) + f"x{d}_k{k}_{kind}": (n, d, k, kind, turns)
    for n, d, k, turns in (
        (10_000, 100, 10, 15),
        (10_000, 100, 100, 11),
        (10_000, 100, 1000, 5),
        (100_000, 64, 256, 3),
        (1_000_000, 16, 64, 3),
    )
    for kind in ("clustered", "uniform")
}
DIGITS = "digits"


def data(n, d, k, kind):
    """Uniform in the unit cube, or `k` round clusters of spread 1 about centres of spread 1: they overlap."""
    rng = np.random.default_rng(n + d + k)
    if kind == "uniform":
        x = rng.random((n, d), np.float32)
    else:
        centers = rng.standard_normal((k, d), np.float32)
        x = centers[rng.integers(k, size=n)] + rng.standard_normal((n, d), np.float32)
    return x, x[rng.choice(n, k, replace=False)].copy()


def sklearn_fit(x, start, algorithm):
    return KMeans(len(start), init=start, n_init=1, max_iter=ITERATIONS, tol=0, algorithm=algorithm).fit(x)


def faiss_fit(x, start, iterations):
    kmeans = faiss.Kmeans(
        x.shape[1], len(start), niter=iterations, min_points_per_centroid=1, max_points_per_centroid=len(x)
    )
    kmeans.train(x, init_centroids=start)
    return kmeans


def inertia(x, centers, labels):
    """In double: scikit-learn's own sum is in single precision, 1e-5 off for a million rows."""
    parts = range(0, len(x), 10_000)
    return sum(np.square(x[i : i + 10_000] - centers[labels[i : i + 10_000]], dtype=np.float64).sum() for i in parts)


def turn(contestants, turns):
    """The median time of each, in ms."""
    times = {name: [] for name in contestants}
    for _ in range(turns):
        for name, work in contestants.items():
            begin = time.process_time()
            work()
            times[name].append(1e3 * (time.process_time() - begin))
    return {name: statistics.median(t) for name, t in times.items()}


def case(library, name):
    n, d, k, kind, turns = CASES[name]
    x, start = data(n, d, k, kind)
    _, _, result = library.fit(x, start, ITERATIONS)
    theirs = sklearn_fit(x, start, "lloyd")
    # A row that is as near to one centre as to another to the last digits may lead a fit another way, and a million rows
    # summed in single precision do: so beside both.
    double = sklearn_fit(x.astype(np.float64), start.astype(np.float64), "lloyd")
    contestants = {
        "hybridq": lambda: library.fit(x, start, ITERATIONS),
        "hybridq, no bounds": lambda: library.fit(x, start, ITERATIONS, bounds=False),
        "sklearn lloyd": lambda: sklearn_fit(x, start, "lloyd"),
        "sklearn elkan": lambda: sklearn_fit(x, start, "elkan"),
        "faiss": lambda: faiss_fit(x, start, result.iterations),
    }
    times = turn(contestants, turns)
    difference, of_double = (
        abs(result.inertia / inertia(x, fit.cluster_centers_, fit.labels_) - 1) for fit in (theirs, double)
    )
    print(f"{name}: {result.iterations} iterations (scikit-learn {theirs.n_iter_}), inertia {result.inertia:.7g}")
    for who, ms in times.items():
        print(f"  {who:20} {ms:10.2f} ms")
    best = min(ms for who, ms in times.items() if not who.startswith("hybridq"))
    print(f"figure kmeans_{name}_vs_best {best / times['hybridq']:.2f} ratio")
    print(f"figure kmeans_{name}_inertia_vs_sklearn {difference:.1e} relative")
    print(f"figure kmeans_{name}_inertia_vs_sklearn_double {of_double:.1e} relative", flush=True)


def digits(library):
    """Time per fit of the digits to convergence, seeding included, over the same number of seeds each."""
    x = load_digits().data.astype(np.float32)
    seeds = range(25)
    found = {}

    def ours():
        found["hybridq"] = [library.fit(x, library.seed(x, 10, s), 300)[2].inertia for s in seeds]

    def theirs(algorithm):
        fits = [KMeans(10, n_init=1, tol=0, random_state=s, algorithm=algorithm).fit(x) for s in seeds]
        found["sklearn " + algorithm] = [fit.inertia_ for fit in fits]

    contestants = {"hybridq": ours, "sklearn lloyd": lambda: theirs("lloyd"), "sklearn elkan": lambda: theirs("elkan")}
    times = {who: ms / len(seeds) for who, ms in turn(contestants, 3).items()}
    print("digits 1797x64, k = 10, k-means++, to convergence")
    for who, ms in times.items():
        print(f"  {who:20} {ms:10.3f} ms a fit   mean inertia {statistics.mean(found[who]):.0f}")
    best = min(ms for who, ms in times.items() if who != "hybridq")
    print(f"figure kmeans_digits_vs_best {best / times['hybridq']:.2f} ratio", flush=True)


def main(path, names):
    library = Library(path)
    faiss.omp_set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        for name in names or [*CASES, DIGITS]:
            if name == DIGITS:
                digits(library)
            else:
                case(library, name)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
