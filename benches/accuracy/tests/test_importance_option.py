"""What `hybridq quantize --importance` is given, with a tool that keeps every value."""

from __future__ import annotations

import json
import shutil
import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.numpy import load_file

from hybridq import Tool

MATRICES = {"a.weight": np.ones((4, 384), np.float32), "b.weight": np.ones((2, 1536), np.float32)}
IMPORTANCE = {"a.weight": np.arange(384, dtype=np.float32), "b.weight": np.arange(1536, dtype=np.float32)}


class Recorder(Tool):
    """Copies files where the program would convert them; blocks of 256 pad rows of 384."""

    seen: list[dict[str, np.ndarray]]

    def _run(self, *arguments: str | Path) -> str:
        match arguments:
            case ("quantize", "--help"):
                self.seen = []
                return "--format <FORMAT>  [possible values: copy]  --importance <FILE>"
            case (
                "quantize",
                source,
                "-o",
                packed,
                "--overwrite",
                "--quiet",
                "--format",
                "copy",
                "--importance",
                weights,
            ):
                tensors, importance = load_file(source), load_file(weights)
                assert {n: m.shape[1] for n, m in tensors.items()} == {n: len(v) for n, v in importance.items()}
                self.seen.append(importance)
                shutil.copy(source, packed)
                return ""
            case ("inspect", packed, "--json"):
                sizes = {n: m.shape[0] * -(-m.shape[1] // 256) * 64 for n, m in load_file(packed).items()}
                return json.dumps({"tensors": [{"name": n, "type": "COPY", "bytes": s} for n, s in sizes.items()]})
            case ("dequantize", packed, "-o", decoded, "--overwrite"):
                shutil.copy(packed, decoded)
                return ""
        raise AssertionError(arguments)


class ImportanceOption(unittest.TestCase):
    def test_each_layout_gets_weights_for_its_columns(self) -> None:
        with TemporaryDirectory() as folder:
            tool = Recorder(Path("hybridq"), Path(folder))
            self.assertTrue(tool.has_importance())
            coded = tool.code(MATRICES, "copy", importance=IMPORTANCE)
        self.assertEqual((coded.label, coded.figure), ("`copy`, importance", "copy_importance"))
        # Padding rows of 384 to 512 would cost 2.2 bits on the whole: the joined rows are taken.
        self.assertEqual(coded.bits, 2)
        self.assertEqual(coded.decoded["a.weight"].shape, (4, 384))
        plain, joined = tool.seen
        np.testing.assert_array_equal(plain["a.weight"], IMPORTANCE["a.weight"])
        np.testing.assert_array_equal(joined["a.weight"], np.tile(IMPORTANCE["a.weight"], 2))
        np.testing.assert_array_equal(joined["b.weight"], IMPORTANCE["b.weight"])
