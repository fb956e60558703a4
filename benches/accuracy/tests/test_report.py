"""Tables in a file."""

from __future__ import annotations

import unittest
from pathlib import Path
from tempfile import TemporaryDirectory

from metrics import Agreement
from report import Row, Table, write

ROWS = [
    Row("`b`", "b", 2.5, 0.25, Agreement(0.9, 0.8, 0.7)),
    Row("`a`", "a_importance", 1.6875, 0.45, Agreement(0.5, 0.25, 0.125)),
]


class Report(unittest.TestCase):
    def test_figures(self) -> None:
        self.assertEqual(
            ROWS[1].figures(),
            ["figure accuracy_a_importance_cosine 0.5000 1", "figure accuracy_a_importance_rank 0.1250 1"],
        )

    def test_only_what_lies_between_the_marks_is_replaced(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "README.md"
            path.write_text("above\n<!-- accuracy:begin -->\nold\n<!-- accuracy:end -->\nbelow\n")
            write(path, [Table("All", ROWS, ["A note."])])
            lines = path.read_text().splitlines()
            write(path, [Table("All", ROWS, ["A note."])])
            self.assertEqual(path.read_text().splitlines(), lines)
        self.assertEqual((lines[0], lines[-1]), ("above", "below"))
        self.assertNotIn("old", lines)
        smallest = lines.index("| `a` | 1.6875 | 0.4500 | 0.5000 | 0.2500 | 0.1250 |")
        self.assertEqual(lines[smallest + 1], "| `b` | 2.5000 | 0.2500 | 0.9000 | 0.8000 | 0.7000 |")
        self.assertIn("A note.", lines)

    def test_a_file_without_marks_is_left_alone(self) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / "README.md"
            path.write_text("nothing here\n")
            with self.assertRaises(SystemExit):
                write(path, [])
            self.assertEqual(path.read_text(), "nothing here\n")
