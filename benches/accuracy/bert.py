"""The sentence encoder all-MiniLM-L6-v2 in NumPy: BERT with 6 layers of 384, mean pooling, length 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Tensors = Mapping[str, Floats]
# Called with the name of a weight matrix and the rows it is multiplied with.
Observer = Callable[[str, Floats], None]


def erf(x: Floats) -> Floats:
    """The error function, to 5e-7: Abramowitz and Stegun, formula 7.1.26."""
    a = np.abs(x)
    t = 1 / (1 + np.float32(0.3275911) * a)
    poly = np.full_like(t, 1.061405429)
    for c in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        poly = poly * t + np.float32(c)
    return np.copysign(1 - poly * t * np.exp(-a * a), x)


def gelu(x: Floats) -> Floats:
    """x times the normal distribution function: the exact form, not the tanh one."""
    return x * (1 + erf(x * np.float32(0.5**0.5))) * np.float32(0.5)


def softmax(x: Floats) -> Floats:
    """Along the last axis."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@dataclass(frozen=True)
class Bert:
    """Weights by their names in the model's file, and what its config.json says."""

    tensors: Tensors
    heads: int = 12
    epsilon: float = 1e-12

    def layers(self) -> int:
        """How many encoder layers there are weights for."""
        return sum(name.endswith("attention.self.query.weight") for name in self.tensors)

    def with_weights(self, changed: Tensors) -> Bert:
        """The same model with some tensors replaced."""
        unknown = changed.keys() - self.tensors.keys()
        if unknown:
            raise KeyError(f"not tensors of the model: {sorted(unknown)}")
        return replace(self, tensors={**self.tensors, **changed})

    def embed(self, sentences: Sequence[Sequence[int]], observe: Observer | None = None) -> Floats:
        """One row of length 1 for each sentence, given as token numbers.

        The tokens of all sentences lie one after another, without padding; only attention and the mean keep
        them apart. So a sentence gets the same embedding whatever stands beside it, up to rounding.
        """
        bounds = np.cumsum([0, *map(len, sentences)])
        spans = [slice(a, b) for a, b in pairwise(bounds)]
        x = self._embed_tokens(sentences)
        for i in range(self.layers()):
            x = self._layer(f"encoder.layer.{i}", x, spans, observe)
        y = np.stack([x[s].mean(axis=0) for s in spans])
        return y / np.linalg.norm(y, axis=1, keepdims=True)

    def _embed_tokens(self, sentences: Sequence[Sequence[int]]) -> Floats:
        t = self.tensors
        tokens = np.concatenate([np.asarray(s) for s in sentences])
        positions = np.concatenate([np.arange(len(s)) for s in sentences])
        x = (
            t["embeddings.word_embeddings.weight"][tokens]
            + t["embeddings.position_embeddings.weight"][positions]
            + t["embeddings.token_type_embeddings.weight"][0]
        )
        return self._norm("embeddings.LayerNorm", x)

    def _layer(self, at: str, x: Floats, spans: Sequence[slice], observe: Observer | None) -> Floats:
        q, k, v = (self._linear(f"{at}.attention.self.{n}", x, observe) for n in ("query", "key", "value"))
        mixed = np.concatenate([self._attend(q[s], k[s], v[s]) for s in spans])
        x = self._norm(
            f"{at}.attention.output.LayerNorm",
            x + self._linear(f"{at}.attention.output.dense", mixed, observe),
        )
        hidden = gelu(self._linear(f"{at}.intermediate.dense", x, observe))
        return self._norm(f"{at}.output.LayerNorm", x + self._linear(f"{at}.output.dense", hidden, observe))

    def _attend(self, q: Floats, k: Floats, v: Floats) -> Floats:
        def split(m: Floats) -> Floats:
            return m.reshape(len(m), self.heads, -1).transpose(1, 0, 2)

        q, k, v = split(q), split(k), split(v)
        scores = q @ k.transpose(0, 2, 1) / np.float32(q.shape[-1] ** 0.5)
        return (softmax(scores) @ v).transpose(1, 0, 2).reshape(q.shape[1], -1)

    def _linear(self, name: str, x: Floats, observe: Observer | None) -> Floats:
        if observe is not None:
            observe(f"{name}.weight", x)
        return x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        return x * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]
