#!/usr/bin/env python3
"""Check a GGUF file against the floats hybridq decoded from it.

Reads the file with the gguf package, decodes every tensor with that package,
and compares it bit for bit with the tensor of the same name in a safetensors
file (made by `hybridq dequantize`). Exits with 1 on any difference.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from safetensors import SafetensorError, safe_open


class Mismatch(Exception):
    """A tensor that does not agree; the message says how."""


# Types that hold values as they are and that `hybridq dequantize` carries through unchanged.
EXACT = {
    GGMLQuantizationType.I8,
    GGMLQuantizationType.I16,
    GGMLQuantizationType.I32,
    GGMLQuantizationType.I64,
    GGMLQuantizationType.F64,
}


def compare(expected, got):
    """Raise `Mismatch` unless both tensors are f32, of one shape, and the same to the bit."""
    if got.dtype != np.float32:
        raise Mismatch(f"decoded tensor is {got.dtype}, not float32")
    if got.shape != expected.shape:
        raise Mismatch(f"shape {list(got.shape)}, the gguf package has {list(expected.shape)}")
    expected = np.ascontiguousarray(expected, dtype=np.float32).ravel()
    got = np.ascontiguousarray(got).ravel()
    wrong = np.flatnonzero(expected.view(np.uint32) != got.view(np.uint32))
    if wrong.size:
        at = wrong[0]
        raise Mismatch(
            f"{wrong.size} of {expected.size} values differ, the first at element {at}: "
            f"{float(got[at])!r}, the gguf package has {float(expected[at])!r}"
        )


def check_tensor(tensor, reader, decoded):
    """Return what to print about a tensor; raise `Mismatch` where it does not agree."""
    if tensor.tensor_type == GGMLQuantizationType.I8:
        field = reader.get_field(f"hybridq.tensor.{tensor.name}.format")
        if field is not None:
            return f"skipped, hybridq's own format {field.contents()}"
    if tensor.name not in decoded.keys():
        raise Mismatch("missing from the decoded file")
    if tensor.tensor_type in EXACT:
        got = decoded.get_tensor(tensor.name)
        if got.dtype != tensor.data.dtype or not np.array_equal(got.ravel(), tensor.data.ravel()):
            raise Mismatch("values that are carried through differ")
        return "same (carried through)"
    try:
        expected = dequantize(tensor.data, tensor.tensor_type)
    except NotImplementedError as error:
        raise Mismatch(f"the gguf package cannot decode it: {error}") from error
    compare(expected, decoded.get_tensor(tensor.name))
    return "same"


def check_file(reader, decoded):
    """Print a line per tensor and return how many do not agree."""
    failures = 0
    for tensor in reader.tensors:
        shape = "x".join(str(size) for size in reversed(tensor.shape.tolist()))
        try:
            verdict = check_tensor(tensor, reader, decoded)
        except Mismatch as error:
            failures += 1
            verdict = f"MISMATCH: {error}"
        print(f"{tensor.name} {tensor.tensor_type.name} {shape}: {verdict}")
    for name in sorted(set(decoded.keys()) - {tensor.name for tensor in reader.tensors}):
        failures += 1
        print(f"{name}: MISMATCH: in the decoded file only")
    return failures


def main():
    """Run the check; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("gguf", type=Path, metavar="FILE.gguf")
    parser.add_argument("decoded", type=Path, metavar="DECODED.safetensors")
    args = parser.parse_args()

    try:
        reader = GGUFReader(args.gguf)
    except (OSError, ValueError, KeyError, IndexError) as error:
        print(f"{args.gguf}: cannot be read as GGUF: {error}", file=sys.stderr)
        return 1
    try:
        with safe_open(args.decoded, framework="numpy") as decoded:
            failures = check_file(reader, decoded)
    except (OSError, SafetensorError) as error:
        print(f"{args.decoded}: cannot be read as safetensors: {error}", file=sys.stderr)
        return 1
    if failures:
        print(f"{args.gguf}: {failures} tensors do not match {args.decoded}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
