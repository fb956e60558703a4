"""hybridq's formats, through its command line."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from safetensors.numpy import load_file, save_file

from bert import Floats
from coded import Coded
from layout import restore, widen, widen_importance

FITS = ("mse", "absmean", "absmax", "minmax")
GRANULARITIES = ("block", "row")
# What the tool says to a fit or granularity that the format, or any format of this build, lacks.
REFUSAL = re.compile(r"error: --format \w+ takes |error: invalid value '\w+' for '--fit ")
# Padding of rows may cost this much before rows are joined instead.
PADDING = 1.05


class NotOffered(Exception):
    """The format has no such fit or granularity."""


class Tool:
    """A built `hybridq`, and a folder for its files."""

    def __init__(self, program: Path, work: Path) -> None:
        self.program, self.work = program, work
        self.help = self._run("quantize", "--help")

    def formats(self) -> list[str]:
        """Every weight format that `quantize` knows, by its own list."""
        found = re.search(r"--format <FORMAT>.*?\[possible values: ([^\]]+)\]", self.help, re.DOTALL)
        if found is None:
            raise RuntimeError("`hybridq quantize --help` lists no formats")
        # `auto` is a choice among formats, not one of them.
        return [name for name in re.split(r",\s*", found[1]) if name != "auto"]

    def has_importance(self) -> bool:
        """Whether `quantize` takes importance weights."""
        return "--importance" in self.help

    def variants(self, matrices: Mapping[str, Floats], names: Iterable[str]) -> Iterator[Coded]:
        """Each format with its defaults, then with each other fit and granularity that it has.

        What decodes to the very values of an earlier one is left out: the default spelled out, the fits of a
        format that holds the same numbers in other bytes.
        """
        seen = set()
        for name in names:
            default = self.code(matrices, name)
            seen.add(default.digest())
            yield default
            for granularity, fit in itertools.product(GRANULARITIES, FITS):
                try:
                    coded = self.code(matrices, name, fit, granularity)
                except NotOffered:
                    continue
                if coded.digest() not in seen:
                    seen.add(coded.digest())
                    yield coded

    def code(
        self,
        matrices: Mapping[str, Floats],
        name: str,
        fit: str | None = None,
        granularity: str | None = None,
        importance: Mapping[str, Floats] | None = None,
    ) -> Coded:
        """Quantizes and decodes. Raises NotOffered where the tool refuses the combination."""
        options = [name]
        words = []
        if fit is not None and granularity is not None:
            options += ["--fit", fit, "--granularity", granularity]
            words += [fit, f"a {granularity}"]
        if importance is not None:
            words.append("importance")
        plain = self._round_trip(matrices, options, importance)
        wide = self._round_trip(widen(matrices), options, None if importance is None else widen_importance(importance))
        if wide is None:
            raise RuntimeError(f"hybridq does not quantize every matrix to {name}, not even in joined rows")
        chosen = wide if plain is None or plain[0] > wide[0] * PADDING else plain
        return Coded(
            label=", ".join([f"`{name}`", *words]),
            figure="_".join([name, *(w.replace("a ", "") for w in words)]),
            bits=chosen[0],
            decoded=restore(chosen[1], matrices),
        )

    def _round_trip(
        self, matrices: Mapping[str, Floats], options: list[str], importance: Mapping[str, Floats] | None
    ) -> tuple[float, dict[str, Floats]] | None:
        """Bits a weight and decoded tensors; nothing if a tensor did not become the format."""
        source, packed, decoded, weights = (
            self.work / f for f in ("in.safetensors", "packed.gguf", "decoded.safetensors", "importance.safetensors")
        )
        save_file(dict(matrices), source)
        if importance is not None:
            save_file(dict(importance), weights)
            options = [*options, "--importance", str(weights)]
        self._run("quantize", source, "-o", packed, "--overwrite", "--quiet", "--format", *options)
        tensors = json.loads(self._run("inspect", packed, "--json"))["tensors"]
        if any(t["type"].lower() != options[0] for t in tensors):
            return None
        self._run("dequantize", packed, "-o", decoded, "--overwrite")
        bits = 8 * sum(t["bytes"] for t in tensors) / sum(m.size for m in matrices.values())
        return bits, load_file(decoded)

    def _run(self, *arguments: str | Path) -> str:
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return done.stdout
        if done.returncode == 2 and REFUSAL.search(done.stderr):
            raise NotOffered(done.stderr.strip())
        raise RuntimeError(f"hybridq {' '.join(map(str, arguments))}: {done.stderr.strip()}")
