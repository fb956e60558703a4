"""Importance weights: for each input of a linear layer, the mean square of what goes in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bert import Bert, Floats


def second_moments(model: Bert, sentences: Sequence[Sequence[int]]) -> dict[str, Floats]:
    """By the name of the weight matrix, a vector of its columns: the diagonal of E[x x^T].

    An error e in a row of weights changes that row's output by e.x, whose mean square is about
    sum of e_j^2 E[x_j^2]: these are the factors with which errors count.
    """
    moments: dict[str, Floats] = {}

    def observe(name: str, x: Floats) -> None:
        moments[name] = np.square(x).mean(axis=0)

    model.embed(sentences, observe)
    return moments
