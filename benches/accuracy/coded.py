"""What both quantizers hand back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bert import Floats


@dataclass(frozen=True)
class Coded:
    """Matrices after quantizing and decoding, in the shapes of the model."""

    label: str
    # In names of figures: letters, digits and underscores.
    figure: str
    # All bytes of the packed tensors, scales and padding too, over the number of weights.
    bits: float
    decoded: Mapping[str, Floats]

    def digest(self) -> bytes:
        """Equal for equal values, bit for bit, in tensors of equal names."""
        found = hashlib.blake2b()
        for name in sorted(self.decoded):
            found.update(name.encode())
            found.update(np.ascontiguousarray(self.decoded[name]).data)
        return found.digest()
