"""Runs the files beside this one: each has a function `main(library)`.

    python3 run.py LIBHYBRIDQ.SO [NAME...]
"""

import importlib
import pathlib
import sys

from library import Library

OWN = {"run", "library", "timing"}


def main(path, names):
    files = sorted(file.stem for file in pathlib.Path(__file__).parent.glob("*.py"))
    library = Library(path)
    for name in names or [file for file in files if file not in OWN]:
        importlib.import_module(name).main(library)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
