"""How far the weights moved, and what that does to the embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bert import Floats


def relative_rmse(exact: Mapping[str, Floats], decoded: Mapping[str, Floats]) -> float:
    """The root of sum (x - y)^2 / sum x^2 over all tensors together."""
    error = sum(float(np.square(x - decoded[n], dtype=np.float64).sum()) for n, x in exact.items())
    return (error / sum(float(np.square(x, dtype=np.float64).sum()) for x in exact.values())) ** 0.5


def ranks(x: Floats) -> Floats:
    """1 for the smallest; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[inverse]


def spearman(x: Floats, y: Floats) -> float:
    """The correlation of the ranks."""
    return float(np.corrcoef(ranks(x), ranks(y))[0, 1])


def pair_similarities(embeddings: Floats) -> Floats:
    """The cosine of each unordered pair of different sentences; rows have length 1."""
    return (embeddings @ embeddings.T)[np.triu_indices(len(embeddings), 1)]


@dataclass(frozen=True)
class Agreement:
    """Embeddings against those of the FP32 model."""

    mean_cosine: float
    min_cosine: float
    rank_correlation: float

    @classmethod
    def of(cls, reference: Floats, embeddings: Floats) -> Agreement:
        """Both with one row of length 1 for each sentence."""
        cosines = (reference * embeddings).sum(axis=1)
        correlation = spearman(pair_similarities(reference), pair_similarities(embeddings))
        return cls(float(cosines.mean()), float(cosines.min()), correlation)
