"""What quantized encoder weights do to the embeddings of all-MiniLM-L6-v2. Run by `make bench-accuracy`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.numpy import save_file

import report
from bert import Bert, Floats
from coded import Coded
from ggml import FORMATS, IMPORTANCE_FORMATS, Ggml
from hybridq import NotOffered, Tool
from importance import second_moments
from metrics import Agreement, relative_rmse
from model import Words, encoder_matrices, folder, load_model, published_difference, read_text
from report import Row, Table


@dataclass(frozen=True)
class Bench:
    """The model, its sentences and what they give in FP32; the two quantizers."""

    model: Bert
    sentences: Sequence[Sequence[int]]
    reference: Floats
    matrices: Mapping[str, Floats]
    tool: Tool
    ggml: Ggml

    def measure(self, coded: Iterable[Coded]) -> Iterator[Row]:
        """One format after the other; each is shown on standard error when it is done."""
        for c in coded:
            embeddings = self.model.with_weights(c.decoded).embed(self.sentences)
            rmse = relative_rmse(self.matrices, c.decoded)
            row = Row(c.label, c.figure, c.bits, rmse, Agreement.of(self.reference, embeddings))
            print(row.line(), file=sys.stderr, flush=True)
            yield row

    def plain(self, formats: Sequence[str]) -> list[Table]:
        """Every format with its defaults beside ggml's, then the other fits."""
        rows = list(self.measure(self.tool.variants(self.matrices, formats)))
        peers = self.measure(self.ggml.code(self.matrices, name) for name in FORMATS)
        defaults = [row for row in rows if row.figure in formats]
        others = [row for row in rows if row.figure not in formats]
        return [Table("By the weights alone", [*defaults, *peers]), Table("hybridq's other fits", others)]

    def weighted(self, formats: Sequence[str], importance: Mapping[str, Floats]) -> Table:
        """With importance weights, as far as the quantizers take them."""
        notes: list[str] = []

        def ours() -> Iterator[Coded]:
            if not self.tool.has_importance():
                notes.append("hybridq is missing here: this build's `quantize` has no `--importance`.")
                return
            for name in formats:
                try:
                    yield self.tool.code(self.matrices, name, importance=importance)
                except NotOffered:
                    notes.append(f"`{name}` takes no importance weights.")

        rows = list(self.measure(ours()))
        peers = self.measure(self.ggml.code(self.matrices, name, importance) for name in IMPORTANCE_FORMATS)
        return Table("With importance weights", [*rows, *peers], notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hybridq", type=Path, required=True, help="the built program")
    parser.add_argument("--ggml", type=Path, required=True, help="the library that build_ggml.sh makes")
    parser.add_argument("--importance", action="store_true", help="also with importance weights")
    parser.add_argument("--save-importance", type=Path, metavar="FILE.safetensors", help="keep those weights")
    parser.add_argument("--format", action="append", metavar="NAME", help="only this one of hybridq; repeatable")
    parser.add_argument("--write", type=Path, metavar="README.md", help="put the tables between the marks there")
    args = parser.parse_args()

    path = folder()
    model, words = load_model(path), Words(path)
    sentences = words(read_text("sentences.txt"))
    matrices = encoder_matrices(model)
    print(
        f"FP32 differs from the published similarities by {published_difference(model, words):.5f}; they have 4 digits"
    )
    print(f"{len(sentences)} sentences, {sum(map(len, sentences))} tokens")
    print(f"{len(matrices)} matrices, {sum(m.size for m in matrices.values())} weights\n")

    with TemporaryDirectory() as work:
        tool = Tool(args.hybridq, Path(work))
        bench = Bench(model, sentences, model.embed(sentences), matrices, tool, Ggml(args.ggml))
        formats = args.format or tool.formats()
        tables = bench.plain(formats)
        if args.importance or args.save_importance:
            importance = second_moments(model, words(read_text("calibration.txt")))
        if args.save_importance:
            # As `hybridq quantize --importance` wants it: by the name of the tensor, one value for each column.
            save_file(importance, args.save_importance)
        if args.importance:
            tables.append(bench.weighted(formats, importance))

    print(*(table.markdown() for table in tables), sep="\n")
    print(*(figure for table in tables for row in table.rows for figure in row.figures()), sep="\n")
    if args.write:
        report.write(args.write, tables)


if __name__ == "__main__":
    main()
