"""Tables, figures, and the README that holds the tables."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metrics import Agreement

HEAD = """\
| format | bits a weight, all in | relative RMSE | mean cosine | min cosine | rank correlation |
|---|--:|--:|--:|--:|--:|"""
BEGIN, END = "<!-- accuracy:begin -->\n", "<!-- accuracy:end -->"


@dataclass(frozen=True)
class Row:
    """What was measured for one format."""

    label: str
    figure: str
    bits: float
    rmse: float
    agreement: Agreement

    def line(self) -> str:
        """Of a table in Markdown."""
        a = self.agreement
        return (
            f"| {self.label} | {self.bits:.4f} | {self.rmse:.4f} |"
            f" {a.mean_cosine:.4f} | {a.min_cosine:.4f} | {a.rank_correlation:.4f} |"
        )

    def figures(self) -> list[str]:
        """The lines that a machine reads."""
        return [
            f"figure accuracy_{self.figure}_cosine {self.agreement.mean_cosine:.4f} 1",
            f"figure accuracy_{self.figure}_rank {self.agreement.rank_correlation:.4f} 1",
        ]


@dataclass(frozen=True)
class Table:
    """Rows under a title; notes say what is missing."""

    title: str
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def markdown(self) -> str:
        """The smallest format first, equal ones in the order they came."""
        lines = [row.line() for row in sorted(self.rows, key=lambda row: row.bits)]
        notes = [f"\n{note}" for note in self.notes]
        return "\n".join([f"{self.title}:\n", HEAD, *lines, *notes, ""])


def write(path: Path, tables: Sequence[Table]) -> None:
    """Puts the tables, with today's date, between the marks in a file."""
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path}: has no lines {BEGIN.strip()} and {END}")
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    body = "\n".join([f"Measured on {today}.\n", *(t.markdown() for t in tables)])
    path.write_text(before + begin + body + end + after, encoding="utf-8")
