"""What is a table of words and numbers before it becomes text or HTML?"""

from collections.abc import Iterable
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Grid:
    """A small table of printed cells.

    Attributes
    ----------
    caption : str
    head : tuple of str
        A line break parts two lines of one head ("2021" above "treatment").
    rows : tuple of tuple of str
    words : int
        How many of the first columns are words; the others are numbers, set flush right.
    note : str
        A line under the table, empty for none.
    """

    caption: str
    head: Row
    rows: tuple[Row, ...]
    words: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a description: a title, a few sentences, a few tables."""

    title: str
    lines: tuple[str, ...]
    grids: tuple[Grid, ...] = ()


def printable(text: object) -> str:
    """Return one line without control characters, whatever a name in the data holds."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(text))


def grid(caption: str, head: Iterable[str], rows: Iterable[Row], words: int = 1) -> Grid:
    """Return a table whose cells are one line each, without columns of words that are empty."""
    heads = tuple(head)
    cells = tuple(tuple(printable(cell) for cell in row) for row in rows)
    empty = {j for j in range(1, words) if not any(row[j] for row in cells)}
    kept = [j for j in range(len(heads)) if j not in empty]
    lines = tuple(tuple(row[j] for j in kept) for row in cells)
    return Grid(caption, tuple(heads[j] for j in kept), lines, words - len(empty))
