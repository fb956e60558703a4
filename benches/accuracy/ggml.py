"""ggml's formats, through its own C code (build_ggml.sh)."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bert import Floats
from coded import Coded
from layout import restore, widen, widen_importance

# In the order of their size. Those of the first list can do without importance weights.
FORMATS = ("tq1_0", "tq2_0", "q2_0", "q2_K", "iq3_s", "q3_K", "q4_0", "iq4_nl", "q4_K", "q8_0")
IMPORTANCE_FORMATS = (
    *("iq1_s", "iq1_m", "iq2_xxs", "iq2_xs", "iq2_s", "q2_K"),
    *("iq3_xxs", "iq3_s", "q3_K", "q4_0", "iq4_nl", "q4_K"),
)


class Ggml:
    """The shared library."""

    def __init__(self, library: Path) -> None:
        self._lib = ctypes.CDLL(str(library))
        self._lib.peer_row_size.restype = ctypes.c_size_t
        self._lib.peer_row_size.argtypes = [ctypes.c_int, ctypes.c_int64]
        self._lib.peer_round_trip.restype = None
        self._lib.peer_round_trip.argtypes = [
            ctypes.c_int,
            ctypes.c_int64,
            ctypes.c_int64,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]

    def code(self, matrices: Mapping[str, Floats], name: str, importance: Mapping[str, Floats] | None = None) -> Coded:
        """Quantizes and decodes, in rows that blocks of 256 divide."""
        kind = self._lib.peer_type(name.encode())
        if kind < 0:
            raise ValueError(f"ggml has no type {name}")
        columns = {} if importance is None else widen_importance(importance)
        packed, decoded = 0, {}
        for tensor, matrix in widen(matrices).items():
            values = np.array(matrix, dtype=np.float32, order="C")
            rows, cols = values.shape
            size = rows * self._lib.peer_row_size(kind, cols)
            if size == 0:
                raise ValueError(f"blocks of {name} do not divide {cols}")
            self._round_trip(kind, values, size, columns.get(tensor))
            packed += size
            decoded[tensor] = values
        words = [] if importance is None else ["importance"]
        return Coded(
            label=", ".join([f"ggml {name.upper()}", *words]),
            figure="_".join(["ggml", name.lower(), *words]),
            bits=8 * packed / sum(m.size for m in matrices.values()),
            decoded=restore(decoded, matrices),
        )

    def _round_trip(self, kind: int, values: Floats, size: int, importance: Floats | None) -> None:
        buffer = ctypes.create_string_buffer(size)
        weights = None if importance is None else np.ascontiguousarray(importance, dtype=np.float32)
        self._lib.peer_round_trip(
            kind, *values.shape, values.ctypes.data, buffer, None if weights is None else weights.ctypes.data
        )
