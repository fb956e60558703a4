"""The two quantizers as the bench drives them: HYBRIDQ names the program, GGML the library."""

from __future__ import annotations

import os
import unittest
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from ggml import Ggml
from hybridq import NotOffered, Tool
from metrics import relative_rmse

HYBRIDQ, GGML = os.environ.get("HYBRIDQ"), os.environ.get("GGML")


def matrices() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    return {
        f"encoder.layer.0.{name}.dense.weight": rng.standard_normal(shape).astype(np.float32)
        for name, shape in (("output", (64, 384)), ("intermediate", (16, 1536)))
    }


@unittest.skipUnless(HYBRIDQ, "HYBRIDQ is not set")
class Hybridq(unittest.TestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tool = Tool(Path(HYBRIDQ or "").resolve(), Path(folder.name))

    def test_formats_come_from_the_tool(self) -> None:
        self.assertLessEqual({"tq1_0", "tq2_0", "dense_ternary", "five_level", "q8_0"}, set(self.tool.formats()))

    def test_every_format_comes_back_at_its_size(self) -> None:
        exact = matrices()
        for name in self.tool.formats():
            coded = self.tool.code(exact, name)
            self.assertEqual({n: m.shape for n, m in coded.decoded.items()}, {n: m.shape for n, m in exact.items()})
            self.assertLess(relative_rmse(exact, coded.decoded), 0.45, name)
            self.assertLess(coded.bits, 8.6, name)
        self.assertEqual(self.tool.code(exact, "tq2_0").bits, 2.0625)
        # Rows stay as they are: 79 bytes for 384 weights, 310 for 1536.
        self.assertEqual(self.tool.code(exact, "dense_ternary").bits, 8 * (64 * 79 + 16 * 310) / (80 * 16 * 38.4))

    def test_variants_are_all_different(self) -> None:
        found = {c.figure: c for c in self.tool.variants(matrices(), ["tq2_0"])}
        self.assertEqual(list(found)[0], "tq2_0")
        # The default is mse in blocks: not listed a second time.
        self.assertEqual(
            set(found) - {"tq2_0"},
            {"tq2_0_absmean_block", "tq2_0_absmax_block", "tq2_0_mse_row", "tq2_0_absmean_row", "tq2_0_absmax_row"},
        )
        both = [c.figure for c in self.tool.variants(matrices(), ["tq2_0", "tq1_0"])]
        self.assertEqual(both, [*found, "tq1_0"])
        errors = {figure: relative_rmse(matrices(), c.decoded) for figure, c in found.items()}
        self.assertEqual(min(errors, key=errors.__getitem__), "tq2_0")

    def test_what_a_format_lacks_is_told_apart_from_failure(self) -> None:
        with self.assertRaises(NotOffered):
            self.tool.code(matrices(), "q8_0", "mse", "row")
        with self.assertRaises(NotOffered):
            self.tool.code(matrices(), "q8_0", "no_such_fit", "row")
        with self.assertRaises(RuntimeError):
            self.tool.code(matrices(), "no_such_format")
        with self.assertRaises(RuntimeError):
            self.tool.code({"bad.weight": np.full((4, 256), np.nan, np.float32)}, "tq2_0")


@unittest.skipUnless(GGML, "GGML is not set")
class Peer(unittest.TestCase):
    def setUp(self) -> None:
        self.ggml = Ggml(Path(GGML or "").resolve())

    def test_sizes_and_errors(self) -> None:
        exact = matrices()
        for name, bits, error in (("q3_K", 3.4375, 0.155), ("q4_0", 4.5, 0.09), ("tq2_0", 2.0625, 0.82)):
            coded = self.ggml.code(exact, name)
            self.assertEqual(coded.bits, bits)
            self.assertLess(relative_rmse(exact, coded.decoded), error)
        with self.assertRaises(ValueError):
            self.ggml.code(exact, "no_such_type")

    def test_importance_moves_the_error_where_it_counts_less(self) -> None:
        exact = matrices()
        weights = {n: np.where(np.arange(m.shape[1]) % 4 == 0, 100, 1).astype(np.float32) for n, m in exact.items()}

        def error(decoded: Mapping[str, np.ndarray]) -> float:
            return sum(float((weights[n] * (m - decoded[n]) ** 2).sum()) for n, m in exact.items())

        plain, weighted = self.ggml.code(exact, "q3_K"), self.ggml.code(exact, "q3_K", weights)
        self.assertLess(error(weighted.decoded), 0.9 * error(plain.decoded))

    @unittest.skipUnless(HYBRIDQ, "HYBRIDQ is not set")
    def test_both_decode_the_same_where_formats_and_fits_are_the_same(self) -> None:
        with TemporaryDirectory() as folder:
            tool = Tool(Path(HYBRIDQ or "").resolve(), Path(folder))
            for ours, theirs in (
                (tool.code(matrices(), "q8_0"), self.ggml.code(matrices(), "q8_0")),
                (tool.code(matrices(), "tq2_0", "absmax", "block"), self.ggml.code(matrices(), "tq2_0")),
                (tool.code(matrices(), "tq1_0", "absmax", "block"), self.ggml.code(matrices(), "tq1_0")),
            ):
                self.assertEqual(ours.bits, theirs.bits)
                for name, value in ours.decoded.items():
                    np.testing.assert_array_equal(value, theirs.decoded[name])
