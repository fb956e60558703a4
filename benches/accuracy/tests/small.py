"""A model like all-MiniLM-L6-v2 in everything but its size and its weights, which are noise."""

from __future__ import annotations

import numpy as np

from bert import Bert

WIDTH, HIDDEN, LAYERS, HEADS = 24, 96, 2, 3


def small_bert(seed: int = 1) -> Bert:
    rng = np.random.default_rng(seed)
    tensors = {}

    def norm(name: str) -> None:
        tensors[f"{name}.weight"] = 1 + 0.1 * rng.standard_normal(WIDTH)
        tensors[f"{name}.bias"] = 0.1 * rng.standard_normal(WIDTH)

    def linear(name: str, rows: int, cols: int) -> None:
        tensors[f"{name}.weight"] = rng.standard_normal((rows, cols)) * (2 / cols) ** 0.5
        tensors[f"{name}.bias"] = 0.1 * rng.standard_normal(rows)

    for name, rows in (("word", 50), ("position", 20), ("token_type", 2)):
        tensors[f"embeddings.{name}_embeddings.weight"] = rng.standard_normal((rows, WIDTH))
    norm("embeddings.LayerNorm")
    for i in range(LAYERS):
        at = f"encoder.layer.{i}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{at}.attention.{name}", WIDTH, WIDTH)
        linear(f"{at}.intermediate.dense", HIDDEN, WIDTH)
        linear(f"{at}.output.dense", WIDTH, HIDDEN)
        norm(f"{at}.attention.output.LayerNorm")
        norm(f"{at}.output.LayerNorm")
    return Bert({n: v.astype(np.float32) for n, v in tensors.items()}, HEADS)
