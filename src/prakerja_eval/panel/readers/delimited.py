"""What do the cells of a text file say? Its encoding and delimiter, found out or told."""

import csv
from pathlib import Path

import pandas as pd

from prakerja_eval.errors import DataError
from prakerja_eval.panel.options import ReadOptions
from prakerja_eval.panel.table import Table


def read_delimited(path: Path, options: ReadOptions, text: frozenset[str]) -> Table:
    """Read a delimited text file."""
    del options
    _refuse_header(path)
    try:
        return Table(pd.read_csv(path, dtype=dict.fromkeys(text, "str"), encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path.name!r} cannot be read as comma-separated UTF-8 text: {error}. "
            "Export it with commas, decimal points and UTF-8."
        ) from error


def _refuse_header(path: Path) -> None:
    """Refuse a header that is not comma-separated, or in which a name stands twice."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            names = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError, csv.Error):
        return  # the reader says what is wrong
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        raise DataError(
            f"{path.name!r} is not separated by commas: its header reads as one column. Export it "
            "with commas and decimal points."
        )
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(
            f"{path.name!r} has two columns named {twice[0]!r}; rename or drop one of them."
        )
