"""Matrices as rows that blocks of 256 divide.

This model's rows have 384 values. GGUF's block formats want multiples of 256, so two rows are quantized as one of
768: the same blocks as over the flat tensor. hybridq and ggml get the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from bert import Floats

BLOCK = 256


def _joined(cols: int) -> int:
    """How many rows are laid end to end."""
    return math.lcm(cols, BLOCK) // cols


def widen(matrices: Mapping[str, Floats]) -> dict[str, Floats]:
    """Each matrix with as many rows joined as make the columns a multiple of 256."""
    return {n: m.reshape(-1, m.shape[1] * _joined(m.shape[1])) for n, m in matrices.items()}


def widen_importance(vectors: Mapping[str, Floats]) -> dict[str, Floats]:
    """The vector of a matrix's columns, repeated for each joined row."""
    return {n: np.tile(v, _joined(len(v))) for n, v in vectors.items()}


def restore(decoded: Mapping[str, Floats], like: Mapping[str, Floats]) -> dict[str, Floats]:
    """The shapes that the model has. Every tensor of `like` must be there, and no other."""
    if decoded.keys() != like.keys():
        raise ValueError(f"other tensors came back: {sorted(decoded.keys() ^ like.keys())}")
    return {n: decoded[n].reshape(m.shape) for n, m in like.items()}
