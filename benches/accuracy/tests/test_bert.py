"""The forward pass: against a second one written differently, and by what must hold."""

from __future__ import annotations

import math
import unittest

import numpy as np

from bert import Bert, erf, gelu, softmax
from tests.small import HEADS, LAYERS, WIDTH, small_bert

SENTENCES = [[3, 1, 4, 1, 5], [9, 2, 6], [5], [35, 8, 9, 7, 9, 3, 2, 3, 8, 46]]


def plain_embedding(bert: Bert, tokens: list[int]) -> np.ndarray:
    """One sentence by the formulas of the paper: f64, one token and one head at a time, erf of the C library."""
    t = {name: value.astype(np.float64) for name, value in bert.tensors.items()}

    def norm(name: str, x: np.ndarray) -> np.ndarray:
        return (x - x.mean()) / math.sqrt(x.var() + 1e-12) * t[f"{name}.weight"] + t[f"{name}.bias"]

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return np.array([row @ x for row in t[f"{name}.weight"]]) + t[f"{name}.bias"]

    def embedding(name: str, index: int) -> np.ndarray:
        return t[f"embeddings.{name}_embeddings.weight"][index]

    xs = [
        norm("embeddings.LayerNorm", embedding("word", token) + embedding("position", at) + embedding("token_type", 0))
        for at, token in enumerate(tokens)
    ]
    size = WIDTH // HEADS
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        q, k, v = ([linear(f"{name}.attention.self.{p}", x) for x in xs] for p in ("query", "key", "value"))
        after = []
        for at, x in enumerate(xs):
            mixed = np.zeros(WIDTH)
            for head in range(HEADS):
                part = slice(head * size, (head + 1) * size)
                weights = [math.exp(q[at][part] @ other[part] / math.sqrt(size)) for other in k]
                mixed[part] = sum(w * value[part] for w, value in zip(weights, v, strict=True)) / sum(weights)
            x = norm(f"{name}.attention.output.LayerNorm", x + linear(f"{name}.attention.output.dense", mixed))
            hidden = linear(f"{name}.intermediate.dense", x)
            hidden = np.array([h * (1 + math.erf(h / math.sqrt(2))) / 2 for h in hidden])
            after.append(norm(f"{name}.output.LayerNorm", x + linear(f"{name}.output.dense", hidden)))
        xs = after
    mean = np.mean(xs, axis=0)
    return mean / math.sqrt(mean @ mean)


class Functions(unittest.TestCase):
    def test_erf_is_that_of_the_c_library(self) -> None:
        x = np.linspace(-6, 6, 4001, dtype=np.float32)
        exact = np.array([math.erf(v) for v in x])
        self.assertLess(np.abs(erf(x) - exact).max(), 5e-7)

    def test_gelu_is_the_exact_one(self) -> None:
        # The tanh form has -0.15880801 and 0.84119199 here.
        np.testing.assert_allclose(gelu(np.array([-1, 0, 1], np.float32)), [-0.15865525, 0, 0.84134475], atol=1e-6)

    def test_softmax_survives_large_scores(self) -> None:
        y = softmax(np.array([[1000, 1000, -1000], [0, math.log(3), -200]], np.float32))
        np.testing.assert_allclose(y, [[0.5, 0.5, 0], [0.25, 0.75, 0]], atol=1e-6)


class Forward(unittest.TestCase):
    def test_equals_a_plain_second_forward_pass(self) -> None:
        bert = small_bert()
        for tokens, row in zip(SENTENCES, bert.embed(SENTENCES), strict=True):
            np.testing.assert_allclose(row, plain_embedding(bert, tokens), atol=2e-6)

    def test_company_does_not_matter(self) -> None:
        bert = small_bert()
        together = bert.embed(SENTENCES)
        alone = np.concatenate([bert.embed([s]) for s in SENTENCES])
        np.testing.assert_allclose(together, alone, atol=1e-6)

    def test_rows_have_length_one(self) -> None:
        np.testing.assert_allclose(np.linalg.norm(small_bert().embed(SENTENCES), axis=1), 1, atol=1e-6)

    def test_word_order_matters_only_through_positions(self) -> None:
        bert = small_bert()
        there, back = bert.embed([[3, 1, 4], [4, 1, 3]])
        self.assertGreater(np.abs(there - back).max(), 1e-3)
        name = "embeddings.position_embeddings.weight"
        there, back = bert.with_weights({name: np.zeros_like(bert.tensors[name])}).embed([[3, 1, 4], [4, 1, 3]])
        np.testing.assert_allclose(there, back, atol=1e-6)

    def test_every_matrix_of_the_layers_has_a_say(self) -> None:
        bert = small_bert()
        exact = bert.embed(SENTENCES)
        for name, value in bert.tensors.items():
            if name.startswith("encoder.") and value.ndim == 2:
                moved = bert.with_weights({name: value * np.float32(1.1)}).embed(SENTENCES)
                self.assertGreater(np.abs(moved - exact).max(), 1e-5, name)

    def test_a_tensor_that_the_model_lacks_is_refused(self) -> None:
        with self.assertRaises(KeyError):
            small_bert().with_weights({"encoder.layer.9.output.dense.weight": np.zeros((1, 1), np.float32)})
