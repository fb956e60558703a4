"""Ranks, errors, agreement, importance and layout on values that are known."""

from __future__ import annotations

import unittest

import numpy as np

from importance import second_moments
from layout import restore, widen, widen_importance
from metrics import Agreement, pair_similarities, ranks, relative_rmse, spearman
from tests.small import HIDDEN, LAYERS, WIDTH, small_bert


class Metrics(unittest.TestCase):
    def test_equal_values_share_their_rank(self) -> None:
        self.assertEqual(ranks(np.array([7, 1, 7, 3, 7])).tolist(), [4, 1, 4, 2, 4])

    def test_spearman_on_known_values(self) -> None:
        x = np.array([1, 2, 3, 4, 5])
        self.assertAlmostEqual(spearman(x, x**3), 1)
        self.assertAlmostEqual(spearman(x, -np.exp(x)), -1)
        # Ranks 1..5 and 1, 2, 3, 5, 4: 1 - 6 * 2 / 120.
        self.assertAlmostEqual(spearman(x, np.array([5, 6, 7, 9, 8])), 0.9)
        # With a tie, by the correlation of the ranks 1..5 and 1, 2, 3.5, 5, 3.5: 8 / sqrt(10 * 9.5).
        self.assertAlmostEqual(spearman(x, np.array([5, 6, 7, 8, 7])), 8 / 95**0.5)

    def test_relative_rmse_is_over_all_tensors_together(self) -> None:
        exact = {"a": np.array([[3.0, 0.0]]), "b": np.array([[0.0, 4.0]])}
        self.assertAlmostEqual(relative_rmse(exact, {"a": exact["a"], "b": np.array([[0.0, 1.0]])}), 3 / 5)
        self.assertEqual(relative_rmse(exact, exact), 0)

    def test_pairs_are_each_counted_once(self) -> None:
        y = np.array([[1, 0], [0, 1], [0.6, 0.8]])
        np.testing.assert_allclose(pair_similarities(y), [0, 0.6, 0.8])

    def test_agreement(self) -> None:
        y = np.array([[1, 0], [0, 1], [0.6, 0.8]])
        same = Agreement.of(y, y)
        self.assertAlmostEqual(same.mean_cosine, 1)
        self.assertAlmostEqual(same.rank_correlation, 1)
        turned = Agreement.of(y, y @ np.array([[0, 1], [-1, 0]]))
        self.assertAlmostEqual(turned.mean_cosine, 0)
        self.assertAlmostEqual(turned.rank_correlation, 1)
        one_off = Agreement.of(y, np.array([[1, 0], [0, 1], [0.8, 0.6]]))
        self.assertAlmostEqual(one_off.mean_cosine, 2.96 / 3)
        self.assertAlmostEqual(one_off.min_cosine, 0.96)
        self.assertAlmostEqual(one_off.rank_correlation, 0.5)


class Importance(unittest.TestCase):
    def test_it_foretells_the_error_of_each_column(self) -> None:
        sentences = [[3, 1, 4, 1, 5], [9, 2, 6]]
        bert = small_bert()
        moments = second_moments(bert, sentences)
        self.assertEqual(len(moments), 6 * LAYERS)
        name = "encoder.layer.1.output.dense"
        self.assertEqual(moments[f"{name}.weight"].shape, (HIDDEN,))
        self.assertEqual(moments["encoder.layer.0.attention.self.query.weight"].shape, (WIDTH,))

        # A change of one weight by 0.5 changes that output by 0.5 x_j, on the mean square by 0.25 E[x_j^2].
        inputs: dict[str, np.ndarray] = {}
        bert.embed(sentences, inputs.__setitem__)
        changed = bert.tensors[f"{name}.weight"].copy()
        changed[4, 7] += 0.5
        x = inputs[f"{name}.weight"]
        moved = x @ changed.T - x @ bert.tensors[f"{name}.weight"].T
        np.testing.assert_allclose((moved**2).mean(axis=0)[4], 0.25 * moments[f"{name}.weight"][7], rtol=1e-4)


class Layout(unittest.TestCase):
    def test_rows_are_joined_as_far_as_blocks_need(self) -> None:
        matrices = {"a": np.arange(384 * 4.0).reshape(4, 384), "b": np.arange(1536 * 2.0).reshape(2, 1536)}
        wide = widen(matrices)
        self.assertEqual({n: m.shape for n, m in wide.items()}, {"a": (2, 768), "b": (2, 1536)})
        back = restore(wide, matrices)
        for name, value in matrices.items():
            np.testing.assert_array_equal(back[name], value)

    def test_importance_follows_its_columns(self) -> None:
        matrices = {"a": np.tile(np.arange(384.0), (4, 1)), "b": np.tile(np.arange(1536.0), (2, 1))}
        wide, vectors = widen(matrices), widen_importance({n: m[0] for n, m in matrices.items()})
        for name, value in wide.items():
            np.testing.assert_array_equal(value, np.tile(vectors[name], (len(value), 1)))

    def test_a_missing_tensor_is_noticed(self) -> None:
        matrices = {"a": np.zeros((4, 384)), "b": np.zeros((2, 1536))}
        with self.assertRaises(ValueError):
            restore({"a": matrices["a"]}, matrices)
