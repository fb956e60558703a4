#!/usr/bin/env python3
"""Write tests/golden/gguf: what the gguf package makes of chosen inputs.

For each type: float rows, the bytes the package packs them into, and the
floats it reads back from those bytes. For the ternary types also blocks with
every value a code byte can take, written by an encoder or not.
"""

import argparse
from pathlib import Path

import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize, quantize

COLS = 512
TERNARY_BLOCK = 256
SEED = 1

TYPES = (GGMLQuantizationType.TQ1_0, GGMLQuantizationType.TQ2_0, GGMLQuantizationType.Q8_0)

# For each ternary type, scale and number of blocks. The byte at position j of
# block b is j + b * 256 / blocks, so that each region of the block (in TQ1_0 32, 16
# and 4 bytes, in TQ2_0 one of 64) meets all 256 values where
# region * blocks >= 256.
ALL_BYTES = {
    GGMLQuantizationType.TQ1_0: ((1.0, 64), (0.37, 16)),
    GGMLQuantizationType.TQ2_0: ((1.0, 4), (0.37, 4)),
}


def two_blocks(first, second):
    """Return a row whose ternary blocks are `first` and `second`, each a value or a block."""
    return np.concatenate([np.broadcast_to(part, TERNARY_BLOCK) for part in (first, second)])


def input_rows():
    """Return the named test rows, in order."""
    rng = np.random.default_rng(SEED)
    ties = np.resize([1.0, 0.5, -0.5, -1.0, 0.5, -0.5, 0.0, -0.0], TERNARY_BLOCK)
    # For 0.151, half * (1 / scale) falls just below 0.5: the codes show that it multiplies.
    inexact_ties = np.float32(0.151) * ties
    # Every block of 32 starts with 127, so the Q8_0 scale is 1 and each half is an exact tie.
    halves = np.arange(COLS) % TERNARY_BLOCK - 127.5
    halves[::32] = 127.0
    one_large = rng.normal(size=COLS) * 0.01
    one_large[[5, 300]] = 1.0, -1.0
    sign = np.where(np.arange(COLS) % 2 == 0, 1.0, -1.0)
    return {
        "normal": rng.normal(size=COLS),
        "laplace": rng.laplace(scale=0.02, size=COLS),
        "zero": np.zeros(COLS),
        "constant": two_blocks(0.7, -0.3),
        "ties": two_blocks(ties, inexact_ties),
        "halves": np.clip(halves, -127.0, 127.0),
        "tiny": rng.normal(scale=1e-6, size=COLS),
        # The first scale is subnormal as f16; the second rounds to zero and leaves its codes.
        "subnormal": two_blocks(
            rng.normal(scale=1e-7, size=TERNARY_BLOCK), rng.normal(scale=1e-9, size=TERNARY_BLOCK)
        ),
        "large": rng.uniform(-3e4, 3e4, size=COLS),
        "alternating": sign * two_blocks(0.25, np.linspace(0.0, 2.0, TERNARY_BLOCK)),
        "one_large": one_large,
    }


def all_bytes_blocks(qtype):
    """Return packed blocks of a ternary type that take their code bytes through all values."""
    code_bytes = GGML_QUANT_SIZES[qtype][1] - 2
    blocks = []
    for scale, count in ALL_BYTES[qtype]:
        step = 256 // count
        codes = np.arange(count)[:, None] * step + np.arange(code_bytes)
        scales = np.full((count, 1), scale, dtype="<f2").view(np.uint8)
        blocks.append(np.hstack([codes.astype(np.uint8), scales]))
    return np.concatenate(blocks)


def write(path, array, dtype):
    """Write an array as plain little-endian numbers."""
    path.write_bytes(np.ascontiguousarray(array, dtype=dtype).tobytes())


def write_case(out, stem, packed, qtype):
    """Write packed blocks and what the package decodes them to; return the line for the index."""
    decoded = dequantize(packed, qtype)
    write(out / f"{stem}_packed.bin", packed, np.uint8)
    write(out / f"{stem}_decoded.f32", decoded, "<f4")
    return f"{stem} {qtype.name} {decoded.shape[0]} {decoded.shape[1]}"


def main():
    """Make the files."""
    root = Path(__file__).resolve().parent.parent
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--out", type=Path, default=root / "tests" / "golden" / "gguf", help="folder to write"
    )
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    rows = input_rows()
    inputs = np.stack(list(rows.values())).astype(np.float32)
    index = []
    for qtype in TYPES:
        stem = qtype.name.lower()
        write(out / f"{stem}_input.f32", inputs, "<f4")
        index.append(write_case(out, stem, quantize(inputs, qtype), qtype))
    for qtype in ALL_BYTES:
        stem = f"{qtype.name.lower()}_allbytes"
        index.append(write_case(out, stem, all_bytes_blocks(qtype), qtype))
    (out / "cases.txt").write_text("\n".join(index) + "\n")

    print("rows:", ", ".join(f"{number} {name}" for number, name in enumerate(rows)))
    print("\n".join(index))


if __name__ == "__main__":
    main()
